//! Who people are to others, and what they are told of.

use crate::world::World;
use kith_client::core::{Reply, RequestError, RoomsDiff, Trouble, Update};
use kith_protocol::ids::Seq;

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
