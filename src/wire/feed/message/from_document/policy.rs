//! Roles, permissions and policies.

use crate::graph::document::{
    AccessBoundary, AccessBoundaryBinding, AllowPolicy, AnyOr, BasicRole, Condition, DenyPolicy,
    DenyRule, IdentityPool, OpenSubmit, Permission, Product, Role,
};
use crate::wire::feed::message::from_document::{any_or_list, moment};
use crate::wire::proto::postern::feed::v1 as proto;

pub(super) fn role(entity: &Role) -> proto::Role {
    let Role {
        name,
        title,
        inherits,
        permissions,
        own_permissions,
        disabled,
        deleted,
    } = entity.clone();
    let stage = if disabled {
        proto::RoleStage::Disabled
    } else {
        proto::RoleStage::Ga
    };
    let stage = stage.into();
    proto::Role {
        name,
        title,
        inherits,
        permissions,
        own_permissions,
        stage,
        deleted,
    }
}

pub(super) fn permission(entity: &Permission) -> proto::Permission {
    let Permission {
        name,
        basic_role,
        product,
        public_read,
        open_submit,
        administrative,
        read,
        configures,
    } = entity.clone();
    let basic_role = match basic_role {
        BasicRole::Viewer => proto::BasicRole::Viewer,
        BasicRole::Editor => proto::BasicRole::Editor,
        BasicRole::Owner => proto::BasicRole::Owner,
        BasicRole::None => proto::BasicRole::None,
    };
    let product = match product {
        Product::Models => proto::Product::Models,
        Product::Weave => proto::Product::Weave,
        Product::None => proto::Product::None,
    };
    let open_submit = match open_submit {
        OpenSubmit::None => proto::OpenSubmit::None,
        OpenSubmit::Any => proto::OpenSubmit::Any,
        OpenSubmit::Own => proto::OpenSubmit::Own,
    };
    proto::Permission {
        name,
        basic_role: basic_role.into(),
        product: product.into(),
        public_read,
        open_submit: open_submit.into(),
        administrative,
        read,
        configures,
    }
}

fn condition(condition: Condition) -> proto::Condition {
    let Condition {
        title,
        description,
        expression,
    } = condition;
    proto::Condition {
        title,
        description,
        expression,
    }
}

pub(super) fn allow_policy(entity: &AllowPolicy) -> proto::AllowPolicy {
    let AllowPolicy { resource, bindings } = entity.clone();
    let bindings = bindings.into_iter().map(|binding| proto::Binding {
        role: binding.role,
        members: binding.members,
        condition: binding.condition.map(condition),
    });
    proto::AllowPolicy {
        resource,
        bindings: bindings.collect(),
    }
}

pub(super) fn deny_policy(entity: &DenyPolicy) -> proto::DenyPolicy {
    let DenyPolicy {
        name,
        attachment,
        rules,
    } = entity.clone();
    let rules = rules.into_iter().map(|rule| {
        let DenyRule {
            denied_principals,
            exception_principals,
            denied_permissions,
            exception_permissions,
            condition,
        } = rule;
        proto::DenyRule {
            denied_principals,
            exception_principals,
            denied_permissions,
            exception_permissions,
            condition: condition.map(self::condition),
        }
    });
    proto::DenyPolicy {
        name,
        attachment,
        rules: rules.collect(),
    }
}

pub(super) fn access_boundary(entity: &AccessBoundary) -> proto::AccessBoundary {
    let AccessBoundary {
        name,
        resources,
        permissions,
    } = entity.clone();
    proto::AccessBoundary {
        name,
        resources,
        permissions: match permissions {
            AnyOr::Any => None,
            list @ AnyOr::List(_) => Some(any_or_list(list)),
        },
    }
}

pub(super) fn access_boundary_binding(
    entity: &AccessBoundaryBinding,
) -> proto::AccessBoundaryBinding {
    let AccessBoundaryBinding {
        name,
        boundary,
        principal_set,
        condition,
    } = entity.clone();
    proto::AccessBoundaryBinding {
        name,
        boundary,
        principal_set,
        condition: condition.map(self::condition),
    }
}

pub(super) fn identity_pool(entity: &IdentityPool) -> proto::IdentityPool {
    let IdentityPool {
        name,
        disabled,
        deleted_at,
    } = entity.clone();
    proto::IdentityPool {
        name,
        disabled,
        deleted_at: moment(deleted_at),
    }
}
