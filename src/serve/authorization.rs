//! `AuthorizationService`: `Authorize` and `BatchAuthorize`.

use std::time::Duration;

use tonic::Request;
use tonic::server::UnaryService;

use crate::credential::api_key;
use crate::decide;
use crate::limits::BATCH_MAX;
use crate::model::outcome::{Answer, Effect, Reason, Violation};
use crate::model::revision::Revision;
use crate::serve::dispatch::Services;
use crate::serve::freshness::{Reply, Seen};
use crate::wire::authorize::{self, Asked};
use crate::wire::proto::postern::v1;
use crate::wire::proto::postern::v1::batch_authorize_item::Result as Item;
use crate::wire::status::Failure;

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
        let digest = |key: &str| api_key::digest(key, self.parts.pepper.as_ref());
        let mut asked = Asked::read(request, digest).map_err(Failure::Invalid)?;
        let request_id = std::mem::take(&mut asked.request_id);
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
        Ok(authorize::respond(
            snapshot, seen.age, &decision, request_id,
        ))
    }
}
