//! What can be written, and the rule for each.

mod hooks;
mod offered;
mod people;
mod pushes;
mod rooms;
mod shares;

pub use self::hooks::{HookPlace, MakeHook, Post};
pub use self::people::invite_frame;
pub use self::pushes::{PushEnd, PushPeople, PushWrite, TARGETS_MAX, pushes_frame};

use super::conn::Conn;
use super::writer::{Asker, Job, Origin, Refusal, Writer, Written};
use crate::store::retention::RetentionWrite;
use crate::store::{Announcement, AuditEvent, AuditRecord, InviteRow, RelayRole};
use kith_protocol::account::{Account, DeviceKind};
use kith_protocol::chain::ChainEntry;
use kith_protocol::entry::Entry;
use kith_protocol::error::{CloseCode, ErrorCode};
use kith_protocol::frame;
use kith_protocol::ids::{AccountId, DeviceId, RoomId};
use kith_protocol::register::Register;
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
    /// An invite of the operator's, or of an admin's.
    PutInvite(InviteRow),
    /// An account gets another role on the relay.
    SetRole(AccountId, RelayRole),
    /// An account is shut out, or let in again.
    Disable(AccountId, bool),
    /// A device is shut out.
    Block(DeviceId),
    /// A new integration.
    MakeHook(Box<MakeHook>),
    /// The token of an integration is good no longer, and it leaves its room; the random part of a transaction id.
    RevokeHook(AccountId, [u8; 10]),
    /// A program writes through an integration.
    Post(Box<Post>),
    /// Something about pushes.
    Push(PushWrite),
    /// What a room keeps, or what it no longer does.
    Retention(RetentionWrite),
    /// Something is said to everybody, or nothing any more.
    Announce(Option<Box<Announcement>>),
    /// Something that the operator did, and that is no write itself.
    Audit(AuditEvent),
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
            Self::Push(write) => Origin::Request(write.req()),
            Self::PutInvite(_)
            | Self::SetRole(..)
            | Self::Disable(..)
            | Self::Block(_)
            | Self::MakeHook(_)
            | Self::RevokeHook(..)
            | Self::Post(_)
            | Self::Retention(_)
            | Self::Announce(_)
            | Self::Audit(_)
            | Self::Probe => Origin::Request(0),
        }
    }
}

impl Writer {
    pub(super) fn write(&mut self, job: &Job) -> Outcome {
        still_welcome(&job.from)?;
        if let Asker::Conn(conn) = &job.from {
            self.is_there(&conn.identity.account)?;
        }
        match &job.write {
            Write::Entry(_, entry) => self.entry(entry, &job.from, job.now),
            Write::Push(write) => self.push(write, job),
            Write::Control(req, entry) => self.control(*req, entry, &job.from),
            Write::Chain(req, entry) => self.chain(*req, entry, job.now),
            Write::Register(req, register) => self.register(*req, register, &job.from),
            Write::Republish(_, room, entries) => self.republish(room, entries, &job.from),
            Write::Profile(set) => self.profile(set, asker(&job.from)?, job.now),
            Write::Invite(create, token) => self.invite(create, *token, asker(&job.from)?, job.now),
            Write::RevokeInvite(revoke) => self.revoke_invite(revoke, asker(&job.from)?, job.now),
            Write::Join(newcomer) => self.join(newcomer, job.now),
            Write::PutInvite(invite) => self.put_invite(invite, job.from.by(), job.now),
            Write::SetRole(account, role) => self.set_role(account, *role, job),
            Write::Disable(account, disabled) => self.disable(account, *disabled, job),
            Write::Block(device) => self.block(device, job),
            Write::Retention(write) => {
                self.engine.put_retention(write)?;
                match write {
                    RetentionWrite::Keep { room, keep } => {
                        let event = AuditEvent::KeepChanged { room: room.to_string(), keep: *keep };
                        self.audit(job.now, job.from.by(), event)?;
                    }
                    RetentionWrite::Share { account, share } => {
                        self.folds.put_share(*account, *share);
                        let event = AuditEvent::ShareChanged { account: account.to_string(), share: *share };
                        self.audit(job.now, job.from.by(), event)?;
                    }
                    RetentionWrite::Day { .. } | RetentionWrite::Forget { .. } => {}
                }
                Ok(Written::Done)
            }
            Write::Announce(announcement) => self.announce(announcement.as_deref(), job),
            Write::Audit(event) => {
                self.audit(job.now, None, event.clone())?;
                Ok(Written::Done)
            }
            Write::MakeHook(make) => self.make_hook(make, job),
            Write::RevokeHook(hook, random) => self.revoke_hook(hook, *random, job),
            Write::Post(post) => self.post(post, job),
            Write::Probe => {
                self.engine.probe()?;
                Ok(Written::Done)
            }
        }
    }

    fn announce(&mut self, announcement: Option<&Announcement>, job: &Job) -> Outcome {
        self.engine.put_announcement(announcement)?;
        let event = match announcement {
            Some(said) => AuditEvent::Announced { until_ms: said.until },
            None => AuditEvent::AnnouncementWithdrawn,
        };
        self.audit(job.now, job.from.by(), event)?;
        self.outcome.announced = Some(announcement.map(Announcement::frame).unwrap_or_default());
        Ok(Written::Done)
    }

    /// Notes in the audit log who did what; `None`: the operator.
    fn audit(&mut self, at: u64, by: Option<AccountId>, event: AuditEvent) -> Result<(), Refusal> {
        Ok(self.engine.audit(&AuditRecord { at, by, event })?)
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
        Asker::Waiting { .. } => Err(ErrorCode::Denied.into()),
    }
}
