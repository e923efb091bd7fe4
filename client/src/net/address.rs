//! Where a relay is, parsed once.

use std::{
    fmt,
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
    str::FromStr,
};

use rustls_pki_types::{DnsName, ServerName};
use thiserror::Error;

/// The address of a relay: `wss://host[:port]`, or `ws://host[:port]` on this computer.
///
/// The host is a DNS name in ASCII (an internationalised one in its `xn--` form), an IPv4 address, or an IPv6 address in
/// brackets. Shown in the form that parses back to the same value: lower case, the scheme's own port (443, 80) left out.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RelayAddress {
    secure: bool,
    host: Host,
    port: u16,
}

impl RelayAddress {
    /// Parses an address; `ws://` is accepted for loopback hosts alone.
    pub fn parse(text: &str) -> Result<Self, AddressError> {
        let address = Self::parse_allowing_plain(text)?;
        if address.secure || address.is_loopback() { Ok(address) } else { Err(AddressError::Plain) }
    }

    /// Parses an address and accepts `ws://` for any host: for tests, and for someone who knows the path to be safe.
    pub fn parse_allowing_plain(text: &str) -> Result<Self, AddressError> {
        let text = text.trim();
        let (scheme, rest) = text.split_once("://").ok_or(AddressError::Scheme)?;
        let secure = match scheme.to_ascii_lowercase().as_str() {
            "wss" => true,
            "ws" => false,
            _ => return Err(AddressError::Scheme),
        };
        let authority = rest.strip_suffix('/').unwrap_or(rest);
        if authority.contains('@') {
            return Err(AddressError::Login);
        }
        if authority.contains(['/', '?', '#']) {
            return Err(AddressError::Path);
        }
        let (host, port) = split_port(authority)?;
        let port = port.map_or(Ok(default_port(secure)), parse_port)?;
        Ok(Self { secure, host, port })
    }

    /// Whether the way to the relay is encrypted (`wss`).
    pub fn is_secure(&self) -> bool {
        self.secure
    }

    /// Whether the relay runs on this computer: a loopback address, `localhost`, or a name below it.
    pub fn is_loopback(&self) -> bool {
        match &self.host {
            Host::Ip(ip) => ip.to_canonical().is_loopback(),
            Host::Name(name) => name == "localhost" || name.ends_with(".localhost"),
        }
    }

    /// The host without brackets.
    pub fn host(&self) -> String {
        match &self.host {
            Host::Name(name) => name.clone(),
            Host::Ip(ip) => ip.to_string(),
        }
    }

    /// The port, never 0.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// What a certificate must name.
    pub(crate) fn server_name(&self) -> ServerName<'static> {
        match &self.host {
            Host::Ip(ip) => ServerName::from(*ip),
            Host::Name(name) => ServerName::DnsName(
                DnsName::try_from(name.clone()).expect("the name was checked when parsed"),
            ),
        }
    }

    /// `host:port`, with brackets where they belong: what CONNECT and the Host header want.
    pub(crate) fn authority(&self) -> String {
        format!("{}:{}", self.host, self.port)
    }
}

impl fmt::Display for RelayAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = if self.secure { "wss" } else { "ws" };
        write!(f, "{scheme}://{}", self.host)?;
        if self.port == default_port(self.secure) { Ok(()) } else { write!(f, ":{}", self.port) }
    }
}

impl FromStr for RelayAddress {
    type Err = AddressError;

    fn from_str(text: &str) -> Result<Self, AddressError> {
        Self::parse(text)
    }
}

/// Why a text is no address of a relay.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum AddressError {
    /// Neither `wss://` nor `ws://`.
    #[error("a relay's address starts with wss://, for example wss://chat.example.org")]
    Scheme,
    /// `ws://` and not on this computer.
    #[error("ws:// is not encrypted and works only for a relay on this computer; use wss://")]
    Plain,
    /// A user name or password stands before the host.
    #[error("a relay's address has no user name or password in it")]
    Login,
    /// Something follows the host and port.
    #[error("a relay's address ends after its name and port; leave out what follows")]
    Path,
    /// The host is no host.
    #[error("\"{0}\" is neither a name nor an address of a computer")]
    Host(String),
    /// The host has letters outside ASCII.
    #[error("\"{0}\" has letters that addresses cannot carry; write it in its xn-- form")]
    NotAscii(String),
    /// The port is no port.
    #[error("\"{0}\" is not a port; it is a number from 1 to 65535")]
    Port(String),
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
enum Host {
    Name(String),
    Ip(IpAddr),
}

impl fmt::Display for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Host::Name(name) => f.write_str(name),
            Host::Ip(IpAddr::V4(ip)) => ip.fmt(f),
            Host::Ip(IpAddr::V6(ip)) => write!(f, "[{ip}]"),
        }
    }
}

fn default_port(secure: bool) -> u16 {
    if secure { 443 } else { 80 }
}

fn split_port(authority: &str) -> Result<(Host, Option<&str>), AddressError> {
    if let Some(rest) = authority.strip_prefix('[') {
        let bad = || AddressError::Host(authority.to_owned());
        let (inside, after) = rest.split_once(']').ok_or_else(bad)?;
        let ip: Ipv6Addr = inside.parse().map_err(|_| bad())?;
        return match after.strip_prefix(':') {
            Some(port) => Ok((Host::Ip(ip.into()), Some(port))),
            None if after.is_empty() => Ok((Host::Ip(ip.into()), None)),
            None => Err(bad()),
        };
    }
    match authority.split_once(':') {
        Some((host, port)) => Ok((parse_host(host)?, Some(port))),
        None => Ok((parse_host(authority)?, None)),
    }
}

fn parse_host(text: &str) -> Result<Host, AddressError> {
    if !text.is_ascii() {
        return Err(AddressError::NotAscii(text.to_owned()));
    }
    if let Ok(ip) = text.parse::<Ipv4Addr>() {
        return Ok(Host::Ip(ip.into()));
    }
    let name = text.to_ascii_lowercase();
    let last_label = name.rsplit('.').next().unwrap_or_default();
    // Resolvers read "127.1" and "0x7f.1" as addresses of their own making; a name's last label is never a number.
    let hex =
        last_label.strip_prefix("0x").is_some_and(|digits| digits.bytes().all(|b| b.is_ascii_hexdigit()));
    let numeric = hex || last_label.bytes().all(|b| b.is_ascii_digit());
    if numeric || DnsName::try_from(name.as_str()).is_err() {
        return Err(AddressError::Host(text.to_owned()));
    }
    Ok(Host::Name(name))
}

fn parse_port(text: &str) -> Result<u16, AddressError> {
    let digits = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    match text.parse() {
        Ok(port) if digits && port != 0 => Ok(port),
        _ => Err(AddressError::Port(text.to_owned())),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn addresses_are_shown_in_one_form() {
        for (text, shown) in [
            ("wss://chat.example.org", "wss://chat.example.org"),
            (" WSS://Chat.Example.org:443/ ", "wss://chat.example.org"),
            ("wss://chat.example.org:8443", "wss://chat.example.org:8443"),
            ("wss://xn--bcher-kva.example", "wss://xn--bcher-kva.example"),
            ("wss://3d-printer:7443", "wss://3d-printer:7443"),
            ("wss://192.168.1.20:7443", "wss://192.168.1.20:7443"),
            ("wss://[2001:DB8:0::1]", "wss://[2001:db8::1]"),
            ("ws://localhost:7000", "ws://localhost:7000"),
            ("ws://127.0.0.1:80", "ws://127.0.0.1"),
            ("ws://[::1]:7000", "ws://[::1]:7000"),
        ] {
            let address = RelayAddress::parse(text).unwrap();
            assert_eq!(address.to_string(), shown, "{text}");
            assert_eq!(RelayAddress::parse(shown).unwrap(), address);
        }
    }

    #[test]
    fn what_is_wrong_is_said() {
        for (text, error) in [
            ("chat.example.org", AddressError::Scheme),
            ("https://chat.example.org", AddressError::Scheme),
            ("ws://chat.example.org", AddressError::Plain),
            ("ws://192.168.1.20", AddressError::Plain),
            ("ws://localhost.evil.example", AddressError::Plain),
            ("wss://me:secret@chat.example.org", AddressError::Login),
            ("wss://chat.example.org/v1/ws", AddressError::Path),
            ("wss://chat.example.org?x", AddressError::Path),
            ("wss://", AddressError::Host(String::new())),
            ("wss://a..b", AddressError::Host("a..b".into())),
            ("wss://127.1", AddressError::Host("127.1".into())),
            ("wss://0x7f.0x1", AddressError::Host("0x7f.0x1".into())),
            ("wss://[::1", AddressError::Host("[::1".into())),
            ("wss://[::1]7", AddressError::Host("[::1]7".into())),
            ("wss://[fe80::1%eth0]", AddressError::Host("[fe80::1%eth0]".into())),
            ("wss://bücher.example", AddressError::NotAscii("bücher.example".into())),
            ("wss://a.example:", AddressError::Port(String::new())),
            ("wss://a.example:0", AddressError::Port("0".into())),
            ("wss://a.example:+5", AddressError::Port("+5".into())),
            ("wss://a.example:65536", AddressError::Port("65536".into())),
            ("wss://::1", AddressError::Host(String::new())),
        ] {
            assert_eq!(RelayAddress::parse(text), Err(error), "{text}");
        }
    }

    #[test]
    fn plain_is_possible_when_asked_for() {
        let address = RelayAddress::parse_allowing_plain("ws://10.0.0.3:7000").unwrap();
        assert!(!address.is_secure() && !address.is_loopback());
        assert_eq!(address.authority(), "10.0.0.3:7000");
    }

    proptest! {
        #[test]
        fn any_text_is_refused_or_round_trips(text in "(wss?://)?[a-zA-Z0-9.:\\[\\]@/?#%_-]{0,40}") {
            if let Ok(address) = RelayAddress::parse_allowing_plain(&text) {
                let again = RelayAddress::parse_allowing_plain(&address.to_string());
                prop_assert_eq!(again, Ok(address.clone()));
                let _ = address.server_name();
            }
        }
    }
}
