use super::*;
use crate::keys::{MemorySecrets, NoUnlock};

const CHEAP: Cost = Cost { memory_kib: 64, passes: 1, lanes: 1 };

/// A home, a key store, and nobody to ask unless a test says so.
struct World {
    dir: tempfile::TempDir,
    home: Home,
    keyring: MemorySecrets,
}

impl World {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let home = Home::lock(dir.path()).unwrap();
        Self { dir, home, keyring: MemorySecrets::new() }
    }

    fn without_keyring() -> Self {
        let world = Self::new();
        world.keyring.fail(Some(gone()));
        world
    }

    fn open(&self, choice: &Choice) -> Result<(MasterKey, Kept), KeyError> {
        self.open_asking(choice, &mut NoUnlock)
    }

    fn open_asking(&self, choice: &Choice, unlock: &mut dyn Unlock) -> Result<(MasterKey, Kept), KeyError> {
        Place { home: &self.home, cost: CHEAP }.open_or_create(choice, &self.keyring, unlock)
    }

    fn has(&self, file: &str) -> bool {
        self.dir.path().join(file).exists()
    }

    fn remove(&self, file: &str) {
        fs::remove_file(self.dir.path().join(file)).unwrap();
    }
}

fn gone() -> SecretError {
    SecretError::Unreachable("no bus".into())
}

fn passphrase(text: &str) -> Passphrase {
    Passphrase::new(text).unwrap()
}

fn explicit(text: &str) -> Choice {
    Choice::Passphrase(passphrase(text))
}

#[track_caller]
fn same(a: &MasterKey, b: &MasterKey) {
    assert!(a.bytes() == b.bytes(), "two keys for one home");
}

#[test]
fn the_key_store_comes_first_and_keeps_the_key() {
    let world = World::new();
    let (first, kept) = world.open(&Choice::Best).unwrap();
    assert_eq!(kept, Kept::Keyring);
    assert!(!world.has("master.key"));
    let (again, _) = world.open(&Choice::Best).unwrap();
    same(&first, &again);
    assert_eq!(world.keyring.len(), 1);
}

#[test]
fn a_missing_key_store_is_an_error_and_never_a_second_key() {
    let world = World::new();
    let (first, _) = world.open(&Choice::Best).unwrap();
    world.keyring.fail(Some(gone()));
    for choice in [Choice::Best, explicit("p"), Choice::PlainFile] {
        assert!(matches!(world.open(&choice), Err(KeyError::KeyringUnreachable(_))));
    }
    assert!(!world.has("master.key"));
    world.keyring.fail(None);
    same(&first, &world.open(&Choice::Best).unwrap().0);
}

#[test]
fn a_key_store_that_forgot_is_told_apart() {
    let world = World::new();
    world.open(&Choice::Best).unwrap();
    let other = MemorySecrets::new();
    let opened =
        Place { home: &world.home, cost: CHEAP }.open_or_create(&Choice::Best, &other, &mut NoUnlock);
    assert!(matches!(opened, Err(KeyError::KeyringForgot)));
    assert!(other.is_empty());
}

#[test]
fn without_a_key_store_a_passphrase_is_asked_for() {
    let world = World::without_keyring();
    assert!(matches!(world.open(&Choice::Best), Err(KeyError::NoPassphrase)));
    assert!(!world.has("master.json"), "nothing is kept of a key that nobody can open");

    let mut asked_for = Vec::new();
    let mut person = |ask| {
        asked_for.push(ask);
        Passphrase::new("horse")
    };
    let (first, kept) = world.open_asking(&Choice::Best, &mut person).unwrap();
    assert_eq!(kept, Kept::SealedFile);
    assert_eq!(kept.standing_warning(), None);
    let (again, _) = world.open_asking(&Choice::Best, &mut person).unwrap();
    same(&first, &again);
    assert_eq!(asked_for, [Ask::New, Ask::Open { attempt: 1 }]);

    // The sealed file stays in use when a key store comes up.
    world.keyring.fail(None);
    same(&first, &world.open(&explicit("horse")).unwrap().0);
    assert!(world.keyring.is_empty());
}

#[test]
fn a_given_passphrase_wins_over_the_key_store() {
    let world = World::new();
    let (_, kept) = world.open(&explicit("horse")).unwrap();
    assert_eq!(kept, Kept::SealedFile);
    assert!(world.keyring.is_empty());
    assert!(matches!(world.open(&explicit("donkey")), Err(KeyError::WrongPassphrase)));
    assert!(matches!(world.open(&Choice::Best), Err(KeyError::NoPassphrase)));
}

#[test]
fn a_person_may_try_three_times() {
    let world = World::new();
    let (first, _) = world.open(&explicit("horse")).unwrap();
    let mut third = |ask| Passphrase::new(if ask == (Ask::Open { attempt: 3 }) { "horse" } else { "donkey" });
    same(&first, &world.open_asking(&Choice::Best, &mut third).unwrap().0);

    let mut attempts = 0;
    let mut never = |_| {
        attempts += 1;
        Passphrase::new("donkey")
    };
    assert!(matches!(world.open_asking(&Choice::Best, &mut never), Err(KeyError::WrongPassphrase)));
    assert_eq!(attempts, 3);
}

#[test]
fn a_plain_file_is_only_chosen_and_always_warns() {
    let world = World::without_keyring();
    let (first, kept) = world.open(&Choice::PlainFile).unwrap();
    assert!(kept.standing_warning().is_some());
    let (again, kept) = world.open(&Choice::Best).unwrap();
    same(&first, &again);
    assert!(kept.standing_warning().is_some());
}

#[cfg(unix)]
#[test]
fn key_files_are_their_owners_alone() {
    use std::os::unix::fs::PermissionsExt;
    let world = World::new();
    world.open(&Choice::PlainFile).unwrap();
    for file in ["master.key", "master.json"] {
        let mode = world.dir.path().join(file).metadata().unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{file}");
    }
}

#[test]
fn a_crash_before_the_record_loses_no_key() {
    let world = World::new();
    let (first, _) = world.open(&explicit("horse")).unwrap();
    world.remove("master.json");
    same(&first, &world.open(&explicit("horse")).unwrap().0);
    assert!(world.has("master.json"));
}

#[test]
fn sealed_data_without_a_key_is_never_given_a_new_one() {
    for (lost, data) in [("master.key", "vault.log"), ("master.json", "vault.log"), ("master.json", "store")]
    {
        let world = World::new();
        world.open(&if lost == "master.key" { explicit("p") } else { Choice::Best }).unwrap();
        fs::write(world.dir.path().join(data), "sealed").unwrap();
        world.remove(lost);
        let error = world.open(&Choice::Best).unwrap_err();
        assert!(matches!(error, KeyError::Missing { file, .. } if file == lost), "{error}");
        assert_eq!(world.keyring.len(), usize::from(lost == "master.json"));
    }
}

#[test]
fn damaged_files_say_so() {
    let world = World::new();
    world.open(&explicit("p")).unwrap();
    for file in ["master.key", "master.json"] {
        let path = world.dir.path().join(file);
        let good = fs::read(&path).unwrap();
        for bad in [&b""[..], b"{", &[0xff, 0xfe], &good[..good.len() - 3]] {
            fs::write(&path, bad).unwrap();
            let error = world.open(&explicit("p")).unwrap_err();
            assert!(matches!(&error, KeyError::Damaged(named) if *named == path), "{error}");
        }
        fs::write(&path, good).unwrap();
    }
    fs::write(world.dir.path().join("master.key"), r#"{"kith_key":7}"#).unwrap();
    assert!(matches!(world.open(&explicit("p")), Err(KeyError::Newer(_))));
}

#[test]
fn a_key_store_that_keeps_something_else_is_not_used() {
    struct Forgetful;
    impl SecretStore for Forgetful {
        fn read(&self, _: &str) -> Result<Option<Zeroizing<String>>, SecretError> {
            Ok(None)
        }
        fn write(&self, _: &str, _: &str) -> Result<(), SecretError> {
            Ok(())
        }
        fn delete(&self, _: &str) -> Result<(), SecretError> {
            Ok(())
        }
    }
    let world = World::new();
    let mut person = |_| Passphrase::new("horse");
    let place = Place { home: &world.home, cost: CHEAP };
    let (_, kept) = place.open_or_create(&Choice::Best, &Forgetful, &mut person).unwrap();
    assert_eq!(kept, Kept::SealedFile);
}
