//! The main job in windows: a relay on loopback, Alice and Bob who have just met, and a window for each.

use std::env;
use std::path::Path;
use std::process::{Child, Command};

use owo_colors::AnsiColors;

use crate::failure::Failure;
use crate::packages::Need;
use crate::program;
use crate::step::step;
use crate::tools::{Tool, cargo};

use super::relay::{Relay, free_address};
use super::stage::{Device, Stage, link_in, scene};
use super::story;

/// `KITH_HOME` of each window holds one profile.
const ALICE: Device =
    Device { home: "alice/profiles/alice", shown: "Alice, laptop", colour: AnsiColors::Blue };
const PHONE: Device =
    Device { home: "phone/profiles/alice", shown: "Alice, phone", colour: AnsiColors::BrightBlue };
const BOB: Device = Device { home: "bob/profiles/bob", shown: "Bob, desk", colour: AnsiColors::Green };

/// Opens the windows, and comes back when all of them are closed.
pub(super) fn open(stage: &Stage, two_devices: bool) -> Result<(), Failure> {
    let address =
        free_address().map_err(|error| Failure::new(format!("Loopback gives no port: {error}.")))?;
    scene("A relay on this computer, and two people who have just met");
    let relay = Relay::start(stage, address, "kith://")?;
    stage.device(ALICE, &["join", &link_in(&relay.lines)?, "--name", "Alice", "--device", "laptop"])?;
    let invite = link_in(&stage.operator(&["invite", "--uses", "1", "--expires", "7d"])?)?;
    stage.device(BOB, &["join", &invite, "--name", "Bob", "--device", "desk"])?;
    stage.device(BOB, &["dm", "alice", "Hello Alice, this is **Kith**. Write back in your window."])?;
    let mut homes = vec!["alice", "bob"];
    if two_devices {
        story::link(stage, ALICE, PHONE, "phone")?;
        homes.push("phone");
    }
    scene("A window for each. Close them (Quit, if there is a tray) to end the show");
    let mut windows =
        homes.into_iter().map(|home| start(stage.window(home))).collect::<Result<Vec<_>, _>>()?;
    for window in &mut windows {
        window.wait().map_err(|error| Failure::new(format!("A window is out of reach: {error}.")))?;
    }
    Ok(())
}

/// Walks through the main job on a display that nobody sees, and leaves pictures of it.
pub(super) fn without_display() -> Result<(), Failure> {
    anstream::println!(
        "\nThere is no display: the app runs on a virtual one, goes through the main job, and leaves pictures."
    );
    step("A desktop without a screen", || {
        Need::SecretService.ensure()?;
        Need::Desktop.ensure()?;
        Tool::TauriDriver.ensure()
    })?;
    step("App, relay, command line and the walk are built", || {
        let packages = ["-p", "kith", "-p", "kith-relay", "-p", "kith-cli"];
        program::run(cargo().arg("build").args(packages).args(["--bins", "--test", "window"]))
    })?;
    let pictures = env::current_dir().unwrap_or_default().join(PICTURES);
    step("The main job", || {
        let mut walk = cargo();
        walk.args(["test", "-p", "kith", "--test", "window", "--", "--nocapture", MAIN_JOB]);
        program::run(walk.env("KITH_PICTURES", &pictures))
    })?;
    anstream::println!("\nThe pictures are in {}.", Path::new(&pictures).display());
    Ok(())
}

fn start(mut command: Command) -> Result<Child, Failure> {
    command.spawn().map_err(|error| Failure::new(format!("The window could not be opened: {error}.")))
}

const PICTURES: &str = "target/pictures";
const MAIN_JOB: &str = "the_main_job";
