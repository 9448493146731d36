//! `grpc.health.v1`: `Check`, `List` (gRFC A90) and `Watch` (gRFC A17).
//!
//! Nothing serves before the first snapshot, and nothing once the process was told to stop.

use std::collections::BTreeMap;

use tokio::sync::{mpsc, watch};
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Request, Response, Status};

use crate::limits::HEALTH_LIST_MAX;
use crate::wire::proto::grpc::health::v1::health_check_response::ServingStatus;
use crate::wire::proto::grpc::health::v1::health_server;
use crate::wire::proto::grpc::health::v1::{
    HealthCheckRequest, HealthCheckResponse, HealthListRequest, HealthListResponse,
};

/// Where the process stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Phase {
    /// Before the first snapshot.
    Starting,
    /// A snapshot serves.
    Serving,
    /// Told to stop.
    Stopping,
}

/// The names that have a status; empty is the server as a whole.
pub const NAMES: [&str; 5] = [
    "",
    "envoy.service.auth.v3.Authorization",
    "postern.v1.AuthorizationService",
    "postern.v1.CredentialService",
    "postern.v1.SnapshotService",
];

const _: () = assert!(
    NAMES.len() <= HEALTH_LIST_MAX,
    "List must answer all names (gRFC A90)"
);

/// The service.
#[derive(Debug, Clone)]
pub struct Health {
    phase: watch::Receiver<Phase>,
}

impl Health {
    /// Answers from `phase`.
    #[must_use]
    pub const fn new(phase: watch::Receiver<Phase>) -> Self {
        Self { phase }
    }
}

const fn status(phase: Phase) -> ServingStatus {
    match phase {
        Phase::Serving => ServingStatus::Serving,
        Phase::Starting | Phase::Stopping => ServingStatus::NotServing,
    }
}

fn response(status: ServingStatus) -> HealthCheckResponse {
    HealthCheckResponse {
        status: status.into(),
    }
}

#[tonic::async_trait]
impl health_server::Health for Health {
    async fn check(
        &self,
        request: Request<HealthCheckRequest>,
    ) -> Result<Response<HealthCheckResponse>, Status> {
        let HealthCheckRequest { service } = request.into_inner();
        if !NAMES.contains(&service.as_str()) {
            return Err(Status::not_found(
                "no such service; `List` names those there are",
            ));
        }
        Ok(Response::new(response(status(*self.phase.borrow()))))
    }

    async fn list(
        &self,
        _request: Request<HealthListRequest>,
    ) -> Result<Response<HealthListResponse>, Status> {
        let now = status(*self.phase.borrow());
        let statuses: BTreeMap<String, HealthCheckResponse> = NAMES
            .iter()
            .map(|name| ((*name).to_owned(), response(now)))
            .collect();
        Ok(Response::new(HealthListResponse { statuses }))
    }

    type WatchStream = ReceiverStream<Result<HealthCheckResponse, Status>>;

    async fn watch(
        &self,
        request: Request<HealthCheckRequest>,
    ) -> Result<Response<Self::WatchStream>, Status> {
        let HealthCheckRequest { service } = request.into_inner();
        let known = NAMES.contains(&service.as_str());
        let (sender, receiver) = mpsc::channel(1);
        tokio::spawn(tell(self.phase.clone(), known, sender));
        Ok(Response::new(ReceiverStream::new(receiver)))
    }
}

/// Sends each change until the client is gone or the process stops; then the stream ends,
/// because an open one would hold the drain up to its bound.
async fn tell(
    mut phase: watch::Receiver<Phase>,
    known: bool,
    sender: mpsc::Sender<Result<HealthCheckResponse, Status>>,
) {
    let mut told = None;
    loop {
        let now = *phase.borrow_and_update();
        let status = if known {
            status(now)
        } else {
            ServingStatus::ServiceUnknown
        };
        if told.replace(status) != Some(status) && sender.send(Ok(response(status))).await.is_err()
        {
            return;
        }
        if now == Phase::Stopping {
            return;
        }
        tokio::select! {
            changed = phase.changed() => if changed.is_err() { return },
            () = sender.closed() => return,
        }
    }
}
