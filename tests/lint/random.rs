//! Texts that nobody meant: whatever they hold, there is a report or a line that says why not.

use postern::lint::envoy::lint;
use postern::lint::tree::Form;
use proptest::prelude::{Just, Strategy, any, prop, prop_oneof, proptest};
use proptest::test_runner::Config;
use serde_json::{Map, Value, json};

/// Keys that the checks look at, so that random trees reach them.
const KEYS: &[&str] = &[
    "static_resources",
    "configs",
    "resources",
    "listeners",
    "clusters",
    "listener",
    "cluster",
    "filter_chains",
    "filters",
    "typed_config",
    "http_filters",
    "route_config",
    "virtual_hosts",
    "routes",
    "match",
    "route",
    "weighted_clusters",
    "typed_per_filter_config",
    "name",
    "config",
    "envoy.filters.http.ext_authz",
    "grpc_service",
    "envoy_grpc",
    "cluster_name",
    "timeout",
    "load_assignment",
    "endpoints",
    "lb_endpoints",
    "endpoint",
    "address",
    "socket_address",
    "transport_socket",
    "common_tls_context",
    "validation_context",
    "failureModeAllow",
    "value",
    "with_request_body",
    "filter_enabled",
    "default_value",
    "numerator",
    "check_settings",
    "context_extensions",
    "allowed_headers",
    "patterns",
    "request_headers_to_remove",
    "disabled",
    "early_header_mutation_extensions",
    "upgrade_configs",
    "error_state",
    "rds",
    "type_url",
    "decoder_header_mutation_rules",
    "config_discovery",
    "type_urls",
    "common_http_protocol_options",
];
/// Types that the checks know.
const TYPES: &[&str] = &[
    "t/envoy.config.listener.v3.Listener",
    "t/envoy.config.cluster.v3.Cluster",
    "t/envoy.config.route.v3.RouteConfiguration",
    "t/envoy.config.route.v3.FilterConfig",
    "t/envoy.config.core.v3.TypedExtensionConfig",
    "t/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager",
    "t/envoy.extensions.filters.http.ext_authz.v3.ExtAuthz",
    "t/envoy.extensions.filters.http.ext_authz.v3.ExtAuthzPerRoute",
    "t/envoy.extensions.filters.network.ext_authz.v3.ExtAuthz",
    "t/envoy.extensions.common.matching.v3.ExtensionWithMatcher",
    "t/xds.type.v3.TypedStruct",
    "t/envoy.admin.v3.ListenersConfigDump",
    "t/envoy.extensions.transport_sockets.tls.v3.UpstreamTlsContext",
];

fn scalar() -> impl Strategy<Value = Value> {
    prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        "\\PC{0,12}".prop_map(Value::from),
        "[0-9.]{0,14}s".prop_map(Value::from),
        prop::sample::select(TYPES).prop_map(Value::from),
        prop::sample::select(KEYS).prop_map(Value::from),
    ]
}

fn tree() -> impl Strategy<Value = Value> {
    scalar().prop_recursive(9, 160, 6, |inner| {
        let typed = prop::option::of(prop::sample::select(TYPES));
        let entries = prop::collection::vec((prop::sample::select(KEYS), inner.clone()), 0..6);
        prop_oneof![
            1 => prop::collection::vec(inner, 0..5).prop_map(Value::from),
            3 => (typed, entries).prop_map(|(typed, entries)| {
                let mut map: Map<String, Value> =
                    entries.into_iter().map(|(k, v)| (k.to_owned(), v)).collect();
                if let Some(typed) = typed {
                    map.insert("@type".to_owned(), json!(typed));
                }
                Value::Object(map)
            }),
        ]
    })
}

/// A report can be shown in both ways; an unreadable text says so in one line.
fn shows(text: &str, form: Form) {
    match lint(text, form) {
        Ok(report) => {
            assert!(!report.text(true).is_empty());
            assert!(report.json("-").is_ok());
        }
        Err(unreadable) => assert!(!unreadable.to_string().is_empty()),
    }
}

proptest! {
    #![proptest_config(Config { cases: 400, failure_persistence: None, ..Config::default() })]

    #[test]
    fn a_random_tree_of_known_keys_is_read_without_panic(tree in tree()) {
        let tree = json!({"static_resources": tree});
        let text = tree.to_string();
        shows(&text, Form::Json);
        // JSON is YAML
        shows(&text, Form::Yaml);
    }

    #[test]
    fn a_random_text_is_read_without_panic(text in "\\PC{0,200}|[\\[\\]{}&*!:,\\- \\n\"'#a-c]{0,120}") {
        shows(&text, Form::Yaml);
        shows(&text, Form::Json);
    }

    #[test]
    fn a_good_text_with_holes_is_read_without_panic(
        at in any::<prop::sample::Index>(),
        length in 0_usize..40,
        with in "[\\[\\]{}&*!:,\\- \\n\"a-c]{0,6}",
    ) {
        let mut text = super::text("bad.yaml");
        let starts: Vec<usize> = text.char_indices().map(|(i, _)| i).collect();
        let start = *at.get(&starts);
        let end = starts.iter().copied().find(|i| *i >= start + length).unwrap_or(text.len());
        text.replace_range(start..end, &with);
        shows(&text, Form::Yaml);
    }
}
