//! Values without parts, each from the scalar that stands for it.

use std::fmt;
use std::marker::PhantomData;

use prost_types::{Duration, Timestamp};
use serde::de::Deserializer;

use crate::graph::issue::Code;
use crate::wire::feed::flaw::{Context, quote};
use crate::wire::feed::read::{Field, Reads, read_list};
use crate::wire::feed::scalar;
use crate::wire::feed::visit::{Scalar, read_scalar, read_text};

impl Field for String {
    fn read<'de, D: Deserializer<'de>>(
        &mut self,
        from: D,
        cx: &mut Context<'_>,
    ) -> Result<(), D::Error> {
        if let Some(text) = read_text(from, cx, "a string")? {
            *self = text.into_owned();
        }
        Ok(())
    }
}

impl Field for bool {
    fn read<'de, D: Deserializer<'de>>(
        &mut self,
        from: D,
        cx: &mut Context<'_>,
    ) -> Result<(), D::Error> {
        match read_scalar(from, cx, "true or false")? {
            None => {}
            Some(Scalar::Bool(value)) => *self = value,
            Some(other) => cx.flaw(Code::WrongType, other.to_string(), "true or false"),
        }
        Ok(())
    }
}

impl Field for u32 {
    fn read<'de, D: Deserializer<'de>>(
        &mut self,
        from: D,
        cx: &mut Context<'_>,
    ) -> Result<(), D::Error> {
        read_whole(from, cx, self)
    }
}

impl Field for u64 {
    fn read<'de, D: Deserializer<'de>>(
        &mut self,
        from: D,
        cx: &mut Context<'_>,
    ) -> Result<(), D::Error> {
        read_whole(from, cx, self)
    }
}

/// A whole number, or its decimal digits in a string (proto3 JSON writes 64 bits so).
fn read_whole<'de, N, D>(from: D, cx: &mut Context<'_>, slot: &mut N) -> Result<(), D::Error>
where
    N: TryFrom<i128> + fmt::Display + Bounded,
    D: Deserializer<'de>,
{
    let Some(scalar) = read_scalar(from, cx, "a whole number")? else {
        return Ok(());
    };
    let number = match &scalar {
        Scalar::Whole(value) => Some(*value),
        Scalar::Text(digits) if is_decimal(digits) => whole(digits),
        // Beyond 2^53 a float may stand for several whole numbers.
        Scalar::Number(value) if value.fract() == 0.0 && value.abs() < 9_007_199_254_740_992.0 => {
            whole(&format!("{value:.0}"))
        }
        Scalar::Bool(_) | Scalar::Text(_) | Scalar::Number(_) => None,
    };
    match number.map(N::try_from) {
        None => cx.flaw(Code::WrongType, scalar.to_string(), "a whole number"),
        Some(Ok(value)) => *slot = value,
        Some(Err(_)) => cx.flaw(
            Code::OutOfBounds,
            scalar.to_string(),
            format!("0 to {}", N::MAX),
        ),
    }
    Ok(())
}

/// A type of number that has a greatest value.
trait Bounded {
    const MAX: Self;
}
impl Bounded for u32 {
    const MAX: Self = Self::MAX;
}
impl Bounded for u64 {
    const MAX: Self = Self::MAX;
}

fn whole(digits: &str) -> Option<i128> {
    let Ok(value) = digits.parse() else {
        return None;
    };
    Some(value)
}

/// Digits without a leading zero, perhaps with a sign; short enough for `i128`.
fn is_decimal(text: &str) -> bool {
    let digits = text.strip_prefix('-').unwrap_or(text);
    (1..=38).contains(&digits.len())
        && digits.bytes().all(|b| b.is_ascii_digit())
        && (digits.len() == 1 || !digits.starts_with('0'))
}

impl Field for Timestamp {
    fn read<'de, D: Deserializer<'de>>(
        &mut self,
        from: D,
        cx: &mut Context<'_>,
    ) -> Result<(), D::Error> {
        read_parsed(from, cx, self, scalar::timestamp, scalar::TIMESTAMP_FORM)
    }
}

impl Field for Duration {
    fn read<'de, D: Deserializer<'de>>(
        &mut self,
        from: D,
        cx: &mut Context<'_>,
    ) -> Result<(), D::Error> {
        read_parsed(from, cx, self, scalar::duration, scalar::DURATION_FORM)
    }
}

/// Bytes that are no digest.
impl Field for Vec<u8> {
    fn read<'de, D: Deserializer<'de>>(
        &mut self,
        from: D,
        cx: &mut Context<'_>,
    ) -> Result<(), D::Error> {
        read_parsed(from, cx, self, scalar::bytes, scalar::BYTES_FORM)
    }
}

fn read_parsed<'de, T, D: Deserializer<'de>>(
    from: D,
    cx: &mut Context<'_>,
    slot: &mut T,
    parse: fn(&str) -> Option<T>,
    form: &'static str,
) -> Result<(), D::Error> {
    let Some(text) = read_text(from, cx, form)? else {
        return Ok(());
    };
    match parse(&text) {
        Some(value) => *slot = value,
        None => cx.flaw(
            Code::InvalidValue,
            format!("the string {}", quote(&text)),
            form,
        ),
    }
    Ok(())
}

/// A digest of a key. What stands in its place may be the key itself: never repeated.
pub(super) struct Digest;

impl Reads<Vec<u8>> for Digest {
    fn read<'de, D: Deserializer<'de>>(
        slot: &mut Vec<u8>,
        from: D,
        cx: &mut Context<'_>,
    ) -> Result<(), D::Error> {
        let Some(scalar) = read_scalar(from, cx, scalar::DIGEST_FORM)? else {
            return Ok(());
        };
        let Scalar::Text(text) = scalar else {
            cx.flaw(
                Code::WrongType,
                "a value that is no string",
                scalar::DIGEST_FORM,
            );
            return Ok(());
        };
        match scalar::digest(&text) {
            Some(digest) => *slot = digest.to_vec(),
            None => {
                let found = format!("a text of {} characters", text.chars().count());
                cx.flaw(Code::InvalidValue, found, scalar::DIGEST_FORM);
            }
        }
        Ok(())
    }
}

// === words of enums ===

/// An enum of the schema.
pub(super) trait Word: Copy + TryFrom<i32> {
    /// What the long words begin with, such as `VISIBILITY_`.
    const PREFIX: &'static str;

    /// The long word.
    fn long(self) -> &'static str;

    /// The short word.
    fn short(self) -> &'static str {
        self.long()
            .strip_prefix(Self::PREFIX)
            .unwrap_or_else(|| self.long())
    }

    /// All values but 0, which is never a word to write.
    fn all() -> impl Iterator<Item = (i32, Self)> {
        (1..).map_while(|number| match Self::try_from(number) {
            Ok(word) => Some((number, word)),
            Err(_) => None,
        })
    }

    /// What may stand there; for messages.
    fn allowed() -> String {
        format!(
            "one of {}",
            Self::all()
                .map(|(_, w)| w.short())
                .collect::<Vec<_>>()
                .join(", ")
        )
    }
}

/// The words of `E`, short or long, or its numbers.
pub(super) struct Words<E>(PhantomData<E>);

impl<E: Word> Reads<i32> for Words<E> {
    fn read<'de, D: Deserializer<'de>>(
        slot: &mut i32,
        from: D,
        cx: &mut Context<'_>,
    ) -> Result<(), D::Error> {
        let Some(scalar) = read_scalar(from, cx, "a word")? else {
            return Ok(());
        };
        let number = match &scalar {
            Scalar::Text(text) => {
                let word = text.strip_prefix(E::PREFIX).unwrap_or(text);
                let unspecified = (word == "UNSPECIFIED").then_some(0);
                unspecified.or_else(|| E::all().find(|(_, w)| w.short() == word).map(|(n, _)| n))
            }
            Scalar::Whole(value) => (0..)
                .zip(0_i128..=64)
                .find(|(n, w)| w == value && E::try_from(*n).is_ok())
                .map(|(n, _)| n),
            Scalar::Bool(_) | Scalar::Number(_) => None,
        };
        match number {
            Some(number) => *slot = number,
            None => cx.flaw(Code::InvalidValue, scalar.to_string(), E::allowed()),
        }
        Ok(())
    }
}

impl<E: Word> Reads<Vec<i32>> for Words<E> {
    fn read<'de, D: Deserializer<'de>>(
        slot: &mut Vec<i32>,
        from: D,
        cx: &mut Context<'_>,
    ) -> Result<(), D::Error> {
        read_list::<i32, Self, D>(slot, from, cx)
    }
}
