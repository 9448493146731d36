//! Random deny policies, access boundaries, identity pools and organization policies.

use serde_json::{Value, json};

use crate::random::conditions::{self, Place};
use crate::random::dice::Dice;
use crate::random::graph::{add, cased};
use crate::random::policies;
use crate::random::stock::{OrgPolicy, Stock};
use crate::reference::names;

/// Constraints that are on or off, and what they gate.
pub(crate) const SWITCHES: [(&str, &str); 10] = [
    (
        "iam.disableServiceAccountCreation",
        "iam.serviceAccounts.create",
    ),
    (
        "iam.disableServiceAccountKeyCreation",
        "iam.serviceAccountKeys.create",
    ),
    (
        "iam.disableServiceAccountKeyUpload",
        "iam.serviceAccountKeys.upload",
    ),
    (
        "iam.disableCrossProjectServiceAccountUsage",
        "iam.serviceAccounts.actAs",
    ),
    (
        "iam.restrictCrossProjectServiceAccountLienRemoval",
        "resourcemanager.projects.updateLiens",
    ),
    // More often, for their questions seldom come to them.
    (
        "iam.automaticIamGrantsForDefaultServiceAccounts",
        "iam.serviceAccounts.create",
    ),
    (
        "iam.automaticIamGrantsForDefaultServiceAccounts",
        "iam.serviceAccounts.create",
    ),
    (
        "iam.disableCrossProjectServiceAccountUsage",
        "iam.serviceAccounts.actAs",
    ),
    (
        "iam.disableCrossProjectServiceAccountUsage",
        "iam.serviceAccounts.actAs",
    ),
    (
        "iam.disableWorkloadIdentityClusterCreation",
        "container.clusters.create",
    ),
];
/// Constraints with lists, what they gate, and values.
pub(crate) const LISTS: [(&str, &str, &[&str]); 5] = [
    (
        "iam.serviceAccountKeyExpiryHours",
        "iam.serviceAccountKeys.create",
        &["1h", "8h", "24h", "2160h"],
    ),
    (
        "iam.serviceAccountKeyExposureResponse",
        "models.runs.get",
        &["DISABLE_KEY", "WAIT_FOR_ABUSE", "WAIT_FOR_ABUSE"],
    ),
    (
        "iam.workloadIdentityPoolProviders",
        "iam.workloadIdentityPoolProviders.create",
        &[
            "https://one.example",
            "https://two.example",
            "https://sts.amazonaws.com",
        ],
    ),
    (
        "iam.workloadIdentityPoolAwsAccounts",
        "iam.workloadIdentityPoolProviders.update",
        &["111111111111", "222222222222"],
    ),
    (
        "iam.allowServiceAccountCredentialLifetimeExtension",
        "iam.serviceAccounts.getAccessToken",
        &[
            "sa0@svc.example",
            "SA1@svc.example",
            "sa2@svc.example",
            "sa3@svc.example",
        ],
    ),
];

/// Before policies and groups, which name them.
pub(crate) fn pools(dice: &Dice, stock: &mut Stock) {
    let mut owners = stock.organizations.clone();
    owners.extend(stock.projects.iter().filter(|_| dice.percent(15)).cloned());
    for owner in owners {
        if !dice.percent(80) {
            continue;
        }
        let name = format!("{owner}/identityPools/pool");
        let mut body = json!({ "name": name });
        match dice.below(10) {
            0 => body["disabled"] = json!(true),
            1 => body["deleted_at"] = json!("2026-05-20T00:00:00Z"),
            _ => {}
        }
        add(stock, "identity_pool", body);
        stock.pools.push(name);
    }
}

/// A subject of a pool, there or not.
pub(crate) fn federated(dice: &Dice, stock: &Stock) -> String {
    let gone = "organizations/a/identityPools/gone".to_owned();
    let pool = if stock.pools.is_empty() || dice.percent(10) {
        &gone
    } else {
        dice.pick(&stock.pools)
    };
    format!(
        "principal://{pool}/subject/{}",
        dice.pick(&["s", "t", "s/t"])
    )
}

/// All subjects of a pool, or those of a group or an attribute.
pub(crate) fn pool_set(dice: &Dice, stock: &Stock) -> String {
    let one = federated(dice, stock);
    let pool = one.trim_start_matches("principal://");
    let pool = pool.split("/subject/").next().unwrap();
    let set = dice.pick(&["*", "*", "group/g", "attribute.env/prod"]);
    format!("principalSet://{pool}/{set}")
}

pub(crate) fn condition(dice: &Dice, stock: &Stock, place: Place) -> Value {
    json!({ "expression": conditions::condition(dice, stock, place) })
}

/// Somebody who is denied or bound, seldom everybody.
fn stopped(dice: &Dice, stock: &Stock) -> String {
    let node = dice.pick(&stock.containers()).clone();
    match dice.below(40) {
        0..=9 => {
            let email = dice.pick(&stock.users).clone();
            format!("user:{}", cased(dice, &email))
        }
        10..=15 => policies::account_member(dice, stock),
        16..=22 => format!("group:{}", dice.pick(&stock.groups)),
        23..=24 => format!(
            "domain:{}",
            dice.pick(&["x.example", "Y.example", "svc.example"])
        ),
        25 => "allUsers".to_owned(),
        26 => "allAuthenticatedUsers".to_owned(),
        27..=28 => format!("principalSet://{node}/type/ServiceAccount"),
        29 => format!("principalSet://{node}/type/ServiceAgent"),
        30..=31 => federated(dice, stock),
        32..=34 => pool_set(dice, stock),
        35 => "user:Stranger@x.example".to_owned(),
        36 => "serviceAccount:stranger@svc.example".to_owned(),
        37 => {
            let account = dice.pick(&stock.accounts);
            format!(
                "deleted:serviceAccount:{}?uid={}",
                account.email, account.uid
            )
        }
        38 => "serviceAccount:sa0@svc.example?uid=uid-gone".to_owned(),
        _ => "user:gone@x.example".to_owned(),
    }
}

fn some(dice: &Dice, most: usize, mut one: impl FnMut() -> String) -> Vec<String> {
    let mut list: Vec<String> = (0..dice.range(1, most)).map(|_| one()).collect();
    list.sort();
    list.dedup();
    list
}

/// A name, or a wildcard over it.
fn pattern(dice: &Dice, stock: &Stock, wide: usize) -> String {
    let name = dice.pick(&stock.permissions);
    let parts: Vec<&str> = name.split('.').collect();
    if !dice.percent(wide) {
        return name.clone();
    }
    match dice.below(7) {
        0 => format!("{}/*.*", parts[0]),
        1..=3 => format!("{}/*.{}", parts[0], parts[2]),
        _ => format!("{}/{}.*", parts[0], parts[1]),
    }
}

pub(crate) fn denies(dice: &Dice, stock: &mut Stock) {
    for node in stock.containers() {
        for id in ["d", "e"] {
            if !dice.percent(12) {
                continue;
            }
            let rules: Vec<Value> = (0..dice.range(1, 2)).map(|_| rule(dice, stock)).collect();
            let body = json!({
                "name": format!("{node}/denyPolicies/{id}"), "attachment": node, "rules": rules,
            });
            stock.denies.push(body.clone());
            add(stock, "deny_policy", body);
        }
    }
}

fn rule(dice: &Dice, stock: &Stock) -> Value {
    let mut rule = json!({
        "denied_principals": some(dice, 3, || stopped(dice, stock)),
        "denied_permissions": some(dice, 4, || pattern(dice, stock, 60)),
    });
    if dice.percent(50) {
        // Many are denied, so that some can be spared.
        let node = dice.pick(&stock.organizations);
        let many = [
            "allUsers".to_owned(),
            "allAuthenticatedUsers".to_owned(),
            "domain:x.example".to_owned(),
            format!("principalSet://{node}/type/ServiceAccount"),
        ];
        rule["denied_principals"] = json!([dice.pick(&many)]);
        let spared = || loop {
            let one = stopped(dice, stock);
            if one != "allUsers" {
                return one;
            }
        };
        rule["exception_principals"] = json!(some(dice, 2, spared));
    }
    if dice.percent(40) {
        rule["exception_permissions"] = json!(some(dice, 3, || pattern(dice, stock, 70)));
    }
    if dice.percent(45) {
        rule["condition"] = condition(dice, stock, Place::Rule);
    }
    rule
}

pub(crate) fn boundaries(dice: &Dice, stock: &mut Stock) {
    for organization in stock.organizations.clone() {
        let below = |n: &String| names::at_or_below(n, &organization);
        let nodes: Vec<String> = stock.nodes().into_iter().filter(below).collect();
        for number in 0..dice.below(3) {
            let name = format!("{organization}/accessBoundaries/b{number}");
            let resources = some(dice, 3, || match dice.below(12) {
                0 => format!("{organization}/teams/gone"),
                _ => dice.pick(&nodes).clone(),
            });
            let mut body = json!({ "name": name, "resources": resources });
            if dice.percent(40) {
                let values = some(dice, 60, || dice.pick(&stock.permissions).clone());
                body["permissions"] = json!({ "values": values });
            }
            add(stock, "access_boundary", body);
        }
        for number in 0..*dice.pick(&[0, 0, 1, 1, 2]) {
            let boundary = match dice.below(12) {
                0 => "gone".to_owned(),
                n => format!("b{}", n % 2),
            };
            let mut body = json!({
                "name": format!("{organization}/accessBoundaryBindings/c{number}"),
                "boundary": format!("{organization}/accessBoundaries/{boundary}"),
                "principal_set": stopped(dice, stock),
            });
            if dice.percent(40) {
                body["condition"] = condition(dice, stock, Place::Boundary);
            }
            stock
                .bound
                .push(body["principal_set"].as_str().unwrap().to_owned());
            add(stock, "access_boundary_binding", body);
        }
    }
}

pub(crate) fn org_policies(dice: &Dice, stock: &mut Stock) {
    for node in stock.containers() {
        for _ in 0..dice.below(4) {
            let (constraint, permission, mut body) = if dice.percent(55) {
                let (name, permission) = *dice.pick(&SWITCHES);
                let enforced = dice.percent(60);
                (
                    name,
                    permission,
                    json!({ "boolean": { "enforced": enforced } }),
                )
            } else {
                let (name, permission, values) = *dice.pick(&LISTS);
                (name, permission, list(dice, name, values))
            };
            let name = format!("{node}/orgPolicies/{constraint}");
            let taken = stock.org_policies.iter().any(|p| p.name == name);
            // It is read on the account's own project.
            let misplaced = constraint == "iam.disableCrossProjectServiceAccountUsage"
                && !stock.projects.contains(&node);
            if taken || misplaced {
                continue;
            }
            if dice.percent(10) {
                body = json!({ "reset": true });
            }
            body["name"] = json!(name);
            body["attachment"] = json!(node);
            body["constraint"] = json!(constraint);
            add(stock, "org_policy", body);
            stock.org_policies.push(OrgPolicy {
                name,
                attachment: node.clone(),
                permission: permission.to_owned(),
            });
        }
    }
}

fn list(dice: &Dice, constraint: &str, values: &[&str]) -> Value {
    let choice = [
        "iam.serviceAccountKeyExpiryHours",
        "iam.serviceAccountKeyExposureResponse",
    ];
    if choice.contains(&constraint) {
        return json!({ "list": { "allow": { "values": [dice.pick(values)] } } });
    }
    let few = || {
        let few: Vec<&&str> = values.iter().filter(|_| dice.percent(50)).collect();
        json!({ "values": few })
    };
    let mut list = json!({});
    let any = json!({ "any": true });
    if dice.percent(70) {
        list["allow"] = if dice.percent(20) { any.clone() } else { few() };
    }
    if list.get("allow").is_none() || dice.percent(30) {
        list["deny"] = if dice.percent(10) { any } else { few() };
    }
    let mut body = json!({ "list": list });
    if dice.percent(40) {
        body["inherit_from_parent"] = json!(true);
    }
    body
}
