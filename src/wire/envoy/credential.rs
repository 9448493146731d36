//! The credential of a request: at most one, or a deny (SPEC 9.1, 13.1, 13.2).

use base64::Engine as _;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};

use crate::limits::ENVOY_BASIC_BYTES_MAX;
use crate::model::secret::Secret;
use crate::wire::envoy::request::Header;

/// The header of the schemes.
pub const AUTHORIZATION: &str = "authorization";
/// The header of a key alone.
pub const API_KEY: &str = "x-api-key";

/// What a request presents.
#[derive(Debug, PartialEq, Eq)]
pub enum Presented<'m> {
    /// Nothing.
    Nothing,
    /// One key.
    Key(Key<'m>),
    /// Something that can be no good key: an unknown scheme, an unreadable one, an empty one.
    Bad,
    /// Two credentials that differ, or a header that was joined from two.
    Ambiguous,
}

/// A key as it was presented.
#[derive(Clone, PartialEq, Eq)]
pub enum Key<'m> {
    /// As it lies in the request.
    Plain(&'m str),
    /// Out of `Basic`.
    Decoded(Secret<String>),
}

impl Key<'_> {
    /// The text, for digesting.
    #[must_use]
    pub fn expose(&self) -> &str {
        match self {
            Self::Plain(text) => text,
            Self::Decoded(text) => text.expose(),
        }
    }
}

impl std::fmt::Debug for Key<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Key(..)")
    }
}

/// The credential, and where it was.
#[derive(Debug, PartialEq, Eq)]
pub struct Found<'m> {
    /// What it is.
    pub presented: Presented<'m>,
    /// `authorization` was there.
    pub authorization: bool,
    /// `x-api-key` was there.
    pub api_key: bool,
}

/// Padding is left out by some clients; nothing else is forgiven.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// Looks for the credential in the headers.
#[must_use]
pub fn find<'m>(headers: &[Header<'m>]) -> Found<'m> {
    let (mut authorization, mut api_key) = (None, None);
    let mut joined = false;
    for header in headers {
        let place = if header.is(AUTHORIZATION) {
            &mut authorization
        } else if header.is(API_KEY) {
            &mut api_key
        } else {
            continue;
        };
        // A proxy joins with a comma what came twice; no form of a credential has one.
        joined |= place.replace(header.value).is_some() || header.value.contains(&b',');
    }
    let presented = match (authorization, api_key) {
        _ if joined => Presented::Ambiguous,
        (None, None) => Presented::Nothing,
        (Some(value), None) => scheme(value),
        (None, Some(value)) => key(value),
        (Some(first), Some(second)) => match (scheme(first), key(second)) {
            (Presented::Key(first), Presented::Key(second))
                if first.expose() == second.expose() =>
            {
                Presented::Key(second)
            }
            _ => Presented::Ambiguous,
        },
    };
    Found {
        presented,
        authorization: authorization.is_some(),
        api_key: api_key.is_some(),
    }
}

/// `Bearer K`, `Basic base64(user:K)`.
fn scheme(value: &[u8]) -> Presented<'_> {
    let value = value.trim_ascii();
    let Some(space) = value.iter().position(|byte| *byte == b' ') else {
        return Presented::Bad;
    };
    let (scheme, rest) = value.split_at(space);
    if scheme.eq_ignore_ascii_case(b"bearer") {
        key(rest)
    } else if scheme.eq_ignore_ascii_case(b"basic") {
        basic(rest.trim_ascii()).map_or(Presented::Bad, Presented::Key)
    } else {
        Presented::Bad
    }
}

fn key(value: &[u8]) -> Presented<'_> {
    match std::str::from_utf8(value.trim_ascii()) {
        Ok(text) if !text.is_empty() => Presented::Key(Key::Plain(text)),
        Ok(_) | Err(_) => Presented::Bad,
    }
}

/// Any user name; the password is the key (SPEC 9.1).
fn basic(encoded: &[u8]) -> Option<Key<'static>> {
    if encoded.len() > ENVOY_BASIC_BYTES_MAX {
        return None;
    }
    let decoded = Secret::new(BASE64.decode(encoded).ok()?);
    let text = std::str::from_utf8(decoded.expose()).ok()?;
    let (_user, password) = text.split_once(':')?;
    (!password.is_empty()).then(|| Key::Decoded(Secret::new(password.to_owned())))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found<'m>(headers: &[(&'m str, &'m str)]) -> Presented<'m> {
        let headers: Vec<Header<'m>> = headers
            .iter()
            .map(|(name, value)| Header {
                name: name.as_bytes(),
                value: value.as_bytes(),
            })
            .collect();
        find(&headers).presented
    }

    fn key_of(headers: &[(&str, &str)]) -> Option<String> {
        match found(headers) {
            Presented::Key(key) => Some(key.expose().to_owned()),
            Presented::Nothing | Presented::Bad | Presented::Ambiguous => None,
        }
    }

    // SPEC 9.1
    #[test]
    fn a_key_comes_in_three_forms() {
        for headers in [
            &[("authorization", "Bearer the-key")][..],
            &[("Authorization", "bEARER   the-key ")],
            &[("authorization", "Basic dXNlcjp0aGUta2V5")],
            &[("authorization", "basic Onh0aGUta2V5")],
            &[("authorization", "Basic dTp0aGUta2V5Og")],
            &[("x-api-key", "the-key")],
            &[("X-Api-Key", " the-key\t")],
            // The same key twice is one credential.
            &[
                ("x-api-key", "the-key"),
                ("authorization", "Bearer the-key"),
            ],
            &[
                ("accept", "a,b"),
                ("x-api-key", "the-key"),
                ("cookie", "x=1"),
            ],
        ] {
            let key = key_of(headers).unwrap_or_else(|| panic!("{headers:?}"));
            assert!(
                ["the-key", "xthe-key", "the-key:"].contains(&&*key),
                "{key}"
            );
        }
        assert_eq!(found(&[("x_api_key", "the-key")]), Presented::Nothing);
        assert_eq!(found(&[]), Presented::Nothing);
    }

    #[test]
    fn what_can_be_no_key_is_a_bad_credential() {
        for value in [
            "",
            "Bearer",
            "Bearer ",
            "Digest x",
            "the-key",
            "Basic",
            "Basic !",
            "Basic dXNlcg==",
            "Basic dXNlcjo=",
            "Basic dXNlcjr/",
            "Negotiate YII",
            "Bearer\tthe-key",
        ] {
            assert_eq!(
                found(&[("authorization", value)]),
                Presented::Bad,
                "{value}"
            );
        }
        assert_eq!(found(&[("x-api-key", "")]), Presented::Bad);
        let long = format!("Basic {}", "A".repeat(ENVOY_BASIC_BYTES_MAX + 1));
        assert_eq!(found(&[("authorization", &long)]), Presented::Bad);
        let header = Header {
            name: b"authorization",
            value: b"Bearer caf\xe9",
        };
        assert_eq!(find(&[header]).presented, Presented::Bad);
    }

    // SPEC 13.2: two credentials that differ, or a joined one.
    #[test]
    fn two_credentials_are_ambiguous() {
        for headers in [
            &[("authorization", "Bearer a,Bearer b")][..],
            &[("authorization", "Bearer a, Bearer a")],
            &[("authorization", "Bearer a,b")],
            &[("x-api-key", "a,a")],
            &[("authorization", "Bearer a"), ("authorization", "Bearer a")],
            &[("authorization", "Bearer a"), ("Authorization", "Bearer b")],
            &[("x-api-key", "a"), ("x-api-key", "a")],
            &[("x-api-key", "a"), ("authorization", "Bearer b")],
            &[("x-api-key", "a"), ("authorization", "Basic dXNlcjpi")],
            &[("x-api-key", "a"), ("authorization", "Digest a")],
            &[("x-api-key", ""), ("authorization", "Bearer a")],
        ] {
            assert_eq!(found(headers), Presented::Ambiguous, "{headers:?}");
        }
    }

    #[test]
    fn a_key_is_in_no_debug_text() {
        for headers in [
            [("x-api-key", "the-key")],
            [("authorization", "Basic dXNlcjp0aGUta2V5")],
        ] {
            assert!(!format!("{:?}", found(&headers)).contains("the-key"));
        }
    }
}
