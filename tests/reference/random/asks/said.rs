//! What a question says besides: context, resource attributes, source address.

use std::net::IpAddr;

use serde_json::{Map, Value, json};

use crate::random::asks::GATED;
use crate::random::dice::Dice;
use crate::random::graph::cased;
use crate::random::stock::Stock;
use crate::reference::names;
use crate::reference::question::Subject;

pub(crate) fn attributes(dice: &Dice, stock: &Stock, subject: &Subject) -> Value {
    let mut map = Map::new();
    if dice.percent(40) {
        let colors = [
            json!("red"),
            json!("blue"),
            json!({ "deep": [1, true, null] }),
            json!({ "deep": "x" }),
            Value::Null,
        ];
        map.insert("color".to_owned(), dice.pick(&colors).clone());
    }
    if dice.percent(40) {
        let sizes = [json!(1), json!(2), json!(2.5), json!("2"), json!([2])];
        map.insert("size".to_owned(), dice.pick(&sizes).clone());
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

pub(crate) fn context(dice: &Dice, stock: &Stock, permission: &str, resource: &str) -> Value {
    let mut map = Map::new();
    let mut say = |field: &str, value: Value| map.insert(field.to_owned(), value);
    for (field, value) in for_conditions(dice) {
        say(field, value);
    }
    for (field, value) in for_constraints(dice, permission) {
        say(field, value);
    }
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
        if dice.percent(35) {
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

/// What conditions read: there, missing, or of another type.
fn for_conditions(dice: &Dice) -> Vec<(&'static str, Value)> {
    let mut fields = Vec::new();
    if dice.percent(60) {
        let levels = [
            json!(1),
            json!(2),
            json!(3.5),
            json!(5),
            json!("3"),
            Value::Null,
        ];
        fields.push(("level", dice.pick(&levels).clone()));
    }
    if dice.percent(60) {
        let modes = [json!("fast"), json!("slow"), json!("fast"), json!(7)];
        fields.push(("mode", dice.pick(&modes).clone()));
    }
    if dice.percent(60) {
        let flags = [json!(true), json!(false), json!("true")];
        fields.push(("flag", dice.pick(&flags).clone()));
    }
    if dice.percent(40) {
        let labels = [
            json!(["a", "b"]),
            json!(["b", 1]),
            json!({ "a": 1 }),
            json!("a"),
        ];
        fields.push(("labels", dice.pick(&labels).clone()));
    }
    fields
}

/// What the gates of SPEC 8 and 5.4 read.
fn for_constraints(dice: &Dice, permission: &str) -> Vec<(&'static str, Value)> {
    let mut fields = Vec::new();
    let mut say = |often: usize, field: &'static str, values: &[Value]| {
        if dice.percent(often) {
            fields.push((field, dice.pick(values).clone()));
        }
    };
    let bad = dice.percent(8);
    if permission.starts_with("iam.serviceAccountKeys.") {
        let good = ["3600s", "3601s", "24h", "0.5s", "20160m", "never"].map(|v| json!(v));
        let wrong = [
            json!("0s"),
            json!("-1s"),
            json!("soon"),
            json!(""),
            json!(true),
        ];
        say(90, "lifetime", if bad { &wrong } else { &good });
    }
    if permission.starts_with("iam.serviceAccounts.") {
        let good = ["3600s", "60m", "2h", "12h", "3600.5s"].map(|v| json!(v));
        let wrong = [json!("13h"), json!("never"), json!("0s"), json!(3600)];
        say(25, "lifetime", if bad { &wrong } else { &good });
    }
    if permission.starts_with("iam.workloadIdentityPoolProviders.") {
        let issuers = [
            "https://one.example",
            "https://two.example",
            "https://three.example",
        ];
        let issuers = issuers.map(|v| json!(v));
        let accounts = ["111111111111", "222222222222", "333333333333"].map(|v| json!(v));
        let aws = dice.percent(50);
        let neither = dice.percent(4);
        if !neither && (bad || !aws) {
            say(100, "issuer", &issuers);
        }
        if !neither && (bad || aws) {
            say(100, "aws_account", &accounts);
        }
    }
    if permission == "container.clusters.create" {
        let wrong = [json!("true"), Value::Null];
        let good = [json!(true), json!(false)];
        say(90, "workload_identity", if bad { &wrong } else { &good });
    }
    if permission == "iam.serviceAccounts.create" {
        let kinds = [
            "DEFAULT",
            "SERVICE_AGENT",
            "USER_MANAGED",
            "ACCOUNT_KIND_DEFAULT",
        ];
        let kinds = kinds.map(|v| json!(v));
        let wrong = [json!("default"), json!(1), Value::Null];
        say(75, "kind", if bad { &wrong } else { &kinds });
        let emails = [json!("New@svc.example"), json!("new@svc.example")];
        let wrong = [json!("new"), json!(7)];
        say(
            90,
            "email",
            if bad && dice.percent(50) {
                &wrong
            } else {
                &emails
            },
        );
    }
    fields
}

pub(crate) fn source_ip(dice: &Dice) -> Option<IpAddr> {
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
