//! What can be written, and the rule for each.

use super::conn::{Conn, Identity};
use super::writer::{Asker, Job, Move, Origin, Refusal, Writer, Written};
use crate::store::{AccountRow, Append, DeviceRow, InviteRow, Left, Membership, Range, RelayRole};
use bytes::Bytes;
use kith_protocol::account::{Account, DeviceKind};
use kith_protocol::chain::{ChainEntry, ChainOp};
use kith_protocol::entry::{Entry, Kind};
use kith_protocol::error::{CloseCode, ErrorCode};
use kith_protocol::frame::{self, Ack, Appended, RegisterConflict, RegisterSet, ServerFrame, Value};
use kith_protocol::ids::{AccountId, DeviceId, Hash, RoomId, Seq};
use kith_protocol::limits;
use kith_protocol::register::{Register, Scope};
use kith_protocol::room::{ControlError, ControlOp, Room, RoomKind};
use std::collections::BTreeSet;
use std::sync::Arc;

/// A write, parsed and with its author's name checked.
pub enum Write {
    /// A message or a redaction, in a run.
    Entry(u32, Entry),
    /// A control entry.
    Control(u32, Entry),
    /// An entry of the author's chain.
    Chain(u32, ChainEntry),
    /// A register.
    Register(u32, Register),
    /// Entries that were lost with an older copy.
    Republish(u32, RoomId, Vec<Entry>),
    /// A profile.
    Profile(frame::SetProfile),
    /// A new invite, from a client.
    Invite(frame::CreateInvite, [u8; 16]),
    /// An invite taken back.
    RevokeInvite(frame::RevokeInvite),
    /// A newcomer.
    Join(Box<Newcomer>),
    /// An invite of the operator's.
    PutInvite(InviteRow),
    /// The operator shuts an account out, or lets it in again.
    Disable(AccountId, bool),
    /// The operator shuts a device out.
    Block(DeviceId),
    /// Nothing: somebody asks whether it could be stored.
    Probe,
}

/// A newcomer whose challenge was answered.
pub struct Newcomer {
    /// What they said.
    pub join: frame::Join,
    /// Their account's first entry.
    pub genesis: ChainEntry,
    /// The fold of it.
    pub account: Account,
    /// The genesis of their own room.
    pub own_room: Entry,
    /// The version that will be spoken.
    pub version: u16,
}

type Outcome = Result<Written, Refusal>;

impl Write {
    /// What an answer needs to know.
    pub fn origin(&self) -> Origin {
        match self {
            Self::Entry(run, entry) => Origin::Entry(entry.room(), entry.header().txn, *run),
            Self::Control(req, _)
            | Self::Chain(req, _)
            | Self::Register(req, _)
            | Self::Republish(req, ..) => Origin::Request(*req),
            Self::Profile(set) => Origin::Request(set.req),
            Self::Invite(create, _) => Origin::Request(create.req),
            Self::RevokeInvite(revoke) => Origin::Request(revoke.req),
            Self::Join(newcomer) => Origin::Request(newcomer.join.req),
            Self::PutInvite(_) | Self::Disable(..) | Self::Block(_) | Self::Probe => Origin::Request(0),
        }
    }
}

impl Writer {
    pub(super) fn write(&mut self, job: &Job) -> Outcome {
        still_welcome(&job.from)?;
        match &job.write {
            Write::Entry(_, entry) => self.entry(entry, &job.from),
            Write::Control(req, entry) => self.control(*req, entry, &job.from),
            Write::Chain(req, entry) => self.chain(*req, entry),
            Write::Register(req, register) => self.register(*req, register, &job.from),
            Write::Republish(_, room, entries) => self.republish(room, entries, &job.from),
            Write::Profile(set) => self.profile(set, asker(&job.from)?),
            Write::Invite(create, token) => self.invite(create, *token, asker(&job.from)?, job.now),
            Write::RevokeInvite(revoke) => self.revoke_invite(revoke, asker(&job.from)?),
            Write::Join(newcomer) => self.join(newcomer, job.now),
            Write::PutInvite(invite) => {
                self.engine.put_invite(invite)?;
                Ok(Written::Done)
            }
            Write::Disable(account, disabled) => self.disable(account, *disabled),
            Write::Block(device) => self.block(device),
            Write::Probe => {
                self.engine.probe()?;
                Ok(Written::Done)
            }
        }
    }

    fn entry(&mut self, entry: &Entry, from: &Asker) -> Outcome {
        let header = entry.header();
        if let Err(refusal) = self.may_append(entry) {
            // A retry of what is stored gets its place even if its author may no longer write.
            return match self.engine.read().transaction(&header.device, &header.txn)? {
                Some((room, seq)) => Ok(Written::Acked(Ack { room, txn: header.txn, seq })),
                None => Err(refusal),
            };
        }
        let (room, seq) = self.append(header.room, entry, from.conn_id())?;
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
        match &header.kind {
            Kind::Message if room.may_post(&header.account) => Ok(()),
            Kind::Message => Err(ErrorCode::Denied.into()),
            Kind::Redaction { target, digest } => {
                let room = room.clone();
                let author = self.redaction_target(&header.room, *target, digest)?;
                if room.may_redact(&header.account, &author) { Ok(()) } else { Err(ErrorCode::Denied.into()) }
            }
            Kind::Control { .. } => Err(ErrorCode::Malformed.into()),
            Kind::Unknown(_) => Err(ErrorCode::Unsupported.into()),
        }
    }

    /// Appends and notes it, unless it is known. Returns where it stands.
    fn append(&mut self, room: RoomId, entry: &Entry, from: Option<u64>) -> Result<(RoomId, Seq), Refusal> {
        match self.engine.append(entry)? {
            Append::Known(room, seq) => Ok((room, seq)),
            Append::New(head) => {
                self.outcome.grew(room, head, entry.raw(), from);
                Ok((room, head.seq))
            }
        }
    }

    fn control(&mut self, req: u32, entry: &Entry, from: &Asker) -> Outcome {
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

    fn note_moves(&mut self, before: Option<&Room>, after: &Room, seq: Seq) -> Result<(), Refusal> {
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

    fn chain(&mut self, req: u32, entry: &ChainEntry) -> Outcome {
        let header = entry.header();
        let mut account = self.author(&header.account)?;
        let known = self.engine.read().chain(&header.account, header.index)?;
        if let Some(raw) = known.first() {
            let same = raw == entry.raw();
            let answer = ServerFrame::Appended(Appended { req, seq: Seq::ZERO });
            return if same { Ok(Written::Answer(answer)) } else { Err(ErrorCode::Conflict.into()) };
        }
        if header.ops.iter().any(|op| matches!(op, ChainOp::Unknown(_))) {
            return Err(ErrorCode::Unsupported.into());
        }
        account.apply(entry).map_err(chain_code)?;
        if account.live_devices().count() > self.limits.devices_per_account {
            return Err(ErrorCode::LimitReached.into());
        }
        // A device that stands in somebody else's chain stays theirs. Before anything is written: a refusal leaves nothing.
        for (id, _) in account.devices().filter(|(_, device)| device.added == header.index) {
            if self.engine.read().device(id)?.is_some() {
                return Err(ErrorCode::Conflict.into());
            }
        }
        self.engine.append_chain(&header.account, entry)?;
        for (id, device) in account.devices() {
            if device.added == header.index {
                self.engine.put_device(id, DeviceRow { account: account.id(), blocked: false })?;
            }
            if device.revoked == Some(header.index) {
                self.outcome.closed.push((account.id(), Some(*id), CloseCode::Revoked));
            }
        }
        self.outcome.chains.push((account.id(), account.len()));
        self.folds.put_account(account);
        Ok(Written::Answer(ServerFrame::Appended(Appended { req, seq: Seq::ZERO })))
    }

    fn register(&mut self, req: u32, register: &Register, from: &Asker) -> Outcome {
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
        if let Some((rev, raw)) = current {
            if raw == *register.raw() {
                return Ok(Written::Answer(ServerFrame::RegisterSet(RegisterSet { req, rev })));
            }
            if rev > header.replaces {
                let current = Value { rev, register: raw };
                return Ok(Written::Answer(ServerFrame::RegisterConflict(RegisterConflict { req, current })));
            }
        } else {
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

    /// Takes back what a restored copy lacks: all of it must be sound, and what no longer counts is passed over.
    fn republish(&mut self, room: &RoomId, entries: &[Entry], from: &Asker) -> Outcome {
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

    /// The author of the message that a redaction names.
    fn redaction_target(&mut self, room: &RoomId, target: Seq, digest: &Hash) -> Result<AccountId, Refusal> {
        let range = Range {
            after: Seq(target.0.saturating_sub(1)),
            before: target.next(),
            newest: false,
            limit: 1,
            bytes: usize::MAX,
        };
        let found = self.engine.read().page(room, range)?.entries;
        let raw = found.into_iter().next().ok_or(ErrorCode::NotFound)?;
        let target = Entry::parse(raw).map_err(|_| ErrorCode::NotFound)?;
        if target.digest() != *digest || target.header().kind != Kind::Message {
            return Err(ErrorCode::Conflict.into());
        }
        Ok(target.header().account)
    }

    fn profile(&mut self, set: &frame::SetProfile, conn: &Conn) -> Outcome {
        let row = self.engine.read().account(&conn.identity.account)?.ok_or(ErrorCode::NotFound)?;
        let mut new = row.clone();
        if let Some(name) = &set.name {
            new.name = display_name(name)?;
        }
        if let Some(handle) = &set.handle {
            check_handle(handle)?;
            if self.engine.read().account_by_handle(handle)?.is_some_and(|other| other.id != row.id) {
                return Err(ErrorCode::HandleTaken.into());
            }
            new.handle.clone_from(handle);
        }
        self.engine.put_account(&new)?;
        Ok(Written::Done)
    }

    fn invite(&mut self, create: &frame::CreateInvite, token: [u8; 16], conn: &Conn, now: u64) -> Outcome {
        let row = self.engine.read().account(&conn.identity.account)?.ok_or(ErrorCode::NotFound)?;
        if row.role < RelayRole::Admin {
            return Err(ErrorCode::Denied.into());
        }
        if create.uses == 0 || create.expires_in_s == 0 {
            return Err(ErrorCode::Malformed.into());
        }
        let invite = InviteRow {
            token,
            uses: create.uses,
            expires_at: now.saturating_add(create.expires_in_s.saturating_mul(1000)).min(i64::MAX as u64),
            role: RelayRole::Member,
            room: create.room,
            by: Some(row.id),
        };
        self.engine.put_invite(&invite)?;
        let frame = frame::Invites { req: create.req, invites: vec![invite_frame(&invite)] };
        Ok(Written::Answer(ServerFrame::Invites(frame)))
    }

    fn revoke_invite(&mut self, revoke: &frame::RevokeInvite, conn: &Conn) -> Outcome {
        let token: [u8; 16] = revoke.token.as_ref().try_into().map_err(|_| ErrorCode::Malformed)?;
        let mut invite = self.engine.read().invite(&token)?.ok_or(ErrorCode::NotFound)?;
        if invite.by != Some(conn.identity.account) {
            return Err(ErrorCode::NotFound.into());
        }
        invite.uses = 0;
        self.engine.put_invite(&invite)?;
        Ok(Written::Done)
    }

    fn join(&mut self, newcomer: &Newcomer, now: u64) -> Outcome {
        let Newcomer { join, genesis, account, own_room, version } = newcomer;
        let author = own_room.header().device;
        let admitted = Identity { account: account.id(), device: author, recovery: false, version: *version };
        // A retry after a lost answer finds itself admitted.
        if self.engine.read().account(&account.id())?.is_some() {
            return Ok(Written::Admitted(admitted));
        }
        let token: [u8; 16] = join.token.as_ref().try_into().map_err(|_| ErrorCode::NotFound)?;
        let mut invite = self.engine.read().invite(&token)?.ok_or(ErrorCode::NotFound)?;
        if invite.uses == 0 {
            return Err(ErrorCode::InviteUsed.into());
        }
        if invite.expires_at <= now {
            return Err(ErrorCode::Expired.into());
        }
        check_handle(&join.handle)?;
        let name = display_name(&join.name)?;
        if self.engine.read().account_by_handle(&join.handle)?.is_some() {
            return Err(ErrorCode::HandleTaken.into());
        }
        if self.engine.read().totals()?.accounts >= self.limits.accounts as u64 {
            return Err(ErrorCode::LimitReached.into());
        }
        if own_room.body().is_none_or(|body| body.len() > self.limits.body_bytes) {
            return Err(ErrorCode::TooLarge.into());
        }
        let room = Room::genesis(own_room, account).map_err(control_code)?;
        // One device and nothing that only a newer version understands: what comes later is appended later.
        if account.needs_update() || room.needs_update() {
            return Err(ErrorCode::Unsupported.into());
        }
        if room.kind() != RoomKind::Own || account.devices().count() != 1 {
            return Err(ErrorCode::Malformed.into());
        }
        if self.engine.read().device(&author)?.is_some() {
            return Err(ErrorCode::Conflict.into());
        }
        invite.uses -= 1;
        self.engine.put_invite(&invite)?;
        self.engine.put_account(&AccountRow {
            id: account.id(),
            handle: join.handle.clone(),
            name,
            role: invite.role,
            disabled: false,
            created_at: now,
            chain_len: 1,
        })?;
        self.engine.append_chain(&account.id(), genesis)?;
        self.engine.put_device(&author, DeviceRow { account: account.id(), blocked: false })?;
        self.engine.append(own_room)?;
        self.engine.put_membership(&account.id(), Membership { room: room.id(), left: None })?;
        self.folds.put_account(account.clone());
        self.folds.put_room(room);
        Ok(Written::Admitted(admitted))
    }

    fn disable(&mut self, account: &AccountId, disabled: bool) -> Outcome {
        let mut row = self.engine.read().account(account)?.ok_or(ErrorCode::NotFound)?;
        row.disabled = disabled;
        self.engine.put_account(&row)?;
        if disabled {
            self.outcome.closed.push((*account, None, CloseCode::Disabled));
        }
        Ok(Written::Done)
    }

    fn block(&mut self, device: &DeviceId) -> Outcome {
        let row = self.engine.read().device(device)?.ok_or(ErrorCode::NotFound)?;
        self.engine.put_device(device, DeviceRow { blocked: true, ..row })?;
        self.outcome.closed.push((row.account, Some(*device), CloseCode::Revoked));
        Ok(Written::Done)
    }

    /// Whether a device is live, may write in rooms, and does not claim a chain that is longer than it is.
    fn check_device(&mut self, account: &AccountId, device: &DeviceId, len: u32) -> Result<(), Refusal> {
        let fold = self.folds.account(self.engine.read(), account)?.ok_or(ErrorCode::UnknownDevice)?;
        let live = fold.live(device).ok_or(ErrorCode::Revoked)?;
        if live.kind == DeviceKind::Recovery {
            return Err(ErrorCode::Denied.into());
        }
        if fold.device_at(device, len).is_none() { Err(ErrorCode::Malformed.into()) } else { Ok(()) }
    }

    fn author(&mut self, account: &AccountId) -> Result<Account, Refusal> {
        Ok(self.folds.account(self.engine.read(), account)?.ok_or(ErrorCode::UnknownDevice)?.clone())
    }
}

/// An invite, on the wire.
pub fn invite_frame(invite: &InviteRow) -> frame::Invite {
    frame::Invite {
        token: Bytes::copy_from_slice(&invite.token),
        uses: invite.uses,
        expires_at: invite.expires_at,
        room: invite.room,
    }
}

fn newcomers(before: Option<&Room>, after: &Room) -> BTreeSet<AccountId> {
    let was = |id: &AccountId| before.is_some_and(|room| room.role(id).is_some());
    after.members().map(|(id, _)| *id).filter(|id| !was(id)).collect()
}

/// A connection that was sent away writes nothing more, though its frames were on their way already.
fn still_welcome(from: &Asker) -> Result<(), ErrorCode> {
    let Asker::Conn(conn) = from else { return Ok(()) };
    match conn.outbound.closing() {
        Some(CloseCode::Revoked) => Err(ErrorCode::Revoked),
        Some(CloseCode::Disabled) => Err(ErrorCode::Disabled),
        _ => Ok(()),
    }
}

fn asker(from: &Asker) -> Result<&Arc<Conn>, Refusal> {
    match from {
        Asker::Conn(conn) => Ok(conn),
        Asker::Waiting(_) => Err(ErrorCode::Denied.into()),
    }
}

fn check_handle(handle: &str) -> Result<(), ErrorCode> {
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "._-".contains(c);
    let first = handle.chars().next().is_some_and(|c| c.is_ascii_lowercase() || c.is_ascii_digit());
    let fits = handle.len() <= limits::HANDLE_BYTES_MAX && handle.chars().all(plain);
    if first && fits { Ok(()) } else { Err(ErrorCode::BadHandle) }
}

fn display_name(name: &str) -> Result<String, ErrorCode> {
    let name = name.trim();
    let fits = !name.is_empty() && name.len() <= limits::DISPLAY_NAME_BYTES_MAX;
    if fits && !name.chars().any(char::is_control) { Ok(name.to_owned()) } else { Err(ErrorCode::Malformed) }
}

fn control_code(error: ControlError) -> ErrorCode {
    match error {
        ControlError::Unlinked => ErrorCode::Conflict,
        ControlError::Stranger => ErrorCode::UnknownDevice,
        ControlError::BadSignature => ErrorCode::BadSignature,
        ControlError::Denied => ErrorCode::Denied,
        ControlError::Senseless => ErrorCode::Malformed,
    }
}

fn chain_code(error: kith_protocol::account::ChainError) -> ErrorCode {
    use kith_protocol::account::ChainError;
    match error {
        ChainError::Unlinked => ErrorCode::Conflict,
        ChainError::Stranger => ErrorCode::UnknownDevice,
        ChainError::BadSignature => ErrorCode::BadSignature,
        ChainError::Senseless => ErrorCode::Malformed,
        ChainError::Full => ErrorCode::LimitReached,
    }
}
