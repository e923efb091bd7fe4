//! The way to a relay: TCP, perhaps a proxy, TLS, WebSocket.

use std::{io, sync::Arc, time::Duration};

use http::{Response, StatusCode, header::RETRY_AFTER};
use rustls::{CertificateError, ClientConfig};
use tokio::sync::OnceCell;
use tokio_rustls::TlsConnector;
use tokio_tungstenite::{
    client_async_with_config,
    tungstenite::{self, client::IntoClientRequest},
};

use super::{
    DialError, Link, Phase, ProxySetting, RelayAddress, Trust,
    link::{Io, websocket_config},
    tcp::{self, within},
    tls, tunnel,
};

/// Everything needed to reach one relay, any number of times. Keep it: a later dial resumes the TLS session of an earlier one.
#[derive(Debug)]
pub struct Dial {
    address: RelayAddress,
    trust: Trust,
    proxy: ProxySetting,
    timeouts: Timeouts,
    tls: OnceCell<Arc<ClientConfig>>,
}

impl Dial {
    /// The relay at `address`, known by `trust`, by way of the system's proxy, with the usual time limits.
    pub fn new(address: RelayAddress, trust: Trust) -> Self {
        Self {
            address,
            trust,
            proxy: ProxySetting::default(),
            timeouts: Timeouts::default(),
            tls: OnceCell::new(),
        }
    }

    /// Goes another way.
    #[must_use]
    pub fn proxy(mut self, proxy: ProxySetting) -> Self {
        self.proxy = proxy;
        self
    }

    /// Waits longer, or less.
    #[must_use]
    pub fn timeouts(mut self, timeouts: Timeouts) -> Self {
        self.timeouts = timeouts;
        self
    }

    /// Where it goes.
    pub fn address(&self) -> &RelayAddress {
        &self.address
    }

    /// A stream to the relay's port, as if there were no proxy.
    async fn stream(&self) -> Result<Box<dyn Io>, DialError> {
        let Some(proxy) = self.proxy.on_the_way_to(&self.address)? else {
            return Ok(Box::new(
                tcp::connect(&self.address.host(), self.address.port(), &self.timeouts).await?,
            ));
        };
        let stream = tcp::connect(&proxy.host, proxy.port, &self.timeouts).await?;
        let opened =
            within(self.timeouts.proxy, Phase::Proxy, tunnel::open(&proxy, stream, &self.address)).await?;
        let stream = opened.map_err(|source| DialError::Proxy { proxy: proxy.to_string(), source })?;
        Ok(Box::new(stream))
    }

    async fn encrypted(&self, stream: Box<dyn Io>) -> Result<Box<dyn Io>, DialError> {
        let connector = TlsConnector::from(self.tls.get_or_try_init(|| self.tls_config()).await?.clone());
        let handshake = connector.connect(self.address.server_name(), stream);
        let stream = within(self.timeouts.tls, Phase::Tls, handshake).await?.map_err(tls_error)?;
        Ok(Box::new(stream))
    }

    async fn tls_config(&self) -> Result<Arc<ClientConfig>, DialError> {
        let trust = self.trust.clone();
        tokio::task::spawn_blocking(move || tls::client_config(&trust))
            .await
            .expect("building a TLS configuration does not panic")
            .map_err(DialError::NoAuthorities)
    }
}

/// How long each step may take.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Timeouts {
    /// Looking up the name.
    pub resolve: Duration,
    /// Opening a TCP connection, over all addresses.
    pub connect: Duration,
    /// Until an address that does not answer gets company from the next (RFC 8305 recommends 250 ms).
    pub stagger: Duration,
    /// The proxy's answer.
    pub proxy: Duration,
    /// The TLS handshake.
    pub tls: Duration,
    /// The WebSocket upgrade.
    pub upgrade: Duration,
    /// How long a write may go without a single byte accepted.
    pub write: Duration,
    /// The closing handshake.
    pub close: Duration,
}

impl Default for Timeouts {
    fn default() -> Self {
        Self {
            resolve: Duration::from_secs(10),
            connect: Duration::from_secs(15),
            stagger: Duration::from_millis(250),
            proxy: Duration::from_secs(20),
            tls: Duration::from_secs(15),
            upgrade: Duration::from_secs(15),
            write: Duration::from_secs(20),
            close: Duration::from_secs(2),
        }
    }
}

/// Opens a link. Dropping the future gives up at once.
pub async fn dial(dial: &Dial) -> Result<Link, DialError> {
    let address = &dial.address;
    if matches!(dial.trust, Trust::Pin(_)) && !address.is_secure() {
        return Err(DialError::PinWithoutTls);
    }
    let stream = dial.stream().await?;
    let stream = if address.is_secure() { dial.encrypted(stream).await? } else { stream };
    let request =
        format!("{address}{PATH}").into_client_request().expect("a relay's address is a part of a URI");
    let stream = super::link::Metered::new(stream);
    let upgrade = client_async_with_config(request, stream, Some(websocket_config()));
    let (socket, _) = within(dial.timeouts.upgrade, Phase::Upgrade, upgrade).await?.map_err(upgrade_error)?;
    tracing::debug!(relay = %address, "link opened");
    Ok(Link::new(socket, &dial.timeouts))
}

fn tls_error(error: io::Error) -> DialError {
    let Some(cause) = error.get_ref().and_then(|cause| cause.downcast_ref::<rustls::Error>()) else {
        return DialError::Lost { phase: Phase::Tls, source: error };
    };
    match (tls::wrong_pin(cause), cause) {
        (Some(seen), _) => DialError::UntrustedCertificate { seen },
        (None, rustls::Error::InvalidCertificate(reason)) => {
            DialError::BadCertificate { reason: in_words(reason) }
        }
        (None, cause) => DialError::Tls(cause.clone()),
    }
}

fn in_words(reason: &CertificateError) -> String {
    match reason {
        CertificateError::Expired | CertificateError::ExpiredContext { .. } => "it has expired".to_owned(),
        CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
            "it is not valid yet; is this computer's clock right?".to_owned()
        }
        CertificateError::UnknownIssuer => "nobody that this computer trusts has issued it".to_owned(),
        CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
            "it is for another name".to_owned()
        }
        CertificateError::Revoked => "it has been revoked".to_owned(),
        other => other.to_string(),
    }
}

fn upgrade_error(error: tungstenite::Error) -> DialError {
    match error {
        tungstenite::Error::Http(response) => refused(&response),
        tungstenite::Error::Io(source) => DialError::Lost { phase: Phase::Upgrade, source },
        tungstenite::Error::Protocol(tungstenite::error::ProtocolError::HandshakeIncomplete) => {
            DialError::Lost { phase: Phase::Upgrade, source: io::ErrorKind::UnexpectedEof.into() }
        }
        other => DialError::NotARelay { reason: other.to_string() },
    }
}

fn refused(response: &Response<Option<Vec<u8>>>) -> DialError {
    let seconds =
        response.headers().get(RETRY_AFTER).and_then(|value| value.to_str().ok()?.trim().parse().ok());
    let may_pass =
        [StatusCode::TOO_MANY_REQUESTS, StatusCode::SERVICE_UNAVAILABLE].contains(&response.status());
    let retry_after = seconds.filter(|_| may_pass).map(Duration::from_secs);
    DialError::UpgradeRefused { status: response.status().as_u16(), retry_after }
}

/// Where a relay takes connections.
const PATH: &str = "/v1/ws";
