//! Whose connection it is when a proxy stands in between.

use std::net::{IpAddr, SocketAddr};

use hyper::HeaderMap;
use ipnet::IpNet;

/// The rightmost address of X-Forwarded-For that is not a trusted proxy itself: what is left of it, anyone can write.
/// None if the header is missing or broken: then the proxy is as far as one can see.
pub(super) fn client(headers: &HeaderMap, trusted: &[IpNet]) -> Option<IpAddr> {
    for value in headers.get_all("x-forwarded-for").iter().rev() {
        for part in value.to_str().ok()?.rsplit(',') {
            let address = address(part.trim())?;
            if !is_trusted(address, trusted) {
                return Some(address);
            }
        }
    }
    None
}

pub(crate) fn is_trusted(address: IpAddr, trusted: &[IpNet]) -> bool {
    let address = address.to_canonical();
    trusted.iter().any(|net| net.contains(&address))
}

/// Some proxies add the port, or write IPv6 as in an address of the web.
fn address(text: &str) -> Option<IpAddr> {
    let bare = text.strip_prefix('[').and_then(|text| text.strip_suffix(']')).unwrap_or(text);
    let parsed = bare.parse().ok().or_else(|| text.parse::<SocketAddr>().ok().map(|socket| socket.ip()));
    parsed.map(|address: IpAddr| address.to_canonical())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(values: &[&str]) -> Option<String> {
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append("x-forwarded-for", value.parse().unwrap());
        }
        let trusted = ["127.0.0.0/8".parse().unwrap(), "10.0.0.0/8".parse().unwrap()];
        client(&headers, &trusted).map(|address| address.to_string())
    }

    #[test]
    fn what_a_client_writes_itself_is_passed_over() {
        assert_eq!(seen(&["1.1.1.1, 203.0.113.9, 10.0.0.2"]).as_deref(), Some("203.0.113.9"));
        assert_eq!(seen(&["1.1.1.1", "203.0.113.9"]).as_deref(), Some("203.0.113.9"));
        assert_eq!(seen(&["203.0.113.9:4711"]).as_deref(), Some("203.0.113.9"));
        assert_eq!(seen(&["2001:db8::1"]).as_deref(), Some("2001:db8::1"));
        assert_eq!(seen(&["[2001:db8::1]"]).as_deref(), Some("2001:db8::1"));
        assert_eq!(seen(&["[2001:db8::1]:4711"]).as_deref(), Some("2001:db8::1"));
        assert_eq!(seen(&["::ffff:203.0.113.9"]).as_deref(), Some("203.0.113.9"));
        assert_eq!(seen(&["203.0.113.9, ::ffff:10.0.0.2"]).as_deref(), Some("203.0.113.9"));
        assert_eq!(seen(&["203.0.113.9, nonsense"]), None);
        assert_eq!(seen(&["10.0.0.1"]), None);
        assert_eq!(seen(&[]), None);
    }
}
