use super::*;
use kith_protocol::event::Target;
use serde_json::Value;
use std::collections::BTreeSet;

const README: &str = include_str!("../../README.md");

/// The keys of a table in the README, and which of them may be missing.
fn documented(object: &str) -> (BTreeSet<String>, BTreeSet<String>) {
    let (_, section) = README.split_once(&format!("\n### {object}\n")).unwrap();
    let section = section.split("\n### ").next().unwrap();
    let rows = section.lines().filter_map(|row| row.strip_prefix("| `")?.split_once("` | "));
    let (mut all, mut optional) = (BTreeSet::new(), BTreeSet::new());
    for (key, value) in rows {
        all.insert(key.to_owned());
        if value.starts_with("only ") {
            optional.insert(key.to_owned());
        }
    }
    (all, optional)
}

#[track_caller]
fn assert_documented(object: &str, whole: &impl Serialize, least: &impl Serialize) {
    let keys = |value: &Value| value.as_object().unwrap().keys().cloned().collect::<BTreeSet<_>>();
    let (all, optional) = documented(object);
    assert_eq!(keys(&serde_json::to_value(whole).unwrap()), all, "{object}");
    let always: BTreeSet<String> = all.difference(&optional).cloned().collect();
    assert_eq!(keys(&serde_json::to_value(least).unwrap()), always, "{object}");
}

fn message() -> Message {
    let id = Target { device: DeviceId([1; 16]), txn: TxnId([2; 16]) };
    Message {
        id,
        seq: Some(Seq(7)),
        sender: AccountId([3; 32]),
        at: 1_795_398_741_237,
        kind: Kind::Text,
        text: "hello\u{1b}[31m\n".into(),
        edited: true,
        redacted: false,
        reply_to: None,
        mentions: vec![AccountId([3; 32])],
        reactions: vec![kith_client::timeline::Reactions {
            emoji: "👍".into(),
            accounts: vec![AccountId([3; 32])],
        }],
        changes: Vec::new(),
        state: State::Sent,
        pending: None,
        receipts: Vec::new(),
    }
}

fn room() -> RoomSummary {
    crate::names::tests::a_room(0x11, RoomKind::Direct, "Bob", "bob")
}

fn line() -> Line {
    let sender = Person {
        account: AccountId([3; 32]),
        handle: "alice".into(),
        name: "Alice".into(),
        integration: false,
    };
    Line::new(&room(), &message(), &sender, Some("laptop".into()), |_| "alice".into(), None)
}

#[test]
fn the_objects_have_the_keys_of_the_readme() {
    let tailed = Line { event: Some("message"), ..line() };
    assert_documented("Line", &tailed, &line());
    let sent = Sent { room: RoomId([1; 16]), txn: TxnId([2; 16]), seq: None, state: "queued" };
    assert_documented("Sent", &sent, &sent);
    assert_documented("Room", &Room::from(&room()), &Room::from(&room()));

    let person = Person::default();
    let member = MemberOf { person: person.clone(), role: Role::Owner, read_up_to: Seq(1) };
    assert_documented("Somebody", &Somebody::from(&member), &Somebody::from(&person));
    let device = DeviceOf {
        id: DeviceId([1; 16]),
        name: "laptop".into(),
        kind: DeviceKind::Personal,
        added_at: 1,
        last_seen: Some(2),
        revoked: false,
        this: true,
    };
    assert_documented("Device", &Device::from(&device), &Device::from(&device));
    let waiting = Queued {
        txn: TxnId([2; 16]),
        room: RoomId([1; 16]),
        at: 1,
        what: QueuedKind::Text,
        text: "hello".into(),
        state: State::Waiting,
    };
    let failed =
        Queued { state: State::Failed { code: kith_protocol::error::ErrorCode::Denied }, ..waiting.clone() };
    assert_documented("Waiting", &Waiting::from(&failed), &Waiting::from(&waiting));
    let proof = Proof::new("Bob".into(), &verified(true, true));
    assert_documented("Proof", &proof, &proof);
    let me = Me {
        person,
        device: DeviceId([1; 16]),
        device_name: "laptop".into(),
        relay: "wss://chat.example.org".into(),
        admin: true,
    };
    assert_documented("Identity", &Identity::from(&me), &Identity::from(&me));
    let place = PushPlace {
        id: vec![1; 16].into(),
        kind: "ntfy".into(),
        host: "ntfy.example".into(),
        created_at: 1,
        failure: None,
    };
    assert_documented("Place", &Place::from(&place), &Place::from(&place));
}

#[test]
fn a_line_is_one_line_of_json() {
    let text = serde_json::to_string(&line()).unwrap();
    assert_eq!(
        text,
        format!(
            r#"{{"room":"{}","room_name":"Bob","seq":7,"sender":"alice","sender_name":"Alice","account":"{}","device":"{}","device_name":"laptop","txn":"{}","kind":"text","text":"hello\u001b[31m\n","at":1795398741237,"state":"sent","edited":true,"redacted":false,"reply_to":null,"mentions":["alice"],"reactions":[{{"emoji":"👍","who":["alice"]}}],"changes":[]}}"#,
            "11".repeat(16),
            "03".repeat(32),
            "01".repeat(16),
            "02".repeat(16),
        )
    );
}

fn verified(sound: bool, complete: bool) -> Verified {
    Verified {
        room: RoomId([1; 16]),
        seq: Seq(5),
        hash: Hash([4; 32]),
        relay_seq: Seq(5),
        complete,
        invalid: 0,
        sound,
    }
}

#[test]
fn a_proof_that_fails_is_told_from_one_that_is_not_complete() {
    let verdict = |verified| Proof::new(String::new(), &verified).verdict;
    assert_eq!(verdict(verified(true, true)), Verdict::Complete);
    assert_eq!(verdict(verified(false, true)), Verdict::Broken);
    // The same length, and not the same hash.
    assert_eq!(verdict(verified(true, false)), Verdict::Broken);
    assert_eq!(verdict(Verified { relay_seq: Seq(6), ..verified(true, false) }), Verdict::Incomplete);
}
