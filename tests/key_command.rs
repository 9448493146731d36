//! `postern key`, as a person uses it.
#![expect(clippy::unwrap_used, reason = "a test may stop at once")]

use std::io::Write as _;
use std::process::{Command, Output, Stdio};

fn postern(arguments: &[&str], input: &str) -> Output {
    let mut child = Command::new(env!("CARGO_BIN_EXE_postern"))
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    child
        .stdin
        .take()
        .unwrap()
        .write_all(input.as_bytes())
        .unwrap();
    child.wait_with_output().unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

const OWNER: &str = "organizations/a/teams/t/serviceAccounts/ci";

fn snapshot(key: &str) -> String {
    format!(
        "entities:
  - organization: {{name: organizations/a}}
  - team: {{name: organizations/a/teams/t}}
  - service_account: {{name: {OWNER}, uid: sa-1, email: ci@a.example}}
{}",
        key.trim_start_matches("entities:\n")
    )
}

// SPEC 9.1, 16: a new key is printed once, and what is stored verifies it and is not it.
#[test]
fn a_new_key_is_accepted_by_the_snapshot_that_stores_its_entity() {
    let made = postern(&["key", "new", "--owner", OWNER, "--owner-uid", "sa-1"], "");
    assert!(made.status.success(), "{}", text(&made.stderr));
    let printed = text(&made.stdout);
    let (key, entity) = printed.split_once('\n').unwrap();
    assert!(
        key.starts_with("pst_") && key.len() == 67,
        "a key of our own form"
    );
    assert_eq!(printed.matches(key).count(), 1);
    assert!(!text(&made.stderr).contains(key));

    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("a.yaml");
    std::fs::write(&path, snapshot(entity)).unwrap();
    let path = path.to_str().unwrap();
    let seen = postern(&["key", "inspect", "--snapshot", path], &format!("{key}\n"));
    let said = text(&seen.stdout);
    assert!(seen.status.success(), "{said}{}", text(&seen.stderr));
    assert!(said.contains("code: VALID") && said.contains("owner: serviceAccount:ci@a.example"));
    assert!(
        !said.contains(key.get(17..60).unwrap()),
        "the secret is not shown"
    );

    let hashed = postern(&["key", "hash"], key);
    let digest = text(&hashed.stdout);
    let digest = digest.trim().strip_prefix("sha256: ").unwrap();
    let other = postern(
        &["key", "inspect", "--snapshot", path],
        &key.replace("pst_", "xst_"),
    );
    assert_eq!(other.status.code(), Some(1));
    assert!(text(&other.stdout).contains("code: NOT_FOUND"));
    assert_eq!(digest.len(), 64);
}

// SPEC 9.1: with a pepper the snapshot holds an HMAC.
#[test]
fn a_peppered_key_needs_its_pepper() {
    let directory = tempfile::tempdir().unwrap();
    let pepper = directory.path().join("pepper");
    std::fs::write(&pepper, "kQ3v9ZpL2mX8rT5wB7nY4cJ6hD1fG0sA\n").unwrap();
    let pepper = pepper.to_str().unwrap();
    let owner = ["key", "new", "--owner", OWNER, "--owner-uid", "sa-1"];
    let made = postern(&[&owner[..], &["--pepper-file", pepper]].concat(), "");
    let printed = text(&made.stdout);
    let (key, entity) = printed.split_once('\n').unwrap();
    assert!(entity.contains("hmac_sha256"));
    let path = directory.path().join("a.yaml");
    std::fs::write(&path, snapshot(entity)).unwrap();
    let path = path.to_str().unwrap();
    let good = [
        "key",
        "inspect",
        "--snapshot",
        path,
        "--pepper-file",
        pepper,
    ];
    assert!(text(&postern(&good, key).stdout).contains("code: VALID"));
    let without = postern(&["key", "inspect", "--snapshot", path], key);
    assert_eq!(without.status.code(), Some(65));
    assert!(text(&without.stderr).contains("--pepper-file"));
}

// SPEC 15, 16: usage is 64, data is 65, and a bad key is not repeated.
#[test]
fn what_is_no_key_or_no_owner_is_refused_without_being_shown() {
    let bad = postern(&["key", "hash"], "pst_not-a-key-but-a-secret-anyway\n");
    assert_eq!(bad.status.code(), Some(65));
    assert!(!text(&bad.stderr).contains("not-a-key"));
    let owner = postern(
        &[
            "key",
            "new",
            "--owner",
            "organizations/a",
            "--owner-uid",
            "x",
        ],
        "",
    );
    assert_eq!(owner.status.code(), Some(64));
    let long = postern(&["key", "hash"], &"x".repeat(5_000));
    assert_eq!(long.status.code(), Some(65));
}
