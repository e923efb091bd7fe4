//! Client engines against the relay's own sessions, in virtual time.

mod backup;
mod chaos;
mod world;

use kith_client::core::{Trouble, Update};
use kith_protocol::ids::Seq;
use world::World;

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
fn four_devices_of_two_people_agree_after_cuts_and_crashes() {
    let mut w = World::new();
    let (a1, b1) = (w.join("alice"), w.join("bob"));
    let room = w.dm(a1, b1);
    w.say(a1, room, "one");
    w.settle();
    let a2 = w.link(a1, "phone");
    let b2 = w.link(b1, "desk");
    assert_eq!(w.texts(a2, room), ["one"]);

    w.disconnect(a2);
    w.disconnect(b1);
    w.say(a2, room, "two, offline");
    w.say(b1, room, "three, offline");
    w.crash(a2, 0);
    w.say(b2, room, "four");
    w.settle();
    w.connect(a2);
    w.connect(b1);
    w.settle();
    assert_eq!(w.agree(room, &[a1, a2, b1, b2]), Seq(5));
    let mut texts = w.texts(a1, room);
    texts.sort();
    assert_eq!(texts, ["four", "one", "three, offline", "two, offline"]);
}

#[test]
fn a_group_with_names_edits_reactions_and_redactions() {
    let mut w = World::new();
    let (alice, bob, carol) = (w.join("alice"), w.join("bob"), w.join("carol"));
    let room = w.group(alice, "Garden", &[bob]);
    w.say(bob, room, "helo");
    w.settle();
    let target = w.lines(bob, room).last().unwrap().id;
    let now = w.now;
    w.devices[bob].engine.edit(now, &room, target, "hello").unwrap();
    w.devices[alice].engine.react(now, &room, target, "👍", true).unwrap();
    w.settle();
    for id in [alice, bob] {
        let line = w.lines(id, room).into_iter().find(|line| line.id == target).unwrap();
        assert_eq!((line.text.as_str(), line.edited, line.reactions.len()), ("hello", true, 1));
        assert_eq!(w.devices[id].engine.room(&room).unwrap().unwrap().title, "Garden");
    }
    let account = w.devices[carol].engine.me().person.account;
    w.devices[alice].engine.add_member(now, &room, account, kith_protocol::room::Role::Member).unwrap();
    w.settle();
    w.say(carol, room, "I am here");
    w.devices[alice].engine.redact(now, &room, target).unwrap();
    w.settle();
    w.agree(room, &[alice, bob, carol]);
    let line = w.lines(carol, room).into_iter().find(|line| line.id == target).unwrap();
    assert!(line.redacted && line.text.is_empty() && line.reactions.is_empty(), "{line:?}");

    let account = w.devices[bob].engine.me().person.account;
    w.devices[alice].engine.remove_member(now, &room, account).unwrap();
    w.settle();
    w.say(alice, room, "without bob");
    w.settle();
    assert!(!w.texts(bob, room).contains(&"without bob".to_owned()));
    assert!(!w.devices[bob].engine.room(&room).unwrap().unwrap().writable);
    w.agree(room, &[alice, carol]);
}

#[test]
fn read_marks_drafts_and_wishes_reach_the_other_device_and_never_go_back() {
    let mut w = World::new();
    let (a1, bob) = (w.join("alice"), w.join("bob"));
    let a2 = w.link(a1, "phone");
    let room = w.dm(bob, a1);
    for n in 1..=5 {
        w.say(bob, room, &n.to_string());
    }
    w.settle();
    assert_eq!(w.devices[a2].engine.room(&room).unwrap().unwrap().unread, 5);
    w.disconnect(a1);
    let now = w.now;
    w.devices[a1].engine.mark_read(now, &room, Seq(3)).unwrap();
    w.devices[a1].engine.set_draft(now, &room, "half a tho").unwrap();
    w.devices[a2].engine.mark_read(now, &room, Seq(5)).unwrap();
    let wish = kith_client::core::RoomWish { muted_until: u64::MAX, mentions_anyway: true, pinned: true };
    w.devices[a2].engine.set_room_wish(now, &room, wish).unwrap();
    w.settle();
    w.crash(a1, 0);
    w.connect(a1);
    w.settle();
    for id in [a1, a2] {
        let summary = w.devices[id].engine.room(&room).unwrap().unwrap();
        assert_eq!((summary.read_up_to, summary.unread), (Seq(5), 1), "{}", w.devices[id].name);
        assert_eq!(summary.draft, "half a tho");
        assert!(summary.pinned && summary.mentions_anyway);
        assert!(w.devices[id].engine.progress().done, "{:?}", w.devices[id].engine.progress());
    }
    let members = w.devices[bob].engine.members(&room).unwrap();
    assert!(members.iter().any(|member| member.read_up_to == Seq(5)));
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
fn a_lost_store_is_filled_again_and_the_outbox_survives() {
    let mut w = World::new();
    let (alice, bob) = (w.join("alice"), w.join("bob"));
    let room = w.dm(alice, bob);
    w.say(alice, room, "stored");
    w.settle();
    w.disconnect(alice);
    w.say(alice, room, "waiting");
    w.lose_store(alice);
    assert_eq!(w.devices[alice].engine.outbox().len(), 1);
    w.connect(alice);
    w.settle();
    assert_eq!(w.agree(room, &[alice, bob]), Seq(3));
    assert_eq!(w.texts(alice, room), ["stored", "waiting"]);
}

#[test]
fn a_revoked_device_keeps_its_data_and_says_so() {
    let mut w = World::new();
    let (a1, bob) = (w.join("alice"), w.join("bob"));
    let a2 = w.link(a1, "phone");
    let room = w.dm(a1, bob);
    w.say(a1, room, "from the laptop");
    w.settle();
    w.say(a2, room, "from the phone");
    w.settle();
    let phone = w.devices[a2].engine.me().device;
    let now = w.now;
    w.devices[a1].engine.revoke(now, phone).unwrap();
    w.settle();
    assert!(world::is_revoked(&w.devices[a2]));
    assert_eq!(w.texts(a2, room), ["from the laptop", "from the phone"]);
    w.connect(a2);
    w.settle();
    assert!(world::is_revoked(&w.devices[a2]));
    w.say(a1, room, "still here");
    w.settle();
    w.agree(room, &[a1, bob]);
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
fn a_restored_relay_gets_back_what_it_lost() {
    let mut w = World::new();
    let (alice, bob) = (w.join("alice"), w.join("bob"));
    let room = w.dm(alice, bob);
    w.say(alice, room, "before the backup");
    w.settle();
    let backup = w.backup();
    w.say(bob, room, "after the backup");
    w.say(alice, room, "also after");
    let later = w.group(alice, "Later", &[bob]);
    w.say(bob, later, "in a room that the backup lacks");
    w.settle();
    let now = w.now;
    let target = w.lines(alice, room)[1].id;
    w.devices[bob].engine.react(now, &room, target, "🌻", true).unwrap();
    w.devices[bob].engine.mark_read(now, &room, Seq(4)).unwrap();
    w.settle();

    w.restore(backup);
    w.disconnect(bob);
    w.connect(alice);
    w.settle();
    w.say(alice, room, "on the restored relay");
    w.settle();
    w.connect(bob);
    w.settle();
    w.pass(5_000);
    w.agree(room, &[alice, bob]);
    w.agree(later, &[alice, bob]);
    let texts = w.texts(alice, room);
    for text in ["before the backup", "after the backup", "also after", "on the restored relay"] {
        assert_eq!(texts.iter().filter(|t| *t == text).count(), 1, "{texts:?}");
    }
    assert_eq!(w.texts(bob, later), ["in a room that the backup lacks"]);
    let line = w.lines(alice, room).into_iter().find(|line| line.id == target).unwrap();
    assert_eq!(line.reactions.len(), 1);
    let told = |update: &Update| matches!(update, Update::Trouble(Trouble::Resync));
    assert!(w.devices.iter().all(|device| device.updates.iter().any(told)));
    assert!(w.devices.iter().all(|device| device.engine.progress().done));
}
