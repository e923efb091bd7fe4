use super::{AppError, Millis};
use serde::Serialize;
use specta::Type;

/// Why there was a notification of a message, or none.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct Why {
    /// Whether there was one.
    pub notified: bool,
    /// Why.
    pub reason: WhyReason,
    /// When that was decided; `null`: it comes out the same at any time.
    pub at: Option<Millis>,
    /// `summarized`: how many messages there were in all rooms.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[specta(optional, type = Option<u32>)]
    pub messages: Option<u64>,
    /// `summarized`: in how many rooms.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[specta(optional, type = Option<u32>)]
    pub chats: Option<u64>,
    /// `doNotDisturb`, `mutedForATime`: until when that was to last; none: for ever.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[specta(optional)]
    pub until: Option<Millis>,
}

/// Whether the system lets Kith show notifications.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Type)]
#[serde(rename_all = "camelCase")]
pub enum NotificationAccess {
    /// It does.
    Granted,
    /// The person, or whoever looks after the computer, forbade it: it is changed in the settings of the system.
    Denied,
    /// Nobody has asked the person yet: `askForNotifications`.
    Unasked,
    /// Nothing there shows notifications.
    Missing,
}

/// The reasons.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Type)]
#[serde(rename_all = "camelCase")]
pub enum WhyReason {
    /// Somebody wrote to this person alone.
    DirectMessage,
    /// Somebody named this person.
    Mention,
    /// Somebody named this person in a muted chat where mentions break the silence.
    MutedButMention,
    /// Somebody wrote in a group.
    NewMessage,
    /// One notification for many.
    Summarized,
    /// The person wrote it.
    OwnMessage,
    /// Nobody wrote it.
    NotAMessage,
    /// It only changes an earlier message.
    Edited,
    /// It was taken away.
    Redacted,
    /// It was read, here or on another device.
    AlreadyRead,
    /// There was a notification before.
    AlreadyNotified,
    /// The chat was open in front of the person.
    FocusedChat,
    /// Do not disturb was on in Kith.
    DoNotDisturb,
    /// Do not disturb was on in the system.
    SystemDoNotDisturb,
    /// The chat was muted for a time.
    MutedForATime,
    /// The chat is muted.
    Muted,
    /// This device is still catching up.
    Backlog,
    /// It was there before this device was linked.
    FirstSync,
    /// A newer version decided, or nothing is known.
    Unknown,
}

/// A step of the self-test.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct SelfTestStep {
    /// Which one.
    pub stage: SelfTestStage,
    /// How long it took, in milliseconds.
    pub took_ms: u32,
    /// Why it failed; `null`: it did not.
    pub error: Option<AppError>,
}

/// The steps of the self-test, in their order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Type)]
#[serde(rename_all = "camelCase")]
pub enum SelfTestStage {
    /// This device wrote, and the relay stored it.
    Relay,
    /// A second session of this account heard of it.
    SecondSession,
    /// The system took the notification.
    Notification,
    /// The system took it away again.
    Withdrawal,
}
