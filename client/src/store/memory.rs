use super::{COMMIT_MAX, Changes, CommitError, Compaction, Direction, ReadError, Row, Span, Store, Tree};
use std::collections::{BTreeMap, VecDeque};
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// A store in memory: the reference, and the disk of simulations.
///
/// A clone is a second handle on the same disk: give one to an engine and keep the other, to [`crash`](Self::crash) it, to
/// make its commits fail, and to start the next engine on what is left.
#[derive(Clone, Default)]
pub struct MemoryStore {
    disk: Arc<Mutex<Disk>>,
}

#[derive(Default)]
struct Disk {
    trees: BTreeMap<Tree, BTreeMap<Vec<u8>, Vec<u8>>>,
    /// How to take back each commit since the last sync, oldest first; at most [`UNSYNCED_MAX`].
    unsynced: VecDeque<Undo>,
    failures: u32,
}

/// What stood before a commit under each key that it touched.
type Undo = Vec<(Tree, Vec<u8>, Option<Vec<u8>>)>;

/// The system writes back by itself what is older than that: a crash loses half a second of commits, never hours.
const UNSYNCED_MAX: usize = 1024;

impl MemoryStore {
    /// An empty one.
    pub fn new() -> Self {
        Self::default()
    }

    /// A power cut: of the commits since the last sync, only the oldest `keep` have reached the disk. The handle stays
    /// good, for the next process that starts on this disk.
    pub fn crash(&self, keep: usize) {
        let mut disk = self.disk();
        let kept = keep.min(disk.unsynced.len());
        let lost = disk.unsynced.split_off(kept);
        disk.unsynced.clear();
        for undo in lost.into_iter().rev() {
            for (tree, key, value) in undo {
                disk.set(tree, key, value);
            }
        }
    }

    /// How many commits there were since the last sync: the range of [`crash`](Self::crash).
    pub fn unsynced(&self) -> usize {
        self.disk().unsynced.len()
    }

    /// The next `times` commits fail with [`CommitError::Io`], and change nothing.
    pub fn fail_commits(&self, times: u32) {
        self.disk().failures = times;
    }

    fn disk(&self) -> MutexGuard<'_, Disk> {
        // Every change is complete before anything can panic, so a poisoned disk is a good one.
        self.disk.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Disk {
    fn set(&mut self, tree: Tree, key: Vec<u8>, value: Option<Vec<u8>>) -> Option<Vec<u8>> {
        let rows = self.trees.entry(tree).or_default();
        match value {
            Some(value) => rows.insert(key, value),
            None => rows.remove(&key),
        }
    }

    fn rows(&self, tree: Tree, span: &Span) -> impl DoubleEndedIterator<Item = (&Vec<u8>, &Vec<u8>)> {
        let rows = if span.is_empty() { None } else { self.trees.get(&tree) };
        rows.into_iter().flat_map(|rows| rows.range::<[u8], _>(span.bounds()))
    }
}

impl Store for MemoryStore {
    fn get(&self, tree: Tree, key: &[u8]) -> Result<Option<Vec<u8>>, ReadError> {
        Ok(self.disk().trees.get(&tree).and_then(|rows| rows.get(key)).cloned())
    }

    fn range(
        &self,
        tree: Tree,
        span: &Span,
        direction: Direction,
        limit: usize,
    ) -> Result<Vec<Row>, ReadError> {
        let disk = self.disk();
        let rows = disk.rows(tree, span).map(|(key, value)| (key.clone(), value.clone()));
        Ok(match direction {
            Direction::Forward => rows.take(limit).collect(),
            Direction::Backward => rows.rev().take(limit).collect(),
        })
    }

    fn count(&self, tree: Tree, span: &Span) -> Result<u64, ReadError> {
        Ok(self.disk().rows(tree, span).count() as u64)
    }

    fn commit(&mut self, changes: Changes) -> Result<(), CommitError> {
        if changes.len() > COMMIT_MAX {
            return Err(CommitError::TooLarge { operations: changes.len(), max: COMMIT_MAX });
        }
        let mut disk = self.disk();
        if disk.failures > 0 {
            disk.failures -= 1;
            return Err(CommitError::Io(io::Error::other("failed on demand")));
        }
        let mut undo = Undo::with_capacity(changes.len());
        for (tree, key, value) in changes.into_operations() {
            let before = disk.set(tree, key.clone(), value);
            undo.push((tree, key, before));
        }
        disk.unsynced.push_back(undo);
        if disk.unsynced.len() > UNSYNCED_MAX {
            disk.unsynced.pop_front();
        }
        Ok(())
    }

    /// Processes come and go, and the disk stays: see [`crash`](MemoryStore::crash).
    fn flush(&mut self) -> Result<(), CommitError> {
        Ok(())
    }

    fn sync(&mut self) -> Result<(), CommitError> {
        self.disk().unsynced.clear();
        Ok(())
    }

    fn compact(&mut self) -> Result<Compaction, CommitError> {
        Ok(Compaction::NotWorthIt)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn put(store: &mut MemoryStore, key: &str, value: &str) {
        let mut changes = Changes::new();
        changes.put(Tree::Meta, key, value).put(Tree::Local, key, value);
        store.commit(changes).unwrap();
    }

    #[test]
    fn a_crash_loses_the_newest_commits_that_were_not_synced() {
        let mut store = MemoryStore::new();
        let disk = store.clone();
        put(&mut store, "a", "0");
        store.sync().unwrap();
        put(&mut store, "a", "1");
        put(&mut store, "b", "2");
        put(&mut store, "a", "3");
        assert_eq!(disk.unsynced(), 3);

        disk.crash(1);
        for tree in [Tree::Meta, Tree::Local] {
            assert_eq!(disk.get(tree, b"a").unwrap().unwrap(), b"1");
            assert_eq!(disk.get(tree, b"b").unwrap(), None);
        }
        disk.crash(0);
        assert_eq!(disk.get(Tree::Meta, b"a").unwrap().unwrap(), b"1", "what is on disk stays there");
    }

    #[test]
    fn a_commit_fails_on_demand_and_changes_nothing() {
        let mut store = MemoryStore::new();
        store.fail_commits(1);
        let mut changes = Changes::new();
        changes.put(Tree::Meta, "a", "1");
        assert!(matches!(store.commit(changes.clone()), Err(CommitError::Io(_))));
        assert_eq!(store.count(Tree::Meta, &Span::all()).unwrap(), 0);
        store.commit(changes).unwrap();
    }
}
