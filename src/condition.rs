//! Layer 1: conditions. CEL expressions that bindings, deny rules, boundaries and providers
//! carry (SPEC 7), compiled when a snapshot is loaded and evaluated with the decision.
//!
//! What may be used where is checked at load, and so is what an evaluation may cost; at run
//! time there is neither a surprise nor a clock. `docs/CEL.md` is the page for operators.

mod calls;
mod cost;
mod evaluate;
mod functions;
mod lower;
mod macros;
mod meter;
mod names;
mod number;
mod pattern;
mod program;
mod syntax;
mod time;
mod value;

#[cfg(test)]
mod tests;

use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;

use crate::condition::evaluate::{Machine, Source};
use crate::condition::lower::Lowering;
use crate::condition::program::{Attribute, Node};
use crate::condition::time::time_of_seconds;
use crate::condition::value::{Map, Val};
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

/// Why an evaluation ended without a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Failure {
    /// An attribute, key or element that is not there.
    Missing,
    /// Values of kinds that do not go together.
    NoOverload,
    /// A number, time or duration beyond what its kind holds.
    OutOfRange,
    DivisionByZero,
    /// Text that is not what it is converted to.
    Malformed,
    RepeatedKey,
    /// The request holds more than a condition may look at.
    TooLarge,
    /// More than was foreseen; see `meter`.
    Spent,
}

/// A condition that was checked and compiled. Cheap to clone.
#[derive(Clone)]
pub struct Condition {
    inner: Arc<Inner>,
}

struct Inner {
    source: Box<str>,
    program: Node,
    /// The worst case of its cost, in the unit of `meter`.
    bound: u64,
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
        let tree = syntax::parse(expression)?;
        let program = Lowering::new(site).node(&tree)?;
        let bound = cost::bound(&program)?;
        Ok(Self {
            inner: Arc::new(Inner {
                source: expression.into(),
                program,
                bound,
            }),
        })
    }

    /// The text it was compiled from.
    #[must_use]
    pub fn source(&self) -> &str {
        &self.inner.source
    }

    /// Does it hold?
    #[must_use]
    pub fn evaluate(&self, attributes: &Attributes<'_>) -> Outcome {
        self.run(attributes)
    }

    /// Does the condition of a provider hold on a credential's assertion and on what the
    /// provider mapped from it?
    #[must_use]
    pub fn evaluate_provider(&self, assertion: &Struct, attribute: &Struct) -> Outcome {
        self.run(&Claims {
            assertion,
            mapped: attribute,
        })
    }

    /// The worst case of one evaluation, in steps of some 10 ns.
    #[must_use]
    pub fn foreseen_steps(&self) -> u64 {
        self.inner.bound.div_ceil(meter::STEP)
    }

    fn run<'e>(&'e self, source: &dyn Source<'e>) -> Outcome {
        let mut machine = Machine::new(source, self.inner.bound);
        match machine.truth(&self.inner.program) {
            Ok(true) => Outcome::True,
            Ok(false) => Outcome::False,
            Err(failure) => {
                debug_assert_ne!(failure, Failure::Spent, "the cost was foreseen too low");
                Outcome::Error
            }
        }
    }
}

impl fmt::Debug for Condition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Condition").field(&self.source()).finish()
    }
}

// === impl Fault ===

impl Fault {
    fn over(what: &'static str, found: usize, allowed: usize) -> Self {
        let number = |count: usize| u64::try_from(count).unwrap_or(u64::MAX);
        Self::OverBound {
            what,
            found: number(found),
            allowed: number(allowed),
        }
    }
}

// === impl Attributes ===

impl<'e, 'a: 'e> Source<'e> for Attributes<'a> {
    fn attribute(&self, attribute: Attribute) -> Option<Val<'e>> {
        Some(match attribute {
            Attribute::RequestTime => Val::Time(time_of_seconds(self.now.0)?),
            Attribute::RequestAttributes => Val::Map(Map::Given(self.request)),
            Attribute::ResourceName => Val::text(self.resource_name?),
            Attribute::ResourceType => Val::text(self.resource_type),
            Attribute::ResourceAttributes => Val::Map(Map::Given(self.resource)),
            Attribute::PrincipalSubject => Val::text(self.principal_subject),
            Attribute::PrincipalType => Val::text(self.principal_type),
            Attribute::SourceIp | Attribute::Assertion | Attribute::Mapped => return None,
        })
    }

    fn tag(&self, key: &str) -> Option<&'e str> {
        (self.tags)(key)
    }

    fn source_ip(&self) -> Option<IpAddr> {
        self.source_ip
    }
}

/// What the condition of a provider is evaluated on.
struct Claims<'a> {
    assertion: &'a Struct,
    mapped: &'a Struct,
}

impl<'e, 'a: 'e> Source<'e> for Claims<'a> {
    fn attribute(&self, attribute: Attribute) -> Option<Val<'e>> {
        match attribute {
            Attribute::Assertion => Some(Val::Map(Map::Given(self.assertion))),
            Attribute::Mapped => Some(Val::Map(Map::Given(self.mapped))),
            _ => None,
        }
    }

    fn tag(&self, _: &str) -> Option<&'e str> {
        None
    }

    fn source_ip(&self) -> Option<IpAddr> {
        None
    }
}

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
