use super::Segment::Literal;
use super::*;

// SPEC 13.1
#[test]
fn a_path_template_is_taken_apart_at_its_slashes() {
    assert_eq!(path("/").unwrap(), [Literal("")]);
    assert_eq!(path("/a").unwrap(), [Literal("a")]);
    assert_eq!(path("/a/").unwrap(), [Literal("a"), Literal("")]);
    assert_eq!(
        path("/v1/things:list/{a}/-/{b_2=**}").unwrap(),
        [
            Literal("v1"),
            Literal("things:list"),
            Segment::One("a"),
            Literal("-"),
            Segment::Rest("b_2"),
        ]
    );
    assert_eq!(path(&"/a".repeat(32)).unwrap().len(), 32);
}

// SPEC 13.1, 13.2
#[test]
fn what_is_no_path_template_is_named_by_its_fault() {
    let long = format!("/{}", "a".repeat(1_024));
    let many = "/a".repeat(33);
    let name = "a".repeat(65);
    let named = format!("/{{{name}}}");
    for (text, fault) in [
        ("", Fault::NoSlash),
        ("a/b", Fault::NoSlash),
        (long.as_str(), Fault::TooLong),
        (many.as_str(), Fault::TooManySegments),
        ("//a", Fault::Ambiguous(PathClass::DoubleSlash)),
        ("/a//", Fault::Ambiguous(PathClass::DoubleSlash)),
        ("/a/../b", Fault::Ambiguous(PathClass::DotSegment)),
        ("/a%2fb", Fault::Ambiguous(PathClass::EncodedSlash)),
        ("/%61", Fault::Ambiguous(PathClass::EncodedUnreserved)),
        ("/a#b", Fault::Ambiguous(PathClass::Fragment)),
        ("/a?b", Fault::Query),
        ("/*", Fault::Star),
        ("/a/**", Fault::Star),
        ("/{a}b", Fault::Braces("{a}b")),
        ("/a{b}", Fault::Braces("a{b}")),
        ("/{a", Fault::Braces("{a")),
        ("/}", Fault::Braces("}")),
        ("/{}", Fault::Variable("")),
        ("/{A}", Fault::Variable("A")),
        ("/{1}", Fault::Variable("1")),
        ("/{a=*}", Fault::Variable("a=*")),
        ("/{a.b}", Fault::Variable("a.b")),
        ("/{{a}}", Fault::Variable("{a}")),
        (named.as_str(), Fault::Variable(&name)),
        ("/{a}/{a}", Fault::Twice("a")),
        ("/{a}/{a=**}", Fault::Twice("a")),
        ("/{a=**}/b", Fault::RestInside),
        ("/{a=**}/", Fault::RestInside),
    ] {
        assert_eq!(path(text), Err(fault), "{text}");
    }
}

// SPEC 13.1
#[test]
fn a_grpc_method_is_a_path_of_two_segments() {
    assert_eq!(grpc("a.v1.B/C").unwrap(), [Literal("a.v1.B"), Literal("C")]);
    assert_eq!(grpc("B/C_2").unwrap(), [Literal("B"), Literal("C_2")]);
    let [service, Segment::One(_)] = *grpc("a.B/*").unwrap() else {
        panic!("any method is one variable");
    };
    assert_eq!(service, Literal("a.B"));
    for text in [
        "", "a.B", "/a.B/C", "a.B/", "/C", "a..B/C", ".B/C", "a.B./C", "a.B/C/D", "a.B/C*", "*/C",
        "a.*/C", "*", "1a/B", "a.B/1", "a-b/C", "a.B/{c}", "a.B/C?d",
    ] {
        assert_eq!(grpc(text), Err(Fault::Method), "{text}");
    }
    assert_eq!(grpc(&"a".repeat(1_025)), Err(Fault::TooLong));
}

fn text(text: &str) -> Piece {
    Piece::Text(text.into())
}

// SPEC 13.1, 1.4
#[test]
fn a_resource_template_is_text_and_positions_of_the_path() {
    let path = path("/v1/{org}/x/{team}/{rest=**}").unwrap();
    for (template, pieces) in [
        ("organizations/a", vec![text("organizations/a")]),
        (
            "organizations/a/teams/-/projects/p",
            vec![text("organizations/a/teams/-/projects/p")],
        ),
        (
            "organizations/{org}/teams/{team}/projects/p",
            vec![
                text("organizations/"),
                Piece::One(1),
                text("/teams/"),
                Piece::One(3),
                text("/projects/p"),
            ],
        ),
        (
            "organizations/{org}/teams/-/{rest}",
            vec![
                text("organizations/"),
                Piece::One(1),
                text("/teams/-/"),
                Piece::Rest(4),
            ],
        ),
        (
            "organizations/a/xs/{team}/ys/{team}",
            vec![
                text("organizations/a/xs/"),
                Piece::One(3),
                text("/ys/"),
                Piece::One(3),
            ],
        ),
    ] {
        assert_eq!(resource(template, &path), Ok(pieces), "{template}");
    }
}

// SPEC 13.1, 1.2, 1.3
#[test]
fn what_is_no_resource_template_is_named_by_its_fault() {
    let path = path("/v1/{one}/{rest=**}").unwrap();
    let long = format!("organizations/{}", "a".repeat(1_024));
    for (text, fault) in [
        ("", Fault::Name(name::Fault::Empty)),
        (long.as_str(), Fault::Name(name::Fault::TooLong)),
        ("organizations", Fault::Name(name::Fault::Odd)),
        ("organizations/a/teams", Fault::Name(name::Fault::Odd)),
        ("/organizations/a", Fault::Name(name::Fault::EmptySegment)),
        ("organizations/a/", Fault::Name(name::Fault::EmptySegment)),
        ("organizations/-", Fault::Name(name::Fault::DefaultTeam)),
        (
            "organizations/a/teams/t/teams/-",
            Fault::Name(name::Fault::DefaultTeam),
        ),
        ("organizations/a%20b", Fault::Name(name::Fault::Byte(b'%'))),
        ("users/{one}", Fault::NoOrganization),
        ("{rest}", Fault::NoOrganization),
        ("{one}/a", Fault::Collection("one")),
        ("organizations/a/{one}/b", Fault::Collection("one")),
        ("organizations/{rest}", Fault::RestAsId("rest")),
        ("organizations/a/{rest}/x/y", Fault::RestAsId("rest")),
        ("organizations/a/teams/{rest}", Fault::RestAsId("rest")),
        ("organizations/{two}", Fault::Unbound("two")),
        ("organizations/{}", Fault::Unbound("")),
        ("organizations/{rest=**}", Fault::Unbound("rest=**")),
        ("organizations/a{one}", Fault::Braces("a{one}")),
        ("organizations/{one", Fault::Braces("{one")),
        ("organizations/a/runs/{one}/projects/p", Fault::Misplaced),
    ] {
        assert_eq!(resource(text, &path), Err(fault), "{text}");
    }
}
