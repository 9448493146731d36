//! Where findings go, and reading with a finding where a value has the wrong type.

use std::time::Duration;

use crate::lint::envoy::code::Code;
use crate::lint::report::{Finding, Report, Severity};
use crate::lint::tree::Value;
use crate::lint::tree::at::At;

/// Findings of one part of the configuration after another.
#[derive(Debug, Default)]
pub(super) struct Sink {
    /// What the next findings belong to.
    pub(super) group: String,
    /// All findings so far.
    pub(super) report: Report,
}

impl Sink {
    /// Adds a finding.
    pub(super) fn push(
        &mut self,
        severity: Severity,
        code: Code,
        at: &At<'_>,
        found: impl Into<String>,
        fix: impl Into<String>,
    ) {
        let line = at.node().line;
        self.report.push(Finding {
            severity,
            code: code.word(),
            group: self.group.clone(),
            path: at.pointer(),
            line: (line > 0).then_some(line),
            found: found.into(),
            why: code.why(),
            fix: fix.into(),
        });
    }

    /// A truth value; not set, or not readable with a finding: `None`.
    pub(super) fn flag(&mut self, at: &At<'_>, field: &str) -> Option<bool> {
        self.typed(at, field, "true or false", |at| at.flag())
    }

    /// A whole number.
    pub(super) fn number(&mut self, at: &At<'_>, field: &str) -> Option<u64> {
        self.typed(at, field, "a whole number", |at| at.number())
    }

    /// A duration.
    pub(super) fn duration(&mut self, at: &At<'_>, field: &str) -> Option<Duration> {
        self.typed(at, field, "a duration such as 0.5s", |at| at.duration())
    }

    /// A text.
    pub(super) fn text<'t>(&mut self, at: &At<'t>, field: &str) -> Option<&'t str> {
        self.typed(at, field, "a text", |at| at.text())
    }

    fn typed<'t, T>(
        &mut self,
        at: &At<'t>,
        field: &str,
        expected: &str,
        read: impl Fn(&At<'t>) -> Option<T>,
    ) -> Option<T> {
        let at = at.get(field)?;
        let value = read(&at);
        if value.is_none() {
            let found = format!("`{field}` is {}, expected {expected}", word(&at));
            let fix = format!("# {field}: {expected}");
            self.push(Severity::Error, Code::WrongType, &at, found, fix);
        }
        value
    }
}

/// What kind of value stands there; the value itself may be a secret.
fn word(at: &At<'_>) -> &'static str {
    match at.node().value {
        Value::Null => "null",
        Value::Plain(_) => "another scalar",
        Value::Text(_) => "a text",
        Value::List(_) => "a list",
        Value::Map(_) => "an object",
    }
}
