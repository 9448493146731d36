//! `postern serve`.

mod envoy;

use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::{Args, ValueEnum};

use crate::app::{self, Config, Error, Event};
use crate::cli::{Exit, fail, note, out, progress};
use crate::credential::pepper::Pepper;
use crate::limits::{FEED_POLL, FEED_POLL_MAX, KEPT_REVISIONS_MAX, PEPPER_BYTES_MAX, WORKERS_MAX};

/// Answer decisions and key checks over gRPC.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  postern serve --demo
  postern serve --snapshot policy/ --listen 127.0.0.1:9191
  postern serve --snapshot acme.yaml --listen unix:/run/postern.sock --socket-mode 660

The snapshot is watched: a change is validated as a whole and replaces what serves; a bad one
is reported and the last good one goes on. SIGHUP looks at it at once. SIGTERM or SIGINT lets
running calls end, for at most 10 seconds; a second one does not wait.")]
pub struct Arguments {
    #[command(flatten)]
    source: Source,
    /// Where to listen, IP:PORT or unix:/path; may be said several times. Port 0 picks a
    /// free one and prints it.
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:9191")]
    listen: Vec<String>,
    /// Threads that answer [default: one for each core].
    #[arg(long, value_name = "N", value_parser = workers)]
    workers: Option<usize>,
    /// File with the pepper of keys that are stored as HMAC-SHA-256.
    #[arg(long, value_name = "FILE")]
    pepper_file: Option<PathBuf>,
    /// Seconds between two looks at the snapshot when no file event comes.
    #[arg(long, value_name = "SECONDS", value_parser = poll, default_value_t = FEED_POLL.as_secs_f64())]
    poll: f64,
    /// File mode of Unix sockets, octal.
    #[arg(long, value_name = "MODE", value_parser = mode, default_value = "660")]
    socket_mode: u32,
    /// User who may ask what reveals or creates much: explanations, look-ups, comparisons and
    /// tokens; over a Unix socket, by number, and may be said several times. Nobody else may.
    #[arg(long, value_name = "UID", value_parser = uid, conflicts_with = "demo")]
    allow_admin_uid: Vec<u32>,
    /// Revisions that served before to keep, so that they can be explained; each costs the memory
    /// of a whole snapshot.
    #[arg(long, value_name = "N", value_parser = kept, default_value = "0")]
    keep_revisions: usize,
    /// Form of the log on standard error.
    #[arg(long, value_enum, default_value_t = LogFormat::Text)]
    log_format: LogFormat,
    /// Least level that is logged: error, warn, info, debug or trace.
    #[arg(long, value_name = "LEVEL", default_value = "info")]
    log_level: String,
    #[command(flatten)]
    envoy: envoy::EnvoyArguments,
}

#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
struct Source {
    /// Serve the built-in example and print three calls to try.
    #[arg(long)]
    demo: bool,
    /// File (.yaml, .json, .ndjson, .pst) or directory of such files.
    #[arg(long, value_name = "PATH")]
    snapshot: Option<PathBuf>,
}

/// What `--demo` opens (SPEC 11.5).
const OPEN: &str = "postern: warning: with --demo, explanations, look-ups, comparisons and tokens \
                    answer anyone who can connect";

/// What Linux shows in place of a user that has no number here.
const UID_OVERFLOW: u32 = 65_534;

#[derive(Debug, Clone, Copy, ValueEnum)]
enum LogFormat {
    Text,
    Json,
}

fn workers(text: &str) -> Result<usize, String> {
    match text.parse() {
        Ok(count) if (1..=WORKERS_MAX).contains(&count) => Ok(count),
        Ok(_) | Err(_) => Err(format!("expected a whole number from 1 to {WORKERS_MAX}")),
    }
}

fn kept(text: &str) -> Result<usize, String> {
    match text.parse() {
        Ok(count) if count <= KEPT_REVISIONS_MAX => Ok(count),
        Ok(_) | Err(_) => Err(format!("expected 0 to {KEPT_REVISIONS_MAX}")),
    }
}

fn uid(text: &str) -> Result<u32, String> {
    match text.parse() {
        Ok(UID_OVERFLOW) => Err(format!(
            "{UID_OVERFLOW} stands for every user of another namespace; expected one user"
        )),
        Ok(uid) if uid != u32::MAX => Ok(uid),
        Ok(_) | Err(_) => {
            Err("expected the number of a user such as 1000; `id -u NAME` tells it".to_owned())
        }
    }
}

fn poll(text: &str) -> Result<f64, String> {
    match text.parse() {
        Ok(seconds) if (0.05..=FEED_POLL_MAX.as_secs_f64()).contains(&seconds) => Ok(seconds),
        Ok(_) | Err(_) => Err(format!(
            "expected seconds from 0.05 to {}",
            FEED_POLL_MAX.as_secs()
        )),
    }
}

fn mode(text: &str) -> Result<u32, String> {
    match u32::from_str_radix(text.strip_prefix("0o").unwrap_or(text), 8) {
        Ok(mode) if mode <= 0o777 => Ok(mode),
        Ok(_) | Err(_) => Err("expected an octal file mode such as 660".to_owned()),
    }
}

/// Runs the command.
#[must_use]
pub fn run(arguments: Arguments) -> Exit {
    let json = matches!(arguments.log_format, LogFormat::Json);
    if let Err(error) = app::start_log(json, &arguments.log_level) {
        return fail(Exit::Usage, error);
    }
    let pepper = arguments.pepper_file.as_deref().map(read_pepper);
    let pepper = match pepper.transpose() {
        Ok(pepper) => pepper,
        Err(error) => return fail(Exit::Usage, error),
    };
    let envoy = match arguments.envoy.settings() {
        Ok(settings) => settings,
        Err(error) => return fail(Exit::Usage, error),
    };
    let demo = arguments.source.demo;
    let config = Config {
        snapshot: arguments.source.snapshot,
        listen: arguments.listen,
        socket_mode: arguments.socket_mode,
        workers: arguments.workers,
        poll: Duration::from_secs_f64(arguments.poll),
        pepper,
        envoy,
        keep_revisions: arguments.keep_revisions,
        admin_uids: (!demo).then_some(arguments.allow_admin_uid),
        progress: progress::show,
    };
    if demo {
        note(OPEN);
    }
    let mut first_address = String::new();
    let result = app::run(config, &mut |event| match event {
        Event::Listening(addresses) => {
            for address in addresses {
                out(format_args!("listening on {address}"));
            }
            first_address = addresses
                .first()
                .map(ToString::to_string)
                .unwrap_or_default();
        }
        Event::Ready(revision, counts) => {
            out(format_args!(
                "serving revision {revision}: {} organizations, {} teams, {} projects, \
                 {} users, {} service accounts, {} keys, {} routes",
                counts.organizations,
                counts.teams,
                counts.projects,
                counts.users,
                counts.service_accounts,
                counts.keys,
                counts.routes
            ));
            if demo {
                out(demo_calls(&first_address));
            }
        }
        Event::Stopping => out("stopping"),
    });
    match result {
        Ok(()) => Exit::Good,
        Err(Error::Snapshot(issues)) => {
            // One issue a line, as `postern validate` prints them.
            note(issues.to_string().trim_end());
            fail(Exit::Data, "the snapshot is not valid, nothing serves")
        }
        Err(error @ (Error::Address(_) | Error::Server(_))) => fail(Exit::Usage, error),
        Err(error @ (Error::Died(_) | Error::System(..))) => fail(Exit::Software, error),
    }
}

/// Reads the pepper; its content is in no message.
///
/// # Errors
/// The file cannot be read, or holds no good pepper.
pub fn read_pepper(path: &Path) -> Result<Pepper, String> {
    use std::io::Read as _;
    let shown = path.display();
    let file = std::fs::File::open(path).map_err(|error| {
        format!(
            "cannot read the pepper file {shown}: {error}; make one with `head -c 48 /dev/urandom | base64`"
        )
    })?;
    let mut content = zeroize::Zeroizing::new(Vec::with_capacity(PEPPER_BYTES_MAX));
    let bound = u64::try_from(PEPPER_BYTES_MAX)
        .unwrap_or(u64::MAX)
        .saturating_add(1);
    file.take(bound)
        .read_to_end(&mut content)
        .map_err(|error| format!("cannot read the pepper file {shown}: {error}"))?;
    Pepper::parse(&content).map_err(|error| format!("pepper file {shown}: {error}"))
}

/// Three calls to paste.
fn demo_calls(address: &str) -> String {
    // grpcurl wants `unix:///path` for a socket.
    let target = address
        .strip_prefix("unix:")
        .map_or_else(|| address.to_owned(), |path| format!("unix://{path}"));
    format!(
        r#"
The example is open to anyone who can connect, and its keys are public. Try:

  # May farid create a run in the inspector project?
  grpcurl -plaintext -d '{{"principal": "user:farid@acme.example", "permission": "models.runs.create", "resource": "organizations/acme/teams/vision/projects/inspector"}}' {target} postern.v1.AuthorizationService/Authorize

  # Whose key is this, and is it good?
  grpcurl -plaintext -d '{{"key": "pst_demoTrainer1_gKzgvl2S6lnP91TXXVxasuA527P6GZo9he4otHB5o8v_1TIRZF"}}' {target} postern.v1.CredentialService/VerifyKey

  # A key and a decision in one call. The project is restricted, so the answer is no.
  grpcurl -plaintext -d '{{"credential": "pst_demoPipeline_DXb3hveswpdzeKJxTn8n6KexIQImazz93hXSvTdrSGt_201ud3", "permission": "models.runs.create", "resource": "organizations/acme/teams/speech/projects/dictation"}}' {target} postern.v1.AuthorizationService/Authorize
"#
    )
}
