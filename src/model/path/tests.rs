use super::*;

fn first(path: &str) -> Option<PathClass> {
    ambiguity(path, AllowedClasses::NONE)
}

fn all() -> AllowedClasses {
    PathClass::ALL.into_iter().collect()
}

// SPEC 13.2, INTERFACES 4.1: every row.
#[test]
fn each_way_to_read_a_path_twice_has_its_class() {
    use PathClass::{
        Backslash, BadEscape, Control, DotSegment, DoubleEncoded, DoubleSlash, EncodedBackslash,
        EncodedDotSegment, EncodedNul, EncodedSlash, EncodedUnreserved, Fragment, NonAscii,
        Semicolon,
    };
    for (path, class) in [
        ("//admin/x", DoubleSlash),
        ("/a//b", DoubleSlash),
        ("/a//", DoubleSlash),
        ("/a/../b", DotSegment),
        ("/..", DotSegment),
        ("/a/.", DotSegment),
        ("/./a", DotSegment),
        ("/a/./b/%2e%2e/c", DotSegment),
        ("/a/..;x/b", DotSegment),
        ("/a%2Fb%2f..", EncodedSlash),
        ("/a%2f", EncodedSlash),
        ("/a\\b", Backslash),
        ("/\\a", Backslash),
        ("/a%5cb", EncodedBackslash),
        ("/a%5Cb", EncodedBackslash),
        ("/p%00q", EncodedNul),
        ("/a/%2e%2e/c", EncodedDotSegment),
        ("/a/%2E./c", EncodedDotSegment),
        ("/a/.%2e", EncodedDotSegment),
        ("/%2e/c", EncodedDotSegment),
        ("/%2e%2e;x", EncodedDotSegment),
        ("/%zz", BadEscape),
        ("/a%", BadEscape),
        ("/a%2", BadEscape),
        ("/a%2/b", BadEscape),
        ("/%u002f", BadEscape),
        ("/%-1", BadEscape),
        ("/%c0%af", BadEscape),
        ("/%C1%9C", BadEscape),
        ("/%e0%80%af", BadEscape),
        ("/%f0%80%80%af", BadEscape),
        ("/p;jsessionid=1/q", Semicolon),
        ("/p;", Semicolon),
        ("/a\u{1}", Control),
        ("/a\tb", Control),
        ("/a b", Control),
        ("/a\u{7f}", Control),
        ("/a%0d%0a", Control),
        ("/a%7F", Control),
        ("/caf\u{e9}", NonAscii),
        ("/a\u{ff0f}b", NonAscii),
        ("/p#frag", Fragment),
        ("/%61dmin", EncodedUnreserved),
        ("/a%2db", EncodedUnreserved),
        ("/a%2eb", EncodedUnreserved),
        ("/a/%2e%2e%2e", EncodedUnreserved),
        ("/a%7Eb", EncodedUnreserved),
        ("/a%252fb", DoubleEncoded),
        ("/%2561", DoubleEncoded),
        ("/%25%32%66", EncodedUnreserved),
    ] {
        assert_eq!(first(path), Some(class), "{path}");
        assert_eq!(ambiguity(path, all()), None, "{path}");
    }
}

// SPEC 13.2
#[test]
fn plain_paths_and_harmless_escapes_are_not_ambiguous() {
    for path in [
        "",
        "/",
        "/a/b",
        "/a/b/",
        "/a.b/..c/d../.e/...",
        "/a%20b",
        "/caf%c3%a9/%E2%82%AC/%e0%a4%85/%f0%9f%98%80",
        "/caf%e9",
        "/100%25",
        "/100%25x",
        "/a%3bb%3Fc%23d",
        "/v1/things:verb/@me/a,b/(c)/$d!'*+=&~_-",
        "/{a}|\"<>^`[]",
        "*",
        "a/b",
    ] {
        assert_eq!(first(path), None, "{path}");
    }
}

// What an operator allows is that class and nothing that hides behind it.
#[test]
fn an_allowed_class_allows_no_other() {
    use PathClass::{
        Backslash, BadEscape, DotSegment, DoubleSlash, EncodedBackslash, EncodedDotSegment,
        EncodedNul, EncodedSlash, EncodedUnreserved, NonAscii, Semicolon,
    };
    for (path, allowed, class) in [
        ("/a%2fb", EncodedSlash, None),
        ("/a%2f..", EncodedSlash, Some(DotSegment)),
        ("/a%2f%2e%2e%2fb", EncodedSlash, Some(EncodedDotSegment)),
        ("/a%2f/b", EncodedSlash, Some(DoubleSlash)),
        ("/a/%2fb", EncodedSlash, Some(DoubleSlash)),
        ("/a\\..\\b", Backslash, Some(DotSegment)),
        ("/a\\/b", Backslash, Some(DoubleSlash)),
        ("/a%5c..", EncodedBackslash, Some(DotSegment)),
        ("/a/..;/b", Semicolon, Some(DotSegment)),
        ("/a/..%00/b", EncodedNul, Some(DotSegment)),
        ("/a;v=1/b", Semicolon, None),
        ("/a//b", DoubleSlash, None),
        ("/a//../b", DoubleSlash, Some(DotSegment)),
        ("/a/../b", DotSegment, None),
        ("/a/%2e%2e/b", DotSegment, Some(EncodedDotSegment)),
        ("/a/%2e%2e/b", EncodedDotSegment, None),
        ("/a/%2e%2e/b", EncodedUnreserved, Some(EncodedDotSegment)),
        ("/a%2eb", EncodedDotSegment, Some(EncodedUnreserved)),
        ("/%zz/..", BadEscape, Some(DotSegment)),
        ("/%zz%2f", BadEscape, Some(EncodedSlash)),
        ("/\u{e9}/..", NonAscii, Some(DotSegment)),
    ] {
        let allowed = AllowedClasses::NONE.with(allowed);
        assert_eq!(ambiguity(path, allowed), class, "{path}");
    }
}

// SPEC 13.2
#[test]
fn a_target_is_split_once_at_its_first_question_mark() {
    for (raw, path, query) in [
        ("/a", "/a", None),
        ("/a?", "/a", Some("")),
        ("/a?b?c", "/a", Some("b?c")),
        ("/a%3fb?c=/../", "/a%3fb", Some("c=/../")),
        ("?a", "", Some("a")),
        ("", "", None),
    ] {
        assert_eq!(split(raw), (path, query), "{raw}");
    }
}

#[test]
fn each_class_has_a_word_and_a_bit_of_its_own() {
    for class in PathClass::ALL {
        assert_eq!(PathClass::parse(class.word()), Some(class));
        let only = AllowedClasses::NONE.with(class);
        for other in PathClass::ALL {
            assert_eq!(only.contains(other), other == class, "{class:?} {other:?}");
        }
    }
    assert_eq!(PathClass::parse("Double-Slash"), None);
    assert_eq!(PathClass::parse(""), None);
    assert_eq!(AllowedClasses::default(), AllowedClasses::NONE);
}

/// Every escape decoded once.
fn decoded(path: &str) -> Vec<u8> {
    let (mut rest, mut out) = (path.as_bytes(), Vec::new());
    while let Some((byte, after)) = rest.split_first() {
        let (byte, after) = escape(rest).unwrap_or((*byte, after));
        out.push(byte);
        rest = after;
    }
    out
}

/// The number `n` in base `base`, as parts of a path.
fn nth(parts: &[&str], mut n: usize, len: usize) -> String {
    let mut text = String::new();
    for _ in 0..len {
        text.push_str(parts[n % parts.len()]);
        n /= parts.len();
    }
    text
}

// Every path of six parts: one that is not ambiguous has the same segments for those who decode
// it, none of which is a dot segment, and no path is ambiguous in what is allowed.
#[test]
fn what_is_not_ambiguous_reads_the_same_decoded() {
    let parts = ["/", ".", "%2e", "%2f", "\\", ";", "a", "%25", "2e", "%20"];
    for n in 0..10_usize.pow(5) {
        let path = ["/", &nth(&parts, n, 5)].concat();
        let Some(class) = first(&path) else {
            let decoded = decoded(&path);
            let count = path.split('/').count();
            assert_eq!(decoded.split(|b| *b == b'/').count(), count, "{path}");
            for segment in decoded.split(|b| matches!(b, b'/' | b'\\')) {
                assert!(!matches!(segment, b"." | b".."), "{path}");
            }
            continue;
        };
        let next = ambiguity(&path, AllowedClasses::NONE.with(class));
        assert_ne!(next, Some(class), "{path}");
        assert_eq!(ambiguity(&path, all()), None, "{path}");
    }
}
