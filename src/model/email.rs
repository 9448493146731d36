//! E-mail addresses and domains: compared in ASCII lower case, everywhere (SPEC 1.5).

use crate::limits::EMAIL_BYTES_MAX;

/// Whether `text` is an e-mail address as Postern reads it: one `@`, both sides not empty,
/// printable ASCII without spaces, quotes, `?`, `,`, `<`, `>`; at most 254 bytes.
#[must_use]
pub fn is_well_formed(text: &str) -> bool {
    let Some((local, domain)) = text.split_once('@') else {
        return false;
    };
    text.len() <= EMAIL_BYTES_MAX
        && !local.is_empty()
        && local.bytes().all(|b| {
            b.is_ascii_graphic() && !matches!(b, b'@' | b'?' | b',' | b'<' | b'>' | b'"' | b'/')
        })
        && is_domain(domain)
}

/// Whether `text` is a domain: labels of letters, digits and `-`, at most 253 bytes.
#[must_use]
pub fn is_domain(text: &str) -> bool {
    text.len() <= 253
        && text.split('.').all(|label| {
            !label.is_empty()
                && label.len() <= 63
                && label
                    .bytes()
                    .all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
        })
}

/// The domain of a well-formed address; the whole text otherwise.
#[must_use]
pub fn domain(address: &str) -> &str {
    address
        .split_once('@')
        .map_or(address, |(_, domain)| domain)
}
