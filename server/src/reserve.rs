//! Keeps some of the disk free.
//!
//! A database on a disk that is full to the last byte can neither be tidied nor checkpointed. So what makes the logs grow
//! is refused a little earlier, as if the disk were full; reads, and the operator's orders, go on. It ends by itself.

use std::{io, time::Duration};

use kith_protocol::{
    chain::ChainEntry,
    entry::Entry,
    ids::{AccountId, DeviceId, Incarnation, Rev, RoomId},
    register::Register,
};

use crate::{
    clock::{Clock, Instant},
    config::Live,
    store::{
        AccountRow, Announcement, Append, AuditRecord, DeviceRow, Engine, InviteRow, Membership, Reader,
        RoomHead, StoreError, hooks::HookWrite, pushes::PushRow, retention::RetentionWrite,
    },
};

/// An engine that refuses to grow while less than `storage.reserve_bytes` is free.
pub(crate) struct Reserved<F> {
    engine: Box<dyn Engine>,
    free_bytes: F,
    live: Live,
    clock: Clock,
    looked: Option<(Instant, bool)>,
}

impl<F: Fn() -> io::Result<u64> + Send> Reserved<F> {
    pub(crate) fn new(engine: Box<dyn Engine>, live: Live, clock: Clock, free_bytes: F) -> Self {
        Self { engine, free_bytes, live, clock, looked: None }
    }

    fn grow(&mut self) -> Result<(), StoreError> {
        let now = self.clock.now();
        let fits = match self.looked {
            Some((at, fits)) if now < at + LOOK_EVERY => fits,
            _ => {
                let reserve = self.live.load().storage.reserve_bytes;
                // If the system does not tell, the database itself will notice.
                let fits = (self.free_bytes)().map_or(true, |free| free >= reserve);
                self.looked = Some((now, fits));
                fits
            }
        };
        if fits { Ok(()) } else { Err(StoreError::Full) }
    }
}

impl<F: Fn() -> io::Result<u64> + Send> Engine for Reserved<F> {
    fn append(&mut self, entry: &Entry) -> Result<Append, StoreError> {
        self.grow()?;
        self.engine.append(entry)
    }

    fn set_register(&mut self, register: &Register) -> Result<Rev, StoreError> {
        self.grow()?;
        self.engine.set_register(register)
    }

    fn append_chain(&mut self, account: &AccountId, entry: &ChainEntry) -> Result<(), StoreError> {
        self.grow()?;
        self.engine.append_chain(account, entry)
    }

    fn incarnation(&self) -> Incarnation {
        self.engine.incarnation()
    }

    fn read(&self) -> &dyn Reader {
        self.engine.read()
    }

    fn head(&mut self, room: &RoomId) -> Result<RoomHead, StoreError> {
        self.engine.head(room)
    }

    fn held(&mut self, account: &AccountId) -> Result<u64, StoreError> {
        self.engine.held(account)
    }

    fn begin(&mut self) -> Result<(), StoreError> {
        self.engine.begin()
    }

    fn commit(&mut self) -> Result<(), StoreError> {
        self.engine.commit()
    }

    fn rollback(&mut self) {
        self.engine.rollback();
    }

    fn rest(&mut self, idle: bool) -> bool {
        self.engine.rest(idle)
    }

    fn put_account(&mut self, account: &AccountRow) -> Result<(), StoreError> {
        self.engine.put_account(account)
    }

    fn put_device(&mut self, device: &DeviceId, row: DeviceRow) -> Result<(), StoreError> {
        self.engine.put_device(device, row)
    }

    fn put_membership(&mut self, account: &AccountId, membership: Membership) -> Result<(), StoreError> {
        self.engine.put_membership(account, membership)
    }

    fn put_invite(&mut self, invite: &InviteRow) -> Result<(), StoreError> {
        self.engine.put_invite(invite)
    }

    fn put_hook(&mut self, write: &HookWrite) -> Result<(), StoreError> {
        self.engine.put_hook(write)
    }

    fn put_push(&mut self, write: &PushRow) -> Result<(), StoreError> {
        self.engine.put_push(write)
    }

    fn put_retention(&mut self, write: &RetentionWrite) -> Result<(), StoreError> {
        self.engine.put_retention(write)
    }

    fn put_announcement(&mut self, announcement: Option<&Announcement>) -> Result<(), StoreError> {
        self.engine.put_announcement(announcement)
    }

    fn audit(&mut self, record: &AuditRecord) -> Result<(), StoreError> {
        self.engine.audit(record)
    }

    fn probe(&mut self) -> Result<(), StoreError> {
        self.grow()?;
        self.engine.probe()
    }

    fn reader(&self) -> Result<Box<dyn Reader>, StoreError> {
        self.engine.reader()
    }
}

/// A flood of the largest messages fills some 60 MB in this time: about the default reserve.
const LOOK_EVERY: Duration = Duration::from_secs(1);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{config::Config, store::memory::MemoryEngine};
    use std::sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    };

    #[tokio::test(start_paused = true)]
    async fn growth_stops_below_the_reserve_and_goes_on_above() {
        let free = Arc::new(AtomicU64::new(u64::MAX));
        let seen = Arc::clone(&free);
        let config = Config::default();
        let reserve = config.storage.reserve_bytes;
        let engine = Box::new(MemoryEngine::new(Incarnation::ZERO));
        let mut reserved = Reserved::new(engine, Live::new(config), Clock::system(), move || {
            Ok(seen.load(Ordering::Relaxed))
        });
        assert!(reserved.grow().is_ok());
        free.store(reserve - 1, Ordering::Relaxed);
        assert!(reserved.grow().is_ok(), "it does not ask the system for every write");
        tokio::time::advance(LOOK_EVERY).await;
        assert!(matches!(reserved.grow(), Err(StoreError::Full)));
        free.store(reserve, Ordering::Relaxed);
        tokio::time::advance(LOOK_EVERY).await;
        assert!(reserved.grow().is_ok());
    }
}
