//! Steps 5 and 6: what a permission needs checked before any grant counts (SPEC 4.4, 5.4, 8).

mod accounts;
mod configure;
mod context;
mod projects;

use crate::decide::{Asked, Permission, Refusal, Target, refuse};
use crate::graph::constraints::{self, Effective};
use crate::graph::permissions::Gate;
use crate::graph::snapshot::Snapshot;
use crate::model::constraint::Constraint;
use crate::model::outcome::{Obligation, Reason};

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
        Gate::SetVisibility => projects::set_visibility(snapshot, asked, target),
        Gate::CreateProject => projects::create(snapshot, asked, target),
        Gate::Move => projects::move_run(snapshot, asked, permission, target),
        Gate::CreateAccount => accounts::create(snapshot, asked, target),
        Gate::CreateKeyPair => {
            let switch = Constraint::DisableServiceAccountKeyCreation;
            accounts::create_key_pair(snapshot, asked, target, switch)
        }
        Gate::UploadKeyPair => {
            let switch = Constraint::DisableServiceAccountKeyUpload;
            accounts::create_key_pair(snapshot, asked, target, switch)
        }
        Gate::CreateApiKey => accounts::create_api_key(snapshot, asked, target),
        Gate::ActAs => accounts::act_as(snapshot, asked, target),
        Gate::Token => accounts::token(snapshot, asked, permission, target),
        Gate::ConfigureProvider => configure::provider(snapshot, asked, target),
        Gate::UpdateLiens => configure::liens(snapshot, asked, permission, target),
        Gate::CreateCluster => configure::cluster(snapshot, asked, target),
    }
}

/// What the caller of an allowed request must do if it goes on (SPEC 5.4).
pub(super) fn obligation(
    snapshot: &Snapshot,
    asked: &Asked<'_, '_>,
    target: &Target<'_>,
) -> Result<Option<Box<Obligation>>, Refusal> {
    let row = asked
        .permission
        .and_then(|ix| snapshot.permissions().get(ix));
    match row.map(|row| row.gate) {
        Some(Gate::CreateAccount) => accounts::obligation(snapshot, asked, target),
        _ => Ok(None),
    }
}

fn wrong_kind<T>(expectation: &str) -> Result<T, Refusal> {
    refuse(
        "resource",
        format!("this permission is asked on {expectation}"),
    )
}

/// What holds of a constraint at the node that answers for the resource.
fn effective<'s>(
    snapshot: &'s Snapshot,
    target: &Target<'_>,
    constraint: Constraint,
) -> Effective<'s> {
    constraints::effective(snapshot, target.node, constraint)
}
