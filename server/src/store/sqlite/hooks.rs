//! Integrations, in tables.

use super::tables::Tables;
use super::values::{id, int, optional_id, uint};
use crate::store::StoreError;
use crate::store::hooks::{HookKey, HookRow, HookWrite, Hooks};
use kith_protocol::ids::{AccountId, Seq};
use rusqlite::Row;

const HOOK: &str = "SELECT account, room, seeds, token, by, created_at, used_at FROM hooks";

impl Tables {
    pub(super) fn put_hook(&self, write: &HookWrite) -> Result<(), StoreError> {
        match write {
            HookWrite::Hook(hook) => self.put_row(hook),
            HookWrite::Key { key, forget_before } => {
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
        }
    }

    fn put_row(&self, hook: &HookRow) -> Result<(), StoreError> {
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
}

impl Hooks for Tables {
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
