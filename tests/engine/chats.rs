//! Messages between people: in order, once, whatever comes between.

use crate::world::World;
use kith_client::core::{Trouble, Update};
use kith_client::timeline::State;
use kith_protocol::error::ErrorCode;
use kith_protocol::ids::Seq;

#[test]
fn a_first_message_opens_the_chat_and_arrives() {
    let mut w = World::new();
    let (alice, bob) = (w.join("alice"), w.join("bob"));
    let room = w.dm(alice, bob);
    let txn = w.say(alice, room, "hello");
    w.settle();

    assert_eq!(w.texts(bob, room), ["hello"]);
    assert_eq!(w.agree(room, &[alice, bob]), Seq(2));
    assert_eq!(w.devices[alice].engine.delivery(&txn), Some(Ok(Seq(2))));
    assert!(w.devices[alice].engine.outbox().is_empty());
    let summary = w.devices[bob].engine.room(&room).unwrap().unwrap();
    assert_eq!((summary.title.as_str(), summary.unread), ("alice", 1));
    assert!(w.devices.iter().all(|device| device.engine.progress().done));
}

#[test]
fn two_who_open_the_same_chat_offline_get_one_room() {
    let mut w = World::new();
    let (alice, bob) = (w.join("alice"), w.join("bob"));
    w.disconnect(alice);
    w.disconnect(bob);
    let room = w.dm(alice, bob);
    assert_eq!(w.dm(bob, alice), room);
    w.say(alice, room, "a1");
    w.say(bob, room, "b1");
    w.say(alice, room, "a2");
    w.connect(alice);
    w.connect(bob);
    w.settle();
    assert_eq!(w.agree(room, &[alice, bob]), Seq(4));
    let texts = w.texts(bob, room);
    let place = |text: &str| texts.iter().position(|t| t == text).unwrap();
    assert!(place("a1") < place("a2"));
}

#[test]
fn a_long_absence_shows_the_newest_first_and_fills_in() {
    let mut w = World::new();
    let (alice, bob) = (w.join("alice"), w.join("bob"));
    let room = w.dm(alice, bob);
    w.say(alice, room, "0");
    w.settle();
    w.disconnect(bob);
    for n in 1..=1500 {
        w.say(alice, room, &n.to_string());
        if n % 50 == 0 {
            w.settle();
        }
    }
    w.settle();
    w.connect(bob);
    w.settle();
    assert_eq!(w.agree(room, &[alice, bob]), Seq(1502));
    assert_eq!(w.texts(bob, room), (0..=1500).map(|n| n.to_string()).collect::<Vec<_>>());
    assert_eq!(w.devices[bob].engine.room(&room).unwrap().unwrap().unread, 1501);
}

#[test]
fn dropped_pushes_are_fetched() {
    let mut w = World::new();
    w.relay.set_queue(2);
    let (alice, bob) = (w.join("alice"), w.join("bob"));
    let room = w.dm(alice, bob);
    for n in 0..40 {
        w.say(alice, room, &n.to_string());
    }
    w.settle();
    assert_eq!(w.agree(room, &[alice, bob]), Seq(41));
}

#[test]
fn an_ack_is_never_believed_before_the_entry_is_stored() {
    let mut w = World::new();
    let (alice, bob) = (w.join("alice"), w.join("bob"));
    let room = w.dm(alice, bob);
    w.say(alice, room, "first");
    w.settle();
    w.devices[alice].fail_commits(1);
    w.say(alice, room, "second");
    w.settle();
    w.connect(alice);
    w.pass(10_000);
    assert_eq!(w.agree(room, &[alice, bob]), Seq(3));
    let told = |update: &Update| matches!(update, Update::Trouble(Trouble::Storage(_)));
    assert!(w.devices[alice].updates.iter().any(told));
}

#[test]
fn a_full_relay_delays_and_keeps_the_order() {
    let mut w = World::new();
    let (alice, bob) = (w.join("alice"), w.join("bob"));
    let room = w.dm(alice, bob);
    w.say(alice, room, "0");
    w.settle();
    w.relay.set_full(true);
    for n in 1..=40 {
        w.say(alice, room, &n.to_string());
    }
    w.pass(60_000);
    assert_eq!(w.devices[alice].engine.outbox().len(), 40);
    w.relay.set_full(false);
    w.pass(60_000);
    assert_eq!(w.agree(room, &[alice, bob]), Seq(42));
    assert_eq!(w.texts(bob, room), (0..=40).map(|n| n.to_string()).collect::<Vec<_>>());
}

#[test]
fn who_has_used_up_a_share_hears_why_and_goes_on_once_something_is_deleted() {
    let mut w = World::new();
    let (alice, bob) = (w.join("alice"), w.join("bob"));
    let room = w.dm(alice, bob);
    let long = "long ".repeat(2000);
    w.say(alice, room, &long);
    w.settle();
    let account = w.devices[alice].engine.me().person.account;
    w.relay.set_share(w.now, account, 12_000);
    let kept: Vec<String> = (0..10).map(|n| format!("{n} {}", "kept ".repeat(100))).collect();
    for text in &kept {
        w.say(alice, room, text);
    }
    w.pass(60_000);
    let waiting = w.devices[alice].engine.outbox().len();
    assert!((1..10).contains(&waiting), "{waiting} wait");
    let why = Trouble::NotStored(ErrorCode::QuotaReached);
    let told = |update: &&Update| matches!(update, Update::Trouble(trouble) if *trouble == why);
    assert_eq!(w.devices[alice].updates.iter().filter(told).count(), 1, "once, however often it is tried");
    assert!(why.to_string().contains("delete some of your messages"));

    // What takes away goes before what waits.
    let target = w.lines(alice, room).into_iter().find(|line| line.text == long).unwrap().id;
    let now = w.now;
    w.devices[alice].engine.redact(now, &room, target).unwrap();
    w.pass(20_000);
    assert_eq!(w.devices[alice].engine.outbox(), []);
    w.agree(room, &[alice, bob]);
    let texts = w.texts(bob, room);
    assert_eq!(texts[texts.len() - 10..], kept, "in the order written");
    assert!(!texts.contains(&long));
}

#[test]
fn what_is_refused_for_good_stays_and_the_others_go_on() {
    let mut w = World::new();
    let (alice, bob) = (w.join("alice"), w.join("bob"));
    let (chat, group) = (w.dm(bob, alice), w.group(alice, "Garden", &[bob]));
    w.say(bob, chat, "first");
    w.settle();
    w.disconnect(bob);
    let refused = w.say(bob, group, "too late");
    w.say(bob, chat, "goes on");
    let account = w.devices[bob].engine.me().person.account;
    let now = w.now;
    w.devices[alice].engine.remove_member(now, &group, account).unwrap();
    w.settle();
    w.connect(bob);
    w.settle();
    w.pass(5_000);
    assert_eq!(w.texts(alice, chat), ["first", "goes on"]);
    let engine = &mut w.devices[bob].engine;
    assert_eq!(engine.outbox().len(), 1);
    assert!(matches!(engine.delivery(&refused), Some(Err(State::Failed { .. }))));
    assert!(engine.progress().done, "what failed is not waited for");
    assert!(engine.history(&group, None, 10).unwrap().iter().any(|line| line.state.is_failed()));
    w.crash(bob, 1000);
    let engine = &mut w.devices[bob].engine;
    assert!(matches!(engine.delivery(&refused), Some(Err(State::Failed { .. }))), "it survives a restart");
    assert!(engine.discard(now, &refused).unwrap());
    assert!(engine.outbox().is_empty());
}
