//! What is changed in `good.yaml`, and what is found then (beside the note about `/healthz`).

const AUTHZ: &str = "failure_mode_allow: false";
const MANAGER: &str = "stat_prefix: edge";
const FILTER: &str = "          - name: envoy.filters.http.ext_authz\n            typed_config:";
const ROUTER: &str = "          - name: envoy.filters.http.router";
const ROUTE: &str = "              - match: {prefix: /}\n";
const ADDRESS: &str = "{socket_address: {address: 127.0.0.1, port_value: 9191}}";
const POSTERN: &str = "    connect_timeout: 0.25s\n";
const CHAIN: &str = "    filter_chains:\n    - filters:";
const REMOVED: &str = "                - x-postern-attributed-user\n";

/// From, to, and the findings in order of the alphabet.
pub(crate) const CASES: &[(&str, &str, &[&str])] = &[
    // === when Postern does not answer ===
    (AUTHZ, "failure_mode_allow: true", &["error failure_mode_allow"]),
    (AUTHZ, "failureModeAllow: on", &["error failure_mode_allow"]),
    (AUTHZ, "failure_mode_allow: 1", &["error wrong_type"]),
    (AUTHZ, "failure_mode_alow: false", &["error unknown_field"]),
    (
        AUTHZ,
        "failure_mode_allow_header_add: true",
        &["warning failure_mode_allow_header_add"],
    ),
    (AUTHZ, "shadow_mode: true", &["error shadow_mode"]),
    ("timeout: 0.5s", "", &["warning timeout"]),
    ("timeout: 0.5s", "timeout: 10s", &["warning timeout"]),
    ("timeout: 0.5s", "timeout: 0s", &["warning timeout"]),
    ("timeout: 0.5s", "timeout: 500ms", &["error wrong_type"]),
    ("timeout: 0.5s", "timeout: 2s", &[]),
    ("code: ServiceUnavailable", "code: OK", &["error status_on_error"]),
    ("code: ServiceUnavailable", "code: 204", &["error status_on_error"]),
    ("status_on_error: {code: ServiceUnavailable}", "", &["info status_on_error"]),
    // === whom it asks ===
    ("transport_api_version: V3", "", &["warning transport_api_version"]),
    (
        "transport_api_version: V3",
        "transport_api_version: V2",
        &["error transport_api_version"],
    ),
    (
        "grpc_service:\n                envoy_grpc: {cluster_name: postern}\n                timeout: 0.5s",
        "http_service: {}",
        &["error not_grpc"],
    ),
    (
        "envoy_grpc: {cluster_name: postern}",
        "google_grpc: {target_uri: \"postern.internal:443\", stat_prefix: p}",
        &["error cluster_tls"],
    ),
    (
        "envoy_grpc: {cluster_name: postern}",
        "google_grpc: {target_uri: \"unix:/run/p.sock\", stat_prefix: p}",
        &[],
    ),
    (
        "envoy_grpc: {cluster_name: postern}",
        "google_grpc: {target_uri: \"dns:///[::1]:9191\", stat_prefix: p}",
        &[],
    ),
    ("cluster_name: postern}", "cluster_name: nobody}", &["error cluster_missing"]),
    (
        "static_resources:",
        "dynamic_resources: {cds_config: {ads: {}}}\nstatic_resources:",
        &[],
    ),
    // === the cluster ===
    ("http2_protocol_options: {}", "http_protocol_options: {}", &["error cluster_http2"]),
    (POSTERN, "    http2_protocol_options: {}\n", &[]),
    (ADDRESS, "{pipe: {path: /run/postern.sock}}", &[]),
    (ADDRESS, "{socket_address: {address: \"::1\", port_value: 9191}}", &[]),
    (
        ADDRESS,
        "{socket_address: {address: postern, port_value: 9191}}",
        &["error cluster_tls"],
    ),
    (
        "- endpoint: {address: {socket_address: {address: 127.0.0.1, port_value: 9191}}}",
        "- endpoint_name: x",
        &["warning cluster_tls"],
    ),
    (
        "    load_assignment:\n      cluster_name: postern\n      endpoints:\n      - lb_endpoints:\n        - endpoint: {address: {socket_address: {address: 127.0.0.1, port_value: 9191}}}",
        "    transport_socket:
      name: tls
      typed_config:
        \"@type\": type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.UpstreamTlsContext",
        &["warning cluster_trust"],
    ),
    (
        "    load_assignment:\n      cluster_name: postern\n      endpoints:\n      - lb_endpoints:\n        - endpoint: {address: {socket_address: {address: 127.0.0.1, port_value: 9191}}}",
        "    transport_socket:
      name: tls
      typed_config:
        \"@type\": type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.UpstreamTlsContext
        common_tls_context: {validation_context: {trusted_ca: {filename: ca.pem}}}",
        &["warning cluster_trust"],
    ),
    (
        "    load_assignment:\n      cluster_name: postern\n      endpoints:\n      - lb_endpoints:\n        - endpoint: {address: {socket_address: {address: 127.0.0.1, port_value: 9191}}}",
        "    transport_socket:
      name: tls
      typed_config:
        \"@type\": type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.UpstreamTlsContext
        common_tls_context:
          validation_context:
            trusted_ca: {filename: ca.pem}
            match_typed_subject_alt_names: [{san_type: DNS, matcher: {exact: postern.internal}}]",
        &[],
    ),
    // === paths and headers ===
    ("normalize_path: true", "normalize_path: false", &["warning normalize_path"]),
    ("normalize_path: true", "", &["warning normalize_path"]),
    ("merge_slashes: true", "", &["warning merge_slashes"]),
    (
        "path_with_escaped_slashes_action: REJECT_REQUEST",
        "",
        &["warning path_with_escaped_slashes_action"],
    ),
    (
        "path_with_escaped_slashes_action: REJECT_REQUEST",
        "path_with_escaped_slashes_action: UNESCAPE_AND_REDIRECT",
        &[],
    ),
    (
        "headers_with_underscores_action: REJECT_REQUEST",
        "headers_with_underscores_action: ALLOW",
        &["warning headers_with_underscores_action"],
    ),
    (
        "headers_with_underscores_action: REJECT_REQUEST",
        "max_headers_count: 100",
        &["warning headers_with_underscores_action"],
    ),
    // === which requests are asked about ===
    (AUTHZ, "filter_enabled: {default_value: {numerator: 99}}", &["error filter_enabled"]),
    (
        AUTHZ,
        "filter_enabled: {default_value: {numerator: 9999, denominator: TEN_THOUSAND}}",
        &["error filter_enabled"],
    ),
    (AUTHZ, "filter_enabled: {default_value: {numerator: 100}}", &[]),
    (
        AUTHZ,
        "filter_enabled: {default_value: {numerator: 100}, runtime_key: k}",
        &["warning filter_enabled"],
    ),
    (
        AUTHZ,
        "filter_enabled: {default_value: {numerator: 50}, runtime_key: k}\n              deny_at_disable: {default_value: true, runtime_key: d}",
        &["info deny_at_disable", "warning filter_enabled"],
    ),
    (
        AUTHZ,
        "deny_at_disable: {default_value: false, runtime_key: d}",
        &["warning deny_at_disable"],
    ),
    (
        AUTHZ,
        "filter_enabled_metadata: {filter: x, path: [{key: y}], value: {bool_match: true}}",
        &["error filter_enabled_metadata"],
    ),
    (
        FILTER,
        "          - name: envoy.filters.http.ext_authz\n            disabled: true\n            typed_config:",
        &["error identity_headers", "info filter_disabled", "warning route_disabled"],
    ),
    (
        FILTER,
        "          - name: envoy.filters.http.ext_authz\n            is_optional: true\n            typed_config:",
        &["warning is_optional"],
    ),
    (
        FILTER,
        "          - name: router\n            typed_config: {\"@type\": t/envoy.extensions.filters.http.router.v3.Router}\n          - name: envoy.filters.http.ext_authz\n            typed_config:",
        &["error filter_order"],
    ),
    (
        FILTER,
        "          - name: t\n            typed_config: {\"@type\": t/envoy.extensions.filters.http.grpc_json_transcoder.v3.GrpcJsonTranscoder}\n          - name: envoy.filters.http.ext_authz\n            typed_config:",
        &["warning filter_order"],
    ),
    (
        FILTER,
        "          - name: c\n            typed_config: {\"@type\": t/envoy.extensions.filters.http.cors.v3.Cors}\n          - name: envoy.filters.http.ext_authz\n            typed_config:",
        &[],
    ),
    (
        ROUTER,
        "          - name: second\n            config_discovery: {type_urls: [t/envoy.extensions.filters.http.ext_authz.v3.ExtAuthz]}\n          - name: envoy.filters.http.router",
        &["warning config_discovery", "warning identity_removed"],
    ),
    (
        "          - upgrade_type: websocket",
        "          - upgrade_type: websocket\n            filters: [{name: envoy.filters.http.router}]",
        &["error upgrade_filters"],
    ),
    (
        CHAIN,
        "    filter_chains:
    - filters:
      - name: envoy.filters.network.http_connection_manager
        typed_config:
          \"@type\": type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager
          http_filters: []
    - filters:",
        &["warning missing_filter"],
    ),
    (
        CHAIN,
        "    filter_chains:
    - filters:
      - name: envoy.filters.network.ext_authz
        typed_config:
          \"@type\": type.googleapis.com/envoy.extensions.filters.network.ext_authz.v3.ExtAuthz
          transport_api_version: V3
          grpc_service: {envoy_grpc: {cluster_name: postern}, timeout: 0.5s}",
        &["warning network_ext_authz"],
    ),
    (
        "envoy.extensions.filters.http.ext_authz.v3.ExtAuthz\n",
        "envoy.extensions.filters.http.cors.v3.Cors\n",
        &["error no_ext_authz"],
    ),
    // === what Postern sees, and what of its answer is applied ===
    (
        AUTHZ,
        "allowed_headers: {patterns: [{exact: authorization}]}",
        &["error allowed_headers"],
    ),
    (
        AUTHZ,
        "allowed_headers: {patterns: [{exact: Authorization, ignore_case: true}, {suffix: -key}]}",
        &[],
    ),
    (AUTHZ, "disallowed_headers: {patterns: [{prefix: x-}]}", &["error allowed_headers"]),
    (AUTHZ, "disallowed_headers: {patterns: [{exact: cookie}]}", &[]),
    (
        AUTHZ,
        "with_request_body: {max_request_bytes: 1024, allow_partial_message: true}",
        &["info with_request_body"],
    ),
    (
        AUTHZ,
        "with_request_body: {max_request_bytes: 1024}",
        &["info with_request_body", "warning allow_partial_message"],
    ),
    (
        AUTHZ,
        "with_request_body: {max_request_bytes: 4194304, allow_partial_message: true}",
        &["error max_request_bytes", "info with_request_body"],
    ),
    (AUTHZ, "clear_route_cache: true", &["warning clear_route_cache"]),
    ("validate_mutations: true", "", &["info validate_mutations"]),
    (
        AUTHZ,
        "decoder_header_mutation_rules: {disallow_all: true}",
        &["error decoder_header_mutation_rules"],
    ),
    (AUTHZ, "decoder_header_mutation_rules: {allow_all_routing: false}", &[]),
    (AUTHZ, "include_peer_certificate: true", &["warning include_peer_certificate"]),
    (
        "    filter_chains:\n    - filters:",
        "    filter_chains:
    - transport_socket:
        name: tls
        typed_config:
          \"@type\": t/envoy.extensions.transport_sockets.tls.v3.DownstreamTlsContext
          require_client_certificate: true
          common_tls_context: {validation_context: {trusted_ca: {filename: ca.pem}}}
      filters:",
        &["info include_peer_certificate"],
    ),
    // === routes ===
    (
        // A route switches one of two filters on.
        FILTER,
        "          - name: other
            disabled: true
            typed_config:
              \"@type\": type.googleapis.com/envoy.extensions.filters.http.ext_authz.v3.ExtAuthz
              transport_api_version: V3
              grpc_service: {envoy_grpc: {cluster_name: postern}, timeout: 0.5s}
              status_on_error: {code: ServiceUnavailable}
              validate_mutations: true
          - name: envoy.filters.http.ext_authz
            typed_config:",
        &["info filter_disabled"],
    ),
    (
        ROUTE,
        "              - match: {prefix: /}
                route:
                  weighted_clusters:
                    clusters:
                    - name: a
                      weight: 1
                      typed_per_filter_config:
                        envoy.filters.http.ext_authz:
                          \"@type\": t/envoy.extensions.filters.http.ext_authz.v3.ExtAuthzPerRoute
                          disabled: true
              - match: {prefix: /x}
",
        &["error identity_headers", "warning route_disabled"],
    ),
    (
        ROUTE,
        "              - match: {path: /old}
                redirect: {path_redirect: /new}
                typed_per_filter_config:
                  envoy.filters.http.ext_authz:
                    \"@type\": t/envoy.extensions.filters.http.ext_authz.v3.ExtAuthzPerRoute
                    disabled: true
              - match: {prefix: /}
",
        &["info route_disabled"],
    ),
    (REMOVED, "", &["error identity_headers"]),
    (
        ROUTE,
        "              - match: {prefix: /}
                typed_per_filter_config:
                  envoy.filters.http.ext_authz:
                    \"@type\": t/envoy.config.route.v3.FilterConfig
                    disabled: true
",
        &["error identity_headers", "warning route_disabled"],
    ),
    (
        ROUTE,
        "              - match: {prefix: /}\n                request_headers_to_remove: [x-postern-team]\n",
        &["warning identity_removed"],
    ),
    (
        ROUTE,
        "              - match: {prefix: /}\n                request_headers_to_add: [{header: {key: X-Postern-Team, value: t}}]\n",
        &["error identity_set"],
    ),
    (
        ROUTE,
        "              - match: {prefix: /}
                typed_per_filter_config:
                  other:
                    \"@type\": t/envoy.extensions.filters.http.ext_authz.v3.ExtAuthzPerRoute
                    disabled: true
",
        &["warning route_setting"],
    ),
    (
        ROUTE,
        "              - match: {prefix: /}
                typed_per_filter_config:
                  envoy.filters.http.ext_authz:
                    \"@type\": t/envoy.extensions.filters.http.ext_authz.v3.ExtAuthzPerRoute
                    check_settings: {context_extensions: {postern.permission: p}}
",
        &["error route_setting"],
    ),
    (
        ROUTE,
        "              - match: {prefix: /}
                typed_per_filter_config:
                  envoy.filters.http.ext_authz:
                    \"@type\": t/envoy.extensions.filters.http.ext_authz.v3.ExtAuthzPerRoute
                    check_settings: {context_extensions: {postern.permission: p, postern.resource: r, mine: m}}
",
        &[],
    ),
    (
        MANAGER,
        "stat_prefix: edge\n          rds: {route_config_name: far, config_source: {ads: {}}}",
        &["info routes_elsewhere"],
    ),
];
