//! Rows of nodes, projects, principals and keys, and the entries of their indices.

use std::collections::HashMap;
use std::sync::Arc;

use crate::graph::constraints::{Effective, Policies};
use crate::graph::document::AnyOr;
use crate::graph::plan::{Plan, Principal};
use crate::graph::rows::{
    Account, AccountDetail, Grants, Holders, Identity, KeyRow, NO_LEVEL, NONE, NodeRow,
    PATH_LEVELS, PrincipalDetail, PrincipalRow, ProjectRow, RestrictionRow, SubjectRow, UserDetail,
};
use crate::graph::shard::Paged;
use crate::graph::snapshot::KEY_NAME;
use crate::graph::text::Text;
use crate::limits;
use crate::model::constraint::{Constraint, DISABLE_KEY, WAIT_FOR_ABUSE};
use crate::model::node::{NodeKind, Visibility};
use crate::model::principal::{AccountKind, SeatLevel};

use super::grants;
use crate::graph::at;

/// Node rows, parents first; a parent's row is finished before its children's.
pub(super) fn nodes(plan: &Plan<'_>) -> Vec<NodeRow> {
    let mut rows: Vec<NodeRow> = Vec::with_capacity(plan.nodes.len());
    let mut project_count = 0_u32;
    for (ix, node) in (0_u32..).zip(&plan.nodes) {
        let above = node.parent.and_then(|parent| at(&rows, parent));
        let level = above.map_or(0, |row| row.level.saturating_add(1));
        let mut path = above.map_or([NONE; PATH_LEVELS], |row| row.path);
        if let Some(slot) = path.get_mut(usize::from(level)) {
            *slot = ix;
        }
        let detail = match node.kind {
            NodeKind::Project => {
                project_count += 1;
                project_count - 1
            }
            _ => node.principal.unwrap_or(NONE),
        };
        let project_level = match node.kind {
            NodeKind::Project => level,
            _ => above.map_or(NO_LEVEL, |row| row.project_level),
        };
        let team_level = match node.kind {
            NodeKind::Team => level,
            _ => above.map_or(0, |row| row.team_level),
        };
        rows.push(NodeRow {
            path,
            name: Text::new(node.name),
            kind: node.kind,
            visibility: node
                .project
                .map_or(Visibility::Team, |project| project.visibility),
            settings: node.settings,
            level,
            project_level,
            team_level,
            limits_services: node
                .project
                .is_some_and(|project| project.services != AnyOr::Any),
            parent: node.parent.unwrap_or(NONE),
            detail,
        });
    }
    rows
}

/// Project rows in the order of their nodes, with the accounts that live in them.
pub(super) fn projects(plan: &Plan<'_>) -> Paged<ProjectRow> {
    let mut living: HashMap<u32, u32> = HashMap::new();
    for principal in &plan.principals {
        if let Principal::Account { entity, parent, .. } = principal
            && entity.deleted_at.is_none()
            && entity.kind == AccountKind::UserManaged
        {
            let count = living.entry(*parent).or_default();
            *count = count.saturating_add(1);
        }
    }
    let projects = (0_u32..)
        .zip(&plan.nodes)
        .flat_map(|(ix, node)| node.project.map(|p| (ix, p)));
    let row = |(ix, project): (u32, &crate::graph::document::Project)| ProjectRow {
        services: match &project.services {
            AnyOr::Any => None,
            AnyOr::List(services) => Some(Arc::new(plan.permissions.set(|row| {
                let service = row.name.split('.').next().unwrap_or_default();
                services.iter().any(|s| s == service)
            }))),
        },
        quota: project
            .service_account_quota
            .unwrap_or(limits::SERVICE_ACCOUNT_QUOTA_DEFAULT),
        accounts: living.get(&ix).copied().unwrap_or(0),
    };
    projects.map(row).collect()
}

/// Principal rows.
pub(super) fn principals(
    plan: &Plan<'_>,
    nodes: &[NodeRow],
    grants: grants::Compiled,
) -> Vec<PrincipalRow> {
    let row = |(principal, (own, holders)): (&Principal<'_>, (Grants, Holders))| {
        let (email, disabled) = match principal {
            Principal::User(user) => (&user.email, user.disabled),
            Principal::Account { entity, .. } => (&entity.email, entity.disabled),
        };
        let (mut account, mut deleted, mut limited_seats) = (None, false, false);
        match principal {
            Principal::User(user) => {
                let full = |level: SeatLevel| level == SeatLevel::Full;
                limited_seats = user.seats.iter().any(|s| !full(s.models) || !full(s.weave));
            }
            Principal::Account {
                entity,
                node,
                parent,
                ..
            } => {
                let above = at(nodes, *parent);
                let scope = above
                    .filter(|row| row.kind != NodeKind::Project)
                    .filter(|_| entity.kind != AccountKind::ServiceAgent);
                let limited_home = above.filter(|row| row.limits_services);
                deleted = entity.deleted_at.is_some();
                account = Some(Account {
                    node: *node,
                    implicit: scope.map_or(NONE, |_| *parent),
                    implicit_level: scope.map_or(NO_LEVEL, |row| row.level),
                    limited_home: limited_home.map_or(NONE, |row| row.detail),
                });
            }
        }
        PrincipalRow {
            email: Text::new(&email.to_ascii_lowercase()),
            grants: own,
            holders,
            account,
            disabled,
            deleted,
            limited_seats,
        }
    };
    plan.principals
        .iter()
        .zip(grants.principals)
        .map(row)
        .collect()
}

/// What is read of principals off the common path.
pub(super) fn identities(plan: &Plan<'_>) -> Paged<Identity> {
    let mut api_keys: HashMap<u32, u32> = HashMap::new();
    for key in &plan.keys {
        let count = api_keys.entry(key.owner).or_default();
        *count = count.saturating_add(1);
    }
    let identity = |(ix, principal): (u32, &Principal<'_>)| match principal {
        Principal::User(user) => {
            let seat = |seat: &crate::graph::document::Seat| {
                let node = plan.by_name.get(seat.organization.as_str()).copied();
                node.map(|node| (node, seat.models, seat.weave))
            };
            Identity {
                uid: Text::new(&user.uid),
                detail: PrincipalDetail::User(Box::new(UserDetail {
                    name: user.name.as_str().into(),
                    username: user.username.as_str().into(),
                    seats: user.seats.iter().flat_map(seat).collect(),
                })),
            }
        }
        Principal::Account { entity, team, .. } => Identity {
            uid: Text::new(&entity.uid),
            detail: PrincipalDetail::Account(AccountDetail {
                default_team: team.unwrap_or(NONE),
                kind: entity.kind,
                authentication: entity.authentication,
                api_keys: api_keys.get(&ix).copied().unwrap_or(0),
            }),
        },
    };
    (0_u32..).zip(&plan.principals).map(identity).collect()
}

/// Key rows and the restrictions they point to.
pub(super) struct Keys {
    pub(super) rows: Vec<KeyRow>,
    pub(super) ids: Vec<Text<23>>,
    pub(super) restrictions: Vec<RestrictionRow>,
}

/// Key rows.
pub(super) fn keys(plan: &Plan<'_>, nodes: &[NodeRow], policies: &Policies) -> Keys {
    let mut keys = Keys {
        rows: Vec::with_capacity(plan.keys.len()),
        ids: Vec::with_capacity(plan.keys.len()),
        restrictions: Vec::new(),
    };
    for key in &plan.keys {
        let restrictions = key.restrictions.as_ref().map_or(NONE, |row| {
            keys.restrictions.push(row.clone());
            u32::try_from(keys.restrictions.len() - 1).unwrap_or(NONE)
        });
        let (digest, is_hmac) = key.entity.material.digest().unwrap_or((&[0; 32], false));
        keys.rows.push(KeyRow {
            digest: *digest,
            not_before: key.entity.not_before.unwrap_or(i64::MIN),
            not_after: key.entity.not_after.unwrap_or(i64::MAX),
            owner: key.owner,
            organization: key.organization.unwrap_or(NONE),
            restrictions,
            is_hmac,
            disabled: key.entity.disabled
                || key.entity.exposed_at.is_some() && !is_waiting(plan, nodes, policies, key.owner),
        });
        let id = key.entity.name.rsplit('/').next().unwrap_or_default();
        keys.ids.push(Text::new(id));
    }
    keys
}

/// Whether an exposed key of this owner goes on until somebody abuses it (SPEC 8). The keys of
/// users do not: the constraint is one of service accounts.
fn is_waiting(plan: &Plan<'_>, nodes: &[NodeRow], policies: &Policies, owner: u32) -> bool {
    let Some(Principal::Account { node, .. }) = at(&plan.principals, owner) else {
        return false;
    };
    let above = |node: u32| at(nodes, node).map_or(NONE, |row| row.parent);
    let constraint = Constraint::ServiceAccountKeyExposureResponse;
    let effective = Effective::new(policies, above, *node, constraint);
    effective.accepts(WAIT_FOR_ABUSE) && !effective.accepts(DISABLE_KEY)
}

/// Names of service accounts' keys: resources of their account. Users' keys are none.
pub(super) fn key_name_entries(plan: &Plan<'_>, hash: &ahash::RandomState) -> Vec<(u64, u32)> {
    let of_account =
        |owner: u32| matches!(at(&plan.principals, owner), Some(Principal::Account { .. }));
    (0_u32..)
        .zip(&plan.keys)
        .filter(|(_, key)| of_account(key.owner))
        .map(|(ix, key)| (hash.hash_one(key.entity.name.as_bytes()), ix | KEY_NAME))
        .collect()
}

/// E-mails in lower case: of the living, and of deleted accounts.
pub(super) fn email_entries(plan: &Plan<'_>, hash: &ahash::RandomState) -> Vec<(u64, u32)> {
    let entry = |(ix, principal): (u32, &Principal<'_>)| {
        let email = match principal {
            Principal::User(user) => &user.email,
            Principal::Account { entity, .. } => &entity.email,
        };
        (hash.hash_one(email.to_ascii_lowercase().as_bytes()), ix)
    };
    (0_u32..).zip(&plan.principals).map(entry).collect()
}

/// Uids of principals.
pub(super) fn uid_entries(plan: &Plan<'_>, hash: &ahash::RandomState) -> Vec<(u64, u32)> {
    let entry = |(ix, principal): (u32, &Principal<'_>)| {
        let uid = match principal {
            Principal::User(user) => &user.uid,
            Principal::Account { entity, .. } => &entity.uid,
        };
        (hash.hash_one(uid.as_bytes()), ix)
    };
    (0_u32..).zip(&plan.principals).map(entry).collect()
}

/// User names, where there are some.
pub(super) fn username_entries(plan: &Plan<'_>, hash: &ahash::RandomState) -> Vec<(u64, u32)> {
    let entry = |(ix, principal): (u32, &Principal<'_>)| match principal {
        Principal::User(user) if !user.username.is_empty() => {
            Some((hash.hash_one(user.username.as_bytes()), ix))
        }
        Principal::User(_) | Principal::Account { .. } => None,
    };
    (0_u32..).zip(&plan.principals).flat_map(entry).collect()
}

/// Living accounts with a federated subject, which is unique in the organization (SPEC 9.4).
pub(super) fn subjects(plan: &Plan<'_>, nodes: &[NodeRow]) -> Vec<SubjectRow> {
    let row = |(ix, principal): (u32, &Principal<'_>)| match principal {
        Principal::Account { entity, parent, .. }
            if entity.deleted_at.is_none() && !entity.federated_subject.is_empty() =>
        {
            let [organization, ..] = at(nodes, *parent)?.path;
            Some(SubjectRow {
                organization,
                principal: ix,
                subject: entity.federated_subject.as_str().into(),
            })
        }
        Principal::User(_) | Principal::Account { .. } => None,
    };
    (0_u32..).zip(&plan.principals).filter_map(row).collect()
}
