//! What is done on a computer in the terminal, while the app does not run there: accounts, devices, and words of people who
//! have no window in a test.

use crate::desktop::Desktop;
use crate::process::program;
use crate::real::Relay;
use serde_json::Value;
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::PathBuf;
use std::process::{Command, Stdio};

/// The name of the profile that the app finds.
const PROFILE: &str = "default";

/// One account in the terminal of a desktop.
pub(crate) struct Terminal<'a> {
    desktop: &'a Desktop,
    home: PathBuf,
}

impl<'a> Terminal<'a> {
    /// The account that the app of this desktop will open.
    pub(crate) fn of_app(desktop: &'a Desktop) -> Self {
        Self { desktop, home: desktop.kith_home().join("profiles").join(PROFILE) }
    }

    /// An account beside it, which has no window.
    pub(crate) fn apart(desktop: &'a Desktop, name: &str) -> Self {
        Self { desktop, home: desktop.kith_home().join("apart").join(name) }
    }

    /// A new account.
    pub(crate) fn join(&self, relay: &Relay, name: &str, handle: &str) {
        std::fs::create_dir_all(self.home.parent().unwrap()).unwrap();
        let invite = relay.invite().to_string();
        self.run(&["join", &invite, "--name", name, "--handle", handle, "--device", self.desktop.name()]);
    }

    /// Another device of the account of another terminal.
    pub(crate) fn link_to(&self, other: &Terminal<'_>) {
        std::fs::create_dir_all(self.home.parent().unwrap()).unwrap();
        let mut command = other.command(&["link", "--yes", "--json"]);
        let mut offer = command.stdout(Stdio::piped()).spawn().unwrap();
        let mut said = BufReader::new(offer.stdout.take().unwrap());
        let mut line = String::new();
        said.read_line(&mut line).unwrap();
        let offered: Value =
            serde_json::from_str(&line).unwrap_or_else(|_| panic!("no link is offered: {line}"));
        self.run(&["join", offered["link"].as_str().unwrap(), "--yes", "--device", self.desktop.name()]);
        assert!(offer.wait().unwrap().success(), "{} is not linked", self.desktop.name());
    }

    /// Writes to a person.
    pub(crate) fn dm(&self, who: &str, text: &str) {
        let mut command = self.command(&["dm", who, "-"]);
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::null()).spawn().unwrap();
        child.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
        assert!(child.wait().unwrap().success(), "dm {who}");
    }

    /// Runs a command that must succeed; its lines of JSON.
    pub(crate) fn run(&self, arguments: &[&str]) -> Vec<Value> {
        self.try_run(arguments).unwrap_or_else(|failed| panic!("kith-cli {arguments:?}: {failed}"))
    }

    /// Runs a command; its lines of JSON, or what it says about its failure.
    pub(crate) fn try_run(&self, arguments: &[&str]) -> Result<Vec<Value>, String> {
        let output = self.command(arguments).arg("--json").output().unwrap();
        if !output.status.success() {
            return Err(String::from_utf8_lossy(&output.stderr).into_owned());
        }
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        Ok(said.lines().map(|line| serde_json::from_str(line).unwrap()).collect())
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = self.desktop.command(program("kith-cli"));
        command.arg("--home").arg(&self.home).args(arguments);
        command
    }
}
