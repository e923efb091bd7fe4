//! Those who come in, and those who try to.

use crate::support::{Device, Pair, Relay, Wire, generous, keys, refusal};
use kith_protocol::account::Account;
use kith_protocol::chain::{ChainEntry, ChainOp, NewDevice};
use kith_protocol::error::{CloseCode, ErrorCode};
use kith_protocol::frame::{ClientFrame, GetSlot, Join, PutSlot, ServerFrame};
use kith_protocol::ids::{AccountId, DeviceId, RoomId, Seq, SlotId};
use kith_relay::config::Config;
use kith_relay::relay::writes::Write;
use kith_relay::store::{InviteRow, RelayRole};

/// A newcomer who is not in yet, and the hello of their connection.
async fn newcomer(relay: &Relay, seed: u8) -> (Device, kith_protocol::frame::Hello) {
    let mut wire = relay.connect().await;
    let hello = wire.hello().await;
    let keys = keys(seed);
    let fold = Account::genesis(&ChainEntry::genesis(&keys, "laptop", 1)).unwrap();
    (Device::new(keys, fold, wire), hello)
}

async fn put_invite(relay: &Relay, token: u8, uses: u32, expires_at: u64) {
    let invite =
        InviteRow { token: [token; 16], uses, expires_at, role: RelayRole::Member, room: None, by: None };
    relay.hub.ask(Write::PutInvite(invite)).await.unwrap();
}

async fn refused(wire: &mut Wire, join: Join) -> ErrorCode {
    wire.say(&ClientFrame::Join(join)).await;
    refusal(&wire.hear().await)
}

#[tokio::test]
async fn an_invite_counts_once_and_in_time() {
    let relay = Relay::fresh();
    put_invite(&relay, 1, 1, 1).await;
    put_invite(&relay, 2, 1, i64::MAX as u64).await;
    let (mut alice, hello) = newcomer(&relay, 1).await;
    for (token, code) in [
        (&[7; 16][..], ErrorCode::NotFound),
        (&[2; 5], ErrorCode::NotFound),
        (&[], ErrorCode::NotFound),
        (&[1; 16], ErrorCode::Expired),
    ] {
        let join = alice.joining(&hello, token, "alice");
        assert_eq!(refused(&mut alice.wire, join).await, code);
    }
    let join = alice.joining(&hello, &[2; 16], "alice");
    alice.wire.say(&ClientFrame::Join(join)).await;
    alice.welcomed().await;
    let (mut bob, hello) = newcomer(&relay, 2).await;
    let join = bob.joining(&hello, &[2; 16], "bob");
    assert_eq!(refused(&mut bob.wire, join).await, ErrorCode::InviteUsed);

    // Who heard nothing of being admitted says the same again, and is.
    let (mut again, hello) = newcomer(&relay, 1).await;
    let join = again.joining(&hello, &[2; 16], "alice");
    again.wire.say(&ClientFrame::Join(join)).await;
    assert_eq!(again.welcomed().await.handle, "alice");
}

#[tokio::test]
async fn after_a_bad_handle_comes_a_good_one() {
    let relay = Relay::fresh();
    let _alice = Device::join(&relay, 1, "alice").await;
    put_invite(&relay, 3, 1, i64::MAX as u64).await;
    let (mut bob, hello) = newcomer(&relay, 2).await;
    let long = "b".repeat(33);
    for bad in ["", "Bob", ".bob", "bob bob", "böb", "bob\u{0}", "@bob", &long] {
        let join = bob.joining(&hello, &[3; 16], bad);
        assert_eq!(refused(&mut bob.wire, join).await, ErrorCode::BadHandle, "{bad:?}");
    }
    let join = bob.joining(&hello, &[3; 16], "alice");
    assert_eq!(refused(&mut bob.wire, join).await, ErrorCode::HandleTaken);
    for name in ["", "  ", "a\nb", &"n".repeat(129)] {
        let join = Join { name: name.into(), ..bob.joining(&hello, &[3; 16], "bob") };
        assert_eq!(refused(&mut bob.wire, join).await, ErrorCode::Malformed, "{name:?}");
    }
    let join = bob.joining(&hello, &[3; 16], "bob");
    bob.wire.say(&ClientFrame::Join(join)).await;
    assert_eq!(bob.welcomed().await.handle, "bob", "no refusal has used the invite up");
}

#[tokio::test]
async fn a_join_that_is_not_signed_right_is_none() {
    let relay = Relay::fresh();
    put_invite(&relay, 3, 9, i64::MAX as u64).await;
    let (mut eve, hello) = newcomer(&relay, 4).await;
    let (mut other, others_hello) = newcomer(&relay, 5).await;
    let sound = eve.joining(&hello, &[3; 16], "eve");
    let theirs = other.joining(&others_hello, &[3; 16], "other");
    let mut header = ChainEntry::genesis(&eve.keys, "laptop", 1).header().clone();
    let more = (10..90).map(|seed| NewDevice::countersign(&keys(seed), "one of many", &AccountId::ZERO));
    header.ops.extend(more.map(ChainOp::AddDevice));
    let crowd = ChainEntry::sign(&header, &eve.keys);
    let forged = |raw: &bytes::Bytes, at| crate::support::tampered(raw, at);
    for (join, code) in [
        (Join { genesis: forged(&sound.genesis, 1), ..sound.clone() }, ErrorCode::BadSignature),
        (Join { own_room: forged(&sound.own_room, 9), ..sound.clone() }, ErrorCode::BadSignature),
        (Join { answer: forged(&sound.answer, 9), ..sound.clone() }, ErrorCode::BadSignature),
        (Join { answer: theirs.answer.clone(), ..sound.clone() }, ErrorCode::BadSignature),
        (Join { answer: bytes::Bytes::new(), ..sound.clone() }, ErrorCode::BadSignature),
        (Join { genesis: theirs.genesis.clone(), ..sound.clone() }, ErrorCode::Malformed),
        (Join { own_room: theirs.own_room.clone(), ..sound.clone() }, ErrorCode::Malformed),
        (Join { genesis: sound.own_room.clone(), ..sound.clone() }, ErrorCode::Malformed),
        (Join { genesis: crowd.raw().clone(), ..sound.clone() }, ErrorCode::Malformed),
        (Join { own_room: sound.genesis.clone(), ..sound.clone() }, ErrorCode::Malformed),
    ] {
        assert_eq!(refused(&mut eve.wire, join).await, code);
    }
    assert_eq!(relay.hub.run(|store| store.totals().unwrap().accounts).await, Some(0));
    eve.wire.say(&ClientFrame::Join(sound)).await;
    eve.welcomed().await;
}

#[tokio::test]
async fn only_the_right_answer_to_this_hello_opens() {
    let relay = Relay::fresh();
    let mut alice = Device::join(&relay, 1, "alice").await;
    let bob = Device::join(&relay, 2, "bob").await;
    alice.wire = relay.connect().await;
    let old = alice.identify().await;
    let (account, device) = (alice.account, alice.keys.id());
    for case in 0..6 {
        alice.wire = relay.connect().await;
        let mut identify = alice.identify().await;
        match case {
            0 => identify.answer = old.answer.clone(),
            1 => identify.answer = crate::support::tampered(&identify.answer, 9),
            2 => identify.answer = bytes::Bytes::new(),
            3 => identify.account = bob.account,
            4 => identify.device = bob.keys.id(),
            _ => identify.device = DeviceId([9; 16]),
        }
        alice.wire.say(&ClientFrame::Identify(identify)).await;
        assert_eq!(alice.wire.closed().await, Some(CloseCode::Unauthorized.into()), "case {case}");
    }
    alice.wire = relay.connect().await;
    let mut identify = alice.identify().await;
    identify.account = AccountId::ZERO;
    alice.wire.say(&ClientFrame::Identify(identify)).await;
    let welcome = alice.welcomed().await;
    assert_eq!(
        (welcome.account, welcome.device),
        (account, device),
        "who was just linked learns whose it is"
    );
}

#[tokio::test]
async fn versions_one_apart_talk_and_others_do_not() {
    let relay = Relay::fresh();
    let mut alice = Device::join(&relay, 1, "alice").await;
    let ours = kith_protocol::VERSION;
    for (version, spoken) in [(ours - 1, Some(ours - 1)), (ours, Some(ours)), (ours + 1, Some(ours))] {
        alice.wire = relay.connect().await;
        let mut identify = alice.identify().await;
        identify.version = version;
        alice.wire.say(&ClientFrame::Identify(identify)).await;
        assert_eq!(Some(alice.welcomed().await.version), spoken);
    }
    for version in [ours + 2, u16::MAX] {
        alice.wire = relay.connect().await;
        let mut identify = alice.identify().await;
        identify.version = version;
        alice.wire.say(&ClientFrame::Identify(identify)).await;
        assert_eq!(alice.wire.closed().await, Some(CloseCode::VersionMismatch.into()));
        let (mut bob, hello) = newcomer(&relay, 2).await;
        let join = Join { version, ..bob.joining(&hello, &[9; 16], "bob") };
        bob.wire.say(&ClientFrame::Join(join)).await;
        assert_eq!(bob.wire.closed().await, Some(CloseCode::VersionMismatch.into()));
    }
}

#[tokio::test]
async fn who_says_nothing_is_sent_away() {
    let mut config = Config::default();
    config.limits.handshake_timeout_s = 1;
    let relay = Relay::fresh_with(config);
    let mut silent = relay.connect().await;
    silent.hello().await;
    assert_eq!(silent.closed().await, Some(CloseCode::TimedOut.into()));
}

#[tokio::test]
async fn a_device_that_comes_twice_replaces_itself() {
    let mut config = generous();
    config.limits.connections_per_account = 1;
    let relay = Relay::fresh_with(config);
    let pair = Pair::talking(&relay).await;
    let mut alice = Device::join(&relay, 1, "alice").await;
    let mut first = std::mem::replace(&mut alice.wire, relay.connect().await);
    let identify = alice.identify().await;
    alice.wire.say(&ClientFrame::Identify(identify)).await;
    alice.welcomed().await;
    assert_eq!(first.closed().await, Some(CloseCode::Replaced.into()));
    drop(first);
    assert_eq!(alice.post(0, RoomId::own(&alice.account), "here I am").await, Ok(Seq(2)));

    // A second device is one too many, and the first does not notice.
    let new = keys(5);
    let consent = kith_protocol::chain::NewDevice::countersign(&new, "phone", &alice.account);
    alice.append_chain(vec![kith_protocol::chain::ChainOp::AddDevice(consent)]).await.unwrap();
    let mut phone = Device::new(new, alice.fold.clone(), relay.connect().await);
    assert_eq!(phone.turned_away(&relay).await, Some(CloseCode::Crowded.into()));
    assert_eq!(alice.post(0, RoomId::own(&alice.account), "still here").await, Ok(Seq(3)));
    assert!(pair.end().await > 0);
}

/// A byte more than a slot takes.
static LARGE: [u8; 8 * 1024 + 1] = [0; 8 * 1024 + 1];

#[tokio::test]
async fn slots_are_written_once_and_bounded() {
    let mut config = Config::default();
    config.limits.link_slots = 3;
    let relay = Relay::fresh_with(config);
    let mut wire = relay.connect().await;
    wire.hello().await;
    let slot = |n| SlotId([n; 32]);
    let put = |n, part, data: &'static [u8]| {
        ClientFrame::PutSlot(PutSlot { req: 1, slot: slot(n), part, data: bytes::Bytes::from_static(data) })
    };
    let get = |n, part| ClientFrame::GetSlot(GetSlot { req: 1, slot: slot(n), part });
    for (frame, expected) in [
        (get(1, 0), Some(ErrorCode::Expired)),
        (put(1, 1, b"an answer to nothing"), Some(ErrorCode::NotFound)),
        (put(1, 0, b"offer"), None),
        (put(1, 0, b"offer"), None),
        (put(1, 0, b"another"), Some(ErrorCode::SlotTaken)),
        (put(1, 1, b"answer"), None),
        (put(1, 3, b"no such part"), Some(ErrorCode::Malformed)),
        (put(2, 0, &LARGE), Some(ErrorCode::TooLarge)),
        (put(2, 0, &LARGE[1..]), None),
        (get(2, 1), Some(ErrorCode::NotFound)),
        (get(2, 9), Some(ErrorCode::Malformed)),
        (put(3, 0, b"offer"), None),
        (put(4, 0, b"one too many"), Some(ErrorCode::LimitReached)),
        (put(3, 1, b"those that are open go on"), None),
    ] {
        wire.say(&frame).await;
        match wire.hear().await {
            ServerFrame::Refused(refused) => assert_eq!(Some(refused.code), expected, "{frame:?}"),
            ServerFrame::Done(_) => assert_eq!(None, expected, "{frame:?}"),
            other => panic!("{other:?}"),
        }
    }
    wire.say(&get(1, 1)).await;
    assert!(matches!(wire.hear().await, ServerFrame::Slot(slot) if &slot.data[..] == b"answer"));
}
