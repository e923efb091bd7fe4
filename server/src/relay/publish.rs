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
