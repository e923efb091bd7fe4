//! Client engines against the relay's own sessions, in virtual time.
#![allow(clippy::unwrap_used, unreachable_pub, reason = "a test ends where something fails")]

mod backup;
mod chaos;
mod halfway;
mod speed;
mod world;

use kith_client::core::{Reply, RequestError, RoomsDiff, Trouble, Update};
use kith_client::timeline::State;
use kith_client::vault::MemoryVault;
use kith_protocol::frame::ServerFrame;
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
fn a_handle_that_means_somebody_else_stops_and_asks() {
    let mut w = World::new();
    let (alice, bob, carol) = (w.join("alice"), w.join("bob"), w.join("carol"));
    let ask = |w: &mut World| {
        let ticket = w.devices[alice].engine.lookup("@bob").unwrap();
        w.settle();
        w.reply_to(alice, ticket).unwrap()
    };
    assert!(matches!(ask(&mut w), Ok(Reply::People(people)) if people.len() == 1));
    w.devices[bob].engine.set_profile(None, Some("robert".into())).unwrap();
    w.settle();
    w.devices[carol].engine.set_profile(None, Some("bob".into())).unwrap();
    w.settle();
    let impostor = w.devices[carol].engine.me().person.account;
    assert!(matches!(ask(&mut w), Err(RequestError::HandleMoved { now, .. }) if now == impostor));
    let told = |update: &Update| matches!(update, Update::Trouble(Trouble::HandleMoved { .. }));
    assert!(w.devices[alice].updates.iter().any(told));
    let now = w.now;
    w.devices[alice].engine.accept_handle(now, "bob");
    assert!(matches!(ask(&mut w), Ok(Reply::People(people)) if people[0].account == impostor));
}

#[test]
fn nobody_is_notified_twice_and_a_long_absence_is_told_once() {
    let mut w = World::new();
    let (alice, bob) = (w.join("alice"), w.join("bob"));
    let a2 = w.link(alice, "phone");
    let room = w.dm(bob, alice);
    w.say(bob, room, "one");
    w.settle();
    let notified = |w: &World, id: usize| {
        let notifies = |update: &&Update| matches!(update, Update::Notification(decision) if decision.notify);
        w.devices[id].updates.iter().filter(notifies).count()
    };
    assert_eq!((notified(&w, alice), notified(&w, a2)), (1, 1));
    w.crash(alice, 10_000);
    w.connect(alice);
    w.settle();
    assert_eq!(notified(&w, alice), 1, "a restart notifies of nothing again");

    let now = w.now;
    w.devices[a2].engine.mark_read(now, &room, Seq(2)).unwrap();
    w.settle();
    assert!(w.devices[alice].updates.iter().any(|update| matches!(update, Update::Withdraw(_))));

    w.disconnect(alice);
    for n in 0..30 {
        w.say(bob, room, &n.to_string());
    }
    w.settle();
    w.connect(alice);
    w.settle();
    assert_eq!(notified(&w, alice), 1);
    let summaries: Vec<u64> = w.devices[alice]
        .updates
        .iter()
        .filter_map(|update| match update {
            Update::Summary { messages, .. } => Some(*messages),
            _ => None,
        })
        .collect();
    assert_eq!(summaries, [30]);
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
fn changes_of_members_at_the_same_time_all_happen() {
    let mut w = World::new();
    let (alice, bob, carol, dave) = (w.join("alice"), w.join("bob"), w.join("carol"), w.join("dave"));
    let room = w.group(alice, "Garden", &[bob]);
    let account = |w: &World, id: usize| w.devices[id].engine.me().person.account;
    let (b, c, d, now) = (account(&w, bob), account(&w, carol), account(&w, dave), w.now);
    w.devices[alice].engine.set_role(now, &room, b, kith_protocol::room::Role::Owner).unwrap();
    w.settle();
    let one = w.devices[alice].engine.add_member(now, &room, c, kith_protocol::room::Role::Member).unwrap();
    let two = w.devices[bob].engine.add_member(now, &room, d, kith_protocol::room::Role::Member).unwrap();
    w.settle();
    assert!(matches!(w.reply_to(alice, one), Some(Ok(Reply::Done))));
    assert!(matches!(w.reply_to(bob, two), Some(Ok(Reply::Done))));
    assert_eq!(w.devices[carol].engine.members(&room).unwrap().len(), 4);
    w.agree(room, &[alice, bob, carol, dave]);
    let again = w.devices[alice].engine.add_member(now, &room, c, kith_protocol::room::Role::Member);
    assert!(matches!(again, Err(RequestError::Senseless(_))));
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

#[test]
fn a_device_that_did_not_hear_that_it_was_linked_links_again() {
    let mut w = World::new();
    let alice = w.join("alice");
    let vault = MemoryVault::new();
    assert_eq!(w.link_by(alice, "phone", vault.clone(), false), None);
    assert_eq!(w.devices[alice].engine.devices().len(), 2, "it was added all the same");
    let phone = w.link_by(alice, "phone", vault, true).unwrap();
    assert!(w.devices[phone].engine.is_live());
    assert_eq!(w.devices[alice].engine.devices().len(), 2, "the same device, and no third one");
}

#[test]
fn an_account_whose_id_begins_like_a_handle_is_known_after_a_restart() {
    let mut w = World::new();
    let bob = w.join("bob");
    let alice = w.join_as("alice", 2, |id| id.0[0] == b'@');
    let room = w.dm(alice, bob);
    w.say(alice, room, "hello");
    w.settle();
    w.crash(bob, usize::MAX);
    assert_eq!(w.devices[bob].engine.room(&room).unwrap().unwrap().title, "alice");
}

#[test]
fn a_sync_is_done_when_those_who_wrote_have_names() {
    let mut w = World::new();
    let (alice, bob) = (w.join("alice"), w.join("bob"));
    let before = w.devices[bob].updates.len();
    let room = w.dm(alice, bob);
    w.say(alice, room, "hello");
    w.settle();
    let news = &w.devices[bob].updates[before..];
    let named = news
        .iter()
        .position(|update| matches!(update, Update::Rooms(RoomsDiff::Set(room)) if room.title == "alice"));
    let done = news.iter().position(|update| matches!(update, Update::Progress(progress) if progress.done));
    assert!(named.unwrap() < done.unwrap(), "{news:?}");
    let notice = news.iter().find_map(|update| match update {
        Update::Notification(decision) => decision.notice.as_ref(),
        _ => None,
    });
    assert_eq!(notice.unwrap().title, "alice", "nobody is told of a message by an id");
}
