//! Cargo and the cargo tools that the commands call; a tool that is not there is installed by cargo itself.

use std::env;
use std::ffi::OsString;
use std::process::Command;

use crate::failure::Failure;
use crate::program::{answers, run};

/// The cargo that started this program, or the one on the path.
pub(crate) fn cargo() -> Command {
    Command::new(env::var_os("CARGO").unwrap_or_else(|| OsString::from("cargo")))
}

/// Cargo by its name, so that rustup chooses the toolchain.
pub(crate) fn cargo_of(toolchain: &str) -> Command {
    let mut command = Command::new("cargo");
    // The outer cargo has set these for the stable toolchain; they would win over `+nightly`.
    command.env_remove("CARGO").env_remove("RUSTUP_TOOLCHAIN").arg(format!("+{toolchain}"));
    command
}

/// Makes sure that a subcommand that comes with the toolchain is there; rustup's smallest profile leaves some out.
pub(crate) fn ensure_component(subcommand: &str, component: &str) -> Result<(), Failure> {
    if answers(cargo().args([subcommand, "--version"])) {
        return Ok(());
    }
    run(Command::new("rustup").args(["component", "add", component]))
}

/// A subcommand of cargo that comes in a package of its own.
#[derive(Clone, Copy)]
pub(crate) enum Tool {
    Nextest,
    Deny,
    Fuzz,
    /// Speaks WebDriver to the app's window.
    TauriDriver,
}

impl Tool {
    /// Makes sure that the tool is there; installing compiles it, which takes minutes.
    pub(crate) fn ensure(self) -> Result<(), Failure> {
        if self.is_there() {
            return Ok(());
        }
        run(cargo().args(["install", "--locked", "--version", self.version(), self.package()]))
    }

    pub(crate) fn is_there(self) -> bool {
        match self {
            Self::TauriDriver => answers(Command::new("tauri-driver").arg("--help")),
            _ => answers(cargo().args([self.subcommand(), "--version"])),
        }
    }

    fn subcommand(self) -> &'static str {
        match self {
            Self::Nextest => "nextest",
            Self::Deny => "deny",
            Self::Fuzz => "fuzz",
            Self::TauriDriver => "tauri-driver",
        }
    }

    fn package(self) -> &'static str {
        match self {
            Self::Nextest => "cargo-nextest",
            Self::Deny => "cargo-deny",
            Self::Fuzz => "cargo-fuzz",
            Self::TauriDriver => "tauri-driver",
        }
    }

    /// What is known to read our configuration; a newer one may want a newer compiler.
    fn version(self) -> &'static str {
        match self {
            Self::Nextest => "^0.9",
            Self::Deny => "^0.20",
            Self::Fuzz => "^0.13",
            Self::TauriDriver => "^2",
        }
    }
}
