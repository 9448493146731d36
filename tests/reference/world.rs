//! The snapshot, read from the file form of SPEC 2.2 into plain lists.

mod read;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde_json::Value;

use crate::reference::catalogue::{self, Catalogue, Flags};
use crate::reference::names;

use read::{flag, list, text, texts};

#[derive(Debug, Clone)]
pub(crate) struct Project {
    pub(crate) visibility: String,
    pub(crate) quota: u64,
    pub(crate) services: AnyOr,
}

/// "any/list" of SPEC 2.1.
#[derive(Debug, Clone)]
pub(crate) enum AnyOr {
    Any,
    List(Vec<String>),
}

#[derive(Debug, Clone)]
pub(crate) struct User {
    pub(crate) name: String,
    pub(crate) uid: String,
    pub(crate) email: String,
    pub(crate) username: String,
    pub(crate) disabled: bool,
    /// Organization, models seat, weave seat.
    pub(crate) seats: Vec<(String, String, String)>,
}

#[derive(Debug, Clone)]
pub(crate) struct Group {
    pub(crate) email: String,
    pub(crate) members: Vec<String>,
}

#[derive(Debug, Clone)]
pub(crate) struct Account {
    pub(crate) name: String,
    pub(crate) uid: String,
    pub(crate) email: String,
    pub(crate) kind: String,
    pub(crate) authentication: String,
    pub(crate) default_team: String,
    pub(crate) disabled: bool,
    pub(crate) deleted_at: Option<i64>,
    pub(crate) tags: BTreeMap<String, String>,
}

#[derive(Debug, Clone)]
pub(crate) struct Restrictions {
    pub(crate) permissions: AnyOr,
    pub(crate) resources: AnyOr,
    pub(crate) cidrs: AnyOr,
}

#[derive(Debug, Clone)]
pub(crate) struct Key {
    pub(crate) name: String,
    pub(crate) owner_uid: String,
    pub(crate) organization: String,
    pub(crate) sha256: Option<Vec<u8>>,
    pub(crate) hmac_sha256: Option<Vec<u8>>,
    pub(crate) not_before: Option<i64>,
    pub(crate) not_after: Option<i64>,
    pub(crate) disabled: bool,
    pub(crate) exposed: bool,
    pub(crate) restrictions: Option<Restrictions>,
}

#[derive(Debug, Clone)]
pub(crate) struct Role {
    pub(crate) inherits: String,
    pub(crate) permissions: Vec<String>,
    pub(crate) own: Vec<String>,
    /// Deleted, or stage `DISABLED`.
    pub(crate) off: bool,
}

#[derive(Debug, Clone)]
pub(crate) struct Binding {
    pub(crate) role: String,
    pub(crate) members: Vec<String>,
    pub(crate) condition: Option<String>,
}

/// One rule of a deny policy.
#[derive(Debug, Clone)]
pub(crate) struct DenyRule {
    pub(crate) principals: Vec<String>,
    pub(crate) excepted_principals: Vec<String>,
    pub(crate) permissions: Vec<String>,
    pub(crate) excepted_permissions: Vec<String>,
    pub(crate) condition: Option<String>,
}

#[derive(Debug, Clone)]
pub(crate) struct Boundary {
    pub(crate) resources: Vec<String>,
    /// Those it bounds.
    pub(crate) permissions: AnyOr,
}

/// Who is bound to a boundary.
#[derive(Debug, Clone)]
pub(crate) struct Bound {
    pub(crate) boundary: String,
    pub(crate) principal_set: String,
    pub(crate) condition: Option<String>,
}

/// The value of a constraint at a node.
#[derive(Debug, Clone)]
pub(crate) struct OrgPolicy {
    pub(crate) attachment: String,
    pub(crate) constraint: String,
    pub(crate) enforced: bool,
    /// Lists that are said.
    pub(crate) allow: Option<AnyOr>,
    pub(crate) deny: Option<AnyOr>,
    pub(crate) inherit: bool,
    pub(crate) reset: bool,
}

#[derive(Debug, Clone)]
pub(crate) struct World {
    pub(crate) catalogue: Arc<Catalogue>,
    /// Organizations and teams, with the settings that are on.
    pub(crate) organizations: BTreeMap<String, BTreeSet<String>>,
    pub(crate) teams: BTreeMap<String, BTreeSet<String>>,
    pub(crate) projects: BTreeMap<String, Project>,
    pub(crate) users: Vec<User>,
    pub(crate) groups: Vec<Group>,
    pub(crate) accounts: Vec<Account>,
    pub(crate) keys: Vec<Key>,
    pub(crate) roles: BTreeMap<String, Role>,
    pub(crate) permissions: BTreeMap<String, Flags>,
    pub(crate) policies: BTreeMap<String, Vec<Binding>>,
    /// Rules by what they are attached to.
    pub(crate) denies: BTreeMap<String, Vec<DenyRule>>,
    pub(crate) boundaries: BTreeMap<String, Boundary>,
    pub(crate) bound: Vec<Bound>,
    pub(crate) org_policies: Vec<OrgPolicy>,
    /// Identity pools, and whether one is disabled or deleted.
    pub(crate) pools: BTreeMap<String, bool>,
    /// Tags of nodes that are no accounts.
    pub(crate) tags: BTreeMap<String, BTreeMap<String, String>>,
    /// Secret of HMAC keys.
    pub(crate) pepper: Vec<u8>,
}

impl World {
    /// Reads `{revision, entities: [{kind: {...}}]}`; the input must be valid.
    pub(crate) fn read(file: &Value) -> Self {
        let catalogue = catalogue::get();
        let permissions = catalogue.permissions.clone();
        let mut world = Self {
            catalogue,
            organizations: BTreeMap::new(),
            teams: BTreeMap::new(),
            projects: BTreeMap::new(),
            users: Vec::new(),
            groups: Vec::new(),
            accounts: Vec::new(),
            keys: Vec::new(),
            roles: BTreeMap::new(),
            permissions,
            policies: BTreeMap::new(),
            denies: BTreeMap::new(),
            boundaries: BTreeMap::new(),
            bound: Vec::new(),
            org_policies: Vec::new(),
            pools: BTreeMap::new(),
            tags: BTreeMap::new(),
            pepper: Vec::new(),
        };
        for entity in list(file, "entities") {
            let entity = read::snake(&entity);
            let (kind, body) = entity.as_object().unwrap().iter().next().unwrap();
            world.add(kind, body);
        }
        world
    }

    /// Whether a node of that collection has that name.
    pub(crate) fn has_node(&self, collection: &str, name: &str) -> bool {
        match collection {
            "organizations" => self.organizations.contains_key(name),
            "teams" => self.teams.contains_key(name),
            "projects" => self.projects.contains_key(name),
            "serviceAccounts" => self.accounts.iter().any(|a| a.name == name),
            "keys" => self.keys.iter().any(|k| k.name == name),
            _ => false,
        }
    }

    /// Whether an organization or team has a setting on.
    pub(crate) fn is_set(&self, node: &str, setting: &str) -> bool {
        let settings = self
            .organizations
            .get(node)
            .or_else(|| self.teams.get(node));
        settings.is_some_and(|s| s.contains(setting))
    }

    /// SEMANTICS 2.5: the living account of a name, else the one deleted last.
    pub(crate) fn account_named(&self, name: &str) -> Option<&Account> {
        let mut all: Vec<&Account> = self.accounts.iter().filter(|a| a.name == name).collect();
        all.sort_by_key(|a| (a.deleted_at.unwrap_or(i64::MAX), a.uid.clone()));
        all.last().copied()
    }

    /// The tags that a node itself has.
    pub(crate) fn tags_of(&self, node: &str) -> BTreeMap<String, String> {
        let account = self.account_named(node).map(|a| a.tags.clone());
        account
            .or_else(|| self.tags.get(node).cloned())
            .unwrap_or_default()
    }

    fn add(&mut self, kind: &str, body: &Value) {
        let name = text(body, "name");
        if ["organization", "team", "project"].contains(&kind) {
            self.tags.insert(name.clone(), read::tags(body));
        }
        match kind {
            "organization" => {
                self.organizations.insert(name, read::settings(body));
            }
            "team" => {
                self.teams.insert(name, read::settings(body));
            }
            "project" => {
                self.projects.insert(name, read::project(body));
            }
            "user" => self.users.push(read::user(body)),
            "group" => self.groups.push(Group {
                email: text(body, "email").to_ascii_lowercase(),
                members: texts(body, "members"),
            }),
            "service_account" => self.accounts.push(read::account(body)),
            "key" => self.keys.push(read::key(body)),
            "role" => {
                self.roles.insert(name, read::role(body));
            }
            "permission" => {
                let plain = name.strip_prefix("permissions/").unwrap().to_owned();
                self.permissions.insert(plain, read::permission(body));
            }
            "allow_policy" => {
                let bindings = list(body, "bindings");
                self.policies.insert(
                    text(body, "resource"),
                    bindings.iter().map(read::binding).collect(),
                );
            }
            "deny_policy" => {
                let rules = list(body, "rules");
                self.denies
                    .entry(text(body, "attachment"))
                    .or_default()
                    .extend(rules.iter().map(read::deny_rule));
            }
            "access_boundary" => {
                self.boundaries.insert(name, read::boundary(body));
            }
            "access_boundary_binding" => self.bound.push(Bound {
                boundary: text(body, "boundary"),
                principal_set: text(body, "principal_set"),
                condition: read::condition(body),
            }),
            "org_policy" => self.org_policies.push(read::org_policy(body)),
            "identity_pool" => {
                let idle = flag(body, "disabled") || body.get("deleted_at").is_some();
                self.pools.insert(name, idle);
            }
            // What a proxy asks; it decides nothing (SPEC 13.1).
            "route" => {}
            _ => panic!("the reference evaluates no {kind}"),
        }
    }
}

impl Account {
    pub(crate) fn living(&self) -> bool {
        self.deleted_at.is_none()
    }

    /// `organizations`, `teams` or `projects`: what it is scoped to (SPEC 5.1).
    pub(crate) fn scope(&self) -> String {
        let parent = self.parent();
        let segments: Vec<&str> = parent.split('/').collect();
        segments[segments.len() - 2].to_owned()
    }

    pub(crate) fn parent(&self) -> String {
        names::parent(&self.name).unwrap()
    }
}
