//! `cargo xtask`: one command for each thing that is done to this repository.
//!
//! Everything here starts other programs and reads what they print; the crates of the workspace are never linked, so that
//! a broken one cannot keep its own checks from running.

mod bench;
mod ci;
mod failure;
mod fuzz;
mod metadata;
#[cfg(target_os = "linux")]
mod package;
mod packages;
mod program;
mod release;
mod rules;
mod run;
mod step;
mod test;
mod tools;
mod ui;
mod updates;
mod versions;

use std::ffi::OsString;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};
use owo_colors::OwoColorize as _;

use crate::failure::Failure;

fn main() -> ExitCode {
    match act(Xtask::parse().command) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            anstream::eprintln!("{} {failure}", "xtask:".red().bold());
            ExitCode::FAILURE
        }
    }
}

fn act(command: Command) -> Result<(), Failure> {
    match command {
        Command::Run { terminal: true, .. } => run::in_terminal(),
        Command::Run { two_devices, .. } => run::in_windows(two_devices),
        Command::Test { filter, seeds } => test::test(filter.as_deref(), seeds),
        Command::Ci { no_tests } => ci::ci(no_tests),
        Command::Bench { arguments } => bench::bench(&arguments),
        #[cfg(target_os = "linux")]
        Command::Package(what) => package::package(&what),
        Command::Release { version, dry_run } => release::release(&version, dry_run),
        Command::Updates { folder, base } => updates::updates(&folder, &base),
        #[cfg(target_os = "linux")]
        Command::Windows => run::with_windows(),
        Command::Fuzz { target, seconds } => fuzz::fuzz(target.as_deref(), seconds),
    }
}

/// Runs, tests, checks and measures Kith.
#[derive(Parser)]
#[command(bin_name = "cargo xtask")]
struct Xtask {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Install what is missing, build, start a relay on this computer, and open a window for each of two people.
    Run {
        /// Open a second device of the first person, too.
        #[arg(long)]
        two_devices: bool,
        /// Show the same in the terminal instead: two people with two devices each, whose relay is killed meanwhile.
        #[arg(long, conflicts_with = "two_devices")]
        terminal: bool,
    },
    /// Install what the tests need, and run all of them.
    Test {
        /// Run only the tests whose name contains this; examples in the documentation are then left out.
        filter: Option<String>,
        /// How many seeds the simulation goes through.
        #[arg(long, value_name = "N")]
        seeds: Option<u64>,
    },
    /// Everything that a change has to pass: format, dependency rules, clippy, docs, licences, tests.
    Ci {
        /// Leave the tests to `cargo xtask test`.
        #[arg(long)]
        no_tests: bool,
    },
    /// Measure: builds `kith-bench` in release and hands it the arguments (`relay`, `client`, `desktop`, `--json FILE`, ...).
    Bench {
        #[arg(trailing_var_arg = true, allow_hyphen_values = true, value_name = "ARGS")]
        arguments: Vec<OsString>,
    },
    /// Build what people install, into target/packages.
    #[cfg(target_os = "linux")]
    #[command(subcommand)]
    Package(package::Package),
    /// Give all parts one version and the changes their heading; commit and tag. Pushing the tag is left to you.
    Release {
        /// Such as 0.2.0.
        version: String,
        /// Do all of it in a copy that is thrown away, and show what it came to.
        #[arg(long)]
        dry_run: bool,
    },
    /// Write the list by which apps find the updates in a folder of bundles and their signatures.
    Updates {
        /// Where they are.
        folder: PathBuf,
        /// The address below which they will be published.
        base: String,
    },
    /// Build relay and command line for Windows, and let them talk to those for Linux, under Wine.
    #[cfg(target_os = "linux")]
    Windows,
    /// Fuzz the decoder and the fold on a nightly toolchain.
    Fuzz {
        /// One target of protocol/fuzz; without it, each in turn.
        target: Option<String>,
        /// How long each target runs.
        #[arg(long, value_name = "N", default_value_t = 60)]
        seconds: u64,
    },
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::Xtask;

    #[test]
    fn command_line_is_well_formed() {
        Xtask::command().debug_assert();
    }
}
