//! Look-ups on large graphs (SPEC 11.4). `benches/README.md` says how to read it.
#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::print_stdout,
    clippy::as_conversions,
    clippy::disallowed_methods,
    reason = "a bench may stop at once, and prints"
)]

mod support;

use std::collections::BTreeSet;
use std::time::Instant;

use postern::decide;
use postern::decide::lookup::{Ended, Lookup, Page};
use postern::graph::snapshot::Snapshot;
use postern::limits::LOOKUP_STEPS_OF_A_PAGE;
use postern::model::lookup::Lookup as Asked;
use postern::model::outcome::{Answer, Effect};
use postern::model::query::{Query, Subject, UnixTime};

const PERMISSION: &str = "models.runs.create";
const NOW: UnixTime = UnixTime(1);

/// The names found, how many pages of a server it takes, and the longest page.
fn all(snapshot: &Snapshot, asked: &Asked<'_>) -> (BTreeSet<String>, usize, f64) {
    let (mut names, mut pages, mut longest, mut at) = (BTreeSet::new(), 0, 0.0_f64, 0);
    loop {
        let start = Instant::now();
        let mut lookup = Lookup::new(snapshot, asked, NOW).unwrap();
        let mut page = Page {
            at,
            items: Vec::new(),
            room: 1_000,
            steps: 0,
        };
        let ended = lookup.run(&mut page, LOOKUP_STEPS_OF_A_PAGE);
        longest = longest.max(start.elapsed().as_secs_f64());
        pages += 1;
        at = page.at;
        names.extend(page.items.into_iter().map(|item| item.name));
        if ended == Ended::Complete {
            return (names, pages, longest);
        }
    }
}

fn allows(snapshot: &Snapshot, query: &Query<'_>) -> bool {
    matches!(
        decide::authorize(snapshot, query, NOW),
        Answer::Decided(decision) if decision.effect == Effect::Allow
    )
}

fn main() {
    println!(
        "| entities | look-up | found | pages | all ms | longest page ms | every decision ms |"
    );
    println!("|---|---|---|---|---|---|---|");
    for size in support::sizes(&[10_000, 100_000, 1_000_000]) {
        let mut graph = support::graph(size, 42);
        let snapshot = support::build(&graph.document);
        graph.document = Default::default();
        let (user, account) = (&graph.users[0], &graph.accounts[0]);
        let mut project = String::new();
        let query = |who: &'static str| Query {
            subject: Subject::Principal(who),
            permission: PERMISSION,
            ..Query::EMPTY
        };
        let leak = |text: &String| -> &'static str { Box::leak(text.clone().into_boxed_str()) };
        let nodes = graph.projects.iter().chain(&graph.account_names);
        let nodes: Vec<&String> = nodes.collect();
        let people: Vec<&String> = graph.users.iter().chain(&graph.accounts).collect();
        let kinds = &[
            postern::model::node::NodeKind::Project,
            postern::model::node::NodeKind::ServiceAccount,
        ];
        for (name, who) in [("resources of a user", user), ("of an account", account)] {
            let query = query(leak(who));
            let asked = Asked::Resources {
                query,
                parent: None,
                kinds,
            };
            let single = |node: &&&String| {
                allows(
                    &snapshot,
                    &Query {
                        resource: node,
                        ..query
                    },
                )
            };
            let found = report(size, name, &snapshot, &asked, || {
                nodes.iter().filter(single).map(|n| (*n).clone()).collect()
            });
            // One that somebody may do it on.
            project = found.first().unwrap().clone();
        }
        let query = Query {
            resource: &project,
            ..query("user:nobody@nowhere.example")
        };
        let asked = Asked::Principals {
            query,
            agents: true,
            impersonation: false,
        };
        let single = |who: &&&String| {
            let subject = Subject::Principal(who);
            allows(&snapshot, &Query { subject, ..query })
        };
        report(size, "principals", &snapshot, &asked, || {
            people.iter().filter(single).map(|n| (*n).clone()).collect()
        });
    }
}

fn report(
    size: usize,
    name: &str,
    snapshot: &Snapshot,
    asked: &Asked<'_>,
    every: impl FnOnce() -> BTreeSet<String>,
) -> BTreeSet<String> {
    let start = Instant::now();
    let expected = every();
    let brute = start.elapsed().as_secs_f64();
    let start = Instant::now();
    let (found, pages, longest) = all(snapshot, asked);
    let took = start.elapsed().as_secs_f64();
    assert_eq!(found, expected, "{name}");
    println!(
        "| {size} | {name} | {} | {pages} | {:.1} | {:.1} | {:.1} |",
        found.len(),
        took * 1e3,
        longest * 1e3,
        brute * 1e3
    );
    found
}
