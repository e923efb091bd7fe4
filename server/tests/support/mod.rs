//! A relay in this process and devices that speak the protocol by hand.
#![allow(dead_code, unreachable_pub, clippy::unwrap_used, clippy::missing_panics_doc, reason = "support: each test uses its part")]

use bytes::Bytes;
use futures_util::{SinkExt, StreamExt};
use kith_protocol::chain::ChainEntry;
use kith_protocol::entry::{Entry, Header, Kind};
use kith_protocol::event::{Event, Text};
use kith_protocol::frame::{Append, ClientFrame, Heads, Hello, Identify, Join, Send, ServerFrame, Welcome};
use kith_protocol::ids::{AccountId, Hash, Incarnation, RoomId, Seq, TxnId};
use kith_protocol::keys::{Challenge, DeviceKeys};
use kith_protocol::room::{ControlOp, direct_ops, own_ops};
use kith_relay::clock::Clock;
use kith_relay::config::{Config, Live};
use kith_relay::listen::Peer;
use kith_relay::metrics::Metrics;
use kith_relay::relay::hub::{Hub, Threads};
use kith_relay::relay::writes::Write;
use kith_relay::store::sqlite::SqliteEngine;
use kith_relay::store::{InviteRow, RelayRole};
use std::net::{IpAddr, Ipv4Addr};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::DuplexStream;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::Role;

pub struct Relay {
    pub hub: Arc<Hub>,
    threads: Threads,
}

impl Relay {
    pub fn open(folder: &Path) -> Self {
        Self::open_with(folder, Config::default())
    }

    pub fn open_with(folder: &Path, config: Config) -> Self {
        let engine = SqliteEngine::open(&folder.join("relay.db"), Incarnation([7; 16])).unwrap();
        let (hub, threads) =
            Hub::start(Box::new(engine), Live::new(config), Arc::new(Metrics::new()), Clock::system())
                .unwrap();
        Self { hub, threads }
    }

    pub async fn invite(&self) -> [u8; 16] {
        let token = [9; 16];
        let role = RelayRole::Member;
        let invite = InviteRow { token, uses: 1000, expires_at: i64::MAX as u64, role, room: None, by: None };
        self.hub.ask(Write::PutInvite(invite)).await.unwrap();
        token
    }

    pub async fn connect(&self) -> Wire {
        let (ours, theirs) = tokio::io::duplex(64 * 1024);
        let config = kith_relay::http::websocket_config(&self.hub.live.load().limits);
        let server = WebSocketStream::from_raw_socket(theirs, Role::Server, Some(config)).await;
        let peer = Peer::unplaced(IpAddr::V4(Ipv4Addr::LOCALHOST));
        tokio::spawn(Arc::clone(&self.hub).serve(server, peer));
        Wire(WebSocketStream::from_raw_socket(ours, Role::Client, None).await)
    }

    /// Ends the relay and waits until all is written. All devices must be gone.
    pub async fn close(self) {
        self.hub.shut_down(Duration::ZERO);
        drop(self.hub);
        tokio::task::spawn_blocking(move || self.threads.join()).await.unwrap();
    }
}

/// A connection.
pub struct Wire(pub WebSocketStream<DuplexStream>);

impl Wire {
    pub async fn say(&mut self, frame: &ClientFrame) {
        self.0.send(Message::Binary(frame.encode())).await.unwrap();
    }

    /// The next frame; panics if the relay is silent for long.
    pub async fn hear(&mut self) -> ServerFrame {
        self.next().await.expect("the connection has ended")
    }

    /// The next frame, or the code the connection was closed with.
    pub async fn next(&mut self) -> Result<ServerFrame, Option<u16>> {
        loop {
            match tokio::time::timeout(Duration::from_secs(20), self.0.next()).await.expect("silence") {
                Some(Ok(Message::Binary(bytes))) => return Ok(ServerFrame::decode(&bytes).unwrap()),
                Some(Ok(Message::Close(frame))) => return Err(frame.map(|frame| frame.code.into())),
                Some(Ok(_)) => {}
                Some(Err(_)) | None => return Err(None),
            }
        }
    }

    /// Frames until one that is wanted; others are dropped.
    pub async fn until<T>(&mut self, wanted: impl Fn(ServerFrame) -> Option<T>) -> T {
        loop {
            if let Some(found) = wanted(self.hear().await) {
                return found;
            }
        }
    }

    pub async fn hello(&mut self) -> Hello {
        self.until(|frame| if let ServerFrame::Hello(hello) = frame { Some(hello) } else { None }).await
    }
}

/// A device with its keys, and what it needs to write.
pub struct Device {
    pub keys: DeviceKeys,
    pub account: AccountId,
    pub chain_len: u32,
    pub wire: Wire,
    pub heads: Vec<kith_protocol::frame::Head>,
    txns: u64,
}

pub fn keys(seed: u8) -> DeviceKeys {
    DeviceKeys::from_seeds(&[seed; 32], &[seed ^ 0xaa; 32])
}

impl Device {
    /// A new account by this name, with its first device.
    pub async fn join(relay: &Relay, seed: u8, handle: &str) -> Self {
        let token = relay.invite().await;
        let keys = keys(seed);
        let genesis = ChainEntry::genesis(&keys, "laptop", 1);
        let account = AccountId(genesis.digest().0);
        let mut wire = relay.connect().await;
        let hello = wire.hello().await;
        let mut device = Self { keys, account, chain_len: 1, wire, heads: Vec::new(), txns: 0 };
        let own_room = device.control(RoomId::own(&account), Hash::ZERO, 0, own_ops(account));
        let join = Join {
            version: kith_protocol::VERSION,
            req: 1,
            token: Bytes::copy_from_slice(&token),
            handle: handle.into(),
            name: handle.into(),
            genesis: genesis.raw().clone(),
            own_room: own_room.raw().clone(),
            answer: device.answer(&hello),
        };
        device.wire.say(&ClientFrame::Join(join)).await;
        device.welcomed().await;
        device
    }

    /// The same device on a new connection.
    pub async fn reconnect(&mut self, relay: &Relay) {
        self.wire = relay.connect().await;
        let hello = self.wire.hello().await;
        let identify = Identify {
            version: kith_protocol::VERSION,
            account: self.account,
            device: self.keys.id(),
            answer: self.answer(&hello),
        };
        self.wire.say(&ClientFrame::Identify(identify)).await;
        self.welcomed().await;
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
        let event = Event::Text(Text { text: text.into(), reply_to: None, mentions: Vec::new() });
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

    pub async fn append_control(&mut self, entry: &Entry) -> Result<Seq, kith_protocol::error::ErrorCode> {
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

pub fn text_of(entry: &Entry) -> String {
    match Event::decode(&entry.body().unwrap()).unwrap() {
        Event::Text(text) => text.text,
        other => panic!("not a text: {other:?}"),
    }
}
