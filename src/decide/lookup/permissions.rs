//! What may P do on R?

use super::{Candidate, Context, DECISION, Examined, Scan, resource};
use crate::decide::shape::Shape;
use crate::decide::subject::{self, Who};
use crate::decide::{Refusal, Target};
use crate::model::lookup::Item;
use crate::model::outcome::Reason;
use crate::model::permission::PermissionIx;
use crate::model::query::Query;

pub(super) struct Permissions<'a> {
    context: Context<'a>,
    query: Query<'a>,
    who: Who<'a>,
    name: String,
    target: Target<'a>,
}

pub(super) fn begin<'a>(
    context: Context<'a>,
    query: Query<'a>,
) -> Result<Result<Scan<'a>, Reason>, Refusal> {
    let Context { snapshot, now } = context;
    let shape = Shape::read(&query, false, true, false)?;
    let who = subject::resolve(snapshot, &query, &shape, None, now);
    if let Some(reason) = who.failed {
        return Ok(Err(reason));
    }
    let (name, target) = resource(snapshot, &query, &shape, &who)?;
    if who.disabled {
        return Ok(Err(Reason::PrincipalDisabled));
    }
    let Some(target) = target else {
        return Ok(Err(Reason::ResourceNotFound));
    };
    Ok(Ok(Scan::Permissions(Permissions {
        context,
        query,
        who,
        name,
        target,
    })))
}

impl Permissions<'_> {
    pub(super) fn end(&self) -> u64 {
        let count = self.context.snapshot.permissions().len();
        u64::try_from(count).unwrap_or(u64::MAX)
    }

    pub(super) fn examine(&self, at: u64) -> Examined {
        Examined {
            item: self.item(at),
            next: at.saturating_add(1),
            steps: DECISION,
        }
    }

    fn item(&self, at: u64) -> Option<Item> {
        let permission = PermissionIx(u16::try_from(at).ok()?);
        let verdict = self.context.judge(&Candidate {
            query: &self.query,
            who: &self.who,
            name: &self.name,
            permission,
            target: &self.target,
        })?;
        let row = self.context.snapshot.permissions().get(permission)?;
        Some(Item {
            name: row.name.to_string(),
            verdict,
            through: None,
        })
    }
}
