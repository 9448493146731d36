//! Headers of a request as they are read, and the identity headers that an upstream trusts
//! (SPEC 13.3).

use std::borrow::Cow;

use crate::limits::{HOST_BYTES_MAX, REQUEST_ID_BYTES_MAX};
use crate::wire::envoy::request::{Header, Http};

/// What the names of all our headers begin with. A client's own never reach an upstream.
pub const OURS: &str = "x-postern-";
/// The header that proxies name a request by.
const REQUEST_ID: &str = "x-request-id";
/// The identity headers, in the order of `Identity`.
pub const NAMES: [&str; 6] = [
    "x-postern-principal",
    "x-postern-organization",
    "x-postern-team",
    "x-postern-attributed-user",
    "x-postern-revision",
    "x-postern-request-id",
];

/// The values of the identity headers; an empty one is none.
#[derive(Debug, Clone, Copy, Default)]
pub struct Identity<'a> {
    /// The principal in member syntax.
    pub principal: &'a str,
    /// Its organization, if it belongs to one.
    pub organization: &'a str,
    /// Its team, if it is scoped to one.
    pub team: &'a str,
    /// The user that the call is attributed to.
    pub attributed_user: &'a str,
    /// The revision that decided.
    pub revision: &'a str,
    /// The id of the request.
    pub request_id: &'a str,
}

impl<'a> Identity<'a> {
    /// Names and values.
    pub fn entries(self) -> impl Iterator<Item = (&'static str, &'a str)> {
        let Self {
            principal,
            organization,
            team,
            attributed_user,
            revision,
            request_id,
        } = self;
        NAMES.into_iter().zip([
            principal,
            organization,
            team,
            attributed_user,
            revision,
            request_id,
        ])
    }
}

/// A text that may be a header's value: printable ASCII, nothing that ends a line. Anything
/// else is no value, because a changed one would name somebody else.
#[must_use]
pub fn value(text: &str) -> Option<&str> {
    let good = |byte: &u8| (b' '..=b'~').contains(byte);
    (!text.is_empty() && text.as_bytes().iter().all(good)).then_some(text)
}

/// Whether a text in lower case may be a header's name.
#[must_use]
pub fn is_header_name(text: &str) -> bool {
    let token = |byte: u8| {
        byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"!#$%&'*+-.^_`|~".contains(&byte)
    };
    !text.is_empty() && text.bytes().all(token)
}

/// The names that a client sent in our name space, other than the identity headers themselves:
/// with `_` for `-`, which many servers take for the same, or of a later version.
pub fn smuggled<'m>(headers: &[Header<'m>]) -> impl Iterator<Item = &'m str> {
    headers.iter().filter_map(|header| {
        let name = std::str::from_utf8(header.name).ok()?;
        (is_ours(name) && !NAMES.iter().any(|ours| header.is(ours))).then_some(name)
    })
}

fn is_ours(name: &str) -> bool {
    let same = |(found, ours): (u8, u8)| {
        let found = if found == b'_' { b'-' } else { found };
        found.eq_ignore_ascii_case(&ours)
    };
    name.len() >= OURS.len() && name.bytes().zip(OURS.bytes()).all(same)
}

/// The value of a header that came once.
#[must_use]
pub fn once<'m>(headers: &[Header<'m>], name: &str) -> Once<'m> {
    let mut found = Once::Absent;
    for header in headers.iter().filter(|header| header.is(name)) {
        found = match found {
            Once::Absent => Once::Value(header.value),
            Once::Value(_) | Once::Twice => Once::Twice,
        };
    }
    found
}

/// How often a header came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Once<'m> {
    /// Not at all.
    Absent,
    /// Once.
    Value(&'m [u8]),
    /// More often.
    Twice,
}

/// The id of the request, as far as it may go back into a header: `x-request-id`, which the
/// proxy's log and the upstream have too, else the proxy's own. That of Envoy is a number of the
/// stream, which Envoy tells nobody else.
#[must_use]
pub fn request_id<'m>(http: &Http<'m>) -> &'m str {
    let good = |bytes: &'m [u8]| {
        let text = value(std::str::from_utf8(bytes).ok()?)?;
        (text.len() <= REQUEST_ID_BYTES_MAX).then_some(text)
    };
    let named = match once(&http.headers, REQUEST_ID) {
        Once::Value(bytes) => good(bytes),
        Once::Absent | Once::Twice => None,
    };
    named.or_else(|| good(http.id)).unwrap_or_default()
}

/// The host to route by: in lower case, without a port and a final dot; empty when none was
/// sent. A proxyless gRPC server (gRFC A92) sends it among the headers only.
///
/// `None`: two hosts, or none that could be a host's name.
#[must_use]
pub fn host<'m>(http: &Http<'m>) -> Option<Cow<'m, str>> {
    let raw = if http.host.is_empty() {
        match once(&http.headers, ":authority") {
            Once::Absent => return Some(Cow::Borrowed("")),
            Once::Value(value) => value,
            Once::Twice => return None,
        }
    } else {
        http.host
    };
    normal_host(raw)
}

/// A host without its port, its capitals and a dot at its end; `None`: it is none.
#[must_use]
pub fn normal_host(raw: &[u8]) -> Option<Cow<'_, str>> {
    let text = std::str::from_utf8(raw).ok()?;
    // A name over the bound has no route, and must not pass for one that nobody named.
    let text = Some(text).filter(|text| text.len() <= HOST_BYTES_MAX)?;
    let (name, port) = match text.strip_prefix('[') {
        Some(rest) => {
            let (inside, port) = rest.split_once(']')?;
            let address = |byte: u8| byte.is_ascii_hexdigit() || matches!(byte, b':' | b'.');
            if !inside.bytes().all(address) {
                return None;
            }
            (text.get(..inside.len().checked_add(2)?)?, port)
        }
        None => {
            let end = text.find(':').unwrap_or(text.len());
            let (name, port) = text.split_at_checked(end)?;
            let name = name.strip_suffix('.').unwrap_or(name);
            let label =
                |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_');
            if name.is_empty() || !name.bytes().all(label) {
                return None;
            }
            (name, port)
        }
    };
    match port.strip_prefix(':') {
        Some(digits) if digits.bytes().all(|byte| byte.is_ascii_digit()) => {}
        None if port.is_empty() => {}
        Some(_) | None => return None,
    }
    Some(if name.bytes().any(|byte| byte.is_ascii_uppercase()) {
        Cow::Owned(name.to_ascii_lowercase())
    } else {
        Cow::Borrowed(name)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn header(name: &'static str, value: &'static str) -> Header<'static> {
        Header {
            name: name.as_bytes(),
            value: value.as_bytes(),
        }
    }

    fn host_of(text: &str) -> Option<String> {
        let mut http = Http::default();
        http.host = text.as_bytes();
        host(&http).map(Cow::into_owned)
    }

    // SPEC 13.2, INTERFACES 4.1
    #[test]
    fn a_host_loses_its_port_its_capitals_and_its_final_dot() {
        for (text, expected) in [
            ("api.example.com", "api.example.com"),
            ("API.Example.COM:8443", "api.example.com"),
            ("api.example.com.", "api.example.com"),
            ("api.example.com.:80", "api.example.com"),
            ("localhost:", "localhost"),
            ("10.0.0.1:80", "10.0.0.1"),
            ("[::1]", "[::1]"),
            ("[2001:DB8::1]:8080", "[2001:db8::1]"),
            ("", ""),
        ] {
            assert_eq!(host_of(text).as_deref(), Some(expected), "{text}");
        }
        for text in [
            "a:b", "a:80:80", "a b", "a/b", "a@b", "a,b", ".", ":80", "[::1", "[x]", "[::1]x",
            "a\0", "é", "a%2e", "a?b",
        ] {
            assert_eq!(host_of(text), None, "{text}");
        }
    }

    // gRFC A92
    #[test]
    fn without_a_host_the_authority_counts() {
        let of = |headers: Vec<Header<'static>>| {
            let mut http = Http::default();
            http.headers = headers;
            host(&http).map(Cow::into_owned)
        };
        assert_eq!(of(vec![]).as_deref(), Some(""));
        let authority = header(":authority", "A.example:1");
        assert_eq!(of(vec![authority]).as_deref(), Some("a.example"));
        assert_eq!(of(vec![authority, authority]), None);
    }

    #[test]
    fn what_a_client_smuggles_is_found_under_every_spelling() {
        let names = [
            "x_postern_principal",
            "X-Postern_Team",
            "x-postern-future",
            "x_postern-principal",
            "x-postern-principal",
            "X-Postern-Revision",
            "x-posterns",
            "x-poster",
            "cookie",
        ];
        let headers: Vec<Header<'_>> = names.iter().map(|name| header(name, "v")).collect();
        let found: Vec<&str> = smuggled(&headers).collect();
        assert_eq!(found, &names[..4]);
    }

    #[test]
    fn a_value_has_no_line_end_and_nothing_outside_ascii() {
        assert_eq!(value("user:a@b.example"), Some("user:a@b.example"));
        for bad in ["", "a\r\nb", "a\nb", "a\0", "é", "a\x7f"] {
            assert_eq!(value(bad), None, "{bad:?}");
        }
    }
}
