//! The form of a case file, and how a case is run.

use std::collections::BTreeSet;
use std::net::IpAddr;

use serde::Deserialize;
use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};

use crate::engine;
use crate::reference::question::{Answer, Attribution, KeyAnswer, KeyQuestion, Question, Subject};
use crate::reference::world::World;
use crate::reference::{decide, keys, time};

/// Of keys that a case gives as `peppered_text`.
const PEPPER: &[u8] = b"kQ3v9ZpL2mX8rT5wB7nY4cJ6hD1fG0sA";

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Case {
    /// The clause of SPEC that it holds.
    pub(crate) clause: String,
    pub(crate) name: String,
    /// Entities besides those of `base.json`; one of the same name replaces that one.
    #[serde(default)]
    pub(crate) add: Vec<Value>,
    #[serde(default)]
    pub(crate) requests: Vec<Request>,
    #[serde(default)]
    pub(crate) keys: Vec<KeyRequest>,
    /// Codes of issues that refuse the document; `a|b` is either.
    #[serde(default)]
    pub(crate) issues: Vec<String>,
}

/// `Authorize`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Request {
    /// A principal, `key:` and the key's text, or `anonymous`.
    who: String,
    may: String,
    on: String,
    /// Absent and null are not the same.
    #[serde(default, deserialize_with = "said")]
    created_by: Option<Value>,
    #[serde(default)]
    context: Map<String, Value>,
    /// Resource attributes besides `created_by`.
    #[serde(default)]
    attributes: Map<String, Value>,
    /// When it is asked.
    at: Option<String>,
    entity: Option<String>,
    attribution: Option<String>,
    #[serde(default)]
    delegates: Vec<String>,
    ip: Option<IpAddr>,
    /// `ALLOW REASON`, `DENY REASON`, or `INVALID field` (`a|b` is either).
    answer: String,
    /// The resource of the answer.
    resolved: Option<String>,
    /// E-mail of the user attributed to; empty: nobody.
    attributed: Option<String>,
    /// `ROLE on RESOURCE to MEMBER`; empty: none.
    obligation: Option<String>,
}

/// `VerifyKey`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct KeyRequest {
    key: String,
    permission: Option<String>,
    resource: Option<String>,
    ip: Option<IpAddr>,
    at: Option<String>,
    /// A code of SPEC 9.2, or `INVALID field`.
    code: String,
    /// Name of the key.
    name: Option<String>,
}

fn said<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Option<Value>, D::Error> {
    Value::deserialize(deserializer).map(Some)
}

fn directory() -> String {
    format!("{}/tests/cases", env!("CARGO_MANIFEST_DIR"))
}

/// Every case of every file but `base.json`, in the order of names.
pub(crate) fn all() -> Vec<Case> {
    let mut paths: Vec<_> = std::fs::read_dir(directory())
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    paths.sort();
    let mut cases: Vec<Case> = Vec::new();
    for path in paths {
        let is_json = path.extension().is_some_and(|e| e == "json");
        if is_json && !path.ends_with("base.json") {
            let text = std::fs::read_to_string(&path).unwrap();
            let read: Result<Vec<Case>, _> = serde_json::from_str(&text);
            cases.extend(read.unwrap_or_else(|e| panic!("{}: {e}", path.display())));
        }
    }
    cases
}

/// `base.json` with these entities besides, as a snapshot file.
pub(crate) fn document(add: &[Value]) -> Value {
    let text = std::fs::read_to_string(format!("{}/base.json", directory())).unwrap();
    let mut entities: Vec<Value> = serde_json::from_str(&text).unwrap();
    let added: BTreeSet<String> = add.iter().map(identity).collect();
    entities.retain(|e| !added.contains(&identity(e)));
    entities.extend(add.iter().cloned());
    for entity in &mut entities {
        if let Some(api_key) = entity.pointer_mut("/key/api_key") {
            *api_key = digested(api_key);
        }
    }
    json!({ "revision": 1, "entities": entities })
}

/// Kind and name; an account also by its uid, for names come back (SPEC 2.5).
fn identity(entity: &Value) -> String {
    let (kind, body) = entity.as_object().unwrap().iter().next().unwrap();
    let name = body.get("name").or_else(|| body.get("resource"));
    format!("{kind} {}", name.unwrap())
}

/// Case files hold keys as text: `text` or `peppered_text`.
fn digested(api_key: &Value) -> Value {
    let hex = |bytes: &[u8]| bytes.iter().map(|b| format!("{b:02x}")).collect::<String>();
    match (&api_key["text"], &api_key["peppered_text"]) {
        (Value::String(text), _) => json!({ "sha256": hex(&Sha256::digest(text)) }),
        (_, Value::String(text)) => json!({ "hmac_sha256": hex(&keys::hmac(PEPPER, text)) }),
        _ => api_key.clone(),
    }
}

impl Case {
    /// What the engine or the reference answers otherwise than written, a line each.
    pub(crate) fn failures(&self) -> Vec<String> {
        let file = document(&self.add);
        let head = format!("SPEC {} {}", self.clause, self.name);
        let built = engine::build(&file);
        if !self.issues.is_empty() {
            return self.issue_failures(&head, built.err());
        }
        let snapshot = match built {
            Ok(snapshot) => snapshot,
            Err(issues) => return vec![format!("{head}: refused: {}", issues.join("; "))],
        };
        let mut world = World::read(&file);
        world.pepper = PEPPER.to_vec();
        let mut failures = Vec::new();
        for request in &self.requests {
            let q = request.question();
            let answers = [
                ("reference", decide::authorize(&world, &q)),
                ("engine", engine::authorize(&snapshot, &world, &q)),
            ];
            let [(_, expected), (_, got)] = &answers;
            if !engine::agrees(expected, got) {
                failures.push(format!(
                    "{head}: the two differ: {answers:?}\n    to {request:?}"
                ));
            }
            for (by, answer) in answers {
                if !request.is_answered_by(&answer) {
                    failures.push(format!("{head}: {by} says {answer:?}\n    to {request:?}"));
                }
            }
        }
        for request in &self.keys {
            let q = request.question();
            let answers = [
                ("reference", decide::verify_key(&world, &q)),
                ("engine", engine::verify_key(&snapshot, &world, &q)),
            ];
            let [(_, expected), (_, got)] = &answers;
            if !engine::key_agrees(expected, got) {
                failures.push(format!(
                    "{head}: the two differ: {answers:?}\n    to {request:?}"
                ));
            }
            for (by, answer) in answers {
                if !request.is_answered_by(&answer) {
                    failures.push(format!("{head}: {by} says {answer:?}\n    to {request:?}"));
                }
            }
        }
        failures
    }

    fn issue_failures(&self, head: &str, found: Option<Vec<String>>) -> Vec<String> {
        let Some(found) = found else {
            return vec![format!(
                "{head}: accepted; expected the issues {:?}",
                self.issues
            )];
        };
        let has = |wanted: &String| {
            wanted
                .split('|')
                .any(|w| found.iter().any(|line| line.contains(&format!(": {w}: "))))
        };
        let missing = self.issues.iter().filter(|wanted| !has(wanted));
        missing
            .map(|w| format!("{head}: no issue {w} among {}", found.join("; ")))
            .collect()
    }
}

impl Request {
    /// The permission and the answer, for the coverage of tests/golden.rs.
    pub(crate) fn expectation(&self) -> (&str, &str) {
        (&self.may, &self.answer)
    }

    fn question(&self) -> Question {
        let mut attributes = self.attributes.clone();
        if let Some(created_by) = &self.created_by {
            attributes.insert("created_by".to_owned(), created_by.clone());
        }
        Question {
            subject: match (self.who.as_str(), self.who.strip_prefix("key:")) {
                ("anonymous", _) => Subject::Anonymous,
                (_, Some(text)) => Subject::Key(text.to_owned()),
                (principal, None) => Subject::Principal(principal.to_owned()),
            },
            permission: self.may.clone(),
            resource: self.on.clone(),
            resource_attributes: Value::Object(attributes),
            context: Value::Object(self.context.clone()),
            entity: self.entity.clone(),
            attribution: self.attribution.clone(),
            delegates: self.delegates.clone(),
            source_ip: self.ip,
            now: time::seconds(self.at.as_deref().unwrap_or("2026-06-01T00:00:00Z")),
        }
    }

    fn is_answered_by(&self, answer: &Answer) -> bool {
        match answer {
            Answer::Invalid(fields) => is_invalid(&self.answer, fields),
            Answer::Decided(decision) => {
                let effect = if decision.allow { "ALLOW" } else { "DENY" };
                let to = match &decision.attribution {
                    Some(Attribution::To(email)) => email.as_str(),
                    _ => "",
                };
                let duty = match &decision.obligation {
                    Some((resource, role, member)) => format!("{role} on {resource} to {member}"),
                    None => String::new(),
                };
                self.answer == format!("{effect} {}", decision.reason)
                    && self.obligation.as_ref().is_none_or(|said| *said == duty)
                    && self
                        .resolved
                        .as_ref()
                        .is_none_or(|name| *name == decision.resource)
                    && self.attributed.as_ref().is_none_or(|email| email == to)
            }
        }
    }
}

/// Whether `INVALID a|b` is what was found: one of the fields, or some of them.
fn is_invalid(expected: &str, found: &BTreeSet<String>) -> bool {
    let Some(fields) = expected.strip_prefix("INVALID ") else {
        return false;
    };
    let expected: BTreeSet<String> = fields.split('|').map(str::to_owned).collect();
    !found.is_disjoint(&expected)
}

impl KeyRequest {
    fn question(&self) -> KeyQuestion {
        KeyQuestion {
            key: self.key.clone(),
            permission: self.permission.clone(),
            resource: self.resource.clone(),
            source_ip: self.ip,
            now: time::seconds(self.at.as_deref().unwrap_or("2026-06-01T00:00:00Z")),
        }
    }

    fn is_answered_by(&self, answer: &KeyAnswer) -> bool {
        match answer {
            KeyAnswer::Invalid(fields) => is_invalid(&self.code, fields),
            KeyAnswer::Code(code, name) => {
                *code == self.code && (self.name.is_none() || self.name == *name)
            }
        }
    }
}
