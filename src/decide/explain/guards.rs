//! Access boundaries and deny policies, line by line (SPEC 6.3 steps 3 and 4).

use crate::condition::Outcome;
use crate::decide::explain::members::{self, Use, membership};
use crate::decide::explain::{
    Boundaries, BoundaryBinding, DenyRule, Line, Match, Policy, bounded, evaluated,
};
use crate::decide::{Asked, Target};
use crate::graph::rules::DenyRow;
use crate::graph::snapshot::Snapshot;
use crate::limits::{EXPLAINED_LINES_MAX, EXPLAINED_MATCHES_MAX};
use crate::model::name;
use crate::model::outcome::Actor;
use crate::model::permission::PermissionIx;

/// Deny policies from the resource upwards; resources without any are left out.
pub(super) fn denies(
    snapshot: &Snapshot,
    asked: &Asked<'_, '_>,
    permission: PermissionIx,
    target: &Target<'_>,
) -> Vec<Policy<DenyRule>> {
    let mut policies = Vec::new();
    for level in (0..=target.row.level).rev() {
        let node = snapshot.ancestor(target.node, target.row, level);
        let Some((node, row)) = node.and_then(|node| Some((node, snapshot.node(node)?))) else {
            continue;
        };
        let Some(list) = snapshot.rules().denies.get(&node) else {
            continue;
        };
        let rule = |row: &DenyRow| deny_rule(snapshot, asked, permission, target, row);
        let lines = list.iter().map(rule).collect();
        let resource = row.name.as_str().to_owned();
        policies.push(bounded(resource, lines, EXPLAINED_LINES_MAX));
    }
    policies
}

/// One rule.
pub(super) fn deny_rule(
    snapshot: &Snapshot,
    asked: &Asked<'_, '_>,
    permission: PermissionIx,
    target: &Target<'_>,
    row: &DenyRow,
) -> DenyRule {
    let who = asked.who;
    let names = &snapshot.rules().deny_names;
    let of = |used, named| membership(snapshot, who, &members::rows(snapshot, who, used), named);
    let mut rule = DenyRule {
        policy: crate::graph::at(names, row.policy).map_or_else(String::new, ToString::to_string),
        rule: row.rule,
        permission_matched: row.permissions.contains(permission),
        denied: of(Use::Deny, &row.denied),
        exceptions: of(Use::Except, &row.exceptions),
        condition: evaluated(snapshot, asked, target, row.condition.as_ref()),
        denies: false,
    };
    let condition = rule.condition.as_ref();
    rule.denies = rule.permission_matched
        && rule.denied.matched()
        && !rule.exceptions.matched()
        && condition.is_none_or(|condition| condition.value != Outcome::False);
    rule
}

impl Line for DenyRule {
    fn is_relevant(&self) -> bool {
        self.matters()
    }
}

/// Every binding of the principal to a boundary.
pub(super) fn boundaries(
    snapshot: &Snapshot,
    asked: &Asked<'_, '_>,
    permission: PermissionIx,
    target: &Target<'_>,
) -> Boundaries {
    let mut all = bound(snapshot, asked, permission, target);
    let missing = |b: &BoundaryBinding| b.relevant && b.boundary.is_none();
    let relevant = all.iter().any(|b| b.relevant);
    let inside = all.iter().any(|b| b.relevant && b.inside);
    let outside = all.iter().any(missing) || (relevant && !inside);
    let left_out = all.len().saturating_sub(EXPLAINED_LINES_MAX);
    // Those that count are first.
    all.sort_by_key(|binding| !binding.relevant);
    all.truncate(EXPLAINED_LINES_MAX);
    Boundaries {
        outside,
        bindings: all,
        left_out,
    }
}

fn bound(
    snapshot: &Snapshot,
    asked: &Asked<'_, '_>,
    permission: PermissionIx,
    target: &Target<'_>,
) -> Vec<BoundaryBinding> {
    let (rules, who) = (snapshot.rules(), asked.who);
    if rules.boundary_bindings.is_empty() {
        return Vec::new();
    }
    let mut all: Vec<(u32, Match)> = Vec::new();
    if let Actor::Known(ix) = who.actor {
        for binding in rules.bound_principals.get(&ix.0).into_iter().flatten() {
            all.push((*binding, members::direct(snapshot, who.actor)));
        }
    }
    for row in members::rows(snapshot, who, Use::Deny) {
        for binding in rules.bound_holders.get(&row).into_iter().flatten() {
            all.push((*binding, members::holder(snapshot, who, row)));
        }
    }
    let line = |(ix, matched)| line(snapshot, asked, permission, target, (ix, matched));
    all.into_iter().flat_map(line).collect()
}

fn line(
    snapshot: &Snapshot,
    asked: &Asked<'_, '_>,
    permission: PermissionIx,
    target: &Target<'_>,
    (ix, matched): (u32, Match),
) -> Option<BoundaryBinding> {
    let rules = snapshot.rules();
    let row = crate::graph::at(&rules.boundary_bindings, ix)?;
    let boundary = crate::graph::at(&rules.boundaries, row.boundary);
    let condition = evaluated(snapshot, asked, target, row.condition.as_ref());
    let bounds = boundary.and_then(|boundary| boundary.permissions.as_ref());
    let bounded = bounds.is_none_or(|bounds| bounds.contains(permission));
    let holds = condition.as_ref().is_none_or(|c| c.value != Outcome::False);
    let resources = boundary.map_or(&[][..], |boundary| &boundary.resources);
    let shown = resources.iter().take(EXPLAINED_MATCHES_MAX);
    Some(BoundaryBinding {
        binding: row.name.to_string(),
        boundary: boundary.map(|boundary| boundary.name.to_string()),
        matched,
        bounded,
        condition,
        relevant: bounded && holds,
        inside: resources
            .iter()
            .any(|r| name::is_at_or_below(asked.name, r)),
        resources: shown.map(ToString::to_string).collect(),
        resources_left_out: resources.len().saturating_sub(EXPLAINED_MATCHES_MAX),
    })
}
