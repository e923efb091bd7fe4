//! Conditions with deadlines.

use std::fmt::Debug;
use std::time::Duration;
use tokio::time::Instant;

/// Looks until there is what was waited for; what was seen last stands in the failure.
pub async fn until<T, E: Debug>(what: &str, mut look: impl AsyncFnMut() -> Result<T, E>) -> T {
    let deadline = Instant::now() + PATIENCE;
    let mut looks = tokio::time::interval(BETWEEN_LOOKS);
    loop {
        looks.tick().await;
        match look().await {
            Ok(seen) => return seen,
            Err(last) => assert!(Instant::now() < deadline, "in vain: {what}; last seen: {last:#?}"),
        }
    }
}

/// The same for what is looked at without waiting.
pub fn until_now<T, E: Debug>(what: &str, mut look: impl FnMut() -> Result<T, E>) -> impl Future<Output = T> {
    until(what, async move || look())
}

/// Holds for so long: for what must not happen.
pub async fn never<T: Debug>(what: &str, during: Duration, mut look: impl AsyncFnMut() -> Option<T>) {
    let end = Instant::now() + during;
    let mut looks = tokio::time::interval(BETWEEN_LOOKS);
    while Instant::now() < end {
        looks.tick().await;
        if let Some(seen) = look().await {
            panic!("{what}: {seen:#?}");
        }
    }
}

/// Far more than anything here takes on a machine that does nothing else.
pub const PATIENCE: Duration = Duration::from_secs(60);
const BETWEEN_LOOKS: Duration = Duration::from_millis(40);
