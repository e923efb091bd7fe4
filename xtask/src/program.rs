//! Programs that are started here: shown as a person would type them, and never waited for without a bound.

use std::fs::File;
use std::io::{self, BufRead as _, BufReader, Read};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::thread;
use std::time::{Duration, Instant};

use owo_colors::OwoColorize as _;

use crate::failure::Failure;
use crate::step::now;

/// Prints the command and runs it on this terminal until it ends by itself.
pub(crate) fn run(command: &mut Command) -> Result<(), Failure> {
    let line = typed(command);
    anstream::println!("{} {}", "$".dimmed(), line.bold());
    let status = command.stdin(Stdio::null()).status().map_err(|error| cannot_start(command, &error))?;
    if status.success() { Ok(()) } else { Err(Failure::new(format!("`{line}` {}.", ended(status)))) }
}

/// Runs the command out of sight and hands back what it printed on standard output.
pub(crate) fn capture(command: &mut Command) -> Result<String, Failure> {
    let output = command.stdin(Stdio::null()).output().map_err(|error| cannot_start(command, &error))?;
    if !output.status.success() {
        let complaint = String::from_utf8_lossy(&output.stderr);
        return Err(Failure::new(format!(
            "`{}` {}: {}",
            typed(command),
            ended(output.status),
            complaint.trim()
        )));
    }
    String::from_utf8(output.stdout)
        .map_err(|_| Failure::new(format!("`{}` printed something else than text.", typed(command))))
}

/// Whether the command can be started and ends well; what it prints is dropped.
pub(crate) fn answers(command: &mut Command) -> bool {
    let silent = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    silent.status().is_ok_and(|status| status.success())
}

/// A running program whose lines come one by one. Dropping it kills it.
pub(crate) struct Program {
    line: String,
    child: Child,
    lines: Receiver<String>,
    ends_by: Instant,
}

impl Program {
    /// Starts the command without an input. When `patience` is over, reading from it fails.
    pub(crate) fn start(command: &mut Command, patience: Duration) -> Result<Self, Failure> {
        Self::spawn(command.stderr(Stdio::piped()), patience)
    }

    /// Like [`Self::start`], but standard error goes to a file.
    pub(crate) fn start_logging(
        command: &mut Command,
        log: File,
        patience: Duration,
    ) -> Result<Self, Failure> {
        Self::spawn(command.stderr(log), patience)
    }

    fn spawn(command: &mut Command, patience: Duration) -> Result<Self, Failure> {
        let mut child = command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .map_err(|error| cannot_start(command, &error))?;
        let (sender, lines) = sync_channel(LINES_WAITING);
        if let Some(stdout) = child.stdout.take() {
            forward(stdout, sender.clone());
        }
        if let Some(stderr) = child.stderr.take() {
            forward(stderr, sender);
        }
        Ok(Self { line: typed(command), child, lines, ends_by: now() + patience })
    }

    /// The next line from standard output or error, in order of arrival; `None` when both are closed.
    pub(crate) fn next_line(&mut self) -> Result<Option<String>, Failure> {
        match self.lines.recv_timeout(self.ends_by.saturating_duration_since(now())) {
            Ok(line) => Ok(Some(line)),
            Err(RecvTimeoutError::Disconnected) => Ok(None),
            Err(RecvTimeoutError::Timeout) => {
                Err(Failure::new(format!("`{}` did not come to an end in time.", self.line)))
            }
        }
    }

    /// Drops all lines from now on, so that the program never waits for a reader.
    pub(crate) fn ignore(&mut self) {
        self.lines = sync_channel(0).1;
    }

    /// What the program ended with; to be asked when [`Self::next_line`] has said `None`.
    pub(crate) fn status(&mut self) -> Result<ExitStatus, Failure> {
        self.child.wait().map_err(|error| Failure::new(format!("`{}` is out of reach: {error}.", self.line)))
    }

    /// Fails unless the program ends well.
    pub(crate) fn succeed(&mut self) -> Result<(), Failure> {
        let status = self.status()?;
        if status.success() {
            Ok(())
        } else {
            Err(Failure::new(format!("`{}` {}.", self.line, ended(status))))
        }
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        // Both fail only when the program has ended already, and then there is nothing left to do.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The command as it would be typed into a shell.
pub(crate) fn typed(command: &Command) -> String {
    let program = command.get_program().to_string_lossy();
    let name = program.rsplit(['/', '\\']).next().unwrap_or(&program).trim_end_matches(".exe").to_owned();
    let arguments = command.get_args().map(|argument| quoted(&argument.to_string_lossy()));
    std::iter::once(name).chain(arguments).collect::<Vec<_>>().join(" ")
}

fn quoted(argument: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./:=@,+%".contains(c);
    if !argument.is_empty() && argument.chars().all(plain) {
        argument.to_owned()
    } else {
        format!("'{}'", argument.replace('\'', r"'\''"))
    }
}

fn ended(status: ExitStatus) -> String {
    status.code().map_or_else(|| "was killed".to_owned(), |code| format!("ended with code {code}"))
}

fn cannot_start(command: &Command, error: &io::Error) -> Failure {
    Failure::new(format!("`{}` could not be started: {error}.", typed(command)))
}

/// Reads to the end even when nobody listens any more, so that the program never blocks on a full pipe.
fn forward(from: impl Read + Send + 'static, to: SyncSender<String>) {
    thread::spawn(move || {
        for line in BufReader::new(from).split(b'\n').map_while(Result::ok) {
            let _ = to.send(String::from_utf8_lossy(&line).trim_end().to_owned());
        }
    });
}

/// Lines that may wait to be read before the program itself has to wait: far more than any screen holds.
const LINES_WAITING: usize = 1024;

#[cfg(test)]
mod tests {
    use std::process::Command;

    use super::typed;

    #[test]
    fn commands_are_shown_as_typed() {
        let mut command = Command::new("/opt/kith/kith-cli");
        command.args(["--home", "a1", "join", "kith://join?r=1&t=2", "it's me", ""]);
        assert_eq!(typed(&command), r"kith-cli --home a1 join 'kith://join?r=1&t=2' 'it'\''s me' ''");
    }
}
