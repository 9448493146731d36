//! `postern who-may` and `postern what-may`.

use std::path::PathBuf;

use clap::Args;

use crate::app::client::Error;
use crate::app::load::load;
use crate::app::lookup::{self, Line, Question};
use crate::cli::{Exit, fail, note, out, progress};

/// List who may do PERMISSION on RESOURCE.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  postern who-may --snapshot acme.yaml models.runs.create \\
      organizations/acme/teams/vision/projects/inspector
  postern who-may --server unix:/run/postern.sock --impersonation models.runs.create \\
      organizations/acme/teams/vision/projects/inspector

A server answers users that its --allow-admin-uid names, over a Unix socket. Exits with 0, or 1
if there is nobody.")]
pub struct WhoArguments {
    #[command(flatten)]
    target: Target,
    /// service.resource.verb, such as models.runs.create.
    permission: String,
    /// Resource name.
    resource: String,
    /// List service agents too.
    #[arg(long)]
    agents: bool,
    /// List those too who could act as a service account that may.
    #[arg(long)]
    impersonation: bool,
}

/// List what PRINCIPAL may do on RESOURCE.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  postern what-may --snapshot acme.yaml user:ada@acme.example \\
      organizations/acme/teams/vision/projects/inspector
  postern what-may --server unix:/run/postern.sock anonymous \\
      organizations/acme/teams/vision/projects/benchmark

A server answers users that its --allow-admin-uid names, over a Unix socket. Exits with 0, or 1
if there is nothing.")]
pub struct WhatArguments {
    #[command(flatten)]
    target: Target,
    /// user:EMAIL, serviceAccount:EMAIL[?uid=UID], principal://..., or anonymous.
    principal: String,
    /// Resource name.
    resource: String,
}

#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
struct Target {
    /// Look it up in this file or directory.
    #[arg(long, value_name = "PATH")]
    snapshot: Option<PathBuf>,
    /// Ask this server, unix:/path or HOST:PORT.
    #[arg(long, value_name = "ADDR")]
    server: Option<String>,
}

/// Runs `who-may`.
#[must_use]
pub fn who(arguments: &WhoArguments) -> Exit {
    let question = Question::Who {
        permission: &arguments.permission,
        resource: &arguments.resource,
        agents: arguments.agents,
        impersonation: arguments.impersonation,
    };
    run(&arguments.target, question)
}

/// Runs `what-may`.
#[must_use]
pub fn what(arguments: &WhatArguments) -> Exit {
    let question = Question::What {
        principal: &arguments.principal,
        resource: &arguments.resource,
    };
    run(&arguments.target, question)
}

fn run(target: &Target, question: Question<'_>) -> Exit {
    let mut found = false;
    let mut show = |lines: Vec<Line>| {
        for line in lines {
            found |= line.allowed;
            out(text(&line));
        }
    };
    let answered = match (&target.snapshot, &target.server) {
        (Some(path), _) => match load(path, true, progress::show) {
            Ok(loaded) => lookup::local(&loaded.built.snapshot, question, &mut show),
            Err(issues) => {
                note(issues.to_string().trim_end());
                return fail(
                    Exit::Data,
                    "the snapshot is not valid, nothing was looked up",
                );
            }
        },
        (None, Some(server)) => lookup::ask(server, question, &mut show),
        (None, None) => return fail(Exit::Usage, "name a --snapshot or a --server"),
    };
    match answered {
        Ok(Some(reason)) => {
            note(format_args!("every answer is DENY {reason}"));
            Exit::No
        }
        Ok(None) if found => Exit::Good,
        Ok(None) => Exit::No,
        Err(error @ (Error::Address(_) | Error::Invalid(_))) => fail(Exit::Usage, error),
        Err(error @ Error::Unanswered(_)) => fail(Exit::Data, error),
    }
}

/// `NAME  WHY`, and through whom.
fn text(line: &Line) -> String {
    let Line {
        name,
        why,
        allowed,
        through,
    } = line;
    match (allowed, through.is_empty()) {
        (true, true) => format!("{name}  {why}"),
        (true, false) => format!("{name}  through {through}"),
        (false, _) => format!("{name}  needs {why}"),
    }
}
