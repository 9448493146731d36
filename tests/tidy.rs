//! The body plan, checked: layers, confinement of crates, sizes, words, and documents that
//! must keep step with the code.
//!
//! It reads text. A macro that expands to a path escapes it; so does a path written in a
//! string. Inline `#[cfg(test)]` code and comments are not counted.

#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::string_slice,
    reason = "a test that reads its own repository"
)]

#[path = "tidy/rules.rs"]
mod rules;
#[path = "tidy/tables.rs"]
mod tables;
#[path = "tidy/text.rs"]
mod text;

use rules::{Repository, check, cited_files, commands, reasons};
use tables::FILE_LINES_MAX;
use text::{read, read_if_there};

// === the repository as it is ===

#[test]
fn the_repository_is_tidy() {
    let findings = check(&Repository::read());
    assert!(
        findings.is_empty(),
        "{} findings:\n{}",
        findings.len(),
        findings.join("\n")
    );
}

#[test]
fn every_reason_has_its_section_in_reasons_md() {
    let findings = reasons(&read("src/model/outcome.rs"), &read("docs/REASONS.md"));
    assert!(findings.is_empty(), "{}", findings.join("\n"));
}

#[test]
fn every_command_is_in_the_readme_or_the_operations_page() {
    let docs = read("README.md") + &read_if_there("docs/OPERATIONS.md");
    let findings = commands(&read("src/cli.rs"), &docs);
    assert!(findings.is_empty(), "{}", findings.join("\n"));
}

#[test]
fn every_test_named_in_the_architecture_exists() {
    let findings = cited_files(&read("docs/ARCHITECTURE.md"), "docs/ARCHITECTURE.md");
    assert!(findings.is_empty(), "{}", findings.join("\n"));
}

// === the checker can fail ===

#[test]
fn each_rule_finds_its_seeded_violation() {
    let seeds: &[(&str, &str, &str)] = &[
        ("src/stray.rs", "", "`stray` is not in the table"),
        (
            "src/model/x.rs",
            "use crate::graph::Snapshot;",
            "`model` may not import `graph`",
        ),
        (
            "src/model/x.rs",
            "use crate::{limits, wire};",
            "`model` may not import `wire`",
        ),
        (
            "src/model/x.rs",
            "use crate::Snapshot;",
            "`crate::Snapshot` is no module",
        ),
        ("src/model/x.rs", "use super::super::n;", "`super::super`"),
        (
            "src/model/x.rs",
            "fn f() { tokio::spawn(g()); }",
            "names `tokio`",
        ),
        (
            "src/decide/x.rs",
            "use std::time::SystemTime;",
            "names `SystemTime`",
        ),
        (
            "src/graph/x.rs",
            "use std::net::TcpStream;",
            "names `std::net::Tcp`",
        ),
        (
            "src/serve/x.rs",
            "use arc_swap::ArcSwap;",
            "`arc_swap` belongs to live",
        ),
        (
            "src/feed/x.rs",
            "use clap::Parser;",
            "`clap` belongs to cli",
        ),
        (
            "src/wire/x.rs",
            "let a = b.filter_map(|c| c.parse().ok());",
            "`filter_map(`",
        ),
        ("src/serve/x.rs", "CheckResponse::default()", "belongs to"),
        ("src/graph/mod.rs", "", "mod.rs"),
        ("src/graph/x.rs", "// TODO later", "`TODO`"),
        ("src/graph/x.rs", &"\n".repeat(FILE_LINES_MAX + 1), "lines"),
        ("src/graph/x.rs", "#[allow(dead_code)]", "`#[allow"),
        ("docs/x.md", "see /home/ann/notes", "`/home/`"),
    ];
    for (path, text, expected) in seeds {
        let mut repository = Repository::read();
        repository.0.insert((*path).to_owned(), (*text).to_owned());
        let findings = check(&repository);
        assert!(
            findings
                .iter()
                .any(|f| f.starts_with(path) && f.contains(expected)),
            "{path} with `{text}` gave {findings:?}"
        );
    }
}

#[test]
fn an_unused_permission_is_found() {
    let mut repository = Repository::read();
    repository
        .0
        .retain(|path, _| !path.starts_with("src/decide"));
    repository.0.insert(
        "src/decide.rs".to_owned(),
        "use crate::graph::Snapshot;".to_owned(),
    );
    let findings = check(&repository);
    assert!(
        findings
            .iter()
            .any(|f| f.contains("`decide` never imports `model`")),
        "{findings:?}"
    );
}

#[test]
fn code_of_tests_and_comments_is_not_counted() {
    let text = "//! use crate::wire::X;\nfn f() {} // tokio\n\
                #[cfg(test)]\nmod tests {\n    use crate::wire::X;\n    fn t() { tokio(); }\n}\n";
    let mut repository = Repository::read();
    repository
        .0
        .insert("src/model/x.rs".to_owned(), text.to_owned());
    let mut findings = check(&repository);
    findings.retain(|finding| finding.starts_with("src/model/x.rs"));
    assert_eq!(findings, Vec::<String>::new());
}

#[test]
fn a_reason_without_a_section_and_a_section_without_a_reason_are_found() {
    let code = "pub enum Reason {\n    NoGrant,\n    Seat,\n}\n";
    let found = reasons(code, "## NO_GRANT\n\n## SPELT_WRONG\n");
    assert_eq!(found.len(), 2, "{found:?}");
}

#[test]
fn a_command_without_documentation_is_found() {
    let code =
        "#[derive(Subcommand)]\nenum Command {\n    Serve(serve::Args),\n    Frob(Args),\n}\n";
    assert_eq!(commands(code, "`postern serve`").len(), 1);
}
