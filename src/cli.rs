//! The command line (SPEC 16). Results go to standard output, everything else to standard
//! error; the exit codes are 0, 1 (deny, findings), 64 (usage), 65 (data), 70 (a bug of ours).

pub mod check;
pub mod convert;
pub mod diff;
pub mod explain;
pub mod healthcheck;
pub mod import;
pub mod key;
pub mod lint;
pub mod lookup;
pub mod progress;
pub mod serve;
pub mod test;
pub mod validate;
pub mod version;

use std::fmt;
use std::io::{self, Write as _};
use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// How a command ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// As asked; of `check`, an allow.
    Good,
    /// Of `check`, a deny; of `test`, a case that failed; of `diff`, a difference; of `healthcheck`, not serving; of
    /// `lint`, a warning or an error.
    No,
    /// The command line or the configuration is wrong.
    Usage,
    /// The input is wrong.
    Data,
    /// Postern is wrong.
    Software,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(match exit {
            Exit::Good => 0,
            Exit::No => 1,
            Exit::Usage => 64,
            Exit::Data => 65,
            Exit::Software => 70,
        })
    }
}

/// A policy decision point for gateways: answers "may this principal do this there?" and
/// "is this key valid?" over gRPC.
#[derive(Debug, Parser)]
#[command(name = "postern", version = version::LONG, max_term_width = 100)]
#[command(subcommand_required = true, arg_required_else_help = true)]
#[command(after_help = "Start here:\n  postern serve --demo\n  postern validate policy/")]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Serve(serve::Arguments),
    Validate(validate::Arguments),
    Test(test::Arguments),
    Check(check::Arguments),
    WhoMay(lookup::WhoArguments),
    WhatMay(lookup::WhatArguments),
    Explain(explain::Arguments),
    Convert(convert::Arguments),
    Diff(diff::Arguments),
    Import(import::Arguments),
    Key(key::Arguments),
    Lint(lint::Arguments),
    Healthcheck(healthcheck::Arguments),
    Version(version::Arguments),
}

/// Runs the command line of this process.
#[must_use]
pub fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => {
            // `--help` and `--version` are "errors" that belong on standard output.
            let exit = if error.use_stderr() {
                Exit::Usage
            } else {
                Exit::Good
            };
            return if error.print().is_ok() {
                exit
            } else {
                Exit::Usage
            }
            .into();
        }
    };
    match cli.command {
        Command::Serve(arguments) => serve::run(arguments),
        Command::Validate(arguments) => validate::run(&arguments),
        Command::Test(arguments) => test::run(&arguments),
        Command::Check(arguments) => check::run(&arguments),
        Command::WhoMay(arguments) => lookup::who(&arguments),
        Command::WhatMay(arguments) => lookup::what(&arguments),
        Command::Explain(arguments) => explain::run(arguments),
        Command::Convert(arguments) => convert::run(&arguments),
        Command::Diff(arguments) => diff::run(&arguments),
        Command::Import(arguments) => import::run(&arguments),
        Command::Key(arguments) => key::run(&arguments),
        Command::Lint(arguments) => lint::run(&arguments),
        Command::Healthcheck(arguments) => healthcheck::run(&arguments),
        Command::Version(arguments) => version::run(&arguments),
    }
    .into()
}

/// Writes a line of a result. A reader that went away (`| head`) is no reason to fail.
pub fn out(line: impl fmt::Display) {
    let _gone = writeln!(io::stdout().lock(), "{line}");
}

/// Writes a line about the run.
pub fn note(line: impl fmt::Display) {
    let _gone = writeln!(io::stderr().lock(), "{line}");
}

/// Writes a failure: one line that says what to do.
pub fn fail(exit: Exit, line: impl fmt::Display) -> Exit {
    note(format_args!("postern: {line}"));
    exit
}
