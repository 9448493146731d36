//! Fields of requests into what the engine asks for. Every wrong field is named.

use std::net::IpAddr;
use std::time::Duration;

use prost_types::value::Kind;

use crate::limits::ATTRIBUTES_MAX;
use crate::model::outcome::Violation;
use crate::model::value::{Struct, Value};

/// Collects what is wrong with a request.
#[derive(Debug, Default)]
pub(super) struct Violations(Vec<Violation>);

impl Violations {
    /// Notes a wrong field.
    pub(super) fn add(&mut self, field: &'static str, description: impl Into<String>) {
        self.0.push(Violation {
            field: field.into(),
            description: description.into(),
        });
    }

    /// Notes `text` if it is longer than `bytes_max`.
    pub(super) fn bound_bytes(&mut self, field: &'static str, text: &str, bytes_max: usize) {
        if text.len() > bytes_max {
            let got = text.len();
            self.add(field, format!("{got} bytes; expected at most {bytes_max}"));
        }
    }

    /// An address, if one is said.
    pub(super) fn source_ip(&mut self, text: &str) -> Option<IpAddr> {
        if text.is_empty() {
            return None;
        }
        let parsed = text.parse();
        if parsed.is_err() {
            self.add(
                "source_ip",
                "no address; expected IPv4 or IPv6 such as 192.0.2.7",
            );
        }
        parsed.ok()
    }

    /// A duration, if one is said; not negative.
    pub(super) fn duration(
        &mut self,
        field: &'static str,
        duration: Option<&prost_types::Duration>,
    ) -> Option<Duration> {
        let prost_types::Duration { seconds, nanos } = duration?;
        match (u64::try_from(*seconds), u32::try_from(*nanos)) {
            (Ok(seconds), Ok(nanos)) if nanos < 1_000_000_000 => {
                Some(Duration::new(seconds, nanos))
            }
            _ => {
                self.add(
                    field,
                    "no duration; expected 0 s or more, and nanos below 10^9",
                );
                None
            }
        }
    }

    /// The plain form of a struct.
    pub(super) fn attributes(
        &mut self,
        field: &'static str,
        from: Option<prost_types::Struct>,
    ) -> Struct {
        let Some(from) = from else {
            return Struct::EMPTY;
        };
        let mut count = 0_usize;
        let plain = plain_struct(from, &mut count);
        if count > ATTRIBUTES_MAX {
            self.add(
                field,
                format!("more than {ATTRIBUTES_MAX} fields, nested ones counted"),
            );
            return Struct::EMPTY;
        }
        plain.unwrap_or_else(|| {
            self.add(field, "a value of no kind, or a number that is not finite");
            Struct::EMPTY
        })
    }

    /// All of them; an error if there is any.
    ///
    /// # Errors
    /// The list, if it is not empty.
    pub(super) fn done(self) -> Result<(), Vec<Violation>> {
        if self.0.is_empty() {
            Ok(())
        } else {
            Err(self.0)
        }
    }
}

/// `None` for a value that means nothing. Counts the fields; beyond the bound the rest is not
/// converted. The depth is bounded by the protobuf decoder. Strings are moved, not copied.
fn plain_struct(from: prost_types::Struct, count: &mut usize) -> Option<Struct> {
    let mut fields = Vec::with_capacity(from.fields.len().min(ATTRIBUTES_MAX));
    for (name, value) in from.fields {
        *count = count.saturating_add(1);
        if *count > ATTRIBUTES_MAX {
            return None;
        }
        fields.push((name, plain_value(value, count)?));
    }
    Some(Struct(fields))
}

fn plain_value(from: prost_types::Value, count: &mut usize) -> Option<Value> {
    Some(match from.kind? {
        Kind::NullValue(_) => Value::Null,
        Kind::BoolValue(value) => Value::Bool(value),
        Kind::NumberValue(value) if value.is_finite() => Value::Number(value),
        Kind::NumberValue(_) => return None,
        Kind::StringValue(value) => Value::String(value),
        Kind::StructValue(value) => Value::Struct(plain_struct(value, count)?),
        Kind::ListValue(list) => {
            let mut values = Vec::with_capacity(list.values.len().min(ATTRIBUTES_MAX));
            for value in list.values {
                *count = count.saturating_add(1);
                if *count > ATTRIBUTES_MAX {
                    return None;
                }
                values.push(plain_value(value, count)?);
            }
            Value::List(values)
        }
    })
}
