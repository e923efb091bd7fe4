//! What a relay that was put back to an older copy is offered again.

use super::rooms::control_code;
use super::{Outcome, asker};
use crate::relay::writer::{Asker, Refusal, Writer, Written};
use kith_protocol::entry::{Entry, Kind};
use kith_protocol::error::ErrorCode;
use kith_protocol::ids::{AccountId, RoomId};
use kith_protocol::limits;
use kith_protocol::room::Room;

impl Writer {
    /// Takes back what a restored copy lacks: all of it must be sound, and what no longer counts is passed over.
    pub(super) fn republish(&mut self, room: &RoomId, entries: &[Entry], from: &Asker) -> Outcome {
        let offered_by = asker(from)?.identity.account;
        if entries.len() > limits::PAGE_ENTRIES_MAX as usize {
            return Err(ErrorCode::TooLarge.into());
        }
        if let Some(room) = self.folds.room(self.engine.read(), room)? {
            room.role(&offered_by).ok_or(ErrorCode::NotFound)?;
        }
        for entry in entries {
            self.check_offered(room, entry)?;
        }
        for entry in entries {
            let header = entry.header();
            if self.engine.read().transaction(&header.device, &header.txn)?.is_some() {
                continue;
            }
            // What others have written is theirs to hold.
            if header.account == offered_by {
                self.afford(entry)?;
            }
            let before = self.folds.room(self.engine.read(), room)?.cloned();
            match (&header.kind, before) {
                (Kind::Control { .. }, before) => {
                    self.offered_control(entry, before.as_ref(), &offered_by)?;
                }
                (_, None) => return Err(ErrorCode::NotFound.into()),
                (_, Some(fold)) if self.counts(entry, &fold)? => {
                    // Whoever offers it learns its place by the push: the answer does not say.
                    self.append(*room, entry, None)?;
                }
                (_, Some(_)) => {}
            }
        }
        Ok(Written::Done)
    }

    fn check_offered(&mut self, room: &RoomId, entry: &Entry) -> Result<(), Refusal> {
        let header = entry.header();
        if entry.room() != *room {
            return Err(ErrorCode::Malformed.into());
        }
        if entry.body().is_some_and(|body| body.len() > self.limits.body_bytes) {
            return Err(ErrorCode::TooLarge.into());
        }
        if self.engine.read().transaction(&header.device, &header.txn)?.is_some() {
            return Ok(());
        }
        let author = self.folds.account(self.engine.read(), &header.account)?;
        let author = author.ok_or(ErrorCode::UnknownDevice)?;
        let device = author.device_at(&header.device, header.chain_len).ok_or(ErrorCode::UnknownDevice)?;
        entry.verify(&device.sign).map_err(|_| ErrorCode::BadSignature.into())
    }

    fn offered_control(
        &mut self,
        entry: &Entry,
        before: Option<&Room>,
        offered_by: &AccountId,
    ) -> Result<(), Refusal> {
        let id = entry.room();
        let author = self.author(&entry.header().account)?;
        let seq = self.engine.head(&id)?.seq.next();
        let after = match before {
            None => {
                let room = Room::genesis(entry, &author).map_err(control_code)?;
                room.role(offered_by).ok_or(ErrorCode::NotFound)?;
                room
            }
            Some(room) => {
                let mut room = room.clone();
                // One that does not link was overtaken by what happened since: it does not count.
                if room.apply(entry, &author, seq).is_err() {
                    return Ok(());
                }
                room
            }
        };
        if after.needs_update() {
            return Err(ErrorCode::Unsupported.into());
        }
        if after.members().len() > self.limits.members_per_room {
            return Err(ErrorCode::LimitReached.into());
        }
        self.append(id, entry, None)?;
        self.note_moves(before, &after, seq)?;
        self.folds.put_room(after);
        Ok(())
    }

    /// Whether a message or redaction that was lost counts in the room as it is now. What stands elsewhere than it did, or
    /// takes a right that its author does not have, does not.
    fn counts(&mut self, entry: &Entry, room: &Room) -> Result<bool, Refusal> {
        let header = entry.header();
        Ok(match &header.kind {
            Kind::Message => room.may_post(&header.account),
            Kind::Redaction { target, digest } => {
                let author = self.redaction_target(&header.room, *target, digest);
                match author {
                    Ok(author) => room.may_redact(&header.account, &author),
                    Err(Refusal::Code(_)) => false,
                    Err(error) => return Err(error),
                }
            }
            Kind::Control { .. } | Kind::Unknown(_) => false,
        })
    }
}
