//! Notifications: each entry is decided about once, and what was decided is in the commit of the entry.

use super::engine::Engine;
use super::error::Fault;
use super::model::Millis;
use super::update::Update;
use crate::notify::{
    Arrival, Candidate, CatchUp, CaughtUp, Context, Decision, DoNotDisturb, FLOOR, Privacy, Reason, Record,
    STANDING_MAX, Standing, decide,
};
use crate::store::{Direction, ReadError, Span, Tree, keys};
use crate::timeline::{Content, Verified};
use kith_protocol::ids::{RoomId, Seq};

/// What decisions depend on, and what is on the screen.
#[derive(Debug, Default)]
pub(crate) struct Notices {
    pub(crate) attention: Attention,
    catch_up: CatchUp,
    standing: Standing,
    /// Everything was read on this connection: what comes now is news.
    caught_up: bool,
    /// This device has read everything once.
    first_synced: bool,
    /// What is about to be told has a record that must outlive the process: nobody is notified twice.
    pub(crate) unsure: bool,
}

/// Where the person's attention is, and how much they want to be told.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Attention {
    /// The room that is open in the window that has the focus.
    pub focused: Option<RoomId>,
    /// Whether the person wants quiet.
    pub do_not_disturb: DoNotDisturb,
    /// How much a notification may show.
    pub privacy: Privacy,
}

impl Engine {
    /// Where the person's attention is from now on.
    pub fn set_attention(&mut self, attention: Attention) {
        self.notices.attention = attention;
    }

    /// Why there was a notification of an entry, or none.
    pub fn why_notified(&self, room: &RoomId, seq: Seq) -> Result<Option<Record>, ReadError> {
        let floor = self.record_at(room, FLOOR)?.filter(|floor| floor.covers(seq));
        Ok(self.record_at(room, seq)?.or(floor))
    }

    pub(crate) fn load_notices(&mut self) -> Result<(), ReadError> {
        self.notices.first_synced = self.store.get(Tree::Meta, &keys::meta(FIRST_SYNC))?.is_some();
        self.notices.standing = Standing::default();
        for (id, room) in &self.rooms {
            let span = Span::prefix(keys::room(&id.0)).starting_at(keys::notice(&id.0, room.row.read.0 + 1));
            let floor = self.store.get(Tree::Notices, &keys::notice(&id.0, FLOOR.0))?;
            let floor = floor.map(|value| (keys::notice(&id.0, FLOOR.0), value));
            let records = self.store.range(Tree::Notices, &span, Direction::Forward, STANDING_MAX)?;
            for (key, value) in floor.into_iter().chain(records) {
                if let (Some(seq), Ok(record)) = (keys::place(&key), Record::decode(&value)) {
                    self.notices.standing.add(*id, Seq(seq), &record);
                }
            }
        }
        Ok(())
    }

    /// The account is new: all that comes is news.
    pub(crate) fn nothing_was_before(&mut self) {
        self.notices.first_synced = true;
        self.changes.put(Tree::Meta, keys::meta(FIRST_SYNC), [1]);
    }

    /// The connection is gone: what comes with the next one was missed.
    pub(crate) fn reset_notices(&mut self) {
        self.notices.caught_up = false;
    }

    /// Decides about entries at the end of a room.
    pub(crate) fn notify(&mut self, now: Millis, id: &RoomId, entries: &[Verified]) -> Result<(), Fault> {
        // What was there before this device is covered by one record a room, once all of it is here.
        if !self.notices.first_synced {
            return Ok(());
        }
        let arrival = if self.notices.caught_up { Arrival::Live } else { Arrival::CatchUp };
        for entry in entries {
            if let Content::Redaction(redaction) = &entry.content {
                self.notices.catch_up.redacted(id, redaction.target);
                if let Some(gone) = self.notices.standing.redacted(id, redaction.target) {
                    self.tell(Update::Withdraw(vec![gone]));
                }
            }
            let unread =
                self.rooms.get(id).is_some_and(|room| entry.seq > room.row.read.max(room.row.joined));
            if !unread || entry.account == self.me.account() || !matches!(entry.content, Content::Text(_)) {
                continue;
            }
            let decision = self.decide(now, id, entry, arrival)?;
            self.keep(decision);
        }
        Ok(())
    }

    fn decide(
        &self,
        now: Millis,
        id: &RoomId,
        entry: &Verified,
        arrival: Arrival,
    ) -> Result<Decision, ReadError> {
        let chat = self.title(id);
        let sender = self.person(&entry.account).shown();
        let row = self.rooms.get(id).map(|room| room.row.clone()).unwrap_or_default();
        let context = Context {
            me: self.me.account(),
            now,
            kind: row.room_kind(),
            chat: &chat,
            read_up_to: row.read,
            muted_until: row.muted_until,
            mentions_anyway: row.mentions_anyway,
            focused: self.notices.attention.focused == Some(*id),
            do_not_disturb: self.notices.attention.do_not_disturb,
            privacy: self.notices.attention.privacy,
            arrival,
            earlier: self.record_at(id, entry.seq)?,
            floor: self.record_at(id, FLOOR)?,
        };
        Ok(decide(&context, &Candidate { room: *id, entry, sender: &sender, redacted: false }))
    }

    fn keep(&mut self, decision: Decision) {
        let (room, seq) = (decision.room, decision.seq);
        if decision.reason == Reason::Backlog {
            self.notices.catch_up.add(room, seq);
            return;
        }
        if let Some(record) = &decision.record {
            self.changes.put(Tree::Notices, keys::notice(&room.0, seq.0), record.encode());
            self.notices.standing.add(room, seq, record);
            self.notices.unsure |= decision.notify;
            self.tell(Update::Notification(decision));
        }
    }

    fn record_at(&self, id: &RoomId, seq: Seq) -> Result<Option<Record>, ReadError> {
        // Unreadable: taken for decided.
        let unreadable = Record { at: 0, reason: Reason::Unknown, withdrawn: false };
        let value = self.store.get(Tree::Notices, &keys::notice(&id.0, seq.0))?;
        Ok(value.map(|value| Record::decode(&value).unwrap_or(unreadable)))
    }

    /// Everything up to `seq` was read: what was shown of it goes.
    pub(crate) fn withdraw_notices(&mut self, id: &RoomId, seq: Seq) {
        self.notices.catch_up.read(id, seq);
        let gone = self.notices.standing.read(id, seq);
        if !gone.is_empty() {
            self.tell(Update::Withdraw(gone));
        }
    }

    /// All that the relay has was read: what came together is told together.
    pub(crate) fn caught_up(&mut self, now: Millis) -> Result<(), Fault> {
        if self.notices.caught_up {
            return Ok(());
        }
        self.notices.caught_up = true;
        if !self.notices.first_synced {
            self.notices.first_synced = true;
            self.changes.put(Tree::Meta, keys::meta(FIRST_SYNC), [1]);
            for (id, room) in self.rooms.iter().filter(|(_, room)| room.row.newest() > Seq::ZERO) {
                let record = Record::first_sync(now, room.row.newest());
                self.changes.put(Tree::Notices, keys::notice(&id.0, FLOOR.0), record.encode());
            }
            return Ok(());
        }
        match self.notices.catch_up.finish() {
            CaughtUp::Each(each) => {
                for (room, seq) in each {
                    if let Some(entry) = self.entry_at(&room, seq)? {
                        let decision = self.decide(now, &room, &entry, Arrival::Live)?;
                        self.keep(decision);
                    }
                }
            }
            CaughtUp::Summary(summary) => {
                for (room, record) in summary.records(now) {
                    self.changes.put(Tree::Notices, keys::notice(&room.0, FLOOR.0), record.encode());
                    self.notices.standing.add(room, FLOOR, &record);
                }
                let name = |room: &RoomId| self.title(room);
                let notice = summary.notice(self.notices.attention.privacy, name);
                self.tell(Update::Summary { messages: summary.messages, chats: summary.chats(), notice });
            }
        }
        Ok(())
    }
}

const FIRST_SYNC: &str = "first sync";
