//! The sparse tables: denies, boundaries, conditional grants, tags, asserted principals, pools.

use std::collections::BTreeMap;
use std::collections::HashMap;
use std::hash::Hash;

use super::grants::{Compiled, Rows};
use crate::graph::plan::{Boundary, BoundaryBinding, Deny, Holder, Plan};
use crate::graph::rows::NONE;
use crate::graph::rules::{
    BoundaryBindingRow, BoundaryRow, ConditionalGrant, DenyRow, Named, PoolRow, Rules, Table, Tags,
};

/// All rules of a plan.
pub(super) fn rules(plan: &Plan<'_>, grants: &mut Compiled, hash: &ahash::RandomState) -> Rules {
    let (mut principals, mut holders) = (BTreeMap::new(), BTreeMap::new());
    for (holder, grant) in std::mem::take(&mut grants.conditional) {
        let list: &mut Vec<ConditionalGrant> = match (holder, grants.rows.of(holder)) {
            (Holder::Principal(ix), _) => principals.entry(ix).or_default(),
            (_, Some(row)) => holders.entry(row).or_default(),
            (_, None) => continue,
        };
        list.push(grant);
    }
    let rows = &grants.rows;
    let (denies, deny_names) = denies(plan, rows, hash);
    let (bound_principals, bound_holders) = bound(plan, rows, hash);
    let by_name: HashMap<&str, u32> = plan.boundaries.iter().map(|b| b.name).zip(0..).collect();
    Rules {
        denies,
        deny_names,
        boundaries: plan.boundaries.iter().map(boundary).collect(),
        boundary_bindings: plan
            .boundary_bindings
            .iter()
            .map(|binding| boundary_binding(binding, &by_name))
            .collect(),
        bound_principals,
        bound_holders,
        principals: table(principals, hash),
        holders: table(holders, hash),
        tags: tags(plan, hash),
        asserted: asserted(plan, rows, hash),
        domains: domains(plan, rows, hash),
        pools: pools(plan, rows, hash),
        known_pools: sorted(plan.pools.keys().copied()),
        federated: sorted(
            plan.names
                .asserted
                .list()
                .iter()
                .filter_map(|text| text.starts_with("principal://").then_some(text.as_str())),
        ),
    }
}

fn sorted<'t>(texts: impl Iterator<Item = &'t str>) -> Box<[Box<str>]> {
    let mut texts: Vec<Box<str>> = texts.map(Box::from).collect();
    texts.sort_unstable();
    texts.into()
}

/// A table of lists.
pub(super) fn table<K: Eq + Hash, T>(
    lists: BTreeMap<K, Vec<T>>,
    hash: &ahash::RandomState,
) -> Table<K, Box<[T]>> {
    let mut table = Table::with_capacity_and_hasher(lists.len(), hash.clone());
    table.extend(
        lists
            .into_iter()
            .map(|(key, list)| (key, list.into_boxed_slice())),
    );
    table
}

pub(super) fn named(rows: &Rows, holders: &[Holder]) -> Named {
    let (mut principals, mut list) = (Vec::new(), Vec::new());
    for holder in holders {
        match (holder, rows.of(*holder)) {
            (Holder::Principal(ix), _) => principals.push(*ix),
            (_, row) => list.extend(row),
        }
    }
    principals.sort_unstable();
    list.sort_unstable();
    Named {
        principals: principals.into(),
        holders: list.into(),
    }
}

type Denies = (Table<u32, Box<[DenyRow]>>, Box<[Box<str>]>);

/// Deny rules by node, and the names of their policies.
fn denies(plan: &Plan<'_>, rows: &Rows, hash: &ahash::RandomState) -> Denies {
    let mut names: Vec<Box<str>> = Vec::new();
    let mut by_node: BTreeMap<u32, Vec<DenyRow>> = BTreeMap::new();
    for deny in &plan.denies {
        if names.last().is_none_or(|name| **name != *deny.policy) {
            names.push(deny.policy.into());
        }
        let policy = u32::try_from(names.len()).map_or(NONE, |len| len.saturating_sub(1));
        by_node
            .entry(deny.node)
            .or_default()
            .push(deny_row(deny, policy, rows));
    }
    (table(by_node, hash), names.into())
}

fn deny_row(deny: &Deny<'_>, policy: u32, rows: &Rows) -> DenyRow {
    DenyRow {
        policy,
        rule: deny.rule,
        denied: named(rows, &deny.denied),
        exceptions: named(rows, &deny.exceptions),
        permissions: deny.permissions.clone(),
        condition: deny.condition.clone(),
    }
}

fn boundary(boundary: &Boundary<'_>) -> BoundaryRow {
    let resources = boundary.resources.iter();
    BoundaryRow {
        name: boundary.name.into(),
        resources: resources.map(|resource| resource.as_str().into()).collect(),
        permissions: boundary.permissions.clone(),
    }
}

fn boundary_binding(
    binding: &BoundaryBinding<'_>,
    by_name: &HashMap<&str, u32>,
) -> BoundaryBindingRow {
    BoundaryBindingRow {
        name: binding.name.into(),
        boundary: by_name.get(binding.boundary).copied().unwrap_or(NONE),
        condition: binding.condition.clone(),
    }
}

type Bound = Table<u32, Box<[u32]>>;

/// Bindings of boundaries by principal and by holder.
fn bound(plan: &Plan<'_>, rows: &Rows, hash: &ahash::RandomState) -> (Bound, Bound) {
    let (mut principals, mut holders) = (BTreeMap::new(), BTreeMap::new());
    for (ix, binding) in (0_u32..).zip(&plan.boundary_bindings) {
        let list: &mut Vec<u32> = match (binding.holder, rows.of(binding.holder)) {
            (Holder::Principal(principal), _) => principals.entry(principal).or_default(),
            (_, Some(row)) => holders.entry(row).or_default(),
            (_, None) => continue,
        };
        list.push(ix);
    }
    (table(principals, hash), table(holders, hash))
}

fn tags(plan: &Plan<'_>, hash: &ahash::RandomState) -> Table<u32, Tags> {
    let mut table = Table::with_hasher(hash.clone());
    for (ix, node) in (0_u32..).zip(&plan.nodes) {
        if !node.tags.is_empty() {
            let tags = node.tags.iter();
            let tags = tags.map(|(key, value)| (key.as_str().into(), value.as_str().into()));
            table.insert(ix, tags.collect());
        }
    }
    table
}

/// What a request may assert, and the holders that it then is: the text itself, and every
/// group that lists it.
fn asserted(
    plan: &Plan<'_>,
    rows: &Rows,
    hash: &ahash::RandomState,
) -> Table<Box<[u8]>, Box<[u32]>> {
    let texts = plan.names.asserted.list();
    let mut lists: Vec<Vec<u32>> = (0_u32..)
        .zip(texts)
        .map(|(ix, _)| rows.of(Holder::Asserted(ix)).into_iter().collect())
        .collect();
    for group in &plan.groups {
        for ix in &group.asserted {
            if let Some(list) = usize::try_from(*ix).map_or(None, |ix| lists.get_mut(ix)) {
                let closure = group.closure.iter();
                list.extend(closure.flat_map(|group| rows.of(Holder::Group(*group))));
            }
        }
    }
    let mut table = Table::with_capacity_and_hasher(texts.len(), hash.clone());
    for (text, mut list) in texts.iter().zip(lists) {
        list.sort_unstable();
        list.dedup();
        table.insert(text.as_bytes().into(), list.into_boxed_slice());
    }
    table
}

fn domains(plan: &Plan<'_>, rows: &Rows, hash: &ahash::RandomState) -> Table<Box<[u8]>, u32> {
    let mut table = Table::with_hasher(hash.clone());
    for (ix, domain) in (0_u32..).zip(plan.names.domains.list()) {
        if let Some(row) = rows.of(Holder::Domain(ix)) {
            table.insert(domain.as_bytes().into(), row);
        }
    }
    table
}

fn pools(plan: &Plan<'_>, rows: &Rows, hash: &ahash::RandomState) -> Table<Box<str>, PoolRow> {
    let unknown = || PoolRow {
        known: false,
        disabled: false,
        all: NONE,
        sets: Box::default(),
    };
    let mut table: Table<Box<str>, PoolRow> = Table::with_hasher(hash.clone());
    for (name, disabled) in &plan.pools {
        let row = PoolRow {
            known: true,
            disabled: *disabled,
            ..unknown()
        };
        table.insert((*name).into(), row);
    }
    for (ix, name) in (0_u32..).zip(plan.names.pools.list()) {
        let row = table.entry(name.as_str().into()).or_insert_with(unknown);
        row.all = rows.of(Holder::Pool(ix)).unwrap_or(NONE);
    }
    let mut sets: BTreeMap<&str, Vec<u32>> = BTreeMap::new();
    for (ix, (pool, _)) in (0_u32..).zip(plan.names.pool_sets.list()) {
        let list = sets.entry(pool).or_default();
        list.extend(rows.of(Holder::PoolSet(ix)));
    }
    for (name, list) in sets {
        table.entry(name.into()).or_insert_with(unknown).sets = list.into();
    }
    table
}
