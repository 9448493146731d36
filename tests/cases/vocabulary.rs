//! The whole catalogue, permission by permission, as the engine knows it.

use serde_json::{Value, json};

use crate::reference::catalogue::{self, BuiltIn};
use crate::tables::{Both, ML, both, policy};

const WHO: &str = "user:out@y.example";

/// Where a permission can be asked at all (SPEC 6.3 step 5), below `project`.
fn place(permission: &str, project: &str) -> String {
    let on_account = permission.starts_with("iam.serviceAccount");
    match permission {
        "resourcemanager.projects.create" => ML.to_owned(),
        "iam.serviceAccounts.create" => project.to_owned(),
        _ if on_account => format!("{project}/serviceAccounts/in"),
        _ => project.to_owned(),
    }
}

/// An account in each project, for what is asked on accounts.
fn accounts() -> Vec<Value> {
    let name = |p: &str| format!("{ML}/projects/{p}/serviceAccounts/in");
    let account = |p: &&str| {
        let email = format!("in-{p}@iam.example");
        json!({ "service_account": { "name": name(p), "uid": format!("in-{p}"), "email": email } })
    };
    ["closed", "secret", "public", "open"]
        .iter()
        .map(account)
        .collect()
}

fn with_policy(resource: &str, role: &str) -> Both {
    let mut add = accounts();
    add.push(policy(resource, role, WHO));
    both(&add)
}

/// The permissions that a role does not carry as the table says, with what was found.
fn differences(both: &Both, role: &BuiltIn) -> Vec<String> {
    let project = format!("{ML}/projects/closed");
    let mut found = Vec::new();
    for permission in catalogue::get().permissions.keys() {
        let always = role.permissions.contains(permission);
        let own = always || role.own.contains(permission);
        let resource = place(permission, &project);
        let got = (
            both.may(WHO, permission, &resource, ""),
            both.may(WHO, permission, &resource, WHO),
        );
        if got != (always, own) {
            found.push(format!(
                "{permission}: {got:?}, expected {:?}",
                (always, own)
            ));
        }
    }
    found
}

// SPEC 3.1, 3.2, 3.3: the content of every built-in role, exactly.
#[test]
fn every_built_in_role_carries_exactly_what_the_catalogue_says() {
    for (name, role) in &catalogue::get().roles {
        let node = if name.starts_with("roles/team.") {
            ML
        } else {
            "organizations/a"
        };
        let found = differences(&with_policy(node, name), role);
        assert!(found.is_empty(), "{name}: {found:?}");
    }
}

// SPEC 3.6, 4.2, 4.3: the flags of every permission, exactly.
#[test]
fn every_permission_has_exactly_the_flags_of_the_catalogue() {
    let mut add = accounts();
    add.push(json!({ "user": {
        "name": "users/own", "uid": "u-own", "email": "own@x.example", "username": "own",
        "seats": [{ "organization": "organizations/a", "models": "VIEWER", "weave": "VIEWER" }],
    }}));
    let both = both(&add);
    let owner = "user:own@x.example";
    let may = |who: &str, permission: &str, project: &str, created_by: &str| {
        let project = format!("{ML}/projects/{project}");
        both.may(who, permission, &place(permission, &project), created_by)
    };
    for (permission, flags) in &catalogue::get().permissions {
        // `projects.create` is asked of a team, which has no visibility.
        if permission == "resourcemanager.projects.create" {
            continue;
        }
        let (any, own) = (flags.open_submit == "ANY", flags.open_submit == "OWN");
        let read = flags.public_read;
        assert_eq!(
            may("anonymous", permission, "public", ""),
            read,
            "{permission}"
        );
        assert_eq!(
            may(WHO, permission, "open", ""),
            read || any,
            "{permission}"
        );
        assert_eq!(
            may(WHO, permission, "open", WHO),
            read || any || own,
            "{permission}"
        );
        let carried = flags.basic_role != "NONE";
        let seat = flags.product == "NONE" || flags.read;
        assert_eq!(
            may(owner, permission, "closed", ""),
            carried && seat,
            "{permission}"
        );
        let crosses = carried && seat && flags.administrative;
        assert_eq!(
            may(owner, permission, "secret", ""),
            crosses,
            "{permission}"
        );
    }
}
