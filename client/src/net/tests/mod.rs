//! The whole way over real sockets on loopback, and links over pipes in virtual time.

mod dial;
mod link;
mod memory;
mod proxies;

use std::{net::SocketAddr, sync::Arc, time::Duration};

use bytes::Bytes;
use futures_util::{SinkExt, StreamExt};
use rustls::{
    ServerConfig,
    crypto::ring,
    pki_types::{CertificateDer, PrivateKeyDer},
};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::{TcpListener, TcpStream},
};
use tokio_rustls::TlsAcceptor;
use tokio_tungstenite::{WebSocketStream, accept_async, tungstenite::Message};

use super::*;

/// A certificate and its key.
struct Identity {
    certificate: CertificateDer<'static>,
    key: PrivateKeyDer<'static>,
}

impl Identity {
    fn new() -> Self {
        Self::valid_until(2100)
    }

    fn expired() -> Self {
        Self::valid_until(2001)
    }

    fn valid_until(year: i32) -> Self {
        let key = rcgen::KeyPair::generate().unwrap();
        let mut params = rcgen::CertificateParams::new(vec!["some.other.name.example".to_owned()]).unwrap();
        params.not_before = rcgen::date_time_ymd(2000, 1, 1);
        params.not_after = rcgen::date_time_ymd(year, 1, 1);
        let certificate = params.self_signed(&key).unwrap().der().clone();
        Self { certificate, key: PrivateKeyDer::try_from(key.serialize_der()).unwrap() }
    }

    fn pin(&self) -> [u8; 32] {
        pin_of(&self.certificate).unwrap()
    }

    fn acceptor(&self) -> TlsAcceptor {
        let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![self.certificate.clone()], self.key.clone_key())
            .unwrap();
        TlsAcceptor::from(Arc::new(config))
    }
}

/// Serves every connection to a port of its own, until the test's runtime ends.
async fn serve<F, R>(each: F) -> SocketAddr
where
    F: Fn(TcpStream) -> R + Send + 'static,
    R: Future<Output = ()> + Send + 'static,
{
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(each(stream));
        }
    });
    address
}

/// A relay that echoes, behind TLS.
async fn echo_relay(identity: &Identity) -> SocketAddr {
    let acceptor = identity.acceptor();
    serve(move |stream| {
        let acceptor = acceptor.clone();
        async move {
            // A client that does not trust us breaks off.
            let Ok(stream) = acceptor.accept(stream).await else { return };
            echo(accept_async(stream).await.unwrap()).await;
        }
    })
    .await
}

async fn echo<S: AsyncRead + AsyncWrite + Unpin>(mut socket: WebSocketStream<S>) {
    while let Some(Ok(message)) = socket.next().await {
        if message.is_binary() && socket.send(message).await.is_err() {
            return;
        }
    }
}

fn wss(address: SocketAddr) -> RelayAddress {
    RelayAddress::parse(&format!("wss://{address}")).unwrap()
}

fn ws(address: SocketAddr) -> RelayAddress {
    RelayAddress::parse(&format!("ws://{address}")).unwrap()
}

/// For peers that never answer: every step fails soon.
fn impatient() -> Timeouts {
    let soon = Duration::from_millis(150);
    Timeouts { proxy: soon, tls: soon, upgrade: soon, ..Timeouts::default() }
}

async fn assert_echoes(link: &mut Link) {
    for size in [0, 1, 70_000, 300_000] {
        let message = Bytes::from(vec![7; size]);
        link.send(message.clone()).await.unwrap();
        assert_eq!(link.next().await.unwrap().unwrap(), Incoming::Binary(message));
    }
}

fn binary(bytes: &[u8]) -> Message {
    Message::Binary(Bytes::copy_from_slice(bytes))
}
