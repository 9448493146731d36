//! The roles that each imported organization gets.

use crate::graph::document::{Entity, Role};
use crate::import::source::Access;

/// What a team maintainer may do beyond looking: change who is in the team.
const MAINTAINER: [&str; 3] = [
    "resourcemanager.teams.inviteMembers",
    "resourcemanager.teams.removeMembers",
    "resourcemanager.teams.update",
];

const READ: [&str; 19] = [
    "models.artifacts.download",
    "models.artifacts.get",
    "models.artifacts.list",
    "models.reports.get",
    "models.reports.list",
    "models.runs.get",
    "models.runs.list",
    "models.sweeps.get",
    "models.sweeps.list",
    "models.workspaces.get",
    "resourcemanager.projects.get",
    "resourcemanager.projects.list",
    "resourcemanager.teams.get",
    "weave.datasets.get",
    "weave.datasets.list",
    "weave.evaluations.get",
    "weave.evaluations.list",
    "weave.traces.get",
    "weave.traces.list",
];

/// Triage on GitHub: issues and pull requests, no content. Reports are the nearest thing.
const TRIAGE: [&str; 2] = ["models.reports.create", "models.reports.update"];

/// Write on GitHub: content, not settings, not who has access, not credentials. That is why
/// `roles/editor` does not fit: it makes service accounts and keys.
const WRITE: [&str; 18] = [
    "models.artifacts.create",
    "models.artifacts.delete",
    "models.artifacts.update",
    "models.reports.delete",
    "models.runs.create",
    "models.runs.delete",
    "models.runs.stop",
    "models.runs.update",
    "models.sweeps.create",
    "models.sweeps.delete",
    "models.sweeps.update",
    "models.workspaces.update",
    "weave.datasets.create",
    "weave.datasets.delete",
    "weave.datasets.update",
    "weave.evaluations.create",
    "weave.traces.create",
    "weave.traces.delete",
];

/// Maintain on GitHub: the settings that destroy nothing.
const MAINTAIN: [&str; 1] = ["resourcemanager.projects.update"];

/// Name of the role that `access` becomes in `organization`.
pub(super) fn of(organization: &str, access: Access) -> String {
    let id = match access {
        Access::Read => "repositoryRead",
        Access::Triage => "repositoryTriage",
        Access::Write => "repositoryWrite",
        Access::Maintain => "repositoryMaintain",
        Access::Admin => return "roles/owner".to_owned(),
    };
    format!("{organization}/roles/{id}")
}

/// Name of the role of a team's maintainers in `organization`.
pub(super) fn maintainer(organization: &str) -> String {
    format!("{organization}/roles/teamMaintainer")
}

/// The roles themselves.
pub(super) fn entities(organization: &str) -> Vec<Entity> {
    let repository = [
        (
            Access::Read,
            "Repository: read",
            [READ.as_slice(), &[], &[], &[]],
        ),
        (
            Access::Triage,
            "Repository: triage",
            [READ.as_slice(), &TRIAGE, &[], &[]],
        ),
        (
            Access::Write,
            "Repository: write",
            [READ.as_slice(), &TRIAGE, &WRITE, &[]],
        ),
        (
            Access::Maintain,
            "Repository: maintain",
            [READ.as_slice(), &TRIAGE, &WRITE, &MAINTAIN],
        ),
    ];
    let mut entities: Vec<Entity> = repository
        .into_iter()
        .map(|(access, title, parts)| {
            let name = of(organization, access);
            Entity::Role(Role {
                permissions: owned(&parts.concat()),
                ..role(name, title)
            })
        })
        .collect();
    entities.push(Entity::Role(Role {
        inherits: "roles/team.viewer".to_owned(),
        permissions: owned(&MAINTAINER),
        ..role(maintainer(organization), "Team maintainer")
    }));
    entities
}

fn role(name: String, title: &str) -> Role {
    Role {
        name,
        title: title.to_owned(),
        ..Role::default()
    }
}

fn owned(permissions: &[&str]) -> Vec<String> {
    let mut permissions: Vec<String> = permissions.iter().map(|p| (*p).to_owned()).collect();
    permissions.sort();
    permissions
}
