//! The example does what its own pages say: every row of the table, every key of the list.

#![expect(clippy::panic, reason = "test code outside of test functions")]

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use postern::credential::api_key;
use postern::decide::{authorize, verify_key};
use postern::graph::document::{Document, Entity};
use postern::graph::snapshot::Snapshot;
use postern::graph::{Options, build};
use postern::model::outcome::{Answer, Effect};
use postern::model::query::{KeyQuery, Query, Subject, UnixTime};
use postern::wire::feed::decode_one;

/// Some moment of 2026.
const NOW: UnixTime = UnixTime(1_780_000_000);

fn read(name: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("examples/acme")
        .join(name);
    std::fs::read_to_string(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()))
}

fn example() -> (Document, Snapshot) {
    let document = decode_one("acme.yaml", read("acme.yaml").as_bytes())
        .unwrap_or_else(|issues| panic!("{issues}"));
    let built = build(&document, None, &Options::default());
    let built = built.unwrap_or_else(|issues| panic!("{issues}"));
    assert_eq!(
        built.warnings,
        [],
        "the example gives no cause for warnings"
    );
    (document, built.snapshot)
}

/// Names of keys, the keys, and what is said of each.
fn keys() -> BTreeMap<String, (String, String)> {
    let text = read("keys.txt");
    let lines: Vec<&str> = text
        .lines()
        .filter(|line| !line.starts_with('#') && !line.is_empty())
        .map(str::trim)
        .collect();
    lines
        .chunks(3)
        .map(|entry| match entry {
            [name, key, says] => ((*name).to_owned(), ((*key).to_owned(), (*says).to_owned())),
            _ => panic!("keys.txt: three lines a key, found {entry:?}"),
        })
        .collect()
}

/// `GrantedByPolicy` as `GRANTED_BY_POLICY`.
fn word(variant: &str) -> String {
    let mut word = String::new();
    for c in variant.chars() {
        if c.is_ascii_uppercase() && !word.is_empty() {
            word.push('_');
        }
        word.push(c.to_ascii_uppercase());
    }
    word
}

/// The one name that ends as a `…` cell says.
fn full<'a>(cell: &'a str, names: impl Iterator<Item = &'a str>) -> &'a str {
    let Some(end) = cell.strip_prefix('…') else {
        return cell;
    };
    let found: Vec<&str> = names.filter(|name| name.ends_with(end)).collect();
    match found.as_slice() {
        [name] => name,
        _ => panic!("`{cell}` stands for {found:?}"),
    }
}

/// The rows of the page's tables: their lines and cells.
fn table(page: &str) -> impl Iterator<Item = (&str, [&str; 4])> {
    let rows = page.lines();
    let rows = rows.filter(|line| line.starts_with("| ") && line.contains('.'));
    rows.map(|line| {
        let cells: Vec<&str> = line
            .split('|')
            .map(|cell| cell.trim().trim_matches('`'))
            .collect();
        let [_, a, b, c, d, _] = cells.as_slice() else {
            panic!("{line}")
        };
        (line, [*a, *b, *c, *d])
    })
}

/// Whether a cell is `METHOD HOST PATH`.
fn is_call(cell: &str) -> bool {
    cell.split(' ').count() == 3
}

// SPEC 13.1
#[test]
fn every_call_of_the_table_has_the_route_it_says() {
    let (document, snapshot) = example();
    let page = read("README.md");
    let mut named = BTreeSet::new();
    for (line, [call, route, permission, resource]) in table(&page) {
        let [method, host, path] = call.split(' ').collect::<Vec<_>>()[..] else {
            continue;
        };
        let found = snapshot.routes().find(host, method, path);
        let Some(found) = found else {
            assert_eq!([route, permission, resource], ["-"; 3], "{line}");
            continue;
        };
        assert_eq!(&*found.route.name, format!("routes/{route}"), "{line}");
        assert_eq!(&*found.route.permission, permission, "{line}");
        assert_eq!(found.resource(), resource, "{line}");
        named.insert(found.route.name.clone());
    }
    let routes = document.entities.iter();
    let routes = routes.filter(|l| matches!(l.entity, Entity::Route(_)));
    assert_eq!(named.len(), routes.count(), "each route has a row");
}

#[test]
fn every_row_of_the_table_is_answered_as_it_says() {
    let (document, snapshot) = example();
    let keys = keys();
    let projects = || {
        document
            .entities
            .iter()
            .filter_map(|located| match &located.entity {
                Entity::Project(project) => Some(project.name.as_str()),
                _ => None,
            })
    };
    let page = read("README.md");
    let mut rows = 0;
    for (line, [who, permission, on, answer]) in table(&page) {
        if is_call(who) {
            continue;
        }
        let digests;
        let subject = match who {
            "nobody" => Subject::Anonymous,
            key if key.contains("/keys/") => {
                let (key, _) = &keys[full(key, keys.keys().map(String::as_str))];
                digests = api_key::digest(key, None);
                Subject::ApiKey(&digests)
            }
            principal => Subject::Principal(principal),
        };
        let resource = full(on, projects());
        let query = Query {
            subject,
            permission,
            resource,
            ..Query::EMPTY
        };
        let Answer::Decided(decision) = authorize(&snapshot, &query, NOW) else {
            panic!("{line}")
        };
        let reason = word(&format!("{:?}", decision.reason));
        assert!(
            answer.starts_with(&format!("{reason}`")),
            "{line}\nfound {reason}"
        );
        assert_eq!(
            decision.effect == Effect::Allow,
            reason.starts_with("GRANTED"),
            "{line}"
        );
        rows += 1;
    }
    assert!(rows >= 20, "{rows} rows");
}

#[test]
fn every_key_of_the_list_is_what_it_says() {
    let (document, snapshot) = example();
    let keys = keys();
    let stored = document
        .entities
        .iter()
        .filter(|l| matches!(l.entity, Entity::Key(_)))
        .count();
    assert_eq!(keys.len(), stored, "each key of the example is in the list");
    for (name, (key, says)) in keys {
        let digests = api_key::digest(&key, None);
        let query = KeyQuery {
            digests: &digests,
            source_ip: None,
            permission: None,
            resource: None,
        };
        let answer = verify_key(&snapshot, &query, NOW).unwrap();
        let code = word(&format!("{:?}", answer.code));
        let said = says.split([':', ' ', ',']).next().unwrap();
        assert_eq!(code, said, "{name}");
        let (found, _) = answer.found.unwrap();
        assert_eq!(snapshot.key_facts(found).name, name);
    }
}
