//! Entities, read field by field.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::reference::catalogue::Flags;
use crate::reference::time;

use super::{
    Account, AnyOr, Binding, Boundary, DenyRule, Key, OrgPolicy, Project, Restrictions, Role, User,
};

/// The same with its field names in snake_case: both are read (SPEC 2.2). Names of tags are
/// no field names.
pub(super) fn snake(value: &Value) -> Value {
    match value {
        Value::Array(list) => list.iter().map(snake).collect(),
        Value::Object(map) => {
            let fields = map.iter().map(|(name, value)| {
                if name == "tags" {
                    return (name.clone(), value.clone());
                }
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

pub(super) fn project(body: &Value) -> Project {
    Project {
        visibility: word(body, "visibility", "VISIBILITY_", "TEAM"),
        quota: body
            .get("service_account_quota")
            .map_or(100, |q| q.as_u64().unwrap()),
        services: body.get("services").map_or(AnyOr::Any, any_or),
    }
}

pub(super) fn user(body: &Value) -> User {
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

pub(super) fn account(body: &Value) -> Account {
    Account {
        name: text(body, "name"),
        uid: text(body, "uid"),
        email: text(body, "email").to_ascii_lowercase(),
        kind: word(body, "kind", "ACCOUNT_KIND_", "USER_MANAGED"),
        authentication: word(body, "authentication", "AUTHENTICATION_", "BUILT_IN"),
        default_team: text(body, "default_team"),
        disabled: flag(body, "disabled"),
        deleted_at: when(body, "deleted_at"),
        tags: tags(body),
    }
}

pub(super) fn key(body: &Value) -> Key {
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

pub(super) fn role(body: &Value) -> Role {
    Role {
        inherits: text(body, "inherits"),
        permissions: texts(body, "permissions"),
        own: texts(body, "own_permissions"),
        off: flag(body, "deleted") || word(body, "stage", "ROLE_STAGE_", "GA") == "DISABLED",
    }
}

pub(super) fn permission(body: &Value) -> Flags {
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

pub(super) fn settings(body: &Value) -> BTreeSet<String> {
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

pub(super) fn text(body: &Value, field: &str) -> String {
    body.get(field)
        .map_or_else(String::new, |v| v.as_str().unwrap().to_owned())
}

pub(super) fn flag(body: &Value, field: &str) -> bool {
    body.get(field).is_some_and(|v| v.as_bool().unwrap())
}

fn when(body: &Value, field: &str) -> Option<i64> {
    body.get(field).map(|v| time::seconds(v.as_str().unwrap()))
}

pub(super) fn list(body: &Value, field: &str) -> Vec<Value> {
    body.get(field)
        .map_or_else(Vec::new, |v| v.as_array().unwrap().clone())
}

pub(super) fn texts(body: &Value, field: &str) -> Vec<String> {
    list(body, field)
        .iter()
        .map(|v| v.as_str().unwrap().to_owned())
        .collect()
}

pub(super) fn tags(body: &Value) -> BTreeMap<String, String> {
    let all = body.get("tags").and_then(Value::as_object).cloned();
    all.unwrap_or_default()
        .into_iter()
        .map(|(key, value)| (key, value.as_str().unwrap().to_owned()))
        .collect()
}

pub(super) fn condition(body: &Value) -> Option<String> {
    body.get("condition").map(|c| text(c, "expression"))
}

pub(super) fn binding(body: &Value) -> Binding {
    Binding {
        role: text(body, "role"),
        members: texts(body, "members"),
        condition: condition(body),
    }
}

pub(super) fn deny_rule(body: &Value) -> DenyRule {
    DenyRule {
        principals: texts(body, "denied_principals"),
        excepted_principals: texts(body, "exception_principals"),
        permissions: texts(body, "denied_permissions"),
        excepted_permissions: texts(body, "exception_permissions"),
        condition: condition(body),
    }
}

pub(super) fn boundary(body: &Value) -> Boundary {
    Boundary {
        resources: texts(body, "resources"),
        permissions: body.get("permissions").map_or(AnyOr::Any, any_or),
    }
}

pub(super) fn org_policy(body: &Value) -> OrgPolicy {
    let said = |field: &str| body.pointer(&format!("/list/{field}")).map(any_or);
    OrgPolicy {
        attachment: text(body, "attachment"),
        constraint: text(body, "constraint"),
        enforced: body.get("boolean").is_some_and(|b| flag(b, "enforced")),
        allow: said("allow"),
        deny: said("deny"),
        inherit: flag(body, "inherit_from_parent"),
        reset: flag(body, "reset"),
    }
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
