//! Layer 1: the immutable snapshot.
//!
//! `document` is what a feed decoded, `validate` checks it and resolves its references into a
//! `plan`, `compile` makes a [`snapshot::Snapshot`] of that, on the tables of `shard`.

pub mod catalogue;
mod compile;
pub mod constraints;
pub mod document;
pub mod edit;
pub mod issue;
pub mod permissions;
mod plan;
mod prefetch;
pub mod roles;
pub mod routes;
pub mod rows;
pub mod rules;
pub mod shard;
pub mod snapshot;
pub mod sources;
pub mod text;
mod validate;

use crate::graph::document::Document;
use crate::graph::issue::{Issue, Issues};
use crate::graph::snapshot::Snapshot;

/// What the build needs besides the document.
#[derive(Debug, Clone, Copy, Default)]
pub struct Options {
    /// Whether a pepper is configured; without one a key stored as HMAC is an issue.
    pub has_pepper: bool,
    /// Seed of the hash tables: random in the program, fixed in tests.
    pub hash_seed: u64,
}

impl Options {
    /// The hasher of all tables. Seeded, so that nobody can craft names that collide.
    fn hasher(&self) -> ahash::RandomState {
        let seed = self.hash_seed;
        ahash::RandomState::with_seeds(seed, seed.rotate_left(17), !seed, seed.rotate_left(41))
    }
}

/// A good document, compiled.
#[derive(Debug)]
pub struct Built {
    /// The snapshot, ready to publish.
    pub snapshot: Snapshot,
    /// What is allowed but probably not meant, such as a member that names nobody.
    pub warnings: Vec<Issue>,
}

/// Validates a whole document against the snapshot before it and compiles it.
///
/// # Errors
/// Every issue found; then nothing was built.
pub fn build(
    document: &Document,
    previous: Option<&Snapshot>,
    options: &Options,
) -> Result<Built, Issues> {
    let (plan, warnings) = validate::validate(document, previous, options)?;
    let snapshot = compile::compile(plan, options.hasher())?;
    Ok(Built { snapshot, warnings })
}

/// The element at a `u32` index.
pub(crate) fn at<T>(list: &[T], ix: u32) -> Option<&T> {
    usize::try_from(ix).map_or(None, |ix| list.get(ix))
}
