//! The tables, and how an older file becomes a newer one.

use super::StoreError;
use rusqlite::Connection;

/// Steps from one version of the schema to the next; `user_version` counts those that were taken.
const STEPS: &[&str] = &["
CREATE TABLE meta (name TEXT PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID;

CREATE TABLE accounts (
    num INTEGER PRIMARY KEY,
    id BLOB NOT NULL UNIQUE,
    handle TEXT NOT NULL UNIQUE,
    name TEXT NOT NULL,
    role INTEGER NOT NULL,
    disabled INTEGER NOT NULL,
    created_at INTEGER NOT NULL
);
CREATE INDEX accounts_name ON accounts (name COLLATE NOCASE);
CREATE TABLE devices (
    id BLOB PRIMARY KEY, num INTEGER NOT NULL UNIQUE, account BLOB NOT NULL, blocked INTEGER NOT NULL
) WITHOUT ROWID;
CREATE TABLE chains (
    account BLOB NOT NULL, idx INTEGER NOT NULL, entry BLOB NOT NULL, PRIMARY KEY (account, idx)
) WITHOUT ROWID;

CREATE TABLE rooms (
    num INTEGER PRIMARY KEY,
    id BLOB NOT NULL UNIQUE,
    seq INTEGER NOT NULL,
    hash BLOB NOT NULL,
    rev INTEGER NOT NULL,
    control_len INTEGER NOT NULL,
    redacted INTEGER NOT NULL
);
-- The rowid is room.num << 40 | seq: appending is the fastest thing that SQLite does.
CREATE TABLE entries (place INTEGER PRIMARY KEY, entry BLOB NOT NULL);
CREATE TABLE control (room INTEGER NOT NULL, idx INTEGER NOT NULL, seq INTEGER NOT NULL, PRIMARY KEY (room, idx)) WITHOUT ROWID;
-- Transactions begin with the time: by them first, a new row stands nearly always at the end.
CREATE TABLE transactions (
    txn BLOB NOT NULL, device INTEGER NOT NULL, place INTEGER NOT NULL, PRIMARY KEY (txn, device)
) WITHOUT ROWID;
CREATE TABLE registers (
    room INTEGER NOT NULL, owner BLOB NOT NULL, key BLOB NOT NULL, rev INTEGER NOT NULL, entry BLOB NOT NULL,
    PRIMARY KEY (room, owner, key)
) WITHOUT ROWID;
CREATE UNIQUE INDEX registers_rev ON registers (room, rev);

-- Where the room stood when the account left it; null while it is a member.
CREATE TABLE members (
    account BLOB NOT NULL, room BLOB NOT NULL, left_seq INTEGER, left_hash BLOB, left_control_len INTEGER,
    PRIMARY KEY (account, room)
) WITHOUT ROWID;
CREATE TABLE invites (
    token BLOB PRIMARY KEY, uses INTEGER NOT NULL, expires_at INTEGER NOT NULL, role INTEGER NOT NULL, room BLOB, by BLOB
) WITHOUT ROWID;
", "
-- Accounts whose key the relay holds, for programs to write through. The token is null once it was revoked.
CREATE TABLE hooks (
    account BLOB PRIMARY KEY,
    room BLOB NOT NULL,
    seeds BLOB NOT NULL,
    token BLOB UNIQUE,
    by BLOB,
    created_at INTEGER NOT NULL,
    used_at INTEGER NOT NULL
) WITHOUT ROWID;
CREATE TABLE hook_keys (
    hook BLOB NOT NULL, key BLOB NOT NULL, seq INTEGER NOT NULL, at INTEGER NOT NULL, PRIMARY KEY (hook, key)
) WITHOUT ROWID;
CREATE INDEX hook_keys_at ON hook_keys (hook, at);
", "
-- By whom: an account; null for the operator. What: JSON.
CREATE TABLE audit_log (num INTEGER PRIMARY KEY, at INTEGER NOT NULL, by BLOB, event TEXT NOT NULL);
", "
-- The first entry that came to a room on a day, by the relay's clock. What is here already counts as of today.
CREATE TABLE days (
    room INTEGER NOT NULL, day INTEGER NOT NULL, first INTEGER NOT NULL, PRIMARY KEY (room, day)
) WITHOUT ROWID;
INSERT INTO days SELECT num, unixepoch() / 86400, 1 FROM rooms WHERE seq > 0;
-- Null sets no bound.
CREATE TABLE keeps (room BLOB PRIMARY KEY, days INTEGER, bytes INTEGER) WITHOUT ROWID;
CREATE TABLE forgotten (room BLOB PRIMARY KEY, up_to INTEGER NOT NULL) WITHOUT ROWID;
", "
-- The bytes of what an account has written. Its id stands in every entry and register at the same place.
CREATE TABLE holdings (account BLOB PRIMARY KEY, bytes INTEGER NOT NULL) WITHOUT ROWID;
INSERT INTO holdings SELECT account, sum(bytes) FROM (
    SELECT substr(entry, 23, 32) AS account, length(entry) AS bytes FROM entries
    UNION ALL SELECT substr(entry, 21, 32), length(entry) FROM registers
) GROUP BY account;
-- Null sets no bound.
CREATE TABLE shares (account BLOB PRIMARY KEY, bytes INTEGER) WITHOUT ROWID;
", "
-- Who wants to be told of messages while away, and of what they were not told yet: JSON.
CREATE TABLE push_people (account BLOB PRIMARY KEY, wishes TEXT NOT NULL, waiting TEXT) WITHOUT ROWID;
-- Where they are told; what is on its way there.
CREATE TABLE push_targets (
    id BLOB PRIMARY KEY, account BLOB NOT NULL, place TEXT NOT NULL, created_at INTEGER NOT NULL, failure TEXT, out TEXT
) WITHOUT ROWID;
CREATE INDEX push_targets_account ON push_targets (account);
"];

/// The newest schema.
pub(crate) const NEWEST: usize = STEPS.len();

/// Which schema a file has; 0 for an empty one. One that is newer than this program is refused.
pub(crate) fn check_version(connection: &Connection) -> Result<usize, StoreError> {
    let version: u32 = connection.query_row("PRAGMA user_version", [], |row| row.get(0))?;
    let version = version as usize;
    if version > NEWEST {
        return Err(StoreError::Failed(format!(
            "the data was written by a newer kith-relay (schema {version}, this one knows {NEWEST}): update kith-relay, or restore a backup made with this version"
        )));
    }
    Ok(version)
}

/// Brings a file up to the newest schema.
pub(super) fn migrate(connection: &mut Connection) -> Result<(), StoreError> {
    let version = check_version(connection)?;
    for (done, step) in STEPS.iter().enumerate().skip(version) {
        let transaction = connection.transaction()?;
        transaction.execute_batch(step)?;
        transaction.pragma_update(
            None,
            "user_version",
            u32::try_from(done + 1).expect("a handful of steps"),
        )?;
        transaction.commit()?;
    }
    Ok(())
}

impl From<rusqlite::Error> for StoreError {
    fn from(error: rusqlite::Error) -> Self {
        use rusqlite::ffi::ErrorCode;
        match error.sqlite_error_code() {
            Some(ErrorCode::DiskFull) => Self::Full,
            // A write that failed for want of room inside a file reports as an I/O error with ENOSPC behind it.
            Some(ErrorCode::SystemIoFailure) if is_out_of_space() => Self::Full,
            _ => Self::Failed(error.to_string()),
        }
    }
}

fn is_out_of_space() -> bool {
    std::io::Error::last_os_error().kind() == std::io::ErrorKind::StorageFull
}
