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
/// Most disagreements that are shown.
const DISAGREEMENTS: usize = 12;

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

/// Disagreements by what either side says, so that one fault does not hide another.
type Found = BTreeMap<String, String>;

/// Puts every question of a seed to both, and keeps where they differ.
fn compare(seed: u64, catalogue: &Catalogue, histogram: &mut Histogram, found: &mut Found) {
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
        let kind = kind(&world, ask);
        if let Some((expected, got)) = ask.disagreement(&snapshot, &world) {
            let likeness = format!("{kind} / {}", shrink::reason(&got));
            if found.len() < DISAGREEMENTS && !found.contains_key(&likeness) {
                let text = format!(
                    "seed {seed}: the reference says\n  {expected}\nbut the engine\n  {got}\n{}",
                    shrink::reproduction(&file, ask)
                );
                found.insert(likeness, text);
            }
        }
        *histogram.entry(kind).or_default() += 1;
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
    let (histogram, found) = std::thread::scope(|scope| {
        let workers = halves.map(|seeds| {
            scope.spawn(|| {
                let (mut histogram, mut found) = (Histogram::new(), Found::new());
                seeds.for_each(|seed| compare(seed, &catalogue, &mut histogram, &mut found));
                (histogram, found)
            })
        });
        let (mut all, mut found) = (Histogram::new(), Found::new());
        for worker in workers {
            let (part, differing) = worker
                .join()
                .unwrap_or_else(|panic| std::panic::resume_unwind(panic));
            part.into_iter()
                .for_each(|(kind, count)| *all.entry(kind).or_default() += count);
            found.extend(differing);
        }
        (all, found)
    });
    for (kind, count) in &histogram {
        println!("{count:7} {kind}");
    }
    let texts: Vec<String> = found.into_values().collect();
    assert!(texts.is_empty(), "{}", texts.join("\n\n"));
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
const LEAST: [(&str, usize); 39] = [
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
    ("DENY OUTSIDE_BOUNDARY", 2_000),
    ("DENY DENIED_BY_POLICY", 1_500),
    ("DENY CONSTRAINT", 1_500),
    ("DENY QUOTA_EXCEEDED", 100),
    ("DENY DELEGATION_BROKEN", 400),
    ("DENY SEAT", 300),
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

/// How many answers at least must depend on a lever.
const FELT: usize = 3;
/// Graphs that are tried until they do.
const LEVER_GRAPHS: u64 = 600;

// SPEC 4-8, 10.1: the questions feel every part of the input. Each lever changes one thing of
// the snapshots (or of the questions); answers must change.
#[test]
fn the_random_questions_feel_every_part_of_a_snapshot() {
    let catalogue = reference::catalogue::get();
    let mut felt: BTreeMap<&str, usize> = levers::ALL.into_iter().map(|l| (l, 0)).collect();
    for seed in 1..=LEVER_GRAPHS {
        let numb: Vec<&str> = felt.iter().filter(|f| *f.1 < FELT).map(|f| *f.0).collect();
        if numb.is_empty() {
            break;
        }
        let (stock, questions) = draw(seed, &catalogue);
        let file = stock.file();
        let before = world(&file);
        let answers: Vec<String> = questions.iter().map(|ask| ask.answer(&before)).collect();
        for lever in numb {
            let after = world(&levers::pull_on_file(&file, lever));
            let differs = |(ask, answer): &(&Ask, &String)| {
                levers::pull_on_ask(ask, lever).answer(&after) != **answer
            };
            let both = questions.iter().zip(&answers);
            *felt.entry(lever).or_default() += both.filter(differs).count();
        }
    }
    for (lever, count) in &felt {
        println!("{count:6} {lever}");
    }
    let numb: Vec<_> = felt.iter().filter(|(_, count)| **count < FELT).collect();
    assert!(numb.is_empty(), "hardly an answer depends on {numb:?}");
}
