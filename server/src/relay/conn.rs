//! A connection as everybody but its own task sees it.

use super::outbound::Outbound;
use kith_protocol::error::ErrorCode;
use kith_protocol::frame::{Refused, ServerFrame};
use kith_protocol::ids::{AccountId, DeviceId};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};

static NEXT_ID: AtomicU64 = AtomicU64::new(1);

/// Who speaks on a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Identity {
    /// The account.
    pub account: AccountId,
    /// Its device.
    pub device: DeviceId,
    /// Whether the device is a recovery key, which writes in no room.
    pub recovery: bool,
    /// The protocol version spoken.
    pub version: u16,
}

/// An identified connection. Shared by its task, the writer and the registry.
#[derive(Debug)]
pub struct Conn {
    /// Unique in this process.
    pub id: u64,
    /// Who speaks.
    pub identity: Identity,
    /// What waits to be written to it.
    pub outbound: Outbound,
    /// Entries handed to the writer and not yet answered.
    in_flight: AtomicU32,
    /// Questions handed to a reader and not yet answered.
    reads: AtomicU32,
    /// One more than the run whose entries are rejected because an earlier one was; 0 for none.
    stalled_run: AtomicU64,
    /// Away from the keyboard.
    pub away: AtomicBool,
}

impl Conn {
    /// A connection that has just identified itself.
    pub fn new(identity: Identity, outbound: Outbound) -> Arc<Self> {
        Arc::new(Self {
            id: NEXT_ID.fetch_add(1, Ordering::Relaxed),
            identity,
            outbound,
            in_flight: AtomicU32::new(0),
            reads: AtomicU32::new(0),
            stalled_run: AtomicU64::new(0),
            away: AtomicBool::new(false),
        })
    }

    /// Counts an entry that goes to the writer.
    pub fn sent(&self) {
        self.in_flight.fetch_add(1, Ordering::Relaxed);
    }

    /// Counts an entry that the writer has answered.
    pub fn answered(&self) {
        self.in_flight.fetch_sub(1, Ordering::Relaxed);
    }

    /// How many entries the writer has not answered.
    pub fn in_flight(&self) -> u32 {
        self.in_flight.load(Ordering::Relaxed)
    }

    /// Counts a question that goes to a reader.
    pub fn asked(&self) {
        self.reads.fetch_add(1, Ordering::Relaxed);
    }

    /// Counts a question that a reader has answered.
    pub fn told(&self) {
        self.reads.fetch_sub(1, Ordering::Relaxed);
    }

    /// How many questions no reader has answered.
    pub fn reads(&self) -> u32 {
        self.reads.load(Ordering::Relaxed)
    }

    /// From now on, entries of this run are rejected: one before them was.
    pub fn stall(&self, run: u32) {
        self.stalled_run.store(u64::from(run) + 1, Ordering::Relaxed);
    }

    /// Whether an entry of this run would overtake a rejected one.
    pub fn is_stalled(&self, run: u32) -> bool {
        self.stalled_run.load(Ordering::Relaxed) == u64::from(run) + 1
    }

    /// Refuses a request.
    pub fn refuse(&self, req: u32, code: ErrorCode) {
        self.outbound.answer(ServerFrame::Refused(Refused { req, code, retry_in_ms: 0 }).encode());
    }
}
