//! API keys (SPEC 9.1, 9.2, 9.5).

use std::net::IpAddr;

use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest, Sha256};

use crate::reference::constraints;
use crate::reference::names;
use crate::reference::people::Who;
use crate::reference::world::{AnyOr, Key, World};

const DIGITS: &str = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/// SPEC 9.1 and SEMANTICS 9.1: what may be a key at all.
pub(crate) fn well_formed(text: &str) -> bool {
    let printable = text.chars().all(|c| ('!'..='~').contains(&c));
    if !printable || !(20..=256).contains(&text.len()) {
        return false;
    }
    let Some(rest) = text.strip_prefix("pst_") else {
        return true;
    };
    let parts: Vec<&str> = rest.split('_').collect();
    let shape: Vec<usize> = parts.iter().map(|p| p.len()).collect();
    let base62 = parts.iter().all(|p| p.chars().all(|c| DIGITS.contains(c)));
    shape == [12, 43, 6]
        && base62
        && check_sum(&format!("pst_{}_{}", parts[0], parts[1])) == parts[2]
}

/// CRC-32 (the one of zip), bit by bit, as six digits in base 62.
pub(crate) fn check_sum(text: &str) -> String {
    let mut crc = u32::MAX;
    for byte in text.bytes() {
        crc ^= u32::from(byte);
        for _ in 0..8 {
            crc = if crc & 1 == 1 {
                (crc >> 1) ^ 0xedb8_8320
            } else {
                crc >> 1
            };
        }
    }
    let mut rest = !crc;
    let mut text = String::new();
    for _ in 0..6 {
        let digit = usize::try_from(rest % 62).unwrap();
        text.insert(0, DIGITS.chars().nth(digit).unwrap());
        rest /= 62;
    }
    text
}

/// HMAC-SHA-256 of a key under the pepper.
pub(crate) fn hmac(pepper: &[u8], text: &str) -> Vec<u8> {
    let mut mac = Hmac::<Sha256>::new_from_slice(pepper).unwrap();
    mac.update(text.as_bytes());
    mac.finalize().into_bytes().to_vec()
}

/// The first code of SPEC 9.2 that needs neither permission nor resource, or the key and its
/// owner.
pub(crate) fn look_up(
    world: &World,
    text: &str,
    now: i64,
) -> Result<(Key, Who), (&'static str, Option<String>)> {
    if !well_formed(text) {
        return Err(("MALFORMED", None));
    }
    let sha256 = Sha256::digest(text).to_vec();
    let hmac = hmac(&world.pepper, text);
    let found = world
        .keys
        .iter()
        .find(|k| k.sha256.as_ref() == Some(&sha256) || k.hmac_sha256.as_ref() == Some(&hmac));
    let Some(key) = found else {
        return Err(("NOT_FOUND", None));
    };
    let who = owner(world, key);
    let code = match &who {
        Who::Account(account) if !account.living() => Some("OWNER_DELETED"),
        Who::Account(account) if account.disabled => Some("OWNER_DISABLED"),
        Who::User(user) if user.disabled => Some("OWNER_DISABLED"),
        // SPEC 8
        _ if key.disabled || (key.exposed && !waits_for_abuse(world, key, &who)) => {
            Some("DISABLED")
        }
        _ if key.not_before.is_some_and(|from| now < from) => Some("NOT_YET_VALID"),
        _ if key.not_after.is_some_and(|end| now >= end) => Some("EXPIRED"),
        _ => None,
    };
    match code {
        Some(code) => Err((code, Some(key.name.clone()))),
        None => Ok((key.clone(), who)),
    }
}

/// Whether an exposed key goes on: that of an account where the constraint lets it.
fn waits_for_abuse(world: &World, key: &Key, who: &Who) -> bool {
    let name = names::parent(&key.name).unwrap();
    matches!(who, Who::Account(_)) && constraints::waits_for_abuse(world, &name)
}

/// SEMANTICS 2.5: the one of that name that has the key's `owner_uid`.
fn owner(world: &World, key: &Key) -> Who {
    let name = names::parent(&key.name).unwrap();
    let user = world
        .users
        .iter()
        .find(|u| u.name == name && u.uid == key.owner_uid);
    let account = world
        .accounts
        .iter()
        .find(|a| a.name == name && a.uid == key.owner_uid);
    match (user, account) {
        (Some(user), None) => Who::User(user.clone()),
        (None, Some(account)) => Who::Account(account.clone()),
        _ => panic!("the owner of {} is not in the snapshot", key.name),
    }
}

/// The codes of SPEC 9.2 that read permission, resource and address.
pub(crate) fn narrowing(
    world: &World,
    key: &Key,
    permission: Option<&str>,
    resource: Option<&str>,
    source_ip: Option<IpAddr>,
) -> Option<&'static str> {
    let organization = resource.and_then(names::organization_of);
    if let Some(organization) = &organization {
        let of_account = names::organization_of(&key.name).as_ref() == Some(organization);
        let of_organization = key.organization == *organization;
        let enforced = world.is_set(organization, "enforce_org_scoped_keys");
        if enforced && !of_account && !of_organization {
            return Some("ORG_SCOPED_KEY_REQUIRED");
        }
    }
    if let Some(restrictions) = &key.restrictions {
        let inside = match &restrictions.cidrs {
            AnyOr::Any => true,
            AnyOr::List(list) => {
                source_ip.is_some_and(|ip| list.iter().any(|cidr| contains(cidr, ip)))
            }
        };
        if !inside {
            return Some("IP_NOT_ALLOWED");
        }
    }
    let mut reaches = true;
    if let Some(restrictions) = &key.restrictions {
        if let (AnyOr::List(list), Some(permission)) = (&restrictions.permissions, permission) {
            reaches &= list.iter().any(|p| p == permission);
        }
        if let (AnyOr::List(list), Some(resource)) = (&restrictions.resources, resource) {
            reaches &= list.iter().any(|node| names::at_or_below(resource, node));
        }
    }
    // choice: a resource in no organization is outside the reach of an organization key.
    if !key.organization.is_empty() && resource.is_some() {
        reaches &= organization.as_ref() == Some(&key.organization);
    }
    if reaches { None } else { Some("OUT_OF_SCOPE") }
}

/// Whether a range holds an address, bit by bit.
pub(crate) fn contains(cidr: &str, ip: IpAddr) -> bool {
    let (range, length) = cidr.split_once('/').unwrap();
    let range = bits(range.parse().unwrap());
    let length: usize = length.parse().unwrap();
    let ip = bits(ip);
    range.len() == ip.len() && range[..length] == ip[..length]
}

/// SEMANTICS 9.5: an IPv4-mapped address is the IPv4 address.
fn bits(ip: IpAddr) -> String {
    match ip.to_canonical() {
        IpAddr::V4(v4) => v4.octets().iter().map(|o| format!("{o:08b}")).collect(),
        IpAddr::V6(v6) => v6.octets().iter().map(|o| format!("{o:08b}")).collect(),
    }
}
