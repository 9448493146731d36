//! Every issue that validation can find: documents with one fault each, and the issue.
//!
//! `tests/issues/cases.txt` is the data: a case is a name, the fragment that is added to a
//! small good snapshot, and the issues expected, each `code path`. A good fragment expects
//! none. The last test counts the codes that no case expects.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test may stop at once")]

use std::collections::BTreeSet;

use postern::graph::snapshot::Snapshot;
use postern::graph::{self, Built, Options};
use postern::wire::feed;

const BASE: &str = "\
entities:
- organization: {name: organizations/a}
- organization: {name: organizations/b}
- team: {name: organizations/a/teams/t}
- team: {name: organizations/b/teams/u}
- project: {name: organizations/a/teams/t/projects/p}
- user: {name: users/ann, uid: u-ann, email: ann@a.example, username: ann}
- group: {name: organizations/a/groups/g, uid: g-g, email: g@a.example}
- service_account: {name: organizations/a/teams/t/serviceAccounts/ci, uid: s-ci, email: ci@a.example}
";

struct Case {
    name: String,
    fragment: String,
    expected: Vec<String>,
}

/// Cases are `# name`, then the YAML, then lines of `! code path`.
fn cases() -> Vec<Case> {
    let text = include_str!("issues/cases.txt");
    let mut cases: Vec<Case> = Vec::new();
    for line in text.lines() {
        if let Some(name) = line.strip_prefix("# ") {
            let name = name.to_owned();
            cases.push(Case {
                name,
                fragment: String::new(),
                expected: Vec::new(),
            });
        } else if let Some(issue) = line.strip_prefix("! ") {
            cases.last_mut().unwrap().expected.push(issue.to_owned());
        } else if !line.is_empty() {
            let case = cases.last_mut().unwrap();
            case.fragment.push_str(line);
            case.fragment.push('\n');
        }
    }
    cases
}

fn build(fragment: &str, previous: Option<&Snapshot>) -> Result<Built, Vec<String>> {
    let text = format!("{BASE}{fragment}");
    let document = feed::decode_one("case.yaml", text.as_bytes())
        .unwrap_or_else(|issues| panic!("not decoded:\n{issues}{text}"));
    graph::build(
        &document,
        previous,
        &Options {
            has_pepper: false,
            hash_seed: 1,
        },
    )
    .map_err(|issues| {
        issues
            .list()
            .iter()
            .map(|i| format!("{} {}", i.code.word(), i.path))
            .collect()
    })
}

// SPEC 2.4: every issue is listed, and nothing is skipped.
#[test]
fn each_fault_is_found_where_it_is_and_nothing_else() {
    let mut wrong = String::new();
    for case in cases() {
        let found = build(&case.fragment, None).err().unwrap_or_default();
        if found != case.expected {
            let Case { name, expected, .. } = case;
            wrong.push_str(&format!(
                "{name}\n  expected {expected:#?}\n  found {found:#?}\n"
            ));
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}

// SPEC 2.4
#[test]
fn faults_in_several_places_are_all_listed() {
    let fragment: String = cases()
        .into_iter()
        .filter(|case| ["a team without a parent", "an unknown role"].contains(&&*case.name))
        .map(|case| case.fragment)
        .collect();
    assert_eq!(build(&fragment, None).unwrap_err().len(), 2);
}

#[test]
fn every_code_of_validation_has_a_case() {
    let expected: BTreeSet<String> = cases()
        .into_iter()
        .flat_map(|case| case.expected)
        .map(|issue| issue.split(' ').next().unwrap_or_default().to_owned())
        .collect();
    let all = [
        "missing",
        "invalid_value",
        "invalid_name",
        "out_of_bounds",
        "not_evaluated",
        "duplicate_name",
        "duplicate_uid",
        "duplicate_email",
        "duplicate_key",
        "missing_parent",
        "unknown_reference",
        "unknown_role",
        "unknown_permission",
        "role_out_of_scope",
        "member_not_allowed",
        "ambiguous_member",
        "ambiguous_route",
        "cycle",
        "built_in_redefined",
        "foreign_unit",
    ];
    let missing: Vec<_> = all
        .iter()
        .filter(|code| !expected.contains(**code))
        .collect();
    assert!(missing.is_empty(), "{missing:?}");
}

// SPEC 1.5: accounts never move, keys stay with their account. SPEC 12.1: revisions grow.
#[test]
fn what_must_not_change_between_snapshots_is_compared_with_the_serving_one() {
    let key = |owner: &str, uid: &str| {
        let digest = "ab".repeat(32);
        format!(
            "- key: {{name: {owner}/keys/k, owner_uid: {uid}, api_key: {{sha256: {digest}}}}}\n"
        )
    };
    let account = |parent: &str, uid: &str| {
        format!(
            "- service_account: {{name: {parent}/serviceAccounts/x, uid: {uid}, email: x@a.example}}\n"
        )
    };
    let team = "organizations/a/teams/t";
    let project = "organizations/a/teams/t/projects/p";
    let first = account(team, "s-x") + &key(&format!("{team}/serviceAccounts/x"), "s-x");
    let serving = build(&first, None).unwrap().snapshot;
    assert_eq!(serving.revision().0, 1);

    let moved = account(project, "s-x") + &key(&format!("{project}/serviceAccounts/x"), "s-x");
    let found = build(&moved, Some(&serving)).unwrap_err();
    assert_eq!(
        found,
        [format!(
            "moved service_account[{project}/serviceAccounts/x].name"
        )]
    );

    let other = account(team, "s-y") + &key(&format!("{team}/serviceAccounts/x"), "s-y");
    let found = build(&other, Some(&serving)).unwrap_err();
    assert_eq!(
        found,
        [format!(
            "moved key[{team}/serviceAccounts/x/keys/k].api_key"
        )]
    );

    let next = build(&first, Some(&serving)).unwrap().snapshot;
    assert_eq!(next.revision().0, 2);
    let document =
        feed::decode_one("case.yaml", format!("revision: 2\n{BASE}").as_bytes()).unwrap();
    let again = graph::build(&document, Some(&next), &Options::default()).unwrap_err();
    assert_eq!(again.list()[0].code.word(), "revision");
}

// SPEC 2.4: a member that names nobody is no issue; validation warns.
#[test]
fn a_member_that_names_nobody_is_a_warning() {
    let fragment = "\
- allow_policy:
    resource: organizations/a/teams/t
    bindings: [{role: roles/viewer, members: ['user:gone@a.example', 'group:no@a.example',
      'serviceAccount:ci@a.example?uid=other', 'principal://organizations/a/identityPools/i/subject/s',
      'principalSet://organizations/a/teams/no/type/ServiceAccount']}]
";
    assert_eq!(build(fragment, None).unwrap().warnings.len(), 5);
}

// SPEC 13.1, 1.3: a route to what is not here is denied; validation warns.
#[test]
fn a_route_to_what_is_not_here_is_a_warning() {
    let route = |name: &str, resource: &str| {
        format!(
            "- route: {{name: routes/{name}, hosts: ['*'], kind: HTTP, methods: [GET], \
             path_template: '/{name}/{{x}}', permission: models.runs.get, \
             resource: '{resource}'}}\n"
        )
    };
    let here = [
        route("a", "organizations/{x}"),
        route("b", "organizations/a/teams/{x}"),
        route("c", "organizations/a/teams/-/projects/gone"),
        route("d", "organizations/a/teams/t/runs/{x}"),
        route("e", "organizations/a/teams/t/serviceAccounts/ci/keys/{x}"),
        route("f", "organizations/a/teams/t/serviceAccounts/ci/keys/k"),
    ];
    assert_eq!(build(&here.concat(), None).unwrap().warnings, []);
    let gone = [
        route("a", "organizations/c"),
        route("b", "organizations/a/teams/gone/projects/{x}"),
        route("c", "organizations/c/teams/{x}"),
    ];
    assert_eq!(build(&gone.concat(), None).unwrap().warnings.len(), 3);
}
