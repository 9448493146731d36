//! Bad input, line by line of SPEC 15.

#![expect(clippy::too_many_lines, reason = "a table")]

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

use std::collections::BTreeMap;
use std::time::Duration;

use postern::wire::proto::grpc::health::v1::health_client::HealthClient;
use postern::wire::proto::grpc::health::v1::{
    HealthCheckRequest, HealthListRequest, health_check_response::ServingStatus,
};
use postern::wire::proto::postern::v1::authorization_service_client::AuthorizationServiceClient;
use postern::wire::proto::postern::v1::authorize_request::Subject;
use postern::wire::proto::postern::v1::batch_authorize_item::Result as Item;
use postern::wire::proto::postern::v1::credential_service_client::CredentialServiceClient;
use postern::wire::proto::postern::v1::snapshot_service_client::SnapshotServiceClient;
use postern::wire::proto::postern::v1::{self, AuthorizeRequest};
use prost_types::value::Kind;
use support::{InProcess, PROJECT, authorize, connect, question, run, snapshot};
use tonic::{Code, Status};
use tonic_types::StatusExt as _;

fn fields(status: &Status) -> Vec<String> {
    let details = status.get_details_bad_request();
    let violations = details.map(|bad| bad.field_violations).unwrap_or_default();
    violations
        .into_iter()
        .map(|violation| violation.field)
        .collect()
}

fn text(value: &str) -> prost_types::Value {
    prost_types::Value {
        kind: Some(Kind::StringValue(value.to_owned())),
    }
}

fn attributes(fields: &[(&str, prost_types::Value)]) -> Option<prost_types::Struct> {
    let fields: BTreeMap<String, prost_types::Value> = fields
        .iter()
        .map(|(name, value)| ((*name).to_owned(), value.clone()))
        .collect();
    Some(prost_types::Struct { fields })
}

/// Each wrong request, by the field that must be named.
fn wrong_requests() -> Vec<(&'static str, AuthorizeRequest)> {
    let good = question("ann", PROJECT);
    let principal = |text: &str| Some(Subject::Principal(text.to_owned()));
    let resource = |text: &str| AuthorizeRequest {
        resource: text.to_owned(),
        ..good.clone()
    };
    let permission = |text: &str| AuthorizeRequest {
        permission: text.to_owned(),
        ..good.clone()
    };
    let context = |permission: &str, context| AuthorizeRequest {
        permission: permission.to_owned(),
        context,
        ..good.clone()
    };
    let none = prost_types::Value { kind: None };
    let nan = prost_types::Value {
        kind: Some(Kind::NumberValue(f64::NAN)),
    };
    let many: Vec<String> = (0..300).map(|n| format!("a{n}")).collect();
    let many: Vec<(&str, prost_types::Value)> =
        many.iter().map(|name| (name.as_str(), text(""))).collect();
    let long = "x".repeat(129);
    vec![
        // missing
        (
            "subject",
            AuthorizeRequest {
                subject: None,
                ..good.clone()
            },
        ),
        ("permission", permission("")),
        ("resource", resource("")),
        (
            "context.visibility",
            context("resourcemanager.projects.setVisibility", None),
        ),
        // malformed
        (
            "principal",
            AuthorizeRequest {
                subject: principal(""),
                ..good.clone()
            },
        ),
        (
            "principal",
            AuthorizeRequest {
                subject: principal("ann"),
                ..good.clone()
            },
        ),
        (
            "principal",
            AuthorizeRequest {
                subject: principal("robot:x@y.example"),
                ..good.clone()
            },
        ),
        (
            "principal",
            AuthorizeRequest {
                subject: principal("allUsers"),
                ..good.clone()
            },
        ),
        ("permission", permission("models")),
        ("permission", permission("models.runs.get.more")),
        ("permission", permission("models.*.get")),
        ("resource", resource("organizations")),
        ("resource", resource("organizations/")),
        ("resource", resource("organizations/acme/")),
        ("resource", resource("/organizations/acme")),
        ("resource", resource("organizations//teams/ml")),
        ("resource", resource("organizations/../teams/ml")),
        ("resource", resource("organizations/acme%2fteams/ml")),
        ("resource", resource("organizations/ac\u{0}me")),
        ("resource", resource("organizations/acmé")),
        (
            "entity",
            AuthorizeRequest {
                entity: "ml".to_owned(),
                ..good.clone()
            },
        ),
        (
            "source_ip",
            AuthorizeRequest {
                source_ip: "localhost".to_owned(),
                ..good.clone()
            },
        ),
        (
            "delegates[0]",
            AuthorizeRequest {
                delegates: vec!["x".to_owned()],
                ..good.clone()
            },
        ),
        // unknown enum
        (
            "context.visibility",
            context(
                "resourcemanager.projects.setVisibility",
                attributes(&[("visibility", text("SECRET"))]),
            ),
        ),
        // a value that is set to nothing, or is no number
        ("context", context(support::GET, attributes(&[("a", none)]))),
        ("context", context(support::GET, attributes(&[("a", nan)]))),
        // over a bound
        ("resource", resource(&format!("organizations/{long}"))),
        (
            "resource",
            resource(&format!("organizations/a{}", "/b/c".repeat(16))),
        ),
        (
            "permission",
            permission(&format!("models.runs.{}", "x".repeat(300))),
        ),
        (
            "request_id",
            AuthorizeRequest {
                request_id: "x".repeat(257),
                ..good.clone()
            },
        ),
        (
            "attribution",
            AuthorizeRequest {
                attribution: "x".repeat(255),
                ..good.clone()
            },
        ),
        (
            "delegates",
            AuthorizeRequest {
                delegates: vec![String::new(); 17],
                ..good.clone()
            },
        ),
        ("context", context(support::GET, attributes(&many))),
        (
            "max_staleness",
            AuthorizeRequest {
                max_staleness: Some(prost_types::Duration {
                    seconds: -1,
                    nanos: 0,
                }),
                ..good
            },
        ),
    ]
}

#[tokio::test]
async fn malformed_missing_unknown_or_over_a_bound_names_the_field() {
    // SPEC 15, first line; 1.2
    let mut pdp = InProcess::start();
    pdp.publish(&snapshot(0, &["ann"]));
    let channel = connect(&pdp.address).await;
    for (field, request) in wrong_requests() {
        let status = authorize(&channel, request.clone()).await.expect_err(field);
        assert_eq!(
            status.code(),
            Code::InvalidArgument,
            "{field}: {request:?}: {status:?}"
        );
        assert_eq!(fields(&status), [field], "{request:?}: {status:?}");
    }
}

#[tokio::test]
async fn every_wrong_field_is_named_at_once_and_the_request_by_its_id() {
    // SPEC 15
    let mut pdp = InProcess::start();
    pdp.publish(&snapshot(0, &["ann"]));
    let channel = connect(&pdp.address).await;
    let request = AuthorizeRequest {
        subject: None,
        source_ip: "x".to_owned(),
        request_id: "r-1".to_owned(),
        ..question("ann", PROJECT)
    };
    let status = authorize(&channel, request).await.unwrap_err();
    assert_eq!(fields(&status), ["subject", "source_ip"]);
    assert_eq!(status.get_details_request_info().unwrap().request_id, "r-1");
}

#[tokio::test]
async fn a_batch_is_one_to_a_thousand_and_its_errors_are_per_item() {
    // SPEC 14, 15
    let mut pdp = InProcess::start();
    pdp.publish(&snapshot(0, &["ann"]));
    let mut client = AuthorizationServiceClient::new(connect(&pdp.address).await);
    for count in [0, 1_001] {
        let requests = vec![question("ann", PROJECT); count];
        let request = v1::BatchAuthorizeRequest { requests };
        let status = client.batch_authorize(request).await.unwrap_err();
        assert_eq!(status.code(), Code::InvalidArgument);
        assert_eq!(fields(&status), ["requests"]);
    }
    let mut requests = vec![question("ann", PROJECT); 1_000];
    requests[3].permission.clear();
    requests[5] = question("bob", PROJECT);
    requests[7].min_revision = 2;
    let request = v1::BatchAuthorizeRequest { requests };
    let mut request = tonic::Request::new(request);
    request.set_timeout(Duration::from_millis(300));
    let responses = client
        .batch_authorize(request)
        .await
        .unwrap()
        .into_inner()
        .responses;
    assert_eq!(responses.len(), 1_000);
    for (at, item) in responses.into_iter().enumerate() {
        match (at, item.result.unwrap()) {
            (3, Item::Status(status)) => {
                assert_eq!(status.code, i32::from(Code::InvalidArgument));
                assert_eq!(status.field_violations[0].field, "permission");
            }
            (7, Item::Status(status)) => {
                assert_eq!(status.code, i32::from(Code::FailedPrecondition));
            }
            (5, Item::Response(response)) => assert_eq!(response.decision(), v1::Decision::Deny),
            (_, Item::Response(response)) => assert_eq!(response.decision(), v1::Decision::Allow),
            (at, other) => panic!("{at}: {other:?}"),
        }
    }
}

#[tokio::test]
async fn a_wrong_key_check_names_the_field() {
    // SPEC 15
    let mut pdp = InProcess::start();
    pdp.publish(&snapshot(0, &["ann"]));
    let mut client = CredentialServiceClient::new(connect(&pdp.address).await);
    let good = v1::VerifyKeyRequest {
        key: "k".repeat(40),
        ..v1::VerifyKeyRequest::default()
    };
    let wrong = [
        (
            "key",
            v1::VerifyKeyRequest {
                key: String::new(),
                ..good.clone()
            },
        ),
        (
            "source_ip",
            v1::VerifyKeyRequest {
                source_ip: "1.2.3".to_owned(),
                ..good.clone()
            },
        ),
        (
            "permission",
            v1::VerifyKeyRequest {
                permission: "x".to_owned(),
                ..good.clone()
            },
        ),
        (
            "resource",
            v1::VerifyKeyRequest {
                resource: "x/".to_owned(),
                ..good.clone()
            },
        ),
    ];
    for (field, request) in wrong {
        let status = client.verify_key(request).await.unwrap_err();
        assert_eq!(status.code(), Code::InvalidArgument, "{field}");
        assert_eq!(fields(&status), [field]);
    }
    let answer = client.verify_key(good).await.unwrap().into_inner();
    assert_eq!(answer.code(), v1::KeyCode::NotFound);
    // SPEC 9.1, 9.2: a text that is no key is an outcome, not an error.
    let short = v1::VerifyKeyRequest {
        key: "short".to_owned(),
        ..Default::default()
    };
    let answer = client.verify_key(short).await.unwrap().into_inner();
    assert_eq!(answer.code(), v1::KeyCode::Malformed);
}

#[tokio::test]
async fn a_message_over_the_bound_or_of_another_type_is_an_invalid_argument() {
    // SPEC 15
    let mut pdp = InProcess::start();
    pdp.publish(&snapshot(0, &["ann"]));
    let channel = connect(&pdp.address).await;
    let mut request = question("ann", PROJECT);
    request.request_id = "x".repeat(5 * 1024 * 1024);
    let status = authorize(&channel, request).await.unwrap_err();
    assert_eq!(status.code(), Code::InvalidArgument, "{status:?}");
    // A batch sent to `Authorize`: its field 1 is a message, no UTF-8 text or the wrong kind.
    let mut grpc = tonic::client::Grpc::new(channel);
    grpc.ready().await.unwrap();
    let path = http::uri::PathAndQuery::from_static("/postern.v1.AuthorizationService/Authorize");
    let codec = tonic_prost::ProstCodec::<prost_types::Timestamp, v1::AuthorizeResponse>::default();
    let message = prost_types::Timestamp {
        seconds: 1,
        nanos: 1,
    };
    let status = grpc
        .unary(tonic::Request::new(message), path, codec)
        .await
        .unwrap_err();
    assert_eq!(status.code(), Code::InvalidArgument, "{status:?}");
}

#[tokio::test]
async fn what_the_snapshot_does_not_know_is_denied_and_no_error() {
    // SPEC 15, second line
    let mut pdp = InProcess::start();
    pdp.publish(&snapshot(0, &["ann"]));
    let channel = connect(&pdp.address).await;
    let unknown = [
        (question("nobody", PROJECT), v1::Reason::PrincipalUnknown),
        (
            question("ann", "organizations/acme/projects/none"),
            v1::Reason::ResourceNotFound,
        ),
        (
            AuthorizeRequest {
                permission: "a.b.c".to_owned(),
                ..question("ann", PROJECT)
            },
            v1::Reason::PermissionUnknown,
        ),
        (
            AuthorizeRequest {
                subject: Some(Subject::Credential("k".repeat(40))),
                ..question("ann", PROJECT)
            },
            v1::Reason::CredentialNotFound,
        ),
        (
            AuthorizeRequest {
                subject: Some(Subject::Anonymous(())),
                ..question("ann", PROJECT)
            },
            v1::Reason::Unauthenticated,
        ),
    ];
    for (request, reason) in unknown {
        let response = authorize(&channel, request).await.unwrap();
        assert_eq!(response.decision(), v1::Decision::Deny);
        assert_eq!(response.reason(), reason);
        assert_eq!(response.revision, 1);
    }
}

#[tokio::test]
async fn before_the_first_snapshot_nothing_answers_and_health_says_so() {
    // SPEC 15, third line
    let mut pdp = InProcess::start();
    let channel = connect(&pdp.address).await;
    let mut health = HealthClient::new(channel.clone());
    let status = authorize(&channel, question("ann", PROJECT))
        .await
        .unwrap_err();
    assert_eq!(status.code(), Code::Unavailable);
    let waits = AuthorizeRequest {
        min_revision: 1,
        ..question("ann", PROJECT)
    };
    assert_eq!(
        authorize(&channel, waits).await.unwrap_err().code(),
        Code::Unavailable
    );
    let batch = v1::BatchAuthorizeRequest {
        requests: vec![question("ann", PROJECT)],
    };
    let mut client = AuthorizationServiceClient::new(channel.clone());
    assert_eq!(
        client.batch_authorize(batch).await.unwrap_err().code(),
        Code::Unavailable
    );
    let mut client = CredentialServiceClient::new(channel.clone());
    let key = v1::VerifyKeyRequest {
        key: "k".repeat(40),
        ..Default::default()
    };
    assert_eq!(
        client.verify_key(key).await.unwrap_err().code(),
        Code::Unavailable
    );
    let mut client = SnapshotServiceClient::new(channel.clone());
    let state = client.get_snapshot(v1::GetSnapshotRequest {}).await;
    assert_eq!(state.unwrap_err().code(), Code::Unavailable);
    let list = health
        .list(HealthListRequest {})
        .await
        .unwrap()
        .into_inner();
    assert!(
        list.statuses
            .values()
            .all(|s| s.status() == ServingStatus::NotServing)
    );
    assert_eq!(list.statuses.len(), 5);

    pdp.publish(&snapshot(0, &["ann"]));
    let check = || {
        let mut health = health.clone();
        async move {
            let request = HealthCheckRequest {
                service: String::new(),
            };
            health.check(request).await.unwrap().into_inner().status()
        }
    };
    support::until("it serves", check, |s| *s == ServingStatus::Serving).await;
    assert!(authorize(&channel, question("ann", PROJECT)).await.is_ok());
}

#[test]
fn a_bad_snapshot_at_the_start_lists_every_issue_and_exits_with_65() {
    // SPEC 15, sixth line
    let bad = snapshot(0, &["ann"])
        .replace("roles/viewer", "roles/none")
        .replace("uid: u-bob", "uid: u-ann")
        .replace(
            "projects/p, display_name",
            "projects/p, frob: 1, display_name",
        );
    let (_directory, path) = support::in_directory(&bad);
    let path = path.to_str().unwrap();
    let (code, _, errors) = run(&["serve", "--snapshot", path, "--listen", "127.0.0.1:0"]);
    assert_eq!(code, 65, "{errors}");
    let (code, issues, _) = run(&["validate", path]);
    assert_eq!(code, 65);
    assert!(!issues.is_empty());
    for issue in issues.lines() {
        assert!(errors.contains(issue), "{issue} is not in:\n{errors}");
    }
    let missing = run(&[
        "serve",
        "--snapshot",
        "/no/such/file.yaml",
        "--listen",
        "127.0.0.1:0",
    ]);
    assert_eq!(missing.0, 65, "{missing:?}");
    assert!(missing.2.contains("/no/such/file.yaml"), "{missing:?}");
}

#[test]
fn a_wrong_command_line_or_configuration_exits_with_64() {
    // SPEC 15, sixth line
    let (directory, path) = support::in_directory(&snapshot(0, &["ann"]));
    let path = path.to_str().unwrap();
    let short = directory.path().join("pepper");
    std::fs::write(&short, "short").unwrap();
    let short = short.to_str().unwrap();
    let wrong: &[&[&str]] = &[
        &[],
        &["frob"],
        &["serve"],
        &["serve", "--demo", "--snapshot", path],
        &["serve", "--demo", "--listen", "nowhere"],
        &["serve", "--demo", "--listen", "192.0.2.1:1"],
        &["serve", "--demo", "--workers", "0"],
        &["serve", "--demo", "--poll", "0"],
        &["serve", "--demo", "--socket-mode", "999"],
        &["serve", "--demo", "--log-level", "a=b=c"],
        &["serve", "--demo", "--pepper-file", "/no/such/file"],
        &["serve", "--demo", "--pepper-file", short],
        &["validate"],
        &[
            "check",
            "--snapshot",
            path,
            "user:ann@acme.example",
            "models.runs.get",
        ],
        &["check", "user:ann@acme.example", "models.runs.get", PROJECT],
        &[
            "check",
            "--snapshot",
            path,
            "ann",
            "models.runs.get",
            PROJECT,
        ],
        &["convert", path, "/tmp/out.txt"],
        &["healthcheck", "--server", "nowhere"],
    ];
    for arguments in wrong {
        let (code, out, errors) = run(arguments);
        assert_eq!(code, 64, "{arguments:?}: {out}{errors}");
        assert!(out.is_empty(), "{arguments:?}: {out}");
        assert!(!errors.is_empty(), "{arguments:?} says nothing");
    }
}
