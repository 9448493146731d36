//! Templates of routes (SPEC 13.1): of paths, of gRPC methods, of resources.

use crate::limits::{
    NAME_BYTES_MAX, TEMPLATE_BYTES_MAX, TEMPLATE_SEGMENTS_MAX, VARIABLE_BYTES_MAX,
};
use crate::model::name;
use crate::model::path::{self, AllowedClasses, PathClass};

/// One segment of a path template.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Segment<'t> {
    /// Exactly these bytes; empty only at the end, after a trailing slash.
    Literal(&'t str),
    /// `{name}`: one segment, neither empty nor `-`.
    One(&'t str),
    /// `{name=**}`: all the rest, one segment or more, none of them `-`.
    Rest(&'t str),
}

/// One part of a resource template.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Piece {
    /// These bytes, slashes included.
    Text(Box<str>),
    /// The path's segment at this position, from 0.
    One(u32),
    /// The path from the segment at this position on.
    Rest(u32),
}

/// Why a text is no template.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault<'t> {
    /// Longer than the bound.
    TooLong,
    /// More segments than the bound.
    TooManySegments,
    /// A path that does not begin with `/`.
    NoSlash,
    /// A segment that is neither literal nor one whole variable.
    Braces(&'t str),
    /// A name of a variable that is none.
    Variable(&'t str),
    /// A variable twice.
    Twice(&'t str),
    /// `{name=**}` before the end.
    RestInside,
    /// `*` or `**` where a literal would be.
    Star,
    /// A literal that no path could have unless it is ambiguous.
    Ambiguous(PathClass),
    /// `?`: templates match paths without a query.
    Query,
    /// No `Service/Method`.
    Method,
    /// A variable that the path does not have.
    Unbound(&'t str),
    /// `{name=**}` of the path where an id belongs, or before the end of the resource.
    RestAsId(&'t str),
    /// A variable where a collection belongs.
    Collection(&'t str),
    /// A resource that does not begin with an organization.
    NoOrganization,
    /// A structural collection after another one: no such node can exist.
    Misplaced,
    /// No resource name, whatever the variables are.
    Name(name::Fault),
}

impl std::fmt::Display for Fault<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::TooLong => write!(f, "it is longer than {TEMPLATE_BYTES_MAX} bytes"),
            Self::TooManySegments => {
                write!(f, "it has more than {TEMPLATE_SEGMENTS_MAX} segments")
            }
            Self::NoSlash => f.write_str("it does not begin with `/`"),
            Self::Braces(segment) => {
                write!(
                    f,
                    "the segment `{segment}` is neither a literal nor a variable"
                )
            }
            Self::Variable(name) => write!(
                f,
                "`{name}` is no name of a variable; it takes 1-{VARIABLE_BYTES_MAX} lower-case \
                 letters, digits and `_`, a letter first"
            ),
            Self::Twice(name) => write!(f, "the variable `{name}` is there twice"),
            Self::RestInside => f.write_str("a `{name=**}` is not at its end"),
            Self::Star => f.write_str("`*` is no segment; use `{name}` or a final `{name=**}`"),
            Self::Ambiguous(class) => {
                write!(f, "a literal of it is ambiguous ({})", class.word())
            }
            Self::Query => f.write_str("it has a `?`, and a path is matched without its query"),
            Self::Method => f.write_str("it is no gRPC method"),
            Self::Unbound(name) => write!(f, "the path has no variable `{name}`"),
            Self::RestAsId(name) => write!(
                f,
                "`{name}` takes several segments; it may only stand at the end, after an id"
            ),
            Self::Collection(name) => {
                write!(f, "the variable `{name}` stands where a collection belongs")
            }
            Self::NoOrganization => {
                f.write_str("it does not begin with `organizations/` and an id or a `{name}`")
            }
            Self::Misplaced => f.write_str("no such node can exist below another collection"),
            Self::Name(fault) => write!(f, "{fault}"),
        }
    }
}

/// Takes a path template apart.
///
/// # Errors
/// The first thing wrong with it.
pub fn path(text: &str) -> Result<Vec<Segment<'_>>, Fault<'_>> {
    if text.len() > TEMPLATE_BYTES_MAX {
        return Err(Fault::TooLong);
    }
    let inner = text.strip_prefix('/').ok_or(Fault::NoSlash)?;
    let mut segments = Vec::new();
    let mut parts = inner.split('/').peekable();
    while let Some(part) = parts.next() {
        if segments.len() == TEMPLATE_SEGMENTS_MAX {
            return Err(Fault::TooManySegments);
        }
        let segment = segment(part, parts.peek().is_none())?;
        let name = variable_of(segment);
        if let Some(name) = name
            && segments.iter().any(|s| variable_of(*s) == Some(name))
        {
            return Err(Fault::Twice(name));
        }
        segments.push(segment);
    }
    Ok(segments)
}

/// A segment of a path template; `last`: nothing follows it.
fn segment(text: &str, last: bool) -> Result<Segment<'_>, Fault<'_>> {
    if let Some(inner) = text.strip_prefix('{').and_then(|t| t.strip_suffix('}')) {
        return match inner.strip_suffix("=**") {
            Some(name) if last => Ok(Segment::Rest(variable(name)?)),
            Some(_) => Err(Fault::RestInside),
            None => Ok(Segment::One(variable(inner)?)),
        };
    }
    if text.contains(['{', '}']) {
        return Err(Fault::Braces(text));
    }
    if text.contains('?') {
        return Err(Fault::Query);
    }
    if matches!(text, "*" | "**") {
        return Err(Fault::Star);
    }
    if text.is_empty() && !last {
        return Err(Fault::Ambiguous(PathClass::DoubleSlash));
    }
    match path::ambiguity(text, AllowedClasses::NONE) {
        Some(class) => Err(Fault::Ambiguous(class)),
        None => Ok(Segment::Literal(text)),
    }
}

const fn variable_of<'t>(segment: Segment<'t>) -> Option<&'t str> {
    match segment {
        Segment::Literal(_) => None,
        Segment::One(name) | Segment::Rest(name) => Some(name),
    }
}

fn variable(name: &str) -> Result<&str, Fault<'_>> {
    let first = name.bytes().next().is_some_and(|b| b.is_ascii_lowercase());
    let rest = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_';
    if first && name.bytes().all(rest) && name.len() <= VARIABLE_BYTES_MAX {
        Ok(name)
    } else {
        Err(Fault::Variable(name))
    }
}

/// Takes `package.Service/Method` or `package.Service/*` apart, as the path
/// `/package.Service/Method`. The package may be missing, as it may in a `.proto` file.
///
/// # Errors
/// It is neither.
pub fn grpc(text: &str) -> Result<Vec<Segment<'_>>, Fault<'_>> {
    if text.len() > TEMPLATE_BYTES_MAX {
        return Err(Fault::TooLong);
    }
    let (service, method) = text.split_once('/').ok_or(Fault::Method)?;
    if !service.split('.').all(is_identifier) {
        return Err(Fault::Method);
    }
    let method = match method {
        "*" => Segment::One("method"),
        _ if is_identifier(method) => Segment::Literal(method),
        _ => return Err(Fault::Method),
    };
    Ok(vec![Segment::Literal(service), method])
}

/// An identifier of a `.proto` file.
fn is_identifier(text: &str) -> bool {
    let first = text.bytes().next();
    first.is_some_and(|b| b.is_ascii_alphabetic() || b == b'_')
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
}

/// Takes a resource template apart: a resource name in which `{name}`, a variable of `path`,
/// may stand for an id, and one of several segments for all pairs at the end.
///
/// # Errors
/// The first thing wrong with it.
pub fn resource<'t>(text: &'t str, path: &[Segment<'_>]) -> Result<Vec<Piece>, Fault<'t>> {
    if text.len() > NAME_BYTES_MAX {
        return Err(Fault::Name(name::Fault::TooLong));
    }
    let mut pieces = Vec::new();
    // The template with every variable filled in, which must be a name.
    let mut sample = String::with_capacity(text.len());
    let mut literal = String::new();
    let count = text.split('/').count();
    for (at, part) in text.split('/').enumerate() {
        if at > 0 {
            literal.push('/');
            sample.push('/');
        }
        let inner = part.strip_prefix('{').and_then(|t| t.strip_suffix('}'));
        let Some(name) = inner else {
            if part.contains(['{', '}']) {
                return Err(Fault::Braces(part));
            }
            literal.push_str(part);
            sample.push_str(part);
            continue;
        };
        if !literal.is_empty() {
            pieces.push(Piece::Text(std::mem::take(&mut literal).into()));
        }
        let is_id = at % 2 == 1;
        match find(path, name) {
            None | Some((_, Segment::Literal(_))) => return Err(Fault::Unbound(name)),
            Some((ix, Segment::One(_))) if is_id => {
                pieces.push(Piece::One(ix));
                sample.push('x');
            }
            Some((_, Segment::One(_))) => return Err(Fault::Collection(name)),
            Some((ix, Segment::Rest(_))) if !is_id && at + 1 == count => {
                pieces.push(Piece::Rest(ix));
                sample.push_str("x/x");
            }
            Some((_, Segment::Rest(_))) => return Err(Fault::RestAsId(name)),
        }
    }
    if !literal.is_empty() {
        pieces.push(Piece::Text(literal.into()));
    }
    is_of_organization(&sample)?;
    Ok(pieces)
}

/// The variable `name` of a path, and its position.
fn find<'p>(path: &[Segment<'p>], name: &str) -> Option<(u32, Segment<'p>)> {
    let mut all = (0_u32..).zip(path.iter().copied());
    all.find(|(_, segment)| variable_of(*segment) == Some(name))
}

/// Whether a name is one that a resource can have.
fn is_of_organization<'t>(sample: &str) -> Result<(), Fault<'t>> {
    let parsed = name::parse(sample).map_err(Fault::Name)?;
    if !sample.starts_with("organizations/") {
        return Err(Fault::NoOrganization);
    }
    if parsed.misplaced {
        return Err(Fault::Misplaced);
    }
    Ok(())
}

#[cfg(test)]
mod tests;
