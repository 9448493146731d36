//! The other side, for the command line: asks a running server.

use hyper_util::rt::TokioIo;
use tokio::net::UnixStream;
pub use tonic::transport::Channel;
use tonic::transport::{Endpoint, Uri};
use tonic::{Code, Status};
use tower::service_fn;

use crate::limits::CLIENT_TIMEOUT;
use crate::wire::proto::grpc::health::v1::HealthCheckRequest;
use crate::wire::proto::grpc::health::v1::health_check_response::ServingStatus;
use crate::wire::proto::grpc::health::v1::health_client::HealthClient;
use crate::wire::proto::postern::v1;
use crate::wire::proto::postern::v1::authorization_service_client::AuthorizationServiceClient;

/// Why a server gave no answer.
#[derive(Debug, thiserror::Error)]
#[expect(missing_docs, reason = "the messages say it")]
pub enum Error {
    #[error("`{0}` is no server: expected HOST:PORT such as 127.0.0.1:9191, or unix:/path")]
    Address(String),
    #[error("cannot reach {0}: {1}; expected a running `postern serve` there")]
    Unreachable(String, String),
    #[error("the server cannot read the question: {0}")]
    Invalid(String),
    #[error("the server answered {0:?}: {1}")]
    Refused(Code, String),
}

impl From<Status> for Error {
    fn from(status: Status) -> Self {
        let message = status.message().to_owned();
        match status.code() {
            Code::InvalidArgument => Self::Invalid(message),
            code => Self::Refused(code, message),
        }
    }
}

/// Connects to `HOST:PORT` or `unix:/path`.
///
/// # Errors
/// The text names no server, or nobody accepts there.
pub async fn connect(server: &str) -> Result<Channel, Error> {
    let not_an_address = || Error::Address(server.to_owned());
    let unreachable = |error: tonic::transport::Error| {
        // The innermost cause says it: "connection refused", not "tcp connect error".
        let outer: &dyn std::error::Error = &error;
        let causes = std::iter::successors(Some(outer), |error| error.source());
        let cause = causes.last().map(ToString::to_string);
        Error::Unreachable(server.to_owned(), cause.unwrap_or_default())
    };
    if let Some(path) = server.strip_prefix("unix:") {
        let path = path
            .strip_prefix("//")
            .filter(|p| p.starts_with('/'))
            .unwrap_or(path);
        if path.is_empty() {
            return Err(not_an_address());
        }
        let path = path.to_owned();
        // The authority is a header only; the connector decides where to connect.
        let endpoint = Endpoint::from_static("http://localhost").timeout(CLIENT_TIMEOUT);
        let connector = service_fn(move |_: Uri| {
            let path = path.clone();
            async move { UnixStream::connect(path).await.map(TokioIo::new) }
        });
        return endpoint
            .connect_with_connector(connector)
            .await
            .map_err(unreachable);
    }
    let well_formed = server.rsplit_once(':').is_some_and(|(host, port)| {
        !host.is_empty() && !host.contains('/') && port.parse::<u16>().is_ok()
    });
    if !well_formed {
        return Err(not_an_address());
    }
    let endpoint =
        Endpoint::from_shared(format!("http://{server}")).map_err(|_| not_an_address())?;
    endpoint
        .connect_timeout(CLIENT_TIMEOUT)
        .timeout(CLIENT_TIMEOUT)
        .connect()
        .await
        .map_err(unreachable)
}

/// Asks for one decision.
///
/// # Errors
/// What the server refused.
pub async fn authorize(
    channel: Channel,
    request: v1::AuthorizeRequest,
) -> Result<v1::AuthorizeResponse, Error> {
    let mut client = AuthorizationServiceClient::new(channel);
    Ok(client.authorize(request).await?.into_inner())
}

/// Asks for a page of `ListPrincipals`.
///
/// # Errors
/// What the server refused.
pub async fn list_principals(
    channel: Channel,
    request: v1::ListPrincipalsRequest,
) -> Result<v1::ListPrincipalsResponse, Error> {
    let mut client = AuthorizationServiceClient::new(channel);
    Ok(client.list_principals(request).await?.into_inner())
}

/// Asks for a page of `ListPermissions`.
///
/// # Errors
/// What the server refused.
pub async fn list_permissions(
    channel: Channel,
    request: v1::ListPermissionsRequest,
) -> Result<v1::ListPermissionsResponse, Error> {
    let mut client = AuthorizationServiceClient::new(channel);
    Ok(client.list_permissions(request).await?.into_inner())
}

/// Asks for one explanation.
///
/// # Errors
/// What the server refused.
pub async fn explain(
    channel: Channel,
    request: v1::ExplainRequest,
) -> Result<v1::ExplainResponse, Error> {
    let mut client = AuthorizationServiceClient::new(channel);
    Ok(client.explain(request).await?.into_inner())
}

/// Asks for the health of a service; the word of the protocol, such as `SERVING`.
///
/// # Errors
/// What the server refused.
pub async fn health(channel: Channel, service: &str) -> Result<&'static str, Error> {
    let mut client = HealthClient::new(channel);
    let request = HealthCheckRequest {
        service: service.to_owned(),
    };
    let response = client.check(request).await?.into_inner();
    let status = ServingStatus::try_from(response.status).unwrap_or(ServingStatus::Unknown);
    Ok(status.as_str_name())
}
