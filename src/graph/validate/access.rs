//! Allow policies: where roles bind, and whom (SPEC 3.3, 3.4, 6.1).

use std::collections::HashSet;

use super::Check;
use super::holders::Use;
use crate::condition::Site;
use crate::graph::at;
use crate::graph::catalogue;
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
    pub(super) policies: u64,
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
        let said = binding.condition.as_ref();
        let condition = self.condition(place, path, said, Site::Allow);
        if said.is_some() {
            self.may_be_conditional(place, path, role, &binding.members);
        }
        let mut holders = Vec::with_capacity(binding.members.len());
        for (m, text) in binding.members.iter().enumerate() {
            let path = || format!("{path}.members[{m}]");
            holders.extend(self.bound_member(place, &path, text, role, node));
        }
        holders.sort_unstable();
        holders.dedup();
        access.bindings.push(Binding {
            node,
            role: ix,
            holders,
            condition,
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

    /// SPEC 3.3, 7.3 (FACTS B1.3b): basic roles, membership roles and everyone are bound without
    /// a condition.
    fn may_be_conditional(&mut self, place: &Place, path: &str, role: &Role, members: &[String]) {
        let basic = catalogue::BASIC_ROLES
            .iter()
            .any(|(n, _)| *n == &*role.name);
        let everyone =
            |member: &&String| matches!(member.as_str(), "allUsers" | "allAuthenticatedUsers");
        let found = if basic || role.level != Level::Iam {
            format!("a condition on `{}`", role.name)
        } else if let Some(member) = members.iter().find(everyone) {
            format!("a condition on a binding of `{member}`")
        } else {
            return;
        };
        let allowed = "none on basic roles, membership roles, allUsers and allAuthenticatedUsers";
        let path = format!("{path}.condition");
        self.issue(place, path, Code::ConditionNotAllowed, found, allowed);
    }

    fn bound_member(
        &mut self,
        place: &Place,
        path: &impl Fn() -> String,
        text: &str,
        role: &Role,
        node: u32,
    ) -> Option<Holder> {
        if let Some(parsed) = member::parse(text)
            && !self.may_be_bound(&parsed, role, node)
        {
            let found = format!(
                "`{text}` in a binding of the membership role `{}`",
                role.name
            );
            let allowed =
                "user: and group:, and serviceAccount: for roles/team.service on a project";
            self.issue(place, path(), Code::MemberNotAllowed, found, allowed);
            return None;
        }
        self.holder(place, path, text, Use::Grant)
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
