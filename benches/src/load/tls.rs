//! Devices behind TLS. What they hold is not measured, so they use the libraries nearly as they come.

use super::device::answer;
use super::wire::tcp;
use crate::Outcome;
use crate::world::Person;
use futures_util::{SinkExt, StreamExt};
use kith_protocol::frame::ServerFrame;
use kith_protocol::ids::AccountId;
use kith_protocol::keys::DeviceKeys;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{WebPkiSupportedAlgorithms, ring, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{ClientConfig, DigitallySignedStruct, SignatureScheme};
use std::net::SocketAddr;
use std::sync::Arc;
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_tungstenite::{WebSocketStream, client_async_with_config};

/// A device's connection.
pub(crate) type Socket = WebSocketStream<TlsStream<TcpStream>>;

/// What trusts the relay that was just started.
pub(crate) fn connector() -> Outcome<TlsConnector> {
    Ok(TlsConnector::from(Arc::new(config()?)))
}

/// The devices of these people.
pub(crate) async fn identify_all(to: SocketAddr, people: &[Person]) -> Outcome<Vec<Socket>> {
    let connector = connector()?;
    let devices = super::device::keys_of(people);
    let identify = |(account, keys)| identify(connector.clone(), to, account, keys);
    super::many(devices.into_iter().map(identify)).await
}

/// Connects and identifies a device.
pub(crate) async fn identify(
    connector: TlsConnector,
    to: SocketAddr,
    account: AccountId,
    keys: DeviceKeys,
) -> Outcome<Socket> {
    let stream = connector.connect(ServerName::try_from("localhost")?, tcp(to).await?).await?;
    let small = WebSocketConfig::default().read_buffer_size(4 << 10);
    let (mut socket, _) = client_async_with_config("ws://localhost/v1/ws", stream, Some(small)).await?;
    loop {
        let Message::Binary(bytes) = socket.next().await.ok_or("the relay hung up")?? else { continue };
        match ServerFrame::decode(&bytes)? {
            ServerFrame::Hello(hello) => {
                socket.send(Message::Binary(answer(&hello, account, &keys)?.encode())).await?;
            }
            ServerFrame::Heads(heads) if heads.done => return Ok(socket),
            ServerFrame::Refused(refused) => return Err(format!("refused: {:?}", refused.code).into()),
            _ => {}
        }
    }
}

fn config() -> Outcome<ClientConfig> {
    let provider = Arc::new(ring::default_provider());
    let anyone = Arc::new(Anyone(provider.signature_verification_algorithms));
    Ok(ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .dangerous()
        .with_custom_certificate_verifier(anyone)
        .with_no_client_auth())
}

/// Trusts whoever answers: it is the relay that was just started.
#[derive(Debug)]
struct Anyone(WebPkiSupportedAlgorithms);

impl ServerCertVerifier for Anyone {
    fn verify_server_cert(
        &self,
        _end_entity: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _name: &ServerName<'_>,
        _ocsp: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls12_signature(message, cert, signature, &self.0)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls13_signature(message, cert, signature, &self.0)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.supported_schemes()
    }
}
