//! What a snapshot says of principals and keys for answers: names, homes, facts.

use crate::graph::rows::{Identity, NONE, PrincipalDetail};
use crate::graph::snapshot::{KeyIx, Snapshot};
use crate::model::principal::PrincipalIx;
use crate::model::query::KeyDigests;

impl Snapshot {
    /// Names of the organization of a service account and of its team, which is empty if its
    /// scope is another; `None` of a user.
    #[must_use]
    pub fn home(&self, principal: PrincipalIx) -> Option<(&str, &str)> {
        let node = self.principal(principal)?.account?.node;
        let row = self.node(node)?;
        let organization = self.node(self.ancestor(node, row, 0)?)?;
        let team = self
            .node(row.parent)
            .filter(|parent| parent.kind == crate::model::node::NodeKind::Team);
        let team = team.map_or("", |team| team.name.as_str());
        Some((organization.name.as_str(), team))
    }

    /// Name of the organization that a key is bound to; empty of a personal one.
    #[must_use]
    pub fn organization_of_key(&self, digests: &KeyDigests) -> &str {
        let KeyDigests::Digested {
            sha256,
            hmac_sha256,
        } = digests
        else {
            return "";
        };
        let keyed = || self.find_digest(hmac_sha256.as_ref()?, true);
        let key = self.find_digest(sha256, false).or_else(keyed);
        let organization = key.and_then(|key| self.node(self.key(key)?.organization));
        organization.map_or("", |row| row.name.as_str())
    }

    /// The principal in member syntax: `user:E`, `serviceAccount:E`, or
    /// `serviceAccount:E?uid=U` for a deleted account.
    #[must_use]
    pub fn principal_member(&self, principal: PrincipalIx) -> String {
        let (Some(row), Some(identity)) = (self.principal(principal), self.identity(principal))
        else {
            return String::new();
        };
        let email = row.email.as_str();
        match identity.detail {
            PrincipalDetail::User(_) => ["user:", email].concat(),
            PrincipalDetail::Account(_) if row.deleted => {
                ["serviceAccount:", email, "?uid=", identity.uid.as_str()].concat()
            }
            PrincipalDetail::Account(_) => ["serviceAccount:", email].concat(),
        }
    }

    /// Resource name of a service account or user.
    #[must_use]
    pub fn principal_name(&self, principal: PrincipalIx) -> String {
        match self.identity(principal).and_then(Identity::user) {
            Some(user) => user.name.to_string(),
            None => self
                .principal(principal)
                .and_then(|row| row.account)
                .map_or_else(String::new, |account| self.node_name(account.node)),
        }
    }

    /// User name or, for want of one, e-mail of a user: what attribution answers.
    #[must_use]
    pub fn principal_username(&self, principal: PrincipalIx) -> String {
        let user = self.identity(principal).and_then(Identity::user);
        match user.filter(|user| !user.username.is_empty()) {
            Some(user) => user.username.to_string(),
            None => self
                .principal(principal)
                .map_or_else(String::new, |r| r.email.as_str().to_owned()),
        }
    }

    /// Whether the principal is a service account.
    #[must_use]
    pub fn is_service_account(&self, principal: PrincipalIx) -> bool {
        self.principal(principal)
            .is_some_and(|row| row.account.is_some())
    }

    /// Facts of a key for `VerifyKeyResponse`: names, and when it ends.
    #[must_use]
    pub fn key_facts(&self, key: KeyIx) -> KeyFacts {
        let Some(row) = self.key(key) else {
            return KeyFacts::default();
        };
        let owner = PrincipalIx(row.owner);
        let node = self
            .principal(owner)
            .and_then(|row| row.account)
            .map_or(NONE, |a| a.node);
        let home = self.node(node);
        let organization = match home {
            Some(home) => self.ancestor(node, home, 0).unwrap_or(NONE),
            None => row.organization,
        };
        let team = home
            .and_then(|home| self.node(home.parent))
            .filter(|parent| parent.kind == crate::model::node::NodeKind::Team);
        KeyFacts {
            name: [&self.principal_name(owner), "/keys/", self.key_id(key)].concat(),
            organization: self.node_name(organization),
            team: team.map_or_else(String::new, |team| team.name.as_str().to_owned()),
            not_after: (row.not_after != i64::MAX).then_some(row.not_after),
        }
    }

    fn node_name(&self, node: u32) -> String {
        self.node(node)
            .map_or_else(String::new, |row| row.name.as_str().to_owned())
    }

    /// Name of the account that has this uid; for the next snapshot's check that accounts
    /// never move.
    pub(in crate::graph) fn account_name_of_uid(&self, uid: &str) -> Option<String> {
        let account = self.principal(self.find_uid(uid)?)?.account?;
        Some(self.node_name(account.node))
    }

    /// Uid of the owner of the key with this digest; for the next snapshot's check.
    pub(in crate::graph) fn owner_uid_of_digest(
        &self,
        digest: &[u8; 32],
        is_hmac: bool,
    ) -> Option<&str> {
        let key = self.key(self.find_digest(digest, is_hmac)?)?;
        self.identity(PrincipalIx(key.owner))
            .map(|owner| owner.uid.as_str())
    }
}

/// What `VerifyKey` tells the holder of a key about it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct KeyFacts {
    /// Resource name of the key.
    pub name: String,
    /// Organization of the key or of its owner; empty for a personal key.
    pub organization: String,
    /// Team of the owner, if it is scoped to one; else empty.
    pub team: String,
    /// Invalid from this second on.
    pub not_after: Option<i64>,
}
