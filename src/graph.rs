//! Layer 1: the immutable snapshot.

pub mod catalogue;
pub mod document;
pub mod issue;
pub mod shard;
pub mod snapshot;
pub mod text;

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
    _document: &Document,
    _previous: Option<&Snapshot>,
    _options: &Options,
) -> Result<Built, Issues> {
    Err(Issues::default())
}
