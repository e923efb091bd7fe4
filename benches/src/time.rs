//! Where time enters.

use std::time::{Duration, Instant};

/// A started watch.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Watch(Instant);

impl Watch {
    #[expect(clippy::disallowed_methods, reason = "this is the edge: a measurement is made of time")]
    pub(crate) fn start() -> Self {
        Self(Instant::now())
    }

    pub(crate) fn elapsed(self) -> Duration {
        self.0.elapsed()
    }

    pub(crate) fn seconds(self) -> f64 {
        self.elapsed().as_secs_f64()
    }
}

/// Lets others go on for a while.
#[cfg(target_os = "linux")]
#[expect(
    clippy::disallowed_methods,
    reason = "between two looks at something that does not tell when it changes"
)]
pub(crate) fn rest(duration: Duration) {
    std::thread::sleep(duration);
}

/// The middle of what was measured.
pub(crate) fn median(values: &[f64]) -> f64 {
    percentile(values, 50.0)
}

/// The value below which that many percent lie.
pub(crate) fn percentile(values: &[f64], percent: f64) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    #[expect(clippy::cast_sign_loss, reason = "an index into a list, and neither factor is negative")]
    let at = (percent / 100.0 * sorted.len().saturating_sub(1) as f64).round() as usize;
    sorted.get(at).copied().unwrap_or(f64::NAN)
}
