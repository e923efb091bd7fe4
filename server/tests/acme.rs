//! Certificates from an authority, by ACME: the first one, renewals while people write, failures and what follows them.
//! The authority is pebble, a real one made for tests.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, reason = "a test ends where something fails")]

mod afar;
mod program;
mod support;

use std::{
    fs,
    io::{Read, Write},
    net::TcpStream,
    os::unix::fs::PermissionsExt,
    path::Path,
};

use afar::{Authority, Comer, Way, Writer, port_of, until};
use program::{Running, relay, said};
use support::Device;
use tempfile::TempDir;

/// A relay by the name `localhost`, to which `way` is to lead.
fn start(data: TempDir, authority: &Authority, way: &Way, lines: usize) -> Running {
    let config = authority.relay_config(way.port);
    let flags = ["--config", afar::text(&config), "--metrics", "127.0.0.1:0"];
    let flags = [&flags[..], &afar::UNHURRIED].concat();
    Running::start_on(data, &flags, lines)
}

fn certificate(running: &Running) -> serde_json::Value {
    running.json(&["stats"])["certificate"].clone()
}

fn metrics(running: &Running) -> String {
    let address = running.json(&["stats"])["metrics"].as_str().unwrap().to_owned();
    let mut stream = TcpStream::connect(address).unwrap();
    stream.write_all(b"GET /metrics HTTP/1.1\r\nhost: x\r\n\r\n").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

async fn issued(running: &Running) {
    until("a certificate", async || {
        let found = certificate(running);
        assert!(found["failure"].is_null(), "{found}");
        !found["ends_ms"].is_null()
    })
    .await;
}

/// Twenty who are connected and say nothing.
async fn idlers(running: &Running, comer: &Comer) -> Vec<Device> {
    let link = running.json(&["invite", "--uses", "20"])["link"].as_str().unwrap().to_owned();
    let mut idle = Vec::new();
    for seed in 2..22 {
        idle.push(comer.join(&link, seed).await);
    }
    idle
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o777
}

#[tokio::test(flavor = "multi_thread")]
async fn a_first_certificate_is_issued_kept_and_backed_up() {
    let (way, mut authority) = (Way::open().await, Authority::new());
    authority.start(way.port, 90 * 86_400);
    let running = start(tempfile::tempdir().unwrap(), &authority, &way, 4);
    assert!(running.said[1].starts_with("There is no certificate yet"), "{:?}", running.said);
    let link = running.said[3].clone();
    assert!(link.contains("relay=wss%3A%2F%2Flocalhost") && !link.contains("pin="), "{link}");
    let port = port_of(&running.said);
    way.lead_to(port);
    issued(&running).await;

    let comer = authority.comer(way.port);
    let mut alice = comer.join(&link, 1).await;
    let group = alice.open_group(&[]).await;
    alice.post(0, group.id, "by a certificate that anyone trusts").await.unwrap();
    let serial = comer.serial().await.unwrap();

    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("kith.backup");
    let (text, code) = said(running.ask(&["backup", afar::text(&file)]));
    assert_eq!(code, Some(0), "{text}");
    drop(alice);
    let (data, log) = running.stop();
    assert!(log.contains("the certificate is there"), "{log}");
    let kept = ["tls/acme.pem", "tls/acme-account.json"]
        .map(|name| (name, fs::read(data.path().join(name)).unwrap()));
    assert!(kept.iter().all(|(name, _)| mode(&data.path().join(name)) == 0o600));

    // Elsewhere: the same certificate, and no second order.
    let restored = folder.path().join("restored");
    let (text, code) = said(relay(&restored).args(["restore", afar::text(&file)]).output().unwrap());
    assert_eq!(code, Some(0), "{text}");
    for (name, content) in kept {
        assert!(
            fs::read(restored.join(name)).unwrap() == content && mode(&restored.join(name)) == 0o600,
            "{name}"
        );
    }
    authority.stop();
    let again = start(data, &authority, &way, 1);
    let comer = comer.to(port_of(&again.said));
    assert_eq!(comer.serial().await.unwrap(), serial);
    let (_, log) = again.stop();
    assert!(!log.contains("asking for a certificate"), "{log}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_certificate_is_renewed_while_people_write() {
    let (way, mut authority) = (Way::open().await, Authority::new());
    authority.start(way.port, 12);
    let running = start(tempfile::tempdir().unwrap(), &authority, &way, 4);
    way.lead_to(port_of(&running.said));
    issued(&running).await;
    let comer = authority.comer(way.port);
    let writer = Writer::start(comer.join(&running.said[3], 1).await).await;
    let mut idle = idlers(&running, &comer).await;
    // Newcomers come all the time, and each is shown one that counts.
    let first = comer.serial().await.unwrap();
    let mut renewals = 0;
    let mut last = first;
    until("two renewals", async || {
        let shown = comer.serial().await.unwrap();
        renewals += usize::from(shown != last);
        last = shown;
        renewals == 2
    })
    .await;
    writer.goes_on().await;
    let written = writer.end().await;
    assert!(written > 100, "{written} messages only");
    for device in &mut idle {
        assert!(device.wire.lives().await, "a renewal has ended a connection");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn failures_are_told_and_mended() {
    let (way, mut authority) = (Way::open().await, Authority::new());
    let data = tempfile::tempdir().unwrap();
    // Nobody is there, then nothing leads to the relay, then all is well.
    way.cut();
    let running = start(data, &authority, &way, 4);
    let failure = |running: &Running| certificate(running)["failure"].as_str().unwrap_or_default().to_owned();
    until("nobody is there", async || failure(&running).contains("cannot be reached")).await;
    authority.start(way.port, 12);
    said(running.ask(&["reload"]));
    until("nothing leads here", async || {
        failure(&running).contains("could not see that localhost leads to this relay")
    })
    .await;
    assert!(metrics(&running).contains("kith_acme_failures_total 2\n"), "{}", metrics(&running));
    let config = authority.relay_config(way.port);
    let (text, code) = said(running.ask(&["doctor", "--config", afar::text(&config)]));
    let told = [
        "there is none yet for localhost",
        "the last order failed",
        "port 443 of localhost",
        "waits for its",
    ];
    assert!(told.iter().all(|words| text.contains(words)) && code == Some(0), "{text}");
    way.lead_to(port_of(&running.said));
    said(running.ask(&["reload"]));
    until("mended", async || failure(&running).is_empty()).await;

    // A renewal that fails leaves the old one.
    let first = authority.comer(way.port).serial().await.unwrap();
    way.cut();
    until("a failed renewal", async || failure(&running).contains("could not see")).await;
    let direct = authority.comer(port_of(&running.said));
    assert_eq!(direct.serial().await.unwrap(), first);
    way.lead_to(port_of(&running.said));
    said(running.ask(&["reload"]));
    until("a renewal", async || failure(&running).is_empty()).await;
    assert_ne!(direct.serial().await.unwrap(), first);
    let ends = certificate(&running)["ends_ms"].as_u64().unwrap();
    assert!(metrics(&running).contains(&format!("timestamp_seconds{{from=\"acme\"}} {}\n", ends / 1000)));

    // One that has forgotten everybody, and its own name, gets a new account.
    authority.stop();
    authority.start(way.port, 12);
    until("a renewal", async || certificate(&running)["ends_ms"].as_u64().unwrap() > ends).await;
    authority.comer(way.port).serial().await.unwrap();
    let (_, log) = running.stop();
    assert_eq!(log.matches("no certificate was issued").count(), 3, "{log}");
    assert!(log.contains("no device can connect until there is a certificate"), "{log}");
    assert!(log.contains("the old certificate stays in use, until"), "{log}");
}
