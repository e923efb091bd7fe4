use super::{AccountId, LineId, Millis, ProfileId, RoomId, Seq};
use serde::Serialize;
use specta::Type;

/// What was found in what is stored on this device.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct Found {
    /// The newest first.
    pub hits: Vec<Hit>,
    /// Whether there is more: ask again with the oldest hit's `at` as `before`.
    pub more: bool,
    /// How far back the search reaches.
    pub reach: Reach,
}

/// One message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct Hit {
    /// The profile.
    pub profile: ProfileId,
    /// The room.
    pub room: RoomId,
    /// The line.
    pub id: LineId,
    /// Its place.
    pub seq: Seq,
    /// Who wrote it.
    pub sender: AccountId,
    /// Their name as it is shown.
    pub sender_shown: String,
    /// When.
    pub at: Millis,
    /// Plain text before what was found.
    pub before: String,
    /// What was found.
    pub found: String,
    /// Plain text behind it.
    pub after: String,
}

/// How far back a search reaches.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct Reach {
    /// The oldest message that was looked at; `null`: none.
    pub oldest_at: Option<Millis>,
    /// How many messages were looked at.
    pub messages: u32,
    /// Whether all that the relay has of these rooms is on this device.
    pub complete: bool,
}
