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
        if !is_part(part) {
            return false;
        }
        parts += 1;
    }
    parts == 3
}

/// A wildcard of a deny policy (SPEC 6.4).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pattern<'a> {
    service: &'a str,
    /// `None`: any.
    resource: Option<&'a str>,
    /// `None`: any.
    verb: Option<&'a str>,
}

impl<'a> Pattern<'a> {
    /// Reads `service/resource.*`, `service/*.*` or `service/*.verb`; `None`: it is none of them.
    #[must_use]
    pub fn parse(text: &'a str) -> Option<Self> {
        let (service, rest) = text.split_once('/')?;
        let (resource, verb) = rest.split_once('.')?;
        let part = |part: &'a str| (part != "*").then_some(part);
        let pattern = Self {
            service,
            resource: part(resource),
            verb: part(verb),
        };
        let words = [Some(service), pattern.resource, pattern.verb];
        let is_wildcard = pattern.resource.is_none() || pattern.verb.is_none();
        (is_wildcard && words.into_iter().flatten().all(is_part)).then_some(pattern)
    }

    /// Whether it covers a permission.
    #[must_use]
    pub fn matches(&self, permission: &str) -> bool {
        let mut parts = permission.split('.');
        let is = |wanted: Option<&str>, part: Option<&str>| match wanted {
            None => part.is_some(),
            Some(_) => part == wanted,
        };
        is(Some(self.service), parts.next())
            && is(self.resource, parts.next())
            && is(self.verb, parts.next())
            && parts.next().is_none()
    }
}

fn is_part(part: &str) -> bool {
    part.bytes().next().is_some_and(|b| b.is_ascii_alphabetic())
        && part.bytes().all(|b| b.is_ascii_alphanumeric())
}

#[cfg(test)]
mod tests {
    use super::Pattern;

    // SPEC 6.4
    #[test]
    fn a_wildcard_has_one_of_three_forms() {
        let get = "models.runs.get";
        for (text, covers) in [
            ("models/runs.*", true),
            ("models/*.*", true),
            ("models/*.get", true),
            ("models/*.delete", false),
            ("models/runsets.*", false),
            ("model/*.*", false),
        ] {
            let pattern = Pattern::parse(text).unwrap();
            assert_eq!(pattern.matches(get), covers, "{text}");
        }
        for bad in [
            "models.runs.*",
            "models/runs.get",
            "*/runs.get",
            "*/*.*",
            "models/*",
            "models/run*.get",
            "models/*.*.*",
            "/*.*",
            "models/.*",
            "",
        ] {
            assert_eq!(Pattern::parse(bad), None, "{bad}");
        }
    }
}
