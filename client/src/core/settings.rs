//! The account itself: its chain of devices, its profile, its invites; and what is done with refusals of all kinds.

use super::arrivals::Refusal;
use super::engine::Engine;
use super::error::{Fault, RequestError};
use super::identity::Relay;
use super::limits::CONTROL_TRIES_MAX;
use super::model::{Millis, Person};
use super::requests::{Purpose, Reply, Ticket};
use super::rows::{ProfileRow, encode};
use super::session::PROFILE;
use super::update::{Stopped, Update};
use crate::store::{Tree, keys};
use bytes::Bytes;
use kith_protocol::chain::{ChainEntry, ChainHeader, ChainOp, NewDevice};
use kith_protocol::error::ErrorCode;
use kith_protocol::frame::{
    Append, Chain, ChainGrew, ClientFrame, CreateInvite, Invite, Presence, Refused, Request, RevokeInvite,
    SetProfile, Typing,
};
use kith_protocol::ids::{AccountId, DeviceId, RoomId};
use kith_protocol::keys::DeviceKeys;
use kith_protocol::link::InviteLink;
use kith_protocol::recovery::{DEVICE_NAME, RecoveryKey};
use kith_protocol::rendezvous::LinkCode;

/// A change of the account's chain.
#[derive(Debug)]
pub(crate) struct ChainJob {
    pub(crate) ticket: Option<Ticket>,
    ops: Vec<ChainOp>,
    tries: u32,
    then: Then,
}

/// What follows once it is in the chain.
#[derive(Debug)]
pub(crate) enum Then {
    Done,
    Recovery(RecoveryKey),
    /// The new device waits for the outcome, under this code.
    Linked(LinkCode),
}

impl Engine {
    /// Signs a device out, for good.
    pub fn revoke(&mut self, now: Millis, device: DeviceId) -> Result<Ticket, RequestError> {
        if device == self.me.device() {
            return Err(RequestError::Senseless(
                "this is the device that you use: revoke it from another one",
            ));
        }
        let account = self.people.get(&self.me.account());
        if account.is_none_or(|account| account.live(&device).is_none()) {
            return Err(RequestError::Senseless(
                "the account has no such device that is not revoked already",
            ));
        }
        self.change_chain(now, vec![ChainOp::RevokeDevice(device)], Then::Done)
    }

    /// A new recovery key, in place of an older one. The reply is the [`Reply::RecoveryKey`]: it is shown once.
    pub fn recovery_new(&mut self, now: Millis) -> Result<Ticket, RequestError> {
        let key = RecoveryKey::from_secret(self.entropy.array());
        let device = NewDevice::countersign(&key.device_keys(), DEVICE_NAME, &self.me.account());
        self.change_chain(now, vec![ChainOp::SetRecovery(device)], Then::Recovery(key))
    }

    fn change_chain(&mut self, now: Millis, ops: Vec<ChainOp>, then: Then) -> Result<Ticket, RequestError> {
        if !self.is_live() {
            return Err(RequestError::Offline);
        }
        let ticket = self.requests.ticket();
        self.send_chain(now, ChainJob { ticket: Some(ticket), ops, tries: 0, then });
        Ok(ticket)
    }

    /// Adds a device that answered the link offer.
    pub(crate) fn add_linked(&mut self, now: Millis, device: NewDevice, code: LinkCode, ticket: Ticket) {
        let job = ChainJob {
            ticket: Some(ticket),
            ops: vec![ChainOp::AddDevice(device)],
            tries: 0,
            then: Then::Linked(code),
        };
        self.send_chain(now, job);
    }

    fn send_chain(&mut self, now: Millis, job: ChainJob) {
        let at = self.at(now);
        let Some(account) = self.people.get(&self.me.account()) else {
            // Not even our own chain is here yet: it is on its way.
            self.requests.contended_chain.push(job);
            return;
        };
        let header = ChainHeader {
            account: account.id(),
            index: account.len(),
            previous: account.head(),
            author: self.me.device(),
            at,
            ops: job.ops.clone(),
        };
        let entry = ChainEntry::sign(&header, self.me.keys());
        let mut after = account.clone();
        if after.apply(&entry).is_err() {
            if let Then::Linked(code) = &job.then {
                self.not_linked(code);
            }
            if let Some(ticket) = job.ticket {
                self.reply(
                    ticket,
                    Err(RequestError::Senseless("the account has changed meanwhile, or is full")),
                );
            }
            return;
        }
        let raw = entry.raw().clone();
        let req = self.requests.open(Purpose::ChainJob { job, raw: raw.clone() });
        self.transmit(ClientFrame::AppendChain(Append { req, entry: raw }));
    }

    pub(crate) fn chain_appended(&mut self, job: ChainJob, raw: Bytes) {
        self.people.extend(&self.me.account(), vec![raw], &mut self.changes);
        // A relay put back may lack it: nobody who was signed out comes back in because of that.
        self.must_last = true;
        self.tell(Update::Devices);
        match (job.ticket, job.then) {
            (Some(ticket), Then::Done) => self.reply(ticket, Ok(Reply::Done)),
            (Some(ticket), Then::Recovery(key)) => self.reply(ticket, Ok(Reply::RecoveryKey(key))),
            (Some(ticket), Then::Linked(code)) => self.linked(&code, ticket),
            (None, _) => {}
        }
    }

    fn chain_refused(&mut self, job: ChainJob, code: ErrorCode) {
        if code == ErrorCode::Conflict && job.tries < CONTROL_TRIES_MAX {
            self.requests.contended_chain.push(ChainJob { tries: job.tries + 1, ..job });
            self.ask_chain(self.me.account());
            return;
        }
        if let Then::Linked(code) = &job.then {
            self.not_linked(code);
        }
        if let Some(ticket) = job.ticket {
            self.reply(ticket, Err(RequestError::Refused(code)));
        }
    }

    pub(crate) fn on_chain(&mut self, now: Millis, chain: Chain) -> Result<(), Fault> {
        let Some(Purpose::Chain { account }) = self.requests.take(chain.req) else { return Ok(()) };
        if chain.account != account {
            return Ok(());
        }
        self.load_account(&account)?;
        let taken = self.people.extend(&account, chain.entries, &mut self.changes);
        if chain.more && taken > 0 {
            self.forget_asked(&account);
            self.ask_chain(account);
            return Ok(());
        }
        if account == self.me.account() {
            self.own_chain_came(now, taken);
        }
        self.chain_came(now, account)
    }

    fn own_chain_came(&mut self, now: Millis, taken: u32) {
        if taken > 0 {
            self.must_last = true;
            self.tell(Update::Devices);
        }
        let device = self.me.device();
        if self.people.get(&self.me.account()).is_some_and(|account| account.live(&device).is_none()) {
            self.stop(Stopped::Revoked);
            return;
        }
        for job in std::mem::take(&mut self.requests.contended_chain) {
            self.send_chain(now, job);
        }
    }

    pub(crate) fn on_chain_grew(&mut self, grew: &ChainGrew) -> Result<(), Fault> {
        let known = self.load_account(&grew.account)?;
        if known > 0 && known < grew.len {
            self.ask_chain(grew.account);
        }
        Ok(())
    }

    /// Changes the account's name or handle; what is `None` stays.
    pub fn set_profile(
        &mut self,
        name: Option<String>,
        handle: Option<String>,
    ) -> Result<Ticket, RequestError> {
        self.ask(|req, ticket| {
            let frame = SetProfile { req, name: name.clone(), handle: handle.clone() };
            (ClientFrame::SetProfile(frame), Purpose::Profile { ticket, name, handle })
        })
    }

    /// Makes an invite. The reply is [`Reply::Invites`] with one of them.
    pub fn invite(
        &mut self,
        uses: u32,
        expires_in_s: u64,
        room: Option<RoomId>,
    ) -> Result<Ticket, RequestError> {
        self.ask(|req, ticket| {
            let frame = CreateInvite { req, uses, expires_in_s, room };
            (ClientFrame::CreateInvite(frame), Purpose::Invites { ticket })
        })
    }

    /// The link of an invite; `None` if its token is none.
    pub fn invite_link(&self, invite: &Invite) -> Option<InviteLink> {
        let Relay { address, pin } = self.me.relay().clone();
        let token = invite.token.as_ref().try_into().ok()?;
        Some(InviteLink { relay: address, token, pin, from: Some(self.me.account()), room: invite.room })
    }

    /// Whoever invited this account.
    pub fn inviter(&self) -> Option<Person> {
        self.me.inviter().map(|account| self.person(&account))
    }

    /// The room that the invite of this account leads to, once it was admitted.
    pub fn invited_to(&self) -> Option<RoomId> {
        self.invited_to
    }

    /// The open invites that this account made. The reply is [`Reply::Invites`].
    pub fn invites(&mut self) -> Result<Ticket, RequestError> {
        self.ask(|req, ticket| (ClientFrame::ListInvites(Request { req }), Purpose::Invites { ticket }))
    }

    /// Takes an invite back.
    pub fn revoke_invite(&mut self, token: Bytes) -> Result<Ticket, RequestError> {
        self.ask(|req, ticket| {
            (ClientFrame::RevokeInvite(RevokeInvite { req, token }), Purpose::Done { ticket })
        })
    }

    /// Lets the others in a room know that something is being written. Does nothing without a connection.
    pub fn typing(&mut self, room: RoomId) {
        if self.is_live() {
            self.transmit(ClientFrame::Typing(Typing { room, account: AccountId::ZERO }));
        }
    }

    /// Whether somebody is at the keyboard. Does nothing without a connection.
    pub fn presence(&mut self, away: bool) {
        if self.is_live() {
            self.transmit(ClientFrame::Presence(Presence { away }));
        }
    }

    pub(crate) fn ask(
        &mut self,
        make: impl FnOnce(u32, Ticket) -> (ClientFrame, Purpose),
    ) -> Result<Ticket, RequestError> {
        if !self.is_live() {
            return Err(RequestError::Offline);
        }
        let ticket = self.requests.ticket();
        // The number is needed for the frame, the frame's parts for the purpose.
        let req = self.requests.open(Purpose::Done { ticket });
        let (frame, purpose) = make(req, ticket);
        if !self.relay_reads.contains(&frame.code()) {
            // It would pass it over, and the person would wait for nothing.
            self.requests.take(req);
            return Err(RequestError::Refused(ErrorCode::Unsupported));
        }
        self.requests.put(req, purpose);
        self.transmit(frame);
        Ok(ticket)
    }

    pub(crate) fn on_done(&mut self, now: Millis, purpose: Option<Purpose>) {
        match purpose {
            Some(Purpose::Profile { ticket, name, handle }) => {
                let before = self.profile.clone();
                let profile = ProfileRow {
                    name: name.unwrap_or(before.name),
                    handle: handle.unwrap_or(before.handle),
                    admin: before.admin,
                };
                self.changes.put(Tree::Meta, keys::meta(PROFILE), encode(&profile));
                self.profile = profile;
                self.reply(ticket, Ok(Reply::Done));
            }
            Some(Purpose::Done { ticket } | Purpose::Invites { ticket }) => {
                self.reply(ticket, Ok(Reply::Done));
            }
            Some(Purpose::Slot(step)) => self.slot_written(now, step),
            Some(Purpose::Republish { room, through, count }) => {
                self.republished(now, &room, (through, count), None);
            }
            _ => {}
        }
    }

    pub(crate) fn on_refused(&mut self, now: Millis, refused: &Refused) -> Result<(), Fault> {
        let Refused { req, code, retry_in_ms } = *refused;
        let Some(purpose) = self.requests.take(req) else { return Ok(()) };
        match purpose {
            Purpose::Join { attempt } => self.on_join_refused(code, attempt),
            Purpose::Page { room, wanted, .. } => {
                self.fetch_refused(now, (room, Refusal::Page(wanted)), code, retry_in_ms)?;
            }
            Purpose::Control { room } => {
                self.fetch_refused(now, (room, Refusal::Control), code, retry_in_ms)?;
            }
            Purpose::Registers { room, wanted } => {
                self.fetch_refused(now, (room, Refusal::Registers(wanted)), code, retry_in_ms)?;
            }
            Purpose::Chain { account } => self.chain_came(now, account)?,
            Purpose::Register { room, key, .. } => {
                self.register_refused(now, room, key, code, retry_in_ms)?;
            }
            Purpose::Genesis { room, .. } => self.genesis_refused(now, room, code, retry_in_ms)?,
            Purpose::ControlJob { job, .. } => self.control_refused(job, code),
            Purpose::ChainJob { job, .. } => self.chain_refused(job, code),
            Purpose::Slot(step) => self.slot_refused(now, step, code),
            Purpose::Republish { room, through, count } => {
                self.republished(now, &room, (through, count), Some(code));
            }
            Purpose::Lookup { ticket, .. }
            | Purpose::Profile { ticket, .. }
            | Purpose::Invites { ticket }
            | Purpose::Administer { ticket, .. }
            | Purpose::Pushes { ticket }
            | Purpose::Done { ticket } => self.reply(ticket, Err(RequestError::Refused(code))),
            Purpose::Names | Purpose::Muted | Purpose::ChainAgain => {}
        }
        Ok(())
    }
}

/// The entry by which a recovery key signs in a new device: adds it, revokes the others, and sets a new recovery key.
pub(crate) fn recovery_entry(
    account: &kith_protocol::account::Account,
    recovery: &DeviceKeys,
    device: NewDevice,
    next: &RecoveryKey,
    at: Millis,
) -> ChainEntry {
    let mut ops = vec![ChainOp::AddDevice(device)];
    let others = account.live_devices().filter(|(id, _)| **id != recovery.id());
    ops.extend(others.map(|(id, _)| ChainOp::RevokeDevice(*id)));
    ops.push(ChainOp::SetRecovery(NewDevice::countersign(&next.device_keys(), DEVICE_NAME, &account.id())));
    let header = ChainHeader {
        account: account.id(),
        index: account.len(),
        previous: account.head(),
        author: recovery.id(),
        at,
        ops,
    };
    ChainEntry::sign(&header, recovery)
}
