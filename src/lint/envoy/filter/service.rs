//! Whom the filter asks, how long it waits, and what it says to the client when nobody answers.

use std::time::Duration;

use crate::limits::LINT_CHECK_TIMEOUT_MAX;
use crate::lint::envoy::code::Code;
use crate::lint::envoy::collect::Parts;
use crate::lint::envoy::sink::Sink;
use crate::lint::envoy::{cluster, fix};
use crate::lint::report::Severity;
use crate::lint::tree::at::At;

/// Checks the service of a filter, or of a route.
pub(in crate::lint::envoy) fn check<'t>(sink: &mut Sink, parts: &Parts<'t>, at: &At<'t>) {
    let Some(service) = at.get("grpc_service") else {
        let (place, found) = match at.get("http_service") {
            Some(http) => (http, "`http_service`: the filter asks over plain HTTP"),
            None => (at.clone(), "no `grpc_service`"),
        };
        sink.push(
            Severity::Error,
            Code::NotGrpc,
            &place,
            found,
            fix::service(),
        );
        return;
    };
    timeout(sink, &service);
    cluster::check_service(sink, parts, &service);
}

fn timeout(sink: &mut Sink, service: &At<'_>) {
    let fix = "grpc_service:\n  timeout: 0.5s";
    let found = match (service.get("timeout"), sink.duration(service, "timeout")) {
        (None, _) => "`timeout` is not set: 200 ms by default".to_owned(),
        (Some(_), Some(Duration::ZERO)) => "`timeout: 0s` waits without end".to_owned(),
        (Some(_), Some(timeout)) if timeout > LINT_CHECK_TIMEOUT_MAX => format!(
            "`timeout` is {} s, longer than {} s",
            timeout.as_secs_f64(),
            LINT_CHECK_TIMEOUT_MAX.as_secs()
        ),
        _ => return,
    };
    let place = service.get("timeout").unwrap_or_else(|| service.clone());
    sink.push(Severity::Warning, Code::Timeout, &place, found, fix);
}

/// The version of the protocol, and the status for "nobody answered".
pub(super) fn version(sink: &mut Sink, at: &At<'_>) {
    let field = "transport_api_version";
    let version = sink.text(at, field).unwrap_or("AUTO");
    if !matches!(version, "V3" | "2") {
        let place = at.get(field).unwrap_or_else(|| at.clone());
        let found = format!("`{field}` is {version}");
        let fix = "transport_api_version: V3";
        // Newer versions of Envoy take AUTO for version 3; they do not start with V2.
        let severity = match version {
            "AUTO" | "0" => Severity::Warning,
            _ => Severity::Error,
        };
        sink.push(severity, Code::ApiVersion, &place, found, fix);
    }
    let fix = "status_on_error: {code: ServiceUnavailable}";
    let Some(status) = at.get("status_on_error") else {
        let has_status = at
            .text_of("@type")
            .is_none_or(|name| !name.contains(".network."));
        if has_status {
            let found = "`status_on_error` is not set: 403, which looks like a decision";
            sink.push(Severity::Info, Code::StatusOnError, at, found, fix);
        }
        return;
    };
    let code = status.text_of("code").unwrap_or("Empty");
    let is_success = matches!(
        code,
        "OK" | "Created"
            | "Accepted"
            | "NonAuthoritativeInformation"
            | "NoContent"
            | "ResetContent"
            | "PartialContent"
            | "MultiStatus"
            | "AlreadyReported"
            | "IMUsed"
    ) || (code.len() == 3 && code.starts_with('2'));
    if is_success {
        let found =
            format!("`status_on_error` is {code}: nobody answered, and the client reads success");
        sink.push(Severity::Error, Code::StatusOnError, &status, found, fix);
    }
}
