//! JSON into a tree.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::fmt;

use serde::de::{
    Deserialize as _, DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor,
};

use crate::limits::LINT_DEPTH_MAX;
use crate::lint::tree::{Budget, Node, Unreadable, Value};

/// Reads one JSON text.
pub(super) fn read(text: &str) -> Result<Node, Unreadable> {
    let budget = RefCell::new(Budget::new());
    let mut deserializer = serde_json::Deserializer::from_str(text);
    let seed = Seed {
        budget: &budget,
        depth: 0,
    };
    seed.deserialize(&mut deserializer)
        .and_then(|node| deserializer.end().map(|()| node))
        .map_err(|error| {
            let line = u32::try_from(error.line()).unwrap_or(u32::MAX);
            Unreadable::new(line, format!("no JSON: {error}"))
        })
}

#[derive(Debug, Clone, Copy)]
struct Seed<'b> {
    budget: &'b RefCell<Budget>,
    depth: usize,
}

impl Seed<'_> {
    fn node<E: Error>(self, value: Value) -> Result<Node, E> {
        if self.budget.borrow_mut().take(1) {
            Ok(Node { line: 0, value })
        } else {
            Err(E::custom(Unreadable::large(0)))
        }
    }

    fn deeper<E: Error>(self) -> Result<Self, E> {
        let depth = self.depth.saturating_add(1);
        if depth > LINT_DEPTH_MAX {
            return Err(E::custom(Unreadable::deep(0)));
        }
        Ok(Self { depth, ..self })
    }
}

impl<'de> DeserializeSeed<'de> for Seed<'_> {
    type Value = Node;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Node, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Seed<'_> {
    type Value = Node;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_unit<E: Error>(self) -> Result<Node, E> {
        self.node(Value::Null)
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<Node, E> {
        self.node(Value::Plain(value.to_string()))
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<Node, E> {
        self.node(Value::Plain(value.to_string()))
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<Node, E> {
        self.node(Value::Plain(value.to_string()))
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<Node, E> {
        self.node(Value::Plain(value.to_string()))
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Node, E> {
        self.node(Value::Text(text.to_owned()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Node, A::Error> {
        let below = self.deeper()?;
        let mut nodes = Vec::new();
        while let Some(node) = list.next_element_seed(below)? {
            nodes.push(node);
        }
        self.node(Value::List(nodes))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Node, A::Error> {
        let below = self.deeper()?;
        let mut seen = BTreeSet::new();
        let mut entries = Vec::new();
        while let Some(key) = map.next_key_seed(Key)? {
            if !seen.insert(key.clone()) {
                return Err(A::Error::custom(format_args!("`{key}` twice")));
            }
            entries.push((key, map.next_value_seed(below)?));
        }
        self.node(Value::Map(entries))
    }
}

#[derive(Debug, Clone, Copy)]
struct Key;

impl<'de> DeserializeSeed<'de> for Key {
    type Value = String;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<String, D::Error> {
        String::deserialize(deserializer)
    }
}
