//! What time it is. Invites and certificates end by it, and messages show it.

use std::{process::Command, time::UNIX_EPOCH};

use super::{Finding, bad, good, warning};
use crate::{clock::Clock, commands::time, config::Config, data::DATABASE};

pub(super) fn examine(config: &Config) -> Vec<Finding> {
    let now = Clock::system().unix_ms();
    let written = config.data.join(DATABASE).metadata().and_then(|metadata| metadata.modified());
    let written =
        written.ok().and_then(|at| at.duration_since(UNIX_EPOCH).ok()).map_or(0, |at| at.as_millis());
    let todo = "set the clock (`timedatectl set-ntp true` keeps it right), then start the relay again";
    if now < BUILT_AFTER_MS || u128::from(now) + TOLERANCE_MS < written {
        let says = format!("it says {}, and the relay has written later than that", time(now));
        return vec![bad("clock", says, todo)];
    }
    match synchronized() {
        Some(false) => vec![warning("clock", format!("{}; nothing keeps it right", time(now)), todo)],
        Some(true) => vec![good("clock", format!("{}, kept right by the system", time(now)))],
        None => vec![good("clock", time(now))],
    }
}

/// What systemd knows of it; none where it does not run.
fn synchronized() -> Option<bool> {
    let output = Command::new("timedatectl").args(["show", "--property=NTPSynchronized", "--value"]).output();
    match String::from_utf8_lossy(&output.ok()?.stdout).trim() {
        "yes" => Some(true),
        "no" => Some(false),
        _ => None,
    }
}

/// 2025-01-01: this program did not exist before.
const BUILT_AFTER_MS: u64 = 1_735_689_600_000;
const TOLERANCE_MS: u128 = 60_000;
