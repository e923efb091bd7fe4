//! Which way to go: straight, or through a proxy.

use std::{env, fmt, str::FromStr};

use http::{HeaderValue, Uri};
use hyper_util::client::proxy::matcher::{Intercept, Matcher};
use thiserror::Error;

use super::RelayAddress;

/// Where the choice of a proxy comes from.
#[derive(Clone, Debug, Default)]
pub enum ProxySetting {
    /// The environment (`HTTPS_PROXY`, `ALL_PROXY`, `NO_PROXY`, as curl reads them), else the system's settings on Windows
    /// and macOS. A relay on this computer is always reached straight.
    #[default]
    System,
    /// None.
    Direct,
    /// This one, for every relay.
    Through(Proxy),
}

impl ProxySetting {
    /// The proxy on the way to `address`, if there is one.
    pub(crate) fn on_the_way_to(&self, address: &RelayAddress) -> Result<Option<Proxy>, ProxyParseError> {
        match self {
            Self::Direct => Ok(None),
            Self::Through(proxy) => Ok(Some(proxy.clone())),
            Self::System if address.is_loopback() => Ok(None),
            Self::System => match of_environment(address, |name| env::var(name).ok())? {
                Some(choice) => Ok(choice.0),
                None => of_matcher(&Matcher::from_system(), address),
            },
        }
    }
}

/// One proxy: `http://[user:password@]host[:port]` (CONNECT), or `socks5://` or `socks5h://`, both of which leave the name of
/// the relay to the proxy to look up. Without a scheme: http. Neither `Debug` nor `Display` shows the password.
#[derive(Clone, PartialEq, Eq)]
pub struct Proxy {
    pub(crate) kind: ProxyKind,
    pub(crate) host: String,
    pub(crate) port: u16,
}

/// How to talk to a proxy, and as whom.
#[derive(Clone, PartialEq, Eq)]
pub(crate) enum ProxyKind {
    Http { authorization: Option<HeaderValue> },
    Socks5 { login: Option<(String, String)> },
}

impl Proxy {
    /// Parses the address of a proxy.
    pub fn parse(text: &str) -> Result<Self, ProxyParseError> {
        let matcher = Matcher::builder().all(text.trim()).build();
        let intercept =
            matcher.intercept(&Uri::from_static("https://any.invalid/")).ok_or(ProxyParseError::Address)?;
        Self::from_intercept(&intercept)
    }

    fn from_intercept(intercept: &Intercept) -> Result<Self, ProxyParseError> {
        let uri = intercept.uri();
        let (kind, default_port) = match uri.scheme_str().unwrap_or("http") {
            "http" => (ProxyKind::Http { authorization: intercept.basic_auth().cloned() }, 80),
            "socks5" | "socks5h" => (ProxyKind::Socks5 { login: socks_login(intercept)? }, 1080),
            other => return Err(ProxyParseError::Kind(other.to_owned())),
        };
        let host = uri.host().unwrap_or_default().trim_matches(['[', ']']).to_owned();
        if host.is_empty() {
            return Err(ProxyParseError::Address);
        }
        let has_port = uri
            .authority()
            .is_some_and(|authority| authority.as_str().len() > uri.host().unwrap_or("").len());
        let port = match uri.port_u16() {
            Some(0) => return Err(ProxyParseError::Address),
            Some(port) => port,
            None if has_port => return Err(ProxyParseError::Address),
            None => default_port,
        };
        Ok(Self { kind, host, port })
    }
}

impl FromStr for Proxy {
    type Err = ProxyParseError;

    fn from_str(text: &str) -> Result<Self, ProxyParseError> {
        Self::parse(text)
    }
}

impl fmt::Display for Proxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = match self.kind {
            ProxyKind::Http { .. } => "http",
            ProxyKind::Socks5 { .. } => "socks5",
        };
        if self.host.contains(':') {
            write!(f, "{scheme}://[{}]:{}", self.host, self.port)
        } else {
            write!(f, "{scheme}://{}:{}", self.host, self.port)
        }
    }
}

impl fmt::Debug for Proxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let login = match &self.kind {
            ProxyKind::Http { authorization } => authorization.is_some(),
            ProxyKind::Socks5 { login } => login.is_some(),
        };
        f.debug_struct("Proxy")
            .field("address", &self.to_string())
            .field("has_login", &login)
            .finish_non_exhaustive()
    }
}

/// Why a text names no proxy. Never repeats the text: it may hold a password.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum ProxyParseError {
    /// Not an address.
    #[error("a proxy is written like http://proxy.example:8080 or socks5://localhost:9050")]
    Address,
    /// A kind of proxy that we do not speak.
    #[error("{0}:// proxies are not supported; http:// and socks5:// are")]
    Kind(String),
    /// SOCKS5 wants 1 to 255 bytes of each.
    #[error("a SOCKS5 proxy with a login wants a user name and a password, of at most 255 bytes each")]
    Login,
}

/// What the environment chose.
#[derive(Debug, PartialEq, Eq)]
struct Choice(Option<Proxy>);

/// `None`: the environment says nothing. A value that cannot be read is an error, never a reason to go straight: someone
/// may rely on the proxy to hide behind.
fn of_environment(
    address: &RelayAddress,
    variable: impl Fn(&str) -> Option<String>,
) -> Result<Option<Choice>, ProxyParseError> {
    // Upper-case HTTP_PROXY is left alone: a server may set it from a request's header.
    let own: &[&str] = if address.is_secure() { &["HTTPS_PROXY", "https_proxy"] } else { &["http_proxy"] };
    let first = |names: &[&str]| {
        names.iter().find_map(|name| variable(name).filter(|value| !value.trim().is_empty()))
    };
    let Some(value) = first(own).or_else(|| first(&["ALL_PROXY", "all_proxy"])) else { return Ok(None) };
    let proxy = Proxy::parse(&value)?;
    let exceptions = first(&["NO_PROXY", "no_proxy"]).unwrap_or_default();
    let matcher = Matcher::builder().all(value.trim()).no(exceptions).build();
    let goes_through = matcher.intercept(&as_http(address)).is_some();
    Ok(Some(Choice(goes_through.then_some(proxy))))
}

fn of_matcher(matcher: &Matcher, address: &RelayAddress) -> Result<Option<Proxy>, ProxyParseError> {
    matcher.intercept(&as_http(address)).map(|found| Proxy::from_intercept(&found)).transpose()
}

/// The matcher knows http and https alone.
fn as_http(address: &RelayAddress) -> Uri {
    let scheme = if address.is_secure() { "https" } else { "http" };
    format!("{scheme}://{}/", address.authority()).parse().expect("a relay's address is a part of a URI")
}

fn socks_login(intercept: &Intercept) -> Result<Option<(String, String)>, ProxyParseError> {
    let Some((user, password)) = intercept.raw_auth() else { return Ok(None) };
    if [user, password].iter().all(|part| (1..=255).contains(&part.len())) {
        Ok(Some((user.to_owned(), password.to_owned())))
    } else {
        Err(ProxyParseError::Login)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn relay(text: &str) -> RelayAddress {
        RelayAddress::parse_allowing_plain(text).unwrap()
    }

    fn chosen(address: &str, variables: &[(&str, &str)]) -> Result<Option<String>, ProxyParseError> {
        let lookup = |name: &str| variables.iter().find(|(n, _)| *n == name).map(|(_, v)| (*v).to_owned());
        let choice = of_environment(&relay(address), lookup)?;
        Ok(choice.and_then(|c| c.0).map(|proxy| proxy.to_string()))
    }

    #[test]
    fn proxies_are_parsed_with_their_login_and_port() {
        for (text, shown) in [
            ("http://proxy.example:8080", "http://proxy.example:8080"),
            ("proxy.example:8080", "http://proxy.example:8080"),
            ("http://proxy.example", "http://proxy.example:80"),
            ("socks5://localhost", "socks5://localhost:1080"),
            ("socks5h://user:pa%20ss@[::1]:9050", "socks5://[::1]:9050"),
        ] {
            assert_eq!(Proxy::parse(text).unwrap().to_string(), shown, "{text}");
        }
        let proxy = Proxy::parse("socks5://user:pa%20ss@localhost:9050").unwrap();
        assert!(proxy.kind == ProxyKind::Socks5 { login: Some(("user".into(), "pa ss".into())) });
    }

    #[test]
    fn what_is_no_proxy_is_refused() {
        for (text, error) in [
            ("", ProxyParseError::Address),
            ("not a proxy", ProxyParseError::Address),
            ("sock5://localhost", ProxyParseError::Address),
            ("http://proxy.example:99999", ProxyParseError::Address),
            ("https://proxy.example", ProxyParseError::Kind("https".into())),
            ("socks4://proxy.example", ProxyParseError::Kind("socks4".into())),
            ("socks5://user@localhost", ProxyParseError::Login),
        ] {
            assert_eq!(Proxy::parse(text), Err(error), "{text}");
        }
    }

    #[test]
    fn passwords_are_not_shown() {
        for text in ["http://user:hunter2@proxy.example", "socks5://user:hunter2@proxy.example"] {
            let proxy = Proxy::parse(text).unwrap();
            let basic = "dXNlcjpodW50ZXIy"; // user:hunter2
            for shown in
                [format!("{proxy:?}"), format!("{proxy}"), format!("{:?}", ProxySetting::Through(proxy))]
            {
                assert!(!shown.contains("hunter2") && !shown.contains(basic), "{shown}");
            }
        }
    }

    #[test]
    fn the_environment_is_read_as_curl_does() {
        let https = ("HTTPS_PROXY", "http://a.example:1");
        let all = ("all_proxy", "socks5://b.example:2");
        let wss = "wss://chat.example.org";
        assert_eq!(chosen(wss, &[]), Ok(None));
        assert_eq!(chosen(wss, &[https, all]), Ok(Some("http://a.example:1".into())));
        assert_eq!(chosen(wss, &[all]), Ok(Some("socks5://b.example:2".into())));
        assert_eq!(chosen("ws://chat.example.org", &[https]), Ok(None));
        assert_eq!(chosen(wss, &[("HTTP_PROXY", "http://a.example:1")]), Ok(None));
        for (no, expected) in
            [("example.org", None), ("*", None), ("other.org, 10.0.0.0/8", Some("http://a.example:1".into()))]
        {
            assert_eq!(chosen(wss, &[https, ("no_proxy", no)]), Ok(expected), "{no}");
        }
        assert_eq!(chosen("wss://10.1.2.3", &[https, ("NO_PROXY", "10.0.0.0/8")]), Ok(None));
    }

    #[test]
    fn a_misspelt_proxy_is_an_error_and_not_a_way_around_it() {
        assert_eq!(
            chosen("wss://chat.example.org", &[("ALL_PROXY", "sock5://tor:9050")]),
            Err(ProxyParseError::Address)
        );
    }

    #[test]
    fn a_relay_on_this_computer_needs_no_proxy() {
        assert_eq!(ProxySetting::System.on_the_way_to(&relay("ws://127.0.0.1:7000")), Ok(None));
    }
}
