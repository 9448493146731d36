//! A GitHub organization as peribolos, the tool of the Kubernetes project, describes it:
//! read, in plain types, nothing decided yet.

use crate::graph::document::Place;

/// A login as the source spells it; GitHub compares logins in ASCII lower case.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Login {
    /// As it was written.
    pub text: String,
    /// Where.
    pub place: Place,
}

impl Login {
    /// The login as GitHub compares it.
    #[must_use]
    pub fn id(&self) -> String {
        self.text.to_ascii_lowercase()
    }
}

/// What a team or a base permission gives on a repository; smallest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[expect(missing_docs, reason = "the variants are GitHub's words")]
pub enum Access {
    Read,
    Triage,
    Write,
    Maintain,
    Admin,
}

impl Access {
    /// All of them, smallest first.
    pub const ALL: [Self; 5] = [
        Self::Read,
        Self::Triage,
        Self::Write,
        Self::Maintain,
        Self::Admin,
    ];

    /// GitHub's word.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Triage => "triage",
            Self::Write => "write",
            Self::Maintain => "maintain",
            Self::Admin => "admin",
        }
    }

    /// Reads GitHub's word.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|access| access.word() == word)
    }
}

/// What a team gives on one repository.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(missing_docs, reason = "three words everybody knows")]
pub struct Grant {
    pub repository: String,
    pub access: Access,
    pub place: Place,
}

/// A team and the teams below it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[expect(missing_docs, reason = "the fields are the keys of the source")]
pub struct Team {
    pub name: String,
    pub place: Place,
    pub description: String,
    pub maintainers: Vec<Login>,
    pub members: Vec<Login>,
    pub repositories: Vec<Grant>,
    /// `teams:` below a team.
    pub children: Vec<Team>,
}

/// A repository that `repos:` of an organization describes.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(missing_docs, reason = "the fields are the keys of the source")]
pub struct Repository {
    pub name: String,
    pub place: Place,
    pub description: String,
    /// `None`: not said.
    pub private: Option<bool>,
}

/// One organization, its files put together.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[expect(missing_docs, reason = "the fields are the keys of the source")]
pub struct Organization {
    /// The folder's name: what GitHub calls the organization in addresses.
    pub login: String,
    pub place: Place,
    pub name: String,
    /// `default_repository_permission`; `None`: `none`, or not said.
    pub base: Option<Access>,
    pub admins: Vec<Login>,
    pub members: Vec<Login>,
    pub teams: Vec<Team>,
    pub repositories: Vec<Repository>,
}

/// One file of the configuration.
#[derive(Debug, Clone)]
pub struct File {
    /// Path below the folder, `/` between its parts.
    pub path: String,
    /// Content.
    pub text: String,
}
