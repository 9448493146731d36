//! The order of the checks.

use crate::lint::envoy::code::Code;
use crate::lint::envoy::collect::{Manager, Parts, Routes};
use crate::lint::envoy::manager::Asker;
use crate::lint::envoy::sink::Sink;
use crate::lint::envoy::{cluster, filter, fix, manager, route};
use crate::lint::report::{Report, Severity};
use crate::lint::tree::Unreadable;
use crate::lint::tree::at::At;

/// Checks the parts of one file.
pub(super) fn run(root: &At<'_>) -> Result<Report, Unreadable> {
    let Some(parts) = Parts::of(root) else {
        let found = "no configuration of Envoy: expected a bootstrap (`static_resources`), the \
                     answer of /config_dump (`configs`), an xDS file (`resources`), a listener, a \
                     route configuration or a filter";
        return Err(Unreadable::new(root.node().line, found));
    };
    let mut sink = Sink::default();
    let mut seen = filter::Seen::default();
    // Of each manager.
    let mut askers: Vec<Vec<Asker<'_>>> = Vec::new();
    for manager in &parts.managers {
        sink.group = manager::label(&manager.here, &manager.at);
        askers.push(manager::check(&mut sink, &parts, manager, &mut seen));
    }
    unchecked_managers(&mut sink, &parts, &askers);
    for stray in parts.filters.iter().filter(|filter| !seen.has(&filter.at)) {
        sink.group = manager::label(&stray.here, &stray.at);
        filter::check(&mut sink, &parts, &stray.at, &stray.here);
    }
    for network in &parts.network {
        sink.group = manager::label(&network.here, &network.at);
        filter::check_network(&mut sink, &parts, network);
    }
    routes(&mut sink, &parts, &askers);
    cluster::check_named(&mut sink, &parts);
    for refused in &parts.refused {
        "updates".clone_into(&mut sink.group);
        // Envoy shows the whole message first, and then what is wrong with it.
        let details = refused.text_of("details").unwrap_or("no details");
        let last = details.lines().rfind(|line| !line.trim().is_empty());
        let line: String = last
            .unwrap_or("no details")
            .trim_start_matches([':', ' '])
            .chars()
            .take(200)
            .collect();
        let found = format!("an update that Envoy refused: {line}");
        let fix = "# correct the configuration that the control plane sends";
        sink.push(Severity::Warning, Code::RefusedUpdate, refused, found, fix);
    }
    Ok(sink.report)
}

fn unchecked_managers<'t>(sink: &mut Sink, parts: &Parts<'t>, askers: &[Vec<Asker<'t>>]) {
    let has_filters = !parts.filters.is_empty() || askers.iter().any(|askers| !askers.is_empty());
    if !has_filters {
        // A part without any listener (a cluster, a route configuration) cannot have a filter.
        let is_part = parts.managers.is_empty() && parts.network.is_empty();
        if is_part && !(parts.routes.is_empty() && parts.clusters.is_empty()) && parts.is_fragment()
        {
            return;
        }
        "the whole file".clone_into(&mut sink.group);
        let found = format!(
            "no ext_authz filter in {} HTTP connection managers",
            parts.managers.len()
        );
        sink.push(
            Severity::Error,
            Code::NoExtAuthz,
            &parts.root,
            found,
            fix::filter(),
        );
        return;
    }
    for (Manager { at, here }, askers) in parts.managers.iter().zip(askers) {
        if askers.is_empty() {
            sink.group = manager::label(here, at);
            let found = "no ext_authz filter, and another connection manager has one";
            sink.push(
                Severity::Warning,
                Code::MissingFilter,
                at,
                found,
                fix::filter(),
            );
        }
    }
}

/// The routes of the managers that ask somebody; in a file without managers, all routes.
fn routes<'t>(sink: &mut Sink, parts: &Parts<'t>, askers: &[Vec<Asker<'t>>]) {
    for Routes { at, manager } in &parts.routes {
        let users = users(parts, at, *manager);
        let mut filters: Vec<Asker<'_>> = Vec::new();
        for user in &users {
            if let Some(askers) = askers.get(*user) {
                filters.extend(askers);
            }
        }
        if filters.is_empty() && !parts.managers.is_empty() {
            continue;
        }
        let managers: Vec<&Manager<'t>> = users
            .iter()
            .filter_map(|user| parts.managers.get(*user))
            .collect();
        let name = at.text_of("name").unwrap_or("without a name");
        sink.group = format!("route configuration `{name}`");
        route::check(sink, parts, at, &filters, &managers);
    }
}

/// Indices of the managers that use a route configuration.
fn users(parts: &Parts<'_>, at: &At<'_>, holder: Option<usize>) -> Vec<usize> {
    if let Some(holder) = holder {
        return vec![holder];
    }
    let name = at.text_of("name");
    parts
        .managers
        .iter()
        .enumerate()
        .filter(|(_, manager)| {
            let named = manager.at.find(&["rds", "route_config_name"]);
            let is_named = named.is_some_and(|named| named.text() == name);
            is_named || manager.at.get("scoped_routes").is_some()
        })
        .map(|(index, _)| index)
        .collect()
}
