//! Effective values on a path of four nodes: organization 0, team 1, team 2, project 3.

use super::*;

fn above(node: u32) -> u32 {
    node.checked_sub(1).unwrap_or(NONE)
}

fn list(values: &[&str]) -> AnyOr<String> {
    AnyOr::List(values.iter().map(|value| (*value).to_owned()).collect())
}

fn values(allow: &[&str], deny: &[&str], inherits: bool) -> Rule {
    Rule::List {
        allow: Some(list(allow)),
        deny: list(deny),
        inherits,
    }
}

fn policies(constraint: Constraint, rules: &[(u32, Rule)]) -> Policies {
    let policy = |(node, rule): &(u32, Rule)| Policy {
        node: *node,
        constraint,
        rule: rule.clone(),
    };
    Policies::new(rules.iter().map(policy).collect())
}

const SWITCH: Constraint = Constraint::DisableServiceAccountCreation;
const ISSUERS: Constraint = Constraint::WorkloadIdentityPoolProviders;
const EXTENSION: Constraint = Constraint::AllowServiceAccountCredentialLifetimeExtension;

// SPEC 8: without a policy the default holds, and it comes from nowhere.
#[test]
fn without_policies_every_constraint_has_its_default() {
    let none = Policies::default();
    for constraint in Constraint::ALL {
        let effective = Effective::new(&none, above, 3, constraint);
        assert!(effective.on_default());
        assert_eq!(effective.nodes().next(), None);
        let restricts = match constraint.form() {
            Form::Boolean { enforced } => {
                assert_eq!(effective.enforced(), enforced);
                enforced
            }
            Form::List { allowed, .. } => {
                assert!(effective.enforced() && !effective.accepts("x") || allowed == Allowed::Any);
                allowed != Allowed::Any
            }
        };
        assert_eq!(effective.restricts(), restricts, "{constraint:?}");
    }
}

// FACTS B4.0a: the nearest wins, whatever it says.
#[test]
fn the_nearest_switch_wins_and_reset_restores_the_default() {
    let set = policies(
        SWITCH,
        &[
            (0, Rule::Boolean(true)),
            (1, Rule::Boolean(false)),
            (3, Rule::Reset),
        ],
    );
    for (node, enforced, on_default, by) in [
        (0, true, false, 0),
        (1, false, false, 1),
        (2, false, false, 1),
        (3, false, true, 3),
    ] {
        let effective = Effective::new(&set, above, node, SWITCH);
        assert_eq!(effective.enforced(), enforced);
        assert_eq!(effective.on_default(), on_default);
        assert_eq!(effective.nodes().collect::<Vec<_>>(), [by]);
    }
    let other = Constraint::DisableServiceAccountKeyCreation;
    assert_eq!(Effective::new(&set, above, 2, other).nodes().next(), None);
}

// FACTS B4.0c: a list replaces, or adds to what is above; what is denied stays denied.
#[test]
fn lists_replace_or_merge_and_denied_values_win() {
    let set = policies(
        ISSUERS,
        &[
            (0, values(&["a", "b"], &[], false)),
            (1, values(&["c"], &["b"], true)),
            (2, values(&["d", "b"], &[], true)),
            (3, values(&["e"], &[], false)),
        ],
    );
    for (node, accepted, nodes) in [
        (0, "ab", &[0][..]),
        (1, "ac", &[1, 0]),
        (2, "acd", &[2, 1, 0]),
        (3, "e", &[3]),
    ] {
        let effective = Effective::new(&set, above, node, ISSUERS);
        let is = |one: &&str| effective.accepts(one);
        let found: String = ["a", "b", "c", "d", "e"].into_iter().filter(is).collect();
        assert_eq!(found, accepted);
        assert_eq!(effective.nodes().collect::<Vec<_>>(), nodes);
        assert!(effective.restricts() && !effective.on_default());
    }
    let merged = Effective::new(&set, above, 2, ISSUERS).value();
    let allow = list(&["a", "b", "c", "d"]);
    let deny = list(&["b"]);
    assert_eq!(merged, Value::List { allow, deny });
}

fn denied(values: &[&str], inherits: bool) -> Rule {
    Rule::List {
        allow: None,
        deny: list(values),
        inherits,
    }
}

// FACTS B4.0c: "in allowed, when an allow list exists". A default that allows everything is
// no list; one that names values is.
#[test]
fn a_list_takes_the_place_of_a_default_that_allows_everything() {
    let only = policies(ISSUERS, &[(1, values(&["a"], &[], true))]);
    let effective = Effective::new(&only, above, 3, ISSUERS);
    assert!(effective.accepts("a") && !effective.accepts("x") && !effective.on_default());
    let but = policies(ISSUERS, &[(0, Rule::Reset), (1, denied(&["a"], true))]);
    let effective = Effective::new(&but, above, 3, ISSUERS);
    assert!(effective.accepts("x") && !effective.accepts("a") && effective.restricts());
    assert!(effective.on_default());
    assert_eq!(effective.nodes().collect::<Vec<_>>(), [1, 0]);
    let both = policies(
        ISSUERS,
        &[
            (0, denied(&["a"], false)),
            (1, values(&["a", "b"], &[], true)),
        ],
    );
    let effective = Effective::new(&both, above, 3, ISSUERS);
    assert!(effective.accepts("b") && !effective.accepts("a") && !effective.accepts("x"));
    let extension = policies(
        EXTENSION,
        &[(1, values(&["a"], &[], true)), (2, denied(&["b"], false))],
    );
    let accepts = |node, value| Effective::new(&extension, above, node, EXTENSION).accepts(value);
    assert!(accepts(1, "a") && !accepts(1, "x") && !accepts(2, "a") && !accepts(2, "x"));
    let response = Constraint::ServiceAccountKeyExposureResponse;
    let both = policies(response, &[(1, values(&["WAIT_FOR_ABUSE"], &[], true))]);
    let effective = Effective::new(&both, above, 3, response);
    assert!(effective.accepts("DISABLE_KEY") && effective.accepts("WAIT_FOR_ABUSE"));
}

#[test]
fn any_and_none_are_said_of_both_lists() {
    let all = |allow, deny| {
        let rule = Rule::List {
            allow: Some(allow),
            deny,
            inherits: false,
        };
        policies(ISSUERS, &[(0, rule)])
    };
    for (allow, deny, accepts, restricts) in [
        (AnyOr::Any, list(&[]), true, false),
        (AnyOr::Any, list(&["a"]), false, true),
        (list(&["a"]), AnyOr::Any, false, true),
        (AnyOr::Any, AnyOr::Any, false, true),
        (list(&[]), list(&[]), false, true),
    ] {
        let set = all(allow, deny);
        let effective = Effective::new(&set, above, 0, ISSUERS);
        assert_eq!(
            (effective.accepts("a"), effective.restricts()),
            (accepts, restricts)
        );
    }
}

#[test]
fn expiry_is_the_hours_of_the_value() {
    let hours = Constraint::ServiceAccountKeyExpiryHours;
    let set = policies(
        hours,
        &[(0, values(&["24h"], &[], false)), (2, Rule::Reset)],
    );
    let seconds = |node| Effective::new(&set, above, node, hours).expiry_seconds();
    assert_eq!((seconds(1), seconds(3)), (Some(86_400), None));
}
