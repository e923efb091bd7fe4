//! The program, as a process.
#![allow(dead_code, unreachable_pub, clippy::unwrap_used, reason = "support: each test uses its part")]

use std::{
    io::{BufRead, BufReader, Read},
    path::Path,
    process::{Child, Command, Output, Stdio},
};

/// A relay that runs until it is dropped.
pub struct Running {
    pub child: Child,
    pub data: tempfile::TempDir,
    /// What it printed up to the owner's link.
    pub said: Vec<String>,
}

impl Running {
    pub fn start(flags: &[&str]) -> Self {
        Self::start_on(tempfile::tempdir().unwrap(), flags, 3)
    }

    pub fn start_on(data: tempfile::TempDir, flags: &[&str], lines: usize) -> Self {
        let command = relay(data.path());
        Self::start_as(command, data, flags, lines)
    }

    pub fn start_as(mut command: Command, data: tempfile::TempDir, flags: &[&str], lines: usize) -> Self {
        let mut child = command
            .args(["serve", "--listen", "127.0.0.1:0"])
            .args(flags)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut said = Vec::new();
        let mut stdout = BufReader::new(child.stdout.take().unwrap()).lines();
        while said.len() < lines {
            match stdout.next() {
                Some(line) => said.push(line.unwrap()),
                None => panic!("the relay ended: {}", stderr(&mut child)),
            }
        }
        Self { child, data, said }
    }

    pub fn ask(&self, args: &[&str]) -> Output {
        relay(self.data.path()).args(args).output().unwrap()
    }

    pub fn json(&self, args: &[&str]) -> serde_json::Value {
        let output = self.ask(&[args, &["--json"]].concat());
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        serde_json::from_slice(&output.stdout).unwrap()
    }

    #[cfg(unix)]
    pub fn signal(&self, name: &str) {
        let sent =
            Command::new("kill").args([&format!("-{name}"), &self.child.id().to_string()]).status().unwrap();
        assert!(sent.success());
    }

    #[cfg(unix)]
    pub fn stop(mut self) -> (tempfile::TempDir, String) {
        self.signal("TERM");
        let log = stderr(&mut self.child);
        assert!(self.child.wait().unwrap().success(), "{log}");
        let data = std::mem::replace(&mut self.data, tempfile::tempdir().unwrap());
        (data, log)
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

pub fn relay(data: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_kith-relay"));
    for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("KITH_")) {
        command.env_remove(name);
    }
    command.arg("--data").arg(data);
    command
}

pub fn stderr(child: &mut Child) -> String {
    let mut text = String::new();
    child.stderr.take().unwrap().read_to_string(&mut text).unwrap();
    text
}

/// What a command says, on both ways out, and its exit code.
pub fn said(output: Output) -> (String, Option<i32>) {
    let text = [output.stdout, output.stderr].concat();
    (String::from_utf8_lossy(&text).into_owned(), output.status.code())
}
