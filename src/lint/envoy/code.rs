//! The checks: their stable words, and why each matters.

/// One check.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Code {
    NoExtAuthz,
    MissingFilter,
    FailureModeAllow,
    FailureModeAllowHeaderAdd,
    Timeout,
    NotGrpc,
    ApiVersion,
    StatusOnError,
    ShadowMode,
    FilterEnabled,
    FilterEnabledMetadata,
    DenyAtDisable,
    FilterDisabled,
    FilterOptional,
    FilterOrder,
    FilterElsewhere,
    UpgradeFilters,
    AllowedHeaders,
    BodySent,
    BodySize,
    BodyPartial,
    ClearRouteCache,
    ValidateMutations,
    MutationRules,
    PeerCertificate,
    NormalizePath,
    MergeSlashes,
    EscapedSlashes,
    Underscores,
    RouteDisabled,
    IdentityHeaders,
    IdentityRemoved,
    IdentitySet,
    RouteSetting,
    RoutesElsewhere,
    ClusterMissing,
    ClusterTls,
    ClusterTrust,
    ClusterHttp2,
    NetworkFilter,
    RefusedUpdate,
    WrongType,
    UnknownField,
}

impl Code {
    /// Stable word, for scripts.
    pub(super) const fn word(self) -> &'static str {
        self.row().0
    }

    /// Why it matters, one line.
    pub(super) const fn why(self) -> &'static str {
        self.row().1
    }

    #[expect(clippy::too_many_lines, reason = "a table")]
    const fn row(self) -> (&'static str, &'static str) {
        match self {
            Self::NoExtAuthz => (
                "no_ext_authz",
                "Envoy asks nobody: every request reaches its upstream",
            ),
            Self::MissingFilter => (
                "missing_filter",
                "requests through here are not checked, and a client's own x-postern-* headers \
                 reach the upstream as if Postern had set them",
            ),
            Self::FailureModeAllow => (
                "failure_mode_allow",
                "when Postern is stopped, slow or not ready, every request passes unchecked",
            ),
            Self::FailureModeAllowHeaderAdd => (
                "failure_mode_allow_header_add",
                "only marks requests that passed unchecked, and a client can send the same header",
            ),
            Self::Timeout => (
                "timeout",
                "how long a client waits when Postern hangs, and how soon a slow moment becomes \
                 a refusal, should be chosen and not left to a default",
            ),
            Self::NotGrpc => (
                "not_grpc",
                "Postern answers envoy.service.auth.v3.Authorization over gRPC and nothing else",
            ),
            Self::ApiVersion => (
                "transport_api_version",
                "Postern serves version 3 only; without a word Envoy's own version decides what it \
                 speaks",
            ),
            Self::StatusOnError => (
                "status_on_error",
                "the client's status when Postern cannot answer: it must not look like a success, \
                 and should not look like a decision",
            ),
            Self::ShadowMode => (
                "shadow_mode",
                "Envoy records the decision and lets every request pass; shadow routes of Postern \
                 do that for one route at a time, and visibly",
            ),
            Self::FilterEnabled => (
                "filter_enabled",
                "the rest of the requests passes unchecked",
            ),
            Self::FilterEnabledMetadata => (
                "filter_enabled_metadata",
                "requests without matching metadata pass unchecked",
            ),
            Self::DenyAtDisable => (
                "deny_at_disable",
                "says what happens to requests that the filter is switched off for",
            ),
            Self::FilterDisabled => (
                "filter_disabled",
                "only requests whose route switches the filter on are checked (Envoy Gateway does so)",
            ),
            Self::FilterOptional => (
                "is_optional",
                "an Envoy without this filter starts all the same, and checks nothing",
            ),
            Self::FilterOrder => (
                "filter_order",
                "it acts on requests that nobody has checked yet, or changes what is checked",
            ),
            Self::FilterElsewhere => (
                "config_discovery",
                "the filter's settings are not in this file, so they were not checked",
            ),
            Self::UpgradeFilters => (
                "upgrade_filters",
                "an upgraded request goes through this list in place of http_filters, so it is \
                 not checked",
            ),
            Self::AllowedHeaders => (
                "allowed_headers",
                "Postern does not get the header that carries the credential: every caller is \
                 anonymous or denied",
            ),
            Self::BodySent => (
                "with_request_body",
                "Postern decides nothing by bodies: buffering costs memory and time, and bodies \
                 leave the request's own way",
            ),
            Self::BodySize => (
                "max_request_bytes",
                "Postern refuses a CheckRequest of more than 4 MiB: a large body becomes an error",
            ),
            Self::BodyPartial => (
                "allow_partial_message",
                "Envoy answers 413 to a body over max_request_bytes before it asks Postern",
            ),
            Self::ClearRouteCache => (
                "clear_route_cache",
                "Postern sets headers on every allow, so the route is chosen anew after the \
                 decision: the request can end on a route that was not decided on",
            ),
            Self::ValidateMutations => (
                "validate_mutations",
                "makes Envoy answer 500 to an answer it could not apply as it stands",
            ),
            Self::MutationRules => (
                "decoder_header_mutation_rules",
                "Envoy does not overwrite the identity headers, so a client's own reach the \
                 upstream",
            ),
            Self::PeerCertificate => (
                "include_peer_certificate",
                "a certificate proves something only if this listener demands and verifies it",
            ),
            Self::NormalizePath => (
                "normalize_path",
                "the path that is decided on must be the path that the upstream acts on; Postern \
                 denies paths with dot segments or backslashes that reach it",
            ),
            Self::MergeSlashes => (
                "merge_slashes",
                "`//admin` and `/admin` may be one thing to the upstream; Postern denies paths \
                 with `//` that reach it",
            ),
            Self::EscapedSlashes => (
                "path_with_escaped_slashes_action",
                "`%2F` may be a slash to the upstream and is none to Envoy's routes \
                 (CVE-2021-29492); Postern denies such paths",
            ),
            Self::Underscores => (
                "headers_with_underscores_action",
                "many servers read x_postern_principal as x-postern-principal, which Envoy does \
                 not overwrite",
            ),
            Self::RouteDisabled => ("route_disabled", "requests on this route are not checked"),
            Self::IdentityHeaders => (
                "identity_headers",
                "an unchecked route passes a client's own x-postern-* headers, which the upstream \
                 believes",
            ),
            Self::IdentityRemoved => (
                "identity_removed",
                "a route removes headers after the filter: the identity that Postern proved is \
                 lost",
            ),
            Self::IdentitySet => (
                "identity_set",
                "a route sets headers after the filter: the upstream reads another identity than \
                 the one that was decided on",
            ),
            Self::RouteSetting => (
                "route_setting",
                "a setting of a route that does not do what it seems to",
            ),
            Self::RoutesElsewhere => (
                "routes_elsewhere",
                "the routes are not in this file, so their own settings were not checked",
            ),
            Self::ClusterMissing => (
                "cluster_missing",
                "where Envoy asks could not be checked; without the cluster every request is \
                 refused",
            ),
            Self::ClusterTls => (
                "cluster_tls",
                "credentials go over the network in clear text, and whoever answers in Postern's \
                 place allows everything",
            ),
            Self::ClusterTrust => (
                "cluster_trust",
                "without a verified name any server can answer in Postern's place",
            ),
            Self::ClusterHttp2 => (
                "cluster_http2",
                "gRPC needs HTTP/2: without it every check fails",
            ),
            Self::NetworkFilter => (
                "network_ext_authz",
                "a connection has no request and no credential: Postern denies it",
            ),
            Self::RefusedUpdate => (
                "refused_update",
                "Envoy runs something else than what it was last given",
            ),
            Self::WrongType => (
                "wrong_type",
                "Envoy refuses the configuration, so what runs is not this",
            ),
            Self::UnknownField => (
                "unknown_field",
                "Envoy refuses or ignores a field it does not know; a misspelt setting is not set",
            ),
        }
    }
}
