use super::Change;
use kith_protocol::error::ErrorCode;
use kith_protocol::event::Target;
use kith_protocol::ids::{AccountId, Seq};
use serde::Serialize;

/// One line of a timeline, as a person sees it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Message {
    /// Its name, the same before and after the relay stored it: device and transaction id.
    #[serde(flatten)]
    pub id: Target,
    /// Its place; `None` while only this device knows it.
    pub seq: Option<Seq>,
    /// Who wrote it.
    pub sender: AccountId,
    /// When, by the author's clock, milliseconds since 1970. A claim, not a fact.
    pub at: u64,
    /// What kind of line it is.
    pub kind: Kind,
    /// What it says now: after its edits, empty if it was taken away.
    pub text: String,
    /// Whether the text is another than at first.
    pub edited: bool,
    /// Whether the text was taken away.
    pub redacted: bool,
    /// What it answers.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reply_to: Option<ReplyTo>,
    /// Who is meant.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub mentions: Vec<AccountId>,
    /// Emoji in the order in which they came first, each with who chose it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub reactions: Vec<Reactions>,
    /// What a control entry changed.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub changes: Vec<Change>,
    /// Where it is on its way.
    pub state: State,
    /// Its newest edit or redaction that the relay has not stored yet.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pending: Option<Pending>,
    /// Who has read up to here, and not further as far as is known; in the order of their ids.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub receipts: Vec<AccountId>,
}

/// What kind of line it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// A person wrote it.
    Text,
    /// Members or rights changed, see [`Message::changes`].
    Control,
    /// A newer version is needed to read it.
    Unknown,
}

/// Where a message is on its way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// On its way to the relay.
    Sending,
    /// Waits for the connection, or for an earlier one.
    Waiting,
    /// Refused for good: the person tries again or discards it.
    Failed {
        /// Why.
        code: ErrorCode,
    },
    /// The relay has stored it.
    Sent,
}

impl State {
    /// Whether it was refused for good.
    pub fn is_failed(self) -> bool {
        matches!(self, Self::Failed { .. })
    }
}

/// A change of a message that the relay has not stored yet. It shows at once, unless it failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Pending {
    /// Whether the message is to be taken away; else it is edited.
    pub redaction: bool,
    /// The name of the change itself, to retry or discard it by.
    pub id: Target,
    /// Where it is on its way.
    pub state: State,
}

/// What a message answers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ReplyTo {
    /// Its name.
    #[serde(flatten)]
    pub id: Target,
    /// Its place if it is loaded, else where its author says it stands: load it from there.
    pub seq: Option<Seq>,
    /// What it says, if it is loaded.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub preview: Option<Preview>,
}

/// The beginning of another message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Preview {
    /// Who wrote it.
    pub sender: AccountId,
    /// At most [`PREVIEW_CHARS_MAX`] characters.
    pub text: String,
    /// Whether it was taken away.
    pub redacted: bool,
}

/// Characters in a [`Preview`]: two lines of a narrow window.
pub const PREVIEW_CHARS_MAX: usize = 160;

/// One emoji under a message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Reactions {
    /// The emoji, as text.
    pub emoji: String,
    /// Who chose it, the first one first.
    pub accounts: Vec<AccountId>,
}
