use kith_protocol::ids::Seq;
use serde::Serialize;

/// Why a person is notified of an entry, or not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(tag = "reason", rename_all = "snake_case")]
pub enum Reason {
    /// Somebody wrote to this person alone.
    DirectMessage,
    /// Somebody named this person.
    Mention,
    /// Somebody named this person in a muted chat where mentions break the silence.
    MutedButMention,
    /// Somebody wrote in a group.
    NewMessage,
    /// Too many came at once: one notification for all of them.
    Summarized {
        /// The newest of them in this room.
        through: Seq,
        /// How many there were in all rooms.
        messages: u64,
        /// In how many rooms.
        chats: u64,
    },
    /// The person wrote it.
    OwnMessage,
    /// Nobody wrote it: members or rights changed, or this version cannot read it.
    NotAMessage,
    /// It only changes an earlier message.
    Edited,
    /// It was taken away.
    Redacted,
    /// It was read, here or on another device.
    AlreadyRead,
    /// There was a notification before.
    AlreadyNotified,
    /// The chat is open in the window that has the focus.
    FocusedChat,
    /// Do-not-disturb is on.
    DoNotDisturb {
        /// Until when the person wants that, milliseconds since 1970; `None`: the system says so.
        until: Option<u64>,
    },
    /// The chat is muted.
    Muted {
        /// Until when, milliseconds since 1970; the largest number: for ever.
        until: u64,
    },
    /// It came while this device caught up, and is put off until it has.
    Backlog,
    /// It was there before this device was linked.
    FirstSync {
        /// The newest entry of which that is so.
        through: Seq,
    },
    /// A newer version decided.
    Unknown,
}

impl Reason {
    /// Whether it is a reason to notify.
    pub fn notifies(self) -> bool {
        matches!(
            self,
            Self::DirectMessage
                | Self::Mention
                | Self::MutedButMention
                | Self::NewMessage
                | Self::Summarized { .. }
        )
    }

    /// An answer to "Why was I (not) notified?".
    pub fn sentence(self) -> String {
        let sentence = match self {
            Self::DirectMessage => "You were notified: the message was for you alone.",
            Self::Mention => "You were notified: the message mentions you.",
            Self::MutedButMention => {
                "You were notified: the chat is muted, but the message mentions you, and you asked for that."
            }
            Self::NewMessage => "You were notified: it was a new message in a chat that is not muted.",
            Self::Summarized { messages, chats, .. } => {
                return format!(
                    "You were notified once for all of {messages} messages in {}: they came together after a time \
                     offline.",
                    counted(chats, "chat")
                );
            }
            Self::OwnMessage => "You were not notified: you wrote it.",
            Self::NotAMessage => "You were not notified: nobody wrote it.",
            Self::Edited => "You were not notified: it only changed an earlier message.",
            Self::Redacted => "You were not notified: the message was deleted.",
            Self::AlreadyRead => {
                "You were not notified: it had been read, here or on another of your devices."
            }
            Self::AlreadyNotified => "You were not notified again: there was a notification before.",
            Self::FocusedChat => "You were not notified: the chat was open in front of you.",
            Self::DoNotDisturb { until: Some(_) } => {
                "You were not notified: you had switched \"Do not disturb\" on in Kith."
            }
            Self::DoNotDisturb { until: None } => {
                "You were not notified: \"Do not disturb\" was on in your system."
            }
            Self::Muted { until: u64::MAX } => "You were not notified: the chat is muted.",
            Self::Muted { .. } => "You were not notified: the chat was muted for a time.",
            Self::Backlog => "You are not notified yet: this device is still catching up.",
            Self::FirstSync { .. } => {
                "You were not notified: the message was there before this device was linked."
            }
            Self::Unknown => {
                "A newer version of Kith decided this, for a reason that this one does not know."
            }
        };
        sentence.to_owned()
    }
}

/// `1 chat`, `2 chats`.
pub(super) fn counted(count: u64, noun: &str) -> String {
    if count == 1 { format!("1 {noun}") } else { format!("{count} {noun}s") }
}
