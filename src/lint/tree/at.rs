//! A place in a tree.

use std::fmt::Write as _;
use std::rc::Rc;
use std::time::Duration;

use crate::lint::tree::{Node, Value};

/// A node, and the way to it from the root.
#[derive(Debug, Clone)]
pub struct At<'t> {
    node: &'t Node,
    way: Option<Rc<Link<'t>>>,
}

#[derive(Debug)]
struct Link<'t> {
    above: Option<Rc<Link<'t>>>,
    step: Step<'t>,
}

#[derive(Debug, Clone, Copy)]
enum Step<'t> {
    Key(&'t str),
    Index(usize),
}

impl<'t> At<'t> {
    /// The root of a tree.
    #[must_use]
    pub const fn root(node: &'t Node) -> Self {
        Self { node, way: None }
    }

    /// What stands here.
    #[must_use]
    pub const fn node(&self) -> &'t Node {
        self.node
    }

    fn below(&self, node: &'t Node, step: Step<'t>) -> Self {
        let above = self.way.clone();
        Self {
            node,
            way: Some(Rc::new(Link { above, step })),
        }
    }

    /// A field by its name in the proto file; the name in lower camel case is the same field.
    /// `null` is a field that is not set.
    #[must_use]
    pub fn get(&self, field: &str) -> Option<Self> {
        let Value::Map(entries) = &self.node.value else {
            return None;
        };
        let (key, node) = entries.iter().find(|(key, _)| same_field(key, field))?;
        (node.value != Value::Null).then(|| self.below(node, Step::Key(key)))
    }

    /// A field of a field of a field.
    #[must_use]
    pub fn find(&self, fields: &[&str]) -> Option<Self> {
        let mut at = self.clone();
        for field in fields {
            at = at.get(field)?;
        }
        Some(at)
    }

    /// The elements, if this is a list.
    #[must_use]
    pub fn items(&self) -> Vec<Self> {
        match &self.node.value {
            Value::List(nodes) => nodes
                .iter()
                .enumerate()
                .map(|(index, node)| self.below(node, Step::Index(index)))
                .collect(),
            _ => Vec::new(),
        }
    }

    /// The elements of a list field.
    #[must_use]
    pub fn list(&self, field: &str) -> Vec<Self> {
        self.get(field).map_or_else(Vec::new, |at| at.items())
    }

    /// Keys as written and their values, if this is an object.
    #[must_use]
    pub fn entries(&self) -> Vec<(&'t str, Self)> {
        match &self.node.value {
            Value::Map(entries) => entries
                .iter()
                .map(|(key, node)| (key.as_str(), self.below(node, Step::Key(key))))
                .collect(),
            _ => Vec::new(),
        }
    }

    /// Whether this is an object.
    #[must_use]
    pub const fn is_map(&self) -> bool {
        matches!(self.node.value, Value::Map(_))
    }

    /// A scalar as it is written.
    #[must_use]
    pub fn text(&self) -> Option<&'t str> {
        match &self.node.value {
            Value::Plain(text) | Value::Text(text) => Some(text),
            _ => None,
        }
    }

    /// A scalar field as it is written.
    #[must_use]
    pub fn text_of(&self, field: &str) -> Option<&'t str> {
        self.get(field)?.text()
    }

    /// A truth value, in each spelling that Envoy takes: those of YAML without quotes, and of
    /// protobuf's reader in a string. A number is none.
    #[must_use]
    pub fn flag(&self) -> Option<bool> {
        let text = self.text()?.to_ascii_lowercase();
        let is_plain = matches!(self.node.value, Value::Plain(_));
        match text.as_str() {
            "true" | "t" | "yes" | "y" => Some(true),
            "false" | "f" | "no" | "n" => Some(false),
            "on" if is_plain => Some(true),
            "off" if is_plain => Some(false),
            "1" if !is_plain => Some(true),
            "0" if !is_plain => Some(false),
            _ => None,
        }
    }

    /// A whole number.
    #[must_use]
    pub fn number(&self) -> Option<u64> {
        let text = self.text()?;
        if let Ok(number) = text.parse() {
            return Some(number);
        }
        let (whole, zeros) = text.split_once('.')?;
        zeros.bytes().all(|b| b == b'0').then_some(())?;
        whole.parse().ok()
    }

    /// A duration as protobuf writes it in JSON: `0.25s`.
    #[must_use]
    pub fn duration(&self) -> Option<Duration> {
        let text = self.text()?.strip_suffix('s')?;
        let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
        if fraction.len() > 9 || !fraction.bytes().all(|b| b.is_ascii_digit()) {
            return None;
        }
        let seconds = whole.parse().ok()?;
        let nanos = format!("{fraction:0<9}").parse().ok()?;
        Some(Duration::new(seconds, nanos))
    }

    /// The full name of the message in an `Any`, and where its fields stand: here, or in the
    /// `value` of a `TypedStruct`.
    #[must_use]
    pub fn typed(&self) -> Option<(&'t str, Self)> {
        let name = type_name(self.text_of("@type")?);
        if !name.ends_with("TypedStruct") {
            return Some((name, self.clone()));
        }
        let inner = type_name(self.text_of("type_url")?);
        Some((inner, self.get("value")?))
    }

    /// The way from the root, as a JSON pointer (RFC 6901).
    #[must_use]
    pub fn pointer(&self) -> String {
        let mut steps = Vec::new();
        let mut link = self.way.as_deref();
        while let Some(Link { above, step }) = link {
            steps.push(*step);
            link = above.as_deref();
        }
        let mut pointer = String::new();
        for step in steps.iter().rev() {
            let written = match step {
                Step::Key(key) => {
                    let key = key.replace('~', "~0").replace('/', "~1");
                    write!(pointer, "/{key}")
                }
                Step::Index(index) => write!(pointer, "/{index}"),
            };
            debug_assert!(written.is_ok(), "writing to a string does not fail");
        }
        pointer
    }
}

fn type_name(url: &str) -> &str {
    url.rsplit_once('/').map_or(url, |(_, name)| name)
}

/// Whether `key` is `field` in snake case, or in lower camel case.
#[must_use]
pub fn same_field(key: &str, field: &str) -> bool {
    if key == field {
        return true;
    }
    let mut key = key.chars();
    let mut is_after_underscore = false;
    for c in field.chars() {
        if c == '_' {
            is_after_underscore = true;
            continue;
        }
        let expected = if is_after_underscore {
            c.to_ascii_uppercase()
        } else {
            c
        };
        is_after_underscore = false;
        if key.next() != Some(expected) {
            return false;
        }
    }
    key.next().is_none()
}
