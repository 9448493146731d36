//! A good document, resolved: what `validate` hands to `compile`. Indices are those that the
//! snapshot will have.

use std::collections::HashMap;

use crate::graph::document::{self, Key, Project, Route, ServiceAccount, User};
use crate::graph::permissions::Permissions;
use crate::graph::roles::Roles;
use crate::graph::rows::{RestrictionRow, Settings};
use crate::model::node::NodeKind;
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
    /// Distinct domains that bindings name, in lower case.
    pub(super) domains: Vec<String>,
    /// Organization policies.
    pub(super) org_policies: Vec<crate::graph::constraints::Policy>,
    /// Nodes whose accounts some binding names, and whether agents only.
    pub(super) account_sets: Vec<(u32, bool)>,
    /// Counts of what is no row of its own.
    pub(super) custom_roles: u64,
    /// Permission entities.
    pub(super) added_permissions: u64,
    /// Allow policies.
    pub(super) policies: u64,
    /// Routes.
    pub(super) routes: Vec<PlannedRoute<'d>>,
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
    /// Principals listed in it.
    pub(super) principals: Vec<u32>,
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
    /// Index into `domains`.
    Domain(u32),
    /// Index into `account_sets`.
    Accounts(u32),
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
