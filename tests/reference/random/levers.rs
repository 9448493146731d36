//! Changes of the input, each of which must change some answers: what the random questions
//! do not feel, they do not test.

use serde_json::{Value, json};

use crate::random::shrink::Ask;

pub(crate) const ALL: [&str; 58] = [
    "organization.enforce_org_scoped_keys off",
    "organization.disable_key_creation off",
    "organization.disable_team_service_account_creation off",
    "organization.disable_admin_team_access off",
    "organization.private_projects_only off",
    "team.private_projects_only off",
    "team.members_may_invite off",
    "project.visibility RESTRICTED",
    "project.visibility TEAM",
    "project.visibility PUBLIC",
    "project.visibility OPEN",
    "project.service_account_quota gone",
    "project.services gone",
    "user.disabled gone",
    "user.seats gone",
    "group.members gone",
    "group.members group:",
    "group.members serviceAccount:",
    "service_account.kind gone",
    "service_account.authentication gone",
    "service_account.default_team gone",
    "service_account.disabled gone",
    "service_account.deleted_at gone",
    "key.organization gone",
    "key.disabled gone",
    "key.exposed_at gone",
    "key.not_before gone",
    "key.not_after gone",
    "key.restrictions gone",
    "role.inherits gone",
    "role.permissions gone",
    "role.own_permissions gone",
    "role.stage gone",
    "role.deleted gone",
    "permission.public_read off",
    "permission.open_submit gone",
    "permission.administrative off",
    "permission.read off",
    "permission.product gone",
    "permission.basic_role gone",
    "members user:",
    "members serviceAccount:",
    "members deleted:",
    "members group:",
    "members domain:",
    "members allUsers",
    "members allAuthenticatedUsers",
    "members principalSet:",
    "bindings roles/team.",
    "bindings roles/org.",
    "bindings roles/owner",
    "bindings roles/iam.",
    "bindings organizations/",
    "ask created_by",
    "ask entity",
    "ask attribution",
    "ask context",
    "ask source_ip",
];

/// The file with the lever pulled in every entity.
pub(crate) fn pull_on_file(file: &Value, lever: &str) -> Value {
    let mut changed = file.clone();
    let (what, how) = lever.split_once(' ').unwrap();
    for entity in changed["entities"].as_array_mut().unwrap() {
        match what {
            "members" => strip(entity.pointer_mut("/allow_policy/bindings"), |binding| {
                drop_members(&mut binding["members"], how);
                true
            }),
            "bindings" => strip(entity.pointer_mut("/allow_policy/bindings"), |binding| {
                !binding["role"].as_str().unwrap().starts_with(how)
            }),
            "ask" => {}
            _ => pull_on_field(entity, what, how),
        }
    }
    changed
}

fn strip(list: Option<&mut Value>, keep: impl FnMut(&mut Value) -> bool) {
    if let Some(Value::Array(list)) = list {
        list.retain_mut(keep);
    }
}

fn drop_members(members: &mut Value, prefix: &str) {
    members
        .as_array_mut()
        .unwrap()
        .retain(|m| !m.as_str().unwrap().starts_with(prefix));
}

fn pull_on_field(entity: &mut Value, what: &str, how: &str) {
    let (kind, field) = what.split_once('.').unwrap();
    let Some(body) = entity.get_mut(kind) else {
        return;
    };
    let body = if body.get("settings").is_some() {
        &mut body["settings"]
    } else {
        body
    };
    match (field, how) {
        // Projects of that visibility get another one.
        ("visibility", from) => {
            let to = if from == "TEAM" { "RESTRICTED" } else { "TEAM" };
            if body["visibility"] == from {
                body["visibility"] = json!(to);
            }
        }
        (_, "gone") => {
            body.as_object_mut().unwrap().remove(field);
        }
        (_, "off") => body[field] = json!(false),
        ("members", prefix) => drop_members(&mut body["members"], prefix),
        _ => panic!("no lever {what} {how}"),
    }
}

/// The question without the part that the lever takes.
pub(crate) fn pull_on_ask(ask: &Ask, lever: &str) -> Ask {
    let mut changed = ask.clone();
    if let Ask::Authorize(q) = &mut changed {
        match lever {
            "ask created_by" => q.resource_attributes = json!({}),
            "ask entity" => q.entity = None,
            "ask attribution" => q.attribution = None,
            "ask context" => q.context = json!({}),
            "ask source_ip" => q.source_ip = None,
            _ => {}
        }
    }
    changed
}
