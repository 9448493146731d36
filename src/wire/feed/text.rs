//! YAML, JSON and NDJSON files.

use std::cell::Cell;

use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess};
use serde_json::value::RawValue;

use crate::graph::issue::Code;
use crate::limits::{JSON_BYTES_MAX, NDJSON_LINE_BYTES_MAX, YAML_BYTES_MAX};
use crate::wire::feed::Form;
use crate::wire::feed::flaw::{Context, Step, quote};
use crate::wire::feed::intake::Intake;
use crate::wire::feed::read::{Field, Fields};
use crate::wire::feed::visit::{Shape, Text, Want};
use crate::wire::feed::write::{Out, Put, json, yaml as yaml_text};
use crate::wire::feed::yaml::{Stop, Yaml};
use crate::wire::proto::postern::feed::v1::{Entity, Snapshot};

// === files ===

/// Reads a YAML file.
pub(super) fn yaml(bytes: &[u8], intake: &mut Intake<'_>) {
    let Some(text) = utf8(bytes, YAML_BYTES_MAX, intake) else {
        return;
    };
    let line = Cell::new(1);
    let mut events = Yaml::new(text, &line);
    let read = match events.start() {
        Ok(true) => {
            let mut cx = Context::new(&line);
            let top = Top {
                intake: &mut *intake,
                items: InPlace(&line),
            };
            let read = (&mut events).deserialize_any(Shape {
                want: top,
                cx: &mut cx,
            });
            intake.flaws(cx.take());
            read.and_then(|()| events.end())
        }
        Ok(false) => {
            intake.issue(1, "", Code::Missing, "an empty file", TOP_FORM);
            Ok(())
        }
        Err(stop) => Err(stop),
    };
    if let Err(Stop { code, found }) = read {
        intake.issue(
            line.get(),
            "",
            code,
            found,
            "YAML of one document, without aliases and tags",
        );
    }
}

/// Reads a JSON file.
pub(super) fn json(bytes: &[u8], intake: &mut Intake<'_>) {
    let Some(text) = utf8(bytes, JSON_BYTES_MAX, intake) else {
        return;
    };
    let line = Cell::new(1);
    let mut cx = Context::new(&line);
    let mut from = serde_json::Deserializer::from_str(text);
    let items = Raw {
        file: text,
        counted: 0,
        line: &line,
    };
    let top = Top {
        intake: &mut *intake,
        items,
    };
    let read = from.deserialize_any(Shape {
        want: top,
        cx: &mut cx,
    });
    intake.flaws(cx.take());
    if let Err(error) = read.and_then(|()| from.end()) {
        let line = u32::try_from(error.line()).unwrap_or(u32::MAX);
        intake.issue(line, "", Code::Syntax, syntax(&error), "JSON");
    }
}

/// Reads an NDJSON file: an entity a line; the first may be `{"revision": N}` or `{}`.
pub(super) fn ndjson(bytes: &[u8], intake: &mut Intake<'_>) {
    let Some(text) = utf8(bytes, JSON_BYTES_MAX, intake) else {
        return;
    };
    let line = Cell::new(0_u32);
    let mut cx = Context::new(&line);
    let mut first = true;
    for content in text.split('\n') {
        line.set(line.get().saturating_add(1));
        let content = content.trim_ascii();
        if content.is_empty() {
            continue;
        }
        if content.len() > NDJSON_LINE_BYTES_MAX {
            let found = format!(
                "a line of {} bytes, over {NDJSON_LINE_BYTES_MAX}",
                content.len()
            );
            intake.unreadable(line.get(), Code::OutOfBounds, found);
        } else if std::mem::take(&mut first) && is_header(content) {
            header(content, &line, intake);
        } else {
            json_entity(content, &mut cx, line.get(), intake);
        }
        first = false;
    }
    if first {
        intake.issue(1, "", Code::Missing, "an empty file", "an entity a line");
    }
}

/// The text, if it is UTF-8 and not too long; a byte order mark is no content.
fn utf8<'b>(bytes: &'b [u8], bytes_max: usize, intake: &mut Intake<'_>) -> Option<&'b str> {
    if bytes.len() > bytes_max {
        let found = format!("{} bytes", bytes.len());
        let allowed = format!("{bytes_max} bytes at most in this form; use NDJSON for large ones");
        intake.issue(0, "", Code::OutOfBounds, found, allowed);
        return None;
    }
    match str::from_utf8(bytes) {
        Ok(text) => Some(text.strip_prefix('\u{FEFF}').unwrap_or(text)),
        Err(error) => {
            let found = format!("no UTF-8 from byte {} on", error.valid_up_to());
            intake.issue(0, "", Code::Syntax, found, "UTF-8");
            None
        }
    }
}

/// What the parser says, without its own idea of the line.
fn syntax(error: &serde_json::Error) -> String {
    let message = error.to_string();
    let message = message
        .split_once(" at line ")
        .map_or(&*message, |(head, _)| head);
    format!("{message} at column {}", error.column())
}

/// Reads one entity of JSON.
fn json_entity(text: &str, cx: &mut Context<'_>, line: u32, intake: &mut Intake<'_>) {
    let mut element = Element {
        entity: Entity::default(),
        line,
    };
    let mut from = serde_json::Deserializer::from_str(text);
    let read = element.read(&mut from, cx).and_then(|()| from.end());
    let Element { entity, line } = element;
    let mut flaws = cx.take();
    match read {
        Ok(()) => {
            kind_is_missing(&entity, &mut flaws, cx);
            intake.entity(line, entity, flaws);
        }
        Err(error) => intake.unreadable(line, Code::Syntax, syntax(&error)),
    }
}

/// An entity without a kind is an issue in every form, before its meaning is asked.
fn kind_is_missing(
    entity: &Entity,
    flaws: &mut Vec<crate::wire::feed::flaw::Flaw>,
    cx: &mut Context<'_>,
) {
    if entity.kind.is_none() && flaws.is_empty() {
        cx.flaw(
            Code::Missing,
            "no kind",
            "one kind, such as {\"team\": {...}}",
        );
        flaws.append(&mut cx.take());
    }
}

// === the top of a file ===

const TOP_FORM: &str = "{revision, entities: [...]}";

/// How the elements of `entities` are read.
trait Items {
    /// Reads the next one; `false`: there is none.
    fn next<'de, A: SeqAccess<'de>>(
        &mut self,
        seq: &mut A,
        intake: &mut Intake<'_>,
    ) -> Result<bool, A::Error>;
}

/// `{revision, entities}`.
struct Top<'i, 'o, I> {
    intake: &'i mut Intake<'o>,
    items: I,
}

impl<I: Items> Want for Top<'_, '_, I> {
    type Out = ();
    const WANTED: &'static str = TOP_FORM;
    const IF_NONE: &'static str = "an empty list is written []";

    fn object<'de, A: MapAccess<'de>>(
        mut self,
        mut map: A,
        cx: &mut Context<'_>,
    ) -> Result<(), A::Error> {
        cx.enter(Step::Field("snapshot"));
        let (mut revision, mut entities) = (false, false);
        while let Some(key) = map.next_key_seed(Text {
            cx: &mut *cx,
            wanted: "a field name",
        })? {
            let (seen, name) = match key.as_deref() {
                Some("revision") => (&mut revision, "revision"),
                Some("entities") => (&mut entities, "entities"),
                Some(key) => {
                    let found = format!("the field {}", quote(key));
                    cx.flaw(Code::UnknownField, found, "revision or entities");
                    map.next_value::<IgnoredAny>()?;
                    continue;
                }
                None => {
                    map.next_value::<IgnoredAny>()?;
                    continue;
                }
            };
            cx.enter(Step::Field(name));
            if std::mem::replace(seen, true) {
                cx.flaw(Code::DuplicateField, "the field twice", "it once");
                map.next_value::<IgnoredAny>()?;
            } else if name == "revision" {
                let mut number = None;
                map.next_value_seed(Slot {
                    field: &mut number,
                    cx: &mut *cx,
                })?;
                if let Some(number) = number {
                    self.intake.revision(number);
                }
            } else {
                map.next_value_seed(List {
                    top: &mut self,
                    cx: &mut *cx,
                })?;
            }
            cx.leave();
        }
        if !entities {
            cx.enter(Step::Field("entities"));
            cx.flaw(Code::Missing, "nothing", "a list, empty if there are none");
        }
        Ok(())
    }
}

/// A seed for any field.
struct Slot<'f, 'c, 'l, F> {
    field: &'f mut F,
    cx: &'c mut Context<'l>,
}

impl<'de, F: Field> DeserializeSeed<'de> for Slot<'_, '_, '_, F> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<(), D::Error> {
        self.field.read(from, self.cx)
    }
}

/// The value of `entities`.
struct List<'t, 'i, 'o, 'c, 'l, I> {
    top: &'t mut Top<'i, 'o, I>,
    cx: &'c mut Context<'l>,
}

impl<'de, I: Items> DeserializeSeed<'de> for List<'_, '_, '_, '_, '_, I> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<(), D::Error> {
        from.deserialize_any(Shape {
            want: EntityList(self.top),
            cx: self.cx,
        })
    }
}

struct EntityList<'t, 'i, 'o, I>(&'t mut Top<'i, 'o, I>);

impl<I: Items> Want for EntityList<'_, '_, '_, I> {
    type Out = ();
    const WANTED: &'static str = "a list of entities";
    const IF_NONE: &'static str = "an empty one is written []";

    fn list<'de, A: SeqAccess<'de>>(self, mut seq: A, _: &mut Context<'_>) -> Result<(), A::Error> {
        while self.0.items.next(&mut seq, self.0.intake)? {}
        Ok(())
    }
}

/// Elements are read where they stand.
struct InPlace<'l>(&'l Cell<u32>);

impl Items for InPlace<'_> {
    fn next<'de, A: SeqAccess<'de>>(
        &mut self,
        seq: &mut A,
        intake: &mut Intake<'_>,
    ) -> Result<bool, A::Error> {
        let mut cx = Context::new(self.0);
        let mut element = Element {
            entity: Entity::default(),
            line: self.0.get(),
        };
        if seq
            .next_element_seed(Slot {
                field: &mut element,
                cx: &mut cx,
            })?
            .is_none()
        {
            return Ok(false);
        }
        let mut flaws = cx.take();
        kind_is_missing(&element.entity, &mut flaws, &mut cx);
        intake.entity(element.line, element.entity, flaws);
        Ok(true)
    }
}

/// An entity and the line it begins on.
struct Element {
    entity: Entity,
    line: u32,
}

impl Field for Element {
    fn read<'de, D: Deserializer<'de>>(
        &mut self,
        from: D,
        cx: &mut Context<'_>,
    ) -> Result<(), D::Error> {
        from.deserialize_any(Shape {
            want: Begun(self),
            cx,
        })
    }
}

struct Begun<'e>(&'e mut Element);

impl Want for Begun<'_> {
    type Out = ();
    const WANTED: &'static str = "an entity, such as {\"team\": {...}}";

    fn object<'de, A: MapAccess<'de>>(self, map: A, cx: &mut Context<'_>) -> Result<(), A::Error> {
        self.0.line = cx.line();
        Fields(&mut self.0.entity).object(map, cx)
    }
}

/// Elements are cut out first: one that cannot be read does not hide those after it, and
/// each knows its line.
struct Raw<'f, 'l> {
    file: &'f str,
    counted: usize,
    line: &'l Cell<u32>,
}

impl Items for Raw<'_, '_> {
    fn next<'de, A: SeqAccess<'de>>(
        &mut self,
        seq: &mut A,
        intake: &mut Intake<'_>,
    ) -> Result<bool, A::Error> {
        let Some(raw) = seq.next_element::<&'de RawValue>()? else {
            return Ok(false);
        };
        let text = raw.get();
        let start = text
            .as_ptr()
            .addr()
            .saturating_sub(self.file.as_ptr().addr());
        if let Some(between) = self.file.as_bytes().get(self.counted..start) {
            let lines = between.iter().filter(|b| **b == b'\n').count();
            self.line.set(
                self.line
                    .get()
                    .saturating_add(u32::try_from(lines).unwrap_or(u32::MAX)),
            );
            self.counted = start;
        }
        let mut cx = Context::new(self.line);
        json_entity(text, &mut cx, self.line.get(), intake);
        Ok(true)
    }
}

// === the first line of NDJSON ===

fn is_header(line: &str) -> bool {
    serde_json::from_str::<std::collections::BTreeMap<String, IgnoredAny>>(line)
        .is_ok_and(|fields| fields.is_empty() || fields.contains_key("revision"))
}

fn header(content: &str, line: &Cell<u32>, intake: &mut Intake<'_>) {
    let mut cx = Context::new(line);
    cx.enter(Step::Field("snapshot"));
    let mut header = Header::default();
    let mut from = serde_json::Deserializer::from_str(content);
    let read = header.read(&mut from, &mut cx);
    intake.flaws(cx.take());
    match (read, header.revision) {
        (Err(error), _) => intake.issue(line.get(), "", Code::Syntax, syntax(&error), "JSON"),
        (Ok(()), Some(revision)) => intake.revision(revision),
        (Ok(()), None) => {}
    }
}

/// The first line, when it is no entity.
#[derive(Debug, Default)]
struct Header {
    revision: Option<u64>,
}

impl crate::wire::feed::read::Message for Header {
    const FIELDS: &'static [&'static str] = &["revision"];

    fn read_field<'de, D: Deserializer<'de>>(
        &mut self,
        _: usize,
        from: D,
        cx: &mut Context<'_>,
    ) -> Result<(), D::Error> {
        self.revision.read(from, cx)
    }
}

// === writing ===

/// Writes a snapshot.
pub(super) fn encode(snapshot: &Snapshot, form: Form) -> String {
    let Snapshot { revision, entities } = snapshot;
    if form == Form::Yaml {
        let mut out = yaml_text::Yaml::default();
        document(*revision, entities, &mut out);
        return out.take() + "\n";
    }
    if form == Form::Json {
        let mut out = json::Json::new(true);
        document(*revision, entities, &mut out);
        return out.take() + "\n";
    }
    let mut out = json::Json::new(false);
    let mut text = String::new();
    if revision.is_some() || entities.is_empty() {
        out.open_object();
        if let Some(revision) = revision {
            out.key("revision");
            revision.put(&mut out);
        }
        out.close_object();
        text = out.take() + "\n";
    }
    for entity in entities {
        entity.put(&mut out);
        text.push_str(&out.take());
        text.push('\n');
    }
    text
}

fn document(revision: Option<u64>, entities: &[Entity], out: &mut dyn Out) {
    out.open_object();
    if let Some(revision) = revision {
        out.key("revision");
        revision.put(out);
    }
    out.key("entities");
    out.open_list();
    for entity in entities {
        out.item();
        entity.put(out);
    }
    out.close_list();
    out.close_object();
}
