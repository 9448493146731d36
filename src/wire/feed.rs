//! Snapshot files ⇄ `graph::document`: bytes in, every issue out; nothing is skipped.
//!
//! Every form goes through the generated types of `entity.proto`: `text` and `binary` fill
//! them, `message` turns them into the document, `write` and `binary` write them. So a form
//! knows nothing of the meaning, and the meaning nothing of the form.

mod binary;
mod flaw;
mod intake;
pub mod message;
mod read;
mod scalar;
mod scan;
mod schema;
mod text;
mod value;
mod visit;
mod write;
mod yaml;

use std::cell::Cell;

use serde::de::DeserializeSeed;

use crate::graph::document::{Document, Entity, Located, Place};
use crate::graph::issue::{Code, Issue, Issues};
use crate::model::revision::Revision;
use crate::wire::feed::intake::{Intake, Output, Refused};
use crate::wire::proto::postern::feed::v1 as proto;

/// A form of a snapshot file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Form {
    /// `.yaml`, `.yml`: for people; at most 64 MiB.
    Yaml,
    /// `.json`.
    Json,
    /// `.ndjson`, `.jsonl`: an entity a line.
    NdJson,
    /// `.pst`: checksummed protobuf (docs/FORMATS.md).
    Binary,
}

impl Form {
    /// All forms.
    pub const ALL: [Self; 4] = [Self::Yaml, Self::Json, Self::NdJson, Self::Binary];

    /// The form that the end of a file's name says.
    #[must_use]
    pub fn of(name: &str) -> Option<Self> {
        let (_, extension) = name.rsplit_once('.')?;
        match extension {
            "yaml" | "yml" => Some(Self::Yaml),
            "json" => Some(Self::Json),
            "ndjson" | "jsonl" => Some(Self::NdJson),
            "pst" => Some(Self::Binary),
            _ => None,
        }
    }

    /// The end of a file's name, without the dot.
    #[must_use]
    pub const fn extension(self) -> &'static str {
        match self {
            Self::Yaml => "yaml",
            Self::Json => "json",
            Self::NdJson => "ndjson",
            Self::Binary => "pst",
        }
    }
}

/// Decodes the files of one snapshot, each in the form that its name says. Several files may
/// each state the revision; they must agree.
///
/// # Errors
/// Every issue of every file.
pub fn decode<N: AsRef<str>, B: AsRef<[u8]>>(files: &[(N, B)]) -> Result<Document, Issues> {
    let mut entities = Entities(Vec::new());
    let revision = read(files, &mut entities)?;
    Ok(Document {
        revision: revision.map(Revision),
        entities: entities.0,
    })
}

/// Decodes a snapshot of one file; `name` says the form and stands in issues.
///
/// # Errors
/// Every issue.
pub fn decode_one(name: &str, bytes: &[u8]) -> Result<Document, Issues> {
    decode(&[(name, bytes)])
}

/// Decodes the files of one snapshot into the generated types: the shape is checked, the
/// meaning is not. This keeps kinds that are not evaluated.
///
/// # Errors
/// Every issue of every file.
pub fn decode_messages<N: AsRef<str>, B: AsRef<[u8]>>(
    files: &[(N, B)],
) -> Result<proto::Snapshot, Issues> {
    let mut entities = Messages(Vec::new());
    let revision = read(files, &mut entities)?;
    Ok(proto::Snapshot {
        revision,
        entities: entities.0,
    })
}

/// Writes a snapshot in a form: names in `snake_case`, words short, defaults left out.
#[must_use]
pub fn encode_messages(snapshot: &proto::Snapshot, form: Form) -> Vec<u8> {
    match form {
        Form::Binary => binary::encode(snapshot),
        Form::Yaml | Form::Json | Form::NdJson => text::encode(snapshot, form).into_bytes(),
    }
}

/// Writes a document in a form.
///
/// # Errors
/// An issue for each entity that the document holds only in part: kinds and fields that are
/// not evaluated.
pub fn encode(document: &Document, form: Form) -> Result<Vec<u8>, Issues> {
    let mut issues = Issues::default();
    let mut entities = Vec::with_capacity(document.entities.len());
    for Located { place, entity } in &document.entities {
        match message::encode(entity) {
            Some(message) => entities.push(message),
            None => issues.push(Issue {
                place: place.clone(),
                path: message::title(entity),
                code: Code::NotEvaluated,
                found: "what this build does not evaluate and so does not keep".to_owned(),
                allowed: "a conversion of the file itself".to_owned(),
            }),
        }
    }
    issues.or(())?;
    let revision = document.revision.map(|Revision(number)| number);
    Ok(encode_messages(
        &proto::Snapshot { revision, entities },
        form,
    ))
}

/// Kind and name of an entity: `team[organizations/acme/teams/ml]`.
#[must_use]
pub fn title(entity: &Entity) -> String {
    message::title(entity)
}

/// A moment of RFC 3339, in whole seconds since the epoch.
#[must_use]
pub fn moment(text: &str) -> Option<i64> {
    let moment = scalar::timestamp(text)?;
    (moment.nanos == 0).then_some(moment.seconds)
}

/// Reads all files into `out`; the revision they state.
fn read<N: AsRef<str>, B: AsRef<[u8]>>(
    files: &[(N, B)],
    out: &mut dyn Output,
) -> Result<Option<u64>, Issues> {
    let mut issues = Issues::default();
    let mut stated: Option<(u64, &str)> = None;
    if files.is_empty() {
        issues.push(whole_file(
            "",
            Code::Missing,
            "no file",
            "a snapshot file".to_owned(),
        ));
    }
    for (name, bytes) in files {
        let (name, bytes) = (name.as_ref(), bytes.as_ref());
        let Some(form) = Form::of(name) else {
            let allowed = "a name that ends in .yaml, .yml, .json, .ndjson, .jsonl or .pst";
            issues.push(whole_file(
                name,
                Code::Unreadable,
                "an unknown form",
                allowed.to_owned(),
            ));
            continue;
        };
        let mut intake = Intake::new(name, out);
        match form {
            Form::Yaml => text::yaml(bytes, &mut intake),
            Form::Json => text::json(bytes, &mut intake),
            Form::NdJson => text::ndjson(bytes, &mut intake),
            Form::Binary => binary::decode(bytes, &mut intake),
        }
        let (revision, found) = intake.end();
        issues.append(found);
        match (revision, stated) {
            (Some(revision), Some((other, first))) if revision != other => {
                let found = format!("revision {revision}");
                let allowed = format!("revision {other}, as {first} states");
                issues.push(whole_file(name, Code::Revision, &found, allowed));
            }
            (Some(revision), None) => stated = Some((revision, name)),
            _ => {}
        }
    }
    issues.or(stated.map(|(revision, _)| revision))
}

/// Reads a YAML file that is no snapshot, of one document, without aliases and tags, with
/// any `serde` seed; `None`: an empty file. `line` follows the reading.
///
/// # Errors
/// What stopped the reading, at `line`.
pub fn yaml_value<'de, S: DeserializeSeed<'de>>(
    text: &'de str,
    line: &Cell<u32>,
    seed: S,
) -> Result<Option<S::Value>, (Code, String)> {
    let mut events = yaml::Yaml::new(text, line);
    let read = || {
        if !events.start()? {
            return Ok(None);
        }
        let value = seed.deserialize(&mut events)?;
        events.end()?;
        Ok(Some(value))
    };
    read().map_err(|yaml::Stop { code, found }| (code, found))
}

fn whole_file(name: &str, code: Code, found: &str, allowed: String) -> Issue {
    let place = Place {
        file: name.into(),
        line: 0,
        index: Place::WHOLE_FILE,
    };
    Issue {
        place,
        path: "snapshot".to_owned(),
        code,
        found: found.to_owned(),
        allowed,
    }
}

/// Entities as the document holds them.
struct Entities(Vec<Located>);

impl Output for Entities {
    fn entity(&mut self, place: Place, entity: proto::Entity) -> Result<(), Refused> {
        let entity = message::convert(entity)?;
        self.0.push(Located { place, entity });
        Ok(())
    }

    fn len(&self) -> usize {
        self.0.len()
    }
}

/// Entities as the proto holds them.
struct Messages(Vec<proto::Entity>);

impl Output for Messages {
    fn entity(&mut self, _: Place, entity: proto::Entity) -> Result<(), Refused> {
        self.0.push(entity);
        Ok(())
    }

    fn len(&self) -> usize {
        self.0.len()
    }
}
