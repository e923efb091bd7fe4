//! A backup taken while everybody writes, restored on another machine: everybody follows, and nothing is lost.
#![allow(clippy::unwrap_used, unreachable_pub, reason = "a test ends where something fails")]

#[allow(dead_code, reason = "each test program uses its part")]
mod real;

use kith_client::{Client, Outgoing};
use kith_protocol::ids::{RoomId, Seq};
use real::{Homes, PATIENCE, Relay, agree, texts};

/// Messages of each who writes: the backup falls into the first third of them.
const EACH: u64 = 150;

/// Says so much in a room, each acknowledged before the next.
async fn talk(client: &Client, room: RoomId, name: &str) -> Vec<String> {
    let mut said = Vec::new();
    for number in 0..EACH {
        let text = format!("{name} {number}");
        let txn = client.send(room, Outgoing::text(text.clone())).await.unwrap();
        client.acked(txn, PATIENCE).await.unwrap();
        said.push(text);
    }
    said
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backup_taken_under_load_and_restored_elsewhere_is_followed_by_all_and_nothing_is_lost() {
    let mut relay = Relay::start_in_public().await;
    let homes = Homes::plain();
    let a1 = homes.join(&relay, "a1", "alice").await;
    let b1 = homes.join(&relay, "b1", "bob").await;
    let a2 = homes.link(&a1, "a2").await;
    let chat = a1.dm("bob").await.unwrap();
    let bob = a1.lookup("bob").await.unwrap().account;
    let group = a1.create_room("Garden", vec![bob]).await.unwrap();
    // A chat begins with its first message.
    let hello = a1.send(chat, Outgoing::text("hello")).await.unwrap();
    a1.acked(hello, PATIENCE).await.unwrap();
    for room in [chat, group] {
        agree(&[&[&a1, &a2], &[&b1]], room).await;
    }

    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("kith.backup");
    let file = file.to_str().unwrap();
    let taken = async {
        relay.holds(EACH / 3).await;
        relay.run(&["backup", file])
    };
    let (mut in_chat, more_in_chat, in_group, told) =
        tokio::join!(talk(&a1, chat, "a1"), talk(&b1, chat, "b1"), talk(&a2, group, "a2"), taken);
    in_chat.extend(more_in_chat);
    in_chat.push("hello".to_owned());
    assert!(told.contains("tls/key.pem"), "{told}");
    let found: serde_json::Value =
        serde_json::from_str(&relay.run(&["backup", "verify", "--json", file])).unwrap();
    let entries = found["inspection"]["entries"].as_u64().unwrap();
    assert!((EACH / 3..3 * EACH).contains(&entries), "taken in the middle of it: {found}");

    // What the backup cannot know of: another device, another room, a read mark, a draft.
    let b2 = homes.link(&b1, "b2").await;
    let late = b1.create_room("Late", vec![a1.me().await.unwrap().person.account]).await.unwrap();
    let txn = b1.send(late, Outgoing::text("is anybody here?")).await.unwrap();
    b1.acked(txn, PATIENCE).await.unwrap();
    agree(&[&[&a1, &a2], &[&b1, &b2]], chat).await;
    let read = Seq(1 + EACH);
    a1.mark_read(chat, read).await.unwrap();
    a1.set_draft(group, "half a tho").await.unwrap();
    agree(&[&[&a1, &a2], &[&b1, &b2]], late).await;

    relay.kill();
    relay.lose_everything();
    relay.run(&["restore", file]);
    relay.start_again();
    // Nobody has an invite anew, nobody compares anything: the key is the same, and so is the address.
    for client in [&a1, &a2, &b1, &b2] {
        client.disconnect().await;
        client.connect();
    }

    for (room, mut wanted) in
        [(chat, in_chat), (group, in_group), (late, vec!["is anybody here?".to_owned()])]
    {
        let lines = agree(&[&[&a1, &a2], &[&b1, &b2]], room).await;
        let mut said: Vec<String> = texts(&lines).into_iter().map(str::to_owned).collect();
        said.sort_unstable();
        wanted.sort_unstable();
        assert!(said == wanted, "each once: {} of {}", said.len(), wanted.len());
    }
    assert_eq!(a2.room(group).await.unwrap().unwrap().draft, "half a tho");
    let after = b2.send(late, Outgoing::text("and on it goes")).await.unwrap();
    b2.acked(after, PATIENCE).await.unwrap();
    let lines = agree(&[&[&a1, &a2], &[&b1, &b2]], late).await;
    assert_eq!(texts(&lines), ["is anybody here?", "and on it goes"]);
    for client in [a1, a2, b1, b2] {
        client.shutdown().await;
    }
}
