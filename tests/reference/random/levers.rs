//! Changes of the input, each of which must change some answers: what the random questions
//! do not feel, they do not test.

use serde_json::{Value, json};

use crate::random::shrink::Ask;

pub(crate) const ALL: [&str; 121] = [
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
    "without deny_policy",
    "without access_boundary",
    "without access_boundary_binding",
    "without identity_pool",
    "constraint iam.disableServiceAccountCreation",
    "constraint iam.disableServiceAccountKeyCreation",
    "constraint iam.disableServiceAccountKeyUpload",
    "constraint iam.disableCrossProjectServiceAccountUsage",
    "constraint iam.restrictCrossProjectServiceAccountLienRemoval",
    "constraint iam.automaticIamGrantsForDefaultServiceAccounts",
    "constraint iam.disableWorkloadIdentityClusterCreation",
    "constraint iam.allowServiceAccountCredentialLifetimeExtension",
    "constraint iam.serviceAccountKeyExpiryHours",
    "constraint iam.serviceAccountKeyExposureResponse",
    "constraint iam.workloadIdentityPoolProviders",
    "constraint iam.workloadIdentityPoolAwsAccounts",
    "without a reset",
    "org_policy.inherit_from_parent gone",
    "org_policy.list/deny gone",
    "identity_pool.disabled gone",
    "identity_pool.deleted_at gone",
    "access_boundary.permissions gone",
    "organization.tags gone",
    "team.tags gone",
    "project.tags gone",
    "service_account.tags gone",
    "group.members principal:",
    "rules exception_principals",
    "rules exception_permissions",
    "rules condition",
    "denied user:",
    "denied serviceAccount:",
    "denied group:",
    "denied domain:",
    "denied allUsers",
    "denied allAuthenticatedUsers",
    "denied principal:",
    "denied principalSet:",
    "spared user:",
    "spared serviceAccount:",
    "spared group:",
    "spared domain:",
    "spared allAuthenticatedUsers",
    "spared principal",
    "patterns /*.*",
    "patterns .*",
    "patterns /*.",
    "conditions of bindings",
    "conditions of boundaries",
    "conditions request.time",
    "conditions resource.name",
    "conditions resource.type",
    "conditions resource.matchTag",
    "conditions request.attributes",
    "conditions resource.attributes",
    "conditions source.ip",
    "conditions principal.",
    "members principal:",
    "bound user:",
    "bound group:",
    "bound principal",
    "ask delegates",
    "ask resource_attributes",
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
    let entities = changed["entities"].as_array_mut().unwrap();
    entities.retain(|entity| match what {
        "without" if how == "a reset" => entity.pointer("/org_policy/reset").is_none(),
        "without" => entity.get(how).is_none(),
        "constraint" => entity
            .pointer("/org_policy/constraint")
            .is_none_or(|name| name != how),
        "bound" => entity
            .pointer("/access_boundary_binding/principal_set")
            .is_none_or(|set| !set.as_str().unwrap().starts_with(how)),
        _ => true,
    });
    for entity in entities {
        let bindings = entity.pointer_mut("/allow_policy/bindings");
        match what {
            "members" => strip(bindings, |binding| {
                drop_members(&mut binding["members"], how);
                true
            }),
            "bindings" => strip(bindings, |binding| {
                !binding["role"].as_str().unwrap().starts_with(how)
            }),
            "conditions" => drop_conditions(entity, how),
            "rules" | "denied" | "spared" | "patterns" => {
                strip(entity.pointer_mut("/deny_policy/rules"), |rule| {
                    pull_on_rule(rule, what, how);
                    true
                });
            }
            "ask" | "without" | "constraint" | "bound" => {}
            _ => pull_on_field(entity, what, how),
        }
    }
    changed
}

fn pull_on_rule(rule: &mut Value, what: &str, how: &str) {
    match what {
        "rules" => {
            rule.as_object_mut().unwrap().remove(how);
        }
        "denied" => drop_members(&mut rule["denied_principals"], how),
        "spared" if rule.get("exception_principals").is_some() => {
            drop_members(&mut rule["exception_principals"], how);
        }
        "patterns" => {
            for list in ["denied_permissions", "exception_permissions"] {
                strip(rule.get_mut(list), |pattern| {
                    let pattern = pattern.as_str().unwrap();
                    let all = pattern.ends_with("/*.*");
                    match how {
                        "/*.*" => !all,
                        ".*" => all || !pattern.ends_with(".*"),
                        _ => all || !pattern.contains("/*."),
                    }
                });
            }
        }
        _ => {}
    }
}

/// Takes away conditions that read this, or those of one kind of entity.
fn drop_conditions(entity: &mut Value, how: &str) {
    let kinds = [
        ("/allow_policy/bindings", "of bindings"),
        ("/deny_policy/rules", ""),
    ];
    let reads = |holder: &Value, of: &str| {
        let text = holder.pointer("/condition/expression");
        text.is_some_and(|t| how == of || t.as_str().unwrap().contains(how))
    };
    for (path, of) in kinds {
        strip(entity.pointer_mut(path), |holder| {
            if reads(holder, of) {
                holder.as_object_mut().unwrap().remove("condition");
            }
            true
        });
    }
    if let Some(binding) = entity.get_mut("access_boundary_binding")
        && reads(binding, "of boundaries")
    {
        binding.as_object_mut().unwrap().remove("condition");
    }
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
    let body = if body.get("settings").is_some() && field != "tags" {
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
        ("list/deny", "gone") => {
            if let Some(list) = body.get_mut("list") {
                list.as_object_mut().unwrap().remove("deny");
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
            "ask created_by" => {
                q.resource_attributes
                    .as_object_mut()
                    .unwrap()
                    .remove("created_by");
            }
            "ask resource_attributes" => q.resource_attributes = json!({}),
            "ask delegates" => q.delegates.clear(),
            "ask entity" => q.entity = None,
            "ask attribution" => q.attribution = None,
            "ask context" => q.context = json!({}),
            "ask source_ip" => q.source_ip = None,
            _ => {}
        }
    }
    changed
}
