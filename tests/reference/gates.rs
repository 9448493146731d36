//! Steps 5 and 6 of SPEC 6.3 as far as they are built: SPEC 4.4, 5.4, and the token
//! permissions and `actAs`.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::reference::names::{self, Place};
use crate::reference::world::{Account, World};

/// What the gates say.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Gate {
    Pass,
    Invalid(BTreeSet<String>),
    Deny(&'static str),
    /// `models.runs.move`: the destination, which has a say too.
    AlsoOn(String),
}

const TOKENS: [&str; 5] = [
    "getAccessToken",
    "getOpenIdToken",
    "signBlob",
    "signJwt",
    "implicitDelegation",
];

pub(crate) fn check(world: &World, permission: &str, place: &Place, context: &Value) -> Gate {
    let token = permission
        .strip_prefix("iam.serviceAccounts.")
        .is_some_and(|v| TOKENS.contains(&v));
    let allowed_kinds: &[&str] = match permission {
        "resourcemanager.projects.setVisibility" => &["projects"],
        "resourcemanager.projects.create" => &["organizations", "teams"],
        "iam.serviceAccounts.create" => &["organizations", "teams", "projects"],
        "iam.serviceAccountKeys.create"
        | "iam.serviceAccountKeys.upload"
        | "iam.serviceAccountApiKeyBindings.create"
        | "iam.serviceAccounts.actAs" => &["serviceAccounts"],
        "models.runs.move" => &[],
        _ if token => &["serviceAccounts"],
        _ => return Gate::Pass,
    };
    let mut wrong = BTreeSet::new();
    // choice: a name below a node is a resource of another kind than the node, but for `move`.
    let right_kind = if permission == "models.runs.move" {
        names::project_of(world, &place.node).is_some()
    } else {
        place.exact && allowed_kinds.contains(&place.kind.as_str())
    };
    if !right_kind {
        wrong.insert("resource".to_owned());
    }
    if let Err(field) = context_of(permission, context) {
        wrong.insert(format!("context.{field}"));
    }
    if !wrong.is_empty() {
        return Gate::Invalid(wrong);
    }
    match permission {
        "resourcemanager.projects.setVisibility" => set_visibility(world, place, context),
        "resourcemanager.projects.create" => deny_if(closed(world, &place.node, context)),
        "models.runs.move" => Gate::AlsoOn(context["destination"].as_str().unwrap().to_owned()),
        "iam.serviceAccounts.create" => create_account(world, place, count(context)),
        _ => on_account(world, permission, place, context),
    }
}

fn deny_if(constraint: bool) -> Gate {
    if constraint {
        Gate::Deny("CONSTRAINT")
    } else {
        Gate::Pass
    }
}

/// The context that a gate reads must be there and good.
fn context_of(permission: &str, context: &Value) -> Result<(), &'static str> {
    let word = |field: &str| context.get(field).and_then(Value::as_str);
    match permission {
        "resourcemanager.projects.setVisibility" | "resourcemanager.projects.create" => {
            let wanted = word("visibility").unwrap_or_default();
            let wanted = wanted.strip_prefix("VISIBILITY_").unwrap_or(wanted);
            let known = ["TEAM", "RESTRICTED", "PUBLIC", "OPEN"].contains(&wanted);
            if known { Ok(()) } else { Err("visibility") }
        }
        "models.runs.move" => match word("destination") {
            Some(name) if names::is_project_name(name) => Ok(()),
            _ => Err("destination"),
        },
        "iam.serviceAccounts.actAs" => match word("attached_resource") {
            Some(name) if names::well_formed(name) => Ok(()),
            _ => Err("attached_resource"),
        },
        "iam.serviceAccounts.create"
        | "iam.serviceAccountKeys.create"
        | "iam.serviceAccountKeys.upload"
        | "iam.serviceAccountApiKeyBindings.create" => match context.get("count") {
            None => Ok(()),
            Some(Value::Number(n)) => {
                let n = n.as_f64().unwrap();
                if n.fract() == 0.0 && (1.0..=1000.0).contains(&n) {
                    Ok(())
                } else {
                    Err("count")
                }
            }
            Some(_) => Err("count"),
        },
        _ => Ok(()),
    }
}

fn wanted(context: &Value) -> String {
    context["visibility"]
        .as_str()
        .unwrap()
        .replace("VISIBILITY_", "")
}

/// SPEC 5.4: how many are to be created.
fn count(context: &Value) -> u64 {
    let said = context.get("count").map_or(1.0, |n| n.as_f64().unwrap());
    (1_u32..=1000)
        .find(|n| f64::from(*n) >= said)
        .map_or(1000, u64::from)
}

/// SPEC 4.4: `PUBLIC` or `OPEN` under `private_projects_only` of the node or above it.
fn closed(world: &World, node: &str, context: &Value) -> bool {
    ["PUBLIC", "OPEN"].contains(&wanted(context).as_str())
        && names::upwards(node)
            .iter()
            .any(|n| world.is_set(n, "private_projects_only"))
}

fn set_visibility(world: &World, place: &Place, context: &Value) -> Gate {
    let now = world.projects[&place.node].visibility.clone();
    if now == wanted(context) {
        return Gate::Pass;
    }
    let leaves = now == "RESTRICTED" && wanted(context) != "TEAM";
    deny_if(leaves || closed(world, &place.node, context))
}

/// SPEC 4.4 for a move, once the destination may be looked at.
pub(crate) fn destination(world: &World, place: &Place, destination: &str) -> Gate {
    let Some(there) = world.projects.get(destination) else {
        return Gate::Deny("RESOURCE_NOT_FOUND");
    };
    let here = &world.projects[&names::project_of(world, &place.node).unwrap()];
    deny_if(here.visibility == "RESTRICTED" && there.visibility != "RESTRICTED")
}

fn create_account(world: &World, place: &Place, count: u64) -> Gate {
    let organization = names::organization_of(&place.node).unwrap();
    match place.kind.as_str() {
        "teams" => deny_if(world.is_set(&organization, "disable_team_service_account_creation")),
        "projects" => {
            let counted = world
                .accounts
                .iter()
                .filter(|a| a.living() && a.kind == "USER_MANAGED" && a.parent() == place.node);
            let quota = world.projects[&place.node].quota;
            let existing = u64::try_from(counted.count()).unwrap();
            if existing + count > quota {
                Gate::Deny("QUOTA_EXCEEDED")
            } else {
                Gate::Pass
            }
        }
        _ => Gate::Pass,
    }
}

/// The gates that read an account.
fn on_account(world: &World, permission: &str, place: &Place, context: &Value) -> Gate {
    let account = world.account_named(&place.node).unwrap();
    let organization = names::organization_of(&place.node).unwrap();
    match permission {
        "iam.serviceAccountApiKeyBindings.create" => {
            let narrow = account.scope() != "organizations";
            let switched_off = narrow && world.is_set(&organization, "disable_key_creation");
            if account.authentication == "FEDERATED" || switched_off {
                return Gate::Deny("CONSTRAINT");
            }
            let held = world.keys.iter().filter(|k| {
                k.owner_uid == account.uid && names::parent(&k.name).as_ref() == Some(&account.name)
            });
            let held = u64::try_from(held.count()).unwrap();
            if held + count(context) > 100 {
                Gate::Deny("QUOTA_EXCEEDED")
            } else {
                Gate::Pass
            }
        }
        // Key pairs are refused in a snapshot (SEMANTICS 2.4), so there are none yet.
        "iam.serviceAccountKeys.create" | "iam.serviceAccountKeys.upload" => {
            if count(context) > 10 {
                Gate::Deny("QUOTA_EXCEEDED")
            } else {
                Gate::Pass
            }
        }
        "iam.serviceAccounts.actAs" => {
            let attached = context["attached_resource"].as_str().unwrap();
            let same = names::at_or_below(attached, &account.parent());
            deny_if(idle(account) || !same)
        }
        _ => deny_if(idle(account)),
    }
}

fn idle(account: &Account) -> bool {
    account.disabled || !account.living()
}
