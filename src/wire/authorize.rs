//! `AuthorizeRequest` → `Query`, `Decision` → `AuthorizeResponse`.

use std::net::IpAddr;
use std::time::Duration;

use crate::graph::snapshot::Snapshot;
use crate::limits::{ATTRIBUTION_BYTES_MAX, DELEGATES_MAX, REQUEST_ID_BYTES_MAX};
use crate::model::outcome::{Actor, Attribution, Decision, Violation};
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
    } = decision;
    let principal = match *actor {
        Actor::Known(principal) => snapshot.principal_member(principal),
        Actor::Asserted(principal) => principal.to_owned(),
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
        obligations: Vec::new(),
        attributed_user,
        attribution_result: words::attribution(*attribution).into(),
        request_id,
    }
}
