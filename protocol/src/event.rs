//! What bodies hold while they are plain: `type u8 | MessagePack map with named fields`. The relay never reads this.

use crate::frame::{FrameError, decode, encode};
use crate::ids::{AccountId, DeviceId, Hash, RegisterKey, RoomId, Seq, TxnId};
use bytes::Bytes;
use serde::{Deserialize, Serialize};

/// Points at an entry by what is known of it before the relay has stored it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Target {
    /// The device that wrote it.
    pub device: DeviceId,
    /// Its transaction id there.
    pub txn: TxnId,
}

/// The body of a message entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// Something that a person wrote.
    Text(Text),
    /// Takes the place of an earlier text by the same account.
    Edit(Edit),
    /// From a newer version.
    Unknown(u8),
}

/// Something that a person wrote.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Text {
    /// Markdown.
    pub text: String,
    /// What it answers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reply_to: Option<Reply>,
    /// Who is meant.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub mentions: Vec<AccountId>,
    /// Whether all who read it are meant.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub everybody: bool,
}

impl Text {
    /// A text of these words alone.
    pub fn plain(text: impl Into<String>) -> Self {
        Self { text: text.into(), reply_to: None, mentions: Vec::new(), everybody: false }
    }

    /// Whether somebody is meant.
    pub fn means(&self, account: &AccountId) -> bool {
        self.everybody || self.mentions.contains(account)
    }
}

/// What a message answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reply {
    /// The message.
    pub target: Target,
    /// Where it stands, as a hint for whoever has not loaded it; 0 if its author did not know.
    #[serde(default)]
    pub seq: Seq,
}

/// Takes the place of an earlier text.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Edit {
    /// The message that changes.
    pub target: Target,
    /// The new text.
    pub text: String,
    /// Who is meant now.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub mentions: Vec<AccountId>,
}

impl Event {
    /// The bytes of a body.
    pub fn encode(&self) -> Bytes {
        match self {
            Self::Text(text) => encode(1, text),
            Self::Edit(edit) => encode(2, edit),
            Self::Unknown(code) => Bytes::copy_from_slice(&[*code]),
        }
    }

    /// Reads a body.
    pub fn decode(body: &[u8]) -> Result<Self, FrameError> {
        let (&code, payload) = body.split_first().ok_or(FrameError::Empty)?;
        match code {
            1 => decode(code, payload).map(Self::Text),
            2 => decode(code, payload).map(Self::Edit),
            other => Ok(Self::Unknown(other)),
        }
    }
}

/// The body of a register.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Setting {
    /// A reaction to a message, or its end. In the room.
    Reaction(Reaction),
    /// How far a person has read, shown to the others. In the room.
    Receipt(ReadUpTo),
    /// How far a person has read, for their own devices. In their own room.
    ReadMark(ReadUpTo),
    /// Not yet sent. In the person's own room.
    Draft(Draft),
    /// What one person wants of one room. In their own room.
    RoomSettings(RoomSettings),
    /// The room's name. In the room, for all.
    RoomName(Words),
    /// The room's topic. In the room, for all.
    RoomTopic(Words),
    /// A setting of the app, the same on all devices. In the person's own room.
    App(AppSetting),
    /// When a device was here last. In the person's own room.
    LastSeen(LastSeen),
    /// From a newer version.
    Unknown(u8),
}

/// A reaction to a message, or its end.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reaction {
    /// The message.
    pub target: Target,
    /// One emoji, as text.
    pub emoji: String,
    /// Whether it stands, or was taken back.
    pub on: bool,
}

/// How far somebody has read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReadUpTo {
    /// The room.
    pub room: RoomId,
    /// The newest entry read.
    pub seq: Seq,
}

/// Not yet sent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Draft {
    /// The room.
    pub room: RoomId,
    /// Empty: there is no draft.
    pub text: String,
    /// What it will answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reply_to: Option<Reply>,
}

/// What one person wants of one room.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RoomSettings {
    /// The room.
    pub room: RoomId,
    /// Until when it is silent, milliseconds since 1970; 0: it is not, the largest number: for ever.
    #[serde(default)]
    pub muted_until: u64,
    /// Whether mentions break the silence.
    #[serde(default)]
    pub mentions_anyway: bool,
    /// At the top of the list.
    #[serde(default)]
    pub pinned: bool,
}

/// A name or a topic.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Words {
    /// Plain text.
    pub text: String,
}

/// A setting of the app.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AppSetting {
    /// Which one.
    pub name: String,
    /// Its value, as the app writes it.
    pub value: String,
}

/// When a device was here last.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LastSeen {
    /// One of the person's devices.
    pub device: DeviceId,
    /// Milliseconds since 1970, by its clock or, where that is far off, by the relay's.
    pub at: u64,
}

impl Setting {
    /// The bytes of a body.
    pub fn encode(&self) -> Bytes {
        match self {
            Self::Reaction(it) => encode(1, it),
            Self::Receipt(it) => encode(2, it),
            Self::ReadMark(it) => encode(3, it),
            Self::Draft(it) => encode(4, it),
            Self::RoomSettings(it) => encode(5, it),
            Self::RoomName(it) => encode(6, it),
            Self::RoomTopic(it) => encode(7, it),
            Self::App(it) => encode(8, it),
            Self::LastSeen(it) => encode(9, it),
            Self::Unknown(code) => Bytes::copy_from_slice(&[*code]),
        }
    }

    /// Reads a body.
    pub fn decode(body: &[u8]) -> Result<Self, FrameError> {
        let (&code, payload) = body.split_first().ok_or(FrameError::Empty)?;
        match code {
            1 => decode(code, payload).map(Self::Reaction),
            2 => decode(code, payload).map(Self::Receipt),
            3 => decode(code, payload).map(Self::ReadMark),
            4 => decode(code, payload).map(Self::Draft),
            5 => decode(code, payload).map(Self::RoomSettings),
            6 => decode(code, payload).map(Self::RoomName),
            7 => decode(code, payload).map(Self::RoomTopic),
            8 => decode(code, payload).map(Self::App),
            9 => decode(code, payload).map(Self::LastSeen),
            other => Ok(Self::Unknown(other)),
        }
    }

    /// The name of the register that holds it. One that does not fit its content is passed over by readers.
    pub fn key(&self) -> RegisterKey {
        let hash = |parts: &[&[u8]]| {
            let mut all: Vec<&[u8]> = vec![b"kith/1 register key\0"];
            all.extend(parts);
            RegisterKey(Hash::of(&all).0)
        };
        match self {
            Self::Reaction(it) => {
                hash(&[b"reaction\0", &it.target.device.0, &it.target.txn.0, it.emoji.as_bytes()])
            }
            Self::Receipt(_) => hash(&[b"receipt\0"]),
            Self::ReadMark(it) => hash(&[b"read\0", &it.room.0]),
            Self::Draft(it) => hash(&[b"draft\0", &it.room.0]),
            Self::RoomSettings(it) => hash(&[b"room\0", &it.room.0]),
            Self::RoomName(_) => hash(&[b"name\0"]),
            Self::RoomTopic(_) => hash(&[b"topic\0"]),
            Self::App(it) => hash(&[b"app\0", it.name.as_bytes()]),
            Self::LastSeen(it) => hash(&[b"seen\0", &it.device.0]),
            Self::Unknown(code) => hash(&[b"unknown\0", &[*code]]),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn target() -> Target {
        Target { device: DeviceId([1; 16]), txn: TxnId([2; 16]) }
    }

    fn reaction(emoji: &str, on: bool) -> Setting {
        Setting::Reaction(Reaction { target: target(), emoji: emoji.into(), on })
    }

    #[test]
    fn bodies_round_trip_and_types_of_newer_versions_are_passed_over() {
        let edit =
            Event::Edit(Edit { target: target(), text: "b".into(), mentions: vec![AccountId([3; 32])] });
        assert_eq!(Event::decode(&edit.encode()).unwrap(), edit);
        let setting = reaction("\u{1F44D}", true);
        assert_eq!(Setting::decode(&setting.encode()).unwrap(), setting);
        assert_eq!(Event::decode(&[200, 1, 2]).unwrap(), Event::Unknown(200));
        assert_eq!(Setting::decode(&[200]).unwrap(), Setting::Unknown(200));
        assert!(matches!(Event::decode(&[]), Err(FrameError::Empty)));
        assert!(matches!(Event::decode(&[1, 0xc0]), Err(FrameError::Malformed(1))));
    }

    #[test]
    fn a_taken_back_reaction_takes_the_place_of_the_reaction() {
        assert_eq!(reaction("+", true).key(), reaction("+", false).key());
        assert_ne!(reaction("+", true).key(), reaction("-", true).key());
    }

    #[test]
    fn registers_of_different_things_have_different_names() {
        let (room, other) = (RoomId([1; 16]), RoomId([2; 16]));
        let words = || Words { text: "x".into() };
        let app = |name: &str| Setting::App(AppSetting { name: name.into(), value: String::new() });
        let draft = |room| Setting::Draft(Draft { room, text: String::new(), reply_to: None });
        let settings = [
            reaction("+", true),
            Setting::Receipt(ReadUpTo { room, seq: Seq(1) }),
            Setting::ReadMark(ReadUpTo { room, seq: Seq(1) }),
            Setting::ReadMark(ReadUpTo { room: other, seq: Seq(1) }),
            draft(room),
            draft(other),
            Setting::RoomSettings(RoomSettings {
                room,
                muted_until: 0,
                mentions_anyway: false,
                pinned: false,
            }),
            Setting::RoomName(words()),
            Setting::RoomTopic(words()),
            app("theme"),
            app("language"),
            Setting::Unknown(200),
        ];
        let names: std::collections::BTreeSet<RegisterKey> = settings.iter().map(Setting::key).collect();
        assert_eq!(names.len(), settings.len());
    }
}
