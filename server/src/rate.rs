//! Rate limits, without a clock or a lock inside.
//!
//! [`Bucket`] is the generic cell rate algorithm (ITU-T I.371): one instant in place of a token count, so a limit costs
//! 16 bytes a connection and nothing while nobody asks. [`Buckets`] keeps one per key within a bound.

use std::{collections::HashMap, hash::Hash, time::Duration};

use crate::clock::Instant;

/// How much is allowed: `burst` at once, `per_second` in the long run. Both are at least 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rate {
    per_second: u32,
    burst: u32,
}

impl Rate {
    /// Zero counts as one: a limit of nothing would be a relay that is off.
    pub fn new(per_second: u32, burst: u32) -> Self {
        Self { per_second: per_second.max(1), burst: burst.max(1) }
    }

    fn cost(self, count: u32) -> Duration {
        Duration::from_nanos(u64::from(count) * 1_000_000_000 / u64::from(self.per_second))
    }

    fn tolerance(self) -> Duration {
        self.cost(self.burst)
    }
}

/// One limited thing. Starts full.
#[derive(Clone, Copy, Debug, Default)]
pub struct Bucket {
    /// When the bucket will be full again; none if it is full.
    full_at: Option<Instant>,
}

impl Bucket {
    /// Takes `count` or nothing; on refusal tells how long until they are there.
    /// A count above the burst passes when the bucket is full, and is paid for afterwards: nothing waits for ever.
    pub fn take(&mut self, now: Instant, rate: Rate, count: u32) -> Result<(), Duration> {
        let full_at = self.full_at.map_or(now, |at| at.max(now));
        let next = full_at + rate.cost(count);
        let limit = now + rate.tolerance().max(rate.cost(count));
        if next > limit {
            return Err(next - limit);
        }
        self.full_at = Some(next);
        Ok(())
    }

    /// Whether nothing is owed: forgetting such a bucket changes nothing.
    pub fn is_full(&self, now: Instant) -> bool {
        self.full_at.is_none_or(|at| at <= now)
    }
}

/// A bucket for each key, for at most `keys_max` keys. When all are in use, new keys share one bucket:
/// memory stays bounded, known keys keep their own allowance, and a flood of new ones slows only itself.
#[derive(Debug)]
pub struct Buckets<K> {
    keyed: HashMap<K, Bucket>,
    others: Bucket,
    keys_max: usize,
    sweep_at: usize,
}

impl<K: Hash + Eq> Buckets<K> {
    pub fn new(keys_max: usize) -> Self {
        Self {
            keyed: HashMap::new(),
            others: Bucket::default(),
            keys_max,
            sweep_at: SWEEP_AT_MIN.min(keys_max),
        }
    }

    /// As [`Bucket::take`], for the bucket of `key`.
    pub fn take(&mut self, key: K, now: Instant, rate: Rate, count: u32) -> Result<(), Duration> {
        if self.keyed.len() >= self.sweep_at && !self.keyed.contains_key(&key) {
            self.sweep(now);
        }
        if self.keyed.len() >= self.keys_max && !self.keyed.contains_key(&key) {
            return self.others.take(now, rate, count);
        }
        self.keyed.entry(key).or_default().take(now, rate, count)
    }

    /// Drops what is full, and sweeps again only when the rest has doubled: amortised, a sweep costs each key once.
    fn sweep(&mut self, now: Instant) {
        self.keyed.retain(|_, bucket| !bucket.is_full(now));
        self.sweep_at = (self.keyed.len() * 2).clamp(SWEEP_AT_MIN.min(self.keys_max), self.keys_max);
        self.keyed.shrink_to(self.sweep_at);
    }
}

const SWEEP_AT_MIN: usize = 1024;

#[cfg(test)]
mod tests {
    use super::*;

    const RATE: Rate = Rate { per_second: 10, burst: 5 };

    #[tokio::test(start_paused = true)]
    async fn a_burst_passes_then_the_rate_holds() {
        let mut bucket = Bucket::default();
        let start = Instant::now();
        for _ in 0..5 {
            bucket.take(start, RATE, 1).unwrap();
        }
        assert_eq!(bucket.take(start, RATE, 1), Err(Duration::from_millis(100)));
        let later = start + Duration::from_millis(100);
        bucket.take(later, RATE, 1).unwrap();
        assert!(bucket.take(later, RATE, 1).is_err());
        assert!(!bucket.is_full(later));
        assert!(bucket.is_full(later + Duration::from_millis(500)));
    }

    #[tokio::test(start_paused = true)]
    async fn more_than_the_burst_passes_once_and_is_paid_for() {
        let mut bucket = Bucket::default();
        let start = Instant::now();
        bucket.take(start, RATE, 20).unwrap();
        assert_eq!(bucket.take(start, RATE, 1), Err(Duration::from_millis(1_600)));
    }

    #[tokio::test(start_paused = true)]
    async fn keys_are_bounded_and_strangers_share() {
        let mut buckets = Buckets::new(2);
        let start = Instant::now();
        for key in [1, 2] {
            buckets.take(key, start, RATE, 1).unwrap();
        }
        for key in 3..8 {
            buckets.take(key, start, RATE, 1).unwrap();
        }
        assert!(buckets.take(8, start, RATE, 1).is_err(), "the shared bucket is empty");
        buckets.take(1, start, RATE, 1).unwrap();
        assert_eq!(buckets.keyed.len(), 2);
        let later = start + Duration::from_secs(10);
        buckets.take(9, later, RATE, 1).unwrap();
        assert_eq!(buckets.keyed.len(), 1, "what was full is forgotten");
    }
}
