//! What the devices have seen.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// Counts of all devices together.
#[derive(Debug, Default)]
pub(super) struct Tally {
    /// Connections that were made.
    pub(super) came: AtomicU64,
    /// Messages that reached another device.
    pub(super) delivered: AtomicU64,
    went: AtomicU64,
    sent: AtomicU64,
    latencies_ms: Mutex<Vec<f64>>,
    errors: Mutex<BTreeMap<String, u64>>,
}

impl Tally {
    /// A connection has ended.
    pub(super) fn went(&self) {
        self.went.fetch_add(1, Ordering::Relaxed);
    }

    /// Connections now.
    pub(super) fn online(&self) -> u64 {
        let went = self.went.load(Ordering::Relaxed);
        self.came.load(Ordering::Relaxed).saturating_sub(went)
    }

    /// A message goes out.
    pub(super) fn send(&self) {
        self.sent.fetch_add(1, Ordering::Relaxed);
    }

    /// A message was stored, so long after it was sent.
    pub(super) fn ack(&self, after: Duration) {
        lock(&self.latencies_ms).push(after.as_secs_f64() * 1000.0);
    }

    /// Something went wrong; the text says what, and nothing that differs from one to the next.
    pub(super) fn error(&self, what: String) {
        *lock(&self.errors).entry(what).or_default() += 1;
    }

    pub(super) fn sent(&self) -> u64 {
        self.sent.load(Ordering::Relaxed)
    }

    pub(super) fn acked(&self) -> u64 {
        lock(&self.latencies_ms).len() as u64
    }

    pub(super) fn latencies_ms(&self) -> Vec<f64> {
        lock(&self.latencies_ms).clone()
    }

    pub(super) fn error_count(&self) -> u64 {
        lock(&self.errors).values().sum()
    }

    /// How often what went wrong.
    pub(super) fn errors(&self) -> String {
        let errors = lock(&self.errors);
        errors.iter().map(|(what, times)| format!("{times} times: {what}")).collect::<Vec<_>>().join("; ")
    }
}

fn lock<T>(of: &Mutex<T>) -> MutexGuard<'_, T> {
    of.lock().unwrap_or_else(PoisonError::into_inner)
}
