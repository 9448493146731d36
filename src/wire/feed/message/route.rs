//! Routes, both ways.

use crate::graph::document::{Anonymous, Mode, Route, RouteKind, RouteTarget};
use crate::graph::issue::Code;
use crate::wire::feed::message::check::Check;
use crate::wire::proto::postern::feed::v1 as proto;
use crate::wire::proto::postern::feed::v1::route::Target;

pub(super) fn route(message: proto::Route, check: &mut Check) -> Route {
    let proto::Route {
        name,
        hosts,
        kind,
        methods,
        permission,
        resource,
        anonymous,
        mode,
        target,
    } = message;
    let unspecified = proto::RouteKind::Unspecified;
    let kind = match check.said(format_args!(".kind"), kind, unspecified) {
        Some(proto::RouteKind::Grpc) => RouteKind::Grpc,
        Some(proto::RouteKind::Http | proto::RouteKind::Unspecified) | None => RouteKind::Http,
    };
    let anonymous = match check.word(format_args!(".anonymous"), anonymous) {
        Some(proto::RouteAnonymous::Allow) => Anonymous::Allow,
        Some(proto::RouteAnonymous::Unspecified | proto::RouteAnonymous::Deny) | None => {
            Anonymous::Deny
        }
    };
    let mode = match check.word(format_args!(".mode"), mode) {
        Some(proto::RouteMode::Shadow) => Mode::Shadow,
        Some(proto::RouteMode::Unspecified | proto::RouteMode::Enforce) | None => Mode::Enforce,
    };
    let target = match target {
        Some(Target::PathTemplate(template)) => RouteTarget::PathTemplate(template),
        Some(Target::GrpcMethod(method)) => RouteTarget::GrpcMethod(method),
        None => {
            let allowed = "path_template of an HTTP route, grpc_method of a GRPC one";
            let path = format_args!(".path_template");
            check.flaw(path, Code::Missing, "nothing", allowed);
            RouteTarget::PathTemplate(String::new())
        }
    };
    Route {
        name,
        hosts,
        kind,
        methods,
        target,
        permission,
        resource,
        anonymous,
        mode,
    }
}

pub(super) fn encode(entity: &Route) -> proto::Route {
    let Route {
        name,
        hosts,
        kind,
        methods,
        target,
        permission,
        resource,
        anonymous,
        mode,
    } = entity.clone();
    let kind = match kind {
        RouteKind::Http => proto::RouteKind::Http,
        RouteKind::Grpc => proto::RouteKind::Grpc,
    };
    let anonymous = match anonymous {
        Anonymous::Allow => proto::RouteAnonymous::Allow,
        Anonymous::Deny => proto::RouteAnonymous::Deny,
    };
    let mode = match mode {
        Mode::Enforce => proto::RouteMode::Enforce,
        Mode::Shadow => proto::RouteMode::Shadow,
    };
    let target = match target {
        RouteTarget::PathTemplate(template) => Target::PathTemplate(template),
        RouteTarget::GrpcMethod(method) => Target::GrpcMethod(method),
    };
    proto::Route {
        name,
        hosts,
        kind: kind.into(),
        methods,
        permission,
        resource,
        anonymous: anonymous.into(),
        mode: mode.into(),
        target: Some(target),
    }
}
