//! The log: constant event texts with fields, on standard error. No request is logged.

use std::io;

use tracing_subscriber::EnvFilter;
use tracing_subscriber::filter::LevelFilter;
use tracing_subscriber::fmt::format::FmtSpan;

/// Form of a log line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// For people.
    Text,
    /// One JSON object a line, for collectors.
    Json,
}

/// Starts logging from `level` on (`off`, `error`, `warn`, `info`, `debug`, `trace`, or a
/// filter such as `info,postern::feed=debug`), and logs panics.
///
/// # Errors
/// The level is no filter, or the log runs already; one line, for the operator.
pub fn start(format: Format, level: &str) -> Result<(), String> {
    let filter = filter(level)?;
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

/// A bare word that is no level would be read as the name of a module, and everything else
/// be silent: it is refused.
fn filter(level: &str) -> Result<EnvFilter, String> {
    let expected = "expected error, warn, info, debug or trace";
    let is_level = |word: &str| !word.is_empty() && word.parse::<LevelFilter>().is_ok();
    if !level
        .split(',')
        .all(|part| part.contains('=') || is_level(part))
    {
        return Err(format!("`{level}` is no log level; {expected}"));
    }
    // At these levels nobody asked for what the HTTP/2 library says of each bad client; it
    // would let a client fill the log.
    let quiet = matches!(level, "info" | "warn");
    let text = if quiet {
        format!("{level},h2=error")
    } else {
        level.to_owned()
    };
    EnvFilter::builder()
        .parse(text)
        .map_err(|error| format!("`{level}` is no log level: {error}; {expected}"))
}

#[cfg(test)]
mod tests {
    use super::filter;

    #[test]
    fn a_level_is_a_known_word_or_a_filter_of_modules() {
        for good in [
            "off",
            "error",
            "warn",
            "info",
            "debug",
            "trace",
            "info,postern::feed=debug",
        ] {
            assert!(filter(good).is_ok(), "{good}");
        }
        // Read as the name of a module, these would silence everything.
        for bad in ["", "loud", "warning", "info,loud", "a=b=c", "postern"] {
            assert!(filter(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_bad_client_does_not_fill_the_log() {
        assert!(filter("info").unwrap().to_string().contains("h2=error"));
        assert!(!filter("debug").unwrap().to_string().contains("h2"));
    }
}
