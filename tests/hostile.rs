//! Clients that mean harm, or speak no gRPC: none of them gets an allow, none stops the
//! server, none makes it log a panic.

#![expect(
    clippy::allow_attributes,
    reason = "the lints differ from helper to helper"
)]
#![allow(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::too_many_lines,
    reason = "helpers of tests, which measure real time"
)]

#[allow(
    dead_code,
    unreachable_pub,
    clippy::expect_used,
    clippy::panic,
    clippy::disallowed_methods,
    reason = "shared"
)]
mod support;

use std::io::{Read as _, Write as _};
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use http::{HeaderMap, Method, StatusCode};
use hyper::body::{Body as _, Bytes, Frame};
use postern::wire::proto::postern::v1::authorize_request::Subject;
use postern::wire::proto::postern::v1::{self, AuthorizeRequest};
use prost::Message as _;
use prost_types::value::Kind;
use support::{InProcess, PROJECT, Server, allows, authorize, connect, in_directory};
use support::{question, snapshot};
use tonic::transport::Channel;
use tonic::{Code, Status};
use tower::{Service as _, ServiceExt as _};

const AUTHORIZE: &str = "/postern.v1.AuthorizationService/Authorize";

const BATCH: &str = "/postern.v1.AuthorizationService/BatchAuthorize";

/// A body of one piece.
struct Once(Option<Bytes>);

impl hyper::body::Body for Once {
    type Data = Bytes;
    type Error = std::convert::Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        Poll::Ready(self.0.take().map(|bytes| Ok(Frame::data(bytes))))
    }
}

/// What came back: the status of HTTP, that of gRPC, and whether there was a message.
#[derive(Debug)]
struct Answer {
    http: StatusCode,
    grpc: Option<Status>,
    message: bool,
}

async fn send(
    channel: &Channel,
    method: Method,
    headers: &[(&'static str, &'static str)],
    body: Vec<u8>,
) -> Answer {
    send_to(AUTHORIZE, channel, method, headers, body).await
}

/// Sends bytes that no gRPC library would.
async fn send_to(
    path: &'static str,
    channel: &Channel,
    method: Method,
    headers: &[(&'static str, &'static str)],
    body: Vec<u8>,
) -> Answer {
    let mut request = http::Request::new(tonic::body::Body::new(Once(Some(body.into()))));
    *request.method_mut() = method;
    *request.uri_mut() = http::Uri::from_static(path);
    for (name, value) in headers {
        request.headers_mut().append(*name, value.parse().unwrap());
    }
    let mut channel = channel.clone();
    let response = channel.ready().await.unwrap().call(request).await.unwrap();
    let (head, mut body) = response.into_parts();
    let mut trailers: Option<HeaderMap> = None;
    let mut message = false;
    while let Some(frame) = std::future::poll_fn(|c| Pin::new(&mut body).poll_frame(c)).await {
        match frame.unwrap().into_trailers() {
            Ok(found) => trailers = Some(found),
            Err(_) => message = true,
        }
    }
    let grpc = Status::from_header_map(&head.headers)
        .or_else(|| trailers.as_ref().and_then(Status::from_header_map));
    Answer {
        http: head.status,
        grpc,
        message,
    }
}

/// A message with its five bytes of gRPC.
fn framed(flag: u8, bytes: &[u8]) -> Vec<u8> {
    let mut framed = vec![flag];
    framed.extend(u32::try_from(bytes.len()).unwrap().to_be_bytes());
    framed.extend(bytes);
    framed
}

const GRPC: (&str, &str) = ("content-type", "application/grpc");

fn running() -> InProcess {
    let mut pdp = InProcess::start();
    pdp.publish(&snapshot(0, &["ann"]));
    pdp
}

#[tokio::test]
async fn what_is_no_grpc_gets_no_decision() {
    let pdp = running();
    let channel = connect(&pdp.address).await;
    let good = framed(0, &question("ann", PROJECT).encode_to_vec());
    for kind in [
        "application/grpc",
        "application/grpc+proto",
        "application/grpc; a=b",
    ] {
        let answer = send(
            &channel,
            Method::POST,
            &[("content-type", kind)],
            good.clone(),
        )
        .await;
        assert!(answer.message, "{kind}: {answer:?}");
    }
    for headers in [
        &[][..],
        &[("content-type", "application/json")],
        &[("content-type", "application/grpc+json")],
        &[("content-type", "application/grpc-web+proto")],
        &[("content-type", "text/plain")],
    ] {
        let answer = send(&channel, Method::POST, headers, good.clone()).await;
        assert_eq!(
            answer.http,
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            "{headers:?}"
        );
        assert!(!answer.message, "{headers:?}");
    }
    for method in [Method::GET, Method::PUT, Method::DELETE, Method::OPTIONS] {
        let answer = send(&channel, method.clone(), &[GRPC], good.clone()).await;
        assert_eq!(answer.http, StatusCode::METHOD_NOT_ALLOWED, "{method}");
        assert!(!answer.message, "{method}");
    }
}

#[tokio::test]
async fn a_call_that_is_framed_wrong_gets_no_decision() {
    let pdp = running();
    let channel = connect(&pdp.address).await;
    let request = question("ann", PROJECT).encode_to_vec();
    let good = framed(0, &request);
    let huge = {
        let mut huge = good.clone();
        huge[1..5].copy_from_slice(&u32::MAX.to_be_bytes());
        huge
    };
    let bodies = [
        ("nothing", vec![], Code::Internal),
        (
            "two messages",
            [&good[..], &good].concat(),
            Code::InvalidArgument,
        ),
        (
            "bytes after it",
            [&good[..], &[0, 0]].concat(),
            Code::Internal,
        ),
        (
            "half of it",
            good[..good.len() - 3].to_vec(),
            Code::Internal,
        ),
        ("a length of 4 GiB", huge, Code::InvalidArgument),
        (
            "compressed, no encoding said",
            framed(1, &request),
            Code::Internal,
        ),
        ("an unknown flag", framed(7, &request), Code::Internal),
    ];
    for (what, body, code) in bodies {
        let answer = send(&channel, Method::POST, &[GRPC], body).await;
        assert!(!answer.message, "{what}: {answer:?}");
        assert_eq!(answer.grpc.unwrap().code(), code, "{what}");
    }
    // A message that would unpack to gigabytes is not unpacked.
    let encoded = [GRPC, ("grpc-encoding", "gzip")];
    let answer = send(&channel, Method::POST, &encoded, framed(1, &request)).await;
    assert!(!answer.message);
    assert_eq!(answer.grpc.unwrap().code(), Code::Unimplemented);
    for timeout in ["", "x", "1", "-1S", "1.5S", "999999999S", "1s"] {
        let headers = [GRPC, ("grpc-timeout", timeout)];
        let answer = send(&channel, Method::POST, &headers, good.clone()).await;
        assert_eq!(
            answer.grpc.unwrap().code(),
            Code::InvalidArgument,
            "{timeout}"
        );
    }
    let twice = [GRPC, ("grpc-timeout", "1S"), ("grpc-timeout", "1n")];
    let answer = send(&channel, Method::POST, &twice, good).await;
    assert_eq!(answer.grpc.unwrap().code(), Code::InvalidArgument);
}

// SPEC 2.4 is about snapshots; a request is proto3 (docs/SEMANTICS.md, 15).
#[tokio::test]
async fn an_unknown_field_of_a_request_is_ignored() {
    let pdp = running();
    let channel = connect(&pdp.address).await;
    let ann = question("ann", PROJECT).encode_to_vec();
    // Field 999, length-delimited, "hello".
    let unknown = [&ann[..], &[0xba, 0x3e, 5], b"hello"].concat();
    let answer = send(&channel, Method::POST, &[GRPC], framed(0, &unknown)).await;
    assert!(answer.message, "{answer:?}");
}

/// Most memory that this process ever had, bytes.
fn peak() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status
        .lines()
        .find(|line| line.starts_with("VmHWM:"))
        .unwrap();
    let kibibytes: u64 = line.split_whitespace().nth(1).unwrap().parse().unwrap();
    kibibytes * 1_024
}

// SPEC 14, 15
#[tokio::test]
async fn a_batch_of_a_million_empty_items_is_refused_before_it_takes_memory() {
    use postern::wire::proto::postern::v1::authorization_service_client::AuthorizationServiceClient;
    let pdp = running();
    let mut client = AuthorizationServiceClient::new(connect(&pdp.address).await);
    // Field 1, empty, a million times.
    let body = framed(0, &[0x0a, 0x00].repeat(1_000_000));
    let before = peak();
    let answer = send_to(
        BATCH,
        &connect(&pdp.address).await,
        Method::POST,
        &[GRPC],
        body,
    )
    .await;
    assert_eq!(answer.grpc.unwrap().code(), Code::InvalidArgument);
    assert!(peak() - before < 100 << 20, "{} bytes", peak() - before);
    let good = v1::BatchAuthorizeRequest {
        requests: vec![question("ann", PROJECT); 1_000],
    };
    let answer = client.batch_authorize(good).await.unwrap().into_inner();
    assert_eq!(answer.responses.len(), 1_000);
}

fn nested(depth: usize) -> prost_types::Value {
    let mut value = prost_types::Value {
        kind: Some(Kind::BoolValue(true)),
    };
    for _ in 0..depth {
        value = prost_types::Value {
            kind: Some(Kind::ListValue(prost_types::ListValue {
                values: vec![value],
            })),
        };
    }
    value
}

fn with_context(
    fields: impl IntoIterator<Item = (String, prost_types::Value)>,
) -> AuthorizeRequest {
    AuthorizeRequest {
        context: Some(prost_types::Struct {
            fields: fields.into_iter().collect(),
        }),
        ..question("ann", PROJECT)
    }
}

// SPEC 15
#[tokio::test]
async fn a_large_or_deep_request_is_an_invalid_argument_in_few_words() {
    let pdp = running();
    let channel = connect(&pdp.address).await;
    let wide = (0..100_000).map(|n| (format!("a{n}"), nested(0)));
    let said = |subject: Subject| AuthorizeRequest {
        subject: Some(subject),
        ..question("ann", PROJECT)
    };
    let long = "a".repeat(1_000_000);
    let requests = [
        with_context(wide),
        with_context([("a".to_owned(), nested(400))]),
        AuthorizeRequest {
            permission: format!("models.runs.{long}"),
            ..question("ann", PROJECT)
        },
        AuthorizeRequest {
            resource: format!("organizations/{long}"),
            ..question("ann", PROJECT)
        },
        said(Subject::Principal(format!("user:{long}@acme.example"))),
        said(Subject::Principal(format!("principal://{long}"))),
        AuthorizeRequest {
            entity: format!("organizations/acme/teams/{long}"),
            ..question("ann", PROJECT)
        },
    ];
    for request in requests {
        let status = authorize(&channel, request).await.unwrap_err();
        assert_eq!(
            status.code(),
            Code::InvalidArgument,
            "{:.300}",
            status.message()
        );
        assert!(status.message().len() < 1_024, "{}", status.message().len());
        assert!(!status.message().contains(&long), "echoed");
    }
    // A key of any length is only digested: SPEC 9.2 `MALFORMED`.
    let answer = authorize(&channel, said(Subject::Credential(long)))
        .await
        .unwrap();
    assert_eq!(answer.reason(), v1::Reason::CredentialMalformed);
}

// SPEC 1.2, 1.5, 6.2: ann is allowed; nothing that only looks like ann or her project is.
#[tokio::test]
async fn nothing_that_looks_like_the_principal_or_the_resource_is_allowed() {
    let pdp = running();
    let channel = connect(&pdp.address).await;
    assert!(allows(&channel, "ann").await);
    let said = |principal: &str| AuthorizeRequest {
        subject: Some(Subject::Principal(principal.to_owned())),
        ..question("ann", PROJECT)
    };
    let ann = "user:ann@acme.example";
    let mut requests: Vec<AuthorizeRequest> = [
        &format!("{ann}\n"),
        &format!("{ann}\0"),
        &format!("{ann} "),
        &format!(" {ann}"),
        &format!("{ann}?uid=u-ann"),
        &format!("deleted:{ann}"),
        &format!("{ann},user:bob@acme.example"),
        &ann.replace('@', "%40"),
        &ann.replace("user", "USER"),
        &ann.replace("user", "group"),
        &ann.replace("user", "serviceAccount"),
        &ann.replace("ann", "аnn"), // a Cyrillic letter
        &ann.replace("ann", "ann\u{200b}"),
        &ann.replace("example", "example."),
        "user:ann",
        "user:users/ann",
        "users/ann",
        "user:*",
        "allAuthenticatedUsers",
    ]
    .into_iter()
    .map(said)
    .collect();
    requests.extend(
        [
            format!("{PROJECT}\n"),
            format!("{PROJECT}\0"),
            format!("{PROJECT}/"),
            format!("/{PROJECT}"),
            format!("{PROJECT}/."),
            format!("{PROJECT}/runs/.."),
            format!("{PROJECT}/../p"),
            format!("//postern.example/{PROJECT}"),
            PROJECT.replace("/p", "/%70"),
            PROJECT.replacen('/', "%2F", 1),
            PROJECT.replacen('/', "%2f", 1),
            PROJECT.replacen('/', "//", 1),
            PROJECT.replacen('/', "\\", 1),
            PROJECT.replace("acme", "ACME"),
            PROJECT.replace("organizations", "Organizations"),
            format!("{PROJECT}?x=y"),
            format!("{PROJECT}#x"),
            format!("{PROJECT};x"),
        ]
        .map(|resource| question("ann", &resource)),
    );
    for permission in [
        "models.runs.get\0",
        "models.runs.get ",
        "MODELS.runs.get",
        "models.runs",
    ] {
        requests.push(AuthorizeRequest {
            permission: permission.to_owned(),
            ..question("ann", PROJECT)
        });
    }
    for request in requests {
        let what = format!("{request:?}");
        match authorize(&channel, request).await {
            Ok(answer) => assert_eq!(answer.decision(), v1::Decision::Deny, "{what}"),
            Err(status) => assert_eq!(status.code(), Code::InvalidArgument, "{what}"),
        }
    }
}

const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/// A frame of HTTP/2.
fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).unwrap().to_be_bytes();
    let head = [length[1], length[2], length[3], kind, flags];
    [&head[..], &stream.to_be_bytes(), payload].concat()
}

/// Writes until the other side has had enough, at most for a second; then reads what is there.
fn assault(address: &str, mut piece: impl FnMut(u32) -> Vec<u8>) {
    let mut socket = std::net::TcpStream::connect(address).unwrap();
    socket
        .set_write_timeout(Some(Duration::from_millis(200)))
        .unwrap();
    socket
        .set_read_timeout(Some(Duration::from_millis(200)))
        .unwrap();
    let start = Instant::now();
    for round in 0.. {
        if start.elapsed() > Duration::from_secs(1) || socket.write_all(&piece(round)).is_err() {
            break;
        }
    }
    let _refused = socket.read(&mut [0; 4_096]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn broken_connections_leave_the_server_answering_and_the_log_short() {
    let (_directory, path) = in_directory(&snapshot(0, &["ann"]));
    let server = Server::serving(&path, &[]);
    let address = server.address().to_owned();
    let channel = connect(&address).await;
    let begin = [PREFACE, &frame(4, 0, 0, b"")].concat();
    // `:method POST`, `:scheme http`, `:path /` of the static table.
    let head = [0x83, 0x86, 0x84];
    let after_begin = move |round: u32, more: Vec<u8>| match round {
        0 => [&begin[..], &more].concat(),
        _ => more,
    };
    let assaults = tokio::task::spawn_blocking(move || {
        let once = |bytes: &[u8]| {
            let bytes = bytes.to_vec();
            assault(&address, |round| {
                if round == 0 {
                    bytes.clone()
                } else {
                    Vec::new()
                }
            });
        };
        once(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n");
        once(&PREFACE[..10]);
        once(&[0x16, 3, 1, 0, 200, 1, 0, 0, 196, 3, 3]);
        once(&[0xff; 4_096]);
        // Rapid reset.
        assault(&address, |round| {
            let stream = 2 * round + 1;
            let reset = frame(3, 0, stream, &[0, 0, 0, 8]);
            after_begin(round, [frame(1, 4, stream, &head), reset].concat())
        });
        // Streams that stay open, more than allowed.
        assault(&address, |round| {
            after_begin(round, frame(1, 4, 2 * round + 1, &head))
        });
        // Headers without end.
        assault(&address, |round| match round {
            0 => after_begin(0, frame(1, 0, 1, &head)),
            _ => frame(9, 0, 1, &[&[0x00, 1, b'a', 100][..], &[b'v'; 100]].concat()),
        });
        // Pings and settings.
        assault(&address, |round| {
            after_begin(round, frame(6, 0, 0, &[0; 8]).repeat(100))
        });
        assault(&address, |round| {
            after_begin(round, frame(4, 0, 0, b"").repeat(100))
        });
    });
    let mut slowest = Duration::ZERO;
    while !assaults.is_finished() {
        let start = Instant::now();
        assert!(allows(&channel, "ann").await);
        slowest = slowest.max(start.elapsed());
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    assaults.await.unwrap();
    assert!(
        slowest < Duration::from_secs(2),
        "an answer took {slowest:?}"
    );
    let log = server.stop();
    assert!(!log.contains("panic"), "{log}");
    assert!(log.lines().count() < 5, "a client fills the log: {log}");
}
