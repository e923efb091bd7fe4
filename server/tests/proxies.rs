//! A relay behind Caddy and behind nginx, with the configurations that are in docs/proxies/.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, reason = "a test ends where something fails")]

mod afar;
mod program;
mod support;

use std::{
    fs,
    net::{Ipv4Addr, SocketAddr},
    path::Path,
    process::Command,
    time::Duration,
};

use afar::{Comer, Root, Server, port_of, text, until};
use futures_util::StreamExt;
use kith_protocol::error::ErrorCode;
use program::Running;
use support::{Device, Group};
use tempfile::TempDir;
use tokio_tungstenite::tungstenite::Message;

#[tokio::test(flavor = "multi_thread")]
async fn behind_caddy() {
    let (relay, folder) = (behind_proxy(), tempfile::tempdir().unwrap());
    let kith = folder.path().join("kith");
    fs::write(&kith, changed(include_str!("../../docs/proxies/Caddyfile"), &[relay_port(&relay)])).unwrap();
    let store = folder.path().join("store");
    let (_caddy, [port, _]) = Server::start(|[https, http]: [u16; 2]| {
        // Caddy is its own authority here; the rest is what stands in the documentation.
        let options = format!(
            "{{\n admin off\n http_port {http}\n https_port {https}\n local_certs\n skip_install_trust\n storage file_system {}\n}}\nimport {}\n",
            text(&store),
            text(&kith)
        );
        let config = folder.path().join("Caddyfile");
        fs::write(&config, options).unwrap();
        let mut command = Command::new("caddy");
        command.args(["run", "--adapter", "caddyfile", "--config", text(&config)]).env("HOME", folder.path());
        logged(command, &folder)
    });
    let root = store.join("pki/authorities/local/root.crt");
    until("Caddy's authority", async || root.exists()).await;
    let comer = Comer::new(port, NAME, &fs::read(root).unwrap());
    until("Caddy's certificate", async || comer.serial().await.is_ok()).await;
    is_as_without_a_proxy(&relay, &comer).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn behind_nginx() {
    let (relay, folder) = (behind_proxy(), tempfile::tempdir().unwrap());
    let (nginx, comer) = nginx(&relay, &folder, &[]);
    is_as_without_a_proxy(&relay, &comer).await;
    drop(nginx);
}

/// Its patience and the relay's pings, both thirty times shorter than they are.
#[tokio::test(flavor = "multi_thread")]
async fn who_is_silent_for_long_stays_connected() {
    let patience = ("proxy_read_timeout 120s;", "proxy_read_timeout 4s;".to_owned());
    let folder = tempfile::tempdir().unwrap();
    let relay = behind_proxy_with(&["--set", "limits.ping_interval_s=1"]);
    let (_nginx, comer) = nginx(&relay, &folder, &[patience]);
    let mut alice = comer.join(&relay.said[2], 1).await;
    let since = tokio::time::Instant::now();
    while since.elapsed() < Duration::from_secs(12) {
        match alice.wire.0.next().await {
            Some(Ok(Message::Ping(_) | Message::Binary(_))) => {}
            other => panic!("after {:?}: {other:?}", since.elapsed()),
        }
    }
    alice.open_group(&[]).await;
}

/// A client connects, is seen where it is, and sends and gets large frames.
async fn is_as_without_a_proxy(relay: &Running, comer: &Comer) {
    // Not trusted, and says of itself to be elsewhere.
    let comer = comer.from(CLIENT).claiming("203.0.113.9");
    let mut alice = comer.join(&relay.said[2], 1).await;
    let sessions = relay.json(&["sessions"]);
    assert_eq!(sessions[0]["address"], CLIENT.to_string(), "{sessions}");

    let group = alice.open_group(&[]).await;
    let long = "a".repeat(60_000);
    for _ in 0..LONG {
        alice.post(0, group.id, &long).await.unwrap();
    }
    let frame = page(&mut alice, &group).await.unwrap();
    assert!(frame > 250_000, "the largest frame had {frame} bytes");
    assert!(alice.wire.lives().await);
}

/// The bytes in the entries of one answer.
async fn page(device: &mut Device, group: &Group) -> Result<usize, ErrorCode> {
    let entries = device.fetch(group.id, 0).await?;
    Ok(entries.iter().map(bytes::Bytes::len).sum())
}

fn behind_proxy() -> Running {
    behind_proxy_with(&[])
}

fn behind_proxy_with(more: &[&str]) -> Running {
    let flags = ["--behind-proxy", "--public-address", NAME, "--set", "trusted_proxies=127.0.0.1/32"];
    let running = Running::start_on(tempfile::tempdir().unwrap(), &[&flags, more].concat(), 3);
    let link = &running.said[2];
    assert!(link.contains("relay=wss%3A%2F%2Fchat.example.org&") && !link.contains("pin="), "{link}");
    running
}

fn nginx(relay: &Running, folder: &TempDir, changes: &[(&str, String)]) -> (Server, Comer) {
    let (root, folder_path) = (Root::new(), folder.path());
    let (cert, key) = (folder_path.join("cert.pem"), folder_path.join("key.pem"));
    root.issue(NAME, Duration::from_hours(1), &cert, &key);
    let kith = changed(
        include_str!("../../docs/proxies/nginx.conf"),
        &[
            relay_port(relay),
            ("/etc/letsencrypt/live/chat.example.org/fullchain.pem", text(&cert).to_owned()),
            ("/etc/letsencrypt/live/chat.example.org/privkey.pem", text(&key).to_owned()),
        ],
    );
    let kith = changed(&kith, changes);
    let (server, [port]) = Server::start(|[port]: [u16; 1]| {
        let v6 = if std::net::TcpListener::bind("[::1]:0").is_ok() {
            format!("listen [::1]:{port} ssl;")
        } else {
            String::new()
        };
        let listen =
            [("listen 443 ssl;", format!("listen 127.0.0.1:{port} ssl;")), ("listen [::]:443 ssl;", v6)];
        let temp = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
            .map(|name| format!("{name}_temp_path {};", text(&folder_path.join(name))))
            .concat();
        let config = format!("events {{}} http {{ access_log off; {temp}\n{} }}", changed(&kith, &listen));
        fs::write(folder_path.join("nginx.conf"), config).unwrap();
        let debian = Path::new("/usr/sbin/nginx");
        let mut command = Command::new(if debian.exists() { text(debian) } else { "nginx" });
        // One process, so that nothing is left when it is killed.
        let globals = format!("daemon off; master_process off; pid {};", text(&folder_path.join("pid")));
        command.args(["-p", text(folder_path), "-c", "nginx.conf", "-e", "stderr", "-g", &globals]);
        logged(command, folder)
    });
    (server, Comer::new(port, NAME, root.pem().as_bytes()))
}

fn relay_port(relay: &Running) -> (&'static str, String) {
    ("127.0.0.1:7443", SocketAddr::from((Ipv4Addr::LOCALHOST, port_of(&relay.said))).to_string())
}

/// What somebody with another machine would change, and nothing else.
fn changed(config: &str, changes: &[(&str, String)]) -> String {
    changes.iter().fold(config.to_owned(), |config, (from, to)| {
        assert_eq!(config.matches(from).count(), 1, "{from}");
        config.replace(from, to)
    })
}

fn logged(mut command: Command, folder: &TempDir) -> Command {
    let log = fs::File::create(folder.path().join("log")).unwrap();
    command.stdout(log.try_clone().unwrap()).stderr(log);
    command
}

const NAME: &str = "chat.example.org";
/// Of this machine, as is the proxy's 127.0.0.1, which alone is trusted.
const CLIENT: Ipv4Addr = Ipv4Addr::new(127, 0, 0, 2);
const LONG: usize = 6;
