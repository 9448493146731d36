//! Gates of what is configured in a project or organization (SPEC 8).

use super::context::{self, Provider};
use super::effective;
use crate::decide::{Asked, Permission, Refusal, Target, grants};
use crate::graph::snapshot::Snapshot;
use crate::model::constraint::{AWS_ISSUER, Constraint};
use crate::model::outcome::Reason;

/// What a provider trusts must be among what is allowed. An AWS account counts as the issuer
/// of all of them, too (FACTS B4.1).
pub(super) fn provider(
    snapshot: &Snapshot,
    asked: &Asked<'_, '_>,
    target: &Target<'_>,
) -> Result<Option<Reason>, Refusal> {
    let issuers = effective(snapshot, target, Constraint::WorkloadIdentityPoolProviders);
    let accounts = effective(
        snapshot,
        target,
        Constraint::WorkloadIdentityPoolAwsAccounts,
    );
    if !issuers.restricts() && !accounts.restricts() {
        return Ok(None);
    }
    let allowed = match context::provider(asked)? {
        Provider::Issuer(issuer) => issuers.accepts(issuer),
        Provider::AwsAccount(id) => issuers.accepts(AWS_ISSUER) && accounts.accepts(id),
    };
    Ok((!allowed).then_some(Reason::Constraint))
}

/// A binding on the organization must grant it; one below does not suffice.
pub(super) fn liens(
    snapshot: &Snapshot,
    asked: &Asked<'_, '_>,
    permission: Permission<'_>,
    target: &Target<'_>,
) -> Result<Option<Reason>, Refusal> {
    let constraint = Constraint::RestrictCrossProjectServiceAccountLienRemoval;
    if !effective(snapshot, target, constraint).enforced() {
        return Ok(None);
    }
    let organization = snapshot.ancestor(target.node, target.row, 0);
    let above = organization.and_then(|node| Some((node, snapshot.node(node)?)));
    let granted = above.is_some_and(|(node, row)| {
        let organization = Target {
            node,
            row,
            exact: true,
            project: None,
        };
        grants::reason(snapshot, asked, permission, &organization) == Reason::GrantedByPolicy
    });
    Ok((!granted).then_some(Reason::Constraint))
}

/// Under enforcement a new cluster has no workload identity.
pub(super) fn cluster(
    snapshot: &Snapshot,
    asked: &Asked<'_, '_>,
    target: &Target<'_>,
) -> Result<Option<Reason>, Refusal> {
    let constraint = Constraint::DisableWorkloadIdentityClusterCreation;
    if !effective(snapshot, target, constraint).enforced() {
        return Ok(None);
    }
    Ok(context::workload_identity(asked)?.then_some(Reason::Constraint))
}
