//! Knocks at a relay as a stranger would: is it there, is it well, which key does it show?

use std::{net::SocketAddr, sync::Arc, time::Duration};

use rustls::{
    ClientConfig, DigitallySignedStruct, SignatureScheme,
    client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier},
    crypto::CryptoProvider,
    pki_types::{CertificateDer, ServerName, UnixTime},
    server::ParsedCertificate,
};
use sha2::{Digest, Sha256};
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt},
    net::TcpStream,
    time::timeout,
};
use tokio_rustls::TlsConnector;

use crate::tls::Pin;

/// What was seen.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Seen {
    /// Its `/health` said so.
    pub(super) well: bool,
    /// None where the connection is plain.
    pub(super) pin: Option<Pin>,
}

pub(super) async fn visit(host: &str, address: SocketAddr, secure: bool) -> Result<Seen, String> {
    timeout(PATIENCE, knock(host, address, secure)).await.map_err(|_| "no answer in time".to_owned())?
}

async fn knock(host: &str, address: SocketAddr, secure: bool) -> Result<Seen, String> {
    let said = |error: std::io::Error| error.to_string();
    let tcp = TcpStream::connect(address).await.map_err(said)?;
    if !secure {
        return Ok(Seen { well: health(tcp, host).await.map_err(said)?, pin: None });
    }
    let name = ServerName::try_from(host.to_owned()).map_err(|error| error.to_string())?;
    let tls = TlsConnector::from(Arc::new(looking()?)).connect(name, tcp).await.map_err(said)?;
    let leaf = tls.get_ref().1.peer_certificates().and_then(|chain| chain.first());
    let parsed = leaf.map(ParsedCertificate::try_from).transpose().map_err(|error| error.to_string())?;
    let pin = parsed.map(|parsed| Pin::from(Sha256::digest(parsed.subject_public_key_info())));
    Ok(Seen { well: health(tls, host).await.map_err(said)?, pin })
}

async fn health(mut stream: impl AsyncRead + AsyncWrite + Unpin, host: &str) -> std::io::Result<bool> {
    let request = format!("GET /health HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await?;
    let mut answer = Vec::new();
    // Some servers end TLS without a word: what came before counts.
    let _ = (&mut stream).take(ANSWER_BYTES_MAX).read_to_end(&mut answer).await;
    let answer = String::from_utf8_lossy(&answer);
    Ok(answer.starts_with("HTTP/1.1 200") && answer.contains("\"status\":\"ok\""))
}

/// Takes any certificate: nothing is said or believed, and which key it was is told.
fn looking() -> Result<ClientConfig, String> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider.clone())
        .with_safe_default_protocol_versions()
        .map_err(|error| error.to_string())?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(Anybody(provider)))
        .with_no_client_auth();
    Ok(config)
}

#[derive(Debug)]
struct Anybody(Arc<CryptoProvider>);

impl ServerCertVerifier for Anybody {
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
        rustls::crypto::verify_tls12_signature(
            message,
            cert,
            signature,
            &self.0.signature_verification_algorithms,
        )
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        rustls::crypto::verify_tls13_signature(
            message,
            cert,
            signature,
            &self.0.signature_verification_algorithms,
        )
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}

const PATIENCE: Duration = Duration::from_secs(5);
/// Of `/health`, with some room.
const ANSWER_BYTES_MAX: u64 = 16 << 10;
