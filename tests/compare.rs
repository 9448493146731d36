//! Comparisons of two snapshots against every single decision, on random graphs (SPEC 14, 16).

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    reason = "a test fails by panicking"
)]

#[path = "reference/engine.rs"]
#[expect(clippy::allow_attributes, reason = "no test uses all of it")]
#[allow(dead_code, reason = "shared")]
mod engine;
#[path = "reference/random/lib.rs"]
#[expect(clippy::allow_attributes, reason = "no test uses all of it")]
#[allow(dead_code, reason = "shared")]
mod random;
#[path = "reference/lib.rs"]
#[expect(clippy::allow_attributes, reason = "no test uses all of it")]
#[allow(dead_code, reason = "shared")]
mod reference;

use std::collections::{BTreeMap, BTreeSet};

use postern::decide::compare::{ANONYMOUS, Change, Comparison, keys};
use postern::decide::lookup::{Lookup, Page};
use postern::decide::{authorize, verify_key};
use postern::graph::snapshot::{KeyIx, Snapshot};
use postern::model::lookup::{Lookup as Asked, Verdict};
use postern::model::outcome::{Answer, Effect, KeyCode};
use postern::model::principal::PrincipalIx;
use postern::model::query::{KeyDigests, KeyQuery, Query, Subject, UnixTime};
use serde_json::Value as Json;

use random::dice::Dice;
use random::{asks, graph, levers};

const GRAPHS: u64 = 40;

fn now() -> UnixTime {
    UnixTime(asks::now())
}

fn subject(text: &str) -> Subject<'_> {
    match text {
        ANONYMOUS => Subject::Anonymous,
        text => Subject::Principal(text),
    }
}

/// Another file that differs in a little, and still builds.
fn changed(dice: &Dice, file: &Json) -> Option<(Json, Snapshot)> {
    for _ in 0..40 {
        let mut other = file.clone();
        for _ in 0..dice.range(1, 3) {
            if dice.percent(50) {
                let lever = levers::ALL[dice.below(levers::ALL.len())];
                other = levers::pull_on_file(&other, lever);
            } else {
                mutate(dice, &mut other);
            }
        }
        if other != *file
            && let Ok(snapshot) = engine::build(&other)
        {
            return Some((other, snapshot));
        }
    }
    None
}

/// Takes something out of an entity, or all of it.
fn mutate(dice: &Dice, file: &mut Json) {
    let entities = file["entities"].as_array_mut().unwrap();
    let at = dice.below(entities.len());
    let kind = entities[at]
        .as_object()
        .unwrap()
        .keys()
        .next()
        .unwrap()
        .clone();
    if dice.percent(40) {
        entities.remove(at);
        return;
    }
    let body = &mut entities[at][&kind];
    for list in ["bindings", "members", "rules", "permissions", "seats"] {
        let list = body.get_mut(list).and_then(Json::as_array_mut);
        if let Some(list) = list.filter(|list| !list.is_empty()) {
            let at = dice.below(list.len());
            let inner = list[at].get_mut("members").and_then(Json::as_array_mut);
            if let Some(inner) = inner.filter(|inner| inner.len() > 1) {
                inner.remove(dice.below(inner.len()));
            } else {
                list.remove(at);
            }
            return;
        }
    }
    match kind.as_str() {
        "project" => body["visibility"] = dice.pick(&["TEAM", "PUBLIC", "OPEN"]).to_owned().into(),
        "user" | "service_account" | "key" => body["disabled"] = true.into(),
        _ => {}
    }
}

/// Names of both sides by which anything can be asked.
fn names(sides: [&Snapshot; 2]) -> (BTreeSet<String>, BTreeSet<String>) {
    let (mut nodes, mut principals) = (BTreeSet::new(), BTreeSet::from([ANONYMOUS.to_owned()]));
    for snapshot in sides {
        let rows = (0..snapshot.node_count()).map(|ix| snapshot.node(ix).unwrap());
        nodes.extend(rows.map(|row| row.name.as_str().to_owned()));
        // The uid of a deleted account is nobody's who could ask.
        let living = (0..snapshot.principal_count())
            .map(PrincipalIx)
            .filter(|ix| !snapshot.principal(*ix).unwrap().deleted);
        principals.extend(living.map(|ix| snapshot.principal_member(ix)));
        principals.extend(snapshot.rules().federated.iter().map(ToString::to_string));
    }
    (nodes, principals)
}

type Permissions = BTreeMap<String, bool>;

fn allowed(snapshot: &Snapshot, principal: &str, resource: &str) -> Permissions {
    let query = Query {
        subject: subject(principal),
        resource,
        ..Query::EMPTY
    };
    let Ok(mut lookup) = Lookup::new(snapshot, &Asked::Permissions { query }, now()) else {
        return Permissions::new();
    };
    let mut page = Page {
        at: 0,
        items: Vec::new(),
        room: usize::MAX,
        steps: 0,
    };
    lookup.run(&mut page, u64::MAX);
    let items = page.items.into_iter();
    items
        .map(|item| (item.name, matches!(item.verdict, Verdict::Allowed(_))))
        .collect()
}

/// `allowed` is what `Authorize` says; of a few permissions, for it is slow.
fn is_what_authorize_says(
    dice: &Dice,
    snapshot: &Snapshot,
    (principal, resource): (&str, &str),
    allowed: &Permissions,
) {
    let names: Vec<&str> = snapshot
        .permissions()
        .iter()
        .map(|(_, row)| &*row.name)
        .collect();
    for _ in 0..4 {
        let permission = *dice.pick(&names);
        let query = Query {
            subject: subject(principal),
            permission,
            resource,
            ..Query::EMPTY
        };
        let answer = authorize(snapshot, &query, now());
        let allows = matches!(answer, Answer::Decided(d) if d.effect == Effect::Allow);
        let found = allowed.get(permission) == Some(&true);
        assert_eq!(found, allows, "{principal} {permission} {resource}");
    }
}

type Triples = BTreeSet<(Change, String, String, String)>;

/// Every triple that changes, by deciding them all.
fn every_one(dice: &Dice, before: &Snapshot, after: &Snapshot) -> Triples {
    let (nodes, principals) = names([before, after]);
    let mut triples = Triples::new();
    for resource in &nodes {
        for principal in &principals {
            let (old, new) = (
                allowed(before, principal, resource),
                allowed(after, principal, resource),
            );
            is_what_authorize_says(dice, before, (principal, resource), &old);
            is_what_authorize_says(dice, after, (principal, resource), &new);
            for permission in old.keys().chain(new.keys()) {
                let change = match (old.get(permission), new.get(permission)) {
                    (old, new) if old == new => continue,
                    (_, Some(true)) => Change::Gained,
                    (Some(true), _) => Change::Lost,
                    (None, _) => Change::MayGain,
                    (_, None) => Change::MayLose,
                    _ => panic!("all pairs are above"),
                };
                triples.insert((
                    change,
                    principal.clone(),
                    permission.clone(),
                    resource.clone(),
                ));
            }
        }
    }
    triples
}

/// The triples of the groups, each once.
fn spelled_out(comparison: &Comparison<'_>) -> Triples {
    let mut triples = Triples::new();
    for group in comparison.groups() {
        for principal in &group.principals {
            for permission in &group.permissions {
                let triple = (
                    group.change,
                    principal.clone(),
                    permission.clone(),
                    group.resource.clone(),
                );
                assert!(triples.insert(triple), "twice: {principal} {permission}");
            }
        }
    }
    triples
}

fn check_counts(comparison: &Comparison<'_>, triples: &Triples) {
    let tally = &comparison.tally;
    assert_eq!(tally.ungrouped, 0);
    for change in Change::ALL {
        let count = |is: &dyn Fn(&str) -> bool| {
            let of = triples
                .iter()
                .filter(|(c, _, _, resource)| *c == change && is(resource));
            u64::try_from(of.count()).unwrap()
        };
        assert_eq!(tally.triples.of(change), count(&|_| true));
        for (name, found) in tally.organizations.iter() {
            let below = |resource: &str| resource.split('/').take(2).eq(name.split('/'));
            assert_eq!(found.of(change), count(&below), "{name}");
        }
        for (name, found) in &tally.teams {
            let nearest = |resource: &str| {
                let rest = resource.strip_prefix(name.as_str());
                rest.is_some_and(|r| (r.is_empty() || r.starts_with('/')) && !r.contains("/teams/"))
            };
            assert_eq!(found.of(change), count(&nearest), "{name}");
        }
    }
}

// SPEC 14, 16: exact, whatever differs.
#[test]
fn what_changes_is_what_deciding_every_triple_on_both_sides_shows() {
    let catalogue = reference::catalogue::get();
    let (mut compared, mut skipped, mut seen) = (0, 0, BTreeSet::new());
    for seed in 0..GRAPHS {
        let dice = Dice::new(seed + 70_000);
        let file = graph::snapshot(&dice, &catalogue).file();
        let Ok(before) = engine::build(&file) else {
            continue;
        };
        let Some((_, after)) = changed(&dice, &file) else {
            continue;
        };
        let mut comparison = Comparison::new(&before, &after, now(), u64::MAX);
        while comparison.run(3) {}
        assert!(comparison.tally.is_exact());
        let expected = every_one(&dice, &before, &after);
        let found = spelled_out(&comparison);
        let missed: Vec<_> = expected.difference(&found).take(5).collect();
        let invented: Vec<_> = found.difference(&expected).take(5).collect();
        assert!(
            missed.is_empty() && invented.is_empty(),
            "seed {seed}: missed {missed:?}, invented {invented:?}"
        );
        check_counts(&comparison, &expected);
        seen.extend(expected.iter().map(|(change, ..)| *change));
        compared += 1;
        let (nodes, principals) = names([&before, &after]);
        let all = u64::try_from(nodes.len() * principals.len()).unwrap();
        skipped += usize::from(comparison.tally.pairs * 2 < all);
    }
    assert!(compared > 25, "{compared} graphs were compared");
    assert!(skipped > 5, "in {skipped} most pairs need no decision");
    assert!(seen.len() >= 3, "{seen:?}");
}

#[test]
fn a_snapshot_does_not_differ_from_itself() {
    let catalogue = reference::catalogue::get();
    for seed in 0..20 {
        let file = graph::snapshot(&Dice::new(seed), &catalogue).file();
        let (Ok(before), Ok(after)) = (engine::build(&file), engine::build(&file)) else {
            continue;
        };
        let mut comparison = Comparison::new(&before, &after, now(), 1_000);
        assert!(!comparison.run(u64::MAX));
        assert_eq!(comparison.tally.pairs, 0, "seed {seed}");
        let found = keys::compare(&before, &after, (&BTreeSet::new(), &BTreeSet::new()), now());
        assert_eq!(found, keys::Keys::default());
    }
}

#[test]
fn a_part_is_a_part_of_the_whole_and_says_so() {
    let catalogue = reference::catalogue::get();
    let mut parts = 0;
    for seed in 0..GRAPHS {
        let dice = Dice::new(seed + 90_000);
        let file = graph::snapshot(&dice, &catalogue).file();
        let Ok(before) = engine::build(&file) else {
            continue;
        };
        let Some((_, after)) = changed(&dice, &file) else {
            continue;
        };
        let run = |decisions: u64| {
            let mut comparison = Comparison::new(&before, &after, now(), decisions);
            while comparison.run(u64::MAX) {}
            comparison
        };
        let (whole, part) = (run(u64::MAX), run(6_000));
        if part.tally.is_exact() {
            assert_eq!(spelled_out(&part), spelled_out(&whole));
            continue;
        }
        parts += 1;
        assert!(part.tally.examined < part.tally.pairs);
        assert_eq!(part.tally.pairs, whole.tally.pairs);
        assert!(spelled_out(&part).is_subset(&spelled_out(&whole)));
        // None is drawn twice, and all are drawn in the end.
        let each = u64::try_from(before.permissions().len().max(after.permissions().len()));
        let nearly = run((whole.tally.pairs - 1) * each.unwrap() * 2);
        assert_eq!(nearly.tally.examined, whole.tally.pairs - 1);
        let missing = spelled_out(&whole)
            .difference(&spelled_out(&nearly))
            .count();
        let pairs: BTreeSet<_> = spelled_out(&whole)
            .difference(&spelled_out(&nearly))
            .map(|(_, principal, _, resource)| (principal.clone(), resource.clone()))
            .collect();
        assert!(pairs.len() <= 1, "{missing} triples of {pairs:?}");
    }
    assert!(parts > 5, "{parts} comparisons were cut");
}

fn code(snapshot: &Snapshot, digests: &KeyDigests) -> KeyCode {
    let query = KeyQuery {
        digests,
        source_ip: None,
        permission: None,
        resource: None,
    };
    verify_key(snapshot, &query, now()).unwrap().code
}

// SPEC 9.2
#[test]
fn a_key_stops_when_it_no_longer_verifies_and_loses_when_its_owner_does() {
    let catalogue = reference::catalogue::get();
    let (mut stopped, mut lost) = (0, 0);
    for seed in 0..GRAPHS {
        let dice = Dice::new(seed + 70_000);
        let file = graph::snapshot(&dice, &catalogue).file();
        let Ok(before) = engine::build(&file) else {
            continue;
        };
        let Some((_, after)) = changed(&dice, &file) else {
            continue;
        };
        let mut comparison = Comparison::new(&before, &after, now(), u64::MAX);
        while comparison.run(u64::MAX) {}
        let (losers, winners) = comparison.touched();
        let found = keys::compare(&before, &after, (&losers, &winners), now());
        let (mut stop, mut lose) = (BTreeSet::new(), BTreeSet::new());
        for ix in 0_u32.. {
            let Some(row) = before.key(KeyIx(ix)) else {
                break;
            };
            let digests = KeyDigests::Digested {
                sha256: if row.is_hmac { [0; 32] } else { row.digest },
                hmac_sha256: row.is_hmac.then_some(row.digest),
            };
            let holds = |code| matches!(code, KeyCode::Valid | KeyCode::IpNotAllowed);
            if !holds(code(&before, &digests)) {
                continue;
            }
            let name = before.key_facts(KeyIx(ix)).name;
            let owner = before.principal_member(PrincipalIx(row.owner));
            if !holds(code(&after, &digests)) {
                stop.insert(name);
            } else if spelled_out(&comparison)
                .iter()
                .any(|(change, who, ..)| *change == Change::Lost && *who == owner)
            {
                lose.insert(name);
            }
        }
        stopped += stop.len();
        lost += lose.len();
        assert_eq!(found.stop.keys().cloned().collect::<BTreeSet<_>>(), stop);
        assert_eq!(found.lose, lose);
        assert_eq!(found.losing(), stop.len() + lose.len());
        let back = keys::compare(&after, &before, (&winners, &losers), now());
        assert_eq!(back.start.len(), found.stop.len());
    }
    assert!(stopped > 3 && lost > 3, "{stopped} {lost}");
}
