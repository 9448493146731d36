//! From a GitHub organization to entities.
//!
//! | source | snapshot |
//! |---|---|
//! | organization | organization; four roles of its own for what built-in roles do not fit |
//! | team, and `teams:` below it | team below team; and a group of its people, bots and the groups of the teams below it, because on GitHub a team has its parent's access |
//! | repository | project directly below the organization: several teams reach one repository, so none can be its parent; visibility `TEAM` unless `private: false` is said |
//! | `read`, `triage`, `write`, `maintain` of a team on a repository | the organization's `repositoryRead`, ... bound to the team's group on the project |
//! | `admin` | `roles/owner`, likewise |
//! | base permission | the same role, bound on the organization to everyone in it |
//! | owner, member | `roles/org.admin`, `roles/org.member` on the organization |
//! | team member | `roles/team.viewer` on the team; no role that creates things comes from being listed |
//! | team maintainer | the organization's `teamMaintainer`: as a viewer, and may change who is in |
//! | bot (a given list) | service account of each organization that lists it |
//!
//! What does not fit is in the report.

mod organization;
mod roles;

use std::collections::{BTreeMap, BTreeSet};

use crate::graph::document::{Document, Entity, Located, Place, User};
use crate::graph::issue::Issues;
use crate::import::convert::organization::Unit;
use crate::import::report::{Kind, Report};
use crate::import::source::{Login, Organization};

/// Logins of the Kubernetes project that are programs; found by reading its teams named
/// `bots` and its automation. A list, because a name does not tell (`ndipebot` is a person).
pub const BOTS_DEFAULT: [&str; 7] = [
    "k8s-ci-robot",
    "k8s-github-robot",
    "k8s-infra-cherrypick-robot",
    "k8s-infra-ci-robot",
    "k8s-publishing-bot",
    "k8s-release-robot",
    "thelinuxfoundation",
];

/// Converts organizations, in the order given; the same input gives the same output.
///
/// # Errors
/// Every name that cannot be one here, and every name that two things would share.
pub fn convert(
    source: &[Organization],
    bots: &BTreeSet<String>,
    report: &mut Report,
) -> Result<Document, Issues> {
    let bots: BTreeSet<String> = bots.iter().map(|bot| bot.to_ascii_lowercase()).collect();
    let mut people = People::default();
    let mut issues = Issues::default();
    let mut below = Vec::new();
    for organization in source {
        let unit = Unit::new(organization, &bots, &mut people, report, &mut issues);
        below.append(&mut unit.entities());
    }
    let mut entities = people.entities(report);
    entities.append(&mut below);
    issues.or(Document {
        revision: None,
        entities,
    })
}

/// Users, over all organizations, by the login as GitHub compares it.
#[derive(Debug, Default)]
struct People(BTreeMap<String, Person>);

#[derive(Debug)]
struct Person {
    /// The first spelling: the user name.
    spelling: String,
    others: BTreeSet<String>,
    place: Place,
}

impl People {
    /// Notes a person; the member that policies and groups name.
    fn member(&mut self, login: &Login) -> String {
        let id = login.id();
        let member = format!("user:{}", email(&id));
        let person = self.0.entry(id).or_insert_with(|| Person {
            spelling: login.text.clone(),
            others: BTreeSet::new(),
            place: login.place.clone(),
        });
        if person.spelling != login.text {
            person.others.insert(login.text.clone());
        }
        member
    }

    fn entities(self, report: &mut Report) -> Vec<Located> {
        self.0
            .into_iter()
            .map(|(id, person)| person.entity(&id, report))
            .collect()
    }
}

impl Person {
    fn entity(self, id: &str, report: &mut Report) -> Located {
        let Self {
            spelling,
            others,
            place,
        } = self;
        report.push(Kind::EmailInvented, &place, email(id));
        if !others.is_empty() {
            let others: Vec<&str> = others.iter().map(String::as_str).collect();
            let what = format!(
                "`{spelling}` is kept, also written `{}`",
                others.join("`, `")
            );
            report.push(Kind::LoginSpelling, &place, what);
        }
        let entity = Entity::User(User {
            name: format!("users/{id}"),
            uid: format!("github:user:{id}"),
            email: email(id),
            username: spelling,
            disabled: false,
            seats: Vec::new(),
        });
        Located { place, entity }
    }
}

/// The source has no addresses. `.invalid` never resolves (RFC 2606).
fn email(id: &str) -> String {
    format!("{id}@users.github.invalid")
}
