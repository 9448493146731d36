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
            condition: condition.map(self::condition),
        }
    });
    document::AllowPolicy {
        resource,
        bindings: bindings.collect(),
    }
}

fn condition(message: proto::Condition) -> document::Condition {
    let proto::Condition {
        title,
        description,
        expression,
    } = message;
    document::Condition {
        title,
        description,
        expression,
    }
}

pub(super) fn deny_policy(message: proto::DenyPolicy) -> document::DenyPolicy {
    let proto::DenyPolicy {
        name,
        attachment,
        rules,
    } = message;
    let rules = rules.into_iter().map(|message| {
        let proto::DenyRule {
            denied_principals,
            exception_principals,
            denied_permissions,
            exception_permissions,
            condition,
        } = message;
        document::DenyRule {
            denied_principals,
            exception_principals,
            denied_permissions,
            exception_permissions,
            condition: condition.map(self::condition),
        }
    });
    document::DenyPolicy {
        name,
        attachment,
        rules: rules.collect(),
    }
}

pub(super) fn access_boundary(
    message: proto::AccessBoundary,
    check: &mut Check,
) -> document::AccessBoundary {
    let proto::AccessBoundary {
        name,
        resources,
        permissions,
    } = message;
    document::AccessBoundary {
        name,
        resources,
        permissions: check.any_or_absent(format_args!(".permissions"), permissions),
    }
}

pub(super) fn access_boundary_binding(
    message: proto::AccessBoundaryBinding,
) -> document::AccessBoundaryBinding {
    let proto::AccessBoundaryBinding {
        name,
        boundary,
        principal_set,
        condition,
    } = message;
    document::AccessBoundaryBinding {
        name,
        boundary,
        principal_set,
        condition: condition.map(self::condition),
    }
}

pub(super) fn identity_pool(
    message: proto::IdentityPool,
    check: &mut Check,
) -> document::IdentityPool {
    let proto::IdentityPool {
        name,
        disabled,
        deleted_at,
    } = message;
    document::IdentityPool {
        name,
        disabled,
        deleted_at: check.second(format_args!(".deleted_at"), deleted_at),
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
