//! A door on a free port with an echo behind it, and a client that pins.

use std::{
    future::Future,
    net::{IpAddr, SocketAddr},
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
};

use futures_util::{SinkExt, StreamExt};
use kith_relay::{
    clock::Clock,
    config::{Config, Live},
    hooks::{HookError, HookPost, Posted},
    listen::{Accept, Door, Peer},
    metrics::Metrics,
    stream::Stream,
    tls::{Pin, Tls},
};
use rustls::{
    DigitallySignedStruct, SignatureScheme,
    client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier},
    pki_types::{CertificateDer, ServerName, UnixTime},
    server::ParsedCertificate,
};
use sha2::{Digest, Sha256};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    task::JoinHandle,
};
use tokio_tungstenite::{WebSocketStream, client_async};
use tokio_util::sync::CancellationToken;

pub(crate) const UPGRADE: &str = "GET /v1/ws HTTP/1.1\r\nhost: x\r\nconnection: upgrade\r\nupgrade: websocket\r\n\
    sec-websocket-version: 13\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";

pub(crate) struct Opened {
    pub(crate) address: SocketAddr,
    pub(crate) pin: Option<Pin>,
    pub(crate) echo: Echo,
    pub(crate) metrics: Arc<Metrics>,
    shutdown: CancellationToken,
    running: JoinHandle<()>,
    _data: tempfile::TempDir,
}

impl Opened {
    pub(crate) async fn with(config: Config) -> Self {
        let data = tempfile::tempdir().unwrap();
        let tls = Tls::open(&config, data.path(), "localhost").unwrap();
        let pin = tls.as_ref().and_then(Tls::pin);
        let tcp = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = tcp.local_addr().unwrap();
        let (echo, metrics, shutdown) = (Echo::default(), Arc::new(Metrics::new()), CancellationToken::new());
        let door = Door::new(tcp, tls, Live::new(config), metrics.clone(), Clock::system(), echo.clone());
        let running = tokio::spawn(door.run(shutdown.clone()));
        Self { address, pin, echo, metrics, shutdown, running, _data: data }
    }

    pub(crate) async fn connect(&self) -> WebSocketStream<TcpStream> {
        let stream = TcpStream::connect(self.address).await.unwrap();
        client_async("ws://localhost/v1/ws", stream).await.unwrap().0
    }

    pub(crate) async fn get(&self, path: &str) -> String {
        self.exchange(&format!("GET {path} HTTP/1.1\r\nhost: localhost\r\n\r\n")).await
    }

    /// What comes back until the relay hangs up.
    pub(crate) async fn exchange(&self, request: &str) -> String {
        let mut stream = TcpStream::connect(self.address).await.unwrap();
        // A relay that has seen enough may hang up before all is written.
        let _ = stream.write_all(request.as_bytes()).await;
        let mut answer = Vec::new();
        let _ = stream.read_to_end(&mut answer).await;
        String::from_utf8_lossy(&answer).into_owned()
    }

    /// Waits until a line of the metrics reads so.
    pub(crate) async fn metrics_show(&self, line: &str) {
        while !self.metrics.render().lines().any(|shown| shown == line) {
            tokio::task::yield_now().await;
        }
    }

    pub(crate) async fn shut_down(self) {
        self.shutdown.cancel();
        self.running.await.unwrap();
    }
}

#[derive(Clone, Default)]
pub(crate) struct Echo(Arc<State>);

#[derive(Default)]
struct State {
    ill: AtomicBool,
    last_peer: Mutex<Option<IpAddr>>,
}

impl Echo {
    pub(crate) fn fall_ill(&self) {
        self.0.ill.store(true, Ordering::Relaxed);
    }

    pub(crate) fn last_peer(&self) -> Option<IpAddr> {
        *self.0.last_peer.lock().unwrap()
    }
}

impl Accept for Echo {
    async fn accept(self, mut socket: WebSocketStream<Stream>, peer: Peer) {
        *self.0.last_peer.lock().unwrap() = Some(peer.address);
        while let Some(Ok(message)) = socket.next().await {
            if message.is_binary() && socket.send(message).await.is_err() {
                return;
            }
        }
    }

    async fn health(&self) -> Result<(), &'static str> {
        if self.0.ill.load(Ordering::Relaxed) { Err("the disk is full") } else { Ok(()) }
    }

    async fn hook(&self, _token: &str, _post: HookPost) -> Result<Posted, HookError> {
        Err(HookError::Unknown)
    }

    fn invite_link(&self, token: &str) -> impl Future<Output = Option<String>> + Send {
        let link = (token == "good-token").then(|| format!("kith://join?t={token}&a=1"));
        async move { link }
    }
}

/// Trusts one key, as a device does after an invite.
#[derive(Debug)]
pub(crate) struct PinnedKey(Pin);

impl PinnedKey {
    pub(crate) fn client(pin: Pin) -> rustls::ClientConfig {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        rustls::ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(Self(pin)))
            .with_no_client_auth()
    }
}

impl ServerCertVerifier for PinnedKey {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _name: &ServerName<'_>,
        _ocsp: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        let key = ParsedCertificate::try_from(end_entity)?.subject_public_key_info();
        if Pin::from(Sha256::digest(key)) == self.0 {
            Ok(ServerCertVerified::assertion())
        } else {
            Err(rustls::Error::General("another key than the pinned one".into()))
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = rustls::crypto::ring::default_provider().signature_verification_algorithms;
        rustls::crypto::verify_tls12_signature(message, cert, signature, &algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = rustls::crypto::ring::default_provider().signature_verification_algorithms;
        rustls::crypto::verify_tls13_signature(message, cert, signature, &algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        rustls::crypto::ring::default_provider().signature_verification_algorithms.supported_schemes()
    }
}
