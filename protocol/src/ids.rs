//! Names of things. Every id is a hash of what it names or is drawn at random by a client; the relay hands out none.

use data_encoding::HEXLOWER_PERMISSIVE as HEX;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use sha2::{Digest, Sha256};
use std::fmt;
use std::str::FromStr;

/// Why a text is not an id.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not {what}: expected {expected} hexadecimal digits")]
pub struct ParseIdError {
    what: &'static str,
    expected: usize,
}

macro_rules! id {
    ($(#[$doc:meta])* $name:ident, $len:literal, $what:literal) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(pub [u8; $len]);

        impl $name {
            /// Length in bytes.
            pub const LEN: usize = $len;
            /// All zero: stands for "none" where the encoding is fixed.
            pub const ZERO: Self = Self([0; $len]);

            /// The bytes.
            pub fn as_bytes(&self) -> &[u8] {
                &self.0
            }

            /// Whether this is the zero value.
            pub fn is_zero(&self) -> bool {
                self == &Self::ZERO
            }
        }

        impl Default for $name {
            fn default() -> Self {
                Self::ZERO
            }
        }

        impl TryFrom<&[u8]> for $name {
            type Error = ParseIdError;
            fn try_from(bytes: &[u8]) -> Result<Self, ParseIdError> {
                bytes.try_into().map(Self).map_err(|_| ParseIdError { what: $what, expected: 2 * $len })
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&HEX.encode(&self.0))
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{}({})", stringify!($name), HEX.encode(&self.0[..4]))
            }
        }

        impl FromStr for $name {
            type Err = ParseIdError;
            fn from_str(text: &str) -> Result<Self, ParseIdError> {
                let bytes = HEX
                    .decode(text.as_bytes())
                    .map_err(|_| ParseIdError { what: $what, expected: 2 * $len })?;
                Self::try_from(bytes.as_slice())
            }
        }

        /// Bytes in binary formats, hexadecimal digits in those that people read.
        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                if serializer.is_human_readable() {
                    serializer.collect_str(self)
                } else {
                    serializer.serialize_bytes(&self.0)
                }
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                struct Visitor;
                impl de::Visitor<'_> for Visitor {
                    type Value = $name;
                    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                        f.write_str($what)
                    }
                    fn visit_str<E: de::Error>(self, text: &str) -> Result<$name, E> {
                        text.parse().map_err(E::custom)
                    }
                    fn visit_bytes<E: de::Error>(self, bytes: &[u8]) -> Result<$name, E> {
                        $name::try_from(bytes).map_err(E::custom)
                    }
                }
                if deserializer.is_human_readable() {
                    deserializer.deserialize_str(Visitor)
                } else {
                    deserializer.deserialize_bytes(Visitor)
                }
            }
        }
    };
}

id!(
    /// A SHA-256 digest.
    Hash, 32, "a hash"
);
id!(
    /// An account: the digest of its chain's genesis entry.
    AccountId, 32, "an account id"
);
id!(
    /// A device: the first half of a labelled digest over its two public keys, see [`crate::keys::DeviceKeys::id`].
    DeviceId, 16, "a device id"
);
id!(
    /// A room. A group's id is the first half of its genesis entry's digest; a direct chat and an account's own room are
    /// named by their members alone, so that all who might create it know its name before it exists.
    RoomId, 16, "a room id"
);
id!(
    /// Chosen by the client, once per thing it wants stored; makes a retry harmless. UUID version 7.
    TxnId, 16, "a transaction id"
);
id!(
    /// The identity of a relay's logs. A restored backup gets a new one.
    Incarnation, 16, "an incarnation"
);
id!(
    /// A register's name within its room: a labelled digest that tells the relay nothing.
    RegisterKey, 32, "a register key"
);
id!(
    /// A rendezvous slot, derived from a link code.
    SlotId, 32, "a slot id"
);

impl Hash {
    /// SHA-256 over the parts, one after the other.
    pub fn of(parts: &[&[u8]]) -> Self {
        let mut sha = Sha256::new();
        for part in parts {
            sha.update(part);
        }
        Self(sha.finalize().into())
    }

    /// The rolling hash of a log after one more entry: `SHA-256(self || digest)`. An empty log's is [`Hash::ZERO`].
    #[must_use]
    pub fn extend(&self, digest: &Hash) -> Self {
        Self::of(&[&self.0, &digest.0])
    }

    fn half(&self) -> [u8; 16] {
        let (half, _) = self.0.split_first_chunk().expect("a hash has 32 bytes");
        *half
    }
}

impl DeviceId {
    pub(crate) fn of(sign: &[u8; 32], auth: &[u8; 32]) -> Self {
        Self(Hash::of(&[b"kith/1 device\0", sign, auth]).half())
    }
}

impl RoomId {
    /// The direct chat of two accounts, in either order.
    pub fn direct(a: &AccountId, b: &AccountId) -> Self {
        let (low, high) = if a <= b { (a, b) } else { (b, a) };
        Self(Hash::of(&[b"kith/1 direct\0", &low.0, &high.0]).half())
    }

    /// The room whose members are just the devices of one account.
    pub fn own(account: &AccountId) -> Self {
        Self(Hash::of(&[b"kith/1 own\0", &account.0]).half())
    }

    /// The group that begins with the entry of this digest.
    pub fn group(genesis: &Hash) -> Self {
        Self(genesis.half())
    }
}

impl TxnId {
    /// A fresh one; `unix_ms` makes ids of one device sort by time.
    pub fn new(unix_ms: u64, random: [u8; 10]) -> Self {
        Self(uuid::Builder::from_unix_timestamp_millis(unix_ms, &random).into_uuid().into_bytes())
    }
}

macro_rules! place {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub u64);

        impl $name {
            /// The place before the first.
            pub const ZERO: Self = Self(0);

            /// The place after this one.
            #[must_use]
            pub fn next(self) -> Self {
                Self(self.0.saturating_add(1))
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{}({})", stringify!($name), self.0)
            }
        }
    };
}

place!(
    /// An entry's place in its room's timeline: dense, the first is 1.
    Seq
);
place!(
    /// A register's place among all writes to its room's registers: rising, not dense for a reader.
    Rev
);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_direct_chat_has_one_name_whoever_opens_it() {
        let (a, b) = (AccountId([1; 32]), AccountId([2; 32]));
        assert_eq!(RoomId::direct(&a, &b), RoomId::direct(&b, &a));
        assert_ne!(RoomId::direct(&a, &b), RoomId::direct(&a, &a));
    }

    #[test]
    fn text_form_round_trips_and_refuses_what_is_short() {
        let id = RoomId([0xab; 16]);
        assert_eq!(id.to_string().parse(), Ok(id));
        assert!("abab".parse::<RoomId>().is_err());
        assert!("zz".repeat(16).parse::<RoomId>().is_err());
    }

    #[test]
    fn txn_ids_of_later_times_sort_later() {
        assert!(TxnId::new(1, [255; 10]) < TxnId::new(2, [0; 10]));
    }
}
