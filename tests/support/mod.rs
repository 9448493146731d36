//! What the process tests share: the real binary, clients, small snapshots.

use std::io::{BufRead as _, BufReader, Read as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use postern::serve::client;
use postern::wire::proto::postern::v1;
use postern::wire::proto::postern::v1::authorization_service_client::AuthorizationServiceClient;
use postern::wire::proto::postern::v1::authorize_request::Subject;
use postern::wire::proto::postern::v1::snapshot_service_client::SnapshotServiceClient;
use tonic::transport::Channel;

/// Longest wait for anything; a test that hits it has failed.
pub const DEADLINE: Duration = Duration::from_secs(20);

pub type Snapshot = v1::GetSnapshotResponse;

pub const PROJECT: &str = "organizations/acme/teams/ml/projects/p";
pub const GET: &str = "models.runs.get";

/// One organization, one team, one project; `members` are `user:` names (`ann`) that may
/// read the project. `revision` is left out when it is 0.
pub fn snapshot(revision: u64, members: &[&str]) -> String {
    let mut text = String::new();
    if revision > 0 {
        text.push_str(&format!("revision: {revision}\n"));
    }
    text.push_str(
        "entities:\n\
         - organization: {name: organizations/acme, display_name: Acme}\n\
         - team: {name: organizations/acme/teams/ml, display_name: ML}\n\
         - project: {name: organizations/acme/teams/ml/projects/p, display_name: P}\n\
         - user: {name: users/ann, uid: u-ann, email: ann@acme.example, username: ann}\n\
         - user: {name: users/bob, uid: u-bob, email: bob@acme.example, username: bob}\n",
    );
    let list: Vec<String> = members
        .iter()
        .map(|m| format!("\"user:{m}@acme.example\""))
        .collect();
    if !list.is_empty() {
        text.push_str(&format!(
            "- allow_policy: {{resource: {PROJECT}, bindings: [{{role: roles/viewer, \
             members: [{}]}}]}}\n",
            list.join(", ")
        ));
    }
    text
}

/// A running `postern serve`.
pub struct Server {
    child: Child,
    lines: Receiver<String>,
    errors: Option<std::thread::JoinHandle<String>>,
    pub addresses: Vec<String>,
}

impl Server {
    /// Starts the binary and waits until it listens.
    pub fn start(arguments: &[&str]) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_postern"))
            .arg("serve")
            .args(arguments)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the binary starts");
        let stdout = BufReader::new(child.stdout.take().expect("piped"));
        let mut stderr = child.stderr.take().expect("piped");
        let (sender, lines) = channel();
        std::thread::spawn(move || {
            for line in stdout.lines().map_while(Result::ok) {
                if sender.send(line).is_err() {
                    return;
                }
            }
        });
        let errors = std::thread::spawn(move || {
            let mut text = String::new();
            stderr.read_to_string(&mut text).expect("the log is UTF-8");
            text
        });
        Self {
            child,
            lines,
            errors: Some(errors),
            addresses: Vec::new(),
        }
    }

    /// Starts with a snapshot on a free port, polls often, waits until it serves.
    pub fn serving(snapshot: &Path, more: &[&str]) -> Self {
        let path = snapshot.to_str().expect("UTF-8");
        let mut arguments = vec!["--snapshot", path];
        if !more.contains(&"--poll") {
            arguments.extend(["--poll", "0.1"]);
        }
        if !more.contains(&"--listen") {
            arguments.extend(["--listen", "127.0.0.1:0"]);
        }
        arguments.extend(more);
        let mut server = Self::start(&arguments);
        server.wait_until_serving();
        server
    }

    pub fn wait_until_serving(&mut self) {
        loop {
            let Ok(line) = self.lines.recv_timeout(DEADLINE) else {
                drop(self.child.kill());
                let log = self.errors.take().map(std::thread::JoinHandle::join);
                panic!("it does not serve: {log:?}");
            };
            if let Some(address) = line.strip_prefix("listening on ") {
                self.addresses.push(address.to_owned());
            }
            if line.starts_with("serving revision ") {
                return;
            }
        }
    }

    /// The next line of standard output.
    pub fn line(&self) -> Option<String> {
        self.lines.recv_timeout(DEADLINE).ok()
    }

    pub fn address(&self) -> &str {
        self.addresses.first().expect("it listens")
    }

    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    pub fn signal(&self, signal: rustix::process::Signal) {
        let pid = i32::try_from(self.pid()).expect("a pid");
        let pid = rustix::process::Pid::from_raw(pid).expect("a pid");
        rustix::process::kill_process(pid, signal).expect("the process is there");
    }

    /// Waits for the end; the log and the status.
    pub fn end(mut self) -> (ExitStatus, String) {
        let deadline = Instant::now() + DEADLINE;
        let status = loop {
            if let Some(status) = self.child.try_wait().expect("waits") {
                break status;
            }
            assert!(Instant::now() < deadline, "the process did not end");
            std::thread::sleep(Duration::from_millis(5));
        };
        let log = self
            .errors
            .take()
            .expect("taken once")
            .join()
            .expect("reads");
        (status, log)
    }

    /// Stops it; the log.
    pub fn stop(self) -> String {
        self.signal(rustix::process::Signal::TERM);
        let (status, log) = self.end();
        assert_eq!(status.code(), Some(0), "{log}");
        log
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if let Ok(None) = self.child.try_wait() {
            drop(self.child.kill());
            drop(self.child.wait());
        }
    }
}

/// Runs a command of the binary to its end: exit code, standard output, standard error.
pub fn run(arguments: &[&str]) -> (i32, String, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_postern"))
        .args(arguments)
        .stdin(Stdio::null())
        .output()
        .expect("the binary starts");
    (
        output.status.code().expect("an exit code"),
        String::from_utf8(output.stdout).expect("UTF-8"),
        String::from_utf8(output.stderr).expect("UTF-8"),
    )
}

pub async fn connect(address: &str) -> Channel {
    client::connect(address).await.expect("connects")
}

pub fn question(user: &str, resource: &str) -> v1::AuthorizeRequest {
    v1::AuthorizeRequest {
        subject: Some(Subject::Principal(format!("user:{user}@acme.example"))),
        permission: GET.to_owned(),
        resource: resource.to_owned(),
        ..v1::AuthorizeRequest::default()
    }
}

pub async fn authorize(
    channel: &Channel,
    request: v1::AuthorizeRequest,
) -> Result<v1::AuthorizeResponse, tonic::Status> {
    let mut client = AuthorizationServiceClient::new(channel.clone());
    client
        .authorize(request)
        .await
        .map(tonic::Response::into_inner)
}

/// An open connection of a client that answers no GOAWAY and no ping: it holds a drain up.
pub fn stuck(address: &str) -> std::net::TcpStream {
    use std::io::Write as _;
    let mut stuck = std::net::TcpStream::connect(address).expect("connects");
    stuck
        .write_all(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0")
        .expect("writes");
    stuck
        .set_read_timeout(Some(DEADLINE))
        .expect("a timeout is set");
    // One that is not open yet is closed at once: wait until it acknowledges the settings.
    loop {
        let mut head = [0; 9];
        stuck.read_exact(&mut head).expect("a frame");
        let [a, b, c, kind, flags, ..] = head;
        let length = usize::try_from(u32::from_be_bytes([0, a, b, c])).expect("a length");
        stuck.read_exact(&mut vec![0; length]).expect("its payload");
        if (kind, flags) == (4, 1) {
            return stuck;
        }
    }
}

/// Sends a request that waits, and returns once the server has it: the calls of a connection
/// are read in the order they were sent, and a later one has been answered.
pub async fn waits(
    channel: &Channel,
    request: impl tonic::IntoRequest<v1::AuthorizeRequest>,
) -> tokio::task::JoinHandle<Result<v1::AuthorizeResponse, tonic::Status>> {
    let mut client = AuthorizationServiceClient::new(channel.clone());
    let request = request.into_request();
    let mut waiting = Box::pin(async move {
        client
            .authorize(request)
            .await
            .map(tonic::Response::into_inner)
    });
    tokio::select! {
        biased;
        answer = &mut waiting => panic!("it did not wait: {answer:?}"),
        allowed = allows(channel, "ann") => assert!(allowed),
    }
    tokio::spawn(waiting)
}

pub async fn allows(channel: &Channel, user: &str) -> bool {
    let response = authorize(channel, question(user, PROJECT))
        .await
        .expect("a decision");
    response.decision() == v1::Decision::Allow
}

pub async fn state(channel: &Channel) -> v1::GetSnapshotResponse {
    let mut client = SnapshotServiceClient::new(channel.clone());
    let request = v1::GetSnapshotRequest {};
    client
        .get_snapshot(request)
        .await
        .expect("a snapshot")
        .into_inner()
}

/// Asks until `good` holds of the answer.
pub async fn until<T, F: Future<Output = T>>(
    what: &str,
    mut ask: impl FnMut() -> F,
    good: impl Fn(&T) -> bool,
) -> T {
    let deadline = Instant::now() + DEADLINE;
    loop {
        let answer = ask().await;
        if good(&answer) {
            return answer;
        }
        assert!(Instant::now() < deadline, "not in time: {what}");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

/// Waits until `revision` serves.
pub async fn reaches(channel: &Channel, revision: u64) {
    let what = format!("revision {revision}");
    until(&what, || state(channel), |state| state.revision >= revision).await;
}

/// A directory of its own, and a snapshot file in it.
pub fn in_directory(text: &str) -> (tempfile::TempDir, PathBuf) {
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path().join("acme.yaml");
    std::fs::write(&path, text).expect("writes");
    (directory, path)
}

/// Replaces a file as a careful writer does.
pub fn replace(path: &Path, text: &str) {
    let beside = path.with_extension("tmp");
    std::fs::write(&beside, text).expect("writes");
    std::fs::rename(&beside, path).expect("renames");
}

/// A server in this process, fed by the test itself.
pub struct InProcess {
    pub publisher: postern::live::SnapshotPublisher,
    pub clock: std::sync::Arc<postern::clock::ManualClock>,
    pub server: postern::serve::Server,
    pub address: String,
}

impl InProcess {
    /// Nothing published yet.
    pub fn start() -> Self {
        let listen = vec!["127.0.0.1:0".parse().expect("an address")];
        Self::bounded(listen, postern::serve::Bounds::default())
    }

    /// The same, with what an operator says about the proxy interface.
    pub fn with_envoy(envoy: postern::wire::envoy::settings::Settings) -> Self {
        let listen = vec!["127.0.0.1:0".parse().expect("an address")];
        Self::told(listen, postern::serve::Bounds::default(), envoy)
    }

    /// The same, elsewhere and with other bounds.
    pub fn bounded(
        listen: Vec<postern::serve::listen::Address>,
        bounds: postern::serve::Bounds,
    ) -> Self {
        Self::told(
            listen,
            bounds,
            postern::wire::envoy::settings::Settings::default(),
        )
    }

    fn told(
        listen: Vec<postern::serve::listen::Address>,
        bounds: postern::serve::Bounds,
        envoy: postern::wire::envoy::settings::Settings,
    ) -> Self {
        let (publisher, reader) = postern::live::channel().expect("a thread");
        let clock = std::sync::Arc::new(postern::clock::ManualClock::at(1_800_000_000));
        let dynamic: std::sync::Arc<dyn postern::clock::Clock> = clock.clone();
        let parts = postern::serve::dispatch::Parts {
            reader,
            clock: dynamic,
            pepper: None,
            envoy,
            admins: postern::serve::caller::Admins::default(),
        };
        let config = postern::serve::Config {
            listen,
            socket_mode: 0o600,
            workers: 2,
            bounds,
        };
        let server = postern::serve::Server::start(&config, parts).expect("starts");
        let address = server.addresses().first().expect("one").to_string();
        Self {
            publisher,
            clock,
            server,
            address,
        }
    }

    /// Publishes a snapshot of this text.
    pub fn publish(&mut self, text: &str) {
        use postern::clock::Clock as _;
        let document = postern::wire::feed::decode_one("test.yaml", text.as_bytes())
            .unwrap_or_else(|issues| panic!("{issues}"));
        let current = self.publisher.current();
        let previous = current.as_deref().map(|state| &state.snapshot);
        let built = postern::graph::build(&document, previous, &postern::graph::Options::default())
            .unwrap_or_else(|issues| panic!("{issues}"));
        self.publisher
            .publish(built.snapshot, self.clock.monotonic())
            .expect("a newer revision");
    }
}
