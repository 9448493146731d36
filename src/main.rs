//! The `postern` program: parses the command line, runs it, maps to an exit code.

use std::process::ExitCode;

fn main() -> ExitCode {
    postern::cli::main()
}
