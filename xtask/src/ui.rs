//! The window's content: `ui/`, built and checked by npm. The app takes `ui/dist` in when it is compiled.

use std::fs;
use std::path::Path;
use std::process::Command;

use crate::failure::Failure;
use crate::packages::{Need, npm};
use crate::program::run;

/// Builds `ui/dist`.
///
/// # Errors
/// One sentence, if something is missing that cannot be installed, or the build fails.
pub(crate) fn build() -> Result<(), Failure> {
    ensure()?;
    run(&mut script("build"))
}

/// Types, lints and format.
///
/// # Errors
/// One sentence on what has findings.
pub(crate) fn check() -> Result<(), Failure> {
    ensure()?;
    run(&mut script("check"))?;
    run(&mut script("lint"))
}

/// Its tests: models and components, the size of what is loaded first, then whole flows in a browser.
///
/// # Errors
/// One sentence on the part that did not pass.
pub(crate) fn test() -> Result<(), Failure> {
    ensure()?;
    Need::Browser.ensure()?;
    run(&mut script("test"))?;
    run(&mut script("size"))?;
    run(&mut script("e2e"))
}

/// The packages of the lock file, installed anew only when it has changed.
fn ensure() -> Result<(), Failure> {
    Need::Node.ensure()?;
    let wanted = fs::read(Path::new(UI).join("package-lock.json")).ok();
    let stamp = Path::new(UI).join("node_modules/.lock-of-xtask");
    if wanted.is_some() && fs::read(&stamp).ok() == wanted {
        return Ok(());
    }
    run(npm().current_dir(UI).args(["ci", "--no-audit", "--no-fund"]))?;
    // Without it the packages are installed once more next time, and nothing else.
    let _ = fs::write(stamp, wanted.unwrap_or_default());
    Ok(())
}

fn script(name: &str) -> Command {
    let mut command = npm();
    command.current_dir(UI).args(["run", name]);
    command
}

const UI: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../ui");
