//! A memory engine of which a copy can be had at any commit.

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

/// The copy, once it is made: ask by putting an identity in.
#[derive(Clone, Default)]
pub(crate) struct Backup(Arc<Mutex<State>>);

#[derive(Default)]
struct State {
    wanted: Option<Incarnation>,
    made: Option<MemoryEngine>,
    full: bool,
}

impl Backup {
    pub(crate) fn ask(&self, incarnation: Incarnation) {
        self.0.lock().unwrap().wanted = Some(incarnation);
    }

    /// From now on the disk is full, or no longer.
    pub(crate) fn set_full(&self, full: bool) {
        self.0.lock().unwrap().full = full;
    }

    pub(crate) fn take(&self) -> Option<MemoryEngine> {
        self.0.lock().unwrap().made.take()
    }
}

pub(crate) struct Copied {
    pub(crate) inner: MemoryEngine,
    pub(crate) backup: Backup,
}

impl Engine for Copied {
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
        let mut backup = self.backup.0.lock().unwrap();
        self.inner.set_full(backup.full);
        self.inner.commit()?;
        if let Some(incarnation) = backup.wanted.take() {
            backup.made = Some(self.inner.restored(incarnation));
        }
        Ok(())
    }

    fn rollback(&mut self) {
        self.inner.rollback();
    }

    fn append(&mut self, entry: &Entry) -> Result<Append, StoreError> {
        self.inner.append(entry)
    }

    fn set_register(&mut self, register: &Register) -> Result<Rev, StoreError> {
        self.inner.set_register(register)
    }

    fn append_chain(&mut self, account: &AccountId, entry: &ChainEntry) -> Result<(), StoreError> {
        self.inner.append_chain(account, entry)
    }

    fn put_account(&mut self, account: &AccountRow) -> Result<(), StoreError> {
        self.inner.put_account(account)
    }

    fn put_device(&mut self, device: &DeviceId, row: DeviceRow) -> Result<(), StoreError> {
        self.inner.put_device(device, row)
    }

    fn put_membership(&mut self, account: &AccountId, membership: Membership) -> Result<(), StoreError> {
        self.inner.put_membership(account, membership)
    }

    fn put_invite(&mut self, invite: &InviteRow) -> Result<(), StoreError> {
        self.inner.put_invite(invite)
    }

    fn put_hook(&mut self, write: &HookWrite) -> Result<(), StoreError> {
        self.inner.put_hook(write)
    }

    fn put_push(&mut self, write: &PushRow) -> Result<(), StoreError> {
        self.inner.put_push(write)
    }

    fn put_retention(&mut self, write: &RetentionWrite) -> Result<(), StoreError> {
        self.inner.put_retention(write)
    }

    fn put_announcement(&mut self, announcement: Option<&Announcement>) -> Result<(), StoreError> {
        self.inner.put_announcement(announcement)
    }

    fn audit(&mut self, record: &AuditRecord) -> Result<(), StoreError> {
        self.inner.audit(record)
    }

    fn reader(&self) -> Result<Box<dyn Reader>, StoreError> {
        self.inner.reader()
    }
}
