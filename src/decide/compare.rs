//! Two snapshots: who may do what in one and not in the other (SPEC 14, 16).
//!
//! A triple of principal, permission and resource is decided on both sides as `Authorize` does
//! it, but for pairs of principal and resource of which nothing that a decision reads differs
//! (`inputs`); `tests/compare.rs` compares with every decision. Beyond the bound of work a part
//! of the pairs is drawn, and the tally says so.

mod inputs;
pub mod keys;

use std::collections::{BTreeMap, BTreeSet};

use crate::decide::compare::inputs::Inputs;
use crate::decide::lookup::{Lookup, Page};
use crate::graph::snapshot::Snapshot;
use crate::limits::COMPARE_GROUPS_MAX;
use crate::model::lookup::{Lookup as Question, Verdict};
use crate::model::name;
use crate::model::query::{Query, Subject, UnixTime};

/// The word for nobody among the principals.
pub const ANONYMOUS: &str = "anonymous";

/// What becomes of a triple.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Change {
    /// Allowed before, not allowed now.
    Lost,
    /// Not allowed before, allowed now.
    Gained,
    /// Before, a context might have made it an allow; now none does.
    MayLose,
    /// Now a context may make it an allow; before, none did.
    MayGain,
}

impl Change {
    /// All, in the order in which they are shown.
    pub const ALL: [Self; 4] = [Self::Lost, Self::Gained, Self::MayLose, Self::MayGain];

    /// The word for programs.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Lost => "LOST",
            Self::Gained => "GAINED",
            Self::MayLose => "MAY_LOSE",
            Self::MayGain => "MAY_GAIN",
        }
    }
}

/// How many triples of each kind of change.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[expect(missing_docs, reason = "the fields are the variants of Change")]
pub struct Count {
    pub lost: u64,
    pub gained: u64,
    pub may_lose: u64,
    pub may_gain: u64,
}

impl Count {
    /// Of one kind.
    #[must_use]
    pub const fn of(&self, change: Change) -> u64 {
        match change {
            Change::Lost => self.lost,
            Change::Gained => self.gained,
            Change::MayLose => self.may_lose,
            Change::MayGain => self.may_gain,
        }
    }

    /// Of all kinds.
    #[must_use]
    pub fn all(&self) -> u64 {
        let each = Change::ALL.into_iter().map(|change| self.of(change));
        each.fold(0, u64::saturating_add)
    }

    fn add(&mut self, change: Change, count: u64) {
        let place = match change {
            Change::Lost => &mut self.lost,
            Change::Gained => &mut self.gained,
            Change::MayLose => &mut self.may_lose,
            Change::MayGain => &mut self.may_gain,
        };
        *place = place.saturating_add(count);
    }
}

/// Principals for whom the same permissions change in the same way on a resource: as many
/// triples as the product of the two.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Group {
    /// The resource.
    pub resource: String,
    /// What becomes of them.
    pub change: Change,
    /// The permissions, in order.
    pub permissions: Vec<String>,
    /// The principals, in order.
    pub principals: Vec<String>,
}

/// What was found.
#[derive(Debug, Clone, Default)]
pub struct Tally {
    /// Triples in all.
    pub triples: Count,
    /// By organization.
    pub organizations: BTreeMap<String, Count>,
    /// By the lowest team at or above the resource.
    pub teams: BTreeMap<String, Count>,
    /// Pairs of principal and resource that may differ.
    pub pairs: u64,
    /// Those of them that were decided: if fewer, all counts are lower bounds.
    pub examined: u64,
    /// Triples that are counted and in no group, for want of room.
    pub ungrouped: u64,
    /// Sets of federated principals whose grants differ: subjects that nobody names are not
    /// counted.
    pub uncounted: BTreeSet<String>,
    /// Principals that lose something, and that gain something.
    losers: BTreeSet<u32>,
    winners: BTreeSet<u32>,
    groups: BTreeMap<(u32, Change, Vec<String>), Vec<u32>>,
}

impl Tally {
    /// Whether every pair that may differ was decided.
    #[must_use]
    pub const fn is_exact(&self) -> bool {
        self.pairs == self.examined
    }
}

/// A comparison under way.
#[derive(Debug)]
pub struct Comparison<'s> {
    before: &'s Snapshot,
    after: &'s Snapshot,
    now: UnixTime,
    inputs: Inputs<'s>,
    /// One after the last pair of each resource, counted over all.
    ends: Vec<u64>,
    /// Pairs that may be decided.
    most: u64,
    next: u64,
    /// From a drawn pair to the next.
    step: u64,
    /// What was found so far.
    pub tally: Tally,
}

impl<'s> Comparison<'s> {
    /// Finds what may differ; at most `decisions` decisions will be made.
    #[must_use]
    pub fn new(before: &'s Snapshot, after: &'s Snapshot, now: UnixTime, decisions: u64) -> Self {
        let inputs = Inputs::new(before, after);
        let mut pairs = 0_u64;
        let ends = (0..inputs.nodes.len()).map(|node| {
            pairs = pairs.saturating_add(inputs.count(node));
            pairs
        });
        let ends: Vec<u64> = ends.collect();
        let permissions = before.permissions().len().max(after.permissions().len());
        let each = u64::try_from(permissions).unwrap_or(u64::MAX).max(1);
        // Both sides.
        let most = decisions.checked_div(each.saturating_mul(2)).unwrap_or(0);
        let tally = Tally {
            pairs,
            uncounted: inputs.uncounted.clone(),
            ..Tally::default()
        };
        Self {
            before,
            after,
            now,
            inputs,
            ends,
            most: most.max(1).min(pairs),
            next: 0,
            step: step(pairs),
            tally,
        }
    }

    /// How many pairs will be decided.
    #[must_use]
    pub const fn work(&self) -> u64 {
        self.most
    }

    /// Decides up to `pairs` more; `false`: there are no more.
    pub fn run(&mut self, pairs: u64) -> bool {
        let until = self.next.saturating_add(pairs).min(self.most);
        while self.next < until {
            let drawn = self.drawn(self.next);
            self.next = self.next.saturating_add(1);
            self.tally.examined = self.next;
            let node = self.ends.partition_point(|end| *end <= drawn);
            let start = node.checked_sub(1).and_then(|above| self.ends.get(above));
            let at = drawn.saturating_sub(start.copied().unwrap_or(0));
            if let Some(principal) = self.inputs.principal(node, at) {
                self.pair(node, principal);
            }
        }
        self.next < self.most
    }

    /// The pair to decide at a turn: all in order, or, if they are too many, spread evenly (in
    /// steps of the golden section) and none twice.
    fn drawn(&self, turn: u64) -> u64 {
        if self.most == self.tally.pairs {
            return turn;
        }
        let spread = u128::from(turn).saturating_mul(u128::from(self.step));
        let spread = spread.checked_rem(u128::from(self.tally.pairs));
        spread.map_or(0, |at| u64::try_from(at).unwrap_or(0))
    }

    fn pair(&mut self, node: usize, principal: u32) {
        let Some(resource) = self.inputs.nodes.get(node).map(|node| node.name) else {
            return;
        };
        let Some(text) = self
            .inputs
            .principals
            .get(usize::try_from(principal).unwrap_or(usize::MAX))
        else {
            return;
        };
        let before = allowed(self.before, text, resource, self.now);
        let after = allowed(self.after, text, resource, self.now);
        if before == after {
            return;
        }
        let mut changed: BTreeMap<Change, Vec<String>> = BTreeMap::new();
        let names: BTreeSet<&String> = before.keys().chain(after.keys()).collect();
        for name in names {
            if let Some(change) = change(before.get(name).copied(), after.get(name).copied()) {
                changed.entry(change).or_default().push(name.clone());
            }
        }
        for (change, permissions) in changed {
            self.note(node, resource, principal, change, permissions);
        }
    }

    fn note(
        &mut self,
        node: usize,
        resource: &str,
        principal: u32,
        change: Change,
        permissions: Vec<String>,
    ) {
        let tally = &mut self.tally;
        let count = u64::try_from(permissions.len()).unwrap_or(u64::MAX);
        tally.triples.add(change, count);
        let organization = name::organization(resource).unwrap_or(resource);
        let place = tally.organizations.entry(organization.to_owned());
        place.or_default().add(change, count);
        if let Some(team) = team(resource) {
            let place = tally.teams.entry(team.to_owned());
            place.or_default().add(change, count);
        }
        match change {
            Change::Lost => drop(tally.losers.insert(principal)),
            Change::Gained => drop(tally.winners.insert(principal)),
            Change::MayLose | Change::MayGain => {}
        }
        let full = tally.groups.len() >= COMPARE_GROUPS_MAX;
        let key = (u32::try_from(node).unwrap_or(u32::MAX), change, permissions);
        if full && !tally.groups.contains_key(&key) {
            tally.ungrouped = tally.ungrouped.saturating_add(count);
        } else {
            tally.groups.entry(key).or_default().push(principal);
        }
    }

    /// The groups, by resource.
    #[must_use]
    pub fn groups(&self) -> Vec<Group> {
        let groups = self.tally.groups.iter();
        let groups = groups.map(|((node, change, permissions), principals)| {
            let node = usize::try_from(*node).ok();
            let node = node.and_then(|node| self.inputs.nodes.get(node));
            let mut principals: Vec<String> = principals
                .iter()
                .filter_map(|ix| self.inputs.principals.get(usize::try_from(*ix).ok()?))
                .cloned()
                .collect();
            principals.sort();
            Group {
                resource: node.map_or("", |node| node.name).to_owned(),
                change: *change,
                permissions: permissions.clone(),
                principals,
            }
        });
        groups.collect()
    }

    /// Principals that lose something and that gain something.
    #[must_use]
    pub fn touched(&self) -> (BTreeSet<&str>, BTreeSet<&str>) {
        let texts = |list: &BTreeSet<u32>| {
            let texts = list.iter().filter_map(|ix| {
                let text = self.inputs.principals.get(usize::try_from(*ix).ok()?);
                text.map(String::as_str)
            });
            texts.collect()
        };
        (texts(&self.tally.losers), texts(&self.tally.winners))
    }
}

/// A number near the golden section of `all` that has no divisor in common with it.
fn step(all: u64) -> u64 {
    let section = u128::from(all)
        .saturating_mul(618)
        .checked_div(1_000)
        .unwrap_or(0);
    let mut step = u64::try_from(section).unwrap_or(u64::MAX).max(1);
    while divisor(step, all) > 1 {
        step = step.saturating_add(1);
    }
    step
}

/// The greatest common divisor.
fn divisor(one: u64, other: u64) -> u64 {
    let (mut one, mut other) = (one, other);
    while let Some(rest) = one.checked_rem(other) {
        (one, other) = (other, rest);
    }
    one
}

/// The permissions that a principal has on a resource; `false`: if a context says what it must.
fn allowed(
    snapshot: &Snapshot,
    principal: &str,
    resource: &str,
    now: UnixTime,
) -> BTreeMap<String, bool> {
    let query = Query {
        subject: subject(principal),
        resource,
        ..Query::EMPTY
    };
    // What cannot be asked is allowed nobody.
    let Ok(mut lookup) = Lookup::new(snapshot, &Question::Permissions { query }, now) else {
        return BTreeMap::new();
    };
    let mut page = Page {
        at: 0,
        items: Vec::new(),
        room: usize::MAX,
        steps: 0,
    };
    let _ended = lookup.run(&mut page, u64::MAX);
    let items = page.items.into_iter();
    items
        .map(|item| (item.name, matches!(item.verdict, Verdict::Allowed(_))))
        .collect()
}

fn subject(principal: &str) -> Subject<'_> {
    match principal {
        ANONYMOUS => Subject::Anonymous,
        principal => Subject::Principal(principal),
    }
}

const fn change(before: Option<bool>, after: Option<bool>) -> Option<Change> {
    match (before, after) {
        (Some(true), Some(true)) | (Some(false), Some(false)) | (None, None) => None,
        (_, Some(true)) => Some(Change::Gained),
        (Some(true), _) => Some(Change::Lost),
        (None, Some(false)) => Some(Change::MayGain),
        (Some(false), None) => Some(Change::MayLose),
    }
}

/// The lowest team at or above a resource.
fn team(resource: &str) -> Option<&str> {
    let at = resource.rfind("/teams/")?;
    let id = at.checked_add("/teams/".len())?;
    let rest = resource.get(id..)?;
    let end = rest
        .find('/')
        .map_or(Some(resource.len()), |end| id.checked_add(end));
    resource.get(..end?)
}
