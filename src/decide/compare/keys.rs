//! Keys of two snapshots: which ones stop or begin to hold, and whose owner's access changes.

use std::collections::{BTreeMap, BTreeSet};

use crate::decide::verify_key;
use crate::graph::rows::KeyRow;
use crate::graph::snapshot::{KeyIx, Snapshot};
use crate::model::outcome::KeyCode;
use crate::model::principal::PrincipalIx;
use crate::model::query::{KeyDigests, KeyQuery, UnixTime};

/// What becomes of keys, by their names; a key is known by its digest.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Keys {
    /// It held, and does not now, with the code that it has now.
    pub stop: BTreeMap<String, &'static str>,
    /// It holds now, and did not.
    pub start: BTreeSet<String>,
    /// It holds on both sides, restricted to something else.
    pub restricted: BTreeSet<String>,
    /// It holds on both sides, and its owner loses something.
    pub lose: BTreeSet<String>,
    /// It holds on both sides, and its owner gains something.
    pub gain: BTreeSet<String>,
}

impl Keys {
    /// How many would lose access: those that stop, and those whose owner loses something.
    #[must_use]
    pub fn losing(&self) -> usize {
        self.stop.len().saturating_add(self.lose.len())
    }

    /// How many would gain access.
    #[must_use]
    pub fn gaining(&self) -> usize {
        self.start.len().saturating_add(self.gain.len())
    }

    /// Whether keys stop, begin, or are restricted to something else.
    #[must_use]
    pub fn differ(&self) -> bool {
        !(self.stop.is_empty() && self.start.is_empty() && self.restricted.is_empty())
    }
}

/// Compares; the owners that lose and gain something are members.
#[must_use]
pub fn compare(
    before: &Snapshot,
    after: &Snapshot,
    (losers, winners): (&BTreeSet<&str>, &BTreeSet<&str>),
    now: UnixTime,
) -> Keys {
    let mut keys = Keys::default();
    for (ix, row) in rows(before) {
        if !holds(code(before, row, now)) {
            continue;
        }
        let name = before.key_facts(ix).name;
        let found = after.find_digest(&row.digest, row.is_hmac);
        let found = found.and_then(|ix| after.key(ix));
        let Some(same) = found else {
            keys.stop.insert(name, KeyCode::NotFound.word());
            continue;
        };
        let code = code(after, same, now);
        if !holds(code) {
            keys.stop.insert(name, code.word());
            continue;
        }
        if reach(before, row) != reach(after, same) {
            keys.restricted.insert(name.clone());
        }
        let owner = before.principal_member(PrincipalIx(row.owner));
        if losers.contains(owner.as_str()) {
            keys.lose.insert(name.clone());
        }
        if winners.contains(owner.as_str()) {
            keys.gain.insert(name);
        }
    }
    for (ix, row) in rows(after) {
        let held = before.find_digest(&row.digest, row.is_hmac);
        let held = held.and_then(|ix| before.key(ix));
        let held = held.is_some_and(|row| holds(code(before, row, now)));
        if !held && holds(code(after, row, now)) {
            keys.start.insert(after.key_facts(ix).name);
        }
    }
    keys
}

fn rows(snapshot: &Snapshot) -> impl Iterator<Item = (KeyIx, &KeyRow)> {
    let rows = (0..).map(KeyIx);
    rows.map_while(|ix| Some((ix, snapshot.key(ix)?)))
}

fn code(snapshot: &Snapshot, row: &KeyRow, now: UnixTime) -> KeyCode {
    let digests = if row.is_hmac {
        KeyDigests::Digested {
            sha256: [0; 32],
            hmac_sha256: Some(row.digest),
        }
    } else {
        KeyDigests::Digested {
            sha256: row.digest,
            hmac_sha256: None,
        }
    };
    let query = KeyQuery {
        digests: &digests,
        source_ip: None,
        permission: None,
        resource: None,
    };
    verify_key(snapshot, &query, now).map_or(KeyCode::NotFound, |answer| answer.code)
}

/// From somewhere, for something.
const fn holds(code: KeyCode) -> bool {
    match code {
        KeyCode::Valid | KeyCode::IpNotAllowed => true,
        KeyCode::Malformed
        | KeyCode::NotFound
        | KeyCode::OwnerDeleted
        | KeyCode::OwnerDisabled
        | KeyCode::Disabled
        | KeyCode::NotYetValid
        | KeyCode::Expired
        | KeyCode::OrgScopedKeyRequired
        | KeyCode::OutOfScope
        | KeyCode::RateLimited => false,
    }
}

/// What a key is narrowed to, as text.
fn reach(snapshot: &Snapshot, row: &KeyRow) -> String {
    let organization = snapshot.node(row.organization);
    let organization = organization.map_or("", |row| row.name.as_str());
    let Some(narrowed) = snapshot.restrictions(row) else {
        return organization.to_owned();
    };
    let permissions = narrowed.permissions.as_ref().map(|set| {
        let all = snapshot.permissions().iter();
        let names = all.filter(|(ix, _)| set.contains(*ix));
        names.map(|(_, row)| &*row.name).collect::<BTreeSet<_>>()
    });
    let resources = narrowed.resources.as_ref();
    let resources = resources.map(|list| list.iter().collect::<BTreeSet<_>>());
    let cidrs = narrowed.cidrs.as_ref();
    let cidrs = cidrs.map(|list| list.iter().collect::<BTreeSet<_>>());
    format!("{organization} {permissions:?} {resources:?} {cidrs:?}")
}
