//! How new the answer is and how long it may take: `min_revision`, `max_staleness`, deadlines,
//! overload (SPEC 12.2 and the fourth line of 15).

#![expect(clippy::disallowed_methods, reason = "tests measure time")]

#[expect(clippy::allow_attributes, reason = "no test uses all of it")]
#[allow(
    dead_code,
    unreachable_pub,
    clippy::expect_used,
    clippy::panic,
    reason = "shared"
)]
mod support;

use std::time::{Duration, Instant};

use postern::clock::Clock as _;
use postern::wire::proto::postern::v1::authorization_service_client::AuthorizationServiceClient;
use postern::wire::proto::postern::v1::{self, AuthorizeRequest};
use support::{InProcess, PROJECT, authorize, connect, question, snapshot};
use tonic::{Code, Status};
use tonic_types::StatusExt as _;

#[tokio::test]
async fn a_deadline_that_cannot_be_met_is_said_to_be_exceeded() {
    // SPEC 15, fourth line
    let mut pdp = InProcess::start();
    pdp.publish(&snapshot(0, &["ann"]));
    // tonic's client would obey the deadline itself and not ask.
    let stream = tokio::net::TcpStream::connect(&pdp.address).await.unwrap();
    let (mut sender, connection) = hyper::client::conn::http2::handshake(
        hyper_util::rt::TokioExecutor::new(),
        hyper_util::rt::TokioIo::new(stream),
    )
    .await
    .unwrap();
    tokio::spawn(connection);
    for (timeout, code) in [
        ("0n", Code::DeadlineExceeded),
        ("1n", Code::DeadlineExceeded),
        ("soon", Code::InvalidArgument),
    ] {
        let request = http::Request::post("http://h/postern.v1.AuthorizationService/Authorize")
            .header("content-type", "application/grpc")
            .header("te", "trailers")
            .header("grpc-timeout", timeout)
            .body(NeverEnding)
            .unwrap();
        let response = sender.send_request(request).await.unwrap();
        let status = Status::from_header_map(response.headers()).expect("a status at once");
        assert_eq!(status.code(), code, "{timeout}: {status:?}");
    }
}

/// A request whose message never comes.
struct NeverEnding;

impl hyper::body::Body for NeverEnding {
    type Data = hyper::body::Bytes;
    type Error = std::convert::Infallible;

    fn poll_frame(
        self: std::pin::Pin<&mut Self>,
        _: &mut std::task::Context<'_>,
    ) -> std::task::Poll<Option<Result<hyper::body::Frame<Self::Data>, Self::Error>>> {
        std::task::Poll::Pending
    }
}

#[tokio::test]
async fn min_revision_waits_for_the_publish_or_the_deadline() {
    // SPEC 12.2
    let mut pdp = InProcess::start();
    pdp.publish(&snapshot(1, &["ann"]));
    let channel = connect(&pdp.address).await;
    let asked = AuthorizeRequest {
        min_revision: 2,
        ..question("bob", PROJECT)
    };

    let mut request = tonic::Request::new(asked.clone());
    request.set_timeout(Duration::from_millis(400));
    let start = Instant::now();
    let mut client = AuthorizationServiceClient::new(channel.clone());
    let status = client.authorize(request).await.unwrap_err();
    assert_eq!(status.code(), Code::FailedPrecondition, "{status:?}");
    assert!(start.elapsed() >= Duration::from_millis(300), "it waited");
    let info = status.get_details_error_info().unwrap();
    assert_eq!(
        (
            info.metadata["min_revision"].as_str(),
            info.metadata["revision"].as_str()
        ),
        ("2", "1")
    );

    let waiting = tokio::spawn({
        let channel = channel.clone();
        async move { authorize(&channel, asked).await }
    });
    // The wait has begun, or begins after the publish: both must end with revision 2.
    tokio::time::sleep(Duration::from_millis(50)).await;
    pdp.publish(&snapshot(2, &["bob"]));
    let response = waiting.await.unwrap().unwrap();
    assert_eq!(
        (response.revision, response.decision()),
        (2, v1::Decision::Allow)
    );
}

#[tokio::test]
async fn too_many_waiting_requests_are_refused_with_a_retry_delay() {
    // SPEC 15, fourth line
    let mut pdp = InProcess::start();
    pdp.publish(&snapshot(1, &["ann"]));
    let asked = AuthorizeRequest {
        min_revision: 2,
        ..question("ann", PROJECT)
    };
    let mut waiting = tokio::task::JoinSet::new();
    let mut more = postern::limits::WAITERS_MAX + 1;
    while more > 0 {
        let channel = connect(&pdp.address).await;
        let some = more.min(1_000);
        more -= some;
        for _ in 0..some {
            let (channel, asked) = (channel.clone(), asked.clone());
            waiting.spawn(async move { authorize(&channel, asked).await });
        }
    }
    let refused = waiting.join_next().await.unwrap().unwrap().unwrap_err();
    assert_eq!(refused.code(), Code::ResourceExhausted, "{refused:?}");
    assert!(
        refused
            .get_details_retry_info()
            .unwrap()
            .retry_delay
            .unwrap()
            > Duration::ZERO
    );
    pdp.publish(&snapshot(2, &["ann"]));
    while let Some(answer) = waiting.join_next().await {
        assert_eq!(answer.unwrap().unwrap().revision, 2);
    }
}

#[tokio::test]
async fn a_snapshot_older_than_max_staleness_denies() {
    // SPEC 12.2
    let mut pdp = InProcess::start();
    pdp.publish(&snapshot(0, &["ann"]));
    let channel = connect(&pdp.address).await;
    let asked = AuthorizeRequest {
        max_staleness: Some(prost_types::Duration {
            seconds: 10,
            nanos: 0,
        }),
        ..question("ann", PROJECT)
    };
    pdp.clock.advance(Duration::from_secs(10));
    let response = authorize(&channel, asked.clone()).await.unwrap();
    assert_eq!(response.decision(), v1::Decision::Allow);
    assert_eq!(response.snapshot_age.unwrap().seconds, 10);
    pdp.clock.advance(Duration::from_millis(1));
    let response = authorize(&channel, asked.clone()).await.unwrap();
    assert_eq!(response.decision(), v1::Decision::Deny);
    assert_eq!(response.reason(), v1::Reason::StaleSnapshot);
    // A confirming poll makes it fresh again, without a new revision.
    pdp.publisher.confirm(pdp.clock.monotonic());
    let response = authorize(&channel, asked).await.unwrap();
    assert_eq!(
        (response.decision(), response.revision),
        (v1::Decision::Allow, 1)
    );
}
