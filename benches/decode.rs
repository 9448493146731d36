//! Part of P9: snapshot files decoded, on one core, in every form. `benches/README.md` says
//! how to read it.
#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::as_conversions,
    clippy::cast_precision_loss,
    clippy::disallowed_methods,
    clippy::print_stdout,
    reason = "a bench may stop at once, and prints"
)]

mod support;

use std::hint::black_box;
use std::time::Instant;

use postern::limits::YAML_BYTES_MAX;
use postern::wire::feed::{Form, decode_one, encode};

fn main() {
    println!("| entities | form | MB | s | entities/s | ns an entity |");
    println!("|---|---|---|---|---|---|");
    for size in support::sizes(&[10_000, 100_000, 1_000_000]) {
        let mut graph = support::graph((size / 2).max(1_000), 42);
        support::add_keys(&mut graph, size / 2);
        for form in Form::ALL {
            let bytes = encode(&graph.document, form).unwrap();
            if form == Form::Yaml && bytes.len() > YAML_BYTES_MAX {
                continue;
            }
            let name = format!("bench.{}", form.extension());
            let start = Instant::now();
            let document = decode_one(&name, black_box(&bytes)).unwrap();
            let seconds = start.elapsed().as_secs_f64();
            let count = document.entities.len();
            assert_eq!(count, graph.document.entities.len());
            let rate = count as f64 / seconds;
            println!(
                "| {count} | {} | {:.1} | {seconds:.3} | {rate:.0} | {:.0} |",
                form.extension(),
                bytes.len() as f64 / 1e6,
                1e9 / rate,
            );
        }
    }
}
