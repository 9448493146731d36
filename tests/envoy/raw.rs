//! Calls as bytes: what a careful client never sends.

use std::collections::VecDeque;
use std::pin::Pin;
use std::task::{Context, Poll};

use envoy_types::pb::envoy::service::auth::v3::CheckResponse;
use hyper::body::{Body as _, Frame};
use prost::Message as _;
use prost::bytes::Bytes;
use tonic::body::Body;
use tonic::transport::Channel;
use tower::{Service as _, ServiceExt as _};

/// A body in parts, which may never end.
pub struct Parts {
    pub parts: VecDeque<Bytes>,
    pub ends: bool,
}

impl hyper::body::Body for Parts {
    type Data = Bytes;
    type Error = std::convert::Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        match self.parts.pop_front() {
            Some(part) => Poll::Ready(Some(Ok(Frame::data(part)))),
            None if self.ends => Poll::Ready(None),
            None => Poll::Pending,
        }
    }
}

/// A message with the five bytes before it.
pub fn framed(message: &[u8]) -> Bytes {
    let length = u32::try_from(message.len()).expect("small");
    [&[0][..], &length.to_be_bytes(), message].concat().into()
}

/// What came back.
#[derive(Debug)]
pub struct Answer {
    pub http: u16,
    /// `grpc-status`, wherever it was.
    pub grpc: Option<String>,
    pub message: Option<CheckResponse>,
}

impl Answer {
    /// What Envoy does with it: no error, and a status that is no deny (INTERFACES 4.2).
    pub fn passes(&self) -> bool {
        let code = |message: &CheckResponse| message.status.as_ref().map_or(0, |s| s.code);
        let message = self.message.as_ref();
        self.http == 200
            && self.grpc.as_deref() == Some("0")
            && message.is_some_and(|message| code(message) == 0)
    }
}

/// Sends a call.
pub async fn call(channel: &Channel, body: Parts, timeout: Option<&str>) -> Answer {
    let mut request = http::Request::post("/envoy.service.auth.v3.Authorization/Check")
        .header("content-type", "application/grpc")
        .header("te", "trailers");
    if let Some(timeout) = timeout {
        request = request.header("grpc-timeout", timeout);
    }
    let request = request.body(Body::new(body)).expect("a request");
    let mut channel = channel.clone();
    let channel = channel.ready().await.expect("ready");
    // The client looks at `grpc-timeout` too, and may be the first to give up.
    let Ok(response) = channel.call(request).await else {
        assert!(timeout.is_some(), "no answer");
        return Answer {
            http: 0,
            grpc: Some("4".to_owned()),
            message: None,
        };
    };
    let (head, mut body) = response.into_parts();
    let status = |headers: &http::HeaderMap| {
        let value = headers.get("grpc-status")?;
        Some(value.to_str().expect("ASCII").to_owned())
    };
    let (mut grpc, mut data) = (status(&head.headers), Vec::new());
    while let Some(frame) =
        std::future::poll_fn(|context| Pin::new(&mut body).poll_frame(context)).await
    {
        match frame.expect("a frame").into_data() {
            Ok(bytes) => data.extend_from_slice(&bytes),
            Err(other) => grpc = grpc.or_else(|| other.trailers_ref().and_then(status)),
        }
    }
    let message = data
        .get(5..)
        .map(|message| CheckResponse::decode(message).expect("a message"));
    Answer {
        http: head.status.as_u16(),
        grpc,
        message,
    }
}
