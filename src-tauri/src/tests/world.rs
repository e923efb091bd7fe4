//! A relay, some shells around it, and what their systems noted down.

use crate::commands::arrive::join_with;
use crate::desk::{Desk, Key, Later, Notice, Tray};
use crate::dirs::Dirs;
use crate::failure::Outcome;
use crate::ipc::{Arrived, NotificationAccess, ProfileId};
use crate::releases::{Offer, ReleaseError};
use crate::shell::Shell;
use kith_client::keys::Choice;
use kith_client::net::{MemoryDialer, Timeouts, memory};
use kith_client::{Access, Client, Newcomer};
use kith_protocol::ids::{Incarnation, RoomId};
use kith_protocol::link::InviteLink;
use kith_relay::clock::Clock;
use kith_relay::config::{Config, Live};
use kith_relay::listen::Peer;
use kith_relay::metrics::Metrics;
use kith_relay::push::courier;
use kith_relay::relay::hub::Hub;
use kith_relay::relay::writes::Write;
use kith_relay::store::sqlite::SqliteEngine;
use kith_relay::store::{InviteRow, RelayRole};
use serde_json::Value;
use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr};
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tempfile::TempDir;
use tokio::sync::watch;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::protocol::Role;
use tokio_util::sync::CancellationToken;

pub(super) struct World {
    folder: TempDir,
    hub: Arc<Hub>,
    dialer: MemoryDialer,
    invites: u8,
    desks: BTreeMap<String, Noted>,
    shells: Vec<Shell>,
}

impl World {
    pub(super) fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let engine = SqliteEngine::open(&folder.path().join("relay.db"), Incarnation([7; 16])).unwrap();
        let mut config = Config::default();
        config.push.allow_networks = vec!["127.0.0.0/8".parse().unwrap()];
        let live = Live::new(config);
        let (hub, _threads) =
            Hub::start(Box::new(engine), live, Arc::new(Metrics::new()), Clock::system()).unwrap();
        let (dialer, mut listener) = memory(Timeouts::default());
        let serving = Arc::clone(&hub);
        tokio::spawn(async move {
            while let Some(stream) = listener.accept().await {
                let socket = WebSocketStream::from_raw_socket(stream, Role::Server, None).await;
                let peer = Peer::unplaced(IpAddr::V4(Ipv4Addr::LOCALHOST));
                tokio::spawn(Arc::clone(&serving).serve(socket, peer));
            }
        });
        Self { folder, hub, dialer, invites: 0, desks: BTreeMap::new(), shells: Vec::new() }
    }

    /// The relay tells people elsewhere too.
    pub(super) fn sends_pushes(&self) {
        let address = "https://relay.example".to_owned();
        tokio::spawn(courier::run(Arc::clone(&self.hub), address, CancellationToken::new()));
    }

    /// A shell in a home of this name; again: the same home after a restart.
    pub(super) fn shell(&mut self, home: &str) -> Shell {
        let dialer = self.dialer.clone();
        // A plain file: the tests of the engine try the key stores.
        let access = move |_: Choice| Access::new(Choice::PlainFile).connect(Arc::new(dialer.clone()));
        let shell = Shell::new(Dirs::below(&self.folder.path().join(home)), Box::new(access));
        let noted = Noted::default();
        shell.seated(Box::new(noted.clone()));
        tokio::spawn(shell.feed().clone().run());
        self.desks.insert(home.to_owned(), noted);
        self.shells.push(shell.clone());
        shell
    }

    pub(super) async fn invite(&mut self) -> String {
        self.invites += 1;
        let token = [self.invites; 16];
        let role = RelayRole::Owner;
        let invite = InviteRow { token, uses: 1, expires_at: i64::MAX as u64, role, room: None, by: None };
        self.hub.ask(Write::PutInvite(invite)).await.unwrap();
        InviteLink { relay: "ws://127.0.0.1:7443".into(), token, pin: None, from: None, room: None }
            .to_string()
    }

    pub(super) async fn join_by(&self, shell: &Shell, link: &str, handle: &str) -> Outcome<Arrived> {
        let who = Newcomer { name: handle.into(), handle: Some(handle.into()), device_name: "laptop".into() };
        join_with(shell, link, who, Choice::PlainFile).await
    }

    pub(super) async fn join(&mut self, shell: &Shell, handle: &str) -> ProfileId {
        let link = self.invite().await;
        self.join_by(shell, &link, handle).await.unwrap().profile
    }

    /// Alice and Bob, who has a chat with her in which nothing is written yet.
    pub(super) async fn pair(&mut self) -> Pair {
        let (alice, bob) = (self.shell("alice"), self.shell("bob"));
        let at_alice = self.join(&alice, "alice").await;
        let at_bob = self.join(&bob, "bob").await;
        let says = bob.client(&at_bob).unwrap();
        let room = says.dm_with(says.lookup("alice").await.unwrap().account).await.unwrap();
        Pair { alice, at_alice, bob, at_bob, says, room }
    }

    pub(super) fn desk(&self, home: &str) -> Noted {
        self.desks[home].clone()
    }

    pub(super) async fn end(self) {
        for shell in self.shells {
            shell.shut_down().await;
        }
    }
}

/// Two people. Alice is written to: Bob's engine `says`.
pub(super) struct Pair {
    pub(super) alice: Shell,
    pub(super) at_alice: ProfileId,
    pub(super) bob: Shell,
    pub(super) at_bob: ProfileId,
    pub(super) says: Client,
    pub(super) room: RoomId,
}

/// A system that notes down.
#[derive(Clone)]
pub(super) struct Noted {
    noted: Arc<Mutex<Notes>>,
    changed: watch::Sender<u64>,
}

#[derive(Default)]
struct Notes {
    notices: Vec<Notice>,
    withdrawn: Vec<Key>,
    tray: Option<Tray>,
    presented: usize,
}

impl Default for Noted {
    fn default() -> Self {
        Self { noted: Arc::default(), changed: watch::Sender::new(0) }
    }
}

impl Noted {
    pub(super) async fn notice(&self) -> Notice {
        self.wait("a notification", |notes| notes.notices.last().cloned()).await
    }

    pub(super) fn no_notice(&self) -> bool {
        self.noted.lock().unwrap().notices.is_empty()
    }

    pub(super) async fn withdrawn(&self) -> Key {
        self.wait("a withdrawal", |notes| notes.withdrawn.last().cloned()).await
    }

    pub(super) async fn tray_with(&self, fits: impl Fn(&Tray) -> bool) -> Tray {
        self.wait("the tray", |notes| notes.tray.clone().filter(|tray| fits(tray))).await
    }

    pub(super) async fn presented(&self) {
        self.wait("the window", |notes| (notes.presented > 0).then_some(())).await;
    }

    async fn wait<T>(&self, what: &str, find: impl Fn(&Notes) -> Option<T>) -> T {
        let mut changed = self.changed.subscribe();
        until(what, async {
            loop {
                if let Some(found) = find(&self.noted.lock().unwrap()) {
                    return found;
                }
                changed.changed().await.unwrap();
            }
        })
        .await
    }

    fn note(&self, note: impl FnOnce(&mut Notes)) {
        note(&mut self.noted.lock().unwrap());
        self.changed.send_modify(|count| *count += 1);
    }
}

impl Desk for Noted {
    fn notify(&self, notice: Notice) {
        self.note(|notes| notes.notices.push(notice));
    }

    fn withdraw(&self, key: &Key) {
        self.note(|notes| notes.withdrawn.push(key.clone()));
    }

    fn notify_and_wait(&self, notice: Notice) -> Later<Result<(), String>> {
        self.notify(notice);
        Box::pin(async { Ok(()) })
    }

    fn withdraw_and_wait(&self, key: &Key) -> Later<Result<(), String>> {
        self.withdraw(key);
        Box::pin(async { Ok(()) })
    }

    fn notification_access(&self, _ask: bool) -> Later<NotificationAccess> {
        Box::pin(async { NotificationAccess::Granted })
    }

    fn is_quiet(&self) -> bool {
        false
    }

    fn tray(&self, tray: Tray) {
        self.note(|notes| notes.tray = Some(tray));
    }

    fn has_tray_host(&self) -> bool {
        true
    }

    fn present(&self, _token: Option<&str>) {
        self.note(|notes| notes.presented += 1);
    }

    fn toggle(&self, token: Option<&str>) {
        self.present(token);
    }

    fn close(&self) {}

    fn repaint(&self) {}

    fn open_url(&self, _url: &str) -> Result<(), String> {
        Ok(())
    }

    fn ask_where(&self, _name: &str) -> Later<Option<PathBuf>> {
        Box::pin(async { None })
    }

    fn autostart(&self, _on: bool) -> Result<(), String> {
        Ok(())
    }

    fn is_autostarted(&self) -> Option<bool> {
        None
    }

    fn newer(&self, _list: &Value) -> Result<Option<Offer>, ReleaseError> {
        Ok(None)
    }

    fn install(&self, _list: Value, _file: Vec<u8>) -> Later<Result<(), ReleaseError>> {
        Box::pin(async { Err(ReleaseError::Nothing) })
    }

    fn start_anew(&self) {}

    fn quit(&self) {}
}

/// Waits for something that comes soon.
pub(super) async fn until<T>(what: &str, comes: impl Future<Output = T>) -> T {
    let Ok(came) = tokio::time::timeout(Duration::from_secs(20), comes).await else {
        panic!("{what} did not come in time")
    };
    came
}
