//! An HTTP connection manager: what it does to paths and headers, and where in its chain of
//! filters it asks.

use crate::lint::envoy::code::Code;
use crate::lint::envoy::collect::{Here, Manager, Parts, is_http_filter};
use crate::lint::envoy::sink::Sink;
use crate::lint::envoy::{filter, fix};
use crate::lint::report::Severity;
use crate::lint::tree::at::At;

/// The usual name of the filter.
pub(super) const FILTER_NAME: &str = "envoy.filters.http.ext_authz";

/// Filters that answer a request themselves, change what is decided on, or send it elsewhere;
/// by the segment of the type's name after `filters.http.`.
const ACTING: [&str; 18] = [
    "admission_control",
    "aws_lambda",
    "aws_request_signing",
    "buffer",
    "cache",
    "credential_injector",
    "dynamic_forward_proxy",
    "dynamic_modules",
    "ext_proc",
    "file_system_buffer",
    "golang",
    "grpc_http1_bridge",
    "grpc_http1_reverse_bridge",
    "grpc_json_transcoder",
    "header_mutation",
    "health_check",
    "lua",
    "wasm",
];

/// What one entry of `http_filters` is.
enum Entry<'t> {
    Authz { settings: At<'t>, is_matched: bool },
    AuthzElsewhere,
    Router,
    Other(&'t str),
}

/// What the findings of a manager belong to.
pub(super) fn label(here: &Here<'_>, at: &At<'_>) -> String {
    let listener = match &here.listener {
        Some(listener) => match listener.text_of("name") {
            Some(name) => format!("listener `{name}`"),
            None => "listener without a name".to_owned(),
        },
        None => "no listener".to_owned(),
    };
    let chain = here.chain.as_ref().and_then(|chain| chain.text_of("name"));
    let chain = chain.map_or_else(String::new, |name| format!(", filter chain `{name}`"));
    let prefix = at.text_of("stat_prefix");
    let prefix = prefix.map_or_else(String::new, |name| format!(", stat_prefix `{name}`"));
    listener + &chain + &prefix
}

/// An `ext_authz` filter of a manager.
#[derive(Debug, Clone, Copy)]
pub(super) struct Asker<'t> {
    /// What routes call it.
    pub(super) name: &'t str,
    /// Only routes that switch it on are checked.
    pub(super) is_off: bool,
}

/// Checks a manager; returns its `ext_authz` filters.
pub(super) fn check<'t>(
    sink: &mut Sink,
    parts: &Parts<'t>,
    manager: &Manager<'t>,
    seen: &mut filter::Seen<'t>,
) -> Vec<Asker<'t>> {
    let mut askers = Vec::new();
    let mut before: Vec<(At<'t>, &str)> = Vec::new();
    let mut has_router = false;
    for item in manager.at.list("http_filters") {
        match entry(parts, &item) {
            Entry::Router => has_router = true,
            Entry::Other(kind) => before.push((item, kind)),
            found @ (Entry::Authz { .. } | Entry::AuthzElsewhere) => {
                let name = sink.text(&item, "name").unwrap_or(FILTER_NAME);
                let is_off = switches(sink, &item);
                askers.push(Asker { name, is_off });
                place(sink, &item, &before, has_router);
                before.clear();
                settings(sink, parts, manager, seen, &item, &found);
            }
        }
    }
    if !askers.is_empty() {
        paths(sink, &manager.at);
        headers(sink, &manager.at);
        upgrades(sink, parts, &manager.at);
        if manager
            .at
            .get("rds")
            .is_some_and(|rds| !has_routes(parts, &rds))
        {
            let found = "the routes come by discovery and are not in this file";
            let fix = fix::dump();
            sink.push(
                Severity::Info,
                Code::RoutesElsewhere,
                &manager.at,
                found,
                fix,
            );
        }
    }
    askers
}

fn has_routes(parts: &Parts<'_>, rds: &At<'_>) -> bool {
    let name = rds.text_of("route_config_name");
    parts
        .routes
        .iter()
        .any(|routes| routes.at.text_of("name") == name)
}

fn entry<'t>(parts: &Parts<'t>, item: &At<'t>) -> Entry<'t> {
    let name = item.text_of("name").unwrap_or("");
    if let Some(discovery) = item.get("config_discovery") {
        let is_authz = discovery
            .list("type_urls")
            .iter()
            .any(|url| url.text().is_some_and(is_http_filter));
        let settings = parts.discovered.get(name).and_then(At::typed);
        return match settings {
            Some((kind, settings)) if is_http_filter(kind) => Entry::Authz {
                settings,
                is_matched: false,
            },
            _ if is_authz || name == FILTER_NAME => Entry::AuthzElsewhere,
            _ => Entry::Other("a filter by discovery"),
        };
    }
    let Some((kind, settings)) = item.get("typed_config").and_then(|at| at.typed()) else {
        let settings = item.clone();
        return match name {
            FILTER_NAME => Entry::Authz {
                settings,
                is_matched: false,
            },
            "envoy.filters.http.router" => Entry::Router,
            other => Entry::Other(other),
        };
    };
    if is_http_filter(kind) {
        return Entry::Authz {
            settings,
            is_matched: false,
        };
    }
    if kind.ends_with(".ExtensionWithMatcher") {
        let inner = settings.find(&["extension_config", "typed_config"]);
        if let Some((kind, settings)) = inner.and_then(|at| at.typed())
            && is_http_filter(kind)
        {
            return Entry::Authz {
                settings,
                is_matched: true,
            };
        }
    }
    if kind.ends_with(".Router") {
        return Entry::Router;
    }
    Entry::Other(kind)
}

fn settings<'t>(
    sink: &mut Sink,
    parts: &Parts<'t>,
    manager: &Manager<'t>,
    seen: &mut filter::Seen<'t>,
    item: &At<'t>,
    entry: &Entry<'t>,
) {
    let Entry::Authz {
        settings,
        is_matched,
    } = entry
    else {
        let found = "an ext_authz filter by discovery";
        sink.push(
            Severity::Warning,
            Code::FilterElsewhere,
            item,
            found,
            fix::dump(),
        );
        return;
    };
    if *is_matched {
        let found = "a matcher in front of the filter decides which requests are checked";
        sink.push(
            Severity::Warning,
            Code::FilterEnabled,
            item,
            found,
            fix::filter(),
        );
    }
    seen.add(settings);
    filter::check(sink, parts, settings, &manager.here);
}

/// What stands before it.
fn place(sink: &mut Sink, item: &At<'_>, before: &[(At<'_>, &str)], has_router: bool) {
    if has_router {
        let found = "the filter stands after the router, which ends the chain";
        sink.push(
            Severity::Error,
            Code::FilterOrder,
            item,
            found,
            fix::order(),
        );
    }
    for (at, kind) in before {
        let segment = kind.split_once("filters.http.").map_or(*kind, |(_, rest)| {
            rest.split_once('.').map_or(rest, |(first, _)| first)
        });
        if ACTING.contains(&segment) {
            let found = format!("`{segment}` stands before ext_authz");
            sink.push(
                Severity::Warning,
                Code::FilterOrder,
                at,
                found,
                fix::order(),
            );
        }
    }
}

/// What switches the filter off from outside of its settings; whether it is off.
fn switches(sink: &mut Sink, item: &At<'_>) -> bool {
    let is_off = sink.flag(item, "disabled") == Some(true);
    if is_off {
        let found = "`disabled: true` on the ext_authz filter";
        let fix = "disabled: false";
        sink.push(Severity::Info, Code::FilterDisabled, item, found, fix);
    }
    if sink.flag(item, "is_optional") == Some(true) {
        let found = "`is_optional: true` on the ext_authz filter";
        sink.push(
            Severity::Warning,
            Code::FilterOptional,
            item,
            found,
            "is_optional: false",
        );
    }
    is_off
}

fn paths(sink: &mut Sink, at: &At<'_>) {
    for (field, code) in [
        ("normalize_path", Code::NormalizePath),
        ("merge_slashes", Code::MergeSlashes),
    ] {
        if sink.flag(at, field) != Some(true) {
            let found = match at.get(field) {
                Some(_) => format!("`{field}` is not true"),
                None => format!("`{field}` is not set"),
            };
            let place = at.get(field).unwrap_or_else(|| at.clone());
            sink.push(
                Severity::Warning,
                code,
                &place,
                found,
                format!("{field}: true"),
            );
        }
    }
    let field = "path_with_escaped_slashes_action";
    let fix = "path_with_escaped_slashes_action: REJECT_REQUEST";
    let action = sink
        .text(at, field)
        .unwrap_or("IMPLEMENTATION_SPECIFIC_DEFAULT");
    if !matches!(
        action,
        "REJECT_REQUEST" | "UNESCAPE_AND_REDIRECT" | "2" | "3"
    ) {
        let place = at.get(field).unwrap_or_else(|| at.clone());
        let found = format!("`{field}` is {action}, which lets escaped slashes through");
        sink.push(Severity::Warning, Code::EscapedSlashes, &place, found, fix);
    }
}

fn headers(sink: &mut Sink, at: &At<'_>) {
    let field = "headers_with_underscores_action";
    let options = at.get("common_http_protocol_options");
    let set = options.as_ref().and_then(|options| options.get(field));
    let action = set.as_ref().and_then(At::text).unwrap_or("ALLOW");
    if !matches!(action, "REJECT_REQUEST" | "DROP_HEADER" | "1" | "2") {
        let found = format!("`{field}` is {action}");
        let place = set.unwrap_or_else(|| at.clone());
        let fix =
            "common_http_protocol_options:\n  headers_with_underscores_action: REJECT_REQUEST";
        sink.push(Severity::Warning, Code::Underscores, &place, found, fix);
    }
}

fn upgrades<'t>(sink: &mut Sink, parts: &Parts<'t>, at: &At<'t>) {
    for upgrade in at.list("upgrade_configs") {
        let filters = upgrade.list("filters");
        let asks = filters.iter().any(|item| {
            matches!(
                entry(parts, item),
                Entry::Authz { .. } | Entry::AuthzElsewhere
            )
        });
        if !filters.is_empty()
            && !asks
            && upgrade.get("enabled").and_then(|at| at.flag()) != Some(false)
        {
            let name = upgrade.text_of("upgrade_type").unwrap_or("any");
            let found = format!("`{name}` upgrades have filters of their own, without ext_authz");
            sink.push(
                Severity::Error,
                Code::UpgradeFilters,
                &upgrade,
                found,
                fix::upgrade(),
            );
        }
    }
}
