//! Refusals and close codes: what a relay says when it will not, and what the client does then.

use serde::{Deserialize, Deserializer, Serialize, Serializer};

macro_rules! codes {
    ($(#[$doc:meta])* $name:ident { $($(#[$vdoc:meta])* $variant:ident = $code:literal,)* }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum $name {
            $($(#[$vdoc])* $variant,)*
            /// From a newer version.
            Unknown(u16),
        }

        impl $name {
            /// All that this version knows.
            pub const ALL: &'static [Self] = &[$(Self::$variant),*];
        }

        impl From<u16> for $name {
            fn from(code: u16) -> Self {
                match code {
                    $($code => Self::$variant,)*
                    other => Self::Unknown(other),
                }
            }
        }

        impl From<$name> for u16 {
            fn from(code: $name) -> Self {
                match code {
                    $($name::$variant => $code,)*
                    $name::Unknown(other) => other,
                }
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_u16((*self).into())
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                u16::deserialize(deserializer).map(Self::from)
            }
        }
    };
}

codes!(
    /// Why a request was refused. Below 100: try again later. From 100: this request will never succeed as it is.
    ErrorCode {
        /// The relay's disk is full: it goes on reading and takes writes again when there is room.
        StorageFull = 1,
        /// The relay could not store it just now.
        StorageFailed = 2,
        /// Too much in too short a time; the refusal says when to come back.
        RateLimited = 3,
        /// An earlier entry of the same run was refused, so this one would overtake it.
        Stalled = 4,
        /// The relay is shutting down.
        ShuttingDown = 5,
        /// The account holds as much as it may on this relay: it goes on reading, and writes again when there is room.
        QuotaReached = 6,
        /// The request is not of the form that the protocol asks for.
        Malformed = 100,
        /// A signature is wrong.
        BadSignature = 101,
        /// No right to do that: not a member, a role too low, or not an admin of the relay.
        Denied = 102,
        /// There is no such room, account, invite or slot, or none that you may know of.
        NotFound = 103,
        /// Something newer stands there: read it and decide anew.
        Conflict = 104,
        /// The invite was used up.
        InviteUsed = 105,
        /// The invite or link code has expired.
        Expired = 106,
        /// Somebody else has that handle.
        HandleTaken = 107,
        /// A handle has 1 to 32 of a-z, 0-9, '.', '_' and '-', and begins with a letter or digit.
        BadHandle = 108,
        /// Larger than the relay takes.
        TooLarge = 109,
        /// The room, the account or the relay has as many of these as it may have.
        LimitReached = 110,
        /// The device was revoked.
        Revoked = 111,
        /// The account was disabled by the relay's operator.
        Disabled = 112,
        /// The relay knows no such account or device.
        UnknownDevice = 113,
        /// A newer protocol version is needed for this.
        Unsupported = 114,
        /// The slot holds something already.
        SlotTaken = 115,
    }
);

impl ErrorCode {
    /// Whether the same request may succeed later.
    pub fn is_passing(self) -> bool {
        u16::from(self) < 100
    }

    /// One sentence for a person: what happened, what to do.
    pub fn sentence(self) -> &'static str {
        match self {
            Self::StorageFull => "The relay's disk is full; it will be sent when there is room again.",
            Self::StorageFailed => "The relay could not store it; it will be tried again.",
            Self::QuotaReached => {
                "You have used up your share of the relay's disk: delete some of your messages, or ask the relay's operator for more. What waits is sent when there is room again."
            }
            Self::RateLimited => "That was too much at once; it goes on in a moment.",
            Self::Stalled => "An earlier message has to go first.",
            Self::ShuttingDown => "The relay is restarting; it goes on in a moment.",
            Self::Malformed => {
                "The relay did not understand the request; update Kith on this side or the relay's."
            }
            Self::BadSignature => "A signature was wrong; if it happens again, link this device anew.",
            Self::Denied => {
                "You have no right to do that here; ask an owner of the room or the relay's operator."
            }
            Self::NotFound => "There is no such thing, or none that you can see.",
            Self::Conflict => "Somebody changed it at the same time; look at it and try again.",
            Self::InviteUsed => "This invite was used up; ask for a new one.",
            Self::Expired => "This invite or code has expired; ask for a new one.",
            Self::HandleTaken => "Somebody else has that handle; choose another.",
            Self::BadHandle => {
                "A handle has 1 to 32 of the characters a-z, 0-9, '.', '_' and '-', and begins with a letter or digit."
            }
            Self::TooLarge => "That is larger than the relay takes; send it in parts.",
            Self::LimitReached => {
                "There are as many of these as there may be; remove one, or ask the relay's operator."
            }
            Self::Revoked => {
                "This device was signed out by another device of the account; link it anew to use it."
            }
            Self::Disabled => "The relay's operator has disabled this account; ask them.",
            Self::UnknownDevice => "The relay does not know this device; it may have been set up anew.",
            Self::Unsupported => {
                "The other side speaks another version of the protocol; update the older of the two."
            }
            Self::SlotTaken => "This link code was used already; make a new one.",
            Self::Unknown(_) => {
                "The relay refused for a reason that this version does not know; update Kith."
            }
        }
    }
}

codes!(
    /// Why a connection was closed. 4000 to 4099: come back; from 4100: stop and tell the person.
    CloseCode {
        /// The relay restarts, or sheds load.
        Restarting = 4000,
        /// No hello in time, or no answer to pings.
        TimedOut = 4001,
        /// Too many connections from there, or too many of this account.
        Crowded = 4002,
        /// The connection was too slow to take what it had asked for.
        TooSlow = 4003,
        /// The same device connected again.
        Replaced = 4004,
        /// What came was no frame of the protocol.
        ProtocolError = 4100,
        /// The versions are too far apart.
        VersionMismatch = 4101,
        /// The answer to the challenge is wrong, or the relay does not know the device.
        Unauthorized = 4102,
        /// The device was revoked.
        Revoked = 4103,
        /// The account was disabled.
        Disabled = 4104,
        /// A frame larger than the limit.
        TooLarge = 4105,
    }
);

impl CloseCode {
    /// Whether to come back by oneself.
    pub fn reconnects(self) -> bool {
        u16::from(self) < 4100
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_survive_the_wire_and_unknown_ones_keep_their_number() {
        for code in ErrorCode::ALL {
            assert_eq!(ErrorCode::from(u16::from(*code)), *code);
        }
        for code in CloseCode::ALL {
            assert_eq!(CloseCode::from(u16::from(*code)), *code);
        }
        assert_eq!(ErrorCode::from(999), ErrorCode::Unknown(999));
    }

    #[test]
    fn ranges_say_whether_to_try_again() {
        assert!(ErrorCode::StorageFull.is_passing() && !ErrorCode::Denied.is_passing());
        assert!(CloseCode::Restarting.reconnects() && !CloseCode::Revoked.reconnects());
    }
}
