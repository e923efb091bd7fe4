//! The folds that the writer checks against, kept in memory for as long as they fit.

use super::writer::Move;
use crate::store::retention::Share;
use crate::store::{Reader, StoreError};
use bytes::Bytes;
use kith_protocol::account::Account;
use kith_protocol::chain::ChainEntry;
use kith_protocol::entry::Entry;
use kith_protocol::ids::{AccountId, RoomId};
use kith_protocol::room::Room;
use std::collections::HashMap;
use std::collections::hash_map;

/// Folds of each kind that are kept; beyond that, all are forgotten and read again as they are needed.
const KEPT_MAX: usize = 20_000;

/// Folds of rooms and accounts.
#[derive(Debug, Default)]
pub struct Folds {
    rooms: HashMap<RoomId, Room>,
    accounts: HashMap<AccountId, Account>,
    register_counts: HashMap<(RoomId, AccountId), u64>,
    rooms_made: HashMap<AccountId, usize>,
    shares: HashMap<AccountId, Option<Share>>,
}

impl Folds {
    /// An account; `None` if there is none.
    pub fn account(&mut self, store: &dyn Reader, id: &AccountId) -> Result<Option<&Account>, StoreError> {
        if !self.accounts.contains_key(id) {
            let Some(account) = fold_account(store, id)? else { return Ok(None) };
            if self.accounts.len() >= KEPT_MAX {
                self.accounts.clear();
            }
            self.accounts.insert(*id, account);
        }
        Ok(self.accounts.get(id))
    }

    /// A room; `None` if there is none.
    pub fn room(&mut self, store: &dyn Reader, id: &RoomId) -> Result<Option<&Room>, StoreError> {
        if !self.rooms.contains_key(id) {
            let Some(room) = self.fold_room(store, id)? else { return Ok(None) };
            if self.rooms.len() >= KEPT_MAX {
                self.rooms.clear();
            }
            self.rooms.insert(*id, room);
        }
        Ok(self.rooms.get(id))
    }

    /// How many registers an owner has in a room.
    pub fn register_count(
        &mut self,
        store: &dyn Reader,
        room: &RoomId,
        owner: &AccountId,
    ) -> Result<&mut u64, StoreError> {
        if self.register_counts.len() >= KEPT_MAX {
            self.register_counts.clear();
        }
        match self.register_counts.entry((*room, *owner)) {
            hash_map::Entry::Occupied(known) => Ok(known.into_mut()),
            hash_map::Entry::Vacant(vacant) => Ok(vacant.insert(store.register_count(room, owner)?)),
        }
    }

    /// How many of the rooms that an account is in it has made itself.
    pub fn rooms_made(&mut self, store: &dyn Reader, account: &AccountId) -> Result<usize, StoreError> {
        if let Some(made) = self.rooms_made.get(account) {
            return Ok(*made);
        }
        let mut made = 0;
        for membership in store.rooms_of(account)? {
            if membership.left.is_none() && maker(store, &membership.room)? == Some(*account) {
                made += 1;
            }
        }
        if self.rooms_made.len() >= KEPT_MAX {
            self.rooms_made.clear();
        }
        self.rooms_made.insert(*account, made);
        Ok(made)
    }

    /// What the operator lets an account hold, if something of its own.
    pub fn share(&mut self, store: &dyn Reader, account: &AccountId) -> Result<Option<Share>, StoreError> {
        if self.shares.len() >= KEPT_MAX {
            self.shares.clear();
        }
        match self.shares.entry(*account) {
            hash_map::Entry::Occupied(known) => Ok(*known.get()),
            hash_map::Entry::Vacant(vacant) => Ok(*vacant.insert(store.share(account)?)),
        }
    }

    /// The operator has changed it.
    pub fn put_share(&mut self, account: AccountId, share: Option<Share>) {
        self.shares.insert(account, share);
    }

    /// An account came into a room or left it: its own rooms are counted.
    pub fn note_move(
        &mut self,
        store: &dyn Reader,
        account: &AccountId,
        room: &RoomId,
        direction: Move,
    ) -> Result<(), StoreError> {
        let Some(made) = self.rooms_made.get_mut(account) else { return Ok(()) };
        if maker(store, room)? == Some(*account) {
            *made = match direction {
                Move::In => *made + 1,
                Move::Out => made.saturating_sub(1),
            };
        }
        Ok(())
    }

    /// Takes the place of what was known.
    pub fn put_room(&mut self, room: Room) {
        self.rooms.insert(room.id(), room);
    }

    /// Takes the place of what was known.
    pub fn put_account(&mut self, account: Account) {
        self.accounts.insert(account.id(), account);
    }

    fn fold_room(&mut self, store: &dyn Reader, id: &RoomId) -> Result<Option<Room>, StoreError> {
        let mut room: Option<Room> = None;
        loop {
            let from = room.as_ref().map_or(0, Room::control_len);
            let page = store.control(id, from, 256)?;
            if page.is_empty() {
                return Ok(room);
            }
            for (seq, raw) in page {
                let entry = damaged(Entry::parse(raw))?;
                let author = self
                    .account(store, &entry.header().account)?
                    .ok_or_else(|| StoreError::Failed("a control entry's author has no chain".into()))?;
                match &mut room {
                    None => room = Some(damaged(Room::genesis(&entry, author))?),
                    Some(room) => damaged(room.apply(&entry, author, seq))?,
                }
            }
        }
    }
}

/// Who wrote a room's first entry.
fn maker(store: &dyn Reader, room: &RoomId) -> Result<Option<AccountId>, StoreError> {
    match store.control(room, 0, 1)?.pop() {
        None => Ok(None),
        Some((_, raw)) => Ok(Some(damaged(Entry::parse(raw))?.header().account)),
    }
}

/// Folds an account's chain; `None` if there is none.
pub fn fold_account(store: &dyn Reader, id: &AccountId) -> Result<Option<Account>, StoreError> {
    let chain = store.chain(id, 0)?;
    if chain.is_empty() {
        return Ok(None);
    }
    let parse = |raw: Bytes| damaged(ChainEntry::parse(raw));
    let entries: Vec<ChainEntry> = chain.into_iter().map(parse).collect::<Result<_, _>>()?;
    damaged(Account::fold(&entries)).map(Some)
}

fn damaged<T, E: std::fmt::Display>(result: Result<T, E>) -> Result<T, StoreError> {
    result.map_err(|error| StoreError::Failed(format!("a stored entry does not count: {error}")))
}
