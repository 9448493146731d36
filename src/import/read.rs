//! The files of peribolos: `{organization}/org.yaml`, `{organization}/**/teams.yaml`, and
//! `restrictions.yaml`.
//!
//! Every key is known here or an issue; what has no counterpart goes to the report.

mod file;

use std::collections::BTreeMap;

use crate::graph::document::Place;
use crate::graph::issue::{Code, Issue, Issues};
use crate::import::read::file::Reader;
use crate::import::report::Report;
use crate::import::source::{File, Organization};

/// Reads the files of one configuration, whatever their order.
///
/// # Errors
/// Every unknown key, wrong type, and file that is none of the three.
pub fn read(files: &[File], report: &mut Report) -> Result<Vec<Organization>, Issues> {
    let mut files: Vec<&File> = files.iter().collect();
    files.sort_by(|a, b| a.path.cmp(&b.path));
    let mut organizations: BTreeMap<&str, Organization> = BTreeMap::new();
    let mut teams = Vec::new();
    let mut issues = Issues::default();
    for file in files {
        let mut reader = Reader::new(&file.path, report, &mut issues);
        match kind(&file.path) {
            Kind::Organization(login) => {
                organizations.insert(login, reader.organization(login, &file.text));
            }
            Kind::Teams(login) => {
                teams.push((login, file, reader.teams_file(login, &file.text)));
            }
            Kind::Restrictions => reader.restrictions(&file.text),
            Kind::Unknown => issues.push(unknown(file)),
        }
    }
    for (login, file, list) in teams {
        match organizations.get_mut(login) {
            Some(organization) => organization.teams.extend(list),
            None => issues.push(orphan(login, file)),
        }
    }
    if organizations.is_empty() && issues.is_empty() {
        issues.push(nothing());
    }
    issues.or(organizations.into_values().collect())
}

/// What a file is, by its path.
enum Kind<'p> {
    Organization(&'p str),
    Teams(&'p str),
    Restrictions,
    Unknown,
}

fn kind(path: &str) -> Kind<'_> {
    let (folder, name) = path.split_once('/').unwrap_or(("", path));
    match (folder, name) {
        ("", "restrictions.yaml") => Kind::Restrictions,
        ("", _) => Kind::Unknown,
        (login, "org.yaml") => Kind::Organization(login),
        (login, name) if name.rsplit('/').next() == Some("teams.yaml") => Kind::Teams(login),
        _ => Kind::Unknown,
    }
}

fn unknown(file: &File) -> Issue {
    Issue {
        place: whole(&file.path),
        path: "file".to_owned(),
        code: Code::UnknownKind,
        found: "a YAML file that peribolos does not read".to_owned(),
        allowed: "`ORG/org.yaml`, `ORG/.../teams.yaml` or `restrictions.yaml`".to_owned(),
    }
}

fn orphan(login: &str, file: &File) -> Issue {
    Issue {
        place: whole(&file.path),
        path: "file".to_owned(),
        code: Code::MissingParent,
        found: format!("teams of `{login}`"),
        allowed: format!("a file `{login}/org.yaml`"),
    }
}

fn nothing() -> Issue {
    Issue {
        place: Place::default(),
        path: "folder".to_owned(),
        code: Code::Missing,
        found: "no file `ORG/org.yaml`".to_owned(),
        allowed: "a folder with one folder for each organization".to_owned(),
    }
}

fn whole(path: &str) -> Place {
    Place {
        file: path.into(),
        line: 1,
        index: 0,
    }
}
