//! The snapshot: private tables, read-only look-ups.

pub mod facts;

use std::sync::Arc;

use crate::graph::constraints::Policies;
use crate::graph::permissions::Permissions;
use crate::graph::routes::Routes;
use crate::graph::rows::{
    Account, GrantSets, Grants, Identity, KeyRow, NONE, NodeRow, PrincipalRow, ProjectRow,
    RestrictionRow, SubjectRow,
};
use crate::graph::rules::{ALL_AUTHENTICATED, ALL_USERS, Rules};
use crate::graph::shard::{Index, Paged};
use crate::graph::sources::Sources;
use crate::graph::text::Text;
use crate::model::principal::PrincipalIx;
use crate::model::revision::Revision;

/// Index of a key in a snapshot.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct KeyIx(pub u32);

/// In the index of names, marks a value that is a key and not a node.
pub(super) const KEY_NAME: u32 = 1 << 31;

/// How many of each kind a snapshot holds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[expect(missing_docs, reason = "the fields are the kinds of SPEC 2.1")]
pub struct Counts {
    pub organizations: u64,
    pub teams: u64,
    pub projects: u64,
    pub users: u64,
    pub groups: u64,
    pub service_accounts: u64,
    pub keys: u64,
    pub roles: u64,
    pub permissions: u64,
    pub allow_policies: u64,
    pub deny_policies: u64,
    pub access_boundaries: u64,
    pub access_boundary_bindings: u64,
    pub identity_pools: u64,
    pub bindings: u64,
    pub routes: u64,
}

/// The tables of a snapshot; cloning shares them.
#[derive(Debug, Clone)]
pub(super) struct Tables {
    pub(super) revision: Revision,
    pub(super) counts: Counts,
    pub(super) hash: ahash::RandomState,
    pub(super) nodes: Paged<NodeRow>,
    /// Full names to nodes, and to service accounts' keys (`KEY_NAME`).
    pub(super) names: Index,
    pub(super) projects: Paged<ProjectRow>,
    pub(super) principals: Paged<PrincipalRow>,
    /// As `principals`, row by row.
    pub(super) identities: Paged<Identity>,
    /// E-mails in lower case; deleted accounts may share one.
    pub(super) emails: Index,
    pub(super) uids: Index,
    pub(super) usernames: Index,
    pub(super) keys: Paged<KeyRow>,
    /// Last part of the names, as `keys`, row by row.
    pub(super) key_ids: Paged<Text<23>>,
    pub(super) digests: Index,
    pub(super) restrictions: Arc<[RestrictionRow]>,
    pub(super) holders: Paged<Grants>,
    pub(super) sets: Arc<GrantSets>,
    pub(super) rules: Arc<Rules>,
    /// Some deny policy or boundary: without one a decision does not look for any.
    pub(super) restricts: bool,
    /// Some binding has a condition.
    pub(super) conditions: bool,
    pub(super) sources: Arc<Sources>,
    pub(super) permissions: Arc<Permissions>,
    /// Living accounts that another issuer or a peer's certificate may prove.
    pub(super) subjects: Paged<SubjectRow>,
    /// As `subjects`, by organization and subject.
    pub(super) by_subject: Index,
    pub(super) routes: Arc<Routes>,
    pub(super) org_policies: Arc<Policies>,
}

/// The whole graph at one revision; immutable.
#[derive(Debug, Clone)]
pub struct Snapshot {
    pub(super) tables: Tables,
}

/// A look-up on its way. Its three steps (start, continue, finish) each read what the one
/// before asked for: two look-ups that take turns wait once for both.
#[derive(Debug, Clone, Copy)]
pub struct Started {
    hash: u64,
    candidate: Option<u32>,
}

/// What a resource name resolves to.
#[derive(Debug, Clone, Copy)]
pub struct Located<'s> {
    /// The node that answers for it.
    pub node: u32,
    /// Its row.
    pub row: &'s NodeRow,
    /// Whether the name is that of a key of the node, a service account.
    pub is_key: bool,
}

impl Snapshot {
    pub(super) const fn new(tables: Tables) -> Self {
        Self { tables }
    }

    /// The revision.
    #[must_use]
    pub const fn revision(&self) -> Revision {
        self.tables.revision
    }

    /// How many of each kind.
    #[must_use]
    pub const fn counts(&self) -> &Counts {
        &self.tables.counts
    }

    /// The permissions.
    #[must_use]
    #[inline]
    pub fn permissions(&self) -> &Permissions {
        &self.tables.permissions
    }

    /// The routes.
    #[must_use]
    #[inline]
    pub fn routes(&self) -> &Routes {
        &self.tables.routes
    }

    /// The organization policies; read through `constraints::effective`.
    #[must_use]
    pub fn org_policies(&self) -> &Policies {
        &self.tables.org_policies
    }

    /// A node's row.
    #[must_use]
    #[inline]
    pub fn node(&self, ix: u32) -> Option<&NodeRow> {
        self.tables.nodes.get(ix)
    }

    /// How many nodes there are; their indices are below it.
    #[must_use]
    pub fn node_count(&self) -> u32 {
        u32::try_from(self.tables.nodes.len()).unwrap_or(u32::MAX)
    }

    /// How many principals there are; their indices are below it.
    #[must_use]
    pub fn principal_count(&self) -> u32 {
        u32::try_from(self.tables.principals.len()).unwrap_or(u32::MAX)
    }

    /// A project's row, by the `detail` of its node.
    #[must_use]
    #[inline]
    pub fn project(&self, ix: u32) -> Option<&ProjectRow> {
        self.tables.projects.get(ix)
    }

    /// A principal's row.
    #[must_use]
    #[inline]
    pub fn principal(&self, ix: PrincipalIx) -> Option<&PrincipalRow> {
        self.tables.principals.get(ix.0)
    }

    /// A key's row.
    #[must_use]
    #[inline]
    pub fn key(&self, ix: KeyIx) -> Option<&KeyRow> {
        self.tables.keys.get(ix.0)
    }

    /// A key's narrowing; `None`: unrestricted.
    #[must_use]
    #[inline]
    pub fn restrictions(&self, key: &KeyRow) -> Option<&RestrictionRow> {
        super::at(&self.tables.restrictions, key.restrictions)
    }

    /// The grant sets.
    #[must_use]
    #[inline]
    pub fn sets(&self) -> &GrantSets {
        &self.tables.sets
    }

    /// Denies, boundaries, conditional grants, tags, pools.
    #[must_use]
    #[inline]
    pub fn rules(&self) -> &Rules {
        &self.tables.rules
    }

    /// Whether there is any deny policy or boundary.
    #[must_use]
    #[inline]
    pub const fn restricts(&self) -> bool {
        self.tables.restricts
    }

    /// Whether any binding has a condition.
    #[must_use]
    #[inline]
    pub const fn conditions(&self) -> bool {
        self.tables.conditions
    }

    /// The policies as they were written, for explanations.
    #[must_use]
    pub fn sources(&self) -> &Sources {
        &self.tables.sources
    }

    /// Grants of `allUsers`.
    #[must_use]
    #[inline]
    pub fn all_users(&self) -> &Grants {
        self.holder(ALL_USERS)
    }

    /// Grants of `allAuthenticatedUsers`.
    #[must_use]
    #[inline]
    pub fn all_authenticated(&self) -> &Grants {
        self.holder(ALL_AUTHENTICATED)
    }

    /// Grants of a row of `holders`.
    #[must_use]
    #[inline]
    pub fn holder(&self, ix: u32) -> &Grants {
        self.tables
            .holders
            .get(ix)
            .unwrap_or(const { &Grants::EMPTY })
    }

    /// What a principal is off the common path.
    #[must_use]
    pub fn identity(&self, ix: PrincipalIx) -> Option<&Identity> {
        self.tables.identities.get(ix.0)
    }

    /// Starts a look-up by name: its slot is asked for, not read yet.
    #[must_use]
    #[inline]
    pub fn start_name(&self, name: &str) -> Started {
        let hash = self.tables.hash.hash_one(name.as_bytes());
        self.tables.names.touch(hash);
        Started {
            hash,
            candidate: None,
        }
    }

    /// Starts a look-up by e-mail in lower case.
    #[must_use]
    #[inline]
    pub fn start_email(&self, email: &[u8]) -> Started {
        let hash = self.tables.hash.hash_one(email);
        self.tables.emails.touch(hash);
        Started {
            hash,
            candidate: None,
        }
    }

    /// Goes on with a look-up by name: the slot is read, the row asked for.
    #[must_use]
    #[inline]
    pub fn continue_name(&self, started: Started) -> Started {
        let candidate = self.tables.names.candidate(started.hash);
        if let Some(ix) = candidate {
            self.tables.nodes.touch(ix);
        }
        Started {
            candidate,
            ..started
        }
    }

    /// Goes on with a look-up by e-mail: the slot is read, the row asked for.
    #[must_use]
    #[inline]
    pub fn continue_email(&self, started: Started) -> Started {
        let candidate = self.tables.emails.candidate(started.hash);
        if let Some(ix) = candidate {
            self.tables.principals.touch(ix);
        }
        Started {
            candidate,
            ..started
        }
    }

    /// The node or key of exactly this name.
    #[must_use]
    pub fn find_name(&self, name: &str) -> Option<Located<'_>> {
        self.finish_name(self.continue_name(self.start_name(name)), name)
    }

    /// The node or key of exactly this name, whose look-up was started.
    #[must_use]
    #[inline]
    pub fn finish_name(&self, started: Started, name: &str) -> Option<Located<'_>> {
        let candidate = started.candidate?;
        if candidate & KEY_NAME == 0
            && let Some(row) = self.node(candidate)
            && row.name.as_bytes() == name.as_bytes()
        {
            return Some(Located {
                node: candidate,
                row,
                is_key: false,
            });
        }
        let found = self
            .tables
            .names
            .find(started.hash, |ix| self.is_named(ix, name))?;
        if found & KEY_NAME == 0 {
            return Some(Located {
                node: found,
                row: self.node(found)?,
                is_key: false,
            });
        }
        let node = self
            .account_of_key(self.key(KeyIx(found & !KEY_NAME))?)?
            .node;
        Some(Located {
            node,
            row: self.node(node)?,
            is_key: true,
        })
    }

    #[inline]
    fn is_named(&self, ix: u32, name: &str) -> bool {
        if ix & KEY_NAME == 0 {
            return self
                .node(ix)
                .is_some_and(|row| row.name.as_bytes() == name.as_bytes());
        }
        let key = KeyIx(ix & !KEY_NAME);
        let account = self.key(key).and_then(|row| self.account_of_key(row));
        let account = account.and_then(|account| self.node(account.node));
        let Some((owner, "keys", id)) = crate::model::name::split_last(name) else {
            return false;
        };
        account.is_some_and(|row| row.name.as_bytes() == owner.as_bytes())
            && self.key_id(key).as_bytes() == id.as_bytes()
    }

    fn key_id(&self, key: KeyIx) -> &str {
        self.tables.key_ids.get(key.0).map_or("", Text::as_str)
    }

    fn account_of_key(&self, key: &KeyRow) -> Option<&Account> {
        self.principal(PrincipalIx(key.owner))?.account.as_ref()
    }

    /// The principal of an e-mail in lower case, whose look-up was started: the living one,
    /// else the only deleted one (SPEC 1.5).
    #[must_use]
    #[inline]
    pub fn finish_email(&self, started: Started, email: &[u8]) -> Option<PrincipalIx> {
        let candidate = started.candidate?;
        let has = |ix: u32| {
            self.principal(PrincipalIx(ix))
                .filter(|row| row.email.as_bytes() == email)
        };
        if has(candidate).is_some_and(|row| !row.deleted) {
            return Some(PrincipalIx(candidate));
        }
        let living = |ix: u32| has(ix).is_some_and(|row| !row.deleted);
        if let Some(ix) = self.tables.emails.find(started.hash, living) {
            return Some(PrincipalIx(ix));
        }
        // Off the common path: nobody living has it. Two deleted holders are nobody.
        let first = self
            .tables
            .emails
            .find(started.hash, |ix| has(ix).is_some())?;
        let other = |ix: u32| ix != first && has(ix).is_some();
        let second = self.tables.emails.find(started.hash, other);
        second.is_none().then_some(PrincipalIx(first))
    }

    /// The principal of an e-mail in lower case.
    #[must_use]
    pub fn find_email(&self, email: &[u8]) -> Option<PrincipalIx> {
        self.finish_email(self.continue_email(self.start_email(email)), email)
    }

    /// The principal of a uid.
    #[must_use]
    pub fn find_uid(&self, uid: &str) -> Option<PrincipalIx> {
        let hash = self.tables.hash.hash_one(uid.as_bytes());
        let is = |ix: u32| {
            self.identity(PrincipalIx(ix))
                .is_some_and(|i| i.uid.as_bytes() == uid.as_bytes())
        };
        self.tables.uids.find(hash, is).map(PrincipalIx)
    }

    /// The user of a user name.
    #[must_use]
    pub fn find_username(&self, username: &str) -> Option<PrincipalIx> {
        let hash = self.tables.hash.hash_one(username.as_bytes());
        let is = |ix: u32| {
            self.identity(PrincipalIx(ix))
                .and_then(Identity::user)
                .is_some_and(|user| *user.username == *username)
        };
        self.tables.usernames.find(hash, is).map(PrincipalIx)
    }

    /// The living account of an organization that has this federated subject (SPEC 9.4, 9.6).
    #[must_use]
    pub fn find_federated(&self, organization: &str, subject: &str) -> Option<PrincipalIx> {
        let organization = self.find_name(organization)?.node;
        let hash = self.tables.hash.hash_one((organization, subject));
        let row = |ix: u32| self.tables.subjects.get(ix);
        let is = |ix: u32| {
            row(ix).is_some_and(|row| row.organization == organization && *row.subject == *subject)
        };
        let found = row(self.tables.by_subject.find(hash, is)?)?;
        Some(PrincipalIx(found.principal))
    }

    /// The key of a digest.
    #[must_use]
    #[inline]
    pub fn find_digest(&self, digest: &[u8; 32], is_hmac: bool) -> Option<KeyIx> {
        let hash = self.tables.hash.hash_one(digest);
        let is = |ix: u32| {
            // Equality of digests may take any time: who can vary a digest byte by byte has
            // broken SHA-256.
            self.key(KeyIx(ix))
                .is_some_and(|row| row.is_hmac == is_hmac && row.digest == *digest)
        };
        self.tables.digests.find(hash, is).map(KeyIx)
    }

    /// The ancestor of a node, or the node itself, at a level.
    #[must_use]
    #[inline]
    pub fn ancestor(&self, ix: u32, row: &NodeRow, level: u8) -> Option<u32> {
        if let Some(node) = row.path.get(usize::from(level)) {
            return (*node != NONE).then_some(*node);
        }
        let (mut ix, mut row) = (ix, row);
        while row.level > level {
            ix = row.parent;
            row = self.node(ix)?;
        }
        (row.level == level).then_some(ix)
    }
}
