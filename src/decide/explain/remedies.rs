//! What would turn a decision around. A change is offered only when the engine itself, asked
//! the same question on an edited snapshot, decides the other way (`docs/adr/0004`).

mod candidates;

use crate::decide::explain::{Case, Change, checks, edits};
use crate::decide::{answer, find};
use crate::graph::edit::{Edit, Scope};
use crate::graph::snapshot::Snapshot;
use crate::limits::{REMEDIES_MAX, REMEDIES_TRIED_MAX, REMEDY_CHANGES_MAX, REMEDY_STEPS_MAX};
use crate::model::node::NodeKind;
use crate::model::outcome::{Actor, Effect};
use crate::model::query::{Query, UnixTime};

/// The smallest sets of changes that turn the decision around, smallest first.
///
/// A search step by step: what would lift the reason that stands, then the reason that stands
/// after that. Where one step suffices no second one is tried.
pub(super) fn remedies(snapshot: &Snapshot, query: &Query<'_>, now: UnixTime) -> Vec<Vec<Change>> {
    let Some(mut search) = Search::new(snapshot, query, now) else {
        return Vec::new();
    };
    let mut frontier: Vec<Vec<Edit>> = vec![Vec::new()];
    let mut found: Vec<Vec<Edit>> = Vec::new();
    for _ in 0..REMEDY_STEPS_MAX {
        let mut next = Vec::new();
        for edits in frontier {
            for candidate in search.candidates(&edits) {
                let mut all = edits.clone();
                all.extend(candidate.into_iter().filter(|edit| !edits.contains(edit)));
                if all.len() == edits.len() || all.len() > REMEDY_CHANGES_MAX {
                    continue;
                }
                match search.turns(&all) {
                    Some(true) => found.push(search.without_the_needless(all)),
                    Some(false) => next.push(all),
                    None => {}
                }
            }
        }
        if !found.is_empty() {
            break;
        }
        frontier = next;
    }
    found.sort_by_key(Vec::len);
    let mut remedies: Vec<Vec<Change>> = Vec::new();
    for edits in found {
        let changes: Option<Vec<Change>> = edits
            .iter()
            .map(|edit| edits::change(snapshot, edit))
            .collect();
        if let Some(changes) = changes
            && !remedies.contains(&changes)
            && remedies.len() < REMEDIES_MAX
        {
            remedies.push(changes);
        }
    }
    remedies
}

struct Search<'s, 'q> {
    snapshot: &'s Snapshot,
    query: &'q Query<'q>,
    now: UnixTime,
    scope: Scope,
    was: Effect,
    tried: usize,
}

impl<'s, 'q> Search<'s, 'q> {
    fn new(snapshot: &'s Snapshot, query: &'q Query<'q>, now: UnixTime) -> Option<Self> {
        let was = answer(snapshot, query, now).ok()?.effect;
        let case = Case::of(snapshot, query, now).ok()?;
        Some(Self {
            scope: scope(snapshot, query, now, &case),
            snapshot,
            query,
            now,
            was,
            tried: 0,
        })
    }

    /// What may lift the reason that stands after some edits.
    fn candidates(&self, edits: &[Edit]) -> Vec<Vec<Edit>> {
        if edits.is_empty() {
            return candidates::of(self.snapshot, self.query, self.now);
        }
        let world = self.snapshot.edited(edits, &self.scope);
        world.map_or_else(Vec::new, |world| {
            candidates::of(&world, self.query, self.now)
        })
    }

    /// Whether the decision is the other one after the edits; `None`: that cannot be said.
    fn turns(&mut self, edits: &[Edit]) -> Option<bool> {
        if self.tried >= REMEDIES_TRIED_MAX {
            return None;
        }
        self.tried = self.tried.saturating_add(1);
        let world = self.snapshot.edited(edits, &self.scope)?;
        let decision = answer(&world, self.query, self.now).ok()?;
        Some(decision.effect != self.was)
    }

    fn without_the_needless(&mut self, mut edits: Vec<Edit>) -> Vec<Edit> {
        let mut at = 0;
        while at < edits.len() && edits.len() > 1 {
            let mut fewer = edits.clone();
            fewer.remove(at);
            if self.turns(&fewer) == Some(true) {
                edits = fewer;
            } else {
                at += 1;
            }
        }
        edits
    }
}

/// Everything that the engine reads for the question.
fn scope(snapshot: &Snapshot, query: &Query<'_>, now: UnixTime, case: &Case<'_>) -> Scope {
    let mut scope = Scope {
        known: matches!(case.who.actor, Actor::Known(_) | Actor::Anonymous),
        ..Scope::default()
    };
    scope.principals.extend(case.who.principal().map(|ix| ix.0));
    let delegates = query.delegates.iter();
    let delegates = delegates.flat_map(|delegate| find(snapshot, delegate, false));
    let destination = checks::destination(snapshot, &case.asked(query, now));
    for target in delegates.chain(case.target).chain(destination) {
        if target.row.kind == NodeKind::ServiceAccount {
            scope.principals.push(target.row.detail);
        }
        let levels = 0..=target.row.level;
        let path = levels.flat_map(|level| snapshot.ancestor(target.node, target.row, level));
        scope.nodes.extend(path);
    }
    scope.nodes.sort_unstable();
    scope.nodes.dedup();
    scope.principals.sort_unstable();
    scope.principals.dedup();
    scope
}
