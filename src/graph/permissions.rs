//! The permissions of a snapshot: the built-in vocabulary and what entities add to it.

use crate::graph::catalogue;
use crate::graph::document;
use crate::graph::shard::Index;
use crate::model::permission::{BasicRole, PermissionFlags, PermissionIx, PermissionSet};

/// What a permission needs checked before any grant counts (SPEC 6.3 step 5).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Gate {
    /// Nothing.
    None,
    /// `context.visibility` of an existing project (SPEC 4.4).
    SetVisibility,
    /// `context.visibility` of a future project (SPEC 4.4).
    CreateProject,
    /// `context.destination` (SPEC 4.4).
    Move,
    /// Quota, switch and constraint of service accounts (SPEC 5.4, 8).
    CreateAccount,
    /// Quota and constraints of key pairs (SPEC 5.4, 8).
    CreateKeyPair,
    /// The same of a key pair whose public half is uploaded.
    UploadKeyPair,
    /// Quota and switches of API keys (SPEC 5.4).
    CreateApiKey,
    /// `context.attached_resource`, a living account (SPEC 6.3, 8).
    ActAs,
    /// A living account (SPEC 6.3), and a lifetime it may have (SPEC 10.3).
    Token,
    /// `context.issuer` or `context.aws_account` (SPEC 8).
    ConfigureProvider,
    /// A binding on the organization (SPEC 8).
    UpdateLiens,
    /// `context.workload_identity` (SPEC 8).
    CreateCluster,
}

fn gate(name: &str) -> Gate {
    match name {
        "resourcemanager.projects.setVisibility" => Gate::SetVisibility,
        "resourcemanager.projects.create" => Gate::CreateProject,
        "models.runs.move" => Gate::Move,
        "iam.serviceAccounts.create" => Gate::CreateAccount,
        "iam.serviceAccountKeys.create" => Gate::CreateKeyPair,
        "iam.serviceAccountKeys.upload" => Gate::UploadKeyPair,
        "iam.serviceAccountApiKeyBindings.create" => Gate::CreateApiKey,
        "iam.serviceAccounts.actAs" => Gate::ActAs,
        "iam.serviceAccounts.getAccessToken"
        | "iam.serviceAccounts.getOpenIdToken"
        | "iam.serviceAccounts.signBlob"
        | "iam.serviceAccounts.signJwt"
        | "iam.serviceAccounts.implicitDelegation" => Gate::Token,
        "iam.workloadIdentityPoolProviders.create" | "iam.workloadIdentityPoolProviders.update" => {
            Gate::ConfigureProvider
        }
        "resourcemanager.projects.updateLiens" => Gate::UpdateLiens,
        "container.clusters.create" => Gate::CreateCluster,
        _ => Gate::None,
    }
}

/// One permission.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PermissionRow {
    /// `service.resource.verb`.
    pub name: Box<str>,
    /// Its flags.
    pub flags: PermissionFlags,
    /// What must be checked before any grant counts.
    pub gate: Gate,
    /// Whether `roles/team.viewer` has it: what SPEC 3.5 falls back to.
    pub viewer: bool,
    /// Whether `roles/team.service` has it: the implicit grant of SPEC 5.1.
    pub service: bool,
    /// Whether `roles/team.service` has it for the account's own things.
    pub service_own: bool,
}

/// All permissions of a snapshot, built-in ones first, in catalogue order.
#[derive(Debug)]
pub struct Permissions {
    rows: Vec<PermissionRow>,
    index: Index,
    hash: ahash::RandomState,
}

impl Permissions {
    /// The built-in permissions and `added` ones. The caller has checked names and bounds.
    #[must_use]
    pub fn new(added: &[&document::Permission], hash: ahash::RandomState) -> Self {
        let built_in = catalogue::PERMISSIONS.iter().flat_map(|(resource, verbs)| {
            let service = resource.split('.').next().unwrap_or_default();
            verbs.iter().map(move |(verb, letters)| {
                (
                    format!("{resource}.{verb}"),
                    catalogue::flags(service, letters),
                )
            })
        });
        let added = added.iter().map(|p| {
            let flags = PermissionFlags {
                basic_role: p.basic_role,
                product: p.product,
                public_read: p.public_read,
                open_submit: p.open_submit,
                administrative: p.administrative,
                read: p.read,
                configures: p.configures,
            };
            (
                p.name
                    .strip_prefix("permissions/")
                    .unwrap_or(&p.name)
                    .to_owned(),
                flags,
            )
        });
        let row = |(name, flags): (String, PermissionFlags)| PermissionRow {
            gate: gate(&name),
            name: name.into(),
            flags,
            viewer: false,
            service: false,
            service_own: false,
        };
        let rows: Vec<PermissionRow> = built_in.chain(added).map(row).collect();
        let entries: Vec<(u64, u32)> = (0_u32..)
            .zip(&rows)
            .map(|(ix, row)| (hash.hash_one(row.name.as_bytes()), ix))
            .collect();
        let mut permissions = Self {
            index: Index::build(&entries),
            rows,
            hash,
        };
        permissions.mark_special_roles();
        permissions
    }

    fn mark_special_roles(&mut self) {
        let (viewer, _) = self.built_in_role("roles/team.viewer");
        let (service, service_own) = self.built_in_role("roles/team.service");
        for (ix, row) in (0_u16..).zip(&mut self.rows) {
            row.viewer = viewer.contains(PermissionIx(ix));
            row.service = service.contains(PermissionIx(ix));
            row.service_own = service_own.contains(PermissionIx(ix));
        }
    }

    /// The permission of this name.
    #[must_use]
    #[inline]
    pub fn find(&self, name: &str) -> Option<PermissionIx> {
        let hash = self.hash.hash_one(name.as_bytes());
        let is = |ix: u32| self.at(ix).is_some_and(|row| *row.name == *name);
        self.index
            .find(hash, is)
            .and_then(|ix| u16::try_from(ix).ok())
            .map(PermissionIx)
    }

    /// The row of a permission.
    #[must_use]
    #[inline]
    pub fn get(&self, permission: PermissionIx) -> Option<&PermissionRow> {
        self.rows.get(usize::from(permission.0))
    }

    fn at(&self, ix: u32) -> Option<&PermissionRow> {
        self.rows.get(usize::try_from(ix).ok()?)
    }

    /// How many permissions there are.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.rows.len()
    }

    /// Whether there is none; never true.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// All permissions in order.
    pub fn iter(&self) -> impl Iterator<Item = (PermissionIx, &PermissionRow)> {
        (0_u16..).map(PermissionIx).zip(&self.rows)
    }

    /// The permissions for which `is` holds.
    pub fn set(&self, is: impl Fn(&PermissionRow) -> bool) -> PermissionSet {
        let mut set = PermissionSet::EMPTY;
        self.iter()
            .filter(|(_, row)| is(row))
            .for_each(|(ix, _)| set.insert(ix));
        set
    }

    /// What a basic role carries (SPEC 3.2).
    #[must_use]
    pub fn basic_role(&self, role: BasicRole) -> PermissionSet {
        let rank = |role| match role {
            BasicRole::Viewer => 0_u8,
            BasicRole::Editor => 1,
            BasicRole::Owner => 2,
            BasicRole::None => 3,
        };
        let none = rank(BasicRole::None);
        self.set(|row| {
            rank(row.flags.basic_role) <= rank(role) && rank(row.flags.basic_role) < none
        })
    }

    /// What a built-in role other than a basic one carries, and what for own things.
    /// Wildcards cover the built-in vocabulary only (SPEC 3.1: exactly the catalogue).
    #[must_use]
    pub fn built_in_role(&self, name: &str) -> (PermissionSet, PermissionSet) {
        let (mut all, mut own) = (PermissionSet::EMPTY, PermissionSet::EMPTY);
        let mut next = Some(name);
        // At most one turn a role: `includes` cannot loop longer than the list.
        for _ in catalogue::ROLES {
            let Some(role) = next.and_then(|n| catalogue::ROLES.iter().find(|r| r.name == n))
            else {
                break;
            };
            role.permissions
                .iter()
                .for_each(|pattern| self.add_built_in(pattern, &mut all));
            role.own
                .iter()
                .for_each(|pattern| self.add_built_in(pattern, &mut own));
            next = role.includes;
        }
        (all, own)
    }

    fn add_built_in(&self, pattern: &str, set: &mut PermissionSet) {
        let Some(resource) = pattern.strip_suffix(".*") else {
            if let Some(ix) = self.find(pattern) {
                set.insert(ix);
            }
            return;
        };
        let verbs = catalogue::PERMISSIONS
            .iter()
            .find(|(r, _)| *r == resource)
            .map(|(_, v)| *v);
        for (verb, _) in verbs.unwrap_or_default() {
            if let Some(ix) = self.find(&format!("{resource}.{verb}")) {
                set.insert(ix);
            }
        }
    }
}
