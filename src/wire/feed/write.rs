//! Writes entities in a form with keys and lists (YAML, JSON), driven by the schema.
//!
//! Names are in `snake_case`, words of enums short, and what is absent is left out.

pub(super) mod json;
pub(super) mod yaml;

use std::collections::BTreeMap;

use prost_types::{Duration, Timestamp};

use crate::wire::feed::read::{Message, Plain};
use crate::wire::feed::scalar;
use crate::wire::feed::value::{Digest, Word, Words};

/// A form that is being written.
pub(super) trait Out {
    /// Begins an object.
    fn open_object(&mut self);
    /// The next value is that of this key.
    fn key(&mut self, name: &str);
    /// Ends an object.
    fn close_object(&mut self);
    /// Begins a list.
    fn open_list(&mut self);
    /// The next value is an element.
    fn item(&mut self);
    /// Ends a list.
    fn close_list(&mut self);
    /// A string.
    fn text(&mut self, text: &str);
    /// A value that is no string, as it is written: a number, `true`.
    fn plain(&mut self, text: &str);
}

/// A message of the schema.
pub(super) trait PutMessage {
    /// Writes the fields that are there.
    fn put_fields(&self, out: &mut dyn Out);
}

/// Something that a field holds.
pub(super) trait Put {
    /// Whether to leave it out.
    fn is_absent(&self) -> bool;
    /// Writes it.
    fn put(&self, out: &mut dyn Out);
}

/// How a field of type `T` is written when its type does not say.
pub(super) trait Puts<T> {
    /// Whether to leave it out.
    fn is_absent(value: &T) -> bool;
    /// Writes it.
    fn put(value: &T, out: &mut dyn Out);
}

impl<T: Put> Puts<T> for Plain {
    fn is_absent(value: &T) -> bool {
        value.is_absent()
    }

    fn put(value: &T, out: &mut dyn Out) {
        value.put(out);
    }
}

impl<M: PutMessage + Message> Put for M {
    fn is_absent(&self) -> bool {
        false
    }

    fn put(&self, out: &mut dyn Out) {
        out.open_object();
        self.put_fields(out);
        out.close_object();
    }
}

impl<T: Put> Put for Option<T> {
    fn is_absent(&self) -> bool {
        self.is_none()
    }

    fn put(&self, out: &mut dyn Out) {
        if let Some(value) = self {
            value.put(out);
        }
    }
}

/// What a list may hold besides numbers.
trait PutElement: Put {}
impl PutElement for String {}
impl<M: PutMessage + Message> PutElement for M {}

impl<T: PutElement> Put for Vec<T> {
    fn is_absent(&self) -> bool {
        self.is_empty()
    }

    fn put(&self, out: &mut dyn Out) {
        out.open_list();
        for element in self {
            out.item();
            element.put(out);
        }
        out.close_list();
    }
}

impl Put for BTreeMap<String, String> {
    fn is_absent(&self) -> bool {
        self.is_empty()
    }

    fn put(&self, out: &mut dyn Out) {
        out.open_object();
        for (key, value) in self {
            out.key(key);
            out.text(value);
        }
        out.close_object();
    }
}

impl Put for String {
    fn is_absent(&self) -> bool {
        self.is_empty()
    }

    fn put(&self, out: &mut dyn Out) {
        out.text(self);
    }
}

impl Put for bool {
    fn is_absent(&self) -> bool {
        !self
    }

    fn put(&self, out: &mut dyn Out) {
        out.plain(if *self { "true" } else { "false" });
    }
}

impl Put for u32 {
    fn is_absent(&self) -> bool {
        *self == 0
    }

    fn put(&self, out: &mut dyn Out) {
        out.plain(&self.to_string());
    }
}

impl Put for u64 {
    fn is_absent(&self) -> bool {
        *self == 0
    }

    fn put(&self, out: &mut dyn Out) {
        // A JSON number of another reader may hold no more than 53 bits.
        if *self < 1 << 53 {
            out.plain(&self.to_string());
        } else {
            out.text(&self.to_string());
        }
    }
}

impl Put for Timestamp {
    fn is_absent(&self) -> bool {
        false
    }

    fn put(&self, out: &mut dyn Out) {
        out.text(&self.to_string());
    }
}

impl Put for Duration {
    fn is_absent(&self) -> bool {
        false
    }

    fn put(&self, out: &mut dyn Out) {
        out.text(&scalar::duration_text(self));
    }
}

impl Put for Vec<u8> {
    fn is_absent(&self) -> bool {
        self.is_empty()
    }

    fn put(&self, out: &mut dyn Out) {
        out.text(&scalar::bytes_text(self));
    }
}

impl Puts<Vec<u8>> for Digest {
    fn is_absent(value: &Vec<u8>) -> bool {
        value.is_empty()
    }

    fn put(value: &Vec<u8>, out: &mut dyn Out) {
        out.text(&scalar::digest_text(value));
    }
}

impl<E: Word> Puts<i32> for Words<E> {
    fn is_absent(value: &i32) -> bool {
        *value == 0
    }

    fn put(value: &i32, out: &mut dyn Out) {
        match E::try_from(*value) {
            Ok(word) => out.text(word.short()),
            Err(_) => out.plain(&value.to_string()),
        }
    }
}

impl<E: Word> Puts<Vec<i32>> for Words<E> {
    fn is_absent(value: &Vec<i32>) -> bool {
        value.is_empty()
    }

    fn put(value: &Vec<i32>, out: &mut dyn Out) {
        out.open_list();
        for number in value {
            out.item();
            <Self as Puts<i32>>::put(number, out);
        }
        out.close_list();
    }
}
