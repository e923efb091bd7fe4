use super::disk;
use std::fs::{File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// The directory of one profile, held by this process alone.
///
/// Whoever reads or writes in a home asks for one of these: two processes never do so at once. The lock is the system's
/// (`lock` in the directory), and goes with the process however that ends. Clones share it; it is given back with the last.
#[derive(Debug, Clone)]
pub struct Home {
    held: Arc<Held>,
}

#[derive(Debug)]
struct Held {
    dir: PathBuf,
    _lock: File,
}

/// Why a home could not be taken.
#[derive(Debug, thiserror::Error)]
pub enum LockError {
    /// Another process, or another part of this one, has it.
    #[error("Kith is already running with this profile ({}): use that one, or close it first", .0.display())]
    Running(PathBuf),
    /// The disk refused.
    #[error("open the profile in {}", path.display())]
    Io {
        /// The home.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: io::Error,
    },
}

impl Home {
    /// Makes the directory, if need be for its owner alone, and takes it.
    pub fn lock(dir: &Path) -> Result<Self, LockError> {
        let io = |source| LockError::Io { path: dir.to_owned(), source };
        disk::create_private_dir(dir).map_err(io)?;
        let lock = disk::open_private(&dir.join("lock")).map_err(io)?;
        match lock.try_lock() {
            Ok(()) => Ok(Self { held: Arc::new(Held { dir: dir.to_owned(), _lock: lock }) }),
            Err(TryLockError::WouldBlock) => Err(LockError::Running(dir.to_owned())),
            Err(TryLockError::Error(error)) => Err(io(error)),
        }
    }

    /// The directory.
    pub fn dir(&self) -> &Path {
        &self.held.dir
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_home_has_one_holder_at_a_time() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("profiles").join("a");
        let first = Home::lock(&path).unwrap();
        let second = first.clone();
        drop(first);

        let refusal = Home::lock(&path).unwrap_err().to_string();
        assert!(refusal.starts_with("Kith is already running with this profile"), "{refusal}");
        drop(second);
        Home::lock(&path).unwrap();
    }

    #[cfg(unix)]
    #[test]
    fn a_home_is_its_owners_alone() {
        use std::os::unix::fs::PermissionsExt;
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a");
        let _home = Home::lock(&path).unwrap();
        assert_eq!(path.metadata().unwrap().permissions().mode() & 0o777, 0o700);
        assert_eq!(path.join("lock").metadata().unwrap().permissions().mode() & 0o777, 0o600);
    }
}
