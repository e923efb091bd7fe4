//! What an identified device may say, and who deals with it. No socket, no store, no clock of its own.

use super::conn::{Conn, Identity};
use super::reads::Read;
use super::registry::Registry;
use super::slots::Slots;
use super::writes::Write;
use bytes::Bytes;
use kith_protocol::chain::ChainEntry;
use kith_protocol::entry::Entry;
use kith_protocol::error::{CloseCode, ErrorCode};
use kith_protocol::frame::{ClientFrame, Rejected, ServerFrame};
use kith_protocol::ids::{AccountId, DeviceId, RoomId, TxnId};
use kith_protocol::register::Register;
use std::sync::Arc;

/// What follows from a frame.
pub enum Step {
    /// Nothing more.
    Done,
    /// To the writer.
    Write(Box<Write>),
    /// To a reader.
    Read(Read),
    /// The connection ends.
    Close(CloseCode),
}

/// The session of an identified device.
pub struct Session {
    conn: Arc<Conn>,
}

impl Session {
    /// A session on this connection.
    pub fn new(conn: Arc<Conn>) -> Self {
        Self { conn }
    }

    /// The connection.
    pub fn conn(&self) -> &Arc<Conn> {
        &self.conn
    }

    /// Takes one frame. `token` is random, for an invite, should one be asked for.
    pub fn handle_frame(&self, now: u64, bytes: &[u8], registry: &Registry, slots: &Slots) -> Step {
        let Ok(frame) = ClientFrame::decode(bytes) else { return Step::Close(CloseCode::ProtocolError) };
        match frame {
            ClientFrame::Send(send) => self.entry(send.run, send.entry),
            ClientFrame::AppendControl(append) => {
                self.signed(append.req, Entry::parse(append.entry).ok(), author_of_entry, Write::Control)
            }
            ClientFrame::AppendChain(append) => self.chain(append.req, append.entry),
            ClientFrame::SetRegister(append) => self.signed(
                append.req,
                Register::parse(append.entry).ok(),
                author_of_register,
                Write::Register,
            ),
            ClientFrame::Republish(offer) => self.republish(offer.req, offer.room, offer.entries),
            ClientFrame::SetProfile(set) => store(Write::Profile(set)),
            ClientFrame::CreateInvite(create) => match random_token() {
                Some(token) => store(Write::Invite(create, token)),
                None => self.refuse(create.req, ErrorCode::StorageFailed),
            },
            ClientFrame::RevokeInvite(revoke) => store(Write::RevokeInvite(revoke)),
            ClientFrame::Fetch(fetch) => Step::Read(Read::Page(fetch)),
            ClientFrame::FetchControl(fetch) => Step::Read(Read::Control(fetch)),
            ClientFrame::FetchChain(fetch) => Step::Read(Read::Chain(fetch)),
            ClientFrame::FetchRegisters(fetch) => Step::Read(Read::Registers(fetch)),
            ClientFrame::FetchHeads(request) => Step::Read(Read::Heads(request)),
            ClientFrame::Lookup(lookup) => Step::Read(Read::Lookup(lookup)),
            ClientFrame::ListInvites(request) => Step::Read(Read::Invites(request)),
            ClientFrame::Typing(typing) => {
                registry.typing(&self.conn, &typing.room);
                Step::Done
            }
            ClientFrame::Presence(presence) => {
                registry.presence(&self.conn, presence.away);
                Step::Done
            }
            ClientFrame::PutSlot(_) | ClientFrame::GetSlot(_) => {
                if let Some(answer) = slots.handle(now, &frame) {
                    self.conn.outbound.answer(answer.encode());
                }
                Step::Done
            }
            ClientFrame::Identify(_) | ClientFrame::Join(_) => Step::Close(CloseCode::ProtocolError),
            ClientFrame::Unknown(_) => Step::Done,
        }
    }

    fn entry(&self, run: u32, raw: Bytes) -> Step {
        match Entry::parse(raw) {
            Ok(entry) if author_of_entry(&entry) == self.me() => store(Write::Entry(run, entry)),
            Ok(entry) => self.reject(entry.room(), entry.header().txn, run, ErrorCode::Denied),
            Err(_) => self.reject(RoomId::ZERO, TxnId::ZERO, run, ErrorCode::Malformed),
        }
    }

    fn reject(&self, room: RoomId, txn: TxnId, run: u32, code: ErrorCode) -> Step {
        self.conn.stall(run);
        let rejected = Rejected { room, txn, run, code, retry_in_ms: 0 };
        self.conn.outbound.answer(ServerFrame::Rejected(rejected).encode());
        Step::Done
    }

    fn signed<T>(
        &self,
        req: u32,
        parsed: Option<T>,
        author: impl Fn(&T) -> (AccountId, DeviceId),
        write: impl Fn(u32, T) -> Write,
    ) -> Step {
        match parsed {
            None => self.refuse(req, ErrorCode::Malformed),
            Some(signed) if author(&signed) != self.me() => self.refuse(req, ErrorCode::Denied),
            Some(signed) => store(write(req, signed)),
        }
    }

    fn chain(&self, req: u32, raw: Bytes) -> Step {
        match ChainEntry::parse(raw) {
            Err(_) => self.refuse(req, ErrorCode::Malformed),
            // Whichever of the account's devices signed: after a restore any of them brings back what was lost.
            Ok(entry) if entry.header().account != self.conn.identity.account => {
                self.refuse(req, ErrorCode::Denied)
            }
            Ok(entry) => store(Write::Chain(req, entry)),
        }
    }

    fn republish(&self, req: u32, room: RoomId, raw: Vec<Bytes>) -> Step {
        match raw.into_iter().map(Entry::parse).collect() {
            Err(_) => self.refuse(req, ErrorCode::Malformed),
            Ok(entries) => store(Write::Republish(req, room, entries)),
        }
    }

    fn refuse(&self, req: u32, code: ErrorCode) -> Step {
        self.conn.refuse(req, code);
        Step::Done
    }

    fn me(&self) -> (AccountId, DeviceId) {
        let Identity { account, device, .. } = self.conn.identity;
        (account, device)
    }
}

fn store(write: Write) -> Step {
    Step::Write(Box::new(write))
}

fn author_of_entry(entry: &Entry) -> (AccountId, DeviceId) {
    (entry.header().account, entry.header().device)
}

fn author_of_register(register: &Register) -> (AccountId, DeviceId) {
    (register.header().account, register.header().device)
}

/// A fresh secret for an invite; `None` if the system has no randomness to give.
pub fn random_token() -> Option<[u8; 16]> {
    let mut token = [0; 16];
    getrandom::fill(&mut token).ok().map(|()| token)
}
