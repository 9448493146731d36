//! Explanations, look-ups, comparison and tokens answer only callers that the configuration
//! names (SPEC 11.5).

#![expect(clippy::expect_used, reason = "a test names what it found")]

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

use std::collections::BTreeSet;

use postern::serve::caller::{Access, METHODS};
use postern::wire::proto::FILE_DESCRIPTOR_SET;
use postern::wire::proto::postern::v1;
use prost_reflect::DescriptorPool;
use support::{Server, allows, connect, in_directory, snapshot};
use tonic::transport::Channel;
use tonic::{Code, Status};
use tonic_prost::ProstCodec;

/// Calls a method with an empty message; the answer's content does not matter here.
async fn call(channel: &Channel, path: &'static str) -> Result<(), Status> {
    let mut client = tonic::client::Grpc::new(channel.clone());
    client.ready().await.expect("the connection stands");
    let codec = ProstCodec::<v1::GetSnapshotRequest, v1::GetSnapshotRequest>::default();
    let request = tonic::Request::new(v1::GetSnapshotRequest {});
    let path = http::uri::PathAndQuery::from_static(path);
    client.unary(request, path, codec).await.map(drop)
}

fn guarded() -> impl Iterator<Item = &'static str> {
    let rows = METHODS.iter();
    rows.filter(|(_, access)| *access == Access::Admins)
        .map(|(method, _)| *method)
}

/// Every guarded method refuses this caller.
async fn refused(address: &str, words: &[&str]) {
    let channel = connect(address).await;
    for path in guarded() {
        let status = call(&channel, path).await.expect_err(path);
        assert_eq!(status.code(), Code::PermissionDenied, "{path}: {status:?}");
        for word in words {
            assert!(status.message().contains(word), "{path}: {status:?}");
        }
    }
    assert!(allows(&channel, "ann").await, "decisions are for everyone");
}

/// No guarded method refuses this caller for what it is.
async fn let_in(address: &str) {
    let channel = connect(address).await;
    for path in guarded() {
        if let Err(status) = call(&channel, path).await {
            assert_ne!(status.code(), Code::PermissionDenied, "{path}: {status:?}");
        }
    }
}

fn uid() -> u32 {
    rustix::process::getuid().as_raw()
}

#[test]
fn every_method_is_classified_and_the_page_says_the_same() {
    let pool = DescriptorPool::decode(FILE_DESCRIPTOR_SET).expect("descriptors");
    let described: BTreeSet<String> = pool
        .services()
        .flat_map(|service| {
            let name = service.full_name().to_owned();
            let methods: Vec<String> = service.methods().map(|m| m.name().to_owned()).collect();
            methods.into_iter().map(move |m| format!("/{name}/{m}"))
        })
        .collect();
    assert!(described.len() >= 7, "{described:?}");
    let rows: BTreeSet<String> = METHODS.iter().map(|(path, _)| (*path).to_owned()).collect();
    let missing: Vec<_> = described.difference(&rows).collect();
    assert!(
        missing.is_empty(),
        "say in src/serve/caller.rs whom they answer: {missing:?}"
    );
    let page = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/OPERATIONS.md"))
        .expect("the page");
    let told: Vec<(String, &str)> = page
        .lines()
        .filter_map(|line| {
            let (method, answers) = line.strip_prefix("| `")?.split_once("` | ")?;
            let is_method = method.contains('/') && method.contains('.');
            is_method.then(|| (format!("/{method}"), answers.trim_end_matches([' ', '|'])))
        })
        .collect();
    let expected: Vec<(String, &str)> = METHODS
        .iter()
        .map(|(method, access)| {
            let answers = match access {
                Access::Everyone => "everyone",
                Access::Admins => "callers that are named",
            };
            ((*method).to_owned(), answers)
        })
        .collect();
    assert_eq!(told, expected);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_named_user_may_ask_over_a_unix_socket_and_nobody_over_tcp() {
    // SPEC 11.5
    let (directory, path) = in_directory(&snapshot(1, &["ann"]));
    let socket = format!("unix:{}", directory.path().join("s").display());
    let (mine, other) = (uid().to_string(), (uid() + 1).to_string());
    let listen = ["--listen", &socket, "--listen", "127.0.0.1:0"];
    let named = [
        &listen[..],
        &["--allow-admin-uid", &other, "--allow-admin-uid", &mine],
    ]
    .concat();
    let server = Server::serving(&path, &named);
    let_in(&socket).await;
    let tcp = server.addresses.iter().find(|a| !a.starts_with("unix:"));
    refused(
        tcp.expect("an address"),
        &["127.0.0.1:", "--allow-admin-uid UID"],
    )
    .await;
    let log = server.stop();
    assert!(!log.contains("warning: with --demo"), "{log}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_user_that_is_not_named_is_refused_and_told_what_names_it() {
    let (directory, path) = in_directory(&snapshot(1, &["ann"]));
    let socket = format!("unix:{}", directory.path().join("s").display());
    let other = (uid() + 1).to_string();
    let advice = format!("`--allow-admin-uid {}`", uid());
    for more in [&[][..], &["--allow-admin-uid", &other]] {
        let server = Server::serving(&path, &[&["--listen", &socket][..], more].concat());
        refused(&socket, &[&advice]).await;
        server.stop();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn the_demo_is_open_to_everyone_and_says_so() {
    let mut server = Server::start(&["--demo", "--listen", "127.0.0.1:0"]);
    server.wait_until_serving();
    let_in(server.address()).await;
    let log = server.stop();
    assert!(log.contains("warning: with --demo, explanations"), "{log}");
}

#[test]
fn what_names_no_one_user_is_refused_at_the_start() {
    let (_directory, path) = in_directory(&snapshot(1, &["ann"]));
    let path = path.to_str().expect("UTF-8");
    for (bad, word) in [
        ("root", "id -u"),
        ("-1", "id -u"),
        ("4294967295", "id -u"),
        ("65534", "another namespace"),
    ] {
        let uid = format!("--allow-admin-uid={bad}");
        let (code, out, errors) = support::run(&["serve", "--snapshot", path, &uid]);
        assert_eq!((code, out.as_str()), (64, ""), "{errors}");
        assert!(errors.contains(word), "{errors}");
    }
    let (code, _, errors) = support::run(&["serve", "--demo", "--allow-admin-uid", "0"]);
    assert_eq!(code, 64, "{errors}");
}
