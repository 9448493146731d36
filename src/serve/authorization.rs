//! `AuthorizationService`: `Authorize` and `BatchAuthorize`.

use std::net::IpAddr;
use std::time::Duration;

use tonic::Request;
use tonic::server::UnaryService;

use crate::credential::api_key;
use crate::credential::pepper::Pepper;
use crate::decide;
use crate::limits::{ATTRIBUTION_BYTES_MAX, BATCH_MAX, DELEGATES_MAX, REQUEST_ID_BYTES_MAX};
use crate::model::outcome::{Actor, Answer, Attribution, Decision, Effect, Reason, Violation};
use crate::model::query::{KeyDigests, Query, Subject};
use crate::model::revision::Revision;
use crate::model::value::Struct;
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

    /// One decision.
    fn authorize(
        &self,
        seen: Seen<'_>,
        request: v1::AuthorizeRequest,
    ) -> Result<v1::AuthorizeResponse, Failure> {
        let asked = Asked::read(request, self.parts.pepper.as_ref())?;
        let snapshot = &seen.state.snapshot;
        let serving = snapshot.revision();
        if asked.min_revision > serving {
            return Err(Failure::NotReached {
                asked: asked.min_revision,
                serving,
            });
        }
        let mut decision = match decide::authorize(snapshot, &asked.query(), seen.now) {
            Answer::Decided(decision) => decision,
            Answer::Invalid(violation) => return Err(Failure::Invalid(vec![violation])),
        };
        if asked.max_staleness.is_some_and(|bound| seen.age > bound) {
            decision.effect = Effect::Deny;
            decision.reason = Reason::StaleSnapshot;
        }
        Ok(respond(seen, &decision, asked.request_id.clone()))
    }
}

/// A request that was read: every field has its form, none was overlooked.
struct Asked {
    subject: asked::Subject,
    /// Of the credential; `Malformed` without one.
    digests: KeyDigests,
    permission: String,
    resource: String,
    resource_attributes: Struct,
    context: Struct,
    entity: String,
    attribution: String,
    delegates: Vec<String>,
    source_ip: Option<IpAddr>,
    min_revision: Revision,
    max_staleness: Option<Duration>,
    request_id: String,
}

impl Asked {
    fn read(request: v1::AuthorizeRequest, pepper: Option<&Pepper>) -> Result<Self, Failure> {
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
        let mut wrong = Violations::default();
        if subject.is_none() {
            wrong.add(
                "subject",
                "missing; expected one of principal, credential, anonymous",
            );
        }
        wrong.bound_bytes("request_id", &request_id, REQUEST_ID_BYTES_MAX);
        wrong.bound_bytes("attribution", &attribution, ATTRIBUTION_BYTES_MAX);
        if delegates.len() > DELEGATES_MAX {
            let got = delegates.len();
            wrong.add(
                "delegates",
                format!("{got}; expected at most {DELEGATES_MAX}"),
            );
        }
        let resource_attributes =
            wrong.attributes("resource_attributes", resource_attributes.as_ref());
        let context = wrong.attributes("context", context.as_ref());
        let source_ip = wrong.source_ip(&source_ip);
        let max_staleness = wrong.duration("max_staleness", max_staleness.as_ref());
        wrong.done().map_err(Failure::Invalid)?;
        // `wrong` holds a missing one; this is for the compiler, and no allow either.
        let subject = subject.ok_or_else(|| Failure::Invalid(Vec::new()))?;
        let digests = match &subject {
            asked::Subject::Credential(key) => api_key::digest(key, pepper),
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

    fn query(&self) -> Query<'_> {
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
