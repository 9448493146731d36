//! The tables under a snapshot beside what else could be there (`docs/adr/0002`): a look-up
//! among random names, and a change of one entry in a copy that shares the rest.
#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::print_stdout,
    clippy::print_stderr,
    clippy::as_conversions,
    clippy::cast_possible_truncation,
    clippy::string_slice,
    clippy::disallowed_methods,
    reason = "a bench may stop at once, prints, and reads the clock"
)]

mod support;

use std::collections::HashMap;
use std::hint::black_box;
use std::time::Instant;

use postern::graph::shard::{Index, Paged};
use postern::graph::text::Text;

use crate::support::Random;

type Row = (Text<62>, [u32; 16]);

fn name(i: usize) -> String {
    format!(
        "organizations/org-{}/teams/team-{}/projects/project-{i}",
        i / 10_000,
        i / 50
    )
}

fn row(i: usize) -> Row {
    (Text::new(&name(i)), [u32::try_from(i).unwrap(); 16])
}

fn main() {
    println!(
        "| entries | table | look-up p50 ns | p99 ns | change one, median us | whole copy ms |"
    );
    println!("|---|---|---|---|---|---|");
    for size in support::sizes(&[10_000, 100_000, 1_000_000, 10_000_000]) {
        let mut random = Random(3);
        let count = 200_000.min(size);
        let asked: Vec<(usize, String)> = (0..count)
            .map(|_| random.below(size))
            .map(|i| (i, name(i)))
            .collect();
        sharded(size, &asked);
        hash_map(size, &asked);
        persistent(size, &asked);
    }
}

fn hasher() -> ahash::RandomState {
    ahash::RandomState::with_seeds(1, 2, 3, 4)
}

fn print(size: usize, table: &str, mut look_up: impl FnMut(usize), change: f64, copy: f64) {
    let histogram = support::percentiles(&mut look_up, 200_000);
    println!(
        "| {size} | {table} | {} | {} | {change:.1} | {copy:.1} |",
        histogram.value_at_quantile(0.5),
        histogram.value_at_quantile(0.99),
    );
}

fn median(mut times: Vec<f64>) -> f64 {
    times.sort_by(f64::total_cmp);
    times[times.len() / 2]
}

/// Median time of changes, microseconds, each in a fresh clone that is then kept.
fn changes<T: Clone>(table: &T, mut change: impl FnMut(&mut T, usize), rounds: usize) -> f64 {
    let mut kept = table.clone();
    let mut times = Vec::new();
    for i in 0..rounds {
        let start = Instant::now();
        let mut next = kept.clone();
        change(&mut next, i);
        times.push(start.elapsed().as_secs_f64() * 1e6);
        kept = next;
    }
    median(times)
}

fn sharded(size: usize, asked: &[(usize, String)]) {
    let hash = hasher();
    let rows: Paged<Row> = (0..size).map(row).collect();
    let entries: Vec<(u64, u32)> = (0_u32..)
        .take(size)
        .map(|i| (hash.hash_one(name(i as usize).as_bytes()), i))
        .collect();
    let index = Index::build(&entries);
    drop(entries);
    let find = |i: usize| {
        let (expected, name) = &asked[i % asked.len()];
        let is = |ix| {
            rows.get(ix)
                .is_some_and(|row| row.0.as_bytes() == name.as_bytes())
        };
        let found = index.find(hash.hash_one(name.as_bytes()), is);
        assert_eq!(found, u32::try_from(*expected).ok());
    };
    let both = (rows.clone(), index.clone());
    let change = changes(
        &both,
        |(rows, index), i| {
            let (at, name) = &asked[i];
            let ix = u32::try_from(*at).unwrap();
            let key = hash.hash_one(name.as_bytes());
            assert!(rows.set(ix, row(*at)) && index.remove(key, ix));
            index.insert(key, ix);
        },
        1_000,
    );
    print(size, "sharded copy-on-write", find, change, 0.0);
}

fn hash_map(size: usize, asked: &[(usize, String)]) {
    let mut map: HashMap<String, [u32; 16], _> = HashMap::with_capacity_and_hasher(size, hasher());
    map.extend((0..size).map(|i| (name(i), [u32::try_from(i).unwrap(); 16])));
    let start = Instant::now();
    let copy = map.clone();
    let took = start.elapsed().as_secs_f64() * 1e3;
    drop(copy);
    let find = |i: usize| {
        black_box(map.get(&asked[i % asked.len()].1).unwrap());
    };
    print(size, "std HashMap, cloned", find, took * 1e3, took);
}

fn persistent(size: usize, asked: &[(usize, String)]) {
    let mut map: imbl::GenericHashMap<
        String,
        [u32; 16],
        ahash::RandomState,
        imbl::shared_ptr::DefaultSharedPtr,
    > = imbl::GenericHashMap::with_hasher(hasher());
    for i in 0..size {
        map.insert(name(i), [u32::try_from(i).unwrap(); 16]);
    }
    let find = |i: usize| {
        black_box(map.get(&asked[i % asked.len()].1).unwrap());
    };
    let change = changes(
        &map,
        |map, i| {
            map.insert(asked[i].1.clone(), [7; 16]);
        },
        1_000,
    );
    print(size, "imbl HashMap (HAMT)", find, change, 0.0);
}
