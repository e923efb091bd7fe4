//! The fold of a chain: which devices an account has, and had at any length of its chain.
//!
//! ```
//! use kith_protocol::account::Account;
//! use kith_protocol::chain::{ChainEntry, ChainHeader, ChainOp, NewDevice};
//! use kith_protocol::keys::DeviceKeys;
//!
//! let (laptop, phone) = (DeviceKeys::generate()?, DeviceKeys::generate()?);
//! let mut alice = Account::genesis(&ChainEntry::genesis(&laptop, "laptop", 0))?;
//!
//! // The phone agrees, the laptop signs.
//! let new = NewDevice::countersign(&phone, "phone", &alice.id());
//! let header = ChainHeader {
//!     account: alice.id(),
//!     index: alice.len(),
//!     previous: alice.head(),
//!     author: laptop.id(),
//!     at: 0,
//!     ops: vec![ChainOp::AddDevice(new)],
//! };
//! alice.apply(&ChainEntry::sign(&header, &laptop))?;
//! assert!(alice.live(&phone.id()).is_some());
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

use crate::chain::{ChainEntry, ChainOp, NewDevice};
use crate::ids::{AccountId, DeviceId, Hash};
use crate::keys::PublicKey;
use crate::limits;
use std::collections::BTreeMap;

/// An account as its chain says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Account {
    id: AccountId,
    len: u32,
    head: Hash,
    devices: BTreeMap<DeviceId, Device>,
    needs_update: bool,
}

/// A device, live or revoked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Device {
    /// What it is.
    pub kind: DeviceKind,
    /// What its owner calls it.
    pub name: String,
    /// Checks what it signs.
    pub sign: PublicKey,
    /// Checks its logins.
    pub auth: PublicKey,
    /// The index of the chain entry that added it.
    pub added: u32,
    /// When its author says that was, in milliseconds since 1970.
    pub added_at: u64,
    /// The index of the chain entry that revoked it.
    pub revoked: Option<u32>,
}

/// What a device is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DeviceKind {
    /// A computer or phone.
    Personal,
    /// The recovery key: adds and revokes devices, and writes in no room.
    Recovery,
}

/// Why a chain entry does not count. The relay refuses it; a client that meets it has been lied to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ChainError {
    /// It does not follow the entry before.
    #[error("the chain entry does not follow the newest one")]
    Unlinked,
    /// Its author is no live device of the account.
    #[error("the chain entry's author is not a live device of the account")]
    Stranger,
    /// A signature is wrong: the author's, or a new device's consent.
    #[error("a signature in the chain entry is wrong")]
    BadSignature,
    /// An operation that makes no sense where it stands.
    #[error("the chain entry asks for something that cannot be done")]
    Senseless,
    /// More devices than [`limits::DEVICES_MAX`], those that were revoked counted too.
    #[error("the account has had as many devices as an account can have")]
    Full,
}

impl Account {
    /// The account that begins with this entry.
    pub fn genesis(entry: &ChainEntry) -> Result<Self, ChainError> {
        let header = entry.header();
        if header.index != 0 || !header.account.is_zero() || !header.previous.is_zero() {
            return Err(ChainError::Unlinked);
        }
        let Some(ChainOp::AddDevice(first)) = header.ops.first() else { return Err(ChainError::Senseless) };
        if first.id() != header.author {
            return Err(ChainError::Stranger);
        }
        entry.verify(&first.sign).map_err(|_| ChainError::BadSignature)?;
        let mut account = Self {
            id: AccountId(entry.digest().0),
            len: 0,
            head: Hash::ZERO,
            devices: BTreeMap::new(),
            needs_update: false,
        };
        for op in &header.ops {
            account.apply_op(op, &AccountId::ZERO, 0, header.at)?;
        }
        if account.live_devices().next().is_none() {
            return Err(ChainError::Senseless);
        }
        account.len = 1;
        account.head = entry.digest();
        Ok(account)
    }

    /// Takes the next entry, whole or not at all.
    pub fn apply(&mut self, entry: &ChainEntry) -> Result<(), ChainError> {
        let header = entry.header();
        if header.account != self.id || header.index != self.len || header.previous != self.head {
            return Err(ChainError::Unlinked);
        }
        let author = self.live(&header.author).ok_or(ChainError::Stranger)?;
        entry.verify(&author.sign).map_err(|_| ChainError::BadSignature)?;
        if header.ops.is_empty() {
            return Err(ChainError::Senseless);
        }
        let mut next = self.clone();
        for op in &header.ops {
            next.apply_op(op, &self.id, header.index, header.at)?;
        }
        if next.live_devices().next().is_none() {
            return Err(ChainError::Senseless);
        }
        next.len += 1;
        next.head = entry.digest();
        *self = next;
        Ok(())
    }

    /// Folds a whole chain, genesis first.
    pub fn fold<'a>(entries: impl IntoIterator<Item = &'a ChainEntry>) -> Result<Self, ChainError> {
        let mut entries = entries.into_iter();
        let mut account = Self::genesis(entries.next().ok_or(ChainError::Unlinked)?)?;
        entries.try_for_each(|entry| account.apply(entry))?;
        Ok(account)
    }

    /// Its id.
    pub fn id(&self) -> AccountId {
        self.id
    }

    /// How many entries were folded.
    pub fn len(&self) -> u32 {
        self.len
    }

    /// Never: an account has its genesis.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// The digest of the newest entry.
    pub fn head(&self) -> Hash {
        self.head
    }

    /// Whether the chain holds something that only a newer version understands.
    pub fn needs_update(&self) -> bool {
        self.needs_update
    }

    /// All devices, revoked ones too.
    pub fn devices(&self) -> impl Iterator<Item = (&DeviceId, &Device)> {
        self.devices.iter()
    }

    /// The devices that are not revoked.
    pub fn live_devices(&self) -> impl Iterator<Item = (&DeviceId, &Device)> {
        self.devices.iter().filter(|(_, device)| device.revoked.is_none())
    }

    /// A device that is not revoked now.
    pub fn live(&self, id: &DeviceId) -> Option<&Device> {
        self.devices.get(id).filter(|device| device.revoked.is_none())
    }

    /// A device that was live when the chain had `len` entries. An entry's header names that length.
    pub fn device_at(&self, id: &DeviceId, len: u32) -> Option<&Device> {
        let device = self.devices.get(id)?;
        let live =
            len <= self.len && device.added < len && device.revoked.is_none_or(|revoked| revoked >= len);
        live.then_some(device)
    }

    fn apply_op(&mut self, op: &ChainOp, consent: &AccountId, index: u32, at: u64) -> Result<(), ChainError> {
        match op {
            ChainOp::AddDevice(new) => self.add(new, DeviceKind::Personal, consent, index, at),
            ChainOp::SetRecovery(new) => {
                let old = self.devices.values_mut().filter(|device| device.kind == DeviceKind::Recovery);
                for device in old {
                    device.revoked.get_or_insert(index);
                }
                self.add(new, DeviceKind::Recovery, consent, index, at)
            }
            ChainOp::RevokeDevice(id) => {
                let device = self.devices.get_mut(id).ok_or(ChainError::Senseless)?;
                if device.revoked.is_some() {
                    return Err(ChainError::Senseless);
                }
                device.revoked = Some(index);
                Ok(())
            }
            ChainOp::Unknown(_) => {
                self.needs_update = true;
                Ok(())
            }
        }
    }

    fn add(
        &mut self,
        new: &NewDevice,
        kind: DeviceKind,
        consent: &AccountId,
        index: u32,
        added_at: u64,
    ) -> Result<(), ChainError> {
        new.check(consent).map_err(|_| ChainError::BadSignature)?;
        if self.devices.len() >= limits::DEVICES_MAX {
            return Err(ChainError::Full);
        }
        let device = Device {
            kind,
            name: new.name.clone(),
            sign: new.sign,
            auth: new.auth,
            added: index,
            added_at,
            revoked: None,
        };
        // A device that was revoked never comes back: its key may be in other hands.
        match self.devices.insert(new.id(), device) {
            None => Ok(()),
            Some(_) => Err(ChainError::Senseless),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chain::ChainHeader;
    use crate::keys::DeviceKeys;

    fn keys(seed: u8) -> DeviceKeys {
        DeviceKeys::from_seeds(&[seed; 32], &[seed ^ 0xff; 32])
    }

    fn follow(account: &Account, author: &DeviceKeys, ops: Vec<ChainOp>) -> ChainEntry {
        let header = ChainHeader {
            account: account.id(),
            index: account.len(),
            previous: account.head(),
            author: author.id(),
            at: 7,
            ops,
        };
        ChainEntry::sign(&header, author)
    }

    fn add(account: &Account, new: &DeviceKeys) -> ChainOp {
        ChainOp::AddDevice(NewDevice::countersign(new, "phone", &account.id()))
    }

    #[test]
    fn devices_come_and_go_and_are_known_at_each_length() {
        let (laptop, phone) = (keys(1), keys(2));
        let mut account = Account::genesis(&ChainEntry::genesis(&laptop, "laptop", 1)).unwrap();
        let entry = follow(&account, &laptop, vec![add(&account, &phone)]);
        account.apply(&entry).unwrap();
        let entry = follow(&account, &phone, vec![ChainOp::RevokeDevice(laptop.id())]);
        account.apply(&entry).unwrap();

        assert!(account.device_at(&phone.id(), 1).is_none());
        assert!(account.device_at(&phone.id(), 2).is_some());
        assert!(account.device_at(&laptop.id(), 2).is_some());
        assert!(account.device_at(&laptop.id(), 3).is_none());
        assert!(account.device_at(&phone.id(), 4).is_none(), "the chain is not that long");
        let entry = follow(&account, &laptop, vec![ChainOp::RevokeDevice(phone.id())]);
        assert_eq!(account.apply(&entry), Err(ChainError::Stranger));
    }

    #[test]
    fn nobody_adds_a_device_that_did_not_agree() {
        let (laptop, phone) = (keys(1), keys(2));
        let account = Account::genesis(&ChainEntry::genesis(&laptop, "laptop", 1)).unwrap();
        let elsewhere = NewDevice::countersign(&phone, "phone", &AccountId([9; 32]));
        let entry = follow(&account, &laptop, vec![ChainOp::AddDevice(elsewhere)]);
        assert_eq!(account.clone().apply(&entry), Err(ChainError::BadSignature));
    }

    #[test]
    fn an_entry_counts_whole_or_not_at_all() {
        let (laptop, phone) = (keys(1), keys(2));
        let mut account = Account::genesis(&ChainEntry::genesis(&laptop, "laptop", 1)).unwrap();
        let before = account.clone();
        let ops = vec![add(&account, &phone), ChainOp::RevokeDevice(DeviceId([9; 16]))];
        let entry = follow(&account, &laptop, ops);
        assert_eq!(account.apply(&entry), Err(ChainError::Senseless));
        assert_eq!(account, before);
    }

    #[test]
    fn the_last_device_stays_and_a_revoked_one_never_returns() {
        let (laptop, phone) = (keys(1), keys(2));
        let mut account = Account::genesis(&ChainEntry::genesis(&laptop, "laptop", 1)).unwrap();
        let entry = follow(&account, &laptop, vec![ChainOp::RevokeDevice(laptop.id())]);
        assert_eq!(account.apply(&entry), Err(ChainError::Senseless));

        let ops = vec![add(&account, &phone), ChainOp::RevokeDevice(laptop.id())];
        let entry = follow(&account, &laptop, ops);
        account.apply(&entry).unwrap();
        let entry = follow(&account, &phone, vec![add(&account, &laptop)]);
        assert_eq!(account.apply(&entry), Err(ChainError::Senseless));
    }

    #[test]
    fn an_account_begins_with_a_device_that_stays() {
        let laptop = keys(1);
        let first = ChainEntry::genesis(&laptop, "laptop", 1);
        let mut header = first.header().clone();
        header.ops.push(ChainOp::RevokeDevice(laptop.id()));
        assert_eq!(Account::genesis(&ChainEntry::sign(&header, &laptop)), Err(ChainError::Senseless));
    }

    #[test]
    fn an_entry_that_says_nothing_does_not_count() {
        let laptop = keys(1);
        let mut account = Account::genesis(&ChainEntry::genesis(&laptop, "laptop", 1)).unwrap();
        let entry = follow(&account, &laptop, Vec::new());
        assert_eq!(account.apply(&entry), Err(ChainError::Senseless));
    }

    #[test]
    fn a_new_recovery_key_takes_the_place_of_the_old() {
        let (laptop, first, second) = (keys(1), keys(2), keys(3));
        let mut account = Account::genesis(&ChainEntry::genesis(&laptop, "laptop", 1)).unwrap();
        for recovery in [&first, &second] {
            let op = ChainOp::SetRecovery(NewDevice::countersign(recovery, "recovery key", &account.id()));
            let entry = follow(&account, &laptop, vec![op]);
            account.apply(&entry).unwrap();
        }
        assert!(account.live(&first.id()).is_none());
        assert_eq!(account.live(&second.id()).unwrap().kind, DeviceKind::Recovery);
    }
}
