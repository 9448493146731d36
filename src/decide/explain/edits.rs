//! Changes by their names.

use crate::decide::explain::Change;
use crate::graph::edit::{Edit, Entry};
use crate::graph::snapshot::Snapshot;
use crate::model::principal::PrincipalIx;

/// A principal as a policy must name it: with its uid where a deleted account has the same
/// e-mail (SPEC 1.5).
fn member(snapshot: &Snapshot, principal: u32) -> String {
    let ix = PrincipalIx(principal);
    let text = snapshot.principal_member(ix);
    match snapshot.identity(ix) {
        Some(identity) if snapshot.shares_email(ix) && !text.contains('?') => {
            format!("{text}?uid={}", identity.uid.as_str())
        }
        _ => text,
    }
}

/// A change for people and programs; `None`: it names something that is not there.
#[expect(clippy::too_many_lines, reason = "an arm for each kind of change")]
pub(super) fn change(snapshot: &Snapshot, edit: &Edit) -> Option<Change> {
    let node = |ix: u32| Some(snapshot.node(ix)?.name.as_str().to_owned());
    let sources = snapshot.sources();
    let rules = snapshot.rules();
    Some(match edit {
        Edit::Bind {
            node: at,
            role,
            principal,
        } => Change::GrantRole {
            node: node(*at)?,
            role: sources.roles.get(*role)?.name.to_string(),
            member: member(snapshot, *principal),
        },
        Edit::Unbind {
            node: at,
            binding,
            entry,
        } => {
            let role = sources.bindings(*at).get(*binding)?.role;
            Change::RevokeRole {
                node: node(*at)?,
                binding: *binding,
                role: sources.roles.get(role)?.name.to_string(),
                member: match entry {
                    Entry::Principal(ix) => member(snapshot, *ix),
                    Entry::Holder(row) => sources.holder(*row).to_owned(),
                },
            }
        }
        Edit::Join { group, principal } => Change::AddToGroup {
            group: sources.holder(*group).to_owned(),
            member: member(snapshot, *principal),
        },
        Edit::Leave { group, principal } => Change::RemoveFromGroup {
            group: sources.holder(*group).to_owned(),
            member: member(snapshot, *principal),
        },
        Edit::Except {
            node: at,
            rule,
            principal,
        } => {
            let row = rules.denies.get(at)?.get(*rule)?;
            Change::ExceptFromDeny {
                policy: crate::graph::at(&rules.deny_names, row.policy)?.to_string(),
                rule: row.rule,
                member: member(snapshot, *principal),
            }
        }
        Edit::Enclose { boundary, resource } => Change::AddToBoundary {
            boundary: crate::graph::at(&rules.boundaries, *boundary)?
                .name
                .to_string(),
            resource: resource.clone(),
        },
        Edit::Lift {
            node: at,
            constraint,
            value,
        } => Change::LiftConstraint {
            node: node(*at)?,
            constraint: constraint.name(),
            member: value
                .as_ref()
                .map_or_else(String::new, |email| format!("serviceAccount:{email}")),
        },
        Edit::TurnOff { node: at, setting } => Change::TurnSettingOff {
            node: node(*at)?,
            setting: *setting,
        },
        Edit::Quota { node: at, quota } => Change::RaiseQuota {
            project: node(*at)?,
            quota: *quota,
        },
        Edit::Enable { principal } => Change::EnablePrincipal {
            member: member(snapshot, *principal),
        },
        Edit::UseService { node: at, service } => Change::EnableService {
            project: node(*at)?,
            service: service.clone(),
        },
        Edit::Seat {
            principal,
            node: at,
            product,
        } => Change::GiveSeat {
            organization: node(*at)?,
            product: *product,
            member: member(snapshot, *principal),
        },
        Edit::Show {
            node: at,
            visibility,
        } => Change::SetVisibility {
            project: node(*at)?,
            visibility: *visibility,
        },
    })
}
