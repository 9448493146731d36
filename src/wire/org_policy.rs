//! `GetEffectiveOrgPolicyRequest` → `GetEffectiveOrgPolicyResponse`.

use std::time::Duration;

use crate::graph::constraints::{self, Effective, Value};
use crate::graph::document::AnyOr;
use crate::graph::snapshot::{Located, Snapshot};
use crate::model::constraint::Constraint;
use crate::model::name;
use crate::wire::authorize::said;
use crate::wire::proto::postern::v1;
use crate::wire::request::Violations;
use crate::wire::status::Failure;
use crate::wire::words;

/// Answers from the snapshot.
///
/// # Errors
/// Every field that is wrong, or a resource that is not there.
pub fn answer(
    snapshot: &Snapshot,
    age: Duration,
    request: v1::GetEffectiveOrgPolicyRequest,
) -> Result<v1::GetEffectiveOrgPolicyResponse, Failure> {
    let v1::GetEffectiveOrgPolicyRequest {
        resource,
        constraint,
    } = request;
    let mut violations = Violations::default();
    let parsed = name::parse(&resource);
    match &parsed {
        Err(fault) => violations.add("resource", fault.to_string()),
        Ok(parsed) if parsed.default_team => {
            violations.add("resource", "`-` has no caller to stand for; name the team");
        }
        Ok(_) => {}
    }
    let asked = said(&constraint).map(Constraint::find);
    if asked == Some(None) {
        let names = Constraint::ALL.map(Constraint::name).join(", ");
        violations.add("constraint", format!("unknown; expected one of {names}"));
    }
    violations.done().map_err(Failure::Invalid)?;
    let node = parsed.ok().filter(|parsed| !parsed.misplaced);
    let Some(Located { node, row, .. }) = node.and_then(|it| snapshot.find_name(it.node)) else {
        return Err(Failure::NotFound { resource });
    };
    let one = asked.flatten();
    let wanted = Constraint::ALL
        .into_iter()
        .filter(|it| one.is_none_or(|one| one == *it));
    let policy = |constraint| {
        let effective = constraints::effective(snapshot, node, constraint);
        self::policy(snapshot, constraint, &effective)
    };
    Ok(v1::GetEffectiveOrgPolicyResponse {
        resource: row.name.as_str().to_owned(),
        policies: wanted.map(policy).collect(),
        revision: snapshot.revision().0,
        snapshot_age: Some(words::duration(age)),
    })
}

fn policy(
    snapshot: &Snapshot,
    constraint: Constraint,
    effective: &Effective<'_>,
) -> v1::EffectiveOrgPolicy {
    let nodes = effective.nodes().flat_map(|node| snapshot.node(node));
    let names = nodes.map(|row| [row.name.as_str(), "/orgPolicies/", constraint.name()].concat());
    let source = match (effective.on_default(), effective.has_values()) {
        (true, false) => v1::OrgPolicySource::Default,
        (true, true) => v1::OrgPolicySource::PolicyAndDefault,
        (false, _) => v1::OrgPolicySource::Policy,
    };
    v1::EffectiveOrgPolicy {
        constraint: constraint.name().to_owned(),
        value: Some(value(effective.value())),
        restricts: effective.restricts(),
        source: source.into(),
        policies: names.collect(),
    }
}

fn value(value: Value) -> v1::effective_org_policy::Value {
    use v1::effective_org_policy::Value as Told;

    let list = |list| match list {
        AnyOr::Any => (true, Vec::new()),
        AnyOr::List(values) => (false, values),
    };
    match value {
        Value::Boolean(enforced) => Told::Enforced(enforced),
        Value::List { allow, deny } => {
            let ((any_allowed, allowed), (any_denied, denied)) = (list(allow), list(deny));
            Told::Values(v1::EffectiveValues {
                any_allowed,
                allowed,
                any_denied,
                denied,
            })
        }
    }
}
