//! Time, as an argument: wall seconds for validity, a monotonic reading for ages and waits.

use std::fmt::Debug;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// A source of time. The program has one; tests step their own.
pub trait Clock: Debug + Send + Sync + 'static {
    /// Seconds since the Unix epoch; negative before it.
    fn unix_seconds(&self) -> i64;

    /// Time since a fixed point of this process; never goes back.
    fn monotonic(&self) -> Duration;
}

/// The machine's clocks.
#[derive(Debug, Clone, Copy)]
pub struct SystemClock {
    start: Instant,
}

impl SystemClock {
    /// A clock whose monotonic reading starts at 0 now.
    #[must_use]
    #[expect(
        clippy::disallowed_methods,
        reason = "the one place that reads the clock"
    )]
    pub fn start() -> Self {
        Self {
            start: Instant::now(),
        }
    }
}

impl Clock for SystemClock {
    #[expect(
        clippy::disallowed_methods,
        reason = "the one place that reads the clock"
    )]
    fn unix_seconds(&self) -> i64 {
        match SystemTime::now().duration_since(UNIX_EPOCH) {
            Ok(after) => i64::try_from(after.as_secs()).unwrap_or(i64::MAX),
            // Whole seconds round down, so half a second before the epoch is -1.
            Err(before) => {
                let before = before.duration();
                let seconds = i64::try_from(before.as_secs()).unwrap_or(i64::MAX);
                let part = i64::from(before.subsec_nanos() > 0);
                seconds.saturating_neg().saturating_sub(part)
            }
        }
    }

    #[expect(
        clippy::disallowed_methods,
        reason = "the one place that reads the clock"
    )]
    fn monotonic(&self) -> Duration {
        Instant::now().saturating_duration_since(self.start)
    }
}

/// A clock that moves only when told to.
#[derive(Debug, Default)]
pub struct ManualClock {
    unix_seconds: AtomicI64,
    monotonic_nanos: AtomicU64,
}

impl ManualClock {
    /// A clock that stands at `unix_seconds`, its monotonic reading at 0.
    #[must_use]
    pub const fn at(unix_seconds: i64) -> Self {
        Self {
            unix_seconds: AtomicI64::new(unix_seconds),
            monotonic_nanos: AtomicU64::new(0),
        }
    }

    /// Moves both readings on by `by`; the wall by whole seconds.
    pub fn advance(&self, by: Duration) {
        let seconds = i64::try_from(by.as_secs()).unwrap_or(i64::MAX);
        let nanos = u64::try_from(by.as_nanos()).unwrap_or(u64::MAX);
        self.unix_seconds.fetch_add(seconds, Ordering::Relaxed);
        self.monotonic_nanos.fetch_add(nanos, Ordering::Relaxed);
    }
}

impl Clock for ManualClock {
    fn unix_seconds(&self) -> i64 {
        self.unix_seconds.load(Ordering::Relaxed)
    }

    fn monotonic(&self) -> Duration {
        Duration::from_nanos(self.monotonic_nanos.load(Ordering::Relaxed))
    }
}

#[cfg(test)]
mod tests {
    use super::{Clock, Duration, ManualClock, SystemClock};

    #[test]
    fn the_manual_clock_moves_only_when_told() {
        let clock = ManualClock::at(100);
        assert_eq!(
            (clock.unix_seconds(), clock.monotonic()),
            (100, Duration::ZERO)
        );
        clock.advance(Duration::from_millis(2_500));
        assert_eq!(
            (clock.unix_seconds(), clock.monotonic()),
            (102, Duration::from_millis(2_500))
        );
    }

    #[test]
    fn the_system_clock_is_after_this_was_written_and_never_goes_back() {
        let clock = SystemClock::start();
        let first = clock.monotonic();
        assert!(clock.unix_seconds() > 1_700_000_000);
        assert!(clock.monotonic() >= first);
    }
}
