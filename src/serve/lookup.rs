//! `ListResources`, `ListPrincipals`, `ListPermissions` (SPEC 11.4). The worker reads the
//! request and holds the snapshot; the candidates are examined in the background.

use std::sync::Arc;
use std::time::Duration;

use tonic::server::UnaryService;
use tonic::{Response, Status};

use crate::credential::api_key;
use crate::decide::lookup::{Ended, Lookup, Page};
use crate::limits::{LOOKUP_STEPS_AT_ONCE, LOOKUP_STEPS_MAX, LOOKUP_STEPS_OF_A_PAGE};
use crate::live::State;
use crate::model::outcome::Violation;
use crate::model::query::UnixTime;
use crate::serve::cursor::{Cursors, Place};
use crate::serve::dispatch::Services;
use crate::serve::freshness::Reply;
use crate::wire::lookup::{Asked, Request};
use crate::wire::proto::postern::v1;
use crate::wire::status::Failure;
use crate::wire::words;

/// Any of the three.
#[derive(Debug)]
pub struct List<'s> {
    pub(super) services: &'s Services,
}

impl<'s, Q> UnaryService<Q> for List<'s>
where
    Q: Request + Send + 'static,
    Q::Answer: Send + Unpin + 'static,
{
    type Response = Q::Answer;
    type Future = Reply<'s, Q::Answer>;

    fn call(&mut self, request: tonic::Request<Q>) -> Self::Future {
        let services = self.services;
        let begun = services.begin(request.into_inner());
        Reply::Waiting(Box::pin(async move {
            let answered: Result<Response<Q::Answer>, Failure> = async {
                let job = page::<Q>(begun?, Arc::clone(&services.cursors));
                services.background.run(job).await?.map(Response::new)
            }
            .await;
            answered.map_err(|failure| -> Status { failure.status("") })
        }))
    }
}

/// A page to be made.
struct Begun {
    asked: Asked,
    state: Arc<State>,
    age: Duration,
    place: Place,
}

impl Services {
    fn begin(&self, request: impl Request) -> Result<Begun, Failure> {
        let digest = |key: &str| api_key::digest(key, self.parts.pepper.as_ref());
        let asked = request.read(digest).map_err(Failure::Invalid)?;
        let state = self.parts.reader.load_owned().ok_or(Failure::NotReady)?;
        let serving = state.snapshot.revision();
        let place = if asked.page_token.is_empty() {
            Place {
                revision: serving,
                at: 0,
                steps: 0,
                now: UnixTime(self.parts.clock.unix_seconds()),
            }
        } else {
            let place = self.cursors.open(&asked.canonical.0, &asked.page_token);
            place.ok_or_else(|| Failure::Invalid(vec![not_ours()]))?
        };
        if place.revision != serving {
            return Err(Failure::Moved {
                begun: place.revision,
                serving,
            });
        }
        Ok(Begun {
            asked,
            age: state.age(self.parts.clock.monotonic()),
            state,
            place,
        })
    }
}

fn not_ours() -> Violation {
    Violation {
        field: "page_token".into(),
        description: "no cursor of this server for this request; expected `next_page_token` of \
                      the page before, with the other fields as they were"
            .to_owned(),
    }
}

async fn page<Q: Request>(begun: Begun, cursors: Arc<Cursors>) -> Result<Q::Answer, Failure> {
    let Begun {
        asked,
        state,
        age,
        place,
    } = begun;
    let question = asked.question();
    let mut lookup = Lookup::new(&state.snapshot, &question, place.now)
        .map_err(|violation| Failure::Invalid(vec![violation]))?;
    let mut page = Page {
        at: place.at,
        items: Vec::new(),
        room: asked.room,
        steps: 0,
    };
    let complete = loop {
        match lookup.run(&mut page, LOOKUP_STEPS_AT_ONCE) {
            Ended::Complete => break true,
            Ended::Paused if page.room == 0 || page.steps >= LOOKUP_STEPS_OF_A_PAGE => break false,
            // Others take their turn, and a caller that went away ends it here.
            Ended::Paused => tokio::task::yield_now().await,
        }
    };
    let steps = place.steps.saturating_add(page.steps);
    let next_page_token = if complete {
        String::new()
    } else if steps >= LOOKUP_STEPS_MAX {
        return Err(Failure::TooMuch(
            "the look-up has too many candidates: ask for a part, such as one `parent`, or without \
             impersonation"
                .to_owned(),
        ));
    } else {
        let at = page.at;
        let next = Place { at, steps, ..place };
        cursors.seal(&asked.canonical.0, next)
    };
    let denied = lookup.denied().map(words::reason);
    let state = v1::PageState {
        next_page_token,
        revision: place.revision.0,
        snapshot_age: Some(words::duration(age)),
        denied: denied.unwrap_or(v1::Reason::Unspecified).into(),
    };
    Ok(Q::answer(page.items, state))
}
