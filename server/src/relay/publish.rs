//! In which order devices hear what a group has changed, once it is on disk. Devices rely on that order.

use super::registry::Registry;
use super::writer::{Committed, Growth, Move};
use bytes::Bytes;
use kith_protocol::frame::{ChainGrew, Entries, Registers, ServerFrame};
use kith_protocol::ids::{RoomId, Seq};

/// How many deliveries came of it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Told {
    /// Entries and registers that wait in somebody's queue.
    pub queued: u64,
    /// Those for which a queue had no room.
    pub dropped: u64,
}

/// Tells everybody.
pub fn publish(registry: &Registry, mut committed: Committed) -> Told {
    let mut told = Told::default();
    for (room, growth) in &committed.rooms {
        growth.publish(room, registry, &mut told);
    }
    for (room, value, from) in &committed.registers {
        let frame = Registers { req: 0, room: *room, values: vec![value.clone()], more: false };
        told.count(1, registry.push(room, &ServerFrame::Registers(frame).encode(), *from));
    }
    for (account, len) in &committed.chains {
        let frame = ServerFrame::ChainGrew(ChainGrew { account: *account, len: *len }).encode();
        registry.tell(account, &frame, None);
    }
    if let Some(announcement) = committed.announced.take() {
        registry.tell_all(&ServerFrame::Announcement(announcement).encode(), None);
    }
    let closed = std::mem::take(&mut committed.closed);
    committed.answer();
    for (account, device, code) in closed {
        registry.close(&account, device.as_ref(), code);
    }
    told
}

impl Growth {
    fn publish(&self, room: &RoomId, registry: &Registry, told: &mut Told) {
        let mut next = self.first;
        let mut push_until = |last: Seq| {
            let entries = self.between(next, last);
            if !entries.is_empty() {
                let frame = Entries { room: *room, first: next, entries: entries.to_vec() };
                let counts = registry.push(room, &ServerFrame::Entries(frame).encode(), self.only_from);
                told.count(entries.len() as u64, counts);
            }
            next = last.next();
        };
        for (account, turn, head) in &self.turns {
            match turn {
                // Members hear of a room before they hear what was said in it.
                Move::In => registry.join(account, room, *head),
                // Who left hears that it was they who left, and of nothing behind it, though both stand in one group.
                Move::Out => {
                    push_until(head.seq);
                    registry.part(account, room);
                }
            }
        }
        push_until(self.head.seq);
    }

    fn between(&self, first: Seq, last: Seq) -> &[Bytes] {
        let place = |seq: Seq| usize::try_from(seq.0.saturating_sub(self.first.0)).unwrap_or(usize::MAX);
        self.entries.get(place(first)..place(last.next())).unwrap_or_default()
    }
}

impl Told {
    fn count(&mut self, items: u64, (queued, dropped): (u64, u64)) {
        self.queued += queued * items;
        self.dropped += dropped * items;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::relay::conn::Conn;
    use crate::relay::outbound::{Next, Outbound};
    use crate::relay::person::{LIMITS, Person};
    use crate::relay::writer::{Asker, Job, Writer};
    use crate::relay::writes::Write;
    use crate::store::Engine;
    use crate::store::memory::MemoryEngine;
    use kith_protocol::entry::Kind;
    use kith_protocol::error::{CloseCode, ErrorCode};
    use kith_protocol::ids::{Hash, Incarnation, Rev};
    use kith_protocol::register::{Register, RegisterHeader, Scope};
    use kith_protocol::room::{ControlOp, Role, group_ops};
    use std::sync::Arc;

    /// Alice, who owns a group, and Bob, who is in it; both are connected.
    struct World {
        writer: Writer,
        registry: Registry,
        alice: Person,
        bob: Person,
        room: RoomId,
        control: (Hash, u32),
    }

    impl Person {
        fn heard(&self) -> Vec<ServerFrame> {
            let frame = |next| match next {
                Next::Frame(bytes) => ServerFrame::decode(&bytes).unwrap(),
                other => panic!("{other:?}"),
            };
            std::iter::from_fn(|| self.conn.outbound.next().map(frame)).collect()
        }

        /// The places of the entries that were pushed, and whether a register was.
        fn heard_places(&self) -> (Vec<u64>, bool) {
            let frames = self.heard();
            let places = frames.iter().flat_map(|frame| match frame {
                ServerFrame::Entries(it) => (it.first.0..).take(it.entries.len()).collect(),
                _ => Vec::new(),
            });
            let register = frames.iter().any(|frame| matches!(frame, ServerFrame::Registers(_)));
            (places.collect(), register)
        }
    }

    impl World {
        fn new() -> Self {
            let mut engine = MemoryEngine::new(Incarnation([7; 16]));
            engine.begin().unwrap();
            let mut alice = Person::new(&mut engine, 1, "alice");
            let bob = Person::new(&mut engine, 2, "bob");
            engine.commit().unwrap();
            let registry = Registry::default();
            for person in [&alice, &bob] {
                assert!(registry.add(&person.conn, Vec::new(), 9));
            }
            let ops = group_ops(alice.account, [1; 16], [bob.account]);
            let genesis = alice.entry(RoomId::ZERO, Hash::ZERO, Kind::Control { index: 0, ops });
            let room = genesis.room();
            let writer = Writer::new(Box::new(engine), LIMITS);
            let mut world = Self { writer, registry, alice, bob, room, control: (genesis.digest(), 1) };
            world.group(vec![Write::Control(1, genesis)]);
            world.alice.heard();
            world.bob.heard();
            world
        }

        fn message(&mut self) -> Write {
            Write::Entry(0, self.alice.entry(self.room, Hash::ZERO, Kind::Message))
        }

        fn change(&mut self, op: ControlOp) -> Write {
            let (head, index) = self.control;
            let entry = self.alice.entry(self.room, head, Kind::Control { index, ops: vec![op] });
            self.control = (entry.digest(), index + 1);
            Write::Control(1, entry)
        }

        fn register(&self) -> Write {
            let header = RegisterHeader {
                key_source: 0,
                scope: Scope::Room,
                room: self.room,
                account: self.alice.account,
                device: self.alice.keys.id(),
                chain_len: 1,
                control_head: Hash::ZERO,
                replaces: Rev::ZERO,
                key: kith_protocol::ids::RegisterKey([1; 32]),
                at: 1,
            };
            Write::Register(1, Register::sign(&header, b"name", &self.alice.keys))
        }

        /// All of it by Alice, in one group.
        fn group(&mut self, writes: Vec<Write>) -> Told {
            let from = || Asker::Conn(Arc::clone(&self.alice.conn));
            let job = |write| Job { from: from(), write, now: 1 };
            for write in &writes {
                if matches!(write, Write::Entry(..)) {
                    self.alice.conn.sent();
                }
            }
            let committed = self.writer.commit(writes.into_iter().map(job).collect());
            for (_, result, _) in &committed.answers {
                assert!(result.is_ok(), "{result:?}");
            }
            publish(&self.registry, committed)
        }
    }

    #[test]
    fn who_is_removed_hears_nothing_behind_it_in_the_same_group() {
        let mut world = World::new();
        let bob = world.bob.account;
        let group =
            vec![world.message(), world.change(ControlOp::Remove(bob)), world.message(), world.register()];
        let told = world.group(group);
        assert_eq!(world.bob.heard_places(), (vec![2, 3], false));
        assert_eq!(told, Told { queued: 2, dropped: 0 }, "alice wrote it all and has her answers");
        let group = vec![world.message()];
        world.group(group);
        assert_eq!(world.bob.heard_places(), (vec![], false));
    }

    #[test]
    fn who_comes_back_in_the_same_group_goes_on_hearing() {
        let mut world = World::new();
        let bob = world.bob.account;
        let group = vec![
            world.change(ControlOp::Remove(bob)),
            world.message(),
            world.change(ControlOp::Add(bob, Role::Member)),
            world.message(),
        ];
        world.group(group);
        let frames = world.bob.heard();
        let heads = frames.iter().position(|frame| matches!(frame, ServerFrame::Heads(_)));
        let last = frames.iter().rposition(|frame| matches!(frame, ServerFrame::Entries(_)));
        assert!(heads < last, "the room first, then what was said in it: {frames:?}");
        let group = vec![world.message(), world.register()];
        world.group(group);
        assert_eq!(world.bob.heard_places(), (vec![6], true));
    }

    #[test]
    fn who_was_sent_away_writes_nothing_more() {
        let mut world = World::new();
        let before = world.writer.engine().read().head(&world.room).unwrap();
        for (code, refusal) in
            [(CloseCode::Disabled, ErrorCode::Disabled), (CloseCode::Revoked, ErrorCode::Revoked)]
        {
            let identity = world.alice.conn.identity;
            world.alice.conn = Conn::new(identity, Outbound::new(9, 999));
            world.alice.conn.outbound.close(code);
            let writes =
                [world.message(), world.register(), world.change(ControlOp::Remove(world.bob.account))];
            for write in writes {
                let from = Asker::Conn(Arc::clone(&world.alice.conn));
                let committed = world.writer.commit(vec![Job { from, write, now: 1 }]);
                assert_eq!(committed.answers[0].1, Err(refusal));
                assert_eq!(committed.stored, None);
            }
        }
        assert_eq!(world.writer.engine().read().head(&world.room).unwrap(), before);
    }

    #[test]
    fn who_is_added_hears_of_the_room_before_what_was_said() {
        let mut world = World::new();
        let bob = world.bob.account;
        let group = vec![world.change(ControlOp::Remove(bob))];
        world.group(group);
        world.bob.heard();
        let group = vec![world.message(), world.change(ControlOp::Add(bob, Role::Member)), world.message()];
        world.group(group);
        let frames = world.bob.heard();
        assert!(matches!(&frames[0], ServerFrame::Heads(it) if it.heads[0].room == world.room), "{frames:?}");
        assert!(matches!(&frames[1], ServerFrame::Entries(it) if it.entries.len() == 3), "{frames:?}");
    }
}
