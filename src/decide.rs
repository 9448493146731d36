//! Layer 2: the engine. Pure, synchronous, total.

use crate::graph::snapshot::{KeyIx, Snapshot};
use crate::model::outcome::{Answer, KeyCode, Violation};
use crate::model::principal::PrincipalIx;
use crate::model::query::{KeyQuery, Query, UnixTime};

/// May this subject do this here?
#[must_use]
pub fn authorize<'a>(_snapshot: &'a Snapshot, _query: &Query<'a>, _now: UnixTime) -> Answer<'a> {
    Answer::Invalid(Violation {
        field: "resource".into(),
        description: String::new(),
    })
}

/// The answer to a key check.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KeyAnswer {
    /// The code.
    pub code: KeyCode,
    /// The key and its owner, unless the code is `Malformed` or `NotFound`.
    pub found: Option<(KeyIx, PrincipalIx)>,
}

/// Is this key valid? `Err` for a malformed permission or resource.
///
/// # Errors
/// A field violation.
pub fn verify_key(
    _snapshot: &Snapshot,
    _query: &KeyQuery<'_>,
    _now: UnixTime,
) -> Result<KeyAnswer, Violation> {
    Ok(KeyAnswer {
        code: KeyCode::Malformed,
        found: None,
    })
}
