use super::*;

fn node(name: &str) -> Parsed<'_> {
    parse(name).unwrap()
}

// SPEC 1.1, 1.3
#[test]
fn the_node_is_the_leading_structural_pairs() {
    let parsed = node("organizations/a/teams/t/projects/p/runs/42");
    assert_eq!(parsed.node, "organizations/a/teams/t/projects/p");
    assert!(parsed.below && !parsed.misplaced && !parsed.default_team);
    let parsed = node("organizations/a/runs/1/projects/p");
    assert_eq!(parsed.node, "organizations/a");
    assert!(parsed.misplaced);
    assert_eq!(node("users/u").node, "");
    assert!(node("users/u").below);
}

// SPEC 1.2
#[test]
fn malformed_names_are_named_by_their_fault() {
    let long_id = format!("organizations/{}", "x".repeat(129));
    let long = format!("organizations/a{}", "/r/x".repeat(300));
    let many = format!("organizations/a{}", "/r/x".repeat(16));
    for (name, fault) in [
        ("", Fault::Empty),
        ("organizations", Fault::Odd),
        ("organizations/a/", Fault::EmptySegment),
        ("/organizations/a", Fault::EmptySegment),
        ("organizations//a", Fault::EmptySegment),
        ("organizations/a/teams", Fault::Odd),
        ("organizations/..", Fault::DotSegment),
        ("organizations/.", Fault::DotSegment),
        ("organizations/a%2fb", Fault::Byte(b'%')),
        ("organizations/a\u{0}", Fault::Byte(0)),
        ("organizations/caf\u{e9}", Fault::Byte(0xc3)),
        ("organizations/a b", Fault::Byte(b' ')),
        ("organizations/-", Fault::DefaultTeam),
        ("organizations/a/projects/-", Fault::DefaultTeam),
        ("organizations/a/teams/t/teams/-", Fault::DefaultTeam),
        ("organizations/a/teams/-/teams/-", Fault::DefaultTeam),
        ("users/a/teams/-", Fault::DefaultTeam),
        ("-/a", Fault::DefaultTeam),
        (long_id.as_str(), Fault::SegmentTooLong),
        (long.as_str(), Fault::TooLong),
        (many.as_str(), Fault::TooManySegments),
    ] {
        assert_eq!(parse(name), Err(fault), "{name}");
    }
}

// SPEC 1.2
#[test]
fn the_largest_names_are_names() {
    assert!(parse(&format!("organizations/{}", "x".repeat(128))).is_ok());
    assert!(parse(&format!("organizations/a{}", "/r/x".repeat(15))).is_ok());
    assert!(parse("organizations/A.b_c~d@e:f+g=h-i").is_ok());
}

// SPEC 1.4
#[test]
fn the_default_team_stands_once_directly_below_the_organization() {
    assert!(node("organizations/a/teams/-").default_team);
    assert!(node("organizations/a/teams/-/projects/p").default_team);
    assert!(!node("organizations/a/teams/t").default_team);
}

#[test]
fn containment_goes_by_whole_segments() {
    assert!(is_at_or_below("organizations/a/teams/t", "organizations/a"));
    assert!(is_at_or_below("organizations/a", "organizations/a"));
    assert!(!is_at_or_below("organizations/ab", "organizations/a"));
    assert_eq!(
        organization("organizations/a/teams/t"),
        Some("organizations/a")
    );
    assert_eq!(organization("users/a"), None);
    assert_eq!(
        split_last("organizations/a/teams/t"),
        Some(("organizations/a", "teams", "t"))
    );
    assert_eq!(
        split_last("organizations/a"),
        Some(("", "organizations", "a"))
    );
}
