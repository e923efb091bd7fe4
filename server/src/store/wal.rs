//! The write-ahead log of SQLite: given its room ahead of time, and folded back while nobody waits.
//!
//! Of a file that grows, the system writes down the new size with each fsync, which costs as much again as the data. So
//! the log begins as a stretch of zeros, which to SQLite is an empty log, and is overwritten from then on: SQLite begins
//! at its front again once all of it stands in the database, and never makes it shorter.

use super::StoreError;
use rusqlite::Connection;
use std::fs::OpenOptions;
use std::io::{self, Seek, SeekFrom, Write};
use std::path::Path;

/// Pages that a busy writer lets pile up: 16 MiB, so that folding them back is rare.
const BUSY_PAGES: i64 = 4096;
/// Pages that are folded back as soon as nobody waits.
const IDLE_PAGES: i64 = 1024;
/// What a log of [`IDLE_PAGES`] and the group that exceeds them take; a busy one grows once.
const ROOM_BYTES: u64 = 6 << 20;

/// Says that this module folds the log back, and gives it its room. Once the database is in WAL mode and not empty.
pub(super) fn prepare(connection: &Connection, database: &Path) -> Result<(), StoreError> {
    connection.pragma_update(None, "wal_autocheckpoint", 0)?;
    let mut log = database.as_os_str().to_owned();
    log.push("-wal");
    // Without room the log grows as it is used, and fails where there is no room for that either.
    if let Err(error) = make_room(Path::new(&log)) {
        tracing::debug!(%error, "the write-ahead log has no room ahead of time");
    }
    Ok(())
}

/// Folds the log back if enough has piled up. A failure costs nothing but room: what is in the log stays there.
pub(super) fn rest(connection: &Connection, idle: bool) -> Result<(), StoreError> {
    let pages: i64 =
        connection.prepare_cached("PRAGMA wal_checkpoint(NOOP)")?.query_row([], |row| row.get(1))?;
    if pages > if idle { IDLE_PAGES } else { BUSY_PAGES } {
        connection.prepare_cached("PRAGMA wal_checkpoint(PASSIVE)")?.query_row([], |_| Ok(()))?;
    }
    Ok(())
}

/// Behind what the log holds, should the relay have ended without folding it back: a frame of zeros ends a log.
fn make_room(log: &Path) -> io::Result<()> {
    let mut file = OpenOptions::new().write(true).open(log)?;
    let len = file.metadata()?.len();
    let missing = usize::try_from(ROOM_BYTES.saturating_sub(len)).unwrap_or(0);
    file.seek(SeekFrom::Start(len))?;
    // The first commit syncs them with its own pages.
    file.write_all(&vec![0; missing]).or_else(|error| file.set_len(len).and(Err(error)))
}
