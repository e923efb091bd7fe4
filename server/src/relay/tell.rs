//! In which order devices hear what a group has changed, once it is on disk. Devices rely on that order.

use super::registry::Registry;
use super::writer::{Committed, Move};
use kith_protocol::frame::{ChainGrew, ServerFrame};

/// How many deliveries came of it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Told {
    /// Entries and registers that wait in somebody's queue.
    pub queued: u64,
    /// Those for which a queue had no room.
    pub dropped: u64,
}

/// Tells everybody.
pub fn tell(registry: &Registry, mut committed: Committed) -> Told {
    let mut told = Told::default();
    // Members hear of a room before they hear what was said in it; who left hears that it was they who left.
    for (account, room, direction) in &committed.moves {
        if let (Move::In, Some(growth)) = (direction, committed.rooms.get(room)) {
            registry.join(account, room, growth.head);
        }
    }
    for (room, frame, except, count) in committed.pushes() {
        let (queued, dropped) = registry.push(&room, &frame, except);
        told.queued += queued * count as u64;
        told.dropped += dropped * count as u64;
    }
    for (account, room, direction) in &committed.moves {
        if *direction == Move::Out {
            registry.part(account, room);
        }
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
