//! The door: takes connections, secures them, leads them through HTTP, and hands WebSockets to whoever [`Accept`]s.
//!
//! A connection is first one task with all the state of a handshake, and then, upgraded, another with none of it.

use std::{
    future::Future,
    io,
    net::{IpAddr, SocketAddr},
    sync::Arc,
    time::Duration,
};

use tokio::{
    io::AsyncWriteExt,
    net::{TcpListener, TcpStream},
};
use tokio_tungstenite::WebSocketStream;
use tokio_util::sync::CancellationToken;
use tracing::{debug, info, warn};

use crate::{
    clock::Clock,
    config::Live,
    hooks::{HookError, HookPost, Posted},
    http::{self, Served, Upgraded, forwarded},
    metrics::Metrics,
    places::{self, AddressPlace, Addresses, Place, Places},
    refusals::Whom,
    stream::Stream,
    tls::{self, Tls},
};

/// What stands behind the door. A clone is made for each connection: keep it an `Arc`.
pub trait Accept: Clone + Send + Sync + 'static {
    /// Runs one connection to its end. On shutdown it is expected to end by itself; it is dropped at the deadline.
    fn accept(self, socket: WebSocketStream<Stream>, peer: Peer)
    -> impl Future<Output = ()> + Send + 'static;

    /// Whether the relay can do its work; the reason is shown to anyone who asks `/health`.
    fn health(&self) -> impl Future<Output = Result<(), &'static str>> + Send;

    /// A program writes through an integration.
    fn hook(&self, token: &str, post: HookPost) -> impl Future<Output = Result<Posted, HookError>> + Send;

    /// The `kith://` link of an invite that is still good.
    fn invite_link(&self, token: &str) -> impl Future<Output = Option<String>> + Send;
}

/// Where a connection comes from, as far as one can see. Keep it as long as the connection: it holds its place.
#[derive(Debug)]
pub struct Peer {
    pub address: IpAddr,
    _held: Option<Held>,
}

impl Peer {
    /// Whom limits for each address count it to; nobody on the relay's own machine.
    pub(crate) fn network(&self) -> Option<IpAddr> {
        (!places::is_exempt(self.address)).then(|| places::network(self.address))
    }

    /// One that came through no door: for tests and in-memory transports.
    pub fn unplaced(address: IpAddr) -> Self {
        Self { address, _held: None }
    }
}

/// What the door works with.
#[derive(Debug)]
pub struct Door<A> {
    tcp: TcpListener,
    shared: Arc<Shared<A>>,
}

#[derive(Debug)]
pub(crate) struct Shared<A> {
    pub(crate) accept: A,
    pub(crate) live: Live,
    pub(crate) metrics: Arc<Metrics>,
    pub(crate) clock: Clock,
    pub(crate) addresses: Arc<Addresses>,
    pub(crate) connections: Arc<Places>,
    /// Files of updates on their way, and whose they are.
    pub(crate) downloads: Arc<Places>,
    pub(crate) downloads_by: Arc<Addresses>,
    handshakes: Arc<Places>,
    tls: Option<Tls>,
}

impl<A: Accept> Door<A> {
    pub fn new(
        tcp: TcpListener,
        tls: Option<Tls>,
        live: Live,
        metrics: Arc<Metrics>,
        clock: Clock,
        accept: A,
    ) -> Self {
        let shared = Shared {
            accept,
            live,
            metrics,
            clock,
            addresses: Arc::new(Addresses::new()),
            connections: Arc::default(),
            downloads: Arc::default(),
            downloads_by: Arc::new(Addresses::new()),
            handshakes: Arc::default(),
            tls,
        };
        Self { tcp, shared: Arc::new(shared) }
    }

    /// Serves until `shutdown`, then waits for the connections to end, as long as the configuration allows.
    pub async fn run(self, shutdown: CancellationToken) {
        let Self { tcp, shared } = self;
        let limits = || shared.live.load().limits.max_handshakes;
        loop {
            // A place comes first: when all handshakes are taken, newcomers wait in the kernel's queue.
            let next = async {
                let place = shared.handshakes.wait(limits).await;
                (place, tcp.accept().await)
            };
            tokio::select! {
                biased;
                () = shutdown.cancelled() => break,
                (place, accepted) = next => match accepted {
                    Ok((stream, address)) => shared.clone().welcome(stream, address, place),
                    Err(error) => pause_after(&error).await,
                },
            }
        }
        drop(tcp);
        let deadline = shared.live.load().limits.shutdown_timeout();
        if tokio::time::timeout(deadline, shared.connections.emptied()).await.is_err() {
            info!(left = shared.connections.taken(), "connections did not end in time");
        }
    }
}

impl<A: Accept> Shared<A> {
    fn welcome(self: Arc<Self>, stream: TcpStream, address: SocketAddr, place: Place) {
        let address = address.ip().to_canonical();
        {
            let config = self.live.load();
            let is_proxy = config.behind_proxy && forwarded::is_trusted(address, &config.trusted_proxies);
            // Before TLS, so that a flood costs no handshakes; hence without a word.
            if !is_proxy && !self.addresses.paced(address, self.clock.now(), &config.limits) {
                self.refused(address, "address_rate");
                return;
            }
        }
        tokio::spawn(async move {
            self.metrics.handshakes.inc();
            let deadline = self.live.load().limits.handshake_timeout();
            let served = tokio::time::timeout(deadline, self.clone().handshake(stream, address)).await;
            self.metrics.handshakes.dec();
            drop(place);
            match served {
                Ok(Some(Served::Upgraded(upgraded))) => self.hand_over(upgraded),
                Ok(Some(Served::Download(download))) => {
                    let patience = self.live.load().limits.write_timeout();
                    tokio::spawn(download.run(patience));
                }
                Ok(None) => {}
                Err(_) => debug!("a handshake took too long"),
            }
        });
    }

    /// Whether those who came here came encrypted, to us or to the proxy before us.
    pub(crate) fn is_encrypted(&self) -> bool {
        self.tls.is_some() || self.live.load().behind_proxy
    }

    /// Counts a refusal before the protocol.
    pub(crate) fn refused(&self, address: IpAddr, code: &'static str) {
        self.metrics.refused_to(Whom::Address(address), code, self.clock.unix_ms());
    }

    async fn handshake(self: Arc<Self>, stream: TcpStream, address: IpAddr) -> Option<Served> {
        // Frames are small, and gathered by us where there are several.
        stream.set_nodelay(true).ok()?;
        let stream = match &self.tls {
            None => Stream::Plain(stream),
            Some(tls) => {
                let mut stream = tls.acceptor().accept(stream).await.ok()?;
                if tls::was_challenge(stream.get_ref().1) {
                    let _ = stream.shutdown().await;
                    return None;
                }
                stream.get_mut().1.set_buffer_limit(Some(TLS_BUFFER));
                Stream::Tls(Box::new(stream))
            }
        };
        http::serve(self, stream, address).await
    }

    /// In a task of its own: the handshake's is as large as its largest moment. Nothing is wrapped around the future
    /// of the connection, since each wrapper would hold a second copy of it.
    fn hand_over(self: Arc<Self>, upgraded: Box<Upgraded>) {
        let Upgraded { socket, address, place, address_place } = *upgraded;
        self.metrics.connections.inc();
        let held = Held { metrics: self.metrics.clone(), _place: place, _address_place: address_place };
        tokio::spawn(self.accept.clone().accept(socket, Peer { address, _held: Some(held) }));
    }
}

/// Counts a connection for as long as it lives, however it ends.
#[derive(Debug)]
struct Held {
    metrics: Arc<Metrics>,
    _place: Place,
    _address_place: AddressPlace,
}

impl Drop for Held {
    fn drop(&mut self) {
        self.metrics.connections.dec();
    }
}

/// Out of files or memory: connections that end will give some back. What concerns one newcomer alone needs no pause.
async fn pause_after(error: &io::Error) {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset};
    if matches!(error.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset) {
        return;
    }
    warn!(%error, "cannot take a connection");
    tokio::time::sleep(ACCEPT_PAUSE).await;
}

/// What rustls may hold back for a slow reader; the bound of the library is 64 KiB.
const TLS_BUFFER: usize = 16 << 10;

const ACCEPT_PAUSE: Duration = Duration::from_millis(200);
