//! People, their devices and their rooms, led by choices through valid and invalid changes. A relay takes what the fold
//! takes; beside the fold stands a plain model of what must hold.

use crate::choices::Choices;
use kith_protocol::account::{Account, ChainError};
use kith_protocol::chain::{ChainEntry, ChainHeader, ChainOp, NewDevice};
use kith_protocol::entry::{Entry, Header, Kind};
use kith_protocol::ids::{AccountId, Hash, RoomId, Seq, TxnId};
use kith_protocol::keys::DeviceKeys;
use kith_protocol::room::{
    ControlError, ControlOp, Policy, Role, Room, RoomKind, direct_ops, group_ops, own_ops,
};
use std::collections::BTreeMap;
use std::sync::LazyLock;

pub(crate) const PEOPLE: usize = 4;
const DEVICES: usize = 20;
const ROLES: [Role; 3] = [Role::Member, Role::Admin, Role::Owner];

/// Devices, whoever comes to own them.
static POOL: LazyLock<Vec<DeviceKeys>> = LazyLock::new(|| {
    let device = |n: usize| u8::try_from(n + 1).unwrap();
    (0..DEVICES).map(|n| DeviceKeys::from_seeds(&[device(n); 32], &[device(n) ^ 0xff; 32])).collect()
});

/// Everything that happened, as the relay has it.
pub(crate) struct World {
    pub(crate) people: Vec<Person>,
    pub(crate) rooms: Vec<Log>,
    /// Geneses that made no room.
    pub(crate) stillborn: Vec<(Entry, ControlError)>,
    used: usize,
    txn: u64,
}

/// An account and its chain.
pub(crate) struct Person {
    pub(crate) account: Account,
    pub(crate) chain: Vec<ChainEntry>,
    /// Refused, each when the chain had this length.
    pub(crate) refused: Vec<(usize, ChainEntry, ChainError)>,
}

/// A room and its control entries.
pub(crate) struct Log {
    pub(crate) room: Room,
    pub(crate) entries: Vec<(Seq, Entry)>,
    /// Refused, each when there were this many control entries.
    pub(crate) refused: Vec<(usize, Entry, ControlError)>,
    last: Seq,
    /// The model: who was removed last, and where.
    removed: BTreeMap<AccountId, Seq>,
    /// The model: something unknown was stored.
    unknown: bool,
}

impl World {
    pub(crate) fn new() -> Self {
        let person = |n: usize| {
            let genesis = ChainEntry::genesis(&POOL[n], "first", 1);
            Person { account: Account::genesis(&genesis).unwrap(), chain: vec![genesis], refused: Vec::new() }
        };
        let people = (0..PEOPLE).map(person).collect();
        Self { people, rooms: Vec::new(), stillborn: Vec::new(), used: PEOPLE, txn: 0 }
    }

    /// As it is when all choices were made.
    pub(crate) fn after(choices: &[u8]) -> Self {
        let mut world = Self::new();
        let mut choices = Choices::new(choices);
        while !choices.is_empty() {
            world.step(&mut choices);
        }
        world
    }

    pub(crate) fn account(&self, id: &AccountId) -> &Account {
        &self.people.iter().find(|person| person.account.id() == *id).unwrap().account
    }

    fn step(&mut self, choices: &mut Choices<'_>) {
        match choices.below(16) {
            0 => self.make_room(choices),
            1..=4 => {
                let person = choices.below(PEOPLE);
                // Two devices at once: the second comes too late.
                let count = if choices.one_in(4) { 2 } else { 1 };
                let entries: Vec<ChainEntry> =
                    (0..count).map(|_| self.chain_entry(person, choices)).collect();
                for entry in &entries {
                    self.people[person].offer(entry);
                }
            }
            _ if self.rooms.is_empty() => self.make_room(choices),
            _ => {
                let groups: Vec<usize> =
                    (0..self.rooms.len()).filter(|n| self.rooms[*n].room.kind() == RoomKind::Group).collect();
                let any = choices.below(self.rooms.len());
                let room = if groups.is_empty() || choices.one_in(12) { any } else { *choices.of(&groups) };
                let count = if choices.one_in(4) { 2 } else { 1 };
                let entries: Vec<Entry> = (0..count).map(|_| self.control(room, choices)).collect();
                self.rooms[room].last.0 += u64::from(choices.byte() % 3);
                for entry in &entries {
                    let author = self.account(&entry.header().account).clone();
                    self.rooms[room].offer(entry, &author);
                }
            }
        }
    }

    fn any_account(&self, choices: &mut Choices<'_>) -> AccountId {
        choices.of(&self.people).account.id()
    }

    /// Mostly one of the person's live devices; now and then any.
    fn any_device(&self, person: usize, choices: &mut Choices<'_>) -> &'static DeviceKeys {
        let account = &self.people[person].account;
        let live: Vec<_> = account.live_devices().map(|(id, _)| *id).collect();
        let wanted = *choices.of(&live);
        let any = &POOL[choices.below(self.used)];
        if choices.one_in(8) { any } else { POOL.iter().find(|keys| keys.id() == wanted).unwrap() }
    }

    fn chain_entry(&mut self, person: usize, choices: &mut Choices<'_>) -> ChainEntry {
        let keys = self.any_device(person, choices);
        let ops = (0..*choices.of(&[1, 1, 1, 2, 3, 0])).map(|_| self.chain_op(person, choices)).collect();
        let account = &self.people[person].account;
        let mut header = ChainHeader {
            account: account.id(),
            index: account.len(),
            previous: account.head(),
            author: keys.id(),
            at: 7,
            ops,
        };
        match choices.below(24) {
            23 => header.account = self.any_account(choices),
            22 => header.index = header.index.wrapping_add(1),
            21 => header.previous = Hash::ZERO,
            _ => {}
        }
        let entry = ChainEntry::sign(&header, keys);
        if choices.one_in(12) { ChainEntry::parse(damaged(entry.raw())).unwrap() } else { entry }
    }

    fn chain_op(&mut self, person: usize, choices: &mut Choices<'_>) -> ChainOp {
        match choices.below(8) {
            0..=2 => ChainOp::AddDevice(self.new_device(person, choices)),
            3..=5 => ChainOp::RevokeDevice(self.any_device(person, choices).id()),
            6 => ChainOp::SetRecovery(self.new_device(person, choices)),
            _ => ChainOp::Unknown(200),
        }
    }

    fn new_device(&mut self, person: usize, choices: &mut Choices<'_>) -> NewDevice {
        let known = choices.one_in(6) || self.used == DEVICES;
        let keys = &POOL[if known { choices.below(self.used) } else { self.used }];
        if !known {
            self.used += 1;
        }
        let mine = self.people[person].account.id();
        let agreed_to = if choices.one_in(8) { self.any_account(choices) } else { mine };
        NewDevice::countersign(keys, "more", &agreed_to)
    }

    fn header(&mut self, person: usize, keys: &DeviceKeys, kind: Kind, choices: &mut Choices<'_>) -> Header {
        self.txn += 1;
        let account = &self.people[person].account;
        let chain_len = match choices.below(32) {
            31 => 0,
            30 => u32::MAX,
            26..=29 => 1 + u32::from(choices.byte()) % account.len(),
            _ => account.len(),
        };
        Header {
            key_source: 0,
            room: RoomId::ZERO,
            account: account.id(),
            device: keys.id(),
            chain_len,
            control_head: Hash::ZERO,
            seen_seq: Seq::ZERO,
            seen_hash: Hash::ZERO,
            txn: TxnId::new(self.txn, [0; 10]),
            at: 7,
            kind,
        }
    }

    fn control(&mut self, room: usize, choices: &mut Choices<'_>) -> Entry {
        let author = self.mostly(choices, |id| self.rooms[room].room.role(id).is_some());
        let person = self.people.iter().position(|person| person.account.id() == author).unwrap();
        let keys = self.any_device(person, choices);
        let ops = (0..*choices.of(&[1, 1, 1, 2, 2, 3, 0])).map(|_| self.control_op(room, choices)).collect();
        let mut header = self.header(person, keys, Kind::Control { index: 0, ops }, choices);
        let log = &self.rooms[room];
        header.room = log.room.id();
        header.control_head = log.room.control_head();
        let mut at = log.room.control_len();
        match choices.below(24) {
            23 => at = at.wrapping_sub(1),
            22 => header.control_head = log.entries[0].1.digest(),
            21 => header.room = self.rooms[0].room.id(),
            _ => {}
        }
        if let Kind::Control { index, .. } = &mut header.kind {
            *index = at;
        }
        if choices.one_in(24) {
            header.kind = Kind::Message;
        }
        let entry = Entry::sign(&header, b"", keys);
        if choices.one_in(16) { Entry::parse(damaged(entry.raw())).unwrap() } else { entry }
    }

    /// Mostly somebody who fits; now and then anybody.
    fn mostly(&self, choices: &mut Choices<'_>, fits: impl Fn(&AccountId) -> bool) -> AccountId {
        let fitting: Vec<AccountId> =
            self.people.iter().map(|person| person.account.id()).filter(|id| fits(id)).collect();
        if fitting.is_empty() || choices.one_in(5) {
            self.any_account(choices)
        } else {
            *choices.of(&fitting)
        }
    }

    fn control_op(&self, room: usize, choices: &mut Choices<'_>) -> ControlOp {
        let role = *choices.of(&ROLES);
        let member = |id: &AccountId| self.rooms.get(room).is_some_and(|log| log.room.role(id).is_some());
        match choices.below(16) {
            0..=6 => ControlOp::Add(self.mostly(choices, |id| !member(id)), role),
            7..=9 => ControlOp::Remove(self.mostly(choices, member)),
            10..=12 => ControlOp::SetRole(self.mostly(choices, member), role),
            13 => ControlOp::SetPolicy(Policy {
                post: role,
                invite: *choices.of(&ROLES),
                rename: *choices.of(&ROLES),
            }),
            14 => ControlOp::Unknown(200),
            _ => ControlOp::Create { kind: RoomKind::Group, nonce: [0; 16] },
        }
    }

    fn make_room(&mut self, choices: &mut Choices<'_>) {
        let person = choices.below(PEOPLE);
        let keys = self.any_device(person, choices);
        let own = self.people[person].account.id();
        let other = self.any_account(choices);
        let (room, mut ops) = match choices.below(4) {
            0 => (RoomId::direct(&own, &other), direct_ops(own, other)),
            1 => (RoomId::own(&own), own_ops(own)),
            _ => (RoomId::ZERO, group_ops(own, [choices.byte(); 16], [other])),
        };
        if choices.one_in(3) {
            ops.push(self.control_op(usize::MAX, choices));
        }
        let mut header = self.header(person, keys, Kind::Control { index: 0, ops }, choices);
        header.room = room;
        let entry = Entry::sign(&header, b"", keys);
        let author = self.people[person].account.clone();
        if let Some(log) = self.rooms.iter_mut().find(|log| log.room.id() == entry.room()) {
            // Somebody else was first: there is one room, and this entry changes nothing in it.
            return log.offer(&entry, &author);
        }
        match Room::genesis(&entry, &author) {
            Ok(room) => self.rooms.push(Log::begin(room, &entry)),
            Err(error) => self.stillborn.push((entry, error)),
        }
    }
}

impl Person {
    fn offer(&mut self, entry: &ChainEntry) {
        let before = self.account.clone();
        match self.account.apply(entry) {
            Ok(()) => {
                self.chain.push(entry.clone());
                assert_eq!(self.account.len(), before.len() + 1);
                assert!(self.account.live_devices().next().is_some(), "an account keeps a device");
                for (id, device) in before.devices() {
                    let now = self.account.devices().find(|(other, _)| *other == id).unwrap().1;
                    assert_eq!((&now.sign, now.added), (&device.sign, device.added), "a device stays itself");
                    assert!(device.revoked.is_none() || now.revoked == device.revoked, "and stays revoked");
                }
            }
            Err(error) => {
                assert_eq!(self.account, before, "whole or not at all");
                self.refused.push((self.chain.len(), entry.clone(), error));
            }
        }
    }
}

impl Log {
    fn begin(room: Room, entry: &Entry) -> Self {
        let mut log = Self {
            room,
            entries: Vec::new(),
            refused: Vec::new(),
            last: Seq(1),
            removed: BTreeMap::new(),
            unknown: false,
        };
        log.take(entry, Seq(1));
        log
    }

    fn offer(&mut self, entry: &Entry, author: &Account) {
        let before = self.room.clone();
        let seq = self.last.next();
        match self.room.apply(entry, author, seq) {
            Ok(()) => {
                assert_eq!(before.kind(), RoomKind::Group, "a direct chat and an own room never change");
                assert!(before.role(&entry.header().account).is_some(), "only members change a room");
                self.take(entry, seq);
            }
            Err(error) => {
                assert_eq!(self.room, before, "whole or not at all");
                self.refused.push((self.entries.len(), entry.clone(), error));
            }
        }
    }

    fn take(&mut self, entry: &Entry, seq: Seq) {
        let Kind::Control { ops, .. } = &entry.header().kind else {
            panic!("the fold takes control entries")
        };
        for op in ops {
            match op {
                ControlOp::Add(account, _) => drop(self.removed.remove(account)),
                ControlOp::Remove(account) => drop(self.removed.insert(*account, seq)),
                ControlOp::Unknown(_) => self.unknown = true,
                _ => {}
            }
        }
        self.last = seq;
        self.entries.push((seq, entry.clone()));
        self.check();
    }

    fn check(&self) {
        let room = &self.room;
        let roles: Vec<Role> = room.members().map(|(_, member)| member.role).collect();
        match room.kind() {
            RoomKind::Group => {
                assert!(roles.is_empty() || roles.contains(&Role::Owner), "a group has an owner");
            }
            kind => {
                assert_eq!(roles.len(), if kind == RoomKind::Direct { 2 } else { 1 });
                assert!(roles.iter().all(|role| *role == Role::Member), "and nobody stands out");
                assert_eq!((room.policy(), room.control_len()), (Policy::default(), 1));
            }
        }
        for (account, removed) in &self.removed {
            assert_eq!(room.readable_until(account), Some(*removed), "reads up to the removal");
            assert!(
                !room.may_post(account) && !room.may_rename(account) && !room.may_redact(account, account)
            );
        }
        for (account, member) in room.members() {
            assert!(!self.removed.contains_key(account));
            assert_eq!(room.readable_until(account), Some(Seq(u64::MAX)), "a member reads everything");
            assert!(member.joined <= self.last);
            assert_eq!(room.may_post(account), member.role >= room.policy().post);
        }
        assert_eq!(room.needs_update(), self.unknown);
        assert_eq!(room.control_len() as usize, self.entries.len());
        assert_eq!(room.control_head(), self.entries.last().unwrap().1.digest());
    }
}

/// The same bytes with another signature.
fn damaged(raw: &[u8]) -> bytes::Bytes {
    let mut raw = raw.to_vec();
    // The last byte of an entry without a body is its mark: the byte before it belongs to the signature.
    let at = raw.len() - 2;
    raw[at] ^= 1;
    raw.into()
}
