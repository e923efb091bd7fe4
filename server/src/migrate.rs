//! An older database becomes one of the newest schema; a newer one is left alone.

use std::{
    fmt::{self, Display, Formatter},
    path::{Path, PathBuf},
};

use kith_protocol::ids::Incarnation;
use serde::Serialize;

use crate::{
    data::{DATABASE, DataDir, DataDirError},
    store::{
        Engine, StoreError, fresh_incarnation,
        inspection::inspect,
        schema,
        sqlite::{SqliteEngine, copies, schema_of},
    },
};

/// What was done, or would be.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Migrated {
    pub from: usize,
    pub to: usize,
    pub dry_run: bool,
}

#[derive(Debug, thiserror::Error)]
pub enum MigrateError {
    #[error("there is no relay in {}; name its folder with --data, or its configuration with --config", data.display())]
    NoRelay { data: PathBuf },
    #[error(transparent)]
    Data(#[from] DataDirError),
    #[error("{} cannot be brought up to date, and was left as it is: {why}", path.display())]
    Failed { path: PathBuf, why: String },
}

/// Brings the database of a relay that does not run up to date. A dry run does so with a copy, reads that to its end, and
/// removes it: it takes as much room as the database.
pub fn migrate(data: &Path, dry_run: bool) -> Result<Migrated, MigrateError> {
    let path = data.join(DATABASE);
    if !path.exists() {
        return Err(MigrateError::NoRelay { data: data.to_owned() });
    }
    let failed = |error: StoreError| MigrateError::Failed { path: path.clone(), why: error.to_string() };
    let from = schema_of(&path).map_err(failed)?;
    let done = Migrated { from, to: schema::NEWEST, dry_run };
    if from == schema::NEWEST {
        return Ok(done);
    }
    if dry_run {
        let copy = copies::Draft::beside(&path, ".trial").map_err(failed)?;
        copies::duplicate(&path, copy.path()).map_err(failed)?;
        let engine = SqliteEngine::open(copy.path(), Incarnation::ZERO).map_err(failed)?;
        let found = inspect(engine.read()).map_err(failed)?;
        return match found.problems.first() {
            None => Ok(done),
            Some(problem) => Err(failed(StoreError::Failed(problem.clone()))),
        };
    }
    let _lock = DataDir::open(data)?;
    SqliteEngine::open(&path, fresh_incarnation().map_err(failed)?).map_err(failed)?;
    Ok(done)
}

impl Display for Migrated {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let Self { from, to, dry_run } = self;
        match (from == to, dry_run) {
            (true, _) => writeln!(f, "the database has schema {to}, the newest: there is nothing to do"),
            (false, true) => {
                writeln!(
                    f,
                    "a copy went from schema {from} to {to}, and all of it could be read: nothing was changed"
                )?;
                writeln!(
                    f,
                    "take a backup, stop the relay, then: kith-relay migrate (or start it: it does the same)"
                )
            }
            (false, false) => writeln!(f, "the database went from schema {from} to {to}"),
        }
    }
}
