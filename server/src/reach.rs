//! How others reach this relay: what stands in links.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};

use crate::{
    config::{Config, Security},
    tls::Pin,
};

/// Address and pin, as a link carries them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reach {
    /// `wss://host:port`, or `ws://host:port` where connections are plain; without the port where it is the scheme's own.
    pub url: String,
    pub pin: Option<Pin>,
}

impl Reach {
    /// `bound` is where the relay listens, with the port that it really got.
    pub fn new(config: &Config, bound: SocketAddr, pin: Option<Pin>) -> Self {
        let secure = config.security() != Security::Plain || is_behind_tls(config);
        let (scheme, usual_port) = if secure { ("wss", 443) } else { ("ws", 80) };
        // A proxy that is named without a port listens on the usual one.
        let default_port = if is_behind_tls(config) { usual_port } else { bound.port() };
        let (host, port) =
            split(&config.public_address, default_port).unwrap_or_else(|| (host(bound.ip()), bound.port()));
        let url = if port == usual_port {
            format!("{scheme}://{host}")
        } else {
            format!("{scheme}://{host}:{port}")
        };
        Self { url, pin }
    }

    /// The page of an invite, where a browser would show it without a warning.
    pub fn page(&self, token: &str) -> Option<String> {
        let web = self.url.replacen("ws", "http", 1);
        self.pin.is_none().then(|| format!("{web}/i/{token}"))
    }

    /// The host alone, for a certificate.
    pub fn host(config: &Config) -> String {
        split(&config.public_address, 0).map_or_else(|| host(config.listen.ip()), |(host, _)| host)
    }
}

/// A proxy with a public name: who reaches the relay there speaks TLS to the proxy.
fn is_behind_tls(config: &Config) -> bool {
    config.behind_proxy && !config.public_address.is_empty()
}

/// Host (with brackets, if it is IPv6) and port; none if nothing is given.
fn split(address: &str, default_port: u16) -> Option<(String, u16)> {
    if address.is_empty() {
        return None;
    }
    if let Ok(ip) = address.parse::<IpAddr>() {
        return Some((bracketed(ip), default_port));
    }
    match address.rsplit_once(':') {
        Some((host, port)) if !host.contains(':') || host.ends_with(']') => {
            Some((host.to_owned(), port.parse().unwrap_or(default_port)))
        }
        _ => Some((address.to_owned(), default_port)),
    }
}

/// What another machine would call this one. Everywhere means: the address that the system would use to leave.
fn host(ip: IpAddr) -> String {
    let ip = if ip.is_unspecified() { outward(ip).unwrap_or(ip) } else { ip };
    bracketed(ip)
}

/// Connecting a datagram socket sends nothing; it only asks the system for the way (to an address of RFC 5737 or 3849).
fn outward(ip: IpAddr) -> Option<IpAddr> {
    let ways: &[(IpAddr, IpAddr)] = &[
        (Ipv4Addr::UNSPECIFIED.into(), Ipv4Addr::new(192, 0, 2, 1).into()),
        (Ipv6Addr::UNSPECIFIED.into(), Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 1).into()),
    ];
    ways.iter().filter(|(from, _)| ip.is_ipv6() || from.is_ipv4()).find_map(|(from, to)| {
        let socket = UdpSocket::bind((*from, 0)).ok()?;
        socket.connect((*to, 9)).ok()?;
        let ip = socket.local_addr().ok()?.ip();
        (!ip.is_unspecified()).then_some(ip)
    })
}

fn bracketed(ip: IpAddr) -> String {
    match ip {
        IpAddr::V4(ip) => ip.to_string(),
        IpAddr::V6(ip) => format!("[{ip}]"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn url(listen: &str, public_address: &str, behind_proxy: bool) -> String {
        let config = Config {
            listen: listen.parse().unwrap(),
            public_address: public_address.into(),
            behind_proxy,
            ..Config::default()
        };
        Reach::new(&config, config.listen, None).url
    }

    #[test]
    fn addresses_as_they_stand_in_links() {
        assert_eq!(url("127.0.0.1:7443", "", false), "ws://127.0.0.1:7443");
        assert_eq!(url("[::1]:7443", "", false), "ws://[::1]:7443");
        assert_eq!(url("0.0.0.0:7443", "chat.example", false), "wss://chat.example:7443");
        assert_eq!(url("0.0.0.0:443", "chat.example", false), "wss://chat.example");
        assert_eq!(url("0.0.0.0:7443", "chat.example:8443", false), "wss://chat.example:8443");
        assert_eq!(url("0.0.0.0:7443", "fd00::1", false), "wss://[fd00::1]:7443");
        assert_eq!(url("0.0.0.0:7443", "[fd00::1]:99", false), "wss://[fd00::1]:99");
        assert_eq!(url("127.0.0.1:7443", "chat.example", true), "wss://chat.example");
        assert_eq!(url("127.0.0.1:7443", "", true), "ws://127.0.0.1:7443");
        assert!(url("0.0.0.0:7443", "", false).starts_with("wss://"));
    }

    #[test]
    fn a_page_only_where_no_browser_warns() {
        let mut reach = Reach { url: "wss://chat.example".into(), pin: None };
        assert_eq!(reach.page("t").as_deref(), Some("https://chat.example/i/t"));
        reach.pin = Some([1; 32]);
        assert_eq!(reach.page("t"), None);
    }
}
