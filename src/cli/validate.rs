//! `postern validate`.

use std::path::PathBuf;

use clap::Args;

use crate::app::load::load;
use crate::cli::{Exit, note, out, progress};

/// Check a snapshot and print every issue, one a line.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  postern validate acme.yaml
  postern validate policy/ && cp -r policy/ /etc/postern/

A line is FILE:LINE: FIELD: CODE: FOUND; expected ALLOWED. Warnings start with `warning: ` and
do not fail. Exits with 0, or with 65 if there is an issue.")]
pub struct Arguments {
    /// File (.yaml, .json, .ndjson, .pst) or directory of such files.
    path: PathBuf,
    /// Report keys stored as HMAC-SHA-256 as `serve` does without --pepper-file.
    #[arg(long)]
    no_pepper: bool,
}

/// Runs the command.
#[must_use]
pub fn run(arguments: &Arguments) -> Exit {
    match load(&arguments.path, !arguments.no_pepper, progress::show) {
        Ok(loaded) => {
            for name in &loaded.ignored {
                out(format_args!("warning: {name}: no snapshot file, not read"));
            }
            for warning in &loaded.built.warnings {
                out(format_args!("warning: {warning}"));
            }
            let counts = loaded.built.snapshot.counts();
            note(format_args!(
                "valid: {} organizations, {} teams, {} projects, {} users, {} groups, \
                 {} service accounts, {} keys, {} bindings, \
                 {} routes; {} warnings",
                counts.organizations,
                counts.teams,
                counts.projects,
                counts.users,
                counts.groups,
                counts.service_accounts,
                counts.keys,
                counts.bindings,
                counts.routes,
                loaded
                    .built
                    .warnings
                    .len()
                    .saturating_add(loaded.ignored.len())
            ));
            Exit::Good
        }
        Err(issues) => {
            out(issues.to_string().trim_end());
            let count = issues.count();
            let noun = if count == 1 { "issue" } else { "issues" };
            note(format_args!("not valid: {count} {noun}"));
            Exit::Data
        }
    }
}
