//! Edits of deny rules, boundaries and conditional grants: on the part of the sparse tables
//! that the question reads.

use std::sync::Arc;

use crate::graph::at;
use crate::graph::edit::{Edit, Editor, Entry};
use crate::graph::rows::{Grant, NONE};
use crate::graph::rules::{
    ALL_AUTHENTICATED, ALL_USERS, BoundaryBindingRow, BoundaryRow, ConditionalGrant, DenyRow,
    Rules, Table,
};

impl Editor<'_> {
    /// The sparse tables, where an edit concerns them: only what the scope reads.
    pub(super) fn rules(&mut self) -> Option<()> {
        let concerned = |edit: &Edit| match edit {
            Edit::Except { .. } | Edit::Enclose { .. } => true,
            Edit::Unbind { node, binding, .. } => {
                let bindings = self.snapshot.sources().bindings(*node);
                bindings
                    .get(*binding)
                    .is_some_and(|b| b.condition.is_some())
            }
            _ => false,
        };
        if !self.edits.iter().any(concerned) {
            return Some(());
        }
        if !self.scope.known {
            return None;
        }
        let mut rules = self.cut();
        for edit in self.edits {
            match edit {
                Edit::Except {
                    node,
                    rule,
                    principal,
                } => {
                    let list = rules.denies.get_mut(node)?;
                    except(list.get_mut(*rule)?, *principal);
                }
                Edit::Enclose { boundary, resource } => {
                    let mut row = at(&rules.boundaries, *boundary)?.clone();
                    let mut resources = row.resources.to_vec();
                    resources.push(resource.as_str().into());
                    row.resources = resources.into();
                    put(&mut rules.boundaries, *boundary, &row);
                }
                _ => {}
            }
        }
        self.tables.rules = Arc::new(rules);
        Some(())
    }

    /// The rules that the scope reads. What a request may assert is not among them: such
    /// principals have no edits.
    fn cut(&self) -> Rules {
        let old = self.snapshot.rules();
        let hash = &self.tables.hash;
        let principals = &self.scope.principals;
        let mut rows = vec![ALL_USERS, ALL_AUTHENTICATED];
        for ix in principals {
            if let Some(row) = self.tables.principals.get(*ix) {
                rows.extend_from_slice(row.holders.as_slice());
            }
        }
        rows.sort_unstable();
        rows.dedup();
        let mut bounds = Bounds::new(old);
        let mut bound = |table: &Table<u32, Box<[u32]>>, keys: &[u32]| {
            let mut cut = Table::with_hasher(hash.clone());
            for key in keys {
                if let Some(list) = table.get(key) {
                    bounds.take(old, list);
                    cut.insert(*key, list.clone());
                }
            }
            cut
        };
        let bound_principals = bound(&old.bound_principals, principals);
        let bound_holders = bound(&old.bound_holders, &rows);
        Rules {
            denies: some(&old.denies, &self.scope.nodes, hash),
            deny_names: Box::default(),
            boundaries: bounds.boundaries.into(),
            boundary_bindings: bounds.bindings.into(),
            bound_principals,
            bound_holders,
            principals: self.conditional(&old.principals, principals, Entry::Principal),
            holders: self.conditional(&old.holders, &rows, Entry::Holder),
            tags: some(&old.tags, &self.scope.nodes, hash),
            asserted: Table::with_hasher(hash.clone()),
            domains: Table::with_hasher(hash.clone()),
            pools: Table::with_hasher(hash.clone()),
            known_pools: Box::default(),
            federated: Box::default(),
        }
    }

    /// Conditional grants, without those that were unbound.
    fn conditional(
        &self,
        table: &Table<u32, Box<[ConditionalGrant]>>,
        keys: &[u32],
        entry: fn(u32) -> Entry,
    ) -> Table<u32, Box<[ConditionalGrant]>> {
        let mut cut = some(table, keys, &self.tables.hash);
        for (key, list) in &mut cut {
            let mut kept = list.to_vec();
            kept.retain(|grant| self.scope.nodes.contains(&grant.grant.node));
            let mut nodes: Vec<u32> = kept.iter().map(|grant| grant.grant.node).collect();
            nodes.dedup();
            for node in nodes {
                let of = |edit: &Edit| match edit {
                    Edit::Unbind {
                        node: at,
                        binding,
                        entry: gone,
                    } if *at == node && *gone == entry(*key) => Some(*binding),
                    _ => None,
                };
                let gone: Vec<usize> = self.edits.iter().filter_map(of).collect();
                if gone.is_empty() {
                    continue;
                }
                let level = self.snapshot.node(node).map_or(0, |row| row.level);
                kept.retain(|grant| grant.grant.node != node);
                let at = kept.partition_point(|c| (c.grant.level(), c.grant.node) < (level, node));
                let remaining = self.kept(node, entry(*key), &gone, true);
                let remaining = remaining.flat_map(|binding| {
                    let condition = binding.condition.clone()?;
                    let grant = Grant::new(node, level, binding.set);
                    Some(ConditionalGrant { grant, condition })
                });
                kept.splice(at..at, remaining);
            }
            *list = kept.into();
        }
        cut
    }
}

/// Boundaries and bindings of them: those that are read, each in its place.
struct Bounds {
    boundaries: Vec<BoundaryRow>,
    bindings: Vec<BoundaryBindingRow>,
}

impl Bounds {
    fn new(old: &Rules) -> Self {
        let boundary = BoundaryRow {
            name: Box::default(),
            resources: Box::default(),
            permissions: None,
        };
        let binding = BoundaryBindingRow {
            name: Box::default(),
            boundary: NONE,
            condition: None,
        };
        Self {
            boundaries: vec![boundary; old.boundaries.len()],
            bindings: vec![binding; old.boundary_bindings.len()],
        }
    }

    fn take(&mut self, old: &Rules, list: &[u32]) {
        for ix in list {
            let Some(binding) = at(&old.boundary_bindings, *ix) else {
                continue;
            };
            put(&mut self.bindings, *ix, binding);
            if let Some(boundary) = at(&old.boundaries, binding.boundary) {
                put(&mut self.boundaries, binding.boundary, boundary);
            }
        }
    }
}

fn put<T: Clone>(list: &mut [T], ix: u32, row: &T) {
    if let Some(place) = usize::try_from(ix).map_or(None, |ix| list.get_mut(ix)) {
        place.clone_from(row);
    }
}

/// The entries of a table that some keys have.
fn some<V: Clone>(table: &Table<u32, V>, keys: &[u32], hash: &ahash::RandomState) -> Table<u32, V> {
    let mut cut = Table::with_hasher(hash.clone());
    for key in keys {
        if let Some(value) = table.get(key) {
            cut.insert(*key, value.clone());
        }
    }
    cut
}

fn except(rule: &mut DenyRow, principal: u32) {
    let mut list = rule.exceptions.principals.to_vec();
    list.push(principal);
    list.sort_unstable();
    rule.exceptions.principals = list.into();
}
