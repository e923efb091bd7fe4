//! The script that is loaded before anything is drawn.

use super::scene::Scene;
use crate::Outcome;
use crate::report::{Figure, Reach};
use crate::works::Bench;
use std::path::Path;
use std::process::Command;

/// Weighed as the check of the window's content weighs it.
pub(crate) fn measure(bench: &mut Bench, _scene: &mut Scene) -> Outcome<()> {
    let content = Path::new(env!("CARGO_MANIFEST_DIR")).join("../ui");
    let output = Command::new("node").arg("scripts/size.mjs").current_dir(content).output()?;
    let said = String::from_utf8_lossy(&output.stdout);
    // The last line: `152.3 KiB  of 200`.
    let last = said.lines().last().unwrap_or_default();
    let kib = last.split_whitespace().next().and_then(|kib| kib.parse().ok());
    let kib = kib.ok_or_else(|| format!("{last}{}", String::from_utf8_lossy(&output.stderr)))?;
    bench
        .report
        .add(Figure::of("script of the first load, gzipped", kib, "KiB").reach(Reach::ValueAtMost(200.0)));
    Ok(())
}
