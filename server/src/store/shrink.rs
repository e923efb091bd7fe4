//! A database that gives back to the disk what it does not need any more, in small steps while nobody waits.

use super::StoreError;
use rusqlite::Connection;

/// Pages that stay in the file for what comes next: 1 MiB.
const KEPT_PAGES: i64 = 256;
/// Pages in one step: who comes meanwhile waits for it.
const STEP_PAGES: i64 = 256;
/// `auto_vacuum`, as SQLite counts.
const INCREMENTAL: i64 = 2;

/// What was done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Step {
    Nothing,
    /// There is more to do.
    More,
    Done,
}

/// Before the first table is made: afterwards it takes a copy of the whole.
pub(super) fn prepare_new(connection: &Connection) -> Result<(), StoreError> {
    Ok(connection.pragma_update(None, "auto_vacuum", INCREMENTAL)?)
}

/// A file of before there were steps is written anew, once.
pub(super) fn prepare_old(connection: &Connection) -> Result<(), StoreError> {
    let mode: i64 = connection.query_row("PRAGMA auto_vacuum", [], |row| row.get(0))?;
    if mode == INCREMENTAL {
        return Ok(());
    }
    connection.pragma_update(None, "auto_vacuum", INCREMENTAL)?;
    match connection.execute_batch("VACUUM").map_err(StoreError::from) {
        // Without room for that it works as it did; the next start tries again.
        Err(StoreError::Full) => {
            tracing::warn!("there is no room to write the database anew: it does not become smaller");
            Ok(())
        }
        done => done,
    }
}

/// Cuts off the end of the file, whose pages take the place of those that are free.
pub(super) fn step(connection: &Connection, idle: bool) -> Result<Step, StoreError> {
    let free: i64 = connection.prepare_cached("PRAGMA freelist_count")?.query_row([], |row| row.get(0))?;
    let surplus = free - KEPT_PAGES;
    if !idle || surplus <= 0 {
        return Ok(Step::Nothing);
    }
    let pages = surplus.min(STEP_PAGES);
    let mut vacuum = connection.prepare(&format!("PRAGMA incremental_vacuum({pages})"))?;
    let mut rows = vacuum.query([])?;
    while rows.next()?.is_some() {}
    if pages < surplus {
        return Ok(Step::More);
    }
    // The file itself becomes shorter once the log is folded back.
    connection.prepare_cached("PRAGMA wal_checkpoint(PASSIVE)")?.query_row([], |_| Ok(()))?;
    Ok(Step::Done)
}
