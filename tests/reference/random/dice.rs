//! Repeatable chance: SplitMix64.

use std::cell::Cell;

#[derive(Debug, Clone)]
pub(crate) struct Dice(Cell<u64>);

impl Dice {
    pub(crate) const fn new(seed: u64) -> Self {
        Self(Cell::new(seed))
    }

    fn next(&self) -> u64 {
        self.0.set(self.0.get().wrapping_add(0x9e37_79b9_7f4a_7c15));
        let mut z = self.0.get();
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number from 0 to `end - 1`.
    pub(crate) fn below(&self, end: usize) -> usize {
        usize::try_from(self.next() % u64::try_from(end).unwrap()).unwrap()
    }

    /// A number from `low` to `high`.
    pub(crate) fn range(&self, low: usize, high: usize) -> usize {
        low + self.below(high - low + 1)
    }

    /// True this often of a hundred.
    pub(crate) fn percent(&self, percent: usize) -> bool {
        self.below(100) < percent
    }

    pub(crate) fn pick<'a, T>(&self, list: &'a [T]) -> &'a T {
        &list[self.below(list.len())]
    }

    /// One of the words, by weight.
    pub(crate) fn weighted<'a>(&self, table: &[(usize, &'a str)]) -> &'a str {
        let total: usize = table.iter().map(|(weight, _)| weight).sum();
        let mut left = self.below(total);
        for (weight, word) in table {
            if left < *weight {
                return word;
            }
            left -= weight;
        }
        table[0].1
    }
}
