//! `cargo xtask run`: the main job of Kith, seen. Two people with two devices each talk through a relay on this computer.
//!
//! What is shown are the programs themselves, with the commands that anyone would type, in a folder that is gone afterwards.

mod agreement;
mod relay;
mod stage;
mod story;

use tempfile::TempDir;

use crate::failure::Failure;
use crate::metadata::Metadata;
use crate::packages::Need;
use crate::program;
use crate::step::step;
use crate::tools::cargo;

use self::stage::Stage;

/// Installs what is missing, builds relay and command line, and plays the story.
///
/// # Errors
/// One sentence, if a command of the story fails or the four devices do not end with the same history.
pub(crate) fn run() -> Result<(), Failure> {
    step("What Kith is built with", || Need::CCompiler.ensure())?;
    step("Relay and command line are built", || {
        program::run(cargo().args(["build", "-p", "kith-relay", "-p", "kith-cli", "--bins"]))
    })?;
    let metadata = Metadata::read()?;
    let folder = TempDir::with_prefix("kith-")
        .map_err(|error| Failure::new(format!("No folder for the show could be made: {error}.")))?;
    let stage = Stage {
        folder: folder.path().to_owned(),
        relay: metadata.program("debug", "kith-relay"),
        cli: metadata.program("debug", "kith-cli"),
    };
    story::play(&stage)
        .inspect_err(|_| anstream::eprintln!("\nThe relay's last words:\n{}", relay::log_tail(&stage)))
}
