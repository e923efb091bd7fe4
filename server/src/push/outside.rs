//! Requests to addresses that people named. They must not reach what only the relay can reach: its own machine, its network.
//!
//! The name is looked up once, every address that it has is checked, and the connection goes to a checked one; so nothing
//! is gained by a name that changes its mind. Redirects are not followed, and of the answer only the status counts.

use super::Request;
use crate::https::{self, HttpsError};
use http_body_util::Full;
use hyper::http::uri::Authority;
use hyper::{StatusCode, Uri, header};
use hyper_util::rt::TokioIo;
use ipnet::IpNet;
use rustls::pki_types::ServerName;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;
use tokio::net::{TcpStream, lookup_host};
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use tracing::warn;

/// For finding the host, and for TLS.
const CONNECT_PATIENCE: Duration = Duration::from_secs(10);
/// For each address of the host, and for all of them: it may name any number that do not answer.
const ADDRESS_PATIENCE: Duration = Duration::from_secs(5);
const ADDRESSES_PATIENCE: Duration = Duration::from_secs(10);
/// For its answer.
const ANSWER_PATIENCE: Duration = Duration::from_secs(10);

/// What was answered.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    /// How long the other side wants to be left alone, if it says so in seconds.
    pub(crate) retry_after: Option<Duration>,
}

#[derive(Debug, thiserror::Error)]
pub(crate) enum SendError {
    #[error("it is no address of the form https://host/path")]
    Address,
    #[error(
        "the address must begin with https, unless the operator names its network in push.allow_networks"
    )]
    Plain,
    #[error("it leads into a network that is not public; the operator can name it in push.allow_networks")]
    Inside,
    /// By the adapter; it says why.
    #[error("{0}")]
    Unmade(String),
    #[error("what is to be sent cannot be a request: {0}")]
    Request(String),
    #[error("the host cannot be reached: {0}")]
    Unreached(String),
    /// It may have arrived.
    #[error("the host took the request and gave no answer")]
    NoAnswer,
}

/// Where a request goes, before its name was looked up.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Target {
    secure: bool,
    /// Host and port as the address has them, for the request.
    authority: Authority,
    host: String,
    port: u16,
    path: String,
}

impl Target {
    pub(super) fn parse(url: &str) -> Result<Self, SendError> {
        let uri: Uri = url.parse().map_err(|_| SendError::Address)?;
        let secure = match uri.scheme_str() {
            Some("https") => true,
            Some("http") => false,
            _ => return Err(SendError::Address),
        };
        let authority = uri.authority().filter(|it| !it.as_str().contains('@'));
        let authority = authority.ok_or(SendError::Address)?.clone();
        let host = authority.host().trim_start_matches('[').trim_end_matches(']').to_owned();
        let port = authority.port_u16().unwrap_or(if secure { 443 } else { 80 });
        let path = uri.path_and_query().map_or("/", |it| it.as_str()).to_owned();
        if host.is_empty() || port == 0 {
            Err(SendError::Address)
        } else {
            Ok(Self { secure, authority, host, port, path })
        }
    }

    /// An address of the host that the relay may go to.
    async fn found(&self, allowed: &[IpNet]) -> Result<Vec<SocketAddr>, SendError> {
        let found = timeout(CONNECT_PATIENCE, lookup_host((self.host.as_str(), self.port))).await;
        let found = found.map_err(|_| SendError::Unreached("its name is not found in time".to_owned()))?;
        let found: Vec<_> = found.map_err(|error| SendError::Unreached(error.to_string()))?.collect();
        let named = |ip: IpAddr| allowed.iter().any(|net| net.contains(&ip.to_canonical()));
        if !found.iter().all(|address| named(address.ip()) || is_public(address.ip()) && !is_near(*address)) {
            return Err(SendError::Inside);
        }
        if !self.secure && !found.iter().all(|address| named(address.ip())) {
            return Err(SendError::Plain);
        }
        Ok(found)
    }

    async fn connected(&self, allowed: &[IpNet]) -> Result<TcpStream, SendError> {
        let late = || "it does not answer in time".to_owned();
        let found = self.found(allowed).await?;
        let connected = timeout(ADDRESSES_PATIENCE, async {
            let mut last = "its name has no address".to_owned();
            for address in found {
                match timeout(ADDRESS_PATIENCE, TcpStream::connect(address)).await {
                    Ok(Ok(stream)) => return Ok(stream),
                    Ok(Err(error)) => last = error.to_string(),
                    Err(_) => last = late(),
                }
            }
            Err(last)
        });
        connected.await.unwrap_or_else(|_| Err(late())).map_err(SendError::Unreached)
    }
}

/// Sends requests.
#[derive(Clone)]
pub(super) struct Outside {
    /// Or why it cannot be used: then whoever is told over it hears that.
    tls: Result<TlsConnector, Arc<HttpsError>>,
}

impl Outside {
    /// Trusts whom the system trusts. Not for async threads.
    pub(super) fn new() -> Self {
        let tls = https::connector(None);
        if let Err(error) = &tls {
            warn!(%error, "nobody who is away can be told over https");
        }
        Self { tls: tls.map_err(Arc::new) }
    }

    pub(super) async fn post(&self, request: Request, allowed: &[IpNet]) -> Result<Answer, SendError> {
        let target = Target::parse(&request.url)?;
        let stream = target.connected(allowed).await?;
        if !target.secure {
            return exchange(&target, stream, request).await;
        }
        let tls = self.tls.as_ref().map_err(|error| SendError::Unreached(error.to_string()))?;
        let name = ServerName::try_from(target.host.clone()).map_err(|_| SendError::Address)?;
        let stream = timeout(CONNECT_PATIENCE, tls.connect(name, stream)).await;
        let stream = stream.map_err(|_| SendError::Unreached("TLS takes too long".to_owned()))?;
        let stream = stream.map_err(|error| SendError::Unreached(error.to_string()))?;
        exchange(&target, stream, request).await
    }
}

async fn exchange<S>(target: &Target, stream: S, request: Request) -> Result<Answer, SendError>
where
    S: tokio::io::AsyncRead + tokio::io::AsyncWrite + Unpin + Send + 'static,
{
    let unreached = |error: hyper::Error| SendError::Unreached(error.to_string());
    let (mut sender, connection) =
        hyper::client::conn::http1::handshake(TokioIo::new(stream)).await.map_err(unreached)?;
    let mut built = hyper::Request::post(&target.path)
        .header(header::HOST, target.authority.as_str())
        .header(header::USER_AGENT, concat!("kith-relay/", env!("CARGO_PKG_VERSION")));
    for (name, value) in request.headers {
        built = built.header(name, value);
    }
    let request = built
        .body(Full::new(bytes::Bytes::from(request.body)))
        .map_err(|error| SendError::Request(error.to_string()))?;
    let said = async {
        let mut said = std::pin::pin!(sender.send_request(request));
        tokio::select! {
            biased;
            said = &mut said => said,
            // The answer may have come with the end.
            _ = connection => said.await,
        }
    };
    let said = timeout(ANSWER_PATIENCE, said).await.map_err(|_| SendError::NoAnswer)?;
    let said = said.map_err(|_| SendError::NoAnswer)?;
    let retry_after = said.headers().get(header::RETRY_AFTER).and_then(|value| value.to_str().ok());
    let retry_after = retry_after.and_then(|value| value.parse().ok()).map(Duration::from_secs);
    Ok(Answer { status: said.status(), retry_after })
}

/// Whether an address is on the public Internet, as far as the registries of special addresses say (RFC 6890 and its
/// successors). An IPv6 address that stands for an IPv4 one is judged by that.
pub fn is_public(ip: IpAddr) -> bool {
    match ip {
        IpAddr::V4(v4) => is_public_v4(v4),
        IpAddr::V6(v6) => match embedded_v4(v6) {
            Some(v4) => is_public_v4(v4),
            None => is_public_v6(v6),
        },
    }
}

/// Whether an address is this machine's own, or in its network: with IPv6, what is not reached from outside may have a public
/// address all the same. Nothing is sent to find out.
fn is_near(address: SocketAddr) -> bool {
    let any: IpAddr =
        if address.is_ipv4() { Ipv4Addr::UNSPECIFIED.into() } else { Ipv6Addr::UNSPECIFIED.into() };
    let own = std::net::UdpSocket::bind((any, 0)).and_then(|socket| {
        socket.connect(address)?;
        socket.local_addr()
    });
    // Where there is no way, there is nothing to reach.
    own.is_ok_and(|own| is_neighbour(own.ip(), address.ip()))
}

fn is_neighbour(own: IpAddr, other: IpAddr) -> bool {
    match (own, other) {
        (IpAddr::V6(own), IpAddr::V6(other)) => own.segments()[..4] == other.segments()[..4],
        (own, other) => own == other,
    }
}

fn is_public_v4(ip: Ipv4Addr) -> bool {
    let special = match ip.octets() {
        [0 | 10 | 127 | 224..=255, ..] => true,
        [100, second, ..] => second & 0xc0 == 64,
        [169, 254, ..] | [192, 168, ..] | [192, 0, 0 | 2, _] | [192, 88, 99, _] => true,
        [172, second, ..] => second & 0xf0 == 16,
        [198, 18 | 19, ..] | [198, 51, 100, _] | [203, 0, 113, _] => true,
        _ => false,
    };
    !special
}

fn is_public_v6(ip: Ipv6Addr) -> bool {
    match ip.segments() {
        // Assignments of the IETF (Teredo, benchmarks, ORCHID), and documentation.
        [0x2001, second, ..] => second >= 0x200 && second != 0xdb8,
        [0x3fff, second, ..] => second >= 0x1000,
        [first, ..] => first & 0xe000 == 0x2000,
    }
}

/// `::a.b.c.d`, `::ffff:a.b.c.d`, NAT64 and 6to4.
fn embedded_v4(ip: Ipv6Addr) -> Option<Ipv4Addr> {
    let v4 = |high: u16, low: u16| Some(Ipv4Addr::from((u32::from(high) << 16) | u32::from(low)));
    match ip.segments() {
        [0, 0, 0, 0, 0, 0 | 0xffff, high, low] | [0x64, 0xff9b, 0, 0, 0, 0, high, low] => v4(high, low),
        [0x2002, high, low, ..] => v4(high, low),
        _ => None,
    }
}

#[cfg(test)]
mod tests;
