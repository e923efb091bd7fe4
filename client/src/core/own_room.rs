//! What this person's devices share: read marks, drafts, wishes about rooms, settings of the app.

use super::engine::Engine;
use super::error::{Fault, SendError};
use super::model::{Millis, RoomWish};
use super::register_in::read_value;
use super::rows::RoomRow;
use super::update::Update;
use crate::store::{Direction, ReadError, Span, Tree, keys};
use crate::timeline::{Verified, recount};
use kith_protocol::event::{AppSetting, Draft, ReadUpTo, RoomSettings, Setting, Words};
use kith_protocol::ids::{AccountId, RoomId, Seq};
use kith_protocol::limits::REGISTER_BYTES_MAX;
use kith_protocol::room::RoomKind;

impl Engine {
    /// Everything up to `seq` was read here: on this person's other devices too, and the others in the room are told.
    pub fn mark_read(&mut self, now: Millis, id: &RoomId, seq: Seq) -> Result<(), SendError> {
        let row = &self.rooms.get(id).ok_or(SendError::NoRoom)?.row;
        let seq = seq.min(row.newest());
        if seq <= row.read {
            return Ok(());
        }
        let (own, tell_others) = (self.own_room(), row.own_role().is_some() && *id != self.own_room());
        let mut outcome = Ok(());
        let stored = self.act(now, |engine| {
            let up_to = ReadUpTo { room: *id, seq };
            outcome = engine.set_register(now, own, &Setting::ReadMark(up_to.clone()));
            if tell_others && outcome.is_ok() {
                outcome = engine.set_register(now, *id, &Setting::Receipt(up_to));
            }
            engine.read_up_to(id, seq)?;
            Ok(())
        });
        outcome?;
        if stored { Ok(()) } else { Err(SendError::NotStored) }
    }

    /// What is being written in a room and was not sent; empty: nothing. On disk when this returns.
    pub fn set_draft(&mut self, now: Millis, id: &RoomId, text: &str) -> Result<(), SendError> {
        let room = self.rooms.get(id).ok_or(SendError::NoRoom)?;
        if text.len() + 256 > REGISTER_BYTES_MAX {
            return Err(SendError::TooLong { bytes: text.len(), max: REGISTER_BYTES_MAX - 256 });
        }
        if room.row.draft == text {
            return Ok(());
        }
        let setting = Setting::Draft(Draft { room: *id, text: text.to_owned(), reply_to: None });
        self.wish(now, &setting)
    }

    /// How this person wants a room to be, on all devices.
    pub fn set_room_wish(&mut self, now: Millis, id: &RoomId, wish: RoomWish) -> Result<(), SendError> {
        if !self.rooms.contains_key(id) {
            return Err(SendError::NoRoom);
        }
        let RoomWish { muted_until, mentions_anyway, pinned } = wish;
        self.wish(
            now,
            &Setting::RoomSettings(RoomSettings { room: *id, muted_until, mentions_anyway, pinned }),
        )
    }

    /// A setting of the app, the same on all devices of this person.
    pub fn set_setting(&mut self, now: Millis, name: &str, value: &str) -> Result<(), SendError> {
        let bytes = name.len() + value.len();
        if bytes + 256 > REGISTER_BYTES_MAX {
            return Err(SendError::TooLong { bytes, max: REGISTER_BYTES_MAX - 256 });
        }
        self.wish(now, &Setting::App(AppSetting { name: name.to_owned(), value: value.to_owned() }))
    }

    /// A setting of the app, as it was set last on any device.
    pub fn setting(&self, name: &str) -> Result<Option<String>, ReadError> {
        let setting = Setting::App(AppSetting { name: name.to_owned(), value: String::new() });
        let waits = self
            .pending
            .settings()
            .into_iter()
            .map(|(_, waits)| waits)
            .find(|waits| waits.key() == setting.key());
        let stored = self.stored_register(&self.own_room(), &self.me.account(), &setting.key().0)?;
        Ok(match waits.or(stored.map(|value| value.setting)) {
            Some(Setting::App(setting)) => Some(setting.value),
            _ => None,
        })
    }

    fn wish(&mut self, now: Millis, setting: &Setting) -> Result<(), SendError> {
        let own = self.own_room();
        let mut outcome = Ok(());
        self.act(now, |engine| {
            outcome = engine.set_register(now, own, setting);
            if outcome.is_ok() {
                engine.apply_own(setting)?;
            }
            Ok(())
        });
        Ok(outcome?)
    }

    /// The room whose members are just this account's devices.
    pub fn own_room(&self) -> RoomId {
        RoomId::own(&self.me.account())
    }

    /// Takes in what one of this person's devices has set.
    pub(crate) fn apply_own(&mut self, setting: &Setting) -> Result<(), Fault> {
        match setting {
            Setting::ReadMark(mark) => self.read_up_to(&mark.room, mark.seq)?,
            Setting::Draft(draft) => self.change_row(&draft.room, |row| row.draft.clone_from(&draft.text)),
            Setting::RoomSettings(wish) => self.change_row(&wish.room, |row| {
                row.muted_until = wish.muted_until;
                row.mentions_anyway = wish.mentions_anyway;
                row.pinned = wish.pinned;
            }),
            Setting::App(setting) => {
                self.tell(Update::Setting { name: setting.name.clone(), value: setting.value.clone() });
                self.announcement_put_away(&setting.name);
            }
            _ => {}
        }
        Ok(())
    }

    /// A read mark moves on; never back.
    fn read_up_to(&mut self, id: &RoomId, seq: Seq) -> Result<(), Fault> {
        let Some(room) = self.rooms.get_mut(id) else {
            // The room itself is not here yet: its mark is found when it comes.
            return Ok(());
        };
        if seq <= room.row.read {
            return Ok(());
        }
        room.row.read = seq;
        room.mark();
        self.recount(id)?;
        self.withdraw_notices(id, seq);
        Ok(())
    }

    /// Counts what waits to be read anew.
    pub(crate) fn recount(&mut self, id: &RoomId) -> Result<(), ReadError> {
        let Some(row) = self.rooms.get(id).map(|room| room.row.clone()) else { return Ok(()) };
        let from = row.read.max(row.joined).next();
        let mut entries: Vec<Verified> = Vec::new();
        if from <= row.newest() {
            let span = Span::between(keys::entry(&id.0, from.0), keys::entry(&id.0, row.newest().0 + 1));
            for (key, value) in self.store.range(Tree::Entries, &span, Direction::Forward, usize::MAX)? {
                let Some(seq) = keys::place(&key).map(Seq).filter(|seq| row.holds(*seq)) else { continue };
                entries.push(self.verified(id, seq, value)?);
            }
        }
        let counts = recount(&self.me.account(), from.0.checked_sub(1).map_or(Seq::ZERO, Seq), &entries);
        if let Some(room) = self.rooms.get_mut(id)
            && (room.row.unread, room.row.mentions) != (counts.unread, counts.mentions)
        {
            room.row.unread = counts.unread;
            room.row.mentions = counts.mentions;
            room.mark();
        }
        Ok(())
    }

    /// What the own room says about a room that has just become known.
    pub(crate) fn apply_own_to(&mut self, id: &RoomId) -> Result<(), Fault> {
        let settings = [
            Setting::ReadMark(ReadUpTo { room: *id, seq: Seq::ZERO }),
            Setting::Draft(Draft { room: *id, text: String::new(), reply_to: None }),
            Setting::RoomSettings(RoomSettings {
                room: *id,
                muted_until: 0,
                mentions_anyway: false,
                pinned: false,
            }),
        ];
        let (own, me) = (self.own_room(), self.me.account());
        for setting in settings {
            if let Some(value) = self.stored_register(&own, &me, &setting.key().0)? {
                self.apply_own(&value.setting)?;
            }
        }
        Ok(())
    }

    /// What is set and shown follows from what stands and what waits. The rows may be behind: where a value of ours has come
    /// to its end, a crash may have taken what it led to.
    pub(crate) fn restore_own(&mut self) -> Result<(), ReadError> {
        let (own, me) = (self.own_room(), self.me.account());
        let stand = Span::prefix(keys::owner(&own.0, &me.0));
        for (_, value) in self.store.range(Tree::Registers, &stand, Direction::Forward, usize::MAX)? {
            if let Some(value) = read_value(value) {
                self.restore_setting(&own, value.setting);
            }
        }
        let words = Words { text: String::new() };
        let words = [Setting::RoomName(words.clone()), Setting::RoomTopic(words)];
        let groups = self.rooms.iter().filter(|(_, room)| room.row.room_kind() == RoomKind::Group);
        for id in groups.map(|(id, _)| *id).collect::<Vec<_>>() {
            for setting in &words {
                if let Some(value) = self.stored_register(&id, &AccountId::ZERO, &setting.key().0)? {
                    self.restore_setting(&id, value.setting);
                }
            }
        }
        for (id, setting) in self.pending.settings() {
            self.restore_setting(&id, setting);
        }
        Ok(())
    }

    fn restore_setting(&mut self, id: &RoomId, setting: Setting) {
        match setting {
            Setting::Draft(draft) => self.change_row(&draft.room, |row| row.draft = draft.text),
            Setting::RoomSettings(wish) => self.change_row(&wish.room, |row| {
                row.muted_until = wish.muted_until;
                row.mentions_anyway = wish.mentions_anyway;
                row.pinned = wish.pinned;
            }),
            Setting::RoomName(words) => self.change_row(id, |row| row.name = words.text),
            Setting::RoomTopic(words) => self.change_row(id, |row| row.topic = words.text),
            _ => {}
        }
    }

    pub(crate) fn change_row(&mut self, id: &RoomId, change: impl FnOnce(&mut RoomRow)) {
        if let Some(room) = self.rooms.get_mut(id) {
            let before = room.row.clone();
            change(&mut room.row);
            if room.row != before {
                room.mark();
            }
        }
    }
}
