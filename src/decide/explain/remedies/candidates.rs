//! What may lift a reason: sets of edits, likely ones first. None is offered untried, so they
//! may be wrong; they may not be invalid, so what they make of a snapshot must validate.

use crate::decide::explain::allow::Allow;
use crate::decide::explain::members::{self, Use, links};
use crate::decide::explain::{BindingEffect, Case, checks, guards, hops};
use crate::decide::{Asked, Permission, Target, answer};
use crate::graph::constraints;
use crate::graph::edit::{Edit, Entry};
use crate::graph::permissions::Gate;
use crate::graph::roles::{Level, Role};
use crate::graph::rows::{NodeRow, PrincipalRow};
use crate::graph::snapshot::Snapshot;
use crate::limits::BINDINGS_MAX;
use crate::model::constraint::Constraint;
use crate::model::name;
use crate::model::node::{NodeKind, Visibility};
use crate::model::outcome::Reason;
use crate::model::permission::OpenSubmit;
use crate::model::principal::PrincipalIx;
use crate::model::query::{Query, UnixTime};
use crate::model::value::Value;

/// Most groups that a principal is offered to join.
const GROUPS: usize = 3;

/// Sets of edits that may turn the decision around, or lift its reason.
pub(super) fn of(snapshot: &Snapshot, query: &Query<'_>, now: UnixTime) -> Vec<Vec<Edit>> {
    let (Ok(decision), Ok(case)) = (answer(snapshot, query, now), Case::of(snapshot, query, now))
    else {
        return Vec::new();
    };
    let asked = case.asked(query, now);
    if matches!(
        decision.reason,
        Reason::PrincipalDisabled | Reason::CredentialOwnerDisabled
    ) {
        let principal = case.who.principal();
        return principal.map_or_else(Vec::new, |ix| vec![vec![enable(ix.0)]]);
    }
    let (Some(target), Some(permission)) = (&case.target, case.row(snapshot)) else {
        return Vec::new();
    };
    let broken = decision.reason == Reason::DelegationBroken;
    if broken || (!query.delegates.is_empty() && is_allow(decision.reason)) {
        let hops = hops::asks(snapshot, &asked, permission, target);
        // Any hop may be broken; the broken one is the last that was asked.
        let hop = if broken { hops.last() } else { hops.first() };
        return hop.map_or_else(Vec::new, |hop| {
            let spot = hop.asked(&asked);
            match (&hop.target, hop.reason) {
                (Some(target), Reason::DelegationBroken) => {
                    vec![vec![enable(target.row.detail)]]
                }
                (Some(target), reason) => {
                    Spot::new(snapshot, &spot, hop.permission, target).lift(reason)
                }
                (None, _) => Vec::new(),
            }
        });
    }
    let mut all = Spot::new(snapshot, &asked, permission, target).lift(decision.reason);
    if permission.1.gate == Gate::Move
        && let Some(to) = checks::destination(snapshot, &asked)
    {
        let there = Asked {
            name: to.row.name.as_str(),
            ..asked
        };
        all.extend(Spot::new(snapshot, &there, permission, &to).lift(decision.reason));
    }
    all
}

const fn is_allow(reason: Reason) -> bool {
    matches!(
        reason,
        Reason::GrantedByPolicy | Reason::GrantedByScope | Reason::GrantedByVisibility
    )
}

const fn enable(principal: u32) -> Edit {
    Edit::Enable { principal }
}

/// One question on one resource.
struct Spot<'q> {
    snapshot: &'q Snapshot,
    asked: &'q Asked<'q, 'q>,
    permission: Permission<'q>,
    target: &'q Target<'q>,
}

impl<'q> Spot<'q> {
    const fn new(
        snapshot: &'q Snapshot,
        asked: &'q Asked<'q, 'q>,
        permission: Permission<'q>,
        target: &'q Target<'q>,
    ) -> Self {
        Self {
            snapshot,
            asked,
            permission,
            target,
        }
    }

    /// What may lift a reason; of an allow, what may take it away.
    fn lift(&self, reason: Reason) -> Vec<Vec<Edit>> {
        match reason {
            Reason::GrantedByPolicy => self.revoke(),
            Reason::GrantedByScope => self.show(Visibility::Restricted),
            Reason::GrantedByVisibility => self.show(Visibility::Team),
            Reason::ServiceDisabled => self.use_service(),
            Reason::OutsideBoundary => self.enclose(),
            Reason::DeniedByPolicy => self.except(),
            Reason::Constraint => self.constraint(),
            Reason::QuotaExceeded => self.quota(),
            Reason::Seat => self.seat(),
            Reason::RestrictedProject | Reason::NoGrant => self.grant(self.target),
            Reason::PrincipalUnknown | Reason::Unauthenticated => self.publish(),
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
            | Reason::DelegationBroken
            | Reason::AmbiguousRequest => Vec::new(),
        }
    }

    fn principal(&self) -> Option<PrincipalIx> {
        self.asked.who.principal()
    }

    /// The node at a level of the way.
    fn at(&self, level: u8) -> Option<(u32, &'q NodeRow)> {
        let node = self
            .snapshot
            .ancestor(self.target.node, self.target.row, level)?;
        Some((node, self.snapshot.node(node)?))
    }

    fn project(&self) -> Option<(u32, &'q NodeRow)> {
        self.target.project?;
        self.at(self.target.row.project_level)
    }

    fn show(&self, visibility: Visibility) -> Vec<Vec<Edit>> {
        let project = self.project();
        project.map_or_else(Vec::new, |(node, _)| {
            vec![vec![Edit::Show { node, visibility }]]
        })
    }

    /// SPEC 4.3: for who is not known only visibility is left.
    fn publish(&self) -> Vec<Vec<Edit>> {
        let private = checks::settings(Gate::CreateProject).is_some_and(|setting| {
            !checks::turned_on(self.snapshot, self.target, setting).is_empty()
        });
        let flags = &self.permission.1.flags;
        if private || !(flags.public_read || flags.open_submit != OpenSubmit::None) {
            return Vec::new();
        }
        let mut all = self.show(Visibility::Public);
        all.extend(self.show(Visibility::Open));
        all
    }

    // === an allow ===

    fn revoke(&self) -> Vec<Vec<Edit>> {
        let allow = Allow::of(self.snapshot, self.asked, self.permission, self.target);
        let (mut unbind, mut leave) = (Vec::new(), Vec::new());
        let granting = allow.found.iter();
        for found in granting.filter(|found| found.effect == BindingEffect::Grants) {
            for entry in allow.entries(found) {
                let gone = Edit::Unbind {
                    node: found.node,
                    binding: found.index,
                    entry,
                };
                unbind.push(gone.clone());
                let left = self.leave(entry).unwrap_or(gone);
                if !leave.contains(&left) {
                    leave.push(left);
                }
            }
        }
        let mut all = vec![unbind];
        if !all.contains(&leave) {
            all.push(leave);
        }
        all.extend(self.show(Visibility::Restricted));
        all
    }

    /// Out of the group that lists the principal and so makes it a member of the entry.
    fn leave(&self, entry: Entry) -> Option<Edit> {
        let Entry::Holder(row) = entry else {
            return None;
        };
        self.snapshot.sources().group(row)?;
        let principal = self.principal()?;
        let group = *links(self.snapshot, principal, row)?.first()?;
        Some(Edit::Leave {
            group,
            principal: principal.0,
        })
    }

    // === steps 2 to 4 ===

    fn use_service(&self) -> Vec<Vec<Edit>> {
        let service = self.permission.1.name.split('.').next().unwrap_or_default();
        let home = self.asked.who.row.and_then(|row| row.account);
        let home = home.and_then(|account| Some(self.snapshot.node(account.node)?.parent));
        let limited = |node: &u32| {
            self.snapshot
                .node(*node)
                .is_some_and(|row| row.limits_services)
        };
        let projects = self.project().map(|(node, _)| node);
        let nodes = projects.into_iter().chain(home).filter(limited);
        let mut edits: Vec<Edit> = nodes
            .map(|node| Edit::UseService {
                node,
                service: service.to_owned(),
            })
            .collect();
        edits.dedup();
        vec![edits]
    }

    fn enclose(&self) -> Vec<Vec<Edit>> {
        let rules = self.snapshot.rules();
        let own = self.principal();
        let own = own.and_then(|ix| rules.bound_principals.get(&ix.0));
        let rows = members::rows(self.snapshot, self.asked.who, Use::Deny);
        let rows = rows.iter().flat_map(|row| rules.bound_holders.get(row));
        let bindings = own.into_iter().chain(rows).flatten();
        let boundaries = bindings.flat_map(|ix| {
            let boundary = crate::graph::at(&rules.boundary_bindings, *ix)?.boundary;
            Some((boundary, crate::graph::at(&rules.boundaries, boundary)?))
        });
        let mut all = Vec::new();
        for (boundary, row) in boundaries {
            let organization = name::organization(&row.name).unwrap_or_default();
            let edit = vec![Edit::Enclose {
                boundary,
                resource: self.asked.name.to_owned(),
            }];
            if name::is_at_or_below(self.asked.name, organization) && !all.contains(&edit) {
                all.push(edit);
            }
        }
        all
    }

    /// Out of all rules that deny, together.
    fn except(&self) -> Vec<Vec<Edit>> {
        let Some(principal) = self.principal() else {
            return Vec::new();
        };
        let (ix, _) = self.permission;
        let mut edits = Vec::new();
        for level in 0..=self.target.row.level {
            let Some((node, _)) = self.at(level) else {
                continue;
            };
            let rules = self.snapshot.rules().denies.get(&node);
            for (rule, row) in rules.into_iter().flatten().enumerate() {
                let line = guards::deny_rule(self.snapshot, self.asked, ix, self.target, row);
                if line.denies {
                    edits.push(Edit::Except {
                        node,
                        rule,
                        principal: principal.0,
                    });
                }
            }
        }
        vec![edits]
    }

    // === steps 5 and 6 ===

    fn constraint(&self) -> Vec<Vec<Edit>> {
        let gate = self.permission.1.gate;
        let mut edits = Vec::new();
        for constraint in checks::read(gate) {
            edits.extend(self.lifted(*constraint));
        }
        if let Some(setting) = checks::settings(gate) {
            let nodes = checks::turned_on(self.snapshot, self.target, setting);
            let off = |node| Edit::TurnOff {
                node,
                setting: setting.0,
            };
            edits.extend(nodes.into_iter().map(off));
        }
        let account = PrincipalIx(self.target.row.detail);
        let row = self.snapshot.principal(account);
        let is_account = self.target.row.kind == NodeKind::ServiceAccount;
        if is_account && row.is_some_and(|row| row.disabled && !row.deleted) {
            edits.push(enable(account.0));
        }
        let mut all = vec![edits];
        match gate {
            // What leaves RESTRICTED goes by TEAM.
            Gate::SetVisibility | Gate::Move => all.extend(self.show(Visibility::Team)),
            Gate::UpdateLiens => {
                if let Some((node, row)) = self.at(0) {
                    all.extend(self.grant(&Target {
                        node,
                        row,
                        exact: true,
                        project: None,
                    }));
                }
            }
            _ => {}
        }
        all
    }

    /// A constraint that restricts, lifted as low as it can be.
    fn lifted(&self, constraint: Constraint) -> Option<Edit> {
        let effective = constraints::effective(self.snapshot, self.target.node, constraint);
        if !effective.restricts() {
            return None;
        }
        let (mut node, mut row) = (self.target.node, self.target.row);
        if row.kind == NodeKind::ServiceAccount {
            node = row.parent;
            row = self.snapshot.node(node)?;
        }
        if constraint.projects_only() && row.kind != NodeKind::Project {
            return None;
        }
        let extension = Constraint::AllowServiceAccountCredentialLifetimeExtension;
        let value = if constraint == extension {
            let account = self
                .snapshot
                .principal(PrincipalIx(self.target.row.detail))?;
            Some(account.email.as_str().to_owned())
        } else {
            None
        };
        Some(Edit::Lift {
            node,
            constraint,
            value,
        })
    }

    fn quota(&self) -> Vec<Vec<Edit>> {
        let Some(project) = self.target.project_detail(self.snapshot) else {
            return Vec::new();
        };
        if self.target.row.kind != NodeKind::Project {
            return Vec::new();
        }
        let count = match self.asked.query.context.get("count") {
            Some(Value::Number(number)) => {
                let mut counts = 1..=crate::limits::CREATE_COUNT_MAX;
                counts.find(|count| f64::from(*count) == *number)
            }
            Some(_) | None => Some(1),
        };
        let quota = count.map(|count| project.accounts.saturating_add(count));
        quota.map_or_else(Vec::new, |quota| {
            let node = self.target.node;
            vec![vec![Edit::Quota { node, quota }]]
        })
    }

    // === step 7 ===

    fn seat(&self) -> Vec<Vec<Edit>> {
        let (Some(principal), Some((node, _))) = (self.principal(), self.at(0)) else {
            return Vec::new();
        };
        vec![vec![Edit::Seat {
            principal: principal.0,
            node,
            product: self.permission.1.flags.product,
        }]]
    }

    /// Into a group that has it; the smallest roles that have it, as low as they can be bound.
    fn grant(&self, target: &Target<'_>) -> Vec<Vec<Edit>> {
        let Some(principal) = self.principal() else {
            return self.publish();
        };
        let mut all = Vec::new();
        let is_user = self.asked.who.row.is_some_and(PrincipalRow::is_user);
        let allow = Allow::of(self.snapshot, self.asked, self.permission, target);
        for group in allow.groups(self.snapshot).into_iter().take(GROUPS) {
            all.push(vec![Edit::Join {
                group,
                principal: principal.0,
            }]);
        }
        for level in (0..=target.row.level).rev() {
            let node = self.snapshot.ancestor(target.node, target.row, level);
            let Some((node, row)) = node.and_then(|ix| Some((ix, self.snapshot.node(ix)?))) else {
                continue;
            };
            // A policy on the name of a deleted account is its successor's (SPEC 2.5).
            let named = self.snapshot.find_name(row.name.as_str());
            let full = self.snapshot.sources().bindings(node).len() >= BINDINGS_MAX;
            if full || named.is_none_or(|named| named.node != node) {
                continue;
            }
            let mut bind = |role: Option<usize>| {
                all.extend(role.map(|role| {
                    vec![Edit::Bind {
                        node,
                        role,
                        principal: principal.0,
                    }]
                }));
            };
            bind(self.smallest(row, |role| membership(role, row, is_user)));
            if level == target.row.level {
                bind(self.smallest(row, |role| role.level == Level::Iam));
            }
        }
        all
    }

    /// The role with the fewest permissions that has this one and may be bound on a node.
    fn smallest(&self, on: &NodeRow, fits: impl Fn(&Role) -> bool) -> Option<usize> {
        let roles = &self.snapshot.sources().roles;
        let (ix, permission) = self.permission;
        // Which of these it has depends on a setting of the organization (SPEC 6.2).
        let adjusted = permission.name.starts_with("resourcemanager.teams.");
        let has = |role: &Role| {
            let owner = role.owner.as_deref();
            role.permissions.contains(ix)
                && owner.is_none_or(|owner| name::is_at_or_below(on.name.as_str(), owner))
                && !(role.is_org_admin && adjusted)
                && fits(role)
        };
        let size = |role: &Role| {
            let all = self.snapshot.permissions().iter();
            all.filter(|(ix, _)| role.permissions.contains(*ix)).count()
        };
        let all = (0..roles.len()).flat_map(|ix| Some((ix, roles.get(ix)?)));
        all.filter(|(_, role)| has(role))
            .min_by_key(|(_, role)| (size(role), role.name.clone()))
            .map(|(ix, _)| ix)
    }
}

/// SPEC 3.3: where a membership role binds, and whom.
fn membership(role: &Role, on: &NodeRow, is_user: bool) -> bool {
    let fits = match role.level {
        Level::Iam => return false,
        Level::Organization => on.kind == NodeKind::Organization,
        Level::Team => matches!(on.kind, NodeKind::Team | NodeKind::Project),
    };
    // A user may hold `roles/team.service` (SPEC 3.3), but it is made for accounts.
    fits && role.is_service != is_user && (is_user || on.kind == NodeKind::Project)
}
