//! The policies as they were written.

use std::collections::BTreeMap;

use super::grants::{Compiled, Rows};
use super::rules::{named, table};
use crate::graph::at;
use crate::graph::plan::{Holder, Plan};
use crate::graph::roles::Roles;
use crate::graph::sources::{BindingRow, GroupRow, Sources};

/// Everything that explanations read. Takes the roles out of the plan's hands.
pub(super) fn sources(
    plan: &Plan<'_>,
    roles: Roles,
    grants: &Compiled,
    hash: &ahash::RandomState,
) -> Sources {
    let mut by_node: BTreeMap<u32, Vec<BindingRow>> = BTreeMap::new();
    for (binding, set) in plan.bindings.iter().zip(&grants.binding_sets) {
        by_node.entry(binding.node).or_default().push(BindingRow {
            role: binding.role,
            set: *set,
            members: named(&grants.rows, &binding.holders),
            condition: binding.condition.clone(),
        });
    }
    let group = |group: &crate::graph::plan::Group| GroupRow {
        principals: group.principals.as_slice().into(),
        groups: group.groups.as_slice().into(),
    };
    Sources {
        roles,
        policies: table(by_node, hash),
        role_sets: grants.role_sets.as_slice().into(),
        holders: holders(plan, &grants.rows),
        groups: plan.groups.iter().map(group).collect(),
    }
}

/// Member syntax of every holder, in the order of the rows.
fn holders(plan: &Plan<'_>, rows: &Rows) -> Box<[Box<str>]> {
    let text = |holder: Holder| -> String {
        let names = &plan.names;
        match holder {
            Holder::AllUsers => "allUsers".to_owned(),
            Holder::AllAuthenticatedUsers => "allAuthenticatedUsers".to_owned(),
            Holder::Principal(_) => String::new(),
            Holder::Group(ix) => at(&plan.groups, ix)
                .map_or_else(String::new, |group| format!("group:{}", group.email)),
            Holder::Domain(ix) => {
                at(names.domains.list(), ix).map_or_else(String::new, |d| format!("domain:{d}"))
            }
            Holder::Accounts(ix) => match at(names.account_sets.list(), ix) {
                Some((node, agents_only)) => {
                    let node = at(&plan.nodes, *node).map_or("", |node| node.name);
                    let kind = if *agents_only {
                        "ServiceAgent"
                    } else {
                        "ServiceAccount"
                    };
                    format!("principalSet://{node}/type/{kind}")
                }
                None => String::new(),
            },
            Holder::Asserted(ix) => at(names.asserted.list(), ix).cloned().unwrap_or_default(),
            Holder::Pool(ix) => at(names.pools.list(), ix)
                .map_or_else(String::new, |pool| format!("principalSet://{pool}/*")),
            Holder::PoolSet(ix) => at(names.pool_sets.list(), ix)
                .map_or_else(String::new, |(pool, selector)| {
                    format!("principalSet://{pool}/{selector}")
                }),
        }
    };
    rows.all(plan).map(|holder| text(holder).into()).collect()
}
