//! What a person does with messages. Everything is on disk when a command returns.

use super::engine::Engine;
use super::error::SendError;
use super::limits::SEARCH_MAX;
use super::model::{Millis, Outgoing};
use super::outbox::What;
use crate::store::{Direction, ReadError, Span, Tree, keys};
use crate::timeline::{Timeline, Verified};
use kith_protocol::event::{Edit, Event, Reaction, Reply, Setting, Target, Text, Words};
use kith_protocol::ids::{AccountId, RoomId, Seq, TxnId};
use kith_protocol::limits::{BODY_BYTES_MAX, REGISTER_BYTES_MAX};
use kith_protocol::room::RoomKind;

impl Engine {
    /// Puts a text into the outbox.
    pub fn send(&mut self, now: Millis, room: &RoomId, text: Outgoing) -> Result<TxnId, SendError> {
        self.check_writable(room)?;
        if text.text.trim().is_empty() {
            return Err(SendError::Empty);
        }
        let reply_to = match text.reply_to {
            None => None,
            Some(target) => {
                let seq = self.find(room, &target)?.map_or(Seq::ZERO, |entry| entry.seq);
                Some(Reply { target, seq })
            }
        };
        let event = Event::Text(Text { reply_to, mentions: text.mentions, ..Text::plain(text.text) });
        self.enqueue_event(now, room, &event)
    }

    /// Puts another text in the place of an earlier one of this account's.
    pub fn edit(
        &mut self,
        now: Millis,
        room: &RoomId,
        target: Target,
        text: &str,
    ) -> Result<TxnId, SendError> {
        self.check_writable(room)?;
        if text.trim().is_empty() {
            return Err(SendError::Empty);
        }
        let author = self.author_of(room, &target)?.ok_or(SendError::NoMessage)?;
        if author != self.me.account() {
            return Err(SendError::Denied);
        }
        let event = Event::Edit(Edit { target, text: text.to_owned(), mentions: Vec::new() });
        self.enqueue_event(now, room, &event)
    }

    /// Takes a message away, with its edits. One that never left this device is just forgotten.
    pub fn redact(&mut self, now: Millis, room: &RoomId, target: Target) -> Result<TxnId, SendError> {
        let author = self.author_of(room, &target)?.ok_or(SendError::NoMessage)?;
        if author == self.me.account() && self.discard(now, &target.txn)? {
            return Ok(target.txn);
        }
        self.load_fold(room)?;
        let fold = self.rooms.get(room).and_then(|room| room.fold.as_ref());
        if fold.is_some_and(|fold| !fold.room.may_redact(&self.me.account(), &author)) {
            return Err(SendError::Denied);
        }
        let mut removals = Vec::new();
        if let Some(entry) = self.find(room, &target)? {
            let mut timeline = Timeline::new();
            self.load_stretch(room, entry.seq, entry.seq, &mut timeline)?;
            removals = timeline.removal_of(&target);
        }
        if removals.is_empty() {
            return self.enqueue(now, *room, What::Redaction { target, at: None, edit_of: None });
        }
        let mut of_text = None;
        for removal in removals {
            let id = self.entry_at(room, removal.seq)?.map_or(target, |entry| entry.id());
            let at = Some((removal.seq, removal.digest));
            let txn =
                self.enqueue(now, *room, What::Redaction { target: id, at, edit_of: removal.edit_of })?;
            if removal.edit_of.is_none() || of_text.is_none() {
                of_text = Some(txn);
            }
        }
        of_text.ok_or(SendError::NoMessage)
    }

    /// Chooses an emoji for a message, or takes it back.
    pub fn react(
        &mut self,
        now: Millis,
        room: &RoomId,
        target: Target,
        emoji: &str,
        on: bool,
    ) -> Result<(), SendError> {
        self.check_writable(room)?;
        self.author_of(room, &target)?.ok_or(SendError::NoMessage)?;
        let reaction = Reaction { target, emoji: emoji.to_owned(), on };
        let me = self.me.account();
        let mut outcome = Ok(());
        self.act(now, |engine| {
            outcome = engine.set_register(now, *room, &Setting::Reaction(reaction.clone()));
            if outcome.is_ok() {
                engine.change_live(room, |timeline| timeline.echo_reaction(me, &reaction));
            }
            Ok(())
        });
        Ok(outcome?)
    }

    /// Gives a group another name.
    pub fn rename(&mut self, now: Millis, room: &RoomId, name: &str) -> Result<(), SendError> {
        self.set_words(now, room, name, Setting::RoomName)
    }

    /// Gives a group another topic.
    pub fn set_topic(&mut self, now: Millis, room: &RoomId, topic: &str) -> Result<(), SendError> {
        self.set_words(now, room, topic, Setting::RoomTopic)
    }

    fn set_words(
        &mut self,
        now: Millis,
        id: &RoomId,
        text: &str,
        setting: impl FnOnce(Words) -> Setting,
    ) -> Result<(), SendError> {
        self.load_fold(id)?;
        let room = self.rooms.get(id).ok_or(SendError::NoRoom)?;
        if text.len() + 256 > REGISTER_BYTES_MAX {
            return Err(SendError::TooLong { bytes: text.len(), max: REGISTER_BYTES_MAX - 256 });
        }
        let fold = room.fold.as_ref().ok_or(SendError::NoRoom)?;
        if !fold.room.may_rename(&self.me.account()) {
            return Err(SendError::Denied);
        }
        let setting = setting(Words { text: text.to_owned() });
        let mut outcome = Ok(());
        self.act(now, |engine| {
            outcome = engine.set_register(now, *id, &setting);
            if outcome.is_ok() {
                engine.change_row(id, |row| match &setting {
                    Setting::RoomTopic(words) => row.topic.clone_from(&words.text),
                    Setting::RoomName(words) => row.name.clone_from(&words.text),
                    _ => {}
                });
            }
            Ok(())
        });
        Ok(outcome?)
    }

    fn enqueue_event(&mut self, now: Millis, room: &RoomId, event: &Event) -> Result<TxnId, SendError> {
        let body = event.encode();
        if body.len() > BODY_BYTES_MAX {
            return Err(SendError::TooLong { bytes: body.len(), max: BODY_BYTES_MAX });
        }
        self.enqueue(now, *room, What::Event(body.to_vec()))
    }

    fn check_writable(&self, id: &RoomId) -> Result<(), SendError> {
        let row = &self.rooms.get(id).ok_or(SendError::NoRoom)?.row;
        if row.needs_update {
            return Err(SendError::NeedsUpdate);
        }
        // A room of which nothing is known but its name may turn out to be ours.
        let unknown = row.members == 0 && row.room_kind() != RoomKind::Direct;
        if row.writable || unknown { Ok(()) } else { Err(SendError::Denied) }
    }

    /// Who wrote a message, be it stored or waiting.
    fn author_of(&self, room: &RoomId, target: &Target) -> Result<Option<AccountId>, ReadError> {
        if target.device == self.me.device() && self.outbox.state(&target.txn).is_some() {
            return Ok(Some(self.me.account()));
        }
        Ok(self.find(room, target)?.map(|entry| entry.account))
    }

    /// The entry of this name: most are near the end.
    pub(crate) fn find(&self, id: &RoomId, target: &Target) -> Result<Option<Verified>, ReadError> {
        if let Some(seq) =
            self.live.get(id).and_then(|timeline| timeline.get(target)).and_then(|line| line.seq)
        {
            let entry = self.entry_at(id, seq)?.filter(|entry| entry.id() == *target);
            if entry.is_some() {
                return Ok(entry);
            }
        }
        if target.device == self.me.device()
            && let Some(seq) = self.outbox.acked(&target.txn)
        {
            let entry = self.entry_at(id, seq)?.filter(|entry| entry.id() == *target);
            if entry.is_some() {
                return Ok(entry);
            }
        }
        let Some(row) = self.rooms.get(id).map(|room| &room.row) else { return Ok(None) };
        let mut to = row.newest().0 + 1;
        let mut looked = 0;
        while to > 1 && looked < SEARCH_MAX {
            let from = to.saturating_sub(SEARCH_STEP).max(1);
            let span = Span::between(keys::entry(&id.0, from), keys::entry(&id.0, to));
            for (key, value) in self.store.range(Tree::Entries, &span, Direction::Backward, usize::MAX)? {
                let Some(seq) = keys::place(&key).map(Seq) else { continue };
                let entry = self.verified(id, seq, value)?;
                if entry.id() == *target {
                    return Ok(Some(entry));
                }
                looked += 1;
            }
            to = from;
        }
        Ok(None)
    }
}

/// Entries looked at together when a message is searched by its name.
const SEARCH_STEP: u64 = 256;
