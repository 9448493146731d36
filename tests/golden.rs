//! The golden table of `examples/acme`: every principal, every permission, every resource.
//! `UPDATE_GOLDEN=1 cargo test --test golden` writes it anew; its diff is the review.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    clippy::disallowed_methods,
    reason = "a test fails by panicking, and reads whether to write"
)]

#[path = "golden/company.rs"]
mod company;
#[path = "golden/coverage.rs"]
mod coverage;
#[path = "reference/engine.rs"]
mod engine;
#[expect(
    dead_code,
    reason = "cases are run by tests/cases.rs; here they are only read"
)]
#[path = "cases/file.rs"]
mod file;
#[path = "reference/lib.rs"]
mod reference;
#[path = "golden/table.rs"]
mod table;

use std::path::Path;

/// Larger, nobody would read it.
const BYTES_MAX: usize = 100_000;

// SPEC 3, 4, 5, 6, 9: what the whole example comes to.
#[test]
fn the_example_grants_what_the_golden_table_says() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/acme.txt");
    let now = table::render(&company::read());
    assert!(
        now.len() <= BYTES_MAX,
        "the table has {} bytes, at most {BYTES_MAX}",
        now.len()
    );
    if std::env::var("UPDATE_GOLDEN").is_ok() {
        std::fs::write(&path, &now).unwrap();
    }
    let golden = std::fs::read_to_string(&path).unwrap_or_default();
    let lines = |text: &str| text.lines().map(str::to_owned).collect::<Vec<String>>();
    let (before, after) = (lines(&golden), lines(&now));
    let gone = before
        .iter()
        .filter(|line| !after.contains(line))
        .map(|line| format!("- {line}"));
    let new = after
        .iter()
        .filter(|line| !before.contains(line))
        .map(|line| format!("+ {line}"));
    let diff: Vec<String> = gone.chain(new).take(60).collect();
    assert!(
        golden == now,
        "the golden table differs; see the diff, then UPDATE_GOLDEN=1:\n{}",
        diff.join("\n")
    );
}
