//! What is shown: read from the store when it is asked for, never kept for a whole room.

use super::engine::Engine;
use super::error::ReadFailed;
use super::limits::SCREEN;
use super::model::{DeviceOf, Me, MemberOf, Person, RoomSummary};
use super::register_in::read_value;
use super::rows::{self, read_entry_value};
use crate::store::{Direction, ReadError, Span, Tree, keys};
use crate::timeline::{Content, Message, RegisterValue, Relation, Timeline, Verified};
use kith_protocol::entry::Entry;
use kith_protocol::event::{ReadUpTo, Setting, Target};
use kith_protocol::ids::{AccountId, RoomId, Seq};
use kith_protocol::room::RoomKind;
use std::cmp::Reverse;

/// Members of whom receipts are shown: in a larger room nobody reads them.
const RECEIPTS_MAX: usize = 200;

impl Engine {
    /// Who this is.
    pub fn me(&self) -> Me {
        Me {
            person: self.person(&self.me.account()),
            device: self.me.device(),
            device_name: self.me.device_name().to_owned(),
            relay: self.me.relay().address.clone(),
            admin: self.profile.admin,
        }
    }

    /// All rooms, sorted for a list. The own room is among them once something was written there.
    pub fn rooms(&self) -> Result<Vec<RoomSummary>, ReadFailed> {
        let mut rooms = Vec::with_capacity(self.rooms.len());
        for id in self.rooms.keys() {
            rooms.extend(self.room(id)?);
        }
        rooms.sort_by_key(|room| (Reverse(room.pinned), Reverse(room.active_at), room.id));
        Ok(rooms)
    }

    /// One room.
    pub fn room(&self, id: &RoomId) -> Result<Option<RoomSummary>, ReadFailed> {
        let Some(room) = self.rooms.get(id) else { return Ok(None) };
        let row = &room.row;
        let last = match row.last {
            Seq::ZERO => None,
            last => {
                let mut timeline = Timeline::new();
                self.load_stretch(id, last, last, &mut timeline)?;
                timeline.messages().next_back().cloned()
            }
        };
        let queued = self.outbox.newest_in(id);
        Ok(Some(RoomSummary {
            id: *id,
            kind: row.room_kind(),
            title: self.title(id),
            topic: row.topic.clone(),
            partner: row.partner.map(|partner| self.person(&partner)),
            members: row.members as usize,
            role: row.own_role(),
            writable: row.writable,
            needs_update: row.needs_update,
            unread: row.unread,
            mentions: row.mentions,
            read_up_to: row.read,
            newest: row.newest(),
            complete: row.tip.is_none() && row.newest() >= row.head.seq,
            last,
            active_at: row.active_at.max(queued.unwrap_or(0)),
            draft: row.draft.clone(),
            muted_until: row.muted_until,
            mentions_anyway: row.mentions_anyway,
            pinned: row.pinned,
        }))
    }

    /// The name of a room, as it is shown.
    pub(crate) fn title(&self, id: &RoomId) -> String {
        let Some(room) = self.rooms.get(id) else { return String::new() };
        let row = &room.row;
        match (row.room_kind(), row.partner) {
            (RoomKind::Own, _) => "Notes to self".to_owned(),
            (RoomKind::Direct, Some(partner)) => self.person(&partner).shown(),
            _ if !row.name.is_empty() => row.name.clone(),
            _ => format!("Group {}", &id.to_string()[..6]),
        }
    }

    /// The newest lines of a room, or those before `before`, from the oldest to the newest. The first call for a room makes
    /// it one of those whose changes are told step by step.
    ///
    /// Ends early where this device does not hold what comes before: see [`Self::fetch_older`].
    pub fn history(
        &mut self,
        id: &RoomId,
        before: Option<Seq>,
        limit: usize,
    ) -> Result<Vec<Message>, ReadFailed> {
        if !self.rooms.contains_key(id) {
            return Err(ReadFailed::NoRoom);
        }
        let Some(before) = before else {
            let timeline = self.load_timeline(id, limit)?;
            let messages: Vec<Message> = timeline.messages().cloned().collect();
            self.live.put(*id, timeline);
            return Ok(messages);
        };
        let mut page = Timeline::new();
        let from = self.load_back(id, before, limit, &mut page)?;
        let mut messages: Vec<Message> = page.messages().cloned().collect();
        messages.drain(..messages.len().saturating_sub(limit));
        // Whoever asks for a page shows it; only later changes to it are told.
        if let (Some(from), Some(mut timeline)) = (from, self.live.take(id)) {
            if timeline.first_seq().is_some_and(|first| first == before) {
                let first = messages.first().and_then(|line| line.seq).unwrap_or(from);
                self.load_stretch(id, first, Seq(before.0 - 1), &mut timeline)?;
            }
            self.live.put(*id, timeline);
        }
        Ok(messages)
    }

    /// The lines behind `after`, from the oldest to the newest, as far as this device holds them without a gap.
    pub fn history_after(&self, id: &RoomId, after: Seq, limit: usize) -> Result<Vec<Message>, ReadFailed> {
        let Some(room) = self.rooms.get(id) else { return Err(ReadFailed::NoRoom) };
        let row = &room.row;
        let mut page = Timeline::new();
        let mut from = after.next();
        while page.messages().len() < limit && row.holds(from) {
            let end = match row.tip {
                Some((tip, to)) if from >= tip => to,
                _ => row.solid,
            };
            let to = Seq(end.0.min(from.0 + limit as u64 - 1));
            self.load_stretch(id, from, to, &mut page)?;
            from = to.next();
        }
        Ok(page.messages().take(limit).cloned().collect())
    }

    /// The newest lines with what waits to be sent.
    pub(crate) fn load_timeline(&self, id: &RoomId, limit: usize) -> Result<Timeline, ReadError> {
        let mut timeline = Timeline::new();
        self.load_back(id, Seq(u64::MAX), limit, &mut timeline)?;
        let surplus = timeline.messages().len().saturating_sub(limit);
        let first = timeline.messages().nth(surplus).and_then(|line| line.seq);
        if let Some(first) = first.filter(|_| surplus > 0) {
            let _ = timeline.drop_before(first);
        }
        for echo in self.outbox.echoes(id, &self.me) {
            let _ = timeline.echo(echo);
        }
        for reaction in self.pending.reactions(id) {
            let _ = timeline.echo_reaction(self.me.account(), &reaction);
        }
        let receipt = Setting::Receipt(ReadUpTo { room: *id, seq: Seq::ZERO }).key();
        let members = self.rooms.get(id).and_then(|room| room.fold.as_ref()).map(|fold| fold.room.members());
        for (account, _) in members.into_iter().flatten().take(RECEIPTS_MAX) {
            if let Some(value) = self.stored_register(id, account, &receipt.0)? {
                let _ = timeline.apply_register(&value);
            }
        }
        Ok(timeline)
    }

    /// Puts entries before `before` into a timeline until it has `limit` lines. Returns the oldest that was read.
    fn load_back(
        &self,
        id: &RoomId,
        before: Seq,
        limit: usize,
        timeline: &mut Timeline,
    ) -> Result<Option<Seq>, ReadError> {
        let Some(row) = self.rooms.get(id).map(|room| &room.row) else { return Ok(None) };
        let mut oldest = None;
        let mut to = row.newest().0.min(before.0.saturating_sub(1));
        while to > 0 && row.holds(Seq(to)) && timeline.messages().len() < limit {
            let low = if to <= row.solid.0 { 1 } else { row.tip.map_or(1, |(from, _)| from.0) };
            let from = low.max((to + 1).saturating_sub(limit.max(SCREEN as usize) as u64));
            self.load_stretch(id, Seq(from), Seq(to), timeline)?;
            oldest = Some(Seq(from));
            to = from - 1;
        }
        Ok(oldest)
    }

    /// Puts the entries `from..=to` into a timeline, with all that changes them.
    pub(crate) fn load_stretch(
        &self,
        id: &RoomId,
        from: Seq,
        to: Seq,
        timeline: &mut Timeline,
    ) -> Result<(), ReadError> {
        let span = Span::between(keys::entry(&id.0, from.0), keys::entry(&id.0, to.0.saturating_add(1)));
        let mut entries = Vec::new();
        let mut related = Vec::new();
        for (key, value) in self.store.range(Tree::Entries, &span, Direction::Forward, usize::MAX)? {
            let Some(seq) = keys::place(&key).map(Seq) else { continue };
            let entry = self.verified(id, seq, value)?;
            if matches!(entry.content, Content::Text(_) | Content::Redacted | Content::Unknown) {
                self.relations(&Relation::edits_of(id, &entry.id()), &mut related)?;
                self.relations(&Relation::reactions_to(id, &entry.id()), &mut related)?;
                self.relations(&Relation::redactions_of(id, seq), &mut related)?;
            }
            entries.push(entry);
        }
        let mut registers = Vec::new();
        while let Some(relation) = related.pop() {
            let seq = match &relation {
                Relation::Edit { seq, .. } => {
                    self.relations(&Relation::redactions_of(id, *seq), &mut related)?;
                    *seq
                }
                Relation::Redaction { seq, .. } => *seq,
                Relation::Reaction { .. } => {
                    registers.extend(relation.register());
                    continue;
                }
            };
            if seq < from || seq > to {
                entries.extend(self.entry_at(id, seq)?);
            }
        }
        let _ = timeline.insert_all(entries);
        for value in &registers {
            let _ = timeline.apply_register(value);
        }
        Ok(())
    }

    fn relations(&self, prefix: &[u8], into: &mut Vec<Relation>) -> Result<(), ReadError> {
        let skip = rows::relation_key(&[]).len();
        let span = Span::prefix(rows::relation_key(prefix));
        for (key, value) in self.store.range(Tree::Local, &span, Direction::Forward, usize::MAX)? {
            into.extend(Relation::decode(key.get(skip..).unwrap_or_default(), &value).ok());
        }
        Ok(())
    }

    /// An entry that is held, after its checks.
    pub(crate) fn entry_at(&self, id: &RoomId, seq: Seq) -> Result<Option<Verified>, ReadError> {
        let key = keys::entry(&id.0, seq.0);
        let value = rows::read(&*self.store, &self.changes, Tree::Entries, &key)?;
        value.map(|value| self.verified(id, seq, value)).transpose()
    }

    pub(crate) fn verified(&self, id: &RoomId, seq: Seq, value: Vec<u8>) -> Result<Verified, ReadError> {
        let damaged = || ReadError::Damaged("an entry cannot be read".into());
        let (counts, raw) = read_entry_value(value).ok_or_else(damaged)?;
        let entry = Entry::parse(raw).map_err(|_| damaged())?;
        if !counts {
            return Ok(Verified::invalid(seq, &entry));
        }
        let moderates = match &entry.header().kind {
            kith_protocol::entry::Kind::Redaction { target, .. } => {
                let relation = Relation::Redaction { target: *target, seq, moderates: false };
                let row = self.store.get(Tree::Local, &rows::relation_key(&relation.key(id)))?;
                row.is_some_and(|value| value == [1])
            }
            _ => false,
        };
        Ok(Verified::read(seq, &entry, moderates))
    }

    /// A register that is held.
    pub(crate) fn stored_register(
        &self,
        id: &RoomId,
        owner: &AccountId,
        key: &[u8; 32],
    ) -> Result<Option<RegisterValue>, ReadError> {
        let key = keys::register(&id.0, &owner.0, key);
        let value = rows::read(&*self.store, &self.changes, Tree::Registers, &key)?;
        Ok(value.and_then(read_value))
    }

    /// Who is in a room, in the order of roles, then names.
    pub fn members(&mut self, id: &RoomId) -> Result<Vec<MemberOf>, ReadFailed> {
        self.load_fold(id)?;
        let Some(fold) = self.rooms.get(id).ok_or(ReadFailed::NoRoom)?.fold.as_ref() else {
            return Ok(Vec::new());
        };
        let receipt = Setting::Receipt(ReadUpTo { room: *id, seq: Seq::ZERO }).key();
        let mut members = Vec::new();
        for (account, member) in fold.room.members() {
            let read_up_to = match self.stored_register(id, account, &receipt.0)?.map(|value| value.setting) {
                Some(Setting::Receipt(receipt)) => receipt.seq,
                _ => Seq::ZERO,
            };
            members.push(MemberOf { person: self.person(account), role: member.role, read_up_to });
        }
        members.sort_by_key(|member| (Reverse(member.role), member.person.shown()));
        Ok(members)
    }

    /// The devices of this account, revoked ones too.
    pub fn devices(&self) -> Result<Vec<DeviceOf>, ReadError> {
        let Some(account) = self.people.get(&self.me.account()) else { return Ok(Vec::new()) };
        let mut devices = Vec::new();
        for (id, device) in account.devices() {
            devices.push(DeviceOf {
                id: *id,
                name: device.name.clone(),
                kind: device.kind,
                added_at: device.added_at,
                last_seen: self.last_seen(id)?,
                revoked: device.revoked.is_some(),
                this: *id == self.me.device(),
            });
        }
        devices.sort_by_key(|device| (device.revoked, device.added_at));
        Ok(devices)
    }

    /// What a device of anybody's is called, as far as its chain is here.
    pub fn device_name(&mut self, account: &AccountId, target: &Target) -> Result<Option<String>, ReadError> {
        self.load_account(account)?;
        Ok(self.people.device_name(account, &target.device).map(str::to_owned))
    }

    /// A person, as far as is known.
    pub fn person(&self, account: &AccountId) -> Person {
        if *account == self.me.account() && !self.profile.handle.is_empty() {
            let (handle, name) = (self.profile.handle.clone(), self.profile.name.clone());
            return Person { account: *account, handle, name, integration: false };
        }
        self.directory.person(account)
    }
}
