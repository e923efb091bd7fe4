//! What a person wrote and the relay has not stored yet: kept in the vault before anybody says "queued", sent in order.
//!
//! Items go out in the order written, up to [`WINDOW`] of them before the first acknowledgement. A refusal that passes
//! throws back to the refused one: the run is raised, so that the relay refuses what it still gets of the old one, and
//! nothing overtakes. A refusal for good marks the item, which stays until the person retries or discards it; the others
//! go on. An item that was sent on an earlier connection may be stored already: the relay knows it by its transaction id.

use super::engine::Engine;
use super::error::{Fault, SendError};
use super::identity::Identity;
use super::limits::{ACKED_MAX, OUTBOX_MAX, TIDY_MS, WINDOW};
use super::model::{Millis, Queued, QueuedKind};
use super::requests::retry_at;
use super::rows::{decode, encode};
use super::update::Update;
use crate::store::{Changes, Direction, ReadError, Row, Span, Store, Tree, keys as store_keys};
use crate::timeline::{Echo, EchoContent, Redaction, State};
use crate::vault::{DurableMap, Writes, keys};
use bytes::Bytes;
use kith_protocol::entry::{Entry, Header, KEY_SOURCE_PLAIN, Kind};
use kith_protocol::error::ErrorCode;
use kith_protocol::event::{Event, Target};
use kith_protocol::frame::{Acks, ClientFrame, Rejected, Send};
use kith_protocol::ids::{AccountId, Hash, RoomId, Seq, TxnId};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet, VecDeque};

/// The items in the order written.
#[derive(Debug, Default)]
pub(crate) struct Outbox {
    items: BTreeMap<u64, Item>,
    orders: BTreeMap<TxnId, u64>,
    run: u32,
    sent: u64,
    hold_until: Option<Millis>,
    failures: u32,
    /// Stored by the relay, and still in the vault.
    tidy: Vec<(u64, TxnId)>,
    tidy_at: Option<Millis>,
    acked: BTreeMap<TxnId, Seq>,
    acked_order: VecDeque<TxnId>,
}

#[derive(Debug)]
struct Item {
    txn: TxnId,
    row: ItemRow,
    state: ItemState,
    /// It may have been sent before: then what the relay has may be other bytes.
    sent_before: bool,
    /// The bytes of the last attempt.
    entry: Option<Bytes>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum ItemState {
    Waiting,
    /// On its way; counts what was sent on this connection.
    Sent(u64),
    /// Stored; shown as such until the entry itself is here.
    Acked(Seq),
    Failed(ErrorCode),
}

#[derive(Debug, Clone, Serialize, Deserialize)]
struct ItemRow {
    room: RoomId,
    at: u64,
    what: What,
    /// In a direct chat that may have to be opened first: with whom.
    #[serde(default)]
    partner: Option<AccountId>,
    #[serde(default)]
    failed: Option<ErrorCode>,
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
    /// Takes up what the vault holds, without what the relay is known to have stored.
    pub(crate) fn load(vault: &dyn DurableMap, store: &dyn Store) -> Result<Self, ReadError> {
        let mut outbox = Self::default();
        for (key, value) in vault.scan(&keys::outbox_all()) {
            let Some((order, txn)) = keys::outbox_place(&key) else { continue };
            let txn = TxnId(txn);
            if let Some(seq) = store.get(Tree::Outbox, &store_keys::outbox(order, &txn.0))? {
                let seq = <[u8; 8]>::try_from(seq.as_slice()).map_or(0, u64::from_be_bytes);
                outbox.remember(txn, Seq(seq));
                outbox.tidy.push((order, txn));
                continue;
            }
            let Ok(row) = decode::<ItemRow>(&value) else {
                tracing::warn!(order, "an item of the outbox cannot be read");
                continue;
            };
            let state = row.failed.map_or(ItemState::Waiting, ItemState::Failed);
            outbox.put(order, Item { txn, row, state, sent_before: true, entry: None });
        }
        // Marks whose items are gone from the vault have served.
        let marks: Vec<Row> = store.range(Tree::Outbox, &Span::all(), Direction::Forward, 1)?;
        if !marks.is_empty() && outbox.tidy.is_empty() {
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
        self.run = 0;
        self.sent = 0;
    }

    /// Sends nothing until then.
    pub(crate) fn hold(&mut self, until: Millis) {
        self.hold_until = Some(until);
    }

    pub(crate) fn wake(&mut self, now: Millis) {
        if self.hold_until.is_some_and(|until| until <= now) {
            self.hold_until = None;
        }
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

    /// An entry of this device is in the timeline: whatever waited for it is done.
    pub(crate) fn came(&mut self, txn: &TxnId, room: RoomId, seq: Seq, changes: &mut Changes) {
        let Some(order) = self.orders.get(txn).copied() else { return };
        if self.items.get(&order).is_none_or(|item| item.row.room != room) {
            return;
        }
        self.orders.remove(txn);
        self.items.remove(&order);
        self.remember(*txn, seq);
        changes.put(Tree::Outbox, store_keys::outbox(order, &txn.0), seq.0.to_be_bytes());
        self.tidy.push((order, *txn));
    }

    pub(crate) fn tidy_now(&mut self) {
        self.tidy_at = Some(0);
    }

    fn put(&mut self, order: u64, item: Item) {
        self.orders.insert(item.txn, order);
        self.items.insert(order, item);
    }

    fn remember(&mut self, txn: TxnId, seq: Seq) {
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
    fn throw_back(&mut self, from: u64) {
        self.run += 1;
        for item in self.items.values_mut() {
            if matches!(item.state, ItemState::Sent(number) if number >= from) {
                item.state = ItemState::Waiting;
                item.sent_before = true;
            }
        }
    }
}

impl Item {
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
        let mut writes: Writes = self.removals();
        writes.push((keys::outbox(order, &txn.0), Some(encode(&row))));
        self.vault.write(writes)?;
        self.tidied();
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
        let room = item.row.room;
        self.vault.remove(&keys::outbox(order, &txn.0))?;
        self.outbox.items.remove(&order);
        self.outbox.orders.remove(txn);
        self.act(now, |engine| {
            engine.change_live(&room, |timeline| timeline.discard(txn));
            if let Some(room) = engine.rooms.get_mut(&room) {
                room.told = false;
            }
            Ok(())
        });
        Ok(true)
    }

    /// Sends as much as the window takes.
    pub(crate) fn pump_outbox(&mut self, now: Millis) -> Result<(), Fault> {
        if self.outbox.hold_until.is_some_and(|until| until > now) || self.outbox.waiting() == 0 {
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
            .filter(|(_, item)| item.state == ItemState::Waiting)
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
                None => drop(blocked.insert(room)),
            }
        }
        Ok(())
    }

    /// The entry of an item, with where we stand now. `None` if what it refers to is not stored yet.
    fn sign_item(&mut self, order: u64) -> Result<Option<Bytes>, Fault> {
        let Some(item) = self.outbox.items.get(&order) else { return Ok(None) };
        let (txn, at, id, what) = (item.txn, item.row.at, item.row.room, item.row.what.clone());
        let Some(room) = self.rooms.get(&id) else { return Ok(None) };
        let Some(fold) = &room.fold else { return Ok(None) };
        let (control_head, seen_seq, seen_hash) = (fold.room.control_head(), room.row.solid, room.row.hash);
        let (kind, body) = match what {
            What::Event(body) => (Kind::Message, Bytes::from(body)),
            What::Redaction { at: Some((target, digest)), edit_of, .. } => {
                (Kind::Redaction { target, digest }, Redaction::body(edit_of))
            }
            What::Redaction { target, at: None, edit_of } => {
                let Some(entry) = self.find(&id, &target)? else {
                    if self.outbox.orders.contains_key(&target.txn) {
                        return Ok(None);
                    }
                    self.fail_item(order, ErrorCode::NotFound)?;
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

    pub(crate) fn on_acks(&mut self, now: Millis, acks: &Acks) -> Result<(), Fault> {
        for ack in &acks.acks {
            let Some(order) = self.outbox.orders.get(&ack.txn).copied() else { continue };
            let Some(item) = self.outbox.items.get_mut(&order) else { continue };
            if item.row.room != ack.room || matches!(item.state, ItemState::Acked(_)) {
                continue;
            }
            item.state = ItemState::Acked(ack.seq);
            self.outbox.failures = 0;
            let entry = item.entry.take().filter(|_| !item.sent_before);
            self.outbox.remember(ack.txn, ack.seq);
            self.changes.put(Tree::Outbox, store_keys::outbox(order, &ack.txn.0), ack.seq.0.to_be_bytes());
            self.tell(Update::Acked { txn: ack.txn, room: ack.room, seq: ack.seq });
            if let Some(entry) = entry {
                use super::ingest::Origin;
                use super::sync::Tried;
                let tried = Tried { chains: true, control: true };
                self.take_entries(now, ack.room, ack.seq, &[entry], Origin::Own, tried)?;
            }
            if self.outbox.orders.contains_key(&ack.txn) {
                // It stands behind something that is not here yet, or as other bytes.
                self.change_live(&ack.room, |timeline| timeline.acked(&ack.txn, ack.seq));
                self.raise_head(&ack.room, ack.seq);
            }
        }
        self.outbox.tidy_at.get_or_insert(now + TIDY_MS);
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
            self.outbox.hold_until = Some(retry_at(now, told));
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

    /// Takes what is stored out of the vault, and then its marks out of the store.
    pub(crate) fn tidy_outbox(&mut self, now: Millis) -> Result<(), Fault> {
        if self.outbox.tidy_at.is_none_or(|at| at > now) {
            return Ok(());
        }
        self.outbox.tidy_at = None;
        // First the marks have to be in the store, then the items may go.
        self.commit()?;
        let removals = self.removals();
        if !removals.is_empty() {
            self.vault.write(removals)?;
            self.tidied();
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

    fn removals(&self) -> Writes {
        self.outbox.tidy.iter().map(|(order, txn)| (keys::outbox(*order, &txn.0), None)).collect()
    }

    fn tidied(&mut self) {
        self.outbox.tidy.clear();
    }
}
