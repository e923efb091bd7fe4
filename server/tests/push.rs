//! People who are away are told, by a real relay over real sockets.
#![allow(clippy::unwrap_used, unreachable_pub, reason = "a test ends where something fails")]

mod support;

use data_encoding::{BASE64, HEXLOWER};
use kith_protocol::error::ErrorCode;
use kith_protocol::frame::{
    AddPush, ClientFrame, MutedRoom, PushOf, PushOption, Pushes, Request, ServerFrame, SetPush,
};
use kith_protocol::ids::{AccountId, RoomId};
use kith_relay::config::Config;
use kith_relay::push::courier;
use kith_relay::relay::writes::Write;
use md5::{Digest as _, Md5};
use ring::hmac;
use serde_json::json;
use std::path::Path;
use std::sync::Arc;
use support::receiver::Receiver;
use support::{Device, Relay, generous, refusal};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

const WEBHOOK_KEY: &[u8] = b"a key of some thirty-two bytes..";

/// A relay, and its courier until it is stopped.
struct Post {
    relay: Relay,
    stop: CancellationToken,
    courier: JoinHandle<()>,
}

impl Post {
    fn open(folder: &Path) -> Self {
        Self::open_with(folder, allowing(generous()))
    }

    fn open_with(folder: &Path, config: Config) -> Self {
        let relay = Relay::open_with(folder, config);
        let stop = CancellationToken::new();
        let run = courier::run(Arc::clone(&relay.hub), "https://relay.example".into(), stop.clone());
        Self { courier: tokio::spawn(run), relay, stop }
    }

    async fn close(self) {
        self.stop.cancel();
        self.courier.await.unwrap();
        self.relay.close().await;
    }

    /// Until so many accounts are connected.
    async fn connected(&self, count: usize) {
        while self.relay.hub.registry.count().1 != count {
            tokio::task::yield_now().await;
        }
    }

    /// Whether somebody is to be told of something yet.
    async fn is_left(&self, account: AccountId) -> bool {
        let left = self.relay.hub.run(move |store| store.is_anything_left_to_tell(&account)).await;
        left.unwrap().unwrap()
    }

    /// How many groups were written.
    fn groups(&self) -> u64 {
        self.counted("kith_commit_writes_count ")
    }

    fn tries(&self, kind: &str, outcome: &str) -> u64 {
        self.counted(&format!("kith_push_tries_total{{kind=\"{kind}\",outcome=\"{outcome}\"}} "))
    }

    fn counted(&self, start: &str) -> u64 {
        let text = self.relay.hub.metrics.render();
        text.lines().find_map(|line| line.strip_prefix(start)).map_or(0, |count| count.parse().unwrap())
    }
}

fn allowing(mut config: Config) -> Config {
    config.push.allow_networks = vec!["127.0.0.0/8".parse().unwrap()];
    config
}

/// Alice, and Bob, who wants to be told at once; and their chat.
async fn pair(post: &Post) -> (Device, Device, RoomId) {
    let mut alice = Device::join(&post.relay, 1, "alice").await;
    let mut bob = Device::join(&post.relay, 2, "bob").await;
    let room = alice.open_direct(&bob.account).await;
    wish(&mut bob, SetPush { req: 0, after_s: Some(0), show_sender: None, muted: None }).await;
    (alice, bob, room)
}

async fn wish(device: &mut Device, set: SetPush) {
    let done = device.ask(|req| ClientFrame::SetPush(SetPush { req, ..set })).await;
    assert!(matches!(done, ServerFrame::Done(_)), "{done:?}");
}

async fn add(device: &mut Device, kind: &str, options: &[(&str, &str)]) -> Result<Pushes, ServerFrame> {
    let option = |(name, value): &(&str, &str)| PushOption { name: (*name).into(), value: (*value).into() };
    let options = options.iter().map(option).collect();
    match device.ask(|req| ClientFrame::AddPush(AddPush { req, kind: kind.into(), options })).await {
        ServerFrame::Pushes(pushes) => Ok(pushes),
        other => Err(other),
    }
}

async fn list(device: &mut Device) -> Pushes {
    match device.ask(|req| ClientFrame::ListPushes(Request { req })).await {
        ServerFrame::Pushes(pushes) => pushes,
        other => panic!("{other:?}"),
    }
}

async fn test(device: &mut Device, target: &[u8]) -> Option<String> {
    let target = target.to_vec().into();
    match device.ask(|req| ClientFrame::TestPush(PushOf { req, target })).await {
        ServerFrame::PushSaid(said) => said.failure,
        other => panic!("{other:?}"),
    }
}

fn webhook_secret() -> String {
    format!("whsec_{}", BASE64.encode(WEBHOOK_KEY))
}

/// What a receiver does that has the key and not our code.
fn webhook_text(posted: &support::receiver::Posted) -> serde_json::Value {
    let (id, at) = (posted.header("webhook-id").unwrap(), posted.header("webhook-timestamp").unwrap());
    let signed = format!("{id}.{at}.{}", posted.text());
    let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, WEBHOOK_KEY), signed.as_bytes());
    assert_eq!(posted.header("webhook-signature").unwrap(), format!("v1,{}", BASE64.encode(tag.as_ref())));
    posted.json()
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_away_is_told_and_who_is_there_is_not() {
    let folder = tempfile::tempdir().unwrap();
    let post = Post::open(folder.path());
    let mut ntfy = Receiver::start().await;
    let (mut alice, mut bob, room) = pair(&post).await;
    let options = [("url", &*ntfy.url("/bob")), ("token", "tk_secret")];
    let pushes = add(&mut bob, "ntfy", &options).await.unwrap();
    assert_eq!(
        (&*pushes.targets[0].kind, &*pushes.targets[0].host),
        ("ntfy", &*format!("127.0.0.1:{}", ntfy.port))
    );
    assert!(add(&mut alice, "ntfy", &options).await.is_ok());
    assert_eq!(test(&mut bob, &pushes.targets[0].id).await, None);
    let posted = ntfy.next().await;
    assert_eq!((&*posted.target, posted.header("authorization")), ("/bob", Some("Bearer tk_secret")));
    assert_eq!(posted.text(), "This is a test");

    alice.post(0, room, "he is there").await.unwrap();
    let relay = &post.relay;
    bob.post(0, room, "I am").await.unwrap();
    drop(bob.wire.0.close(None).await);
    post.connected(1).await;
    alice.post(0, room, "secret one").await.unwrap();
    let posted = ntfy.next().await;
    assert_eq!(posted.text(), "New message");
    let said = format!("{posted:?}");
    assert!(!said.contains("secret one") && !said.contains("alice"), "{said}");
    assert!(ntfy.is_quiet());

    bob.reconnect(relay).await;
    wish(&mut bob, SetPush { req: 0, after_s: None, show_sender: Some(true), muted: None }).await;
    let shown = list(&mut bob).await;
    assert_eq!(shown.vapid_key.len(), 65);
    assert_eq!((shown.after_s, shown.show_sender, &shown.targets[0].failure), (0, true, &None));
    drop(bob.wire.0.close(None).await);
    post.connected(1).await;
    // The gap after the last push was forgotten when he came back.
    alice.post(0, room, "secret two").await.unwrap();
    assert_eq!(ntfy.next().await.text(), "New message from alice");

    bob.reconnect(relay).await;
    let muted = Some(vec![MutedRoom { room, until: u64::MAX }]);
    wish(&mut bob, SetPush { req: 0, after_s: None, show_sender: None, muted }).await;
    drop(bob.wire.0.close(None).await);
    post.connected(1).await;
    alice.post(0, room, "muted").await.unwrap();
    assert!(
        relay
            .hub
            .run(|store| store.push_people())
            .await
            .unwrap()
            .unwrap()
            .iter()
            .all(|it| it.waiting.is_none())
    );
    post.close().await;
    assert!(ntfy.is_quiet());
}

#[tokio::test(flavor = "multi_thread")]
async fn who_comes_back_is_told_nothing_more_and_who_misses_nothing_writes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let post = Post::open(folder.path());
    let mut ntfy = Receiver::start().await;
    let (mut alice, mut bob, room) = pair(&post).await;
    let pushes = add(&mut bob, "ntfy", &[("url", &ntfy.url("/bob"))]).await.unwrap();
    wish(&mut bob, SetPush { req: 0, after_s: Some(3600), show_sender: None, muted: None }).await;
    for waits in [false, true] {
        drop(bob.wire.0.close(None).await);
        post.connected(1).await;
        if waits {
            alice.post(0, room, "for later").await.unwrap();
        }
        assert_eq!(post.is_left(bob.account).await, waits);
        let groups = post.groups();
        bob.reconnect(&post.relay).await;
        while post.is_left(bob.account).await {
            tokio::task::yield_now().await;
        }
        // A connection is served once it is entered: the writer has all that its coming writes.
        assert_eq!(test(&mut bob, &pushes.targets[0].id).await, None);
        assert_eq!(ntfy.next().await.text(), "This is a test");
        post.relay.hub.ask(Write::Probe).await.unwrap();
        assert_eq!(post.groups() - groups, 1 + u64::from(waits));
    }
    post.close().await;
    assert!(ntfy.is_quiet());
}

#[tokio::test(flavor = "multi_thread")]
async fn each_kind_is_spoken_as_its_documentation_says() {
    let folder = tempfile::tempdir().unwrap();
    let post = Post::open(folder.path());
    let (mut hook, mut pusher) = (Receiver::start().await, Receiver::start().await);
    let (mut alice, mut bob, room) = pair(&post).await;
    add(&mut bob, "webhook", &[("url", &hook.url("/in?x=1")), ("secret", &webhook_secret())]).await.unwrap();
    let options = [
        ("url", &*pusher.url("")),
        ("app", "3"),
        ("key", "278d425bdf160c739803"),
        ("secret", "7ad3773142a6692b25b8"),
        ("channel", "private-bob"),
    ];
    add(&mut bob, "pusher", &options).await.unwrap();
    drop(bob.wire.0.close(None).await);
    post.connected(1).await;
    alice.post(0, room, "hello").await.unwrap();

    let posted = hook.next().await;
    let body = webhook_text(&posted);
    assert_eq!(
        (&body["type"], &body["data"]["count"], &body["data"]["text"]),
        (&json!("kith.message"), &json!(1), &json!("New message"))
    );
    assert_eq!(body["data"]["sender"], json!(null));

    let posted = pusher.next().await;
    let (path, query) = posted.target.split_once('?').unwrap();
    assert_eq!(path, "/apps/3/events");
    let (signed, signature) = query.split_once("&auth_signature=").unwrap();
    let names: Vec<&str> = signed.split('&').map(|it| it.split('=').next().unwrap()).collect();
    assert_eq!(names, ["auth_key", "auth_timestamp", "auth_version", "body_md5"], "sorted, as it is signed");
    assert!(signed.ends_with(&format!("&body_md5={}", HEXLOWER.encode(&Md5::digest(&posted.body)))));
    let key = hmac::Key::new(hmac::HMAC_SHA256, b"7ad3773142a6692b25b8");
    let tag = hmac::sign(&key, format!("POST\n{path}\n{signed}").as_bytes());
    assert_eq!(signature, HEXLOWER.encode(tag.as_ref()));
    let body = posted.json();
    assert_eq!((&body["name"], &body["channels"]), (&json!("kith-message"), &json!(["private-bob"])));
    assert!(body["data"].as_str().unwrap().contains("New message"), "the data is JSON in a string");
    post.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_fails_is_told_to_its_owner_and_what_leads_inside_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let post = Post::open_with(folder.path(), generous());
    let mut inside = Receiver::start().await;
    let (_alice, mut bob, _) = pair(&post).await;
    let pushes = add(&mut bob, "ntfy", &[("url", &inside.url("/"))]).await.unwrap();
    let failure = test(&mut bob, &pushes.targets[0].id).await.unwrap();
    assert!(failure.contains("push.allow_networks"), "{failure}");
    assert!(inside.is_quiet());
    let secret = webhook_secret();
    for (kind, options) in [
        ("ntfy", &[("url", "file:///etc/passwd")][..]),
        ("ntfy", &[("url", "https://user@a.example/")]),
        ("ntfy", &[("address", "https://a.example/")]),
        ("webhook", &[("url", "https://a.example/"), ("secret", "short")]),
        ("webhook", &[("url", "https://a.example/\r\nx: y"), ("secret", &secret)]),
        ("pigeon", &[]),
    ] {
        let refused = add(&mut bob, kind, options).await.unwrap_err();
        assert!(matches!(refused, ServerFrame::PushSaid(ref said) if said.failure.is_some()), "{refused:?}");
    }
    for number in 1..8 {
        let url = format!("https://a.example/{number}");
        assert_eq!(add(&mut bob, "ntfy", &[("url", &url)]).await.unwrap().targets.len(), number + 1);
    }
    let many = add(&mut bob, "ntfy", &[("url", "https://a.example/")]).await.unwrap_err();
    assert_eq!(refusal(&many), ErrorCode::LimitReached);
    let target = pushes.targets[0].id.clone();
    let gone = bob.ask(|req| ClientFrame::RemovePush(PushOf { req, target: target.clone() })).await;
    assert!(matches!(gone, ServerFrame::Done(_)), "{gone:?}");
    assert_eq!(list(&mut bob).await.targets.len(), 7);
    for frame in [ClientFrame::RemovePush, ClientFrame::TestPush] {
        let again = bob.ask(|req| frame(PushOf { req, target: target.clone() })).await;
        assert_eq!(refusal(&again), ErrorCode::NotFound);
    }
    post.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn after_a_crash_only_a_receiver_that_knows_copies_is_told_again() {
    let folder = tempfile::tempdir().unwrap();
    let post = Post::open(folder.path());
    let (mut ntfy, mut hook) = (Receiver::start().await, Receiver::start().await);
    let (mut alice, mut bob, room) = pair(&post).await;
    add(&mut bob, "ntfy", &[("url", &ntfy.url("/bob"))]).await.unwrap();
    add(&mut bob, "webhook", &[("url", &hook.url("/")), ("secret", &webhook_secret())]).await.unwrap();
    drop(bob.wire.0.close(None).await);
    post.connected(1).await;
    // Both take it, and give no answer: nobody can know.
    ntfy.will_answer(&[""]);
    hook.will_answer(&[""]);
    alice.post(0, room, "hello").await.unwrap();
    ntfy.next().await;
    let first = hook.next().await;
    while (post.tries("ntfy", "failed"), post.tries("webhook", "failed")) != (1, 1) {
        tokio::task::yield_now().await;
    }
    drop(alice.wire.0.close(None).await);
    post.connected(0).await;
    post.close().await;

    let post = Post::open(folder.path());
    let second = hook.next().await;
    assert_eq!(second.header("webhook-id"), first.header("webhook-id"));
    assert_eq!(webhook_text(&second)["data"], webhook_text(&first)["data"]);
    while post.tries("webhook", "taken") != 1 {
        tokio::task::yield_now().await;
    }
    assert!(ntfy.is_quiet() && hook.is_quiet());
    assert_eq!(post.tries("ntfy", "taken") + post.tries("ntfy", "failed"), 0);
    post.close().await;
}
