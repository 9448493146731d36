//! The fields of every message, for the readers and writers of YAML and JSON.
//!
//! A field of `entity.proto` that is not listed here breaks the build.

use serde::Deserialize as _;
use serde::de::{Deserializer, IgnoredAny};

use crate::graph::issue::Code;
use crate::wire::feed::flaw::Context;
use crate::wire::feed::read::{Message, Plain, Reads, bare};
use crate::wire::feed::value::{Digest, Word, Words};
use crate::wire::feed::write::{Out, PutMessage, Puts};
use crate::wire::proto::postern::feed::v1::{
    AccessBoundary, AccessBoundaryBinding, AccountKind, Algorithm, AllowPolicy, AnyOrList, ApiKey,
    Authentication, BasicRole, Binding, BooleanRule, Condition, DenyPolicy, DenyRule,
    DomainWideDelegation, Entity, Group, Heartbeat, IdentityPool, IdentityProvider, Key, KeyOrigin,
    ListRule, Manifest, OpenSubmit, OrgPolicy, Organization, OrganizationSettings, Permission,
    Product, Project, ProviderForm, PublicKey, RateLimit, Restrictions, Role, RoleStage, Route,
    RouteAnonymous, RouteKind, RouteMode, Seat, SeatLevel, ServiceAccount, SigningKey,
    SigningKeyUse, Team, TeamSettings, User, Visibility, api_key, entity, key, org_policy,
    public_key, route,
};

macro_rules! how {
    () => {
        Plain
    };
    ($how:ty) => {
        $how
    };
}

macro_rules! code {
    () => {
        Code::UnknownField
    };
    ($code:ident) => {
        Code::$code
    };
}

/// `message!(Name { field, field as How } oneof name: module::Enum { case: Variant })`.
macro_rules! message {
    ($name:ident { $($field:ident $(as $how:ty)?),* $(,)? }
     $(oneof $union:ident: $module:ident::$enum:ident {
        $($case:ident: $variant:ident $(as $case_how:ty)?),* $(,)?
     })? $(unknown $code:ident)?) => {
        impl Message for $name {
            const UNKNOWN: Code = code!($($code)?);
            const FIELDS: &'static [&'static str] =
                &[$(stringify!($field),)* $($(stringify!($case),)*)?];

            fn read_field<'de, D: Deserializer<'de>>(
                &mut self,
                index: usize,
                from: D,
                cx: &mut Context<'_>,
            ) -> Result<(), D::Error> {
                let mut position = 0_usize;
                $(
                    if position == index {
                        return <how!($($how)?) as Reads<_>>::read(&mut self.$field, from, cx);
                    }
                    position += 1;
                )*
                $(
                let cases: &[&str] = &[$(stringify!($case)),*];
                $(
                    if position == index {
                        if self.$union.is_some() {
                            one_only(cases, cx);
                        }
                        let mut value = Default::default();
                        <how!($($case_how)?) as Reads<_>>::read(&mut value, from, cx)?;
                        self.$union = Some($module::$enum::$variant(value));
                        return Ok(());
                    }
                    position += 1;
                )*
                )?
                debug_assert!(position > index, "an index of `FIELDS`");
                IgnoredAny::deserialize(from).map(|_| ())
            }
        }

        impl PutMessage for $name {
            fn put_fields(&self, out: &mut dyn Out) {
                let Self { $($field,)* $($union,)? } = self;
                $(
                    if !<how!($($how)?) as Puts<_>>::is_absent($field) {
                        out.key(bare(stringify!($field)));
                        <how!($($how)?) as Puts<_>>::put($field, out);
                    }
                )*
                $(match $union {
                    None => {}
                    $(Some($module::$enum::$variant(value)) => {
                        out.key(stringify!($case));
                        <how!($($case_how)?) as Puts<_>>::put(value, out);
                    })*
                })?
            }
        }
    };
}

fn one_only(cases: &[&str], cx: &mut Context<'_>) {
    let allowed = format!("one of {}", cases.join(", "));
    cx.flaw_above(
        Code::InvalidValue,
        "two fields that exclude each other",
        allowed,
    );
}

message!(Entity {} oneof kind: entity::Kind {
    organization: Organization,
    team: Team,
    project: Project,
    user: User,
    group: Group,
    service_account: ServiceAccount,
    key: Key,
    role: Role,
    permission: Permission,
    allow_policy: AllowPolicy,
    deny_policy: DenyPolicy,
    access_boundary: AccessBoundary,
    access_boundary_binding: AccessBoundaryBinding,
    org_policy: OrgPolicy,
    identity_pool: IdentityPool,
    identity_provider: IdentityProvider,
    signing_key: SigningKey,
    route: Route,
    heartbeat: Heartbeat,
    manifest: Manifest,
} unknown UnknownKind);

message!(AnyOrList { any, values });
message!(Organization {
    name,
    display_name,
    tags,
    settings
});
message!(OrganizationSettings {
    enforce_org_scoped_keys,
    disable_key_creation,
    disable_team_service_account_creation,
    disable_admin_team_access,
    private_projects_only,
});
message!(Team {
    name,
    display_name,
    tags,
    settings
});
message!(TeamSettings {
    private_projects_only,
    members_may_invite
});
message!(Project {
    name,
    display_name,
    tags,
    visibility as Words<Visibility>,
    service_account_quota,
    services,
});
message!(User {
    name,
    uid,
    email,
    username,
    disabled,
    seats
});
message!(Seat { organization, models as Words<SeatLevel>, weave as Words<SeatLevel> });
message!(Group {
    name,
    uid,
    email,
    members
});
message!(ServiceAccount {
    name,
    uid,
    email,
    display_name,
    tags,
    kind as Words<AccountKind>,
    authentication as Words<Authentication>,
    federated_subject,
    default_team,
    disabled,
    deleted_at,
    domain_wide_delegation,
});
message!(DomainWideDelegation { domains, scopes });
message!(Key {
    name,
    uid,
    owner_uid,
    organization,
    created_at,
    origin as Words<KeyOrigin>,
    not_before,
    not_after,
    disabled,
    exposed_at,
    restrictions,
    rate_limit,
} oneof material: key::Material { api_key: ApiKey, public_key: PublicKey });
message!(ApiKey {} oneof digest: api_key::Digest {
    sha256: Sha256 as Digest,
    hmac_sha256: HmacSha256 as Digest,
});
message!(PublicKey { algorithm as Words<Algorithm> } oneof encoding: public_key::Encoding {
    pem: Pem,
    jwk: Jwk,
});
message!(Restrictions {
    permissions,
    resources,
    cidrs
});
message!(RateLimit { permits, per });
message!(Role {
    name,
    title,
    inherits,
    permissions,
    own_permissions,
    stage as Words<RoleStage>,
    deleted,
});
message!(Permission {
    name,
    basic_role as Words<BasicRole>,
    product as Words<Product>,
    public_read,
    open_submit as Words<OpenSubmit>,
    administrative,
    read,
    configures,
});
message!(AllowPolicy { resource, bindings });
message!(Binding {
    role,
    members,
    condition
});
message!(Condition {
    title,
    description,
    expression
});
message!(DenyPolicy {
    name,
    attachment,
    rules
});
message!(DenyRule {
    denied_principals,
    exception_principals,
    denied_permissions,
    exception_permissions,
    condition,
});
message!(AccessBoundary {
    name,
    resources,
    permissions
});
message!(AccessBoundaryBinding {
    name,
    boundary,
    principal_set,
    condition
});
message!(OrgPolicy { name, attachment, constraint, inherit_from_parent, reset }
    oneof rule: org_policy::Rule { boolean: Boolean, list: List });
message!(BooleanRule { enforced });
message!(ListRule { allow, deny });
message!(IdentityPool {
    name,
    disabled,
    deleted_at
});
message!(IdentityProvider {
    name,
    form as Words<ProviderForm>,
    organization,
    issuer,
    audiences,
    jwks,
    algorithms as Words<Algorithm>,
    attribute_mapping,
    attribute_condition,
    aws_account,
    disabled,
    deleted_at,
});
message!(SigningKey {
    name,
    issuer,
    public_key,
    algorithm as Words<Algorithm>,
    r#use as Words<SigningKeyUse>,
    not_before,
    not_after,
    scope_node,
});
message!(Route {
    name,
    hosts,
    kind as Words<RouteKind>,
    methods,
    permission,
    resource,
    anonymous as Words<RouteAnonymous>,
    mode as Words<RouteMode>,
} oneof target: route::Target { path_template: PathTemplate, grpc_method: GrpcMethod });
message!(Heartbeat {
    revision,
    published_at,
    complete
});
message!(Manifest {
    unit,
    revision,
    schema_version,
    entity_count,
    digest,
    signature
});

macro_rules! word {
    ($($enum:ident $prefix:literal),* $(,)?) => {
        $(impl Word for $enum {
            const PREFIX: &'static str = $prefix;

            fn long(self) -> &'static str {
                self.as_str_name()
            }
        })*
    };
}

word! {
    Visibility "VISIBILITY_",
    SeatLevel "SEAT_LEVEL_",
    AccountKind "ACCOUNT_KIND_",
    Authentication "AUTHENTICATION_",
    KeyOrigin "KEY_ORIGIN_",
    Algorithm "ALGORITHM_",
    RoleStage "ROLE_STAGE_",
    BasicRole "BASIC_ROLE_",
    Product "PRODUCT_",
    OpenSubmit "OPEN_SUBMIT_",
    ProviderForm "PROVIDER_FORM_",
    SigningKeyUse "SIGNING_KEY_USE_",
    RouteKind "ROUTE_KIND_",
    RouteAnonymous "ROUTE_ANONYMOUS_",
    RouteMode "ROUTE_MODE_",
}
