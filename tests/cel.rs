//! Conditions against CEL: vectors of our own, and the conformance tests of the specification.
//!
//! `tests/cel/vectors.txt` is ours: `[site]` opens a section, a line is what is expected and
//! the expression. `official` runs what `scripts/cel-vectors` makes of the official tests, and
//! `tests/cel/skipped.txt` names each of those that does not pass, with the reason; an entry
//! that passes fails the test, so the list cannot outlive its reasons.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::indexing_slicing,
    reason = "a test may stop at once, and says what it counted"
)]

#[path = "cel/random.rs"]
mod random;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::net::IpAddr;
use std::path::Path;

use postern::condition::{Attributes, Condition, Outcome, Site};
use postern::model::query::UnixTime;
use postern::model::value::{Struct, Value};

// === the world that the vectors are about ===

struct World {
    request: Struct,
    resource: Struct,
}

fn text(text: &str) -> Value {
    Value::String(text.to_owned())
}

fn fields(fields: Vec<(&str, Value)>) -> Struct {
    let named = |(name, value): (&str, Value)| (name.to_owned(), value);
    Struct(fields.into_iter().map(named).collect())
}

impl World {
    fn new() -> Self {
        let nested = fields(vec![("deep", Value::Number(7.0))]);
        let request = fields(vec![
            ("count", Value::Number(3.0)),
            ("half", Value::Number(0.5)),
            ("huge", Value::Number(1e300)),
            ("department", text("research")),
            ("on", Value::Bool(true)),
            ("nothing", Value::Null),
            ("groups", Value::List(vec![text("a"), text("b")])),
            ("mixed", Value::List(vec![text("a"), Value::Number(1.0)])),
            ("nested", Value::Struct(nested)),
            ("x-trace", text("id")),
            ("address", text("10.1.2.3")),
            ("when", text("2026-01-01T00:00:00Z")),
            ("long", text(&"x".repeat(8_000))),
            ("sub", text("user:ann@acme.example")),
        ]);
        let resource = fields(vec![
            ("labels", Value::List(vec![text("a"), text("b"), text("c")])),
            ("size", Value::Number(10.0)),
        ]);
        Self { request, resource }
    }

    fn outcome(&self, condition: &Condition, site: Site) -> Outcome {
        if site == Site::Provider {
            return condition.evaluate_provider(&self.request, &self.resource);
        }
        condition.evaluate(&Attributes {
            now: UnixTime(1_767_225_600),
            request: &self.request,
            resource: &self.resource,
            resource_name: Some("organizations/acme/teams/core/projects/web"),
            resource_type: "project",
            tags: &|key| (key == "env").then_some("prod"),
            source_ip: Some(IpAddr::from([10, 0, 0, 7])),
            principal_subject: "user:ann@acme.example",
            principal_type: "user",
        })
    }

    /// `true`, `false`, `error`, or `refused: ` and why.
    fn result(&self, expression: &str, site: Site) -> String {
        match Condition::compile(expression, site) {
            Ok(condition) => match self.outcome(&condition, site) {
                Outcome::True => "true".to_owned(),
                Outcome::False => "false".to_owned(),
                Outcome::Error => "error".to_owned(),
            },
            Err(fault) => format!("refused: {fault}"),
        }
    }
}

// === our vectors ===

fn site(name: &str) -> Site {
    match name {
        "[allow]" => Site::Allow,
        "[deny]" => Site::Deny,
        "[boundary]" => Site::Boundary,
        "[provider]" => Site::Provider,
        _ => panic!("there is no site {name}"),
    }
}

#[test]
fn every_vector_of_ours_gives_what_it_says() {
    let world = World::new();
    let mut at = Site::Allow;
    let (mut count, mut wrong) = (0, String::new());
    for (number, line) in include_str!("cel/vectors.txt").lines().enumerate() {
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        if line.starts_with('[') {
            at = site(line);
            continue;
        }
        let (expected, expression) = line.split_once(char::is_whitespace).unwrap_or((line, ""));
        let result = world.result(expression.trim_start(), at);
        count += 1;
        // After `refused`, a word in brackets must be in the message.
        let matches = match expected.strip_prefix("refused") {
            Some(word) => {
                let word = word.trim_start_matches('(').trim_end_matches(')');
                result.starts_with("refused") && result.contains(word)
            }
            None => result == expected,
        };
        if !matches {
            let _ = writeln!(wrong, "{}: {line}\n    gave {result}", number + 1);
        }
        assert!(!result.contains('\n'), "a message is one line: {result}");
    }
    assert!(wrong.is_empty(), "{wrong}");
    assert!(count >= 300, "only {count} vectors");
    println!("{count} vectors");
}

// === random expressions ===

#[test]
fn random_expressions_end_as_foreseen() {
    let mut random = random::Random(42);
    let mut world = World::new();
    let (mut compiled, mut clean) = (0, 0);
    for turn in 0..20_000 {
        if turn % 50 == 0 {
            world.request = random.fields();
            world.resource = random.fields();
        }
        let noise = random.noise();
        world.result(&noise, Site::Allow);
        let depth = 1 + random.below(4);
        let expression = random.expression(depth, 0);
        // Most are no bool: compared with something, they are.
        let other = random.expression(1, 0);
        for text in [&expression, &format!("{expression} == {other}")] {
            if let Ok(condition) = Condition::compile(text, Site::Allow) {
                let first = world.outcome(&condition, Site::Allow);
                assert_eq!(first, world.outcome(&condition, Site::Allow), "{text}");
                compiled += 1;
                clean += usize::from(first != Outcome::Error);
            }
        }
    }
    println!("{compiled} compiled, {clean} without an error");
    assert!(compiled > 4_000 && clean > 1_000, "{compiled} {clean}");
}

// === the official tests ===

/// Files of the official tests about what is not here at all, and why.
const FILES_SKIPPED: &[(&str, &str)] = &[
    ("bindings_ext", "an extension that is not offered"),
    ("block_ext", "an extension that is not offered"),
    ("encoders_ext", "an extension that is not offered"),
    ("enums", "protocol buffer messages are not offered"),
    ("macros2", "an extension that is not offered"),
    ("math_ext", "an extension that is not offered"),
    ("namespace", "there are no containers"),
    ("optionals", "an extension that is not offered"),
    ("proto2", "protocol buffer messages are not offered"),
    ("proto2_ext", "protocol buffer messages are not offered"),
    ("proto3", "protocol buffer messages are not offered"),
    ("string_ext", "an extension that is not offered"),
    ("type_deductions", "about the type checker alone"),
    ("wrappers", "protocol buffer messages are not offered"),
    ("dynamic", "protocol buffer messages are not offered"),
];

/// `name reason`, one a line.
fn skipped() -> BTreeMap<&'static str, &'static str> {
    let lines = include_str!("cel/skipped.txt").lines();
    lines
        .filter(|line| !line.is_empty() && !line.starts_with('#'))
        .map(|line| line.split_once(' ').unwrap())
        .collect()
}

#[test]
#[ignore = "needs the vectors that scripts/cel-vectors fetches"]
fn official() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/cel-vectors.txt");
    let vectors = std::fs::read_to_string(path).unwrap();
    let skipped = skipped();
    let files: BTreeMap<_, _> = FILES_SKIPPED.iter().copied().collect();
    let world = World::new();
    let (mut passed, mut left_out, mut wrong) = (0, 0, String::new());
    let mut seen = BTreeSet::new();
    for line in vectors.lines() {
        let mut parts = line.splitn(3, '\t');
        let (name, expected) = (parts.next().unwrap(), parts.next().unwrap());
        let expression = parts.next().unwrap();
        let file = name.split('/').next().unwrap();
        if files.contains_key(file) || expected == "skip" {
            left_out += 1;
            continue;
        }
        let expression: String = serde_json::from_str(expression).unwrap();
        let result = world.result(&expression, Site::Allow);
        if result.contains("messages such as") {
            left_out += 1;
            continue;
        }
        let passes = match expected {
            // What can only fail may be refused when it is loaded.
            "error" => result == "error" || result.starts_with("refused"),
            _ => result == expected,
        };
        // `file/section/*` stands for all of a section.
        let section = name
            .rsplit_once('/')
            .map(|(section, _)| format!("{section}/*"));
        let entry = [name.to_owned(), section.unwrap()];
        let entry = entry
            .into_iter()
            .find(|entry| skipped.contains_key(&**entry));
        let listed = entry.is_some();
        seen.extend(entry);
        match (passes, listed) {
            (true, false) => passed += 1,
            (false, true) => left_out += 1,
            (true, true) => {
                let _ = writeln!(wrong, "{name} passes and is on the skip list");
            }
            (false, false) => {
                let _ = writeln!(
                    wrong,
                    "{name}\n    {expression}\n    wanted {expected}, gave {result}"
                );
            }
        }
    }
    for name in skipped.keys().filter(|name| !seen.contains(**name)) {
        let _ = writeln!(wrong, "{name} is on the skip list and is no test");
    }
    println!("official CEL tests: {passed} passed, {left_out} skipped");
    assert!(wrong.is_empty(), "{wrong}");
}
