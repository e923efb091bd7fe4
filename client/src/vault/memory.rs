use super::{DurableMap, WriteError, Writes};
use crate::store::Row;
use std::collections::BTreeMap;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// A vault in memory: the reference, and the disk of simulations.
///
/// A clone is a second handle on the same disk. What was answered with `Ok` survives every crash, so a crash changes
/// nothing; only the write under way is open, see [`cut_next`](Self::cut_next).
#[derive(Clone, Default)]
pub struct MemoryVault {
    disk: Arc<Mutex<Disk>>,
}

#[derive(Default)]
struct Disk {
    rows: BTreeMap<Vec<u8>, Vec<u8>>,
    cut: Option<Cut>,
    /// What appears when the next process starts.
    pending: Writes,
}

/// What comes of a write that fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cut {
    /// It never reached the disk.
    Lost,
    /// It reached the disk, but the answer did not come: there after a restart, not before.
    Kept,
}

impl MemoryVault {
    /// An empty one.
    pub fn new() -> Self {
        Self::default()
    }

    /// The next write fails, and this comes of it.
    pub fn cut_next(&self, cut: Cut) {
        self.disk().cut = Some(cut);
    }

    /// The process ends and another starts: a handle for it. Earlier handles are not to be used any more.
    #[must_use]
    pub fn restart(&self) -> Self {
        let mut disk = self.disk();
        let pending = std::mem::take(&mut disk.pending);
        disk.apply(pending);
        drop(disk);
        self.clone()
    }

    fn disk(&self) -> MutexGuard<'_, Disk> {
        self.disk.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Disk {
    fn apply(&mut self, writes: Writes) {
        for (key, value) in writes {
            match value {
                Some(value) => self.rows.insert(key, value),
                None => self.rows.remove(&key),
            };
        }
    }
}

impl DurableMap for MemoryVault {
    fn get(&self, key: &[u8]) -> Option<Vec<u8>> {
        self.disk().rows.get(key).cloned()
    }

    fn scan(&self, prefix: &[u8]) -> Vec<Row> {
        let disk = self.disk();
        let rows =
            disk.rows.range::<[u8], _>((std::ops::Bound::Included(prefix), std::ops::Bound::Unbounded));
        rows.take_while(|(key, _)| key.starts_with(prefix))
            .map(|(key, value)| (key.clone(), value.clone()))
            .collect()
    }

    fn write(&mut self, writes: Writes) -> Result<(), WriteError> {
        let mut disk = self.disk();
        let refused = || WriteError::Io(io::Error::other("failed on demand"));
        match disk.cut.take() {
            Some(Cut::Lost) => Err(refused()),
            Some(Cut::Kept) => {
                disk.pending.extend(writes);
                Err(refused())
            }
            None => {
                // What follows a write supersedes it on disk as well.
                let pending = std::mem::take(&mut disk.pending);
                disk.pending =
                    pending.into_iter().filter(|(key, _)| !writes.iter().any(|(k, _)| k == key)).collect();
                disk.apply(writes);
                Ok(())
            }
        }
    }

    fn create(&mut self, key: &[u8], value: &[u8]) -> Result<(), WriteError> {
        if self.get(key).is_some() {
            return Err(WriteError::Exists);
        }
        self.put(key, value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cut_write_is_there_after_a_restart_or_never() {
        for (cut, after) in [(Cut::Lost, None), (Cut::Kept, Some(b"1".to_vec()))] {
            let mut vault = MemoryVault::new();
            vault.cut_next(cut);
            assert!(vault.put(b"a", b"1").is_err());
            assert_eq!(vault.get(b"a"), None);
            vault.put(b"b", b"2").unwrap();
            let vault = vault.restart();
            assert_eq!(vault.get(b"a"), after);
            assert_eq!(vault.get(b"b"), Some(b"2".to_vec()));
        }
    }
}
