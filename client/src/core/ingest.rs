//! What of the relay's log counts: signatures, authors, members; then one commit for entries and the place they bring us to.

use super::arrivals::Tried;
use super::engine::Engine;
use super::error::Fault;
use super::limits::PARALLEL_MIN;
use super::model::Millis;
use super::place::{Place, count, fold_in, judge, moderates, place, unread};
use super::rooms::{RoomFold, RoomState};
use super::rows::{self, entry_value, read_entry_value};
use super::sync::PagePlan;
use super::update::{Trouble, Update};
use crate::store::{Direction, ReadError, Span, Tree, keys};
use crate::timeline::{Content, Relation, Verified};
use bytes::Bytes;
use kith_protocol::account::DeviceKind;
use kith_protocol::entry::{Entry, Kind};
use kith_protocol::frame::Placed;
use kith_protocol::ids::{AccountId, Hash, RoomId, Seq};
use kith_protocol::keys::PublicKey;
use std::collections::BTreeMap;

/// Where entries come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Origin {
    Pushed,
    Page(PagePlan),
    /// Signed here, acknowledged by the relay.
    Own,
}

/// What has to be fetched before entries can be checked.
#[derive(Debug, Default)]
pub(crate) struct Missing {
    /// Accounts, and how long their chains have to be.
    pub(crate) chains: BTreeMap<AccountId, u32>,
    pub(crate) control: bool,
}

/// An entry in its place, checked as far as it can be by itself.
struct Checked {
    seq: Seq,
    entry: Entry,
    signed: bool,
}

impl Engine {
    /// Takes a stretch of a timeline: `first` and what follows. What is held already is passed over.
    ///
    /// Returns what is missing to check it; then nothing was taken.
    pub(crate) fn take_entries(
        &mut self,
        now: Millis,
        id: RoomId,
        first: Seq,
        raws: &[Bytes],
        origin: Origin,
        tried: Tried,
    ) -> Result<Option<Missing>, Fault> {
        self.load_fold(&id)?;
        let Some(room) = self.rooms.get(&id) else { return Ok(None) };
        let Some(place) = place(room, first, raws.len() as u64, origin) else { return Ok(None) };
        let mut entries = Vec::with_capacity(raws.len());
        for (offset, raw) in raws.iter().enumerate() {
            let seq = Seq(first.0 + offset as u64);
            if seq <= room.row.solid || place != Place::Solid && room.row.holds(seq) {
                continue;
            }
            if place == Place::Solid && room.row.tip.is_some_and(|(from, _)| seq >= from) {
                break;
            }
            match Entry::parse(raw.clone()) {
                Ok(entry) => entries.push((seq, entry)),
                Err(error) => {
                    tracing::warn!(room = %id, %seq, %error, "the relay sent what is no entry");
                    return Ok(None);
                }
            }
        }
        if entries.is_empty() {
            return Ok(None);
        }
        if let Some(missing) = self.missing_for(&id, &entries, tried)? {
            return Ok(Some(missing));
        }
        let checked = self.check_signatures(entries, origin);
        self.store_entries(now, id, checked, place, origin)?;
        Ok(None)
    }

    fn missing_for(
        &mut self,
        id: &RoomId,
        entries: &[(Seq, Entry)],
        tried: Tried,
    ) -> Result<Option<Missing>, Fault> {
        let mut missing = Missing::default();
        if !tried.chains {
            missing.chains = self.missing_chains(
                entries.iter().map(|(_, entry)| (entry.header().account, entry.header().chain_len)),
            )?;
        }
        let mut known = self.rooms.get(id).map_or(0, RoomState::control_len);
        for (_, entry) in entries.iter().filter(|_| !tried.control) {
            if let Kind::Control { index, .. } = entry.header().kind {
                missing.control |= index > known;
                known = known.max(index + 1);
            }
        }
        // Without the fold of what stands before them, nobody can say whose entries count.
        let blind = known == 0 && entries.first().is_some_and(|(seq, _)| *seq > Seq(1));
        missing.control |= blind && !tried.control;
        Ok((missing.control || !missing.chains.is_empty()).then_some(missing))
    }

    /// Accounts of which the chain is shorter than somebody said.
    pub(crate) fn missing_chains(
        &mut self,
        needs: impl Iterator<Item = (AccountId, u32)>,
    ) -> Result<BTreeMap<AccountId, u32>, ReadError> {
        let mut missing = BTreeMap::new();
        for (account, len) in needs {
            if self.people.len(&account) < len && self.load_account(&account)? < len {
                let most = missing.entry(account).or_insert(0);
                *most = len.max(*most);
            }
        }
        Ok(missing)
    }

    fn check_signatures(&self, entries: Vec<(Seq, Entry)>, origin: Origin) -> Vec<Checked> {
        let own = origin == Origin::Own;
        let people = &self.people;
        let key_of = |entry: &Entry| -> Option<PublicKey> {
            let header = entry.header();
            let device = people.device_at(&header.account, &header.device, header.chain_len)?;
            (device.kind == DeviceKind::Personal).then_some(device.sign)
        };
        let check = |entries: Vec<(Seq, Entry)>| -> Vec<Checked> {
            let checked = entries.into_iter().map(|(seq, entry)| {
                let signed = own || key_of(&entry).is_some_and(|key| entry.verify(&key).is_ok());
                Checked { seq, entry, signed }
            });
            checked.collect()
        };
        if entries.len() < PARALLEL_MIN {
            return check(entries);
        }
        let mut first = entries;
        let second = first.split_off(first.len() / 2);
        std::thread::scope(|scope| {
            let second = scope.spawn(|| check(second));
            let mut all = check(first);
            all.extend(second.join().expect("checking signatures does not panic"));
            all
        })
    }

    fn store_entries(
        &mut self,
        now: Millis,
        id: RoomId,
        entries: Vec<Checked>,
        place: Place,
        origin: Origin,
    ) -> Result<(), Fault> {
        let me = self.me.account();
        let Some(mut room) = self.rooms.remove(&id) else { return Ok(()) };
        // What stood there before is fetched again when the gap is filled.
        let replaced = place == Place::NewTip && room.row.tip.take().is_some();
        let mut shown = Vec::with_capacity(entries.len());
        let mut controls_changed = false;
        let (mut hash, mut proven) = (room.row.hash, true);
        let (first, last) = (entries.first().map(|e| e.seq), entries.last().map(|e| e.seq));
        let mut taken = Ok(());
        for Checked { seq, entry, signed } in entries {
            let (counts, control) = judge(&mut room, &self.people, seq, &entry, signed);
            if control {
                controls_changed = true;
                self.changes.put(Tree::Control, keys::control(&id.0, seq.0), entry.raw().to_vec());
            }
            if place == Place::Solid {
                hash = hash.extend(&entry.digest());
                proven &= room.proves(seq, hash);
            }
            self.changes.put(Tree::Entries, keys::entry(&id.0, seq.0), entry_value(entry.raw(), counts));
            if !counts {
                tracing::warn!(room = %id, %seq, "an entry does not count");
                room.row.invalid += 1;
                continue;
            }
            let header = entry.header();
            let verified = Verified::read(seq, &entry, moderates(&room, &header.account, seq));
            if header.account == me && header.device == self.me.device() {
                let txn = header.txn;
                // The ack itself may have been lost with the connection that it was to come on.
                if self.outbox.came(now, &txn, (id, seq), &mut self.changes) {
                    self.tell(Update::Acked { txn, room: id, seq });
                }
            }
            if let Some(relation) = Relation::of_entry(&verified) {
                self.changes.put(Tree::Local, rows::relation_key(&relation.key(&id)), relation.value());
            }
            if let Content::Redaction(redaction) = &verified.content {
                taken = taken.and(self.take_away(&id, &mut room, redaction, &verified.account));
            }
            count(&mut room, &me, &verified);
            shown.push(verified);
        }
        taken?;
        if let (Some(first), Some(last)) = (first, last) {
            place.advance(&mut room, first, last, hash);
        }
        let joined_later = controls_changed && room.note_fold(&me);
        room.mark();
        self.rooms.insert(id, room);
        if replaced || joined_later {
            self.commit_entries()?;
            self.recount(&id)?;
        }
        self.join_tip(&id)?;
        if !proven {
            self.nothing_in_common(&id);
        }
        self.compare_hash(&id);
        if controls_changed {
            self.members_changed(&id)?;
        }
        self.show(now, &id, shown, origin)
    }

    /// Puts the entry that a redaction names back without its body.
    fn take_away(
        &mut self,
        id: &RoomId,
        room: &mut RoomState,
        redaction: &crate::timeline::Redaction,
        author: &AccountId,
    ) -> Result<(), Fault> {
        let key = keys::entry(&id.0, redaction.target.0);
        let Some(value) = rows::read(&*self.store, &self.changes, Tree::Entries, &key)? else {
            return Ok(());
        };
        let Some((counts, raw)) = read_entry_value(value) else { return Ok(()) };
        let Ok(entry) = Entry::parse(raw) else { return Ok(()) };
        let theirs = entry.header().account;
        let may = redaction.moderates || theirs == *author;
        if !may || entry.digest() != redaction.digest || !matches!(entry.header().kind, Kind::Message) {
            return Ok(());
        }
        let me = self.me.account();
        if counts
            && let Some(mentions_me) = unread(room, &me, &Verified::read(redaction.target, &entry, false))
        {
            room.row.unread = room.row.unread.saturating_sub(1);
            room.row.mentions = room.row.mentions.saturating_sub(u64::from(mentions_me));
        }
        self.changes.put(Tree::Entries, key, entry_value(entry.redacted().raw(), counts));
        Ok(())
    }

    /// Joins the stretch behind a gap with the one before it, once the gap is closed.
    fn join_tip(&mut self, id: &RoomId) -> Result<(), Fault> {
        let Some(room) = self.rooms.get(id) else { return Ok(()) };
        let Some((from, to)) = room.row.tip.filter(|(from, _)| *from <= room.row.solid.next()) else {
            return Ok(());
        };
        let mut hash = room.row.hash;
        let mut solid = room.row.solid;
        let mut proven = true;
        if from > solid || to > solid {
            // The tip may have grown in this very input.
            self.commit_entries()?;
            let span = Span::between(keys::entry(&id.0, solid.0 + 1), keys::entry(&id.0, to.0 + 1));
            for (key, value) in self.store.range(Tree::Entries, &span, Direction::Forward, usize::MAX)? {
                let entry = read_entry_value(value).and_then(|(_, raw)| Entry::parse(raw).ok());
                let entry = entry.ok_or_else(|| ReadError::Damaged("an entry cannot be read".into()))?;
                if keys::place(&key) != Some(solid.0 + 1) {
                    break;
                }
                hash = hash.extend(&entry.digest());
                solid = solid.next();
                proven &= self.rooms.get_mut(id).is_none_or(|room| room.proves(solid, hash));
            }
        }
        if let Some(room) = self.rooms.get_mut(id) {
            room.row.hash = hash;
            room.row.solid = solid;
            room.row.tip = None;
            room.mark();
        }
        if !proven {
            self.nothing_in_common(id);
        }
        Ok(())
    }

    /// Makes what this input has put readable: harmless in itself, as the place it brings us to follows.
    fn commit_entries(&mut self) -> Result<(), Fault> {
        if self.changes.is_empty() {
            return Ok(());
        }
        Ok(self.store.commit(std::mem::take(&mut self.changes))?)
    }

    /// Whether what we hold is what the relay says it has.
    fn compare_hash(&mut self, id: &RoomId) {
        let Some(room) = self.rooms.get_mut(id) else { return };
        let head = room.row.head;
        let comparable = room.row.solid == head.seq && head.hash != Hash::ZERO && room.row.tip.is_none();
        if comparable && room.row.hash != head.hash && !room.row.differs {
            room.row.differs = true;
            room.dirty = true;
            let seq = head.seq;
            let title = self.title(id);
            tracing::warn!(room = %id, %seq, "the rolling hash is not the relay's");
            self.tell(Update::Trouble(Trouble::Integrity { room: *id, title, seq }));
        }
    }

    /// Takes control entries that were fetched by themselves.
    pub(crate) fn take_controls(
        &mut self,
        id: &RoomId,
        entries: &[Placed],
        tried: Tried,
    ) -> Result<Option<Missing>, Fault> {
        let parsed: Vec<(Seq, Entry)> = entries
            .iter()
            .map_while(|placed| Some((placed.seq, Entry::parse(placed.entry.clone()).ok()?)))
            .collect();
        if !tried.chains {
            let needs = parsed.iter().map(|(_, entry)| (entry.header().account, entry.header().chain_len));
            let chains = self.missing_chains(needs)?;
            if !chains.is_empty() {
                return Ok(Some(Missing { chains, control: false }));
            }
        }
        let Some(room) = self.rooms.get_mut(id) else { return Ok(None) };
        let before = room.control_len();
        for (seq, entry) in parsed {
            if entry.room() != *id || !fold_in(room, &self.people, seq, &entry) {
                continue;
            }
            self.changes.put(Tree::Control, keys::control(&id.0, seq.0), entry.raw().to_vec());
        }
        if room.control_len() > before {
            if room.note_fold(&self.me.account()) {
                self.commit_entries()?;
                self.recount(id)?;
            }
            self.members_changed(id)?;
        }
        Ok(None)
    }

    /// Folds a room's control entries from the store, unless that was done.
    pub(crate) fn load_fold(&mut self, id: &RoomId) -> Result<bool, ReadError> {
        let Some(room) = self.rooms.get_mut(id) else { return Ok(false) };
        if room.fold.is_none() {
            room.fold = RoomFold::load(&*self.store, &mut self.people, id)?;
        }
        Ok(room.fold.is_some())
    }
}
