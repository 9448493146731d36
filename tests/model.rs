//! The engine against the reference evaluator, on random graphs and questions.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    reason = "a test fails by panicking"
)]

#[path = "reference/random/lib.rs"]
mod random;
#[path = "reference/lib.rs"]
mod reference;

use std::collections::BTreeMap;

use random::dice::Dice;
use random::{asks, graph};
use reference::question::Answer;
use reference::world::World;

#[test]
fn histogram() {
    let catalogue = reference::catalogue::read();
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    for seed in 0..200 {
        let dice = Dice::new(seed);
        let stock = graph::snapshot(&dice, &catalogue);
        let mut world = World::read(&stock.file());
        world.pepper = graph::PEPPER.as_bytes().to_vec();
        for _ in 0..100 {
            let q = asks::question(&dice, &stock);
            let word = match reference::decide::authorize(&world, &q) {
                Answer::Invalid(f) => format!("INVALID {f:?}"),
                Answer::Decided(d) => format!("{} {}", d.allow, d.reason),
            };
            *counts.entry(word).or_default() += 1;
            let q = asks::key_question(&dice, &stock);
            let word = format!("key {:?}", reference::decide::verify_key(&world, &q));
            let word = word.split(", ").next().unwrap().to_owned();
            *counts.entry(word).or_default() += 1;
        }
    }
    for (w, c) in counts {
        println!("{c:6} {w}");
    }
}
