//! What rooms keep, and what accounts hold, in tables.

use super::tables::Tables;
use super::values::{SEQ_MAX, damaged, int, place, seq_of, uint};
use crate::store::StoreError;
use crate::store::retention::{Keep, Retention, RetentionWrite, Share};
use kith_protocol::entry::{Entry, Kind};
use kith_protocol::ids::{AccountId, RoomId, Seq};

/// What accounts hold more, or less, than is written down.
pub(super) type Growth = std::collections::HashMap<AccountId, i64>;

/// What an account holds more by an entry or register that takes the place of another.
pub(super) fn grown(before: usize, after: usize) -> i64 {
    int(after as u64) - int(before as u64)
}

impl Tables {
    pub(super) fn put_retention(
        &self,
        write: &RetentionWrite,
        growth: &mut Growth,
    ) -> Result<(), StoreError> {
        match write {
            RetentionWrite::Day { room, day, first } => {
                self.run(
                    "INSERT OR IGNORE INTO days (room, day, first) SELECT num, ?2, ?3 FROM rooms WHERE id = ?1",
                    &[&room.as_bytes(), day, &int(first.0)],
                )?;
            }
            RetentionWrite::Keep { room, keep: None } => {
                self.run("DELETE FROM keeps WHERE room = ?1", &[&room.as_bytes()])?;
            }
            RetentionWrite::Keep { room, keep: Some(Keep { days, bytes }) } => {
                self.run(
                    "INSERT OR REPLACE INTO keeps (room, days, bytes) VALUES (?1, ?2, ?3)",
                    &[&room.as_bytes(), days, &bytes.map(int)],
                )?;
            }
            RetentionWrite::Forget { room, up_to } => self.forget(room, *up_to, growth)?,
            RetentionWrite::Share { account, share: None } => {
                self.run("DELETE FROM shares WHERE account = ?1", &[&account.as_bytes()])?;
            }
            RetentionWrite::Share { account, share: Some(Share { bytes }) } => {
                self.run(
                    "INSERT OR REPLACE INTO shares (account, bytes) VALUES (?1, ?2)",
                    &[&account.as_bytes(), &bytes.map(int)],
                )?;
            }
        }
        Ok(())
    }

    pub(super) fn put_growth(&self, account: &AccountId, bytes: i64) -> Result<(), StoreError> {
        self.run(
            "INSERT INTO holdings (account, bytes) VALUES (?1, ?2)
             ON CONFLICT (account) DO UPDATE SET bytes = holdings.bytes + excluded.bytes",
            &[&account.as_bytes(), &bytes],
        )?;
        Ok(())
    }

    fn forget(&self, room: &RoomId, up_to: Seq, growth: &mut Growth) -> Result<(), StoreError> {
        let (Some((num, _)), from) = (self.room(room)?, self.forgotten(room)?.next()) else { return Ok(()) };
        if up_to < from {
            return Ok(());
        }
        let rows: Vec<(i64, Vec<u8>)> = self.all(
            "SELECT place, entry FROM entries WHERE place BETWEEN ?1 AND ?2",
            &[&place(num, from), &place(num, up_to)],
            |row| Ok((row.get(0)?, row.get(1)?)),
        )?;
        for (place, raw) in rows {
            let entry = damaged(Entry::parse(raw.into()))?;
            if entry.header().kind == Kind::Message && entry.body().is_some() {
                self.redact(place, &entry, growth)?;
            }
        }
        self.run(
            "INSERT OR REPLACE INTO forgotten (room, up_to) VALUES (?1, ?2)",
            &[&room.as_bytes(), &int(up_to.0)],
        )?;
        Ok(())
    }

    /// Takes the body of what stands there.
    pub(super) fn redact(&self, place: i64, entry: &Entry, growth: &mut Growth) -> Result<(), StoreError> {
        let redacted = entry.redacted();
        self.run("UPDATE entries SET entry = ?2 WHERE place = ?1", &[&place, &redacted.raw().as_ref()])?;
        *growth.entry(entry.header().account).or_default() += grown(entry.raw().len(), redacted.raw().len());
        Ok(())
    }
}

impl Retention for Tables {
    fn keep(&self, room: &RoomId) -> Result<Option<Keep>, StoreError> {
        self.one("SELECT days, bytes FROM keeps WHERE room = ?1", &[&room.as_bytes()], |row| {
            Ok(Keep { days: row.get(0)?, bytes: row.get::<_, Option<i64>>(1)?.map(uint) })
        })
    }

    fn forgotten(&self, room: &RoomId) -> Result<Seq, StoreError> {
        let found =
            self.one("SELECT up_to FROM forgotten WHERE room = ?1", &[&room.as_bytes()], |row| row.get(0))?;
        Ok(Seq(found.map_or(0, uint)))
    }

    fn before_day(&self, room: &RoomId, day: u32) -> Result<Seq, StoreError> {
        let Some((num, head)) = self.room(room)? else { return Ok(Seq::ZERO) };
        let first = self.one(
            "SELECT first FROM days WHERE room = ?1 AND day >= ?2 ORDER BY day LIMIT 1",
            &[&num, &day],
            |row| row.get(0).map(uint),
        )?;
        if let Some(first) = first {
            return Ok(Seq(first.saturating_sub(1)));
        }
        let known = self.one("SELECT 1 FROM days WHERE room = ?1 LIMIT 1", &[&num], |_| Ok(()))?;
        Ok(known.map_or(Seq::ZERO, |()| head.seq))
    }

    fn beyond(&self, room: &RoomId, bytes: u64) -> Result<Seq, StoreError> {
        let Some((num, _)) = self.room(room)? else { return Ok(Seq::ZERO) };
        let from = self.forgotten(room)?.next();
        let found = self.one(
            "SELECT max(place) FROM
               (SELECT place, sum(length(entry)) OVER (ORDER BY place DESC) AS total FROM entries
                WHERE place BETWEEN ?1 AND ?2)
             WHERE total > ?3",
            &[&place(num, from), &place(num, Seq(SEQ_MAX)), &int(bytes)],
            |row| row.get::<_, Option<i64>>(0),
        )?;
        Ok(found.flatten().map_or(Seq::ZERO, seq_of))
    }

    fn held(&self, account: &AccountId) -> Result<u64, StoreError> {
        let held =
            self.one("SELECT bytes FROM holdings WHERE account = ?1", &[&account.as_bytes()], |row| {
                row.get(0).map(uint)
            })?;
        Ok(held.unwrap_or(0))
    }

    fn share(&self, account: &AccountId) -> Result<Option<Share>, StoreError> {
        self.one("SELECT bytes FROM shares WHERE account = ?1", &[&account.as_bytes()], |row| {
            Ok(Share { bytes: row.get::<_, Option<i64>>(0)?.map(uint) })
        })
    }

    fn nearly_used_up(&self, for_all: Share) -> Result<u64, StoreError> {
        let count = self.one(
            "SELECT count(*) FROM holdings LEFT JOIN shares USING (account)
             WHERE holdings.bytes > iif(shares.account IS NULL, ?1, shares.bytes) / 10 * 9",
            &[&for_all.bytes.map(int)],
            |row| row.get(0).map(uint),
        )?;
        Ok(count.unwrap_or(0))
    }
}
