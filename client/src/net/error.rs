//! Why there is no link, and whether trying again helps.

use std::{fmt, io, time::Duration};

use thiserror::Error;

use super::{ProxyParseError, TunnelError};

/// Why a dial failed. Each is one sentence for a person; [`retry`](Self::retry) is for the program.
#[derive(Debug, Error)]
pub enum DialError {
    /// The name of the relay, or of the proxy, has no address.
    #[error("cannot find {host}: is its name right, and is this computer online?")]
    Resolve {
        /// The name.
        host: String,
        /// What the resolver said.
        source: io::Error,
    },
    /// No address of the relay accepts a connection.
    #[error("cannot reach {host}: {source}")]
    Unreachable {
        /// The name or address.
        host: String,
        /// What the last address tried said.
        source: io::Error,
    },
    /// A step took too long.
    #[error("no answer while {phase}, after {after:?}")]
    Timeout {
        /// The step.
        phase: Phase,
        /// How long it was given.
        after: Duration,
    },
    /// The connection broke off in a step.
    #[error("the connection broke while {phase}: {source}")]
    Lost {
        /// The step.
        phase: Phase,
        /// What the system said.
        source: io::Error,
    },
    /// The setting for the proxy is no proxy.
    #[error("the proxy is set wrongly: {0}")]
    ProxySetting(#[from] ProxyParseError),
    /// The proxy did not open the way.
    #[error("{proxy}: {source}")]
    Proxy {
        /// The proxy, without its password.
        proxy: String,
        /// What it said.
        source: TunnelError,
    },
    /// The relay's key is not the pinned one: an attack, a captive network, or a relay that has a new key.
    #[error(
        "the relay shows another key than the invite named: it was set up anew, or someone is in between"
    )]
    UntrustedCertificate {
        /// The pin of the key that was shown.
        seen: [u8; 32],
    },
    /// The certificate does not convince this computer.
    #[error("this computer does not trust the relay's certificate: {reason}")]
    BadCertificate {
        /// What is wrong with it.
        reason: String,
    },
    /// This computer has no authorities that could vouch for anyone.
    #[error("this computer has no store of certificate authorities to check the relay with: {0}")]
    NoAuthorities(rustls::Error),
    /// The handshake failed: mostly, what answers there does not speak TLS.
    #[error("no encrypted connection: {0}")]
    Tls(rustls::Error),
    /// A pin was given for an address that is not encrypted.
    #[error("the address is not encrypted, so the relay cannot prove its key; use wss://")]
    PinWithoutTls,
    /// Something answered and did not upgrade.
    #[error("no relay takes this connection (HTTP status {status})")]
    UpgradeRefused {
        /// The HTTP status.
        status: u16,
        /// When it asked to be tried again.
        retry_after: Option<Duration>,
    },
    /// Something answered that is no relay.
    #[error("what answers there is not a relay: {reason}")]
    NotARelay {
        /// What was wrong with its answer.
        reason: String,
    },
}

impl DialError {
    /// Whether and when to dial again.
    pub fn retry(&self) -> Retry {
        match self {
            Self::UpgradeRefused { retry_after: Some(after), .. } => Retry::After(*after),
            Self::Resolve { .. }
            | Self::Unreachable { .. }
            | Self::Timeout { .. }
            | Self::Lost { .. }
            | Self::Tls(_)
            | Self::UpgradeRefused { status: 429 | 500..=599, .. } => Retry::Now,
            Self::Proxy { source, .. } => source.retry(),
            // A captive network or a wrong clock passes; nothing is gained by asking often.
            Self::BadCertificate { .. } | Self::NotARelay { .. } | Self::UpgradeRefused { .. } => {
                Retry::After(UNLIKELY_TO_PASS)
            }
            Self::UntrustedCertificate { .. }
            | Self::NoAuthorities(_)
            | Self::ProxySetting(_)
            | Self::PinWithoutTls => Retry::Never,
        }
    }
}

/// What a failure says about the next attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Retry {
    /// As soon as [`Backoff`](super::Backoff) allows.
    Now,
    /// Not before this long has passed.
    After(Duration),
    /// Not by itself: first the network, the settings or the person's mind must change.
    Never,
}

/// A step of a dial.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// Finding the addresses of a name.
    Resolve,
    /// Opening a TCP connection.
    Connect,
    /// Asking the proxy to open the way.
    Proxy,
    /// The TLS handshake.
    Tls,
    /// The WebSocket upgrade.
    Upgrade,
}

impl fmt::Display for Phase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Resolve => "looking up the name",
            Self::Connect => "connecting",
            Self::Proxy => "asking the proxy",
            Self::Tls => "agreeing on encryption",
            Self::Upgrade => "greeting the relay",
        })
    }
}

/// For what a person has to mend, but might have mended without telling us.
pub(super) const UNLIKELY_TO_PASS: Duration = Duration::from_mins(1);
