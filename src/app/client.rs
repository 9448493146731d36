//! One question: to a snapshot at hand, or to a running server (`check`, `healthcheck`).

use std::time::Duration;

use crate::clock::{Clock as _, SystemClock};
use crate::decide;
use crate::graph::snapshot::Snapshot;
use crate::model::outcome::{Actor, Answer, Effect, Violation};
use crate::model::query::{KeyDigests, Query, Subject, UnixTime};
use crate::serve::client as remote;
use crate::wire;
use crate::wire::authorize::{self, Asked};
use crate::wire::explain::ask::Asking;
use crate::wire::proto::postern::v1;
use crate::wire::proto::postern::v1::authorize_request as asked;
use crate::wire::words;

/// The word for nobody, in place of a principal.
const ANONYMOUS: &str = "anonymous";

/// A question of the command line.
#[derive(Debug, Clone, Copy)]
pub struct Question<'a> {
    /// A member such as `user:ada@acme.example`, or `anonymous`.
    pub principal: &'a str,
    /// `service.resource.verb`.
    pub permission: &'a str,
    /// Resource name.
    pub resource: &'a str,
}

/// A decision as the command line shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(missing_docs, reason = "the fields are those of AuthorizeResponse")]
pub struct Checked {
    pub allow: bool,
    pub reason: String,
    pub principal: String,
    pub resource: String,
    pub revision: u64,
}

/// Why there is no decision.
#[derive(Debug, thiserror::Error)]
#[expect(missing_docs, reason = "the messages say it")]
pub enum Error {
    #[error("{0}")]
    Address(String),
    #[error("{0}")]
    Invalid(String),
    #[error("{0}")]
    Unanswered(String),
}

impl From<remote::Error> for Error {
    fn from(error: remote::Error) -> Self {
        let text = error.to_string();
        match error {
            remote::Error::Address(_) => Self::Address(text),
            remote::Error::Invalid(_) => Self::Invalid(text),
            remote::Error::Unreachable(..) | remote::Error::Refused(..) => Self::Unanswered(text),
        }
    }
}

/// Decides on a snapshot at hand.
///
/// # Errors
/// The question is malformed.
pub fn decide(snapshot: &Snapshot, question: Question<'_>) -> Result<Checked, Error> {
    let Question {
        principal,
        permission,
        resource,
    } = question;
    let subject = match principal {
        ANONYMOUS => Subject::Anonymous,
        principal => Subject::Principal(principal),
    };
    let query = Query {
        subject,
        permission,
        resource,
        ..Query::EMPTY
    };
    let now = UnixTime(SystemClock::start().unix_seconds());
    match decide::authorize(snapshot, &query, now) {
        Answer::Invalid(Violation { field, description }) => {
            Err(Error::Invalid(format!("{field}: {description}")))
        }
        Answer::Decided(decision) => Ok(Checked {
            allow: decision.effect == Effect::Allow,
            reason: short(words::reason(decision.reason)),
            principal: match decision.actor {
                Actor::Known(principal) => snapshot.principal_member(principal),
                Actor::Asserted(principal) | Actor::Federated(principal) => principal.to_owned(),
                Actor::Anonymous | Actor::Unproven => String::new(),
            },
            resource: decision.resource.into_owned(),
            revision: snapshot.revision().0,
        }),
    }
}

/// Asks a server.
///
/// # Errors
/// The server cannot be reached, or did not decide.
pub fn ask(server: &str, question: Question<'_>) -> Result<Checked, Error> {
    let subject = match question.principal {
        ANONYMOUS => asked::Subject::Anonymous(()),
        principal => asked::Subject::Principal(principal.to_owned()),
    };
    let request = v1::AuthorizeRequest {
        subject: Some(subject),
        permission: question.permission.to_owned(),
        resource: question.resource.to_owned(),
        ..v1::AuthorizeRequest::default()
    };
    let response = block_on(async {
        let channel = remote::connect(server).await?;
        Ok(remote::authorize(channel, request).await?)
    })?;
    let reason = v1::Reason::try_from(response.reason).unwrap_or(v1::Reason::Unspecified);
    Ok(Checked {
        // Anything but ALLOW, words of a newer server included, is a deny.
        allow: v1::Decision::try_from(response.decision) == Ok(v1::Decision::Allow),
        reason: short(reason),
        principal: response.principal,
        resource: response.resource,
        revision: response.revision,
    })
}

/// An explanation for the command line.
#[derive(Debug)]
#[expect(missing_docs, reason = "the names say it")]
pub struct Explained {
    pub allow: bool,
    pub response: v1::ExplainResponse,
}

impl From<v1::ExplainResponse> for Explained {
    fn from(response: v1::ExplainResponse) -> Self {
        // Anything but ALLOW, words of a newer server included, is a deny.
        let answer = response.response.as_ref();
        let decision = answer.map(|answer| v1::Decision::try_from(answer.decision));
        Self {
            allow: decision == Some(Ok(v1::Decision::Allow)),
            response,
        }
    }
}

/// Explains on a snapshot at hand.
///
/// # Errors
/// The question is malformed.
pub fn explain(snapshot: &Snapshot, asking: Asking) -> Result<Explained, Error> {
    let invalid = |violations: Vec<Violation>| {
        let texts = violations
            .iter()
            .map(|v| format!("{}: {}", v.field, v.description));
        Error::Invalid(texts.collect::<Vec<_>>().join("; "))
    };
    let asked = Asked::read(asking.request(), |_| KeyDigests::Malformed).map_err(invalid)?;
    let now = UnixTime(SystemClock::start().unix_seconds());
    let explanation = decide::explain::explain(snapshot, &asked.query(), now);
    let explanation = explanation.map_err(|violation| invalid(vec![violation]))?;
    let decision = &explanation.decision;
    let response = authorize::respond(snapshot, Duration::ZERO, decision, String::new());
    Ok(wire::explain::respond(explanation, response).into())
}

/// Asks a server to explain, at a revision that it keeps or, with 0, at the one that serves.
///
/// # Errors
/// The server cannot be reached, or did not explain.
pub fn ask_why(server: &str, asking: Asking, revision: u64) -> Result<Explained, Error> {
    let request = v1::ExplainRequest {
        request: Some(asking.request()),
        revision,
    };
    let response = block_on(async {
        let channel = remote::connect(server).await?;
        Ok(remote::explain(channel, request).await?)
    })?;
    Ok(response.into())
}

/// The health of a service: the word of the protocol, such as `SERVING`.
///
/// # Errors
/// The server cannot be reached, or does not know the service.
pub fn health(server: &str, service: &str) -> Result<&'static str, Error> {
    block_on(async {
        let channel = remote::connect(server).await?;
        Ok(remote::health(channel, service).await?)
    })
}

pub(super) fn block_on<T>(ask: impl Future<Output = Result<T, Error>>) -> Result<T, Error> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| Error::Unanswered(format!("the system refused a runtime: {error}")))?;
    runtime.block_on(ask)
}

/// `GRANTED_BY_POLICY` for `REASON_GRANTED_BY_POLICY`.
pub(super) fn short(reason: v1::Reason) -> String {
    let word = reason.as_str_name();
    word.strip_prefix("REASON_").unwrap_or(word).to_owned()
}
