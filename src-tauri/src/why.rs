//! "Why was I (not) notified?"

use crate::failure::Outcome;
use crate::ipc::{AppError, ErrorCode, Millis, Why, WhyReason};
use crate::profile::Profile;
use kith_client::notify::Reason;
use kith_client::timeline::Kind;
use kith_protocol::ids::{RoomId, Seq};

/// What was decided about a message.
pub(crate) async fn of(profile: &Profile, room: RoomId, seq: Seq) -> Outcome<Why> {
    let client = profile.client()?;
    if let Some(record) = client.why_notified(room, seq).await? {
        return Ok(why(record.reason, Some(Millis(record.at))));
    }
    // Nothing was kept: it comes out the same at any time.
    let lines = client.history_after(room, Seq(seq.0.saturating_sub(1)), 1).await?;
    let line = lines.first().filter(|line| line.seq == Some(seq));
    let line =
        line.ok_or_else(|| AppError::new(ErrorCode::NotFound, "there is no such message on this device"))?;
    let reason = if Some(line.sender) == profile.account() {
        Reason::OwnMessage
    } else if line.redacted {
        Reason::Redacted
    } else if line.kind != Kind::Text {
        Reason::NotAMessage
    } else if profile.room(&room).is_some_and(|room| room.read_up_to.0 >= seq.0) {
        Reason::AlreadyRead
    } else {
        Reason::Unknown
    };
    Ok(why(reason, None))
}

fn why(reason: Reason, at: Option<Millis>) -> Why {
    let (messages, chats) = match reason {
        Reason::Summarized { messages, chats, .. } => (Some(messages), Some(chats)),
        _ => (None, None),
    };
    let until = match reason {
        Reason::DoNotDisturb { until } => until,
        Reason::Muted { until } => Some(until),
        _ => None,
    };
    let until = until.filter(|until| *until != u64::MAX).map(Millis);
    Why { notified: reason.notifies(), reason: shown(reason), at, messages, chats, until }
}

fn shown(reason: Reason) -> WhyReason {
    match reason {
        Reason::DirectMessage => WhyReason::DirectMessage,
        Reason::Mention => WhyReason::Mention,
        Reason::MutedButMention => WhyReason::MutedButMention,
        Reason::NewMessage => WhyReason::NewMessage,
        Reason::Summarized { .. } => WhyReason::Summarized,
        Reason::OwnMessage => WhyReason::OwnMessage,
        Reason::NotAMessage => WhyReason::NotAMessage,
        Reason::Edited => WhyReason::Edited,
        Reason::Redacted => WhyReason::Redacted,
        Reason::AlreadyRead => WhyReason::AlreadyRead,
        Reason::AlreadyNotified => WhyReason::AlreadyNotified,
        Reason::FocusedChat => WhyReason::FocusedChat,
        Reason::DoNotDisturb { until: Some(_) } => WhyReason::DoNotDisturb,
        Reason::DoNotDisturb { until: None } => WhyReason::SystemDoNotDisturb,
        Reason::Muted { until: u64::MAX } => WhyReason::Muted,
        Reason::Muted { .. } => WhyReason::MutedForATime,
        Reason::Backlog => WhyReason::Backlog,
        Reason::FirstSync { .. } => WhyReason::FirstSync,
        Reason::Unknown => WhyReason::Unknown,
    }
}
