//! What an operator sees of people and devices, and what becomes of what they order.
#![allow(clippy::unwrap_used, unreachable_pub, reason = "a test ends where something fails")]

#[allow(dead_code, reason = "each test program uses its part")]
mod real;

use kith_client::{Client, Outgoing, RequestError};
use kith_protocol::error::ErrorCode;
use kith_protocol::link::InviteLink;
use real::{Homes, PATIENCE, Relay, agree, promoted, texts};
use serde_json::Value;
use std::time::Duration;
use tokio::time::Instant;

fn asked(relay: &Relay, args: &[&str]) -> Value {
    serde_json::from_str(&relay.run(&[args, &["--json"]].concat())).unwrap()
}

async fn invite(by: &Client) -> Result<InviteLink, RequestError> {
    by.invite(2, Duration::from_hours(1), None).await
}

#[tokio::test(flavor = "multi_thread")]
async fn an_operator_makes_an_admin_and_takes_back_what_they_invite() {
    let relay = Relay::start().await;
    let homes = Homes::plain();
    let alice = homes.join(&relay, "a1", "alice").await;
    let refused = invite(&alice).await.unwrap_err();
    assert!(matches!(refused, RequestError::Refused(ErrorCode::Denied)), "{refused}");

    relay.run(&["users", "role", "@alice", "admin"]);
    promoted(&alice).await;
    let link = invite(&alice).await.unwrap();
    assert_eq!(asked(&relay, &["users", "list"])[0]["role"], "admin");
    let open = asked(&relay, &["invites", "list"]);
    let hers = open.as_array().unwrap().iter().find(|row| row["by"] == "alice").unwrap();
    assert_eq!((&hers["uses"], &hers["role"]), (&2.into(), &"member".into()));

    relay.run(&["invites", "revoke", hers["id"].as_str().unwrap()]);
    assert_eq!(alice.invites().await.unwrap(), []);
    let late = homes.join_by(&link, "b1", "bob").await.unwrap_err();
    assert_eq!(late.to_string(), ErrorCode::InviteUsed.sentence());
    let log = asked(&relay, &["audit"]);
    let events: Vec<_> = log.as_array().unwrap().iter().map(|row| (&row["by"], &row["event"])).collect();
    let [operator, hers] = [Value::Null, Value::from("alice")];
    let [made, joined, role, revoked] =
        ["invite-made", "joined", "role-changed", "invite-revoked"].map(Value::from);
    // The owner's first invite, which the relay makes at its start, and Alice's.
    let first = [(&operator, &made), (&operator, &made), (&hers, &joined), (&operator, &role)];
    assert_eq!(events, [&first[..], &[(&hers, &made), (&operator, &revoked)]].concat());
    let refusals = asked(&relay, &["refusals"]);
    let codes: Vec<_> = refusals.as_array().unwrap().iter().map(|row| &row["code"]).collect();
    assert_eq!(codes, ["invite_used", "denied"]);
    assert_eq!((&refusals[0]["address"], &refusals[1]["handle"]), (&"127.0.0.1".into(), &"alice".into()));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_operator_sees_who_is_connected() {
    let relay = Relay::start().await;
    let homes = Homes::plain();
    let a1 = homes.join(&relay, "a1", "alice").await;
    let a2 = homes.link(&a1, "a2").await;
    a2.sync_once(PATIENCE, |_| {}).await.unwrap();
    let connected = |relay: &Relay| {
        let sessions = asked(relay, &["sessions"]);
        let name = |row: &Value| (row["handle"].clone(), row["name"].clone(), row["address"].clone());
        sessions.as_array().unwrap().iter().map(name).collect::<Vec<_>>()
    };
    let session = |device: &str| (Value::from("alice"), Value::from(device), Value::from("127.0.0.1"));
    assert_eq!(connected(&relay), [session("a1"), session("a2")]);
    let log = relay.run(&["audit"]);
    let added = log.lines().find(|line| line.contains(" added the device ")).unwrap();
    assert!(added.contains(" @alice "), "{log}");
    a1.disconnect().await;
    let deadline = Instant::now() + PATIENCE;
    while connected(&relay) != [session("a2")] {
        assert!(Instant::now() < deadline, "{:?}", connected(&relay));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_an_operator_does_not_keep_is_gone_from_the_relay_and_its_backups() {
    const SAID: &str = "the cake is under the blue bench";
    let mut relay = Relay::start().await;
    let homes = Homes::plain();
    let alice = homes.join(&relay, "a1", "alice").await;
    let bob = homes.join(&relay, "b1", "bob").await;
    let chat = alice.dm("bob").await.unwrap();
    let txn = alice.send(chat, Outgoing::text(SAID)).await.unwrap();
    let seq = alice.acked(txn, PATIENCE).await.unwrap();
    agree(&[&[&alice], &[&bob]], chat).await;
    let folder = tempfile::tempdir().unwrap();
    let backup_holds_it = |relay: &Relay, name: &str| {
        let file = folder.path().join(name);
        relay.run(&["backup", file.to_str().unwrap()]);
        relay.run(&["backup", "verify", file.to_str().unwrap()]);
        std::fs::read(file).unwrap().windows(SAID.len()).any(|bytes| bytes == SAID.as_bytes())
    };
    assert!(backup_holds_it(&relay, "before"));

    relay.kill();
    relay.start_again_with(&["retention.room_bytes=1", "retention.look_every_s=1"]);
    let deadline = Instant::now() + PATIENCE;
    loop {
        let rooms = asked(&relay, &["rooms", "list"]);
        let room = rooms.as_array().unwrap().iter().find(|row| row["room"] == chat.to_string());
        if room.unwrap()["forgotten"].as_u64() >= Some(seq.0) {
            break;
        }
        assert!(Instant::now() < deadline, "{rooms}");
    }
    assert!(!backup_holds_it(&relay, "after"));
    let said = alice.history(chat, None, 9).await.unwrap();
    assert_eq!(texts(&said), [SAID], "who has it keeps it");
    let a2 = homes.link(&alice, "a2").await;
    a2.sync_once(PATIENCE, |_| {}).await.unwrap();
    let seen = a2.history(chat, None, 9).await.unwrap();
    assert!(seen.iter().all(|message| !format!("{message:?}").contains(SAID)), "{seen:?}");
    let verified = a2.verify(chat).await.unwrap();
    assert!(verified.complete && verified.sound && verified.invalid == 0, "{verified:?}");
    // One room may be kept all the same.
    relay.run(&["rooms", "keep", &chat.to_string(), "--forever"]);
    assert!(relay.run(&["rooms", "list"]).contains("for ever"));
    assert!(relay.run(&["audit"]).contains("keeps: for ever"));
}
