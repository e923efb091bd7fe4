//! The reference engine: maps in memory. What a group writes is visible to readers once it is committed, and a crash, in
//! tests, loses what is not.

mod disk;
mod hooks;
mod pushes;
mod retention;

pub use self::disk::MemoryDisk;

use self::hooks::HookState;
use self::pushes::PushState;
use super::hooks::HookWrite;
use super::pushes::PushRow;
use super::retention::{Keep, Retention, RetentionWrite, Share};
use super::{
    AccountRow, Announcement, Append, AuditRecord, DeviceRow, Directory, Engine, InviteRow, Left, Log,
    Membership, Range, Reader, RoomHead, StoreError, Stretch, Totals,
};
use bytes::Bytes;
use kith_protocol::chain::ChainEntry;
use kith_protocol::entry::{Entry, Kind};
use kith_protocol::ids::{AccountId, DeviceId, Incarnation, RegisterKey, Rev, RoomId, Seq, TxnId};
use kith_protocol::register::Register;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Maps in memory.
pub struct MemoryEngine {
    disk: MemoryDisk,
    working: Shared,
    group: Vec<Change>,
}

type Change = Box<dyn Fn(&mut State) + Send>;

#[derive(Clone, Default)]
struct Shared(Arc<Mutex<State>>);

#[derive(Clone, Default)]
struct State {
    rooms: BTreeMap<RoomId, Room>,
    chains: BTreeMap<AccountId, Vec<Bytes>>,
    transactions: BTreeMap<(DeviceId, TxnId), (RoomId, Seq)>,
    accounts: BTreeMap<AccountId, AccountRow>,
    devices: BTreeMap<DeviceId, DeviceRow>,
    memberships: BTreeMap<(AccountId, RoomId), Option<Left>>,
    invites: BTreeMap<[u8; 16], InviteRow>,
    hooks: HookState,
    pushes: PushState,
    audit_log: Vec<AuditRecord>,
    announcement: Option<Announcement>,
    keeps: BTreeMap<RoomId, Keep>,
    shares: BTreeMap<AccountId, Share>,
}

#[derive(Clone, Default)]
struct Room {
    head: RoomHead,
    entries: Vec<Entry>,
    control: Vec<Seq>,
    registers: BTreeMap<(AccountId, RegisterKey), (Rev, Bytes)>,
    days: BTreeMap<u32, Seq>,
    forgotten: Seq,
}

impl MemoryEngine {
    /// Empty logs of this identity.
    pub fn new(incarnation: Incarnation) -> Self {
        MemoryDisk::new(incarnation).open()
    }

    /// What stays when this engine is gone.
    pub fn disk(&self) -> &MemoryDisk {
        &self.disk
    }

    fn change(&mut self, change: impl Fn(&mut State) + Send + 'static) {
        change(&mut self.working.lock());
        self.group.push(Box::new(change));
    }
}

impl Engine for MemoryEngine {
    fn incarnation(&self) -> Incarnation {
        self.disk.incarnation()
    }

    fn read(&self) -> &dyn Reader {
        &self.working
    }

    fn head(&mut self, room: &RoomId) -> Result<RoomHead, StoreError> {
        self.working.head(room)
    }

    fn held(&mut self, account: &AccountId) -> Result<u64, StoreError> {
        self.working.held(account)
    }

    fn begin(&mut self) -> Result<(), StoreError> {
        Ok(())
    }

    fn commit(&mut self) -> Result<(), StoreError> {
        if self.disk.is_full() {
            return Err(StoreError::Full);
        }
        let mut committed = self.disk.committed.lock();
        for change in self.group.drain(..) {
            change(&mut committed);
        }
        Ok(())
    }

    fn rollback(&mut self) {
        self.group.clear();
        self.working = self.disk.committed.copy();
    }

    fn append(&mut self, entry: &Entry) -> Result<Append, StoreError> {
        let (room, header) = (entry.room(), entry.header());
        let transaction = (header.device, header.txn);
        let head = {
            let state = self.working.lock();
            if !state.devices.contains_key(&header.device) {
                return Err(StoreError::Failed("an entry came from a device that is in no chain".into()));
            }
            if let Some((room, seq)) = state.transactions.get(&transaction) {
                return Ok(Append::Known(*room, *seq));
            }
            state.rooms.get(&room).map(|room| room.head).unwrap_or_default()
        };
        let seq = head.seq.next();
        let entry = entry.clone();
        self.change(move |state| {
            state.transactions.insert(transaction, (room, seq));
            state.rooms.entry(room).or_default().append(&entry);
        });
        self.head(&room).map(Append::New)
    }

    fn set_register(&mut self, register: &Register) -> Result<Rev, StoreError> {
        let header = register.header().clone();
        let raw = register.raw().clone();
        let rev = self.working.head(&header.room)?.rev.next();
        self.change(move |state| {
            let room = state.rooms.entry(header.room).or_default();
            room.head.rev = rev;
            room.registers.insert((header.owner(), header.key), (rev, raw.clone()));
        });
        Ok(rev)
    }

    fn append_chain(&mut self, account: &AccountId, entry: &ChainEntry) -> Result<(), StoreError> {
        let (account, index, raw) = (*account, entry.header().index as usize, entry.raw().clone());
        if self.working.lock().chains.get(&account).map_or(0, Vec::len) != index {
            return Err(StoreError::Failed("a chain entry has the index of another".into()));
        }
        self.change(move |state| {
            state.chains.entry(account).or_default().push(raw.clone());
        });
        Ok(())
    }

    fn put_account(&mut self, account: &AccountRow) -> Result<(), StoreError> {
        let taken = |other: &AccountRow| other.handle == account.handle && other.id != account.id;
        if self.working.lock().accounts.values().any(taken) {
            return Err(StoreError::Failed("two accounts want one handle".into()));
        }
        let account = account.clone();
        self.change(move |state| {
            let known = state.accounts.get(&account.id).map(|known| known.created_at);
            let created_at = known.unwrap_or(account.created_at);
            state.accounts.insert(account.id, AccountRow { created_at, ..account.clone() });
        });
        Ok(())
    }

    fn put_device(&mut self, device: &DeviceId, row: DeviceRow) -> Result<(), StoreError> {
        let device = *device;
        self.change(move |state| {
            state.devices.entry(device).or_insert(row).blocked = row.blocked;
        });
        Ok(())
    }

    fn put_membership(&mut self, account: &AccountId, membership: Membership) -> Result<(), StoreError> {
        let account = *account;
        self.change(move |state| {
            state.memberships.insert((account, membership.room), membership.left);
        });
        Ok(())
    }

    fn put_invite(&mut self, invite: &InviteRow) -> Result<(), StoreError> {
        let invite = invite.clone();
        self.change(move |state| {
            state.invites.insert(invite.token, invite.clone());
        });
        Ok(())
    }

    fn put_hook(&mut self, write: &HookWrite) -> Result<(), StoreError> {
        let write = write.clone();
        self.change(move |state| state.hooks.apply(&write));
        Ok(())
    }

    fn put_push(&mut self, write: &PushRow) -> Result<(), StoreError> {
        let write = write.clone();
        self.change(move |state| state.pushes.apply(&write));
        Ok(())
    }

    fn put_retention(&mut self, write: &RetentionWrite) -> Result<(), StoreError> {
        let write = write.clone();
        self.change(move |state| state.retain(&write));
        Ok(())
    }

    fn put_announcement(&mut self, announcement: Option<&Announcement>) -> Result<(), StoreError> {
        let announcement = announcement.cloned();
        self.change(move |state| state.announcement.clone_from(&announcement));
        Ok(())
    }

    fn audit(&mut self, record: &AuditRecord) -> Result<(), StoreError> {
        let record = record.clone();
        self.change(move |state| state.audit_log.push(record.clone()));
        Ok(())
    }

    fn reader(&self) -> Result<Box<dyn Reader>, StoreError> {
        Ok(Box::new(self.disk.committed.clone()))
    }
}

impl Room {
    fn append(&mut self, entry: &Entry) {
        self.head.seq = self.head.seq.next();
        self.head.hash = self.head.hash.extend(&entry.digest());
        match &entry.header().kind {
            Kind::Control { .. } => {
                self.control.push(self.head.seq);
                self.head.control_len += 1;
            }
            Kind::Redaction { target, .. } => {
                if let Some(target) = index(*target).and_then(|index| self.entries.get_mut(index)) {
                    *target = target.redacted();
                }
                self.head.redacted = self.head.seq;
            }
            Kind::Message | Kind::Unknown(_) => {}
        }
        self.entries.push(entry.clone());
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn copy(&self) -> Self {
        Self(Arc::new(Mutex::new(self.lock().clone())))
    }
}

impl Log for Shared {
    fn head(&self, room: &RoomId) -> Result<RoomHead, StoreError> {
        Ok(self.lock().rooms.get(room).map(|room| room.head).unwrap_or_default())
    }

    fn page(&self, room: &RoomId, range: Range) -> Result<Stretch, StoreError> {
        let state = self.lock();
        let entries = state.rooms.get(room).map_or(&[][..], |room| &room.entries);
        let from = usize::try_from(range.after.0).unwrap_or(usize::MAX).min(entries.len());
        let to = index(range.before).unwrap_or(0).clamp(from, entries.len());
        let all = &entries[from..to];
        let mut bytes = 0;
        let fits = |entry: &&Entry| {
            let fits = bytes < range.bytes;
            bytes += entry.raw().len();
            fits
        };
        let limit = range.limit as usize;
        let count = if range.newest {
            all.iter().rev().take(limit).take_while(fits).count()
        } else {
            all.iter().take(limit).take_while(fits).count()
        };
        let skip = if range.newest { all.len() - count } else { 0 };
        Ok(Stretch {
            first: if count == 0 { range.after.next() } else { Seq((from + skip) as u64 + 1) },
            entries: all[skip..skip + count].iter().map(|entry| entry.raw().clone()).collect(),
            more: count < all.len(),
        })
    }

    fn control(&self, room: &RoomId, from: u32, limit: u32) -> Result<Vec<(Seq, Bytes)>, StoreError> {
        let state = self.lock();
        let Some(room) = state.rooms.get(room) else { return Ok(Vec::new()) };
        let entry = |seq: &Seq| Some((*seq, room.entries.get(index(*seq)?)?.raw().clone()));
        Ok(room.control.iter().skip(from as usize).take(limit as usize).filter_map(entry).collect())
    }

    fn chain(&self, account: &AccountId, from: u32) -> Result<Vec<Bytes>, StoreError> {
        let state = self.lock();
        let chain = state.chains.get(account);
        Ok(chain.map(|chain| chain.iter().skip(from as usize).cloned().collect()).unwrap_or_default())
    }

    fn registers(&self, room: &RoomId, after: Rev, limit: u32) -> Result<Vec<(Rev, Bytes)>, StoreError> {
        let state = self.lock();
        let Some(room) = state.rooms.get(room) else { return Ok(Vec::new()) };
        let mut found: Vec<_> = room.registers.values().filter(|(rev, _)| *rev > after).cloned().collect();
        found.sort_by_key(|(rev, _)| *rev);
        found.truncate(limit as usize);
        Ok(found)
    }

    fn register(
        &self,
        room: &RoomId,
        owner: &AccountId,
        key: &RegisterKey,
    ) -> Result<Option<(Rev, Bytes)>, StoreError> {
        let state = self.lock();
        Ok(state.rooms.get(room).and_then(|room| room.registers.get(&(*owner, *key))).cloned())
    }

    fn register_count(&self, room: &RoomId, owner: &AccountId) -> Result<u64, StoreError> {
        let state = self.lock();
        let Some(room) = state.rooms.get(room) else { return Ok(0) };
        Ok(room.registers.keys().filter(|(other, _)| other == owner).count() as u64)
    }

    fn transaction(&self, device: &DeviceId, txn: &TxnId) -> Result<Option<(RoomId, Seq)>, StoreError> {
        Ok(self.lock().transactions.get(&(*device, *txn)).copied())
    }
}

impl Directory for Shared {
    fn account(&self, id: &AccountId) -> Result<Option<AccountRow>, StoreError> {
        Ok(self.lock().account(id))
    }

    fn account_by_handle(&self, handle: &str) -> Result<Option<AccountRow>, StoreError> {
        let state = self.lock();
        let found =
            state.accounts.values().find(|account| account.handle == handle).map(|account| account.id);
        Ok(found.and_then(|id| state.account(&id)))
    }

    fn device(&self, device: &DeviceId) -> Result<Option<DeviceRow>, StoreError> {
        Ok(self.lock().devices.get(device).copied())
    }

    fn search(&self, prefix: &str, limit: u32) -> Result<Vec<AccountRow>, StoreError> {
        let state = self.lock();
        let prefix = prefix.to_ascii_lowercase();
        let begins = |text: &str| text.to_ascii_lowercase().starts_with(&prefix);
        let mut found: Vec<_> =
            state.accounts.values().filter(|a| begins(&a.handle) || begins(&a.name)).collect();
        found.sort_by(|a, b| a.handle.cmp(&b.handle));
        Ok(found.iter().take(limit as usize).filter_map(|account| state.account(&account.id)).collect())
    }

    fn rooms_of(&self, account: &AccountId) -> Result<Vec<Membership>, StoreError> {
        let state = self.lock();
        let range = (*account, RoomId::ZERO)..=(*account, RoomId([0xff; 16]));
        let membership = |((_, room), left): (&(AccountId, RoomId), &Option<Left>)| Membership {
            room: *room,
            left: *left,
        };
        Ok(state.memberships.range(range).map(membership).collect())
    }

    fn membership(&self, account: &AccountId, room: &RoomId) -> Result<Option<Membership>, StoreError> {
        let state = self.lock();
        let left = state.memberships.get(&(*account, *room));
        Ok(left.map(|left| Membership { room: *room, left: *left }))
    }

    fn rooms(&self) -> Result<Vec<(RoomId, RoomHead)>, StoreError> {
        Ok(self.lock().rooms.iter().map(|(id, room)| (*id, room.head)).collect())
    }

    fn invite(&self, token: &[u8; 16]) -> Result<Option<InviteRow>, StoreError> {
        Ok(self.lock().invites.get(token).cloned())
    }

    fn invites(&self, now: u64) -> Result<Vec<InviteRow>, StoreError> {
        let state = self.lock();
        let open = |invite: &&InviteRow| invite.uses > 0 && invite.expires_at > now;
        let mut found: Vec<_> = state.invites.values().filter(open).cloned().collect();
        found.sort_by_key(|invite| (invite.expires_at, invite.token));
        Ok(found)
    }

    fn audit_log(&self, limit: u32) -> Result<Vec<AuditRecord>, StoreError> {
        let state = self.lock();
        let skipped = state.audit_log.len().saturating_sub(limit as usize);
        Ok(state.audit_log[skipped..].to_vec())
    }

    fn announcement(&self) -> Result<Option<Announcement>, StoreError> {
        Ok(self.lock().announcement.clone())
    }

    fn totals(&self) -> Result<Totals, StoreError> {
        let state = self.lock();
        let entries = state.rooms.values().flat_map(|room| &room.entries);
        let (count, bytes) =
            entries.fold((0, 0), |(n, bytes), entry| (n + 1, bytes + entry.raw().len() as u64));
        Ok(Totals {
            accounts: state.accounts.len() as u64,
            rooms: state.rooms.len() as u64,
            entries: count,
            bytes,
        })
    }
}

impl State {
    fn account(&self, id: &AccountId) -> Option<AccountRow> {
        let chain_len = self.chains.get(id).map_or(0, |chain| chain.len() as u32);
        let integration = self.hooks.is_hook(id);
        self.accounts.get(id).map(|account| AccountRow { chain_len, integration, ..account.clone() })
    }
}

/// Where an entry stands in the vector.
fn index(seq: Seq) -> Option<usize> {
    usize::try_from(seq.0.checked_sub(1)?).ok()
}
