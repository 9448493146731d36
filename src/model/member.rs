//! Members of policies and groups, and subjects of requests (SPEC 6.1, 6.2).

use crate::limits::MEMBER_BYTES_MAX;
use crate::model::{email, name};

/// One member, taken apart. E-mails and domains are as written: compare in lower case.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Member<'a> {
    /// `user:E`.
    User(&'a str),
    /// `serviceAccount:E` or `serviceAccount:E?uid=U`.
    ServiceAccount {
        /// The e-mail.
        email: &'a str,
        /// Only this identity, if said.
        uid: Option<&'a str>,
    },
    /// `deleted:serviceAccount:E?uid=U`: grants only while exactly that uid lives.
    DeletedServiceAccount {
        /// The e-mail.
        email: &'a str,
        /// The identity.
        uid: &'a str,
    },
    /// `group:E`.
    Group(&'a str),
    /// `domain:D`: users only.
    Domain(&'a str),
    /// `allUsers`: everyone, anonymous callers too.
    AllUsers,
    /// `allAuthenticatedUsers`.
    AllAuthenticatedUsers,
    /// `principalSet://{node}/type/ServiceAccount` or `.../ServiceAgent`.
    AccountsBelow {
        /// Name of the organization, team or project.
        node: &'a str,
        /// Agents only.
        agents_only: bool,
    },
    /// `principal://{pool}/subject/S`.
    PoolSubject {
        /// Name of the identity pool.
        pool: &'a str,
        /// The subject.
        subject: &'a str,
    },
    /// `principalSet://{pool}/*`, `/group/G` or `/attribute.N/V`.
    PoolSet {
        /// Name of the identity pool.
        pool: &'a str,
        /// `*`, `group/G` or `attribute.N/V`.
        selector: &'a str,
    },
}

/// What a member may look like: the text for people.
pub const FORMS: &str = "user:E, serviceAccount:E, serviceAccount:E?uid=U, group:E, domain:D, \
     allUsers, allAuthenticatedUsers, deleted:serviceAccount:E?uid=U, \
     principalSet://NODE/type/ServiceAccount, principalSet://NODE/type/ServiceAgent, \
     principal://POOL/subject/S or principalSet://POOL/...";

/// What a subject may look like: the text for people.
pub const SUBJECT_FORMS: &str =
    "user:E, serviceAccount:E, serviceAccount:E?uid=U or principal://POOL/subject/S";

/// Reads a member; `None`: it has none of the forms of SPEC 6.1.
#[must_use]
pub fn parse(text: &str) -> Option<Member<'_>> {
    if text.len() > MEMBER_BYTES_MAX {
        return None;
    }
    if let Some(rest) = text.strip_prefix("user:") {
        return email::is_well_formed(rest).then_some(Member::User(rest));
    }
    if let Some(rest) = text.strip_prefix("serviceAccount:") {
        let (email, uid) = account(rest)?;
        return Some(Member::ServiceAccount { email, uid });
    }
    if let Some(rest) = text.strip_prefix("group:") {
        return email::is_well_formed(rest).then_some(Member::Group(rest));
    }
    if let Some(rest) = text.strip_prefix("domain:") {
        return email::is_domain(rest).then_some(Member::Domain(rest));
    }
    if let Some(rest) = text.strip_prefix("deleted:serviceAccount:") {
        let (email, uid) = account(rest)?;
        return Some(Member::DeletedServiceAccount { email, uid: uid? });
    }
    if let Some(rest) = text.strip_prefix("principal://") {
        let (pool, subject) = rest.split_once("/subject/")?;
        return (is_pool(pool) && is_value(subject))
            .then_some(Member::PoolSubject { pool, subject });
    }
    match text {
        "allUsers" => Some(Member::AllUsers),
        "allAuthenticatedUsers" => Some(Member::AllAuthenticatedUsers),
        _ => set(text.strip_prefix("principalSet://")?),
    }
}

/// Reads the subject of a request; `None`: it is not one of SPEC 6.2.
#[must_use]
pub fn parse_subject(text: &str) -> Option<Member<'_>> {
    parse(text).filter(|member| {
        matches!(
            member,
            Member::User(_) | Member::ServiceAccount { .. } | Member::PoolSubject { .. }
        )
    })
}

fn account(rest: &str) -> Option<(&str, Option<&str>)> {
    let (email, uid) = match rest.split_once("?uid=") {
        Some((email, uid)) => (email, Some(uid)),
        None => (rest, None),
    };
    let good = email::is_well_formed(email) && uid.is_none_or(name::is_id);
    good.then_some((email, uid))
}

fn set(rest: &str) -> Option<Member<'_>> {
    if let Some(node) = rest.strip_suffix("/type/ServiceAccount") {
        return is_node(node).then_some(Member::AccountsBelow {
            node,
            agents_only: false,
        });
    }
    if let Some(node) = rest.strip_suffix("/type/ServiceAgent") {
        return is_node(node).then_some(Member::AccountsBelow {
            node,
            agents_only: true,
        });
    }
    let at = rest.find("/identityPools/")? + "/identityPools/".len();
    let id = rest.get(at..)?.split('/').next()?;
    let (pool, selector) = (rest.get(..at + id.len())?, rest.get(at + id.len()..)?);
    let selector = selector.strip_prefix('/')?;
    let good = selector == "*"
        || selector.strip_prefix("group/").is_some_and(is_value)
        || selector
            .strip_prefix("attribute.")
            .and_then(|attribute| attribute.split_once('/'))
            .is_some_and(|(key, value)| is_attribute(key) && is_value(value));
    (good && is_pool(pool)).then_some(Member::PoolSet { pool, selector })
}

/// An organization, team or project name: what accounts can live below.
fn is_node(text: &str) -> bool {
    name::parse(text).is_ok_and(|parsed| !parsed.below && !parsed.default_team)
        && name::split_last(text)
            .is_some_and(|(_, kind, _)| matches!(kind, "organizations" | "teams" | "projects"))
}

fn is_pool(text: &str) -> bool {
    name::parse(text).is_ok_and(|parsed| !parsed.default_team && !parsed.misplaced)
        && name::split_last(text)
            .is_some_and(|(parent, kind, _)| kind == "identityPools" && is_node(parent))
}

/// A subject, group or attribute value: 1-127 printable ASCII bytes (FACTS B6.4).
fn is_value(text: &str) -> bool {
    (1..=127).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic())
}

fn is_attribute(text: &str) -> bool {
    (1..=100).contains(&text.len())
        && text
            .bytes()
            .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_')
}

#[cfg(test)]
mod tests {
    use super::*;

    // SPEC 6.1
    #[test]
    fn every_member_form_is_read() {
        for (text, member) in [
            ("user:Ann@Acme.example", Member::User("Ann@Acme.example")),
            (
                "serviceAccount:ci@acme.example",
                Member::ServiceAccount {
                    email: "ci@acme.example",
                    uid: None,
                },
            ),
            (
                "serviceAccount:ci@acme.example?uid=17",
                Member::ServiceAccount {
                    email: "ci@acme.example",
                    uid: Some("17"),
                },
            ),
            (
                "deleted:serviceAccount:ci@acme.example?uid=17",
                Member::DeletedServiceAccount {
                    email: "ci@acme.example",
                    uid: "17",
                },
            ),
            ("group:g@acme.example", Member::Group("g@acme.example")),
            ("domain:acme.example", Member::Domain("acme.example")),
            ("allUsers", Member::AllUsers),
            ("allAuthenticatedUsers", Member::AllAuthenticatedUsers),
            (
                "principalSet://organizations/a/teams/t/type/ServiceAgent",
                Member::AccountsBelow {
                    node: "organizations/a/teams/t",
                    agents_only: true,
                },
            ),
            (
                "principal://organizations/a/identityPools/p/subject/s/1",
                Member::PoolSubject {
                    pool: "organizations/a/identityPools/p",
                    subject: "s/1",
                },
            ),
            (
                "principalSet://organizations/a/identityPools/p/attribute.env/prod",
                Member::PoolSet {
                    pool: "organizations/a/identityPools/p",
                    selector: "attribute.env/prod",
                },
            ),
            (
                "principalSet://organizations/a/identityPools/p/*",
                Member::PoolSet {
                    pool: "organizations/a/identityPools/p",
                    selector: "*",
                },
            ),
        ] {
            assert_eq!(parse(text), Some(member), "{text}");
        }
    }

    // SPEC 6.1, 6.2
    #[test]
    fn anything_else_is_no_member_and_sets_are_no_subjects() {
        for text in [
            "",
            "user:",
            "user:ann",
            "user:a@b@c.example",
            "user:ann@acme.example?uid=1",
            "User:ann@acme.example",
            "serviceAccount:ci@acme.example?uid=",
            "deleted:serviceAccount:ci@acme.example",
            "deleted:user:ann@acme.example?uid=1",
            "alluser",
            "principal://organizations/a/subject/s",
            "principalSet://organizations/a/type/User",
            "principalSet://organizations/a/serviceAccounts/s/type/ServiceAccount",
            "principalSet://organizations/a/identityPools/p",
            "principalSet://organizations/a/identityPools/p/subject/s",
        ] {
            assert_eq!(parse(text), None, "{text}");
        }
        for text in [
            "allUsers",
            "group:g@acme.example",
            "domain:acme.example",
            "anonymous",
        ] {
            assert_eq!(parse_subject(text), None, "{text}");
        }
    }
}
