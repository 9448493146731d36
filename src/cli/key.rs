//! `postern key`: makes, hashes and inspects API keys. No secret is read from the command
//! line, where other users see it, and none is printed twice.

use std::io::{self, IsTerminal as _, Read as _};
use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use rand::TryRng as _;

use crate::app::load::load;
use crate::cli::serve::read_pepper;
use crate::cli::{Exit, fail, note, out, progress};
use crate::credential::api_key::{self, Form as KeyForm};
use crate::credential::pepper::Pepper;
use crate::decide;
use crate::graph::document::{Document, Entity, Key, KeyMaterial, Located, Place};
use crate::limits;
use crate::model::name;
use crate::model::outcome::KeyCode;
use crate::model::query::{KeyQuery, UnixTime};
use crate::model::secret::Secret;
use crate::wire::feed::{Form, encode};

/// Make, hash and inspect API keys.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  postern key new --owner organizations/acme/serviceAccounts/ci --owner-uid sa-ci-1
  postern key hash < key.txt
  postern key inspect --snapshot acme.yaml < key.txt

Keys are read from standard input (at a terminal without echo), never from the command line.")]
pub struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Print a new key, once, and the entity to store for it.
    New(New),
    /// Read a key and print what the snapshot stores of it.
    Hash {
        /// Hash with the pepper in this file: HMAC-SHA-256 instead of SHA-256.
        #[arg(long, value_name = "FILE")]
        pepper_file: Option<PathBuf>,
    },
    /// Read a key and say what it is, without showing it.
    Inspect {
        /// Also look it up in this file or directory.
        #[arg(long, value_name = "PATH")]
        snapshot: Option<PathBuf>,
        /// File with the pepper of keys that are stored as HMAC-SHA-256.
        #[arg(long, value_name = "FILE", requires = "snapshot")]
        pepper_file: Option<PathBuf>,
    },
}

#[derive(Debug, Args)]
struct New {
    /// Name of the service account or user that owns the key.
    #[arg(long, value_name = "NAME")]
    owner: String,
    /// Uid of the owner.
    #[arg(long, value_name = "UID")]
    owner_uid: String,
    /// Organization that a user's key is limited to.
    #[arg(long, value_name = "NAME")]
    organization: Option<String>,
    /// Store an HMAC-SHA-256 under the pepper in this file instead of a SHA-256.
    #[arg(long, value_name = "FILE")]
    pepper_file: Option<PathBuf>,
}

/// Runs the command.
#[must_use]
pub fn run(arguments: &Arguments) -> Exit {
    let result = match &arguments.command {
        Command::New(new) => make(new),
        Command::Hash { pepper_file } => hash(pepper_file.as_deref()),
        Command::Inspect {
            snapshot,
            pepper_file,
        } => inspect(snapshot.as_deref(), pepper_file.as_deref()),
    };
    result.unwrap_or_else(|(exit, line)| fail(exit, line))
}

type Failure = (Exit, String);

fn pepper(path: Option<&Path>) -> Result<Option<Pepper>, Failure> {
    path.map(read_pepper)
        .transpose()
        .map_err(|line| (Exit::Usage, line))
}

fn make(new: &New) -> Result<Exit, Failure> {
    let New {
        owner,
        owner_uid,
        organization,
        pepper_file,
    } = new;
    let kind = name::split_last(owner).map(|(_, kind, _)| kind);
    if name::parse(owner).is_err() || !matches!(kind, Some("serviceAccounts" | "users")) {
        let line = format!("`{owner}` is no name of a service account or user");
        return Err((Exit::Usage, line));
    }
    let pepper = pepper(pepper_file.as_deref())?;
    let mut failed = false;
    let key = api_key::generate(&mut |bytes| {
        failed |= rand::rngs::SysRng.try_fill_bytes(bytes).is_err();
    });
    if failed {
        return Err((
            Exit::Software,
            "the system gave no random bytes; no key was made".into(),
        ));
    }
    let KeyForm::Postern { id } = api_key::form(key.expose()) else {
        return Err((
            Exit::Software,
            "the key made is not of its own form; please report".into(),
        ));
    };
    let entity = Key {
        name: format!("{owner}/keys/{id}"),
        uid: format!("key-{id}"),
        owner_uid: owner_uid.clone(),
        organization: organization.clone().unwrap_or_default(),
        created_at: None,
        material: match &pepper {
            None => KeyMaterial::Sha256(api_key::sha256(key.expose())),
            Some(pepper) => KeyMaterial::HmacSha256(api_key::hmac_sha256(key.expose(), pepper)),
        },
        not_before: None,
        not_after: None,
        disabled: false,
        exposed_at: None,
        restrictions: None,
        has_rate_limit: false,
    };
    let entities = vec![Located {
        place: Place::default(),
        entity: Entity::Key(entity),
    }];
    let document = Document {
        revision: None,
        entities,
    };
    let stored =
        encode(&document, Form::Yaml).map_err(|issues| (Exit::Software, issues.to_string()))?;
    note("The key. It is shown this once; hand it to its owner:");
    out(key.expose());
    note("\nThe entity to store: the snapshot holds no more than this.");
    out(String::from_utf8_lossy(&stored).trim_end());
    Ok(Exit::Good)
}

fn hash(pepper_file: Option<&Path>) -> Result<Exit, Failure> {
    let pepper = pepper(pepper_file)?;
    let key = read_key()?;
    if let KeyForm::Malformed(fault) = api_key::form(key.expose()) {
        return Err((Exit::Data, format!("that is no key: {fault}")));
    }
    let (field, digest) = match &pepper {
        None => ("sha256", api_key::sha256(key.expose())),
        Some(pepper) => ("hmac_sha256", api_key::hmac_sha256(key.expose(), pepper)),
    };
    out(format_args!("{field}: {}", hexadecimal(&digest)));
    Ok(Exit::Good)
}

fn inspect(snapshot: Option<&Path>, pepper_file: Option<&Path>) -> Result<Exit, Failure> {
    let pepper = pepper(pepper_file)?;
    let key = read_key()?;
    match api_key::form(key.expose()) {
        KeyForm::Postern { id } => {
            out(format_args!("form: postern\nid: {id}\ncheck sum: good"));
        }
        KeyForm::Foreign => {
            let length = key.expose().len();
            out(format_args!(
                "form: issued elsewhere\nlength: {length} bytes"
            ));
        }
        KeyForm::Malformed(fault) => {
            return Err((Exit::Data, format!("that is no key: {fault}")));
        }
    }
    let Some(path) = snapshot else {
        return Ok(Exit::Good);
    };
    let loaded = load(path, pepper.is_some(), progress::show)
        .map_err(|issues| (Exit::Data, issues.to_string().trim_end().to_owned()))?;
    let snapshot = &loaded.built.snapshot;
    let digests = api_key::digest(key.expose(), pepper.as_ref());
    let query = KeyQuery {
        digests: &digests,
        source_ip: None,
        permission: None,
        resource: None,
    };
    let answer = decide::verify_key(snapshot, &query, now())
        .map_err(|violation| (Exit::Software, violation.description))?;
    out(format_args!("code: {}", answer.code.word()));
    if let Some((ix, owner)) = answer.found {
        let facts = snapshot.key_facts(ix);
        out(format_args!(
            "key: {}\nowner: {}",
            facts.name,
            snapshot.principal_member(owner)
        ));
        for (label, value) in [("organization", facts.organization), ("team", facts.team)] {
            if !value.is_empty() {
                out(format_args!("{label}: {value}"));
            }
        }
    }
    Ok(if answer.code == KeyCode::Valid {
        Exit::Good
    } else {
        Exit::No
    })
}

fn now() -> UnixTime {
    use crate::clock::{Clock as _, SystemClock};
    UnixTime(SystemClock::start().unix_seconds())
}

/// Reads one line from standard input; at a terminal without echo.
fn read_key() -> Result<Secret<String>, Failure> {
    let stdin = io::stdin();
    if stdin.is_terminal() {
        return rpassword::prompt_password("key (not shown): ")
            .map(|key| Secret::new(key.trim().to_owned()))
            .map_err(|error| (Exit::Data, format!("cannot read the terminal: {error}")));
    }
    // A line end or two beyond the longest key; more is no key.
    let bound = u64::try_from(limits::KEY_BYTES_MAX)
        .unwrap_or(u64::MAX)
        .saturating_add(3);
    let mut text = String::new();
    match stdin.lock().take(bound).read_to_string(&mut text) {
        Ok(_) => Ok(Secret::new(text.trim_end_matches(['\r', '\n']).to_owned())),
        Err(error) => Err((Exit::Data, format!("cannot read standard input: {error}"))),
    }
}

fn hexadecimal(digest: &[u8; 32]) -> String {
    digest.iter().map(|byte| format!("{byte:02x}")).collect()
}
