//! Step 6: delegation chains (SPEC 10.1): every hop is a decision of its own.

use crate::decide::subject::Who;
use crate::decide::{Asked, Effect, Permission, Refusal, Target, credential, effect, find, refuse};
use crate::decide::{grants, rules, service_enabled};
use crate::graph::permissions::Gate;
use crate::graph::snapshot::Snapshot;
use crate::model::name;
use crate::model::node::NodeKind;
use crate::model::outcome::Reason;
use crate::model::principal::PrincipalIx;
use crate::model::value::Struct;

pub(super) const HOP: &str = "iam.serviceAccounts.implicitDelegation";

/// The answer of a request with delegates, once steps 1 to 5 have let it pass: the reason of
/// the last hop, or the break.
pub(super) fn decide(
    snapshot: &Snapshot,
    asked: &Asked<'_, '_>,
    permission: Permission<'_>,
    target: &Target<'_>,
) -> Result<Reason, Refusal> {
    let hop = snapshot.permissions().find(HOP);
    let Some(hop) = hop.and_then(|ix| Some((ix, snapshot.permissions().get(ix)?))) else {
        return Ok(Reason::DelegationBroken);
    };
    let mut last: Option<Who<'_>> = None;
    for delegate in asked.query.delegates {
        let who = last.as_ref().unwrap_or(asked.who);
        match delegate_of(snapshot, asked, who, delegate, hop) {
            Some(next) => last = Some(next),
            None => return Ok(Reason::DelegationBroken),
        }
    }
    let Some(last) = last else {
        return Ok(Reason::DelegationBroken);
    };
    let reason = step(snapshot, asked, &last, permission, target);
    Ok(match effect(reason) {
        Effect::Allow => reason,
        Effect::Deny => Reason::DelegationBroken,
    })
}

/// The delegate as the next to ask, if `who` may delegate to it.
pub(super) fn delegate_of<'s>(
    snapshot: &'s Snapshot,
    asked: &Asked<'_, '_>,
    who: &Who<'_>,
    delegate: &str,
    hop: Permission<'_>,
) -> Option<Who<'s>> {
    let target = find(snapshot, delegate, false)?;
    if !target.exact || target.row.kind != NodeKind::ServiceAccount {
        return None;
    }
    // SPEC 9.5: what narrows the caller's credential narrows the hop that it makes.
    let narrowed = Asked {
        permission: Some(hop.0),
        name: delegate,
        attributes: &Struct::EMPTY,
        who,
        ..*asked
    };
    if credential::narrowed(snapshot, &narrowed, delegate, Some(&target)).is_some() {
        return None;
    }
    let reason = step(snapshot, &narrowed, who, hop, &target);
    if effect(reason) == Effect::Deny {
        return None;
    }
    let ix = PrincipalIx(target.row.detail);
    let next = Who::known(ix, snapshot.principal(ix)?);
    // SPEC 6.3: a delegate that is disabled or deleted breaks the chain.
    (!next.disabled).then_some(next)
}

/// Steps 2 to 8 for one hop: no gates but the living account. The resource attributes are
/// said of the target, so only the last hop has them.
pub(super) fn step(
    snapshot: &Snapshot,
    asked: &Asked<'_, '_>,
    who: &Who<'_>,
    permission: Permission<'_>,
    target: &Target<'_>,
) -> Reason {
    let hop = Asked { who, ..*asked };
    if who.disabled {
        return Reason::PrincipalDisabled;
    }
    if !service_enabled(snapshot, who, permission.0, target) {
        return Reason::ServiceDisabled;
    }
    match rules::check(snapshot, &hop, permission.0, target) {
        Some(reason) => reason,
        None => grants::reason(snapshot, &hop, permission, target),
    }
}

/// SPEC 6.3: what is bad about a request is found before any gate denies.
pub(super) fn check_permission(
    delegates: &[String],
    (_, permission): Permission<'_>,
) -> Result<(), Refusal> {
    if delegates.is_empty() || permission.gate == Gate::Token {
        return Ok(());
    }
    let description = "delegates go with the five token permissions only".to_owned();
    refuse("delegates", description)
}

/// The form of the names of delegates: whole names of service accounts.
pub(super) fn check_form(delegates: &[String]) -> Result<(), Refusal> {
    for (ix, delegate) in delegates.iter().enumerate() {
        let field = || format!("delegates[{ix}]");
        let bad = |description: String| {
            Err(Box::new(crate::model::outcome::Violation {
                field: field().into(),
                description,
            }))
        };
        match name::parse(delegate) {
            Err(fault) => return bad(fault.to_string()),
            Ok(parsed) => {
                let collection = name::split_last(delegate).map(|(_, collection, _)| collection);
                if parsed.default_team || collection != Some("serviceAccounts") {
                    let expectation = "the name of a service account";
                    return bad(crate::decide::shape::expected(delegate, expectation));
                }
            }
        }
    }
    Ok(())
}
