use super::fingerprint::Fingerprint;
use super::guard::{Fault, Guarded};
use super::span::tagged;
use super::{
    COMMIT_MAX, Changes, CommitError, Direction, OpenError, ReadError, Row, Span, Store, Tree, migrate,
    rebuild, seal,
};
use crate::keys::DataKey;
use crate::vault::Home;
use sled::{Batch, IVec};
use std::path::PathBuf;

/// A store on disk: sled, in the directory `store` of a home, with every value sealed.
///
/// Keys stand in plain: they hold ids and numbers, never what a person wrote. All trees share one tree of sled, told apart
/// by the first byte of the key, so that one batch is atomic over all of them.
pub struct SledStore {
    /// `None` only after a failed reopening.
    db: Option<Guarded>,
    data: DataKey,
    home: Home,
    /// Of all rows; goes into every commit.
    fingerprint: Fingerprint,
}

/// What opening a store came to.
pub struct Opened {
    /// The store.
    pub store: SledStore,
    /// Where the old store is, if it was damaged: then this one is new and empty, to be filled by the relay; tell the
    /// person.
    pub set_aside: Option<PathBuf>,
}

/// What [`Store::compact`] did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Compaction {
    /// The files are not much larger than what lives in them.
    NotWorthIt,
    /// The files shrank.
    Done {
        /// Bytes on disk before.
        before: u64,
        /// Bytes on disk after.
        after: u64,
    },
}

/// Files are compacted when they are over this many times what lives in them ...
const COMPACT_RATIO: u64 = 3;
/// ... and large enough for anyone to mind. sled's files grow in steps of half a megabyte.
const COMPACT_BYTES_MIN: u64 = 32 * 1024 * 1024;

impl SledStore {
    /// Opens the store of this home, or makes one. A damaged one is set aside, and a new one is made; an old format is
    /// brought up to date.
    pub fn open(home: &Home, data: &DataKey) -> Result<Opened, OpenError> {
        let path = path(home);
        let io = |source| OpenError::Io { path: path.clone(), source };
        rebuild::finish(&path).map_err(io)?;
        match Self::open_sound(home, data) {
            Err(Unopened::Fault(Fault::Damaged(why))) => {
                tracing::warn!(why, "the local store is damaged: setting it aside");
                Self::open_fresh(home, data)
            }
            Err(unopened) => Err(unopened.explain(home)),
            Ok(store) => Ok(Opened { store, set_aside: None }),
        }
    }

    /// Sets aside the store of this home, if there is one, and makes a new one. For when a store turned out to be damaged
    /// after it was opened: drop it, then call this.
    pub fn open_fresh(home: &Home, data: &DataKey) -> Result<Opened, OpenError> {
        let path = path(home);
        let set_aside = if path.exists() {
            let aside = rebuild::set_aside(&path);
            Some(aside.map_err(|source| OpenError::Io { path, source })?)
        } else {
            None
        };
        let store = Self::open_sound(home, data).map_err(|unopened| unopened.explain(home))?;
        Ok(Opened { store, set_aside })
    }

    fn open_sound(home: &Home, data: &DataKey) -> Result<Self, Unopened> {
        let path = path(home);
        let mut db = Guarded::open(&path)?;
        match rebuild::format(&db)? {
            None => rebuild::found(&db, &path, data)?,
            Some(newer) if newer > rebuild::FORMAT => return Err(Unopened::Newer(newer)),
            Some(_) if !rebuild::key_fits(&db, data)? => return Err(Unopened::WrongKey),
            Some(rebuild::FORMAT) => {}
            Some(1) => {
                migrate::from_1(&path, data, db)?;
                db = Guarded::open(&path)?;
            }
            Some(unknown) => return Err(Fault::Damaged(format!("there never was a format {unknown}")).into()),
        }
        let fingerprint = rebuild::fingerprint(&db, &path)?;
        rebuild::begin(&path).map_err(Fault::Io)?;
        Ok(Self { db: Some(db), data: data.clone(), home: home.clone(), fingerprint })
    }

    fn run<T>(&self, act: impl FnOnce(&sled::Db) -> sled::Result<T>) -> Result<T, Fault> {
        self.db.as_ref().ok_or_else(closed)?.run(act)
    }

    fn unseal(&self, tree: Tree, key: &[u8], sealed: &[u8]) -> Result<Vec<u8>, ReadError> {
        seal::open(&self.data, tree, key, sealed)
            .ok_or_else(|| ReadError::Damaged(format!("a value of {} does not open", tree.name())))
    }

    /// Bytes of all rows.
    fn live_bytes(&self) -> Result<u64, Fault> {
        let db = self.db.as_ref().ok_or_else(closed)?;
        let rows = db.run(|db| Ok((**db).clone()))?;
        let mut bytes = 0;
        rebuild::each_row(db, &rows, |key, value| {
            bytes += (key.len() + value.len()) as u64;
            Ok(())
        })?;
        Ok(bytes)
    }

    fn compact_over(&mut self, bytes_min: u64) -> Result<Compaction, Fault> {
        let before = self.run(sled::Db::size_on_disk)?;
        if before < bytes_min || before <= COMPACT_RATIO * self.live_bytes()? {
            return Ok(Compaction::NotWorthIt);
        }
        self.rewrite()?;
        let after = self.run(sled::Db::size_on_disk)?;
        tracing::info!(before, after, "compacted the local store");
        Ok(Compaction::Done { before, after })
    }

    fn rewrite(&mut self) -> Result<(), Fault> {
        let path = path(&self.home);
        let old = self.db.take().ok_or_else(closed)?;
        let rewritten =
            rebuild::rebuild(&path, &self.data, old, |old, copy| {
                let rows = old.run(|db| Ok((**db).clone()))?;
                rebuild::each_row(old, &rows, |key, value| {
                    if rebuild::is_about(&key) { Ok(()) } else { copy.raw(key, value) }
                })
            });
        // Also after a failure: the old store is still there.
        rebuild::finish(&path)?;
        let db = Guarded::open(&path)?;
        rebuild::begin(&path).map_err(Fault::Io)?;
        self.db = Some(db);
        rewritten
    }
}

impl Store for SledStore {
    fn get(&self, tree: Tree, key: &[u8]) -> Result<Option<Vec<u8>>, ReadError> {
        let sealed = self.run(|db| db.get(tagged(tree.tag(), key)))?;
        sealed.map(|sealed| self.unseal(tree, key, &sealed)).transpose()
    }

    fn range(
        &self,
        tree: Tree,
        span: &Span,
        direction: Direction,
        limit: usize,
    ) -> Result<Vec<Row>, ReadError> {
        if span.is_empty() {
            return Ok(Vec::new());
        }
        let (from, to) = span.tagged(tree.tag());
        let sealed = self.run(|db| {
            let rows = db.range(from..to);
            match direction {
                Direction::Forward => rows.take(limit).collect::<sled::Result<Vec<(IVec, IVec)>>>(),
                Direction::Backward => rows.rev().take(limit).collect(),
            }
        })?;
        let mut rows = Vec::with_capacity(sealed.len());
        for (tagged_key, sealed) in sealed {
            let key = tagged_key.get(1..).unwrap_or_default();
            rows.push((key.to_vec(), self.unseal(tree, key, &sealed)?));
        }
        Ok(rows)
    }

    fn count(&self, tree: Tree, span: &Span) -> Result<u64, ReadError> {
        if span.is_empty() {
            return Ok(0);
        }
        let (from, to) = span.tagged(tree.tag());
        Ok(self.run(|db| db.range(from..to).try_fold(0, |rows, row| row.map(|_| rows + 1)))?)
    }

    fn commit(&mut self, changes: Changes) -> Result<(), CommitError> {
        if changes.len() > COMMIT_MAX {
            return Err(CommitError::TooLarge { operations: changes.len(), max: COMMIT_MAX });
        }
        if changes.is_empty() {
            return Ok(());
        }
        let mut operations = Vec::with_capacity(changes.len());
        for (tree, key, value) in changes.into_operations() {
            let sealed = value.map(|value| seal::seal(&self.data, tree, &key, &value));
            operations.push((tagged(tree.tag(), &key), sealed));
        }
        let mut fingerprint = self.fingerprint;
        self.run(|db| {
            let mut batch = Batch::default();
            for (key, sealed) in operations {
                if let Some(before) = db.get(&key)? {
                    fingerprint.flip(&before);
                }
                match sealed {
                    Some(sealed) => {
                        fingerprint.flip(&sealed);
                        batch.insert(key, sealed);
                    }
                    None => batch.remove(key),
                }
            }
            batch.insert(rebuild::FINGERPRINT_KEY, fingerprint.to_row());
            db.apply_batch(batch)
        })?;
        self.fingerprint = fingerprint;
        Ok(())
    }

    fn flush(&mut self) -> Result<(), CommitError> {
        self.run(|db| db.flush())?;
        Ok(())
    }

    fn sync(&mut self) -> Result<(), CommitError> {
        self.flush()?;
        rebuild::sync(&path(&self.home)).map_err(CommitError::Io)
    }

    fn compact(&mut self) -> Result<Compaction, CommitError> {
        Ok(self.compact_over(COMPACT_BYTES_MIN)?)
    }
}

/// Brings everything to the disk, so that the next start has nothing to check.
impl Drop for SledStore {
    fn drop(&mut self) {
        let flushed = self.run(|db| db.flush()).is_ok();
        self.db = None;
        if flushed && let Err(error) = rebuild::end(&path(&self.home)) {
            tracing::warn!(%error, "could not bring the local store to the disk");
        }
    }
}

/// Why there is no sound store.
enum Unopened {
    Fault(Fault),
    Newer(u32),
    WrongKey,
}

impl From<Fault> for Unopened {
    fn from(fault: Fault) -> Self {
        Self::Fault(fault)
    }
}

impl Unopened {
    fn explain(self, home: &Home) -> OpenError {
        let path = path(home);
        match self {
            Self::Newer(found) => OpenError::Newer { found, known: rebuild::FORMAT },
            Self::WrongKey => OpenError::WrongKey(path),
            Self::Fault(Fault::Locked) => OpenError::Locked(home.dir().to_owned()),
            Self::Fault(Fault::Full) => {
                OpenError::Io { path, source: std::io::ErrorKind::StorageFull.into() }
            }
            Self::Fault(Fault::Io(source)) => OpenError::Io { path, source },
            // A new store was damaged at once: that is the disk's doing.
            Self::Fault(Fault::Damaged(why)) => OpenError::Io { path, source: std::io::Error::other(why) },
        }
    }
}

impl From<Fault> for ReadError {
    fn from(fault: Fault) -> Self {
        match fault {
            Fault::Damaged(why) => Self::Damaged(why),
            Fault::Locked => Self::Io(std::io::ErrorKind::WouldBlock.into()),
            Fault::Full => Self::Io(std::io::ErrorKind::StorageFull.into()),
            Fault::Io(error) => Self::Io(error),
        }
    }
}

impl From<Fault> for CommitError {
    fn from(fault: Fault) -> Self {
        match fault {
            Fault::Damaged(why) => Self::Damaged(why),
            Fault::Locked => Self::Io(std::io::ErrorKind::WouldBlock.into()),
            Fault::Full => Self::Full,
            Fault::Io(error) => Self::Io(error),
        }
    }
}

fn closed() -> Fault {
    Fault::Io(std::io::Error::new(std::io::ErrorKind::NotConnected, "the store could not be opened again"))
}

fn path(home: &Home) -> PathBuf {
    home.dir().join("store")
}

#[cfg(test)]
#[path = "sled_tests.rs"]
mod tests;
