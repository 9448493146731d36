//! The empty handlers that P4 and P5 compare with, on the same runtime shape (hyper HTTP/2
//! connections on one single-threaded runtime): tonic's generated `AuthorizationService` that
//! answers at once with a message of the size of a real answer, and Envoy's `Authorization`
//! that decodes its request and allows always, with the shortest answer that does.
#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::disallowed_methods,
    reason = "a measuring tool may stop at once, and prints"
)]

use envoy_types::pb::envoy::service::auth::v3::authorization_server::{
    Authorization, AuthorizationServer,
};
use envoy_types::pb::envoy::service::auth::v3::{CheckRequest, CheckResponse};
use hyper::server::conn::http2;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use postern::wire::proto::postern::v1 as proto;
use proto::authorization_service_server::{AuthorizationService, AuthorizationServiceServer};
use tonic::service::Routes;
use tonic::{Request, Response, Status};

struct Empty(proto::AuthorizeResponse);

#[tonic::async_trait]
impl AuthorizationService for Empty {
    async fn authorize(
        &self,
        request: Request<proto::AuthorizeRequest>,
    ) -> Result<Response<proto::AuthorizeResponse>, Status> {
        std::hint::black_box(&request);
        Ok(Response::new(self.0.clone()))
    }

    async fn batch_authorize(
        &self,
        _request: Request<proto::BatchAuthorizeRequest>,
    ) -> Result<Response<proto::BatchAuthorizeResponse>, Status> {
        Err(Status::unimplemented("not measured"))
    }

    async fn get_effective_org_policy(
        &self,
        _request: Request<proto::GetEffectiveOrgPolicyRequest>,
    ) -> Result<Response<proto::GetEffectiveOrgPolicyResponse>, Status> {
        Err(Status::unimplemented("not measured"))
    }

    async fn explain(
        &self,
        _request: Request<proto::ExplainRequest>,
    ) -> Result<Response<proto::ExplainResponse>, Status> {
        Err(Status::unimplemented("not measured"))
    }

    async fn list_resources(
        &self,
        _request: Request<proto::ListResourcesRequest>,
    ) -> Result<Response<proto::ListResourcesResponse>, Status> {
        Err(Status::unimplemented("not measured"))
    }

    async fn list_principals(
        &self,
        _request: Request<proto::ListPrincipalsRequest>,
    ) -> Result<Response<proto::ListPrincipalsResponse>, Status> {
        Err(Status::unimplemented("not measured"))
    }

    async fn list_permissions(
        &self,
        _request: Request<proto::ListPermissionsRequest>,
    ) -> Result<Response<proto::ListPermissionsResponse>, Status> {
        Err(Status::unimplemented("not measured"))
    }
}

struct AlwaysAllow;

#[tonic::async_trait]
impl Authorization for AlwaysAllow {
    async fn check(
        &self,
        request: Request<CheckRequest>,
    ) -> Result<Response<CheckResponse>, Status> {
        std::hint::black_box(&request);
        Ok(Response::new(CheckResponse {
            status: Some(envoy_types::pb::google::rpc::Status::default()),
            ..CheckResponse::default()
        }))
    }
}

/// Like an answer to `bench/wire/run.py`'s question.
fn answer() -> proto::AuthorizeResponse {
    let arguments: Vec<String> = std::env::args().collect();
    proto::AuthorizeResponse {
        decision: 1,
        reason: 1,
        principal: arguments.get(2).cloned().unwrap_or_default(),
        resource: arguments.get(3).cloned().unwrap_or_default(),
        revision: 1,
        organization_revision: 1,
        snapshot_age: Some(prost_types::Duration {
            seconds: 1,
            nanos: 1_000_000,
        }),
        ..Default::default()
    }
}

fn main() {
    let path = std::env::args().nth(1).unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(async {
        let routes = Routes::new(AuthorizationServiceServer::new(Empty(answer())))
            .add_service(AuthorizationServer::new(AlwaysAllow))
            .prepare();
        let builder = || {
            let mut builder = http2::Builder::new(TokioExecutor::new());
            builder
                .timer(TokioTimer::new())
                .max_concurrent_streams(1_024);
            builder
        };
        if let Some(path) = path.strip_prefix("unix:") {
            let listener = tokio::net::UnixListener::bind(path).unwrap();
            println!("listening on {path}");
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                let service = TowerToHyperService::new(routes.clone());
                let connection = builder().serve_connection(TokioIo::new(stream), service);
                tokio::spawn(async move { drop(connection.await) });
            }
        }
        let listener = tokio::net::TcpListener::bind(&path).await.unwrap();
        println!("listening on {}", listener.local_addr().unwrap());
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            stream.set_nodelay(true).unwrap();
            let service = TowerToHyperService::new(routes.clone());
            let connection = builder().serve_connection(TokioIo::new(stream), service);
            tokio::spawn(async move { drop(connection.await) });
        }
    });
}
