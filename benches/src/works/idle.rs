//! Connections that say nothing: what the server holds for each.

use super::{Bench, bare, relay};
use crate::child::Child;
use crate::load::{device, tls as tls_load};
use crate::report::{Figure, Reach, Report};
use crate::world::{Person, World};
use crate::{Outcome, process};
use std::future::Future;
use std::path::Path;
use std::time::Duration;

/// Measures it.
pub(crate) fn measure(bench: &mut Bench) -> Outcome<()> {
    let files = process::open_files();
    let most = 20_000.min(files.saturating_sub(SPARE_FILES));
    let folder = bench.folder()?;
    let mut world = World::new(folder.path())?;
    let people = world.people(0..u32::try_from(bench.size(most, 500))?, 1)?;
    world.done()?;
    if most < 20_000 {
        Report::note(&format!(
            "this system lets a process open {files} files: {most} connections are the most"
        ));
    }
    let mut before: Option<(usize, f64, f64)> = None;
    for count in [5_000.min(people.len()), people.len()] {
        if before.is_some_and(|(less, ..)| less == count) {
            break;
        }
        let some = &people[..count];
        let plain = on_relay(folder.path(), false, some)?;
        let bare = on_bare(some.len())?;
        let (Some(plain), Some(bare)) = (plain, bare) else {
            Report::note("memory of the servers: not available on this system");
            return Ok(());
        };
        let title = format!("{} idle connections, memory of each", some.len());
        let figure = Figure::of(&title, plain, "bytes").beside(bare);
        bench.report.add(figure.reach(Reach::RatioAtMost(1.3)));
        bench.report.add(Figure::of(&title, plain, "bytes").reach(Reach::ValueAtMost(10_240.0)));
        if let Some((less, plain_less, bare_less)) = before {
            // What does not grow with the connections, such as the caches of the store, falls out of the difference.
            let each =
                |more: f64, few: f64| (more * count as f64 - few * less as f64) / (count - less) as f64;
            let figure =
                Figure::of(format!("each connection beyond {less}"), each(plain, plain_less), "bytes");
            bench.report.add(figure.beside(each(bare, bare_less)));
        }
        before = Some((count, plain, bare));
    }
    let some = &people[..5_000.min(people.len())];
    if let Some(tls) = on_relay(folder.path(), true, some)? {
        bench.report.add(Figure::of(format!("{} idle connections with TLS", some.len()), tls, "bytes"));
    }
    Ok(())
}

fn on_bare(count: usize) -> Outcome<Option<f64>> {
    let child = bare(count)?;
    each(&child, count, device::name_all(child.address, count))
}

fn on_relay(folder: &Path, tls: bool, people: &[Person]) -> Outcome<Option<f64>> {
    let child = relay(folder, tls)?;
    if tls {
        return each(&child, people.len(), tls_load::identify_all(child.address, people));
    }
    each(&child, people.len(), device::identify_all(child.address, people))
}

/// Bytes for each connection, once the server has become still.
fn each<T>(
    child: &Child,
    count: usize,
    wires: impl Future<Output = Outcome<Vec<T>>>,
) -> Outcome<Option<f64>> {
    let before = child.resident_bytes();
    let runtime = crate::load::runtime()?;
    let after = runtime.block_on(async {
        let wires = wires.await?;
        let mut last = child.resident_bytes();
        loop {
            tokio::time::sleep(STILL).await;
            let now = child.resident_bytes();
            if now == last {
                drop(wires);
                return Outcome::Ok(now);
            }
            last = now;
        }
    })?;
    Ok(after.zip(before).map(|(after, before)| after.saturating_sub(before) as f64 / count as f64))
}

/// Files of a process that are no connections.
const SPARE_FILES: usize = 64;
/// A server is still when its memory has not changed for so long.
const STILL: Duration = Duration::from_secs(1);
