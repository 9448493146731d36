//! Effective values of organization-policy constraints (SPEC 8, FACTS B4.0).

use crate::reference::names;
use crate::reference::world::{Account, AnyOr, OrgPolicy, World};

fn at<'a>(world: &'a World, constraint: &str, node: &str) -> Option<&'a OrgPolicy> {
    world
        .org_policies
        .iter()
        .find(|p| p.attachment == node && p.constraint == constraint)
}

/// The nearest policy wins; `reset` restores the default.
pub(crate) fn enforced(world: &World, constraint: &str, node: &str) -> bool {
    let default = constraint == "iam.disableCrossProjectServiceAccountUsage";
    names::upwards(node)
        .iter()
        .find_map(|n| at(world, constraint, n))
        .map_or(default, |p| if p.reset { default } else { p.enforced })
}

/// What a list constraint comes to at a node.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Values {
    /// Everything that is not denied.
    pub(crate) any: bool,
    pub(crate) allowed: Vec<String>,
    pub(crate) none: bool,
    pub(crate) denied: Vec<String>,
}

impl Values {
    pub(crate) fn accept(&self, value: &str) -> bool {
        let on = |list: &[String]| list.iter().any(|v| v == value);
        !self.none && !on(&self.denied) && (self.any || on(&self.allowed))
    }

    /// Whether some value is not accepted.
    pub(crate) fn restrict(&self) -> bool {
        self.none || !self.denied.is_empty() || !self.any
    }
}

/// The values in force at a node: the nearest policy's, with those above where it inherits.
pub(crate) fn values(world: &World, constraint: &str, node: &str) -> Values {
    let mut values = Values {
        any: false,
        allowed: Vec::new(),
        none: false,
        denied: Vec::new(),
    };
    let (mut listed, mut above) = (false, true);
    for node in names::upwards(node) {
        let Some(policy) = at(world, constraint, &node) else {
            continue;
        };
        if policy.reset {
            break;
        }
        listed |= policy.allow.is_some();
        match &policy.allow {
            Some(AnyOr::Any) => values.any = true,
            Some(AnyOr::List(list)) => values.allowed.extend(list.iter().cloned()),
            None => {}
        }
        match &policy.deny {
            Some(AnyOr::Any) => values.none = true,
            Some(AnyOr::List(list)) => values.denied.extend(list.iter().cloned()),
            None => {}
        }
        if !policy.inherit {
            above = false;
            break;
        }
    }
    // SEMANTICS 8: without any list of allowed values the default says what is allowed; beside
    // one it adds the values that it names.
    if !listed || (above && constraint == "iam.serviceAccountKeyExposureResponse") {
        add_default(constraint, &mut values);
    }
    values
}

fn add_default(constraint: &str, values: &mut Values) {
    match constraint {
        "iam.serviceAccountKeyExposureResponse" => values.allowed.push("DISABLE_KEY".to_owned()),
        "iam.allowServiceAccountCredentialLifetimeExtension" => {}
        _ => values.any = true,
    }
}

/// `allowServiceAccountCredentialLifetimeExtension`: whether an account's tokens may live
/// longer than an hour.
pub(crate) fn may_live_longer(world: &World, account: &Account) -> bool {
    let name = "iam.allowServiceAccountCredentialLifetimeExtension";
    let mut values = values(world, name, &account.name);
    for list in [&mut values.allowed, &mut values.denied] {
        list.iter_mut()
            .for_each(|email| email.make_ascii_lowercase());
    }
    values.accept(&account.email)
}

/// `serviceAccountKeyExpiryHours`: the longest lifetime of a new key in seconds, if limited.
pub(crate) fn longest_lifetime(world: &World, node: &str) -> Option<f64> {
    let values = values(world, "iam.serviceAccountKeyExpiryHours", node);
    let hours = values.allowed.first().filter(|_| !values.any)?;
    let hours: f64 = hours.strip_suffix('h').unwrap().parse().unwrap();
    Some(hours * 3_600.0)
}

/// `serviceAccountKeyExposureResponse`: whether an exposed key of an account goes on.
pub(crate) fn waits_for_abuse(world: &World, account: &str) -> bool {
    let values = values(world, "iam.serviceAccountKeyExposureResponse", account);
    // SEMANTICS 8: where both words are allowed, it is disabled.
    values.accept("WAIT_FOR_ABUSE") && !values.accept("DISABLE_KEY")
}
