//! The relay's program.

use super::Way;
use kith_protocol::link::{InviteLink, Link};
use std::io::{BufRead, BufReader, Read};
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use tempfile::TempDir;

/// A relay, the folder that holds everything it knows, and the way there, which stays when the relay does not.
pub(crate) struct Relay {
    child: Option<Child>,
    data: TempDir,
    way: Way,
    listen: &'static str,
}

impl Relay {
    /// A new one.
    pub(crate) async fn start() -> Self {
        Self::start_at("127.0.0.1:0").await
    }

    /// A new one that encrypts, with a key of its own, as one does that other machines can reach.
    pub(crate) async fn start_in_public() -> Self {
        Self::start_at("0.0.0.0:0").await
    }

    async fn start_at(listen: &'static str) -> Self {
        let mut relay =
            Self { child: None, data: tempfile::tempdir().unwrap(), way: Way::open().await, listen };
        relay.start_again();
        relay
    }

    /// A process on what the last one has left.
    pub(crate) fn start_again(&mut self) {
        self.start_again_with(&[]);
    }

    /// The same with other settings, such as `limits.max_connections=500`.
    pub(crate) fn start_again_with(&mut self, settings: &[&str]) {
        assert!(self.child.is_none(), "it runs");
        let mut child = self
            .program()
            .args(["serve", "--listen", self.listen])
            .args(SERVE)
            .args(settings.iter().flat_map(|setting| ["--set", setting]))
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        let mut said = BufReader::new(child.stdout.take().unwrap());
        said.read_line(&mut line).unwrap();
        // kith-relay 0.1.0 listens on 127.0.0.1:40123 as ws://127.0.0.1:40123
        let address = line.split_whitespace().find_map(|word| word.parse::<SocketAddr>().ok());
        let Some(address) = address else {
            let mut rest = String::new();
            let _ = child.kill();
            said.read_to_string(&mut rest).unwrap();
            panic!("the relay does not say where it listens: {line}{rest}");
        };
        // One that listens everywhere is reached here as well.
        self.way.lead_to(Some(SocketAddr::from((Ipv4Addr::LOCALHOST, address.port()))));
        self.child = Some(child);
    }

    /// `kill -9`.
    pub(crate) fn kill(&mut self) {
        let mut child = self.child.take().expect("it runs");
        child.kill().unwrap();
        child.wait().unwrap();
        self.way.lead_to(None);
    }

    /// The way there.
    pub(crate) fn way(&self) -> &Way {
        &self.way
    }

    /// An invite for one person.
    pub(crate) fn invite(&self) -> InviteLink {
        let output = self.program().args(["invite", "--json"]).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let invite: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
        let Link::Join(link) = invite["link"].as_str().unwrap().parse().unwrap() else {
            panic!("an invite is a join link: {invite}");
        };
        let secured = link.relay.starts_with("wss://");
        let relay = if secured { self.way.address().replacen("ws", "wss", 1) } else { self.way.address() };
        InviteLink { relay, ..link }
    }

    /// What `kith-relay` says, which must succeed.
    pub(crate) fn run(&self, args: &[&str]) -> String {
        let output = self.program().args(args).output().unwrap();
        assert!(output.status.success(), "{args:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8_lossy(&output.stdout).into_owned()
    }

    /// The folder of a machine that has never seen this relay; what the last one had is gone.
    pub(crate) fn lose_everything(&mut self) {
        assert!(self.child.is_none(), "only what rests is lost");
        self.data = tempfile::tempdir().unwrap();
    }

    /// A copy of the database of a relay that does not run.
    pub(crate) fn copy_to(&self, folder: &Path) {
        assert!(self.child.is_none(), "only what rests is copied");
        for name in DATABASE {
            if self.data.path().join(name).exists() {
                std::fs::copy(self.data.path().join(name), folder.join(name)).unwrap();
            }
        }
    }

    /// Puts a copy in the place of what is there.
    pub(crate) fn restore_from(&self, folder: &Path) {
        assert!(self.child.is_none(), "only what rests is replaced");
        for name in DATABASE.iter().chain(&["relay.db-shm"]) {
            let _ = std::fs::remove_file(self.data.path().join(name));
        }
        for name in DATABASE {
            if folder.join(name).exists() {
                std::fs::copy(folder.join(name), self.data.path().join(name)).unwrap();
            }
        }
    }

    /// Waits until so many entries are stored in some room.
    pub(crate) async fn holds(&self, entries: u64) {
        let wait = async {
            loop {
                let output = self.program().args(["rooms", "list", "--json"]).output().unwrap();
                let rooms: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
                let rooms = rooms.as_array().unwrap();
                if rooms.iter().any(|room| room["seq"].as_u64() >= Some(entries)) {
                    return;
                }
                tokio::task::yield_now().await;
            }
        };
        tokio::time::timeout(super::PATIENCE, wait).await.expect("in time");
    }

    fn program(&self) -> Command {
        let mut command = Command::new(program("kith-relay"));
        for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("KITH_")) {
            command.env_remove(name);
        }
        command.arg("--data").arg(self.data.path());
        command
    }
}

impl Drop for Relay {
    fn drop(&mut self) {
        if let Some(mut child) = self.child.take() {
            // It may have ended by itself.
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

/// A program of this workspace: beside the folder that this test program lies in.
fn program(name: &str) -> PathBuf {
    let tests = std::env::current_exe().unwrap();
    let path =
        tests.parent().unwrap().parent().unwrap().join(format!("{name}{}", std::env::consts::EXE_SUFFIX));
    assert!(path.exists(), "{} is missing: run `cargo build --workspace --bins` first", path.display());
    path
}

const DATABASE: [&str; 2] = ["relay.db", "relay.db-wal"];

/// A busy test is no flood.
const SERVE: [&str; 3] = ["--log", "warn", "--log-format=text"];
