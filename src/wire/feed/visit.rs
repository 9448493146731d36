//! What stands in a value's place: a scalar, a list, an object, or something else than was
//! wanted, which is noted and read over.

use std::borrow::Cow;
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};

use crate::graph::issue::Code;
use crate::wire::feed::flaw::{Context, quote};

/// Something that is read from an object or from a list.
pub(super) trait Want: Sized {
    /// What it makes; the default where something else stood.
    type Out: Default;
    /// What is wanted; for messages.
    const WANTED: &'static str;
    /// What to write instead of null; for messages.
    const IF_NONE: &'static str = "leave it out if there is none";

    /// Reads an object.
    fn object<'de, A: MapAccess<'de>>(
        self,
        mut map: A,
        cx: &mut Context<'_>,
    ) -> Result<Self::Out, A::Error> {
        while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(wrong(cx, "an object", Self::WANTED))
    }

    /// Reads a list.
    fn list<'de, A: SeqAccess<'de>>(
        self,
        mut seq: A,
        cx: &mut Context<'_>,
    ) -> Result<Self::Out, A::Error> {
        while seq.next_element::<IgnoredAny>()?.is_some() {}
        Ok(wrong(cx, "a list", Self::WANTED))
    }
}

fn wrong<T: Default>(cx: &mut Context<'_>, found: impl Into<String>, wanted: &str) -> T {
    cx.flaw(Code::WrongType, found, wanted);
    T::default()
}

fn null<T: Default>(cx: &mut Context<'_>, wanted: &str, if_none: &str) -> T {
    wrong(cx, "null", &format!("{wanted}; {if_none}"))
}

/// The visitor of a `Want`.
pub(super) struct Shape<'c, 'l, W> {
    /// What is wanted.
    pub(super) want: W,
    /// Where flaws are noted.
    pub(super) cx: &'c mut Context<'l>,
}

impl<W: Want> Shape<'_, '_, W> {
    fn scalar<E>(self, found: &Scalar<'_>) -> Result<W::Out, E> {
        Ok(wrong(self.cx, found.to_string(), W::WANTED))
    }
}

impl<'de, W: Want> Visitor<'de> for Shape<'_, '_, W> {
    type Value = W::Out;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(W::WANTED)
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<W::Out, A::Error> {
        self.want.object(map, self.cx)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, seq: A) -> Result<W::Out, A::Error> {
        self.want.list(seq, self.cx)
    }

    fn visit_unit<E: Error>(self) -> Result<W::Out, E> {
        Ok(null(self.cx, W::WANTED, W::IF_NONE))
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<W::Out, E> {
        self.scalar(&Scalar::Bool(value))
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<W::Out, E> {
        self.scalar(&Scalar::Whole(value.into()))
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<W::Out, E> {
        self.scalar(&Scalar::Whole(value.into()))
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<W::Out, E> {
        self.scalar(&Scalar::Number(value))
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<W::Out, E> {
        self.scalar(&Scalar::Text(Cow::Borrowed(text)))
    }
}

// === scalars ===

/// A value without parts.
#[derive(Debug)]
pub(super) enum Scalar<'de> {
    /// `true`, `false`.
    Bool(bool),
    /// A whole number.
    Whole(i128),
    /// Another number.
    Number(f64),
    /// A string.
    Text(Cow<'de, str>),
}

impl fmt::Display for Scalar<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Bool(value) => write!(f, "the word {value}"),
            Self::Whole(value) => write!(f, "the number {value}"),
            Self::Number(value) => write!(f, "the number {value}"),
            Self::Text(text) => write!(f, "the string {}", quote(text)),
        }
    }
}

/// The visitor of a scalar.
struct Scalars<'c, 'l> {
    cx: &'c mut Context<'l>,
    wanted: &'static str,
}

impl<'de> Visitor<'de> for Scalars<'_, '_> {
    type Value = Option<Scalar<'de>>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.wanted)
    }

    fn visit_borrowed_str<E: Error>(self, text: &'de str) -> Result<Self::Value, E> {
        Ok(Some(Scalar::Text(Cow::Borrowed(text))))
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Self::Value, E> {
        self.visit_string(text.to_owned())
    }

    fn visit_string<E: Error>(self, text: String) -> Result<Self::Value, E> {
        Ok(Some(Scalar::Text(Cow::Owned(text))))
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<Self::Value, E> {
        Ok(Some(Scalar::Bool(value)))
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<Self::Value, E> {
        Ok(Some(Scalar::Whole(value.into())))
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<Self::Value, E> {
        Ok(Some(Scalar::Whole(value.into())))
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<Self::Value, E> {
        Ok(Some(Scalar::Number(value)))
    }

    fn visit_unit<E: Error>(self) -> Result<Self::Value, E> {
        Ok(null(self.cx, self.wanted, "leave it out if there is none"))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
        while seq.next_element::<IgnoredAny>()?.is_some() {}
        Ok(wrong(self.cx, "a list", self.wanted))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(wrong(self.cx, "an object", self.wanted))
    }
}

/// Reads a scalar; `None`: it was none, and that is noted.
pub(super) fn read_scalar<'de, D: Deserializer<'de>>(
    from: D,
    cx: &mut Context<'_>,
    wanted: &'static str,
) -> Result<Option<Scalar<'de>>, D::Error> {
    from.deserialize_any(Scalars { cx, wanted })
}

/// Reads a string; `None`: it was none, and that is noted.
pub(super) fn read_text<'de, D: Deserializer<'de>>(
    from: D,
    cx: &mut Context<'_>,
    wanted: &'static str,
) -> Result<Option<Cow<'de, str>>, D::Error> {
    Ok(match read_scalar(from, cx, wanted)? {
        None => None,
        Some(Scalar::Text(text)) => Some(text),
        Some(other) => {
            cx.flaw(
                Code::WrongType,
                other.to_string(),
                format!("{wanted}; quote it"),
            );
            None
        }
    })
}

/// A seed for `read_text`.
pub(super) struct Text<'c, 'l> {
    /// Where flaws are noted.
    pub(super) cx: &'c mut Context<'l>,
    /// What is wanted; for messages.
    pub(super) wanted: &'static str,
}

impl<'de> DeserializeSeed<'de> for Text<'_, '_> {
    type Value = Option<Cow<'de, str>>;

    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<Self::Value, D::Error> {
        read_text(from, self.cx, self.wanted)
    }
}
