//! Who acts, and whom a member string means (SPEC 1.5, 6.1, 6.2).

use crate::reference::names;
use crate::reference::world::{Account, User, World};

/// Who asks.
#[derive(Debug, Clone)]
pub(crate) enum Who {
    Anonymous,
    /// Asserted, but not in the snapshot.
    Unknown(String),
    User(User),
    Account(Account),
}

impl Who {
    pub(crate) fn known(&self) -> bool {
        matches!(self, Self::User(_) | Self::Account(_))
    }

    pub(crate) fn uid(&self) -> Option<&str> {
        match self {
            Self::User(user) => Some(&user.uid),
            Self::Account(account) => Some(&account.uid),
            Self::Anonymous | Self::Unknown(_) => None,
        }
    }
}

/// SEMANTICS 1.5: one `@`, printable ASCII on its left, a domain on its right.
fn is_email(text: &str) -> bool {
    let sides: Vec<&str> = text.split('@').collect();
    sides.len() == 2
        && text.len() <= 254
        && !sides[0].is_empty()
        && sides[0]
            .chars()
            .all(|c| c.is_ascii_graphic() && !"?,<>\"/".contains(c))
        && sides[1].split('.').all(|label| {
            (1..=63).contains(&label.len())
                && label
                    .chars()
                    .all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_')
        })
}

/// `EMAIL` or `EMAIL?uid=UID`, the address in lower case.
fn address(text: &str) -> Option<(String, Option<String>)> {
    let (email, uid) = match text.split_once("?uid=") {
        Some((email, uid)) => (email, Some(uid.to_owned())),
        None => (text, None),
    };
    // SEMANTICS 1.5: uids are ids.
    let good = is_email(email)
        && uid
            .as_ref()
            .is_none_or(|u| names::well_formed(&format!("x/{u}")));
    good.then(|| (email.to_ascii_lowercase(), uid))
}

/// Whether the text can be the subject of a request (SPEC 6.2).
pub(crate) fn can_be_subject(text: &str) -> bool {
    if let Some(rest) = text.strip_prefix("principal://") {
        let Some((pool, subject)) = rest.split_once("/subject/") else {
            return false;
        };
        return names::well_formed(pool) && !subject.is_empty();
    }
    if let Some(rest) = text.strip_prefix("serviceAccount:") {
        return address(rest).is_some();
    }
    text.strip_prefix("user:")
        .and_then(address)
        .is_some_and(|(_, uid)| uid.is_none())
}

/// Who a subject is; the text can be one.
pub(crate) fn subject(world: &World, text: &str) -> Who {
    let found = match text.split_once(':') {
        Some(("user", email)) => user_of(world, email).map(Who::User),
        Some(("serviceAccount", rest)) => account_of(world, rest).map(Who::Account),
        _ => None,
    };
    found.unwrap_or_else(|| Who::Unknown(text.to_owned()))
}

pub(crate) fn user_of(world: &World, email: &str) -> Option<User> {
    let email = email.to_ascii_lowercase();
    world.users.iter().find(|u| u.email == email).cloned()
}

/// SPEC 1.5: the living account, or the deleted one if no other holds the address; with a
/// uid, only that identity.
fn account_of(world: &World, rest: &str) -> Option<Account> {
    let (email, uid) = address(rest)?;
    let holders: Vec<&Account> = world.accounts.iter().filter(|a| a.email == email).collect();
    if let Some(uid) = uid {
        return holders.into_iter().find(|a| a.uid == uid).cloned();
    }
    if let Some(living) = holders.iter().find(|a| a.living()) {
        return Some((*living).clone());
    }
    if holders.len() == 1 {
        Some(holders[0].clone())
    } else {
        None
    }
}

/// How a member string matches.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Match {
    No,
    Direct,
    /// Directly or in a group that the group lists.
    ThroughGroup,
    /// `allUsers`: free of seats (SPEC 3.6).
    Everybody,
}

/// Whether a member of a binding means this principal (SPEC 6.1). Who is disabled or deleted
/// never gets here (SPEC 6.3).
pub(crate) fn matches(world: &World, member: &str, who: &Who) -> Match {
    if member == "allUsers" {
        return Match::Everybody;
    }
    let direct = match member.split_once(':') {
        None => member == "allAuthenticatedUsers" && who.known(),
        Some(("domain", domain)) => match who {
            // SPEC 6.1: users only.
            Who::User(user) => {
                user.email.split('@').nth(1) == Some(domain.to_ascii_lowercase().as_str())
            }
            _ => false,
        },
        Some(("principalSet", set)) => is_in_set(set.trim_start_matches("//"), who),
        Some(("group", email)) => {
            let inside = is_in_group(world, &email.to_ascii_lowercase(), who);
            return if inside {
                Match::ThroughGroup
            } else {
                Match::No
            };
        }
        _ => is_named(world, member, who),
    };
    if direct { Match::Direct } else { Match::No }
}

/// Whether a member string of one principal is this principal.
fn is_named(world: &World, member: &str, who: &Who) -> bool {
    let Some(uid) = who.uid() else { return false };
    let meant = match member.split_once(':') {
        Some(("deleted", rest)) => {
            // SPEC 1.5: nothing, unless exactly that uid lives.
            let rest = rest.strip_prefix("serviceAccount:").unwrap_or_default();
            account_of(world, rest)
                .filter(Account::living)
                .map(Who::Account)
        }
        Some(("user" | "serviceAccount", _)) => Some(subject(world, member)),
        _ => None,
    };
    meant.is_some_and(|meant| meant.uid() == Some(uid))
}

/// `{node}/type/ServiceAccount` and `{node}/type/ServiceAgent`.
fn is_in_set(set: &str, who: &Who) -> bool {
    let Who::Account(account) = who else {
        return false;
    };
    let Some((node, kind)) = set.split_once("/type/") else {
        return false;
    };
    let below = account.name.starts_with(&format!("{node}/"));
    below
        && (kind == "ServiceAccount" || (kind == "ServiceAgent" && account.kind == "SERVICE_AGENT"))
}

/// Walks the groups from the top.
fn is_in_group(world: &World, email: &str, who: &Who) -> bool {
    let Some(group) = world.groups.iter().find(|g| g.email == email) else {
        return false;
    };
    group
        .members
        .iter()
        .any(|member| match member.strip_prefix("group:") {
            Some(inner) => is_in_group(world, &inner.to_ascii_lowercase(), who),
            None => is_named(world, member, who),
        })
}

/// Whether the text can be a `created_by` (SEMANTICS 3.3).
pub(crate) fn is_creator(text: &str) -> bool {
    let deleted = text
        .strip_prefix("deleted:serviceAccount:")
        .and_then(address);
    can_be_subject(text) || deleted.is_some_and(|(_, uid)| uid.is_some())
}

/// Whether `created_by` is this principal (SPEC 3.3).
pub(crate) fn owns(world: &World, created_by: &str, who: &Who) -> bool {
    is_named(world, created_by, who)
}
