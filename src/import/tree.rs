//! A YAML file as a tree that remembers its lines.

use std::cell::Cell;
use std::fmt;

use serde::de::{Deserializer, Error, MapAccess, SeqAccess, Visitor};

/// A value and the line where it begins.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Node {
    /// From 1.
    pub(super) line: u32,
    /// What stands there.
    pub(super) value: Value,
}

/// What a YAML file may hold here.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Value {
    Null,
    Bool(bool),
    /// A number without quotes; how it was spelt is lost.
    Number,
    Text(String),
    List(Vec<Node>),
    Map(Vec<(Node, Node)>),
}

impl Value {
    /// What this is; for messages.
    pub(super) const fn word(&self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Bool(_) => "true or false without quotes",
            Self::Number => "a number without quotes",
            Self::Text(_) => "a text",
            Self::List(_) => "a list",
            Self::Map(_) => "an object",
        }
    }
}

/// Reads one value; `line` is kept up to date by the parser.
#[derive(Debug, Clone, Copy)]
pub(super) struct Seed<'l>(pub(super) &'l Cell<u32>);

impl<'de> serde::de::DeserializeSeed<'de> for Seed<'_> {
    type Value = Node;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Node, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl Seed<'_> {
    const fn node(self, value: Value) -> Node {
        Node {
            line: self.0.get(),
            value,
        }
    }
}

impl<'de> Visitor<'de> for Seed<'_> {
    type Value = Node;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_unit<E: Error>(self) -> Result<Node, E> {
        Ok(self.node(Value::Null))
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<Node, E> {
        Ok(self.node(Value::Bool(value)))
    }

    fn visit_i64<E: Error>(self, _: i64) -> Result<Node, E> {
        Ok(self.node(Value::Number))
    }

    fn visit_u64<E: Error>(self, _: u64) -> Result<Node, E> {
        Ok(self.node(Value::Number))
    }

    fn visit_f64<E: Error>(self, _: f64) -> Result<Node, E> {
        Ok(self.node(Value::Number))
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Node, E> {
        Ok(self.node(Value::Text(text.to_owned())))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Node, A::Error> {
        let line = self.0.get();
        let mut nodes = Vec::new();
        while let Some(node) = list.next_element_seed(self)? {
            nodes.push(node);
        }
        Ok(Node {
            line,
            value: Value::List(nodes),
        })
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Node, A::Error> {
        let line = self.0.get();
        let mut entries = Vec::new();
        while let Some(key) = map.next_key_seed(self)? {
            entries.push((key, map.next_value_seed(self)?));
        }
        Ok(Node {
            line,
            value: Value::Map(entries),
        })
    }
}
