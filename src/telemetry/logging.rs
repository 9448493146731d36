//! The log: constant event texts with fields, on standard error. No request is logged.

use std::io;

use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::format::FmtSpan;

/// Form of a log line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// For people.
    Text,
    /// One JSON object a line, for collectors.
    Json,
}

/// Starts logging from `level` on (`error`, `warn`, `info`, `debug`, `trace`, or a filter
/// such as `postern::feed=debug`), and logs panics.
///
/// # Errors
/// The level is no filter, or the log runs already; one line, for the operator.
pub fn start(format: Format, level: &str) -> Result<(), String> {
    let filter = EnvFilter::builder()
        .parse(level)
        .map_err(|error| format!("`{level}` is no log level: {error}; expected info or debug"))?;
    let builder = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(io::stderr)
        .with_span_events(FmtSpan::NONE)
        .with_target(false);
    let started = match format {
        Format::Text => builder.with_ansi(false).try_init(),
        Format::Json => builder.json().flatten_event(true).try_init(),
    };
    started.map_err(|error| format!("cannot start the log: {error}"))?;
    std::panic::set_hook(Box::new(|panic| {
        // The message may quote input; the place says enough to find the bug.
        let place = panic
            .location()
            .map(ToString::to_string)
            .unwrap_or_default();
        let thread = std::thread::current().name().unwrap_or_default().to_owned();
        tracing::error!(place, thread, "panic: a bug, please report it");
    }));
    Ok(())
}
