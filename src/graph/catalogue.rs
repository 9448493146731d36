//! The built-in vocabulary: every permission with its flags, every role with its content.
//!
//! A person can read it top to bottom; `tests/reference` holds an independent copy and a test
//! compares the two (SPEC 3.1, FACTS A1, B1.3, B1.4).

use crate::model::permission::{BasicRole, OpenSubmit, PermissionFlags, Product};

/// Permissions of one `service.resource`: verbs, each with its flags.
///
/// The flags are letters: first the smallest basic role that carries it (`V`iewer, `E`ditor,
/// `O`wner, `N`one), then `p` public read, `s` open submit, `o` open submit of one's own
/// things, `a` administrative, `r` read, `c` configures.
type Verbs = &'static [(&'static str, &'static str)];

/// Every built-in permission, by `service.resource`.
#[rustfmt::skip]
pub const PERMISSIONS: &[(&str, Verbs)] = &[
    ("resourcemanager.organizations", &[
        ("get", "Vr"), ("update", "O"), ("getIamPolicy", "Vr"), ("setIamPolicy", "O"),
    ]),
    ("resourcemanager.teams", &[
        ("create", "O"), ("get", "Vr"), ("list", "Vr"), ("update", "E"), ("delete", "O"),
        ("getIamPolicy", "Vr"), ("setIamPolicy", "O"), ("inviteMembers", "O"),
        ("removeMembers", "O"), ("join", "N"),
    ]),
    ("resourcemanager.projects", &[
        ("create", "Ec"), ("get", "Vpr"), ("list", "Vr"), ("update", "E"), ("delete", "O"),
        ("getIamPolicy", "Vra"), ("setIamPolicy", "Oa"), ("setVisibility", "Oac"), ("join", "Na"),
        ("updateLiens", "Oc"),
    ]),
    ("iam.serviceAccounts", &[
        ("create", "Ec"), ("get", "Vr"), ("list", "Vr"), ("update", "E"), ("delete", "E"),
        ("undelete", "O"), ("enable", "E"), ("disable", "Ea"), ("getIamPolicy", "Vr"),
        ("setIamPolicy", "O"), ("actAs", "Ec"), ("getAccessToken", "N"), ("getOpenIdToken", "N"),
        ("signBlob", "N"), ("signJwt", "N"), ("implicitDelegation", "N"),
    ]),
    ("iam.serviceAccountKeys", &[
        ("create", "Ec"), ("upload", "Ec"), ("get", "Vr"), ("list", "Vra"), ("delete", "Ea"),
        ("enable", "E"), ("disable", "Ea"),
    ]),
    ("iam.serviceAccountApiKeyBindings", &[
        ("create", "Ec"), ("list", "Vra"), ("delete", "Ea"), ("undelete", "E"),
    ]),
    ("iam.roles", &[
        ("create", "O"), ("get", "Vr"), ("list", "Vr"), ("update", "O"), ("delete", "O"),
        ("undelete", "O"),
    ]),
    ("iam.denypolicies", &[
        ("create", "N"), ("get", "N"), ("list", "N"), ("update", "N"), ("delete", "N"),
    ]),
    ("iam.principalaccessboundarypolicies", &[
        ("create", "N"), ("get", "N"), ("list", "N"), ("update", "N"), ("delete", "N"),
        ("bind", "N"), ("unbind", "N"),
    ]),
    ("iam.workloadIdentityPools", &[
        ("create", "Oc"), ("get", "Vr"), ("list", "Vr"), ("update", "Oc"), ("delete", "O"),
        ("undelete", "O"),
    ]),
    ("iam.workloadIdentityPoolProviders", &[
        ("create", "Oc"), ("get", "Vr"), ("list", "Vr"), ("update", "Oc"), ("delete", "O"),
        ("undelete", "O"),
    ]),
    ("orgpolicy.policy", &[
        ("get", "Vr"), ("set", "N"),
    ]),
    ("container.clusters", &[
        ("create", "Ec"), ("get", "Vr"), ("list", "Vr"), ("delete", "E"),
    ]),
    ("models.runs", &[
        ("create", "Es"), ("get", "Vpr"), ("list", "Vpr"), ("update", "Eo"), ("delete", "E"),
        ("stop", "E"), ("move", "Ec"),
    ]),
    ("models.artifacts", &[
        ("create", "E"), ("get", "Vpr"), ("list", "Vpr"), ("download", "Vp"), ("update", "E"),
        ("delete", "E"),
    ]),
    ("models.reports", &[
        ("create", "Es"), ("get", "Vpr"), ("list", "Vpr"), ("update", "E"), ("delete", "E"),
    ]),
    ("models.sweeps", &[
        ("create", "E"), ("get", "Vpr"), ("list", "Vpr"), ("update", "E"), ("delete", "E"),
    ]),
    ("models.workspaces", &[
        ("get", "Vpr"), ("update", "E"),
    ]),
    ("models.registries", &[
        ("get", "Vr"), ("list", "Vr"), ("create", "E"), ("update", "E"), ("delete", "E"),
    ]),
    ("weave.traces", &[
        ("create", "E"), ("get", "Vpr"), ("list", "Vpr"), ("delete", "E"),
    ]),
    ("weave.evaluations", &[
        ("create", "E"), ("get", "Vpr"), ("list", "Vpr"), ("delete", "E"),
    ]),
    ("weave.datasets", &[
        ("create", "E"), ("get", "Vpr"), ("list", "Vpr"), ("update", "E"), ("delete", "E"),
    ]),
];

/// A built-in role other than the three basic ones.
#[derive(Debug, Clone, Copy)]
pub struct Role {
    /// `roles/...`.
    pub name: &'static str,
    /// Whether it is a membership role (SPEC 3.3).
    pub membership: bool,
    /// The role whose content it has too.
    pub includes: Option<&'static str>,
    /// Permissions; `service.resource.*` is every verb of it.
    pub permissions: &'static [&'static str],
    /// Permissions that hold for one's own things.
    pub own: &'static [&'static str],
}

/// The basic roles (SPEC 3.2), smallest first.
pub const BASIC_ROLES: [(&str, BasicRole); 3] = [
    ("roles/viewer", BasicRole::Viewer),
    ("roles/editor", BasicRole::Editor),
    ("roles/owner", BasicRole::Owner),
];

/// Every other built-in role.
pub const ROLES: &[Role] = &[
    Role {
        name: "roles/org.member",
        membership: true,
        includes: None,
        permissions: &[
            "resourcemanager.organizations.get",
            "resourcemanager.teams.get",
            "resourcemanager.teams.list",
        ],
        own: &[],
    },
    Role {
        name: "roles/org.billingAdmin",
        membership: true,
        includes: None,
        permissions: &["resourcemanager.organizations.get"],
        own: &[],
    },
    Role {
        name: "roles/org.admin",
        membership: true,
        includes: None,
        permissions: &[
            "resourcemanager.organizations.*",
            "resourcemanager.teams.*",
            "resourcemanager.projects.get",
            "resourcemanager.projects.list",
            "resourcemanager.projects.getIamPolicy",
            "resourcemanager.projects.setVisibility",
            "iam.serviceAccounts.create",
            "iam.serviceAccounts.get",
            "iam.serviceAccounts.list",
            "iam.serviceAccounts.update",
            "iam.serviceAccounts.delete",
            "iam.serviceAccounts.undelete",
            "iam.serviceAccounts.enable",
            "iam.serviceAccounts.disable",
            "iam.serviceAccounts.getIamPolicy",
            "iam.serviceAccounts.setIamPolicy",
            "iam.serviceAccountKeys.*",
            "iam.serviceAccountApiKeyBindings.*",
            "iam.roles.*",
            "iam.workloadIdentityPools.*",
            "iam.workloadIdentityPoolProviders.*",
            "orgpolicy.policy.get",
        ],
        own: &[],
    },
    Role {
        name: "roles/team.viewer",
        membership: true,
        includes: None,
        permissions: &[
            "resourcemanager.teams.get",
            "resourcemanager.projects.get",
            "resourcemanager.projects.list",
            "models.runs.get",
            "models.runs.list",
            "models.artifacts.get",
            "models.artifacts.list",
            "models.artifacts.download",
            "models.reports.get",
            "models.reports.list",
            "models.sweeps.get",
            "models.sweeps.list",
            "models.workspaces.get",
            "models.registries.get",
            "models.registries.list",
            "weave.traces.get",
            "weave.traces.list",
            "weave.evaluations.get",
            "weave.evaluations.list",
            "weave.datasets.get",
            "weave.datasets.list",
        ],
        own: &[],
    },
    Role {
        name: "roles/team.member",
        membership: true,
        includes: Some("roles/team.viewer"),
        permissions: &[
            "resourcemanager.projects.create",
            "models.runs.create",
            "models.runs.update",
            "models.artifacts.create",
            "models.artifacts.update",
            "models.artifacts.delete",
            "models.reports.create",
            "models.sweeps.create",
            "models.sweeps.update",
            "models.workspaces.update",
            "weave.traces.create",
            "weave.evaluations.create",
            "weave.datasets.create",
            "weave.datasets.update",
        ],
        own: &[
            "models.runs.delete",
            "models.runs.stop",
            "models.runs.move",
            "models.reports.update",
            "models.reports.delete",
            "models.sweeps.delete",
            "weave.traces.delete",
            "weave.evaluations.delete",
            "weave.datasets.delete",
        ],
    },
    Role {
        name: "roles/team.admin",
        membership: true,
        includes: Some("roles/team.member"),
        permissions: &[
            "resourcemanager.teams.update",
            "resourcemanager.teams.getIamPolicy",
            "resourcemanager.teams.setIamPolicy",
            "resourcemanager.teams.inviteMembers",
            "resourcemanager.teams.removeMembers",
            "resourcemanager.projects.*",
            "models.runs.*",
            "models.artifacts.*",
            "models.reports.*",
            "models.sweeps.*",
            "models.workspaces.*",
            "models.registries.*",
            "weave.traces.*",
            "weave.evaluations.*",
            "weave.datasets.*",
            "iam.serviceAccounts.create",
            "iam.serviceAccounts.get",
            "iam.serviceAccounts.list",
            "iam.serviceAccounts.update",
            "iam.serviceAccounts.delete",
            "iam.serviceAccounts.disable",
            "iam.serviceAccounts.enable",
            "iam.serviceAccountKeys.create",
            "iam.serviceAccountKeys.get",
            "iam.serviceAccountKeys.list",
            "iam.serviceAccountKeys.disable",
            "iam.serviceAccountKeys.delete",
            "iam.serviceAccountApiKeyBindings.create",
            "iam.serviceAccountApiKeyBindings.list",
            "iam.serviceAccountApiKeyBindings.delete",
        ],
        own: &[],
    },
    Role {
        name: "roles/team.service",
        membership: true,
        includes: None,
        permissions: &[
            "resourcemanager.projects.get",
            "resourcemanager.projects.list",
            "models.runs.create",
            "models.runs.get",
            "models.runs.list",
            "models.runs.update",
            "models.artifacts.create",
            "models.artifacts.get",
            "models.artifacts.list",
            "models.artifacts.download",
            "models.artifacts.update",
            "models.artifacts.delete",
            "models.reports.create",
            "models.reports.get",
            "models.reports.list",
            "models.sweeps.create",
            "models.sweeps.get",
            "models.sweeps.list",
            "models.sweeps.update",
            "models.workspaces.get",
            "models.registries.get",
            "models.registries.list",
            "weave.traces.create",
            "weave.traces.get",
            "weave.traces.list",
            "weave.evaluations.create",
            "weave.evaluations.get",
            "weave.evaluations.list",
            "weave.datasets.create",
            "weave.datasets.get",
            "weave.datasets.list",
            "weave.datasets.update",
        ],
        own: &[
            "models.runs.delete",
            "models.runs.stop",
            "models.reports.update",
            "models.reports.delete",
            "models.sweeps.delete",
        ],
    },
    Role {
        name: "roles/iam.serviceAccountUser",
        membership: false,
        includes: None,
        permissions: &[
            "iam.serviceAccounts.actAs",
            "iam.serviceAccounts.get",
            "iam.serviceAccounts.list",
            "resourcemanager.projects.get",
            "resourcemanager.projects.list",
        ],
        own: &[],
    },
    Role {
        name: "roles/iam.serviceAccountTokenCreator",
        membership: false,
        includes: None,
        permissions: &[
            "iam.serviceAccounts.get",
            "iam.serviceAccounts.getAccessToken",
            "iam.serviceAccounts.getOpenIdToken",
            "iam.serviceAccounts.implicitDelegation",
            "iam.serviceAccounts.list",
            "iam.serviceAccounts.signBlob",
            "iam.serviceAccounts.signJwt",
            "resourcemanager.projects.get",
            "resourcemanager.projects.list",
        ],
        own: &[],
    },
    Role {
        name: "roles/iam.serviceAccountOpenIdTokenCreator",
        membership: false,
        includes: None,
        permissions: &["iam.serviceAccounts.getOpenIdToken"],
        own: &[],
    },
    Role {
        name: "roles/iam.workloadIdentityUser",
        membership: false,
        includes: None,
        permissions: &[
            "iam.serviceAccounts.get",
            "iam.serviceAccounts.getAccessToken",
            "iam.serviceAccounts.getOpenIdToken",
            "iam.serviceAccounts.list",
        ],
        own: &[],
    },
    Role {
        name: "roles/iam.serviceAccountAdmin",
        membership: false,
        includes: None,
        permissions: &[
            "iam.serviceAccountApiKeyBindings.*",
            "iam.serviceAccounts.create",
            "iam.serviceAccounts.delete",
            "iam.serviceAccounts.disable",
            "iam.serviceAccounts.enable",
            "iam.serviceAccounts.get",
            "iam.serviceAccounts.getIamPolicy",
            "iam.serviceAccounts.list",
            "iam.serviceAccounts.setIamPolicy",
            "iam.serviceAccounts.undelete",
            "iam.serviceAccounts.update",
            "resourcemanager.projects.get",
            "resourcemanager.projects.list",
        ],
        own: &[],
    },
    Role {
        name: "roles/iam.serviceAccountKeyAdmin",
        membership: false,
        includes: None,
        permissions: &[
            "iam.serviceAccountKeys.*",
            "iam.serviceAccounts.get",
            "iam.serviceAccounts.list",
            "resourcemanager.projects.get",
            "resourcemanager.projects.list",
        ],
        own: &[],
    },
    Role {
        name: "roles/iam.serviceAccountCreator",
        membership: false,
        includes: None,
        permissions: &[
            "iam.serviceAccounts.create",
            "iam.serviceAccounts.get",
            "iam.serviceAccounts.list",
            "resourcemanager.projects.get",
            "resourcemanager.projects.list",
        ],
        own: &[],
    },
    Role {
        name: "roles/iam.serviceAccountDeleter",
        membership: false,
        includes: None,
        permissions: &[
            "iam.serviceAccounts.delete",
            "iam.serviceAccounts.get",
            "iam.serviceAccounts.list",
            "resourcemanager.projects.get",
            "resourcemanager.projects.list",
        ],
        own: &[],
    },
    Role {
        name: "roles/iam.serviceAccountViewer",
        membership: false,
        includes: None,
        permissions: &[
            "iam.serviceAccountKeys.get",
            "iam.serviceAccountKeys.list",
            "iam.serviceAccounts.get",
            "iam.serviceAccounts.getIamPolicy",
            "iam.serviceAccounts.list",
            "resourcemanager.projects.get",
            "resourcemanager.projects.list",
        ],
        own: &[],
    },
    Role {
        name: "roles/iam.serviceAccountApiKeyBindingAdmin",
        membership: false,
        includes: None,
        permissions: &["iam.serviceAccountApiKeyBindings.*"],
        own: &[],
    },
    Role {
        name: "roles/iam.denyAdmin",
        membership: false,
        includes: None,
        permissions: &["iam.denypolicies.*"],
        own: &[],
    },
    Role {
        name: "roles/iam.denyReviewer",
        membership: false,
        includes: None,
        permissions: &["iam.denypolicies.get", "iam.denypolicies.list"],
        own: &[],
    },
    Role {
        name: "roles/iam.principalAccessBoundaryAdmin",
        membership: false,
        includes: None,
        permissions: &["iam.principalaccessboundarypolicies.*"],
        own: &[],
    },
    Role {
        name: "roles/orgpolicy.policyAdmin",
        membership: false,
        includes: None,
        permissions: &["orgpolicy.policy.get", "orgpolicy.policy.set"],
        own: &[],
    },
];

/// Reads the flag letters of a permission of `service`.
#[must_use]
pub fn flags(service: &str, letters: &str) -> PermissionFlags {
    let has = |letter: char| letters.contains(letter);
    PermissionFlags {
        basic_role: match letters.chars().next() {
            Some('V') => BasicRole::Viewer,
            Some('E') => BasicRole::Editor,
            Some('O') => BasicRole::Owner,
            _ => BasicRole::None,
        },
        product: match service {
            "models" => Product::Models,
            "weave" => Product::Weave,
            _ => Product::None,
        },
        public_read: has('p'),
        open_submit: match (has('s'), has('o')) {
            (true, _) => OpenSubmit::Any,
            (_, true) => OpenSubmit::Own,
            _ => OpenSubmit::None,
        },
        administrative: has('a'),
        read: has('r'),
        configures: has('c'),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    // SPEC 3.1
    #[test]
    fn every_permission_that_a_role_names_is_in_the_vocabulary() {
        for role in ROLES {
            for name in role.permissions.iter().chain(role.own) {
                let (resource, verb) = name.rsplit_once('.').unwrap();
                let (_, verbs) = PERMISSIONS.iter().find(|(r, _)| *r == resource).unwrap();
                assert!(
                    verb == "*" || verbs.iter().any(|(v, _)| *v == verb),
                    "{name}"
                );
            }
            assert!(
                role.includes
                    .is_none_or(|i| ROLES.iter().any(|r| r.name == i))
            );
        }
    }

    // SPEC 3.1
    #[test]
    fn flag_letters_are_all_known() {
        for (resource, verbs) in PERMISSIONS {
            for (verb, letters) in *verbs {
                let mut letters = letters.chars();
                let class = letters.next().unwrap();
                assert!("VEON".contains(class), "{resource}.{verb}");
                assert!(letters.all(|l| "psoarc".contains(l)), "{resource}.{verb}");
            }
        }
    }
}
