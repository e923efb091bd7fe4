//! How much of the relay's disk one account may have: who has used theirs up is refused and reads on, what they take away makes
//! room, and nobody else notices.
#![allow(clippy::unwrap_used, unreachable_pub, reason = "a test ends where something fails")]

mod support;

use kith_protocol::entry::{Entry, Kind};
use kith_protocol::error::ErrorCode;
use kith_protocol::ids::{AccountId, Rev, RoomId, Seq};
use kith_protocol::register::{Register, Scope};
use kith_relay::config::Config;
use kith_relay::relay::writes::Write;
use kith_relay::store::retention::{RetentionWrite, Share};
use support::{Device, Relay, generous};

const QUOTA: u64 = 100_000;
const LARGE: usize = 40_000;

fn bounded() -> Config {
    let mut config = generous();
    config.storage.account_bytes = QUOTA;
    config
}

fn message(device: &mut Device, room: RoomId, bytes: usize) -> Entry {
    let header = device.header(room, Kind::Message);
    Entry::sign(&header, &vec![7; bytes], &device.keys)
}

async fn send(device: &mut Device, run: u32, entry: &Entry) -> Result<Seq, ErrorCode> {
    device.send(run, entry).await;
    device.verdict().await.map_err(|rejected| {
        assert!(rejected.code.is_passing() && rejected.retry_in_ms > 0, "{rejected:?}");
        rejected.code
    })
}

async fn give(relay: &Relay, account: AccountId, share: Option<Share>) {
    relay.hub.ask(Write::Retention(RetentionWrite::Share { account, share })).await.unwrap();
}

async fn held(relay: &Relay, account: AccountId) -> u64 {
    relay.hub.run(move |store| store.held(&account).unwrap()).await.unwrap()
}

#[tokio::test]
async fn who_has_used_up_a_share_is_refused_until_something_is_deleted() {
    let relay = Relay::fresh_with(bounded());
    let mut alice = Device::join(&relay, 1, "alice").await;
    let mut bob = Device::join(&relay, 2, "bob").await;
    let room = alice.open_direct(&bob.account).await;
    let said = [message(&mut alice, room, LARGE), message(&mut alice, room, LARGE)];
    assert_eq!(send(&mut alice, 0, &said[0]).await, Ok(Seq(2)));
    assert_eq!(send(&mut alice, 0, &said[1]).await, Ok(Seq(3)));
    let full = message(&mut alice, room, LARGE);
    assert_eq!(send(&mut alice, 0, &full).await, Err(ErrorCode::QuotaReached));
    assert!(held(&relay, alice.account).await <= QUOTA);
    assert_eq!(send(&mut alice, 1, &said[0]).await, Ok(Seq(2)), "a retry of what is stored is no news");

    // Others write on, and what she reads, marks and leaves is no message.
    let his = message(&mut bob, room, LARGE);
    assert_eq!(send(&mut bob, 0, &his).await, Ok(Seq(4)));
    assert_eq!(alice.fetch(room, 3).await.unwrap(), [his.raw().clone()]);
    let mark = alice.register(room, Scope::Account, 1, Rev(0));
    assert_eq!(alice.set(&mark).await, Ok(Rev(1)));
    assert!(relay.hub.is_well(), "the relay itself is well");

    let redaction = alice.redaction(room, Seq(2), &said[0]);
    assert_eq!(send(&mut alice, 1, &redaction).await, Ok(Seq(5)));
    assert_eq!(send(&mut alice, 1, &full).await, Ok(Seq(6)), "what was refused goes out as it was");
    let more = message(&mut alice, room, LARGE);
    assert_eq!(send(&mut alice, 1, &more).await, Err(ErrorCode::QuotaReached));
}

#[tokio::test]
async fn the_operator_gives_and_takes() {
    let relay = Relay::fresh_with(bounded());
    let mut alice = Device::join(&relay, 1, "alice").await;
    let own = RoomId::own(&alice.account);
    let said = [message(&mut alice, own, LARGE), message(&mut alice, own, LARGE)];
    for entry in &said {
        send(&mut alice, 0, entry).await.unwrap();
    }
    let third = message(&mut alice, own, LARGE);
    assert_eq!(send(&mut alice, 0, &third).await, Err(ErrorCode::QuotaReached));
    give(&relay, alice.account, Some(Share { bytes: None })).await;
    assert_eq!(send(&mut alice, 1, &third).await, Ok(Seq(4)));
    // Far less than she has: what takes away more than it adds is stored all the same, and nothing else is.
    give(&relay, alice.account, Some(Share { bytes: Some(1000) })).await;
    let small = message(&mut alice, own, 1);
    assert_eq!(send(&mut alice, 1, &small).await, Err(ErrorCode::QuotaReached));
    let mark = alice.register(own, Scope::Account, 1, Rev(0));
    assert_eq!(alice.set(&mark).await, Err(ErrorCode::QuotaReached));
    assert_eq!(alice.republish(own, &[&small]).await, Err(ErrorCode::QuotaReached), "nor by another way");
    for (entry, place) in said.iter().chain([&third]).zip(2..) {
        let redaction = alice.redaction(own, Seq(place), entry);
        assert_eq!(send(&mut alice, 2, &redaction).await, Ok(Seq(place + 3)));
    }
    give(&relay, alice.account, None).await;
    assert_eq!(send(&mut alice, 2, &small).await, Ok(Seq(8)));
    let events = relay.hub.run(|store| store.audit_log(3).unwrap()).await.unwrap();
    assert!(events.iter().all(|record| record.event.account().is_some()), "{events:?}");
}

#[tokio::test]
async fn settings_and_marks_have_a_little_more_and_not_for_ever() {
    let relay = Relay::fresh_with(bounded());
    let mut alice = Device::join(&relay, 1, "alice").await;
    let own = RoomId::own(&alice.account);
    let mut refused = None;
    for key in 1..20 {
        let header = alice.register(own, Scope::Account, key, Rev(0)).header().clone();
        let register = Register::sign(&header, &vec![7; 10_000], &alice.keys);
        if let Err(code) = alice.set(&register).await {
            refused = Some((key, code));
            break;
        }
    }
    assert_eq!(refused, Some((11, ErrorCode::QuotaReached)), "ten of them, and a tenth more");
    let bytes = held(&relay, alice.account).await;
    assert!((QUOTA..=QUOTA / 10 * 11).contains(&bytes), "{bytes}");
    assert_eq!(
        relay.hub.run(|store| store.nearly_used_up(Share { bytes: Some(QUOTA) }).unwrap()).await,
        Some(1)
    );
    // As large as before: nothing is added.
    let header = alice.register(own, Scope::Account, 1, Rev(1)).header().clone();
    let same = Register::sign(&header, &vec![8; 10_000], &alice.keys);
    assert_eq!(alice.set(&same).await, Ok(Rev(11)));
}
