//! The settings of an `ext_authz` filter.

mod headers;
mod service;

use std::collections::BTreeSet;

use crate::limits::{LINT_CHECK_HEADERS_BYTES, REQUEST_BYTES_MAX};
use crate::lint::envoy::code::Code;
use crate::lint::envoy::collect::{Filter, Here, Parts};
use crate::lint::envoy::sink::Sink;
use crate::lint::envoy::{fix, tls};
use crate::lint::report::Severity;
use crate::lint::tree::Node;
use crate::lint::tree::at::{At, same_field};

pub(super) use headers::matches;
pub(super) use service::check as check_service;

/// Which settings were checked with their manager.
#[derive(Debug, Default)]
pub(super) struct Seen<'t>(Vec<&'t Node>);

impl<'t> Seen<'t> {
    pub(super) fn add(&mut self, at: &At<'t>) {
        self.0.push(at.node());
    }

    pub(super) fn has(&self, at: &At<'t>) -> bool {
        self.0.iter().any(|node| std::ptr::eq(*node, at.node()))
    }
}

/// Fields of the filter's settings, Envoy 1.40.
const FIELDS: [&str; 34] = [
    "grpc_service",
    "http_service",
    "transport_api_version",
    "failure_mode_allow",
    "failure_mode_allow_header_add",
    "with_request_body",
    "clear_route_cache",
    "clear_route_cache_headers",
    "status_on_error",
    "validate_mutations",
    "metadata_context_namespaces",
    "typed_metadata_context_namespaces",
    "route_metadata_context_namespaces",
    "route_typed_metadata_context_namespaces",
    "filter_enabled",
    "filter_enabled_metadata",
    "deny_at_disable",
    "include_peer_certificate",
    "stat_prefix",
    "bootstrap_metadata_labels_key",
    "allowed_headers",
    "disallowed_headers",
    "include_tls_session",
    "charge_cluster_response_stats",
    "encode_raw_headers",
    "decoder_header_mutation_rules",
    "enable_dynamic_metadata_ingestion",
    "filter_metadata",
    "emit_filter_state_stats",
    "max_denied_response_body_bytes",
    "enforce_response_header_limits",
    "shadow_mode",
    "emit_client_span",
    "@type",
];

/// Checks the settings of an HTTP filter.
pub(super) fn check<'t>(sink: &mut Sink, parts: &Parts<'t>, at: &At<'t>, here: &Here<'t>) {
    known(sink, at);
    failures(sink, at);
    service::check(sink, parts, at);
    service::version(sink, at);
    reach(sink, at);
    if let Some(body) = at.get("with_request_body") {
        check_body(sink, &body);
    }
    headers::check(sink, at);
    peer(sink, at, here);
}

/// Checks a filter on connections.
pub(super) fn check_network<'t>(sink: &mut Sink, parts: &Parts<'t>, filter: &Filter<'t>) {
    let at = &filter.at;
    let found = "an ext_authz filter on connections";
    sink.push(
        Severity::Warning,
        Code::NetworkFilter,
        at,
        found,
        fix::network(),
    );
    failures(sink, at);
    service::check(sink, parts, at);
    service::version(sink, at);
    reach(sink, at);
    peer(sink, at, &filter.here);
}

fn known(sink: &mut Sink, at: &At<'_>) {
    let mut unknown = BTreeSet::new();
    for (key, value) in at.entries() {
        // An entry without settings is read as settings; it has these.
        let is_entry = matches!(key, "name" | "disabled" | "is_optional");
        if !is_entry && !FIELDS.iter().any(|field| same_field(key, field)) && unknown.insert(key) {
            let found = format!("`{key}` is no field of ext_authz in Envoy 1.40");
            let fix = "# remove it, or correct its spelling";
            sink.push(Severity::Error, Code::UnknownField, &value, found, fix);
        }
    }
}

/// What happens when Postern does not answer.
fn failures(sink: &mut Sink, at: &At<'_>) {
    for (field, severity, code) in [
        (
            "failure_mode_allow",
            Severity::Error,
            Code::FailureModeAllow,
        ),
        (
            "failure_mode_allow_header_add",
            Severity::Warning,
            Code::FailureModeAllowHeaderAdd,
        ),
        ("shadow_mode", Severity::Error, Code::ShadowMode),
    ] {
        if sink.flag(at, field) == Some(true) {
            let place = at.get(field).unwrap_or_else(|| at.clone());
            let found = format!("`{field}: true`");
            sink.push(severity, code, &place, found, format!("{field}: false"));
        }
    }
}

/// Which requests the filter is for.
fn reach(sink: &mut Sink, at: &At<'_>) {
    let denies = at
        .find(&["deny_at_disable", "default_value"])
        .and_then(|at| at.flag());
    if let Some(enabled) = at.get("filter_enabled") {
        share(sink, &enabled, denies == Some(true));
    }
    if let Some(metadata) = at.get("filter_enabled_metadata") {
        let found = "`filter_enabled_metadata` is set";
        let fix = "# leave filter_enabled_metadata out; per route:\n".to_owned() + fix::per_route();
        sink.push(
            Severity::Error,
            Code::FilterEnabledMetadata,
            &metadata,
            found,
            fix,
        );
    }
    if let Some(deny) = at.get("deny_at_disable") {
        let key = deny.text_of("runtime_key").unwrap_or("none");
        let found = match denies {
            Some(true) => {
                format!("requests are denied unasked when it is off (runtime key `{key}`)")
            }
            _ => format!("requests pass unasked when it is off (runtime key `{key}`)"),
        };
        let severity = match denies {
            Some(true) => Severity::Info,
            _ => Severity::Warning,
        };
        sink.push(
            severity,
            Code::DenyAtDisable,
            &deny,
            found,
            fix::deny_at_disable(),
        );
    }
}

fn share(sink: &mut Sink, enabled: &At<'_>, denies: bool) {
    let default = enabled.get("default_value");
    let numerator = match &default {
        Some(default) => sink.number(default, "numerator").unwrap_or(0),
        None => 0,
    };
    let denominator = default.as_ref().and_then(|at| at.text_of("denominator"));
    let whole = match denominator.unwrap_or("HUNDRED") {
        "TEN_THOUSAND" | "1" => 10_000,
        "MILLION" | "2" => 1_000_000,
        _ => 100,
    };
    let fix = "filter_enabled:\n  default_value: {numerator: 100, denominator: HUNDRED}";
    if numerator < whole {
        let found = format!("{numerator} of {whole} requests are checked");
        // Those not checked are denied: nothing passes, and much that should does not.
        let severity = if denies {
            Severity::Warning
        } else {
            Severity::Error
        };
        sink.push(severity, Code::FilterEnabled, enabled, found, fix);
    } else if let Some(key) = enabled.text_of("runtime_key") {
        let found = format!("the runtime key `{key}` can lower the share of checked requests");
        let severity = if denies {
            Severity::Info
        } else {
            Severity::Warning
        };
        sink.push(severity, Code::FilterEnabled, enabled, found, fix);
    }
}

/// Checks the settings for bodies, of the filter or of a route.
pub(super) fn check_body(sink: &mut Sink, body: &At<'_>) {
    let fix = "# leave with_request_body out";
    let found = "bodies are sent with each check";
    sink.push(Severity::Info, Code::BodySent, body, found, fix);
    let bytes = sink.number(body, "max_request_bytes").unwrap_or(0);
    let most = REQUEST_BYTES_MAX.saturating_sub(LINT_CHECK_HEADERS_BYTES);
    let most = u64::try_from(most).unwrap_or(u64::MAX);
    if bytes > most {
        let found = format!("`max_request_bytes` is {bytes}; with the headers, more than 4 MiB");
        let fix = format!(
            "with_request_body:\n  max_request_bytes: {most}\n  allow_partial_message: true"
        );
        sink.push(Severity::Error, Code::BodySize, body, found, fix);
    }
    if sink.flag(body, "allow_partial_message") != Some(true) {
        let found =
            format!("`allow_partial_message` is not set: a body over {bytes} bytes is refused");
        let fix = "with_request_body:\n  max_request_bytes: 8192\n  allow_partial_message: true";
        sink.push(Severity::Warning, Code::BodyPartial, body, found, fix);
    }
}

fn peer(sink: &mut Sink, at: &At<'_>, here: &Here<'_>) {
    let wants = sink.flag(at, "include_peer_certificate") == Some(true);
    let peers = tls::Peers::of(here);
    let place = at
        .get("include_peer_certificate")
        .unwrap_or_else(|| at.clone());
    let (severity, found) = match (wants, peers) {
        (true, tls::Peers::Clear) => (
            Severity::Warning,
            "the certificate is asked for, and the listener has no TLS",
        ),
        (true, tls::Peers::NotVerified) => (
            Severity::Error,
            "the certificate is sent on, and the listener does not verify it",
        ),
        (true, tls::Peers::NotRequired) => (
            Severity::Info,
            "a client may come without a certificate: it has no peer identity then",
        ),
        (false, tls::Peers::Verified) => (
            Severity::Info,
            "clients must show a certificate, and it is not sent on; Postern sees its name only",
        ),
        _ => return,
    };
    let fix = if wants {
        fix::peer()
    } else {
        "include_peer_certificate: true"
    };
    sink.push(severity, Code::PeerCertificate, &place, found, fix);
}
