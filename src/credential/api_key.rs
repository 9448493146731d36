//! API keys: form, check sum, digests (SPEC 9.1).

use hmac::Mac;
use sha2::{Digest, Sha256};

use crate::credential::pepper::Pepper;
use crate::limits::{KEY_BYTES_MAX, KEY_BYTES_MIN};
use crate::model::query::KeyDigests;
use crate::model::secret::{KEY_PREFIX, Secret};

/// What every key of our own form starts with.
pub const PREFIX: &str = KEY_PREFIX;
/// Length of the public id, base62 characters.
pub const ID_LENGTH: usize = 12;
/// Length of the secret, base62 characters: 256 bits.
pub const SECRET_LENGTH: usize = 43;
/// Length of the check sum, base62 characters.
pub const CHECK_LENGTH: usize = 6;
/// Length of a whole key: `pst_{id}_{secret}_{crc}`.
pub const LENGTH: usize = PREFIX.len() + ID_LENGTH + 1 + SECRET_LENGTH + 1 + CHECK_LENGTH;

const ALPHABET: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/// What a text is, as far as it can be told without a snapshot.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form<'a> {
    /// Our own form with the right check sum.
    Postern {
        /// The public id; may be shown.
        id: &'a str,
    },
    /// A key issued elsewhere: 20-256 printable ASCII bytes.
    Foreign,
    /// No key.
    Malformed(Fault),
}

/// Why a text is no key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// Shorter or longer than any key.
    Length,
    /// A byte that no key has: a space, a control byte, or not ASCII.
    Byte,
    /// Starts with `pst_` but is not of that form.
    Shape,
    /// The check sum does not match: a typing error or a truncated paste.
    CheckSum,
}

impl std::fmt::Display for Fault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Length => "a key has 20 to 256 bytes",
            Self::Byte => "a key has printable ASCII bytes and no space",
            Self::Shape => "a key that starts with pst_ has the form pst_{12}_{43}_{6} in base62",
            Self::CheckSum => "the check sum does not match: the key was mistyped or cut",
        })
    }
}

/// Tells what form a presented text has.
#[must_use]
pub fn form(text: &str) -> Form<'_> {
    let bytes = text.as_bytes();
    if !(KEY_BYTES_MIN..=KEY_BYTES_MAX).contains(&bytes.len()) {
        return Form::Malformed(Fault::Length);
    }
    if !bytes.iter().all(u8::is_ascii_graphic) {
        return Form::Malformed(Fault::Byte);
    }
    if bytes.starts_with(PREFIX.as_bytes()) {
        own_form(text)
    } else {
        Form::Foreign
    }
}

fn own_form(text: &str) -> Form<'_> {
    if text.len() != LENGTH {
        return Form::Malformed(Fault::Shape);
    }
    let mut parts = text.split('_').skip(1);
    let (Some(id), Some(secret), Some(check), None) =
        (parts.next(), parts.next(), parts.next(), parts.next())
    else {
        return Form::Malformed(Fault::Shape);
    };
    let base62 = |part: &str| part.bytes().all(|b| b.is_ascii_alphanumeric());
    if id.len() != ID_LENGTH
        || secret.len() != SECRET_LENGTH
        || check.len() != CHECK_LENGTH
        || !(base62(id) && base62(secret) && base62(check))
    {
        return Form::Malformed(Fault::Shape);
    }
    let covered = text
        .as_bytes()
        .get(..LENGTH - CHECK_LENGTH - 1)
        .unwrap_or_default();
    if check_sum(covered) == check.as_bytes() {
        Form::Postern { id }
    } else {
        Form::Malformed(Fault::CheckSum)
    }
}

/// CRC-32 of all before the last `_`, in base62, most significant digit first.
fn check_sum(covered: &[u8]) -> [u8; CHECK_LENGTH] {
    let mut rest = crc32fast::hash(covered);
    let mut digits = [b'0'; CHECK_LENGTH];
    for digit in digits.iter_mut().rev() {
        *digit = base62_digit(rest % 62);
        rest /= 62;
    }
    digits
}

fn base62_digit(value: u32) -> u8 {
    usize::try_from(value)
        .ok()
        .and_then(|i| ALPHABET.get(i))
        .copied()
        .unwrap_or(b'0')
}

/// Digests a presented key for look-up. The work does not depend on what the snapshot holds.
#[must_use]
pub fn digest(text: &str, pepper: Option<&Pepper>) -> KeyDigests {
    if matches!(form(text), Form::Malformed(_)) {
        return KeyDigests::Malformed;
    }
    let hmac_sha256 = pepper.map(|pepper| hmac_sha256(text, pepper));
    KeyDigests::Digested {
        sha256: sha256(text),
        hmac_sha256,
    }
}

/// SHA-256 of the whole key: what `api_key.sha256` stores.
#[must_use]
pub fn sha256(text: &str) -> [u8; 32] {
    Sha256::digest(text.as_bytes()).into()
}

/// HMAC-SHA-256 of the whole key: what `api_key.hmac_sha256` stores.
#[must_use]
pub fn hmac_sha256(text: &str, pepper: &Pepper) -> [u8; 32] {
    let mut mac = pepper.prepared().clone();
    mac.update(text.as_bytes());
    mac.finalize().into_bytes().into()
}

/// Makes a key of our own form out of random bytes; `fill` is the randomness.
pub fn generate(fill: &mut dyn FnMut(&mut [u8])) -> Secret<String> {
    let mut text = String::with_capacity(LENGTH);
    text.push_str(PREFIX);
    push_base62(&mut text, ID_LENGTH, fill);
    text.push('_');
    push_base62(&mut text, SECRET_LENGTH, fill);
    let check = check_sum(text.as_bytes());
    text.push('_');
    text.extend(check.iter().map(|digit| char::from(*digit)));
    Secret::new(text)
}

/// Appends `count` unbiased base62 characters: bytes of 248 and more are drawn again.
fn push_base62(text: &mut String, count: usize, fill: &mut dyn FnMut(&mut [u8])) {
    let mut left = count;
    let mut random = [0_u8; 64];
    while left > 0 {
        fill(&mut random);
        for byte in random.iter().filter(|byte| **byte < 248).take(left) {
            text.push(char::from(base62_digit(u32::from(byte % 62))));
            left -= 1;
        }
    }
}

#[cfg(test)]
mod tests;
