//! What clients may take of the server: places for connections, and time to open one.

#![expect(clippy::expect_used, reason = "tests may panic")]

#[expect(clippy::allow_attributes, reason = "no test uses all of it")]
#[allow(
    dead_code,
    unreachable_pub,
    clippy::expect_used,
    clippy::panic,
    clippy::disallowed_methods,
    reason = "shared"
)]
mod support;

use std::time::Duration;

use postern::serve::Bounds;
use support::{DEADLINE, InProcess, allows, connect, snapshot, until};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::{TcpStream, UnixStream};

const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
const SETTINGS: &[u8] = &[0, 0, 0, 4, 0, 0, 0, 0, 0];

/// A server on TCP and on a Unix socket.
fn start(bounds: Bounds) -> (InProcess, [String; 2], tempfile::TempDir) {
    let directory = tempfile::tempdir().expect("a directory");
    let socket = format!("unix:{}", directory.path().join("s").display());
    let listen = ["127.0.0.1:0", &socket].map(|text| text.parse().expect("an address"));
    let mut server = InProcess::bounded(listen.into(), bounds);
    server.publish(&snapshot(1, &["ann"]));
    let addresses = [server.address.clone(), socket];
    (server, addresses, directory)
}

trait Stream: AsyncRead + AsyncWrite + Unpin + Send {}
impl<S: AsyncRead + AsyncWrite + Unpin + Send> Stream for S {}

async fn raw(address: &str) -> Box<dyn Stream> {
    match address.strip_prefix("unix:") {
        Some(path) => Box::new(UnixStream::connect(path).await.expect("connects")),
        None => Box::new(TcpStream::connect(address).await.expect("connects")),
    }
}

/// Whether the server closes the stream within `bound`; what it sends is read away.
async fn closes(stream: &mut dyn Stream, bound: Duration) -> bool {
    let end = async {
        let mut sent = [0_u8; 256];
        while stream.read(&mut sent).await.is_ok_and(|count| count > 0) {}
    };
    tokio::time::timeout(bound, end).await.is_ok()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_connection_that_is_not_opened_in_time_is_closed_and_an_idle_one_stays() {
    let bounds = Bounds {
        handshake: Duration::from_millis(300),
        ..Bounds::default()
    };
    let (server, addresses, _directory) = start(bounds);
    for address in &addresses {
        let mut silent = raw(address).await;
        let mut halved = raw(address).await;
        halved.write_all(PREFACE).await.expect("writes");
        let mut idle = raw(address).await;
        idle.write_all(&[PREFACE, SETTINGS].concat())
            .await
            .expect("writes");
        let mut slow = raw(address).await;
        let trickle = async {
            for byte in PREFACE {
                if slow.write_all(&[*byte]).await.is_err() {
                    break;
                }
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        };
        trickle.await;
        for stream in [&mut silent, &mut halved, &mut slow] {
            assert!(closes(&mut **stream, DEADLINE).await, "{address}");
        }
        assert!(
            !closes(&mut *idle, Duration::from_millis(600)).await,
            "{address}"
        );
        drop(idle);
        assert!(allows(&connect(address).await, "ann").await);
    }
    let open = || async { server.server.open() };
    until("all are closed", open, |open| *open == 0).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn connections_over_the_bound_are_closed_and_a_freed_one_makes_room() {
    let bounds = Bounds {
        connections: 2,
        ..Bounds::default()
    };
    let (server, addresses, _directory) = start(bounds);
    for address in &addresses {
        let open = || async { server.server.open() };
        until("all are free", open, |open| *open == 0).await;
        let first = connect(address).await;
        let second = connect(address).await;
        assert!(allows(&first, "ann").await && allows(&second, "ann").await);
        for over in &addresses {
            let mut third = raw(over).await;
            assert!(closes(&mut *third, DEADLINE).await, "{over}");
        }
        assert!(allows(&first, "ann").await && allows(&second, "ann").await);
        drop(first);
        until("one is free", open, |open| *open == 1).await;
        for freed in &addresses {
            let again = connect(freed).await;
            assert!(allows(&again, "ann").await, "{freed}");
            drop(again);
            until("one is free", open, |open| *open == 1).await;
        }
    }
}
