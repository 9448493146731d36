//! What an import could not express, or had to decide: nothing is dropped silently.

use std::collections::BTreeMap;
use std::fmt;

use crate::graph::document::Place;

/// The closed list of kinds; `word` is stable for scripts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[expect(missing_docs, reason = "`word` and `meaning` say it")]
pub enum Kind {
    BillingEmail,
    OrganizationProfile,
    ProjectBoards,
    RepositoryCreation,
    BasePermission,
    OwnerAccess,
    BotOwner,
    BotScope,
    BotTeamRole,
    TeamPrivacy,
    PreviousName,
    TeamRenamed,
    TeamInvented,
    NestedReach,
    OutsideOrganization,
    ListedTwice,
    LoginSpelling,
    EmailInvented,
    RepositoryVisibility,
    RepositorySetting,
    Restriction,
    OtherFile,
}

impl Kind {
    /// Stable word.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::BillingEmail => "billing_email",
            Self::OrganizationProfile => "organization_profile",
            Self::ProjectBoards => "project_boards",
            Self::RepositoryCreation => "repository_creation",
            Self::BasePermission => "base_permission",
            Self::OwnerAccess => "owner_access",
            Self::BotOwner => "bot_owner",
            Self::BotScope => "bot_scope",
            Self::BotTeamRole => "bot_team_role",
            Self::TeamPrivacy => "team_privacy",
            Self::PreviousName => "previous_name",
            Self::TeamRenamed => "team_renamed",
            Self::TeamInvented => "team_invented",
            Self::NestedReach => "nested_reach",
            Self::OutsideOrganization => "outside_organization",
            Self::ListedTwice => "listed_twice",
            Self::LoginSpelling => "login_spelling",
            Self::EmailInvented => "email_invented",
            Self::RepositoryVisibility => "repository_visibility",
            Self::RepositorySetting => "repository_setting",
            Self::Restriction => "restriction",
            Self::OtherFile => "other_file",
        }
    }

    /// What became of it, in one line.
    #[must_use]
    pub const fn meaning(self) -> &'static str {
        match self {
            Self::BillingEmail => "not kept: no such field",
            Self::OrganizationProfile => "not kept: only the name is, as display_name",
            Self::ProjectBoards => "not kept: GitHub's project boards have no counterpart",
            Self::RepositoryCreation => "not kept as a switch: no imported role creates projects",
            Self::BasePermission => "narrowed: what every member gets on every repository",
            Self::OwnerAccess => {
                "narrowed: an owner administers every repository on GitHub; roles/org.admin \
                 carries no models.* or weave.*"
            }
            Self::BotOwner => "not kept: a service account holds no organization role",
            Self::BotScope => {
                "widened: an organization's service account has roles/team.service on each of \
                 its projects"
            }
            Self::BotTeamRole => {
                "narrowed: a bot is in its team's group, and holds no role on the team itself"
            }
            Self::TeamPrivacy => "not kept: who sees a team is not modelled",
            Self::PreviousName => "not kept: names have no history here",
            Self::TeamRenamed => "changed: the id is GitHub's address form of the name",
            Self::TeamInvented => {
                "invented: an organization's service account needs a default team"
            }
            Self::NestedReach => "widened: a role on a team holds on the teams below it too",
            Self::OutsideOrganization => {
                "kept: in a team, and neither a member nor an owner of its organization"
            }
            Self::ListedTwice => "merged: named twice in one place",
            Self::LoginSpelling => "merged: one login, several spellings",
            Self::EmailInvented => "invented: the source has no addresses; `.invalid` is reserved",
            Self::RepositoryVisibility => {
                "decided: not said, so TEAM; whoever may read it is bound, nobody else"
            }
            Self::RepositorySetting => "not kept: no such field",
            Self::Restriction => "not kept: a rule about the source's files, not about access",
            Self::OtherFile => "not read: no YAML file",
        }
    }
}

/// One thing, where it stands, and what it says.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
#[expect(missing_docs, reason = "the type's own words")]
pub struct Finding {
    pub kind: Kind,
    pub place: Place,
    pub what: String,
}

/// All findings of one import.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Report {
    findings: Vec<Finding>,
}

impl Report {
    /// Adds a finding.
    pub fn push(&mut self, kind: Kind, place: &Place, what: String) {
        self.findings.push(Finding {
            kind,
            place: place.clone(),
            what,
        });
    }

    /// Notes a file of the folder that is not read.
    pub fn other_file(&mut self, name: &str) {
        let place = Place {
            file: name.into(),
            line: 1,
            index: 0,
        };
        self.push(Kind::OtherFile, &place, "no YAML file".to_owned());
    }

    /// The findings: by kind, then in the order of the source.
    #[must_use]
    pub fn sorted(mut self) -> Self {
        self.findings.sort();
        self
    }

    /// The findings.
    #[must_use]
    pub fn findings(&self) -> &[Finding] {
        &self.findings
    }

    /// How many of each kind there are.
    #[must_use]
    pub fn counts(&self) -> BTreeMap<Kind, usize> {
        let mut counts = BTreeMap::new();
        for finding in &self.findings {
            let count: &mut usize = counts.entry(finding.kind).or_default();
            *count = count.saturating_add(1);
        }
        counts
    }

    /// One line a kind: count, word, meaning.
    #[must_use]
    pub fn summary(&self) -> String {
        use fmt::Write as _;
        let mut text = String::new();
        for (kind, count) in self.counts() {
            let line = writeln!(text, "{count:>6}  {:<22} {}", kind.word(), kind.meaning());
            debug_assert!(line.is_ok(), "writing to a string does not fail");
        }
        text
    }
}

/// One line a finding.
impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for Finding { kind, place, what } in &self.findings {
            writeln!(f, "{}: {place}: {what}", kind.word())?;
        }
        Ok(())
    }
}
