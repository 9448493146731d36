//! Reads one entity from a form with keys and lists (YAML, JSON), driven by the schema.
//!
//! Every flaw is noted and reading goes on: an input shows all that is wrong with it. An
//! `Err` is for what stops the form's own parser.

use std::collections::BTreeMap;
use std::marker::PhantomData;

use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess};

use crate::graph::issue::Code;
use crate::wire::feed::flaw::{Context, Step, nearest, quote};
use crate::wire::feed::visit::{Shape, Text, Want};

/// A message of the schema.
pub(super) trait Message: Default {
    /// Code of a key that is none of `FIELDS`.
    const UNKNOWN: Code = Code::UnknownField;
    /// Names of the fields in `snake_case`, those of `oneof`s included.
    const FIELDS: &'static [&'static str];

    /// Reads the field `FIELDS[index]`.
    fn read_field<'de, D: Deserializer<'de>>(
        &mut self,
        index: usize,
        from: D,
        cx: &mut Context<'_>,
    ) -> Result<(), D::Error>;
}

/// Something that a field holds.
pub(super) trait Field {
    /// Reads the value.
    fn read<'de, D: Deserializer<'de>>(
        &mut self,
        from: D,
        cx: &mut Context<'_>,
    ) -> Result<(), D::Error>;
}

/// How a field of type `T` is read when its type does not say: words of an enum, digests.
pub(super) trait Reads<T> {
    /// Reads the value.
    fn read<'de, D: Deserializer<'de>>(
        slot: &mut T,
        from: D,
        cx: &mut Context<'_>,
    ) -> Result<(), D::Error>;
}

/// The way the type says.
pub(super) struct Plain;

impl<T: Field> Reads<T> for Plain {
    fn read<'de, D: Deserializer<'de>>(
        slot: &mut T,
        from: D,
        cx: &mut Context<'_>,
    ) -> Result<(), D::Error> {
        slot.read(from, cx)
    }
}

// === messages ===

impl<M: Message> Field for M {
    fn read<'de, D: Deserializer<'de>>(
        &mut self,
        from: D,
        cx: &mut Context<'_>,
    ) -> Result<(), D::Error> {
        from.deserialize_any(Shape {
            want: Fields(self),
            cx,
        })
    }
}

/// Fills a message.
pub(super) struct Fields<'m, M>(pub(super) &'m mut M);

impl<M: Message> Want for Fields<'_, M> {
    type Out = ();
    const WANTED: &'static str = "an object";

    fn object<'de, A: MapAccess<'de>>(
        self,
        mut map: A,
        cx: &mut Context<'_>,
    ) -> Result<(), A::Error> {
        let mut seen = 0_u64;
        let mut next = 0;
        while let Some(key) = map.next_key_seed(Text {
            cx: &mut *cx,
            wanted: "a field name",
        })? {
            let Some(key) = key else {
                map.next_value::<IgnoredAny>()?;
                continue;
            };
            let Some((index, name)) = find(M::FIELDS, &key, next) else {
                unknown::<M>(&key, cx);
                map.next_value::<IgnoredAny>()?;
                continue;
            };
            next = index.saturating_add(1);
            cx.enter(Step::Field(name));
            let bit = 1_u64
                .checked_shl(u32::try_from(index).unwrap_or(u32::MAX))
                .unwrap_or(0);
            if seen & bit == 0 {
                seen |= bit;
                map.next_value_seed(OneField {
                    message: &mut *self.0,
                    index,
                    cx: &mut *cx,
                })?;
            } else {
                cx.flaw(
                    Code::DuplicateField,
                    format!("the field {} twice", quote(&key)),
                    "it once",
                );
                map.next_value::<IgnoredAny>()?;
            }
            cx.leave();
        }
        Ok(())
    }
}

/// Finds a field by either of its names; `next` is a guess, as fields mostly come in order.
fn find(fields: &'static [&'static str], key: &str, next: usize) -> Option<(usize, &'static str)> {
    let (before, after) = fields.split_at_checked(next).unwrap_or((fields, &[]));
    let position = after
        .iter()
        .position(|f| is_named(f, key))
        .and_then(|p| p.checked_add(next))
        .or_else(|| before.iter().position(|f| is_named(f, key)))?;
    Some((position, bare(fields.get(position)?)))
}

/// Whether `key` is the field `snake`, as it is or in `lowerCamelCase`.
fn is_named(snake: &'static str, key: &str) -> bool {
    let snake = bare(snake);
    if snake == key {
        return true;
    }
    let mut key = key.bytes();
    let mut upper = false;
    for byte in snake.bytes() {
        if byte == b'_' {
            upper = true;
        } else {
            let wanted = if upper {
                byte.to_ascii_uppercase()
            } else {
                byte
            };
            upper = false;
            if key.next() != Some(wanted) {
                return false;
            }
        }
    }
    key.next().is_none()
}

/// The name without Rust's mark for words that it reserves.
pub(super) fn bare(name: &'static str) -> &'static str {
    name.strip_prefix("r#").unwrap_or(name)
}

fn unknown<M: Message>(key: &str, cx: &mut Context<'_>) {
    let known = M::FIELDS.iter().map(|f| bare(f));
    let allowed = match nearest(key, known.clone()) {
        Some(near) => near.to_owned(),
        None if M::FIELDS.len() == 1 => known.collect(),
        None => format!("one of {}", known.collect::<Vec<_>>().join(", ")),
    };
    let thing = if M::UNKNOWN == Code::UnknownKind {
        "kind"
    } else {
        "field"
    };
    cx.enter(Step::Unknown(key.to_owned()));
    cx.flaw(M::UNKNOWN, format!("the {thing} {}", quote(key)), allowed);
    cx.leave();
}

/// Reads one field of a message.
struct OneField<'m, 'c, 'l, M> {
    message: &'m mut M,
    index: usize,
    cx: &'c mut Context<'l>,
}

impl<'de, M: Message> DeserializeSeed<'de> for OneField<'_, '_, '_, M> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<(), D::Error> {
        self.message.read_field(self.index, from, self.cx)
    }
}

// === lists and maps ===

/// What a list may hold besides numbers.
pub(super) trait Element: Field + Default {}
impl Element for String {}
impl<M: Message> Element for M {}

impl<T: Element> Field for Vec<T> {
    fn read<'de, D: Deserializer<'de>>(
        &mut self,
        from: D,
        cx: &mut Context<'_>,
    ) -> Result<(), D::Error> {
        read_list::<T, Plain, D>(self, from, cx)
    }
}

/// Reads a list, each element as `R` says.
pub(super) fn read_list<'de, T: Default, R: Reads<T>, D: Deserializer<'de>>(
    list: &mut Vec<T>,
    from: D,
    cx: &mut Context<'_>,
) -> Result<(), D::Error> {
    from.deserialize_any(Shape {
        want: Elements::<T, R>(list, PhantomData),
        cx,
    })
}

/// Fills a list.
struct Elements<'m, T, R>(&'m mut Vec<T>, PhantomData<R>);

impl<T: Default, R: Reads<T>> Want for Elements<'_, T, R> {
    type Out = ();
    const WANTED: &'static str = "a list";

    fn list<'de, A: SeqAccess<'de>>(
        self,
        mut seq: A,
        cx: &mut Context<'_>,
    ) -> Result<(), A::Error> {
        let mut index = 0_usize;
        loop {
            let mut element = T::default();
            cx.enter(Step::Index(index));
            let seed = OneElement::<T, R> {
                slot: &mut element,
                cx,
                how: PhantomData,
            };
            let read = seq.next_element_seed(seed)?;
            cx.leave();
            if read.is_none() {
                return Ok(());
            }
            self.0.push(element);
            index = index.saturating_add(1);
        }
    }
}

/// Reads one element of a list.
struct OneElement<'m, 'c, 'l, T, R> {
    slot: &'m mut T,
    cx: &'c mut Context<'l>,
    how: PhantomData<R>,
}

impl<'de, T, R: Reads<T>> DeserializeSeed<'de> for OneElement<'_, '_, '_, T, R> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<(), D::Error> {
        R::read(self.slot, from, self.cx)
    }
}

impl Field for BTreeMap<String, String> {
    fn read<'de, D: Deserializer<'de>>(
        &mut self,
        from: D,
        cx: &mut Context<'_>,
    ) -> Result<(), D::Error> {
        from.deserialize_any(Shape {
            want: Pairs(self),
            cx,
        })
    }
}

/// Fills a map.
struct Pairs<'m>(&'m mut BTreeMap<String, String>);

impl Want for Pairs<'_> {
    type Out = ();
    const WANTED: &'static str = "an object of strings";

    fn object<'de, A: MapAccess<'de>>(
        self,
        mut map: A,
        cx: &mut Context<'_>,
    ) -> Result<(), A::Error> {
        while let Some(key) = map.next_key_seed(Text {
            cx: &mut *cx,
            wanted: "a key",
        })? {
            let Some(key) = key else {
                map.next_value::<IgnoredAny>()?;
                continue;
            };
            cx.enter(Step::Key(key.clone().into_owned()));
            let value = map.next_value_seed(Text {
                cx: &mut *cx,
                wanted: "a string",
            })?;
            if self.0.contains_key(&*key) {
                cx.flaw(
                    Code::DuplicateField,
                    format!("the key {} twice", quote(&key)),
                    "it once",
                );
            }
            cx.leave();
            if let Some(value) = value {
                self.0.insert(key.into_owned(), value.into_owned());
            }
        }
        Ok(())
    }
}

// === optional values ===

impl<T: Field + Default> Field for Option<T> {
    fn read<'de, D: Deserializer<'de>>(
        &mut self,
        from: D,
        cx: &mut Context<'_>,
    ) -> Result<(), D::Error> {
        self.insert(T::default()).read(from, cx)
    }
}
