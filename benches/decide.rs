//! P1 and P3: one decision in process, names as strings. `benches/README.md` says how to read it.
#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    clippy::print_stderr,
    clippy::as_conversions,
    clippy::cast_possible_truncation,
    clippy::string_slice,
    clippy::disallowed_methods,
    reason = "a bench may stop at once, and prints"
)]

mod support;

use std::hint::black_box;
use std::time::Instant;

use postern::decide;
use postern::graph::snapshot::Snapshot;
use postern::model::outcome::{Answer, Effect, Reason};
use postern::model::query::{Query, Subject, UnixTime};

use crate::support::{Graph, Random};

const PERMISSIONS: [&str; 4] = [
    "models.runs.create",
    "models.runs.get",
    "weave.traces.list",
    "models.artifacts.delete",
];

/// One question; the texts lie one after the other in memory, as those of a request do.
type Question = (usize, usize, usize, usize);

struct Questions {
    texts: String,
    list: Vec<Question>,
}

impl Questions {
    /// Half users, half accounts, on any project.
    fn new(graph: &Graph, count: usize, principals: usize, seed: u64) -> Self {
        let mut random = Random(seed);
        let (mut texts, mut list) = (String::new(), Vec::with_capacity(count));
        for i in 0..count {
            let who = if i % 2 == 0 {
                &graph.users
            } else {
                &graph.accounts
            };
            let principal = &who[random.below(principals.min(who.len()))];
            let project = &graph.projects[random.below(principals.min(graph.projects.len()))];
            let start = texts.len();
            texts.push_str(principal);
            let middle = texts.len();
            texts.push_str(project);
            list.push((start, middle, texts.len(), random.below(PERMISSIONS.len())));
        }
        Self { texts, list }
    }

    fn query(&self, i: usize) -> Query<'_> {
        let (start, middle, end, permission) = self.list[i % self.list.len()];
        Query {
            subject: Subject::Principal(&self.texts[start..middle]),
            permission: PERMISSIONS[permission],
            resource: &self.texts[middle..end],
            ..Query::EMPTY
        }
    }
}

fn main() {
    println!(
        "| entities | questions | p50 ns | p99 ns | p99.9 ns | mean ns | allowed | resident |"
    );
    println!("|---|---|---|---|---|---|---|---|");
    for size in support::sizes(&[1_000, 10_000, 100_000, 1_000_000, 10_000_000]) {
        let before = support::resident();
        let graph = support::graph(size, 42);
        let start = Instant::now();
        let snapshot = support::build(&graph.document);
        let built = start.elapsed();
        check(&snapshot, &graph);
        let graph = Graph {
            document: Default::default(),
            ..graph
        };
        let resident = support::resident().saturating_sub(before) / 1_000_000;
        for (name, principals) in [("hot", 32), ("random", usize::MAX)] {
            let count = if name == "hot" { 64 } else { 1_000_000 };
            let questions = Questions::new(&graph, count, principals, 7);
            run(&snapshot, &questions, size, name, resident);
        }
        eprintln!("{size} entities compiled in {built:?}");
    }
}

fn run(snapshot: &Snapshot, questions: &Questions, size: usize, name: &str, resident: u64) {
    let call = |i: usize| {
        black_box(decide::authorize(
            snapshot,
            black_box(&questions.query(i)),
            UnixTime(1),
        ));
    };
    support::mean(call, 100_000);
    let histogram = support::percentiles(call, 1_000_000);
    let mean = support::mean(call, 1_000_000);
    let allowed = (0..10_000)
        .filter(|i| is_allowed(snapshot, &questions.query(*i)))
        .count()
        / 100;
    println!(
        "| {size} | {name} | {} | {} | {} | {mean:.0} | {allowed} % | {resident} MB |",
        histogram.value_at_quantile(0.5),
        histogram.value_at_quantile(0.99),
        histogram.value_at_quantile(0.999),
    );
}

fn is_allowed(snapshot: &Snapshot, query: &Query<'_>) -> bool {
    matches!(decide::authorize(snapshot, query, UnixTime(1)),
        Answer::Decided(decision) if decision.effect == Effect::Allow)
}

/// The answers are right before the clock starts: a principal of another organization gets
/// nothing from a team project, an unknown one is unknown.
fn check(snapshot: &Snapshot, graph: &Graph) {
    let reason = |principal: &str, resource: &str| {
        let query = Query {
            subject: Subject::Principal(principal),
            permission: "resourcemanager.projects.delete",
            resource,
            ..Query::EMPTY
        };
        match decide::authorize(snapshot, &query, UnixTime(1)) {
            Answer::Decided(decision) => decision.reason,
            Answer::Invalid(violation) => panic!("{violation:?}"),
        }
    };
    assert_eq!(
        reason("user:nobody@x.example", &graph.projects[0]),
        Reason::PrincipalUnknown
    );
    assert_eq!(
        reason(&graph.users[0], &format!("{}x", graph.projects[0])),
        Reason::ResourceNotFound
    );
    let denied = [Reason::NoGrant, Reason::RestrictedProject];
    assert!(denied.contains(&reason(&graph.users[0], graph.projects.last().unwrap())));
}
