//! Backups: one file that holds all that a relay needs to go on elsewhere.
//!
//! That is the database as it stood at one moment; the key whose pin stands in invite links and in every device, or the
//! certificate that was given or issued; and the configuration. Taking one disturbs nobody: it only reads, in a process of its own.

mod restore;
mod shown;

use std::{
    collections::BTreeMap,
    fs, io,
    path::{Path, PathBuf},
};

use serde::Serialize;

pub use self::restore::{Restored, restore};
use crate::{
    acme::ACCOUNT_FILE,
    clock::Clock,
    config::{Config, Security},
    data::{DATABASE, DataDirError},
    platform,
    store::{
        StoreError,
        inspection::{Inspection, inspect},
        schema,
        sqlite::copies::{self, Copy, CopyError, Draft, Enclosed},
    },
    tls::{ISSUED_FILE, KEY_FILE},
};

/// A backup that was made.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Made {
    pub file: PathBuf,
    pub bytes: u64,
    /// What it holds beside the database, by path within the data folder.
    pub files: Vec<String>,
}

/// What a backup turned out to be.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Verified {
    /// Milliseconds since 1970.
    pub made_at_ms: u64,
    /// Of the kith-relay that made it.
    pub version: String,
    pub files: Vec<String>,
    pub schema: usize,
    /// None for an older schema: its contents are whole, and looked at when they are restored.
    pub inspection: Option<Inspection>,
}

#[derive(Debug, thiserror::Error)]
pub enum BackupError {
    #[error("there is no relay in {}; name its folder with --data, or its configuration with --config", data.display())]
    NoRelay { data: PathBuf },
    #[error("{} is there already; choose another name, or remove it", file.display())]
    Exists { file: PathBuf },
    #[error("there is no file {}", file.display())]
    Missing { file: PathBuf },
    #[error("{} cannot be read: {source}", path.display())]
    Read { path: PathBuf, source: io::Error },
    #[error("{} cannot be written: {source}", path.display())]
    Write { path: PathBuf, source: io::Error },
    #[error("the database cannot be copied: {0}")]
    Copy(StoreError),
    #[error("{} cannot be used: {why}; take another backup", file.display())]
    Unusable { file: PathBuf, why: String },
    #[error("{} cannot be used: {why}", file.display())]
    TooNew { file: PathBuf, why: StoreError },
    #[error(
        "{} already holds a relay; with --yes it is put aside, and the backup takes its place", data.display()
    )]
    Occupied { data: PathBuf },
    #[error(transparent)]
    Data(#[from] DataDirError),
}

/// Writes a backup of the relay in the data folder, whether it runs or not.
pub fn back_up(config: &Config, config_file: Option<&Path>, file: &Path) -> Result<Made, BackupError> {
    let database = config.data.join(DATABASE);
    if !database.exists() {
        return Err(BackupError::NoRelay { data: config.data.clone() });
    }
    if file.exists() {
        return Err(BackupError::Exists { file: file.to_owned() });
    }
    let files = enclosed_files(config, config_file)?;
    let names = files.keys().cloned().collect();
    let enclosed =
        Enclosed { made_at: Clock::system().unix_ms(), version: env!("CARGO_PKG_VERSION").to_owned(), files };
    let write = |source| BackupError::Write { path: file.to_owned(), source };
    let draft = Draft::beside(file, ".part").map_err(BackupError::Copy)?;
    copies::take(&database, draft.path(), &enclosed).map_err(|error| match error {
        CopyError::Store(error) => BackupError::Copy(error),
        other => BackupError::Copy(StoreError::Failed(other.to_string())),
    })?;
    let bytes = fs::metadata(draft.path()).map_err(write)?.len();
    fs::rename(draft.path(), file).map_err(write)?;
    platform::sync_dir(&folder_of(file)).map_err(write)?;
    Ok(Made { file: file.to_owned(), bytes, files: names })
}

/// Reads a backup from its beginning to its end.
pub fn verify(file: &Path) -> Result<Verified, BackupError> {
    let copy = open(file)?;
    let Enclosed { made_at, version, files } = copy.enclosed.clone();
    let schema = copy.schema;
    let inspection = match schema {
        schema::NEWEST => {
            Some(inspect(&copy.into_reader()).map_err(|error| unusable(file, error.to_string()))?)
        }
        _ => None,
    };
    Ok(Verified { made_at_ms: made_at, version, files: files.into_keys().collect(), schema, inspection })
}

fn open(file: &Path) -> Result<Copy, BackupError> {
    if !file.exists() {
        return Err(BackupError::Missing { file: file.to_owned() });
    }
    Copy::open(file).map_err(|error| match error {
        CopyError::TooNew(why) => BackupError::TooNew { file: file.to_owned(), why },
        other => unusable(file, other.to_string()),
    })
}

fn unusable(file: &Path, why: String) -> BackupError {
    BackupError::Unusable { file: file.to_owned(), why }
}

/// What lies beside the database, by the path that it is restored to.
fn enclosed_files(
    config: &Config,
    config_file: Option<&Path>,
) -> Result<BTreeMap<String, Vec<u8>>, BackupError> {
    let mut paths: Vec<_> = OWN_FILES.map(|name| (name, config.data.join(name))).into();
    if config.security() == Security::Files {
        paths.extend([(GIVEN_CERT, config.tls.cert.clone()), (GIVEN_KEY, config.tls.key.clone())]);
    }
    paths.extend(config_file.map(|path| (CONFIG, path.to_owned())));
    let mut files = BTreeMap::new();
    for (name, path) in paths {
        match fs::read(&path) {
            Ok(content) => {
                files.insert(name.to_owned(), content);
            }
            // A relay makes only those that it needs.
            Err(error) if OWN_FILES.contains(&name) && error.kind() == io::ErrorKind::NotFound => {}
            Err(source) => return Err(BackupError::Read { path, source }),
        }
    }
    Ok(files)
}

fn folder_of(file: &Path) -> PathBuf {
    match file.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder.to_owned(),
        _ => PathBuf::from("."),
    }
}

/// What the relay itself has made beside the database.
const OWN_FILES: [&str; 3] = [KEY_FILE, ISSUED_FILE, ACCOUNT_FILE];
const CONFIG: &str = "relay.toml";
const GIVEN_CERT: &str = "tls/given-cert.pem";
const GIVEN_KEY: &str = "tls/given-key.pem";
