//! The pepper: a secret that keeps a leaked snapshot from being guessed at (SPEC 9.1).

use hmac::{Hmac, KeyInit};
use sha2::Sha256;

use crate::limits::{PEPPER_BYTES_MAX, PEPPER_BYTES_MIN};

/// A pepper with its key schedule done. Nothing of it can be printed.
#[derive(Clone)]
pub struct Pepper {
    prepared: Hmac<Sha256>,
}

impl std::fmt::Debug for Pepper {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Pepper(..)")
    }
}

/// Why a pepper is refused. States lengths, never content.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// Too short to keep anyone out.
    #[error("the pepper has {got} bytes; expected at least {PEPPER_BYTES_MIN} random ones")]
    TooShort {
        /// Bytes found, without trailing line ends.
        got: usize,
    },
    /// Not a pepper but something else.
    #[error(
        "the pepper is longer than {PEPPER_BYTES_MAX} bytes; expected at least {PEPPER_BYTES_MIN} random ones and no more than that"
    )]
    TooLong,
    /// A word that somebody meant to replace, or one byte repeated.
    #[error(
        "the pepper looks like a placeholder; make one with `head -c 48 /dev/urandom | base64`"
    )]
    Placeholder,
}

impl Pepper {
    /// Reads a pepper from the content of its file; trailing line ends are not part of it.
    ///
    /// # Errors
    /// It is too short, too long, or a placeholder.
    pub fn parse(content: &[u8]) -> Result<Self, Error> {
        if content.len() > PEPPER_BYTES_MAX {
            return Err(Error::TooLong);
        }
        let end = content.iter().rposition(|b| !matches!(b, b'\n' | b'\r'));
        let pepper = end.and_then(|end| content.get(..=end)).unwrap_or_default();
        if is_placeholder(pepper) {
            return Err(Error::Placeholder);
        }
        if pepper.len() < PEPPER_BYTES_MIN {
            return Err(Error::TooShort { got: pepper.len() });
        }
        match Hmac::<Sha256>::new_from_slice(pepper) {
            Ok(prepared) => Ok(Self { prepared }),
            Err(_) => Err(Error::TooLong),
        }
    }

    pub(super) fn prepared(&self) -> &Hmac<Sha256> {
        &self.prepared
    }
}

fn is_placeholder(pepper: &[u8]) -> bool {
    let lower = pepper.to_ascii_lowercase();
    let text = String::from_utf8_lossy(&lower);
    let words = [
        "changeme",
        "change-me",
        "change_me",
        "placeholder",
        "secret",
        "pepper",
        "example",
    ];
    let mut distinct = [false; 256];
    for byte in pepper {
        if let Some(seen) = distinct.get_mut(usize::from(*byte)) {
            *seen = true;
        }
    }
    let count = distinct.iter().filter(|seen| **seen).count();
    words.iter().any(|word| text.contains(word)) || (pepper.len() >= PEPPER_BYTES_MIN && count < 8)
}

#[cfg(test)]
mod tests {
    use super::*;

    // SPEC 9.1: refused if missing, short or a placeholder.
    #[test]
    fn short_placeholder_and_monotonous_peppers_are_refused() {
        assert_eq!(Pepper::parse(b"").unwrap_err(), Error::TooShort { got: 0 });
        assert_eq!(
            Pepper::parse(b"0123456789\n").unwrap_err(),
            Error::TooShort { got: 10 }
        );
        let words = b"please-CHANGEME-please-CHANGEME-please";
        assert_eq!(Pepper::parse(words).unwrap_err(), Error::Placeholder);
        assert_eq!(Pepper::parse(&[7; 64]).unwrap_err(), Error::Placeholder);
        assert_eq!(Pepper::parse(&[0; 5000]).unwrap_err(), Error::TooLong);
        assert!(Pepper::parse(b"kQ3v9ZpL2mX8rT5wB7nY4cJ6hD1fG0sA\n").is_ok());
    }

    #[test]
    fn a_pepper_prints_nothing_of_itself() {
        let pepper = Pepper::parse(b"kQ3v9ZpL2mX8rT5wB7nY4cJ6hD1fG0sA").unwrap();
        assert_eq!(format!("{pepper:?}"), "Pepper(..)");
    }
}
