//! Steps 3 and 4 of SPEC 6.3: access boundaries and deny policies.

use crate::reference::conditions::{self, Scene, Verdict};
use crate::reference::names;
use crate::reference::people::{self, Use};
use crate::reference::world::{AnyOr, DenyRule};

/// What stands in the way of the permission, if anything does.
pub(crate) fn check(permission: &str, scene: &Scene<'_>) -> Option<&'static str> {
    if is_outside(permission, scene) {
        return Some("OUTSIDE_BOUNDARY");
    }
    // SPEC 6.4: what is attached above cannot be undone below.
    let denied = names::upwards(&scene.place.node)
        .iter()
        .flat_map(|node| scene.world.denies.get(node).into_iter().flatten())
        .any(|rule| denies(rule, permission, scene));
    denied.then_some("DENIED_BY_POLICY")
}

fn is_outside(permission: &str, scene: &Scene<'_>) -> bool {
    let mut relevant = Vec::new();
    for bound in &scene.world.bound {
        // SPEC 7.3: an error counts as bound.
        let holds = conditions::judge(bound.condition.as_ref(), scene) != Verdict::Fails;
        let set = &bound.principal_set;
        if !holds || !people::is_meant(scene.world, set, scene.who, Use::Stops) {
            continue;
        }
        let Some(boundary) = scene.world.boundaries.get(&bound.boundary) else {
            return true;
        };
        let bounds = match &boundary.permissions {
            AnyOr::Any => true,
            AnyOr::List(list) => list.iter().any(|p| p == permission),
        };
        if bounds {
            relevant.push(boundary);
        }
    }
    let mut resources = relevant.iter().flat_map(|b| &b.resources);
    !relevant.is_empty() && !resources.any(|r| names::at_or_below(scene.resource, r))
}

fn denies(rule: &DenyRule, permission: &str, scene: &Scene<'_>) -> bool {
    let meant = |list: &[String], purpose: Use| {
        list.iter()
            .any(|m| people::is_meant(scene.world, m, scene.who, purpose))
    };
    let covers = |list: &[String]| list.iter().any(|p| is_permission(p, permission));
    meant(&rule.principals, Use::Stops)
        && !meant(&rule.excepted_principals, Use::Spares)
        && covers(&rule.permissions)
        && !covers(&rule.excepted_permissions)
        // SPEC 7.3: error or missing attribute denies.
        && conditions::judge(rule.condition.as_ref(), scene) != Verdict::Fails
}

/// A name, or `service/resource.*`, `service/*.*`, `service/*.verb`.
fn is_permission(pattern: &str, permission: &str) -> bool {
    let Some((service, rest)) = pattern.split_once('/') else {
        return pattern == permission;
    };
    let (resource, verb) = rest.split_once('.').unwrap();
    let parts: Vec<&str> = permission.split('.').collect();
    parts[0] == service
        && (resource == "*" || resource == parts[1])
        && (verb == "*" || verb == parts[2])
}
