//! Entities of the proto ⇄ entities of the document: required values, words, moments.
//!
//! Every message is taken apart field by field, so that a new field of the proto breaks the
//! build here. Names, references and bounds are for `graph::validate`.

mod check;
mod from_document;
mod org_policy;
mod policy;
mod route;

use crate::graph::document::{
    self, AccountKind, Authentication, Entity, KeyMaterial, Place, SeatLevel, Visibility,
};
use crate::graph::issue::{Code, Issues};
use crate::wire::feed::intake::Refused;
use crate::wire::feed::message::check::{Check, digest};
use crate::wire::proto::postern::feed::v1 as proto;
use crate::wire::proto::postern::feed::v1::entity::Kind;

pub(super) use crate::wire::feed::message::from_document::encode;

/// Takes the meaning of an entity of the proto.
///
/// # Errors
/// Every issue of its words and required values.
pub fn decode(entity: proto::Entity) -> Result<Entity, Issues> {
    convert(entity).map_err(|Refused { title, flaws }| {
        let mut issues = Issues::default();
        for flaw in flaws {
            issues.push(flaw.locate(&Place::default(), &title));
        }
        issues
    })
}

/// As `decode`, for an entity whose place is not known yet.
pub(super) fn convert(entity: proto::Entity) -> Result<Entity, Refused> {
    let proto::Entity { kind } = entity;
    let mut check = Check::default();
    let Some(kind) = kind else {
        check.flaw(format_args!(""), Code::Missing, "no kind", "one kind");
        return Err(Refused {
            title: "entity".to_owned(),
            flaws: check.end(),
        });
    };
    let entity = match kind {
        Kind::Organization(organization) => Entity::Organization(self::organization(organization)),
        Kind::Team(team) => Entity::Team(self::team(team)),
        Kind::Project(project) => Entity::Project(self::project(project, &mut check)),
        Kind::User(user) => Entity::User(self::user(user, &mut check)),
        Kind::Group(group) => Entity::Group(self::group(group)),
        Kind::ServiceAccount(account) => {
            Entity::ServiceAccount(self::service_account(account, &mut check))
        }
        Kind::Key(key) => Entity::Key(self::key(key, &mut check)),
        Kind::Role(role) => Entity::Role(policy::role(role, &mut check)),
        Kind::Permission(permission) => {
            Entity::Permission(policy::permission(permission, &mut check))
        }
        Kind::AllowPolicy(allow) => Entity::AllowPolicy(policy::allow_policy(allow)),
        Kind::DenyPolicy(deny) => Entity::DenyPolicy(policy::deny_policy(deny)),
        Kind::AccessBoundary(boundary) => {
            Entity::AccessBoundary(policy::access_boundary(boundary, &mut check))
        }
        Kind::AccessBoundaryBinding(binding) => {
            Entity::AccessBoundaryBinding(policy::access_boundary_binding(binding))
        }
        Kind::IdentityPool(pool) => Entity::IdentityPool(policy::identity_pool(pool, &mut check)),
        Kind::Route(route) => Entity::Route(route::route(route, &mut check)),
        Kind::OrgPolicy(org) => Entity::OrgPolicy(org_policy::org_policy(org, &mut check)),
        other => policy::not_evaluated(other),
    };
    let flaws = check.end();
    if flaws.is_empty() {
        Ok(entity)
    } else {
        Err(Refused {
            title: title(&entity),
            flaws,
        })
    }
}

/// Which entity this is: `team[organizations/acme/teams/ml]`.
pub(super) fn title(entity: &Entity) -> String {
    let (kind, name) = match entity {
        Entity::Organization(e) => ("organization", &e.name),
        Entity::Team(e) => ("team", &e.name),
        Entity::Project(e) => ("project", &e.name),
        Entity::User(e) => ("user", &e.name),
        Entity::Group(e) => ("group", &e.name),
        Entity::ServiceAccount(e) => ("service_account", &e.name),
        Entity::Key(e) => ("key", &e.name),
        Entity::Role(e) => ("role", &e.name),
        Entity::Permission(e) => ("permission", &e.name),
        Entity::AllowPolicy(e) => ("allow_policy", &e.resource),
        Entity::DenyPolicy(e) => ("deny_policy", &e.name),
        Entity::AccessBoundary(e) => ("access_boundary", &e.name),
        Entity::AccessBoundaryBinding(e) => ("access_boundary_binding", &e.name),
        Entity::IdentityPool(e) => ("identity_pool", &e.name),
        Entity::Route(e) => ("route", &e.name),
        Entity::OrgPolicy(e) => ("org_policy", &e.name),
        Entity::NotEvaluated { kind, name } => (*kind, name),
    };
    if name.is_empty() {
        kind.to_owned()
    } else {
        format!("{kind}[{name}]")
    }
}

/// The same of an entity of the proto, whatever its flaws; `None`: it has no kind.
pub(super) fn message_title(entity: &proto::Entity) -> Option<String> {
    entity.kind.as_ref()?;
    Some(match convert(entity.clone()) {
        Ok(entity) => title(&entity),
        Err(Refused { title, .. }) => title,
    })
}

// === nodes ===

fn organization(message: proto::Organization) -> document::Organization {
    let proto::Organization {
        name,
        display_name,
        tags,
        settings,
    } = message;
    let proto::OrganizationSettings {
        enforce_org_scoped_keys,
        disable_key_creation,
        disable_team_service_account_creation,
        disable_admin_team_access,
        private_projects_only,
    } = settings.unwrap_or_default();
    document::Organization {
        name,
        display_name,
        tags,
        enforce_org_scoped_keys,
        disable_key_creation,
        disable_team_service_account_creation,
        disable_admin_team_access,
        private_projects_only,
    }
}

fn team(message: proto::Team) -> document::Team {
    let proto::Team {
        name,
        display_name,
        tags,
        settings,
    } = message;
    let proto::TeamSettings {
        private_projects_only,
        members_may_invite,
    } = settings.unwrap_or_default();
    document::Team {
        name,
        display_name,
        tags,
        private_projects_only,
        members_may_invite,
    }
}

fn project(message: proto::Project, check: &mut Check) -> document::Project {
    let proto::Project {
        name,
        display_name,
        tags,
        visibility,
        service_account_quota,
        services,
    } = message;
    let visibility = match check.word(format_args!(".visibility"), visibility) {
        Some(proto::Visibility::Unspecified | proto::Visibility::Team) => Visibility::Team,
        Some(proto::Visibility::Public) => Visibility::Public,
        Some(proto::Visibility::Open) => Visibility::Open,
        Some(proto::Visibility::Restricted) | None => Visibility::Restricted,
    };
    let services = check.any_or_absent(format_args!(".services"), services);
    document::Project {
        name,
        display_name,
        tags,
        visibility,
        service_account_quota,
        services,
    }
}

// === principals ===

fn user(message: proto::User, check: &mut Check) -> document::User {
    let proto::User {
        name,
        uid,
        email,
        username,
        disabled,
        seats,
    } = message;
    let seats = seats.into_iter().enumerate().map(|(i, message)| {
        let proto::Seat {
            organization,
            models,
            weave,
        } = message;
        let models = seat_level(format_args!(".seats[{i}].models"), models, check);
        let weave = seat_level(format_args!(".seats[{i}].weave"), weave, check);
        document::Seat {
            organization,
            models,
            weave,
        }
    });
    let seats = seats.collect();
    document::User {
        name,
        uid,
        email,
        username,
        disabled,
        seats,
    }
}

fn seat_level(path: std::fmt::Arguments<'_>, number: i32, check: &mut Check) -> SeatLevel {
    match check.said(path, number, proto::SeatLevel::Unspecified) {
        Some(proto::SeatLevel::Full) => SeatLevel::Full,
        Some(proto::SeatLevel::Viewer) => SeatLevel::Viewer,
        Some(proto::SeatLevel::None | proto::SeatLevel::Unspecified) | None => SeatLevel::None,
    }
}

fn group(message: proto::Group) -> document::Group {
    let proto::Group {
        name,
        uid,
        email,
        members,
    } = message;
    document::Group {
        name,
        uid,
        email,
        members,
    }
}

fn service_account(message: proto::ServiceAccount, check: &mut Check) -> document::ServiceAccount {
    let proto::ServiceAccount {
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
        domain_wide_delegation,
    } = message;
    let kind = match check.word(format_args!(".kind"), kind) {
        Some(proto::AccountKind::Unspecified | proto::AccountKind::UserManaged) => {
            AccountKind::UserManaged
        }
        Some(proto::AccountKind::Default) => AccountKind::Default,
        Some(proto::AccountKind::ServiceAgent) | None => AccountKind::ServiceAgent,
    };
    let authentication = match check.word(format_args!(".authentication"), authentication) {
        Some(proto::Authentication::Unspecified | proto::Authentication::BuiltIn) => {
            Authentication::BuiltIn
        }
        Some(proto::Authentication::Federated) | None => Authentication::Federated,
    };
    document::ServiceAccount {
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
        deleted_at: check.second(format_args!(".deleted_at"), deleted_at),
        has_domain_wide_delegation: domain_wide_delegation.is_some(),
    }
}

// === keys ===

fn key(message: proto::Key, check: &mut Check) -> document::Key {
    let proto::Key {
        name,
        uid,
        owner_uid,
        organization,
        created_at,
        // Of a key pair only, and those are refused as a whole.
        origin,
        not_before,
        not_after,
        disabled,
        exposed_at,
        restrictions,
        rate_limit,
        material,
    } = message;
    let _: Option<proto::KeyOrigin> = check.word(format_args!(".origin"), origin);
    let material = match material {
        None => {
            let allowed = "api_key with sha256 or hmac_sha256";
            check.flaw(format_args!(".api_key"), Code::Missing, "nothing", allowed);
            KeyMaterial::PublicKey
        }
        Some(proto::key::Material::ApiKey(api_key)) => self::api_key(api_key, check),
        Some(proto::key::Material::PublicKey(_)) => KeyMaterial::PublicKey,
    };
    document::Key {
        name,
        uid,
        owner_uid,
        organization,
        created_at: check.second(format_args!(".created_at"), created_at),
        material,
        not_before: check.second(format_args!(".not_before"), not_before),
        not_after: check.second(format_args!(".not_after"), not_after),
        disabled,
        exposed_at: check.second(format_args!(".exposed_at"), exposed_at),
        restrictions: restrictions.map(|message| self::restrictions(message, check)),
        has_rate_limit: rate_limit.is_some(),
    }
}

fn api_key(message: proto::ApiKey, check: &mut Check) -> KeyMaterial {
    use proto::api_key::Digest;

    let proto::ApiKey { digest } = message;
    match digest {
        None => {
            let allowed = "sha256 or hmac_sha256";
            check.flaw(
                format_args!(".api_key"),
                Code::Missing,
                "no digest",
                allowed,
            );
            KeyMaterial::PublicKey
        }
        Some(Digest::Sha256(bytes)) => {
            KeyMaterial::Sha256(self::digest(format_args!(".api_key.sha256"), &bytes, check))
        }
        Some(Digest::HmacSha256(bytes)) => {
            let path = format_args!(".api_key.hmac_sha256");
            KeyMaterial::HmacSha256(self::digest(path, &bytes, check))
        }
    }
}

fn restrictions(message: proto::Restrictions, check: &mut Check) -> document::Restrictions {
    let proto::Restrictions {
        permissions,
        resources,
        cidrs,
    } = message;
    document::Restrictions {
        permissions: check.any_or_said(format_args!(".restrictions.permissions"), permissions),
        resources: check.any_or_said(format_args!(".restrictions.resources"), resources),
        cidrs: check.any_or_said(format_args!(".restrictions.cidrs"), cidrs),
    }
}
