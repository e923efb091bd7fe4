//! One room, many connected devices: how many deliveries a second, and what each costs the server.

use super::{Bench, bare, relay_on_copy};
use crate::child::Child;
use crate::load::counter::{Dialect, Tally};
use crate::load::device;
use crate::load::wire::{Wire, client_frame};
use crate::load::{self, Rate};
use crate::report::{Figure, Reach, Report};
use crate::time::median;
use crate::world::{self, World};
use crate::{Outcome, bare as bare_server};
use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use tempfile::TempDir;
use tokio::sync::{Semaphore, SemaphorePermit};

/// The room of a thousand.
pub(crate) fn thousand(bench: &mut Bench) -> Outcome<()> {
    let devices = bench.size(1_000, 100);
    let room = Room::new(bench, devices, bench.size(10_000, 10_000))?;
    let rounds = room.rounds(bench)?;
    let rate = |pick: fn(&Round) -> Rate| {
        median(&rounds.iter().map(|round| pick(round).per_second).collect::<Vec<_>>())
    };
    let ratio = |of: fn(&Round) -> Option<f64>| {
        let ratios: Option<Vec<f64>> = rounds.iter().map(of).collect();
        ratios.map(|ratios| median(&ratios))
    };
    let title = format!("fan-out, one room of {devices}");
    let deliveries = Figure::of(&title, rate(|round| round.relay), "deliv./s")
        .beside(rate(|round| round.bare))
        .with_ratio(ratio(|round| Some(round.relay.per_second / round.bare.per_second)).unwrap_or(f64::NAN));
    bench.report.add(deliveries.reach(Reach::RatioAtLeast(0.75)));
    let cpu = |pick: fn(&Round) -> Rate| {
        let all: Option<Vec<f64>> = rounds.iter().map(|round| pick(round).cpu_each).collect();
        all.map(|all| median(&all) * 1e6)
    };
    match (cpu(|round| round.relay), cpu(|round| round.bare)) {
        (Some(relay), Some(bare)) => {
            let each = ratio(|round| Some(round.relay.cpu_each? / round.bare.cpu_each?)).unwrap_or(f64::NAN);
            let figure = Figure::of(format!("{title}: CPU of the server"), relay, "s/million").beside(bare);
            bench.report.add(figure.with_ratio(each).reach(Reach::RatioAtMost(1.3)));
        }
        _ => Report::note("processor time of the servers: not available on this system"),
    }
    let same =
        Figure::of(format!("{title}, as large as signed entries"), rate(|round| round.relay), "deliv./s");
    bench.report.add(same.beside(rate(|round| round.bare_signed)));
    if let (Some(relay), Some(bare)) = (cpu(|round| round.relay), cpu(|round| round.bare_signed)) {
        bench.report.add(Figure::of(format!("{title}, as large: CPU"), relay, "s/million").beside(bare));
    }
    Ok(())
}

/// The same in rooms of other sizes.
pub(crate) fn growth(bench: &mut Bench) -> Outcome<()> {
    for (devices, messages) in [(10, 60_000), (100, 20_000), (1_000, 6_000), (5_000, 1_200)] {
        let room = Room::new(bench, devices, bench.size(messages, messages / 10))?;
        let Round { bare, relay, .. } = room.round(bench, false)?;
        let title = format!("growth: fan-out, one room of {devices}");
        bench.report.add(Figure::of(&title, relay.per_second, "deliv./s").beside(bare.per_second));
        if let (Some(relay), Some(bare)) = (relay.cpu_each, bare.cpu_each) {
            bench
                .report
                .add(Figure::of(format!("{title}: CPU"), relay * 1e6, "s/million").beside(bare * 1e6));
        }
    }
    Ok(())
}

/// A room, who is in it, and what they will say.
struct Room {
    store: TempDir,
    people: Vec<world::Person>,
    /// For each sender, what goes over the wire.
    entries: Vec<Vec<Vec<u8>>>,
    messages: usize,
}

/// What one round has yielded.
struct Round {
    bare: Rate,
    bare_signed: Rate,
    relay: Rate,
}

impl Room {
    fn new(bench: &Bench, devices: usize, messages: usize) -> Outcome<Self> {
        let store = bench.folder()?;
        let mut world = World::new(store.path())?;
        let people = world.people(0..u32::try_from(devices)?, 1)?;
        let room = world.group(&people)?;
        world.done()?;
        let each = (messages / SENDERS) as u64;
        let entries = people[..SENDERS]
            .iter()
            .map(|person| {
                (0..each)
                    .map(|number| client_frame(&world::send(&world::message(person, 0, room, number))))
                    .collect()
            })
            .collect();
        Ok(Self { store, people, entries, messages })
    }

    fn rounds(&self, bench: &Bench) -> Outcome<Vec<Round>> {
        (0..bench.rounds).map(|_| self.round(bench, true)).collect()
    }

    fn round(&self, bench: &Bench, signed: bool) -> Outcome<Round> {
        let plain = self.bare(world::BODY)?;
        let relay = self.relay(bench)?;
        let bare_signed = if signed { self.bare(SIGNED)? } else { plain };
        Ok(Round { bare: plain, bare_signed, relay })
    }

    fn bare(&self, bytes: usize) -> Outcome<Rate> {
        let mut payload = vec![b'.'; bytes];
        payload[0] = bare_server::ALL;
        let frame = client_frame(&payload);
        let frames = self.entries.iter().map(|sender| vec![frame.clone(); sender.len()]).collect();
        let child = bare(self.people.len())?;
        let wires = device::name_all(child.address, self.people.len());
        run(&child, wires, Dialect::Bare, frames, self.total())
    }

    fn relay(&self, bench: &Bench) -> Outcome<Rate> {
        let (mut child, _folder) = relay_on_copy(bench, self.store.path())?;
        let wires = device::identify_all(child.address, &self.people);
        let rate = run(&child, wires, Dialect::Kith, self.entries.clone(), self.total())?;
        let groups = child.metric("kith_commit_writes_count")?;
        let writes = child.metric("kith_commit_writes_sum")?;
        Report::note(&format!(
            "relay: {:.0} deliveries/s, {:.1} messages a group, {:.0} pushes dropped",
            rate.per_second,
            writes / groups,
            child.metric("kith_pushes_dropped_total")?
        ));
        Ok(rate)
    }

    /// Each message reaches all but its sender.
    fn total(&self) -> u64 {
        (self.messages / SENDERS * SENDERS * (self.people.len() - 1)) as u64
    }
}

fn run(
    child: &Child,
    wires: impl Future<Output = Outcome<Vec<Wire>>>,
    dialect: Dialect,
    frames: Vec<Vec<Vec<u8>>>,
    total: u64,
) -> Outcome<Rate> {
    let runtime = load::runtime()?;
    let rate = runtime.block_on(async {
        let wires = wires.await?;
        let each = wires.len() as u64 - 1;
        let shared = Arc::new(Shared { deliveries: AtomicU64::new(0), window: Semaphore::new(WINDOW), each });
        for (wire, frames) in wires.iter().zip(frames) {
            let (pen, shared) = (wire.pen(), Arc::clone(&shared));
            tokio::spawn(async move {
                let mut frames = frames.into_iter();
                let mut gathered = Vec::new();
                while frames.len() > 0 {
                    let Ok(permit) = shared.window.acquire().await else { return };
                    permit.forget();
                    let more = (1..TOGETHER)
                        .take_while(|_| shared.window.try_acquire().map(SemaphorePermit::forget).is_ok());
                    let count = 1 + more.count();
                    gathered.clear();
                    frames.by_ref().take(count).for_each(|frame| gathered.extend(frame));
                    if pen.write(&gathered).await.is_err() {
                        return;
                    }
                }
            });
        }
        for mut wire in wires {
            let shared = Arc::clone(&shared);
            tokio::spawn(async move {
                while let Ok(tally) = wire.count(dialect).await {
                    shared.count(tally);
                }
            });
        }
        load::measure(child, total, || shared.deliveries.load(Ordering::Relaxed)).await
    });
    runtime.shutdown_background();
    rate
}

struct Shared {
    deliveries: AtomicU64,
    /// Messages that may still be sent before others have reached everybody.
    window: Semaphore,
    each: u64,
}

impl Shared {
    fn count(&self, tally: Tally) {
        let before = self.deliveries.fetch_add(tally.deliveries, Ordering::Relaxed);
        let done = (before + tally.deliveries) / self.each - before / self.each;
        if done > 0 {
            self.window.add_permits(done as usize);
        }
    }
}

/// Devices of the room that write.
const SENDERS: usize = 10;
/// Messages of the room that are under way.
const WINDOW: usize = 160;
/// Messages that one device sends at once.
const TOGETHER: usize = 16;
/// A signed entry with a body of 256 bytes.
const SIGNED: usize = 491;
