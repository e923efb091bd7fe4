//! The way of the outbox to the relay, and back.

use super::arrivals::Tried;
use super::engine::Engine;
use super::error::Fault;
use super::ingest::Origin;
use super::limits::WINDOW;
use super::model::Millis;
use super::outbox::{ItemState, What};
use super::requests::retry_at;
use super::rows::encode;
use super::update::{Trouble, Update};
use crate::store::{Tree, keys as store_keys};
use crate::timeline::{Redaction, State};
use crate::vault::keys;
use bytes::Bytes;
use kith_protocol::entry::{Entry, Header, KEY_SOURCE_PLAIN, Kind};
use kith_protocol::error::ErrorCode;
use kith_protocol::event::Target;
use kith_protocol::frame::{Acks, ClientFrame, Rejected, Send};
use kith_protocol::ids::{RoomId, Seq};
use std::collections::BTreeSet;

impl Engine {
    /// Sends as much as the window takes.
    pub(crate) fn pump_outbox(&mut self, now: Millis) -> Result<(), Fault> {
        let held = self.outbox.hold_until.is_some_and(|until| until > now);
        if (held && !self.outbox.is_short_of_room) || self.outbox.waiting() == 0 {
            return Ok(());
        }
        let mut free = WINDOW.saturating_sub(
            self.outbox.items.values().filter(|i| matches!(i.state, ItemState::Sent(_))).count(),
        );
        let mut blocked = BTreeSet::new();
        let waiting: Vec<u64> = self
            .outbox
            .items
            .iter()
            .filter(|(_, item)| item.state == ItemState::Waiting && (!held || item.makes_room()))
            .map(|(order, _)| *order)
            .collect();
        for order in waiting {
            if free == 0 {
                break;
            }
            let Some(item) = self.outbox.items.get(&order) else { continue };
            let (room, partner) = (item.row.room, item.row.partner);
            if blocked.contains(&room) {
                continue;
            }
            if !self.room_ready(now, &room, partner)? {
                blocked.insert(room);
                continue;
            }
            match self.sign_item(order)? {
                Some(entry) => {
                    let run = self.outbox.run;
                    self.outbox.sent += 1;
                    if let Some(item) = self.outbox.items.get_mut(&order) {
                        item.state = ItemState::Sent(self.outbox.sent);
                        item.entry = Some(entry.clone());
                        let txn = item.txn;
                        self.change_live(&room, |timeline| timeline.echo_state(&txn, State::Sending));
                    }
                    self.transmit(ClientFrame::Send(Send { run, entry }));
                    free -= 1;
                }
                None if self
                    .outbox
                    .items
                    .get(&order)
                    .is_some_and(|item| item.state == ItemState::Waiting) =>
                {
                    blocked.insert(room);
                }
                None => {}
            }
        }
        Ok(())
    }

    fn lacks_some(&self, id: &RoomId) -> bool {
        self.rooms.get(id).is_some_and(|room| room.row.tip.is_some() || room.row.newest() < room.row.head.seq)
    }

    /// The entry of an item, with where we stand now. `None` if what it refers to is not stored yet, or never will be: then
    /// the item does not wait any more.
    fn sign_item(&mut self, order: u64) -> Result<Option<Bytes>, Fault> {
        let Some(item) = self.outbox.items.get(&order) else { return Ok(None) };
        let (txn, at, id, what) = (item.txn, item.row.at, item.row.room, item.row.what.clone());
        let Some(room) = self.rooms.get(&id) else { return Ok(None) };
        let Some(fold) = &room.fold else { return Ok(None) };
        let (control_head, seen_seq, seen_hash) = (fold.room.control_head(), room.row.solid, room.row.hash);
        let (kind, body) = match what {
            What::Event(body) => (Kind::Message, Bytes::from(body)),
            What::Redaction { target: named, at: Some((target, digest)), edit_of } => {
                // After a restore of the relay it may stand elsewhere than when it was taken away.
                let (target, digest) = match self.entry_at(&id, target)? {
                    Some(entry) if entry.digest == digest => (target, digest),
                    _ => match self.find(&id, &named)? {
                        Some(entry) => (entry.seq, entry.digest),
                        None if self.lacks_some(&id) => return Ok(None),
                        None => (target, digest),
                    },
                };
                (Kind::Redaction { target, digest }, Redaction::body(edit_of))
            }
            What::Redaction { target, at: None, edit_of } => {
                let Some(entry) = self.find(&id, &target)? else {
                    self.without_target(order, &id, &target)?;
                    return Ok(None);
                };
                (Kind::Redaction { target: entry.seq, digest: entry.digest }, Redaction::body(edit_of))
            }
        };
        let header = Header {
            key_source: KEY_SOURCE_PLAIN,
            room: id,
            account: self.me.account(),
            device: self.me.device(),
            chain_len: self.people.len(&self.me.account()),
            control_head,
            seen_seq,
            seen_hash,
            txn,
            at,
            kind,
        };
        Ok(Some(Entry::sign(&header, &body, self.me.keys()).raw().clone()))
    }

    /// What a redaction takes away is not here: it may be on its way to the relay, or back.
    fn without_target(&mut self, order: u64, room: &RoomId, target: &Target) -> Result<(), Fault> {
        let on_its_way = self.outbox.orders.get(&target.txn).copied();
        match on_its_way.and_then(|order| Some((order, self.outbox.items.get(&order)?.state))) {
            // It never got out: both have come to their end.
            Some((refused, ItemState::Failed(_))) => {
                let Some(own) = self.outbox.items.get(&order).map(|item| item.txn) else { return Ok(()) };
                let gone = [(refused, target.txn), (order, own)];
                self.vault.write(gone.map(|(order, txn)| (keys::outbox(order, &txn.0), None)).into())?;
                gone.into_iter().for_each(|(order, _)| self.drop_item(order));
                Ok(())
            }
            Some(_) => Ok(()),
            None if self.lacks_some(room) || !self.sync.heads_done() => Ok(()),
            None => self.fail_item(order, ErrorCode::NotFound),
        }
    }

    pub(crate) fn on_acks(&mut self, now: Millis, acks: &Acks) -> Result<(), Fault> {
        for ack in &acks.acks {
            let Some(order) = self.outbox.orders.get(&ack.txn).copied() else { continue };
            let Some(item) = self.outbox.items.get_mut(&order) else { continue };
            if item.row.room != ack.room || matches!(item.state, ItemState::Acked(_)) {
                continue;
            }
            item.state = ItemState::Acked(ack.seq);
            self.outbox.failures = 0;
            self.outbox.told = None;
            let entry = item.entry.take().filter(|_| !item.sent_before);
            self.outbox.remember(ack.txn, ack.seq);
            self.changes.put(Tree::Outbox, store_keys::outbox(order, &ack.txn.0), ack.seq.0.to_be_bytes());
            self.tell(Update::Acked { txn: ack.txn, room: ack.room, seq: ack.seq });
            if let Some(entry) = entry {
                let tried = Tried { chains: true, control: true };
                self.take_entries(now, ack.room, ack.seq, &[entry], Origin::Own, tried)?;
            }
            if self.outbox.orders.contains_key(&ack.txn) {
                // It stands behind something that is not here yet, or as other bytes.
                self.change_live(&ack.room, |timeline| timeline.acked(&ack.txn, ack.seq));
                self.raise_head(&ack.room, ack.seq);
            }
        }
        Ok(())
    }

    /// The relay is known to hold an entry at this place.
    pub(crate) fn raise_head(&mut self, id: &RoomId, seq: Seq) {
        if let Some(room) = self.rooms.get_mut(id) {
            room.row.head.raise(seq);
            room.dirty = true;
        }
        self.want(id);
    }

    pub(crate) fn on_rejected(&mut self, now: Millis, rejected: &Rejected) -> Result<(), Fault> {
        if rejected.run != self.outbox.run {
            return Ok(());
        }
        let Some(order) = self.outbox.orders.get(&rejected.txn).copied() else { return Ok(()) };
        let Some(ItemState::Sent(number)) = self.outbox.items.get(&order).map(|item| item.state) else {
            return Ok(());
        };
        self.outbox.throw_back(number);
        if rejected.code.is_passing() {
            self.outbox.failures = (self.outbox.failures + 1).min(6);
            let patience = (1 << self.outbox.failures) * 250;
            let told = if rejected.retry_in_ms == 0 { patience } else { rejected.retry_in_ms };
            self.outbox.hold(retry_at(now, told));
            self.outbox.is_short_of_room = rejected.code == ErrorCode::QuotaReached;
            let lasts = matches!(rejected.code, ErrorCode::StorageFull | ErrorCode::QuotaReached);
            if lasts && self.outbox.told.replace(rejected.code) != Some(rejected.code) {
                self.tell(Update::Trouble(Trouble::NotStored(rejected.code)));
            }
            return Ok(());
        }
        self.fail_item(order, rejected.code)
    }

    /// Nothing can be sent to this room.
    pub(crate) fn fail_room(&mut self, id: &RoomId, code: ErrorCode) -> Result<(), Fault> {
        let of_room: Vec<u64> = self
            .outbox
            .items
            .iter()
            .filter(|(_, item)| item.row.room == *id && item.state == ItemState::Waiting)
            .map(|(order, _)| *order)
            .collect();
        of_room.into_iter().try_for_each(|order| self.fail_item(order, code))
    }

    fn fail_item(&mut self, order: u64, code: ErrorCode) -> Result<(), Fault> {
        let Some(item) = self.outbox.items.get_mut(&order) else { return Ok(()) };
        item.state = ItemState::Failed(code);
        item.row.failed = Some(code);
        let (txn, room) = (item.txn, item.row.room);
        let row = encode(&item.row);
        self.vault.put(&keys::outbox(order, &txn.0), &row)?;
        self.change_live(&room, |timeline| timeline.echo_state(&txn, State::Failed { code }));
        self.tell(Update::SendFailed { txn, room, code });
        Ok(())
    }
}
