//! A YAML or JSON text as a tree of values that remembers its lines, and a cursor that
//! remembers how it got there.

pub mod at;
mod json;
mod yaml;

use std::fmt;

use crate::limits::{LINT_DEPTH_MAX, LINT_NODES_MAX};

/// A value and the line where it begins.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Node {
    /// From 1; 0 if the form does not tell (JSON).
    pub line: u32,
    /// What stands there.
    pub value: Value,
}

/// What may stand in a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Value {
    /// `null`, or nothing.
    Null,
    /// A scalar without quotes: true, 5, and in YAML a word too.
    Plain(String),
    /// A string.
    Text(String),
    /// A list.
    List(Vec<Node>),
    /// An object; no key occurs twice.
    Map(Vec<(String, Node)>),
}

/// Why a text is no tree.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unreadable {
    /// From 1; 0: not known.
    pub line: u32,
    /// What was found, and what was expected.
    pub found: String,
}

impl Unreadable {
    pub(super) fn new(line: u32, found: impl Into<String>) -> Self {
        let found = found.into();
        Self { line, found }
    }

    fn deep(line: u32) -> Self {
        Self::new(
            line,
            format!("nesting deeper than {LINT_DEPTH_MAX}; Envoy reads at most 100 levels"),
        )
    }

    fn large(line: u32) -> Self {
        Self::new(
            line,
            format!("more than {LINT_NODES_MAX} values: check a part of the file"),
        )
    }
}

impl fmt::Display for Unreadable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.line {
            0 => f.write_str(&self.found),
            line => write!(f, "line {line}: {}", self.found),
        }
    }
}

/// A form of a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// YAML as Envoy reads it: anchors, aliases, and keys marked `!ignore`.
    Yaml,
    /// JSON.
    Json,
}

impl Form {
    /// What the name's end says, else what the text begins with.
    #[must_use]
    pub fn of(name: &str, text: &str) -> Self {
        let lower = name.to_ascii_lowercase();
        let begins_json = text.trim_start().starts_with(['{', '[']);
        match lower.rsplit_once('.') {
            Some((_, "yaml" | "yml")) => Self::Yaml,
            Some((_, "json")) => Self::Json,
            _ if begins_json => Self::Json,
            _ => Self::Yaml,
        }
    }
}

/// Reads a text.
///
/// # Errors
/// What is no YAML or JSON, says a key twice, or is over a bound.
pub fn read(text: &str, form: Form) -> Result<Node, Unreadable> {
    match form {
        Form::Yaml => yaml::read(text),
        Form::Json => json::read(text),
    }
}

/// Counts values, so that a text stays within [`LINT_NODES_MAX`].
#[derive(Debug)]
struct Budget(usize);

impl Budget {
    const fn new() -> Self {
        Self(LINT_NODES_MAX)
    }

    /// Takes `count` values; `false`: there are not so many left.
    const fn take(&mut self, count: usize) -> bool {
        match self.0.checked_sub(count) {
            Some(left) => {
                self.0 = left;
                true
            }
            None => false,
        }
    }
}

#[cfg(test)]
mod tests;
