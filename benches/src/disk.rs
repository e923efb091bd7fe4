//! What the disk and SQLite can do.

use crate::time::Watch;
use crate::{Outcome, relay};
use bytes::Bytes;
use rusqlite::{Connection, params};
use std::fs::File;
use std::io::{Seek, SeekFrom, Write};
use std::path::Path;

/// A file that is overwritten and synced, as a write-ahead log is.
#[derive(Debug)]
pub(crate) struct Synced {
    file: File,
    at: u64,
}

impl Synced {
    pub(crate) fn new(folder: &Path) -> Outcome<Self> {
        let mut file = File::create(folder.join("synced"))?;
        file.write_all(&vec![0; usize::try_from(SYNCED_BYTES)?])?;
        file.sync_all()?;
        Ok(Self { file, at: 0 })
    }

    /// Seconds for one page to be on disk.
    pub(crate) fn page(&mut self) -> Outcome<f64> {
        let watch = Watch::start();
        self.file.seek(SeekFrom::Start(self.at))?;
        self.file.write_all(&[7; PAGE])?;
        // As SQLite is built here: of a log that has its size, only what is in it.
        self.file.sync_data()?;
        self.at = (self.at + PAGE as u64) % SYNCED_BYTES;
        Ok(watch.seconds())
    }
}

/// Which rows are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Rows {
    /// The entries alone.
    Entries,
    /// And each one's transaction, by which a retry is known.
    EntriesAndTransactions,
}

/// Fills the relay's own table with these entries of so many rooms, in groups of this size, from one thread. Rows a second.
pub(crate) fn fill(folder: &Path, entries: &[Bytes], rooms: i64, group: usize, rows: Rows) -> Outcome<f64> {
    let connection = Connection::open(relay::store(folder))?;
    connection.pragma_update(None, "journal_mode", "WAL")?;
    connection.pragma_update(None, "synchronous", "FULL")?;
    connection.pragma_update(None, "wal_autocheckpoint", 4096)?;
    connection.pragma_update(None, "cache_size", -16 * 1024)?;
    connection.execute_batch(TABLES)?;
    let mut insert = connection.prepare("INSERT INTO entries (place, entry) VALUES (?1, ?2)")?;
    let mut note =
        connection.prepare("INSERT OR IGNORE INTO transactions (txn, device, place) VALUES (?1, ?2, ?3)")?;
    let (mut begin, mut commit) = (connection.prepare("BEGIN IMMEDIATE")?, connection.prepare("COMMIT")?);
    let watch = Watch::start();
    let mut number = 0_i64;
    for chunk in entries.chunks(group.max(1)) {
        begin.execute([])?;
        for entry in chunk {
            let (room, seq) = (number % rooms, number / rooms);
            let place = room << 40 | (seq + 1);
            if rows == Rows::EntriesAndTransactions {
                // The transaction id, where an entry's header has it.
                note.execute(params![entry.get(TXN_AT..TXN_AT + 16), room, place])?;
            }
            insert.execute(params![place, entry.as_ref()])?;
            number += 1;
        }
        commit.execute([])?;
    }
    Ok(entries.len() as f64 / watch.seconds())
}

const TABLES: &str = "
CREATE TABLE entries (place INTEGER PRIMARY KEY, entry BLOB NOT NULL);
CREATE TABLE transactions (
    txn BLOB NOT NULL, device INTEGER NOT NULL, place INTEGER NOT NULL, PRIMARY KEY (txn, device)
) WITHOUT ROWID;
";
/// Behind the length of the header, see `kith_protocol::entry::Header`.
const TXN_AT: usize = 2 + 144;
const PAGE: usize = 4096;
const SYNCED_BYTES: u64 = 16 << 20;
