//! `CompareSnapshot` over gRPC (SPEC 14, 11.5).

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

use postern::wire::proto::postern::v1;
use postern::wire::proto::postern::v1::snapshot_service_client::SnapshotServiceClient;
use support::{Server, connect};
use tonic::Code;
use tonic_types::StatusExt as _;

const EXAMPLE: &str = include_str!("../examples/acme/acme.yaml");

fn request(snapshot: &str, form: &str) -> v1::CompareSnapshotRequest {
    v1::CompareSnapshotRequest {
        snapshot: snapshot.as_bytes().to_vec(),
        form: form.to_owned(),
        limit: 2,
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn what_would_change_is_told_and_nothing_is_published() {
    let mut server = Server::start(&["--demo", "--listen", "127.0.0.1:0"]);
    server.wait_until_serving();
    let mut client = SnapshotServiceClient::new(connect(server.address()).await);
    let same = client.compare_snapshot(request(EXAMPLE, "yaml")).await;
    let same = same.unwrap().into_inner();
    assert!(same.exact && same.pairs == 0, "{same:?}");
    assert_eq!(same.access, Some(v1::ChangeCounts::default()));
    assert_eq!(same.keys, Some(v1::KeyChanges::default()));

    // Gina leaves the team that has the recall, among others.
    let line = "      - user:gina@acme.example\n";
    assert_eq!(EXAMPLE.matches(line).count(), 1);
    let other = EXAMPLE.replace(line, "");
    let found = client.compare_snapshot(request(&other, "yaml")).await;
    let found = found.unwrap().into_inner();
    assert!(
        found.exact && found.pairs_examined == found.pairs,
        "{found:?}"
    );
    assert!(found.access.unwrap().lost > 0, "{found:?}");
    assert_eq!(found.groups.len(), 2);
    assert!(found.groups_omitted > 0, "{found:?}");
    let gina = |group: &v1::ChangeGroup| group.principals == ["user:gina@acme.example"];
    assert!(found.groups.iter().all(gina), "{found:?}");
    let organizations: Vec<&String> = found.organizations.keys().collect();
    assert_eq!(organizations, ["organizations/acme"]);
    assert_eq!(found.revision, same.revision);

    for (bad, field, word) in [
        (request("", "yaml"), "snapshot", "missing"),
        (request(EXAMPLE, "toml"), "form", "yaml, json"),
        (request(EXAMPLE, ""), "form", "yaml, json"),
        (
            request("entities: [{team: {nam: x}}]", "yaml"),
            "snapshot",
            "unknown_field",
        ),
        (
            v1::CompareSnapshotRequest {
                limit: 1_001,
                ..request(EXAMPLE, "yaml")
            },
            "limit",
            "1000",
        ),
    ] {
        let status = client.compare_snapshot(bad).await.unwrap_err();
        assert_eq!(status.code(), Code::InvalidArgument, "{status:?}");
        let violations = status.get_details_bad_request().unwrap().field_violations;
        let told = violations
            .iter()
            .any(|v| v.field == field && v.description.contains(word));
        assert!(told, "{field}: {violations:?}");
    }
    let large = request(&format!("{EXAMPLE}{}", "#\n".repeat(2 << 20)), "yaml");
    let status = client.compare_snapshot(large).await.unwrap_err();
    assert_eq!(status.code(), Code::InvalidArgument, "{status:?}");
    server.stop();
}
