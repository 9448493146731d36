//! Look-ups: what they ask and what they find (SPEC 11.4).

use crate::model::node::NodeKind;
use crate::model::outcome::{Reason, Violation};
use crate::model::query::Query;

/// What a look-up asks. Fields of `query` that are the answer are empty.
#[derive(Debug, Clone, Copy)]
pub enum Lookup<'a> {
    /// On what may the subject do the permission?
    Resources {
        /// Subject, permission, and what is said of them.
        query: Query<'a>,
        /// Only nodes at or below this one.
        parent: Option<&'a str>,
        /// Only nodes of these kinds; none named means all.
        kinds: &'a [NodeKind],
    },
    /// What may the subject do on the resource?
    Permissions {
        /// Subject, resource, and what is said of them.
        query: Query<'a>,
    },
    /// Who may do the permission on the resource?
    Principals {
        /// Permission, resource, and what is said of them.
        query: Query<'a>,
        /// Service agents are found too.
        agents: bool,
        /// So are those who could act as an account that may (FACTS B7.4).
        impersonation: bool,
    },
}

/// One answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Item {
    /// Resource name, permission, or member; see each look-up.
    pub name: String,
    /// What `Authorize` answers.
    pub verdict: Verdict,
    /// Through which account, when not directly.
    pub through: Option<Through>,
}

/// What `Authorize` answers to a candidate that is found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// An allow.
    Allowed(Reason),
    /// No decision without (another) context; but for that, there is a grant.
    Undecided(Violation),
}

/// An account that may do it, and that others could act as.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Through {
    /// The account, as a member.
    pub account: String,
    /// Permissions on the account by which the principal could.
    pub permissions: Vec<&'static str>,
}

/// The six permissions that let one act as an account (FACTS B7.4).
pub const IMPERSONATION: [&str; 6] = [
    "iam.serviceAccounts.actAs",
    "iam.serviceAccounts.getAccessToken",
    "iam.serviceAccounts.getOpenIdToken",
    "iam.serviceAccounts.implicitDelegation",
    "iam.serviceAccounts.signBlob",
    "iam.serviceAccounts.signJwt",
];
