//! Several devices of one person, and what becomes of one alone.

use crate::world::{Id, World};
use kith_client::vault::MemoryVault;
use kith_protocol::ids::Seq;

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

/// When each of its account's devices was here last, as this one knows it, in the order of their coming.
fn seen(w: &World, id: Id) -> Vec<Option<u64>> {
    w.devices[id].engine.devices().unwrap().iter().map(|device| device.last_seen).collect()
}

#[test]
fn each_device_says_to_the_others_when_it_was_here_and_not_oftener_than_once_an_hour() {
    const HOUR_MS: u64 = 3_600_000;
    let mut w = World::new();
    let (laptop, bob) = (w.join("alice"), w.join("bob"));
    let first = w.now;
    w.now += HOUR_MS / 4;
    let phone = w.link(laptop, "phone");
    let second = w.devices[phone].engine.devices().unwrap()[1].last_seen.unwrap();
    assert!((first + HOUR_MS / 4..=w.now).contains(&second));
    assert_eq!(seen(&w, laptop), [Some(first), Some(second)]);
    assert_eq!(seen(&w, phone), seen(&w, laptop));

    let room = w.dm(bob, laptop);
    w.disconnect(phone);
    w.now = first + HOUR_MS / 2;
    w.say(bob, room, "within the hour");
    w.settle();
    assert_eq!(seen(&w, laptop), [Some(first), Some(second)]);
    w.now = first + 2 * HOUR_MS;
    w.say(bob, room, "after it");
    w.settle();
    let again = seen(&w, laptop)[0];
    assert!(again.is_some_and(|at| at.abs_diff(w.now) < 1000), "{again:?}");
    assert_eq!(seen(&w, laptop)[1], Some(second));

    w.connect(phone);
    w.settle();
    assert_eq!(seen(&w, phone), seen(&w, laptop));
    w.crash(laptop, 0);
    w.connect(laptop);
    w.settle();
    assert_eq!(seen(&w, laptop)[0], again, "a new start is no reason to say it again");
}

#[test]
fn a_device_that_was_here_in_the_future_is_here_now() {
    let mut w = World::new();
    let laptop = w.join("alice");
    let once = w.now;
    w.now -= 24 * 3_600_000;
    w.crash(laptop, 0);
    w.connect(laptop);
    w.settle();
    assert_eq!(seen(&w, laptop), [Some(once - 24 * 3_600_000)]);
}

#[test]
fn a_lost_store_is_filled_again_and_the_outbox_survives() {
    let mut w = World::new();
    let (alice, bob) = (w.join("alice"), w.join("bob"));
    let room = w.dm(alice, bob);
    w.say(alice, room, "stored");
    w.pass(2_000);
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
    assert!(w.devices[a2].is_revoked());
    assert_eq!(w.texts(a2, room), ["from the laptop", "from the phone"]);
    w.connect(a2);
    w.settle();
    assert!(w.devices[a2].is_revoked());
    w.say(a1, room, "still here");
    w.settle();
    w.agree(room, &[a1, bob]);
}

#[test]
fn who_was_signed_out_stays_out_of_a_relay_put_back() {
    let mut w = World::new();
    let alice = w.join("alice");
    let phone = w.link(alice, "phone");
    let (backup, now, lost) = (w.relay.backup(), w.now, w.devices[phone].engine.me().device);
    w.devices[alice].engine.revoke(now, lost).unwrap();
    w.settle();
    w.restore(backup);
    w.crash(alice, 0);
    w.connect(alice);
    w.settle();
    w.connect(phone);
    w.settle();
    assert!(w.devices[phone].is_revoked() && w.devices[alice].engine.is_live());
}

#[test]
fn a_device_that_did_not_hear_that_it_was_linked_links_again() {
    let mut w = World::new();
    let alice = w.join("alice");
    let vault = MemoryVault::new();
    assert_eq!(w.link_by(alice, "phone", vault.clone(), false), None);
    assert_eq!(w.devices[alice].engine.devices().unwrap().len(), 2, "it was added all the same");
    let phone = w.link_by(alice, "phone", vault, true).unwrap();
    assert!(w.devices[phone].engine.is_live());
    assert_eq!(w.devices[alice].engine.devices().unwrap().len(), 2, "the same device, and no third one");
}
