//! Copies of the database: taken beside a running relay, and read again.
//!
//! A copy is a database like the one that it was taken of, with one table more: what is needed beside the database, and a
//! digest over every row of every table, so that a copy says by itself whether it is whole. `VACUUM INTO` reads one
//! state, whatever is written meanwhile, and leaves behind what was deleted.

use crate::platform;
use crate::store::{StoreError, schema};
use rusqlite::types::ValueRef;
use rusqlite::{Connection, OpenFlags, OptionalExtension, params};
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// What lies beside the database in a copy.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Enclosed {
    /// Milliseconds since 1970.
    pub(crate) made_at: u64,
    /// Of the program that made it.
    pub(crate) version: String,
    /// Files by their path within the data folder.
    pub(crate) files: BTreeMap<String, Vec<u8>>,
}

/// A copy, opened for reading.
pub(crate) struct Copy {
    connection: Connection,
    pub(crate) enclosed: Enclosed,
    pub(crate) schema: usize,
}

/// Why a file is no copy that can be used.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CopyError {
    #[error("it is no backup of a relay")]
    NotOne,
    #[error("it is damaged: what it holds is not what was put into it")]
    Damaged,
    #[error("it is damaged: {0}")]
    Broken(String),
    #[error(transparent)]
    TooNew(StoreError),
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<rusqlite::Error> for CopyError {
    fn from(error: rusqlite::Error) -> Self {
        Self::Store(error.into())
    }
}

/// Copies the database at `from` into the empty file `to`. It is on disk when this returns.
pub(crate) fn take(from: &Path, to: &Path, enclosed: &Enclosed) -> Result<(), CopyError> {
    duplicate(from, to)?;
    let copy = Connection::open(to)?;
    copy.execute_batch("CREATE TABLE backup (name TEXT PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID;")?;
    let put = |name: &str, value: &[u8]| {
        copy.execute("INSERT INTO backup (name, value) VALUES (?1, ?2)", params![name, value])
    };
    put("format", FORMAT)?;
    put("made_at", enclosed.made_at.to_string().as_bytes())?;
    put("version", enclosed.version.as_bytes())?;
    for (path, content) in &enclosed.files {
        put(&format!("{FILE}{path}"), content)?;
    }
    put(DIGEST, &digest(&copy)?)?;
    copy.close().map_err(|(_, error)| error)?;
    let synced = std::fs::OpenOptions::new().write(true).open(to).and_then(|file| file.sync_all());
    Ok(synced.map_err(|error| StoreError::Failed(error.to_string()))?)
}

/// The database alone, as it stands at one moment.
pub(crate) fn duplicate(from: &Path, to: &Path) -> Result<(), StoreError> {
    let source = Connection::open_with_flags(from, READ_ONLY)?;
    schema::check_version(&source)?;
    source.execute("VACUUM INTO ?1", [to.to_string_lossy()])?;
    Ok(())
}

/// An empty file for its owner alone, which is removed again, with what SQLite puts beside it, unless it was renamed.
pub(crate) struct Draft(PathBuf);

impl Draft {
    /// Takes the place of one that was left behind.
    pub(crate) fn beside(path: &Path, suffix: &str) -> Result<Self, StoreError> {
        let draft = beside(path, suffix);
        let made = match std::fs::remove_file(&draft) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(error),
            _ => platform::create_private_file(&draft),
        };
        match made {
            Ok(_) => Ok(Self(draft)),
            Err(error) => Err(StoreError::Failed(format!("{} cannot be made: {error}", draft.display()))),
        }
    }

    pub(crate) fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Draft {
    fn drop(&mut self) {
        for suffix in ["", "-journal", "-wal", "-shm"] {
            // Mostly there is none.
            let _ = std::fs::remove_file(beside(&self.0, suffix));
        }
    }
}

/// The same name with something behind it.
pub(crate) fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    name.into()
}

impl Copy {
    /// Opens a copy and checks that it is whole.
    pub(crate) fn open(path: &Path) -> Result<Self, CopyError> {
        let connection = Connection::open_with_flags(path, READ_ONLY)?;
        let found = |name: &str| -> rusqlite::Result<Option<Vec<u8>>> {
            let sql = "SELECT value FROM backup WHERE name = ?1";
            connection.query_row(sql, [name], |row| row.get(0)).optional()
        };
        if found("format").map_err(not_one)?.as_deref() != Some(FORMAT) {
            return Err(CopyError::NotOne);
        }
        let schema = schema::check_version(&connection).map_err(CopyError::TooNew)?;
        let mut problems = connection.prepare("PRAGMA integrity_check(1)")?;
        let first: String = problems.query_row([], |row| row.get(0))?;
        drop(problems);
        if first != "ok" {
            return Err(CopyError::Broken(first));
        }
        let text = |name: &str| -> Result<String, CopyError> {
            Ok(String::from_utf8_lossy(&found(name)?.ok_or(CopyError::Damaged)?).into_owned())
        };
        if found(DIGEST)?.as_deref() != Some(&digest(&connection)?) {
            return Err(CopyError::Damaged);
        }
        let made_at = text("made_at")?.parse().map_err(|_| CopyError::Damaged)?;
        let mut enclosed = Enclosed { made_at, version: text("version")?, files: BTreeMap::new() };
        let mut rows = connection.prepare("SELECT name, value FROM backup WHERE name LIKE 'file:%'")?;
        let files = rows.query_map([], |row| Ok((row.get::<_, String>(0)?, row.get(1)?)))?;
        for file in files {
            let (name, content) = file?;
            enclosed.files.insert(name.trim_start_matches(FILE).to_owned(), content);
        }
        drop(rows);
        Ok(Self { connection, enclosed, schema })
    }

    /// Reads it as a relay would; of the newest schema alone.
    pub(crate) fn into_reader(self) -> impl crate::store::Reader {
        super::tables::Tables(self.connection)
    }
}

/// Makes a copy a database again: what was enclosed is overwritten and gone.
pub(crate) fn strip(path: &Path) -> Result<(), StoreError> {
    let connection = Connection::open(path)?;
    connection.execute_batch("PRAGMA secure_delete = ON; DROP TABLE backup;")?;
    Ok(connection.close().map_err(|(_, error)| error)?)
}

/// SHA-256 over all rows of all tables, each in the order of its key.
fn digest(connection: &Connection) -> Result<[u8; 32], StoreError> {
    let tables =
        "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%' ORDER BY name";
    let mut hash = Sha256::new();
    let mut part = |tag: u8, bytes: &[u8]| {
        hash.update([tag]);
        hash.update((bytes.len() as u64).to_be_bytes());
        hash.update(bytes);
    };
    for table in strings(connection, tables)? {
        part(b'T', table.as_bytes());
        let keys = format!("SELECT name FROM pragma_table_info('{table}') WHERE pk > 0 ORDER BY pk");
        let order = strings(connection, &keys)?.join(", ");
        let own = if table == "backup" { format!("WHERE name <> '{DIGEST}'") } else { String::new() };
        let mut statement = connection.prepare(&format!("SELECT * FROM {table} {own} ORDER BY {order}"))?;
        let columns = statement.column_count();
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            for column in 0..columns {
                match row.get_ref(column)? {
                    ValueRef::Null => part(b'N', &[]),
                    ValueRef::Integer(value) => part(b'I', &value.to_be_bytes()),
                    ValueRef::Real(value) => part(b'R', &value.to_be_bytes()),
                    ValueRef::Text(value) => part(b'S', value),
                    ValueRef::Blob(value) => part(b'B', value),
                }
            }
        }
    }
    Ok(hash.finalize().into())
}

fn strings(connection: &Connection, sql: &str) -> Result<Vec<String>, StoreError> {
    let mut statement = connection.prepare(sql)?;
    let rows = statement.query_map([], |row| row.get(0))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// No table of that name, or no database at all.
fn not_one(error: rusqlite::Error) -> CopyError {
    use rusqlite::ffi::ErrorCode::{NotADatabase, Unknown};
    match error.sqlite_error_code() {
        Some(NotADatabase | Unknown) => CopyError::NotOne,
        _ => error.into(),
    }
}

const READ_ONLY: OpenFlags = OpenFlags::SQLITE_OPEN_READ_ONLY.union(OpenFlags::SQLITE_OPEN_NO_MUTEX);
const FORMAT: &[u8] = b"1";
const DIGEST: &str = "digest";
const FILE: &str = "file:";
