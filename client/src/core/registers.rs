//! Registers, in and out. What was set here is shown at once, waits where it survives, and is written with compare-and-set:
//! whoever comes too late gets what stands there, merges, and writes again.

use super::arrivals::Tried;
use super::engine::Engine;
use super::error::Fault;
use super::limits::{REGISTER_SPACE_MS, REGISTERS_IN_FLIGHT_MAX, TIDY_MS};
use super::model::Millis;
use super::requests::Purpose;
use super::rows::{self, decode, encode, pending_name, read_register_value};
use crate::store::{Direction, ReadError, Span, Store, Tree, keys as store_keys};
use crate::vault::{DurableMap, WriteError, keys};
use kith_protocol::entry::KEY_SOURCE_PLAIN;
use kith_protocol::error::ErrorCode;
use kith_protocol::event::{Reaction, Setting};
use kith_protocol::frame::{Append, ClientFrame, RegisterConflict, RegisterSet};
use kith_protocol::ids::{AccountId, RegisterKey, Rev, RoomId};
use kith_protocol::register::{Register, RegisterHeader, Scope};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// What was set here and is not on the relay yet: the newest value of each register.
#[derive(Debug, Default)]
pub(crate) struct Pending {
    values: BTreeMap<(RoomId, RegisterKey), PendingValue>,
    version: u64,
    hold_until: Option<Millis>,
    /// Keys in the vault of values that have come to their end: they go once what this led to is on the disk.
    pub(super) settled: BTreeSet<Vec<u8>>,
}

#[derive(Debug)]
struct PendingValue {
    row: PendingRow,
    /// Raised with each new value, so that the answer to an older one is told apart.
    version: u64,
    in_flight: bool,
    /// Somebody who types sets a draft many times a second: not each of them is sent.
    not_before: Millis,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
struct PendingRow {
    room: RoomId,
    key: RegisterKey,
    for_room: bool,
    at: u64,
    /// What stood there, as far as this device knew, when this was set.
    #[serde(default)]
    base: Rev,
    #[serde(with = "serde_bytes")]
    body: Vec<u8>,
}

impl PendingRow {
    fn setting(&self) -> Option<Setting> {
        Setting::decode(&self.body).ok()
    }
}

impl Pending {
    pub(crate) fn load(vault: &dyn DurableMap, store: &dyn Store) -> Result<Self, ReadError> {
        let mut pending = Self::default();
        let kept = vault.scan(&keys::state(PREFIX)).into_iter();
        let marks = store.range(
            Tree::Local,
            &Span::prefix(store_keys::local(PREFIX, None)),
            Direction::Forward,
            usize::MAX,
        )?;
        for (_, row) in kept.chain(marks) {
            if let Ok(row) = decode::<PendingRow>(&row) {
                pending.put(row);
            }
        }
        Ok(pending)
    }

    fn put(&mut self, row: PendingRow) {
        self.version += 1;
        let place = (row.room, row.key);
        // The answer to an older value is still to come.
        let (in_flight, not_before) =
            self.values.get(&place).map_or((false, 0), |value| (value.in_flight, value.not_before));
        self.values.insert(place, PendingValue { version: self.version, in_flight, not_before, row });
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.values.is_empty()
    }

    pub(crate) fn holds(&self, room: &RoomId, key: &RegisterKey) -> bool {
        self.values.contains_key(&(*room, *key))
    }

    /// Reactions of this account that the relay has not stored yet.
    pub(crate) fn reactions(&self, room: &RoomId) -> Vec<Reaction> {
        let of_room = self.values.values().filter(|value| value.row.room == *room);
        let reactions = of_room.filter_map(|value| match value.row.setting() {
            Some(Setting::Reaction(reaction)) => Some(reaction),
            _ => None,
        });
        reactions.collect()
    }

    /// What waits, and in which room it is to stand.
    pub(crate) fn settings(&self) -> Vec<(RoomId, Setting)> {
        let settings =
            self.values.iter().filter_map(|((room, _), value)| Some((*room, value.row.setting()?)));
        settings.collect()
    }

    pub(crate) fn wake(&mut self, now: Millis) {
        if self.hold_until.is_some_and(|until| until <= now) {
            self.hold_until = None;
        }
    }

    /// Waits for no moment any more.
    pub(crate) fn wake_all(&mut self) {
        self.hold_until = None;
        self.values.values_mut().for_each(|value| value.not_before = 0);
    }

    pub(crate) fn wake_at(&self) -> Option<Millis> {
        let spaced = self.values.values().filter(|value| !value.in_flight && value.not_before > 0);
        spaced.map(|value| value.not_before).chain(self.hold_until).min()
    }

    /// The connection is gone.
    pub(crate) fn reset(&mut self) {
        for value in self.values.values_mut() {
            value.in_flight = false;
            value.not_before = 0;
        }
        self.hold_until = None;
    }
}

impl Engine {
    /// Sets a register: kept, shown, and sent when there is a connection.
    pub(crate) fn set_register(
        &mut self,
        now: Millis,
        room: RoomId,
        setting: &Setting,
    ) -> Result<(), WriteError> {
        let key = setting.key();
        let for_room = matches!(setting, Setting::RoomName(_) | Setting::RoomTopic(_));
        // If that cannot be read now, the two are compared when this is sent.
        let base = self.register_rev(&room, &self.owner(for_room), &key).unwrap_or_default();
        let row = PendingRow { room, key, for_room, at: self.at(now), base, body: setting.encode().to_vec() };
        let name = pending_name(&room, &key.0);
        if is_mark(setting) {
            self.changes.put(Tree::Local, mark_key(&name), encode(&row));
        } else {
            self.keep_pending(&name, &row)?;
        }
        self.pending.put(row);
        Ok(())
    }

    /// A value of ours that the relay may have lost: offered again, unless a newer one waits.
    pub(crate) fn pend_again(
        &mut self,
        room: &RoomId,
        setting: &Setting,
        at: Millis,
    ) -> Result<(), WriteError> {
        let key = setting.key();
        if self.pending.holds(room, &key) {
            return Ok(());
        }
        let for_room = matches!(setting, Setting::RoomName(_) | Setting::RoomTopic(_));
        let body = setting.encode().to_vec();
        let row = PendingRow { room: *room, key, for_room, at, base: Rev::ZERO, body };
        // Its only copy is about to go: it waits where it survives.
        self.keep_pending(&pending_name(room, &key.0), &row)?;
        self.pending.put(row);
        Ok(())
    }

    /// A relay put back numbers anew: what waits has to be compared with whatever stands there.
    pub(crate) fn forget_bases(&mut self, room: &RoomId) -> Result<(), WriteError> {
        let of_room = self.pending.values.values_mut().map(|value| &mut value.row);
        let rows: Vec<PendingRow> = of_room
            .filter(|row| row.room == *room && row.base != Rev::ZERO)
            .map(|row| {
                row.base = Rev::ZERO;
                row.clone()
            })
            .collect();
        for row in rows {
            let name = pending_name(room, &row.key.0);
            if self.vault.get(&vault_key(&name)).is_some() {
                self.keep_pending(&name, &row)?;
            }
            if row.setting().as_ref().is_some_and(is_mark) {
                self.changes.put(Tree::Local, mark_key(&name), encode(&row));
            }
        }
        Ok(())
    }

    fn keep_pending(&mut self, name: &[u8], row: &PendingRow) -> Result<(), WriteError> {
        let key = vault_key(name);
        self.vault.put(&key, &encode(row))?;
        self.pending.settled.remove(&key);
        Ok(())
    }

    fn forget_pending(&mut self, room: &RoomId, key: &RegisterKey) {
        let Some(value) = self.pending.values.remove(&(*room, *key)) else { return };
        let name = pending_name(room, &key.0);
        if value.row.setting().as_ref().is_some_and(is_mark) {
            self.changes.remove(Tree::Local, mark_key(&name));
        }
        if self.vault.get(&vault_key(&name)).is_some() {
            self.settle(vault_key(&name));
        }
        if let Some(Setting::Reaction(reaction)) = value.row.setting() {
            let me = self.me.account();
            self.change_live(room, |timeline| {
                timeline.settle_reaction(me, &reaction.target, &reaction.emoji)
            });
        }
    }

    /// It goes from the vault once what it led to is on the disk.
    fn settle(&mut self, key: Vec<u8>) {
        self.pending.settled.insert(key);
        self.outbox.tidy_at.get_or_insert(self.latest + TIDY_MS);
    }

    /// What had come to its end, and was still in the vault when the process ended, does not wait.
    pub(crate) fn settle_what_stands(&mut self) -> Result<(), ReadError> {
        let kept = self.pending.values.values().map(|value| &value.row);
        let kept: Vec<PendingRow> =
            kept.filter(|row| !row.setting().as_ref().is_some_and(is_mark)).cloned().collect();
        for row in kept {
            let stands = self.standing(&row.room, &self.owner(row.for_room), &row.key)?;
            if stands.is_some_and(|stands| too_late(&row, &stands)) {
                self.pending.values.remove(&(row.room, row.key));
                self.settle(vault_key(&pending_name(&row.room, &row.key.0)));
            }
        }
        Ok(())
    }

    pub(crate) fn pump_registers(&mut self, now: Millis) -> Result<(), Fault> {
        if self.pending.is_empty() || self.pending.hold_until.is_some_and(|until| until > now) {
            return Ok(());
        }
        let under_way = self.pending.values.values().filter(|value| value.in_flight).count();
        let waiting: Vec<(RoomId, RegisterKey)> = self
            .pending
            .values
            .iter()
            .filter(|(_, value)| !value.in_flight && value.not_before <= now)
            .map(|(place, _)| *place)
            .take(REGISTERS_IN_FLIGHT_MAX.saturating_sub(under_way))
            .collect();
        for (room, key) in waiting {
            self.send_register(&room, &key, None)?;
        }
        Ok(())
    }

    /// Sends what waits, in place of what stands there as far as we know, or of `current`.
    fn send_register(&mut self, id: &RoomId, key: &RegisterKey, current: Option<Rev>) -> Result<(), Fault> {
        // On a relay put back, nothing is signed before it is known what stands where.
        if self.resyncing && !self.sync.heads_done() || !self.load_fold(id)? {
            return Ok(());
        }
        let Some(room) = self.rooms.get(id).filter(|room| room.resync.is_none()) else { return Ok(()) };
        let Some(fold) = &room.fold else { return Ok(()) };
        let control_head = fold.room.control_head();
        let Some(value) = self.pending.values.get(&(*id, *key)) else { return Ok(()) };
        let scope = if value.row.for_room { Scope::Room } else { Scope::Account };
        let owner = self.owner(value.row.for_room);
        let stands = self.standing(id, &owner, key)?;
        // Signed with what has come since as its base, an older value would take its place.
        if current.is_none() && stands.as_ref().is_some_and(|stands| too_late(&value.row, stands)) {
            self.forget_pending(id, key);
            return self.show_stored(id, &owner, key);
        }
        let replaces = current.or(stands.map(|(rev, _)| rev)).unwrap_or_default();
        let header = RegisterHeader {
            key_source: KEY_SOURCE_PLAIN,
            scope,
            room: *id,
            account: self.me.account(),
            device: self.me.device(),
            chain_len: self.people.len(&self.me.account()),
            control_head,
            replaces,
            key: *key,
            at: value.row.at,
        };
        let raw = Register::sign(&header, &value.row.body, self.me.keys()).raw().clone();
        let version = value.version;
        let req = self.requests.open(Purpose::Register { room: *id, key: *key, version, raw: raw.clone() });
        if let Some(value) = self.pending.values.get_mut(&(*id, *key)) {
            value.in_flight = true;
            value.not_before = 0;
        }
        self.transmit(ClientFrame::SetRegister(Append { req, entry: raw }));
        Ok(())
    }

    /// What stands in a register, as far as this device knows.
    fn standing(
        &self,
        id: &RoomId,
        owner: &AccountId,
        key: &RegisterKey,
    ) -> Result<Option<(Rev, Register)>, ReadError> {
        let key = store_keys::register(&id.0, &owner.0, &key.0);
        let value = rows::read(&*self.store, &self.changes, Tree::Registers, &key)?;
        let read = value.and_then(read_register_value);
        Ok(read.and_then(|(rev, raw)| Some((rev, Register::parse(raw).ok()?))))
    }

    pub(super) fn register_rev(
        &self,
        id: &RoomId,
        owner: &AccountId,
        key: &RegisterKey,
    ) -> Result<Rev, ReadError> {
        Ok(self.standing(id, owner, key)?.map_or(Rev::ZERO, |(rev, _)| rev))
    }

    /// Whose registers: this account's, or the room's.
    fn owner(&self, for_room: bool) -> AccountId {
        if for_room { AccountId::ZERO } else { self.me.account() }
    }

    pub(crate) fn on_register_set(&mut self, now: Millis, set: &RegisterSet) -> Result<(), Fault> {
        let Some(Purpose::Register { room, key, version, raw }) = self.requests.take(set.req) else {
            return Ok(());
        };
        self.take_register(&room, set.rev, &raw, true)?;
        match self.pending.values.get_mut(&(room, key)) {
            // Another value was set meanwhile; it goes next.
            Some(value) if value.version != version => {
                value.in_flight = false;
                value.not_before = now + REGISTER_SPACE_MS;
                value.row.base = set.rev;
            }
            _ => {
                let owner =
                    Register::parse(raw).map_or(AccountId::ZERO, |register| register.header().owner());
                self.forget_pending(&room, &key);
                // Another device's may have come after ours, and before the answer.
                self.show_stored(&room, &owner, &key)?;
            }
        }
        if let Some(state) = self.rooms.get_mut(&room)
            && state.row.rev.next() == set.rev
        {
            state.row.rev = set.rev;
            state.row.head.rev = state.row.head.rev.max(set.rev);
            state.dirty = true;
        }
        Ok(())
    }

    pub(crate) fn on_register_conflict(&mut self, conflict: RegisterConflict) -> Result<(), Fault> {
        let Some(Purpose::Register { room, key, .. }) = self.requests.take(conflict.req) else {
            return Ok(());
        };
        let current = conflict.current;
        let stands = Register::parse(current.register.clone()).ok();
        // What stands there is checked like everything else; if its author's chain is not known yet, the fetch that
        // follows brings it in.
        let tried = Tried { chains: true, control: true };
        self.take_registers(&room, std::slice::from_ref(&current), tried)?;
        self.want(&room);
        let Some(value) = self.pending.values.get_mut(&(room, key)) else { return Ok(()) };
        value.in_flight = false;
        let ours_goes_on = match &stands {
            None => true,
            Some(register) => wins(&value.row, register),
        };
        let for_room = value.row.for_room;
        if ours_goes_on {
            self.send_register(&room, &key, Some(current.rev))?;
        } else {
            self.forget_pending(&room, &key);
            self.show_stored(&room, &self.owner(for_room), &key)?;
        }
        Ok(())
    }

    /// A register was refused.
    pub(crate) fn register_refused(
        &mut self,
        now: Millis,
        room: RoomId,
        key: RegisterKey,
        code: ErrorCode,
        retry_in_ms: u64,
    ) -> Result<(), Fault> {
        if let Some(value) = self.pending.values.get_mut(&(room, key)) {
            value.in_flight = false;
        }
        if code.is_passing() {
            let until = super::requests::retry_at(now, retry_in_ms);
            self.pending.hold_until = Some(until);
            return Ok(());
        }
        tracing::warn!(%room, ?code, "the relay refused a register for good");
        let owner = self.owner(self.pending.values.get(&(room, key)).is_some_and(|value| value.row.for_room));
        self.forget_pending(&room, &key);
        self.show_stored(&room, &owner, &key)
    }

    /// What stands on the relay is shown again, in place of a value of ours that does not count.
    fn show_stored(&mut self, room: &RoomId, owner: &AccountId, key: &RegisterKey) -> Result<(), Fault> {
        match self.stored_register(room, owner, &key.0)? {
            Some(value) => self.apply_setting(room, &value),
            None => Ok(()),
        }
    }
}

/// Whether something has come since ours was set, and goes before it.
fn too_late(ours: &PendingRow, (rev, stands): &(Rev, Register)) -> bool {
    *rev > ours.base && !wins(ours, stands)
}

/// Whether our value goes in place of the one that stands.
fn wins(ours: &PendingRow, stands: &Register) -> bool {
    match (ours.setting(), Setting::decode(&stands.body()).ok()) {
        (
            Some(Setting::ReadMark(ours) | Setting::Receipt(ours)),
            Some(Setting::ReadMark(stands) | Setting::Receipt(stands)),
        ) => ours.seq > stands.seq,
        // The very same value stands there: an answer was lost.
        _ if ours.body == stands.body() && ours.at == stands.header().at => false,
        _ => ours.at >= stands.header().at,
    }
}

/// Read marks, and when a device was here, are many and cheap to lose: they wait in the store, without an fsync each.
fn is_mark(setting: &Setting) -> bool {
    matches!(setting, Setting::ReadMark(_) | Setting::Receipt(_) | Setting::LastSeen(_))
}

fn mark_key(name: &[u8]) -> Vec<u8> {
    [&store_keys::local(PREFIX, None)[..], name].concat()
}

fn vault_key(name: &[u8]) -> Vec<u8> {
    [&keys::state(PREFIX)[..], name].concat()
}

const PREFIX: &str = "pending";
