//! The parts of an explanation.

use crate::condition::Outcome;
use crate::graph::edit::Setting;
use crate::model::node::Visibility;
use crate::model::outcome::{Decision, Effect, KeyCode, Reason};
use crate::model::permission::Product;
use crate::model::principal::SeatLevel;

/// The part of the engine that a decision comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "the words of the API")]
pub enum Step {
    Freshness,
    Credential,
    Principal,
    Resource,
    Permission,
    Service,
    Boundary,
    DenyPolicy,
    Gate,
    Delegation,
    Grant,
}

/// A decision and what it comes from.
#[derive(Debug)]
pub struct Explanation<'a> {
    /// What `authorize` answers.
    pub decision: Decision<'a>,
    /// The step that decided.
    pub step: Step,
    /// Who asks.
    pub principal: Principal,
    /// What a key proved.
    pub credential: Option<Credential>,
    /// Access boundaries of the principal.
    pub boundaries: Boundaries,
    /// Deny policies, from the resource upwards.
    pub denies: Vec<Policy<DenyRule>>,
    /// What the permission needs checked.
    pub gate: Option<Checks>,
    /// The delegation chain.
    pub hops: Vec<Hop>,
    /// Allow policies, from the resource upwards.
    pub policies: Vec<Policy<Binding>>,
    /// What the account's scope grants.
    pub scope: Option<Scope>,
    /// What the project's visibility grants.
    pub visibility: Option<Shown>,
    /// The user's seat.
    pub seat: Option<Seat>,
    /// What would turn the decision around, each tried, the smallest first.
    pub remedies: Vec<Vec<Change>>,
}

/// Who asks.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(missing_docs, reason = "the fields are those of the API")]
pub struct Principal {
    pub member: String,
    pub known: bool,
    pub disabled: bool,
    pub is_creator: bool,
}

/// What a key proved.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(missing_docs, reason = "the fields are those of the API")]
pub struct Credential {
    pub key: String,
    pub code: KeyCode,
}

/// The policies of one resource; what is left out is counted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Policy<T> {
    /// The resource.
    pub resource: String,
    /// Its lines, in the order they were written.
    pub lines: Vec<T>,
    /// How many more there are.
    pub left_out: usize,
}

/// Whether a list of members covers the principal.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Membership {
    /// The members that do.
    pub matches: Vec<Match>,
    /// How many more do.
    pub left_out: usize,
    /// Members of the list, as far as they are here.
    pub count: usize,
}

/// One member that covers the principal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Match {
    /// How.
    pub kind: MatchKind,
    /// The member.
    pub member: String,
    /// Groups from the one that lists the principal to this one.
    pub through: Vec<String>,
}

/// How a member covers the principal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "the words of the API")]
pub enum MatchKind {
    Direct,
    Group,
    Domain,
    Set,
    AllAuthenticated,
    All,
}

/// Whether a role has the permission.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "the words of the API")]
pub enum Included {
    Yes,
    ForOwn,
    No,
}

/// A condition and what it comes to.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(missing_docs, reason = "the fields are those of the API")]
pub struct Evaluated {
    pub expression: String,
    pub value: Outcome,
}

/// What a binding does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "the words of the API")]
pub enum BindingEffect {
    Grants,
    StoppedBySeat,
    StoppedByRestrictedProject,
    ConditionNotMet,
    Replaced,
    Inert,
    NotForPrincipal,
    RoleLacksPermission,
    NotAMember,
}

/// One binding of an allow policy.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(missing_docs, reason = "the fields are those of the API")]
pub struct Binding {
    pub index: usize,
    pub role: String,
    pub included: Included,
    pub membership: Membership,
    pub condition: Option<Evaluated>,
    pub reaches: bool,
    pub effect: BindingEffect,
}

/// One rule of a deny policy.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(missing_docs, reason = "the fields are those of the API")]
pub struct DenyRule {
    pub policy: String,
    pub rule: u32,
    pub permission_matched: bool,
    pub denied: Membership,
    pub exceptions: Membership,
    pub condition: Option<Evaluated>,
    pub denies: bool,
}

/// The boundaries of the principal.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[expect(missing_docs, reason = "the fields are those of the API")]
pub struct Boundaries {
    pub outside: bool,
    pub bindings: Vec<BoundaryBinding>,
    pub left_out: usize,
}

/// One binding of a boundary.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(missing_docs, reason = "the fields are those of the API")]
pub struct BoundaryBinding {
    pub binding: String,
    /// `None`: it is missing.
    pub boundary: Option<String>,
    pub matched: Match,
    pub bounded: bool,
    pub condition: Option<Evaluated>,
    pub relevant: bool,
    pub inside: bool,
    pub resources: Vec<String>,
    pub resources_left_out: usize,
}

/// What the permission needs checked before any grant counts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checks {
    /// What was read.
    pub list: Vec<Checked>,
    /// Why it stopped the request.
    pub reason: Option<Reason>,
}

/// One thing that was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checked {
    /// Its name.
    pub name: String,
    /// Its effective value.
    pub value: String,
    /// Where it comes from; empty: the default.
    pub sources: Vec<String>,
}

/// One hop of a delegation chain.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(missing_docs, reason = "the fields are those of the API")]
pub struct Hop {
    pub principal: String,
    pub permission: String,
    pub resource: String,
    pub reason: Reason,
    pub policies: Vec<Policy<Binding>>,
}

/// What a service account's scope grants.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(missing_docs, reason = "the fields are those of the API")]
pub struct Scope {
    pub resource: String,
    pub reaches: bool,
    pub included: Included,
    pub effect: BindingEffect,
}

/// What a project's visibility grants.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(missing_docs, reason = "the fields are those of the API")]
pub struct Shown {
    pub project: String,
    pub visibility: Visibility,
    pub grants: bool,
}

/// A user's seat.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(missing_docs, reason = "the fields are those of the API")]
pub struct Seat {
    pub organization: String,
    pub product: Product,
    pub level: SeatLevel,
    pub suffices: bool,
}

/// One change, by names.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(missing_docs, reason = "the fields are names of the snapshot")]
pub enum Change {
    GrantRole {
        node: String,
        role: String,
        member: String,
    },
    RevokeRole {
        node: String,
        binding: usize,
        role: String,
        member: String,
    },
    AddToGroup {
        group: String,
        member: String,
    },
    RemoveFromGroup {
        group: String,
        member: String,
    },
    ExceptFromDeny {
        policy: String,
        rule: u32,
        member: String,
    },
    AddToBoundary {
        boundary: String,
        resource: String,
    },
    /// `member`: for it alone.
    LiftConstraint {
        node: String,
        constraint: &'static str,
        member: String,
    },
    TurnSettingOff {
        node: String,
        setting: Setting,
    },
    RaiseQuota {
        project: String,
        quota: u32,
    },
    EnablePrincipal {
        member: String,
    },
    EnableService {
        project: String,
        service: String,
    },
    GiveSeat {
        organization: String,
        product: Product,
        member: String,
    },
    SetVisibility {
        project: String,
        visibility: Visibility,
    },
}

impl Explanation<'_> {
    /// Whether it was allowed.
    #[must_use]
    pub fn is_allow(&self) -> bool {
        self.decision.effect == Effect::Allow
    }
}

impl Binding {
    /// It concerns this principal and this permission.
    #[must_use]
    pub fn matters(&self) -> bool {
        self.membership.matched() && self.included != Included::No
    }
}

impl DenyRule {
    /// It concerns this principal and this permission.
    #[must_use]
    pub fn matters(&self) -> bool {
        self.permission_matched && self.denied.matched()
    }
}

impl Membership {
    /// Whether the principal is covered.
    #[must_use]
    pub fn matched(&self) -> bool {
        !self.matches.is_empty()
    }
}
