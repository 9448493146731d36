//! `postern lint`.

use std::fs::File;
use std::io::{self, IsTerminal as _, Read as _};
use std::path::{Path, PathBuf};

use clap::{Args, Subcommand, ValueEnum};

use crate::cli::{Exit, fail, out};
use crate::limits::LINT_BYTES_MAX;
use crate::lint::envoy;
use crate::lint::report::Severity;
use crate::lint::tree::Form;

/// Check another program's configuration for what would undo Postern's decisions.
#[derive(Debug, Args)]
pub struct Arguments {
    #[command(subcommand)]
    program: Program,
}

#[derive(Debug, Subcommand)]
enum Program {
    Envoy(Envoy),
}

/// Check Envoy's configuration: does each request reach Postern as it should?
///
/// Reads a bootstrap, the answer of the admin's /config_dump, an xDS file, or a part of one (a
/// listener, a route configuration, a filter), in YAML or JSON.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  postern lint envoy envoy.yaml
  curl -s http://127.0.0.1:9901/config_dump | postern lint envoy -
  postern lint envoy envoy.yaml --format json | jq '.findings[].code'

Each finding says what was found and where, why it matters, and the YAML to paste. Exits with 0
if there is nothing above a note, with 1 for warnings and errors, with 65 if the file cannot be
read.")]
struct Envoy {
    /// File (.yaml, .json), or - for standard input.
    config: PathBuf,
    /// How to print the findings.
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    format: Format,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    Text,
    Json,
}

/// Runs the command.
#[must_use]
pub fn run(arguments: &Arguments) -> Exit {
    let Program::Envoy(Envoy { config, format }) = &arguments.program;
    let name = config.display();
    let text = match text(config) {
        Ok(text) => text,
        Err(error) => return fail(Exit::Data, format_args!("`{name}`: {error}")),
    };
    let form = Form::of(&config.to_string_lossy(), &text);
    let report = match envoy::lint(&text, form) {
        Ok(report) => report,
        Err(unreadable) => return fail(Exit::Data, format_args!("`{name}`: {unreadable}")),
    };
    match format {
        Format::Text => out(report.text(is_coloured()).trim_end()),
        Format::Json => match report.json(&config.to_string_lossy()) {
            Ok(json) => out(json),
            Err(error) => return fail(Exit::Software, format_args!("no JSON: {error}")),
        },
    }
    match report.worst() {
        None | Some(Severity::Info) => Exit::Good,
        Some(Severity::Warning | Severity::Error) => Exit::No,
    }
}

fn is_coloured() -> bool {
    io::stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
}

fn text(path: &Path) -> io::Result<String> {
    let most = u64::try_from(LINT_BYTES_MAX).unwrap_or(u64::MAX);
    let mut bytes = Vec::new();
    // One more than fits tells that there is more.
    let limit = most.saturating_add(1);
    if path == Path::new("-") {
        io::stdin().lock().take(limit).read_to_end(&mut bytes)?;
    } else {
        File::open(path)?.take(limit).read_to_end(&mut bytes)?;
    }
    if bytes.len() > LINT_BYTES_MAX {
        let line = format!("more than {LINT_BYTES_MAX} bytes: check a part of it");
        return Err(io::Error::new(io::ErrorKind::FileTooLarge, line));
    }
    String::from_utf8(bytes).map_err(|error| {
        let at = error.utf8_error().valid_up_to();
        let line = format!("no UTF-8 from byte {at} on");
        io::Error::new(io::ErrorKind::InvalidData, line)
    })
}
