//! Layer 5: the update path. One thread reads, decodes, validates, compiles and publishes;
//! whatever fails, the last good snapshot goes on and the feed stays alive.

pub mod file;
pub mod pipeline;
pub mod watch;

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::time::Duration;

use tokio::sync::oneshot;

use crate::clock::Clock;
use crate::feed::pipeline::{Outcome, Pipeline};
use crate::feed::watch::Watch;
use crate::graph::issue::Issues;
use crate::limits::FEED_DEBOUNCE;
use crate::live::SnapshotPublisher;
use crate::model::revision::Revision;

/// Where the snapshot comes from.
#[derive(Debug, Clone)]
pub enum Source {
    /// A file or a directory, watched.
    Path(PathBuf),
    /// A text inside the program; never changes.
    Embedded {
        /// Name with the extension that tells the format.
        name: &'static str,
        /// The content.
        text: &'static str,
    },
}

impl std::fmt::Display for Source {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Path(path) => write!(f, "{}", path.display()),
            Self::Embedded { name, .. } => f.write_str(name),
        }
    }
}

/// Shows a person how far a long read is.
pub type Progress = fn(Option<&str>);

/// What the feed needs to run.
#[derive(Debug)]
pub struct Config {
    /// Where the snapshot comes from.
    pub source: Source,
    /// Interval of the poll that works without any file event.
    pub poll: Duration,
    /// What the build needs.
    pub build: crate::graph::Options,
    /// Told what is being done, and `None` when it is done.
    pub progress: Progress,
}

/// The feed's thread, seen from outside.
#[derive(Debug)]
pub struct Feed {
    /// The first snapshot, or every issue of it. Closed without a word: the thread died.
    pub first: oneshot::Receiver<Result<Revision, Issues>>,
    /// Resolves when the thread has ended, however it ended.
    pub ended: oneshot::Receiver<()>,
    stop: Arc<AtomicBool>,
    wake: SyncSender<()>,
}

impl Feed {
    /// Starts the feed's thread.
    ///
    /// # Errors
    /// The system has no thread left.
    pub fn start(
        config: Config,
        publisher: SnapshotPublisher,
        clock: Arc<dyn Clock>,
    ) -> std::io::Result<Self> {
        let (wake, woken) = sync_channel(1);
        let (first_sender, first) = oneshot::channel();
        let (ended_sender, ended) = oneshot::channel();
        let stop = Arc::new(AtomicBool::new(false));
        let (stopped, waker) = (Arc::clone(&stop), wake.clone());
        std::thread::Builder::new()
            .name("feed".to_owned())
            .spawn(move || {
                // Dropped last, on a panic too: the process must not go on without its feed.
                let _ended = ended_sender;
                run(
                    config,
                    publisher,
                    clock,
                    first_sender,
                    &Signals {
                        stopped,
                        woken,
                        waker,
                    },
                );
            })?;
        Ok(Self {
            first,
            ended,
            stop,
            wake,
        })
    }

    /// Asks the thread to look at the source now.
    pub fn look(&self) {
        // Full is as good: a look is due anyway.
        let _full = self.wake.try_send(());
    }

    /// Asks the thread to end; it does so after the step it is in.
    pub fn stop(&self) {
        self.stop.store(true, Ordering::Release);
        self.look();
    }
}

/// What wakes the thread.
struct Signals {
    stopped: Arc<AtomicBool>,
    woken: Receiver<()>,
    waker: SyncSender<()>,
}

impl Signals {
    fn is_stopped(&self) -> bool {
        self.stopped.load(Ordering::Acquire)
    }

    /// Waits for an event, at most `poll`. What the event says does not matter: any wake-up
    /// is a re-check.
    fn wait(&self, poll: Duration) -> bool {
        self.woken.recv_timeout(poll) == Ok(())
    }
}

fn run(
    config: Config,
    publisher: SnapshotPublisher,
    clock: Arc<dyn Clock>,
    first: oneshot::Sender<Result<Revision, Issues>>,
    signals: &Signals,
) {
    let mut watch = match &config.source {
        Source::Path(path) => Some(Watch::new(path.clone(), signals.waker.clone())),
        Source::Embedded { .. } => None,
    };
    // Armed before the first read, so that no change falls between the two.
    if let Some(watch) = &mut watch {
        watch.arm();
    }
    let poll = config.poll;
    let mut pipeline = Pipeline::new(config, publisher, clock);
    let outcome = pipeline.check(&mut std::thread::park_timeout);
    match outcome {
        Outcome::Published(revision) => drop(first.send(Ok(revision))),
        Outcome::Unchanged | Outcome::Unsettled | Outcome::Refused => {
            drop(first.send(Err(pipeline.take_issues())));
            return;
        }
    }
    while !signals.is_stopped() {
        let woken = signals.wait(poll);
        if signals.is_stopped() {
            return;
        }
        if let Some(watch) = &mut watch {
            watch.arm();
        }
        let outcome = pipeline.check(&mut std::thread::park_timeout);
        if woken && outcome == Outcome::Unchanged {
            // Events that mean nothing to us, such as a log file beside the snapshot, may
            // come without end.
            std::thread::park_timeout(FEED_DEBOUNCE);
        }
    }
}
