//! The relay under test: the real one behind its real door, with limits that a load from one address does not meet.

use crate::{Outcome, child};
use kith_protocol::ids::Incarnation;
use kith_relay::clock::Clock;
use kith_relay::config::{Config, Live, TlsMode};
use kith_relay::hooks::{HookError, HookPost, Posted};
use kith_relay::listen::{Accept, Door, Peer};
use kith_relay::metrics::Metrics;
use kith_relay::relay::hub::Hub;
use kith_relay::store::sqlite::SqliteEngine;
use kith_relay::stream::Stream;
use kith_relay::tls::Tls;
use std::future::Future;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tokio::net::TcpListener;
use tokio_tungstenite::WebSocketStream;
use tokio_util::sync::CancellationToken;

/// The file of a relay's store.
pub(crate) fn store(folder: &Path) -> PathBuf {
    folder.join("relay.db")
}

/// Serves until the parent lets go.
pub(crate) fn serve(folder: &Path, tls: bool) -> Outcome<()> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let mut config = lifted(Config::default());
    folder.clone_into(&mut config.data);
    if tls {
        // Not loopback: then a relay makes a key of its own.
        config.tls.mode = TlsMode::Auto;
        config.listen.set_ip([0, 0, 0, 0].into());
    }
    let tls = Tls::open(&config, folder, "localhost")?;
    let engine = SqliteEngine::open(&store(folder), Incarnation([7; 16]))?;
    let (live, metrics, clock) = (Live::new(config), Arc::new(Metrics::new()), Clock::system());
    let (hub, _threads) = Hub::start(Box::new(engine), live.clone(), Arc::clone(&metrics), clock)?;
    let tcp = runtime.block_on(TcpListener::bind("127.0.0.1:0"))?;
    let address = tcp.local_addr()?;
    let door = Door::new(tcp, tls, live, Arc::clone(&metrics), clock, Through(hub));
    runtime.spawn(door.run(CancellationToken::new()));
    child::obey(address, || metrics.render())?;
    // Nothing is left to be written: whoever measured has read what it wanted.
    std::process::exit(0);
}

fn lifted(mut config: Config) -> Config {
    let (rate, burst) = (1_000_000_000, u32::MAX);
    let limits = &mut config.limits;
    limits.max_connections = burst;
    limits.max_handshakes = 4_096;
    limits.connections_per_address = burst;
    limits.new_connections_per_address_per_second = 1_000_000;
    limits.new_connections_per_address_burst = burst;
    limits.frames_per_second = rate;
    limits.frames_burst = burst;
    limits.messages_per_second = rate;
    limits.messages_burst = burst;
    limits.account_messages_per_second = rate;
    limits.account_messages_burst = burst;
    limits.max_accounts = 1_000_000;
    // The load answers no pings.
    limits.idle_timeout_s = 86_400;
    limits.members_per_room = 1_000_000;
    config
}

#[derive(Clone)]
struct Through(Arc<Hub>);

impl Accept for Through {
    fn accept(
        self,
        socket: WebSocketStream<Stream>,
        peer: Peer,
    ) -> impl Future<Output = ()> + Send + 'static {
        self.0.serve(socket, peer)
    }

    async fn health(&self) -> Result<(), &'static str> {
        Ok(())
    }

    async fn hook(&self, _token: &str, _post: HookPost) -> Result<Posted, HookError> {
        Err(HookError::Unknown)
    }

    async fn invite_link(&self, _token: &str) -> Option<String> {
        None
    }
}
