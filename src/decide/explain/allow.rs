//! Allow policies binding by binding, the account's scope, the project's visibility, the seat
//! (SPEC 3.3-3.6, 4, 5.1). What each binding does is judged on its own here, and
//! `tests/explain.rs` holds that to what the engine says of all together.

use crate::condition::Outcome;
use crate::decide::explain::members::{self, Use, membership};
use crate::decide::explain::{
    Binding, BindingEffect, Evaluated, Included, Line, Membership, Policy, Scope, Seat, Shown,
    bounded, evaluated,
};
use crate::decide::{Asked, Permission, Target, grants};
use crate::graph::edit::Entry;
use crate::graph::roles::{Level, Role};
use crate::graph::rows::{Identity, NONE, class};
use crate::graph::snapshot::Snapshot;
use crate::graph::sources::BindingRow;
use crate::limits::EXPLAINED_LINES_MAX;
use crate::model::node::Visibility;
use crate::model::outcome::Actor;
use crate::model::permission::Product;
use crate::model::principal::SeatLevel;

/// One binding on the way, and what of it was found.
pub(super) struct Found<'s> {
    pub(super) node: u32,
    pub(super) index: usize,
    pub(super) row: &'s BindingRow,
    pub(super) effect: BindingEffect,
    level: u8,
    bits: u8,
    role: &'s Role,
    membership: Membership,
    condition: Option<Evaluated>,
    /// A member is everybody: no seat counts.
    to_all: bool,
}

/// What the membership roles of a user come to.
#[derive(Default)]
struct Standing {
    team_held: bool,
    team_other_than_viewer: bool,
    project_held: bool,
}

const CROSSES: u8 = class::IAM_CROSSES | class::MEMBER_CROSSES;

/// All bindings on the resource and above, judged.
pub(super) struct Allow<'q, 'a, 's> {
    asked: &'q Asked<'q, 'a>,
    permission: Permission<'s>,
    target: &'q Target<'s>,
    rows: Vec<u32>,
    seat: bool,
    /// From the resource upwards.
    pub(super) found: Vec<Found<'s>>,
}

impl<'q, 'a, 's> Allow<'q, 'a, 's> {
    /// Reads and judges every binding.
    pub(super) fn of(
        snapshot: &'s Snapshot,
        asked: &'q Asked<'q, 'a>,
        permission: Permission<'s>,
        target: &'q Target<'s>,
    ) -> Self {
        let mut allow = Self {
            asked,
            permission,
            target,
            rows: members::rows(snapshot, asked.who, Use::Allow),
            seat: grants::seat_allows(snapshot, asked.who, permission, target),
            found: Vec::new(),
        };
        for level in (0..=target.row.level).rev() {
            let Some(node) = snapshot.ancestor(target.node, target.row, level) else {
                continue;
            };
            for (index, row) in snapshot.sources().bindings(node).iter().enumerate() {
                let found = allow.find(snapshot, (node, level), index, row);
                allow.found.extend(found);
            }
        }
        let standing = allow.standing();
        let effects: Vec<BindingEffect> = allow
            .found
            .iter()
            .map(|found| allow.effect(found, &standing))
            .collect();
        for (found, effect) in allow.found.iter_mut().zip(effects) {
            found.effect = effect;
        }
        allow
    }

    fn find(
        &self,
        snapshot: &'s Snapshot,
        (node, level): (u32, u8),
        index: usize,
        row: &'s BindingRow,
    ) -> Option<Found<'s>> {
        let (ix, _) = self.permission;
        let condition = row.condition.as_ref();
        Some(Found {
            node,
            index,
            row,
            effect: BindingEffect::NotAMember,
            level,
            bits: snapshot.sets().class(row.set, ix.0),
            role: snapshot.sources().roles.get(row.role)?,
            membership: membership(snapshot, self.asked.who, &self.rows, &row.members),
            condition: evaluated(snapshot, self.asked, self.target, condition),
            to_all: row.names(Entry::Holder(crate::graph::rules::ALL_USERS)),
        })
    }

    fn is_user(&self) -> bool {
        self.asked
            .who
            .row
            .is_some_and(crate::graph::rows::PrincipalRow::is_user)
    }

    fn restricted(&self) -> bool {
        let project = self.target.project;
        project.is_some_and(|project| project.visibility == Visibility::Restricted)
    }

    /// Whether project-level membership roles count here (SPEC 3.5).
    fn project_roles(&self) -> bool {
        let visibility = self.target.project.map(|project| project.visibility);
        matches!(visibility, Some(Visibility::Team | Visibility::Restricted))
    }

    fn is_team_level(&self, level: u8) -> bool {
        level > 0 && level <= self.target.row.team_level
    }

    fn standing(&self) -> Standing {
        let mut standing = Standing::default();
        if !self.is_user() {
            return standing;
        }
        for found in &self.found {
            if !class::has_membership(found.bits) || !found.membership.matched() {
                continue;
            }
            if self.is_team_level(found.level) {
                standing.team_held = true;
                standing.team_other_than_viewer |= !class::all_viewer(found.bits);
            } else if found.level == self.target.row.project_level && self.project_roles() {
                standing.project_held = true;
            }
        }
        standing
    }

    fn carries(&self, bits: u8, whole: u8, own: u8) -> bool {
        bits & whole != 0 || (self.asked.who.is_creator && bits & own != 0)
    }

    /// Above the barrier of a restricted project, and not carried across (SPEC 4.2).
    fn stopped(&self, level: u8, crosses: bool) -> bool {
        self.restricted() && level < self.target.row.project_level && !crosses
    }

    fn effect(&self, found: &Found<'_>, standing: &Standing) -> BindingEffect {
        if !found.membership.matched() {
            return BindingEffect::NotAMember;
        }
        let effect = if found.role.level == Level::Iam {
            self.iam(found)
        } else {
            self.membership(found, standing)
        };
        let met = |c: &Evaluated| c.value == Outcome::True;
        match effect {
            BindingEffect::Grants | BindingEffect::StoppedByRestrictedProject
                if !found.condition.as_ref().is_none_or(met) =>
            {
                BindingEffect::ConditionNotMet
            }
            BindingEffect::Grants if !found.to_all && !self.seat => BindingEffect::StoppedBySeat,
            effect => effect,
        }
    }

    fn iam(&self, found: &Found<'_>) -> BindingEffect {
        let is_account = self.asked.who.row.is_some() && !self.is_user();
        let crosses = found.bits & class::IAM_CROSSES != 0 && !is_account;
        if !self.carries(found.bits, class::IAM, class::IAM_OWN) {
            BindingEffect::RoleLacksPermission
        } else if self.stopped(found.level, crosses) {
            BindingEffect::StoppedByRestrictedProject
        } else {
            BindingEffect::Grants
        }
    }

    /// SPEC 3.3, 3.5.
    fn membership(&self, found: &Found<'_>, standing: &Standing) -> BindingEffect {
        let (_, row) = self.permission;
        let target = self.target.row;
        let on_project = found.level == target.project_level;
        let carried = self.carries(found.bits, class::MEMBER, class::MEMBER_OWN);
        let crosses = found.bits & class::MEMBER_CROSSES != 0;
        let reach = |carried: bool, crosses: bool| {
            if !carried {
                BindingEffect::RoleLacksPermission
            } else if self.stopped(found.level, crosses) {
                BindingEffect::StoppedByRestrictedProject
            } else {
                BindingEffect::Grants
            }
        };
        if self.asked.who.row.is_none() {
            return BindingEffect::NotForPrincipal;
        }
        if !self.is_user() {
            if !class::has_service(found.bits) {
                return BindingEffect::NotForPrincipal;
            }
            if on_project && !self.project_roles() {
                return BindingEffect::Inert;
            }
            return reach(self.service_carries(), false);
        }
        if self.is_team_level(found.level) {
            let replaced = standing.project_held && !row.flags.administrative;
            return match reach(carried, crosses) {
                BindingEffect::Grants | BindingEffect::StoppedByRestrictedProject if replaced => {
                    BindingEffect::Replaced
                }
                effect => effect,
            };
        }
        if found.level == 0 {
            return reach(carried, crosses);
        }
        if !on_project || !self.project_roles() || !standing.team_held {
            return BindingEffect::Inert;
        }
        // A team viewer stays one, whatever the project-level role says.
        let carried = if standing.team_other_than_viewer {
            carried
        } else {
            row.viewer
        };
        reach(carried, false)
    }

    fn service_carries(&self) -> bool {
        let (_, row) = self.permission;
        row.service || (self.asked.who.is_creator && row.service_own)
    }

    fn included(&self, found: &Found<'_>) -> Included {
        let (whole, own) = match found.role.level {
            Level::Iam => (class::IAM, class::IAM_OWN),
            Level::Organization | Level::Team => (class::MEMBER, class::MEMBER_OWN),
        };
        if found.bits & whole != 0 {
            Included::Yes
        } else if found.bits & own != 0 {
            Included::ForOwn
        } else {
            Included::No
        }
    }

    /// Entries of a binding that cover the principal.
    pub(super) fn entries(&self, found: &Found<'_>) -> Vec<Entry> {
        let own = match self.asked.who.actor {
            Actor::Known(ix) => Some(Entry::Principal(ix.0)),
            Actor::Anonymous | Actor::Asserted(_) | Actor::Federated(_) | Actor::Unproven => None,
        };
        let rows = self.rows.iter().map(|row| Entry::Holder(*row));
        own.into_iter()
            .chain(rows)
            .filter(|entry| found.row.names(*entry))
            .collect()
    }

    /// Groups that a binding names and the principal is not in, where its role would do.
    pub(super) fn groups(&self, snapshot: &Snapshot) -> Vec<u32> {
        let mut groups = Vec::new();
        for found in &self.found {
            let does = self.included(found) == Included::Yes && !found.membership.matched();
            if !does || self.stopped(found.level, found.bits & CROSSES != 0) {
                continue;
            }
            let holders = found.row.members.holders.iter();
            groups.extend(holders.filter(|row| snapshot.sources().group(**row).is_some()));
        }
        let mut seen = std::collections::HashSet::new();
        groups.retain(|group| seen.insert(*group));
        groups
    }

    /// The policies, for people.
    pub(super) fn policies(self, snapshot: &Snapshot) -> Vec<Policy<Binding>> {
        let mut policies: Vec<(u32, Vec<Binding>)> = Vec::new();
        let lines: Vec<(u32, Binding)> = self
            .found
            .iter()
            .map(|found| (found.node, self.line(found)))
            .collect();
        for (node, line) in lines {
            match policies.last_mut() {
                Some((last, lines)) if *last == node => lines.push(line),
                _ => policies.push((node, vec![line])),
            }
        }
        let name = |node: u32| snapshot.node(node).map_or("", |row| row.name.as_str());
        let policies = policies.into_iter();
        policies
            .map(|(node, lines)| bounded(name(node).to_owned(), lines, EXPLAINED_LINES_MAX))
            .collect()
    }

    fn line(&self, found: &Found<'_>) -> Binding {
        let (whole, crosses) = match found.role.level {
            Level::Iam => (class::IAM, class::IAM_CROSSES),
            Level::Organization | Level::Team => (class::MEMBER, class::MEMBER_CROSSES),
        };
        let crosses = found.bits & whole != 0 && found.bits & crosses != 0;
        Binding {
            index: found.index,
            role: found.role.name.to_string(),
            included: self.included(found),
            membership: found.membership.clone(),
            condition: found.condition.clone(),
            reaches: !self.stopped(found.level, crosses),
            effect: found.effect,
        }
    }

    /// SPEC 5.1.
    pub(super) fn scope(&self, snapshot: &Snapshot) -> Option<Scope> {
        let account = self.asked.who.row.and_then(|row| row.account)?;
        if account.implicit == NONE {
            return None;
        }
        let level = account.implicit_level;
        let above = snapshot.ancestor(self.target.node, self.target.row, level);
        let reaches = self.target.project.is_some() && above == Some(account.implicit);
        let (_, row) = self.permission;
        let included = match (row.service, row.service_own) {
            (true, _) => Included::Yes,
            (false, true) => Included::ForOwn,
            (false, false) => Included::No,
        };
        let effect = if !self.service_carries() {
            BindingEffect::RoleLacksPermission
        } else if !reaches {
            BindingEffect::NotAMember
        } else if self.restricted() {
            BindingEffect::StoppedByRestrictedProject
        } else {
            BindingEffect::Grants
        };
        let resource = snapshot.node(account.implicit)?.name.as_str().to_owned();
        Some(Scope {
            resource,
            reaches,
            included,
            effect,
        })
    }

    /// SPEC 4.3.
    pub(super) fn visibility(&self, _snapshot: &Snapshot) -> Option<Shown> {
        let project = self.target.project?;
        Some(Shown {
            project: project.name.as_str().to_owned(),
            visibility: project.visibility,
            grants: grants::by_visibility(self.asked, self.permission, self.target),
        })
    }

    /// SPEC 3.6.
    pub(super) fn seat(&self, snapshot: &Snapshot) -> Option<Seat> {
        let product = self.permission.1.flags.product;
        let Actor::Known(ix) = self.asked.who.actor else {
            return None;
        };
        let user = snapshot.identity(ix).and_then(Identity::user)?;
        let organization = snapshot.ancestor(self.target.node, self.target.row, 0)?;
        let seats = user.seats.iter().find(|(o, _, _)| *o == organization);
        let (models, weave) = seats.map_or((SeatLevel::Full, SeatLevel::Full), |s| (s.1, s.2));
        let level = match product {
            Product::None => return None,
            Product::Models => models,
            Product::Weave => weave,
        };
        Some(Seat {
            organization: snapshot.node(organization)?.name.as_str().to_owned(),
            product,
            level,
            suffices: self.seat,
        })
    }
}

impl Line for Binding {
    fn is_relevant(&self) -> bool {
        self.matters()
    }
}
