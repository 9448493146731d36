//! A question of the command line as a request.

use std::collections::BTreeMap;

use prost_types::value::Kind;
use prost_types::{Struct, Value};

use crate::wire::proto::postern::v1;
use crate::wire::proto::postern::v1::authorize_request::Subject;

/// The word for nobody, in place of a principal.
pub const ANONYMOUS: &str = "anonymous";

/// A value that was said on the command line.
#[derive(Debug, Clone, PartialEq)]
pub enum Said {
    /// `true` or `false`.
    Bool(bool),
    /// A finite number.
    Number(f64),
    /// Anything else.
    Text(String),
}

/// A question of the command line.
#[derive(Debug, Clone, Default)]
#[expect(missing_docs, reason = "the fields are those of AuthorizeRequest")]
pub struct Asking {
    /// A member such as `user:ada@acme.example`, or `anonymous`.
    pub principal: String,
    pub permission: String,
    pub resource: String,
    pub context: BTreeMap<String, Said>,
    pub attributes: BTreeMap<String, Said>,
    pub entity: String,
    pub delegates: Vec<String>,
    pub source_ip: String,
}

impl Said {
    /// What a text says.
    #[must_use]
    pub fn read(text: &str) -> Self {
        match (text, text.parse::<f64>()) {
            ("true", _) => Self::Bool(true),
            ("false", _) => Self::Bool(false),
            (_, Ok(number)) if number.is_finite() => Self::Number(number),
            (_, Ok(_) | Err(_)) => Self::Text(text.to_owned()),
        }
    }
}

impl Asking {
    /// As a request.
    #[must_use]
    pub fn request(self) -> v1::AuthorizeRequest {
        let Self {
            principal,
            permission,
            resource,
            context,
            attributes,
            entity,
            delegates,
            source_ip,
        } = self;
        let subject = match principal.as_str() {
            ANONYMOUS => Subject::Anonymous(()),
            _ => Subject::Principal(principal),
        };
        v1::AuthorizeRequest {
            subject: Some(subject),
            permission,
            resource,
            resource_attributes: fields(attributes),
            context: fields(context),
            entity,
            delegates,
            source_ip,
            ..v1::AuthorizeRequest::default()
        }
    }
}

fn fields(said: BTreeMap<String, Said>) -> Option<Struct> {
    if said.is_empty() {
        return None;
    }
    let value = |said| {
        let kind = match said {
            Said::Bool(on) => Kind::BoolValue(on),
            Said::Number(number) => Kind::NumberValue(number),
            Said::Text(text) => Kind::StringValue(text),
        };
        Value { kind: Some(kind) }
    };
    let fields = said.into_iter().map(|(key, said)| (key, value(said)));
    Some(Struct {
        fields: fields.collect(),
    })
}
