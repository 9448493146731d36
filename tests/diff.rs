//! `postern diff`: what people and programs are shown, and the exit codes.

#![expect(clippy::unwrap_used, reason = "test code outside of test functions")]

use std::path::PathBuf;
use std::process::{Command, Output};

fn path(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("tests/diff")
        .join(name)
}

/// `UPDATE_GOLDEN=1` rewrites the file; the difference is the review.
fn golden(name: &str, found: &str) {
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        std::fs::write(path(name), found).unwrap();
    }
    let expected = std::fs::read_to_string(path(name)).unwrap();
    assert_eq!(found, expected, "{name}; UPDATE_GOLDEN=1 rewrites it");
}

fn diff(arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_postern"));
    let at = ["--at", "2026-06-01T00:00:00Z"];
    command
        .arg("diff")
        .args(arguments)
        .args(at)
        .current_dir(path(""));
    command.output().unwrap()
}

fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).unwrap()
}

// SPEC 16
#[test]
fn a_difference_reads_as_it_should_and_is_1() {
    let output = diff(&["a.yaml", "b.yaml"]);
    assert_eq!(output.status.code(), Some(1));
    golden("text.out", text(&output.stdout));
    assert_eq!(text(&output.stderr), "");
    let output = diff(&["a.yaml", "b.yaml", "--limit", "1"]);
    golden("limited.out", text(&output.stdout));
}

#[test]
fn programs_read_the_same() {
    let output = diff(&["a.yaml", "b.yaml", "--format", "json"]);
    assert_eq!(output.status.code(), Some(1));
    let json: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    golden("json.out", &format!("{json:#}\n"));
    assert_eq!(
        (&json["exact"], &json["keys"]["losing"]),
        (&true.into(), &3.into())
    );
}

#[test]
fn what_was_not_looked_at_is_never_silent() {
    let output = diff(&["a.yaml", "b.yaml", "--max-decisions", "4000"]);
    assert_eq!(output.status.code(), Some(1));
    let said = text(&output.stdout);
    assert!(said.contains("access: at least "), "{said}");
    assert!(said.contains("NOT ALL was looked at: "), "{said}");
    let output = diff(&[
        "a.yaml",
        "b.yaml",
        "--max-decisions",
        "4000",
        "--format",
        "json",
    ]);
    let json: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(json["exact"], false);
    assert!(
        json["pairs_examined"].as_u64() < json["pairs"].as_u64(),
        "{json}"
    );
}

#[test]
fn no_difference_is_0_and_what_cannot_be_compared_65_or_64() {
    let output = diff(&["a.yaml", "a.yaml"]);
    assert_eq!(output.status.code(), Some(0));
    let nothing = "entities: no difference\naccess: no difference\nkeys: no difference\n";
    assert_eq!(text(&output.stdout), nothing);
    let output = diff(&["a.yaml", "missing.yaml"]);
    assert_eq!(output.status.code(), Some(65));
    assert_eq!(text(&output.stdout), "");
    assert!(text(&output.stderr).contains("missing.yaml"));
    for arguments in [&["a.yaml"][..], &["a.yaml", "b.yaml", "--at", "noon"]] {
        assert_eq!(diff(arguments).status.code(), Some(64), "{arguments:?}");
    }
}
