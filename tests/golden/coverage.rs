//! Every role, permission, reason and visibility is touched by the golden table or a case.
//! What is exempt is listed; an exemption that is touched fails.

use std::collections::BTreeSet;

use crate::company::{self, Company};
use crate::file;
use crate::reference::catalogue;
use crate::reference::question::Answer;

/// Reasons of SPEC 11.2 that this build can give.
const REASONS: [&str; 24] = [
    "GRANTED_BY_POLICY",
    "GRANTED_BY_SCOPE",
    "GRANTED_BY_VISIBILITY",
    "CREDENTIAL_MALFORMED",
    "CREDENTIAL_NOT_FOUND",
    "CREDENTIAL_OWNER_DELETED",
    "CREDENTIAL_OWNER_DISABLED",
    "CREDENTIAL_DISABLED",
    "CREDENTIAL_NOT_YET_VALID",
    "CREDENTIAL_EXPIRED",
    "CREDENTIAL_ORG_SCOPED_KEY_REQUIRED",
    "CREDENTIAL_IP_NOT_ALLOWED",
    "CREDENTIAL_OUT_OF_SCOPE",
    "PRINCIPAL_DISABLED",
    "RESOURCE_NOT_FOUND",
    "PERMISSION_UNKNOWN",
    "SERVICE_DISABLED",
    "CONSTRAINT",
    "QUOTA_EXCEEDED",
    "SEAT",
    "RESTRICTED_PROJECT",
    "PRINCIPAL_UNKNOWN",
    "UNAUTHENTICATED",
    "NO_GRANT",
];

/// Roles that neither the example nor a case binds.
const ROLES_EXEMPT: [&str; 0] = [];

/// Permissions that nobody is granted in the example or a case.
const PERMISSIONS_EXEMPT: [&str; 0] = [];

#[derive(Default)]
struct Touched {
    roles: BTreeSet<String>,
    allowed: BTreeSet<String>,
    denied: BTreeSet<String>,
    reasons: BTreeSet<String>,
    visibilities: BTreeSet<String>,
}

fn touched(company: &Company) -> Touched {
    let mut touched = Touched::default();
    touched.roles.extend(
        company
            .world
            .policies
            .values()
            .flatten()
            .map(|b| b.role.clone()),
    );
    for (resource, what) in &company.resources {
        if let Some(visibility) = what.strip_suffix(" project") {
            touched.visibilities.insert(visibility.to_owned());
        }
        for permission in company.world.permissions.keys() {
            for who in &company.principals {
                let answer = company.ask(who, permission, resource, false, false);
                let Answer::Decided(decision) = answer else {
                    continue;
                };
                touched.reasons.insert(decision.reason);
                let set = if decision.allow {
                    &mut touched.allowed
                } else {
                    &mut touched.denied
                };
                set.insert(permission.clone());
            }
        }
    }
    for case in file::all() {
        let policies = case
            .add
            .iter()
            .filter_map(|entity| entity.pointer("/allow_policy/bindings"));
        let bindings = policies.flat_map(|list| list.as_array().unwrap());
        touched
            .roles
            .extend(bindings.map(|b| b["role"].as_str().unwrap().to_owned()));
        for (permission, answer) in case.requests.iter().map(file::Request::expectation) {
            let (effect, reason) = answer.split_once(' ').unwrap();
            let set = match effect {
                "ALLOW" => &mut touched.allowed,
                "DENY" => &mut touched.denied,
                _ => continue,
            };
            set.insert(permission.to_owned());
            touched.reasons.insert(reason.to_owned());
        }
    }
    touched
}

/// What is there and not touched must be exactly what is exempt.
fn compare<'a>(
    what: &str,
    all: impl Iterator<Item = &'a str>,
    touched: &BTreeSet<String>,
    exempt: &[&str],
) {
    let missing: BTreeSet<&str> = all.filter(|name| !touched.contains(*name)).collect();
    let exempt: BTreeSet<&str> = exempt.iter().copied().collect();
    let untouched: Vec<_> = missing.difference(&exempt).collect();
    assert!(
        untouched.is_empty(),
        "no golden line and no case touches {what} {untouched:?}"
    );
    let stale: Vec<_> = exempt.difference(&missing).collect();
    assert!(
        stale.is_empty(),
        "{what} {stale:?} is touched: no exemption is needed"
    );
}

// SPEC 3.1, 3.2, 3.3, 4, 11.2
#[test]
fn every_role_permission_reason_and_visibility_is_touched() {
    let touched = touched(&company::read());
    let catalogue = catalogue::get();
    let roles = catalogue.roles.keys().map(String::as_str);
    compare("role", roles, &touched.roles, &ROLES_EXEMPT);
    let permissions = || catalogue.permissions.keys().map(String::as_str);
    compare(
        "an allow of",
        permissions(),
        &touched.allowed,
        &PERMISSIONS_EXEMPT,
    );
    compare("a deny of", permissions(), &touched.denied, &[]);
    compare("reason", REASONS.into_iter(), &touched.reasons, &[]);
    let visibilities = ["TEAM", "RESTRICTED", "PUBLIC", "OPEN"].into_iter();
    compare("visibility", visibilities, &touched.visibilities, &[]);
}
