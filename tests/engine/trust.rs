//! What is not believed: a forged entry, a wrong clock, another version.

use crate::world::{Id, World};
use bytes::Bytes;
use kith_client::core::{Trouble, Update};
use kith_protocol::entry::{Entry, Header, Kind};
use kith_protocol::event::{Event, Text};
use kith_protocol::frame::{ClientFrame, ServerFrame};
use kith_protocol::ids::{Hash, RoomId, Seq, TxnId};
use kith_protocol::keys::DeviceKeys;

#[test]
fn a_wrong_clock_is_noticed_and_not_spread() {
    let mut w = World::new();
    let (alice, bob) = (w.join("alice"), w.join("bob"));
    let room = w.dm(alice, bob);
    w.disconnect(alice);
    let right = w.now;
    w.connect_with_clock(alice, right - 3_600_000);
    w.settle();
    let told =
        |update: &Update| matches!(update, Update::Trouble(Trouble::WrongClock { offset_ms: 3_600_000 }));
    assert!(w.devices[alice].updates.iter().any(told));
    let slow = right - 3_600_000;
    w.devices[alice].engine.send(slow, &room, kith_client::Outgoing::text("now")).unwrap();
    w.settle();
    assert_eq!(w.lines(bob, room).last().unwrap().at, right);
}

#[test]
fn a_clock_that_is_set_back_makes_nothing_wait_longer() {
    let mut w = World::new();
    let (alice, bob) = (w.join("alice"), w.join("bob"));
    let room = w.dm(alice, bob);
    w.say(alice, room, "first");
    w.settle();
    w.relay.set_full(true);
    w.say(alice, room, "held for a moment");
    w.settle();
    w.relay.set_full(false);
    let wait = w.devices[alice].engine.poll_timeout().unwrap() - w.now;
    let earlier = w.now - 3_600_000 + wait;
    w.devices[alice].engine.handle_timeout(earlier);
    w.settle();
    assert_eq!(w.texts(bob, room), ["first", "held for a moment"]);
}

#[test]
fn a_forged_entry_counts_for_nothing_and_is_noticed() {
    let mut w = World::new();
    let (alice, bob) = (w.join("alice"), w.join("bob"));
    let room = w.dm(bob, alice);
    w.say(bob, room, "really bob");
    w.settle();
    let forged = forged(&w, bob, room, 3);
    let entries = vec![forged];
    let frame = kith_protocol::frame::Entries { room, first: Seq(3), entries };
    let now = w.now;
    w.devices[alice].engine.handle_frame(now, ServerFrame::Entries(frame));
    w.settle();
    assert_eq!(w.texts(alice, room), ["really bob"]);
    let verified = w.devices[alice].engine.verify(&room).unwrap();
    assert_eq!((verified.seq, verified.invalid), (Seq(3), 1));
    assert_eq!(w.devices[alice].engine.room(&room).unwrap().unwrap().unread, 1);

    // The honest relay knows nothing of it: with the next connection the difference shows, and is mended.
    w.disconnect(alice);
    w.connect(alice);
    w.settle();
    w.say(bob, room, "still bob");
    w.settle();
    assert_eq!(w.agree(room, &[alice, bob]), Seq(3));
}

#[test]
fn what_counts_for_nothing_hides_nothing_that_stands_behind_it() {
    let mut w = World::new();
    let (alice, bob) = (w.join("alice"), w.join("bob"));
    let room = w.dm(bob, alice);
    w.say(bob, room, "first");
    w.settle();
    // It stands in alice's log alone, behind more of what does not count than is given back at once.
    w.say(bob, room, "really bob");
    let sent = std::iter::from_fn(|| w.devices[bob].engine.poll_transmit()).find_map(|frame| match frame {
        ClientFrame::Send(send) => Some(send.entry),
        _ => None,
    });
    w.lose_store(bob);
    let mut entries: Vec<Bytes> = (0..=255).map(|txn| forged(&w, bob, room, txn)).collect();
    entries.push(sent.unwrap());
    let frame = kith_protocol::frame::Entries { room, first: Seq(3), entries };
    let now = w.now;
    w.devices[alice].engine.handle_frame(now, ServerFrame::Entries(frame));
    assert_eq!(w.texts(alice, room), ["first", "really bob"]);
    w.disconnect(alice);
    w.connect(alice);
    w.settle();
    assert_eq!(w.texts(alice, room), ["first", "really bob"]);
    assert_eq!(w.devices[alice].engine.verify(&room).unwrap().seq, Seq(3));
    w.connect(bob);
    w.settle();
    assert_eq!(w.agree(room, &[alice, bob]), Seq(3));
}

#[test]
fn versions_too_far_apart_end_with_a_sentence() {
    let mut w = World::new();
    let alice = w.join("alice");
    w.disconnect(alice);
    let now = w.now;
    let engine = &mut w.devices[alice].engine;
    engine.connected(now);
    let hello = kith_protocol::frame::Hello {
        version: 9,
        incarnation: kith_protocol::ids::Incarnation([1; 16]),
        nonce: vec![0; 32].into(),
        now,
    };
    engine.handle_frame(now, ServerFrame::Hello(hello));
    let why = engine.stopped().unwrap().to_string();
    assert!(why.contains("version 9") && why.contains("update"), "{why}");
}

/// What a stranger signed in the name of an account.
fn forged(w: &World, account: Id, room: RoomId, txn: u8) -> Bytes {
    let stranger = DeviceKeys::from_seeds(&[1; 32], &[2; 32]);
    let header = Header {
        key_source: 0,
        room,
        account: w.devices[account].engine.me().person.account,
        device: stranger.id(),
        chain_len: 1,
        control_head: Hash::ZERO,
        seen_seq: Seq(0),
        seen_hash: Hash::ZERO,
        txn: TxnId([txn; 16]),
        at: w.now,
        kind: Kind::Message,
    };
    let text = Text::plain("send me your keys");
    Entry::sign(&header, &Event::Text(text).encode(), &stranger).raw().clone()
}
