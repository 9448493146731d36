//! `postern test`: what passes, what a failure says, what was not touched, and the report for
//! build servers; the example's own cases.

#![expect(clippy::unwrap_used, reason = "test code outside of test functions")]

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

fn path(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("tests/operator_cases")
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

/// The program, from a folder, so that no output names this machine.
fn postern(folder: &Path, arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_postern"));
    command.args(arguments).current_dir(folder);
    command.output().unwrap()
}

fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).unwrap()
}

// SPEC 16
#[test]
fn the_examples_own_cases_pass() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let output = postern(root, &["test", "examples/acme/tests"]);
    let said = text(&output.stdout);
    assert_eq!(output.status.code(), Some(0), "{said}");
    assert!(said.contains("19 passed, 0 failed"), "{said}");
    assert!(
        said.contains("coverage of examples/acme/acme.yaml: "),
        "{said}"
    );
}

#[test]
fn a_failure_says_what_was_asked_expected_and_found_and_how_to_see_why() {
    let folder = tempfile::tempdir().unwrap();
    let report = folder.path().join("report.xml");
    let report = report.to_str().unwrap();
    let arguments = ["test", "fails.yaml", "--coverage", "--junit", report];
    let output = postern(&path(""), &arguments);
    assert_eq!(output.status.code(), Some(1));
    golden("fails.yaml.out", text(&output.stdout));
    golden("fails.yaml.xml", &std::fs::read_to_string(report).unwrap());
}

#[test]
fn the_line_that_shows_why_can_be_pasted() {
    let said = std::fs::read_to_string(path("fails.yaml.out")).unwrap();
    let lines = said
        .lines()
        .filter_map(|line| line.strip_prefix("  why       postern "));
    let mut ran = 0;
    for line in lines {
        let line = format!("'{}' {line}", env!("CARGO_BIN_EXE_postern"));
        let mut shell = Command::new("sh");
        let output = shell
            .args(["-c", &line])
            .current_dir(path(""))
            .output()
            .unwrap();
        let told = text(&output.stderr);
        // An answer, or why the question cannot be asked; never a wrong command line.
        assert!(
            matches!(output.status.code(), Some(0 | 1 | 64)),
            "{line}: {told}"
        );
        assert!(!told.contains("Usage:"), "{line}: {told}");
        ran += 1;
    }
    assert_eq!(ran, 5);
}

// SPEC 2.4: every issue, nothing skipped; what may be a key is not repeated.
#[test]
fn a_file_that_is_wrong_has_every_issue_listed_and_is_not_asked() {
    let output = postern(&path(""), &["test", "wrong.yaml"]);
    assert_eq!(output.status.code(), Some(65));
    golden("wrong.yaml.out", text(&output.stderr));
    assert_eq!(text(&output.stdout), "0 passed, 0 failed\n");
}

#[test]
fn what_cannot_be_read_is_65_and_the_other_files_are_asked() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| std::fs::write(folder.path().join(name), text).unwrap();
    write("a.yaml", "snapshot: none.yaml\ncases: [");
    let policy = path("policy.yaml");
    let case = r#"{"name": "n", "anonymous": true, "permission": "models.runs.get",
        "resource": "organizations/o", "expect": "DENY"}"#;
    let json = |snapshot: &str| format!(r#"{{"snapshot": "{snapshot}", "cases": [{case}]}}"#);
    write("b.json", &json(policy.to_str().unwrap()));
    write("c.json", &json("missing.yaml"));
    write("d.yaml", "!ignore snapshot: x\ncases: []");
    write(".hidden.yaml", "no");
    let output = postern(folder.path(), &["test", "."]);
    let (said, told) = (text(&output.stdout), text(&output.stderr));
    assert_eq!(output.status.code(), Some(65), "{told}");
    assert!(said.ends_with("1 passed, 0 failed\n"), "{said}");
    for line in [
        "./a.yaml:3: file: syntax: ",
        "./d.yaml:1: file: syntax: `!ignore`",
        "missing.yaml",
        "postern: 3 files were not asked",
    ] {
        assert!(told.contains(line), "{line}: {told}");
    }
    assert!(!told.contains("hidden"), "{told}");
    let empty = tempfile::tempdir().unwrap();
    for arguments in [&["test", "."][..], &["test", "no-such-file.yaml"]] {
        let output = postern(empty.path(), arguments);
        assert_eq!(output.status.code(), Some(65), "{arguments:?}");
    }
    let output = postern(empty.path(), &["test"]);
    assert_eq!(output.status.code(), Some(64));
}

/// A reader of XML small enough to be right: elements, attributes and text, well nested.
fn well_formed(xml: &str) -> Vec<String> {
    let body = xml.strip_prefix("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
    let (mut rest, mut open, mut names) = (body.unwrap(), Vec::new(), Vec::new());
    while let Some(start) = rest.find('<') {
        let (text, tag) = rest.split_at(start);
        assert!(references_are_known(text), "{text:?}");
        let (tag, after) = tag.strip_prefix('<').unwrap().split_once('>').unwrap();
        rest = after;
        if let Some(name) = tag.strip_prefix('/') {
            assert_eq!(open.pop().as_deref(), Some(name));
            continue;
        }
        let (tag, closed) = match tag.strip_suffix('/') {
            Some(tag) => (tag, true),
            None => (tag, false),
        };
        let (name, attributes) = tag.split_once(' ').unwrap();
        let parts: Vec<&str> = attributes.split('"').collect();
        assert_eq!(parts.len() % 2, 1, "{tag}");
        assert!(parts.iter().all(|part| references_are_known(part)), "{tag}");
        names.push(name.to_owned());
        if !closed {
            open.push(name.to_owned());
        }
    }
    assert_eq!((rest, open.len()), ("\n", 0));
    names
}

fn references_are_known(text: &str) -> bool {
    text.split('&').skip(1).all(|after| {
        let name = after.split_once(';').map(|(name, _)| name);
        let known = ["amp", "lt", "gt", "quot", "apos", "#10", "#9", "#13"];
        name.is_some_and(|name| known.contains(&name))
    })
}

#[test]
fn the_report_for_build_servers_is_well_formed_whatever_a_case_is_called() {
    let xml = std::fs::read_to_string(path("fails.yaml.xml")).unwrap();
    let names = well_formed(&xml);
    let count = |name: &str| names.iter().filter(|found| *found == name).count();
    assert_eq!((count("testcase"), count("failure")), (9, 7));
    let suite = postern::cases::junit::Suite {
        name: "a\"b<c>&'d".to_owned(),
        cases: vec![
            (
                "\0\u{1b}[31m]]>\n".to_owned(),
                Some(("\t".to_owned(), "<!--".to_owned())),
            ),
            ("\u{fffe}\u{1f600}".to_owned(), None),
        ],
        error: Some("&amp;".to_owned()),
    };
    let xml = postern::cases::junit::xml(&[suite]);
    well_formed(&xml);
    let allowed = |c: char| matches!(c, '\t' | '\n' | '\r' | ' '..='\u{fffd}' | '\u{10000}'..);
    assert!(xml.chars().all(allowed), "{xml:?}");
    assert!(
        xml.contains("tests=\"3\" failures=\"1\" errors=\"1\""),
        "{xml}"
    );
}
