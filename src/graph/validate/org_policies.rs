//! Organization policies: which constraint they set where, and to what (SPEC 8, FACTS B4).

use std::collections::HashSet;

use super::{Check, Identity};
use crate::graph::constraints::{Policy, Rule};
use crate::graph::document::{AnyOr, Entity, OrgPolicy, OrgRule, Place};
use crate::graph::issue::Code;
use crate::limits;
use crate::model::constraint::{Constraint, Form, Values};
use crate::model::node::NodeKind;

/// One policy on its way: where its issues belong.
struct Said<'d> {
    place: &'d Place,
    path: String,
    policy: &'d OrgPolicy,
}

impl<'d> Check<'d> {
    /// Every organization policy.
    pub(super) fn org_policies(&mut self) -> Vec<Policy> {
        let all = self.of(|e| {
            if let Entity::OrgPolicy(p) = e {
                Some(p)
            } else {
                None
            }
        });
        let (mut names, mut policies) = (HashSet::new(), Vec::new());
        for (place, policy) in all {
            let said = Said {
                place,
                path: format!("org_policy[{}]", policy.name),
                policy,
            };
            if !names.insert(policy.name.as_str()) {
                let found = format!("`{}`", policy.name);
                let allowed = "one policy a node and constraint";
                self.flaw(&said, ".name", Code::DuplicateName, found, allowed);
            }
            let constraint = self.org_constraint(&said);
            let node = self.org_policy_node(&said, constraint);
            let Some(constraint) = constraint else {
                continue;
            };
            let rule = self.org_rule(&said, constraint);
            if let (Some(node), Some(rule)) = (node, rule) {
                policies.push(Policy {
                    node,
                    constraint,
                    rule,
                });
            }
        }
        policies
    }

    fn flaw(&mut self, said: &Said<'_>, field: &str, code: Code, found: String, allowed: &str) {
        let path = format!("{}{field}", said.path);
        self.issue(said.place, path, code, found, allowed);
    }

    fn org_constraint(&mut self, said: &Said<'_>) -> Option<Constraint> {
        let name = said.policy.constraint.as_str();
        let constraint = Constraint::find(name);
        if constraint.is_none() {
            let code = if name.is_empty() {
                Code::Missing
            } else {
                Code::UnknownReference
            };
            let names: Vec<&str> = Constraint::ALL.iter().map(|one| one.name()).collect();
            let allowed = format!("one of {}", names.join(", "));
            self.flaw(said, ".constraint", code, format!("`{name}`"), &allowed);
        }
        constraint
    }

    /// The node of the attachment, which the name repeats, and the constraint with it.
    fn org_policy_node(&mut self, said: &Said<'d>, constraint: Option<Constraint>) -> Option<u32> {
        let OrgPolicy {
            name, attachment, ..
        } = said.policy;
        let named = self.name_of(said.place, &said.path, name, "orgPolicies");
        let expected = format!("{attachment}/orgPolicies/{}", said.policy.constraint);
        if named.is_some() && *name != expected {
            let found = format!("`{name}`");
            let allowed = format!("`{expected}`, of its attachment and constraint");
            self.flaw(said, ".name", Code::InvalidName, found, &allowed);
        }
        let kinds: &[NodeKind] = if constraint.is_some_and(Constraint::projects_only) {
            &[NodeKind::Project]
        } else {
            &[NodeKind::Organization, NodeKind::Team, NodeKind::Project]
        };
        let node = kinds
            .iter()
            .find_map(|kind| self.node_of(attachment, *kind));
        if node.is_none() {
            let found = format!("`{attachment}`");
            let allowed = match kinds {
                [_] => "a project of this input: the constraint is read on accounts' own projects",
                _ => "an organization, team or project of this input",
            };
            self.flaw(said, ".attachment", Code::UnknownReference, found, allowed);
        }
        node
    }

    fn org_rule(&mut self, said: &Said<'_>, constraint: Constraint) -> Option<Rule> {
        let OrgPolicy {
            rule,
            inherit_from_parent: inherits,
            reset,
            ..
        } = said.policy;
        let invalid = Code::InvalidValue;
        if *reset {
            if rule.is_some() {
                let found = "`reset` and a value".to_owned();
                self.flaw(said, ".reset", invalid, found, "either of them");
            }
            if *inherits {
                let found = "`reset` and `inherit_from_parent`".to_owned();
                self.flaw(
                    said,
                    ".inherit_from_parent",
                    invalid,
                    found,
                    "either of them",
                );
            }
            return Some(Rule::Reset);
        }
        match (rule, constraint.form()) {
            (None, form) => {
                let (field, allowed) = match form {
                    Form::Boolean { .. } => (".boolean", "`boolean`, or `reset: true`"),
                    Form::List { .. } => (".list", "`list`, or `reset: true`"),
                };
                self.flaw(said, field, Code::Missing, "no value".to_owned(), allowed);
                None
            }
            (Some(OrgRule::Boolean(enforced)), Form::Boolean { .. }) => {
                if *inherits {
                    let found = "`inherit_from_parent` with `boolean`".to_owned();
                    let allowed = "none: only lists are merged";
                    self.flaw(said, ".inherit_from_parent", invalid, found, allowed);
                }
                Some(Rule::Boolean(*enforced))
            }
            (Some(OrgRule::List { allow, deny }), Form::List { values, .. }) => {
                let lists = (allow.as_ref(), deny.as_ref());
                Some(self.org_list(said, lists, values))
            }
            (Some(OrgRule::Boolean(_)), Form::List { .. }) => {
                let found = format!("`boolean` for {}", constraint.name());
                self.flaw(said, ".boolean", invalid, found, "`list`");
                None
            }
            (Some(OrgRule::List { .. }), Form::Boolean { .. }) => {
                let found = format!("`list` for {}", constraint.name());
                self.flaw(said, ".list", invalid, found, "`boolean`");
                None
            }
        }
    }

    fn org_list(
        &mut self,
        said: &Said<'_>,
        (allow, deny): (Option<&AnyOr<String>>, Option<&AnyOr<String>>),
        values: Values,
    ) -> Rule {
        let inherits = said.policy.inherit_from_parent;
        if allow.is_none() && deny.is_none() {
            let found = "neither `allow` nor `deny`".to_owned();
            self.flaw(said, ".list", Code::Missing, found, "one of them at least");
        }
        if values.is_choice() {
            self.org_choice(said, allow, deny, values);
        }
        for (field, list) in [(".list.allow", allow), (".list.deny", deny)] {
            if let Some(AnyOr::List(list)) = list {
                self.org_values(said, field, list, values);
            }
        }
        let allow = allow.map(|list| normal(list, values));
        let deny = deny.map_or(AnyOr::List(Vec::new()), |list| normal(list, values));
        Rule::List {
            allow,
            deny,
            inherits,
        }
    }

    /// FACTS B4.1: exactly one allowed value; hours are not merged.
    fn org_choice(
        &mut self,
        said: &Said<'_>,
        allow: Option<&AnyOr<String>>,
        deny: Option<&AnyOr<String>>,
        values: Values,
    ) {
        if deny.is_some() {
            let found = "denied values".to_owned();
            let allowed = "none: the constraint has one allowed value";
            self.flaw(said, ".list.deny", Code::InvalidValue, found, allowed);
        }
        let found = match allow {
            Some(AnyOr::List(list)) if list.len() == 1 => None,
            Some(AnyOr::List(list)) => Some(format!("{} values", list.len())),
            Some(AnyOr::Any) => Some("`any`".to_owned()),
            None => Some("nothing".to_owned()),
        };
        if let Some(found) = found {
            let allowed = format!("exactly one value, {}", values.expected());
            self.flaw(said, ".list.allow", Code::InvalidValue, found, &allowed);
        }
        if values == Values::Hours && said.policy.inherit_from_parent {
            let found = "`inherit_from_parent`".to_owned();
            let allowed = "none: hours are not merged with those above";
            let field = ".inherit_from_parent";
            self.flaw(said, field, Code::InvalidValue, found, allowed);
        }
    }

    fn org_values(&mut self, said: &Said<'_>, field: &str, list: &[String], values: Values) {
        let path = format!("{}{field}", said.path);
        self.bound(
            said.place,
            path.clone(),
            list.len(),
            limits::ORG_POLICY_VALUES_MAX,
        );
        for (ix, value) in list.iter().enumerate() {
            let path = format!("{path}.values[{ix}]");
            if !values.is_one(value) {
                let found = format!("`{value}`");
                let code = Code::InvalidValue;
                self.issue(said.place, path, code, found, values.expected());
            } else if values == Values::Email && !self.is_account(value) {
                let found = format!("`{value}`");
                let code = Code::UnknownReference;
                let allowed = "the address of a living service account: this names nobody";
                self.warn(said.place, path, code, found, allowed);
            }
        }
    }

    fn is_account(&self, email: &str) -> bool {
        let holder = self.living.get(&email.to_ascii_lowercase());
        matches!(holder, Some(Identity::Account(_)))
    }
}

/// E-mails compare in lower case (SPEC 1.5), everything else byte for byte.
fn normal(list: &AnyOr<String>, values: Values) -> AnyOr<String> {
    match list {
        AnyOr::List(list) if values == Values::Email => AnyOr::List(
            list.iter()
                .map(|email| email.to_ascii_lowercase())
                .collect(),
        ),
        other => other.clone(),
    }
}
