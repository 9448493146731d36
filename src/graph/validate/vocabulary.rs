//! Permission entities and custom roles (SPEC 3).

use std::collections::HashSet;

use super::Check;
use crate::graph::catalogue;
use crate::graph::document::{Entity, Permission, Place, Role};
use crate::graph::issue::Code;
use crate::graph::permissions::Permissions;
use crate::graph::roles;
use crate::limits;
use crate::model::node::NodeKind;
use crate::model::permission;

impl<'d> Check<'d> {
    /// SPEC 3.1: `permission` entities extend the vocabulary and never redefine it.
    pub(super) fn added_permissions(&mut self) -> Vec<&'d Permission> {
        let built_in: HashSet<String> = catalogue::PERMISSIONS
            .iter()
            .flat_map(|(resource, verbs)| verbs.iter().map(move |(v, _)| format!("{resource}.{v}")))
            .collect();
        let (mut seen, mut good) = (HashSet::new(), Vec::new());
        let all = self.of(|e| {
            if let Entity::Permission(p) = e {
                Some(p)
            } else {
                None
            }
        });
        for (place, entity) in all {
            let path = format!("permission[{}]", entity.name);
            let found = format!("`{}`", entity.name);
            let name = entity.name.strip_prefix("permissions/").unwrap_or_default();
            let at = format!("{path}.name");
            if !permission::is_well_formed(name) {
                self.issue(
                    place,
                    at,
                    Code::InvalidName,
                    found,
                    "permissions/{service.resource.verb}",
                );
            } else if built_in.contains(name) {
                self.issue(
                    place,
                    at,
                    Code::BuiltInRedefined,
                    found,
                    "a name that is not built in",
                );
            } else if seen.insert(name) {
                good.push(entity);
            } else {
                self.issue(
                    place,
                    at,
                    Code::DuplicateName,
                    found,
                    "one entity a permission",
                );
            }
        }
        let room = limits::PERMISSIONS_MAX.saturating_sub(built_in.len());
        if !self.bound(&Place::default(), "permission".into(), good.len(), room) {
            good.truncate(room);
        }
        good
    }

    /// SPEC 3.4, 2.3: custom roles and what they name.
    pub(super) fn custom_roles(&mut self, permissions: &Permissions) -> Vec<&'d Role> {
        let (mut seen, mut good) = (HashSet::new(), Vec::new());
        let all = self.of(|e| {
            if let Entity::Role(r) = e {
                Some(r)
            } else {
                None
            }
        });
        for (place, role) in all {
            let path = format!("role[{}]", role.name);
            self.text(place, &path, "title", &role.title);
            if self.role_owner(place, &path, role) && !seen.insert(role.name.as_str()) {
                let found = format!("`{}`", role.name);
                self.issue(
                    place,
                    format!("{path}.name"),
                    Code::DuplicateName,
                    found,
                    "one entity a role",
                );
            }
            if !role.inherits.is_empty() && !roles::INHERITABLE.contains(&role.inherits.as_str()) {
                let found = format!("`{}`", role.inherits);
                let allowed = "roles/team.member, roles/team.viewer, or nothing for an IAM role";
                self.issue(
                    place,
                    format!("{path}.inherits"),
                    Code::UnknownRole,
                    found,
                    allowed,
                );
            }
            for (field, names) in [
                ("permissions", &role.permissions),
                ("own_permissions", &role.own_permissions),
            ] {
                self.bound(
                    place,
                    format!("{path}.{field}"),
                    names.len(),
                    limits::ROLE_PERMISSIONS_MAX,
                );
                self.permission_names(place, &format!("{path}.{field}"), names, permissions);
            }
            good.push(role);
        }
        good
    }

    fn role_owner(&mut self, place: &Place, path: &str, role: &'d Role) -> bool {
        if role.name.starts_with("roles/") {
            let built_in = roles::is_built_in(&role.name);
            let code = if built_in {
                Code::BuiltInRedefined
            } else {
                Code::InvalidName
            };
            let allowed = "{organization or project}/roles/{id}";
            self.issue(
                place,
                format!("{path}.name"),
                code,
                format!("`{}`", role.name),
                allowed,
            );
            return false;
        }
        let Some(owner) = self.name_of(place, path, &role.name, "roles") else {
            return false;
        };
        let kind = self
            .by_name
            .get(owner)
            .and_then(|ix| crate::graph::at(&self.nodes, *ix))
            .map(|n| n.kind);
        if !matches!(kind, Some(NodeKind::Organization | NodeKind::Project)) {
            let found = format!("`{owner}` is no organization or project here");
            self.issue(
                place,
                format!("{path}.name"),
                Code::MissingParent,
                found,
                "one that exists",
            );
            return false;
        }
        true
    }

    /// Names of permissions that must be known.
    pub(super) fn permission_names(
        &mut self,
        place: &Place,
        path: &str,
        names: &[String],
        permissions: &Permissions,
    ) {
        for (ix, name) in names.iter().enumerate() {
            if permissions.find(name).is_none() {
                let at = format!("{path}[{ix}]");
                let allowed = "a permission of the catalogue or of a permission entity";
                self.issue(
                    place,
                    at,
                    Code::UnknownPermission,
                    format!("`{name}`"),
                    allowed,
                );
            }
        }
    }
}
