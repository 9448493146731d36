//! What the operator says about the proxy interface.

use crate::graph::routes::RouteRow;
use crate::model::path::AllowedClasses;
use crate::model::route::Mode;

/// The settings. By default everything that no route names is denied.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Settings {
    /// Trust domains of peers, and the one organization that each speaks for (SPEC 9.6).
    pub trust_domains: Vec<TrustDomain>,
    /// What is done where no route is, by host.
    pub no_route: Vec<NoRoute>,
    /// Ambiguous paths that are allowed.
    pub paths: AllowedClasses,
    /// Upstreams see the credential.
    pub keep_credential: bool,
    /// An error is told as an `error_response`, for Envoy 1.37 or later.
    pub error_response: bool,
    /// The header that names the user to attribute to, in lower case.
    pub attribution_header: Option<String>,
}

/// A trust domain and its organization.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TrustDomain {
    /// The part of `spiffe://DOMAIN/...`.
    pub domain: String,
    /// `organizations/o`.
    pub organization: String,
}

/// What is done where no route is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NoRoute {
    /// The host, or `*` for every host that is not named.
    pub host: String,
    /// Whether its unrouted paths are unprotected.
    pub allow: bool,
}

/// The operator declared the unrouted paths of this host unprotected.
#[derive(Debug, Clone, Copy)]
pub struct Unrouted(());

/// The route passes its denies.
#[derive(Debug, Clone, Copy)]
pub struct Shadowed(());

impl Shadowed {
    /// Only of a route in shadow mode.
    #[must_use]
    pub const fn of(route: &RouteRow) -> Option<Self> {
        match route.mode {
            Mode::Shadow => Some(Self(())),
            Mode::Enforce => None,
        }
    }
}

impl Settings {
    /// Whether a call to `host` that no route takes may pass.
    #[must_use]
    pub fn unrouted(&self, host: &str) -> Option<Unrouted> {
        let of = |host: &str| self.no_route.iter().find(|entry| entry.host == host);
        let entry = of(host).or_else(|| of("*"))?;
        entry.allow.then_some(Unrouted(()))
    }

    /// The organization that a peer's trust domain speaks for.
    #[must_use]
    pub fn organization(&self, principal: &str) -> Option<&str> {
        let (domain, _path) = principal.strip_prefix("spiffe://")?.split_once('/')?;
        let of = |entry: &&TrustDomain| entry.domain == domain;
        let entry = self.trust_domains.iter().find(of)?;
        Some(&entry.organization)
    }
}
