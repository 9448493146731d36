//! The composition root: wires the parts together, runs them, stops them.

pub mod client;
pub mod load;
pub mod lookup;

use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use tokio::signal::unix::{Signal, SignalKind, signal};

use crate::clock::{Clock, SystemClock};
use crate::credential::pepper::Pepper;
use crate::feed::{self, Feed};
use crate::graph::issue::Issues;
use crate::graph::snapshot::Counts;
use crate::live::{self, SnapshotReader};
use crate::model::revision::Revision;
use crate::serve::caller::Admins;
use crate::serve::dispatch::Parts;
use crate::serve::listen::{Address, NotAnAddress};
use crate::serve::{self, Server};
use crate::telemetry::logging;
use crate::wire::envoy::settings::Settings;

/// The example that `--demo` serves.
const DEMO: feed::Source = feed::Source::Embedded {
    name: "acme.yaml",
    text: include_str!("../examples/acme/acme.yaml"),
};

/// What `postern serve` was told.
#[derive(Debug)]
pub struct Config {
    /// File or directory of the snapshot; `None`: the built-in example.
    pub snapshot: Option<PathBuf>,
    /// `IP:PORT` or `unix:/path`; at least one.
    pub listen: Vec<String>,
    /// File mode of Unix sockets.
    pub socket_mode: u32,
    /// Data-plane threads; `None`: one for each core.
    pub workers: Option<usize>,
    /// Interval of the content poll.
    pub poll: Duration,
    /// Pepper of keys stored as HMAC.
    pub pepper: Option<Pepper>,
    /// What the operator says about the proxy interface.
    pub envoy: Settings,
    /// How many revisions that served before are kept, for explanations.
    pub keep_revisions: usize,
    /// Users who may ask what reveals or creates much; `None`: whoever can connect.
    pub admin_uids: Option<Vec<u32>>,
    /// Told what is being done, and `None` when it is done.
    pub progress: feed::Progress,
}

/// What a person in front of the terminal is told.
#[derive(Debug)]
pub enum Event<'a> {
    /// Connections are accepted; health is NOT_SERVING yet.
    Listening(&'a [Address]),
    /// The first snapshot serves.
    Ready(Revision, &'a Counts),
    /// The signal to stop came.
    Stopping,
}

/// Why the process ends other than on a signal.
#[derive(Debug, thiserror::Error)]
#[expect(missing_docs, reason = "the messages say it")]
pub enum Error {
    #[error(transparent)]
    Address(#[from] NotAnAddress),
    #[error(transparent)]
    Server(#[from] serve::Error),
    #[error("{0}")]
    Snapshot(Issues),
    #[error("{0} has died: this is a bug, please report it; the log says where")]
    Died(&'static str),
    #[error("the system refused {0}: {1}")]
    System(&'static str, #[source] io::Error),
}

/// Starts the log; see [`logging::start`].
///
/// # Errors
/// One line, for the operator.
pub fn start_log(json: bool, level: &str) -> Result<(), String> {
    logging::start(
        if json {
            logging::Format::Json
        } else {
            logging::Format::Text
        },
        level,
    )
}

/// Serves until a signal or a failure.
///
/// # Errors
/// What stopped it, or kept it from starting.
pub fn run(config: Config, tell: &mut dyn FnMut(Event<'_>)) -> Result<(), Error> {
    // The control plane: accepting, signals, waiting. Decisions run on the workers.
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| Error::System("a runtime", error))?;
    runtime.block_on(async {
        let mut running = Running::start(config, tell)?;
        let result = running.until_stopped(tell).await;
        if result.is_ok() {
            tell(Event::Stopping);
        }
        let Running {
            mut terminate,
            mut interrupt,
            server,
            feed,
            ..
        } = running;
        feed.stop();
        // Who asks twice does not want to wait for the drain.
        tokio::select! {
            () = server.stop() => {}
            _ = terminate.recv() => tracing::warn!("second signal, connections cut"),
            _ = interrupt.recv() => tracing::warn!("second signal, connections cut"),
        }
        result
    })
}

struct Running {
    terminate: Signal,
    interrupt: Signal,
    hangup: Signal,
    reader: SnapshotReader,
    server: Server,
    feed: Feed,
}

impl Running {
    fn start(config: Config, tell: &mut dyn FnMut(Event<'_>)) -> Result<Self, Error> {
        let Config {
            snapshot,
            listen,
            socket_mode,
            workers,
            poll,
            pepper,
            envoy,
            keep_revisions,
            admin_uids,
            progress,
        } = config;
        let refused = |error| Error::System("signals", error);
        let terminate = signal(SignalKind::terminate()).map_err(refused)?;
        let interrupt = signal(SignalKind::interrupt()).map_err(refused)?;
        let hangup = signal(SignalKind::hangup()).map_err(refused)?;
        let clock: Arc<dyn Clock> = Arc::new(SystemClock::start());
        let no_thread = |error| Error::System("a thread", error);
        let (mut publisher, reader) = live::channel().map_err(no_thread)?;
        publisher.keep(keep_revisions);
        let build = load::options(pepper.is_some());
        let parts = Parts {
            reader: reader.clone(),
            clock: Arc::clone(&clock),
            pepper,
            envoy,
            admins: admin_uids.map_or(Admins::Everyone, |uids| Admins::Uids(uids.into())),
        };
        let cores = || std::thread::available_parallelism().map_or(1, usize::from);
        let config = serve::Config {
            listen: listen
                .iter()
                .map(|text| text.parse())
                .collect::<Result<_, _>>()?,
            socket_mode,
            workers: workers.unwrap_or_else(cores),
            bounds: serve::Bounds::default(),
        };
        let server = Server::start(&config, parts)?;
        tell(Event::Listening(server.addresses()));
        let source = snapshot.map_or(DEMO, feed::Source::Path);
        let config = feed::Config {
            source,
            poll,
            build,
            progress,
        };
        let feed = Feed::start(config, publisher, clock).map_err(no_thread)?;
        Ok(Self {
            terminate,
            interrupt,
            hangup,
            reader,
            server,
            feed,
        })
    }

    async fn until_stopped(&mut self, tell: &mut dyn FnMut(Event<'_>)) -> Result<(), Error> {
        let mut ready = false;
        loop {
            tokio::select! {
                biased;
                _ = self.terminate.recv() => return Ok(()),
                _ = self.interrupt.recv() => return Ok(()),
                // To many daemons it means "read again"; its default is the end.
                Some(()) = self.hangup.recv() => {
                    tracing::info!("hang-up signal, looking at the snapshot now");
                    self.feed.look();
                }
                first = &mut self.feed.first, if !ready => {
                    let revision = first.map_err(|_| Error::Died("the feed"))?;
                    let revision = revision.map_err(Error::Snapshot)?;
                    ready = true;
                    if let Some(state) = &*self.reader.load() {
                        tell(Event::Ready(revision, state.snapshot.counts()));
                    }
                }
                _ = &mut self.feed.ended, if ready => return Err(Error::Died("the feed")),
                part = self.server.died() => return Err(Error::Died(part)),
            }
        }
    }
}
