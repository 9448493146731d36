//! Layer 4: the snapshot that serves. `arc_swap` lives here only.
//!
//! One [`SnapshotPublisher`] (it cannot be cloned) owns what serves; any number of
//! [`SnapshotReader`]s load it. A load is one guard, taken in a synchronous function, so that
//! it cannot cross an await (`clippy.toml` holds that).

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::time::Duration;

use arc_swap::{ArcSwapOption, Guard};
use tokio::sync::watch;

use crate::graph::snapshot::Snapshot;
use crate::limits::{KEPT_REVISIONS_MAX, RETIRED_MAX, RETIRED_POLL};
use crate::model::revision::Revision;

/// What serves: a snapshot, and when the feed last confirmed it.
#[derive(Debug)]
pub struct State {
    /// The graph.
    pub snapshot: Snapshot,
    /// `Clock::monotonic` of the last confirmation, nanoseconds; only moves on.
    confirmed_nanos: AtomicU64,
}

impl State {
    /// Age of the snapshot: time since the feed last confirmed it (SPEC 12.1).
    #[must_use]
    #[inline]
    pub fn age(&self, monotonic: Duration) -> Duration {
        let confirmed = Duration::from_nanos(self.confirmed_nanos.load(Ordering::Relaxed));
        monotonic.saturating_sub(confirmed)
    }
}

/// Kind of a feed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum FeedKind {
    /// The example that is built in.
    #[default]
    Demo,
    /// A file.
    File,
    /// A directory of files.
    Directory,
}

/// How the feed fares, for `GetSnapshot`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FeedReport {
    /// Its kind.
    pub kind: FeedKind,
    /// Where the snapshot comes from, as the operator wrote it.
    pub source: String,
    /// What the feed refused since the snapshot that serves, if anything.
    pub rejected: Option<Rejected>,
    /// Inputs published since the start.
    pub published: u64,
    /// Inputs refused since the start.
    pub refused: u64,
}

/// An input that was refused; the last good snapshot went on.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Rejected {
    /// Seconds since the epoch.
    pub at: i64,
    /// The revision that the input states, as far as it was read.
    pub revision: Option<Revision>,
    /// The issues, one a line, as `postern validate` prints them; bounded.
    pub issues: Vec<String>,
    /// How many there were, those left out included.
    pub issue_count: usize,
}

#[derive(Debug)]
struct Shared {
    state: ArcSwapOption<State>,
    feed: ArcSwapOption<FeedReport>,
    /// The last few that served before, the oldest first.
    kept: ArcSwapOption<Vec<Arc<State>>>,
}

/// The request path's side: loads what serves.
#[derive(Debug, Clone)]
pub struct SnapshotReader {
    shared: Arc<Shared>,
    revision: watch::Receiver<Revision>,
}

/// The update path's side: the one place that changes what serves.
#[derive(Debug)]
pub struct SnapshotPublisher {
    shared: Arc<Shared>,
    revision: watch::Sender<Revision>,
    retired: SyncSender<Arc<State>>,
    /// How many are kept of those that served before.
    keep: usize,
}

/// A snapshot that may not be published.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("revision {got} is not newer than {serving}, which serves")]
pub struct NotNewer {
    /// The revision offered.
    pub got: Revision,
    /// The revision that serves.
    pub serving: Revision,
}

/// The two ends, before the first snapshot.
///
/// # Errors
/// The system has no thread for freeing old snapshots.
pub fn channel() -> std::io::Result<(SnapshotPublisher, SnapshotReader)> {
    let shared = Arc::new(Shared {
        state: ArcSwapOption::const_empty(),
        feed: ArcSwapOption::const_empty(),
        kept: ArcSwapOption::const_empty(),
    });
    let (sender, receiver) = watch::channel(Revision::default());
    let (retired, to_free) = sync_channel(1);
    std::thread::Builder::new()
        .name("retired".to_owned())
        .spawn(move || free_retired(&to_free))?;
    let publisher = SnapshotPublisher {
        shared: Arc::clone(&shared),
        revision: sender,
        retired,
        keep: 0,
    };
    Ok((
        publisher,
        SnapshotReader {
            shared,
            revision: receiver,
        },
    ))
}

// === impl SnapshotReader ===

impl SnapshotReader {
    /// What serves now; `None` before the first publish. Keep the guard inside one
    /// synchronous call.
    #[must_use]
    #[inline]
    pub fn load(&self) -> Guard<Option<Arc<State>>> {
        self.shared.state.load()
    }

    /// The same for what takes long: it keeps the snapshot alive, and may cross an await.
    #[must_use]
    pub fn load_owned(&self) -> Option<Arc<State>> {
        self.shared.state.load_full()
    }

    /// What served at a revision, if it is one of those kept.
    #[must_use]
    pub fn kept(&self, revision: Revision) -> Option<Arc<State>> {
        let kept = self.shared.kept.load();
        let mut kept = kept.as_deref()?.iter();
        kept.find(|state| state.snapshot.revision() == revision)
            .map(Arc::clone)
    }

    /// The revision that serves; 0 before the first.
    #[must_use]
    pub fn revision(&self) -> Revision {
        *self.revision.borrow()
    }

    /// Waits until at least `revision` serves. Ends early, with `false`, only when the
    /// publisher is gone.
    pub async fn reached(&self, revision: Revision) -> bool {
        let mut changes = self.revision.clone();
        let reached = changes.wait_for(|serving| *serving >= revision).await;
        reached.is_ok()
    }

    /// A receiver that is told each revision published.
    #[must_use]
    pub fn changes(&self) -> watch::Receiver<Revision> {
        self.revision.clone()
    }

    /// How the feed fares; `None` before its first word.
    #[must_use]
    pub fn feed(&self) -> Option<Arc<FeedReport>> {
        self.shared.feed.load_full()
    }
}

// === impl SnapshotPublisher ===

impl SnapshotPublisher {
    /// What serves now, to validate and build the next one against.
    #[must_use]
    pub fn current(&self) -> Option<Arc<State>> {
        self.shared.state.load_full()
    }

    /// From now on keeps this many of those that served, for explanations: each costs its
    /// whole memory. At most `limits::KEPT_REVISIONS_MAX`.
    pub fn keep(&mut self, revisions: usize) {
        self.keep = revisions.min(KEPT_REVISIONS_MAX);
    }

    /// Makes `snapshot` the one that serves: checks its revision, stores it, then tells
    /// those who wait. The one before is freed on a thread of its own, once its last reader
    /// let go.
    ///
    /// # Errors
    /// The revision does not grow; nothing changed.
    pub fn publish(&mut self, snapshot: Snapshot, monotonic: Duration) -> Result<(), NotNewer> {
        let got = snapshot.revision();
        let serving = *self.revision.borrow();
        if got <= serving {
            return Err(NotNewer { got, serving });
        }
        let state = State {
            snapshot,
            confirmed_nanos: AtomicU64::new(nanos(monotonic)),
        };
        let old = self.shared.state.swap(Some(Arc::new(state)));
        self.revision.send_replace(got);
        if let Some(old) = old.and_then(|old| self.retire(old)) {
            // Blocks when `RETIRED_MAX` are still read: the feed waits, requests do not. If
            // the thread is gone, the snapshot is freed here, which is no request thread.
            drop(self.retired.send(old));
        }
        Ok(())
    }

    /// Keeps what served; what is kept no longer is to be freed.
    fn retire(&self, old: Arc<State>) -> Option<Arc<State>> {
        if self.keep == 0 {
            return Some(old);
        }
        let kept = self.shared.kept.load_full();
        let mut kept = kept.as_deref().cloned().unwrap_or_default();
        kept.push(old);
        let over = (kept.len() > self.keep).then(|| kept.remove(0));
        self.shared.kept.store(Some(Arc::new(kept)));
        over
    }

    /// Notes that the feed found what serves unchanged.
    pub fn confirm(&self, monotonic: Duration) {
        if let Some(state) = &*self.shared.state.load() {
            state
                .confirmed_nanos
                .fetch_max(nanos(monotonic), Ordering::Relaxed);
        }
    }

    /// Tells how the feed fares.
    pub fn report(&self, report: FeedReport) {
        self.shared.feed.store(Some(Arc::new(report)));
    }
}

fn nanos(monotonic: Duration) -> u64 {
    u64::try_from(monotonic.as_nanos()).unwrap_or(u64::MAX)
}

/// Holds retired snapshots until nobody else does, then frees them: a big graph takes
/// milliseconds to free, which no request shall pay.
fn free_retired(retired: &Receiver<Arc<State>>) {
    let mut waiting: Vec<Arc<State>> = Vec::with_capacity(RETIRED_MAX);
    loop {
        // `swap` turned every guard on the old state into a counted reference, and no new
        // one can be taken: a count of one is ours and final.
        waiting.retain(|state| Arc::strong_count(state) > 1);
        let next = if waiting.is_empty() {
            retired.recv().map_err(|_| RecvTimeoutError::Disconnected)
        } else if waiting.len() < RETIRED_MAX {
            retired.recv_timeout(RETIRED_POLL)
        } else {
            std::thread::park_timeout(RETIRED_POLL);
            continue;
        };
        match next {
            Ok(state) => waiting.push(state),
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => return,
        }
    }
}
