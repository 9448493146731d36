//! Short texts stored in their row, so that comparing one is not another cache miss.

/// A text of up to `N` bytes in place; a longer one on the heap.
#[derive(Clone, PartialEq, Eq)]
pub enum Text<const N: usize> {
    /// In place.
    // INVARIANT: `len <= N`, and the bytes before `len` were a `str`.
    Short {
        /// Bytes used.
        len: u8,
        /// The bytes, zero after `len`.
        bytes: [u8; N],
    },
    /// Elsewhere.
    Long(Box<str>),
}

impl<const N: usize> Text<N> {
    /// Stores `text`.
    #[must_use]
    pub fn new(text: &str) -> Self {
        let mut bytes = [0; N];
        match (bytes.get_mut(..text.len()), u8::try_from(text.len())) {
            (Some(place), Ok(len)) => {
                place.copy_from_slice(text.as_bytes());
                Self::Short { len, bytes }
            }
            _ => Self::Long(text.into()),
        }
    }

    /// The bytes of the text.
    #[must_use]
    #[inline]
    pub fn as_bytes(&self) -> &[u8] {
        match self {
            Self::Short { len, bytes } => bytes.get(..usize::from(*len)).unwrap_or_default(),
            Self::Long(text) => text.as_bytes(),
        }
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(self.as_bytes()).unwrap_or_default()
    }
}

impl<const N: usize> std::fmt::Debug for Text<N> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:?}", self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn short_and_long_texts_come_back() {
        for text in ["", "abc", "0123456789", "01234567890"] {
            let stored = Text::<10>::new(text);
            assert_eq!(stored.as_str(), text);
            assert_eq!(matches!(stored, Text::Short { .. }), text.len() <= 10);
        }
    }
}
