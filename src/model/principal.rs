//! Who acts.

/// Index of a principal (user or service account) in a snapshot; dense, from 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PrincipalIx(pub u32);

/// Kind of a service account.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub enum AccountKind {
    /// Made by people; counts against the quota.
    #[default]
    UserManaged,
    /// Made by a product for its users.
    Default,
    /// A product's own; no implicit grant (SPEC 5.1).
    ServiceAgent,
}

impl AccountKind {
    /// Reads the schema's word, short (`DEFAULT`) or long (`ACCOUNT_KIND_DEFAULT`).
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        match word.strip_prefix("ACCOUNT_KIND_").unwrap_or(word) {
            "USER_MANAGED" => Some(Self::UserManaged),
            "DEFAULT" => Some(Self::Default),
            "SERVICE_AGENT" => Some(Self::ServiceAgent),
            _ => None,
        }
    }
}

/// How a service account proves itself.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub enum Authentication {
    /// With keys.
    #[default]
    BuiltIn,
    /// With another issuer's tokens; team-scoped, owns no keys (SPEC 5.1).
    Federated,
}

/// What a seat allows (SPEC 3.6).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub enum SeatLevel {
    /// Everything the roles allow; also what a missing seat means.
    #[default]
    Full,
    /// Permissions marked read.
    Viewer,
    /// Nothing of the product.
    None,
}
