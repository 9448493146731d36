//! Roles, permissions and policies, and the kinds that are not evaluated.

use crate::graph::document::{self, BasicRole, Entity, OpenSubmit, Product};
use crate::wire::feed::message::check::Check;
use crate::wire::proto::postern::feed::v1 as proto;
use crate::wire::proto::postern::feed::v1::entity::Kind;

pub(super) fn role(message: proto::Role, check: &mut Check) -> document::Role {
    let proto::Role {
        name,
        title,
        inherits,
        permissions,
        own_permissions,
        stage,
        deleted,
    } = message;
    let stage = check.said(format_args!(".stage"), stage, proto::RoleStage::Unspecified);
    let disabled = stage != Some(proto::RoleStage::Ga);
    document::Role {
        name,
        title,
        inherits,
        permissions,
        own_permissions,
        disabled,
        deleted,
    }
}

pub(super) fn permission(message: proto::Permission, check: &mut Check) -> document::Permission {
    let proto::Permission {
        name,
        basic_role,
        product,
        public_read,
        open_submit,
        administrative,
        read,
        configures,
    } = message;
    let path = format_args!(".basic_role");
    let basic_role = match check.said(path, basic_role, proto::BasicRole::Unspecified) {
        Some(proto::BasicRole::Viewer) => BasicRole::Viewer,
        Some(proto::BasicRole::Editor) => BasicRole::Editor,
        Some(proto::BasicRole::Owner) => BasicRole::Owner,
        Some(proto::BasicRole::None | proto::BasicRole::Unspecified) | None => BasicRole::None,
    };
    let product = match check.said(
        format_args!(".product"),
        product,
        proto::Product::Unspecified,
    ) {
        Some(proto::Product::Models) => Product::Models,
        Some(proto::Product::Weave) => Product::Weave,
        Some(proto::Product::None | proto::Product::Unspecified) | None => Product::None,
    };
    let path = format_args!(".open_submit");
    let open_submit = match check.said(path, open_submit, proto::OpenSubmit::Unspecified) {
        Some(proto::OpenSubmit::Any) => OpenSubmit::Any,
        Some(proto::OpenSubmit::Own) => OpenSubmit::Own,
        Some(proto::OpenSubmit::None | proto::OpenSubmit::Unspecified) | None => OpenSubmit::None,
    };
    document::Permission {
        name,
        basic_role,
        product,
        public_read,
        open_submit,
        administrative,
        read,
        configures,
    }
}

pub(super) fn allow_policy(message: proto::AllowPolicy) -> document::AllowPolicy {
    let proto::AllowPolicy { resource, bindings } = message;
    let bindings = bindings.into_iter().map(|message| {
        let proto::Binding {
            role,
            members,
            condition,
        } = message;
        document::Binding {
            role,
            members,
            has_condition: condition.is_some(),
        }
    });
    document::AllowPolicy {
        resource,
        bindings: bindings.collect(),
    }
}

/// The kinds that this build does not evaluate: their form was checked, and they are refused.
pub(super) fn not_evaluated(kind: Kind) -> Entity {
    let (kind, name) = match kind {
        Kind::DenyPolicy(e) => ("deny_policy", e.name),
        Kind::AccessBoundary(e) => ("access_boundary", e.name),
        Kind::AccessBoundaryBinding(e) => ("access_boundary_binding", e.name),
        Kind::OrgPolicy(e) => ("org_policy", e.name),
        Kind::IdentityPool(e) => ("identity_pool", e.name),
        Kind::IdentityProvider(e) => ("identity_provider", e.name),
        Kind::SigningKey(e) => ("signing_key", e.name),
        Kind::Route(e) => ("route", e.name),
        Kind::Heartbeat(_) => ("heartbeat", String::new()),
        Kind::Manifest(e) => ("manifest", e.unit),
        Kind::Organization(e) => ("organization", e.name),
        Kind::Team(e) => ("team", e.name),
        Kind::Project(e) => ("project", e.name),
        Kind::User(e) => ("user", e.name),
        Kind::Group(e) => ("group", e.name),
        Kind::ServiceAccount(e) => ("service_account", e.name),
        Kind::Key(e) => ("key", e.name),
        Kind::Role(e) => ("role", e.name),
        Kind::Permission(e) => ("permission", e.name),
        Kind::AllowPolicy(e) => ("allow_policy", e.resource),
    };
    Entity::NotEvaluated { kind, name }
}
