//! What a check found, as text for people and as JSON for programs.

use std::fmt::Write as _;

use serde::Serialize;

use crate::limits::LINT_FINDINGS_MAX;

/// How bad a finding is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Worth knowing; does not fail.
    Info,
    /// Weakens, or breaks under load.
    Warning,
    /// Lets through what Postern would deny, or does not work.
    Error,
}

impl Severity {
    /// Stable word.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Info => "info",
            Self::Warning => "warning",
            Self::Error => "error",
        }
    }

    const fn colour(self) -> &'static str {
        match self {
            Self::Info => "\x1b[36m",
            Self::Warning => "\x1b[33m",
            Self::Error => "\x1b[31m",
        }
    }
}

/// One thing found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// How bad.
    pub severity: Severity,
    /// Which check; stable for scripts.
    pub code: &'static str,
    /// What it belongs to: a listener, a cluster, a route configuration.
    pub group: String,
    /// JSON pointer to the value; empty: the whole file.
    pub path: String,
    /// From 1; `null` in JSON if the file's form does not tell.
    pub line: Option<u32>,
    /// What was found there.
    pub found: String,
    /// Why it matters, one line.
    pub why: &'static str,
    /// YAML to paste.
    pub fix: String,
}

/// All findings of one file.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Report {
    findings: Vec<Finding>,
    unseen_count: usize,
    worst: Option<Severity>,
}

impl Report {
    /// Adds a finding; at [`LINT_FINDINGS_MAX`] it is only counted.
    pub fn push(&mut self, finding: Finding) {
        self.worst = self.worst.max(Some(finding.severity));
        if self.findings.len() < LINT_FINDINGS_MAX {
            self.findings.push(finding);
        } else {
            self.unseen_count = self.unseen_count.saturating_add(1);
        }
    }

    /// The findings, in the order of the file's parts.
    #[must_use]
    pub fn findings(&self) -> &[Finding] {
        &self.findings
    }

    /// The worst severity, those not shown included.
    #[must_use]
    pub const fn worst(&self) -> Option<Severity> {
        self.worst
    }

    fn count(&self, severity: Severity) -> usize {
        self.findings
            .iter()
            .filter(|finding| finding.severity == severity)
            .count()
    }

    /// One line: how many of each.
    #[must_use]
    pub fn summary(&self) -> String {
        let part = |severity: Severity, one: &str, many: &str| {
            let count = self.count(severity);
            format!("{count} {}", if count == 1 { one } else { many })
        };
        let mut line = format!(
            "{}, {}, {}",
            part(Severity::Error, "error", "errors"),
            part(Severity::Warning, "warning", "warnings"),
            part(Severity::Info, "note", "notes")
        );
        if self.unseen_count > 0 {
            let more = write!(line, "; {} more not shown", self.unseen_count);
            debug_assert!(more.is_ok(), "writing to a string does not fail");
        }
        line
    }

    /// For people: grouped by what the findings belong to, the worst of a group first.
    #[must_use]
    pub fn text(&self, is_coloured: bool) -> String {
        let mut out = String::new();
        let mut groups: Vec<&str> = Vec::new();
        for finding in &self.findings {
            if !groups.contains(&finding.group.as_str()) {
                groups.push(&finding.group);
            }
        }
        for group in groups {
            out += &shown(group);
            out.push('\n');
            let mut members: Vec<&Finding> =
                self.findings.iter().filter(|f| f.group == group).collect();
            members.sort_by_key(|finding| std::cmp::Reverse(finding.severity));
            for finding in members {
                finding.write(&mut out, is_coloured);
            }
            out.push('\n');
        }
        out += &self.summary();
        out.push('\n');
        out
    }

    /// For programs: one object.
    ///
    /// # Errors
    /// None that a report can cause.
    pub fn json(&self, file: &str) -> Result<String, serde_json::Error> {
        #[derive(Serialize)]
        struct Out<'r> {
            file: &'r str,
            errors: usize,
            warnings: usize,
            infos: usize,
            not_shown: usize,
            findings: &'r [Finding],
        }
        serde_json::to_string_pretty(&Out {
            file,
            errors: self.count(Severity::Error),
            warnings: self.count(Severity::Warning),
            infos: self.count(Severity::Info),
            not_shown: self.unseen_count,
            findings: &self.findings,
        })
    }
}

impl Finding {
    fn write(&self, out: &mut String, is_coloured: bool) {
        let word = self.severity.word();
        let (on, off) = if is_coloured {
            (self.severity.colour(), "\x1b[0m")
        } else {
            ("", "")
        };
        let line = match self.line {
            Some(line) => format!(" (line {line})"),
            None => String::new(),
        };
        let path = if self.path.is_empty() {
            "/"
        } else {
            &self.path
        };
        let written = writeln!(
            out,
            "  {on}{word}{off} {}: {}\n    at  {}{line}\n    why {}",
            self.code,
            shown(&self.found),
            shown(path),
            self.why
        );
        debug_assert!(written.is_ok(), "writing to a string does not fail");
        if !self.fix.is_empty() {
            *out += "    fix\n";
            for line in self.fix.lines() {
                *out += "      ";
                *out += &shown(line);
                out.push('\n');
            }
        }
    }
}

/// Without what a terminal would act on.
fn shown(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        if c.is_control() {
            out.extend(c.escape_default());
        } else {
            out.push(c);
        }
    }
    out
}
