//! The master key in a real Secret Service: a bus and a gnome-keyring of the test's own, with a home of their own.
//!
//! Needs `dbus-daemon` and `gnome-keyring-daemon` (Debian: `dbus`, `gnome-keyring`).
#![cfg(target_os = "linux")]
#![expect(clippy::unwrap_used, reason = "helpers of a test")]

use kith_client::keys::{
    Choice, Kept, KeyError, NoUnlock, Passphrase, Purpose, SystemSecrets, open_or_create,
};
use kith_client::vault::Home;
use std::env;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, Command, Stdio};

/// Names the directory of a session that is to come; set for the process that the tests below run in.
const INSIDE: &str = "KITH_TEST_SESSION";

/// Runs one of the ignored tests below in a process that sees a session of its own: the environment of this one stays.
fn in_a_session(test: &str) {
    for program in ["dbus-daemon", "gnome-keyring-daemon"] {
        let there =
            Command::new(program).arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status();
        assert!(
            there.is_ok(),
            "{program} is missing: `cargo xtask test` installs it (Debian: dbus, gnome-keyring)"
        );
    }
    let session = tempfile::tempdir().unwrap();
    let at = |name: &str| session.path().join(name);
    let output = Command::new(env::current_exe().unwrap())
        .args(["--exact", test, "--ignored", "--nocapture"])
        .env_clear()
        .envs(
            env::vars_os().filter(|(name, _)| name == "PATH" || name.to_string_lossy().starts_with("LLVM_")),
        )
        .env("HOME", session.path())
        .env("XDG_RUNTIME_DIR", session.path())
        .env("XDG_DATA_HOME", at("data"))
        .env("DBUS_SESSION_BUS_ADDRESS", format!("unix:path={}", at("bus").display()))
        .env(INSIDE, session.path())
        .output()
        .unwrap();
    let said =
        format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success() && said.contains("1 passed"), "{said}");
}

#[test]
fn the_key_store_keeps_the_key() {
    in_a_session("keeps_the_key");
}

#[test]
fn a_key_store_that_comes_up_later_is_found() {
    in_a_session("comes_up_later");
}

#[test]
fn a_locked_key_store_without_a_screen_ends_in_a_passphrase() {
    in_a_session("stays_locked");
}

#[test]
#[ignore = "run by the_key_store_keeps_the_key, in a session"]
fn keeps_the_key() {
    let Some(session) = env::var_os(INSIDE) else { return };
    let session = Path::new(&session);
    let bus = Bus::start();
    let keyring = bus.unlocked_keyring();
    let home = Home::lock(&session.join("profile")).unwrap();
    let open = || open_or_create(&home, &Choice::Best, &SystemSecrets::new(), &mut NoUnlock);

    let (first, kept) = open().unwrap();
    assert_eq!(kept, Kept::Keyring);
    assert!(!home.dir().join("master.key").exists());
    let sealed = first.data_key(Purpose::Store).seal(b"", b"plain");
    let (again, _) = open().unwrap();
    assert_eq!(again.data_key(Purpose::Store).open(b"", &sealed).unwrap(), b"plain");

    // Another home has a key of its own in the same key store.
    let other = Home::lock(&session.join("other")).unwrap();
    let (other, _) = open_or_create(&other, &Choice::Best, &SystemSecrets::new(), &mut NoUnlock).unwrap();
    assert_eq!(other.data_key(Purpose::Store).open(b"", &sealed), None);

    // Without the bus there is an error, and no second key.
    drop(keyring);
    drop(bus);
    let error = open().unwrap_err();
    assert!(matches!(error, KeyError::KeyringUnreachable(_)), "{error}");
    assert!(!home.dir().join("master.key").exists());
}

#[test]
#[ignore = "run by a_key_store_that_comes_up_later_is_found, in a session"]
fn comes_up_later() {
    let Some(session) = env::var_os(INSIDE) else { return };
    let home = Home::lock(&Path::new(&session).join("profile")).unwrap();
    let open = || open_or_create(&home, &Choice::Best, &SystemSecrets::new(), &mut NoUnlock);
    assert!(matches!(open(), Err(KeyError::NoPassphrase)), "no bus, nobody to ask");

    // The same process, some moments after login.
    let bus = Bus::start();
    let _keyring = bus.unlocked_keyring();
    assert_eq!(open().unwrap().1, Kept::Keyring);
}

#[test]
#[ignore = "run by a_locked_key_store_without_a_screen_ends_in_a_passphrase, in a session"]
fn stays_locked() {
    let Some(session) = env::var_os(INSIDE) else { return };
    let home = Home::lock(&Path::new(&session).join("profile")).unwrap();
    // The bus would start a key store by itself, but nobody can type its password.
    let _bus = Bus::start();
    let mut person = |_| Passphrase::new("horse");
    let (_, kept) = open_or_create(&home, &Choice::Best, &SystemSecrets::new(), &mut person).unwrap();
    assert_eq!(kept, Kept::SealedFile);
}

/// A program that ends with its handle.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        self.0.kill().ok();
        self.0.wait().ok();
    }
}

struct Bus {
    _daemon: Running,
}

impl Bus {
    /// Starts a bus where the environment says that there is one, and waits until it listens.
    fn start() -> Self {
        let address = env::var("DBUS_SESSION_BUS_ADDRESS").unwrap();
        let mut daemon = Command::new("dbus-daemon")
            .args(["--session", "--nofork", "--print-address", &format!("--address={address}")])
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(daemon.stdout.take().unwrap()).read_line(&mut line).unwrap();
        assert!(line.starts_with(&address), "{line}");
        Self { _daemon: Running(daemon) }
    }

    /// Starts a key store whose login keyring is open, and waits until it is on the bus.
    fn unlocked_keyring(&self) -> Running {
        let mut daemon = Command::new("gnome-keyring-daemon")
            .args(["--foreground", "--unlock", "--components=secrets"])
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        // The password ends with the input.
        daemon.stdin.take().unwrap().write_all(b"login password").unwrap();
        let daemon = Running(daemon);
        self.wait_for("org.freedesktop.secrets");
        daemon
    }

    /// Listens on the bus until a name has an owner.
    #[expect(clippy::unused_self, reason = "there is no name without a bus")]
    fn wait_for(&self, name: &str) {
        let monitor = Command::new("dbus-monitor")
            .args(["--session", &format!("type='signal',member='NameOwnerChanged',arg0='{name}'")])
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut monitor = Running(monitor);
        let lines = BufReader::new(monitor.0.stdout.take().unwrap()).lines();
        let mut listening = false;
        for line in lines {
            // Once it listens (its own name comes first), nothing is missed any more: then look.
            if !listening && has_owner(name) {
                return;
            }
            listening = true;
            if line.unwrap().contains(name) {
                return;
            }
        }
        panic!("{name} never came");
    }
}

fn has_owner(name: &str) -> bool {
    let reply = Command::new("dbus-send")
        .args(["--session", "--print-reply", "--dest=org.freedesktop.DBus", "/org/freedesktop/DBus"])
        .args(["org.freedesktop.DBus.NameHasOwner", &format!("string:{name}")])
        .output()
        .unwrap();
    String::from_utf8_lossy(&reply.stdout).contains("boolean true")
}
