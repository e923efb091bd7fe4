//! A relay over SQLite and devices that speak the protocol by hand.
#![allow(
    clippy::unwrap_used,
    clippy::similar_names,
    unreachable_pub,
    reason = "a test ends where something fails"
)]

mod support;

use kith_protocol::error::{CloseCode, ErrorCode};
use kith_protocol::frame::{ClientFrame, Fetch, ServerFrame};
use kith_protocol::ids::{RoomId, Seq};
use support::{Device, Relay, text_of};

#[tokio::test]
async fn a_message_is_acked_pushed_and_fetched() {
    let relay = Relay::fresh();
    let mut alice = Device::join(&relay, 1, "alice").await;
    let mut bob = Device::join(&relay, 2, "bob").await;
    let room = alice.open_direct(&bob.account).await;

    let entry = alice.text(room, "hello");
    alice.send(0, &entry).await;
    assert_eq!(alice.acked(1).await, [(entry.header().txn, Seq(2))]);
    let (first, entries) = loop {
        let (first, entries) = bob.pushed(room).await;
        if first.0 + entries.len() as u64 > 2 {
            break (first, entries);
        }
    };
    assert_eq!(text_of(entries.last().unwrap()), "hello");
    assert!(first <= Seq(2));

    bob.reconnect(&relay).await;
    let head = *bob.heads.iter().find(|head| head.room == room).unwrap();
    assert_eq!(head.seq, Seq(2));
    let fetch = Fetch { req: 5, room, after: Seq(0), before: Seq(u64::MAX), newest: true, limit: 50 };
    bob.wire.say(&ClientFrame::Fetch(fetch)).await;
    let page =
        bob.wire.until(|frame| if let ServerFrame::Page(page) = frame { Some(page) } else { None }).await;
    assert_eq!((page.first, page.entries.len(), page.more), (Seq(1), 2, false));
    assert_eq!(page.entries[1], entry.raw());
}

#[tokio::test]
async fn a_retry_gets_the_same_place_also_after_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let relay = Relay::open(folder.path());
    let mut alice = Device::join(&relay, 1, "alice").await;
    let own = RoomId::own(&alice.account);
    let entry = alice.text(own, "note");
    alice.send(0, &entry).await;
    alice.send(0, &entry).await;
    assert_eq!(alice.acked(2).await, [(entry.header().txn, Seq(2)), (entry.header().txn, Seq(2))]);
    assert!(matches!(alice.wire.0.close(None).await, Ok(())));
    while alice.wire.next().await.is_ok() {}
    relay.close().await;

    let relay = Relay::open(folder.path());
    alice.reconnect(&relay).await;
    alice.send(0, &entry).await;
    assert_eq!(alice.acked(1).await, [(entry.header().txn, Seq(2))]);
    let next = alice.text(own, "another");
    alice.send(0, &next).await;
    assert_eq!(alice.acked(1).await, [(next.header().txn, Seq(3))]);
}

#[tokio::test]
async fn two_who_open_the_same_chat_get_one_room() {
    let relay = Relay::fresh();
    let mut alice = Device::join(&relay, 1, "alice").await;
    let mut bob = Device::join(&relay, 2, "bob").await;
    let room = alice.open_direct(&bob.account).await;
    let genesis = bob.control(room, kith_protocol::ids::Hash::ZERO, 0, {
        kith_protocol::room::direct_ops(bob.account, alice.account)
    });
    assert_eq!(bob.append_control(&genesis).await, Err(ErrorCode::Conflict));
    let entry = bob.text(room, "me too");
    bob.send(0, &entry).await;
    assert_eq!(bob.acked(1).await, [(entry.header().txn, Seq(2))]);
}

#[tokio::test]
async fn nothing_overtakes_a_rejected_entry() {
    let relay = Relay::fresh();
    let mut alice = Device::join(&relay, 1, "alice").await;
    let own = RoomId::own(&alice.account);
    let elsewhere = alice.text(RoomId([9; 16]), "nowhere");
    let behind = alice.text(own, "behind");
    alice.send(0, &elsewhere).await;
    alice.send(0, &behind).await;
    let mut codes = Vec::new();
    while codes.len() < 2 {
        if let ServerFrame::Rejected(rejected) = alice.wire.hear().await {
            codes.push(rejected.code);
        }
    }
    assert_eq!(codes, [ErrorCode::NotFound, ErrorCode::Stalled]);
    alice.send(1, &behind).await;
    assert_eq!(alice.acked(1).await, [(behind.header().txn, Seq(2))]);
}

#[tokio::test]
async fn strangers_learn_nothing_of_a_room() {
    let relay = Relay::fresh();
    let mut alice = Device::join(&relay, 1, "alice").await;
    let bob = Device::join(&relay, 2, "bob").await;
    let mut eve = Device::join(&relay, 3, "eve").await;
    let room = alice.open_direct(&bob.account).await;
    let fetch = Fetch { req: 5, room, after: Seq(0), before: Seq(u64::MAX), newest: true, limit: 50 };
    eve.wire.say(&ClientFrame::Fetch(fetch)).await;
    let refused =
        eve.wire.until(|frame| if let ServerFrame::Refused(it) = frame { Some(it) } else { None }).await;
    assert_eq!((refused.req, refused.code), (5, ErrorCode::NotFound));
}

#[tokio::test]
async fn a_replayed_answer_opens_nothing() {
    let relay = Relay::fresh();
    let alice = Device::join(&relay, 1, "alice").await;
    let mut first = relay.connect().await;
    let hello = first.hello().await;
    let identify = kith_protocol::frame::Identify {
        version: kith_protocol::VERSION,
        account: alice.account,
        device: alice.keys.id(),
        answer: alice.answer(&hello),
    };
    let mut second = relay.connect().await;
    second.hello().await;
    second.say(&ClientFrame::Identify(identify)).await;
    assert_eq!(second.next().await, Err(Some(CloseCode::Unauthorized.into())));
}
