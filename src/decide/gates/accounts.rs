//! Gates of service accounts: new accounts, keys, `actAs` and tokens (SPEC 5.4, 6.3, 8).

use std::time::Duration;

use super::context::{self, Lifetime};
use super::{effective, wrong_kind};
use crate::decide::{Asked, Permission, Refusal, Target, refuse};
use crate::graph::constraints;
use crate::graph::rows::{AccountDetail, Identity, PrincipalRow, Settings};
use crate::graph::snapshot::Snapshot;
use crate::limits;
use crate::model::constraint::Constraint;
use crate::model::name;
use crate::model::node::NodeKind;
use crate::model::outcome::{Obligation, Reason};
use crate::model::principal::{AccountKind, Authentication, PrincipalIx};

/// What the grant of default accounts and agents is (FACTS B2.3, B2.4).
const GRANTED_ROLE: &str = "roles/editor";
/// The one token permission that makes no credential.
const DELEGATION: &str = "iam.serviceAccounts.implicitDelegation";

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

fn organization_settings(snapshot: &Snapshot, target: &Target<'_>) -> Settings {
    let node = snapshot.ancestor(target.node, target.row, 0);
    let strict = Settings {
        enforce_org_scoped_keys: true,
        disable_key_creation: true,
        disable_team_service_account_creation: true,
        private_projects_only: true,
    };
    node.and_then(|node| snapshot.node(node))
        .map_or(strict, |row| row.settings)
}

pub(super) fn create(
    snapshot: &Snapshot,
    asked: &Asked<'_, '_>,
    target: &Target<'_>,
) -> Result<Option<Reason>, Refusal> {
    let kind = target.row.kind;
    let holds_accounts = matches!(
        kind,
        NodeKind::Organization | NodeKind::Team | NodeKind::Project
    );
    if !target.exact || !holds_accounts {
        return wrong_kind("an organization, team or project");
    }
    let count = context::count(asked)?;
    let managed = context::account_kind(asked)? == AccountKind::UserManaged;
    if !managed && kind == NodeKind::Project {
        context::account_email(asked)?;
        if count != 1 {
            let description = "of such accounts each has its own e-mail; expected 1";
            return refuse("context.count", description.to_owned());
        }
    }
    let settings = organization_settings(snapshot, target);
    let off = effective(snapshot, target, Constraint::DisableServiceAccountCreation).enforced();
    if off || (kind == NodeKind::Team && settings.disable_team_service_account_creation) {
        return Ok(Some(Reason::Constraint));
    }
    let full = target
        .project_detail(snapshot)
        .is_some_and(|project| project.accounts.saturating_add(count) > project.quota);
    Ok((managed && full).then_some(Reason::QuotaExceeded))
}

/// SPEC 5.4: what goes with an allowed create of a default account or agent.
#[cold]
pub(in crate::decide) fn obligation(
    snapshot: &Snapshot,
    asked: &Asked<'_, '_>,
    target: &Target<'_>,
) -> Result<Option<Box<Obligation>>, Refusal> {
    let managed = context::account_kind(asked)? == AccountKind::UserManaged;
    let constraint = Constraint::AutomaticIamGrantsForDefaultServiceAccounts;
    if managed
        || target.row.kind != NodeKind::Project
        || effective(snapshot, target, constraint).enforced()
    {
        return Ok(None);
    }
    Ok(Some(Box::new(Obligation::GrantRole {
        role: GRANTED_ROLE,
        email: context::account_email(asked)?.to_ascii_lowercase(),
    })))
}

/// `switch` is the constraint that stops all of them.
pub(super) fn create_key_pair(
    snapshot: &Snapshot,
    asked: &Asked<'_, '_>,
    target: &Target<'_>,
    switch: Constraint,
) -> Result<Option<Reason>, Refusal> {
    account(snapshot, target)?;
    let count = context::count(asked)?;
    let longest = effective(snapshot, target, Constraint::ServiceAccountKeyExpiryHours);
    let too_long = match longest.expiry_seconds() {
        None => false,
        Some(seconds) => {
            context::lifetime_said(asked)? > Lifetime::For(Duration::from_secs(seconds))
        }
    };
    if too_long || effective(snapshot, target, switch).enforced() {
        return Ok(Some(Reason::Constraint));
    }
    // Key pairs are refused by validation: every account has none.
    Ok((count > limits::KEY_PAIRS_PER_ACCOUNT_MAX).then_some(Reason::QuotaExceeded))
}

pub(super) fn create_api_key(
    snapshot: &Snapshot,
    asked: &Asked<'_, '_>,
    target: &Target<'_>,
) -> Result<Option<Reason>, Refusal> {
    let (_, account) = account(snapshot, target)?;
    let count = context::count(asked)?;
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
/// organization) unless its project says otherwise.
pub(super) fn act_as(
    snapshot: &Snapshot,
    asked: &Asked<'_, '_>,
    target: &Target<'_>,
) -> Result<Option<Reason>, Refusal> {
    let (row, _) = account(snapshot, target)?;
    let attached = context::attached_resource(asked)?;
    let home = snapshot.node(target.row.parent);
    let inside = home.is_some_and(|home| name::is_at_or_below(attached, home.name.as_str()));
    let constraint = Constraint::DisableCrossProjectServiceAccountUsage;
    let stopped = !inside && effective(snapshot, target, constraint).enforced();
    Ok(unless_living(row).or_else(|| stopped.then_some(Reason::Constraint)))
}

/// SPEC 6.3, 10.3: a living account, for no longer than it may have credentials.
pub(super) fn token(
    snapshot: &Snapshot,
    asked: &Asked<'_, '_>,
    permission: Permission<'_>,
    target: &Target<'_>,
) -> Result<Option<Reason>, Refusal> {
    let (row, _) = account(snapshot, target)?;
    let lifetime = if *permission.1.name == *DELEGATION {
        None
    } else {
        context::lifetime(asked)?
    };
    let longest = Lifetime::For(Duration::from_secs(limits::TOKEN_SECONDS_EXTENDED));
    if lifetime.is_some_and(|lifetime| lifetime > longest) {
        let longest = limits::TOKEN_SECONDS_EXTENDED;
        let description = format!("of a credential at most {longest}s");
        return refuse(context::LIFETIME, description);
    }
    let too_long = |lifetime: Lifetime| {
        let email = row.email.as_str();
        let seconds = constraints::token_seconds(snapshot, target.node, email);
        lifetime > Lifetime::For(Duration::from_secs(seconds))
    };
    let stopped = || lifetime.is_some_and(too_long).then_some(Reason::Constraint);
    Ok(unless_living(row).or_else(stopped))
}
