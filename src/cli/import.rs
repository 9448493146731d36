//! `postern import`.

use std::collections::BTreeSet;
use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};

use crate::app::load::options;
use crate::cli::{Exit, fail, note, progress};
use crate::graph::issue::Issues;
use crate::graph::snapshot::Counts;
use crate::graph::{self, Built};
use crate::import::convert::{BOTS_DEFAULT, convert};
use crate::import::read::read;
use crate::import::report::Report;
use crate::import::source::File;
use crate::limits::{SNAPSHOT_FILES_MAX, YAML_BYTES_MAX};
use crate::wire::feed::{self, Form};

/// Turn another system's configuration into a snapshot.
#[derive(Debug, Args)]
pub struct Arguments {
    #[command(subcommand)]
    from: From,
}

#[derive(Debug, Subcommand)]
enum From {
    Peribolos(Peribolos),
}

/// Import GitHub organizations as peribolos describes them, such as kubernetes/org.
///
/// Repositories become projects, teams nest and become groups, what a team may on a repository
/// becomes a role binding there, owners and members become organization roles, bots become
/// service accounts. What has no counterpart is counted on standard error and listed in full
/// in the report.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  postern import peribolos kubernetes-org/ --out kubernetes.yaml
  postern import peribolos org/config --out org.ndjson --report org-report.txt --bot ci-robot
  postern validate kubernetes.yaml && postern serve --snapshot kubernetes.yaml

Exits with 0, or with 65 and every issue if the configuration cannot be read; then nothing is
written.")]
struct Peribolos {
    /// Folder with one folder for each organization (`ORG/org.yaml`), or with `config/`.
    dir: PathBuf,
    /// File to write; its end says the form (.yaml, .json, .ndjson, .pst).
    #[arg(long, value_name = "PATH")]
    out: PathBuf,
    /// File for everything that could not be expressed, one a line.
    #[arg(long, value_name = "FILE")]
    report: Option<PathBuf>,
    /// Login of a bot; say it once for each. Replaces the list of the Kubernetes project.
    #[arg(long = "bot", value_name = "LOGIN", default_values = BOTS_DEFAULT)]
    bots: Vec<String>,
}

/// Runs the command.
#[must_use]
pub fn run(arguments: &Arguments) -> Exit {
    let From::Peribolos(arguments) = &arguments.from;
    let done = peribolos(arguments);
    progress::show(None);
    match done {
        Ok(()) => Exit::Good,
        Err(Stop::Usage(line)) => fail(Exit::Usage, line),
        Err(Stop::File(path, error)) => {
            fail(Exit::Data, format_args!("`{}`: {error}", path.display()))
        }
        Err(Stop::Issues(issues)) => {
            note(issues.to_string().trim_end());
            fail(
                Exit::Data,
                format_args!("nothing written: {} issues", issues.count()),
            )
        }
    }
}

/// Why nothing was written.
enum Stop {
    Usage(String),
    File(PathBuf, io::Error),
    Issues(Issues),
}

impl std::convert::From<Issues> for Stop {
    fn from(issues: Issues) -> Self {
        Self::Issues(issues)
    }
}

fn peribolos(arguments: &Peribolos) -> Result<(), Stop> {
    let Peribolos {
        dir,
        out,
        report: report_file,
        bots,
    } = arguments;
    let Some(form) = out.to_str().and_then(Form::of) else {
        let line = format!(
            "`{}` does not end in .yaml, .json, .ndjson or .pst: the end says the form",
            out.display()
        );
        return Err(Stop::Usage(line));
    };
    progress::show(Some("reading the configuration"));
    let mut report = Report::default();
    let files = files(dir, &mut report)?;
    let source = read(&files, &mut report)?;
    let bots: BTreeSet<String> = bots.iter().cloned().collect();
    let document = convert(&source, &bots, &mut report)?;
    progress::show(Some("checking the snapshot"));
    let Built { snapshot, warnings } = graph::build(&document, None, &options(false))?;
    let bytes = feed::encode(&document, form)?;
    let report = report.sorted();
    if let Some(path) = report_file {
        write(path, report.to_string().as_bytes())?;
    }
    write(out, &bytes)?;
    for warning in &warnings {
        note(format_args!("warning: {warning}"));
    }
    summarize(&report, snapshot.counts(), arguments);
    Ok(())
}

fn summarize(report: &Report, counts: &Counts, arguments: &Peribolos) {
    note(format_args!(
        "{} organizations, {} teams, {} projects, {} users, {} groups, {} service accounts, \
         {} roles, {} bindings written to {}",
        counts.organizations,
        counts.teams,
        counts.projects,
        counts.users,
        counts.groups,
        counts.service_accounts,
        counts.roles,
        counts.bindings,
        arguments.out.display()
    ));
    note("not as in the source:");
    note(report.summary().trim_end());
    match &arguments.report {
        Some(path) => note(format_args!("each of them is in {}", path.display())),
        None => note("--report FILE lists each of them"),
    }
}

/// The YAML files of the configuration; the others are named in the report.
fn files(dir: &Path, report: &mut Report) -> Result<Vec<File>, Stop> {
    let config = dir.join("config");
    let root = if config.is_dir() {
        config.as_path()
    } else {
        dir
    };
    let mut found = Vec::new();
    let mut folders = vec![root.to_path_buf()];
    while let Some(folder) = folders.pop() {
        let entries = fs::read_dir(&folder).map_err(|e| Stop::File(folder.clone(), e))?;
        for entry in entries {
            let entry = entry.map_err(|e| Stop::File(folder.clone(), e))?;
            let path = entry.path();
            let kind = entry.file_type().map_err(|e| Stop::File(path.clone(), e))?;
            if kind.is_dir() {
                folders.push(path);
                continue;
            }
            let name = path.strip_prefix(root).unwrap_or(&path);
            let Some(name) = name.to_str().map(|name| name.replace('\\', "/")) else {
                return Err(Stop::Usage(format!("`{}` is not UTF-8", path.display())));
            };
            if kind.is_file() && (name.ends_with(".yaml") || name.ends_with(".yml")) {
                found.push(File {
                    path: name,
                    text: text(&path)?,
                });
            } else {
                report.other_file(&name);
            }
            if found.len() > SNAPSHOT_FILES_MAX {
                let line = format!("`{}` holds more than {SNAPSHOT_FILES_MAX}", root.display());
                return Err(Stop::Usage(
                    line + " YAML files: name the folder of organizations",
                ));
            }
        }
    }
    Ok(found)
}

fn text(path: &Path) -> Result<String, Stop> {
    let stop = |error| Stop::File(path.to_path_buf(), error);
    let length = fs::metadata(path).map_err(stop)?.len();
    if length > u64::try_from(YAML_BYTES_MAX).unwrap_or(u64::MAX) {
        let line = format!(
            "`{}` has {length} bytes, over {YAML_BYTES_MAX}",
            path.display()
        );
        return Err(Stop::Usage(line));
    }
    fs::read_to_string(path).map_err(stop)
}

/// Writes whole or not at all: aside, then renamed over.
fn write(path: &Path, bytes: &[u8]) -> Result<(), Stop> {
    let stop = |error| Stop::File(path.to_path_buf(), error);
    let folder = path
        .parent()
        .filter(|p| !p.as_os_str().is_empty())
        .unwrap_or_else(|| Path::new("."));
    let mut aside = tempfile::Builder::new()
        .permissions(permissions())
        .tempfile_in(folder)
        .map_err(stop)?;
    aside.write_all(bytes).map_err(stop)?;
    aside.as_file().sync_all().map_err(stop)?;
    aside
        .persist(path)
        .map(drop)
        .map_err(|error| stop(error.error))
}

/// As any program makes a file, less what the umask takes.
fn permissions() -> fs::Permissions {
    use std::os::unix::fs::PermissionsExt as _;
    fs::Permissions::from_mode(0o666)
}
