//! What a comparison found, for people and for programs.

use std::collections::BTreeMap;

use serde_json::{Value as Json, json};

use crate::cli::diff::entities::Difference;
use crate::decide::compare::keys::Keys;
use crate::decide::compare::{ANONYMOUS, Change, Comparison, Count, Group};
use crate::limits::COMPARE_NAMED;

pub(super) struct Found<'f> {
    pub(super) entities: &'f [Difference],
    pub(super) comparison: &'f Comparison<'f>,
    pub(super) keys: &'f Keys,
    /// Most lines of each list.
    pub(super) limit: usize,
}

impl Found<'_> {
    pub(super) fn text(&self) -> String {
        let mut lines = Vec::new();
        self.entity_lines(&mut lines);
        self.access_lines(&mut lines);
        self.key_lines(&mut lines);
        self.count_lines(&mut lines);
        self.doubts(&mut lines);
        lines.join("\n")
    }

    fn listed(&self, lines: &mut Vec<String>, all: &[String]) {
        lines.extend(all.iter().take(self.limit).map(|line| format!("  {line}")));
        if let Some(more) = all.len().checked_sub(self.limit).filter(|more| *more > 0) {
            lines.push(format!("  ... and {more} more (--limit)"));
        }
    }

    fn entity_lines(&self, lines: &mut Vec<String>) {
        if self.entities.is_empty() {
            lines.push("entities: no difference".to_owned());
            return;
        }
        lines.push("entities:".to_owned());
        let mut all = Vec::new();
        for difference in self.entities {
            let kind = &difference.kind;
            for (sign, names) in [
                ("-", &difference.removed),
                ("+", &difference.added),
                ("~", &difference.changed),
            ] {
                all.extend(names.iter().map(|name| format!("{sign} {kind} {name}")));
            }
        }
        self.listed(lines, &all);
    }

    fn access_lines(&self, lines: &mut Vec<String>) {
        let count = &self.comparison.tally.triples;
        if count.all() == 0 {
            lines.push("access: no difference".to_owned());
            return;
        }
        let least = if self.comparison.tally.is_exact() {
            ""
        } else {
            "at least "
        };
        lines.push(format!(
            "access: {least}{} (principal, permission, resource) lost, {} gained; with a fitting \
             context {} more could be lost, {} more gained",
            count.lost, count.gained, count.may_lose, count.may_gain
        ));
        let groups = self.comparison.groups();
        let all: Vec<String> = groups.iter().map(sentence).collect();
        self.listed(lines, &all);
    }

    fn key_lines(&self, lines: &mut Vec<String>) {
        let Keys {
            stop,
            start,
            restricted,
            lose,
            gain,
        } = self.keys;
        let (losing, gaining) = (self.keys.losing(), self.keys.gaining());
        if losing == 0 && gaining == 0 && restricted.is_empty() {
            lines.push("keys: no difference".to_owned());
            return;
        }
        lines.push(format!(
            "keys: {} would lose access ({} stop to hold, the owners of {} lose something), {} \
             would gain access, {} would be restricted to something else",
            many(losing, "key"),
            stop.len(),
            lose.len(),
            gaining,
            restricted.len()
        ));
        let mut all: Vec<String> = stop
            .iter()
            .map(|(name, code)| format!("{name} stops to hold: {code}"))
            .collect();
        all.extend(start.iter().map(|name| format!("{name} begins to hold")));
        let other = restricted.iter();
        all.extend(other.map(|name| format!("{name} is restricted to something else")));
        all.extend(
            lose.iter()
                .map(|name| format!("{name}: its owner loses something")),
        );
        all.extend(
            gain.iter()
                .map(|name| format!("{name}: its owner gains something")),
        );
        self.listed(lines, &all);
    }

    fn count_lines(&self, lines: &mut Vec<String>) {
        let tally = &self.comparison.tally;
        for (kind, counts) in [
            ("organization", &tally.organizations),
            ("team", &tally.teams),
        ] {
            if counts.is_empty() {
                continue;
            }
            lines.push(format!("by {kind}:"));
            let mut counts: Vec<(&String, &Count)> = counts.iter().collect();
            counts.sort_by_key(|(name, count)| (std::cmp::Reverse(count.all()), *name));
            let counts = counts.iter().map(|(name, count)| {
                format!(
                    "{name}: {} lost, {} gained, {} and {} with a context",
                    count.lost, count.gained, count.may_lose, count.may_gain
                )
            });
            let all: Vec<String> = counts.collect();
            self.listed(lines, &all);
        }
    }

    /// Never silently less than everything.
    fn doubts(&self, lines: &mut Vec<String>) {
        let tally = &self.comparison.tally;
        if !tally.is_exact() {
            lines.push(format!(
                "NOT ALL was looked at: {} of the {} pairs of principal and resource that may \
                 differ, spread evenly; all counts are lower bounds (--max-decisions)",
                tally.examined, tally.pairs
            ));
        }
        if tally.ungrouped > 0 {
            let count = tally.ungrouped;
            lines.push(format!("{count} triples are counted and not listed"));
        }
        for set in &tally.uncounted {
            lines.push(format!(
                "NOT COUNTED: subjects of {set} that neither snapshot names"
            ));
        }
    }

    pub(super) fn json(&self) -> Json {
        let tally = &self.comparison.tally;
        let mut groups: Vec<Group> = self.comparison.groups();
        let omitted = groups.len().saturating_sub(self.limit);
        groups.truncate(self.limit);
        let groups = groups.into_iter().map(|group| {
            json!({
                "resource": group.resource,
                "change": group.change.word(),
                "permissions": group.permissions,
                "principals": group.principals,
            })
        });
        let entities = self.entities.iter().map(|difference| {
            let Difference {
                kind,
                added,
                removed,
                changed,
            } = difference;
            json!({ "kind": kind, "added": added, "removed": removed, "changed": changed })
        });
        let Keys {
            stop,
            start,
            restricted,
            lose,
            gain,
        } = self.keys;
        json!({
            "entities": entities.collect::<Vec<_>>(),
            "access": counts(&tally.triples),
            "exact": tally.is_exact(),
            "pairs": tally.pairs,
            "pairs_examined": tally.examined,
            "not_counted": tally.uncounted,
            "groups": groups.collect::<Vec<_>>(),
            "groups_omitted": omitted,
            "triples_not_grouped": tally.ungrouped,
            "organizations": by_name(&tally.organizations),
            "teams": by_name(&tally.teams),
            "keys": {
                "losing": self.keys.losing(),
                "gaining": self.keys.gaining(),
                "stop": stop,
                "start": start,
                "restricted": restricted,
                "owner_loses": lose,
                "owner_gains": gain,
            },
        })
    }
}

fn by_name(counts: &BTreeMap<String, Count>) -> Json {
    let counts = counts.iter();
    counts
        .map(|(name, count)| (name.clone(), self::counts(count)))
        .collect::<serde_json::Map<_, _>>()
        .into()
}

fn counts(count: &Count) -> Json {
    json!({
        "lost": count.lost,
        "gained": count.gained,
        "may_lose": count.may_lose,
        "may_gain": count.may_gain,
    })
}

/// `2 service accounts would gain models.runs.delete on organizations/acme: ...`.
fn sentence(group: &Group) -> String {
    let verb = match group.change {
        Change::Lost => "would lose",
        Change::Gained => "would gain",
        Change::MayLose => "could lose, with a context,",
        Change::MayGain => "could gain, with a context,",
    };
    let resource = &group.resource;
    let permissions = some(&group.permissions, "permissions");
    match group.principals.as_slice() {
        [one] => format!("{one} {verb} {permissions} on {resource}"),
        principals => {
            let who = kinds(principals);
            let names = some(principals, "in all");
            format!("{who} {verb} {permissions} on {resource}: {names}")
        }
    }
}

/// The names, or the first of them and how many there are.
fn some(names: &[String], all: &str) -> String {
    let named: Vec<&str> = names
        .iter()
        .take(COMPARE_NAMED)
        .map(String::as_str)
        .collect();
    let named = named.join(", ");
    if names.len() > COMPARE_NAMED {
        format!("{named}, ... ({} {all})", names.len())
    } else {
        named
    }
}

/// `3 users and 2 service accounts`.
fn kinds(principals: &[String]) -> String {
    let count = |is: &dyn Fn(&str) -> bool| principals.iter().filter(|p| is(p)).count();
    let users = count(&|p| p.starts_with("user:"));
    let accounts = count(&|p| p.starts_with("serviceAccount:"));
    let federated = count(&|p| p.starts_with("principal:"));
    let mut parts = Vec::new();
    for (count, noun) in [
        (users, "user"),
        (accounts, "service account"),
        (federated, "federated principal"),
    ] {
        if count > 0 {
            parts.push(many(count, noun));
        }
    }
    if principals.iter().any(|principal| principal == ANONYMOUS) {
        parts.push("anonymous callers".to_owned());
    }
    parts.join(" and ")
}

fn many(count: usize, noun: &str) -> String {
    if count == 1 {
        format!("1 {noun}")
    } else {
        format!("{count} {noun}s")
    }
}
