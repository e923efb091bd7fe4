use super::State;
use kith_protocol::event::{Edit, Target, Text};
use kith_protocol::ids::AccountId;

/// Something written here that the relay has not stored yet, shown at once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Echo {
    /// Its number in the outbox: echoes are shown in the order in which they were written.
    pub order: u64,
    /// Its name: this device, and the transaction id that it is sent with.
    pub id: Target,
    /// This account.
    pub account: AccountId,
    /// When it was written, milliseconds since 1970.
    pub at: u64,
    /// What it says.
    pub content: EchoContent,
    /// Where it is on its way.
    pub state: State,
}

/// What an [`Echo`] says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum EchoContent {
    /// A new message.
    Text(Text),
    /// A new text for an earlier one.
    Edit(Edit),
    /// The end of an earlier one, be it a text or an edit.
    Redaction(Target),
}
