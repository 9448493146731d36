//! The file feed on a real file system: every way in which a snapshot is replaced in the
//! field (INTERFACES 2), and that the last good one goes on through all of it.

#![expect(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    clippy::string_slice,
    reason = "tests wait with deadlines of their own and may panic"
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

use std::os::unix::fs::symlink;
use std::path::Path;

use support::{Server, allows, connect, in_directory, reaches, replace, snapshot, state, until};

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn an_atomic_rename_is_seen_again_and_again() {
    let (_directory, path) = in_directory(&snapshot(0, &["ann"]));
    let server = Server::serving(&path, &["--poll", "3600"]);
    let channel = connect(server.address()).await;
    assert!(allows(&channel, "ann").await && !allows(&channel, "bob").await);
    for round in 2..6 {
        let members: &[&str] = if round % 2 == 0 { &["bob"] } else { &["ann"] };
        replace(&path, &snapshot(0, members));
        // No poll comes in an hour: the events must do.
        reaches(&channel, round).await;
        assert_eq!(allows(&channel, "bob").await, round % 2 == 0);
    }
    server.stop();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_write_in_place_is_seen() {
    let (_directory, path) = in_directory(&snapshot(0, &["ann"]));
    let server = Server::serving(&path, &["--poll", "3600"]);
    let channel = connect(server.address()).await;
    std::fs::write(&path, snapshot(0, &["bob"])).unwrap();
    reaches(&channel, 2).await;
    assert!(allows(&channel, "bob").await && !allows(&channel, "ann").await);
    server.stop();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn half_of_a_write_is_neither_applied_nor_reported() {
    let (_directory, path) = in_directory(&snapshot(0, &["ann"]));
    let server = Server::serving(&path, &[]);
    let channel = connect(server.address()).await;
    // Each step leaves a file that does not decode, or decodes to less; the last is whole.
    let whole = snapshot(0, &["ann", "bob"]);
    for length in (0..whole.len()).step_by(whole.len() / 12) {
        std::fs::write(&path, &whole[..length]).unwrap();
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    std::fs::write(&path, &whole).unwrap();
    reaches(&channel, 2).await;
    assert!(allows(&channel, "bob").await);
    let feed = state(&channel).await.feed.unwrap();
    assert!(feed.last_rejected.is_none(), "{feed:?}");
    let log = server.stop();
    assert!(!log.contains("refused"), "{log}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_file_that_goes_and_comes_back_is_seen_and_the_last_good_goes_on() {
    let (_directory, path) = in_directory(&snapshot(0, &["ann"]));
    let server = Server::serving(&path, &[]);
    let channel = connect(server.address()).await;
    std::fs::remove_file(&path).unwrap();
    let lost = |s: &support::Snapshot| s.feed.as_ref().unwrap().last_rejected.is_some();
    until("the loss is told", || state(&channel), lost).await;
    assert!(allows(&channel, "ann").await, "the last good goes on");
    std::fs::write(&path, snapshot(0, &["bob"])).unwrap();
    reaches(&channel, 2).await;
    assert!(allows(&channel, "bob").await);
    assert!(!lost(&state(&channel).await));
    let log = server.stop();
    assert_eq!(
        log.matches("the last good one goes on").count(),
        1,
        "told once: {log}"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_directory_removed_and_made_again_is_watched_again() {
    let base = tempfile::tempdir().unwrap();
    let directory = base.path().join("mount");
    std::fs::create_dir(&directory).unwrap();
    let path = directory.join("acme.yaml");
    std::fs::write(&path, snapshot(0, &["ann"])).unwrap();
    let server = Server::serving(&path, &[]);
    let channel = connect(server.address()).await;
    for round in 2..5 {
        std::fs::remove_dir_all(&directory).unwrap();
        std::fs::create_dir(&directory).unwrap();
        let members: &[&str] = if round % 2 == 0 { &["bob"] } else { &["ann"] };
        std::fs::write(&path, snapshot(0, members)).unwrap();
        reaches(&channel, round).await;
    }
    server.stop();
}

/// Lays out a volume as the kubelet does: files in a directory of their own, `..data` points
/// to it, and the names people use point through `..data`.
fn config_map(volume: &Path, generation: u32, files: &[(&str, String)]) {
    let name = format!("..2026_11_21_{generation}");
    let real = volume.join(&name);
    std::fs::create_dir(&real).unwrap();
    for (file, text) in files {
        std::fs::write(real.join(file), text).unwrap();
    }
    let old = std::fs::read_link(volume.join("..data"));
    let fresh = volume.join("..data_tmp");
    symlink(&name, &fresh).unwrap();
    std::fs::rename(&fresh, volume.join("..data")).unwrap();
    for (file, _) in files {
        drop(symlink(Path::new("..data").join(file), volume.join(file)));
    }
    if let Ok(old) = old {
        std::fs::remove_dir_all(volume.join(old)).unwrap();
    }
}

/// One snapshot in two files; which of the two holds the user's binding does not matter.
fn halves(member: &str) -> [(&'static str, String); 2] {
    let whole = snapshot(0, &[member]);
    let at = whole.find("- allow_policy").unwrap();
    let policy = format!("entities:\n{}", &whole[at..]);
    [
        ("a-graph.yaml", whole[..at].to_owned()),
        ("b-policy.yaml", policy),
    ]
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_config_map_swap_is_seen_whole_for_a_directory() {
    let volume = tempfile::tempdir().unwrap();
    config_map(volume.path(), 1, &halves("ann"));
    let server = Server::serving(volume.path(), &["--poll", "3600"]);
    let channel = connect(server.address()).await;
    for round in 2..6 {
        let member = if round % 2 == 0 { "bob" } else { "ann" };
        config_map(
            volume.path(),
            u32::try_from(round).unwrap(),
            &halves(member),
        );
        reaches(&channel, round).await;
        assert!(allows(&channel, member).await);
    }
    let feed = state(&channel).await.feed.unwrap();
    assert!(feed.last_rejected.is_none(), "{feed:?}");
    server.stop();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_config_map_swap_is_seen_for_a_file_in_it() {
    let volume = tempfile::tempdir().unwrap();
    config_map(volume.path(), 1, &[("acme.yaml", snapshot(0, &["ann"]))]);
    let server = Server::serving(&volume.path().join("acme.yaml"), &["--poll", "3600"]);
    let channel = connect(server.address()).await;
    for round in 2..5 {
        let member = if round % 2 == 0 { "bob" } else { "ann" };
        let files = [("acme.yaml", snapshot(0, &[member]))];
        config_map(volume.path(), u32::try_from(round).unwrap(), &files);
        reaches(&channel, round).await;
        assert!(allows(&channel, member).await);
    }
    server.stop();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn other_files_of_a_directory_are_named_and_not_read() {
    let directory = tempfile::tempdir().unwrap();
    for (name, text) in halves("ann") {
        std::fs::write(directory.path().join(name), text).unwrap();
    }
    std::fs::write(directory.path().join("notes.txt"), "not a snapshot").unwrap();
    std::fs::write(directory.path().join(".b-policy.yaml.swp"), "an editor's").unwrap();
    let server = Server::serving(directory.path(), &[]);
    let channel = connect(server.address()).await;
    assert!(allows(&channel, "ann").await);
    let log = server.stop();
    assert!(log.contains("notes.txt"), "{log}");
    assert!(!log.contains(".swp"), "{log}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_bad_snapshot_while_serving_is_refused_and_the_feed_lives_on() {
    // SPEC 15, 12.4
    let (_directory, path) = in_directory(&snapshot(0, &["ann"]));
    let server = Server::serving(&path, &[]);
    let channel = connect(server.address()).await;
    let bad = snapshot(0, &["bob"]).replace("roles/viewer", "roles/no-such-role");
    replace(&path, &bad);
    let refused = |s: &support::Snapshot| s.feed.as_ref().unwrap().last_rejected.is_some();
    let told = until("the refusal is told", || state(&channel), refused).await;
    let rejection = told.feed.unwrap().last_rejected.unwrap();
    assert_eq!(told.revision, 1);
    assert_eq!(rejection.issue_count, 1, "{rejection:?}");
    assert!(
        rejection.issues[0].contains("unknown_role"),
        "{rejection:?}"
    );
    assert!(allows(&channel, "ann").await && !allows(&channel, "bob").await);
    // The same words as `postern validate`.
    let (code, out, _) = support::run(&["validate", path.to_str().unwrap()]);
    assert_eq!((code, out.trim_end()), (65, rejection.issues[0].as_str()));
    replace(&path, &snapshot(0, &["bob"]));
    reaches(&channel, 2).await;
    assert!(allows(&channel, "bob").await);
    assert!(!refused(&state(&channel).await));
    let log = server.stop();
    assert_eq!(
        log.matches("the last good one goes on").count(),
        1,
        "told once: {log}"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn the_good_content_put_back_is_no_new_revision_and_ends_the_refusal() {
    let good = snapshot(0, &["ann"]);
    let (_directory, path) = in_directory(&good);
    let server = Server::serving(&path, &[]);
    let channel = connect(server.address()).await;
    replace(&path, "entities: [{frob: {}}]");
    let refused = |s: &support::Snapshot| s.feed.as_ref().unwrap().last_rejected.is_some();
    until("the refusal is told", || state(&channel), refused).await;
    replace(&path, &good);
    let after = until("it is over", || state(&channel), |s| !refused(s)).await;
    assert_eq!(after.revision, 1);
    server.stop();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_revision_that_does_not_grow_is_refused() {
    // SPEC 12.1
    let (_directory, path) = in_directory(&snapshot(7, &["ann"]));
    let server = Server::serving(&path, &[]);
    let channel = connect(server.address()).await;
    assert_eq!(state(&channel).await.revision, 7);
    for (stale, text) in [(7, snapshot(7, &["bob"])), (6, snapshot(6, &["bob"]))] {
        replace(&path, &text);
        let refused = |s: &support::Snapshot| {
            let feed = s.feed.as_ref().unwrap();
            feed.last_rejected
                .as_ref()
                .is_some_and(|r| r.revision == stale)
        };
        let told = until("the refusal is told", || state(&channel), refused).await;
        assert_eq!(told.revision, 7);
        assert!(allows(&channel, "ann").await && !allows(&channel, "bob").await);
    }
    replace(&path, &snapshot(8, &["bob"]));
    reaches(&channel, 8).await;
    // Without a revision Postern counts on from the one that serves.
    replace(&path, &snapshot(0, &["ann"]));
    reaches(&channel, 9).await;
    assert_eq!(state(&channel).await.revision, 9);
    server.stop();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn an_unchanged_file_is_fresh_and_a_refused_one_ages() {
    // SPEC 12.1: fresh as of the last confirming poll.
    let (_directory, path) = in_directory(&snapshot(0, &["ann"]));
    let server = Server::serving(&path, &[]);
    let channel = connect(server.address()).await;
    let start = std::time::Instant::now();
    let age = |s: &support::Snapshot| {
        let age = s.age.unwrap();
        std::time::Duration::new(
            u64::try_from(age.seconds).unwrap(),
            u32::try_from(age.nanos).unwrap(),
        )
    };
    let lived = |_: &support::Snapshot| start.elapsed().as_millis() > 600;
    let fresh = until("time passes", || state(&channel), lived).await;
    assert!(
        age(&fresh).as_millis() < 500,
        "polled every 100 ms: {:?}",
        age(&fresh)
    );
    replace(&path, "entities: [{frob: {}}]");
    until("it ages", || state(&channel), |s| age(s).as_millis() > 700).await;
    server.stop();
}
