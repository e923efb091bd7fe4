//! What is not believed: a forged entry, a wrong clock, another version.

use crate::world::World;
use kith_client::core::{Trouble, Update};
use kith_protocol::frame::ServerFrame;
use kith_protocol::ids::Seq;

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
    let stranger = kith_protocol::keys::DeviceKeys::from_seeds(&[1; 32], &[2; 32]);
    let header = kith_protocol::entry::Header {
        key_source: 0,
        room,
        account: w.devices[bob].engine.me().person.account,
        device: stranger.id(),
        chain_len: 1,
        control_head: kith_protocol::ids::Hash::ZERO,
        seen_seq: Seq(0),
        seen_hash: kith_protocol::ids::Hash::ZERO,
        txn: kith_protocol::ids::TxnId([3; 16]),
        at: w.now,
        kind: kith_protocol::entry::Kind::Message,
    };
    let body = kith_protocol::event::Event::Text(kith_protocol::event::Text {
        text: "send me your keys".into(),
        reply_to: None,
        mentions: Vec::new(),
    });
    let forged = kith_protocol::entry::Entry::sign(&header, &body.encode(), &stranger);
    let entries = vec![forged.raw().clone()];
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
