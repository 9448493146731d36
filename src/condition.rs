//! Layer 1: conditions. CEL expressions that bindings, deny rules, boundaries and providers
//! carry (SPEC 7), compiled when a snapshot is loaded and evaluated with the decision.
//!
//! What may be used where is checked at load, and so is what an evaluation may cost; at run
//! time there is neither a surprise nor a clock. `docs/CEL.md` is the page for operators.

use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;

use crate::model::query::UnixTime;
use crate::model::value::Struct;

/// Where a condition stands: what it may use (SPEC 7.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Site {
    /// A binding of an allow policy.
    Allow,
    /// A rule of a deny policy.
    Deny,
    /// A binding of an access boundary.
    Boundary,
    /// The condition or mapping of an identity provider.
    Provider,
}

/// What an evaluation found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// The condition holds.
    True,
    /// The condition does not hold.
    False,
    /// No clean answer: a missing attribute, a wrong type, an overflow, a result that is no
    /// bool. What that means is the site's affair (SPEC 7.3).
    Error,
}

/// What is wrong with the text of a condition.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// Not CEL.
    #[error("{0}")]
    Syntax(String),
    /// CEL, and not what may be used here.
    #[error("{0}")]
    NotAllowed(String),
    /// Over a bound of `limits`.
    #[error("{what}: {found}, at most {allowed}")]
    OverBound {
        /// What is bounded.
        what: &'static str,
        /// How much there is.
        found: u64,
        /// How much there may be.
        allowed: u64,
    },
}

/// A condition that was checked and compiled. Cheap to clone.
#[derive(Clone)]
pub struct Condition {
    inner: Arc<Inner>,
}

struct Inner {
    source: Box<str>,
}

/// What a condition is evaluated on.
#[derive(Clone, Copy)]
pub struct Attributes<'a> {
    /// `request.time`.
    pub now: UnixTime,
    /// `request.attributes`: the context.
    pub request: &'a Struct,
    /// `resource.attributes`.
    pub resource: &'a Struct,
    /// `resource.name`; `None`: absent, on a service account and below it (SPEC 7.1).
    pub resource_name: Option<&'a str>,
    /// `resource.type`.
    pub resource_type: &'a str,
    /// The value of a tag by its key, inherited ones included: `resource.matchTag`.
    pub tags: &'a dyn Fn(&str) -> Option<&'a str>,
    /// `source.ip`.
    pub source_ip: Option<IpAddr>,
    /// `principal.subject`, such as `user:ann@acme.example`.
    pub principal_subject: &'a str,
    /// `principal.type`.
    pub principal_type: &'a str,
}

// === impl Condition ===

impl Condition {
    /// Checks and compiles an expression.
    ///
    /// # Errors
    /// When it is not CEL, uses what the site does not offer, or is over a bound.
    pub fn compile(expression: &str, site: Site) -> Result<Self, Fault> {
        let _ = site;
        Err(Fault::NotAllowed(format!(
            "conditions are not evaluated yet: `{expression}`"
        )))
    }

    /// The text it was compiled from.
    #[must_use]
    pub fn source(&self) -> &str {
        &self.inner.source
    }

    /// Does it hold?
    #[must_use]
    pub fn evaluate(&self, attributes: &Attributes<'_>) -> Outcome {
        let _ = attributes;
        Outcome::Error
    }

    /// Does the condition of a provider hold on a credential's assertion and on what the
    /// provider mapped from it?
    #[must_use]
    pub fn evaluate_provider(&self, assertion: &Struct, attribute: &Struct) -> Outcome {
        let _ = (assertion, attribute);
        Outcome::Error
    }
}

impl fmt::Debug for Condition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Condition").field(&self.source()).finish()
    }
}

// === impl Attributes ===

impl fmt::Debug for Attributes<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Attributes")
            .field("now", &self.now)
            .field("resource_name", &self.resource_name)
            .field("resource_type", &self.resource_type)
            .field("principal_subject", &self.principal_subject)
            .finish_non_exhaustive()
    }
}
