//! What no case touched.
//!
//! A binding or deny rule is touched when a case that came to its resource asks there, or below,
//! for a permission that it speaks of, as somebody whom it names (directly, through a group, a
//! domain or a set), whatever its condition or an exception then says. A binding of a role that
//! carries nothing speaks of every permission, and so does one of a project-level membership
//! role, which takes away what it does not carry (SPEC 3.5). A role is touched with a binding of it; a route
//! when it takes a call. What decided is not looked at: a case may touch what did not matter.

use std::collections::{BTreeSet, HashSet};

use crate::decide;
use crate::graph::roles::Level;
use crate::graph::rows::class;
use crate::graph::rules::{DenyRow, Named};
use crate::graph::snapshot::Snapshot;
use crate::graph::sources::BindingRow;
use crate::model::name;
use crate::model::node::NodeKind;
use crate::model::outcome::Actor;
use crate::model::permission::PermissionIx;

/// The bits of a grant set that carry a permission.
const CARRIES: u8 = class::IAM | class::IAM_OWN | class::MEMBER | class::MEMBER_OWN;

/// What the cases touched of one snapshot.
#[derive(Debug)]
pub struct Coverage<'s> {
    snapshot: &'s Snapshot,
    /// Node and place in its allow policy.
    bindings: HashSet<(u32, usize)>,
    /// Node and place in its list.
    denies: HashSet<(u32, usize)>,
    routes: HashSet<String>,
}

/// How much of one kind was touched, and the names of the rest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Covered {
    /// What it is, in the plural.
    pub kind: &'static str,
    /// How many there are.
    pub all: usize,
    /// What no case touched, sorted by name.
    pub untouched: Vec<String>,
}

impl<'s> Coverage<'s> {
    pub(super) fn new(snapshot: &'s Snapshot) -> Self {
        Self {
            snapshot,
            bindings: HashSet::new(),
            denies: HashSet::new(),
            routes: HashSet::new(),
        }
    }

    pub(super) fn route(&mut self, name: &str) {
        if !self.routes.contains(name) {
            self.routes.insert(name.to_owned());
        }
    }

    /// Notes what speaks of a decision.
    pub(super) fn decision(&mut self, actor: &Actor<'_>, permission: &str, resource: &str) {
        let snapshot = self.snapshot;
        let Some(permission) = snapshot.permissions().find(permission) else {
            return;
        };
        let Ok(parsed) = name::parse(resource) else {
            return;
        };
        let found = snapshot.find_name(resource);
        let Some(located) = found.or_else(|| snapshot.find_name(parsed.node)) else {
            return;
        };
        let who = Who::of(snapshot, actor);
        for level in 0..=located.row.level {
            let Some(node) = snapshot.ancestor(located.node, located.row, level) else {
                continue;
            };
            let bindings = snapshot.sources().bindings(node);
            for (at, binding) in bindings.iter().enumerate() {
                if self.speaks(node, binding, permission) && who.is_named(&binding.members) {
                    self.bindings.insert((node, at));
                }
            }
            for (at, rule) in self.rules(node).iter().enumerate() {
                if rule.permissions.contains(permission) && who.is_named(&rule.denied) {
                    self.denies.insert((node, at));
                }
            }
        }
    }

    fn speaks(&self, node: u32, binding: &BindingRow, permission: PermissionIx) -> bool {
        let kind = self.snapshot.node(node).map(|row| row.kind);
        let role = self.snapshot.sources().roles.get(binding.role);
        if kind == Some(NodeKind::Project) && role.is_some_and(|role| role.level == Level::Team) {
            return true;
        }
        let carries = |ix: PermissionIx| {
            let bits = self.snapshot.sets().class(binding.set, ix.0);
            bits & CARRIES != 0
        };
        // A role that is switched off speaks of nothing; a case that asks anything tests that.
        carries(permission)
            || !self
                .snapshot
                .permissions()
                .iter()
                .any(|(ix, _)| carries(ix))
    }

    fn rules(&self, node: u32) -> &'s [DenyRow] {
        let rules = self.snapshot.rules().denies.get(&node);
        rules.map_or(&[], |rules| rules)
    }

    /// Bindings, roles, routes and deny rules, in this order.
    #[must_use]
    pub fn report(&self) -> [Covered; 4] {
        let snapshot = self.snapshot;
        let (bindings, roles) = self.bindings_and_roles();
        let names = snapshot.routes().iter().map(|route| &*route.name);
        let untouched = names.filter(|name| !self.routes.contains(*name));
        let routes = Covered {
            kind: "routes",
            all: snapshot.routes().len(),
            untouched: sorted(untouched.map(str::to_owned)),
        };
        [bindings, roles, routes, self.deny_rules()]
    }

    fn bindings_and_roles(&self) -> (Covered, Covered) {
        let sources = self.snapshot.sources();
        let (mut all, mut untouched) = (0_usize, Vec::new());
        let (mut bound, mut touched) = (BTreeSet::new(), BTreeSet::new());
        for (node, bindings) in &sources.policies {
            let name = self
                .snapshot
                .node(*node)
                .map_or("", |row| row.name.as_str());
            for (at, binding) in bindings.iter().enumerate() {
                all = all.saturating_add(1);
                bound.insert(binding.role);
                if self.bindings.contains(&(*node, at)) {
                    touched.insert(binding.role);
                    continue;
                }
                let role = sources.roles.get(binding.role);
                let role = role.map_or("", |role| &*role.name);
                untouched.push(format!("allow_policy[{name}].bindings[{at}] ({role})"));
            }
        }
        // A custom role that nobody is granted is untouched too; a built-in one is no matter.
        let custom = (0..sources.roles.len()).filter(|ix| {
            let role = sources.roles.get(*ix);
            role.is_some_and(|role| role.owner.is_some())
        });
        bound.extend(custom);
        let rest = bound.difference(&touched);
        let names = rest.filter_map(|ix| Some(sources.roles.get(*ix)?.name.to_string()));
        let bindings = Covered {
            kind: "bindings",
            all,
            untouched: sorted(untouched.into_iter()),
        };
        let roles = Covered {
            kind: "roles",
            all: bound.len(),
            untouched: sorted(names),
        };
        (bindings, roles)
    }

    fn deny_rules(&self) -> Covered {
        let rules = self.snapshot.rules();
        let (mut all, mut untouched) = (0_usize, Vec::new());
        for (node, list) in &rules.denies {
            for (at, rule) in list.iter().enumerate() {
                all = all.saturating_add(1);
                if !self.denies.contains(&(*node, at)) {
                    let policy = usize::try_from(rule.policy).ok();
                    let policy = policy.and_then(|ix| rules.deny_names.get(ix));
                    let policy = policy.map_or("", |name| name);
                    untouched.push(format!("deny_policy[{policy}].rules[{}]", rule.rule));
                }
            }
        }
        Covered {
            kind: "deny rules",
            all,
            untouched: sorted(untouched.into_iter()),
        }
    }
}

impl Covered {
    /// How many were touched.
    #[must_use]
    pub fn touched(&self) -> usize {
        self.all.saturating_sub(self.untouched.len())
    }
}

fn sorted(names: impl Iterator<Item = String>) -> Vec<String> {
    let mut names: Vec<String> = names.collect();
    names.sort();
    names
}

/// What policies may name somebody by.
struct Who {
    principal: Option<u32>,
    holders: Vec<u32>,
}

impl Who {
    fn of(snapshot: &Snapshot, actor: &Actor<'_>) -> Self {
        let principal = match actor {
            Actor::Known(ix) => Some(ix.0),
            Actor::Anonymous | Actor::Asserted(_) | Actor::Federated(_) | Actor::Unproven => None,
        };
        Self {
            principal,
            holders: decide::named_by(snapshot, actor),
        }
    }

    fn is_named(&self, named: &Named) -> bool {
        let own = self.principal.as_ref();
        own.is_some_and(|ix| named.principals.binary_search(ix).is_ok())
            || self
                .holders
                .iter()
                .any(|row| named.holders.binary_search(row).is_ok())
    }
}
