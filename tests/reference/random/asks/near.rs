//! Questions about what is there: where the interesting answers are.

use serde_json::Value;

use crate::random::asks::{TEAMS, on_accounts};
use crate::random::dice::Dice;
use crate::random::rules;
use crate::random::stock::{Account, Stock};
use crate::reference::names;
use crate::reference::question::Subject;

/// Who, may do what (`None`: anything), where.
type Near = Option<(Subject, Option<String>, String)>;

/// Roles that carry administrative permissions into `RESTRICTED` projects (SPEC 4.2).
const CROSSING: [&str; 3] = ["roles/team.admin", "roles/org.admin", "roles/owner"];

/// A member of some binding, a permission that fits the role's name, and a resource at or
/// below the binding: where the interesting answers are.
pub(crate) fn a_binding(dice: &Dice, stock: &Stock) -> Near {
    let policies: Vec<&Value> = stock
        .entities
        .iter()
        .filter_map(|e| e.get("allow_policy"))
        .collect();
    if policies.is_empty() {
        return None;
    }
    let policy = *dice.pick(&policies);
    let binding = dice.pick(policy["bindings"].as_array()?);
    let mut member = dice
        .pick(binding["members"].as_array()?)
        .as_str()?
        .to_owned();
    while let Some(email) = member.strip_prefix("group:") {
        let group = stock.entities.iter().filter_map(|e| e.get("group"));
        let group = group.into_iter().find(|g| g["email"] == email)?;
        let members = group["members"].as_array()?;
        if members.is_empty() {
            return None;
        }
        member = dice.pick(members).as_str()?.to_owned();
    }
    let subject = match member.split_once(':') {
        Some(("user" | "serviceAccount" | "principal", _)) => member,
        Some(("principalSet", set)) if set.contains("/identityPools/") => {
            rules::federated(dice, stock)
        }
        _ if dice.percent(50) => format!("user:{}", dice.pick(&stock.users)),
        _ => format!("serviceAccount:{}", an_account(dice, stock).email),
    };
    let node = policy["resource"].as_str()?;
    let below = |n: &&String| names::at_or_below(n, node);
    let projects: Vec<String> = stock.projects.iter().filter(below).cloned().collect();
    let nodes: Vec<String> = stock.nodes().into_iter().filter(|n| below(&n)).collect();
    let far = !projects.is_empty() && dice.percent(75);
    let mut place = dice.pick(if far { &projects } else { &nodes }).clone();
    let role = binding["role"].as_str()?;
    // What crosses the barrier is worth a look.
    let closed: Vec<&String> = projects
        .iter()
        .filter(|p| stock.restricted.contains(p))
        .collect();
    if CROSSING.contains(&role) && !closed.is_empty() && dice.percent(50) {
        place = dice.pick(&closed).to_string();
    }
    let permission = near_a_role(dice, stock, role);
    let accounts = stock.accounts.iter().map(|a| a.name.clone());
    let accounts: Vec<String> = accounts.filter(|n| names::at_or_below(n, node)).collect();
    let place = match permission.as_deref() {
        Some(p) if on_accounts(p) && !accounts.is_empty() && dice.percent(85) => {
            dice.pick(&accounts).clone()
        }
        // What teams are asked for is asked of the team.
        Some(p) if p.contains(".teams.") && dice.percent(80) => {
            let teams: Vec<String> = stock.teams.iter().filter(below).cloned().collect();
            if teams.is_empty() {
                place
            } else {
                dice.pick(&teams).clone()
            }
        }
        _ => place,
    };
    Some((Subject::Principal(subject), permission, place))
}

/// A permission that the role carries, or one that a setting or an entity gives or takes.
fn near_a_role(dice: &Dice, stock: &Stock, role: &str) -> Option<String> {
    let team = role.starts_with("roles/team.") || role.starts_with("organizations/");
    if team && dice.percent(20) {
        return Some("resourcemanager.teams.inviteMembers".to_owned());
    }
    if role == "roles/org.admin" && dice.percent(50) {
        return Some(dice.pick(&TEAMS[..3]).to_string());
    }
    let added: Vec<&String> = stock.permissions[stock.built_in..].iter().collect();
    let basic = ["roles/owner", "roles/editor", "roles/viewer"].contains(&role);
    if !added.is_empty() && dice.percent(if basic { 60 } else { 15 }) {
        return Some(dice.pick(&added).to_string());
    }
    let carried = stock.carried.get(role).filter(|list| !list.is_empty())?;
    dice.percent(80).then(|| dice.pick(carried).clone())
}

/// An account, most often one that may act.
pub(crate) fn an_account<'a>(dice: &Dice, stock: &'a Stock) -> &'a Account {
    let first = dice.pick(&stock.accounts);
    if first.idle && dice.percent(70) {
        dice.pick(&stock.accounts)
    } else {
        first
    }
}

/// An account in a project below its own node (SPEC 5.1), and what may be done there.
pub(crate) fn home(dice: &Dice, stock: &Stock) -> Near {
    let account = an_account(dice, stock);
    let home = names::parent(&account.name)?;
    let below = |n: &&String| names::at_or_below(n, &home);
    let projects: Vec<String> = stock.projects.iter().filter(below).cloned().collect();
    if projects.is_empty() {
        return None;
    }
    let place = format!("{}{}", dice.pick(&projects), dice.pick(&["", "/runs/1"]));
    let permission = dice.pick(&stock.carried["roles/team.service"]).clone();
    let subject = format!("serviceAccount:{}?uid={}", account.email, account.uid);
    Some((Subject::Principal(subject), Some(permission), place))
}

/// Somebody whom a member string means, or may mean.
fn meant_by(dice: &Dice, stock: &Stock, member: &str) -> Option<String> {
    let mut member = member.to_owned();
    while let Some(email) = member.strip_prefix("group:") {
        let group = stock.entities.iter().filter_map(|e| e.get("group"));
        let group = group.into_iter().find(|g| g["email"] == email)?;
        let members = group["members"].as_array()?;
        if members.is_empty() {
            return None;
        }
        member = dice.pick(members).as_str()?.to_owned();
    }
    let user = || format!("user:{}", dice.pick(&stock.users));
    let account = || format!("serviceAccount:{}", an_account(dice, stock).email);
    Some(match member.split_once(':') {
        Some(("user" | "serviceAccount" | "principal", _)) => member,
        Some(("principalSet", set)) if set.contains("/identityPools/") => {
            let pool = set
                .trim_start_matches("//")
                .rsplit_once("/identityPools/")?;
            let id = pool.1.split('/').next()?;
            format!("principal://{}/identityPools/{id}/subject/s", pool.0)
        }
        Some(("principalSet", _)) => account(),
        Some(("domain", _)) if dice.percent(20) => "user:stranger@x.example".to_owned(),
        Some(("domain", _)) => user(),
        _ => match dice.below(5) {
            0..=1 => user(),
            2..=3 => account(),
            _ => "user:stranger@y.example".to_owned(),
        },
    })
}

/// The resource a gate wants at or below a node, or any.
fn fitting(dice: &Dice, stock: &Stock, permission: &str, node: &str) -> String {
    let accounts: Vec<String> = stock.accounts.iter().map(|a| a.name.clone()).collect();
    let all = if on_accounts(permission) {
        accounts
    } else if permission.contains(".teams.") {
        stock.teams.clone()
    } else if dice.percent(80) {
        stock.projects.clone()
    } else {
        stock.nodes()
    };
    let below: Vec<String> = all
        .into_iter()
        .filter(|n| names::at_or_below(n, node))
        .collect();
    if below.is_empty() {
        return node.to_owned();
    }
    let plain = dice.pick(&below).clone();
    if dice.percent(4) {
        format!("{plain}/runs/1")
    } else {
        plain
    }
}

/// A permission that the pattern of a deny rule covers.
fn covered(dice: &Dice, stock: &Stock, pattern: &str) -> Option<String> {
    let Some((service, rest)) = pattern.split_once('/') else {
        return Some(pattern.to_owned());
    };
    let (resource, verb) = rest.split_once('.')?;
    let fits = |p: &&String| {
        let parts: Vec<&str> = p.split('.').collect();
        parts[0] == service
            && (resource == "*" || resource == parts[1])
            && (verb == "*" || verb == parts[2])
    };
    let all: Vec<&String> = stock.permissions.iter().filter(fits).collect();
    (!all.is_empty()).then(|| dice.pick(&all).to_string())
}

pub(crate) fn a_deny(dice: &Dice, stock: &Stock) -> Near {
    if stock.denies.is_empty() {
        return None;
    }
    let policy = dice.pick(&stock.denies);
    let rule = dice.pick(policy["rules"].as_array()?);
    let one = |list: &Value| Some(dice.pick(list.as_array()?).as_str()?.to_owned());
    let whom = match rule.get("exception_principals") {
        Some(spared) if dice.percent(30) => one(spared)?,
        _ => one(&rule["denied_principals"])?,
    };
    let what = match rule.get("exception_permissions") {
        Some(spared) if dice.percent(30) => one(spared)?,
        _ => one(&rule["denied_permissions"])?,
    };
    let permission = covered(dice, stock, &what)?;
    let node = policy["attachment"].as_str()?;
    let place = fitting(dice, stock, &permission, node);
    let who = meant_by(dice, stock, &whom)?;
    Some((Subject::Principal(who), Some(permission), place))
}

pub(crate) fn a_boundary(dice: &Dice, stock: &Stock) -> Near {
    if stock.bound.is_empty() {
        return None;
    }
    let who = meant_by(dice, stock, dice.pick::<String>(&stock.bound))?;
    let place = dice.pick(&stock.nodes()).clone();
    Some((Subject::Principal(who), None, place))
}

/// What a constraint gates, where it is in force, by somebody who might.
pub(crate) fn a_constraint(dice: &Dice, stock: &Stock) -> Near {
    if stock.org_policies.is_empty() {
        return None;
    }
    let policy = dice.pick(&stock.org_policies);
    let mut permission = policy.permission.clone();
    if permission.ends_with("Keys.create") && dice.percent(40) {
        permission = "iam.serviceAccountKeys.upload".to_owned();
    }
    let place = fitting(dice, stock, &permission, &policy.attachment);
    let who = holder(dice, stock, &permission, &place)
        .unwrap_or_else(|| format!("user:{}", dice.pick(&stock.users)));
    Some((Subject::Principal(who), Some(permission), place))
}

/// Somebody whom a binding at or above the place gives the permission.
fn holder(dice: &Dice, stock: &Stock, permission: &str, place: &str) -> Option<String> {
    let above = names::upwards(place);
    let policies = stock.entities.iter().filter_map(|e| e.get("allow_policy"));
    let here = policies.filter(|p| above.iter().any(|n| p["resource"] == **n));
    let mut members = Vec::new();
    for policy in here {
        for binding in policy["bindings"].as_array()? {
            let role = binding["role"].as_str()?;
            let basic = ["roles/owner", "roles/editor"].contains(&role);
            let carried = stock.carried.get(role);
            if basic || carried.is_some_and(|list| list.iter().any(|p| p == permission)) {
                members.extend(binding["members"].as_array()?.iter().cloned());
            }
        }
    }
    if members.is_empty() {
        return None;
    }
    meant_by(dice, stock, dice.pick(&members).as_str()?)
}

/// By some of the accounts of a chain to the last one.
pub(crate) fn a_chain(dice: &Dice, stock: &Stock, delegates: &mut Vec<String>) -> Near {
    if stock.chains.is_empty() {
        return None;
    }
    let (caller, names) = dice.pick(&stock.chains);
    let length = dice.range(1, names.len());
    let (target, by) = names[..length].split_last()?;
    delegates.extend(by.iter().cloned());
    if dice.percent(6) && !delegates.is_empty() {
        delegates.remove(dice.below(delegates.len()));
    }
    if dice.percent(4) {
        delegates.push(dice.pick(&stock.accounts).name.clone());
    }
    let permission = if dice.percent(4) {
        "iam.serviceAccounts.actAs"
    } else {
        dice.pick(&[
            "iam.serviceAccounts.getAccessToken",
            "iam.serviceAccounts.getOpenIdToken",
            "iam.serviceAccounts.signBlob",
            "iam.serviceAccounts.signJwt",
            "iam.serviceAccounts.implicitDelegation",
        ])
    };
    let caller = Subject::Principal(caller.clone());
    Some((caller, Some(permission.to_owned()), target.clone()))
}
