//! Hand-written cases: a document, questions, and the answers SPEC gives, clause by clause.
//! Each is put to the engine and to the reference evaluator.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    reason = "a test fails by panicking"
)]

#[path = "cases/clauses.rs"]
mod clauses;
#[path = "reference/engine.rs"]
mod engine;
#[path = "cases/facts.rs"]
mod facts;
#[expect(dead_code, reason = "coverage is counted by tests/golden.rs")]
#[path = "cases/file.rs"]
mod file;
#[path = "reference/lib.rs"]
mod reference;
#[path = "cases/tables.rs"]
mod tables;
#[path = "cases/vocabulary.rs"]
mod vocabulary;

use file::Case;

/// Runs every case of the files and returns what went wrong, a line each.
fn run(cases: &[Case]) -> Vec<String> {
    cases.iter().flat_map(|case| case.failures()).collect()
}

#[test]
fn every_case_answers_as_written() {
    let failures = run(&file::all());
    assert!(
        failures.is_empty(),
        "{} failures:\n{}",
        failures.len(),
        failures.join("\n")
    );
}
