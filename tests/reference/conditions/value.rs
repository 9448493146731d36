//! Values of conditions, and what may be done with them.

use std::cmp::Ordering;
use std::net::IpAddr;

use serde_json::Value;

use crate::reference::conditions::Wrong;
use crate::reference::{keys, time};

#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Val {
    Null,
    Bool(bool),
    /// Whole numbers and others compare with one another.
    Number(f64),
    Text(String),
    List(Vec<Val>),
    Map(Vec<(String, Val)>),
    /// Seconds since 1970.
    Time(i64),
    /// Seconds.
    Duration(i64),
    Ip(IpAddr),
    Cidr(String),
}

type Outcome = Result<Val, Wrong>;

impl Val {
    pub(crate) fn of_json(json: &Value) -> Self {
        match json {
            Value::Null => Self::Null,
            Value::Bool(b) => Self::Bool(*b),
            Value::Number(n) => Self::Number(n.as_f64().unwrap()),
            Value::String(s) => Self::Text(s.clone()),
            Value::Array(list) => Self::List(list.iter().map(Self::of_json).collect()),
            Value::Object(map) => Self::Map(
                map.iter()
                    .map(|(k, v)| (k.clone(), Self::of_json(v)))
                    .collect(),
            ),
        }
    }
}

/// `==` and `!=` of values of two kinds are false and true; everything else wants one kind.
pub(crate) fn compare(operator: &str, left: &Val, right: &Val) -> Outcome {
    let order = match (left, right) {
        (Val::Bool(a), Val::Bool(b)) => a.partial_cmp(b),
        (Val::Number(a), Val::Number(b)) => a.partial_cmp(b),
        (Val::Text(a), Val::Text(b)) => a.partial_cmp(b),
        (Val::Time(a), Val::Time(b)) | (Val::Duration(a), Val::Duration(b)) => a.partial_cmp(b),
        _ => None,
    };
    let holds = |wanted: fn(Ordering) -> bool| order.map(wanted).ok_or(Wrong);
    Ok(Val::Bool(match operator {
        "==" => left == right,
        "!=" => left != right,
        "<" => holds(Ordering::is_lt)?,
        "<=" => holds(Ordering::is_le)?,
        ">" => holds(Ordering::is_gt)?,
        ">=" => holds(Ordering::is_ge)?,
        "in" => match right {
            Val::List(list) => list.contains(left),
            Val::Map(map) => map.iter().any(|(name, _)| Val::Text(name.clone()) == *left),
            _ => return Err(Wrong),
        },
        "+" => return add(left, right),
        "-" => return subtract(left, right),
        _ => panic!("the reference knows no operator {operator}"),
    }))
}

fn add(left: &Val, right: &Val) -> Outcome {
    match (left, right) {
        (Val::Text(a), Val::Text(b)) => Ok(Val::Text(format!("{a}{b}"))),
        (Val::Time(a), Val::Duration(b)) | (Val::Duration(b), Val::Time(a)) => Ok(Val::Time(a + b)),
        (Val::Duration(a), Val::Duration(b)) => Ok(Val::Duration(a + b)),
        _ => Err(Wrong),
    }
}

fn subtract(left: &Val, right: &Val) -> Outcome {
    match (left, right) {
        (Val::Time(a), Val::Time(b)) => Ok(Val::Duration(a - b)),
        (Val::Time(a), Val::Duration(b)) => Ok(Val::Time(a - b)),
        (Val::Duration(a), Val::Duration(b)) => Ok(Val::Duration(a - b)),
        _ => Err(Wrong),
    }
}

pub(crate) fn call(on: Option<&Val>, name: &str, given: &[Val]) -> Outcome {
    let truth = |b: bool| Ok(Val::Bool(b));
    match (on, name, given) {
        (Some(Val::Text(text)), "startsWith", [Val::Text(part)]) => truth(text.starts_with(part)),
        (Some(Val::Text(text)), "endsWith", [Val::Text(part)]) => truth(text.ends_with(part)),
        (Some(Val::Text(text)), "contains", [Val::Text(part)]) => truth(text.contains(part)),
        (None, "timestamp", [Val::Text(text)]) => Ok(Val::Time(time::seconds(text))),
        (None, "duration", [Val::Text(text)]) => {
            let seconds = text.strip_suffix('s').unwrap().parse().unwrap();
            Ok(Val::Duration(seconds))
        }
        (None, "cidr", [Val::Text(text)]) => Ok(Val::Cidr(text.clone())),
        (Some(Val::Cidr(range)), "containsIP", [Val::Ip(ip)]) => truth(keys::contains(range, *ip)),
        (None, "size", [Val::Text(text)]) | (Some(Val::Text(text)), "size", []) => {
            number(text.chars().count())
        }
        (None, "size", [Val::List(list)]) | (Some(Val::List(list)), "size", []) => {
            number(list.len())
        }
        (Some(Val::Time(at)), "getFullYear", []) => number(time::parts(*at).0),
        (Some(Val::Time(at)), "getHours", []) => number(time::parts(*at).1),
        (Some(Val::Time(at)), "getDayOfWeek", []) => number(time::parts(*at).2),
        _ => {
            let known = ["startsWith", "endsWith", "contains", "containsIP", "size"];
            assert!(known.contains(&name), "the reference knows no {name}");
            Err(Wrong)
        }
    }
}

fn number(n: usize) -> Outcome {
    Ok(Val::Number(f64::from(u32::try_from(n).unwrap())))
}
