//! Where time enters the relay.
//!
//! Two clocks, never mixed: [`Instant`] for durations (tokio's, so that a test or a simulation can pause it), and
//! milliseconds since 1970 for what is stored and shown. Nothing else in the crate reads a clock. The second may jump: an
//! operator sets it, or it was wrong at the start of the machine.

use std::sync::atomic::{AtomicU64, Ordering};

pub use tokio::time::Instant;

/// Tells the wall time. Cheap to clone and to share.
#[derive(Clone, Copy, Debug)]
pub struct Clock(Source);

#[derive(Clone, Copy, Debug)]
enum Source {
    System,
    Virtual { started: Instant, started_unix_ms: u64 },
    Told(&'static AtomicU64),
}

impl Clock {
    /// The clock of the machine.
    pub fn system() -> Self {
        Self(Source::System)
    }

    /// Starts at `unix_ms` now and runs with tokio's time: under `tokio::time::pause` only as the runtime advances.
    pub fn virtual_from(unix_ms: u64) -> Self {
        Self(Source::Virtual { started: Instant::now(), started_unix_ms: unix_ms })
    }

    /// Says what somebody else sets, in milliseconds since 1970: a wall clock that can be set forward and back.
    pub fn told_by(unix_ms: &'static AtomicU64) -> Self {
        Self(Source::Told(unix_ms))
    }

    /// Milliseconds since 1970-01-01 UTC; 0 if the machine's clock stands before that.
    pub fn unix_ms(&self) -> u64 {
        match self.0 {
            Source::System => system_unix_ms(),
            Source::Virtual { started, started_unix_ms } => {
                started_unix_ms.saturating_add(millis(started.elapsed()))
            }
            Source::Told(unix_ms) => unix_ms.load(Ordering::Relaxed),
        }
    }

    /// The monotonic time that deadlines and rates are counted in.
    pub fn now(&self) -> Instant {
        Instant::now()
    }
}

#[expect(clippy::disallowed_methods, reason = "this is the edge where wall time enters")]
fn system_unix_ms() -> u64 {
    std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).map_or(0, millis)
}

fn millis(duration: std::time::Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[tokio::test(start_paused = true)]
    async fn a_virtual_clock_runs_with_the_runtime() {
        let clock = Clock::virtual_from(1_000);
        assert_eq!(clock.unix_ms(), 1_000);
        tokio::time::advance(Duration::from_millis(250)).await;
        assert_eq!(clock.unix_ms(), 1_250);
    }

    #[test]
    fn the_system_clock_is_past_2025() {
        assert!(Clock::system().unix_ms() > 1_735_689_600_000);
    }
}
