//! The engine against the reference evaluator, on random graphs and questions.
//!
//! `POSTERN_MODEL_SEED` and `POSTERN_MODEL_GRAPHS` choose where to start and how many graphs
//! to try (nightly runs: another seed, many more). A disagreement prints the smallest
//! snapshot that still shows it.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    clippy::disallowed_methods,
    clippy::print_stdout,
    reason = "a test fails by panicking, reads its seed, and prints what it found"
)]

#[path = "reference/engine.rs"]
mod engine;
#[path = "reference/random/lib.rs"]
mod random;
#[path = "reference/lib.rs"]
mod reference;

use std::collections::BTreeMap;

use serde_json::Value;

use random::dice::Dice;
use random::shrink::{self, Ask};
use random::stock::Stock;
use random::{asks, graph, levers};
use reference::catalogue::Catalogue;
use reference::question::{Answer, KeyAnswer};
use reference::world::World;

const GRAPHS: u64 = 1_000;
const QUESTIONS: usize = 100;
const KEY_QUESTIONS: usize = 20;

/// How often each kind of answer came.
type Histogram = BTreeMap<String, usize>;

fn number(variable: &str, otherwise: u64) -> u64 {
    std::env::var(variable).map_or(otherwise, |text| text.parse().unwrap())
}

/// Snapshot and questions of one seed.
fn draw(seed: u64, catalogue: &Catalogue) -> (Stock, Vec<Ask>) {
    let dice = Dice::new(seed);
    let stock = graph::snapshot(&dice, catalogue);
    let mut questions: Vec<Ask> = (0..QUESTIONS)
        .map(|_| Ask::Authorize(asks::question(&dice, &stock)))
        .collect();
    questions.extend((0..KEY_QUESTIONS).map(|_| Ask::VerifyKey(asks::key_question(&dice, &stock))));
    (stock, questions)
}

fn world(file: &Value) -> World {
    let mut world = World::read(file);
    world.pepper = graph::PEPPER.as_bytes().to_vec();
    world
}

/// Puts every question of a seed to both; panics where they differ.
fn compare(seed: u64, catalogue: &Catalogue, histogram: &mut Histogram) {
    let (stock, questions) = draw(seed, catalogue);
    let file = stock.file();
    let snapshot = match engine::build(&file) {
        Ok(snapshot) => snapshot,
        Err(issues) => {
            // The generator means to make good snapshots; a few may not be.
            *histogram.entry("refused".to_owned()).or_default() += 1;
            println!("seed {seed}: refused: {}", issues.join("; "));
            return;
        }
    };
    let world = world(&file);
    for ask in &questions {
        if let Some((expected, got)) = ask.disagreement(&snapshot, &world) {
            panic!(
                "seed {seed}: the reference says\n  {expected}\nbut the engine\n  {got}\n{}",
                shrink::reproduction(&file, ask)
            );
        }
        *histogram.entry(kind(&world, ask)).or_default() += 1;
    }
}

/// What kind of answer it is: effect and reason, or the key's code.
fn kind(world: &World, ask: &Ask) -> String {
    match ask {
        Ask::Authorize(q) => match reference::decide::authorize(world, q) {
            Answer::Invalid(_) => "INVALID".to_owned(),
            Answer::Decided(d) if d.allow => format!("ALLOW {}", d.reason),
            Answer::Decided(d) => format!("DENY {}", d.reason),
        },
        Ask::VerifyKey(q) => match reference::decide::verify_key(world, q) {
            KeyAnswer::Invalid(_) => "key INVALID".to_owned(),
            KeyAnswer::Code(code, _) => format!("key {code}"),
        },
    }
}

// SPEC 6.3, 11.2: decision and reason are those of the specification, not of the code.
#[test]
fn the_engine_agrees_with_the_reference_on_random_graphs() {
    let catalogue = reference::catalogue::get();
    let first = number("POSTERN_MODEL_SEED", 1);
    let graphs = number("POSTERN_MODEL_GRAPHS", GRAPHS);
    let halves = [
        first..first + graphs / 2,
        first + graphs / 2..first + graphs,
    ];
    let histogram = std::thread::scope(|scope| {
        let workers = halves.map(|seeds| {
            scope.spawn(|| {
                let mut histogram = Histogram::new();
                seeds.for_each(|seed| compare(seed, &catalogue, &mut histogram));
                histogram
            })
        });
        let mut all = Histogram::new();
        for worker in workers {
            let part = worker
                .join()
                .unwrap_or_else(|panic| std::panic::resume_unwind(panic));
            part.into_iter()
                .for_each(|(kind, count)| *all.entry(kind).or_default() += count);
        }
        all
    });
    for (kind, count) in &histogram {
        println!("{count:7} {kind}");
    }
    assert_enough(&histogram, usize::try_from(graphs).unwrap());
}

/// Every answer that can come must come often, or the agreement says little.
fn assert_enough(histogram: &Histogram, graphs: usize) {
    let count = |kind: &str| histogram.get(kind).copied().unwrap_or_default();
    assert!(
        count("refused") * 50 <= graphs,
        "too many snapshots were refused"
    );
    for (kind, at_least) in LEAST {
        // The table is for 1,000 graphs.
        let wanted = at_least * graphs / 1_000;
        assert!(
            count(kind) >= wanted,
            "{kind}: {} times, expected {wanted}",
            count(kind)
        );
    }
}

/// Answers that this build can give, and how often in 1,000 graphs at least.
const LEAST: [(&str, usize); 36] = [
    ("ALLOW GRANTED_BY_POLICY", 10_000),
    ("ALLOW GRANTED_BY_SCOPE", 800),
    ("ALLOW GRANTED_BY_VISIBILITY", 1_500),
    ("DENY CREDENTIAL_MALFORMED", 200),
    ("DENY CREDENTIAL_NOT_FOUND", 200),
    ("DENY CREDENTIAL_OWNER_DELETED", 200),
    ("DENY CREDENTIAL_OWNER_DISABLED", 200),
    ("DENY CREDENTIAL_DISABLED", 200),
    ("DENY CREDENTIAL_NOT_YET_VALID", 200),
    ("DENY CREDENTIAL_EXPIRED", 200),
    ("DENY CREDENTIAL_ORG_SCOPED_KEY_REQUIRED", 200),
    ("DENY CREDENTIAL_IP_NOT_ALLOWED", 200),
    ("DENY CREDENTIAL_OUT_OF_SCOPE", 200),
    ("DENY PRINCIPAL_DISABLED", 1_000),
    ("DENY RESOURCE_NOT_FOUND", 1_000),
    ("DENY PERMISSION_UNKNOWN", 400),
    ("DENY SERVICE_DISABLED", 1_000),
    ("DENY CONSTRAINT", 500),
    ("DENY QUOTA_EXCEEDED", 100),
    ("DENY SEAT", 400),
    ("DENY RESTRICTED_PROJECT", 1_000),
    ("DENY PRINCIPAL_UNKNOWN", 1_000),
    ("DENY UNAUTHENTICATED", 700),
    ("DENY NO_GRANT", 5_000),
    ("INVALID", 2_000),
    ("key MALFORMED", 200),
    ("key NOT_FOUND", 200),
    ("key OWNER_DELETED", 200),
    ("key OWNER_DISABLED", 200),
    ("key DISABLED", 200),
    ("key NOT_YET_VALID", 200),
    ("key EXPIRED", 200),
    ("key ORG_SCOPED_KEY_REQUIRED", 200),
    ("key IP_NOT_ALLOWED", 200),
    ("key OUT_OF_SCOPE", 200),
    ("key VALID", 2_000),
];

// SPEC 4, 5, 6: the questions feel every part of the input. Each lever changes one thing of
// the snapshots (or of the questions); answers must change.
#[test]
fn the_random_questions_feel_every_part_of_a_snapshot() {
    let catalogue = reference::catalogue::get();
    let mut felt: BTreeMap<&str, usize> = BTreeMap::new();
    for seed in 1..=120 {
        let (stock, questions) = draw(seed, &catalogue);
        let file = stock.file();
        let before = world(&file);
        // Half of the levers each time: the counts are as good, and it takes half the time.
        for lever in levers::ALL
            .into_iter()
            .skip(usize::from(seed % 2 == 0))
            .step_by(2)
        {
            let after = world(&levers::pull_on_file(&file, lever));
            let differs = |ask: &&Ask| {
                let changed = levers::pull_on_ask(ask, lever);
                ask.answer(&before) != changed.answer(&after)
            };
            *felt.entry(lever).or_default() += questions.iter().filter(differs).count();
        }
    }
    for (lever, count) in &felt {
        println!("{count:6} {lever}");
    }
    let numb: Vec<_> = felt.iter().filter(|(_, count)| **count < 1).collect();
    assert!(numb.is_empty(), "hardly an answer depends on {numb:?}");
}
