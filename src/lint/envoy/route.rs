//! Routes: which of them are not checked, and what they do to the identity headers.

use crate::lint::envoy::code::Code;
use crate::lint::envoy::collect::{Manager, Parts};
use crate::lint::envoy::filter::{check_body, check_service, matches};
use crate::lint::envoy::fix;
use crate::lint::envoy::manager::{Asker, FILTER_NAME};
use crate::lint::envoy::sink::Sink;
use crate::lint::report::Severity;
use crate::lint::tree::at::At;

/// The headers that Postern sets on allow (SPEC 13.3).
pub(super) const IDENTITY: [&str; 6] = [
    "x-postern-principal",
    "x-postern-organization",
    "x-postern-team",
    "x-postern-attributed-user",
    "x-postern-revision",
    "x-postern-request-id",
];

/// A scope and those around it.
#[derive(Debug, Clone)]
struct Scope<'t> {
    at: At<'t>,
    what: String,
    is_wide: bool,
    /// Of each filter: whether requests here go through it, the scopes around included.
    checked: Vec<bool>,
    /// A finding already says that they are not.
    is_told: bool,
    /// Identity headers that are removed here or around.
    removed: Vec<&'static str>,
}

impl Scope<'_> {
    fn is_checked(&self) -> bool {
        self.checked.contains(&true)
    }
}

/// Checks the routes of one configuration. `filters`: the `ext_authz` filters that requests go
/// through; `managers`: those that use it.
pub(super) fn check<'t>(
    sink: &mut Sink,
    parts: &Parts<'t>,
    at: &At<'t>,
    filters: &[Asker<'t>],
    managers: &[&Manager<'t>],
) {
    // At the edge, before any filter; in every manager that uses these routes.
    let at_edge: Vec<&'static str> = IDENTITY
        .into_iter()
        .filter(|name| {
            !managers.is_empty()
                && managers
                    .iter()
                    .all(|manager| edge_removes(&manager.at, name))
        })
        .collect();
    // A file without managers: as if one had the filter under its usual name.
    let usual = [Asker {
        name: FILTER_NAME,
        is_off: false,
    }];
    let filters = if filters.is_empty() { &usual } else { filters };
    let mut walk = Walk {
        sink,
        parts,
        filters,
        at_edge,
    };
    let outside = Scope {
        at: at.clone(),
        what: String::new(),
        is_wide: true,
        checked: filters.iter().map(|filter| !filter.is_off).collect(),
        is_told: false,
        removed: Vec::new(),
    };
    let whole = walk.scope(&outside, at, "all routes".to_owned(), true);
    for host in at.list("virtual_hosts") {
        let name = host.text_of("name").unwrap_or("without a name");
        let inner = walk.scope(&whole, &host, format!("virtual host `{name}`"), true);
        for route in host.list("routes") {
            let (what, is_wide) = matched(&route);
            let inner = walk.scope(&inner, &route, what, is_wide);
            let clusters = route
                .find(&["route", "weighted_clusters"])
                .map_or_else(Vec::new, |at| at.list("clusters"));
            let is_leaf = clusters.is_empty();
            for cluster in clusters {
                let name = cluster.text_of("name").unwrap_or("?");
                let what = format!("{} to `{name}`", inner.what);
                let inner = walk.scope(&inner, &cluster, what, inner.is_wide);
                walk.switched_on_nowhere(&inner);
            }
            if is_leaf {
                walk.switched_on_nowhere(&inner);
            }
        }
    }
}

struct Walk<'w, 't> {
    sink: &'w mut Sink,
    parts: &'w Parts<'t>,
    filters: &'w [Asker<'w>],
    at_edge: Vec<&'static str>,
}

impl<'t> Walk<'_, 't> {
    fn scope(&mut self, around: &Scope<'t>, at: &At<'t>, what: String, is_wide: bool) -> Scope<'t> {
        let mut removed = around.removed.clone();
        let here: Vec<&'static str> = IDENTITY
            .into_iter()
            .filter(|name| names(at, "request_headers_to_remove", name))
            .collect();
        removed.extend(&here);
        let mut scope = Scope {
            at: at.clone(),
            what,
            is_wide,
            checked: around.checked.clone(),
            is_told: around.is_told,
            removed,
        };
        self.settings(&mut scope);
        if scope.is_checked() && !here.is_empty() {
            let found = format!(
                "{} removes {} on checked requests",
                scope.what,
                here.join(", ")
            );
            let place = at
                .get("request_headers_to_remove")
                .unwrap_or_else(|| at.clone());
            let fix = "# remove them only on routes that are not checked";
            self.sink
                .push(Severity::Warning, Code::IdentityRemoved, &place, found, fix);
        }
        self.set(&scope);
        scope
    }

    /// What a scope says; settings that are for no filter, and odd ones, are findings.
    fn settings(&mut self, scope: &mut Scope<'t>) {
        let entries = scope
            .at
            .get("typed_per_filter_config")
            .map_or_else(Vec::new, |at| at.entries());
        for (name, entry) in entries {
            let Some((kind, config)) = entry.typed() else {
                continue;
            };
            let is_wrapped = kind.ends_with(".FilterConfig");
            let inner = if is_wrapped {
                config.get("config").and_then(|at| at.typed())
            } else {
                Some((kind, config.clone()))
            };
            let inner = inner.filter(|(kind, _)| kind.ends_with(".ExtAuthzPerRoute"));
            if !self.filters.iter().any(|filter| filter.name == name) {
                if inner.is_some() {
                    let found =
                        format!("`{name}` is the name of no ext_authz filter: this has no effect");
                    let fix = fix::per_route();
                    self.sink
                        .push(Severity::Warning, Code::RouteSetting, &entry, found, fix);
                }
                continue;
            }
            let is_off = is_wrapped && self.sink.flag(&config, "disabled") == Some(true);
            let is_inner_off = inner
                .as_ref()
                .is_some_and(|(_, at)| self.sink.flag(at, "disabled") == Some(true));
            let is_checked = !is_off && !is_inner_off;
            for (filter, checked) in self.filters.iter().zip(&mut scope.checked) {
                if filter.name == name {
                    *checked = is_checked;
                }
            }
            if is_checked {
                scope.is_told = false;
                if let Some(checks) = inner.and_then(|(_, at)| at.get("check_settings")) {
                    self.check_settings(&checks);
                }
            } else {
                let found = format!("ext_authz is disabled for {}", scope.what);
                self.disabled(scope, &entry, found);
            }
        }
    }

    /// A route below filters that are off, which switches none of them on.
    fn switched_on_nowhere(&mut self, scope: &Scope<'t>) {
        if !scope.is_checked() && !scope.is_told {
            let found = format!(
                "ext_authz is off unless a route switches it on, and {} does not",
                scope.what
            );
            self.disabled(&mut scope.clone(), &scope.at, found);
        }
    }

    fn check_settings(&mut self, at: &At<'t>) {
        if let Some(body) = at.get("with_request_body") {
            check_body(self.sink, &body);
        }
        if at.get("grpc_service").is_some() || at.get("http_service").is_some() {
            check_service(self.sink, self.parts, at);
        }
        let Some(extensions) = at.get("context_extensions") else {
            return;
        };
        let has = |name: &str| extensions.get(name).is_some();
        if has("postern.permission") != has("postern.resource") {
            let found =
                "`context_extensions` has one of `postern.permission` and `postern.resource`";
            let fix = fix::context_extensions();
            self.sink
                .push(Severity::Error, Code::RouteSetting, &extensions, found, fix);
        }
        for (key, value) in extensions.entries() {
            let is_known = matches!(key, "postern.permission" | "postern.resource");
            if key.starts_with("postern.") && !is_known {
                let found = format!("`{key}` is no key of Postern");
                let fix = fix::context_extensions();
                self.sink
                    .push(Severity::Error, Code::RouteSetting, &value, found, fix);
            }
        }
    }

    fn disabled(&mut self, scope: &mut Scope<'t>, place: &At<'t>, found: String) {
        let severity = if scope.is_wide {
            Severity::Warning
        } else {
            Severity::Info
        };
        let fix = "# remove the entry of ext_authz from typed_per_filter_config, or keep it to one\n# exact path that needs no decision, such as a health check";
        self.sink
            .push(severity, Code::RouteDisabled, place, found, fix);
        let passing: Vec<&str> = IDENTITY
            .into_iter()
            .filter(|name| !scope.removed.contains(name) && !self.at_edge.contains(name))
            .collect();
        // A redirect or an answer of Envoy's own reaches no upstream.
        let reaches_nobody =
            scope.at.get("redirect").is_some() || scope.at.get("direct_response").is_some();
        scope.is_told = true;
        if !scope.is_checked() && !passing.is_empty() && !reaches_nobody {
            let found = format!(
                "{} passes a client's own {}",
                scope.what,
                passing.join(", ")
            );
            let fix = fix::remove_identity();
            self.sink.push(
                Severity::Error,
                Code::IdentityHeaders,
                &scope.at,
                found,
                fix,
            );
        }
    }

    fn set(&mut self, scope: &Scope<'t>) {
        for option in scope.at.list("request_headers_to_add") {
            let Some(key) = option.find(&["header", "key"]) else {
                continue;
            };
            let name = key.text().unwrap_or("").to_ascii_lowercase();
            if name.starts_with("x-postern-") {
                let found = format!("{} sets `{name}`", scope.what);
                let fix = "# remove it from request_headers_to_add";
                self.sink
                    .push(Severity::Error, Code::IdentitySet, &key, found, fix);
            }
        }
    }
}

/// A route in words, and whether it matches everything.
fn matched(route: &At<'_>) -> (String, bool) {
    let Some(condition) = route.get("match") else {
        return ("a route".to_owned(), false);
    };
    let entries = condition.entries();
    let Some((kind, value)) = entries.first() else {
        return ("a route".to_owned(), false);
    };
    let text = value.text().unwrap_or("...");
    let is_wide = entries.len() == 1 && *kind == "prefix" && text == "/";
    (format!("the route with {kind} `{text}`"), is_wide)
}

fn names(at: &At<'_>, field: &str, name: &str) -> bool {
    at.list(field).iter().any(|item| {
        item.text()
            .is_some_and(|text| text.eq_ignore_ascii_case(name))
    })
}

/// Whether a manager removes this header before any filter sees it.
fn edge_removes(manager: &At<'_>, name: &str) -> bool {
    manager
        .list("early_header_mutation_extensions")
        .iter()
        .filter_map(|extension| extension.get("typed_config")?.typed())
        .flat_map(|(_, mutation)| mutation.list("mutations"))
        .any(|mutation| {
            let by_name = mutation
                .text_of("remove")
                .is_some_and(|text| text.eq_ignore_ascii_case(name));
            let by_match = mutation
                .find(&["remove_on_match", "key_matcher"])
                .is_some_and(|pattern| matches(&pattern, name) == Some(true));
            by_name || by_match
        })
}
