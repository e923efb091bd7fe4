//! What rooms keep, in maps.

use super::{Shared, State, index};
use crate::store::StoreError;
use crate::store::retention::{Keep, Retention, RetentionWrite, Share};
use kith_protocol::entry::Kind;
use kith_protocol::ids::{AccountId, RoomId, Seq};
use kith_protocol::register::Register;
use std::collections::BTreeMap;

impl State {
    pub(super) fn retain(&mut self, write: &RetentionWrite) {
        match *write {
            RetentionWrite::Day { room, day, first } => {
                if let Some(room) = self.rooms.get_mut(&room) {
                    room.days.entry(day).or_insert(first);
                }
            }
            RetentionWrite::Keep { room, keep: Some(keep) } => drop(self.keeps.insert(room, keep)),
            RetentionWrite::Keep { room, keep: None } => drop(self.keeps.remove(&room)),
            RetentionWrite::Forget { room, up_to } => {
                let Some(room) = self.rooms.get_mut(&room) else { return };
                let count = index(up_to.next()).unwrap_or(usize::MAX).min(room.entries.len());
                for entry in &mut room.entries[..count] {
                    if entry.header().kind == Kind::Message {
                        *entry = entry.redacted();
                    }
                }
                room.forgotten = room.forgotten.max(up_to);
            }
            RetentionWrite::Share { account, share: Some(share) } => {
                self.shares.insert(account, share);
            }
            RetentionWrite::Share { account, share: None } => drop(self.shares.remove(&account)),
        }
    }

    /// Counted anew each time: what the other engine keeps a count of.
    fn holdings(&self) -> BTreeMap<AccountId, u64> {
        let mut holdings = BTreeMap::new();
        let mut add = |account, bytes: usize| *holdings.entry(account).or_default() += bytes as u64;
        for room in self.rooms.values() {
            for entry in &room.entries {
                add(entry.header().account, entry.raw().len());
            }
            for (_, raw) in room.registers.values() {
                if let Ok(register) = Register::parse(raw.clone()) {
                    add(register.header().account, raw.len());
                }
            }
        }
        holdings
    }
}

impl Retention for Shared {
    fn keep(&self, room: &RoomId) -> Result<Option<Keep>, StoreError> {
        Ok(self.lock().keeps.get(room).copied())
    }

    fn forgotten(&self, room: &RoomId) -> Result<Seq, StoreError> {
        Ok(self.lock().rooms.get(room).map_or(Seq::ZERO, |room| room.forgotten))
    }

    fn before_day(&self, room: &RoomId, day: u32) -> Result<Seq, StoreError> {
        let state = self.lock();
        let Some(room) = state.rooms.get(room).filter(|room| !room.days.is_empty()) else {
            return Ok(Seq::ZERO);
        };
        let first = room.days.range(day..).next().map(|(_, first)| *first);
        Ok(first.map_or(room.head.seq, |first| Seq(first.0.saturating_sub(1))))
    }

    fn beyond(&self, room: &RoomId, bytes: u64) -> Result<Seq, StoreError> {
        let state = self.lock();
        let Some(room) = state.rooms.get(room) else { return Ok(Seq::ZERO) };
        let mut total = 0;
        for (place, entry) in room.entries.iter().enumerate().rev() {
            let seq = Seq(place as u64 + 1);
            total += entry.raw().len() as u64;
            if seq > room.forgotten && total > bytes {
                return Ok(seq);
            }
        }
        Ok(Seq::ZERO)
    }

    fn held(&self, account: &AccountId) -> Result<u64, StoreError> {
        Ok(self.lock().holdings().get(account).copied().unwrap_or(0))
    }

    fn share(&self, account: &AccountId) -> Result<Option<Share>, StoreError> {
        Ok(self.lock().shares.get(account).copied())
    }

    fn nearly_used_up(&self, for_all: Share) -> Result<u64, StoreError> {
        let state = self.lock();
        let share = |account| state.shares.get(account).copied().unwrap_or(for_all);
        let holdings = state.holdings();
        Ok(holdings.iter().filter(|(account, held)| share(account).is_nearly_used_up(**held)).count() as u64)
    }
}
