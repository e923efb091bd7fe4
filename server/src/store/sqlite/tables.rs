//! A connection with its prepared statements, and reading what was written.

use super::values::{SEQ_BITS, SEQ_MAX, blob, head_of, id, int, place, seq_of, uint};
use crate::store::{Log, Range, RoomHead, StoreError, Stretch};
use bytes::Bytes;
use kith_protocol::ids::{AccountId, DeviceId, RegisterKey, Rev, RoomId, Seq, TxnId};
use rusqlite::{Connection, OptionalExtension, Row, ToSql, params};

/// The tables, for whoever reads or writes them.
pub(super) struct Tables(pub(super) Connection);

impl Tables {
    pub(super) fn run(&self, sql: &str, params: &[&dyn ToSql]) -> Result<usize, StoreError> {
        Ok(self.0.prepare_cached(sql)?.execute(params)?)
    }

    pub(super) fn one<T>(
        &self,
        sql: &str,
        params: &[&dyn ToSql],
        map: impl FnOnce(&Row<'_>) -> rusqlite::Result<T>,
    ) -> Result<Option<T>, StoreError> {
        Ok(self.0.prepare_cached(sql)?.query_row(params, map).optional()?)
    }

    pub(super) fn all<T>(
        &self,
        sql: &str,
        params: &[&dyn ToSql],
        map: impl FnMut(&Row<'_>) -> rusqlite::Result<T>,
    ) -> Result<Vec<T>, StoreError> {
        let mut statement = self.0.prepare_cached(sql)?;
        let rows = statement.query_map(params, map)?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    pub(super) fn room(&self, room: &RoomId) -> Result<Option<(i64, RoomHead)>, StoreError> {
        self.one(
            "SELECT num, seq, hash, rev, control_len, redacted FROM rooms WHERE id = ?1",
            &[&room.as_bytes()],
            |row| Ok((row.get(0)?, head_of(row)?)),
        )
    }

    pub(super) fn place_of(&self, device: i64, txn: &TxnId) -> Result<Option<(RoomId, Seq)>, StoreError> {
        let place: Option<i64> = self.one(
            "SELECT place FROM transactions WHERE txn = ?1 AND device = ?2",
            &[&txn.as_bytes(), &device],
            |row| row.get(0),
        )?;
        let Some(place) = place else { return Ok(None) };
        let room =
            self.one("SELECT id FROM rooms WHERE num = ?1", &[&(place >> SEQ_BITS)], |row| id(row, 0))?;
        Ok(room.map(|room: RoomId| (room, seq_of(place))))
    }
}

impl Log for Tables {
    fn head(&self, room: &RoomId) -> Result<RoomHead, StoreError> {
        Ok(self.room(room)?.map(|(_, head)| head).unwrap_or_default())
    }

    fn page(&self, room: &RoomId, range: Range) -> Result<Stretch, StoreError> {
        let empty = Stretch { first: range.after.next(), entries: Vec::new(), more: false };
        let Some((num, _)) = self.room(room)? else { return Ok(empty) };
        let (from, to) = (range.after.next(), Seq(range.before.0.saturating_sub(1).min(SEQ_MAX)));
        if from > to {
            return Ok(empty);
        }
        let sql = if range.newest {
            "SELECT place, entry FROM entries WHERE place BETWEEN ?1 AND ?2 ORDER BY place DESC"
        } else {
            "SELECT place, entry FROM entries WHERE place BETWEEN ?1 AND ?2 ORDER BY place"
        };
        let mut statement = self.0.prepare_cached(sql)?;
        let mut rows = statement.query(params![place(num, from), place(num, to)])?;
        let (mut entries, mut bytes, mut first, mut more) = (Vec::new(), 0, from, false);
        while let Some(row) = rows.next()? {
            if entries.len() >= range.limit as usize || bytes >= range.bytes {
                more = true;
                break;
            }
            let entry = Bytes::copy_from_slice(row.get_ref(1)?.as_blob().map_err(rusqlite::Error::from)?);
            bytes += entry.len();
            entries.push(entry);
            if range.newest {
                first = seq_of(row.get(0)?);
            }
        }
        if range.newest {
            entries.reverse();
        }
        Ok(Stretch { first, entries, more })
    }

    fn control(&self, room: &RoomId, from: u32, limit: u32) -> Result<Vec<(Seq, Bytes)>, StoreError> {
        let Some((num, _)) = self.room(room)? else { return Ok(Vec::new()) };
        self.all(
            "SELECT c.seq, e.entry FROM control c JOIN entries e ON e.place = (c.room << 40 | c.seq)
             WHERE c.room = ?1 AND c.idx >= ?2 ORDER BY c.idx LIMIT ?3",
            &[&num, &from, &limit],
            |row| Ok((Seq(uint(row.get(0)?)), blob(row, 1)?)),
        )
    }

    fn chain(&self, account: &AccountId, from: u32) -> Result<Vec<Bytes>, StoreError> {
        self.all(
            "SELECT entry FROM chains WHERE account = ?1 AND idx >= ?2 ORDER BY idx",
            &[&account.as_bytes(), &from],
            |row| blob(row, 0),
        )
    }

    fn registers(&self, room: &RoomId, after: Rev, limit: u32) -> Result<Vec<(Rev, Bytes)>, StoreError> {
        let Some((num, _)) = self.room(room)? else { return Ok(Vec::new()) };
        self.all(
            "SELECT rev, entry FROM registers WHERE room = ?1 AND rev > ?2 ORDER BY rev LIMIT ?3",
            &[&num, &int(after.0), &limit],
            |row| Ok((Rev(uint(row.get(0)?)), blob(row, 1)?)),
        )
    }

    fn register(
        &self,
        room: &RoomId,
        owner: &AccountId,
        key: &RegisterKey,
    ) -> Result<Option<(Rev, Bytes)>, StoreError> {
        let Some((num, _)) = self.room(room)? else { return Ok(None) };
        self.one(
            "SELECT rev, entry FROM registers WHERE room = ?1 AND owner = ?2 AND key = ?3",
            &[&num, &owner.as_bytes(), &key.as_bytes()],
            |row| Ok((Rev(uint(row.get(0)?)), blob(row, 1)?)),
        )
    }

    fn register_count(&self, room: &RoomId, owner: &AccountId) -> Result<u64, StoreError> {
        let Some((num, _)) = self.room(room)? else { return Ok(0) };
        let count = self.one(
            "SELECT count(*) FROM registers WHERE room = ?1 AND owner = ?2",
            &[&num, &owner.as_bytes()],
            |row| row.get(0),
        )?;
        Ok(count.map_or(0, uint))
    }

    fn transaction(&self, device: &DeviceId, txn: &TxnId) -> Result<Option<(RoomId, Seq)>, StoreError> {
        let num: Option<i64> =
            self.one("SELECT num FROM devices WHERE id = ?1", &[&device.as_bytes()], |row| row.get(0))?;
        num.map_or(Ok(None), |num| self.place_of(num, txn))
    }
}
