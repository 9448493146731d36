//! The snapshot.

use crate::model::principal::PrincipalIx;
use crate::model::revision::Revision;

/// Index of a key in a snapshot.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct KeyIx(pub u32);

/// How many of each kind a snapshot holds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[expect(missing_docs, reason = "the fields are the kinds of SPEC 2.1")]
pub struct Counts {
    pub organizations: u64,
    pub teams: u64,
    pub projects: u64,
    pub users: u64,
    pub groups: u64,
    pub service_accounts: u64,
    pub keys: u64,
    pub roles: u64,
    pub permissions: u64,
    pub allow_policies: u64,
    pub bindings: u64,
}

/// The whole graph at one revision; immutable.
#[derive(Debug, Clone)]
pub struct Snapshot {
    revision: Revision,
    counts: Counts,
}

impl Snapshot {
    /// The revision.
    #[must_use]
    pub const fn revision(&self) -> Revision {
        self.revision
    }

    /// How many of each kind.
    #[must_use]
    pub const fn counts(&self) -> &Counts {
        &self.counts
    }

    /// The principal in member syntax: `user:E`, `serviceAccount:E`, or
    /// `serviceAccount:E?uid=U` for a deleted account whose e-mail another one holds.
    #[must_use]
    pub fn principal_member(&self, _principal: PrincipalIx) -> String {
        String::new()
    }

    /// Resource name of a service account or user.
    #[must_use]
    pub fn principal_name(&self, _principal: PrincipalIx) -> String {
        String::new()
    }

    /// User name or, for want of one, e-mail of a user: what attribution answers.
    #[must_use]
    pub fn principal_username(&self, _principal: PrincipalIx) -> String {
        String::new()
    }

    /// Whether the principal is a service account.
    #[must_use]
    pub fn is_service_account(&self, _principal: PrincipalIx) -> bool {
        false
    }

    /// Facts of a key for `VerifyKeyResponse`: names, and when it ends.
    #[must_use]
    pub fn key_facts(&self, _key: KeyIx) -> KeyFacts {
        KeyFacts::default()
    }
}

/// What `VerifyKey` tells the holder of a key about it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct KeyFacts {
    /// Resource name of the key.
    pub name: String,
    /// Organization of the key or of its owner; empty for a personal key.
    pub organization: String,
    /// Team of the owner, if it is scoped to one; else empty.
    pub team: String,
    /// Invalid from this second on.
    pub not_after: Option<i64>,
}
