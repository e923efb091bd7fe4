//! Pushes, in tables.

use super::tables::Tables;
use super::values::{id, int, uint};
use crate::push::Place;
use crate::store::StoreError;
use crate::store::pushes::{PushPerson, PushRow, PushTarget, Pushes};
use kith_protocol::ids::AccountId;
use rusqlite::Row;
use rusqlite::types::Type;
use serde::Serialize;
use serde::de::DeserializeOwned;

const PERSON: &str = "SELECT account, wishes, waiting FROM push_people";

impl Tables {
    pub(super) fn put_push(&self, write: &PushRow) -> Result<(), StoreError> {
        match write {
            PushRow::Person(PushPerson { account, wishes, waiting }) => self.run(
                "INSERT OR REPLACE INTO push_people (account, wishes, waiting) VALUES (?1, ?2, ?3)",
                &[&account.as_bytes(), &json(wishes)?, &waiting.as_ref().map(json).transpose()?],
            )?,
            PushRow::Waiting(account, waiting) => self.run(
                "UPDATE push_people SET waiting = ?2 WHERE account = ?1",
                &[&account.as_bytes(), &waiting.as_ref().map(json).transpose()?],
            )?,
            PushRow::Target(PushTarget { id, account, place, created_at, failure, out }) => self.run(
                "INSERT OR REPLACE INTO push_targets (id, account, place, created_at, failure, out)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
                &[
                    &id.as_slice(),
                    &account.as_bytes(),
                    &json(place)?,
                    &int(*created_at),
                    failure,
                    &out.as_ref().map(json).transpose()?,
                ],
            )?,
            PushRow::TargetGone(target) => {
                self.run("DELETE FROM push_targets WHERE id = ?1", &[&target.as_slice()])?
            }
            PushRow::VapidKey(key) => {
                self.run("INSERT OR REPLACE INTO meta (name, value) VALUES ('vapid', ?1)", &[key])?
            }
        };
        Ok(())
    }

    /// For a restored copy: what waited then was told since, or is no news any more.
    pub(super) fn forget_waiting_pushes(&self) -> Result<(), StoreError> {
        self.run("UPDATE push_people SET waiting = NULL", &[])?;
        self.run("UPDATE push_targets SET out = NULL", &[])?;
        Ok(())
    }
}

impl Pushes for Tables {
    fn push_people(&self) -> Result<Vec<PushPerson>, StoreError> {
        self.all(&format!("{PERSON} ORDER BY account"), &[], person_of)
    }

    fn push_person(&self, account: &AccountId) -> Result<Option<PushPerson>, StoreError> {
        self.one(&format!("{PERSON} WHERE account = ?1"), &[&account.as_bytes()], person_of)
    }

    fn push_targets(&self, account: &AccountId) -> Result<Vec<PushTarget>, StoreError> {
        self.all(
            "SELECT id, account, place, created_at, failure, out FROM push_targets WHERE account = ?1
             ORDER BY created_at, id",
            &[&account.as_bytes()],
            target_of,
        )
    }

    fn vapid_key(&self) -> Result<Option<Vec<u8>>, StoreError> {
        self.one("SELECT value FROM meta WHERE name = 'vapid'", &[], |row| row.get(0))
    }
}

fn person_of(row: &Row<'_>) -> rusqlite::Result<PushPerson> {
    Ok(PushPerson { account: id(row, 0)?, wishes: read(row, 1)?, waiting: perhaps(row, 2)? })
}

fn target_of(row: &Row<'_>) -> rusqlite::Result<PushTarget> {
    Ok(PushTarget {
        id: row.get(0)?,
        account: id(row, 1)?,
        place: read::<Place>(row, 2)?,
        created_at: uint(row.get(3)?),
        failure: row.get(4)?,
        out: perhaps(row, 5)?,
    })
}

fn json(value: &impl Serialize) -> Result<String, StoreError> {
    serde_json::to_string(value).map_err(|error| StoreError::Failed(error.to_string()))
}

fn read<T: DeserializeOwned>(row: &Row<'_>, column: usize) -> rusqlite::Result<T> {
    parsed(&row.get::<_, String>(column)?, column)
}

fn perhaps<T: DeserializeOwned>(row: &Row<'_>, column: usize) -> rusqlite::Result<Option<T>> {
    row.get::<_, Option<String>>(column)?.map(|text| parsed(&text, column)).transpose()
}

fn parsed<T: DeserializeOwned>(text: &str, column: usize) -> rusqlite::Result<T> {
    serde_json::from_str(text)
        .map_err(|error| rusqlite::Error::FromSqlConversionFailure(column, Type::Text, Box::new(error)))
}
