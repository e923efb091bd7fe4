//! The relay's program, started as an operator would.

use crate::{Outcome, process};
use std::fs::File;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

/// A relay that runs until it is stopped, or this is dropped.
pub(super) struct Program {
    /// Where it listens, on all addresses.
    pub(super) port: u16,
    child: Child,
    metrics: SocketAddr,
    log: PathBuf,
}

impl Program {
    /// Starts it on a folder with a store, with a key of its own, and waits until it listens.
    pub(super) fn start(program: &Path, folder: &Path, connections: u32) -> Outcome<Self> {
        let log = folder.join("log");
        let mut serve = command(program, folder);
        serve.args(["serve", "--listen", "0.0.0.0:0", "--metrics", "127.0.0.1:0", "--log", "warn"]);
        if connections > DEFAULT_CONNECTIONS {
            serve.args(["--set", &format!("limits.max_connections={connections}")]);
        }
        let cannot = |error| {
            format!("{} cannot be started: {error}; build it, or name it with --relay", program.display())
        };
        let mut child = serve.stdout(Stdio::piped()).stderr(File::create(&log)?).spawn().map_err(cannot)?;
        let mut line = String::new();
        BufReader::new(child.stdout.take().ok_or("a child without output")?).read_line(&mut line)?;
        let port =
            line.split_once("listens on 0.0.0.0:").and_then(|(_, rest)| rest.split(' ').next()?.parse().ok());
        let Some(port) = port else {
            let _ = child.kill();
            return Err(
                format!("the relay said `{}`: {}", line.trim(), std::fs::read_to_string(&log)?).into()
            );
        };
        let stats = command(program, folder).args(["stats", "--json"]).output()?;
        let stats: serde_json::Value = serde_json::from_slice(&stats.stdout)?;
        let metrics = stats["metrics"].as_str().ok_or("a relay without metrics")?.parse()?;
        Ok(Self { port, child, metrics, log })
    }

    /// Its memory now.
    pub(super) fn resident_bytes(&self) -> Option<u64> {
        process::resident_bytes(self.child.id())
    }

    /// Its processor time so far.
    pub(super) fn cpu_seconds(&self) -> Option<f64> {
        process::cpu_seconds(self.child.id())
    }

    /// One of its metrics, summed over its labels.
    pub(super) fn metric(&self, name: &str) -> Outcome<f64> {
        let mut stream = TcpStream::connect(self.metrics)?;
        write!(stream, "GET /metrics HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n")?;
        let mut text = String::new();
        stream.read_to_string(&mut text)?;
        let of_it = |line: &&str| line.strip_prefix(name).is_some_and(|rest| rest.starts_with([' ', '{']));
        let values = text.lines().filter(of_it).filter_map(|line| line.rsplit(' ').next());
        // Nothing adds up to minus zero.
        Ok(values.map(str::parse::<f64>).sum::<Result<f64, _>>()? + 0.0)
    }

    /// Ends it, and returns what it had to say.
    pub(super) fn stop(&mut self) -> Outcome<Vec<String>> {
        // Nobody is connected any more, and what was acknowledged is on the disk.
        self.child.kill()?;
        self.child.wait()?;
        Ok(std::fs::read_to_string(&self.log)?.lines().map(str::to_owned).collect())
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn command(program: &Path, folder: &Path) -> Command {
    let mut command = Command::new(program);
    for (name, _) in std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("KITH_")) {
        command.env_remove(name);
    }
    command.arg("--data").arg(folder);
    command
}

/// What a relay takes unless it is told otherwise.
const DEFAULT_CONNECTIONS: u32 = 10_000;
