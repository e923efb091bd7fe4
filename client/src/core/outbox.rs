//! What a person wrote and the relay has not stored yet: kept in the vault before anybody says "queued", sent in order.
//!
//! Items go out in the order written, up to [`WINDOW`] of them before the first acknowledgement. A refusal that passes
//! throws back to the refused one: the run is raised, so that the relay refuses what it still gets of the old one, and
//! nothing overtakes. A refusal for good marks the item, which stays until the person retries or discards it; the others
//! go on. An item that was sent on an earlier connection may be stored already: the relay knows it by its transaction id.

use super::engine::Engine;
use super::error::{Fault, SendError};
use super::identity::Identity;
use super::limits::{ACKED_MAX, OUTBOX_MAX, SYNC_RETRY_MS, TIDY_MS};
use super::model::{Millis, Queued, QueuedKind};
use super::rows::{decode, encode, read_entry_value};
use crate::store::{Changes, Direction, ReadError, Row, Span, Store, Tree, keys as store_keys};
use crate::timeline::{Echo, EchoContent, State};
use crate::vault::{DurableMap, Writes, keys};
use bytes::Bytes;
use kith_protocol::entry::Entry;
use kith_protocol::error::ErrorCode;
use kith_protocol::event::{Event, Target};
use kith_protocol::ids::{AccountId, Hash, RoomId, Seq, TxnId};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, VecDeque};

/// The items in the order written.
#[derive(Debug, Default)]
pub(crate) struct Outbox {
    pub(super) items: BTreeMap<u64, Item>,
    pub(super) orders: BTreeMap<TxnId, u64>,
    pub(super) run: u32,
    pub(super) sent: u64,
    pub(super) hold_until: Option<Millis>,
    /// Nothing but what makes room is sent: the account holds as much as it may.
    pub(super) is_short_of_room: bool,
    /// Why nothing is stored, as the person was told.
    pub(super) told: Option<ErrorCode>,
    pub(super) failures: u32,
    /// Stored by the relay, held as entries, and still in the vault: until the store is known to be on the disk.
    pub(super) tidy: Vec<(u64, TxnId)>,
    pub(super) tidy_at: Option<Millis>,
    pub(super) acked: BTreeMap<TxnId, Seq>,
    acked_order: VecDeque<TxnId>,
}

#[derive(Debug)]
pub(super) struct Item {
    pub(super) txn: TxnId,
    pub(super) row: ItemRow,
    pub(super) state: ItemState,
    /// It may have been sent before: then what the relay has may be other bytes.
    pub(super) sent_before: bool,
    /// The bytes of the last attempt.
    pub(super) entry: Option<Bytes>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ItemState {
    Waiting,
    /// On its way; counts what was sent on this connection.
    Sent(u64),
    /// Stored; shown as such until the entry itself is here.
    Acked(Seq),
    Failed(ErrorCode),
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct ItemRow {
    pub(super) room: RoomId,
    pub(super) at: u64,
    pub(super) what: What,
    /// In a direct chat that may have to be opened first: with whom.
    #[serde(default)]
    pub(super) partner: Option<AccountId>,
    #[serde(default)]
    pub(super) failed: Option<ErrorCode>,
}

/// What an item says.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) enum What {
    /// A body.
    Event(#[serde(with = "serde_bytes")] Vec<u8>),
    /// Takes the entry of this name away; of which text it is an edit, if it is one.
    Redaction {
        target: Target,
        /// Where it stands, if that is known.
        at: Option<(Seq, Hash)>,
        edit_of: Option<Target>,
    },
}

impl Outbox {
    /// Takes up what the vault holds, without what the store holds as an entry.
    pub(crate) fn load(vault: &dyn DurableMap, store: &dyn Store) -> Result<Self, ReadError> {
        let mut outbox = Self::default();
        for (key, value) in vault.scan(&keys::outbox_all()) {
            let Some((order, txn)) = keys::outbox_place(&key) else { continue };
            let txn = TxnId(txn);
            let Ok(row) = decode::<ItemRow>(&value) else {
                tracing::warn!(order, "an item of the outbox cannot be read");
                continue;
            };
            let mut state = row.failed.map_or(ItemState::Waiting, ItemState::Failed);
            if let Some(seq) = store.get(Tree::Outbox, &store_keys::outbox(order, &txn.0))? {
                let seq = Seq(<[u8; 8]>::try_from(seq.as_slice()).map_or(0, u64::from_be_bytes));
                outbox.remember(txn, seq);
                if is_held(store, &row.room, seq, &txn)? {
                    outbox.tidy.push((order, txn));
                    continue;
                }
                state = ItemState::Acked(seq);
            }
            outbox.put(order, Item { txn, row, state, sent_before: true, entry: None });
        }
        // What is held may go, and marks whose items are gone from the vault have served.
        let marks: Vec<Row> = store.range(Tree::Outbox, &Span::all(), Direction::Forward, 1)?;
        if !marks.is_empty() || !outbox.tidy.is_empty() {
            outbox.tidy_at = Some(0);
        }
        Ok(outbox)
    }

    /// Messages that are not stored yet and have not failed.
    pub(crate) fn waiting(&self) -> usize {
        self.items
            .values()
            .filter(|item| matches!(item.state, ItemState::Waiting | ItemState::Sent(_)))
            .count()
    }

    /// When the newest of a room was written.
    pub(crate) fn newest_in(&self, room: &RoomId) -> Option<Millis> {
        self.items.values().rev().find(|item| item.row.room == *room).map(|item| item.row.at)
    }

    /// What a timeline shows of them.
    pub(crate) fn echoes(&self, room: &RoomId, me: &Identity) -> Vec<Echo> {
        let of_room = self.items.iter().filter(|(_, item)| item.row.room == *room);
        of_room.filter_map(|(order, item)| item.echo(*order, me)).collect()
    }

    /// The connection is gone.
    pub(crate) fn reset(&mut self) {
        for item in self.items.values_mut() {
            if matches!(item.state, ItemState::Sent(_)) {
                item.state = ItemState::Waiting;
                item.sent_before = true;
            }
        }
        self.hold_until = None;
        self.is_short_of_room = false;
        self.run = 0;
        self.sent = 0;
    }

    /// Sends nothing until then.
    pub(crate) fn hold(&mut self, until: Millis) {
        self.hold_until = Some(until);
        self.is_short_of_room = false;
    }

    pub(crate) fn wake(&mut self, now: Millis) {
        if self.hold_until.is_some_and(|until| until <= now) {
            self.hold_until = None;
        }
    }

    /// Waits for no moment any more.
    pub(crate) fn wake_all(&mut self, now: Millis) {
        self.hold_until = None;
        self.tidy_at = self.tidy_at.map(|at| at.min(now));
    }

    pub(crate) fn wake_at(&self) -> Option<Millis> {
        [self.hold_until, self.tidy_at].into_iter().flatten().min()
    }

    /// Whether a message was stored: its place; `None` if it waits or is not known.
    pub(crate) fn acked(&self, txn: &TxnId) -> Option<Seq> {
        self.acked.get(txn).copied()
    }

    /// Whether a message waits or has failed.
    pub(crate) fn state(&self, txn: &TxnId) -> Option<State> {
        Some(self.items.get(self.orders.get(txn)?)?.state())
    }

    /// An entry of this device is in the timeline: whatever waited for it is done. Returns whether that is news.
    pub(crate) fn came(
        &mut self,
        now: Millis,
        txn: &TxnId,
        (room, seq): (RoomId, Seq),
        changes: &mut Changes,
    ) -> bool {
        let Some(order) = self.orders.get(txn).copied() else { return false };
        let Some(item) = self.items.get(&order).filter(|item| item.row.room == room) else { return false };
        let news = !matches!(item.state, ItemState::Acked(_));
        self.orders.remove(txn);
        self.items.remove(&order);
        self.remember(*txn, seq);
        changes.put(Tree::Outbox, store_keys::outbox(order, &txn.0), seq.0.to_be_bytes());
        self.tidy.push((order, *txn));
        self.tidy_at.get_or_insert(now + TIDY_MS);
        news
    }

    /// The relay may have lost what it acknowledged: what is not held as an entry waits to be sent again.
    pub(crate) fn doubt_acks(&mut self, changes: &mut Changes) {
        for (order, item) in &mut self.items {
            if matches!(item.state, ItemState::Acked(_)) {
                item.state = ItemState::Waiting;
                item.sent_before = true;
                self.acked.remove(&item.txn);
                changes.remove(Tree::Outbox, store_keys::outbox(*order, &item.txn.0));
            }
        }
        self.acked_order.retain(|txn| self.acked.contains_key(txn));
    }

    pub(crate) fn tidy_now(&mut self) {
        self.tidy_at = Some(0);
    }

    fn put(&mut self, order: u64, item: Item) {
        self.orders.insert(item.txn, order);
        self.items.insert(order, item);
    }

    pub(super) fn remember(&mut self, txn: TxnId, seq: Seq) {
        if self.acked.insert(txn, seq).is_none() {
            self.acked_order.push_back(txn);
        }
        if self.acked_order.len() > ACKED_MAX
            && let Some(oldest) = self.acked_order.pop_front()
        {
            self.acked.remove(&oldest);
        }
    }

    fn next_order(&self) -> u64 {
        let newest = self.items.last_key_value().map_or(0, |(order, _)| *order);
        let tidied = self.tidy.iter().map(|(order, _)| *order).max().unwrap_or(0);
        newest.max(tidied) + 1
    }

    /// Throws back what was sent as this number, and all that was sent behind it.
    pub(super) fn throw_back(&mut self, from: u64) {
        self.run += 1;
        for item in self.items.values_mut() {
            if matches!(item.state, ItemState::Sent(number) if number >= from) {
                item.state = ItemState::Waiting;
                item.sent_before = true;
            }
        }
    }
}

/// Whether the entry of this name stands at this place in our store.
fn is_held(store: &dyn Store, room: &RoomId, seq: Seq, txn: &TxnId) -> Result<bool, ReadError> {
    let value = store.get(Tree::Entries, &store_keys::entry(&room.0, seq.0))?;
    let entry = value.and_then(read_entry_value).and_then(|(_, raw)| Entry::parse(raw).ok());
    Ok(entry.is_some_and(|entry| entry.header().txn == *txn))
}

impl Item {
    /// Whether it takes something away from what the relay holds.
    pub(super) fn makes_room(&self) -> bool {
        matches!(self.row.what, What::Redaction { .. })
    }

    fn state(&self) -> State {
        match self.state {
            ItemState::Waiting => State::Waiting,
            ItemState::Sent(_) => State::Sending,
            ItemState::Acked(_) => State::Sent,
            ItemState::Failed(code) => State::Failed { code },
        }
    }

    fn echo(&self, order: u64, me: &Identity) -> Option<Echo> {
        let content = match &self.row.what {
            What::Event(body) => match Event::decode(body).ok()? {
                Event::Text(text) => EchoContent::Text(text),
                Event::Edit(edit) => EchoContent::Edit(edit),
                Event::Unknown(_) => return None,
            },
            What::Redaction { target, .. } => EchoContent::Redaction(*target),
        };
        let id = Target { device: me.device(), txn: self.txn };
        Some(Echo { order, id, account: me.account(), at: self.row.at, content, state: self.state() })
    }
}

impl Engine {
    /// Puts something into the outbox. It is on disk when this returns.
    pub(crate) fn enqueue(&mut self, now: Millis, room: RoomId, what: What) -> Result<TxnId, SendError> {
        if self.outbox.items.len() >= OUTBOX_MAX {
            return Err(SendError::Full(self.outbox.items.len()));
        }
        let at = self.at(now);
        let txn = TxnId::new(at, self.entropy.array());
        let order = self.outbox.next_order();
        let partner = self.rooms.get(&room).and_then(|room| room.row.partner);
        let row = ItemRow { room, at, what, partner, failed: None };
        self.vault.put(&keys::outbox(order, &txn.0), &encode(&row))?;
        let item = Item { txn, row, state: ItemState::Waiting, sent_before: false, entry: None };
        let echo = item.echo(order, &self.me);
        self.outbox.put(order, item);
        self.act(now, |engine| {
            if let Some(echo) = echo {
                engine.show_echo(&room, echo);
            }
            if let Some(room) = engine.rooms.get_mut(&room) {
                room.told = false;
            }
            Ok(())
        });
        Ok(txn)
    }

    fn show_echo(&mut self, room: &RoomId, echo: Echo) {
        if self.live.get(room).is_some() {
            self.change_live(room, |timeline| timeline.echo(echo));
        } else {
            let diffs = crate::timeline::Timeline::new().echo(echo);
            self.tell_diffs(room, diffs);
        }
    }

    /// What waits to be sent, in the order written.
    pub fn outbox(&self) -> Vec<Queued> {
        let items = self.outbox.items.values().filter(|item| !matches!(item.state, ItemState::Acked(_)));
        let shown = items.map(|item| {
            let (what, text) = match &item.row.what {
                What::Redaction { .. } => (QueuedKind::Redaction, String::new()),
                What::Event(body) => match Event::decode(body) {
                    Ok(Event::Edit(edit)) => (QueuedKind::Edit, edit.text),
                    Ok(Event::Text(text)) => (QueuedKind::Text, text.text),
                    _ => (QueuedKind::Text, String::new()),
                },
            };
            Queued { txn: item.txn, room: item.row.room, at: item.row.at, what, text, state: item.state() }
        });
        shown.collect()
    }

    /// Where a message is on its way: `Ok` with its place once it is stored.
    pub fn delivery(&self, txn: &TxnId) -> Option<Result<Seq, State>> {
        match self.outbox.acked(txn) {
            Some(seq) => Some(Ok(seq)),
            None => self.outbox.state(txn).map(Err),
        }
    }

    /// Sends a message once more that was refused for good. `false` if there is none.
    pub fn retry(&mut self, now: Millis, txn: &TxnId) -> Result<bool, SendError> {
        let Some(order) = self.outbox.orders.get(txn).copied() else { return Ok(false) };
        let Some(item) = self.outbox.items.get_mut(&order) else { return Ok(false) };
        if !matches!(item.state, ItemState::Failed(_)) {
            return Ok(false);
        }
        let row = ItemRow { failed: None, ..item.row.clone() };
        self.vault.put(&keys::outbox(order, &txn.0), &encode(&row))?;
        item.row = row;
        item.state = ItemState::Waiting;
        let room = item.row.room;
        self.act(now, |engine| {
            engine.change_live(&room, |timeline| timeline.echo_state(txn, State::Waiting));
            Ok(())
        });
        Ok(true)
    }

    /// Gives a message up that was refused, or that never left this device. `false` if that is not so: it may be stored.
    pub fn discard(&mut self, now: Millis, txn: &TxnId) -> Result<bool, SendError> {
        let Some(order) = self.outbox.orders.get(txn).copied() else { return Ok(false) };
        let Some(item) = self.outbox.items.get(&order) else { return Ok(false) };
        let never_sent = item.state == ItemState::Waiting && !item.sent_before;
        if !never_sent && !matches!(item.state, ItemState::Failed(_)) {
            return Ok(false);
        }
        self.vault.remove(&keys::outbox(order, &txn.0))?;
        self.act(now, |engine| {
            engine.drop_item(order);
            Ok(())
        });
        Ok(true)
    }

    /// An item is no more in the vault, nor anywhere else.
    pub(super) fn drop_item(&mut self, order: u64) {
        let Some(item) = self.outbox.items.remove(&order) else { return };
        self.outbox.orders.remove(&item.txn);
        self.change_live(&item.row.room, |timeline| timeline.discard(&item.txn));
        if let Some(room) = self.rooms.get_mut(&item.row.room) {
            room.told = false;
        }
    }

    /// Takes what is stored out of the vault, and then its marks out of the store.
    pub(crate) fn tidy_outbox(&mut self, now: Millis) -> Result<(), Fault> {
        if self.outbox.tidy_at.is_none_or(|at| at > now) {
            return Ok(());
        }
        self.outbox.tidy_at = None;
        // First what they have become has to be on the disk: whoever lost it to a power cut could not give it back to a
        // relay that is put back.
        self.commit()?;
        if !self.outbox.tidy.is_empty() || !self.pending.settled.is_empty() {
            if let Err(error) = self.store.sync() {
                tracing::warn!(%error, "bring the local store to the disk");
                self.outbox.tidy_at = Some(now + SYNC_RETRY_MS);
                return Ok(());
            }
            let items = self.outbox.tidy.iter();
            let items = items.map(|(order, txn)| keys::outbox(*order, &txn.0));
            let gone = items.chain(self.pending.settled.iter().cloned());
            let removals: Writes = gone.map(|key| (key, None)).collect();
            self.vault.write(removals)?;
            self.outbox.tidy.clear();
            self.pending.settled.clear();
        }
        let marks =
            self.store.range(Tree::Outbox, &Span::all(), Direction::Forward, crate::store::COMMIT_BEST)?;
        for (key, _) in marks {
            let held = keys::outbox_place(&[keys::outbox_all(), key.clone()].concat());
            let still = held.is_some_and(|(order, txn)| self.vault.get(&keys::outbox(order, &txn)).is_some());
            if !still {
                self.changes.remove(Tree::Outbox, key);
            }
        }
        Ok(())
    }
}
