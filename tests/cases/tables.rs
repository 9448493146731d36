//! The tables of FACTS, cell by cell: A1.4, A1.5 and A2.4.

use serde_json::{Value, json};

use crate::engine;
use crate::file;
use crate::reference::decide;
use crate::reference::question::{Answer, Question, Subject};
use crate::reference::time;
use crate::reference::world::World;

pub(crate) const ML: &str = "organizations/a/teams/ml";
const WEB: &str = "organizations/a/teams/web";

/// A document, ready to be asked by both.
pub(crate) struct Both {
    world: World,
    snapshot: postern::graph::snapshot::Snapshot,
}

pub(crate) fn both(add: &[Value]) -> Both {
    let file = file::document(add);
    Both {
        world: World::read(&file),
        snapshot: engine::build(&file).unwrap(),
    }
}

pub(crate) fn policy(resource: &str, role: &str, member: &str) -> Value {
    let binding = json!({ "role": role, "members": [member] });
    json!({ "allow_policy": { "resource": resource, "bindings": [binding] } })
}

impl Both {
    /// Whether it is allowed; the engine and the reference must agree.
    pub(crate) fn may(
        &self,
        who: &str,
        permission: &str,
        resource: &str,
        created_by: &str,
    ) -> bool {
        let mut attributes = json!({});
        if !created_by.is_empty() {
            attributes["created_by"] = json!(created_by);
        }
        let q = Question {
            subject: match who {
                "anonymous" => Subject::Anonymous,
                _ => Subject::Principal(who.to_owned()),
            },
            permission: permission.to_owned(),
            resource: resource.to_owned(),
            resource_attributes: attributes,
            context: json!({
                "visibility": "TEAM",
                "destination": resource,
                "attached_resource": resource,
            }),
            entity: None,
            attribution: None,
            delegates: Vec::new(),
            source_ip: None,
            now: time::seconds("2026-06-01T00:00:00Z"),
        };
        let expected = decide::authorize(&self.world, &q);
        let got = engine::authorize(&self.snapshot, &self.world, &q);
        assert!(
            engine::agrees(&expected, &got),
            "{q:?}: {expected:?} but the engine says {got:?}"
        );
        matches!(expected, Answer::Decided(decision) if decision.allow)
    }

    /// `RW`, `R` or `-`: may read runs, may log runs.
    fn access(&self, who: &str, project: &str) -> &'static str {
        let read = self.may(who, "models.runs.get", project, "");
        match (read, self.may(who, "models.runs.create", project, "")) {
            (true, true) => "RW",
            (true, false) => "R",
            (false, true) => "W",
            (false, false) => "-",
        }
    }
}

// SPEC 5.1, 4.1, 4.2, 4.3; FACTS A2.4. Team and accounts of `ml`; "added" means bound on the
// project. The cell that FACTS leaves open (viewers in OPEN projects) is SPEC 4.3's.
#[test]
fn the_decision_matrix_of_service_accounts_and_members_holds() {
    #[rustfmt::skip]
    let table = [
        // caller                         own team: TEAM PUBLIC OPEN RESTRICTED, added | other team: TEAM PUBLIC OPEN RESTRICTED, added
        ("serviceAccount:team@iam.example", ["RW", "RW", "RW", "-", "RW", "-", "R", "RW", "-"]),
        ("serviceAccount:org@iam.example",  ["RW", "RW", "RW", "-", "RW", "RW", "RW", "RW", "-"]),
        ("user:bob@x.example",              ["RW", "RW", "RW", "-", "RW", "-", "R", "RW", "-"]),
        ("user:vic@x.example",              ["R", "R", "RW", "-", "R", "-", "R", "RW", "-"]),
    ];
    for (who, cells) in table {
        let plain = both(&[]);
        let role = if who.starts_with("user") {
            "roles/team.member"
        } else {
            "roles/team.service"
        };
        let added = both(&[policy(&format!("{ML}/projects/secret"), role, who)]);
        let got = [
            plain.access(who, &format!("{ML}/projects/closed")),
            plain.access(who, &format!("{ML}/projects/public")),
            plain.access(who, &format!("{ML}/projects/open")),
            plain.access(who, &format!("{ML}/projects/secret")),
            added.access(who, &format!("{ML}/projects/secret")),
            plain.access(who, &format!("{WEB}/projects/closed")),
            plain.access(who, &format!("{WEB}/projects/public")),
            plain.access(who, &format!("{WEB}/projects/open")),
            plain.access(who, &format!("{WEB}/projects/secret")),
        ];
        assert_eq!(got, cells, "{who}");
    }
    // An organization-scoped account may be added to a RESTRICTED project of any team.
    let secret = format!("{WEB}/projects/secret");
    let org = "serviceAccount:org@iam.example";
    let added = both(&[policy(&secret, "roles/team.service", org)]);
    assert_eq!(added.access(org, &secret), "RW");
}

// SPEC 3.3; FACTS A1.4: what the team roles may, `own` only for one's own things.
#[test]
fn the_team_permission_table_holds() {
    #[rustfmt::skip]
    let table = [
        ("resourcemanager.teams.inviteMembers",  "-", "-", "yes"),
        ("resourcemanager.teams.removeMembers",  "-", "-", "yes"),
        ("resourcemanager.teams.update",         "-", "-", "yes"),
        ("models.reports.get",                   "yes", "yes", "yes"),
        ("models.reports.create",                "-", "yes", "yes"),
        ("models.reports.update",                "-", "own", "yes"),
        ("models.reports.delete",                "-", "own", "yes"),
        ("models.runs.get",                      "yes", "yes", "yes"),
        ("models.workspaces.update",             "-", "yes", "yes"),
        ("models.runs.create",                   "-", "yes", "yes"),
        ("models.runs.delete",                   "-", "own", "yes"),
        ("models.runs.stop",                     "-", "own", "yes"),
        ("models.artifacts.get",                 "yes", "yes", "yes"),
        ("models.artifacts.download",            "yes", "yes", "yes"),
        ("models.artifacts.create",              "-", "yes", "yes"),
        ("models.artifacts.delete",              "-", "yes", "yes"),
        ("models.artifacts.update",              "-", "yes", "yes"),
        // "If B moves a run to A's project, A still cannot delete it; an admin can manage any."
        ("models.runs.move",                     "-", "own", "yes"),
        // FACTS A2.1j, A2.1f
        ("resourcemanager.projects.create",      "-", "yes", "yes"),
        ("resourcemanager.projects.setVisibility", "-", "-", "yes"),
    ];
    let both = both(&[]);
    let project = format!("{ML}/projects/closed");
    for (permission, viewer, member, admin) in table {
        for (who, expected) in [("vic", viewer), ("bob", member), ("ann", admin)] {
            let who = format!("user:{who}@x.example");
            let on_team = permission.contains(".teams.") || permission.ends_with("projects.create");
            let resource = if on_team { ML } else { &project };
            let others = both.may(&who, permission, resource, "user:own@x.example");
            let own = both.may(&who, permission, resource, &who);
            let got = match (others, own) {
                (true, true) => "yes",
                (false, true) => "own",
                (false, false) => "-",
                (true, false) => "others",
            };
            assert_eq!(got, expected, "{who} {permission}");
        }
    }
}

// SPEC 3.5; FACTS A1.5: the role that counts in a project, by the team's and the project's.
// `V` views, `M` also logs, `A` also deletes what others made.
#[test]
fn the_project_level_role_rules_hold() {
    #[rustfmt::skip]
    let table = [
        // team role,          project role,         TEAM RESTRICTED PUBLIC OPEN
        ("",                   "",                   ["-", "-", "V", "M"]),
        ("",                   "roles/team.member",  ["-", "-", "V", "M"]),
        ("",                   "roles/team.admin",   ["-", "-", "V", "M"]),
        ("roles/team.viewer",  "",                   ["V", "-", "V", "M"]),
        ("roles/team.viewer",  "roles/team.viewer",  ["V", "V", "V", "M"]),
        ("roles/team.viewer",  "roles/team.member",  ["V", "V", "V", "M"]),
        ("roles/team.viewer",  "roles/team.admin",   ["V", "V", "V", "M"]),
        ("roles/team.member",  "",                   ["M", "-", "M", "M"]),
        ("roles/team.member",  "roles/team.viewer",  ["V", "V", "M", "M"]),
        ("roles/team.member",  "roles/team.member",  ["M", "M", "M", "M"]),
        ("roles/team.member",  "roles/team.admin",   ["A", "A", "M", "M"]),
        ("roles/team.admin",   "",                   ["A", "-", "A", "A"]),
        ("roles/team.admin",   "roles/team.viewer",  ["V", "V", "A", "A"]),
        ("roles/team.admin",   "roles/team.member",  ["M", "M", "A", "A"]),
        ("roles/team.admin",   "roles/team.admin",   ["A", "A", "A", "A"]),
    ];
    let who = "user:out@y.example";
    for (team, in_project, cells) in table {
        let projects = ["closed", "secret", "public", "open"];
        let mut add = Vec::new();
        if !team.is_empty() {
            add.push(policy(ML, team, who));
        }
        if !in_project.is_empty() {
            let bind = |p: &&str| policy(&format!("{ML}/projects/{p}"), in_project, who);
            add.extend(projects.iter().map(bind));
        }
        let both = both(&add);
        let got = projects.map(|project| {
            let project = format!("{ML}/projects/{project}");
            let may = |permission| both.may(who, permission, &project, "");
            match (
                may("models.runs.get"),
                may("models.runs.create"),
                may("models.runs.delete"),
            ) {
                (false, false, false) => "-",
                (true, false, false) => "V",
                (true, true, false) => "M",
                (true, true, true) => "A",
                _ => "?",
            }
        });
        assert_eq!(
            got, cells,
            "{team} on the team, {in_project} on the project"
        );
    }
}
