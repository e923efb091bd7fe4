use super::*;
use proptest::prelude::*;

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

    fn open(&self) -> OpenedVault {
        Vault::open(&self.home, &self.data).unwrap()
    }

    fn sound(&self) -> Vault {
        let opened = self.open();
        assert_eq!((opened.cut, opened.damage), (0, None));
        opened.vault
    }

    fn path(&self) -> PathBuf {
        self.dir.path().join("vault.log")
    }
}

fn rows(vault: &Vault) -> Vec<Row> {
    vault.scan(b"")
}

#[test]
fn what_was_answered_is_there_when_opened_again() {
    let world = World::new();
    let mut vault = world.sound();
    vault.put(b"a", b"1").unwrap();
    vault
        .write(vec![
            (b"b".to_vec(), Some(b"2".to_vec())),
            (b"a".to_vec(), None),
            (b"bb".to_vec(), Some(vec![])),
        ])
        .unwrap();
    vault.create(b"k", b"a key").unwrap();
    let before = rows(&vault);
    drop(vault);
    let vault = world.sound();
    assert_eq!(rows(&vault), before);
    assert_eq!(vault.scan(b"b"), [(b"b".to_vec(), b"2".to_vec()), (b"bb".to_vec(), vec![])]);
    assert_eq!(vault.get(b"a"), None);
    assert_eq!(vault.len(), 3);
}

#[test]
fn what_was_created_is_never_overwritten() {
    let world = World::new();
    let mut vault = world.sound();
    vault.create(b"k", b"first").unwrap();
    assert!(matches!(vault.create(b"k", b"second"), Err(WriteError::Exists)));
    assert_eq!(vault.get(b"k").unwrap(), b"first");
}

#[test]
fn nothing_is_readable_on_disk_and_another_key_is_refused() {
    let world = World::new();
    let mut vault = world.sound();
    vault.put(b"draft", b"attack at dawn").unwrap();
    drop(vault);
    let bytes = fs::read(world.path()).unwrap();
    assert!(!bytes.windows(5).any(|window| window == b"draft" || window == b"attac"));
    let wrong = Vault::open(&world.home, &DataKey::from_bytes([2; 32]));
    assert!(matches!(wrong.err(), Some(OpenError::WrongKey(_))));
    assert_eq!(fs::read(world.path()).unwrap(), bytes, "and nothing was touched");
}

#[test]
fn an_empty_vault_knows_its_key_too() {
    let world = World::new();
    drop(world.sound());
    assert!(matches!(
        Vault::open(&world.home, &DataKey::from_bytes([2; 32])).err(),
        Some(OpenError::WrongKey(_))
    ));
}

#[test]
fn a_newer_vault_is_refused_and_kept() {
    let world = World::new();
    fs::write(world.path(), b"kith-vault 2   \nwho knows").unwrap();
    assert!(matches!(Vault::open(&world.home, &world.data).err(), Some(OpenError::Newer)));
    assert!(fs::read(world.path()).unwrap().ends_with(b"who knows"));
}

/// The map after each write of a little history, and where its frame ends in the file.
fn history(world: &World) -> Vec<(u64, Vec<Row>)> {
    let mut vault = world.sound();
    let mut states = vec![(vault.end, rows(&vault))];
    for n in 0..8u8 {
        let mut writes = vec![(vec![b'a' + n % 3], Some(vec![n; usize::from(n) * 5]))];
        if n % 4 == 3 {
            writes.push((vec![b'a'], None));
        }
        vault.write(writes).unwrap();
        states.push((vault.end, rows(&vault)));
    }
    states
}

#[test]
fn a_cut_at_any_byte_leaves_a_prefix_of_the_history() {
    let world = World::new();
    let states = history(&world);
    let whole = fs::read(world.path()).unwrap();
    let first = states[0].0 as usize;
    for cut in first..=whole.len() {
        // What a crash leaves behind the cut: nothing, zeros, or what was on the disk before.
        for behind in [&b""[..], &[0; 300], &whole[first..first + 40]] {
            if !behind.is_empty() && states.iter().any(|(end, _)| *end as usize == cut) {
                continue;
            }
            let file = [&whole[..cut], behind].concat();
            fs::write(world.path(), &file).unwrap();
            let opened = world.open();
            // By chance, what stands behind the cut is what was cut off.
            let is_whole = |end: u64| file.get(..end as usize) == whole.get(..end as usize);
            let (end, expected) = states.iter().rev().find(|(end, _)| is_whole(*end)).unwrap();
            assert_eq!(rows(&opened.vault), *expected, "cut at {cut}");
            assert_eq!(opened.damage, None, "cut at {cut}");
            assert_eq!(opened.cut, file.len() as u64 - end);
            assert_eq!(fs::metadata(world.path()).unwrap().len(), *end, "the rest is cut off");
        }
    }
}

#[test]
fn writing_goes_on_behind_a_cut() {
    let world = World::new();
    history(&world);
    let whole = fs::read(world.path()).unwrap();
    fs::write(world.path(), &whole[..whole.len() - 7]).unwrap();
    let mut vault = world.open().vault;
    vault.put(b"new", b"1").unwrap();
    let before = rows(&vault);
    drop(vault);
    assert_eq!(rows(&world.sound()), before);
}

#[test]
fn damage_in_the_middle_is_told_and_costs_no_more_than_it_must() {
    let world = World::new();
    let states = history(&world);
    let whole = fs::read(world.path()).unwrap();
    for frame in 1..states.len() - 1 {
        let (start, end) = (states[frame - 1].0 as usize, states[frame].0 as usize);
        for at in start..end {
            let mut bad = whole.clone();
            bad[at] ^= 0x10;
            fs::write(world.path(), &bad).unwrap();
            let opened = world.open();
            let damage = opened.damage.unwrap();
            assert_eq!(damage.writes_lost, 1, "byte {at}");
            assert_eq!(fs::read(&damage.kept).unwrap(), bad, "the damaged file is kept");
            fs::remove_file(damage.kept).unwrap();
            // The last write to "b" stands behind all damage here.
            assert_eq!(opened.vault.get(b"b"), Some(vec![7; 35]));
            drop(opened.vault);
            world.sound();
        }
    }
}

#[test]
fn a_damaged_header_costs_nothing_else() {
    let world = World::new();
    let states = history(&world);
    let mut bad = fs::read(world.path()).unwrap();
    bad[3] = b'?';
    fs::write(world.path(), bad).unwrap();
    let opened = world.open();
    assert!(opened.damage.is_some());
    assert_eq!(rows(&opened.vault), states.last().unwrap().1);
}

#[test]
fn a_log_stays_near_the_size_of_what_lives() {
    let world = World::new();
    let mut vault = world.sound();
    vault.put(b"kept", b"from the beginning").unwrap();
    for n in 0..400u32 {
        vault.put(b"draft", &[n as u8; 4000]).unwrap();
        assert!(vault.end < COMPACT_BYTES_MIN + 8192, "{} bytes after {n} writes", vault.end);
    }
    let before = rows(&vault);
    drop(vault);
    assert!(fs::metadata(world.path()).unwrap().len() < COMPACT_BYTES_MIN + 8192);
    assert_eq!(rows(&world.sound()), before);
}

#[test]
fn a_large_vault_is_compacted_in_several_frames() {
    let world = World::new();
    let mut vault = world.sound();
    for n in 0..30u8 {
        vault.put(&[n], &vec![n; 100_000]).unwrap();
    }
    // One that fills a frame by itself, next to others.
    vault.put(&[10], &vec![1; frame::SEALED_MAX - 100]).unwrap();
    vault.compact().unwrap();
    assert!(vault.next > 2);
    vault.put(b"after", b"1").unwrap();
    let before = rows(&vault);
    drop(vault);
    assert_eq!(rows(&world.sound()), before);
}

#[test]
fn too_large_a_write_is_refused() {
    let world = World::new();
    let mut vault = world.sound();
    let error = vault.put(b"a", &vec![0; frame::SEALED_MAX]).unwrap_err();
    assert!(matches!(error, WriteError::TooLarge { .. }));
    vault.put(b"a", &vec![0; frame::SEALED_MAX - 100]).unwrap();
    drop(vault);
    assert_eq!(world.sound().get(b"a").unwrap().len(), frame::SEALED_MAX - 100);
}

#[test]
fn a_write_that_failed_is_cut_off_by_the_next() {
    let world = World::new();
    let mut vault = world.sound();
    vault.put(b"a", b"1").unwrap();
    // As a failed append leaves it: bytes behind the end, and nobody was told that they are there.
    let left =
        frame::encode(&world.data, vault.next, &vec![(b"a".to_vec(), Some(b"never answered".to_vec()))]);
    fs::write(world.path(), [fs::read(world.path()).unwrap(), left].concat()).unwrap();
    vault.frayed = true;
    vault.put(b"b", b"2").unwrap();
    drop(vault);
    let vault = world.sound();
    assert_eq!(vault.get(b"a").unwrap(), b"1");
    assert_eq!(vault.get(b"b").unwrap(), b"2");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 16, ..ProptestConfig::default() })]

    #[test]
    fn lives_like_the_reference(steps in prop::collection::vec(prop::collection::vec((prop::collection::vec(0u8..3, 0..3), any::<Option<[u8; 4]>>()), 0..4), 0..20)) {
        let world = World::new();
        let mut reference = crate::vault::MemoryVault::new();
        let mut vault = world.sound();
        for step in steps {
            let reopen = step.is_empty();
            let writes: Writes = step.into_iter().map(|(key, value)| (key, value.map(|value| value.to_vec()))).collect();
            reference.write(writes.clone()).unwrap();
            vault.write(writes).unwrap();
            if reopen {
                drop(vault);
                vault = world.sound();
            }
            prop_assert_eq!(vault.scan(b""), reference.scan(b""));
            prop_assert_eq!(vault.scan(&[1]), reference.scan(&[1]));
        }
    }
}
