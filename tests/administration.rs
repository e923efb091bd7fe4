//! What admins of a relay do over their own connections, what is refused to them, and what the audit log tells of it.
#![allow(clippy::unwrap_used, unreachable_pub, reason = "a test ends where something fails")]

#[allow(dead_code, reason = "each test program uses its part")]
mod real;

use kith_client::{Client, RequestError, Stopped, SyncError};
use kith_protocol::admin::{
    AdminRequest as Ask, AdminResponse as Told, Keep, NewHook, NewInvite, RelayRole, Share, UserRow,
};
use kith_protocol::error::ErrorCode;
use real::{Homes, PATIENCE, Relay, promoted};
use serde_json::Value;
use tokio::time::Instant;

fn asked(relay: &Relay, args: &[&str]) -> Value {
    serde_json::from_str(&relay.run(&[args, &["--json"]].concat())).unwrap()
}

async fn done(client: &Client, ask: Ask) {
    let told = client.administer(ask.clone()).await.unwrap();
    assert!(matches!(told, Told::Done { .. }), "{ask:?}: {told:?}");
}

/// The sentence by which an admin is refused.
async fn denied(client: &Client, ask: Ask) -> String {
    match client.administer(ask.clone()).await {
        Err(RequestError::Administration(error)) if error.code == "denied" => error.message,
        other => panic!("{ask:?}: {other:?}"),
    }
}

async fn users(client: &Client) -> Vec<UserRow> {
    let Told::Users { users } = client.administer(Ask::Users).await.unwrap() else { panic!("users") };
    users
}

fn user(handle: &str) -> String {
    handle.to_owned()
}

fn invite(role: RelayRole) -> Ask {
    Ask::Invite(NewInvite { uses: 1, expires_s: 3600, role, room: None })
}

#[tokio::test(flavor = "multi_thread")]
async fn admins_do_what_they_may_and_the_audit_log_tells() {
    let relay = Relay::start().await;
    let homes = Homes::plain();
    let alice = homes.join(&relay, "a1", "alice").await;
    let bob = homes.join(&relay, "b1", "bob").await;
    let carol = homes.join(&relay, "c1", "carol").await;

    // A member is told nothing, whatever they ask.
    for ask in [Ask::Users, Ask::Stats, Ask::UserDisable { user: user("alice") }, invite(RelayRole::Member)] {
        let refused = bob.administer(ask).await.unwrap_err();
        assert!(matches!(refused, RequestError::Refused(ErrorCode::Denied)), "{refused}");
    }
    relay.run(&["users", "role", "@alice", "owner"]);
    promoted(&alice).await;
    let role = |user: String, role| Ask::UserRole { user, role };
    done(&alice, role(user("@bob"), RelayRole::Admin)).await;
    promoted(&bob).await;
    let names =
        |users: &[UserRow]| users.iter().map(|row| (row.handle.clone(), row.role)).collect::<Vec<_>>();
    let all = [("alice", RelayRole::Owner), ("bob", RelayRole::Admin), ("carol", RelayRole::Member)];
    assert_eq!(names(&users(&bob).await), all.map(|(name, role)| (name.to_owned(), role)));

    // An admin does nothing to an owner, to another admin or to himself, and makes nobody as mighty.
    for ask in [
        Ask::UserDisable { user: user("alice") },
        Ask::UserDisable { user: user("@bob") },
        role(user("alice"), RelayRole::Member),
        role(user("carol"), RelayRole::Admin),
        role(user("bob"), RelayRole::Owner),
        invite(RelayRole::Admin),
        Ask::DeviceRevoke { device: alice.me().await.unwrap().device.to_string() },
        Ask::Reload,
    ] {
        denied(&bob, ask).await;
    }
    let sentence = denied(&bob, Ask::UserDisable { user: user("alice") }).await;
    assert_eq!(sentence, "@alice is an owner: only the operator can do this, on the relay's machine");
    for ask in [Ask::UserDisable { user: user("alice") }, role(user("bob"), RelayRole::Owner)] {
        denied(&alice, ask).await;
    }

    changes_quotas(&bob).await;

    // The link of an invite is the invite: who could not make it does not see it.
    relay.run(&["invite", "--role", "owner"]);
    relay.run(&["invite", "--role", "admin"]);
    assert!(matches!(bob.administer(invite(RelayRole::Member)).await.unwrap(), Told::Invite(_)));
    for (client, roles) in
        [(&bob, &[RelayRole::Member][..]), (&alice, &[RelayRole::Member, RelayRole::Admin][..])]
    {
        let Told::Invites { invites } = client.administer(Ask::Invites).await.unwrap() else { panic!() };
        assert!(invites.iter().all(|row| roles.contains(&row.role)), "{invites:?}");
        assert!(roles.iter().all(|role| invites.iter().any(|row| row.role == *role)), "{invites:?}");
        assert!(invites.iter().any(|row| row.by.as_deref() == Some("bob")));
    }
    let all = asked(&relay, &["invites", "list"]);
    let for_owners = all.as_array().unwrap().iter().find(|row| row["role"] == "owner").unwrap();
    denied(&bob, Ask::InviteRevoke { invite: for_owners["id"].as_str().unwrap().to_owned() }).await;

    // Somebody is shut out and let in again, and loses a device.
    done(&bob, Ask::UserDisable { user: user("@carol") }).await;
    assert!(users(&bob).await.iter().any(|row| row.handle == "carol" && !row.enabled));
    let out = shut_out(&carol).await;
    assert!(matches!(out, SyncError::Stopped(Stopped::Disabled)), "{out}");
    done(&bob, Ask::UserEnable { user: user("carol") }).await;
    let Told::Devices { devices } = bob.administer(Ask::Devices { user: Some(user("carol")) }).await.unwrap()
    else {
        panic!()
    };
    assert_eq!(devices.iter().map(|row| row.name.as_str()).collect::<Vec<_>>(), ["c1"]);
    done(&bob, Ask::DeviceRevoke { device: devices[0].device.clone() }).await;

    // Lists that are the relay's own.
    let Told::Sessions { sessions } = bob.administer(Ask::Sessions).await.unwrap() else { panic!() };
    assert!(sessions.iter().any(|row| row.handle == "bob" && row.name == "b1" && row.address.is_some()));
    let Told::Refusals { refusals } = alice.administer(Ask::Refusals).await.unwrap() else { panic!() };
    assert!(refusals.iter().any(|row| row.code == "denied" && row.handle.as_deref() == Some("bob")));
    let room = bob.create_room("Servers", Vec::new()).await.unwrap().to_string();
    let Told::Rooms { rooms } = bob.administer(Ask::Rooms).await.unwrap() else { panic!() };
    assert!(rooms.iter().any(|row| row.room == room && row.kind == "group" && row.members == 1));
    denied(&bob, Ask::RoomKeep { room: room.clone(), keep: None }).await;
    let keep = Some(Keep { days: Some(30), bytes: None });
    done(&alice, Ask::RoomKeep { room: room.clone(), keep }).await;
    let Told::Rooms { rooms } = bob.administer(Ask::Rooms).await.unwrap() else { panic!() };
    assert!(rooms.iter().any(|row| row.room == room && row.keep == keep));
    let hook = NewHook { name: "Backup".into(), room: Some(room), user: None };
    let Told::Hook(hook) = bob.administer(Ask::HookCreate(hook)).await.unwrap() else { panic!() };
    done(&alice, Ask::HookRevoke { hook: hook.handle }).await;

    let log = asked(&relay, &["audit"]);
    let said = |row: &Value| {
        let text = |key: &str| row[key].as_str().unwrap_or("-").to_owned();
        format!("{} {} {}", text("by"), text("event"), text("subject"))
    };
    let log: Vec<_> = log.as_array().unwrap().iter().map(said).collect();
    for line in [
        "- role-changed alice",
        "alice role-changed bob",
        "bob invite-made -",
        "bob account-disabled carol",
        "bob account-enabled carol",
        "bob share-changed carol",
        "bob device-blocked carol",
        "alice keep-changed -",
        "bob hook-made backup",
        "alice hook-revoked backup",
    ] {
        assert!(log.iter().any(|row| row == line), "no line {line}: {log:#?}");
    }
    let Told::Audit { records } = bob.administer(Ask::Audit { limit: 3 }).await.unwrap() else { panic!() };
    assert_eq!(records.last().and_then(|row| row.by.as_deref()), Some("alice"));
}

/// Those of accounts below; told with whether it is their own. Carol is the third.
async fn changes_quotas(bob: &Client) {
    let share = |user: String, bytes| Ask::UserQuota { user, share: Some(Share { bytes }) };
    denied(bob, share(user("alice"), None)).await;
    denied(bob, share(user("bob"), None)).await;
    done(bob, share(user("carol"), Some(1 << 30))).await;
    let quotas: Vec<_> = users(bob).await.iter().map(|row| (row.quota, row.own_quota)).collect();
    assert_eq!(quotas[2], (Some(1 << 30), true));
    done(bob, Ask::UserQuota { user: user("carol"), share: None }).await;
    assert!(users(bob).await.iter().all(|row| !row.own_quota));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_announcement_reaches_everybody_until_it_is_put_away_or_withdrawn() {
    let mut relay = Relay::start().await;
    let homes = Homes::plain();
    let alice = homes.join(&relay, "a1", "alice").await;
    let bob = homes.join(&relay, "b1", "bob").await;
    let refused = bob.administer(Ask::Announce { text: "x".into(), for_s: None }).await.unwrap_err();
    assert!(matches!(refused, RequestError::Refused(ErrorCode::Denied)), "{refused}");

    // Those who are connected hear it at once, the others when they come.
    bob.sync_once(PATIENCE, |_| {}).await.unwrap();
    relay.run(&["announce", "back at six", "--until", "2h"]);
    said(&bob, Some("back at six")).await;
    let a2 = homes.link(&alice, "a2").await;
    relay.kill();
    relay.start_again();
    alice.sync_once(PATIENCE, |_| {}).await.unwrap();
    said(&alice, Some("back at six")).await;
    a2.sync_once(PATIENCE, |_| {}).await.unwrap();
    said(&a2, Some("back at six")).await;

    // Put away on one device it is so on the others; another one is shown again.
    alice.put_announcement_away().await.unwrap();
    said(&alice, None).await;
    said(&a2, None).await;
    said(&bob, Some("back at six")).await;
    relay.run(&["users", "role", "@bob", "admin"]);
    promoted(&bob).await;
    done(&bob, Ask::Announce { text: "back at seven".into(), for_s: None }).await;
    said(&alice, Some("back at seven")).await;
    assert!(relay.run(&["announce"]).starts_with("back at seven\n(by @bob, until it is withdrawn)"));
    relay.run(&["announce", "--withdraw"]);
    said(&alice, None).await;
    said(&bob, None).await;
    let carol = homes.join(&relay, "c1", "carol").await;
    assert_eq!(carol.announcement().await.unwrap(), None);

    // One whose time has passed is shown no more, by whoever heard it.
    done(&bob, Ask::Announce { text: "a moment".into(), for_s: Some(3) }).await;
    said(&bob, Some("a moment")).await;
    said(&bob, None).await;
    assert!(relay.run(&["announce"]).contains("nothing is announced"));
    let log = relay.run(&["audit"]);
    assert!(log.contains("announced something until") && log.contains("withdrew the announcement"), "{log}");
}

/// Waits until a device has heard that it may not be here; until its connection is cut it has no reason to ask.
async fn shut_out(client: &Client) -> SyncError {
    let deadline = Instant::now() + PATIENCE;
    loop {
        match client.sync_once(PATIENCE, |_| {}).await {
            Err(out) => return out,
            Ok(progress) => assert!(Instant::now() < deadline, "{progress:?}"),
        }
        tokio::task::yield_now().await;
    }
}

/// Waits until a device shows this.
async fn said(client: &Client, text: Option<&str>) {
    let deadline = Instant::now() + PATIENCE;
    loop {
        let shown = client.announcement().await.unwrap();
        if shown.as_ref().map(|said| said.text.as_str()) == text {
            return;
        }
        assert!(Instant::now() < deadline, "{shown:?} instead of {text:?}");
        // Whoever lost the connection with the relay's process comes back.
        let _ = client.sync_once(PATIENCE, |_| {}).await;
        tokio::task::yield_now().await;
    }
}
