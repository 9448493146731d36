//! What an operator must hear of: routes in shadow mode, and what they let through.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use tokio::sync::watch;

use crate::limits::ENVOY_SHADOW_REPORT;
use crate::live::SnapshotReader;
use crate::model::revision::Revision;
use crate::model::route::Mode;
use crate::serve::dispatch::Services;

/// Counts since the start; the request path writes no log line.
#[derive(Debug, Default)]
pub struct Counts {
    passed: AtomicU64,
    mistaken: AtomicU64,
}

impl Counts {
    /// A denied call passed on a shadow route.
    pub(super) fn passed(&self) {
        self.passed.fetch_add(1, Ordering::Relaxed);
    }

    /// A call was denied for `context_extensions` that make no sense.
    pub(super) fn mistaken(&self) {
        self.mistaken.fetch_add(1, Ordering::Relaxed);
    }

    /// Denied calls that passed, calls denied for a mistake in the filter's configuration.
    #[must_use]
    pub fn read(&self) -> (u64, u64) {
        let read = |count: &AtomicU64| count.load(Ordering::Relaxed);
        (read(&self.passed), read(&self.mistaken))
    }
}

/// Warns of shadow routes with each snapshot, and every minute of what they let through.
pub(in crate::serve) async fn tell(
    services: Arc<Services>,
    reader: SnapshotReader,
    mut changes: watch::Receiver<Revision>,
) {
    let mut told = (0, 0);
    loop {
        tokio::select! {
            changed = changes.changed() => {
                if changed.is_err() {
                    return;
                }
                changes.mark_unchanged();
                warn_of_shadow_routes(&reader);
            }
            () = tokio::time::sleep(ENVOY_SHADOW_REPORT) => {}
        }
        let now = services.shadow.read();
        let (passed, mistaken) = (now.0.saturating_sub(told.0), now.1.saturating_sub(told.1));
        told = now;
        if passed > 0 {
            tracing::warn!(passed, "shadow routes let denied calls through");
        }
        if mistaken > 0 {
            tracing::warn!(
                denied = mistaken,
                "calls were denied because the filter's `context_extensions` say only one of \
                 `postern.permission` and `postern.resource`, or another key of ours"
            );
        }
    }
}

fn warn_of_shadow_routes(reader: &SnapshotReader) {
    let loaded = reader.load();
    let Some(state) = loaded.as_deref() else {
        return;
    };
    let routes = state.snapshot.routes();
    let mut shadows = routes.iter().filter(|route| route.mode == Mode::Shadow);
    if let Some(first) = shadows.next() {
        let count = shadows.count().saturating_add(1);
        tracing::warn!(
            revision = state.snapshot.revision().0,
            count,
            first = %first.name,
            "routes in shadow mode: what they deny is let through"
        );
    }
}
