//! `CompareSnapshot`: what another snapshot would change (SPEC 14). The document is read and
//! compared in the background; it is published nowhere.

use std::sync::Arc;
use std::time::Duration;

use tonic::Request;
use tonic::server::UnaryService;

use crate::decide::compare::{Comparison, keys};
use crate::graph;
use crate::graph::snapshot::Snapshot;
use crate::limits::{COMPARE_SERVED_AT_ONCE, COMPARE_SERVED_DECISIONS};
use crate::live::State;
use crate::model::query::UnixTime;
use crate::serve::dispatch::Services;
use crate::serve::freshness::Reply;
use crate::wire::compare::{self, Asked};
use crate::wire::proto::postern::v1;
use crate::wire::status::Failure;

/// `CompareSnapshot`.
#[derive(Debug)]
pub struct CompareSnapshot<'s> {
    pub(super) services: &'s Services,
}

/// A request that was read, and what it is compared with.
struct Begun {
    asked: Asked,
    state: Arc<State>,
    age: Duration,
    now: UnixTime,
    options: graph::Options,
}

impl<'s> UnaryService<v1::CompareSnapshotRequest> for CompareSnapshot<'s> {
    type Response = v1::CompareSnapshotResponse;
    type Future = Reply<'s, Self::Response>;

    fn call(&mut self, request: Request<v1::CompareSnapshotRequest>) -> Self::Future {
        let services = self.services;
        let begun = services.begin_compare(request.into_inner());
        Reply::Waiting(Box::pin(async move {
            let answered = match begun {
                Ok(begun) => services.background.run(compared(begun)).await,
                Err(failure) => Err(failure),
            };
            let flat = answered.and_then(|answer| answer);
            flat.map(tonic::Response::new)
                .map_err(|failure| failure.status(""))
        }))
    }
}

impl Services {
    fn begin_compare(&self, request: v1::CompareSnapshotRequest) -> Result<Begun, Failure> {
        let asked = compare::read(request).map_err(Failure::Invalid)?;
        let state = self.parts.reader.load_owned().ok_or(Failure::NotReady)?;
        Ok(Begun {
            asked,
            age: state.age(self.parts.clock.monotonic()),
            state,
            now: UnixTime(self.parts.clock.unix_seconds()),
            options: graph::Options {
                has_pepper: self.parts.pepper.is_some(),
                hash_seed: rand::random(),
            },
        })
    }
}

async fn compared(begun: Begun) -> Result<v1::CompareSnapshotResponse, Failure> {
    let Begun {
        asked,
        state,
        age,
        now,
        options,
    } = begun;
    let after = compare::snapshot(&asked, &options).map_err(Failure::Invalid)?;
    let before: &Snapshot = &state.snapshot;
    tokio::task::yield_now().await;
    let mut comparison = Comparison::new(before, &after, now, COMPARE_SERVED_DECISIONS);
    while comparison.run(COMPARE_SERVED_AT_ONCE) {
        // Others take their turn, and a caller that went away ends it here.
        tokio::task::yield_now().await;
    }
    let (losers, winners) = comparison.touched();
    let keys = keys::compare(before, &after, (&losers, &winners), now);
    Ok(compare::response(
        &comparison,
        &keys,
        asked.limit,
        (before.revision(), age),
    ))
}
