//! P2: one key verified in process. `benches/README.md` says how to read it.
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

use postern::credential::api_key;
use postern::decide;
use postern::model::outcome::KeyCode;
use postern::model::query::{KeyQuery, UnixTime};

use crate::support::Random;

fn main() {
    println!("| keys | which | p50 ns | p99 ns | p99.9 ns | mean ns | bytes a key |");
    println!("|---|---|---|---|---|---|---|");
    for size in support::sizes(&[10_000, 100_000, 1_000_000, 10_000_000]) {
        let mut graph = support::graph((size / 10).max(1_000), 42);
        let without = support::build(&graph.document);
        let before = support::resident();
        support::add_keys(&mut graph, size);
        let snapshot = support::build(&graph.document);
        graph.document = Default::default();
        drop(without);
        let bytes = support::resident().saturating_sub(before) / size as u64;
        let verify = |text: &str| {
            let digests = api_key::digest(black_box(text), None);
            let query = KeyQuery {
                digests: &digests,
                source_ip: None,
                permission: None,
                resource: None,
            };
            decide::verify_key(&snapshot, &query, UnixTime(1))
                .unwrap()
                .code
        };
        assert_eq!(verify(&support::key_text(0)), KeyCode::Valid);
        assert_eq!(verify(&support::key_text(size - 1)), KeyCode::Valid);
        assert_eq!(
            verify("0123456789abcdef0123456789abcdef01234567"),
            KeyCode::NotFound
        );
        let mut random = Random(11);
        for (name, count) in [("hot", 32), ("random", 1_000_000.min(size))] {
            let texts: Vec<u8> = (0..count)
                .flat_map(|_| support::key_text(random.below(size)).into_bytes())
                .collect();
            let call = |i: usize| {
                let at = (i % count) * 40;
                black_box(verify(std::str::from_utf8(&texts[at..at + 40]).unwrap()));
            };
            let histogram = support::percentiles(call, 1_000_000);
            let mean = support::mean(call, 1_000_000);
            println!(
                "| {size} | {name} | {} | {} | {} | {mean:.0} | {bytes} |",
                histogram.value_at_quantile(0.5),
                histogram.value_at_quantile(0.99),
                histogram.value_at_quantile(0.999),
            );
        }
    }
}
