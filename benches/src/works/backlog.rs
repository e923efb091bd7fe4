//! A reader that was away for long, and only counts: what the relay reads and sends in pages.

use super::{Bench, relay};
use crate::child::Child;
use crate::load::counter::page;
use crate::load::device;
use crate::load::wire::{Wire, client_frame};
use crate::report::{Figure, Reach};
use crate::time::{Watch, median};
use crate::world::{Person, World};
use crate::{Outcome, load};
use kith_protocol::frame::{ClientFrame, Fetch};
use kith_protocol::ids::{RoomId, Seq};
use kith_protocol::limits;
use std::collections::BTreeMap;
use std::io::Read;
use std::net::TcpStream;
use std::path::Path;

/// Measures it.
pub(crate) fn measure(bench: &mut Bench) -> Outcome<()> {
    let folder = bench.folder()?;
    let each = bench.size(2_000, 100) as u64;
    let mut world = World::new(folder.path())?;
    let people = world.people(0..2, 1)?;
    let rooms = (0..ROOMS).map(|_| world.group(&people)).collect::<Outcome<Vec<_>>>()?;
    for room in &rooms {
        world.messages(&people[0], *room, 0..each)?;
    }
    world.done()?;
    let messages = ROOMS as u64 * each;
    let (mut served, mut poured, mut cpu) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..bench.rounds {
        poured.push(messages as f64 / pour(folder.path())?);
        let relay = relay(folder.path(), false)?;
        let before = relay.cpu_seconds();
        served.push(messages as f64 / read(&relay, &people[1], &rooms, each)?);
        cpu.extend(relay.cpu_seconds().zip(before).map(|(now, then)| (now - then) / messages as f64 * 1e6));
    }
    let ratios: Vec<f64> = served.iter().zip(&poured).map(|(value, limit)| value / limit).collect();
    let figure = Figure::of(format!("backlog of {messages} in {ROOMS} rooms"), median(&served), "msg/s");
    bench
        .report
        .add(figure.beside(median(&poured)).with_ratio(median(&ratios)).reach(Reach::RatioAtLeast(0.6)));
    if !cpu.is_empty() {
        bench.report.add(Figure::of("backlog: CPU of the relay", median(&cpu), "s/million"));
    }
    Ok(())
}

/// Seconds until all rows have come through one socket.
fn pour(folder: &Path) -> Outcome<f64> {
    let child = Child::start(["child-rows".as_ref(), folder.as_os_str()])?;
    let watch = Watch::start();
    let mut stream = TcpStream::connect(child.address)?;
    let (mut buffer, mut bytes) = (vec![0; 256 * 1024], 0);
    loop {
        match stream.read(&mut buffer)? {
            0 if bytes > 0 => return Ok(watch.seconds()),
            0 => return Err("no rows came".into()),
            len => bytes += len,
        }
    }
}

/// Seconds until all rooms are read.
fn read(relay: &Child, reader: &Person, rooms: &[RoomId], each: u64) -> Outcome<f64> {
    let runtime = load::runtime()?;
    runtime.block_on(async {
        let mut wire = device::identify(relay.address, reader.account, &reader.devices[0]).await?;
        let watch = Watch::start();
        // The genesis and the entry that adds the reader come before the messages.
        let end = each + 2;
        let mut todo = rooms.iter();
        let mut open = BTreeMap::new();
        while open.len() < AT_ONCE
            && let Some(room) = todo.next()
        {
            ask(&wire, *room, 0).await?;
            open.insert(room.0, 0);
        }
        while !open.is_empty() {
            let mut pages = Vec::new();
            wire.scan(|prefix| pages.extend(page(prefix))).await?;
            for (room, first, count) in pages {
                let at = open.get_mut(&room).ok_or("a page that nobody asked for")?;
                if first != *at + 1 || count == 0 {
                    return Err(format!("{count} entries from {first}, after {at}").into());
                }
                *at += count;
                if *at < end {
                    ask(&wire, RoomId(room), *at).await?;
                    continue;
                }
                open.remove(&room);
                if let Some(room) = todo.next() {
                    ask(&wire, *room, 0).await?;
                    open.insert(room.0, 0);
                }
            }
        }
        Ok(watch.seconds())
    })
}

async fn ask(wire: &Wire, room: RoomId, after: u64) -> Outcome<()> {
    let fetch = Fetch {
        req: 1,
        room,
        after: Seq(after),
        before: Seq(u64::MAX),
        newest: false,
        limit: limits::PAGE_ENTRIES_MAX,
    };
    Ok(wire.pen().write(&client_frame(&ClientFrame::Fetch(fetch).encode())).await?)
}

const ROOMS: usize = 100;
/// Pages that are asked for at a time: as many as the relay answers at once by default.
const AT_ONCE: usize = 4;
