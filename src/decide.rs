//! Layer 2: the engine. Pure, synchronous, total: every path that is not a proven allow
//! denies, and an error inside is a deny with a reason.
//!
//! The order is that of SPEC 6.3:
//!
//! 1. the request is well-formed (`shape`), the credential holds (`credential`);
//! 2. the principal may act, resource, permission and service are known;
//! 3. and 4. boundaries and deny policies (`rules`);
//! 5. and 6. constraints and quotas (`gates`), delegation hops (`delegation`);
//! 7. a grant (`grants`): the only step that can allow;
//! 8. otherwise a deny, with the strongest reason.

mod attribution;
pub mod compare;
mod credential;
mod delegation;
pub mod explain;
mod gates;
mod grants;
pub mod lookup;
mod rules;
mod shape;
mod subject;

use std::borrow::Cow;

use crate::decide::shape::Shape;
use crate::decide::subject::Who;
use crate::graph::permissions::{Gate, PermissionRow};
use crate::graph::rows::{NO_LEVEL, NONE, NodeRow, ProjectRow};
use crate::graph::snapshot::{KeyIx, Located, Snapshot};
use crate::model::name;
use crate::model::outcome::{
    Actor, Answer, Attribution, Decision, Effect, KeyCode, Reason, Violation,
};
use crate::model::permission::PermissionIx;
use crate::model::principal::PrincipalIx;
use crate::model::query::{KeyQuery, Query, UnixTime};
use crate::model::value::Struct;

/// May this subject do this here?
#[must_use]
pub fn authorize<'a>(snapshot: &'a Snapshot, query: &Query<'a>, now: UnixTime) -> Answer<'a> {
    match answer(snapshot, query, now) {
        Ok(decision) => Answer::Decided(decision),
        Err(violation) => Answer::Invalid(*violation),
    }
}

/// What stops a decision: the request itself is wrong. Boxed, so that the common path does
/// not carry its size.
type Refusal = Box<Violation>;

fn refuse<T>(field: &'static str, description: String) -> Result<T, Refusal> {
    Err(Box::new(Violation {
        field: Cow::Borrowed(field),
        description,
    }))
}

fn answer<'a>(
    snapshot: &'a Snapshot,
    query: &Query<'a>,
    now: UnixTime,
) -> Result<Decision<'a>, Refusal> {
    // Step 1. The look-ups take turns: each asks for its memory before the other waits.
    let name = snapshot.start_name(query.resource);
    let mut early = subject::start(snapshot, query.subject);
    let permission = snapshot.permissions().find(query.permission);
    let name = snapshot.continue_name(name);
    if let Some(early) = early.as_mut() {
        early.advance(snapshot);
    }
    let located = snapshot.finish_name(name, query.resource);
    let known = early.as_ref().and_then(|early| early.finish(snapshot));
    let shape = Shape::read(
        query,
        located.is_some(),
        permission.is_some(),
        known.is_some(),
    )?;
    let who = subject::resolve(snapshot, query, &shape, known, now);
    let mut decision = Decision {
        effect: Effect::Deny,
        reason: Reason::NoGrant,
        actor: who.actor,
        resource: Cow::Borrowed(query.resource),
        attribution: Attribution::NotAsked,
        obligation: None,
    };
    if let Some(reason) = who.failed {
        decision.reason = reason;
        return Ok(decision);
    }
    let target = if shape.default_team {
        let (resource, entity) = (query.resource, query.entity);
        let resolved = subject::default_team(snapshot, resource, entity, who.principal())?;
        decision.resource = Cow::Owned(resolved);
        find(snapshot, &decision.resource, shape.misplaced)
    } else {
        locate(snapshot, query.resource, located, &shape)
    };
    let asked = Asked {
        query,
        who: &who,
        name: &decision.resource,
        permission,
        attributes: query.resource_attributes,
        now,
    };
    decision.reason = decide(snapshot, &asked, target.as_ref())?;
    decision.effect = effect(decision.reason);
    if decision.effect == Effect::Allow
        && let Some(target) = &target
    {
        decision.obligation = gates::obligation(snapshot, &asked, target)?;
    }
    decision.attribution = attribution::attribute(snapshot, query, &who, target.as_ref());
    Ok(decision)
}

/// The question once its subject and resource are known.
#[derive(Clone, Copy)]
struct Asked<'q, 'a> {
    query: &'q Query<'a>,
    who: &'q Who<'a>,
    /// The resource with the default team filled in.
    name: &'q str,
    /// The permission, if it is known.
    permission: Option<PermissionIx>,
    /// What is said of the resource.
    attributes: &'q Struct,
    now: UnixTime,
}

/// The node that answers for a resource.
#[derive(Debug, Clone, Copy)]
struct Target<'s> {
    node: u32,
    row: &'s NodeRow,
    /// The name is exactly the node's: not a key of it, nothing below it.
    exact: bool,
    /// The row of the project at or above it.
    project: Option<&'s NodeRow>,
}

impl Target<'_> {
    /// What only projects have, of the project at or above it.
    fn project_detail<'s>(&self, snapshot: &'s Snapshot) -> Option<&'s ProjectRow> {
        snapshot.project(self.project?.detail)
    }
}

/// The node of a name that was looked up whole and, if that found nothing, by its node part.
fn locate<'s>(
    snapshot: &'s Snapshot,
    resource: &str,
    whole: Option<Located<'s>>,
    shape: &Shape<'_>,
) -> Option<Target<'s>> {
    match whole {
        Some(located) => target(snapshot, located, true),
        None if shape.below && !shape.misplaced && shape.node.len() < resource.len() => {
            target(snapshot, snapshot.find_name(shape.node)?, false)
        }
        None => None,
    }
}

/// The node of a well-formed name.
fn find<'s>(snapshot: &'s Snapshot, resource: &str, misplaced: bool) -> Option<Target<'s>> {
    let parsed = name::parse(resource).ok()?;
    if misplaced || parsed.misplaced || parsed.default_team {
        return None;
    }
    target(snapshot, snapshot.find_name(parsed.node)?, !parsed.below)
}

fn target<'s>(snapshot: &'s Snapshot, located: Located<'s>, exact: bool) -> Option<Target<'s>> {
    let Located { node, row, is_key } = located;
    let project = match row.project_level {
        NO_LEVEL => None,
        level if level == row.level => Some(row),
        level => Some(snapshot.node(snapshot.ancestor(node, row, level)?)?),
    };
    Some(Target {
        node,
        row,
        exact: exact && !is_key,
        project,
    })
}

/// Steps 1 (narrowing) to 8.
fn decide(
    snapshot: &Snapshot,
    asked: &Asked<'_, '_>,
    target: Option<&Target<'_>>,
) -> Result<Reason, Refusal> {
    if let Some(reason) = credential::narrowed(snapshot, asked, asked.name, target) {
        return Ok(reason);
    }
    if asked.who.disabled {
        return Ok(Reason::PrincipalDisabled);
    }
    let Some(target) = target else {
        return Ok(Reason::ResourceNotFound);
    };
    let Some((ix, row)) = asked
        .permission
        .and_then(|ix| Some((ix, snapshot.permissions().get(ix)?)))
    else {
        return Ok(Reason::PermissionUnknown);
    };
    if !service_enabled(snapshot, asked.who, ix, target) {
        return Ok(Reason::ServiceDisabled);
    }
    if let Some(reason) = rules::check(snapshot, asked, ix, target) {
        return Ok(reason);
    }
    delegation::check_permission(asked.query.delegates, (ix, row))?;
    if row.gate != Gate::None
        && let Some(reason) = gates::check(snapshot, asked, (ix, row), target)?
    {
        return Ok(reason);
    }
    if !asked.query.delegates.is_empty() {
        return delegation::decide(snapshot, asked, (ix, row), target);
    }
    Ok(grants::reason(snapshot, asked, (ix, row), target))
}

/// Only the three words that name a grant allow.
const fn effect(reason: Reason) -> Effect {
    match reason {
        Reason::GrantedByPolicy | Reason::GrantedByScope | Reason::GrantedByVisibility => {
            Effect::Allow
        }
        Reason::StaleSnapshot
        | Reason::RevokedLocally
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
        | Reason::Scope
        | Reason::PrincipalDisabled
        | Reason::ResourceNotFound
        | Reason::PermissionUnknown
        | Reason::ServiceDisabled
        | Reason::OutsideBoundary
        | Reason::DeniedByPolicy
        | Reason::Constraint
        | Reason::QuotaExceeded
        | Reason::DelegationBroken
        | Reason::Seat
        | Reason::RestrictedProject
        | Reason::PrincipalUnknown
        | Reason::Unauthenticated
        | Reason::NoGrant
        | Reason::AmbiguousRequest => Effect::Deny,
    }
}

/// SPEC 5.6: the service is in use in the resource's project and in the account's own.
fn service_enabled(
    snapshot: &Snapshot,
    who: &Who<'_>,
    permission: PermissionIx,
    target: &Target<'_>,
) -> bool {
    let on = |project: Option<&ProjectRow>| {
        let services = project.map(|project| project.services.as_ref());
        // A project that limits services and is not found, or has no list, allows none.
        services
            .flatten()
            .is_some_and(|services| services.contains(permission))
    };
    let limited = target
        .project
        .is_some_and(|project| project.limits_services);
    if limited && !on(target.project_detail(snapshot)) {
        return false;
    }
    let home = who
        .row
        .and_then(|row| row.account)
        .map_or(NONE, |account| account.limited_home);
    home == NONE || on(snapshot.project(home))
}

/// The answer to a key check.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KeyAnswer {
    /// The code.
    pub code: KeyCode,
    /// The key and its owner, unless the code is `Malformed` or `NotFound`.
    pub found: Option<(KeyIx, PrincipalIx)>,
}

/// Is this key valid (SPEC 9.2)?
///
/// # Errors
/// A field violation, for a malformed permission or resource.
pub fn verify_key(
    snapshot: &Snapshot,
    query: &KeyQuery<'_>,
    now: UnixTime,
) -> Result<KeyAnswer, Violation> {
    credential::verify(snapshot, query, now).map_err(|violation| *violation)
}

/// Rows of `holders` by which policies may name the actor of a decision: everyone, its groups,
/// domain and sets; for telling which policies speak of it, never for deciding.
#[must_use]
pub fn named_by(snapshot: &Snapshot, actor: &Actor<'_>) -> Vec<u32> {
    subject::named_by(snapshot, actor)
}

/// The deny reason of a key's code; `None`: it holds.
#[must_use]
pub const fn key_reason(code: KeyCode) -> Option<Reason> {
    credential::reason(code)
}

/// The permission row that gates and grants read.
type Permission<'s> = (PermissionIx, &'s PermissionRow);

#[cfg(test)]
mod tests;
