//! The golden table of organization policies: every constraint in every case of inheritance.
//! `tests/golden/constraints.json` is the data: a tree, the cases, and what is asked of each
//! constraint. `UPDATE_GOLDEN=1 cargo test --test constraints` writes the table anew; its diff
//! is the review.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::disallowed_methods,
    reason = "a test fails by panicking, and reads whether to write"
)]

#[expect(clippy::allow_attributes, reason = "no test uses all of it")]
#[allow(
    dead_code,
    unreachable_pub,
    clippy::expect_used,
    clippy::panic,
    clippy::disallowed_methods,
    reason = "shared"
)]
mod support;

#[path = "constraints/process.rs"]
mod process;

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;
use std::time::Duration;

use postern::credential::api_key;
use postern::decide;
use postern::graph::snapshot::Snapshot;
use postern::graph::{self, Options};
use postern::model::constraint::{Constraint, Form};
use postern::model::outcome::{Answer, Effect, Obligation};
use postern::model::query::{KeyQuery, Query, Subject, UnixTime};
use postern::model::value::{Struct, Value};
use postern::wire::org_policy;
use postern::wire::proto::postern::v1;
use postern::wire::proto::postern::v1::effective_org_policy::Value as Told;
use postern::wire::{feed, words};
use serde::Deserialize;
use serde_json::{Map, Value as Json, json};
use sha2::{Digest as _, Sha256};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Data {
    tree: Vec<Json>,
    cases: Vec<(String, BTreeMap<String, String>)>,
    constraints: Vec<Asked>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Asked {
    constraint: String,
    /// Two values of a list constraint.
    a: Option<String>,
    b: Option<String>,
    asks: Vec<Ask>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Ask {
    #[serde(default)]
    who: Option<String>,
    #[serde(default)]
    may: String,
    #[serde(default)]
    on: String,
    #[serde(default)]
    context: Map<String, Json>,
    /// A key to verify, instead of the rest.
    key: Option<String>,
}

fn data() -> Data {
    serde_json::from_str(include_str!("golden/constraints.json")).unwrap()
}

/// `p/x` of a case as the name of the tree.
fn name(short: &str) -> String {
    let (node, rest) = short.split_at(1);
    let full = match node {
        "o" => "organizations/o",
        "t" => "organizations/o/teams/t",
        "p" => "organizations/o/teams/t/projects/p",
        "q" => "organizations/o/teams/t/projects/q",
        other => panic!("no node {other}"),
    };
    format!("{full}{rest}")
}

/// A policy in short: what is allowed (`a`, `ab`, `any`, `none`), after `-` what is denied, at
/// the end `+` for one that inherits. Of a switch `a` is on and `b` off.
fn policy(asked: &Asked, node: &str, text: &str) -> Json {
    let mut policy = json!({
        "name": format!("{}/orgPolicies/{}", name(node), asked.constraint),
        "attachment": name(node),
        "constraint": asked.constraint,
    });
    let body = text.trim_end_matches('+');
    if body != text {
        policy["inherit_from_parent"] = true.into();
    }
    if body == "reset" {
        policy["reset"] = true.into();
    } else if asked.a.is_none() {
        policy["boolean"] = json!({"enforced": body == "a"});
    } else {
        let (allow, deny) = body.split_once('-').unwrap_or((body, ""));
        let (inherits, only_denied) = (body != text, body.starts_with('-'));
        let mut list = Map::new();
        if !(allow.is_empty() && (inherits || only_denied)) || body.is_empty() {
            list.insert("allow".to_owned(), values(asked, allow));
        }
        if !deny.is_empty() {
            list.insert("deny".to_owned(), values(asked, deny));
        }
        policy["list"] = list.into();
    }
    json!({ "org_policy": policy })
}

fn values(asked: &Asked, text: &str) -> Json {
    let of = |letter| match letter {
        'a' => asked.a.clone().unwrap(),
        _ => asked.b.clone().unwrap(),
    };
    match text {
        "any" => json!({"any": true}),
        "none" => json!({"values": []}),
        letters => json!({"values": letters.chars().map(of).collect::<Vec<String>>()}),
    }
}

fn build(data: &Data, policies: Vec<Json>) -> Result<Snapshot, String> {
    let mut entities = data.tree.clone();
    for entity in &mut entities {
        if let Some(Json::String(text)) = entity.pointer_mut("/key/api_key/sha256") {
            let digest = Sha256::digest(text.as_bytes());
            *text = digest.iter().map(|b| format!("{b:02x}")).collect();
        }
    }
    entities.extend(policies);
    let file = json!({ "entities": entities }).to_string();
    let document = feed::decode_one("case.json", file.as_bytes()).unwrap();
    let built = graph::build(&document, None, &Options::default());
    let one = |issue: &graph::issue::Issue| {
        let field = issue.path.rsplit(']').next().unwrap_or_default();
        format!("{} {}", issue.code.word(), field.trim_start_matches('.'))
    };
    built
        .map(|built| built.snapshot)
        .map_err(|issues| issues.list().iter().map(one).collect::<Vec<_>>().join(", "))
}

/// What holds at a node, and by which policies.
fn told(snapshot: &Snapshot, constraint: &str, node: &str) -> String {
    let request = v1::GetEffectiveOrgPolicyRequest {
        resource: name(node),
        constraint: constraint.to_owned(),
    };
    let answer = org_policy::answer(snapshot, Duration::ZERO, request).unwrap();
    let [policy] = answer.policies.as_slice() else {
        panic!("one policy was asked for");
    };
    let list = |any: bool, values: &[String]| match any {
        true => "any".to_owned(),
        false => format!("[{}]", values.join(" ")),
    };
    let mut text = match policy.value.as_ref().unwrap() {
        Told::Enforced(true) => "on".to_owned(),
        Told::Enforced(false) => "off".to_owned(),
        Told::Values(values) => {
            let mut text = list(values.any_allowed, &values.allowed);
            if values.any_denied || !values.denied.is_empty() {
                write!(text, " but {}", list(values.any_denied, &values.denied)).unwrap();
            }
            text
        }
    };
    if !policy.restricts {
        text.push_str(", free");
    }
    let suffix = format!("/orgPolicies/{constraint}");
    let nodes = policy.policies.iter().map(|policy| {
        let node = policy.strip_suffix(&suffix).unwrap();
        node.rsplit('/').next().unwrap()
    });
    let mut by: Vec<&str> = nodes.collect();
    match policy.source() {
        v1::OrgPolicySource::Policy => {}
        v1::OrgPolicySource::Default if by.is_empty() => by.push("default"),
        v1::OrgPolicySource::Default => by.push("(reset)"),
        v1::OrgPolicySource::PolicyAndDefault => by.push("default"),
        v1::OrgPolicySource::Unspecified => panic!("no source"),
    }
    format!("{text} <- {}", by.join(" "))
}

fn plain(json: &Json) -> Value {
    match json {
        Json::Null => Value::Null,
        Json::Bool(value) => Value::Bool(*value),
        Json::Number(value) => Value::Number(value.as_f64().unwrap()),
        Json::String(value) => Value::String(value.clone()),
        Json::Array(_) | Json::Object(_) => panic!("no nested context here"),
    }
}

fn answer(snapshot: &Snapshot, ask: &Ask) -> String {
    if let Some(key) = &ask.key {
        let digests = api_key::digest(key, None);
        let query = KeyQuery {
            digests: &digests,
            source_ip: None,
            permission: None,
            resource: None,
        };
        let code = decide::verify_key(snapshot, &query, UnixTime(1))
            .unwrap()
            .code;
        return code.word().to_owned();
    }
    let context = ask
        .context
        .iter()
        .map(|(name, value)| (name.clone(), plain(value)));
    let (context, resource) = (Struct(context.collect()), name(&ask.on));
    let query = Query {
        subject: Subject::Principal(ask.who.as_deref().unwrap_or("user:own@x.example")),
        permission: &ask.may,
        resource: &resource,
        context: &context,
        ..Query::EMPTY
    };
    let decision = match decide::authorize(snapshot, &query, UnixTime(1)) {
        Answer::Invalid(violation) => return format!("INVALID {}", violation.field),
        Answer::Decided(decision) => decision,
    };
    if decision.effect == Effect::Deny {
        let reason = words::reason(decision.reason).as_str_name();
        return format!("DENY {}", reason.trim_start_matches("REASON_"));
    }
    match decision.obligation.as_deref() {
        None => "ALLOW".to_owned(),
        Some(Obligation::GrantRole { role, email }) => {
            format!(
                "ALLOW, then grant {role} to {email} on {}",
                decision.resource
            )
        }
    }
}

fn question(ask: &Ask) -> String {
    if let Some(key) = &ask.key {
        return format!("verify {key}");
    }
    let who = ask.who.as_deref().map(|who| format!("{who}: "));
    let context = serde_json::to_string(&ask.context).unwrap();
    let context = if ask.context.is_empty() {
        ""
    } else {
        context.as_str()
    };
    let text = format!(
        "{}{} on {} {context}",
        who.unwrap_or_default(),
        ask.may,
        ask.on
    );
    text.trim_end().to_owned()
}

fn render(data: &Data) -> String {
    let mut table = "\
# Every constraint in every case of inheritance. Data: tests/golden/constraints.json.
#
# o is an organization, t its team, p and q projects of the team. A case says which policy is
# attached where. Then for each node what GetEffectiveOrgPolicy tells: the value, `free` if it
# stops nothing, and after `<-` the policies that make it. Then the answers, by number.
"
    .to_owned();
    for asked in &data.constraints {
        writeln!(table, "\n## {}\n", asked.constraint).unwrap();
        for (number, ask) in asked.asks.iter().enumerate() {
            writeln!(table, "{}. {}", number + 1, question(ask)).unwrap();
        }
        for (case, policies) in &data.cases {
            // A switch has no lists to merge or deny.
            let switch = |text: &String| ["a", "b", "reset"].contains(&text.as_str());
            if asked.a.is_none() && !policies.values().all(switch) {
                continue;
            }
            let set: Vec<String> = policies.iter().map(|(n, t)| format!("{n}: {t}")).collect();
            writeln!(table, "\n{case} ({})", set.join(", ")).unwrap();
            let list = policies
                .iter()
                .map(|(node, text)| policy(asked, node, text));
            let snapshot = match build(data, list.collect()) {
                Ok(snapshot) => snapshot,
                Err(issues) => {
                    writeln!(table, "  refused: {issues}").unwrap();
                    continue;
                }
            };
            for node in ["o", "t", "p"] {
                let told = told(&snapshot, &asked.constraint, node);
                writeln!(table, "  {node}  {told}").unwrap();
            }
            let mut answers: BTreeMap<String, Vec<String>> = BTreeMap::new();
            for (number, ask) in asked.asks.iter().enumerate() {
                let number = (number + 1).to_string();
                answers
                    .entry(answer(&snapshot, ask))
                    .or_default()
                    .push(number);
            }
            for (answer, numbers) in answers {
                writeln!(table, "  {}: {answer}", numbers.join(" ")).unwrap();
            }
        }
    }
    table
}

// SPEC 8: every constraint, every case of inheritance, what it gates, and with which context.
#[test]
fn every_constraint_holds_as_the_golden_table_says() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/constraints.txt");
    let now = render(&data());
    if std::env::var("UPDATE_GOLDEN").is_ok() {
        std::fs::write(&path, &now).unwrap();
    }
    let golden = std::fs::read_to_string(&path).unwrap_or_default();
    let differs = now
        .lines()
        .zip(golden.lines())
        .find(|(now, then)| now != then);
    assert!(
        golden == now,
        "the golden table differs, first (now, before) at {differs:?}; see the diff, then \
         UPDATE_GOLDEN=1"
    );
}

#[test]
fn the_table_has_every_constraint_with_values_of_its_form() {
    let data = data();
    let names: Vec<&str> = data
        .constraints
        .iter()
        .map(|c| c.constraint.as_str())
        .collect();
    assert_eq!(names, Constraint::ALL.map(Constraint::name));
    for (asked, constraint) in data.constraints.iter().zip(Constraint::ALL) {
        let is_list = matches!(constraint.form(), Form::List { .. });
        assert_eq!((asked.a.is_some(), asked.b.is_some()), (is_list, is_list));
    }
}

// SPEC 15: what cannot be answered is said, each wrong field by its name.
#[test]
fn an_effective_policy_of_nothing_is_an_error() {
    let snapshot = build(&data(), Vec::new()).unwrap();
    let ask = |resource: &str, constraint: &str| {
        let request = v1::GetEffectiveOrgPolicyRequest {
            resource: resource.to_owned(),
            constraint: constraint.to_owned(),
        };
        org_policy::answer(&snapshot, Duration::ZERO, request)
    };
    let all = ask("organizations/o/teams/t/projects/p/runs/1", "").unwrap();
    assert_eq!(all.resource, name("p"));
    assert_eq!(all.policies.len(), Constraint::ALL.len());
    let key = ask(
        "organizations/o/teams/t/projects/p/serviceAccounts/sa/keys/k",
        "",
    )
    .unwrap();
    assert_eq!(key.resource, name("p/serviceAccounts/sa"));
    for (resource, constraint, code) in [
        ("organizations/none", "", "NotFound"),
        ("organizations/o/runs/1/projects/p", "", "NotFound"),
        ("users/own", "", "NotFound"),
        ("organizations/o/", "", "Invalid"),
        ("organizations/o/teams/-", "", "Invalid"),
        ("", "", "Invalid"),
        ("organizations/o", "iam.none", "Invalid"),
        (
            "organizations/o",
            "disableServiceAccountCreation",
            "Invalid",
        ),
    ] {
        let failure = format!("{:?}", ask(resource, constraint).unwrap_err());
        assert!(
            failure.starts_with(code),
            "{resource} {constraint}: {failure}"
        );
    }
}
