//! Routes (SPEC 13.1): what they match, what they ask for, and that no two are as specific.

use std::collections::{HashMap, HashSet};

use super::Check;
use crate::graph::document::{Entity, Place, Route, RouteKind, RouteTarget};
use crate::graph::issue::Code;
use crate::graph::permissions::Permissions;
use crate::graph::plan::PlannedRoute;
use crate::graph::routes::{ANY, GRPC_METHOD};
use crate::limits;
use crate::model::host;
use crate::model::name;
use crate::model::template::{self, Piece, Segment};

const HTTP: &str = "a path such as `/v1/teams/{team}/files/{file=**}`";
const GRPC: &str = "`package.Service/Method` or `package.Service/*`";
const RESOURCE: &str = "a resource name in which variables of the path stand for ids, such as \
                        `organizations/acme/teams/{team}`";
const METHOD: &str = "HTTP methods in upper case, each once, or `*` alone";

/// A call that a route takes, whatever its variables: host, shape of the path, method.
type Entry<'d> = (&'d str, usize, &'d str);

impl<'d> Check<'d> {
    /// Every route.
    pub(super) fn routes(&mut self, permissions: &Permissions) -> Vec<PlannedRoute<'d>> {
        let all = self.of(|e| {
            if let Entity::Route(r) = e {
                Some(r)
            } else {
                None
            }
        });
        let entries = all.iter().map(|(_, route)| entries(route)).sum();
        let whole = Place::default();
        let fits = self.bound(&whole, "route".into(), all.len(), limits::ROUTES_MAX)
            && self.bound(&whole, "route".into(), entries, limits::ROUTE_ENTRIES_MAX);
        let mut names = HashSet::new();
        let mut planned = Vec::with_capacity(all.len());
        for (place, route) in all {
            let path = format!("route[{}]", route.name);
            self.route_name(place, &path, route, &mut names);
            let hosts = self.hosts(place, &path, route);
            let methods = self.methods(place, &path, route);
            self.permission(place, &path, route, permissions);
            let Some(template) = self.target(place, &path, route) else {
                continue;
            };
            let resource = self.resource(place, &path, route, &template);
            self.names_nothing(place, &path, &resource);
            if hosts && methods {
                planned.push((
                    place,
                    PlannedRoute {
                        entity: route,
                        path: template,
                        resource,
                    },
                ));
            }
        }
        if fits {
            self.equally_specific(&planned);
        }
        planned.into_iter().map(|(_, route)| route).collect()
    }

    fn route_name(
        &mut self,
        place: &Place,
        path: &str,
        route: &'d Route,
        names: &mut HashSet<&'d str>,
    ) {
        let id = route.name.strip_prefix("routes/");
        let (code, allowed) = if !id.is_some_and(name::is_id) {
            (Code::InvalidName, "routes/{id}")
        } else if names.insert(route.name.as_str()) {
            return;
        } else {
            (Code::DuplicateName, "one entity a route")
        };
        let found = format!("`{}`", route.name);
        self.issue(place, format!("{path}.name"), code, found, allowed);
    }

    fn hosts(&mut self, place: &Place, path: &str, route: &'d Route) -> bool {
        let path = format!("{path}.hosts");
        if route.hosts.is_empty() {
            let found = "no host".to_owned();
            self.issue(place, path, Code::Missing, found, host::FORMS);
            return false;
        }
        let max = limits::ROUTE_HOSTS_MAX;
        let mut good = self.bound(place, path.clone(), route.hosts.len(), max);
        let mut seen = HashSet::new();
        for (ix, host) in route.hosts.iter().enumerate() {
            let (found, allowed) = if !host::is_pattern(host) {
                (format!("`{host}`"), host::FORMS)
            } else if seen.insert(host.as_str()) {
                continue;
            } else {
                (format!("`{host}` a second time"), "each host once")
            };
            self.issue(
                place,
                format!("{path}[{ix}]"),
                Code::InvalidValue,
                found,
                allowed,
            );
            good = false;
        }
        good
    }

    fn methods(&mut self, place: &Place, path: &str, route: &'d Route) -> bool {
        let path = format!("{path}.methods");
        let methods = &route.methods;
        match route.kind {
            RouteKind::Grpc if methods.is_empty() => return true,
            RouteKind::Grpc => {
                let found = "methods of a GRPC route".to_owned();
                self.issue(
                    place,
                    path,
                    Code::InvalidValue,
                    found,
                    "none: it is always POST",
                );
                return false;
            }
            RouteKind::Http if methods.is_empty() => {
                self.issue(place, path, Code::Missing, "no method".to_owned(), METHOD);
                return false;
            }
            RouteKind::Http => {}
        }
        let mut good = self.bound(
            place,
            path.clone(),
            methods.len(),
            limits::ROUTE_METHODS_MAX,
        );
        let mut seen = HashSet::new();
        for (ix, method) in methods.iter().enumerate() {
            let fits = if method == ANY {
                methods.len() == 1
            } else {
                is_method(method)
            };
            if !fits || !seen.insert(method) {
                let found = format!("`{method}`");
                self.issue(
                    place,
                    format!("{path}[{ix}]"),
                    Code::InvalidValue,
                    found,
                    METHOD,
                );
                good = false;
            }
        }
        good
    }

    fn permission(&mut self, place: &Place, path: &str, route: &Route, known: &Permissions) {
        if known.find(&route.permission).is_none() {
            let path = format!("{path}.permission");
            let allowed = "a permission of the catalogue or of a permission entity";
            let found = format!("`{}`", route.permission);
            self.issue(place, path, Code::UnknownPermission, found, allowed);
        }
    }

    fn target(&mut self, place: &Place, path: &str, route: &'d Route) -> Option<Vec<Segment<'d>>> {
        let (field, text, read, allowed) = match (route.kind, &route.target) {
            (RouteKind::Http, RouteTarget::PathTemplate(text)) => {
                ("path_template", text, template::path(text), HTTP)
            }
            (RouteKind::Grpc, RouteTarget::GrpcMethod(text)) => {
                ("grpc_method", text, template::grpc(text), GRPC)
            }
            (RouteKind::Http, RouteTarget::GrpcMethod(_)) => {
                let found = "a grpc_method of an HTTP route".to_owned();
                let path = format!("{path}.grpc_method");
                self.issue(place, path, Code::InvalidValue, found, "a path_template");
                return None;
            }
            (RouteKind::Grpc, RouteTarget::PathTemplate(_)) => {
                let found = "a path_template of a GRPC route".to_owned();
                let path = format!("{path}.path_template");
                self.issue(place, path, Code::InvalidValue, found, "a grpc_method");
                return None;
            }
        };
        match read {
            Ok(segments) => Some(segments),
            Err(fault) => {
                let found = format!("`{text}`: {fault}");
                self.issue(
                    place,
                    format!("{path}.{field}"),
                    Code::InvalidValue,
                    found,
                    allowed,
                );
                None
            }
        }
    }

    /// A gRPC method's path has no variables.
    fn resource(
        &mut self,
        place: &Place,
        path: &str,
        route: &Route,
        template: &[Segment<'_>],
    ) -> Vec<Piece> {
        let variables = match route.kind {
            RouteKind::Http => template,
            RouteKind::Grpc => &[],
        };
        template::resource(&route.resource, variables).unwrap_or_else(|fault| {
            let found = format!("`{}`: {fault}", route.resource);
            self.issue(
                place,
                format!("{path}.resource"),
                Code::InvalidName,
                found,
                RESOURCE,
            );
            Vec::new()
        })
    }

    /// A resource that is not there whatever the variables are: likely a slip, and denied.
    fn names_nothing(&mut self, place: &Place, path: &str, resource: &[Piece]) {
        let Some(Piece::Text(text)) = resource.first() else {
            return;
        };
        let text = text.strip_suffix('/').unwrap_or(text);
        let pairs = match text.rsplit_once('/') {
            Some((pairs, _)) if text.matches('/').count() % 2 == 0 => pairs,
            _ => text,
        };
        let Ok(parsed) = name::parse(pairs) else {
            return;
        };
        let node = match name::split_last(parsed.node) {
            Some((owner, "keys", _)) => owner,
            _ => parsed.node,
        };
        if !parsed.default_team && !self.by_name.contains_key(node) {
            let found = format!("`{node}` is not here: every call is denied");
            let path = format!("{path}.resource");
            self.warn(
                place,
                path,
                Code::UnknownReference,
                found,
                "a name of this input",
            );
        }
    }

    /// No two routes take the same call with templates of one shape. Each route is reported
    /// once beside each of the routes that came first to what it takes.
    fn equally_specific(&mut self, routes: &[(&Place, PlannedRoute<'d>)]) {
        let mut shapes: HashMap<Vec<Segment<'d>>, usize> = HashMap::new();
        let mut taken: HashMap<Entry<'d>, &'d Route> = HashMap::new();
        for (place, route) in routes {
            let next = shapes.len();
            let shape = *shapes.entry(shape(&route.path)).or_insert(next);
            let mut told: Vec<&Route> = Vec::new();
            for host in &route.entity.hosts {
                for method in methods(route.entity) {
                    let entry = (host.as_str(), shape, method);
                    let first = *taken.entry(entry).or_insert(route.entity);
                    if std::ptr::eq(first, route.entity)
                        || told.iter().any(|other| std::ptr::eq(*other, first))
                    {
                        continue;
                    }
                    told.push(first);
                    let found = format!(
                        "`{}` and `{}` both take {method} on the host `{host}`, with templates \
                         alike but for the names of variables",
                        first.name, route.entity.name
                    );
                    let path = format!("route[{}]", route.entity.name);
                    let allowed = "one route for a host, a path and a method";
                    self.issue(place, path, Code::AmbiguousRoute, found, allowed);
                }
            }
        }
    }
}

/// The methods that a route takes.
fn methods(route: &Route) -> impl Iterator<Item = &str> {
    let grpc = match route.kind {
        RouteKind::Http => None,
        RouteKind::Grpc => Some(GRPC_METHOD),
    };
    route.methods.iter().map(String::as_str).chain(grpc)
}

/// How many entries of the table a route makes.
fn entries(route: &Route) -> usize {
    route.hosts.len().saturating_mul(route.methods.len().max(1))
}

/// A template without the names of its variables.
fn shape<'d>(path: &[Segment<'d>]) -> Vec<Segment<'d>> {
    let nameless = |segment: &Segment<'d>| match *segment {
        Segment::Literal(text) => Segment::Literal(text),
        Segment::One(_) => Segment::One(""),
        Segment::Rest(_) => Segment::Rest(""),
    };
    path.iter().map(nameless).collect()
}

/// A token of RFC 9110 without lower-case letters: methods compare byte for byte.
fn is_method(text: &str) -> bool {
    let is_token =
        |b: u8| b.is_ascii_uppercase() || b.is_ascii_digit() || b"!#$%&'+-.^_`|~".contains(&b);
    (1..=limits::METHOD_BYTES_MAX).contains(&text.len()) && text.bytes().all(is_token)
}
