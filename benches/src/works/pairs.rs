//! Fifty chats of two, both with two devices online: each message goes to three of them.

use super::{Bench, bare, relay_on_copy};
use crate::child::Child;
use crate::disk::{Rows, fill};
use crate::load::counter::Dialect;
use crate::load::device;
use crate::load::wire::{Wire, client_frame};
use crate::load::{self, Rate};
use crate::report::{Figure, Reach, Report};
use crate::time::median;
use crate::world::{self, Person, World};
use crate::{Outcome, bare as bare_server};
use bytes::Bytes;
use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// Measures it.
pub(crate) fn measure(bench: &mut Bench) -> Outcome<()> {
    let store = bench.folder()?;
    let mut world = World::new(store.path())?;
    let people = world.people(0..u32::try_from(2 * PAIRS)?, 2)?;
    let rooms = people.chunks(2).map(|two| world.direct(&two[0], &two[1])).collect::<Outcome<Vec<_>>>()?;
    world.done()?;
    let each = bench.size(2_000, 400);
    let entries: Vec<Vec<Bytes>> = people
        .iter()
        .zip(rooms.iter().flat_map(|room| [room; 2]))
        .map(|(person, room)| {
            (0..each as u64).map(|number| world::message(person, 0, *room, number).raw().clone()).collect()
        })
        .collect();

    let (mut bare_rates, mut signed_rates, mut relay_rates) = (Vec::new(), Vec::new(), Vec::new());
    let (mut rows, mut rows_noted) = (Vec::new(), Vec::new());
    for _ in 0..bench.rounds {
        bare_rates.push(on_bare(4 * each, world::BODY)?);
        let (rate, group) = on_relay(bench, store.path(), &people, &entries)?;
        relay_rates.push(rate);
        signed_rates.push(on_bare(4 * each, SIGNED)?);
        let all: Vec<Bytes> = (0..each).flat_map(|at| entries.iter().map(move |of| of[at].clone())).collect();
        for (kind, found) in [(Rows::Entries, &mut rows), (Rows::EntriesAndTransactions, &mut rows_noted)] {
            let folder = bench.folder()?;
            found.push(fill(folder.path(), &all, i64::try_from(PAIRS)?, group, kind)?);
        }
    }

    let per_second = |rates: &[Rate]| -> Vec<f64> { rates.iter().map(|rate| rate.per_second).collect() };
    let (relay, bare) = (per_second(&relay_rates), per_second(&bare_rates));
    let against = |limits: &[f64]| {
        let ratios: Vec<f64> = relay.iter().zip(limits).map(|(value, limit)| value / limit).collect();
        Figure::of("", median(&relay), "msg/s").beside(median(limits)).with_ratio(median(&ratios))
    };
    let mut add = |work: &str, limits: &[f64], reach: Option<Reach>| {
        let figure = Figure { work: work.into(), ..against(limits) };
        bench.report.add(match reach {
            Some(reach) => figure.reach(reach),
            None => figure,
        });
    };
    add("50 pairs, 2 devices each: routed by the bare server", &bare, Some(Reach::RatioAtLeast(0.5)));
    add("50 pairs: the same rows in SQLite", &rows, Some(Reach::RatioAtLeast(0.5)));
    add("50 pairs: rows and transactions in SQLite", &rows_noted, None);
    add("50 pairs: routed, as large as signed entries", &per_second(&signed_rates), None);
    let cpu = |rates: &[Rate]| -> Option<f64> {
        let all: Option<Vec<f64>> = rates.iter().map(|rate| rate.cpu_each).collect();
        // Three deliveries for each message.
        all.map(|all| median(&all) * 1e5 / 3.0)
    };
    match (cpu(&relay_rates), cpu(&bare_rates)) {
        (Some(relay), Some(bare)) => {
            bench.report.add(Figure::of("50 pairs: CPU per 100,000 deliveries", relay, "s").beside(bare));
        }
        _ => Report::note("processor time of the servers: not available on this system"),
    }
    Ok(())
}

fn on_bare(each: usize, bytes: usize) -> Outcome<Rate> {
    let child = bare(4 * PAIRS)?;
    // Of each person the first device writes: to the person's other one, and to both of the partner.
    let frames = (0..2 * PAIRS)
        .map(|person| {
            let mut payload = vec![bare_server::SOME, 3];
            for place in [2 * person + 1, 2 * (person ^ 1), 2 * (person ^ 1) + 1] {
                payload.extend(u32::try_from(place).expect("a few hundred places").to_be_bytes());
            }
            let body = payload.len();
            payload.resize(body + bytes, b'.');
            payload[body] = bare_server::ALL;
            vec![client_frame(&payload); each]
        })
        .collect();
    run(&child, device::name_all(child.address, 4 * PAIRS), Dialect::Bare, frames)
}

/// The rate, and how many messages were written together.
fn on_relay(
    bench: &Bench,
    store: &std::path::Path,
    people: &[Person],
    entries: &[Vec<Bytes>],
) -> Outcome<(Rate, usize)> {
    let (mut child, _folder) = relay_on_copy(bench, store)?;
    let frame = |raw: &Bytes| {
        let send = kith_protocol::frame::Send { run: 0, entry: raw.clone() };
        client_frame(&kith_protocol::frame::ClientFrame::Send(send).encode())
    };
    let frames = entries.iter().map(|of| of.iter().map(frame).collect()).collect();
    let rate = run(&child, device::identify_all(child.address, people), Dialect::Kith, frames)?;
    let writes = child.metric("kith_commit_writes_sum")?;
    let group = writes / child.metric("kith_commit_writes_count")?;
    let seconds = child.metric("kith_commit_seconds_sum")?;
    Report::note(&format!(
        "relay: {:.0} messages/s, {group:.1} messages a group, {:.0} % of them in commits at {:.1} us a message, {:.0} pushes dropped",
        rate.per_second,
        100.0 * seconds / (writes / rate.per_second),
        1e6 * seconds / writes,
        child.metric("kith_pushes_dropped_total")?
    ));
    #[expect(clippy::cast_sign_loss, reason = "a mean of counts")]
    Ok((rate, group.round() as usize))
}

fn run(
    child: &Child,
    wires: impl Future<Output = Outcome<Vec<Wire>>>,
    dialect: Dialect,
    frames: Vec<Vec<Vec<u8>>>,
) -> Outcome<Rate> {
    let total: usize = frames.iter().map(Vec::len).sum();
    let runtime = load::runtime()?;
    let counted = Arc::new(Counted::default());
    let rate = runtime.block_on(async {
        let mut frames = frames.into_iter();
        for (number, mut wire) in wires.await?.into_iter().enumerate() {
            // Of each person the first device writes.
            let mut frames =
                if number % 2 == 0 { frames.next().unwrap_or_default() } else { Vec::new() }.into_iter();
            let counted = Arc::clone(&counted);
            tokio::spawn(async move {
                let (pen, mut in_flight, mut gathered) = (wire.pen(), 0, Vec::new());
                loop {
                    gathered.clear();
                    for frame in frames.by_ref().take(IN_FLIGHT - in_flight) {
                        gathered.extend(frame);
                        in_flight += 1;
                    }
                    if pen.write(&gathered).await.is_err() {
                        return;
                    }
                    let Ok(tally) = wire.count(dialect).await else { return };
                    in_flight -= tally.acks as usize;
                    counted.acks.fetch_add(tally.acks, Ordering::Relaxed);
                    counted.deliveries.fetch_add(tally.deliveries, Ordering::Relaxed);
                }
            });
        }
        // A message counts when it is acknowledged and has reached three devices.
        let whole =
            || counted.acks.load(Ordering::Relaxed).min(counted.deliveries.load(Ordering::Relaxed) / 3);
        load::measure(child, total as u64, whole).await
    });
    runtime.shutdown_background();
    rate
}

#[derive(Default)]
struct Counted {
    acks: AtomicU64,
    deliveries: AtomicU64,
}

const PAIRS: usize = 50;
const IN_FLIGHT: usize = 16;
/// A signed entry with a body of 256 bytes.
const SIGNED: usize = 491;
