//! The relay of the story: a process that is started, killed, and started again over the same data.

use std::fs::{self, File};
use std::io;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::PathBuf;
use std::time::Duration;

use crate::failure::Failure;
use crate::program::Program;

use super::stage::{Stage, show_line, show_operator};

/// A running relay. Dropping it kills it, as a power cut would.
pub(crate) struct Relay {
    _program: Program,
    /// What it printed until it was ready.
    pub(crate) lines: Vec<String>,
}

impl Relay {
    /// Starts the relay on a loopback address and waits for a line that holds `awaited`.
    pub(crate) fn start(stage: &Stage, address: SocketAddr, awaited: &str) -> Result<Self, Failure> {
        let mut command = stage.relay_command(&["serve", "--listen", &address.to_string()]);
        show_operator(&command);
        let log_path = log_path(stage);
        let log = File::options().create(true).append(true).open(&log_path);
        let log = log.map_err(|error| Failure::at(&log_path, "opened", &error))?;
        let mut program = Program::start_logging(&mut command, log, START_PATIENCE)?;
        let mut lines = Vec::new();
        while let Some(line) = program.next_line()? {
            show_line(&line);
            let ready = line.contains(awaited);
            lines.push(line);
            if ready {
                program.ignore();
                return Ok(Self { _program: program, lines });
            }
        }
        Err(Failure::new(format!("The relay did not start: {}", log_tail(stage))))
    }
}

/// An address on loopback that nothing listens on.
pub(crate) fn free_address() -> io::Result<SocketAddr> {
    TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()
}

/// The last lines that the relay logged.
pub(crate) fn log_tail(stage: &Stage) -> String {
    let log = fs::read_to_string(log_path(stage)).unwrap_or_default();
    let lines: Vec<&str> = log.lines().collect();
    lines.iter().skip(lines.len().saturating_sub(LOG_TAIL_LINES)).copied().collect::<Vec<_>>().join("\n")
}

fn log_path(stage: &Stage) -> PathBuf {
    stage.folder.join("relay.log")
}

const START_PATIENCE: Duration = Duration::from_secs(30);
const LOG_TAIL_LINES: usize = 20;
