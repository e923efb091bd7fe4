//! Notices from two clocks that time has passed unseen.

use std::time::{Duration, Instant, SystemTime};

/// One reading of both clocks.
#[derive(Clone, Copy, Debug)]
pub(super) struct Moment {
    pub(super) monotonic: Instant,
    pub(super) wall: SystemTime,
}

/// Compares each tick with the one before. On Linux and macOS the monotonic clock stands still while the computer sleeps and
/// the wall clock tells; on Windows both go on, and the tick is late by both.
#[derive(Debug)]
pub(super) struct SleepCheck {
    last: Moment,
    period: Duration,
}

impl SleepCheck {
    /// `period`: the time between two ticks.
    pub(super) fn new(now: Moment, period: Duration) -> Self {
        Self { last: now, period }
    }

    /// Whether there was a sleep since the last tick. A wall clock that is set forward looks the same, which costs one probe;
    /// one that is set back does not.
    pub(super) fn tick(&mut self, now: Moment) -> bool {
        let monotonic = now.monotonic.saturating_duration_since(self.last.monotonic);
        let wall = now.wall.duration_since(self.last.wall).unwrap_or_default();
        self.last = now;
        monotonic.max(wall) >= self.period + UNSEEN_MIN
    }
}

/// A busy machine delays a tick by seconds; a sleep that is shorter breaks no connection.
const UNSEEN_MIN: Duration = Duration::from_secs(15);

#[cfg(test)]
mod tests {
    use super::*;

    const PERIOD: Duration = Duration::from_secs(5);
    const HOUR: Duration = Duration::from_hours(1);

    #[expect(
        clippy::disallowed_methods,
        reason = "an Instant has no other source; only sums with it are used"
    )]
    fn start() -> Moment {
        Moment { monotonic: Instant::now(), wall: SystemTime::UNIX_EPOCH + HOUR * 24 }
    }

    fn after(moment: Moment, monotonic: Duration, wall: Duration) -> Moment {
        Moment { monotonic: moment.monotonic + monotonic, wall: moment.wall + wall }
    }

    #[test]
    fn a_tick_in_time_or_a_little_late_is_no_sleep() {
        let mut moment = start();
        let mut check = SleepCheck::new(moment, PERIOD);
        for late in [0, 1, 14] {
            let passed = PERIOD + Duration::from_secs(late);
            moment = after(moment, passed, passed);
            assert!(!check.tick(moment));
        }
    }

    #[test]
    fn sleep_shows_on_either_clock_and_once() {
        for (monotonic, wall) in [(PERIOD, PERIOD + HOUR), (PERIOD + HOUR, PERIOD + HOUR)] {
            let mut check = SleepCheck::new(start(), PERIOD);
            let woken = after(check.last, monotonic, wall);
            assert!(check.tick(woken));
            assert!(!check.tick(after(woken, PERIOD, PERIOD)));
        }
    }

    #[test]
    fn a_clock_that_is_set_back_is_no_sleep() {
        let mut check = SleepCheck::new(start(), PERIOD);
        let mut moment = after(check.last, PERIOD, Duration::ZERO);
        moment.wall -= HOUR;
        assert!(!check.tick(moment));
    }
}
