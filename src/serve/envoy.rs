//! `envoy.service.auth.v3.Authorization`: `Check` (SPEC 13).
//!
//! Whatever goes wrong here is a deny or an error. Under `failure_mode_allow` Envoy makes an
//! allow of an error, so all that a client can cause is answered as a deny.

pub mod report;

use std::net::IpAddr;

use prost::bytes::Bytes;
use tonic::server::UnaryService;
use tonic::{Request, Status};

use crate::credential::api_key;
use crate::decide::{self, KeyAnswer};
use crate::graph::routes::{RouteMatch, RouteRow};
use crate::graph::snapshot::Snapshot;
use crate::limits::ATTRIBUTION_BYTES_MAX;
use crate::model::outcome::{Actor, Answer, Attribution, Decision, Reason};
use crate::model::path;
use crate::model::query::{KeyDigests, KeyQuery, Query, Subject};
use crate::model::route::Anonymous;
use crate::serve::dispatch::Services;
use crate::serve::freshness::{Reply, Seen};
use crate::wire::envoy::credential::{self, Found, Presented};
use crate::wire::envoy::headers::{self, Identity, Once};
use crate::wire::envoy::request::{self, Extensions, Http};
use crate::wire::envoy::response::{Allowed, Class, Denial, Facts, Pass, Response, Strip, denial};
use crate::wire::envoy::settings::{Settings, Shadowed};
use crate::wire::status::Failure;
use crate::wire::words;

/// `Check`.
#[derive(Debug)]
pub struct Check<'s> {
    pub(super) services: &'s Services,
}

impl<'s> UnaryService<Bytes> for Check<'s> {
    type Response = Response;
    type Future = Reply<'s, Response>;

    fn call(&mut self, request: Request<Bytes>) -> Self::Future {
        Reply::ready(self.services.check(&request.into_inner()))
    }
}

/// No answer: the snapshot is too stale to decide.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stale;

impl Services {
    /// Answers an encoded request.
    ///
    /// # Errors
    /// There is no answer, and the operator wants to hear of it as an error of the call.
    pub fn check(&self, message: &[u8]) -> Result<Response, Status> {
        self.told(self.see(|seen| Ok(Asked::new(self, seen).answer(message))))
    }

    /// SPEC 13.3: an internal error, not ready, too stale: never an allow.
    fn told(&self, answered: Result<Result<Response, Stale>, Failure>) -> Result<Response, Status> {
        let why = match answered {
            Ok(Ok(response)) => return Ok(response),
            Ok(Err(Stale)) => "the snapshot is too stale to decide",
            Err(Failure::NotReady) => "no snapshot is loaded yet; try again",
            Err(_) => "internal error",
        };
        if self.parts.envoy.error_response {
            return Ok(Response::error());
        }
        Err(Status::unavailable(why))
    }
}

/// One check and what it sees.
struct Asked<'a> {
    services: &'a Services,
    settings: &'a Settings,
    seen: Seen<'a>,
    snapshot: &'a Snapshot,
    revision: String,
}

/// The parts of a call that a route is found by; all of them readable in one way.
struct Call<'m> {
    host: std::borrow::Cow<'m, str>,
    method: &'m str,
    path: &'m str,
}

impl<'m> Call<'m> {
    /// `None`: it can be read in two ways (SPEC 13.2).
    fn read(http: &Http<'m>, allowed: path::AllowedClasses) -> Option<Self> {
        if http.has_two_maps() {
            return None;
        }
        let raw = std::str::from_utf8(http.path).ok()?;
        let (path, _query) = path::split(raw);
        if path::ambiguity(path, allowed).is_some() {
            return None;
        }
        Some(Self {
            host: headers::host(http)?,
            method: std::str::from_utf8(http.method).ok()?,
            path,
        })
    }
}

/// What permission and resource a call needs.
enum Target<'r> {
    /// The filter's own words.
    Fixed {
        permission: &'r str,
        resource: &'r str,
    },
    /// A route's.
    Route(RouteMatch<'r>),
    /// No route takes it.
    Nowhere,
    /// The filter's own words make no sense.
    Mistaken,
}

impl<'r> Target<'r> {
    /// `context_extensions` beat routes; half of them is never skipped.
    fn find(snapshot: &'r Snapshot, extensions: &Extensions<'r>, call: &Call<'r>) -> Self {
        let said = |text: &'r [u8]| {
            std::str::from_utf8(text)
                .ok()
                .filter(|text| !text.is_empty())
        };
        match *extensions {
            Extensions { misspelt: true, .. } => Self::Mistaken,
            Extensions {
                permission: Some(permission),
                resource: Some(resource),
                ..
            } => match (said(permission), said(resource)) {
                (Some(permission), Some(resource)) => Self::Fixed {
                    permission,
                    resource,
                },
                _ => Self::Mistaken,
            },
            Extensions {
                permission: None,
                resource: None,
                ..
            } => match snapshot.routes().find(&call.host, call.method, call.path) {
                Some(route) => Self::Route(route),
                None => Self::Nowhere,
            },
            Extensions { .. } => Self::Mistaken,
        }
    }
}

/// Who asks, by what the request presents.
enum Caller {
    /// A key, digested.
    Key(KeyDigests),
    /// An authenticated peer: the account that it is.
    Peer(String),
    /// Nobody.
    Nobody,
    /// A credential that does not hold, or two.
    Refused(Reason),
}

/// A decision, or why there is none.
type Decided<'d> = Result<Decision<'d>, Reason>;

impl<'a> Asked<'a> {
    fn new(services: &'a Services, seen: Seen<'a>) -> Self {
        let snapshot = &seen.state.snapshot;
        Self {
            services,
            settings: &services.parts.envoy,
            seen,
            snapshot,
            revision: snapshot.revision().0.to_string(),
        }
    }

    fn answer(&self, message: &[u8]) -> Result<Response, Stale> {
        let mut facts = Facts {
            identity: Identity {
                revision: &self.revision,
                ..Identity::default()
            },
            ..Facts::default()
        };
        let Ok(check) = request::read(message) else {
            return deny(Reason::AmbiguousRequest, facts);
        };
        // A network-level check: there is nothing to decide by.
        let Some(http) = &check.http else {
            return deny(Reason::NoGrant, facts);
        };
        facts.identity.request_id = headers::request_id(http);
        let Some(call) = Call::read(http, self.settings.paths) else {
            return deny(Reason::AmbiguousRequest, facts);
        };
        let found = credential::find(&http.headers);
        let caller = self.caller(&found, check.source_principal);
        let strip = self.strip(&found, http);
        let source_ip = address(check.source_address);
        let asks = Asks {
            caller: &caller,
            attribution: self.attribution(http),
            source_ip,
        };
        match Target::find(self.snapshot, &check.extensions, &call) {
            Target::Mistaken => {
                self.services.shadow.mistaken();
                deny(Reason::NoGrant, facts)
            }
            Target::Nowhere => self.nowhere(&asks, &call, facts, &strip),
            Target::Fixed {
                permission,
                resource,
            } => {
                (facts.permission, facts.resource) = (permission, resource);
                self.decided(&asks, None, facts, &strip)
            }
            Target::Route(matched) => {
                let resource = matched.resource();
                facts.route = &matched.route.name;
                facts.permission = &matched.route.permission;
                facts.resource = &resource;
                self.decided(&asks, Some(matched.route), facts, &strip)
            }
        }
    }

    /// Who asks: a credential in a header beats the peer's identity (SPEC 13.1).
    fn caller(&self, found: &Found<'_>, peer: &[u8]) -> Caller {
        match &found.presented {
            Presented::Key(key) => {
                let pepper = self.services.parts.pepper.as_ref();
                Caller::Key(api_key::digest(key.expose(), pepper))
            }
            Presented::Bad => Caller::Refused(Reason::CredentialMalformed),
            Presented::Ambiguous => Caller::Refused(Reason::AmbiguousRequest),
            Presented::Nothing => self.peer(peer).map_or(Caller::Nobody, Caller::Peer),
        }
    }

    /// SPEC 9.6: the account that a peer is, if its trust domain speaks for an organization.
    fn peer(&self, principal: &[u8]) -> Option<String> {
        let principal = std::str::from_utf8(principal).ok()?;
        let organization = self.settings.organization(principal)?;
        let account = self.snapshot.find_federated(organization, principal)?;
        Some(self.snapshot.principal_member(account))
    }

    /// What the upstream shall not see.
    fn strip<'m>(&self, found: &Found<'_>, http: &'m Http<'m>) -> Strip<'m> {
        // A shadow route passes two keys as well: neither is the upstream's.
        let keys = matches!(found.presented, Presented::Key(_) | Presented::Ambiguous);
        let carried = keys && !self.settings.keep_credential;
        Strip {
            authorization: carried && found.authorization,
            api_key: carried && found.api_key,
            headers: &http.headers,
        }
    }

    /// The user to attribute to, as the client says. It changes no decision (SPEC 5.5), so one
    /// that cannot be read is none.
    fn attribution<'m>(&self, http: &Http<'m>) -> Option<&'m str> {
        let name = self.settings.attribution_header.as_deref()?;
        let Once::Value(value) = headers::once(&http.headers, name) else {
            return None;
        };
        let text = headers::value(std::str::from_utf8(value).ok()?)?;
        (text.len() <= ATTRIBUTION_BYTES_MAX).then_some(text)
    }

    /// No route: a deny, unless the operator declared the host's other paths unprotected. A
    /// presented bad credential is a 401 also there.
    fn nowhere(
        &self,
        asks: &Asks<'_>,
        call: &Call<'_>,
        facts: Facts<'_>,
        strip: &Strip<'_>,
    ) -> Result<Response, Stale> {
        if let Some(reason) = self.refused(asks) {
            return deny(reason, facts);
        }
        match self.settings.unrouted(&call.host) {
            Some(unrouted) => Ok(Response::pass(Pass::Unrouted(unrouted), &facts, strip)),
            None => deny(Reason::NoGrant, facts),
        }
    }

    /// Why the caller's credential does not hold, whatever it is used for.
    fn refused(&self, asks: &Asks<'_>) -> Option<Reason> {
        match asks.caller {
            Caller::Refused(reason) => Some(*reason),
            Caller::Key(digests) => {
                let query = KeyQuery {
                    digests,
                    source_ip: asks.source_ip,
                    permission: None,
                    resource: None,
                };
                match decide::verify_key(self.snapshot, &query, self.seen.now) {
                    Ok(KeyAnswer { code, .. }) => decide::key_reason(code),
                    Err(_) => Some(Reason::CredentialNotFound),
                }
            }
            Caller::Peer(_) | Caller::Nobody => None,
        }
    }

    /// Asks the engine, and makes an answer of its word.
    fn decided(
        &self,
        asks: &Asks<'_>,
        route: Option<&RouteRow>,
        facts: Facts<'_>,
        strip: &Strip<'_>,
    ) -> Result<Response, Stale> {
        let anonymous = route.map_or(Anonymous::Deny, |route| route.anonymous);
        let shadowed = route.and_then(Shadowed::of);
        let decided = self.decide(asks, anonymous, facts.permission, facts.resource);
        let (principal, mut facts) = (self.principal(&decided), facts);
        facts.shadow = shadowed.is_some();
        facts.identity.principal = &principal;
        let reason = match &decided {
            Ok(decision) => decision.reason,
            Err(reason) => *reason,
        };
        facts.reason = words::reason_word(reason);
        let attributed_user;
        if let Ok(decision) = &decided {
            let (organization, team) = self.home(asks, decision);
            facts.identity.organization = organization;
            facts.identity.team = team;
            facts.resource = &decision.resource;
            attributed_user = attributed(self.snapshot, decision);
            facts.identity.attributed_user = &attributed_user;
            if let Some(allowed) = Allowed::of(decision) {
                return Ok(Response::pass(Pass::Allowed(allowed), &facts, strip));
            }
        }
        match (denial(reason), shadowed) {
            (Denial::Unavailable, _) => Err(Stale),
            (Denial::Class(_), Some(shadowed)) => {
                self.services.shadow.passed();
                Ok(Response::pass(Pass::Shadowed(shadowed), &facts, strip))
            }
            (Denial::Class(class), None) => Ok(Response::deny(class, &facts)),
        }
    }

    fn decide<'d>(
        &'d self,
        asks: &'d Asks<'_>,
        anonymous: Anonymous,
        permission: &'d str,
        resource: &'d str,
    ) -> Decided<'d> {
        let subject = match (asks.caller, anonymous) {
            (Caller::Key(digests), _) => Subject::ApiKey(digests),
            (Caller::Peer(account), _) => Subject::Principal(account),
            (Caller::Nobody, Anonymous::Allow) => Subject::Anonymous,
            (Caller::Nobody, Anonymous::Deny) => return Err(Reason::Unauthenticated),
            (Caller::Refused(reason), _) => return Err(*reason),
        };
        let query = Query {
            subject,
            permission,
            resource,
            attribution: asks.attribution,
            source_ip: asks.source_ip,
            ..Query::EMPTY
        };
        match decide::authorize(self.snapshot, &query, self.seen.now) {
            Answer::Decided(decision) => Ok(decision),
            // What the client wrote made no name, or the permission needs context, which no
            // path can say. A bad credential comes first.
            Answer::Invalid(violation) => {
                Err(self
                    .refused(asks)
                    .unwrap_or_else(|| match &*violation.field {
                        "resource" => Reason::ResourceNotFound,
                        _ => Reason::NoGrant,
                    }))
            }
        }
    }

    fn principal(&self, decided: &Decided<'_>) -> String {
        match decided {
            Ok(Decision {
                actor: Actor::Known(principal),
                ..
            }) => self.snapshot.principal_member(*principal),
            Ok(_) | Err(_) => String::new(),
        }
    }

    /// Organization and team of the caller: an account's own, else those of the organization
    /// key that a user presented.
    fn home(&self, asks: &Asks<'_>, decision: &Decision<'_>) -> (&'a str, &'a str) {
        let Actor::Known(principal) = decision.actor else {
            return ("", "");
        };
        match (self.snapshot.home(principal), asks.caller) {
            (Some(home), _) => home,
            (None, Caller::Key(digests)) => (self.snapshot.organization_of_key(digests), ""),
            (None, _) => ("", ""),
        }
    }
}

/// Who asks from where, for whom.
struct Asks<'m> {
    caller: &'m Caller,
    attribution: Option<&'m str>,
    source_ip: Option<IpAddr>,
}

fn attributed(snapshot: &Snapshot, decision: &Decision<'_>) -> String {
    match decision.attribution {
        Attribution::To(user) => snapshot.principal_username(user),
        Attribution::NotAsked
        | Attribution::NotAServiceAccount
        | Attribution::NoTeam
        | Attribution::NotAMember => String::new(),
    }
}

/// `source.address` (SPEC 9.5): an IP address, or nothing of use, such as a socket's path.
fn address(text: &[u8]) -> Option<IpAddr> {
    std::str::from_utf8(text).ok()?.parse().ok()
}

/// A deny that was not decided.
fn deny(reason: Reason, facts: Facts<'_>) -> Result<Response, Stale> {
    match denial(reason) {
        Denial::Unavailable => Err(Stale),
        Denial::Class(class) => {
            let reason = words::reason_word(reason);
            Ok(Response::deny(class, &Facts { reason, ..facts }))
        }
    }
}

/// The answer to a message over the bound, which a client's body may have made.
#[must_use]
pub fn too_large() -> Response {
    Response::deny(Class::TooLarge, &Facts::default())
}

#[cfg(test)]
mod tests;
