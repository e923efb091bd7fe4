//! The command line against a real relay: what a person does, through the programs that they run.
#![allow(clippy::unwrap_used, reason = "a test ends where something fails")]

mod program;

use program::{Device, Relay};
use serde_json::Value;
use std::io::{BufRead as _, BufReader, Write as _};
use std::process::Stdio;

fn link(old: &Device, new: &Device, name: &str) {
    let mut offer = old.command(&["link", "--yes"]);
    let mut offer = offer.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    let mut said = BufReader::new(offer.stdout.take().unwrap()).lines().map(Result::unwrap);
    let link = said.next().unwrap();
    assert!(link.starts_with("kith://link?"), "{link}");
    let shown = new.says(&["join", &link, "--device", name]);
    let digits = shown.lines().next().unwrap();
    assert!(digits.len() == 6 && digits.bytes().all(|b| b.is_ascii_digit()), "{shown}");
    assert_eq!(said.next().unwrap(), format!("linked \"{name}\""));
    assert!(offer.wait().unwrap().success());
}

#[test]
fn two_people_with_two_devices_each() {
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().join("relay");
    std::fs::create_dir(&data).unwrap();
    let relay = Relay::start(&data, "127.0.0.1:0");
    let [a1, a2, b1, b2] = ["a1", "a2", "b1", "b2"].map(|name| Device::new(dir.path(), name));

    a1.fails(3, &["rooms"]);
    a1.says(&["join", &relay.link, "--name", "Alice", "--device", "laptop"]);
    b1.fails(4, &["join", &relay.link, "--name", "Bob", "--device", "desk"]);
    let invite = a1.says(&["invite"]);
    b1.says(&["join", invite.trim(), "--name", "Bob", "--device", "desk"]);
    link(&a1, &a2, "phone");
    link(&b1, &b2, "tablet");

    // A message is written, read, changed and answered, on all four.
    let sent = &a1.lists(&["dm", "bob", "hello"])[0];
    assert_eq!((sent["seq"].as_u64(), sent["state"].as_str()), (Some(2), Some("sent")));
    a1.fails(3, &["dm", "nobody", "hello"]);
    b2.says(&["sync"]);
    b2.says(&["send", "alice", "hello yourself", "--reply-to", "2"]);
    a2.says(&["sync"]);
    a2.says(&["react", "bob", "3", "👍"]);
    a1.says(&["edit", "bob", "2", "hello, Bob"]);
    b1.says(&["read", "alice"]);
    let lines = b1.lists(&["history", "alice", "--sync", "-n", "2"]);
    assert_eq!((&lines[0]["text"], &lines[0]["edited"]), (&"hello, Bob".into(), &true.into()));
    assert_eq!(lines[0]["device_name"], "laptop");
    assert_eq!((&lines[1]["sender"], &lines[1]["reply_to"]["seq"]), (&"bob".into(), &2.into()));
    assert_eq!(lines[1]["reactions"][0]["who"][0], "alice");

    // `tail` holds the profile, prints what comes, and what changes.
    let mut tail = b1.command(&["tail", "--json"]);
    let mut tail = tail.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    let mut tailed = BufReader::new(tail.stdout.take().unwrap()).lines();
    let mut next = || -> Value { serde_json::from_str(&tailed.next().unwrap().unwrap()).unwrap() };
    let seq = a1.lists(&["send", "bob", "tailed"])[0]["seq"].as_u64().unwrap();
    let line = next();
    assert_eq!(
        (&line["event"], &line["text"], line["seq"].as_u64()),
        (&"message".into(), &"tailed".into(), Some(seq))
    );
    b1.fails(6, &["rooms"]);
    a1.says(&["delete", "bob", &seq.to_string()]);
    let line = next();
    assert_eq!((&line["event"], &line["redacted"]), (&"changed".into(), &true.into()));
    tail.kill().unwrap();
    tail.wait().unwrap();

    // Without the relay everything is kept, and goes out later.
    let port = relay.port();
    drop(relay);
    assert_eq!(a1.lists(&["send", "bob", "offline 1"])[0]["state"], "queued");
    assert_eq!(a2.lists(&["dm", "bob", "offline 2"])[0]["state"], "queued");
    assert_eq!(a1.lists(&["outbox"]).len(), 1);
    a1.fails(5, &["sync"]);
    a1.fails(5, &["dm", "stranger", "hello"]);
    assert_eq!(a1.lists(&["rooms"]).iter().filter(|room| room["kind"] == "direct").count(), 1);
    let relay = Relay::start(&data, &format!("127.0.0.1:{port}"));
    for device in [&a1, &a2, &b1, &b2] {
        device.says(&["sync"]);
    }
    a1.says(&["sync"]);
    assert!(a1.lists(&["outbox"]).is_empty());
    let all = a1.texts("bob");
    let said: Vec<&str> = all.iter().map(|(_, text)| text.as_str()).collect();
    assert_eq!(said, ["hello, Bob", "hello yourself", "", "offline 1", "offline 2"]);
    assert_eq!(a2.texts("bob"), all);
    assert_eq!(b1.texts("alice"), all);
    assert_eq!(b2.texts("alice"), all);
    let hash = |device: &Device, room| device.lists(&["verify", room])[0]["hash"].clone();
    assert_eq!(hash(&a1, "bob"), hash(&b2, "alice"));

    // A group; rights; standard input.
    a1.says(&["room", "create", "Team", "--with", "bob"]);
    b1.says(&["sync"]);
    let mut send = b1.command(&["send", "team", "-"]);
    let mut send = send.stdin(Stdio::piped()).stdout(Stdio::null()).spawn().unwrap();
    send.stdin.take().unwrap().write_all(b"from a script\n").unwrap();
    assert!(send.wait().unwrap().success());
    b1.fails(4, &["room", "remove", "team", "alice"]);
    assert_eq!(a1.lists(&["history", "team", "--sync", "-n", "1"])[0]["text"], "from a script");

    // A device is signed out, and all others by the recovery key.
    assert_eq!(a1.run(&["revoke", "phone"]).status.code(), Some(1), "nobody said yes");
    a1.says(&["revoke", "phone", "--yes"]);
    a2.fails(8, &["sync"]);
    assert_eq!(a2.texts("bob"), all, "what it holds stays readable");
    let key = a1.says(&["recovery", "new"]);
    let a3 = Device::new(dir.path(), "a3");
    a3.says(&[
        "recovery",
        "use",
        key.trim(),
        "--relay",
        &relay_address(&relay, &port),
        "--device",
        "rescued",
    ]);
    assert_eq!(a3.texts("bob"), all);
    a1.fails(8, &["sync"]);

    // Another passphrase opens nothing.
    let wrong = a3.command(&["rooms"]).env("KITH_PASSPHRASE", "wrong").output().unwrap();
    assert_eq!(wrong.status.code(), Some(7));
}

fn relay_address(relay: &Relay, port: &str) -> String {
    assert!(!relay.link.is_empty());
    format!("ws://127.0.0.1:{port}")
}
