//! `SnapshotService`: `GetSnapshot`.

use std::sync::Arc;

use tonic::{Request, Response, Status};

use crate::clock::Clock;
use crate::graph::snapshot::Counts;
use crate::live::{FeedKind, FeedReport, Rejected, SnapshotReader};
use crate::wire::proto::postern::v1;
use crate::wire::proto::postern::v1::snapshot_service_server::SnapshotService;
use crate::wire::status::Failure;
use crate::wire::words;

/// The service.
#[derive(Debug, Clone)]
pub struct Snapshots {
    reader: SnapshotReader,
    clock: Arc<dyn Clock>,
}

impl Snapshots {
    /// Answers from `reader`.
    #[must_use]
    pub fn new(reader: SnapshotReader, clock: Arc<dyn Clock>) -> Self {
        Self { reader, clock }
    }

    fn get(&self) -> Result<v1::GetSnapshotResponse, Failure> {
        let loaded = self.reader.load();
        let Some(state) = loaded.as_deref() else {
            return Err(Failure::NotReady);
        };
        let age = state.age(self.clock.monotonic());
        let age_seconds = i64::try_from(age.as_secs()).unwrap_or(i64::MAX);
        let confirmed_at = self.clock.unix_seconds().saturating_sub(age_seconds);
        Ok(v1::GetSnapshotResponse {
            revision: state.snapshot.revision().0,
            age: Some(words::duration(age)),
            counts: Some(counts(state.snapshot.counts())),
            feed: self.reader.feed().map(|report| feed(&report, confirmed_at)),
            // Units of a file feed move together: what is refused is refused whole.
            quarantines: Vec::new(),
        })
    }
}

#[tonic::async_trait]
impl SnapshotService for Snapshots {
    async fn get_snapshot(
        &self,
        request: Request<v1::GetSnapshotRequest>,
    ) -> Result<Response<v1::GetSnapshotResponse>, Status> {
        let v1::GetSnapshotRequest {} = request.into_inner();
        self.get()
            .map(Response::new)
            .map_err(|failure| failure.status(""))
    }

    /// Answered before this service is asked (`serve::dispatch`), with a deadline and in the
    /// background.
    async fn compare_snapshot(
        &self,
        _request: Request<v1::CompareSnapshotRequest>,
    ) -> Result<Response<v1::CompareSnapshotResponse>, Status> {
        Err(Failure::NoMethod.status(""))
    }
}

const fn counts(counts: &Counts) -> v1::EntityCounts {
    let Counts {
        organizations,
        teams,
        projects,
        users,
        groups,
        service_accounts,
        keys,
        roles,
        permissions,
        allow_policies,
        deny_policies,
        access_boundaries,
        access_boundary_bindings,
        identity_pools,
        bindings,
        routes,
    } = *counts;
    v1::EntityCounts {
        organizations,
        teams,
        projects,
        users,
        groups,
        service_accounts,
        keys,
        roles,
        permissions,
        allow_policies,
        deny_policies,
        access_boundaries,
        access_boundary_bindings,
        identity_pools,
        bindings,
        routes,
    }
}

fn feed(report: &FeedReport, confirmed_at: i64) -> v1::FeedState {
    let kind = match report.kind {
        FeedKind::Demo => v1::FeedKind::Demo,
        FeedKind::File => v1::FeedKind::File,
        FeedKind::Directory => v1::FeedKind::Directory,
    };
    v1::FeedState {
        kind: kind.into(),
        source: report.source.clone(),
        last_confirmed_at: Some(words::timestamp(confirmed_at)),
        last_rejected: report.rejected.as_ref().map(rejection),
    }
}

fn rejection(rejected: &Rejected) -> v1::Rejection {
    v1::Rejection {
        rejected_at: Some(words::timestamp(rejected.at)),
        revision: rejected.revision.map_or(0, |revision| revision.0),
        issue_count: u64::try_from(rejected.issue_count).unwrap_or(u64::MAX),
        issues: rejected.issues.clone(),
    }
}
