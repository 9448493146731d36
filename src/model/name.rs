//! Resource names (SPEC 1.1-1.4): hierarchical, compared byte for byte.

use crate::limits::{ID_BYTES_MAX, NAME_BYTES_MAX, NAME_SEGMENTS_MAX};

/// The collections whose members must be in the snapshot (SPEC 1.3).
const STRUCTURAL: [&str; 5] = [
    "organizations",
    "teams",
    "projects",
    "serviceAccounts",
    "keys",
];

/// The id that stands for the default team (SPEC 1.4).
pub const DEFAULT_TEAM: &str = "-";

/// A well-formed resource name, taken apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Parsed<'a> {
    /// The leading pairs of structural collections: the node to look up.
    pub node: &'a str,
    /// Whether other collections follow the node.
    pub below: bool,
    /// Whether a structural collection follows another one: no such node can exist.
    pub misplaced: bool,
    /// Whether the first team is the default team `-`.
    pub default_team: bool,
}

/// Why a text is no resource name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// No text.
    Empty,
    /// Longer than 1,024 bytes.
    TooLong,
    /// More than 32 segments.
    TooManySegments,
    /// A segment is empty: `//`, a leading or a trailing slash.
    EmptySegment,
    /// A segment is `.` or `..`.
    DotSegment,
    /// A segment is `-` where no default team may stand.
    DefaultTeam,
    /// A segment is longer than 128 bytes.
    SegmentTooLong,
    /// A byte outside `[A-Za-z0-9._~@:+=-]`.
    Byte(u8),
    /// A collection without an id at the end.
    Odd,
}

impl std::fmt::Display for Fault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Empty => f.write_str("the name is empty"),
            Self::TooLong => write!(f, "the name is longer than {NAME_BYTES_MAX} bytes"),
            Self::TooManySegments => {
                write!(f, "the name has more than {NAME_SEGMENTS_MAX} segments")
            }
            Self::EmptySegment => f.write_str("the name has an empty segment"),
            Self::DotSegment => f.write_str("the name has a dot segment"),
            Self::DefaultTeam => f.write_str(
                "`-` stands for the default team only, once, directly below the organization",
            ),
            Self::SegmentTooLong => {
                write!(
                    f,
                    "a segment of the name is longer than {ID_BYTES_MAX} bytes"
                )
            }
            Self::Byte(byte) => write!(
                f,
                "the name has the byte 0x{byte:02x}; allowed are letters, digits and ._~@:+=-"
            ),
            Self::Odd => f.write_str("the name ends with a collection that has no id"),
        }
    }
}

/// Whether `byte` may stand in an id.
#[must_use]
pub const fn is_id_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric()
        || matches!(byte, b'.' | b'_' | b'~' | b'@' | b':' | b'+' | b'=' | b'-')
}

/// Whether `text` is an id (SPEC 1.2).
#[must_use]
pub fn is_id(text: &str) -> bool {
    !text.is_empty() && check_segment(text).is_ok()
}

fn check_segment(text: &str) -> Result<(), Fault> {
    if text.is_empty() {
        return Err(Fault::EmptySegment);
    }
    if let Some(byte) = text.bytes().find(|byte| !is_id_byte(*byte)) {
        return Err(Fault::Byte(byte));
    }
    match text {
        "." | ".." => Err(Fault::DotSegment),
        DEFAULT_TEAM => Err(Fault::DefaultTeam),
        _ if text.len() > ID_BYTES_MAX => Err(Fault::SegmentTooLong),
        _ => Ok(()),
    }
}

/// Takes a resource name apart.
///
/// # Errors
/// It is malformed (SPEC 1.2): then it is never read as a different name.
pub fn parse(name: &str) -> Result<Parsed<'_>, Fault> {
    if name.is_empty() {
        return Err(Fault::Empty);
    }
    if name.len() > NAME_BYTES_MAX {
        return Err(Fault::TooLong);
    }
    let mut parsed = Parsed {
        node: "",
        below: false,
        misplaced: false,
        default_team: false,
    };
    let (mut end, mut count, mut collection) = (0_usize, 0_usize, "");
    for segment in name.split('/') {
        count += 1;
        if count > NAME_SEGMENTS_MAX {
            return Err(Fault::TooManySegments);
        }
        // The separator before each segment but the first.
        let start = if count == 1 { 0 } else { end + 1 };
        end = start + segment.len();
        if count % 2 == 1 {
            check_segment(segment)?;
            collection = segment;
            continue;
        }
        if segment == DEFAULT_TEAM && count == 4 && collection == "teams" && is_below_org(name) {
            parsed.default_team = true;
        } else {
            check_segment(segment)?;
        }
        if !STRUCTURAL.contains(&collection) {
            parsed.below = true;
        } else if parsed.below {
            parsed.misplaced = true;
        } else {
            parsed.node = name.get(..end).unwrap_or_default();
        }
    }
    if count % 2 == 1 {
        Err(Fault::Odd)
    } else {
        Ok(parsed)
    }
}

fn is_below_org(name: &str) -> bool {
    name.starts_with("organizations/")
}

/// `organizations/{org}` at the front of a name; `None` for any other name.
#[must_use]
pub fn organization(name: &str) -> Option<&str> {
    let rest = name.strip_prefix("organizations/")?;
    let id = rest.split('/').next().unwrap_or_default();
    name.get(.."organizations/".len() + id.len())
}

/// Whether a well-formed name is one of a team (`teams`) or project (`projects`) as SPEC 1.1
/// has them: an organization, then teams only, then that.
#[must_use]
pub fn is_of_form(name: &str, collection: &str) -> bool {
    let mut collections = name.split('/').step_by(2);
    let organization = collections.next() == Some("organizations");
    let mut last = None;
    let teams = collections.all(|next| last.replace(next).is_none_or(|before| before == "teams"));
    organization && teams && last == Some(collection)
}

/// Splits `{parent}/{collection}/{id}`; the parent is empty for two segments.
#[must_use]
pub fn split_last(name: &str) -> Option<(&str, &str, &str)> {
    let (front, id) = name.rsplit_once('/')?;
    let (parent, collection) = front.rsplit_once('/').unwrap_or(("", front));
    Some((parent, collection, id))
}

/// Whether `name` is `ancestor` or lies below it, by whole segments.
#[must_use]
pub fn is_at_or_below(name: &str, ancestor: &str) -> bool {
    name.strip_prefix(ancestor)
        .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

#[cfg(test)]
mod tests;
