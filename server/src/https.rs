//! HTTPS to elsewhere: one request a connection, within one deadline, with an answer of bounded size.

use std::{
    io,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use bytes::Bytes;
use http_body_util::{BodyExt, Limited};
use hyper::{
    Request, Response, Uri,
    body::Body,
    client::conn::http1,
    header::{HOST, HeaderValue},
};
use hyper_util::rt::TokioIo;
use rustls::{
    ClientConfig, RootCertStore,
    pki_types::{CertificateDer, InvalidDnsNameError, ServerName, pem::PemObject},
};
use rustls_platform_verifier::BuilderVerifierExt;
use tokio::{net::TcpStream, time::timeout};
use tokio_rustls::TlsConnector;

/// Whom we speak to, by the authorities that vouch for them. Clones share it.
#[derive(Clone)]
pub(crate) struct Https(TlsConnector);

#[derive(Debug, thiserror::Error)]
pub(crate) enum HttpsError {
    #[error("{} holds no certificate in PEM", path.display())]
    Authorities { path: PathBuf },
    #[error("TLS cannot be used: {0}; install the system's certificate authorities (ca-certificates)")]
    Tls(#[from] rustls::Error),
    #[error("{0} is no https address")]
    Address(Uri),
    #[error("{0} cannot be a server's name")]
    Name(#[from] InvalidDnsNameError),
    #[error("{0}")]
    Connect(#[from] io::Error),
    #[error("{0}")]
    Http(#[from] hyper::Error),
    #[error("the answer breaks off, or is too long")]
    Answer,
    #[error("no answer within {} s", DEADLINE.as_secs())]
    Late,
}

impl Https {
    /// As [`connector`] trusts.
    pub(crate) fn new(authorities: Option<&Path>) -> Result<Self, HttpsError> {
        connector(authorities).map(Self)
    }

    pub(crate) async fn send<B>(&self, request: Request<B>) -> Result<Response<Bytes>, HttpsError>
    where
        B: Body<Data: Send, Error: Into<Box<dyn std::error::Error + Send + Sync>>> + Send + 'static,
    {
        timeout(DEADLINE, self.exchange(request)).await.map_err(|_| HttpsError::Late)?
    }

    async fn exchange<B>(&self, mut request: Request<B>) -> Result<Response<Bytes>, HttpsError>
    where
        B: Body<Data: Send, Error: Into<Box<dyn std::error::Error + Send + Sync>>> + Send + 'static,
    {
        let uri = request.uri().clone();
        let (Some("https"), Some(authority), Some(path)) =
            (uri.scheme_str(), uri.authority(), uri.path_and_query())
        else {
            return Err(HttpsError::Address(uri));
        };
        let bare = authority.host().trim_start_matches('[').trim_end_matches(']').to_owned();
        let host = HeaderValue::try_from(authority.as_str()).map_err(|_| HttpsError::Address(uri.clone()))?;
        request.headers_mut().insert(HOST, host);
        *request.uri_mut() = Uri::from(path.clone());

        let tcp = TcpStream::connect((bare.as_str(), authority.port_u16().unwrap_or(443))).await?;
        let stream = self.0.connect(ServerName::try_from(bare)?, tcp).await?;
        let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
        let exchange = async move {
            let (parts, body) = sender.send_request(request).await?.into_parts();
            let body =
                Limited::new(body, ANSWER_BYTES_MAX).collect().await.map_err(|_| HttpsError::Answer)?;
            Ok(Response::from_parts(parts, body.to_bytes()))
        };
        tokio::pin!(exchange);
        tokio::select! {
            biased;
            answer = &mut exchange => answer,
            // It has ended; what came before that may still be a whole answer.
            _ = connection => exchange.await,
        }
    }
}

/// Trusts the system's authorities, or only those of a file. Reads them from the disk: not for async threads.
pub(crate) fn connector(authorities: Option<&Path>) -> Result<TlsConnector, HttpsError> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions()?;
    let config = match authorities {
        None => builder.with_platform_verifier()?.with_no_client_auth(),
        Some(path) => builder.with_root_certificates(roots(path)?).with_no_client_auth(),
    };
    Ok(TlsConnector::from(Arc::new(config)))
}

fn roots(path: &Path) -> Result<RootCertStore, HttpsError> {
    let bad = || HttpsError::Authorities { path: path.to_owned() };
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_file_iter(path).map_err(|_| bad())? {
        roots.add(certificate.map_err(|_| bad())?)?;
    }
    if roots.is_empty() { Err(bad()) } else { Ok(roots) }
}

const DEADLINE: Duration = Duration::from_secs(30);
/// A directory, an order, a chain of certificates: a few KiB each.
const ANSWER_BYTES_MAX: usize = 256 << 10;
