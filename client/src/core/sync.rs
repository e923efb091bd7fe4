//! What is fetched, and when: first screens first, then everything behind them, with a bounded number of requests.

use super::arrivals::Parked;
use super::engine::Engine;
use super::error::{Fault, RequestError};
use super::limits::{FETCHES_MAX, GAP_SMALL, PAGE, SCREEN};
use super::model::Millis;
use super::requests::{Purpose, Reply, Ticket};
use super::rooms::RoomState;
use super::rows::HeadRow;
use super::update::{Progress, Update};
use kith_protocol::frame::{ClientFrame, Fetch, FetchControl, FetchRegisters, Heads, Request};
use kith_protocol::ids::{AccountId, Rev, RoomId, Seq};
use std::collections::{BTreeMap, BTreeSet, VecDeque};

/// What is to be fetched.
#[derive(Debug, Default)]
pub(crate) struct Sync {
    /// All heads were heard.
    pub(super) heads_done: bool,
    /// Rooms of which the newest is missing, in the order in which they are wanted.
    urgent: VecDeque<RoomId>,
    /// Rooms with a gap behind the newest.
    gaps: VecDeque<RoomId>,
    queued: BTreeSet<RoomId>,
    /// What could not be checked yet.
    pub(super) parked: Vec<Parked>,
    pub(super) chains_asked: BTreeSet<AccountId>,
    /// Older pages that somebody waits for.
    pub(super) older: BTreeMap<RoomId, Vec<Ticket>>,
    /// Who waits for all heads, in the order of asking.
    pub(super) heads_asked: VecDeque<Ticket>,
    /// Rooms whose heads were heard.
    heard: BTreeSet<RoomId>,
    pub(super) hold_until: Option<Millis>,
    told: Progress,
}

/// Why a page was asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum PagePlan {
    /// Behind what is held, up to what is held again or the end.
    Forward,
    /// The newest, after a large gap.
    Newest,
    /// Before the oldest that stands behind a gap.
    Older,
    /// What stands where ours may differ.
    Probe,
}

impl Sync {
    /// The connection is gone. Returns who waits for something in vain.
    pub(crate) fn reset(&mut self) -> Vec<Ticket> {
        let before = std::mem::take(self);
        before.older.into_values().flatten().chain(before.heads_asked).collect()
    }

    pub(crate) fn wake(&mut self, now: Millis) {
        if self.hold_until.is_some_and(|until| until <= now) {
            self.hold_until = None;
        }
    }

    pub(crate) fn wake_at(&self) -> Option<Millis> {
        self.hold_until
    }

    /// Whether this room's head was heard.
    pub(crate) fn heard(&self, room: &RoomId) -> bool {
        self.heard.contains(room)
    }

    /// Whether all heads were heard since the connection began.
    pub(crate) fn heads_done(&self) -> bool {
        self.heads_done
    }

    /// Asks for nothing until then.
    pub(crate) fn hold(&mut self, until: Millis) {
        self.hold_until = Some(until);
    }

    fn want(&mut self, room: RoomId, urgent: bool) {
        if self.queued.insert(room) {
            if urgent { self.urgent.push_back(room) } else { self.gaps.push_back(room) }
        }
    }

    fn next(&mut self) -> Option<RoomId> {
        let room = self.urgent.pop_front().or_else(|| self.gaps.pop_front())?;
        self.queued.remove(&room);
        Some(room)
    }
}

impl Engine {
    pub(crate) fn on_heads(&mut self, heads: Heads) {
        if !self.is_live() {
            return;
        }
        let own = RoomId::own(&self.me.account());
        // Read marks come before the rooms that they belong to, so that counts are right at once.
        let (first, rest): (Vec<_>, Vec<_>) = heads.heads.into_iter().partition(|head| head.room == own);
        for head in first.into_iter().chain(rest) {
            self.sync.heard.insert(head.room);
            let known = self.rooms.contains_key(&head.room);
            let room = self.rooms.entry(head.room).or_default();
            let said =
                HeadRow { seq: head.seq, hash: head.hash, rev: head.rev, control_len: head.control_len };
            let initial = !self.sync.heads_done;
            let before = room.row.head;
            // Entries and registers each have a number of their own: news of the one may come with what is old of the other.
            if initial {
                room.row.head = said;
            } else {
                let newer = if said.seq >= before.seq { said } else { before };
                room.row.head = HeadRow { rev: said.rev.max(before.rev), ..newer };
            }
            room.dirty |= room.row.head != before;
            if !known {
                room.row.kind = super::rows::kind_byte(if head.room == own {
                    kith_protocol::room::RoomKind::Own
                } else {
                    kith_protocol::room::RoomKind::Group
                });
            }
            if initial {
                self.compare_head(&head.room);
            }
            self.want(&head.room);
        }
        if heads.done {
            // The first answer of a connection is to nobody's question.
            if std::mem::replace(&mut self.sync.heads_done, true)
                && let Some(ticket) = self.sync.heads_asked.pop_front()
            {
                self.reply(ticket, Ok(Reply::Done));
            }
            self.lost_rooms();
        }
    }

    /// Asks where all rooms stand now.
    pub fn ask_heads(&mut self) -> Result<Ticket, RequestError> {
        if !self.is_live() {
            return Err(RequestError::Offline);
        }
        let ticket = self.requests.ticket();
        self.sync.heads_asked.push_back(ticket);
        // The answer carries no number.
        self.transmit(ClientFrame::FetchHeads(Request { req: 0 }));
        Ok(ticket)
    }

    /// Looks at a room again: whether something has to be fetched.
    pub(crate) fn want(&mut self, id: &RoomId) {
        let urgent = self
            .rooms
            .get(id)
            .is_some_and(|room| room.row.newest() < room.row.head.seq || room.resync.is_some())
            || self.sync.older.contains_key(id);
        self.sync.want(*id, urgent);
    }

    /// Fetches older entries of a room before everything else. The reply is [`Reply::Filled`]; `None` if this device
    /// holds all, or there is no connection.
    pub fn fetch_older(&mut self, now: Millis, id: &RoomId) -> Option<Ticket> {
        if !self.is_live() {
            return None;
        }
        let row = &self.rooms.get(id)?.row;
        if row.tip.is_none() && row.newest() >= row.head.seq {
            return None;
        }
        let ticket = self.requests.ticket();
        self.sync.older.entry(*id).or_default().push(ticket);
        self.sync.urgent.push_front(*id);
        self.act(now, |_| Ok(()));
        Some(ticket)
    }

    /// Sends requests as long as there is room for more.
    pub(crate) fn pump_sync(&mut self, now: Millis) -> Result<(), Fault> {
        if self.sync.hold_until.is_some_and(|until| until > now) {
            return Ok(());
        }
        let under_way = |purpose: &Purpose| {
            matches!(purpose, Purpose::Page { .. } | Purpose::Control { .. } | Purpose::Registers { .. })
        };
        let mut free = FETCHES_MAX.saturating_sub(self.requests.count(under_way) + self.sync.parked.len());
        while free > 0 {
            let Some(id) = self.sync.next() else { break };
            if self.rooms.get(&id).is_some_and(|room| room.busy) {
                continue;
            }
            self.load_fold(&id)?;
            if let Some(frame) = self.next_request(&id)? {
                if let Some(room) = self.rooms.get_mut(&id) {
                    room.busy = true;
                }
                self.transmit(frame);
                free -= 1;
            } else {
                self.answer_older(&id);
            }
        }
        Ok(())
    }

    /// What this room lacks most.
    fn next_request(&mut self, id: &RoomId) -> Result<Option<ClientFrame>, Fault> {
        match self.next_probe(id)? {
            Some(request) => Ok(Some(request)),
            None => Ok(self.next_fetch(id)),
        }
    }

    fn next_fetch(&mut self, id: &RoomId) -> Option<ClientFrame> {
        let own = *id == RoomId::own(&self.me.account());
        let room = self.rooms.get(id)?;
        let (row, head) = (&room.row, room.row.head);
        let known_controls = room.control_len();
        let registers = (row.rev < head.rev && known_controls > 0).then_some(row.rev);
        if own && let Some(after) = registers {
            return Some(self.fetch_registers(*id, after));
        }
        let newest = row.newest();
        if newest < head.seq {
            if head.seq.0 - newest.0 <= GAP_SMALL {
                return Some(self.fetch(*id, PagePlan::Forward, newest, Seq(u64::MAX), PAGE));
            }
            if known_controls < head.control_len {
                return Some(self.fetch_control(*id, known_controls));
            }
            return Some(self.fetch(*id, PagePlan::Newest, newest, Seq(u64::MAX), SCREEN));
        }
        if let Some(after) = registers {
            return Some(self.fetch_registers(*id, after));
        }
        let (from, _) = row.tip?;
        let solid = row.solid;
        if self.sync.older.contains_key(id) {
            return Some(self.fetch(*id, PagePlan::Older, solid, from, SCREEN));
        }
        if !self.sync.urgent.is_empty() {
            self.sync.want(*id, false);
            return None;
        }
        Some(self.fetch(*id, PagePlan::Forward, solid, from, PAGE))
    }

    pub(crate) fn fetch(
        &mut self,
        room: RoomId,
        plan: PagePlan,
        after: Seq,
        before: Seq,
        limit: u32,
    ) -> ClientFrame {
        let wanted = self.rooms.get(&room).map_or(Seq::ZERO, |room| room.row.head.seq);
        let req = self.requests.open(Purpose::Page { room, plan, wanted });
        let newest = plan != PagePlan::Forward;
        ClientFrame::Fetch(Fetch { req, room, after, before, newest, limit })
    }

    fn fetch_control(&mut self, room: RoomId, from: u32) -> ClientFrame {
        let req = self.requests.open(Purpose::Control { room });
        ClientFrame::FetchControl(FetchControl { req, room, from })
    }

    fn fetch_registers(&mut self, room: RoomId, after: Rev) -> ClientFrame {
        let wanted = self.rooms.get(&room).map_or(Rev::ZERO, |room| room.row.head.rev);
        let req = self.requests.open(Purpose::Registers { room, wanted });
        ClientFrame::FetchRegisters(FetchRegisters { req, room, after })
    }

    /// Asks for control entries at once, whatever else is under way.
    pub(crate) fn ask_control(&mut self, room: RoomId) {
        let from = self.rooms.get(&room).map_or(0, RoomState::control_len);
        let frame = self.fetch_control(room, from);
        self.transmit(frame);
    }

    /// How far the log was read. Names are part of it: without them a room cannot be shown, or named by a person.
    pub fn progress(&self) -> Progress {
        let mut progress = Progress { outbox: self.outbox.waiting(), ..Progress::default() };
        for room in self.rooms.values() {
            progress.held += room.row.held();
            progress.known += room.row.held().max(room.row.head.seq.0);
        }
        progress.done = self.sync_done()
            && !self.requests.names_under_way()
            && progress.outbox == 0
            && self.pending.is_empty();
        progress
    }

    /// Whether this device holds all that the relay has.
    pub(crate) fn sync_done(&self) -> bool {
        let whole = |room: &RoomState| {
            let row = &room.row;
            row.tip.is_none()
                && row.newest() >= row.head.seq
                && row.rev >= row.head.rev
                && room.resync.is_none()
        };
        self.is_live()
            && self.sync.heads_done
            && self.sync.parked.is_empty()
            && self.rooms.values().all(whole)
    }

    /// Tells how far it has come, if that is news. Looks at all rooms only while something is under way.
    pub(crate) fn tell_progress(&mut self) {
        let idle = self.sync.queued.is_empty()
            && !self.requests.names_under_way()
            && self.pending.is_empty()
            && self.outbox.waiting() == 0;
        if self.sync.told.done && idle && self.is_live() {
            return;
        }
        let progress = self.progress();
        if progress != self.sync.told {
            self.sync.told = progress;
            self.tell(Update::Progress(progress));
        }
    }
}
