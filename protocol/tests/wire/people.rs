//! Named devices with keys from fixed seeds.

use kith_protocol::account::Account;
use kith_protocol::chain::{ChainEntry, ChainHeader, ChainOp, NewDevice};
use kith_protocol::entry::{Entry, Header, Kind};
use kith_protocol::ids::{AccountId, Hash, RoomId, Seq, TxnId};
use kith_protocol::keys::DeviceKeys;

/// 2026-11-23 12:00:00 UTC.
pub(crate) const NOON: u64 = 1_795_435_200_000;

/// Keys whose seeds are 32 times `n` for signing and 32 times `n + 1` for logging in.
pub(crate) fn keys(n: u8) -> DeviceKeys {
    DeviceKeys::from_seeds(&[n; 32], &[n + 1; 32])
}

/// A person with one device.
pub(crate) struct Person {
    pub(crate) keys: DeviceKeys,
    pub(crate) genesis: ChainEntry,
    pub(crate) account: Account,
}

impl Person {
    pub(crate) fn new(n: u8, device: &str) -> Self {
        let keys = keys(n);
        let genesis = ChainEntry::genesis(&keys, device, NOON);
        let account = Account::genesis(&genesis).unwrap();
        Self { keys, genesis, account }
    }

    pub(crate) fn alice() -> Self {
        Self::new(0x11, "laptop")
    }

    pub(crate) fn bob() -> Self {
        Self::new(0x31, "desk")
    }

    pub(crate) fn id(&self) -> AccountId {
        self.account.id()
    }

    /// The next entry of the chain.
    pub(crate) fn next(&self, ops: Vec<ChainOp>) -> ChainEntry {
        let header = ChainHeader {
            account: self.id(),
            index: self.account.len(),
            previous: self.account.head(),
            author: self.keys.id(),
            at: NOON + 1000,
            ops,
        };
        ChainEntry::sign(&header, &self.keys)
    }

    /// A device that agreed to belong to this person.
    pub(crate) fn device(&self, keys: &DeviceKeys, name: &str) -> NewDevice {
        NewDevice::countersign(keys, name, &self.id())
    }

    /// An entry by this person's device.
    pub(crate) fn entry(&self, room: RoomId, txn: u8, kind: Kind, body: &[u8], seen: Seen) -> Entry {
        let header = Header {
            key_source: 0,
            room,
            account: self.id(),
            device: self.keys.id(),
            chain_len: self.account.len(),
            control_head: seen.control_head,
            seen_seq: seen.seq,
            seen_hash: seen.hash,
            txn: TxnId::new(NOON + u64::from(txn), [txn; 10]),
            at: NOON + u64::from(txn),
            kind,
        };
        Entry::sign(&header, body, &self.keys)
    }
}

/// What an author has seen of a room.
#[derive(Clone, Copy, Default)]
pub(crate) struct Seen {
    pub(crate) control_head: Hash,
    pub(crate) seq: Seq,
    pub(crate) hash: Hash,
}

impl Seen {
    /// One more entry was stored.
    pub(crate) fn take(&mut self, entry: &Entry) {
        self.seq = self.seq.next();
        self.hash = self.hash.extend(&entry.digest());
        if let Kind::Control { .. } = entry.header().kind {
            self.control_head = entry.digest();
        }
    }
}
