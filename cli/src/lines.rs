//! The objects that programs read: `cli/README.md` documents each, and the tests here hold it to that.

use data_encoding::{BASE64URL_NOPAD, HEXLOWER};
use kith_client::timeline::{Change, Kind, Message, State};
use kith_client::{DeviceOf, Me, MemberOf, Person, Queued, QueuedKind, RoomSummary, Verified};
use kith_protocol::account::DeviceKind;
use kith_protocol::frame::PushPlace;
use kith_protocol::ids::{AccountId, DeviceId, Hash, RoomId, Seq, TxnId};
use kith_protocol::room::{Role, RoomKind};
use serde::Serialize;

/// A line of `history`, `read` and `tail`.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Line {
    /// `tail` alone: "message" for a new line, "changed" for one that was shown before.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) event: Option<&'static str>,
    pub(crate) room: RoomId,
    pub(crate) room_name: String,
    pub(crate) seq: Option<Seq>,
    pub(crate) sender: String,
    pub(crate) sender_name: String,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub(crate) integration: bool,
    pub(crate) account: AccountId,
    pub(crate) device: DeviceId,
    pub(crate) device_name: Option<String>,
    pub(crate) txn: TxnId,
    pub(crate) kind: Kind,
    pub(crate) text: String,
    pub(crate) at: u64,
    pub(crate) state: &'static str,
    pub(crate) edited: bool,
    pub(crate) redacted: bool,
    pub(crate) reply_to: Option<Reply>,
    pub(crate) mentions: Vec<String>,
    pub(crate) reactions: Vec<Reaction>,
    pub(crate) changes: Vec<Change>,
}

/// What a line answers.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Reply {
    pub(crate) seq: Option<Seq>,
    pub(crate) device: DeviceId,
    pub(crate) txn: TxnId,
}

/// An emoji and who chose it.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Reaction {
    pub(crate) emoji: String,
    pub(crate) who: Vec<String>,
}

impl Line {
    /// `handle` finds handles; `words` are those of a line that nobody wrote.
    pub(crate) fn new(
        room: &RoomSummary,
        message: &Message,
        sender: &Person,
        device_name: Option<String>,
        handle: impl Fn(&AccountId) -> String,
        words: Option<String>,
    ) -> Self {
        let handles = |accounts: &[AccountId]| accounts.iter().map(&handle).collect();
        Self {
            event: None,
            room: room.id,
            room_name: room.title.clone(),
            seq: message.seq,
            sender: handle(&message.sender),
            sender_name: sender.name.clone(),
            integration: sender.integration,
            account: message.sender,
            device: message.id.device,
            device_name,
            txn: message.id.txn,
            kind: message.kind,
            text: words.unwrap_or_else(|| message.text.clone()),
            at: message.at,
            state: state_word(message.state),
            edited: message.edited,
            redacted: message.redacted,
            reply_to: message.reply_to.as_ref().map(|reply| Reply {
                seq: reply.seq,
                device: reply.id.device,
                txn: reply.id.txn,
            }),
            mentions: handles(&message.mentions),
            reactions: message
                .reactions
                .iter()
                .map(|reaction| Reaction { emoji: reaction.emoji.clone(), who: handles(&reaction.accounts) })
                .collect(),
            changes: message.changes.clone(),
        }
    }
}

/// What `send`, `dm`, `edit` and `delete` say.
#[derive(Debug, Serialize)]
pub(crate) struct Sent {
    pub(crate) room: RoomId,
    pub(crate) txn: TxnId,
    pub(crate) seq: Option<Seq>,
    pub(crate) state: &'static str,
}

/// A line of `rooms`, and what `room create` says.
#[derive(Debug, Serialize)]
pub(crate) struct Room {
    room: RoomId,
    kind: &'static str,
    name: String,
    topic: String,
    partner: Option<String>,
    members: usize,
    role: Option<&'static str>,
    writable: bool,
    unread: u64,
    mentions: u64,
    newest: Seq,
    read_up_to: Seq,
    complete: bool,
    active_at: u64,
    draft: String,
    muted_until: u64,
    pinned: bool,
    last_text: Option<String>,
}

impl From<&RoomSummary> for Room {
    fn from(room: &RoomSummary) -> Self {
        Self {
            room: room.id,
            kind: kind_word(room.kind),
            name: room.title.clone(),
            topic: room.topic.clone(),
            partner: room.partner.as_ref().map(|partner| partner.handle.clone()),
            members: room.members,
            role: room.role.map(role_word),
            writable: room.writable,
            unread: room.unread,
            mentions: room.mentions,
            newest: room.newest,
            read_up_to: room.read_up_to,
            complete: room.complete,
            active_at: room.active_at,
            draft: room.draft.clone(),
            muted_until: room.muted_until,
            pinned: room.pinned,
            last_text: room.last.as_ref().map(|line| line.text.clone()),
        }
    }
}

/// A line of `room members` and `people`.
#[derive(Debug, Serialize)]
pub(crate) struct Somebody {
    handle: String,
    name: String,
    account: AccountId,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    integration: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    role: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    read_up_to: Option<Seq>,
}

impl From<&Person> for Somebody {
    fn from(person: &Person) -> Self {
        let Person { account, handle, name, integration } = person.clone();
        Self { handle, name, account, integration, role: None, read_up_to: None }
    }
}

impl From<&MemberOf> for Somebody {
    fn from(member: &MemberOf) -> Self {
        let role = Some(role_word(member.role));
        Self { role, read_up_to: Some(member.read_up_to), ..Self::from(&member.person) }
    }
}

/// A line of `devices`.
#[derive(Debug, Serialize)]
pub(crate) struct Device {
    device: DeviceId,
    name: String,
    kind: &'static str,
    added_at: u64,
    revoked: bool,
    this: bool,
}

impl From<&DeviceOf> for Device {
    fn from(device: &DeviceOf) -> Self {
        Self {
            device: device.id,
            name: device.name.clone(),
            kind: match device.kind {
                DeviceKind::Personal => "personal",
                DeviceKind::Recovery => "recovery",
            },
            added_at: device.added_at,
            revoked: device.revoked,
            this: device.this,
        }
    }
}

/// A line of `outbox`.
#[derive(Debug, Serialize)]
pub(crate) struct Waiting {
    txn: TxnId,
    room: RoomId,
    kind: &'static str,
    text: String,
    at: u64,
    state: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    code: Option<u16>,
}

impl From<&Queued> for Waiting {
    fn from(queued: &Queued) -> Self {
        Self {
            txn: queued.txn,
            room: queued.room,
            kind: match queued.what {
                QueuedKind::Text => "text",
                QueuedKind::Edit => "edit",
                QueuedKind::Redaction => "redaction",
            },
            text: queued.text.clone(),
            at: queued.at,
            state: state_word(queued.state),
            code: match queued.state {
                State::Failed { code } => Some(code.into()),
                _ => None,
            },
        }
    }
}

/// A line of `verify`.
#[derive(Debug, Serialize)]
pub(crate) struct Proof {
    room: RoomId,
    name: String,
    seq: Seq,
    hash: Hash,
    relay_seq: Seq,
    invalid: u64,
    pub(crate) verdict: Verdict,
}

/// What a proof came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Verdict {
    /// Everything is here, and the same as on the relay.
    Complete,
    /// What is here is sound; the relay has more, or was not asked.
    Incomplete,
    /// What is here is not what everybody else has.
    Broken,
}

impl Proof {
    pub(crate) fn new(name: String, verified: &Verified) -> Self {
        let verdict = match (verified.sound, verified.complete) {
            (false, _) => Verdict::Broken,
            (true, true) => Verdict::Complete,
            // As many entries, and yet another hash.
            (true, false) if verified.seq == verified.relay_seq => Verdict::Broken,
            (true, false) => Verdict::Incomplete,
        };
        let Verified { room, seq, hash, relay_seq, invalid, .. } = verified.clone();
        Self { room, name, seq, hash, relay_seq, invalid, verdict }
    }
}

/// What `whoami` and `join` say.
#[derive(Debug, Serialize)]
pub(crate) struct Identity {
    handle: String,
    name: String,
    account: AccountId,
    device: DeviceId,
    device_name: String,
    relay: String,
    admin: bool,
}

impl From<&Me> for Identity {
    fn from(me: &Me) -> Self {
        let Me { person, device, device_name, relay, admin } = me.clone();
        Self {
            handle: person.handle,
            name: person.name,
            account: person.account,
            device,
            device_name,
            relay,
            admin,
        }
    }
}

pub(crate) fn state_word(state: State) -> &'static str {
    match state {
        State::Sending => "sending",
        State::Waiting => "queued",
        State::Failed { .. } => "failed",
        State::Sent => "sent",
    }
}

pub(crate) fn kind_word(kind: RoomKind) -> &'static str {
    match kind {
        RoomKind::Group => "group",
        RoomKind::Direct => "direct",
        RoomKind::Own => "own",
    }
}

pub(crate) fn role_word(role: Role) -> &'static str {
    match role {
        Role::Member => "member",
        Role::Admin => "admin",
        Role::Owner => "owner",
    }
}

/// A place where the person is told of messages.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Place {
    pub(crate) id: String,
    pub(crate) kind: String,
    pub(crate) host: String,
    pub(crate) created_at: u64,
    pub(crate) failure: Option<String>,
}

impl Place {
    pub(crate) fn base64url(bytes: &[u8]) -> String {
        BASE64URL_NOPAD.encode(bytes)
    }
}

impl From<&PushPlace> for Place {
    fn from(place: &PushPlace) -> Self {
        Self {
            id: HEXLOWER.encode(&place.id),
            kind: place.kind.clone(),
            host: place.host.clone(),
            created_at: place.created_at,
            failure: place.failure.clone(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use kith_protocol::event::Target;
    use serde_json::Value;
    use std::collections::BTreeSet;

    const README: &str = include_str!("../README.md");

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
        let failed = Queued {
            state: State::Failed { code: kith_protocol::error::ErrorCode::Denied },
            ..waiting.clone()
        };
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
}
