//! The table of routes.

use crate::graph::plan::{Plan, PlannedRoute};
use crate::graph::routes::{GRPC_METHOD, RouteRow, Routes};
use crate::model::route::RouteKind;

/// Every route, in input order.
pub(super) fn routes(plan: &Plan<'_>) -> Routes {
    let mut routes = Routes::default();
    for route in &plan.routes {
        let PlannedRoute {
            entity,
            path,
            resource,
        } = route;
        let row = RouteRow {
            name: entity.name.as_str().into(),
            kind: entity.kind,
            permission: entity.permission.as_str().into(),
            anonymous: entity.anonymous,
            mode: entity.mode,
            resource: resource.as_slice().into(),
        };
        let hosts = entity.hosts.iter().map(String::as_str);
        let methods: Vec<&str> = match entity.kind {
            RouteKind::Http => entity.methods.iter().map(String::as_str).collect(),
            RouteKind::Grpc => vec![GRPC_METHOD],
        };
        routes.insert(row, hosts, &methods, path);
    }
    routes
}
