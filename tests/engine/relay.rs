//! The relay under test: its own sessions and writer over its memory engine.

use crate::device::Line;
use bytes::Bytes;
use kith_client::core::Engine;
use kith_protocol::frame::{ClientFrame, Presences, Refused, ServerFrame, Welcome};
use kith_protocol::ids::{AccountId, Incarnation};
use kith_relay::relay::admission::{self, Turned};
use kith_relay::relay::conn::{Conn, Identity as Who};
use kith_relay::relay::outbound::Outbound;
use kith_relay::relay::publish::publish;
use kith_relay::relay::reads;
use kith_relay::relay::registry::Registry;
use kith_relay::relay::session::{Session, Step};
use kith_relay::relay::slots::Slots;
use kith_relay::relay::writer::{Asker, Job, WriteLimits, Writer, Written};
use kith_relay::relay::writes::Write;
use kith_relay::store::memory::MemoryDisk;
use kith_relay::store::retention::{RetentionWrite, Share};
use kith_relay::store::{InviteRow, RelayRole};
use std::sync::{Arc, Mutex};

/// The relay.
pub(crate) struct Relay {
    pub(crate) writer: Writer,
    pub(crate) registry: Registry,
    pub(crate) slots: Slots,
    pub(crate) incarnation: Incarnation,
    queue: usize,
    reads: Bytes,
    disk: MemoryDisk,
}

impl Relay {
    pub(crate) fn new(disk: MemoryDisk) -> Self {
        let limits = WriteLimits {
            accounts: 100,
            rooms_per_account: 1000,
            members_per_room: 100,
            devices_per_account: 10,
            body_bytes: 256 * 1024,
            share: Share::default(),
        };
        Self {
            incarnation: disk.incarnation(),
            writer: Writer::new(Box::new(disk.open()), limits),
            disk,
            registry: Registry::default(),
            slots: Slots::new(100),
            queue: 1000,
            reads: Bytes::from_static(ClientFrame::TYPES),
        }
    }

    /// What a backup of the relay would hold now.
    pub(crate) fn backup(&self) -> MemoryDisk {
        self.disk.restored(Incarnation([2; 16]))
    }

    /// An invite for one newcomer.
    pub(crate) fn put_invite(&mut self, now: u64, token: [u8; 16], expires_at: u64) {
        let invite = InviteRow { token, uses: 1, expires_at, role: RelayRole::Owner, room: None, by: None };
        self.write(now, Asker::Waiting { by: None, reply: Box::new(|_| {}) }, Write::PutInvite(invite));
    }

    /// From now on the relay's disk is full, or no longer.
    pub(crate) fn set_full(&self, full: bool) {
        self.disk.set_full(full);
    }

    /// How many bytes an account may hold.
    pub(crate) fn set_share(&mut self, now: u64, account: AccountId, bytes: u64) {
        let share = Some(Share { bytes: Some(bytes) });
        let write = Write::Retention(RetentionWrite::Share { account, share });
        self.write(now, Asker::Waiting { by: None, reply: Box::new(|_| {}) }, write);
    }

    /// Pushes beyond so many are dropped.
    pub(crate) fn set_queue(&mut self, frames: usize) {
        self.queue = frames;
    }

    /// What it says that it reads, to all who come from now on; the first relays say nothing.
    pub(crate) fn set_reads(&mut self, types: &[u8]) {
        self.reads = Bytes::copy_from_slice(types);
    }

    /// A frame of a device's has come. Returns what its connection is now.
    pub(crate) fn take(&mut self, now: u64, line: Line, bytes: &[u8], engine: &mut Engine) -> Option<Line> {
        match line {
            Line::Unidentified(challenge, mut frames) => match ClientFrame::decode(bytes).unwrap() {
                ClientFrame::Identify(identify) => {
                    match admission::identify(self.writer.engine().read(), &challenge, &identify) {
                        Ok(who) => Some(self.enter(who)),
                        Err(Turned::Away(code)) => {
                            engine.closed(now, code);
                            engine.disconnected(now);
                            None
                        }
                        Err(Turned::Down(code)) => panic!("{code:?}"),
                    }
                }
                ClientFrame::Join(join) => {
                    let req = join.req;
                    let newcomer = match admission::newcomer(&challenge, join) {
                        Ok(newcomer) => newcomer,
                        Err(error) => panic!("{error:?}"),
                    };
                    let outcome = Arc::new(Mutex::new(None));
                    let slot = Arc::clone(&outcome);
                    let asker = Asker::Waiting {
                        by: None,
                        reply: Box::new(move |result| *slot.lock().unwrap() = Some(result)),
                    };
                    self.write(now, asker, Write::Join(Box::new(newcomer)));
                    let outcome = outcome.lock().unwrap().take();
                    match outcome {
                        Some(Ok(Written::Admitted(who))) => Some(self.enter(who)),
                        Some(Err(code)) => {
                            frames.push_back(ServerFrame::Refused(Refused { req, code, retry_in_ms: 0 }));
                            Some(Line::Unidentified(challenge, frames))
                        }
                        other => panic!("{other:?}"),
                    }
                }
                frame => {
                    frames.extend(self.slots.handle(now, &frame));
                    Some(Line::Unidentified(challenge, frames))
                }
            },
            Line::Identified(session) => {
                match session.handle_frame(now, bytes, &self.registry, &self.slots) {
                    Step::Done | Step::Administer(_) | Step::TestPush(_) => {}
                    Step::Write(write) => self.write(now, Asker::Conn(Arc::clone(session.conn())), *write),
                    Step::Read(read) => {
                        reads::answer(self.writer.engine().read(), session.conn(), &read, now);
                    }
                    Step::Close(code) => panic!("a device of ours broke the protocol: {code:?}"),
                }
                Some(Line::Identified(session))
            }
        }
    }

    fn enter(&self, who: Who) -> Line {
        let store = self.writer.engine().read();
        let conn = Conn::new(who, Outbound::new(self.queue, 1 << 24));
        let rooms = store.rooms_of(&who.account).unwrap();
        let rooms =
            rooms.iter().filter(|membership| membership.left.is_none()).map(|membership| membership.room);
        assert!(self.registry.add(&conn, rooms.collect(), 100));
        let ServerFrame::Welcome(welcome) = admission::welcome(store, &who).unwrap() else {
            panic!("no welcome")
        };
        assert_eq!(welcome.reads, ClientFrame::TYPES);
        conn.outbound.answer(ServerFrame::Welcome(Welcome { reads: self.reads.clone(), ..welcome }).encode());
        for frame in reads::heads_frames(&reads::heads(store, &who.account).unwrap()) {
            conn.outbound.answer(frame);
        }
        let people = self.registry.present(&who.account);
        conn.outbound.answer(ServerFrame::Presences(Presences { people }).encode());
        Line::Identified(Session::new(conn))
    }

    pub(crate) fn write(&mut self, now: u64, from: Asker, write: Write) {
        if let (Asker::Conn(conn), Write::Entry(..)) = (&from, &write) {
            conn.sent();
        }
        let committed = self.writer.commit(vec![Job { from, write, now }]);
        publish(&self.registry, committed);
    }
}
