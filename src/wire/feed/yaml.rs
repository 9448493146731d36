//! YAML as a `serde` form: events of the parser in, no tree, no aliases, no tags.

use std::borrow::Cow;
use std::cell::Cell;
use std::fmt;

use saphyr_parser::{Event, Parser, ScalarStyle, ScanError, StrInput};
use serde::de::{DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};

use crate::graph::issue::Code;
use crate::limits::DOCUMENT_DEPTH_MAX;

/// What stops the reading of a YAML file.
#[derive(Debug)]
pub(super) struct Stop {
    /// What kind of wrong.
    pub(super) code: Code,
    /// What was found.
    pub(super) found: String,
}

impl Stop {
    fn syntax(found: &str) -> Self {
        Self {
            code: Code::Syntax,
            found: found.to_owned(),
        }
    }
}

impl fmt::Display for Stop {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.found)
    }
}

impl std::error::Error for Stop {}

impl serde::de::Error for Stop {
    fn custom<T: fmt::Display>(message: T) -> Self {
        Self::syntax(&message.to_string())
    }
}

impl From<ScanError> for Stop {
    fn from(error: ScanError) -> Self {
        Self::syntax(error.info())
    }
}

/// The events of one YAML file.
pub(super) struct Yaml<'de, 'l> {
    parser: Parser<'de, StrInput<'de>>,
    line: &'l Cell<u32>,
    depth: usize,
}

impl<'de, 'l> Yaml<'de, 'l> {
    /// Before the first document; `line` follows the events.
    pub(super) fn new(text: &'de str, line: &'l Cell<u32>) -> Self {
        Self {
            parser: Parser::new_from_str(text),
            line,
            depth: 0,
        }
    }

    /// Goes to the content of the first document; `false`: the file has none.
    pub(super) fn start(&mut self) -> Result<bool, Stop> {
        loop {
            match self.next()? {
                Event::DocumentStart(_) => return Ok(true),
                Event::StreamEnd => return Ok(false),
                _ => {}
            }
        }
    }

    /// Goes to the end of the file, which must hold one document.
    pub(super) fn end(&mut self) -> Result<(), Stop> {
        loop {
            match self.next()? {
                Event::StreamEnd => return Ok(()),
                Event::DocumentStart(_) => return Err(Stop::syntax("a second document")),
                _ => {}
            }
        }
    }

    /// The next event, with the line brought up to date.
    fn next(&mut self) -> Result<Event<'de>, Stop> {
        let Some(next) = self.parser.next_event() else {
            return Err(Stop::syntax("the file ends early"));
        };
        let (event, span) = next.inspect_err(|e| self.at(e.marker().line()))?;
        self.at(span.start.line());
        Ok(event)
    }

    fn at(&self, line: usize) {
        self.line.set(u32::try_from(line).unwrap_or(u32::MAX));
    }

    /// Whether the next event ends a list or an object; then it is consumed.
    fn ends(&mut self) -> Result<bool, Stop> {
        let Some(next) = self.parser.peek() else {
            return Err(Stop::syntax("the file ends early"));
        };
        let ends = matches!(next?.0, Event::SequenceEnd | Event::MappingEnd);
        if ends {
            self.next()?;
            self.depth = self.depth.saturating_sub(1);
        }
        Ok(ends)
    }

    fn open(&mut self) -> Result<(), Stop> {
        self.depth = self.depth.saturating_add(1);
        if self.depth > DOCUMENT_DEPTH_MAX {
            let found = format!("nesting deeper than {DOCUMENT_DEPTH_MAX}");
            return Err(Stop {
                code: Code::OutOfBounds,
                found,
            });
        }
        Ok(())
    }

    /// Reads over one value.
    fn skip(&mut self) -> Result<(), Stop> {
        let mut open = 0_usize;
        loop {
            match checked(self.next()?)? {
                Event::SequenceStart(..) | Event::MappingStart(..) => {
                    self.open()?;
                    open = open.saturating_add(1);
                }
                Event::SequenceEnd | Event::MappingEnd => {
                    self.depth = self.depth.saturating_sub(1);
                    open = open.saturating_sub(1);
                }
                _ => {}
            }
            if open == 0 {
                return Ok(());
            }
        }
    }
}

/// Refuses what makes a reader see something else than what is written there.
fn checked(event: Event<'_>) -> Result<Event<'_>, Stop> {
    let (anchor, tag) = match &event {
        Event::Alias(_) => {
            return Err(Stop::syntax(
                "an alias (`*name`), which is not allowed: write it out",
            ));
        }
        Event::Scalar(_, _, anchor, tag) => (*anchor, tag),
        Event::SequenceStart(anchor, tag) | Event::MappingStart(anchor, tag) => (*anchor, tag),
        _ => return Ok(event),
    };
    match (anchor, tag) {
        (0, None) => Ok(event),
        (_, Some(_)) => Err(Stop::syntax(
            "a tag (`!name`), which is not allowed: remove it",
        )),
        (_, None) => Err(Stop::syntax(
            "an anchor (`&name`), which is not allowed: remove it",
        )),
    }
}

impl<'de> Deserializer<'de> for &mut Yaml<'de, '_> {
    type Error = Stop;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Stop> {
        match checked(self.next()?)? {
            Event::Scalar(text, ScalarStyle::Plain, _, _) => plain(text, visitor),
            Event::Scalar(text, _, _, _) => string(text, visitor),
            Event::SequenceStart(..) => {
                self.open()?;
                visitor.visit_seq(Open(self))
            }
            Event::MappingStart(..) => {
                self.open()?;
                visitor.visit_map(Open(self))
            }
            _ => Err(Stop::syntax("no value where one is expected")),
        }
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Stop> {
        self.skip()?;
        visitor.visit_unit()
    }

    serde::forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf
        option unit unit_struct newtype_struct seq tuple tuple_struct map struct enum identifier
    }
}

/// An open list or object.
struct Open<'y, 'de, 'l>(&'y mut Yaml<'de, 'l>);

impl<'de> SeqAccess<'de> for Open<'_, 'de, '_> {
    type Error = Stop;

    fn next_element_seed<T: DeserializeSeed<'de>>(
        &mut self,
        seed: T,
    ) -> Result<Option<T::Value>, Stop> {
        if self.0.ends()? {
            Ok(None)
        } else {
            seed.deserialize(&mut *self.0).map(Some)
        }
    }
}

impl<'de> MapAccess<'de> for Open<'_, 'de, '_> {
    type Error = Stop;

    fn next_key_seed<K: DeserializeSeed<'de>>(
        &mut self,
        seed: K,
    ) -> Result<Option<K::Value>, Stop> {
        if self.0.ends()? {
            Ok(None)
        } else {
            seed.deserialize(&mut *self.0).map(Some)
        }
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, Stop> {
        seed.deserialize(&mut *self.0)
    }
}

fn string<'de, V: Visitor<'de>>(text: Cow<'de, str>, visitor: V) -> Result<V::Value, Stop> {
    match text {
        Cow::Borrowed(text) => visitor.visit_borrowed_str(text),
        Cow::Owned(text) => visitor.visit_string(text),
    }
}

/// A scalar without quotes, by the core schema of YAML 1.2.
fn plain<'de, V: Visitor<'de>>(text: Cow<'de, str>, visitor: V) -> Result<V::Value, Stop> {
    match &*text {
        "" | "~" | "null" | "Null" | "NULL" => return visitor.visit_unit(),
        "true" | "True" | "TRUE" => return visitor.visit_bool(true),
        "false" | "False" | "FALSE" => return visitor.visit_bool(false),
        _ => {}
    }
    match number(&text) {
        None => string(text, visitor),
        Some(Number::Signed(value)) => visitor.visit_i64(value),
        Some(Number::Unsigned(value)) => visitor.visit_u64(value),
        Some(Number::Float(value)) => visitor.visit_f64(value),
    }
}

/// A number of the core schema.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Number {
    Signed(i64),
    Unsigned(u64),
    Float(f64),
}

/// Whether a scalar without quotes would be read as something else than a string.
pub(super) fn is_string_when_plain(text: &str) -> bool {
    !matches!(text, "" | "~" | "null" | "Null" | "NULL")
        && !matches!(text, "true" | "True" | "TRUE" | "false" | "False" | "FALSE")
        && number(text).is_none()
}

fn number(text: &str) -> Option<Number> {
    if !text.starts_with(|c: char| c.is_ascii_digit() || matches!(c, '+' | '-' | '.')) {
        return None;
    }
    let digits = |s: &str| !s.is_empty() && s.bytes().all(|b| b.is_ascii_digit());
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    for (prefix, radix) in [("0x", 16), ("0o", 8)] {
        if let Some(rest) = text.strip_prefix(prefix)
            && !rest.is_empty()
            && rest.chars().all(|c| c.is_digit(radix))
        {
            let parsed = u64::from_str_radix(rest, radix);
            return Some(parsed.map_or(Number::Float(f64::INFINITY), Number::Unsigned));
        }
    }
    if digits(unsigned) {
        if let Ok(value) = text.parse() {
            return Some(Number::Unsigned(value));
        }
        if let Ok(value) = text.parse() {
            return Some(Number::Signed(value));
        }
    }
    match unsigned {
        ".inf" | ".Inf" | ".INF" => return Some(Number::Float(f64::INFINITY)),
        ".nan" | ".NaN" | ".NAN" if unsigned == text => return Some(Number::Float(f64::NAN)),
        _ => {}
    }
    let (mantissa, exponent) = unsigned.split_once(['e', 'E']).unwrap_or((unsigned, "0"));
    let exponent = exponent.strip_prefix(['+', '-']).unwrap_or(exponent);
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let is_number = digits(exponent)
        && (digits(whole) && (fraction.is_empty() || digits(fraction))
            || whole.is_empty() && digits(fraction));
    match text.parse() {
        Ok(value) if is_number => Some(Number::Float(value)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_scalars_follow_the_core_schema() {
        for (text, expected) in [
            ("0", Some(Number::Unsigned(0))),
            ("007", Some(Number::Unsigned(7))),
            ("+12", Some(Number::Unsigned(12))),
            ("-12", Some(Number::Signed(-12))),
            ("0x1F", Some(Number::Unsigned(31))),
            ("0o17", Some(Number::Unsigned(15))),
            ("1.", Some(Number::Float(1.0))),
            (".5", Some(Number::Float(0.5))),
            ("-1.5e3", Some(Number::Float(-1500.0))),
            (
                "18446744073709551616",
                Some(Number::Float(18_446_744_073_709_551_616.0)),
            ),
            (".inf", Some(Number::Float(f64::INFINITY))),
            ("1e", None),
            ("e1", None),
            (".", None),
            ("-", None),
            ("0x", None),
            ("0xg", None),
            ("1_000", None),
            ("12:30", None),
            ("2026-01-01", None),
            ("inf", None),
            ("nan", None),
            ("yes", None),
            ("1.2.3", None),
        ] {
            assert_eq!(number(text), expected, "{text}");
        }
    }
}
