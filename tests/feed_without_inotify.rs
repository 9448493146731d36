//! The file feed where no inotify instance is left. Alone in this file: the limit is the
//! user's, so nothing else may start meanwhile.

#![expect(
    clippy::disallowed_methods,
    reason = "tests wait with deadlines of their own"
)]

#[expect(clippy::allow_attributes, reason = "no test uses all of it")]
#[allow(
    dead_code,
    unreachable_pub,
    clippy::expect_used,
    clippy::panic,
    reason = "shared"
)]
mod support;

use support::{Server, allows, connect, in_directory, reaches, replace, snapshot};

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn without_inotify_the_poll_does_it_and_says_so_once() {
    let (_directory, path) = in_directory(&snapshot(0, &["ann"]));
    // What a dense node has too few of. The limit is the user's, so the instances are used
    // up here for as long as the server starts.
    let mut hoard = Vec::new();
    while let Ok(watcher) = notify::recommended_watcher(|_| {}) {
        hoard.push(watcher);
        assert!(hoard.len() < 100_000, "no bound on inotify instances here");
    }
    let server = Server::serving(&path, &[]);
    let channel = connect(server.address()).await;
    replace(&path, &snapshot(0, &["bob"]));
    reaches(&channel, 2).await;
    assert!(allows(&channel, "bob").await);
    drop(hoard);
    let log = server.stop();
    assert_eq!(log.matches("no file events").count(), 1, "{log}");
}
