use super::*;
use crate::store::keys;
use std::fs;
use std::path::Path;

struct World {
    dir: tempfile::TempDir,
    home: Home,
    data: DataKey,
}

impl World {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let home = Home::lock(dir.path()).unwrap();
        Self { dir, home, data: DataKey::from_bytes([1; 32]) }
    }

    fn open(&self) -> Opened {
        SledStore::open(&self.home, &self.data).unwrap()
    }

    fn db(&self) -> PathBuf {
        self.dir.path().join("store").join("db")
    }
}

fn fill(store: &mut SledStore, rows: u64) {
    for n in 0..rows {
        let mut changes = Changes::new();
        changes.put(Tree::Entries, n.to_be_bytes(), format!("what a person wrote, number {n}").repeat(20));
        changes.put(Tree::Rooms, "cursor", n.to_be_bytes());
        store.commit(changes).unwrap();
    }
    store.flush().unwrap();
}

fn files(dir: &Path) -> Vec<u8> {
    let mut bytes = Vec::new();
    for item in fs::read_dir(dir).unwrap() {
        let path = item.unwrap().path();
        bytes.extend(if path.is_dir() { files(&path) } else { fs::read(path).unwrap() });
    }
    bytes
}

#[test]
fn nothing_that_a_person_wrote_is_readable_on_disk() {
    let world = World::new();
    let mut store = world.open().store;
    let mut changes = Changes::new();
    changes.put(Tree::Entries, keys::entry(&[0xab; 16], 1), "attack at dawn");
    changes.put(Tree::Local, "key-in-plain", vec![0x5a; 5000]);
    store.commit(changes).unwrap();
    drop(store);
    let bytes = files(&world.dir.path().join("store"));
    assert!(bytes.windows(12).any(|window| window == b"key-in-plain"), "the search finds what is there");
    assert!(!bytes.windows(6).any(|window| window == b"attack"));
    assert!(!bytes.windows(32).any(|window| window == [0x5a; 32]));
}

#[test]
fn a_value_opens_only_where_it_was_put() {
    let world = World::new();
    let mut store = world.open().store;
    let mut changes = Changes::new();
    changes.put(Tree::Entries, "a", "1");
    store.commit(changes).unwrap();
    let here = tagged(Tree::Entries.tag(), b"a");
    for (tree, key) in [(Tree::Entries, b"b"), (Tree::Local, b"a")] {
        let there = tagged(tree.tag(), key);
        store.run(|db| db.insert(there, db.get(&here)?.unwrap())).unwrap();
        assert!(store.get(tree, key).unwrap_err().is_damage());
        assert!(store.range(tree, &Span::all(), Direction::Forward, 9).unwrap_err().is_damage());
    }
    assert_eq!(store.get(Tree::Entries, b"a").unwrap().unwrap(), b"1");
}

#[test]
fn another_key_is_refused_and_touches_nothing() {
    let world = World::new();
    let mut store = world.open().store;
    fill(&mut store, 3);
    drop(store);
    let wrong = SledStore::open(&world.home, &DataKey::from_bytes([2; 32]));
    assert!(matches!(wrong.err(), Some(OpenError::WrongKey(_))));
    let opened = world.open();
    assert_eq!(opened.set_aside, None);
    assert_eq!(opened.store.count(Tree::Entries, &Span::all()).unwrap(), 3);
}

#[test]
fn a_second_opening_is_told_who_has_it() {
    let world = World::new();
    let _store = world.open().store;
    let error = SledStore::open(&world.home, &world.data).err().unwrap();
    assert!(matches!(error, OpenError::Locked(_)));
    assert!(error.to_string().starts_with("Kith is already running with this profile"), "{error}");
}

#[test]
fn a_newer_format_is_refused_and_kept() {
    let world = World::new();
    let store = world.open().store;
    store.run(|db| db.insert(rebuild::FORMAT_KEY, &99u32.to_be_bytes())).unwrap();
    drop(store);
    let error = SledStore::open(&world.home, &world.data).err().unwrap();
    assert!(matches!(error, OpenError::Newer { found: 99, known: rebuild::FORMAT }));
    assert!(world.db().exists());
}

#[test]
fn a_store_that_is_no_store_is_set_aside() {
    let world = World::new();
    fs::create_dir(world.dir.path().join("store")).unwrap();
    fs::write(
        world.dir.path().join("store").join("conf"),
        "this is not what sled wrote, in any version of it",
    )
    .unwrap();
    let opened = world.open();
    assert_eq!(opened.set_aside, Some(world.dir.path().join("store.damaged-1")));
    assert_eq!(opened.store.count(Tree::Entries, &Span::all()).unwrap(), 0);
}

#[test]
fn a_store_found_damaged_later_is_replaced() {
    let world = World::new();
    let mut store = world.open().store;
    fill(&mut store, 3);
    drop(store);
    let fresh = SledStore::open_fresh(&world.home, &world.data).unwrap();
    assert!(fresh.set_aside.is_some_and(|aside| aside.join("db").exists()));
    assert_eq!(fresh.store.count(Tree::Entries, &Span::all()).unwrap(), 0);
}

/// What a store holds after damage: the entries up to the cursor, each as it was written. Never a hole.
fn prefix_of_history(store: &SledStore) -> Result<u64, ReadError> {
    let rows = store.range(Tree::Entries, &Span::all(), Direction::Forward, usize::MAX)?;
    for (n, (key, value)) in rows.iter().enumerate() {
        assert_eq!(keys::place(key), Some(n as u64));
        assert_eq!(*value, format!("what a person wrote, number {n}").repeat(20).into_bytes());
    }
    let cursor = store.get(Tree::Rooms, b"cursor")?.map(|value| keys::place(&value).unwrap() + 1);
    assert_eq!(cursor.unwrap_or(0), rows.len() as u64, "the cursor and the entries are one commit");
    Ok(rows.len() as u64)
}

#[test]
fn rows_lost_or_older_than_committed_are_noticed_after_a_crash() {
    let world = World::new();
    for loss in 0..3 {
        let mut store = SledStore::open_fresh(&world.home, &world.data).unwrap().store;
        fill(&mut store, 3);
        let key = tagged(Tree::Entries.tag(), &1u64.to_be_bytes());
        let older = store.run(|db| db.get(&key)).unwrap().unwrap();
        let mut changes = Changes::new();
        changes.put(Tree::Entries, 1u64.to_be_bytes(), "edited").remove(Tree::Entries, 2u64.to_be_bytes());
        store.commit(changes).unwrap();
        store
            .run(|db| match loss {
                0 => Ok(()),
                1 => db.remove(&key).map(drop),
                _ => db.insert(&key, older).map(drop),
            })
            .unwrap();
        drop(store);
        fs::write(world.dir.path().join("store").join("open"), "").unwrap();
        assert_eq!(world.open().set_aside.is_some(), loss > 0, "loss {loss}");
    }
}

#[test]
fn a_store_that_was_closed_has_nothing_to_check() {
    let world = World::new();
    let marker = world.dir.path().join("store").join("open");
    let store = world.open().store;
    assert!(marker.exists());
    drop(store);
    assert!(!marker.exists());
}

#[test]
fn damage_never_panics_and_never_invents() {
    let world = World::new();
    let mut store = world.open().store;
    fill(&mut store, 1500);
    drop(store);
    let good = fs::read(world.db()).unwrap();
    let (mut set_aside, mut shortened) = (0, 0);
    for round in 0..24usize {
        // A file cut short, a hole of zeros, flipped bits all over.
        let mut bad = good.clone();
        let at = round * 99_991 % good.len();
        match round % 3 {
            0 => bad.truncate(at),
            1 => bad.iter_mut().skip(at).take(4096).for_each(|byte| *byte = 0),
            _ => bad.iter_mut().skip(at).step_by(997).for_each(|byte| *byte ^= 0x55),
        }
        fs::remove_dir_all(world.dir.path().join("store")).unwrap();
        fs::create_dir(world.dir.path().join("store")).unwrap();
        // As a crash leaves it.
        for marker in ["founded", "open"] {
            fs::write(world.dir.path().join("store").join(marker), "").unwrap();
        }
        fs::write(world.db(), bad).unwrap();

        let mut opened = world.open();
        let held = match prefix_of_history(&opened.store) {
            Ok(held) => held,
            Err(error) => {
                assert!(error.is_damage(), "round {round}: {error}");
                drop(opened);
                opened = SledStore::open_fresh(&world.home, &world.data).unwrap();
                0
            }
        };
        assert!(
            held > 0 || opened.set_aside.is_some(),
            "round {round}: nobody is told that everything is gone"
        );
        set_aside += u32::from(opened.set_aside.is_some());
        shortened += u32::from(held > 0);
        let mut changes = Changes::new();
        changes.put(Tree::Entries, "after", "the damage");
        opened.store.commit(changes).unwrap();
    }
    assert!(set_aside > 0 && shortened > 0, "{set_aside} set aside, {shortened} went on");
}

#[test]
fn compacting_keeps_every_row_and_gives_space_back() {
    let world = World::new();
    let mut store = world.open().store;
    for round in 0..30u8 {
        let mut changes = Changes::new();
        for n in 0..100u64 {
            changes.put(Tree::Entries, n.to_be_bytes(), vec![round; 3000]);
        }
        store.commit(changes).unwrap();
    }
    for n in 20..100u64 {
        let mut changes = Changes::new();
        changes.remove(Tree::Entries, n.to_be_bytes());
        store.commit(changes).unwrap();
    }
    store.flush().unwrap();
    let before = store.range(Tree::Entries, &Span::all(), Direction::Forward, 1000).unwrap();
    assert_eq!(before.len(), 20);
    assert_eq!(store.compact().unwrap(), Compaction::NotWorthIt, "nobody minds a few megabytes");
    let Compaction::Done { before: size_before, after } = store.compact_over(1).unwrap() else {
        panic!("{} bytes for {} rows are worth it", store.run(sled::Db::size_on_disk).unwrap(), before.len());
    };
    assert!(after * 2 < size_before, "{size_before} -> {after}");
    assert_eq!(store.range(Tree::Entries, &Span::all(), Direction::Forward, 1000).unwrap(), before);
    let mut changes = Changes::new();
    changes.put(Tree::Entries, "after", "compacting");
    store.commit(changes).unwrap();
    drop(store);
    let opened = world.open();
    assert_eq!(opened.set_aside, None);
    assert_eq!(opened.store.count(Tree::Entries, &Span::all()).unwrap(), 21);
}
