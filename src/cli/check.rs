//! `postern check`.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use crate::app::client::{self, Checked, Question};
use crate::app::load::load;
use crate::cli::{Exit, fail, out, progress};

/// Ask one question: may PRINCIPAL do PERMISSION on RESOURCE?
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  postern check --snapshot acme.yaml user:ada@acme.example models.runs.get \\
      organizations/acme/teams/vision/projects/inspector
  postern check --server 127.0.0.1:9191 anonymous models.runs.get \\
      organizations/acme/teams/vision/projects/benchmark

Exits with 0 for allow, 1 for deny, 64 for a question that cannot be asked, 65 for a snapshot
that is not valid or a server that cannot answer.")]
pub struct Arguments {
    #[command(flatten)]
    target: Target,
    /// user:EMAIL, serviceAccount:EMAIL[?uid=UID], principal://..., or anonymous.
    principal: String,
    /// service.resource.verb, such as models.runs.create.
    permission: String,
    /// Resource name.
    resource: String,
    /// Form of the answer.
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
}

#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
struct Target {
    /// Decide on this file or directory.
    #[arg(long, value_name = "PATH")]
    snapshot: Option<PathBuf>,
    /// Ask this server, HOST:PORT or unix:/path.
    #[arg(long, value_name = "ADDR")]
    server: Option<String>,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Format {
    Text,
    Json,
}

/// Runs the command.
#[must_use]
pub fn run(arguments: &Arguments) -> Exit {
    let question = Question {
        principal: &arguments.principal,
        permission: &arguments.permission,
        resource: &arguments.resource,
    };
    let checked = match (&arguments.target.snapshot, &arguments.target.server) {
        (Some(path), _) => match load(path, true, progress::show) {
            Ok(loaded) => client::decide(&loaded.built.snapshot, question),
            Err(issues) => {
                crate::cli::note(issues.to_string().trim_end());
                return fail(Exit::Data, "the snapshot is not valid, nothing was decided");
            }
        },
        (None, Some(server)) => client::ask(server, question),
        (None, None) => return fail(Exit::Usage, "name a --snapshot or a --server"),
    };
    match checked {
        Ok(checked) => {
            show(&checked, arguments);
            if checked.allow { Exit::Good } else { Exit::No }
        }
        Err(error @ (client::Error::Address(_) | client::Error::Invalid(_))) => {
            fail(Exit::Usage, error)
        }
        Err(error @ client::Error::Unanswered(_)) => fail(Exit::Data, error),
    }
}

fn show(checked: &Checked, arguments: &Arguments) {
    let Checked {
        allow,
        reason,
        principal,
        resource,
        revision,
    } = checked;
    let decision = if *allow { "ALLOW" } else { "DENY" };
    match arguments.format {
        Format::Text => {
            let who = if principal.is_empty() {
                "nobody"
            } else {
                principal
            };
            let verb = if *allow { "may" } else { "may not" };
            out(format_args!("{decision} {reason}"));
            out(format_args!(
                "{who} {verb} {} on {resource}",
                arguments.permission
            ));
            out(format_args!("decided on revision {revision}"));
        }
        Format::Json => out(serde_json::json!({
            "decision": decision,
            "reason": reason,
            "principal": principal,
            "permission": arguments.permission,
            "resource": resource,
            "revision": revision,
        })),
    }
}
