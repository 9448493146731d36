//! Explanations against decisions, on random graphs and questions (SPEC 11.3): they agree,
//! what they tell is consistent, and every change that is offered does what it says when it is
//! made in the document and the snapshot is built anew.
//!
//! `POSTERN_MODEL_SEED` and `POSTERN_EXPLAIN_GRAPHS` choose where to start and how many graphs
//! to try.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    clippy::disallowed_methods,
    clippy::print_stdout,
    reason = "a test fails by panicking, reads its seed, and prints what it found"
)]

#[path = "explain/apply.rs"]
mod apply;
#[expect(clippy::allow_attributes, reason = "no test uses all of it")]
#[allow(dead_code, reason = "shared")]
#[path = "reference/engine.rs"]
mod engine;
#[expect(clippy::allow_attributes, reason = "no test uses all of it")]
#[allow(dead_code, reason = "shared")]
#[path = "reference/random/lib.rs"]
mod random;
#[expect(clippy::allow_attributes, reason = "no test uses all of it")]
#[allow(dead_code, reason = "shared")]
#[path = "reference/lib.rs"]
mod reference;

use std::collections::BTreeMap;

use postern::decide;
use postern::decide::explain::explain;
use postern::decide::explain::parts::{BindingEffect, Change, Explanation, Step};
use postern::graph::document::Document;
use postern::graph::snapshot::Snapshot;
use postern::graph::{self, Options};
use postern::model::outcome::{Answer, Decision, Effect, Reason};
use postern::model::query::{Query, UnixTime};
use random::dice::Dice;
use random::{asks, graph as graphs};
use reference::question::{Question, Subject as Asker};
use reference::world::World;

const GRAPHS: u64 = 60;
const QUESTIONS: usize = 60;
/// Most changes of one graph that are made in its document: each is a build.
const APPLIED: usize = 25;

/// Every kind of change; RaiseQuota is too rare to count on.
const CHANGES: [&str; 12] = [
    "AddToBoundary",
    "AddToGroup",
    "EnablePrincipal",
    "EnableService",
    "ExceptFromDeny",
    "GiveSeat",
    "GrantRole",
    "LiftConstraint",
    "RemoveFromGroup",
    "RevokeRole",
    "SetVisibility",
    "TurnSettingOff",
];

fn number(variable: &str, otherwise: u64) -> u64 {
    std::env::var(variable).map_or(otherwise, |text| text.parse().unwrap())
}

fn build(document: &Document) -> Result<Snapshot, String> {
    let options = Options {
        has_pepper: true,
        hash_seed: 1,
    };
    let built = graph::build(document, None, &options);
    built
        .map(|b| b.snapshot)
        .map_err(|issues| issues.to_string())
}

/// What was found over all graphs, so that each kind of line is known to have been tested.
#[derive(Default)]
struct Tally(BTreeMap<String, usize>);

impl Tally {
    fn add(&mut self, what: impl Into<String>) {
        *self.0.entry(what.into()).or_default() += 1;
    }
}

// SPEC 11.3
#[test]
fn explanations_agree_and_every_change_does_what_it_says() {
    let catalogue = reference::catalogue::get();
    let first = number("POSTERN_MODEL_SEED", 1);
    let mut tally = Tally::default();
    for seed in first..first + number("POSTERN_EXPLAIN_GRAPHS", GRAPHS) {
        let dice = Dice::new(seed);
        let stock = graphs::snapshot(&dice, &catalogue);
        let questions: Vec<Question> = (0..QUESTIONS)
            .map(|_| asks::question(&dice, &stock))
            .collect();
        let file = stock.file();
        let text = serde_json::to_vec(&file).unwrap();
        let document = postern::wire::feed::decode_one("snapshot.json", &text).unwrap();
        let Ok(snapshot) = build(&document) else {
            continue;
        };
        let mut world = World::read(&file);
        world.pepper = graphs::PEPPER.as_bytes().to_vec();
        let mut applied = 0;
        for (ix, question) in questions.iter().enumerate() {
            engine::with_query(&world, question, |query, now| {
                let place = format!("seed {seed}, question {ix}: {question:?}");
                one(
                    &document,
                    &snapshot,
                    query,
                    now,
                    &place,
                    &mut applied,
                    &mut tally,
                );
                if let Asker::Key(key) = &question.subject {
                    let told = format!("{:?}", explain(&snapshot, query, now));
                    assert!(!told.contains(key.as_str()), "{place}");
                }
            });
        }
    }
    for (what, count) in &tally.0 {
        println!("{count:7} {what}");
    }
    for change in CHANGES {
        let count = tally.0.get(&format!("applied {change}")).copied();
        assert!(count.unwrap_or(0) > 0, "no {change} was offered");
    }
}

fn one(
    document: &Document,
    snapshot: &Snapshot,
    query: &Query<'_>,
    now: UnixTime,
    place: &str,
    applied: &mut usize,
    tally: &mut Tally,
) {
    let explained = explain(snapshot, query, now);
    match (decide::authorize(snapshot, query, now), explained) {
        (Answer::Invalid(one), Err(other)) => {
            assert_eq!(one, other, "{place}");
        }
        (Answer::Decided(decision), Ok(explanation)) => {
            assert_eq!(decision, explanation.decision, "{place}");
            consistent(&explanation, query, place);
            let again = explain(snapshot, query, now).unwrap();
            assert_eq!(format!("{explanation:?}"), format!("{again:?}"), "{place}");
            tally.add(format!(
                "{:?} {:?}",
                explanation.decision.reason, explanation.step
            ));
            for remedy in &explanation.remedies {
                if *applied < APPLIED {
                    *applied += 1;
                    remedied(document, query, now, (&decision, remedy), place, tally);
                }
            }
            if explanation.remedies.is_empty() {
                tally.add(format!("nothing offered for {:?}", decision.reason));
            }
        }
        (decision, explanation) => panic!("{place}: {decision:?} but {explanation:?}"),
    }
}

/// What the lines say of the step that decided is what was decided.
fn consistent(explanation: &Explanation<'_>, query: &Query<'_>, place: &str) {
    let reason = explanation.decision.reason;
    let shown = || format!("{place}\n{explanation:#?}");
    let lines = || explanation.policies.iter().flat_map(|policy| &policy.lines);
    let some = |effect| lines().any(|line| line.effect == effect);
    let denied = explanation
        .denies
        .iter()
        .flat_map(|policy| &policy.lines)
        .any(|rule| rule.denies);
    let rank = |step: Step| match step {
        Step::Freshness => 0,
        Step::Credential | Step::Principal | Step::Resource => 1,
        Step::Permission | Step::Service => 2,
        Step::Boundary => 3,
        Step::DenyPolicy => 4,
        Step::Gate => 5,
        Step::Delegation | Step::Grant => 6,
    };
    let came = rank(explanation.step);
    if came >= 3 {
        assert_eq!(explanation.boundaries.outside, came == 3, "{}", shown());
    }
    if came >= 4 {
        assert_eq!(denied, came == 4, "{}", shown());
    }
    if came < 6 || !query.delegates.is_empty() {
        if came == 6 {
            let hops = &explanation.hops;
            let broken = hops.last().is_none_or(|hop| {
                !matches!(
                    hop.reason,
                    Reason::GrantedByPolicy | Reason::GrantedByScope | Reason::GrantedByVisibility
                )
            });
            assert_eq!(broken, reason == Reason::DelegationBroken, "{}", shown());
        }
        return;
    }
    let granted = some(BindingEffect::Grants);
    let scope = explanation.scope.as_ref().map(|scope| scope.effect);
    let visible = explanation
        .visibility
        .as_ref()
        .is_some_and(|shown| shown.grants);
    let by_scope = scope == Some(BindingEffect::Grants);
    let seat = some(BindingEffect::StoppedBySeat);
    let restricted = some(BindingEffect::StoppedByRestrictedProject)
        || scope == Some(BindingEffect::StoppedByRestrictedProject);
    let expected = if granted {
        Reason::GrantedByPolicy
    } else if by_scope {
        Reason::GrantedByScope
    } else if visible {
        Reason::GrantedByVisibility
    } else if seat {
        Reason::Seat
    } else if restricted {
        Reason::RestrictedProject
    } else {
        match reason {
            Reason::PrincipalUnknown | Reason::Unauthenticated => reason,
            _ => Reason::NoGrant,
        }
    };
    assert_eq!(expected, reason, "{}", shown());
}

/// The changes made in the document, built anew, and asked again.
fn remedied(
    document: &Document,
    query: &Query<'_>,
    now: UnixTime,
    (decision, remedy): (&Decision<'_>, &[Change]),
    place: &str,
    tally: &mut Tally,
) {
    let mut changed = document.clone();
    for change in remedy {
        apply::apply(&mut changed, change);
    }
    let shown = || format!("{place}: {:?}\n{remedy:?}", decision.reason);
    let snapshot = match build(&changed) {
        Ok(snapshot) => snapshot,
        Err(issues) => panic!("{}\nbut then\n{issues}", shown()),
    };
    let Answer::Decided(after) = decide::authorize(&snapshot, query, now) else {
        panic!("{}: no decision", shown());
    };
    let wanted = match decision.effect {
        Effect::Allow => Effect::Deny,
        Effect::Deny => Effect::Allow,
    };
    assert_eq!(
        after.effect,
        wanted,
        "{}\nand then {:?}",
        shown(),
        after.reason
    );
    tally.add(format!(
        "{:?} turned by {} changes",
        decision.reason,
        remedy.len()
    ));
    for change in remedy {
        let text = format!("{change:?}");
        let kind = text.split([' ', '{']).next().unwrap_or_default();
        tally.add(format!("applied {kind}"));
    }
}
