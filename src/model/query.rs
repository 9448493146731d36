//! Questions: what a request asks once it is decoded. Borrowed, nothing is copied.

use std::net::IpAddr;

use crate::model::value::Struct;

/// Seconds since the Unix epoch. Time is an argument: nothing below `clock` reads one.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct UnixTime(pub i64);

/// Who asks.
#[derive(Debug, Clone, Copy)]
pub enum Subject<'a> {
    /// An asserted principal: `user:E`, `serviceAccount:E[?uid=U]`, `principal://...`.
    Principal(&'a str),
    /// A presented API key, already digested (`credential::api_key::Presented`).
    ApiKey(&'a KeyDigests),
    /// Nobody.
    Anonymous,
}

/// What look-up needs of a presented API key. Holds digests, never the key.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum KeyDigests {
    /// The text is no key: wrong length, characters, form or check sum.
    Malformed,
    /// Digests of the whole key.
    Digested {
        /// SHA-256 of the whole key.
        sha256: [u8; 32],
        /// HMAC-SHA-256 under the pepper; `None` when none is configured.
        hmac_sha256: Option<[u8; 32]>,
    },
}

impl std::fmt::Debug for KeyDigests {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Malformed => "Malformed",
            Self::Digested { .. } => "Digested(..)",
        })
    }
}

/// May this subject do this here?
#[derive(Debug, Clone, Copy)]
pub struct Query<'a> {
    /// Who asks.
    pub subject: Subject<'a>,
    /// `service.resource.verb`.
    pub permission: &'a str,
    /// Resource name, as asked (may hold the default team `-`, SPEC 1.4).
    pub resource: &'a str,
    /// `resource_attributes`; `created_by` is read (SPEC 3.3).
    pub resource_attributes: &'a Struct,
    /// `context`; `visibility`, `destination`, `count`, `attached_resource` are read.
    pub context: &'a Struct,
    /// Team for the default team `-`; `None`: not said.
    pub entity: Option<&'a str>,
    /// User name or e-mail to attribute to (SPEC 5.5); `None`: not asked.
    pub attribution: Option<&'a str>,
    /// Delegation chain, account names (SPEC 10.1).
    pub delegates: &'a [String],
    /// Address the credential came from.
    pub source_ip: Option<IpAddr>,
}

impl Query<'static> {
    /// A query by nobody for nothing: what tests and callers fill in.
    pub const EMPTY: Self = Self {
        subject: Subject::Anonymous,
        permission: "",
        resource: "",
        resource_attributes: &Struct::EMPTY,
        context: &Struct::EMPTY,
        entity: None,
        attribution: None,
        delegates: &[],
        source_ip: None,
    };
}

/// Is this key valid (for this, here)?
#[derive(Debug, Clone, Copy)]
pub struct KeyQuery<'a> {
    /// The presented key.
    pub digests: &'a KeyDigests,
    /// Address the key came from.
    pub source_ip: Option<IpAddr>,
    /// Permission to check the restrictions against.
    pub permission: Option<&'a str>,
    /// Resource to check the restrictions against.
    pub resource: Option<&'a str>,
}
