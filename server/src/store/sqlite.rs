//! The default engine: one SQLite file, write-ahead log, one writer, group commit.
//!
//! `synchronous=FULL` makes a commit return after the fsync of the write-ahead log; the heads of rooms that a group touched
//! are written once, at its end. Reading stands in `tables` and `directory`, what a column holds in `values`.

pub(crate) mod copies;
mod directory;
mod hooks;
mod pushes;
mod retention;
mod tables;
mod values;

use self::directory::role_number;
use self::retention::{Growth, grown};
use self::tables::Tables;
use self::values::{damaged, id, int, place};
use super::hooks::HookWrite;
use super::pushes::PushRow;
use super::retention::{Retention, RetentionWrite};
use super::shrink::Step;
use super::{
    AccountRow, Announcement, Append, AuditRecord, DeviceRow, Engine, InviteRow, Log, Membership, Reader,
    RoomHead, StoreError, schema, shrink, wal,
};
use kith_protocol::chain::ChainEntry;
use kith_protocol::entry::{Entry, Kind};
use kith_protocol::ids::{AccountId, DeviceId, Hash, Incarnation, Rev, RoomId, Seq};
use kith_protocol::register::Register;
use rusqlite::{Connection, OpenFlags};
use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// Rooms whose head stays in memory between groups.
const HEADS_CACHED_MAX: usize = 100_000;
/// Devices whose number does.
const DEVICES_CACHED_MAX: usize = 100_000;
/// A message of the usual largest size.
const PROBE_BYTES: u32 = 64 * 1024;
/// Kibibytes, as SQLite counts them below zero: the inner pages of the tables. The system keeps the rest.
const READER_CACHE: i32 = -512;
/// What SQLite can count.
const PAGES_MAX: i64 = 4_294_967_294;

/// Which schema a file has, which is not changed. One that is newer than this program is refused.
pub(crate) fn schema_of(path: &Path) -> Result<usize, StoreError> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    schema::check_version(&Connection::open_with_flags(path, flags)?)
}

/// The writer's connection.
pub struct SqliteEngine {
    path: PathBuf,
    tables: Tables,
    incarnation: Incarnation,
    heads: HashMap<RoomId, (i64, RoomHead)>,
    devices: HashMap<DeviceId, i64>,
    /// Rooms whose head changed in this group.
    dirty: BTreeMap<i64, RoomHead>,
    /// What accounts hold more since this group began.
    growth: Growth,
    quota: Quota,
    /// As it was set last, if it still holds.
    quota_kept: Option<u64>,
}

/// How many bytes the file may have. Beyond it, writes fail as they do on a full disk, and reads go on.
#[derive(Debug, Clone)]
pub struct Quota(Arc<AtomicU64>);

impl Quota {
    /// From the next group on; `None`: as many as the disk has room for. A file that is larger already stays as it is.
    pub fn set(&self, bytes: Option<u64>) {
        self.0.store(bytes.unwrap_or(u64::MAX), Ordering::Relaxed);
    }
}

impl SqliteEngine {
    /// Opens the file, or makes it. `fresh` becomes the identity of new logs.
    pub fn open(path: &Path, fresh: Incarnation) -> Result<Self, StoreError> {
        // For its owner alone, whoever made the folder; SQLite gives the log beside it the same mode.
        crate::platform::open_private_file(path)
            .map_err(|error| StoreError::Failed(format!("{} cannot be opened: {error}", path.display())))?;
        let mut connection = Connection::open(path)?;
        // Before anything is changed.
        schema::check_version(&connection)?;
        shrink::prepare_new(&connection)?;
        connection.pragma_update(None, "journal_mode", "WAL")?;
        connection.pragma_update(None, "synchronous", "FULL")?;
        // What is deleted leaves nothing in the file.
        connection.pragma_update(None, "secure_delete", "ON")?;
        connection.pragma_update(None, "cache_size", -16 * 1024)?;
        connection.set_prepared_statement_cache_capacity(64);
        schema::migrate(&mut connection)?;
        shrink::prepare_old(&connection)?;
        wal::prepare(&connection, path)?;
        connection.execute(
            "INSERT OR IGNORE INTO meta (name, value) VALUES ('incarnation', ?1)",
            [fresh.as_bytes()],
        )?;
        let incarnation: Vec<u8> =
            connection
                .query_row("SELECT value FROM meta WHERE name = 'incarnation'", [], |row| row.get(0))?;
        Ok(Self {
            path: path.to_owned(),
            tables: Tables(connection),
            incarnation: damaged(Incarnation::try_from(incarnation.as_slice()))?,
            heads: HashMap::new(),
            devices: HashMap::new(),
            dirty: BTreeMap::new(),
            growth: Growth::new(),
            quota: Quota(Arc::new(AtomicU64::new(u64::MAX))),
            quota_kept: Some(u64::MAX),
        })
    }

    /// Gives the logs a new identity: what was read from them before may differ. For a restored copy.
    pub fn renew(&mut self, incarnation: Incarnation) -> Result<(), StoreError> {
        let sql = "UPDATE meta SET value = ?1 WHERE name = 'incarnation'";
        self.tables.0.execute(sql, [incarnation.as_bytes()])?;
        self.tables.forget_waiting_pushes()?;
        self.incarnation = incarnation;
        Ok(())
    }

    /// Folds the write-ahead log back and ends: one file is left, which holds all.
    pub(crate) fn into_one_file(self) -> Result<(), StoreError> {
        self.tables.0.query_row("PRAGMA journal_mode = DELETE", [], |_| Ok(()))?;
        Ok(self.tables.0.close().map_err(|(_, error)| error)?)
    }

    fn room(&mut self, room: &RoomId) -> Result<(i64, RoomHead), StoreError> {
        if let Some(found) = self.heads.get(room) {
            return Ok(*found);
        }
        let found = if let Some(found) = self.tables.room(room)? {
            found
        } else {
            self.tables.run(
                "INSERT INTO rooms (id, seq, hash, rev, control_len, redacted) VALUES (?1, 0, ?2, 0, 0, 0)",
                &[&room.as_bytes(), &Hash::ZERO.as_bytes()],
            )?;
            (self.tables.0.last_insert_rowid(), RoomHead::default())
        };
        if self.heads.len() >= HEADS_CACHED_MAX && self.dirty.is_empty() {
            self.heads.clear();
        }
        self.heads.insert(*room, found);
        Ok(found)
    }

    fn put_head(&mut self, room: &RoomId, num: i64, head: RoomHead) {
        self.heads.insert(*room, (num, head));
        self.dirty.insert(num, head);
    }

    fn device_num(&mut self, device: &DeviceId) -> Result<i64, StoreError> {
        if let Some(num) = self.devices.get(device) {
            return Ok(*num);
        }
        let num = self
            .tables
            .one("SELECT num FROM devices WHERE id = ?1", &[&device.as_bytes()], |row| row.get(0))?
            .ok_or_else(|| StoreError::Failed("an entry came from a device that is in no chain".into()))?;
        if self.devices.len() >= DEVICES_CACHED_MAX {
            self.devices.clear();
        }
        self.devices.insert(*device, num);
        Ok(num)
    }

    #[cfg(test)]
    pub(super) fn connection(&self) -> &Connection {
        &self.tables.0
    }

    /// How large the file may become; to be changed at any time, from any thread.
    pub fn quota(&self) -> Quota {
        self.quota.clone()
    }

    fn keep_to_quota(&mut self) -> Result<(), StoreError> {
        let bytes = self.quota.0.load(Ordering::Relaxed);
        if self.quota_kept != Some(bytes) {
            let page: i64 = self.tables.0.query_row("PRAGMA page_size", [], |row| row.get(0))?;
            // Zero would only ask.
            let pages = (int(bytes) / page.max(1)).clamp(1, PAGES_MAX);
            self.tables.0.query_row(&format!("PRAGMA max_page_count = {pages}"), [], |_| Ok(()))?;
            self.quota_kept = Some(bytes);
        }
        Ok(())
    }

    fn redact(&mut self, num: i64, target: Seq) -> Result<(), StoreError> {
        let place = place(num, target);
        let raw: Option<Vec<u8>> =
            self.tables.one("SELECT entry FROM entries WHERE place = ?1", &[&place], |row| row.get(0))?;
        let Some(raw) = raw else { return Ok(()) };
        let entry = damaged(Entry::parse(raw.into()))?;
        if entry.body().is_some() { self.tables.redact(place, &entry, &mut self.growth) } else { Ok(()) }
    }
}

impl Engine for SqliteEngine {
    fn incarnation(&self) -> Incarnation {
        self.incarnation
    }

    fn read(&self) -> &dyn Reader {
        &self.tables
    }

    fn head(&mut self, room: &RoomId) -> Result<RoomHead, StoreError> {
        match self.heads.get(room) {
            Some((_, head)) => Ok(*head),
            None => self.tables.head(room),
        }
    }

    fn held(&mut self, account: &AccountId) -> Result<u64, StoreError> {
        let growth = self.growth.get(account).copied().unwrap_or(0);
        Ok(self.tables.held(account)?.saturating_add_signed(growth))
    }

    fn begin(&mut self) -> Result<(), StoreError> {
        self.keep_to_quota()?;
        self.tables.run("BEGIN IMMEDIATE", &[])?;
        Ok(())
    }

    fn commit(&mut self) -> Result<(), StoreError> {
        for (num, head) in std::mem::take(&mut self.dirty) {
            self.tables.run(
                "UPDATE rooms SET seq = ?2, hash = ?3, rev = ?4, control_len = ?5, redacted = ?6 WHERE num = ?1",
                &[
                    &num,
                    &int(head.seq.0),
                    &head.hash.as_bytes(),
                    &int(head.rev.0),
                    &head.control_len,
                    &int(head.redacted.0),
                ],
            )?;
        }
        for (account, bytes) in self.growth.drain().filter(|(_, bytes)| *bytes != 0) {
            self.tables.put_growth(&account, bytes)?;
        }
        self.tables.run("COMMIT", &[])?;
        Ok(())
    }

    fn rollback(&mut self) {
        self.dirty.clear();
        self.growth.clear();
        self.heads.clear();
        self.devices.clear();
        // Fails only if a failed statement has already ended the transaction.
        if let Err(error) = self.tables.run("ROLLBACK", &[]) {
            tracing::debug!(%error, "nothing to roll back");
        }
    }

    fn rest(&mut self, idle: bool) -> bool {
        if let Err(error) = wal::rest(&self.tables.0, idle) {
            tracing::warn!(%error, "the write-ahead log could not be folded back");
        }
        match shrink::step(&self.tables.0, idle) {
            Ok(Step::Nothing) => false,
            Ok(step) => {
                // It cannot be set below the size that the file has, and the file is smaller now.
                self.quota_kept = None;
                step == Step::More
            }
            Err(error) => {
                tracing::warn!(%error, "the database could not give back what it does not need");
                false
            }
        }
    }

    fn append(&mut self, entry: &Entry) -> Result<Append, StoreError> {
        let header = entry.header();
        let room = entry.room();
        let device = self.device_num(&header.device)?;
        let (num, mut head) = self.room(&room)?;
        let seq = head.seq.next();
        let fresh = self.tables.run(
            "INSERT OR IGNORE INTO transactions (txn, device, place) VALUES (?1, ?2, ?3)",
            &[&header.txn.as_bytes(), &device, &place(num, seq)],
        )?;
        if fresh == 0 {
            let (room, seq) = self
                .tables
                .place_of(device, &header.txn)?
                .ok_or_else(|| StoreError::Failed("a transaction vanished".into()))?;
            if head == RoomHead::default() {
                // The room was made for this entry, which stands elsewhere.
                self.tables.run("DELETE FROM rooms WHERE num = ?1", &[&num])?;
                self.heads.remove(&entry.room());
            }
            return Ok(Append::Known(room, seq));
        }
        self.tables.run(
            "INSERT INTO entries (place, entry) VALUES (?1, ?2)",
            &[&place(num, seq), &entry.raw().as_ref()],
        )?;
        *self.growth.entry(header.account).or_default() += grown(0, entry.raw().len());
        head.seq = seq;
        head.hash = head.hash.extend(&entry.digest());
        match &header.kind {
            Kind::Control { .. } => {
                self.tables.run(
                    "INSERT INTO control (room, idx, seq) VALUES (?1, ?2, ?3)",
                    &[&num, &head.control_len, &int(seq.0)],
                )?;
                head.control_len += 1;
            }
            Kind::Redaction { target, .. } => {
                // Only what stands before it: never itself.
                if *target < seq {
                    self.redact(num, *target)?;
                }
                head.redacted = seq;
            }
            Kind::Message | Kind::Unknown(_) => {}
        }
        self.put_head(&room, num, head);
        Ok(Append::New(head))
    }

    fn set_register(&mut self, register: &Register) -> Result<Rev, StoreError> {
        let header = register.header();
        let (num, mut head) = self.room(&header.room)?;
        head.rev = head.rev.next();
        let (owner, key) = (header.owner(), header.key);
        let before = self.tables.one(
            "SELECT substr(entry, 21, 32), length(entry) FROM registers WHERE room = ?1 AND owner = ?2 AND key = ?3",
            &[&num, &owner.as_bytes(), &key.as_bytes()],
            |row| Ok((id(row, 0)?, row.get::<_, i64>(1)?)),
        )?;
        if let Some((author, bytes)) = before {
            *self.growth.entry(author).or_default() -= bytes;
        }
        *self.growth.entry(header.account).or_default() += grown(0, register.raw().len());
        self.tables.run(
            "INSERT INTO registers (room, owner, key, rev, entry) VALUES (?1, ?2, ?3, ?4, ?5)
             ON CONFLICT (room, owner, key) DO UPDATE SET rev = excluded.rev, entry = excluded.entry",
            &[&num, &owner.as_bytes(), &key.as_bytes(), &int(head.rev.0), &register.raw().as_ref()],
        )?;
        self.put_head(&header.room, num, head);
        Ok(head.rev)
    }

    fn append_chain(&mut self, account: &AccountId, entry: &ChainEntry) -> Result<(), StoreError> {
        let len: Option<u32> = self.tables.one(
            "SELECT count(*) FROM chains WHERE account = ?1",
            &[&account.as_bytes()],
            |row| row.get(0),
        )?;
        if len != Some(entry.header().index) {
            return Err(StoreError::Failed("a chain entry does not stand at the end of its chain".into()));
        }
        self.tables.run(
            "INSERT INTO chains (account, idx, entry) VALUES (?1, ?2, ?3)",
            &[&account.as_bytes(), &entry.header().index, &entry.raw().as_ref()],
        )?;
        Ok(())
    }

    fn put_account(&mut self, account: &AccountRow) -> Result<(), StoreError> {
        self.tables.run(
            "INSERT INTO accounts (id, handle, name, role, disabled, created_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6)
             ON CONFLICT (id) DO UPDATE SET handle = excluded.handle, name = excluded.name, role = excluded.role,
             disabled = excluded.disabled",
            &[
                &account.id.as_bytes(),
                &account.handle,
                &account.name,
                &role_number(account.role),
                &account.disabled,
                &int(account.created_at),
            ],
        )?;
        Ok(())
    }

    fn put_device(&mut self, device: &DeviceId, row: DeviceRow) -> Result<(), StoreError> {
        self.tables.run(
            "INSERT INTO devices (id, num, account, blocked)
             VALUES (?1, (SELECT coalesce(max(num), 0) + 1 FROM devices), ?2, ?3)
             ON CONFLICT (id) DO UPDATE SET blocked = excluded.blocked",
            &[&device.as_bytes(), &row.account.as_bytes(), &row.blocked],
        )?;
        Ok(())
    }

    fn put_membership(&mut self, account: &AccountId, membership: Membership) -> Result<(), StoreError> {
        self.tables.run(
            "INSERT OR REPLACE INTO members (account, room, left_seq, left_hash, left_control_len)
             VALUES (?1, ?2, ?3, ?4, ?5)",
            &[
                &account.as_bytes(),
                &membership.room.as_bytes(),
                &membership.left.map(|left| int(left.seq.0)),
                &membership.left.as_ref().map(|left| left.hash.as_bytes()),
                &membership.left.map(|left| left.control_len),
            ],
        )?;
        Ok(())
    }

    fn put_invite(&mut self, invite: &InviteRow) -> Result<(), StoreError> {
        self.tables.run(
            "INSERT OR REPLACE INTO invites (token, uses, expires_at, role, room, by) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
            &[
                &invite.token.as_slice(),
                &invite.uses,
                &int(invite.expires_at),
                &role_number(invite.role),
                &invite.room.as_ref().map(RoomId::as_bytes),
                &invite.by.as_ref().map(AccountId::as_bytes),
            ],
        )?;
        Ok(())
    }

    fn put_hook(&mut self, write: &HookWrite) -> Result<(), StoreError> {
        self.tables.put_hook(write)
    }

    fn put_push(&mut self, write: &PushRow) -> Result<(), StoreError> {
        self.tables.put_push(write)
    }

    fn put_retention(&mut self, write: &RetentionWrite) -> Result<(), StoreError> {
        self.tables.put_retention(write, &mut self.growth)
    }

    fn put_announcement(&mut self, announcement: Option<&Announcement>) -> Result<(), StoreError> {
        let Some(announcement) = announcement else {
            self.tables.run("DELETE FROM meta WHERE name = 'announcement'", &[])?;
            return Ok(());
        };
        let text = serde_json::to_vec(announcement)
            .map_err(|error| StoreError::Failed(format!("an announcement cannot be written: {error}")))?;
        self.tables.run("INSERT OR REPLACE INTO meta (name, value) VALUES ('announcement', ?1)", &[&text])?;
        Ok(())
    }

    fn audit(&mut self, record: &AuditRecord) -> Result<(), StoreError> {
        let event = serde_json::to_string(&record.event).map_err(|error| {
            StoreError::Failed(format!("a record of the audit log cannot be written: {error}"))
        })?;
        self.tables.run(
            "INSERT INTO audit_log (at, by, event) VALUES (?1, ?2, ?3)",
            &[&int(record.at), &record.by.as_ref().map(AccountId::as_bytes), &event],
        )?;
        Ok(())
    }

    fn probe(&mut self) -> Result<(), StoreError> {
        self.tables.run(
            "INSERT OR REPLACE INTO meta (name, value) VALUES ('probe', zeroblob(?1))",
            &[&PROBE_BYTES],
        )?;
        self.tables.run("DELETE FROM meta WHERE name = 'probe'", &[])?;
        Ok(())
    }

    fn reader(&self) -> Result<Box<dyn Reader>, StoreError> {
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection = Connection::open_with_flags(&self.path, flags)?;
        connection.pragma_update(None, "cache_size", READER_CACHE)?;
        connection.set_prepared_statement_cache_capacity(32);
        Ok(Box::new(Tables(connection)))
    }
}
