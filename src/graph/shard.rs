//! Copy-on-write tables: the structure under every snapshot (`docs/adr/0002`).
//!
//! [`Paged`] is a vector in pages, [`Index`] a hash index in shards. A clone shares every page;
//! a change copies one page or shard, one chunk of pointers to pages, and the root. Readers
//! of older clones keep what they had.

use std::sync::Arc;

use crate::graph::prefetch::prefetch;

const PAGE_BITS: usize = 8;
const PAGE_ROWS: usize = 1 << PAGE_BITS;
const CHUNK_BITS: usize = 7;
const CHUNK_PAGES: usize = 1 << CHUNK_BITS;

type Page<T> = Arc<[T]>;

/// A vector of rows in pages of 256, pages in chunks of 128.
///
/// Bound: `u32::MAX` rows. A read is three dependent loads, the first two in small,
/// often-used arrays (10 M rows: a root of 306 pointers over 39,063 pages).
#[derive(Debug)]
pub struct Paged<T> {
    // INVARIANT: every page but the last has 256 rows, every chunk but the last 128 pages.
    chunks: Arc<[Arc<[Page<T>]>]>,
    len: usize,
}

impl<T> Clone for Paged<T> {
    fn clone(&self) -> Self {
        Self {
            chunks: Arc::clone(&self.chunks),
            len: self.len,
        }
    }
}

impl<T> Default for Paged<T> {
    fn default() -> Self {
        Self {
            chunks: Arc::from(Vec::new()),
            len: 0,
        }
    }
}

impl<T> FromIterator<T> for Paged<T> {
    fn from_iter<I: IntoIterator<Item = T>>(rows: I) -> Self {
        let mut rows = rows.into_iter().peekable();
        let (mut chunks, mut len) = (Vec::new(), 0_usize);
        while rows.peek().is_some() {
            let mut pages = Vec::with_capacity(CHUNK_PAGES);
            while pages.len() < CHUNK_PAGES && rows.peek().is_some() {
                let mut page = Vec::with_capacity(PAGE_ROWS);
                page.extend(rows.by_ref().take(PAGE_ROWS));
                len += page.len();
                pages.push(Page::from(page));
            }
            chunks.push(Arc::from(pages));
        }
        Self {
            chunks: Arc::from(chunks),
            len,
        }
    }
}

impl<T> Paged<T> {
    /// The row at `ix`.
    #[must_use]
    #[inline]
    pub fn get(&self, ix: u32) -> Option<&T> {
        let ix = wide(ix);
        self.chunks
            .get(ix >> (PAGE_BITS + CHUNK_BITS))?
            .get((ix >> PAGE_BITS) & (CHUNK_PAGES - 1))?
            .get(ix & (PAGE_ROWS - 1))
    }

    /// Asks for the row at `ix`, which will be read soon.
    #[inline]
    pub fn touch(&self, ix: u32) {
        if let Some(row) = self.get(ix) {
            prefetch(row);
        }
    }

    /// How many rows there are.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.len
    }

    /// Whether there is no row.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// All rows in order.
    pub fn iter(&self) -> impl Iterator<Item = &T> {
        self.chunks
            .iter()
            .flat_map(|chunk| chunk.iter())
            .flat_map(|page| page.iter())
    }
}

impl<T: Clone> Paged<T> {
    /// Replaces the row at `ix`, copying its page, its chunk and the root where they are
    /// shared. `false`: there is no such row.
    pub fn set(&mut self, ix: u32, row: T) -> bool {
        let ix = wide(ix);
        let slot = Arc::make_mut(&mut self.chunks)
            .get_mut(ix >> (PAGE_BITS + CHUNK_BITS))
            .and_then(|chunk| Arc::make_mut(chunk).get_mut((ix >> PAGE_BITS) & (CHUNK_PAGES - 1)))
            .and_then(|page| Arc::make_mut(page).get_mut(ix & (PAGE_ROWS - 1)));
        match slot {
            Some(slot) => {
                *slot = row;
                true
            }
            None => false,
        }
    }
}

const SHARD_SLOTS_MIN: usize = 64;
/// Mean entries of a shard of a large index; its 512 slots are then half full.
const SHARD_ENTRIES: usize = 256;
/// Most shards, as a power of two: with 256 entries each it is beyond every other bound.
const SHARD_BITS_MAX: u32 = 20;
const SHARD_CHUNK_BITS: u32 = 8;

type Shard = Arc<[u64]>;

/// A hash index from 64-bit hashes to `u32` values; keys live in the rows they point to.
///
/// A slot is 8 bytes: 32 bits of the hash, and the value plus one (0 is empty). A shard is
/// an open-addressing table with linear probing, 512 slots (4 KiB) in a large index; the top
/// bits of the hash choose the shard. About 16 bytes an entry.
#[derive(Debug, Clone)]
pub struct Index {
    // INVARIANT: `1 << bits` shards in chunks of at most 256; a shard's length is a power of
    // two and it has at least one empty slot.
    chunks: Arc<[Arc<[Shard]>]>,
    bits: u32,
    len: usize,
}

impl Default for Index {
    fn default() -> Self {
        Self::build(&[])
    }
}

impl Index {
    /// Builds an index of `(hash, value)` pairs.
    #[must_use]
    pub fn build(entries: &[(u64, u32)]) -> Self {
        let mut bits = 0_u32;
        while bits < SHARD_BITS_MAX && entries.len() >> bits > SHARD_ENTRIES {
            bits += 1;
        }
        let mut counts = vec![0_usize; 1 << bits];
        for (hash, _) in entries {
            if let Some(count) = counts.get_mut(shard_of(*hash, bits)) {
                *count += 1;
            }
        }
        let mut tables: Vec<Vec<u64>> = counts
            .iter()
            .map(|count| vec![0; slots_for(*count)])
            .collect();
        for (hash, value) in entries {
            if let Some(table) = tables.get_mut(shard_of(*hash, bits)) {
                place(table, *hash, *value);
            }
        }
        let mut chunks = Vec::with_capacity((tables.len() >> SHARD_CHUNK_BITS) + 1);
        let mut tables = tables.into_iter().map(Shard::from).peekable();
        while tables.peek().is_some() {
            let chunk: Vec<Shard> = tables.by_ref().take(1 << SHARD_CHUNK_BITS).collect();
            chunks.push(Arc::from(chunk));
        }
        Self {
            chunks: Arc::from(chunks),
            bits,
            len: entries.len(),
        }
    }

    /// The value whose hash is `hash` and for which `is` holds.
    #[inline]
    pub fn find(&self, hash: u64, mut is: impl FnMut(u32) -> bool) -> Option<u32> {
        let shard = self.shard(hash)?;
        let mask = shard.len().wrapping_sub(1);
        let mut at = start(hash) & mask;
        let tag = tag(hash);
        // At most one turn: a shard has an empty slot, and this holds even if it had none.
        for _ in 0..shard.len() {
            let slot = *shard.get(at)?;
            let value = low(slot).checked_sub(1)?;
            if slot & TAG_MASK == tag && is(value) {
                return Some(value);
            }
            at = (at + 1) & mask;
        }
        None
    }

    /// Asks for the slots where a look-up of `hash` begins.
    #[inline]
    pub fn touch(&self, hash: u64) {
        let Some(shard) = self.shard(hash) else {
            return;
        };
        if let Some(slot) = shard.get(start(hash) & shard.len().wrapping_sub(1)) {
            prefetch(slot);
        }
    }

    /// The first value whose 32 hash bits match: almost always the one, seldom another one,
    /// so the caller compares and falls back to [`Self::find`]. Lets look-ups in several
    /// indices start before the first is compared, so that their cache misses overlap.
    #[must_use]
    #[inline]
    pub fn candidate(&self, hash: u64) -> Option<u32> {
        self.find(hash, |_| true)
    }

    /// Adds an entry, copying its shard, chunk and root where they are shared. Shards that
    /// fill up double; the number of shards stays until the next build.
    pub fn insert(&mut self, hash: u64, value: u32) {
        let bits = self.bits;
        let Some(shard) = self.shard_mut(hash, bits) else {
            return;
        };
        let mut entries: Vec<u64> = shard.iter().copied().filter(|slot| *slot != 0).collect();
        if (entries.len() + 1) * 8 > shard.len() * 7 {
            // The hash is not in the slot whole: but tag and shard give what `start` reads.
            let mut table = vec![0; shard.len() * 2];
            for slot in entries.drain(..) {
                place_slot(&mut table, slot);
            }
            *shard = Shard::from(table);
        }
        place(Arc::make_mut(shard), hash, value);
        self.len += 1;
    }

    /// Takes an entry out; `false`: it was not there.
    pub fn remove(&mut self, hash: u64, value: u32) -> bool {
        let bits = self.bits;
        let slot = tag(hash) | (u64::from(value) + 1);
        let Some(shard) = self.shard_mut(hash, bits) else {
            return false;
        };
        let mut entries: Vec<u64> = shard.iter().copied().filter(|s| *s != 0).collect();
        let Some(at) = entries.iter().position(|s| *s == slot) else {
            return false;
        };
        entries.swap_remove(at);
        let mut table = vec![0; shard.len()];
        for slot in entries {
            place_slot(&mut table, slot);
        }
        *shard = Shard::from(table);
        self.len -= 1;
        true
    }

    /// How many entries there are.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.len
    }

    /// Whether there is no entry.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.len == 0
    }

    #[inline]
    fn shard(&self, hash: u64) -> Option<&[u64]> {
        let shard = shard_of(hash, self.bits);
        let chunk = self.chunks.get(shard >> SHARD_CHUNK_BITS)?;
        chunk
            .get(shard & ((1 << SHARD_CHUNK_BITS) - 1))
            .map(|shard| &**shard)
    }

    fn shard_mut(&mut self, hash: u64, bits: u32) -> Option<&mut Shard> {
        let shard = shard_of(hash, bits);
        let chunk = Arc::make_mut(&mut self.chunks).get_mut(shard >> SHARD_CHUNK_BITS)?;
        Arc::make_mut(chunk).get_mut(shard & ((1 << SHARD_CHUNK_BITS) - 1))
    }
}

/// The high half of a slot holds the low half of the hash.
const TAG_MASK: u64 = 0xffff_ffff_0000_0000;

#[inline]
const fn tag(hash: u64) -> u64 {
    hash << 32
}

/// Where probing starts. Only tag bits are read, so that a slot can be placed again when
/// its shard grows.
#[inline]
fn start(hash: u64) -> usize {
    wide(low(hash))
}

fn slots_for(entries: usize) -> usize {
    (entries.saturating_mul(3) / 2 + 1)
        .next_power_of_two()
        .max(SHARD_SLOTS_MIN)
}

fn place(table: &mut [u64], hash: u64, value: u32) {
    place_slot(table, tag(hash) | (u64::from(value) + 1));
}

fn place_slot(table: &mut [u64], slot: u64) {
    let mask = table.len().wrapping_sub(1);
    let mut at = start(slot >> 32) & mask;
    for _ in 0..table.len() {
        match table.get_mut(at) {
            Some(free) if *free == 0 => {
                *free = slot;
                return;
            }
            _ => at = (at + 1) & mask,
        }
    }
}

#[inline]
#[expect(
    clippy::as_conversions,
    reason = "usize is 64 bits wide on every supported target"
)]
const fn wide(value: u32) -> usize {
    value as usize
}

#[inline]
#[expect(
    clippy::as_conversions,
    clippy::cast_possible_truncation,
    reason = "the low half is what is asked for"
)]
const fn low(value: u64) -> u32 {
    value as u32
}

#[inline]
#[expect(
    clippy::as_conversions,
    reason = "at most SHARD_BITS_MAX bits are left"
)]
const fn shard_of(hash: u64, bits: u32) -> usize {
    // Two shifts: `bits` may be 0, and a shift by 64 is none.
    ((hash >> 1) >> (63 - bits)) as usize
}

#[cfg(test)]
mod tests;
