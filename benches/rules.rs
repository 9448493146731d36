//! One decision by the kind of rule that it meets: plain, a group of 10,000 members, 20
//! bindings, 50 denies that match nobody, a condition, a boundary.
#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::as_conversions,
    clippy::cast_possible_truncation,
    clippy::disallowed_methods,
    reason = "a bench may stop at once, and prints"
)]

mod support;

use std::fmt::Write as _;
use std::hint::black_box;

use postern::decide;
use postern::graph::snapshot::Snapshot;
use postern::model::outcome::{Answer, Reason};
use postern::model::query::{Query, Subject, UnixTime};
use postern::wire::feed;

const PROJECT: &str = "organizations/o/teams/t/projects/p";
const ANN: &str = "user:ann@o.example";

/// Entities beside the tree, and what they come to.
struct Case {
    name: &'static str,
    entities: String,
    reason: Reason,
}

fn policy(bindings: &str) -> String {
    format!("- allow_policy: {{resource: {PROJECT}, bindings: [{bindings}]}}\n")
}

fn cases() -> Vec<Case> {
    let granted = Reason::GrantedByPolicy;
    let plain = policy(&format!("{{role: roles/editor, members: ['{ANN}']}}"));
    let admin = |condition: &str| {
        policy(&format!(
            "{{role: roles/iam.serviceAccountAdmin, members: ['{ANN}']{condition}}}"
        ))
    };
    let mut members = String::new();
    for u in 0..9_999 {
        write!(members, "'user:u{u}@o.example', ").unwrap();
    }
    let mut twenty = String::new();
    for g in 0..20 {
        write!(
            twenty,
            "{{role: roles/iam.serviceAccountViewer, members: ['group:g{g}@o.example']}}, "
        )
        .unwrap();
    }
    let mut groups = String::new();
    for g in 0..20 {
        writeln!(
            groups,
            "- group: {{name: organizations/o/groups/g{g}, uid: g-{g}, email: g{g}@o.example, \
             members: ['{ANN}']}}"
        )
        .unwrap();
    }
    let mut denies = String::new();
    for d in 0..50 {
        write!(
            denies,
            "{{denied_principals: ['user:d{d}@o.example', 'group:d@o.example'], \
             denied_permissions: ['iam/*.*']}}, "
        )
        .unwrap();
    }
    let condition = ", condition: {expression: \"resource.matchTag('env', 'prod') && \
                     request.time < timestamp('2100-01-01T00:00:00Z')\"}";
    vec![
        Case {
            name: "plain",
            entities: plain.clone(),
            reason: granted,
        },
        Case {
            name: "group of 10,000",
            entities: format!(
                "- group: {{name: organizations/o/groups/g, uid: g, email: g@o.example, members: \
                 [{members}'{ANN}']}}\n{}",
                policy("{role: roles/editor, members: ['group:g@o.example']}")
            ),
            reason: granted,
        },
        Case {
            name: "20 bindings",
            entities: format!("{groups}{}", policy(&twenty)),
            reason: granted,
        },
        Case {
            name: "50 denies",
            entities: format!(
                "{plain}- deny_policy: {{name: organizations/o/denyPolicies/d, attachment: \
                 organizations/o, rules: [{denies}]}}\n"
            ),
            reason: granted,
        },
        Case {
            name: "condition",
            entities: admin(condition),
            reason: granted,
        },
        Case {
            name: "boundary",
            entities: format!(
                "{plain}- access_boundary: {{name: organizations/o/accessBoundaries/b, resources: \
                 [organizations/o/teams/t]}}\n\
                 - access_boundary_binding: {{name: organizations/o/accessBoundaryBindings/b, \
                 boundary: organizations/o/accessBoundaries/b, principal_set: 'domain:o.example'}}\n"
            ),
            reason: granted,
        },
    ]
}

fn snapshot(entities: &str) -> Snapshot {
    let text = format!(
        "entities:\n\
         - organization: {{name: organizations/o, tags: {{env: prod}}}}\n\
         - team: {{name: organizations/o/teams/t}}\n\
         - project: {{name: {PROJECT}}}\n\
         - user: {{name: users/ann, uid: u-ann, email: ann@o.example, username: ann}}\n{entities}"
    );
    let document =
        feed::decode_one("rules.yaml", text.as_bytes()).unwrap_or_else(|issues| panic!("{issues}"));
    support::build(&document)
}

fn main() {
    println!("| rule | p50 ns | p99 ns | mean ns |");
    println!("|---|---|---|---|");
    for case in cases() {
        let snapshot = snapshot(&case.entities);
        let query = Query {
            subject: Subject::Principal(ANN),
            permission: "iam.serviceAccounts.list",
            resource: PROJECT,
            ..Query::EMPTY
        };
        let reason = || match decide::authorize(&snapshot, black_box(&query), UnixTime(1)) {
            Answer::Decided(decision) => decision.reason,
            Answer::Invalid(violation) => panic!("{violation:?}"),
        };
        assert_eq!(reason(), case.reason, "{}", case.name);
        let call = |_: usize| {
            black_box(reason());
        };
        support::mean(call, 50_000);
        let histogram = support::percentiles(call, 300_000);
        println!(
            "| {} | {} | {} | {:.0} |",
            case.name,
            histogram.value_at_quantile(0.5),
            histogram.value_at_quantile(0.99),
            support::mean(call, 300_000),
        );
    }
}
