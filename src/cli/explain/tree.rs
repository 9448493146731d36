//! An explanation as a tree: what was decided, why, and what would change it.

use std::fmt::Write as _;

use crate::cli::explain::paint::Paint;
use crate::cli::explain::words::{effect, grants, reason, told};
use crate::wire::proto::postern::v1;

/// The whole text. Lines that do not name the principal are counted unless `all` is said.
pub(super) fn tree(
    response: &v1::ExplainResponse,
    permission: &str,
    all: bool,
    paint: Paint,
) -> String {
    let mut tree = Tree {
        text: String::new(),
        all,
        paint,
    };
    tree.head(response, permission);
    let step = v1::Step::try_from(response.step).unwrap_or(v1::Step::Unspecified);
    if let Some(credential) = &response.credential {
        tree.credential(credential);
    }
    if let Some(principal) = &response.principal {
        tree.principal(principal);
    }
    tree.missing(step);
    if let Some(boundary) = &response.boundary {
        tree.boundary(boundary);
    }
    if let Some(deny) = &response.deny {
        tree.deny(deny);
    }
    if let Some(gate) = &response.gate {
        tree.gate(gate);
    }
    tree.hops(&response.hops);
    if let Some(allow) = &response.allow {
        tree.allow(allow, response.hops.is_empty());
    }
    tree.remedies(response);
    tree.text
}

struct Tree {
    text: String,
    all: bool,
    paint: Paint,
}

fn is_high(relevance: i32) -> bool {
    v1::Relevance::try_from(relevance) == Ok(v1::Relevance::High)
}

impl Tree {
    fn line(&mut self, depth: usize, text: &str) {
        let indent = "  ".repeat(depth);
        // Writing to a string cannot fail.
        let _infallible = writeln!(self.text, "{indent}{text}");
    }

    /// A line with a mark: what lets pass and what stops.
    fn marked(&mut self, depth: usize, good: Option<bool>, text: &str) {
        let mark = match good {
            Some(true) => self.paint.good("+"),
            Some(false) => self.paint.bad("x"),
            None => self.paint.faint("-"),
        };
        let text = if good.is_none() {
            self.paint.faint(text)
        } else {
            text.to_owned()
        };
        self.line(depth, &format!("{mark} {text}"));
    }

    fn section(&mut self, title: &str) {
        let title = self.paint.strong(title);
        self.line(0, &title);
    }

    fn left_out(&mut self, depth: usize, count: usize, what: &str) {
        if count > 0 {
            self.marked(depth, None, &others(count, what));
        }
    }

    /// The line of a policy none of whose lines is shown.
    fn nothing_of(&mut self, depth: usize, policy: &str, count: usize, what: &str) {
        let text = format!("{policy}: {}", others(count, what));
        self.marked(depth, None, &text);
    }

    fn head(&mut self, response: &v1::ExplainResponse, permission: &str) {
        let Some(answer) = &response.response else {
            return;
        };
        let allow = v1::Decision::try_from(answer.decision) == Ok(v1::Decision::Allow);
        let word = if allow {
            self.paint.good("ALLOW")
        } else {
            self.paint.bad("DENY")
        };
        let step = v1::Step::try_from(response.step).unwrap_or(v1::Step::Unspecified);
        let why = self.paint.strong(reason(answer.reason));
        self.line(0, &format!("{word} {why}: {}", told(step, response)));
        let who = match answer.principal.as_str() {
            "" => "nobody",
            who => who,
        };
        let verb = if allow { "may" } else { "may not" };
        self.line(
            0,
            &format!("{who} {verb} {permission} on {}", answer.resource),
        );
        self.line(0, &format!("decided on revision {}", answer.revision));
    }

    fn credential(&mut self, credential: &v1::CredentialExplanation) {
        let v1::CredentialExplanation { key, code } = credential;
        self.section("credential");
        let key = if key.is_empty() { "no such key" } else { key };
        self.marked(1, Some(code == "VALID"), &format!("{key}: {code}"));
    }

    fn principal(&mut self, principal: &v1::PrincipalExplanation) {
        let v1::PrincipalExplanation {
            member,
            known,
            disabled,
            is_creator,
        } = principal;
        if member.is_empty() {
            return;
        }
        let state = match (known, disabled) {
            (_, true) => "disabled or deleted",
            (true, false) => "known",
            (false, false) => "not in the snapshot: counts as nobody for grants",
        };
        let creator = if *is_creator {
            ", made the resource"
        } else {
            ""
        };
        self.section("principal");
        let good = !disabled && *known;
        self.marked(1, Some(good), &format!("{member}: {state}{creator}"));
    }

    fn missing(&mut self, step: v1::Step) {
        let text = match step {
            v1::Step::Resource => "the snapshot has no such resource",
            v1::Step::Permission => "the snapshot has no such permission",
            v1::Step::Service => "the project does not use the permission's service",
            _ => return,
        };
        self.section("resource");
        self.marked(1, Some(false), text);
    }

    fn boundary(&mut self, boundary: &v1::BoundaryExplanation) {
        if boundary.bindings.is_empty() {
            return;
        }
        self.section("access boundaries");
        for binding in &boundary.bindings {
            let good = match (binding.relevant, binding.inside) {
                (false, _) => None,
                (true, inside) => Some(inside && !binding.boundary.is_empty()),
            };
            let what = if binding.boundary.is_empty() {
                "its boundary is missing, which denies"
            } else if !binding.permission_bounded {
                "does not bound this permission"
            } else if !binding.relevant {
                "its condition is false"
            } else if binding.inside {
                "the resource is inside"
            } else {
                "the resource is outside"
            };
            self.marked(1, good, &format!("{}: {what}", binding.binding));
            self.condition(2, binding.condition.as_ref());
            self.membership(2, binding.membership.as_ref());
            if good == Some(false) {
                for resource in &binding.resources {
                    self.line(2, &format!("inside is {resource}"));
                }
                self.left_out(2, wide(binding.resources_left_out), "resource");
            }
        }
        self.left_out(1, wide(boundary.bindings_left_out), "binding");
    }

    fn deny(&mut self, deny: &v1::DenyExplanation) {
        if deny.policies.is_empty() {
            return;
        }
        self.section("deny policies");
        for policy in &deny.policies {
            let title = format!("on {}", policy.resource);
            let all = self.all;
            let shows = |rule: &&v1::DenyRuleExplanation| all || is_high(rule.relevance);
            let shown: Vec<_> = policy.rules.iter().filter(shows).collect();
            let hidden = policy.rules.len().saturating_sub(shown.len());
            let hidden = hidden.saturating_add(wide(policy.rules_left_out));
            if shown.is_empty() {
                self.nothing_of(1, &title, hidden, "rule");
                continue;
            }
            self.line(1, &title);
            for rule in shown {
                let of = |m: &Option<v1::Membership>| m.as_ref().is_some_and(|m| m.matched);
                let what = if rule.denies {
                    "denies"
                } else if !rule.permission_matched {
                    "does not deny this permission"
                } else if !of(&rule.denied) {
                    "does not name the principal"
                } else if of(&rule.exceptions) {
                    "excepts the principal"
                } else {
                    "its condition is false"
                };
                let good = is_high(rule.relevance).then_some(!rule.denies);
                let text = format!("rule {} of {}: {what}", rule.rule, rule.policy);
                self.marked(2, good, &text);
                self.membership(3, rule.denied.as_ref());
                if of(&rule.exceptions) {
                    self.line(3, "and is excepted:");
                    self.membership(3, rule.exceptions.as_ref());
                }
                self.condition(3, rule.condition.as_ref());
            }
            self.left_out(2, hidden, "rule");
        }
    }

    fn gate(&mut self, gate: &v1::GateExplanation) {
        self.section("constraints, settings and quotas");
        for check in &gate.checks {
            let from = if check.sources.is_empty() {
                "by default".to_owned()
            } else {
                format!("at {}", check.sources.join(", "))
            };
            self.line(1, &format!("{}: {}, {from}", check.name, check.value));
        }
        let stopped = gate.reason != i32::from(v1::Reason::Unspecified);
        let text = if stopped {
            format!("stopped: {}", reason(gate.reason))
        } else {
            "passed".to_owned()
        };
        self.marked(1, Some(!stopped), &text);
    }

    fn hops(&mut self, hops: &[v1::HopExplanation]) {
        if hops.is_empty() {
            return;
        }
        self.section("delegation");
        for (ix, hop) in (1_usize..).zip(hops) {
            let good = reason(hop.reason).starts_with("GRANTED_BY_");
            let text = format!(
                "hop {ix}: {} needs {} on {}: {}",
                hop.principal,
                hop.permission,
                hop.resource,
                reason(hop.reason)
            );
            self.marked(1, Some(good), &text);
            for policy in &hop.policies {
                self.policy(2, policy);
            }
        }
    }

    fn allow(&mut self, allow: &v1::AllowExplanation, policies: bool) {
        let nothing = allow.policies.is_empty() && allow.scope.is_none();
        if !policies || (nothing && allow.visibility.is_none()) {
            return;
        }
        self.section("grants");
        for policy in &allow.policies {
            self.policy(1, policy);
        }
        if let Some(scope) = &allow.scope {
            let good = grants(scope.effect);
            let what = effect(scope.effect);
            let what = if scope.reaches {
                what
            } else {
                "does not reach the resource"
            };
            let text = format!("scope of the account, {}: {what}", scope.resource);
            self.marked(
                1,
                good.then_some(true)
                    .or_else(|| scope.reaches.then_some(false)),
                &text,
            );
        }
        if let Some(shown) = &allow.visibility {
            let what = if shown.grants {
                "grants"
            } else {
                "does not grant this"
            };
            let text = format!(
                "visibility {} of {}: {what}",
                shown.visibility, shown.project
            );
            self.marked(1, shown.grants.then_some(true), &text);
        }
        if let Some(seat) = &allow.seat {
            let what = if seat.suffices {
                "suffices"
            } else {
                "does not suffice"
            };
            let text = format!(
                "{} seat {} in {}: {what}",
                seat.product, seat.seat, seat.organization
            );
            self.marked(1, (!seat.suffices).then_some(false), &text);
        }
    }

    fn policy(&mut self, depth: usize, policy: &v1::AllowPolicyExplanation) {
        let title = format!("policy of {}", policy.resource);
        let all = self.all;
        let matched = |b: &v1::BindingExplanation| b.membership.as_ref().is_some_and(|m| m.matched);
        let shown = policy.bindings.iter().filter(|b| all || matched(b));
        let shown: Vec<_> = shown.collect();
        let hidden = policy.bindings.len().saturating_sub(shown.len());
        let hidden = hidden.saturating_add(wide(policy.bindings_left_out));
        if shown.is_empty() {
            self.nothing_of(depth, &title, hidden, "binding");
            return;
        }
        self.line(depth, &title);
        for binding in shown {
            let high = is_high(binding.relevance) || grants(binding.effect);
            let good = high.then(|| grants(binding.effect));
            let text = format!(
                "binding {} ({}): {}",
                binding.index,
                binding.role,
                effect(binding.effect)
            );
            self.marked(depth + 1, good, &text);
            self.membership(depth + 2, binding.membership.as_ref());
            self.condition(depth + 2, binding.condition.as_ref());
        }
        self.left_out(depth + 1, hidden, "binding");
    }

    fn membership(&mut self, depth: usize, membership: Option<&v1::Membership>) {
        let Some(membership) = membership else { return };
        for one in &membership.matches {
            let kind = v1::MemberKind::try_from(one.kind).unwrap_or(v1::MemberKind::Unspecified);
            let text = match kind {
                v1::MemberKind::Group if one.through.len() > 1 => {
                    format!("through {}", one.through.join(" in "))
                }
                v1::MemberKind::Group => format!("through {}", one.member),
                v1::MemberKind::Direct => format!("names {}", one.member),
                _ => format!("covered by {}", one.member),
            };
            self.line(depth, &text);
        }
        self.left_out(depth, wide(membership.matches_left_out), "member");
    }

    fn condition(&mut self, depth: usize, condition: Option<&v1::ConditionExplanation>) {
        let Some(condition) = condition else { return };
        let value = match v1::ConditionValue::try_from(condition.value) {
            Ok(v1::ConditionValue::True) => "true",
            Ok(v1::ConditionValue::False) => "false",
            Ok(v1::ConditionValue::Error | v1::ConditionValue::Unspecified) | Err(_) => {
                "cannot be evaluated"
            }
        };
        let expression = condition.expression.split_whitespace().collect::<Vec<_>>();
        self.line(depth, &format!("if {}: {value}", expression.join(" ")));
    }

    fn remedies(&mut self, response: &v1::ExplainResponse) {
        if response.remedies.is_empty() {
            return;
        }
        let allow = response.response.as_ref().is_some_and(|answer| {
            v1::Decision::try_from(answer.decision) == Ok(v1::Decision::Allow)
        });
        self.section(if allow {
            "what would take it away (any one of)"
        } else {
            "what would allow it (any one of)"
        });
        for remedy in &response.remedies {
            let texts: Vec<&str> = remedy.changes.iter().map(|c| c.text.as_str()).collect();
            self.line(1, &format!("* {}", texts.join(", and ")));
        }
    }
}

fn others(count: usize, what: &str) -> String {
    let plural = if count == 1 { "" } else { "s" };
    format!("{count} other {what}{plural}, of no concern")
}

fn wide(count: u32) -> usize {
    usize::try_from(count).unwrap_or(usize::MAX)
}
