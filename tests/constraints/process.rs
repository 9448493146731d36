//! Through the whole program.

use postern::model::constraint::Constraint;
use postern::wire::proto::postern::v1;
use postern::wire::proto::postern::v1::authorization_service_client::AuthorizationServiceClient;
use postern::wire::proto::postern::v1::authorize_request::Subject;
use postern::wire::proto::postern::v1::effective_org_policy::Value as Told;
use serde_json::json;
use tonic::Code;
use tonic::transport::Channel;

use crate::{data, name, policy, support};

/// The tree of the table, with a policy on issuers at the team.
async fn serving() -> (tempfile::TempDir, support::Server, Client) {
    let data = data();
    let mut entities = data.tree.clone();
    entities.retain(|entity| entity.get("key").is_none());
    entities.push(policy(data.constraints.last().unwrap(), "t", "a-b"));
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("snapshot.json");
    std::fs::write(&path, json!({ "entities": entities }).to_string()).unwrap();
    let server = support::Server::serving(&path, &[]);
    let channel = support::connect(server.address()).await;
    (directory, server, AuthorizationServiceClient::new(channel))
}

type Client = AuthorizationServiceClient<Channel>;

fn ask(resource: &str, constraint: &str) -> v1::GetEffectiveOrgPolicyRequest {
    v1::GetEffectiveOrgPolicyRequest {
        resource: resource.to_owned(),
        constraint: constraint.to_owned(),
    }
}

// SPEC 8: the value, and where it comes from.
#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn the_program_tells_what_holds_and_where_it_comes_from() {
    let (_directory, _server, mut client) = serving().await;
    let issuers = Constraint::WorkloadIdentityPoolProviders.name();
    let one = client.get_effective_org_policy(ask(&name("p/runs/1"), issuers));
    let one = one.await.unwrap().into_inner();
    assert_eq!((one.resource, one.revision), (name("p"), 1));
    assert!(one.snapshot_age.is_some());
    let expected = v1::EffectiveOrgPolicy {
        constraint: issuers.to_owned(),
        value: Some(Told::Values(v1::EffectiveValues {
            any_allowed: false,
            allowed: vec!["https://a.example".to_owned()],
            any_denied: false,
            denied: vec!["https://b.example".to_owned()],
        })),
        restricts: true,
        source: v1::OrgPolicySource::Policy.into(),
        policies: vec![format!("{}/orgPolicies/{issuers}", name("t"))],
    };
    assert_eq!(one.policies, [expected]);
    let all = client.get_effective_org_policy(ask(&name("o"), ""));
    let all = all.await.unwrap().into_inner().policies;
    assert_eq!(all.len(), Constraint::ALL.len());
    let of_default = |it: &v1::EffectiveOrgPolicy| it.source() == v1::OrgPolicySource::Default;
    assert!(all.iter().all(of_default));
    for (resource, constraint, code) in [
        ("organizations/none", "", Code::NotFound),
        ("organizations//o", "", Code::InvalidArgument),
        ("organizations/o", "none", Code::InvalidArgument),
    ] {
        let answer = client.get_effective_org_policy(ask(resource, constraint));
        let status = answer.await.unwrap_err();
        assert_eq!(status.code(), code, "{status}");
    }
}

// SPEC 5.4, 11.1: what must be done goes with an allow only.
#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn the_program_names_the_grant_of_a_default_account() {
    let (_directory, _server, mut client) = serving().await;
    let text = |text: &str| prost_types::Value {
        kind: Some(prost_types::value::Kind::StringValue(text.to_owned())),
    };
    let fields = [("kind", text("DEFAULT")), ("email", text("New@x.example"))];
    let fields = fields.map(|(name, value)| (name.to_owned(), value));
    let request = v1::AuthorizeRequest {
        subject: Some(Subject::Principal("user:own@x.example".to_owned())),
        permission: "iam.serviceAccounts.create".to_owned(),
        resource: name("p"),
        context: Some(prost_types::Struct {
            fields: fields.into_iter().collect(),
        }),
        ..v1::AuthorizeRequest::default()
    };
    let allowed = client
        .authorize(request.clone())
        .await
        .unwrap()
        .into_inner();
    assert_eq!(allowed.decision(), v1::Decision::Allow);
    let grant = v1::GrantRole {
        resource: name("p"),
        role: "roles/editor".to_owned(),
        member: "serviceAccount:new@x.example".to_owned(),
    };
    let duty = Some(v1::obligation::Duty::GrantRole(grant));
    assert_eq!(allowed.obligations, [v1::Obligation { duty }]);
    let stale = v1::AuthorizeRequest {
        max_staleness: Some(prost_types::Duration::default()),
        ..request
    };
    let stale = client.authorize(stale).await.unwrap().into_inner();
    assert_eq!(stale.reason(), v1::Reason::StaleSnapshot);
    assert_eq!(stale.obligations, []);
}
