//! What restricts or qualifies grants: deny policies, access boundaries, conditional bindings,
//! tags, and what a principal that the snapshot does not know may be matched by.
//!
//! Sparse tables beside the dense ones: a graph without such rules pays one look at an empty
//! table, and a node without them costs nothing.

use std::collections::HashMap;

use crate::condition::Condition;
use crate::graph::rows::Grant;
use crate::model::permission::PermissionSet;

/// Row of `holders` that is always there: everyone.
pub const ALL_USERS: u32 = 0;
/// Row of `holders` that is always there: the authenticated.
pub const ALL_AUTHENTICATED: u32 = 1;

/// A table by index or by text. Seeded: some of the texts are looked up as requests
/// assert them.
pub type Table<K, V> = HashMap<K, V, ahash::RandomState>;

/// Keys and values of one node.
pub type Tags = Box<[(Box<str>, Box<str>)]>;

/// Principals that a rule names: rows of `principals` and of `holders`, sorted.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Named {
    /// Users and service accounts.
    pub principals: Box<[u32]>,
    /// Everyone, the authenticated, groups, domains, account sets, asserted texts, pools.
    pub holders: Box<[u32]>,
}

/// One rule of a deny policy.
#[derive(Debug, Clone)]
pub struct DenyRow {
    /// Row in `deny_names`: the policy it belongs to.
    pub policy: u32,
    /// Which rule of it, from 0.
    pub rule: u32,
    /// Who is denied.
    pub denied: Named,
    /// Who is not.
    pub exceptions: Named,
    /// What is denied, exceptions taken away.
    pub permissions: PermissionSet,
    /// When; `None`: always.
    pub condition: Option<Condition>,
}

/// An access boundary.
#[derive(Debug, Clone)]
pub struct BoundaryRow {
    /// Its name.
    pub name: Box<str>,
    /// Names at or below which the bound may act.
    pub resources: Box<[Box<str>]>,
    /// What it bounds; `None`: everything.
    pub permissions: Option<PermissionSet>,
}

/// Who is bound to a boundary.
#[derive(Debug, Clone)]
pub struct BoundaryBindingRow {
    /// Its name.
    pub name: Box<str>,
    /// Row in `boundaries`, or `NONE` for one that is missing: it denies.
    pub boundary: u32,
    /// When; `None`: always.
    pub condition: Option<Condition>,
}

/// What a binding with a condition grants.
#[derive(Debug, Clone)]
pub struct ConditionalGrant {
    /// The grant.
    pub grant: Grant,
    /// When.
    pub condition: Condition,
}

/// A pool that an entity or a policy names.
#[derive(Debug, Clone)]
pub struct PoolRow {
    /// Whether an entity says so: else it is only a name in policies.
    pub known: bool,
    /// Disabled or deleted.
    pub disabled: bool,
    /// Row in `holders` of `principalSet://{pool}/*`, or `NONE`.
    pub all: u32,
    /// Rows in `holders` of its group and attribute sets, sorted.
    pub sets: Box<[u32]>,
}

/// All rules of a snapshot.
#[derive(Debug)]
pub struct Rules {
    /// Deny rules by the node that they are attached to.
    pub denies: Table<u32, Box<[DenyRow]>>,
    /// Names of deny policies.
    pub deny_names: Box<[Box<str>]>,
    /// Access boundaries.
    pub boundaries: Box<[BoundaryRow]>,
    /// Bindings of access boundaries.
    pub boundary_bindings: Box<[BoundaryBindingRow]>,
    /// Rows in `boundary_bindings` by row in `principals`.
    pub bound_principals: Table<u32, Box<[u32]>>,
    /// Rows in `boundary_bindings` by row in `holders`.
    pub bound_holders: Table<u32, Box<[u32]>>,
    /// Conditional grants by row in `principals`, sorted by level and node.
    pub principals: Table<u32, Box<[ConditionalGrant]>>,
    /// Conditional grants by row in `holders`, sorted by level and node.
    pub holders: Table<u32, Box<[ConditionalGrant]>>,
    /// Tags by node.
    pub tags: Table<u32, Tags>,
    /// Rows in `holders` by the text of a principal that the snapshot does not know, e-mail in
    /// lower case: itself, and the groups that list it.
    pub asserted: Table<Box<[u8]>, Box<[u32]>>,
    /// Rows in `holders` by domain in lower case.
    pub domains: Table<Box<[u8]>, u32>,
    /// Pools by name.
    pub pools: Table<Box<str>, PoolRow>,
    /// Names of the pools that entities say, in order: for look-ups.
    pub known_pools: Box<[Box<str>]>,
    /// The `principal://` texts of `asserted`, in order: for look-ups.
    pub federated: Box<[Box<str>]>,
}
