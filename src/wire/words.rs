//! Words of the engine into words of the wire. Every match is closed: a new reason does not
//! compile until it has a word.

use std::time::Duration;

use crate::model::outcome::{Attribution, Effect, KeyCode, Obligation, Reason};
use crate::wire::proto::postern::v1;

/// Allow or deny.
#[must_use]
pub const fn decision(effect: Effect) -> v1::Decision {
    match effect {
        Effect::Allow => v1::Decision::Allow,
        Effect::Deny => v1::Decision::Deny,
    }
}

/// Why.
#[must_use]
pub const fn reason(reason: Reason) -> v1::Reason {
    match reason {
        Reason::GrantedByPolicy => v1::Reason::GrantedByPolicy,
        Reason::GrantedByScope => v1::Reason::GrantedByScope,
        Reason::GrantedByVisibility => v1::Reason::GrantedByVisibility,
        Reason::StaleSnapshot => v1::Reason::StaleSnapshot,
        Reason::RevokedLocally => v1::Reason::RevokedLocally,
        Reason::CredentialMalformed => v1::Reason::CredentialMalformed,
        Reason::CredentialNotFound => v1::Reason::CredentialNotFound,
        Reason::CredentialOwnerDeleted => v1::Reason::CredentialOwnerDeleted,
        Reason::CredentialOwnerDisabled => v1::Reason::CredentialOwnerDisabled,
        Reason::CredentialDisabled => v1::Reason::CredentialDisabled,
        Reason::CredentialNotYetValid => v1::Reason::CredentialNotYetValid,
        Reason::CredentialExpired => v1::Reason::CredentialExpired,
        Reason::CredentialOrgScopedKeyRequired => v1::Reason::CredentialOrgScopedKeyRequired,
        Reason::CredentialIpNotAllowed => v1::Reason::CredentialIpNotAllowed,
        Reason::CredentialOutOfScope => v1::Reason::CredentialOutOfScope,
        Reason::CredentialRateLimited => v1::Reason::CredentialRateLimited,
        Reason::Scope => v1::Reason::Scope,
        Reason::PrincipalDisabled => v1::Reason::PrincipalDisabled,
        Reason::ResourceNotFound => v1::Reason::ResourceNotFound,
        Reason::PermissionUnknown => v1::Reason::PermissionUnknown,
        Reason::ServiceDisabled => v1::Reason::ServiceDisabled,
        Reason::OutsideBoundary => v1::Reason::OutsideBoundary,
        Reason::DeniedByPolicy => v1::Reason::DeniedByPolicy,
        Reason::Constraint => v1::Reason::Constraint,
        Reason::QuotaExceeded => v1::Reason::QuotaExceeded,
        Reason::DelegationBroken => v1::Reason::DelegationBroken,
        Reason::Seat => v1::Reason::Seat,
        Reason::RestrictedProject => v1::Reason::RestrictedProject,
        Reason::PrincipalUnknown => v1::Reason::PrincipalUnknown,
        Reason::Unauthenticated => v1::Reason::Unauthenticated,
        Reason::NoGrant => v1::Reason::NoGrant,
        Reason::AmbiguousRequest => v1::Reason::AmbiguousRequest,
    }
}

/// Why, as `docs/REASONS.md` has it: without the prefix of the wire.
#[must_use]
pub fn reason_word(why: Reason) -> &'static str {
    let word = reason(why).as_str_name();
    word.strip_prefix("REASON_").unwrap_or(word)
}

/// What became of the attribution.
#[must_use]
pub const fn attribution(attribution: Attribution) -> v1::AttributionResult {
    match attribution {
        Attribution::NotAsked => v1::AttributionResult::Unspecified,
        Attribution::To(_) => v1::AttributionResult::Attributed,
        Attribution::NotAServiceAccount => v1::AttributionResult::NotAServiceAccount,
        Attribution::NoTeam => v1::AttributionResult::NoTeam,
        Attribution::NotAMember => v1::AttributionResult::NotAMember,
    }
}

/// What the caller must do about the resource.
#[must_use]
pub fn obligation(obligation: &Obligation, resource: &str) -> v1::Obligation {
    let Obligation::GrantRole { role, email } = obligation;
    v1::Obligation {
        duty: Some(v1::obligation::Duty::GrantRole(v1::GrantRole {
            resource: resource.to_owned(),
            role: (*role).to_owned(),
            member: format!("serviceAccount:{email}"),
        })),
    }
}

/// Result of a key check.
#[must_use]
pub const fn key_code(code: KeyCode) -> v1::KeyCode {
    match code {
        KeyCode::Malformed => v1::KeyCode::Malformed,
        KeyCode::NotFound => v1::KeyCode::NotFound,
        KeyCode::OwnerDeleted => v1::KeyCode::OwnerDeleted,
        KeyCode::OwnerDisabled => v1::KeyCode::OwnerDisabled,
        KeyCode::Disabled => v1::KeyCode::Disabled,
        KeyCode::NotYetValid => v1::KeyCode::NotYetValid,
        KeyCode::Expired => v1::KeyCode::Expired,
        KeyCode::OrgScopedKeyRequired => v1::KeyCode::OrgScopedKeyRequired,
        KeyCode::IpNotAllowed => v1::KeyCode::IpNotAllowed,
        KeyCode::OutOfScope => v1::KeyCode::OutOfScope,
        KeyCode::RateLimited => v1::KeyCode::RateLimited,
        KeyCode::Valid => v1::KeyCode::Valid,
    }
}

/// A duration; beyond what protobuf can say it is the longest.
#[must_use]
pub fn duration(duration: Duration) -> prost_types::Duration {
    prost_types::Duration {
        seconds: i64::try_from(duration.as_secs()).unwrap_or(i64::MAX),
        nanos: i32::try_from(duration.subsec_nanos()).unwrap_or(0),
    }
}

/// A point in time, by whole seconds since the epoch.
#[must_use]
pub const fn timestamp(seconds: i64) -> prost_types::Timestamp {
    prost_types::Timestamp { seconds, nanos: 0 }
}
