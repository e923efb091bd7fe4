//! A relay in this process.

use super::wire::Wire;
use kith_protocol::ids::Incarnation;
use kith_relay::clock::Clock;
use kith_relay::config::{Config, Live};
use kith_relay::listen::Peer;
use kith_relay::metrics::Metrics;
use kith_relay::relay::hub::{Hub, Threads};
use kith_relay::relay::writes::Write;
use kith_relay::store::sqlite::{Quota, SqliteEngine};
use kith_relay::store::{InviteRow, RelayRole};
use std::net::{IpAddr, Ipv4Addr};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use tempfile::TempDir;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::protocol::Role;

pub struct Relay {
    pub hub: Arc<Hub>,
    threads: Threads,
    /// Where its database is, unless the test has a folder for it.
    _folder: Option<TempDir>,
}

impl Relay {
    /// One that nobody opens a second time.
    pub fn fresh() -> Self {
        Self::fresh_with(Config::default())
    }

    pub fn fresh_with(config: Config) -> Self {
        Self::fresh_with_quota(config).0
    }

    pub fn fresh_with_quota(config: Config) -> (Self, Quota) {
        let folder = tempfile::tempdir().unwrap();
        let (relay, quota) = Self::open_with_quota(folder.path(), config);
        (Self { _folder: Some(folder), ..relay }, quota)
    }

    pub fn open(folder: &Path) -> Self {
        Self::open_with(folder, Config::default())
    }

    pub fn open_with(folder: &Path, config: Config) -> Self {
        Self::open_with_quota(folder, config).0
    }

    /// The same, and how much its disk holds.
    pub fn open_with_quota(folder: &Path, config: Config) -> (Self, Quota) {
        Self::open_by_clock(folder, config, Clock::system())
    }

    /// One whose clock says this.
    pub fn fresh_by_clock(config: Config, clock: Clock) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let (relay, _) = Self::open_by_clock(folder.path(), config, clock);
        Self { _folder: Some(folder), ..relay }
    }

    fn open_by_clock(folder: &Path, config: Config, clock: Clock) -> (Self, Quota) {
        let engine = SqliteEngine::open(&folder.join("relay.db"), Incarnation([7; 16])).unwrap();
        let quota = engine.quota();
        let (hub, threads) =
            Hub::start(Box::new(engine), Live::new(config), Arc::new(Metrics::new()), clock).unwrap();
        (Self { hub, threads, _folder: None }, quota)
    }

    pub async fn invite(&self) -> [u8; 16] {
        let token = [9; 16];
        let role = RelayRole::Member;
        let invite = InviteRow { token, uses: 1000, expires_at: i64::MAX as u64, role, room: None, by: None };
        self.hub.ask(Write::PutInvite(invite)).await.unwrap();
        token
    }

    pub async fn connect(&self) -> Wire {
        let (ours, theirs) = tokio::io::duplex(64 * 1024);
        let config = kith_relay::http::websocket_config(&self.hub.live.load().limits);
        let server = WebSocketStream::from_raw_socket(theirs, Role::Server, Some(config)).await;
        let peer = Peer::unplaced(IpAddr::V4(Ipv4Addr::LOCALHOST));
        tokio::spawn(Arc::clone(&self.hub).serve(server, peer));
        Wire::over(ours).await
    }

    /// Ends the relay and waits until all is written. All devices must be gone.
    pub async fn close(self) {
        self.hub.shut_down(Duration::ZERO);
        drop(self.hub);
        tokio::task::spawn_blocking(move || self.threads.join()).await.unwrap();
    }
}

/// Limits that a test does not run into unless it sets out to.
pub fn generous() -> Config {
    let mut config = Config::default();
    let limits = &mut config.limits;
    for rate in [
        &mut limits.frames_per_second,
        &mut limits.frames_burst,
        &mut limits.messages_per_second,
        &mut limits.messages_burst,
        &mut limits.account_messages_per_second,
        &mut limits.account_messages_burst,
    ] {
        *rate = 1_000_000;
    }
    config
}
