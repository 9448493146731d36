//! The tree: kinds of nodes and their indices.

/// Index of a node in a snapshot: dense, from 0, never kept across snapshots.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NodeIx(pub u32);

/// What a node is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[expect(missing_docs, reason = "the variants are the node kinds of SPEC 1.1")]
pub enum NodeKind {
    Organization,
    Team,
    Project,
    ServiceAccount,
    Key,
}

/// Visibility of a project (SPEC 4).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub enum Visibility {
    /// Only what policies grant.
    #[default]
    Team,
    /// Nothing granted above the project reaches it, administrative permissions excepted.
    Restricted,
    /// As `Team`, and anyone may read.
    Public,
    /// As `Public`, and any authenticated principal may submit.
    Open,
}

impl Visibility {
    /// The word of the schema: `TEAM`, `RESTRICTED`, `PUBLIC`, `OPEN`.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Team => "TEAM",
            Self::Restricted => "RESTRICTED",
            Self::Public => "PUBLIC",
            Self::Open => "OPEN",
        }
    }

    /// Reads the schema's word, short (`TEAM`) or long (`VISIBILITY_TEAM`).
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        match word.strip_prefix("VISIBILITY_").unwrap_or(word) {
            "TEAM" => Some(Self::Team),
            "RESTRICTED" => Some(Self::Restricted),
            "PUBLIC" => Some(Self::Public),
            "OPEN" => Some(Self::Open),
            _ => None,
        }
    }
}
