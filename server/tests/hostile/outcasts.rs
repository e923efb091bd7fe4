//! Those who may no longer: revoked devices, disabled accounts, removed members.

use crate::support::{Device, Pair, Relay, generous, refusal};
use kith_protocol::chain::ChainOp;
use kith_protocol::error::{CloseCode, ErrorCode};
use kith_protocol::frame::{ClientFrame, FetchControl, FetchRegisters, ServerFrame, Typing};
use kith_protocol::ids::{Rev, RoomId, Seq};
use kith_protocol::register::Scope;
use kith_protocol::room::{ControlOp, Role};
use kith_relay::relay::writes::Write;

#[tokio::test]
async fn a_revoked_device_is_out_at_once_and_for_ever() {
    let relay = Relay::fresh_with(generous());
    let pair = Pair::talking(&relay).await;
    let mut alice = Device::join(&relay, 1, "alice").await;
    let mut phone = alice.link(&relay, 2).await;
    let own = RoomId::own(&alice.account);
    assert_eq!(phone.post(0, own, "from the phone").await, Ok(Seq(2)));
    let late = phone.text(own, "signed in time, sent too late");

    alice.append_chain(vec![ChainOp::RevokeDevice(phone.keys.id())]).await.unwrap();
    assert_eq!(phone.wire.closed().await, Some(CloseCode::Revoked.into()));
    for _ in 0..2 {
        assert_eq!(phone.turned_away(&relay).await, Some(CloseCode::Revoked.into()));
    }
    // Nor does its own account carry its words in for it.
    alice.send(0, &late).await;
    assert_eq!(alice.verdict().await.unwrap_err().code, ErrorCode::Denied);
    assert_eq!(alice.post(1, own, "from the laptop").await, Ok(Seq(3)));
    assert!(pair.end().await > 0);
}

#[tokio::test]
async fn a_device_that_revokes_itself_gets_its_answer_first() {
    let relay = Relay::fresh();
    let mut alice = Device::join(&relay, 1, "alice").await;
    let mut phone = alice.link(&relay, 2).await;
    phone.append_chain(vec![ChainOp::RevokeDevice(phone.keys.id())]).await.unwrap();
    assert_eq!(phone.wire.closed().await, Some(CloseCode::Revoked.into()));
}

#[tokio::test]
async fn what_a_revoked_device_has_on_its_way_is_refused() {
    let relay = Relay::fresh_with(generous());
    let mut alice = Device::join(&relay, 1, "alice").await;
    let mut phone = alice.link(&relay, 2).await;
    let own = RoomId::own(&alice.account);
    // It writes as fast as it can while it is revoked, and reads nothing.
    for n in 0..100 {
        let entry = phone.text(own, &format!("{n}"));
        phone.send(0, &entry).await;
        if n == 50 {
            alice.append_chain(vec![ChainOp::RevokeDevice(phone.keys.id())]).await.unwrap();
            let end = alice.head(own).await.unwrap().seq;
            // What came before stands; from here on nothing is added.
            while let Ok(frame) = phone.wire.next().await {
                if let ServerFrame::Rejected(rejected) = frame {
                    assert!(matches!(rejected.code, ErrorCode::Revoked | ErrorCode::Stalled), "{rejected:?}");
                }
            }
            assert_eq!(alice.head(own).await.unwrap().seq, end);
            return;
        }
    }
}

#[tokio::test]
async fn the_operator_shuts_out_an_account_or_a_device() {
    let relay = Relay::fresh();
    let mut alice = Device::join(&relay, 1, "alice").await;
    let mut phone = alice.link(&relay, 2).await;
    relay.hub.ask(Write::Block(phone.keys.id())).await.unwrap();
    assert_eq!(phone.wire.closed().await, Some(CloseCode::Revoked.into()));
    assert_eq!(phone.turned_away(&relay).await, Some(CloseCode::Revoked.into()));
    assert_eq!(alice.post(0, RoomId::own(&alice.account), "the laptop stays").await, Ok(Seq(2)));

    relay.hub.ask(Write::Disable(alice.account, true)).await.unwrap();
    assert_eq!(alice.wire.closed().await, Some(CloseCode::Disabled.into()));
    assert_eq!(alice.turned_away(&relay).await, Some(CloseCode::Disabled.into()));
    relay.hub.ask(Write::Disable(alice.account, false)).await.unwrap();
    alice.reconnect(&relay).await;
    assert_eq!(alice.post(0, RoomId::own(&alice.account), "back again").await, Ok(Seq(3)));
}

#[tokio::test]
async fn who_was_removed_sees_nothing_newer() {
    let relay = Relay::fresh();
    let mut alice = Device::join(&relay, 1, "alice").await;
    let mut bob = Device::join(&relay, 2, "bob").await;
    let mut group = alice.open_group(&[bob.account]).await;
    alice.post(0, group.id, "for both").await.unwrap();
    let removed_at = alice.change(&mut group, vec![ControlOp::Remove(bob.account)]).await.unwrap();
    assert_eq!(removed_at, Seq(3));
    for text in ["not for bob", "nor this"] {
        alice.post(0, group.id, text).await.unwrap();
    }
    let name = alice.register(group.id, Scope::Room, 1, Rev(0));
    alice.set(&name).await.unwrap();
    let role =
        vec![ControlOp::SetPolicy(kith_protocol::room::Policy { post: Role::Owner, ..Default::default() })];
    alice.change(&mut group, role).await.unwrap();

    // Pushes: the fence is a head, behind everything that was pushed before.
    let left = bob.head(group.id).await.unwrap();
    assert_eq!((left.seq, left.control_len, left.rev), (Seq(3), 2, Rev(0)));
    bob.wire.say(&ClientFrame::FetchHeads(kith_protocol::frame::Request { req: 1 })).await;
    loop {
        match bob.wire.hear().await {
            ServerFrame::Entries(pushed) => {
                assert!(pushed.first.0 + pushed.entries.len() as u64 <= 4, "{pushed:?}");
            }
            ServerFrame::Registers(pushed) => panic!("{pushed:?}"),
            ServerFrame::Heads(heads) if heads.done => break,
            _ => {}
        }
    }
    for _ in 0..2 {
        assert_eq!(bob.fetch(group.id, 0).await.unwrap().len(), 3, "up to its end");
        assert_eq!(bob.fetch(group.id, 3).await, Ok(Vec::new()));
        let room = group.id;
        match bob.ask(|req| ClientFrame::FetchControl(FetchControl { req, room, from: 0 })).await {
            ServerFrame::Control(control) => assert_eq!((control.entries.len(), control.more), (2, false)),
            other => panic!("{other:?}"),
        }
        let answer =
            bob.ask(|req| ClientFrame::FetchRegisters(FetchRegisters { req, room, after: Rev(0) })).await;
        assert_eq!(refusal(&answer), ErrorCode::Denied);
        assert_eq!(bob.post(0, group.id, "may I").await, Err(ErrorCode::NotFound));
        let mark = bob.register(group.id, Scope::Account, 1, Rev(0));
        assert_eq!(bob.set(&mark).await, Err(ErrorCode::NotFound));
        assert_eq!(
            bob.change(&mut group, vec![ControlOp::Add(bob.account, Role::Owner)]).await,
            Err(ErrorCode::NotFound)
        );
        bob.wire.say(&ClientFrame::Typing(Typing { room, account: bob.account })).await;
        bob.reconnect(&relay).await;
        let head = *bob.heads.iter().find(|head| head.room == group.id).unwrap();
        assert_eq!((head.seq, head.hash), (left.seq, left.hash), "the head stays where they left");
    }
    // Who is let in again sees everything, and hears of what comes.
    alice.change(&mut group, vec![ControlOp::Add(bob.account, Role::Owner)]).await.unwrap();
    assert_eq!(bob.fetch(group.id, 0).await.unwrap().len(), 7);
    assert_eq!(alice.post(0, group.id, "welcome back").await, Ok(Seq(8)));
    while bob.pushed(group.id).await.0 != Seq(8) {}
}
