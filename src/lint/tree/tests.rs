use std::time::Duration;

use super::at::{At, same_field};
use super::*;

fn yaml(text: &str) -> Node {
    read(text, Form::Yaml).unwrap()
}

#[test]
fn yaml_and_json_of_one_content_are_one_tree() {
    let from_yaml = yaml("a: [1, true, \"x\"]\nb: {c: null}\n");
    let from_json = read(
        r#"{"a": [1, true, "x"], "b": {"c": null}}"#,
        Form::of("-", "{"),
    )
    .unwrap();
    fn lines_off(node: &mut Node) {
        node.line = 0;
        match &mut node.value {
            Value::List(nodes) => nodes.iter_mut().for_each(lines_off),
            Value::Map(entries) => entries.iter_mut().for_each(|(_, n)| lines_off(n)),
            _ => {}
        }
    }
    let mut plain = from_yaml;
    lines_off(&mut plain);
    assert_eq!(plain, from_json);
}

#[test]
fn an_alias_is_written_out_and_an_ignored_key_is_dropped() {
    let node = yaml("!ignore anchors: &a {x: !!int 1}\nb: *a\nc: [*a]\n");
    let root = At::root(&node);
    assert!(root.get("anchors").is_none());
    assert_eq!(root.find(&["b", "x"]).unwrap().number(), Some(1));
    assert_eq!(root.list("c")[0].text_of("x"), Some("1"));
}

#[test]
fn what_is_no_tree_says_where() {
    for (text, expected) in [
        ("a: 1\na: 2\n", "line 2: `a` twice"),
        ("a: {<<: {}}\n", "line 1: a merge key (`<<`)"),
        ("a: !x 1\n", "line 1: a tag (`!x`)"),
        ("!x a: 1\n", "line 1: a tag (`!x`)"),
        ("a: 1\n---\nb: 1\n", "line 2: a second document"),
        ("", "an empty file"),
        ("a: [\n", "line 2: no YAML"),
        ("a: &a [*a]\n", "line 1: an alias inside"),
        ("[a]: 1\n", "line 1: a key that is no plain word"),
    ] {
        let error = read(text, Form::Yaml).unwrap_err().to_string();
        assert!(error.starts_with(expected), "{text:?}: {error}");
    }
    for (text, expected) in [
        (r#"{"a": 1, "a": 2}"#, "`a` twice"),
        ("{} {}", "trailing characters"),
        ("{", "EOF"),
    ] {
        let error = read(text, Form::Json).unwrap_err().to_string();
        assert!(error.contains(expected), "{text:?}: {error}");
    }
}

#[test]
fn deep_nesting_and_growing_aliases_are_refused() {
    for depth in [LINT_DEPTH_MAX + 1, 100_000] {
        let list = "[".repeat(depth) + &"]".repeat(depth);
        for form in [Form::Yaml, Form::Json] {
            assert!(read(&list, form).is_err(), "{depth} {form:?}");
        }
    }
    let good = "[".repeat(LINT_DEPTH_MAX) + &"]".repeat(LINT_DEPTH_MAX);
    assert!(read(&good, Form::Yaml).is_ok());
    assert!(read(&good, Form::Json).is_ok());
    let mut laughs = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n".to_owned();
    for i in 1..12 {
        let row = vec![format!("*a{}", i - 1); 10].join(", ");
        laughs += &format!("a{i}: &a{i} [{row}]\n");
    }
    let error = read(&laughs, Form::Yaml).unwrap_err();
    assert!(error.found.contains("values"), "{error}");
}

#[test]
fn a_field_is_found_in_both_spellings_and_null_is_not_set() {
    let node = yaml("failureModeAllow: yes\nmerge_slashes: ~\nhttp2_x: 1\n");
    let root = At::root(&node);
    assert_eq!(root.get("failure_mode_allow").unwrap().flag(), Some(true));
    assert!(root.get("merge_slashes").is_none());
    assert!(root.get("http2_x").is_some());
    assert!(root.get("http_2_x").is_none());
    assert!(!same_field("failuremodeallow", "failure_mode_allow"));
    assert!(!same_field("normalizePathX", "normalize_path"));
}

#[test]
fn scalars_are_read_as_protobuf_reads_them() {
    for (text, expected) in [
        ("0.25s", Some(Duration::from_millis(250))),
        ("2s", Some(Duration::from_secs(2))),
        ("0.000000001s", Some(Duration::from_nanos(1))),
        ("-1s", None),
        ("5", None),
        ("5ms", None),
        ("0.0000000001s", None),
        ("s", None),
    ] {
        let node = yaml(text);
        assert_eq!(At::root(&node).duration(), expected, "{text}");
    }
    for (text, expected) in [
        ("on", Some(true)),
        ("\"true\"", Some(true)),
        ("1", None),
        ("\"yes\"", Some(true)),
        ("\"1\"", Some(true)),
        ("\"on\"", None),
        ("t", Some(true)),
        ("No", Some(false)),
    ] {
        assert_eq!(At::root(&yaml(text)).flag(), expected, "{text}");
    }
    for (text, expected) in [
        ("5", Some(5)),
        ("5.0", Some(5)),
        ("5.5", None),
        ("\"7\"", Some(7)),
        ("-1", None),
    ] {
        assert_eq!(At::root(&yaml(text)).number(), expected, "{text}");
    }
}

#[test]
fn a_place_is_a_json_pointer() {
    let node = yaml("a/b:\n- {\"x~y\": 1}\n");
    let at = At::root(&node).list("a/b")[0].get("x~y").unwrap();
    assert_eq!(at.pointer(), "/a~1b/0/x~0y");
    assert_eq!(at.node().line, 2);
}
