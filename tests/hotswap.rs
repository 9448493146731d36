//! Snapshots replaced while calls run: each answer is the reference evaluator's for exactly
//! the revision it states, and no batch mixes two (ARCHITECTURE, invariants 1 and 3).

#![expect(
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::as_conversions,
    reason = "tests may panic; numbers are small"
)]

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

#[expect(clippy::allow_attributes, reason = "no test uses all of it")]
#[allow(
    dead_code,
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    clippy::expect_used,
    reason = "shared"
)]
#[path = "reference/lib.rs"]
mod reference;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use postern::credential::api_key;
use postern::wire::proto::postern::v1;
use postern::wire::proto::postern::v1::authorization_service_client::AuthorizationServiceClient;
use postern::wire::proto::postern::v1::authorize_request::Subject as Asker;
use postern::wire::proto::postern::v1::batch_authorize_item::Result as Item;
use reference::question::{Answer, Question, Subject};
use reference::world::World;
use serde_json::{Value, json};
use support::{Server, connect, replace};

const RELOADS: u64 = 200;
const CALLS: usize = 50_000;
const CONNECTIONS: usize = 4;
const TASKS_PER_CONNECTION: usize = 4;
/// Every so many calls of a task one is a batch.
const BATCH_EVERY: usize = 25;
/// Worlds that differ; revision `r` is world `r % WORLDS`.
const WORLDS: u64 = 16;
/// A key of foreign form.
const KEY: &str = "0123456789abcdef0123456789abcdef01234567";

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|b| format!("{b:02x}")).collect()
}

/// The snapshot of a revision: which bits are set decides who may what.
fn file(revision: u64) -> Value {
    let bit = |n: u64| (revision % WORLDS) >> n & 1 == 1;
    let mut entities = vec![
        json!({"organization": {"name": "organizations/acme"}}),
        json!({"team": {"name": "organizations/acme/teams/ml"}}),
        json!({"project": {
            "name": "organizations/acme/teams/ml/projects/p",
            "visibility": if bit(0) { "PUBLIC" } else { "RESTRICTED" },
        }}),
        json!({"user": {"name": "users/ann", "uid": "u-ann", "email": "ann@acme.example"}}),
        json!({"user": {
            "name": "users/bob", "uid": "u-bob", "email": "bob@acme.example", "disabled": bit(1),
        }}),
        json!({"group": {
            "name": "organizations/acme/groups/g", "uid": "g-1", "email": "g@acme.example",
            "members": if bit(2) { json!(["user:ann@acme.example"]) } else { json!([]) },
        }}),
        json!({"service_account": {
            "name": "organizations/acme/serviceAccounts/robot", "uid": "s-1",
            "email": "robot@acme.example", "default_team": "organizations/acme/teams/ml",
        }}),
        json!({"key": {
            "name": "organizations/acme/serviceAccounts/robot/keys/k", "uid": "k-1",
            "owner_uid": "s-1", "created_at": "2026-01-01T00:00:00Z",
            "api_key": {"sha256": hex(&api_key::sha256(KEY))}, "disabled": bit(3),
        }}),
        json!({"allow_policy": {
            "resource": "organizations/acme/teams/ml/projects/p",
            "bindings": [
                {"role": "roles/editor", "members": ["group:g@acme.example"]},
                {"role": "roles/viewer", "members": ["user:bob@acme.example"]},
            ],
        }}),
    ];
    if bit(1) != bit(3) {
        entities.push(json!({"project": {"name": "organizations/acme/teams/ml/projects/q"}}));
    }
    json!({"revision": revision, "entities": entities})
}

fn questions() -> Vec<Question> {
    let principal = |name: &str| Subject::Principal(format!("user:{name}@acme.example"));
    let subjects = [
        principal("ann"),
        principal("bob"),
        principal("nobody"),
        Subject::Principal("serviceAccount:robot@acme.example".to_owned()),
        Subject::Key(KEY.to_owned()),
        Subject::Anonymous,
    ];
    let permissions = ["models.runs.get", "models.runs.create"];
    let resources = [
        "organizations/acme/teams/ml/projects/p",
        "organizations/acme/teams/ml/projects/p/runs/42",
        "organizations/acme/teams/ml/projects/q",
        "organizations/acme/teams/-/projects/q",
    ];
    let mut questions = Vec::new();
    for subject in &subjects {
        for permission in permissions {
            for resource in resources {
                questions.push(Question {
                    subject: subject.clone(),
                    permission: permission.to_owned(),
                    resource: resource.to_owned(),
                    resource_attributes: json!({}),
                    context: json!({}),
                    entity: Some("organizations/acme/teams/ml".to_owned()),
                    attribution: None,
                    delegates: Vec::new(),
                    source_ip: None,
                    now: 1_800_000_000,
                });
            }
        }
    }
    questions
}

fn request(question: &Question) -> v1::AuthorizeRequest {
    v1::AuthorizeRequest {
        subject: Some(match &question.subject {
            Subject::Principal(text) => Asker::Principal(text.clone()),
            Subject::Key(text) => Asker::Credential(text.clone()),
            Subject::Anonymous => Asker::Anonymous(()),
        }),
        permission: question.permission.clone(),
        resource: question.resource.clone(),
        entity: question.entity.clone().expect("said"),
        ..v1::AuthorizeRequest::default()
    }
}

/// What must be answered: allow, reason, and the resolved resource once it was resolved.
type Expected = (bool, String, String);

struct Oracle {
    requests: Vec<v1::AuthorizeRequest>,
    /// By world, then by question.
    expected: Vec<Vec<Expected>>,
}

impl Oracle {
    fn new() -> Self {
        let questions = questions();
        let expected = (0..WORLDS)
            .map(|number| {
                let world = World::read(&file(number));
                questions.iter().map(|q| Self::ask(&world, q)).collect()
            })
            .collect();
        Self {
            requests: questions.iter().map(request).collect(),
            expected,
        }
    }

    fn ask(world: &World, question: &Question) -> Expected {
        match reference::decide::authorize(world, question) {
            Answer::Decided(decision) => (
                decision.allow,
                format!("REASON_{}", decision.reason),
                decision.resource,
            ),
            Answer::Invalid(fields) => panic!("{question:?}: {fields:?}"),
        }
    }

    fn check(&self, question: usize, response: &v1::AuthorizeResponse) {
        let (allow, reason, resource) =
            &self.expected[(response.revision % WORLDS) as usize][question];
        let context = (response.revision, &self.requests[question]);
        assert_eq!(
            response.decision() == v1::Decision::Allow,
            *allow,
            "{context:?}"
        );
        assert_eq!(response.reason().as_str_name(), reason, "{context:?}");
        if !reason.starts_with("REASON_CREDENTIAL_") {
            assert_eq!(&response.resource, resource, "{context:?}");
        }
    }
}

/// Asks until told to stop; revisions never go back on the way.
async fn ask(
    oracle: Arc<Oracle>,
    mut client: AuthorizationServiceClient<tonic::transport::Channel>,
    offset: usize,
    calls: Arc<AtomicUsize>,
    stop: Arc<AtomicBool>,
) {
    let count = oracle.requests.len();
    let mut last = 0;
    let mut round = offset;
    while !stop.load(Ordering::Relaxed) {
        round += 1;
        calls.fetch_add(1, Ordering::Relaxed);
        if round.is_multiple_of(BATCH_EVERY) {
            let request = v1::BatchAuthorizeRequest {
                requests: oracle.requests.clone(),
            };
            let batch = client
                .batch_authorize(request)
                .await
                .expect("a batch")
                .into_inner();
            let mut revisions = std::collections::BTreeSet::new();
            assert_eq!(batch.responses.len(), count);
            for (at, item) in batch.responses.into_iter().enumerate() {
                match item.result {
                    Some(Item::Response(response)) => {
                        revisions.insert(response.revision);
                        oracle.check(at, &response);
                    }
                    other => panic!("{other:?}"),
                }
            }
            assert_eq!(revisions.len(), 1, "one batch, one snapshot");
            continue;
        }
        let at = round % count;
        let response = client.authorize(oracle.requests[at].clone()).await;
        let response = response.expect("a decision").into_inner();
        oracle.check(at, &response);
        assert!(
            response.revision >= last,
            "{} after {last}",
            response.revision
        );
        last = response.revision;
    }
}

#[test]
fn the_worlds_differ_in_what_they_answer() {
    // Otherwise the test below would pass without looking at revisions.
    let oracle = Oracle::new();
    for (number, world) in oracle.expected.iter().enumerate() {
        let next = &oracle.expected[(number + 1) % oracle.expected.len()];
        assert!(world != next, "worlds {number} and the next answer alike");
    }
    let all = || oracle.expected.iter().flatten();
    assert!(all().any(|(allow, _, _)| *allow) && all().any(|(allow, _, _)| !*allow));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn under_200_reloads_and_50_000_calls_every_answer_is_that_of_its_revision() {
    // SPEC 11.1
    let oracle = Arc::new(Oracle::new());
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path().join("acme.json");
    replace(&path, &file(1).to_string());
    let server = Server::serving(&path, &["--workers", "2"]);
    let (calls, stop) = (
        Arc::new(AtomicUsize::new(0)),
        Arc::new(AtomicBool::new(false)),
    );
    let mut tasks = tokio::task::JoinSet::new();
    for connection in 0..CONNECTIONS {
        let channel = connect(server.address()).await;
        for task in 0..TASKS_PER_CONNECTION {
            let client = AuthorizationServiceClient::new(channel.clone());
            let (calls, stop) = (Arc::clone(&calls), Arc::clone(&stop));
            let offset = connection * 37 + task * 11;
            tasks.spawn(ask(Arc::clone(&oracle), client, offset, calls, stop));
        }
    }
    let channel = connect(server.address()).await;
    for revision in 2..=RELOADS + 1 {
        replace(&path, &file(revision).to_string());
        let wait = v1::AuthorizeRequest {
            min_revision: revision,
            ..oracle.requests[0].clone()
        };
        let response = support::authorize(&channel, wait)
            .await
            .expect("it is reached");
        assert_eq!(response.revision, revision);
        assert!(
            !stop.load(Ordering::Relaxed) && tasks.try_join_next().is_none(),
            "all go on"
        );
    }
    while calls.load(Ordering::Relaxed) < CALLS && tasks.try_join_next().is_none() {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    stop.store(true, Ordering::Relaxed);
    while let Some(task) = tasks.join_next().await {
        task.expect("no task failed");
    }
    assert!(calls.load(Ordering::Relaxed) >= CALLS);
    let log = server.stop();
    assert_eq!(
        log.matches("snapshot published").count() as u64,
        RELOADS + 1,
        "{log}"
    );
}
