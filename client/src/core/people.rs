//! Accounts: their chains, folded when first needed.

use crate::store::{Changes, Direction, ReadError, Span, Store, Tree, keys};
use bytes::Bytes;
use kith_protocol::account::{Account, Device};
use kith_protocol::chain::ChainEntry;
use kith_protocol::ids::{AccountId, DeviceId};
use std::collections::BTreeMap;

/// The folds of chains, as far as they were needed.
#[derive(Debug, Default)]
pub(crate) struct People {
    folds: BTreeMap<AccountId, Account>,
}

impl People {
    /// Folds the chain of an account from the store, unless that was done.
    pub(crate) fn load(&mut self, store: &dyn Store, id: &AccountId) -> Result<Option<&Account>, ReadError> {
        if !self.folds.contains_key(id) {
            let mut fold: Option<Account> = None;
            for (_, raw) in store.range(
                Tree::Chains,
                &Span::prefix(keys::account(&id.0)),
                Direction::Forward,
                usize::MAX,
            )? {
                let damaged = || ReadError::Damaged("a chain cannot be folded".into());
                let entry = ChainEntry::parse(raw.into()).map_err(|_| damaged())?;
                match fold.as_mut() {
                    None => fold = Some(Account::genesis(&entry).map_err(|_| damaged())?),
                    Some(account) => account.apply(&entry).map_err(|_| damaged())?,
                }
            }
            if let Some(account) = fold {
                self.folds.insert(*id, account);
            }
        }
        Ok(self.folds.get(id))
    }

    /// A fold that was loaded.
    pub(crate) fn get(&self, id: &AccountId) -> Option<&Account> {
        self.folds.get(id)
    }

    /// How long the chain is, as far as it was loaded.
    pub(crate) fn len(&self, id: &AccountId) -> u32 {
        self.folds.get(id).map_or(0, Account::len)
    }

    /// A device that was live when its account's chain had this length.
    pub(crate) fn device_at(&self, id: &AccountId, device: &DeviceId, len: u32) -> Option<&Device> {
        self.folds.get(id)?.device_at(device, len)
    }

    /// What a device is called, live or revoked.
    pub(crate) fn device_name(&self, id: &AccountId, device: &DeviceId) -> Option<&str> {
        let (_, device) = self.folds.get(id)?.devices().find(|(known, _)| *known == device)?;
        Some(&device.name)
    }

    /// Takes what follows in a chain; returns how many entries were new. What does not follow or does not count is passed
    /// over: the relay cannot change what is there.
    pub(crate) fn extend(&mut self, id: &AccountId, entries: Vec<Bytes>, changes: &mut Changes) -> u32 {
        let mut taken = 0;
        for raw in entries {
            let Ok(entry) = ChainEntry::parse(raw) else { break };
            let index = entry.header().index;
            match self.folds.get_mut(id) {
                Some(account) if index < account.len() => continue,
                Some(account) => {
                    if account.apply(&entry).is_err() {
                        break;
                    }
                }
                None => match Account::genesis(&entry) {
                    Ok(account) if account.id() == *id => {
                        self.folds.insert(*id, account);
                    }
                    _ => break,
                },
            }
            changes.put(Tree::Chains, keys::chain(&id.0, u64::from(index)), entry.raw().to_vec());
            taken += 1;
        }
        taken
    }

    /// Forgets the folds, after a commit failed.
    pub(crate) fn clear(&mut self) {
        self.folds.clear();
    }
}
