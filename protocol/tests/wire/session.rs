//! The example session of PROTOCOL.md: Alice says hello to Bob.

use crate::people::{NOON, Person, Seen};
use crate::{dump, snapshots};
use bytes::Bytes;
use kith_protocol::VERSION;
use kith_protocol::entry::{Entry, Kind};
use kith_protocol::event::{Event, Text};
use kith_protocol::frame::{
    Ack, Acks, ClientFrame, Entries, Head, Heads, Hello, Identify, Send, ServerFrame, Welcome,
};
use kith_protocol::ids::{Hash, Incarnation, Rev, RoomId, Seq};
use kith_protocol::keys::Challenge;
use kith_protocol::room::{direct_ops, own_ops};
use std::fmt::Write as _;

const INCARNATION: Incarnation = Incarnation([0xa1; 16]);
const NONCE: [u8; 32] = [0xb2; 32];

/// What stands between the markers.
pub(crate) fn markdown() -> String {
    let (alice, bob) = (Person::alice(), Person::bob());
    let mut out = String::new();
    let mut part = |title: &str, text: &str, dump: &str| {
        write!(out, "\n#### {title}\n\n{text}\n\n```text\n{dump}```\n").unwrap();
    };

    part(
        "Alice's chain",
        &format!("Its only entry; its digest is her account id, `{}`.", alice.id()),
        &snapshots::chain_dump(alice.genesis.raw(), &snapshots::device_fields("laptop")),
    );

    let genesis = |room, ops| alice.entry(room, 1, Kind::Control { index: 0, ops }, b"", Seen::default());
    let direct = RoomId::direct(&alice.id(), &bob.id());
    let first = genesis(direct, direct_ops(alice.id(), bob.id()));
    part(
        "The genesis of their direct chat",
        &format!("Bob's account id is `{}`, so the room is `{direct}`.", bob.id()),
        &snapshots::entry_dump(first.raw(), &DIRECT_GENESIS),
    );

    let hello = Hello { version: VERSION, incarnation: INCARNATION, nonce: NONCE.to_vec().into(), now: NOON };
    let mut frame = |title: &str, text: &str, name: &str, bytes: &[u8]| {
        part(title, text, &dump::tagged(name, bytes));
    };
    frame("Relay to Alice: Hello", "First on the connection.", "Hello", &ServerFrame::Hello(hello).encode());

    let challenge = Challenge { incarnation: INCARNATION, nonce: NONCE };
    let answer = alice.keys.answer(&challenge);
    challenge.check(&alice.keys.auth_public(), &alice.keys.id(), &answer).unwrap();
    let identify = Identify {
        version: VERSION,
        account: alice.id(),
        device: alice.keys.id(),
        answer: answer.to_vec().into(),
    };
    frame(
        "Alice to relay: Identify",
        "The answer is made with the key for logins.",
        "Identify",
        &ClientFrame::Identify(identify).encode(),
    );

    let welcome = Welcome {
        version: VERSION,
        account: alice.id(),
        device: alice.keys.id(),
        handle: "alice".into(),
        name: "Alice".into(),
        admin: true,
        pushes: false,
        chain_len: 1,
        reads: Bytes::from_static(ClientFrame::TYPES),
    };
    frame("Relay to Alice: Welcome", "She is in.", "Welcome", &ServerFrame::Welcome(welcome).encode());

    let own = RoomId::own(&alice.id());
    let mut seen = Seen::default();
    seen.take(&first);
    let heads =
        [(own, genesis(own, own_ops(alice.id()))), (direct, first)].map(|(room, entry)| head(room, &entry));
    frame(
        "Relay to Alice: Heads",
        "Her own room and the chat, each with its genesis alone.",
        "Heads",
        &ServerFrame::Heads(Heads { heads: heads.to_vec(), done: true }).encode(),
    );

    let text = Event::Text(Text::plain("hello"));
    let message = alice.entry(direct, 2, Kind::Message, &text.encode(), seen);
    let send = Send { run: 0, entry: message.raw().clone() };
    frame("Alice to relay: Send", "", "Send", &ClientFrame::Send(send).encode());

    let ack = Ack { room: direct, txn: message.header().txn, seq: Seq(2) };
    frame(
        "Relay to Alice: Acks",
        "The message is on disk.",
        "Acks",
        &ServerFrame::Acks(Acks { acks: vec![ack] }).encode(),
    );

    let entries = Entries { room: direct, first: Seq(2), entries: vec![message.raw().clone()] };
    frame(
        "Relay to Bob: Entries",
        "The push to every other connected device of either.",
        "Entries",
        &ServerFrame::Entries(entries).encode(),
    );

    part(
        "The message in it",
        &format!(
            "Its digest is `{}`; the rolling hash at Seq 2 is `{}`.",
            message.digest(),
            seen.hash.extend(&message.digest())
        ),
        &snapshots::entry_dump(message.raw(), &[]),
    );
    out.push('\n');
    out
}

fn head(room: RoomId, genesis: &Entry) -> Head {
    let hash = Hash::ZERO.extend(&genesis.digest());
    Head { room, seq: Seq(1), hash, rev: Rev(0), control_len: 1, redacted: Seq(0) }
}

const DIRECT_GENESIS: [(&str, Option<usize>); 14] = [
    ("index", Some(4)),
    ("operations", Some(1)),
    ("tag: create", Some(1)),
    ("length", Some(2)),
    ("room kind", Some(1)),
    ("nonce", Some(16)),
    ("tag: add", Some(1)),
    ("length", Some(2)),
    ("account", Some(32)),
    ("role", Some(1)),
    ("tag: add", Some(1)),
    ("length", Some(2)),
    ("account", Some(32)),
    ("role", Some(1)),
];
