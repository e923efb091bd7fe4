//! The relay was restored from an older copy: its logs are compared with ours, room by room. What it lacks is offered again
//! as it was signed; then the log is read anew from the last place that both have in common. Until the relay has it, what is
//! ours stays where it is, so that a crash in between begins anew and loses nothing.

use super::engine::Engine;
use super::error::Fault;
use super::requests::{Purpose, retry_at};
use super::rows::{self, HeadRow, read_entry_value, read_register_value};
use super::sync::PagePlan;
use super::update::{Trouble, Update};
use crate::store::{COMMIT_BEST, Direction, ReadError, Span, Tree, keys};
use crate::timeline::{RegisterValue, Relation, Verified};
use bytes::Bytes;
use kith_protocol::entry::Entry;
use kith_protocol::error::ErrorCode;
use kith_protocol::frame::{Append, ClientFrame, Page, Republish};
use kith_protocol::ids::{Hash, RoomId, Seq};
use kith_protocol::limits::PAGE_BYTES;
use kith_protocol::register::Register;

/// How far the comparison of one room has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Resync {
    /// Looking for the last place in common at or before `to`.
    Probe { to: Seq, step: u64 },
    /// Giving back what stands behind `common`, from `next` on, so many entries at once.
    Offer { common: Seq, next: Seq, most: usize },
}

/// Entries given back in one frame.
const OFFER_ENTRIES_MAX: usize = 250;
/// Entries compared at once, at most.
const PROBE_MAX: u64 = 500;

/// What a resync has come to so far.
#[derive(Debug, Default)]
pub(crate) struct Given {
    pub(crate) rooms: usize,
    pub(crate) entries: u64,
}

impl Resync {
    fn offer(common: Seq) -> Self {
        Self::Offer { common, next: common.next(), most: OFFER_ENTRIES_MAX }
    }
}

impl Engine {
    /// The relay has said which logs it has, and how long our chain is there.
    pub(crate) fn begin_resync(&mut self, chain_len: u32) -> Result<(), Fault> {
        if self.incarnation.is_zero() {
            self.note_incarnation(self.heard_incarnation);
        }
        self.resyncing = self.incarnation != self.heard_incarnation;
        if !self.resyncing {
            return Ok(());
        }
        // Where registers are numbered anew, what has come to its end could not be told from what waits.
        self.outbox.tidy_now();
        self.tidy_outbox(self.latest)?;
        self.given = Given::default();
        self.outbox.doubt_acks(&mut self.changes);
        self.tell(Update::Trouble(Trouble::Resync));
        let me = self.me.account();
        let lost = Span::prefix(keys::account(&me.0)).starting_at(keys::chain(&me.0, u64::from(chain_len)));
        for (_, raw) in self.store.range(Tree::Chains, &lost, Direction::Forward, usize::MAX)? {
            let req = self.requests.open(Purpose::ChainAgain);
            self.transmit(ClientFrame::AppendChain(Append { req, entry: raw.into() }));
        }
        Ok(())
    }

    /// Whether a head, just heard on a new connection, fits what we hold.
    pub(crate) fn compare_head(&mut self, id: &RoomId) {
        let resyncing = self.resyncing;
        let Some(room) = self.rooms.get_mut(id) else { return };
        let (row, head) = (&room.row, room.row.head);
        room.proof = None;
        let same = head.seq == row.solid && head.hash == row.hash && row.tip.is_none();
        let shorter = head.seq < row.newest();
        if row.newest() == Seq::ZERO || !(resyncing || shorter) {
            return;
        }
        if same {
            // Registers are numbered anew on a relay put back, and equal numbers say nothing: all of them are read again.
            room.resync = Some(Resync::offer(row.solid));
        } else {
            room.resync = Some(Resync::Probe { to: head.seq.min(row.solid), step: 1 });
            room.proof = (head.hash != Hash::ZERO).then_some((head.seq, head.hash));
        }
    }

    /// All heads were heard: rooms that the relay does not know any more are given back whole.
    pub(crate) fn lost_rooms(&mut self) {
        if !self.resyncing {
            return;
        }
        let lost: Vec<RoomId> = self
            .rooms
            .iter()
            .filter(|(id, room)| !self.sync.heard(id) && room.row.newest() > Seq::ZERO && room.row.role > 0)
            .map(|(id, _)| *id)
            .collect();
        for id in lost {
            if let Some(room) = self.rooms.get_mut(&id) {
                room.row.head = HeadRow::default();
                room.resync = Some(Resync::offer(Seq::ZERO));
            }
            self.want(&id);
        }
    }

    /// The next step of a room's comparison; `None` if it is not compared.
    pub(crate) fn next_probe(&mut self, id: &RoomId) -> Result<Option<ClientFrame>, Fault> {
        match self.rooms.get(id).and_then(|room| room.resync) {
            None => Ok(None),
            Some(Resync::Probe { to: Seq::ZERO, .. }) => {
                self.found_common(id, Seq::ZERO);
                self.next_probe(id)
            }
            Some(Resync::Probe { to, step }) => {
                let after = Seq(to.0.saturating_sub(step));
                Ok(Some(self.fetch(*id, PagePlan::Probe, after, to.next(), step as u32)))
            }
            Some(Resync::Offer { common, next, most }) => {
                let offer = self.offer_from(id, next, most)?;
                if offer.is_some() {
                    return Ok(offer);
                }
                self.start_over_from(id, common)?;
                // It may turn out that less is in common.
                self.next_probe(id)
            }
        }
    }

    /// Part of the relay's log came, to be compared with ours.
    pub(crate) fn on_probed(&mut self, id: &RoomId, page: &Page) -> Result<(), Fault> {
        let Some(Resync::Probe { step, .. }) = self.rooms.get(id).and_then(|room| room.resync) else {
            return Ok(());
        };
        if page.entries.is_empty() {
            self.found_common(id, Seq::ZERO);
            return Ok(());
        }
        for (offset, raw) in page.entries.iter().enumerate().rev() {
            let seq = Seq(page.first.0 + offset as u64);
            let theirs = Entry::parse(raw.clone()).ok().map(|entry| entry.digest());
            let ours = self.entry_at(id, seq)?.map(|entry| entry.digest);
            if theirs.is_some() && theirs == ours {
                self.found_common(id, seq);
                return Ok(());
            }
        }
        if let Some(room) = self.rooms.get_mut(id) {
            let to = Seq(page.first.0.saturating_sub(1));
            room.resync = Some(Resync::Probe { to, step: (step * 8).min(PROBE_MAX) });
        }
        Ok(())
    }

    fn found_common(&mut self, id: &RoomId, common: Seq) {
        if let Some(room) = self.rooms.get_mut(id) {
            tracing::info!(room = %id, %common, newest = %room.row.newest(), "the last place in common with the relay");
            room.resync = Some(Resync::offer(common));
        }
    }

    /// What is given back next.
    fn offer_from(&mut self, id: &RoomId, next: Seq, most: usize) -> Result<Option<ClientFrame>, Fault> {
        let Some(row) = self.rooms.get(id).map(|room| room.row.clone()) else { return Ok(None) };
        let newest = row.newest();
        let mut entries: Vec<Bytes> = Vec::new();
        let mut bytes = 0;
        let mut through = next;
        let mut from = next;
        // What does not count is not offered, however much of it there is; what stands behind it is.
        while entries.is_empty() && from <= newest {
            let span = Span::between(keys::entry(&id.0, from.0), keys::entry(&id.0, newest.0 + 1));
            from = newest.next();
            for (key, value) in self.store.range(Tree::Entries, &span, Direction::Forward, most)? {
                let Some(seq) = keys::place(&key).map(Seq) else { continue };
                (through, from) = (seq, seq.next());
                let Some((counts, raw)) = read_entry_value(value) else { continue };
                if counts && row.holds(seq) {
                    bytes += raw.len();
                    entries.push(raw);
                }
                if bytes >= PAGE_BYTES {
                    break;
                }
            }
        }
        if entries.is_empty() {
            return Ok(None);
        }
        let req = self.requests.open(Purpose::Republish { room: *id, through, count: entries.len() });
        Ok(Some(ClientFrame::Republish(Republish { req, room: *id, entries })))
    }

    /// The relay took the `count` entries that were given back, or none of them.
    pub(crate) fn republished(
        &mut self,
        now: u64,
        id: &RoomId,
        (through, count): (Seq, usize),
        refused: Option<ErrorCode>,
    ) {
        let passing = refused.is_some_and(ErrorCode::is_passing);
        if passing {
            self.sync.hold(retry_at(now, 0));
        } else if let Some(code) = refused {
            tracing::warn!(room = %id, count, ?code, "the relay does not take back what it lacks");
        } else {
            self.given.entries += count as u64;
        }
        if let Some(room) = self.rooms.get_mut(id)
            && let Some(Resync::Offer { next, most, .. }) = &mut room.resync
            && !passing
        {
            // One that it does not take, because its author has not brought the chain back yet, takes the others with
            // it: they are offered in halves, until it stands alone.
            let of_one = refused.is_some_and(|code| code != ErrorCode::NotFound);
            if of_one && count > 1 {
                *most = count / 2;
            } else {
                *next = through.next();
                *most = (*most * 2).min(OFFER_ENTRIES_MAX);
            }
        }
        self.free(id);
    }

    /// Forgets what stands behind `common`: it is read again from the relay.
    fn start_over_from(&mut self, id: &RoomId, common: Seq) -> Result<(), Fault> {
        let Some(newest) = self.rooms.get(id).map(|room| room.row.newest()) else { return Ok(()) };
        let hash = self.hash_at(id, common)?;
        if !self.rooms.get_mut(id).is_none_or(|room| room.proves(common, hash)) {
            self.nothing_in_common(id);
            return Ok(());
        }
        self.give_registers_back(id)?;
        if let Some(room) = self.rooms.get_mut(id) {
            let row = &mut room.row;
            if common < row.newest() {
                self.given.rooms += 1;
            }
            row.solid = common;
            row.hash = hash;
            row.tip = None;
            row.differs = false;
            row.last = Seq::ZERO;
            // The others may have given back more than its head said.
            row.head.seq = row.head.seq.max(common.next());
            row.head.hash = Hash::ZERO;
            room.resync = None;
            room.mark();
        }
        // The place first: what stands behind it counts for nothing from here on.
        self.commit()?;
        let span = Span::between(keys::entry(&id.0, common.0 + 1), keys::entry(&id.0, newest.0 + 1));
        loop {
            let rows = self.store.range(Tree::Entries, &span, Direction::Forward, COMMIT_BEST / 4)?;
            if rows.is_empty() {
                break;
            }
            for (key, value) in rows {
                let seq = Seq(keys::place(&key).unwrap_or_default());
                if let Some(relation) =
                    self.verified(id, seq, value).ok().as_ref().and_then(Relation::of_entry)
                {
                    self.changes.remove(Tree::Local, rows::relation_key(&relation.key(id)));
                }
                self.changes.remove(Tree::Control, keys::control(&id.0, seq.0));
                self.changes.remove(Tree::Entries, key);
            }
            self.commit()?;
        }
        if let Some(room) = self.rooms.get_mut(id) {
            room.fold = None;
        }
        if self.load_fold(id)? {
            let me = self.me.account();
            if let Some(room) = self.rooms.get_mut(id) {
                room.note_fold(&me);
            }
        }
        self.find_last(id)?;
        self.recount(id)?;
        self.show_anew(id)?;
        Ok(())
    }

    /// The same entry stands at the same place, and what stands before it differs: all is given back, and read anew.
    pub(crate) fn nothing_in_common(&mut self, id: &RoomId) {
        tracing::info!(room = %id, "nothing in common with the relay's log");
        if let Some(room) = self.rooms.get_mut(id) {
            room.proof = None;
            room.resync = Some(Resync::offer(Seq::ZERO));
        }
        self.want(id);
    }

    fn hash_at(&self, id: &RoomId, seq: Seq) -> Result<Hash, ReadError> {
        let span = Span::between(keys::entry(&id.0, 1), keys::entry(&id.0, seq.0 + 1));
        let mut hash = Hash::ZERO;
        for (_, value) in self.store.range(Tree::Entries, &span, Direction::Forward, usize::MAX)? {
            let entry = read_entry_value(value).and_then(|(_, raw)| Entry::parse(raw).ok());
            let entry = entry.ok_or_else(|| ReadError::Damaged("an entry cannot be read".into()))?;
            hash = hash.extend(&entry.digest());
        }
        Ok(hash)
    }

    /// The newest text that is left.
    fn find_last(&mut self, id: &RoomId) -> Result<(), Fault> {
        use crate::timeline::Content;
        let mut at = self.rooms.get(id).map_or(Seq::ZERO, |room| room.row.solid);
        while at > Seq::ZERO {
            let entry: Option<Verified> = self.entry_at(id, at)?;
            if let Some(entry) = entry.filter(|entry| matches!(entry.content, Content::Text(_))) {
                self.change_row(id, |row| row.last = entry.seq);
                break;
            }
            at = Seq(at.0 - 1);
        }
        Ok(())
    }

    /// Registers are few: all are read again, and ours are offered again, to be merged with what stands there.
    fn give_registers_back(&mut self, id: &RoomId) -> Result<(), Fault> {
        let me = self.me.account();
        self.forget_bases(id)?;
        let rows = self.store.range(
            Tree::Registers,
            &Span::prefix(keys::room(&id.0)),
            Direction::Forward,
            usize::MAX,
        )?;
        for chunk in rows.chunks(COMMIT_BEST / 3) {
            for (key, value) in chunk {
                let read = read_register_value(value.clone());
                if let Some((rev, register)) =
                    read.and_then(|(rev, raw)| Some((rev, Register::parse(raw).ok()?)))
                    && let Some(value) = RegisterValue::read(&register, rev)
                {
                    if value.account == me {
                        self.pend_again(id, &value.setting, register.header().at)?;
                    }
                    if let Some(relation) = Relation::of_register(&value) {
                        self.changes.remove(Tree::Local, rows::relation_key(&relation.key(id)));
                    }
                }
                self.changes.remove(Tree::Registers, key.clone());
            }
            self.commit()?;
        }
        self.change_row(id, |row| row.rev = kith_protocol::ids::Rev::ZERO);
        Ok(())
    }

    /// Ends the resync once no room is compared any more.
    pub(crate) fn finish_resync(&mut self) {
        let under_way = self.rooms.values().any(|room| room.resync.is_some() || room.proof.is_some());
        if !self.resyncing || under_way || !self.sync.heads_done() {
            return;
        }
        self.resyncing = false;
        self.note_incarnation(self.heard_incarnation);
        let Given { rooms, entries } = self.given;
        if entries > 0 {
            self.tell(Update::Trouble(Trouble::Republished { rooms, entries }));
        }
    }
}
