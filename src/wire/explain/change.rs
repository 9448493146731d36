//! Changes, in the words of the API and in one line for people.

use super::{count, product_word, visibility_word};
use crate::decide::explain::parts::Change;
use crate::wire::proto::postern::v1;
use crate::wire::proto::postern::v1::ChangeKind;

pub(super) fn remedy(changes: Vec<Change>) -> v1::Remedy {
    v1::Remedy {
        changes: changes.into_iter().map(change).collect(),
    }
}

#[expect(clippy::too_many_lines, reason = "an arm for each kind of change")]
fn change(change: Change) -> v1::Change {
    let text = text(&change);
    let none = String::new;
    let (kind, resource, member, value, index) = match change {
        Change::GrantRole { node, role, member } => (ChangeKind::GrantRole, node, member, role, 0),
        Change::RevokeRole {
            node,
            binding,
            role,
            member,
        } => (ChangeKind::RevokeRole, node, member, role, count(binding)),
        Change::AddToGroup { group, member } => (ChangeKind::AddToGroup, group, member, none(), 0),
        Change::RemoveFromGroup { group, member } => {
            (ChangeKind::RemoveFromGroup, group, member, none(), 0)
        }
        Change::ExceptFromDeny {
            policy,
            rule,
            member,
        } => (ChangeKind::ExceptFromDeny, policy, member, none(), rule),
        Change::AddToBoundary { boundary, resource } => {
            (ChangeKind::AddToBoundary, boundary, none(), resource, 0)
        }
        Change::LiftConstraint {
            node,
            constraint,
            member,
        } => {
            let kind = ChangeKind::LiftConstraint;
            (kind, node, member, constraint.to_owned(), 0)
        }
        Change::TurnSettingOff { node, setting } => {
            let kind = ChangeKind::TurnSettingOff;
            (kind, node, none(), setting.name().to_owned(), 0)
        }
        Change::RaiseQuota { project, quota } => (
            ChangeKind::RaiseQuota,
            project,
            none(),
            quota.to_string(),
            0,
        ),
        Change::EnablePrincipal { member } => {
            (ChangeKind::EnablePrincipal, none(), member, none(), 0)
        }
        Change::EnableService { project, service } => {
            (ChangeKind::EnableService, project, none(), service, 0)
        }
        Change::GiveSeat {
            organization,
            product,
            member,
        } => {
            let value = product_word(product).to_owned();
            (ChangeKind::GiveSeat, organization, member, value, 0)
        }
        Change::SetVisibility {
            project,
            visibility,
        } => {
            let value = visibility_word(visibility).to_owned();
            (ChangeKind::SetVisibility, project, none(), value, 0)
        }
    };
    v1::Change {
        kind: kind.into(),
        resource,
        member,
        value,
        index,
        text,
    }
}

fn text(change: &Change) -> String {
    match change {
        Change::GrantRole { node, role, member } => {
            format!("grant {role} on {node} to {member}")
        }
        Change::RevokeRole {
            node,
            binding,
            role,
            member,
        } => format!("take {member} out of binding {binding} ({role}) of {node}"),
        Change::AddToGroup { group, member } => format!("add {member} to {group}"),
        Change::RemoveFromGroup { group, member } => format!("remove {member} from {group}"),
        Change::ExceptFromDeny {
            policy,
            rule,
            member,
        } => format!("except {member} from rule {rule} of {policy}"),
        Change::AddToBoundary { boundary, resource } => format!("add {resource} to {boundary}"),
        Change::LiftConstraint {
            node,
            constraint,
            member,
        } if member.is_empty() => format!("lift {constraint} at {node}"),
        Change::LiftConstraint {
            node,
            constraint,
            member,
        } => format!("lift {constraint} at {node} for {member}"),
        Change::TurnSettingOff { node, setting } => {
            format!("turn {} of {node} off", setting.name())
        }
        Change::RaiseQuota { project, quota } => {
            format!("raise service_account_quota of {project} to {quota}")
        }
        Change::EnablePrincipal { member } => format!("enable {member}"),
        Change::EnableService { project, service } => {
            format!("add {service} to the services of {project}")
        }
        Change::GiveSeat {
            organization,
            product,
            member,
        } => format!(
            "give {member} a full {} seat in {organization}",
            product_word(*product)
        ),
        Change::SetVisibility {
            project,
            visibility,
        } => format!("make {project} {}", visibility_word(*visibility)),
    }
}
