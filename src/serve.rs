//! Layer 6: the request path.
//!
//! One acceptor hands each connection to the worker with the fewest; a worker decodes,
//! loads the snapshot once, decides and answers without a lock, a wait or a log line.

pub mod authorization;
pub mod background;
pub mod caller;
pub mod client;
pub mod codec;
pub mod compare;
pub mod credential;
pub mod cursor;
pub mod dispatch;
pub mod envoy;
pub mod explain;
pub mod freshness;
pub mod health;
pub mod listen;
pub mod lookup;
pub mod opening;
pub mod org_policy;
pub mod snapshot;
pub mod worker;

use std::io;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio::task::JoinSet;

use crate::limits::{ACCEPT_PAUSE, CONNECTIONS_MAX, DRAIN_MAX, HANDSHAKE_TIMEOUT};
use crate::live::SnapshotReader;
use crate::model::revision::Revision;
use crate::serve::dispatch::{Parts, Services};
use crate::serve::health::Phase;
use crate::serve::listen::{Address, Listener};
use crate::serve::worker::{Stop, Worker};

/// What the server needs to start.
#[derive(Debug)]
pub struct Config {
    /// Where to listen; at least one.
    pub listen: Vec<Address>,
    /// File mode of Unix sockets.
    pub socket_mode: u32,
    /// Data-plane threads; at least one.
    pub workers: usize,
    /// What clients may take.
    pub bounds: Bounds,
}

/// What clients may take of the server.
#[derive(Debug, Clone, Copy)]
pub struct Bounds {
    /// Most connections; see [`CONNECTIONS_MAX`].
    pub connections: usize,
    /// Longest opening of a connection; see [`HANDSHAKE_TIMEOUT`].
    pub handshake: Duration,
}

impl Default for Bounds {
    fn default() -> Self {
        Self {
            connections: CONNECTIONS_MAX,
            handshake: HANDSHAKE_TIMEOUT,
        }
    }
}

/// Why the server did not start.
#[derive(Debug, thiserror::Error)]
#[expect(missing_docs, reason = "the messages say it")]
pub enum Error {
    #[error(transparent)]
    Listen(#[from] listen::Error),
    #[error("cannot start a worker: {0}")]
    Worker(#[source] io::Error),
}

/// A server that accepts.
#[derive(Debug)]
pub struct Server {
    addresses: Vec<Address>,
    phase: Arc<watch::Sender<Phase>>,
    stop: watch::Sender<Stop>,
    acceptors: JoinSet<()>,
    workers: Arc<[Worker]>,
    ended: JoinSet<()>,
}

impl Server {
    /// Binds every address, starts the workers and accepts. Must be called inside the
    /// control runtime.
    ///
    /// # Errors
    /// An address cannot be bound, or a thread not be made; then nothing was started.
    pub fn start(config: &Config, parts: Parts) -> Result<Self, Error> {
        let listeners = config
            .listen
            .iter()
            .map(|address| Listener::bind(address, config.socket_mode))
            .collect::<Result<Vec<_>, _>>()?;
        let (phase, _) = watch::channel(Phase::Starting);
        let (stop, stopped) = watch::channel(Stop::No);
        let phase = Arc::new(phase);
        let reader = parts.reader.clone();
        let services = Arc::new(Services::new(parts, phase.subscribe()));
        let changes = reader.changes();
        tokio::spawn(envoy::report::tell(
            Arc::clone(&services),
            reader.clone(),
            changes,
        ));
        let mut workers = Vec::with_capacity(config.workers);
        let mut ended = JoinSet::new();
        for index in 0..config.workers {
            let handshake = config.bounds.handshake;
            let services = Arc::clone(&services);
            let (worker, end) = Worker::start(index, services, stopped.clone(), handshake)
                .map_err(Error::Worker)?;
            workers.push(worker);
            ended.spawn(async move { drop(end.await) });
        }
        let workers: Arc<[Worker]> = workers.into();
        let addresses = listeners.iter().map(|l| l.address.clone()).collect();
        let mut acceptors = JoinSet::new();
        for listener in listeners {
            let connections_max = config.bounds.connections;
            acceptors.spawn(accept(listener, Arc::clone(&workers), connections_max));
        }
        tokio::spawn(serve_once_published(reader, Arc::clone(&phase)));
        Ok(Self {
            addresses,
            phase,
            stop,
            acceptors,
            workers,
            ended,
        })
    }

    /// Where it listens; ports are resolved.
    #[must_use]
    pub fn addresses(&self) -> &[Address] {
        &self.addresses
    }

    /// Connections that are open.
    #[must_use]
    pub fn open(&self) -> usize {
        self.workers.iter().map(Worker::open).sum()
    }

    /// Resolves when an acceptor or a worker has died: the process must end.
    pub async fn died(&mut self) -> &'static str {
        tokio::select! {
            Some(_) = self.acceptors.join_next() => "an acceptor",
            Some(_) = self.ended.join_next() => "a worker",
        }
    }

    /// Stops in two phases: health says NOT_SERVING, nothing is accepted any more, and every
    /// connection is told to go away; whatever is left at the bound is cut.
    pub async fn stop(mut self) {
        self.phase.send_replace(Phase::Stopping);
        // Closes the listeners and removes the Unix sockets.
        self.acceptors.shutdown().await;
        self.stop.send_replace(Stop::Drain);
        let drained = tokio::time::timeout(DRAIN_MAX, self.workers_ended()).await;
        if drained.is_err() {
            tracing::warn!(open = self.open(), "connections cut after the drain");
            self.stop.send_replace(Stop::Cut);
            self.workers_ended().await;
        }
    }

    async fn workers_ended(&mut self) {
        while self.ended.join_next().await.is_some() {}
    }
}

/// Health is SERVING from the first snapshot on.
async fn serve_once_published(reader: SnapshotReader, phase: Arc<watch::Sender<Phase>>) {
    if reader.reached(Revision(1)).await {
        phase.send_if_modified(|phase| {
            let starting = *phase == Phase::Starting;
            if starting {
                *phase = Phase::Serving;
            }
            starting
        });
    }
}

/// Hands each connection to the worker with the fewest open ones.
async fn accept(listener: Listener, workers: Arc<[Worker]>, connections_max: usize) {
    let mut warned = false;
    loop {
        let connection = match listener.accept().await {
            Ok(connection) => connection,
            Err(error) if listen::is_transient(&error) => continue,
            Err(error) => {
                if !warned {
                    warned = true;
                    tracing::error!(address = %listener.address, %error, "cannot accept");
                }
                tokio::time::sleep(ACCEPT_PAUSE).await;
                continue;
            }
        };
        warned = false;
        let open: usize = workers.iter().map(Worker::open).sum();
        if open >= connections_max {
            // Closed by the drop; the client backs off and may find another instance.
            drop(connection);
            continue;
        }
        let Some(worker) = workers.iter().min_by_key(|worker| worker.open()) else {
            return;
        };
        if !worker.take(connection).await {
            return;
        }
    }
}
