//! `postern lint envoy`: each check, the reports as people and programs see them, and texts
//! that nobody meant to be a configuration.

#![expect(
    clippy::panic,
    clippy::unwrap_used,
    reason = "test code outside of test functions"
)]

use std::collections::BTreeSet;
use std::io::Write as _;
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};

use postern::lint::envoy::lint;
use postern::lint::report::{Report, Severity};
use postern::lint::tree::{Form, read};

#[path = "lint/cases.rs"]
mod cases;
#[path = "lint/random.rs"]
mod random;

fn path(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("tests/lint")
        .join(name)
}

fn text(name: &str) -> String {
    std::fs::read_to_string(path(name)).unwrap()
}

fn report(text: &str) -> Report {
    match lint(text, Form::of("", text)) {
        Ok(report) => report,
        Err(unreadable) => panic!("{unreadable}\n{text}"),
    }
}

/// `UPDATE_GOLDEN=1` rewrites the file; the difference is the review.
fn golden(name: &str, found: &str) {
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        std::fs::write(path(name), found).unwrap();
    }
    assert_eq!(found, text(name), "{name}; UPDATE_GOLDEN=1 rewrites it");
}

/// The program, from the folder of the data, so that no output names this machine.
fn postern(arguments: &[&str], input: &str) -> Output {
    let mut child = Command::new(env!("CARGO_BIN_EXE_postern"))
        .args(arguments)
        .current_dir(path(""))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // A program that stops before it reads closes the pipe.
    let _closed = child.stdin.take().unwrap().write_all(input.as_bytes());
    child.wait_with_output().unwrap()
}

fn stdout(output: &Output) -> &str {
    std::str::from_utf8(&output.stdout).unwrap()
}

#[test]
fn reports_read_as_they_should() {
    for (file, code) in [
        ("good.yaml", 0),
        ("bad.yaml", 1),
        ("fragment.json", 1),
        ("config_dump.json", 1),
    ] {
        let output = postern(&["lint", "envoy", file], "");
        assert_eq!(output.status.code(), Some(code), "{file}");
        golden(&format!("{file}.out"), stdout(&output));
    }
}

#[test]
fn a_report_for_programs_says_the_same_as_the_one_for_people() {
    let output = postern(&["lint", "envoy", "bad.yaml", "--format", "json"], "");
    assert_eq!(output.status.code(), Some(1));
    golden("bad.yaml.json.out", stdout(&output));
    let json: serde_json::Value = serde_json::from_str(stdout(&output)).unwrap();
    let findings = json["findings"].as_array().unwrap();
    let people = report(&text("bad.yaml"));
    assert_eq!(findings.len(), people.findings().len());
    for (program, person) in findings.iter().zip(people.findings()) {
        assert_eq!(program["code"], person.code);
        assert_eq!(program["severity"], person.severity.word());
        assert_eq!(program["path"], person.path);
    }
}

#[test]
fn each_path_leads_to_a_value_of_the_file() {
    for name in ["bad.yaml", "config_dump.json", "fragment.json"] {
        let text = text(name);
        let tree = read(&text, Form::of(name, &text)).unwrap();
        for finding in report(&text).findings() {
            let mut at = &tree;
            for step in finding.path.split('/').skip(1) {
                let step = step.replace("~1", "/").replace("~0", "~");
                at = match &at.value {
                    postern::lint::tree::Value::Map(entries) => {
                        &entries.iter().find(|(key, _)| *key == step).unwrap().1
                    }
                    postern::lint::tree::Value::List(nodes) => {
                        &nodes[step.parse::<usize>().unwrap()]
                    }
                    other => panic!("{}: {step} of {other:?}", finding.path),
                };
            }
        }
    }
}

#[test]
fn standard_input_is_read_and_what_cannot_be_read_is_65() {
    let output = postern(&["lint", "envoy", "-"], &text("config_dump.json"));
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(stdout(&output), text("config_dump.json.out"));
    for (input, expected) in [
        ("a: [", "no YAML"),
        ("{\"a\": ", "no JSON"),
        ("a: 1", "no configuration of Envoy"),
        ("", "an empty file"),
    ] {
        let output = postern(&["lint", "envoy", "-"], input);
        assert_eq!(output.status.code(), Some(65), "{input:?}");
        let error = std::str::from_utf8(&output.stderr).unwrap();
        assert!(
            error.starts_with("postern: `-`: ") && error.contains(expected),
            "{error}"
        );
        assert_eq!(error.lines().count(), 1, "{error}");
        assert_eq!(stdout(&output), "");
    }
    let output = postern(&["lint", "envoy", "no-such-file.yaml"], "");
    assert_eq!(output.status.code(), Some(65));
    let output = postern(&["lint", "envoy", "good.yaml", "--format", "xml"], "");
    assert_eq!(output.status.code(), Some(64));
}

#[test]
fn a_good_configuration_has_notes_only_and_each_change_of_it_its_finding() {
    let good = text("good.yaml");
    let codes = |text: &str| -> Vec<String> {
        let report = report(text);
        let found = report.findings().iter();
        let mut codes: Vec<String> = found
            .map(|f| format!("{} {}", f.severity.word(), f.code))
            .collect();
        codes.sort();
        codes
    };
    assert_eq!(codes(&good), ["info route_disabled"]);
    for (from, to, expected) in cases::CASES {
        assert_eq!(
            good.matches(from).count(),
            1,
            "{from:?} is in good.yaml once"
        );
        let mut found = codes(&good.replace(from, to));
        if let Some(at) = found.iter().position(|code| code == "info route_disabled") {
            found.remove(at);
        }
        assert_eq!(found, *expected, "{from:?} => {to:?}");
    }
}

#[test]
fn every_check_has_a_case_and_a_line_on_the_page() {
    let source = include_str!("../src/lint/envoy/code.rs");
    let words: BTreeSet<&str> = source
        .lines()
        .filter_map(|line| line.trim().strip_prefix('"')?.strip_suffix("\","))
        .filter(|word| {
            word.bytes()
                .all(|b| b.is_ascii_lowercase() || b == b'_' || b.is_ascii_digit())
        })
        .collect();
    assert!(words.len() > 40, "{words:?}");
    let mut seen: BTreeSet<String> = BTreeSet::new();
    for (_, _, expected) in cases::CASES {
        seen.extend(
            expected
                .iter()
                .map(|code| code.split_once(' ').unwrap().1.to_owned()),
        );
    }
    for name in ["good.yaml", "bad.yaml", "config_dump.json", "fragment.json"] {
        seen.extend(
            report(&text(name))
                .findings()
                .iter()
                .map(|f| f.code.to_owned()),
        );
    }
    let page = include_str!("../docs/ENVOY.md");
    for word in words {
        assert!(
            page.contains(&format!("| `{word}` |")),
            "docs/ENVOY.md has no line for `{word}`"
        );
        assert!(seen.contains(word), "no case finds `{word}`");
    }
}

#[test]
fn each_fix_is_yaml() {
    let mut texts = vec![
        text("bad.yaml"),
        text("config_dump.json"),
        text("fragment.json"),
    ];
    let good = text("good.yaml");
    texts.extend(
        cases::CASES
            .iter()
            .map(|(from, to, _)| good.replace(from, to)),
    );
    for text in texts {
        for finding in report(&text).findings() {
            let fix = &finding.fix;
            let is_comment = fix.lines().all(|line| line.starts_with('#'));
            assert!(
                is_comment || read(fix, Form::Yaml).is_ok(),
                "{}: {fix}",
                finding.code
            );
            // SPEC 16: one line each
            assert!(!finding.why.contains('\n') && !finding.found.contains('\n'));
        }
    }
}

#[test]
fn what_stands_in_the_file_reaches_the_terminal_without_its_control_characters() {
    let text = "http_filters:\n- name: \"envoy.filters.http.ext_authz\"\nstat_prefix: \"a\\u001b[31m\\nb\"\n";
    let report = report(text).text(false);
    assert!(!report.contains('\u{1b}'), "{report}");
    assert!(report.contains("\\u{1b}[31m\\nb"), "{report}");
}

#[test]
fn the_headers_that_a_route_is_told_to_remove_are_those_that_postern_sets() {
    // SPEC 13.3
    let report = report(&text("config_dump.json"));
    let fix = report
        .findings()
        .iter()
        .find(|f| f.code == "identity_headers");
    let fix = &fix.unwrap().fix;
    for name in postern::wire::envoy::headers::NAMES {
        assert!(
            fix.contains(&format!("- {name}\n")) || fix.ends_with(name),
            "{name}"
        );
    }
    assert_eq!(
        fix.lines().count(),
        1 + postern::wire::envoy::headers::NAMES.len()
    );
}

#[test]
fn an_edge_that_removes_the_identity_headers_lets_routes_go_unchecked() {
    let good = text("good.yaml");
    let removal = "                - x-postern-attributed-user\n";
    let edge = "stat_prefix: edge
          early_header_mutation_extensions:
          - name: envoy.http.early_header_mutation.header_mutation
            typed_config:
              \"@type\": type.googleapis.com/envoy.extensions.http.early_header_mutation.header_mutation.v3.HeaderMutation
              mutations:
              - remove_on_match: {key_matcher: {prefix: x-postern-}}";
    let text = good.replace(removal, "").replace("stat_prefix: edge", edge);
    assert_eq!(report(&text).worst(), Some(Severity::Info), "{text}");
}

#[test]
fn the_examples_are_clean() {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("examples/envoy");
    let mut count = 0;
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|end| end == "yaml") {
            let report = report(&std::fs::read_to_string(&path).unwrap());
            let codes: Vec<&str> = report.findings().iter().map(|f| f.code).collect();
            assert_eq!(codes, ["route_disabled"], "{}", path.display());
            assert_eq!(report.worst(), Some(Severity::Info));
            count += 1;
        }
    }
    assert_eq!(count, 2);
}

#[test]
fn a_mistake_that_no_severity_hides_is_the_worst() {
    assert_eq!(report(&text("good.yaml")).worst(), Some(Severity::Info));
    assert_eq!(report(&text("bad.yaml")).worst(), Some(Severity::Error));
}
