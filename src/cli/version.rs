//! `postern version`.

use clap::Args;

use crate::cli::{Exit, out};

/// Version of the package and commit of the source.
pub const LONG: &str = concat!(
    env!("CARGO_PKG_VERSION"),
    " (",
    env!("POSTERN_GIT_SHA"),
    ")"
);

/// Print the version and the commit it was built from.
#[derive(Debug, Args)]
pub struct Arguments {}

/// Runs the command.
#[must_use]
pub fn run(arguments: &Arguments) -> Exit {
    let Arguments {} = arguments;
    out(format_args!("postern {LONG}"));
    Exit::Good
}
