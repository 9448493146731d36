//! The route of one call, found in process. `benches/README.md` says how to read it.
#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    clippy::print_stderr,
    clippy::as_conversions,
    clippy::cast_possible_truncation,
    clippy::string_slice,
    clippy::disallowed_methods,
    reason = "a bench may stop at once, and prints"
)]

mod support;

use std::hint::black_box;

use postern::graph::document::{
    Anonymous, Document, Entity, Located, Mode, Place, Route, RouteKind, RouteTarget,
};
use postern::model::path::{self, AllowedClasses};

use crate::support::Random;

/// A table as of an API of many services, four routes a collection.
fn document(size: usize) -> Document {
    let route = |ix: usize| {
        let (service, collection, of) = (ix / 400, ix / 4, ix % 4);
        let end = ["", "/{id}", "/{id}/files/{file=**}", "/{id}/close"][of];
        let template = format!("/v1/s{service}/teams/{{team}}/c{collection}{end}");
        let entity = Entity::Route(Route {
            name: format!("routes/r{ix}"),
            hosts: vec![["*", "api.example.com", "*.example.com"][service % 3].to_owned()],
            kind: RouteKind::Http,
            methods: vec!["GET".to_owned(), "POST".to_owned()],
            target: RouteTarget::PathTemplate(template),
            permission: "models.runs.get".to_owned(),
            resource: "organizations/acme/teams/{team}".to_owned(),
            anonymous: Anonymous::Deny,
            mode: Mode::Enforce,
        });
        let place = Place::default();
        Located { place, entity }
    };
    Document {
        revision: None,
        entities: (0..size).map(route).collect(),
    }
}

fn call(ix: usize) -> String {
    let (service, collection, of) = (ix / 400, ix / 4, ix % 4);
    let end = ["", "/4711", "/4711/files/2026/march/a.csv", "/4711/close"][of];
    format!("/v1/s{service}/teams/vision/c{collection}{end}")
}

fn main() {
    println!("| routes | p50 ns | p99 ns | p99.9 ns | mean ns |");
    println!("|---|---|---|---|---|");
    for size in support::sizes(&[100, 10_000, 100_000]) {
        let snapshot = support::build(&document(size));
        let mut random = Random(5);
        let paths: Vec<String> = (0..4_096).map(|_| call(random.below(size))).collect();
        let find = |i: usize| {
            let path = black_box(paths[i % paths.len()].as_str());
            assert_eq!(path::ambiguity(path, AllowedClasses::NONE), None);
            let found = snapshot.routes().find("api.example.com", "GET", path);
            black_box(found.unwrap().resource());
        };
        let histogram = support::percentiles(find, 200_000);
        let mean = support::mean(find, 200_000);
        println!(
            "| {size} | {} | {} | {} | {mean:.0} |",
            histogram.value_at_quantile(0.5),
            histogram.value_at_quantile(0.99),
            histogram.value_at_quantile(0.999),
        );
    }
}
