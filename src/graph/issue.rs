//! What is wrong with an input. Every issue is listed (SPEC 2.4).

use crate::graph::document::Place;
use crate::model::secret::masked;

/// The closed list of issue codes; stable words for scripts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[expect(missing_docs, reason = "`word` and the message say it")]
pub enum Code {
    /// The text is no YAML, JSON or protobuf.
    Syntax,
    UnknownField,
    UnknownKind,
    DuplicateField,
    WrongType,
    Missing,
    InvalidValue,
    InvalidName,
    OutOfBounds,
    NotEvaluated,
    DuplicateName,
    DuplicateUid,
    DuplicateEmail,
    DuplicateKey,
    MissingParent,
    UnknownReference,
    UnknownRole,
    UnknownPermission,
    RoleOutOfScope,
    MemberNotAllowed,
    AmbiguousMember,
    AmbiguousRoute,
    InvalidCondition,
    ConditionNotAllowed,
    Cycle,
    BuiltInRedefined,
    ForeignUnit,
    Moved,
    Revision,
    Unreadable,
}

impl Code {
    /// The word that scripts match: `unknown_field`.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Syntax => "syntax",
            Self::UnknownField => "unknown_field",
            Self::UnknownKind => "unknown_kind",
            Self::DuplicateField => "duplicate_field",
            Self::WrongType => "wrong_type",
            Self::Missing => "missing",
            Self::InvalidValue => "invalid_value",
            Self::InvalidName => "invalid_name",
            Self::OutOfBounds => "out_of_bounds",
            Self::NotEvaluated => "not_evaluated",
            Self::DuplicateName => "duplicate_name",
            Self::DuplicateUid => "duplicate_uid",
            Self::DuplicateEmail => "duplicate_email",
            Self::DuplicateKey => "duplicate_key",
            Self::MissingParent => "missing_parent",
            Self::UnknownReference => "unknown_reference",
            Self::UnknownRole => "unknown_role",
            Self::UnknownPermission => "unknown_permission",
            Self::RoleOutOfScope => "role_out_of_scope",
            Self::MemberNotAllowed => "member_not_allowed",
            Self::AmbiguousMember => "ambiguous_member",
            Self::AmbiguousRoute => "ambiguous_route",
            Self::InvalidCondition => "invalid_condition",
            Self::ConditionNotAllowed => "condition_not_allowed",
            Self::Cycle => "cycle",
            Self::BuiltInRedefined => "built_in_redefined",
            Self::ForeignUnit => "foreign_unit",
            Self::Moved => "moved",
            Self::Revision => "revision",
            Self::Unreadable => "unreadable",
        }
    }
}

/// One thing that is wrong, for a person to read and mend.
#[derive(Clone, PartialEq, Eq)]
pub struct Issue {
    /// Where it was read.
    pub place: Place,
    /// Which field of which entity: `allow_policy[organizations/acme].bindings[0].role`.
    pub path: String,
    /// What kind of wrong.
    pub code: Code,
    /// What was found; never a digest, and no key but where a name is quoted.
    pub found: String,
    /// What is allowed there.
    pub allowed: String,
}

impl std::fmt::Display for Issue {
    /// The one form in which an issue is shown, logged and answered. A key that stands in the
    /// place of a name is cut here.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self {
            place,
            path,
            code,
            found,
            allowed,
        } = self;
        let mut line = format!("{place}: {path}: {}: {found}", code.word());
        if !allowed.is_empty() {
            line.push_str("; expected ");
            line.push_str(allowed);
        }
        f.write_str(&masked(&line))
    }
}

impl std::fmt::Debug for Issue {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Issue({self})")
    }
}

impl std::fmt::Display for Place {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match (self.file.is_empty(), self.line) {
            (true, _) if self.index == Self::WHOLE_FILE => f.write_str("input"),
            (false, 0) if self.index == Self::WHOLE_FILE => f.write_str(&self.file),
            (true, _) => write!(f, "entities[{}]", self.index),
            (false, 0) => write!(f, "{}: entities[{}]", self.file, self.index),
            (false, line) => write!(f, "{}:{line}", self.file),
        }
    }
}

/// All issues of one input; never empty when it is an error.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Issues {
    list: Vec<Issue>,
    omitted: usize,
}

impl Issues {
    /// Adds an issue; beyond `limits::ISSUES_MAX` it is only counted.
    pub fn push(&mut self, issue: Issue) {
        if self.list.len() < crate::limits::ISSUES_MAX {
            self.list.push(issue);
        } else {
            self.omitted = self.omitted.saturating_add(1);
        }
    }

    /// Adds all of `other`.
    pub fn append(&mut self, other: Self) {
        for issue in other.list {
            self.push(issue);
        }
        self.omitted = self.omitted.saturating_add(other.omitted);
    }

    /// The issues kept, in input order.
    #[must_use]
    pub fn list(&self) -> &[Issue] {
        &self.list
    }

    /// How many there were, the omitted ones included.
    #[must_use]
    pub fn count(&self) -> usize {
        self.list.len().saturating_add(self.omitted)
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    /// `Ok(value)` if there is none.
    ///
    /// # Errors
    /// Itself, if there is one.
    pub fn or<T>(self, value: T) -> Result<T, Self> {
        if self.is_empty() {
            Ok(value)
        } else {
            Err(self)
        }
    }
}

impl std::fmt::Display for Issues {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for issue in &self.list {
            writeln!(f, "{issue}")?;
        }
        if self.omitted > 0 {
            writeln!(f, "... and {} more", self.omitted)?;
        }
        Ok(())
    }
}

impl std::error::Error for Issues {}
