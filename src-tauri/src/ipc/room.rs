use super::{AccountId, Change, LineKind, LineState, Millis, Person, ProfileId, RoomId, Seq};
use serde::{Deserialize, Serialize};
use specta::Type;

/// A room as it stands in the list. Sorted by `pinned`, then `activeAt`, the newest first.
#[expect(clippy::struct_excessive_bools, reason = "facts that a list shows side by side")]
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct RoomItem {
    /// The profile that it belongs to.
    pub profile: ProfileId,
    /// Its id.
    pub id: RoomId,
    /// What kind of room it is. The title of an own room is the UI's to say.
    pub kind: RoomKind,
    /// The name to show, without characters that hide or turn around.
    pub title: String,
    /// The topic, if one was set.
    pub topic: String,
    /// In a direct chat, the other one.
    pub partner: Option<Person>,
    /// How many people are in it.
    pub members: u32,
    /// What this account may do; `null` if it is no member any more.
    pub role: Option<Role>,
    /// Whether this account may write here.
    pub writable: bool,
    /// The room can be read only until Kith is updated.
    pub needs_update: bool,
    /// Texts by others that were not read on any device.
    pub unread: u32,
    /// Those of them that mention this account.
    pub mentions: u32,
    /// The newest entry that was read; 0: none.
    pub read_up_to: Seq,
    /// The newest entry on this device; 0: none.
    pub newest: Seq,
    /// Whether this device holds everything that the relay has.
    pub complete: bool,
    /// What was said last.
    pub last: Option<LastLine>,
    /// When that was; 0 if nothing was said yet.
    pub active_at: Millis,
    /// Not yet sent; empty: no draft.
    pub draft: String,
    /// Whether it is silent.
    pub mute: Mute,
    /// Whether mentions break the silence.
    pub mentions_anyway: bool,
    /// At the top of the list.
    pub pinned: bool,
}

/// What was said last in a room.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct LastLine {
    /// Who said it.
    pub sender: AccountId,
    /// Their name as it is shown.
    pub sender_shown: String,
    /// Whether that is this account.
    pub own: bool,
    /// What kind of line it is.
    pub kind: LineKind,
    /// One plain line of it, without markup.
    pub preview: String,
    /// What a control entry changed.
    pub changes: Vec<Change>,
    /// Whether it was taken away.
    pub redacted: bool,
    /// Where it is on its way.
    pub state: LineState,
    /// When.
    pub at: Millis,
}

/// What kind of room it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Type)]
#[serde(rename_all = "camelCase")]
pub enum RoomKind {
    /// A group.
    Group,
    /// A chat of two.
    Direct,
    /// The account's own: notes to self.
    Own,
}

/// What a member may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub enum Role {
    /// Write.
    Member,
    /// Also add, remove and name.
    Admin,
    /// Also give roles.
    Owner,
}

/// Whether a room is silent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(tag = "kind", rename_all = "camelCase")]
pub enum Mute {
    /// It is not.
    Off,
    /// For a time.
    Until {
        /// Its end.
        at: Millis,
    },
    /// Until the person ends it.
    Forever,
}

/// A member of a room.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct Member {
    /// Who.
    pub person: Person,
    /// What they may do.
    pub role: Role,
    /// How far they have read, as they let the others know; 0: nothing.
    pub read_up_to: Seq,
    /// Whether that is this account.
    pub own: bool,
}

/// What was checked of a room, and how far it holds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct RoomProof {
    /// Everything up to here is on this device, without a gap.
    pub seq: Seq,
    /// The rolling hash there: whoever holds the same has the same messages in the same order.
    pub hash: String,
    /// Where the relay said it stands.
    pub relay_seq: Seq,
    /// Whether that is all that the relay has, with the same hash.
    pub complete: bool,
    /// Entries that do not count.
    pub invalid: u32,
    /// Whether what is on disk gives the hash that was noted.
    pub sound: bool,
}
