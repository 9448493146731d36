//! The whole process: start, answer, health, reflection, sockets, stop; and the commands that
//! ask it.

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

use std::os::unix::fs::{FileTypeExt as _, PermissionsExt as _, symlink};
use std::os::unix::net::UnixListener;
use std::time::Duration;

use postern::wire::proto::grpc::health::v1::health_check_response::ServingStatus;
use postern::wire::proto::grpc::health::v1::health_client::HealthClient;
use postern::wire::proto::grpc::health::v1::{HealthCheckRequest, HealthListRequest};
use postern::wire::proto::postern::v1;
use postern::wire::proto::postern::v1::authorize_request::Subject;
use postern::wire::proto::postern::v1::credential_service_client::CredentialServiceClient;
use rustix::process::Signal;
use support::{
    PROJECT, Server, allows, authorize, connect, in_directory, question, run, snapshot, state,
};
use tonic::Code;

const SERVICES: [&str; 5] = [
    "",
    "envoy.service.auth.v3.Authorization",
    "postern.v1.AuthorizationService",
    "postern.v1.CredentialService",
    "postern.v1.SnapshotService",
];
const TRAINER: &str = "pst_demoTrainer1_gKzgvl2S6lnP91TXXVxasuA527P6GZo9he4otHB5o8v_1TIRZF";

fn health(service: &str) -> HealthCheckRequest {
    HealthCheckRequest {
        service: service.to_owned(),
    }
}

// === answers ===

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn the_demo_answers_decisions_and_keys_and_tells_no_secret() {
    let mut server = Server::start(&["--demo", "--listen", "127.0.0.1:0", "--log-level", "trace"]);
    server.wait_until_serving();
    let channel = connect(server.address()).await;
    let request = v1::AuthorizeRequest {
        subject: Some(Subject::Credential(TRAINER.to_owned())),
        permission: "models.runs.create".to_owned(),
        resource: "organizations/acme/teams/-/projects/inspector".to_owned(),
        request_id: "r-7".to_owned(),
        ..v1::AuthorizeRequest::default()
    };
    let response = authorize(&channel, request).await.unwrap();
    assert_eq!(response.decision(), v1::Decision::Allow);
    assert_eq!(response.reason(), v1::Reason::GrantedByScope);
    assert_eq!(
        response.principal,
        "serviceAccount:trainer@acme-iam.example"
    );
    assert_eq!(
        response.resource,
        "organizations/acme/teams/vision/projects/inspector"
    );
    assert_eq!((response.revision, response.organization_revision), (1, 1));
    assert_eq!(response.request_id, "r-7");
    let mut keys = CredentialServiceClient::new(channel.clone());
    let request = v1::VerifyKeyRequest {
        key: TRAINER.to_owned(),
        ..Default::default()
    };
    let answer = keys.verify_key(request).await.unwrap().into_inner();
    assert_eq!(answer.code(), v1::KeyCode::Valid);
    assert_eq!(
        answer.key,
        "organizations/acme/teams/vision/serviceAccounts/trainer/keys/main"
    );
    assert_eq!(answer.organization, "organizations/acme");
    assert_eq!(answer.team, "organizations/acme/teams/vision");
    let state = state(&channel).await;
    assert_eq!(state.counts.unwrap().organizations, 2);
    assert_eq!(state.feed.unwrap().kind(), v1::FeedKind::Demo);
    let log = server.stop();
    assert!(
        !log.contains(TRAINER) && !log.contains("pst_"),
        "a key is in the log"
    );
}

#[test]
fn the_demo_prints_three_calls_to_paste() {
    let server = Server::start(&["--demo", "--listen", "127.0.0.1:0"]);
    let mut calls = 0;
    let mut address = String::new();
    while calls < 3 {
        let line = server.line().expect("three calls");
        if let Some(said) = line.strip_prefix("listening on ") {
            address = said.to_owned();
        }
        if line.trim_start().starts_with("grpcurl ") {
            assert!(line.contains(&address), "{line}");
            calls += 1;
        }
    }
}

// === health and reflection ===

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn health_knows_every_service_and_no_other() {
    let (_directory, path) = in_directory(&snapshot(0, &["ann"]));
    let server = Server::serving(&path, &[]);
    let mut client = HealthClient::new(connect(server.address()).await);
    for service in SERVICES {
        let response = client.check(health(service)).await.unwrap().into_inner();
        assert_eq!(response.status(), ServingStatus::Serving, "{service}");
    }
    assert_eq!(
        client.check(health("x")).await.unwrap_err().code(),
        Code::NotFound
    );
    // gRFC A90
    let list = client
        .list(HealthListRequest {})
        .await
        .unwrap()
        .into_inner()
        .statuses;
    let names: Vec<&str> = list.keys().map(String::as_str).collect();
    assert_eq!(names, SERVICES);
    assert!(
        list.values()
            .all(|status| status.status() == ServingStatus::Serving)
    );
    server.stop();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_health_watch_tells_changes_and_an_unknown_service_on_an_open_stream() {
    let (_directory, path) = in_directory(&snapshot(0, &["ann"]));
    let server = Server::serving(&path, &[]);
    let mut client = HealthClient::new(connect(server.address()).await);
    let mut known = client.watch(health("")).await.unwrap().into_inner();
    let mut unknown = client.watch(health("x")).await.unwrap().into_inner();
    let first = unknown.message().await.unwrap().unwrap();
    assert_eq!(first.status(), ServingStatus::ServiceUnknown);
    let still_open = tokio::time::timeout(Duration::from_millis(100), unknown.message()).await;
    assert!(still_open.is_err(), "{still_open:?}");
    let first = known.message().await.unwrap().unwrap();
    assert_eq!(first.status(), ServingStatus::Serving);
    server.signal(Signal::TERM);
    let last = known.message().await.unwrap().unwrap();
    assert_eq!(last.status(), ServingStatus::NotServing);
    assert!(
        known.message().await.unwrap().is_none(),
        "the stream ends with the process"
    );
    assert_eq!(server.end().0.code(), Some(0));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn reflection_lists_the_services_in_both_versions() {
    let (_directory, path) = in_directory(&snapshot(0, &["ann"]));
    let server = Server::serving(&path, &[]);
    let channel = connect(server.address()).await;
    let expected = ["grpc.health.v1.Health"]
        .into_iter()
        // Envoy's descriptors are not compiled in: its users have them.
        .chain(SERVICES.into_iter().skip(2));
    let expected: Vec<&str> = expected.collect();
    macro_rules! list {
        ($version:ident) => {{
            use tonic_reflection::pb::$version::ServerReflectionRequest;
            use tonic_reflection::pb::$version::server_reflection_client::ServerReflectionClient;
            use tonic_reflection::pb::$version::server_reflection_request::MessageRequest;
            use tonic_reflection::pb::$version::server_reflection_response::MessageResponse;
            let request = ServerReflectionRequest {
                message_request: Some(MessageRequest::ListServices(String::new())),
                ..ServerReflectionRequest::default()
            };
            let mut client = ServerReflectionClient::new(channel.clone());
            let requests = tokio_stream::once(request);
            let mut answers = client
                .server_reflection_info(requests)
                .await
                .unwrap()
                .into_inner();
            match answers
                .message()
                .await
                .unwrap()
                .unwrap()
                .message_response
                .unwrap()
            {
                MessageResponse::ListServicesResponse(list) => {
                    let names: Vec<String> = list.service.into_iter().map(|s| s.name).collect();
                    for name in &expected {
                        assert!(
                            names.iter().any(|n| n == name),
                            "{name} is not in {names:?}"
                        );
                    }
                }
                other => unreachable!("{other:?}"),
            }
        }};
    }
    list!(v1);
    list!(v1alpha);
    server.stop();
}

// === sockets ===

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn it_listens_on_several_addresses_and_says_which() {
    let (directory, path) = in_directory(&snapshot(0, &["ann"]));
    let socket = format!("unix:{}", directory.path().join("s").display());
    let listen = [
        "--listen",
        "127.0.0.1:0",
        "--listen",
        "127.0.0.1:0",
        "--listen",
        &socket,
    ];
    let server = Server::serving(&path, &listen);
    assert_eq!(server.addresses.len(), 3);
    for address in &server.addresses {
        assert!(!address.ends_with(":0"), "{address}");
        assert!(allows(&connect(address).await, "ann").await, "{address}");
    }
    server.stop();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_unix_socket_has_its_mode_and_is_gone_after_the_stop() {
    let (directory, path) = in_directory(&snapshot(0, &["ann"]));
    let socket = directory.path().join("s");
    let address = format!("unix:{}", socket.display());
    for (more, mode) in [(&[][..], 0o660), (&["--socket-mode", "600"][..], 0o600)] {
        let arguments = [&["--listen", &address][..], more].concat();
        let server = Server::serving(&path, &arguments);
        let metadata = std::fs::symlink_metadata(&socket).unwrap();
        assert!(metadata.file_type().is_socket());
        assert_eq!(metadata.permissions().mode() & 0o777, mode);
        assert!(allows(&connect(&address).await, "ann").await);
        server.stop();
        assert!(!socket.exists());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_stale_socket_is_replaced_and_one_in_use_is_not() {
    let (directory, path) = in_directory(&snapshot(0, &["ann"]));
    let socket = directory.path().join("s");
    let address = format!("unix:{}", socket.display());
    // Dropping a listener leaves its file, as a killed process does.
    drop(UnixListener::bind(&socket).unwrap());
    let server = Server::serving(&path, &["--listen", &address]);
    let channel = connect(&address).await;
    let second = run(&[
        "serve",
        "--snapshot",
        path.to_str().unwrap(),
        "--listen",
        &address,
    ]);
    assert_eq!(second.0, 64);
    assert!(second.2.contains("in use"), "{}", second.2);
    assert!(allows(&channel, "ann").await, "the first is unharmed");
    assert!(
        allows(&connect(&address).await, "ann").await,
        "its file too"
    );
    server.stop();
}

#[test]
fn a_symlink_or_a_file_in_the_way_of_a_socket_is_refused_and_left() {
    let (directory, path) = in_directory(&snapshot(0, &["ann"]));
    let target = directory.path().join("target");
    drop(UnixListener::bind(&target).unwrap());
    let link = directory.path().join("link");
    symlink(&target, &link).unwrap();
    let file = directory.path().join("file");
    std::fs::write(&file, "precious").unwrap();
    for (at, word) in [
        (&link, "symlink"),
        (&file, "no socket"),
        (&directory.path().into(), "no socket"),
    ] {
        let address = format!("unix:{}", at.display());
        let (code, out, errors) = run(&[
            "serve",
            "--snapshot",
            path.to_str().unwrap(),
            "--listen",
            &address,
        ]);
        assert_eq!(code, 64, "{errors}");
        assert!(errors.contains(word), "{errors}");
        assert!(out.is_empty(), "nothing is half-started: {out}");
    }
    assert!(target.exists() && std::fs::read_link(&link).is_ok());
    assert_eq!(std::fs::read_to_string(&file).unwrap(), "precious");
}

#[test]
fn one_bad_address_among_good_ones_starts_nothing() {
    let (directory, path) = in_directory(&snapshot(0, &["ann"]));
    let good = directory.path().join("s");
    let good_address = format!("unix:{}", good.display());
    let arguments = [
        "serve",
        "--snapshot",
        path.to_str().unwrap(),
        "--listen",
        &good_address,
        "--listen",
    ];
    let (code, out, _) = run(&[&arguments[..], &["192.0.2.1:1"]].concat());
    assert_eq!((code, out.as_str()), (64, ""));
    assert!(!good.exists(), "the socket is cleared away");
}

// === stop ===

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn both_signals_end_it_with_0_and_calls_that_run_are_answered() {
    let (_directory, path) = in_directory(&snapshot(1, &["ann"]));
    for signal in [Signal::TERM, Signal::INT] {
        let server = Server::serving(&path, &[]);
        let channel = connect(server.address()).await;
        // Waits for a revision that never comes, until its own deadline.
        let mut request = tonic::Request::new(v1::AuthorizeRequest {
            min_revision: 9,
            ..question("ann", PROJECT)
        });
        request.set_timeout(Duration::from_millis(1_000));
        let waiting = support::waits(&channel, request).await;
        server.signal(signal);
        let answered = waiting.await.unwrap().unwrap_err();
        assert_eq!(answered.code(), Code::FailedPrecondition, "{answered:?}");
        let address = server.address().to_owned();
        let (status, log) = server.end();
        assert_eq!(status.code(), Some(0), "{log}");
        assert!(std::net::TcpStream::connect(address).is_err());
    }
}

#[test]
fn a_client_that_does_not_go_away_is_cut_at_the_bound() {
    let (_directory, path) = in_directory(&snapshot(0, &["ann"]));
    let server = Server::serving(&path, &[]);
    let _stuck = support::stuck(server.address());
    server.signal(Signal::TERM);
    let (status, log) = server.end();
    assert_eq!(status.code(), Some(0), "{log}");
    assert!(log.contains("connections cut"), "{log}");
}

// === commands ===

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn check_says_the_same_of_a_file_and_of_a_server() {
    // SPEC 16
    let (_directory, path) = in_directory(&snapshot(0, &["ann"]));
    let server = Server::serving(&path, &[]);
    let targets = [
        ["--snapshot", path.to_str().unwrap()],
        ["--server", server.address()],
    ];
    for target in targets {
        let check = |principal: &str, more: &[&str]| {
            let question = [principal, support::GET, PROJECT];
            run(&[&["check"][..], &target, &question, more].concat())
        };
        let (code, out, _) = check("user:ann@acme.example", &[]);
        assert_eq!(code, 0, "{out}");
        assert!(out.starts_with("ALLOW GRANTED_BY_POLICY\n"), "{out}");
        let (code, out, _) = check("user:bob@acme.example", &[]);
        assert_eq!(code, 1, "{out}");
        assert!(out.starts_with("DENY NO_GRANT\n"), "{out}");
        let (code, out, _) = check("anonymous", &["--format", "json"]);
        assert_eq!(code, 1);
        let answer: serde_json::Value = serde_json::from_str(&out).unwrap();
        assert_eq!(answer.get("decision").unwrap(), "DENY");
        assert_eq!(answer.get("reason").unwrap(), "UNAUTHENTICATED");
        assert_eq!(answer.get("revision").unwrap(), 1);
        let (code, _, errors) = check("ann", &[]);
        assert_eq!(code, 64, "{errors}");
    }
    let address = server.address().to_owned();
    server.stop();
    let (code, _, errors) = run(&[
        "check",
        "--server",
        &address,
        "anonymous",
        support::GET,
        PROJECT,
    ]);
    assert_eq!(code, 65, "{errors}");
    let (code, _, _) = run(&[
        "check",
        "--snapshot",
        "/no/such.yaml",
        "anonymous",
        support::GET,
        PROJECT,
    ]);
    assert_eq!(code, 65);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn healthcheck_is_0_only_for_a_service_that_serves() {
    let (_directory, path) = in_directory(&snapshot(0, &["ann"]));
    let server = Server::serving(&path, &[]);
    let (code, out, _) = run(&["healthcheck", "--server", server.address()]);
    assert_eq!((code, out.as_str()), (0, "SERVING\n"));
    let (code, _, _) = run(&[
        "healthcheck",
        "--server",
        server.address(),
        "--service",
        "x",
    ]);
    assert_eq!(code, 1);
    let address = server.address().to_owned();
    server.stop();
    assert_eq!(run(&["healthcheck", "--server", &address]).0, 1);
}

#[test]
fn validate_prints_warnings_as_such_and_every_issue_on_a_line() {
    // SPEC 2.4, 16
    let (_directory, path) = in_directory(&snapshot(0, &["ann", "gone"]));
    let path = path.to_str().unwrap();
    let (code, out, _) = run(&["validate", path]);
    assert_eq!(code, 0, "{out}");
    assert_eq!(out.lines().count(), 1, "{out}");
    assert!(
        out.starts_with("warning: ") && out.contains("gone@acme.example"),
        "{out}"
    );
    let bad = snapshot(0, &[])
        .replace("uid: u-bob", "uid: u-ann")
        .replace("ML}", "ML, x: 1}");
    std::fs::write(path, bad).unwrap();
    let (code, out, _) = run(&["validate", path]);
    assert_eq!(code, 65);
    assert!(out.lines().all(|line| line.starts_with(path)), "{out}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_converted_snapshot_serves_the_same() {
    let (directory, path) = in_directory(&snapshot(5, &["ann"]));
    let mut from = path.to_str().unwrap().to_owned();
    for name in ["a.json", "a.ndjson", "a.pst", "b.yaml"] {
        let to = directory.path().join(name);
        let to = to.to_str().unwrap();
        let (code, _, errors) = run(&["convert", &from, to]);
        assert_eq!(code, 0, "{errors}");
        to.clone_into(&mut from);
        let server = Server::serving(std::path::Path::new(to), &[]);
        let channel = connect(server.address()).await;
        assert!(
            allows(&channel, "ann").await && !allows(&channel, "bob").await,
            "{name}"
        );
        assert_eq!(state(&channel).await.revision, 5, "{name}");
        server.stop();
    }
}

#[test]
fn version_and_help_go_to_standard_output() {
    let (code, out, _) = run(&["version"]);
    assert_eq!(code, 0);
    assert!(
        out.starts_with(concat!("postern ", env!("CARGO_PKG_VERSION"), " (")),
        "{out}"
    );
    for command in ["serve", "validate", "check", "convert", "healthcheck"] {
        let (code, out, errors) = run(&[command, "--help"]);
        assert_eq!((code, errors.as_str()), (0, ""), "{command}");
        assert!(
            out.contains("Examples:") && out.contains("postern "),
            "{out}"
        );
    }
}
