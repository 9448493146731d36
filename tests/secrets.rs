//! Secrets are not shown (ARCHITECTURE, invariant 6): keys, peppers and digests are planted
//! in the real program, everything that it says at its most verbose is gathered, and nothing
//! of them is found in it.

#![expect(clippy::expect_used, clippy::panic, reason = "tests may panic")]

#[expect(clippy::allow_attributes, reason = "no test uses all of it")]
#[allow(
    dead_code,
    unreachable_pub,
    clippy::expect_used,
    clippy::panic,
    clippy::disallowed_methods,
    reason = "shared"
)]
mod support;

use std::collections::HashSet;
use std::fs::File;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE};
use postern::credential::api_key;
use postern::credential::pepper::Pepper;
use postern::wire::proto::postern::v1;
use postern::wire::proto::postern::v1::authorization_service_client::AuthorizationServiceClient;
use postern::wire::proto::postern::v1::authorize_request::Subject;
use postern::wire::proto::postern::v1::credential_service_client::CredentialServiceClient;
use support::{GET, PROJECT, connect, question, replace, run, state, until};
use tonic::{Request, Response, Status};

const PEPPER: &str = "kQ3v9ZpL2mX8rT5wB7nY4cJ6hD1fG0sA";
/// Shortest piece of a secret that counts as shown, bytes.
const PIECE: usize = 16;

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn fresh() -> String {
    let key = api_key::generate(&mut |bytes| bytes.fill_with(rand::random));
    key.expose().clone()
}

/// What was planted, and what the program said.
struct Hunt {
    good: String,
    restricted: String,
    expired: String,
    disabled: String,
    peppered: String,
    foreign: String,
    /// In no snapshot, or no key at all.
    unknown: Vec<String>,
    pepper: Pepper,
    seen: Vec<(String, String)>,
}

impl Hunt {
    fn new() -> Self {
        let cut = fresh().get(..60).expect("longer").to_owned();
        let mistyped = fresh().replace("_", "-").replacen('-', "_", 3);
        let spaced = format!("{} ", fresh());
        let foreign: String = (0..40)
            .map(|_| char::from(rand::random_range(b'a'..=b'z')))
            .collect();
        Self {
            good: fresh(),
            restricted: fresh(),
            expired: fresh(),
            disabled: fresh(),
            peppered: fresh(),
            foreign,
            unknown: vec![fresh(), cut, mistyped, spaced, fresh().repeat(5)],
            pepper: Pepper::parse(PEPPER.as_bytes()).expect("a pepper"),
            seen: Vec::new(),
        }
    }

    fn keys(&self) -> impl Iterator<Item = &String> {
        [
            &self.good,
            &self.restricted,
            &self.expired,
            &self.disabled,
            &self.peppered,
            &self.foreign,
        ]
        .into_iter()
        .chain(&self.unknown)
    }

    fn saw(&mut self, what: impl Into<String>, text: impl Into<String>) {
        self.seen.push((what.into(), text.into()));
    }

    /// The pieces of every text that must not appear anywhere.
    fn forbidden(&self) -> HashSet<Vec<u8>> {
        let mut all = HashSet::new();
        let mut add = |text: &str| {
            all.extend(text.as_bytes().windows(PIECE).map(<[u8]>::to_vec));
        };
        add(PEPPER);
        for key in self.keys() {
            // The public id may be shown; it comes first.
            add(match key.strip_prefix("pst_") {
                Some(rest) => rest.get(api_key::ID_LENGTH + 1..).expect("longer"),
                None => key,
            });
        }
        let digests = self.keys().flat_map(|key| {
            let digests = [
                api_key::sha256(key),
                api_key::hmac_sha256(key, &self.pepper),
            ];
            digests.map(Vec::from)
        });
        for bytes in digests.chain([PEPPER.as_bytes().to_vec()]) {
            add(&hex(&bytes));
            add(&hex(&bytes).to_uppercase());
            add(&STANDARD.encode(&bytes));
            add(&URL_SAFE.encode(&bytes));
            add(&format!("{bytes:?}"));
        }
        all
    }

    fn check(&self) {
        let forbidden = self.forbidden();
        for (what, text) in &self.seen {
            let shown = |piece: &[u8]| forbidden.contains(piece);
            if let Some(at) = text.as_bytes().windows(PIECE).position(shown) {
                let from = text.floor_char_boundary(at.saturating_sub(200));
                let to = text.floor_char_boundary(at + 2 * PIECE);
                panic!("{what}: {}", text.get(from..to).unwrap_or_default());
            }
        }
    }

    fn entities(&self) -> Vec<String> {
        let key = |id: &str, digest: String, more: &str| {
            format!(
                "{{\"key\": {{\"name\": \"users/ann/keys/{id}\", \"uid\": \"k-{id}\", \
                 \"owner_uid\": \"u-ann\", \"created_at\": \"2026-01-01T00:00:00Z\", \
                 \"api_key\": {{{digest}}}{more}}}}}"
            )
        };
        let plain = |key: &str| format!("\"sha256\": \"{}\"", hex(&api_key::sha256(key)));
        let peppered = api_key::hmac_sha256(&self.peppered, &self.pepper);
        let restrictions = ", \"restrictions\": {\"permissions\": {\"values\": \
                            [\"models.runs.create\"]}, \"resources\": {\"any\": true}, \
                            \"cidrs\": {\"any\": true}}";
        let mut entities: Vec<String> = [
            r#"{"organization": {"name": "organizations/acme"}}"#,
            r#"{"team": {"name": "organizations/acme/teams/ml"}}"#,
            r#"{"project": {"name": "organizations/acme/teams/ml/projects/p"}}"#,
            r#"{"user": {"name": "users/ann", "uid": "u-ann", "email": "ann@acme.example"}}"#,
            r#"{"allow_policy": {"resource": "organizations/acme/teams/ml/projects/p",
                "bindings": [{"role": "roles/viewer", "members": ["user:ann@acme.example"]}]}}"#,
        ]
        .map(|text| text.replace('\n', " "))
        .to_vec();
        entities.extend([
            key("good", plain(&self.good), ""),
            key("restricted", plain(&self.restricted), restrictions),
            key(
                "expired",
                plain(&self.expired),
                ", \"not_after\": \"2026-01-02T00:00:00Z\"",
            ),
            key("disabled", plain(&self.disabled), ", \"disabled\": true"),
            key("foreign", plain(&self.foreign), ""),
            key(
                "peppered",
                format!("\"hmac_sha256\": \"{}\"", STANDARD.encode(peppered)),
                "",
            ),
        ]);
        entities
    }

    /// Entities with a key or a digest where none belongs.
    fn wrong(&self) -> Vec<String> {
        let key = &self.good;
        let digest = hex(&api_key::sha256(key));
        let cut = digest.get(1..).expect("longer");
        let base64 = STANDARD.encode(api_key::sha256(key));
        let entity = |name: &str, owner: &str, digest: &str, more: &str| {
            format!(
                "{{\"key\": {{\"name\": \"{name}\", \"uid\": \"k-x\", \"owner_uid\": \"{owner}\", \
                 \"created_at\": \"2026-01-01T00:00:00Z\", \"api_key\": {{{digest}}}{more}}}}}"
            )
        };
        let name = "users/ann/keys/x";
        let stored = format!("\"sha256\": \"{}\"", "0".repeat(64));
        let digested = |digest: &str| entity(name, "u-ann", digest, "");
        let extended = |more: &str| entity(name, "u-ann", &stored, more);
        vec![
            digested(&format!("\"sha256\": \"{key}\"")),
            digested(&format!("\"sha256\": \"{}\"", self.foreign)),
            digested(&format!("\"hmac_sha256\": \"{key}\"")),
            digested(&format!("\"sha256\": \"{cut}\"")),
            digested(&format!("\"sha256\": \"{digest}0\"")),
            digested(&format!("\"sha256\": \"{base64}{base64}\"")),
            digested(&format!("\"sha256\": [\"{digest}\", \"{key}\"]")),
            digested(&format!("\"sha256\": {{\"{key}\": \"{digest}\"}}")),
            digested(&format!(
                "\"sha256\": \"{digest}\", \"sha256\": \"{digest}\""
            )),
            digested(&format!("\"sha256\": \"{digest}\", \"{key}\": 1")),
            digested(&format!("\"{key}\": \"{digest}\"")),
            // Twice the key that is stored already.
            digested(&format!("\"sha256\": \"{digest}\"")),
            entity(key, "u-ann", &stored, ""),
            entity(&format!("users/ann/keys/{key}"), "nobody", &stored, ""),
            entity(name, key, &stored, ""),
            extended(&format!(", \"uid\": \"{key}\"")),
            extended(&format!(", \"{key}\": true")),
            extended(&format!(", \"secret\": \"{key}\"")),
            extended(&format!(", \"organization\": \"{key}\"")),
            extended(&format!(", \"disabled\": \"{key}\"")),
            extended(&format!(", \"not_after\": \"{key}\"")),
            extended(&format!(", \"origin\": \"{key}\"")),
            extended(&format!(
                ", \"restrictions\": {{\"permissions\": {{\"values\": [\"{key}\"]}}, \
                 \"resources\": {{\"values\": [\"{key}\"]}}, \"cidrs\": {{\"values\": [\"{key}\"]}}}}"
            )),
            format!("{{\"{key}\": {{\"name\": \"x\"}}}}"),
            format!("{{\"team\": \"{key}\"}}"),
            format!("\"{key}\""),
            format!("{{\"team\": {{\"name\": \"organizations/{key}/teams/x\"}}}}"),
            format!(
                "{{\"team\": {{\"name\": \"organizations/acme/teams/{key}\", \"tags\": \
                 {{\"{key}\": 1}}}}}}"
            ),
            format!(
                "{{\"user\": {{\"name\": \"users/x\", \"uid\": \"{key}\", \"email\": \"{key}\", \
                 \"username\": \"{key}\"}}}}"
            ),
            format!(
                "{{\"allow_policy\": {{\"resource\": \"{PROJECT}\", \"bindings\": [{{\"role\": \
                 \"{key}\", \"members\": [\"{key}\", \"user:{key}@acme.example\"]}}]}}}}"
            ),
            format!("{{\"team\": {{\"display_name\": \"{key}\" \"name\": \"{key}\"}}}}"),
            format!("{{\"team\": {{\"display_name\": \"{key}\\x\", \"name\": {key}"),
            format!("{{\"team\": {{\"display_name\": *{key}}}}}"),
            format!("{{\"team\": {{\"display_name\": !{key} x}}}}"),
        ]
    }
}

/// The program, with its output in files.
struct Program {
    child: Child,
    directory: PathBuf,
}

impl Program {
    fn start(directory: &Path, arguments: &[&str]) -> Self {
        let file = |name: &str| File::create(directory.join(name)).expect("creates");
        let child = Command::new(env!("CARGO_BIN_EXE_postern"))
            .args(arguments)
            .stdin(Stdio::null())
            .stdout(file("stdout"))
            .stderr(file("stderr"))
            .spawn()
            .expect("the binary starts");
        let directory = directory.to_path_buf();
        Self { child, directory }
    }

    fn said(&self, name: &str) -> String {
        std::fs::read_to_string(self.directory.join(name)).expect("UTF-8")
    }

    async fn address(&self) -> String {
        let said = || async { self.said("stdout") };
        let said = until("it serves", said, |said| said.contains("serving revision "));
        let said = said.await;
        let line = said.lines().find_map(|l| l.strip_prefix("listening on "));
        line.expect("it listens").to_owned()
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

fn snapshot(entities: &[String]) -> String {
    format!("{{\"entities\": [\n{}\n]}}\n", entities.join(",\n"))
}

fn told<T: std::fmt::Debug>(answer: &Result<Response<T>, Status>) -> String {
    match answer {
        Ok(response) => format!("{response:?}"),
        Err(status) => {
            let details = String::from_utf8_lossy(status.details());
            format!("{status:?} {status} {details}")
        }
    }
}

/// A request that carries `key` in metadata too, as a gateway may forward it.
fn carrying<T>(message: T, key: &str) -> Request<T> {
    let mut request = Request::new(message);
    if let Ok(value) = format!("Bearer {key}").parse() {
        request.metadata_mut().insert("authorization", value);
    }
    if let Ok(value) = key.parse() {
        request.metadata_mut().insert("x-api-key", value);
    }
    request
}

fn asked(subject: Subject) -> v1::AuthorizeRequest {
    v1::AuthorizeRequest {
        subject: Some(subject),
        ..question("ann", PROJECT)
    }
}

/// Every field that is not echoed by contract, with the key in it.
fn misplaced(key: &str) -> Vec<v1::AuthorizeRequest> {
    let base = || question("ann", PROJECT);
    let text = || key.to_owned();
    vec![
        asked(Subject::Principal(text())),
        asked(Subject::Principal(format!("user:{key}"))),
        asked(Subject::Principal(format!(
            "serviceAccount:{key}?uid={key}"
        ))),
        v1::AuthorizeRequest {
            permission: text(),
            ..base()
        },
        v1::AuthorizeRequest {
            resource: text(),
            ..base()
        },
        v1::AuthorizeRequest {
            resource: format!("organizations/{key}/"),
            ..base()
        },
        v1::AuthorizeRequest {
            entity: text(),
            ..base()
        },
        v1::AuthorizeRequest {
            attribution: text(),
            ..base()
        },
        v1::AuthorizeRequest {
            delegates: vec![text()],
            ..base()
        },
        v1::AuthorizeRequest {
            source_ip: text(),
            ..base()
        },
    ]
}

async fn ask(hunt: &mut Hunt, address: &str) {
    let channel = connect(address).await;
    let mut authorization = AuthorizationServiceClient::new(channel.clone());
    let mut credentials = CredentialServiceClient::new(channel.clone());
    let keys: Vec<String> = hunt.keys().cloned().collect();
    for key in &keys {
        let request = asked(Subject::Credential(key.clone()));
        hunt.saw(
            "Debug of a request",
            format!("{:?}", carrying(request.clone(), "")),
        );
        let answer = authorization
            .authorize(carrying(request.clone(), key))
            .await;
        let is_allow =
            |a: &Response<v1::AuthorizeResponse>| a.get_ref().decision() == v1::Decision::Allow;
        let valid = [&hunt.good, &hunt.peppered, &hunt.foreign].contains(&key);
        assert_eq!(answer.as_ref().is_ok_and(is_allow), valid, "{answer:?}");
        hunt.saw("Authorize", told(&answer));
        // In another field a key of foreign form is a word like any other.
        let mut requests = if *key == hunt.foreign {
            Vec::new()
        } else {
            misplaced(key)
        };
        for wrong in &requests {
            let answer = authorization.authorize(wrong.clone()).await;
            // Names of nothing are echoed to the one who sent them; faults are not.
            if let Err(status) = &answer {
                hunt.saw("a refused Authorize", told::<()>(&Err(status.clone())));
            }
        }
        requests.push(request);
        let batch = v1::BatchAuthorizeRequest { requests };
        let answer = authorization.batch_authorize(carrying(batch, key)).await;
        let items = answer.expect("a batch").into_inner().responses;
        for item in items {
            if let Some(v1::batch_authorize_item::Result::Status(status)) = item.result {
                hunt.saw("an item of a batch", format!("{status:?}"));
            }
        }
        for (permission, source_ip) in [("", ""), (GET, ""), (key, ""), ("", &**key)] {
            if permission == key && *key == hunt.foreign {
                continue;
            }
            let request = v1::VerifyKeyRequest {
                key: key.clone(),
                permission: permission.to_owned(),
                source_ip: source_ip.to_owned(),
                ..v1::VerifyKeyRequest::default()
            };
            if permission.is_empty() && source_ip.is_empty() {
                hunt.saw("Debug of a request", format!("{request:?}"));
            }
            let answer = credentials.verify_key(carrying(request, key)).await;
            hunt.saw("VerifyKey", told(&answer));
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn nothing_that_is_said_shows_a_key_a_pepper_or_a_digest() {
    let mut hunt = Hunt::new();
    let directory = tempfile::tempdir().expect("a directory");
    // The log of what is watched must not be in what is watched.
    let output = tempfile::tempdir().expect("a directory");
    let (path, pepper) = (
        directory.path().join("acme.yaml"),
        directory.path().join("pepper"),
    );
    std::fs::write(&pepper, PEPPER).expect("writes");
    replace(&path, &snapshot(&hunt.entities()));
    let (file, pepper) = (
        path.to_str().expect("UTF-8"),
        pepper.to_str().expect("UTF-8"),
    );
    let program = Program::start(
        output.path(),
        &[
            "serve",
            "--snapshot",
            file,
            "--pepper-file",
            pepper,
            "--poll",
            "0.1",
            "--listen",
            "127.0.0.1:0",
            "--log-level",
            "trace",
        ],
    );
    let address = program.address().await;
    ask(&mut hunt, &address).await;
    let channel = connect(&address).await;
    for (at, wrong) in hunt.wrong().into_iter().enumerate() {
        let mut entities = hunt.entities();
        entities.push(wrong);
        replace(&path, &snapshot(&entities));
        let refused = || async { program.said("stderr").matches("snapshot refused").count() };
        until("it is refused", refused, |count| *count > at).await;
        hunt.saw("GetSnapshot", format!("{:?}", state(&channel).await));
    }
    let log = program.said("stderr");
    assert!(log.contains("TRACE"), "the log is verbose");
    assert!(log.contains("pst_") && log.contains("..."), "keys are cut");
    hunt.saw("the log", log);
    hunt.saw("standard output", program.said("stdout"));
    hunt.check();
}

#[test]
fn no_issue_in_any_form_of_file_shows_a_key_or_a_digest() {
    let mut hunt = Hunt::new();
    let directory = tempfile::tempdir().expect("a directory");
    for wrong in hunt.wrong() {
        let mut entities = hunt.entities();
        entities.push(wrong.clone());
        for (name, text) in [
            ("a.yaml", snapshot(&entities)),
            ("a.json", snapshot(&entities)),
            ("a.ndjson", entities.join("\n")),
        ] {
            let path = directory.path().join(name);
            std::fs::write(&path, &text).expect("writes");
            let (code, stdout, stderr) = run(&["validate", path.to_str().expect("UTF-8")]);
            assert_eq!(code, 65, "{name}: {wrong}: {stdout}");
            hunt.saw(format!("validate {name}"), stdout + &stderr);
            if let Err(issues) = postern::wire::feed::decode_one(name, text.as_bytes()) {
                hunt.saw("Debug of issues", format!("{issues:?} {:?}", issues.list()));
            }
        }
    }
    hunt.check();
}

#[test]
fn no_command_on_keys_shows_what_it_was_given() {
    let mut hunt = Hunt::new();
    let directory = tempfile::tempdir().expect("a directory");
    let (path, pepper) = (
        directory.path().join("a.yaml"),
        directory.path().join("pepper"),
    );
    std::fs::write(&path, snapshot(&hunt.entities())).expect("writes");
    std::fs::write(&pepper, PEPPER).expect("writes");
    let (path, pepper) = (
        path.to_str().expect("UTF-8"),
        pepper.to_str().expect("UTF-8"),
    );
    let look_up = [
        "key",
        "inspect",
        "--snapshot",
        path,
        "--pepper-file",
        pepper,
    ];
    let mut keys: Vec<String> = hunt.keys().cloned().collect();
    keys.push(hunt.good.replace("pst_", "pst-"));
    for key in keys {
        let hash = ["key", "hash", "--pepper-file", pepper];
        let malformed = matches!(api_key::form(&key), api_key::Form::Malformed(_));
        for arguments in [&look_up[..], &["key", "inspect"], &hash] {
            if arguments.contains(&"hash") && !malformed {
                // A digest is what it is asked for.
                continue;
            }
            let mut child = Command::new(env!("CARGO_BIN_EXE_postern"))
                .args(arguments)
                .stdin(Stdio::piped())
                .stdout(Stdio::piped())
                .stderr(Stdio::piped())
                .spawn()
                .expect("the binary starts");
            let mut stdin = child.stdin.take().expect("piped");
            stdin.write_all(key.as_bytes()).expect("writes");
            drop(stdin);
            let output = child.wait_with_output().expect("ends");
            assert_eq!(output.status.code() == Some(65), malformed, "{arguments:?}");
            let said = [output.stdout, output.stderr].concat();
            hunt.saw(arguments.join(" "), String::from_utf8_lossy(&said));
        }
    }
    hunt.check();
}

#[test]
fn no_debug_form_shows_a_digest_or_a_pepper() {
    let mut hunt = Hunt::new();
    let text = snapshot(&hunt.entities());
    let files = [("a.yaml", text.as_bytes())];
    let messages = postern::wire::feed::decode_messages(&files).expect("good");
    let document = postern::wire::feed::decode(&files).expect("good");
    let options = postern::graph::Options {
        has_pepper: true,
        ..postern::graph::Options::default()
    };
    let built = postern::graph::build(&document, None, &options).expect("good");
    let digests = api_key::digest(&hunt.good, Some(&hunt.pepper));
    let secret = postern::model::secret::Secret::new(hunt.good.clone());
    let pepper = hunt.pepper.clone();
    hunt.saw("Debug of inputs", format!("{messages:?} {document:?}"));
    hunt.saw("Debug of a snapshot", format!("{built:?}"));
    hunt.saw(
        "Debug of values",
        format!("{digests:?} {secret:?} {pepper:?}"),
    );
    hunt.check();
}

#[test]
fn the_hunt_finds_what_is_planted() {
    let mut hunt = Hunt::new();
    let digest = api_key::sha256(&hunt.foreign);
    for planted in [
        hunt.good.clone(),
        hunt.unknown
            .iter()
            .map(|key| key.get(20..40).expect("longer"))
            .collect(),
        PEPPER.get(5..25).expect("longer").to_owned(),
        hex(&digest),
        STANDARD.encode(digest),
        format!("Digest({digest:?})"),
    ] {
        hunt.seen = vec![("a text".to_owned(), format!("said {planted}."))];
        let found = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| hunt.check()));
        assert!(found.is_err(), "{planted}");
    }
}
