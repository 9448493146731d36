//! Users and service accounts: identities, e-mails, seats, teams (SPEC 1.5, 2.5, 5).

use std::collections::{HashMap, HashSet};

use super::{Check, Identity, next_ix};
use crate::graph::at;
use crate::graph::document::{Entity, Place, ServiceAccount, User};
use crate::graph::issue::Code;
use crate::graph::plan::Principal;
use crate::limits;
use crate::model::node::NodeKind;
use crate::model::principal::Authentication;
use crate::model::{email, name};

impl<'d> Check<'d> {
    /// Users. They come after the accounts that `tree` has met; the order of principals is
    /// of no meaning.
    pub(super) fn users(&mut self) {
        let (mut names, mut usernames) = (HashSet::new(), HashSet::new());
        let all = self.of(|e| {
            if let Entity::User(u) = e {
                Some(u)
            } else {
                None
            }
        });
        for (place, user) in all {
            let path = format!("user[{}]", user.name);
            let form = self.name_of(place, &path, &user.name, "users");
            if form.is_some_and(|parent| !parent.is_empty()) {
                let found = format!("`{}`", user.name);
                self.issue(
                    place,
                    format!("{path}.name"),
                    Code::InvalidName,
                    found,
                    "users/{id}",
                );
            }
            if !names.insert(user.name.as_str()) {
                let found = format!("`{}`", user.name);
                self.issue(
                    place,
                    format!("{path}.name"),
                    Code::DuplicateName,
                    found,
                    "one entity a user",
                );
            }
            let taken = !user.username.is_empty() && !usernames.insert(user.username.as_str());
            if taken || user.username.contains('@') {
                let at = format!("{path}.username");
                let found = format!("`{}`", user.username);
                let code = if taken {
                    Code::DuplicateName
                } else {
                    Code::InvalidValue
                };
                self.issue(
                    place,
                    at,
                    code,
                    found,
                    "a user name of its own, without `@`",
                );
            }
            self.text(place, &path, "username", &user.username);
            let ix = next_ix(&self.principals);
            self.uid(place, &path, &user.uid, Identity::User(ix));
            self.email(place, &path, &user.email, Identity::User(ix), true);
            self.seats(place, &path, user);
            self.principals.push(Principal::User(user));
        }
    }

    fn seats(&mut self, place: &Place, path: &str, user: &'d User) {
        let mut seen = HashSet::new();
        self.bound(
            place,
            format!("{path}.seats"),
            user.seats.len(),
            limits::SEATS_MAX,
        );
        for (ix, seat) in user.seats.iter().enumerate() {
            let organization = seat.organization.as_str();
            let at = format!("{path}.seats[{ix}].organization");
            let found = format!("`{organization}`");
            if self.node_of(organization, NodeKind::Organization).is_none() {
                self.issue(
                    place,
                    at,
                    Code::UnknownReference,
                    found,
                    "an organization of this input",
                );
            } else if !seen.insert(organization) {
                self.issue(
                    place,
                    at,
                    Code::DuplicateName,
                    found,
                    "one seat an organization",
                );
            }
        }
    }

    /// Takes an e-mail for an identity (SPEC 1.5: unique among the living).
    pub(super) fn email(
        &mut self,
        place: &Place,
        path: &str,
        address: &str,
        identity: Identity,
        lives: bool,
    ) {
        let at = format!("{path}.email");
        if !email::is_well_formed(address) {
            let code = if address.is_empty() {
                Code::Missing
            } else {
                Code::InvalidValue
            };
            self.issue(
                place,
                at,
                code,
                format!("`{address}`"),
                "an e-mail address in ASCII",
            );
            return;
        }
        let lower = address.to_ascii_lowercase();
        match identity {
            Identity::Account(ix) if !lives => self.deleted.entry(lower).or_default().push(ix),
            _ => {
                if self.living.insert(lower, identity).is_some() {
                    let found = format!("`{address}` is the address of another living identity");
                    self.issue(
                        place,
                        at,
                        Code::DuplicateEmail,
                        found,
                        "an address of its own",
                    );
                }
            }
        }
    }

    /// The node of this name, if it is of this kind.
    pub(super) fn node_of(&self, name: &str, kind: NodeKind) -> Option<u32> {
        let ix = self.by_name.get(name).copied()?;
        at(&self.nodes, ix)
            .is_some_and(|node| node.kind == kind)
            .then_some(ix)
    }

    /// The principal of an account whose node `tree` has just made.
    pub(super) fn account_principal(
        &mut self,
        place: &'d Place,
        path: &str,
        entity: &'d ServiceAccount,
        node: u32,
    ) {
        let ix = next_ix(&self.principals);
        self.uid(place, path, &entity.uid, Identity::Account(ix));
        self.email(
            place,
            path,
            &entity.email,
            Identity::Account(ix),
            entity.deleted_at.is_none(),
        );
        if entity.has_domain_wide_delegation {
            let at = format!("{path}.domain_wide_delegation");
            let found = "delegation, which this build does not evaluate".to_owned();
            self.issue(place, at, Code::NotEvaluated, found, "none");
        }
        let parent = at(&self.nodes, node)
            .and_then(|n| n.parent)
            .unwrap_or_default();
        if let Some(node) = self.nodes.last_mut() {
            node.principal = Some(ix);
        }
        self.principals.push(Principal::Account {
            entity,
            node,
            parent,
            team: None,
        });
    }

    /// What accounts need from the finished tree: teams, subjects, and not to have moved.
    pub(super) fn accounts(&mut self) {
        let places: HashMap<*const ServiceAccount, &'d Place> = self
            .of(|e| {
                if let Entity::ServiceAccount(a) = e {
                    Some(a)
                } else {
                    None
                }
            })
            .into_iter()
            .map(|(place, account)| (std::ptr::from_ref(account), place))
            .collect();
        let mut subjects = HashSet::new();
        for ix in 0..self.principals.len() {
            let Some(Principal::Account {
                entity,
                node,
                parent,
                ..
            }) = self.principals.get(ix).copied()
            else {
                continue;
            };
            let Some(place) = places.get(&std::ptr::from_ref(entity)) else {
                continue;
            };
            let path = format!("service_account[{}]", entity.name);
            self.federation(place, &path, entity, parent, &mut subjects);
            self.moved(place, &path, entity);
            let team = self.team_of(place, &path, entity, parent);
            if let Some(slot) = self.principals.get_mut(ix) {
                *slot = Principal::Account {
                    entity,
                    node,
                    parent,
                    team,
                };
            }
        }
    }

    /// SPEC 5.1: organization scope needs a default team of its organization.
    fn team_of(
        &mut self,
        place: &Place,
        path: &str,
        entity: &'d ServiceAccount,
        parent: u32,
    ) -> Option<u32> {
        let kind = at(&self.nodes, parent).map(|node| node.kind)?;
        let at = format!("{path}.default_team");
        let team = entity.default_team.as_str();
        let found = format!("`{team}`");
        match (kind, team.is_empty()) {
            (NodeKind::Organization, true) => {
                let found = "an organization-scoped account without a default team".to_owned();
                self.issue(
                    place,
                    at,
                    Code::Missing,
                    found,
                    "a team of its organization",
                );
                None
            }
            (NodeKind::Organization, false) => {
                let known = self.node_of(team, NodeKind::Team);
                if known.is_none() {
                    self.issue(
                        place,
                        at,
                        Code::UnknownReference,
                        found,
                        "a team of its organization",
                    );
                } else if name::organization(team) != name::organization(&entity.name) {
                    self.issue(
                        place,
                        at,
                        Code::ForeignUnit,
                        found,
                        "a team of its own organization",
                    );
                }
                known
            }
            (NodeKind::Team, true) => Some(parent),
            (_, true) => None,
            (_, false) => {
                let allowed = "none: only organization-scoped accounts have one";
                self.issue(place, at, Code::InvalidValue, found, allowed);
                None
            }
        }
    }

    /// SPEC 5.1, 9.4: federated accounts are team-scoped; subjects are unique.
    fn federation(
        &mut self,
        place: &Place,
        path: &str,
        entity: &'d ServiceAccount,
        parent: u32,
        subjects: &mut HashSet<(Option<&'d str>, &'d str)>,
    ) {
        let team = at(&self.nodes, parent).is_some_and(|node| node.kind == NodeKind::Team);
        if entity.authentication == Authentication::Federated && !team {
            let at = format!("{path}.authentication");
            let found = "FEDERATED outside a team".to_owned();
            self.issue(
                place,
                at,
                Code::InvalidValue,
                found,
                "FEDERATED below a team, or BUILT_IN",
            );
        }
        let subject = entity.federated_subject.as_str();
        let lives = entity.deleted_at.is_none();
        let unit = name::organization(&entity.name);
        if lives && !subject.is_empty() && !subjects.insert((unit, subject)) {
            let at = format!("{path}.federated_subject");
            let found = format!("`{subject}` is another account's");
            self.issue(
                place,
                at,
                Code::DuplicateName,
                found,
                "a subject of its own in the organization",
            );
        }
    }

    /// SPEC 1.5: accounts never move.
    fn moved(&mut self, place: &Place, path: &str, entity: &'d ServiceAccount) {
        let before = self
            .previous
            .and_then(|snapshot| snapshot.account_name_of_uid(&entity.uid));
        let Some(before) = before else { return };
        let parent = |name: &str| name::split_last(name).map(|(parent, _, _)| parent.to_owned());
        if parent(&before) != parent(&entity.name) {
            let found = format!("uid `{}` was `{before}`", entity.uid);
            let allowed = "the same parent: make a new account with a new uid instead";
            self.issue(place, format!("{path}.name"), Code::Moved, found, allowed);
        }
    }
}
