//! A wall clock that jumps by a day, forward and back, under a running relay: whoever is connected stays so, what is written is
//! stored in its order, and nothing that was meant to last ends, or to end lasts.
#![allow(clippy::unwrap_used, unreachable_pub, reason = "a test ends where something fails")]

mod support;

use kith_protocol::error::ErrorCode;
use kith_protocol::ids::{AccountId, Seq};
use kith_relay::clock::Clock;
use kith_relay::relay::writer::Written;
use kith_relay::relay::writes::{HookPlace, MakeHook, Post, Write};
use kith_relay::store::{InviteRow, RelayRole};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use support::{Device, Relay, generous};

const START: u64 = 1_800_000_000_000;
const DAY: u64 = 24 * 60 * 60 * 1000;

/// A clock of this test's own, and how it is set.
fn clock() -> (Clock, &'static AtomicU64) {
    let unix_ms = Box::leak(Box::new(AtomicU64::new(START)));
    (Clock::told_by(unix_ms), unix_ms)
}

async fn put_invite(relay: &Relay, token: [u8; 16], expires_at: u64) {
    let role = RelayRole::Member;
    let invite = InviteRow { token, uses: 9, expires_at, role, room: None, by: None };
    relay.hub.ask(Write::PutInvite(invite)).await.unwrap();
}

/// Whether somebody can join with this invite, whose page the relay would show.
async fn is_open(relay: &Relay, token: [u8; 16]) -> bool {
    let now = relay.hub.clock.unix_ms();
    let open = relay.hub.run(move |store| store.invites(now).unwrap()).await.unwrap();
    open.iter().any(|invite| invite.token == token)
}

#[tokio::test]
async fn who_is_connected_stays_and_writes_on() {
    let (clock, unix_ms) = clock();
    let mut config = generous();
    // So soon that a clock which counted for it would end the connections.
    (config.limits.ping_interval_s, config.limits.idle_timeout_s) = (1, 60);
    let relay = Relay::fresh_by_clock(config, clock);
    let mut alice = Device::join(&relay, 1, "alice").await;
    let mut bob = Device::join(&relay, 2, "bob").await;
    let room = alice.open_direct(&bob.account).await;
    let mut told = Vec::new();
    for (place, now) in (2..).zip([START, START + DAY, START, START - DAY, 0, START + 400 * DAY, START]) {
        unix_ms.store(now, Ordering::Relaxed);
        let text = format!("at {now}");
        assert_eq!(alice.post(0, room, &text).await, Ok(Seq(place)), "{text}");
        told.push(text);
        assert_eq!(bob.head(room).await.unwrap().seq, Seq(place));
    }
    let entries = bob.fetch(room, 1).await.unwrap();
    let texts: Vec<_> = entries
        .into_iter()
        .map(|raw| support::text_of(&kith_protocol::entry::Entry::parse(raw).unwrap()))
        .collect();
    assert_eq!(texts, told, "in the order written, whatever the clock said");
    assert_eq!(relay.hub.registry.count(), (2, 2));
    // Somebody new comes in all the same, and is told the time as it is.
    unix_ms.store(START + DAY, Ordering::Relaxed);
    bob.reconnect(&relay).await;
    assert_eq!(bob.head(room).await.unwrap().seq, Seq(8));
}

#[tokio::test]
async fn invites_end_by_the_clock_and_come_back_with_it() {
    let (clock, unix_ms) = clock();
    let relay = Relay::fresh_by_clock(generous(), clock);
    let token = [4; 16];
    put_invite(&relay, token, START + DAY / 2).await;
    let mut seen = Vec::new();
    for now in [START, START + DAY, START, START - DAY] {
        unix_ms.store(now, Ordering::Relaxed);
        seen.push(is_open(&relay, token).await);
    }
    assert_eq!(seen, [true, false, true, true]);
    // What happened stands in its order, whatever time it says.
    for (number, now) in [START + DAY, START - DAY, START].into_iter().enumerate() {
        unix_ms.store(now, Ordering::Relaxed);
        put_invite(&relay, [10 + u8::try_from(number).unwrap(); 16], START + 10 * DAY).await;
    }
    let records = relay.hub.run(|store| store.audit_log(3).unwrap()).await.unwrap();
    let times: Vec<_> = records.iter().map(|record| record.at).collect();
    assert_eq!(times, [START + DAY, START - DAY, START]);
}

#[tokio::test]
async fn the_pace_of_messages_does_not_follow_it() {
    let (clock, unix_ms) = clock();
    let mut config = generous();
    (config.limits.hook_messages_per_second, config.limits.hook_messages_burst) = (1, 2);
    let relay = Relay::fresh_by_clock(config, clock);
    let hook = AccountId([3; 32]);
    assert!(relay.hub.hook_may_write(hook) && relay.hub.hook_may_write(hook));
    assert!(!relay.hub.hook_may_write(hook));
    unix_ms.store(START + DAY, Ordering::Relaxed);
    assert!(!relay.hub.hook_may_write(hook), "a day is not a second");
    unix_ms.store(START - DAY, Ordering::Relaxed);
    while !relay.hub.hook_may_write(hook) {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test]
async fn a_key_of_an_integration_makes_no_second_message_and_is_not_known_for_ever() {
    let (clock, unix_ms) = clock();
    let relay = Relay::fresh_by_clock(generous(), clock);
    let alice = Device::join(&relay, 1, "alice").await;
    let make = MakeHook {
        name: "Backup".into(),
        place: HookPlace::Person(alice.account),
        token: [5; 32],
        seeds: [6; 64],
        random: [1; 10],
    };
    let Written::Hooked(hook, ..) = relay.hub.ask(Write::MakeHook(Box::new(make))).await.unwrap() else {
        panic!("no integration")
    };
    let mut random = 2;
    let mut posted = async |now: u64| {
        unix_ms.store(now, Ordering::Relaxed);
        random += 1;
        let post =
            Post { hook, text: "done".into(), everybody: false, key: Some([8; 32]), random: [random; 10] };
        match relay.hub.ask(Write::Post(Box::new(post))).await {
            Ok(Written::Posted { again, .. }) => !again,
            other => panic!("{:?}", other.map_err(|code: ErrorCode| code)),
        }
    };
    assert!(posted(START).await);
    assert!(!posted(START + DAY / 2).await, "the same one");
    assert!(!posted(START - DAY / 2).await, "set back by half a day");
    assert!(posted(START - 30 * DAY).await, "a clock that was wrong by a month says nothing about it");
    assert!(posted(START).await, "and neither does the one that was set right");
    assert!(posted(START + DAY + 1).await, "a day later it is another one");
}
