//! `CompareSnapshot`: the request's document, and what was found.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::decide::compare::keys::Keys;
use crate::decide::compare::{Change, Comparison, Count};
use crate::graph::issue::Issues;
use crate::graph::snapshot::Snapshot;
use crate::graph::{self, Options};
use crate::limits::{COMPARE_PAGE_MAX, ISSUES_LOGGED_MAX};
use crate::model::outcome::Violation;
use crate::model::revision::Revision;
use crate::wire::feed::{Form, decode_one};
use crate::wire::proto::postern::v1;
use crate::wire::words;

/// A request whose form is right. It holds digests: no `Debug`.
#[expect(missing_debug_implementations, reason = "it holds digests of keys")]
pub struct Asked {
    document: Vec<u8>,
    name: String,
    /// Most groups, and most keys of each list.
    pub limit: usize,
}

/// Reads a request.
///
/// # Errors
/// Every field that is wrong by itself.
pub fn read(request: v1::CompareSnapshotRequest) -> Result<Asked, Vec<Violation>> {
    let v1::CompareSnapshotRequest {
        snapshot,
        form,
        limit,
    } = request;
    let name = format!("snapshot.{form}");
    let mut violations = Vec::new();
    if snapshot.is_empty() {
        violations.push(violation("snapshot", "missing; expected a whole file"));
    }
    if Form::of(&name).is_none_or(|known| known.extension() != form) {
        let expected = "no form of a snapshot; expected yaml, json, ndjson or pst";
        violations.push(violation("form", expected));
    }
    let limit = match usize::try_from(limit) {
        Ok(0) => COMPARE_PAGE_MAX,
        Ok(limit) if limit <= COMPARE_PAGE_MAX => limit,
        Ok(_) | Err(_) => {
            let expected = format!("{limit}; expected 0 to {COMPARE_PAGE_MAX}");
            violations.push(violation("limit", &expected));
            0
        }
    };
    if !violations.is_empty() {
        return Err(violations);
    }
    Ok(Asked {
        document: snapshot,
        name,
        limit,
    })
}

fn violation(field: &'static str, description: &str) -> Violation {
    Violation {
        field: field.into(),
        description: description.to_owned(),
    }
}

/// Builds the snapshot of a request.
///
/// # Errors
/// The first of its issues, and how many more there are.
pub fn snapshot(asked: &Asked, options: &Options) -> Result<Snapshot, Vec<Violation>> {
    let built = decode_one(&asked.name, &asked.document)
        .and_then(|document| graph::build(&document, None, options));
    built
        .map(|built| built.snapshot)
        .map_err(|issues| told(&issues))
}

fn told(issues: &Issues) -> Vec<Violation> {
    let first = issues.list().iter().take(ISSUES_LOGGED_MAX);
    let mut told: Vec<Violation> = first
        .map(|issue| violation("snapshot", &issue.to_string()))
        .collect();
    let more = issues.count().saturating_sub(told.len());
    if more > 0 {
        let line = format!("... and {more} more issues; `postern validate` lists them all");
        told.push(violation("snapshot", &line));
    }
    told
}

/// The answer.
#[must_use]
pub fn response(
    comparison: &Comparison<'_>,
    keys: &Keys,
    limit: usize,
    (revision, age): (Revision, Duration),
) -> v1::CompareSnapshotResponse {
    let tally = &comparison.tally;
    let groups = comparison.groups();
    let omitted = groups.len().saturating_sub(limit);
    let groups = groups.into_iter().take(limit).map(|group| v1::ChangeGroup {
        resource: group.resource,
        change: change(group.change).into(),
        permissions: group.permissions,
        principals: group.principals,
    });
    let first = |names: &mut dyn Iterator<Item = &String>| names.take(limit).cloned().collect();
    let by_name = |counts: &BTreeMap<String, Count>| {
        let counts = counts.iter();
        counts
            .map(|(name, count)| (name.clone(), self::counts(count)))
            .collect()
    };
    v1::CompareSnapshotResponse {
        revision: revision.0,
        snapshot_age: Some(words::duration(age)),
        exact: tally.is_exact(),
        pairs: tally.pairs,
        pairs_examined: tally.examined,
        access: Some(counts(&tally.triples)),
        organizations: by_name(&tally.organizations),
        teams: by_name(&tally.teams),
        groups: groups.collect(),
        groups_omitted: wide(omitted),
        triples_not_grouped: tally.ungrouped,
        not_counted: tally.uncounted.iter().cloned().collect(),
        keys: Some(v1::KeyChanges {
            losing: wide(keys.losing()),
            gaining: wide(keys.gaining()),
            stop: first(&mut keys.stop.keys()),
            start: first(&mut keys.start.iter()),
            restricted: first(&mut keys.restricted.iter()),
            owner_loses: first(&mut keys.lose.iter()),
            owner_gains: first(&mut keys.gain.iter()),
        }),
    }
}

const fn change(change: Change) -> v1::AccessChange {
    match change {
        Change::Lost => v1::AccessChange::Lost,
        Change::Gained => v1::AccessChange::Gained,
        Change::MayLose => v1::AccessChange::MayLose,
        Change::MayGain => v1::AccessChange::MayGain,
    }
}

const fn counts(count: &Count) -> v1::ChangeCounts {
    let Count {
        lost,
        gained,
        may_lose,
        may_gain,
    } = *count;
    v1::ChangeCounts {
        lost,
        gained,
        may_lose,
        may_gain,
    }
}

fn wide(count: usize) -> u64 {
    u64::try_from(count).unwrap_or(u64::MAX)
}
