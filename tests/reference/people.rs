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
    /// A `principal://` of a pool that is there, as asserted; and the pool's name.
    Federated(String, String),
}

impl Who {
    pub(crate) fn known(&self) -> bool {
        matches!(self, Self::User(_) | Self::Account(_))
    }

    /// The identity; of a federated principal its text.
    pub(crate) fn uid(&self) -> Option<&str> {
        match self {
            Self::User(user) => Some(&user.uid),
            Self::Account(account) => Some(&account.uid),
            Self::Federated(text, _) => Some(text),
            Self::Anonymous | Self::Unknown(_) => None,
        }
    }

    /// SPEC 6.3 step 2, 6.2: disabled, deleted, or of such a pool.
    pub(crate) fn is_idle(&self, world: &World) -> bool {
        match self {
            Self::User(user) => user.disabled,
            Self::Account(account) => account.disabled || !account.living(),
            Self::Federated(_, pool) => world.pools[pool],
            Self::Anonymous | Self::Unknown(_) => false,
        }
    }
}

/// SEMANTICS 1.5: one `@`, printable ASCII on its left, a domain on its right.
pub(crate) fn is_email(text: &str) -> bool {
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
        // FACTS B6.4
        let printable = subject.chars().all(|c| c.is_ascii_graphic());
        return is_pool_name(pool) && printable && (1..=127).contains(&subject.len());
    }
    if let Some(rest) = text.strip_prefix("serviceAccount:") {
        return address(rest).is_some();
    }
    text.strip_prefix("user:")
        .and_then(address)
        .is_some_and(|(_, uid)| uid.is_none())
}

/// `{node}/identityPools/{id}`.
fn is_pool_name(text: &str) -> bool {
    let last = names::split(text);
    names::well_formed(text) && last.is_some_and(|(_, pair)| pair.starts_with("identityPools/"))
}

/// The pool that a `principal://` text names.
fn pool_of(text: &str) -> Option<&str> {
    let rest = text.strip_prefix("principal://")?;
    rest.split_once("/subject/").map(|(pool, _)| pool)
}

/// Who a subject is; the text can be one.
pub(crate) fn subject(world: &World, text: &str) -> Who {
    if let Some(pool) = pool_of(text)
        && world.pools.contains_key(pool)
    {
        return Who::Federated(text.to_owned(), pool.to_owned());
    }
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
        Some(("principalSet", set)) => {
            let set = set.trim_start_matches("//");
            let known = matches!(who, Who::Federated(..));
            is_in_set(set, who) || (known && is_of_pool(set, who))
        }
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
        Some(("user" | "serviceAccount" | "principal", _)) => Some(subject(world, member)),
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

/// `{pool}/*`, of the pool that the subject names.
fn is_of_pool(set: &str, who: &Who) -> bool {
    let (Who::Federated(text, _) | Who::Unknown(text)) = who else {
        return false;
    };
    set.strip_suffix("/*")
        .is_some_and(|pool| pool_of(text) == Some(pool))
}

/// What a list of members is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Use {
    /// Denied principals, and who is bound to a boundary.
    Stops,
    /// Exceptions of a deny rule.
    Spares,
}

/// SPEC 6.2: whether a member of a deny rule or a boundary binding means this principal, known
/// or only asserted.
pub(crate) fn is_meant(world: &World, member: &str, who: &Who, purpose: Use) -> bool {
    match member.split_once(':') {
        None => member == "allUsers" || !matches!(who, Who::Anonymous),
        Some(("domain", domain)) => {
            let email = match who {
                Who::User(user) => user.email.clone(),
                Who::Unknown(text) => match text.strip_prefix("user:") {
                    Some(email) => email.to_ascii_lowercase(),
                    None => return false,
                },
                _ => return false,
            };
            email.split('@').nth(1) == Some(domain.to_ascii_lowercase().as_str())
        }
        Some(("principalSet", set)) => {
            let set = set.trim_start_matches("//");
            let groups = ["/group/", "/attribute."];
            let some_of_pool = groups.iter().any(|mark| {
                let (Who::Federated(text, _) | Who::Unknown(text)) = who else {
                    return false;
                };
                set.contains("/identityPools/")
                    && set
                        .split_once(mark)
                        .is_some_and(|(pool, _)| pool_of(text) == Some(pool))
            });
            is_in_set(set, who) || is_of_pool(set, who) || (purpose == Use::Stops && some_of_pool)
        }
        Some(("group", email)) => {
            let email = email.to_ascii_lowercase();
            let group = world.groups.iter().find(|g| g.email == email);
            group.is_some_and(|g| g.members.iter().any(|m| is_meant(world, m, who, purpose)))
        }
        _ => match who {
            Who::Unknown(text) => {
                let member = member.strip_prefix("deleted:").unwrap_or(member);
                plain(member) == plain(text)
            }
            _ => is_named(world, member, who),
        },
    }
}

/// The text of a principal, its address in lower case.
fn plain(text: &str) -> String {
    match text.split_once("?uid=") {
        _ if text.starts_with("principal:") => text.to_owned(),
        Some((email, uid)) => format!("{}?uid={uid}", email.to_ascii_lowercase()),
        None => text.to_ascii_lowercase(),
    }
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
