//! Other people's rooms, other people's names, rights that somebody does not have.

use crate::support::{Device, Group, Relay, refusal};
use kith_protocol::entry::{Entry, Header, Kind};
use kith_protocol::error::ErrorCode;
use kith_protocol::frame::{
    Append, ClientFrame, CreateInvite, Fetch, FetchControl, FetchRegisters, Lookup, Request, RevokeInvite,
    ServerFrame, Typing,
};
use kith_protocol::ids::{Hash, Rev, RoomId, Seq};
use kith_protocol::register::{Register, RegisterHeader, Scope};
use kith_protocol::room::{ControlOp, Policy, Role, direct_ops, own_ops};

#[tokio::test]
async fn other_people_s_rooms_are_as_if_they_were_not() {
    let relay = Relay::fresh();
    let mut alice = Device::join(&relay, 1, "alice").await;
    let mut bob = Device::join(&relay, 2, "bob").await;
    let mut eve = Device::join(&relay, 3, "eve").await;
    let direct = alice.open_direct(&bob.account).await;
    let group = alice.open_group(&[bob.account]).await;
    let secret = alice.text(direct, "secret");
    alice.send(0, &secret).await;
    alice.verdict().await.unwrap();
    let rooms = [direct, group.id, RoomId::own(&alice.account), RoomId([9; 16])];
    let mut run = 0;
    for room in rooms {
        for answer in [
            eve.ask(|req| {
                ClientFrame::Fetch(Fetch { req, room, after: Seq(0), before: Seq(9), newest: true, limit: 9 })
            })
            .await,
            eve.ask(|req| ClientFrame::FetchControl(FetchControl { req, room, from: 0 })).await,
            eve.ask(|req| ClientFrame::FetchRegisters(FetchRegisters { req, room, after: Rev(0) })).await,
        ] {
            assert_eq!(refusal(&answer), ErrorCode::NotFound);
        }
        assert_eq!(eve.post(run, room, "let me in").await, Err(ErrorCode::NotFound));
        let redaction = eve.redaction(room, Seq(2), &secret);
        eve.send(run + 1, &redaction).await;
        assert_eq!(eve.verdict().await.unwrap_err().code, ErrorCode::NotFound);
        run += 2;
        for scope in [Scope::Account, Scope::Room] {
            let register = eve.register(room, scope, 1, Rev(0));
            assert_eq!(eve.set(&register).await, Err(ErrorCode::NotFound));
        }
        let mut stolen = Group { id: room, head: Hash::ZERO, index: 1 };
        assert_eq!(
            eve.change(&mut stolen, vec![ControlOp::Add(eve.account, Role::Owner)]).await,
            Err(ErrorCode::NotFound)
        );
        let message = eve.text(room, "as if it had always been there");
        assert_eq!(eve.republish(room, &[&message]).await, Err(ErrorCode::NotFound));
        assert!(eve.republish(room, &[&secret]).await.is_err(), "nor what others wrote");
        eve.wire.say(&ClientFrame::Typing(Typing { room, account: alice.account })).await;
        assert_eq!(eve.head(room).await, None);
    }
    // A room that only its members can open.
    let others = eve.control(direct, Hash::ZERO, 0, direct_ops(alice.account, bob.account));
    assert_eq!(eve.append_control(&others).await, Err(ErrorCode::NotFound));
    let missing = RoomId::own(&bob.account);
    let own = eve.control(missing, Hash::ZERO, 0, own_ops(bob.account));
    assert_eq!(eve.append_control(&own).await, Err(ErrorCode::NotFound));

    // None of it was stored, none of it was heard.
    assert_eq!(bob.head(direct).await.unwrap().seq, Seq(2));
    assert_eq!(bob.fetch(direct, 1).await.unwrap(), [secret.raw().clone()]);
    bob.wire.say(&ClientFrame::FetchHeads(Request { req: 1 })).await;
    loop {
        match bob.wire.hear().await {
            ServerFrame::Typing(typing) => panic!("{typing:?}"),
            ServerFrame::Heads(heads) if heads.done => break,
            _ => {}
        }
    }
}

#[tokio::test]
async fn nobody_writes_in_another_s_name() {
    let relay = Relay::fresh();
    let mut alice = Device::join(&relay, 1, "alice").await;
    let mut eve = Device::join(&relay, 3, "eve").await;
    let mut phone = eve.link(&relay, 4).await;
    let room = alice.open_direct(&eve.account).await;
    let of_alice = alice.text(room, "alice");
    let of_phone = phone.text(room, "phone");
    let header = Header { account: alice.account, ..eve.header(room, Kind::Message) };
    let in_her_name = Entry::sign(&header, b"eve", &eve.keys);
    for (run, entry) in (0..).zip([&of_alice, &of_phone, &in_her_name]) {
        eve.send(run, entry).await;
        assert_eq!(eve.verdict().await.unwrap_err().code, ErrorCode::Denied);
    }
    let register = alice.register(room, Scope::Account, 1, Rev(0));
    assert_eq!(eve.set(&register).await, Err(ErrorCode::Denied));
    let header = RegisterHeader {
        account: alice.account,
        ..eve.register(room, Scope::Account, 1, Rev(0)).header().clone()
    };
    assert_eq!(eve.set(&Register::sign(&header, b"", &eve.keys)).await, Err(ErrorCode::Denied));
    let control = alice.control(RoomId::ZERO, Hash::ZERO, 0, own_ops(alice.account));
    assert_eq!(eve.append_control(&control).await, Err(ErrorCode::Denied));
    let chain = alice.chain_entry(Vec::new()).raw().clone();
    let answer = eve.ask(|req| ClientFrame::AppendChain(Append { req, entry: chain })).await;
    assert_eq!(refusal(&answer), ErrorCode::Denied);
    // A chain that is not that long yet.
    let header = Header { chain_len: 9, ..eve.header(room, Kind::Message) };
    let ahead = Entry::sign(&header, b"", &eve.keys);
    eve.send(9, &ahead).await;
    assert_eq!(eve.verdict().await.unwrap_err().code, ErrorCode::Malformed);
    assert_eq!(alice.head(room).await.unwrap().seq, Seq(1));
}

#[tokio::test]
async fn the_relay_holds_the_rules_of_a_group() {
    let relay = Relay::fresh();
    let mut alice = Device::join(&relay, 1, "alice").await;
    let mut bob = Device::join(&relay, 2, "bob").await;
    let carol = Device::join(&relay, 3, "carol").await;
    let mut group = alice.open_group(&[bob.account]).await;
    let words = alice.text(group.id, "mine");
    alice.send(0, &words).await;
    let place = alice.verdict().await.unwrap();
    let of_bob = bob.text(group.id, "his");
    bob.send(0, &of_bob).await;
    let his_place = bob.verdict().await.unwrap();

    // A member neither invites nor renames nor redacts what others said, nor makes an owner of themselves.
    for ops in [
        vec![ControlOp::Add(carol.account, Role::Member)],
        vec![ControlOp::SetRole(bob.account, Role::Owner)],
        vec![ControlOp::Remove(alice.account)],
        vec![ControlOp::SetPolicy(Policy::default())],
    ] {
        assert_eq!(bob.change(&mut group, ops).await, Err(ErrorCode::Denied));
    }
    for ops in [Vec::new(), vec![ControlOp::Remove(carol.account)]] {
        assert_eq!(alice.change(&mut group, ops).await, Err(ErrorCode::Malformed));
    }
    let unknown = vec![ControlOp::Unknown(200)];
    assert_eq!(bob.change(&mut group, unknown).await, Err(ErrorCode::Unsupported), "nobody freezes a room");
    let nobody = vec![ControlOp::Add(kith_protocol::ids::AccountId([9; 32]), Role::Member)];
    assert_eq!(alice.change(&mut group, nobody).await, Err(ErrorCode::NotFound));
    let name = bob.register(group.id, Scope::Room, 1, Rev(0));
    assert_eq!(bob.set(&name).await, Err(ErrorCode::Denied));
    let redaction = bob.redaction(group.id, place, &words);
    bob.send(1, &redaction).await;
    assert_eq!(bob.verdict().await.unwrap_err().code, ErrorCode::Denied);
    assert_eq!(bob.republish(group.id, &[&redaction]).await, Ok(()), "passed over");
    let body = |entries: Vec<bytes::Bytes>| Entry::parse(entries[0].clone()).unwrap().body();
    assert!(body(bob.fetch(group.id, place.0 - 1).await.unwrap()).is_some(), "the words still stand");
    let wrong = bob.redaction(group.id, his_place, &words);
    bob.send(2, &wrong).await;
    assert_eq!(bob.verdict().await.unwrap_err().code, ErrorCode::Conflict);
    let nothing = bob.redaction(group.id, Seq(99), &words);
    bob.send(3, &nothing).await;
    assert_eq!(bob.verdict().await.unwrap_err().code, ErrorCode::NotFound);

    // An owner does; and who may not post does not get past it by saying that it was lost.
    let theirs = alice.redaction(group.id, his_place, &of_bob);
    alice.send(1, &theirs).await;
    alice.verdict().await.unwrap();
    assert!(body(bob.fetch(group.id, his_place.0 - 1).await.unwrap()).is_none());
    let quiet = Policy { post: Role::Admin, ..Policy::default() };
    alice.change(&mut group, vec![ControlOp::SetPolicy(quiet)]).await.unwrap();
    let shout = bob.text(group.id, "I will be heard");
    bob.send(4, &shout).await;
    assert_eq!(bob.verdict().await.unwrap_err().code, ErrorCode::Denied);
    let end = alice.head(group.id).await.unwrap().seq;
    assert_eq!(bob.republish(group.id, &[&shout, &redaction]).await, Ok(()));
    let frozen = bob.control(group.id, group.head, group.index, vec![ControlOp::Unknown(200)]);
    assert_eq!(bob.republish(group.id, &[&frozen]).await, Err(ErrorCode::Unsupported));
    assert_eq!(alice.head(group.id).await.unwrap().seq, end);
    assert!(alice.post(2, group.id, "quiet, please").await.is_ok());
}

#[tokio::test]
async fn what_a_restored_relay_lost_comes_back_and_its_giver_hears_where() {
    let relay = Relay::fresh();
    let mut alice = Device::join(&relay, 1, "alice").await;
    let mut bob = Device::join(&relay, 2, "bob").await;
    let room = alice.open_direct(&bob.account).await;
    let lost = [bob.text(room, "one"), bob.text(room, "two")];
    assert_eq!(alice.republish(room, &[&lost[0], &lost[1], &lost[0]]).await, Ok(()));
    assert_eq!(alice.head(room).await.unwrap().seq, Seq(3));
    // The author's retry finds it.
    bob.send(0, &lost[1]).await;
    assert_eq!(bob.verdict().await, Ok(Seq(3)));
    let elsewhere = bob.text(RoomId::own(&bob.account), "not of that room");
    assert_eq!(alice.republish(room, &[&elsewhere]).await, Err(ErrorCode::Malformed));
}

#[tokio::test]
async fn only_admins_of_the_relay_invite_and_nobody_takes_back_another_s() {
    let relay = Relay::fresh();
    let mut alice = Device::join(&relay, 1, "alice").await;
    let create = |req| ClientFrame::CreateInvite(CreateInvite { req, uses: 1, expires_in_s: 60, room: None });
    assert_eq!(refusal(&alice.ask(create).await), ErrorCode::Denied);
    for (token, code) in [(vec![9; 16], ErrorCode::NotFound), (vec![9; 3], ErrorCode::Malformed)] {
        let answer =
            alice.ask(|req| ClientFrame::RevokeInvite(RevokeInvite { req, token: token.into() })).await;
        assert_eq!(refusal(&answer), code);
    }
    let open = alice.ask(|req| ClientFrame::ListInvites(Request { req })).await;
    assert!(matches!(open, ServerFrame::Invites(open) if open.invites.is_empty()));
}

#[tokio::test]
async fn lookups_are_bounded() {
    let relay = Relay::fresh();
    let mut alice = Device::join(&relay, 1, "alice").await;
    let handles = vec!["alice".to_owned(); 257];
    let answer = alice.ask(|req| ClientFrame::Lookup(Lookup { req, handles, ..Lookup::default() })).await;
    assert_eq!(refusal(&answer), ErrorCode::TooLarge);
    for (prefix, found) in [
        ("ali", 1),
        ("", 0),
        ("%", 0),
        ("a\0", 0),
        ("ali%", 0),
        (&"a".repeat(60_000), 0),
        (&"%".repeat(129), 0),
    ] {
        let prefix = Some(prefix.to_owned());
        match alice.ask(|req| ClientFrame::Lookup(Lookup { req, prefix, ..Lookup::default() })).await {
            ServerFrame::Accounts(accounts) => assert_eq!(accounts.accounts.len(), found),
            other => panic!("{other:?}"),
        }
    }
}
