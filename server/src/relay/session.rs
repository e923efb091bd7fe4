//! What an identified device may say, and who deals with it. No socket, no store, no clock of its own.

use super::conn::{Conn, Identity};
use super::reads::Read;
use super::registry::Registry;
use super::slots::{Opener, Slots};
use super::writes::{PushWrite, Write};
use crate::push::Place;
use bytes::Bytes;
use kith_protocol::chain::ChainEntry;
use kith_protocol::entry::Entry;
use kith_protocol::error::{CloseCode, ErrorCode};
use kith_protocol::frame::{AddPush, Administer, ClientFrame, PushOf, PushSaid, Rejected, ServerFrame};
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
    /// To the operator.
    Administer(Administer),
    /// To the courier.
    TestPush(PushOf),
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
            ClientFrame::SetPush(set) => store(Write::Push(PushWrite::Wish(set))),
            ClientFrame::ListPushes(request) => Step::Read(Read::Pushes(request)),
            ClientFrame::AddPush(add) => self.add_push(&add),
            ClientFrame::RemovePush(of) => store(Write::Push(PushWrite::Remove(of))),
            ClientFrame::TestPush(of) => Step::TestPush(of),
            ClientFrame::Typing(typing) => {
                registry.typing(&self.conn, &typing.room);
                Step::Done
            }
            ClientFrame::Presence(presence) => {
                registry.presence(&self.conn, presence.away);
                Step::Done
            }
            ClientFrame::Administer(ask) => Step::Administer(ask),
            ClientFrame::PutSlot(_) | ClientFrame::GetSlot(_) => {
                let opener = Opener::Account(self.conn.identity.account);
                if let Some(answer) = slots.handle_from(Some(opener), now, &frame) {
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

    fn add_push(&self, add: &AddPush) -> Step {
        let req = add.req;
        match (Place::parse(&add.kind, &add.options), random_token()) {
            (Ok(place), Some(id)) => store(Write::Push(PushWrite::Add { req, id, place })),
            (Ok(_), None) => self.refuse(req, ErrorCode::StorageFailed),
            (Err(why), _) => {
                let said = ServerFrame::PushSaid(PushSaid { req, failure: Some(why) });
                self.conn.outbound.answer(said.encode());
                Step::Done
            }
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::relay::outbound::{Next, Outbound};
    use kith_protocol::entry::{Header, Kind};
    use kith_protocol::frame::{self, Append, Refused, Request, Send};
    use kith_protocol::ids::{Hash, Seq};
    use kith_protocol::keys::DeviceKeys;

    fn keys() -> DeviceKeys {
        DeviceKeys::from_seeds(&[1; 32], &[2; 32])
    }

    fn session() -> Session {
        let (account, device) = (AccountId([1; 32]), keys().id());
        let identity = Identity { account, device, recovery: false, version: 1 };
        Session::new(Conn::new(identity, Outbound::new(9, 9999)))
    }

    fn entry(account: u8) -> Entry {
        let header = Header {
            key_source: 0,
            room: RoomId([3; 16]),
            account: AccountId([account; 32]),
            device: keys().id(),
            chain_len: 1,
            control_head: Hash::ZERO,
            seen_seq: Seq::ZERO,
            seen_hash: Hash::ZERO,
            txn: TxnId([4; 16]),
            at: 1,
            kind: Kind::Message,
        };
        Entry::sign(&header, b"body", &keys())
    }

    fn step(session: &Session, frame: &ClientFrame) -> Step {
        session.handle_frame(1, &frame.encode(), &Registry::default(), &Slots::new(9))
    }

    fn answer(session: &Session) -> ServerFrame {
        match session.conn().outbound.next() {
            Some(Next::Frame(bytes)) => ServerFrame::decode(&bytes).unwrap(),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn what_is_no_frame_ends_the_session() {
        let session = session();
        for bytes in [&b""[..], b"\x0a", b"\x0a\xc1", b"\x14nonsense"] {
            let step = session.handle_frame(1, bytes, &Registry::default(), &Slots::new(9));
            assert!(matches!(step, Step::Close(CloseCode::ProtocolError)), "{bytes:?}");
        }
        assert!(matches!(step(&session, &ClientFrame::Unknown(250)), Step::Done), "a newer client's");
        assert_eq!(session.conn().outbound.next(), None);
    }

    #[test]
    fn entries_go_to_the_writer_and_questions_to_a_reader() {
        let session = session();
        let send = ClientFrame::Send(Send { run: 7, entry: entry(1).raw().clone() });
        let Step::Write(write) = step(&session, &send) else { panic!() };
        assert!(matches!(*write, Write::Entry(7, it) if it == entry(1)));
        let heads = ClientFrame::FetchHeads(Request { req: 5 });
        assert!(matches!(step(&session, &heads), Step::Read(Read::Heads(Request { req: 5 }))));
        assert_eq!(session.conn().outbound.next(), None);
    }

    #[test]
    fn an_entry_of_somebody_else_stalls_its_run() {
        let session = session();
        let send = ClientFrame::Send(Send { run: 7, entry: entry(9).raw().clone() });
        assert!(matches!(step(&session, &send), Step::Done));
        let room = RoomId([3; 16]);
        let txn = TxnId([4; 16]);
        let rejected = Rejected { room, txn, run: 7, code: ErrorCode::Denied, retry_in_ms: 0 };
        assert_eq!(answer(&session), ServerFrame::Rejected(rejected));
        assert!(session.conn().is_stalled(7) && !session.conn().is_stalled(8));
        let nonsense = ClientFrame::Send(Send { run: 8, entry: Bytes::from_static(b"nonsense") });
        assert!(matches!(step(&session, &nonsense), Step::Done));
        assert!(matches!(answer(&session), ServerFrame::Rejected(it) if it.code == ErrorCode::Malformed));
        assert!(session.conn().is_stalled(8));
    }

    #[test]
    fn what_cannot_be_read_is_refused_by_its_number() {
        let session = session();
        let entry = Bytes::from_static(b"nonsense");
        let append = |req| Append { req, entry: entry.clone() };
        let republish = frame::Republish { req: 4, room: RoomId::ZERO, entries: vec![entry.clone()] };
        let frames = [
            ClientFrame::AppendControl(append(1)),
            ClientFrame::AppendChain(append(2)),
            ClientFrame::SetRegister(append(3)),
            ClientFrame::Republish(republish),
        ];
        for (frame, req) in frames.iter().zip(1..) {
            assert!(matches!(step(&session, frame), Step::Done));
            let refused = Refused { req, code: ErrorCode::Malformed, retry_in_ms: 0 };
            assert_eq!(answer(&session), ServerFrame::Refused(refused));
        }
    }
}
