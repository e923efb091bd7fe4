//! When to dial again. No clock, no I/O: told what happened, it says how long to wait.

use std::time::Duration;

use super::{Retry, limits::OBEYED_DELAY_MAX};

/// Exponential backoff with full jitter above a floor (after Marc Brooker, "Exponential Backoff And Jitter", AWS Architecture
/// Blog, 2015): the first wait is anything up to half a second, each further one between half a second and a ceiling that
/// doubles up to a minute. Only a link that was healthy sets it back: a relay that accepts and drops is not hammered.
#[derive(Clone, Debug)]
pub struct Backoff {
    failures: u32,
    rng: fastrand::Rng,
}

/// What a link had been when it ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EndedLink {
    /// The relay had accepted our identity.
    pub identified: bool,
    /// From its opening to its end.
    pub lived: Duration,
}

impl Backoff {
    /// With jitter of its own.
    pub fn new() -> Self {
        Self { failures: 0, rng: fastrand::Rng::new() }
    }

    /// With jitter that can be repeated.
    pub fn seeded(seed: u64) -> Self {
        Self { failures: 0, rng: fastrand::Rng::with_seed(seed) }
    }

    /// After a failed dial: how long to wait, or `None` to wait for a change.
    pub fn dial_failed(&mut self, retry: Retry) -> Option<Duration> {
        self.wait(retry)
    }

    /// After a link has ended: how long to wait, or `None` to wait for a change.
    pub fn link_ended(&mut self, link: EndedLink, retry: Retry) -> Option<Duration> {
        if link.is_healthy() {
            self.failures = 0;
        }
        self.wait(retry)
    }

    /// After the relay said when to come back: at least that long, and spread over as long again and a second, so that all its
    /// clients do not come at once. Never longer than an hour and a second.
    pub fn reconnect_in(&mut self, told: Duration) -> Duration {
        let told = told.min(OBEYED_DELAY_MAX);
        (told + self.up_to(told + SPREAD_MIN)).min(OBEYED_DELAY_MAX + SPREAD_MIN)
    }

    fn wait(&mut self, retry: Retry) -> Option<Duration> {
        let delay = self.next_delay();
        match retry {
            Retry::Now => Some(delay),
            Retry::After(least) => {
                let least = least.min(OBEYED_DELAY_MAX);
                Some(delay.max(least + self.up_to(least / 4)))
            }
            Retry::Never => None,
        }
    }

    fn next_delay(&mut self) -> Duration {
        let failures = self.failures;
        self.failures = failures.saturating_add(1);
        if failures == 0 {
            return self.up_to(FLOOR);
        }
        let ceiling = FLOOR.saturating_mul(1 << failures.min(16)).min(CEILING);
        FLOOR + self.up_to(ceiling.saturating_sub(FLOOR))
    }

    fn up_to(&mut self, most: Duration) -> Duration {
        Duration::from_micros(self.rng.u64(0..=most.as_micros() as u64))
    }
}

impl Default for Backoff {
    fn default() -> Self {
        Self::new()
    }
}

impl EndedLink {
    fn is_healthy(self) -> bool {
        self.identified && self.lived >= HEALTHY_AFTER
    }
}

const FLOOR: Duration = Duration::from_millis(500);
const CEILING: Duration = Duration::from_mins(1);
const HEALTHY_AFTER: Duration = Duration::from_secs(10);
const SPREAD_MIN: Duration = Duration::from_secs(1);

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const HEALTHY: EndedLink = EndedLink { identified: true, lived: HEALTHY_AFTER };

    fn fail(backoff: &mut Backoff, times: u32) {
        for _ in 0..times {
            backoff.dial_failed(Retry::Now);
        }
    }

    fn longest_after(failures: u32, attempts: u64) -> Duration {
        let delays = (0..attempts).map(|seed| {
            let mut backoff = Backoff::seeded(seed);
            fail(&mut backoff, failures);
            backoff.dial_failed(Retry::Now).unwrap()
        });
        delays.max().unwrap()
    }

    #[test]
    fn the_ceiling_doubles_from_half_a_second_to_a_minute() {
        for (failures, ceiling_ms) in
            [(0, 500), (1, 1_000), (2, 2_000), (6, 32_000), (7, 60_000), (40, 60_000)]
        {
            let ceiling = Duration::from_millis(ceiling_ms);
            let longest = longest_after(failures, 500);
            assert!(longest <= ceiling && longest > ceiling.mul_f64(0.9), "{failures}: {longest:?}");
        }
    }

    #[test]
    fn only_a_healthy_link_resets() {
        let tired = || {
            let mut backoff = Backoff::seeded(7);
            fail(&mut backoff, 20);
            backoff
        };
        let failures_after = |link| {
            let mut backoff = tired();
            backoff.link_ended(link, Retry::Now);
            backoff.failures
        };
        assert_eq!(failures_after(HEALTHY), 1);
        assert_eq!(failures_after(EndedLink { identified: false, ..HEALTHY }), 21);
        assert_eq!(failures_after(EndedLink { lived: Duration::from_millis(9_999), ..HEALTHY }), 21);
        assert!(tired().link_ended(HEALTHY, Retry::Now).unwrap() <= FLOOR);
    }

    #[test]
    fn never_waits_for_a_change() {
        assert_eq!(Backoff::seeded(1).dial_failed(Retry::Never), None);
        assert_eq!(Backoff::seeded(1).link_ended(HEALTHY, Retry::Never), None);
    }

    #[test]
    fn a_thousand_clients_come_back_spread_out() {
        let told = Duration::from_secs(5);
        let mut per_second = [0; 6];
        for seed in 0..1_000 {
            let late =
                Backoff::seeded(seed).reconnect_in(told).checked_sub(told).expect("nobody comes early");
            per_second[late.as_secs() as usize] += 1;
        }
        assert!(per_second.iter().all(|&clients| (100..=250).contains(&clients)), "{per_second:?}");
    }

    proptest! {
        #[test]
        fn waits_stay_in_bounds(seed: u64, failures in 0_u32..100, told: Duration, after: Duration) {
            let mut backoff = Backoff::seeded(seed);
            for _ in 0..failures {
                let delay = backoff.dial_failed(Retry::Now).unwrap();
                prop_assert!(delay <= CEILING);
            }
            let floor = if failures == 0 { Duration::ZERO } else { FLOOR };
            prop_assert!(backoff.clone().dial_failed(Retry::Now).unwrap() >= floor);
            let obeyed = after.min(OBEYED_DELAY_MAX);
            let delay = backoff.dial_failed(Retry::After(after)).unwrap();
            prop_assert!(delay >= obeyed && delay <= CEILING.max(obeyed.mul_f64(1.25)));
            let told_at_most = told.min(OBEYED_DELAY_MAX);
            let delay = backoff.reconnect_in(told);
            prop_assert!(delay >= told_at_most && delay <= OBEYED_DELAY_MAX + SPREAD_MIN);
        }

        #[test]
        fn one_seed_gives_one_sequence(seed: u64) {
            let delays = || { let mut b = Backoff::seeded(seed); [(); 10].map(|()| b.dial_failed(Retry::Now)) };
            prop_assert_eq!(delays(), delays());
        }
    }
}
