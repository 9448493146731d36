//! One file.

use std::cell::Cell;
use std::collections::BTreeSet;
use std::sync::Arc;

use crate::graph::document::Place;
use crate::graph::issue::{Code, Issue, Issues};
use crate::import::report::{Kind, Report};
use crate::import::source::{Access, Grant, Login, Organization, Repository, Team};
use crate::import::tree::{Node, Seed, Value};
use crate::wire::feed;

/// Reads a file and notes what is wrong and what has no counterpart.
pub(super) struct Reader<'a> {
    file: Arc<str>,
    report: &'a mut Report,
    issues: &'a mut Issues,
}

/// A key of an object, where it stands, and its value.
#[derive(Debug, Clone, Copy)]
struct Entry<'n> {
    key: &'n str,
    line: u32,
    node: &'n Node,
}

impl<'a> Reader<'a> {
    pub(super) fn new(path: &str, report: &'a mut Report, issues: &'a mut Issues) -> Self {
        Self {
            file: path.into(),
            report,
            issues,
        }
    }

    /// `ORG/org.yaml`.
    pub(super) fn organization(&mut self, login: &str, text: &str) -> Organization {
        let place = self.place(1);
        let mut organization = Organization {
            login: login.to_owned(),
            place,
            ..Organization::default()
        };
        let root = self.tree(text);
        for Entry { key, line, node } in self.entries(&root, login) {
            let path = format!("{login}.{key}");
            match key {
                "name" => organization.name = self.text(node, &path),
                "admins" => organization.admins = self.logins(node, &path),
                "members" => organization.members = self.logins(node, &path),
                "teams" => organization.teams = self.teams(node, &path),
                "repos" => organization.repositories = self.repositories(node, &path),
                "default_repository_permission" => organization.base = self.base(node, &path),
                "billing_email" => self.dropped(Kind::BillingEmail, node, &path),
                "description" | "company" | "email" | "location" => {
                    self.dropped(Kind::OrganizationProfile, node, &path);
                }
                "has_organization_projects" | "has_repository_projects" => {
                    self.dropped(Kind::ProjectBoards, node, &path);
                }
                "members_can_create_repositories" => {
                    self.dropped(Kind::RepositoryCreation, node, &path);
                }
                _ => self.unknown_key(line, &path, "a key of an organization in peribolos"),
            }
        }
        organization
    }

    /// `ORG/.../teams.yaml`.
    pub(super) fn teams_file(&mut self, login: &str, text: &str) -> Vec<Team> {
        let mut teams = Vec::new();
        let root = self.tree(text);
        for Entry { key, line, node } in self.entries(&root, login) {
            let path = format!("{login}.{key}");
            match key {
                "teams" => teams = self.teams(node, &path),
                _ => self.unknown_key(line, &path, "`teams`"),
            }
        }
        teams
    }

    /// `restrictions.yaml`: which repositories a file may name. It says nothing of access.
    pub(super) fn restrictions(&mut self, text: &str) {
        let root = self.tree(text);
        for Entry { key, line, node } in self.entries(&root, "restrictions") {
            if key != "restrictions" {
                self.unknown_key(line, key, "`restrictions`");
                continue;
            }
            for rule in self.list(node, key) {
                for Entry { key, line, node } in self.entries(rule, "restrictions") {
                    match key {
                        "path" => self.dropped(Kind::Restriction, node, "restrictions.path"),
                        "allowedRepos" => {
                            for pattern in self.list(node, "restrictions.allowedRepos") {
                                self.text(pattern, "restrictions.allowedRepos");
                            }
                        }
                        _ => self.unknown_key(line, key, "`path` or `allowedRepos`"),
                    }
                }
            }
        }
    }

    fn teams(&mut self, node: &Node, path: &str) -> Vec<Team> {
        self.entries(node, path)
            .into_iter()
            .map(|entry| self.team(entry, &format!("{path}.{}", entry.key)))
            .collect()
    }

    fn team(&mut self, entry: Entry<'_>, path: &str) -> Team {
        let place = self.place(entry.line);
        let mut team = Team {
            name: entry.key.to_owned(),
            place,
            ..Team::default()
        };
        for Entry { key, line, node } in self.entries(entry.node, path) {
            let path = format!("{path}.{key}");
            match key {
                "description" => team.description = self.text(node, &path),
                "maintainers" => team.maintainers = self.logins(node, &path),
                "members" => team.members = self.logins(node, &path),
                "repos" => team.repositories = self.grants(node, &path),
                "teams" => team.children = self.teams(node, &path),
                "privacy" => self.dropped(Kind::TeamPrivacy, node, &path),
                "previously" => {
                    for name in self.list(node, &path) {
                        self.dropped(Kind::PreviousName, name, &path);
                    }
                }
                _ => self.unknown_key(line, &path, "a key of a team in peribolos"),
            }
        }
        team
    }

    fn grants(&mut self, node: &Node, path: &str) -> Vec<Grant> {
        let mut grants = Vec::new();
        for Entry {
            key: repository,
            node,
            ..
        } in self.entries(node, path)
        {
            let path = format!("{path}.{repository}");
            let word = self.text(node, &path);
            match Access::parse(&word) {
                Some(access) => grants.push(Grant {
                    repository: repository.to_owned(),
                    access,
                    place: self.place(node.line),
                }),
                None => self.wrong_access(node, &path, &word),
            }
        }
        grants
    }

    fn base(&mut self, node: &Node, path: &str) -> Option<Access> {
        let word = self.text(node, path);
        let access = Access::parse(&word)
            .filter(|access| !matches!(access, Access::Triage | Access::Maintain));
        if access.is_none() && word != "none" {
            self.wrong_access(node, path, &word);
        }
        access
    }

    fn wrong_access(&mut self, node: &Node, path: &str, word: &str) {
        let allowed = "`read`, `triage`, `write`, `maintain` or `admin`; for all members \
                       `none`, `read`, `write` or `admin`";
        self.issue(
            node.line,
            path,
            Code::InvalidValue,
            &format!("`{word}`"),
            allowed,
        );
    }

    fn repositories(&mut self, node: &Node, path: &str) -> Vec<Repository> {
        let mut repositories = Vec::new();
        for Entry {
            key: name,
            line,
            node,
        } in self.entries(node, path)
        {
            let path = format!("{path}.{name}");
            let place = self.place(line);
            let mut repository = Repository {
                name: name.to_owned(),
                place,
                description: String::new(),
                private: None,
            };
            for Entry { key, line, node } in self.entries(node, &path) {
                let path = format!("{path}.{key}");
                match key {
                    "description" => repository.description = self.text(node, &path),
                    "private" => repository.private = self.truth(node, &path),
                    "previously" => {
                        for name in self.list(node, &path) {
                            self.dropped(Kind::PreviousName, name, &path);
                        }
                    }
                    "homepage"
                    | "has_issues"
                    | "has_projects"
                    | "has_wiki"
                    | "archived"
                    | "default_branch"
                    | "allow_squash_merge"
                    | "allow_merge_commit"
                    | "allow_rebase_merge"
                    | "squash_merge_commit_title"
                    | "squash_merge_commit_message" => {
                        self.dropped(Kind::RepositorySetting, node, &path);
                    }
                    _ => self.unknown_key(line, &path, "a key of a repository in peribolos"),
                }
            }
            repositories.push(repository);
        }
        repositories
    }

    // === values ===

    fn tree(&mut self, text: &str) -> Node {
        let line = Cell::new(1);
        match feed::yaml_value(text, &line, Seed(&line)) {
            Ok(Some(node)) => node,
            Ok(None) => Node {
                line: 1,
                value: Value::Null,
            },
            Err((code, found)) => {
                self.issue(line.get(), "file", code, &found, "YAML");
                Node {
                    line: 1,
                    value: Value::Null,
                }
            }
        }
    }

    /// The entries of an object; nothing where nothing stands.
    fn entries<'n>(&mut self, node: &'n Node, path: &str) -> Vec<Entry<'n>> {
        let entries = match &node.value {
            Value::Null => return Vec::new(),
            Value::Map(entries) => entries,
            other => {
                self.issue(node.line, path, Code::WrongType, other.word(), "an object");
                return Vec::new();
            }
        };
        let mut seen = BTreeSet::new();
        let mut found = Vec::new();
        for (key, node) in entries {
            let Value::Text(name) = &key.value else {
                self.issue(
                    key.line,
                    path,
                    Code::WrongType,
                    key.value.word(),
                    "a key in quotes",
                );
                continue;
            };
            if !seen.insert(name) {
                let found = format!("`{name}` twice");
                self.issue(
                    key.line,
                    path,
                    Code::DuplicateField,
                    &found,
                    "each key once",
                );
            }
            found.push(Entry {
                key: name,
                line: key.line,
                node,
            });
        }
        found
    }

    fn list<'n>(&mut self, node: &'n Node, path: &str) -> &'n [Node] {
        match &node.value {
            Value::List(nodes) => nodes,
            Value::Null => &[],
            other => {
                self.issue(node.line, path, Code::WrongType, other.word(), "a list");
                &[]
            }
        }
    }

    fn text(&mut self, node: &Node, path: &str) -> String {
        if let Value::Text(text) = &node.value {
            return text.clone();
        }
        self.issue(
            node.line,
            path,
            Code::WrongType,
            node.value.word(),
            "a text, in quotes if need be",
        );
        String::new()
    }

    fn truth(&mut self, node: &Node, path: &str) -> Option<bool> {
        if let Value::Bool(value) = node.value {
            return Some(value);
        }
        self.issue(
            node.line,
            path,
            Code::WrongType,
            node.value.word(),
            "true or false",
        );
        None
    }

    fn logins(&mut self, node: &Node, path: &str) -> Vec<Login> {
        let mut logins = Vec::new();
        for node in self.list(node, path) {
            let text = self.text(node, path);
            let is_login = !text.is_empty()
                && text
                    .bytes()
                    .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_'));
            if is_login {
                logins.push(Login {
                    text,
                    place: self.place(node.line),
                });
            } else if matches!(node.value, Value::Text(_)) {
                let found = format!("`{text}`");
                self.issue(
                    node.line,
                    path,
                    Code::InvalidName,
                    &found,
                    "a login of GitHub",
                );
            }
        }
        logins
    }

    // === what becomes of it ===

    fn place(&self, line: u32) -> Place {
        Place {
            file: Arc::clone(&self.file),
            line,
            index: 0,
        }
    }

    /// Something without a counterpart: a plain value, said in the report.
    fn dropped(&mut self, kind: Kind, node: &Node, path: &str) {
        let value = match &node.value {
            Value::Text(text) => format!("`{text}`"),
            Value::Bool(value) => value.to_string(),
            other => other.word().to_owned(),
        };
        let place = self.place(node.line);
        self.report.push(kind, &place, format!("{path}: {value}"));
    }

    fn unknown_key(&mut self, line: u32, path: &str, allowed: &str) {
        self.issue(
            line,
            path,
            Code::UnknownField,
            "a key that is not known",
            allowed,
        );
    }

    fn issue(&mut self, line: u32, path: &str, code: Code, found: &str, allowed: &str) {
        let place = self.place(line);
        let (path, found, allowed) = (path.to_owned(), found.to_owned(), allowed.to_owned());
        self.issues.push(Issue {
            place,
            path,
            code,
            found,
            allowed,
        });
    }
}
