//! The roles of a snapshot: what each carries and where it may be bound.

use std::collections::HashMap;

use crate::graph::catalogue;
use crate::graph::document;
use crate::graph::permissions::Permissions;
use crate::model::permission::PermissionSet;

/// Where a role may be bound (SPEC 3.3).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Level {
    /// An IAM role: on any node.
    Iam,
    /// A membership role of organizations.
    Organization,
    /// A membership role of teams and, project-level, of projects.
    Team,
}

/// One role.
#[derive(Debug, Clone)]
pub struct Role {
    /// Its name.
    pub name: Box<str>,
    /// The node that owns a custom role.
    pub owner: Option<Box<str>>,
    /// Where it may be bound.
    pub level: Level,
    /// What it carries.
    pub permissions: PermissionSet,
    /// What it carries for the principal's own things.
    pub own: PermissionSet,
    /// Carries administrative permissions into a `RESTRICTED` project (SPEC 4.2).
    pub crosses: bool,
    /// Acts as `roles/team.viewer` (SPEC 3.5).
    pub acts_as_viewer: bool,
    /// Is `roles/team.service` (SPEC 3.3).
    pub is_service: bool,
    /// Gains `inviteMembers` where members may invite (SPEC 3.3).
    pub gains_invite: bool,
    /// Is `roles/org.admin` (SPEC 6.2).
    pub is_org_admin: bool,
}

/// All roles of a snapshot by name.
#[derive(Debug, Default)]
pub struct Roles {
    list: Vec<Role>,
    names: HashMap<Box<str>, usize>,
}

/// The roles that a custom membership role may inherit from (SPEC 3.4).
pub const INHERITABLE: [&str; 2] = ["roles/team.member", "roles/team.viewer"];

/// Whether the name is that of a built-in role.
#[must_use]
pub fn is_built_in(name: &str) -> bool {
    catalogue::BASIC_ROLES.iter().any(|(n, _)| *n == name)
        || catalogue::ROLES.iter().any(|role| role.name == name)
}

impl Roles {
    /// The built-in roles and `custom` ones, whose references the caller has checked.
    #[must_use]
    pub fn new(custom: &[&document::Role], permissions: &Permissions) -> Self {
        let mut roles = Self {
            list: Vec::new(),
            names: HashMap::new(),
        };
        for (name, basic) in catalogue::BASIC_ROLES {
            let mut role = iam(name, permissions.basic_role(basic), PermissionSet::EMPTY);
            role.crosses = name == "roles/owner";
            roles.add(role);
        }
        for built_in in catalogue::ROLES {
            let (all, own) = permissions.built_in_role(built_in.name);
            let mut role = iam(built_in.name, all, own);
            if built_in.membership {
                let organization = built_in.name.starts_with("roles/org.");
                role.level = if organization {
                    Level::Organization
                } else {
                    Level::Team
                };
            }
            role.crosses = matches!(built_in.name, "roles/team.admin" | "roles/org.admin");
            role.acts_as_viewer = built_in.name == "roles/team.viewer";
            role.is_service = built_in.name == "roles/team.service";
            role.gains_invite = built_in.name == "roles/team.member";
            role.is_org_admin = built_in.name == "roles/org.admin";
            roles.add(role);
        }
        for role in custom {
            let role = roles.custom(role, permissions);
            roles.add(role);
        }
        roles
    }

    fn custom(&self, role: &document::Role, permissions: &Permissions) -> Role {
        let gone = role.deleted || role.disabled;
        let (mut all, mut own) = (PermissionSet::EMPTY, PermissionSet::EMPTY);
        if !gone {
            let find = |name: &String| permissions.find(name);
            role.permissions
                .iter()
                .filter_map(find)
                .for_each(|ix| all.insert(ix));
            role.own_permissions
                .iter()
                .filter_map(find)
                .for_each(|ix| own.insert(ix));
        }
        let mut made = iam(&role.name, all, own);
        made.owner = role
            .name
            .rsplit_once("/roles/")
            .map(|(owner, _)| owner.into());
        if let Some(base) = self.find(&role.inherits).and_then(|ix| self.get(ix)) {
            made.level = Level::Team;
            made.permissions.union(&base.permissions);
            made.own.union(&base.own);
            made.acts_as_viewer = gone && base.acts_as_viewer;
            made.gains_invite = base.gains_invite;
        }
        made
    }

    fn add(&mut self, role: Role) {
        self.names.insert(role.name.clone(), self.list.len());
        self.list.push(role);
    }

    /// The index of the role of this name.
    #[must_use]
    pub fn find(&self, name: &str) -> Option<usize> {
        self.names.get(name).copied()
    }

    /// The role at an index.
    #[must_use]
    pub fn get(&self, ix: usize) -> Option<&Role> {
        self.list.get(ix)
    }

    /// How many roles there are.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.list.len()
    }

    /// Whether there is none; never true.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.list.is_empty()
    }
}

fn iam(name: &str, permissions: PermissionSet, own: PermissionSet) -> Role {
    Role {
        name: name.into(),
        owner: None,
        level: Level::Iam,
        permissions,
        own,
        crosses: false,
        acts_as_viewer: false,
        is_service: false,
        gains_invite: false,
        is_org_admin: false,
    }
}
