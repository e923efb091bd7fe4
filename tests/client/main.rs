//! Whole clients, with homes on disk, against a relay in this process.
#![allow(clippy::unwrap_used, unreachable_pub, reason = "a test ends where something fails")]

mod house;

use house::House;
use kith_client::core::{Connection, Stopped, Trouble, Update};
use kith_client::timeline::{Diff, State};
use kith_client::{AckError, Client, JoinError, Next, OpenError, Outgoing, SyncError};
use std::time::Duration;

const SOON: Duration = Duration::from_secs(20);

#[tokio::test]
async fn two_people_talk_and_find_everything_again_without_a_network() {
    let mut house = House::new();
    let alice = house.join("alice").await;
    let bob = house.join("bob").await;
    let (mut heard, mut notices) = (bob.updates(), bob.updates());

    let room = alice.dm("@bob").await.unwrap();
    let txn = alice.send(room, Outgoing::text("hello")).await.unwrap();
    assert_eq!(alice.acked(txn, SOON).await.unwrap().0, 2);
    let line = house::heard("the message", &mut heard, |update| match update {
        Update::Timeline { diff: Diff::Append { messages }, .. } => {
            messages.into_iter().find(|line| line.text == "hello")
        }
        _ => None,
    })
    .await;
    assert_eq!(line.sender, alice.me().await.unwrap().person.account);
    let notified = house::heard("the notification", &mut notices, |update| match update {
        Update::Notification(decision) => Some(decision),
        _ => None,
    })
    .await;
    assert!(notified.notify, "{notified:?}");
    bob.mark_read(room, line.seq.unwrap()).await.unwrap();
    bob.sync_once(SOON, |_| {}).await.unwrap();
    alice.sync_once(SOON, |_| {}).await.unwrap();
    let verified = (alice.verify(room).await.unwrap(), bob.verify(room).await.unwrap());
    assert!(verified.0.complete && verified.0 == verified.1, "{verified:?}");
    bob.shutdown().await;

    house.set_online(false);
    let bob = house.open("bob").await.unwrap();
    let rooms = bob.rooms().await.unwrap();
    let chat = rooms.iter().find(|summary| summary.id == room).unwrap();
    assert_eq!((chat.title.as_str(), chat.unread), ("alice", 0));
    assert_eq!(bob.history(room, None, 10).await.unwrap().last().unwrap().text, "hello");
    let txn = bob.send(room, Outgoing::text("sent later")).await.unwrap();
    assert!(matches!(bob.acked(txn, Duration::from_millis(10)).await, Err(AckError::Queued)));
    assert!(matches!(bob.sync_once(SOON, |_| {}).await, Err(SyncError::Offline(_))));
    bob.shutdown().await;

    house.set_online(true);
    let bob = house.open("bob").await.unwrap();
    assert_eq!(bob.outbox().await.unwrap().len(), 1);
    let mut told = Vec::new();
    bob.sync_once(SOON, |progress| told.push(progress)).await.unwrap();
    assert!(told.last().unwrap().done && bob.outbox().await.unwrap().is_empty());
    let lines = bob.history(room, None, 10).await.unwrap();
    assert_eq!(
        (lines.last().unwrap().text.as_str(), lines.last().unwrap().state),
        ("sent later", State::Sent)
    );
    alice.shutdown().await;
    bob.shutdown().await;
}

#[tokio::test]
async fn a_second_device_is_linked_and_revoked() {
    let mut house = House::new();
    let alice = house.join("alice").await;
    let own = alice.rooms().await.unwrap()[0].id;
    let txn = alice.send(own, Outgoing::text("note to self")).await.unwrap();
    alice.acked(txn, SOON).await.unwrap();

    let phone = house.link(&alice, "phone").await;
    phone.sync_once(SOON, |_| {}).await.unwrap();
    assert_eq!(phone.history(own, None, 10).await.unwrap().last().unwrap().text, "note to self");
    let devices = alice.devices().await.unwrap();
    assert_eq!(devices.len(), 2);
    let id = phone.me().await.unwrap().device;

    let mut updates = phone.updates();
    alice.revoke(id).await.unwrap();
    let stopped = house::heard("the end", &mut updates, |update| match update {
        Update::Connection(Connection::Stopped(why)) => Some(why),
        _ => None,
    })
    .await;
    assert_eq!(stopped, Stopped::Revoked);
    assert_eq!(phone.history(own, None, 10).await.unwrap().last().unwrap().text, "note to self");
    assert!(matches!(phone.sync_once(SOON, |_| {}).await, Err(SyncError::Stopped(Stopped::Revoked))));
    phone.shutdown().await;
    alice.shutdown().await;
}

#[tokio::test]
async fn what_a_new_device_reads_is_counted_once() {
    let mut house = House::new();
    let alice = house.join("alice").await;
    let own = alice.rooms().await.unwrap()[0].id;
    for note in ["milk", "bread", "seeds"] {
        let txn = alice.send(own, Outgoing::text(note)).await.unwrap();
        alice.acked(txn, SOON).await.unwrap();
    }
    let before = house.counted("kith_fetched_entries_total");
    let phone = house.link(&alice, "phone").await;
    let held = phone.sync_once(SOON, |_| {}).await.unwrap().held;
    assert_eq!(held, 4, "the room's beginning, and three notes");
    // The relay counts behind its answer.
    let counted = async {
        while house.counted("kith_fetched_entries_total") - before < held {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(SOON, counted).await.expect("what was read is counted");
    phone.sync_once(SOON, |_| {}).await.unwrap();
    assert_eq!(house.counted("kith_fetched_entries_total") - before, held, "nothing is read twice");
    alice.shutdown().await;
    phone.shutdown().await;
}

#[tokio::test]
async fn a_recovery_key_brings_everything_back_and_shuts_the_old_devices_out() {
    let mut house = House::new();
    let alice = house.join("alice").await;
    let bob = house.join("bob").await;
    let room = alice.dm("bob").await.unwrap();
    let txn = alice.send(room, Outgoing::text("before")).await.unwrap();
    alice.acked(txn, SOON).await.unwrap();
    let key = alice.recovery_new().await.unwrap();

    let (recovered, next) = house.recover(&key, "new laptop").await.unwrap();
    assert_ne!(key, next);
    recovered.sync_once(SOON, |_| {}).await.unwrap();
    assert_eq!(recovered.history(room, None, 10).await.unwrap().last().unwrap().text, "before");
    let txn = recovered.send(room, Outgoing::text("after")).await.unwrap();
    recovered.acked(txn, SOON).await.unwrap();
    bob.sync_once(SOON, |_| {}).await.unwrap();
    assert_eq!(bob.history(room, None, 10).await.unwrap().last().unwrap().text, "after");
    let stopped = alice.sync_once(SOON, |_| {}).await;
    assert!(matches!(stopped, Err(SyncError::Stopped(Stopped::Revoked))), "{stopped:?}");
    assert!(house.recover(&key, "thief").await.is_err(), "the old key is not in force");
    for client in [alice, bob, recovered] {
        client.shutdown().await;
    }
}

#[tokio::test]
async fn a_group_is_made_changed_and_left() {
    let mut house = House::new();
    let alice = house.join("alice").await;
    let bob = house.join("bob").await;
    let person = alice.lookup("bob").await.unwrap();
    let room = alice.create_room("Garden", vec![person.account]).await.unwrap();
    let txn = alice.send(room, Outgoing::text("who waters?")).await.unwrap();
    let seq = alice.acked(txn, SOON).await.unwrap();
    alice.sync_once(SOON, |_| {}).await.unwrap();
    bob.sync_once(SOON, |_| {}).await.unwrap();
    assert_eq!(bob.room(room).await.unwrap().unwrap().title, "Garden");
    let line = bob.history(room, None, 10).await.unwrap().pop().unwrap();
    assert_eq!(line.seq, Some(seq));
    bob.react(room, line.id, "💧", true).await.unwrap();
    bob.sync_once(SOON, |_| {}).await.unwrap();
    alice.sync_once(SOON, |_| {}).await.unwrap();
    assert_eq!(alice.history(room, None, 10).await.unwrap().pop().unwrap().reactions[0].emoji, "💧");
    assert!(
        bob.add_member(room, alice.me().await.unwrap().person.account, kith_protocol::room::Role::Member)
            .await
            .is_err()
    );
    bob.leave(room).await.unwrap();
    assert_eq!(bob.room(room).await.unwrap().unwrap().role, None);
    assert!(bob.send(room, Outgoing::text("still there?")).await.is_err());
    alice.sync_once(SOON, |_| {}).await.unwrap();
    assert_eq!(alice.members(room).await.unwrap().len(), 1);
    alice.shutdown().await;
    bob.shutdown().await;
}

#[tokio::test]
async fn a_taken_handle_and_a_missing_network_are_said_and_lose_nothing() {
    let mut house = House::new();
    let alice = house.join("alice").await;
    house.set_online(false);
    assert!(matches!(house.try_join("second", "Bob", Some("bob")).await, Err(JoinError::Unreachable(_))));
    house.set_online(true);
    let refused = house.try_join("second", "Bob", Some("alice")).await;
    assert!(matches!(&refused, Err(JoinError::Refused(Stopped::NotAdmitted(_)))), "{refused:?}");
    let bob = house.try_join("second", "Bob", Some("bob")).await.unwrap();
    assert_eq!(bob.me().await.unwrap().person.handle, "bob");
    let third = house.try_join("third", "Alice", None).await.unwrap();
    assert_eq!(third.me().await.unwrap().person.handle, "alice2");
    assert!(matches!(house.open("nobody").await, Err(OpenError::NoAccount)));
    for client in [alice, bob, third] {
        client.shutdown().await;
    }
}

#[tokio::test]
async fn a_damaged_store_is_set_aside_and_filled_again() {
    let mut house = House::new();
    let alice = house.join("alice").await;
    let own = alice.rooms().await.unwrap()[0].id;
    let txn = alice.send(own, Outgoing::text("kept by the relay")).await.unwrap();
    alice.acked(txn, SOON).await.unwrap();
    alice.disconnect().await;
    alice.send(own, Outgoing::text("kept by the vault")).await.unwrap();
    alice.shutdown().await;

    house.damage_store("alice");
    let alice = house.open("alice").await.unwrap();
    let mut updates = alice.updates();
    alice.sync_once(SOON, |_| {}).await.unwrap();
    house::heard("the old store", &mut updates, |update| match update {
        Update::Trouble(Trouble::StoreSetAside(_)) => Some(()),
        _ => None,
    })
    .await;
    let texts: Vec<String> =
        alice.history(own, None, 10).await.unwrap().into_iter().map(|line| line.text).collect();
    assert!(texts.ends_with(&["kept by the relay".into(), "kept by the vault".into()]), "{texts:?}");
    alice.shutdown().await;
}

#[tokio::test]
async fn updates_that_nobody_reads_are_counted() {
    let alice = house::nowhere();
    let room = alice.dm_with(kith_protocol::ids::AccountId([7; 32])).await.unwrap();
    let mut updates = alice.updates();
    for n in 0..4500 {
        alice.set_draft(room, n.to_string()).await.unwrap();
    }
    assert!(matches!(updates.next().await, Some(Next::Lagged(_))));
    assert_eq!(alice.room(room).await.unwrap().unwrap().draft, "4499");
    let other: Client = alice.clone();
    alice.shutdown().await;
    assert!(other.rooms().await.is_err());
}

#[tokio::test]
async fn a_cut_connection_heals_by_itself() {
    let mut house = House::new();
    let alice = house.join("alice").await;
    let bob = house.join("bob").await;
    let room = alice.dm("bob").await.unwrap();
    let mut connection = alice.updates();
    house.set_online(false);
    let why = house::heard("why there is no connection", &mut connection, |update| match update {
        // The first end has no reason of its own; the dial after it has.
        Update::Connection(Connection::Offline { why: Some(why), .. }) => Some(why),
        _ => None,
    })
    .await;
    assert!(why.contains("cannot reach"), "{why}");
    let txn = alice.send(room, Outgoing::text("written while away")).await.unwrap();
    house.set_online(true);
    alice.acked(txn, SOON).await.unwrap();
    // Bob was cut as well, and asks nobody to come back.
    let mut heard = bob.updates();
    if bob.room(room).await.unwrap().and_then(|chat| chat.last).is_none() {
        house::heard("the message after the cut", &mut heard, |update| match update {
            Update::Timeline { diff: Diff::Append { messages }, .. } => {
                messages.iter().any(|line| !line.text.is_empty()).then_some(())
            }
            _ => None,
        })
        .await;
    }
    assert_eq!(bob.history(room, None, 10).await.unwrap().pop().unwrap().text, "written while away");
    alice.shutdown().await;
    bob.shutdown().await;
}
