use super::*;
use rcgen::{CertifiedKey, generate_simple_self_signed};
use rustls::ServerConfig;
use rustls::crypto::ring;
use rustls::pki_types::PrivatePkcs8KeyDer;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

#[test]
fn inside_and_outside_are_told_apart() {
    let inside = [
        "0.0.0.0",
        "10.1.2.3",
        "100.64.0.1",
        "127.0.0.1",
        "127.9.9.9",
        "169.254.169.254",
        "172.16.0.1",
        "172.31.255.255",
        "192.0.0.8",
        "192.0.2.1",
        "192.168.1.1",
        "198.18.0.1",
        "198.51.100.7",
        "203.0.113.9",
        "224.0.0.1",
        "240.0.0.1",
        "255.255.255.255",
        "::",
        "::1",
        "::127.0.0.1",
        "::ffff:127.0.0.1",
        "::ffff:10.0.0.1",
        "64:ff9b::10.0.0.1",
        "64:ff9b:1::1",
        "2002:7f00:1::1",
        "2001::1",
        "2001:db8::1",
        "3fff::1",
        "fc00::1",
        "fd12::1",
        "fe80::1",
        "fec0::1",
        "ff02::1",
        "100::1",
    ];
    for ip in inside {
        assert!(!is_public(ip.parse().unwrap()), "{ip}");
    }
    let outside = [
        "1.1.1.1",
        "8.8.8.8",
        "100.128.0.1",
        "172.32.0.1",
        "192.0.1.1",
        "198.20.0.1",
        "::ffff:8.8.8.8",
        "64:ff9b::8.8.8.8",
        "2002:808:808::1",
        "2606:4700::1111",
        "2a01:4f8::1",
    ];
    for ip in outside {
        assert!(is_public(ip.parse().unwrap()), "{ip}");
    }
}

#[test]
fn an_address_is_read_strictly() {
    let target = Target::parse("https://push.example/p/1?x=2").unwrap();
    assert_eq!((target.host.as_str(), target.port, target.path.as_str()), ("push.example", 443, "/p/1?x=2"));
    assert_eq!(Target::parse("http://[::1]:81").unwrap().host, "::1");
    for bad in [
        "",
        "x",
        "ftp://a.example/",
        "https://",
        "https://a@b.example/",
        "file:///etc/passwd",
        "//a.example/",
    ] {
        assert!(Target::parse(bad).is_err(), "{bad}");
    }
}

fn request(url: String) -> Request {
    Request { url, headers: Vec::new(), body: b"hello".to_vec() }
}

/// A server that answers each connection with this, and counts them.
async fn server(answer: &'static str) -> (u16, Arc<std::sync::atomic::AtomicU32>) {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let (port, count) = (listener.local_addr().unwrap().port(), Arc::default());
    let counted: Arc<std::sync::atomic::AtomicU32> = Arc::clone(&count);
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            counted.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
            let mut buffer = [0; 4096];
            let _ = stream.read(&mut buffer).await;
            let _ = stream.write_all(answer.as_bytes()).await;
        }
    });
    (port, count)
}

#[tokio::test]
async fn what_lies_inside_is_reached_only_if_the_operator_says_so() {
    let (port, count) = server("HTTP/1.1 204 No Content\r\n\r\n").await;
    let outside = Outside::new();
    let spellings =
        ["127.0.0.1", "localhost", "[::ffff:127.0.0.1]", "2130706433", "0x7f.1", "0.0.0.0", "127.1"];
    for host in spellings {
        for scheme in ["http", "https"] {
            let error = outside.post(request(format!("{scheme}://{host}:{port}/")), &[]).await.unwrap_err();
            // A system may not know a strange spelling at all.
            assert!(matches!(error, SendError::Inside | SendError::Unreached(_)), "{host}: {error}");
        }
    }
    assert_eq!(count.load(std::sync::atomic::Ordering::Relaxed), 0);
    let allowed = ["127.0.0.0/8".parse().unwrap()];
    let answer = outside.post(request(format!("http://127.0.0.1:{port}/")), &allowed).await.unwrap();
    assert_eq!(answer.status, 204);
    let other = ["192.168.0.0/16".parse().unwrap()];
    let error = outside.post(request(format!("http://127.0.0.1:{port}/")), &other).await.unwrap_err();
    assert!(matches!(error, SendError::Inside));
}

#[tokio::test]
async fn redirects_are_not_followed_and_silence_is_told_from_absence() {
    let allowed = ["127.0.0.0/8".parse().unwrap()];
    let outside = Outside::new();
    let (inner, count) = server("HTTP/1.1 200 OK\r\n\r\n").await;
    let to = format!("HTTP/1.1 307 x\r\nlocation: http://127.0.0.1:{inner}/\r\nretry-after: 7\r\n\r\n");
    let (port, _) = server(to.leak()).await;
    let answer = outside.post(request(format!("http://127.0.0.1:{port}/")), &allowed).await.unwrap();
    assert_eq!(answer.status, 307);
    assert_eq!(answer.retry_after, Some(Duration::from_secs(7)));
    assert_eq!(count.load(std::sync::atomic::Ordering::Relaxed), 0);
    let (port, _) = server("").await;
    let error = outside.post(request(format!("http://127.0.0.1:{port}/")), &allowed).await.unwrap_err();
    assert!(matches!(error, SendError::NoAnswer), "{error}");
    let gone = TcpListener::bind(("127.0.0.1", 0)).await.unwrap().local_addr().unwrap();
    let error = outside.post(request(format!("http://{gone}/")), &allowed).await.unwrap_err();
    assert!(matches!(error, SendError::Unreached(_)), "{error}");
}

/// A server that takes one request over TLS, with a certificate for `localhost` that vouches for itself; and the certificate.
async fn secure_server() -> (u16, String, tokio::task::JoinHandle<Option<String>>) {
    let CertifiedKey { cert, signing_key } = generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let key = PrivatePkcs8KeyDer::from(signing_key.serialize_der());
    let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![cert.der().clone()], key.into())
        .unwrap();
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let served = tokio::spawn(async move {
        let (stream, _) = listener.accept().await.unwrap();
        let mut stream = TlsAcceptor::from(Arc::new(config)).accept(stream).await.ok()?;
        let mut read = Vec::new();
        while !read.ends_with(b"hello") {
            let mut buffer = [0; 4096];
            let count = stream.read(&mut buffer).await.ok().filter(|count| *count > 0)?;
            read.extend_from_slice(&buffer[..count]);
        }
        stream.write_all(b"HTTP/1.1 201 Created\r\n\r\n").await.unwrap();
        stream.shutdown().await.unwrap();
        Some(String::from_utf8(read).unwrap())
    });
    (port, cert.pem(), served)
}

#[tokio::test]
async fn over_https_only_the_named_host_is_told() {
    let allowed = ["127.0.0.0/8".parse().unwrap(), "::1/128".parse().unwrap()];
    let folder = tempfile::tempdir().unwrap();
    let authorities = folder.path().join("ca.pem");
    let trusting = |pem: String| {
        std::fs::write(&authorities, pem).unwrap();
        Outside { tls: Ok(https::connector(Some(&authorities)).unwrap()) }
    };

    let (port, pem, served) = secure_server().await;
    let url = format!("https://localhost:{port}/p?x=1");
    let answer = trusting(pem).post(request(url), &allowed).await.unwrap();
    assert_eq!(answer.status, 201);
    let said = served.await.unwrap().unwrap().to_ascii_lowercase();
    assert!(said.starts_with("post /p?x=1 http/1.1\r\n"), "{said}");
    assert!(said.contains(&format!("\r\nhost: localhost:{port}\r\n")), "{said}");

    let (port, pem, served) = secure_server().await;
    let url = format!("https://127.0.0.1:{port}/");
    let error = trusting(pem).post(request(url), &allowed).await.unwrap_err();
    assert!(matches!(error, SendError::Unreached(_)), "another name than the certificate's: {error}");
    assert_eq!(served.await.unwrap(), None);

    let (port, _, served) = secure_server().await;
    let (_, other, _) = secure_server().await;
    let url = format!("https://localhost:{port}/");
    let error = trusting(other).post(request(url), &allowed).await.unwrap_err();
    assert!(matches!(error, SendError::Unreached(_)), "nobody vouches for it: {error}");
    assert_eq!(served.await.unwrap(), None);
}
