//! Words of the API in the words of the tree.

use crate::wire::proto::postern::v1;

/// `GRANTED_BY_POLICY` for `REASON_GRANTED_BY_POLICY`.
pub(super) fn reason(number: i32) -> &'static str {
    let reason = v1::Reason::try_from(number).unwrap_or(v1::Reason::Unspecified);
    let word = reason.as_str_name();
    word.strip_prefix("REASON_").unwrap_or(word)
}

pub(super) fn grants(effect: i32) -> bool {
    v1::BindingEffect::try_from(effect) == Ok(v1::BindingEffect::Grants)
}

/// What a binding does.
pub(super) fn effect(number: i32) -> &'static str {
    match v1::BindingEffect::try_from(number).unwrap_or(v1::BindingEffect::Unspecified) {
        v1::BindingEffect::Grants => "grants",
        v1::BindingEffect::StoppedBySeat => "would grant, but for the seat",
        v1::BindingEffect::StoppedByRestrictedProject => {
            "does not reach into the restricted project"
        }
        v1::BindingEffect::ConditionNotMet => "its condition is not met",
        v1::BindingEffect::Replaced => "replaced by a role on the project",
        v1::BindingEffect::Inert => "does not count on this project",
        v1::BindingEffect::NotForPrincipal => "does not count for this kind of principal",
        v1::BindingEffect::RoleLacksPermission => "the role lacks the permission",
        v1::BindingEffect::NotAMember => "does not name the principal",
        v1::BindingEffect::Unspecified => "unknown",
    }
}

/// The deciding line in words.
pub(super) fn told(step: v1::Step, response: &v1::ExplainResponse) -> String {
    let allow = response.allow.as_ref();
    let granting = allow.into_iter().flat_map(|allow| &allow.policies);
    let granting = granting.flat_map(|policy| policy.bindings.iter().map(move |b| (policy, b)));
    let fixed = match step {
        v1::Step::Freshness => "the snapshot is too old",
        v1::Step::Credential => "the credential does not hold for this",
        v1::Step::Principal => "the principal is disabled or deleted",
        v1::Step::Resource => "there is no such resource",
        v1::Step::Permission => "there is no such permission",
        v1::Step::Service => "the service is not in use there",
        v1::Step::Boundary => "the resource lies outside the principal's boundaries",
        v1::Step::DenyPolicy => {
            let deny = response.deny.as_ref();
            let rules = deny.into_iter().flat_map(|deny| &deny.policies);
            let rule = rules.flat_map(|p| &p.rules).find(|rule| rule.denies);
            return rule.map_or_else(
                || "a deny policy denies".to_owned(),
                |rule| format!("rule {} of {} denies", rule.rule, rule.policy),
            );
        }
        v1::Step::Gate => "the permission's checks do not pass",
        v1::Step::Delegation => {
            return format!("hop {} of the chain is broken", response.hops.len());
        }
        v1::Step::Grant | v1::Step::Unspecified => {
            let binding = granting.into_iter().find(|(_, b)| grants(b.effect));
            let answer = response.response.as_ref();
            let why = answer.map_or("", |answer| reason(answer.reason));
            return match (why, binding) {
                ("GRANTED_BY_POLICY", Some((policy, b))) if response.hops.is_empty() => {
                    format!("{} on {}", b.role, policy.resource)
                }
                ("GRANTED_BY_POLICY", _) => "every hop of the chain is granted".to_owned(),
                ("GRANTED_BY_SCOPE", _) => "by the scope of the account".to_owned(),
                ("GRANTED_BY_VISIBILITY", _) => "by the visibility of the project".to_owned(),
                ("SEAT", _) => "granted, but the seat does not suffice".to_owned(),
                ("RESTRICTED_PROJECT", _) => {
                    "granted above a restricted project, which it does not reach".to_owned()
                }
                ("PRINCIPAL_UNKNOWN", _) => "the snapshot does not know the principal".to_owned(),
                ("UNAUTHENTICATED", _) => "nothing is granted to everybody".to_owned(),
                _ => "nothing grants it".to_owned(),
            };
        }
    };
    fixed.to_owned()
}
