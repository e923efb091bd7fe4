//! Two people, four devices, one relay: everything real, nothing lost.
#![allow(clippy::unwrap_used, unreachable_pub, reason = "a test ends where something fails")]

#[allow(dead_code, reason = "each test program uses its part")]
mod real;

use kith_client::{Client, Outgoing};
use kith_protocol::ids::{RoomId, TxnId};
use real::{Homes, PATIENCE, Relay, agree, texts};

async fn say(client: &Client, room: RoomId, text: &str) -> TxnId {
    client.send(room, Outgoing::text(text)).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn two_people_and_four_devices_agree_whatever_happens_to_them() {
    let mut relay = Relay::start().await;
    let homes = Homes::sealed();
    let a1 = homes.join(&relay, "a1", "alice").await;
    let b1 = homes.join(&relay, "b1", "bob").await;

    let chat = a1.dm("bob").await.unwrap();
    let txn = say(&a1, chat, "hello").await;
    assert_eq!(a1.acked(txn, PATIENCE).await.unwrap().0, 2);
    let a2 = homes.link(&a1, "a2").await;
    let b2 = homes.link(&b1, "b2").await;
    let lines = agree(&[&[&a1, &a2], &[&b1, &b2]], chat).await;
    assert_eq!(texts(&lines), ["hello"]);
    assert_eq!(b2.room(chat).await.unwrap().unwrap().unread, 1);

    // One device of each is away, and writes.
    a2.disconnect().await;
    b1.disconnect().await;
    say(&a2, chat, "a2, offline").await;
    say(&b1, chat, "b1, offline").await;
    let txn = say(&b2, chat, "b2, online").await;
    b2.acked(txn, PATIENCE).await.unwrap();
    b2.mark_read(chat, kith_protocol::ids::Seq(3)).await.unwrap();
    let bob = a1.lookup("bob").await.unwrap().account;
    let group = a1.create_room("Garden", vec![bob]).await.unwrap();
    let txn = say(&a1, group, "who waters?").await;
    a1.acked(txn, PATIENCE).await.unwrap();

    // The relay dies and comes back; a device goes and comes back from its home.
    relay.kill();
    say(&a1, group, "nobody?").await;
    a2.shutdown().await;
    let a2 = homes.open("a2").await;
    assert_eq!(a2.outbox().await.unwrap().len(), 1);
    a2.set_draft(chat, "half a tho").await.unwrap();
    relay.start_again();
    // Whoever knows that it is back need not wait.
    for client in [&a1, &b1, &b2] {
        client.disconnect().await;
    }

    let lines = agree(&[&[&a1, &a2], &[&b1, &b2]], chat).await;
    let mut said = texts(&lines);
    said.sort_unstable();
    assert_eq!(said, ["a2, offline", "b1, offline", "b2, online", "hello"]);
    let lines = agree(&[&[&a1, &a2], &[&b1, &b2]], group).await;
    assert_eq!(texts(&lines), ["who waters?", "nobody?"]);
    for client in [&a1, &a2] {
        let summary = client.room(chat).await.unwrap().unwrap();
        assert_eq!(summary.draft, "half a tho");
    }
    for client in [&b1, &b2] {
        assert_eq!(client.room(group).await.unwrap().unwrap().unread, 2);
    }
    for client in [a1, a2, b1, b2] {
        client.shutdown().await;
    }
}
