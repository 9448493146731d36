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

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

/// Modules in order, and what each may import. A row may only name rows above it, so a cycle
/// cannot be written; a permission that nothing uses fails too, so the table stays the truth.
const LAYERS: &[(&str, &[&str])] = &[
    ("limits", &[]),
    ("clock", &[]),
    ("model", &["limits"]),
    ("graph", &["model", "limits"]),
    ("credential", &["model", "limits"]),
    ("decide", &["model", "graph", "credential"]),
    (
        "wire",
        &["model", "graph", "credential", "decide", "limits"],
    ),
    ("import", &["graph", "wire"]),
    ("live", &["model", "graph"]),
    ("telemetry", &["model"]),
    (
        "feed",
        &[
            "model",
            "graph",
            "wire",
            "live",
            "clock",
            "telemetry",
            "limits",
        ],
    ),
    (
        "serve",
        &[
            "model",
            "graph",
            "credential",
            "decide",
            "wire",
            "live",
            "clock",
            "telemetry",
            "limits",
        ],
    ),
    ("config", &["model", "limits"]),
    (
        "app",
        &[
            "model",
            "graph",
            "wire",
            "live",
            "clock",
            "telemetry",
            "feed",
            "serve",
            "config",
            "limits",
        ],
    ),
    (
        "cli",
        &[
            "app",
            "config",
            "graph",
            "wire",
            "import",
            "decide",
            "credential",
            "model",
            "clock",
            "limits",
        ],
    ),
];

/// Modules without I/O, async, clock and wire types, and what they may not name.
const PURE: &[&str] = &["limits", "model", "graph", "credential", "decide", "import"];
const BANNED_IN_PURE: &[&str] = &[
    "tokio",
    "tonic",
    "prost",
    "arc_swap",
    "notify",
    "tracing",
    "hyper",
    "std::fs",
    "std::env",
    "std::net::Tcp",
    "std::net::Udp",
    "std::os",
    "std::thread",
    "SystemTime",
    "Instant::now",
];

/// Crates that only some modules may name.
const ONLY_IN: &[(&str, &[&str])] = &[
    ("arc_swap", &["live"]),
    ("notify", &["feed"]),
    ("tonic", &["wire", "serve", "feed", "cli"]),
    ("prost", &["wire", "serve", "feed", "cli"]),
    ("clap", &["cli"]),
    ("saphyr_parser", &["wire"]),
];

/// Where "nothing that fails to parse is skipped" is at stake: what would skip it.
const SKIPPING: &[&str] = &[".ok())", "filter_map(|", "unwrap_or_default()"];
const NOTHING_SKIPPED_IN: &[&str] = &["wire", "graph"];

const FILE_LINES_MAX: usize = 600;
const WORDS_BANNED: &[&str] = &[
    "TODO",
    "FIXME",
    "XXX",
    "HACK",
    "dbg!",
    "todo!",
    "unimplemented!",
];

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
        (
            "src/model/x.rs",
            "use super::super::name;",
            "`super::super`",
        ),
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
            "let a = b.map(|c| c.parse().ok());",
            "`.ok())`",
        ),
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
fn test_code_and_comments_are_not_counted() {
    let text = "//! use crate::wire::X;\nfn f() {} // tokio\n\
                #[cfg(test)]\nmod tests {\n    use crate::wire::X;\n    fn t() { tokio(); }\n}\n";
    let mut repository = Repository::read();
    repository
        .0
        .insert("src/model/x.rs".to_owned(), text.to_owned());
    assert_eq!(check(&repository), Vec::<String>::new());
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

// === rules ===

/// Paths from the root and their text.
struct Repository(BTreeMap<String, String>);

impl Repository {
    fn read() -> Self {
        let mut files = BTreeMap::new();
        for folder in [
            "src", "docs", "proto", "examples", "scripts", "tests", "benches",
        ] {
            walk(&root().join(folder), &mut files);
        }
        for file in ["README.md", "Cargo.toml", "build.rs"] {
            let text = read_if_there(file);
            files.insert(file.to_owned(), text);
        }
        Self(files)
    }

    fn sources(&self) -> impl Iterator<Item = (&str, &str, String)> {
        self.0.iter().filter_map(|(path, text)| {
            let inner = path.strip_prefix("src/")?.strip_suffix(".rs")?;
            let module = inner
                .split('/')
                .next()
                .expect("split gives one part at least");
            let text = if inner.ends_with("/tests") {
                String::new()
            } else {
                code(text)
            };
            Some((path.as_str(), module, text))
        })
    }
}

fn check(repository: &Repository) -> Vec<String> {
    let mut findings = Vec::new();
    layers(repository, &mut findings);
    for (path, module, text) in repository.sources() {
        confinement(path, module, &text, &mut findings);
    }
    for (path, text) in &repository.0 {
        words(path, text, &mut findings);
    }
    findings
}

fn layers(repository: &Repository, findings: &mut Vec<String>) {
    let mut used: BTreeSet<(String, String)> = BTreeSet::new();
    let mut present = BTreeSet::new();
    for (at, (module, permitted)) in LAYERS.iter().enumerate() {
        for name in *permitted {
            if !LAYERS[..at].iter().any(|(above, _)| above == name) {
                findings.push(format!(
                    "tests/tidy.rs: `{module}` names `{name}`, no row above it"
                ));
            }
        }
    }
    for (path, module, text) in repository.sources() {
        if matches!(module, "lib" | "main") {
            continue;
        }
        present.insert(module.to_owned());
        let Some((_, permitted)) = LAYERS.iter().find(|(name, _)| *name == module) else {
            findings.push(format!(
                "{path}: `{module}` is not in the table of tests/tidy.rs"
            ));
            continue;
        };
        for import in imports(&text) {
            let is_module = LAYERS.iter().any(|(name, _)| *name == import);
            if !is_module {
                findings.push(format!(
                    "{path}: `crate::{import}` is no module of the table"
                ));
            } else if import != module {
                if !permitted.contains(&import.as_str()) {
                    findings.push(format!("{path}: `{module}` may not import `{import}`"));
                }
                used.insert((module.to_owned(), import));
            }
        }
        if text.contains("super::super") {
            findings.push(format!(
                "{path}: `super::super`; write the path from `crate`"
            ));
        }
    }
    for (module, permitted) in LAYERS {
        for name in *permitted {
            let edge = ((*module).to_owned(), (*name).to_owned());
            if present.contains(*module) && present.contains(*name) && !used.contains(&edge) {
                findings.push(format!("tests/tidy.rs: `{module}` never imports `{name}`"));
            }
        }
    }
}

/// First segments of `crate::...` paths, `crate::{a, b::c}` included.
fn imports(text: &str) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for (at, _) in text.match_indices("crate::") {
        if text[..at].ends_with(|c: char| c.is_ascii_alphanumeric() || c == '_' || c == '$') {
            continue;
        }
        let rest = &text[at + "crate::".len()..];
        if let Some(list) = rest.strip_prefix('{') {
            let mut depth = 0_i32;
            let mut item = String::new();
            for c in list.chars() {
                match c {
                    '}' if depth == 0 => break,
                    '{' => depth += 1,
                    '}' => depth -= 1,
                    ',' if depth == 0 => {
                        found.insert(first_segment(&item));
                        item.clear();
                        continue;
                    }
                    _ => {}
                }
                item.push(c);
            }
            found.insert(first_segment(&item));
        } else {
            found.insert(first_segment(rest));
        }
    }
    found.remove("");
    found
}

fn first_segment(text: &str) -> String {
    text.trim()
        .chars()
        .take_while(|c| c.is_ascii_alphanumeric() || *c == '_')
        .collect()
}

fn confinement(path: &str, module: &str, text: &str, findings: &mut Vec<String>) {
    if PURE.contains(&module) {
        for banned in BANNED_IN_PURE.iter().filter(|banned| names(text, banned)) {
            findings.push(format!("{path}: a pure module names `{banned}`"));
        }
    }
    for (name, owners) in ONLY_IN {
        if !owners.contains(&module) && names(text, name) {
            findings.push(format!("{path}: `{name}` belongs to {}", owners.join(", ")));
        }
    }
    if NOTHING_SKIPPED_IN.contains(&module) {
        for skip in SKIPPING.iter().filter(|skip| text.contains(**skip)) {
            findings.push(format!(
                "{path}: `{skip}` skips what cannot be read; make it an issue"
            ));
        }
    }
    if path.ends_with("/mod.rs") {
        findings.push(format!(
            "{path}: no mod.rs; the module is a file beside its folder"
        ));
    }
    if text.contains("#[allow(") && !text.contains("clippy::allow_attributes") {
        findings.push(format!(
            "{path}: `#[allow`; write `#[expect(.., reason = \"..\")]`"
        ));
    }
}

/// Whether `text` has `name` as a path segment or the start of one.
fn names(text: &str, name: &str) -> bool {
    text.match_indices(name).any(|(at, _)| {
        let before = text[..at].chars().next_back();
        let after = text[at + name.len()..].chars().next();
        let word = |c: Option<char>| c.is_some_and(|c| c.is_ascii_alphanumeric() || c == '_');
        let open_end = name.ends_with("Tcp") || name.ends_with("Udp");
        !word(before) && (open_end || !word(after))
    })
}

fn words(path: &str, text: &str, findings: &mut Vec<String>) {
    // this file must name what it bans
    if path == "tests/tidy.rs" {
        return;
    }
    let lines = text.lines().count();
    if path.ends_with(".rs") && lines > FILE_LINES_MAX {
        findings.push(format!("{path}: {lines} lines, at most {FILE_LINES_MAX}"));
    }
    for banned in WORDS_BANNED.iter().filter(|banned| has_word(text, banned)) {
        findings.push(format!("{path}: `{banned}`"));
    }
    for machine in ["/home/", "/root/", "/Users/"] {
        if text.contains(machine) {
            findings.push(format!("{path}: `{machine}` is a path of one machine"));
        }
    }
    if text.contains('\r') || text.lines().any(|line| line.ends_with([' ', '\t'])) {
        findings.push(format!("{path}: trailing space or carriage return"));
    }
    if !text.is_empty() && !text.ends_with('\n') {
        findings.push(format!("{path}: no line feed at the end"));
    }
}

fn has_word(text: &str, word: &str) -> bool {
    text.match_indices(word).any(|(at, _)| {
        let before = text[..at].chars().next_back();
        let after = text[at + word.len()..].chars().next();
        let letter = |c: Option<char>| c.is_some_and(|c| c.is_ascii_alphanumeric() || c == '_');
        !letter(before) && !letter(after)
    })
}

/// Variants of `enum Reason` against the `## WORD` headings.
fn reasons(code_text: &str, document: &str) -> Vec<String> {
    let in_code: BTreeSet<String> = variants(code_text, "enum Reason")
        .iter()
        .map(|variant| screaming(variant))
        .collect();
    let in_document: BTreeSet<String> = document
        .lines()
        .filter_map(|line| line.strip_prefix("## "))
        .map(|heading| heading.trim_matches('`').to_owned())
        .filter(|heading| heading.chars().all(|c| c.is_ascii_uppercase() || c == '_'))
        .collect();
    let missing = in_code
        .difference(&in_document)
        .map(|r| format!("no section `## {r}`"));
    let extra = in_document
        .difference(&in_code)
        .map(|r| format!("`## {r}` is no reason"));
    let mut findings: Vec<String> = missing.chain(extra).collect();
    if in_code.is_empty() {
        findings.push("no variants of `enum Reason` found: mend this check".to_owned());
    }
    findings
}

/// Variants of `enum Command` against "`postern word`" in the documents.
fn commands(code_text: &str, documents: &str) -> Vec<String> {
    let variants = variants(code_text, "enum Command");
    if variants.is_empty() {
        return vec!["no variants of `enum Command` found: mend this check".to_owned()];
    }
    variants
        .iter()
        .map(|variant| screaming(variant).to_ascii_lowercase().replace('_', "-"))
        .filter(|word| !documents.contains(&format!("postern {word}")))
        .map(|word| format!("`postern {word}` is in neither README.md nor docs/OPERATIONS.md"))
        .collect()
}

/// Names of the variants of the first enum that `head` opens.
fn variants(text: &str, head: &str) -> Vec<String> {
    let text = code(text);
    let Some(start) = text.find(&format!("{head} {{")) else {
        return Vec::new();
    };
    let body = &text[start + head.len() + 2..];
    let body = &body[..body
        .find("\n}")
        .expect("rustfmt ends an enum at the margin")];
    body.lines()
        .filter(|line| line.starts_with("    ") && !line.starts_with("     "))
        .map(|line| first_segment(line))
        .filter(|word| word.starts_with(|c: char| c.is_ascii_uppercase()))
        .collect()
}

fn screaming(variant: &str) -> String {
    let mut out = String::new();
    for c in variant.chars() {
        if c.is_ascii_uppercase() && !out.is_empty() {
            out.push('_');
        }
        out.push(c.to_ascii_uppercase());
    }
    out
}

/// Paths in backticks that look like files of this repository must exist.
fn cited_files(document: &str, name: &str) -> Vec<String> {
    document
        .split('`')
        .skip(1)
        .step_by(2)
        .filter(|word| {
            [
                "src/",
                "tests/",
                "docs/",
                "scripts/",
                "benches/",
                "proto/",
                "examples/",
                "bench/",
            ]
            .iter()
            .any(|folder| word.starts_with(folder))
                && !word.contains([' ', '*', '{', '<'])
        })
        .filter(|word| !root().join(word).exists())
        .map(|word| format!("{name}: `{word}` does not exist"))
        .collect()
}

// === text ===

/// The code: without comments, and without `#[cfg(test)] mod`.
fn code(text: &str) -> String {
    let mut out = String::new();
    let mut lines = text.lines();
    while let Some(line) = lines.next() {
        if line.trim_start().starts_with("#[cfg(test)]") {
            skip_item(&mut lines);
            continue;
        }
        let line = match line.find("//") {
            Some(at) if !line[..at].contains('"') => &line[..at],
            _ => line,
        };
        out.push_str(line);
        out.push('\n');
    }
    out
}

/// Skips the item that follows: to the closing brace at the same depth, or to `;`.
fn skip_item<'a>(lines: &mut impl Iterator<Item = &'a str>) {
    let mut depth = 0_i32;
    for line in lines {
        if depth == 0 && (line.trim_start().starts_with("#[") || line.trim().is_empty()) {
            continue;
        }
        for c in line.chars() {
            depth += i32::from(c == '{') - i32::from(c == '}');
        }
        if depth <= 0 {
            return;
        }
    }
}

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn read(path: &str) -> String {
    fs::read_to_string(root().join(path)).unwrap_or_else(|error| {
        assert!(!path.is_empty(), "a path");
        format!("{path}: {error}")
    })
}

fn read_if_there(path: &str) -> String {
    fs::read_to_string(root().join(path)).unwrap_or_else(|_| String::new())
}

fn walk(folder: &Path, files: &mut BTreeMap<String, String>) {
    let Ok(entries) = fs::read_dir(folder) else {
        return;
    };
    for entry in entries {
        let path = entry.expect("a folder entry").path();
        if path.is_dir() {
            let skipped = path.ends_with("__pycache__") || path.ends_with("target");
            if !skipped {
                walk(&path, files);
            }
        } else if let Ok(text) = fs::read_to_string(&path) {
            let name = path.strip_prefix(root()).expect("below the root");
            files.insert(name.to_string_lossy().replace('\\', "/"), text);
        }
    }
}
