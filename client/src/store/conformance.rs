//! What every store does, run unchanged on each.

use super::*;
use proptest::prelude::*;

/// Where a store keeps what it keeps: opening it again, after the last handle is gone, gives the same rows.
trait Disk {
    fn open(&self) -> Box<dyn Store>;
}

fn put(store: &mut dyn Store, tree: Tree, key: &[u8], value: &[u8]) {
    let mut changes = Changes::new();
    changes.put(tree, key, value);
    store.commit(changes).unwrap();
}

fn keys(store: &dyn Store, tree: Tree, span: &Span, direction: Direction, limit: usize) -> Vec<u8> {
    let rows = store.range(tree, span, direction, limit).unwrap();
    rows.into_iter().map(|(key, _)| *key.first().unwrap_or(&0)).collect()
}

fn what_is_put_is_there(disk: &dyn Disk) {
    let mut store = disk.open();
    assert_eq!(store.get(Tree::Meta, b"a").unwrap(), None);
    put(&mut *store, Tree::Meta, b"a", b"1");
    put(&mut *store, Tree::Meta, b"", b"an empty key");
    put(&mut *store, Tree::Meta, b"b", b"");
    assert_eq!(store.get(Tree::Meta, b"a").unwrap().unwrap(), b"1");
    assert_eq!(store.get(Tree::Meta, b"").unwrap().unwrap(), b"an empty key");
    assert_eq!(store.get(Tree::Meta, b"b").unwrap().unwrap(), b"");
    put(&mut *store, Tree::Meta, b"a", b"2");
    assert_eq!(store.get(Tree::Meta, b"a").unwrap().unwrap(), b"2");
    let mut changes = Changes::new();
    changes.remove(Tree::Meta, b"a").remove(Tree::Meta, b"never there");
    store.commit(changes).unwrap();
    assert_eq!(store.get(Tree::Meta, b"a").unwrap(), None);
    assert_eq!(store.count(Tree::Meta, &Span::all()).unwrap(), 2);
}

fn trees_stay_apart(disk: &dyn Disk) {
    let mut store = disk.open();
    let mut changes = Changes::new();
    for tree in Tree::ALL {
        changes.put(tree, b"key", tree.name());
        changes.put(tree, [0xff, 0xff], "last");
    }
    store.commit(changes).unwrap();
    for tree in Tree::ALL {
        assert_eq!(store.get(tree, b"key").unwrap().unwrap(), tree.name().as_bytes());
        let rows = store.range(tree, &Span::all(), Direction::Forward, usize::MAX).unwrap();
        assert_eq!(rows, [(b"key".to_vec(), tree.name().into()), (vec![0xff, 0xff], b"last".to_vec())]);
        assert_eq!(store.last(tree, &Span::all()).unwrap().unwrap().1, b"last");
    }
    let mut changes = Changes::new();
    changes.remove(Tree::Entries, b"key");
    store.commit(changes).unwrap();
    assert!(store.get(Tree::Control, b"key").unwrap().is_some());
    assert!(store.get(Tree::Rooms, b"key").unwrap().is_some());
}

fn ranges_are_sorted_and_half_open(disk: &dyn Disk) {
    use Direction::{Backward, Forward};
    let mut store = disk.open();
    for key in [5u8, 1, 9, 3, 7] {
        put(&mut *store, Tree::Rooms, &[key], b"");
    }
    let all = Span::all();
    assert_eq!(keys(&*store, Tree::Rooms, &all, Forward, 100), [1, 3, 5, 7, 9]);
    assert_eq!(keys(&*store, Tree::Rooms, &all, Backward, 2), [9, 7]);
    assert_eq!(keys(&*store, Tree::Rooms, &all, Forward, 0), [] as [u8; 0]);
    let middle = Span::between([3], [7]);
    assert_eq!(keys(&*store, Tree::Rooms, &middle, Forward, 100), [3, 5]);
    assert_eq!(keys(&*store, Tree::Rooms, &middle, Backward, 100), [5, 3]);
    assert_eq!(store.count(Tree::Rooms, &middle).unwrap(), 2);
    for empty in [Span::between([7], [3]), Span::between([3], [3])] {
        assert_eq!(keys(&*store, Tree::Rooms, &empty, Forward, 100), [] as [u8; 0]);
        assert_eq!(keys(&*store, Tree::Rooms, &empty, Backward, 100), [] as [u8; 0]);
        assert_eq!(store.count(Tree::Rooms, &empty).unwrap(), 0);
    }
    assert_eq!(store.first(Tree::Rooms, &all.clone().starting_at([2])).unwrap().unwrap().0, [3]);
    assert_eq!(store.last(Tree::Rooms, &Span::between([], [9])).unwrap().unwrap().0, [7]);
    assert_eq!(store.first(Tree::Notices, &Span::all()).unwrap(), None);
}

fn rooms_are_read_apart_and_in_order(disk: &dyn Disk) {
    let mut store = disk.open();
    let rooms = [[0u8; 16], [1; 16], [0xff; 16]];
    let mut changes = Changes::new();
    for room in &rooms {
        for seq in [1, 255, 256, 65_536, u64::MAX] {
            changes.put(Tree::Entries, keys::entry(room, seq), seq.to_string());
        }
    }
    store.commit(changes).unwrap();
    for room in &rooms {
        let span = Span::prefix(keys::room(room));
        let rows = store.range(Tree::Entries, &span, Direction::Backward, 3).unwrap();
        let seqs: Vec<u64> = rows.iter().filter_map(|(key, _)| keys::place(key)).collect();
        assert_eq!(seqs, [u64::MAX, 65_536, 256]);
        assert_eq!(store.count(Tree::Entries, &span).unwrap(), 5);
    }
}

fn a_commit_too_large_changes_nothing(disk: &dyn Disk) {
    let mut store = disk.open();
    let mut changes = Changes::new();
    for n in 0..=COMMIT_MAX as u64 {
        changes.put(Tree::Local, n.to_be_bytes(), "");
    }
    assert!(matches!(store.commit(changes.clone()), Err(CommitError::TooLarge { .. })));
    assert_eq!(store.count(Tree::Local, &Span::all()).unwrap(), 0);
    changes = Changes::new();
    for n in 0..COMMIT_MAX as u64 {
        changes.put(Tree::Local, n.to_be_bytes(), "");
    }
    store.commit(changes).unwrap();
    assert_eq!(store.count(Tree::Local, &Span::all()).unwrap(), COMMIT_MAX as u64);
}

fn an_empty_commit_is_no_error(disk: &dyn Disk) {
    disk.open().commit(Changes::new()).unwrap();
}

fn everything_is_there_when_opened_again(disk: &dyn Disk) {
    let mut store = disk.open();
    let large = vec![7; 1_000_000];
    put(&mut *store, Tree::Entries, b"large", &large);
    put(&mut *store, Tree::Entries, b"gone", b"x");
    let mut changes = Changes::new();
    changes.put(Tree::Rooms, b"cursor", b"1").remove(Tree::Entries, b"gone");
    store.commit(changes).unwrap();
    store.flush().unwrap();
    drop(store);
    let store = disk.open();
    assert_eq!(store.get(Tree::Entries, b"large").unwrap().unwrap(), large);
    assert_eq!(store.get(Tree::Entries, b"gone").unwrap(), None);
    assert_eq!(store.get(Tree::Rooms, b"cursor").unwrap().unwrap(), b"1");
}

fn compacting_changes_no_row(disk: &dyn Disk) {
    let mut store = disk.open();
    put(&mut *store, Tree::Entries, b"a", b"1");
    store.compact().unwrap();
    assert_eq!(store.get(Tree::Entries, b"a").unwrap().unwrap(), b"1");
    put(&mut *store, Tree::Entries, b"a", b"2");
    assert_eq!(store.get(Tree::Entries, b"a").unwrap().unwrap(), b"2");
}

/// One step of a random life.
#[derive(Debug, Clone)]
enum Step {
    Commit(Vec<(Tree, Vec<u8>, Option<Vec<u8>>)>),
    Read(Tree, Vec<u8>, Vec<u8>, Direction, usize),
    Reopen,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    // Few keys, near each other and near the ends, so that they meet.
    let key = || prop::collection::vec(prop_oneof![Just(0u8), Just(1), Just(0xfe), Just(0xff)], 0..4);
    let tree = || prop::sample::select(vec![Tree::Meta, Tree::Chains, Tree::Local]);
    let value = prop::option::weighted(0.7, prop::collection::vec(any::<u8>(), 0..40));
    let direction = prop_oneof![Just(Direction::Forward), Just(Direction::Backward)];
    let step = prop_oneof![
        10 => prop::collection::vec((tree(), key(), value), 0..8).prop_map(Step::Commit),
        10 => (tree(), key(), key(), direction, 0..6usize).prop_map(|(t, a, b, d, n)| Step::Read(t, a, b, d, n)),
        1 => Just(Step::Reopen),
    ];
    prop::collection::vec(step, 0..40)
}

fn lives_like_the_reference(disk: &dyn Disk, steps: Vec<Step>) -> Result<(), TestCaseError> {
    let mut reference = MemoryStore::new();
    let mut store = Some(disk.open());
    for step in steps {
        let open = store.as_deref_mut().expect("open between steps");
        match step {
            Step::Commit(operations) => {
                let mut changes = Changes::new();
                for (tree, key, value) in operations {
                    match value {
                        Some(value) => changes.put(tree, key, value),
                        None => changes.remove(tree, key),
                    };
                }
                reference.commit(changes.clone()).unwrap();
                open.commit(changes).unwrap();
            }
            Step::Read(tree, from, to, direction, limit) => {
                prop_assert_eq!(open.get(tree, &from).unwrap(), reference.get(tree, &from).unwrap());
                for span in [Span::prefix(from.clone()), Span::between(from, to)] {
                    let expected = reference.range(tree, &span, direction, limit).unwrap();
                    prop_assert_eq!(open.range(tree, &span, direction, limit).unwrap(), expected);
                    prop_assert_eq!(open.count(tree, &span).unwrap(), reference.count(tree, &span).unwrap());
                }
            }
            Step::Reopen => {
                open.flush().unwrap();
                // Dropped before the next one opens.
                store = None;
                store.get_or_insert_with(|| disk.open());
            }
        }
    }
    Ok(())
}

macro_rules! conforms {
    ($name:ident, $disk:expr, [$($case:ident),* $(,)?]) => {
        mod $name {
            use super::*;
            $(#[test] fn $case() { super::$case(&$disk); })*

            proptest! {
                #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]
                #[test]
                fn lives_like_the_reference(steps in steps()) {
                    super::lives_like_the_reference(&$disk, steps)?;
                }
            }
        }
    };
    ($name:ident, $disk:expr) => {
        conforms!($name, $disk, [
            what_is_put_is_there,
            trees_stay_apart,
            ranges_are_sorted_and_half_open,
            rooms_are_read_apart_and_in_order,
            a_commit_too_large_changes_nothing,
            an_empty_commit_is_no_error,
            everything_is_there_when_opened_again,
            compacting_changes_no_row,
        ]);
    };
}

impl Disk for MemoryStore {
    fn open(&self) -> Box<dyn Store> {
        Box::new(self.clone())
    }
}

struct SledDisk {
    _dir: tempfile::TempDir,
    home: crate::vault::Home,
}

impl SledDisk {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let home = crate::vault::Home::lock(dir.path()).unwrap();
        Self { _dir: dir, home }
    }
}

impl Disk for SledDisk {
    fn open(&self) -> Box<dyn Store> {
        let opened = SledStore::open(&self.home, &crate::keys::DataKey::from_bytes([1; 32])).unwrap();
        assert_eq!(opened.set_aside, None);
        Box::new(opened.store)
    }
}

conforms!(memory, MemoryStore::new());
conforms!(sled, SledDisk::new());
