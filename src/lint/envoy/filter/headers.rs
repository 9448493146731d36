//! Which headers reach Postern, and what of its answer reaches the request.

use crate::lint::envoy::code::Code;
use crate::lint::envoy::fix;
use crate::lint::envoy::sink::Sink;
use crate::lint::report::Severity;
use crate::lint::tree::at::At;

/// Where a credential may stand (SPEC 9.1).
const CREDENTIALS: [&str; 2] = ["authorization", "x-api-key"];

/// Checks the header settings of a filter.
pub(super) fn check(sink: &mut Sink, at: &At<'_>) {
    sent(sink, at);
    applied(sink, at);
}

fn sent(sink: &mut Sink, at: &At<'_>) {
    if let Some(allowed) = at.get("allowed_headers") {
        let missing = lost(&allowed, false);
        if !missing.is_empty() {
            let found = format!("`allowed_headers` leaves out {missing}");
            let fix = fix::allowed_headers();
            sink.push(Severity::Error, Code::AllowedHeaders, &allowed, found, fix);
        }
    }
    if let Some(refused) = at.get("disallowed_headers") {
        let missing = lost(&refused, true);
        if !missing.is_empty() {
            let found = format!("`disallowed_headers` takes out {missing}");
            let fix = "# leave authorization and x-api-key out of disallowed_headers";
            sink.push(Severity::Error, Code::AllowedHeaders, &refused, found, fix);
        }
    }
}

/// The credential headers that a list matches, or that it does not.
fn lost(list: &At<'_>, is_matched: bool) -> String {
    let patterns = list.list("patterns");
    let names: Vec<String> = CREDENTIALS
        .iter()
        .filter(|name| {
            let verdicts: Vec<Option<bool>> = patterns.iter().map(|p| matches(p, name)).collect();
            // A regular expression is not judged: it may be right.
            !verdicts.contains(&None) && verdicts.contains(&Some(true)) == is_matched
        })
        .map(|name| format!("`{name}`"))
        .collect();
    names.join(" and ")
}

/// Whether a string matcher matches; `None`: it is none that can be judged here.
pub(in crate::lint::envoy) fn matches(pattern: &At<'_>, name: &str) -> Option<bool> {
    let ignores_case = pattern.get("ignore_case").and_then(|at| at.flag()) == Some(true);
    let value = |field: &str| {
        let text = pattern.text_of(field)?;
        Some(if ignores_case {
            text.to_ascii_lowercase()
        } else {
            text.to_owned()
        })
    };
    let exact = value("exact").map(|text| name == text);
    let prefix = value("prefix").map(|text| name.starts_with(&text));
    let suffix = value("suffix").map(|text| name.ends_with(&text));
    let contains = value("contains").map(|text| name.contains(&text));
    exact.or(prefix).or(suffix).or(contains)
}

fn applied(sink: &mut Sink, at: &At<'_>) {
    if sink.flag(at, "clear_route_cache") == Some(true) {
        let place = at.get("clear_route_cache").unwrap_or_else(|| at.clone());
        let found = "`clear_route_cache: true`";
        let fix = "clear_route_cache: false";
        sink.push(Severity::Warning, Code::ClearRouteCache, &place, found, fix);
    }
    if sink.flag(at, "validate_mutations") != Some(true) {
        let found = "`validate_mutations` is not true";
        let fix = "validate_mutations: true";
        sink.push(Severity::Info, Code::ValidateMutations, at, found, fix);
    }
    let Some(rules) = at.get("decoder_header_mutation_rules") else {
        return;
    };
    let takes_all = sink.flag(&rules, "disallow_all") == Some(true);
    let has_expression = rules.get("disallow_expression").is_some();
    if takes_all || has_expression {
        let (severity, found) = if takes_all && rules.get("allow_expression").is_none() {
            (
                Severity::Error,
                "`disallow_all`: no header of the answer is applied",
            )
        } else {
            (
                Severity::Warning,
                "an expression says which headers of the answer are applied; it must allow x-postern-*",
            )
        };
        let fix = "decoder_header_mutation_rules:\n  allow_expression: {regex: \"x-postern-.*\"}";
        sink.push(severity, Code::MutationRules, &rules, found, fix);
    }
}
