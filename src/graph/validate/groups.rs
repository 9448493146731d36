//! Groups: members, nesting, closure (SPEC 2.1, 6.1).

use std::collections::HashSet;

use super::{Check, Identity, next_ix};
use crate::graph::at;
use crate::graph::document::{self, Entity, Place};
use crate::graph::issue::Code;
use crate::graph::plan::{Group, Holder};
use crate::limits;
use crate::model::member::{self, Member};
use crate::model::node::NodeKind;

/// What a member text turned out to be.
pub(super) enum Named {
    Somebody(Identity),
    Nobody,
    Ambiguous,
}

impl<'d> Check<'d> {
    /// Every group: names, members, then nesting.
    pub(super) fn all_groups(&mut self) {
        let all = self.of(|e| {
            if let Entity::Group(g) = e {
                Some(g)
            } else {
                None
            }
        });
        let mut names = HashSet::new();
        for (place, group) in &all {
            let path = format!("group[{}]", group.name);
            let parent = self.name_of(place, &path, &group.name, "groups");
            let found = format!("`{}`", group.name);
            if parent.is_some_and(|p| self.node_of(p, NodeKind::Organization).is_none()) {
                let allowed = "organizations/{organization of this input}/groups/{id}";
                self.issue(
                    place,
                    format!("{path}.name"),
                    Code::MissingParent,
                    found,
                    allowed,
                );
            } else if parent.is_some() && !names.insert(group.name.as_str()) {
                self.issue(
                    place,
                    format!("{path}.name"),
                    Code::DuplicateName,
                    found,
                    "one entity a group",
                );
            }
            let ix = next_ix(&self.groups);
            self.uid(place, &path, &group.uid, Identity::Group(ix));
            self.email(place, &path, &group.email, Identity::Group(ix), true);
            self.bound(
                place,
                format!("{path}.members"),
                group.members.len(),
                limits::GROUP_MEMBERS_MAX,
            );
            self.groups.push(Group::default());
        }
        for (ix, (place, group)) in all.iter().enumerate() {
            let resolved = self.group_members(place, group);
            if let Some(slot) = self.groups.get_mut(ix) {
                *slot = resolved;
            }
        }
        self.nesting(&all);
    }

    fn group_members(&mut self, place: &Place, group: &document::Group) -> Group {
        let mut resolved = Group {
            email: group.email.to_ascii_lowercase(),
            ..Group::default()
        };
        for (ix, text) in group.members.iter().enumerate() {
            let path = || format!("group[{}].members[{ix}]", group.name);
            let allowed = "user:E, serviceAccount:E, group:E or principal://POOL/subject/S";
            let Some(parsed) = member::parse(text) else {
                self.issue(
                    place,
                    path(),
                    Code::InvalidValue,
                    format!("`{text}`"),
                    allowed,
                );
                continue;
            };
            let listed = matches!(
                parsed,
                Member::User(_)
                    | Member::ServiceAccount { .. }
                    | Member::Group(_)
                    | Member::PoolSubject { .. }
            );
            if !listed {
                self.issue(
                    place,
                    path(),
                    Code::MemberNotAllowed,
                    format!("`{text}`"),
                    allowed,
                );
                continue;
            }
            match self.named(&parsed) {
                Named::Somebody(Identity::User(p) | Identity::Account(p)) => {
                    resolved.principals.push(p);
                }
                Named::Somebody(Identity::Group(g)) => resolved.groups.push(g),
                Named::Nobody => {
                    match &parsed {
                        Member::PoolSubject { pool, .. } => self.pool_is_here(place, &path, pool),
                        _ => self.names_nobody(place, path(), text),
                    }
                    // A deny on the group reaches who says to be this member (SPEC 6.2).
                    if !matches!(parsed, Member::Group(_))
                        && let Holder::Asserted(ix) = self.asserted(&parsed, text)
                    {
                        resolved.asserted.push(ix);
                    }
                }
                Named::Ambiguous => self.ambiguous(place, path(), text),
            }
        }
        resolved.principals.sort_unstable();
        resolved.principals.dedup();
        resolved.asserted.sort_unstable();
        resolved.asserted.dedup();
        resolved.groups.sort_unstable();
        resolved.groups.dedup();
        resolved
    }

    pub(super) fn names_nobody(&mut self, place: &Place, path: String, text: &str) {
        let found = format!("`{text}` names nobody here: it grants nothing");
        self.warn(
            place,
            path,
            Code::UnknownReference,
            found,
            "a member of this input",
        );
    }

    pub(super) fn ambiguous(&mut self, place: &Place, path: String, text: &str) {
        let found = format!("`{text}`, an address that a deleted account had before");
        let allowed = "serviceAccount:E?uid=U, so that nobody inherits by accident";
        self.issue(place, path, Code::AmbiguousMember, found, allowed);
    }

    /// Who a member is (SPEC 1.5).
    pub(super) fn named(&self, member: &Member<'_>) -> Named {
        let living = |email: &str| self.living.get(&email.to_ascii_lowercase()).copied();
        let somebody = |identity: Option<Identity>| identity.map_or(Named::Nobody, Named::Somebody);
        match member {
            Member::User(email) => {
                somebody(living(email).filter(|i| matches!(i, Identity::User(_))))
            }
            Member::Group(email) => {
                somebody(living(email).filter(|i| matches!(i, Identity::Group(_))))
            }
            Member::ServiceAccount { email, uid: None } => {
                let alive = living(email).filter(|i| matches!(i, Identity::Account(_)));
                let gone = self.deleted.get(&email.to_ascii_lowercase());
                match (alive, gone.map(Vec::as_slice)) {
                    (Some(_), Some(_)) | (None, Some([_, _, ..])) => Named::Ambiguous,
                    (Some(identity), None) => Named::Somebody(identity),
                    (None, Some([ix])) => Named::Somebody(Identity::Account(*ix)),
                    (None, Some([]) | None) => Named::Nobody,
                }
            }
            Member::ServiceAccount {
                email,
                uid: Some(uid),
            }
            | Member::DeletedServiceAccount { email, uid } => {
                let identity = self.uids.get(uid).copied();
                somebody(identity.filter(|i| self.is_account_with(*i, email)))
            }
            Member::Domain(_)
            | Member::AllUsers
            | Member::AllAuthenticatedUsers
            | Member::AccountsBelow { .. }
            | Member::PoolSubject { .. }
            | Member::PoolSet { .. } => Named::Nobody,
        }
    }

    fn is_account_with(&self, identity: Identity, email: &str) -> bool {
        use crate::graph::plan::Principal;
        let Identity::Account(ix) = identity else {
            return false;
        };
        matches!(at(&self.principals, ix), Some(Principal::Account { entity, .. })
            if entity.email.eq_ignore_ascii_case(email))
    }

    /// Cycles, depth, and the closure: itself and every group it is nested in.
    fn nesting(&mut self, all: &[(&'d Place, &'d document::Group)]) {
        let mut parents: Vec<Vec<u32>> = vec![Vec::new(); self.groups.len()];
        for (parent, group) in (0_u32..).zip(&self.groups) {
            for child in &group.groups {
                if let Some(list) = usize::try_from(*child).map_or(None, |c| parents.get_mut(c)) {
                    list.push(parent);
                }
            }
        }
        let mut state = Nesting {
            parents,
            done: vec![None; self.groups.len()],
        };
        for (ix, (place, group)) in (0_u32..).zip(all) {
            let mut trail = Vec::new();
            match state.closure(ix, &mut trail) {
                Ok(closure) => {
                    if let Some(slot) = usize::try_from(ix).map_or(None, |i| self.groups.get_mut(i))
                    {
                        slot.closure = closure;
                    }
                }
                Err(fault) => {
                    let (code, found) = match fault {
                        Fault::Cycle => {
                            (Code::Cycle, "a group that is nested in itself".to_owned())
                        }
                        Fault::Depth => (Code::OutOfBounds, "groups nested too deep".to_owned()),
                    };
                    let allowed =
                        format!("nesting without a cycle, {} deep", limits::GROUP_DEPTH_MAX);
                    self.issue(
                        place,
                        format!("group[{}].members", group.name),
                        code,
                        found,
                        &allowed,
                    );
                }
            }
        }
        self.closure_bound(all);
    }

    /// The decision walks a principal's groups: their number is bounded.
    fn closure_bound(&mut self, all: &[(&'d Place, &'d document::Group)]) {
        // First an upper bound, shared parents counted twice; then, for the few above it,
        // the number itself.
        let mut counts = vec![0_usize; self.principals.len()];
        for group in &self.groups {
            for principal in &group.principals {
                let count = usize::try_from(*principal).map_or(None, |p| counts.get_mut(p));
                count
                    .into_iter()
                    .for_each(|c| *c = c.saturating_add(group.closure.len()));
            }
        }
        for (principal, count) in (0_u32..).zip(counts) {
            if count <= limits::GROUPS_PER_PRINCIPAL_MAX {
                continue;
            }
            let of = |group: &&Group| group.principals.binary_search(&principal).is_ok();
            let exact: HashSet<u32> = self
                .groups
                .iter()
                .filter(of)
                .flat_map(|g| g.closure.iter().copied())
                .collect();
            if exact.len() > limits::GROUPS_PER_PRINCIPAL_MAX {
                let first = self.groups.iter().zip(all).find(|(group, _)| of(group));
                let (place, path) = match first {
                    Some((_, (place, group))) => {
                        ((*place).clone(), format!("group[{}].members", group.name))
                    }
                    None => (Place::default(), "group.members".to_owned()),
                };
                let allowed = format!("at most {} groups", limits::GROUPS_PER_PRINCIPAL_MAX);
                let found = format!("a member of {} groups, nested ones counted", exact.len());
                self.issue(&place, path, Code::OutOfBounds, found, &allowed);
            }
        }
    }
}

enum Fault {
    Cycle,
    Depth,
}

struct Nesting {
    parents: Vec<Vec<u32>>,
    /// Finished closures and how deep they go.
    done: Vec<Option<(Vec<u32>, usize)>>,
}

impl Nesting {
    fn closure(&mut self, ix: u32, trail: &mut Vec<u32>) -> Result<Vec<u32>, Fault> {
        let slot = usize::try_from(ix).unwrap_or(usize::MAX);
        if let Some(Some((closure, _))) = self.done.get(slot) {
            return Ok(closure.clone());
        }
        if trail.contains(&ix) {
            return Err(Fault::Cycle);
        }
        if trail.len() >= limits::GROUP_DEPTH_MAX {
            return Err(self.deeper(ix, trail));
        }
        trail.push(ix);
        let (mut closure, mut depth) = (vec![ix], 1);
        for parent in self.parents.get(slot).cloned().unwrap_or_default() {
            closure.extend(self.closure(parent, trail)?);
            let above = usize::try_from(parent).map_or(None, |p| self.done.get(p));
            depth = depth.max(above.and_then(Option::as_ref).map_or(0, |(_, d)| *d) + 1);
        }
        trail.pop();
        if depth > limits::GROUP_DEPTH_MAX {
            return Err(Fault::Depth);
        }
        closure.sort_unstable();
        closure.dedup();
        if let Some(done) = self.done.get_mut(slot) {
            *done = Some((closure.clone(), depth));
        }
        Ok(closure)
    }

    /// Beyond the depth: say cycle if it is one, so that the message helps.
    fn deeper(&self, from: u32, trail: &[u32]) -> Fault {
        let (mut seen, mut next) = (HashSet::new(), vec![from]);
        while let Some(ix) = next.pop() {
            if trail.contains(&ix) {
                return Fault::Cycle;
            }
            if seen.insert(ix) {
                let parents = usize::try_from(ix).map_or(None, |i| self.parents.get(i));
                next.extend(parents.into_iter().flatten());
            }
        }
        Fault::Depth
    }
}
