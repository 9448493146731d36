//! The cluster that leads to Postern.

use std::net::IpAddr;

use crate::lint::envoy::code::Code;
use crate::lint::envoy::collect::Parts;
use crate::lint::envoy::sink::Sink;
use crate::lint::envoy::{fix, tls};
use crate::lint::report::Severity;
use crate::lint::tree::at::At;

const HTTP_OPTIONS: &str = "envoy.extensions.upstreams.http.v3.HttpProtocolOptions";

/// How far it is to an address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Reach {
    /// A Unix socket, loopback, or inside of Envoy.
    Here,
    /// Not in the file.
    Unknown,
    /// Over a network.
    Network,
}

/// Checks where a `GrpcService` leads.
pub(super) fn check_service<'t>(sink: &mut Sink, parts: &Parts<'t>, service: &At<'t>) {
    if let Some(google) = service.get("google_grpc") {
        check_google(sink, &google);
        return;
    }
    let Some(name) = service.find(&["envoy_grpc", "cluster_name"]) else {
        let found = "neither `envoy_grpc` nor `google_grpc`";
        sink.push(
            Severity::Error,
            Code::NotGrpc,
            service,
            found,
            fix::service(),
        );
        return;
    };
    let text = name.text().unwrap_or("");
    if parts.clusters.contains_key(text) {
        return;
    }
    let (severity, fix) = if parts.has_other_clusters {
        (Severity::Info, fix::dump().to_owned())
    } else {
        (Severity::Error, fix::cluster(text))
    };
    let found = format!("the cluster `{text}` is not in this file");
    sink.push(severity, Code::ClusterMissing, &name, found, fix);
}

fn check_google(sink: &mut Sink, google: &At<'_>) {
    let uri = google.text_of("target_uri").unwrap_or("");
    let target = uri.rsplit("//").next().unwrap_or(uri);
    let target = target
        .strip_prefix("dns:")
        .or_else(|| target.strip_prefix("ipv4:"))
        .unwrap_or(target);
    let host = target.rsplit_once(':').map_or(target, |(host, _)| host);
    let is_here =
        uri.starts_with("unix:") || reach_of(host.trim_matches(['[', ']'])) == Reach::Here;
    let has_tls = google
        .find(&["channel_credentials", "ssl_credentials"])
        .is_some()
        || google.get("channel_credentials_plugin").is_some();
    if !is_here && !has_tls {
        let found = format!("`{uri}` is reached over a network without TLS");
        let fix = "google_grpc:\n  channel_credentials:\n    ssl_credentials: {}";
        sink.push(Severity::Error, Code::ClusterTls, google, found, fix);
    }
}

/// Checks each cluster that a filter or a route names, once.
pub(super) fn check_named(sink: &mut Sink, parts: &Parts<'_>) {
    let mut names: Vec<&str> = Vec::new();
    for filter in parts.filters.iter().chain(&parts.network) {
        if let Some(name) = filter
            .at
            .find(&["grpc_service", "envoy_grpc", "cluster_name"])
            .and_then(|at| at.text())
            && !names.contains(&name)
        {
            names.push(name);
        }
    }
    for name in names {
        if let Some(at) = parts.clusters.get(name) {
            sink.group = format!("cluster `{name}`");
            check(sink, at);
        }
    }
}

fn check(sink: &mut Sink, at: &At<'_>) {
    if !has_http2(at) {
        let found = "HTTP/2 is not set for the cluster that checks go to";
        sink.push(Severity::Error, Code::ClusterHttp2, at, found, fix::http2());
    }
    let endpoints = endpoints(at);
    let reach = endpoints
        .iter()
        .map(|(_, reach)| *reach)
        .max()
        .unwrap_or(Reach::Unknown);
    let sockets = at
        .get("transport_socket_matches")
        .map_or(0, |list| list.items().len());
    let socket = at.get("transport_socket");
    let socket = socket
        .as_ref()
        .and_then(|at| at.get("typed_config")?.typed());
    match socket {
        Some((name, context)) if name.ends_with(".UpstreamTlsContext") => {
            trust(sink, at, &context, reach)
        }
        Some((name, _)) if !name.ends_with(".RawBuffer") => {}
        _ if sockets > 0 || reach == Reach::Here => {}
        _ if reach == Reach::Unknown => {
            let found = "no `transport_socket`, and the address is not in this file";
            sink.push(
                Severity::Warning,
                Code::ClusterTls,
                at,
                found,
                fix::beside(),
            );
        }
        _ => {
            let far = endpoints.iter().find(|(_, reach)| *reach == Reach::Network);
            let address = far.map_or("", |(address, _)| address);
            let found = format!("`{address}` is reached over a network without TLS");
            sink.push(Severity::Error, Code::ClusterTls, at, found, fix::beside());
        }
    }
}

fn trust(sink: &mut Sink, at: &At<'_>, context: &At<'_>, reach: Reach) {
    if reach == Reach::Here {
        return;
    }
    let validation = |field: &str| {
        let common = context.get("common_tls_context")?;
        let inline = common.get("validation_context").or_else(|| {
            common.find(&["combined_validation_context", "default_validation_context"])
        })?;
        inline.get(field)
    };
    let by_discovery = context
        .find(&["common_tls_context", "validation_context_sds_secret_config"])
        .is_some();
    let names = validation("match_typed_subject_alt_names")
        .or_else(|| validation("match_subject_alt_names"));
    let validates_host = context
        .get("auto_sni_san_validation")
        .and_then(|at| at.flag())
        == Some(true);
    let pins =
        validation("verify_certificate_hash").or_else(|| validation("verify_certificate_spki"));
    let found = if !tls::verifies(context) {
        "TLS without `trusted_ca`: any certificate is believed"
    } else if !by_discovery && names.is_none() && pins.is_none() && !validates_host {
        "TLS without a name: any server that the authority vouches for is believed"
    } else {
        return;
    };
    sink.push(
        Severity::Warning,
        Code::ClusterTrust,
        at,
        found,
        fix::upstream_tls(),
    );
}

fn has_http2(at: &At<'_>) -> bool {
    if at.get("http2_protocol_options").is_some() {
        return true;
    }
    let Some((_, options)) = at
        .find(&["typed_extension_protocol_options", HTTP_OPTIONS])
        .and_then(|at| at.typed())
    else {
        return false;
    };
    let explicit = options.get("explicit_http_config");
    let is_explicit = explicit.is_some_and(|config| config.get("http2_protocol_options").is_some());
    // By ALPN: it takes TLS to find out.
    let by_alpn = options.get("auto_config").is_some() && at.get("transport_socket").is_some();
    is_explicit || by_alpn
}

fn endpoints<'t>(at: &At<'t>) -> Vec<(&'t str, Reach)> {
    let mut found = Vec::new();
    let Some(assignment) = at.get("load_assignment") else {
        return found;
    };
    for locality in assignment.list("endpoints") {
        for endpoint in locality.list("lb_endpoints") {
            let Some(address) = endpoint.find(&["endpoint", "address"]) else {
                found.push(("", Reach::Unknown));
                continue;
            };
            if let Some(host) = address
                .find(&["socket_address", "address"])
                .and_then(|at| at.text())
            {
                found.push((host, reach_of(host)));
            } else {
                // A pipe, or a listener inside of Envoy.
                found.push(("", Reach::Here));
            }
        }
    }
    found
}

fn reach_of(host: &str) -> Reach {
    let is_loopback = match host.parse::<IpAddr>() {
        Ok(ip) => ip.is_loopback(),
        Err(_) => host.eq_ignore_ascii_case("localhost"),
    };
    if is_loopback {
        Reach::Here
    } else {
        Reach::Network
    }
}
