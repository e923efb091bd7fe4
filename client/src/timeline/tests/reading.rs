use super::*;
use kith_protocol::entry::{Entry, Header, KEY_SOURCE_PLAIN, Kind as EntryKind};
use kith_protocol::event::Event;
use kith_protocol::keys::DeviceKeys;
use kith_protocol::register::{Register, RegisterHeader, Scope};
use kith_protocol::room::{ControlOp, Role, RoomKind, group_ops};

fn signed(kind: EntryKind, body: &[u8], key_source: u8) -> Entry {
    let keys = DeviceKeys::from_seeds(&[1; 32], &[2; 32]);
    let header = Header {
        key_source,
        room: ROOM,
        account: ALICE,
        device: keys.id(),
        chain_len: 1,
        control_head: Hash([3; 32]),
        seen_seq: Seq(1),
        seen_hash: Hash([4; 32]),
        txn: TxnId([5; 16]),
        at: 6,
        kind,
    };
    Entry::sign(&header, body, &keys)
}

fn read(entry: &Entry) -> Content {
    Verified::read(Seq(2), entry, false).content
}

#[test]
fn bodies_become_what_they_say() {
    let says = Event::Text(words("hi")).encode();
    let entry = signed(EntryKind::Message, &says, KEY_SOURCE_PLAIN);
    assert_eq!(read(&entry), text("hi"));
    assert_eq!(read(&entry.redacted()), Content::Redacted);
    assert_eq!(
        read(&signed(EntryKind::Message, &says, 1)),
        Content::Unknown,
        "sealed with a key we know nothing of"
    );
    assert_eq!(read(&signed(EntryKind::Message, &[1, 0xff], KEY_SOURCE_PLAIN)), Content::Unknown);
    assert_eq!(read(&signed(EntryKind::Message, &[], KEY_SOURCE_PLAIN)), Content::Unknown);
    assert_eq!(read(&signed(EntryKind::Message, &[200], KEY_SOURCE_PLAIN)), Content::Unknown);
    assert_eq!(read(&signed(EntryKind::Unknown(99), &[], KEY_SOURCE_PLAIN)), Content::Unknown);
    let verified = Verified::read(Seq(2), &entry, false);
    assert_eq!((verified.digest, verified.at, verified.txn), (entry.digest(), 6, TxnId([5; 16])));
    assert_eq!(Verified::invalid(Seq(2), &entry).content, Content::Invalid);
}

#[test]
fn a_redaction_says_whether_it_takes_an_edit_away() {
    let kind = EntryKind::Redaction { target: Seq(9), digest: Hash([9; 32]) };
    for edit_of in [None, Some(id(BOB, 1))] {
        let entry = signed(kind.clone(), &Redaction::body(edit_of), KEY_SOURCE_PLAIN);
        let expected = Redaction { target: Seq(9), digest: Hash([9; 32]), moderates: false, edit_of };
        assert_eq!(read(&entry), Content::Redaction(expected));
    }
}

#[test]
fn control_entries_read_like_sentences() {
    let name = |who: &AccountId| if *who == BOB { "Bob".to_owned() } else { "Carol".to_owned() };
    let sentences = |ops: Vec<ControlOp>| -> Vec<String> {
        let changes = Change::all(&ALICE, &ops);
        changes.iter().map(|change| change.sentence("Alice", name)).collect()
    };
    let genesis = group_ops(ALICE, [0; 16], [BOB, CAROL]);
    assert_eq!(sentences(genesis), ["Alice created the group", "Alice added Bob", "Alice added Carol"]);
    let ops = vec![ControlOp::Remove(BOB), ControlOp::SetRole(CAROL, Role::Admin), ControlOp::Remove(ALICE)];
    assert_eq!(sentences(ops), ["Alice removed Bob", "Alice made Carol an admin", "Alice left"]);
    let json = serde_json::to_value(Change::Created { room: RoomKind::Group }).unwrap();
    assert_eq!(json, serde_json::json!({"change": "created", "room": "group"}));
}

#[test]
fn a_register_that_is_not_what_its_name_promises_is_passed_over() {
    let keys = DeviceKeys::from_seeds(&[1; 32], &[2; 32]);
    let sign = |setting: &Setting, named: &Setting, scope: Scope| {
        let header = RegisterHeader {
            key_source: KEY_SOURCE_PLAIN,
            scope,
            room: ROOM,
            account: ALICE,
            device: keys.id(),
            chain_len: 1,
            control_head: Hash([3; 32]),
            replaces: Rev(0),
            key: named.key(),
            at: 6,
        };
        Register::sign(&header, &setting.encode(), &keys)
    };
    let choose =
        |emoji: &str| Setting::Reaction(Reaction { target: id(BOB, 1), emoji: emoji.to_owned(), on: true });
    let (plus, minus) = (choose("+"), choose("-"));
    let value = RegisterValue::read(&sign(&plus, &plus, Scope::Account), Rev(4));
    assert_eq!(value, Some(RegisterValue { account: ALICE, rev: Rev(4), setting: plus.clone() }));
    assert_eq!(RegisterValue::read(&sign(&plus, &minus, Scope::Account), Rev(4)), None);
    assert_eq!(RegisterValue::read(&sign(&plus, &plus, Scope::Room), Rev(4)), None);
    for emoji in ["", "two words", "line\nbreak", &"x".repeat(65)] {
        let long = choose(emoji);
        assert_eq!(RegisterValue::read(&sign(&long, &long, Scope::Account), Rev(4)), None, "{emoji:?}");
    }
    let elsewhere = Setting::Receipt(ReadUpTo { room: RoomId([8; 16]), seq: Seq(1) });
    assert_eq!(RegisterValue::read(&sign(&elsewhere, &elsewhere, Scope::Account), Rev(4)), None);
}
