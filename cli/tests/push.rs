//! A person who is away is told, by a real relay that is killed in between.
#![allow(clippy::unwrap_used, reason = "a test ends where something fails")]

mod program;

use program::{Device, Relay};
use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

const PATIENCE: Duration = Duration::from_secs(30);

/// A host that takes every connection; whoever tests reads from it, and answers or does not.
fn host() -> (String, Receiver<TcpStream>) {
    let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let url = format!("http://{}/in", listener.local_addr().unwrap());
    let (sender, taken) = channel();
    std::thread::spawn(move || {
        for stream in listener.incoming().map_while(Result::ok) {
            if sender.send(stream).is_err() {
                return;
            }
        }
    });
    (url, taken)
}

/// Head and body of a request.
fn heard(stream: &mut TcpStream) -> (String, String) {
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    let mut bytes = Vec::new();
    let mut byte = [0];
    while !bytes.ends_with(b"\r\n\r\n") {
        stream.read_exact(&mut byte).unwrap();
        bytes.push(byte[0]);
    }
    let head = String::from_utf8(bytes).unwrap().to_lowercase();
    let len = head.lines().find_map(|line| line.strip_prefix("content-length: ")).unwrap().parse().unwrap();
    let mut body = vec![0; len];
    stream.read_exact(&mut body).unwrap();
    (head, String::from_utf8(body).unwrap())
}

fn answer(stream: &mut TcpStream) {
    stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n").unwrap();
}

fn header<'a>(head: &'a str, name: &str) -> &'a str {
    head.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": ")).unwrap()
}

#[test]
fn a_relay_that_is_killed_tells_nobody_twice() {
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().join("relay");
    std::fs::create_dir(&data).unwrap();
    let allow = ["--set", "push.allow_networks=127.0.0.0/8"];
    let relay = Relay::start_with(&data, "127.0.0.1:0", &allow);
    let (alice, bob) = (Device::new(dir.path(), "a"), Device::new(dir.path(), "b"));
    alice.says(&["join", &relay.link, "--name", "Alice"]);
    let invite = alice.lists(&["invite"])[0]["link"].as_str().unwrap().to_owned();
    bob.says(&["join", &invite, "--name", "Bob"]);

    let ((ntfy_url, ntfy), (hook_url, hook)) = (host(), host());
    bob.says(&["push", "after", "0s"]);
    let added = &bob.lists(&["push", "add", "ntfy", &ntfy_url])[0];
    assert_eq!((&added["added"]["kind"], added.get("secret")), (&"ntfy".into(), None));
    let secret = bob.lists(&["push", "add", "webhook", &hook_url])[0]["secret"].as_str().unwrap().to_owned();
    assert!(secret.starts_with("whsec_"), "{secret}");
    let testing = std::thread::spawn(move || {
        let mut stream = ntfy.recv_timeout(PATIENCE).unwrap();
        let (_, body) = heard(&mut stream);
        answer(&mut stream);
        (body, ntfy)
    });
    bob.says(&["push", "test", added["added"]["id"].as_str().unwrap()]);
    let (body, ntfy) = testing.join().unwrap();
    assert_eq!(body, "This is a test");

    // Both have the request, and give no answer before the relay is killed.
    alice.says(&["dm", "bob", "the moon is made of cheese"]);
    let mut told = ntfy.recv_timeout(PATIENCE).unwrap();
    let (head, body) = heard(&mut told);
    assert_eq!(body, "New message");
    assert!(!head.contains("cheese") && !head.contains("alice"), "{head}");
    let mut first = hook.recv_timeout(PATIENCE).unwrap();
    let (first_head, first_body) = heard(&mut first);
    let port = relay.port();
    drop(relay);

    let relay = Relay::start_with(&data, &format!("127.0.0.1:{port}"), &allow);
    let mut second = hook.recv_timeout(PATIENCE).unwrap();
    let (second_head, second_body) = heard(&mut second);
    answer(&mut second);
    assert_eq!(header(&first_head, "webhook-id"), header(&second_head, "webhook-id"));
    let data_of = |body: &str| serde_json::from_str::<serde_json::Value>(body).unwrap()["data"].clone();
    assert_eq!(data_of(&first_body), data_of(&second_body));
    // The next message is told, and it alone: what may have arrived is not told again.
    alice.says(&["dm", "bob", "and Mars of chocolate"]);
    let mut next = ntfy.recv_timeout(2 * PATIENCE).unwrap();
    assert_eq!(heard(&mut next).1, "New message");
    answer(&mut next);
    assert!(ntfy.try_recv().is_err());

    // Secrets and texts are in no list and in no log.
    let list = bob.says(&["push", "list"]);
    assert!(list.contains("webhook") && !list.contains(&secret) && !list.contains("/in"), "{list}");
    drop(relay);
}
