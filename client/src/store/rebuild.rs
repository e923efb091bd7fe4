//! How a store is replaced by a better copy of itself, so that a crash at any moment leaves one whole store.
//!
//! The copy is made beside it (`store.next`); once it is complete and on disk, `store` becomes `store.old`, `store.next`
//! becomes `store`, and `store.old` goes. [`finish`] brings an interrupted swap to its end, or takes it back.

use super::fingerprint::Fingerprint;
use super::guard::{Fault, Guarded};
use super::seal;
use super::{COMMIT_BEST, Tree};
use crate::keys::DataKey;
use crate::vault::disk;
use sled::{Batch, IVec};
use std::ffi::{OsStr, OsString};
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

/// The format that this program writes.
pub(crate) const FORMAT: u32 = 2;

/// Tag of the rows about the store itself; no [`Tree`] has it.
const ABOUT: u8 = 0;
pub(crate) const FORMAT_KEY: &[u8] = &[ABOUT, b'f'];
const CHECK_KEY: &[u8] = &[ABOUT, b'c'];
pub(crate) const FINGERPRINT_KEY: &[u8] = &[ABOUT, b'p'];
const CHECK: &[u8] = b"kith store check";

/// A file beside sled's own. sled takes a database that lost its beginning for a new one: then this file tells.
const FOUNDED: &str = "founded";

/// A file that stands there while a store is open: found at the next start, the last one did not end well.
const OPEN: &str = "open";

/// How many damaged stores are kept, for whoever wants to look into them.
const SET_ASIDE_MAX: u32 = 3;

/// The format that the store says it has; `None` if it is empty.
pub(crate) fn format(db: &Guarded) -> Result<Option<u32>, Fault> {
    let (format, untouched) =
        db.run(|db| Ok((db.get(FORMAT_KEY)?, db.is_empty() && db.tree_names().len() == 1)))?;
    match format {
        Some(bytes) => {
            let number =
                bytes.as_ref().try_into().map_err(|_| Fault::Damaged("its format is no number".into()))?;
            Ok(Some(u32::from_be_bytes(number)))
        }
        None if untouched => Ok(None),
        None => Err(Fault::Damaged("it does not say which format it has".into())),
    }
}

/// Makes the empty database in the directory `path` a store of the current format under this key.
pub(crate) fn found(db: &Guarded, path: &Path, data: &DataKey) -> Result<(), Fault> {
    if path.join(FOUNDED).exists() {
        return Err(Fault::Damaged("it lost all that it held".into()));
    }
    let mut batch = Batch::default();
    batch.insert(FORMAT_KEY, &FORMAT.to_be_bytes());
    batch.insert(CHECK_KEY, data.seal(CHECK_KEY, CHECK));
    batch.insert(FINGERPRINT_KEY, Fingerprint::default().to_row());
    db.run(|db| {
        db.apply_batch(batch)?;
        db.flush()
    })?;
    disk::replace(&path.join(FOUNDED), b"This directory holds a cache of Kith, sealed.\n")?;
    Ok(())
}

/// Whether the store, of any format so far, was sealed under this key.
pub(crate) fn key_fits(db: &Guarded, data: &DataKey) -> Result<bool, Fault> {
    let check =
        db.run(|db| db.get(CHECK_KEY))?.ok_or_else(|| Fault::Damaged("it has no key check".into()))?;
    Ok(data.open(CHECK_KEY, &check).as_deref() == Some(CHECK))
}

/// The fingerprint of all rows: the one that was committed with them, and where the last process did not end well, also
/// the one that they have.
pub(crate) fn fingerprint(db: &Guarded, path: &Path) -> Result<Fingerprint, Fault> {
    let row = db.run(|db| db.get(FINGERPRINT_KEY))?;
    let committed = row.and_then(|row| Fingerprint::from_row(&row));
    let committed = committed.ok_or_else(|| Fault::Damaged("it has no fingerprint".into()))?;
    if path.join(OPEN).exists() {
        let mut found = Fingerprint::default();
        let rows = db.run(|db| Ok((**db).clone()))?;
        each_row(db, &rows, |key, value| {
            if !is_about(&key) {
                found.flip(&value);
            }
            Ok(())
        })?;
        if found != committed {
            return Err(Fault::Damaged("it does not hold what was last committed".into()));
        }
    }
    Ok(committed)
}

/// From here on the store in the directory `path` changes.
pub(crate) fn begin(path: &Path) -> io::Result<()> {
    if path.join(OPEN).exists() {
        return Ok(());
    }
    disk::replace(&path.join(OPEN), b"")
}

/// The store in the directory `path` is closed: brings it to the disk.
pub(crate) fn end(path: &Path) -> io::Result<()> {
    sync(path)?;
    fs::remove_file(path.join(OPEN))
}

/// Puts a store that `fill` makes, of the current format, in place of the one at `path`.
pub(crate) fn rebuild(
    path: &Path,
    data: &DataKey,
    old: Guarded,
    fill: impl FnOnce(&Guarded, &mut Copy<'_>) -> Result<(), Fault>,
) -> Result<(), Fault> {
    let next = sibling(path, ".next");
    remove(&next)?;
    let new = Guarded::open(&next)?;
    found(&new, &next, data)?;
    let mut copy = Copy { db: &new, batch: Batch::default(), rows: 0, fingerprint: Fingerprint::default() };
    fill(&old, &mut copy)?;
    copy.write()?;
    new.run(|db| db.flush())?;
    drop(new);
    drop(old);
    sync(&next)?;
    swap(path)?;
    Ok(())
}

/// The rows of the copy, written as they come.
pub(crate) struct Copy<'a> {
    db: &'a Guarded,
    batch: Batch,
    rows: usize,
    fingerprint: Fingerprint,
}

impl Copy<'_> {
    /// A row as it stands on disk.
    pub(crate) fn raw(&mut self, key: IVec, value: IVec) -> Result<(), Fault> {
        self.fingerprint.flip(&value);
        self.batch.insert(key, value);
        self.rows += 1;
        if self.rows < COMMIT_BEST {
            return Ok(());
        }
        self.write()
    }

    /// A row that is still to be sealed.
    pub(crate) fn row(&mut self, data: &DataKey, tree: Tree, key: &[u8], value: &[u8]) -> Result<(), Fault> {
        let sealed = seal::seal(data, tree, key, value);
        self.raw(super::span::tagged(tree.tag(), key).into(), sealed.into())
    }

    fn write(&mut self) -> Result<(), Fault> {
        self.rows = 0;
        let mut batch = std::mem::take(&mut self.batch);
        batch.insert(FINGERPRINT_KEY, self.fingerprint.to_row());
        self.db.run(|db| db.apply_batch(batch))
    }
}

/// Shows every row of a tree, in the order of the keys and a few at a time.
pub(crate) fn each_row(
    db: &Guarded,
    tree: &sled::Tree,
    mut see: impl FnMut(IVec, IVec) -> Result<(), Fault>,
) -> Result<(), Fault> {
    let mut after: Option<IVec> = None;
    loop {
        let rows = db.run(|_| match &after {
            Some(key) => {
                let rest = (std::ops::Bound::Excluded(key.clone()), std::ops::Bound::Unbounded);
                tree.range::<IVec, _>(rest).take(COMMIT_BEST).collect::<sled::Result<Vec<_>>>()
            }
            None => tree.iter().take(COMMIT_BEST).collect(),
        })?;
        let Some((last, _)) = rows.last() else { return Ok(()) };
        after = Some(last.clone());
        for (key, value) in rows {
            see(key, value)?;
        }
    }
}

/// Whether a row is about the store itself.
pub(crate) fn is_about(key: &[u8]) -> bool {
    key.first() == Some(&ABOUT)
}

/// Brings an interrupted swap to its end, or takes back what was not complete.
pub(crate) fn finish(path: &Path) -> io::Result<()> {
    let (next, old) = (sibling(path, ".next"), sibling(path, ".old"));
    if !path.exists() && old.exists() {
        // The old one stepped aside for a complete copy.
        let best = if next.exists() { &next } else { &old };
        fs::rename(best, path)?;
    }
    remove(&next)?;
    remove(&old)
}

fn swap(path: &Path) -> io::Result<()> {
    let (next, old) = (sibling(path, ".next"), sibling(path, ".old"));
    remove(&old)?;
    fs::rename(path, &old)?;
    fs::rename(&next, path)?;
    disk::sync_parent(path)?;
    remove(&old)
}

/// Renames the store at `path` to `store.damaged-<n>`, with the next `n`, and forgets the oldest of too many.
pub(crate) fn set_aside(path: &Path) -> io::Result<PathBuf> {
    let aside = |n: u32| sibling(path, &format!(".damaged-{n}"));
    let earlier = set_aside_earlier(path)?;
    let n = earlier.iter().max().map_or(1, |last| last.saturating_add(1));
    fs::rename(path, aside(n))?;
    for old in earlier {
        if n - old >= SET_ASIDE_MAX {
            remove(&aside(old))?;
        }
    }
    Ok(aside(n))
}

fn set_aside_earlier(path: &Path) -> io::Result<Vec<u32>> {
    let prefix = sibling(path, ".damaged-");
    let (Some(home), Some(prefix)) = (path.parent(), prefix.file_name().and_then(OsStr::to_str)) else {
        return Ok(Vec::new());
    };
    let mut numbers = Vec::new();
    for item in fs::read_dir(home)? {
        let name = item?.file_name();
        numbers.extend(name.to_str().and_then(|name| name.strip_prefix(prefix)?.parse::<u32>().ok()));
    }
    Ok(numbers)
}

/// Brings all files of the store in the directory `dir` to the disk.
pub(crate) fn sync(dir: &Path) -> io::Result<()> {
    for item in fs::read_dir(dir)? {
        let item = item?;
        let synced = if item.file_type()?.is_dir() {
            sync(&item.path())
        } else {
            // Windows syncs only what it may write.
            File::options().read(true).write(true).open(item.path()).and_then(|file| file.sync_all())
        };
        match synced {
            // An open store takes files away that it has no need of.
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            synced => synced?,
        }
    }
    disk::sync_dir(dir)
}

fn sibling(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.file_name().map(OsString::from).unwrap_or_default();
    name.push(suffix);
    path.with_file_name(name)
}

fn remove(dir: &Path) -> io::Result<()> {
    match fs::remove_dir_all(dir) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn marked(path: &Path, mark: &str) {
        fs::create_dir_all(path).unwrap();
        fs::write(path.join("mark"), mark).unwrap();
    }

    fn mark(path: &Path) -> Option<String> {
        fs::read_to_string(path.join("mark")).ok()
    }

    #[test]
    fn a_swap_ends_well_wherever_it_was_cut() {
        // (store, next, old) as a crash can leave them, and what must stand at `store` then.
        for (store, next, old, after) in [
            (Some("a"), None, None, "a"),
            (Some("a"), Some("half of b"), None, "a"),
            (None, Some("b"), Some("a"), "b"),
            (Some("b"), None, Some("a"), "b"),
            (None, None, Some("a"), "a"),
        ] {
            let dir = tempfile::tempdir().unwrap();
            let path = dir.path().join("store");
            for (suffix, content) in [("", store), (".next", next), (".old", old)] {
                if let Some(content) = content {
                    marked(&sibling(&path, suffix), content);
                }
            }
            finish(&path).unwrap();
            assert_eq!(mark(&path).as_deref(), Some(after));
            assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1, "nothing is left lying about");
        }
    }

    #[test]
    fn the_newest_damaged_stores_are_kept() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("store");
        for n in 1..=7 {
            marked(&path, &n.to_string());
            let aside = set_aside(&path).unwrap();
            assert_eq!(aside.file_name().unwrap().to_str().unwrap(), format!("store.damaged-{n}"));
            assert_eq!(mark(&aside), Some(n.to_string()));
        }
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), SET_ASIDE_MAX as usize);
    }
}
