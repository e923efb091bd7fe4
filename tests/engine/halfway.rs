//! What a crash, a refused commit, or a relay put back leaves half done.

use crate::world::{Id, World};
use kith_client::core::{RoomWish, Trouble, Update};
use kith_protocol::error::ErrorCode;
use kith_protocol::frame::{Ack, Acks, ClientFrame, Head, Heads, Refused, Registers, ServerFrame, Value};
use kith_protocol::ids::{Hash, Rev, RoomId, Seq, TxnId};

/// Alice and Bob, who have spoken.
fn chat() -> (World, Id, Id, RoomId) {
    let mut w = World::new();
    let (alice, bob) = (w.join("alice"), w.join("bob"));
    let room = w.dm(alice, bob);
    w.say(alice, room, "first");
    w.settle();
    (w, alice, bob, room)
}

/// The relay says that it has stored something, behind what this device holds.
fn acked_behind_a_gap(w: &mut World, id: Id, room: RoomId, txn: TxnId) {
    let ack = Ack { room, txn, seq: Seq(9) };
    let now = w.now;
    w.devices[id].engine.handle_frame(now, ServerFrame::Acks(Acks { acks: vec![ack] }));
    assert_eq!(w.devices[id].engine.delivery(&txn), Some(Ok(Seq(9))));
}

#[test]
fn a_restored_relay_gets_back_what_it_lost() {
    let mut w = World::new();
    let (alice, bob) = (w.join("alice"), w.join("bob"));
    let room = w.dm(alice, bob);
    w.say(alice, room, "before the backup");
    w.settle();
    let backup = w.relay.backup();
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
fn what_a_relay_put_back_cannot_check_yet_takes_nothing_else_with_it() {
    let (mut w, alice, bob, room) = chat();
    let backup = w.relay.backup();
    let desk = w.link(bob, "desk");
    w.say(alice, room, "before it");
    w.settle();
    w.say(desk, room, "of a device that the backup does not know");
    w.settle();
    w.disconnect(bob);
    w.disconnect(desk);
    w.say(alice, room, "only alice has this");
    w.say(alice, room, "and this");
    // Alice's outbox has done with them.
    w.pass(60_000);
    w.restore(backup);
    w.connect(alice);
    w.settle();
    w.pass(5_000);
    assert_eq!(w.texts(alice, room), ["first", "before it", "only alice has this", "and this"]);
    w.connect(bob);
    w.settle();
    w.connect(desk);
    w.settle();
    w.pass(5_000);
    // Not in the order that their authors had seen; but in one order, and nothing is missing.
    let order = [
        "first",
        "before it",
        "only alice has this",
        "and this",
        "of a device that the backup does not know",
    ];
    for id in [alice, bob, desk] {
        let verified = w.devices[id].engine.verify(&room).unwrap();
        assert_eq!((verified.seq, verified.complete), (Seq(6), true));
        assert_eq!(w.texts(id, room), order);
    }
}

#[test]
fn the_same_entry_at_the_same_place_does_not_make_logs_the_same() {
    let (mut w, alice, bob, room) = chat();
    let phone = w.link(alice, "phone");
    let backup = w.relay.backup();
    w.say(bob, room, "a");
    w.say(alice, room, "b");
    // Bob does not come to know what became of his.
    w.devices[bob].fail_commits(100);
    w.settle();
    w.devices[bob].fail_commits(0);
    w.say(alice, room, "c");
    w.settle();
    assert_eq!(w.texts(phone, room), ["first", "b", "a", "c"]);

    w.restore(backup);
    for id in [bob, alice, phone] {
        w.connect(id);
        w.settle();
    }
    w.pass(5_000);
    for id in [alice, bob, phone] {
        // Not in the order that their authors had seen; but in one order.
        let verified = w.devices[id].engine.verify(&room).unwrap();
        let at_first = w.devices[alice].engine.verify(&room).unwrap();
        assert_eq!((verified.seq, verified.hash, verified.complete), (Seq(5), at_first.hash, true));
        assert_eq!(w.texts(id, room), ["first", "a", "b", "c"]);
    }
}

#[test]
fn what_was_acknowledged_and_is_not_held_goes_out_again_on_a_relay_put_back() {
    for restarts in [false, true] {
        let (mut w, alice, bob, room) = chat();
        let backup = w.relay.backup();
        let txn = w.say(alice, room, "only the relay had it");
        acked_behind_a_gap(&mut w, alice, room, txn);
        if restarts {
            w.crash(alice, usize::MAX);
            assert_eq!(w.devices[alice].engine.delivery(&txn), Some(Ok(Seq(9))), "it is known to be stored");
        }
        w.restore(backup);
        w.connect(alice);
        w.connect(bob);
        w.settle();
        assert_eq!(w.agree(room, &[alice, bob]), Seq(3));
        assert_eq!(w.texts(bob, room), ["first", "only the relay had it"]);
        assert_eq!(w.devices[alice].engine.delivery(&txn), Some(Ok(Seq(3))));
    }
}

#[test]
fn what_is_taken_away_before_it_is_held_is_gone_once_it_is() {
    let (mut w, alice, bob, room) = chat();
    let backup = w.relay.backup();
    let txn = w.say(alice, room, "regretted");
    let (now, target) = (w.now, w.lines(alice, room).last().unwrap().id);
    w.devices[alice].engine.redact(now, &room, target).unwrap();
    acked_behind_a_gap(&mut w, alice, room, txn);
    w.crash(alice, usize::MAX);
    w.restore(backup);
    w.connect(alice);
    w.connect(bob);
    w.settle();
    w.agree(room, &[alice, bob]);
    assert!(w.lines(bob, room).iter().any(|line| line.id == target && line.redacted));
    assert!(w.devices[alice].engine.outbox().is_empty());
}

#[test]
fn what_is_taken_away_and_then_refused_for_good_is_forgotten_and_the_others_go_on() {
    let mut w = World::new();
    let (alice, bob) = (w.join("alice"), w.join("bob"));
    let (room, other) = (w.dm(alice, bob), w.group(alice, "Garden", &[bob]));
    w.say(alice, room, "first");
    w.settle();
    let account = w.devices[bob].engine.me().person.account;
    let now = w.now;
    w.devices[alice].engine.remove_member(now, &other, account).unwrap();
    w.carry_some(1);
    w.say(bob, other, "too late");
    let target = w.lines(bob, other).last().unwrap().id;
    w.devices[bob].engine.redact(now, &other, target).unwrap();
    w.say(bob, room, "second");
    w.settle();
    w.pass(5_000);
    assert!(w.devices[bob].engine.outbox().is_empty());
    assert!(w.devices[bob].engine.progress().done, "{:?}", w.devices[bob].engine.progress());
    assert!(w.lines(bob, other).iter().all(|line| line.id != target));
    assert_eq!(w.texts(alice, room), ["first", "second"]);
    w.crash(bob, usize::MAX);
    assert!(w.devices[bob].engine.outbox().is_empty(), "nor does it come back");
}

#[test]
fn a_value_whose_answer_could_not_be_stored_is_kept() {
    let (mut w, alice, bob, room) = chat();
    let backup = w.relay.backup();
    let (now, target) = (w.now, w.lines(alice, room).last().unwrap().id);
    w.devices[alice].engine.react(now, &room, target, "🌻", true).unwrap();
    w.devices[alice].fail_commits(1);
    w.settle();
    assert!(!w.devices[alice].engine.is_live(), "its disk refused");
    w.restore(backup);
    w.connect(alice);
    w.connect(bob);
    w.settle();
    w.agree(room, &[alice, bob]);
    assert_eq!(w.lines(bob, room).last().unwrap().reactions.len(), 1);
}

#[test]
fn a_reaction_that_a_relay_put_back_never_had_is_not_shown() {
    let (mut w, alice, bob, room) = chat();
    let backup = w.relay.backup();
    let (now, target) = (w.now, w.lines(alice, room).last().unwrap().id);
    w.devices[alice].engine.react(now, &room, target, "🌻", true).unwrap();
    w.settle();
    assert_eq!(w.lines(bob, room).last().unwrap().reactions.len(), 1);
    w.restore(backup);
    w.connect(bob);
    w.settle();
    assert!(w.lines(bob, room).last().unwrap().reactions.is_empty(), "it may have been taken back since");
    w.connect(alice);
    w.settle();
    w.agree(room, &[alice, bob]);
    assert_eq!(w.lines(bob, room).last().unwrap().reactions.len(), 1);
}

#[test]
fn wherever_a_crash_strikes_wishes_are_those_of_the_other_device() {
    for lost in 0..12 {
        let (mut w, alice, _, room) = chat();
        let phone = w.link(alice, "phone");
        let wish = |pinned| RoomWish { muted_until: 0, mentions_anyway: false, pinned };
        let now = w.now;
        w.devices[phone].engine.set_room_wish(now, &room, wish(true)).unwrap();
        w.devices[phone].engine.set_draft(now, &room, "older").unwrap();
        w.devices[alice].engine.set_room_wish(now + 1, &room, wish(false)).unwrap();
        w.devices[alice].engine.set_draft(now + 1, &room, "newer").unwrap();
        // The newer ones are pushed to the phone before it hears that its own came too late.
        w.settle();
        let kept = w.devices[phone].unsynced().saturating_sub(lost);
        w.crash(phone, kept);
        w.connect(phone);
        w.settle();
        for id in [alice, phone] {
            let summary = w.devices[id].engine.room(&room).unwrap().unwrap();
            assert_eq!((summary.draft.as_str(), summary.pinned), ("newer", false), "{lost} commits lost");
        }
    }
}

#[test]
fn a_draft_that_a_relay_put_back_lacks_survives_wherever_a_power_cut_strikes() {
    for lost in 0..12 {
        let (mut w, alice, _, room) = chat();
        let phone = w.link(alice, "phone");
        let backup = w.relay.backup();
        w.disconnect(phone);
        let now = w.now;
        w.devices[alice].engine.set_draft(now, &room, "half a thought").unwrap();
        w.settle();
        let kept = w.devices[alice].unsynced().saturating_sub(lost);
        w.crash(alice, kept);
        w.restore(backup);
        w.connect(alice);
        w.connect(phone);
        w.settle();
        for id in [alice, phone] {
            let summary = w.devices[id].engine.room(&room).unwrap().unwrap();
            assert_eq!(summary.draft, "half a thought", "{lost} commits lost, {}", w.devices[id].name);
        }
    }
}

#[test]
fn what_was_replaced_elsewhere_is_not_shown_again_after_a_restart() {
    let (mut w, alice, _, room) = chat();
    let phone = w.link(alice, "phone");
    let now = w.now;
    w.devices[alice].engine.set_draft(now, &room, "older").unwrap();
    w.settle();
    w.devices[phone].engine.set_draft(now + 1, &room, "newer").unwrap();
    w.settle();
    w.crash(alice, usize::MAX);
    assert_eq!(w.devices[alice].engine.room(&room).unwrap().unwrap().draft, "newer");
    w.connect(alice);
    w.settle();
    for id in [alice, phone] {
        assert_eq!(w.devices[id].engine.room(&room).unwrap().unwrap().draft, "newer");
    }
}

#[test]
fn a_head_with_newer_registers_counts_whatever_it_says_of_entries() {
    let (mut w, alice, _, room) = chat();
    let head = Head { room, seq: Seq(1), hash: Hash::ZERO, rev: Rev(7), control_len: 1, redacted: Seq::ZERO };
    let now = w.now;
    w.devices[alice].engine.handle_frame(now, ServerFrame::Heads(Heads { heads: vec![head], done: false }));
    assert!(asks_for_registers(&mut w, alice, room));
}

#[test]
fn a_register_pushed_behind_a_dropped_one_is_not_the_next() {
    let (mut w, alice, _, room) = chat();
    let value = Value { rev: Rev(7), register: bytes::Bytes::new() };
    let pushed = Registers { req: 0, room, values: vec![value], more: false };
    let now = w.now;
    w.devices[alice].engine.handle_frame(now, ServerFrame::Registers(pushed));
    assert!(asks_for_registers(&mut w, alice, room));
}

#[test]
fn a_refusal_says_nothing_of_what_was_heard_since_the_question() {
    let (mut w, alice, _, room) = chat();
    let head = |seq, rev| Head { room, seq, hash: Hash::ZERO, rev, control_len: 1, redacted: Seq::ZERO };
    let heads = |head| ServerFrame::Heads(Heads { heads: vec![head], done: false });
    let now = w.now;
    let engine = &mut w.devices[alice].engine;
    engine.handle_frame(now, heads(head(Seq(2), Rev(7))));
    let asked = std::iter::from_fn(|| engine.poll_transmit()).find_map(|frame| match frame {
        ClientFrame::FetchRegisters(fetch) => Some(fetch.req),
        _ => None,
    });
    // Alice leaves the room: its registers are none of hers any more, the entry that says so is.
    engine.handle_frame(now, heads(head(Seq(3), Rev(7))));
    let denied = Refused { req: asked.unwrap(), code: ErrorCode::Denied, retry_in_ms: 0 };
    engine.handle_frame(now, ServerFrame::Refused(denied));
    let fetches = |frame| matches!(frame, ClientFrame::Fetch(fetch) if fetch.room == room);
    assert!(std::iter::from_fn(|| engine.poll_transmit()).any(fetches));
}

fn asks_for_registers(w: &mut World, id: Id, room: RoomId) -> bool {
    let asks = |frame| matches!(frame, ClientFrame::FetchRegisters(fetch) if fetch.room == room);
    std::iter::from_fn(|| w.devices[id].engine.poll_transmit()).any(asks)
}
