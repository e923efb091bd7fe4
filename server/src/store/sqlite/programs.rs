//! Integrations and pushes, in tables.

use super::tables::Tables;
use super::values::{id, int, optional_id, uint};
use crate::store::StoreError;
use crate::store::programs::{
    HookKey, HookRow, ProgramWrite, Programs, PushOut, PushTarget, PushWaiting, PushWishes,
};
use kith_protocol::ids::{AccountId, Seq};
use rusqlite::{Row, ToSql};
use serde::Serialize;
use serde::de::DeserializeOwned;

const HOOK: &str = "SELECT account, room, seeds, token, by, created_at, used_at FROM hooks";

impl Tables {
    pub(super) fn put_program(&self, write: &ProgramWrite) -> Result<(), StoreError> {
        match write {
            ProgramWrite::Hook(hook) => self.put_hook(hook),
            ProgramWrite::HookKey { key, forget_before } => {
                self.run(
                    "DELETE FROM hook_keys WHERE hook = ?1 AND at < ?2",
                    &[&key.hook.as_bytes(), &int(*forget_before)],
                )?;
                self.run(
                    "INSERT OR REPLACE INTO hook_keys (hook, key, seq, at) VALUES (?1, ?2, ?3, ?4)",
                    &[&key.hook.as_bytes(), &key.key.as_slice(), &int(key.seq.0), &int(key.at)],
                )?;
                Ok(())
            }
            ProgramWrite::Target(target) => self.put_row("push_targets", &target.id, target),
            ProgramWrite::TargetGone(target) => {
                self.forget_row("push_outbox", target)?;
                self.forget_row("push_targets", target)
            }
            ProgramWrite::Wishes(wishes) => self.put_row("push_wishes", wishes.account.as_bytes(), wishes),
            ProgramWrite::Waiting(waiting) => {
                self.put_row("push_waiting", waiting.account.as_bytes(), waiting)
            }
            ProgramWrite::WaitingGone(account) => self.forget_row("push_waiting", account.as_bytes()),
            ProgramWrite::Out(out) => self.put_row("push_outbox", &out.target, out),
            ProgramWrite::OutGone(target) => self.forget_row("push_outbox", target),
            ProgramWrite::VapidKey(key) => {
                self.run("INSERT OR REPLACE INTO meta (name, value) VALUES ('vapid', ?1)", &[key])?;
                Ok(())
            }
        }
    }

    fn put_hook(&self, hook: &HookRow) -> Result<(), StoreError> {
        self.run(
            "INSERT OR REPLACE INTO hooks (account, room, seeds, token, by, created_at, used_at)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
            &[
                &hook.account.as_bytes(),
                &hook.room.as_bytes(),
                &hook.seeds.as_slice(),
                &hook.token.as_ref().map(<[u8; 32]>::as_slice),
                &hook.by.as_ref().map(AccountId::as_bytes),
                &int(hook.created_at),
                &int(hook.used_at),
            ],
        )?;
        Ok(())
    }

    fn put_row(&self, table: &str, id: &[u8], row: &impl Serialize) -> Result<(), StoreError> {
        let row = serde_json::to_string(row).map_err(|error| StoreError::Failed(error.to_string()))?;
        self.run(&format!("INSERT OR REPLACE INTO {table} (id, row) VALUES (?1, ?2)"), &[&id, &row])?;
        Ok(())
    }

    fn forget_row(&self, table: &str, id: &[u8]) -> Result<(), StoreError> {
        self.run(&format!("DELETE FROM {table} WHERE id = ?1"), &[&id])?;
        Ok(())
    }

    fn rows<T: DeserializeOwned>(&self, table: &str) -> Result<Vec<T>, StoreError> {
        self.all(&format!("SELECT row FROM {table} ORDER BY id"), &[], row_of)
    }

    fn row<T: DeserializeOwned>(&self, table: &str, id: &[u8]) -> Result<Option<T>, StoreError> {
        self.one(&format!("SELECT row FROM {table} WHERE id = ?1"), &[&id as &dyn ToSql], row_of)
    }
}

impl Programs for Tables {
    fn hook(&self, account: &AccountId) -> Result<Option<HookRow>, StoreError> {
        self.one(&format!("{HOOK} WHERE account = ?1"), &[&account.as_bytes()], hook_of)
    }

    fn hook_by_token(&self, token: &[u8; 32]) -> Result<Option<HookRow>, StoreError> {
        self.one(&format!("{HOOK} WHERE token = ?1"), &[&token.as_slice()], hook_of)
    }

    fn hooks(&self) -> Result<Vec<HookRow>, StoreError> {
        self.all(&format!("{HOOK} ORDER BY created_at, account"), &[], hook_of)
    }

    fn hook_key(&self, hook: &AccountId, key: &[u8; 32]) -> Result<Option<HookKey>, StoreError> {
        self.one(
            "SELECT seq, at FROM hook_keys WHERE hook = ?1 AND key = ?2",
            &[&hook.as_bytes(), &key.as_slice()],
            |row| Ok(HookKey { hook: *hook, key: *key, seq: Seq(uint(row.get(0)?)), at: uint(row.get(1)?) }),
        )
    }

    fn push_targets(&self) -> Result<Vec<PushTarget>, StoreError> {
        self.rows("push_targets")
    }

    fn push_wishes(&self, account: &AccountId) -> Result<Option<PushWishes>, StoreError> {
        self.row("push_wishes", account.as_bytes())
    }

    fn push_waiting(&self, account: &AccountId) -> Result<Option<PushWaiting>, StoreError> {
        self.row("push_waiting", account.as_bytes())
    }

    fn pushes_waiting(&self) -> Result<Vec<PushWaiting>, StoreError> {
        self.rows("push_waiting")
    }

    fn pushes_out(&self) -> Result<Vec<PushOut>, StoreError> {
        self.rows("push_outbox")
    }

    fn vapid_key(&self) -> Result<Option<Vec<u8>>, StoreError> {
        self.one("SELECT value FROM meta WHERE name = 'vapid'", &[], |row| row.get(0))
    }
}

fn hook_of(row: &Row<'_>) -> rusqlite::Result<HookRow> {
    Ok(HookRow {
        account: id(row, 0)?,
        room: id(row, 1)?,
        seeds: row.get(2)?,
        token: row.get(3)?,
        by: optional_id(row, 4)?,
        created_at: uint(row.get(5)?),
        used_at: uint(row.get(6)?),
    })
}

fn row_of<T: DeserializeOwned>(row: &Row<'_>) -> rusqlite::Result<T> {
    let text: String = row.get(0)?;
    serde_json::from_str(&text).map_err(|error| {
        rusqlite::Error::FromSqlConversionFailure(0, rusqlite::types::Type::Text, Box::new(error))
    })
}
