//! Processes that end with their owner.

use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

/// A process whose words go into a log. Killed when it is dropped.
pub struct Process {
    child: Child,
}

impl Process {
    /// Starts it; what it says is in `NAME.log` among the logs.
    pub fn start(name: &str, command: &mut Command, logs: &Path) -> Self {
        let log = log(name, logs);
        command.stdout(log.try_clone().unwrap()).stderr(log);
        Self { child: spawned(name, command) }
    }

    /// Starts it, and hands its first line over.
    pub fn start_and_hear(name: &str, command: &mut Command, logs: &Path) -> (Self, String) {
        command.stdout(Stdio::piped()).stderr(log(name, logs));
        let mut child = spawned(name, command);
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        assert!(!line.trim().is_empty(), "{name} does not start");
        (Self { child }, line.trim().to_owned())
    }

    /// Whether it has ended.
    pub fn has_ended(&mut self) -> bool {
        self.child.try_wait().unwrap().is_some()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn log(name: &str, logs: &Path) -> File {
    File::options().create(true).append(true).open(logs.join(format!("{name}.log"))).unwrap()
}

fn spawned(name: &str, command: &mut Command) -> Child {
    command.spawn().unwrap_or_else(|error| panic!("{name} cannot be started: {error}"))
}

/// Where the programs of this workspace lie: beside this one, or beside the folder of tests that this one lies in.
pub(crate) fn folder() -> PathBuf {
    let mut folder = std::env::current_exe().unwrap();
    folder.pop();
    if folder.ends_with("deps") {
        folder.pop();
    }
    folder
}

/// A program of this workspace.
pub fn program(name: &str) -> PathBuf {
    let path = folder().join(name);
    assert!(path.exists(), "{} is missing: run `cargo build --workspace --bins` first", path.display());
    path
}

/// The processes that have this in their environment.
pub fn with_environment(variable: &str) -> Vec<u32> {
    let entries = std::fs::read_dir("/proc").unwrap().flatten();
    let ids = entries.filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok());
    ids.filter(|id| *id != std::process::id())
        .filter(|id| {
            let environment = std::fs::read(format!("/proc/{id}/environ")).unwrap_or_default();
            environment.split(|byte| *byte == 0).any(|entry| entry == variable.as_bytes())
        })
        .collect()
}

/// The program that a process runs, even if it was built anew since.
pub fn program_of(id: u32) -> Option<PathBuf> {
    let path = std::fs::read_link(format!("/proc/{id}/exe")).ok()?.into_os_string().into_string().ok()?;
    Some(path.strip_suffix(" (deleted)").unwrap_or(&path).into())
}

/// Whether nothing of a process is left that could hold a file: it loses its program first, and its files last.
pub fn is_gone(id: u32) -> bool {
    let Ok(tasks) = std::fs::read_dir(format!("/proc/{id}/task")) else { return true };
    let stat = std::fs::read_to_string(format!("/proc/{id}/stat")).unwrap_or_default();
    tasks.count() <= 1
        && stat.rsplit(") ").next().is_none_or(|state| state.is_empty() || state.starts_with('Z'))
}

/// `kill -9`, for processes that somebody else has started.
pub fn kill(ids: &[u32]) {
    if !ids.is_empty() {
        // Some may have ended by themselves.
        let _ = Command::new("kill")
            .arg("-9")
            .args(ids.iter().map(u32::to_string))
            .stderr(Stdio::null())
            .status();
    }
}

impl From<Child> for Process {
    fn from(child: Child) -> Self {
        Self { child }
    }
}
