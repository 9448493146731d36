//! An operator's own cases: requests with the decision that is expected, next to a snapshot
//! (`postern test`, `docs/FORMATS.md`).
//!
//! A case says whom, what and where by name: no key and no digest stands in such a file.

pub mod coverage;
pub mod junit;
pub mod read;

use std::collections::HashMap;
use std::net::IpAddr;

use crate::cases::coverage::Coverage;
use crate::decide::{self, KeyAnswer};
use crate::graph::routes::RouteMatch;
use crate::graph::snapshot::{KeyIx, Snapshot};
use crate::model::outcome::{Actor, Answer, Effect, Reason};
use crate::model::path::{self, AllowedClasses};
use crate::model::query::{KeyDigests, KeyQuery, Query, Subject, UnixTime};
use crate::model::route::Anonymous;
use crate::model::value::Struct;
use crate::wire::envoy::headers;
use crate::wire::words;

/// One file of cases.
#[derive(Debug, Clone, PartialEq)]
pub struct File {
    /// Path of the snapshot, from the folder of the file.
    pub snapshot: String,
    /// The cases, as written.
    pub cases: Vec<Case>,
}

/// One request, and what is expected of it.
#[derive(Debug, Clone, PartialEq)]
pub struct Case {
    /// What it is about; unique in its file.
    pub name: String,
    /// Where it is written, from 1; 0 if the form does not tell.
    pub line: u32,
    /// Who asks.
    pub subject: Asker,
    /// For what.
    pub target: Target,
    /// `context`.
    pub context: Struct,
    /// `resource_attributes`.
    pub attributes: Struct,
    /// Team for the default team `-`.
    pub entity: Option<String>,
    /// Delegation chain.
    pub delegates: Vec<String>,
    /// Where it comes from.
    pub source_ip: Option<IpAddr>,
    /// When; `None`: now.
    pub now: Option<i64>,
    /// What must come of it.
    pub expected: Expected,
}

/// Who asks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Asker {
    /// `user:E`, `serviceAccount:E`, `principal://...`.
    Principal(String),
    /// Who presents the key of this resource name.
    Key(String),
    /// Nobody.
    Anonymous,
}

/// What is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(missing_docs, reason = "the fields are those of the file")]
pub enum Target {
    /// A permission on a resource.
    Named {
        permission: String,
        resource: String,
    },
    /// A call, which a route of the snapshot turns into the two.
    Call {
        host: String,
        method: String,
        path: String,
    },
}

/// What must come of a case.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Expected {
    /// A decision.
    Decision {
        /// Allow or deny.
        effect: Effect,
        /// The word of the reason; `None`: any.
        reason: Option<&'static str>,
    },
    /// `INVALID_ARGUMENT` that names this field.
    Invalid(String),
}

/// What came of a case.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Found {
    /// A decision.
    Decision {
        /// Allow or deny.
        effect: Effect,
        /// The word of the reason.
        reason: &'static str,
    },
    /// `INVALID_ARGUMENT`.
    Invalid {
        /// The field.
        field: String,
        /// What is wrong with it.
        description: String,
    },
    /// The snapshot has no key of this name.
    NoSuchKey,
}

/// A case that was asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asked {
    /// What came of it.
    pub found: Found,
    /// The route that took the call; `None`: no route did, or there is no call.
    pub route: Option<String>,
    /// Permission and resource, as a route says them too.
    pub permission: String,
    /// See `permission`.
    pub resource: String,
    /// Whether it is what was expected.
    pub passed: bool,
}

/// A snapshot that cases are asked of, and what they have touched of it.
#[derive(Debug)]
pub struct Bench<'s> {
    snapshot: &'s Snapshot,
    /// Keys by name; made when a case first names one.
    keys: Option<HashMap<String, KeyDigests>>,
    /// What the cases so far touched.
    pub coverage: Coverage<'s>,
}

impl<'s> Bench<'s> {
    /// Nothing asked yet.
    #[must_use]
    pub fn new(snapshot: &'s Snapshot) -> Self {
        Self {
            snapshot,
            keys: None,
            coverage: Coverage::new(snapshot),
        }
    }

    /// Asks a case; `now` is the time of those that say none.
    pub fn ask(&mut self, case: &Case, now: UnixTime) -> Asked {
        let now = case.now.map_or(now, UnixTime);
        let mut asked = Asked {
            found: Found::NoSuchKey,
            route: None,
            permission: String::new(),
            resource: String::new(),
            passed: false,
        };
        if let Target::Named {
            permission,
            resource,
        } = &case.target
        {
            asked.permission.clone_from(permission);
            asked.resource.clone_from(resource);
        }
        let digests;
        let subject = match &case.subject {
            Asker::Anonymous => Subject::Anonymous,
            Asker::Principal(text) => Subject::Principal(text),
            Asker::Key(name) => match self.key(name) {
                Some(found) => {
                    digests = found;
                    Subject::ApiKey(&digests)
                }
                None => return asked,
            },
        };
        asked.found = match &case.target {
            Target::Named {
                permission,
                resource,
            } => self.decide(case, subject, (permission, resource), now),
            Target::Call { host, method, path } => match call(self.snapshot, host, method, path) {
                Ok(matched) => {
                    let resource = matched.resource();
                    asked.route = Some(matched.route.name.to_string());
                    asked.permission = matched.route.permission.to_string();
                    asked.resource = resource.to_string();
                    self.coverage.route(&matched.route.name);
                    self.routed(case, subject, &matched, &resource, now)
                }
                Err(reason) => {
                    let refused = self.refused(case, subject, now);
                    denied(refused.unwrap_or(reason))
                }
            },
        };
        asked.passed = case.expected.is(&asked.found);
        asked
    }

    /// As `Check` decides it (SPEC 13.1); a route in shadow mode too, for what a case tests is
    /// the decision.
    fn routed(
        &mut self,
        case: &Case,
        subject: Subject<'_>,
        matched: &RouteMatch<'_>,
        resource: &str,
        now: UnixTime,
    ) -> Found {
        let anonymous = matches!(subject, Subject::Anonymous);
        if anonymous && matched.route.anonymous == Anonymous::Deny {
            return denied(Reason::Unauthenticated);
        }
        match self.decide(case, subject, (&matched.route.permission, resource), now) {
            Found::Invalid { field, .. } => {
                let reason = if field == "resource" {
                    Reason::ResourceNotFound
                } else {
                    Reason::NoGrant
                };
                denied(self.refused(case, subject, now).unwrap_or(reason))
            }
            found => found,
        }
    }

    /// Why a key does not hold, whatever it is used for.
    fn refused(&self, case: &Case, subject: Subject<'_>, now: UnixTime) -> Option<Reason> {
        let Subject::ApiKey(digests) = subject else {
            return None;
        };
        let query = KeyQuery {
            digests,
            source_ip: case.source_ip,
            permission: None,
            resource: None,
        };
        match decide::verify_key(self.snapshot, &query, now) {
            Ok(KeyAnswer { code, .. }) => decide::key_reason(code),
            Err(_) => Some(Reason::CredentialNotFound),
        }
    }

    fn decide(
        &mut self,
        case: &Case,
        subject: Subject<'_>,
        (permission, resource): (&str, &str),
        now: UnixTime,
    ) -> Found {
        let query = Query {
            subject,
            permission,
            resource,
            resource_attributes: &case.attributes,
            context: &case.context,
            entity: case.entity.as_deref(),
            attribution: None,
            delegates: &case.delegates,
            source_ip: case.source_ip,
        };
        match decide::authorize(self.snapshot, &query, now) {
            Answer::Invalid(violation) => Found::Invalid {
                field: violation.field.into_owned(),
                description: violation.description,
            },
            Answer::Decided(decision) => {
                // What never came to a resource says nothing about what is bound there.
                let reached = !matches!(
                    decision.reason,
                    Reason::ResourceNotFound | Reason::PermissionUnknown
                );
                if reached && decision.actor != Actor::Unproven {
                    self.coverage
                        .decision(&decision.actor, permission, &decision.resource);
                }
                Found::Decision {
                    effect: decision.effect,
                    reason: words::reason_word(decision.reason),
                }
            }
        }
    }

    fn key(&mut self, name: &str) -> Option<KeyDigests> {
        let snapshot = self.snapshot;
        let keys = self.keys.get_or_insert_with(|| named_keys(snapshot));
        keys.get(name).copied()
    }
}

/// Every key by its name, as whoever holds it would present it.
fn named_keys(snapshot: &Snapshot) -> HashMap<String, KeyDigests> {
    let rows = (0..)
        .map(KeyIx)
        .map_while(|ix| Some((ix, snapshot.key(ix)?)));
    let named = rows.map(|(ix, row)| {
        let digests = if row.is_hmac {
            KeyDigests::Digested {
                // The digest of no key: nobody can be found by it.
                sha256: [0; 32],
                hmac_sha256: Some(row.digest),
            }
        } else {
            KeyDigests::Digested {
                sha256: row.digest,
                hmac_sha256: None,
            }
        };
        (snapshot.key_facts(ix).name, digests)
    });
    named.collect()
}

/// The route that takes a call, or why `Check` does not look for one.
fn call<'s>(
    snapshot: &'s Snapshot,
    host: &str,
    method: &str,
    path: &'s str,
) -> Result<RouteMatch<'s>, Reason> {
    let (path, _query) = path::split(path);
    if path::ambiguity(path, AllowedClasses::NONE).is_some() {
        return Err(Reason::AmbiguousRequest);
    }
    let host = headers::normal_host(host.as_bytes()).ok_or(Reason::AmbiguousRequest)?;
    let found = snapshot.routes().find(&host, method, path);
    found.ok_or(Reason::NoGrant)
}

fn denied(reason: Reason) -> Found {
    Found::Decision {
        effect: Effect::Deny,
        reason: words::reason_word(reason),
    }
}

/// The word of the answer.
const fn effect_word(effect: Effect) -> &'static str {
    match effect {
        Effect::Allow => "ALLOW",
        Effect::Deny => "DENY",
    }
}

impl Expected {
    fn is(&self, found: &Found) -> bool {
        match (self, found) {
            (
                Self::Decision { effect, reason },
                Found::Decision {
                    effect: found,
                    reason: why,
                },
            ) => effect == found && reason.is_none_or(|reason| reason == *why),
            (Self::Invalid(field), Found::Invalid { field: found, .. }) => field == found,
            _ => false,
        }
    }
}

impl std::fmt::Display for Expected {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Decision { effect, reason } => {
                f.write_str(effect_word(*effect))?;
                reason.map_or(Ok(()), |reason| write!(f, " {reason}"))
            }
            Self::Invalid(field) => write!(f, "INVALID_ARGUMENT {field}"),
        }
    }
}

impl std::fmt::Display for Found {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Decision { effect, reason } => {
                write!(f, "{} {reason}", effect_word(*effect))
            }
            Self::Invalid { field, description } => {
                write!(f, "INVALID_ARGUMENT {field}: {description}")
            }
            Self::NoSuchKey => f.write_str("nothing: the snapshot has no key of this name"),
        }
    }
}

impl std::fmt::Display for Asker {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Principal(text) => f.write_str(text),
            Self::Key(name) => write!(f, "the key {name}"),
            Self::Anonymous => f.write_str("anonymous"),
        }
    }
}

impl Case {
    /// The question in one line: as it was asked, what a route made of it included.
    #[must_use]
    pub fn question(&self, asked: &Asked) -> String {
        let mut line = self.subject.to_string();
        if let Target::Call { host, method, path } = &self.target {
            line.push_str(&format!(" {method} {host}{path}"));
            match &asked.route {
                Some(route) => line.push_str(&format!(", by {route}")),
                None => {
                    line.push_str(", which no route takes");
                    return line;
                }
            }
        }
        line.push_str(&format!(" {} {}", asked.permission, asked.resource));
        if self.says_more() {
            line.push_str(" (and what else the case says)");
        }
        line
    }

    /// Whether the question is more than whom, what and where.
    #[must_use]
    pub fn says_more(&self) -> bool {
        self.context != Struct::EMPTY
            || self.attributes != Struct::EMPTY
            || self.entity.is_some()
            || !self.delegates.is_empty()
            || self.source_ip.is_some()
            || self.now.is_some()
    }
}
