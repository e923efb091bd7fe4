//! What is fetched, and when: first screens first, then everything behind them, with a bounded number of requests.

use super::engine::Engine;
use super::error::{Fault, RequestError};
use super::ingest::{Missing, Origin};
use super::limits::{FETCHES_MAX, GAP_SMALL, PAGE, SCREEN};
use super::model::Millis;
use super::requests::{Purpose, Reply, Ticket, retry_at};
use super::rooms::RoomState;
use super::rows::HeadRow;
use super::update::{Progress, Update};
use kith_protocol::error::ErrorCode;
use kith_protocol::frame::{
    ClientFrame, Control, Entries, Fetch, FetchControl, FetchRegisters, Heads, Page, Registers, Request,
};
use kith_protocol::ids::{AccountId, Rev, RoomId, Seq};
use std::collections::{BTreeMap, BTreeSet, VecDeque};

/// What is to be fetched.
#[derive(Debug, Default)]
pub(crate) struct Sync {
    /// All heads were heard.
    heads_done: bool,
    /// Rooms of which the newest is missing, in the order in which they are wanted.
    urgent: VecDeque<RoomId>,
    /// Rooms with a gap behind the newest.
    gaps: VecDeque<RoomId>,
    queued: BTreeSet<RoomId>,
    /// What could not be checked yet.
    parked: Vec<Parked>,
    chains_asked: BTreeSet<AccountId>,
    /// Older pages that somebody waits for.
    older: BTreeMap<RoomId, Vec<Ticket>>,
    /// Who waits for all heads.
    heads_asked: Vec<Ticket>,
    /// Rooms whose heads were heard.
    heard: BTreeSet<RoomId>,
    hold_until: Option<Millis>,
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

/// Something that came, and waits for chains or control entries.
#[derive(Debug)]
struct Parked {
    chains: BTreeMap<AccountId, u32>,
    control: Option<RoomId>,
    tried: Tried,
    what: Waiting,
}

/// What was fetched for the sake of this already: if it is still missing, there is none.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Tried {
    pub(crate) chains: bool,
    pub(crate) control: bool,
}

#[derive(Debug)]
enum Waiting {
    Page { page: Page, plan: PagePlan },
    Pushed(Entries),
    Registers(Registers),
    Control(Control),
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
    pub(crate) fn on_heads(&mut self, now: Millis, heads: Heads) -> Result<(), Fault> {
        if !self.is_live() {
            return Ok(());
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
            if initial || said.seq >= room.row.head.seq {
                if room.row.head != said {
                    room.row.head = said;
                    room.dirty = true;
                }
                if !known {
                    room.row.kind = super::rows::kind_byte(if head.room == own {
                        kith_protocol::room::RoomKind::Own
                    } else {
                        kith_protocol::room::RoomKind::Group
                    });
                }
            }
            if initial {
                self.compare_head(&head.room);
            }
            self.want(&head.room);
        }
        if heads.done {
            self.sync.heads_done = true;
            for ticket in std::mem::take(&mut self.sync.heads_asked) {
                self.reply(ticket, Ok(Reply::Done));
            }
            self.lost_rooms();
        }
        let _ = now;
        Ok(())
    }

    /// Asks where all rooms stand now.
    pub fn ask_heads(&mut self) -> Result<Ticket, RequestError> {
        if !self.is_live() {
            return Err(RequestError::Offline);
        }
        let ticket = self.requests.ticket();
        self.sync.heads_asked.push(ticket);
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
        let req = self.requests.open(Purpose::Page { room, plan });
        let newest = plan != PagePlan::Forward;
        ClientFrame::Fetch(Fetch { req, room, after, before, newest, limit })
    }

    fn fetch_control(&mut self, room: RoomId, from: u32) -> ClientFrame {
        let req = self.requests.open(Purpose::Control { room });
        ClientFrame::FetchControl(FetchControl { req, room, from })
    }

    fn fetch_registers(&mut self, room: RoomId, after: Rev) -> ClientFrame {
        let req = self.requests.open(Purpose::Registers { room });
        ClientFrame::FetchRegisters(FetchRegisters { req, room, after })
    }

    /// Asks for control entries at once, whatever else is under way.
    pub(crate) fn ask_control(&mut self, room: RoomId) {
        let from = self.rooms.get(&room).map_or(0, RoomState::control_len);
        let frame = self.fetch_control(room, from);
        self.transmit(frame);
    }

    pub(crate) fn on_page(&mut self, now: Millis, page: Page) -> Result<(), Fault> {
        let Some(Purpose::Page { room, plan }) = self.requests.take(page.req) else { return Ok(()) };
        if page.room != room {
            return Ok(());
        }
        self.take_page(now, page, plan, Tried::default())
    }

    fn take_page(&mut self, now: Millis, page: Page, plan: PagePlan, tried: Tried) -> Result<(), Fault> {
        let id = page.room;
        if plan == PagePlan::Probe {
            self.on_probed(&id, &page)?;
            return self.free(&id);
        }
        let before = self.rooms.get(&id).map(|room| room.row.held());
        let missing = self.take_entries(now, id, page.first, &page.entries, Origin::Page(plan), tried)?;
        if let Some(missing) = missing {
            self.park(missing, id, tried, Waiting::Page { page, plan });
            return Ok(());
        }
        if let Some(room) = self.rooms.get_mut(&id) {
            // The relay has less than it said: what it said does not count any more.
            if before == Some(room.row.held()) && room.row.newest() < room.row.head.seq {
                tracing::warn!(room = %id, "the relay has less than its head says");
                room.row.head.seq = room.row.newest();
                room.dirty = true;
            }
        }
        if plan == PagePlan::Older {
            self.answer_older(&id);
        }
        self.free(&id)?;
        Ok(())
    }

    /// The room's request is answered: whatever it lacks now may be asked for.
    pub(crate) fn free(&mut self, id: &RoomId) -> Result<(), Fault> {
        if let Some(room) = self.rooms.get_mut(id) {
            room.busy = false;
        }
        self.want(id);
        Ok(())
    }

    fn answer_older(&mut self, id: &RoomId) {
        for ticket in self.sync.older.remove(id).unwrap_or_default() {
            self.reply(ticket, Ok(Reply::Filled));
        }
    }

    pub(crate) fn on_control(&mut self, now: Millis, control: Control) -> Result<(), Fault> {
        let Some(Purpose::Control { room }) = self.requests.take(control.req) else { return Ok(()) };
        if control.room != room {
            return Ok(());
        }
        self.take_control(now, control, Tried::default())
    }

    fn take_control(&mut self, now: Millis, control: Control, tried: Tried) -> Result<(), Fault> {
        let id = control.room;
        self.load_fold(&id)?;
        if let Some(missing) = self.take_controls(&id, &control.entries, tried)? {
            self.park(missing, id, tried, Waiting::Control(control));
            return Ok(());
        }
        if let Some(room) = self.rooms.get_mut(&id) {
            let known = room.control_len();
            // What does not fold is not waited for.
            if control.entries.is_empty() || !control.more {
                room.row.head.control_len = room.row.head.control_len.min(known);
            }
        }
        self.free(&id)?;
        for parked in &mut self.sync.parked {
            if parked.control == Some(id) {
                parked.control = None;
                parked.tried.control = true;
            }
        }
        self.unpark(now)?;
        self.controls_came(now, &id)
    }

    pub(crate) fn on_pushed(&mut self, now: Millis, entries: Entries) -> Result<(), Fault> {
        if !self.is_live() || entries.entries.is_empty() {
            return Ok(());
        }
        let id = entries.room;
        let last = Seq(entries.first.0 + entries.entries.len() as u64 - 1);
        let room = self.rooms.entry(id).or_default();
        if last > room.row.head.seq {
            room.row.head.raise(last);
            room.dirty = true;
        }
        let follows = entries.first <= room.row.newest().next() && room.resync.is_none();
        if !follows {
            self.want(&id);
            return Ok(());
        }
        self.load_fold(&id)?;
        self.take_pushed(now, entries, Tried::default())
    }

    fn take_pushed(&mut self, now: Millis, entries: Entries, tried: Tried) -> Result<(), Fault> {
        let id = entries.room;
        let missing = self.take_entries(now, id, entries.first, &entries.entries, Origin::Pushed, tried)?;
        match missing {
            Some(missing) => self.park(missing, id, tried, Waiting::Pushed(entries)),
            None => self.want(&id),
        }
        Ok(())
    }

    pub(crate) fn on_registers(&mut self, now: Millis, registers: Registers) -> Result<(), Fault> {
        if registers.req == 0 {
            if !self.is_live() {
                return Ok(());
            }
            let rev = registers.values.last().map_or(Rev::ZERO, |value| value.rev);
            let room = self.rooms.entry(registers.room).or_default();
            // Whoever is told of a dropped push is told by a head, and hears no other before it: so nothing is missing here.
            let in_step = self.sync.heads_done && room.row.rev >= room.row.head.rev && room.resync.is_none();
            room.row.head.rev = room.row.head.rev.max(rev);
            self.load_fold(&registers.room)?;
            if !in_step {
                self.want(&registers.room);
                return Ok(());
            }
            return self.take_register_page(now, registers, Tried::default());
        }
        match self.requests.take(registers.req) {
            Some(Purpose::Registers { room }) if room == registers.room => {
                self.take_register_page(now, registers, Tried::default())
            }
            _ => Ok(()),
        }
    }

    fn take_register_page(&mut self, now: Millis, registers: Registers, tried: Tried) -> Result<(), Fault> {
        let id = registers.room;
        if let Some(missing) = self.take_registers(&id, &registers.values, tried)? {
            self.park(missing, id, tried, Waiting::Registers(registers));
            return Ok(());
        }
        if let Some(room) = self.rooms.get_mut(&id) {
            // The newest value carries the room's Rev: an answer without any says that there is no more.
            match registers.values.last() {
                Some(value) => room.row.rev = room.row.rev.max(value.rev),
                None => room.row.head.rev = room.row.rev,
            }
            room.dirty = true;
        }
        let _ = now;
        self.free(&id)
    }

    fn park(&mut self, missing: Missing, room: RoomId, tried: Tried, what: Waiting) {
        let control = missing.control.then_some(room);
        for account in missing.chains.keys() {
            self.ask_chain(*account);
        }
        if control.is_some() && !self.sync.parked.iter().any(|parked| parked.control == control) {
            self.ask_control(room);
        }
        self.sync.parked.push(Parked { chains: missing.chains, control, tried, what });
    }

    /// Asks for what follows in an account's chain, unless that was done.
    pub(crate) fn ask_chain(&mut self, account: AccountId) {
        if self.sync.chains_asked.insert(account) {
            let from = self.people.len(&account);
            let req = self.requests.open(Purpose::Chain { account });
            self.transmit(ClientFrame::FetchChain(kith_protocol::frame::FetchChain { req, account, from }));
        }
    }

    /// A chain came in part: the rest may be asked for.
    pub(crate) fn forget_asked(&mut self, account: &AccountId) {
        self.sync.chains_asked.remove(account);
    }

    /// All of a chain came that the relay has, or it has none: what waited for it is checked with what there is.
    pub(crate) fn chain_came(&mut self, now: Millis, account: AccountId) -> Result<(), Fault> {
        self.sync.chains_asked.remove(&account);
        for parked in &mut self.sync.parked {
            if parked.chains.remove(&account).is_some() {
                parked.tried.chains |= parked.chains.is_empty();
            }
        }
        self.unpark(now)
    }

    fn unpark(&mut self, now: Millis) -> Result<(), Fault> {
        let (ready, waiting): (Vec<_>, Vec<_>) = std::mem::take(&mut self.sync.parked)
            .into_iter()
            .partition(|parked| parked.chains.is_empty() && parked.control.is_none());
        self.sync.parked = waiting;
        for parked in ready {
            match parked.what {
                Waiting::Page { page, plan } => self.take_page(now, page, plan, parked.tried)?,
                Waiting::Pushed(entries) => self.take_pushed(now, entries, parked.tried)?,
                Waiting::Registers(registers) => self.take_register_page(now, registers, parked.tried)?,
                Waiting::Control(control) => self.take_control(now, control, parked.tried)?,
            }
            // Each has changes of its own; together they might be more than one commit takes.
            self.commit()?;
        }
        Ok(())
    }

    /// A fetch was refused.
    pub(crate) fn fetch_refused(
        &mut self,
        now: Millis,
        room: RoomId,
        code: ErrorCode,
        retry_in_ms: u64,
    ) -> Result<(), Fault> {
        if code.is_passing() {
            self.sync.hold_until = Some(retry_at(now, retry_in_ms));
        } else if let Some(room) = self.rooms.get_mut(&room) {
            // Not for us any more: nothing to wait for.
            room.row.head.seq = room.row.newest();
            room.row.head.rev = room.row.rev;
            room.row.head.control_len =
                room.row.head.control_len.min(room.fold.as_ref().map_or(0, |f| f.room.control_len()));
            room.resync = None;
            room.mark();
        }
        self.free(&room)
    }

    /// How far the log was read.
    pub fn progress(&self) -> Progress {
        let mut progress = Progress { outbox: self.outbox.waiting(), ..Progress::default() };
        for room in self.rooms.values() {
            progress.held += room.row.held();
            progress.known += room.row.held().max(room.row.head.seq.0);
        }
        progress.done = self.sync_done() && progress.outbox == 0 && self.pending.is_empty();
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
        let idle = self.sync.queued.is_empty() && self.pending.is_empty() && self.outbox.waiting() == 0;
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
