//! From a connection that has said nothing to one that has proved whose it is.

use super::conn::{Conn, Identity};
use super::folds::fold_account;
use super::reads;
use super::registry::{Added, Registry};
use super::writes::Newcomer;
use crate::store::{DeviceRow, Reader, StoreError};
use bytes::Bytes;
use kith_protocol::account::{Account, DeviceKind};
use kith_protocol::chain::ChainEntry;
use kith_protocol::entry::Entry;
use kith_protocol::error::{CloseCode, ErrorCode};
use kith_protocol::frame::{ClientFrame, Hello, Identify, Join, Presences, ServerFrame, Welcome};
use kith_protocol::ids::Incarnation;
use kith_protocol::keys::{Challenge, SignatureBytes};
use kith_protocol::{VERSION, common_version};
use std::sync::Arc;

/// Looks at the rooms of an account before its device is told to come back later: people come and go far more seldom.
const REGISTER_TRIES: u32 = 100;

/// Why somebody does not get in.
#[derive(Debug)]
pub enum Turned {
    /// The connection ends with this code.
    Away(CloseCode),
    /// The request is refused; another may follow.
    Down(ErrorCode),
}

impl From<StoreError> for Turned {
    fn from(error: StoreError) -> Self {
        tracing::error!(%error, "an account could not be read");
        Self::Away(CloseCode::Restarting)
    }
}

/// The first frame of a connection, and what it asks for.
pub fn hello(incarnation: Incarnation, nonce: [u8; 32], now: u64) -> (Challenge, ServerFrame) {
    let hello = Hello { version: VERSION, incarnation, nonce: nonce.to_vec().into(), now };
    (Challenge { incarnation, nonce }, ServerFrame::Hello(hello))
}

/// Checks a device's answer to the challenge. A device that does not know its account, as after linking, leaves it zero.
pub fn identify(store: &dyn Reader, challenge: &Challenge, identify: &Identify) -> Result<Identity, Turned> {
    let version = spoken(identify.version)?;
    let unknown = Turned::Away(CloseCode::Unauthorized);
    let Some(DeviceRow { account: id, blocked }) = store.device(&identify.device)? else {
        return Err(unknown);
    };
    if !identify.account.is_zero() && identify.account != id {
        return Err(unknown);
    }
    let Some(row) = store.account(&id)? else { return Err(unknown) };
    let Some(account) = fold_account(store, &id)? else { return Err(unknown) };
    let Some((_, device)) = account.devices().find(|(device, _)| **device == identify.device) else {
        return Err(unknown);
    };
    let answer = signature(&identify.answer).ok_or(Turned::Away(CloseCode::Unauthorized))?;
    challenge.check(&device.auth, &identify.device, &answer).map_err(|_| unknown)?;
    // Only who has proved to be the device hears that it was revoked.
    if device.revoked.is_some() || blocked {
        return Err(Turned::Away(CloseCode::Revoked));
    }
    if row.disabled {
        return Err(Turned::Away(CloseCode::Disabled));
    }
    let recovery = device.kind == DeviceKind::Recovery;
    Ok(Identity { account: id, device: identify.device, recovery, version })
}

/// Checks what a newcomer brings; whether the invite counts is the writer's to say.
pub fn newcomer(challenge: &Challenge, join: Join) -> Result<Newcomer, Turned> {
    let version = spoken(join.version)?;
    let malformed = |_| Turned::Down(ErrorCode::Malformed);
    let genesis = ChainEntry::parse(join.genesis.clone()).map_err(malformed)?;
    // One device, as the writer will ask for: nobody has a hundred signatures checked before they are known.
    if genesis.header().ops.len() != 1 {
        return Err(Turned::Down(ErrorCode::Malformed));
    }
    let account = Account::genesis(&genesis).map_err(|_| Turned::Down(ErrorCode::BadSignature))?;
    let own_room = Entry::parse(join.own_room.clone()).map_err(malformed)?;
    let device = account.live(&own_room.header().device).ok_or(Turned::Down(ErrorCode::Malformed))?;
    let answer = signature(&join.answer).ok_or(Turned::Down(ErrorCode::BadSignature))?;
    challenge
        .check(&device.auth, &own_room.header().device, &answer)
        .map_err(|_| Turned::Down(ErrorCode::BadSignature))?;
    Ok(Newcomer { join, genesis, account, own_room, version })
}

/// What an identified device hears first.
pub fn welcome(store: &dyn Reader, identity: &Identity) -> Result<ServerFrame, Turned> {
    let row = store.account(&identity.account)?.ok_or(Turned::Away(CloseCode::Unauthorized))?;
    Ok(ServerFrame::Welcome(Welcome {
        version: identity.version,
        account: identity.account,
        device: identity.device,
        handle: row.handle,
        name: row.name,
        admin: row.role > crate::store::RelayRole::Member,
        pushes: !store.push_targets(&identity.account)?.is_empty(),
        chain_len: row.chain_len,
        reads: Bytes::from_static(ClientFrame::TYPES),
    }))
}

/// Puts a device in the registry, then tells it where its rooms stand: in this order nothing falls between. On an error
/// the registry may hold it all the same. Returns whether its person was to be told elsewhere of something that they see now.
pub fn enter(
    store: &dyn Reader,
    registry: &Registry,
    conn: &Arc<Conn>,
    connections_max: usize,
) -> Result<bool, Turned> {
    let identity = &conn.identity;
    register(store, registry, conn, connections_max)?;
    // Revoked or disabled since it was checked: the end that was sent then has missed this connection.
    let account = fold_account(store, &identity.account)?;
    if account.is_none_or(|account| account.live(&identity.device).is_none()) {
        return Err(Turned::Away(CloseCode::Revoked));
    }
    if store.device(&identity.device)?.is_none_or(|row| row.blocked) {
        return Err(Turned::Away(CloseCode::Revoked));
    }
    if store.account(&identity.account)?.is_none_or(|row| row.disabled) {
        return Err(Turned::Away(CloseCode::Disabled));
    }
    conn.outbound.answer(welcome(store, identity)?.encode());
    let came = conn.came.map_or(0, |came| came.at);
    if let Some(said) = store.announcement()?.filter(|said| said.holds(came)) {
        conn.outbound.answer(ServerFrame::Announcement(said.frame()).encode());
    }
    for frame in reads::heads_frames(&reads::heads(store, &identity.account)?) {
        conn.outbound.answer(frame);
    }
    let people = registry.present(&identity.account);
    if !people.is_empty() {
        conn.outbound.answer(ServerFrame::Presences(Presences { people }).encode());
    }
    // What is committed after this look finds the device registered, like what is said to somebody who is there.
    Ok(store.is_anything_left_to_tell(&identity.account)?)
}

/// Puts a connection into the registry with the rooms that its account is in at that very moment.
fn register(
    store: &dyn Reader,
    registry: &Registry,
    conn: &Arc<Conn>,
    connections_max: usize,
) -> Result<(), Turned> {
    for _ in 0..REGISTER_TRIES {
        let moves = registry.moves();
        let memberships = store.rooms_of(&conn.identity.account)?;
        let rooms = memberships.iter().filter(|m| m.left.is_none()).map(|m| m.room).collect();
        match registry.add_at(moves, conn, rooms, connections_max) {
            Added::Yes => return Ok(()),
            Added::Crowded => return Err(Turned::Away(CloseCode::Crowded)),
            Added::Stale => {}
        }
    }
    Err(Turned::Away(CloseCode::Restarting))
}

fn spoken(theirs: u16) -> Result<u16, Turned> {
    common_version(VERSION, theirs).ok_or(Turned::Away(CloseCode::VersionMismatch))
}

fn signature(bytes: &[u8]) -> Option<SignatureBytes> {
    bytes.try_into().ok()
}
