//! Steps 7 and 8 of SPEC 6.3: what grants, and why nothing does.

use crate::reference::conditions::{self, Scene, Verdict};
use crate::reference::names::{self, Place};
use crate::reference::people::{self, Match, Who};
use crate::reference::roles::{self, Kind};
use crate::reference::world::{Binding, World};

/// Where a grant comes from, the strongest first (SEMANTICS 6.3).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Source {
    Policy,
    Scope,
    Visibility,
}

#[derive(Debug, Clone)]
struct Grant {
    source: Source,
    /// SPEC 3.6: whether a seat must allow it.
    needs_seat: bool,
    /// SPEC 4.2: it stands above a `RESTRICTED` project and does not reach it.
    stopped: bool,
}

/// What the grants look at.
pub(crate) struct Ask<'a> {
    pub(crate) world: &'a World,
    pub(crate) who: &'a Who,
    pub(crate) permission: &'a str,
    pub(crate) place: &'a Place,
    /// Whether `created_by` is the caller.
    pub(crate) owns: bool,
    /// What conditions read.
    pub(crate) scene: &'a Scene<'a>,
}

/// SPEC 7.3: true grants, and nothing else.
fn holds(ask: &Ask<'_>, binding: &Binding) -> bool {
    conditions::judge(binding.condition.as_ref(), ask.scene) == Verdict::Holds
}

/// The decision of the last two steps.
pub(crate) fn decide(ask: &Ask<'_>) -> (bool, &'static str) {
    let mut grants = from_policies(ask);
    grants.extend(from_scope(ask));
    grants.extend(from_visibility(ask));
    let seat = seat_allows(ask);
    let counting = grants
        .iter()
        .filter(|g| !g.stopped && (seat || !g.needs_seat));
    if let Some(source) = counting.map(|g| g.source).min() {
        return match source {
            Source::Policy => (true, "GRANTED_BY_POLICY"),
            Source::Scope => (true, "GRANTED_BY_SCOPE"),
            Source::Visibility => (true, "GRANTED_BY_VISIBILITY"),
        };
    }
    let reason = if grants.iter().any(|g| !g.stopped) {
        "SEAT"
    } else if !grants.is_empty() {
        "RESTRICTED_PROJECT"
    } else {
        match ask.who {
            Who::Unknown(_) => "PRINCIPAL_UNKNOWN",
            Who::Anonymous => "UNAUTHENTICATED",
            Who::User(_) | Who::Account(_) | Who::Federated(..) => "NO_GRANT",
        }
    };
    (false, reason)
}

/// SPEC 3.6.
fn seat_allows(ask: &Ask<'_>) -> bool {
    let Who::User(user) = ask.who else {
        return true;
    };
    let flags = &ask.world.permissions[ask.permission];
    let organization = names::organization_of(&ask.place.node).unwrap();
    let seat = user.seats.iter().find(|(o, _, _)| *o == organization);
    let level = match (seat, flags.product.as_str()) {
        (None, _) => "FULL",
        (Some((_, models, _)), "MODELS") => models,
        (Some((_, _, weave)), "WEAVE") => weave,
        (Some(_), _) => "FULL",
    };
    level == "FULL" || (level == "VIEWER" && flags.read)
}

fn visibility(ask: &Ask<'_>, project: Option<&String>) -> String {
    project.map_or_else(String::new, |p| ask.world.projects[p].visibility.clone())
}

/// SPEC 6.3 step 7: a binding on the resource or an ancestor.
fn from_policies(ask: &Ask<'_>) -> Vec<Grant> {
    let project = names::project_of(ask.world, &ask.place.node);
    let restricted = visibility(ask, project.as_ref()) == "RESTRICTED";
    let levels = Levels::of(ask, project.as_ref());
    let mut grants = Vec::new();
    for node in bearers(ask) {
        // SPEC 4.2: the barrier stands between the project and its parent.
        let above = project
            .as_ref()
            .is_some_and(|p| !names::at_or_below(&node, p));
        for binding in ask.world.policies.get(&node).into_iter().flatten() {
            if !holds(ask, binding) {
                continue;
            }
            for member in &binding.members {
                let how = people::matches(ask.world, member, ask.who);
                if how == Match::No || !levels.grants(ask, &node, &binding.role, how) {
                    continue;
                }
                grants.push(Grant {
                    source: Source::Policy,
                    needs_seat: how != Match::Everybody,
                    stopped: above && restricted && !crosses(ask, &binding.role),
                });
            }
        }
    }
    grants
}

/// The nodes whose policies count, nearest first.
/// choice: a policy on a service account is that of the account which answers to the name
/// (SPEC 2.5); the keys that an earlier account of the name left behind are not under it.
fn bearers(ask: &Ask<'_>) -> Vec<String> {
    let mut nodes = names::upwards(&ask.place.node);
    if let Some(key) = ask.world.keys.iter().find(|k| k.name == ask.place.node) {
        let account = ask.world.account_named(&nodes[1]);
        if account.is_none_or(|account| account.uid != key.owner_uid) {
            nodes.remove(1);
        }
    }
    nodes
}

/// SPEC 4.2: administrative permissions when carried by one of three roles.
/// choice: a service account needs an explicit binding on the project, whatever it holds above.
fn crosses(ask: &Ask<'_>, role: &str) -> bool {
    !matches!(ask.who, Who::Account(_))
        && ask.world.permissions[ask.permission].administrative
        && ["roles/team.admin", "roles/org.admin", "roles/owner"].contains(&role)
}

/// SPEC 3.5: what a user's project-level roles do to the team-level ones.
struct Levels {
    project: Option<String>,
    /// Project-level roles count at all: the project is `TEAM` or `RESTRICTED`.
    counting: bool,
    /// The user holds a membership role on the project and it counts.
    active: bool,
    /// All team-level roles act as `roles/team.viewer`.
    viewer: bool,
}

impl Levels {
    fn of(ask: &Ask<'_>, project: Option<&String>) -> Self {
        let visible = visibility(ask, project);
        let counting = ["TEAM", "RESTRICTED"].contains(&visible.as_str());
        let mut levels = Self {
            project: project.cloned(),
            counting,
            active: false,
            viewer: false,
        };
        let (Some(project), Who::User(_)) = (project, ask.who) else {
            return levels;
        };
        let own = membership_roles(ask, project);
        let mut team = Vec::new();
        for node in names::upwards(project).into_iter().skip(1) {
            if ask.world.teams.contains_key(&node) {
                team.extend(membership_roles(ask, &node));
            }
        }
        levels.active = counting && !team.is_empty() && !own.is_empty();
        levels.viewer = team
            .iter()
            .all(|role| roles::acts_as(ask.world, role) == "roles/team.viewer");
        levels
    }

    /// Whether a binding that has the principal as member grants the permission.
    fn grants(&self, ask: &Ask<'_>, node: &str, role: &str, how: Match) -> bool {
        let kind = roles::kind(ask.world, role);
        if kind == Kind::Iam {
            return carries(ask, node, role);
        }
        let on_project = self.project.as_deref() == Some(node);
        match ask.who {
            // SPEC 3.3: only the explicit add, or through a group.
            Who::Account(_) => {
                let added = if on_project {
                    self.counting
                } else {
                    how == Match::ThroughGroup
                };
                role == "roles/team.service" && added && carries(ask, node, role)
            }
            Who::User(_) if kind == Kind::Organization => carries(ask, node, role),
            Who::User(_) if on_project => {
                let role = if self.viewer {
                    "roles/team.viewer"
                } else {
                    role
                };
                self.active && carries(ask, node, role)
            }
            Who::User(_) => {
                // SPEC 3.5: replaced, administrative permissions excepted.
                let administrative = ask.world.permissions[ask.permission].administrative;
                (!self.active || administrative) && carries(ask, node, role)
            }
            Who::Anonymous | Who::Unknown(_) | Who::Federated(..) => false,
        }
    }
}

/// The team-level or project-level membership roles that the principal holds on a node.
fn membership_roles(ask: &Ask<'_>, node: &str) -> Vec<String> {
    let mut held = Vec::new();
    for binding in ask.world.policies.get(node).into_iter().flatten() {
        let is_member = binding
            .members
            .iter()
            .any(|m| people::matches(ask.world, m, ask.who) != Match::No);
        if is_member && roles::kind(ask.world, &binding.role) == Kind::Team {
            held.push(binding.role.clone());
        }
    }
    held
}

/// Whether the role, bound on that node, carries the permission for the caller.
fn carries(ask: &Ask<'_>, node: &str, role: &str) -> bool {
    let (mut always, own) = roles::carried(ask.world, role);
    // SPEC 3.3
    if ask.world.is_set(node, "members_may_invite") && roles::is_a_member(ask.world, role) {
        always.push("resourcemanager.teams.inviteMembers".to_owned());
    }
    // SPEC 6.2
    if role == "roles/org.admin" && ask.world.is_set(node, "disable_admin_team_access") {
        always.retain(|p| {
            ![
                "resourcemanager.teams.join",
                "resourcemanager.teams.setIamPolicy",
                "resourcemanager.teams.inviteMembers",
            ]
            .contains(&p.as_str())
        });
    }
    let asked = ask.permission.to_owned();
    always.contains(&asked) || (ask.owns && own.contains(&asked))
}

/// SPEC 5.1: the implicit grant of organization- and team-scoped accounts.
fn from_scope(ask: &Ask<'_>) -> Option<Grant> {
    let Who::Account(account) = ask.who else {
        return None;
    };
    let project = names::project_of(ask.world, &ask.place.node)?;
    let reaches = ["organizations", "teams"].contains(&account.scope().as_str())
        && account.kind != "SERVICE_AGENT"
        && names::at_or_below(&project, &account.parent());
    if !reaches || !carries(ask, &project, "roles/team.service") {
        return None;
    }
    let stopped = visibility(ask, Some(&project)) == "RESTRICTED";
    Some(Grant {
        source: Source::Scope,
        needs_seat: false,
        stopped,
    })
}

/// SPEC 4.3.
fn from_visibility(ask: &Ask<'_>) -> Option<Grant> {
    let project = names::project_of(ask.world, &ask.place.node);
    let visible = visibility(ask, project.as_ref());
    let flags = &ask.world.permissions[ask.permission];
    let read = ["PUBLIC", "OPEN"].contains(&visible.as_str()) && flags.public_read;
    let submit = match flags.open_submit.as_str() {
        "ANY" => true,
        "OWN" => ask.owns,
        _ => false,
    };
    let submit = visible == "OPEN" && ask.who.known() && submit;
    let grant = Grant {
        source: Source::Visibility,
        needs_seat: false,
        stopped: false,
    };
    (read || submit).then_some(grant)
}

/// SPEC 5.5: whether a user is a member of a team or of an ancestor team.
pub(crate) fn is_team_member(world: &World, user: &people::Who, team: &str) -> bool {
    names::upwards(team)
        .iter()
        .filter(|node| world.teams.contains_key(*node))
        .any(|node| {
            let bindings = world.policies.get(node).into_iter().flatten();
            bindings
                .filter(|b| roles::kind(world, &b.role) == Kind::Team)
                .any(|b| {
                    b.members
                        .iter()
                        .any(|m| people::matches(world, m, user) != Match::No)
                })
        })
}
