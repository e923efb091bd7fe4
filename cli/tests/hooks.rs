//! A program writes into a room through an integration, and people see that it was a program.
#![allow(clippy::unwrap_used, reason = "a test ends where something fails")]

mod program;

use program::{Device, Relay, relay_program};
use serde_json::{Value, json};
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::path::Path;
use std::process::Command;

/// A command of the operator's that has to succeed.
#[track_caller]
fn operator(data: &Path, arguments: &[&str]) -> Value {
    let output = Command::new(relay_program()).arg("--data").arg(data).args(arguments).arg("--json").output();
    let output = output.unwrap();
    assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

/// Status and body of the answer to a request.
fn request(url: &str, method: &str, headers: &str, body: &[u8]) -> (u16, Value) {
    let (host, path) = url.strip_prefix("http://").unwrap().split_once('/').unwrap();
    let mut stream = TcpStream::connect(host).unwrap();
    let len = body.len();
    let head = format!("{method} /{path} HTTP/1.1\r\nhost: {host}\r\n{headers}content-length: {len}\r\n\r\n");
    stream.write_all(head.as_bytes()).unwrap();
    // The relay may answer before it has read all, and close.
    let _ = stream.write_all(body);
    let mut answer = String::new();
    let _ = stream.read_to_string(&mut answer);
    let (head, body) = answer.split_once("\r\n\r\n").unwrap_or_else(|| panic!("no answer: {answer}"));
    assert!(head.to_lowercase().contains("content-type: application/json"), "{answer}");
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    (status, serde_json::from_str(body).unwrap())
}

fn post(url: &str, body: &str) -> (u16, Value) {
    request(url, "POST", "content-type: application/x-www-form-urlencoded\r\n", body.as_bytes())
}

fn post_json(url: &str, body: &Value) -> (u16, Value) {
    request(url, "POST", "Content-Type: application/json; charset=utf-8\r\n", body.to_string().as_bytes())
}

#[track_caller]
fn refused(answer: (u16, Value), status: u16, code: &str) {
    assert_eq!((answer.0, answer.1["error"]["code"].as_str()), (status, Some(code)), "{}", answer.1);
    let sentence = answer.1["error"]["message"].as_str().unwrap();
    assert!(sentence.len() > 20, "{sentence}");
}

#[test]
fn a_program_writes_into_a_group_and_to_a_person() {
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().join("relay");
    std::fs::create_dir(&data).unwrap();
    let relay = Relay::start(&data, "127.0.0.1:0");
    let alice = Device::new(dir.path(), "a");
    alice.says(&["join", &relay.link, "--name", "Alice", "--device", "laptop"]);
    alice.says(&["room", "create", "Servers"]);
    let room = alice.lists(&["rooms"]).into_iter().find(|room| room["name"] == "Servers").unwrap();
    let room = room["room"].as_str().unwrap().to_owned();

    // Nobody writes into a room whose people did not let them in, though the operator made the address.
    let hook = operator(&data, &["hooks", "create", "Backup", "--room", &room]);
    let url = hook["url"].as_str().unwrap().to_owned();
    assert_eq!((hook["handle"].as_str(), hook["is_member"].as_bool()), (Some("backup"), Some(false)));
    refused(post(&url, "Backup done"), 403, "not-in-room");
    assert_eq!(operator(&data, &["hooks", "list"])[0]["state"], "not in the room");
    alice.says(&["room", "add", "servers", "@backup"]);

    let (status, said) = post(&url, "Backup *done*");
    assert_eq!((status, &said["room"], &said["again"]), (200, &json!(room), &json!(false)), "{said}");
    let lines = alice.lists(&["history", "servers", "--sync", "-n", "1"]);
    assert_eq!((&lines[0]["text"], &lines[0]["seq"]), (&json!("Backup *done*"), &said["seq"]));
    assert_eq!((&lines[0]["sender"], &lines[0]["integration"]), (&json!("backup"), &json!(true)));
    assert!(alice.says(&["history", "servers", "-n", "1"]).contains("backup (integration): Backup *done*"));
    let members = alice.lists(&["room", "members", "servers"]);
    assert!(members.iter().any(|it| it["handle"] == "backup" && it["integration"] == true));
    assert!(members.iter().all(|it| it["handle"] != "alice" || it.get("integration").is_none()));
    let verified = &alice.lists(&["verify", "servers"])[0];
    assert_eq!((&verified["verdict"], &verified["invalid"]), (&json!("complete"), &json!(0)), "{verified}");

    // The same key makes no second message, a restart of the relay in between or not.
    let full = json!({ "title": "Disk full", "text": "92 %", "link": "https://ci.example/1", "priority": "high", "key": "disk" });
    let (status, first) = post_json(&url, &full);
    assert_eq!(status, 200, "{first}");
    let port = relay.port();
    drop(relay);
    let relay = Relay::start(&data, &format!("127.0.0.1:{port}"));
    let (status, second) = post_json(&url, &full);
    assert_eq!((status, &second["seq"], &second["again"]), (200, &first["seq"], &json!(true)));
    let lines = alice.lists(&["history", "servers", "--sync", "-n", "9"]);
    let texts = lines.iter().filter(|line| line["kind"] == "text").map(|line| line["text"].as_str().unwrap());
    let full_text = "**Disk full**\n\n92 %\n\n<https://ci.example/1>";
    assert_eq!(texts.collect::<Vec<_>>(), ["Backup *done*", full_text]);
    let rooms = alice.lists(&["rooms"]);
    let mentions = rooms.iter().find(|it| it["name"] == "Servers").unwrap()["mentions"].clone();
    assert_eq!(mentions, 1, "what matters much is meant for everybody");

    refused(post(&format!("{url}x"), "x"), 404, "unknown-token");
    refused(post(&url, "  "), 400, "empty");
    refused(post_json(&url, &json!({ "text": "x", "priority": "urgent" })), 400, "malformed");
    refused(post(&url, &"x".repeat(70_000)), 413, "too-large");
    refused(request(&url, "GET", "", b""), 405, "method");

    // To a person it writes in a chat of its own, at once.
    let hook = operator(&data, &["hooks", "create", "Backup", "--user", "@alice"]);
    assert_eq!(hook["handle"], "backup-2");
    assert_eq!(post(hook["url"].as_str().unwrap(), "for you alone").0, 200);
    let line = &alice.lists(&["history", "@backup-2", "--sync", "-n", "1"])[0];
    assert_eq!((&line["text"], &line["integration"]), (&json!("for you alone"), &json!(true)));

    // Only its hash is kept.
    let token = url.rsplit('/').next().unwrap();
    for file in ["relay.db", "relay.db-wal"] {
        let bytes = std::fs::read(data.join(file)).unwrap();
        assert!(!bytes.windows(token.len()).any(|part| part == token.as_bytes()), "{file}");
    }

    operator(&data, &["hooks", "revoke", "@backup"]);
    refused(post(&url, "x"), 404, "unknown-token");
    alice.says(&["sync"]);
    assert!(alice.lists(&["room", "members", "servers"]).iter().all(|it| it["handle"] != "backup"));
    let states: Vec<Value> = operator(&data, &["hooks", "list"])
        .as_array()
        .unwrap()
        .iter()
        .map(|it| it["state"].clone())
        .collect();
    assert_eq!(states, ["revoked", "good"]);
    let line = &alice.lists(&["history", "servers", "-n", "2"])[0];
    assert_eq!(line["integration"], true, "what it wrote stays marked");
    drop(relay);
}

#[test]
fn an_admin_makes_integrations_and_a_member_does_not() {
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().join("relay");
    std::fs::create_dir(&data).unwrap();
    let relay = Relay::start(&data, "127.0.0.1:0");
    let [alice, bob] = ["a", "b"].map(|name| Device::new(dir.path(), name));
    alice.says(&["join", &relay.link, "--name", "Alice"]);
    let invite = alice.says(&["invite"]);
    bob.says(&["join", invite.trim(), "--name", "Bob"]);
    alice.says(&["room", "create", "Servers", "--with", "bob"]);

    // Where she may add people, it can write at once.
    let hook = &alice.lists(&["hooks", "create", "Build server", "--room", "servers"])[0];
    assert_eq!((&hook["handle"], &hook["is_member"]), (&json!("build-server"), &json!(true)));
    let url = hook["url"].as_str().unwrap();
    assert_eq!(post(url, "green").0, 200);
    let line = &bob.lists(&["history", "servers", "--sync", "-n", "1"])[0];
    assert_eq!((&line["text"], &line["integration"]), (&json!("green"), &json!(true)));

    bob.fails(4, &["hooks", "list"]);
    bob.fails(4, &["hooks", "create", "Mine", "--room", "servers"]);
    bob.fails(4, &["hooks", "revoke", "@build-server"]);
    assert_eq!(post(url, "still green").0, 200);

    // An admin of the relay who is none of the group's cannot let it in.
    operator(&data, &["users", "role", "@bob", "admin"]);
    let hook = &bob.lists(&["hooks", "create", "Deploys", "--room", "servers"])[0];
    assert_eq!(hook["is_member"], false);
    refused(post(hook["url"].as_str().unwrap(), "x"), 403, "not-in-room");
    alice.says(&["room", "add", "servers", "@deploys"]);
    assert_eq!(post(hook["url"].as_str().unwrap(), "out").0, 200);
    alice.fails(2, &["hooks", "create", "Backup", "--room", "self"]);

    bob.says(&["hooks", "revoke", "@build-server"]);
    refused(post(url, "x"), 404, "unknown-token");
    let rows = alice.lists(&["hooks", "list"]);
    let rows: Vec<_> = rows.iter().map(|row| (&row["handle"], &row["state"], &row["by"])).collect();
    let [build, deploys] = ["build-server", "deploys"].map(Value::from);
    let [revoked, good, by_alice, by_bob] = ["revoked", "good", "alice", "bob"].map(Value::from);
    assert_eq!(rows, [(&build, &revoked, &by_alice), (&deploys, &good, &by_bob)]);
    let log = operator(&data, &["audit"]);
    let log: Vec<_> = log.as_array().unwrap().iter().map(|row| (&row["by"], &row["event"])).collect();
    let [made, gone] = ["hook-made", "hook-revoked"].map(Value::from);
    assert!(log.contains(&(&by_alice, &made)) && log.contains(&(&by_bob, &made)), "{log:?}");
    assert_eq!(log.last(), Some(&(&by_bob, &gone)));
}

#[test]
fn a_program_that_went_mad_is_slowed_down() {
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().join("relay");
    std::fs::create_dir(&data).unwrap();
    let relay = Relay::start(&data, "127.0.0.1:0");
    let alice = Device::new(dir.path(), "a");
    alice.says(&["join", &relay.link, "--name", "Alice"]);
    let hook = operator(&data, &["hooks", "create", "Mad", "--user", "alice"]);
    let url = hook["url"].as_str().unwrap();
    let slowed = (0..200).find_map(|number| {
        let answer = post(url, &number.to_string());
        (answer.0 != 200).then_some((number, answer))
    });
    let (number, answer) = slowed.expect("nothing slows it down");
    assert!(number >= 60, "the burst is let in: {number}");
    refused(answer, 429, "rate-limited");
}
