//! What a build evaluates: snapshots and questions go without the rest.

use serde_json::{Value, json};

use crate::engine;
use crate::random::levers;
use crate::random::shrink::Ask;

/// What this build refuses in a snapshot.
pub(crate) fn refused() -> Vec<&'static str> {
    let o = "organizations/o";
    let probes = [
        (
            "deny_policy",
            json!({ "name": format!("{o}/denyPolicies/d"), "attachment": o }),
        ),
        (
            "access_boundary",
            json!({ "name": format!("{o}/accessBoundaries/b"), "resources": [o] }),
        ),
        (
            "access_boundary_binding",
            json!({
                "name": format!("{o}/accessBoundaryBindings/b"),
                "boundary": format!("{o}/accessBoundaries/b"), "principal_set": "allUsers",
            }),
        ),
        (
            "org_policy",
            json!({
                "name": format!("{o}/orgPolicies/iam.disableServiceAccountCreation"),
                "attachment": o, "constraint": "iam.disableServiceAccountCreation",
                "boolean": { "enforced": true },
            }),
        ),
        (
            "identity_pool",
            json!({ "name": format!("{o}/identityPools/p") }),
        ),
        (
            "condition",
            json!({ "resource": o, "bindings": [{
            "role": "roles/iam.serviceAccountUser", "members": ["user:a@x.example"],
            "condition": { "expression": "request.time.getFullYear() == 2026" },
        }] }),
        ),
    ];
    let refused = probes.into_iter().filter(|(kind, body)| {
        let kind = if *kind == "condition" {
            "allow_policy"
        } else {
            kind
        };
        let mut probe = serde_json::Map::new();
        probe.insert(kind.to_owned(), body.clone());
        let node = json!({ "organization": { "name": o } });
        engine::build(&json!({ "entities": [node, probe] })).is_err()
    });
    refused.map(|(kind, _)| kind).collect()
}

/// Takes out what a build does not evaluate.
pub(crate) fn leave_out(file: &mut Value, questions: &mut [Ask], what: &str) {
    let entities = file["entities"].as_array_mut().unwrap();
    entities.retain(|entity| entity.get(what).is_none());
    if what == "condition" {
        for entity in entities {
            levers::drop_conditions(entity, "");
        }
    }
    for ask in questions {
        if let Ask::Authorize(q) = ask {
            // Chains come with them.
            if what == "deny_policy" {
                q.delegates.clear();
            }
        }
    }
}
