//! Attribution: for whom a service account works. Never changes the decision (SPEC 5.5).

use crate::decide::Target;
use crate::decide::subject::Who;
use crate::graph::rows::{Grants, NONE, class};
use crate::graph::snapshot::Snapshot;
use crate::model::node::NodeKind;
use crate::model::outcome::Attribution;
use crate::model::principal::PrincipalIx;
use crate::model::query::Query;

/// What becomes of the attribution that was asked for.
pub(super) fn attribute(
    snapshot: &Snapshot,
    query: &Query<'_>,
    who: &Who<'_>,
    target: Option<&Target<'_>>,
) -> Attribution {
    let Some(wanted) = query.attribution else {
        return Attribution::NotAsked;
    };
    let Some(account) = who.row.and_then(|row| row.account) else {
        return Attribution::NotAServiceAccount;
    };
    let Some(team) = team(snapshot, account.node, target) else {
        return Attribution::NoTeam;
    };
    let user = if wanted.contains('@') {
        snapshot.find_email(wanted.to_ascii_lowercase().as_bytes())
    } else {
        snapshot.find_username(wanted)
    };
    match user.filter(|user| is_member(snapshot, *user, team)) {
        Some(user) => Attribution::To(user),
        None => Attribution::NotAMember,
    }
}

/// The nearest team at or above the target, else the account's parent team.
fn team(snapshot: &Snapshot, account: u32, target: Option<&Target<'_>>) -> Option<u32> {
    if let Some(target) = target.filter(|target| target.row.team_level > 0) {
        return snapshot.ancestor(target.node, target.row, target.row.team_level);
    }
    let parent = snapshot.node(account)?.parent;
    let is_team = parent != NONE && snapshot.node(parent)?.kind == NodeKind::Team;
    is_team.then_some(parent)
}

/// A living, enabled user with a membership role on the team or an ancestor team.
fn is_member(snapshot: &Snapshot, user: PrincipalIx, team: u32) -> bool {
    let (Some(row), Some(team_row)) = (snapshot.principal(user), snapshot.node(team)) else {
        return false;
    };
    let holds = |grants: &Grants| {
        grants.as_slice().iter().any(|grant| {
            let level = grant.level();
            (1..=team_row.level).contains(&level)
                && snapshot.ancestor(team, team_row, level) == Some(grant.node)
                && class::has_membership(snapshot.sets().class(grant.set(), 0))
        })
    };
    let active = row.is_user() && !row.disabled && !row.deleted;
    active
        && (holds(&row.grants)
            || row
                .holders
                .as_slice()
                .iter()
                .any(|h| holds(snapshot.holder(*h))))
}
