//! The policies as they were written, for explanations: the decision itself never reads them.

use crate::condition::Condition;
use crate::graph::roles::Roles;
use crate::graph::rules::{Named, Table};

/// One binding of an allow policy.
#[derive(Debug, Clone)]
pub struct BindingRow {
    /// Index of its role.
    pub role: usize,
    /// What the role says here: a set of the snapshot's grant sets.
    pub set: u32,
    /// Whom it names, as far as they are here.
    pub members: Named,
    /// When; `None`: always.
    pub condition: Option<Condition>,
}

/// A group's own list.
#[derive(Debug, Clone, Default)]
pub struct GroupRow {
    /// Principals listed in it, sorted.
    pub principals: Box<[u32]>,
    /// Groups listed in it, by index, sorted.
    pub groups: Box<[u32]>,
}

/// What explanations read.
#[derive(Debug)]
pub struct Sources {
    /// The roles.
    pub roles: Roles,
    /// Bindings in the order they were written, by node.
    pub policies: Table<u32, Box<[BindingRow]>>,
    /// What each role says where no setting adds to it or takes from it: a set for each.
    pub role_sets: Box<[u32]>,
    /// Member syntax of each row of `holders`.
    pub holders: Box<[Box<str>]>,
    /// Groups; the row of `holders` of group `ix` is `ix + GROUPS`.
    pub groups: Box<[GroupRow]>,
}

/// Row of `holders` of the first group.
pub const GROUPS: u32 = 2;

impl Sources {
    /// Bindings on a node, in the order they were written.
    #[must_use]
    pub fn bindings(&self, node: u32) -> &[BindingRow] {
        self.policies.get(&node).map_or(&[], |list| list)
    }

    /// Member syntax of a row of `holders`.
    #[must_use]
    pub fn holder(&self, row: u32) -> &str {
        super::at(&self.holders, row).map_or("", |text| text)
    }

    /// The group of a row of `holders`, if it is one.
    #[must_use]
    pub fn group(&self, row: u32) -> Option<&GroupRow> {
        super::at(&self.groups, row.checked_sub(GROUPS)?)
    }
}
