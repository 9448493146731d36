//! The plain, owned, unvalidated input: what a feed decoded, before anyone checked it.
//!
//! `wire::feed` builds it from files and messages; `graph::validate` reads it. Shapes and
//! words are those of `proto/postern/feed/v1/entity.proto` (SPEC 2.1), defaults already
//! applied (`_UNSPECIFIED` became `TEAM`, `USER_MANAGED`, `BUILT_IN`, ...; an enum that may
//! not be unspecified was an issue of the decoder).

use std::collections::BTreeMap;

use crate::model::revision::Revision;

/// One snapshot's worth of entities.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Document {
    /// The revision that the input states; `None` lets Postern count (SPEC 2.2).
    pub revision: Option<Revision>,
    /// All entities, in input order.
    pub entities: Vec<Located>,
}

/// An entity and where it was read.
#[derive(Debug, Clone, PartialEq)]
pub struct Located {
    /// Where: `acme.yaml:12` or `entities[3]`; used in issues only.
    pub place: Place,
    /// The entity.
    pub entity: Entity,
}

/// Where an entity was read: a file of the input and a line or an index in it.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// File name as the operator wrote it; empty for a message.
    pub file: std::sync::Arc<str>,
    /// Line, from 1; 0 when the form has no lines.
    pub line: u32,
    /// Position among the entities of its file, from 0; `WHOLE_FILE` for the file itself.
    pub index: u32,
}

impl Place {
    /// The `index` of what concerns no entity.
    pub const WHOLE_FILE: u32 = u32::MAX;
}

/// "any/list" of SPEC 2.1: empty means none, `any` must be said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AnyOr<T> {
    /// Everything.
    Any,
    /// Just these; the empty list is nothing.
    List(Vec<T>),
}

/// One entity of SPEC 2.1.
#[derive(Debug, Clone, PartialEq)]
#[expect(missing_docs, reason = "the variants are the kinds of SPEC 2.1")]
pub enum Entity {
    Organization(Organization),
    Team(Team),
    Project(Project),
    User(User),
    Group(Group),
    ServiceAccount(ServiceAccount),
    Key(Key),
    Role(Role),
    Permission(Permission),
    AllowPolicy(AllowPolicy),
    DenyPolicy(DenyPolicy),
    AccessBoundary(AccessBoundary),
    AccessBoundaryBinding(AccessBoundaryBinding),
    IdentityPool(IdentityPool),
    Route(Route),
    OrgPolicy(OrgPolicy),
    /// A kind of the schema that this build does not evaluate: always an issue (SPEC 2.4).
    NotEvaluated {
        /// The kind's name in the schema, such as `signing_key`.
        kind: &'static str,
        /// The entity's name, if its kind has one.
        name: String,
    },
}

/// Tags of a node; inherited downwards.
pub type Tags = BTreeMap<String, String>;

/// `organization`.
#[derive(Debug, Clone, Default, PartialEq)]
#[expect(missing_docs, reason = "the fields are those of SPEC 2.1")]
pub struct Organization {
    pub name: String,
    pub display_name: String,
    pub tags: Tags,
    pub enforce_org_scoped_keys: bool,
    pub disable_key_creation: bool,
    pub disable_team_service_account_creation: bool,
    pub disable_admin_team_access: bool,
    pub private_projects_only: bool,
}

/// `team`.
#[derive(Debug, Clone, Default, PartialEq)]
#[expect(missing_docs, reason = "the fields are those of SPEC 2.1")]
pub struct Team {
    pub name: String,
    pub display_name: String,
    pub tags: Tags,
    pub private_projects_only: bool,
    pub members_may_invite: bool,
}

/// `project`.
#[derive(Debug, Clone, PartialEq)]
#[expect(missing_docs, reason = "the fields are those of SPEC 2.1")]
pub struct Project {
    pub name: String,
    pub display_name: String,
    pub tags: Tags,
    pub visibility: Visibility,
    /// Absent: `limits::SERVICE_ACCOUNT_QUOTA_DEFAULT`.
    pub service_account_quota: Option<u32>,
    /// Absent in the input: `Any`.
    pub services: AnyOr<String>,
}

pub use crate::model::node::Visibility;
pub use crate::model::principal::{AccountKind, Authentication, SeatLevel};

/// A user's seat in one organization (SPEC 3.6).
#[derive(Debug, Clone, PartialEq)]
#[expect(missing_docs, reason = "the fields are those of SPEC 2.1")]
pub struct Seat {
    pub organization: String,
    pub models: SeatLevel,
    pub weave: SeatLevel,
}

/// `user`.
#[derive(Debug, Clone, Default, PartialEq)]
#[expect(missing_docs, reason = "the fields are those of SPEC 2.1")]
pub struct User {
    pub name: String,
    pub uid: String,
    pub email: String,
    pub username: String,
    pub disabled: bool,
    pub seats: Vec<Seat>,
}

/// `group`.
#[derive(Debug, Clone, Default, PartialEq)]
#[expect(missing_docs, reason = "the fields are those of SPEC 2.1")]
pub struct Group {
    pub name: String,
    pub uid: String,
    pub email: String,
    pub members: Vec<String>,
}

/// `service_account`.
#[derive(Debug, Clone, PartialEq)]
#[expect(missing_docs, reason = "the fields are those of SPEC 2.1")]
pub struct ServiceAccount {
    pub name: String,
    pub uid: String,
    pub email: String,
    pub display_name: String,
    pub tags: Tags,
    pub kind: AccountKind,
    pub authentication: Authentication,
    pub federated_subject: String,
    /// Empty: none.
    pub default_team: String,
    pub disabled: bool,
    /// Seconds since the epoch; `None`: not deleted.
    pub deleted_at: Option<i64>,
    /// Set in the input: an issue until delegation is evaluated.
    pub has_domain_wide_delegation: bool,
}

/// The stored proof of a key.
#[derive(Clone, PartialEq, Eq)]
pub enum KeyMaterial {
    /// `api_key.sha256`: SHA-256 of the whole key.
    Sha256([u8; 32]),
    /// `api_key.hmac_sha256`: HMAC-SHA-256 of the whole key under the pepper.
    HmacSha256([u8; 32]),
    /// `public_key`: an issue until key pairs are evaluated.
    PublicKey,
}

impl std::fmt::Debug for KeyMaterial {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Sha256(_) => "Sha256(..)",
            Self::HmacSha256(_) => "HmacSha256(..)",
            Self::PublicKey => "PublicKey",
        })
    }
}

/// A key's own narrowing (SPEC 9.5). Each absent list of the input is `Any`.
#[derive(Debug, Clone, PartialEq)]
#[expect(missing_docs, reason = "the fields are those of SPEC 2.1")]
pub struct Restrictions {
    pub permissions: AnyOr<String>,
    pub resources: AnyOr<String>,
    pub cidrs: AnyOr<String>,
}

/// `key`.
#[derive(Debug, Clone, PartialEq)]
#[expect(missing_docs, reason = "the fields are those of SPEC 2.1")]
pub struct Key {
    pub name: String,
    pub uid: String,
    pub owner_uid: String,
    /// Empty: a personal key, or a service account's.
    pub organization: String,
    pub created_at: Option<i64>,
    pub material: KeyMaterial,
    /// Seconds since the epoch; valid from this second on.
    pub not_before: Option<i64>,
    /// Seconds since the epoch; invalid from this second on.
    pub not_after: Option<i64>,
    pub disabled: bool,
    pub exposed_at: Option<i64>,
    /// `None`: unrestricted.
    pub restrictions: Option<Restrictions>,
    /// Set in the input: an issue until rate limits are evaluated.
    pub has_rate_limit: bool,
}

/// `role`.
#[derive(Debug, Clone, Default, PartialEq)]
#[expect(missing_docs, reason = "the fields are those of SPEC 2.1")]
pub struct Role {
    pub name: String,
    pub title: String,
    /// Empty: an IAM role.
    pub inherits: String,
    pub permissions: Vec<String>,
    pub own_permissions: Vec<String>,
    /// Stage `DISABLED`.
    pub disabled: bool,
    pub deleted: bool,
}

pub use crate::model::permission::{BasicRole, OpenSubmit, Product};

/// `permission`: extends the catalogue (SPEC 3.1).
#[derive(Debug, Clone, PartialEq)]
#[expect(missing_docs, reason = "the fields are those of SPEC 2.1")]
pub struct Permission {
    pub name: String,
    pub basic_role: BasicRole,
    pub product: Product,
    pub public_read: bool,
    pub open_submit: OpenSubmit,
    pub administrative: bool,
    pub read: bool,
    pub configures: bool,
}

/// `allow_policy`: one per resource.
#[derive(Debug, Clone, Default, PartialEq)]
#[expect(missing_docs, reason = "the fields are those of SPEC 2.1")]
pub struct AllowPolicy {
    pub resource: String,
    pub bindings: Vec<Binding>,
}

/// One binding of an allow policy.
#[derive(Debug, Clone, Default, PartialEq)]
#[expect(missing_docs, reason = "the fields are those of SPEC 2.1")]
pub struct Binding {
    pub role: String,
    pub members: Vec<String>,
    /// `None`: always.
    pub condition: Option<Condition>,
}

/// A condition, as text.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[expect(missing_docs, reason = "the fields are those of SPEC 2.1")]
pub struct Condition {
    pub title: String,
    pub description: String,
    pub expression: String,
}

/// `deny_policy`.
#[derive(Debug, Clone, Default, PartialEq)]
#[expect(missing_docs, reason = "the fields are those of SPEC 2.1")]
pub struct DenyPolicy {
    pub name: String,
    pub attachment: String,
    pub rules: Vec<DenyRule>,
}

/// One rule of a deny policy.
#[derive(Debug, Clone, Default, PartialEq)]
#[expect(missing_docs, reason = "the fields are those of SPEC 2.1")]
pub struct DenyRule {
    pub denied_principals: Vec<String>,
    pub exception_principals: Vec<String>,
    pub denied_permissions: Vec<String>,
    pub exception_permissions: Vec<String>,
    /// `None`: always.
    pub condition: Option<Condition>,
}

/// `access_boundary`.
#[derive(Debug, Clone, PartialEq)]
#[expect(missing_docs, reason = "the fields are those of SPEC 2.1")]
pub struct AccessBoundary {
    pub name: String,
    pub resources: Vec<String>,
    /// Those it bounds; absent in the input: `Any`.
    pub permissions: AnyOr<String>,
}

/// `access_boundary_binding`.
#[derive(Debug, Clone, Default, PartialEq)]
#[expect(missing_docs, reason = "the fields are those of SPEC 2.1")]
pub struct AccessBoundaryBinding {
    pub name: String,
    pub boundary: String,
    /// One member.
    pub principal_set: String,
    /// `None`: always.
    pub condition: Option<Condition>,
}

/// `identity_pool`.
#[derive(Debug, Clone, Default, PartialEq)]
#[expect(missing_docs, reason = "the fields are those of SPEC 2.1")]
pub struct IdentityPool {
    pub name: String,
    pub disabled: bool,
    /// Seconds since the epoch; `None`: not deleted.
    pub deleted_at: Option<i64>,
}

pub use crate::model::route::{Anonymous, Mode, RouteKind};

/// `route`: what an HTTP or gRPC call needs (SPEC 13.1).
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(missing_docs, reason = "the fields are those of SPEC 2.1")]
pub struct Route {
    pub name: String,
    pub hosts: Vec<String>,
    pub kind: RouteKind,
    pub methods: Vec<String>,
    pub target: RouteTarget,
    pub permission: String,
    pub resource: String,
    pub anonymous: Anonymous,
    pub mode: Mode,
}

/// What a route matches a call's path with.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(missing_docs, reason = "the variants are fields of SPEC 2.1")]
pub enum RouteTarget {
    PathTemplate(String),
    GrpcMethod(String),
}

/// `org_policy`: the value of a constraint at a node (SPEC 8).
#[derive(Debug, Clone, Default, PartialEq)]
#[expect(missing_docs, reason = "the fields are those of SPEC 2.1")]
pub struct OrgPolicy {
    pub name: String,
    pub attachment: String,
    pub constraint: String,
    /// `None`: no value is said.
    pub rule: Option<OrgRule>,
    pub inherit_from_parent: bool,
    pub reset: bool,
}

/// The value of an organization policy.
#[derive(Debug, Clone, PartialEq)]
pub enum OrgRule {
    /// `boolean.enforced`.
    Boolean(bool),
    /// `list`; `None` is a list that was not said.
    List {
        /// Allowed values.
        allow: Option<AnyOr<String>>,
        /// Denied values.
        deny: Option<AnyOr<String>>,
    },
}
