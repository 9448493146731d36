//! A good document, resolved: what `validate` hands to `compile`. Indices are those that the
//! snapshot will have.

use std::collections::HashMap;
use std::hash::Hash;

use crate::condition::Condition;
use crate::graph::document::{self, Key, Project, Route, ServiceAccount, Tags, User};
use crate::graph::permissions::Permissions;
use crate::graph::roles::Roles;
use crate::graph::rows::{RestrictionRow, Settings};
use crate::model::node::NodeKind;
use crate::model::permission::PermissionSet;
use crate::model::revision::Revision;
use crate::model::template::{Piece, Segment};

/// Everything `compile` needs; references are indices, and all of them hold.
#[derive(Debug)]
pub(super) struct Plan<'d> {
    /// Revision of the snapshot to be.
    pub(super) revision: Revision,
    /// Permissions, built-in and added.
    pub(super) permissions: Permissions,
    /// Roles, built-in and custom.
    pub(super) roles: Roles,
    /// Nodes, parents first.
    pub(super) nodes: Vec<Node<'d>>,
    /// Organization, team, project and (answering) account nodes by name.
    pub(super) by_name: HashMap<&'d str, u32>,
    /// Users, then service accounts.
    pub(super) principals: Vec<Principal<'d>>,
    /// Groups.
    pub(super) groups: Vec<Group>,
    /// Keys.
    pub(super) keys: Vec<PlannedKey<'d>>,
    /// Bindings of all policies.
    pub(super) bindings: Vec<Binding>,
    /// Organization policies.
    pub(super) org_policies: Vec<crate::graph::constraints::Policy>,
    /// Whom bindings and rules name otherwise than by an index.
    pub(super) names: Names,
    /// Rules of all deny policies.
    pub(super) denies: Vec<Deny<'d>>,
    /// Access boundaries.
    pub(super) boundaries: Vec<Boundary<'d>>,
    /// Their bindings.
    pub(super) boundary_bindings: Vec<BoundaryBinding<'d>>,
    /// Identity pools by name, and whether they are disabled or deleted.
    pub(super) pools: HashMap<&'d str, bool>,
    /// Counts of what is no row of its own.
    pub(super) custom_roles: u64,
    /// Permission entities.
    pub(super) added_permissions: u64,
    /// Allow policies.
    pub(super) policies: u64,
    /// Routes.
    pub(super) routes: Vec<PlannedRoute<'d>>,
    /// Deny policies.
    pub(super) deny_policies: u64,
}

/// A node to be.
#[derive(Debug, Clone, Copy)]
pub(super) struct Node<'d> {
    /// Full name.
    pub(super) name: &'d str,
    /// Kind.
    pub(super) kind: NodeKind,
    /// The node above.
    pub(super) parent: Option<u32>,
    /// Switches.
    pub(super) settings: Settings,
    /// The project, if it is one.
    pub(super) project: Option<&'d Project>,
    /// Its row in `principals`, if it is a service account.
    pub(super) principal: Option<u32>,
    /// Whether members may invite (teams).
    pub(super) members_may_invite: bool,
    /// Whether admins stay out of teams (organizations).
    pub(super) disable_admin_team_access: bool,
    /// Its own tags.
    pub(super) tags: &'d Tags,
}

/// A principal to be.
#[derive(Debug, Clone, Copy)]
pub(super) enum Principal<'d> {
    /// A user.
    User(&'d User),
    /// A service account.
    Account {
        /// The entity.
        entity: &'d ServiceAccount,
        /// Its node.
        node: u32,
        /// The node above it.
        parent: u32,
        /// Its default team's or parent team's node.
        team: Option<u32>,
    },
}

/// A group to be.
#[derive(Debug, Clone, Default)]
pub(super) struct Group {
    /// E-mail, by which members name it; in lower case.
    pub(super) email: String,
    /// Principals listed in it.
    pub(super) principals: Vec<u32>,
    /// Principals listed in it that are not here: rows of `Names::asserted`.
    pub(super) asserted: Vec<u32>,
    /// Groups listed in it.
    pub(super) groups: Vec<u32>,
    /// Itself and every group it is nested in, sorted.
    pub(super) closure: Vec<u32>,
}

/// A key to be.
#[derive(Debug)]
pub(super) struct PlannedKey<'d> {
    /// The entity.
    pub(super) entity: &'d Key,
    /// Its owner.
    pub(super) owner: u32,
    /// Organization it is limited to.
    pub(super) organization: Option<u32>,
    /// Its narrowing.
    pub(super) restrictions: Option<RestrictionRow>,
}

/// Who a binding names, as far as it is somebody.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Holder {
    AllUsers,
    AllAuthenticatedUsers,
    Principal(u32),
    Group(u32),
    /// Index into `Names::domains`.
    Domain(u32),
    /// Index into `Names::account_sets`.
    Accounts(u32),
    /// Index into `Names::asserted`.
    Asserted(u32),
    /// Index into `Names::pools`.
    Pool(u32),
    /// Index into `Names::pool_sets`.
    PoolSet(u32),
}

/// Distinct values, numbered in the order they came.
#[derive(Debug)]
pub(super) struct Distinct<T> {
    list: Vec<T>,
    known: HashMap<T, u32>,
}

impl<T> Default for Distinct<T> {
    fn default() -> Self {
        Self {
            list: Vec::new(),
            known: HashMap::new(),
        }
    }
}

impl<T: Clone + Eq + Hash> Distinct<T> {
    /// The number of a value.
    pub(super) fn number(&mut self, value: T) -> u32 {
        let next = u32::try_from(self.list.len()).unwrap_or(u32::MAX);
        let ix = *self.known.entry(value.clone()).or_insert(next);
        if ix == next {
            self.list.push(value);
        }
        ix
    }

    /// All values by number.
    pub(super) fn list(&self) -> &[T] {
        &self.list
    }
}

/// Whom bindings and rules name otherwise than by an index.
#[derive(Debug, Default)]
pub(super) struct Names {
    /// Domains in lower case.
    pub(super) domains: Distinct<String>,
    /// Nodes whose accounts are named, and whether agents only.
    pub(super) account_sets: Distinct<(u32, bool)>,
    /// Principals that are not here, e-mail in lower case.
    pub(super) asserted: Distinct<String>,
    /// Pools all of whose principals are named.
    pub(super) pools: Distinct<String>,
    /// Group and attribute sets of pools: pool and selector.
    pub(super) pool_sets: Distinct<(String, String)>,
}

/// A deny rule to be.
#[derive(Debug)]
pub(super) struct Deny<'d> {
    /// The node that it is attached to.
    pub(super) node: u32,
    /// Name of its policy.
    pub(super) policy: &'d str,
    /// Which rule of it.
    pub(super) rule: u32,
    /// Who is denied.
    pub(super) denied: Vec<Holder>,
    /// Who is not.
    pub(super) exceptions: Vec<Holder>,
    /// What is denied.
    pub(super) permissions: PermissionSet,
    /// When; `None`: always.
    pub(super) condition: Option<Condition>,
}

/// An access boundary to be.
#[derive(Debug)]
pub(super) struct Boundary<'d> {
    /// Its name.
    pub(super) name: &'d str,
    /// Where the bound may act.
    pub(super) resources: &'d [String],
    /// What it bounds; `None`: everything.
    pub(super) permissions: Option<PermissionSet>,
}

/// A binding of an access boundary to be.
#[derive(Debug)]
pub(super) struct BoundaryBinding<'d> {
    /// Its name.
    pub(super) name: &'d str,
    /// Name of the boundary; it may be missing.
    pub(super) boundary: &'d str,
    /// Who is bound.
    pub(super) holder: Holder,
    /// When; `None`: always.
    pub(super) condition: Option<Condition>,
}

/// A binding to be: one role for some holders on one node.
#[derive(Debug)]
pub(super) struct Binding {
    /// The node.
    pub(super) node: u32,
    /// Index into `roles`.
    pub(super) role: usize,
    /// The holders.
    pub(super) holders: Vec<Holder>,
    /// When; `None`: always.
    pub(super) condition: Option<Condition>,
}

/// A route to be.
#[derive(Debug)]
pub(super) struct PlannedRoute<'d> {
    /// The entity.
    pub(super) entity: &'d Route,
    /// What it matches paths with.
    pub(super) path: Vec<Segment<'d>>,
    /// The resource, with the path's variables.
    pub(super) resource: Vec<Piece>,
}

impl document::KeyMaterial {
    /// The stored digest and whether it is an HMAC; `None` for a key pair.
    #[must_use]
    pub const fn digest(&self) -> Option<(&[u8; 32], bool)> {
        match self {
            Self::Sha256(digest) => Some((digest, false)),
            Self::HmacSha256(digest) => Some((digest, true)),
            Self::PublicKey => None,
        }
    }
}
