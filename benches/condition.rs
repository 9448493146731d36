//! Conditions: to compile one, and to evaluate it. `benches/README.md` says how to read it.
#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    clippy::as_conversions,
    clippy::cast_possible_truncation,
    clippy::disallowed_methods,
    reason = "a bench may stop at once, and prints"
)]

use std::hint::black_box;
use std::time::Instant;

use postern::condition::{Attributes, Condition, Outcome, Site};
use postern::model::query::UnixTime;
use postern::model::value::{Struct, Value};

/// Name, expression, and the rounds that make about a tenth of a second.
const CASES: &[(&str, &str, u32)] = &[
    ("constant", "true", 1_000_000),
    (
        "attribute equals text",
        "request.attributes.department == 'research'",
        1_000_000,
    ),
    (
        "before a time",
        "request.time < timestamp('2027-01-01T00:00:00Z')",
        1_000_000,
    ),
    (
        "working hours",
        "request.time.getHours('Europe/Berlin') >= 1 && request.time.getDayOfWeek('Europe/Berlin') in [1, 2, 3, 4, 5]",
        300_000,
    ),
    (
        "tag and network",
        "resource.matchTag('env', 'prod') && cidr('10.0.0.0/8').containsIP(source.ip)",
        1_000_000,
    ),
    (
        "name by pattern",
        "resource.name.matches('^organizations/[a-z]+/teams/(core|web)/')",
        500_000,
    ),
    (
        "12 operators",
        "true && true && true && true && true && true && true && true && true && true && true && true && has(resource.name)",
        300_000,
    ),
    (
        "100 values in 100",
        "request.attributes.groups.all(g, g in resource.attributes.groups)",
        1_000,
    ),
];

fn fields() -> Struct {
    let group = |at: usize| Value::String(format!("group-{at}@acme.example"));
    Struct(vec![
        (
            "department".to_owned(),
            Value::String("research".to_owned()),
        ),
        (
            "groups".to_owned(),
            Value::List((0..100).map(group).collect()),
        ),
    ])
}

fn nanos(rounds: u32, mut run: impl FnMut()) -> u128 {
    let mut best = u128::MAX;
    for _ in 0..5 {
        let start = Instant::now();
        (0..rounds).for_each(|_| run());
        best = best.min(start.elapsed().as_nanos() / u128::from(rounds));
    }
    best
}

fn main() {
    let fields = fields();
    let attributes = Attributes {
        now: UnixTime(1_767_225_600),
        request: &fields,
        resource: &fields,
        resource_name: Some("organizations/acme/teams/core/projects/web"),
        resource_type: "project",
        tags: &|key| (key == "env").then_some("prod"),
        source_ip: Some([10, 0, 0, 7].into()),
        principal_subject: "user:ann@acme.example",
        principal_type: "user",
    };
    println!("| condition | compile ns | evaluate ns | foreseen steps |");
    println!("|---|---|---|---|");
    for (name, text, rounds) in CASES {
        let condition = Condition::compile(text, Site::Allow).unwrap();
        assert_eq!(condition.evaluate(&attributes), Outcome::True, "{name}");
        let compile = nanos(200, || {
            black_box(Condition::compile(black_box(text), Site::Allow).is_ok());
        });
        let evaluate = nanos(*rounds, || {
            black_box(condition.evaluate(black_box(&attributes)));
        });
        let steps = condition.foreseen_steps();
        println!("| {name} | {compile} | {evaluate} | {steps} |");
    }
}
