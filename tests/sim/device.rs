//! A device: its disk, the engine that runs on it, and the line to the relay.

use super::link::{Down, Link, LinkId};
use super::world::{Event, World};
use kith_client::core::{Engine, Entropy, Identity, Parts, Reply, RequestError, Stopped, Ticket, Update};
use kith_client::store::{MemoryStore, Store};
use kith_client::vault::MemoryVault;
use kith_protocol::error::CloseCode;
use kith_protocol::event::Target;
use kith_protocol::frame::ServerFrame;
use kith_protocol::ids::{RoomId, Seq};
use kith_relay::relay::admission;
use std::collections::BTreeMap;

pub(crate) struct Device {
    pub(crate) name: String,
    pub(crate) person: usize,
    store: MemoryStore,
    vault: MemoryVault,
    pub(crate) engine: Engine,
    pub(crate) link: Option<LinkId>,
    pub(crate) away: bool,
    dialing: bool,
    timer: Option<u64>,
    /// Only the timer that was set last counts.
    timers: u64,
    /// How far off its clock is.
    pub(crate) clock_ms: i64,
    /// Whether it has compared its clock with the relay's since that was set.
    pub(crate) clock_compared: bool,
    seed: u64,
    pub(crate) replies: Vec<(Ticket, Result<Reply, RequestError>)>,
    /// How far this process has shown each room as read.
    marks: BTreeMap<RoomId, Seq>,
}

impl Device {
    fn new((name, person): (&str, usize), vault: MemoryVault, identity: Identity, seed: u64) -> Self {
        let store = MemoryStore::new();
        let engine = start(&store, &vault, identity, seed);
        Self {
            name: name.to_owned(),
            person,
            store,
            vault,
            engine,
            link: None,
            away: false,
            dialing: false,
            timer: None,
            timers: 0,
            clock_ms: 0,
            clock_compared: true,
            seed,
            replies: Vec::new(),
            marks: BTreeMap::new(),
        }
    }

    pub(crate) fn fail_commits(&self, times: u32) {
        self.store.fail_commits(times);
    }

    pub(crate) fn disk_heals(&self) {
        self.store.fail_commits(0);
    }

    pub(crate) fn sync(&self) {
        self.store.clone().sync().unwrap();
    }

    pub(crate) fn target(&self, txn: kith_protocol::ids::TxnId) -> Target {
        Target { device: self.engine.me().device, txn }
    }
}

fn start(store: &MemoryStore, vault: &MemoryVault, identity: Identity, seed: u64) -> Engine {
    Engine::new(Parts {
        store: Box::new(store.clone()),
        vault: Box::new(vault.clone()),
        identity,
        entropy: Entropy::seeded(seed),
    })
    .unwrap()
}

impl World<'_> {
    /// This moment, by the clock of a device.
    pub(crate) fn clock(&self, id: usize) -> u64 {
        self.now.saturating_add_signed(self.devices[id].clock_ms)
    }

    /// Another clock, from now on.
    pub(crate) fn set_clock(&mut self, id: usize, ms: i64) {
        let device = &mut self.devices[id];
        device.clock_compared &= device.clock_ms == ms;
        device.clock_ms = ms;
    }

    /// A device of this name and person.
    pub(crate) fn add_device(
        &mut self,
        named: (&str, usize),
        vault: MemoryVault,
        identity: Identity,
    ) -> usize {
        let seed = self.rng.u64(..);
        let device = Device::new(named, vault, identity, seed);
        self.devices.push(device);
        self.devices.len() - 1
    }

    /// The process ends, and its store keeps the oldest `keep` hundredths of what was not synced; another one starts.
    pub(crate) fn restart(&mut self, id: usize, keep: usize, lose_store: bool) {
        if let Some(link) = self.devices[id].link.take() {
            self.links[link].open = false;
            self.cut(link);
        }
        let device = &mut self.devices[id];
        if lose_store {
            device.store = MemoryStore::new();
        } else if keep < 100 {
            device.store.crash(device.store.unsynced() * keep / 100);
        }
        device.vault = device.vault.restart();
        device.store.fail_commits(0);
        device.seed = device.seed.wrapping_add(1);
        let identity = Identity::load(&device.vault).unwrap().unwrap();
        device.engine = start(&device.store, &device.vault, identity, device.seed);
        device.marks.clear();
        device.replies.clear();
        // Another process numbers anew what it asks.
        self.book.revoking.retain(|(asker, _), _| *asker != id);
        let device = &mut self.devices[id];
        device.timer = None;
        device.clock_compared = false;
        self.pump_device(id);
        self.redial(id, 100);
    }

    /// A frame has arrived.
    pub(crate) fn arrive_at_device(&mut self, id: LinkId) {
        let link = &mut self.links[id];
        if link.cut || !link.open {
            return;
        }
        let Some(down) = link.down.pop_front() else { return };
        let device = link.device;
        match down {
            Down::Frame(bytes) => {
                self.trace.bytes(&bytes);
                let frame = ServerFrame::decode(&bytes).expect("the relay speaks well");
                let clock = self.clock(device);
                self.devices[device].clock_compared |= matches!(frame, ServerFrame::Hello(_));
                self.devices[device].engine.handle_frame(clock, frame);
                self.pump_device(device);
            }
            Down::Close(code) => self.client_hears(id, Some(code)),
        }
        self.pump_relay();
    }

    /// Takes out of an engine what it has to say.
    pub(crate) fn pump_device(&mut self, id: usize) {
        let (now, clock) = (self.now, self.clock(id));
        while let Some(frame) = self.devices[id].engine.poll_transmit() {
            let Some(link) = self.devices[id].link.filter(|link| !self.links[*link].cut) else { continue };
            let delay = self.net.delay_ms;
            let at = self.soon(delay).max(self.links[link].up_at);
            self.links[link].up_at = at;
            self.links[link].up.push_back(frame.encode());
            self.schedule(at, Event::ToRelay(link));
        }
        while let Some(update) = self.devices[id].engine.poll_event() {
            self.hear(id, update);
        }
        while let Some((ticket, reply)) = self.devices[id].engine.poll_reply() {
            if let Some(device) = self.book.revoking.remove(&(id, ticket)) {
                let name = &self.devices[id].name;
                self.trace.say(now, format_args!("{name} hears of {device:?}, to be signed out: {reply:?}"));
                if reply.is_ok() {
                    self.book.signed_out.insert(device);
                }
            }
            self.devices[id].replies.push((ticket, reply));
        }
        self.watch_marks(id);
        if self.devices[id].engine.take_hang_up() {
            self.trace.say(now, format_args!("{} hangs up", self.devices[id].name));
            self.hang_up(id);
        }
        let device = &mut self.devices[id];
        let timeout = device.engine.poll_timeout();
        if timeout != device.timer {
            device.timer = timeout;
            device.timers += 1;
            if let Some(at) = timeout {
                // It waits so long, whatever becomes of the clock.
                let (wait, number) = (at.saturating_sub(clock).max(1), device.timers);
                self.schedule(now + wait, Event::Timer(id, number));
            }
        }
    }

    fn hear(&mut self, id: usize, update: Update) {
        match update {
            Update::Acked { txn, room, seq } => {
                let target = self.devices[id].target(txn);
                self.trace.say(self.now, format_args!("{} has its ack {seq}", self.devices[id].name));
                let before = self.book.acked.insert(target, (room, seq));
                if before.is_some_and(|before| before != (room, seq)) && !self.plan.restores {
                    let name = &self.devices[id].name;
                    self.book.wrong.push(format!("{name} was acked at {before:?} and at {seq}"));
                }
            }
            Update::SendFailed { txn, code, .. } => {
                let target = self.devices[id].target(txn);
                self.trace.say(self.now, format_args!("{} is refused {code:?}", self.devices[id].name));
                self.book.failed.insert(target, code);
            }
            Update::Trouble(trouble) => {
                self.trace.say(self.now, format_args!("{}: {trouble}", self.devices[id].name));
                if matches!(trouble, kith_client::core::Trouble::Integrity { .. }) {
                    self.book.wrong.push(format!("{} is told: {trouble}", self.devices[id].name));
                }
            }
            _ => {}
        }
    }

    /// Within the life of a process a read mark never goes back.
    fn watch_marks(&mut self, id: usize) {
        if self.plan.restores {
            return;
        }
        for room in self.rooms.clone() {
            let Ok(Some(summary)) = self.devices[id].engine.room(&room) else { continue };
            let known = self.devices[id].marks.entry(room).or_default();
            let failing = summary.read_up_to < *known && !self.devices_disk_failed(id);
            let known = *self.devices[id].marks.entry(room).or_default();
            if failing {
                let text =
                    format!("{}: read mark from {known} to {}", self.devices[id].name, summary.read_up_to);
                self.book.wrong.push(text);
            }
            self.devices[id].marks.insert(room, summary.read_up_to);
        }
    }

    /// A store that refused a commit goes back to what it holds, and with it the mark.
    fn devices_disk_failed(&self, id: usize) -> bool {
        self.plan
            .steps
            .iter()
            .any(|(_, op)| matches!(op, super::plan::Op::FailCommits { dev, .. } if *dev == id))
    }

    pub(crate) fn timer(&mut self, id: usize, number: u64) {
        let clock = self.clock(id);
        let device = &mut self.devices[id];
        if device.timers == number {
            device.timer = None;
            device.engine.handle_timeout(clock);
            self.pump_device(id);
        }
    }

    /// Dials after up to so long.
    fn redial(&mut self, id: usize, ms: u64) {
        let device = &mut self.devices[id];
        if !device.dialing {
            device.dialing = true;
            let at = self.soon(ms);
            self.schedule(at, Event::Dial(id));
        }
    }

    pub(crate) fn dial(&mut self, id: usize) {
        self.devices[id].dialing = false;
        let device = &self.devices[id];
        if device.link.is_some() || device.away || device.engine.stopped().is_some() {
            let signed_out = self.book.revoked.contains(&device.engine.me().device);
            if let Some(why) = device.engine.stopped().filter(|why| !signed_out || **why != Stopped::Revoked)
            {
                self.book.wrong.push(format!("{} gives up: {why}", device.name));
            }
            return;
        }
        let Some(process) = &self.relay.process else { return self.redial(id, 3_000) };
        let number = process.number;
        let mut nonce = [0; 32];
        self.rng.fill(&mut nonce);
        let (challenge, hello) = admission::hello(self.relay.incarnation, nonce, self.now);
        let name = self.devices[id].name.clone();
        self.links.push(Link::new(id, name, number, challenge));
        let link = self.links.len() - 1;
        self.devices[id].link = Some(link);
        let clock = self.clock(id);
        self.devices[id].engine.connected(clock);
        self.send_down(link, Down::Frame(hello.encode()));
        self.pump_device(id);
    }

    /// The network is there again.
    pub(crate) fn back(&mut self, id: usize) {
        self.devices[id].away = false;
        if self.devices[id].link.is_none() {
            self.redial(id, 100);
        }
    }

    /// Nothing crosses any more; both ends hear of it in their own time.
    pub(crate) fn cut(&mut self, link: LinkId) {
        if std::mem::replace(&mut self.links[link].cut, true) {
            return;
        }
        let client = self.soon(3_000);
        self.schedule(client, Event::ClientHears(link, None));
        let relay = self.soon(40_000);
        self.schedule(relay, Event::RelayHears(link));
    }

    pub(crate) fn hang_up(&mut self, id: usize) {
        if let Some(link) = self.devices[id].link {
            self.cut(link);
            self.client_hears(link, None);
        }
    }

    pub(crate) fn client_hears(&mut self, link: LinkId, code: Option<CloseCode>) {
        if !std::mem::replace(&mut self.links[link].open, false) {
            return;
        }
        let id = self.links[link].device;
        let (now, clock) = (self.now, self.clock(id));
        self.devices[id].link = None;
        self.links[link].cut = true;
        if let Some(code) = code {
            self.trace.say(now, format_args!("{} is told {code:?}", self.devices[id].name));
            self.devices[id].engine.closed(clock, code);
        }
        self.devices[id].engine.disconnected(clock);
        self.pump_device(id);
        self.redial(id, 2_000);
    }
}
