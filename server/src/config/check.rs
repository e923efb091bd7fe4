//! What must hold between the values: a configuration that passes can be run.

use std::path::Path;

use rustls::pki_types::ServerName;

use super::{Config, Security, TlsMode};
use crate::reach::Reach;

/// A sentence for the operator, with what to do.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CheckError {
    #[error(
        "{listen} can be reached from other machines, and tls.mode is \"off\": leave it \"auto\", or set behind_proxy = true if a proxy in front does TLS"
    )]
    PlainInPublic { listen: std::net::SocketAddr },
    #[error("tls.mode is \"files\", but tls.{missing} names no file")]
    NoFile { missing: &'static str },
    #[error("tls.{given} names a file, but tls.mode is not \"files\"")]
    UnusedFile { given: &'static str },
    #[error(
        "tls.mode is \"acme\", which takes a public name, such as chat.example.org; public_address is `{address}`"
    )]
    AcmeName { address: String },
    #[error(
        "tls.mode is \"acme\", and behind_proxy = true: the proxy has the certificate, so leave it \"auto\""
    )]
    AcmeBehindProxy,
    #[error("tls.acme_directory is `{directory}`; it must begin with https://")]
    AcmeDirectory { directory: String },
    #[error(
        "metrics.listen is {listen}, which other machines can reach: use a loopback address such as 127.0.0.1:9743"
    )]
    MetricsInPublic { listen: std::net::SocketAddr },
    #[error("public_address is `{address}`; it must be a host or host:port without scheme or path")]
    PublicAddress { address: String },
    #[error("{key} is {value}; it must be between {min} and {max}")]
    Range { key: &'static str, value: u64, min: u64, max: u64 },
    #[error("limits.{small} ({small_value}) must be below limits.{large} ({large_value})")]
    Order { small: &'static str, small_value: u32, large: &'static str, large_value: u32 },
}

pub(super) fn check(config: &Config) -> Result<(), CheckError> {
    check_tls(config)?;
    check_addresses(config)?;
    check_ranges(config)
}

fn check_tls(config: &Config) -> Result<(), CheckError> {
    let listen = config.listen;
    if config.security() == Security::Plain && !listen.ip().is_loopback() && !config.behind_proxy {
        return Err(CheckError::PlainInPublic { listen });
    }
    let files: [(&'static str, &Path); 2] = [("cert", &config.tls.cert), ("key", &config.tls.key)];
    for (name, path) in files {
        let empty = path.as_os_str().is_empty();
        match config.tls.mode {
            TlsMode::Files if empty => return Err(CheckError::NoFile { missing: name }),
            TlsMode::Auto | TlsMode::Off | TlsMode::Acme if !empty => {
                return Err(CheckError::UnusedFile { given: name });
            }
            TlsMode::Auto | TlsMode::Off | TlsMode::Files | TlsMode::Acme => {}
        }
    }
    if config.tls.mode == TlsMode::Acme { check_acme(config) } else { Ok(()) }
}

fn check_acme(config: &Config) -> Result<(), CheckError> {
    if config.behind_proxy {
        return Err(CheckError::AcmeBehindProxy);
    }
    let directory = &config.tls.acme_directory;
    if !directory.starts_with("https://") {
        return Err(CheckError::AcmeDirectory { directory: directory.clone() });
    }
    let host = Reach::host(config);
    if config.public_address.is_empty() || !matches!(ServerName::try_from(host), Ok(ServerName::DnsName(_))) {
        return Err(CheckError::AcmeName { address: config.public_address.clone() });
    }
    Ok(())
}

fn check_addresses(config: &Config) -> Result<(), CheckError> {
    if let Some(listen) = config.metrics.listen
        && !listen.ip().is_loopback()
    {
        return Err(CheckError::MetricsInPublic { listen });
    }
    let address = &config.public_address;
    let odd = |c: char| c.is_whitespace() || c.is_control() || "/?#@\"'<>&\\".contains(c);
    if address.contains(odd) || address.len() > 255 || address.ends_with(':') {
        return Err(CheckError::PublicAddress { address: address.clone() });
    }
    Ok(())
}

fn check_ranges(config: &Config) -> Result<(), CheckError> {
    let limits = &config.limits;
    let any = u32::MAX;
    let ranges = [
        ("tls.look_every_s", config.tls.look_every_s, 1, 86_400),
        ("limits.max_connections", limits.max_connections, 1, any),
        ("limits.max_handshakes", limits.max_handshakes, 1, any),
        ("limits.connections_per_address", limits.connections_per_address, 1, any),
        (
            "limits.new_connections_per_address_per_second",
            limits.new_connections_per_address_per_second,
            1,
            1_000_000,
        ),
        ("limits.new_connections_per_address_burst", limits.new_connections_per_address_burst, 1, any),
        ("limits.connections_per_account", limits.connections_per_account, 1, any),
        ("limits.frames_per_second", limits.frames_per_second, 1, 1_000_000_000),
        ("limits.frames_burst", limits.frames_burst, 1, any),
        ("limits.messages_per_second", limits.messages_per_second, 1, 1_000_000_000),
        ("limits.messages_burst", limits.messages_burst, 1, any),
        ("limits.account_messages_per_second", limits.account_messages_per_second, 1, 1_000_000_000),
        ("limits.account_messages_burst", limits.account_messages_burst, 1, any),
        ("limits.hook_messages_per_second", limits.hook_messages_per_second, 1, 1_000_000_000),
        ("limits.hook_messages_burst", limits.hook_messages_burst, 1, any),
        ("limits.max_body_bytes", limits.max_body_bytes, 1, kith_protocol::limits::BODY_BYTES_MAX as u32),
        (
            "limits.max_frame_bytes",
            limits.max_frame_bytes,
            16 << 10,
            kith_protocol::limits::FRAME_BYTES_MAX as u32,
        ),
        ("limits.max_accounts", limits.max_accounts, 1, any),
        ("limits.devices_per_account", limits.devices_per_account, 1, any),
        ("limits.rooms_per_account", limits.rooms_per_account, 1, any),
        ("limits.members_per_room", limits.members_per_room, 2, any),
        ("limits.registers_per_account_and_room", limits.registers_per_account_and_room, 1, any),
        ("limits.fetches_in_flight", limits.fetches_in_flight, 1, 1_000),
        ("limits.link_slots", limits.link_slots, 1, any),
        ("limits.outbound_queue", limits.outbound_queue, 16, 1_000_000),
        ("limits.outbound_queue_bytes", limits.outbound_queue_bytes, 64 << 10, any),
        ("limits.handshake_timeout_s", limits.handshake_timeout_s, 1, 300),
        ("limits.write_timeout_s", limits.write_timeout_s, 1, 300),
        ("limits.ping_interval_s", limits.ping_interval_s, 1, 3_600),
        ("limits.idle_timeout_s", limits.idle_timeout_s, 2, 86_400),
        ("limits.shutdown_timeout_s", limits.shutdown_timeout_s, 0, 300),
    ];
    for (key, value, min, max) in ranges {
        if !(min..=max).contains(&value) {
            return Err(CheckError::Range { key, value: value.into(), min: min.into(), max: max.into() });
        }
    }
    let orders = [
        ("max_body_bytes", limits.max_body_bytes, "max_frame_bytes", limits.max_frame_bytes),
        ("ping_interval_s", limits.ping_interval_s, "idle_timeout_s", limits.idle_timeout_s),
    ];
    for (small, small_value, large, large_value) in orders {
        if small_value >= large_value {
            return Err(CheckError::Order { small, small_value, large, large_value });
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_off_loopback_needs_a_proxy() {
        let mut config = Config { listen: "0.0.0.0:7443".parse().unwrap(), ..Config::default() };
        assert_eq!(check(&config), Ok(()), "auto means a self-signed key there");
        assert_eq!(config.security(), Security::SelfSigned);
        config.tls.mode = TlsMode::Off;
        assert!(matches!(check(&config), Err(CheckError::PlainInPublic { .. })));
        config.behind_proxy = true;
        assert_eq!(check(&config), Ok(()));
    }

    #[test]
    fn auto_is_plain_on_loopback_and_behind_a_proxy() {
        assert_eq!(Config::default().security(), Security::Plain);
        let config =
            Config { listen: "0.0.0.0:80".parse().unwrap(), behind_proxy: true, ..Config::default() };
        assert_eq!(config.security(), Security::Plain);
    }

    #[test]
    fn files_come_in_pairs_and_with_their_mode() {
        let mut config = Config::default();
        config.tls.cert = "cert.pem".into();
        assert_eq!(check(&config), Err(CheckError::UnusedFile { given: "cert" }));
        config.tls.mode = TlsMode::Files;
        assert_eq!(check(&config), Err(CheckError::NoFile { missing: "key" }));
        config.tls.key = "key.pem".into();
        assert_eq!(check(&config), Ok(()));
    }

    #[test]
    fn an_authority_vouches_for_a_name() {
        let mut config = Config::default();
        config.tls.mode = TlsMode::Acme;
        for bad in ["", "192.0.2.1", "[fd00::1]:443", "b\u{fc}cher.example"] {
            config.public_address = bad.into();
            assert!(matches!(check(&config), Err(CheckError::AcmeName { .. })), "{bad}");
        }
        config.public_address = "chat.example:8443".into();
        assert_eq!(check(&config), Ok(()));
        config.tls.acme_directory = "http://ca.example".into();
        assert!(matches!(check(&config), Err(CheckError::AcmeDirectory { .. })));
        config.behind_proxy = true;
        assert_eq!(check(&config), Err(CheckError::AcmeBehindProxy));
    }

    #[test]
    fn metrics_stay_on_the_machine() {
        let mut config = Config::default();
        config.metrics.listen = Some("0.0.0.0:9743".parse().unwrap());
        assert!(matches!(check(&config), Err(CheckError::MetricsInPublic { .. })));
    }

    #[test]
    fn numbers_have_ranges_and_orders() {
        let mut config = Config::default();
        config.limits.members_per_room = 1;
        assert!(matches!(check(&config), Err(CheckError::Range { key: "limits.members_per_room", .. })));
        let mut config = Config::default();
        config.limits.ping_interval_s = 90;
        assert!(matches!(check(&config), Err(CheckError::Order { small: "ping_interval_s", .. })));
    }

    #[test]
    fn a_public_address_is_a_host() {
        for bad in ["https://chat.example", "chat.example/x", "a b", "chat.example:"] {
            let config = Config { public_address: bad.into(), ..Config::default() };
            assert!(check(&config).is_err(), "{bad}");
        }
        for good in ["chat.example", "chat.example:7443", "192.168.1.5", "[fd00::1]:7443"] {
            let config = Config { public_address: good.into(), ..Config::default() };
            assert_eq!(check(&config), Ok(()), "{good}");
        }
    }
}
