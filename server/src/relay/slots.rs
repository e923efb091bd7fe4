//! Rendezvous slots: where a new device and one that is in meet. Each part is written once, and everything is gone after
//! ten minutes. In memory alone: a restart of the relay costs a person another code.

use bytes::Bytes;
use kith_protocol::error::ErrorCode;
use kith_protocol::frame::{ClientFrame, Refused, Request, ServerFrame, Slot};
use kith_protocol::ids::{AccountId, SlotId};
use kith_protocol::limits::{SLOT_BYTES_MAX, SLOT_LIFETIME_S};
use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};

const PARTS: u8 = 3;
/// Codes that one address, or one account, has open at a time: a family links all its devices, a flood leaves room for others.
const OPEN_EACH_MAX: usize = 32;

/// Who opens slots.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Opener {
    /// A connection from here that has not said who it is.
    Address(IpAddr),
    /// A device of this account.
    Account(AccountId),
}

/// All slots of a relay.
#[derive(Debug)]
pub struct Slots {
    slots: Mutex<HashMap<SlotId, Parts>>,
    slots_max: usize,
}

#[derive(Debug, Default)]
struct Parts {
    since: u64,
    by: Option<Opener>,
    parts: [Option<Bytes>; PARTS as usize],
}

impl Parts {
    /// One from the future is as old as one from the past: the clock was set back, and nobody knows how long it stands.
    fn is_open(&self, now: u64) -> bool {
        self.since <= now && now < self.since + SLOT_LIFETIME_S * 1000
    }
}

impl Slots {
    /// Room for so many slots.
    pub fn new(slots_max: usize) -> Self {
        Self { slots: Mutex::default(), slots_max }
    }

    /// Answers a frame that is about slots; `None` if it is not. `now` in milliseconds since 1970.
    pub fn handle(&self, now: u64, frame: &ClientFrame) -> Option<ServerFrame> {
        self.handle_from(None, now, frame)
    }

    /// The same for one who may have only so many slots open; the relay's own machine may fill them all.
    pub fn handle_from(&self, by: Option<Opener>, now: u64, frame: &ClientFrame) -> Option<ServerFrame> {
        let (req, outcome) = match frame {
            ClientFrame::PutSlot(put) => (put.req, self.put(by, now, put.slot, put.part, &put.data)),
            ClientFrame::GetSlot(get) => (get.req, self.get(now, &get.slot, get.part)),
            _ => return None,
        };
        Some(match outcome {
            Ok(Some(data)) => ServerFrame::Slot(Slot { req, data }),
            Ok(None) => ServerFrame::Done(Request { req }),
            Err(code) => ServerFrame::Refused(Refused { req, code, retry_in_ms: 0 }),
        })
    }

    fn put(
        &self,
        by: Option<Opener>,
        now: u64,
        slot: SlotId,
        part: u8,
        data: &Bytes,
    ) -> Result<Option<Bytes>, ErrorCode> {
        if data.len() > SLOT_BYTES_MAX {
            return Err(ErrorCode::TooLarge);
        }
        let mut slots = self.slots.lock().unwrap_or_else(PoisonError::into_inner);
        slots.retain(|_, parts| parts.is_open(now));
        if !slots.contains_key(&slot) {
            let open = || slots.values().filter(|parts| parts.by == by).count();
            if slots.len() >= self.slots_max || (by.is_some() && open() >= OPEN_EACH_MAX) {
                return Err(ErrorCode::LimitReached);
            }
        }
        let fresh = || Parts { since: now, by, parts: Default::default() };
        // Only an offer opens a slot: an answer to a code that nobody made finds nothing.
        let parts = match part {
            0 => slots.entry(slot).or_insert_with(fresh),
            _ => slots.get_mut(&slot).ok_or(ErrorCode::NotFound)?,
        };
        let place = parts.parts.get_mut(usize::from(part)).ok_or(ErrorCode::Malformed)?;
        match place {
            Some(written) if written != data => Err(ErrorCode::SlotTaken),
            _ => {
                *place = Some(data.clone());
                Ok(None)
            }
        }
    }

    fn get(&self, now: u64, slot: &SlotId, part: u8) -> Result<Option<Bytes>, ErrorCode> {
        let slots = self.slots.lock().unwrap_or_else(PoisonError::into_inner);
        let parts = slots.get(slot).filter(|parts| parts.is_open(now)).ok_or(ErrorCode::Expired)?;
        let data = parts.parts.get(usize::from(part)).ok_or(ErrorCode::Malformed)?;
        data.clone().map(Some).ok_or(ErrorCode::NotFound)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use kith_protocol::frame::{GetSlot, PutSlot};

    fn put(part: u8, data: &'static [u8]) -> ClientFrame {
        ClientFrame::PutSlot(PutSlot { req: 1, slot: SlotId([1; 32]), part, data: Bytes::from_static(data) })
    }

    fn get(part: u8) -> ClientFrame {
        ClientFrame::GetSlot(GetSlot { req: 2, slot: SlotId([1; 32]), part })
    }

    fn code(slots: &Slots, now: u64, frame: &ClientFrame) -> Option<ErrorCode> {
        match slots.handle(now, frame) {
            Some(ServerFrame::Refused(refused)) => Some(refused.code),
            _ => None,
        }
    }

    #[test]
    fn parts_are_written_once_and_live_ten_minutes() {
        let slots = Slots::new(10);
        assert_eq!(code(&slots, 0, &put(1, b"answer")), Some(ErrorCode::NotFound));
        assert_eq!(code(&slots, 0, &put(0, b"offer")), None);
        assert_eq!(code(&slots, 0, &put(0, b"offer")), None, "a retry is harmless");
        assert_eq!(code(&slots, 0, &put(0, b"other")), Some(ErrorCode::SlotTaken));
        assert_eq!(code(&slots, 0, &get(1)), Some(ErrorCode::NotFound));
        let expected = ServerFrame::Slot(Slot { req: 2, data: Bytes::from_static(b"offer") });
        assert_eq!(slots.handle(599_999, &get(0)), Some(expected));
        assert_eq!(code(&slots, 600_000, &get(0)), Some(ErrorCode::Expired));
    }

    #[test]
    fn a_clock_that_is_set_back_keeps_no_slot_open() {
        let slots = Slots::new(1);
        assert_eq!(code(&slots, 86_400_000, &put(0, b"offer")), None);
        assert_eq!(code(&slots, 1, &get(0)), Some(ErrorCode::Expired));
        assert_eq!(code(&slots, 1, &put(0, b"another")), None, "it takes nobody's place");
    }

    #[test]
    fn a_flood_from_one_place_leaves_room_for_others() {
        let slots = Slots::new(1000);
        let (eve, alice) = (Opener::Address([10, 0, 0, 1].into()), Opener::Account(AccountId([1; 32])));
        let offer = |by, number: u8, now| {
            let data = Bytes::from_static(b"offer");
            let put = PutSlot { req: 1, slot: SlotId([number; 32]), part: 0, data };
            slots.handle_from(Some(by), now, &ClientFrame::PutSlot(put))
        };
        let refused =
            |answer| matches!(answer, Some(ServerFrame::Refused(it)) if it.code == ErrorCode::LimitReached);
        for number in 0..32 {
            assert!(!refused(offer(eve, number, 0)));
        }
        assert!(refused(offer(eve, 32, 0)));
        assert!(!refused(offer(eve, 31, 0)), "what is open goes on");
        assert!(!refused(offer(alice, 32, 0)));
        assert!(!refused(offer(eve, 33, 600_000)), "they are gone after ten minutes");
    }

    #[test]
    fn a_flood_of_slots_is_bounded() {
        let slots = Slots::new(1);
        assert_eq!(code(&slots, 0, &put(0, b"offer")), None);
        let other = PutSlot { req: 1, slot: SlotId([2; 32]), part: 0, data: Bytes::new() };
        assert_eq!(code(&slots, 0, &ClientFrame::PutSlot(other)), Some(ErrorCode::LimitReached));
    }
}
