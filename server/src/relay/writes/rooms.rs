//! Writing into a room: messages, redactions, control entries, registers.

use super::{Outcome, asker};
use crate::relay::writer::{Asker, Move, Refusal, Writer, Written};
use crate::store::{Append, Left, Membership, Range};
use kith_protocol::entry::{Entry, Kind};
use kith_protocol::error::ErrorCode;
use kith_protocol::frame::{Ack, Appended, RegisterConflict, RegisterSet, ServerFrame, Value};
use kith_protocol::ids::{AccountId, Hash, RoomId, Seq};
use kith_protocol::limits;
use kith_protocol::register::{Register, Scope};
use kith_protocol::room::{ControlError, ControlOp, Room, RoomKind};
use std::collections::BTreeSet;

impl Writer {
    pub(super) fn entry(&mut self, entry: &Entry, from: &Asker, now: u64) -> Outcome {
        let header = entry.header();
        if let Err(refusal) = self.may_append(entry) {
            // A retry of what is stored gets its place even if its author may no longer write.
            return match self.engine.read().transaction(&header.device, &header.txn)? {
                Some((room, seq)) => Ok(Written::Acked(Ack { room, txn: header.txn, seq })),
                None => Err(refusal),
            };
        }
        let before = self.engine.head(&header.room)?.seq;
        let (room, seq) = self.append(header.room, entry, from.conn_id())?;
        if header.kind == Kind::Message && room == header.room && seq > before {
            self.note_push(&room, &header.account, now)?;
        }
        Ok(Written::Acked(Ack { room, txn: header.txn, seq }))
    }

    fn may_append(&mut self, entry: &Entry) -> Result<(), Refusal> {
        let header = entry.header();
        if entry.body().is_none_or(|body| body.len() > self.limits.body_bytes) {
            return Err(ErrorCode::TooLarge.into());
        }
        self.check_device(&header.account, &header.device, header.chain_len)?;
        let room = self.folds.room(self.engine.read(), &header.room)?.ok_or(ErrorCode::NotFound)?;
        if room.role(&header.account).is_none() {
            return Err(ErrorCode::NotFound.into());
        }
        if room.needs_update() {
            return Err(ErrorCode::Unsupported.into());
        }
        let may = match &header.kind {
            Kind::Message => room.may_post(&header.account),
            Kind::Redaction { target, digest } => {
                let room = room.clone();
                let author = self.redaction_target(&header.room, *target, digest)?;
                room.may_redact(&header.account, &author)
            }
            Kind::Control { .. } => return Err(ErrorCode::Malformed.into()),
            Kind::Unknown(_) => return Err(ErrorCode::Unsupported.into()),
        };
        if may { self.afford(entry) } else { Err(ErrorCode::Denied.into()) }
    }

    pub(super) fn control(&mut self, req: u32, entry: &Entry, from: &Asker) -> Outcome {
        let header = entry.header();
        let appended = |seq| Ok(Written::Answer(ServerFrame::Appended(Appended { req, seq })));
        if let Some((_, seq)) = self.engine.read().transaction(&header.device, &header.txn)? {
            return appended(seq);
        }
        let Kind::Control { index, ops } = &header.kind else { return Err(ErrorCode::Malformed.into()) };
        if ops.iter().any(|op| matches!(op, ControlOp::Unknown(_))) {
            return Err(ErrorCode::Unsupported.into());
        }
        if entry.body().is_none_or(|body| body.len() > self.limits.body_bytes) {
            return Err(ErrorCode::TooLarge.into());
        }
        self.check_device(&header.account, &header.device, header.chain_len)?;
        let id = entry.room();
        let before = self.folds.room(self.engine.read(), &id)?.cloned();
        let seq = self.engine.head(&id)?.seq.next();
        let author = self.author(&header.account)?;
        let after = match &before {
            None if *index == 0 => Room::genesis(entry, &author).map_err(control_code)?,
            None => return Err(ErrorCode::NotFound.into()),
            Some(room) if room.role(&header.account).is_none() => return Err(ErrorCode::NotFound.into()),
            Some(room) => {
                let mut room = room.clone();
                room.apply(entry, &author, seq).map_err(control_code)?;
                room
            }
        };
        self.check_room_limits(before.as_ref(), &after, &header.account)?;
        self.afford(entry)?;
        self.append(id, entry, from.conn_id())?;
        self.note_moves(before.as_ref(), &after, seq)?;
        self.folds.put_room(after);
        appended(seq)
    }

    /// Whoever makes a room pays for it, not those who are added to it: nobody can use up what another may make.
    fn check_room_limits(
        &mut self,
        before: Option<&Room>,
        after: &Room,
        author: &AccountId,
    ) -> Result<(), Refusal> {
        if after.members().len() > self.limits.members_per_room {
            return Err(ErrorCode::LimitReached.into());
        }
        for account in newcomers(before, after) {
            if self.folds.account(self.engine.read(), &account)?.is_none() {
                return Err(ErrorCode::NotFound.into());
            }
        }
        let counts = before.is_none() && after.kind() != RoomKind::Own;
        if counts && self.folds.rooms_made(self.engine.read(), author)? >= self.limits.rooms_per_account {
            return Err(ErrorCode::LimitReached.into());
        }
        Ok(())
    }

    pub(super) fn note_moves(
        &mut self,
        before: Option<&Room>,
        after: &Room,
        seq: Seq,
    ) -> Result<(), Refusal> {
        let head = self.engine.head(&after.id())?;
        for account in newcomers(before, after) {
            self.engine.put_membership(&account, Membership { room: after.id(), left: None })?;
            self.folds.note_move(self.engine.read(), &account, &after.id(), Move::In)?;
            self.outcome.moved(account, after.id(), Move::In, head);
        }
        let gone = before.into_iter().flat_map(Room::members).map(|(id, _)| *id);
        for account in gone.filter(|id| after.role(id).is_none()) {
            let left = Some(Left { seq, hash: head.hash, control_len: head.control_len });
            self.engine.put_membership(&account, Membership { room: after.id(), left })?;
            self.folds.note_move(self.engine.read(), &account, &after.id(), Move::Out)?;
            self.outcome.moved(account, after.id(), Move::Out, head);
        }
        Ok(())
    }

    pub(super) fn register(&mut self, req: u32, register: &Register, from: &Asker) -> Outcome {
        let header = register.header();
        if register.body().len() > limits::REGISTER_BYTES_MAX {
            return Err(ErrorCode::TooLarge.into());
        }
        self.check_device(&header.account, &header.device, header.chain_len)?;
        let room = self.folds.room(self.engine.read(), &header.room)?.ok_or(ErrorCode::NotFound)?;
        if room.role(&header.account).is_none() {
            return Err(ErrorCode::NotFound.into());
        }
        if header.scope == Scope::Room && !room.may_rename(&header.account) {
            return Err(ErrorCode::Denied.into());
        }
        let current = self.engine.read().register(&header.room, &header.owner(), &header.key)?;
        let before = current.as_ref().map_or(0, |(_, raw)| raw.len());
        if let Some((rev, raw)) = current {
            if raw == *register.raw() {
                return Ok(Written::Answer(ServerFrame::RegisterSet(RegisterSet { req, rev })));
            }
            if rev > header.replaces {
                let current = Value { rev, register: raw };
                return Ok(Written::Answer(ServerFrame::RegisterConflict(RegisterConflict { req, current })));
            }
            self.afford_register(&header.account, before, register.raw().len())?;
        } else {
            self.afford_register(&header.account, before, register.raw().len())?;
            let max = self.registers_max as u64;
            let count = self.folds.register_count(self.engine.read(), &header.room, &header.owner())?;
            if *count >= max {
                return Err(ErrorCode::LimitReached.into());
            }
            *count += 1;
        }
        let rev = self.engine.set_register(register)?;
        let value = Value { rev, register: register.raw().clone() };
        self.outcome.registers.push((header.room, value, asker(from).ok().map(|conn| conn.id)));
        Ok(Written::Answer(ServerFrame::RegisterSet(RegisterSet { req, rev })))
    }

    /// The author of the message that a redaction names.
    pub(super) fn redaction_target(
        &mut self,
        room: &RoomId,
        target: Seq,
        digest: &Hash,
    ) -> Result<AccountId, Refusal> {
        let target = self.stored(room, target)?.ok_or(ErrorCode::NotFound)?;
        if target.digest() != *digest || target.header().kind != Kind::Message {
            return Err(ErrorCode::Conflict.into());
        }
        Ok(target.header().account)
    }

    /// What stands at a place.
    pub(super) fn stored(&self, room: &RoomId, seq: Seq) -> Result<Option<Entry>, Refusal> {
        let range = Range {
            after: Seq(seq.0.saturating_sub(1)),
            before: seq.next(),
            newest: false,
            limit: 1,
            bytes: usize::MAX,
        };
        let found = self.engine.read().page(room, range)?.entries;
        Ok(found.into_iter().next().and_then(|raw| Entry::parse(raw).ok()))
    }

    /// Appends and notes it, unless it is known. Returns where it stands.
    pub(super) fn append(
        &mut self,
        room: RoomId,
        entry: &Entry,
        from: Option<u64>,
    ) -> Result<(RoomId, Seq), Refusal> {
        match self.engine.append(entry)? {
            Append::Known(room, seq) => Ok((room, seq)),
            Append::New(head) => {
                self.outcome.grew(room, head, entry.raw(), from);
                Ok((room, head.seq))
            }
        }
    }
}

fn newcomers(before: Option<&Room>, after: &Room) -> BTreeSet<AccountId> {
    let was = |id: &AccountId| before.is_some_and(|room| room.role(id).is_some());
    after.members().map(|(id, _)| *id).filter(|id| !was(id)).collect()
}

pub(super) fn control_code(error: ControlError) -> ErrorCode {
    match error {
        ControlError::Unlinked => ErrorCode::Conflict,
        ControlError::Stranger => ErrorCode::UnknownDevice,
        ControlError::BadSignature => ErrorCode::BadSignature,
        ControlError::Denied => ErrorCode::Denied,
        ControlError::Senseless => ErrorCode::Malformed,
    }
}
