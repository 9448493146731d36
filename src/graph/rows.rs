//! The rows of a snapshot's tables. Indices are dense; `NONE` is no index.

use ipnet::IpNet;

use crate::graph::text::Text;
use crate::model::node::{NodeKind, Visibility};
use crate::model::permission::PermissionSet;
use crate::model::principal::{AccountKind, Authentication, SeatLevel};

/// No index.
pub const NONE: u32 = u32::MAX;

/// Levels of a node's path that its row holds itself; deeper ones are reached by parents.
pub const PATH_LEVELS: usize = 8;

/// No such level.
pub const NO_LEVEL: u8 = u8::MAX;

/// An organization, team, project or service account; 128 bytes, two cache lines.
#[derive(Debug, Clone)]
#[repr(align(64))]
pub struct NodeRow {
    /// Ancestors from the organization down, the node itself included, `NONE` after it.
    pub path: [u32; PATH_LEVELS],
    /// Full resource name.
    pub name: Text<70>,
    /// What it is; never `Key`.
    pub kind: NodeKind,
    /// Of a project; `TEAM` otherwise.
    pub visibility: Visibility,
    /// Switches of organizations and teams.
    pub settings: Settings,
    /// Levels above it: 0 for an organization.
    pub level: u8,
    /// Level of the project at or above it, or `NO_LEVEL`.
    pub project_level: u8,
    /// Level of the lowest team at or above it; 0 if there is none.
    pub team_level: u8,
    /// A project that names the services in use (SPEC 5.6).
    pub limits_services: bool,
    /// The node above, or `NONE`.
    pub parent: u32,
    /// Row in `projects` of a project, in `principals` of a service account; else `NONE`.
    pub detail: u32,
}

/// Switches of organizations and teams.
#[derive(Debug, Clone, Copy, Default)]
#[expect(
    missing_docs,
    clippy::struct_excessive_bools,
    reason = "the switches of SPEC 2.1"
)]
pub struct Settings {
    pub enforce_org_scoped_keys: bool,
    pub disable_key_creation: bool,
    pub disable_team_service_account_creation: bool,
    pub private_projects_only: bool,
}

/// What only projects have.
#[derive(Debug, Clone)]
pub struct ProjectRow {
    /// Permissions of the services in use; `None`: any.
    pub services: Option<std::sync::Arc<PermissionSet>>,
    /// Most living user-managed accounts.
    pub quota: u32,
    /// Living user-managed accounts now.
    pub accounts: u32,
}

/// What a holder is granted on one node; 8 bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Grant {
    /// The node that the bindings are on.
    pub node: u32,
    /// Its level in the low byte, the grant set in the upper three.
    set_and_level: u32,
}

impl Grant {
    /// Most grant sets of a snapshot: 24 bits. Beyond it validation refuses.
    pub const SETS_MAX: u32 = 1 << 24;

    /// Puts a grant together.
    #[must_use]
    pub const fn new(node: u32, level: u8, set: u32) -> Self {
        Self {
            node,
            set_and_level: (set << 8) | lossless(level),
        }
    }

    /// Level of the node.
    #[must_use]
    #[inline]
    pub const fn level(self) -> u8 {
        let [level, ..] = self.set_and_level.to_le_bytes();
        level
    }

    /// The grant set.
    #[must_use]
    #[inline]
    pub const fn set(self) -> u32 {
        self.set_and_level >> 8
    }
}

#[expect(clippy::as_conversions, reason = "`From` is not const")]
const fn lossless(value: u8) -> u32 {
    value as u32
}

/// A short list in its row, a longer one on the heap: one cache miss less where most are short.
#[derive(Debug, Clone)]
pub enum Few<T: Copy, const N: usize> {
    /// In place.
    // INVARIANT: `len <= N`; what is after `len` is padding.
    Here {
        /// Elements used.
        len: u8,
        /// The elements.
        list: [T; N],
    },
    /// Elsewhere.
    There(Box<[T]>),
}

impl<T: Copy, const N: usize> Few<T, N> {
    /// Stores a list; `padding` fills unused places.
    #[must_use]
    pub fn new(elements: &[T], padding: T) -> Self {
        let mut list = [padding; N];
        match (list.get_mut(..elements.len()), u8::try_from(elements.len())) {
            (Some(place), Ok(len)) => {
                place.copy_from_slice(elements);
                Self::Here { len, list }
            }
            _ => Self::There(elements.into()),
        }
    }

    /// As a slice.
    #[must_use]
    #[inline]
    pub fn as_slice(&self) -> &[T] {
        match self {
            Self::Here { len, list } => list.get(..usize::from(*len)).unwrap_or_default(),
            Self::There(list) => list,
        }
    }
}

/// The grants of one holder, sorted by level and node; up to three in place.
pub type Grants = Few<Grant, 3>;

impl Grants {
    /// No grant.
    pub const EMPTY: Self = Self::Here {
        len: 0,
        list: [Grant::new(NONE, 0, 0); 3],
    };
}

/// The groups, domain and account sets of a principal; up to three in place.
pub type Holders = Few<u32, 3>;

/// A user or service account, as far as a decision reads it; 128 bytes, two cache lines.
#[derive(Debug, Clone)]
#[repr(align(64))]
pub struct PrincipalRow {
    /// E-mail in lower case.
    pub email: Text<38>,
    /// Own grants.
    pub grants: Grants,
    /// Rows in `holders`: groups, domain and sets it belongs to.
    pub holders: Holders,
    /// What only a service account has.
    pub account: Option<Account>,
    /// May not act.
    pub disabled: bool,
    /// Deleted, kept under its uid (SPEC 2.5).
    pub deleted: bool,
    /// Has a seat that is not full in some organization.
    pub limited_seats: bool,
}

/// What a decision reads of service accounts only.
#[derive(Debug, Clone, Copy)]
pub struct Account {
    /// Its node.
    pub node: u32,
    /// The organization or team whose projects it is implicitly granted; or `NONE`.
    pub implicit: u32,
    /// Row in `projects` of its project, if that limits the services in use; or `NONE`.
    pub limited_home: u32,
    /// Level of `implicit`.
    pub implicit_level: u8,
}

impl PrincipalRow {
    /// Whether it is a user.
    #[must_use]
    #[inline]
    pub const fn is_user(&self) -> bool {
        self.account.is_none()
    }
}

/// What is read of a principal off the common path.
#[derive(Debug, Clone)]
pub struct Identity {
    /// Identity.
    pub uid: Text<30>,
    /// What it is.
    pub detail: PrincipalDetail,
}

impl Identity {
    /// What only service accounts have.
    #[must_use]
    pub const fn account(&self) -> Option<&AccountDetail> {
        match &self.detail {
            PrincipalDetail::Account(account) => Some(account),
            PrincipalDetail::User(_) => None,
        }
    }

    /// What only users have.
    #[must_use]
    pub fn user(&self) -> Option<&UserDetail> {
        match &self.detail {
            PrincipalDetail::User(user) => Some(user),
            PrincipalDetail::Account(_) => None,
        }
    }
}

/// What only users or only service accounts have.
#[derive(Debug, Clone)]
pub enum PrincipalDetail {
    /// A user.
    User(Box<UserDetail>),
    /// A service account.
    Account(AccountDetail),
}

/// What only users have.
#[derive(Debug, Clone)]
pub struct UserDetail {
    /// Resource name.
    pub name: Box<str>,
    /// User name; may be empty.
    pub username: Box<str>,
    /// Seats by organization node; organizations that are not here are full.
    pub seats: Box<[(u32, SeatLevel, SeatLevel)]>,
}

/// What only service accounts have.
#[derive(Debug, Clone, Copy)]
pub struct AccountDetail {
    /// Team for the default team `-` (SPEC 1.4); or `NONE`.
    pub default_team: u32,
    /// Kind.
    pub kind: AccountKind,
    /// Authentication.
    pub authentication: Authentication,
    /// API keys it owns now.
    pub api_keys: u32,
}

/// A key of a user or service account, as far as checking it reads; 64 bytes, one cache line.
/// Its id is in a table of its own.
#[derive(Clone)]
#[repr(align(64))]
pub struct KeyRow {
    /// SHA-256 or HMAC-SHA-256 of the whole key.
    pub digest: [u8; 32],
    /// Invalid before this second.
    pub not_before: i64,
    /// Invalid from this second on.
    pub not_after: i64,
    /// The owner's row in `principals`.
    pub owner: u32,
    /// Node of the organization it is limited to (organization keys of users); or `NONE`.
    pub organization: u32,
    /// Row in `restrictions`, or `NONE`.
    pub restrictions: u32,
    /// Whether `digest` is an HMAC.
    pub is_hmac: bool,
    /// Disabled, or exposed where no policy says to wait (SPEC 8).
    pub disabled: bool,
}

impl std::fmt::Debug for KeyRow {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("KeyRow")
            .field("owner", &self.owner)
            .finish_non_exhaustive()
    }
}

/// A key's own narrowing; `None` is any.
#[derive(Debug, Clone, Default)]
pub struct RestrictionRow {
    /// Permissions.
    pub permissions: Option<PermissionSet>,
    /// Names of resources; those at or below one of them.
    pub resources: Option<Box<[Box<str>]>>,
    /// Networks of the caller.
    pub cidrs: Option<Box<[IpNet]>>,
}

/// What one grant set says of one permission, as bits, and what it says of itself.
pub mod class {
    /// An IAM role carries it.
    pub const IAM: u8 = 1;
    /// An IAM role carries it for own things.
    pub const IAM_OWN: u8 = 2;
    /// A membership role carries it.
    pub const MEMBER: u8 = 4;
    /// A membership role carries it for own things.
    pub const MEMBER_OWN: u8 = 8;
    /// It is administrative and an IAM role carries it into `RESTRICTED` projects (SPEC 4.2).
    pub const IAM_CROSSES: u8 = 16;
    /// The same of a membership role; service accounts do not have that role (SPEC 3.3).
    pub const MEMBER_CROSSES: u8 = 32;
    /// What membership roles the set has: none, only such as act as `roles/team.viewer`,
    /// others, or `roles/team.service` among them.
    const MEMBERSHIP: u8 = 64 | 128;
    /// See [`all_viewer`].
    pub const VIEWERS: u8 = 64;
    /// See [`has_membership`].
    pub const MEMBERS: u8 = 128;
    /// See [`has_service`].
    pub const WITH_SERVICE: u8 = 64 | 128;

    /// The set has a membership role.
    #[must_use]
    pub const fn has_membership(bits: u8) -> bool {
        bits & MEMBERSHIP != 0
    }

    /// Every membership role of the set, one at least, acts as `roles/team.viewer`.
    #[must_use]
    pub const fn all_viewer(bits: u8) -> bool {
        bits & MEMBERSHIP == VIEWERS
    }

    /// The set has `roles/team.service`.
    #[must_use]
    pub const fn has_service(bits: u8) -> bool {
        bits & MEMBERSHIP == WITH_SERVICE
    }
}

/// All distinct combinations of roles that bindings make: a byte for each permission.
///
/// Shape: `bytes[set * stride + permission]`, bits of [`class`].
#[derive(Debug, Default)]
pub struct GrantSets {
    /// Permissions of the snapshot.
    pub stride: usize,
    /// The bytes.
    pub bytes: Vec<u8>,
}

impl GrantSets {
    /// What `set` says of the permission.
    #[must_use]
    #[inline]
    pub fn class(&self, set: u32, permission: u16) -> u8 {
        let at = usize::try_from(set)
            .unwrap_or(usize::MAX)
            .saturating_mul(self.stride);
        self.bytes
            .get(at.saturating_add(usize::from(permission)))
            .copied()
            .unwrap_or(0)
    }
}

/// A living account that another issuer's token or a peer's certificate may prove.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SubjectRow {
    /// Node of its organization.
    pub organization: u32,
    /// The account, as a principal.
    pub principal: u32,
    /// What the other issuer calls it; unique in the organization.
    pub subject: Box<str>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_stay_small() {
        assert!(size_of::<NodeRow>() <= 128, "{}", size_of::<NodeRow>());
        assert!(
            size_of::<PrincipalRow>() <= 128,
            "{}",
            size_of::<PrincipalRow>()
        );
        assert!(size_of::<KeyRow>() <= 64, "{}", size_of::<KeyRow>());
        assert_eq!(size_of::<Grant>(), 8);
    }

    #[test]
    fn a_grant_keeps_level_and_set() {
        let grant = Grant::new(7, 15, Grant::SETS_MAX - 1);
        assert_eq!(
            (grant.node, grant.level(), grant.set()),
            (7, 15, Grant::SETS_MAX - 1)
        );
    }
}
