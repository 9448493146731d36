//! Grant sets and holders: who is granted what where, with groups closed and roles merged.

use std::collections::{BTreeMap, HashMap};

use crate::graph::at;

use crate::graph::plan::{Holder, Plan, Principal};
use crate::graph::roles::{Level, Role};
use crate::graph::rows::{Grant, GrantSets, Grants, Holders, NONE, NodeRow, class};
use crate::model::email;
use crate::model::permission::PermissionSet;
use crate::model::principal::AccountKind;

/// A role as it acts on one node: some nodes add to it or take from it (SPEC 3.3, 6.2).
type Variant = (usize, Adjust);

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
enum Adjust {
    None,
    Invite,
    NoTeamAccess,
}

/// What `roles/org.admin` loses under `disable_admin_team_access` (SPEC 6.2).
const ADMIN_TEAM_ACCESS: [&str; 3] = [
    "resourcemanager.teams.join",
    "resourcemanager.teams.setIamPolicy",
    "resourcemanager.teams.inviteMembers",
];

/// What members gain under `members_may_invite` (SPEC 3.3).
const INVITE: &str = "resourcemanager.teams.inviteMembers";

/// Rows of `holders` that are always there.
pub(in crate::graph) const ALL_USERS: u32 = 0;
/// Rows of `holders` that are always there.
pub(in crate::graph) const ALL_AUTHENTICATED: u32 = 1;

/// Everything that comes out of the bindings.
pub(super) struct Compiled {
    pub(super) sets: GrantSets,
    pub(super) set_count: u32,
    /// Grants of everyone, of the authenticated, of groups, of domains, of account sets.
    pub(super) holders: Vec<Grants>,
    /// Own grants and holders of each principal.
    pub(super) principals: Vec<(Grants, Holders)>,
}

impl Compiled {
    pub(super) fn new(plan: &Plan<'_>, nodes: &[NodeRow]) -> Self {
        let mut made = Sets::default();
        let mut by_holder = made.collect(plan, nodes);
        let padding = Grant::new(NONE, 0, 0);
        let mut take =
            |holder: Holder| Grants::new(&by_holder.remove(&holder).unwrap_or_default(), padding);
        let mut holders = vec![take(Holder::AllUsers), take(Holder::AllAuthenticatedUsers)];
        let group_base = len(&holders);
        holders.extend(
            (0_u32..)
                .zip(&plan.groups)
                .map(|(ix, _)| take(Holder::Group(ix))),
        );
        let domain_base = len(&holders);
        holders.extend(
            (0_u32..)
                .zip(&plan.domains)
                .map(|(ix, _)| take(Holder::Domain(ix))),
        );
        let set_base = len(&holders);
        holders.extend(
            (0_u32..)
                .zip(&plan.account_sets)
                .map(|(ix, _)| take(Holder::Accounts(ix))),
        );
        let own: Vec<Grants> = (0_u32..)
            .zip(&plan.principals)
            .map(|(ix, _)| take(Holder::Principal(ix)))
            .collect();
        let lists =
            holders_of_principals(plan, nodes, &holders, [group_base, domain_base, set_base]);
        Self {
            set_count: len(&made.list),
            sets: made.bytes(plan),
            holders,
            principals: own.into_iter().zip(lists).collect(),
        }
    }
}

fn len<T>(list: &[T]) -> u32 {
    u32::try_from(list.len()).unwrap_or(u32::MAX)
}

/// Distinct combinations of roles.
#[derive(Default)]
struct Sets {
    list: Vec<Vec<Variant>>,
    known: HashMap<Vec<Variant>, u32>,
}

impl Sets {
    /// The grants of every holder, sorted by level and node.
    fn collect(&mut self, plan: &Plan<'_>, nodes: &[NodeRow]) -> HashMap<Holder, Vec<Grant>> {
        let mut roles: BTreeMap<(Holder, u32), Vec<Variant>> = BTreeMap::new();
        for binding in &plan.bindings {
            let Some(role) = plan.roles.get(binding.role) else {
                continue;
            };
            let variant = (binding.role, adjust(plan, role, binding.node));
            for holder in &binding.holders {
                roles
                    .entry((*holder, binding.node))
                    .or_default()
                    .push(variant);
            }
        }
        let mut grants: HashMap<Holder, Vec<Grant>> = HashMap::new();
        for ((holder, node), mut variants) in roles {
            variants.sort_unstable();
            variants.dedup();
            let level = at(nodes, node).map_or(0, |row| row.level);
            let set = self.intern(variants);
            grants
                .entry(holder)
                .or_default()
                .push(Grant::new(node, level, set));
        }
        for list in grants.values_mut() {
            list.sort_unstable_by_key(|grant| (grant.level(), grant.node));
        }
        grants
    }

    fn intern(&mut self, variants: Vec<Variant>) -> u32 {
        if let Some(set) = self.known.get(&variants) {
            return *set;
        }
        let set = len(&self.list);
        self.list.push(variants.clone());
        self.known.insert(variants, set);
        set
    }

    fn bytes(&self, plan: &Plan<'_>) -> GrantSets {
        let stride = plan.permissions.len();
        let mut bytes = Vec::with_capacity(self.list.len().saturating_mul(stride));
        for variants in &self.list {
            let acting: Vec<Acting<'_>> = variants
                .iter()
                .flat_map(|variant| Acting::new(plan, *variant))
                .collect();
            let flags = flags(&acting);
            bytes.extend(plan.permissions.iter().map(|(ix, row)| {
                let of = |a: &Acting<'_>| a.class(ix, row.flags.administrative);
                acting.iter().map(of).fold(flags, |all, one| all | one)
            }));
        }
        GrantSets { stride, bytes }
    }
}

fn adjust(plan: &Plan<'_>, role: &Role, node: u32) -> Adjust {
    let Some(node) = at(&plan.nodes, node) else {
        return Adjust::None;
    };
    if role.gains_invite && node.members_may_invite {
        Adjust::Invite
    } else if role.is_org_admin && node.disable_admin_team_access {
        Adjust::NoTeamAccess
    } else {
        Adjust::None
    }
}

/// A role with its adjustment applied.
struct Acting<'p> {
    role: &'p Role,
    permissions: PermissionSet,
}

impl<'p> Acting<'p> {
    fn new(plan: &'p Plan<'_>, (role, adjust): Variant) -> Option<Self> {
        let role = plan.roles.get(role)?;
        let mut permissions = role.permissions.clone();
        let names: &[&str] = match adjust {
            Adjust::None => &[],
            Adjust::Invite => &[INVITE],
            Adjust::NoTeamAccess => &ADMIN_TEAM_ACCESS,
        };
        for ix in names.iter().flat_map(|name| plan.permissions.find(name)) {
            match adjust {
                Adjust::NoTeamAccess => permissions.remove(ix),
                Adjust::None | Adjust::Invite => permissions.insert(ix),
            }
        }
        Some(Self { role, permissions })
    }

    fn class(&self, ix: crate::model::permission::PermissionIx, administrative: bool) -> u8 {
        let (whole, own, crosses) = match self.role.level {
            Level::Iam => (class::IAM, class::IAM_OWN, class::IAM_CROSSES),
            Level::Organization | Level::Team => {
                (class::MEMBER, class::MEMBER_OWN, class::MEMBER_CROSSES)
            }
        };
        let carried = self.permissions.contains(ix);
        let mut bits = if carried { whole } else { 0 };
        if self.role.own.contains(ix) {
            bits |= own;
        }
        if carried && administrative && self.role.crosses {
            bits |= crosses;
        }
        bits
    }
}

/// What a combination says of itself, whatever the permission.
fn flags(acting: &[Acting<'_>]) -> u8 {
    let membership = || acting.iter().filter(|a| a.role.level != Level::Iam);
    if acting.iter().any(|a| a.role.is_service) {
        class::WITH_SERVICE
    } else if membership().next().is_none() {
        0
    } else if membership().all(|a| a.role.acts_as_viewer) {
        class::VIEWERS
    } else {
        class::MEMBERS
    }
}

/// Which holders each principal belongs to.
fn holders_of_principals(
    plan: &Plan<'_>,
    nodes: &[NodeRow],
    holders: &[Grants],
    bases: [u32; 3],
) -> Vec<Holders> {
    let [group_base, domain_base, set_base] = bases;
    let mut lists: Vec<Vec<u32>> = vec![Vec::new(); plan.principals.len()];
    // Holders without a grant are of no interest to a decision.
    let granted = |holder: u32| at(holders, holder).is_some_and(|g| !g.as_slice().is_empty());
    for group in &plan.groups {
        let closure: Vec<u32> = group
            .closure
            .iter()
            .map(|g| g + group_base)
            .filter(|h| granted(*h))
            .collect();
        for principal in &group.principals {
            if let Some(list) = usize::try_from(*principal).map_or(None, |p| lists.get_mut(p)) {
                list.extend(&closure);
            }
        }
    }
    let domains: HashMap<&str, u32> = plan
        .domains
        .iter()
        .map(String::as_str)
        .zip(domain_base..)
        .collect();
    for (list, principal) in lists.iter_mut().zip(&plan.principals) {
        match principal {
            Principal::User(user) => {
                let lower = email::domain(&user.email).to_ascii_lowercase();
                list.extend(domains.get(lower.as_str()));
            }
            Principal::Account { entity, node, .. } => {
                let agent = entity.kind == AccountKind::ServiceAgent;
                for ((below, agents_only), holder) in plan.account_sets.iter().zip(set_base..) {
                    if (agent || !agents_only) && is_below(nodes, *node, *below) {
                        list.push(holder);
                    }
                }
            }
        }
    }
    let store = |mut list: Vec<u32>| {
        list.sort_unstable();
        list.dedup();
        Holders::new(&list, NONE)
    };
    lists.into_iter().map(store).collect()
}

fn is_below(nodes: &[NodeRow], node: u32, ancestor: u32) -> bool {
    let mut next = at(nodes, node).map(|row| row.parent);
    while let Some(row) = next.and_then(|ix| at(nodes, ix).map(|row| (ix, row))) {
        if row.0 == ancestor {
            return true;
        }
        next = Some(row.1.parent);
    }
    false
}
