//! Changes of members and rights: compare-and-set on the room's control head, tried again when somebody else's came first.

use super::arrivals::Tried;
use super::engine::Engine;
use super::error::{Fault, RequestError};
use super::ingest::Origin;
use super::limits::CONTROL_TRIES_MAX;
use super::model::Millis;
use super::requests::{Purpose, Reply, Ticket, retry_at};
use bytes::Bytes;
use kith_protocol::entry::{Entry, Header, KEY_SOURCE_PLAIN, Kind};
use kith_protocol::error::ErrorCode;
use kith_protocol::event::{Setting, Words};
use kith_protocol::frame::{Append, Appended, ClientFrame};
use kith_protocol::ids::{AccountId, Hash, RoomId, Seq, TxnId};
use kith_protocol::limits::OPS_MAX;
use kith_protocol::room::{ControlError, ControlOp, Role, direct_ops, group_ops};

/// A change that a person asked for.
#[derive(Debug)]
pub(crate) struct ControlJob {
    pub(crate) ticket: Ticket,
    room: RoomId,
    ops: Vec<ControlOp>,
    tries: u32,
    /// The name of a room that this makes.
    name: Option<String>,
}

/// People that a group begins with, beside its maker.
const GROUP_OTHERS_MAX: usize = OPS_MAX - 2;

impl Engine {
    /// Makes a group. The reply is its [`Reply::Room`].
    pub fn create_room(
        &mut self,
        now: Millis,
        name: &str,
        others: &[AccountId],
    ) -> Result<Ticket, RequestError> {
        if others.len() > GROUP_OTHERS_MAX {
            return Err(RequestError::Senseless(
                "a group begins with at most 253 others; add the rest afterwards",
            ));
        }
        if !self.is_live() {
            return Err(RequestError::Offline);
        }
        let ops = group_ops(self.me.account(), self.entropy.array(), others.iter().copied());
        let entry = self.sign_control(now, RoomId::ZERO, 0, Hash::ZERO, (Seq::ZERO, Hash::ZERO), ops);
        let ticket = self.requests.ticket();
        let job =
            ControlJob { ticket, room: entry.room(), ops: Vec::new(), tries: 0, name: Some(name.to_owned()) };
        self.send_control(job, entry.raw().clone());
        Ok(ticket)
    }

    /// Adds somebody to a group.
    pub fn add_member(
        &mut self,
        now: Millis,
        room: &RoomId,
        who: AccountId,
        role: Role,
    ) -> Result<Ticket, RequestError> {
        self.change_room(now, room, vec![ControlOp::Add(who, role)])
    }

    /// Sends somebody away, or leaves.
    pub fn remove_member(
        &mut self,
        now: Millis,
        room: &RoomId,
        who: AccountId,
    ) -> Result<Ticket, RequestError> {
        self.change_room(now, room, vec![ControlOp::Remove(who)])
    }

    /// Leaves a group.
    pub fn leave(&mut self, now: Millis, room: &RoomId) -> Result<Ticket, RequestError> {
        self.remove_member(now, room, self.me.account())
    }

    /// Changes somebody's rights.
    pub fn set_role(
        &mut self,
        now: Millis,
        room: &RoomId,
        who: AccountId,
        role: Role,
    ) -> Result<Ticket, RequestError> {
        self.change_room(now, room, vec![ControlOp::SetRole(who, role)])
    }

    /// Changes members or rights, all of it or nothing.
    pub fn change_room(
        &mut self,
        now: Millis,
        room: &RoomId,
        ops: Vec<ControlOp>,
    ) -> Result<Ticket, RequestError> {
        if !self.is_live() {
            return Err(RequestError::Offline);
        }
        let entry = self.prepare_control(now, room, ops.clone())?;
        let ticket = self.requests.ticket();
        self.send_control(ControlJob { ticket, room: *room, ops, tries: 0, name: None }, entry);
        Ok(ticket)
    }

    fn prepare_control(
        &mut self,
        now: Millis,
        id: &RoomId,
        ops: Vec<ControlOp>,
    ) -> Result<Bytes, RequestError> {
        self.load_fold(id)?;
        let room = self.rooms.get(id).ok_or(RequestError::NoRoom)?;
        let fold = room.fold.as_ref().ok_or(RequestError::NoRoom)?;
        let mut after = fold.room.clone();
        let (index, head) = (after.control_len(), after.control_head());
        let (seen, next) = ((room.row.solid, room.row.hash), room.row.newest().next());
        let entry = self.sign_control(now, *id, index, head, seen, ops);
        let author = self.people.get(&self.me.account()).ok_or(RequestError::Offline)?;
        after.apply(&entry, author, next).map_err(|error| match error {
            ControlError::Denied => RequestError::Denied,
            ControlError::Unlinked => RequestError::Contended,
            ControlError::Stranger | ControlError::BadSignature => {
                RequestError::Refused(ErrorCode::BadSignature)
            }
            ControlError::Senseless => RequestError::Senseless("they are in that room already, or not in it"),
        })?;
        Ok(entry.raw().clone())
    }

    fn sign_control(
        &mut self,
        now: Millis,
        room: RoomId,
        index: u32,
        control_head: Hash,
        (seen_seq, seen_hash): (Seq, Hash),
        ops: Vec<ControlOp>,
    ) -> Entry {
        let at = self.at(now);
        let header = Header {
            key_source: KEY_SOURCE_PLAIN,
            room,
            account: self.me.account(),
            device: self.me.device(),
            chain_len: self.people.len(&self.me.account()),
            control_head,
            seen_seq,
            seen_hash,
            txn: TxnId::new(at, self.entropy.array()),
            at,
            kind: Kind::Control { index, ops },
        };
        Entry::sign(&header, &[], self.me.keys())
    }

    fn send_control(&mut self, job: ControlJob, raw: Bytes) {
        let req = self.requests.open(Purpose::ControlJob { job, raw: raw.clone() });
        self.transmit(ClientFrame::AppendControl(Append { req, entry: raw }));
    }

    pub(crate) fn on_appended(&mut self, now: Millis, appended: &Appended) -> Result<(), Fault> {
        match self.requests.take(appended.req) {
            Some(Purpose::ControlJob { job, raw }) => {
                let id = job.room;
                self.own_control(now, id, appended.seq, raw)?;
                if let Some(name) = &job.name {
                    let name = Setting::RoomName(Words { text: name.clone() });
                    self.set_register(now, id, &name)?;
                    if let Setting::RoomName(words) = name {
                        self.change_row(&id, |row| row.name = words.text);
                    }
                    self.reply(job.ticket, Ok(Reply::Room(id)));
                } else {
                    self.reply(job.ticket, Ok(Reply::Done));
                }
            }
            Some(Purpose::Genesis { room, raw }) => self.own_control(now, room, appended.seq, raw)?,
            Some(Purpose::ChainJob { job, raw }) => self.chain_appended(job, raw),
            _ => {}
        }
        Ok(())
    }

    /// A control entry of ours has its place.
    fn own_control(&mut self, now: Millis, id: RoomId, seq: Seq, raw: Bytes) -> Result<(), Fault> {
        self.rooms.entry(id).or_default();
        let tried = Tried { chains: true, control: true };
        self.take_entries(now, id, seq, &[raw], Origin::Own, tried)?;
        self.raise_head(&id, seq);
        Ok(())
    }

    pub(crate) fn control_refused(&mut self, job: ControlJob, code: ErrorCode) {
        if code == ErrorCode::Conflict && job.tries < CONTROL_TRIES_MAX && job.name.is_none() {
            let room = job.room;
            self.requests.contended.push(ControlJob { tries: job.tries + 1, ..job });
            self.ask_control(room);
            return;
        }
        let answer = match code {
            ErrorCode::Conflict => RequestError::Contended,
            ErrorCode::Denied => RequestError::Denied,
            code => RequestError::Refused(code),
        };
        self.reply(job.ticket, Err(answer));
    }

    /// News of a room's members: what was refused for the lack of it is tried again.
    pub(crate) fn controls_came(&mut self, now: Millis, id: &RoomId) -> Result<(), Fault> {
        let (again, others) =
            std::mem::take(&mut self.requests.contended).into_iter().partition(|job| job.room == *id);
        self.requests.contended = others;
        let again: Vec<ControlJob> = again;
        for job in again {
            match self.prepare_control(now, id, job.ops.clone()) {
                Ok(entry) => self.send_control(job, entry),
                Err(RequestError::Read(error)) => return Err(error.into()),
                Err(error) => self.reply(job.ticket, Err(error)),
            }
        }
        Ok(())
    }

    /// Whether messages can be sent to a room. A direct chat that nobody has opened yet is opened.
    pub(crate) fn room_ready(
        &mut self,
        now: Millis,
        id: &RoomId,
        partner: Option<AccountId>,
    ) -> Result<bool, Fault> {
        self.load_fold(id)?;
        let room = self.rooms.entry(*id).or_default();
        if room.fold.is_some() {
            // On a relay put back, nothing is signed before it is known what stands where.
            return Ok(room.resync.is_none() && (!self.resyncing || self.sync.heads_done()));
        }
        let Some(partner) = partner.filter(|_| self.sync.heads_done() && room.row.head.seq == Seq::ZERO)
        else {
            return Ok(false);
        };
        let opening =
            self.requests.count(|purpose| matches!(purpose, Purpose::Genesis { room, .. } if room == id));
        if opening == 0 {
            let ops = direct_ops(self.me.account(), partner);
            let entry = self.sign_control(now, *id, 0, Hash::ZERO, (Seq::ZERO, Hash::ZERO), ops);
            let raw = entry.raw().clone();
            let req = self.requests.open(Purpose::Genesis { room: *id, raw: raw.clone() });
            self.transmit(ClientFrame::AppendControl(Append { req, entry: raw }));
        }
        Ok(false)
    }

    pub(crate) fn genesis_refused(
        &mut self,
        now: Millis,
        id: RoomId,
        code: ErrorCode,
        retry_in_ms: u64,
    ) -> Result<(), Fault> {
        match code {
            // The other one came first: the same room, by the same name.
            ErrorCode::Conflict => self.raise_head(&id, Seq(1)),
            code if code.is_passing() => self.outbox.hold(retry_at(now, retry_in_ms)),
            code => self.fail_room(&id, code)?,
        }
        Ok(())
    }
}
