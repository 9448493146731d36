//! Allow policies: where roles bind, and whom (SPEC 3.3, 3.4, 6.1).

use std::collections::{HashMap, HashSet};

use super::groups::Named;
use super::{Check, Identity, next_ix};
use crate::graph::at;
use crate::graph::document::{AllowPolicy, Binding as Said, Entity, Place};
use crate::graph::issue::Code;
use crate::graph::plan::{Binding, Holder};
use crate::graph::roles::{Level, Role, Roles};
use crate::limits;
use crate::model::member::{self, Member};
use crate::model::name;
use crate::model::node::NodeKind;

/// What the policies say, resolved.
#[derive(Default)]
pub(super) struct Access {
    pub(super) bindings: Vec<Binding>,
    pub(super) domains: Vec<String>,
    pub(super) account_sets: Vec<(u32, bool)>,
    pub(super) policies: u64,
    domain_ix: HashMap<String, u32>,
    set_ix: HashMap<(u32, bool), u32>,
}

impl<'d> Check<'d> {
    /// Every policy and its bindings.
    pub(super) fn policies(&mut self, roles: &Roles) -> Access {
        let mut access = Access::default();
        let mut seen = HashSet::new();
        let all = self.of(|e| {
            if let Entity::AllowPolicy(p) = e {
                Some(p)
            } else {
                None
            }
        });
        access.policies = super::count(all.len());
        for (place, policy) in all {
            let path = format!("allow_policy[{}]", policy.resource);
            if !seen.insert(policy.resource.as_str()) {
                let found = format!("`{}` has two policies", policy.resource);
                self.issue(
                    place,
                    format!("{path}.resource"),
                    Code::DuplicateName,
                    found,
                    "one policy a resource",
                );
            }
            self.bound(
                place,
                format!("{path}.bindings"),
                policy.bindings.len(),
                limits::BINDINGS_MAX,
            );
            let Some(node) = self.policy_node(place, &path, policy) else {
                continue;
            };
            for (ix, binding) in policy.bindings.iter().enumerate() {
                let path = format!("{path}.bindings[{ix}]");
                self.binding(place, &path, binding, node, roles, &mut access);
            }
        }
        access
    }

    fn policy_node(&mut self, place: &Place, path: &str, policy: &AllowPolicy) -> Option<u32> {
        let node = self.by_name.get(policy.resource.as_str()).copied();
        if node.is_none() {
            let found = format!("`{}`", policy.resource);
            let allowed = "an organization, team, project or service account of this input";
            self.issue(
                place,
                format!("{path}.resource"),
                Code::UnknownReference,
                found,
                allowed,
            );
        }
        node
    }

    fn binding(
        &mut self,
        place: &Place,
        path: &str,
        binding: &'d Said,
        node: u32,
        roles: &Roles,
        access: &mut Access,
    ) {
        if binding.condition.is_some() {
            let found = "a condition, which this build does not evaluate".to_owned();
            self.issue(
                place,
                format!("{path}.condition"),
                Code::NotEvaluated,
                found,
                "none",
            );
        }
        let members = format!("{path}.members");
        self.bound(
            place,
            members,
            binding.members.len(),
            limits::BINDING_MEMBERS_MAX,
        );
        let Some(ix) = roles.find(&binding.role) else {
            let allowed = "a built-in role or a role entity of this input";
            let found = format!("`{}`", binding.role);
            self.issue(
                place,
                format!("{path}.role"),
                Code::UnknownRole,
                found,
                allowed,
            );
            return;
        };
        let Some(role) = roles.get(ix) else { return };
        self.scope(place, path, role, node);
        let mut holders = Vec::with_capacity(binding.members.len());
        for (m, text) in binding.members.iter().enumerate() {
            holders.extend(self.holder(
                place,
                || format!("{path}.members[{m}]"),
                text,
                role,
                node,
                access,
            ));
        }
        holders.sort_unstable();
        holders.dedup();
        access.bindings.push(Binding {
            node,
            role: ix,
            holders,
        });
    }

    /// SPEC 3.3, 3.4: where a role may be bound.
    fn scope(&mut self, place: &Place, path: &str, role: &Role, node: u32) {
        let Some(on) = at(&self.nodes, node).copied() else {
            return;
        };
        let level = match role.level {
            Level::Iam => true,
            Level::Organization => on.kind == NodeKind::Organization,
            Level::Team => matches!(on.kind, NodeKind::Team | NodeKind::Project),
        };
        let owned = role
            .owner
            .as_deref()
            .is_none_or(|owner| name::is_at_or_below(on.name, owner));
        if level && owned {
            return;
        }
        let allowed = match (owned, role.level) {
            (false, _) => "at or below the node that owns the role",
            (true, Level::Organization) => "on an organization",
            (true, _) => "on a team or a project",
        };
        let found = format!("`{}` on `{}`", role.name, on.name);
        self.issue(
            place,
            format!("{path}.role"),
            Code::RoleOutOfScope,
            found,
            allowed,
        );
    }

    fn holder(
        &mut self,
        place: &Place,
        path: impl Fn() -> String,
        text: &str,
        role: &Role,
        node: u32,
        access: &mut Access,
    ) -> Option<Holder> {
        let Some(parsed) = member::parse(text) else {
            self.issue(
                place,
                path(),
                Code::InvalidValue,
                format!("`{text}`"),
                member::FORMS,
            );
            return None;
        };
        if !self.may_be_bound(&parsed, role, node) {
            let found = format!(
                "`{text}` in a binding of the membership role `{}`",
                role.name
            );
            let allowed =
                "user: and group:, and serviceAccount: for roles/team.service on a project";
            self.issue(place, path(), Code::MemberNotAllowed, found, allowed);
            return None;
        }
        match &parsed {
            Member::AllUsers => return Some(Holder::AllUsers),
            Member::AllAuthenticatedUsers => return Some(Holder::AllAuthenticatedUsers),
            Member::Domain(domain) => {
                let lower = domain.to_ascii_lowercase();
                let next = next_ix(&access.domains);
                let ix = *access.domain_ix.entry(lower.clone()).or_insert(next);
                if ix == next {
                    access.domains.push(lower);
                }
                return Some(Holder::Domain(ix));
            }
            Member::AccountsBelow { node, agents_only } => {
                let Some(node) = self.by_name.get(node).copied() else {
                    self.names_nobody(place, path(), text);
                    return None;
                };
                let next = next_ix(&access.account_sets);
                let ix = *access.set_ix.entry((node, *agents_only)).or_insert(next);
                if ix == next {
                    access.account_sets.push((node, *agents_only));
                }
                return Some(Holder::Accounts(ix));
            }
            Member::User(_)
            | Member::Group(_)
            | Member::ServiceAccount { .. }
            | Member::DeletedServiceAccount { .. }
            | Member::PoolSubject { .. }
            | Member::PoolSet { .. } => {}
        }
        match self.named(&parsed) {
            Named::Somebody(Identity::User(ix) | Identity::Account(ix)) => {
                Some(Holder::Principal(ix))
            }
            Named::Somebody(Identity::Group(ix)) => Some(Holder::Group(ix)),
            Named::Nobody => {
                self.names_nobody(place, path(), text);
                None
            }
            Named::Ambiguous => {
                self.ambiguous(place, path(), text);
                None
            }
        }
    }

    /// SPEC 3.3: whom membership roles bind.
    fn may_be_bound(&self, member: &Member<'_>, role: &Role, node: u32) -> bool {
        match (role.level, member) {
            (Level::Iam, _) | (_, Member::User(_) | Member::Group(_)) => true,
            (Level::Organization | Level::Team, Member::ServiceAccount { .. }) => {
                role.is_service
                    && at(&self.nodes, node).is_some_and(|n| n.kind == NodeKind::Project)
            }
            (Level::Organization | Level::Team, _) => false,
        }
    }
}
