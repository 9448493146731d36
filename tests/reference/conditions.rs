//! Conditions (SPEC 7): a small reader and a small evaluator of the expressions that the
//! cases and the random snapshots use. No library: what CEL means is read from its own
//! specification.

mod read;
mod value;

use std::net::IpAddr;

use serde_json::Value;

use crate::reference::names::{self, Place};
use crate::reference::people::Who;
use crate::reference::world::World;

use read::Expression;
use value::Val;

/// What a condition reads.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Scene<'a> {
    pub(crate) world: &'a World,
    pub(crate) who: &'a Who,
    /// The resolved name.
    pub(crate) resource: &'a str,
    pub(crate) place: &'a Place,
    pub(crate) resource_attributes: &'a Value,
    pub(crate) context: &'a Value,
    pub(crate) source_ip: Option<IpAddr>,
    pub(crate) now: i64,
}

/// What a condition comes to (SPEC 7.3).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
    Holds,
    Fails,
    /// An error, a missing attribute, or a value that is no truth value.
    Unevaluable,
}

/// An absent condition holds.
pub(crate) fn judge(condition: Option<&String>, scene: &Scene<'_>) -> Verdict {
    let Some(text) = condition else {
        return Verdict::Holds;
    };
    match evaluate(&read::expression(text), scene) {
        Ok(Val::Bool(true)) => Verdict::Holds,
        Ok(Val::Bool(false)) => Verdict::Fails,
        _ => Verdict::Unevaluable,
    }
}

/// An error of CEL: no such field, no such overload, and the like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Wrong;

type Outcome = Result<Val, Wrong>;

fn evaluate(expression: &Expression, scene: &Scene<'_>) -> Outcome {
    match expression {
        Expression::Literal(value) => Ok(value.clone()),
        Expression::List(items) => {
            let all: Result<Vec<Val>, Wrong> = items.iter().map(|i| evaluate(i, scene)).collect();
            all.map(Val::List)
        }
        Expression::Path(path) => attribute(path, scene),
        Expression::Has(path) => {
            let (last, holder) = path.split_last().unwrap();
            match attribute(holder, scene)? {
                Val::Map(map) => Ok(Val::Bool(map.iter().any(|(name, _)| name == last))),
                _ => Err(Wrong),
            }
        }
        Expression::Not(inner) => match evaluate(inner, scene)? {
            Val::Bool(b) => Ok(Val::Bool(!b)),
            _ => Err(Wrong),
        },
        Expression::Choose(condition, yes, no) => match evaluate(condition, scene)? {
            Val::Bool(true) => evaluate(yes, scene),
            Val::Bool(false) => evaluate(no, scene),
            _ => Err(Wrong),
        },
        Expression::Binary(operator, left, right) => {
            let (left, right) = (evaluate(left, scene), evaluate(right, scene));
            match operator.as_str() {
                // Either side settles it, whatever became of the other.
                "&&" => settled(left, right, false),
                "||" => settled(left, right, true),
                _ => value::compare(operator, &left?, &right?),
            }
        }
        Expression::Call(receiver, name, arguments) => call(receiver, name, arguments, scene),
    }
}

fn settled(left: Outcome, right: Outcome, by: bool) -> Outcome {
    if left == Ok(Val::Bool(by)) || right == Ok(Val::Bool(by)) {
        return Ok(Val::Bool(by));
    }
    match (left, right) {
        (Ok(Val::Bool(_)), Ok(Val::Bool(_))) => Ok(Val::Bool(!by)),
        _ => Err(Wrong),
    }
}

/// SPEC 7.1 and SEMANTICS 7.1.
fn attribute(path: &[String], scene: &Scene<'_>) -> Outcome {
    let words: Vec<&str> = path.iter().map(String::as_str).collect();
    let text = |t: &str| Ok(Val::Text(t.to_owned()));
    match words.as_slice() {
        ["request", "time"] => Ok(Val::Time(scene.now)),
        ["request", "attributes", rest @ ..] => inside(scene.context, rest),
        ["resource", "attributes", rest @ ..] => inside(scene.resource_attributes, rest),
        ["resource", "name"] if on_account(scene) => Err(Wrong),
        ["resource", "name"] => text(scene.resource),
        ["resource", "type"] => text(scene.resource.rsplit('/').nth(1).unwrap()),
        ["source", "ip"] => scene.source_ip.map(Val::Ip).ok_or(Wrong),
        ["principal", "type"] => text(&principal(scene.who).0),
        ["principal", "subject"] => text(&principal(scene.who).1),
        _ => panic!("the reference knows no attribute {path:?}"),
    }
}

fn inside(object: &Value, path: &[&str]) -> Outcome {
    let mut at = object;
    for name in path {
        at = match at {
            Value::Object(map) => map.get(*name).ok_or(Wrong)?,
            _ => return Err(Wrong),
        };
    }
    Ok(Val::of_json(at))
}

/// A service account, or anything below it.
fn on_account(scene: &Scene<'_>) -> bool {
    names::upwards(&scene.place.node)
        .iter()
        .any(|node| scene.world.has_node("serviceAccounts", node))
}

/// Type and subject of who asks.
fn principal(who: &Who) -> (String, String) {
    let (kind, subject) = match who {
        Who::Anonymous => ("anonymous", String::new()),
        Who::User(user) => ("user", user.email.clone()),
        Who::Account(account) => ("serviceAccount", account.email.clone()),
        Who::Federated(text, _) => ("principal", text.clone()),
        Who::Unknown(text) => match text.split_once(':') {
            Some((kind @ ("user" | "serviceAccount"), rest)) => {
                let email = rest.split("?uid=").next().unwrap();
                return (kind.to_owned(), email.to_ascii_lowercase());
            }
            _ => ("principal", text.clone()),
        },
    };
    (kind.to_owned(), subject)
}

fn call(
    receiver: &Option<Box<Expression>>,
    name: &str,
    arguments: &[Expression],
    scene: &Scene<'_>,
) -> Outcome {
    if let (Some(receiver), "matchTag") = (receiver, name) {
        assert_eq!(**receiver, Expression::Path(vec!["resource".to_owned()]));
        let (key, wanted) = (
            evaluate(&arguments[0], scene)?,
            evaluate(&arguments[1], scene)?,
        );
        return match (key, wanted) {
            (Val::Text(key), Val::Text(wanted)) => {
                Ok(Val::Bool(tag(scene, &key).as_ref() == Some(&wanted)))
            }
            _ => Err(Wrong),
        };
    }
    let on = match receiver {
        Some(receiver) => Some(evaluate(receiver, scene)?),
        None => None,
    };
    let given: Result<Vec<Val>, Wrong> = arguments.iter().map(|a| evaluate(a, scene)).collect();
    value::call(on.as_ref(), name, &given?)
}

/// The nearest node that has the key decides.
fn tag(scene: &Scene<'_>, key: &str) -> Option<String> {
    names::upwards(&scene.place.node)
        .iter()
        .find_map(|node| scene.world.tags_of(node).get(key).cloned())
}
