//! The configuration of Envoy: what would let requests pass by Postern, or stop them at it
//! (SPEC 13, INTERFACES 4).
//!
//! Reads a bootstrap, the answer of the admin's `/config_dump`, an xDS file, or a part of one:
//! a listener, a filter, a route configuration.

mod checks;
mod cluster;
mod code;
mod collect;
mod filter;
mod fix;
mod manager;
mod route;
mod sink;
mod tls;

use crate::lint::report::Report;
use crate::lint::tree::at::At;
use crate::lint::tree::{Form, Unreadable, read};

/// Checks one configuration.
///
/// # Errors
/// What is no YAML or JSON, or no configuration of Envoy.
pub fn lint(text: &str, form: Form) -> Result<Report, Unreadable> {
    let tree = read(text, form)?;
    checks::run(&At::root(&tree))
}
