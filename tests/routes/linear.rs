//! Another matcher of routes, from the words of SPEC 13.1: it looks at every route, every
//! time, and shares no code with the table.

use std::collections::BTreeMap;

use postern::graph::document::{Route, RouteKind, RouteTarget};

/// How specific a segment is; less is more.
fn rank(segment: &str) -> u8 {
    match segment {
        _ if segment.ends_with("=**}") => 2,
        _ if segment.starts_with('{') => 1,
        _ => 0,
    }
}

fn segments(route: &Route) -> Vec<String> {
    let text = match &route.target {
        RouteTarget::PathTemplate(text) => text[1..].to_owned(),
        RouteTarget::GrpcMethod(text) => text.replace('*', "{method}"),
    };
    text.split('/').map(str::to_owned).collect()
}

/// A template without the names of its variables.
fn shape(route: &Route) -> Vec<String> {
    let segments = segments(route).into_iter();
    let nameless = |segment: String| match rank(&segment) {
        0 => segment,
        1 => "{}".to_owned(),
        _ => "{=**}".to_owned(),
    };
    segments.map(nameless).collect()
}

fn methods(route: &Route) -> Vec<String> {
    match route.kind {
        RouteKind::Http => route.methods.clone(),
        RouteKind::Grpc => vec!["POST".to_owned()],
    }
}

/// A resource that shows every variable of a template.
pub(crate) fn resource(template: &str) -> String {
    let mut resource = "organizations/o".to_owned();
    for segment in template.split('/') {
        match rank(segment) {
            0 => {}
            1 => resource.push_str(&format!("/xs/{segment}")),
            _ => resource.push_str(&format!("/{}", segment.replace("=**", ""))),
        }
    }
    resource
}

fn overlap(a: &Route, b: &Route) -> bool {
    shape(a) == shape(b)
        && a.hosts.iter().any(|host| b.hosts.contains(host))
        && methods(a).iter().any(|method| methods(b).contains(method))
}

pub(crate) fn conflicts(routes: &[Route]) -> bool {
    without_conflicts(routes.to_vec()).len() < routes.len()
}

/// The routes that overlap with none before them.
pub(crate) fn without_conflicts(routes: Vec<Route>) -> Vec<Route> {
    let mut kept: Vec<Route> = Vec::new();
    for route in routes {
        if !kept.iter().any(|other| overlap(other, &route)) {
            kept.push(route);
        }
    }
    kept
}

/// How specific a pattern that takes the host is; more is more.
fn takes_host(pattern: &str, host: &str) -> Option<usize> {
    if pattern == "*" {
        return Some(0);
    }
    if pattern == host {
        return Some(usize::MAX);
    }
    let suffix = pattern.strip_prefix('*')?;
    (host.len() > suffix.len() && host.ends_with(suffix)).then_some(suffix.len())
}

/// The variables, if the template takes the path.
fn takes_path(template: &[String], path: &[&str]) -> Option<BTreeMap<String, String>> {
    let mut variables = BTreeMap::new();
    for (ix, segment) in template.iter().enumerate() {
        let part = path.get(ix)?;
        match rank(segment) {
            0 if segment == part => {}
            1 if !part.is_empty() && *part != "-" => {
                variables.insert(segment.clone(), (*part).to_owned());
            }
            2 if !path[ix..].contains(&"-") => {
                variables.insert(segment.replace("=**", ""), path[ix..].join("/"));
                return Some(variables);
            }
            _ => return None,
        }
    }
    (template.len() == path.len()).then_some(variables)
}

/// Name of the route that takes a call, and its resource.
pub(crate) fn find(
    routes: &[Route],
    host: &str,
    method: &str,
    path: &str,
) -> Option<(String, String)> {
    let parts: Vec<&str> = path.strip_prefix('/')?.split('/').collect();
    let mut all = Vec::new();
    for route in routes {
        let template = segments(route);
        let ranks: Vec<u8> = template.iter().map(|segment| rank(segment)).collect();
        for pattern in &route.hosts {
            if let Some(fits) = takes_host(pattern, host)
                && let Some(variables) = takes_path(&template, &parts)
            {
                all.push(((std::cmp::Reverse(fits), ranks.clone()), route, variables));
            }
        }
    }
    let best = all.iter().map(|(specific, ..)| specific.clone()).min()?;
    all.retain(|(specific, ..)| *specific == best);
    let of = |word: &str| {
        all.iter()
            .find(|(_, route, _)| methods(route).iter().any(|m| m == word))
    };
    let (_, route, variables) = of(method).or_else(|| of("*"))?;
    let mut resource = route.resource.clone();
    for (name, value) in variables {
        resource = resource.replacen(name, value, 1);
    }
    Some((route.name.clone(), resource))
}
