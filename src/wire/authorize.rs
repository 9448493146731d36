//! `AuthorizeRequest` → `Query`, `Decision` → `AuthorizeResponse`.

use std::net::IpAddr;
use std::time::Duration;

use crate::graph::snapshot::Snapshot;
use crate::limits::{ATTRIBUTION_BYTES_MAX, DELEGATES_MAX, REQUEST_ID_BYTES_MAX};
use crate::model::outcome::{Actor, Attribution, Decision, Effect, Violation};
use crate::model::query::{KeyDigests, Query, Subject};
use crate::model::revision::Revision;
use crate::model::value::Struct;
use crate::wire::proto::postern::v1;
use crate::wire::proto::postern::v1::authorize_request as asked;
use crate::wire::request::Violations;
use crate::wire::words;

/// A request whose form is right. It owns its strings; `query` borrows them.
#[derive(Debug)]
pub struct Asked {
    subject: asked::Subject,
    digests: KeyDigests,
    permission: String,
    resource: String,
    resource_attributes: Struct,
    context: Struct,
    entity: String,
    attribution: String,
    delegates: Vec<String>,
    source_ip: Option<IpAddr>,
    /// Oldest revision that may answer; 0 means any.
    pub min_revision: Revision,
    /// Greatest age of the snapshot that may answer.
    pub max_staleness: Option<Duration>,
    /// Returned as it is.
    pub request_id: String,
}

impl Asked {
    /// Takes the request apart, so that nothing of it can be overlooked. `digest` digests a
    /// presented key.
    ///
    /// # Errors
    /// Every field that is wrong by itself.
    pub fn read(
        request: v1::AuthorizeRequest,
        digest: impl FnOnce(&str) -> KeyDigests,
    ) -> Result<Self, Vec<Violation>> {
        let v1::AuthorizeRequest {
            subject,
            permission,
            resource,
            resource_attributes,
            context,
            entity,
            attribution,
            delegates,
            source_ip,
            min_revision,
            max_staleness,
            request_id,
        } = request;
        let mut violations = Violations::default();
        let subject = subject.unwrap_or_else(|| {
            let expected = "missing; expected one of principal, credential, anonymous";
            violations.add("subject", expected);
            asked::Subject::Anonymous(())
        });
        violations.bound_bytes("request_id", &request_id, REQUEST_ID_BYTES_MAX);
        violations.bound_bytes("attribution", &attribution, ATTRIBUTION_BYTES_MAX);
        if delegates.len() > DELEGATES_MAX {
            let description = format!("{}; expected at most {DELEGATES_MAX}", delegates.len());
            violations.add("delegates", description);
        }
        let resource_attributes = violations.attributes("resource_attributes", resource_attributes);
        let context = violations.attributes("context", context);
        let source_ip = violations.source_ip(&source_ip);
        let max_staleness = violations.duration("max_staleness", max_staleness.as_ref());
        violations.done()?;
        let digests = match &subject {
            asked::Subject::Credential(key) => digest(key),
            asked::Subject::Principal(_) | asked::Subject::Anonymous(()) => KeyDigests::Malformed,
        };
        Ok(Self {
            subject,
            digests,
            permission,
            resource,
            resource_attributes,
            context,
            entity,
            attribution,
            delegates,
            source_ip,
            min_revision: Revision(min_revision),
            max_staleness,
            request_id,
        })
    }

    /// The question.
    #[must_use]
    pub fn query(&self) -> Query<'_> {
        Query {
            subject: match &self.subject {
                asked::Subject::Principal(principal) => Subject::Principal(principal),
                asked::Subject::Credential(_) => Subject::ApiKey(&self.digests),
                asked::Subject::Anonymous(()) => Subject::Anonymous,
            },
            permission: &self.permission,
            resource: &self.resource,
            resource_attributes: &self.resource_attributes,
            context: &self.context,
            entity: said(&self.entity),
            attribution: said(&self.attribution),
            delegates: &self.delegates,
            source_ip: self.source_ip,
        }
    }
}

/// Empty means that it was not said.
pub(in crate::wire) fn said(text: &str) -> Option<&str> {
    if text.is_empty() { None } else { Some(text) }
}

/// The answer. Only `Effect::Allow` becomes ALLOW.
#[must_use]
pub fn respond(
    snapshot: &Snapshot,
    age: Duration,
    decision: &Decision<'_>,
    request_id: String,
) -> v1::AuthorizeResponse {
    let Decision {
        effect,
        reason,
        actor,
        resource,
        attribution,
        obligation,
    } = decision;
    let principal = match *actor {
        Actor::Known(principal) => snapshot.principal_member(principal),
        Actor::Asserted(principal) | Actor::Federated(principal) => principal.to_owned(),
        Actor::Anonymous | Actor::Unproven => String::new(),
    };
    let attributed_user = match *attribution {
        Attribution::To(user) => snapshot.principal_username(user),
        Attribution::NotAsked
        | Attribution::NotAServiceAccount
        | Attribution::NoTeam
        | Attribution::NotAMember => String::new(),
    };
    let revision = snapshot.revision().0;
    v1::AuthorizeResponse {
        decision: words::decision(*effect).into(),
        reason: words::reason(*reason).into(),
        principal,
        resource: resource.as_ref().to_owned(),
        revision,
        // A file feed moves all units together (SEMANTICS 12.2).
        organization_revision: revision,
        snapshot_age: Some(words::duration(age)),
        obligations: match (effect, obligation) {
            (Effect::Allow, Some(obligation)) => vec![words::obligation(obligation, resource)],
            (Effect::Allow | Effect::Deny, _) => Vec::new(),
        },
        attributed_user,
        attribution_result: words::attribution(*attribution).into(),
        request_id,
    }
}

#[cfg(test)]
mod tests {
    use prost_types::value::Kind;
    use prost_types::{ListValue, Struct as ProtoStruct, Value};

    use super::*;
    use crate::limits::ATTRIBUTES_MAX;

    fn read(request: v1::AuthorizeRequest) -> Result<Asked, Vec<String>> {
        Asked::read(request, |_| KeyDigests::Malformed)
            .map_err(|violations| violations.iter().map(|v| v.field.to_string()).collect())
    }

    fn anonymous() -> v1::AuthorizeRequest {
        v1::AuthorizeRequest {
            subject: Some(asked::Subject::Anonymous(())),
            ..Default::default()
        }
    }

    fn attributes(count: usize, value: &Value) -> Option<ProtoStruct> {
        let fields = (0..count).map(|i| (format!("a{i}"), value.clone()));
        Some(ProtoStruct {
            fields: fields.collect(),
        })
    }

    fn of(kind: Kind) -> Value {
        Value { kind: Some(kind) }
    }

    // SPEC 15: every wrong field is named.
    #[test]
    fn every_wrong_field_is_named() {
        let request = v1::AuthorizeRequest {
            subject: None,
            context: attributes(ATTRIBUTES_MAX + 1, &of(Kind::BoolValue(true))),
            resource_attributes: attributes(1, &Value { kind: None }),
            attribution: "x".repeat(ATTRIBUTION_BYTES_MAX + 1),
            delegates: vec![String::new(); DELEGATES_MAX + 1],
            source_ip: "localhost".to_owned(),
            max_staleness: Some(prost_types::Duration {
                seconds: -1,
                nanos: 0,
            }),
            request_id: "x".repeat(REQUEST_ID_BYTES_MAX + 1),
            ..Default::default()
        };
        assert_eq!(
            read(request).unwrap_err(),
            [
                "subject",
                "request_id",
                "attribution",
                "delegates",
                "resource_attributes",
                "context",
                "source_ip",
                "max_staleness",
            ]
        );
    }

    #[test]
    fn attributes_count_what_is_nested() {
        let list = of(Kind::ListValue(ListValue {
            values: vec![of(Kind::NumberValue(1.0)); 15],
        }));
        let fits = v1::AuthorizeRequest {
            context: attributes(ATTRIBUTES_MAX / 16, &list),
            ..anonymous()
        };
        assert_eq!(read(fits).unwrap().context.0.len(), ATTRIBUTES_MAX / 16);
        let over = v1::AuthorizeRequest {
            context: attributes(ATTRIBUTES_MAX / 16 + 1, &list),
            ..anonymous()
        };
        assert_eq!(read(over).unwrap_err(), ["context"]);
        let infinite = v1::AuthorizeRequest {
            context: attributes(1, &of(Kind::NumberValue(f64::INFINITY))),
            ..anonymous()
        };
        assert_eq!(read(infinite).unwrap_err(), ["context"]);
    }

    #[test]
    fn a_credential_is_in_no_debug_text() {
        let key = "pst_abcdefghijkl";
        let request = v1::AuthorizeRequest {
            subject: Some(asked::Subject::Credential(key.to_owned())),
            ..Default::default()
        };
        assert!(!format!("{request:?}").contains(key));
        assert!(!format!("{:?}", read(request).unwrap()).contains(key));
        let request = v1::VerifyKeyRequest {
            key: key.to_owned(),
            ..Default::default()
        };
        assert!(!format!("{request:?}").contains(key));
    }

    // SPEC 1.4 and 14: an empty string was not said.
    #[test]
    fn empty_is_not_said() {
        let asked = read(anonymous()).unwrap();
        let query = asked.query();
        assert_eq!(
            (query.entity, query.attribution, query.source_ip),
            (None, None, None)
        );
        assert_eq!(
            (asked.min_revision, asked.max_staleness),
            (Revision(0), None)
        );
    }
}
