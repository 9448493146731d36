//! What decisions read, compared: which principals may be decided differently on which nodes.
//!
//! Where nothing that a decision of a pair reads differs, the decision does not. What is read:
//! the node and those above it with their settings, tags, deny rules, organization policies and
//! bindings; the principal, its groups, its home; the vocabulary, the boundaries, the pools.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use crate::decide::compare::ANONYMOUS;
use crate::decide::named_by;
use crate::graph::rows::{Identity, NONE, NodeRow, PrincipalRow, ProjectRow, UserDetail};
use crate::graph::rules::{DenyRow, Named};
use crate::graph::snapshot::Snapshot;
use crate::model::outcome::Actor;
use crate::model::permission::PermissionSet;
use crate::model::principal::PrincipalIx;

/// A node of either side.
#[derive(Debug)]
pub(super) struct Node<'s> {
    pub(super) name: &'s str,
    /// Everybody may be decided differently here.
    everybody: bool,
    /// These may; the principals that differ themselves are not repeated.
    some: Arc<Vec<u32>>,
}

/// What may differ.
#[derive(Debug)]
pub(super) struct Inputs<'s> {
    pub(super) nodes: Vec<Node<'s>>,
    pub(super) principals: Vec<String>,
    /// Principals that may be decided differently anywhere, sorted.
    anywhere: Vec<u32>,
    pub(super) uncounted: BTreeSet<String>,
}

/// What differs on one node.
#[derive(Default)]
struct Here {
    everybody: bool,
    /// For those whom these members name.
    members: BTreeSet<String>,
}

/// One snapshot.
#[derive(Clone, Copy)]
struct Side<'s>(&'s Snapshot);

impl<'s> Inputs<'s> {
    pub(super) fn new(before: &'s Snapshot, after: &'s Snapshot) -> Self {
        let (before, after) = (Side(before), Side(after));
        let everything = vocabulary(before, after) || boundaries(before, after);
        let principals = principals(before, after);
        let mut names: BTreeMap<&str, [Option<u32>; 2]> = BTreeMap::new();
        for (side, at) in [(before, 0), (after, 1)] {
            for (name, node) in side.nodes() {
                if let Some(place) = names.entry(name).or_default().get_mut(at) {
                    *place = Some(node);
                }
            }
        }
        let here: Vec<Here> = names
            .values()
            .map(|[one, other]| match (one, other) {
                _ if everything => Here::everybody(),
                (Some(one), Some(other)) => differences((before, *one), (after, *other)),
                _ => Here::everybody(),
            })
            .collect();
        let wanted: BTreeSet<&String> = here.iter().flat_map(|here| &here.members).collect();
        let (named, anywhere) = who(before, after, &principals, &wanted);
        let uncounted = wanted
            .iter()
            .filter(|text| text.contains("/identityPools/"));
        let uncounted = uncounted.map(|text| (*text).clone()).collect();
        Self {
            nodes: inherited(&names, &here, &named),
            principals,
            anywhere,
            uncounted,
        }
    }

    /// How many principals may be decided differently on a node.
    pub(super) fn count(&self, node: usize) -> u64 {
        let Some(node) = self.nodes.get(node) else {
            return 0;
        };
        let count = if node.everybody {
            self.principals.len()
        } else {
            self.anywhere.len().saturating_add(node.some.len())
        };
        u64::try_from(count).unwrap_or(u64::MAX)
    }

    /// The principal at a place among those.
    pub(super) fn principal(&self, node: usize, at: u64) -> Option<u32> {
        let node = self.nodes.get(node)?;
        if node.everybody {
            return u32::try_from(at).ok();
        }
        let at = usize::try_from(at).ok()?;
        let own = at.checked_sub(self.anywhere.len());
        match own {
            None => self.anywhere.get(at).copied(),
            Some(at) => node.some.get(at).copied(),
        }
    }
}

/// Hands down to each node what differs above it.
fn inherited<'s>(
    names: &BTreeMap<&'s str, [Option<u32>; 2]>,
    here: &[Here],
    named: &HashMap<&str, Vec<u32>>,
) -> Vec<Node<'s>> {
    let mut nodes: Vec<Node<'s>> = Vec::with_capacity(here.len());
    // Names in order: what is above comes before.
    let mut places: HashMap<&str, usize> = HashMap::new();
    for (at, (name, here)) in names.keys().copied().zip(here).enumerate() {
        let above = above(name).and_then(|above| nodes.get(*places.get(above)?));
        let (everybody, some) = above.map_or_else(
            || (false, Arc::default()),
            |above| (above.everybody, Arc::clone(&above.some)),
        );
        let all = |text: &String| matches!(text.as_str(), "allUsers" | "allAuthenticatedUsers");
        let everybody = everybody || here.everybody || here.members.iter().any(all);
        let own = here
            .members
            .iter()
            .filter_map(|text| named.get(text.as_str()));
        let own: Vec<u32> = own.flatten().copied().collect();
        let some = if own.is_empty() {
            some
        } else {
            let mut both = own;
            both.extend(some.iter());
            both.sort_unstable();
            both.dedup();
            Arc::new(both)
        };
        places.insert(name, at);
        nodes.push(Node {
            name,
            everybody,
            some,
        });
    }
    nodes
}

/// The name of the node above.
fn above(name: &str) -> Option<&str> {
    let (collection, _) = name.rsplit_once('/')?;
    collection.rsplit_once('/').map(|(above, _)| above)
}

impl Here {
    fn everybody() -> Self {
        Self {
            everybody: true,
            members: BTreeSet::new(),
        }
    }
}

// === principals ===

/// Nobody, and everybody who lives on a side or is named there.
fn principals(before: Side<'_>, after: Side<'_>) -> Vec<String> {
    let mut texts = BTreeSet::new();
    for Side(snapshot) in [before, after] {
        for ix in (0..snapshot.principal_count()).map(PrincipalIx) {
            if snapshot.principal(ix).is_some_and(|row| !row.deleted) {
                texts.insert(snapshot.principal_member(ix));
            }
        }
        texts.extend(
            snapshot
                .rules()
                .federated
                .iter()
                .map(|text| text.to_string()),
        );
    }
    std::iter::once(ANONYMOUS.to_owned()).chain(texts).collect()
}

/// Those whom each wanted member names on a side, and those who differ themselves. Who is
/// among the latter is not among the former.
fn who<'w>(
    before: Side<'_>,
    after: Side<'_>,
    principals: &[String],
    wanted: &BTreeSet<&'w String>,
) -> (HashMap<&'w str, Vec<u32>>, Vec<u32>) {
    let mut named: HashMap<&str, Vec<u32>> = HashMap::new();
    let mut anywhere = Vec::new();
    let pools = before.pools() != after.pools();
    for (text, ix) in principals.iter().zip(0_u32..) {
        let sides = [before, after].map(|side| side.belongs(text));
        let [one, other] = &sides;
        let groups = |side: &BTreeSet<String>| -> BTreeSet<String> {
            let groups = side.iter().filter(|text| text.starts_with("group:"));
            groups.cloned().collect()
        };
        let federated = text.starts_with("principal://");
        if groups(one) != groups(other)
            || before.principal(text) != after.principal(text)
            || (pools && federated)
        {
            anywhere.push(ix);
            continue;
        }
        let texts: BTreeSet<&String> = sides.iter().flatten().chain([text]).collect();
        for text in texts {
            if let Some(text) = wanted.get(text) {
                named.entry(text.as_str()).or_default().push(ix);
            }
        }
    }
    (named, anywhere)
}

/// What a decision reads of a principal that the snapshot knows.
#[derive(PartialEq)]
struct Person {
    uid: String,
    disabled: bool,
    seats: Vec<String>,
    /// Where an account is, what it is implicitly granted, the services of its home.
    home: Option<(String, String, Option<Vec<String>>)>,
}

impl<'s> Side<'s> {
    fn find(self, text: &str) -> Option<(PrincipalIx, &'s PrincipalRow)> {
        let email = text.split_once(':').map(|(_, email)| email)?;
        let ix = self.0.find_email(email.as_bytes())?;
        let row = self.0.principal(ix)?;
        (row.is_user() == text.starts_with("user:")).then_some((ix, row))
    }

    fn principal(self, text: &str) -> Option<Person> {
        let (ix, row) = self.find(text)?;
        let identity = self.0.identity(ix)?;
        let seats = identity
            .user()
            .map_or_else(Vec::new, |user| self.seats(user));
        let home = row.account.map(|account| {
            let services = (account.limited_home != NONE).then(|| {
                let project = self.0.project(account.limited_home);
                project.map_or_else(Vec::new, |project| self.services(project))
            });
            (
                self.name(account.node),
                self.name(account.implicit),
                services,
            )
        });
        Some(Person {
            uid: identity.uid.as_str().to_owned(),
            disabled: row.disabled || row.deleted,
            seats,
            home,
        })
    }

    fn seats(self, user: &UserDetail) -> Vec<String> {
        let mut seats: Vec<String> = user
            .seats
            .iter()
            .map(|(node, models, weave)| format!("{} {models:?} {weave:?}", self.name(*node)))
            .collect();
        seats.sort();
        seats
    }

    /// Texts by which policies may name a principal.
    fn belongs(self, text: &str) -> BTreeSet<String> {
        let actor = match self.find(text) {
            Some((ix, _)) => Actor::Known(ix),
            None if text == ANONYMOUS => Actor::Anonymous,
            None => Actor::Asserted(text),
        };
        let rows = named_by(self.0, &actor).into_iter();
        let sources = self.0.sources();
        rows.map(|row| sources.holder(row).to_owned()).collect()
    }

    /// Pools by name: known, disabled.
    fn pools(self) -> BTreeMap<&'s str, (bool, bool)> {
        let pools = self.0.rules().pools.iter();
        pools
            .map(|(name, pool)| (&**name, (pool.known, pool.disabled)))
            .collect()
    }

    // === nodes ===

    /// Names and rows of nodes that answer to their names.
    fn nodes(self) -> impl Iterator<Item = (&'s str, u32)> {
        let Self(snapshot) = self;
        (0..snapshot.node_count()).filter_map(move |node| {
            let name = snapshot.node(node)?.name.as_str();
            let found = snapshot.find_name(name)?;
            (found.node == node && !found.is_key).then_some((name, node))
        })
    }

    fn name(self, node: u32) -> String {
        let row = self.0.node(node);
        row.map_or_else(String::new, |row| row.name.as_str().to_owned())
    }

    fn permissions(self, set: &PermissionSet) -> Vec<String> {
        let rows = self.0.permissions().iter();
        rows.filter(|(ix, _)| set.contains(*ix))
            .map(|(_, row)| row.name.to_string())
            .collect()
    }

    fn services(self, project: &ProjectRow) -> Vec<String> {
        let services = project.services.as_ref();
        services.map_or_else(|| vec!["*".to_owned()], |set| self.permissions(set))
    }

    fn named(self, named: &Named) -> BTreeSet<String> {
        let principals = named.principals.iter();
        let principals = principals.map(|ix| self.0.principal_member(PrincipalIx(*ix)));
        let sources = self.0.sources();
        let holders = named
            .holders
            .iter()
            .map(|row| sources.holder(*row).to_owned());
        principals.chain(holders).collect()
    }

    /// All that a node itself says to everybody.
    fn own(self, node: u32) -> Option<String> {
        let row: &NodeRow = self.0.node(node)?;
        let mut said = format!("{:?} {:?} {:?}", row.kind, row.visibility, row.settings);
        if let Some(project) = self.0.project(row.detail).filter(|_| is_project(row)) {
            let services = self.services(project);
            said.push_str(&format!(
                " {} {} {services:?}",
                project.quota, project.accounts
            ));
        }
        let account = PrincipalIx(row.detail);
        if let Some(principal) = self.0.principal(account).filter(|_| is_account(row)) {
            let detail = self.0.identity(account).and_then(Identity::account);
            said.push_str(&format!(" {} {detail:?}", self.0.principal_member(account)));
            said.push_str(&format!(" {} {}", principal.disabled, principal.deleted));
            // Its default team is said by a row that the other side may number otherwise.
            if let Some(detail) = detail {
                said = said.replace(
                    &format!("default_team: {}", detail.default_team),
                    &self.name(detail.default_team),
                );
            }
        }
        said.push_str(&format!(" {:?}", self.0.rules().tags.get(&node)));
        for policy in self.0.org_policies().at(node) {
            said.push_str(&format!(" {:?} {:?}", policy.constraint, policy.rule));
        }
        Some(said)
    }

    /// What each binding gives each member: role, content of the role, condition.
    fn grants(self, node: u32) -> BTreeSet<(String, String, &'s [u8], &'s str)> {
        let sources = self.0.sources();
        let sets = self.0.sets();
        let mut grants = BTreeSet::new();
        for binding in sources.bindings(node) {
            let role = sources.roles.get(binding.role);
            let role = role.map_or("", |role| &*role.name);
            let start = usize::try_from(binding.set).unwrap_or(usize::MAX);
            let start = start.saturating_mul(sets.stride);
            let end = start.saturating_add(sets.stride);
            let content = sets.bytes.get(start..end).unwrap_or_default();
            let condition = binding.condition.as_ref().map_or("", |c| c.source());
            for member in self.named(&binding.members) {
                grants.insert((member, role.to_owned(), content, condition));
            }
        }
        grants
    }

    /// Deny rules as texts, and whom each denies.
    fn denies(self, node: u32) -> BTreeMap<String, BTreeSet<String>> {
        let rules = self.0.rules().denies.get(&node);
        let rules: &[DenyRow] = rules.map_or(&[], |rules| rules);
        let rules = rules.iter().map(|rule| {
            let denied = self.named(&rule.denied);
            let condition = rule.condition.as_ref().map_or("", |c| c.source());
            let text = format!(
                "{denied:?} {:?} {:?} {condition}",
                self.named(&rule.exceptions),
                self.permissions(&rule.permissions)
            );
            (text, denied)
        });
        rules.collect()
    }
}

fn is_project(row: &NodeRow) -> bool {
    row.kind == crate::model::node::NodeKind::Project
}

fn is_account(row: &NodeRow) -> bool {
    row.kind == crate::model::node::NodeKind::ServiceAccount
}

fn differences((before, one): (Side<'_>, u32), (after, other): (Side<'_>, u32)) -> Here {
    if before.own(one) != after.own(other) {
        return Here::everybody();
    }
    let mut members = BTreeSet::new();
    let (old, new) = (before.grants(one), after.grants(other));
    members.extend(
        old.symmetric_difference(&new)
            .map(|(member, ..)| member.clone()),
    );
    let (old, new) = (before.denies(one), after.denies(other));
    for (text, denied) in old.iter().chain(&new) {
        if old.contains_key(text) != new.contains_key(text) {
            members.extend(denied.iter().cloned());
        }
    }
    Here {
        everybody: false,
        members,
    }
}

/// Whether permissions mean something else, or are others; in another order too, for the
/// contents of roles are compared by place.
fn vocabulary(Side(before): Side<'_>, Side(after): Side<'_>) -> bool {
    !before.permissions().iter().eq(after.permissions().iter())
}

fn boundaries(before: Side<'_>, after: Side<'_>) -> bool {
    before.boundaries() != after.boundaries()
}

impl Side<'_> {
    /// Boundaries, their bindings, and who is bound, as texts.
    fn boundaries(self) -> BTreeSet<String> {
        let rules = self.0.rules();
        let mut texts = BTreeSet::new();
        let boundary = |ix: u32| usize::try_from(ix).map_or(None, |ix| rules.boundaries.get(ix));
        let binding = |ix: u32| {
            let row = usize::try_from(ix).map_or(None, |ix| rules.boundary_bindings.get(ix));
            row.map_or_else(String::new, |row| {
                let bound = boundary(row.boundary).map(|bound| {
                    let permissions = bound.permissions.as_ref();
                    let permissions = permissions.map(|set| self.permissions(set));
                    format!("{} {:?} {permissions:?}", bound.name, bound.resources)
                });
                let condition = row.condition.as_ref().map_or("", |c| c.source());
                format!("{} {bound:?} {condition}", row.name)
            })
        };
        for (principal, bindings) in &rules.bound_principals {
            let member = self.0.principal_member(PrincipalIx(*principal));
            texts.extend(
                bindings
                    .iter()
                    .map(|ix| format!("{member} {}", binding(*ix))),
            );
        }
        for (row, bindings) in &rules.bound_holders {
            let member = self.0.sources().holder(*row);
            texts.extend(
                bindings
                    .iter()
                    .map(|ix| format!("{member} {}", binding(*ix))),
            );
        }
        texts
    }
}
