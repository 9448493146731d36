//! A runtime of its own for what takes long, so that decisions do not feel it: one thread of
//! low priority, and a bound on what waits for it.

use std::sync::{Arc, OnceLock};

use tokio::runtime::Runtime;
use tokio::sync::Semaphore;
use tokio::task::JoinHandle;

use crate::limits::{LOOKUP_NICENESS, LOOKUPS_MAX};
use crate::wire::status::Failure;

/// The runtime; its thread starts with the first job.
#[derive(Debug)]
pub struct Background {
    runtime: OnceLock<Option<Runtime>>,
    places: Arc<Semaphore>,
}

/// A job that ends with whoever waits for it.
struct Awaited<T>(JoinHandle<T>);

impl<T> Drop for Awaited<T> {
    fn drop(&mut self) {
        // It stops where it yields.
        self.0.abort();
    }
}

impl Default for Background {
    fn default() -> Self {
        Self {
            runtime: OnceLock::new(),
            places: Arc::new(Semaphore::new(LOOKUPS_MAX)),
        }
    }
}

impl Background {
    /// Runs a job that yields often.
    ///
    /// # Errors
    /// [`Failure::Overloaded`]: too many run or wait; [`Failure::Panicked`].
    pub async fn run<T: Send + 'static>(
        &self,
        job: impl Future<Output = T> + Send + 'static,
    ) -> Result<T, Failure> {
        let place = Arc::clone(&self.places).try_acquire_owned();
        let (Ok(place), Some(runtime)) = (place, self.runtime()) else {
            return Err(Failure::Overloaded);
        };
        let mut awaited = Awaited(runtime.spawn(async move {
            let _place = place;
            job.await
        }));
        (&mut awaited.0).await.map_err(|_| Failure::Panicked)
    }

    /// `None`: the system has no thread left.
    fn runtime(&self) -> Option<&Runtime> {
        let start = || {
            tokio::runtime::Builder::new_multi_thread()
                .worker_threads(1)
                .thread_name("lookup")
                .on_thread_start(|| {
                    // Of Linux this is the thread's, not the process's. A thread that stays as
                    // it was is no reason to fail.
                    let _refused = rustix::process::setpriority_process(None, LOOKUP_NICENESS);
                })
                .build()
                .inspect_err(|error| tracing::error!(%error, "no thread for look-ups"))
                .ok()
        };
        self.runtime.get_or_init(start).as_ref()
    }
}

impl Drop for Background {
    fn drop(&mut self) {
        if let Some(Some(runtime)) = self.runtime.take() {
            // Waits for nothing: it may be dropped inside another runtime.
            runtime.shutdown_background();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn beyond_the_bound_a_job_is_refused_and_an_abandoned_one_makes_room() {
        let background = Background::default();
        let endless = || std::future::pending::<()>();
        let mut waiting: Vec<_> = (0..LOOKUPS_MAX)
            .map(|_| Box::pin(background.run(endless())))
            .collect();
        for one in &mut waiting {
            // Polled once: it has its place.
            let polled = std::future::poll_fn(|context| {
                std::task::Poll::Ready(one.as_mut().poll(context).is_pending())
            });
            assert!(polled.await);
        }
        assert_eq!(background.run(async {}).await, Err(Failure::Overloaded));
        drop(waiting.pop());
        // The runtime frees the place when it comes to it.
        while background.run(async {}).await == Err(Failure::Overloaded) {
            tokio::task::yield_now().await;
        }
    }

    #[tokio::test]
    async fn a_panic_is_an_internal_error_and_the_next_job_runs() {
        let background = Background::default();
        let failed = background.run(async { panic!("seeded") });
        assert_eq!(failed.await, Err::<(), _>(Failure::Panicked));
        assert_eq!(background.run(async { 7 }).await, Ok(7));
    }
}
