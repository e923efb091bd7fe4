//! A disk that fills up under a running relay, and has room again: writes are refused as long as it lasts, reads go on, and
//! in the end exactly what was acknowledged stands there.
#![allow(
    clippy::unwrap_used,
    clippy::similar_names,
    unreachable_pub,
    reason = "a test ends where something fails"
)]

mod support;

use kith_protocol::entry::{Entry, Kind};
use kith_protocol::error::ErrorCode;
use kith_protocol::frame::{Append, ClientFrame, ServerFrame};
use kith_protocol::ids::{Rev, RoomId, Seq};
use kith_protocol::register::{Register, Scope};
use support::{Device, Pair, Relay, generous};

/// Too large for what is left in the pages that the file has.
const LARGE: usize = 60_000;

fn message(device: &mut Device, room: RoomId, bytes: usize) -> Entry {
    let header = device.header(room, Kind::Message);
    Entry::sign(&header, &vec![7; bytes], &device.keys)
}

#[tokio::test]
async fn a_full_disk_refuses_writes_serves_reads_and_recovers() {
    let (relay, quota) = Relay::fresh_with_quota(generous());
    let mut alice = Device::join(&relay, 1, "alice").await;
    let mut bob = Device::join(&relay, 2, "bob").await;
    let room = alice.open_direct(&bob.account).await;
    let kept = message(&mut alice, room, LARGE);
    alice.send(0, &kept).await;
    assert_eq!(alice.verdict().await, Ok(Seq(2)));
    assert!(relay.hub.is_well());
    let before = bob.head(room).await.unwrap();

    quota.set(Some(0));
    let refused = message(&mut alice, room, LARGE);
    let behind = message(&mut alice, room, 1);
    alice.send(0, &refused).await;
    alice.send(0, &behind).await;
    let first = alice.verdict().await.unwrap_err();
    assert_eq!((first.txn, first.code), (refused.header().txn, ErrorCode::StorageFull));
    assert!(first.retry_in_ms > 0 && first.code.is_passing());
    let second = alice.verdict().await.unwrap_err();
    assert_eq!(second.txn, behind.header().txn, "nothing overtakes what was refused");
    assert!(matches!(second.code, ErrorCode::StorageFull | ErrorCode::Stalled), "{second:?}");
    assert!(!relay.hub.is_well());

    // Others are refused alike, and stay.
    let his = message(&mut bob, room, LARGE);
    bob.send(0, &his).await;
    assert_eq!(bob.verdict().await.unwrap_err().code, ErrorCode::StorageFull);
    let header = bob.register(room, Scope::Account, 1, Rev(0)).header().clone();
    let entry = Register::sign(&header, &vec![7; LARGE], &bob.keys).raw().clone();
    match bob.ask(|req| ClientFrame::SetRegister(Append { req, entry })).await {
        ServerFrame::Refused(refused) => {
            assert_eq!(refused.code, ErrorCode::StorageFull);
            assert!(refused.retry_in_ms > 0);
        }
        other => panic!("{other:?}"),
    }

    // Reads go on, for those who are there and those who come.
    assert_eq!(bob.head(room).await.unwrap().seq, before.seq);
    assert_eq!(bob.fetch(room, 1).await.unwrap(), [kept.raw().clone()]);
    bob.reconnect(&relay).await;
    assert_eq!(bob.fetch(room, 1).await.unwrap(), [kept.raw().clone()]);

    quota.set(None);
    let mut places = Vec::new();
    for entry in [&refused, &behind] {
        alice.send(1, entry).await;
        places.push(alice.verdict().await);
    }
    assert_eq!(places, [Ok(Seq(3)), Ok(Seq(4))]);
    assert!(relay.hub.is_well());
    let expected = [&kept, &refused, &behind].map(|entry| entry.raw().clone());
    assert_eq!(bob.fetch(room, 1).await.unwrap(), expected);
}

#[tokio::test]
async fn who_asks_hears_that_there_is_room_again_though_nobody_writes() {
    let (relay, quota) = Relay::fresh_with_quota(generous());
    let mut alice = Device::join(&relay, 1, "alice").await;
    assert!(relay.hub.try_is_well().await);
    let own = RoomId::own(&alice.account);
    let refused = message(&mut alice, own, LARGE);
    quota.set(Some(0));
    alice.send(0, &refused).await;
    assert_eq!(alice.verdict().await.unwrap_err().code, ErrorCode::StorageFull);
    // Tried, and as full as before; within a second it is not tried again.
    assert!(!relay.hub.try_is_well().await);
    quota.set(None);
    assert!(!relay.hub.is_well());
    while !relay.hub.try_is_well().await {
        tokio::task::yield_now().await;
    }
    alice.send(1, &refused).await;
    assert_eq!(alice.verdict().await, Ok(Seq(2)));
}

#[tokio::test]
async fn a_disk_that_fills_again_and_again_loses_and_doubles_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let (relay, quota) = Relay::open_with_quota(folder.path(), generous());
    let mut alice = Device::join(&relay, 1, "alice").await;
    let own = RoomId::own(&alice.account);
    let entries: Vec<Entry> =
        (0..200_usize).map(|n| message(&mut alice, own, if n % 3 == 0 { LARGE } else { n })).collect();
    let (mut acked, mut run, mut refusals) = (0, 0, 0);
    while acked < entries.len() {
        // Full for every other attempt, and a window of entries on their way each time.
        quota.set(if run % 2 == 0 { Some(0) } else { None });
        let window = &entries[acked..entries.len().min(acked + 24)];
        for entry in window {
            alice.send(run, entry).await;
        }
        let mut answered = 0;
        let mut rejected = false;
        while answered < window.len() {
            match alice.wire.hear().await {
                ServerFrame::Acks(acks) => {
                    for ack in acks.acks {
                        assert!(!rejected, "an entry overtook a refused one");
                        assert_eq!(ack.txn, entries[acked].header().txn);
                        assert_eq!(ack.seq, Seq(acked as u64 + 2));
                        acked += 1;
                        answered += 1;
                    }
                }
                ServerFrame::Rejected(refused) => {
                    assert!(
                        matches!(refused.code, ErrorCode::StorageFull | ErrorCode::Stalled),
                        "{refused:?}"
                    );
                    assert_eq!(refused.txn, window[answered].header().txn, "in the order sent");
                    rejected = true;
                    refusals += 1;
                    answered += 1;
                }
                _ => {}
            }
        }
        run += 1;
    }
    assert!(refusals > 50, "{refusals}: it was full now and then");
    let mut found = Vec::new();
    while found.len() < entries.len() {
        found.extend(alice.fetch(own, 1 + found.len() as u64).await.unwrap());
    }
    let expected: Vec<_> = entries.iter().map(|entry| entry.raw().clone()).collect();
    assert!(found == expected, "exactly what was acknowledged, in its order");
    assert_eq!(alice.fetch(own, 1 + entries.len() as u64).await, Ok(Vec::new()));

    let _ = alice.wire.0.close(None).await;
    while alice.wire.next().await.is_ok() {}
    relay.close().await;
    let relay = Relay::open(folder.path());
    alice.reconnect(&relay).await;
    assert_eq!(alice.head(own).await.unwrap().seq, Seq(entries.len() as u64 + 1));
}

#[tokio::test]
async fn a_newcomer_is_refused_whole_and_comes_in_later() {
    let (relay, quota) = Relay::fresh_with_quota(generous());
    let pair = Pair::talking(&relay).await;
    pair.end().await;
    let token = relay.invite().await;
    quota.set(Some(0));
    // Somebody fills what is left.
    let mut alice = Device::new(
        support::keys(3),
        kith_protocol::account::Account::genesis(&kith_protocol::chain::ChainEntry::genesis(
            &support::keys(3),
            "laptop",
            1,
        ))
        .unwrap(),
        relay.connect().await,
    );
    let hello = alice.wire.hello().await;
    let mut join = alice.joining(&hello, &token, "alice");
    // A join may still fit into pages that are there; a large one of its own does not.
    let own = RoomId::own(&alice.account);
    let ops = kith_protocol::room::own_ops(alice.account);
    let header = alice.header(own, Kind::Control { index: 0, ops });
    let large = Entry::sign(&header, &vec![7; LARGE], &alice.keys);
    let small = std::mem::replace(&mut join.own_room, large.raw().clone());
    alice.wire.say(&ClientFrame::Join(join.clone())).await;
    let answer = alice.wire.hear().await;
    assert_eq!(support::refusal(&answer), ErrorCode::StorageFull);
    let found = relay.hub.run(|store| store.account_by_handle("alice").unwrap()).await;
    assert_eq!(found, Some(None), "no half of it stays");
    quota.set(None);
    join.own_room = small;
    alice.wire.say(&ClientFrame::Join(join)).await;
    assert_eq!(alice.welcomed().await.handle, "alice");
}
