//! The rules; each is a function from text to findings.

use std::collections::{BTreeMap, BTreeSet};

use crate::tables::{
    ALLOWS_BY_DEFAULT, ALLOWS_BY_DEFAULT_IN, BANNED_IN_PURE, FILE_LINES_MAX, LAYERS,
    NOTHING_SKIPPED_IN, ONLY_IN, PARSING, PURE, SKIPPING, WORDS_BANNED,
};
use crate::text::{code, read_if_there, root, walk};

/// Paths from the root and their text.
pub(crate) struct Repository(pub(crate) BTreeMap<String, String>);

impl Repository {
    pub(crate) fn read() -> Self {
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

pub(crate) fn check(repository: &Repository) -> Vec<String> {
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
        for name in permitted.split_whitespace() {
            if !LAYERS[..at].iter().any(|(above, _)| *above == name) {
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
                if !permitted.split_whitespace().any(|name| name == import) {
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
        for name in permitted.split_whitespace() {
            let edge = ((*module).to_owned(), name.to_owned());
            if present.contains(*module) && present.contains(name) && !used.contains(&edge) {
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
        for statement in text.split([';', '{', '}']) {
            let reads = PARSING.iter().any(|word| statement.contains(word));
            for skip in SKIPPING
                .iter()
                .filter(|skip| reads && statement.contains(**skip))
            {
                findings.push(format!("{path}: `{skip}` skips what cannot be read"));
            }
        }
    }
    if path != ALLOWS_BY_DEFAULT_IN {
        for name in ALLOWS_BY_DEFAULT.iter().filter(|name| names(text, name)) {
            findings.push(format!(
                "{path}: `{name}` belongs to {ALLOWS_BY_DEFAULT_IN}"
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
    if path.starts_with("tests/tidy") {
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
    let is_golden = path.ends_with(".txt") || path.ends_with(".golden") || path.ends_with(".out");
    if !is_golden && (text.contains('\r') || text.lines().any(|line| line.ends_with([' ', '\t']))) {
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
pub(crate) fn reasons(code_text: &str, document: &str) -> Vec<String> {
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
pub(crate) fn commands(code_text: &str, documents: &str) -> Vec<String> {
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
        .map(first_segment)
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
pub(crate) fn cited_files(document: &str, name: &str) -> Vec<String> {
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
