//! A server in a process of its own: this program, started again with another role.

use crate::{Outcome, process};
use std::ffi::OsStr;
use std::io::{BufRead, BufReader, Write};
use std::net::SocketAddr;
use std::process::{ChildStdin, ChildStdout, Command, Stdio};

/// A running server. It ends when this is dropped.
#[derive(Debug)]
pub(crate) struct Child {
    /// Where it listens.
    pub(crate) address: SocketAddr,
    process: std::process::Child,
    stdin: Option<ChildStdin>,
    stdout: BufReader<ChildStdout>,
}

impl Child {
    /// Starts this program in a role, and waits until it listens.
    pub(crate) fn start<I: AsRef<OsStr>>(role: impl IntoIterator<Item = I>) -> Outcome<Self> {
        let mut process = Command::new(std::env::current_exe()?)
            .args(role)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let stdin = process.stdin.take();
        let stdout = BufReader::new(process.stdout.take().ok_or("a child without output")?);
        let mut child = Self { address: SocketAddr::from(([0; 4], 0)), process, stdin, stdout };
        let line = child.line()?;
        child.address = line.trim().parse().map_err(|_| format!("the server said `{}`", line.trim()))?;
        Ok(child)
    }

    /// Its process.
    #[cfg(target_os = "linux")]
    pub(crate) fn id(&self) -> u32 {
        self.process.id()
    }

    /// Its processor time so far.
    pub(crate) fn cpu_seconds(&self) -> Option<f64> {
        process::cpu_seconds(self.process.id())
    }

    /// Its memory now.
    pub(crate) fn resident_bytes(&self) -> Option<u64> {
        process::resident_bytes(self.process.id())
    }

    /// One of its metrics, summed over its labels.
    pub(crate) fn metric(&mut self, name: &str) -> Outcome<f64> {
        self.stdin.as_mut().ok_or("the server is ending")?.write_all(b"metrics\n")?;
        let mut found = 0.0;
        loop {
            let line = self.line()?;
            if line.trim() == END_OF_METRICS {
                return Ok(found);
            }
            let named = line.strip_prefix(name).filter(|rest| rest.starts_with([' ', '{']));
            if let Some((_, value)) = named.and_then(|rest| rest.trim().rsplit_once(' ')) {
                found += value.parse::<f64>()?;
            } else if let Some(value) = named {
                found += value.trim().parse::<f64>()?;
            }
        }
    }

    fn line(&mut self) -> Outcome<String> {
        let mut line = String::new();
        if self.stdout.read_line(&mut line)? == 0 {
            return Err("the server ended before its time".into());
        }
        Ok(line)
    }
}

impl Drop for Child {
    fn drop(&mut self) {
        drop(self.stdin.take());
        // It may have ended by itself; either way it is gone afterwards.
        let _ = self.process.wait();
    }
}

/// Answers for a child: says where it listens, then obeys until its parent lets go.
pub(crate) fn obey(address: SocketAddr, metrics: impl Fn() -> String) -> Outcome<()> {
    let mut out = std::io::stdout();
    writeln!(out, "{address}")?;
    out.flush()?;
    for line in std::io::stdin().lines() {
        if line? == "metrics" {
            out.write_all(metrics().as_bytes())?;
            out.flush()?;
        }
    }
    Ok(())
}

/// The last line of OpenMetrics text.
pub(crate) const END_OF_METRICS: &str = "# EOF";
