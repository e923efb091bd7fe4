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

mod client;
mod server;

pub use client::*;
pub use server::*;

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
            /// The types that this version knows.
            pub const TYPES: &'static [u8] = &[$($code),*];

            /// Its type.
            pub fn code(&self) -> u8 {
                match self {
                    $(Self::$variant(_) => $code,)*
                    Self::Unknown(code) => *code,
                }
            }

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
    /// Whether a message asks for something to be stored, or to be looked for everywhere: those are counted more strictly
    /// than others.
    pub fn is_costly(bytes: &[u8]) -> bool {
        matches!(bytes.first(), Some(10..=14 | 35 | 37..=39 | 42))
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
        /// What a person wants of pushes while none of their devices is connected.
        SetPush(SetPush) = 35,
        /// Asks where this account is told.
        ListPushes(Request) = 36,
        /// One more place where it is told.
        AddPush(AddPush) = 37,
        /// A place less.
        RemovePush(PushOf) = 38,
        /// Sends a push there now, to see whether it arrives.
        TestPush(PushOf) = 39,
        /// Is writing, right now. Never stored.
        Typing(Typing) = 40,
        /// Is at the keyboard, or not. Never stored.
        Presence(Presence) = 41,
        /// An admin of the relay asks.
        Administer(Administer) = 42,
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
        /// Where this account is told while none of its devices is connected.
        Pushes(Pushes) = 36,
        /// What became of a new place, or of a test.
        PushSaid(PushSaid) = 37,
        /// Somebody is writing.
        Typing(Typing) = 40,
        /// Who is there, and who no longer is.
        Presences(Presences) = 41,
        /// A part of the answer to an admin.
        Administered(Administered) = 42,
        /// What an admin has to say to everybody.
        Announcement(Announcement) = 43,
        /// The relay is about to close; come back then.
        Restarting(Restarting) = 50,
    }
);

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
