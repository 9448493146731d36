//! Steps 5 and 6: what a permission needs checked before any grant counts (SPEC 4.4, 5.4, 8).

use crate::decide::shape::expected;
use crate::decide::{
    Asked, Permission, Refusal, Target, credential, find, grants, refuse, service_enabled,
};
use crate::graph::permissions::Gate;
use crate::graph::rows::{AccountDetail, Identity, PrincipalRow};
use crate::graph::snapshot::Snapshot;
use crate::limits;
use crate::model::name;
use crate::model::node::{NodeKind, Visibility};
use crate::model::outcome::Reason;
use crate::model::principal::{Authentication, PrincipalIx};
use crate::model::value::Value;

/// The deny reason of the permission's gate; `None`: it is open.
///
/// Wrong resources and bad context are found before any constraint.
pub(super) fn check(
    snapshot: &Snapshot,
    asked: &Asked<'_, '_>,
    permission: Permission<'_>,
    target: &Target<'_>,
) -> Result<Option<Reason>, Refusal> {
    match permission.1.gate {
        Gate::None => Ok(None),
        Gate::SetVisibility => set_visibility(snapshot, asked, target),
        Gate::CreateProject => create_project(snapshot, asked, target),
        Gate::Move => move_run(snapshot, asked, permission, target),
        Gate::CreateAccount => create_account(snapshot, asked, target),
        Gate::CreateKeyPair => create_key_pair(snapshot, asked, target),
        Gate::CreateApiKey => create_api_key(snapshot, asked, target),
        Gate::ActAs => act_as(snapshot, asked, target),
        Gate::Token => account(snapshot, target).map(|(row, _)| unless_living(row)),
    }
}

fn wrong_kind<T>(expectation: &str) -> Result<T, Refusal> {
    refuse(
        "resource",
        format!("this permission is asked on {expectation}"),
    )
}

/// The service account that the resource is; keys and things below it are not.
fn account<'s>(
    snapshot: &'s Snapshot,
    target: &Target<'s>,
) -> Result<(&'s PrincipalRow, &'s AccountDetail), Refusal> {
    if target.exact && target.row.kind == NodeKind::ServiceAccount {
        let ix = PrincipalIx(target.row.detail);
        let detail = snapshot.identity(ix).and_then(Identity::account);
        if let (Some(row), Some(detail)) = (snapshot.principal(ix), detail) {
            return Ok((row, detail));
        }
    }
    wrong_kind("a service account")
}

fn unless_living(row: &PrincipalRow) -> Option<Reason> {
    (row.disabled || row.deleted).then_some(Reason::Constraint)
}

fn wanted(asked: &Asked<'_, '_>) -> Result<Visibility, Refusal> {
    const FIELD: &str = "context.visibility";
    const EXPECTED: &str = "TEAM, RESTRICTED, PUBLIC or OPEN";
    match asked.query.context.get("visibility") {
        Some(Value::String(word)) => match Visibility::parse(word) {
            Some(visibility) => Ok(visibility),
            None => refuse(FIELD, expected(word, EXPECTED)),
        },
        Some(_) => refuse(FIELD, format!("expected the string {EXPECTED}")),
        None => refuse(FIELD, format!("missing; expected {EXPECTED}")),
    }
}

/// SPEC 4.4: `private_projects_only` of the organization or an ancestor team.
fn private_only(snapshot: &Snapshot, target: &Target<'_>) -> bool {
    let on = |level| {
        let node = snapshot.ancestor(target.node, target.row, level);
        node.and_then(|node| snapshot.node(node))
            .is_none_or(|row| row.settings.private_projects_only)
    };
    (0..=target.row.team_level).any(on)
}

const fn is_public(visibility: Visibility) -> bool {
    matches!(visibility, Visibility::Public | Visibility::Open)
}

fn set_visibility(
    snapshot: &Snapshot,
    asked: &Asked<'_, '_>,
    target: &Target<'_>,
) -> Result<Option<Reason>, Refusal> {
    if !target.exact || target.row.kind != NodeKind::Project {
        return wrong_kind("a project");
    }
    let (now, wanted) = (target.row.visibility, wanted(asked)?);
    let leaves_restricted = now == Visibility::Restricted && wanted != Visibility::Team;
    let stopped = leaves_restricted || (is_public(wanted) && private_only(snapshot, target));
    Ok((wanted != now && stopped).then_some(Reason::Constraint))
}

fn create_project(
    snapshot: &Snapshot,
    asked: &Asked<'_, '_>,
    target: &Target<'_>,
) -> Result<Option<Reason>, Refusal> {
    if !target.exact || !matches!(target.row.kind, NodeKind::Organization | NodeKind::Team) {
        return wrong_kind("an organization or team");
    }
    let wanted = wanted(asked)?;
    Ok((is_public(wanted) && private_only(snapshot, target)).then_some(Reason::Constraint))
}

/// SPEC 4.4: the destination must allow the same request too.
fn move_run(
    snapshot: &Snapshot,
    asked: &Asked<'_, '_>,
    permission: Permission<'_>,
    target: &Target<'_>,
) -> Result<Option<Reason>, Refusal> {
    const FIELD: &str = "context.destination";
    const EXPECTED: &str = "the name of a project";
    let Some(from) = target.project else {
        return wrong_kind("a project or something below one");
    };
    let destination = match asked.query.context.get("destination") {
        Some(Value::String(destination)) => destination.as_str(),
        Some(_) => return refuse(FIELD, format!("expected {EXPECTED}")),
        None => return refuse(FIELD, format!("missing; expected {EXPECTED}")),
    };
    match name::parse(destination) {
        Err(fault) => return refuse(FIELD, fault.to_string()),
        Ok(parsed) => {
            if parsed.default_team || !name::is_of_form(destination, "projects") {
                return refuse(FIELD, expected(destination, EXPECTED));
            }
        }
    }
    let to = find(snapshot, destination, false);
    let narrowed = credential::narrowed(snapshot, asked, destination, to.as_ref());
    if narrowed.is_some() {
        return Ok(narrowed);
    }
    let Some((to, project)) = to.and_then(|to| Some((to, to.project?))) else {
        return Ok(Some(Reason::ResourceNotFound));
    };
    let restricted = Visibility::Restricted;
    if from.visibility == restricted && project.visibility != restricted {
        return Ok(Some(Reason::Constraint));
    }
    if !service_enabled(snapshot, asked.who, permission.0, &to) {
        return Ok(Some(Reason::ServiceDisabled));
    }
    let there = grants::reason(snapshot, asked, permission, &to);
    Ok(match crate::decide::effect(there) {
        crate::model::outcome::Effect::Allow => None,
        crate::model::outcome::Effect::Deny => Some(there),
    })
}

/// `context.count`: how many are to be created (SPEC 5.4).
fn count(asked: &Asked<'_, '_>) -> Result<u32, Refusal> {
    let bad = || {
        let max = limits::CREATE_COUNT_MAX;
        refuse(
            "context.count",
            format!("expected a whole number from 1 to {max}"),
        )
    };
    let number = match asked.query.context.get("count") {
        None => return Ok(1),
        Some(Value::Number(number)) => *number,
        Some(_) => return bad(),
    };
    // Of the whole numbers from 1 to 1,000 each is equal to exactly one f64.
    match (1..=limits::CREATE_COUNT_MAX).find(|count| f64::from(*count) == number) {
        Some(count) => Ok(count),
        None => bad(),
    }
}

fn organization_settings(snapshot: &Snapshot, target: &Target<'_>) -> crate::graph::rows::Settings {
    let node = snapshot.ancestor(target.node, target.row, 0);
    let strict = crate::graph::rows::Settings {
        enforce_org_scoped_keys: true,
        disable_key_creation: true,
        disable_team_service_account_creation: true,
        private_projects_only: true,
    };
    node.and_then(|node| snapshot.node(node))
        .map_or(strict, |row| row.settings)
}

fn create_account(
    snapshot: &Snapshot,
    asked: &Asked<'_, '_>,
    target: &Target<'_>,
) -> Result<Option<Reason>, Refusal> {
    let kind = target.row.kind;
    if !target.exact
        || !matches!(
            kind,
            NodeKind::Organization | NodeKind::Team | NodeKind::Project
        )
    {
        return wrong_kind("an organization, team or project");
    }
    let count = count(asked)?;
    let settings = organization_settings(snapshot, target);
    if kind == NodeKind::Team && settings.disable_team_service_account_creation {
        return Ok(Some(Reason::Constraint));
    }
    let full = target
        .project_detail(snapshot)
        .is_some_and(|project| project.accounts.saturating_add(count) > project.quota);
    Ok(full.then_some(Reason::QuotaExceeded))
}

fn create_key_pair(
    snapshot: &Snapshot,
    asked: &Asked<'_, '_>,
    target: &Target<'_>,
) -> Result<Option<Reason>, Refusal> {
    account(snapshot, target)?;
    // Key pairs are refused by validation: every account has none.
    Ok((count(asked)? > limits::KEY_PAIRS_PER_ACCOUNT_MAX).then_some(Reason::QuotaExceeded))
}

fn create_api_key(
    snapshot: &Snapshot,
    asked: &Asked<'_, '_>,
    target: &Target<'_>,
) -> Result<Option<Reason>, Refusal> {
    let (_, account) = account(snapshot, target)?;
    let count = count(asked)?;
    let organization_scoped = target.row.level == 1;
    let settings = organization_settings(snapshot, target);
    if account.authentication == Authentication::Federated
        || (settings.disable_key_creation && !organization_scoped)
    {
        return Ok(Some(Reason::Constraint));
    }
    let full = account.api_keys.saturating_add(count) > limits::API_KEYS_PER_ACCOUNT_MAX;
    Ok(full.then_some(Reason::QuotaExceeded))
}

/// SPEC 6.3, 8: a living account, attached within its project (or below its team or
/// organization).
fn act_as(
    snapshot: &Snapshot,
    asked: &Asked<'_, '_>,
    target: &Target<'_>,
) -> Result<Option<Reason>, Refusal> {
    const FIELD: &str = "context.attached_resource";
    let (row, _) = account(snapshot, target)?;
    let attached = match asked.query.context.get("attached_resource") {
        Some(Value::String(attached)) => attached.as_str(),
        Some(_) => return refuse(FIELD, "expected a resource name".to_owned()),
        None => return refuse(FIELD, "missing; expected a resource name".to_owned()),
    };
    match name::parse(attached) {
        Err(fault) => return refuse(FIELD, fault.to_string()),
        Ok(parsed) if parsed.default_team => {
            return refuse(
                FIELD,
                "`-` cannot be resolved here; name the team".to_owned(),
            );
        }
        Ok(_) => {}
    }
    let home = snapshot.node(target.row.parent);
    let inside = home.is_some_and(|home| name::is_at_or_below(attached, home.name.as_str()));
    Ok(unless_living(row).or_else(|| (!inside).then_some(Reason::Constraint)))
}
