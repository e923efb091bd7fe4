//! A relay and any number of devices in one thread and in virtual time: the relay's own sessions and writer over its memory
//! engine, real client engines over memory stores. Frames cross as bytes.

use crate::device::{Device, Line};
use crate::relay::Relay;
use kith_client::core::{Entropy, Identity, Newcomer, Reply, RequestError, Ticket};
use kith_client::timeline::Message;
use kith_client::vault::MemoryVault;
use kith_protocol::frame::{ClientFrame, Refused, ServerFrame};
use kith_protocol::ids::{AccountId, Incarnation, RoomId, Seq};
use kith_protocol::link::InviteLink;
use kith_relay::relay::admission;
use kith_relay::relay::outbound::Next;
use kith_relay::relay::reads::{self, Read};
use kith_relay::store::memory::MemoryDisk;
use std::collections::VecDeque;

/// Everything.
pub(crate) struct World {
    pub(crate) now: u64,
    pub(crate) relay: Relay,
    pub(crate) devices: Vec<Device>,
}

/// Names a device.
pub(crate) type Id = usize;

impl World {
    pub(crate) fn new() -> Self {
        Self {
            now: 1_700_000_000_000,
            relay: Relay::new(MemoryDisk::new(Incarnation([1; 16]))),
            devices: Vec::new(),
        }
    }

    /// A new account with its first device, admitted and in step.
    pub(crate) fn join(&mut self, handle: &str) -> Id {
        let seed = self.devices.len() as u64 + 1;
        self.join_as(handle, seed, |_| true)
    }

    /// The same for an account whose id is as wanted.
    pub(crate) fn join_as(&mut self, handle: &str, seed: u64, wanted: impl Fn(&AccountId) -> bool) -> Id {
        let token = [self.devices.len() as u8 + 1; 16];
        self.relay.put_invite(self.now, token, u64::MAX);
        let link = InviteLink { relay: "ws://127.0.0.1:1".into(), token, pin: None, from: None, room: None };
        let who = Newcomer { name: handle.into(), handle: Some(handle.into()), device_name: "laptop".into() };
        let now = self.now;
        let made = |seed: u64| {
            let mut vault = MemoryVault::new();
            let identity = Identity::join(&mut vault, &mut Entropy::seeded(seed), &link, &who, now).unwrap();
            (seed, vault, identity)
        };
        let (seed, vault, identity) = (seed..seed + 10_000)
            .map(made)
            .find(|(_, _, identity)| wanted(&identity.account()))
            .expect("some seed fits");
        let id = self.add(handle, vault, identity, seed);
        self.connect(id);
        self.settle();
        assert!(self.devices[id].engine.is_live(), "{handle} is admitted");
        id
    }

    /// A device that is in an account's chain already.
    pub(crate) fn add(&mut self, name: &str, vault: MemoryVault, identity: Identity, seed: u64) -> Id {
        let device = Device::new(name, vault, identity, seed);
        self.devices.push(device);
        self.devices.len() - 1
    }

    /// A second device of somebody who is connected, linked with a code.
    pub(crate) fn link(&mut self, to: Id, name: &str) -> Id {
        self.link_by(to, name, MemoryVault::new(), true).expect("it hears that it was linked")
    }

    /// The same with a vault from before. It may not hear that it was confirmed: then it is no device yet.
    pub(crate) fn link_by(&mut self, to: Id, name: &str, mut vault: MemoryVault, hears: bool) -> Option<Id> {
        use kith_client::core::{LinkStep, Linking};
        self.now += 1;
        let seed = self.now;
        let (code, _, answered) = self.devices[to].engine.link_offer(self.now).unwrap();
        self.settle();
        let mut linking = Linking::new(&mut vault, &mut Entropy::seeded(seed), code, name).unwrap();
        let (_, hello) = admission::hello(self.relay.incarnation, [9; 32], self.now);
        linking.connected();
        linking.handle_frame(self.now, &hello);
        let mut digits = None;
        for _ in 0..20 {
            while let Some(frame) = linking.poll_transmit() {
                let answer = self.relay.slots.handle(self.now, &frame).unwrap();
                linking.handle_frame(self.now, &answer);
            }
            match linking.poll_step() {
                Some(LinkStep::Digits { digits: shown, .. }) => digits = Some(shown),
                Some(LinkStep::Linked(account)) => {
                    let relay = self.devices[to].engine.relay().clone();
                    let identity = linking.finish(&mut vault, account, relay).unwrap();
                    let id = self.add(name, vault, identity, seed);
                    self.connect(id);
                    self.settle();
                    return Some(id);
                }
                Some(LinkStep::Failed(why)) => panic!("{why}"),
                None => {}
            }
            self.now += 1000;
            self.wake();
            if let Some(Ok(Reply::Answered(answered))) = self.reply_to(to, answered) {
                assert_eq!(Some(answered.digits), digits, "both sides show the same");
                self.devices[to].engine.link_confirm(self.now, true).unwrap();
                self.settle();
                if !hears {
                    return None;
                }
            }
            self.settle();
            linking.handle_timeout(self.now);
        }
        panic!("{name} was not linked");
    }

    /// What came of a request, if its answer is there.
    pub(crate) fn reply_to(&mut self, id: Id, ticket: Ticket) -> Option<Result<Reply, RequestError>> {
        let replies = &mut self.devices[id].replies;
        let at = replies.iter().position(|(other, _)| *other == ticket)?;
        Some(replies.swap_remove(at).1)
    }

    pub(crate) fn connect(&mut self, id: Id) {
        self.connect_with_clock(id, self.now);
    }

    /// Connects while the device's clock says something else.
    pub(crate) fn connect_with_clock(&mut self, id: Id, clock: u64) {
        let nonce = [(self.devices[id].seed as u8) ^ 0x55; 32];
        let (challenge, hello) = admission::hello(self.relay.incarnation, nonce, self.now);
        self.devices[id].engine.connected(clock);
        self.devices[id].engine.handle_frame(clock, hello);
        self.devices[id].line = Some(Line::Unidentified(challenge, VecDeque::new()));
    }

    pub(crate) fn disconnect(&mut self, id: Id) {
        if let Some(Line::Identified(session)) = self.devices[id].line.take() {
            self.relay.registry.remove(session.conn());
        }
        let now = self.now;
        self.devices[id].engine.disconnected(now);
    }

    /// The process dies; `lost` of its commits had not reached the disk. Another starts.
    pub(crate) fn crash(&mut self, id: Id, keep: usize) {
        self.disconnect(id);
        self.devices[id].restart(keep);
    }

    /// The store is lost, the vault is not.
    pub(crate) fn lose_store(&mut self, id: Id) {
        self.devices[id].lose_store();
        self.crash(id, 0);
    }

    /// The relay is put back to what a backup holds: `backup` with a new identity.
    pub(crate) fn restore(&mut self, backup: MemoryDisk) {
        for id in 0..self.devices.len() {
            self.disconnect(id);
        }
        self.relay = Relay::new(backup);
    }

    /// Carries frames until nobody has anything to say.
    pub(crate) fn settle(&mut self) {
        for round in 0.. {
            assert!(round < 100_000, "the devices never come to rest");
            let mut moved = false;
            for id in 0..self.devices.len() {
                moved |= self.carry(id);
            }
            if !moved {
                return;
            }
        }
    }

    /// Carries so many rounds of frames, and leaves the rest on its way.
    pub(crate) fn carry_some(&mut self, rounds: usize) {
        for round in 0..rounds {
            let id = round % self.devices.len();
            self.carry(id);
        }
    }

    /// Lets time pass to the next timeout, if there is one within a minute, and everything settle.
    pub(crate) fn wake(&mut self) {
        let now = self.now;
        for device in &mut self.devices {
            if device.engine.poll_timeout().is_some_and(|at| at <= now) {
                device.engine.handle_timeout(now);
            }
        }
        self.settle();
    }

    /// Lets so much time pass.
    pub(crate) fn pass(&mut self, ms: u64) {
        let end = self.now + ms;
        self.settle();
        loop {
            let next = self.devices.iter().filter_map(|device| device.engine.poll_timeout()).min();
            match next {
                Some(at) if at <= end => {
                    self.now = self.now.max(at);
                    self.wake();
                }
                _ => break,
            }
        }
        self.now = end;
        self.wake();
    }

    fn carry(&mut self, id: Id) -> bool {
        let now = self.now;
        let mut moved = false;
        let device = &mut self.devices[id];
        while let Some(frame) = device.engine.poll_transmit() {
            moved = true;
            if let ClientFrame::FetchControl(fetch) = &frame
                && let Some(code) = device.refused.pop_front()
            {
                let refused = Refused { req: fetch.req, code, retry_in_ms: 0 };
                device.engine.handle_frame(now, ServerFrame::Refused(refused));
                continue;
            }
            match device.line.take() {
                None => {}
                Some(line) => device.line = self.relay.take(now, line, &frame.encode(), &mut device.engine),
            }
        }
        loop {
            let frame = match &mut device.line {
                None => None,
                Some(Line::Unidentified(_, frames)) => frames.pop_front(),
                Some(Line::Identified(session)) => match session.conn().outbound.next() {
                    None => None,
                    Some(Next::Frame(bytes)) => Some(ServerFrame::decode(&bytes).unwrap()),
                    Some(Next::Heads(rooms)) => {
                        reads::answer(
                            self.relay.writer.engine().read(),
                            session.conn(),
                            &Read::Lagging(rooms),
                            now,
                        );
                        moved = true;
                        continue;
                    }
                    Some(Next::Close(code)) => {
                        self.relay.registry.remove(session.conn());
                        device.line = None;
                        device.engine.closed(now, code);
                        device.engine.disconnected(now);
                        return true;
                    }
                },
            };
            let Some(frame) = frame else { break };
            moved = true;
            device.engine.handle_frame(now, frame);
        }
        while let Some(update) = device.engine.poll_event() {
            device.updates.push(update);
        }
        while let Some(reply) = device.engine.poll_reply() {
            device.replies.push(reply);
        }
        if device.engine.take_hang_up() {
            self.disconnect(id);
            moved = true;
        }
        moved
    }

    // What tests say.

    pub(crate) fn dm(&mut self, from: Id, to: Id) -> RoomId {
        let partner = self.devices[to].engine.me().person.account;
        let now = self.now;
        self.devices[from].engine.open_direct(now, partner).unwrap()
    }

    pub(crate) fn say(&mut self, id: Id, room: RoomId, text: &str) -> kith_protocol::ids::TxnId {
        self.now += 1;
        let now = self.now;
        self.devices[id].engine.send(now, &room, kith_client::core::Outgoing::text(text)).unwrap()
    }

    pub(crate) fn lines(&mut self, id: Id, room: RoomId) -> Vec<Message> {
        self.devices[id].engine.history(&room, None, 100_000).unwrap()
    }

    pub(crate) fn texts(&mut self, id: Id, room: RoomId) -> Vec<String> {
        let lines = self.lines(id, room);
        lines.into_iter().filter(|line| line.changes.is_empty()).map(|line| line.text).collect()
    }

    pub(crate) fn group(&mut self, owner: Id, name: &str, others: &[Id]) -> RoomId {
        let others: Vec<_> = others.iter().map(|id| self.devices[*id].engine.me().person.account).collect();
        let now = self.now;
        let ticket = self.devices[owner].engine.create_room(now, name, &others).unwrap();
        self.settle();
        match self.reply_to(owner, ticket) {
            Some(Ok(Reply::Room(room))) => room,
            other => panic!("{other:?}"),
        }
    }

    /// All of these hold the same, and know that they do.
    pub(crate) fn agree(&mut self, room: RoomId, devices: &[Id]) -> Seq {
        let verified: Vec<_> =
            devices.iter().map(|id| self.devices[*id].engine.verify(&room).unwrap()).collect();
        for (id, one) in devices.iter().zip(&verified) {
            assert!(one.complete && one.sound, "{}: {one:?}", self.devices[*id].name);
            assert_eq!(
                (one.seq, one.hash),
                (verified[0].seq, verified[0].hash),
                "{}",
                self.devices[*id].name
            );
        }
        let shown: Vec<Vec<Message>> = devices
            .iter()
            .map(|id| {
                let mut lines = self.lines(*id, room);
                lines.iter_mut().for_each(|line| line.receipts.clear());
                lines
            })
            .collect();
        for lines in &shown {
            assert_eq!(lines, &shown[0]);
        }
        verified[0].seq
    }
}
