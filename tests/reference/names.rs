//! Resource names (SPEC 1.1-1.3).

use crate::reference::world::World;

const STRUCTURAL: [&str; 5] = [
    "organizations",
    "teams",
    "projects",
    "serviceAccounts",
    "keys",
];

fn id(segment: &str) -> bool {
    // SPEC 1.2
    (1..=128).contains(&segment.len())
        && segment
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || "._~@:+=-".contains(c))
        && ![".", "..", "-"].contains(&segment)
}

/// SPEC 1.2, and SEMANTICS 1.1: pairs of collection and id.
pub(crate) fn well_formed(name: &str) -> bool {
    let segments: Vec<&str> = name.split('/').collect();
    name.len() <= 1024
        && segments.len() <= 32
        && segments.len().is_multiple_of(2)
        && segments.iter().all(|s| id(s))
}

/// As `well_formed`, but the first team below the organization may be `-` (SPEC 1.4).
pub(crate) fn well_formed_with_default_team(name: &str) -> bool {
    well_formed(name) || (has_default_team(name) && well_formed(&fill_default_team(name, "x")))
}

/// `organizations/o/teams/-` or something below it.
pub(crate) fn has_default_team(name: &str) -> bool {
    let segments: Vec<&str> = name.split('/').collect();
    matches!(segments.as_slice(), ["organizations", _, "teams", "-", ..])
}

/// The same name with the `-` of the default team replaced.
pub(crate) fn fill_default_team(name: &str, id: &str) -> String {
    let mut segments: Vec<&str> = name.split('/').collect();
    segments[3] = id;
    segments.join("/")
}

/// `organizations/o` and then only `teams/t`, at least one.
pub(crate) fn is_team_name(name: &str) -> bool {
    let segments: Vec<&str> = name.split('/').collect();
    well_formed(name)
        && segments.len() >= 4
        && segments[0] == "organizations"
        && segments[2..].iter().step_by(2).all(|s| *s == "teams")
}

/// A project below an organization or team.
pub(crate) fn is_project_name(name: &str) -> bool {
    let Some((parent, last)) = split(name) else {
        return false;
    };
    well_formed(name)
        && last.starts_with("projects/")
        && (is_team_name(&parent) || is_organization_name(&parent))
}

/// An account of an organization, team or project.
pub(crate) fn is_account_name(name: &str) -> bool {
    let Some((parent, last)) = split(name) else {
        return false;
    };
    well_formed(name)
        && last.starts_with("serviceAccounts/")
        && (is_team_name(&parent) || is_organization_name(&parent) || is_project_name(&parent))
}

pub(crate) fn is_organization_name(name: &str) -> bool {
    well_formed(name) && name.starts_with("organizations/") && name.matches('/').count() == 1
}

/// The parent's name and the last pair.
pub(crate) fn split(name: &str) -> Option<(String, String)> {
    let segments: Vec<&str> = name.split('/').collect();
    if segments.len() < 4 {
        return None;
    }
    let at = segments.len() - 2;
    Some((segments[..at].join("/"), segments[at..].join("/")))
}

pub(crate) fn parent(name: &str) -> Option<String> {
    split(name).map(|(parent, _)| parent)
}

/// The node itself and everything above it, nearest first.
pub(crate) fn upwards(name: &str) -> Vec<String> {
    let mut list = vec![name.to_owned()];
    while let Some(above) = parent(list.last().unwrap()) {
        list.push(above);
    }
    list
}

/// Whether `name` is `node` or lies below it, by segments.
pub(crate) fn at_or_below(name: &str, node: &str) -> bool {
    name == node || name.starts_with(&format!("{node}/"))
}

/// `organizations/o` of a name that lies in one.
pub(crate) fn organization_of(name: &str) -> Option<String> {
    let segments: Vec<&str> = name.split('/').collect();
    match segments.as_slice() {
        ["organizations", id, ..] => Some(format!("organizations/{id}")),
        _ => None,
    }
}

/// What a resource name means in a snapshot.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Place {
    /// The node that answers for it.
    pub(crate) node: String,
    /// Collection of that node: `projects`, `serviceAccounts`, ...
    pub(crate) kind: String,
    /// Whether the name is the node's own.
    pub(crate) exact: bool,
}

/// SPEC 1.3. `None` is `RESOURCE_NOT_FOUND`.
pub(crate) fn find(world: &World, name: &str) -> Option<Place> {
    let segments: Vec<&str> = name.split('/').collect();
    let mut place: Option<Place> = None;
    let mut path = Vec::new();
    for pair in segments.chunks(2) {
        path.extend_from_slice(pair);
        let here = path.join("/");
        if STRUCTURAL.contains(&pair[0]) {
            let parent_is_node = place.as_ref().is_none_or(|p| p.exact);
            if !parent_is_node || !world.has_node(pair[0], &here) {
                return None;
            }
            place = Some(Place {
                node: here,
                kind: pair[0].to_owned(),
                exact: true,
            });
        } else {
            // SEMANTICS 1.1: a name that does not begin with an organization names nothing.
            place.as_mut()?.exact = false;
        }
    }
    place.filter(|p| p.node.starts_with("organizations/"))
}

/// The project at or above a node.
pub(crate) fn project_of(world: &World, node: &str) -> Option<String> {
    upwards(node)
        .into_iter()
        .find(|name| world.projects.contains_key(name))
}

/// The nearest team at or above a node.
pub(crate) fn team_of(world: &World, node: &str) -> Option<String> {
    upwards(node)
        .into_iter()
        .find(|name| world.teams.contains_key(name))
}
