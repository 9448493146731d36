//! The decision on a small graph. The whole rules are held by `tests/`; this is the smoke.

use super::*;
use crate::graph::document::{
    AllowPolicy, Binding, Document, Entity, Located, Organization, Place, Project, Team, User,
};
use crate::graph::{self, document::AnyOr};
use crate::model::node::Visibility;
use crate::model::query::Subject;

fn snapshot() -> Snapshot {
    let binding = |role: &str, member: &str| Binding {
        role: role.into(),
        members: vec![member.into()],
        condition: None,
    };
    let user = |id: &str| {
        Entity::User(User {
            name: format!("users/{id}"),
            uid: format!("u-{id}"),
            email: format!("{id}@a.example"),
            ..User::default()
        })
    };
    let project = |id: &str, visibility| {
        Entity::Project(Project {
            name: format!("organizations/a/teams/t/projects/{id}"),
            display_name: String::new(),
            tags: std::collections::BTreeMap::default(),
            visibility,
            service_account_quota: None,
            services: AnyOr::Any,
        })
    };
    let entities = vec![
        Entity::Organization(Organization {
            name: "organizations/a".into(),
            ..Default::default()
        }),
        Entity::Team(Team {
            name: "organizations/a/teams/t".into(),
            ..Default::default()
        }),
        project("p", Visibility::Team),
        project("r", Visibility::Restricted),
        user("ann"),
        user("bob"),
        Entity::AllowPolicy(AllowPolicy {
            resource: "organizations/a/teams/t".into(),
            bindings: vec![binding("roles/team.member", "user:ann@a.example")],
        }),
    ];
    let entities = entities
        .into_iter()
        .map(|entity| Located {
            place: Place::default(),
            entity,
        })
        .collect();
    let document = Document {
        revision: None,
        entities,
    };
    graph::build(&document, None, &graph::Options::default())
        .unwrap()
        .snapshot
}

fn reason(subject: &str, permission: &str, resource: &str) -> Reason {
    let snapshot = snapshot();
    let query = Query {
        subject: Subject::Principal(subject),
        permission,
        resource,
        ..Query::EMPTY
    };
    match authorize(&snapshot, &query, UnixTime(0)) {
        Answer::Decided(decision) => decision.reason,
        Answer::Invalid(violation) => panic!("{violation:?}"),
    }
}

#[test]
fn a_member_creates_runs_in_the_projects_of_the_team() {
    let p = "organizations/a/teams/t/projects/p";
    let r = "organizations/a/teams/t/projects/r";
    let create = "models.runs.create";
    assert_eq!(
        reason("user:ann@a.example", create, p),
        Reason::GrantedByPolicy
    );
    assert_eq!(
        reason("user:Ann@A.example", create, &format!("{p}/runs/1")),
        Reason::GrantedByPolicy
    );
    assert_eq!(reason("user:bob@a.example", create, p), Reason::NoGrant);
    assert_eq!(
        reason("user:eve@a.example", create, p),
        Reason::PrincipalUnknown
    );
    assert_eq!(
        reason("user:ann@a.example", create, r),
        Reason::RestrictedProject
    );
    assert_eq!(
        reason("user:ann@a.example", "a.b.c", p),
        Reason::PermissionUnknown
    );
    assert_eq!(
        reason("user:ann@a.example", create, &format!("{p}x")),
        Reason::ResourceNotFound
    );
}
