//! `postern healthcheck`.

use clap::Args;

use crate::app::client;
use crate::cli::{Exit, fail, out};

/// Ask a running server whether it serves.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  postern healthcheck
  postern healthcheck --server unix:/run/postern.sock --service postern.v1.AuthorizationService

Exits with 0 if it serves, 1 if it does not or cannot be reached: made for container probes.")]
pub struct Arguments {
    /// The server, HOST:PORT or unix:/path.
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:9191")]
    server: String,
    /// Full name of a service; empty asks for the server as a whole.
    #[arg(long, value_name = "NAME", default_value = "")]
    service: String,
}

/// Runs the command.
#[must_use]
pub fn run(arguments: &Arguments) -> Exit {
    match client::health(&arguments.server, &arguments.service) {
        Ok(status) => {
            out(status);
            if status == "SERVING" {
                Exit::Good
            } else {
                Exit::No
            }
        }
        Err(client::Error::Address(error)) => fail(Exit::Usage, error),
        Err(error) => fail(Exit::No, error),
    }
}
