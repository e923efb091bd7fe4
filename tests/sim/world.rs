//! Time, chance, and who is in it.

use super::check;
use super::device::Device;
use super::link::{Link, LinkId};
use super::plan::{Net, Op, Plan};
use super::relay::Relay;
use super::setup::CALM;
use super::trace::Trace;
use super::visitor::Visitor;
use fastrand::Rng;
use kith_client::core::Ticket;
use kith_client::vault::MemoryVault;
use kith_protocol::error::{CloseCode, ErrorCode};
use kith_protocol::event::Target;
use kith_protocol::ids::{DeviceId, RoomId, Seq};
use kith_relay::relay::conn::Identity as Who;
use kith_relay::relay::reads::Read;
use std::collections::{BTreeMap, BTreeSet};

/// When it begins, in milliseconds since 1970.
pub(crate) const START: u64 = 1_700_000_000_000;
/// More events than any run needs that comes to rest.
const EVENTS_MAX: u64 = 400_000;
/// How long after the last trouble everything may take to come to rest.
const REST_MS: u64 = 1_200_000;

/// What came of a run.
pub(crate) struct Ran {
    /// Everything that happened, as one number.
    pub(crate) trace: u64,
    pub(crate) events: u64,
    /// What must hold and does not.
    pub(crate) wrong: Vec<String>,
}

/// Everything.
pub(crate) struct World<'a> {
    pub(crate) now: u64,
    pub(crate) plan: &'a Plan,
    pub(crate) net: Net,
    pub(crate) rng: Rng,
    pub(crate) trace: Trace,
    pub(crate) relay: Relay,
    pub(crate) links: Vec<Link>,
    pub(crate) devices: Vec<Device>,
    pub(crate) rooms: Vec<RoomId>,
    pub(crate) visitors: Vec<Option<Visitor>>,
    /// What those have on disk who were not let in, by person.
    pub(crate) turned_away: BTreeMap<usize, MemoryVault>,
    pub(crate) book: Book,
    /// No more trouble.
    pub(crate) healed: bool,
    queue: BTreeMap<(u64, u64), Event>,
    events: u64,
}

/// What people were told, to be held against what is there in the end.
#[derive(Default)]
pub(crate) struct Book {
    pub(crate) said: BTreeMap<Target, Said>,
    pub(crate) edits: BTreeSet<Target>,
    pub(crate) acked: BTreeMap<Target, (RoomId, Seq)>,
    pub(crate) failed: BTreeMap<Target, ErrorCode>,
    /// Taken away, and by what.
    pub(crate) gone: BTreeMap<Target, Vec<Target>>,
    pub(crate) discarded: BTreeSet<Target>,
    pub(crate) maybe_gone: BTreeSet<Target>,
    /// Whom somebody asked to be signed out.
    pub(crate) revoked: BTreeSet<DeviceId>,
    /// Who was asked, and waits for the answer.
    pub(crate) revoking: BTreeMap<(usize, Ticket), DeviceId>,
    /// Who is signed out, as somebody was told who had asked for it.
    pub(crate) signed_out: BTreeSet<DeviceId>,
    pub(crate) texts: u64,
    pub(crate) wrong: Vec<String>,
}

pub(crate) struct Said {
    pub(crate) device: usize,
    pub(crate) room: RoomId,
    pub(crate) text: String,
    pub(crate) edits: Vec<String>,
    pub(crate) order: u64,
    /// When, if the device could know the time.
    pub(crate) at: Option<u64>,
}

/// What happens next.
pub(crate) enum Event {
    Step(usize),
    ToRelay(LinkId),
    ToDevice(LinkId),
    Enter(LinkId, Who),
    Answer(LinkId, Read),
    Commit(u32),
    Publish(u32),
    Timer(usize, u64),
    Visit(usize),
    Dial(usize),
    Back(usize),
    ClientHears(LinkId, Option<CloseCode>),
    RelayHears(LinkId),
    RelayUp,
    Room,
}

/// Runs a plan to its end, heals everything, waits until it rests, and looks.
pub(crate) fn run(plan: &Plan) -> Ran {
    let mut world = World::new(plan);
    world.set_up();
    for (index, (at, _)) in plan.steps.iter().enumerate() {
        world.schedule(START + SETUP_MS + at, Event::Step(index));
    }
    let rested = world.run_until_quiet().and_then(|()| {
        world.heal();
        world.run_until_quiet()
    });
    match rested {
        Ok(()) => check::look(&mut world),
        Err(why) => world.book.wrong.push(why),
    }
    Ran { trace: world.trace.hash, events: world.events, wrong: world.book.wrong }
}

/// Setting up takes less.
pub(crate) const SETUP_MS: u64 = 600_000;

impl<'a> World<'a> {
    fn new(plan: &'a Plan) -> Self {
        Self {
            now: START,
            plan,
            net: CALM,
            rng: Rng::with_seed(plan.seed ^ 0x5eed),
            trace: Trace::new(),
            relay: Relay::new(),
            links: Vec::new(),
            devices: Vec::new(),
            rooms: Vec::new(),
            visitors: Vec::new(),
            turned_away: BTreeMap::new(),
            book: Book::default(),
            healed: false,
            queue: BTreeMap::new(),
            events: 0,
        }
    }

    /// What is scheduled first for a moment happens first.
    pub(crate) fn schedule(&mut self, at: u64, event: Event) {
        self.events += 1;
        self.queue.insert((at.max(self.now), self.events), event);
    }

    /// Up to so many milliseconds from now, at least one.
    pub(crate) fn soon(&mut self, ms_max: u64) -> u64 {
        self.now + self.rng.u64(1..=ms_max.max(1))
    }

    pub(crate) fn run_until_quiet(&mut self) -> Result<(), String> {
        let end = self.queue.keys().map(|(at, _)| *at).max().unwrap_or(self.now).max(self.now) + REST_MS;
        while let Some(((at, _), event)) = self.queue.pop_first() {
            self.now = self.now.max(at);
            if self.now > end || self.events > EVENTS_MAX {
                return Err(format!("it never comes to rest: {}", self.restless()));
            }
            self.happen(event);
        }
        Ok(())
    }

    fn happen(&mut self, event: Event) {
        match event {
            Event::Step(index) => {
                let op = self.plan.steps[index].1;
                if op.device().is_none_or(|dev| dev < self.devices.len()) {
                    self.trace.say(self.now, format_args!("{op:?}"));
                    self.act(op);
                }
            }
            Event::ToRelay(link) => self.arrive_at_relay(link),
            Event::ToDevice(link) => self.arrive_at_device(link),
            Event::Enter(link, who) => self.enter(link, who),
            Event::Answer(link, read) => self.answer(link, &read),
            Event::Commit(process) => self.commit(process),
            Event::Publish(process) => self.publish(process),
            Event::Timer(id, number) => self.timer(id, number),
            Event::Visit(index) => self.visit(index),
            Event::Dial(id) => self.dial(id),
            Event::Back(id) => self.back(id),
            Event::ClientHears(link, code) => self.client_hears(link, code),
            Event::RelayHears(link) => self.relay_hears(link),
            Event::RelayUp => self.relay_up(),
            Event::Room => self.relay.disk.set_full(false),
        }
    }

    /// No more trouble: everybody is on line, and stays there.
    fn heal(&mut self) {
        self.trace.say(self.now, format_args!("healed"));
        self.healed = true;
        self.relay.disk.set_full(false);
        self.relay.crash_at = None;
        self.relay_up();
        for id in 0..self.devices.len() {
            self.devices[id].disk_heals();
            self.back(id);
        }
    }

    fn restless(&mut self) -> String {
        let devices: Vec<String> = self
            .devices
            .iter()
            .map(|device| {
                let engine = &device.engine;
                format!("{} {:?} timer {:?}", device.name, engine.progress(), engine.poll_timeout())
            })
            .collect();
        devices.join("; ")
    }
}

impl Op {
    /// Whose it is, if it is a device's.
    pub(crate) fn device(self) -> Option<usize> {
        match self {
            Self::Say { dev, .. }
            | Self::Answer { dev, .. }
            | Self::Edit { dev, .. }
            | Self::Redact { dev, .. }
            | Self::React { dev, .. }
            | Self::Read { dev, .. }
            | Self::Draft { dev, .. }
            | Self::Wish { dev, .. }
            | Self::Set { dev }
            | Self::Rename { dev }
            | Self::Add { dev }
            | Self::Remove { dev }
            | Self::Cut { dev }
            | Self::Away { dev, .. }
            | Self::Kill { dev }
            | Self::PowerCut { dev, .. }
            | Self::LoseStore { dev }
            | Self::Sync { dev }
            | Self::Link { dev }
            | Self::Revoke { dev, .. }
            | Self::Clock { dev, .. }
            | Self::FailCommits { dev, .. } => Some(dev),
            Self::Crash { .. } | Self::Full { .. } | Self::Backup | Self::Restore { .. } => None,
        }
    }
}
