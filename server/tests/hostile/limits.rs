//! Too much, too fast, too large, too slow.

use crate::support::{Device, Pair, Relay, generous};
use kith_protocol::entry::{Entry, Kind};
use kith_protocol::error::{CloseCode, ErrorCode};
use kith_protocol::frame::ServerFrame;
use kith_protocol::ids::{Hash, Rev, RoomId, Seq};
use kith_protocol::limits::IN_FLIGHT_MAX;
use kith_protocol::register::Scope;
use kith_protocol::room::{ControlOp, Role};
use kith_relay::config::Config;
use std::time::Duration;

#[tokio::test]
async fn who_sends_too_fast_waits_and_loses_nothing() {
    const MESSAGES: usize = 3_000;
    let mut config = Config::default();
    // The shape of the defaults, twenty times as fast.
    let limits = &mut config.limits;
    for rate in [
        &mut limits.frames_per_second,
        &mut limits.messages_per_second,
        &mut limits.account_messages_per_second,
    ] {
        *rate *= 20;
    }
    let relay = Relay::fresh_with(config);
    let pair = Pair::talking(&relay).await;
    let mut alice = Device::join(&relay, 1, "alice").await;
    let own = RoomId::own(&alice.account);
    let entries: Vec<Entry> = (0..MESSAGES).map(|n| alice.text(own, &n.to_string())).collect();
    let mut acked = Vec::new();
    let mut sent = 0;
    while acked.len() < MESSAGES {
        // As many in flight as the protocol has: beyond it, the relay would stop reading, and this test with it.
        while sent < MESSAGES && sent - acked.len() < IN_FLIGHT_MAX {
            alice.send(0, &entries[sent]).await;
            sent += 1;
        }
        match alice.wire.hear().await {
            ServerFrame::Acks(acks) => acked.extend(acks.acks.iter().map(|ack| (ack.txn, ack.seq))),
            ServerFrame::Rejected(rejected) => panic!("{rejected:?}"),
            _ => {}
        }
    }
    let expected = entries.iter().map(|entry| entry.header().txn).zip((2..).map(Seq));
    assert!(expected.eq(acked), "in the order sent");
    assert!(pair.end().await > 0);
}

#[tokio::test]
async fn entries_beyond_those_in_flight_wait_unread() {
    let relay = Relay::fresh_with(generous());
    let pair = Pair::talking(&relay).await;
    let mut alice = Device::join(&relay, 1, "alice").await;
    let own = RoomId::own(&alice.account);
    // Many more than may be in flight, and not one answer read until all are written.
    let count = IN_FLIGHT_MAX * 8;
    let entries: Vec<Entry> = (0..count).map(|n| alice.text(own, &n.to_string())).collect();
    let (mut sink, stream) = {
        use futures_util::StreamExt;
        let wire = std::mem::replace(&mut alice.wire, relay.connect().await);
        wire.0.split()
    };
    let sending = tokio::spawn(async move {
        use futures_util::SinkExt;
        for entry in entries {
            let frame = kith_protocol::frame::Send { run: 0, entry: entry.raw().clone() };
            let bytes = kith_protocol::frame::ClientFrame::Send(frame).encode();
            sink.send(tokio_tungstenite::tungstenite::Message::Binary(bytes)).await.unwrap();
        }
        sink
    });
    let sink = sending.await.unwrap();
    let mut wire = crate::support::Wire(sink.reunite(stream).unwrap());
    let mut acked = 0;
    while acked < count {
        match wire.hear().await {
            ServerFrame::Acks(acks) => {
                for ack in acks.acks {
                    acked += 1;
                    assert_eq!(ack.seq, Seq(acked as u64 + 1));
                }
            }
            ServerFrame::Rejected(rejected) => panic!("{rejected:?}"),
            _ => {}
        }
    }
    assert!(pair.end().await > 0);
}

/// Lets the others run until something is so.
async fn until(what: &str, mut is_so: impl FnMut() -> bool) {
    let waiting = async {
        while !is_so() {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(20), waiting).await.expect(what);
}

#[tokio::test]
async fn a_slow_reader_costs_its_queue_and_reads_the_log() {
    const MESSAGES: u64 = 600;
    let mut config = generous();
    config.limits.outbound_queue = 32;
    let relay = Relay::fresh_with(config);
    let pair = Pair::talking(&relay).await;
    let mut alice = Device::join(&relay, 1, "alice").await;
    let mut bob = Device::join(&relay, 2, "bob").await;
    let room = alice.open_direct(&bob.account).await;
    let text = "x".repeat(4_000);
    for seq in 2..MESSAGES + 2 {
        assert_eq!(alice.post(0, room, &text).await, Ok(Seq(seq)), "alice does not notice");
    }
    // 2.4 MB were written for bob, who now begins to read: what fits into the pipe, the socket and the queue comes; then
    // the head, and nothing after the gap.
    let (mut next, mut bytes) = (Seq(1), 0);
    let head = loop {
        match bob.wire.hear().await {
            ServerFrame::Entries(pushed) => {
                assert_eq!(pushed.first, next);
                next = Seq(next.0 + pushed.entries.len() as u64);
                bytes += pushed.entries.iter().map(bytes::Bytes::len).sum::<usize>();
            }
            ServerFrame::Heads(heads) => {
                if let Some(head) = heads.heads.iter().find(|head| head.room == room && head.seq > Seq(1)) {
                    break *head;
                }
            }
            _ => {}
        }
    };
    assert_eq!(head.seq, Seq(MESSAGES + 1));
    assert!(bytes < 512 * 1024, "{bytes} bytes waited for a reader that did not read");
    assert!(!bob.fetch(room, next.0 - 1).await.unwrap().is_empty());
    // From here on it hears as before.
    assert_eq!(alice.post(0, room, "again").await, Ok(Seq(MESSAGES + 2)));
    while bob.pushed(room).await.0 != Seq(MESSAGES + 2) {}
    assert!(pair.end().await > 0);
}

#[tokio::test]
async fn a_reader_that_never_reads_is_sent_away() {
    let mut config = generous();
    config.limits.write_timeout_s = 1;
    let relay = Relay::fresh_with(config);
    let mut alice = Device::join(&relay, 1, "alice").await;
    let mut bob = Device::join(&relay, 2, "bob").await;
    let room = alice.open_direct(&bob.account).await;
    assert_eq!(relay.hub.registry.count(), (2, 2));
    for _ in 0..100 {
        alice.post(0, room, &"x".repeat(4_000)).await.unwrap();
    }
    until("bob is sent away", || relay.hub.registry.count() == (1, 1)).await;
    // What had left comes, then the end, and why if there is room for it.
    let code = bob.wire.closed().await;
    assert!(code.is_none() || code == Some(CloseCode::TooSlow.into()), "{code:?}");
    bob.reconnect(&relay).await;
    assert_eq!(bob.head(room).await.unwrap().seq, Seq(101));
}

#[tokio::test]
async fn bodies_beyond_the_limit_are_refused() {
    let relay = Relay::fresh_with(generous());
    let mut alice = Device::join(&relay, 1, "alice").await;
    let own = RoomId::own(&alice.account);
    let max = relay.hub.live.load().limits.max_body_bytes as usize;
    let header = alice.header(own, Kind::Message);
    let largest = Entry::sign(&header, &vec![1; max], &alice.keys);
    alice.send(0, &largest).await;
    assert_eq!(alice.verdict().await, Ok(Seq(2)));
    let header = alice.header(own, Kind::Message);
    let larger = Entry::sign(&header, &vec![1; max + 1], &alice.keys);
    alice.send(0, &larger).await;
    assert_eq!(alice.verdict().await.unwrap_err().code, ErrorCode::TooLarge);
    assert_eq!(alice.republish(own, &[&larger]).await, Err(ErrorCode::TooLarge));
    let kind = Kind::Control { index: 0, ops: kith_protocol::room::group_ops(alice.account, [1; 16], []) };
    let header = alice.header(RoomId::ZERO, kind);
    let genesis = Entry::sign(&header, &vec![1; max + 1], &alice.keys);
    assert_eq!(alice.append_control(&genesis).await, Err(ErrorCode::TooLarge));
    assert_eq!(alice.head(own).await.unwrap().seq, Seq(2));
}

#[tokio::test]
async fn an_account_has_so_many_registers_in_a_room() {
    let folder = tempfile::tempdir().unwrap();
    let mut config = generous();
    config.limits.registers_per_account_and_room = 3;
    let relay = Relay::open_with(folder.path(), config.clone());
    let mut alice = Device::join(&relay, 1, "alice").await;
    let mut bob = Device::join(&relay, 2, "bob").await;
    let room = alice.open_direct(&bob.account).await;
    let mut revs = Vec::new();
    for key in 0..3 {
        let register = alice.register(room, Scope::Account, key, Rev(0));
        revs.push(alice.set(&register).await.unwrap());
    }
    for key in 0..2 {
        let one_more = alice.register(room, Scope::Account, 3, Rev(0));
        assert_eq!(alice.set(&one_more).await, Err(ErrorCode::LimitReached));
        let replacing = alice.register(room, Scope::Account, 0, revs[0]);
        revs[0] = alice.set(&replacing).await.unwrap();
        let his = bob.register(room, Scope::Account, key, Rev(0));
        assert!(bob.set(&his).await.is_ok(), "the others have their own");
        let elsewhere = alice.register(RoomId::own(&alice.account), Scope::Account, 0, Rev(u64::MAX));
        assert!(alice.set(&elsewhere).await.is_ok());
    }
    // The count is as true after a restart of the relay as before it.
    let _ = (alice.wire.0.close(None).await, bob.wire.0.close(None).await);
    while alice.wire.next().await.is_ok() {}
    while bob.wire.next().await.is_ok() {}
    relay.close().await;
    let relay = Relay::open_with(folder.path(), config);
    alice.reconnect(&relay).await;
    let one_more = alice.register(room, Scope::Account, 3, Rev(0));
    assert_eq!(alice.set(&one_more).await, Err(ErrorCode::LimitReached));
}

#[tokio::test]
async fn a_register_that_comes_too_late_is_told_so() {
    let relay = Relay::fresh();
    let mut alice = Device::join(&relay, 1, "alice").await;
    let own = RoomId::own(&alice.account);
    let first = alice.register(own, Scope::Account, 1, Rev(0));
    let rev = alice.set(&first).await.unwrap();
    assert_eq!(alice.set(&first).await, Ok(rev), "a retry is harmless");
    let late = alice.register(own, Scope::Account, 1, Rev(0));
    let entry = late.raw().clone();
    let answer = alice
        .ask(|req| {
            kith_protocol::frame::ClientFrame::SetRegister(kith_protocol::frame::Append { req, entry })
        })
        .await;
    let ServerFrame::RegisterConflict(conflict) = answer else { panic!("{answer:?}") };
    assert_eq!((conflict.current.rev, conflict.current.register), (rev, first.raw().clone()));
}

#[tokio::test]
async fn nobody_uses_up_the_rooms_of_another() {
    let mut config = generous();
    config.limits.rooms_per_account = 3;
    let relay = Relay::fresh_with(config);
    let mut alice = Device::join(&relay, 1, "alice").await;
    for (seed, handle) in [(2, "bob"), (3, "carol"), (4, "dave")] {
        let mut other = Device::join(&relay, seed, handle).await;
        for _ in 0..2 {
            other.open_group(&[alice.account]).await;
        }
    }
    // Beside her own room, two that she makes herself.
    let mut made = alice.open_group(&[]).await;
    alice.open_group(&[]).await;
    let ops = kith_protocol::room::group_ops(alice.account, [9; 16], []);
    let third = alice.control(RoomId::ZERO, Hash::ZERO, 0, ops);
    assert_eq!(alice.append_control(&third).await, Err(ErrorCode::LimitReached));
    // One that she leaves no longer counts.
    let erin = Device::join(&relay, 5, "erin").await;
    alice.change(&mut made, vec![ControlOp::Add(erin.account, Role::Owner)]).await.unwrap();
    let account = alice.account;
    alice.change(&mut made, vec![ControlOp::Remove(account)]).await.unwrap();
    assert!(alice.append_control(&third).await.is_ok());
}

#[tokio::test]
async fn rooms_members_and_devices_are_limited() {
    let mut config = generous();
    config.limits.members_per_room = 2;
    config.limits.rooms_per_account = 3;
    config.limits.devices_per_account = 2;
    config.limits.max_accounts = 3;
    let relay = Relay::fresh_with(config);
    let mut alice = Device::join(&relay, 1, "alice").await;
    let bob = Device::join(&relay, 2, "bob").await;
    let carol = Device::join(&relay, 3, "carol").await;
    let mut group = alice.open_group(&[bob.account]).await;
    let third = vec![ControlOp::Add(carol.account, Role::Member)];
    assert_eq!(alice.change(&mut group, third).await, Err(ErrorCode::LimitReached));
    alice.open_group(&[]).await;
    let ops = kith_protocol::room::group_ops(alice.account, [9; 16], []);
    let genesis = alice.control(RoomId::ZERO, Hash::ZERO, 0, ops);
    assert_eq!(alice.append_control(&genesis).await, Err(ErrorCode::LimitReached));
    let _phone = alice.link(&relay, 11).await;
    let consent =
        kith_protocol::chain::NewDevice::countersign(&crate::support::keys(12), "tablet", &alice.account);
    let op = kith_protocol::chain::ChainOp::AddDevice(consent);
    assert_eq!(alice.append_chain(vec![op]).await, Err(ErrorCode::LimitReached));

    let token = relay.invite().await;
    let mut dave = Device::new(
        crate::support::keys(4),
        kith_protocol::account::Account::genesis(&kith_protocol::chain::ChainEntry::genesis(
            &crate::support::keys(4),
            "laptop",
            1,
        ))
        .unwrap(),
        relay.connect().await,
    );
    let hello = dave.wire.hello().await;
    let join = dave.joining(&hello, &token, "dave");
    dave.wire.say(&kith_protocol::frame::ClientFrame::Join(join)).await;
    let answer = dave.wire.hear().await;
    assert_eq!(crate::support::refusal(&answer), ErrorCode::LimitReached);
}
