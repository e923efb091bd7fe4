//! A device that speaks the protocol by hand.

use super::relay::Relay;
use super::wire::Wire;
use super::{refusal, req_of};
use bytes::Bytes;
use kith_protocol::account::Account;
use kith_protocol::chain::{ChainEntry, ChainHeader, ChainOp, NewDevice};
use kith_protocol::entry::{Entry, Header, Kind};
use kith_protocol::error::ErrorCode;
use kith_protocol::event::{Event, Text};
use kith_protocol::frame::{
    Append, ClientFrame, Fetch, Head, Heads, Hello, Identify, Join, Rejected, Republish, Request, Send,
    ServerFrame, Welcome,
};
use kith_protocol::ids::{AccountId, Hash, RegisterKey, Rev, RoomId, Seq, TxnId};
use kith_protocol::keys::{Challenge, DeviceKeys};
use kith_protocol::register::{Register, RegisterHeader, Scope};
use kith_protocol::room::{ControlOp, direct_ops, group_ops, own_ops};

/// A device with its keys, and what it needs to write.
pub struct Device {
    pub keys: DeviceKeys,
    pub account: AccountId,
    pub chain_len: u32,
    pub wire: Wire,
    pub heads: Vec<Head>,
    /// The account's chain, as far as this device wrote it.
    pub fold: Account,
    txns: u64,
    reqs: u32,
}

/// A group, as its author knows it.
pub struct Group {
    pub id: RoomId,
    pub head: Hash,
    pub index: u32,
}

impl Device {
    /// A new account by this name, with its first device.
    pub async fn join(relay: &Relay, seed: u8, handle: &str) -> Self {
        let token = relay.invite().await;
        let keys = keys(seed);
        let genesis = ChainEntry::genesis(&keys, "laptop", 1);
        let mut wire = relay.connect().await;
        let hello = wire.hello().await;
        let mut device = Self::new(keys, Account::genesis(&genesis).unwrap(), wire);
        let join = device.joining(&hello, &token, handle);
        device.wire.say(&ClientFrame::Join(join)).await;
        device.welcomed().await;
        device
    }

    /// A device of this account on this connection, whether the relay knows it or not.
    pub fn new(keys: DeviceKeys, fold: Account, wire: Wire) -> Self {
        let (account, chain_len) = (fold.id(), fold.len());
        Self { keys, account, chain_len, wire, heads: Vec::new(), fold, txns: 0, reqs: 1000 }
    }

    /// What a newcomer says who answers this hello.
    pub fn joining(&mut self, hello: &Hello, token: &[u8], handle: &str) -> Join {
        let account = self.account;
        let genesis = ChainEntry::genesis(&self.keys, "laptop", 1);
        let own_room = self.control(RoomId::own(&account), Hash::ZERO, 0, own_ops(account));
        Join {
            version: kith_protocol::VERSION,
            req: 1,
            token: Bytes::copy_from_slice(token),
            handle: handle.into(),
            name: handle.into(),
            genesis: genesis.raw().clone(),
            own_room: own_room.raw().clone(),
            answer: self.answer(hello),
        }
    }

    /// A second device of the same account.
    pub async fn link(&mut self, relay: &Relay, seed: u8) -> Self {
        let new = keys(seed);
        let op = ChainOp::AddDevice(NewDevice::countersign(&new, "phone", &self.account));
        self.append_chain(vec![op]).await.unwrap();
        let mut device = Self::new(new, self.fold.clone(), relay.connect().await);
        device.identified().await;
        device
    }

    /// The next entry of the account's chain.
    pub fn chain_entry(&self, ops: Vec<ChainOp>) -> ChainEntry {
        let header = ChainHeader {
            account: self.account,
            index: self.fold.len(),
            previous: self.fold.head(),
            author: self.keys.id(),
            at: 1,
            ops,
        };
        ChainEntry::sign(&header, &self.keys)
    }

    pub async fn append_chain(&mut self, ops: Vec<ChainOp>) -> Result<(), ErrorCode> {
        let entry = self.chain_entry(ops);
        let raw = entry.raw().clone();
        match self.ask(|req| ClientFrame::AppendChain(Append { req, entry: raw })).await {
            ServerFrame::Appended(_) => {
                self.fold.apply(&entry).unwrap();
                self.chain_len = self.fold.len();
                Ok(())
            }
            other => Err(refusal(&other)),
        }
    }

    /// Asks, and waits for the answer; what is pushed in between is dropped.
    pub async fn ask(&mut self, frame: impl FnOnce(u32) -> ClientFrame) -> ServerFrame {
        self.reqs += 1;
        let req = self.reqs;
        self.wire.say(&frame(req)).await;
        self.wire.until(|answer| (req_of(&answer) == Some(req)).then_some(answer)).await
    }

    /// What became of the next entry that was sent.
    pub async fn verdict(&mut self) -> Result<Seq, Rejected> {
        self.wire
            .until(|frame| match frame {
                ServerFrame::Acks(acks) => Some(Ok(acks.acks[0].seq)),
                ServerFrame::Rejected(rejected) => Some(Err(rejected)),
                _ => None,
            })
            .await
    }

    /// Sends a text and waits for what becomes of it.
    pub async fn post(&mut self, run: u32, room: RoomId, text: &str) -> Result<Seq, ErrorCode> {
        let entry = self.text(room, text);
        self.send(run, &entry).await;
        self.verdict().await.map_err(|rejected| rejected.code)
    }

    /// Where a room stands, as far as the relay tells this device.
    pub async fn head(&mut self, room: RoomId) -> Option<Head> {
        self.wire.say(&ClientFrame::FetchHeads(Request { req: 9 })).await;
        let mut found = None;
        loop {
            if let ServerFrame::Heads(Heads { heads, done }) = self.wire.hear().await {
                found = heads.into_iter().find(|head| head.room == room).or(found);
                if done {
                    return found;
                }
            }
        }
    }

    /// A part of a timeline.
    pub async fn fetch(&mut self, room: RoomId, after: u64) -> Result<Vec<Bytes>, ErrorCode> {
        let (after, before) = (Seq(after), Seq(u64::MAX));
        let fetch = |req| ClientFrame::Fetch(Fetch { req, room, after, before, newest: false, limit: 1000 });
        match self.ask(fetch).await {
            ServerFrame::Page(page) => Ok(page.entries),
            other => Err(refusal(&other)),
        }
    }

    pub fn register(&mut self, room: RoomId, scope: Scope, key: u16, replaces: Rev) -> Register {
        let mut name = [0; 32];
        name[..2].copy_from_slice(&key.to_be_bytes());
        self.txns += 1;
        let header = RegisterHeader {
            key_source: 0,
            scope,
            room,
            account: self.account,
            device: self.keys.id(),
            chain_len: self.chain_len,
            control_head: Hash::ZERO,
            replaces,
            key: RegisterKey(name),
            at: self.txns,
        };
        Register::sign(&header, b"value", &self.keys)
    }

    pub async fn set(&mut self, register: &Register) -> Result<Rev, ErrorCode> {
        let entry = register.raw().clone();
        match self.ask(|req| ClientFrame::SetRegister(Append { req, entry })).await {
            ServerFrame::RegisterSet(set) => Ok(set.rev),
            other => Err(refusal(&other)),
        }
    }

    pub async fn open_group(&mut self, others: &[AccountId]) -> Group {
        self.txns += 1;
        let ops = group_ops(self.account, u128::from(self.txns).to_be_bytes(), others.iter().copied());
        let genesis = self.control(RoomId::ZERO, Hash::ZERO, 0, ops);
        self.append_control(&genesis).await.unwrap();
        Group { id: genesis.room(), head: genesis.digest(), index: 1 }
    }

    /// The next control entry of a group.
    pub async fn change(&mut self, group: &mut Group, ops: Vec<ControlOp>) -> Result<Seq, ErrorCode> {
        let entry = self.control(group.id, group.head, group.index, ops);
        let seq = self.append_control(&entry).await?;
        (group.head, group.index) = (entry.digest(), group.index + 1);
        Ok(seq)
    }

    pub fn redaction(&mut self, room: RoomId, target: Seq, of: &Entry) -> Entry {
        let header = self.header(room, Kind::Redaction { target, digest: of.digest() });
        Entry::sign(&header, b"", &self.keys)
    }

    pub async fn republish(&mut self, room: RoomId, entries: &[&Entry]) -> Result<(), ErrorCode> {
        let entries = entries.iter().map(|entry| entry.raw().clone()).collect();
        match self.ask(|req| ClientFrame::Republish(Republish { req, room, entries })).await {
            ServerFrame::Done(_) => Ok(()),
            other => Err(refusal(&other)),
        }
    }

    /// The same device on a new connection.
    pub async fn reconnect(&mut self, relay: &Relay) {
        self.wire = relay.connect().await;
        self.identified().await;
    }

    async fn identified(&mut self) {
        let identify = self.identify().await;
        self.wire.say(&ClientFrame::Identify(identify)).await;
        self.welcomed().await;
    }

    /// The right answer to the hello that comes.
    pub async fn identify(&mut self) -> Identify {
        let hello = self.wire.hello().await;
        Identify {
            version: kith_protocol::VERSION,
            account: self.account,
            device: self.keys.id(),
            answer: self.answer(&hello),
        }
    }

    /// Comes on a new connection and is turned away.
    pub async fn turned_away(&mut self, relay: &Relay) -> Option<u16> {
        self.wire = relay.connect().await;
        let identify = self.identify().await;
        self.wire.say(&ClientFrame::Identify(identify)).await;
        self.wire.closed().await
    }

    pub async fn welcomed(&mut self) -> Welcome {
        let welcome = self
            .wire
            .until(|frame| match frame {
                ServerFrame::Welcome(welcome) => Some(welcome),
                ServerFrame::Refused(refused) => panic!("refused: {:?}", refused.code),
                _ => None,
            })
            .await;
        self.heads = self
            .wire
            .until(|frame| match frame {
                ServerFrame::Heads(Heads { heads, done: true }) => Some(heads),
                _ => None,
            })
            .await;
        welcome
    }

    pub fn answer(&self, hello: &Hello) -> Bytes {
        let nonce = hello.nonce.as_ref().try_into().unwrap();
        let challenge = Challenge { incarnation: hello.incarnation, nonce };
        Bytes::copy_from_slice(&self.keys.answer(&challenge))
    }

    pub fn header(&mut self, room: RoomId, kind: Kind) -> Header {
        self.txns += 1;
        Header {
            key_source: 0,
            room,
            account: self.account,
            device: self.keys.id(),
            chain_len: self.chain_len,
            control_head: Hash::ZERO,
            seen_seq: Seq::ZERO,
            seen_hash: Hash::ZERO,
            txn: TxnId(u128::from(self.txns).to_be_bytes()),
            at: 1,
            kind,
        }
    }

    pub fn control(&mut self, room: RoomId, head: Hash, index: u32, ops: Vec<ControlOp>) -> Entry {
        let header = Header { control_head: head, ..self.header(room, Kind::Control { index, ops }) };
        Entry::sign(&header, &[], &self.keys)
    }

    pub fn text(&mut self, room: RoomId, text: &str) -> Entry {
        let event = Event::Text(Text::plain(text));
        let header = self.header(room, Kind::Message);
        Entry::sign(&header, &event.encode(), &self.keys)
    }

    /// Opens the direct chat with somebody.
    pub async fn open_direct(&mut self, other: &AccountId) -> RoomId {
        let room = RoomId::direct(&self.account, other);
        let entry = self.control(room, Hash::ZERO, 0, direct_ops(self.account, *other));
        self.append_control(&entry).await.unwrap();
        room
    }

    pub async fn append_control(&mut self, entry: &Entry) -> Result<Seq, ErrorCode> {
        let append = Append { req: 77, entry: entry.raw().clone() };
        self.wire.say(&ClientFrame::AppendControl(append)).await;
        self.wire
            .until(|frame| match frame {
                ServerFrame::Appended(appended) if appended.req == 77 => Some(Ok(appended.seq)),
                ServerFrame::Refused(refused) if refused.req == 77 => Some(Err(refused.code)),
                _ => None,
            })
            .await
    }

    pub async fn send(&mut self, run: u32, entry: &Entry) {
        self.wire.say(&ClientFrame::Send(Send { run, entry: entry.raw().clone() })).await;
    }

    /// The places of the next acknowledged entries.
    pub async fn acked(&mut self, count: usize) -> Vec<(TxnId, Seq)> {
        let mut found = Vec::new();
        while found.len() < count {
            match self.wire.hear().await {
                ServerFrame::Acks(acks) => found.extend(acks.acks.iter().map(|ack| (ack.txn, ack.seq))),
                ServerFrame::Rejected(rejected) => panic!("rejected: {:?}", rejected.code),
                _ => {}
            }
        }
        found
    }

    /// The next pushed entries of a room.
    pub async fn pushed(&mut self, room: RoomId) -> (Seq, Vec<Entry>) {
        self.wire
            .until(|frame| match frame {
                ServerFrame::Entries(pushed) if pushed.room == room => {
                    let entries = pushed.entries.into_iter().map(|raw| Entry::parse(raw).unwrap()).collect();
                    Some((pushed.first, entries))
                }
                _ => None,
            })
            .await
    }
}

pub fn keys(seed: u8) -> DeviceKeys {
    DeviceKeys::from_seeds(&[seed; 32], &[seed ^ 0xaa; 32])
}
