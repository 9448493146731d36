//! The table: for each resource the groups of principals that may do the same, for each set
//! of permissions a label, for each label a legend.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use crate::company::Company;
use crate::reference::question::Answer;
use crate::reference::roles;
use crate::reference::world::World;

/// What one principal may do on one resource: `ALLOW ...`, `DENY ...`, `own`, or `wrong`.
type Cell = BTreeMap<String, Vec<String>>;

const HEAD: &str = "\
# Who may do what in examples/acme. Written by `UPDATE_GOLDEN=1 cargo test --test golden`.
#
# For each resource: the label of a set of permissions, then everybody who has that set there.
# The legend below says what a label holds: what is granted by policy, scope or visibility,
# `own` what is granted for things that one created, and reasons of denials other than the
# plain one. Gates are asked with context that lets them through. Permissions that cannot be
# asked on a resource are left out.
";

const FOOT: &str = "\
# Keys: what VerifyKey says without a resource, and on each organization.
";

pub(crate) fn render(company: &Company) -> String {
    let mut labels = Labels::default();
    let mut body = String::new();
    for (resource, what) in &company.resources {
        writeln!(body, "\n{resource}  ({what})").unwrap();
        let mut groups: BTreeMap<String, Vec<&str>> = BTreeMap::new();
        for who in &company.principals {
            let label = labels.of(legend(&company.world, &cell(company, who, resource)));
            groups.entry(label).or_default().push(who);
        }
        let rest = groups
            .iter()
            .max_by_key(|(_, who)| who.len())
            .unwrap()
            .0
            .clone();
        for (label, who) in &groups {
            if *label != rest {
                line(&mut body, label, &who.join(" "));
            }
        }
        writeln!(body, "  {rest:4} everybody else").unwrap();
    }
    let mut table = HEAD.to_owned();
    table.push_str("\n# Legend\n");
    for (number, parts) in labels.0.iter().enumerate() {
        let mut first = name(number);
        for part in parts {
            line(&mut table, &first, part);
            first = String::new();
        }
    }
    table.push_str("\n# Table\n");
    table.push_str(&body);
    table.push('\n');
    table.push_str(FOOT);
    for (name, text) in &company.keys {
        let on = |o: &str| company.verify(text, Some(o));
        let plain = company.verify(text, None);
        let (acme, birch) = (on("organizations/acme"), on("organizations/birch"));
        writeln!(table, "{name}\n  {plain}; acme {acme}; birch {birch}").unwrap();
    }
    table
}

/// Asks everything of one principal on one resource.
fn cell(company: &Company, who: &str, resource: &str) -> Cell {
    let mut cell = Cell::new();
    for (number, permission) in company.world.permissions.keys().enumerate() {
        let check = (who.len() + resource.len() + number).is_multiple_of(8);
        let words = match company.ask(who, permission, resource, false, check) {
            // What cannot be asked here says nothing about who asks.
            Answer::Invalid(_) => continue,
            Answer::Decided(decision) if decision.allow => format!("ALLOW {}", decision.reason),
            Answer::Decided(decision) => {
                let own = company.ask(who, permission, resource, true, check);
                if matches!(own, Answer::Decided(own) if own.allow) {
                    "own".to_owned()
                } else {
                    format!("DENY {}", decision.reason)
                }
            }
        };
        cell.entry(words).or_default().push(permission.clone());
    }
    cell
}

/// One short label for each distinct legend, in the order of their first use.
#[derive(Default)]
struct Labels(Vec<Vec<String>>);

impl Labels {
    fn of(&mut self, legend: Vec<String>) -> String {
        let known = self.0.iter().position(|l| *l == legend);
        name(known.unwrap_or_else(|| {
            self.0.push(legend);
            self.0.len() - 1
        }))
    }
}

fn name(number: usize) -> String {
    format!("S{:02}", number + 1)
}

/// The reasons that need no list: nothing else is to be said.
const PLAIN: [&str; 4] = [
    "DENY NO_GRANT",
    "DENY PRINCIPAL_UNKNOWN",
    "DENY UNAUTHENTICATED",
    "DENY PRINCIPAL_DISABLED",
];

fn legend(world: &World, cell: &Cell) -> Vec<String> {
    let asked: BTreeSet<&String> = cell.values().flatten().collect();
    let mut parts = Vec::new();
    for (words, permissions) in cell
        .iter()
        .filter(|(words, _)| !PLAIN.contains(&words.as_str()))
    {
        let what = words.replace("ALLOW GRANTED_BY_", "").replace("DENY ", "");
        let what = if words.starts_with("ALLOW") {
            what.to_ascii_lowercase()
        } else {
            what
        };
        parts.push(format!("{what}: {}", named(world, permissions, &asked)));
    }
    let plain = cell.keys().filter(|words| PLAIN.contains(&words.as_str()));
    parts.extend(plain.map(|words| words.replace("DENY ", "else ")));
    parts
}

/// A set by the role that comes closest, and what differs.
fn named(world: &World, permissions: &[String], asked: &BTreeSet<&String>) -> String {
    let set: BTreeSet<&String> = permissions.iter().collect();
    let built_in = world.catalogue.roles.keys();
    let best = built_in.chain(world.roles.keys()).map(|role| {
        let (carried, _) = roles::carried(world, role);
        let carried: BTreeSet<String> = carried.into_iter().filter(|p| asked.contains(p)).collect();
        let more: Vec<String> = set
            .iter()
            .filter(|p| !carried.contains(**p))
            .map(|p| (*p).clone())
            .collect();
        let less: Vec<String> = carried.into_iter().filter(|p| !set.contains(p)).collect();
        (more.len() + less.len(), role, more, less)
    });
    let (distance, role, more, less) = best.min_by_key(|(distance, ..)| *distance).unwrap();
    // A handful is better listed than compared.
    if set.len() <= 4 || distance * 2 > set.len() {
        return short(permissions);
    }
    let mut text = role.clone();
    if !more.is_empty() {
        write!(text, ", and {}", short(&more)).unwrap();
    }
    if !less.is_empty() {
        write!(text, ", without {}", short(&less)).unwrap();
    }
    text
}

/// `models.runs.{create,get}` for permissions of one resource type.
fn short(permissions: &[String]) -> String {
    let mut verbs: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for permission in permissions {
        let (kind, verb) = permission.rsplit_once('.').unwrap();
        verbs.entry(kind).or_default().push(verb);
    }
    let text = verbs.iter().map(|(kind, verbs)| match verbs.as_slice() {
        [verb] => format!("{kind}.{verb}"),
        verbs => format!("{kind}.{{{}}}", verbs.join(",")),
    });
    text.collect::<Vec<String>>().join(" ")
}

/// A labelled line, broken at blanks before 100 columns.
fn line(table: &mut String, label: &str, text: &str) {
    let mut current = format!("  {label:4}");
    for word in text.split(' ') {
        if current.len() + 1 + word.len() > 98 && current.trim().len() > label.len() {
            writeln!(table, "{}", current.trim_end()).unwrap();
            current = " ".repeat(8);
        }
        current.push(' ');
        current.push_str(word);
    }
    writeln!(table, "{}", current.trim_end()).unwrap();
}
