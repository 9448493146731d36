//! Questions and answers, in words.

use std::collections::BTreeSet;
use std::net::IpAddr;

use serde_json::Value;

#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Subject {
    Principal(String),
    /// The text of an API key.
    Key(String),
    Anonymous,
}

/// `AuthorizeRequest` of SPEC 14.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Question {
    pub(crate) subject: Subject,
    pub(crate) permission: String,
    pub(crate) resource: String,
    /// An object.
    pub(crate) resource_attributes: Value,
    /// An object.
    pub(crate) context: Value,
    pub(crate) entity: Option<String>,
    pub(crate) attribution: Option<String>,
    pub(crate) delegates: Vec<String>,
    pub(crate) source_ip: Option<IpAddr>,
    pub(crate) now: i64,
}

/// `VerifyKeyRequest` of SPEC 14.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct KeyQuestion {
    pub(crate) key: String,
    pub(crate) permission: Option<String>,
    pub(crate) resource: Option<String>,
    pub(crate) source_ip: Option<IpAddr>,
    pub(crate) now: i64,
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Answer {
    /// `INVALID_ARGUMENT`: the fields that are wrong. The engine names one of them.
    Invalid(BTreeSet<String>),
    Decided(Decision),
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Decision {
    pub(crate) allow: bool,
    /// A word of SPEC 11.2.
    pub(crate) reason: String,
    /// Member syntax, as asserted, `anonymous`, or `unproven`.
    pub(crate) actor: String,
    /// With the default team filled in.
    pub(crate) resource: String,
    /// E-mail of the attributed user, or why there is none; only where grants were looked at.
    pub(crate) attribution: Option<Attribution>,
    /// SPEC 5.4: a role to grant: on what, which, to whom.
    pub(crate) obligation: Option<(String, String, String)>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Attribution {
    NotAsked,
    NotAServiceAccount,
    NoTeam,
    NotAMember,
    To(String),
}

/// The answer to a `KeyQuestion`.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum KeyAnswer {
    Invalid(BTreeSet<String>),
    /// The code of SPEC 9.2, and the key's name unless it was not found.
    Code(String, Option<String>),
}

pub(crate) fn invalid(fields: &[&str]) -> Answer {
    Answer::Invalid(fields.iter().map(|f| (*f).to_owned()).collect())
}
