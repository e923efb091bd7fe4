//! Where the story plays: a folder, the two programs, and the screen.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use owo_colors::{AnsiColors, OwoColorize as _};

use crate::failure::Failure;
use crate::program::{Program, capture, typed};

/// The folder that all commands are run in, and the programs that they run.
pub(crate) struct Stage {
    pub(crate) folder: PathBuf,
    pub(crate) relay: PathBuf,
    pub(crate) cli: PathBuf,
    pub(crate) app: PathBuf,
    /// Asked for each program by its name, and for a device by its home: how it is started on another system, if it is.
    pub(crate) elsewhere: Elsewhere,
}

pub(crate) type Elsewhere = Box<dyn Fn(&str, Option<&str>) -> Option<Command>>;

/// One device of one person; `home` is the folder that its command line keeps everything in.
#[derive(Clone, Copy)]
pub(crate) struct Device {
    pub(crate) home: &'static str,
    pub(crate) shown: &'static str,
    pub(crate) colour: AnsiColors,
}

impl Stage {
    /// Runs a command on a device before everyone's eyes, and hands back the lines it printed.
    pub(crate) fn device(&self, device: Device, arguments: &[&str]) -> Result<Vec<String>, Failure> {
        let mut lines = Vec::new();
        let mut program = self.start_on(device, arguments)?;
        while let Some(line) = program.next_line()? {
            show_line(&line);
            lines.push(line);
        }
        program.succeed()?;
        Ok(lines)
    }

    /// Like [`Self::device`], but leaves the program running.
    pub(crate) fn start_on(&self, device: Device, arguments: &[&str]) -> Result<Program, Failure> {
        let mut command = self.cli_of(device, arguments);
        let who = format!("{:<14}", device.shown);
        anstream::println!("{} {} {}", who.color(device.colour), "$".dimmed(), typed(&command).bold());
        Program::start(&mut command, PATIENCE)
    }

    /// Asks a device for something out of sight.
    pub(crate) fn ask(&self, device: Device, arguments: &[&str]) -> Result<String, Failure> {
        capture(&mut self.cli_of(device, arguments))
    }

    /// Runs a command of the relay's operator, and hands back the lines it printed.
    pub(crate) fn operator(&self, arguments: &[&str]) -> Result<Vec<String>, Failure> {
        let mut command = self.relay_command(arguments);
        show_operator(&command);
        let mut lines = Vec::new();
        let mut program = Program::start(&mut command, PATIENCE)?;
        while let Some(line) = program.next_line()? {
            show_line(&line);
            lines.push(line);
        }
        program.succeed()?;
        Ok(lines)
    }

    pub(crate) fn relay_command(&self, arguments: &[&str]) -> Command {
        let mut command = (self.elsewhere)("kith-relay", None).unwrap_or_else(|| Command::new(&self.relay));
        command.current_dir(&self.folder).args(arguments);
        command
    }

    fn cli_of(&self, device: Device, arguments: &[&str]) -> Command {
        let elsewhere = (self.elsewhere)("kith-cli", Some(device.home));
        // Another system is gone in a minute, too, with its key store.
        let mut command = elsewhere.map_or_else(|| self.sealed(&self.cli), |command| self.in_folder(command));
        command.args(["--home", device.home]).args(arguments);
        command
    }

    /// A window on the profiles in a folder.
    pub(crate) fn window(&self, home: &str) -> Command {
        let mut command = self.sealed(&self.app);
        command.env("KITH_HOME", self.folder.join(home));
        command
    }

    /// The homes are gone in a minute: they are sealed with a passphrase, so that no key store learns of them.
    fn sealed(&self, program: &Path) -> Command {
        let mut command = self.in_folder(Command::new(program));
        command.env("KITH_PASSPHRASE", "only for this show");
        command
    }

    fn in_folder(&self, mut command: Command) -> Command {
        command.current_dir(&self.folder);
        command
    }
}

/// Says what happens next.
pub(crate) fn scene(heading: &str) {
    anstream::println!("\n{} {}", "--".cyan(), heading.bold());
}

pub(crate) fn show_operator(command: &Command) {
    anstream::println!(
        "{} {} {}",
        format!("{:<14}", "operator").magenta(),
        "$".dimmed(),
        typed(command).bold()
    );
}

pub(crate) fn show_line(line: &str) {
    anstream::println!("{:<14}   {line}", "");
}

/// The `kith://` link among the lines.
pub(crate) fn link_in(lines: &[String]) -> Result<String, Failure> {
    lines
        .iter()
        .flat_map(|line| line.split_whitespace())
        .find_map(|word| {
            word.find("kith://").map(|start| word[start..].trim_matches(['\'', '"', ',']).to_owned())
        })
        .ok_or_else(|| Failure::new("There was no kith:// link in what was printed."))
}

/// Each command of the story takes a second or less; a slow or busy machine gets far more.
const PATIENCE: Duration = Duration::from_mins(3);
