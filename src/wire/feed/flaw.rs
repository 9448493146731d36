//! Issues while one entity is read, before its place and name are known.

use std::cell::Cell;
use std::fmt::Write as _;

use crate::graph::document::Place;
use crate::graph::issue::{Code, Issue};

/// Longest piece of the input that an issue repeats, characters.
const QUOTE_CHARS_MAX: usize = 80;

/// One thing that is wrong with an entity.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Flaw {
    /// Line, from 1; 0 when the form has no lines or the whole entity is meant.
    pub(super) line: u32,
    /// Path below the entity, such as `.bindings[0].role`; empty for the entity itself.
    pub(super) path: String,
    /// What kind of wrong.
    pub(super) code: Code,
    /// What was found; never a secret.
    pub(super) found: String,
    /// What is allowed there.
    pub(super) allowed: String,
}

impl Flaw {
    /// The issue, once it is known which entity this is.
    pub(super) fn locate(self, place: &Place, entity: &str) -> Issue {
        let Self {
            line,
            path,
            code,
            found,
            allowed,
        } = self;
        let line = if line == 0 { place.line } else { line };
        let place = Place {
            file: place.file.clone(),
            line,
            index: place.index,
        };
        Issue {
            place,
            path: format!("{entity}{path}"),
            code,
            found,
            allowed,
        }
    }
}

/// One step from an entity down to a value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Step {
    /// A field.
    Field(&'static str),
    /// An element of a list.
    Index(usize),
    /// A key of a map.
    Key(String),
    /// A field that the schema does not know.
    Unknown(String),
}

/// Where the reader is in an entity, and what it found wrong.
#[derive(Debug)]
pub(super) struct Context<'l> {
    line: &'l Cell<u32>,
    path: Vec<Step>,
    flaws: Vec<Flaw>,
}

impl<'l> Context<'l> {
    /// At the top of an entity; `line` is kept up to date by the form's parser.
    pub(super) fn new(line: &'l Cell<u32>) -> Self {
        Self {
            line,
            path: Vec::new(),
            flaws: Vec::new(),
        }
    }

    /// The line that the form's parser is at.
    pub(super) fn line(&self) -> u32 {
        self.line.get()
    }

    /// Goes down one step.
    pub(super) fn enter(&mut self, step: Step) {
        self.path.push(step);
    }

    /// Goes up one step.
    pub(super) fn leave(&mut self) {
        self.path.pop();
    }

    /// Notes a flaw of the message that holds the field where the reader is.
    pub(super) fn flaw_above(&mut self, code: Code, found: &str, allowed: String) {
        let here = self.path.pop();
        self.flaw(code, found, allowed);
        self.path.extend(here);
    }

    /// Notes a flaw of the value where the reader is.
    pub(super) fn flaw(
        &mut self,
        code: Code,
        found: impl Into<String>,
        allowed: impl Into<String>,
    ) {
        let (found, allowed) = (found.into(), allowed.into());
        let flaw = Flaw {
            line: self.line.get(),
            path: self.render(),
            code,
            found,
            allowed,
        };
        self.flaws.push(flaw);
    }

    /// What was found wrong; the context is as new afterwards.
    pub(super) fn take(&mut self) -> Vec<Flaw> {
        self.path.clear();
        std::mem::take(&mut self.flaws)
    }

    /// The path below the entity: the first step is the entity's kind and not part of it.
    fn render(&self) -> String {
        let mut path = String::new();
        for step in self.path.iter().skip(1) {
            let written = match step {
                Step::Field(name) => write!(path, ".{name}"),
                Step::Index(index) => write!(path, "[{index}]"),
                Step::Unknown(key) if key.bytes().all(is_name) => write!(path, ".{key}"),
                Step::Key(key) | Step::Unknown(key) => write!(path, "[{}]", quote(key)),
            };
            debug_assert!(written.is_ok(), "writing to a string");
        }
        path
    }
}

const fn is_name(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_'
}

/// A piece of the input for a message: quoted, escaped, cut.
pub(super) fn quote(text: &str) -> String {
    let mut head: String = text.chars().take(QUOTE_CHARS_MAX).collect();
    if head.len() < text.len() {
        head.push('\u{2026}');
    }
    format!("{head:?}")
}

/// The known word that is nearest to `word`, if one is near enough to be meant.
pub(super) fn nearest<'a>(word: &str, known: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let word = word.to_ascii_lowercase().replace(['-', '_'], "");
    known
        .map(|k| (distance(&word, &k.to_ascii_lowercase().replace('_', "")), k))
        .filter(|(distance, k)| *distance <= (k.len() / 3).max(1))
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, k)| k)
}

/// Edit distance (Levenshtein); words longer than any of ours are far from all.
fn distance(a: &str, b: &str) -> usize {
    if a.len() > 64 || b.len() > 64 {
        return usize::MAX;
    }
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.bytes().enumerate() {
        let mut diagonal = i;
        let mut left = i.saturating_add(1);
        for (slot, y) in row.iter_mut().skip(1).zip(b.bytes()) {
            let substituted = diagonal.saturating_add(usize::from(x != y));
            diagonal = *slot;
            left = substituted
                .min(diagonal.saturating_add(1))
                .min(left.saturating_add(1));
            *slot = left;
        }
        if let Some(first) = row.first_mut() {
            *first = i.saturating_add(1);
        }
    }
    row.last().copied().unwrap_or(a.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distance_counts_edits() {
        for (a, b, edits) in [
            ("", "", 0),
            ("abc", "abc", 0),
            ("", "abc", 3),
            ("kitten", "sitting", 3),
            ("ab", "b", 1),
        ] {
            assert_eq!(distance(a, b), edits, "{a} {b}");
            assert_eq!(distance(b, a), edits, "{b} {a}");
        }
    }

    #[test]
    fn the_nearest_word_must_be_near() {
        let known = ["display_name", "name", "visibility"];
        assert_eq!(
            nearest("displayname", known.into_iter()),
            Some("display_name")
        );
        assert_eq!(nearest("visibilty", known.into_iter()), Some("visibility"));
        assert_eq!(nearest("colour", known.into_iter()), None);
    }

    #[test]
    fn a_quote_is_one_line_and_bounded() {
        assert_eq!(quote("a\nb"), "\"a\\nb\"");
        assert_eq!(quote(&"x".repeat(500)).chars().count(), 83);
    }
}
