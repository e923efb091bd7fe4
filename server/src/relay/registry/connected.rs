//! The connections behind the registry's lock.

use crate::clock::Instant;
use crate::relay::conn::Conn;
use kith_protocol::error::CloseCode;
use kith_protocol::frame::{PresenceOf, Presences, ServerFrame};
use kith_protocol::ids::{AccountId, RoomId};
use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;
use std::sync::atomic::Ordering;

/// In rooms with more connections than this, nobody hears who comes and goes: it would be all that they hear.
pub(super) const PRESENCE_CONNECTIONS_MAX: usize = 256;

#[derive(Debug, Default)]
pub(super) struct Connected {
    pub(super) accounts: HashMap<AccountId, Presence>,
    pub(super) rooms: HashMap<RoomId, Vec<Arc<Conn>>>,
    /// How often somebody came into or left a room.
    pub(super) moves: u64,
    /// When those were heard of last who are not connected; at most one for each account of the relay.
    pub(super) gone: HashMap<AccountId, Instant>,
}

/// The connections of one account, and the rooms that all of them hear of.
#[derive(Debug, Default)]
pub(super) struct Presence {
    pub(super) conns: Vec<Arc<Conn>>,
    pub(super) rooms: Vec<RoomId>,
}

impl Connected {
    pub(super) fn add(&mut self, conn: &Arc<Conn>, rooms: Vec<RoomId>, per_account_max: usize) -> bool {
        let mine = self.accounts.entry(conn.identity.account).or_default();
        let is_same = |other: &&Arc<Conn>| other.identity.device == conn.identity.device;
        for other in mine.conns.iter().filter(is_same) {
            other.outbound.close(CloseCode::Replaced);
        }
        // Those that were just replaced are on their way out.
        if mine.conns.iter().filter(|other| !is_same(other)).count() >= per_account_max {
            return false;
        }
        mine.conns.push(Arc::clone(conn));
        let first = mine.conns.len() == 1;
        if first {
            mine.rooms.clone_from(&rooms);
        }
        for room in rooms {
            self.rooms.entry(room).or_default().push(Arc::clone(conn));
        }
        if first {
            self.tell_presence(&conn.identity.account);
        }
        true
    }

    pub(super) fn leave(&mut self, room: &RoomId, gone: impl Fn(&Conn) -> bool) {
        if let Some(listeners) = self.rooms.get_mut(room) {
            listeners.retain(|conn| !gone(conn));
            if listeners.is_empty() {
                self.rooms.remove(room);
            }
        }
    }

    /// The connections that hear who comes and goes in a room.
    pub(super) fn audience(&self, room: &RoomId) -> &[Arc<Conn>] {
        let listeners = self.rooms.get(room).map_or(&[][..], Vec::as_slice);
        if listeners.len() > PRESENCE_CONNECTIONS_MAX { &[] } else { listeners }
    }

    pub(super) fn conns_of(&self, account: &AccountId) -> &[Arc<Conn>] {
        self.accounts.get(account).map_or(&[][..], |mine| &mine.conns)
    }

    pub(super) fn presence_of(&self, account: &AccountId) -> PresenceOf {
        let mine = self.conns_of(account);
        let away = !mine.is_empty() && mine.iter().all(|conn| conn.away.load(Ordering::Relaxed));
        PresenceOf { account: *account, online: !mine.is_empty(), away }
    }

    pub(super) fn tell_presence(&self, account: &AccountId) {
        let Some(mine) = self.accounts.get(account) else { return };
        let people = vec![self.presence_of(account)];
        let frame = ServerFrame::Presences(Presences { people }).encode();
        let mut told = BTreeSet::new();
        for conn in mine.rooms.iter().flat_map(|room| self.audience(room)) {
            if conn.identity.account != *account && told.insert(conn.id) {
                conn.outbound.mention(&frame);
            }
        }
    }
}
