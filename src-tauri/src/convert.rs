//! From the engine's values to those that are drawn.

pub(crate) mod admin;
pub(crate) mod pushes;

use crate::failure;
use crate::ipc::{self, LineId, Millis, ProfileId, TroubleKind};
use crate::markdown;
use crate::names::{self, Names};
use kith_client::timeline::{self, Message, State};
use kith_client::{Connection, DeviceOf, Me, MemberOf, RoomSummary, Trouble, Verified};
use kith_protocol::account::DeviceKind;
use kith_protocol::error::ErrorCode;
use kith_protocol::ids::AccountId;
use kith_protocol::room::{Role, RoomKind};
use std::collections::BTreeSet;

/// Whose eyes things are seen with.
#[derive(Clone, Copy)]
pub(crate) struct Eyes<'a> {
    pub(crate) profile: &'a ProfileId,
    pub(crate) me: AccountId,
    pub(crate) names: &'a Names,
}

impl Eyes<'_> {
    /// A line of a timeline.
    pub(crate) fn line(&self, message: &Message) -> ipc::Line {
        let meant = |handle: &str| {
            let account = self.names.by_handle(handle)?;
            message.mentions.contains(&account).then(|| account.into())
        };
        ipc::Line {
            id: LineId(message.id),
            seq: message.seq.map(Into::into),
            sender: message.sender.into(),
            own: message.sender == self.me,
            at: Millis(message.at),
            kind: line_kind(message.kind),
            text: message.text.clone(),
            body: markdown::parse(&message.text, meant),
            edited: message.edited,
            redacted: message.redacted,
            reply_to: message.reply_to.as_ref().map(|reply| ipc::ReplyTo {
                id: LineId(reply.id),
                seq: reply.seq.filter(|seq| seq.0 > 0).map(Into::into),
                sender: reply.preview.as_ref().map(|preview| preview.sender.into()),
                preview: reply
                    .preview
                    .as_ref()
                    .map(|preview| markdown::preview(&preview.text, PREVIEW_CHARS)),
                redacted: reply.preview.as_ref().is_some_and(|preview| preview.redacted),
            }),
            mentions: message.mentions.iter().map(|account| (*account).into()).collect(),
            mentions_me: message.mentions.contains(&self.me) && message.sender != self.me,
            reactions: message
                .reactions
                .iter()
                .map(|reaction| ipc::Reaction {
                    emoji: names::plain(&reaction.emoji, EMOJI_CHARS),
                    accounts: reaction.accounts.iter().map(|account| (*account).into()).collect(),
                    own: reaction.accounts.contains(&self.me),
                })
                .collect(),
            changes: message.changes.iter().map(change).collect(),
            state: state(message.state),
            pending: message.pending.map(|pending| ipc::Pending {
                redaction: pending.redaction,
                id: LineId(pending.id),
                state: state(pending.state),
            }),
            receipts: message
                .receipts
                .iter()
                .filter(|account| ![self.me, message.sender].contains(account))
                .map(|account| (*account).into())
                .collect(),
        }
    }

    /// Everybody whom lines name.
    pub(crate) fn people_in(&self, messages: &[Message]) -> Vec<ipc::Person> {
        let mut accounts = BTreeSet::new();
        for message in messages {
            named_by(message, &mut accounts);
        }
        accounts.iter().map(|account| self.names.person(account)).collect()
    }

    /// Whether lines name somebody of whom nothing is known.
    pub(crate) fn strangers_in(&self, messages: &[Message]) -> bool {
        let mut accounts = BTreeSet::new();
        for message in messages {
            named_by(message, &mut accounts);
        }
        accounts.iter().any(|account| !self.names.knows(account))
    }

    /// A room of the list.
    pub(crate) fn room(&self, room: &RoomSummary) -> ipc::RoomItem {
        ipc::RoomItem {
            profile: self.profile.clone(),
            id: room.id.into(),
            kind: room_kind(room.kind),
            title: names::plain(&room.title, TITLE_CHARS),
            topic: names::plain(&room.topic, TOPIC_CHARS),
            partner: room.partner.as_ref().map(|partner| self.names.among(partner)),
            members: u32::try_from(room.members).unwrap_or(u32::MAX),
            role: room.role.map(role),
            writable: room.writable,
            needs_update: room.needs_update,
            unread: u32::try_from(room.unread).unwrap_or(u32::MAX),
            mentions: u32::try_from(room.mentions).unwrap_or(u32::MAX),
            read_up_to: room.read_up_to.into(),
            newest: room.newest.into(),
            complete: room.complete,
            last: room.last.as_ref().map(|last| self.last(last)),
            active_at: Millis(room.active_at),
            draft: room.draft.clone(),
            mute: mute(room.muted_until),
            mentions_anyway: room.mentions_anyway,
            pinned: room.pinned,
        }
    }

    fn last(&self, last: &Message) -> ipc::LastLine {
        ipc::LastLine {
            sender: last.sender.into(),
            sender_shown: self.names.person(&last.sender).shown,
            own: last.sender == self.me,
            kind: line_kind(last.kind),
            preview: markdown::preview(&last.text, PREVIEW_CHARS),
            changes: last.changes.iter().map(change).collect(),
            redacted: last.redacted,
            state: state(last.state),
            at: Millis(last.at),
        }
    }

    /// A member of a room.
    pub(crate) fn member(&self, member: &MemberOf) -> ipc::Member {
        ipc::Member {
            person: self.names.among(&member.person),
            role: role(member.role),
            read_up_to: member.read_up_to.into(),
            own: member.person.account == self.me,
        }
    }
}

fn named_by(message: &Message, accounts: &mut BTreeSet<AccountId>) {
    accounts.insert(message.sender);
    accounts.extend(&message.mentions);
    accounts.extend(&message.receipts);
    accounts.extend(message.reactions.iter().flat_map(|reaction| &reaction.accounts));
    accounts.extend(
        message.reply_to.iter().filter_map(|reply| reply.preview.as_ref()).map(|preview| preview.sender),
    );
    for change in &message.changes {
        match change {
            timeline::Change::Added { who }
            | timeline::Change::Removed { who }
            | timeline::Change::Left { who }
            | timeline::Change::RoleChanged { who, .. } => drop(accounts.insert(*who)),
            _ => {}
        }
    }
}

fn line_kind(kind: timeline::Kind) -> ipc::LineKind {
    match kind {
        timeline::Kind::Text => ipc::LineKind::Text,
        timeline::Kind::Control => ipc::LineKind::Control,
        timeline::Kind::Unknown => ipc::LineKind::Unknown,
    }
}

fn state(state: State) -> ipc::LineState {
    match state {
        State::Sending => ipc::LineState::Sending,
        State::Waiting => ipc::LineState::Waiting,
        State::Failed { code } => {
            ipc::LineState::Failed { code: failure::refusal(code), message: code.sentence().to_owned() }
        }
        State::Sent => ipc::LineState::Sent,
    }
}

fn change(change: &timeline::Change) -> ipc::Change {
    use timeline::Change;
    match change {
        Change::Created { room } => ipc::Change::Created { room: room_kind(*room) },
        Change::Added { who } => ipc::Change::Added { who: (*who).into() },
        Change::Removed { who } => ipc::Change::Removed { who: (*who).into() },
        Change::Left { .. } => ipc::Change::Left,
        Change::RoleChanged { who, role: to } => {
            ipc::Change::RoleChanged { who: (*who).into(), role: role(*to) }
        }
        Change::PolicyChanged { post, invite, rename } => {
            ipc::Change::PolicyChanged { post: role(*post), invite: role(*invite), rename: role(*rename) }
        }
        Change::Unknown => ipc::Change::Unknown,
    }
}

fn room_kind(kind: RoomKind) -> ipc::RoomKind {
    match kind {
        RoomKind::Group => ipc::RoomKind::Group,
        RoomKind::Direct => ipc::RoomKind::Direct,
        RoomKind::Own => ipc::RoomKind::Own,
    }
}

fn role(role: Role) -> ipc::Role {
    match role {
        Role::Member => ipc::Role::Member,
        Role::Admin => ipc::Role::Admin,
        Role::Owner => ipc::Role::Owner,
    }
}

/// A role as the engine has it.
pub(crate) fn role_of(role: ipc::Role) -> Role {
    match role {
        ipc::Role::Member => Role::Member,
        ipc::Role::Admin => Role::Admin,
        ipc::Role::Owner => Role::Owner,
    }
}

fn mute(until: u64) -> ipc::Mute {
    match until {
        0 => ipc::Mute::Off,
        u64::MAX => ipc::Mute::Forever,
        at => ipc::Mute::Until { at: Millis(at) },
    }
}

/// Until when a room is silent, as the engine has it.
pub(crate) fn muted_until(mute: ipc::Mute) -> u64 {
    match mute {
        ipc::Mute::Off => 0,
        ipc::Mute::Until { at } => at.0,
        ipc::Mute::Forever => u64::MAX,
    }
}

pub(crate) fn me(me: &Me) -> ipc::Me {
    ipc::Me {
        account: me.person.account.into(),
        handle: me.person.handle.clone(),
        name: names::plain(&me.person.name, TITLE_CHARS),
        device: me.device.into(),
        device_name: me.device_name.clone(),
        relay: me.relay.clone(),
        admin: me.admin,
        text_bytes_max: Some(TEXT_BYTES_MAX),
    }
}

pub(crate) fn device(device: &DeviceOf) -> ipc::Device {
    ipc::Device {
        id: device.id.into(),
        name: names::plain(&device.name, TITLE_CHARS),
        kind: match device.kind {
            DeviceKind::Recovery => ipc::DeviceKind::Recovery,
            DeviceKind::Personal => ipc::DeviceKind::Computer,
        },
        added_at: Millis(device.added_at),
        last_seen: device.last_seen.map(Millis),
        revoked: device.revoked,
        this: device.this,
    }
}

pub(crate) fn connection(connection: &Connection) -> ipc::Connection {
    match connection {
        Connection::Offline { retry_at, why } => {
            ipc::Connection::Offline { retry_at: retry_at.map(Millis), why: why.clone() }
        }
        Connection::Connecting => ipc::Connection::Connecting,
        Connection::Online => ipc::Connection::Online,
        Connection::Stopped(why) => ipc::Connection::Stopped { error: why.into() },
    }
}

pub(crate) fn trouble(trouble: &Trouble) -> ipc::Trouble {
    let (kind, room, handle) = match trouble {
        Trouble::Resync => (TroubleKind::Resync, None, None),
        Trouble::Republished { .. } => (TroubleKind::Republished, None, None),
        Trouble::Integrity { room, .. } => (TroubleKind::Integrity, Some((*room).into()), None),
        Trouble::WrongClock { .. } => (TroubleKind::WrongClock, None, None),
        Trouble::HandleMoved { handle, .. } => (TroubleKind::HandleMoved, None, Some(handle.clone())),
        Trouble::Storage(_) => (TroubleKind::Storage, None, None),
        Trouble::NotStored(ErrorCode::QuotaReached) => (TroubleKind::QuotaReached, None, None),
        Trouble::NotStored(_) => (TroubleKind::RelayFull, None, None),
        Trouble::StoreSetAside(_) => (TroubleKind::StoreSetAside, None, None),
        Trouble::VaultDamaged { .. } => (TroubleKind::VaultDamaged, None, None),
        Trouble::KeyExposed(_) => (TroubleKind::KeyExposed, None, None),
    };
    ipc::Trouble { kind, message: trouble.to_string(), room, handle }
}

pub(crate) fn proof(proof: &Verified) -> ipc::RoomProof {
    ipc::RoomProof {
        seq: proof.seq.into(),
        hash: proof.hash.to_string(),
        relay_seq: proof.relay_seq.into(),
        complete: proof.complete,
        invalid: u32::try_from(proof.invalid).unwrap_or(u32::MAX),
        sound: proof.sound,
    }
}

/// What a relay takes whose operator has changed nothing, 64 KiB, without what stands around a text. The relay does not say
/// what it takes; an operator may set up to [`kith_protocol::limits::BODY_BYTES_MAX`].
const TEXT_BYTES_MAX: u32 = 63 * 1024;
const PREVIEW_CHARS: usize = 160;
const TITLE_CHARS: usize = 120;
const TOPIC_CHARS: usize = 500;
/// The longest emoji of Unicode are sequences of ten code points.
const EMOJI_CHARS: usize = 16;
