//! `postern test`.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::Read as _;
use std::path::{Component, Path, PathBuf};

use clap::Args;

use crate::app::load::load;
use crate::cases::junit::{self, Suite};
use crate::cases::{self, Asked, Asker, Bench, Case, read};
use crate::cli::{Exit, fail, note, out, progress};
use crate::clock::{Clock as _, SystemClock};
use crate::graph::snapshot::Snapshot;
use crate::limits::{CASE_FILES_MAX, CASES_BYTES_MAX, COVERAGE_LISTED_MAX};
use crate::model::query::UnixTime;
use crate::model::value::Value;

/// Ask a snapshot the cases that you wrote down, and compare.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  postern test examples/acme/tests
  postern test policy/tests --junit report.xml --coverage

A file of cases names its snapshot and says of each request what must come of it:

  snapshot: ../acme.yaml
  cases:
  - name: members of the team start runs
    principal: user:farid@acme.example
    permission: models.runs.create
    resource: organizations/acme/teams/vision/projects/inspector
    expect: ALLOW

docs/FORMATS.md has the rest. Exits with 0, with 1 if a case failed, with 65 if a file or a
snapshot cannot be read.")]
pub struct Arguments {
    /// Files of cases (.yaml, .json), or directories of such files.
    #[arg(required = true, value_name = "PATH")]
    paths: Vec<PathBuf>,
    /// Write a report in JUnit's form.
    #[arg(long, value_name = "FILE")]
    junit: Option<PathBuf>,
    /// Name each binding, role, route and deny rule that no case touched.
    #[arg(long)]
    coverage: bool,
}

/// The cases of a file, with its place among the files.
type Cases<'p> = (usize, &'p Path, Vec<Case>);

/// Runs the command.
#[must_use]
pub fn run(arguments: &Arguments) -> Exit {
    let files = match files(&arguments.paths) {
        Ok(files) => files,
        Err(error) => return fail(Exit::Data, error),
    };
    let mut run = Run {
        now: UnixTime(SystemClock::start().unix_seconds()),
        suites: vec![None; files.len()],
        passed: 0,
        failed: 0,
        unreadable: 0,
    };
    // Files of one snapshot share its coverage.
    let mut by_snapshot: BTreeMap<PathBuf, Vec<Cases<'_>>> = BTreeMap::new();
    for (at, path) in files.iter().enumerate() {
        match file(path) {
            Ok((snapshot, cases)) => {
                let same = by_snapshot.entry(snapshot).or_default();
                same.push((at, path, cases));
            }
            Err(error) => run.error(at, path, error),
        }
    }
    for (snapshot, cases) in by_snapshot {
        match load(&snapshot, true, progress::show) {
            Ok(loaded) => {
                let snapshot = (snapshot.as_path(), &loaded.built.snapshot);
                run.snapshot(snapshot, cases, arguments.coverage);
            }
            Err(issues) => {
                note(issues.to_string().trim_end());
                for (at, path, _) in cases {
                    let error = format!("the snapshot `{}` is not valid", snapshot.display());
                    run.error(at, path, error);
                }
            }
        }
    }
    run.end(arguments.junit.as_deref())
}

struct Run {
    now: UnixTime,
    suites: Vec<Option<Suite>>,
    passed: usize,
    failed: usize,
    unreadable: usize,
}

impl Run {
    fn error(&mut self, at: usize, path: &Path, error: String) {
        self.unreadable = self.unreadable.saturating_add(1);
        note(error.trim_end());
        self.suite(
            at,
            Suite {
                name: path.display().to_string(),
                cases: Vec::new(),
                error: Some(error),
            },
        );
    }

    fn suite(&mut self, at: usize, suite: Suite) {
        if let Some(place) = self.suites.get_mut(at) {
            *place = Some(suite);
        }
    }

    fn snapshot(
        &mut self,
        (path, snapshot): (&Path, &Snapshot),
        files: Vec<Cases<'_>>,
        list: bool,
    ) {
        let mut bench = Bench::new(snapshot);
        for (at, file, cases) in files {
            let mut suite = Suite {
                name: file.display().to_string(),
                cases: Vec::new(),
                error: None,
            };
            for case in cases {
                let asked = bench.ask(&case, self.now);
                let failure = if asked.passed {
                    self.passed = self.passed.saturating_add(1);
                    None
                } else {
                    self.failed = self.failed.saturating_add(1);
                    let (message, text) = failure(&case, &asked, (path, snapshot));
                    out(format_args!(
                        "FAILED {}: {}\n{text}",
                        place(file, &case),
                        case.name
                    ));
                    Some((message, text))
                };
                suite.cases.push((case.name, failure));
            }
            self.suite(at, suite);
        }
        show_coverage(path, &bench, list);
    }

    fn end(self, junit: Option<&Path>) -> Exit {
        let Self {
            suites,
            passed,
            failed,
            unreadable,
            ..
        } = self;
        out(format_args!("{passed} passed, {failed} failed"));
        if let Some(path) = junit {
            let suites: Vec<Suite> = suites.into_iter().flatten().collect();
            if let Err(error) = std::fs::write(path, junit::xml(&suites)) {
                let path = path.display();
                return fail(Exit::Usage, format_args!("cannot write `{path}`: {error}"));
            }
        }
        match (unreadable, failed) {
            (0, 0) => Exit::Good,
            (0, _) => Exit::No,
            (1, _) => fail(Exit::Data, "a file was not asked: see above"),
            (count, _) => fail(
                Exit::Data,
                format_args!("{count} files were not asked: see above"),
            ),
        }
    }
}

/// Where a case stands.
fn place(file: &Path, case: &Case) -> String {
    match case.line {
        0 => file.display().to_string(),
        line => format!("{}:{line}", file.display()),
    }
}

/// What a failed case says: in a line, and for whoever mends it.
fn failure(case: &Case, asked: &Asked, snapshot: (&Path, &Snapshot)) -> (String, String) {
    let message = format!("expected {}, found {}", case.expected, asked.found);
    let mut text = format!(
        "  asked     {}\n  expected  {}\n  found     {}",
        case.question(asked),
        case.expected,
        asked.found
    );
    if let Some(command) = explain(case, asked, snapshot) {
        text.push_str("\n  why       ");
        text.push_str(&command);
    }
    (message, text)
}

/// The command that shows why; `None`: there is nothing to explain.
fn explain(case: &Case, asked: &Asked, (path, _): (&Path, &Snapshot)) -> Option<String> {
    if asked.permission.is_empty() {
        return None;
    }
    let principal = match &case.subject {
        Asker::Principal(text) => text,
        Asker::Anonymous => "anonymous",
        // It takes no key.
        Asker::Key(_) => return None,
    };
    let words = [principal, &asked.permission, &asked.resource].map(quoted);
    let path = quoted(&path.display().to_string());
    let mut command = format!("postern explain --snapshot {path} {}", words.join(" "));
    let mut whole = case.now.is_none();
    for (option, said) in [("context", &case.context), ("attribute", &case.attributes)] {
        for (key, value) in &said.0 {
            match plain(value) {
                Some(value) if !key.contains('=') => {
                    let pair = quoted(&format!("{key}={value}"));
                    command.push_str(&format!(" --{option} {pair}"));
                }
                _ => whole = false,
            }
        }
    }
    let source = case.source_ip.map(|address| address.to_string());
    let entity = case.entity.iter().map(|entity| ("entity", entity));
    let delegates = case.delegates.iter().map(|account| ("delegate", account));
    let source = source.iter().map(|address| ("source-ip", address));
    for (option, value) in entity.chain(delegates).chain(source) {
        command.push_str(&format!(" --{option} {}", quoted(value)));
    }
    if !whole {
        command.push_str("   # without what else the case says");
    }
    Some(command)
}

/// A value as an option of `explain` says it; `None`: it would be read as another one.
fn plain(value: &Value) -> Option<String> {
    match value {
        Value::Bool(value) => Some(value.to_string()),
        Value::Number(value) => Some(value.to_string()),
        Value::String(text) => {
            let other = matches!(text.as_str(), "true" | "false") || text.parse::<f64>().is_ok();
            (!other).then(|| text.clone())
        }
        Value::Null | Value::List(_) | Value::Struct(_) => None,
    }
}

/// A word as a shell reads it.
fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./:@=+,".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        word.to_owned()
    } else {
        format!("'{}'", word.replace('\'', "'\\''"))
    }
}

fn show_coverage(path: &Path, bench: &Bench<'_>, list: bool) {
    let report = bench.coverage.report();
    let parts = report.iter().filter(|covered| covered.all > 0);
    let parts: Vec<String> = parts
        .map(|covered| format!("{} of {} {}", covered.touched(), covered.all, covered.kind))
        .collect();
    let hint = if list {
        ""
    } else {
        " (--coverage names the others)"
    };
    let parts = parts.join(", ");
    out(format_args!(
        "coverage of {}: {parts}{hint}",
        path.display()
    ));
    if !list {
        return;
    }
    for covered in &report {
        for name in covered.untouched.iter().take(COVERAGE_LISTED_MAX) {
            out(format_args!("  not touched: {name}"));
        }
        let rest = covered.untouched.len().saturating_sub(COVERAGE_LISTED_MAX);
        if rest > 0 {
            out(format_args!("  ... and {rest} more {}", covered.kind));
        }
    }
}

/// The files that the paths name, in order; of a directory those in it, by name.
fn files(paths: &[PathBuf]) -> Result<Vec<PathBuf>, String> {
    let mut all = Vec::new();
    for path in paths {
        let unreadable = |error| format!("`{}`: {error}", path.display());
        if !std::fs::metadata(path).map_err(unreadable)?.is_dir() {
            all.push(path.clone());
            continue;
        }
        let mut inside = Vec::new();
        for entry in std::fs::read_dir(path).map_err(unreadable)? {
            let entry = entry.map_err(unreadable)?.path();
            let extension = entry.extension().and_then(|extension| extension.to_str());
            let hidden = entry
                .file_name()
                .is_some_and(|name| name.as_encoded_bytes().starts_with(b"."));
            if matches!(extension, Some("yaml" | "yml" | "json")) && !hidden {
                inside.push(entry);
            }
        }
        if inside.is_empty() || inside.len() > CASE_FILES_MAX {
            let found = inside.len();
            let path = path.display();
            return Err(format!(
                "`{path}`: {found} files (.yaml, .json); expected 1 to {CASE_FILES_MAX}"
            ));
        }
        inside.sort();
        all.extend(inside);
    }
    Ok(all)
}

/// The snapshot of a file, and its cases.
fn file(path: &Path) -> Result<(PathBuf, Vec<Case>), String> {
    let name = path.display().to_string();
    let unreadable = |error: &dyn std::fmt::Display| format!("{name}: {error}");
    let most = u64::try_from(CASES_BYTES_MAX)
        .unwrap_or(u64::MAX)
        .saturating_add(1);
    let mut text = String::new();
    let opened = File::open(path).map_err(|error| unreadable(&error))?;
    let read_all = opened.take(most).read_to_string(&mut text);
    read_all.map_err(|error| unreadable(&error))?;
    let cases::File { snapshot, cases } = read::read(&name, &text).map_err(|i| i.to_string())?;
    let folder = path.parent().unwrap_or_else(|| Path::new(""));
    Ok((shorter(folder.join(snapshot)), cases))
}

/// The same path without `.` and, where a folder stands before it, `..`; as it is where a link
/// would make that another path.
fn shorter(path: PathBuf) -> PathBuf {
    let mut plain = PathBuf::new();
    for part in path.components() {
        match (part, plain.components().next_back()) {
            (Component::CurDir, _) => {}
            (Component::ParentDir, Some(Component::Normal(_))) => {
                plain.pop();
            }
            _ => plain.push(part),
        }
    }
    match (path.canonicalize(), plain.canonicalize()) {
        (Ok(one), Ok(other)) if one == other => plain,
        _ => path,
    }
}
