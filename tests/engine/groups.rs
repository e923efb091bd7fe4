//! Rooms of several people.

use crate::world::{Id, World};
use kith_client::core::{Reply, RequestError};
use kith_protocol::error::ErrorCode;
use kith_protocol::ids::RoomId;
use kith_protocol::room::Role;

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
    w.devices[alice].engine.add_member(now, &room, account, Role::Member).unwrap();
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
fn who_comes_again_begins_to_read_there() {
    let mut w = World::new();
    let (alice, bob) = (w.join("alice"), w.join("bob"));
    let room = w.group(alice, "Garden", &[bob]);
    let (account, now) = (w.devices[bob].engine.me().person.account, w.now);
    w.say(alice, room, "the first time");
    w.settle();
    w.devices[alice].engine.remove_member(now, &room, account).unwrap();
    w.settle();
    w.devices[alice].engine.add_member(now, &room, account, Role::Member).unwrap();
    w.settle();
    w.say(alice, room, "the second time");
    w.settle();
    let phone = w.link(bob, "phone");
    for id in [bob, phone] {
        assert_eq!(w.devices[id].engine.room(&room).unwrap().unwrap().unread, 1, "{}", w.devices[id].name);
    }
}

#[test]
fn changes_of_members_at_the_same_time_all_happen() {
    let mut w = World::new();
    let (alice, bob, carol, dave) = (w.join("alice"), w.join("bob"), w.join("carol"), w.join("dave"));
    let room = w.group(alice, "Garden", &[bob]);
    let account = |w: &World, id: usize| w.devices[id].engine.me().person.account;
    let (b, c, d, now) = (account(&w, bob), account(&w, carol), account(&w, dave), w.now);
    w.devices[alice].engine.set_role(now, &room, b, Role::Owner).unwrap();
    w.settle();
    let one = w.devices[alice].engine.add_member(now, &room, c, Role::Member).unwrap();
    let two = w.devices[bob].engine.add_member(now, &room, d, Role::Member).unwrap();
    w.settle();
    assert!(matches!(w.reply_to(alice, one), Some(Ok(Reply::Done))));
    assert!(matches!(w.reply_to(bob, two), Some(Ok(Reply::Done))));
    assert_eq!(w.devices[carol].engine.members(&room).unwrap().len(), 4);
    w.agree(room, &[alice, bob, carol, dave]);
    let again = w.devices[alice].engine.add_member(now, &room, c, Role::Member);
    assert!(matches!(again, Err(RequestError::Senseless(_))));
}

#[test]
fn who_came_and_went_unheard_sees_what_was_said_while_they_were_there_and_no_name() {
    let mut w = World::new();
    let (alice, bob) = (w.join("alice"), w.join("bob"));
    w.disconnect(bob);
    let room = w.group(alice, "Garden", &[]);
    w.say(alice, room, "before bob");
    w.settle();
    let (account, now) = (w.devices[bob].engine.me().person.account, w.now);
    w.devices[alice].engine.add_member(now, &room, account, Role::Member).unwrap();
    w.settle();
    w.say(alice, room, "with bob");
    w.settle();
    w.devices[alice].engine.remove_member(now, &room, account).unwrap();
    w.settle();
    w.say(alice, room, "after bob");
    w.devices[alice].engine.rename(now, &room, "Secret garden").unwrap();
    w.settle();

    // Of a register the relay has the newest value alone, and that may be none of theirs.
    w.connect(bob);
    w.settle();
    assert_eq!(w.texts(bob, room), ["before bob", "with bob"]);
    let summary = w.devices[bob].engine.room(&room).unwrap().unwrap();
    assert!(summary.title.starts_with("Group ") && !summary.writable, "{summary:?}");
    assert!(w.devices[bob].engine.progress().done, "a name is not waited for");

    w.devices[alice].engine.add_member(now, &room, account, Role::Member).unwrap();
    w.settle();
    assert_eq!(w.devices[bob].engine.room(&room).unwrap().unwrap().title, "Secret garden");
    w.agree(room, &[alice, bob]);
}

/// Bob comes back to a group to which Carol and then Dave were added, with more between than he fetches at once.
fn long_absent_from_a_group(refused: &[ErrorCode]) -> (World, Vec<Id>, RoomId) {
    let mut w = World::new();
    let (alice, bob, carol, dave) = (w.join("alice"), w.join("bob"), w.join("carol"), w.join("dave"));
    let room = w.group(alice, "Garden", &[bob]);
    w.disconnect(bob);
    let add = |w: &mut World, whom: Id| {
        let (account, now) = (w.devices[whom].engine.me().person.account, w.now);
        w.devices[alice].engine.add_member(now, &room, account, Role::Member).unwrap();
        w.settle();
    };
    add(&mut w, carol);
    for n in 1..=400 {
        w.say(carol, room, &n.to_string());
        if n % 50 == 0 {
            w.settle();
        }
    }
    add(&mut w, dave);
    w.say(alice, room, "the newest");
    w.settle();
    w.devices[bob].refused.extend(refused);
    w.connect(bob);
    w.settle();
    assert!(w.devices[bob].refused.is_empty(), "it asked that often");
    (w, vec![alice, bob, carol, dave], room)
}

#[test]
fn what_waits_for_control_entries_that_are_refused_for_a_moment_is_asked_for_again() {
    let refused = [ErrorCode::NotFound, ErrorCode::RateLimited];
    let (mut w, all, room) = long_absent_from_a_group(&refused);
    let bob = all[1];
    assert!(!w.devices[bob].engine.progress().done, "it waits for a moment");
    w.pass(5_000);
    assert!(w.devices[bob].engine.progress().done, "{:?}", w.devices[bob].engine.progress());
    w.agree(room, &all);
    assert_eq!(w.devices[bob].engine.members(&room).unwrap().len(), 4);
}

#[test]
fn what_waits_for_control_entries_that_are_refused_for_good_waits_no_longer() {
    let refused = [ErrorCode::NotFound, ErrorCode::NotFound];
    let (mut w, all, room) = long_absent_from_a_group(&refused);
    let bob = all[1];
    w.pass(5_000);
    // Of whom nothing is known that makes them members, nothing counts; what members wrote is there.
    assert!(w.devices[bob].engine.progress().done, "{:?}", w.devices[bob].engine.progress());
    assert_eq!(w.texts(bob, room).last().unwrap(), "the newest");
    w.say(bob, room, "I am back");
    w.settle();
    assert_eq!(w.texts(all[0], room).last().unwrap(), "I am back");
}
