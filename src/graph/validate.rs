//! Checks a whole document and resolves its references: `Document` to `Plan`, or every issue.
//!
//! Each step goes on after an issue, so that all of them are listed (SPEC 2.4); what hangs on
//! something broken is not reported a second time.

mod access;
mod conditions;
mod groups;
mod holders;
mod keys;
mod nodes;
mod org_policies;
mod people;
mod routes;
mod rules;
mod vocabulary;

use std::collections::HashMap;

use crate::condition::{Condition, Site};
use crate::graph::Options;
use crate::graph::document::{Document, Entity, Located, Place};
use crate::graph::issue::{Code, Issue, Issues};
use crate::graph::permissions::Permissions;
use crate::graph::plan::{Group, Names, Node, Plan, PlannedKey, Principal};
use crate::graph::roles::Roles;
use crate::graph::snapshot::Snapshot;
use crate::limits;
use crate::model::name;
use crate::model::revision::Revision;

/// The checks' common state: what earlier steps found, and the issues so far.
struct Check<'d> {
    document: &'d Document,
    previous: Option<&'d Snapshot>,
    options: &'d Options,
    issues: Issues,
    warnings: Vec<Issue>,
    nodes: Vec<Node<'d>>,
    by_name: HashMap<&'d str, u32>,
    principals: Vec<Principal<'d>>,
    uids: HashMap<&'d str, Identity>,
    /// Living holders of e-mails, in lower case.
    living: HashMap<String, Identity>,
    /// Deleted accounts by e-mail in lower case.
    deleted: HashMap<String, Vec<u32>>,
    groups: Vec<Group>,
    keys: Vec<PlannedKey<'d>>,
    names: Names,
    /// Identity pools, and whether they are disabled or deleted.
    pools: HashMap<&'d str, bool>,
    /// Conditions that were compiled already; many bindings share one text.
    conditions: HashMap<(Site, &'d str), Condition>,
}

/// Who has a uid or an e-mail.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Identity {
    User(u32),
    Account(u32),
    Group(u32),
}

/// A checked document and what is allowed but probably not meant.
pub(super) type Validated<'d> = (Plan<'d>, Vec<Issue>);

/// Checks `document` against the rules and against the snapshot that serves.
pub(super) fn validate<'d>(
    document: &'d Document,
    previous: Option<&'d Snapshot>,
    options: &'d Options,
) -> Result<Validated<'d>, Issues> {
    let mut check = Check {
        document,
        previous,
        options,
        issues: Issues::default(),
        warnings: Vec::new(),
        nodes: Vec::new(),
        by_name: HashMap::new(),
        principals: Vec::new(),
        uids: HashMap::new(),
        living: HashMap::new(),
        deleted: HashMap::new(),
        groups: Vec::new(),
        keys: Vec::new(),
        names: Names::default(),
        pools: HashMap::new(),
        conditions: HashMap::new(),
    };
    let revision = check.revision();
    check.size_and_kinds();
    let added = check.added_permissions();
    let permissions = Permissions::new(&added, options.hasher());
    check.tree();
    check.users();
    check.accounts();
    let custom = check.custom_roles(&permissions);
    let roles = Roles::new(&custom, &permissions);
    check.identity_pools();
    check.all_groups();
    check.all_keys(&permissions);
    let access = check.policies(&roles);
    let routes = check.routes(&permissions);
    let org_policies = check.org_policies();
    let denies = check.deny_policies(&permissions);
    let boundaries = check.access_boundaries(&permissions);
    let boundary_bindings = check.boundary_bindings(&boundaries);
    let plan = Plan {
        revision,
        nodes: check.nodes,
        by_name: check.by_name,
        principals: check.principals,
        groups: check.groups,
        keys: check.keys,
        bindings: access.bindings,
        org_policies,
        names: check.names,
        denies: denies.rules,
        boundaries,
        boundary_bindings,
        pools: check.pools,
        custom_roles: count(custom.len()),
        added_permissions: count(added.len()),
        policies: access.policies,
        routes,
        deny_policies: denies.policies,
        permissions,
        roles,
    };
    let warnings = check.warnings;
    check.issues.or((plan, warnings))
}

fn count(len: usize) -> u64 {
    u64::try_from(len).unwrap_or(u64::MAX)
}

/// The index of the next element of a list; lists are bounded far below `u32::MAX`.
fn next_ix<T>(list: &[T]) -> u32 {
    u32::try_from(list.len()).unwrap_or(u32::MAX)
}

impl<'d> Check<'d> {
    fn issue(&mut self, place: &Place, path: String, code: Code, found: String, allowed: &str) {
        let (place, allowed) = (place.clone(), allowed.to_owned());
        self.issues.push(Issue {
            place,
            path,
            code,
            found,
            allowed,
        });
    }

    fn warn(&mut self, place: &Place, path: String, code: Code, found: String, allowed: &str) {
        if self.warnings.len() < limits::ISSUES_MAX {
            let (place, allowed) = (place.clone(), allowed.to_owned());
            self.warnings.push(Issue {
                place,
                path,
                code,
                found,
                allowed,
            });
        }
    }

    /// All entities of the kind that `pick` picks, with their places, in input order.
    fn of<T>(&self, pick: fn(&'d Entity) -> Option<&'d T>) -> Vec<(&'d Place, &'d T)> {
        let picked = |located: &'d Located| pick(&located.entity).map(|e| (&located.place, e));
        self.document.entities.iter().flat_map(picked).collect()
    }

    /// SPEC 12.1: a stated revision must be greater than the serving one.
    fn revision(&mut self) -> Revision {
        let serving = self.previous.map_or(Revision(0), Snapshot::revision);
        let next = Revision(serving.0.saturating_add(1));
        let Some(stated) = self.document.revision else {
            return next;
        };
        if stated <= serving || stated == Revision(0) {
            let found = format!("{stated} while {serving} serves");
            let allowed = format!("{next} or more, or no revision at all");
            self.issue(
                &Place::default(),
                "revision".into(),
                Code::Revision,
                found,
                &allowed,
            );
        }
        stated
    }

    fn size_and_kinds(&mut self) {
        let document = self.document;
        let entities = document.entities.len();
        if entities > limits::ENTITIES_MAX {
            let allowed = format!("at most {}", limits::ENTITIES_MAX);
            let found = format!("{entities} entities");
            self.issue(
                &Place::default(),
                "entities".into(),
                Code::OutOfBounds,
                found,
                &allowed,
            );
        }
        for Located { place, entity } in &document.entities {
            if let Entity::NotEvaluated { kind, name } = entity {
                let path = format!("{kind}[{name}]");
                let found = format!("a {kind}, which this build does not evaluate");
                self.issue(place, path, Code::NotEvaluated, found, "no such entity");
            }
        }
    }

    /// A display name, title or similar.
    fn text(&mut self, place: &Place, path: &str, field: &str, text: &str) {
        if text.len() > limits::TEXT_BYTES_MAX || text.chars().any(char::is_control) {
            let found = format!("{} bytes", text.len());
            let allowed = format!(
                "at most {} bytes, no control characters",
                limits::TEXT_BYTES_MAX
            );
            self.issue(
                place,
                format!("{path}.{field}"),
                Code::OutOfBounds,
                found,
                &allowed,
            );
        }
    }

    fn bound(&mut self, place: &Place, path: String, len: usize, max: usize) -> bool {
        if len > max {
            let (found, allowed) = (format!("{len} entries"), format!("at most {max}"));
            self.issue(place, path, Code::OutOfBounds, found, &allowed);
        }
        len <= max
    }

    /// A resource name of exactly the form `{parent}/{collection}/{id}`; the parent.
    fn name_of(
        &mut self,
        place: &Place,
        path: &str,
        name: &'d str,
        collection: &str,
    ) -> Option<&'d str> {
        let expected = format!(".../{collection}/{{id}}");
        match name::parse(name) {
            Err(fault) => {
                let found = format!("`{name}`: {fault}");
                self.issue(
                    place,
                    format!("{path}.name"),
                    Code::InvalidName,
                    found,
                    &expected,
                );
                None
            }
            Ok(parsed) => match name::split_last(name) {
                Some((parent, found, _)) if found == collection && !parsed.default_team => {
                    Some(parent)
                }
                _ => {
                    let found = format!("`{name}`");
                    self.issue(
                        place,
                        format!("{path}.name"),
                        Code::InvalidName,
                        found,
                        &expected,
                    );
                    None
                }
            },
        }
    }

    /// Takes a uid for an identity (SPEC 1.5).
    fn uid(&mut self, place: &Place, path: &str, uid: &'d str, identity: Identity) {
        if !name::is_id(uid) || uid.len() > limits::UID_BYTES_MAX {
            let code = if uid.is_empty() {
                Code::Missing
            } else {
                Code::InvalidValue
            };
            let allowed = "a uid of 1-128 letters, digits and ._~@:+=-, never used before";
            self.issue(
                place,
                format!("{path}.uid"),
                code,
                format!("`{uid}`"),
                allowed,
            );
        } else if self.uids.insert(uid, identity).is_some() {
            let found = format!("`{uid}` is the uid of another user, group or service account");
            self.issue(
                place,
                format!("{path}.uid"),
                Code::DuplicateUid,
                found,
                "a uid of its own",
            );
        }
    }
}
