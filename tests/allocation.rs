//! A decision allocates nothing: not for an allow, not for a deny, hot or cold
//! (`docs/ARCHITECTURE.md`, invariant 2).
#![allow(unsafe_code, reason = "a counting allocator is the measure")]
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test may stop at once")]

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

use postern::credential::api_key;
use postern::decide;
use postern::graph::snapshot::Snapshot;
use postern::graph::{self, Options};
use postern::model::outcome::{Answer, Effect, Reason};
use postern::model::path::{self, AllowedClasses};
use postern::model::query::{KeyQuery, Query, Subject, UnixTime};
use postern::model::value::{Struct, Value};
use postern::wire::feed;

struct Counting;

thread_local! {
    static COUNT: Cell<usize> = const { Cell::new(0) };
}

// SAFETY: every call is passed on to the system's allocator as it came.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        COUNT.with(|count| count.set(count.get() + 1));
        // SAFETY: as above.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        // SAFETY: as above.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

fn allocations<T>(call: impl FnOnce() -> T) -> (T, usize) {
    let before = COUNT.with(Cell::get);
    let made = call();
    (made, COUNT.with(Cell::get) - before)
}

fn acme() -> Snapshot {
    let text = include_bytes!("../examples/acme/acme.yaml");
    let document = feed::decode_one("acme.yaml", text).unwrap();
    graph::build(&document, None, &Options::default())
        .unwrap()
        .snapshot
}

#[test]
fn the_counter_counts() {
    assert_eq!(allocations(|| Box::new(1)).1, 1);
}

#[test]
fn a_decision_by_name_allocates_nothing() {
    let snapshot = acme();
    let project = "organizations/acme/teams/vision/projects/inspector";
    let run = format!("{project}/runs/42");
    let mut effects = Vec::with_capacity(64);
    for subject in [
        Subject::Principal("user:farid@acme.example"),
        Subject::Principal("user:FARID@acme.example"),
        Subject::Principal("user:nobody@acme.example"),
        Subject::Principal("serviceAccount:trainer@acme-iam.example"),
        Subject::Anonymous,
    ] {
        for permission in ["models.runs.create", "models.runs.get", "models.runs.fly"] {
            for resource in [project, run.as_str(), "organizations/acme/projects/none"] {
                let query = Query {
                    subject,
                    permission,
                    resource,
                    ..Query::EMPTY
                };
                let (answer, count) =
                    allocations(|| decide::authorize(&snapshot, &query, UnixTime(1)));
                assert_eq!(count, 0, "{subject:?} {permission} {resource}");
                match answer {
                    Answer::Decided(decision) => effects.push(decision.effect),
                    Answer::Invalid(violation) => panic!("{violation:?}"),
                }
            }
        }
    }
    assert!(effects.contains(&Effect::Allow) && effects.contains(&Effect::Deny));
}

const RULED: &str = "\
entities:
- organization: {name: organizations/o}
- project: {name: organizations/o/projects/p}
- user: {name: users/ann, uid: u-ann, email: ann@x.example}
- user: {name: users/bob, uid: u-bob, email: bob@x.example}
- user: {name: users/cid, uid: u-cid, email: cid@x.example}
- identity_pool: {name: organizations/o/identityPools/i}
- service_account: {name: organizations/o/projects/p/serviceAccounts/a, uid: s-a, email: a@x.example}
- service_account: {name: organizations/o/projects/p/serviceAccounts/b, uid: s-b, email: b@x.example}
- group: {name: organizations/o/groups/g, uid: g, email: g@x.example, members: ['user:bob@x.example', 'user:gone@x.example']}
- allow_policy: {resource: organizations/o, bindings: [{role: roles/iam.serviceAccountTokenCreator, members: ['domain:x.example', 'serviceAccount:a@x.example', 'principalSet://organizations/o/identityPools/i/*']}]}
- deny_policy: {name: organizations/o/denyPolicies/d, attachment: organizations/o, rules: [{denied_principals: ['group:g@x.example', 'principalSet://organizations/o/identityPools/i/group/x'], exception_principals: ['user:ann@x.example'], denied_permissions: ['iam/*.get']}]}
- access_boundary: {name: organizations/o/accessBoundaries/b, resources: [organizations/o/projects/other]}
- access_boundary_binding: {name: organizations/o/accessBoundaryBindings/b, boundary: organizations/o/accessBoundaries/b, principal_set: 'user:cid@x.example'}
";

// SPEC 6.3, 10.1: nor does one that denies, boundaries, pools and delegation decide.
#[test]
fn a_decision_under_rules_without_conditions_allocates_nothing() {
    let document = feed::decode_one("ruled.yaml", RULED.as_bytes()).unwrap();
    let built = graph::build(&document, None, &Options::default()).unwrap();
    let account = "organizations/o/projects/p/serviceAccounts/b";
    let hop = ["organizations/o/projects/p/serviceAccounts/a".to_owned()];
    let (get, mint) = (
        "iam.serviceAccounts.get",
        "iam.serviceAccounts.getAccessToken",
    );
    for (who, permission, delegates, reason) in [
        ("user:ann@x.example", get, &[][..], Reason::GrantedByPolicy),
        ("user:bob@x.example", get, &[], Reason::DeniedByPolicy),
        ("user:GONE@x.example", get, &[], Reason::DeniedByPolicy),
        ("user:cid@x.example", get, &[], Reason::OutsideBoundary),
        (
            "principal://organizations/o/identityPools/i/subject/s",
            get,
            &[],
            Reason::DeniedByPolicy,
        ),
        (
            "principal://organizations/o/identityPools/i/subject/s",
            mint,
            &[],
            Reason::GrantedByPolicy,
        ),
        ("user:ann@x.example", mint, &hop, Reason::GrantedByPolicy),
        ("user:out@y.example", mint, &hop, Reason::DelegationBroken),
    ] {
        let query = Query {
            subject: Subject::Principal(who),
            permission,
            resource: account,
            delegates,
            ..Query::EMPTY
        };
        let (answer, count) =
            allocations(|| decide::authorize(&built.snapshot, &query, UnixTime(1)));
        match answer {
            Answer::Decided(decision) => assert_eq!(decision.reason, reason, "{who} {permission}"),
            Answer::Invalid(violation) => panic!("{violation:?}"),
        }
        assert_eq!(count, 0, "{who} {permission}");
    }
}

const GATED: &str = "\
entities:
- organization: {name: organizations/o}
- project: {name: organizations/o/projects/p}
- user: {name: users/own, uid: u-own, email: own@x.example}
- service_account: {name: organizations/o/projects/p/serviceAccounts/sa, uid: s-sa, email: sa@x.example}
- allow_policy: {resource: organizations/o, bindings: [{role: roles/owner, members: ['user:own@x.example']}]}
- org_policy: {name: organizations/o/orgPolicies/iam.serviceAccountKeyExpiryHours, attachment: organizations/o, constraint: iam.serviceAccountKeyExpiryHours, list: {allow: {values: [24h]}}}
- org_policy: {name: organizations/o/orgPolicies/iam.workloadIdentityPoolProviders, attachment: organizations/o, constraint: iam.workloadIdentityPoolProviders, list: {allow: {values: ['https://a.example']}}}
- org_policy: {name: organizations/o/projects/p/orgPolicies/iam.workloadIdentityPoolProviders, attachment: organizations/o/projects/p, constraint: iam.workloadIdentityPoolProviders, inherit_from_parent: true, list: {allow: {values: ['https://b.example']}}}
";

const PROJECT: &str = "organizations/o/projects/p";
const ACCOUNT: &str = "organizations/o/projects/p/serviceAccounts/sa";
const KEY: &str = "iam.serviceAccountKeys.create";
const PROVIDER: &str = "iam.workloadIdentityPoolProviders.create";
const ACT_AS: &str = "iam.serviceAccounts.actAs";
const LIENS: &str = "resourcemanager.projects.updateLiens";
const CREATE: &str = "iam.serviceAccounts.create";

// SPEC 8: nor does one that constraints gate, whatever they say; an obligation does.
#[test]
fn a_decision_under_constraints_allocates_nothing() {
    let document = feed::decode_one("gated.yaml", GATED.as_bytes()).unwrap();
    let built = graph::build(&document, None, &Options::default()).unwrap();
    let default = [("kind", "DEFAULT"), ("email", "n@x.example")];
    let below = [("attached_resource", "organizations/o")];
    let good = [("issuer", "https://a.example")];
    let bad = [("issuer", "https://c.example")];
    for (permission, context, effect, expected) in [
        (KEY, &[("lifetime", "24h")][..], Effect::Allow, 0),
        (KEY, &[("lifetime", "never")], Effect::Deny, 0),
        (PROVIDER, &good, Effect::Allow, 0),
        (PROVIDER, &bad, Effect::Deny, 0),
        (ACT_AS, &below, Effect::Deny, 0),
        (LIENS, &[], Effect::Allow, 0),
        (CREATE, &[], Effect::Allow, 0),
        (CREATE, &default, Effect::Allow, 2),
    ] {
        let value =
            |(name, text): &(&str, &str)| ((*name).to_owned(), Value::String((*text).to_owned()));
        let context = Struct(context.iter().map(value).collect());
        let on_account = [KEY, ACT_AS].contains(&permission);
        let query = Query {
            subject: Subject::Principal("user:own@x.example"),
            permission,
            resource: if on_account { ACCOUNT } else { PROJECT },
            context: &context,
            ..Query::EMPTY
        };
        let (answer, count) =
            allocations(|| decide::authorize(&built.snapshot, &query, UnixTime(1)));
        assert_eq!(count, expected, "{permission} {context:?}");
        match answer {
            Answer::Decided(decision) => assert_eq!(decision.effect, effect, "{permission}"),
            Answer::Invalid(violation) => panic!("{violation:?}"),
        }
    }
}

#[test]
fn checking_a_key_allocates_nothing() {
    let snapshot = acme();
    let keys = include_str!("../examples/acme/keys.txt");
    let known = keys
        .split_whitespace()
        .find(|word| matches!(api_key::form(word), api_key::Form::Postern { .. }))
        .unwrap();
    for text in [known, "0123456789abcdef0123456789abcdef01234567", "short"] {
        let ((), count) = allocations(|| {
            let digests = api_key::digest(text, None);
            let query = KeyQuery {
                digests: &digests,
                source_ip: None,
                permission: Some("models.runs.get"),
                resource: Some("organizations/acme"),
            };
            decide::verify_key(&snapshot, &query, UnixTime(1)).unwrap();
        });
        assert_eq!(count, 0);
    }
}

// SPEC 13.1, 13.2
#[test]
fn a_route_is_found_without_allocating_and_its_resource_takes_one() {
    let snapshot = acme();
    for (path, takes) in [
        ("/v1/teams/vision/projects/inspector/runs/42", Some(1)),
        ("/v1/teams/vision/projects/inspector/files/a/b/c", Some(1)),
        ("/handbook/start", Some(0)),
        ("/v1/teams/-/projects/inspector", None),
        ("/v1//teams/%2e%2e/", None),
    ] {
        let (found, count) = allocations(|| {
            let _ = path::ambiguity(path, AllowedClasses::NONE);
            let routes = snapshot.routes();
            routes.find("api.acme.example", "GET", path)
        });
        assert_eq!(count, 0, "{path}");
        let filled = found.map(|found| allocations(|| found.resource()).1);
        assert_eq!(filled, takes, "{path}");
    }
}
