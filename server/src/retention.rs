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
    relay::{hub::Hub, writes::Write},
    store::{
        Reader, StoreError,
        retention::{Keep, RetentionWrite},
    },
};

/// Entries that are looked at in one write.
const AT_ONCE: u64 = 200;
const DAY_MS: u64 = 24 * 60 * 60 * 1000;

/// The day that a moment belongs to, from 1970 on.
pub(crate) fn day(unix_ms: u64) -> u32 {
    u32::try_from(unix_ms / DAY_MS).unwrap_or(u32::MAX)
}

/// Looks again and again.
pub(crate) async fn run(hub: Arc<Hub>, stop: CancellationToken) {
    loop {
        let pause = Duration::from_secs(hub.live.load().retention.look_every_s.into());
        tokio::select! {
            () = stop.cancelled() => return,
            () = tokio::time::sleep(pause) => {}
        }
        match forget(&hub).await {
            Ok(0) => {}
            Ok(rooms) => {
                info!(rooms, "messages were forgotten, as the configuration or the operator wants it");
            }
            // The next look goes on with it.
            Err(code) => warn!(?code, "messages could not be forgotten now"),
        }
    }
}

/// Forgets all that is due; in how many rooms.
async fn forget(hub: &Hub) -> Result<usize, ErrorCode> {
    let for_all = hub.live.load().retention.keep();
    let today = day(hub.clock.unix_ms());
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
fn due(store: &dyn Reader, for_all: Keep, today: u32) -> Result<Vec<(RoomId, Seq, Seq)>, StoreError> {
    let mut due = Vec::new();
    for (room, _) in store.rooms()? {
        let keep = store.keep(&room)?.unwrap_or(for_all);
        if keep == Keep::default() {
            continue;
        }
        let by_age = match keep.days {
            Some(days) => store.before_day(&room, today.saturating_sub(days))?,
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
