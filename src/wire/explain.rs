//! `Explanation` → `ExplainResponse`. Every part is taken apart, so that none is overlooked.

pub mod ask;
mod change;

use crate::condition::Outcome;
use crate::decide::explain::parts::{
    self, Binding, BindingEffect, Boundaries, BoundaryBinding, Checks, Credential, DenyRule,
    Evaluated, Explanation, Hop, Included, Match, MatchKind, Membership, Policy, Scope, Seat,
    Shown, Step,
};
use crate::model::node::Visibility;
use crate::model::permission::Product;
use crate::model::principal::SeatLevel;
use crate::wire::proto::postern::v1;
use crate::wire::words;

/// The answer: `response` is what `Authorize` says.
#[must_use]
pub fn respond(
    explanation: Explanation<'_>,
    response: v1::AuthorizeResponse,
) -> v1::ExplainResponse {
    let Explanation {
        decision: _,
        step,
        principal,
        credential,
        boundaries,
        denies,
        gate,
        hops,
        policies,
        scope,
        visibility,
        seat,
        remedies,
    } = explanation;
    let parts::Principal {
        member,
        known,
        disabled,
        is_creator,
    } = principal;
    let denies: Vec<_> = denies.into_iter().map(deny_policy).collect();
    v1::ExplainResponse {
        response: Some(response),
        step: step_word(step).into(),
        principal: Some(v1::PrincipalExplanation {
            member,
            known,
            disabled,
            is_creator,
        }),
        credential: credential.map(|Credential { key, code }| v1::CredentialExplanation {
            key,
            code: code.word().to_owned(),
        }),
        boundary: Some(boundary(boundaries)),
        deny: Some(v1::DenyExplanation {
            denied: denies
                .iter()
                .any(|p| p.rules.iter().any(|rule| rule.denies)),
            policies: denies,
        }),
        gate: gate.map(checks),
        hops: hops.into_iter().map(hop).collect(),
        allow: Some(v1::AllowExplanation {
            policies: policies.into_iter().map(allow_policy).collect(),
            scope: scope.map(scoped),
            visibility: visibility.map(shown),
            seat: seat.map(seated),
        }),
        remedies: remedies.into_iter().map(change::remedy).collect(),
    }
}

fn count(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}

const fn step_word(step: Step) -> v1::Step {
    match step {
        Step::Freshness => v1::Step::Freshness,
        Step::Credential => v1::Step::Credential,
        Step::Principal => v1::Step::Principal,
        Step::Resource => v1::Step::Resource,
        Step::Permission => v1::Step::Permission,
        Step::Service => v1::Step::Service,
        Step::Boundary => v1::Step::Boundary,
        Step::DenyPolicy => v1::Step::DenyPolicy,
        Step::Gate => v1::Step::Gate,
        Step::Delegation => v1::Step::Delegation,
        Step::Grant => v1::Step::Grant,
    }
}

const fn relevance(high: bool) -> v1::Relevance {
    if high {
        v1::Relevance::High
    } else {
        v1::Relevance::Normal
    }
}

const fn included(included: Included) -> v1::RolePermission {
    match included {
        Included::Yes => v1::RolePermission::Included,
        Included::ForOwn => v1::RolePermission::IncludedForOwn,
        Included::No => v1::RolePermission::NotIncluded,
    }
}

const fn effect(effect: BindingEffect) -> v1::BindingEffect {
    match effect {
        BindingEffect::Grants => v1::BindingEffect::Grants,
        BindingEffect::StoppedBySeat => v1::BindingEffect::StoppedBySeat,
        BindingEffect::StoppedByRestrictedProject => v1::BindingEffect::StoppedByRestrictedProject,
        BindingEffect::ConditionNotMet => v1::BindingEffect::ConditionNotMet,
        BindingEffect::Replaced => v1::BindingEffect::Replaced,
        BindingEffect::Inert => v1::BindingEffect::Inert,
        BindingEffect::NotForPrincipal => v1::BindingEffect::NotForPrincipal,
        BindingEffect::RoleLacksPermission => v1::BindingEffect::RoleLacksPermission,
        BindingEffect::NotAMember => v1::BindingEffect::NotAMember,
    }
}

fn condition(condition: Evaluated) -> v1::ConditionExplanation {
    let Evaluated { expression, value } = condition;
    let value = match value {
        Outcome::True => v1::ConditionValue::True,
        Outcome::False => v1::ConditionValue::False,
        Outcome::Error => v1::ConditionValue::Error,
    };
    v1::ConditionExplanation {
        expression,
        value: value.into(),
    }
}

fn matched(one: Match) -> v1::MemberMatch {
    let Match {
        kind,
        member,
        through,
    } = one;
    let kind = match kind {
        MatchKind::Direct => v1::MemberKind::Direct,
        MatchKind::Group => v1::MemberKind::Group,
        MatchKind::Domain => v1::MemberKind::Domain,
        MatchKind::Set => v1::MemberKind::Set,
        MatchKind::AllAuthenticated => v1::MemberKind::AllAuthenticated,
        MatchKind::All => v1::MemberKind::All,
    };
    v1::MemberMatch {
        kind: kind.into(),
        member,
        through,
    }
}

fn membership(membership: Membership) -> v1::Membership {
    let Membership {
        matches,
        left_out,
        count: members,
    } = membership;
    v1::Membership {
        matched: !matches.is_empty(),
        matches: matches.into_iter().map(matched).collect(),
        matches_left_out: count(left_out),
        member_count: count(members),
    }
}

fn binding(binding: Binding) -> v1::BindingExplanation {
    let high = binding.matters();
    let Binding {
        index,
        role,
        included: has,
        membership: members,
        condition: when,
        reaches,
        effect: does,
    } = binding;
    v1::BindingExplanation {
        index: count(index),
        role,
        role_permission: included(has).into(),
        membership: Some(membership(members)),
        condition: when.map(condition),
        reaches,
        effect: effect(does).into(),
        relevance: relevance(high).into(),
    }
}

fn allow_policy(policy: Policy<Binding>) -> v1::AllowPolicyExplanation {
    let Policy {
        resource,
        lines,
        left_out,
    } = policy;
    v1::AllowPolicyExplanation {
        resource,
        bindings: lines.into_iter().map(binding).collect(),
        bindings_left_out: count(left_out),
    }
}

fn deny_rule(rule: DenyRule) -> v1::DenyRuleExplanation {
    let high = rule.matters();
    let DenyRule {
        policy,
        rule,
        permission_matched,
        denied,
        exceptions,
        condition: when,
        denies,
    } = rule;
    v1::DenyRuleExplanation {
        policy,
        rule,
        permission_matched,
        denied: Some(membership(denied)),
        exceptions: Some(membership(exceptions)),
        condition: when.map(condition),
        denies,
        relevance: relevance(high).into(),
    }
}

fn deny_policy(policy: Policy<DenyRule>) -> v1::DenyPolicyExplanation {
    let Policy {
        resource,
        lines,
        left_out,
    } = policy;
    v1::DenyPolicyExplanation {
        resource,
        rules: lines.into_iter().map(deny_rule).collect(),
        rules_left_out: count(left_out),
    }
}

fn boundary(boundaries: Boundaries) -> v1::BoundaryExplanation {
    let Boundaries {
        outside,
        bindings,
        left_out,
    } = boundaries;
    v1::BoundaryExplanation {
        outside,
        bindings: bindings.into_iter().map(boundary_binding).collect(),
        bindings_left_out: count(left_out),
    }
}

fn boundary_binding(binding: BoundaryBinding) -> v1::BoundaryBindingExplanation {
    let BoundaryBinding {
        binding,
        boundary,
        matched,
        bounded,
        condition: when,
        relevant,
        inside,
        resources,
        resources_left_out,
    } = binding;
    let members = Membership {
        matches: vec![matched],
        left_out: 0,
        count: 1,
    };
    v1::BoundaryBindingExplanation {
        binding,
        boundary: boundary.unwrap_or_default(),
        membership: Some(membership(members)),
        permission_bounded: bounded,
        condition: when.map(condition),
        relevant,
        inside,
        resources,
        resources_left_out: count(resources_left_out),
    }
}

fn checks(checks: Checks) -> v1::GateExplanation {
    let Checks { list, reason } = checks;
    let check = |check: parts::Checked| {
        let parts::Checked {
            name,
            value,
            sources,
        } = check;
        v1::CheckExplanation {
            name,
            value,
            sources,
        }
    };
    v1::GateExplanation {
        checks: list.into_iter().map(check).collect(),
        reason: reason.map_or(v1::Reason::Unspecified, words::reason).into(),
    }
}

fn hop(hop: Hop) -> v1::HopExplanation {
    let Hop {
        principal,
        permission,
        resource,
        reason,
        policies,
    } = hop;
    v1::HopExplanation {
        principal,
        permission,
        resource,
        reason: words::reason(reason).into(),
        policies: policies.into_iter().map(allow_policy).collect(),
    }
}

fn scoped(scope: Scope) -> v1::ScopeExplanation {
    let Scope {
        resource,
        reaches,
        included: has,
        effect: does,
    } = scope;
    v1::ScopeExplanation {
        resource,
        reaches,
        role_permission: included(has).into(),
        effect: effect(does).into(),
    }
}

fn shown(shown: Shown) -> v1::VisibilityExplanation {
    let Shown {
        project,
        visibility,
        grants,
    } = shown;
    v1::VisibilityExplanation {
        project,
        visibility: visibility_word(visibility).to_owned(),
        grants,
    }
}

fn seated(seat: Seat) -> v1::SeatExplanation {
    let Seat {
        organization,
        product,
        level,
        suffices,
    } = seat;
    let seat = match level {
        SeatLevel::Full => "FULL",
        SeatLevel::Viewer => "VIEWER",
        SeatLevel::None => "NONE",
    };
    v1::SeatExplanation {
        organization,
        product: product_word(product).to_owned(),
        seat: seat.to_owned(),
        suffices,
    }
}

const fn visibility_word(visibility: Visibility) -> &'static str {
    match visibility {
        Visibility::Team => "TEAM",
        Visibility::Restricted => "RESTRICTED",
        Visibility::Public => "PUBLIC",
        Visibility::Open => "OPEN",
    }
}

const fn product_word(product: Product) -> &'static str {
    match product {
        Product::None => "",
        Product::Models => "models",
        Product::Weave => "weave",
    }
}
