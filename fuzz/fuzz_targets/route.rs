//! Paths and templates: never a panic; a path that is not ambiguous reads the same decoded;
//! a route of the example answers with a resource of its organization.
#![no_main]

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use postern::graph::snapshot::Snapshot;
use postern::graph::{Options, build};
use postern::limits::{TEMPLATE_BYTES_MAX, TEMPLATE_SEGMENTS_MAX};
use postern::model::path::{self, AllowedClasses, PathClass};
use postern::model::template;
use postern::wire::feed::decode_one;

static SNAPSHOT: LazyLock<Snapshot> = LazyLock::new(|| {
    let text = include_bytes!("../../examples/acme/acme.yaml");
    let document = decode_one("acme.yaml", text).unwrap();
    build(&document, None, &Options::default()).unwrap().snapshot
});

/// Every escape decoded once.
fn decoded(path: &str) -> Vec<u8> {
    let bytes = path.as_bytes();
    let digit = |at: usize| bytes.get(at).and_then(|b| char::from(*b).to_digit(16));
    let (mut at, mut out) = (0, Vec::new());
    while let Some(byte) = bytes.get(at) {
        match (byte, digit(at + 1), digit(at + 2)) {
            (b'%', Some(high), Some(low)) => {
                out.push(u8::try_from(high * 16 + low).unwrap());
                at += 3;
            }
            _ => {
                out.push(*byte);
                at += 1;
            }
        }
    }
    out
}

fuzz_target!(|text: &str| {
    let (path, query) = path::split(text);
    assert_eq!(path.len() + query.map_or(0, |query| query.len() + 1), text.len());
    let mut allowed = AllowedClasses::NONE;
    match path::ambiguity(path, allowed) {
        None => {
            let decoded = decoded(path);
            let segments = decoded.split(|b| *b == b'/').count();
            assert_eq!(segments, path.split('/').count());
            let mut parts = decoded.split(|b| matches!(b, b'/' | b'\\'));
            assert!(parts.all(|part| !matches!(part, b"." | b"..")));
            assert!(!decoded.contains(&0) && !path.contains("//"));
        }
        Some(_) => {
            while let Some(class) = path::ambiguity(path, allowed) {
                assert!(!allowed.contains(class));
                allowed = allowed.with(class);
            }
        }
    }
    let all: AllowedClasses = PathClass::ALL.into_iter().collect();
    assert_eq!(path::ambiguity(path, all), None);
    if let Ok(segments) = template::path(text) {
        assert!(text.len() <= TEMPLATE_BYTES_MAX && segments.len() <= TEMPLATE_SEGMENTS_MAX);
        let _ = template::resource(text.get(1..).unwrap_or_default(), &segments);
    }
    let _ = template::grpc(text);
    for (host, method) in [("api.acme.example", "GET"), ("a.birch.example", "GET"), ("", "POST")] {
        if let Some(found) = SNAPSHOT.routes().find(host, method, path) {
            assert!(path.starts_with('/'));
            assert!(found.resource().starts_with("organizations/"));
        }
    }
});
