//! Changes made in a document, as an operator would.

use postern::decide::explain::parts::Change;
use postern::graph::document::{
    AllowPolicy, AnyOr, Binding, Document, Entity, Located, OrgPolicy, OrgRule, Place, SeatLevel,
};
use postern::graph::edit::Setting;
use postern::model::permission::Product;

/// The one entity for which `pick` finds something.
fn find<T>(document: &mut Document, pick: impl Fn(&mut Entity) -> Option<&mut T>) -> &mut T {
    let mut entities = document.entities.iter_mut();
    entities
        .find_map(|located| pick(&mut located.entity))
        .unwrap()
}

fn add(document: &mut Document, entity: Entity) {
    document.entities.push(Located {
        place: Place::default(),
        entity,
    });
}

fn policy<'d>(document: &'d mut Document, resource: &str) -> &'d mut AllowPolicy {
    let is = |e: &Entity| matches!(e, Entity::AllowPolicy(p) if p.resource == resource);
    if !document.entities.iter().any(|located| is(&located.entity)) {
        let policy = AllowPolicy {
            resource: resource.to_owned(),
            bindings: Vec::new(),
        };
        add(document, Entity::AllowPolicy(policy));
    }
    find(document, |entity| match entity {
        Entity::AllowPolicy(policy) if policy.resource == resource => Some(policy),
        _ => None,
    })
}

/// Whom a member names: users, groups and domains by address, accounts by uid, others by text.
fn meaning(document: &Document, member: &str) -> String {
    let lower = member.to_ascii_lowercase();
    let Some((_, rest)) = member.split_once("serviceAccount:") else {
        return if member.starts_with("principal") {
            member.to_owned()
        } else {
            lower
        };
    };
    if let Some((_, uid)) = rest.split_once("?uid=") {
        return format!("uid {uid}");
    }
    let mut accounts: Vec<(bool, &str)> = document
        .entities
        .iter()
        .filter_map(|located| match &located.entity {
            Entity::ServiceAccount(account) if account.email.eq_ignore_ascii_case(rest) => {
                Some((account.deleted_at.is_some(), account.uid.as_str()))
            }
            _ => None,
        })
        .collect();
    accounts.sort_unstable();
    accounts
        .first()
        .map_or(lower, |(_, uid)| format!("uid {uid}"))
}

fn without(document: &Document, list: &[String], member: &str) -> Vec<String> {
    let gone = meaning(document, member);
    let stays = |one: &&String| meaning(document, one) != gone;
    list.iter().filter(stays).cloned().collect()
}

fn group<'d>(document: &'d mut Document, member: &str) -> &'d mut Vec<String> {
    let email = member.strip_prefix("group:").unwrap();
    find(document, |entity| match entity {
        Entity::Group(group) if group.email.eq_ignore_ascii_case(email) => Some(&mut group.members),
        _ => None,
    })
}

#[expect(clippy::too_many_lines, reason = "an arm for each kind of change")]
pub(crate) fn apply(document: &mut Document, change: &Change) {
    match change {
        Change::GrantRole { node, role, member } => policy(document, node).bindings.push(Binding {
            role: role.clone(),
            members: vec![member.clone()],
            condition: None,
        }),
        Change::RevokeRole {
            node,
            binding,
            role,
            member,
        } => {
            let said = &policy(document, node).bindings[*binding];
            assert_eq!(said.role, *role);
            let members = said.members.clone();
            let left = without(document, &members, member);
            assert!(left.len() < members.len(), "{member} is not in {members:?}");
            policy(document, node).bindings[*binding].members = left;
        }
        Change::AddToGroup { group: to, member } => group(document, to).push(member.clone()),
        Change::RemoveFromGroup {
            group: from,
            member,
        } => {
            let members = group(document, from).clone();
            let left = without(document, &members, member);
            assert!(left.len() < members.len(), "{member} is not in {members:?}");
            *group(document, from) = left;
        }
        Change::ExceptFromDeny {
            policy,
            rule,
            member,
        } => {
            let rules = find(document, |entity| match entity {
                Entity::DenyPolicy(one) if one.name == *policy => Some(&mut one.rules),
                _ => None,
            });
            let rule = &mut rules[usize::try_from(*rule).unwrap()];
            rule.exception_principals.push(member.clone());
        }
        Change::AddToBoundary { boundary, resource } => {
            let resources = find(document, |entity| match entity {
                Entity::AccessBoundary(one) if one.name == *boundary => Some(&mut one.resources),
                _ => None,
            });
            resources.push(resource.clone());
        }
        Change::LiftConstraint {
            node,
            constraint,
            member,
        } => lift(document, node, constraint, member),
        Change::TurnSettingOff { node, setting } => turn_off(document, node, *setting),
        Change::RaiseQuota { project, quota } => {
            *find(document, |entity| match entity {
                Entity::Project(one) if one.name == *project => {
                    Some(&mut one.service_account_quota)
                }
                _ => None,
            }) = Some(*quota);
        }
        Change::EnablePrincipal { member } => enable(document, member),
        Change::EnableService { project, service } => {
            let services = find(document, |entity| match entity {
                Entity::Project(one) if one.name == *project => Some(&mut one.services),
                _ => None,
            });
            let AnyOr::List(list) = services else {
                panic!("{project} uses any service");
            };
            list.push(service.clone());
        }
        Change::GiveSeat {
            organization,
            product,
            member,
        } => {
            let email = member.strip_prefix("user:").unwrap();
            let seats = find(document, |entity| match entity {
                Entity::User(user) if user.email.eq_ignore_ascii_case(email) => {
                    Some(&mut user.seats)
                }
                _ => None,
            });
            let seat = seats
                .iter_mut()
                .find(|s| s.organization == *organization)
                .unwrap();
            match product {
                Product::Models => seat.models = SeatLevel::Full,
                Product::Weave => seat.weave = SeatLevel::Full,
                Product::None => panic!("no product"),
            }
        }
        Change::SetVisibility {
            project,
            visibility,
        } => {
            *find(document, |entity| match entity {
                Entity::Project(one) if one.name == *project => Some(&mut one.visibility),
                _ => None,
            }) = *visibility;
        }
    }
}

fn lift(document: &mut Document, node: &str, constraint: &str, member: &str) {
    let name = format!("{node}/orgPolicies/{constraint}");
    let is = |e: &Entity| matches!(e, Entity::OrgPolicy(p) if p.name == name);
    let fresh = !document.entities.iter().any(|located| is(&located.entity));
    if fresh {
        let policy = OrgPolicy {
            name: name.clone(),
            attachment: node.to_owned(),
            constraint: constraint.to_owned(),
            ..OrgPolicy::default()
        };
        add(document, Entity::OrgPolicy(policy));
    }
    let policy = find(document, |entity| match entity {
        Entity::OrgPolicy(policy) if policy.name == name => Some(policy),
        _ => None,
    });
    if let Some(email) = member.strip_prefix("serviceAccount:") {
        let (mut allow, mut deny) = match policy.rule.take() {
            Some(OrgRule::List { allow, deny }) => (allow, deny),
            Some(OrgRule::Boolean(_)) | None => (None, None),
        };
        match allow.get_or_insert(AnyOr::List(Vec::new())) {
            AnyOr::Any => {}
            AnyOr::List(values) => values.push(email.to_owned()),
        }
        if let Some(AnyOr::List(values)) = &mut deny {
            values.retain(|value| !value.eq_ignore_ascii_case(email));
        }
        policy.inherit_from_parent |= fresh;
        policy.reset = false;
        policy.rule = Some(OrgRule::List { allow, deny });
        return;
    }
    policy.inherit_from_parent = false;
    policy.reset = false;
    policy.rule = None;
    if constraint.contains("isable") || constraint.contains("restrict") {
        policy.rule = Some(OrgRule::Boolean(false));
    } else {
        policy.reset = true;
    }
}

fn turn_off(document: &mut Document, node: &str, setting: Setting) {
    let switch = find(document, |entity| match entity {
        Entity::Organization(one) if one.name == node => Some(match setting {
            Setting::EnforceOrgScopedKeys => &mut one.enforce_org_scoped_keys,
            Setting::DisableKeyCreation => &mut one.disable_key_creation,
            Setting::DisableTeamServiceAccountCreation => {
                &mut one.disable_team_service_account_creation
            }
            Setting::PrivateProjectsOnly => &mut one.private_projects_only,
        }),
        Entity::Team(one) if one.name == node && setting == Setting::PrivateProjectsOnly => {
            Some(&mut one.private_projects_only)
        }
        _ => None,
    });
    assert!(std::mem::replace(switch, false), "{setting:?} was off");
}

fn enable(document: &mut Document, member: &str) {
    let who = meaning(document, member);
    *find(document, |entity| match entity {
        Entity::User(user) if format!("user:{}", user.email.to_ascii_lowercase()) == who => {
            Some(&mut user.disabled)
        }
        Entity::ServiceAccount(account) if format!("uid {}", account.uid) == who => {
            Some(&mut account.disabled)
        }
        _ => None,
    }) = false;
}
