//! Reads a snapshot file or directory as one consistent whole.

use std::ffi::OsStr;
use std::fs::{File, Metadata};
use std::io::{self, Read};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use sha2::{Digest as _, Sha256};

use crate::graph::document::Place;
use crate::graph::issue::{Code, Issue, Issues};
use crate::limits::{JSON_BYTES_MAX, SNAPSHOT_FILES_MAX};
use crate::wire::feed::Form;

/// SHA-256 over the names and bytes of all files.
pub type Digest = [u8; 32];

/// What the file system says of one file; equal readings mean that nobody wrote.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Seen {
    path: PathBuf,
    name: Arc<str>,
    device: u64,
    inode: u64,
    length: u64,
    modified: (i64, i64),
    changed: (i64, i64),
}

/// The files of a snapshot, as a look at the file system found them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Scan {
    files: Vec<Seen>,
    /// Names in the directory that are no snapshot files.
    ignored: Vec<String>,
}

/// One file, read whole: the name that issues show, and the bytes.
pub type Content = (Arc<str>, Vec<u8>);

impl Scan {
    /// Looks at `path` without reading content.
    ///
    /// A directory is all files in it with a known extension, sorted by name. The `..data`
    /// link of a Kubernetes volume is resolved once and everything comes from the directory
    /// behind it, so that a swap in between cannot mix two versions.
    ///
    /// # Errors
    /// What cannot be read, or is not a file or directory.
    pub fn of(path: &Path) -> Result<Self, Issue> {
        let metadata = std::fs::metadata(path).map_err(|e| unreadable(path, &e))?;
        if !metadata.is_dir() {
            let file = Seen::new(path.to_path_buf(), path, &metadata)?;
            return Ok(Self {
                files: vec![file],
                ignored: Vec::new(),
            });
        }
        let mut scan = Self::default();
        let real = real_directory(path)?;
        for entry in std::fs::read_dir(&real).map_err(|e| unreadable(&real, &e))? {
            let entry = entry.map_err(|e| unreadable(&real, &e))?;
            scan.add(path, &entry.path())?;
            if scan.files.len() > SNAPSHOT_FILES_MAX {
                let found = format!("more than {SNAPSHOT_FILES_MAX} files");
                return Err(issue(path, Code::OutOfBounds, found, "fewer, larger files"));
            }
        }
        scan.files.sort_by(|a, b| a.name.cmp(&b.name));
        scan.ignored.sort();
        if scan.files.is_empty() {
            let allowed = "at least one .yaml, .json, .ndjson or .pst file";
            let found = "no snapshot file in the directory".to_owned();
            return Err(issue(path, Code::Missing, found, allowed));
        }
        Ok(scan)
    }

    fn add(&mut self, shown: &Path, entry: &Path) -> Result<(), Issue> {
        let name = entry.file_name().unwrap_or_else(|| OsStr::new(""));
        // Dot files are the editors' and the kubelet's own.
        if name.as_encoded_bytes().starts_with(b".") {
            return Ok(());
        }
        let metadata = std::fs::metadata(entry).map_err(|e| unreadable(entry, &e))?;
        if metadata.is_dir() || Form::of(&name.to_string_lossy()).is_none() {
            self.ignored.push(name.to_string_lossy().into_owned());
            return Ok(());
        }
        self.files.push(Seen::new(
            entry.to_path_buf(),
            &shown.join(name),
            &metadata,
        )?);
        Ok(())
    }

    /// Names that were found beside the snapshot files and are not read.
    #[must_use]
    pub fn ignored(&self) -> &[String] {
        &self.ignored
    }

    /// Sum of the files' lengths, bytes.
    #[must_use]
    pub fn length(&self) -> u64 {
        self.files
            .iter()
            .fold(0, |sum, file| sum.saturating_add(file.length))
    }

    /// The digest of the content, read in pieces: memory does not grow with the file.
    ///
    /// # Errors
    /// What cannot be read.
    pub fn digest(&self) -> Result<Digest, Issue> {
        let mut hash = Sha256::new();
        let mut buffer = vec![0_u8; 128 * 1024];
        for seen in &self.files {
            let mut file = seen.open()?;
            begin(&mut hash, &seen.name, seen.length);
            loop {
                let read = file
                    .read(&mut buffer)
                    .map_err(|e| unreadable(&seen.path, &e))?;
                if read == 0 {
                    break;
                }
                hash.update(buffer.get(..read).unwrap_or_default());
            }
        }
        Ok(hash.finalize().into())
    }

    /// Reads everything, and the digest of exactly what was read.
    ///
    /// # Errors
    /// What cannot be read.
    pub fn read(&self) -> Result<(Vec<Content>, Digest), Issue> {
        let mut hash = Sha256::new();
        let mut contents = Vec::with_capacity(self.files.len());
        for seen in &self.files {
            let mut bytes = Vec::with_capacity(usize::try_from(seen.length).unwrap_or(0));
            let mut file = seen.open()?;
            file.read_to_end(&mut bytes)
                .map_err(|e| unreadable(&seen.path, &e))?;
            begin(&mut hash, &seen.name, seen.length);
            hash.update(&bytes);
            contents.push((Arc::clone(&seen.name), bytes));
        }
        Ok((contents, hash.finalize().into()))
    }
}

impl Seen {
    fn new(path: PathBuf, shown: &Path, metadata: &Metadata) -> Result<Self, Issue> {
        if !metadata.is_file() {
            let found = "neither a file nor a directory".to_owned();
            return Err(issue(shown, Code::Unreadable, found, "a regular file"));
        }
        if metadata.len() > u64::try_from(JSON_BYTES_MAX).unwrap_or(u64::MAX) {
            let found = format!("{} bytes", metadata.len());
            let allowed = format!("at most {JSON_BYTES_MAX} bytes");
            return Err(issue(shown, Code::OutOfBounds, found, &allowed));
        }
        Ok(Self {
            path,
            name: shown.to_string_lossy().into(),
            device: metadata.dev(),
            inode: metadata.ino(),
            length: metadata.len(),
            modified: (metadata.mtime(), metadata.mtime_nsec()),
            changed: (metadata.ctime(), metadata.ctime_nsec()),
        })
    }

    /// Opens the file; a file that grows without end stops at the bound.
    fn open(&self) -> Result<io::Take<File>, Issue> {
        let file = File::open(&self.path).map_err(|e| unreadable(&self.path, &e))?;
        Ok(file.take(u64::try_from(JSON_BYTES_MAX).unwrap_or(u64::MAX)))
    }
}

/// Starts a file in the digest: name and length first, so that no two sets of files collide.
fn begin(hash: &mut Sha256, name: &str, length: u64) {
    let name_length = u64::try_from(name.len()).unwrap_or(u64::MAX);
    hash.update(name_length.to_le_bytes());
    hash.update(name.as_bytes());
    hash.update(length.to_le_bytes());
}

fn real_directory(path: &Path) -> Result<PathBuf, Issue> {
    let data = path.join("..data");
    match std::fs::canonicalize(&data) {
        Ok(real) => Ok(real),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(path.to_path_buf()),
        // Told of the directory: nobody wrote `..data` on a command line.
        Err(error) => Err(unreadable(path, &error)),
    }
}

/// The issues of an input that has just this one.
#[must_use]
pub fn only(issue: Issue) -> Issues {
    let mut issues = Issues::default();
    issues.push(issue);
    issues
}

/// The issue of a path that cannot be read.
#[must_use]
pub fn unreadable(path: &Path, error: &io::Error) -> Issue {
    issue(
        path,
        Code::Unreadable,
        error.to_string(),
        "a readable file or directory",
    )
}

fn issue(path: &Path, code: Code, found: String, allowed: &str) -> Issue {
    let place = Place {
        file: path.to_string_lossy().into(),
        line: 0,
        index: Place::WHOLE_FILE,
    };
    Issue {
        place,
        path: "file".to_owned(),
        code,
        found,
        allowed: allowed.to_owned(),
    }
}
