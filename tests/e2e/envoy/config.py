"""What Envoy is told: one bootstrap with a listener for each way of asking Postern."""

import dataclasses
import json
import pathlib

from upstream import GRPC_SERVICE

TYPES = "type.googleapis.com/envoy.extensions"
EXT_AUTHZ = "envoy.filters.http.ext_authz"


@dataclasses.dataclass(frozen=True)
class Listener:
    """A listener of its own port, and how its ext_authz filter is set. `pdp` names a cluster."""

    name: str
    pdp: str
    open: bool = False  # failure_mode_allow
    normalize: bool = False  # normalize_path, merge_slashes
    escaped: str = "KEEP_UNCHANGED"  # path_with_escaped_slashes_action
    raw: bool = False  # encode_raw_headers
    tls: bool = False  # downstream TLS, include_peer_certificate
    body: int = 0  # with_request_body: at most so many bytes
    bytes: bool = False  # ... as bytes
    timeout: str = "10s"  # a busy machine must not turn a row of the table into a time-out
    filtered: bool = True  # ext_authz at all
    network: bool = False  # asks for each connection, not for each request
    direct: bool = False  # Envoy answers itself, no upstream
    status_on_error: int = 0  # what the client sees when Postern does not answer


def filter_of(listener: Listener) -> dict:
    settings = {
        "@type": f"{TYPES}.filters.http.ext_authz.v3.ExtAuthz",
        "transport_api_version": "V3",
        "failure_mode_allow": listener.open,
        "failure_mode_allow_header_add": True,
        "include_peer_certificate": listener.tls,
        "encode_raw_headers": listener.raw,
        "grpc_service": {"envoy_grpc": {"cluster_name": listener.pdp}},
    }
    if listener.timeout:
        settings["grpc_service"]["timeout"] = listener.timeout
    if listener.status_on_error:
        settings["status_on_error"] = {"code": listener.status_on_error}
    if listener.body:
        settings["with_request_body"] = {
            "max_request_bytes": listener.body,
            "allow_partial_message": True,
            "pack_as_bytes": listener.bytes,
        }
    return {"name": EXT_AUTHZ, "typed_config": settings}


def network_filter_of(listener: Listener) -> dict:
    return {
        "name": "envoy.filters.network.ext_authz",
        "typed_config": {
            "@type": f"{TYPES}.filters.network.ext_authz.v3.ExtAuthz",
            "stat_prefix": "e2e",
            "transport_api_version": "V3",
            "failure_mode_allow": listener.open,
            "grpc_service": {
                "envoy_grpc": {"cluster_name": listener.pdp}, "timeout": listener.timeout
            },
        },
    }


def routes_of(listener: Listener) -> list:
    if listener.direct:
        return [{"match": {"prefix": "/"}, "direct_response": {"status": 200}}]

    def per_route(**settings) -> dict:
        kind = f"{TYPES}.filters.http.ext_authz.v3.ExtAuthzPerRoute"
        return {"typed_per_filter_config": {EXT_AUTHZ: {"@type": kind, **settings}}}

    def extensions(permission: str, resource: str) -> dict:
        said = {"postern.permission": permission, "postern.resource": resource}
        return per_route(check_settings={"context_extensions": said})

    inspector = "organizations/acme/teams/vision/projects/inspector"
    http = {"route": {"cluster": "http", "timeout": "30s"}}
    return [
        {"match": {"prefix": f"/{GRPC_SERVICE}/"}, "route": {"cluster": "grpc", "timeout": "30s"}},
        # the route of this path wants less: what Envoy says beats it
        {"match": {"prefix": "/v1/extended/"}, **http,
         **extensions("resourcemanager.projects.delete", inspector)},
        {"match": {"prefix": "/extended/"}, **http, **extensions("models.runs.create", inspector)},
        {"match": {"prefix": "/half-extended/"}, **http,
         **per_route(check_settings={"context_extensions": {"postern.resource": inspector}})},
        {"match": {"prefix": "/"}, **http},
    ]


def access_log(path: pathlib.Path) -> dict:
    """What Postern told of each request of a test, for the test to read."""
    return {
        "name": "file",
        "filter": {"header_filter": {"header": {"name": "x-case", "present_match": True}}},
        "typed_config": {
            "@type": f"{TYPES}.access_loggers.file.v3.FileAccessLog",
            "path": str(path),
            "log_format": {
                "json_format": {
                    "case": "%REQ(x-case)%",
                    "metadata": f"%DYNAMIC_METADATA({EXT_AUTHZ})%",
                }
            },
        },
    }


def listener_of(listener: Listener, certificates: pathlib.Path, log: pathlib.Path) -> dict:
    manager = {
        "@type": f"{TYPES}.filters.network.http_connection_manager.v3.HttpConnectionManager",
        "stat_prefix": "e2e",
        "normalize_path": listener.normalize,
        "merge_slashes": listener.normalize,
        "path_with_escaped_slashes_action": listener.escaped,
        # what Envoy refuses it closes, by default after a second
        "delayed_close_timeout": "0.05s",
        "upgrade_configs": [{"upgrade_type": "websocket"}],
        "route_config": {
            "virtual_hosts": [
                {"name": "all", "domains": ["*"], "routes": routes_of(listener)}
            ]
        },
        "http_filters": [
            *([filter_of(listener)] if listener.filtered and not listener.network else []),
            {"name": "router", "typed_config": {"@type": f"{TYPES}.filters.http.router.v3.Router"}},
        ],
        "access_log": [] if listener.direct else [access_log(log)],
    }
    http = {"name": "http", "typed_config": manager}
    chain = {"filters": [network_filter_of(listener), http] if listener.network else [http]}
    if listener.tls:
        chain["transport_socket"] = {
            "name": "tls",
            "typed_config": {
                "@type": f"{TYPES}.transport_sockets.tls.v3.DownstreamTlsContext",
                "require_client_certificate": False,
                "common_tls_context": {
                    "alpn_protocols": ["h2", "http/1.1"],
                    "tls_certificates": [
                        {
                            "certificate_chain": {"filename": str(certificates / "server.pem")},
                            "private_key": {"filename": str(certificates / "server.key")},
                        }
                    ],
                    "validation_context": {
                        "trusted_ca": {"filename": str(certificates / "ca.pem")}
                    },
                },
            },
        }
    return {
        "name": listener.name,
        "address": {"socket_address": {"address": "127.0.0.1", "port_value": 0}},
        # 1 MiB if nothing is said: a body that is to be sent whole must fit
        **({"per_connection_buffer_limit_bytes": 2 * listener.body} if listener.body else {}),
        "filter_chains": [chain],
    }


def cluster(name: str, address: str, http2: bool) -> dict:
    """`address` is HOST:PORT or unix:/path."""
    if address.startswith("unix:"):
        where = {"pipe": {"path": address[len("unix:") :]}}
    else:
        host, _, port = address.rpartition(":")
        where = {"socket_address": {"address": host, "port_value": int(port)}}
    made = {
        "name": name,
        "type": "STATIC",
        "connect_timeout": "5s",
        "load_assignment": {
            "cluster_name": name,
            "endpoints": [{"lb_endpoints": [{"endpoint": {"address": where}}]}],
        },
        # load must not be refused by Envoy's own bounds of 1,024
        "circuit_breakers": {
            "thresholds": [{"max_requests": 100000, "max_pending_requests": 100000}]
        },
    }
    if http2:
        options = "envoy.extensions.upstreams.http.v3.HttpProtocolOptions"
        made["typed_extension_protocol_options"] = {
            options: {
                "@type": f"type.googleapis.com/{options}",
                "explicit_http_config": {"http2_protocol_options": {}},
            }
        }
    return made


def bootstrap(listeners: list, clusters: list, certificates: pathlib.Path, log: pathlib.Path) -> str:
    return json.dumps(
        {
            "admin": {"address": {"socket_address": {"address": "127.0.0.1", "port_value": 0}}},
            "static_resources": {
                "listeners": [listener_of(listener, certificates, log) for listener in listeners],
                "clusters": clusters,
            },
        },
        indent=1,
    )
