//! The data plane: one single-threaded runtime a core, each with connections of its own.
//!
//! In the stock multi-threaded runtime almost every response is a write of its own; on one
//! thread the responses of all requests that came together leave together (PERFORMANCE 1).

use std::io;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use hyper::server::conn::http2;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpStream, UnixStream};
use tokio::sync::{mpsc, oneshot, watch};
use tokio::task::JoinSet;

use crate::limits::{
    CONNECTION_AGE, DRAIN_MAX, HANDOVER_MAX, HEADER_LIST_BYTES_MAX, KEEPALIVE_INTERVAL,
    KEEPALIVE_TIMEOUT, STREAMS_PER_CONNECTION_MAX,
};
use crate::serve::caller::Caller;
use crate::serve::dispatch::Services;
use crate::serve::listen::{Connection, Stream};
use crate::serve::opening::Watched;

/// How far the stop has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Stop {
    /// Not at all.
    No,
    /// Requests that run may end; connections are told to go away.
    Drain,
    /// Connections are cut.
    Cut,
}

/// A worker's thread, seen from the acceptor.
#[derive(Debug)]
pub struct Worker {
    connections: mpsc::Sender<Handover>,
    open: Arc<AtomicUsize>,
}

/// A connection on its way to a worker.
#[derive(Debug)]
struct Handover {
    connection: Connection,
    counted: Counted,
}

/// Counts a connection among a worker's open ones for as long as it lives.
#[derive(Debug)]
struct Counted(Arc<AtomicUsize>);

impl Counted {
    fn new(count: &Arc<AtomicUsize>) -> Self {
        count.fetch_add(1, Ordering::Relaxed);
        Self(Arc::clone(count))
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Worker {
    /// Starts a worker; the receiver resolves when its thread has ended, however it ended.
    ///
    /// # Errors
    /// The system has no thread or descriptors left.
    pub fn start(
        index: usize,
        services: Arc<Services>,
        stop: watch::Receiver<Stop>,
        handshake: Duration,
    ) -> io::Result<(Self, oneshot::Receiver<()>)> {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()?;
        let (connections, receiver) = mpsc::channel(HANDOVER_MAX);
        let (ended_sender, ended) = oneshot::channel();
        std::thread::Builder::new()
            .name(format!("worker-{index}"))
            .spawn(move || {
                // Dropped last, on a panic too: the process must not go on without the worker.
                let _ended = ended_sender;
                runtime.block_on(run(receiver, services, stop, handshake));
            })?;
        Ok((
            Self {
                connections,
                open: Arc::new(AtomicUsize::new(0)),
            },
            ended,
        ))
    }

    /// Connections that are open or on their way.
    #[must_use]
    pub fn open(&self) -> usize {
        self.open.load(Ordering::Relaxed)
    }

    /// Hands a connection over; `false` if the worker is gone.
    pub async fn take(&self, connection: Connection) -> bool {
        let counted = Counted::new(&self.open);
        self.connections
            .send(Handover {
                connection,
                counted,
            })
            .await
            .is_ok()
    }
}

async fn run(
    mut handovers: mpsc::Receiver<Handover>,
    services: Arc<Services>,
    mut stop: watch::Receiver<Stop>,
    handshake: Duration,
) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            handover = handovers.recv() => match handover {
                Some(Handover { connection, counted }) => {
                    let (services, stop) = (Arc::clone(&services), stop.clone());
                    connections.spawn(async move {
                        let _counted = counted;
                        serve(connection, services, stop, handshake).await;
                    });
                }
                None => break,
            },
            // Ended connections leave the set at once; one that panicked ends alone.
            Some(_) = connections.join_next(), if !connections.is_empty() => {}
            changed = stop.changed() => {
                if changed.is_err() || *stop.borrow() > Stop::No {
                    break;
                }
            }
        }
    }
    while connections.join_next().await.is_some() {}
}

async fn serve(
    connection: Connection,
    services: Arc<Services>,
    stop: watch::Receiver<Stop>,
    handshake: Duration,
) {
    // An error here is one of the system for this connection alone; its client sees it.
    let Connection { stream, caller } = connection;
    match stream {
        Stream::Tcp(stream) => {
            if let Ok(stream) = TcpStream::from_std(stream) {
                serve_http2(stream, caller, services, stop, handshake).await;
            }
        }
        Stream::Unix(stream) => {
            if let Ok(stream) = UnixStream::from_std(stream) {
                serve_http2(stream, caller, services, stop, handshake).await;
            }
        }
    }
}

async fn serve_http2<S>(
    stream: S,
    caller: Caller,
    services: Arc<Services>,
    mut stop: watch::Receiver<Stop>,
    handshake: Duration,
) where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let mut builder = http2::Builder::new(TokioExecutor::new());
    builder
        .timer(TokioTimer::new())
        .max_concurrent_streams(STREAMS_PER_CONNECTION_MAX)
        .max_header_list_size(HEADER_LIST_BYTES_MAX)
        .keep_alive_interval(KEEPALIVE_INTERVAL)
        .keep_alive_timeout(KEEPALIVE_TIMEOUT);
    let service = hyper::service::service_fn(move |request| {
        let services = Arc::clone(&services);
        async move { services.answer(request, caller).await }
    });
    let (stream, open) = Watched::new(stream);
    let mut connection = pin!(builder.serve_connection(TokioIo::new(stream), service));
    let mut opening = pin!(tokio::time::sleep(handshake));
    let mut looked = false;
    let mut age = pin!(tokio::time::sleep(jittered(CONNECTION_AGE)));
    let mut old = false;
    loop {
        tokio::select! {
            biased;
            // Errors are the client's: a reset, a bad preface. They end this connection.
            _ended = &mut connection => return,
            changed = stop.changed() => match (changed, *stop.borrow_and_update()) {
                (Ok(()), Stop::No) => {}
                (Ok(()), Stop::Drain) => connection.as_mut().graceful_shutdown(),
                (Ok(()), Stop::Cut) | (Err(_), _) => return,
            },
            () = &mut opening, if !looked => {
                looked = true;
                if !open.load(Ordering::Relaxed) {
                    return;
                }
            }
            () = &mut age => {
                if old {
                    return;
                }
                old = true;
                connection.as_mut().graceful_shutdown();
                age.set(tokio::time::sleep(DRAIN_MAX));
            }
        }
    }
}

/// `age` plus or minus a tenth, so that connections made together do not end together.
fn jittered(age: Duration) -> Duration {
    age.mul_f64(rand::random_range(0.9..1.1))
}
