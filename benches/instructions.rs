//! Instructions of one decision and of one key check: the same on every machine.
//! `bench/instructions` runs it under Callgrind, which counts only inside the `ask_` functions.
#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    clippy::as_conversions,
    clippy::disallowed_methods,
    reason = "a bench may stop at once, and prints"
)]

mod support;

use std::hint::black_box;

use postern::credential::api_key;
use postern::decide;
use postern::graph::snapshot::Snapshot;
use postern::model::outcome::{Answer, KeyCode, Reason};
use postern::model::query::{KeyQuery, Query, Subject, UnixTime};

use crate::support::Random;

const CALLS: usize = 20_000;
const KEYS: usize = 2_000;
const PERMISSIONS: [&str; 4] = [
    "models.runs.create",
    "models.runs.get",
    "weave.traces.list",
    "models.artifacts.delete",
];

#[inline(never)]
fn ask_decide(snapshot: &Snapshot, query: &Query<'_>) -> Reason {
    match decide::authorize(snapshot, black_box(query), UnixTime(1)) {
        Answer::Decided(decision) => decision.reason,
        Answer::Invalid(violation) => panic!("{violation:?}"),
    }
}

#[inline(never)]
fn ask_verify(snapshot: &Snapshot, text: &str) -> KeyCode {
    let digests = api_key::digest(black_box(text), None);
    let query = KeyQuery {
        digests: &digests,
        source_ip: None,
        permission: None,
        resource: None,
    };
    decide::verify_key(snapshot, &query, UnixTime(1))
        .unwrap()
        .code
}

fn main() {
    let mut graph = support::graph(2_000, 42);
    support::add_keys(&mut graph, KEYS);
    let snapshot = support::build(&graph.document);
    let mut random = Random(7);
    let mut granted = 0_usize;
    for i in 0..CALLS {
        let who = if i % 2 == 0 {
            &graph.users
        } else {
            &graph.accounts
        };
        let query = Query {
            subject: Subject::Principal(&who[random.below(who.len())]),
            permission: PERMISSIONS[random.below(PERMISSIONS.len())],
            resource: &graph.projects[random.below(graph.projects.len())],
            ..Query::EMPTY
        };
        if ask_decide(&snapshot, &query) == Reason::GrantedByPolicy {
            granted += 1;
        }
    }
    for i in 0..CALLS {
        assert_eq!(
            ask_verify(&snapshot, &support::key_text(i % KEYS)),
            KeyCode::Valid
        );
    }
    println!("calls {CALLS} granted {granted}");
}
