use super::reason::counted;
use super::words::{NAME_CHARS_MAX, plain};
use super::{Notice, Privacy, Reason, Record};
use kith_protocol::ids::{RoomId, Seq};
use std::collections::{BTreeMap, BTreeSet};

/// More than so many that come together become one summary: what fits on a screen and can be read as it comes.
pub const SUMMARY_ABOVE: usize = 5;

/// Collects what came while the engine caught up, and would have been notified of: [`Reason::Backlog`].
#[derive(Debug, Clone, Default)]
pub struct CatchUp {
    rooms: BTreeMap<RoomId, BTreeSet<Seq>>,
}

/// What becomes of what came while the engine caught up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CaughtUp {
    /// A few: each is to be decided as if it came now, with [`Arrival::Live`](super::Arrival::Live).
    Each(Vec<(RoomId, Seq)>),
    /// Many: one notification.
    Summary(Summary),
}

/// One notification for many messages.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Summary {
    /// How many messages there are.
    pub messages: u64,
    /// The newest and the number of messages of each room.
    rooms: BTreeMap<RoomId, (Seq, u64)>,
}

impl CatchUp {
    /// Puts one off.
    pub fn add(&mut self, room: RoomId, seq: Seq) {
        self.rooms.entry(room).or_default().insert(seq);
    }

    /// Everything in a room up to `mark` was read meanwhile.
    pub fn read(&mut self, room: &RoomId, mark: Seq) {
        if let Some(seqs) = self.rooms.get_mut(room) {
            *seqs = seqs.split_off(&mark.next());
            if seqs.is_empty() {
                self.rooms.remove(room);
            }
        }
    }

    /// One was taken away meanwhile.
    pub fn redacted(&mut self, room: &RoomId, seq: Seq) {
        if let Some(seqs) = self.rooms.get_mut(room) {
            seqs.remove(&seq);
            if seqs.is_empty() {
                self.rooms.remove(room);
            }
        }
    }

    /// The engine has caught up. Nothing is put off any more.
    pub fn finish(&mut self) -> CaughtUp {
        let rooms = std::mem::take(&mut self.rooms);
        let messages: usize = rooms.values().map(BTreeSet::len).sum();
        if messages <= SUMMARY_ABOVE {
            let each =
                rooms.into_iter().flat_map(|(room, seqs)| seqs.into_iter().map(move |seq| (room, seq)));
            return CaughtUp::Each(each.collect());
        }
        let rooms =
            rooms.into_iter().filter_map(|(room, seqs)| Some((room, (*seqs.last()?, seqs.len() as u64))));
        CaughtUp::Summary(Summary { messages: messages as u64, rooms: rooms.collect() })
    }
}

impl Summary {
    /// In how many rooms they are.
    pub fn chats(&self) -> u64 {
        self.rooms.len() as u64
    }

    /// What to put at the [`FLOOR`](super::FLOOR) of each room before the summary is shown.
    pub fn records(&self, now: u64) -> impl Iterator<Item = (RoomId, Record)> {
        self.rooms.iter().map(move |(room, (through, _))| {
            let reason =
                Reason::Summarized { through: *through, messages: self.messages, chats: self.chats() };
            (*room, Record { at: now, reason, withdrawn: false })
        })
    }

    /// The words. `name` finds the name of a chat.
    pub fn notice(&self, privacy: Privacy, name: impl Fn(&RoomId) -> String) -> Notice {
        let count = counted(self.messages, "new message");
        let name = |room: &RoomId| plain(&name(room), NAME_CHARS_MAX);
        let mut rooms: Vec<(&RoomId, u64)> = self.rooms.iter().map(|(room, (_, n))| (room, *n)).collect();
        // The fullest first; of two the one with the lower id, so that the same comes out each time.
        rooms.sort_by_key(|(_, messages)| std::cmp::Reverse(*messages));
        match (privacy, rooms.as_slice()) {
            (Privacy::Nothing, _) => Notice { title: self.title(&count), body: String::new() },
            (_, [(room, _)]) => Notice { title: name(room), body: count },
            (_, rooms) => {
                let named: Vec<String> = rooms.iter().take(NAMED_MAX).map(|(room, _)| name(room)).collect();
                let more = rooms.len().saturating_sub(NAMED_MAX);
                let more = if more == 0 { String::new() } else { format!(" and {more} more") };
                Notice { title: self.title(&count), body: format!("{}{more}", named.join(", ")) }
            }
        }
    }

    fn title(&self, count: &str) -> String {
        format!("{count} in {}", counted(self.chats(), "chat"))
    }
}

/// Chats that a summary names: one line.
const NAMED_MAX: usize = 3;
