//! `postern explain`.

mod json;
mod paint;
mod tree;
mod words;

use std::collections::BTreeMap;
use std::path::PathBuf;

use clap::{Args, ValueEnum};

use crate::app::client::{self, Explained};
use crate::app::load::load;
use crate::cli::explain::paint::Paint;
use crate::cli::{Exit, fail, out, progress};
use crate::wire::explain::ask::{Asking, Said};

/// Ask one question, and why it is answered so: may PRINCIPAL do PERMISSION on RESOURCE?
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  postern explain --snapshot acme.yaml user:ada@acme.example models.runs.get \\
      organizations/acme/teams/vision/projects/inspector
  postern explain --server unix:/run/postern.sock user:ada@acme.example \\
      resourcemanager.projects.setVisibility organizations/acme/teams/vision/projects/inspector \\
      --context visibility=PUBLIC

What is offered to change was tried: with it, the answer is the other one. A server explains
only to users that it was started with (--allow-admin-uid), over a Unix socket.

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
    /// What is said of the action, such as visibility=PUBLIC or count=3; VALUE is a string, a
    /// number, true or false.
    #[arg(long, value_name = "KEY=VALUE", value_parser = pair)]
    context: Vec<(String, Said)>,
    /// What is said of the resource, such as created_by=user:ann@acme.example.
    #[arg(long, value_name = "KEY=VALUE", value_parser = pair)]
    attribute: Vec<(String, Said)>,
    /// Team that `teams/-` of the resource stands for.
    #[arg(long, value_name = "TEAM", default_value = "")]
    entity: String,
    /// Service account of a delegation chain, in order.
    #[arg(long, value_name = "ACCOUNT")]
    delegate: Vec<String>,
    /// Address that the request comes from.
    #[arg(long, value_name = "IP", default_value = "")]
    source_ip: String,
    /// Revision to explain it at, one that the server still has; 0: the one that serves.
    #[arg(
        long,
        value_name = "N",
        default_value_t = 0,
        conflicts_with = "snapshot"
    )]
    revision: u64,
    /// Every line, those included that do not name the principal.
    #[arg(long)]
    all: bool,
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

fn pair(text: &str) -> Result<(String, Said), String> {
    let Some((key, value)) = text.split_once('=') else {
        return Err("expected KEY=VALUE such as visibility=PUBLIC".to_owned());
    };
    Ok((key.to_owned(), Said::read(value)))
}

/// Runs the command.
#[must_use]
pub fn run(arguments: Arguments) -> Exit {
    let Arguments {
        target,
        principal,
        permission,
        resource,
        context,
        attribute,
        entity,
        delegate,
        source_ip,
        revision,
        all,
        format,
    } = arguments;
    let fields =
        |pairs: Vec<(String, Said)>| -> BTreeMap<String, Said> { pairs.into_iter().collect() };
    let asked = permission.clone();
    let question = Asking {
        principal,
        permission,
        resource,
        context: fields(context),
        attributes: fields(attribute),
        entity,
        delegates: delegate,
        source_ip,
    };
    let explained = match (target.snapshot, target.server) {
        (Some(path), _) => match load(&path, true, progress::show) {
            Ok(loaded) => client::explain(&loaded.built.snapshot, question),
            Err(issues) => {
                crate::cli::note(issues.to_string().trim_end());
                return fail(Exit::Data, "the snapshot is not valid, nothing was decided");
            }
        },
        (None, Some(server)) => client::ask_why(&server, question, revision),
        (None, None) => return fail(Exit::Usage, "name a --snapshot or a --server"),
    };
    match explained {
        Ok(Explained { allow, response }) => {
            match format {
                Format::Json => out(json::response(&response)),
                Format::Text => {
                    let paint = Paint::of_standard_output();
                    out(tree::tree(&response, &asked, all, paint).trim_end());
                }
            }
            if allow { Exit::Good } else { Exit::No }
        }
        Err(error @ (client::Error::Address(_) | client::Error::Invalid(_))) => {
            fail(Exit::Usage, error)
        }
        Err(error @ client::Error::Unanswered(_)) => fail(Exit::Data, error),
    }
}
