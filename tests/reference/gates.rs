//! Steps 5 and 6 of SPEC 6.3: SPEC 4.4, 5.4 and 8, the token permissions and `actAs`.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::reference::conditions::Scene;
use crate::reference::grants;
use crate::reference::names::{self, Place};
use crate::reference::world::{Account, World};
use crate::reference::{constraints, people};

/// What the gates say.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Gate {
    Pass,
    Invalid(BTreeSet<String>),
    Deny(&'static str),
    /// `models.runs.move`: the destination, which has a say too.
    AlsoOn(String),
}

const CREATE: &str = "iam.serviceAccounts.create";
const ACT_AS: &str = "iam.serviceAccounts.actAs";

/// The five token permissions (SPEC 3.2, 10.1).
pub(crate) fn is_of_tokens(permission: &str) -> bool {
    let verbs = [
        "getAccessToken",
        "getOpenIdToken",
        "signBlob",
        "signJwt",
        "implicitDelegation",
    ];
    permission
        .strip_prefix("iam.serviceAccounts.")
        .is_some_and(|v| verbs.contains(&v))
}

/// Nodes that a gated permission is asked on (SPEC 6.3 step 5); `None`: on any.
fn kinds(permission: &str) -> Option<&'static [&'static str]> {
    match permission {
        "resourcemanager.projects.setVisibility" => Some(&["projects"]),
        "resourcemanager.projects.create" => Some(&["organizations", "teams"]),
        CREATE => Some(&["organizations", "teams", "projects"]),
        "iam.serviceAccountKeys.create"
        | "iam.serviceAccountKeys.upload"
        | "iam.serviceAccountApiKeyBindings.create"
        | ACT_AS => Some(&["serviceAccounts"]),
        _ if is_of_tokens(permission) => Some(&["serviceAccounts"]),
        _ => None,
    }
}

pub(crate) fn check(permission: &str, owns: bool, scene: &Scene<'_>) -> Gate {
    let place = scene.place;
    let mut wrong = BTreeSet::new();
    // choice: a name below a node is a resource of another kind than the node, but for `move`.
    let right_kind = match kinds(permission) {
        _ if permission == "models.runs.move" => {
            names::project_of(scene.world, &place.node).is_some()
        }
        Some(kinds) => place.exact && kinds.contains(&place.kind.as_str()),
        None => true,
    };
    if !right_kind {
        wrong.insert("resource".to_owned());
    }
    wrong.extend(context_flaws(permission, scene));
    if right_kind {
        wrong.extend(restricted_context_flaws(permission, scene));
    }
    if !wrong.is_empty() {
        return Gate::Invalid(wrong);
    }
    if is_constrained(permission, owns, scene) {
        return Gate::Deny("CONSTRAINT");
    }
    let (world, context) = (scene.world, scene.context);
    match permission {
        "resourcemanager.projects.setVisibility" => set_visibility(world, place, context),
        "resourcemanager.projects.create" => deny_if(closed(world, &place.node, context)),
        "models.runs.move" => Gate::AlsoOn(context["destination"].as_str().unwrap().to_owned()),
        CREATE => create_account(world, place, context),
        _ if kinds(permission).is_some() => on_account(world, permission, place, context),
        _ => Gate::Pass,
    }
}

fn deny_if(constraint: bool) -> Gate {
    if constraint {
        Gate::Deny("CONSTRAINT")
    } else {
        Gate::Pass
    }
}

/// Fields of the context that a gate always reads, and that are missing or bad.
fn context_flaws(permission: &str, scene: &Scene<'_>) -> BTreeSet<String> {
    let context = scene.context;
    let word = |field: &str| context.get(field).and_then(Value::as_str);
    let mut wrong = BTreeSet::new();
    let mut check = |field: &str, good: bool| {
        if !good {
            wrong.insert(format!("context.{field}"));
        }
    };
    match permission {
        "resourcemanager.projects.setVisibility" | "resourcemanager.projects.create" => {
            let wanted = word("visibility").unwrap_or_default();
            let wanted = wanted.strip_prefix("VISIBILITY_").unwrap_or(wanted);
            check(
                "visibility",
                ["TEAM", "RESTRICTED", "PUBLIC", "OPEN"].contains(&wanted),
            );
        }
        "models.runs.move" => check(
            "destination",
            word("destination").is_some_and(names::is_project_name),
        ),
        ACT_AS => check(
            "attached_resource",
            word("attached_resource").is_some_and(names::well_formed),
        ),
        CREATE => {
            check("count", counted(context).is_some());
            check("kind", kind_of_account(context).is_some());
            let kind = kind_of_account(context).unwrap_or_default();
            if ["DEFAULT", "SERVICE_AGENT"].contains(&kind.as_str())
                && scene.place.kind == "projects"
            {
                check("email", word("email").is_some_and(people::is_email));
                check("count", counted(context) == Some(1));
            }
        }
        "iam.serviceAccountKeys.create"
        | "iam.serviceAccountKeys.upload"
        | "iam.serviceAccountApiKeyBindings.create" => check("count", counted(context).is_some()),
        _ => {}
    }
    wrong
}

/// SPEC 8: fields that are read only where the effective value restricts.
fn restricted_context_flaws(permission: &str, scene: &Scene<'_>) -> BTreeSet<String> {
    let (world, node) = (scene.world, &scene.place.node);
    let context = scene.context;
    let mut wrong = BTreeSet::new();
    match permission {
        "iam.serviceAccountKeys.create" | "iam.serviceAccountKeys.upload"
            if constraints::longest_lifetime(world, node).is_some()
                && lifetime(context).is_none() =>
        {
            wrong.insert("context.lifetime".to_owned());
        }
        // SPEC 10.3
        _ if is_of_tokens(permission) && !permission.ends_with("implicitDelegation") => {
            let said = context.get("lifetime").is_some();
            if said && lifetime(context).is_none_or(|l| l > 43_200.0) {
                wrong.insert("context.lifetime".to_owned());
            }
        }
        "iam.workloadIdentityPoolProviders.create" | "iam.workloadIdentityPoolProviders.update" => {
            let restricts = |name: &str| constraints::values(world, name, node).restrict();
            if (restricts(PROVIDERS) || restricts(AWS)) && provider(context).is_none() {
                wrong.insert("context.issuer".to_owned());
                wrong.insert("context.aws_account".to_owned());
            }
        }
        "container.clusters.create"
            if constraints::enforced(world, CLUSTERS, node)
                && !context
                    .get("workload_identity")
                    .is_some_and(Value::is_boolean) =>
        {
            wrong.insert("context.workload_identity".to_owned());
        }
        _ => {}
    }
    wrong
}

const PROVIDERS: &str = "iam.workloadIdentityPoolProviders";
const AWS: &str = "iam.workloadIdentityPoolAwsAccounts";
const CLUSTERS: &str = "iam.disableWorkloadIdentityClusterCreation";

/// SPEC 8: what the effective values forbid.
fn is_constrained(permission: &str, owns: bool, scene: &Scene<'_>) -> bool {
    let (world, node, context) = (scene.world, &scene.place.node, scene.context);
    let on = |name: &str| constraints::enforced(world, name, node);
    match permission {
        CREATE => on("iam.disableServiceAccountCreation"),
        "iam.serviceAccountKeys.create" | "iam.serviceAccountKeys.upload" => {
            let switch = if permission.ends_with("create") {
                "iam.disableServiceAccountKeyCreation"
            } else {
                "iam.disableServiceAccountKeyUpload"
            };
            let longest = constraints::longest_lifetime(world, node);
            on(switch) || longest.is_some_and(|l| lifetime(context).unwrap() > l)
        }
        "iam.workloadIdentityPoolProviders.create" | "iam.workloadIdentityPoolProviders.update" => {
            let providers = constraints::values(world, PROVIDERS, node);
            let accounts = constraints::values(world, AWS, node);
            match provider(context) {
                Some((true, account)) => {
                    // FACTS B4.1: an AWS provider's issuer.
                    !providers.accept("https://sts.amazonaws.com") || !accounts.accept(&account)
                }
                Some((false, issuer)) => !providers.accept(&issuer),
                // Nothing restricts: nothing is read.
                None => false,
            }
        }
        "resourcemanager.projects.updateLiens" => {
            on("iam.restrictCrossProjectServiceAccountLienRemoval")
                && !is_granted_above(permission, owns, scene)
        }
        _ if is_of_tokens(permission) && !permission.ends_with("implicitDelegation") => {
            let account = world.account_named(node).unwrap();
            lifetime(context).is_some_and(|l| l > 3_600.0)
                && !constraints::may_live_longer(world, account)
        }
        "container.clusters.create" => {
            on(CLUSTERS) && context["workload_identity"] == Value::Bool(true)
        }
        _ => false,
    }
}

/// SPEC 8: whether a binding on the organization grants it, for the organization itself.
fn is_granted_above(permission: &str, owns: bool, scene: &Scene<'_>) -> bool {
    let organization = names::organization_of(&scene.place.node).unwrap();
    let place = Place {
        node: organization.clone(),
        kind: "organizations".to_owned(),
        exact: true,
    };
    let above = Scene {
        resource: &organization,
        place: &place,
        ..*scene
    };
    let ask = grants::Ask {
        world: scene.world,
        who: scene.who,
        permission,
        place: &place,
        owns,
        scene: &above,
    };
    grants::decide(&ask) == (true, "GRANTED_BY_POLICY")
}

/// SPEC 8: exactly one of `issuer` and `aws_account`; whether it is the latter.
fn provider(context: &Value) -> Option<(bool, String)> {
    match (context.get("issuer"), context.get("aws_account")) {
        (Some(Value::String(issuer)), None) if issuer.starts_with("https://") => {
            Some((false, issuer.clone()))
        }
        (None, Some(Value::String(account)))
            if account.len() == 12 && account.chars().all(|c| c.is_ascii_digit()) =>
        {
            Some((true, account.clone()))
        }
        _ => None,
    }
}

/// Seconds; `never` exceeds every limit.
fn lifetime(context: &Value) -> Option<f64> {
    let said = context.get("lifetime")?.as_str()?;
    if said == "never" {
        return Some(f64::INFINITY);
    }
    let (unit, whole) = match said.chars().last()? {
        's' => (1.0, false),
        'm' => (60.0, true),
        'h' => (3_600.0, true),
        _ => return None,
    };
    let number = &said[..said.len() - 1];
    let plain = number
        .chars()
        .all(|c| c.is_ascii_digit() || (c == '.' && !whole));
    let seconds = number.parse::<f64>().ok()? * unit;
    (plain && seconds > 0.0 && seconds <= 315_576_000_000.0).then_some(seconds)
}

/// What kind of account is to be made (SEMANTICS 5.4).
fn kind_of_account(context: &Value) -> Option<String> {
    let Some(said) = context.get("kind") else {
        return Some("USER_MANAGED".to_owned());
    };
    let word = said.as_str()?;
    let word = word.strip_prefix("ACCOUNT_KIND_").unwrap_or(word);
    ["USER_MANAGED", "DEFAULT", "SERVICE_AGENT"]
        .contains(&word)
        .then(|| word.to_owned())
}

/// SPEC 5.4: the duty that comes with an allowed creation: resource, role, member.
pub(crate) fn obligation(permission: &str, scene: &Scene<'_>) -> Option<(String, String, String)> {
    let node = &scene.place.node;
    let forbidden = constraints::enforced(
        scene.world,
        "iam.automaticIamGrantsForDefaultServiceAccounts",
        node,
    );
    let user_managed = || kind_of_account(scene.context).unwrap() == "USER_MANAGED";
    if permission != CREATE || scene.place.kind != "projects" || forbidden || user_managed() {
        return None;
    }
    let email = scene.context["email"]
        .as_str()
        .unwrap()
        .to_ascii_lowercase();
    Some((
        node.clone(),
        "roles/editor".to_owned(),
        format!("serviceAccount:{email}"),
    ))
}

fn wanted(context: &Value) -> String {
    context["visibility"]
        .as_str()
        .unwrap()
        .replace("VISIBILITY_", "")
}

/// SPEC 5.4: how many are to be created, if that is said well.
fn counted(context: &Value) -> Option<u64> {
    let Some(said) = context.get("count") else {
        return Some(1);
    };
    let said = said.as_f64()?;
    (1_u32..=1000)
        .find(|n| f64::from(*n) == said)
        .map(u64::from)
}

fn count(context: &Value) -> u64 {
    counted(context).unwrap()
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

fn create_account(world: &World, place: &Place, context: &Value) -> Gate {
    let organization = names::organization_of(&place.node).unwrap();
    match place.kind.as_str() {
        "teams" => deny_if(world.is_set(&organization, "disable_team_service_account_creation")),
        "projects" => {
            if kind_of_account(context).unwrap() != "USER_MANAGED" {
                return Gate::Pass;
            }
            let counted = world
                .accounts
                .iter()
                .filter(|a| a.living() && a.kind == "USER_MANAGED" && a.parent() == place.node);
            let quota = world.projects[&place.node].quota;
            let existing = u64::try_from(counted.count()).unwrap();
            if existing + count(context) > quota {
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
            let parent = account.parent();
            let same = names::at_or_below(attached, &parent);
            let enforced =
                constraints::enforced(world, "iam.disableCrossProjectServiceAccountUsage", &parent);
            deny_if(idle(account) || (enforced && !same))
        }
        _ => deny_if(idle(account)),
    }
}

fn idle(account: &Account) -> bool {
    account.disabled || !account.living()
}
