//! What the relay answered and pushed: taken in at once, or kept until it can be checked.

use super::engine::Engine;
use super::error::Fault;
use super::ingest::{Missing, Origin};
use super::model::Millis;
use super::requests::{Purpose, Reply, retry_at};
use super::sync::PagePlan;
use kith_protocol::error::ErrorCode;
use kith_protocol::frame::{ClientFrame, Control, Entries, FetchChain, Page, Registers};
use kith_protocol::ids::{AccountId, Rev, RoomId, Seq};
use std::collections::BTreeMap;

/// Something that came, and waits for chains or control entries.
#[derive(Debug)]
pub(crate) struct Parked {
    pub(super) chains: BTreeMap<AccountId, u32>,
    pub(super) control: Option<RoomId>,
    pub(super) tried: Tried,
    pub(super) what: Waiting,
}

/// What was fetched for the sake of this already: if it is still missing, there is none.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Tried {
    pub(crate) chains: bool,
    pub(crate) control: bool,
}

#[derive(Debug)]
pub(crate) enum Waiting {
    Page { page: Page, plan: PagePlan, wanted: Seq },
    Pushed(Entries),
    Registers { registers: Registers, wanted: Rev },
    Control(Control),
}

impl Engine {
    pub(crate) fn on_page(&mut self, now: Millis, page: Page) -> Result<(), Fault> {
        let Some(Purpose::Page { room, plan, wanted }) = self.requests.take(page.req) else { return Ok(()) };
        if page.room != room {
            return Ok(());
        }
        self.take_page(now, page, (plan, wanted), Tried::default())
    }

    fn take_page(
        &mut self,
        now: Millis,
        page: Page,
        (plan, wanted): (PagePlan, Seq),
        tried: Tried,
    ) -> Result<(), Fault> {
        let id = page.room;
        if plan == PagePlan::Probe {
            self.on_probed(&id, &page)?;
            self.free(&id);
            return Ok(());
        }
        let before = self.rooms.get(&id).map(|room| room.row.held());
        let missing = self.take_entries(now, id, page.first, &page.entries, Origin::Page(plan), tried)?;
        if let Some(missing) = missing {
            self.park(missing, id, tried, Waiting::Page { page, plan, wanted });
            return Ok(());
        }
        if let Some(room) = self.rooms.get_mut(&id) {
            // The relay has less than it said: what it said does not count any more. What was heard since the question
            // was asked does.
            let lacking = before == Some(room.row.held()) && room.row.newest() < room.row.head.seq;
            if lacking && room.row.head.seq <= wanted {
                tracing::warn!(room = %id, "the relay has less than its head says");
                room.row.head.seq = room.row.newest();
                room.proof = None;
                room.dirty = true;
            }
        }
        if plan == PagePlan::Older {
            self.answer_older(&id);
        }
        self.free(&id);
        Ok(())
    }

    /// The room's request is answered: whatever it lacks now may be asked for.
    pub(crate) fn free(&mut self, id: &RoomId) {
        if let Some(room) = self.rooms.get_mut(id) {
            room.busy = false;
        }
        self.want(id);
    }

    pub(super) fn answer_older(&mut self, id: &RoomId) {
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
        self.free(&id);
        self.control_tried(&id);
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

    pub(crate) fn on_registers(&mut self, registers: Registers) -> Result<(), Fault> {
        if registers.req == 0 {
            if !self.is_live() {
                return Ok(());
            }
            let rev = registers.values.last().map_or(Rev::ZERO, |value| value.rev);
            let room = self.rooms.entry(registers.room).or_default();
            // Each value has a number of its own: a push may have been dropped before this one, and its head be still to come.
            let follows = rev.0 <= room.row.rev.0 + registers.values.len() as u64;
            let up_to_date = room.row.rev >= room.row.head.rev;
            let in_step = self.sync.heads_done && follows && up_to_date && room.resync.is_none();
            room.row.head.rev = room.row.head.rev.max(rev);
            self.load_fold(&registers.room)?;
            if !in_step {
                self.want(&registers.room);
                return Ok(());
            }
            return self.take_register_page(registers, Rev::ZERO, Tried::default());
        }
        match self.requests.take(registers.req) {
            Some(Purpose::Registers { room, wanted }) if room == registers.room => {
                self.take_register_page(registers, wanted, Tried::default())
            }
            _ => Ok(()),
        }
    }

    fn take_register_page(&mut self, registers: Registers, wanted: Rev, tried: Tried) -> Result<(), Fault> {
        let id = registers.room;
        if let Some(missing) = self.take_registers(&id, &registers.values, tried)? {
            self.park(missing, id, tried, Waiting::Registers { registers, wanted });
            return Ok(());
        }
        if let Some(room) = self.rooms.get_mut(&id) {
            // The newest value carries the room's Rev: an answer without any says that there is no more.
            match registers.values.last() {
                Some(value) => room.row.rev = room.row.rev.max(value.rev),
                None if room.row.head.rev <= wanted => room.row.head.rev = room.row.rev,
                None => {}
            }
            room.dirty = true;
        }
        self.free(&id);
        Ok(())
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
            // Who has never been heard of gets a name before anything of theirs is shown or told.
            if !self.directory.knows(&account) {
                self.ask_unknown([account]);
            }
            let from = self.people.len(&account);
            let req = self.requests.open(Purpose::Chain { account });
            self.transmit(ClientFrame::FetchChain(FetchChain { req, account, from }));
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
                Waiting::Page { page, plan, wanted } => {
                    self.take_page(now, page, (plan, wanted), parked.tried)?;
                }
                Waiting::Pushed(entries) => self.take_pushed(now, entries, parked.tried)?,
                Waiting::Registers { registers, wanted } => {
                    self.take_register_page(registers, wanted, parked.tried)?;
                }
                Waiting::Control(control) => self.take_control(now, control, parked.tried)?,
            }
            // Each has changes of its own; together they might be more than one commit takes.
            self.commit()?;
        }
        Ok(())
    }

    /// A fetch was refused. What was heard since it was asked may still be there for us.
    pub(crate) fn fetch_refused(
        &mut self,
        now: Millis,
        (id, what): (RoomId, Refusal),
        code: ErrorCode,
        retry_in_ms: u64,
    ) -> Result<(), Fault> {
        if code.is_passing() {
            self.sync.hold_until = Some(retry_at(now, retry_in_ms));
            if what == Refusal::Control {
                // What waits for them is asked for again.
                self.sync.parked.retain(|parked| parked.control != Some(id));
            }
        } else if let Some(room) = self.rooms.get_mut(&id) {
            // Not for us any more: nothing to wait for.
            let known = room.control_len();
            let newest = room.row.newest();
            let head = &mut room.row.head;
            match what {
                Refusal::Page(wanted) if head.seq <= wanted => head.seq = newest,
                Refusal::Registers(wanted) if head.rev <= wanted => head.rev = room.row.rev,
                Refusal::Control => head.control_len = head.control_len.min(known),
                Refusal::Page(_) | Refusal::Registers(_) => {}
            }
            if matches!(what, Refusal::Page(_)) {
                room.resync = None;
                room.proof = None;
            }
            room.mark();
        }
        self.free(&id);
        if what == Refusal::Control {
            self.control_tried(&id);
            return self.unpark(now);
        }
        Ok(())
    }

    /// Control entries of a room were asked for: what waited for them is checked with what there is.
    fn control_tried(&mut self, id: &RoomId) {
        for parked in &mut self.sync.parked {
            if parked.control == Some(*id) {
                parked.control = None;
                parked.tried.control = true;
            }
        }
    }
}

/// What is not given to us, and how far it was known to go when it was asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Refusal {
    Page(Seq),
    Control,
    Registers(Rev),
}
