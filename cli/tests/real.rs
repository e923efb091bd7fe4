//! The command line against a real relay: what a person does, through the programs that they run.
#![allow(clippy::unwrap_used, clippy::match_bool, reason = "a test ends where something fails")]

use serde_json::Value;
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};

/// A relay on a port of its own, ended with the test.
struct Relay {
    process: Child,
    link: String,
}

impl Relay {
    fn start(data: &Path, listen: &str) -> Self {
        let mut process = Command::new(relay_program())
            .args(["serve", "--listen", listen, "--data"])
            .arg(data)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        // Both lines come after the port was taken.
        let mut lines = BufReader::new(process.stdout.take().unwrap()).lines().map(Result::unwrap);
        let first = lines.find(|line| line.contains(" as ws")).expect("the relay says where it listens");
        let address = first.rsplit(' ').next().unwrap().to_owned();
        let link = match data.join("joined").exists() {
            true => address,
            false => lines.find(|line| line.starts_with("kith://")).expect("the relay prints a link"),
        };
        std::fs::write(data.join("joined"), "").unwrap();
        // Whoever prints must be read.
        std::thread::spawn(move || lines.for_each(drop));
        Self { process, link }
    }

    fn port(&self) -> String {
        let colon = if self.link.starts_with("kith") { "%3A" } else { ":" };
        let (_, rest) = self.link.rsplit_once(&format!("127.0.0.1{colon}")).unwrap();
        rest.chars().take_while(char::is_ascii_digit).collect()
    }
}

impl Drop for Relay {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// The relay's program stands beside ours.
fn relay_program() -> PathBuf {
    let ours = PathBuf::from(env!("CARGO_BIN_EXE_kith-cli"));
    let program = ours.with_file_name(format!("kith-relay{}", std::env::consts::EXE_SUFFIX));
    assert!(program.exists(), "{} is missing: cargo build -p kith-relay", program.display());
    program
}

/// A profile, and how to use it.
struct Device {
    home: PathBuf,
}

impl Device {
    fn new(root: &Path, name: &str) -> Self {
        Self { home: root.join(name) }
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_kith-cli"));
        command.arg("--home").arg(&self.home).args(arguments);
        command.env("KITH_PASSPHRASE", "correct horse").env_remove("KITH_LOG").env_remove("RUST_LOG");
        command.stdin(Stdio::null());
        command
    }

    fn run(&self, arguments: &[&str]) -> Output {
        self.command(arguments).output().unwrap()
    }

    /// What is printed by a command that has to succeed.
    #[track_caller]
    fn says(&self, arguments: &[&str]) -> String {
        let output = self.run(arguments);
        let stderr = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(0), "{arguments:?}: {stderr}");
        String::from_utf8(output.stdout).unwrap()
    }

    /// The objects printed by a command that has to succeed.
    #[track_caller]
    fn lists(&self, arguments: &[&str]) -> Vec<Value> {
        let said = self.says(&[arguments, &["--json"]].concat());
        said.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    /// The one sentence of a command that has to end with this code.
    #[track_caller]
    fn fails(&self, code: i32, arguments: &[&str]) -> String {
        let output = self.run(arguments);
        let stderr = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(code), "{arguments:?}: {stderr}");
        let sentence = stderr.lines().last().unwrap_or_default().to_owned();
        assert!(sentence.starts_with("kith-cli: "), "{stderr}");
        sentence
    }

    fn texts(&self, room: &str) -> Vec<(u64, String)> {
        let lines = self.lists(&["history", room, "--all"]);
        let text = lines.iter().filter(|line| line["kind"] == "text");
        text.map(|line| (line["seq"].as_u64().unwrap(), line["text"].as_str().unwrap().to_owned())).collect()
    }
}

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
