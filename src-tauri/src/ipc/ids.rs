use kith_protocol::event::Target;
use kith_protocol::ids::{self, DeviceId as Device, TxnId};
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use specta::Type;

macro_rules! id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, Type)]
        #[serde(transparent)]
        pub struct $name(#[specta(type = String)] pub ids::$name);

        impl From<ids::$name> for $name {
            fn from(id: ids::$name) -> Self {
                Self(id)
            }
        }
    };
}

id!(
    /// An account, as 64 hexadecimal digits.
    AccountId
);
id!(
    /// A device, as 32 hexadecimal digits.
    DeviceId
);
id!(
    /// A room, as 32 hexadecimal digits.
    RoomId
);

/// An entry's place in its room's timeline; the first is 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, Type)]
#[serde(transparent)]
pub struct Seq(#[specta(type = u32)] pub u64);

impl From<ids::Seq> for Seq {
    fn from(seq: ids::Seq) -> Self {
        Self(seq.0)
    }
}

impl From<Seq> for ids::Seq {
    fn from(seq: Seq) -> Self {
        Self(seq.0)
    }
}

/// Milliseconds since 1970.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, Type)]
#[serde(transparent)]
pub struct Millis(#[specta(type = u32)] pub u64);

/// A profile: one account on one relay, as this computer names it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, Type)]
#[serde(transparent)]
pub struct ProfileId(pub String);

/// The name of a line, the same before and after the relay stored it: device and transaction, joined by a full stop.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Type)]
#[specta(transparent)]
pub struct LineId(#[specta(type = String)] pub Target);

impl LineId {
    /// Reads `device.txn`.
    pub fn parse(text: &str) -> Option<Self> {
        let (device, txn) = text.split_once('.')?;
        let device: Device = device.parse().ok()?;
        let txn: TxnId = txn.parse().ok()?;
        Some(Self(Target { device, txn }))
    }
}

impl std::fmt::Display for LineId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}.{}", self.0.device, self.0.txn)
    }
}

impl Serialize for LineId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for LineId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::parse(&text).ok_or_else(|| D::Error::custom("no name of a line"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_keeps_its_name_across_the_border() {
        let line = LineId(Target { device: Device([1; 16]), txn: TxnId([2; 16]) });
        let text = serde_json::to_string(&line).unwrap();
        assert_eq!(serde_json::from_str::<LineId>(&text).unwrap(), line);
        assert!(serde_json::from_str::<LineId>("\"abc\"").is_err());
    }
}
