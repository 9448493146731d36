//! Random questions: mostly about things that are there, sometimes about things that are not.

use std::net::IpAddr;

use serde_json::{Map, Value, json};

use crate::random::dice::Dice;
use crate::random::graph::cased;
use crate::random::stock::{Account, Stock};
use crate::reference::question::{KeyQuestion, Question, Subject};
use crate::reference::{names, time};

/// Everything a gate reads (SPEC 6.3 step 5).
const GATED: [&str; 14] = [
    "resourcemanager.projects.setVisibility",
    "resourcemanager.projects.create",
    "models.runs.move",
    "models.runs.move",
    "iam.serviceAccounts.create",
    "iam.serviceAccountKeys.create",
    "iam.serviceAccountKeys.upload",
    "iam.serviceAccountApiKeyBindings.create",
    "iam.serviceAccountApiKeyBindings.create",
    "iam.serviceAccounts.actAs",
    "iam.serviceAccounts.getAccessToken",
    "iam.serviceAccounts.getOpenIdToken",
    "iam.serviceAccounts.signJwt",
    "iam.serviceAccounts.implicitDelegation",
];
const TEAMS: [&str; 6] = [
    "resourcemanager.teams.inviteMembers",
    "resourcemanager.teams.join",
    "resourcemanager.teams.setIamPolicy",
    "resourcemanager.projects.getIamPolicy",
    "resourcemanager.projects.get",
    "iam.serviceAccountKeys.disable",
];

/// Roles that carry administrative permissions into `RESTRICTED` projects (SPEC 4.2).
const CROSSING: [&str; 3] = ["roles/team.admin", "roles/org.admin", "roles/owner"];

pub(crate) fn now() -> i64 {
    time::seconds("2026-06-01T00:00:00Z")
}

pub(crate) fn question(dice: &Dice, stock: &Stock) -> Question {
    let mut permission = permission(dice, stock);
    let mut resource = resource(dice, stock, &permission);
    let mut subject = subject(dice, stock);
    let near = match dice.below(100) {
        0..=54 => close_to_a_binding(dice, stock),
        55..=66 => close_to_home(dice, stock),
        _ => None,
    };
    if let Some((who, what, place)) = near {
        (subject, resource) = (who, place);
        permission = what.unwrap_or(permission);
        if dice.percent(15) {
            permission = dice.pick(&GATED).to_string();
            resource = self::resource(dice, stock, &permission);
        }
    }
    // SPEC 1.4
    if dice.percent(6) {
        let organization = dice.pick(&stock.organizations);
        let rest = dice.pick(&[
            "",
            "/projects/p",
            "/projects/q",
            "/projects/p/runs/1",
            "/teams/t",
        ]);
        resource = format!("{organization}/teams/-{rest}");
    }
    let entity = (dice.percent(if resource.contains("/-") { 40 } else { 3 })).then(|| {
        match dice.below(10) {
            0 => "organizations/a/teams/gone".to_owned(),
            1 => dice
                .pick(&["organizations/a", "teams/t", "", "organizations/a/teams/-"])
                .to_string(),
            _ => dice.pick(&stock.teams).clone(),
        }
    });
    let attribution = dice.percent(20).then(|| match dice.below(6) {
        0 => "nobody".to_owned(),
        1..=2 => {
            let email = dice.pick(&stock.users).clone();
            cased(dice, &email)
        }
        _ => dice.pick(&stock.user_ids).0.replace("users/", ""),
    });
    Question {
        context: context(dice, stock, &permission, &resource),
        resource_attributes: attributes(dice, stock, &subject),
        subject,
        permission,
        resource,
        entity,
        attribution,
        delegates: if dice.percent(0) {
            vec!["organizations/a".to_owned()]
        } else {
            Vec::new()
        },
        source_ip: source_ip(dice),
        now: now(),
    }
}

/// A member of some binding, a permission that fits the role's name, and a resource at or
/// below the binding: where the interesting answers are.
fn close_to_a_binding(dice: &Dice, stock: &Stock) -> Option<(Subject, Option<String>, String)> {
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
        Some(("user" | "serviceAccount", _)) => member,
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
fn an_account<'a>(dice: &Dice, stock: &'a Stock) -> &'a Account {
    let first = dice.pick(&stock.accounts);
    if first.idle && dice.percent(70) {
        dice.pick(&stock.accounts)
    } else {
        first
    }
}

/// An account in a project below its own node (SPEC 5.1), and what may be done there.
fn close_to_home(dice: &Dice, stock: &Stock) -> Option<(Subject, Option<String>, String)> {
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

pub(crate) fn key_question(dice: &Dice, stock: &Stock) -> KeyQuestion {
    let permission = dice.percent(50).then(|| permission(dice, stock));
    let resource = dice.percent(60).then(|| {
        if dice.percent(12) {
            return format!("{}/teams/-/projects/p", dice.pick(&stock.organizations));
        }
        resource(dice, stock, permission.as_deref().unwrap_or_default())
    });
    KeyQuestion {
        key: key(dice, stock),
        permission,
        resource,
        source_ip: source_ip(dice),
        now: now(),
    }
}

fn key(dice: &Dice, stock: &Stock) -> String {
    let kind = dice.below(100);
    if kind < 3 || stock.keys.is_empty() {
        return "foreign_key_of_nobody_here".to_owned();
    }
    let good = dice.pick(&stock.keys).clone();
    match kind {
        // A wrong check sum, one byte too many, a character that no key has.
        3 => format!("{}x", good),
        4 => format!("{} ", good),
        5 => "pst_short_but_of_our_prefix".to_owned(),
        6 => "short".to_owned(),
        7 => "k".repeat(257),
        _ => good,
    }
}

fn subject(dice: &Dice, stock: &Stock) -> Subject {
    Subject::Principal(match dice.below(100) {
        0..=29 => {
            let email = dice.pick(&stock.users).clone();
            format!("user:{}", cased(dice, &email))
        }
        30..=54 => {
            let account = an_account(dice, stock).clone();
            let uid = if dice.percent(90) {
                account.uid
            } else {
                "uid-gone".to_owned()
            };
            if dice.percent(30) {
                format!("serviceAccount:{}?uid={uid}", account.email)
            } else {
                format!("serviceAccount:{}", cased(dice, &account.email))
            }
        }
        55..=81 => return Subject::Key(key(dice, stock)),
        82..=89 => return Subject::Anonymous,
        90..=92 => "user:stranger@x.example".to_owned(),
        93..=94 => "serviceAccount:stranger@svc.example".to_owned(),
        95 => "principal://organizations/a/identityPools/pool/subject/s".to_owned(),
        96 => "principal://organizations/gone/identityPools/pool/subject/s/t".to_owned(),
        97 => dice
            .pick(&["group:g0@groups.example", "allUsers", "user:ann", ""])
            .to_string(),
        98 => dice
            .pick(&["domain:x.example", "user:ann@x.example?uid=1", "ann"])
            .to_string(),
        _ => "deleted:serviceAccount:sa0@svc.example?uid=uid-sa0".to_owned(),
    })
}

fn permission(dice: &Dice, stock: &Stock) -> String {
    match dice.below(100) {
        0..=29 => dice.pick(&stock.permissions).clone(),
        30..=59 => {
            let product = |p: &&String| p.starts_with("models.") || p.starts_with("weave.");
            let all: Vec<String> = stock.permissions.iter().filter(product).cloned().collect();
            dice.pick(&all).clone()
        }
        60..=81 => dice.pick(&GATED).to_string(),
        82..=95 => dice.pick(&TEAMS).to_string(),
        96..=98 => dice
            .pick(&[
                "models.runs.fly",
                "nothing.at.all",
                "labels.batches.approve",
            ])
            .to_string(),
        _ => dice
            .pick(&["", "models.runs", "models.runs.*", "a.b.c.d", "models..get"])
            .to_string(),
    }
}

/// Whether the permission is asked on service accounts.
fn on_accounts(permission: &str) -> bool {
    permission.contains("serviceAccount") && permission != "iam.serviceAccounts.create"
}

fn resource(dice: &Dice, stock: &Stock, permission: &str) -> String {
    let fitting = match permission {
        "models.runs.move" | "resourcemanager.projects.setVisibility" => &stock.projects,
        "resourcemanager.projects.create" => &stock.teams,
        "iam.serviceAccounts.create" if dice.percent(50) => &stock.projects,
        "iam.serviceAccounts.create" => &stock.teams,
        _ if permission.contains(".teams.") && dice.percent(60) => &stock.teams,
        _ if permission.starts_with("models.") || permission.starts_with("weave.") => {
            &stock.projects
        }
        _ => &stock.organizations,
    };
    match dice.below(100) {
        0..=49 if on_accounts(permission) => dice.pick(&stock.accounts).name.clone(),
        0..=49 if !fitting.is_empty() => dice.pick(fitting).clone(),
        0..=74 => dice.pick(&stock.nodes()).clone(),
        75..=84 => {
            let node = dice.pick(&stock.nodes()).clone();
            format!(
                "{node}{}",
                dice.pick(&["/runs/1", "/artifacts/x/versions/2", "/groups/g0"])
            )
        }
        85..=88 if !stock.key_names.is_empty() => dice.pick(&stock.key_names).clone(),
        85..=93 => {
            let node = dice.pick(&stock.nodes()).clone();
            let missing = [
                "/teams/gone",
                "/projects/gone",
                "/serviceAccounts/gone",
                "/keys/gone",
            ];
            format!("{node}{}", dice.pick(&missing))
        }
        94 => format!("{}/runs/1/projects/p", dice.pick(&stock.nodes())),
        95 => "users/ann".to_owned(),
        96 => "organizations/gone/teams/t".to_owned(),
        97 => format!("{}/teams/x/teams/-", dice.pick(&stock.organizations)),
        98 => {
            let ends = ["/", "//runs/1", "/runs", "/runs/%41"];
            format!("{}{}", dice.pick(&stock.nodes()), dice.pick(&ends))
        }
        _ => dice
            .pick(&[
                "",
                "/",
                "organizations/-",
                "organizations/a/runs/..",
                "organizations/ä",
            ])
            .to_string(),
    }
}

fn attributes(dice: &Dice, stock: &Stock, subject: &Subject) -> Value {
    let mut map = Map::new();
    if dice.percent(20) {
        map.insert("color".to_owned(), json!({ "deep": [1, true, null] }));
    }
    if dice.percent(45) {
        let created_by = match (subject, dice.below(20)) {
            (Subject::Principal(caller), 0..=9) => json!(caller),
            (_, other) => created_by(dice, stock, other),
        };
        map.insert("created_by".to_owned(), created_by);
    }
    Value::Object(map)
}

fn created_by(dice: &Dice, stock: &Stock, which: usize) -> Value {
    match which {
        0..=9 => {
            let email = dice.pick(&stock.users).clone();
            json!(format!("user:{}", cased(dice, &email)))
        }
        10..=17 => {
            let account = dice.pick(&stock.accounts).clone();
            json!(match dice.below(4) {
                0 => format!("serviceAccount:{}?uid={}", account.email, account.uid),
                1 => format!(
                    "deleted:serviceAccount:{}?uid={}",
                    account.email, account.uid
                ),
                _ => format!("serviceAccount:{}", account.email),
            })
        }
        18 => json!("principal://organizations/a/identityPools/pool/subject/s"),
        _ => [
            json!("ann"),
            json!(7),
            json!("group:g0@groups.example"),
            Value::Null,
        ][dice.below(4)]
        .clone(),
    }
}

fn context(dice: &Dice, stock: &Stock, permission: &str, resource: &str) -> Value {
    let mut map = Map::new();
    let mut say = |field: &str, value: Value| map.insert(field.to_owned(), value);
    if GATED.contains(&permission) || dice.percent(5) {
        let bad = dice.percent(6);
        if !dice.percent(4) {
            let word = dice.pick(&["TEAM", "RESTRICTED", "PUBLIC", "OPEN", "VISIBILITY_OPEN"]);
            say("visibility", if bad { json!("team") } else { json!(word) });
        }
        if !dice.percent(4) {
            let name = match dice.below(12) {
                0 => "organizations/a/projects/gone".to_owned(),
                1 if bad => "organizations/a/teams/-/projects/p".to_owned(),
                2 if bad => dice.pick(&stock.teams).clone(),
                _ if stock.projects.is_empty() => "organizations/a/projects/gone".to_owned(),
                _ => dice.pick(&stock.projects).clone(),
            };
            say(
                "destination",
                if bad && dice.percent(30) {
                    json!(1)
                } else {
                    json!(name)
                },
            );
        }
        if dice.percent(50) {
            let count = if dice.percent(60) {
                dice.range(1, 4)
            } else {
                dice.range(1, 120)
            };
            let wrong = [
                json!(0),
                json!(1.5),
                json!("1"),
                json!(1001),
                Value::Null,
                json!(-1),
            ];
            say(
                "count",
                if bad {
                    dice.pick(&wrong).clone()
                } else {
                    json!(count)
                },
            );
        }
        if !dice.percent(4) {
            let node = dice.pick(&stock.nodes()).clone();
            let near = names::parent(resource).unwrap_or_else(|| node.clone());
            let name = match dice.below(10) {
                0..=5 => format!("{near}/instances/1"),
                6 => near,
                _ => node,
            };
            let bad = bad && permission.ends_with("actAs");
            say(
                "attached_resource",
                if bad { json!("/x") } else { json!(name) },
            );
        }
    }
    Value::Object(map)
}

fn source_ip(dice: &Dice) -> Option<IpAddr> {
    let text = dice.weighted(&[
        (4, ""),
        (3, "10.1.2.3"),
        (2, "192.0.2.7"),
        (2, "192.0.2.200"),
        (2, "2001:db8:1::1"),
        (2, "::ffff:10.9.9.9"),
        (1, "203.0.113.1"),
    ]);
    text.parse().ok()
}
