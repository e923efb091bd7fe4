//! Warns long before the disk, or what the database or an account may have of it, is used up.

use std::{path::PathBuf, sync::Arc, time::Duration};

use tokio_util::sync::CancellationToken;
use tracing::warn;

use crate::{commands::mebibytes, config::StorageSection, data::DATABASE, relay::hub::Hub};

const LOOK_EVERY: Duration = Duration::from_mins(1);

/// What there is, in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Room {
    pub(crate) free: u64,
    pub(crate) used: u64,
}

impl Room {
    /// Of the disk under a relay's folder, and of its database.
    pub(crate) fn look(data: &std::path::Path) -> std::io::Result<Self> {
        let used = data.join(DATABASE).metadata().map_or(0, |metadata| metadata.len());
        Ok(Self { free: fs4::available_space(data)?, used })
    }

    /// The disk has little left above what is held back.
    pub(crate) fn is_low(self, storage: &StorageSection) -> bool {
        self.free < storage.reserve_bytes.saturating_mul(8)
    }

    /// The database has nearly all that it may have.
    pub(crate) fn is_nearly_used_up(self, storage: &StorageSection) -> bool {
        storage.max_bytes > 0 && self.used > storage.max_bytes / 10 * 9
    }
}

/// Looks again and again, counts what there is, and says once when it becomes little.
pub(crate) async fn watch(data: PathBuf, hub: Arc<Hub>, stop: CancellationToken) {
    let mut told = (false, false);
    let mut told_of_accounts = 0;
    loop {
        match Room::look(&data) {
            Ok(room) => {
                hub.metrics.disk_free_bytes.set(count(room.free));
                hub.metrics.database_bytes.set(count(room.used));
                let config = hub.live.load();
                let now = (room.is_low(&config.storage), room.is_nearly_used_up(&config.storage));
                if now.0 && !told.0 {
                    let free = mebibytes(room.free);
                    warn!("the disk has {free} left: make room before writes are refused");
                }
                if now.1 && !told.1 {
                    let (used, max) = (mebibytes(room.used), mebibytes(config.storage.max_bytes));
                    warn!("the database has {used} of {max}: raise storage.max_bytes, or keep less");
                }
                told = now;
            }
            Err(error) => warn!(%error, "nobody can tell how much of the disk is free"),
        }
        let for_all = hub.live.load().storage.share();
        if let Some(Ok(accounts)) = hub.run(move |store| store.nearly_used_up(for_all)).await {
            hub.metrics.nearly_full_accounts.set(count(accounts));
            if accounts > told_of_accounts {
                warn!(accounts, "accounts have nearly used up their quota: see `kith-relay users list`");
            }
            told_of_accounts = accounts;
        }
        tokio::select! {
            () = stop.cancelled() => return,
            () = tokio::time::sleep(LOOK_EVERY) => {}
        }
    }
}

fn count(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_warns_long_before() {
        let storage = StorageSection { reserve_bytes: 10, max_bytes: 1000, account_bytes: 0 };
        let room = |free, used| Room { free, used };
        assert!(room(79, 0).is_low(&storage) && !room(80, 0).is_low(&storage));
        assert!(room(0, 901).is_nearly_used_up(&storage) && !room(0, 900).is_nearly_used_up(&storage));
        let unbounded = StorageSection { max_bytes: 0, ..storage };
        assert!(!room(0, u64::MAX).is_nearly_used_up(&unbounded));
    }
}
