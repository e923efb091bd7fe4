//! What crosses the WebSocket: one binary message holds one frame, `type u8 | MessagePack map with named fields`.
//!
//! Fields that a reader does not know are passed over, and a type that it does not know becomes `Unknown`: so peers one
//! version apart understand each other. Requests carry a number `req` that the answer repeats.
//!
//! ```
//! use kith_protocol::frame::{ClientFrame, Presence};
//!
//! let bytes = ClientFrame::Presence(Presence { away: true }).encode();
//! assert_eq!(&bytes[..], b"\x29\x81\xa4away\xc3");
//! assert_eq!(ClientFrame::decode(&bytes)?, ClientFrame::Presence(Presence { away: true }));
//! # Ok::<(), kith_protocol::frame::FrameError>(())
//! ```

use crate::error::ErrorCode;
use crate::ids::{AccountId, DeviceId, Hash, Incarnation, Rev, RoomId, Seq, SlotId, TxnId};
use crate::list;
use bytes::Bytes;
use serde::{Deserialize, Serialize};

/// Why a message is no frame.
#[derive(Debug, thiserror::Error)]
pub enum FrameError {
    /// There is not even a type.
    #[error("the frame is empty")]
    Empty,
    /// The map is not what its type asks for.
    #[error("the frame of type {0} cannot be read")]
    Malformed(u8),
}

macro_rules! frames {
    ($(#[$doc:meta])* $name:ident { $($(#[$vdoc:meta])* $variant:ident($payload:ty) = $code:literal,)* }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq)]
        pub enum $name {
            $($(#[$vdoc])* $variant($payload),)*
            /// A type that this version does not know: pass it over.
            Unknown(u8),
        }

        impl $name {
            /// The bytes of one WebSocket message.
            pub fn encode(&self) -> Bytes {
                match self {
                    $(Self::$variant(payload) => encode($code, payload),)*
                    Self::Unknown(code) => Bytes::copy_from_slice(&[*code]),
                }
            }

            /// Reads one WebSocket message.
            pub fn decode(bytes: &[u8]) -> Result<Self, FrameError> {
                let (&code, payload) = bytes.split_first().ok_or(FrameError::Empty)?;
                match code {
                    $($code => decode(code, payload).map(Self::$variant),)*
                    other => Ok(Self::Unknown(other)),
                }
            }
        }
    };
}

impl ClientFrame {
    /// Whether a message asks for something to be stored: those are counted more strictly than others.
    pub fn stores(bytes: &[u8]) -> bool {
        matches!(bytes.first(), Some(10..=14))
    }
}

pub(crate) fn encode(code: u8, payload: &impl Serialize) -> Bytes {
    let mut out = Vec::with_capacity(128);
    out.push(code);
    let mut serializer = rmp_serde::Serializer::new(&mut out).with_struct_map();
    payload.serialize(&mut serializer).expect("a frame holds nothing that MessagePack cannot");
    out.into()
}

pub(crate) fn decode<'a, T: Deserialize<'a>>(code: u8, payload: &'a [u8]) -> Result<T, FrameError> {
    rmp_serde::from_slice(payload).map_err(|_| FrameError::Malformed(code))
}

frames!(
    /// From a client to its relay.
    ClientFrame {
        /// Who this is: the answer to the hello of a device that the relay knows.
        Identify(Identify) = 1,
        /// A new account, by invite.
        Join(Join) = 2,
        /// Writes once into a rendezvous slot. Before identification too.
        PutSlot(PutSlot) = 3,
        /// Reads a rendezvous slot. Before identification too.
        GetSlot(GetSlot) = 4,
        /// An entry for a timeline: a message or a redaction.
        Send(Send) = 10,
        /// A control entry; a genesis makes its room.
        AppendControl(Append) = 11,
        /// An entry for the account's own chain.
        AppendChain(Append) = 12,
        /// A value for a register.
        SetRegister(Append) = 13,
        /// Entries that the relay lost when it was restored from a copy.
        Republish(Republish) = 14,
        /// Asks for a stretch of a timeline.
        Fetch(Fetch) = 20,
        /// Asks for control entries.
        FetchControl(FetchControl) = 21,
        /// Asks for a chain.
        FetchChain(FetchChain) = 22,
        /// Asks for registers.
        FetchRegisters(FetchRegisters) = 23,
        /// Asks for all heads once more.
        FetchHeads(Request) = 24,
        /// Asks who somebody is.
        Lookup(Lookup) = 30,
        /// Changes one's own handle or display name.
        SetProfile(SetProfile) = 31,
        /// Makes an invite.
        CreateInvite(CreateInvite) = 32,
        /// Asks for the open invites that this account made.
        ListInvites(Request) = 33,
        /// Takes an invite back.
        RevokeInvite(RevokeInvite) = 34,
        /// Is writing, right now. Never stored.
        Typing(Typing) = 40,
        /// Is at the keyboard, or not. Never stored.
        Presence(Presence) = 41,
    }
);

frames!(
    /// From a relay to a client.
    ServerFrame {
        /// First on every connection.
        Hello(Hello) = 1,
        /// The device is known and may speak.
        Welcome(Welcome) = 2,
        /// What a slot holds.
        Slot(Slot) = 3,
        /// Where rooms stand: all of them after a welcome, single ones when pushes were dropped or a room is new.
        Heads(Heads) = 10,
        /// Pushed: new entries of one timeline, one after the other.
        Entries(Entries) = 11,
        /// Stored on disk, all of these.
        Acks(Acks) = 12,
        /// An entry was not stored.
        Rejected(Rejected) = 13,
        /// Pushed or asked for: registers, in rising Rev.
        Registers(Registers) = 14,
        /// A stretch of a timeline, asked for.
        Page(Page) = 20,
        /// Control entries, asked for.
        Control(Control) = 21,
        /// A chain, asked for.
        Chain(Chain) = 22,
        /// A control or chain entry was stored.
        Appended(Appended) = 23,
        /// A register was stored.
        RegisterSet(RegisterSet) = 24,
        /// A newer value stands in the register.
        RegisterConflict(RegisterConflict) = 25,
        /// People, asked for.
        Accounts(Accounts) = 30,
        /// Invites: the new one, or the open ones.
        Invites(Invites) = 32,
        /// Done; there is nothing more to say.
        Done(Request) = 33,
        /// A request was refused.
        Refused(Refused) = 34,
        /// A chain grew: fetch it.
        ChainGrew(ChainGrew) = 35,
        /// Somebody is writing.
        Typing(Typing) = 40,
        /// Who is there, and who no longer is.
        Presences(Presences) = 41,
        /// The relay is about to close; come back then.
        Restarting(Restarting) = 50,
    }
);

/// The answer to [`Hello`] of a device that the relay knows.
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

/// A new account, by invite. The relay answers with [`Welcome`] or [`Refused`].
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

/// An entry for a timeline. Answered by [`Acks`] or [`Rejected`].
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
    /// How long its chain is.
    pub chain_len: u32,
}

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

/// The relay is about to close.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Restarting {
    /// When to come back, in milliseconds. Add some jitter.
    pub reconnect_in_ms: u64,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_type_of_a_newer_version_is_passed_over() {
        assert_eq!(ClientFrame::decode(&[250, 1, 2, 3]).unwrap(), ClientFrame::Unknown(250));
        assert_eq!(&ServerFrame::Unknown(250).encode()[..], [250]);
    }

    #[test]
    fn a_field_of_a_newer_version_is_passed_over() {
        let bytes = b"\x29\x82\xa4away\xc3\xa4mood\x93\x01\xc0\xa3sad";
        assert_eq!(ClientFrame::decode(bytes).unwrap(), ClientFrame::Presence(Presence { away: true }));
    }

    #[test]
    fn what_is_no_frame_says_so() {
        assert!(matches!(ClientFrame::decode(&[]), Err(FrameError::Empty)));
        assert!(matches!(ClientFrame::decode(&[41]), Err(FrameError::Malformed(41))));
        assert!(matches!(ClientFrame::decode(b"\x29\x80"), Err(FrameError::Malformed(41))));
        assert!(matches!(ClientFrame::decode(b"\x29\x81\xa4away\x07"), Err(FrameError::Malformed(41))));
    }
}
