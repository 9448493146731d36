//! Steps 3 and 4: access boundaries and deny policies; and whether a condition holds (SPEC 6.3,
//! 6.4, 7). Both fail closed.

use crate::condition::{Attributes, Condition, Outcome};
use crate::decide::subject::{Standing, Who};
use crate::decide::{Asked, Target};
use crate::graph::rules::{ALL_AUTHENTICATED, ALL_USERS, Named};
use crate::graph::snapshot::Snapshot;
use crate::model::name;
use crate::model::node::NodeKind;
use crate::model::outcome::{Actor, Reason};
use crate::model::permission::PermissionIx;

/// The reason of the boundary or deny policy that stops the request; `None`: none does.
#[inline]
pub(super) fn check(
    snapshot: &Snapshot,
    asked: &Asked<'_, '_>,
    permission: PermissionIx,
    target: &Target<'_>,
) -> Option<Reason> {
    if !snapshot.restricts() {
        return None;
    }
    let rules = snapshot.rules();
    if !rules.boundary_bindings.is_empty() && outside(snapshot, asked, permission, target) {
        return Some(Reason::OutsideBoundary);
    }
    if !rules.denies.is_empty() && denied(snapshot, asked, permission, target) {
        return Some(Reason::DeniedByPolicy);
    }
    None
}

/// SPEC 6.3 step 3: some relevant boundary, and the resource lies under none.
#[cold]
fn outside(
    snapshot: &Snapshot,
    asked: &Asked<'_, '_>,
    permission: PermissionIx,
    target: &Target<'_>,
) -> bool {
    let rules = snapshot.rules();
    let who = asked.who;
    let authenticated = !matches!(who.actor, Actor::Anonymous);
    let standing = who.standing(snapshot);
    let own = match who.actor {
        Actor::Known(ix) => rules.bound_principals.get(&ix.0),
        Actor::Anonymous | Actor::Asserted(_) | Actor::Federated(_) | Actor::Unproven => None,
    };
    let bindings = std::iter::once(ALL_USERS)
        .chain(authenticated.then_some(ALL_AUTHENTICATED))
        .chain(standing.rows())
        .chain(standing.possible.iter().copied())
        .flat_map(|row| rules.bound_holders.get(&row))
        .chain(own)
        .flatten();
    let (mut relevant, mut inside) = (false, false);
    for ix in bindings {
        let at = |ix: u32| usize::try_from(ix).unwrap_or(usize::MAX);
        let Some(binding) = rules.boundary_bindings.get(at(*ix)) else {
            return true;
        };
        let boundary = rules.boundaries.get(at(binding.boundary));
        let bounds = boundary.and_then(|boundary| boundary.permissions.as_ref());
        if bounds.is_some_and(|bounds| !bounds.contains(permission)) {
            continue;
        }
        let condition = binding.condition.as_ref();
        if condition.is_some_and(|c| holds(snapshot, asked, target, c) == Outcome::False) {
            continue;
        }
        // One that is missing denies, whatever the others say.
        let Some(boundary) = boundary else {
            return true;
        };
        relevant = true;
        let mut resources = boundary.resources.iter();
        inside |= resources.any(|resource| name::is_at_or_below(asked.name, resource));
    }
    relevant && !inside
}

/// SPEC 6.3 step 4: a deny rule of the resource or of an ancestor.
#[cold]
fn denied(
    snapshot: &Snapshot,
    asked: &Asked<'_, '_>,
    permission: PermissionIx,
    target: &Target<'_>,
) -> bool {
    let standing = asked.who.standing(snapshot);
    for level in 0..=target.row.level {
        let Some(node) = snapshot.ancestor(target.node, target.row, level) else {
            return true;
        };
        for rule in snapshot.rules().denies.get(&node).into_iter().flatten() {
            if rule.permissions.contains(permission)
                && is_named(asked.who, standing, &rule.denied, true)
                && !is_named(asked.who, standing, &rule.exceptions, false)
                && rule
                    .condition
                    .as_ref()
                    .is_none_or(|c| holds(snapshot, asked, target, c) != Outcome::False)
            {
                return true;
            }
        }
    }
    false
}

/// Whether a rule names the principal: for certain, or possibly (SPEC 6.2).
pub(super) fn is_named(
    who: &Who<'_>,
    standing: Standing<'_>,
    named: &Named,
    possibly: bool,
) -> bool {
    let has = |row: u32| named.holders.binary_search(&row).is_ok();
    if has(ALL_USERS) {
        return true;
    }
    match who.actor {
        Actor::Anonymous | Actor::Unproven => return false,
        Actor::Known(ix) => {
            if named.principals.binary_search(&ix.0).is_ok() {
                return true;
            }
        }
        Actor::Asserted(_) | Actor::Federated(_) => {}
    }
    has(ALL_AUTHENTICATED)
        || standing.rows().any(has)
        || (possibly && standing.possible.iter().any(|row| has(*row)))
}

/// What a condition comes to for this request on this resource.
pub(super) fn holds(
    snapshot: &Snapshot,
    asked: &Asked<'_, '_>,
    target: &Target<'_>,
    condition: &Condition,
) -> Outcome {
    let tag = |key: &str| -> Option<&str> {
        (0..=target.row.level).rev().find_map(|level| {
            let node = snapshot.ancestor(target.node, target.row, level)?;
            let tags = snapshot.rules().tags.get(&node)?;
            let (_, value) = tags.iter().find(|(k, _)| **k == *key)?;
            Some(&**value)
        })
    };
    let (subject, kind) = asked.who.subject();
    let on_account = target.row.kind == NodeKind::ServiceAccount;
    condition.evaluate(&Attributes {
        now: asked.now,
        request: asked.query.context,
        resource: asked.attributes,
        resource_name: (!on_account).then_some(asked.name),
        resource_type: name::split_last(asked.name).map_or("", |(_, collection, _)| collection),
        tags: &tag,
        source_ip: asked.query.source_ip,
        principal_subject: &subject,
        principal_type: kind,
    })
}
