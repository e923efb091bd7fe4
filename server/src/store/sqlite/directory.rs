//! Reading what the folds and the operator have yielded.

use super::tables::Tables;
use super::values::{head_of, id, int, optional_id, uint};
use crate::store::{
    AccountRow, Announcement, AuditRecord, DeviceRow, Directory, InviteRow, Left, Membership, RelayRole,
    RoomHead, StoreError, Totals,
};
use kith_protocol::ids::{AccountId, DeviceId, RoomId, Seq};
use rusqlite::Row;
use rusqlite::types::Type;

const ACCOUNT: &str = "SELECT id, handle, name, role, disabled, created_at,
    (SELECT count(*) FROM chains WHERE account = accounts.id),
    EXISTS (SELECT 1 FROM hooks WHERE account = accounts.id) FROM accounts";
const MEMBERSHIP: &str = "SELECT room, left_seq, left_hash, left_control_len FROM members";
const INVITE: &str = "SELECT token, uses, expires_at, role, room, by FROM invites";

impl Directory for Tables {
    fn account(&self, id: &AccountId) -> Result<Option<AccountRow>, StoreError> {
        self.one(&format!("{ACCOUNT} WHERE id = ?1"), &[&id.as_bytes()], account_of)
    }

    fn account_by_handle(&self, handle: &str) -> Result<Option<AccountRow>, StoreError> {
        self.one(&format!("{ACCOUNT} WHERE handle = ?1"), &[&handle], account_of)
    }

    fn device(&self, device: &DeviceId) -> Result<Option<DeviceRow>, StoreError> {
        self.one("SELECT account, blocked FROM devices WHERE id = ?1", &[&device.as_bytes()], |row| {
            Ok(DeviceRow { account: id(row, 0)?, blocked: row.get(1)? })
        })
    }

    fn search(&self, prefix: &str, limit: u32) -> Result<Vec<AccountRow>, StoreError> {
        let pattern = prefix.replace('\\', "\\\\").replace('%', "\\%").replace('_', "\\_") + "%";
        self.all(
            &format!(
                "{ACCOUNT} WHERE handle LIKE ?1 ESCAPE '\\' OR name LIKE ?1 ESCAPE '\\' ORDER BY handle LIMIT ?2"
            ),
            &[&pattern, &limit],
            account_of,
        )
    }

    fn rooms_of(&self, account: &AccountId) -> Result<Vec<Membership>, StoreError> {
        self.all(
            &format!("{MEMBERSHIP} WHERE account = ?1 ORDER BY room"),
            &[&account.as_bytes()],
            membership_of,
        )
    }

    fn membership(&self, account: &AccountId, room: &RoomId) -> Result<Option<Membership>, StoreError> {
        self.one(
            &format!("{MEMBERSHIP} WHERE account = ?1 AND room = ?2"),
            &[&account.as_bytes(), &room.as_bytes()],
            membership_of,
        )
    }

    fn rooms(&self) -> Result<Vec<(RoomId, RoomHead)>, StoreError> {
        self.all("SELECT num, seq, hash, rev, control_len, redacted, id FROM rooms ORDER BY id", &[], |row| {
            Ok((id(row, 6)?, head_of(row)?))
        })
    }

    fn invite(&self, token: &[u8; 16]) -> Result<Option<InviteRow>, StoreError> {
        self.one(&format!("{INVITE} WHERE token = ?1"), &[&token.as_slice()], invite_of)
    }

    fn invites(&self, now: u64) -> Result<Vec<InviteRow>, StoreError> {
        self.all(
            &format!("{INVITE} WHERE uses > 0 AND expires_at > ?1 ORDER BY expires_at, token"),
            &[&int(now)],
            invite_of,
        )
    }

    fn audit_log(&self, limit: u32) -> Result<Vec<AuditRecord>, StoreError> {
        let sql = "SELECT at, by, event FROM audit_log ORDER BY num DESC LIMIT ?1";
        let mut records = self.all(sql, &[&limit], |row| {
            let event: String = row.get(2)?;
            let event = serde_json::from_str(&event)
                .map_err(|error| rusqlite::Error::FromSqlConversionFailure(2, Type::Text, error.into()))?;
            Ok(AuditRecord { at: uint(row.get(0)?), by: optional_id(row, 1)?, event })
        })?;
        records.reverse();
        Ok(records)
    }

    fn announcement(&self) -> Result<Option<Announcement>, StoreError> {
        self.one("SELECT value FROM meta WHERE name = 'announcement'", &[], |row| {
            let text: Vec<u8> = row.get(0)?;
            serde_json::from_slice(&text)
                .map_err(|error| rusqlite::Error::FromSqlConversionFailure(0, Type::Blob, error.into()))
        })
    }

    fn totals(&self) -> Result<Totals, StoreError> {
        let count = |sql: &str| -> Result<u64, StoreError> {
            Ok(self.one(sql, &[], |row| row.get(0).map(uint))?.unwrap_or(0))
        };
        Ok(Totals {
            accounts: count("SELECT count(*) FROM accounts")?,
            rooms: count("SELECT count(*) FROM rooms")?,
            entries: count("SELECT coalesce(sum(seq), 0) FROM rooms")?,
            bytes: count("SELECT page_count * page_size FROM pragma_page_count(), pragma_page_size()")?,
        })
    }
}

pub(super) fn role_number(role: RelayRole) -> u8 {
    match role {
        RelayRole::Member => 1,
        RelayRole::Admin => 2,
        RelayRole::Owner => 3,
    }
}

fn account_of(row: &Row<'_>) -> rusqlite::Result<AccountRow> {
    Ok(AccountRow {
        id: id(row, 0)?,
        handle: row.get(1)?,
        name: row.get(2)?,
        role: role_of(row.get(3)?),
        disabled: row.get(4)?,
        created_at: uint(row.get(5)?),
        chain_len: row.get(6)?,
        integration: row.get(7)?,
    })
}

fn invite_of(row: &Row<'_>) -> rusqlite::Result<InviteRow> {
    Ok(InviteRow {
        token: row.get(0)?,
        uses: row.get(1)?,
        expires_at: uint(row.get(2)?),
        role: role_of(row.get(3)?),
        room: optional_id(row, 4)?,
        by: optional_id(row, 5)?,
    })
}

fn membership_of(row: &Row<'_>) -> rusqlite::Result<Membership> {
    let seq: Option<i64> = row.get(1)?;
    let left = |seq| {
        Ok::<_, rusqlite::Error>(Left { seq: Seq(uint(seq)), hash: id(row, 2)?, control_len: row.get(3)? })
    };
    Ok(Membership { room: id(row, 0)?, left: seq.map(left).transpose()? })
}

fn role_of(number: u8) -> RelayRole {
    match number {
        3 => RelayRole::Owner,
        2 => RelayRole::Admin,
        _ => RelayRole::Member,
    }
}
