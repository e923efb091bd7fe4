//! What is no frame, or is one and means harm.

use crate::support::{Device, Pair, Relay, Wire, generous, refusal, req_of, tampered};
use bytes::Bytes;
use futures_util::{SinkExt, StreamExt};
use kith_protocol::chain::{ChainOp, NewDevice};
use kith_protocol::error::{CloseCode, ErrorCode};
use kith_protocol::frame::{
    Append, ClientFrame, CreateInvite, Fetch, FetchChain, FetchControl, FetchRegisters, GetSlot, Lookup,
    Presence, PutSlot, Republish, Request, RevokeInvite, Send, ServerFrame, SetProfile, Typing,
};
use kith_protocol::ids::{Rev, RoomId, Seq, SlotId};
use kith_protocol::register::Scope;
use kith_protocol::room::ControlOp;
use tokio_tungstenite::tungstenite::Message;

/// Numbers that look random and are the same each time (SplitMix64).
struct Dice(u64);

impl Dice {
    fn roll(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    fn below(&mut self, end: usize) -> usize {
        (self.roll() % end.max(1) as u64) as usize
    }

    fn bytes(&mut self, most: usize) -> Vec<u8> {
        (0..self.below(most + 1)).map(|_| self.roll() as u8).collect()
    }

    /// The same with some bytes changed, cut off or put in.
    fn mutated(&mut self, bytes: &[u8]) -> Vec<u8> {
        let mut bytes = bytes.to_vec();
        for _ in 0..=self.below(3) {
            let at = self.below(bytes.len());
            match self.below(4) {
                0 if !bytes.is_empty() => bytes[at] = self.roll() as u8,
                1 if !bytes.is_empty() => bytes[at] ^= 1 << self.below(8),
                2 => bytes.truncate(at),
                _ => bytes.splice(at..at, self.bytes(8)).for_each(drop),
            }
        }
        bytes
    }
}

/// One of each frame that a device may say, sound but for what becomes of it.
fn sound_frames(device: &mut Device, room: RoomId) -> Vec<ClientFrame> {
    let (req, token) = (1, Bytes::from_static(&[1; 16]));
    let entry = device.text(room, "hello").raw().clone();
    let control =
        device.control(room, kith_protocol::ids::Hash::ZERO, 1, vec![ControlOp::Remove(device.account)]);
    let register = device.register(room, Scope::Account, 1, Rev(0)).raw().clone();
    let chain = device.chain_entry(vec![ChainOp::RevokeDevice(device.keys.id())]).raw().clone();
    let slot = SlotId([1; 32]);
    vec![
        ClientFrame::Send(Send { run: 0, entry: entry.clone() }),
        ClientFrame::AppendControl(Append { req, entry: control.raw().clone() }),
        ClientFrame::AppendChain(Append { req, entry: chain }),
        ClientFrame::SetRegister(Append { req, entry: register }),
        ClientFrame::Republish(Republish { req, room, entries: vec![entry.clone(), entry] }),
        ClientFrame::Fetch(Fetch { req, room, after: Seq(0), before: Seq(9), newest: true, limit: 9 }),
        ClientFrame::FetchControl(FetchControl { req, room, from: 0 }),
        ClientFrame::FetchChain(FetchChain { req, account: device.account, from: 0 }),
        ClientFrame::FetchRegisters(FetchRegisters { req, room, after: Rev(0) }),
        ClientFrame::FetchHeads(Request { req }),
        ClientFrame::Lookup(Lookup { req, handles: vec!["pair.bob".into()], ..Lookup::default() }),
        ClientFrame::SetProfile(SetProfile { req, name: Some("Eve".into()), handle: None }),
        ClientFrame::CreateInvite(CreateInvite { req, uses: 1, expires_in_s: 9, room: None }),
        ClientFrame::ListInvites(Request { req }),
        ClientFrame::RevokeInvite(RevokeInvite { req, token }),
        ClientFrame::Typing(Typing { room, account: device.account }),
        ClientFrame::Presence(Presence { away: true }),
        ClientFrame::PutSlot(PutSlot { req, slot, part: 0, data: Bytes::from_static(b"offer") }),
        ClientFrame::GetSlot(GetSlot { req, slot, part: 0 }),
    ]
}

/// A relay, two who talk through it, and somebody with a frame of each kind.
async fn eve_among_others() -> (Relay, Pair, Device, Vec<ClientFrame>) {
    let relay = Relay::fresh_with(generous());
    let pair = Pair::talking(&relay).await;
    let mut eve = Device::join(&relay, 1, "eve").await;
    let own = RoomId::own(&eve.account);
    let frames = sound_frames(&mut eve, own);
    (relay, pair, eve, frames)
}

/// Says something, then asks for the heads: either they come, or the connection was closed with a code of the protocol.
async fn survives(wire: &mut Wire, bytes: Vec<u8>) -> bool {
    let fence = ClientFrame::FetchHeads(Request { req: 0 }).encode();
    for bytes in [Bytes::from(bytes), fence] {
        if wire.0.send(Message::Binary(bytes)).await.is_err() {
            break;
        }
    }
    loop {
        match wire.next().await {
            Ok(ServerFrame::Heads(heads)) if heads.done => return true,
            Ok(_) => {}
            Err(code) => {
                let code = CloseCode::from(code.expect("the relay says why it closes"));
                assert_eq!(code, CloseCode::ProtocolError);
                return false;
            }
        }
    }
}

#[tokio::test]
async fn ten_thousand_random_frames_harm_nobody() {
    let (relay, pair, mut eve, frames) = eve_among_others().await;
    let mut dice = Dice(1);
    let (mut survived, mut closed) = (0, 0);
    for round in 0..10_000 {
        let sound = frames[dice.below(frames.len())].encode();
        let bytes = match round % 4 {
            0 => dice.bytes(64),
            1 => [sound[..1].to_vec(), dice.bytes(64)].concat(),
            _ => dice.mutated(&sound),
        };
        if survives(&mut eve.wire, bytes).await {
            survived += 1;
        } else {
            closed += 1;
            eve.reconnect(&relay).await;
        }
    }
    assert!(survived > 1000 && closed > 1000, "{survived} survived, {closed} closed: both were tried");
    assert!(pair.end().await > 0);
    assert!(relay.hub.is_well());
}

#[tokio::test]
async fn strangers_who_babble_are_sent_away() {
    let (relay, pair, _eve, frames) = eve_among_others().await;
    let mut dice = Dice(2);
    let mut answered = 0;
    for round in 0..2_000 {
        let mut wire = relay.connect().await;
        wire.hello().await;
        let bytes = match round % 3 {
            0 => dice.bytes(64),
            1 => {
                let sound = frames[dice.below(frames.len())].encode();
                dice.mutated(&sound)
            }
            // Nobody but a slot is open to those who have not said who they are.
            _ => frames[dice.below(frames.len() - 2)].encode().to_vec(),
        };
        wire.0.send(Message::Binary(bytes.into())).await.unwrap();
        // What was left open by an answer is closed by the next thing that is no frame.
        let _ = wire.0.send(Message::Binary(Bytes::new())).await;
        loop {
            match wire.next().await {
                Ok(frame) => {
                    assert!(req_of(&frame).is_some(), "{frame:?}");
                    answered += 1;
                }
                Err(code) => {
                    let code = CloseCode::from(code.unwrap());
                    assert!(matches!(code, CloseCode::ProtocolError | CloseCode::Unauthorized), "{code:?}");
                    break;
                }
            }
        }
    }
    assert!(answered > 0, "some slots were asked for");
    assert!(pair.end().await > 0);
}

#[tokio::test]
async fn text_is_no_frame() {
    let relay = Relay::fresh();
    let mut alice = Device::join(&relay, 1, "alice").await;
    let mut stranger = relay.connect().await;
    for wire in [&mut alice.wire, &mut stranger] {
        wire.0.send(Message::text("hello")).await.unwrap();
        assert_eq!(wire.closed().await, Some(CloseCode::ProtocolError.into()));
    }
}

#[tokio::test]
async fn who_has_identified_does_not_do_so_again() {
    let relay = Relay::fresh();
    let mut alice = Device::join(&relay, 1, "alice").await;
    let mut other = relay.connect().await;
    let hello = other.hello().await;
    let join = alice.joining(&hello, &[9; 16], "alice2");
    alice.wire.say(&ClientFrame::Join(join)).await;
    assert_eq!(alice.wire.closed().await, Some(CloseCode::ProtocolError.into()));
}

#[tokio::test]
async fn frames_beyond_the_limit_end_the_connection() {
    let relay = Relay::fresh();
    let mut alice = Device::join(&relay, 1, "alice").await;
    let mut stranger = relay.connect().await;
    let max = relay.hub.live.load().limits.max_frame_bytes as usize;
    let largest = vec![250; max];
    alice.wire.0.send(Message::Binary(largest.clone().into())).await.unwrap();
    assert!(alice.head(RoomId::own(&alice.account)).await.is_some(), "the largest is passed over");
    for wire in [&mut alice.wire, &mut stranger] {
        let larger = [largest.as_slice(), &[0]].concat();
        // The relay may close before it has read all of it.
        let _ = wire.0.send(Message::Binary(larger.into())).await;
        assert_eq!(wire.closed().await, Some(CloseCode::TooLarge.into()));
    }
}

#[tokio::test]
async fn a_hundred_thousand_pings_are_answered_or_passed_over() {
    let relay = Relay::fresh_with(generous());
    let pair = Pair::talking(&relay).await;
    let alice = Device::join(&relay, 1, "alice").await;
    let (mut sink, mut stream) = alice.wire.0.split();
    let pinging = tokio::spawn(async move {
        for count in 0..100_000_u32 {
            sink.feed(Message::Ping(Bytes::copy_from_slice(&count.to_be_bytes()))).await.unwrap();
        }
        sink.flush().await.unwrap();
        let last = ClientFrame::FetchHeads(Request { req: 1 }).encode();
        sink.send(Message::Binary(last)).await.unwrap();
    });
    // Pongs may be skipped (RFC 6455, 5.5.3), never invented; and what comes behind them is answered.
    let mut pongs = 0;
    loop {
        match stream.next().await.unwrap().unwrap() {
            Message::Pong(_) => pongs += 1,
            Message::Binary(bytes) => {
                if matches!(ServerFrame::decode(&bytes), Ok(ServerFrame::Heads(_))) {
                    break;
                }
            }
            Message::Ping(_) => {}
            other => panic!("{other:?}"),
        }
    }
    pinging.await.unwrap();
    assert!((1..=100_000).contains(&pongs), "{pongs}");
    assert!(pair.end().await > 0);
}

#[tokio::test]
async fn wrong_signatures_are_refused_and_leave_nothing() {
    let relay = Relay::fresh();
    let mut alice = Device::join(&relay, 1, "alice").await;
    let mut bob = Device::join(&relay, 2, "bob").await;
    let group = alice.open_group(&[bob.account]).await;

    let control = alice.control(group.id, group.head, 1, vec![ControlOp::Remove(bob.account)]);
    let forged = tampered(control.raw(), 1 + 10);
    let answer = alice.ask(|req| ClientFrame::AppendControl(Append { req, entry: forged })).await;
    assert_eq!(refusal(&answer), ErrorCode::BadSignature);
    assert_eq!(bob.head(group.id).await.unwrap().seq, Seq(1));

    let phone = NewDevice::countersign(&crate::support::keys(9), "phone", &alice.account);
    let unwilling = NewDevice::countersign(&crate::support::keys(9), "phone", &bob.account);
    let sound = alice.chain_entry(vec![ChainOp::AddDevice(phone)]);
    let without_consent = alice.chain_entry(vec![ChainOp::AddDevice(unwilling)]);
    for entry in [tampered(sound.raw(), 10), without_consent.raw().clone()] {
        let answer = alice.ask(|req| ClientFrame::AppendChain(Append { req, entry })).await;
        assert_eq!(refusal(&answer), ErrorCode::BadSignature);
    }
    let account = alice.account;
    let chain = alice.ask(|req| ClientFrame::FetchChain(FetchChain { req, account, from: 0 })).await;
    assert!(matches!(chain, ServerFrame::Chain(chain) if chain.entries.len() == 1));

    // Messages and registers are for readers to check; offered again by somebody else, they are checked here.
    let message = bob.text(group.id, "never said");
    let forged = kith_protocol::entry::Entry::parse(tampered(message.raw(), 20)).unwrap();
    assert_eq!(alice.republish(group.id, &[&message, &forged]).await, Err(ErrorCode::BadSignature));
    assert_eq!(bob.head(group.id).await.unwrap().seq, Seq(1), "not even the sound one before it");
}

#[tokio::test]
async fn a_device_of_somebody_else_s_chain_is_not_taken() {
    let relay = Relay::fresh();
    let mut alice = Device::join(&relay, 1, "alice").await;
    let eve = Device::join(&relay, 2, "eve").await;
    // Eve's device agrees, and still stays where it is.
    let op = ChainOp::AddDevice(NewDevice::countersign(&eve.keys, "mine", &alice.account));
    assert_eq!(alice.append_chain(vec![op]).await, Err(ErrorCode::Conflict));
    let account = alice.account;
    let chain = alice.ask(|req| ClientFrame::FetchChain(FetchChain { req, account, from: 0 })).await;
    assert!(
        matches!(chain, ServerFrame::Chain(chain) if chain.entries.len() == 1),
        "a refusal leaves nothing"
    );
    let mut phone = alice.link(&relay, 3).await;
    assert_eq!(phone.post(0, RoomId::own(&phone.account), "the chain goes on").await, Ok(Seq(2)));
}
