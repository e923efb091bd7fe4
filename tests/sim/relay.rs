//! The relay: its real parts, with a writer that takes its time, readers that take theirs, and a process that can die.

use super::link::{Admission, Down, LinkId, Side};
use super::plan::Phase;
use super::world::{Event, World};
use bytes::Bytes;
use kith_client::core::Engine;
use kith_protocol::error::CloseCode;
use kith_protocol::event::Setting;
use kith_protocol::frame::{ClientFrame, Refused, ServerFrame};
use kith_protocol::ids::{AccountId, DeviceId, Incarnation, RoomId, Seq};
use kith_protocol::limits::{IN_FLIGHT_MAX, PAGE_BYTES};
use kith_protocol::register::Register;
use kith_relay::relay::admission::{self, Turned};
use kith_relay::relay::conn::{Conn, Identity as Who};
use kith_relay::relay::folds::fold_account;
use kith_relay::relay::outbound::{Next, Outbound};
use kith_relay::relay::publish::publish;
use kith_relay::relay::reads::{self, Read};
use kith_relay::relay::registry::Registry;
use kith_relay::relay::session::{Session, Step};
use kith_relay::relay::slots::Slots;
use kith_relay::relay::writer::{Asker, Committed, Job, WriteLimits, Writer, Written};
use kith_relay::relay::writes::Write;
use kith_relay::store::Reader;
use kith_relay::store::memory::MemoryDisk;
use kith_relay::store::retention::Share;
use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

/// The relay and its disk.
pub(crate) struct Relay {
    pub(crate) disk: MemoryDisk,
    pub(crate) process: Option<Process>,
    pub(crate) incarnation: Incarnation,
    /// Dies at this moment of the next group, for so long.
    pub(crate) crash_at: Option<(Phase, u64)>,
    pub(crate) backup: Option<MemoryDisk>,
    /// How far each account's read mark of each room has come.
    pub(crate) marks: BTreeMap<(AccountId, RoomId), Seq>,
    /// Where the rooms stood when a device was signed out.
    pub(crate) ends: BTreeMap<DeviceId, BTreeMap<RoomId, Seq>>,
    started: u32,
}

pub(crate) struct Process {
    pub(crate) number: u32,
    writer: Writer,
    reader: Box<dyn Reader>,
    pub(crate) registry: Registry,
    pub(crate) slots: Slots,
    jobs: VecDeque<Job>,
    /// On disk, not yet told.
    committed: Option<Committed>,
    busy: bool,
}

/// A relay that has so much to write to one connection reads nothing more from it.
const UNWRITTEN_MAX: usize = 64 * 1024;
const READS_MAX: u32 = 4;
const QUEUE_BYTES: usize = 64 * 1024;
/// Beyond the bounds of the queue only answers to what was asked before it was full: pages, and one ack for each entry.
const OUTBOUND_MAX: usize = UNWRITTEN_MAX + QUEUE_BYTES + (READS_MAX as usize + 1) * 2 * PAGE_BYTES;

impl Relay {
    pub(crate) fn new() -> Self {
        let incarnation = Incarnation([1; 16]);
        let mut relay = Self {
            disk: MemoryDisk::new(incarnation),
            process: None,
            incarnation,
            crash_at: None,
            backup: None,
            marks: BTreeMap::new(),
            ends: BTreeMap::new(),
            started: 0,
        };
        relay.start();
        relay
    }

    fn start(&mut self) {
        let limits = WriteLimits {
            accounts: 100,
            rooms_per_account: 1000,
            members_per_room: 100,
            devices_per_account: 10,
            body_bytes: 256 * 1024,
            share: Share::default(),
        };
        let writer = Writer::new(Box::new(self.disk.open()), limits);
        self.started += 1;
        self.process = Some(Process {
            number: self.started,
            reader: writer.engine().reader().unwrap(),
            writer,
            registry: Registry::default(),
            slots: Slots::new(100),
            jobs: VecDeque::new(),
            committed: None,
            busy: false,
        });
    }

    /// Put back to what a copy holds.
    fn restore(&mut self, copy: MemoryDisk, incarnation: Incarnation) {
        self.disk = copy;
        self.incarnation = incarnation;
        self.marks.clear();
        self.ends.clear();
    }

    /// Whether a device belongs to its account, as far as the disk says.
    pub(crate) fn admits(&self, engine: &Engine) -> bool {
        let me = engine.me();
        let Some(account) = fold_account(self.disk.read(), &me.person.account).unwrap() else {
            // It waits to be admitted.
            return true;
        };
        account.live(&me.device).is_some()
    }

    fn is(&self, number: u32) -> bool {
        self.process.as_ref().is_some_and(|process| process.number == number)
    }
}

impl World<'_> {
    /// The process dies with all that it had not committed; the connections end.
    pub(crate) fn relay_crash(&mut self, down_ms: u64) {
        self.trace.say(self.now, format_args!("the relay dies for {down_ms} ms"));
        self.relay.crash_at = None;
        let Some(process) = self.relay.process.take() else { return };
        for link in 0..self.links.len() {
            if self.links[link].process == process.number {
                self.links[link].relay = Side::Closed;
                self.cut(link);
            }
        }
        let at = self.now + down_ms;
        self.schedule(at, Event::RelayUp);
    }

    pub(crate) fn relay_up(&mut self) {
        if self.relay.process.is_none() {
            self.trace.say(self.now, format_args!("the relay starts"));
            self.relay.start();
        }
    }

    pub(crate) fn relay_restore(&mut self, down_ms: u64) {
        let Some(copy) = self.relay.backup.take() else { return };
        let incarnation = Incarnation([2; 16]);
        self.relay_crash(down_ms);
        self.relay.restore(copy, incarnation);
    }

    /// A frame of a device's has arrived.
    pub(crate) fn arrive_at_relay(&mut self, id: LinkId) {
        let link = &mut self.links[id];
        if link.cut || matches!(link.relay, Side::Closed) || !self.relay.is(link.process) {
            return;
        }
        let may_read = match &link.relay {
            Side::Unidentified(_) => true,
            Side::Joining(..) | Side::Entering | Side::Closed => false,
            Side::Identified(session) => {
                let conn = session.conn();
                (conn.in_flight() as usize) < IN_FLIGHT_MAX
                    && conn.reads() < READS_MAX
                    && conn.outbound.bytes() < UNWRITTEN_MAX
            }
        };
        if !may_read {
            let at = self.now + 1;
            return self.schedule(at, Event::ToRelay(id));
        }
        let Some(frame) = link.up.pop_front() else { return };
        self.trace.bytes(&frame);
        match std::mem::replace(&mut self.links[id].relay, Side::Entering) {
            Side::Unidentified(challenge) => self.greeted(id, challenge, &frame),
            Side::Identified(session) => {
                let process = self.relay.process.as_ref().expect("it runs");
                let step = session.handle_frame(self.now, &frame, &process.registry, &process.slots);
                let conn = Arc::clone(session.conn());
                self.links[id].relay = Side::Identified(session);
                match step {
                    Step::Done | Step::Administer(_) | Step::TestPush(_) => {}
                    Step::Write(write) => {
                        if matches!(*write, Write::Entry(..)) {
                            conn.sent();
                        }
                        self.write(Asker::Conn(conn), *write);
                    }
                    Step::Read(read) => {
                        conn.asked();
                        self.ask(id, read);
                    }
                    Step::Close(code) => {
                        let name = &self.links[id].name;
                        self.book.wrong.push(format!("{name} broke the protocol: {code:?}"));
                    }
                }
            }
            other => self.links[id].relay = other,
        }
        self.pump_relay();
    }

    fn greeted(&mut self, id: LinkId, challenge: kith_protocol::keys::Challenge, frame: &[u8]) {
        let process = self.relay.process.as_ref().expect("it runs");
        match ClientFrame::decode(frame).expect("a device of ours speaks well") {
            ClientFrame::Identify(identify) => {
                match admission::identify(&*process.reader, &challenge, &identify) {
                    Ok(who) => {
                        let at = self.soon(10);
                        self.schedule(at, Event::Enter(id, who));
                    }
                    Err(Turned::Away(code)) => self.close(id, code),
                    Err(Turned::Down(code)) => {
                        self.book.wrong.push(format!("{} is turned down: {code:?}", self.links[id].name));
                    }
                }
            }
            ClientFrame::Join(join) => {
                let req = join.req;
                match admission::newcomer(&challenge, join) {
                    Ok(newcomer) => {
                        let admission = Admission::default();
                        let slot = Arc::clone(&admission);
                        self.links[id].relay = Side::Joining(challenge, req, admission);
                        let asker = Asker::Waiting {
                            by: None,
                            reply: Box::new(move |result| *slot.lock().unwrap() = Some(result)),
                        };
                        self.write(asker, Write::Join(Box::new(newcomer)));
                    }
                    Err(error) => {
                        self.book.wrong.push(format!("{} cannot join: {error:?}", self.links[id].name));
                    }
                }
            }
            frame => {
                let answer = process.slots.handle(self.now, &frame);
                self.links[id].relay = Side::Unidentified(challenge);
                if let Some(answer) = answer {
                    self.send_down(id, Down::Frame(answer.encode()));
                }
            }
        }
    }

    pub(crate) fn enter(&mut self, id: LinkId, who: Who) {
        if !self.relay.is(self.links[id].process) || matches!(self.links[id].relay, Side::Closed) {
            return;
        }
        let process = self.relay.process.as_ref().expect("it runs");
        let conn = Conn::new(who, Outbound::new(self.net.queue, QUEUE_BYTES));
        match admission::enter(&*process.reader, &process.registry, &conn, 100) {
            Ok(_) => self.links[id].relay = Side::Identified(Session::new(conn)),
            Err(turned) => {
                process.registry.remove(&conn);
                match turned {
                    Turned::Away(code) => self.close(id, code),
                    Turned::Down(_) => self.close(id, CloseCode::Restarting),
                }
            }
        }
        self.pump_relay();
    }

    fn ask(&mut self, id: LinkId, read: Read) {
        // One reader for each connection: answers come in the order of the questions.
        let at = self.soon(10).max(self.links[id].read_at);
        self.links[id].read_at = at;
        self.schedule(at, Event::Answer(id, read));
    }

    pub(crate) fn answer(&mut self, id: LinkId, read: &Read) {
        if let (Side::Identified(session), Some(process)) = (&self.links[id].relay, &self.relay.process) {
            if !matches!(read, Read::Lagging(_)) {
                session.conn().told();
            }
            reads::answer(&*process.reader, session.conn(), read, self.now);
        }
        self.pump_relay();
    }

    /// Hands something to the writer.
    pub(crate) fn write(&mut self, from: Asker, write: Write) {
        let Some(process) = &mut self.relay.process else { return };
        process.jobs.push_back(Job { from, write, now: self.now });
        if !process.busy {
            process.busy = true;
            let number = process.number;
            let at = self.soon(3);
            self.schedule(at, Event::Commit(number));
        }
    }

    pub(crate) fn commit(&mut self, number: u32) {
        if !self.relay.is(number) {
            return;
        }
        if let Some((Phase::BeforeCommit, down_ms)) = self.relay.crash_at {
            return self.relay_crash(down_ms);
        }
        let Some(process) = &mut self.relay.process else { return };
        let size = self.net.group.min(process.jobs.len());
        let group: Vec<Job> = process.jobs.drain(..size).collect();
        let committed = process.writer.commit(group);
        let chains_grew = !committed.chains.is_empty();
        let marks = committed.registers.iter().filter_map(|(_, value, _)| mark(&value.register));
        for (account, room, seq) in marks {
            let known = self.relay.marks.entry((account, room)).or_default();
            if seq < *known {
                self.book.wrong.push(format!("a read mark went back from {known} to {seq} in {room}"));
            }
            *known = seq;
        }
        process.committed = Some(committed);
        if chains_grew {
            self.note_revocations();
        }
        if let Some((Phase::AfterCommit, down_ms)) = self.relay.crash_at {
            return self.relay_crash(down_ms);
        }
        let at = self.soon(self.net.disk_ms);
        self.schedule(at, Event::Publish(number));
    }

    /// From here on nothing comes from a device that is signed out.
    fn note_revocations(&mut self) {
        for device in &self.devices {
            let id = device.engine.me().device;
            if self.relay.ends.contains_key(&id) || self.relay.admits(&device.engine) {
                continue;
            }
            let disk = self.relay.disk.read();
            let heads = self.rooms.iter().map(|room| (*room, disk.head(room).unwrap().seq)).collect();
            self.relay.ends.insert(id, heads);
        }
    }

    pub(crate) fn publish(&mut self, number: u32) {
        if !self.relay.is(number) {
            return;
        }
        let Some(process) = &mut self.relay.process else { return };
        if let Some(committed) = process.committed.take() {
            publish(&process.registry, committed);
        }
        process.busy = !process.jobs.is_empty();
        if process.busy {
            let at = self.soon(2);
            self.schedule(at, Event::Commit(number));
        }
        self.admit();
        self.pump_relay();
        if let Some((Phase::AfterAnswer, down_ms)) = self.relay.crash_at {
            self.relay_crash(down_ms);
        }
    }

    /// Newcomers of whom the writer has decided.
    fn admit(&mut self) {
        for id in 0..self.links.len() {
            let Side::Joining(challenge, req, admission) = &self.links[id].relay else { continue };
            let (challenge, req) = (*challenge, *req);
            let outcome = admission.lock().unwrap().take();
            match outcome {
                None => {}
                Some(Ok(Written::Admitted(who))) => {
                    self.links[id].relay = Side::Entering;
                    self.enter(id, who);
                }
                Some(Err(code)) => {
                    self.links[id].relay = Side::Unidentified(challenge);
                    let refused = ServerFrame::Refused(Refused { req, code, retry_in_ms: 0 });
                    self.send_down(id, Down::Frame(refused.encode()));
                }
                Some(Ok(other)) => self.book.wrong.push(format!("a newcomer is answered {other:?}")),
            }
        }
    }

    /// Moves what waits for connections onto them, as far as they take it.
    pub(crate) fn pump_relay(&mut self) {
        for id in 0..self.links.len() {
            loop {
                let link = &self.links[id];
                let Side::Identified(session) = &link.relay else { break };
                let conn = Arc::clone(session.conn());
                if conn.outbound.bytes() > OUTBOUND_MAX {
                    let text = format!("{} bytes wait for {}", conn.outbound.bytes(), link.name);
                    self.book.wrong.push(text);
                }
                if link.down.len() >= self.net.window {
                    break;
                }
                match conn.outbound.next() {
                    None => break,
                    Some(Next::Frame(frame)) => self.send_down(id, Down::Frame(frame)),
                    Some(Next::Heads(rooms)) => self.ask(id, Read::Lagging(rooms)),
                    Some(Next::Close(code)) => self.close(id, code),
                }
            }
        }
    }

    fn close(&mut self, id: LinkId, code: CloseCode) {
        self.relay_hears(id);
        self.send_down(id, Down::Close(code));
    }

    pub(crate) fn send_down(&mut self, id: LinkId, down: Down) {
        let delay = self.net.delay_ms;
        let at = self.soon(delay).max(self.links[id].down_at);
        let link = &mut self.links[id];
        link.down_at = at;
        link.down.push_back(down);
        self.schedule(at, Event::ToDevice(id));
    }

    /// The relay notices that a connection has ended.
    pub(crate) fn relay_hears(&mut self, id: LinkId) {
        if let Side::Identified(session) = std::mem::replace(&mut self.links[id].relay, Side::Closed)
            && let Some(process) = &self.relay.process
            && process.number == self.links[id].process
        {
            process.registry.remove(session.conn());
        }
    }
}

fn mark(raw: &Bytes) -> Option<(AccountId, RoomId, Seq)> {
    let register = Register::parse(raw.clone()).ok()?;
    match Setting::decode(&register.body()).ok()? {
        Setting::ReadMark(mark) => Some((register.header().account, mark.room, mark.seq)),
        _ => None,
    }
}
