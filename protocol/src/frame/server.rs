//! What a relay says: the payloads of [`ServerFrame`](super::ServerFrame).

use crate::error::ErrorCode;
use crate::ids::{AccountId, DeviceId, Hash, Incarnation, Rev, RoomId, Seq, TxnId};
use bytes::Bytes;
use serde::{Deserialize, Serialize};

/// First on every connection.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hello {
    /// The newest version that the relay speaks.
    pub version: u16,
    /// The identity of its logs.
    pub incarnation: Incarnation,
    /// To be signed; 32 bytes.
    pub nonce: Bytes,
    /// The relay's clock, milliseconds since 1970.
    pub now: u64,
}

/// The device is known and may speak. [`Heads`] of all rooms follow.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Welcome {
    /// The version that both speak from now on.
    pub version: u16,
    /// The account.
    pub account: AccountId,
    /// The device.
    pub device: DeviceId,
    /// Its handle, without `@`.
    pub handle: String,
    /// Its display name.
    pub name: String,
    /// Whether the account administers the relay.
    pub admin: bool,
    /// Whether the account is told of messages somewhere while no device is connected: then the relay wants to know which
    /// rooms are silent.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub pushes: bool,
    /// How long its chain is.
    pub chain_len: u32,
    /// The types of the frames that the relay reads. The first relays did not say it: see [`Welcome::reads`].
    #[serde(default, skip_serializing_if = "Bytes::is_empty")]
    pub reads: Bytes,
}

impl Welcome {
    /// Whether the relay reads frames of this type. One that does not passes them over without a word.
    pub fn reads(&self, code: u8) -> bool {
        if self.reads.is_empty() { !SAID_BY_ALL_WHO_READ.contains(&code) } else { self.reads.contains(&code) }
    }
}

/// Pushes and administration.
const SAID_BY_ALL_WHO_READ: [u8; 6] = [35, 36, 37, 38, 39, 42];

/// What a slot holds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Slot {
    /// The request.
    pub req: u32,
    /// What was written there.
    pub data: Bytes,
}

/// Where a room stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Head {
    /// The room.
    pub room: RoomId,
    /// The newest Seq that the account may read; 0 if there is none.
    pub seq: Seq,
    /// The rolling hash at that place.
    pub hash: Hash,
    /// The newest Rev of its registers.
    pub rev: Rev,
    /// How many control entries it has, as far as the account may read.
    pub control_len: u32,
    /// The newest redaction's Seq; entries behind it may have lost their bodies since they were read.
    #[serde(default)]
    pub redacted: Seq,
}

/// Where rooms stand.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Heads {
    /// The rooms.
    pub heads: Vec<Head>,
    /// Whether, after a welcome or a request, these are the last.
    pub done: bool,
}

/// New entries of one timeline.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entries {
    /// The room.
    pub room: RoomId,
    /// The Seq of the first of them; the others follow without a gap.
    pub first: Seq,
    /// The signed entries.
    pub entries: Vec<Bytes>,
}

/// An entry is on disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ack {
    /// The room.
    pub room: RoomId,
    /// The entry.
    pub txn: TxnId,
    /// Its place, the same for every retry.
    pub seq: Seq,
}

/// Entries that are on disk.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Acks {
    /// In the order in which they were stored.
    pub acks: Vec<Ack>,
}

/// An entry was not stored.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rejected {
    /// The room; zero if the entry could not be read.
    pub room: RoomId,
    /// The entry; zero if it could not be read.
    pub txn: TxnId,
    /// The run it was sent in.
    pub run: u32,
    /// Why.
    pub code: ErrorCode,
    /// When to try again, in milliseconds; 0: as the client likes.
    pub retry_in_ms: u64,
}

/// A register's value and its place.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Value {
    /// Its place among the room's writes.
    pub rev: Rev,
    /// The signed register.
    pub register: Bytes,
}

/// Registers of one room, in rising Rev.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Registers {
    /// The request; 0 if pushed.
    pub req: u32,
    /// The room.
    pub room: RoomId,
    /// The values.
    pub values: Vec<Value>,
    /// Whether there are more behind the last one.
    pub more: bool,
}

/// A stretch of a timeline.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Page {
    /// The request.
    pub req: u32,
    /// The room.
    pub room: RoomId,
    /// The Seq of the first of them; the others follow without a gap.
    pub first: Seq,
    /// The signed entries.
    pub entries: Vec<Bytes>,
    /// Whether the range asked for holds more than this page.
    pub more: bool,
}

/// Control entries of a room.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Control {
    /// The request.
    pub req: u32,
    /// The room.
    pub room: RoomId,
    /// The entries with their places in the timeline.
    pub entries: Vec<Placed>,
    /// Whether there are more.
    pub more: bool,
}

/// An entry and its place.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Placed {
    /// Its place in the timeline.
    pub seq: Seq,
    /// The signed entry.
    pub entry: Bytes,
}

/// Entries of a chain.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Chain {
    /// The request.
    pub req: u32,
    /// The account.
    pub account: AccountId,
    /// The signed entries, one after the other.
    pub entries: Vec<Bytes>,
    /// Whether there are more.
    pub more: bool,
}

/// A control or chain entry was stored.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Appended {
    /// The request.
    pub req: u32,
    /// Its place in the timeline; 0 for a chain entry.
    pub seq: Seq,
}

/// A register was stored.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RegisterSet {
    /// The request.
    pub req: u32,
    /// Its place.
    pub rev: Rev,
}

/// A newer value stands in the register.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RegisterConflict {
    /// The request.
    pub req: u32,
    /// The value that stands there.
    pub current: Value,
}

/// A person, as the relay knows them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Person {
    /// The account.
    pub account: AccountId,
    /// The handle, without `@`.
    pub handle: String,
    /// The display name.
    pub name: String,
    /// How long the account's chain is.
    pub chain_len: u32,
    /// Whether it is an integration: a program writes, and the relay holds its key.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub integration: bool,
}

/// People that were asked for; who is not among them is not known.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Accounts {
    /// The request.
    pub req: u32,
    /// The people.
    pub accounts: Vec<Person>,
}

/// An invite that can still be used.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Invite {
    /// Its secret.
    pub token: Bytes,
    /// How many more accounts may come with it.
    pub uses: u32,
    /// When it ends, milliseconds since 1970.
    pub expires_at: u64,
    /// The room that newcomers will be led to.
    pub room: Option<RoomId>,
}

/// Invites.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Invites {
    /// The request.
    pub req: u32,
    /// The new one, or all that are open.
    pub invites: Vec<Invite>,
}

/// A request was refused.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refused {
    /// The request.
    pub req: u32,
    /// Why.
    pub code: ErrorCode,
    /// When to try again, in milliseconds; 0: as the client likes.
    pub retry_in_ms: u64,
}

/// A chain grew.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChainGrew {
    /// The account.
    pub account: AccountId,
    /// Its new length.
    pub len: u32,
}

/// What an account wants of pushes, and where it is told.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pushes {
    /// The request.
    pub req: u32,
    /// So long no device has been connected, in seconds.
    pub after_s: u32,
    /// Whether a push says who wrote.
    pub show_sender: bool,
    /// The public key by which Web Push services know the relay, 65 bytes; empty if there is none yet.
    pub vapid_key: Bytes,
    /// The places.
    pub targets: Vec<PushPlace>,
}

/// A place where an account is told, without what is secret of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PushPlace {
    /// Its name; 16 bytes.
    pub id: Bytes,
    /// `ntfy`, `webhook`, `webpush` or `pusher`.
    pub kind: String,
    /// Which host it is on.
    pub host: String,
    /// Milliseconds since 1970.
    pub created_at: u64,
    /// Why the last push did not arrive; `None` if it did.
    #[serde(default)]
    pub failure: Option<String>,
}

/// What became of a new place, or of a test.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PushSaid {
    /// The request.
    pub req: u32,
    /// Why not; `None`: it was taken.
    pub failure: Option<String>,
}

/// Somebody came, went, or stepped away.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PresenceOf {
    /// Who.
    pub account: AccountId,
    /// Connected with some device.
    pub online: bool,
    /// Away from all keyboards.
    pub away: bool,
}

/// Who is there, and who no longer is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Presences {
    /// What changed; after a welcome, all who are there.
    pub people: Vec<PresenceOf>,
}

/// A part of the answer to an admin: what the parts of one request hold is to be put together.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Administered {
    /// The request.
    pub req: u32,
    /// A part of an [`AdminResponse`](crate::admin::AdminResponse).
    pub part: Bytes,
    /// Whether another part follows.
    pub more: bool,
}

/// What an admin has to say to everybody: before the heads, and when it changes.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Announcement {
    /// When it was made, milliseconds since 1970: tells it from others.
    pub at: u64,
    /// What it says; empty: nothing any more.
    pub text: String,
    /// When it ends, milliseconds since 1970; 0: when it is withdrawn.
    pub until: u64,
}

/// The relay is about to close.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Restarting {
    /// When to come back, in milliseconds. Add some jitter.
    pub reconnect_in_ms: u64,
}
