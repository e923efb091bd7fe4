use tokio::{
    io::{AsyncReadExt, AsyncWriteExt, copy_bidirectional},
    sync::mpsc,
};

use super::*;

/// A name that only the proxy can look up.
const HIDDEN: &str = "wss://relay.kith.invalid:7443";

/// What a proxy saw of one client: target, and login.
type Seen = (String, Option<String>);

/// An HTTP proxy that connects everyone to `relay`, whatever they ask for.
async fn http_proxy(relay: SocketAddr) -> (SocketAddr, mpsc::Receiver<Seen>) {
    let (saw, seen) = mpsc::channel(8);
    let address = serve(move |mut client| {
        let saw = saw.clone();
        async move {
            let head = read_head(&mut client).await;
            let target = head.lines().next().unwrap().strip_prefix("CONNECT ").unwrap();
            let target = target.strip_suffix(" HTTP/1.1").unwrap().to_owned();
            assert!(head.contains(&format!("\r\nHost: {target}\r\n")));
            let login =
                head.lines().find_map(|line| line.strip_prefix("Proxy-Authorization: ").map(str::to_owned));
            saw.send((target, login)).await.unwrap();
            let mut server = TcpStream::connect(relay).await.unwrap();
            // In two pieces, as slow proxies do.
            client.write_all(b"HTTP/1.1 200 Connection est").await.unwrap();
            client.flush().await.unwrap();
            tokio::task::yield_now().await;
            client.write_all(b"ablished\r\nProxy-Agent: test\r\n\r\n").await.unwrap();
            let _ = copy_bidirectional(&mut client, &mut server).await;
        }
    })
    .await;
    (address, seen)
}

async fn read_head(client: &mut TcpStream) -> String {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(client.read_u8().await.unwrap());
    }
    String::from_utf8(head).unwrap()
}

/// A SOCKS5 proxy (RFC 1928) that wants `login`, if any, and connects everyone to `relay`.
async fn socks_proxy(relay: SocketAddr, login: Option<&'static str>) -> (SocketAddr, mpsc::Receiver<Seen>) {
    let (saw, seen) = mpsc::channel(8);
    let address = serve(move |mut client| {
        let saw = saw.clone();
        async move {
            assert_eq!(client.read_u8().await.unwrap(), 5);
            let methods = read_bytes(&mut client).await;
            let method = if login.is_some() { 2 } else { 0 };
            if !methods.contains(&method) {
                client.write_all(&[5, 0xff]).await.unwrap();
                return;
            }
            client.write_all(&[5, method]).await.unwrap();
            let mut given = None;
            if let Some(login) = login {
                assert_eq!(client.read_u8().await.unwrap(), 1);
                let parts = [read_bytes(&mut client).await, read_bytes(&mut client).await];
                let login_given = parts.map(|part| String::from_utf8(part).unwrap()).join(":");
                let right = login_given == login;
                client.write_all(&[1, u8::from(!right)]).await.unwrap();
                if !right {
                    return;
                }
                given = Some(login_given);
            }
            let mut request = [0; 4];
            client.read_exact(&mut request).await.unwrap();
            assert_eq!(request, [5, 1, 0, 3], "connect to a name, which the proxy looks up");
            let name = String::from_utf8(read_bytes(&mut client).await).unwrap();
            let port = client.read_u16().await.unwrap();
            saw.send((format!("{name}:{port}"), given)).await.unwrap();
            let mut server = TcpStream::connect(relay).await.unwrap();
            client.write_all(&[5, 0, 0, 1, 127, 0, 0, 1, 0, 9]).await.unwrap();
            let _ = copy_bidirectional(&mut client, &mut server).await;
        }
    })
    .await;
    (address, seen)
}

async fn read_bytes(client: &mut TcpStream) -> Vec<u8> {
    let mut bytes = vec![0; usize::from(client.read_u8().await.unwrap())];
    client.read_exact(&mut bytes).await.unwrap();
    bytes
}

/// A proxy that answers the first bytes with `answer` and then waits, or leaves.
async fn odd_proxy(answer: &'static [u8], leaves: bool) -> SocketAddr {
    serve(move |mut client| async move {
        let mut request = [0; 4096];
        let _ = client.read(&mut request).await;
        let _ = client.write_all(answer).await;
        while !leaves && client.read(&mut request).await.is_ok_and(|read| read > 0) {}
    })
    .await
}

fn through(proxy: &str) -> ProxySetting {
    ProxySetting::Through(Proxy::parse(proxy).unwrap())
}

/// Why a proxy that answers so does not open the way.
async fn refusal(scheme: &str, answer: &'static [u8], leaves: bool) -> DialError {
    let proxy = odd_proxy(answer, leaves).await;
    let relay = RelayAddress::parse(HIDDEN).unwrap();
    let to = Dial::new(relay, Trust::Pin([1; 32])).timeouts(impatient());
    let error = dial(&to.proxy(through(&format!("{scheme}://{proxy}")))).await.unwrap_err();
    if let DialError::Proxy { proxy: shown, .. } = &error {
        assert_eq!(*shown, format!("{scheme}://{proxy}"));
    }
    error
}

fn is(error: &DialError, expected: impl Fn(&TunnelError) -> bool) -> bool {
    matches!(error, DialError::Proxy { source, .. } if expected(source))
}

#[tokio::test]
async fn an_http_proxy_carries_an_encrypted_link() {
    let identity = Identity::new();
    let (proxy, mut seen) = http_proxy(echo_relay(&identity).await).await;
    let to = Dial::new(RelayAddress::parse(HIDDEN).unwrap(), Trust::Pin(identity.pin()));
    let to = to.proxy(through(&format!("http://alice:o%20pen@{proxy}")));
    assert_echoes(&mut dial(&to).await.unwrap()).await;
    let basic = "Basic YWxpY2U6byBwZW4=".to_owned(); // alice:o pen
    assert_eq!(seen.recv().await.unwrap(), ("relay.kith.invalid:7443".to_owned(), Some(basic)));
}

#[tokio::test]
async fn the_relays_key_counts_behind_a_proxy_too() {
    let identity = Identity::new();
    let (proxy, mut seen) = http_proxy(echo_relay(&identity).await).await;
    let to = Dial::new(RelayAddress::parse(HIDDEN).unwrap(), Trust::Pin([1; 32]));
    let error = dial(&to.proxy(through(&format!("http://{proxy}")))).await.unwrap_err();
    assert!(matches!(error, DialError::UntrustedCertificate { .. }), "{error:?}");
    assert_eq!(seen.recv().await.unwrap().1, None);
}

#[tokio::test]
async fn a_socks_proxy_carries_an_encrypted_link_and_looks_up_the_name() {
    let identity = Identity::new();
    let relay = echo_relay(&identity).await;
    for (login, prefix) in [(None, ""), (Some("alice:open"), "alice:open@")] {
        let (proxy, mut seen) = socks_proxy(relay, login).await;
        let to = Dial::new(RelayAddress::parse(HIDDEN).unwrap(), Trust::Pin(identity.pin()));
        let to = to.proxy(through(&format!("socks5://{prefix}{proxy}")));
        assert_echoes(&mut dial(&to).await.unwrap()).await;
        assert_eq!(
            seen.recv().await.unwrap(),
            ("relay.kith.invalid:7443".to_owned(), login.map(str::to_owned))
        );
    }
}

#[tokio::test]
async fn a_wrong_or_missing_socks_login_is_said() {
    for prefix in ["", "alice:wrong@"] {
        let (proxy, _seen) = socks_proxy(([127, 0, 0, 1], 9).into(), Some("alice:open")).await;
        let to = Dial::new(RelayAddress::parse(HIDDEN).unwrap(), Trust::Pin([1; 32]));
        let error = dial(&to.proxy(through(&format!("socks5://{prefix}{proxy}")))).await.unwrap_err();
        assert!(is(&error, |e| matches!(e, TunnelError::Login)), "{error:?}");
        assert_eq!(error.retry(), Retry::Never);
    }
}

#[tokio::test]
async fn an_http_proxy_that_refuses_says_why() {
    let error = refusal("http", b"HTTP/1.1 403 Forbidden\r\nContent-Length: 2\r\n\r\nno", false).await;
    assert!(is(&error, |e| matches!(e, TunnelError::Refused { status: 403 })), "{error:?}");
    assert!(matches!(error.retry(), Retry::After(_)));
    let error = refusal("http", b"HTTP/1.1 502 Bad Gateway\r\n\r\n", true).await;
    assert!(is(&error, |e| matches!(e, TunnelError::Refused { status: 502 })), "{error:?}");
    assert_eq!(error.retry(), Retry::Now);
    let error = refusal("http", b"HTTP/1.1 407 Who?\r\nProxy-Authenticate: Basic\r\n\r\n", false).await;
    assert!(is(&error, |e| matches!(e, TunnelError::Login)), "{error:?}");
}

#[tokio::test]
async fn an_http_proxy_that_is_none_is_told_apart() {
    static ENDLESS: [u8; 20_000] = {
        let mut answer = [b'x'; 20_000];
        let start = *b"HTTP/1.1 200 OK\r\nX: ";
        let mut i = 0;
        while i < start.len() {
            answer[i] = start[i];
            i += 1;
        }
        answer
    };
    for answer in [&b"SSH-2.0-OpenSSH_9.2\r\n"[..], b"HTTP/1.1 200 OK\r\n\r\nand more", &ENDLESS] {
        let error = refusal("http", answer, false).await;
        assert!(is(&error, |e| matches!(e, TunnelError::Garbage)), "{error:?}");
    }
    let error = refusal("http", b"HTTP/1.1 200", true).await;
    assert!(is(&error, |e| matches!(e, TunnelError::Lost(_))), "{error:?}");
}

#[tokio::test]
async fn a_socks_proxy_that_refuses_or_is_none_says_why() {
    let error = refusal("socks5", b"\x05\x00\x05\x05\x00\x01\0\0\0\0\0\0", false).await;
    assert!(is(&error, |e| matches!(e, TunnelError::SocksRefused { .. })), "{error:?}");
    let error = refusal("socks5", b"HTTP/1.1 400 Bad Request\r\n\r\n", false).await;
    assert!(is(&error, |e| matches!(e, TunnelError::Garbage)), "{error:?}");
    let error = refusal("socks5", b"\x05", true).await;
    assert!(is(&error, |e| matches!(e, TunnelError::Lost(_))), "{error:?}");
}

#[tokio::test]
async fn a_proxy_that_hangs_costs_its_time_limit() {
    for scheme in ["http", "socks5"] {
        let error = refusal(scheme, b"", false).await;
        assert!(matches!(error, DialError::Timeout { phase: Phase::Proxy, .. }), "{error:?}");
    }
    let error = refusal("http", b"HTTP/1.1 200 OK\r\n", false).await;
    assert!(matches!(error, DialError::Timeout { phase: Phase::Proxy, .. }), "{error:?}");
}

#[tokio::test]
async fn a_dial_shows_no_password() {
    let to = Dial::new(RelayAddress::parse(HIDDEN).unwrap(), Trust::Platform);
    let shown = format!("{:?}", to.proxy(through("socks5://alice:hunter2@localhost:9050")));
    assert!(shown.contains("localhost:9050") && !shown.contains("hunter2"), "{shown}");
}
