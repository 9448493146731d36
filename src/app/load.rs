//! Loads a snapshot once, without serving it: `validate` and `check`.

use std::path::Path;

use crate::feed::Progress;
use crate::feed::file::{Scan, only};
use crate::graph::document::Document;
use crate::graph::issue::Issues;
use crate::graph::snapshot::Snapshot;
use crate::graph::{self, Built, Options};
use crate::wire::feed::{decode, decode_messages};
use crate::wire::proto::postern::feed::v1;

/// What a build needs, with hash tables that nobody outside can predict.
#[must_use]
pub fn options(has_pepper: bool) -> Options {
    Options {
        has_pepper,
        hash_seed: rand::random(),
    }
}

/// A snapshot that was loaded, and what was found beside it.
#[derive(Debug)]
pub struct Loaded {
    /// The snapshot and its warnings.
    pub built: Built,
    /// Names in the directory that are no snapshot files.
    pub ignored: Vec<String>,
}

/// Reads, decodes, validates and compiles the file or directory at `path`.
///
/// # Errors
/// Every issue.
pub fn load(path: &Path, has_pepper: bool, progress: Progress) -> Result<Loaded, Issues> {
    let loaded = read(path, has_pepper, progress);
    progress(None);
    loaded
}

fn read(path: &Path, has_pepper: bool, progress: Progress) -> Result<Loaded, Issues> {
    let scan = Scan::of(path).map_err(only)?;
    progress(Some(&format!("reading {} bytes", scan.length())));
    let (contents, _) = scan.read().map_err(only)?;
    let document = decode(&contents)?;
    drop(contents);
    progress(Some(&format!(
        "compiling {} entities",
        document.entities.len()
    )));
    let built = graph::build(&document, None, &options(has_pepper))?;
    Ok(Loaded {
        built,
        ignored: scan.ignored().to_vec(),
    })
}

/// Like [`load`], for whoever reads the document too.
///
/// # Errors
/// Every issue.
pub fn with_document(
    path: &Path,
    has_pepper: bool,
    progress: Progress,
) -> Result<(Document, Snapshot), Issues> {
    let read = || {
        let scan = Scan::of(path).map_err(only)?;
        progress(Some(&format!("reading {} bytes", scan.length())));
        let (contents, _) = scan.read().map_err(only)?;
        let document = decode(&contents)?;
        let built = graph::build(&document, None, &options(has_pepper))?;
        Ok((document, built.snapshot))
    };
    let loaded = read();
    progress(None);
    loaded
}

/// Reads the entities of the file or directory at `path` as they are, kinds included that
/// this build does not evaluate.
///
/// # Errors
/// Every issue of the shape.
pub fn messages(path: &Path) -> Result<v1::Snapshot, Issues> {
    let (contents, _) = Scan::of(path).and_then(|scan| scan.read()).map_err(only)?;
    decode_messages(&contents)
}
