//! Processes that die in the middle of it, copies put back, devices shut out: what was acknowledged stays, once.
#![allow(clippy::unwrap_used, unreachable_pub, reason = "a test ends where something fails")]

#[allow(dead_code, reason = "each test program uses its part")]
mod real;

use kith_client::core::{Connection, Stopped, Trouble, Update};
use kith_client::keys::Choice;
use kith_client::{Access, Client, Home, Next, Outgoing, SyncError};
use kith_protocol::ids::{RoomId, Seq};
use real::{Homes, PATIENCE, Relay, agree, texts};
use std::collections::BTreeMap;
use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use tokio::sync::{Notify, Semaphore};

const KILLS: usize = 50;
/// Messages of one device that wait for their ack at once.
const UNDER_WAY: usize = 16;
/// Acks between one death of the relay and the next, over all devices.
const ACKS_BETWEEN: usize = 24;

/// What one device wrote, and where the relay said that it stands.
type Acked = BTreeMap<String, Seq>;

#[derive(Default)]
struct Load {
    acks: AtomicUsize,
    grew: Notify,
    over: AtomicBool,
}

#[tokio::test(flavor = "multi_thread")]
async fn a_relay_killed_fifty_times_under_load_loses_and_doubles_nothing() {
    let mut relay = Relay::start().await;
    let homes = Homes::plain();
    let a1 = homes.join(&relay, "a1", "alice").await;
    let b1 = homes.join(&relay, "b1", "bob").await;
    let a2 = homes.link(&a1, "a2").await;
    let chat = a1.dm("bob").await.unwrap();
    let first = a1.send(chat, Outgoing::text("first")).await.unwrap();
    a1.acked(first, PATIENCE).await.unwrap();
    for client in [&a2, &b1] {
        client.sync_once(PATIENCE, |_| {}).await.unwrap();
    }

    let load = Arc::new(Load::default());
    let writers: Vec<_> = [(&a1, "a1"), (&a2, "a2"), (&b1, "b1")]
        .into_iter()
        .map(|(client, name)| tokio::spawn(write(client.clone(), name, chat, Arc::clone(&load))))
        .collect();
    for kill in 0..KILLS {
        let enough = (kill + 1) * ACKS_BETWEEN;
        tokio::time::timeout(PATIENCE, reach(&load, enough)).await.expect("the writers go on");
        relay.kill();
        relay.start_again();
        for client in [&a1, &a2, &b1] {
            // At once, and not after the wait that grows with each failure.
            client.disconnect().await;
            client.connect();
        }
    }
    load.over.store(true, Ordering::Relaxed);
    let mut written = 0;
    let mut acked = Acked::new();
    for writer in writers {
        let (count, acks) = writer.await.unwrap();
        written += count;
        acked.extend(acks);
    }
    let lines = agree(&[&[&a1, &a2], &[&b1]], chat).await;
    let places: BTreeMap<&str, Seq> =
        lines.iter().filter_map(|line| Some((line.text.as_str(), line.seq?))).collect();
    for (text, seq) in &acked {
        assert_eq!(places.get(text.as_str()), Some(seq), "{text} was acknowledged");
    }
    let said = texts(&lines);
    assert_eq!(said.len(), written + 1, "each of them stands there once");
    for name in ["a1", "a2", "b1"] {
        let numbers: Vec<usize> =
            said.iter().filter_map(|text| text.strip_prefix(name)?.trim().parse().ok()).collect();
        assert!(numbers.iter().copied().eq(0..numbers.len()), "{name}: in the order written");
    }
    for client in [a1, a2, b1] {
        client.shutdown().await;
    }
}

/// Writes as fast as acks come, until it is over.
async fn write(client: Client, name: &str, room: RoomId, load: Arc<Load>) -> (usize, Acked) {
    let window = Arc::new(Semaphore::new(UNDER_WAY));
    let mut acks = Vec::new();
    let mut count = 0;
    while !load.over.load(Ordering::Relaxed) {
        let permit = Arc::clone(&window).acquire_owned().await.unwrap();
        let text = format!("{name} {count}");
        let txn = client.send(room, Outgoing::text(text.clone())).await.unwrap();
        count += 1;
        let (client, load) = (client.clone(), Arc::clone(&load));
        acks.push(tokio::spawn(async move {
            let seq = client.acked(txn, PATIENCE).await.unwrap();
            drop(permit);
            load.acks.fetch_add(1, Ordering::Relaxed);
            load.grew.notify_one();
            (text, seq)
        }));
    }
    let mut acked = Acked::new();
    for ack in acks {
        acked.extend([ack.await.unwrap()]);
    }
    (count, acked)
}

async fn reach(load: &Load, acks: usize) {
    while load.acks.load(Ordering::Relaxed) < acks {
        load.grew.notified().await;
    }
}

/// Where the helper process finds its home, and what it does there.
const HOME: &str = "KITH_TEST_HELPER_HOME";
const ROOM: &str = "KITH_TEST_HELPER_ROOM";
const ONLINE: &str = "KITH_TEST_HELPER_ONLINE";

/// Not a test: what a test starts as another process, to kill it.
#[tokio::test(flavor = "multi_thread")]
async fn helper_that_is_killed() {
    let Some(home) = std::env::var_os(HOME) else { return };
    let room = std::env::var(ROOM).unwrap().parse::<RoomId>().unwrap();
    let client =
        Client::open(Home::open(home.as_ref()).unwrap(), Access::new(Choice::PlainFile)).await.unwrap();
    if std::env::var_os(ONLINE).is_some() {
        client.online(PATIENCE).await.unwrap();
        eprintln!("online");
        let mut go = String::new();
        std::io::stdin().read_line(&mut go).unwrap();
    }
    client.send(room, Outgoing::text("written by who was killed")).await.unwrap();
    eprintln!("queued");
    std::future::pending::<()>().await;
}

/// Starts the helper, and kills it once it has said the last of these.
struct Helper(std::process::Child, BufReader<std::process::ChildStderr>);

impl Helper {
    fn start(home: &std::path::Path, room: RoomId, online: bool) -> Self {
        let mut command = Command::new(std::env::current_exe().unwrap());
        command.args(["--exact", "helper_that_is_killed", "--nocapture"]);
        command.env(HOME, home).env(ROOM, room.to_string());
        if online {
            command.env(ONLINE, "1");
        }
        let mut child =
            command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
        let said = BufReader::new(child.stderr.take().unwrap());
        Self(child, said)
    }

    fn says(&mut self, what: &str) {
        let mut all = String::new();
        loop {
            let mut line = String::new();
            assert_ne!(self.1.read_line(&mut line).unwrap(), 0, "the helper ended: {all}");
            if line.trim() == what {
                return;
            }
            all += &line;
        }
    }

    fn go(&mut self) {
        use std::io::Write;
        self.0.stdin.as_mut().unwrap().write_all(b"go\n").unwrap();
    }
}

impl Drop for Helper {
    fn drop(&mut self) {
        self.0.kill().unwrap();
        self.0.wait().unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_killed_between_enqueue_and_ack_delivers_once() {
    let relay = Relay::start().await;
    let homes = Homes::plain();
    let a1 = homes.join(&relay, "a1", "alice").await;
    let b1 = homes.join(&relay, "b1", "bob").await;
    let chat = a1.dm("bob").await.unwrap();
    let first = a1.send(chat, Outgoing::text("first")).await.unwrap();
    a1.acked(first, PATIENCE).await.unwrap();
    a1.shutdown().await;

    // Killed before it had a connection.
    let mut helper = Helper::start(&homes.place("a1"), chat, false);
    helper.says("queued");
    drop(helper);
    let a1 = homes.open("a1").await;
    assert_eq!(a1.outbox().await.unwrap().len(), 1);
    let lines = agree(&[&[&a1], &[&b1]], chat).await;
    assert_eq!(texts(&lines), ["first", "written by who was killed"]);
    a1.shutdown().await;

    // Killed after the relay had it, before the ack came.
    let mut helper = Helper::start(&homes.place("a1"), chat, true);
    helper.says("online");
    relay.way().set_deaf(true);
    helper.go();
    helper.says("queued");
    relay.holds(3).await;
    drop(helper);
    relay.way().set_deaf(false);
    let a1 = homes.open("a1").await;
    assert_eq!(a1.outbox().await.unwrap().len(), 1, "it does not know that it was stored");
    let lines = agree(&[&[&a1], &[&b1]], chat).await;
    assert_eq!(texts(&lines), ["first", "written by who was killed", "written by who was killed"]);
    for client in [a1, b1] {
        client.shutdown().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn two_devices_that_were_offline_together_both_wrote() {
    let relay = Relay::start().await;
    let homes = Homes::plain();
    let a1 = homes.join(&relay, "a1", "alice").await;
    let b1 = homes.join(&relay, "b1", "bob").await;
    let a2 = homes.link(&a1, "a2").await;
    let chat = a1.dm("bob").await.unwrap();
    let first = b1.dm("alice").await.unwrap();
    assert_eq!(first, chat, "one room, whoever opens it");
    let txn = b1.send(chat, Outgoing::text("first")).await.unwrap();
    b1.acked(txn, PATIENCE).await.unwrap();
    agree(&[&[&a1, &a2], &[&b1]], chat).await;

    a1.disconnect().await;
    a2.disconnect().await;
    for n in 0..20 {
        a1.send(chat, Outgoing::text(format!("a1 {n}"))).await.unwrap();
        a2.send(chat, Outgoing::text(format!("a2 {n}"))).await.unwrap();
    }
    a1.mark_read(chat, Seq(2)).await.unwrap();
    a2.set_draft(chat, "and one more th").await.unwrap();
    a1.connect();
    a2.connect();
    let lines = agree(&[&[&a1, &a2], &[&b1]], chat).await;
    let said = texts(&lines);
    assert_eq!(said.len(), 41);
    for name in ["a1", "a2"] {
        let theirs: Vec<String> =
            said.iter().filter(|text| text.starts_with(name)).map(|text| (*text).to_owned()).collect();
        assert_eq!(theirs, (0..20).map(|n| format!("{name} {n}")).collect::<Vec<_>>());
    }
    let summary = a1.room(chat).await.unwrap().unwrap();
    assert_eq!((summary.unread, summary.draft.as_str()), (0, "and one more th"));
    for client in [a1, a2, b1] {
        client.shutdown().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_device_revoked_while_connected_is_out_at_once() {
    let relay = Relay::start().await;
    let homes = Homes::plain();
    let a1 = homes.join(&relay, "a1", "alice").await;
    let b1 = homes.join(&relay, "b1", "bob").await;
    let a2 = homes.link(&a1, "a2").await;
    a2.sync_once(PATIENCE, |_| {}).await.unwrap();
    let chat = a2.dm("bob").await.unwrap();
    let txn = a2.send(chat, Outgoing::text("from the phone")).await.unwrap();
    a2.acked(txn, PATIENCE).await.unwrap();

    let mut updates = a2.updates();
    a1.revoke(a2.me().await.unwrap().device).await.unwrap();
    let why = until(&mut updates, |update| match update {
        Update::Connection(Connection::Stopped(why)) => Some(why),
        _ => None,
    });
    assert_eq!(why.await, Stopped::Revoked);
    let late = a2.send(chat, Outgoing::text("too late")).await;
    let refused = a2.sync_once(PATIENCE, |_| {}).await;
    assert!(matches!(refused, Err(SyncError::Stopped(Stopped::Revoked))), "{late:?} {refused:?}");
    let lines = agree(&[&[&a1], &[&b1]], chat).await;
    assert_eq!(texts(&lines), ["from the phone"]);
    let kept = a2.history(chat, None, 10).await.unwrap();
    assert!(kept.iter().any(|line| line.text == "from the phone"), "what it holds stays readable");
    for client in [a1, a2, b1] {
        client.shutdown().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_relay_put_back_from_an_older_copy_gets_back_what_it_lost() {
    let mut relay = Relay::start().await;
    let homes = Homes::plain();
    let a1 = homes.join(&relay, "a1", "alice").await;
    let b1 = homes.join(&relay, "b1", "bob").await;
    let chat = a1.dm("bob").await.unwrap();
    let say = async |client: &Client, text: &str| {
        let txn = client.send(chat, Outgoing::text(text)).await.unwrap();
        client.acked(txn, PATIENCE).await.unwrap();
    };
    say(&a1, "before the copy").await;
    let copy = tempfile::tempdir().unwrap();
    let reconnect = async || {
        for client in [&a1, &b1] {
            client.disconnect().await;
            client.connect();
        }
    };
    relay.kill();
    relay.copy_to(copy.path());
    relay.start_again();
    reconnect().await;
    say(&a1, "after the copy").await;
    say(&b1, "after it as well").await;
    agree(&[&[&a1], &[&b1]], chat).await;

    let mut updates = a1.updates();
    relay.kill();
    relay.restore_from(copy.path());
    relay.start_again();
    reconnect().await;
    let told = until(&mut updates, |update| matches!(update, Update::Trouble(Trouble::Resync)).then_some(()));
    told.await;
    say(&b1, "on the relay put back").await;
    let lines = agree(&[&[&a1], &[&b1]], chat).await;
    let mut said = texts(&lines);
    said.sort_unstable();
    assert_eq!(said, ["after it as well", "after the copy", "before the copy", "on the relay put back"]);
    for client in [a1, b1] {
        client.shutdown().await;
    }
}

async fn until<T>(updates: &mut kith_client::Updates, mut wanted: impl FnMut(Update) -> Option<T>) -> T {
    let wait = async {
        loop {
            if let Next::Update(update) = updates.next().await.expect("the client runs")
                && let Some(found) = wanted(update)
            {
                return found;
            }
        }
    };
    tokio::time::timeout(PATIENCE, wait).await.expect("in time")
}
