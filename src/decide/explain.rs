//! Why a decision is as it is, and what would turn it around (SPEC 11.3).
//!
//! The decision is the engine's own, by the very same function. Beside it everything that the
//! engine may have read is listed, policies in the order of the specification and from the
//! resource upwards; changes are offered only after the engine decided with them made.

mod allow;
mod checks;
mod edits;
mod guards;
mod hops;
mod members;
pub mod parts;
mod remedies;

use std::borrow::Cow;

use crate::condition::Condition;
use crate::decide::explain::parts::{
    Binding, BindingEffect, Boundaries, BoundaryBinding, Change, Checked, Checks, Credential,
    DenyRule, Evaluated, Explanation, Hop, Included, Match, MatchKind, Membership, Policy,
    Principal, Scope, Seat, Shown, Step,
};
use crate::decide::shape::Shape;
use crate::decide::subject::{self, Who};
use crate::decide::{
    Asked, Permission, Refusal, Target, answer, credential as keys, find, gates, rules,
    service_enabled,
};
use crate::graph::permissions::Gate;
use crate::graph::snapshot::Snapshot;
use crate::model::outcome::{KeyCode, Reason, Violation};
use crate::model::permission::PermissionIx;
use crate::model::query::{KeyDigests, Query, Subject, UnixTime};

/// A line of a policy.
trait Line {
    /// It concerns this principal and this permission.
    fn is_relevant(&self) -> bool;
}

/// Why is this decided so?
///
/// # Errors
/// A field violation, as `authorize` has it.
pub fn explain<'a>(
    snapshot: &'a Snapshot,
    query: &Query<'a>,
    now: UnixTime,
) -> Result<Explanation<'a>, Violation> {
    make(snapshot, query, now).map_err(|violation| *violation)
}

fn make<'a>(
    snapshot: &'a Snapshot,
    query: &Query<'a>,
    now: UnixTime,
) -> Result<Explanation<'a>, Refusal> {
    let decision = answer(snapshot, query, now)?;
    let case = Case::of(snapshot, query, now)?;
    let asked = case.asked(query, now);
    let mut explanation = Explanation {
        step: step(decision.reason),
        principal: members::principal(snapshot, &case.who),
        credential: credential(snapshot, query, decision.reason),
        decision,
        boundaries: Boundaries::default(),
        denies: Vec::new(),
        gate: None,
        hops: Vec::new(),
        policies: Vec::new(),
        scope: None,
        visibility: None,
        seat: None,
        remedies: Vec::new(),
    };
    let permission = case.row(snapshot);
    if let (Some(target), Some(permission), None) = (&case.target, permission, case.who.failed) {
        explanation.boundaries = guards::boundaries(snapshot, &asked, permission.0, target);
        explanation.denies = guards::denies(snapshot, &asked, permission.0, target);
        let passed = gates::check(snapshot, &asked, permission, target);
        if permission.1.gate != Gate::None {
            let list = checks::checks(snapshot, &asked, permission, target);
            let reason = passed.unwrap_or(None);
            explanation.gate = Some(Checks { list, reason });
            // The reason of a destination is one that other steps give, too.
            let came = comes_to_gate(snapshot, &asked, permission.0, target);
            if came && reason == Some(explanation.decision.reason) {
                explanation.step = Step::Gate;
            }
        }
        explanation.hops = hops::hops(snapshot, &asked, permission, target);
        let allow = allow::Allow::of(snapshot, &asked, permission, target);
        explanation.scope = allow.scope(snapshot);
        explanation.visibility = allow.visibility(snapshot);
        explanation.seat = allow.seat(snapshot);
        explanation.policies = allow.policies(snapshot);
    }
    explanation.remedies = remedies::remedies(snapshot, query, now);
    Ok(explanation)
}

/// Whether the steps before the gate let the request pass.
fn comes_to_gate(
    snapshot: &Snapshot,
    asked: &Asked<'_, '_>,
    permission: PermissionIx,
    target: &Target<'_>,
) -> bool {
    !asked.who.disabled
        && keys::narrowed(snapshot, asked, asked.name, Some(target)).is_none()
        && service_enabled(snapshot, asked.who, permission, target)
        && rules::check(snapshot, asked, permission, target).is_none()
}

/// A question, resolved as the engine does it.
pub(super) struct Case<'a> {
    who: Who<'a>,
    name: Cow<'a, str>,
    target: Option<Target<'a>>,
    permission: Option<PermissionIx>,
}

impl<'a> Case<'a> {
    fn of(snapshot: &'a Snapshot, query: &Query<'a>, now: UnixTime) -> Result<Self, Refusal> {
        let permission = snapshot.permissions().find(query.permission);
        let shape = Shape::read(query, false, permission.is_some(), false)?;
        let who = subject::resolve(snapshot, query, &shape, None, now);
        let mut name = Cow::Borrowed(query.resource);
        if shape.default_team && who.failed.is_none() {
            let team = subject::default_team(snapshot, &name, query.entity, who.principal())?;
            name = Cow::Owned(team);
        }
        Ok(Self {
            target: find(snapshot, &name, shape.misplaced),
            who,
            name,
            permission,
        })
    }

    fn asked<'q>(&'q self, query: &'q Query<'a>, now: UnixTime) -> Asked<'q, 'a> {
        Asked {
            query,
            who: &self.who,
            name: &self.name,
            permission: self.permission,
            attributes: query.resource_attributes,
            now,
        }
    }

    fn row<'s>(&self, snapshot: &'s Snapshot) -> Option<Permission<'s>> {
        let ix = self.permission?;
        Some((ix, snapshot.permissions().get(ix)?))
    }
}

/// The codes that stop a request.
const CODES: [KeyCode; 11] = [
    KeyCode::Malformed,
    KeyCode::NotFound,
    KeyCode::OwnerDeleted,
    KeyCode::OwnerDisabled,
    KeyCode::Disabled,
    KeyCode::NotYetValid,
    KeyCode::Expired,
    KeyCode::OrgScopedKeyRequired,
    KeyCode::IpNotAllowed,
    KeyCode::OutOfScope,
    KeyCode::RateLimited,
];

/// The code of the key that was presented, this request's narrowing included. Nothing else of
/// it is known here.
fn credential(snapshot: &Snapshot, query: &Query<'_>, reason: Reason) -> Option<Credential> {
    let Subject::ApiKey(digests) = query.subject else {
        return None;
    };
    let key = match digests {
        KeyDigests::Malformed => None,
        KeyDigests::Digested {
            sha256,
            hmac_sha256,
        } => {
            let keyed = || snapshot.find_digest(hmac_sha256.as_ref()?, true);
            snapshot.find_digest(sha256, false).or_else(keyed)
        }
    };
    let code = CODES
        .into_iter()
        .find(|code| keys::reason(*code) == Some(reason));
    Some(Credential {
        key: key.map_or_else(String::new, |key| snapshot.key_facts(key).name),
        code: code.unwrap_or(KeyCode::Valid),
    })
}

/// A condition, evaluated.
fn evaluated(
    snapshot: &Snapshot,
    asked: &Asked<'_, '_>,
    target: &Target<'_>,
    condition: Option<&Condition>,
) -> Option<Evaluated> {
    condition.map(|condition| Evaluated {
        expression: condition.source().to_owned(),
        value: rules::holds(snapshot, asked, target, condition),
    })
}

/// The first lines up to a bound, those that matter before others; order is kept.
fn bounded<T: Line>(resource: String, lines: Vec<T>, most: usize) -> Policy<T> {
    let count = lines.len();
    let mut left = most.saturating_sub(lines.iter().filter(|line| line.is_relevant()).count());
    let mut relevant = most;
    let keep = |line: &T| {
        let room = if line.is_relevant() {
            &mut relevant
        } else {
            &mut left
        };
        let fits = *room > 0;
        *room = room.saturating_sub(1);
        fits
    };
    let lines: Vec<T> = lines.into_iter().filter(keep).collect();
    Policy {
        resource,
        left_out: count.saturating_sub(lines.len()),
        lines,
    }
}

/// Where a reason comes from.
const fn step(reason: Reason) -> Step {
    match reason {
        Reason::GrantedByPolicy
        | Reason::GrantedByScope
        | Reason::GrantedByVisibility
        | Reason::Seat
        | Reason::RestrictedProject
        | Reason::PrincipalUnknown
        | Reason::Unauthenticated
        | Reason::NoGrant => Step::Grant,
        Reason::StaleSnapshot => Step::Freshness,
        Reason::RevokedLocally
        | Reason::CredentialMalformed
        | Reason::CredentialNotFound
        | Reason::CredentialOwnerDeleted
        | Reason::CredentialOwnerDisabled
        | Reason::CredentialDisabled
        | Reason::CredentialNotYetValid
        | Reason::CredentialExpired
        | Reason::CredentialOrgScopedKeyRequired
        | Reason::CredentialIpNotAllowed
        | Reason::CredentialOutOfScope
        | Reason::CredentialRateLimited
        | Reason::AmbiguousRequest
        | Reason::Scope => Step::Credential,
        Reason::PrincipalDisabled => Step::Principal,
        Reason::ResourceNotFound => Step::Resource,
        Reason::PermissionUnknown => Step::Permission,
        Reason::ServiceDisabled => Step::Service,
        Reason::OutsideBoundary => Step::Boundary,
        Reason::DeniedByPolicy => Step::DenyPolicy,
        Reason::Constraint | Reason::QuotaExceeded => Step::Gate,
        Reason::DelegationBroken => Step::Delegation,
    }
}
