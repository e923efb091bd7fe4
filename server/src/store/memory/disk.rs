//! What is committed, apart from the engine that has committed it.

use super::{MemoryEngine, Shared};
use crate::store::Reader;
use kith_protocol::ids::Incarnation;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// What a crash leaves. A clone is another handle on the same.
#[derive(Clone)]
pub struct MemoryDisk {
    incarnation: Incarnation,
    pub(super) committed: Shared,
    full: Arc<AtomicBool>,
}

impl MemoryDisk {
    /// An empty one.
    pub fn new(incarnation: Incarnation) -> Self {
        Self { incarnation, committed: Shared::default(), full: Arc::default() }
    }

    /// The identity of what is there.
    pub fn incarnation(&self) -> Incarnation {
        self.incarnation
    }

    /// An engine that goes on from what is there. One at a time.
    pub fn open(&self) -> MemoryEngine {
        MemoryEngine { disk: self.clone(), working: self.committed.copy(), group: Vec::new() }
    }

    /// What a backup that is made now holds once it is put back, under an identity of its own.
    #[must_use]
    pub fn restored(&self, incarnation: Incarnation) -> Self {
        let committed = self.committed.copy();
        committed.lock().pushes.forget_waiting();
        Self { incarnation, committed, full: Arc::default() }
    }

    /// What is there.
    pub fn read(&self) -> &dyn Reader {
        &self.committed
    }

    /// From now on, commits fail for want of room; or no longer.
    pub fn set_full(&self, full: bool) {
        self.full.store(full, Ordering::Relaxed);
    }

    pub(super) fn is_full(&self) -> bool {
        self.full.load(Ordering::Relaxed)
    }
}
