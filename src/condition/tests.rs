//! What the vectors of `tests/cel` cannot say: bounds on sizes, absence, and hostile texts.

use std::net::IpAddr;

use crate::condition::{Attributes, Condition, Fault, Outcome, Site};
use crate::limits::{
    CONDITION_BYTES_MAX, CONDITION_INPUT_BYTES_MAX, CONDITION_INPUT_DEPTH_MAX,
    CONDITION_INPUT_VALUES_MAX, CONDITION_LIST_MAX, CONDITION_MAP_COMPARED_MAX, CONDITION_MAP_MAX,
    CONDITION_STEPS_MAX, MEMBER_BYTES_MAX,
};
use crate::model::query::UnixTime;
use crate::model::value::{Struct, Value};

static NOTHING: Struct = Struct::EMPTY;

/// Nobody asks for nothing.
fn nobody<'a>() -> Attributes<'a> {
    Attributes {
        now: UnixTime(0),
        request: &NOTHING,
        resource: &NOTHING,
        resource_name: None,
        resource_type: "",
        tags: &|_| None,
        source_ip: None,
        principal_subject: "",
        principal_type: "anonymous",
    }
}

fn compile(text: &str) -> Condition {
    Condition::compile(text, Site::Allow).unwrap_or_else(|fault| panic!("{text}: {fault}"))
}

fn outcome(text: &str, attributes: &Attributes<'_>) -> Outcome {
    compile(text).evaluate(attributes)
}

fn fault(text: &str) -> Fault {
    Condition::compile(text, Site::Allow).unwrap_err()
}

fn request(fields: Vec<(String, Value)>) -> Struct {
    Struct(fields)
}

fn with(request: &Struct) -> Attributes<'_> {
    Attributes {
        request,
        ..nobody()
    }
}

#[test]
fn what_is_absent_is_an_error_and_has_says_so() {
    // SPEC 7.1: `resource.name` is absent on a service account and below it.
    assert_eq!(outcome("resource.name == ''", &nobody()), Outcome::Error);
    assert_eq!(outcome("has(resource.name)", &nobody()), Outcome::False);
    let inside = "cidr('0.0.0.0/0').containsIP(source.ip)";
    assert_eq!(outcome(inside, &nobody()), Outcome::Error);
    assert_eq!(outcome("has(source.ip)", &nobody()), Outcome::False);
    assert_eq!(
        outcome("resource.matchTag('a', 'b')", &nobody()),
        Outcome::False
    );
    let far = Attributes {
        now: UnixTime(i64::MAX),
        ..nobody()
    };
    assert_eq!(outcome("request.time > timestamp(0)", &far), Outcome::Error);
}

#[test]
fn an_ipv4_mapped_address_is_the_ipv4_address() {
    let mapped = Attributes {
        source_ip: Some("::ffff:10.1.2.3".parse::<IpAddr>().unwrap()),
        ..nobody()
    };
    let inside = |network| outcome(&format!("cidr('{network}').containsIP(source.ip)"), &mapped);
    assert_eq!(inside("10.0.0.0/8"), Outcome::True);
    assert_eq!(inside("::ffff:10.0.0.0/104"), Outcome::True);
    assert_eq!(inside("11.0.0.0/8"), Outcome::False);
}

#[test]
fn requests_beyond_the_bounds_are_errors_only_where_they_are_looked_at() {
    let mut wide = vec![("a".to_owned(), Value::Bool(true))];
    wide.resize(
        CONDITION_INPUT_VALUES_MAX + 1,
        ("b".to_owned(), Value::Null),
    );
    let mut deep = Value::Null;
    for _ in 0..=CONDITION_INPUT_DEPTH_MAX {
        deep = Value::List(vec![deep]);
    }
    let long = Value::String("x".repeat(CONDITION_INPUT_BYTES_MAX));
    for fields in [
        wide,
        vec![("d".to_owned(), deep)],
        vec![("l".to_owned(), long)],
    ] {
        let fields = request(fields);
        let attributes = with(&fields);
        assert_eq!(
            outcome("has(request.attributes.a)", &attributes),
            Outcome::Error
        );
        assert_eq!(
            outcome("true || request.attributes.a", &attributes),
            Outcome::True
        );
        assert_eq!(
            outcome("has(resource.attributes.a)", &attributes),
            Outcome::False
        );
    }
    let name = "x".repeat(MEMBER_BYTES_MAX + 1);
    let named = Attributes {
        resource_name: Some(&name),
        ..nobody()
    };
    assert_eq!(outcome("resource.name == 'x'", &named), Outcome::Error);
}

#[test]
fn large_maps_are_not_compared() {
    let fields = |count: usize| {
        let field = |index: usize| (format!("f{index}"), Value::Null);
        let inner = Value::Struct(Struct((0..count).map(field).collect()));
        request(vec![
            ("a".to_owned(), inner.clone()),
            ("b".to_owned(), inner),
        ])
    };
    let same = "request.attributes.a == request.attributes.b";
    let fits = fields(CONDITION_MAP_COMPARED_MAX);
    assert_eq!(outcome(same, &with(&fits)), Outcome::True);
    let larger = fields(CONDITION_MAP_COMPARED_MAX + 1);
    assert_eq!(outcome(same, &with(&larger)), Outcome::Error);
}

#[test]
fn texts_over_a_bound_are_refused_with_the_bound() {
    // SPEC 7.2.
    let list = |count: usize| format!("1 in [{}]", vec!["1"; count].join(","));
    assert_eq!(outcome(&list(CONDITION_LIST_MAX), &nobody()), Outcome::True);
    let map = |count: usize| {
        let entries: Vec<_> = (0..count).map(|index| format!("{index}:1")).collect();
        format!("1 in {{{}}}", entries.join(","))
    };
    assert_eq!(outcome(&map(CONDITION_MAP_MAX), &nobody()), Outcome::True);
    let rows = [
        (list(CONDITION_LIST_MAX + 1), "elements of a list"),
        (map(CONDITION_MAP_MAX + 1), "entries of a map"),
        (" ".repeat(CONDITION_BYTES_MAX) + "true", "bytes"),
        (format!("[{0}, {0}, {0}] == []", list(250)), "nodes"),
        (format!("{}true", "true ? true : ".repeat(65)), "`?`"),
    ];
    for (text, bound) in rows {
        let Fault::OverBound { what, .. } = fault(&text) else {
            panic!("{}", fault(&text));
        };
        assert_eq!(what, bound);
    }
}

#[test]
fn the_worst_case_is_foreseen_and_reached_within_its_price() {
    // Each is near the bound; a debug build panics when one costs more than was foreseen.
    let texts = [
        "request.attributes.a.all(x, x in request.attributes.b)",
        "request.attributes.a.all(x, !(x in request.attributes.b))",
        "request.attributes.a.exists(x, x.contains('ab') || x.matches('^(a|b)+c$'))",
        "request.attributes.a.map(x, x + x).map(y, y + y) == request.attributes.a",
        "request.attributes.a.exists(x, request.attributes.b.exists(y, x.startsWith(y)))",
        "request.attributes.a.filter(x, size(x) > 3).map(x, {'k': x}).all(m, m.k in ['a'])",
        "request.attributes.a == request.attributes.b",
    ];
    let list = |text: String, count: usize| Value::List(vec![Value::String(text); count]);
    for (bytes, count) in [(0, 120), (1, 127), (60, 120), (7_000, 1)] {
        let fields = request(vec![
            ("a".to_owned(), list("a".repeat(bytes), count)),
            (
                "b".to_owned(),
                list("a".repeat(bytes.saturating_sub(1)) + "b", count),
            ),
        ]);
        for text in texts {
            assert!(compile(text).foreseen_steps() <= CONDITION_STEPS_MAX);
            let found = outcome(text, &with(&fields));
            assert_ne!(found, Outcome::Error, "{text} on {count} of {bytes}");
        }
    }
}

#[test]
fn nesting_overflows_no_stack() {
    let deep = |open: &str, middle: &str, close: &str, count: usize| {
        format!("{}{middle}{}", open.repeat(count), close.repeat(count))
    };
    let texts = [
        deep("(", "true", ")", 2_000),
        deep("((", "true", ")+1)", 600),
        deep("[", "", "]", 2_000),
        deep("{1:", "1", "}", 900),
        deep("!", "true", "", 4_000),
        deep("!-", "true", "", 2_000),
        deep("-", "1", "", 4_000),
        deep("f(", "1", ")", 1_300),
        deep("a.f(", "1", ")", 800),
        deep("a[", "1", "]", 1_300),
        deep("true?", "true", ":true", 300),
        deep("true?true:", "true", "", 64),
        deep("", "a", ".a", 2_000),
        deep("", "a", "[0]", 1_300),
        deep("", "1", "+1", 2_000),
        deep("", "true", "&&true", 600),
        deep("", "true", "==true", 600),
        deep("[1].all(a,", "true", ")", 300),
        deep("has(", "a.b", ")", 700),
        deep("[1].filter(a,", "true", ").size()", 150),
        deep("\"", "", "\"", 2_000),
        "(".repeat(CONDITION_BYTES_MAX),
        "[".repeat(CONDITION_BYTES_MAX),
        "a(".repeat(CONDITION_BYTES_MAX / 2),
        "!".repeat(CONDITION_BYTES_MAX),
    ];
    for text in texts {
        assert!(text.len() <= CONDITION_BYTES_MAX, "{text}");
        if let Ok(condition) = Condition::compile(&text, Site::Allow) {
            let _ = condition.evaluate(&nobody());
        }
    }
    // The parser takes chains of `!` and parentheses without recursion.
    assert_eq!(
        outcome(&deep("(", "true", ")", 40), &nobody()),
        Outcome::True
    );
}

#[test]
fn conditions_go_to_other_threads_and_show_only_their_text() {
    fn shared<T: Send + Sync + Clone + 'static>(_: &T) {}
    let condition = compile("principal.type == 'anonymous'");
    shared(&condition);
    assert_eq!(
        format!("{condition:?}"),
        "Condition(\"principal.type == 'anonymous'\")"
    );
    assert_eq!(condition.source(), "principal.type == 'anonymous'");
    let elsewhere = std::thread::spawn(move || condition.evaluate(&nobody()));
    assert_eq!(elsewhere.join().unwrap(), Outcome::True);
}

// === SPEC 7.3 ===

/// Every way to have no clean answer, on a request with `text`, `number` and `list`.
const FAILURES: &[(&str, &str)] = &[
    ("missing attribute", "request.attributes.absent == 'x'"),
    ("missing in a map", "request.attributes.map.absent == 'x'"),
    ("missing resource name", "resource.name == 'x'"),
    ("missing address", "cidr('0.0.0.0/0').containsIP(source.ip)"),
    ("missing element", "request.attributes.list[9] == 'x'"),
    ("wrong type compared", "request.attributes.text < 1"),
    (
        "wrong type of a function",
        "request.attributes.number.startsWith('x')",
    ),
    (
        "wrong type of an operand",
        "request.attributes.number + 1 == 2.0",
    ),
    (
        "field of what has none",
        "request.attributes.text.field == 'x'",
    ),
    ("no bool", "request.attributes.text"),
    (
        "overflow",
        "int(request.attributes.number) + 9223372036854775807 > 0",
    ),
    (
        "division by zero",
        "1 / (int(request.attributes.number) - 1) > 0",
    ),
    ("out of range", "int(request.attributes.number * 1e300) > 0"),
    ("unreadable number", "int(request.attributes.text) > 0"),
    (
        "unreadable time",
        "timestamp(request.attributes.text) < request.time",
    ),
    (
        "unreadable address",
        "cidr('10.0.0.0/8').containsIP(request.attributes.text)",
    ),
    ("repeated key", "{request.attributes.text: 1, 'x': 2} == {}"),
    ("too large", "resource.attributes.a == 'x'"),
];

#[test]
fn every_failure_is_an_error_and_neither_true_nor_false() {
    let map = Value::Struct(Struct(vec![("a".to_owned(), Value::Null)]));
    let fields = request(vec![
        ("text".to_owned(), Value::String("x".to_owned())),
        ("number".to_owned(), Value::Number(1.0)),
        ("list".to_owned(), Value::List(vec![Value::Null])),
        ("map".to_owned(), map),
    ]);
    let long = Value::String("x".repeat(CONDITION_INPUT_BYTES_MAX + 1));
    let large = request(vec![("a".to_owned(), long)]);
    let attributes = Attributes {
        request: &fields,
        resource: &large,
        ..nobody()
    };
    for (name, text) in FAILURES {
        for site in [Site::Allow, Site::Deny] {
            let condition = Condition::compile(text, site).unwrap();
            // Negated or not: a failure is no `false` that a `!` turns round.
            let negated = Condition::compile(&format!("!({text})"), site).unwrap();
            assert_eq!(condition.evaluate(&attributes), Outcome::Error, "{name}");
            assert_eq!(negated.evaluate(&attributes), Outcome::Error, "{name}");
        }
    }
    // What a boundary may look at is always there: only its use can fail.
    for text in [
        "int(principal.subject) > 0",
        "[true][1]",
        "1 / size(principal.subject) > 0",
    ] {
        let condition = Condition::compile(text, Site::Boundary).unwrap();
        assert_eq!(condition.evaluate(&attributes), Outcome::Error, "{text}");
    }
    for text in [
        "assertion.absent",
        "attribute.absent == 1",
        "assertion.text",
    ] {
        let condition = Condition::compile(text, Site::Provider).unwrap();
        let found = condition.evaluate_provider(&fields, &Struct::EMPTY);
        assert_eq!(found, Outcome::Error, "{text}");
    }
}
