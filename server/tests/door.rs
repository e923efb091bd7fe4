//! The door over real sockets: HTTP, the upgrade, TLS with a pin, slow and excessive connections.
#![allow(
    clippy::unwrap_used,
    clippy::similar_names,
    unreachable_pub,
    reason = "a test ends where something fails"
)]

mod common;
#[path = "door/updates.rs"]
mod updates;

use std::{sync::Arc, time::Duration};

use futures_util::{SinkExt, StreamExt};
use kith_relay::config::{Config, Limits};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};
use tokio_tungstenite::{client_async, tungstenite::Message};

use common::{Opened, PinnedKey};

#[tokio::test]
async fn health_tells_the_truth() {
    let door = Opened::with(Config::default()).await;
    let answer = door.get("/health").await;
    assert!(answer.starts_with("HTTP/1.1 200 OK\r\n"), "{answer}");
    assert!(answer.contains("\"status\":\"ok\"") && answer.contains(env!("CARGO_PKG_VERSION")));
    door.echo.fall_ill();
    let answer = door.get("/health").await;
    assert!(answer.starts_with("HTTP/1.1 503 "), "{answer}");
    assert!(answer.contains("\"reason\":\"the disk is full\""));
}

#[tokio::test]
async fn an_invite_page_shows_the_link_and_loads_nothing() {
    let door = Opened::with(Config::default()).await;
    let answer = door.get("/i/good-token").await;
    assert!(answer.starts_with("HTTP/1.1 200 OK\r\n"), "{answer}");
    assert!(answer.contains("href=\"kith://join?t=good-token&amp;a=1\""));
    assert!(
        answer.to_lowercase().contains("content-security-policy: default-src 'none'; style-src 'sha256-")
    );
    assert!(!answer.contains("src=\"") && !answer.contains("<script"));
    let answer = door.get("/i/other").await;
    assert!(answer.starts_with("HTTP/1.1 404 "), "{answer}");
    assert!(answer.contains("no longer good") && !answer.contains("kith://"));
}

#[tokio::test]
async fn other_requests_are_turned_away() {
    let door = Opened::with(Config::default()).await;
    assert!(door.get("/nowhere").await.starts_with("HTTP/1.1 404 "));
    assert!(door.get("/v1/ws").await.starts_with("HTTP/1.1 426 "), "no upgrade asked for");
    assert!(door.exchange("POST /health HTTP/1.1\r\nhost: x\r\n\r\n").await.starts_with("HTTP/1.1 405 "));
    assert!(door.exchange("\x16\x03\x01 nonsense\r\n\r\n").await.starts_with("HTTP/1.1 400 "));
    let long = format!("GET / HTTP/1.1\r\nx: {}\r\n\r\n", "a".repeat(40_000));
    assert!(door.exchange(&long).await.starts_with("HTTP/1.1 431 "));
    let old = "GET /v1/ws HTTP/1.1\r\nhost: x\r\nconnection: upgrade\r\nupgrade: websocket\r\nsec-websocket-version: 8\r\n\r\n";
    assert!(door.exchange(old).await.to_lowercase().contains("sec-websocket-version: 13"));
}

#[tokio::test]
async fn an_upgrade_becomes_a_websocket() {
    let door = Opened::with(Config::default()).await;
    let mut socket = door.connect().await;
    socket.send(Message::binary(b"hello".as_slice())).await.unwrap();
    assert_eq!(socket.next().await.unwrap().unwrap(), Message::binary(b"hello".as_slice()));
    assert!(door.metrics.render().contains("kith_connections 1\n"));
    socket.close(None).await.unwrap();
    while socket.next().await.is_some() {}
    door.metrics_show("kith_connections 0").await;
}

#[tokio::test]
async fn what_comes_with_the_handshake_is_not_lost() {
    let door = Opened::with(Config::default()).await;
    let mut stream = TcpStream::connect(door.address).await.unwrap();
    let mut bytes =
        b"GET /v1/ws HTTP/1.1\r\nhost: x\r\nconnection: keep-alive, Upgrade\r\nupgrade: websocket\r\n\
        sec-websocket-version: 13\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
            .to_vec();
    // A masked binary frame of two bytes, with a mask of zeros.
    bytes.extend([0x82, 0x82, 0, 0, 0, 0, b'h', b'i']);
    stream.write_all(&bytes).await.unwrap();
    let mut answer = Vec::new();
    while !answer.ends_with(&[0x82, 2, b'h', b'i']) {
        assert_ne!(stream.read_buf(&mut answer).await.unwrap(), 0, "{answer:?}");
    }
    let head = String::from_utf8_lossy(&answer).to_lowercase();
    assert!(head.contains("sec-websocket-accept: s3pplmbitxaq9kygzzhzrbk+xoo="), "{head}");
}

#[tokio::test]
async fn slow_headers_end_at_the_deadline() {
    let mut config = Config::default();
    config.limits.handshake_timeout_s = 1;
    let door = Opened::with(config).await;
    let mut stream = TcpStream::connect(door.address).await.unwrap();
    stream.write_all(b"GET /health HTTP/1.1\r\nx-slow: ").await.unwrap();
    let mut rest = Vec::new();
    let read = tokio::time::timeout(Duration::from_secs(20), stream.read_to_end(&mut rest)).await;
    assert!(read.is_ok(), "the relay hangs up by itself");
    assert!(rest.is_empty());
    assert!(door.get("/health").await.starts_with("HTTP/1.1 200 "));
}

#[tokio::test]
async fn a_full_relay_says_so_and_has_room_again() {
    let mut config = Config::default();
    config.limits.max_connections = 1;
    let door = Opened::with(config).await;
    let mut first = door.connect().await;
    let refused = door.exchange(common::UPGRADE).await;
    assert!(
        refused.starts_with("HTTP/1.1 503 ") && refused.to_lowercase().contains("retry-after: 10"),
        "{refused}"
    );
    assert!(door.metrics.render().contains("kith_refusals_total{code=\"connections\"} 1\n"));
    first.close(None).await.unwrap();
    while first.next().await.is_some() {}
    door.metrics_show("kith_connections 0").await;
    door.connect().await;
}

#[tokio::test]
async fn a_proxy_is_believed_only_if_trusted() {
    let limits = Limits { connections_per_address: 1, ..Limits::default() };
    let config = Config { behind_proxy: true, limits, ..Config::default() };
    let door = Opened::with(config).await;
    let from = |address: &str| {
        common::UPGRADE.replace("\r\n\r\n", &format!("\r\nx-forwarded-for: {address}\r\n\r\n"))
    };
    let mut held = TcpStream::connect(door.address).await.unwrap();
    held.write_all(from("203.0.113.1").as_bytes()).await.unwrap();
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        assert_ne!(held.read_buf(&mut head).await.unwrap(), 0);
    }
    assert!(head.starts_with(b"HTTP/1.1 101 "));
    let refused = door.exchange(&from("9.9.9.9, 203.0.113.1")).await;
    assert!(refused.starts_with("HTTP/1.1 429 "), "{refused}");
    assert_eq!(door.echo.last_peer(), Some("203.0.113.1".parse().unwrap()));
}

#[tokio::test]
async fn tls_is_pinned_by_the_key() {
    let config = Config { listen: "0.0.0.0:0".parse().unwrap(), ..Config::default() };
    let door = Opened::with(config).await;
    let pin = door.pin.expect("a self-signed key has a pin");
    let connector = |pin| tokio_rustls::TlsConnector::from(Arc::new(PinnedKey::client(pin)));
    let name = rustls::pki_types::ServerName::try_from("kith-relay").unwrap();
    let tcp = TcpStream::connect(door.address).await.unwrap();
    let stream = connector(pin).connect(name.clone(), tcp).await.unwrap();
    let (mut socket, _) = client_async("ws://kith-relay/v1/ws", stream).await.unwrap();
    socket.send(Message::binary(b"sealed".as_slice())).await.unwrap();
    assert_eq!(socket.next().await.unwrap().unwrap(), Message::binary(b"sealed".as_slice()));
    let tcp = TcpStream::connect(door.address).await.unwrap();
    assert!(connector([0; 32]).connect(name, tcp).await.is_err(), "another pin is refused");
}

#[tokio::test]
async fn plain_http_on_a_tls_port_ends() {
    let config = Config { listen: "0.0.0.0:0".parse().unwrap(), ..Config::default() };
    let door = Opened::with(config).await;
    assert!(!door.get("/health").await.contains("200 OK"));
}

#[tokio::test]
async fn shutdown_waits_for_connections_to_end() {
    let door = Opened::with(Config::default()).await;
    let mut socket = door.connect().await;
    let ended = door.shut_down();
    tokio::pin!(ended);
    let still_served = async {
        socket.send(Message::binary(b"on".as_slice())).await.unwrap();
        socket.next().await.unwrap().unwrap()
    };
    tokio::select! {
        () = &mut ended => panic!("a connection was still open"),
        message = still_served => assert_eq!(message, Message::binary(b"on".as_slice())),
    }
    socket.close(None).await.unwrap();
    ended.await;
}
