//! What the engine shows beside timelines: rooms, people, devices, the outbox. Plain values, ready to be drawn.

use crate::timeline::{Message, State};
use kith_protocol::account::DeviceKind;
use kith_protocol::ids::{AccountId, DeviceId, Hash, RoomId, Seq, TxnId};
use kith_protocol::room::{Role, RoomKind};

/// Milliseconds since 1970.
pub type Millis = u64;

/// A room as it stands in the list. The list is sorted: pinned ones first, then by [`active_at`](Self::active_at).
#[expect(clippy::struct_excessive_bools, reason = "facts that a list shows side by side")]
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RoomSummary {
    /// Its id.
    pub id: RoomId,
    /// What kind of room it is.
    pub kind: RoomKind,
    /// The name to show: of the group, of the partner, or "Notes to self".
    pub title: String,
    /// The topic, if one was set.
    pub topic: String,
    /// In a direct chat, the other one.
    pub partner: Option<Person>,
    /// How many people are in it.
    pub members: usize,
    /// What this account may do; `None` if it is no member any more.
    pub role: Option<Role>,
    /// Whether this account may write here, as far as is known.
    pub writable: bool,
    /// Somebody used what only a newer Kith understands: the room can be read only until Kith is updated.
    pub needs_update: bool,
    /// Texts by others that were not read on any device.
    pub unread: u64,
    /// Those of them that mention this account.
    pub mentions: u64,
    /// The newest entry that this account's devices have read.
    pub read_up_to: Seq,
    /// The newest entry that this device holds; [`Seq::ZERO`] if none.
    pub newest: Seq,
    /// Whether this device holds everything that the relay has.
    pub complete: bool,
    /// What was said last.
    pub last: Option<Message>,
    /// When that was, by its author's clock; 0 if nothing was said yet.
    pub active_at: Millis,
    /// Not yet sent; empty: no draft.
    pub draft: String,
    /// Silent until then; 0: not silent, the largest number: for ever.
    pub muted_until: Millis,
    /// Whether mentions break the silence.
    pub mentions_anyway: bool,
    /// At the top of the list.
    pub pinned: bool,
}

/// A person, as far as is known.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Person {
    /// The account.
    pub account: AccountId,
    /// The handle without `@`; empty if it is not known yet.
    pub handle: String,
    /// The display name; empty if it is not known yet.
    pub name: String,
    /// Whether it is an integration: what it writes comes from a program, through the relay.
    pub integration: bool,
}

impl Person {
    /// Name, else handle, else the beginning of the id; marked if it is an integration, and only then.
    pub fn shown(&self) -> String {
        match (self.name.as_str(), self.handle.as_str()) {
            ("", "") => self.account.to_string()[..8].to_owned(),
            ("", handle) if self.integration => format!("@{handle} {INTEGRATION}"),
            (name, _) if self.integration => format!("{name} {INTEGRATION}"),
            // Nobody else carries the mark: neither do those who have it in their name.
            (name, handle) if name.is_empty() || name.to_lowercase().contains(INTEGRATION) => {
                format!("@{handle}")
            }
            (name, _) => name.to_owned(),
        }
    }
}

/// Stands behind the name of an integration.
const INTEGRATION: &str = "(integration)";

/// A member of a room.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MemberOf {
    /// Who.
    pub person: Person,
    /// What they may do.
    pub role: Role,
    /// How far they have read, as they let the others know.
    pub read_up_to: Seq,
}

/// A device of this account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeviceOf {
    /// Its id.
    pub id: DeviceId,
    /// What it is called.
    pub name: String,
    /// A computer, or the recovery key.
    pub kind: DeviceKind,
    /// When it came, by the clock of the device that added it.
    pub added_at: Millis,
    /// When it was here last, to the hour; `None`: it has not said.
    pub last_seen: Option<Millis>,
    /// Whether it was revoked.
    pub revoked: bool,
    /// Whether it is this one.
    pub this: bool,
}

/// A message that the relay has not stored yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Queued {
    /// Its transaction id.
    pub txn: TxnId,
    /// Where it goes.
    pub room: RoomId,
    /// When it was written.
    pub at: Millis,
    /// What it is.
    pub what: QueuedKind,
    /// The text, if it has one.
    pub text: String,
    /// Where it is on its way.
    pub state: State,
}

/// What waits in the outbox.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum QueuedKind {
    /// A text.
    Text,
    /// A change of an earlier text.
    Edit,
    /// The end of an earlier text.
    Redaction,
}

/// What was checked, and how far it holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verified {
    /// The room.
    pub room: RoomId,
    /// Everything up to here is on this device, without a gap.
    pub seq: Seq,
    /// The rolling hash there: whoever holds the same has the same messages in the same order.
    pub hash: Hash,
    /// Where the relay said it stands, when we last heard.
    pub relay_seq: Seq,
    /// Whether `seq` is all that the relay has, with the same hash.
    pub complete: bool,
    /// Entries that do not count: a wrong signature, or an author who had no right to write.
    pub invalid: u64,
    /// Whether what is on disk gives the same hash as was noted, and fits what each author had seen.
    pub sound: bool,
}

/// Who this is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Me {
    /// The account.
    pub person: Person,
    /// This device.
    pub device: DeviceId,
    /// What it is called.
    pub device_name: String,
    /// The relay's address.
    pub relay: String,
    /// Whether the account administers the relay.
    pub admin: bool,
}

/// A new text.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Outgoing {
    /// Markdown.
    pub text: String,
    /// What it answers.
    pub reply_to: Option<kith_protocol::event::Target>,
    /// Who is meant.
    pub mentions: Vec<AccountId>,
}

impl Outgoing {
    /// A text that answers nothing and means nobody.
    pub fn text(text: impl Into<String>) -> Self {
        Self { text: text.into(), ..Self::default() }
    }
}

/// What one person wants of one room, on all devices.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct RoomWish {
    /// Silent until then; 0: not silent, the largest number: for ever.
    pub muted_until: Millis,
    /// Whether mentions break the silence.
    pub mentions_anyway: bool,
    /// At the top of the list.
    pub pinned: bool,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_integration_is_marked_and_nobody_else_is() {
        let person = |name: &str, integration| Person {
            handle: "backup".into(),
            name: name.into(),
            integration,
            ..Person::default()
        };
        assert_eq!(person("Backup", true).shown(), "Backup (integration)");
        assert_eq!(person("Backup", false).shown(), "Backup");
        assert_eq!(person("Backup (Integration)", false).shown(), "@backup");
        assert_eq!(person("", false).shown(), "@backup");
    }
}
