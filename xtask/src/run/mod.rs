//! `cargo xtask run`: the main job of Kith, seen. Two people talk through a relay on this computer: in windows, or, with
//! `--terminal`, with two devices each in the terminal.
//!
//! What is shown are the programs themselves, in a folder that is gone afterwards.

mod agreement;
mod relay;
mod stage;
mod story;
mod windows;
#[cfg(target_os = "linux")]
mod wine;

use std::env;

use tempfile::TempDir;

use crate::failure::Failure;
use crate::metadata::Metadata;
use crate::packages::Need;
use crate::program;
use crate::step::step;
use crate::tools::cargo;
use crate::ui;

use self::stage::Stage;

/// Builds everything, and opens a window for each person; without a display, one that nobody sees, of which pictures are
/// left.
///
/// # Errors
/// One sentence, if something cannot be built, or does not start.
pub(crate) fn in_windows(two_devices: bool) -> Result<(), Failure> {
    step("What Kith is built with", || {
        Need::CCompiler.ensure()?;
        Need::WebView.ensure()
    })?;
    step("The window's content is built", ui::build)?;
    if !has_display() {
        return windows::without_display();
    }
    let packages = ["-p", "kith", "-p", "kith-relay", "-p", "kith-cli"];
    step("App, relay and command line are built", || {
        program::run(cargo().arg("build").args(packages).arg("--bins"))
    })?;
    on_stage(|stage| windows::open(stage, two_devices))
}

/// Builds relay and command line, and plays the story.
///
/// # Errors
/// One sentence, if a command of the story fails or the four devices do not end with the same history.
pub(crate) fn in_terminal() -> Result<(), Failure> {
    step("What Kith is built with", || Need::CCompiler.ensure())?;
    step("Relay and command line are built", || {
        program::run(cargo().args(["build", "-p", "kith-relay", "-p", "kith-cli", "--bins"]))
    })?;
    on_stage(|stage| story::play(stage))
}

/// Plays the story with programs for Windows among those for Linux, under Wine: the devices of one side, then relay and
/// devices of the other.
///
/// # Errors
/// One sentence, if something cannot be built, or the devices do not end with the same history.
#[cfg(target_os = "linux")]
pub(crate) fn with_windows() -> Result<(), Failure> {
    step("What Windows is played with", || {
        Need::CCompiler.ensure()?;
        Need::Windows.ensure()
    })?;
    step("Relay and command line are built for Windows", wine::build_for_windows)?;
    step("Relay and command line are built", || {
        program::run(cargo().args(["build", "-p", "kith-relay", "-p", "kith-cli", "--bins"]))
    })?;
    let programs = wine::programs(&Metadata::read()?);
    let play = |heading, on_windows: [&'static str; 2], relay_too: bool| {
        step(heading, || {
            on_stage(|stage| {
                let wine = wine::Wine::set_up(stage.folder.join("wine"), programs.clone())?;
                stage.elsewhere = Box::new(move |program, home| {
                    let there = home.map_or(relay_too, |home| on_windows.contains(&home));
                    there.then(|| wine.command(program))
                });
                story::play(stage)
            })
        })
    };
    play("A relay on Linux; one device of each person on Windows", ["a1", "b2"], false)?;
    play("A relay on Windows, and the other device of each person", ["a2", "b1"], true)
}

fn on_stage(play: impl FnOnce(&mut Stage) -> Result<(), Failure>) -> Result<(), Failure> {
    let metadata = Metadata::read()?;
    let folder = TempDir::with_prefix("kith-")
        .map_err(|error| Failure::new(format!("No folder for the show could be made: {error}.")))?;
    let mut stage = Stage {
        folder: folder.path().to_owned(),
        relay: metadata.program("debug", "kith-relay"),
        cli: metadata.program("debug", "kith-cli"),
        app: metadata.program("debug", "kith"),
        elsewhere: Box::new(|_, _| None),
    };
    play(&mut stage)
        .inspect_err(|_| anstream::eprintln!("\nThe relay's last words:\n{}", relay::log_tail(&stage)))
}

fn has_display() -> bool {
    let set = |name| env::var_os(name).is_some_and(|value| !value.is_empty());
    cfg!(not(target_os = "linux")) || set("DISPLAY") || set("WAYLAND_DISPLAY")
}
