//! `postern convert`.

use std::io::Write as _;
use std::path::{Path, PathBuf};

use clap::Args;

use crate::app::load;
use crate::cli::{Exit, fail, note, progress};
use crate::wire::feed::{Form, encode_messages};

/// Turn a snapshot from one form into another.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  postern convert acme.yaml acme.json
  postern convert policy/ policy.pst

The name of OUT says the form: .yaml, .json, .ndjson or .pst (binary, quickest to load). The
shape is checked, the meaning is not: see `postern validate`. Comments are not kept. OUT is
replaced as a whole or not at all. Exits with 0, or with 65 if IN has an issue.")]
pub struct Arguments {
    /// File or directory to read.
    r#in: PathBuf,
    /// File to write.
    out: PathBuf,
}

/// Runs the command.
#[must_use]
pub fn run(arguments: &Arguments) -> Exit {
    let Arguments {
        r#in: from,
        out: to,
    } = arguments;
    let Some(form) = Form::of(&to.to_string_lossy()) else {
        let expected = "expected a name that ends in .yaml, .json, .ndjson or .pst";
        return fail(
            Exit::Usage,
            format_args!("{}: unknown form; {expected}", to.display()),
        );
    };
    progress::show(Some("converting"));
    let converted = load::messages(from).map(|snapshot| encode_messages(&snapshot, form));
    progress::show(None);
    let bytes = match converted {
        Ok(bytes) => bytes,
        Err(issues) => {
            note(issues.to_string().trim_end());
            return fail(Exit::Data, "nothing was written");
        }
    };
    match write_whole(to, &bytes) {
        Ok(()) => Exit::Good,
        Err(error) => fail(
            Exit::Data,
            format_args!("cannot write {}: {error}", to.display()),
        ),
    }
}

/// Writes a file beside the target and renames it, so that a reader (a server that watches
/// it) sees the old content or the new one, and never half.
fn write_whole(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    use std::os::unix::fs::PermissionsExt as _;
    let directory = match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        Some(_) | None => Path::new("."),
    };
    let mode = std::fs::metadata(path).map_or(0o644, |metadata| metadata.permissions().mode());
    let mut file = tempfile::Builder::new()
        .prefix(".postern-")
        .tempfile_in(directory)?;
    file.write_all(bytes)?;
    file.as_file()
        .set_permissions(std::fs::Permissions::from_mode(mode & 0o777))?;
    file.as_file().sync_all()?;
    file.persist(path).map_err(|error| error.error)?;
    Ok(())
}
