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
    last_seen: Option<u64>,
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
            last_seen: device.last_seen,
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
mod tests;
