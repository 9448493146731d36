//! Permissions: their indices, flags, and sets of them.

use crate::limits::PERMISSIONS_MAX;

/// Index of a permission in a snapshot: built-in ones first, in catalogue order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PermissionIx(pub u16);

/// Smallest basic role that carries a permission (SPEC 3.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum BasicRole {
    /// `roles/viewer`, `roles/editor` and `roles/owner`.
    Viewer,
    /// `roles/editor` and `roles/owner`.
    Editor,
    /// `roles/owner`.
    Owner,
    /// No basic role.
    None,
}

/// The product whose seat a permission needs (SPEC 3.6).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "the variants are the words of SPEC 2.1")]
pub enum Product {
    Models,
    Weave,
    None,
}

/// What an `OPEN` project grants of a permission (SPEC 4.3).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum OpenSubmit {
    /// Nothing.
    None,
    /// To any authenticated principal.
    Any,
    /// To the one who created the thing.
    Own,
}

/// Everything the decision needs to know of a permission besides its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "the fields are the flags of SPEC 2.1")]
pub struct PermissionFlags {
    pub basic_role: BasicRole,
    pub product: Product,
    pub public_read: bool,
    pub open_submit: OpenSubmit,
    pub administrative: bool,
    pub read: bool,
    pub configures: bool,
}

const WORDS: usize = PERMISSIONS_MAX / 64;

/// A set of permissions of one snapshot: a bit per `PermissionIx`; 128 bytes.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct PermissionSet([u64; WORDS]);

impl PermissionSet {
    /// The empty set.
    pub const EMPTY: Self = Self([0; WORDS]);

    /// Whether `permission` is in the set; one word read.
    #[must_use]
    #[inline]
    pub fn contains(&self, permission: PermissionIx) -> bool {
        let (word, bit) = Self::place(permission);
        self.0.get(word).is_some_and(|w| w & bit != 0)
    }

    /// Adds `permission`; an index beyond the width is ignored (validation bounds it).
    pub fn insert(&mut self, permission: PermissionIx) {
        let (word, bit) = Self::place(permission);
        if let Some(w) = self.0.get_mut(word) {
            *w |= bit;
        }
    }

    /// Takes `permission` away.
    pub fn remove(&mut self, permission: PermissionIx) {
        let (word, bit) = Self::place(permission);
        if let Some(w) = self.0.get_mut(word) {
            *w &= !bit;
        }
    }

    /// Adds every permission of `other`.
    pub fn union(&mut self, other: &Self) {
        for (w, o) in self.0.iter_mut().zip(other.0) {
            *w |= o;
        }
    }

    /// Keeps only what is in `other` too.
    pub fn intersect(&mut self, other: &Self) {
        for (w, o) in self.0.iter_mut().zip(other.0) {
            *w &= o;
        }
    }

    /// Whether the set is empty.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.iter().all(|w| *w == 0)
    }

    #[inline]
    fn place(permission: PermissionIx) -> (usize, u64) {
        (usize::from(permission.0 / 64), 1_u64 << (permission.0 % 64))
    }
}

impl std::fmt::Debug for PermissionSet {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let count: u32 = self.0.iter().map(|w| w.count_ones()).sum();
        write!(f, "PermissionSet({count})")
    }
}

/// Whether `name` has the form `service.resource.verb` (SPEC 3.1): exactly three parts of
/// `[A-Za-z0-9]`, each starting with a letter, at most 256 bytes.
#[must_use]
pub fn is_well_formed(name: &str) -> bool {
    if name.len() > crate::limits::PERMISSION_BYTES_MAX {
        return false;
    }
    let mut parts = 0_usize;
    for part in name.split('.') {
        let first = part.bytes().next().is_some_and(|b| b.is_ascii_alphabetic());
        if !first || !part.bytes().all(|b| b.is_ascii_alphanumeric()) {
            return false;
        }
        parts += 1;
    }
    parts == 3
}
