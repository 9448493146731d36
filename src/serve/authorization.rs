//! `AuthorizationService`: `Authorize` and `BatchAuthorize`.

use std::time::Duration;

use tonic::Request;
use tonic::server::UnaryService;

use crate::credential::api_key;
use crate::decide;
use crate::limits::{ATTRIBUTION_BYTES_MAX, BATCH_MAX, DELEGATES_MAX, REQUEST_ID_BYTES_MAX};
use crate::model::outcome::{Actor, Answer, Attribution, Decision, Effect, Reason, Violation};
use crate::model::query::{KeyDigests, Query, Subject};
use crate::model::revision::Revision;
use crate::serve::dispatch::Services;
use crate::serve::freshness::{Reply, Seen};
use crate::serve::request::Violations;
use crate::serve::status::Failure;
use crate::serve::words;
use crate::wire::proto::postern::v1;
use crate::wire::proto::postern::v1::authorize_request as asked;
use crate::wire::proto::postern::v1::batch_authorize_item::Result as Item;

/// `Authorize`.
#[derive(Debug)]
pub struct Authorize<'s> {
    pub(super) services: &'s Services,
    pub(super) deadline: Option<Duration>,
}

/// `BatchAuthorize`.
#[derive(Debug)]
pub struct BatchAuthorize<'s> {
    pub(super) services: &'s Services,
    pub(super) deadline: Option<Duration>,
}

impl<'s> UnaryService<v1::AuthorizeRequest> for Authorize<'s> {
    type Response = v1::AuthorizeResponse;
    type Future = Reply<'s, Self::Response>;

    fn call(&mut self, request: Request<v1::AuthorizeRequest>) -> Self::Future {
        let request = request.into_inner();
        let (services, deadline) = (self.services, self.deadline);
        let revision = Revision(request.min_revision);
        let answer = move || {
            // Only an error needs it, and then the request is gone.
            let request_id = request.request_id.clone();
            let answered = services.see(|seen| services.authorize(seen, request));
            answered.map_err(|failure| failure.status(&request_id))
        };
        if revision.0 == 0 || !services.must_wait(revision) {
            return Reply::ready(answer());
        }
        Reply::Waiting(Box::pin(async move {
            services
                .wait(revision, deadline)
                .await
                .map_err(|f| f.status(""))?;
            answer().map(tonic::Response::new)
        }))
    }
}

impl<'s> UnaryService<v1::BatchAuthorizeRequest> for BatchAuthorize<'s> {
    type Response = v1::BatchAuthorizeResponse;
    type Future = Reply<'s, Self::Response>;

    fn call(&mut self, request: Request<v1::BatchAuthorizeRequest>) -> Self::Future {
        let v1::BatchAuthorizeRequest { requests } = request.into_inner();
        let (services, deadline) = (self.services, self.deadline);
        if requests.is_empty() || requests.len() > BATCH_MAX {
            let description = format!("{}; expected 1 to {BATCH_MAX}", requests.len());
            let violation = Violation {
                field: "requests".into(),
                description,
            };
            return Reply::ready(Err(Failure::Invalid(vec![violation]).status("")));
        }
        let revision = Revision(requests.iter().map(|r| r.min_revision).max().unwrap_or(0));
        let answer = move || {
            services
                .see(|seen| Ok(services.batch(seen, requests)))
                .map_err(|failure| failure.status(""))
        };
        if revision.0 == 0 || !services.must_wait(revision) {
            return Reply::ready(answer());
        }
        Reply::Waiting(Box::pin(async move {
            services
                .wait(revision, deadline)
                .await
                .map_err(|f| f.status(""))?;
            answer().map(tonic::Response::new)
        }))
    }
}

impl Services {
    /// Answers every request from the one snapshot that was seen.
    fn batch(
        &self,
        seen: Seen<'_>,
        requests: Vec<v1::AuthorizeRequest>,
    ) -> v1::BatchAuthorizeResponse {
        let mut responses = Vec::with_capacity(requests.len());
        for request in requests {
            let result = match self.authorize(seen, request) {
                Ok(response) => Item::Response(response),
                Err(failure) => Item::Status(failure.item()),
            };
            responses.push(v1::BatchAuthorizeItem {
                result: Some(result),
            });
        }
        v1::BatchAuthorizeResponse { responses }
    }

    /// One decision. Takes the request apart, so that nothing of it can be overlooked, and
    /// moves its strings into the response.
    fn authorize(
        &self,
        seen: Seen<'_>,
        request: v1::AuthorizeRequest,
    ) -> Result<v1::AuthorizeResponse, Failure> {
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
        violations.bound_bytes("request_id", &request_id, REQUEST_ID_BYTES_MAX);
        violations.bound_bytes("attribution", &attribution, ATTRIBUTION_BYTES_MAX);
        if delegates.len() > DELEGATES_MAX {
            let got = delegates.len();
            violations.add(
                "delegates",
                format!("{got}; expected at most {DELEGATES_MAX}"),
            );
        }
        let digests = match &subject {
            Some(asked::Subject::Credential(key)) => {
                api_key::digest(key, self.parts.pepper.as_ref())
            }
            Some(asked::Subject::Principal(_) | asked::Subject::Anonymous(())) => {
                KeyDigests::Malformed
            }
            None => {
                let expected = "missing; expected one of principal, credential, anonymous";
                violations.add("subject", expected);
                KeyDigests::Malformed
            }
        };
        let subject_asked = match &subject {
            Some(asked::Subject::Principal(principal)) => Subject::Principal(principal),
            Some(asked::Subject::Credential(_)) => Subject::ApiKey(&digests),
            Some(asked::Subject::Anonymous(())) | None => Subject::Anonymous,
        };
        let attributes = violations.attributes("resource_attributes", resource_attributes.as_ref());
        let context = violations.attributes("context", context.as_ref());
        let source_ip = violations.source_ip(&source_ip);
        let max_staleness = violations.duration("max_staleness", max_staleness.as_ref());
        violations.done().map_err(Failure::Invalid)?;
        let serving = seen.state.snapshot.revision();
        let asked_revision = Revision(min_revision);
        if asked_revision > serving {
            return Err(Failure::NotReached {
                asked: asked_revision,
                serving,
            });
        }
        let query = Query {
            subject: subject_asked,
            permission: &permission,
            resource: &resource,
            resource_attributes: &attributes,
            context: &context,
            entity: said(&entity),
            attribution: said(&attribution),
            delegates: &delegates,
            source_ip,
        };
        let mut decision = match decide::authorize(&seen.state.snapshot, &query, seen.now) {
            Answer::Decided(decision) => decision,
            Answer::Invalid(violation) => return Err(Failure::Invalid(vec![violation])),
        };
        if max_staleness.is_some_and(|bound| seen.age > bound) {
            decision.effect = Effect::Deny;
            decision.reason = Reason::StaleSnapshot;
        }
        Ok(respond(seen, &decision, request_id))
    }
}

/// Empty means that it was not said.
fn said(text: &str) -> Option<&str> {
    if text.is_empty() { None } else { Some(text) }
}

fn respond(seen: Seen<'_>, decision: &Decision<'_>, request_id: String) -> v1::AuthorizeResponse {
    let snapshot = &seen.state.snapshot;
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
        snapshot_age: Some(words::duration(seen.age)),
        obligations: Vec::new(),
        attributed_user,
        attribution_result: words::attribution(*attribution).into(),
        request_id,
    }
}
