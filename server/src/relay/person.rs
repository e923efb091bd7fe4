//! People for tests of the writer: an account with its one device, connected.

use super::conn::{Conn, Identity};
use super::outbound::Outbound;
use super::writer::WriteLimits;
use crate::store::memory::MemoryEngine;
use crate::store::retention::Share;
use crate::store::{AccountRow, DeviceRow, Engine, RelayRole};
use kith_protocol::chain::ChainEntry;
use kith_protocol::entry::{Entry, Header, Kind};
use kith_protocol::ids::{AccountId, Hash, RoomId, Seq, TxnId};
use kith_protocol::keys::DeviceKeys;
use std::sync::Arc;

pub(super) const LIMITS: WriteLimits = WriteLimits {
    accounts: 9,
    rooms_per_account: 9,
    members_per_room: 9,
    devices_per_account: 9,
    body_bytes: 9999,
    share: Share { bytes: None },
};

pub(super) struct Person {
    pub(super) keys: DeviceKeys,
    pub(super) account: AccountId,
    pub(super) conn: Arc<Conn>,
    txns: u64,
}

impl Person {
    pub(super) fn new(engine: &mut MemoryEngine, seed: u8, handle: &str) -> Self {
        let keys = DeviceKeys::from_seeds(&[seed; 32], &[!seed; 32]);
        let genesis = ChainEntry::genesis(&keys, "laptop", 1);
        let account = AccountId(genesis.digest().0);
        engine.append_chain(&account, &genesis).unwrap();
        engine.put_device(&keys.id(), DeviceRow { account, blocked: false }).unwrap();
        let row = AccountRow {
            id: account,
            handle: handle.into(),
            name: handle.into(),
            role: RelayRole::Member,
            disabled: false,
            created_at: 1,
            chain_len: 1,
            integration: false,
        };
        engine.put_account(&row).unwrap();
        let identity = Identity { account, device: keys.id(), recovery: false, version: 1 };
        Self { conn: Conn::new(identity, Outbound::new(100, 1 << 20)), keys, account, txns: 0 }
    }

    pub(super) fn entry(&mut self, room: RoomId, control_head: Hash, kind: Kind) -> Entry {
        self.txns += 1;
        let header = Header {
            key_source: 0,
            room,
            account: self.account,
            device: self.keys.id(),
            chain_len: 1,
            control_head,
            seen_seq: Seq::ZERO,
            seen_hash: Hash::ZERO,
            txn: TxnId(u128::from(self.txns).to_be_bytes()),
            at: 1,
            kind,
        };
        Entry::sign(&header, b"body", &self.keys)
    }
}
