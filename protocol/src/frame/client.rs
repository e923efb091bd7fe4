//! What a client says: the payloads of [`ClientFrame`](super::ClientFrame).

use crate::ids::{AccountId, DeviceId, Rev, RoomId, Seq, SlotId};
use crate::list;
use bytes::Bytes;
use serde::{Deserialize, Serialize};

/// The answer to [`Hello`](super::Hello) of a device that the relay knows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Identify {
    /// The newest version that the client speaks.
    pub version: u16,
    /// The account.
    pub account: AccountId,
    /// Its device.
    pub device: DeviceId,
    /// The challenge, signed by the device's key for logins; 64 bytes.
    pub answer: Bytes,
}

/// A new account, by invite. The relay answers with [`Welcome`](super::Welcome) or [`Refused`](super::Refused).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Join {
    /// The newest version that the client speaks.
    pub version: u16,
    /// Numbers the refusal.
    pub req: u32,
    /// From the invite.
    pub token: Bytes,
    /// The handle wanted, without `@`.
    pub handle: String,
    /// The display name.
    pub name: String,
    /// The account's first chain entry.
    pub genesis: Bytes,
    /// The genesis of the account's own room.
    pub own_room: Bytes,
    /// The challenge, signed by the first device's key for logins; 64 bytes.
    pub answer: Bytes,
}

/// Writes once into a part of a rendezvous slot.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PutSlot {
    /// Numbers the answer.
    pub req: u32,
    /// Derived from the link code.
    pub slot: SlotId,
    /// 0 offer, 1 answer, 2 outcome.
    pub part: u8,
    /// At most [`crate::limits::SLOT_BYTES_MAX`].
    pub data: Bytes,
}

/// Reads a part of a rendezvous slot; `NotFound` while it is empty.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct GetSlot {
    /// Numbers the answer.
    pub req: u32,
    /// Derived from the link code.
    pub slot: SlotId,
    /// 0 offer, 1 answer, 2 outcome.
    pub part: u8,
}

/// An entry for a timeline. Answered by [`Acks`](super::Acks) or [`Rejected`](super::Rejected).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Send {
    /// Raised by the client after each rejection: what was sent behind a rejected entry is rejected too, so that nothing
    /// overtakes it.
    pub run: u32,
    /// The signed entry.
    pub entry: Bytes,
}

/// Something signed to be appended or set.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Append {
    /// Numbers the answer.
    pub req: u32,
    /// The signed bytes.
    pub entry: Bytes,
}

/// Entries as they once stood in a timeline, offered again verbatim to a relay that lost them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Republish {
    /// Numbers the answer.
    pub req: u32,
    /// The room, for all of them.
    pub room: RoomId,
    /// In the order in which they stood.
    #[serde(deserialize_with = "list::bounded")]
    pub entries: Vec<Bytes>,
}

/// Asks for entries with `after < seq < before`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fetch {
    /// Numbers the answer.
    pub req: u32,
    /// The room.
    pub room: RoomId,
    /// Exclusive; 0 for the beginning.
    pub after: Seq,
    /// Exclusive; the largest number for the end.
    pub before: Seq,
    /// Whether the page holds the newest of them, or the oldest. Either way it is in rising order.
    pub newest: bool,
    /// At most this many.
    pub limit: u32,
}

/// Asks for a room's control entries from this index on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FetchControl {
    /// Numbers the answer.
    pub req: u32,
    /// The room.
    pub room: RoomId,
    /// The first index wanted.
    pub from: u32,
}

/// Asks for an account's chain from this index on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FetchChain {
    /// Numbers the answer.
    pub req: u32,
    /// The account.
    pub account: AccountId,
    /// The first index wanted.
    pub from: u32,
}

/// Asks for a room's registers with a higher Rev than this.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FetchRegisters {
    /// Numbers the answer.
    pub req: u32,
    /// The room.
    pub room: RoomId,
    /// Exclusive; 0 for all.
    pub after: Rev,
}

/// A request or an answer that has nothing to say but its number.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Request {
    /// Numbers the answer.
    pub req: u32,
}

/// Asks for people by handle, by id, or by the beginning of handle or name.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Lookup {
    /// Numbers the answer.
    pub req: u32,
    /// Handles without `@`.
    #[serde(deserialize_with = "list::bounded")]
    pub handles: Vec<String>,
    /// Ids.
    #[serde(deserialize_with = "list::bounded")]
    pub accounts: Vec<AccountId>,
    /// The beginning of a handle or a name; at least one character.
    pub prefix: Option<String>,
}

/// Changes one's own profile; what is `None` stays.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SetProfile {
    /// Numbers the answer.
    pub req: u32,
    /// The display name.
    pub name: Option<String>,
    /// The handle, without `@`.
    pub handle: Option<String>,
}

/// Makes an invite.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CreateInvite {
    /// Numbers the answer.
    pub req: u32,
    /// How many accounts may come with it.
    pub uses: u32,
    /// For how long, in seconds.
    pub expires_in_s: u64,
    /// The room that newcomers will be led to.
    pub room: Option<RoomId>,
}

/// Takes an invite back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RevokeInvite {
    /// Numbers the answer.
    pub req: u32,
    /// Its token.
    pub token: Bytes,
}

/// Changes what a person wants of pushes; what is `None` stays.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SetPush {
    /// Numbers the answer.
    pub req: u32,
    /// So long no device has been connected, in seconds.
    #[serde(default)]
    pub after_s: Option<u32>,
    /// Whether a push says who wrote.
    #[serde(default)]
    pub show_sender: Option<bool>,
    /// The rooms that are silent: all of them.
    #[serde(default, deserialize_with = "list::perhaps_bounded")]
    pub muted: Option<Vec<MutedRoom>>,
}

/// A room that is silent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct MutedRoom {
    /// The room.
    pub room: RoomId,
    /// Until when, milliseconds since 1970; the largest number: for ever.
    pub until: u64,
}

/// A place where a person is told.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AddPush {
    /// Numbers the answer.
    pub req: u32,
    /// `ntfy`, `webhook`, `webpush` or `pusher`.
    pub kind: String,
    /// Where, and with which keys.
    #[serde(deserialize_with = "list::bounded")]
    pub options: Vec<PushOption>,
}

/// An option of a place.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PushOption {
    /// Its name.
    pub name: String,
    /// Its value, which may be a secret.
    pub value: String,
}

impl std::fmt::Debug for PushOption {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PushOption").field("name", &self.name).finish_non_exhaustive()
    }
}

/// Means one place.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PushOf {
    /// Numbers the answer.
    pub req: u32,
    /// Its name; 16 bytes.
    pub target: Bytes,
}

/// Is writing in a room.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Typing {
    /// The room.
    pub room: RoomId,
    /// Who; what a client says here is passed over.
    #[serde(default)]
    pub account: AccountId,
}

/// Is at the keyboard, or not.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Presence {
    /// Away from the keyboard, though connected.
    pub away: bool,
}

/// An admin of the relay asks. Answered by [`Administered`](super::Administered) or [`Refused`](super::Refused).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Administer {
    /// Numbers the answer.
    pub req: u32,
    /// An [`AdminRequest`](crate::admin::AdminRequest).
    pub ask: Bytes,
}
