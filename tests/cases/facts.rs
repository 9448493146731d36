//! The worked examples of FACTS, by name; the cases are in `facts.json`. The decision matrix
//! A2.4 is in `tables.rs`.

use crate::file;

/// The case of `facts.json` that begins with those words must answer as written.
fn holds(words: &str) {
    let cases = file::all();
    let found: Vec<_> = cases
        .iter()
        .filter(|case| case.name.starts_with(words))
        .collect();
    let [case] = found.as_slice() else {
        panic!("{} cases are named {words}", found.len());
    };
    let failures = case.failures();
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

// SPEC 10.1, 6.5; FACTS B5.5
#[test]
fn a_goes_by_b_to_the_token_of_c() {
    holds("FACTS B5.5");
}

// SPEC 3.2; FACTS B1.3a
#[test]
fn an_owner_cannot_mint_a_token_but_may_grant_it() {
    holds("FACTS B1.3a");
}

// SPEC 4.2; FACTS A2.1b, B1.2b
#[test]
fn an_inherited_viewer_does_not_see_a_restricted_project() {
    holds("FACTS A2.1b");
}

// SPEC 6.4; FACTS B1.5b
#[test]
fn a_deny_above_is_not_undone_below() {
    holds("FACTS B1.5b");
}

// SPEC 2.5, 1.5; FACTS B2.11
#[test]
fn an_account_made_again_with_the_same_address_inherits_nothing() {
    holds("FACTS B2.11: an account");
    holds("FACTS B2.11: a bare");
}
