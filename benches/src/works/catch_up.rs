//! A device that has nothing yet: how fast it takes in what a year has brought, and what the filled store takes to open.

use super::{Bench, relay};
use crate::Outcome;
use crate::child::Child;
use crate::opened::SCREEN;
use crate::report::{Figure, Reach, Report};
use crate::time::{Watch, median};
use crate::world::{Person, World};
use kith_client::core::{Identity, Relay};
use kith_client::keys::{Choice, DataKey, MemorySecrets, NoUnlock, Purpose, open_or_create};
use kith_client::store::{COMMIT_BEST, Tree};
use kith_client::vault::{self, DurableMap, Vault};
use kith_client::{Access, Client, Home, Next};
use kith_protocol::entry::Entry;
use kith_protocol::ids::RoomId;
use kith_protocol::keys::PublicKey;
use std::path::{Path, PathBuf};
use std::time::Duration;
use tempfile::TempDir;

/// An empty device and 20,000 messages.
pub(crate) fn measure(bench: &mut Bench) -> Outcome<()> {
    let history = History::new(bench, bench.size(20_000, 2_000) as u64)?;
    let (mut caught, mut limits, mut firsts, mut newests) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for _ in 0..bench.rounds {
        limits.push(history.limit(bench)?);
        let taken = history.take(bench)?;
        caught.push(taken.per_second);
        firsts.push(taken.first_screen * 1e3);
        newests.push(taken.newest_screen * 1e3);
    }
    let messages = history.messages();
    let ratios: Vec<f64> = caught.iter().zip(&limits).map(|(value, limit)| value / limit).collect();
    let figure =
        Figure::of(format!("catch-up on {messages} in {ROOMS} rooms, stored"), median(&caught), "msg/s");
    bench
        .report
        .add(figure.beside(median(&limits)).with_ratio(median(&ratios)).reach(Reach::RatioAtLeast(0.6)));
    let figure = Figure::of("catch-up: newest 50 of the newest room", median(&newests), "ms");
    bench.report.add(figure.reach(Reach::ValueAtMost(200.0)));
    bench.report.add(Figure::of("catch-up: newest 50 of any room", median(&firsts), "ms"));
    Ok(())
}

/// The same with less and with more; then the largest store is opened.
pub(crate) fn growth(bench: &mut Bench) -> Outcome<()> {
    let mut last = None;
    for messages in [1_000, 20_000, bench.size(200_000, 20_000) as u64] {
        let history = History::new(bench, messages)?;
        let limit = history.limit(bench)?;
        let taken = history.take(bench)?;
        let figure = Figure::of(format!("growth: catch-up on {messages}"), taken.per_second, "msg/s");
        bench.report.add(figure.beside(limit));
        last = Some((history, taken));
    }
    let Some((history, taken)) = last else { return Ok(()) };
    let mut child = Child::start([
        "child-client".as_ref(),
        taken.dir.as_os_str(),
        history.newest().to_string().as_ref(),
    ])?;
    let messages = history.messages();
    for (name, what) in [
        ("open", "open a store of"),
        ("rooms", "its list of rooms, of"),
        ("newest", "newest 50 of"),
        ("middle", "50 around the middle of"),
    ] {
        bench.report.add(Figure::of(format!("{what} {messages}"), child.metric(name)? * 1e3, "ms"));
    }
    match child.resident_bytes() {
        Some(bytes) => {
            let figure = Figure::of(format!("memory with a store of {messages}"), bytes as f64 / MIB, "MiB");
            bench.report.add(figure.reach(Reach::ValueAtMost(80.0)));
        }
        None => Report::note("memory of the client: not available on this system"),
    }
    Ok(())
}

/// A relay's store with a year of messages, and who will read them.
struct History {
    store: TempDir,
    reader: Person,
    sign: PublicKey,
    rooms: Vec<(RoomId, Vec<Entry>)>,
}

/// What came of a catch-up.
struct Taken {
    dir: PathBuf,
    _home: TempDir,
    per_second: f64,
    first_screen: f64,
    newest_screen: f64,
}

impl History {
    fn new(bench: &Bench, messages: u64) -> Outcome<Self> {
        let store = bench.folder()?;
        let mut world = World::new(store.path())?;
        let mut people = world.people(0..2, 1)?;
        let each = messages / ROOMS;
        let mut rooms = Vec::new();
        for number in 0..ROOMS {
            let room = world.group(&people)?;
            // What was said in the last one is the newest of all.
            let from = if number + 1 == ROOMS { messages } else { 0 };
            rooms.push((room, world.messages(&people[0], room, from..from + each)?));
        }
        world.done()?;
        let sign = people[0].devices[0].sign_public();
        let reader = people.pop().ok_or("nobody reads")?;
        Ok(Self { store, reader, sign, rooms })
    }

    fn messages(&self) -> usize {
        self.rooms.iter().map(|(_, entries)| entries.len()).sum()
    }

    fn newest(&self) -> RoomId {
        self.rooms.last().map(|(room, _)| *room).unwrap_or_default()
    }

    /// Signatures checked on two threads and sled filled with sealed values, in batches of the best size.
    fn limit(&self, bench: &Bench) -> Outcome<f64> {
        let folder = bench.folder()?;
        let db = sled::Config::new().path(folder.path().join("store")).cache_capacity(CACHE_BYTES).open()?;
        let key = DataKey::from_bytes([7; 32]);
        let watch = Watch::start();
        for (room, entries) in &self.rooms {
            for (number, batch) in entries.chunks(COMMIT_BEST).enumerate() {
                self.check(batch)?;
                let mut changes = sled::Batch::default();
                for (offset, entry) in batch.iter().enumerate() {
                    let seq = (number * COMMIT_BEST + offset) as u64 + 1;
                    let place = [&[Tree::Entries as u8], &room.0[..], &seq.to_be_bytes()].concat();
                    let sealed = key.seal(&place, entry.raw());
                    changes.insert(place, sealed);
                }
                db.apply_batch(changes)?;
            }
        }
        Ok(self.messages() as f64 / watch.seconds())
    }

    fn check(&self, batch: &[Entry]) -> Outcome<()> {
        // Parsed anew: the digest is part of the check.
        let all_hold = |some: &[Entry]| {
            some.iter().all(|entry| {
                Entry::parse(entry.raw().clone()).is_ok_and(|entry| entry.verify(&self.sign).is_ok())
            })
        };
        let (one, other) = batch.split_at(batch.len() / 2);
        let hold = std::thread::scope(|scope| {
            let other = scope.spawn(|| all_hold(other));
            all_hold(one) && other.join().unwrap_or(false)
        });
        if hold { Ok(()) } else { Err("a signature that does not hold".into()) }
    }

    /// Lets an empty device catch up.
    fn take(&self, bench: &Bench) -> Outcome<Taken> {
        let relay = relay(self.store.path(), false)?;
        let home = bench.folder()?;
        let dir = home.path().join("profile");
        settle(&dir, &self.reader, &format!("ws://{}", relay.address))?;
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
        let (all, first_screen, newest_screen) = runtime.block_on(async {
            let client = Client::open(Home::open(&dir)?, Access::new(Choice::PlainFile)).await?;
            let watch = Watch::start();
            let lines = SCREEN.min(self.messages() / self.rooms.len());
            let shown = tokio::spawn(screens(client.clone(), self.newest(), lines, watch));
            let progress = client.sync_once(PATIENCE, |_| {}).await?;
            let all = watch.seconds();
            if progress.held < self.messages() as u64 {
                return Err(format!("{} of {} messages", progress.held, self.messages()).into());
            }
            let (first, newest) = shown.await??;
            client.shutdown().await;
            Outcome::Ok((all, first, newest))
        })?;
        let per_second = self.messages() as f64 / all;
        Ok(Taken { dir, _home: home, per_second, first_screen, newest_screen })
    }
}

/// When the first screen of any room could be shown, and when that of the newest one.
async fn screens(client: Client, newest: RoomId, lines: usize, watch: Watch) -> Outcome<(f64, f64)> {
    let mut updates = client.updates();
    let mut first = None;
    loop {
        if first.is_none() {
            for room in client.rooms().await? {
                if client.history(room.id, None, SCREEN).await?.len() >= lines {
                    first = Some(watch.seconds());
                    break;
                }
            }
        }
        if let Some(first) = first
            && client.history(newest, None, SCREEN).await?.len() >= lines
        {
            return Ok((first, watch.seconds()));
        }
        // Whatever happens next is a reason to look again, once for all that waits.
        match updates.next().await.ok_or("the client stopped")? {
            Next::Update(_) | Next::Lagged(_) => updates = client.updates(),
        }
    }
}

/// Gives a home the identity of a person's device, as linking does.
pub(crate) fn settle(dir: &Path, person: &Person, relay: &str) -> Outcome<()> {
    let home = vault::Home::lock(dir)?;
    let (master, _) = open_or_create(&home, &Choice::PlainFile, &MemorySecrets::default(), &mut NoUnlock)?;
    let mut vault = Vault::open(&home, &master.data_key(Purpose::Vault))?.vault;
    vault.create(&vault::keys::device("keys"), person.devices[0].seeds().as_ref())?;
    let relay = Relay { address: relay.to_owned(), pin: None };
    Identity::linked(&mut vault, person.account, "device", relay)?;
    Ok(())
}

const ROOMS: u64 = 100;
/// As the client's store has it.
const CACHE_BYTES: u64 = 24 * 1024 * 1024;
const PATIENCE: Duration = Duration::from_mins(5);
const MIB: f64 = 1024.0 * 1024.0;
