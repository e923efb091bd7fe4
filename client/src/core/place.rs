//! Where a stretch of entries goes in a room, and which of them count.

use super::ingest::Origin;
use super::people::People;
use super::rooms::{RoomFold, RoomState};
use super::sync::PagePlan;
use crate::timeline::{Content, Verified};
use kith_protocol::entry::{Entry, Kind};
use kith_protocol::ids::{AccountId, Hash, Seq};
use kith_protocol::room::{Role, RoomKind};

/// Where a stretch goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    /// Behind what is held without a gap.
    Solid,
    /// Behind the tip.
    TipEnd,
    /// Before the tip.
    TipFront,
    NewTip,
}

pub(super) fn place(room: &RoomState, first: Seq, len: u64, origin: Origin) -> Option<Place> {
    let last = Seq(first.0.checked_add(len)?.checked_sub(1)?);
    let row = &room.row;
    if first == Seq::ZERO {
        return None;
    }
    if first <= row.solid.next() {
        return (last > row.solid).then_some(Place::Solid);
    }
    match row.tip {
        Some((from, to)) if first >= from && first <= to.next() => (last > to).then_some(Place::TipEnd),
        Some((from, to)) if last.next() >= from && last <= to => Some(Place::TipFront),
        _ if origin == Origin::Page(PagePlan::Newest) && last > row.newest() => Some(Place::NewTip),
        _ => None,
    }
}

impl Place {
    pub(super) fn advance(self, room: &mut RoomState, first: Seq, last: Seq, hash: Hash) {
        let row = &mut room.row;
        match self {
            Self::Solid => {
                row.solid = last;
                row.hash = hash;
            }
            Self::TipEnd => row.tip = row.tip.map(|(from, _)| (from, last)),
            Self::TipFront => row.tip = row.tip.map(|(_, to)| (first, to)),
            Self::NewTip => row.tip = Some((first, last)),
        }
        row.head.raise(last);
    }
}

/// Whether an entry counts, and whether it is a control entry that the fold did not have.
pub(super) fn judge(
    room: &mut RoomState,
    people: &People,
    seq: Seq,
    entry: &Entry,
    signed: bool,
) -> (bool, bool) {
    let header = entry.header();
    let here = room.fold.as_ref().is_none_or(|fold| fold.room.id() == entry.room());
    if !signed || !here {
        return (false, false);
    }
    match &header.kind {
        Kind::Control { .. } => {
            let known = room.fold.as_ref().and_then(|fold| fold.control_at(seq));
            if let Some(digest) = known {
                return (digest == entry.digest(), false);
            }
            let folded = fold_in(room, people, seq, entry);
            (folded, folded)
        }
        Kind::Message | Kind::Redaction { .. } | Kind::Unknown(_) => {
            let fold = room.fold.as_ref();
            let redaction = matches!(header.kind, Kind::Redaction { .. });
            let may = fold.is_some_and(|fold| {
                if redaction {
                    fold.role_at(&header.account, seq).is_some()
                } else {
                    fold.might_post(&header.account, seq)
                }
            });
            (may, false)
        }
    }
}

pub(super) fn fold_in(room: &mut RoomState, people: &People, seq: Seq, entry: &Entry) -> bool {
    match room.fold.as_mut() {
        Some(fold) => fold.apply(entry, people, seq).is_ok(),
        None => match RoomFold::genesis(entry, people, seq) {
            Ok(fold) => {
                room.fold = Some(fold);
                true
            }
            Err(_) => false,
        },
    }
}

/// Whether an account might take away what others wrote.
pub(super) fn moderates(room: &RoomState, account: &AccountId, seq: Seq) -> bool {
    room.fold.as_ref().is_some_and(|fold| {
        fold.room.kind() == RoomKind::Group && fold.role_at(account, seq) >= Some(Role::Admin)
    })
}

/// Whether an entry waits to be read; if so, whether it mentions this account.
pub(super) fn unread(room: &RoomState, me: &AccountId, entry: &Verified) -> Option<bool> {
    let behind = entry.seq > room.row.read && entry.seq > room.row.joined && entry.account != *me;
    match &entry.content {
        Content::Text(text) if behind => Some(text.means(me)),
        _ => None,
    }
}

pub(super) fn count(room: &mut RoomState, me: &AccountId, entry: &Verified) {
    if let Some(mentions_me) = unread(room, me, entry) {
        room.row.unread += 1;
        room.row.mentions += u64::from(mentions_me);
    }
    let row = &mut room.row;
    match &entry.content {
        Content::Text(_) | Content::Redacted | Content::Unknown if entry.seq > row.last => {
            row.last = entry.seq;
            row.active_at = entry.at;
        }
        Content::Control(_) if row.last == Seq::ZERO => row.active_at = row.active_at.max(entry.at),
        _ => {}
    }
}
