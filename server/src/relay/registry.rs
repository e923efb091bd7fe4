//! Who is connected, and who hears of which room.
//!
//! Pushes are hints: whatever happens between a look into the store and a place in the registry, a device that knows the
//! heads will ask for what it lacks. So a device is registered first and told the heads afterwards.

mod connected;

use self::connected::Connected;
use super::conn::Conn;
use crate::push::rounds::Seen;
use crate::store::RoomHead;
use bytes::Bytes;
use kith_protocol::error::CloseCode;
use kith_protocol::frame::{Head, PresenceOf, ServerFrame, Typing};
use kith_protocol::ids::{AccountId, DeviceId, RoomId};
use std::collections::BTreeSet;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::Notify;

/// All identified connections of a relay.
#[derive(Debug, Default)]
pub struct Registry {
    connected: Mutex<Connected>,
    /// The last of them has ended.
    emptied: Notify,
}

/// Whether a connection was added.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Added {
    /// It hears of its rooms from now on.
    Yes,
    /// The account has too many.
    Crowded,
    /// Somebody came into or left a room since: look again which rooms it may hear of.
    Stale,
}

impl Registry {
    /// Adds a connection, which from now on hears of these rooms. Another connection of the same device is closed: it is
    /// the one that the network forgot.
    pub fn add(&self, conn: &Arc<Conn>, rooms: Vec<RoomId>, per_account_max: usize) -> bool {
        self.lock().add(conn, rooms, per_account_max)
    }

    /// The same, unless somebody came into or left a room since there were so many [`Registry::moves`]: whoever was removed
    /// between a look into the store and here would hear of the room for as long as they stay.
    pub fn add_at(&self, moves: u64, conn: &Arc<Conn>, rooms: Vec<RoomId>, per_account_max: usize) -> Added {
        let mut connected = self.lock();
        if connected.moves != moves {
            return Added::Stale;
        }
        if connected.add(conn, rooms, per_account_max) { Added::Yes } else { Added::Crowded }
    }

    /// How often somebody came into or left a room.
    pub fn moves(&self) -> u64 {
        self.lock().moves
    }

    /// Removes a connection that has ended.
    pub fn remove(&self, conn: &Arc<Conn>) {
        let mut connected = self.lock();
        let account = conn.identity.account;
        let Some(mine) = connected.accounts.get_mut(&account) else { return };
        mine.conns.retain(|other| other.id != conn.id);
        let (rooms, was_last) = (mine.rooms.clone(), mine.conns.is_empty());
        if let Some(heard) = conn.heard() {
            let last = connected.gone.entry(account).or_insert(heard);
            *last = heard.max(*last);
        }
        if was_last {
            connected.tell_presence(&account);
            connected.accounts.remove(&account);
        }
        for room in rooms {
            connected.leave(&room, |other| other.id == conn.id);
        }
        if connected.accounts.is_empty() {
            self.emptied.notify_waiters();
        }
    }

    /// Waits until nobody is connected.
    pub async fn emptied(&self) {
        loop {
            let emptied = self.emptied.notified();
            if self.lock().accounts.is_empty() {
                return;
            }
            emptied.await;
        }
    }

    /// An account is in a room from now on: its devices hear of it, and are told where it stands.
    pub fn join(&self, account: &AccountId, room: &RoomId, head: RoomHead) {
        let mut connected = self.lock();
        connected.moves += 1;
        let Some(mine) = connected.accounts.get_mut(account) else { return };
        if !mine.rooms.contains(room) {
            mine.rooms.push(*room);
        }
        let mine = mine.conns.clone();
        let frame = heads_frame(&[head_of(room, head)], false);
        let listeners = connected.rooms.entry(*room).or_default();
        for conn in mine {
            if !listeners.iter().any(|other| other.id == conn.id) {
                conn.outbound.answer(frame.clone());
                listeners.push(conn);
            }
        }
    }

    /// An account is no longer in a room: its devices hear nothing more of it.
    pub fn part(&self, account: &AccountId, room: &RoomId) {
        let mut connected = self.lock();
        connected.moves += 1;
        if let Some(mine) = connected.accounts.get_mut(account) {
            mine.rooms.retain(|other| other != room);
        }
        connected.leave(room, |conn| conn.identity.account == *account);
    }

    /// Pushes a frame to all who hear of the room, except one connection. Returns how many got it and how many were too slow.
    pub fn push(&self, room: &RoomId, frame: &Bytes, except: Option<u64>) -> (u64, u64) {
        let connected = self.lock();
        let mut counts = (0, 0);
        for conn in connected.rooms.get(room).into_iter().flatten() {
            if Some(conn.id) == except {
            } else if conn.outbound.push(room, frame) {
                counts.0 += 1;
            } else {
                counts.1 += 1;
            }
        }
        counts
    }

    /// Answers all connections of an account.
    pub fn tell(&self, account: &AccountId, frame: &Bytes, except: Option<u64>) {
        for conn in self.lock().conns_of(account) {
            if Some(conn.id) != except {
                conn.outbound.answer(frame.clone());
            }
        }
    }

    /// Ends the connections of an account, or of one of its devices.
    pub fn close(&self, account: &AccountId, device: Option<&DeviceId>, code: CloseCode) {
        for conn in self.lock().conns_of(account) {
            if device.is_none_or(|device| *device == conn.identity.device) {
                conn.outbound.close(code);
            }
        }
    }

    /// Tells all connections something and, if there is a code, ends them.
    pub fn tell_all(&self, frame: &Bytes, close: Option<CloseCode>) {
        for conn in self.lock().accounts.values().flat_map(|mine| &mine.conns) {
            conn.outbound.answer(frame.clone());
            if let Some(code) = close {
                conn.outbound.close(code);
            }
        }
    }

    /// Tells a room that somebody writes.
    pub fn typing(&self, from: &Conn, room: &RoomId) {
        let connected = self.lock();
        let listeners = connected.rooms.get(room).map_or(&[][..], Vec::as_slice);
        if !listeners.iter().any(|conn| conn.id == from.id) {
            return;
        }
        let account = from.identity.account;
        let frame = ServerFrame::Typing(Typing { room: *room, account }).encode();
        for conn in listeners.iter().filter(|conn| conn.identity.account != account) {
            conn.outbound.mention(&frame);
        }
    }

    /// A connection's person stepped away, or came back.
    pub fn presence(&self, from: &Conn, away: bool) {
        if from.away.swap(away, Ordering::Relaxed) != away {
            self.lock().tell_presence(&from.identity.account);
        }
    }

    /// Who is connected among those who share a room with this account.
    pub fn present(&self, account: &AccountId) -> Vec<PresenceOf> {
        let connected = self.lock();
        let rooms = connected.accounts.get(account).map_or(&[][..], |mine| &mine.rooms);
        let mut people: BTreeSet<AccountId> = rooms
            .iter()
            .flat_map(|room| connected.audience(room))
            .map(|other| other.identity.account)
            .collect();
        people.remove(account);
        people.iter().map(|account| connected.presence_of(account)).collect()
    }

    /// All identified connections, for the operator.
    pub fn all(&self) -> Vec<Arc<Conn>> {
        self.lock().accounts.values().flat_map(|mine| &mine.conns).cloned().collect()
    }

    /// Whether, and when last, somebody was there.
    pub fn seen(&self, account: &AccountId) -> Seen {
        let connected = self.lock();
        let conns = connected.conns_of(account);
        let heard = conns.iter().filter_map(|conn| conn.heard()).max();
        Seen { connected: !conns.is_empty(), heard: heard.max(connected.gone.get(account).copied()) }
    }

    /// How many connections are identified, and of how many accounts.
    pub fn count(&self) -> (usize, usize) {
        let connected = self.lock();
        (connected.accounts.values().map(|mine| mine.conns.len()).sum(), connected.accounts.len())
    }

    fn lock(&self) -> MutexGuard<'_, Connected> {
        self.connected.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Where a room stands, on the wire.
pub fn head_of(room: &RoomId, head: RoomHead) -> Head {
    Head {
        room: *room,
        seq: head.seq,
        hash: head.hash,
        rev: head.rev,
        control_len: head.control_len,
        redacted: head.redacted,
    }
}

/// A frame of heads.
pub fn heads_frame(heads: &[Head], done: bool) -> Bytes {
    ServerFrame::Heads(kith_protocol::frame::Heads { heads: heads.to_vec(), done }).encode()
}

#[cfg(test)]
mod tests {
    use super::connected::PRESENCE_CONNECTIONS_MAX;
    use super::*;
    use crate::relay::conn::Identity;
    use crate::relay::outbound::{Next, Outbound};
    use kith_protocol::frame::Presences;

    const ROOM: RoomId = RoomId([1; 16]);
    const OTHER: RoomId = RoomId([2; 16]);

    fn conn(account: u8, device: u8) -> Arc<Conn> {
        let (account, device) = (AccountId([account; 32]), DeviceId([device; 16]));
        let identity = Identity { account, device, recovery: false, version: 1 };
        Conn::new(identity, Outbound::new(100, 1 << 20))
    }

    fn heard(conn: &Conn) -> Vec<ServerFrame> {
        let frame = |next| match next {
            Next::Frame(bytes) => Some(ServerFrame::decode(&bytes).unwrap()),
            Next::Heads(rooms) => panic!("{rooms:?}"),
            Next::Close(_) => None,
        };
        std::iter::from_fn(|| conn.outbound.next().and_then(frame)).collect()
    }

    fn presence(account: u8, online: bool, away: bool) -> ServerFrame {
        let people = vec![PresenceOf { account: AccountId([account; 32]), online, away }];
        ServerFrame::Presences(Presences { people })
    }

    fn hint() -> Bytes {
        ServerFrame::Unknown(99).encode()
    }

    #[test]
    fn pushes_go_to_who_is_in_the_room_but_not_to_who_wrote() {
        let registry = Registry::default();
        let (laptop, phone, bob, eve) = (conn(1, 1), conn(1, 2), conn(2, 3), conn(3, 4));
        for (conn, room) in [(&laptop, ROOM), (&phone, ROOM), (&bob, ROOM), (&eve, OTHER)] {
            assert!(registry.add(conn, vec![room], 9));
            heard(conn);
        }
        for conn in [&laptop, &phone, &bob] {
            heard(conn);
        }
        assert_eq!(registry.push(&ROOM, &hint(), Some(laptop.id)), (2, 0));
        assert_eq!([&laptop, &phone, &bob, &eve].map(|conn| heard(conn).len()), [0, 1, 1, 0]);
        assert_eq!(registry.push(&RoomId([9; 16]), &hint(), None), (0, 0));
        assert_eq!(registry.count(), (4, 3));
        registry.remove(&phone);
        assert_eq!(registry.push(&ROOM, &hint(), None), (2, 0));
        assert!(heard(&phone).is_empty());
    }

    #[test]
    fn all_devices_of_an_account_come_and_go_with_it() {
        let registry = Registry::default();
        let (laptop, phone) = (conn(1, 1), conn(1, 2));
        assert!(registry.add(&laptop, Vec::new(), 9) && registry.add(&phone, Vec::new(), 9));
        let head = RoomHead { seq: kith_protocol::ids::Seq(3), ..RoomHead::default() };
        registry.join(&AccountId([1; 32]), &ROOM, head);
        for conn in [&laptop, &phone] {
            let frames = heard(conn);
            assert!(matches!(&frames[..], [ServerFrame::Heads(it)] if it.heads == [head_of(&ROOM, head)]));
        }
        registry.join(&AccountId([1; 32]), &ROOM, head);
        assert!(heard(&laptop).is_empty(), "they know");
        assert_eq!(registry.push(&ROOM, &hint(), None), (2, 0));
        registry.part(&AccountId([1; 32]), &ROOM);
        assert_eq!(registry.push(&ROOM, &hint(), None), (0, 0));
        // One that comes later hears of the same rooms and leaves nothing behind.
        registry.join(&AccountId([1; 32]), &OTHER, head);
        let tablet = conn(1, 3);
        assert!(registry.add(&tablet, vec![OTHER], 9));
        for conn in [&laptop, &phone, &tablet] {
            registry.remove(conn);
        }
        assert!(registry.lock().rooms.is_empty() && registry.lock().accounts.is_empty());
    }

    #[test]
    fn who_looked_before_somebody_moved_looks_again() {
        let registry = Registry::default();
        let bob = conn(2, 3);
        let before = registry.moves();
        // Removed from the room between the look and here, by a group that found nobody connected.
        registry.part(&AccountId([2; 32]), &ROOM);
        assert_eq!(registry.add_at(before, &bob, vec![ROOM], 9), Added::Stale);
        assert_eq!(registry.push(&ROOM, &hint(), None), (0, 0));
        assert_eq!(registry.add_at(registry.moves(), &bob, Vec::new(), 9), Added::Yes);
        let more = registry.moves();
        registry.join(&AccountId([2; 32]), &ROOM, RoomHead::default());
        assert_eq!(registry.add_at(more, &conn(2, 4), Vec::new(), 9), Added::Stale);
    }

    #[test]
    fn a_device_replaces_itself_and_is_not_counted_twice() {
        let registry = Registry::default();
        let (first, again, phone) = (conn(1, 1), conn(1, 1), conn(1, 2));
        assert!(registry.add(&first, Vec::new(), 1));
        assert!(registry.add(&again, Vec::new(), 1));
        assert_eq!(first.outbound.closing(), Some(CloseCode::Replaced));
        assert!(!registry.add(&phone, Vec::new(), 1));
        assert_eq!(again.outbound.closing(), None);
        registry.remove(&phone);
        assert_eq!(registry.count(), (2, 1));
    }

    #[test]
    fn presence_is_for_who_shares_a_room() {
        let registry = Registry::default();
        let (laptop, phone, bob, eve) = (conn(1, 1), conn(1, 2), conn(2, 3), conn(3, 4));
        registry.add(&bob, vec![ROOM], 9);
        registry.add(&eve, vec![OTHER], 9);
        registry.add(&laptop, vec![ROOM], 9);
        assert_eq!(heard(&bob), [presence(1, true, false)]);
        registry.add(&phone, vec![ROOM], 9);
        registry.presence(&laptop, true);
        assert_eq!(heard(&bob), [presence(1, true, false)], "the phone is still there");
        registry.presence(&phone, true);
        registry.presence(&phone, true);
        assert_eq!(heard(&bob), [presence(1, true, true)], "said once");
        registry.remove(&laptop);
        assert_eq!(heard(&bob), []);
        registry.remove(&phone);
        assert_eq!(heard(&bob), [presence(1, false, false)]);
        assert_eq!(heard(&eve), []);
        assert_eq!(registry.present(&AccountId([2; 32])), []);
        registry.add(&laptop, vec![ROOM], 9);
        let account = AccountId([1; 32]);
        assert_eq!(registry.present(&AccountId([2; 32])), [PresenceOf { account, online: true, away: true }]);
    }

    #[test]
    fn only_who_is_in_the_room_is_seen_to_write() {
        let registry = Registry::default();
        let (laptop, phone, bob, eve) = (conn(1, 1), conn(1, 2), conn(2, 3), conn(3, 4));
        for (conn, room) in [(&laptop, ROOM), (&phone, ROOM), (&bob, ROOM), (&eve, OTHER)] {
            registry.add(conn, vec![room], 9);
        }
        for conn in [&laptop, &phone, &bob, &eve] {
            heard(conn);
        }
        registry.typing(&eve, &ROOM);
        assert!([&laptop, &phone, &bob].iter().all(|conn| heard(conn).is_empty()));
        registry.typing(&laptop, &ROOM);
        let typing = ServerFrame::Typing(Typing { room: ROOM, account: AccountId([1; 32]) });
        assert_eq!(heard(&bob), [typing]);
        assert!(heard(&phone).is_empty(), "one's own devices need not be told");
    }

    #[test]
    fn an_end_reaches_whom_it_is_for() {
        let registry = Registry::default();
        let (laptop, phone, bob) = (conn(1, 1), conn(1, 2), conn(2, 3));
        assert!([&laptop, &phone, &bob].into_iter().all(|conn| registry.add(conn, Vec::new(), 9)));
        registry.close(&AccountId([1; 32]), Some(&DeviceId([2; 16])), CloseCode::Revoked);
        let closing = || [&laptop, &phone, &bob].map(|conn| conn.outbound.closing());
        assert_eq!(closing(), [None, Some(CloseCode::Revoked), None]);
        registry.close(&AccountId([1; 32]), None, CloseCode::Disabled);
        assert_eq!(closing(), [Some(CloseCode::Disabled), Some(CloseCode::Revoked), None]);
        registry.tell_all(&hint(), Some(CloseCode::Restarting));
        assert_eq!(closing()[2], Some(CloseCode::Restarting));
        assert_eq!(heard(&bob).len(), 1, "they are told when to come back");
    }

    #[test]
    fn in_a_crowd_nobody_hears_who_comes_and_goes() {
        let registry = Registry::default();
        let bob = conn(0, 0);
        registry.add(&bob, vec![ROOM], 9);
        for n in 0..PRESENCE_CONNECTIONS_MAX {
            let account = AccountId([1; 32]);
            let device = DeviceId((n as u128).to_be_bytes());
            let identity = Identity { account, device, recovery: false, version: 1 };
            registry.add(&Conn::new(identity, Outbound::new(9, 99)), vec![ROOM], 9999);
        }
        heard(&bob);
        let late = conn(3, 3);
        registry.add(&late, vec![ROOM], 9);
        assert_eq!(heard(&bob), []);
        assert_eq!(registry.present(&AccountId([3; 32])), []);
    }
}
