//! Values while a condition is evaluated: borrowed from the request and from the condition
//! wherever that is possible, so that most evaluations allocate nothing.

use std::cmp::Ordering;
use std::rc::Rc;

use crate::condition::Failure;
use crate::condition::meter::Meter;
use crate::condition::number::{exact_int, int_with_double, int_with_uint, uint_with_double};
use crate::condition::program::{Kind, Literal};
use crate::limits::CONDITION_MAP_COMPARED_MAX;
use crate::model::value::{Struct, Value};

/// One value. Cheap to clone.
#[derive(Clone)]
pub(super) enum Val<'e> {
    Null,
    Bool(bool),
    Int(i64),
    Uint(u64),
    Double(f64),
    Text(Text<'e>),
    Bytes(Bytes<'e>),
    /// Nanoseconds since the Unix epoch.
    Time(i128),
    /// Nanoseconds.
    Duration(i64),
    Type(Kind),
    List(List<'e>),
    Map(Map<'e>),
}

#[derive(Clone)]
pub(super) enum Text<'e> {
    Given(&'e str),
    Built(Rc<str>),
}

#[derive(Clone)]
pub(super) enum Bytes<'e> {
    Given(&'e [u8]),
    Built(Rc<[u8]>),
}

#[derive(Clone)]
pub(super) enum List<'e> {
    Given(&'e [Value]),
    Written(&'e [Literal]),
    Built(Rc<[Val<'e>]>),
}

#[derive(Clone)]
pub(super) enum Map<'e> {
    Given(&'e Struct),
    Built(Rc<[(Val<'e>, Val<'e>)]>),
}

// === impl Val ===

impl<'e> Val<'e> {
    pub(super) fn of_attribute(value: &'e Value) -> Self {
        match value {
            Value::Null => Self::Null,
            Value::Bool(value) => Self::Bool(*value),
            Value::Number(value) => Self::Double(*value),
            Value::String(value) => Self::text(value),
            Value::List(values) => Self::List(List::Given(values)),
            Value::Struct(fields) => Self::Map(Map::Given(fields)),
        }
    }

    pub(super) fn of_literal(literal: &'e Literal) -> Self {
        match literal {
            Literal::Null => Self::Null,
            Literal::Bool(value) => Self::Bool(*value),
            Literal::Int(value) => Self::Int(*value),
            Literal::Uint(value) => Self::Uint(*value),
            Literal::Double(value) => Self::Double(*value),
            Literal::Text(value) => Self::text(value),
            Literal::Bytes(value) => Self::Bytes(Bytes::Given(value)),
            Literal::Time(value) => Self::Time(*value),
            Literal::Duration(value) => Self::Duration(*value),
            Literal::Type(kind) => Self::Type(*kind),
        }
    }

    pub(super) const fn text(text: &'e str) -> Self {
        Self::Text(Text::Given(text))
    }

    pub(super) fn built_text(text: String) -> Self {
        Self::Text(Text::Built(text.into()))
    }

    pub(super) const fn kind(&self) -> Kind {
        match self {
            Self::Null => Kind::Null,
            Self::Bool(_) => Kind::Bool,
            Self::Int(_) => Kind::Int,
            Self::Uint(_) => Kind::Uint,
            Self::Double(_) => Kind::Double,
            Self::Text(_) => Kind::Text,
            Self::Bytes(_) => Kind::Bytes,
            Self::Time(_) => Kind::Time,
            Self::Duration(_) => Kind::Duration,
            Self::Type(_) => Kind::Type,
            Self::List(_) => Kind::List,
            Self::Map(_) => Kind::Map,
        }
    }

    /// As a key of a map: the kinds that may be one.
    pub(super) const fn is_key(&self) -> bool {
        matches!(
            self,
            Self::Bool(_) | Self::Int(_) | Self::Uint(_) | Self::Text(_)
        )
    }
}

// === impl Text and Bytes ===

impl Text<'_> {
    pub(super) fn as_str(&self) -> &str {
        match self {
            Self::Given(text) => text,
            Self::Built(text) => text,
        }
    }
}

impl Bytes<'_> {
    pub(super) fn as_slice(&self) -> &[u8] {
        match self {
            Self::Given(bytes) => bytes,
            Self::Built(bytes) => bytes,
        }
    }
}

// === impl List ===

impl<'e> List<'e> {
    pub(super) fn len(&self) -> usize {
        match self {
            Self::Given(values) => values.len(),
            Self::Written(values) => values.len(),
            Self::Built(values) => values.len(),
        }
    }

    pub(super) fn get(&self, index: usize) -> Option<Val<'e>> {
        match self {
            Self::Given(values) => values.get(index).map(Val::of_attribute),
            Self::Written(values) => values.get(index).map(Val::of_literal),
            Self::Built(values) => values.get(index).cloned(),
        }
    }
}

// === impl Map ===

impl<'e> Map<'e> {
    pub(super) fn len(&self) -> usize {
        match self {
            Self::Given(fields) => fields.0.len(),
            Self::Built(entries) => entries.len(),
        }
    }

    pub(super) fn key(&self, index: usize) -> Option<Val<'e>> {
        match self {
            Self::Given(fields) => fields.0.get(index).map(|(name, _)| Val::text(name)),
            Self::Built(entries) => entries.get(index).map(|(key, _)| key.clone()),
        }
    }

    fn entry(&self, index: usize) -> Option<(Val<'e>, Val<'e>)> {
        match self {
            Self::Given(fields) => {
                let (name, value) = fields.0.get(index)?;
                Some((Val::text(name), Val::of_attribute(value)))
            }
            Self::Built(entries) => entries.get(index).cloned(),
        }
    }

    /// The value of a key that is text.
    pub(super) fn field(&self, name: &str, meter: &Meter) -> Result<Option<Val<'e>>, Failure> {
        meter.look_up(self.len())?;
        Ok(match self {
            Self::Given(fields) => fields.get(name).map(Val::of_attribute),
            Self::Built(entries) => entries
                .iter()
                .find(|(key, _)| matches!(key, Val::Text(text) if text.as_str() == name))
                .map(|(_, value)| value.clone()),
        })
    }

    /// The value of a key of any kind; whole numbers of different kinds are the same key.
    pub(super) fn value(&self, key: &Val<'e>, meter: &Meter) -> Result<Option<Val<'e>>, Failure> {
        if let Val::Text(name) = key {
            return self.field(name.as_str(), meter);
        }
        meter.look_up(self.len())?;
        Ok(match self {
            Self::Given(_) => None,
            Self::Built(entries) => entries
                .iter()
                .find(|(candidate, _)| same_key(candidate, key))
                .map(|(_, value)| value.clone()),
        })
    }
}

/// Are two keys the same?
pub(super) fn same_key(left: &Val<'_>, right: &Val<'_>) -> bool {
    match (left, right) {
        (Val::Text(left), Val::Text(right)) => left.as_str() == right.as_str(),
        (Val::Bool(left), Val::Bool(right)) => left == right,
        _ => numbers(left, right) == Some(Some(Ordering::Equal)),
    }
}

/// The index that a value is: a whole number, also one that came as a double.
pub(super) fn index(value: &Val<'_>) -> Option<usize> {
    match value {
        Val::Int(index) => usize::try_from(*index).ok(),
        Val::Uint(index) => usize::try_from(*index).ok(),
        Val::Double(index) => usize::try_from(exact_int(*index)?).ok(),
        _ => None,
    }
}

// === comparison ===

/// Two numbers, whatever their kinds. Outer `None`: not two numbers; inner: one is NaN.
fn numbers(left: &Val<'_>, right: &Val<'_>) -> Option<Option<Ordering>> {
    let reversed = |ordering: Option<Ordering>| ordering.map(Ordering::reverse);
    Some(match (left, right) {
        (Val::Int(left), Val::Int(right)) => Some(left.cmp(right)),
        (Val::Uint(left), Val::Uint(right)) => Some(left.cmp(right)),
        (Val::Double(left), Val::Double(right)) => left.partial_cmp(right),
        (Val::Int(left), Val::Uint(right)) => Some(int_with_uint(*left, *right)),
        (Val::Uint(left), Val::Int(right)) => reversed(Some(int_with_uint(*right, *left))),
        (Val::Int(left), Val::Double(right)) => int_with_double(*left, *right),
        (Val::Double(left), Val::Int(right)) => reversed(int_with_double(*right, *left)),
        (Val::Uint(left), Val::Double(right)) => uint_with_double(*left, *right),
        (Val::Double(left), Val::Uint(right)) => reversed(uint_with_double(*right, *left)),
        _ => return None,
    })
}

/// Are two values equal? Values of different kinds are not, except numbers.
pub(super) fn equal(left: &Val<'_>, right: &Val<'_>, meter: &Meter) -> Result<bool, Failure> {
    meter.step()?;
    if let Some(ordering) = numbers(left, right) {
        return Ok(ordering == Some(Ordering::Equal));
    }
    Ok(match (left, right) {
        (Val::Null, Val::Null) => true,
        (Val::Bool(left), Val::Bool(right)) => left == right,
        (Val::Text(left), Val::Text(right)) => {
            let (left, right) = (left.as_str(), right.as_str());
            meter.compared(left.len(), right.len())?;
            left == right
        }
        (Val::Bytes(left), Val::Bytes(right)) => {
            let (left, right) = (left.as_slice(), right.as_slice());
            meter.compared(left.len(), right.len())?;
            left == right
        }
        (Val::Time(left), Val::Time(right)) => left == right,
        (Val::Duration(left), Val::Duration(right)) => left == right,
        (Val::Type(left), Val::Type(right)) => left == right,
        (Val::List(left), Val::List(right)) => return equal_lists(left, right, meter),
        (Val::Map(left), Val::Map(right)) => return equal_maps(left, right, meter),
        _ => false,
    })
}

fn equal_lists(left: &List<'_>, right: &List<'_>, meter: &Meter) -> Result<bool, Failure> {
    if left.len() != right.len() {
        return Ok(false);
    }
    for index in 0..left.len() {
        let (Some(left), Some(right)) = (left.get(index), right.get(index)) else {
            return Ok(false);
        };
        if !equal(&left, &right, meter)? {
            return Ok(false);
        }
    }
    Ok(true)
}

fn equal_maps(left: &Map<'_>, right: &Map<'_>, meter: &Meter) -> Result<bool, Failure> {
    if left.len() != right.len() {
        return Ok(false);
    }
    if left.len() > CONDITION_MAP_COMPARED_MAX {
        return Err(Failure::TooLarge);
    }
    for index in 0..left.len() {
        let Some((key, value)) = left.entry(index) else {
            return Ok(false);
        };
        match right.value(&key, meter)? {
            Some(other) if equal(&value, &other, meter)? => {}
            _ => return Ok(false),
        }
    }
    Ok(true)
}

/// The order of two values; `None` when one is NaN. Only values of one ordered kind, or
/// numbers, have an order.
pub(super) fn order(
    left: &Val<'_>,
    right: &Val<'_>,
    meter: &Meter,
) -> Result<Option<Ordering>, Failure> {
    if let Some(ordering) = numbers(left, right) {
        return Ok(ordering);
    }
    Ok(Some(match (left, right) {
        (Val::Bool(left), Val::Bool(right)) => left.cmp(right),
        (Val::Text(left), Val::Text(right)) => {
            let (left, right) = (left.as_str(), right.as_str());
            meter.compared(left.len(), right.len())?;
            left.cmp(right)
        }
        (Val::Bytes(left), Val::Bytes(right)) => {
            let (left, right) = (left.as_slice(), right.as_slice());
            meter.compared(left.len(), right.len())?;
            left.cmp(right)
        }
        (Val::Time(left), Val::Time(right)) => left.cmp(right),
        (Val::Duration(left), Val::Duration(right)) => left.cmp(right),
        _ => return Err(Failure::NoOverload),
    }))
}
