//! One organization.

use std::collections::{BTreeMap, BTreeSet};

use crate::graph::document::{
    AccountKind, AllowPolicy, AnyOr, Authentication, Binding, Entity, Group, Located, Place,
    Project, ServiceAccount, Tags, Team, Visibility,
};
use crate::graph::issue::{Code, Issue, Issues};
use crate::import::convert::{People, roles};
use crate::import::report::{Kind, Report};
use crate::import::source::{self, Access, Login};

/// Id of the group of everybody in the organization, and of the team for bots without one.
const EVERYBODY: &str = "organization-members";
const BOTS_TEAM: &str = "bots";

/// An organization while it is converted.
pub(super) struct Unit<'a> {
    source: &'a source::Organization,
    /// `organizations/{login}`.
    name: String,
    bots: &'a BTreeSet<String>,
    people: &'a mut People,
    report: &'a mut Report,
    issues: &'a mut Issues,
    /// Logins of owners and members.
    listed: BTreeSet<String>,
    accounts: BTreeMap<String, Account>,
    projects: BTreeMap<String, Bound>,
    /// Ids of teams, which are unique in an organization on GitHub, nested or not.
    team_ids: BTreeSet<String>,
    teams: Vec<Located>,
    groups: Vec<Located>,
    policies: Vec<Located>,
}

/// A bot that the organization lists.
struct Account {
    login: Login,
    /// Names of the teams that list it.
    teams: BTreeSet<String>,
}

/// A repository and who reaches it.
struct Bound {
    entity: Project,
    place: Place,
    /// Members, by what they get.
    members: BTreeMap<Access, BTreeSet<String>>,
}

impl<'a> Unit<'a> {
    pub(super) fn new(
        source: &'a source::Organization,
        bots: &'a BTreeSet<String>,
        people: &'a mut People,
        report: &'a mut Report,
        issues: &'a mut Issues,
    ) -> Self {
        Self {
            source,
            name: format!("organizations/{}", source.login),
            bots,
            people,
            report,
            issues,
            listed: source
                .admins
                .iter()
                .chain(&source.members)
                .map(Login::id)
                .collect(),
            accounts: BTreeMap::new(),
            projects: BTreeMap::new(),
            team_ids: BTreeSet::new(),
            teams: Vec::new(),
            groups: Vec::new(),
            policies: Vec::new(),
        }
    }

    /// Converts; entities come parents first.
    pub(super) fn entities(mut self) -> Vec<Located> {
        let place = self.source.place.clone();
        self.organization(&place);
        for repository in &self.source.repositories {
            self.described(repository);
        }
        let name = self.name.clone();
        for team in by_id(&self.source.teams) {
            self.team(team, &name);
        }
        let accounts = self.accounts(&place);
        let projects = self.projects();
        let organization = Entity::Organization(crate::graph::document::Organization {
            name: self.name.clone(),
            display_name: self.source.name.clone(),
            ..Default::default()
        });
        let mut entities = vec![Located {
            place: place.clone(),
            entity: organization,
        }];
        entities.extend(
            roles::entities(&self.name)
                .into_iter()
                .map(|entity| Located {
                    place: place.clone(),
                    entity,
                }),
        );
        for mut part in [self.teams, projects, accounts, self.groups, self.policies] {
            entities.append(&mut part);
        }
        entities
    }

    /// Owners, members, and what every member gets.
    fn organization(&mut self, place: &Place) {
        let source = self.source;
        let admins = self.listed_people(&source.admins, "admins", true);
        let members = self.listed_people(&source.members, "members", false);
        let everybody: BTreeSet<String> = admins.union(&members).cloned().collect();
        let group = self.group(EVERYBODY, place, everybody);
        let mut bindings = vec![
            binding("roles/org.admin".to_owned(), admins),
            binding(
                "roles/org.member".to_owned(),
                BTreeSet::from([group.clone()]),
            ),
        ];
        if let Some(base) = source.base {
            // `roles/owner` on the organization would be far more than its repositories
            let given = base.min(Access::Maintain);
            let note = if given == base {
                "bound on the organization"
            } else {
                "as `maintain`"
            };
            let what = format!("{}: `{}` {note}", source.login, base.word());
            if given != base {
                self.report.push(Kind::BasePermission, place, what);
            }
            bindings.push(binding(
                roles::of(&self.name, given),
                BTreeSet::from([group]),
            ));
        }
        self.policy(place, self.name.clone(), bindings);
    }

    fn listed_people(&mut self, list: &[Login], key: &str, owners: bool) -> BTreeSet<String> {
        let mut members = BTreeSet::new();
        for login in list {
            let organization = self.source.login.as_str();
            if self.bots.contains(&login.id()) {
                self.account(login, None);
                if owners {
                    let what = format!("{}: owner of {organization}", login.text);
                    self.report.push(Kind::BotOwner, &login.place, what);
                }
                continue;
            }
            if owners {
                let what = format!("{}: owner of {organization}", login.text);
                self.report.push(Kind::OwnerAccess, &login.place, what);
            }
            if !members.insert(self.people.member(login)) {
                let what = format!("{}: in `{key}` of {organization}", login.text);
                self.report.push(Kind::ListedTwice, &login.place, what);
            }
        }
        members
    }

    /// A team, its group, its policy, and everything below it; the group as a member.
    fn team(&mut self, team: &source::Team, parent: &str) -> String {
        let id = slug(&team.name);
        let name = format!("{parent}/teams/{id}");
        if id != team.name {
            let what = format!("{}: `{}` is `{id}`", self.source.login, team.name);
            self.report.push(Kind::TeamRenamed, &team.place, what);
        }
        if !self.team_ids.insert(id.clone()) {
            self.duplicate(
                &team.place,
                &name,
                "two teams of this organization have this id",
            );
        }
        if id == EVERYBODY {
            self.duplicate(&team.place, &name, "the group of everybody has this id");
        }
        self.teams.push(Located {
            place: team.place.clone(),
            entity: Entity::Team(Team {
                name: name.clone(),
                display_name: one_line(&team.description, &team.name),
                ..Team::default()
            }),
        });
        let maintainers = self.team_people(team, &team.maintainers, &name);
        let mut members = self.team_people(team, &team.members, &name);
        for both in maintainers.intersection(&members) {
            let what = format!("{both}: in `members` and `maintainers` of {name}");
            self.report.push(Kind::ListedTwice, &team.place, what);
        }
        members.extend(maintainers.iter().cloned());
        if !team.children.is_empty() && !members.is_empty() {
            self.report
                .push(Kind::NestedReach, &team.place, name.clone());
        }
        for child in by_id(&team.children) {
            members.insert(self.team(child, &name));
        }
        let group = self.group(&id, &team.place, members);
        self.grants(team, &group);
        let users = maintainers
            .into_iter()
            .filter(|m| m.starts_with("user:"))
            .collect();
        let bindings = vec![
            binding(
                "roles/team.viewer".to_owned(),
                BTreeSet::from([group.clone()]),
            ),
            binding(roles::maintainer(&self.name), users),
        ];
        self.policy(&team.place, name, bindings);
        group
    }

    fn team_people(&mut self, team: &source::Team, list: &[Login], name: &str) -> BTreeSet<String> {
        let mut members = BTreeSet::new();
        for login in list {
            let is_bot = self.bots.contains(&login.id());
            let member = if is_bot {
                self.report.push(
                    Kind::BotTeamRole,
                    &login.place,
                    format!("{}: in {name}", login.text),
                );
                self.account(login, Some(name))
            } else {
                self.people.member(login)
            };
            if !self.listed.contains(&login.id()) {
                let what = format!("{}: in {name}", login.text);
                self.report
                    .push(Kind::OutsideOrganization, &login.place, what);
            }
            if !members.insert(member) {
                let what = format!(
                    "{}: in `{}` of {}",
                    login.text, team.name, self.source.login
                );
                self.report.push(Kind::ListedTwice, &login.place, what);
            }
        }
        members
    }

    fn grants(&mut self, team: &source::Team, group: &str) {
        for source::Grant {
            repository,
            access,
            place,
        } in &team.repositories
        {
            let members = &mut self.project(repository, place).members;
            members.entry(*access).or_default().insert(group.to_owned());
        }
    }

    /// The project of a repository; names compare in lower case on GitHub, the first
    /// spelling is kept.
    fn project(&mut self, repository: &str, place: &Place) -> &mut Bound {
        let name = format!("{}/projects/{repository}", self.name);
        self.projects
            .entry(repository.to_ascii_lowercase())
            .or_insert_with(|| Bound {
                entity: Project {
                    name,
                    display_name: repository.to_owned(),
                    tags: Tags::new(),
                    visibility: Visibility::Team,
                    service_account_quota: None,
                    services: AnyOr::Any,
                },
                place: place.clone(),
                members: BTreeMap::new(),
            })
    }

    /// A repository that `repos:` of the organization describes.
    fn described(&mut self, repository: &source::Repository) {
        let source::Repository {
            name,
            place,
            description,
            private,
        } = repository;
        let project = &mut self.project(name, place).entity;
        project.display_name = one_line(description, name);
        if *private == Some(false) {
            project.visibility = Visibility::Public;
        }
    }

    fn projects(&mut self) -> Vec<Located> {
        let said: BTreeSet<String> = self
            .source
            .repositories
            .iter()
            .filter(|repository| repository.private.is_some())
            .map(|repository| repository.name.to_ascii_lowercase())
            .collect();
        let mut entities = Vec::new();
        for (
            id,
            Bound {
                entity,
                place,
                members,
            },
        ) in std::mem::take(&mut self.projects)
        {
            if !said.contains(&id) {
                self.report
                    .push(Kind::RepositoryVisibility, &place, entity.name.clone());
            }
            let bindings = members
                .into_iter()
                .map(|(access, members)| binding(roles::of(&self.name, access), members))
                .collect();
            self.policy(&place, entity.name.clone(), bindings);
            entities.push(Located {
                place,
                entity: Entity::Project(entity),
            });
        }
        entities
    }

    /// Notes a bot; the member that groups name.
    fn account(&mut self, login: &Login, team: Option<&str>) -> String {
        let id = login.id();
        let member = format!("serviceAccount:{}", self.bot_email(&id));
        let account = self.accounts.entry(id).or_insert_with(|| Account {
            login: login.clone(),
            teams: BTreeSet::new(),
        });
        account.teams.extend(team.map(str::to_owned));
        member
    }

    /// Accounts are an organization's own, so a bot is another account in each.
    fn bot_email(&self, id: &str) -> String {
        format!(
            "{id}@{}.bots.github.invalid",
            self.source.login.to_ascii_lowercase()
        )
    }

    fn accounts(&mut self, place: &Place) -> Vec<Located> {
        let bots_team = format!("{}/teams/{BOTS_TEAM}", self.name);
        let mut entities = Vec::new();
        for (id, Account { login, teams }) in std::mem::take(&mut self.accounts) {
            let first = teams
                .first()
                .filter(|_| !teams.contains(&bots_team))
                .cloned();
            let default_team = first.unwrap_or_else(|| bots_team.clone());
            if default_team == bots_team && self.team_ids.insert(BOTS_TEAM.to_owned()) {
                self.report
                    .push(Kind::TeamInvented, place, bots_team.clone());
                self.teams.push(Located {
                    place: place.clone(),
                    entity: Entity::Team(Team {
                        name: bots_team.clone(),
                        display_name: "Bots".to_owned(),
                        ..Team::default()
                    }),
                });
            }
            let name = format!("{}/serviceAccounts/{id}", self.name);
            self.report.push(Kind::BotScope, &login.place, name.clone());
            entities.push(Located {
                place: login.place.clone(),
                entity: Entity::ServiceAccount(ServiceAccount {
                    name,
                    uid: format!("github:bot:{}:{id}", self.source.login),
                    email: self.bot_email(&id),
                    display_name: login.text,
                    tags: Tags::new(),
                    kind: AccountKind::UserManaged,
                    authentication: Authentication::BuiltIn,
                    federated_subject: String::new(),
                    default_team,
                    disabled: false,
                    deleted_at: None,
                    has_domain_wide_delegation: false,
                }),
            });
        }
        entities
    }

    /// Adds a group; it as a member.
    fn group(&mut self, id: &str, place: &Place, members: BTreeSet<String>) -> String {
        let name = format!("{}/groups/{id}", self.name);
        let organization = self.source.login.to_ascii_lowercase();
        let email = format!("{id}@{organization}.teams.github.invalid");
        let member = format!("group:{email}");
        self.groups.push(Located {
            place: place.clone(),
            entity: Entity::Group(Group {
                name,
                uid: format!("github:team:{}:{id}", self.source.login),
                email,
                members: members.into_iter().collect(),
            }),
        });
        member
    }

    /// Adds a policy, without the bindings that have no member.
    fn policy(&mut self, place: &Place, resource: String, mut bindings: Vec<Binding>) {
        bindings.retain(|binding| !binding.members.is_empty());
        if !bindings.is_empty() {
            let entity = Entity::AllowPolicy(AllowPolicy { resource, bindings });
            self.policies.push(Located {
                place: place.clone(),
                entity,
            });
        }
    }

    fn duplicate(&mut self, place: &Place, name: &str, found: &str) {
        self.issues.push(Issue {
            place: place.clone(),
            path: name.to_owned(),
            code: Code::DuplicateName,
            found: found.to_owned(),
            allowed: "another name of the team in the source".to_owned(),
        });
    }
}

fn binding(role: String, members: BTreeSet<String>) -> Binding {
    Binding {
        role,
        members: members.into_iter().collect(),
        condition: None,
    }
}

fn by_id(teams: &[source::Team]) -> Vec<&source::Team> {
    let mut teams: Vec<&source::Team> = teams.iter().collect();
    teams.sort_by_key(|team| slug(&team.name));
    teams
}

/// GitHub's address form of a team's name: lower case, `-` for what an address cannot hold.
fn slug(name: &str) -> String {
    name.chars()
        .map(|c| match c {
            'A'..='Z' => c.to_ascii_lowercase(),
            'a'..='z' | '0'..='9' | '-' | '_' | '.' => c,
            _ => '-',
        })
        .collect()
}

/// The description, its line breaks made spaces; for want of one, the name.
fn one_line(description: &str, name: &str) -> String {
    let words: Vec<&str> = description.split_whitespace().collect();
    if words.is_empty() {
        name.to_owned()
    } else {
        words.join(" ")
    }
}
