use super::{AccountId, Block, ErrorCode, LineId, Millis, Person, Role, RoomKind, Seq};
use serde::Serialize;
use specta::Type;

/// One line of a timeline. Lines stand in the order of `seq`; those without one stand behind them, in the order they came.
#[expect(clippy::struct_excessive_bools, reason = "facts that a line shows side by side")]
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct Line {
    /// Its name, the same before and after the relay stored it.
    pub id: LineId,
    /// Its place; `null` while only this device knows it.
    pub seq: Option<Seq>,
    /// Who wrote it.
    pub sender: AccountId,
    /// Whether that is this account.
    pub own: bool,
    /// When, by the author's clock.
    pub at: Millis,
    /// What kind of line it is.
    pub kind: LineKind,
    /// What it says now, as it was written; empty if it was taken away.
    pub text: String,
    /// The same, to be drawn.
    pub body: Vec<Block>,
    /// Whether the text is another than at first.
    pub edited: bool,
    /// Whether the text was taken away.
    pub redacted: bool,
    /// What it answers.
    pub reply_to: Option<ReplyTo>,
    /// Who is meant.
    pub mentions: Vec<AccountId>,
    /// Whether this account is among them.
    pub mentions_me: bool,
    /// Emoji in the order in which they came first.
    pub reactions: Vec<Reaction>,
    /// What a control entry changed.
    pub changes: Vec<Change>,
    /// Where it is on its way.
    pub state: LineState,
    /// Its newest edit or redaction that the relay has not stored yet.
    pub pending: Option<Pending>,
    /// Who has read up to here, and not further.
    pub receipts: Vec<AccountId>,
}

/// What kind of line it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Type)]
#[serde(rename_all = "camelCase")]
pub enum LineKind {
    /// A person wrote it.
    Text,
    /// Members or rights changed.
    Control,
    /// A newer version is needed to read it.
    Unknown,
}

/// Where a line is on its way.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Type)]
#[serde(tag = "kind", rename_all = "camelCase")]
pub enum LineState {
    /// On its way to the relay.
    Sending,
    /// Waits for the connection, or for an earlier one.
    Waiting,
    /// Refused for good: `retry` or `discard`.
    Failed {
        /// What kind of refusal it was.
        code: ErrorCode,
        /// The same as an English sentence.
        message: String,
    },
    /// The relay has stored it.
    Sent,
}

/// A change of a line that the relay has not stored yet. It shows already, unless it failed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct Pending {
    /// Whether the line is to be taken away; else it is edited.
    pub redaction: bool,
    /// The name of the change itself, to `retry` or `discard` it by.
    pub id: LineId,
    /// Where it is on its way.
    pub state: LineState,
}

/// What a line answers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct ReplyTo {
    /// Its name.
    pub id: LineId,
    /// Where it stands, if that is known: load it from there with `historyAround`.
    pub seq: Option<Seq>,
    /// Who wrote it, if it is on this device.
    pub sender: Option<AccountId>,
    /// One plain line of it, if it is on this device.
    pub preview: Option<String>,
    /// Whether it was taken away.
    pub redacted: bool,
}

/// One emoji under a line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct Reaction {
    /// The emoji, as text.
    pub emoji: String,
    /// Who chose it, the first one first.
    pub accounts: Vec<AccountId>,
    /// Whether this account is among them.
    pub own: bool,
}

/// One thing that a control entry did; the author of the line did it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Type)]
#[serde(tag = "kind", rename_all = "camelCase")]
pub enum Change {
    /// The room began.
    Created {
        /// What kind of room it is.
        room: RoomKind,
    },
    /// Somebody was added.
    Added {
        /// Who.
        who: AccountId,
    },
    /// Somebody was removed by another member.
    Removed {
        /// Who.
        who: AccountId,
    },
    /// The author left.
    Left,
    /// Somebody has another role.
    RoleChanged {
        /// Who.
        who: AccountId,
        /// Which one.
        role: Role,
    },
    /// Other roles than before may do things.
    PolicyChanged {
        /// Who may write.
        post: Role,
        /// Who may add members.
        invite: Role,
        /// Who may name the room.
        rename: Role,
    },
    /// Something that only a newer version understands.
    Unknown,
}

/// Some lines of a room.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct Page {
    /// From the oldest to the newest.
    pub lines: Vec<Line>,
    /// Everybody whom they name.
    pub people: Vec<Person>,
    /// Nothing comes before them, in the whole room.
    pub at_start: bool,
    /// Nothing comes behind them, as far as this device knows.
    pub at_end: bool,
}
