//! What an evaluation costs. `cost` foresees the worst case when a condition is loaded; this
//! counts, by the same prices, what really happens.
//!
//! No evaluation can spend more than was foreseen, so the counter never stops one. It is kept
//! because it costs next to nothing, and because tests and the fuzzer prove that sentence by
//! it: a debug build panics when it is wrong, any other answers with an error.

use std::cell::Cell;

use crate::condition::Failure;

/// One step: visiting a node. The other prices are in the same unit, some 0.2 ns.
pub(super) const STEP: u64 = 64;
/// For each byte that is compared.
pub(super) const COMPARE: u64 = 1;
/// For each byte that is searched: `contains`, `size` of text, regular expressions.
pub(super) const SEARCH: u64 = 4;
/// For each byte that is copied, which bounds memory too.
pub(super) const COPY: u64 = 8;
/// For each entry that a look-up may pass.
pub(super) const PASS: u64 = 16;
/// Steps to read a part of a time in a zone.
pub(super) const PART_STEPS: usize = 8;
/// Steps to find a tag: a node has few, and few nodes are above it.
pub(super) const TAG_STEPS: usize = 64;
/// Steps to read an address from text.
pub(super) const ADDRESS_STEPS: usize = 4;
/// Longest text that a number, time or duration becomes, bytes; the smallest double has 327.
pub(super) const WRITTEN_MAX: u64 = 400;

/// Counts the cost of one evaluation, up to a bound.
pub(super) struct Meter {
    left: Cell<u64>,
}

impl Meter {
    pub(super) const fn new(bound: u64) -> Self {
        Self {
            left: Cell::new(bound),
        }
    }

    fn pay(&self, price: u64) -> Result<(), Failure> {
        let left = self.left.get().checked_sub(price).ok_or(Failure::Spent)?;
        self.left.set(left);
        Ok(())
    }

    pub(super) fn step(&self) -> Result<(), Failure> {
        self.pay(STEP)
    }

    pub(super) fn steps(&self, count: usize) -> Result<(), Failure> {
        self.each(count, STEP)
    }

    pub(super) fn compared(&self, left: usize, right: usize) -> Result<(), Failure> {
        self.each(left.min(right), COMPARE)
    }

    pub(super) fn searched(&self, bytes: usize) -> Result<(), Failure> {
        self.each(bytes, SEARCH)
    }

    pub(super) fn copied(&self, bytes: usize) -> Result<(), Failure> {
        self.each(bytes, COPY)
    }

    pub(super) fn look_up(&self, entries: usize) -> Result<(), Failure> {
        self.each(entries, PASS)
    }

    fn each(&self, count: usize, price: u64) -> Result<(), Failure> {
        let count = u64::try_from(count).unwrap_or(u64::MAX);
        self.pay(count.saturating_mul(price))
    }
}
