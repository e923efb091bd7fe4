use super::{Reason, Record};
use kith_protocol::ids::{RoomId, Seq};
use std::collections::{BTreeMap, VecDeque};

/// Notifications that are remembered as standing: more than any system keeps. The oldest are forgotten first.
pub const STANDING_MAX: usize = 256;

/// The notifications that are on the screen, as far as anybody can know.
///
/// After a restart it is built again: [`add`](Self::add) all records that still [stand](Record::stands), then
/// [`read`](Self::read) each room up to its read mark.
#[derive(Debug, Clone, Default)]
pub struct Standing {
    messages: VecDeque<(RoomId, Seq)>,
    /// What the one summary covers: the newest entry of each room.
    summary: BTreeMap<RoomId, Seq>,
}

/// A notification that has to go. Its record is to be marked as withdrawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Withdrawal {
    /// The one for this message.
    Message {
        /// Its room.
        room: RoomId,
        /// Its place.
        seq: Seq,
    },
    /// The summary.
    Summary,
}

impl Standing {
    /// A notification is shown, or was before a restart. `seq` is where its record stands.
    pub fn add(&mut self, room: RoomId, seq: Seq, record: &Record) {
        if !record.stands() {
            return;
        }
        if let Reason::Summarized { through, .. } = record.reason {
            let newest = self.summary.entry(room).or_default();
            *newest = (*newest).max(through);
        } else if !self.messages.contains(&(room, seq)) {
            self.messages.push_back((room, seq));
            if self.messages.len() > STANDING_MAX {
                self.messages.pop_front();
            }
        }
    }

    /// A chat was read up to `mark`, here or on another device. The summary goes when all that it covers was read.
    pub fn read(&mut self, room: &RoomId, mark: Seq) -> Vec<Withdrawal> {
        let mut withdrawals = Vec::new();
        self.messages.retain(|(of, seq)| {
            let read = of == room && *seq <= mark;
            if read {
                withdrawals.push(Withdrawal::Message { room: *of, seq: *seq });
            }
            !read
        });
        if self.summary.get(room).is_some_and(|newest| *newest <= mark) {
            self.summary.remove(room);
            if self.summary.is_empty() {
                withdrawals.push(Withdrawal::Summary);
            }
        }
        withdrawals
    }

    /// A message was taken away: what was shown of it must not stay.
    pub fn redacted(&mut self, room: &RoomId, seq: Seq) -> Option<Withdrawal> {
        let at = self.messages.iter().position(|standing| standing == &(*room, seq))?;
        self.messages.remove(at).map(|(room, seq)| Withdrawal::Message { room, seq })
    }
}
