//! What if: a snapshot with a few things changed, for explanations (`docs/adr/0004`).
//!
//! The tables are copied on write, so an edited snapshot shares all but a few pages. It
//! answers one question only: grants, rules and organization policies are cut down to what
//! the question reads, its [`Scope`]. Nothing serves it.

mod rules;

use std::collections::BTreeMap;

use crate::graph::constraints::{Policies, Policy, Rule};
use crate::graph::document::AnyOr;
use crate::graph::rows::{Grant, Grants, Holders, NONE, PrincipalDetail, PrincipalRow};
use crate::graph::snapshot::{Snapshot, Tables};
use crate::graph::sources::{BindingRow, GROUPS};
use crate::limits::GRANTS_WALKED_MAX;
use crate::model::constraint::{Constraint, Form};
use crate::model::node::Visibility;
use crate::model::permission::Product;
use crate::model::principal::{PrincipalIx, SeatLevel};

/// Whom a binding names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Entry {
    /// A row of `principals`.
    Principal(u32),
    /// A row of `holders`.
    Holder(u32),
}

/// A switch of an organization or team.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "the switches of SPEC 2.1")]
pub enum Setting {
    EnforceOrgScopedKeys,
    DisableKeyCreation,
    DisableTeamServiceAccountCreation,
    PrivateProjectsOnly,
}

/// One change.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(missing_docs, reason = "the fields are indices of the snapshot")]
pub enum Edit {
    /// Bind a role for a principal on a node.
    Bind {
        node: u32,
        role: usize,
        principal: u32,
    },
    /// Take an entry out of a binding of a node.
    Unbind {
        node: u32,
        binding: usize,
        entry: Entry,
    },
    /// Put a principal into a group, a row of `holders`.
    Join { group: u32, principal: u32 },
    /// Take a principal out of a group, a row of `holders`.
    Leave { group: u32, principal: u32 },
    /// Except a principal from a deny rule of a node.
    Except {
        node: u32,
        rule: usize,
        principal: u32,
    },
    /// Put a resource into an access boundary.
    Enclose { boundary: u32, resource: String },
    /// Lift a constraint at a node; a list may be lifted for one value only.
    Lift {
        node: u32,
        constraint: Constraint,
        value: Option<String>,
    },
    /// Turn a setting of a node off.
    TurnOff { node: u32, setting: Setting },
    /// Set the quota of a project's node.
    Quota { node: u32, quota: u32 },
    /// Enable a principal.
    Enable { principal: u32 },
    /// Use a service in a project's node.
    UseService { node: u32, service: String },
    /// Give a user a full seat in an organization's node.
    Seat {
        principal: u32,
        node: u32,
        product: Product,
    },
    /// Set the visibility of a project's node.
    Show { node: u32, visibility: Visibility },
}

/// What one question reads.
#[derive(Debug, Clone, Default)]
pub struct Scope {
    /// Nodes: those asked about and their ancestors.
    pub nodes: Vec<u32>,
    /// Principals: who asks, and delegates.
    pub principals: Vec<u32>,
    /// Who asks is known, or nobody: nothing is read of what a request may assert.
    pub known: bool,
}

impl Setting {
    /// Its name in the schema.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::EnforceOrgScopedKeys => "enforce_org_scoped_keys",
            Self::DisableKeyCreation => "disable_key_creation",
            Self::DisableTeamServiceAccountCreation => "disable_team_service_account_creation",
            Self::PrivateProjectsOnly => "private_projects_only",
        }
    }
}

impl Snapshot {
    /// Whether another principal, a deleted one, has the same e-mail (SPEC 1.5).
    #[must_use]
    pub fn shares_email(&self, principal: PrincipalIx) -> bool {
        let Some(row) = self.principal(principal) else {
            return false;
        };
        let email = row.email.as_bytes();
        let other = |ix: u32| {
            ix != principal.0
                && self
                    .principal(PrincipalIx(ix))
                    .is_some_and(|row| row.email.as_bytes() == email)
        };
        let hash = self.tables.hash.hash_one(email);
        self.tables.emails.find(hash, other).is_some()
    }

    /// The snapshot with some things changed, good for questions within the scope; `None`: an
    /// edit does not apply, or what remains cannot be said exactly.
    #[must_use]
    pub fn edited(&self, edits: &[Edit], scope: &Scope) -> Option<Self> {
        let mut tables = self.tables.clone();
        let mut editor = Editor {
            snapshot: self,
            scope,
            edits,
            tables: &mut tables,
        };
        editor.unbind()?;
        for edit in edits {
            editor.apply(edit)?;
        }
        editor.rules()?;
        Some(Self::new(tables))
    }
}

struct Editor<'e> {
    snapshot: &'e Snapshot,
    scope: &'e Scope,
    edits: &'e [Edit],
    tables: &'e mut Tables,
}

impl Editor<'_> {
    fn apply(&mut self, edit: &Edit) -> Option<()> {
        match edit {
            Edit::Bind {
                node,
                role,
                principal,
            } => self.bind(*node, *role, *principal),
            Edit::Join { group, principal } => self.principal(*principal, |snapshot, row| {
                let mut list = row.holders.as_slice().to_vec();
                list.extend(closure(snapshot, &[*group]));
                row.holders = holders(list);
                Some(())
            }),
            Edit::Leave { group, principal } => self.leave(*group, *principal),
            Edit::Lift {
                node,
                constraint,
                value,
            } => self.lift(*node, *constraint, value.as_deref()),
            Edit::TurnOff { node, setting } => {
                let mut row = self.tables.nodes.get(*node)?.clone();
                let place = match setting {
                    Setting::EnforceOrgScopedKeys => &mut row.settings.enforce_org_scoped_keys,
                    Setting::DisableKeyCreation => &mut row.settings.disable_key_creation,
                    Setting::DisableTeamServiceAccountCreation => {
                        &mut row.settings.disable_team_service_account_creation
                    }
                    Setting::PrivateProjectsOnly => &mut row.settings.private_projects_only,
                };
                *place = false;
                self.tables.nodes.set(*node, row).then_some(())
            }
            Edit::Quota { node, quota } => self.project(*node, |_, row| {
                row.quota = *quota;
                Some(())
            }),
            Edit::Enable { principal } => self.principal(*principal, |_, row| {
                row.disabled = false;
                (!row.deleted).then_some(())
            }),
            Edit::UseService { node, service } => self.project(*node, |snapshot, row| {
                let mut set = row.services.as_deref()?.clone();
                let of = |name: &str| name.split('.').next() == Some(service.as_str());
                set.union(&snapshot.permissions().set(|row| of(&row.name)));
                row.services = Some(std::sync::Arc::new(set));
                Some(())
            }),
            Edit::Seat {
                principal,
                node,
                product,
            } => self.seat(*principal, *node, *product),
            Edit::Show { node, visibility } => {
                let mut row = self.tables.nodes.get(*node)?.clone();
                row.visibility = *visibility;
                self.tables.nodes.set(*node, row).then_some(())
            }
            // Done with all others of their sort.
            Edit::Unbind { .. } | Edit::Except { .. } | Edit::Enclose { .. } => Some(()),
        }
    }

    fn principal(
        &mut self,
        ix: u32,
        edit: impl FnOnce(&Snapshot, &mut PrincipalRow) -> Option<()>,
    ) -> Option<()> {
        let mut row = self.tables.principals.get(ix)?.clone();
        edit(self.snapshot, &mut row)?;
        self.tables.principals.set(ix, row).then_some(())
    }

    fn project(
        &mut self,
        node: u32,
        edit: impl FnOnce(&Snapshot, &mut crate::graph::rows::ProjectRow) -> Option<()>,
    ) -> Option<()> {
        let ix = self.snapshot.node(node)?.detail;
        let mut row = self.tables.projects.get(ix)?.clone();
        edit(self.snapshot, &mut row)?;
        self.tables.projects.set(ix, row).then_some(())
    }

    /// One grant more. Two of one node count like one of both roles.
    fn bind(&mut self, node: u32, role: usize, principal: u32) -> Option<()> {
        let set = *self.snapshot.sources().role_sets.get(role)?;
        let grant = Grant::new(node, self.snapshot.node(node)?.level, set);
        let nodes = &self.scope.nodes;
        self.principal(principal, |_, row| {
            let mut list = within(row.grants.as_slice(), nodes);
            list.push(grant);
            row.grants = grants(list)?;
            Some(())
        })
    }

    fn leave(&mut self, group: u32, principal: u32) -> Option<()> {
        let sources = self.snapshot.sources();
        let rows = (GROUPS..).zip(&sources.groups);
        let listing: Vec<u32> = rows
            .filter(|(row, list)| {
                let left = *row == group
                    || self.edits.contains(&Edit::Leave {
                        group: *row,
                        principal,
                    });
                !left && list.principals.binary_search(&principal).is_ok()
            })
            .map(|(row, _)| row)
            .collect();
        self.principal(principal, |snapshot, row| {
            let all = row.holders.as_slice().iter().copied();
            let mut list: Vec<u32> = all
                .filter(|row| snapshot.sources().group(*row).is_none())
                .collect();
            list.extend(closure(snapshot, &listing));
            row.holders = holders(list);
            Some(())
        })
    }

    /// What the entries of all `Unbind` keep.
    fn unbind(&mut self) -> Option<()> {
        let mut gone: BTreeMap<(Entry, u32), Vec<usize>> = BTreeMap::new();
        for edit in self.edits {
            if let Edit::Unbind {
                node,
                binding,
                entry,
            } = edit
            {
                gone.entry((*entry, *node)).or_default().push(*binding);
            }
        }
        for ((entry, node), bindings) in gone {
            let level = self.snapshot.node(node)?.level;
            let kept = self.kept(node, entry, &bindings, false);
            let kept = kept.map(|binding| Grant::new(node, level, binding.set));
            let kept: Vec<Grant> = kept.collect();
            let nodes = &self.scope.nodes;
            let rest = |old: &Grants| {
                let mut list = within(old.as_slice(), nodes);
                list.retain(|grant| grant.node != node);
                list.extend(kept);
                grants(list)
            };
            match entry {
                Entry::Principal(ix) => self.principal(ix, |_, row| {
                    row.grants = rest(&row.grants)?;
                    Some(())
                })?,
                Entry::Holder(ix) => {
                    let list = rest(self.tables.holders.get(ix)?)?;
                    self.tables.holders.set(ix, list).then_some(())?;
                }
            }
        }
        Some(())
    }

    /// Bindings of a node that still name an entry.
    fn kept<'k>(
        &'k self,
        node: u32,
        entry: Entry,
        gone: &'k [usize],
        conditional: bool,
    ) -> impl Iterator<Item = &'k BindingRow> {
        let all = self.snapshot.sources().bindings(node).iter().enumerate();
        all.filter(move |(ix, binding)| {
            binding.condition.is_some() == conditional && !gone.contains(ix) && binding.names(entry)
        })
        .map(|(_, binding)| binding)
    }

    fn lift(&mut self, node: u32, constraint: Constraint, value: Option<&str>) -> Option<()> {
        let policies = self.tables.org_policies.of(&self.scope.nodes);
        let mut list: Vec<Policy> = policies.cloned().collect();
        let there = list
            .iter()
            .position(|policy| (policy.node, policy.constraint) == (node, constraint));
        let old = there.map(|at| list.swap_remove(at).rule);
        let rule = match (constraint.form(), value) {
            (Form::Boolean { .. }, None) => Rule::Boolean(false),
            (Form::List { .. }, None) => Rule::Reset,
            (Form::List { .. }, Some(value)) => accepting(old, value),
            (Form::Boolean { .. }, Some(_)) => return None,
        };
        list.push(Policy {
            node,
            constraint,
            rule,
        });
        self.tables.org_policies = std::sync::Arc::new(Policies::new(list));
        Some(())
    }

    fn seat(&mut self, principal: u32, node: u32, product: Product) -> Option<()> {
        let mut identity = self.tables.identities.get(principal)?.clone();
        let PrincipalDetail::User(user) = &mut identity.detail else {
            return None;
        };
        let (_, models, weave) = user.seats.iter_mut().find(|(o, _, _)| *o == node)?;
        match product {
            Product::Models => *models = SeatLevel::Full,
            Product::Weave => *weave = SeatLevel::Full,
            Product::None => return None,
        }
        self.tables
            .identities
            .set(principal, identity)
            .then_some(())
    }
}

/// A list that accepts `value`, on top of what it says or of what holds above. The one list
/// that is lifted for a value allows nothing by default: an absent list is an empty one.
fn accepting(old: Option<Rule>, value: &str) -> Rule {
    let (mut allow, mut deny, inherits) = match old {
        Some(Rule::List {
            allow,
            deny,
            inherits,
        }) => (
            allow.unwrap_or_else(|| AnyOr::List(Vec::new())),
            deny,
            inherits,
        ),
        Some(Rule::Reset | Rule::Boolean(_)) => {
            (AnyOr::List(Vec::new()), AnyOr::List(Vec::new()), false)
        }
        None => (AnyOr::List(Vec::new()), AnyOr::List(Vec::new()), true),
    };
    if let AnyOr::List(values) = &mut allow {
        values.push(value.to_owned());
    }
    if let AnyOr::List(values) = &mut deny {
        values.retain(|denied| denied != value);
    }
    Rule::List {
        allow: Some(allow),
        deny,
        inherits,
    }
}

/// Grants on some nodes.
fn within(grants: &[Grant], nodes: &[u32]) -> Vec<Grant> {
    let inside = grants.iter().filter(|grant| nodes.contains(&grant.node));
    inside.copied().collect()
}

/// A list that the decision walks: two grants of one node are both read.
fn grants(mut list: Vec<Grant>) -> Option<Grants> {
    list.sort_unstable_by_key(|grant| (grant.level(), grant.node));
    (list.len() <= GRANTS_WALKED_MAX).then(|| Grants::new(&list, Grant::new(NONE, 0, 0)))
}

fn holders(mut list: Vec<u32>) -> Holders {
    list.sort_unstable();
    list.dedup();
    Holders::new(&list, NONE)
}

/// Some groups and every group that they are nested in; rows of `holders`.
fn closure(snapshot: &Snapshot, groups: &[u32]) -> Vec<u32> {
    let mut all = groups.to_vec();
    let mut next = 0;
    while let Some(row) = all.get(next).copied() {
        next += 1;
        let ix = row.saturating_sub(GROUPS);
        for (above, list) in (GROUPS..).zip(&snapshot.sources().groups) {
            if list.groups.binary_search(&ix).is_ok() && !all.contains(&above) {
                all.push(above);
            }
        }
    }
    all
}

impl BindingRow {
    /// Whether it names the entry itself.
    #[must_use]
    pub fn names(&self, entry: Entry) -> bool {
        match entry {
            Entry::Principal(ix) => self.members.principals.binary_search(&ix).is_ok(),
            Entry::Holder(row) => self.members.holders.binary_search(&row).is_ok(),
        }
    }
}

impl From<PrincipalIx> for Entry {
    fn from(principal: PrincipalIx) -> Self {
        Self::Principal(principal.0)
    }
}
