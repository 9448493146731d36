//! The report that build servers read.

use std::fmt::Write as _;

/// The cases of one file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Suite {
    /// The file.
    pub name: String,
    /// Names of its cases; of those that failed, what the failure is: one line, and the rest.
    pub cases: Vec<(String, Option<(String, String)>)>,
    /// Why it could not be read.
    pub error: Option<String>,
}

/// The report.
#[must_use]
pub fn xml(suites: &[Suite]) -> String {
    let tests: usize = suites.iter().map(Suite::tests).sum();
    let failures: usize = suites.iter().map(Suite::failures).sum();
    let errors: usize = suites.iter().map(Suite::errors).sum();
    let mut out = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
    let totals = format!("tests=\"{tests}\" failures=\"{failures}\" errors=\"{errors}\"");
    line(
        &mut out,
        format_args!("<testsuites name=\"postern test\" {totals}>"),
    );
    for suite in suites {
        suite.write(&mut out);
    }
    out.push_str("</testsuites>\n");
    out
}

impl Suite {
    const fn tests(&self) -> usize {
        self.cases.len().saturating_add(self.errors())
    }

    fn failures(&self) -> usize {
        let failed = self.cases.iter().filter(|(_, failure)| failure.is_some());
        failed.count()
    }

    const fn errors(&self) -> usize {
        if self.error.is_some() { 1 } else { 0 }
    }

    fn write(&self, out: &mut String) {
        let name = escaped(&self.name);
        let (tests, failures, errors) = (self.tests(), self.failures(), self.errors());
        line(
            out,
            format_args!(
                "  <testsuite name=\"{name}\" tests=\"{tests}\" failures=\"{failures}\" \
                 errors=\"{errors}\">"
            ),
        );
        if let Some(error) = &self.error {
            line(
                out,
                format_args!(
                    "    <testcase classname=\"{name}\" name=\"the file can be read\">\n      \
                     <error message=\"it cannot\">{}</error>\n    </testcase>",
                    escaped(error)
                ),
            );
        }
        for (case, failure) in &self.cases {
            let case = escaped(case);
            match failure {
                None => line(
                    out,
                    format_args!("    <testcase classname=\"{name}\" name=\"{case}\"/>"),
                ),
                Some((message, text)) => line(
                    out,
                    format_args!(
                        "    <testcase classname=\"{name}\" name=\"{case}\">\n      \
                         <failure message=\"{}\">{}</failure>\n    </testcase>",
                        escaped(message),
                        escaped(text)
                    ),
                ),
            }
        }
        out.push_str("  </testsuite>\n");
    }
}

fn line(out: &mut String, text: std::fmt::Arguments<'_>) {
    let written = writeln!(out, "{text}");
    debug_assert!(written.is_ok(), "writing to a string does not fail");
}

/// Text for content and for attributes. What XML 1.0 cannot hold at all becomes U+FFFD.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&apos;"),
            // Readers turn these into spaces in attributes, unless they are references.
            '\n' => out.push_str("&#10;"),
            '\t' => out.push_str("&#9;"),
            '\r' => out.push_str("&#13;"),
            '\0'..='\u{1f}' | '\u{fffe}' | '\u{ffff}' => out.push('\u{fffd}'),
            c => out.push(c),
        }
    }
    out
}
