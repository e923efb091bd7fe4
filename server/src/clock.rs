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
    Told(&'static AtomicU64),
}

impl Clock {
    /// The clock of the machine.
    pub fn system() -> Self {
        Self(Source::System)
    }

    /// Says what somebody else sets, in milliseconds since 1970: a wall clock that can be set forward and back.
    pub fn told_by(unix_ms: &'static AtomicU64) -> Self {
        Self(Source::Told(unix_ms))
    }

    /// Milliseconds since 1970-01-01 UTC; 0 if the machine's clock stands before that.
    pub fn unix_ms(&self) -> u64 {
        match self.0 {
            Source::System => system_unix_ms(),
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
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_system_clock_is_past_2025() {
        assert!(Clock::system().unix_ms() > 1_735_689_600_000);
    }
}
