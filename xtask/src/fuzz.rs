//! `cargo xtask fuzz`: the targets of protocol/fuzz, each for some time.

use crate::failure::Failure;
use crate::metadata::Metadata;
use crate::packages::Need;
use crate::program::{capture, run};
use crate::step::step;
use crate::tools::{Tool, cargo_of};

/// Fuzzes `target`, or each target in turn, for so many seconds.
///
/// # Errors
/// One sentence on the first target with a finding; cargo-fuzz has then printed how to repeat it.
pub(crate) fn fuzz(target: Option<&str>, seconds: u64) -> Result<(), Failure> {
    Need::CxxCompiler.ensure()?;
    Tool::Fuzz.ensure()?;
    let folder = Metadata::read()?.workspace_root().join("protocol");
    let listed = capture(cargo_of("nightly").args(["fuzz", "list"]).current_dir(&folder))?;
    let targets: Vec<&str> =
        listed.lines().map(str::trim).filter(|name| target.is_none_or(|t| t == *name)).collect();
    if targets.is_empty() {
        return Err(Failure::new(format!(
            "There is no such target; there are: {}.",
            listed.trim().replace('\n', ", ")
        )));
    }
    let limit = format!("-max_total_time={seconds}");
    for name in targets {
        step(&format!("Fuzz {name}"), || {
            run(cargo_of("nightly").args(["fuzz", "run", name, "--", &limit]).current_dir(&folder))
        })?;
    }
    Ok(())
}
