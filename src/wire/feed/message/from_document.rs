//! Entities of the document → entities of the proto.

mod policy;

use prost_types::Timestamp;

use crate::graph::document::{
    AccountKind, AnyOr, Authentication, Entity, Group, Key, KeyMaterial, Organization, Project,
    Restrictions, Seat, SeatLevel, ServiceAccount, Team, User, Visibility,
};
use crate::wire::feed::message::org_policy;
use crate::wire::feed::message::route::encode as encode_route;
use crate::wire::proto::postern::feed::v1 as proto;
use crate::wire::proto::postern::feed::v1::entity::Kind;

/// The entity of the proto; `None`: the document holds it only in part.
pub(in crate::wire::feed) fn encode(entity: &Entity) -> Option<proto::Entity> {
    let kind = match entity {
        Entity::Organization(e) => Kind::Organization(organization(e)),
        Entity::Team(e) => Kind::Team(team(e)),
        Entity::Project(e) => Kind::Project(project(e)),
        Entity::User(e) => Kind::User(user(e)),
        Entity::Group(e) => Kind::Group(group(e)),
        Entity::ServiceAccount(e) => Kind::ServiceAccount(service_account(e)?),
        Entity::Key(e) => Kind::Key(key(e)?),
        Entity::Role(e) => Kind::Role(policy::role(e)),
        Entity::Permission(e) => Kind::Permission(policy::permission(e)),
        Entity::AllowPolicy(e) => Kind::AllowPolicy(policy::allow_policy(e)),
        Entity::DenyPolicy(e) => Kind::DenyPolicy(policy::deny_policy(e)),
        Entity::AccessBoundary(e) => Kind::AccessBoundary(policy::access_boundary(e)),
        Entity::AccessBoundaryBinding(e) => {
            Kind::AccessBoundaryBinding(policy::access_boundary_binding(e))
        }
        Entity::IdentityPool(e) => Kind::IdentityPool(policy::identity_pool(e)),
        Entity::Route(e) => Kind::Route(encode_route(e)),
        Entity::OrgPolicy(e) => Kind::OrgPolicy(org_policy::message(e)),
        Entity::NotEvaluated { .. } => return None,
    };
    Some(proto::Entity { kind: Some(kind) })
}

fn organization(entity: &Organization) -> proto::Organization {
    let Organization {
        name,
        display_name,
        tags,
        enforce_org_scoped_keys,
        disable_key_creation,
        disable_team_service_account_creation,
        disable_admin_team_access,
        private_projects_only,
    } = entity.clone();
    let settings = proto::OrganizationSettings {
        enforce_org_scoped_keys,
        disable_key_creation,
        disable_team_service_account_creation,
        disable_admin_team_access,
        private_projects_only,
    };
    proto::Organization {
        name,
        display_name,
        tags,
        settings: said(settings),
    }
}

fn team(entity: &Team) -> proto::Team {
    let Team {
        name,
        display_name,
        tags,
        private_projects_only,
        members_may_invite,
    } = entity.clone();
    let settings = proto::TeamSettings {
        private_projects_only,
        members_may_invite,
    };
    proto::Team {
        name,
        display_name,
        tags,
        settings: said(settings),
    }
}

/// Switches that are all off are left out.
fn said<T: Default + PartialEq>(settings: T) -> Option<T> {
    (settings != T::default()).then_some(settings)
}

fn project(entity: &Project) -> proto::Project {
    let Project {
        name,
        display_name,
        tags,
        visibility,
        service_account_quota,
        services,
    } = entity.clone();
    let visibility = match visibility {
        Visibility::Team => proto::Visibility::Team,
        Visibility::Restricted => proto::Visibility::Restricted,
        Visibility::Public => proto::Visibility::Public,
        Visibility::Open => proto::Visibility::Open,
    };
    let services = match services {
        AnyOr::Any => None,
        list @ AnyOr::List(_) => Some(any_or_list(list)),
    };
    let visibility = visibility.into();
    proto::Project {
        name,
        display_name,
        tags,
        visibility,
        service_account_quota,
        services,
    }
}

pub(super) fn any_or_list(list: AnyOr<String>) -> proto::AnyOrList {
    match list {
        AnyOr::Any => proto::AnyOrList {
            any: true,
            values: Vec::new(),
        },
        AnyOr::List(values) => proto::AnyOrList { any: false, values },
    }
}

fn user(entity: &User) -> proto::User {
    let User {
        name,
        uid,
        email,
        username,
        disabled,
        seats,
    } = entity.clone();
    let level = |level| match level {
        SeatLevel::Full => proto::SeatLevel::Full.into(),
        SeatLevel::Viewer => proto::SeatLevel::Viewer.into(),
        SeatLevel::None => proto::SeatLevel::None.into(),
    };
    let seats = seats.into_iter().map(
        |Seat {
             organization,
             models,
             weave,
         }| proto::Seat {
            organization,
            models: level(models),
            weave: level(weave),
        },
    );
    proto::User {
        name,
        uid,
        email,
        username,
        disabled,
        seats: seats.collect(),
    }
}

fn group(entity: &Group) -> proto::Group {
    let Group {
        name,
        uid,
        email,
        members,
    } = entity.clone();
    proto::Group {
        name,
        uid,
        email,
        members,
    }
}

fn service_account(entity: &ServiceAccount) -> Option<proto::ServiceAccount> {
    let ServiceAccount {
        name,
        uid,
        email,
        display_name,
        tags,
        kind,
        authentication,
        federated_subject,
        default_team,
        disabled,
        deleted_at,
        has_domain_wide_delegation,
    } = entity.clone();
    let kind = match kind {
        AccountKind::UserManaged => proto::AccountKind::UserManaged,
        AccountKind::Default => proto::AccountKind::Default,
        AccountKind::ServiceAgent => proto::AccountKind::ServiceAgent,
    };
    let authentication = match authentication {
        Authentication::BuiltIn => proto::Authentication::BuiltIn,
        Authentication::Federated => proto::Authentication::Federated,
    };
    (!has_domain_wide_delegation).then(|| proto::ServiceAccount {
        name,
        uid,
        email,
        display_name,
        tags,
        kind: kind.into(),
        authentication: authentication.into(),
        federated_subject,
        default_team,
        disabled,
        deleted_at: moment(deleted_at),
        domain_wide_delegation: None,
    })
}

fn moment(seconds: Option<i64>) -> Option<Timestamp> {
    seconds.map(|seconds| Timestamp { seconds, nanos: 0 })
}

fn key(entity: &Key) -> Option<proto::Key> {
    let Key {
        name,
        uid,
        owner_uid,
        organization,
        created_at,
        material,
        not_before,
        not_after,
        disabled,
        exposed_at,
        restrictions,
        has_rate_limit,
    } = entity.clone();
    let digest = match material {
        KeyMaterial::Sha256(digest) => proto::api_key::Digest::Sha256(digest.to_vec()),
        KeyMaterial::HmacSha256(digest) => proto::api_key::Digest::HmacSha256(digest.to_vec()),
        KeyMaterial::PublicKey => return None,
    };
    let restrictions = restrictions.map(
        |Restrictions {
             permissions,
             resources,
             cidrs,
         }| {
            proto::Restrictions {
                permissions: Some(any_or_list(permissions)),
                resources: Some(any_or_list(resources)),
                cidrs: Some(any_or_list(cidrs)),
            }
        },
    );
    (!has_rate_limit).then(|| proto::Key {
        name,
        uid,
        owner_uid,
        organization,
        created_at: moment(created_at),
        origin: proto::KeyOrigin::Unspecified.into(),
        not_before: moment(not_before),
        not_after: moment(not_after),
        disabled,
        exposed_at: moment(exposed_at),
        restrictions,
        rate_limit: None,
        material: Some(proto::key::Material::ApiKey(proto::ApiKey {
            digest: Some(digest),
        })),
    })
}
