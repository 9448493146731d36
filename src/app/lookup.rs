//! Look-ups of the command line: on a snapshot at hand, or of a running server.

use crate::app::client::{self, Error};
use crate::clock::{Clock as _, SystemClock};
use crate::decide::lookup::{Lookup, Page};
use crate::graph::snapshot::Snapshot;
use crate::model::lookup::{Lookup as Asked, Verdict};
use crate::model::outcome::Violation;
use crate::model::query::{Query, Subject, UnixTime};
use crate::serve::client as remote;
use crate::serve::client::Channel;
use crate::wire::proto::postern::v1;
use crate::wire::proto::postern::v1::list_permissions_request as permissions;
use crate::wire::words;

/// A look-up of the command line.
#[derive(Debug, Clone, Copy)]
#[expect(missing_docs, reason = "the fields are the arguments")]
pub enum Question<'a> {
    /// Who may do the permission on the resource?
    Who {
        permission: &'a str,
        resource: &'a str,
        agents: bool,
        impersonation: bool,
    },
    /// What may the principal do on the resource?
    What {
        principal: &'a str,
        resource: &'a str,
    },
}

/// One answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// Member or permission.
    pub name: String,
    /// What allows it; of an undecided one, what the context lacks.
    pub why: String,
    /// Whether it is allowed.
    pub allowed: bool,
    /// The account that one could act as, and by what; empty otherwise.
    pub through: String,
}

/// The word for nobody, in place of a principal.
const ANONYMOUS: &str = "anonymous";

/// Answers from a snapshot at hand, a page at a time; the reason why there is nothing, if no
/// candidate can change that.
///
/// # Errors
/// The question is malformed.
pub fn local(
    snapshot: &Snapshot,
    question: Question<'_>,
    show: &mut dyn FnMut(Vec<Line>),
) -> Result<Option<String>, Error> {
    let asked = match question {
        Question::Who {
            permission,
            resource,
            agents,
            impersonation,
        } => Asked::Principals {
            query: Query {
                permission,
                resource,
                ..Query::EMPTY
            },
            agents,
            impersonation,
        },
        Question::What {
            principal,
            resource,
        } => Asked::Permissions {
            query: Query {
                subject: match principal {
                    ANONYMOUS => Subject::Anonymous,
                    principal => Subject::Principal(principal),
                },
                resource,
                ..Query::EMPTY
            },
        },
    };
    let now = UnixTime(SystemClock::start().unix_seconds());
    let mut lookup =
        Lookup::new(snapshot, &asked, now).map_err(|Violation { field, description }| {
            Error::Invalid(format!("{field}: {description}"))
        })?;
    let mut page = Page {
        at: 0,
        items: Vec::new(),
        room: usize::MAX,
        steps: 0,
    };
    lookup.run(&mut page, u64::MAX);
    let lines = page.items.into_iter().map(|item| {
        let (allowed, why) = match item.verdict {
            Verdict::Allowed(reason) => (true, words::reason_word(reason).to_owned()),
            Verdict::Undecided(Violation { field, description }) => {
                (false, format!("{field}: {description}"))
            }
        };
        Line {
            name: item.name,
            why,
            allowed,
            through: item
                .through
                .map_or_else(String::new, |t| through(&t.account, &t.permissions)),
        }
    });
    show(lines.collect());
    let denied = lookup.denied().map(words::reason_word);
    Ok(denied.map(str::to_owned))
}

fn through(account: &str, permissions: &[impl AsRef<str>]) -> String {
    let verbs = permissions.iter().map(|permission| {
        let permission = permission.as_ref();
        permission.rsplit('.').next().unwrap_or(permission)
    });
    if account.is_empty() {
        return String::new();
    }
    format!("{account} ({})", verbs.collect::<Vec<_>>().join(", "))
}

/// Asks a server, page after page.
///
/// # Errors
/// The server cannot be reached, or refuses.
pub fn ask(
    server: &str,
    question: Question<'_>,
    show: &mut dyn FnMut(Vec<Line>),
) -> Result<Option<String>, Error> {
    client::block_on(async {
        let channel = remote::connect(server).await?;
        let mut page_token = String::new();
        loop {
            let (lines, state) = page(channel.clone(), question, page_token).await?;
            show(lines);
            let state = state.unwrap_or_default();
            if state.next_page_token.is_empty() {
                let denied = state.denied();
                let is_said = denied != v1::Reason::Unspecified;
                return Ok(is_said.then(|| client::short(denied)));
            }
            page_token = state.next_page_token;
        }
    })
}

async fn page(
    channel: Channel,
    question: Question<'_>,
    page_token: String,
) -> Result<(Vec<Line>, Option<v1::PageState>), remote::Error> {
    match question {
        Question::Who {
            permission,
            resource,
            agents,
            impersonation,
        } => {
            let request = v1::ListPrincipalsRequest {
                permission: permission.to_owned(),
                resource: resource.to_owned(),
                include_service_agents: agents,
                analyze_impersonation: impersonation,
                page_token,
                ..v1::ListPrincipalsRequest::default()
            };
            let answer = remote::list_principals(channel, request).await?;
            let found = answer.principals.into_iter().map(|found| Line {
                through: through(&found.through, &found.permissions),
                why: client::short(found.reason()),
                name: found.principal,
                allowed: true,
            });
            let undecided = answer.undecided.into_iter().map(undecided);
            Ok((found.chain(undecided).collect(), answer.page))
        }
        Question::What {
            principal,
            resource,
        } => {
            let subject = match principal {
                ANONYMOUS => permissions::Subject::Anonymous(()),
                principal => permissions::Subject::Principal(principal.to_owned()),
            };
            let request = v1::ListPermissionsRequest {
                subject: Some(subject),
                resource: resource.to_owned(),
                page_token,
                ..v1::ListPermissionsRequest::default()
            };
            let answer = remote::list_permissions(channel, request).await?;
            let found = answer.permissions.into_iter().map(|found| Line {
                through: String::new(),
                why: client::short(found.reason()),
                name: found.permission,
                allowed: true,
            });
            let undecided = answer.undecided.into_iter().map(undecided);
            Ok((found.chain(undecided).collect(), answer.page))
        }
    }
}

fn undecided(undecided: v1::Undecided) -> Line {
    let violation = undecided.violation.unwrap_or_default();
    Line {
        name: undecided.name,
        why: format!("{}: {}", violation.field, violation.description),
        allowed: false,
        through: String::new(),
    }
}
