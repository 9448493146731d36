//! YAML to paste.

/// A whole filter, as it should be.
pub(super) const fn filter() -> &'static str {
    r#"http_filters:
- name: envoy.filters.http.ext_authz
  typed_config:
    "@type": type.googleapis.com/envoy.extensions.filters.http.ext_authz.v3.ExtAuthz
    transport_api_version: V3
    grpc_service:
      envoy_grpc: {cluster_name: postern}
      timeout: 0.5s
    failure_mode_allow: false
    status_on_error: {code: ServiceUnavailable}
    validate_mutations: true
# ... then the other filters, the router last"#
}

/// Whom to ask.
pub(super) const fn service() -> &'static str {
    r"transport_api_version: V3
grpc_service:
  envoy_grpc: {cluster_name: postern}
  timeout: 0.5s"
}

/// Where the filter belongs.
pub(super) const fn order() -> &'static str {
    r"http_filters:
# ext_authz first; then what answers or changes requests; the router last
- name: envoy.filters.http.ext_authz"
}

/// Checks on an upgraded request.
pub(super) const fn upgrade() -> &'static str {
    r"upgrade_configs:
- upgrade_type: websocket
  # no `filters`: the upgrade goes through http_filters, and so through ext_authz"
}

/// Off for one route.
pub(super) const fn per_route() -> &'static str {
    r#"typed_per_filter_config:
  # the name of the filter in http_filters
  envoy.filters.http.ext_authz:
    "@type": type.googleapis.com/envoy.extensions.filters.http.ext_authz.v3.ExtAuthzPerRoute
    disabled: true"#
}

/// What a route asks.
pub(super) const fn context_extensions() -> &'static str {
    r"check_settings:
  context_extensions:
    postern.permission: models.runs.create
    postern.resource: organizations/acme/projects/p"
}

/// For a route that is not checked.
pub(super) const fn remove_identity() -> &'static str {
    r"request_headers_to_remove:
- x-postern-principal
- x-postern-organization
- x-postern-team
- x-postern-attributed-user
- x-postern-revision
- x-postern-request-id"
}

/// Credentials reach Postern.
pub(super) const fn allowed_headers() -> &'static str {
    r"allowed_headers:
  patterns:
  - exact: authorization
  - exact: x-api-key"
}

/// Nothing passes unasked.
pub(super) const fn deny_at_disable() -> &'static str {
    r"# leave filter_enabled and deny_at_disable out, or:
deny_at_disable:
  default_value: true
  runtime_key: ext_authz.deny_at_disable"
}

/// Verified client certificates.
pub(super) const fn peer() -> &'static str {
    r#"transport_socket:
  name: envoy.transport_sockets.tls
  typed_config:
    "@type": type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.DownstreamTlsContext
    require_client_certificate: true
    common_tls_context:
      validation_context:
        trusted_ca: {filename: /etc/envoy/clients-ca.pem}"#
}

/// Requests, not connections.
pub(super) const fn network() -> &'static str {
    r"# ask in http_filters of the connection manager, not in filters of the chain:
http_filters:
- name: envoy.filters.http.ext_authz"
}

/// See everything.
pub(super) const fn dump() -> &'static str {
    "# curl -s http://127.0.0.1:9901/config_dump | postern lint envoy -"
}

/// HTTP/2 to Postern.
pub(super) const fn http2() -> &'static str {
    r#"typed_extension_protocol_options:
  envoy.extensions.upstreams.http.v3.HttpProtocolOptions:
    "@type": type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions
    explicit_http_config:
      http2_protocol_options: {}"#
}

/// A whole cluster, as it should be.
pub(super) fn cluster(name: &str) -> String {
    // A name is quoted as JSON, which is YAML.
    let name = serde_json::Value::from(name);
    format!(
        r#"clusters:
- name: {name}
  type: STATIC
  connect_timeout: 0.25s
  typed_extension_protocol_options:
    envoy.extensions.upstreams.http.v3.HttpProtocolOptions:
      "@type": type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions
      explicit_http_config:
        http2_protocol_options: {{}}
  load_assignment:
    cluster_name: {name}
    endpoints:
    - lb_endpoints:
      - endpoint: {{address: {{socket_address: {{address: 127.0.0.1, port_value: 9191}}}}}}"#
    )
}

/// Postern beside Envoy.
pub(super) const fn beside() -> &'static str {
    r#"# run Postern beside Envoy (`postern serve --listen unix:/run/postern/postern.sock`):
load_assignment:
  cluster_name: postern
  endpoints:
  - lb_endpoints:
    - endpoint: {address: {pipe: {path: /run/postern/postern.sock}}}
# or, over a network, TLS (with a proxy that ends it in front of Postern):
transport_socket:
  name: envoy.transport_sockets.tls
  typed_config:
    "@type": type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.UpstreamTlsContext
    sni: postern.internal
    common_tls_context:
      validation_context:
        trusted_ca: {filename: /etc/envoy/postern-ca.pem}
        match_typed_subject_alt_names:
        - {san_type: DNS, matcher: {exact: postern.internal}}"#
}

/// TLS that proves who answers.
pub(super) const fn upstream_tls() -> &'static str {
    r"common_tls_context:
  validation_context:
    trusted_ca: {filename: /etc/envoy/postern-ca.pem}
    match_typed_subject_alt_names:
    - {san_type: DNS, matcher: {exact: postern.internal}}"
}
