//! Values that must not be seen.

use std::borrow::Cow;

use zeroize::Zeroizing;

/// A secret: no `Debug` or `Display` of the content, wiped on drop.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Secret<T: zeroize::Zeroize>(Zeroizing<T>);

impl<T: zeroize::Zeroize> Secret<T> {
    /// Wraps a value.
    pub fn new(value: T) -> Self {
        Self(Zeroizing::new(value))
    }

    /// The content; the name is what a reviewer greps for.
    #[must_use]
    pub fn expose(&self) -> &T {
        &self.0
    }
}

impl<T: zeroize::Zeroize> std::fmt::Debug for Secret<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Secret(..)")
    }
}

/// What every key of our own form starts with.
pub const KEY_PREFIX: &str = "pst_";
/// Longest text after the prefix that is shown: a public id fits, a secret does not.
const SHOWN_MAX: usize = 19;
/// What is shown of a longer one.
const SHOWN: usize = 4;

/// A text for people with everything cut that looks like a key of our own form, or like a
/// part of one: somebody may have put it where a name belongs.
#[must_use]
pub fn masked(text: &str) -> Cow<'_, str> {
    let mut parts = text.split(KEY_PREFIX);
    let head = parts.next().unwrap_or_default();
    if head.len() == text.len() {
        return Cow::Borrowed(text);
    }
    let mut masked = head.to_owned();
    for part in parts {
        masked.push_str(KEY_PREFIX);
        let rest = part.trim_start_matches(|c: char| c.is_ascii_alphanumeric() || c == '_');
        match part.len().checked_sub(rest.len()) {
            Some(length) if length > SHOWN_MAX => {
                masked.extend(part.chars().take(SHOWN));
                masked.push_str("...");
                masked.push_str(rest);
            }
            _ => masked.push_str(part),
        }
    }
    Cow::Owned(masked)
}

#[cfg(test)]
mod tests {
    use super::masked;

    #[test]
    fn what_looks_like_a_key_is_cut_and_nothing_else() {
        let secret = "b".repeat(43);
        for (text, expected) in [
            (
                format!("`pst_aaaaaaaaaaaa_{secret}_cccccc`"),
                "`pst_aaaa...`",
            ),
            (
                format!("x pst_{secret}.y pst_{secret}"),
                "x pst_bbbb....y pst_bbbb...",
            ),
            (
                "keys/pst_aaaaaaaaaaaa is there".to_owned(),
                "keys/pst_aaaaaaaaaaaa is there",
            ),
            (format!("xpst_pst_{secret}"), "xpst_pst_bbbb..."),
            (format!("post_{secret}"), &format!("post_{secret}")),
            ("pst_\u{e9}".to_owned(), "pst_\u{e9}"),
            (String::new(), ""),
        ] {
            assert_eq!(masked(&text), expected);
        }
    }
}
