//! The relay's disk: an engine in memory, and beside it what a crash leaves of it.

use kith_protocol::chain::ChainEntry;
use kith_protocol::entry::Entry;
use kith_protocol::ids::{AccountId, DeviceId, Incarnation, Rev, RoomId};
use kith_protocol::register::Register;
use kith_relay::store::hooks::HookWrite;
use kith_relay::store::memory::MemoryEngine;
use kith_relay::store::pushes::PushRow;
use kith_relay::store::retention::RetentionWrite;
use kith_relay::store::{
    AccountRow, Announcement, Append, AuditRecord, DeviceRow, Engine, InviteRow, Membership, Reader,
    RoomHead, StoreError,
};
use std::sync::{Arc, Mutex};

/// What is on the platter. A clone is another handle on it.
#[derive(Clone)]
pub(crate) struct Disk(Arc<Mutex<MemoryEngine>>);

impl Disk {
    pub(crate) fn new(engine: MemoryEngine) -> Self {
        Self(Arc::new(Mutex::new(engine)))
    }

    /// A process that starts on what is there.
    pub(crate) fn open(&self) -> Disked {
        let on_disk = self.0.lock().unwrap();
        let inner = on_disk.restored(on_disk.incarnation());
        Disked { inner, disk: self.clone(), group: Vec::new() }
    }

    /// What a backup made now would hold, once put back.
    pub(crate) fn backup(&self, incarnation: Incarnation) -> MemoryEngine {
        self.0.lock().unwrap().restored(incarnation)
    }

    /// Runs something over what is there.
    pub(crate) fn read<T>(&self, read: impl FnOnce(&dyn Reader) -> T) -> T {
        read(self.0.lock().unwrap().read())
    }

    /// From now on there is no room, or there is again.
    pub(crate) fn set_full(&self, full: bool) {
        self.0.lock().unwrap().set_full(full);
    }
}

enum Op {
    Append(Entry),
    Register(Register),
    Chain(AccountId, ChainEntry),
    Account(AccountRow),
    Device(DeviceId, DeviceRow),
    Membership(AccountId, Membership),
    Invite(InviteRow),
    Hook(HookWrite),
    Push(PushRow),
    Retention(RetentionWrite),
    Audit(AuditRecord),
    Announcement(Option<Announcement>),
}

/// An engine of which only committed groups reach the disk.
pub(crate) struct Disked {
    inner: MemoryEngine,
    disk: Disk,
    group: Vec<Op>,
}

impl Engine for Disked {
    fn incarnation(&self) -> Incarnation {
        self.inner.incarnation()
    }

    fn read(&self) -> &dyn Reader {
        self.inner.read()
    }

    fn head(&mut self, room: &RoomId) -> Result<RoomHead, StoreError> {
        self.inner.head(room)
    }

    fn held(&mut self, account: &AccountId) -> Result<u64, StoreError> {
        self.inner.held(account)
    }

    fn begin(&mut self) -> Result<(), StoreError> {
        self.inner.begin()
    }

    fn commit(&mut self) -> Result<(), StoreError> {
        let mut disk = self.disk.0.lock().unwrap();
        disk.begin()?;
        for op in self.group.drain(..) {
            match op {
                Op::Append(entry) => drop(disk.append(&entry)?),
                Op::Register(register) => drop(disk.set_register(&register)?),
                Op::Chain(account, entry) => disk.append_chain(&account, &entry)?,
                Op::Account(row) => disk.put_account(&row)?,
                Op::Device(device, row) => disk.put_device(&device, row)?,
                Op::Membership(account, membership) => disk.put_membership(&account, membership)?,
                Op::Invite(row) => disk.put_invite(&row)?,
                Op::Hook(write) => disk.put_hook(&write)?,
                Op::Push(write) => disk.put_push(&write)?,
                Op::Retention(write) => disk.put_retention(&write)?,
                Op::Audit(record) => disk.audit(&record)?,
                Op::Announcement(announcement) => disk.put_announcement(announcement.as_ref())?,
            }
        }
        if let Err(error) = disk.commit() {
            disk.rollback();
            return Err(error);
        }
        self.inner.commit()
    }

    fn rollback(&mut self) {
        self.group.clear();
        self.inner.rollback();
    }

    fn append(&mut self, entry: &Entry) -> Result<Append, StoreError> {
        self.group.push(Op::Append(entry.clone()));
        self.inner.append(entry)
    }

    fn set_register(&mut self, register: &Register) -> Result<Rev, StoreError> {
        self.group.push(Op::Register(register.clone()));
        self.inner.set_register(register)
    }

    fn append_chain(&mut self, account: &AccountId, entry: &ChainEntry) -> Result<(), StoreError> {
        self.group.push(Op::Chain(*account, entry.clone()));
        self.inner.append_chain(account, entry)
    }

    fn put_account(&mut self, account: &AccountRow) -> Result<(), StoreError> {
        self.group.push(Op::Account(account.clone()));
        self.inner.put_account(account)
    }

    fn put_device(&mut self, device: &DeviceId, row: DeviceRow) -> Result<(), StoreError> {
        self.group.push(Op::Device(*device, row));
        self.inner.put_device(device, row)
    }

    fn put_membership(&mut self, account: &AccountId, membership: Membership) -> Result<(), StoreError> {
        self.group.push(Op::Membership(*account, membership));
        self.inner.put_membership(account, membership)
    }

    fn put_invite(&mut self, invite: &InviteRow) -> Result<(), StoreError> {
        self.group.push(Op::Invite(invite.clone()));
        self.inner.put_invite(invite)
    }

    fn put_hook(&mut self, write: &HookWrite) -> Result<(), StoreError> {
        self.group.push(Op::Hook(write.clone()));
        self.inner.put_hook(write)
    }

    fn put_push(&mut self, write: &PushRow) -> Result<(), StoreError> {
        self.group.push(Op::Push(write.clone()));
        self.inner.put_push(write)
    }

    fn put_retention(&mut self, write: &RetentionWrite) -> Result<(), StoreError> {
        self.group.push(Op::Retention(write.clone()));
        self.inner.put_retention(write)
    }

    fn put_announcement(&mut self, announcement: Option<&Announcement>) -> Result<(), StoreError> {
        self.group.push(Op::Announcement(announcement.cloned()));
        self.inner.put_announcement(announcement)
    }

    fn audit(&mut self, record: &AuditRecord) -> Result<(), StoreError> {
        self.group.push(Op::Audit(record.clone()));
        self.inner.audit(record)
    }

    fn reader(&self) -> Result<Box<dyn Reader>, StoreError> {
        self.inner.reader()
    }
}
