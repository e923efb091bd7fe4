//! A relay with its store on disk, a network that can be taken away, and the homes of some devices.

use kith_client::core::{Engine, Entropy, Identity, Parts, Update};
use kith_client::keys::{Choice, Passphrase};
use kith_client::net::{MemoryDialer, Timeouts, memory};
use kith_client::store::MemoryStore;
use kith_client::vault::MemoryVault;
use kith_client::{Access, Client, Home, JoinError, Newcomer, Next, OpenError, RecoverError, Relay, Updates};
use kith_protocol::ids::Incarnation;
use kith_protocol::link::InviteLink;
use kith_protocol::recovery::RecoveryKey;
use kith_relay::clock::Clock;
use kith_relay::config::{Config, Live};
use kith_relay::listen::Peer;
use kith_relay::metrics::Metrics;
use kith_relay::relay::hub::Hub;
use kith_relay::relay::writes::Write;
use kith_relay::store::sqlite::SqliteEngine;
use kith_relay::store::{InviteRow, RelayRole};
use std::net::{IpAddr, Ipv4Addr};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use tempfile::TempDir;
use tokio::sync::mpsc;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::protocol::Role;

const ADDRESS: &str = "ws://127.0.0.1:7443";

pub(crate) struct House {
    folder: TempDir,
    hub: Arc<Hub>,
    metrics: Arc<Metrics>,
    dialer: MemoryDialer,
    network: mpsc::Sender<bool>,
    invites: u8,
}

impl House {
    pub(crate) fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let engine = SqliteEngine::open(&folder.path().join("relay.db"), Incarnation([7; 16])).unwrap();
        let live = Live::new(Config::default());
        let metrics = Arc::new(Metrics::new());
        let (hub, _threads) =
            Hub::start(Box::new(engine), live, Arc::clone(&metrics), Clock::system()).unwrap();
        let (dialer, mut listener) = memory(Timeouts::default());
        let (network, mut switched) = mpsc::channel::<bool>(4);
        let serving = Arc::clone(&hub);
        tokio::spawn(async move {
            loop {
                tokio::select! {
                    biased;
                    Some(online) = switched.recv() => listener.set_online(online),
                    stream = listener.accept() => {
                        let Some(stream) = stream else { return };
                        let socket = WebSocketStream::from_raw_socket(stream, Role::Server, None).await;
                        let peer = Peer::unplaced(IpAddr::V4(Ipv4Addr::LOCALHOST));
                        tokio::spawn(Arc::clone(&serving).serve(socket, peer));
                    }
                }
            }
        });
        Self { folder, hub, metrics, dialer, network, invites: 0 }
    }

    /// What the relay has counted under this name.
    pub(crate) fn counted(&self, name: &str) -> u64 {
        let metrics = self.metrics.render();
        let value = metrics.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
        value.unwrap_or_else(|| panic!("{name} is not counted: {metrics}")).parse().unwrap()
    }

    /// Takes the network away, or gives it back.
    pub(crate) fn set_online(&self, online: bool) {
        self.network.try_send(online).unwrap();
    }

    fn home(&self, name: &str) -> Home {
        Home::open(&self.place(name)).unwrap()
    }

    fn place(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn access(&self) -> Access {
        let passphrase = Passphrase::new("a passphrase").unwrap();
        Access::new(Choice::Passphrase(passphrase)).connect(Arc::new(self.dialer.clone()))
    }

    pub(crate) async fn join(&mut self, handle: &str) -> Client {
        self.try_join(handle, handle, Some(handle)).await.unwrap()
    }

    pub(crate) async fn try_join(
        &mut self,
        home: &str,
        name: &str,
        handle: Option<&str>,
    ) -> Result<Client, JoinError> {
        // The network is switched by a task of its own.
        tokio::task::yield_now().await;
        self.invites += 1;
        let token = [self.invites; 16];
        let role = RelayRole::Owner;
        let invite = InviteRow { token, uses: 1, expires_at: i64::MAX as u64, role, room: None, by: None };
        self.hub.ask(Write::PutInvite(invite)).await.unwrap();
        let link = InviteLink { relay: ADDRESS.into(), token, pin: None, from: None, room: None };
        let who =
            Newcomer { name: name.into(), handle: handle.map(Into::into), device_name: "laptop".into() };
        Client::join(self.home(home), self.access(), &link, who).await
    }

    pub(crate) async fn open(&self, name: &str) -> Result<Client, OpenError> {
        Client::open(self.home(name), self.access()).await
    }

    /// A new device, whose digits are compared.
    pub(crate) async fn link(&self, with: &Client, name: &str) -> Client {
        let mut offer = with.link_offer().await.unwrap();
        let link = offer.link().clone();
        let (shown, digits) = std::sync::mpsc::channel();
        let newcomer = Client::link(self.home(name), self.access(), &link, name, move |digits| {
            shown.send(digits).unwrap();
        });
        let confirm = async {
            let answered = offer.answered().await.unwrap();
            assert_eq!(answered.device_name, name);
            assert_eq!(answered.digits, digits.recv().unwrap().digits);
            offer.confirm().await.unwrap();
        };
        tokio::join!(newcomer, confirm).0.unwrap()
    }

    pub(crate) async fn recover(
        &self,
        key: &RecoveryKey,
        name: &str,
    ) -> Result<(Client, RecoveryKey), RecoverError> {
        let relay = Relay { address: ADDRESS.into(), pin: None };
        Client::recover(self.home(name), self.access(), key, relay, name).await
    }

    /// Overwrites the database of a home that nobody holds.
    pub(crate) fn damage_store(&self, name: &str) {
        let path = self.place(name).join("store").join("db");
        let bytes = std::fs::read(&path).unwrap();
        std::fs::write(&path, vec![0xa5; bytes.len()]).unwrap();
    }
}

/// A client in memory whose relay does not exist.
pub(crate) fn nowhere() -> Client {
    let (mut vault, mut entropy) = (MemoryVault::new(), Entropy::seeded(1));
    let link = InviteLink { relay: ADDRESS.into(), token: [1; 16], pin: None, from: None, room: None };
    let who = Newcomer { name: "Alice".into(), handle: None, device_name: "laptop".into() };
    let identity = Identity::join(&mut vault, &mut entropy, &link, &who, 1).unwrap();
    let parts = Parts { store: Box::new(MemoryStore::new()), vault: Box::new(vault), identity, entropy };
    let (dialer, _) = memory(Timeouts::default());
    Client::with_engine(Engine::new(parts).unwrap(), Arc::new(dialer)).unwrap()
}

/// Waits for an update of which something is wanted.
pub(crate) async fn heard<T>(
    what: &str,
    updates: &mut Updates,
    mut wanted: impl FnMut(Update) -> Option<T>,
) -> T {
    let wait = async {
        loop {
            match updates.next().await {
                Some(Next::Update(update)) => {
                    if let Some(found) = wanted(update) {
                        return found;
                    }
                }
                Some(Next::Lagged(missed)) => panic!("{missed} updates were missed"),
                None => panic!("the client is gone"),
            }
        }
    };
    let Ok(found) = tokio::time::timeout(Duration::from_secs(20), wait).await else {
        panic!("{what} was not heard in time")
    };
    found
}
