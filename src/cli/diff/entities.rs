//! Which entities are added, removed and changed.

use std::collections::BTreeMap;

use crate::graph::document::{Document, Entity};
use crate::wire::feed;

/// Entities of one kind, by name.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Difference {
    pub(super) kind: String,
    pub(super) added: Vec<String>,
    pub(super) removed: Vec<String>,
    pub(super) changed: Vec<String>,
}

/// Kinds in which something differs, in order.
pub(super) fn compare(old: &Document, new: &Document) -> Vec<Difference> {
    let (old, new) = (titles(old), titles(new));
    let mut kinds: BTreeMap<String, Difference> = BTreeMap::new();
    let mut note = |title: &str, list: fn(&mut Difference) -> &mut Vec<String>| {
        let (kind, name) = match title.split_once('[') {
            Some((kind, rest)) => (kind, rest.strip_suffix(']').unwrap_or(rest)),
            None => (title, ""),
        };
        let difference = kinds.entry(kind.to_owned()).or_default();
        list(difference).push(name.to_owned());
    };
    for (title, entities) in &old {
        match new.get(title) {
            None => note(title, |difference| &mut difference.removed),
            Some(others) if entities != others => note(title, |difference| &mut difference.changed),
            Some(_) => {}
        }
    }
    for title in new.keys().filter(|title| !old.contains_key(*title)) {
        note(title, |difference| &mut difference.added);
    }
    let kinds = kinds.into_iter();
    kinds
        .map(|(kind, difference)| Difference { kind, ..difference })
        .collect()
}

/// Entities by kind and name; several deleted accounts may have one name.
fn titles(document: &Document) -> BTreeMap<String, Vec<&Entity>> {
    let mut titles: BTreeMap<String, Vec<&Entity>> = BTreeMap::new();
    for located in &document.entities {
        let title = feed::title(&located.entity);
        titles.entry(title).or_default().push(&located.entity);
    }
    titles
}
