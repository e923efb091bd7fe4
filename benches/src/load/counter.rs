//! What a frame of a server holds, from its first bytes.

use crate::bare;
use std::ops::AddAssign;

/// How a server speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Dialect {
    /// The bare server's.
    Bare,
    /// Kith's.
    Kith,
}

/// How much there was.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Tally {
    /// Messages delivered.
    pub(crate) deliveries: u64,
    /// Messages acknowledged.
    pub(crate) acks: u64,
    /// Frames that say that something was dropped or refused.
    pub(crate) lost: u64,
}

impl AddAssign for Tally {
    fn add_assign(&mut self, other: Self) {
        self.deliveries += other.deliveries;
        self.acks += other.acks;
        self.lost += other.lost;
    }
}

impl Dialect {
    /// Counts a frame by its first bytes.
    pub(crate) fn count(self, prefix: &[u8]) -> Tally {
        let none = Tally::default();
        match (self, prefix.first()) {
            (Self::Bare, Some(&bare::ALL | &bare::ECHO)) => Tally { deliveries: 1, ..none },
            (Self::Bare, Some(&bare::DONE)) => {
                let count =
                    prefix.get(1..3).and_then(|count| count.try_into().ok()).map_or(0, u16::from_be_bytes);
                Tally { acks: count.into(), ..none }
            }
            (Self::Kith, Some(&ENTRIES)) => Tally { deliveries: items(prefix, b"entries"), ..none },
            (Self::Kith, Some(&ACKS)) => Tally { acks: items(prefix, b"acks"), ..none },
            (Self::Kith, Some(&(HEADS | REJECTED | REFUSED))) => Tally { lost: 1, ..none },
            _ => none,
        }
    }
}

/// A page: its room, where it begins, and how many entries it has.
pub(crate) fn page(prefix: &[u8]) -> Option<([u8; 16], u64, u64)> {
    (prefix.first() == Some(&PAGE)).then_some(())?;
    let room = value(prefix, b"room")?.get(2..18)?.try_into().ok()?;
    let first = number(value(prefix, b"first")?)?;
    Some((room, first, items(prefix, b"entries")))
}

// Types of frames, see `kith_protocol::frame::ServerFrame`.
const HEADS: u8 = 10;
const ENTRIES: u8 = 11;
const ACKS: u8 = 12;
const REJECTED: u8 = 13;
const PAGE: u8 = 20;
const REFUSED: u8 = 34;

/// The length of the array under this key.
fn items(prefix: &[u8], key: &[u8]) -> u64 {
    let found = value(prefix, key).and_then(|value| match *value {
        [short @ 0x90..=0x9f, ..] => Some(u64::from(short & 0x0f)),
        [0xdc, a, b, ..] => Some(u16::from_be_bytes([a, b]).into()),
        [0xdd, a, b, c, d, ..] => Some(u32::from_be_bytes([a, b, c, d]).into()),
        _ => None,
    });
    found.expect("the relay's frames are laid out as kith-protocol does")
}

/// What stands behind a key of the map. Values before it are numbers and short byte strings.
fn value<'a>(prefix: &'a [u8], key: &[u8]) -> Option<&'a [u8]> {
    let (map, mut rest) = prefix.get(1..)?.split_first()?;
    for _ in 0..map & 0x0f {
        let (name, after) = rest.split_first()?;
        let (name, after) = after.split_at_checked(usize::from(name & 0x1f))?;
        if name == key {
            return Some(after);
        }
        let len = match *after.first()? {
            0x00..=0x7f => 1,
            0xcc => 2,
            0xcd => 3,
            0xce => 5,
            0xcf => 9,
            0xc4 => 2 + usize::from(*after.get(1)?),
            _ => return None,
        };
        rest = after.get(len..)?;
    }
    None
}

fn number(value: &[u8]) -> Option<u64> {
    match *value {
        [small @ 0x00..=0x7f, ..] => Some(small.into()),
        [0xcc, a, ..] => Some(a.into()),
        [0xcd, a, b, ..] => Some(u16::from_be_bytes([a, b]).into()),
        [0xce, a, b, c, d, ..] => Some(u32::from_be_bytes([a, b, c, d]).into()),
        [0xcf, ..] => Some(u64::from_be_bytes(value.get(1..9)?.try_into().ok()?)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use bytes::Bytes;
    use kith_protocol::frame::{Ack, Acks, Entries, Page, ServerFrame};
    use kith_protocol::ids::{RoomId, Seq, TxnId};

    #[test]
    fn what_the_relay_says_is_counted() {
        let room = RoomId([7; 16]);
        for (seq, count) in [(1, 1), (200, 15), (70_000, 16), (5_000_000_000, 70_000)] {
            let entries = vec![Bytes::from_static(b"entry"); count];
            let first = Seq(seq);
            let frame = ServerFrame::Entries(Entries { room, first, entries: entries.clone() }).encode();
            assert_eq!(Dialect::Kith.count(&frame).deliveries, count as u64);
            let acks = vec![Ack { room, txn: TxnId([1; 16]), seq: first }; count];
            let frame = ServerFrame::Acks(Acks { acks }).encode();
            assert_eq!(Dialect::Kith.count(&frame).acks, count as u64);
            let frame = ServerFrame::Page(Page { req: 70_000, room, first, entries, more: true }).encode();
            let prefix = &frame[..frame.len().min(super::super::scanner::PREFIX)];
            assert_eq!(page(prefix), Some(([7; 16], seq, count as u64)));
        }
    }
}
