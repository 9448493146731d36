//! From an HTTP request to the method that answers it.
//!
//! The methods of the request path are matched by hand and answered without a box of ours;
//! everything else (health, reflection, unknown names) goes through tonic's router.

use std::convert::Infallible;
use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use hyper::body::Incoming;
use tokio::sync::{Semaphore, watch};
use tonic::Status;
use tonic::body::Body;
use tonic::codec::{EncodeBody, SingleMessageCompressionOverride};
use tonic::server::{Grpc, UnaryService};
use tonic::service::Routes;
use tower::Service as _;

use crate::clock::Clock;
use crate::credential::pepper::Pepper;
use crate::limits::{REQUEST_BYTES_MAX, WAITERS_MAX};
use crate::live::SnapshotReader;
use crate::serve::authorization::{Authorize, BatchAuthorize};
use crate::serve::background::Background;
use crate::serve::caller::{Admins, Caller};
use crate::serve::codec::{Bounded, CheckAnswers, Checks, Protobuf};
use crate::serve::compare::CompareSnapshot;
use crate::serve::credential::VerifyKey;
use crate::serve::cursor::Cursors;
use crate::serve::envoy::report::Counts;
use crate::serve::envoy::{self, Check};
use crate::serve::explain::Explain;
use crate::serve::health::{Health, Phase};
use crate::serve::lookup::List;
use crate::serve::org_policy::GetEffectiveOrgPolicy;
use crate::serve::snapshot::Snapshots;
use crate::wire::envoy::settings::Settings;
use crate::wire::proto::FILE_DESCRIPTOR_SET;
use crate::wire::proto::grpc::health::v1::health_server::HealthServer;
use crate::wire::proto::postern::v1;
use crate::wire::proto::postern::v1::snapshot_service_server::SnapshotServiceServer;

/// `grpc-status` of `OUT_OF_RANGE`, a code that no answer of ours has.
const OUT_OF_RANGE: &str = "11";

/// What every answer needs.
#[derive(Debug)]
pub struct Parts {
    /// The snapshot that serves.
    pub reader: SnapshotReader,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// The pepper of keys stored as HMAC.
    pub pepper: Option<Pepper>,
    /// What the operator says about the proxy interface.
    pub envoy: Settings,
    /// The callers that the configuration names (SPEC 11.5).
    pub admins: Admins,
}

/// All services; shared by the workers.
#[derive(Debug)]
pub struct Services {
    pub(super) parts: Parts,
    /// One permit for each request that waits for `min_revision`.
    pub(super) waiters: Semaphore,
    /// What shadow routes let through.
    pub(super) shadow: Counts,
    /// The key of look-ups' cursors.
    pub(super) cursors: Arc<Cursors>,
    /// Where look-ups and explanations run.
    pub(super) background: Background,
    routes: Routes,
}

impl Services {
    /// Services over `parts`; health answers from `phase`.
    #[must_use]
    pub fn new(parts: Parts, phase: watch::Receiver<Phase>) -> Self {
        let snapshots = Snapshots::new(parts.reader.clone(), Arc::clone(&parts.clock));
        let mut routes = Routes::default()
            .add_service(HealthServer::new(Health::new(phase)))
            .add_service(SnapshotServiceServer::new(snapshots));
        // The descriptors are compiled in; if they did not decode, `tests/server.rs` fails.
        let reflection = || {
            tonic_reflection::server::Builder::configure()
                .register_encoded_file_descriptor_set(FILE_DESCRIPTOR_SET)
                // The details of errors, so that grpcurl shows them as text.
                .register_encoded_file_descriptor_set(tonic_types::pb::FILE_DESCRIPTOR_SET)
        };
        if let Ok(service) = reflection().build_v1() {
            routes = routes.add_service(service);
        }
        if let Ok(service) = reflection().build_v1alpha() {
            routes = routes.add_service(service);
        }
        Self {
            parts,
            waiters: Semaphore::new(WAITERS_MAX),
            shadow: Counts::default(),
            cursors: Arc::default(),
            background: Background::default(),
            routes: routes.prepare(),
        }
    }

    /// Answers one request of `caller`.
    ///
    /// # Errors
    /// Never; a failure is a gRPC status.
    pub async fn answer(
        &self,
        request: http::Request<Incoming>,
        caller: Caller,
    ) -> Result<http::Response<Body>, Infallible> {
        if let Err(code) = check_head(&request) {
            let mut response = http::Response::new(Body::empty());
            *response.status_mut() = code;
            return Ok(response);
        }
        let deadline = match deadline(request.headers()) {
            Ok(deadline) => deadline,
            Err(status) => return Ok(status.into_http()),
        };
        // Boxed: the future that hyper moves into its task stays small, however large the
        // methods' are (copying them was a fifth of a request's cost).
        let answered = match request.uri().path() {
            "/postern.v1.AuthorizationService/Authorize" => {
                let method = Authorize {
                    services: self,
                    deadline,
                };
                within(deadline, Box::pin(unary(method, request))).await
            }
            "/postern.v1.CredentialService/VerifyKey" => {
                let method = VerifyKey { services: self };
                within(deadline, Box::pin(unary(method, request))).await
            }
            "/postern.v1.AuthorizationService/BatchAuthorize" => {
                let method = BatchAuthorize {
                    services: self,
                    deadline,
                };
                within(deadline, Box::pin(unary(method, request))).await
            }
            "/envoy.service.auth.v3.Authorization/Check" => {
                let method = Check { services: self };
                within(deadline, Box::pin(check(method, request))).await
            }
            "/postern.v1.AuthorizationService/GetEffectiveOrgPolicy" => {
                let method = GetEffectiveOrgPolicy { services: self };
                within(deadline, Box::pin(unary(method, request))).await
            }
            // Every other method is behind the guard, whoever answers it.
            path => {
                if let Err(failure) = self.parts.admins.admit(caller, path) {
                    return Ok(failure.status("").into_http());
                }
                match self.look_up(request, deadline).await {
                    Ok(answered) => answered,
                    Err(request) => {
                        let response = self.routes.clone().call(*request);
                        return response.await;
                    }
                }
            }
        };
        Ok(answered.unwrap_or_else(|| {
            Status::deadline_exceeded("the deadline passed before an answer").into_http()
        }))
    }

    /// Answers a look-up, explains or compares; anything else comes back.
    async fn look_up(
        &self,
        request: http::Request<Incoming>,
        deadline: Option<Duration>,
    ) -> Result<Option<http::Response<Body>>, Box<http::Request<Incoming>>> {
        let method = List { services: self };
        Ok(match request.uri().path() {
            "/postern.v1.AuthorizationService/ListResources" => {
                let answer = unary::<_, v1::ListResourcesRequest, _>(method, request);
                within(deadline, Box::pin(answer)).await
            }
            "/postern.v1.AuthorizationService/ListPrincipals" => {
                let answer = unary::<_, v1::ListPrincipalsRequest, _>(method, request);
                within(deadline, Box::pin(answer)).await
            }
            "/postern.v1.AuthorizationService/ListPermissions" => {
                let answer = unary::<_, v1::ListPermissionsRequest, _>(method, request);
                within(deadline, Box::pin(answer)).await
            }
            "/postern.v1.AuthorizationService/Explain" => {
                let method = Explain { services: self };
                within(deadline, Box::pin(unary(method, request))).await
            }
            "/postern.v1.SnapshotService/CompareSnapshot" => {
                let method = CompareSnapshot { services: self };
                within(deadline, Box::pin(unary(method, request))).await
            }
            _ => return Err(Box::new(request)),
        })
    }
}

async fn unary<S, Q, A>(method: S, request: http::Request<Incoming>) -> http::Response<Body>
where
    S: UnaryService<Q, Response = A>,
    Q: prost::Message + Default + Bounded + Send + 'static,
    A: prost::Message + Send + 'static,
{
    let response = Grpc::new(Protobuf::<Q, A>::default())
        .apply_max_message_size_config(Some(REQUEST_BYTES_MAX), None)
        .unary(method, request)
        .await;
    if was_too_large(&response) {
        let expected = format!("the message is over the bound of {REQUEST_BYTES_MAX} bytes");
        return Status::invalid_argument(expected).into_http();
    }
    response
}

/// An error would be an allow under Envoy's `failure_mode_allow`, and a client can make a
/// message too large with a body: that is answered.
async fn check(method: Check<'_>, request: http::Request<Incoming>) -> http::Response<Body> {
    let response = Grpc::new(Checks)
        .apply_max_message_size_config(Some(REQUEST_BYTES_MAX), None)
        .unary(method, request)
        .await;
    if !was_too_large(&response) {
        return response;
    }
    let answer = tokio_stream::once(Ok(envoy::too_large()));
    let body = EncodeBody::new_server(
        CheckAnswers,
        answer,
        None,
        SingleMessageCompressionOverride::Disable,
        None,
    );
    let mut response = http::Response::new(Body::new(body));
    let grpc = http::HeaderValue::from_static("application/grpc");
    response
        .headers_mut()
        .insert(http::header::CONTENT_TYPE, grpc);
    response
}

/// tonic's word for a message over the bound; ours is the one of SPEC 15.
fn was_too_large(response: &http::Response<Body>) -> bool {
    let code = response.headers().get("grpc-status");
    code.is_some_and(|code| code == OUT_OF_RANGE)
}

/// The answer, or `None` when the deadline comes first. Most answers are there at the first
/// poll: only then a timer is made.
async fn within<F>(deadline: Option<Duration>, mut answer: F) -> Option<F::Output>
where
    F: Future + Unpin,
{
    let Some(deadline) = deadline else {
        return Some(answer.await);
    };
    if deadline.is_zero() {
        return None;
    }
    let first = poll_fn(|context| Poll::Ready(Pin::new(&mut answer).poll(context))).await;
    match first {
        Poll::Ready(output) => Some(output),
        Poll::Pending => tokio::time::timeout(deadline, answer).await.ok(),
    }
}

/// What is no gRPC is answered in HTTP: another method or type may come from something that
/// did not mean to ask.
fn check_head<B>(request: &http::Request<B>) -> Result<(), http::StatusCode> {
    if request.method() != http::Method::POST {
        return Err(http::StatusCode::METHOD_NOT_ALLOWED);
    }
    let header = request.headers().get(http::header::CONTENT_TYPE);
    let value = header.map_or(&[][..], http::HeaderValue::as_bytes);
    let media = value.split(|byte| *byte == b';').next();
    match media.map(<[u8]>::trim_ascii) {
        Some(b"application/grpc" | b"application/grpc+proto") => Ok(()),
        Some(_) | None => Err(http::StatusCode::UNSUPPORTED_MEDIA_TYPE),
    }
}

/// The caller's deadline: `grpc-timeout`, at most 8 digits and a unit, once.
fn deadline(headers: &http::HeaderMap) -> Result<Option<Duration>, Status> {
    let mut values = headers.get_all("grpc-timeout").iter();
    let Some(value) = values.next() else {
        return Ok(None);
    };
    let once = values.next().is_none();
    let parsed = value.to_str().ok().filter(|_| once).and_then(parse_timeout);
    parsed.map(Some).ok_or_else(|| {
        Status::invalid_argument("`grpc-timeout` is malformed: expected 1-8 digits and a unit")
    })
}

fn parse_timeout(text: &str) -> Option<Duration> {
    let (digits, unit) = text.split_at_checked(text.len().checked_sub(1)?)?;
    if digits.is_empty() || digits.len() > 8 || !digits.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let count: u64 = digits.parse().ok()?;
    match unit {
        "H" => Some(Duration::from_secs(count.saturating_mul(3_600))),
        "M" => Some(Duration::from_secs(count.saturating_mul(60))),
        "S" => Some(Duration::from_secs(count)),
        "m" => Some(Duration::from_millis(count)),
        "u" => Some(Duration::from_micros(count)),
        "n" => Some(Duration::from_nanos(count)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::{Duration, parse_timeout};

    #[test]
    fn a_timeout_is_one_to_eight_digits_and_a_unit() {
        assert_eq!(parse_timeout("2S"), Some(Duration::from_secs(2)));
        assert_eq!(
            parse_timeout("99999999H"),
            Some(Duration::from_secs(359_999_996_400))
        );
        assert_eq!(parse_timeout("150m"), Some(Duration::from_millis(150)));
        assert_eq!(parse_timeout("0n"), Some(Duration::ZERO));
        for bad in ["", "S", "1", "-1S", "1.5S", "123456789S", "1s", "1é", "é"] {
            assert_eq!(parse_timeout(bad), None, "{bad}");
        }
    }
}
