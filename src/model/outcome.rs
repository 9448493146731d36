//! Answers. Closed enums: a new reason must be handled everywhere before this compiles.

use std::borrow::Cow;

use crate::model::principal::PrincipalIx;

/// Allow or deny. There is no default: nothing becomes an allow by omission.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "two words everybody knows")]
pub enum Effect {
    Allow,
    Deny,
}

/// Result of a key check, in the order of SPEC 9.2: the first that applies.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[expect(missing_docs, reason = "the variants are the codes of SPEC 9.2")]
pub enum KeyCode {
    Malformed,
    NotFound,
    OwnerDeleted,
    OwnerDisabled,
    Disabled,
    NotYetValid,
    Expired,
    OrgScopedKeyRequired,
    IpNotAllowed,
    OutOfScope,
    RateLimited,
    Valid,
}

impl KeyCode {
    /// The word of the API.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Malformed => "MALFORMED",
            Self::NotFound => "NOT_FOUND",
            Self::OwnerDeleted => "OWNER_DELETED",
            Self::OwnerDisabled => "OWNER_DISABLED",
            Self::Disabled => "DISABLED",
            Self::NotYetValid => "NOT_YET_VALID",
            Self::Expired => "EXPIRED",
            Self::OrgScopedKeyRequired => "ORG_SCOPED_KEY_REQUIRED",
            Self::IpNotAllowed => "IP_NOT_ALLOWED",
            Self::OutOfScope => "OUT_OF_SCOPE",
            Self::RateLimited => "RATE_LIMITED",
            Self::Valid => "VALID",
        }
    }
}

/// Why (SPEC 11.2). The order of precedence is that of SPEC 6.3.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[expect(
    missing_docs,
    reason = "the variants are the words of SPEC 11.2; see docs/REASONS.md"
)]
pub enum Reason {
    GrantedByPolicy,
    GrantedByScope,
    GrantedByVisibility,
    StaleSnapshot,
    RevokedLocally,
    CredentialMalformed,
    CredentialNotFound,
    CredentialOwnerDeleted,
    CredentialOwnerDisabled,
    CredentialDisabled,
    CredentialNotYetValid,
    CredentialExpired,
    CredentialOrgScopedKeyRequired,
    CredentialIpNotAllowed,
    CredentialOutOfScope,
    CredentialRateLimited,
    Scope,
    PrincipalDisabled,
    ResourceNotFound,
    PermissionUnknown,
    ServiceDisabled,
    OutsideBoundary,
    DeniedByPolicy,
    Constraint,
    QuotaExceeded,
    DelegationBroken,
    Seat,
    RestrictedProject,
    PrincipalUnknown,
    Unauthenticated,
    NoGrant,
    AmbiguousRequest,
}

/// The principal of a decision.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Actor<'a> {
    /// Nobody.
    Anonymous,
    /// A principal of the snapshot.
    Known(PrincipalIx),
    /// Asserted, not in the snapshot: as it was said.
    Asserted(&'a str),
    /// A `principal://` of a pool of the snapshot: as it was said.
    Federated(&'a str),
    /// A credential that proved nothing.
    Unproven,
}

/// What became of `attribution` (SPEC 5.5).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Attribution {
    /// Not asked.
    NotAsked,
    /// To this user.
    To(PrincipalIx),
    /// Asked, but not by a service account.
    NotAServiceAccount,
    /// The target is below no team and the account has no parent team.
    NoTeam,
    /// Nobody of that user name or e-mail is a living, enabled member of the team.
    NotAMember,
}

/// What the caller must do if it goes on (SPEC 5.4). Of denials there is none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Obligation {
    /// Grant a role on the decision's resource to the account that is about to be made.
    GrantRole {
        /// The role.
        role: &'static str,
        /// The account's address in lower case.
        email: String,
    },
}

/// One decision. It does not outlive its snapshot and its query.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decision<'a> {
    /// Allow or deny.
    pub effect: Effect,
    /// Why.
    pub reason: Reason,
    /// Who it was decided for.
    pub actor: Actor<'a>,
    /// The resource with the default team filled in; borrowed unless it was.
    pub resource: Cow<'a, str>,
    /// What became of the attribution.
    pub attribution: Attribution,
    /// What the caller must do if it goes on. Boxed: hardly a decision has one.
    pub obligation: Option<Box<Obligation>>,
}

/// What is wrong with a request: `INVALID_ARGUMENT` with a field violation (SPEC 15).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Violation {
    /// Field path as in the proto, such as `resource` or `context.visibility`.
    pub field: Cow<'static, str>,
    /// What was found and what is expected.
    pub description: String,
}

/// The answer to a query. Anything but `Decided` with `Effect::Allow` is no allow.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer<'a> {
    /// A decision.
    Decided(Decision<'a>),
    /// The request cannot be decided as it stands.
    Invalid(Violation),
}
