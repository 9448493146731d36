//! What a permission's gate reads: constraints, switches, quotas (SPEC 4.4, 5.4, 8).

use crate::decide::explain::Checked;
use crate::decide::{Asked, Permission, Target, find};
use crate::graph::constraints::{self, Value};
use crate::graph::document::AnyOr;
use crate::graph::edit::Setting;
use crate::graph::permissions::Gate;
use crate::graph::rows::{Identity, NodeRow};
use crate::graph::snapshot::Snapshot;
use crate::limits;
use crate::model::constraint::Constraint;
use crate::model::node::{NodeKind, Visibility};
use crate::model::principal::{Authentication, PrincipalIx};
use crate::model::value::Value as Said;

/// The constraints that a gate reads.
pub(super) const fn read(gate: Gate) -> &'static [Constraint] {
    match gate {
        Gate::None | Gate::SetVisibility | Gate::CreateProject | Gate::Move => &[],
        Gate::CreateApiKey => &[],
        Gate::CreateAccount => &[Constraint::DisableServiceAccountCreation],
        Gate::CreateKeyPair => &[
            Constraint::DisableServiceAccountKeyCreation,
            Constraint::ServiceAccountKeyExpiryHours,
        ],
        Gate::UploadKeyPair => &[
            Constraint::DisableServiceAccountKeyUpload,
            Constraint::ServiceAccountKeyExpiryHours,
        ],
        Gate::ActAs => &[Constraint::DisableCrossProjectServiceAccountUsage],
        Gate::Token => &[Constraint::AllowServiceAccountCredentialLifetimeExtension],
        Gate::ConfigureProvider => &[
            Constraint::WorkloadIdentityPoolProviders,
            Constraint::WorkloadIdentityPoolAwsAccounts,
        ],
        Gate::UpdateLiens => &[Constraint::RestrictCrossProjectServiceAccountLienRemoval],
        Gate::CreateCluster => &[Constraint::DisableWorkloadIdentityClusterCreation],
    }
}

/// The settings that a gate reads, and on which levels: all down to the lowest team, or the
/// organization's only.
pub(super) const fn settings(gate: Gate) -> Option<(Setting, bool)> {
    match gate {
        Gate::SetVisibility | Gate::CreateProject => Some((Setting::PrivateProjectsOnly, true)),
        Gate::CreateAccount => Some((Setting::DisableTeamServiceAccountCreation, false)),
        Gate::CreateApiKey => Some((Setting::DisableKeyCreation, false)),
        Gate::None
        | Gate::Move
        | Gate::CreateKeyPair
        | Gate::UploadKeyPair
        | Gate::ActAs
        | Gate::Token
        | Gate::ConfigureProvider
        | Gate::UpdateLiens
        | Gate::CreateCluster => None,
    }
}

/// The nodes on the way whose setting is on, from the top.
pub(super) fn turned_on(
    snapshot: &Snapshot,
    target: &Target<'_>,
    (setting, teams): (Setting, bool),
) -> Vec<u32> {
    let last = if teams { target.row.team_level } else { 0 };
    let nodes = (0..=last).flat_map(|level| snapshot.ancestor(target.node, target.row, level));
    let on = |node: &u32| snapshot.node(*node).is_some_and(|row| is_on(row, setting));
    nodes.filter(on).collect()
}

const fn is_on(row: &NodeRow, setting: Setting) -> bool {
    match setting {
        Setting::EnforceOrgScopedKeys => row.settings.enforce_org_scoped_keys,
        Setting::DisableKeyCreation => row.settings.disable_key_creation,
        Setting::DisableTeamServiceAccountCreation => {
            row.settings.disable_team_service_account_creation
        }
        Setting::PrivateProjectsOnly => row.settings.private_projects_only,
    }
}

/// Everything that the gate of the permission reads.
pub(super) fn checks(
    snapshot: &Snapshot,
    asked: &Asked<'_, '_>,
    (_, permission): Permission<'_>,
    target: &Target<'_>,
) -> Vec<Checked> {
    let mut list = Vec::new();
    let name = |node: u32| {
        snapshot
            .node(node)
            .map_or("", |row| row.name.as_str())
            .to_owned()
    };
    for constraint in read(permission.gate) {
        let effective = constraints::effective(snapshot, target.node, *constraint);
        list.push(Checked {
            name: constraint.name().to_owned(),
            value: text(&effective.value()),
            sources: effective.nodes().map(name).collect(),
        });
    }
    if let Some(setting) = settings(permission.gate) {
        let on = turned_on(snapshot, target, setting);
        list.push(Checked {
            name: setting.0.name().to_owned(),
            value: (if on.is_empty() { "off" } else { "on" }).to_owned(),
            sources: on.into_iter().map(name).collect(),
        });
    }
    facts(snapshot, asked, permission.gate, target, &mut list);
    list
}

/// What the gate reads of the resource itself.
fn facts(
    snapshot: &Snapshot,
    asked: &Asked<'_, '_>,
    gate: Gate,
    target: &Target<'_>,
    list: &mut Vec<Checked>,
) {
    let fact = |name: &str, value: String, source: &str| Checked {
        name: name.to_owned(),
        value,
        sources: vec![source.to_owned()],
    };
    let here = target.row.name.as_str();
    match gate {
        Gate::CreateAccount if target.row.kind == NodeKind::Project => {
            if let Some(project) = target.project_detail(snapshot) {
                let value = format!("{} of {} used", project.accounts, project.quota);
                list.push(fact("service_account_quota", value, here));
            }
        }
        Gate::CreateApiKey => {
            if let Some(account) = account(snapshot, target).and_then(Identity::account) {
                let most = limits::API_KEYS_PER_ACCOUNT_MAX;
                let value = format!("{} of {most} used", account.api_keys);
                list.push(fact("api_keys", value, here));
                if account.authentication == Authentication::Federated {
                    list.push(fact("authentication", "FEDERATED".to_owned(), here));
                }
            }
        }
        Gate::ActAs | Gate::Token => {
            let row = snapshot.principal(PrincipalIx(target.row.detail));
            let living = row.is_some_and(|row| !row.disabled && !row.deleted);
            let value = if living {
                "enabled"
            } else {
                "disabled or deleted"
            };
            list.push(fact("service_account", value.to_owned(), here));
        }
        Gate::SetVisibility => list.push(fact("visibility", word(target), here)),
        Gate::Move => {
            list.push(fact("visibility", word(target), here));
            if let Some(to) = destination(snapshot, asked) {
                list.push(fact("visibility", word(&to), to.row.name.as_str()));
            }
        }
        Gate::None
        | Gate::CreateProject
        | Gate::CreateAccount
        | Gate::CreateKeyPair
        | Gate::UploadKeyPair
        | Gate::ConfigureProvider
        | Gate::UpdateLiens
        | Gate::CreateCluster => {}
    }
}

fn account<'s>(snapshot: &'s Snapshot, target: &Target<'_>) -> Option<&'s Identity> {
    let is_account = target.row.kind == NodeKind::ServiceAccount;
    is_account.then(|| snapshot.identity(PrincipalIx(target.row.detail)))?
}

/// Where `models.runs.move` moves to.
pub(super) fn destination<'s>(snapshot: &'s Snapshot, asked: &Asked<'_, '_>) -> Option<Target<'s>> {
    match asked.query.context.get("destination") {
        Some(Said::String(name)) => find(snapshot, name, false),
        Some(_) | None => None,
    }
}

fn word(target: &Target<'_>) -> String {
    let visibility = target.project.map(|project| project.visibility);
    visibility.map_or("", visibility_word).to_owned()
}

/// The word of the API.
const fn visibility_word(visibility: Visibility) -> &'static str {
    match visibility {
        Visibility::Team => "TEAM",
        Visibility::Restricted => "RESTRICTED",
        Visibility::Public => "PUBLIC",
        Visibility::Open => "OPEN",
    }
}

fn text(value: &Value) -> String {
    let list = |list: &AnyOr<String>| match list {
        AnyOr::Any => "any".to_owned(),
        AnyOr::List(values) if values.is_empty() => "none".to_owned(),
        AnyOr::List(values) => {
            let shown = values.iter().take(limits::EXPLAINED_MATCHES_MAX);
            let mut text = shown.cloned().collect::<Vec<_>>().join(", ");
            let more = values.len().saturating_sub(limits::EXPLAINED_MATCHES_MAX);
            if more > 0 {
                text.push_str(&format!(" and {more} more"));
            }
            text
        }
    };
    match value {
        Value::Boolean(true) => "enforced".to_owned(),
        Value::Boolean(false) => "not enforced".to_owned(),
        Value::List { allow, deny } if *deny == AnyOr::List(Vec::new()) => {
            format!("allows {}", list(allow))
        }
        Value::List { allow, deny } => format!("allows {}, denies {}", list(allow), list(deny)),
    }
}
