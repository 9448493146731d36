//! Golden tables of the Google half: what every predefined role carries where, what a condition
//! comes to in each place, delegation chains whole and broken. `UPDATE_GOLDEN=1` writes them
//! anew; the diff is the review.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test fails by panicking, and reads whether to write"
)]

use std::fmt::Write as _;
use std::path::Path;

use postern::decide;
use postern::graph::snapshot::Snapshot;
use postern::graph::{self, Options, catalogue};
use postern::model::outcome::{Answer, Effect};
use postern::model::query::{Query, Subject, UnixTime};
use postern::model::value::{Struct, Value};
use postern::wire::words;

const PROJECT: &str = "organizations/o/teams/t/projects/p";

fn snapshot(entities: &str) -> Snapshot {
    let text = format!("entities:\n{BASE}{entities}");
    let document = postern::wire::feed::decode_one("iam.yaml", text.as_bytes())
        .unwrap_or_else(|issues| panic!("{issues}\n{text}"));
    let built = graph::build(&document, None, &Options::default());
    built
        .unwrap_or_else(|issues| panic!("{issues}\n{text}"))
        .snapshot
}

const BASE: &str = "\
- organization: {name: organizations/o}
- team: {name: organizations/o/teams/t}
- project: {name: organizations/o/teams/t/projects/p, tags: {env: prod}}
- user: {name: users/ann, uid: u-ann, email: ann@o.example, username: ann}
";

/// `ALLOW`, or the reason of the deny, or the field that is wrong.
fn answer(snapshot: &Snapshot, query: &Query<'_>) -> String {
    match decide::authorize(snapshot, query, UnixTime(1_800_000_000)) {
        Answer::Decided(decision) if decision.effect == Effect::Allow => "ALLOW".to_owned(),
        Answer::Decided(decision) => words::reason_word(decision.reason).to_owned(),
        Answer::Invalid(violation) => format!("INVALID {}", violation.field),
    }
}

fn golden(name: &str, now: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/golden")
        .join(name);
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        std::fs::write(&path, now).unwrap();
    }
    let before = std::fs::read_to_string(&path).unwrap_or_default();
    let pairs = before.lines().zip(now.lines());
    let differ: Vec<String> = pairs
        .filter(|(before, now)| before != now)
        .take(40)
        .map(|(before, now)| format!("- {before}\n+ {now}"))
        .collect();
    assert!(
        before == now,
        "{name} differs ({} lines, now {}); UPDATE_GOLDEN=1 writes it:\n{}",
        before.lines().count(),
        now.lines().count(),
        differ.join("\n")
    );
}

/// Context that lets every gate through.
fn context() -> Struct {
    let text = |text: &str| Value::String(text.to_owned());
    Struct(vec![
        ("visibility".to_owned(), text("TEAM")),
        ("destination".to_owned(), text(PROJECT)),
        ("attached_resource".to_owned(), text(PROJECT)),
        ("lifetime".to_owned(), text("3600s")),
        ("issuer".to_owned(), text("https://issuer.example")),
        ("workload_identity".to_owned(), Value::Bool(false)),
    ])
}

// SPEC 3.2 (FACTS B1.3, B1.4): every role that is no membership role, bound to a user on the
// project, asked for every permission on the project and on an account of it.
#[test]
fn every_predefined_role_carries_what_the_table_says() {
    let basic = catalogue::BASIC_ROLES.iter().map(|(name, _)| *name);
    let predefined = catalogue::ROLES.iter().filter(|role| !role.membership);
    let roles: Vec<&str> = basic.chain(predefined.map(|role| role.name)).collect();
    let mut bindings = String::new();
    let mut entities = String::new();
    for (ix, role) in roles.iter().enumerate() {
        writeln!(
            entities,
            "- user: {{name: users/u{ix}, uid: u-{ix}, email: u{ix}@o.example, username: u{ix}}}"
        )
        .unwrap();
        write!(
            bindings,
            "{{role: {role}, members: ['user:u{ix}@o.example']}}, "
        )
        .unwrap();
    }
    let account = format!("{PROJECT}/serviceAccounts/a");
    writeln!(
        entities,
        "- service_account: {{name: {account}, uid: s-a, email: a@o.example}}\n\
         - allow_policy: {{resource: {PROJECT}, bindings: [{bindings}]}}"
    )
    .unwrap();
    let snapshot = snapshot(&entities);
    let context = context();
    let mut table = String::new();
    for (ix, role) in roles.iter().enumerate() {
        let who = format!("user:u{ix}@o.example");
        let mut carried = Vec::new();
        for (_, permission) in snapshot.permissions().iter() {
            let allowed = |resource: &str| {
                let query = Query {
                    subject: Subject::Principal(&who),
                    permission: &permission.name,
                    resource,
                    context: &context,
                    ..Query::EMPTY
                };
                answer(&snapshot, &query) == "ALLOW"
            };
            // A gate wants one kind of resource: carried is what is allowed on either.
            if allowed(PROJECT) || allowed(&account) || allowed("organizations/o/teams/t") {
                carried.push(&*permission.name);
            }
        }
        writeln!(table, "{role} ({})", carried.len()).unwrap();
        for permission in carried {
            writeln!(table, "  {permission}").unwrap();
        }
    }
    golden("iam-roles.txt", &table);
}

/// A condition, and why it is in the table.
const CONDITIONS: [(&str, &str); 12] = [
    ("true", "'a' == 'a'"),
    ("false", "'a' == 'b'"),
    (
        "true: a tag that is inherited",
        "resource.matchTag('env', 'prod')",
    ),
    (
        "false: another value of the tag",
        "resource.matchTag('env', 'test')",
    ),
    ("false: no such tag", "resource.matchTag('no', 'x')"),
    (
        "error: a missing context",
        "request.attributes.missing == 1",
    ),
    ("error: a wrong type", "request.attributes.text > 5"),
    (
        "error: an attribute that is no bool",
        "request.attributes.text",
    ),
    (
        "error: no source address",
        "cidr('10.0.0.0/8').containsIP(source.ip)",
    ),
    (
        "true: an error that || absorbs",
        "request.attributes.missing == 1 || true",
    ),
    (
        "false: an error that && absorbs",
        "request.attributes.missing == 1 && false",
    ),
    (
        "error: an error that && keeps",
        "request.attributes.missing == 1 && true",
    ),
];
const PRINCIPALS: [(&str, &str); 3] = [
    ("true", "principal.subject == 'ann@o.example'"),
    ("false", "principal.type == 'serviceAccount'"),
    ("error: no number", "int(principal.subject) == 1"),
];

// SPEC 7.3: each outcome in each place where a condition may stand.
#[test]
fn a_condition_comes_to_what_the_table_says_in_each_place() {
    let mut table = String::new();
    let grant = format!(
        "- allow_policy: {{resource: {PROJECT}, bindings: [{{role: roles/iam.serviceAccountAdmin, \
         members: ['user:ann@o.example']}}]}}\n"
    );
    let ask = |entities: &str| {
        let snapshot = snapshot(entities);
        let mut context = context();
        context
            .0
            .push(("text".to_owned(), Value::String("ten".to_owned())));
        let query = Query {
            subject: Subject::Principal("user:ann@o.example"),
            permission: "iam.serviceAccounts.list",
            resource: PROJECT,
            context: &context,
            ..Query::EMPTY
        };
        answer(&snapshot, &query)
    };
    for (why, condition) in CONDITIONS {
        let allow = format!(
            "- allow_policy: {{resource: organizations/o, bindings: [{{role: \
             roles/iam.serviceAccountAdmin, members: ['user:ann@o.example'], condition: \
             {{expression: \"{condition}\"}}}}]}}\n"
        );
        let deny = format!(
            "{grant}- deny_policy: {{name: organizations/o/denyPolicies/d, attachment: \
             organizations/o, rules: [{{denied_principals: [allUsers], denied_permissions: \
             ['iam/*.*'], condition: {{expression: \"{condition}\"}}}}]}}\n"
        );
        writeln!(table, "{why}: {condition}").unwrap();
        writeln!(table, "  allow     {}", ask(&allow)).unwrap();
        writeln!(table, "  deny      {}", ask(&deny)).unwrap();
    }
    for (why, condition) in PRINCIPALS {
        let boundary = format!(
            "{grant}- access_boundary: {{name: organizations/o/accessBoundaries/b, resources: \
             [organizations/o/teams/other]}}\n\
             - access_boundary_binding: {{name: organizations/o/accessBoundaryBindings/b, \
             boundary: organizations/o/accessBoundaries/b, principal_set: 'domain:o.example', \
             condition: {{expression: \"{condition}\"}}}}\n"
        );
        writeln!(table, "{why}: {condition}").unwrap();
        writeln!(table, "  boundary  {}", ask(&boundary)).unwrap();
    }
    golden("conditions.txt", &table);
}

/// Accounts `a1`.. that each may delegate to the next, ann to the first, the last may mint for
/// `target`; what is left out breaks the chain.
fn chain(length: usize, without: Option<usize>, disabled: Option<usize>) -> String {
    let name = |ix: usize| format!("{PROJECT}/serviceAccounts/a{ix}");
    let mut entities = String::new();
    for ix in 1..=length + 1 {
        let off = disabled == Some(ix);
        writeln!(
            entities,
            "- service_account: {{name: {}, uid: s-{ix}, email: a{ix}@o.example, disabled: {off}}}",
            name(ix)
        )
        .unwrap();
        if without == Some(ix) {
            continue;
        }
        let caller = if ix == 1 {
            "user:ann@o.example".to_owned()
        } else {
            format!("serviceAccount:a{}@o.example", ix - 1)
        };
        writeln!(
            entities,
            "- allow_policy: {{resource: {}, bindings: [{{role: \
             roles/iam.serviceAccountTokenCreator, members: ['{caller}']}}]}}",
            name(ix)
        )
        .unwrap();
    }
    entities
}

// SPEC 10.1, 6.3: chains up to length 4, whole, without one hop, with one account disabled.
#[test]
fn delegation_chains_hold_and_break_as_the_table_says() {
    let mut table = String::new();
    for length in 0..=4 {
        let delegates: Vec<String> = (1..=length)
            .map(|ix| format!("{PROJECT}/serviceAccounts/a{ix}"))
            .collect();
        let target = format!("{PROJECT}/serviceAccounts/a{}", length + 1);
        let mut ask = |what: &str, entities: &str, permission: &str, delegates: &[String]| {
            let snapshot = snapshot(entities);
            let query = Query {
                subject: Subject::Principal("user:ann@o.example"),
                permission,
                resource: &target,
                delegates,
                ..Query::EMPTY
            };
            let answer = answer(&snapshot, &query);
            writeln!(table, "{length} delegates, {what}: {answer}").unwrap();
        };
        let mint = "iam.serviceAccounts.getAccessToken";
        ask("whole", &chain(length, None, None), mint, &delegates);
        for hop in 1..=length + 1 {
            let broken = chain(length, Some(hop), None);
            ask(
                &format!("no grant for hop {hop}"),
                &broken,
                mint,
                &delegates,
            );
            let off = chain(length, None, Some(hop));
            ask(&format!("account {hop} disabled"), &off, mint, &delegates);
        }
        ask("delegates not said", &chain(length, None, None), mint, &[]);
        let sign = "iam.serviceAccounts.signJwt";
        ask("signJwt", &chain(length, None, None), sign, &delegates);
        let get = "iam.serviceAccounts.get";
        ask(
            "a permission without delegation",
            &chain(length, None, None),
            get,
            &delegates,
        );
        let mut reversed = delegates.clone();
        reversed.reverse();
        ask(
            "in the wrong order",
            &chain(length, None, None),
            mint,
            &reversed,
        );
    }
    golden("delegation.txt", &table);
}
