//! The configuration: typed, with a default for every key.
//!
//! Three layers lie over the defaults: a TOML file, `KITH_*` variables, flags; the later wins ([`Layers`]).
//! The known keys are those of `Config::default()`, so there is no list to keep: an unknown key is an error that
//! names the nearest known one. What runs reads the current values through [`Live`].

mod check;
mod keys;
mod layers;
mod limits;
mod live;

use std::{
    net::{Ipv4Addr, Ipv6Addr, SocketAddr},
    path::PathBuf,
};

use ipnet::IpNet;
use serde::{Deserialize, Serialize};

use crate::store::retention::{Keep, Share};

pub use self::{
    check::CheckError,
    layers::{ConfigError, Layers},
    limits::Limits,
    live::{Change, Live},
};

/// The commented default configuration; parses to `Config::default()`.
pub const EXAMPLE: &str = include_str!("../../relay.example.toml");

/// Where the relay listens unless told otherwise.
pub const DEFAULT_PORT: u16 = 7443;

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    pub listen: SocketAddr,
    /// `host` or `host:port` as it stands in invite links; empty: where the relay listens.
    pub public_address: String,
    pub data: PathBuf,
    pub behind_proxy: bool,
    pub trusted_proxies: Vec<IpNet>,
    pub tls: TlsSection,
    pub limits: Limits,
    pub storage: StorageSection,
    pub retention: RetentionSection,
    pub push: PushSection,
    pub updates: UpdatesSection,
    pub metrics: MetricsSection,
    pub log: LogSection,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TlsSection {
    pub mode: TlsMode,
    /// PEM files, for mode "files"; empty otherwise.
    pub cert: PathBuf,
    pub key: PathBuf,
    /// Seconds between two looks at whether the files are others.
    pub look_every_s: u32,
    /// The authority's directory, for mode "acme".
    pub acme_directory: String,
    /// PEM file of who vouches for that address; empty: the system's authorities.
    pub acme_ca: PathBuf,
    /// Whether invite links carry the pin of a given certificate's key; a self-signed one is always pinned.
    pub pin_invites: bool,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum TlsMode {
    /// Off on loopback and behind a proxy, self-signed elsewhere.
    #[default]
    Auto,
    Off,
    Files,
    Acme,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StorageSection {
    /// Writes are refused while the disk has fewer bytes free.
    pub reserve_bytes: u64,
    /// How large the database may become; 0: as large as the disk allows.
    pub max_bytes: u64,
    /// How many bytes an account may hold; 0: as many as there is room for.
    pub account_bytes: u64,
}

/// What rooms keep that the operator has set nothing else for; 0 sets no bound.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RetentionSection {
    pub days: u32,
    pub room_bytes: u64,
    /// Seconds between two looks.
    pub look_every_s: u32,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PushSection {
    /// Networks that are not public, and to which people may have pushes sent.
    pub allow_networks: Vec<IpNet>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct UpdatesSection {
    /// A folder with a release of the app; empty: none is handed on.
    pub folder: PathBuf,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MetricsSection {
    #[serde(with = "empty_is_none")]
    pub listen: Option<SocketAddr>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LogSection {
    /// A level, or directives as of `tracing_subscriber::EnvFilter`.
    pub level: String,
    pub format: LogFormat,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    #[default]
    Text,
    Json,
}

/// How connections are secured, once mode and address are taken together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Security {
    Plain,
    SelfSigned,
    Files,
    Acme,
}

impl Config {
    pub fn security(&self) -> Security {
        match self.tls.mode {
            TlsMode::Off => Security::Plain,
            TlsMode::Files => Security::Files,
            TlsMode::Acme => Security::Acme,
            TlsMode::Auto if self.listen.ip().is_loopback() || self.behind_proxy => Security::Plain,
            TlsMode::Auto => Security::SelfSigned,
        }
    }

    /// As a file would say it.
    pub fn to_toml(&self) -> String {
        toml::to_string(self).expect("a Config is strings, numbers, lists of strings and sections of these")
    }
}

impl StorageSection {
    /// What an account may hold that the operator has set nothing else for.
    pub fn share(&self) -> Share {
        Share { bytes: Some(self.account_bytes).filter(|bytes| *bytes > 0) }
    }
}

impl RetentionSection {
    pub fn keep(&self) -> Keep {
        Keep {
            days: Some(self.days).filter(|days| *days > 0),
            bytes: Some(self.room_bytes).filter(|bytes| *bytes > 0),
        }
    }
}

impl Default for TlsSection {
    fn default() -> Self {
        Self {
            mode: TlsMode::Auto,
            cert: PathBuf::new(),
            key: PathBuf::new(),
            look_every_s: 60,
            acme_directory: "https://acme-v02.api.letsencrypt.org/directory".to_owned(),
            acme_ca: PathBuf::new(),
            pin_invites: false,
        }
    }
}

impl Default for Config {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, DEFAULT_PORT)),
            public_address: String::new(),
            data: PathBuf::from("kith-data"),
            behind_proxy: false,
            trusted_proxies: vec![
                IpNet::new_assert(Ipv4Addr::new(127, 0, 0, 0).into(), 8),
                IpNet::new_assert(Ipv6Addr::LOCALHOST.into(), 128),
            ],
            tls: TlsSection::default(),
            limits: Limits::default(),
            storage: StorageSection { reserve_bytes: 64 << 20, max_bytes: 0, account_bytes: 0 },
            retention: RetentionSection { days: 0, room_bytes: 0, look_every_s: 3600 },
            push: PushSection::default(),
            updates: UpdatesSection::default(),
            metrics: MetricsSection::default(),
            log: LogSection { level: "info".to_owned(), format: LogFormat::Text },
        }
    }
}

mod empty_is_none {
    use std::{fmt::Display, str::FromStr};

    use serde::{Deserialize, Deserializer, Serializer, de};

    #[expect(clippy::ref_option, reason = "the shape that serde asks for")]
    pub(super) fn serialize<T: Display, S: Serializer>(value: &Option<T>, to: S) -> Result<S::Ok, S::Error> {
        match value {
            Some(value) => to.collect_str(value),
            None => to.serialize_str(""),
        }
    }

    pub(super) fn deserialize<'de, T, D>(from: D) -> Result<Option<T>, D::Error>
    where
        T: FromStr<Err: Display>,
        D: Deserializer<'de>,
    {
        match String::deserialize(from)?.as_str() {
            "" => Ok(None),
            text => text.parse().map(Some).map_err(de::Error::custom),
        }
    }
}
