//! Deny policies, access boundaries and identity pools (SPEC 6.3, 6.4; FACTS B1.5, B1.6).

use std::collections::{HashMap, HashSet};

use super::holders::Use;
use super::{Check, count};
use crate::condition::Site;
use crate::graph::at;
use crate::graph::document::{AnyOr, DenyPolicy, DenyRule, Entity, Place};
use crate::graph::issue::Code;
use crate::graph::permissions::Permissions;
use crate::graph::plan::{Boundary, BoundaryBinding, Deny, Holder};
use crate::limits;
use crate::model::name;
use crate::model::node::NodeKind;
use crate::model::permission::{Pattern, PermissionSet};

/// The deny policies, resolved.
pub(super) struct Denies<'d> {
    pub(super) rules: Vec<Deny<'d>>,
    pub(super) policies: u64,
}

/// Where a rule stands.
struct Spot<'s> {
    place: &'s Place,
    path: String,
}

impl<'d> Check<'d> {
    /// Identity pools: a name, and whether it lives.
    pub(super) fn identity_pools(&mut self) {
        let all = self.of(|e| {
            if let Entity::IdentityPool(p) = e {
                Some(p)
            } else {
                None
            }
        });
        for (place, pool) in all {
            let path = format!("identity_pool[{}]", pool.name);
            let Some(parent) = self.name_of(place, &path, &pool.name, "identityPools") else {
                continue;
            };
            let kind = self.kind_of(parent);
            if !matches!(kind, Some(NodeKind::Organization | NodeKind::Project)) {
                let found = format!("`{parent}` is no organization or project here");
                let path = format!("{path}.name");
                self.issue(place, path, Code::MissingParent, found, "one that exists");
            }
            let gone = pool.disabled || pool.deleted_at.is_some();
            if self.pools.insert(&pool.name, gone).is_some() {
                self.twice(place, &path, &pool.name, "one entity a pool");
            }
        }
    }

    /// Every deny policy and its rules.
    pub(super) fn deny_policies(&mut self, permissions: &Permissions) -> Denies<'d> {
        let all = self.of(|e| {
            if let Entity::DenyPolicy(p) = e {
                Some(p)
            } else {
                None
            }
        });
        let mut denies = Denies {
            rules: Vec::new(),
            policies: count(all.len()),
        };
        let mut seen = HashSet::new();
        let mut rules_at: HashMap<u32, usize> = HashMap::new();
        for (place, policy) in all {
            let path = format!("deny_policy[{}]", policy.name);
            let Some(node) = self.attachment(place, &path, policy) else {
                continue;
            };
            if !seen.insert(policy.name.as_str()) {
                self.twice(place, &path, &policy.name, "one entity a policy");
            }
            let rules = rules_at.entry(node).or_default();
            *rules = rules.saturating_add(policy.rules.len());
            let total = *rules;
            self.bound(
                place,
                format!("{path}.rules"),
                total,
                limits::DENY_RULES_PER_NODE_MAX,
            );
            for (ix, rule) in (0_u32..).zip(&policy.rules) {
                let path = format!("{path}.rules[{ix}]");
                let spot = Spot { place, path };
                let deny = self.deny_rule(&spot, rule, permissions);
                denies.rules.push(Deny {
                    node,
                    policy: &policy.name,
                    rule: ix,
                    ..deny
                });
            }
        }
        denies
    }

    /// The node of a deny policy: an organization, team or project (FACTS B1.5a), the one in
    /// its name.
    fn attachment(&mut self, place: &Place, path: &str, policy: &'d DenyPolicy) -> Option<u32> {
        let parent = self.name_of(place, path, &policy.name, "denyPolicies")?;
        if parent != policy.attachment {
            let found = format!("`{}`", policy.attachment);
            let allowed = format!("`{parent}`, as in the name");
            let path = format!("{path}.attachment");
            self.issue(place, path, Code::InvalidValue, found, &allowed);
            return None;
        }
        let kind = self.kind_of(parent);
        if !matches!(
            kind,
            Some(NodeKind::Organization | NodeKind::Team | NodeKind::Project)
        ) {
            let found = format!("`{parent}`");
            let allowed = "an organization, team or project of this input";
            let path = format!("{path}.attachment");
            self.issue(place, path, Code::UnknownReference, found, allowed);
            return None;
        }
        self.by_name.get(parent).copied()
    }

    fn deny_rule(
        &mut self,
        spot: &Spot<'_>,
        rule: &'d DenyRule,
        permissions: &Permissions,
    ) -> Deny<'d> {
        let Spot { place, path } = spot;
        let denied = self.holders(spot, "denied_principals", &rule.denied_principals);
        let exceptions = self.holders(spot, "exception_principals", &rule.exception_principals);
        if exceptions.contains(&Holder::AllUsers) {
            let path = format!("{path}.exception_principals");
            let found = "`allUsers`".to_owned();
            let allowed = "someone: a rule that excepts everyone denies nobody";
            self.issue(place, path, Code::MemberNotAllowed, found, allowed);
        }
        let mut set = self.patterns(
            spot,
            "denied_permissions",
            &rule.denied_permissions,
            permissions,
        );
        let except = &rule.exception_permissions;
        let except = self.patterns(spot, "exception_permissions", except, permissions);
        permissions
            .iter()
            .filter(|(ix, _)| except.contains(*ix))
            .for_each(|(ix, _)| set.remove(ix));
        for (field, empty) in [
            ("denied_principals", rule.denied_principals.is_empty()),
            ("denied_permissions", rule.denied_permissions.is_empty()),
        ] {
            if empty {
                let path = format!("{path}.{field}");
                let found = "nothing: the rule denies nothing".to_owned();
                self.warn(place, path, Code::Missing, found, "at least one entry");
            }
        }
        let condition = self.condition(place, path, rule.condition.as_ref(), Site::Deny);
        Deny {
            node: 0,
            policy: "",
            rule: 0,
            denied,
            exceptions,
            permissions: set,
            condition,
        }
    }

    fn holders(&mut self, spot: &Spot<'_>, field: &str, members: &[String]) -> Vec<Holder> {
        let Spot { place, path } = spot;
        let at = format!("{path}.{field}");
        self.bound(place, at, members.len(), limits::RULE_PRINCIPALS_MAX);
        let mut holders = Vec::with_capacity(members.len());
        for (ix, text) in members.iter().enumerate() {
            let path = || format!("{path}.{field}[{ix}]");
            holders.extend(self.holder(place, &path, text, Use::Rule));
        }
        holders.sort_unstable();
        holders.dedup();
        holders
    }

    /// Permissions and wildcards of a deny rule.
    fn patterns(
        &mut self,
        spot: &Spot<'_>,
        field: &str,
        patterns: &[String],
        permissions: &Permissions,
    ) -> PermissionSet {
        let Spot { place, path } = spot;
        let at = format!("{path}.{field}");
        self.bound(place, at, patterns.len(), limits::PERMISSIONS_MAX);
        let mut set = PermissionSet::EMPTY;
        for (ix, text) in patterns.iter().enumerate() {
            let path = format!("{path}.{field}[{ix}]");
            let found = format!("`{text}`");
            if let Some(pattern) = Pattern::parse(text) {
                let mut matched = false;
                for (ix, _) in permissions
                    .iter()
                    .filter(|(_, row)| pattern.matches(&row.name))
                {
                    set.insert(ix);
                    matched = true;
                }
                if !matched {
                    let allowed = "a wildcard that matches a permission";
                    self.warn(place, path, Code::UnknownPermission, found, allowed);
                }
            } else if let Some(ix) = permissions.find(text) {
                set.insert(ix);
            } else {
                let allowed = "a known permission, service/resource.*, service/*.* or \
                               service/*.verb";
                self.issue(place, path, Code::UnknownPermission, found, allowed);
            }
        }
        set
    }

    /// Access boundaries: where their principals may act.
    pub(super) fn access_boundaries(&mut self, permissions: &Permissions) -> Vec<Boundary<'d>> {
        let all = self.of(|e| {
            if let Entity::AccessBoundary(b) = e {
                Some(b)
            } else {
                None
            }
        });
        let mut seen = HashSet::new();
        let mut good = Vec::new();
        for (place, boundary) in all {
            let path = format!("access_boundary[{}]", boundary.name);
            let name = &boundary.name;
            let Some(organization) = self.in_organization(place, &path, name, "accessBoundaries")
            else {
                continue;
            };
            if !seen.insert(name.as_str()) {
                self.twice(place, &path, name, "one entity a boundary");
            }
            let resources = boundary.resources.len();
            let at = format!("{path}.resources");
            self.bound(place, at.clone(), resources, limits::BOUNDARY_RESOURCES_MAX);
            if resources == 0 {
                let found = "nothing".to_owned();
                self.issue(place, at, Code::Missing, found, "at least one resource");
            }
            for (ix, resource) in boundary.resources.iter().enumerate() {
                let path = format!("{path}.resources[{ix}]");
                self.boundary_resource(place, path, resource, organization);
            }
            let names = match &boundary.permissions {
                AnyOr::Any => None,
                AnyOr::List(names) => Some(names),
            };
            let set = names.map(|names| {
                let path = format!("{path}.permissions");
                self.bound(place, path.clone(), names.len(), limits::PERMISSIONS_MAX);
                self.permission_names(place, &path, names, permissions);
                let mut set = PermissionSet::EMPTY;
                for name in names {
                    permissions
                        .find(name)
                        .into_iter()
                        .for_each(|ix| set.insert(ix));
                }
                set
            });
            good.push(Boundary {
                name,
                resources: &boundary.resources,
                permissions: set,
            });
        }
        good
    }

    fn boundary_resource(
        &mut self,
        place: &Place,
        path: String,
        resource: &str,
        organization: &str,
    ) {
        let found = format!("`{resource}`");
        match name::parse(resource) {
            Err(fault) => {
                let found = format!("{found}: {fault}");
                self.issue(place, path, Code::InvalidName, found, "a resource name");
            }
            Ok(parsed) if parsed.default_team || parsed.misplaced => {
                let allowed = "a resource name with the team said";
                self.issue(place, path, Code::InvalidName, found, allowed);
            }
            Ok(_) if !name::is_at_or_below(resource, organization) => {
                let allowed = format!("a resource of `{organization}`");
                self.issue(place, path, Code::ForeignUnit, found, &allowed);
            }
            Ok(parsed) => {
                if !self.by_name.contains_key(parsed.node) {
                    let found = format!("{found} is not here");
                    let allowed = "a resource of this input";
                    self.warn(place, path, Code::UnknownReference, found, allowed);
                }
            }
        }
    }

    /// Who is bound to which boundary.
    pub(super) fn boundary_bindings(
        &mut self,
        boundaries: &[Boundary<'d>],
    ) -> Vec<BoundaryBinding<'d>> {
        let here: HashSet<&str> = boundaries.iter().map(|boundary| boundary.name).collect();
        let all = self.of(|e| {
            if let Entity::AccessBoundaryBinding(b) = e {
                Some(b)
            } else {
                None
            }
        });
        let (mut seen, mut good) = (HashSet::new(), Vec::new());
        let mut bound: HashMap<Holder, usize> = HashMap::new();
        for (place, binding) in all {
            let path = format!("access_boundary_binding[{}]", binding.name);
            let name = &binding.name;
            let Some(organization) =
                self.in_organization(place, &path, name, "accessBoundaryBindings")
            else {
                continue;
            };
            if !seen.insert(name.as_str()) {
                self.twice(place, &path, name, "one entity a binding");
            }
            self.boundary_reference(place, &path, &binding.boundary, organization, &here);
            let condition = binding.condition.as_ref();
            let condition = self.condition(place, &path, condition, Site::Boundary);
            let at = || format!("{path}.principal_set");
            let Some(holder) = self.holder(place, &at, &binding.principal_set, Use::Rule) else {
                continue;
            };
            let number = bound.entry(holder).or_default();
            *number = number.saturating_add(1);
            let number = *number;
            self.bound(place, at(), number, limits::BOUNDARIES_PER_SET_MAX);
            good.push(BoundaryBinding {
                name,
                boundary: &binding.boundary,
                holder,
                condition,
            });
        }
        good
    }

    /// SPEC 6.3: a boundary that is missing denies; SPEC 2.3: it is one of the same organization.
    fn boundary_reference(
        &mut self,
        place: &Place,
        path: &str,
        boundary: &str,
        organization: &str,
        here: &HashSet<&str>,
    ) {
        let path = format!("{path}.boundary");
        let found = format!("`{boundary}`");
        let form = name::parse(boundary).is_ok()
            && name::split_last(boundary).is_some_and(|(parent, collection, _)| {
                parent == organization && collection == "accessBoundaries"
            });
        if !form {
            let allowed = format!("{organization}/accessBoundaries/{{id}}");
            self.issue(place, path, Code::ForeignUnit, found, &allowed);
        } else if !here.contains(boundary) {
            let found = format!("{found} is not here: everything is denied to the bound");
            let allowed = "an access boundary of this input";
            self.warn(place, path, Code::UnknownReference, found, allowed);
        }
    }

    /// The organization of a name `organizations/{org}/{collection}/{id}`, which must exist.
    fn in_organization(
        &mut self,
        place: &Place,
        path: &str,
        name: &'d str,
        collection: &str,
    ) -> Option<&'d str> {
        let parent = self.name_of(place, path, name, collection)?;
        if self.kind_of(parent) == Some(NodeKind::Organization) {
            return Some(parent);
        }
        let found = format!("`{parent}` is no organization here");
        let path = format!("{path}.name");
        self.issue(place, path, Code::MissingParent, found, "one that exists");
        None
    }

    fn kind_of(&self, node: &str) -> Option<NodeKind> {
        let ix = self.by_name.get(node)?;
        at(&self.nodes, *ix).map(|node| node.kind)
    }

    fn twice(&mut self, place: &Place, path: &str, name: &str, allowed: &str) {
        let (path, found) = (format!("{path}.name"), format!("`{name}`"));
        self.issue(place, path, Code::DuplicateName, found, allowed);
    }
}
