//! The engine, asked in the reference's words.

use postern::credential::api_key;
use postern::credential::pepper::Pepper;
use postern::decide;
use postern::graph::issue::Issues;
use postern::graph::snapshot::Snapshot;
use postern::graph::{self, Options};
use postern::model::outcome::{self, Actor, Effect};
use postern::model::query::{KeyDigests, KeyQuery, Query, Subject, UnixTime};
use postern::model::value::{Struct, Value};
use postern::wire::feed;
use serde_json::Value as Json;

use crate::reference::people;
use crate::reference::question::{
    Answer, Attribution, Decision, KeyAnswer, KeyQuestion, Question, Subject as Asker, invalid,
};
use crate::reference::world::World;

/// Decodes, validates and compiles a snapshot file; or every issue, a line each.
pub(crate) fn build(file: &Json) -> Result<Snapshot, Vec<String>> {
    let lines = |issues: Issues| issues.list().iter().map(ToString::to_string).collect();
    let text = serde_json::to_vec(file).unwrap();
    let document = feed::decode_one("snapshot.json", &text).map_err(lines)?;
    let options = Options {
        has_pepper: true,
        hash_seed: 1,
    };
    graph::build(&document, None, &options)
        .map(|built| built.snapshot)
        .map_err(lines)
}

/// The question as the engine takes it.
pub(crate) fn with_query<T>(
    world: &World,
    q: &Question,
    ask: impl FnOnce(&Query<'_>, UnixTime) -> T,
) -> T {
    let digests = match &q.subject {
        Asker::Key(text) => digest(text, world),
        Asker::Principal(_) | Asker::Anonymous => KeyDigests::Malformed,
    };
    let resource_attributes = attributes(&q.resource_attributes);
    let context = attributes(&q.context);
    let query = Query {
        subject: match &q.subject {
            Asker::Principal(text) => Subject::Principal(text),
            Asker::Key(_) => Subject::ApiKey(&digests),
            Asker::Anonymous => Subject::Anonymous,
        },
        permission: &q.permission,
        resource: &q.resource,
        resource_attributes: &resource_attributes,
        context: &context,
        entity: q.entity.as_deref(),
        attribution: q.attribution.as_deref(),
        delegates: &q.delegates,
        source_ip: q.source_ip,
    };
    ask(&query, UnixTime(q.now))
}

pub(crate) fn authorize(snapshot: &Snapshot, world: &World, q: &Question) -> Answer {
    with_query(world, q, |query, now| said(snapshot, world, query, now))
}

fn said(snapshot: &Snapshot, world: &World, query: &Query<'_>, now: UnixTime) -> Answer {
    match decide::authorize(snapshot, query, now) {
        outcome::Answer::Invalid(violation) => invalid(&[&violation.field]),
        outcome::Answer::Decided(decision) => Answer::Decided(Decision {
            allow: decision.effect == Effect::Allow,
            reason: word(&format!("{:?}", decision.reason)),
            actor: actor(snapshot, world, decision.actor),
            resource: decision.resource.to_string(),
            attribution: Some(attribution(snapshot, decision.attribution)),
            obligation: decision.obligation.as_deref().map(|duty| {
                let outcome::Obligation::GrantRole { role, email } = duty;
                let resource = decision.resource.to_string();
                (
                    resource,
                    (*role).to_owned(),
                    format!("serviceAccount:{email}"),
                )
            }),
        }),
    }
}

pub(crate) fn verify_key(snapshot: &Snapshot, world: &World, q: &KeyQuestion) -> KeyAnswer {
    let digests = digest(&q.key, world);
    let query = KeyQuery {
        digests: &digests,
        source_ip: q.source_ip,
        permission: q.permission.as_deref(),
        resource: q.resource.as_deref(),
    };
    match decide::verify_key(snapshot, &query, UnixTime(q.now)) {
        Err(violation) => KeyAnswer::Invalid([violation.field.to_string()].into()),
        Ok(answer) => {
            let name = answer.found.map(|(key, _)| snapshot.key_facts(key).name);
            KeyAnswer::Code(word(&format!("{:?}", answer.code)), name)
        }
    }
}

pub(crate) fn digest(text: &str, world: &World) -> KeyDigests {
    let pepper = Pepper::parse(&world.pepper).ok();
    api_key::digest(text, pepper.as_ref())
}

/// `OutOfScope` as `OUT_OF_SCOPE`.
fn word(variant: &str) -> String {
    let mut word = String::new();
    for c in variant.chars() {
        if c.is_ascii_uppercase() && !word.is_empty() {
            word.push('_');
        }
        word.push(c.to_ascii_uppercase());
    }
    word
}

fn actor(snapshot: &Snapshot, world: &World, actor: Actor<'_>) -> String {
    match actor {
        Actor::Anonymous => "anonymous".to_owned(),
        Actor::Unproven => "unproven".to_owned(),
        Actor::Asserted(text) | Actor::Federated(text) => text.to_owned(),
        Actor::Known(principal) => {
            let member = snapshot.principal_member(principal);
            let uid = people::subject(world, &member).uid().map(str::to_owned);
            format!("uid {}", uid.unwrap_or(member))
        }
    }
}

fn attribution(snapshot: &Snapshot, attribution: outcome::Attribution) -> Attribution {
    match attribution {
        outcome::Attribution::NotAsked => Attribution::NotAsked,
        outcome::Attribution::NotAServiceAccount => Attribution::NotAServiceAccount,
        outcome::Attribution::NoTeam => Attribution::NoTeam,
        outcome::Attribution::NotAMember => Attribution::NotAMember,
        outcome::Attribution::To(user) => {
            let member = snapshot.principal_member(user);
            Attribution::To(member.replace("user:", "").to_ascii_lowercase())
        }
    }
}

pub(crate) fn attributes(json: &Json) -> Struct {
    match value(json) {
        Value::Struct(all) => all,
        _ => Struct::EMPTY,
    }
}

fn value(json: &Json) -> Value {
    match json {
        Json::Null => Value::Null,
        Json::Bool(b) => Value::Bool(*b),
        Json::Number(n) => Value::Number(n.as_f64().unwrap()),
        Json::String(s) => Value::String(s.clone()),
        Json::Array(list) => Value::List(list.iter().map(value).collect()),
        Json::Object(map) => Value::Struct(Struct(
            map.iter().map(|(k, v)| (k.clone(), value(v))).collect(),
        )),
    }
}

/// Whether the engine says what the reference says. Who acts, the resource and the
/// attribution are compared where SPEC fixes them: once the credential is good.
pub(crate) fn agrees(reference: &Answer, engine: &Answer) -> bool {
    match (reference, engine) {
        (Answer::Invalid(wrong), Answer::Invalid(named)) => named.is_subset(wrong),
        (Answer::Decided(r), Answer::Decided(e)) => {
            let same = (r.allow, &r.reason) == (e.allow, &e.reason);
            let proven = !r.reason.starts_with("CREDENTIAL_");
            let details = r.actor == e.actor && r.resource == e.resource;
            let attribution = r.attribution.is_none() || r.attribution == e.attribution;
            let obligation = r.obligation == e.obligation;
            same && obligation && (!proven || (details && attribution))
        }
        _ => false,
    }
}

pub(crate) fn key_agrees(reference: &KeyAnswer, engine: &KeyAnswer) -> bool {
    match (reference, engine) {
        (KeyAnswer::Invalid(wrong), KeyAnswer::Invalid(named)) => named.is_subset(wrong),
        _ => reference == engine,
    }
}
