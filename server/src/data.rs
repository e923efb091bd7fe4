//! The data folder: one relay at a time.

use std::{
    fs::{File, TryLockError},
    io,
    path::{Path, PathBuf},
};

use crate::platform;

/// The folder that holds everything, locked for as long as this lives (and by the system no longer than the process).
#[derive(Debug)]
pub struct DataDir {
    path: PathBuf,
    _lock: File,
}

impl DataDir {
    /// Makes the folder if it is not there, for its owner alone.
    pub fn open(path: &Path) -> Result<Self, DataDirError> {
        let io = |source| DataDirError::Io { path: path.to_owned(), source };
        platform::create_private_dir(path).map_err(io)?;
        let given = path;
        let path = path.canonicalize().map_err(io)?;
        let lock = platform::open_private_file(&path.join(LOCK_FILE)).map_err(io)?;
        match lock.try_lock() {
            Ok(()) => Ok(Self { path, _lock: lock }),
            Err(TryLockError::WouldBlock) => Err(DataDirError::InUse { path: given.to_owned() }),
            Err(TryLockError::Error(source)) => Err(DataDirError::Io { path, source }),
        }
    }

    /// Absolute.
    pub fn path(&self) -> &Path {
        &self.path
    }
}

#[derive(Debug, thiserror::Error)]
pub enum DataDirError {
    #[error("another relay already runs on {}; stop it, or choose another folder with --data", path.display())]
    InUse { path: PathBuf },
    #[error("the data folder {} cannot be used: {source}", path.display())]
    Io { path: PathBuf, source: io::Error },
}

const LOCK_FILE: &str = "relay.lock";
/// Beside it SQLite keeps what it needs, by the same name with `-wal` and `-shm`.
pub(crate) const DATABASE: &str = "relay.db";
/// Which file the database is, for [`crate::copied`].
pub(crate) const NOTE: &str = "relay.here";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_at_a_time() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a/b");
        let first = DataDir::open(&path).unwrap();
        assert!(matches!(DataDir::open(&path), Err(DataDirError::InUse { .. })));
        drop(first);
        DataDir::open(&path).unwrap();
    }

    #[cfg(unix)]
    #[test]
    fn for_its_owner_alone() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        let data = DataDir::open(&folder.path().join("data")).unwrap();
        assert_eq!(data.path().metadata().unwrap().permissions().mode() & 0o777, 0o700);
    }
}
