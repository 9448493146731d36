//! Step 7: the grants. Only here a decision becomes an allow (SPEC 3.3-3.6, 4, 5.1, 6.3).

use crate::condition::Outcome;
use crate::decide::subject::Who;
use crate::decide::{Asked, Permission, Target, rules};
use crate::graph::rows::{Grant, Identity, NONE, PrincipalRow, class};
use crate::graph::rules::ConditionalGrant;
use crate::graph::snapshot::Snapshot;
use crate::limits::GRANTS_WALKED_MAX;
use crate::model::node::Visibility;
use crate::model::outcome::{Actor, Reason};
use crate::model::permission::{OpenSubmit, Product};
use crate::model::principal::SeatLevel;

/// The reason of the strongest grant, or of the deny.
pub(super) fn reason(
    snapshot: &Snapshot,
    asked: &Asked<'_, '_>,
    permission: Permission<'_>,
    target: &Target<'_>,
) -> Reason {
    let found = gather(snapshot, asked, permission, target);
    let by_policy = found.to_all || found.policy;
    if found.to_all || (found.policy && seat_allows(snapshot, asked.who, permission, target)) {
        return Reason::GrantedByPolicy;
    }
    if found.scope {
        return Reason::GrantedByScope;
    }
    if by_visibility(asked, permission, target) {
        return Reason::GrantedByVisibility;
    }
    if by_policy {
        return Reason::Seat;
    }
    if found.blocked {
        return Reason::RestrictedProject;
    }
    match asked.who.actor {
        Actor::Known(_) | Actor::Federated(_) => Reason::NoGrant,
        Actor::Asserted(_) => Reason::PrincipalUnknown,
        Actor::Anonymous | Actor::Unproven => Reason::Unauthenticated,
    }
}

/// What the bindings say, before seats.
#[derive(Default)]
struct Found {
    /// To everyone.
    to_all: bool,
    /// To this principal.
    policy: bool,
    /// By the account's scope.
    scope: bool,
    /// By something above a `RESTRICTED` project that does not reach into it.
    blocked: bool,
}

/// What a principal's membership roles on teams, or on the project, add up to.
struct Membership {
    held: bool,
    all_viewer: bool,
    carried: bool,
    crosses: bool,
}

impl Membership {
    const NONE: Self = Self {
        held: false,
        all_viewer: true,
        carried: false,
        crosses: false,
    };

    fn add(&mut self, bits: u8, carried: bool) {
        if class::has_membership(bits) {
            self.held = true;
            self.all_viewer &= class::all_viewer(bits);
            self.carried |= carried;
            self.crosses |= carried && bits & class::MEMBER_CROSSES != 0;
        }
    }
}

struct Gather<'g, 's> {
    snapshot: &'s Snapshot,
    target: &'g Target<'s>,
    permission: Permission<'s>,
    /// Levels above this one do not reach the target (SPEC 4.2).
    barrier: u8,
    /// Project-level membership roles count here (SPEC 3.5).
    project_roles: bool,
    is_user: bool,
    is_account: bool,
    is_creator: bool,
    found: Found,
    team: Membership,
    project: Membership,
}

fn gather<'s>(
    snapshot: &'s Snapshot,
    asked: &Asked<'_, '_>,
    permission: Permission<'s>,
    target: &Target<'s>,
) -> Found {
    let visibility = target.project.map(|project| project.visibility);
    let restricted = visibility == Some(Visibility::Restricted);
    let mut gather = Gather {
        snapshot,
        target,
        permission,
        barrier: if restricted {
            target.row.project_level
        } else {
            0
        },
        project_roles: matches!(visibility, Some(Visibility::Team | Visibility::Restricted)),
        is_user: asked.who.row.is_some_and(PrincipalRow::is_user),
        is_account: asked.who.row.is_some_and(|row| !row.is_user()),
        is_creator: asked.who.is_creator,
        found: Found::default(),
        team: Membership::NONE,
        project: Membership::NONE,
    };
    gather.holder(snapshot.all_users().as_slice(), false);
    gather.found.to_all = std::mem::take(&mut gather.found.policy);
    if let Some(row) = asked.who.row {
        gather.holder(row.grants.as_slice(), true);
        gather.holder(snapshot.all_authenticated().as_slice(), false);
        for holder in row.holders.as_slice() {
            gather.holder(snapshot.holder(*holder).as_slice(), true);
        }
        gather.membership();
        gather.implicit(row);
    } else if matches!(asked.who.actor, Actor::Federated(_)) {
        // SPEC 3.3: a federated principal has IAM roles only.
        for holder in asked.who.standing(snapshot).rows() {
            gather.holder(snapshot.holder(holder).as_slice(), false);
        }
    }
    if snapshot.conditions() && !gather.found.policy && !gather.found.to_all {
        gather.conditional(asked);
    }
    gather.found
}

impl Gather<'_, '_> {
    /// Every grant of one holder on the target or an ancestor.
    #[inline]
    fn holder(&mut self, grants: &[Grant], members: bool) {
        if grants.len() <= GRANTS_WALKED_MAX {
            for grant in grants {
                if self.is_on_path(*grant) {
                    self.grant(*grant, members);
                }
            }
            return;
        }
        for level in 0..=self.target.row.level {
            let Some(node) = self
                .snapshot
                .ancestor(self.target.node, self.target.row, level)
            else {
                continue;
            };
            let at = grants.binary_search_by_key(&(level, node), |g| (g.level(), g.node));
            if let Some(grant) = at.map_or(None, |at| grants.get(at)) {
                self.grant(*grant, members);
            }
        }
    }

    /// Grants under a condition, which no membership role has (SPEC 3.3): they only add.
    #[cold]
    fn conditional(&mut self, asked: &Asked<'_, '_>) {
        let rules = self.snapshot.rules();
        let own = match asked.who.actor {
            Actor::Known(ix) => rules.principals.get(&ix.0),
            Actor::Federated(_) => None,
            Actor::Anonymous | Actor::Asserted(_) | Actor::Unproven => return,
        };
        let standing = asked.who.standing(self.snapshot);
        let lists = standing.rows().flat_map(|row| rules.holders.get(&row));
        for list in own.into_iter().chain(lists) {
            for level in 0..=self.target.row.level {
                let target = self.target;
                let Some(node) = self.snapshot.ancestor(target.node, target.row, level) else {
                    continue;
                };
                let place = |c: &ConditionalGrant| (c.grant.level(), c.grant.node);
                let start = list.partition_point(|c| place(c) < (level, node));
                let here = list.get(start..).unwrap_or_default();
                for conditional in here.iter().take_while(|c| place(c) == (level, node)) {
                    if self.found.policy {
                        return;
                    }
                    if self.carries(conditional.grant)
                        && rules::holds(self.snapshot, asked, target, &conditional.condition)
                            == Outcome::True
                    {
                        self.grant(conditional.grant, false);
                    }
                }
            }
        }
    }

    /// Whether an IAM role of the grant has the permission.
    fn carries(&self, grant: Grant) -> bool {
        let bits = self.snapshot.sets().class(grant.set(), self.permission.0.0);
        bits & class::IAM != 0 || (self.is_creator && bits & class::IAM_OWN != 0)
    }

    #[inline]
    fn is_on_path(&self, grant: Grant) -> bool {
        let level = grant.level();
        match self.target.row.path.get(usize::from(level)) {
            Some(node) => *node == grant.node,
            None => {
                let row = self.target.row;
                self.snapshot.ancestor(self.target.node, row, level) == Some(grant.node)
            }
        }
    }

    #[inline]
    fn grant(&mut self, grant: Grant, members: bool) {
        let level = grant.level();
        let bits = self.snapshot.sets().class(grant.set(), self.permission.0.0);
        let is_creator = self.is_creator;
        let own = |whole: u8, own: u8| bits & whole != 0 || (is_creator && bits & own != 0);
        if own(class::IAM, class::IAM_OWN) {
            // SPEC 4.2: a service account needs a binding on the project itself.
            self.count(level, bits & class::IAM_CROSSES != 0 && !self.is_account);
        }
        if !members {
            return;
        }
        let carried = own(class::MEMBER, class::MEMBER_OWN);
        let row = self.target.row;
        let on_project = level == row.project_level;
        if !self.is_user {
            self.service_role(level, bits, on_project);
        } else if level == 0 {
            if carried {
                self.count(level, bits & class::MEMBER_CROSSES != 0);
            }
        } else if level <= row.team_level {
            self.team.add(bits, carried);
        } else if on_project && self.project_roles {
            self.project.add(bits, carried);
        }
    }

    /// A grant at a level: it reaches the target, crosses the barrier, or is blocked by it.
    #[inline]
    fn count(&mut self, level: u8, crosses: bool) {
        if level >= self.barrier || crosses {
            self.found.policy = true;
        } else {
            self.found.blocked = true;
        }
    }

    /// SPEC 3.3: of membership roles a service account gets `roles/team.service` only.
    fn service_role(&mut self, level: u8, bits: u8, on_project: bool) {
        if !class::has_service(bits) || (on_project && !self.project_roles) {
            return;
        }
        if self.service_carries() {
            self.count(level, false);
        }
    }

    fn service_carries(&self) -> bool {
        let (_, row) = self.permission;
        row.service || (self.is_creator && row.service_own)
    }

    /// SPEC 3.5: what the user's team-level and project-level roles come to.
    fn membership(&mut self) {
        let (_, row) = self.permission;
        let project_counts = self.project.held && self.team.held;
        if project_counts {
            // A team viewer stays one, whatever the project-level role says.
            let carried = if self.team.all_viewer {
                row.viewer
            } else {
                self.project.carried
            };
            self.found.policy |= carried;
        }
        if self.team.carried && (!project_counts || row.flags.administrative) {
            let level = self.target.row.team_level;
            self.count(level, self.team.crosses);
        }
    }

    /// SPEC 5.1: the implicit grant of organization- and team-scoped accounts.
    fn implicit(&mut self, row: &PrincipalRow) {
        let Some(account) = row.account else { return };
        if account.implicit == NONE || self.target.project.is_none() || !self.service_carries() {
            return;
        }
        let level = account.implicit_level;
        let above = self
            .snapshot
            .ancestor(self.target.node, self.target.row, level);
        if above != Some(account.implicit) {
            return;
        }
        if self.barrier > 0 {
            self.found.blocked = true;
        } else {
            self.found.scope = true;
        }
    }
}

/// SPEC 3.6: the seat of the resource's organization.
pub(super) fn seat_allows(
    snapshot: &Snapshot,
    who: &Who<'_>,
    (_, permission): Permission<'_>,
    target: &Target<'_>,
) -> bool {
    let ix = match who.actor {
        Actor::Known(ix) => ix,
        // Seats are a user's.
        Actor::Federated(_) => return true,
        Actor::Anonymous | Actor::Asserted(_) | Actor::Unproven => return false,
    };
    if !who.row.is_some_and(|row| row.limited_seats) {
        return true;
    }
    let Some(user) = snapshot.identity(ix).and_then(Identity::user) else {
        return true;
    };
    let organization = snapshot.ancestor(target.node, target.row, 0);
    let Some((_, models, weave)) = user.seats.iter().find(|(o, _, _)| Some(*o) == organization)
    else {
        return true;
    };
    let seat = match permission.flags.product {
        Product::None => return true,
        Product::Models => models,
        Product::Weave => weave,
    };
    match seat {
        SeatLevel::Full => true,
        SeatLevel::Viewer => permission.flags.read,
        SeatLevel::None => false,
    }
}

/// SPEC 4.3: what the project's visibility grants.
pub(super) fn by_visibility(
    asked: &Asked<'_, '_>,
    (_, permission): Permission<'_>,
    target: &Target<'_>,
) -> bool {
    let visibility = target.project.map(|project| project.visibility);
    let known = asked.who.row.is_some();
    match visibility {
        None | Some(Visibility::Team | Visibility::Restricted) => false,
        Some(Visibility::Public) => permission.flags.public_read,
        Some(Visibility::Open) => {
            permission.flags.public_read
                || match permission.flags.open_submit {
                    OpenSubmit::None => false,
                    OpenSubmit::Any => known,
                    OpenSubmit::Own => known && asked.who.is_creator,
                }
        }
    }
}
