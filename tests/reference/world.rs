//! The snapshot, read from the file form of SPEC 2.2 into plain lists.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde_json::Value;

use crate::reference::catalogue::{self, Catalogue, Flags};
use crate::reference::{names, time};

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
            pepper: Vec::new(),
        };
        for entity in list(file, "entities") {
            let entity = snake(&entity);
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

    fn add(&mut self, kind: &str, body: &Value) {
        let name = text(body, "name");
        match kind {
            "organization" => {
                self.organizations.insert(name, settings(body));
            }
            "team" => {
                self.teams.insert(name, settings(body));
            }
            "project" => {
                self.projects.insert(name, project(body));
            }
            "user" => self.users.push(user(body)),
            "group" => self.groups.push(Group {
                email: text(body, "email").to_ascii_lowercase(),
                members: texts(body, "members"),
            }),
            "service_account" => self.accounts.push(account(body)),
            "key" => self.keys.push(key(body)),
            "role" => {
                self.roles.insert(name, role(body));
            }
            "permission" => {
                let plain = name.strip_prefix("permissions/").unwrap().to_owned();
                self.permissions.insert(plain, permission(body));
            }
            "allow_policy" => {
                let bindings = list(body, "bindings");
                let bindings = bindings.iter().map(|b| Binding {
                    role: text(b, "role"),
                    members: texts(b, "members"),
                });
                self.policies
                    .insert(text(body, "resource"), bindings.collect());
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

/// The same with its field names in snake_case: both are read (SPEC 2.2). Tags are not, but
/// nothing here reads tags.
fn snake(value: &Value) -> Value {
    match value {
        Value::Array(list) => list.iter().map(snake).collect(),
        Value::Object(map) => {
            let fields = map.iter().map(|(name, value)| {
                let mut plain = String::new();
                for c in name.chars() {
                    if c.is_ascii_uppercase() {
                        plain.push('_');
                    }
                    plain.push(c.to_ascii_lowercase());
                }
                (plain, snake(value))
            });
            Value::Object(fields.collect())
        }
        other => other.clone(),
    }
}

fn project(body: &Value) -> Project {
    Project {
        visibility: word(body, "visibility", "VISIBILITY_", "TEAM"),
        quota: body
            .get("service_account_quota")
            .map_or(100, |q| q.as_u64().unwrap()),
        services: body.get("services").map_or(AnyOr::Any, any_or),
    }
}

fn user(body: &Value) -> User {
    let seats = list(body, "seats");
    let level = |seat: &Value, product: &str| word(seat, product, "SEAT_LEVEL_", "?");
    User {
        name: text(body, "name"),
        uid: text(body, "uid"),
        email: text(body, "email").to_ascii_lowercase(),
        username: text(body, "username"),
        disabled: flag(body, "disabled"),
        seats: seats
            .iter()
            .map(|s| {
                (
                    text(s, "organization"),
                    level(s, "models"),
                    level(s, "weave"),
                )
            })
            .collect(),
    }
}

fn account(body: &Value) -> Account {
    Account {
        name: text(body, "name"),
        uid: text(body, "uid"),
        email: text(body, "email").to_ascii_lowercase(),
        kind: word(body, "kind", "ACCOUNT_KIND_", "USER_MANAGED"),
        authentication: word(body, "authentication", "AUTHENTICATION_", "BUILT_IN"),
        default_team: text(body, "default_team"),
        disabled: flag(body, "disabled"),
        deleted_at: when(body, "deleted_at"),
    }
}

fn key(body: &Value) -> Key {
    let api_key = body.get("api_key").cloned().unwrap_or_default();
    let digest = |form: &str| api_key.get(form).map(|d| digest_bytes(d.as_str().unwrap()));
    Key {
        name: text(body, "name"),
        owner_uid: text(body, "owner_uid"),
        organization: text(body, "organization"),
        sha256: digest("sha256"),
        hmac_sha256: digest("hmac_sha256"),
        not_before: when(body, "not_before"),
        not_after: when(body, "not_after"),
        disabled: flag(body, "disabled"),
        exposed: body.get("exposed_at").is_some(),
        restrictions: body.get("restrictions").map(|r| Restrictions {
            permissions: any_or(&r["permissions"]),
            resources: any_or(&r["resources"]),
            cidrs: any_or(&r["cidrs"]),
        }),
    }
}

fn role(body: &Value) -> Role {
    Role {
        inherits: text(body, "inherits"),
        permissions: texts(body, "permissions"),
        own: texts(body, "own_permissions"),
        off: flag(body, "deleted") || word(body, "stage", "ROLE_STAGE_", "GA") == "DISABLED",
    }
}

fn permission(body: &Value) -> Flags {
    Flags {
        basic_role: word(body, "basic_role", "BASIC_ROLE_", "NONE"),
        product: word(body, "product", "PRODUCT_", "NONE"),
        public_read: flag(body, "public_read"),
        open_submit: word(body, "open_submit", "OPEN_SUBMIT_", "NONE"),
        administrative: flag(body, "administrative"),
        read: flag(body, "read"),
        configures: flag(body, "configures"),
    }
}

fn settings(body: &Value) -> BTreeSet<String> {
    let all = body
        .get("settings")
        .and_then(Value::as_object)
        .cloned()
        .unwrap_or_default();
    all.into_iter()
        .filter(|(_, on)| on == &Value::Bool(true))
        .map(|(name, _)| name)
        .collect()
}

fn text(body: &Value, field: &str) -> String {
    body.get(field)
        .map_or_else(String::new, |v| v.as_str().unwrap().to_owned())
}

fn flag(body: &Value, field: &str) -> bool {
    body.get(field).is_some_and(|v| v.as_bool().unwrap())
}

fn when(body: &Value, field: &str) -> Option<i64> {
    body.get(field).map(|v| time::seconds(v.as_str().unwrap()))
}

fn list(body: &Value, field: &str) -> Vec<Value> {
    body.get(field)
        .map_or_else(Vec::new, |v| v.as_array().unwrap().clone())
}

fn texts(body: &Value, field: &str) -> Vec<String> {
    list(body, field)
        .iter()
        .map(|v| v.as_str().unwrap().to_owned())
        .collect()
}

/// An enum value, short or as in the proto (SPEC 2.2).
fn word(body: &Value, field: &str, prefix: &str, absent: &str) -> String {
    let said = text(body, field);
    if said.is_empty() {
        return absent.to_owned();
    }
    said.strip_prefix(prefix).unwrap_or(&said).to_owned()
}

fn any_or(value: &Value) -> AnyOr {
    if flag(value, "any") {
        AnyOr::Any
    } else {
        AnyOr::List(texts(value, "values"))
    }
}

/// A digest: 64 hexadecimal digits, or base64.
fn digest_bytes(text: &str) -> Vec<u8> {
    if text.len() != 64 {
        return base64(text);
    }
    (0..32)
        .map(|i| u8::from_str_radix(&text[i * 2..i * 2 + 2], 16).unwrap())
        .collect()
}

/// Base64 of proto3 JSON: either alphabet, padded or not.
fn base64(text: &str) -> Vec<u8> {
    let alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut bits = String::new();
    for c in text
        .trim_end_matches('=')
        .replace('-', "+")
        .replace('_', "/")
        .chars()
    {
        let value = alphabet.find(c).unwrap();
        bits.push_str(&format!("{value:06b}"));
    }
    let whole = bits.len() / 8;
    (0..whole)
        .map(|i| u8::from_str_radix(&bits[i * 8..i * 8 + 8], 2).unwrap())
        .collect()
}
