//! The hops of a delegation chain (SPEC 10.1).

use crate::decide::delegation::{self, HOP};
use crate::decide::explain::allow::Allow;
use crate::decide::explain::{Hop, Line as _, members};
use crate::decide::subject::Who;
use crate::decide::{Asked, Permission, Target, credential, effect, find};
use crate::graph::snapshot::Snapshot;
use crate::model::outcome::{Effect, Reason};
use crate::model::value::Struct;

/// A hop as the engine asks it.
pub(super) struct Ask<'s> {
    pub(super) who: Who<'s>,
    pub(super) permission: Permission<'s>,
    pub(super) name: String,
    pub(super) target: Option<Target<'s>>,
    /// What is said of the resource: of the target only.
    attributes: &'s Struct,
    pub(super) reason: Reason,
}

/// Every hop, the first that is broken included.
pub(super) fn asks<'s>(
    snapshot: &'s Snapshot,
    asked: &Asked<'s, 's>,
    permission: Permission<'s>,
    target: &Target<'s>,
) -> Vec<Ask<'s>> {
    let mut hops = Vec::new();
    if asked.query.delegates.is_empty() {
        return hops;
    }
    let hop = snapshot.permissions().find(HOP);
    let Some(hop) = hop.and_then(|ix| Some((ix, snapshot.permissions().get(ix)?))) else {
        return hops;
    };
    let mut who = again(asked.who);
    for delegate in asked.query.delegates {
        let next = delegation::delegate_of(snapshot, asked, &who, delegate, hop);
        let mut ask = Ask {
            target: find(snapshot, delegate, false),
            who,
            permission: hop,
            name: delegate.clone(),
            attributes: const { &Struct::EMPTY },
            reason: Reason::ResourceNotFound,
        };
        if let Some(target) = &ask.target {
            let reason = ask.step(snapshot, asked, target);
            ask.reason = match (effect(reason), &next) {
                // It may, and the delegate is disabled, or no account.
                (Effect::Allow, None) => Reason::DelegationBroken,
                (Effect::Allow, Some(_)) | (Effect::Deny, _) => reason,
            };
        }
        hops.push(ask);
        match next {
            Some(next) => who = next,
            None => return hops,
        }
    }
    let mut ask = Ask {
        who,
        permission,
        name: asked.name.to_owned(),
        target: Some(*target),
        attributes: asked.attributes,
        reason: Reason::NoGrant,
    };
    ask.reason = ask.step(snapshot, asked, target);
    hops.push(ask);
    hops
}

/// The same principal once more: a row is not cloned.
fn again<'s>(who: &Who<'s>) -> Who<'s> {
    Who { ..*who }
}

/// The same for people.
pub(super) fn hops(
    snapshot: &Snapshot,
    asked: &Asked<'_, '_>,
    permission: Permission<'_>,
    target: &Target<'_>,
) -> Vec<Hop> {
    let hop = |ask: Ask<'_>| {
        let policies = ask.target.as_ref().map_or_else(Vec::new, |target| {
            let hop = ask.asked(asked);
            let allow = Allow::of(snapshot, &hop, ask.permission, target);
            let mut policies = allow.policies(snapshot);
            for policy in &mut policies {
                let count = policy.lines.len();
                policy.lines.retain(|line| line.is_relevant());
                let hidden = count.saturating_sub(policy.lines.len());
                policy.left_out = policy.left_out.saturating_add(hidden);
            }
            policies.retain(|policy| !policy.lines.is_empty());
            policies
        });
        Hop {
            principal: members::member(snapshot, ask.who.actor),
            permission: ask.permission.1.name.to_string(),
            resource: ask.name,
            reason: ask.reason,
            policies,
        }
    };
    let asks = asks(snapshot, asked, permission, target);
    asks.into_iter().map(hop).collect()
}

impl Ask<'_> {
    fn step(&self, snapshot: &Snapshot, asked: &Asked<'_, '_>, target: &Target<'_>) -> Reason {
        let asked = self.asked(asked);
        let narrowed = credential::narrowed(snapshot, &asked, &self.name, Some(target));
        narrowed.unwrap_or_else(|| {
            delegation::step(snapshot, &asked, &self.who, self.permission, target)
        })
    }

    /// As a question of its own.
    pub(super) fn asked<'q>(&'q self, asked: &Asked<'q, 'q>) -> Asked<'q, 'q> {
        Asked {
            permission: Some(self.permission.0),
            name: &self.name,
            attributes: self.attributes,
            who: &self.who,
            ..*asked
        }
    }
}
