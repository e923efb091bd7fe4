//! Many devices, held for long: the relay as it is shipped, over TLS, while some go and come again and all of them write now
//! and then. It has passed if nothing went wrong and the relay's memory did not grow.

mod device;
mod program;
mod tally;

use crate::arguments::Load;
use crate::load::tls;
use crate::process;
use crate::report::{Figure, Reach, Report};
use crate::time::{Watch, percentile};
use crate::world::World;
use crate::{Outcome, load};
use device::{Device, Plan};
use program::Program;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use tally::Tally;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

/// Holds the load, shows what it took, and fails if it was too much.
pub(crate) fn run(load: &Load) -> Outcome<()> {
    let files = process::open_files();
    if files < load.devices as usize + SPARE_FILES {
        let wanted = load.devices as usize + SPARE_FILES;
        return Err(format!("this system lets a process open {files} files, and {wanted} are needed: raise it (`ulimit -Hn`), or take fewer --devices").into());
    }
    let beside = std::env::current_exe()?.parent().ok_or("a program without a folder")?.to_owned();
    let scratch = load.scratch.as_ref().unwrap_or(&beside);
    let folder = tempfile::Builder::new().prefix("kith-load-").tempdir_in(scratch)?;
    let devices = devices(folder.path(), load.devices)?;
    let name = format!("kith-relay{}", std::env::consts::EXE_SUFFIX);
    let program = load.relay.clone().unwrap_or_else(|| beside.join(name));
    let mut relay = Program::start(&program, folder.path(), load.devices)?;
    let held = load::runtime()?.block_on(hold(load, devices, &relay))?;
    let mut report = report(&held);
    let said = relay.stop()?;
    said.iter().for_each(|line| Report::note(line));
    report.add(
        Figure::of("warnings and errors in the relay's log", said.len() as f64, "lines")
            .reach(Reach::ValueAtMost(0.0)),
    );
    if let Some(path) = &load.json {
        report.write(path)?;
    }
    if report.holds() {
        Ok(())
    } else {
        Err("something went wrong under load: see above what does not hold".into())
    }
}

/// Puts people with two devices each, and a chat for each two of them, into a store.
fn devices(folder: &Path, count: u32) -> Outcome<Vec<Device>> {
    let mut world = World::new(folder)?;
    let mut devices = Vec::new();
    let people = world.people(0..count.div_ceil(4) * 2, 2)?;
    let mut people = people.into_iter();
    while let (Some(one), Some(other)) = (people.next(), people.next()) {
        let room = world.direct(&one, &other)?;
        for person in [one, other].map(Arc::new) {
            devices.extend([0, 1].map(|device| Device::new(Arc::clone(&person), device, room)));
        }
    }
    world.done()?;
    devices.truncate(count as usize);
    Ok(devices)
}

/// What it took.
struct Held {
    wanted: u64,
    /// Seconds until all were there, and for which they were held.
    came_in: f64,
    seconds: f64,
    /// Connections, when they were fewest.
    fewest: u64,
    /// The relay's memory with nobody there, and as it was from look to look.
    empty: Option<u64>,
    samples: Vec<f64>,
    /// Its processor seconds in each second.
    cpu: Option<f64>,
    /// What it counts itself.
    stored: f64,
    dropped: f64,
    refused: f64,
    tally: Arc<Tally>,
}

async fn hold(load: &Load, devices: Vec<Device>, relay: &Program) -> Outcome<Held> {
    let wanted = devices.len() as u64;
    let tally = Arc::new(Tally::default());
    let plan = Arc::new(Plan {
        to: SocketAddr::from(([127, 0, 0, 1], relay.port)),
        connector: tls::connector()?,
        stay: Duration::from_secs(60) * 100 / load.churn,
        say_every: Duration::from_secs(load.say_every.into()),
        numbers: AtomicU64::new(0),
        comings: tokio::sync::Semaphore::new(COMING_AT_ONCE),
        quiet: CancellationToken::new(),
        stop: CancellationToken::new(),
    });
    let empty = relay.resident_bytes();
    let mut lives = JoinSet::new();
    let watch = Watch::start();
    for device in devices {
        lives.spawn(device.live(Arc::clone(&plan), Arc::clone(&tally)));
    }
    while tally.came.load(Ordering::Relaxed) < wanted {
        tokio::time::sleep(LOOK_EVERY).await;
        if watch.elapsed() > COMING_PATIENCE {
            return Err(format!("only {} of {wanted} came: {}", tally.online(), tally.errors()).into());
        }
    }
    let came_in = watch.seconds();
    Report::note(&format!("{wanted} connections after {came_in:.0} s; held for {} s", load.seconds));
    let (watch, cpu) = (Watch::start(), relay.cpu_seconds());
    let (mut samples, mut fewest) = (Vec::new(), wanted);
    while watch.elapsed() < Duration::from_secs(load.seconds.into()) {
        tokio::time::sleep(LOOK_EVERY).await;
        samples.extend(relay.resident_bytes().map(|bytes| bytes as f64));
        fewest = fewest.min(tally.online());
        if samples.len() % SHOW_EVERY == 0 {
            let mib = samples.last().copied().unwrap_or(f64::NAN) / MIB;
            Report::note(&format!(
                "{:>4.0} s: {} connections, {mib:.1} MiB, {} messages",
                watch.seconds(),
                tally.online(),
                tally.acked()
            ));
        }
    }
    let seconds = watch.seconds();
    let cpu = relay.cpu_seconds().zip(cpu).map(|(now, then)| (now - then) / seconds);
    // What is on its way comes to its end.
    plan.quiet.cancel();
    let watch = Watch::start();
    loop {
        // First of all: somebody may be about to say something still.
        tokio::time::sleep(LOOK_EVERY).await;
        if tally.acked() == tally.sent() || watch.elapsed() > PATIENCE {
            break;
        }
    }
    let stored = relay.metric("kith_appends_total")?;
    let (dropped, refused) =
        (relay.metric("kith_pushes_dropped_total")?, relay.metric("kith_refusals_total")?);
    plan.stop.cancel();
    let ended = async {
        while let Some(ended) = lives.join_next().await {
            ended?;
        }
        Outcome::Ok(())
    };
    tokio::time::timeout(PATIENCE, ended).await.map_err(|_| "some devices never ended")??;

    Ok(Held { wanted, came_in, seconds, fewest, empty, samples, cpu, stored, dropped, refused, tally })
}

fn report(held: &Held) -> Report {
    let Held { tally, .. } = held;
    let mut report = Report::head();
    report.add(Figure::of("connections over TLS", held.wanted as f64, ""));
    report.add(Figure::of("all of them there after", held.came_in, "s"));
    report.add(Figure::of("held for", held.seconds, "s"));
    report.add(Figure::of("fewest at a time", held.fewest as f64, ""));
    report.add(Figure::of(
        "went and came again",
        tally.came.load(Ordering::Relaxed).saturating_sub(held.wanted) as f64,
        "times",
    ));
    report.add(Figure::of("messages stored", tally.acked() as f64, ""));
    report.add(Figure::of("messages delivered", tally.delivered.load(Ordering::Relaxed) as f64, ""));
    let latencies = tally.latencies_ms();
    for percent in [50.0, 99.0, 100.0] {
        report.add(Figure::of(
            format!("from sent to stored, {percent:.0} % within"),
            percentile(&latencies, percent),
            "ms",
        ));
    }
    if let Some(cpu) = held.cpu {
        report.add(Figure::of("the relay's share of one processor", cpu * 100.0, "%"));
    }
    memory(&mut report, held.empty, &held.samples, held.wanted);
    let none = |what: &str, count: f64| Figure::of(what, count, "").reach(Reach::ValueAtMost(0.0));
    report.add(none("errors", tally.error_count() as f64));
    if tally.error_count() > 0 {
        Report::note(&tally.errors());
    }
    report.add(none("messages sent and not acknowledged", (tally.sent() - tally.acked()) as f64));
    report.add(none(
        "messages acknowledged and not stored, or stored twice",
        (tally.acked() as f64 - held.stored).abs(),
    ));
    report.add(none("refused by the relay", held.refused));
    report.add(Figure::of("pushes that the relay dropped", held.dropped, ""));
    report
}

/// What the relay holds for a connection, and whether that grows: the last fifth beside the second, when caches are full.
fn memory(report: &mut Report, empty: Option<u64>, samples: &[f64], connections: u64) {
    let fifth = samples.len() / 5;
    let (Some(empty), true) = (empty, fifth > 0) else {
        return Report::note("memory of the relay: not available on this system");
    };
    let mean = |samples: &[f64]| samples.iter().sum::<f64>() / samples.len() as f64;
    let (early, late) = (mean(&samples[fifth..2 * fifth]), mean(&samples[samples.len() - fifth..]));
    report.add(Figure::of("memory of the relay, with nobody there", empty as f64 / MIB, "MiB"));
    report.add(Figure::of("memory of the relay, at last", late / MIB, "MiB").beside(early / MIB));
    let growth_max = (early * GROWTH_MAX / MIB).round().max(SETTLING_MIB);
    report.add(
        Figure::of("what it grew by", (late - early) / MIB, "MiB").reach(Reach::ValueAtMost(growth_max)),
    );
    report.add(Figure::of(
        "memory for each connection",
        (late - empty as f64) / connections as f64 / 1024.0,
        "KiB",
    ));
}

const MIB: f64 = 1024.0 * 1024.0;
/// Files of this process that are no connections.
const SPARE_FILES: usize = 64;
const LOOK_EVERY: Duration = Duration::from_millis(500);
/// Looks between two lines of what goes on.
const SHOW_EVERY: usize = 60;
/// Of what it had: what an allocator needs to settle, and far less than a leak takes.
const GROWTH_MAX: f64 = 0.05;
/// However little it had: caches that fill.
const SETTLING_MIB: f64 = 8.0;
/// Below what a relay takes at a time by default, so that nobody waits in the kernel's queue.
const COMING_AT_ONCE: usize = 256;
const COMING_PATIENCE: Duration = Duration::from_mins(10);
const PATIENCE: Duration = Duration::from_secs(60);
