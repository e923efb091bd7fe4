//! Forgets what the operator wants kept no longer: looks from time to time, and takes the bodies of messages in small
//! groups, so that nobody waits for it.

use std::{sync::Arc, time::Duration};

use kith_protocol::{
    error::ErrorCode,
    ids::{RoomId, Seq},
};
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

use crate::{
    clock::Instant,
    relay::{hub::Hub, writes::Write},
    store::{
        Reader, StoreError,
        retention::{Keep, RetentionWrite},
    },
};

/// Entries that are looked at in one write.
const AT_ONCE: u64 = 200;
const DAY_MS: u64 = 24 * 60 * 60 * 1000;
/// More than any clock is corrected by in its daily work.
const JUMP_MIN: Duration = Duration::from_mins(10);

/// The day that a moment belongs to, from 1970 on.
pub(crate) fn day(unix_ms: u64) -> u32 {
    u32::try_from(unix_ms / DAY_MS).unwrap_or(u32::MAX)
}

/// Looks again and again.
pub(crate) async fn run(hub: Arc<Hub>, stop: CancellationToken) {
    let mut trust = Trust::new(hub.clock.now(), hub.clock.unix_ms());
    loop {
        let pause = Duration::from_secs(hub.live.load().retention.look_every_s.into());
        tokio::select! {
            () = stop.cancelled() => return,
            () = tokio::time::sleep(pause) => {}
        }
        let (now, unix_ms) = (hub.clock.now(), hub.clock.unix_ms());
        if trust.is_broken(now, unix_ms) {
            warn!(
                "the clock was set forward: nothing is forgotten by age for a day, in which it can be put right"
            );
        }
        match forget(&hub, trust.holds(now)).await {
            Ok(0) => {}
            Ok(rooms) => {
                info!(rooms, "messages were forgotten, as the configuration or the operator wants it");
            }
            // The next look goes on with it.
            Err(code) => warn!(?code, "messages could not be forgotten now"),
        }
    }
}

/// Whether the wall clock may say what is old: what it makes old by mistake would be gone for ever.
struct Trust {
    looked: (Instant, u64),
    not_before: Instant,
}

impl Trust {
    fn new(now: Instant, unix_ms: u64) -> Self {
        Self { looked: (now, unix_ms), not_before: now }
    }

    fn holds(&self, now: Instant) -> bool {
        now >= self.not_before
    }

    /// Takes a look; whether the clock was set forward since the last one. A machine that slept looks the same, and loses
    /// nothing by it.
    fn is_broken(&mut self, now: Instant, unix_ms: u64) -> bool {
        let (then, then_ms) = std::mem::replace(&mut self.looked, (now, unix_ms));
        let passed = now.saturating_duration_since(then);
        let told = Duration::from_millis(unix_ms.saturating_sub(then_ms));
        let jumped = told > passed + JUMP_MIN;
        if jumped {
            self.not_before = now + Duration::from_millis(DAY_MS);
        } else if unix_ms < then_ms {
            // It was put right, or errs to the side of keeping.
            self.not_before = now;
        }
        jumped
    }
}

/// Forgets all that is due; in how many rooms.
async fn forget(hub: &Hub, by_age: bool) -> Result<usize, ErrorCode> {
    let for_all = hub.live.load().retention.keep();
    let today = by_age.then(|| day(hub.clock.unix_ms()));
    let due = hub.run(move |store| due(store, for_all, today)).await.ok_or(ErrorCode::ShuttingDown)?;
    let due = due.map_err(|error| {
        warn!(%error, "the store could not be read");
        ErrorCode::StorageFailed
    })?;
    for &(room, from, to) in &due {
        let mut up_to = from;
        while up_to < to {
            up_to = Seq(to.0.min(up_to.0 + AT_ONCE));
            hub.ask(Write::Retention(RetentionWrite::Forget { room, up_to })).await?;
        }
    }
    Ok(due.len())
}

/// The rooms in which something is due: from where, and up to where.
fn due(store: &dyn Reader, for_all: Keep, today: Option<u32>) -> Result<Vec<(RoomId, Seq, Seq)>, StoreError> {
    let mut due = Vec::new();
    for (room, _) in store.rooms()? {
        let keep = store.keep(&room)?.unwrap_or(for_all);
        if keep == Keep::default() {
            continue;
        }
        let by_age = match keep.days.zip(today) {
            Some((days, today)) => store.before_day(&room, today.saturating_sub(days))?,
            None => Seq::ZERO,
        };
        let by_size = match keep.bytes {
            Some(bytes) => store.beyond(&room, bytes)?,
            None => Seq::ZERO,
        };
        let (from, to) = (store.forgotten(&room)?, by_age.max(by_size));
        if to > from {
            due.push((room, from, to));
        }
    }
    Ok(due)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::Clock;

    const HOUR: Duration = Duration::from_hours(1);
    const HOUR_MS: u64 = 60 * 60 * 1000;

    #[test]
    fn a_clock_that_was_set_forward_is_not_trusted_for_a_day() {
        let start = Clock::system().now();
        let mut trust = Trust::new(start, 0);
        assert!(trust.holds(start));
        assert!(!trust.is_broken(start + HOUR, HOUR_MS + 60_000), "a minute is nothing");
        assert!(trust.holds(start + HOUR));
        assert!(trust.is_broken(start + 2 * HOUR, 400 * DAY_MS));
        assert!(!trust.is_broken(start + 3 * HOUR, 400 * DAY_MS + HOUR_MS), "it is told once");
        assert!(!trust.holds(start + 25 * HOUR));
        assert!(trust.holds(start + 26 * HOUR), "nobody has put it right: it is right");
    }

    #[test]
    fn a_clock_that_was_put_right_is_trusted_at_once() {
        let start = Clock::system().now();
        let mut trust = Trust::new(start, 0);
        assert!(trust.is_broken(start + HOUR, DAY_MS));
        assert!(!trust.is_broken(start + 2 * HOUR, 2 * HOUR_MS));
        assert!(trust.holds(start + 2 * HOUR));
    }
}
