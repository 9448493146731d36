//! Random allow policies: every node kind, every kind of role and member.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::random::conditions::Place;
use crate::random::dice::Dice;
use crate::random::graph::cased;
use crate::random::rules;
use crate::random::stock::Stock;
use crate::reference::names;

const ORGANIZATION: [&str; 3] = [
    "roles/org.member",
    "roles/org.admin",
    "roles/org.billingAdmin",
];
const TEAM: [&str; 4] = [
    "roles/team.viewer",
    "roles/team.member",
    "roles/team.admin",
    "roles/team.service",
];
const IAM: [&str; 12] = [
    "roles/viewer",
    "roles/editor",
    "roles/owner",
    "roles/iam.serviceAccountUser",
    "roles/iam.serviceAccountTokenCreator",
    "roles/iam.serviceAccountOpenIdTokenCreator",
    "roles/iam.workloadIdentityUser",
    "roles/iam.serviceAccountAdmin",
    "roles/iam.serviceAccountKeyAdmin",
    "roles/iam.serviceAccountApiKeyBindingAdmin",
    "roles/iam.serviceAccountCreator",
    "roles/orgpolicy.policyAdmin",
];

pub(crate) fn bind(dice: &Dice, stock: &mut Stock) {
    let chained = chains(dice, stock);
    for node in stock.nodes() {
        let mut bindings = chained.get(&node).cloned().unwrap_or_default();
        if dice.percent(75) {
            bindings.extend((0..dice.range(1, 4)).map(|_| binding(dice, stock, &node)));
        }
        if !bindings.is_empty() {
            let body = json!({ "allow_policy": { "resource": node, "bindings": bindings } });
            stock.entities.push(body);
        }
    }
}

/// Somebody may go by one account to another (SPEC 10.1); the bindings by node.
fn chains(dice: &Dice, stock: &mut Stock) -> BTreeMap<String, Vec<Value>> {
    let mut bindings: BTreeMap<String, Vec<Value>> = BTreeMap::new();
    for _ in 0..dice.below(3) {
        let mut from = match dice.below(4) {
            0 => rules::federated(dice, stock),
            1 => account_member(dice, stock),
            _ => format!("user:{}", dice.pick(&stock.users)),
        };
        let caller = from.clone();
        let mut names = Vec::new();
        for _ in 0..dice.range(2, 4) {
            let account = dice.pick(&stock.accounts).clone();
            let role = dice.weighted(&[
                (6, "roles/iam.serviceAccountTokenCreator"),
                (1, "roles/iam.workloadIdentityUser"),
            ]);
            let mut binding = json!({ "role": role, "members": [from] });
            if dice.percent(8) {
                binding["condition"] = rules::condition(dice, stock, Place::Rule);
            }
            bindings
                .entry(account.name.clone())
                .or_default()
                .push(binding);
            from = format!("serviceAccount:{}?uid={}", account.email, account.uid);
            names.push(account.name);
        }
        stock.chains.push((caller, names));
    }
    bindings
}

fn binding(dice: &Dice, stock: &Stock, node: &str) -> Value {
    let is_organization = stock.organizations.iter().any(|n| n == node);
    let is_project = stock.projects.iter().any(|n| n == node);
    let is_team = stock.teams.iter().any(|n| n == node);
    let built_in: &[&str] = match (is_organization, is_team || is_project) {
        (true, _) => &ORGANIZATION,
        (false, true) => &TEAM,
        (false, false) => &IAM,
    };
    // SPEC 3.4: at or below the owner; membership roles on teams and projects.
    let custom: Vec<(&str, bool)> = stock
        .roles
        .iter()
        .filter(|r| names::at_or_below(node, &r.owner))
        .filter(|r| !r.membership || is_team || is_project)
        .map(|r| (r.name.as_str(), r.membership))
        .collect();
    let (role, membership) = match dice.below(10) {
        0..=4 => {
            let role = *dice.pick(built_in);
            (
                role,
                !role.starts_with("roles/iam") && built_in.len() < IAM.len(),
            )
        }
        5..=6 if !custom.is_empty() => *dice.pick(&custom),
        _ => (*dice.pick(&IAM), false),
    };
    let mut members = Vec::new();
    for _ in 0..dice.range(1, 3) {
        let member = if membership {
            let add = is_project && role == "roles/team.service" && dice.percent(60);
            if add {
                explicit_add(dice, stock)
            } else {
                membership_member(dice, stock)
            }
        } else {
            any_member(dice, stock)
        };
        if !members.contains(&member) {
            members.push(member);
        }
    }
    let mut binding = json!({ "role": role, "members": members });
    // SPEC 7.3: neither on basic roles nor for everybody; SPEC 3.3: nor on membership roles.
    let basic = ["roles/owner", "roles/editor", "roles/viewer"].contains(&role);
    let everybody = members.iter().any(|m| m.starts_with("all"));
    if !membership && !basic && !everybody && dice.percent(40) {
        binding["condition"] = rules::condition(dice, stock, Place::Rule);
    }
    binding
}

/// `user:` or `group:`.
fn membership_member(dice: &Dice, stock: &Stock) -> String {
    match dice.below(10) {
        0..=5 => {
            let email = dice.pick(&stock.users).clone();
            format!("user:{}", cased(dice, &email))
        }
        6..=8 => format!("group:{}", dice.pick(&stock.groups)),
        _ => dice
            .weighted(&[(1, "user:gone@x.example"), (1, "group:gone@x.example")])
            .to_owned(),
    }
}

/// `serviceAccount:` of a project-level role.
fn explicit_add(dice: &Dice, stock: &Stock) -> String {
    let account = dice.pick(&stock.accounts).clone();
    if stock.is_shared(&account.email) || dice.percent(30) {
        return format!("serviceAccount:{}?uid={}", account.email, account.uid);
    }
    format!("serviceAccount:{}", cased(dice, &account.email))
}

/// One account, bare, with its uid, with a wrong uid, or as deleted.
pub(crate) fn account_member(dice: &Dice, stock: &Stock) -> String {
    let account = dice.pick(&stock.accounts).clone();
    let uid = if dice.percent(80) {
        account.uid.clone()
    } else {
        "uid-gone".to_owned()
    };
    if stock.is_shared(&account.email) || dice.percent(30) {
        return format!("serviceAccount:{}?uid={uid}", account.email);
    }
    format!("serviceAccount:{}", cased(dice, &account.email))
}

fn any_member(dice: &Dice, stock: &Stock) -> String {
    let node = dice.pick(&stock.nodes()).clone();
    let node = node.split("/serviceAccounts/").next().unwrap().to_owned();
    match dice.below(20) {
        0..=5 => membership_member(dice, stock),
        6..=9 => account_member(dice, stock),
        10 => {
            let account = dice.pick(&stock.accounts);
            format!(
                "deleted:serviceAccount:{}?uid={}",
                account.email, account.uid
            )
        }
        11 => format!(
            "domain:{}",
            dice.pick(&["x.example", "Y.example", "svc.example"])
        ),
        12 => "allUsers".to_owned(),
        13 => "allAuthenticatedUsers".to_owned(),
        14..=15 => format!("principalSet://{node}/type/ServiceAccount"),
        16 => format!("principalSet://{node}/type/ServiceAgent"),
        17 => rules::pool_set(dice, stock),
        18 => rules::federated(dice, stock),
        _ => format!("group:{}", dice.pick(&stock.groups)),
    }
}
