//! Accounts and their devices: who comes, by which invite, under which name, and who is shut out.

use super::rooms::control_code;
use super::{Newcomer, Outcome};
use crate::relay::conn::{Conn, Identity};
use crate::relay::writer::{Job, Writer, Written};
use crate::store::{AccountRow, AuditEvent, DeviceRow, InviteRow, Membership, RelayRole};
use bytes::Bytes;
use kith_protocol::account::ChainError;
use kith_protocol::chain::{ChainEntry, ChainOp};
use kith_protocol::error::{CloseCode, ErrorCode};
use kith_protocol::frame::{self, Appended, ServerFrame};
use kith_protocol::ids::{AccountId, DeviceId, Seq};
use kith_protocol::limits;
use kith_protocol::room::{Room, RoomKind};

impl Writer {
    pub(super) fn join(&mut self, newcomer: &Newcomer, now: u64) -> Outcome {
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
            integration: false,
        })?;
        self.engine.append_chain(&account.id(), genesis)?;
        self.engine.put_device(&author, DeviceRow { account: account.id(), blocked: false })?;
        self.engine.append(own_room)?;
        self.engine.put_membership(&account.id(), Membership { room: room.id(), left: None })?;
        let joined = AuditEvent::Joined {
            account: account.id().to_string(),
            handle: join.handle.clone(),
            invite: invite.id(),
            role: invite.role,
        };
        self.audit(now, Some(account.id()), joined)?;
        self.folds.put_account(account.clone());
        self.folds.put_room(room);
        Ok(Written::Admitted(admitted))
    }

    pub(super) fn chain(&mut self, req: u32, entry: &ChainEntry, now: u64) -> Outcome {
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
            let (owner, device_id) = (account.id().to_string(), id.to_string());
            if device.added == header.index {
                self.engine.put_device(id, DeviceRow { account: account.id(), blocked: false })?;
                let event = AuditEvent::DeviceAdded { account: owner, device: device_id };
                self.audit(now, Some(account.id()), event)?;
            } else if device.revoked == Some(header.index) {
                let event = AuditEvent::DeviceRevoked { account: owner, device: device_id };
                self.audit(now, Some(account.id()), event)?;
                self.outcome.closed.push((account.id(), Some(*id), CloseCode::Revoked));
            }
        }
        self.outcome.chains.push((account.id(), account.len()));
        self.folds.put_account(account);
        Ok(Written::Answer(ServerFrame::Appended(Appended { req, seq: Seq::ZERO })))
    }

    pub(super) fn profile(&mut self, set: &frame::SetProfile, conn: &Conn, now: u64) -> Outcome {
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
        if new.handle != row.handle {
            let account = row.id.to_string();
            let event = AuditEvent::HandleChanged { account, from: row.handle, to: new.handle };
            self.audit(now, Some(row.id), event)?;
        }
        Ok(Written::Done)
    }

    pub(super) fn invite(
        &mut self,
        create: &frame::CreateInvite,
        token: [u8; 16],
        conn: &Conn,
        now: u64,
    ) -> Outcome {
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
        self.put_invite(&invite, invite.by, now)?;
        let frame = frame::Invites { req: create.req, invites: vec![invite_frame(&invite)] };
        Ok(Written::Answer(ServerFrame::Invites(frame)))
    }

    /// Adds an invite, or takes one back: one without uses.
    pub(super) fn put_invite(&mut self, invite: &InviteRow, by: Option<AccountId>, now: u64) -> Outcome {
        self.engine.put_invite(invite)?;
        let InviteRow { uses, role, expires_at: expires_ms, .. } = *invite;
        let event = match uses {
            0 => AuditEvent::InviteRevoked { invite: invite.id() },
            _ => AuditEvent::InviteMade { invite: invite.id(), uses, role, expires_ms },
        };
        self.audit(now, by, event)?;
        Ok(Written::Done)
    }

    pub(super) fn revoke_invite(&mut self, revoke: &frame::RevokeInvite, conn: &Conn, now: u64) -> Outcome {
        let token: [u8; 16] = revoke.token.as_ref().try_into().map_err(|_| ErrorCode::Malformed)?;
        let mut invite = self.engine.read().invite(&token)?.ok_or(ErrorCode::NotFound)?;
        if invite.by != Some(conn.identity.account) {
            return Err(ErrorCode::NotFound.into());
        }
        invite.uses = 0;
        self.put_invite(&invite, invite.by, now)
    }

    pub(super) fn set_role(&mut self, account: &AccountId, role: RelayRole, job: &Job) -> Outcome {
        let row = self.engine.read().account(account)?.ok_or(ErrorCode::NotFound)?;
        self.engine.put_account(&AccountRow { role, ..row })?;
        let event = AuditEvent::RoleChanged { account: account.to_string(), role };
        self.audit(job.now, job.from.by(), event)?;
        // A device hears of its rights when it comes.
        self.outcome.closed.push((*account, None, CloseCode::Restarting));
        Ok(Written::Done)
    }

    pub(super) fn disable(&mut self, id: &AccountId, disabled: bool, job: &Job) -> Outcome {
        let row = self.engine.read().account(id)?.ok_or(ErrorCode::NotFound)?;
        self.engine.put_account(&AccountRow { disabled, ..row })?;
        let account = id.to_string();
        let event = if disabled {
            self.outcome.closed.push((*id, None, CloseCode::Disabled));
            AuditEvent::AccountDisabled { account }
        } else {
            AuditEvent::AccountEnabled { account }
        };
        self.audit(job.now, job.from.by(), event)?;
        Ok(Written::Done)
    }

    pub(super) fn block(&mut self, id: &DeviceId, job: &Job) -> Outcome {
        let row = self.engine.read().device(id)?.ok_or(ErrorCode::NotFound)?;
        self.engine.put_device(id, DeviceRow { blocked: true, ..row })?;
        let (account, device) = (row.account.to_string(), id.to_string());
        self.audit(job.now, job.from.by(), AuditEvent::DeviceBlocked { account, device })?;
        self.outcome.closed.push((row.account, Some(*id), CloseCode::Revoked));
        Ok(Written::Done)
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

fn check_handle(handle: &str) -> Result<(), ErrorCode> {
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "._-".contains(c);
    let first = handle.chars().next().is_some_and(|c| c.is_ascii_lowercase() || c.is_ascii_digit());
    let fits = handle.len() <= limits::HANDLE_BYTES_MAX && handle.chars().all(plain);
    if first && fits { Ok(()) } else { Err(ErrorCode::BadHandle) }
}

pub(super) fn display_name(name: &str) -> Result<String, ErrorCode> {
    let name = name.trim();
    let fits = !name.is_empty() && name.len() <= limits::DISPLAY_NAME_BYTES_MAX;
    if fits && !name.chars().any(char::is_control) { Ok(name.to_owned()) } else { Err(ErrorCode::Malformed) }
}

fn chain_code(error: ChainError) -> ErrorCode {
    match error {
        ChainError::Unlinked => ErrorCode::Conflict,
        ChainError::Stranger => ErrorCode::UnknownDevice,
        ChainError::BadSignature => ErrorCode::BadSignature,
        ChainError::Senseless => ErrorCode::Malformed,
        ChainError::Full => ErrorCode::LimitReached,
    }
}
