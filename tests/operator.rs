//! What an operator meets: signals, and messages that say what to do.

#![expect(
    clippy::allow_attributes,
    reason = "the lints differ from helper to helper"
)]
#![allow(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "helpers of tests, which measure real time"
)]

#[allow(
    dead_code,
    unreachable_pub,
    clippy::expect_used,
    clippy::panic,
    clippy::disallowed_methods,
    reason = "shared"
)]
mod support;

use std::time::{Duration, Instant};

use rustix::process::Signal;
use support::{Server, allows, connect, in_directory, reaches, replace, run, snapshot};

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_hang_up_is_no_end_but_a_look_at_the_snapshot() {
    let (_directory, path) = in_directory(&snapshot(0, &["ann"]));
    let server = Server::serving(&path, &["--poll", "3600"]);
    let channel = connect(server.address()).await;
    server.signal(Signal::HUP);
    replace(&path, &snapshot(0, &["bob"]));
    server.signal(Signal::HUP);
    reaches(&channel, 2).await;
    assert!(allows(&channel, "bob").await);
    let log = server.stop();
    assert!(log.contains("hang-up signal"), "{log}");
}

#[test]
fn a_second_signal_does_not_wait_for_the_drain() {
    let (_directory, path) = in_directory(&snapshot(1, &["ann"]));
    let server = Server::serving(&path, &[]);
    let _stuck = support::stuck(server.address());
    let start = Instant::now();
    server.signal(Signal::TERM);
    assert_eq!(server.line().as_deref(), Some("stopping"));
    server.signal(Signal::TERM);
    let (status, log) = server.end();
    assert!(start.elapsed() < Duration::from_secs(3), "{log}");
    assert_eq!(status.code(), Some(0), "{log}");
    assert!(log.contains("second signal"), "{log}");
}

/// The last line on standard error of a command that fails so.
fn complaint(code: i32, arguments: &[&str]) -> String {
    let (found, _, errors) = run(arguments);
    assert_eq!(found, code, "{arguments:?}: {errors}");
    errors.lines().last().unwrap_or_default().to_owned()
}

#[test]
fn a_complaint_is_one_line_that_says_what_to_do() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let taken = taken.local_addr().unwrap().to_string();
    let serve = |more: &[&str]| complaint(64, &[&["serve", "--demo"], more].concat());
    let _held = std::net::TcpListener::bind(&taken);
    for (line, words) in [
        (serve(&["--listen", &taken]), "name another port"),
        (
            serve(&["--listen", "192.0.2.1:1"]),
            "an address of this machine",
        ),
        (
            serve(&["--listen", "unix:/no/such/place/s"]),
            "make its directory",
        ),
        (
            serve(&["--log-level", "loud"]),
            "expected error, warn, info",
        ),
        (
            serve(&["--log-level", "warning"]),
            "expected error, warn, info",
        ),
        (serve(&["--pepper-file", "/no/such/file"]), "/dev/urandom"),
        (
            complaint(1, &["healthcheck", "--server", "127.0.0.1:1"]),
            "refused",
        ),
        (
            complaint(1, &["healthcheck", "--server", "127.0.0.1:1"]),
            "postern serve",
        ),
        (
            complaint(65, &["validate", "/no/such/file.yaml"]),
            "not valid: 1 issue",
        ),
    ] {
        assert!(line.contains(words), "{line}");
    }
    let (_, out, _) = run(&["validate", "/no/such/file.yaml"]);
    assert!(
        out.starts_with("/no/such/file.yaml: file: unreadable"),
        "{out}"
    );
}
