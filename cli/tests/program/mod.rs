//! Both programs, as processes.
#![allow(
    dead_code,
    unreachable_pub,
    clippy::unwrap_used,
    clippy::match_bool,
    clippy::missing_panics_doc,
    reason = "support: each test uses its part"
)]

use serde_json::Value;
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};

/// A relay on a port of its own, ended with the test.
pub struct Relay {
    pub process: Child,
    pub link: String,
}

impl Relay {
    pub fn start(data: &Path, listen: &str) -> Self {
        Self::start_with(data, listen, &[])
    }

    /// The same, with more flags.
    pub fn start_with(data: &Path, listen: &str, flags: &[&str]) -> Self {
        let mut process = Command::new(relay_program())
            .args(["serve", "--listen", listen, "--data"])
            .arg(data)
            .args(flags)
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

    pub fn port(&self) -> String {
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
pub fn relay_program() -> PathBuf {
    let ours = PathBuf::from(env!("CARGO_BIN_EXE_kith-cli"));
    let program = ours.with_file_name(format!("kith-relay{}", std::env::consts::EXE_SUFFIX));
    assert!(program.exists(), "{} is missing: cargo build -p kith-relay", program.display());
    program
}

/// A profile, and how to use it.
pub struct Device {
    pub home: PathBuf,
}

impl Device {
    pub fn new(root: &Path, name: &str) -> Self {
        Self { home: root.join(name) }
    }

    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_kith-cli"));
        command.arg("--home").arg(&self.home).args(arguments);
        command.env("KITH_PASSPHRASE", "correct horse").env_remove("KITH_LOG").env_remove("RUST_LOG");
        command.stdin(Stdio::null());
        command
    }

    pub fn run(&self, arguments: &[&str]) -> Output {
        self.command(arguments).output().unwrap()
    }

    /// What is printed by a command that has to succeed.
    #[track_caller]
    pub fn says(&self, arguments: &[&str]) -> String {
        let output = self.run(arguments);
        let stderr = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(0), "{arguments:?}: {stderr}");
        String::from_utf8(output.stdout).unwrap()
    }

    /// The objects printed by a command that has to succeed.
    #[track_caller]
    pub fn lists(&self, arguments: &[&str]) -> Vec<Value> {
        let said = self.says(&[arguments, &["--json"]].concat());
        said.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    /// The one sentence of a command that has to end with this code.
    #[track_caller]
    pub fn fails(&self, code: i32, arguments: &[&str]) -> String {
        let output = self.run(arguments);
        let stderr = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(code), "{arguments:?}: {stderr}");
        let sentence = stderr.lines().last().unwrap_or_default().to_owned();
        assert!(sentence.starts_with("kith-cli: "), "{stderr}");
        sentence
    }

    pub fn texts(&self, room: &str) -> Vec<(u64, String)> {
        let lines = self.lists(&["history", room, "--all"]);
        let text = lines.iter().filter(|line| line["kind"] == "text");
        text.map(|line| (line["seq"].as_u64().unwrap(), line["text"].as_str().unwrap().to_owned())).collect()
    }
}
