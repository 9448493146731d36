//! The path of an HTTP request (SPEC 13.2): what in it could be read in two ways.
//!
//! A path is never decoded into another one. What a proxy, a router and an application might
//! each understand differently is named, and refused unless the operator allows it by name.

/// What makes a path ambiguous.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum PathClass {
    /// Two separators in a row: `//`. An encoded one counts where it is allowed.
    DoubleSlash,
    /// `\`, which some read as `/`.
    Backslash,
    /// A segment that is `.` or `..`.
    DotSegment,
    /// `%2f`.
    EncodedSlash,
    /// `%5c`.
    EncodedBackslash,
    /// `%00`.
    EncodedNul,
    /// A segment that decodes to `.` or `..`.
    EncodedDotSegment,
    /// `%` without two hexadecimal digits, or an overlong form of an ASCII character.
    BadEscape,
    /// `;`, which starts parameters that some cut off.
    Semicolon,
    /// A control byte, raw or encoded, or a raw space.
    Control,
    /// A byte outside ASCII.
    NonAscii,
    /// `#`, which some cut off with all after it.
    Fragment,
    /// An escape of a letter, a digit or `-._~`: the same path to those who decode, another to
    /// those who do not.
    EncodedUnreserved,
    /// `%25` and two hexadecimal digits: an escape for whoever decodes twice.
    DoubleEncoded,
}

impl PathClass {
    /// Every class.
    pub const ALL: [Self; 14] = [
        Self::DoubleSlash,
        Self::Backslash,
        Self::DotSegment,
        Self::EncodedSlash,
        Self::EncodedBackslash,
        Self::EncodedNul,
        Self::EncodedDotSegment,
        Self::BadEscape,
        Self::Semicolon,
        Self::Control,
        Self::NonAscii,
        Self::Fragment,
        Self::EncodedUnreserved,
        Self::DoubleEncoded,
    ];

    /// The name by which an operator allows the class.
    #[must_use]
    pub const fn word(self) -> &'static str {
        self.entry().1
    }

    /// The class of this name.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|class| class.word() == word)
    }

    /// Its bit and its name.
    const fn entry(self) -> (u16, &'static str) {
        match self {
            Self::DoubleSlash => (1, "double-slash"),
            Self::Backslash => (1 << 1, "backslash"),
            Self::DotSegment => (1 << 2, "dot-segment"),
            Self::EncodedSlash => (1 << 3, "encoded-slash"),
            Self::EncodedBackslash => (1 << 4, "encoded-backslash"),
            Self::EncodedNul => (1 << 5, "encoded-nul"),
            Self::EncodedDotSegment => (1 << 6, "encoded-dot-segment"),
            Self::BadEscape => (1 << 7, "bad-escape"),
            Self::Semicolon => (1 << 8, "semicolon"),
            Self::Control => (1 << 9, "control"),
            Self::NonAscii => (1 << 10, "non-ascii"),
            Self::Fragment => (1 << 11, "fragment"),
            Self::EncodedUnreserved => (1 << 12, "encoded-unreserved"),
            Self::DoubleEncoded => (1 << 13, "double-encoded"),
        }
    }
}

/// The classes that an operator allows; by default none.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct AllowedClasses(u16);

impl AllowedClasses {
    /// No class.
    pub const NONE: Self = Self(0);

    /// These and `class`.
    #[must_use]
    pub const fn with(self, class: PathClass) -> Self {
        Self(self.0 | class.entry().0)
    }

    /// Whether `class` is allowed.
    #[must_use]
    pub const fn contains(self, class: PathClass) -> bool {
        self.0 & class.entry().0 != 0
    }
}

impl FromIterator<PathClass> for AllowedClasses {
    fn from_iter<I: IntoIterator<Item = PathClass>>(classes: I) -> Self {
        classes.into_iter().fold(Self::NONE, Self::with)
    }
}

/// Splits a request target once, at its first `?`.
#[must_use]
pub fn split(raw: &str) -> (&str, Option<&str>) {
    raw.split_once('?')
        .map_or((raw, None), |(path, query)| (path, Some(query)))
}

/// The first thing in `path` that is ambiguous and not allowed.
#[must_use]
pub fn ambiguity(path: &str, allowed: AllowedClasses) -> Option<PathClass> {
    let mut rest = path.as_bytes();
    let mut before = Before::Start;
    while !rest.is_empty() {
        // A segment starts here; if it is a dot segment its escapes are no other class.
        if before != Before::Inside
            && let Some((class, after)) = dot_segment(rest)
        {
            if !allowed.contains(class) {
                return Some(class);
            }
            (before, rest) = (Before::Inside, after);
            continue;
        }
        let (token, after) = next(rest);
        if let Some(class) = token.class
            && !allowed.contains(class)
        {
            return Some(class);
        }
        let double = token.separates && before == Before::Separator;
        if double && !allowed.contains(PathClass::DoubleSlash) {
            return Some(PathClass::DoubleSlash);
        }
        before = if token.separates {
            Before::Separator
        } else {
            Before::Inside
        };
        rest = after;
    }
    None
}

/// What stands before the next byte.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Before {
    Start,
    Separator,
    Inside,
}

/// A byte or an escape of a path.
struct Token {
    class: Option<PathClass>,
    /// Whether it is a separator of segments, to some at least.
    separates: bool,
}

/// The next byte or escape, and what follows it; of nothing, nothing.
fn next(bytes: &[u8]) -> (Token, &[u8]) {
    let Some((first, after)) = bytes.split_first() else {
        let nothing = Token {
            class: None,
            separates: false,
        };
        return (nothing, bytes);
    };
    if *first == b'%' {
        return match escape(bytes) {
            Some((byte, after)) => (escaped(byte, after), after),
            None => {
                let class = Some(PathClass::BadEscape);
                let separates = false;
                (Token { class, separates }, after)
            }
        };
    }
    let class = match *first {
        b'\\' => Some(PathClass::Backslash),
        b';' => Some(PathClass::Semicolon),
        b'#' => Some(PathClass::Fragment),
        0..=b' ' | 0x7f => Some(PathClass::Control),
        0x80.. => Some(PathClass::NonAscii),
        _ => None,
    };
    let separates = matches!(*first, b'/' | b'\\');
    (Token { class, separates }, after)
}

/// What an escape of `byte` is, before `after`.
fn escaped(byte: u8, after: &[u8]) -> Token {
    let class = match byte {
        0 => Some(PathClass::EncodedNul),
        b'/' => Some(PathClass::EncodedSlash),
        b'\\' => Some(PathClass::EncodedBackslash),
        1..b' ' | 0x7f => Some(PathClass::Control),
        b'%' if hex_pair(after).is_some() => Some(PathClass::DoubleEncoded),
        _ if is_unreserved(byte) => Some(PathClass::EncodedUnreserved),
        _ if is_overlong(byte, after) => Some(PathClass::BadEscape),
        _ => None,
    };
    let separates = matches!(byte, b'/' | b'\\');
    Token { class, separates }
}

/// Whether escapes from `byte` on are a longer UTF-8 form than their character needs. Old
/// decoders take `%c0%af` for a slash.
fn is_overlong(byte: u8, after: &[u8]) -> bool {
    let least = match byte {
        0xc0 | 0xc1 => return true,
        0xe0 => 0xa0,
        0xf0 => 0x90,
        _ => return false,
    };
    escape(after).is_some_and(|(second, _)| (0x80..least).contains(&second))
}

const fn is_unreserved(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~')
}

/// The byte of an escape at the start of `bytes`, and what follows it.
fn escape(bytes: &[u8]) -> Option<(u8, &[u8])> {
    let digits = bytes.strip_prefix(b"%")?;
    Some((hex_pair(digits)?, digits.get(2..)?))
}

/// The byte that two hexadecimal digits at the start of `bytes` say.
fn hex_pair(bytes: &[u8]) -> Option<u8> {
    let digit = |at: usize| {
        let digit = char::from(*bytes.get(at)?).to_digit(16)?;
        u8::try_from(digit).ok()
    };
    Some(digit(0)? << 4 | digit(1)?)
}

/// If `bytes` start with a dot segment, raw or encoded: its class, and what follows it.
fn dot_segment(bytes: &[u8]) -> Option<(PathClass, &[u8])> {
    let (mut rest, mut class) = (bytes, PathClass::DotSegment);
    for dots in 0_u8..3 {
        if ends_segment(rest) {
            return (dots > 0).then_some((class, rest));
        }
        rest = match (rest.strip_prefix(b"."), escape(rest)) {
            (Some(after), _) => after,
            (None, Some((b'.', after))) => {
                class = PathClass::EncodedDotSegment;
                after
            }
            (None, _) => return None,
        };
    }
    None
}

/// Whether a segment ends before `rest`, to some at least: `..;x` is `..` to those who cut
/// parameters off.
fn ends_segment(rest: &[u8]) -> bool {
    let escaped = escape(rest).map(|(byte, _)| byte);
    matches!(
        escaped.or_else(|| rest.first().copied()),
        None | Some(0 | b'/' | b'\\' | b';' | b'#' | b'?')
    )
}

#[cfg(test)]
mod tests;
