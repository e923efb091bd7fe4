//! The program itself: its commands against a relay that runs, and its errors.
#![allow(
    clippy::unwrap_used,
    clippy::similar_names,
    unreachable_pub,
    reason = "a test ends where something fails"
)]

mod program;

use program::{Running, relay};
use std::{io::Read, process::Command};

#[test]
fn the_first_start_prints_the_owners_link() {
    let relay = Running::start(&[]);
    assert!(relay.said[0].contains(" listens on 127.0.0.1:"), "{:?}", relay.said);
    assert!(relay.said[2].starts_with("kith://join?relay=ws%3A%2F%2F127.0.0.1%3A"), "{:?}", relay.said);
}

#[test]
fn commands_work_while_it_runs() {
    let relay = Running::start(&["--metrics", "127.0.0.1:0"]);
    let stats = relay.json(&["stats"]);
    assert_eq!(stats["accounts"], 0);
    assert!(relay.said[0].contains(stats["listen"].as_str().unwrap()));
    assert_eq!(relay.json(&["health"]), serde_json::json!({ "well": true }));
    let invite = relay.json(&["invite", "--uses", "3", "--expires", "2h", "--role", "admin"]);
    assert_eq!((&invite["uses"], &invite["role"]), (&3.into(), &"admin".into()));
    assert!(invite["link"].as_str().unwrap().starts_with("kith://join?relay="));
    assert_eq!(relay.json(&["users", "list"]), serde_json::json!([]));
    assert_eq!(relay.json(&["devices", "list"]), serde_json::json!([]));
    assert_eq!(relay.json(&["rooms", "list"]), serde_json::json!([]));
    let nobody = relay.ask(&["users", "disable", "@bob"]);
    assert_eq!(nobody.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&nobody.stderr).contains("no user `@bob`"));
    let nowhere = relay.ask(&["invite", "--room", "00"]);
    assert_eq!(nowhere.status.code(), Some(1));
}

#[test]
fn one_relay_a_folder() {
    let relay = Running::start(&[]);
    let second = relay.ask(&["serve", "--listen", "127.0.0.1:0"]);
    assert_eq!(second.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&second.stderr).contains("another relay already runs on"));
    relay.json(&["stats"]);
}

#[test]
fn without_a_relay_commands_say_what_to_do() {
    let data = tempfile::tempdir().unwrap();
    let output = relay(data.path()).arg("stats").output().unwrap();
    assert_eq!(output.status.code(), Some(3));
    let text = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(text.contains("no relay runs on") && text.contains("kith-relay serve"), "{text}");
}

#[test]
fn a_port_in_use_is_named() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let data = tempfile::tempdir().unwrap();
    let output = relay(data.path()).args(["serve", "--listen", &address]).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&output.stderr).contains(&format!("{address} is in use")));
}

#[test]
fn the_printed_configuration_is_accepted() {
    let folder = tempfile::tempdir().unwrap();
    let printed = relay(folder.path()).args(["config", "print"]).output().unwrap();
    let path = folder.path().join("relay.toml");
    std::fs::write(&path, &printed.stdout).unwrap();
    let check = relay(folder.path()).args(["config", "check", "--config"]).arg(&path).output().unwrap();
    assert!(check.status.success(), "{}", String::from_utf8_lossy(&check.stderr));
    std::fs::write(&path, "[limits]\nmax_conections = 1\n").unwrap();
    let check = relay(folder.path()).args(["config", "check", "--config"]).arg(&path).output().unwrap();
    assert_eq!(check.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&check.stderr).contains("`limits.max_connections`"));
    let variable = relay(folder.path()).args(["config", "check"]).env("KITH_LISTN", "x").output().unwrap();
    assert!(String::from_utf8_lossy(&variable.stderr).contains("`KITH_LISTEN`"));
}

#[cfg(unix)]
#[test]
fn metrics_are_on_a_port_of_their_own() {
    use std::io::Write;
    let relay = Running::start(&["--metrics", "127.0.0.1:0"]);
    let get = |address: &str, path: &str| {
        let mut stream = std::net::TcpStream::connect(address).unwrap();
        write!(stream, "GET {path} HTTP/1.1\r\nhost: x\r\n\r\n").unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer
    };
    let stats = relay.json(&["stats"]);
    let commits = || {
        let metrics = get(stats["metrics"].as_str().unwrap(), "/metrics");
        assert!(metrics.starts_with("HTTP/1.1 200 "), "{metrics}");
        let count = metrics.lines().find_map(|line| line.strip_prefix("kith_commit_seconds_count "));
        count.unwrap().parse::<u64>().unwrap()
    };
    let before = commits();
    relay.json(&["invite"]);
    assert!(commits() > before, "{before}");
    let listen = stats["listen"].as_str().unwrap();
    assert!(get(listen, "/metrics").starts_with("HTTP/1.1 404 "));
    assert!(get(listen, "/health").contains("\"status\":\"ok\""));
    let token = relay.said[2].split("token=").nth(1).unwrap().to_owned();
    let page = get(listen, &format!("/i/{token}"));
    assert!(page.contains("kith://join?relay=ws%3A%2F%2F127.0.0.1"), "{page}");
    let (_data, log) = relay.stop();
    assert!(!log.contains(&token), "tokens stay out of the log");
}

#[test]
fn completions_come_for_every_shell() {
    let data = tempfile::tempdir().unwrap();
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        let output = relay(data.path()).args(["completions", shell]).output().unwrap();
        assert!(
            output.status.success() && String::from_utf8_lossy(&output.stdout).contains("invite"),
            "{shell}"
        );
    }
}

#[cfg(unix)]
#[test]
fn a_signal_reloads_and_another_ends() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("relay.toml");
    std::fs::write(&path, "[limits]\nmax_body_bytes = 1000\n").unwrap();
    let relay = Running::start(&["--config", path.to_str().unwrap()]);
    std::fs::write(&path, "[limits]\nmax_body_bytes = 2000\n[metrics]\nlisten = \"127.0.0.1:1\"\n").unwrap();
    let done = relay.json(&["reload"]);
    assert_eq!(done["done"], "changed: limits.max_body_bytes; needs a restart: metrics.listen");
    std::fs::write(&path, "[limits]\nmax_body_byte = 3\n").unwrap();
    let refused = relay.ask(&["reload"]);
    assert_eq!(refused.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&refused.stderr).contains("`limits.max_body_bytes`"));
    std::fs::write(&path, "[limits]\nmax_body_bytes = 4000\n").unwrap();
    relay.signal("HUP");
    // One task takes signals and requests: once this is answered, the signal before it was too, or this did its work.
    relay.json(&["reload"]);
    let (_data, log) = relay.stop();
    assert!(log.contains("changed: limits.max_body_bytes"), "{log}");
    assert!(log.contains("configuration not taken up"), "{log}");
    assert!(log.contains("stopped"), "{log}");
}

#[cfg(unix)]
#[test]
fn a_silent_connection_does_not_hold_up_a_shutdown() {
    use std::io::Write;
    let relay = Running::start(&[
        "--set",
        "limits.handshake_timeout_s=300",
        "--set",
        "limits.shutdown_timeout_s=300",
    ]);
    let mut stream =
        std::net::TcpStream::connect(relay.json(&["stats"])["listen"].as_str().unwrap()).unwrap();
    stream
        .write_all(
            b"GET /v1/ws HTTP/1.1\r\nhost: x\r\nconnection: upgrade\r\nupgrade: websocket\r\n\
            sec-websocket-version: 13\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
        )
        .unwrap();
    assert_ne!(stream.read(&mut [0; 16]).unwrap(), 0);
    assert_eq!(relay.json(&["stats"])["connections"], 1);
    let (_data, log) = relay.stop();
    assert!(log.contains("stopped"), "{log}");
}

#[cfg(unix)]
#[test]
fn a_restart_keeps_the_link_and_a_copy_gets_a_new_identity() {
    use std::os::unix::fs::PermissionsExt;
    let relay = Running::start(&[]);
    let incarnation = relay.json(&["stats"])["incarnation"].clone();
    let token = |said: &[String]| said[2].split("token=").nth(1).unwrap().to_owned();
    let first = token(&relay.said);
    let (data, _) = relay.stop();
    for file in ["relay.db", "relay.lock", "relay.here"] {
        let mode = data.path().join(file).metadata().unwrap().permissions().mode();
        assert_eq!(mode & 0o077, 0, "{file} is for its owner alone");
    }
    let again = Running::start_on(data, &[], 3);
    assert_eq!(token(&again.said), first);
    assert_eq!(again.json(&["stats"])["incarnation"], incarnation);
    let (data, _) = again.stop();
    let copied = Command::new("cp")
        .arg("-a")
        .arg(data.path())
        .arg(data.path().with_extension("copy"))
        .status()
        .unwrap();
    assert!(copied.success());
    let copy = tempfile::Builder::new().prefix("copy").tempdir().unwrap();
    std::fs::remove_dir(copy.path()).unwrap();
    std::fs::rename(data.path().with_extension("copy"), copy.path()).unwrap();
    let restored = Running::start_on(copy, &[], 3);
    assert_ne!(restored.json(&["stats"])["incarnation"], incarnation);
}
