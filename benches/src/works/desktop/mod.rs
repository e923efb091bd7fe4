//! The app in its window, on a display that nobody sees. Each figure stands beside that of `kith-trivial`, the same shell
//! with a page of one line, measured in the same minutes on the same desktop.

mod delivery;
mod frames;
mod memory;
mod running;
mod scene;
mod script;
mod window;

use super::Bench;
use crate::Outcome;
use scene::Scene;

/// A work, by name.
type Work = (&'static str, fn(&mut Bench, &mut Scene) -> Outcome<()>);

const WORKS: &[Work] = &[
    ("window", window::measure),
    ("delivery", delivery::measure),
    ("frames", frames::measure),
    ("script", script::measure),
];

/// Runs those that were asked for; how many there were.
pub(crate) fn works(bench: &mut Bench) -> Outcome<usize> {
    let wanted: Vec<_> = WORKS.iter().filter(|(name, _)| bench.wants(name)).collect();
    if wanted.is_empty() {
        return Ok(0);
    }
    let mut scene = Scene::new(bench)?;
    for (name, work) in &wanted {
        work(bench, &mut scene).map_err(|error| format!("{name}: {error}"))?;
    }
    Ok(wanted.len())
}
