//! Which members of a list cover the principal, and through which groups.

use crate::decide::explain::{Match, MatchKind, Membership, Principal};
use crate::decide::subject::Who;
use crate::graph::rules::{ALL_AUTHENTICATED, ALL_USERS, Named};
use crate::graph::snapshot::Snapshot;
use crate::graph::sources::GROUPS;
use crate::limits::EXPLAINED_MATCHES_MAX;
use crate::model::outcome::Actor;
use crate::model::principal::PrincipalIx;

/// What a list of members is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Use {
    /// To grant.
    Allow,
    /// To except from a deny rule.
    Except,
    /// To deny.
    Deny,
}

/// Who asks.
pub(super) fn principal(snapshot: &Snapshot, who: &Who<'_>) -> Principal {
    Principal {
        member: member(snapshot, who.actor),
        known: who.row.is_some() || matches!(who.actor, Actor::Federated(_)),
        disabled: who.disabled,
        is_creator: who.is_creator,
    }
}

/// The principal in member syntax; empty: nobody.
pub(super) fn member(snapshot: &Snapshot, actor: Actor<'_>) -> String {
    match actor {
        Actor::Known(ix) => snapshot.principal_member(ix),
        Actor::Asserted(text) | Actor::Federated(text) => text.to_owned(),
        Actor::Anonymous | Actor::Unproven => String::new(),
    }
}

/// Rows of `holders` that cover the principal, in order; the principal itself is no row.
pub(super) fn rows<'s>(snapshot: &'s Snapshot, who: &Who<'s>, used: Use) -> Vec<u32> {
    let mut rows = vec![ALL_USERS];
    let authenticated = match (used, who.actor) {
        (_, Actor::Anonymous | Actor::Unproven) => return rows,
        (Use::Allow, Actor::Asserted(_)) => return rows,
        (Use::Allow, Actor::Federated(_)) => false,
        (Use::Allow | Use::Except | Use::Deny, _) => true,
    };
    rows.extend(authenticated.then_some(ALL_AUTHENTICATED));
    let standing = who.standing(snapshot);
    rows.extend(standing.rows());
    if used == Use::Deny {
        rows.extend_from_slice(standing.possible);
    }
    rows.sort_unstable();
    rows.dedup();
    rows
}

/// Whether a list covers the principal, whose `rows` these are.
pub(super) fn membership(
    snapshot: &Snapshot,
    who: &Who<'_>,
    rows: &[u32],
    named: &Named,
) -> Membership {
    let mut found = Membership {
        count: named.principals.len().saturating_add(named.holders.len()),
        ..Membership::default()
    };
    let mut add = |one: &dyn Fn() -> Match| {
        if found.matches.len() < EXPLAINED_MATCHES_MAX {
            found.matches.push(one());
        } else {
            found.left_out = found.left_out.saturating_add(1);
        }
    };
    if let Actor::Known(ix) = who.actor
        && named.principals.binary_search(&ix.0).is_ok()
    {
        add(&|| direct(snapshot, who.actor));
    }
    for row in rows {
        if named.holders.binary_search(row).is_ok() {
            add(&|| holder(snapshot, who, *row));
        }
    }
    found
}

/// The member that is the principal itself.
pub(super) fn direct(snapshot: &Snapshot, actor: Actor<'_>) -> Match {
    Match {
        kind: MatchKind::Direct,
        member: member(snapshot, actor),
        through: Vec::new(),
    }
}

/// The member of a row of `holders` that covers the principal.
pub(super) fn holder(snapshot: &Snapshot, who: &Who<'_>, row: u32) -> Match {
    let sources = snapshot.sources();
    let text = sources.holder(row);
    let (kind, through) = match row {
        ALL_USERS => (MatchKind::All, Vec::new()),
        ALL_AUTHENTICATED => (MatchKind::AllAuthenticated, Vec::new()),
        _ if sources.group(row).is_some() => (MatchKind::Group, chain(snapshot, who, row)),
        _ if text.starts_with("domain:") => (MatchKind::Domain, Vec::new()),
        _ if text.starts_with("principalSet:") => (MatchKind::Set, Vec::new()),
        _ => (MatchKind::Direct, Vec::new()),
    };
    Match {
        kind,
        member: text.to_owned(),
        through,
    }
}

/// The shortest chain of groups from one that lists the principal to `group`; the texts.
fn chain(snapshot: &Snapshot, who: &Who<'_>, group: u32) -> Vec<String> {
    let sources = snapshot.sources();
    let texts = |rows: Vec<u32>| {
        rows.iter()
            .map(|row| sources.holder(*row).to_owned())
            .collect()
    };
    match who.principal().and_then(|ix| links(snapshot, ix, group)) {
        Some(rows) => texts(rows),
        None => texts(vec![group]),
    }
}

/// The shortest chain of groups from one that lists the principal to `group`; rows.
pub(super) fn links(snapshot: &Snapshot, principal: PrincipalIx, group: u32) -> Option<Vec<u32>> {
    let sources = snapshot.sources();
    // Each group that was reached, and the one above it.
    let mut reached: Vec<(u32, Option<usize>)> = vec![(group, None)];
    let mut seen = std::collections::HashSet::from([group]);
    let mut next = 0;
    while let Some((row, _)) = reached.get(next).copied() {
        let list = sources.group(row)?;
        if list.principals.binary_search(&principal.0).is_ok() {
            let mut rows = Vec::new();
            let mut at = Some(next);
            while let Some((row, above)) = at.and_then(|at| reached.get(at)) {
                rows.push(*row);
                at = *above;
            }
            return Some(rows);
        }
        for below in &list.groups {
            let row = below.saturating_add(GROUPS);
            if seen.insert(row) {
                reached.push((row, Some(next)));
            }
        }
        next += 1;
    }
    None
}
