//! What is said to a proxy until it steps aside: HTTP CONNECT (RFC 9110, 9.3.6) and SOCKS5 (RFC 1928, 1929).

use std::io;

use thiserror::Error;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio_socks::tcp::Socks5Stream;

use super::{
    RelayAddress, Retry,
    error::UNLIKELY_TO_PASS,
    limits::{PROXY_ANSWER_BYTES_MAX, PROXY_ANSWER_HEADERS_MAX},
    proxy::{Proxy, ProxyKind},
};

/// Why a proxy did not open the way.
#[derive(Debug, Error)]
pub enum TunnelError {
    /// An HTTP proxy said no.
    #[error("the proxy does not connect to the relay (HTTP status {status})")]
    Refused {
        /// The HTTP status.
        status: u16,
    },
    /// A SOCKS5 proxy said no.
    #[error("the proxy does not connect to the relay ({reason})")]
    SocksRefused {
        /// What its reply code means.
        reason: String,
    },
    /// It wants a login, or another one.
    #[error("the proxy wants a user name and password, or other ones")]
    Login,
    /// What it says is not the protocol.
    #[error("what answers there is not such a proxy")]
    Garbage,
    /// It hung up.
    #[error("the proxy broke the connection: {0}")]
    Lost(io::Error),
}

impl TunnelError {
    /// Whether and when to try again.
    pub fn retry(&self) -> Retry {
        match self {
            Self::Lost(_) | Self::Refused { status: 429 | 500..=599 } | Self::SocksRefused { .. } => {
                Retry::Now
            }
            Self::Refused { .. } | Self::Garbage => Retry::After(UNLIKELY_TO_PASS),
            Self::Login => Retry::Never,
        }
    }
}

/// Asks the proxy at the other end of `stream` to connect it to `relay`.
pub(crate) async fn open<S>(proxy: &Proxy, stream: S, relay: &RelayAddress) -> Result<S, TunnelError>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    match &proxy.kind {
        ProxyKind::Http { authorization } => connect(stream, relay, authorization.as_ref()).await,
        ProxyKind::Socks5 { login } => socks5(stream, relay, login.as_ref()).await,
    }
}

async fn connect<S>(
    mut stream: S,
    relay: &RelayAddress,
    authorization: Option<&http::HeaderValue>,
) -> Result<S, TunnelError>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let target = relay.authority();
    let mut request = format!("CONNECT {target} HTTP/1.1\r\nHost: {target}\r\n").into_bytes();
    if let Some(value) = authorization {
        request.extend_from_slice(b"Proxy-Authorization: ");
        request.extend_from_slice(value.as_bytes());
        request.extend_from_slice(b"\r\n");
    }
    request.extend_from_slice(b"\r\n");
    stream.write_all(&request).await.map_err(TunnelError::Lost)?;
    stream.flush().await.map_err(TunnelError::Lost)?;

    let mut answer = Vec::with_capacity(512);
    loop {
        if let Some(status) = answered(&answer)? {
            return match status {
                200..=299 => Ok(stream),
                407 => Err(TunnelError::Login),
                status => Err(TunnelError::Refused { status }),
            };
        }
        let room = PROXY_ANSWER_BYTES_MAX.saturating_sub(answer.len());
        if room == 0 {
            return Err(TunnelError::Garbage);
        }
        if (&mut stream).take(room as u64).read_buf(&mut answer).await.map_err(TunnelError::Lost)? == 0 {
            return Err(TunnelError::Lost(io::ErrorKind::UnexpectedEof.into()));
        }
    }
}

/// The status in a proxy's answer, once its head is whole.
fn answered(answer: &[u8]) -> Result<Option<u16>, TunnelError> {
    let mut headers = [httparse::EMPTY_HEADER; PROXY_ANSWER_HEADERS_MAX];
    let mut response = httparse::Response::new(&mut headers);
    let head = match response.parse(answer) {
        Ok(httparse::Status::Complete(head)) => head,
        Ok(httparse::Status::Partial) => return Ok(None),
        Err(_) => return Err(TunnelError::Garbage),
    };
    let status = response.code.ok_or(TunnelError::Garbage)?;
    // The relay never speaks first: bytes behind a yes are the proxy's own, and would be taken for the relay's.
    if (200..300).contains(&status) && answer.len() > head {
        return Err(TunnelError::Garbage);
    }
    Ok(Some(status))
}

async fn socks5<S>(
    stream: S,
    relay: &RelayAddress,
    login: Option<&(String, String)>,
) -> Result<S, TunnelError>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let host = relay.host();
    // A name goes to the proxy as it is: what this computer's resolver need not know, it should not learn.
    let target = (host.as_str(), relay.port());
    let opened = match login {
        None => Socks5Stream::connect_with_socket(stream, target).await,
        Some((user, password)) => {
            Socks5Stream::connect_with_password_and_socket(stream, target, user, password).await
        }
    };
    opened.map(Socks5Stream::into_inner).map_err(socks_error)
}

fn socks_error(error: tokio_socks::Error) -> TunnelError {
    use tokio_socks::Error as Socks;
    match error {
        Socks::Io(source) => TunnelError::Lost(source),
        Socks::NoAcceptableAuthMethods
        | Socks::PasswordAuthFailure(_)
        | Socks::AuthorizationRequired
        | Socks::InvalidAuthValues(_) => TunnelError::Login,
        Socks::InvalidResponseVersion
        | Socks::UnknownAuthMethod
        | Socks::InvalidReservedByte
        | Socks::UnknownAddressType => TunnelError::Garbage,
        refused => TunnelError::SocksRefused { reason: refused.to_string() },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_counts_when_its_head_is_whole() {
        let whole = b"HTTP/1.1 200 Connection established\r\nVia: x\r\n\r\n";
        for cut in 0..whole.len() {
            assert!(matches!(answered(&whole[..cut]), Ok(None)), "{cut}");
        }
        assert!(matches!(answered(whole), Ok(Some(200))));
        assert!(matches!(answered(b"HTTP/1.1 200 OK\r\n\r\nX"), Err(TunnelError::Garbage)));
        assert!(matches!(answered(b"HTTP/1.0 403 No\r\n\r\nbody"), Ok(Some(403))));
        assert!(matches!(answered(b"SSH-2.0-OpenSSH\r\n"), Err(TunnelError::Garbage)));
    }
}
