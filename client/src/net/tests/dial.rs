use rustls::{
    crypto::ring::sign::any_supported_type,
    sign::{CertifiedKey, SingleCertAndKey},
};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio_tungstenite::{
    accept_hdr_async,
    tungstenite::handshake::server::{ErrorResponse, Request, Response},
};

use super::*;

/// A port that answers a connection's first bytes with `answer` and then waits for the client to go.
async fn answers(answer: &'static [u8]) -> SocketAddr {
    serve(move |mut stream| async move {
        let mut request = [0; 4096];
        let _ = stream.read(&mut request).await;
        let _ = stream.write_all(answer).await;
        while stream.read(&mut request).await.is_ok_and(|read| read > 0) {}
    })
    .await
}

/// A port that takes connections and says nothing.
async fn silent() -> SocketAddr {
    answers(b"").await
}

async fn failure(to: Dial) -> DialError {
    dial(&to).await.expect_err("this dial fails")
}

#[tokio::test]
async fn the_right_pin_opens_a_link_and_the_dial_can_be_used_again() {
    let identity = Identity::new();
    let relay = Dial::new(wss(echo_relay(&identity).await), Trust::Pin(identity.pin()));
    for _ in 0..2 {
        let mut link = relay.connect().await.unwrap();
        assert_echoes(&mut link).await;
        assert!(link.traffic().sent > 370_000 && link.traffic().received > 370_000);
        link.close(1000, "bye").await;
        assert!(link.next().await.is_none());
    }
}

#[tokio::test]
async fn a_wrong_pin_is_told_apart_and_ends_the_trying() {
    let identity = Identity::new();
    let address = wss(echo_relay(&identity).await);
    let error = failure(Dial::new(address, Trust::Pin([1; 32]))).await;
    let DialError::UntrustedCertificate { seen } = &error else { panic!("{error:?}") };
    assert_eq!(*seen, identity.pin());
    assert_eq!(error.retry(), Retry::Never);
}

#[tokio::test]
async fn an_expired_certificate_with_the_right_pin_is_good() {
    let identity = Identity::expired();
    let address = wss(echo_relay(&identity).await);
    assert_echoes(&mut dial(&Dial::new(address, Trust::Pin(identity.pin()))).await.unwrap()).await;
}

#[tokio::test]
async fn the_old_tls_works_with_a_pin_too() {
    let identity = Identity::new();
    let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_protocol_versions(&[&rustls::version::TLS12])
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![identity.certificate.clone()], identity.key.clone_key())
        .unwrap();
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let address = serve(move |stream| {
        let acceptor = acceptor.clone();
        async move { echo(accept_async(acceptor.accept(stream).await.unwrap()).await.unwrap()).await }
    })
    .await;
    assert_echoes(&mut dial(&Dial::new(wss(address), Trust::Pin(identity.pin()))).await.unwrap()).await;
}

#[tokio::test]
async fn the_pinned_certificate_without_its_key_is_worth_nothing() {
    let identity = Identity::new();
    let thief = any_supported_type(&Identity::new().key).unwrap();
    let stolen = CertifiedKey::new(vec![identity.certificate.clone()], thief);
    for version in [&rustls::version::TLS12, &rustls::version::TLS13] {
        let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_protocol_versions(&[version])
            .unwrap()
            .with_no_client_auth()
            .with_cert_resolver(Arc::new(SingleCertAndKey::from(stolen.clone())));
        let acceptor = TlsAcceptor::from(Arc::new(config));
        let address = serve(move |stream| {
            let acceptor = acceptor.clone();
            async move { drop(acceptor.accept(stream).await) }
        })
        .await;
        let error = failure(Dial::new(wss(address), Trust::Pin(identity.pin()))).await;
        assert!(matches!(error, DialError::BadCertificate { .. }), "{error:?}");
    }
}

#[tokio::test]
async fn this_computer_does_not_trust_a_stranger() {
    let identity = Identity::new();
    let error = failure(Dial::new(wss(echo_relay(&identity).await), Trust::Platform)).await;
    // A computer without any authorities says so instead.
    assert!(matches!(error, DialError::BadCertificate { .. } | DialError::NoAuthorities(_)), "{error:?}");
}

#[tokio::test]
async fn a_pin_needs_encryption() {
    let error = failure(Dial::new(ws(silent().await), Trust::Pin([1; 32]))).await;
    assert!(matches!(error, DialError::PinWithoutTls));
}

#[tokio::test]
async fn a_plain_link_goes_to_the_path_of_the_protocol() {
    #[expect(
        clippy::result_large_err,
        clippy::unnecessary_wraps,
        reason = "the library's callback has this form"
    )]
    fn check(request: &Request, response: Response) -> Result<Response, ErrorResponse> {
        assert_eq!(request.uri().path(), "/v1/ws");
        Ok(response)
    }
    let address = serve(|stream| async { echo(accept_hdr_async(stream, check).await.unwrap()).await }).await;
    assert_echoes(&mut dial(&Dial::new(ws(address), Trust::Platform)).await.unwrap()).await;
}

#[tokio::test]
async fn nobody_there_is_unreachable() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    let error = failure(Dial::new(ws(address), Trust::Platform)).await;
    assert!(matches!(error, DialError::Unreachable { .. }), "{error:?}");
    assert_eq!(error.retry(), Retry::Now);
}

#[tokio::test]
async fn silence_ends_in_the_phase_where_it_is() {
    let address = silent().await;
    let error = failure(Dial::new(wss(address), Trust::Pin([1; 32])).timeouts(impatient())).await;
    assert!(matches!(error, DialError::Timeout { phase: Phase::Tls, .. }), "{error:?}");
    let error = failure(Dial::new(ws(address), Trust::Platform).timeouts(impatient())).await;
    assert!(matches!(error, DialError::Timeout { phase: Phase::Upgrade, .. }), "{error:?}");
    assert_eq!(error.retry(), Retry::Now);
}

#[tokio::test]
async fn what_speaks_no_tls_is_told_apart() {
    let address = answers(b"SSH-2.0-OpenSSH_9.2\r\n").await;
    let error = failure(Dial::new(wss(address), Trust::Pin([1; 32]))).await;
    assert!(matches!(error, DialError::Tls(_)), "{error:?}");
}

#[tokio::test]
async fn an_answer_that_is_no_upgrade_says_what_to_do() {
    let not_found = answers(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n").await;
    let error = failure(Dial::new(ws(not_found), Trust::Platform)).await;
    assert!(matches!(error, DialError::UpgradeRefused { status: 404, retry_after: None }), "{error:?}");
    assert!(matches!(error.retry(), Retry::After(_)));

    let busy = answers(b"HTTP/1.1 503 Busy\r\nRetry-After: 7\r\nContent-Length: 0\r\n\r\n").await;
    let error = failure(Dial::new(ws(busy), Trust::Platform)).await;
    assert_eq!(error.retry(), Retry::After(Duration::from_secs(7)), "{error:?}");

    let garbage = answers(b"220 mail.example ESMTP\r\n").await;
    let error = failure(Dial::new(ws(garbage), Trust::Platform)).await;
    assert!(matches!(error, DialError::NotARelay { .. }), "{error:?}");

    let deaf =
        answers(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n")
            .await;
    let error = failure(Dial::new(ws(deaf), Trust::Platform)).await;
    assert!(matches!(error, DialError::NotARelay { .. }), "no accept key: {error:?}");

    let gone = serve(|stream| async move { drop(stream) }).await;
    let error = failure(Dial::new(ws(gone), Trust::Platform)).await;
    assert!(matches!(error, DialError::Lost { .. }), "{error:?}");
}

#[tokio::test]
async fn an_endless_answer_is_cut_off() {
    let address = serve(|mut stream| async move {
        let _ = stream.write_all(b"HTTP/1.1 101 Switching Protocols\r\n").await;
        while stream.write_all(&[b'x'; 1024]).await.is_ok() {}
    })
    .await;
    let error = failure(Dial::new(ws(address), Trust::Platform)).await;
    assert!(matches!(error, DialError::NotARelay { .. } | DialError::Lost { .. }), "{error:?}");
}
