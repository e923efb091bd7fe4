//! A connection as everybody but its own task sees it.

use super::outbound::Outbound;
use crate::clock::Instant;
use kith_protocol::error::ErrorCode;
use kith_protocol::frame::{Refused, ServerFrame};
use kith_protocol::ids::{AccountId, DeviceId};
use std::net::IpAddr;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

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

/// From where, and when, a connection came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Came {
    /// The client's, not the proxy's.
    pub from: IpAddr,
    /// Milliseconds since 1970.
    pub at: u64,
}

/// An identified connection. Shared by its task, the writer and the registry.
#[derive(Debug)]
pub struct Conn {
    /// Unique in this process.
    pub id: u64,
    /// Who speaks.
    pub identity: Identity,
    /// `None` if it came through no door.
    pub came: Option<Came>,
    /// What waits to be written to it.
    pub outbound: Outbound,
    /// Entries handed to the writer and not yet answered.
    in_flight: AtomicU32,
    /// Questions handed to a reader and not yet answered.
    reads: AtomicU32,
    /// Entries of runs below this are rejected because an earlier one was.
    stalled_below: AtomicU64,
    /// Away from the keyboard.
    pub away: AtomicBool,
    /// When something came last from the device.
    heard: Mutex<Option<Instant>>,
}

impl Conn {
    /// One that came through no door, as in a simulation.
    pub fn new(identity: Identity, outbound: Outbound) -> Arc<Self> {
        Self::through(None, identity, outbound)
    }

    /// A connection that has just identified itself.
    pub fn through(came: Option<Came>, identity: Identity, outbound: Outbound) -> Arc<Self> {
        Arc::new(Self {
            id: NEXT_ID.fetch_add(1, Ordering::Relaxed),
            identity,
            came,
            outbound,
            in_flight: AtomicU32::new(0),
            reads: AtomicU32::new(0),
            stalled_below: AtomicU64::new(0),
            away: AtomicBool::new(false),
            heard: Mutex::new(None),
        })
    }

    /// Something came from the device, now.
    pub fn hear(&self, now: Instant) {
        *self.heard.lock().unwrap_or_else(PoisonError::into_inner) = Some(now);
    }

    /// When something came last from the device.
    pub fn heard(&self) -> Option<Instant> {
        *self.heard.lock().unwrap_or_else(PoisonError::into_inner)
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

    /// From now on, entries of this run and of older ones are rejected: one before them was.
    pub fn stall(&self, run: u32) {
        self.stalled_below.fetch_max(u64::from(run) + 1, Ordering::Relaxed);
    }

    /// Whether an entry of this run would overtake a rejected one.
    pub fn is_stalled(&self, run: u32) -> bool {
        u64::from(run) < self.stalled_below.load(Ordering::Relaxed)
    }

    /// Refuses a request.
    pub fn refuse(&self, req: u32, code: ErrorCode) {
        let retry_in_ms = retry_in_ms(code);
        self.outbound.answer(ServerFrame::Refused(Refused { req, code, retry_in_ms }).encode());
    }
}

/// How long to wait before what was refused is worth another try.
pub(super) fn retry_in_ms(code: ErrorCode) -> u64 {
    match code {
        ErrorCode::StorageFull | ErrorCode::QuotaReached => 10_000,
        ErrorCode::StorageFailed => 2_000,
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn conn() -> Arc<Conn> {
        let (account, device) = (AccountId([1; 32]), DeviceId([1; 16]));
        let identity = Identity { account, device, recovery: false, version: 1 };
        Conn::new(identity, Outbound::new(8, 1000))
    }

    #[test]
    fn a_stalled_run_stays_stalled_and_so_do_older_ones() {
        let conn = conn();
        assert!(!conn.is_stalled(0));
        conn.stall(1);
        assert!(conn.is_stalled(0) && conn.is_stalled(1) && !conn.is_stalled(2));
        // The answer to an entry of an older run comes late.
        conn.stall(0);
        assert!(conn.is_stalled(1));
        conn.stall(u32::MAX);
        assert!(conn.is_stalled(u32::MAX));
    }
}
