//! Grant sets and holders: who is granted what where, with groups closed and roles merged.

use std::collections::{BTreeMap, HashMap};

use crate::graph::at;

use crate::graph::plan::{Holder, Plan, Principal};
use crate::graph::roles::{Level, Role};
use crate::graph::rows::{Grant, GrantSets, Grants, Holders, NONE, NodeRow, class};
use crate::graph::rules::{ALL_AUTHENTICATED, ALL_USERS, ConditionalGrant};
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

/// Everything that comes out of the bindings.
pub(super) struct Compiled {
    pub(super) sets: GrantSets,
    pub(super) set_count: u32,
    /// Grants of everyone, of the authenticated, of groups, of domains, of account sets.
    pub(super) holders: Vec<Grants>,
    /// Own grants and holders of each principal.
    pub(super) principals: Vec<(Grants, Holders)>,
    /// Grants under a condition.
    pub(super) conditional: Vec<(Holder, ConditionalGrant)>,
    /// Where which holder is.
    pub(super) rows: Rows,
    /// What each binding's role says on its node, for itself alone.
    pub(super) binding_sets: Vec<u32>,
    /// What each role says for itself alone, where nothing adjusts it.
    pub(super) role_sets: Vec<u32>,
}

impl Compiled {
    pub(super) fn new(plan: &Plan<'_>, nodes: &[NodeRow]) -> Self {
        let mut made = Sets::default();
        let mut by_holder = made.collect(plan, nodes);
        let padding = Grant::new(NONE, 0, 0);
        let mut take =
            |holder: Holder| Grants::new(&by_holder.remove(&holder).unwrap_or_default(), padding);
        let rows = Rows::new(plan);
        let holders: Vec<Grants> = rows.all(plan).map(&mut take).collect();
        let own: Vec<Grants> = (0_u32..)
            .zip(&plan.principals)
            .map(|(ix, _)| take(Holder::Principal(ix)))
            .collect();
        let conditional = made.conditional(plan, nodes);
        let binding_sets = made.each(plan);
        let role_sets = made.roles(plan);
        let lists = holders_of_principals(plan, nodes, &rows, &of_interest(plan, &rows, &holders));
        Self {
            set_count: len(&made.list),
            sets: made.bytes(plan),
            holders,
            principals: own.into_iter().zip(lists).collect(),
            conditional,
            rows,
            binding_sets,
            role_sets,
        }
    }
}

/// Where each sort of holder begins among the rows of `holders`.
pub(super) struct Rows {
    groups: u32,
    domains: u32,
    account_sets: u32,
    asserted: u32,
    pools: u32,
    pool_sets: u32,
}

impl Rows {
    fn new(plan: &Plan<'_>) -> Self {
        let names = &plan.names;
        let groups = ALL_AUTHENTICATED + 1;
        let domains = groups.saturating_add(len(&plan.groups));
        let account_sets = domains.saturating_add(len(names.domains.list()));
        let asserted = account_sets.saturating_add(len(names.account_sets.list()));
        let pools = asserted.saturating_add(len(names.asserted.list()));
        let pool_sets = pools.saturating_add(len(names.pools.list()));
        Self {
            groups,
            domains,
            account_sets,
            asserted,
            pools,
            pool_sets,
        }
    }

    /// The row of a holder; `None`: it is a principal.
    pub(super) const fn of(&self, holder: Holder) -> Option<u32> {
        Some(match holder {
            Holder::AllUsers => ALL_USERS,
            Holder::AllAuthenticatedUsers => ALL_AUTHENTICATED,
            Holder::Principal(_) => return None,
            Holder::Group(ix) => self.groups.saturating_add(ix),
            Holder::Domain(ix) => self.domains.saturating_add(ix),
            Holder::Accounts(ix) => self.account_sets.saturating_add(ix),
            Holder::Asserted(ix) => self.asserted.saturating_add(ix),
            Holder::Pool(ix) => self.pools.saturating_add(ix),
            Holder::PoolSet(ix) => self.pool_sets.saturating_add(ix),
        })
    }

    /// Every holder in the order of the rows.
    pub(super) fn all(&self, plan: &Plan<'_>) -> impl Iterator<Item = Holder> {
        let last = len(plan.names.pool_sets.list());
        [Holder::AllUsers, Holder::AllAuthenticatedUsers]
            .into_iter()
            .chain((0..len(&plan.groups)).map(Holder::Group))
            .chain((0..len(plan.names.domains.list())).map(Holder::Domain))
            .chain((0..len(plan.names.account_sets.list())).map(Holder::Accounts))
            .chain((0..len(plan.names.asserted.list())).map(Holder::Asserted))
            .chain((0..len(plan.names.pools.list())).map(Holder::Pool))
            .chain((0..last).map(Holder::PoolSet))
    }
}

/// The holders that a decision may ask about: with a grant, or named by a rule.
fn of_interest(plan: &Plan<'_>, rows: &Rows, holders: &[Grants]) -> Vec<bool> {
    let mut interest: Vec<bool> = holders.iter().map(|g| !g.as_slice().is_empty()).collect();
    let conditional = plan.bindings.iter().filter(|b| b.condition.is_some());
    let named = conditional
        .flat_map(|binding| &binding.holders)
        .chain(plan.denies.iter().flat_map(|rule| &rule.denied))
        .chain(plan.denies.iter().flat_map(|rule| &rule.exceptions))
        .chain(plan.boundary_bindings.iter().map(|binding| &binding.holder));
    for row in named.flat_map(|holder| rows.of(*holder)) {
        if let Some(slot) = usize::try_from(row).map_or(None, |row| interest.get_mut(row)) {
            *slot = true;
        }
    }
    interest
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
        for binding in plan.bindings.iter().filter(|b| b.condition.is_none()) {
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

    /// What bindings with a condition grant: each on its own, as each has its own condition.
    fn conditional(
        &mut self,
        plan: &Plan<'_>,
        nodes: &[NodeRow],
    ) -> Vec<(Holder, ConditionalGrant)> {
        let mut all = Vec::new();
        for binding in &plan.bindings {
            let Some(condition) = &binding.condition else {
                continue;
            };
            let level = at(nodes, binding.node).map_or(0, |row| row.level);
            // IAM roles only: nothing adds to them or takes from them.
            let set = self.intern(vec![(binding.role, Adjust::None)]);
            for holder in &binding.holders {
                let grant = Grant::new(binding.node, level, set);
                let condition = condition.clone();
                all.push((*holder, ConditionalGrant { grant, condition }));
            }
        }
        all.sort_by_key(|(holder, c)| (*holder, c.grant.level(), c.grant.node));
        all
    }

    /// The set of each binding's role alone.
    fn each(&mut self, plan: &Plan<'_>) -> Vec<u32> {
        let set = |binding: &crate::graph::plan::Binding| {
            let role = plan.roles.get(binding.role);
            let adjust = role.map_or(Adjust::None, |role| adjust(plan, role, binding.node));
            self.intern(vec![(binding.role, adjust)])
        };
        plan.bindings.iter().map(set).collect()
    }

    /// The set of each role alone.
    fn roles(&mut self, plan: &Plan<'_>) -> Vec<u32> {
        let set = |role: usize| self.intern(vec![(role, Adjust::None)]);
        (0..plan.roles.len()).map(set).collect()
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
    rows: &Rows,
    of_interest: &[bool],
) -> Vec<Holders> {
    let mut lists: Vec<Vec<u32>> = vec![Vec::new(); plan.principals.len()];
    let granted = |holder: u32| at(of_interest, holder).copied().unwrap_or(false);
    for group in &plan.groups {
        let closure: Vec<u32> = group
            .closure
            .iter()
            .map(|g| rows.groups.saturating_add(*g))
            .filter(|h| granted(*h))
            .collect();
        for principal in &group.principals {
            if let Some(list) = usize::try_from(*principal).map_or(None, |p| lists.get_mut(p)) {
                list.extend(&closure);
            }
        }
    }
    let domains: HashMap<&str, u32> = plan
        .names
        .domains
        .list()
        .iter()
        .map(String::as_str)
        .zip(rows.domains..)
        .collect();
    for (list, principal) in lists.iter_mut().zip(&plan.principals) {
        match principal {
            Principal::User(user) => {
                let lower = email::domain(&user.email).to_ascii_lowercase();
                list.extend(domains.get(lower.as_str()));
            }
            Principal::Account { entity, node, .. } => {
                let agent = entity.kind == AccountKind::ServiceAgent;
                let sets = plan.names.account_sets.list();
                for ((below, agents_only), holder) in sets.iter().zip(rows.account_sets..) {
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
