//! What is measured.

mod backlog;
mod catch_up;
#[cfg(target_os = "linux")]
mod desktop;
mod fan_out;
mod idle;
mod latency;
mod pairs;

use crate::arguments::{Arguments, Part};
use crate::child::Child;
use crate::report::Report;
use crate::{Outcome, process};
use std::path::{Path, PathBuf};
use tempfile::TempDir;

/// What all works need.
pub(crate) struct Bench {
    /// Where figures go.
    pub(crate) report: Report,
    /// How often each work is done.
    pub(crate) rounds: u32,
    /// Only to see that it runs.
    pub(crate) quick: bool,
    scratch: PathBuf,
    filter: String,
}

/// A work, by name.
type Work = (&'static str, fn(&mut Bench) -> Outcome<()>);

const RELAY: &[Work] = &[
    ("fan-out", fan_out::thousand),
    ("pairs", pairs::measure),
    ("latency", latency::measure),
    ("idle", idle::measure),
    ("backlog", backlog::measure),
    ("growth", fan_out::growth),
];

const CLIENT: &[Work] = &[("catch-up", catch_up::measure), ("growth", catch_up::growth)];

/// Runs what the arguments ask for.
pub(crate) fn run(arguments: &Arguments) -> Outcome<()> {
    // Thousands of connections; where there can be fewer, the work that needs them says so. Children inherit it.
    process::open_files();
    let scratch = match &arguments.scratch {
        Some(folder) => folder.clone(),
        // Beside the program: a temporary folder may be in memory, where nothing is ever synced.
        None => std::env::current_exe()?.parent().ok_or("a program without a folder")?.to_owned(),
    };
    let mut bench = Bench {
        report: Report::head(),
        rounds: if arguments.quick { 1 } else { arguments.rounds },
        quick: arguments.quick,
        scratch,
        filter: arguments.filter.clone().unwrap_or_default(),
    };
    let mut done = 0;
    if arguments.part.is_none_or(|part| part == Part::Relay) {
        done += bench.works(RELAY)?;
    }
    if arguments.part.is_none_or(|part| part == Part::Client) {
        done += bench.works(CLIENT)?;
    }
    if arguments.part.is_none_or(|part| part == Part::Desktop) {
        done += desktop(&mut bench)?;
    }
    if done == 0 {
        return Err("nothing to measure goes by that name".into());
    }
    if let Some(path) = &arguments.json {
        bench.report.write(path)?;
    }
    Ok(())
}

#[cfg(target_os = "linux")]
fn desktop(bench: &mut Bench) -> Outcome<usize> {
    desktop::works(bench)
}

/// What the app is measured with is there on Linux alone.
#[cfg(not(target_os = "linux"))]
fn desktop(_bench: &mut Bench) -> Outcome<usize> {
    Report::note("the app in its window: measured on Linux");
    Ok(0)
}

impl Bench {
    fn works(&mut self, works: &[Work]) -> Outcome<usize> {
        let mut done = 0;
        for (name, work) in works {
            if self.wants(name) {
                work(self).map_err(|error| format!("{name}: {error}"))?;
                done += 1;
            }
        }
        Ok(done)
    }

    /// Whether a work was asked for.
    fn wants(&self, name: &str) -> bool {
        name.contains(&self.filter)
    }

    /// An empty folder on the disk that is measured.
    pub(crate) fn folder(&self) -> Outcome<TempDir> {
        Ok(tempfile::Builder::new().prefix("kith-bench-").tempdir_in(&self.scratch)?)
    }

    /// The first while measuring, the second to see that it runs.
    pub(crate) fn size(&self, full: usize, quick: usize) -> usize {
        if self.quick { quick } else { full }
    }
}

/// A relay on its own copy of a store.
pub(crate) fn relay_on_copy(bench: &Bench, from: &Path) -> Outcome<(Child, TempDir)> {
    let folder = bench.folder()?;
    for file in std::fs::read_dir(from)? {
        let file = file?;
        std::fs::copy(file.path(), folder.path().join(file.file_name()))?;
    }
    Ok((relay(folder.path(), false)?, folder))
}

/// A relay on a folder.
pub(crate) fn relay(folder: &Path, tls: bool) -> Outcome<Child> {
    let mut role = vec!["child-relay".into(), folder.as_os_str().to_owned()];
    if tls {
        role.push("--tls".into());
    }
    Child::start(role)
}

/// The bare server.
pub(crate) fn bare(places: usize) -> Outcome<Child> {
    Child::start(["child-bare".to_owned(), places.to_string()])
}
