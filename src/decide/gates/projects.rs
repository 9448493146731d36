//! Gates of projects: visibility, and runs that move (SPEC 4.4).

use super::{context, wrong_kind};
use crate::decide::{
    Asked, Permission, Refusal, Target, credential, find, grants, rules, service_enabled,
};
use crate::graph::snapshot::Snapshot;
use crate::model::node::{NodeKind, Visibility};
use crate::model::outcome::{Effect, Reason};

/// SPEC 4.4: `private_projects_only` of the organization or an ancestor team.
fn private_only(snapshot: &Snapshot, target: &Target<'_>) -> bool {
    let on = |level| {
        let node = snapshot.ancestor(target.node, target.row, level);
        node.and_then(|node| snapshot.node(node))
            .is_none_or(|row| row.settings.private_projects_only)
    };
    (0..=target.row.team_level).any(on)
}

const fn is_public(visibility: Visibility) -> bool {
    matches!(visibility, Visibility::Public | Visibility::Open)
}

pub(super) fn set_visibility(
    snapshot: &Snapshot,
    asked: &Asked<'_, '_>,
    target: &Target<'_>,
) -> Result<Option<Reason>, Refusal> {
    if !target.exact || target.row.kind != NodeKind::Project {
        return wrong_kind("a project");
    }
    let (now, wanted) = (target.row.visibility, context::visibility(asked)?);
    let leaves_restricted = now == Visibility::Restricted && wanted != Visibility::Team;
    let stopped = leaves_restricted || (is_public(wanted) && private_only(snapshot, target));
    Ok((wanted != now && stopped).then_some(Reason::Constraint))
}

pub(super) fn create(
    snapshot: &Snapshot,
    asked: &Asked<'_, '_>,
    target: &Target<'_>,
) -> Result<Option<Reason>, Refusal> {
    if !target.exact || !matches!(target.row.kind, NodeKind::Organization | NodeKind::Team) {
        return wrong_kind("an organization or team");
    }
    let wanted = context::visibility(asked)?;
    Ok((is_public(wanted) && private_only(snapshot, target)).then_some(Reason::Constraint))
}

/// SPEC 4.4: the destination must allow the same request too.
pub(super) fn move_run(
    snapshot: &Snapshot,
    asked: &Asked<'_, '_>,
    permission: Permission<'_>,
    target: &Target<'_>,
) -> Result<Option<Reason>, Refusal> {
    let Some(from) = target.project else {
        return wrong_kind("a project or something below one");
    };
    let destination = context::destination(asked)?;
    let to = find(snapshot, destination, false);
    let narrowed = credential::narrowed(snapshot, asked, destination, to.as_ref());
    if narrowed.is_some() {
        return Ok(narrowed);
    }
    let Some((to, project)) = to.and_then(|to| Some((to, to.project?))) else {
        return Ok(Some(Reason::ResourceNotFound));
    };
    let restricted = Visibility::Restricted;
    if from.visibility == restricted && project.visibility != restricted {
        return Ok(Some(Reason::Constraint));
    }
    if !service_enabled(snapshot, asked.who, permission.0, &to) {
        return Ok(Some(Reason::ServiceDisabled));
    }
    let asked = Asked {
        name: destination,
        ..*asked
    };
    if let Some(reason) = rules::check(snapshot, &asked, permission.0, &to) {
        return Ok(Some(reason));
    }
    let there = grants::reason(snapshot, &asked, permission, &to);
    Ok(match crate::decide::effect(there) {
        Effect::Allow => None,
        Effect::Deny => Some(there),
    })
}
