//! Answers to Envoy. To Envoy an empty `CheckResponse` is an allow (INTERFACES 0.1), so the
//! generated types are named in this file only, and the one way to an answer that lets a call
//! through is [`Pass`]: it holds a decision that allows, or what the operator wrote down.

use envoy_types::pb::envoy::config::core::v3::header_value_option::HeaderAppendAction;
use envoy_types::pb::envoy::config::core::v3::{HeaderValue, HeaderValueOption};
use envoy_types::pb::envoy::service::auth::v3::check_response::HttpResponse;
use envoy_types::pb::envoy::service::auth::v3::{CheckResponse, DeniedHttpResponse};
use envoy_types::pb::envoy::r#type::v3::HttpStatus;
use envoy_types::pb::google::protobuf::BoolValue;
use envoy_types::pb::google::rpc;
use prost::Message as _;
use tonic::Code;

use crate::limits::{ENVOY_ANSWER_BYTES, ENVOY_RETRY_AFTER};
use crate::model::outcome::{Decision, Effect, Reason};
use crate::wire::envoy::credential::{API_KEY, AUTHORIZATION};
use crate::wire::envoy::headers::{self, Identity};
use crate::wire::envoy::message::Message;
use crate::wire::envoy::request::Header;
use crate::wire::envoy::settings::{Shadowed, Unrouted};

/// An answer that is ready to be sent: an encoded `CheckResponse`. It has no default, cannot be
/// changed, and cannot be made outside this file.
#[derive(Debug)]
pub struct Response {
    encoded: Vec<u8>,
    is_error: bool,
}

/// A decision that allows.
#[derive(Debug, Clone, Copy)]
pub struct Allowed(());

impl Allowed {
    /// Only of a decision whose effect is an allow.
    #[must_use]
    pub const fn of(decision: &Decision<'_>) -> Option<Self> {
        match decision.effect {
            Effect::Allow => Some(Self(())),
            Effect::Deny => None,
        }
    }
}

/// Why a call passes.
#[derive(Debug, Clone, Copy)]
pub enum Pass {
    /// It was decided so.
    Allowed(Allowed),
    /// It was denied, and the route is in shadow mode.
    Shadowed(Shadowed),
    /// No route takes it, and the operator declared that unprotected.
    Unrouted(Unrouted),
}

/// What a client learns of a deny: this, and nothing more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Class {
    /// 400: the request can be read in two ways, or not at all.
    BadRequest,
    /// 401: no credential, or one that does not hold.
    Unauthenticated,
    /// 403: not allowed.
    Forbidden,
    /// 413: the request is over our bound.
    TooLarge,
    /// 429: the credential was used too often.
    TooManyRequests,
}

/// What a decided deny comes to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Denial {
    /// A deny of this class.
    Class(Class),
    /// Too stale to decide: an error, never a policy (SPEC 13.3).
    Unavailable,
}

/// The class of a reason that denies. All failures of a credential but a rate limit look the
/// same (SPEC 9.2).
#[must_use]
pub const fn denial(reason: Reason) -> Denial {
    let class = match reason {
        Reason::StaleSnapshot => return Denial::Unavailable,
        Reason::AmbiguousRequest => Class::BadRequest,
        Reason::CredentialRateLimited => Class::TooManyRequests,
        Reason::RevokedLocally
        | Reason::CredentialMalformed
        | Reason::CredentialNotFound
        | Reason::CredentialOwnerDeleted
        | Reason::CredentialOwnerDisabled
        | Reason::CredentialDisabled
        | Reason::CredentialNotYetValid
        | Reason::CredentialExpired
        | Reason::CredentialOrgScopedKeyRequired
        | Reason::CredentialIpNotAllowed
        | Reason::CredentialOutOfScope
        | Reason::PrincipalDisabled
        | Reason::Unauthenticated => Class::Unauthenticated,
        Reason::Scope
        | Reason::ResourceNotFound
        | Reason::PermissionUnknown
        | Reason::ServiceDisabled
        | Reason::OutsideBoundary
        | Reason::DeniedByPolicy
        | Reason::Constraint
        | Reason::QuotaExceeded
        | Reason::DelegationBroken
        | Reason::Seat
        | Reason::RestrictedProject
        | Reason::PrincipalUnknown
        | Reason::NoGrant
        // A grant that is denied is no grant; asked for by mistake only.
        | Reason::GrantedByPolicy
        | Reason::GrantedByScope
        | Reason::GrantedByVisibility => Class::Forbidden,
    };
    Denial::Class(class)
}

/// What the log of the proxy may know: `dynamic_metadata`, no secret in it.
#[derive(Debug, Clone, Copy, Default)]
pub struct Facts<'a> {
    /// The reason's word; empty if nothing was decided.
    pub reason: &'a str,
    /// Who, for whom, where the request came from.
    pub identity: Identity<'a>,
    /// The resource, resolved.
    pub resource: &'a str,
    /// The permission.
    pub permission: &'a str,
    /// The route's name.
    pub route: &'a str,
    /// The route is in shadow mode.
    pub shadow: bool,
}

/// What of the request the upstream shall not see.
#[derive(Debug, Clone, Copy, Default)]
pub struct Strip<'a> {
    /// `authorization` carried the credential.
    pub authorization: bool,
    /// `x-api-key` carried the credential.
    pub api_key: bool,
    /// The headers that the client sent.
    pub headers: &'a [Header<'a>],
}

/// What tells an operator in front of a browser that a shadow route denied.
const SHADOW: (&str, &str) = ("x-postern-shadow", "deny");

impl Response {
    /// The call passes. Only a decision that allows gives it an identity.
    #[must_use]
    pub fn pass(pass: Pass, facts: &Facts<'_>, strip: &Strip<'_>) -> Self {
        let (identity, decision) = match pass {
            Pass::Allowed(Allowed(())) => (facts.identity, "allow"),
            Pass::Shadowed(_) => (Identity::default(), "deny"),
            Pass::Unrouted(_) => (Identity::default(), "unrouted"),
        };
        let mut message = Message::with_capacity(ENVOY_ANSWER_BYTES);
        // CheckResponse.status: OK, said.
        message.empty(1);
        // CheckResponse.ok_response
        message.nested(3, |ok| {
            for (name, text) in identity.entries() {
                match headers::value(text) {
                    Some(text) => ok.header(2, name, text, &OVERWRITE),
                    None => ok.text(5, name),
                }
            }
            for name in headers::smuggled(strip.headers) {
                ok.text(5, name);
            }
            if strip.authorization {
                ok.text(5, AUTHORIZATION);
            }
            if strip.api_key {
                ok.text(5, API_KEY);
            }
            if matches!(pass, Pass::Shadowed(_)) {
                let (name, text) = SHADOW;
                ok.header(6, name, text, &OVERWRITE);
            }
        });
        // CheckResponse.dynamic_metadata
        message.nested(4, |fields| metadata(decision, facts, fields));
        Self {
            encoded: message.finish(),
            is_error: false,
        }
    }

    /// The call is denied.
    #[must_use]
    pub fn deny(class: Class, facts: &Facts<'_>) -> Self {
        let response = CheckResponse {
            status: Some(status(class.code())),
            dynamic_metadata: None,
            http_response: Some(HttpResponse::DeniedResponse(class.http())),
        };
        let mut message = Message::with_capacity(ENVOY_ANSWER_BYTES);
        message.nested(4, |fields| metadata("deny", facts, fields));
        Self::of(&response, message)
    }

    /// There is no answer. Envoy before 1.37 makes a 403 of it.
    #[must_use]
    pub fn error() -> Self {
        let http = DeniedHttpResponse {
            status: Some(HttpStatus { code: 503 }),
            headers: vec![problem()],
            body: r#"{"type":"about:blank","title":"Service Unavailable","status":503}"#.to_owned(),
        };
        let response = CheckResponse {
            status: Some(status(Code::Unavailable)),
            dynamic_metadata: None,
            http_response: Some(HttpResponse::ErrorResponse(http)),
        };
        Self {
            is_error: true,
            ..Self::of(&response, Message::with_capacity(0))
        }
    }

    /// The fields of `response` after those of `message`.
    fn of(response: &CheckResponse, message: Message) -> Self {
        let mut encoded = message.finish();
        encoded.extend_from_slice(&response.encode_to_vec());
        Self {
            encoded,
            is_error: false,
        }
    }

    /// Whether it is an error: neither an allow nor a deny.
    #[must_use]
    pub const fn is_error(&self) -> bool {
        self.is_error
    }

    /// The encoded message.
    #[must_use]
    pub fn encoded(&self) -> &[u8] {
        &self.encoded
    }
}

impl Class {
    const fn code(self) -> Code {
        match self {
            Self::BadRequest | Self::TooLarge => Code::InvalidArgument,
            Self::Unauthenticated => Code::Unauthenticated,
            Self::Forbidden => Code::PermissionDenied,
            Self::TooManyRequests => Code::ResourceExhausted,
        }
    }

    /// The status and body that the client sees (RFC 9457).
    const fn problem(self) -> (i32, &'static str) {
        match self {
            Self::BadRequest => (
                400,
                r#"{"type":"about:blank","title":"Bad Request","status":400}"#,
            ),
            Self::Unauthenticated => (
                401,
                r#"{"type":"about:blank","title":"Unauthorized","status":401}"#,
            ),
            Self::Forbidden => (
                403,
                r#"{"type":"about:blank","title":"Forbidden","status":403}"#,
            ),
            Self::TooLarge => (
                413,
                r#"{"type":"about:blank","title":"Content Too Large","status":413}"#,
            ),
            Self::TooManyRequests => (
                429,
                r#"{"type":"about:blank","title":"Too Many Requests","status":429}"#,
            ),
        }
    }

    fn http(self) -> DeniedHttpResponse {
        let (code, body) = self.problem();
        let mut headers = vec![problem()];
        match self {
            Self::Unauthenticated => {
                let challenge = r#"Bearer realm="postern""#.to_owned();
                headers.push(overwrite("www-authenticate", challenge));
            }
            Self::TooManyRequests => {
                let seconds = ENVOY_RETRY_AFTER.as_secs().to_string();
                headers.push(overwrite("retry-after", seconds));
            }
            Self::BadRequest | Self::Forbidden | Self::TooLarge => {}
        }
        DeniedHttpResponse {
            status: Some(HttpStatus { code }),
            headers,
            body: body.to_owned(),
        }
    }
}

fn problem() -> HeaderValueOption {
    overwrite("content-type", "application/problem+json".to_owned())
}

fn status(code: Code) -> rpc::Status {
    rpc::Status {
        code: code.into(),
        message: String::new(),
        details: Vec::new(),
    }
}

/// What follows the header in a `HeaderValueOption`, as [`overwrite`] has it: `append` (2), a
/// message that says false, and `append_action` (3), `OVERWRITE_IF_EXISTS_OR_ADD` (2).
const OVERWRITE: [u8; 4] = [2 << 3 | 2, 0, 3 << 3, 2];

/// Released Envoys read `append` and later ones `append_action`: both are said (INTERFACES 0.1).
fn overwrite(name: &str, value: String) -> HeaderValueOption {
    #[expect(deprecated, reason = "the only one that released versions read")]
    HeaderValueOption {
        header: Some(HeaderValue {
            key: name.to_owned(),
            value,
            raw_value: Vec::new(),
        }),
        append: Some(BoolValue { value: false }),
        append_action: HeaderAppendAction::OverwriteIfExistsOrAdd.into(),
        keep_empty_value: false,
    }
}

/// `google.protobuf.Struct.fields`
fn metadata(decision: &str, facts: &Facts<'_>, fields: &mut Message) {
    let Facts {
        reason,
        identity,
        resource,
        permission,
        route,
        shadow,
    } = *facts;
    let texts = [
        ("decision", decision),
        ("reason", reason),
        ("principal", identity.principal),
        ("organization", identity.organization),
        ("resource", resource),
        ("permission", permission),
        ("revision", identity.revision),
        ("route", route),
    ];
    for (name, text) in texts.into_iter().filter(|(_, text)| !text.is_empty()) {
        // Value.string_value
        fields.entry(1, name, 3, text);
    }
    fields.nested(1, |entry| {
        entry.text(1, "shadow");
        // Value.bool_value
        entry.nested(2, |value| value.number(4, shadow.into()));
    });
}
