//! Who may do p on R?
//!
//! Candidates in order: everyone, the authenticated, the pools, the federated principals that
//! policies or groups name, the users and service accounts. With impersonation the same again
//! for each service account, in turn.

use super::{Candidate, Context, DECISION, Examined, PASS, Scan, node, resource};
use crate::decide::shape::Shape;
use crate::decide::subject::{self, Who};
use crate::decide::{Refusal, Target};
use crate::graph::rows::{Grant, Grants, Holders, Identity, NONE, PrincipalRow};
use crate::graph::snapshot::Snapshot;
use crate::graph::text::Text;
use crate::model::lookup::{IMPERSONATION, Item, Through, Verdict};
use crate::model::node::Visibility;
use crate::model::outcome::{Actor, Reason};
use crate::model::permission::PermissionIx;
use crate::model::principal::{AccountKind, PrincipalIx};
use crate::model::query::{Query, Subject};
use crate::model::value::{Struct, Value};

pub(super) struct Principals<'a> {
    context: Context<'a>,
    query: Query<'a>,
    permission: PermissionIx,
    name: String,
    target: Target<'a>,
    /// Who made the thing, if the snapshot knows them.
    maker: Option<PrincipalIx>,
    agents: bool,
    impersonation: bool,
    /// The account whose impersonators are being looked for.
    account: Option<Account<'a>>,
}

/// An account that may be acted as.
struct Account<'a> {
    principal: u32,
    /// `None`: it may not do it itself.
    way: Option<Way<'a>>,
}

struct Way<'a> {
    target: Target<'a>,
    name: &'a str,
    member: String,
    /// What was said, and an attachment to the account's own parent: somewhere it may be
    /// attached, if anywhere.
    context: Struct,
}

/// One of those who may be found.
#[derive(Clone, Copy)]
enum One<'a> {
    Everyone,
    Authenticated,
    /// A subject of the pool that no policy names.
    Pool(&'a str),
    Federated(&'a str),
    Known(PrincipalIx, &'a PrincipalRow),
}

pub(super) fn begin<'a>(
    context: Context<'a>,
    query: Query<'a>,
    agents: bool,
    impersonation: bool,
) -> Result<Result<Scan<'a>, Reason>, Refusal> {
    let snapshot = context.snapshot;
    let query = Query {
        subject: Subject::Anonymous,
        ..query
    };
    let known = snapshot.permissions().find(query.permission);
    let shape = Shape::read(&query, false, known.is_some(), false)?;
    let (name, target) = resource(snapshot, &query, &shape, &Who::NOBODY)?;
    let Some(target) = target else {
        return Ok(Err(Reason::ResourceNotFound));
    };
    let Some(permission) = known else {
        return Ok(Err(Reason::PermissionUnknown));
    };
    let maker = shape.created_by;
    Ok(Ok(Scan::Principals(Box::new(Principals {
        context,
        query,
        permission,
        name,
        target,
        maker: maker.and_then(|maker| subject::principal(snapshot, &maker)),
        agents,
        impersonation,
        account: None,
    }))))
}

fn wide(count: usize) -> u64 {
    u64::try_from(count).unwrap_or(u64::MAX)
}

impl<'a> Principals<'a> {
    /// How many may be found.
    fn count(&self) -> u64 {
        let snapshot = self.context.snapshot;
        let rules = snapshot.rules();
        let named = wide(rules.known_pools.len()).saturating_add(wide(rules.federated.len()));
        named
            .saturating_add(2)
            .saturating_add(u64::from(snapshot.principal_count()))
    }

    pub(super) fn end(&self) -> u64 {
        let accounts = u64::from(self.context.snapshot.principal_count());
        let turns = if self.impersonation { accounts } else { 0 };
        self.count().saturating_mul(turns.saturating_add(1))
    }

    fn one(&self, at: u64) -> Option<One<'a>> {
        let snapshot = self.context.snapshot;
        let rules = snapshot.rules();
        let mut at = match at {
            0 => return Some(One::Everyone),
            1 => return Some(One::Authenticated),
            _ => at.checked_sub(2)?,
        };
        if let Some(pool) = usize::try_from(at).map_or(None, |at| rules.known_pools.get(at)) {
            return Some(One::Pool(pool));
        }
        at = at.checked_sub(wide(rules.known_pools.len()))?;
        if let Some(text) = usize::try_from(at).map_or(None, |at| rules.federated.get(at)) {
            return Some(One::Federated(text));
        }
        at = at.checked_sub(wide(rules.federated.len()))?;
        let ix = PrincipalIx(u32::try_from(at).ok()?);
        let row = snapshot.principal(ix)?;
        let is_agent = || {
            let account = snapshot.identity(ix).and_then(Identity::account);
            account.is_none_or(|account| account.kind == AccountKind::ServiceAgent)
        };
        let hidden = !row.is_user() && !self.agents && is_agent();
        (!hidden).then_some(One::Known(ix, row))
    }

    pub(super) fn examine(&mut self, at: u64) -> Examined {
        let count = self.count();
        let next = at.saturating_add(1);
        let (turn, at) = (at.checked_div(count), at.checked_rem(count));
        let (Some(turn), Some(at)) = (turn, at) else {
            return passed(u64::MAX);
        };
        let Some(account) = turn.checked_sub(1) else {
            let Some(one) = self.one(at) else {
                return passed(next);
            };
            let verdict = self.with(one, &self.query, |who| {
                self.context.judge(&Candidate {
                    query: &self.query,
                    who,
                    name: &self.name,
                    permission: self.permission,
                    target: &self.target,
                })
            });
            let item = verdict.flatten().map(|verdict| Item {
                name: self.text(one),
                verdict,
                through: None,
            });
            return Examined {
                item,
                next,
                steps: DECISION,
            };
        };
        let Ok(account) = u32::try_from(account) else {
            return passed(u64::MAX);
        };
        let entered = self.enter(account);
        let Some(way) = self.account.as_ref().and_then(|a| a.way.as_ref()) else {
            return Examined {
                item: None,
                next: turn.saturating_add(1).saturating_mul(count),
                steps: entered,
            };
        };
        let found = self
            .one(at)
            .and_then(|one| Some((one, self.hop(one, account, way)?)));
        let steps = match found {
            None => PASS,
            Some(_) => DECISION.saturating_mul(wide(IMPERSONATION.len())),
        };
        let found = found.filter(|(_, (_, permissions))| !permissions.is_empty());
        Examined {
            item: found.map(|(one, (reason, permissions))| Item {
                name: self.text(one),
                verdict: Verdict::Allowed(reason),
                through: Some(Through {
                    account: way.member.clone(),
                    permissions,
                }),
            }),
            next,
            steps: steps.saturating_add(entered),
        }
    }

    /// Turns to an account; the steps it took.
    fn enter(&mut self, principal: u32) -> u64 {
        if (self.account.as_ref()).is_some_and(|account| account.principal == principal) {
            return 0;
        }
        let way = self.way(principal);
        self.account = Some(Account { principal, way });
        DECISION
    }

    /// The account, if it may do it itself.
    fn way(&self, principal: u32) -> Option<Way<'a>> {
        let snapshot = self.context.snapshot;
        let ix = PrincipalIx(principal);
        let row = snapshot.principal(ix)?;
        let account = row.account?;
        let own = self.with(One::Known(ix, row), &self.query, |who| {
            self.context.judge(&Candidate {
                query: &self.query,
                who,
                name: &self.name,
                permission: self.permission,
                target: &self.target,
            })
        });
        if !matches!(own.flatten(), Some(Verdict::Allowed(_))) {
            return None;
        }
        let target = node(snapshot, account.node)?;
        let parent = snapshot.node(target.row.parent)?;
        let mut context = self.query.context.clone();
        context.0.retain(|(name, _)| name != "attached_resource");
        let attached = Value::String(parent.name.as_str().to_owned());
        context.0.push(("attached_resource".to_owned(), attached));
        Some(Way {
            target,
            name: target.row.name.as_str(),
            member: snapshot.principal_member(ix),
            context,
        })
    }

    /// By which permissions one could act as the account, and the first one's reason; `None`
    /// if nothing of the account's is granted to it.
    fn hop(
        &self,
        one: One<'a>,
        account: u32,
        way: &Way<'a>,
    ) -> Option<(Reason, Vec<&'static str>)> {
        if matches!(one, One::Known(ix, _) if ix.0 == account) {
            return None;
        }
        let query = Query {
            context: &way.context,
            resource_attributes: &Struct::EMPTY,
            ..self.query
        };
        self.with(one, &query, |who| {
            touches(self.context.snapshot, who, &way.target).then(|| self.acts(who, &query, way))
        })?
    }

    fn acts(&self, who: &Who<'_>, query: &Query<'_>, way: &Way<'_>) -> (Reason, Vec<&'static str>) {
        let mut first = Reason::NoGrant;
        let mut found = Vec::new();
        for name in IMPERSONATION {
            let Some(permission) = self.context.snapshot.permissions().find(name) else {
                continue;
            };
            let verdict = self.context.judge(&Candidate {
                query,
                who,
                name: way.name,
                permission,
                target: &way.target,
            });
            if let Some(Verdict::Allowed(reason)) = verdict {
                if found.is_empty() {
                    first = reason;
                }
                found.push(name);
            }
        }
        (first, found)
    }

    /// Asks something of one of those who may be found.
    fn with<T>(&self, one: One<'_>, query: &Query<'_>, ask: impl Fn(&Who<'_>) -> T) -> Option<T> {
        let snapshot = self.context.snapshot;
        let federated = |text: &str| {
            let query = Query {
                subject: Subject::Principal(text),
                ..*query
            };
            // Its form was checked when the snapshot was made.
            let shape = Shape::read(&query, true, true, false).ok()?;
            let who = subject::resolve(snapshot, &query, &shape, None, self.context.now);
            // Of a pool that is not there it would be anybody.
            matches!(who.actor, Actor::Federated(_)).then(|| ask(&who))
        };
        match one {
            One::Everyone => Some(ask(&Who::NOBODY)),
            One::Authenticated => {
                let row = nobody_in_particular();
                Some(ask(&Who::known(PrincipalIx(NONE), &row)))
            }
            One::Pool(pool) => {
                let mut text = ["principal://", pool, "/subject/-"].concat();
                let asserted = &snapshot.rules().asserted;
                while asserted.contains_key(text.as_bytes()) {
                    text.push('-');
                }
                federated(&text)
            }
            One::Federated(text) => federated(text),
            One::Known(ix, row) => {
                // Of an account, nothing is said.
                let said = query.resource_attributes.get("created_by").is_some();
                let is_creator = said && self.maker == Some(ix);
                let known = Who::known(ix, row);
                Some(ask(&Who {
                    is_creator,
                    ..known
                }))
            }
        }
    }

    fn text(&self, one: One<'_>) -> String {
        match one {
            One::Everyone => "allUsers".to_owned(),
            One::Authenticated => "allAuthenticatedUsers".to_owned(),
            One::Pool(pool) => ["principalSet://", pool, "/*"].concat(),
            One::Federated(text) => text.to_owned(),
            One::Known(ix, _) => self.context.snapshot.principal_member(ix),
        }
    }
}

const fn passed(next: u64) -> Examined {
    Examined {
        item: None,
        next,
        steps: PASS,
    }
}

/// A user of no organization, group, domain or binding.
fn nobody_in_particular() -> PrincipalRow {
    PrincipalRow {
        email: Text::new(""),
        grants: Grants::EMPTY,
        holders: Holders::new(&[], NONE),
        account: None,
        disabled: false,
        deleted: false,
        limited_seats: false,
    }
}

/// Whether anything at or above the target could grant: if not, nothing does.
fn touches(snapshot: &Snapshot, who: &Who<'_>, target: &Target<'_>) -> bool {
    let on_path = |grant: &Grant| {
        snapshot.ancestor(target.node, target.row, grant.level()) == Some(grant.node)
    };
    let any = |grants: &Grants| grants.as_slice().iter().any(on_path);
    let rules = snapshot.rules();
    let conditional = match who.actor {
        Actor::Known(ix) => rules.principals.contains_key(&ix.0),
        Actor::Anonymous | Actor::Asserted(_) | Actor::Federated(_) | Actor::Unproven => false,
    };
    let visible = target
        .project
        .is_some_and(|row| matches!(row.visibility, Visibility::Public | Visibility::Open));
    visible
        || conditional
        || any(snapshot.all_users())
        || any(snapshot.all_authenticated())
        || who
            .row
            .is_some_and(|row| any(&row.grants) || row.account.is_some_and(|a| a.implicit != NONE))
        || who
            .standing(snapshot)
            .rows()
            .any(|row| any(snapshot.holder(row)) || rules.holders.contains_key(&row))
}
