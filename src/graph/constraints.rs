//! Organization policies: what they set where, and what holds at a node (SPEC 8, FACTS B4.0).
//!
//! The table is sparse: a node without a policy has no row, and a snapshot without policies
//! has an empty one. Only gated permissions read it.

use crate::graph::document::AnyOr;
use crate::graph::rows::NONE;
use crate::graph::snapshot::Snapshot;
use crate::limits::{NODE_LEVELS_MAX, TOKEN_SECONDS, TOKEN_SECONDS_EXTENDED};
use crate::model::constraint::{Allowed, Constraint, EXPIRY_HOURS, Form};

/// What one policy says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Rule {
    /// The default holds again, whatever is set above.
    Reset,
    /// On or off.
    Boolean(bool),
    /// Values; those denied beat those allowed.
    List {
        /// Allowed values; `None`: this policy has no such list.
        allow: Option<AnyOr<String>>,
        /// Denied values.
        deny: AnyOr<String>,
        /// They add to what holds at the node above, instead of replacing it.
        inherits: bool,
    },
}

/// One policy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Policy {
    /// The node that it is attached to.
    pub node: u32,
    /// What it sets.
    pub constraint: Constraint,
    /// To what.
    pub rule: Rule,
}

/// All policies of a snapshot.
// INVARIANT: sorted by node and constraint, each pair once.
#[derive(Debug, Clone, Default)]
pub struct Policies(Box<[Policy]>);

impl Policies {
    /// Sorts them; the caller has found those of one node and constraint.
    #[must_use]
    pub fn new(mut list: Vec<Policy>) -> Self {
        list.sort_by_key(|policy| (policy.node, policy.constraint));
        Self(list.into())
    }

    /// How many there are.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there is none.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Those of some nodes.
    pub(super) fn of<'p>(&'p self, nodes: &'p [u32]) -> impl Iterator<Item = &'p Policy> {
        self.0.iter().filter(|policy| nodes.contains(&policy.node))
    }

    /// Those attached to a node.
    #[must_use]
    pub fn at(&self, node: u32) -> &[Policy] {
        let start = self.0.partition_point(|policy| policy.node < node);
        let end = self.0.partition_point(|policy| policy.node <= node);
        self.0.get(start..end).unwrap_or_default()
    }

    fn rule(&self, node: u32, constraint: Constraint) -> Option<&Rule> {
        let found = self.0.binary_search_by_key(&(node, constraint), |policy| {
            (policy.node, policy.constraint)
        });
        found.map_or(None, |ix| self.0.get(ix)).map(|p| &p.rule)
    }
}

/// What holds at a node, and where it comes from.
#[derive(Debug, Clone, Copy)]
pub struct Effective<'s> {
    constraint: Constraint,
    /// The policies that make the value, the nearest first.
    made_by: [Option<(u32, &'s Rule)>; NODE_LEVELS_MAX],
    /// Whether what is above the last of them is the default, and counts.
    ends_in_default: bool,
}

/// A value for people, with everything merged; values in order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Value {
    /// Of a constraint that is on or off.
    Boolean(bool),
    /// Of a constraint that allows and denies values.
    List {
        /// Allowed values.
        allow: AnyOr<String>,
        /// Denied values, which beat them.
        deny: AnyOr<String>,
    },
}

/// The effective value of a constraint at a node: that of the nearest policy at or above it,
/// or the default.
#[must_use]
pub fn effective(snapshot: &Snapshot, node: u32, constraint: Constraint) -> Effective<'_> {
    let above = |node: u32| snapshot.node(node).map_or(NONE, |row| row.parent);
    Effective::new(snapshot.org_policies(), above, node, constraint)
}

/// The longest life in seconds of a short-lived credential for the account with this node and
/// address in lower case (SPEC 10.3).
#[must_use]
pub fn token_seconds(snapshot: &Snapshot, node: u32, email: &str) -> u64 {
    let constraint = Constraint::AllowServiceAccountCredentialLifetimeExtension;
    if effective(snapshot, node, constraint).accepts(email) {
        TOKEN_SECONDS_EXTENDED
    } else {
        TOKEN_SECONDS
    }
}

impl<'s> Effective<'s> {
    /// The same, where `above` is the node above a node or `NONE`.
    pub(super) fn new(
        policies: &'s Policies,
        above: impl Fn(u32) -> u32,
        node: u32,
        constraint: Constraint,
    ) -> Self {
        let mut effective = Self {
            constraint,
            made_by: [None; NODE_LEVELS_MAX],
            ends_in_default: true,
        };
        if policies.is_empty() {
            return effective;
        }
        let mut next = node;
        for place in &mut effective.made_by {
            let found = loop {
                if next == NONE {
                    return effective;
                }
                let node = next;
                next = above(node);
                if let Some(rule) = policies.rule(node, constraint) {
                    break (node, rule);
                }
            };
            *place = Some(found);
            match found.1 {
                Rule::List { inherits: true, .. } => {}
                Rule::Reset => return effective,
                Rule::Boolean(_) | Rule::List { .. } => {
                    effective.ends_in_default = false;
                    return effective;
                }
            }
        }
        effective
    }

    fn rules(&self) -> impl Iterator<Item = &'s Rule> {
        self.made_by
            .iter()
            .map_while(|made| made.map(|(_, rule)| rule))
    }

    /// Nodes of the policies that make the value, the nearest first. The last of them may be
    /// one that restores the default.
    pub fn nodes(&self) -> impl Iterator<Item = u32> {
        self.made_by
            .iter()
            .map_while(|made| made.map(|(node, _)| node))
    }

    /// Whether the constraint's default is the value or part of it. A list of allowed values
    /// takes the place of a default that allows everything; it adds to one that names values.
    #[must_use]
    pub fn on_default(&self) -> bool {
        match self.constraint.form() {
            Form::Boolean { .. } => self.ends_in_default,
            Form::List { allowed, .. } => {
                self.allow_lists().next().is_none()
                    || (self.ends_in_default && allowed != Allowed::Any)
            }
        }
    }

    fn allow_lists(&self) -> impl Iterator<Item = &'s AnyOr<String>> {
        self.rules().filter_map(|rule| match rule {
            Rule::List { allow, .. } => allow.as_ref(),
            Rule::Reset | Rule::Boolean(_) => None,
        })
    }

    fn deny_lists(&self) -> impl Iterator<Item = &'s AnyOr<String>> {
        self.rules().filter_map(|rule| match rule {
            Rule::List { deny, .. } => Some(deny),
            Rule::Reset | Rule::Boolean(_) => None,
        })
    }

    /// Whether some policy says a value, and not only that the default holds.
    #[must_use]
    pub fn has_values(&self) -> bool {
        self.rules().next().is_some_and(|rule| *rule != Rule::Reset)
    }

    /// Whether a constraint that is on or off is on. A list is not asked; it would be on.
    #[must_use]
    pub fn enforced(&self) -> bool {
        match (self.rules().next(), self.constraint.form()) {
            (Some(Rule::Boolean(enforced)), _) => *enforced,
            (_, Form::Boolean { enforced }) => enforced,
            (_, Form::List { .. }) => true,
        }
    }

    /// Whether a list constraint allows `value`. Of one that is on or off it is `false`.
    #[must_use]
    pub fn accepts(&self, value: &str) -> bool {
        if self.deny_lists().any(|deny| has(deny, value)) {
            return false;
        }
        self.allow_lists().any(|allow| has(allow, value))
            || (self.on_default() && self.default_has(value))
    }

    /// Whether anything is stopped: it is on, or some value is not allowed.
    #[must_use]
    pub fn restricts(&self) -> bool {
        let Form::List { allowed, .. } = self.constraint.form() else {
            return self.enforced();
        };
        let all = self.allow_lists().any(|allow| *allow == AnyOr::Any)
            || (self.on_default() && allowed == Allowed::Any);
        !all || self
            .deny_lists()
            .any(|deny| *deny != AnyOr::List(Vec::new()))
    }

    /// The longest life in seconds that `serviceAccountKeyExpiryHours` leaves a new key;
    /// `None`: any.
    #[must_use]
    pub fn expiry_seconds(&self) -> Option<u64> {
        if !self.restricts() {
            return None;
        }
        let longest = EXPIRY_HOURS.iter().filter(|(word, _)| self.accepts(word));
        let hours = longest.map(|(_, hours)| *hours).max().unwrap_or(0);
        Some(hours.saturating_mul(3_600))
    }

    /// The value for people.
    #[must_use]
    pub fn value(&self) -> Value {
        let Form::List { allowed, .. } = self.constraint.form() else {
            return Value::Boolean(self.enforced());
        };
        let (mut allows, mut denies) = (AnyOr::List(Vec::new()), AnyOr::List(Vec::new()));
        if self.on_default() {
            allows = match allowed {
                Allowed::Any => AnyOr::Any,
                Allowed::Only(values) => {
                    AnyOr::List(values.iter().map(|value| (*value).to_owned()).collect())
                }
            };
        }
        self.allow_lists().for_each(|list| add(&mut allows, list));
        self.deny_lists().for_each(|list| add(&mut denies, list));
        Value::List {
            allow: allows,
            deny: denies,
        }
    }

    fn default_has(&self, value: &str) -> bool {
        match self.constraint.form() {
            Form::Boolean { .. } => false,
            Form::List { allowed, .. } => match allowed {
                Allowed::Any => true,
                Allowed::Only(values) => values.contains(&value),
            },
        }
    }
}

fn has(list: &AnyOr<String>, value: &str) -> bool {
    match list {
        AnyOr::Any => true,
        AnyOr::List(values) => values.iter().any(|one| one == value),
    }
}

fn add(to: &mut AnyOr<String>, list: &AnyOr<String>) {
    match (&mut *to, list) {
        (AnyOr::Any, _) => {}
        (AnyOr::List(_), AnyOr::Any) => *to = AnyOr::Any,
        (AnyOr::List(values), AnyOr::List(more)) => {
            values.extend(more.iter().cloned());
            values.sort_unstable();
            values.dedup();
        }
    }
}

#[cfg(test)]
mod tests;
