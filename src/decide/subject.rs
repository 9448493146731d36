//! Who asks: from a credential or an asserted name to a principal (SPEC 1.4, 1.5, 6.2).

use std::borrow::Cow;

use crate::decide::shape::{Shape, expected};
use crate::decide::{Refusal, credential, refuse};
use crate::graph::rows::{Identity, KeyRow, NONE, PrincipalRow};
use crate::graph::rules::{ALL_AUTHENTICATED, ALL_USERS};
use crate::graph::snapshot::{Snapshot, Started};
use crate::limits::EMAIL_BYTES_MAX;
use crate::model::member::{self, Member};
use crate::model::name;
use crate::model::outcome::{Actor, Reason};
use crate::model::principal::PrincipalIx;
use crate::model::query::{Query, Subject, UnixTime};

/// Who asks.
pub(super) struct Who<'a> {
    /// For the answer.
    pub(super) actor: Actor<'a>,
    /// The principal, if the snapshot knows it.
    pub(super) row: Option<&'a PrincipalRow>,
    /// The key that proved it.
    pub(super) key: Option<&'a KeyRow>,
    /// The credential does not hold, for a reason that no resource changes.
    pub(super) failed: Option<Reason>,
    /// Disabled or deleted, or of such a pool.
    pub(super) disabled: bool,
    /// Said to have made the thing that is asked about.
    pub(super) is_creator: bool,
}

/// The look-up of the commonest subjects, `user:E` and `serviceAccount:E` in lower case,
/// started before the form is checked.
pub(super) struct Early<'a> {
    started: Started,
    email: &'a str,
    user: bool,
}

/// Starts it, if the subject may be one of those.
#[inline]
pub(super) fn start<'a>(snapshot: &Snapshot, subject: Subject<'a>) -> Option<Early<'a>> {
    let Subject::Principal(text) = subject else {
        return None;
    };
    let (email, user) = match text.strip_prefix("user:") {
        Some(email) => (email, true),
        None => (text.strip_prefix("serviceAccount:")?, false),
    };
    Some(Early {
        started: snapshot.start_email(email.as_bytes()),
        email,
        user,
    })
}

impl Early<'_> {
    /// Goes on with the look-up.
    #[inline]
    pub(super) fn advance(&mut self, snapshot: &Snapshot) {
        self.started = snapshot.continue_email(self.started);
    }

    /// The principal, if the snapshot has exactly this e-mail for this kind.
    #[inline]
    pub(super) fn finish(&self, snapshot: &Snapshot) -> Option<PrincipalIx> {
        let ix = snapshot.finish_email(self.started, self.email.as_bytes())?;
        (snapshot.principal(ix)?.is_user() == self.user).then_some(ix)
    }
}

impl<'a> Who<'a> {
    /// Nobody.
    pub(super) const NOBODY: Self = Self {
        actor: Actor::Anonymous,
        row: None,
        key: None,
        failed: None,
        disabled: false,
        is_creator: false,
    };

    /// A principal of the snapshot.
    pub(super) fn known(ix: PrincipalIx, row: &'a PrincipalRow) -> Self {
        Self {
            actor: Actor::Known(ix),
            row: Some(row),
            disabled: row.disabled || row.deleted,
            ..Self::NOBODY
        }
    }

    /// A principal that is asserted and not in the snapshot.
    fn asserted(snapshot: &Snapshot, text: &'a str, member: &Member<'_>) -> Self {
        let pools = &snapshot.rules().pools;
        let pool = match member {
            Member::PoolSubject { pool, .. } => pools.get(*pool).filter(|pool| pool.known),
            _ => None,
        };
        let actor = match pool {
            Some(_) => Actor::Federated(text),
            None => Actor::Asserted(text),
        };
        Self {
            actor,
            disabled: pool.is_some_and(|pool| pool.disabled),
            ..Self::NOBODY
        }
    }

    /// What rules may match it by. Off the common path: a decision without rules never asks.
    #[cold]
    pub(super) fn standing(&self, snapshot: &'a Snapshot) -> Standing<'a> {
        match (self.row, self.actor) {
            (Some(row), _) => Standing {
                holders: row.holders.as_slice(),
                ..Standing::NONE
            },
            (None, Actor::Asserted(text) | Actor::Federated(text)) => member::parse(text)
                .map_or(Standing::NONE, |member| {
                    Standing::asserted(snapshot, text, &member)
                }),
            (None, Actor::Anonymous | Actor::Known(_) | Actor::Unproven) => Standing::NONE,
        }
    }

    /// For conditions: `principal.subject` and `principal.type` (SPEC 7.1).
    pub(super) fn subject(&self) -> (Cow<'a, str>, &'static str) {
        let text = match self.actor {
            Actor::Anonymous | Actor::Unproven => return (Cow::Borrowed(""), "anonymous"),
            Actor::Federated(text) => return (Cow::Borrowed(text), "principal"),
            Actor::Known(_) => {
                return match self.row {
                    Some(row) if row.is_user() => (Cow::Borrowed(row.email.as_str()), "user"),
                    Some(row) => (Cow::Borrowed(row.email.as_str()), "serviceAccount"),
                    None => (Cow::Borrowed(""), "anonymous"),
                };
            }
            Actor::Asserted(text) => text,
        };
        match member::parse(text) {
            Some(Member::User(email)) => (Cow::Owned(email.to_ascii_lowercase()), "user"),
            Some(Member::ServiceAccount { email, .. }) => {
                (Cow::Owned(email.to_ascii_lowercase()), "serviceAccount")
            }
            _ => (Cow::Borrowed(text), "principal"),
        }
    }

    /// The principal, if the snapshot knows it.
    pub(super) const fn principal(&self) -> Option<PrincipalIx> {
        match self.actor {
            Actor::Known(ix) => Some(ix),
            Actor::Anonymous | Actor::Asserted(_) | Actor::Federated(_) | Actor::Unproven => None,
        }
    }
}

/// Rows of `holders` that may name an actor, those that it only may be included.
pub(super) fn named_by(snapshot: &Snapshot, actor: &Actor<'_>) -> Vec<u32> {
    let who = match actor {
        Actor::Known(ix) => snapshot.principal(*ix).map(|row| Who::known(*ix, row)),
        Actor::Asserted(text) | Actor::Federated(text) => {
            let member = member::parse_subject(text);
            member.map(|member| Who::asserted(snapshot, text, &member))
        }
        Actor::Anonymous => return vec![ALL_USERS],
        Actor::Unproven => return Vec::new(),
    };
    let mut rows = vec![ALL_USERS, ALL_AUTHENTICATED];
    if let Some(who) = who {
        let standing = who.standing(snapshot);
        rows.extend(standing.rows().chain(standing.possible.iter().copied()));
    }
    rows
}

/// The rows of `holders` that a principal is.
#[derive(Clone, Copy)]
pub(super) struct Standing<'a> {
    /// Certainly: groups, domain, account sets, its own text.
    holders: &'a [u32],
    /// One more such row, or `NONE`.
    also: u32,
    /// Perhaps: denies and boundaries match them too (SPEC 6.2).
    pub(super) possible: &'a [u32],
}

impl<'a> Standing<'a> {
    const NONE: Self = Self {
        holders: &[],
        also: NONE,
        possible: &[],
    };

    /// Of a principal that the snapshot does not know: what was asserted, its domain, its pool.
    fn asserted(snapshot: &'a Snapshot, text: &str, member: &Member<'_>) -> Self {
        let rules = snapshot.rules();
        let mut standing = Self::NONE;
        let mut lower = [0_u8; ASSERTED_BYTES_MAX];
        if let Some(text) = normal(text, member, &mut lower) {
            standing.holders = rules.asserted.get(text).map_or(&[][..], |list| list);
        }
        match member {
            Member::User(email) => {
                let domain = crate::model::email::domain(email).as_bytes();
                if let Some(place) = lower.get_mut(..domain.len()) {
                    place.copy_from_slice(domain);
                    place.make_ascii_lowercase();
                    standing.also = rules.domains.get(&*place).copied().unwrap_or(NONE);
                }
            }
            Member::PoolSubject { pool, .. } => {
                if let Some(pool) = rules.pools.get(*pool) {
                    standing.also = pool.all;
                    standing.possible = &pool.sets;
                }
            }
            _ => {}
        }
        standing
    }

    /// Every row that it certainly is.
    pub(super) fn rows(self) -> impl Iterator<Item = u32> {
        let also = (self.also != NONE).then_some(self.also);
        self.holders.iter().copied().chain(also)
    }
}

/// Resolves the subject of a well-formed query.
pub(super) fn resolve<'a>(
    snapshot: &'a Snapshot,
    query: &Query<'a>,
    shape: &Shape<'a>,
    known: Option<PrincipalIx>,
    now: UnixTime,
) -> Who<'a> {
    let mut who = Who::NOBODY;
    let principal = match query.subject {
        Subject::Anonymous => None,
        Subject::Principal(text) => {
            who.actor = Actor::Asserted(text);
            let found = known.or_else(|| {
                shape
                    .subject
                    .and_then(|member| principal(snapshot, &member))
            });
            if let (None, Some(member)) = (found, &shape.subject) {
                who = Who::asserted(snapshot, text, member);
                let federated = matches!(who.actor, Actor::Federated(_));
                who.is_creator = federated && shape.created_by.as_ref() == Some(member);
            }
            found
        }
        Subject::ApiKey(digests) => {
            who.actor = Actor::Unproven;
            let proof = credential::prove(snapshot, digests, query.source_ip, now);
            who.key = proof.key;
            who.failed = credential::reason(proof.code);
            proof.owner
        }
    };
    if let Some((ix, row)) = principal.and_then(|ix| Some((ix, snapshot.principal(ix)?))) {
        who = Who {
            key: who.key,
            failed: who.failed,
            is_creator: shape
                .created_by
                .is_some_and(|maker| self::principal(snapshot, &maker) == Some(ix)),
            ..Who::known(ix, row)
        };
    }
    who
}

/// The principal that a member names, if it names one.
pub(super) fn principal(snapshot: &Snapshot, member: &Member<'_>) -> Option<PrincipalIx> {
    match member {
        Member::User(email) => {
            let ix = find_email(snapshot, email)?;
            snapshot.principal(ix)?.is_user().then_some(ix)
        }
        Member::ServiceAccount { email, uid: None } => {
            let ix = find_email(snapshot, email)?;
            (!snapshot.principal(ix)?.is_user()).then_some(ix)
        }
        Member::ServiceAccount {
            email,
            uid: Some(uid),
        }
        | Member::DeletedServiceAccount { email, uid } => {
            let ix = snapshot.find_uid(uid)?;
            let row = snapshot.principal(ix)?;
            let same = row.email.as_bytes().eq_ignore_ascii_case(email.as_bytes());
            (same && !row.is_user()).then_some(ix)
        }
        Member::Group(_)
        | Member::Domain(_)
        | Member::AllUsers
        | Member::AllAuthenticatedUsers
        | Member::AccountsBelow { .. }
        | Member::PoolSubject { .. }
        | Member::PoolSet { .. } => None,
    }
}

/// Finds an e-mail written in any case, without allocation.
fn find_email(snapshot: &Snapshot, email: &str) -> Option<PrincipalIx> {
    if !email.bytes().any(|byte| byte.is_ascii_uppercase()) {
        return snapshot.find_email(email.as_bytes());
    }
    let mut lower = [0_u8; EMAIL_BYTES_MAX];
    let place = lower.get_mut(..email.len())?;
    place.copy_from_slice(email.as_bytes());
    place.make_ascii_lowercase();
    snapshot.find_email(place)
}

/// Longest text of an asserted user or account with its uid: prefix, e-mail, `?uid=`, uid.
const ASSERTED_BYTES_MAX: usize =
    "serviceAccount:?uid=".len() + EMAIL_BYTES_MAX + crate::limits::ID_BYTES_MAX;

/// The text under which `Rules::asserted` knows a principal: its e-mail in lower case.
fn normal<'t>(text: &'t str, member: &Member<'_>, lower: &'t mut [u8]) -> Option<&'t [u8]> {
    let email = match member {
        Member::User(email) | Member::ServiceAccount { email, .. } => *email,
        _ => return Some(text.as_bytes()),
    };
    if !email.bytes().any(|byte| byte.is_ascii_uppercase()) {
        return Some(text.as_bytes());
    }
    let place = lower.get_mut(..text.len())?;
    place.copy_from_slice(text.as_bytes());
    let start = text.find(':')? + 1;
    place
        .get_mut(start..start + email.len())?
        .make_ascii_lowercase();
    Some(place)
}

/// Fills in the default team `-` of a resource (SPEC 1.4): the entity if one is said, else
/// the team of the account that asks.
pub(super) fn default_team(
    snapshot: &Snapshot,
    resource: &str,
    entity: Option<&str>,
    principal: Option<PrincipalIx>,
) -> Result<String, Refusal> {
    let organization = name::organization(resource).unwrap_or_default();
    let prefix_length = organization.len() + "/teams/-".len();
    let rest = resource.get(prefix_length..).unwrap_or_default();
    let team = match entity {
        Some(entity) => entity,
        None => principal
            .and_then(|ix| snapshot.identity(ix))
            .and_then(Identity::account)
            .and_then(|account| snapshot.node(account.default_team))
            .map(|row| row.name.as_str())
            .unwrap_or_default(),
    };
    if team.is_empty() {
        let description = "the default team `-` needs a team, and this principal has none";
        return refuse("resource", description.to_owned());
    }
    if name::organization(team) != Some(organization) {
        let field = if entity.is_some() {
            "entity"
        } else {
            "resource"
        };
        let expectation = format!("a team of `{organization}` for the default team `-`");
        return refuse(field, expected(team, &expectation));
    }
    let resolved = [team, rest].concat();
    match name::parse(&resolved) {
        Ok(_) => Ok(resolved),
        Err(fault) => refuse(
            "resource",
            format!("with the default team filled in, {fault}"),
        ),
    }
}
