//! Homes that older Kiths wrote are opened by this one. The fixtures were written once, by the ignored tests here, and are
//! never written again: a new format gets a new fixture.
//!
//! `cargo test -p kith-client --test old_formats -- --ignored` writes what is missing.
#![expect(clippy::unwrap_used, reason = "helpers of a test")]

use kith_client::keys::{
    Choice, DataKey, Kept, MasterKey, MemorySecrets, NoUnlock, Passphrase, Purpose, open_or_create,
};
use kith_client::store::{Changes, Direction, SledStore, Span, Store, Tree, keys};
use kith_client::vault::{DurableMap, Home, Vault};
use std::fs;
use std::path::{Path, PathBuf};

const ROOM: [u8; 16] = [0xab; 16];
const ACCOUNT: [u8; 32] = [0xcd; 32];

fn data() -> DataKey {
    MasterKey::from_bytes([0x11; 32]).data_key(Purpose::Store)
}

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests").join("fixtures").join(name)
}

/// A home with a copy of a fixture in it.
fn home_of(name: &str) -> (tempfile::TempDir, Home) {
    let dir = tempfile::tempdir().unwrap();
    copy(&fixture(name), dir.path());
    let home = Home::lock(dir.path()).unwrap();
    (dir, home)
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for item in fs::read_dir(from).unwrap() {
        let item = item.unwrap();
        let target = to.join(item.file_name());
        if item.file_type().unwrap().is_dir() {
            copy(&item.path(), &target);
        } else {
            fs::copy(item.path(), target).unwrap();
        }
    }
}

/// What all fixtures of stores hold.
fn rows() -> Vec<(Tree, Vec<u8>, Vec<u8>)> {
    let mut rows = vec![
        (Tree::Meta, keys::meta("relay"), b"relay.example".to_vec()),
        (Tree::Rooms, keys::room(&ROOM), b"head 700".to_vec()),
        (Tree::Registers, keys::register(&ROOM, &ACCOUNT, &[1; 32]), Vec::new()),
        (Tree::Local, keys::local("draft", Some(&ROOM)), "halb geschrieben, ünfertig".into()),
    ];
    // More than one batch of a migration.
    rows.extend(
        (1..=700).map(|seq| (Tree::Entries, keys::entry(&ROOM, seq), format!("entry {seq}").into_bytes())),
    );
    rows
}

fn holds_the_rows(store: &dyn Store) {
    for tree in Tree::ALL {
        let expected: Vec<_> =
            rows().into_iter().filter(|row| row.0 == tree).map(|row| (row.1, row.2)).collect();
        assert_eq!(
            store.range(tree, &Span::all(), Direction::Forward, usize::MAX).unwrap(),
            expected,
            "{tree:?}"
        );
    }
}

#[test]
fn a_store_of_format_1_is_brought_up_to_date() {
    let (dir, home) = home_of("store-1");
    let before = fs::read(dir.path().join("store").join("db")).unwrap();
    for start in ["the first", "the next"] {
        let mut opened = SledStore::open(&home, &data()).unwrap();
        assert_eq!(opened.set_aside, None, "{start}");
        holds_the_rows(&opened.store);
        // It is a store like any other now.
        let mut changes = Changes::new();
        changes
            .put(Tree::Entries, keys::entry(&ROOM, 701), start)
            .remove(Tree::Entries, keys::entry(&ROOM, 701));
        opened.store.commit(changes).unwrap();
    }
    assert_ne!(fs::read(dir.path().join("store").join("db")).unwrap(), before);
    let left: Vec<_> = fs::read_dir(dir.path()).unwrap().map(|item| item.unwrap().file_name()).collect();
    assert_eq!(left.len(), 2, "the lock and the store: {left:?}");
}

#[test]
fn a_store_of_format_1_with_another_key_is_left_alone() {
    let (dir, home) = home_of("store-1");
    assert!(SledStore::open(&home, &DataKey::from_bytes([9; 32])).is_err());
    assert!(!dir.path().join("store").join("founded").exists());
    holds_the_rows(&SledStore::open(&home, &data()).unwrap().store);
}

#[test]
fn a_migration_that_was_cut_starts_again() {
    let (dir, home) = home_of("store-1");
    // Half of a new store, as a crash leaves it.
    copy(&fixture("store-2").join("store"), &dir.path().join("store.next"));
    fs::remove_file(dir.path().join("store.next").join("db")).unwrap();
    holds_the_rows(&SledStore::open(&home, &data()).unwrap().store);
}

#[test]
fn a_store_of_format_2_is_read() {
    let (_dir, home) = home_of("store-2");
    let opened = SledStore::open(&home, &data()).unwrap();
    assert_eq!(opened.set_aside, None);
    holds_the_rows(&opened.store);
}

#[test]
fn a_vault_of_format_1_is_read() {
    let (_dir, home) = home_of("vault-1");
    let opened = Vault::open(&home, &MasterKey::from_bytes([0x11; 32]).data_key(Purpose::Vault)).unwrap();
    assert_eq!((opened.cut, opened.damage), (0, None));
    assert_eq!(
        opened.vault.scan(b""),
        [(b"kept".to_vec(), b"a draft".to_vec()), (b"key".to_vec(), vec![7; 32])]
    );
}

#[test]
fn a_key_file_of_format_1_is_opened() {
    let (_dir, home) = home_of("key-1");
    let choice = Choice::Passphrase(Passphrase::new("correct horse").unwrap());
    let (master, kept) = open_or_create(&home, &choice, &MemorySecrets::new(), &mut NoUnlock).unwrap();
    assert_eq!(kept, Kept::SealedFile);
    let sealed = fs::read(fixture("key-1").join("sealed-with-it")).unwrap();
    assert_eq!(master.data_key(Purpose::Store).open(b"place", &sealed).unwrap(), b"plain");
}

/// The home in which a missing fixture is to be written.
fn missing(name: &str) -> Option<Home> {
    let dir = fixture(name);
    if dir.exists() {
        return None;
    }
    Some(Home::lock(&dir).unwrap())
}

fn finish(home: Home) {
    let lock = home.dir().join("lock");
    drop(home);
    fs::remove_file(lock).unwrap();
}

#[test]
#[ignore = "writes the fixture"]
fn write_store_1() {
    let Some(home) = missing("store-1") else { return };
    let db = sled::Config::new().path(home.dir().join("store")).open().unwrap();
    db.insert([0, b'f'], &1u32.to_be_bytes()).unwrap();
    db.insert([0, b'c'], data().seal(&[0, b'c'], b"kith store check")).unwrap();
    for (tree, key, value) in rows() {
        let name = format!("{tree:?}").to_lowercase();
        let place = [b"kith/store/1\0", key.as_slice()].concat();
        db.open_tree(name).unwrap().insert(key, data().seal(&place, &value)).unwrap();
    }
    db.flush().unwrap();
    drop(db);
    finish(home);
}

#[test]
#[ignore = "writes the fixture"]
fn write_store_2() {
    let Some(home) = missing("store-2") else { return };
    let mut store = SledStore::open(&home, &data()).unwrap().store;
    let mut changes = Changes::new();
    for (tree, key, value) in rows() {
        changes.put(tree, key, value);
    }
    store.commit(changes).unwrap();
    drop(store);
    finish(home);
}

#[test]
#[ignore = "writes the fixture"]
fn write_vault_1() {
    let Some(home) = missing("vault-1") else { return };
    let data = MasterKey::from_bytes([0x11; 32]).data_key(Purpose::Vault);
    let mut vault = Vault::open(&home, &data).unwrap().vault;
    vault.create(b"key", &[7; 32]).unwrap();
    vault.put(b"gone", b"1").unwrap();
    vault.write(vec![(b"gone".to_vec(), None), (b"kept".to_vec(), Some(b"a draft".to_vec()))]).unwrap();
    drop(vault);
    finish(home);
}

#[test]
#[ignore = "writes the fixture"]
fn write_key_1() {
    let Some(home) = missing("key-1") else { return };
    let choice = Choice::Passphrase(Passphrase::new("correct horse").unwrap());
    let (master, _) = open_or_create(&home, &choice, &MemorySecrets::new(), &mut NoUnlock).unwrap();
    fs::write(home.dir().join("sealed-with-it"), master.data_key(Purpose::Store).seal(b"place", b"plain"))
        .unwrap();
    finish(home);
}
