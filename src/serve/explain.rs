//! `Explain` (SPEC 11.3): at the revision that serves or at one of the last few.

use std::sync::Arc;
use std::time::Duration;

use tonic::Request;
use tonic::server::UnaryService;

use crate::credential::api_key;
use crate::decide::explain::explain;
use crate::decide::explain::parts::Step;
use crate::live::State;
use crate::model::outcome::{Effect, Reason, Violation};
use crate::model::query::UnixTime;
use crate::model::revision::Revision;
use crate::serve::dispatch::Services;
use crate::serve::freshness::Reply;
use crate::wire;
use crate::wire::authorize::{self, Asked};
use crate::wire::proto::postern::v1;
use crate::wire::status::Failure;

/// `Explain`.
#[derive(Debug)]
pub struct Explain<'s> {
    pub(super) services: &'s Services,
}

/// A request that was read, and the snapshot that it is about.
struct Begun {
    asked: Asked,
    state: Arc<State>,
    age: Duration,
    now: UnixTime,
}

impl<'s> UnaryService<v1::ExplainRequest> for Explain<'s> {
    type Response = v1::ExplainResponse;
    type Future = Reply<'s, Self::Response>;

    fn call(&mut self, request: Request<v1::ExplainRequest>) -> Self::Future {
        let services = self.services;
        let begun = services.begin_explain(request.into_inner());
        Reply::Waiting(Box::pin(async move {
            let answered = match begun {
                Ok(begun) => services.background.run(async move { made(begun) }).await,
                Err(failure) => Err(failure),
            };
            let flat = answered.and_then(|answer| answer);
            flat.map(tonic::Response::new)
                .map_err(|failure| failure.status(""))
        }))
    }
}

impl Services {
    fn begin_explain(&self, request: v1::ExplainRequest) -> Result<Begun, Failure> {
        let v1::ExplainRequest { request, revision } = request;
        let Some(request) = request else {
            return Err(Failure::Invalid(vec![Violation {
                field: "request".into(),
                description: "missing; expected the request to explain".to_owned(),
            }]));
        };
        let digest = |key: &str| api_key::digest(key, self.parts.pepper.as_ref());
        let asked = Asked::read(request, digest).map_err(Failure::Invalid)?;
        let state = self.parts.reader.load_owned().ok_or(Failure::NotReady)?;
        let serving = state.snapshot.revision();
        if asked.min_revision > serving {
            return Err(Failure::NotReached {
                asked: asked.min_revision,
                serving,
            });
        }
        let wanted = Revision(revision);
        let state = if revision == 0 || wanted == serving {
            state
        } else {
            let kept = self.parts.reader.kept(wanted);
            kept.ok_or(Failure::NotKept {
                asked: wanted,
                serving,
            })?
        };
        Ok(Begun {
            asked,
            age: state.age(self.parts.clock.monotonic()),
            now: UnixTime(self.parts.clock.unix_seconds()),
            state,
        })
    }
}

fn made(begun: Begun) -> Result<v1::ExplainResponse, Failure> {
    let Begun {
        mut asked,
        state,
        age,
        now,
    } = begun;
    let request_id = std::mem::take(&mut asked.request_id);
    let snapshot = &state.snapshot;
    let mut explanation = explain(snapshot, &asked.query(), now)
        .map_err(|violation| Failure::Invalid(vec![violation]))?;
    if asked.max_staleness.is_some_and(|bound| age > bound) {
        explanation.decision.effect = Effect::Deny;
        explanation.decision.reason = Reason::StaleSnapshot;
        explanation.step = Step::Freshness;
        // No change of the snapshot makes it younger.
        explanation.remedies = Vec::new();
    }
    let response = authorize::respond(snapshot, age, &explanation.decision, request_id);
    Ok(wire::explain::respond(explanation, response))
}
