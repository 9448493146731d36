//! `Plan` to `Snapshot`: closures, grant sets, tables. Everything the decision looks up.

mod grants;
mod routes;
mod rules;
mod sources;
mod tables;

use std::sync::Arc;

use crate::graph::constraints::Policies;
use crate::graph::document::Place;
use crate::graph::issue::{Code, Issue, Issues};
use crate::graph::plan::{Plan, Principal};
use crate::graph::rows::Grant;
use crate::graph::shard::Index;
use crate::graph::snapshot::{Counts, Snapshot, Tables};
use crate::model::node::NodeKind;

/// Compiles a good plan.
///
/// # Errors
/// Only one: more distinct combinations of roles than a grant can number.
pub(super) fn compile(mut plan: Plan<'_>, hash: ahash::RandomState) -> Result<Snapshot, Issues> {
    let counts = counts(&plan);
    let nodes = tables::nodes(&plan);
    let mut grants = grants::Compiled::new(&plan, &nodes);
    if grants.set_count > Grant::SETS_MAX {
        return Err(too_many_sets(grants.set_count));
    }
    let name_entry = |name: &str, ix: u32| (hash.hash_one(name.as_bytes()), ix);
    let names: Vec<(u64, u32)> = plan
        .by_name
        .iter()
        .map(|(name, ix)| name_entry(name, *ix))
        .collect();
    let org_policies = Policies::new(std::mem::take(&mut plan.org_policies));
    let keys = tables::keys(&plan, &nodes, &org_policies);
    let (projects, identities) = (tables::projects(&plan), tables::identities(&plan));
    let emails = tables::email_entries(&plan, &hash);
    let uids = tables::uid_entries(&plan, &hash);
    let usernames = tables::username_entries(&plan, &hash);
    let digests: Vec<(u64, u32)> = (0_u32..)
        .zip(&keys.rows)
        .map(|(ix, row)| (hash.hash_one(row.digest), ix))
        .collect();
    let mut all_names = names;
    all_names.extend(tables::key_name_entries(&plan, &hash));
    let rules = rules::rules(&plan, &mut grants, &hash);
    let roles = std::mem::take(&mut plan.roles);
    let sources = sources::sources(&plan, roles, &grants, &hash);
    let (holders, sets) = (grants.holders.clone(), std::mem::take(&mut grants.sets));
    let subjects = tables::subjects(&plan, &nodes);
    let by_subject: Vec<(u64, u32)> = (0_u32..)
        .zip(&subjects)
        .map(|(ix, row)| (hash.hash_one((row.organization, &*row.subject)), ix))
        .collect();
    let principals = tables::principals(&plan, &nodes, grants);
    let routes = Arc::new(routes::routes(&plan));
    Ok(Snapshot::new(Tables {
        revision: plan.revision,
        counts,
        names: Index::build(&all_names),
        emails: Index::build(&emails),
        uids: Index::build(&uids),
        usernames: Index::build(&usernames),
        digests: Index::build(&digests),
        hash,
        nodes: nodes.into_iter().collect(),
        projects,
        principals: principals.into_iter().collect(),
        keys: keys.rows.into_iter().collect(),
        key_ids: keys.ids.into_iter().collect(),
        restrictions: Arc::from(keys.restrictions),
        identities,
        holders: holders.into_iter().collect(),
        sets: Arc::new(sets),
        restricts: !rules.boundary_bindings.is_empty() || !rules.denies.is_empty(),
        conditions: !rules.principals.is_empty() || !rules.holders.is_empty(),
        rules: Arc::new(rules),
        sources: Arc::new(sources),
        permissions: Arc::new(plan.permissions),
        subjects: subjects.into_iter().collect(),
        by_subject: Index::build(&by_subject),
        routes,
        org_policies: Arc::new(org_policies),
    }))
}

fn too_many_sets(found: u32) -> Issues {
    let mut issues = Issues::default();
    issues.push(Issue {
        place: Place::default(),
        path: "allow_policy".into(),
        code: Code::OutOfBounds,
        found: format!("{found} distinct combinations of roles"),
        allowed: format!("at most {}", Grant::SETS_MAX),
    });
    issues
}

fn counts(plan: &Plan<'_>) -> Counts {
    let of = |kind: NodeKind| count(plan.nodes.iter().filter(|node| node.kind == kind).count());
    let users = plan
        .principals
        .iter()
        .filter(|p| matches!(p, Principal::User(_)))
        .count();
    Counts {
        organizations: of(NodeKind::Organization),
        teams: of(NodeKind::Team),
        projects: of(NodeKind::Project),
        users: count(users),
        groups: count(plan.groups.len()),
        service_accounts: of(NodeKind::ServiceAccount),
        keys: count(plan.keys.len()),
        roles: plan.custom_roles,
        permissions: plan.added_permissions,
        allow_policies: plan.policies,
        deny_policies: plan.deny_policies,
        access_boundaries: count(plan.boundaries.len()),
        access_boundary_bindings: count(plan.boundary_bindings.len()),
        identity_pools: count(plan.pools.len()),
        bindings: count(plan.bindings.len()),
        routes: count(plan.routes.len()),
    }
}

fn count(len: usize) -> u64 {
    u64::try_from(len).unwrap_or(u64::MAX)
}
