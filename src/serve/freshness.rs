//! `min_revision` and `max_staleness` (SPEC 12.2), and the one load of a request.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use tonic::{Response, Status};

use crate::limits::{DEADLINE_MARGIN_DIVISOR, MIN_REVISION_WAIT_MAX};
use crate::live::State;
use crate::model::query::UnixTime;
use crate::model::revision::Revision;
use crate::serve::dispatch::Services;
use crate::wire::status::Failure;

/// What one request sees: one snapshot, one time.
#[derive(Debug, Clone, Copy)]
pub struct Seen<'a> {
    /// The snapshot, and when it was confirmed.
    pub state: &'a State,
    /// Its age.
    pub age: Duration,
    /// Wall time.
    pub now: UnixTime,
}

/// An answer that is there, or one that waits.
pub enum Reply<'a, A> {
    /// There; taken by the first poll.
    Ready(Option<Result<Response<A>, Status>>),
    /// Waits for a revision.
    Waiting(Pin<Box<dyn Future<Output = Result<Response<A>, Status>> + Send + 'a>>),
}

impl<A> std::fmt::Debug for Reply<'_, A> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Ready(_) => "Ready(..)",
            Self::Waiting(_) => "Waiting(..)",
        })
    }
}

impl<A> Reply<'_, A> {
    /// An answer that is there.
    #[must_use]
    pub fn ready(answer: Result<A, Status>) -> Self {
        Self::Ready(Some(answer.map(Response::new)))
    }
}

impl<A: Unpin> Future for Reply<'_, A> {
    type Output = Result<Response<A>, Status>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        match self.get_mut() {
            Self::Ready(answer) => answer.take().map_or(Poll::Pending, Poll::Ready),
            Self::Waiting(answer) => answer.as_mut().poll(context),
        }
    }
}

impl Services {
    /// Loads the snapshot once and answers from it. Nothing in `answer` can outlive the
    /// guard or wait. A panic becomes an internal error, never an allow.
    ///
    /// # Errors
    /// There is no snapshot yet, or a panic.
    pub(super) fn see<A>(
        &self,
        answer: impl FnOnce(Seen<'_>) -> Result<A, Failure>,
    ) -> Result<A, Failure> {
        let loaded = self.parts.reader.load();
        let Some(state) = loaded.as_deref() else {
            return Err(Failure::NotReady);
        };
        let seen = Seen {
            state,
            age: state.age(self.parts.clock.monotonic()),
            now: UnixTime(self.parts.clock.unix_seconds()),
        };
        catch_unwind(AssertUnwindSafe(|| answer(seen))).unwrap_or(Err(Failure::Panicked))
    }

    /// Whether a request for `revision` must wait: something serves, but something older.
    pub(super) fn must_wait(&self, revision: Revision) -> bool {
        let serving = self.parts.reader.revision();
        revision > serving && serving > Revision::default()
    }

    /// Waits until `revision` serves, at most up to the caller's deadline less the way back.
    ///
    /// # Errors
    /// Too many requests wait already.
    pub(super) async fn wait(
        &self,
        revision: Revision,
        deadline: Option<Duration>,
    ) -> Result<(), Failure> {
        let Ok(_permit) = self.waiters.try_acquire() else {
            return Err(Failure::Overloaded);
        };
        let bound = deadline.map_or(MIN_REVISION_WAIT_MAX, |deadline| {
            let margin = deadline
                .checked_div(DEADLINE_MARGIN_DIVISOR)
                .unwrap_or_default();
            deadline.saturating_sub(margin).min(MIN_REVISION_WAIT_MAX)
        });
        // Whether it was reached is read off the snapshot that answers.
        let _late = tokio::time::timeout(bound, self.parts.reader.reached(revision)).await;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use tokio::sync::watch;

    use crate::clock::ManualClock;
    use crate::live;
    use crate::serve::dispatch::{Parts, Services};
    use crate::serve::health::Phase;
    use crate::wire::status::Failure;

    #[test]
    fn a_panic_while_answering_is_an_internal_error_and_the_next_answer_comes() {
        let (mut publisher, reader) = live::channel().unwrap();
        let clock = Arc::new(ManualClock::at(0));
        let (_phase, phase) = watch::channel(Phase::Serving);
        let services = Services::new(
            Parts {
                reader,
                clock,
                pepper: None,
                envoy: crate::wire::envoy::settings::Settings::default(),
                admins: crate::serve::caller::Admins::default(),
            },
            phase,
        );
        let revision = || services.see(|seen| Ok(seen.state.snapshot.revision().0));
        assert_eq!(revision(), Err(Failure::NotReady));
        let text = b"entities: [{organization: {name: organizations/acme}}]";
        let document = crate::wire::feed::decode_one("a.yaml", text).unwrap();
        let built = crate::graph::build(&document, None, &crate::graph::Options::default());
        publisher
            .publish(built.unwrap().snapshot, std::time::Duration::ZERO)
            .unwrap();
        let failed = services.see::<u64>(|_| panic!("seeded"));
        assert_eq!(failed, Err(Failure::Panicked));
        assert_eq!(revision(), Ok(1));
    }
}
