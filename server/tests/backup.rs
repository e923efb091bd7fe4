//! What a backup holds, and what is noticed when it does not.
#![allow(clippy::unwrap_used, reason = "a test ends where something fails")]

mod support;

use kith_protocol::ids::{RoomId, Seq};
use kith_protocol::register::Scope;
use kith_protocol::room::ControlOp;
use kith_relay::backup::{BackupError, back_up, restore, verify};
use kith_relay::config::Config;
use rusqlite::Connection;
use std::path::{Path, PathBuf};
use support::{Device, Group, Pair, Relay};
use tempfile::TempDir;

const SECRET: &str = "what nobody else may know";

/// A folder with a relay that has seen something of each kind.
struct Filled {
    folder: TempDir,
    alice: Device,
    group: Group,
}

impl Filled {
    async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let data = folder.path().join("data");
        std::fs::create_dir_all(data.join("tls")).unwrap();
        std::fs::write(data.join("tls/key.pem"), "the key").unwrap();
        let relay = Relay::open(&data);
        let mut alice = Device::join(&relay, 1, "alice").await;
        let mut bob = Device::join(&relay, 2, "bob").await;
        let mut group = alice.open_group(&[bob.account]).await;
        let secret = alice.text(group.id, SECRET);
        alice.send(0, &secret).await;
        assert_eq!(alice.verdict().await.unwrap(), Seq(2));
        bob.post(0, group.id, "stays").await.unwrap();
        let redaction = alice.redaction(group.id, Seq(2), &secret);
        alice.send(0, &redaction).await;
        alice.verdict().await.unwrap();
        let register = alice.register(group.id, Scope::Account, 1, kith_protocol::ids::Rev(0));
        alice.set(&register).await.unwrap();
        alice.change(&mut group, vec![ControlOp::Remove(bob.account)]).await.unwrap();
        alice.link(&relay, 3).await;
        alice.post(0, group.id, "the last").await.unwrap();
        drop(bob);
        // The connection ends with the relay; the device is used again on another.
        let (near, _) = tokio::io::duplex(1);
        alice.wire = support::Wire::over(near).await;
        relay.close().await;
        Self { folder, alice, group }
    }

    fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    fn back_up(&self, name: &str) -> Result<PathBuf, BackupError> {
        let file = self.folder.path().join(name);
        back_up(&config(&self.data()), None, &file).map(|_| file)
    }
}

fn config(data: &Path) -> Config {
    Config { data: data.to_owned(), ..Config::default() }
}

#[tokio::test]
async fn a_backup_is_one_moment_of_a_relay_that_writes_on() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    std::fs::create_dir(&data).unwrap();
    let relay = Relay::open(&data);
    let pair = Pair::talking(&relay).await;
    let mut before = 0;
    for number in 0..5 {
        let file = folder.path().join(format!("{number}.backup"));
        let config = config(&data);
        let entries = tokio::task::spawn_blocking(move || {
            back_up(&config, None, &file).unwrap();
            let verified = verify(&file).unwrap();
            assert!(verified.is_sound(), "{verified}");
            verified.inspection.unwrap().entries
        });
        let entries = entries.await.unwrap();
        assert!(entries > before, "it goes on: {entries} after {before}");
        before = entries;
    }
    assert!(pair.end().await > 0);
}

#[tokio::test]
async fn what_was_backed_up_goes_on_elsewhere_under_a_new_identity() {
    let mut filled = Filled::new().await;
    let file = filled.back_up("a.backup").unwrap();
    assert!(matches!(filled.back_up("a.backup"), Err(BackupError::Exists { .. })));
    assert!(!contains(&file, SECRET), "what was redacted is in no backup");
    let elsewhere = filled.folder.path().join("elsewhere");
    let restored = restore(&elsewhere, &file, false).unwrap();
    assert_eq!(restored.files, ["tls/key.pem"]);
    assert_eq!(std::fs::read(elsewhere.join("tls/key.pem")).unwrap(), b"the key");
    assert!(!contains(&elsewhere.join("relay.db"), "the key"), "the key lies in its own file alone");
    let left: Vec<_> = std::fs::read_dir(&elsewhere).unwrap().map(|file| file.unwrap().file_name()).collect();
    assert!(!left.iter().any(|name| name.to_string_lossy().contains("restoring")), "{left:?}");

    let before = kith_relay::store::sqlite::SqliteEngine::open(
        &filled.data().join("relay.db"),
        kith_protocol::ids::Incarnation([0; 16]),
    );
    let before = kith_relay::store::Engine::incarnation(&before.unwrap());
    let relay = Relay::open(&elsewhere);
    assert_ne!(relay.hub.incarnation, before);
    filled.alice.reconnect(&relay).await;
    assert_eq!(filled.alice.head(filled.group.id).await.unwrap().seq, Seq(6));
    let own = RoomId::own(&filled.alice.account);
    filled.alice.post(0, own, "and on it goes").await.unwrap();
}

#[tokio::test]
async fn what_is_there_is_put_aside_and_only_if_it_is_meant() {
    let filled = Filled::new().await;
    let file = filled.back_up("a.backup").unwrap();
    let before = std::fs::read(filled.data().join("relay.db")).unwrap();
    let refused = restore(&filled.data(), &file, false).unwrap_err();
    assert!(refused.to_string().contains("--yes"), "{refused}");
    assert_eq!(std::fs::read(filled.data().join("relay.db")).unwrap(), before);
    let restored = restore(&filled.data(), &file, true).unwrap();
    let aside = restored.put_aside.unwrap();
    assert_eq!(std::fs::read(aside.join("relay.db")).unwrap(), before);
    assert_eq!(std::fs::read(aside.join("tls/key.pem")).unwrap(), b"the key");
    assert_eq!(std::fs::read(filled.data().join("tls/key.pem")).unwrap(), b"the key");
}

/// Each damage, as one that came before the backup, and what is said of it.
const DAMAGES: [(&str, &str); 10] = [
    ("DELETE FROM entries WHERE place = (SELECT max(place) FROM entries)", " entries of "),
    (
        "UPDATE entries SET entry = CAST(substr(entry, 1, length(entry) - 1) || x'00' AS BLOB)
         WHERE place = (SELECT max(place) FROM entries)",
        "not those that were stored",
    ),
    ("UPDATE rooms SET hash = zeroblob(32)", "not those that were stored"),
    ("UPDATE rooms SET redacted = 0", "newest redaction"),
    ("DELETE FROM transactions", "stored a second time"),
    ("DELETE FROM control", "not in its index"),
    ("DELETE FROM chains", "has no chain"),
    ("DELETE FROM devices", "not in the directory"),
    ("UPDATE members SET left_seq = 1, left_hash = zeroblob(32), left_control_len = 1", "other members"),
    ("UPDATE rooms SET rev = 0", "register 1 of the room"),
];

#[tokio::test]
async fn whatever_is_wrong_is_said_and_never_restored() {
    let filled = Filled::new().await;
    let sound = verify(&filled.back_up("sound.backup").unwrap()).unwrap();
    assert!(sound.is_sound(), "{sound}");
    for (number, (damage, said)) in DAMAGES.into_iter().enumerate() {
        let copy = filled.folder.path().join(format!("{number}"));
        std::fs::create_dir(&copy).unwrap();
        let whole = Connection::open(filled.data().join("relay.db")).unwrap();
        whole.execute("VACUUM INTO ?1", [copy.join("relay.db").to_str().unwrap()]).unwrap();
        let changed = Connection::open(copy.join("relay.db")).unwrap();
        assert!(changed.execute(damage, []).unwrap() > 0, "{damage}");
        drop(changed);
        let file = filled.folder.path().join(format!("{number}.backup"));
        back_up(&config(&copy), None, &file).unwrap();
        let verified = verify(&file).unwrap();
        assert!(!verified.is_sound() && verified.to_string().contains(said), "{damage}: {verified}");
        let target = filled.folder.path().join(format!("{number}.target"));
        let refused = restore(&target, &file, false).unwrap_err();
        assert!(matches!(refused, BackupError::Unusable { .. }), "{damage}: {refused}");
        assert!(!target.join("relay.db").exists() && !target.join("relay.db.restoring").exists());
    }
}

#[tokio::test]
async fn a_file_that_changed_since_is_noticed() {
    let filled = Filled::new().await;
    let file = filled.back_up("a.backup").unwrap();
    let bytes = std::fs::read(&file).unwrap();
    let damaged = filled.folder.path().join("damaged.backup");
    let said = |bytes: &[u8]| {
        std::fs::write(&damaged, bytes).unwrap();
        verify(&damaged).map(|verified| verified.is_sound()).map_err(|error| error.to_string())
    };
    for word in ["stays", "the last", "alice", "the key", "laptop"] {
        let at = bytes.windows(word.len()).position(|part| part == word.as_bytes()).unwrap();
        let mut changed = bytes.clone();
        changed[at] ^= 0x20;
        let error = said(&changed).unwrap_err();
        assert!(error.contains("is damaged") && error.contains("take another backup"), "{word}: {error}");
    }
    for len in [0, 1, 100, bytes.len() / 2, bytes.len() - 4096] {
        let error = said(&bytes[..len]).unwrap_err();
        assert!(error.contains("cannot be used"), "{len}: {error}");
    }
    for other in
        [b"not a database at all".repeat(100), std::fs::read(filled.data().join("relay.db")).unwrap()]
    {
        assert!(said(&other).unwrap_err().contains("no backup of a relay"));
    }
    assert_eq!(said(&bytes), Ok(true));
}

#[tokio::test]
async fn a_backup_of_a_newer_relay_is_left_alone() {
    let filled = Filled::new().await;
    let file = filled.back_up("a.backup").unwrap();
    let newer = Connection::open(&file).unwrap();
    newer.pragma_update(None, "user_version", 1000).unwrap();
    drop(newer);
    let target = filled.folder.path().join("target");
    for error in [verify(&file).map(drop).unwrap_err(), restore(&target, &file, false).map(drop).unwrap_err()]
    {
        assert!(error.to_string().contains("update kith-relay"), "{error}");
    }
    assert!(!target.exists());
}

#[cfg(unix)]
#[tokio::test]
async fn a_backup_is_its_owner_s_alone() {
    use std::os::unix::fs::PermissionsExt;
    let filled = Filled::new().await;
    let file = filled.back_up("a.backup").unwrap();
    assert_eq!(file.metadata().unwrap().permissions().mode() & 0o777, 0o600);
    restore(&filled.folder.path().join("b"), &file, false).unwrap();
    for name in ["relay.db", "tls/key.pem", "relay.here"] {
        let mode = filled.folder.path().join("b").join(name).metadata().unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{name}");
    }
}

fn contains(file: &Path, text: &str) -> bool {
    std::fs::read(file).unwrap().windows(text.len()).any(|part| part == text.as_bytes())
}
