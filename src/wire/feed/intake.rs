//! Takes the entities of one file, whatever its form, and gathers their issues.

use std::sync::Arc;

use crate::graph::document::Place;
use crate::graph::issue::{Code, Issue, Issues};
use crate::limits::ENTITIES_MAX;
use crate::wire::feed::flaw::Flaw;
use crate::wire::feed::message;
use crate::wire::proto::postern::feed::v1::Entity;

/// Why an entity's meaning is refused.
#[derive(Debug)]
pub(super) struct Refused {
    /// Which entity, such as `team[organizations/acme/teams/ml]`.
    pub(super) title: String,
    /// What is wrong with it.
    pub(super) flaws: Vec<Flaw>,
}

/// Where entities go.
pub(super) trait Output {
    /// Takes an entity.
    fn entity(&mut self, place: Place, entity: Entity) -> Result<(), Refused>;
    /// How many it took, all files together.
    fn len(&self) -> usize;
}

/// One file.
pub(super) struct Intake<'o> {
    file: Arc<str>,
    index: u32,
    revision: Option<u64>,
    issues: Issues,
    out: &'o mut dyn Output,
}

impl<'o> Intake<'o> {
    /// Before the first entity.
    pub(super) fn new(file: &str, out: &'o mut dyn Output) -> Self {
        Self {
            file: file.into(),
            index: 0,
            revision: None,
            issues: Issues::default(),
            out,
        }
    }

    /// The revision that the file states, and its issues.
    pub(super) fn end(self) -> (Option<u64>, Issues) {
        (self.revision, self.issues)
    }

    /// The file states a revision.
    pub(super) fn revision(&mut self, revision: u64) {
        self.revision = Some(revision);
    }

    /// An issue of the file.
    pub(super) fn issue(
        &mut self,
        line: u32,
        path: &str,
        code: Code,
        found: impl Into<String>,
        allowed: impl Into<String>,
    ) {
        self.issue_at(line, Place::WHOLE_FILE, path, code, found, allowed);
    }

    fn issue_at(
        &mut self,
        line: u32,
        index: u32,
        path: &str,
        code: Code,
        found: impl Into<String>,
        allowed: impl Into<String>,
    ) {
        let file = self.file.clone();
        let place = Place { file, line, index };
        let path = if path.is_empty() { "snapshot" } else { path }.to_owned();
        self.issues.push(Issue {
            place,
            path,
            code,
            found: found.into(),
            allowed: allowed.into(),
        });
    }

    /// Flaws of the file's own fields.
    pub(super) fn flaws(&mut self, flaws: Vec<Flaw>) {
        for Flaw {
            line,
            path,
            code,
            found,
            allowed,
        } in flaws
        {
            self.issue(line, path.trim_start_matches('.'), code, found, allowed);
        }
    }

    /// An entity that could not be read at all.
    pub(super) fn unreadable(&mut self, line: u32, code: Code, found: impl Into<String>) {
        let path = format!("entities[{}]", self.index);
        self.issue_at(line, self.index, &path, code, found, "");
        self.index = self.index.saturating_add(1);
    }

    /// An entity, and what its form noted about its shape.
    pub(super) fn entity(&mut self, line: u32, entity: Entity, shape: Vec<Flaw>) {
        let place = Place {
            file: self.file.clone(),
            line,
            index: self.index,
        };
        self.index = self.index.saturating_add(1);
        if self.out.len() >= ENTITIES_MAX {
            if self.out.len() == ENTITIES_MAX {
                self.issue(
                    line,
                    "entities",
                    Code::OutOfBounds,
                    "more",
                    format!("{ENTITIES_MAX} at most"),
                );
            }
            return;
        }
        if shape.is_empty() {
            if let Err(Refused { title, flaws }) = self.out.entity(place, entity) {
                let place = Place {
                    file: self.file.clone(),
                    line,
                    index: self.index.saturating_sub(1),
                };
                self.push(flaws, &place, &title);
            }
            return;
        }
        let title =
            message::message_title(&entity).unwrap_or_else(|| format!("entities[{}]", place.index));
        let mut flaws = shape;
        if let Err(Refused {
            flaws: mut meaning, ..
        }) = self.out.entity(place.clone(), entity)
        {
            meaning.retain(|flaw| !flaws.iter().any(|shape| is_about(&shape.path, &flaw.path)));
            flaws.append(&mut meaning);
        }
        self.push(flaws, &place, &title);
    }

    fn push(&mut self, flaws: Vec<Flaw>, place: &Place, title: &str) {
        for flaw in flaws {
            self.issues.push(flaw.locate(place, title));
        }
    }
}

/// Whether one path is the other, or leads to it: then a second flaw says nothing new.
fn is_about(one: &str, other: &str) -> bool {
    let leads = |short: &str, long: &str| {
        long.strip_prefix(short)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[']))
    };
    leads(one, other) || leads(other, one)
}
