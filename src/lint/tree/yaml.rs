//! YAML into a tree, as Envoy reads it: aliases are written out, a key marked `!ignore` is
//! dropped with its value (there anchors are kept).

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use saphyr_parser::{Event, Parser, ScalarStyle, ScanError, StrInput, Tag};

use crate::limits::LINT_DEPTH_MAX;
use crate::lint::tree::{Budget, Node, Unreadable, Value};

/// Reads one document.
pub(super) fn read(text: &str) -> Result<Node, Unreadable> {
    let mut reader = Reader {
        parser: Parser::new_from_str(text),
        anchors: BTreeMap::new(),
        budget: Budget::new(),
        line: 0,
    };
    loop {
        match reader.next()? {
            Event::StreamEnd => return Err(Unreadable::new(0, "an empty file")),
            Event::DocumentStart(_) => break,
            _ => {}
        }
    }
    let event = reader.next()?;
    let node = reader.value(event, 0)?;
    loop {
        match reader.next()? {
            Event::StreamEnd => return Ok(node),
            Event::DocumentStart(_) => {
                return Err(Unreadable::new(
                    reader.line,
                    "a second document (`---`): check one file each",
                ));
            }
            _ => {}
        }
    }
}

struct Reader<'t> {
    parser: Parser<'t, StrInput<'t>>,
    anchors: BTreeMap<usize, Node>,
    budget: Budget,
    line: u32,
}

impl<'t> Reader<'t> {
    fn next(&mut self) -> Result<Event<'t>, Unreadable> {
        let Some(next) = self.parser.next_event() else {
            return Err(Unreadable::new(self.line, "the file ends early"));
        };
        let (event, span) = next.map_err(|error| syntax(&error))?;
        self.line = u32::try_from(span.start.line()).unwrap_or(u32::MAX);
        Ok(event)
    }

    fn value(&mut self, event: Event<'t>, depth: usize) -> Result<Node, Unreadable> {
        let line = self.line;
        let is_open = matches!(event, Event::SequenceStart(..) | Event::MappingStart(..));
        if is_open && depth >= LINT_DEPTH_MAX {
            return Err(Unreadable::deep(line));
        }
        let (value, anchor) = match event {
            Event::Alias(anchor) => return self.alias(anchor, depth),
            Event::Scalar(text, style, anchor, tag) => {
                self.take(1)?;
                (self.scalar(text, style, tag.as_deref())?, anchor)
            }
            Event::SequenceStart(anchor, tag) => {
                self.no_tag(tag.as_deref())?;
                self.take(1)?;
                (self.list(depth)?, anchor)
            }
            Event::MappingStart(anchor, tag) => {
                self.no_tag(tag.as_deref())?;
                self.take(1)?;
                (self.map(depth)?, anchor)
            }
            _ => return Err(Unreadable::new(line, "no value where one is expected")),
        };
        let node = Node { line, value };
        if anchor > 0 {
            let (count, _) = measure(&node);
            self.take(count)?;
            self.anchors.insert(anchor, node.clone());
        }
        Ok(node)
    }

    fn alias(&mut self, anchor: usize, depth: usize) -> Result<Node, Unreadable> {
        let line = self.line;
        let Some(node) = self.anchors.get(&anchor) else {
            return Err(Unreadable::new(line, "an alias inside of what it names"));
        };
        let (count, height) = measure(node);
        if depth.saturating_add(height) > LINT_DEPTH_MAX {
            return Err(Unreadable::deep(line));
        }
        if !self.budget.take(count) {
            return Err(Unreadable::large(line));
        }
        Ok(node.clone())
    }

    fn list(&mut self, depth: usize) -> Result<Value, Unreadable> {
        let mut nodes = Vec::new();
        loop {
            match self.next()? {
                Event::SequenceEnd => return Ok(Value::List(nodes)),
                event => nodes.push(self.value(event, depth.saturating_add(1))?),
            }
        }
    }

    fn map(&mut self, depth: usize) -> Result<Value, Unreadable> {
        let mut seen = BTreeSet::new();
        let mut entries = Vec::new();
        loop {
            let (key, is_ignored) = match self.next()? {
                Event::MappingEnd => return Ok(Value::Map(entries)),
                Event::Scalar(key, _, 0, tag) => (key, self.ignored(tag.as_deref())?),
                _ => {
                    let found = "a key that is no plain word";
                    return Err(Unreadable::new(self.line, found));
                }
            };
            if *key == *"<<" {
                let found = "a merge key (`<<`), which Envoy does not read: write it out";
                return Err(Unreadable::new(self.line, found));
            }
            if !seen.insert(key.clone()) {
                return Err(Unreadable::new(self.line, format!("`{key}` twice")));
            }
            let event = self.next()?;
            let node = self.value(event, depth.saturating_add(1))?;
            if !is_ignored {
                entries.push((key.into_owned(), node));
            }
        }
    }

    fn scalar(
        &self,
        text: Cow<'t, str>,
        style: ScalarStyle,
        tag: Option<&Tag>,
    ) -> Result<Value, Unreadable> {
        self.no_tag(tag)?;
        Ok(match (style, &*text) {
            (ScalarStyle::Plain, "" | "~" | "null" | "Null" | "NULL") => Value::Null,
            (ScalarStyle::Plain, _) => Value::Plain(text.into_owned()),
            _ => Value::Text(text.into_owned()),
        })
    }

    fn ignored(&self, tag: Option<&Tag>) -> Result<bool, Unreadable> {
        match tag {
            Some(tag) if tag.handle == "!" && tag.suffix == "ignore" => Ok(true),
            other => self.no_tag(other).map(|()| false),
        }
    }

    fn no_tag(&self, tag: Option<&Tag>) -> Result<(), Unreadable> {
        match tag {
            None => Ok(()),
            // Envoy's reader does not look at them.
            Some(tag) if tag.is_yaml_core_schema() => Ok(()),
            Some(tag) => {
                let found = format!("a tag (`{tag}`), which says nothing to Envoy: remove it");
                Err(Unreadable::new(self.line, found))
            }
        }
    }

    fn take(&mut self, count: usize) -> Result<(), Unreadable> {
        if self.budget.take(count) {
            Ok(())
        } else {
            Err(Unreadable::large(self.line))
        }
    }
}

fn syntax(error: &ScanError) -> Unreadable {
    let line = u32::try_from(error.marker().line()).unwrap_or(u32::MAX);
    Unreadable::new(line, format!("no YAML: {}", error.info()))
}

/// How many values, and how many levels below the first.
fn measure(node: &Node) -> (usize, usize) {
    let mut count = 1_usize;
    let mut height = 0_usize;
    let mut add = |node: &Node| {
        let (inner_count, inner_height) = measure(node);
        count = count.saturating_add(inner_count);
        height = height.max(inner_height.saturating_add(1));
    };
    match &node.value {
        Value::Null | Value::Plain(_) | Value::Text(_) => {}
        Value::List(nodes) => nodes.iter().for_each(&mut add),
        Value::Map(entries) => entries.iter().for_each(|(_, node)| add(node)),
    }
    (count, height)
}
