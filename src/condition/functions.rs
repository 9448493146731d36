//! Functions and arithmetic: what they accept, and nothing that overflows in silence.

use std::rc::Rc;

use crate::condition::Failure;
use crate::condition::meter::Meter;
use crate::condition::number::{double_of_int, double_of_uint, int_of_double, uint_of_double};
use crate::condition::program::{Function, Operator};
use crate::condition::time::{
    NANOS, format_duration, format_time, moved, parse_duration, parse_time, time_of_seconds,
};
use crate::condition::value::{Bytes, List, Text, Val};

type Result<'e> = std::result::Result<Val<'e>, Failure>;

pub(super) fn call<'e>(function: Function, operand: Val<'e>, meter: &Meter) -> Result<'e> {
    match function {
        Function::Size => size(&operand, meter).map(Val::Int),
        Function::ToInt => to_int(&operand, meter).map(Val::Int),
        Function::ToUint => to_uint(&operand, meter).map(Val::Uint),
        Function::ToDouble => to_double(&operand, meter).map(Val::Double),
        Function::ToText => to_text(operand, meter),
        Function::ToBool => to_bool(&operand).map(Val::Bool),
        Function::ToBytes => to_bytes(operand, meter),
        Function::ToDuration => match operand {
            Val::Duration(_) => Ok(operand),
            Val::Text(text) => read(text.as_str(), meter, parse_duration).map(Val::Duration),
            _ => Err(Failure::NoOverload),
        },
        Function::ToTime => match operand {
            Val::Time(_) => Ok(operand),
            Val::Text(text) => read(text.as_str(), meter, parse_time).map(Val::Time),
            Val::Int(seconds) => time_of_seconds(seconds)
                .map(Val::Time)
                .ok_or(Failure::OutOfRange),
            _ => Err(Failure::NoOverload),
        },
        Function::TypeOf => Ok(Val::Type(operand.kind())),
        Function::Dyn => Ok(operand),
    }
}

fn read<T>(
    text: &str,
    meter: &Meter,
    parse: impl Fn(&str) -> Option<T>,
) -> std::result::Result<T, Failure> {
    meter.searched(text.len())?;
    parse(text).ok_or(Failure::Malformed)
}

fn size(operand: &Val<'_>, meter: &Meter) -> std::result::Result<i64, Failure> {
    let size = match operand {
        Val::Text(text) => {
            meter.searched(text.as_str().len())?;
            text.as_str().chars().count()
        }
        Val::Bytes(bytes) => bytes.as_slice().len(),
        Val::List(list) => list.len(),
        Val::Map(map) => map.len(),
        _ => return Err(Failure::NoOverload),
    };
    i64::try_from(size).map_err(|_| Failure::OutOfRange)
}

fn to_int(operand: &Val<'_>, meter: &Meter) -> std::result::Result<i64, Failure> {
    match operand {
        Val::Int(value) => Ok(*value),
        Val::Uint(value) => i64::try_from(*value).map_err(|_| Failure::OutOfRange),
        Val::Double(value) => int_of_double(*value).ok_or(Failure::OutOfRange),
        Val::Text(text) => read(text.as_str(), meter, |text| text.parse().ok()),
        Val::Time(time) => i64::try_from(time.div_euclid(NANOS)).map_err(|_| Failure::OutOfRange),
        _ => Err(Failure::NoOverload),
    }
}

fn to_uint(operand: &Val<'_>, meter: &Meter) -> std::result::Result<u64, Failure> {
    match operand {
        Val::Uint(value) => Ok(*value),
        Val::Int(value) => u64::try_from(*value).map_err(|_| Failure::OutOfRange),
        Val::Double(value) => uint_of_double(*value).ok_or(Failure::OutOfRange),
        Val::Text(text) => read(text.as_str(), meter, |text| text.parse().ok()),
        _ => Err(Failure::NoOverload),
    }
}

fn to_double(operand: &Val<'_>, meter: &Meter) -> std::result::Result<f64, Failure> {
    match operand {
        Val::Double(value) => Ok(*value),
        Val::Int(value) => Ok(double_of_int(*value)),
        Val::Uint(value) => Ok(double_of_uint(*value)),
        Val::Text(text) => read(text.as_str(), meter, |text| text.parse().ok()),
        _ => Err(Failure::NoOverload),
    }
}

fn to_text<'e>(operand: Val<'e>, meter: &Meter) -> Result<'e> {
    Ok(Val::built_text(match &operand {
        Val::Text(_) => return Ok(operand),
        Val::Bool(value) => value.to_string(),
        Val::Int(value) => value.to_string(),
        Val::Uint(value) => value.to_string(),
        Val::Double(value) => value.to_string(),
        Val::Bytes(bytes) => {
            meter.copied(bytes.as_slice().len())?;
            let text = std::str::from_utf8(bytes.as_slice()).map_err(|_| Failure::Malformed)?;
            text.to_owned()
        }
        Val::Time(time) => format_time(*time).ok_or(Failure::OutOfRange)?,
        Val::Duration(nanos) => format_duration(*nanos),
        Val::Null | Val::Type(_) | Val::List(_) | Val::Map(_) => return Err(Failure::NoOverload),
    }))
}

fn to_bool(operand: &Val<'_>) -> std::result::Result<bool, Failure> {
    match operand {
        Val::Bool(value) => Ok(*value),
        Val::Text(text) => match text.as_str() {
            "1" | "t" | "true" | "True" | "TRUE" => Ok(true),
            "0" | "f" | "false" | "False" | "FALSE" => Ok(false),
            _ => Err(Failure::Malformed),
        },
        _ => Err(Failure::NoOverload),
    }
}

fn to_bytes<'e>(operand: Val<'e>, meter: &Meter) -> Result<'e> {
    match operand {
        Val::Bytes(_) => Ok(operand),
        Val::Text(Text::Given(text)) => Ok(Val::Bytes(Bytes::Given(text.as_bytes()))),
        Val::Text(Text::Built(text)) => {
            meter.copied(text.len())?;
            Ok(Val::Bytes(Bytes::Built(text.as_bytes().into())))
        }
        _ => Err(Failure::NoOverload),
    }
}

// === arithmetic ===

pub(super) fn negate<'e>(operand: &Val<'_>) -> Result<'e> {
    match operand {
        Val::Int(value) => value.checked_neg().map(Val::Int).ok_or(Failure::OutOfRange),
        Val::Double(value) => Ok(Val::Double(-value)),
        Val::Duration(nanos) => nanos
            .checked_neg()
            .map(Val::Duration)
            .ok_or(Failure::OutOfRange),
        _ => Err(Failure::NoOverload),
    }
}

/// `+ - * / %`. Numbers of different kinds do not mix, as CEL has it: attributes are doubles,
/// so it is `request.attributes.count + 1.0`.
pub(super) fn arithmetic<'e>(
    operator: Operator,
    left: &Val<'e>,
    right: &Val<'e>,
    meter: &Meter,
) -> Result<'e> {
    match (left, right) {
        (Val::Int(left), Val::Int(right)) => ints(operator, *left, *right),
        (Val::Uint(left), Val::Uint(right)) => uints(operator, *left, *right),
        (Val::Double(left), Val::Double(right)) => doubles(operator, *left, *right),
        _ => match operator {
            Operator::Add => add(left, right, meter),
            Operator::Subtract => subtract(left, right),
            _ => Err(Failure::NoOverload),
        },
    }
}

fn ints<'e>(operator: Operator, left: i64, right: i64) -> Result<'e> {
    let divides = matches!(operator, Operator::Divide | Operator::Modulo);
    if divides && right == 0 {
        return Err(Failure::DivisionByZero);
    }
    let result = match operator {
        Operator::Add => left.checked_add(right),
        Operator::Subtract => left.checked_sub(right),
        Operator::Multiply => left.checked_mul(right),
        Operator::Divide => left.checked_div(right),
        Operator::Modulo => left.checked_rem(right),
        _ => return Err(Failure::NoOverload),
    };
    result.map(Val::Int).ok_or(Failure::OutOfRange)
}

fn uints<'e>(operator: Operator, left: u64, right: u64) -> Result<'e> {
    let divides = matches!(operator, Operator::Divide | Operator::Modulo);
    if divides && right == 0 {
        return Err(Failure::DivisionByZero);
    }
    let result = match operator {
        Operator::Add => left.checked_add(right),
        Operator::Subtract => left.checked_sub(right),
        Operator::Multiply => left.checked_mul(right),
        Operator::Divide => left.checked_div(right),
        Operator::Modulo => left.checked_rem(right),
        _ => return Err(Failure::NoOverload),
    };
    result.map(Val::Uint).ok_or(Failure::OutOfRange)
}

fn doubles<'e>(operator: Operator, left: f64, right: f64) -> Result<'e> {
    Ok(Val::Double(match operator {
        Operator::Add => left + right,
        Operator::Subtract => left - right,
        Operator::Multiply => left * right,
        Operator::Divide => left / right,
        _ => return Err(Failure::NoOverload),
    }))
}

fn add<'e>(left: &Val<'e>, right: &Val<'e>, meter: &Meter) -> Result<'e> {
    match (left, right) {
        (Val::Text(left), Val::Text(right)) => {
            let (left, right) = (left.as_str(), right.as_str());
            meter.copied(left.len())?;
            meter.copied(right.len())?;
            let mut text = String::with_capacity(left.len() + right.len());
            text.push_str(left);
            text.push_str(right);
            Ok(Val::built_text(text))
        }
        (Val::Bytes(left), Val::Bytes(right)) => {
            let joined = [left.as_slice(), right.as_slice()].concat();
            meter.copied(joined.len())?;
            Ok(Val::Bytes(Bytes::Built(joined.into())))
        }
        (Val::List(left), Val::List(right)) => {
            meter.steps(left.len())?;
            meter.steps(right.len())?;
            let of = |list: &List<'e>| {
                let list = list.clone();
                (0..list.len()).map_while(move |index| list.get(index))
            };
            let joined: Rc<[Val<'e>]> = of(left).chain(of(right)).collect();
            Ok(Val::List(List::Built(joined)))
        }
        (Val::Time(time), Val::Duration(nanos)) | (Val::Duration(nanos), Val::Time(time)) => {
            shifted(*time, i128::from(*nanos))
        }
        (Val::Duration(left), Val::Duration(right)) => left
            .checked_add(*right)
            .map(Val::Duration)
            .ok_or(Failure::OutOfRange),
        _ => Err(Failure::NoOverload),
    }
}

fn subtract<'e>(left: &Val<'e>, right: &Val<'e>) -> Result<'e> {
    match (left, right) {
        (Val::Time(left), Val::Time(right)) => left
            .checked_sub(*right)
            .and_then(|nanos| i64::try_from(nanos).ok())
            .map(Val::Duration)
            .ok_or(Failure::OutOfRange),
        (Val::Time(time), Val::Duration(nanos)) => shifted(*time, -i128::from(*nanos)),
        (Val::Duration(left), Val::Duration(right)) => left
            .checked_sub(*right)
            .map(Val::Duration)
            .ok_or(Failure::OutOfRange),
        _ => Err(Failure::NoOverload),
    }
}

fn shifted<'e>(time: i128, nanos: i128) -> Result<'e> {
    moved(time, nanos).map(Val::Time).ok_or(Failure::OutOfRange)
}
