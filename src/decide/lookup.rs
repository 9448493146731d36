//! Look-ups (SPEC 11.4): the decision of every candidate, in an order that is fixed for one
//! snapshot, and so much of it at a time as the caller wants.
//!
//! A candidate is found if and only if `Authorize` would allow it. What is passed over without
//! a decision has no grant that could count; `tests/lookup.rs` compares with every decision.

mod permissions;
mod principals;
mod resources;

use crate::decide::shape::Shape;
use crate::decide::subject::{self, Who};
use crate::decide::{Asked, Effect, Target, decide, effect, find, grants, target};
use crate::graph::snapshot::{Located, Snapshot};
use crate::model::lookup::{Item, Lookup as Question, Verdict};
use crate::model::name;
use crate::model::outcome::{Reason, Violation};
use crate::model::permission::PermissionIx;
use crate::model::query::{Query, UnixTime};

use permissions::Permissions;
use principals::Principals;
use resources::Resources;

/// Steps of a candidate that is passed over.
const PASS: u64 = 1;
/// Steps of a decision.
const DECISION: u64 = 16;

/// A look-up on one snapshot.
pub struct Lookup<'a> {
    scan: Scan<'a>,
    denied: Option<Reason>,
}

enum Scan<'a> {
    /// Every answer is a deny.
    Nothing,
    Resources(Resources<'a>),
    Permissions(Permissions<'a>),
    Principals(Box<Principals<'a>>),
}

/// What was found so far, and where to go on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page {
    /// The next candidate.
    pub at: u64,
    /// What was found.
    pub items: Vec<Item>,
    /// How many more it may hold.
    pub room: usize,
    /// Steps done.
    pub steps: u64,
}

/// Why a run ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ended {
    /// There is no further candidate.
    Complete,
    /// The page is full, or the steps are done.
    Paused,
}

/// What became of one candidate.
struct Examined {
    item: Option<Item>,
    /// The candidate after it.
    next: u64,
    steps: u64,
}

impl std::fmt::Debug for Lookup<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Lookup").finish_non_exhaustive()
    }
}

impl<'a> Lookup<'a> {
    /// Begins a look-up.
    ///
    /// # Errors
    /// A field violation, as `Authorize` would answer.
    pub fn new(
        snapshot: &'a Snapshot,
        question: &Question<'a>,
        now: UnixTime,
    ) -> Result<Self, Violation> {
        let context = Context { snapshot, now };
        let begun = match *question {
            Question::Resources {
                query,
                parent,
                kinds,
            } => resources::begin(context, query, parent, kinds),
            Question::Permissions { query } => permissions::begin(context, query),
            Question::Principals {
                query,
                agents,
                impersonation,
            } => principals::begin(context, query, agents, impersonation),
        };
        let begun = begun.map_err(|violation| *violation)?;
        Ok(match begun {
            Ok(scan) => Self { scan, denied: None },
            Err(reason) => Self {
                scan: Scan::Nothing,
                denied: Some(reason),
            },
        })
    }

    /// Why nothing is found, when that depends on no candidate.
    #[must_use]
    pub const fn denied(&self) -> Option<Reason> {
        self.denied
    }

    /// Examines candidates until the page is full, `steps` more steps are done, or there is no
    /// further one.
    pub fn run(&mut self, page: &mut Page, steps: u64) -> Ended {
        let until = page.steps.saturating_add(steps);
        loop {
            if page.at >= self.end() {
                return Ended::Complete;
            }
            if page.room == 0 || page.steps >= until {
                return Ended::Paused;
            }
            let Examined { item, next, steps } = match &mut self.scan {
                Scan::Nothing => return Ended::Complete,
                Scan::Resources(scan) => scan.examine(page.at),
                Scan::Permissions(scan) => scan.examine(page.at),
                Scan::Principals(scan) => scan.examine(page.at),
            };
            page.at = next;
            page.steps = page.steps.saturating_add(steps);
            if let Some(item) = item {
                page.items.push(item);
                page.room = page.room.saturating_sub(1);
            }
        }
    }

    /// One after the last candidate.
    fn end(&self) -> u64 {
        match &self.scan {
            Scan::Nothing => 0,
            Scan::Resources(scan) => scan.end(),
            Scan::Permissions(scan) => scan.end(),
            Scan::Principals(scan) => scan.end(),
        }
    }
}

/// What all candidates are decided on.
#[derive(Clone, Copy)]
struct Context<'a> {
    snapshot: &'a Snapshot,
    now: UnixTime,
}

/// One candidate: who does what on what.
struct Candidate<'c, 'a> {
    query: &'c Query<'a>,
    who: &'c Who<'a>,
    name: &'c str,
    permission: PermissionIx,
    target: &'c Target<'a>,
}

impl Context<'_> {
    /// What `Authorize` answers, if that is an allow or may become one with a context.
    fn judge(self, candidate: &Candidate<'_, '_>) -> Option<Verdict> {
        let Candidate {
            query,
            who,
            name,
            permission,
            target,
        } = *candidate;
        if who.failed.is_some() {
            return None;
        }
        let asked = Asked {
            query,
            who,
            name,
            permission: Some(permission),
            attributes: query.resource_attributes,
            now: self.now,
        };
        let violation = match decide(self.snapshot, &asked, Some(target)) {
            Ok(reason) => {
                let allowed = effect(reason) == Effect::Allow;
                return allowed.then_some(Verdict::Allowed(reason));
            }
            Err(violation) => violation,
        };
        // Asked on another kind of resource than it is about: no context helps.
        if !violation.field.starts_with("context.") {
            return None;
        }
        let row = self.snapshot.permissions().get(permission)?;
        let reason = grants::reason(self.snapshot, &asked, (permission, row), target);
        (effect(reason) == Effect::Allow).then_some(Verdict::Undecided(*violation))
    }
}

/// The node of a row that answers to its own name: of several deleted accounts of one name
/// only one does.
fn node(snapshot: &Snapshot, node: u32) -> Option<Target<'_>> {
    let row = snapshot.node(node)?;
    let located = snapshot.find_name(row.name.as_str())?;
    let same = located.node == node && !located.is_key;
    same.then(|| {
        let located = Located {
            is_key: false,
            ..located
        };
        target(snapshot, located, true)
    })?
}

/// The resource of a look-up, with the default team filled in, and its node.
fn resource<'a>(
    snapshot: &'a Snapshot,
    query: &Query<'a>,
    shape: &Shape<'_>,
    who: &Who<'_>,
) -> Result<(String, Option<Target<'a>>), crate::decide::Refusal> {
    let resolved = if shape.default_team {
        subject::default_team(snapshot, query.resource, query.entity, who.principal())?
    } else {
        query.resource.to_owned()
    };
    let target = find(snapshot, &resolved, shape.misplaced);
    Ok((resolved, target))
}

/// Whether `ancestor`, at its level, is the node or above it.
fn is_below(snapshot: &Snapshot, node: u32, ancestor: u32, level: u8) -> bool {
    let row = snapshot.node(node);
    row.is_some_and(|row| snapshot.ancestor(node, row, level) == Some(ancestor))
}

/// A name's form, where `Authorize` has none to compare with.
fn check_parent(parent: &str) -> Result<(), crate::decide::Refusal> {
    match name::parse(parent) {
        Ok(parsed) if !parsed.default_team => Ok(()),
        Ok(_) => crate::decide::refuse(
            "parent",
            "the default team `-` is nobody's here; expected a whole name".to_owned(),
        ),
        Err(fault) => crate::decide::refuse("parent", fault.to_string()),
    }
}
