//! The one table from what went wrong to a gRPC status. A deny is never here: it is a
//! response.

use tonic::{Code, Status};
use tonic_types::{ErrorDetails, FieldViolation, StatusExt as _};

use crate::limits::RETRY_AFTER;
use crate::model::outcome::Violation;
use crate::model::revision::Revision;
use crate::model::secret::masked;
use crate::wire::proto::postern::v1;

/// Domain of `google.rpc.ErrorInfo`.
const DOMAIN: &str = "postern.v1";

const NO_METADATA: [(String, String); 0] = [];

/// Why a request got no decision.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Failure {
    /// It cannot be read: every field that is wrong.
    Invalid(Vec<Violation>),
    /// There is no snapshot yet.
    NotReady,
    /// `min_revision` was not reached in time.
    NotReached {
        /// The revision asked for.
        asked: Revision,
        /// The revision that serves.
        serving: Revision,
    },
    /// The snapshot has no such resource, and it was no decision that was asked for.
    NotFound {
        /// Its name, well-formed.
        resource: String,
    },
    /// A cursor is of another revision than the one that serves.
    Moved {
        /// The revision that the look-up was begun on.
        begun: Revision,
        /// The revision that serves.
        serving: Revision,
    },
    /// A revision that is not kept.
    NotKept {
        /// The revision asked for.
        asked: Revision,
        /// The revision that serves.
        serving: Revision,
    },
    /// More work than a look-up may take: what to do.
    TooMuch(String),
    /// Too many requests wait.
    Overloaded,
    /// The method answers only callers that the configuration names: who, and what to do.
    NotNamed(String),
    /// There is no such method.
    NoMethod,
    /// A bug of ours; the log has the place.
    Panicked,
}

impl Failure {
    const fn code(&self) -> Code {
        match self {
            Self::Invalid(_) => Code::InvalidArgument,
            Self::NotReady => Code::Unavailable,
            Self::NotReached { .. } | Self::Moved { .. } => Code::FailedPrecondition,
            Self::NotFound { .. } | Self::NotKept { .. } => Code::NotFound,
            Self::Overloaded | Self::TooMuch(_) => Code::ResourceExhausted,
            Self::NotNamed(_) => Code::PermissionDenied,
            Self::NoMethod => Code::Unimplemented,
            Self::Panicked => Code::Internal,
        }
    }

    fn message(&self) -> String {
        match self {
            Self::Invalid(violations) => match violations.as_slice() {
                [Violation { field, description }] => format!("{field}: {description}"),
                _ => format!("{} fields are wrong; see the details", violations.len()),
            },
            Self::NotReady => "no snapshot is loaded yet; try again".to_owned(),
            Self::NotReached { asked, serving } => {
                format!("revision {asked} was asked for, {serving} serves; try again later")
            }
            Self::NotFound { resource } => {
                format!("resource: `{}` is not in the snapshot", masked(resource))
            }
            Self::Moved { begun, serving } => format!(
                "the look-up was begun on revision {begun}, and {serving} serves; begin anew"
            ),
            Self::NotKept { asked, serving } => format!(
                "revision {asked} is not kept, {serving} serves; `--keep-revisions N` keeps the last N"
            ),
            Self::TooMuch(advice) => advice.clone(),
            Self::Overloaded => "too many requests wait; try again".to_owned(),
            Self::NotNamed(refusal) => refusal.clone(),
            Self::NoMethod => {
                "there is no such method; `grpcurl ADDR list` shows what there is".to_owned()
            }
            Self::Panicked => "internal error".to_owned(),
        }
    }

    /// The status of a whole call.
    #[must_use]
    pub fn status(&self, request_id: &str) -> Status {
        let mut details = ErrorDetails::new();
        match self {
            Self::Invalid(violations) => {
                let fields = violations.iter().map(|violation| {
                    FieldViolation::new(violation.field.clone(), violation.description.clone())
                });
                details.set_bad_request(fields.collect::<Vec<_>>());
            }
            Self::NotReached { asked, serving } => {
                let metadata = [("min_revision", asked), ("revision", serving)]
                    .map(|(name, revision)| (name.to_owned(), revision.0.to_string()));
                details.set_error_info("REVISION_NOT_REACHED", DOMAIN, metadata);
            }
            Self::Moved { begun, serving } => {
                let metadata = [("begun", begun), ("revision", serving)]
                    .map(|(name, revision)| (name.to_owned(), revision.0.to_string()));
                details.set_error_info("REVISION_MOVED", DOMAIN, metadata);
            }
            Self::Overloaded => {
                details.set_retry_info(Some(RETRY_AFTER));
            }
            Self::NotNamed(_) => {
                details.set_error_info("CALLER_NOT_NAMED", DOMAIN, NO_METADATA);
            }
            Self::NotFound { .. }
            | Self::NotKept { .. }
            | Self::NotReady
            | Self::NoMethod
            | Self::TooMuch(_)
            | Self::Panicked => {}
        }
        if !request_id.is_empty() {
            details.set_request_info(request_id, "");
        }
        Status::with_error_details(self.code(), self.message(), details)
    }

    /// The status of one item of a batch.
    #[must_use]
    pub fn item(&self) -> v1::ItemStatus {
        let field_violations = match self {
            Self::Invalid(violations) => violations
                .iter()
                .map(|violation| v1::FieldViolation {
                    field: violation.field.clone().into_owned(),
                    description: violation.description.clone(),
                })
                .collect(),
            Self::NotReady
            | Self::NotReached { .. }
            | Self::NotFound { .. }
            | Self::NotKept { .. }
            | Self::Moved { .. }
            | Self::TooMuch(_)
            | Self::Overloaded
            | Self::NotNamed(_)
            | Self::NoMethod
            | Self::Panicked => Vec::new(),
        };
        v1::ItemStatus {
            code: self.code().into(),
            message: self.message(),
            field_violations,
        }
    }
}
