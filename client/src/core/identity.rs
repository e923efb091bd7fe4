//! Who this device is: its keys, its account, its relay. In the vault, because nobody could give it back.

use super::Entropy;
use super::rows::{decode, encode};
use crate::vault::{DurableMap, WriteError, keys};
use kith_protocol::chain::ChainEntry;
use kith_protocol::entry::{Entry, Header, KEY_SOURCE_PLAIN, Kind};
use kith_protocol::frame::Join;
use kith_protocol::ids::{AccountId, DeviceId, Hash, RoomId, Seq, TxnId};
use kith_protocol::keys::{Challenge, DeviceKeys};
use kith_protocol::link::InviteLink;
use kith_protocol::room::own_ops;
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

/// Who this device is.
#[derive(Debug, Clone)]
pub struct Identity {
    keys: DeviceKeys,
    row: IdentityRow,
}

/// Where the relay is, and how it proves that it is the relay.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Relay {
    /// Its address, `wss://host[:port]`, or `ws://` on loopback.
    pub address: String,
    /// The pin of its key, if its certificate is self-signed.
    pub pin: Option<Hash>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
struct IdentityRow {
    account: AccountId,
    device_name: String,
    relay: Relay,
    #[serde(default)]
    inviter: Option<AccountId>,
    #[serde(default)]
    joining: Option<Joining>,
}

/// An account that the relay has not admitted yet.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct Joining {
    #[serde(with = "serde_bytes")]
    token: Vec<u8>,
    pub(crate) handle: String,
    /// Whether the handle was made from the name: then another may take its place.
    derived: bool,
    name: String,
    #[serde(with = "serde_bytes")]
    genesis: Vec<u8>,
    #[serde(with = "serde_bytes")]
    own_room: Vec<u8>,
    pub(crate) room: Option<RoomId>,
}

impl std::fmt::Debug for Joining {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Joining").field("room", &self.room).finish_non_exhaustive()
    }
}

/// What a newcomer wants to be called.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Newcomer {
    /// The display name.
    pub name: String,
    /// The handle without `@`; `None`: one that is made from the name.
    pub handle: Option<String>,
    /// What this device is called.
    pub device_name: String,
}

/// Why there is no identity.
#[derive(Debug, thiserror::Error)]
pub enum IdentityError {
    /// The profile has an account already.
    #[error("this profile has an account already: use another one for a second account")]
    Exists,
    /// What stands in the vault makes no sense.
    #[error(
        "the identity of this profile cannot be read: put a backup of the profile in its place, or link this device anew"
    )]
    Damaged,
    /// The vault could not be written.
    #[error(transparent)]
    Write(#[from] WriteError),
}

impl Identity {
    /// The one of this profile, if it has one.
    pub fn load(vault: &dyn DurableMap) -> Result<Option<Self>, IdentityError> {
        let Some(row) = vault.get(&keys::state(IDENTITY)) else { return Ok(None) };
        let row = decode(&row).map_err(|_| IdentityError::Damaged)?;
        let keys = load_keys(vault)?.ok_or(IdentityError::Damaged)?;
        Ok(Some(Self { keys, row }))
    }

    /// A new account, kept before anybody hears of it. The relay admits it when the engine connects.
    ///
    /// Called again before it was admitted (another handle, another invite), it stays the same account.
    pub fn join(
        vault: &mut dyn DurableMap,
        entropy: &mut Entropy,
        invite: &InviteLink,
        who: &Newcomer,
        now: u64,
    ) -> Result<Self, IdentityError> {
        let before = Self::load(vault)?;
        if before.as_ref().is_some_and(|identity| identity.row.joining.is_none()) {
            return Err(IdentityError::Exists);
        }
        let keys = new_keys(vault, entropy)?;
        let known = before.and_then(|identity| identity.row.joining.map(|joining| joining.genesis));
        let genesis = match known.and_then(|raw| ChainEntry::parse(raw.into()).ok()) {
            Some(genesis) => genesis,
            None => ChainEntry::genesis(&keys, &who.device_name, now),
        };
        let account = AccountId(genesis.digest().0);
        let own_room = own_room_genesis(&keys, account, TxnId::new(now, entropy.array()), now);
        let joining = Joining {
            token: invite.token.to_vec(),
            handle: who.handle.clone().unwrap_or_else(|| handle_from(&who.name)),
            derived: who.handle.is_none(),
            name: who.name.clone(),
            genesis: genesis.raw().to_vec(),
            own_room: own_room.raw().to_vec(),
            room: invite.room,
        };
        let row = IdentityRow {
            account,
            device_name: who.device_name.clone(),
            relay: Relay { address: invite.relay.clone(), pin: invite.pin },
            inviter: invite.from,
            joining: Some(joining),
        };
        vault.put(&keys::state(IDENTITY), &encode(&row))?;
        Ok(Self { keys, row })
    }

    /// A device that another one, or the recovery key, has added to the account's chain.
    pub fn linked(
        vault: &mut dyn DurableMap,
        account: AccountId,
        device_name: &str,
        relay: Relay,
    ) -> Result<Self, IdentityError> {
        if Self::load(vault)?.is_some() {
            return Err(IdentityError::Exists);
        }
        let keys = load_keys(vault)?.ok_or(IdentityError::Damaged)?;
        let row =
            IdentityRow { account, device_name: device_name.to_owned(), relay, inviter: None, joining: None };
        vault.put(&keys::state(IDENTITY), &encode(&row))?;
        Ok(Self { keys, row })
    }

    /// The account.
    pub fn account(&self) -> AccountId {
        self.row.account
    }

    /// This device.
    pub fn device(&self) -> DeviceId {
        self.keys.id()
    }

    /// What it is called.
    pub fn device_name(&self) -> &str {
        &self.row.device_name
    }

    /// The relay.
    pub fn relay(&self) -> &Relay {
        &self.row.relay
    }

    /// Who invited the account.
    pub fn inviter(&self) -> Option<AccountId> {
        self.row.inviter
    }

    /// The device's keys.
    pub fn keys(&self) -> &DeviceKeys {
        &self.keys
    }

    /// Whether the relay has not admitted the account yet.
    pub fn is_joining(&self) -> bool {
        self.row.joining.is_some()
    }

    pub(crate) fn join_frame(&self, req: u32, challenge: &Challenge) -> Option<Join> {
        let joining = self.row.joining.as_ref()?;
        Some(Join {
            version: kith_protocol::VERSION,
            req,
            token: joining.token.clone().into(),
            handle: joining.handle.clone(),
            name: joining.name.clone(),
            genesis: joining.genesis.clone().into(),
            own_room: joining.own_room.clone().into(),
            answer: self.keys.answer(challenge).to_vec().into(),
        })
    }

    /// The signed beginning of the account's chain, while it is not admitted.
    pub(crate) fn genesis(&self) -> Option<bytes::Bytes> {
        self.row.joining.as_ref().map(|joining| joining.genesis.clone().into())
    }

    /// After the relay has admitted the account. Returns the room that the invite leads to.
    pub(crate) fn admitted(&mut self, vault: &mut dyn DurableMap) -> Result<Option<RoomId>, WriteError> {
        let mut row = self.row.clone();
        let room = row.joining.take().and_then(|joining| joining.room);
        vault.put(&keys::state(IDENTITY), &encode(&row))?;
        self.row = row;
        Ok(room)
    }

    /// Another handle, after the first was taken; `false` if the person chose it and has to choose again.
    pub(crate) fn next_handle(&mut self, attempt: u32) -> bool {
        let Some(joining) = self.row.joining.as_mut().filter(|joining| joining.derived) else { return false };
        let base = handle_from(&joining.name);
        let number = (attempt + 2).to_string();
        let room = kith_protocol::limits::HANDLE_BYTES_MAX - number.len();
        joining.handle = format!("{}{number}", &base[..base.len().min(room)]);
        true
    }
}

/// The keys of a new device: on disk, read back, and only then offered to anybody. Never written twice.
pub(crate) fn new_keys(
    vault: &mut dyn DurableMap,
    entropy: &mut Entropy,
) -> Result<DeviceKeys, IdentityError> {
    if let Some(keys) = load_keys(vault)? {
        return Ok(keys);
    }
    let mut seeds = Zeroizing::new([0; 64]);
    entropy.fill(seeds.as_mut());
    vault.create(&keys::device(KEYS), seeds.as_ref())?;
    Ok(DeviceKeys::from_seeds_64(&seeds))
}

fn load_keys(vault: &dyn DurableMap) -> Result<Option<DeviceKeys>, IdentityError> {
    let Some(seeds) = vault.get(&keys::device(KEYS)).map(Zeroizing::new) else { return Ok(None) };
    let seeds = seeds.as_slice().try_into().map_err(|_| IdentityError::Damaged)?;
    Ok(Some(DeviceKeys::from_seeds_64(seeds)))
}

fn own_room_genesis(keys: &DeviceKeys, account: AccountId, txn: TxnId, at: u64) -> Entry {
    let header = Header {
        key_source: KEY_SOURCE_PLAIN,
        room: RoomId::own(&account),
        account,
        device: keys.id(),
        chain_len: 1,
        control_head: Hash::ZERO,
        seen_seq: Seq::ZERO,
        seen_hash: Hash::ZERO,
        txn,
        at,
        kind: Kind::Control { index: 0, ops: own_ops(account) },
    };
    Entry::sign(&header, &[], keys)
}

/// A handle that a name suggests: its letters and digits in lower case, or "someone".
fn handle_from(name: &str) -> String {
    let mut handle = String::new();
    for c in name.chars().flat_map(char::to_lowercase) {
        match c {
            'a'..='z' | '0'..='9' => handle.push(c),
            ' ' | '-' | '_' | '.' if !handle.is_empty() && !handle.ends_with('-') => handle.push('-'),
            _ => {}
        }
        if handle.len() == kith_protocol::limits::HANDLE_BYTES_MAX {
            break;
        }
    }
    let handle = handle.trim_end_matches('-');
    if handle.is_empty() { "someone".to_owned() } else { handle.to_owned() }
}

const IDENTITY: &str = "identity";
const KEYS: &str = "keys";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_suggest_handles() {
        for (name, handle) in
            [("Alice", "alice"), ("Bob B. Good", "bob-b-good"), ("  Zoë", "zo"), ("明", "someone")]
        {
            assert_eq!(handle_from(name), handle);
        }
    }
}
