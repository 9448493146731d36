//! What a role carries (SPEC 3.2-3.4).

use crate::reference::world::World;

/// What a role is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// `roles/org.*`.
    Organization,
    /// `roles/team.*` and custom roles that inherit.
    Team,
    /// Everything else.
    Iam,
}

pub(crate) fn kind(world: &World, role: &str) -> Kind {
    if role.starts_with("roles/org.") {
        return Kind::Organization;
    }
    let inherits = world
        .roles
        .get(role)
        .is_some_and(|r| !r.inherits.is_empty());
    if role.starts_with("roles/team.") || inherits {
        Kind::Team
    } else {
        Kind::Iam
    }
}

/// SPEC 3.4: a membership role that is deleted or disabled acts as what it inherits. The
/// name of the role that this one acts as.
pub(crate) fn acts_as(world: &World, role: &str) -> String {
    match world.roles.get(role) {
        Some(custom) if custom.off && !custom.inherits.is_empty() => custom.inherits.clone(),
        _ => role.to_owned(),
    }
}

/// The permissions of a role: always, and only for one's own things.
pub(crate) fn carried(world: &World, role: &str) -> (Vec<String>, Vec<String>) {
    let Some(custom) = world.roles.get(role) else {
        return built_in(world, role);
    };
    let (mut always, mut own) = if custom.inherits.is_empty() {
        (Vec::new(), Vec::new())
    } else {
        built_in(world, &custom.inherits)
    };
    if !custom.off {
        always.extend(custom.permissions.iter().cloned());
        own.extend(custom.own.iter().cloned());
    }
    (always, own)
}

fn built_in(world: &World, role: &str) -> (Vec<String>, Vec<String>) {
    // SPEC 3.1, 3.2: permission entities extend the basic roles too.
    let classes: &[&str] = match role {
        "roles/viewer" => &["VIEWER"],
        "roles/editor" => &["VIEWER", "EDITOR"],
        "roles/owner" => &["VIEWER", "EDITOR", "OWNER"],
        _ => {
            let table = &world.catalogue.roles[role];
            return (table.permissions.clone(), table.own.clone());
        }
    };
    let all = world.permissions.iter();
    let always = all.filter(|(_, flags)| classes.contains(&flags.basic_role.as_str()));
    (always.map(|(name, _)| name.clone()).collect(), Vec::new())
}

/// Whether bindings of the role count for `members_may_invite` (SPEC 3.3).
pub(crate) fn is_a_member(world: &World, role: &str) -> bool {
    role == "roles/team.member"
        || world
            .roles
            .get(role)
            .is_some_and(|r| r.inherits == "roles/team.member")
}
