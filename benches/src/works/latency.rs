//! One message at a time: from the send of one device to the delivery on another.

use super::{Bench, bare, relay};
use crate::disk::Synced;
use crate::load::counter::Dialect;
use crate::load::device;
use crate::load::scanner::Scanner;
use crate::load::wire::{Wire, client_frame};
use crate::report::{Figure, Reach, Report};
use crate::time::{Watch, median, percentile};
use crate::world::{self, World};
use crate::{Outcome, bare as bare_server};
use std::io::{Read, Write};
use std::net::TcpStream;

/// Measures it, and in turns what it is made of: one fsync and one echo.
pub(crate) fn measure(bench: &mut Bench) -> Outcome<()> {
    let folder = bench.folder()?;
    let mut world = World::new(folder.path())?;
    let people = world.people(0..2, 1)?;
    let room = world.direct(&people[0], &people[1])?;
    world.done()?;
    let (echo, mut relay) = (bare(1)?, relay(folder.path(), false)?);
    let runtime = crate::load::runtime()?;
    let (mut echoed, mut sent, mut received) = runtime.block_on(async {
        let echoed = device::name(echo.address, 0).await?;
        let mut wires = device::identify_all(relay.address, &people).await?.into_iter();
        let sent = wires.next().ok_or("nobody who sends")?;
        let received = wires.next().ok_or("nobody who receives")?;
        Outcome::Ok((
            Line::new(echoed, Dialect::Bare)?,
            Line::new(sent, Dialect::Kith)?,
            Line::new(received, Dialect::Kith)?,
        ))
    })?;

    let mut payload = vec![b'.'; SIGNED];
    payload[0] = bare_server::ECHO;
    let echo_frame = client_frame(&payload);
    let mut synced = Synced::new(folder.path())?;
    let (mut synced_in, mut echoed_in, mut delivered_in) = (Vec::new(), Vec::new(), Vec::new());
    let mut ratios = Vec::new();
    for block in 0..bench.size(40, 2) {
        let since = block * BLOCK;
        for _ in 0..BLOCK {
            synced_in.push(synced.page()?);
        }
        for _ in 0..BLOCK {
            let watch = Watch::start();
            echoed.write(&echo_frame)?;
            echoed.wait_for_delivery()?;
            echoed_in.push(watch.seconds());
        }
        for number in since..since + BLOCK {
            let message = world::message(&people[0], 0, room, number as u64);
            let frame = client_frame(&world::send(&message));
            let watch = Watch::start();
            sent.write(&frame)?;
            received.wait_for_delivery()?;
            delivered_in.push(watch.seconds());
            sent.wait_for_ack()?;
        }
        let limit = median(&synced_in[since..]) + median(&echoed_in[since..]);
        ratios.push(median(&delivered_in[since..]) / limit);
    }
    let us = |seconds: f64| seconds * 1e6;
    Report::note(&format!(
        "fsync of a page: {:.0} us (99 %: {:.0}), echo: {:.0} us (99 %: {:.0})",
        us(median(&synced_in)),
        us(percentile(&synced_in, 99.0)),
        us(median(&echoed_in)),
        us(percentile(&echoed_in, 99.0))
    ));
    let commit = relay.metric("kith_commit_seconds_sum")? / relay.metric("kith_commit_seconds_count")?;
    Report::note(&format!("relay: {:.0} us a commit in the mean", us(commit)));
    // The ratio is that of the blocks: what a disk can do changes from one to the next.
    let limit = us(median(&synced_in) + median(&echoed_in));
    let figure =
        Figure::of("one message at a time, send to delivery: median", us(median(&delivered_in)), "us");
    bench.report.add(figure.beside(limit).with_ratio(median(&ratios)).reach(Reach::RatioAtMost(1.3)));
    let worst = us(percentile(&synced_in, 99.0) + percentile(&echoed_in, 99.0));
    let figure =
        Figure::of("one message at a time: 99th percentile", us(percentile(&delivered_in, 99.0)), "us");
    bench.report.add(figure.beside(worst));
    Ok(())
}

/// A connection that is read by whoever waits for it.
struct Line {
    stream: TcpStream,
    dialect: Dialect,
    scanner: Scanner,
    delivered: u64,
    acked: u64,
}

impl Line {
    fn new(wire: Wire, dialect: Dialect) -> Outcome<Self> {
        let (stream, unread) = wire.into_blocking()?;
        let mut line = Self { stream, dialect, scanner: Scanner::default(), delivered: 0, acked: 0 };
        line.take(&unread);
        Ok(line)
    }

    fn write(&mut self, frame: &[u8]) -> Outcome<()> {
        Ok(self.stream.write_all(frame)?)
    }

    fn wait_for_delivery(&mut self) -> Outcome<()> {
        while self.delivered == 0 {
            self.read()?;
        }
        self.delivered -= 1;
        Ok(())
    }

    fn wait_for_ack(&mut self) -> Outcome<()> {
        while self.acked == 0 {
            self.read()?;
        }
        self.acked -= 1;
        Ok(())
    }

    fn read(&mut self) -> Outcome<()> {
        let mut buffer = [0; 8192];
        let len = self.stream.read(&mut buffer)?;
        if len == 0 {
            return Err("the server hung up".into());
        }
        self.take(&buffer[..len]);
        Ok(())
    }

    fn take(&mut self, bytes: &[u8]) {
        let (dialect, delivered, acked) = (self.dialect, &mut self.delivered, &mut self.acked);
        self.scanner.feed(bytes, |prefix| {
            let tally = dialect.count(prefix);
            *delivered += tally.deliveries;
            *acked += tally.acks;
        });
    }
}

/// Messages, fsyncs and echoes take turns in blocks: a disk has better minutes and worse ones.
const BLOCK: usize = 50;
/// A signed entry with a body of 256 bytes.
const SIGNED: usize = 491;
