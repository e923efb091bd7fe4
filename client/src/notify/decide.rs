use super::{Notice, Privacy, Reason, Record};
use crate::timeline::{Content, Verified};
use kith_protocol::ids::{AccountId, RoomId, Seq};
use kith_protocol::room::RoomKind;
use serde::Serialize;

/// What a decision depends on, beside the entry.
#[derive(Debug, Clone)]
pub struct Context<'a> {
    /// This account.
    pub me: AccountId,
    /// Now, in milliseconds since 1970.
    pub now: u64,
    /// The kind of room.
    pub kind: RoomKind,
    /// The chat's name, as its person sees it.
    pub chat: &'a str,
    /// Everything up to here was read, here or on another device.
    pub read_up_to: Seq,
    /// Until when the chat is muted; see [`RoomSettings`](kith_protocol::event::RoomSettings).
    pub muted_until: u64,
    /// Whether mentions break that silence.
    pub mentions_anyway: bool,
    /// Whether this chat is open in the window that has the focus. Open in another one does not count.
    pub focused: bool,
    /// Whether the person wants quiet.
    pub do_not_disturb: DoNotDisturb,
    /// How much a notification may show.
    pub privacy: Privacy,
    /// How the entry came.
    pub arrival: Arrival,
    /// The record that stands at the entry.
    pub earlier: Option<Record>,
    /// The record that stands at the [`FLOOR`](super::FLOOR) of the room.
    pub floor: Option<Record>,
}

/// Whether the person wants quiet.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct DoNotDisturb {
    /// Until when they said so in the app, milliseconds since 1970; 0: not at all.
    pub until: u64,
    /// Whether the system's own is on.
    pub system: bool,
}

/// How an entry came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Arrival {
    /// As it was written.
    Live,
    /// After a time without connection.
    CatchUp,
    /// To a device that was just linked.
    FirstSync,
}

/// An entry that a person might be notified of.
#[derive(Debug, Clone, Copy)]
pub struct Candidate<'a> {
    /// Its room.
    pub room: RoomId,
    /// The entry.
    pub entry: &'a Verified,
    /// Its author's name, as the person sees it.
    pub sender: &'a str,
    /// Whether a later entry that is known already takes it away.
    pub redacted: bool,
}

/// Whether to notify of an entry, why, and how.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Decision {
    /// The room.
    pub room: RoomId,
    /// The entry: a click on the notification opens it.
    pub seq: Seq,
    /// Whether to notify.
    pub notify: bool,
    /// Why.
    #[serde(flatten)]
    pub reason: Reason,
    /// What to show, if anything.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub notice: Option<Notice>,
    /// What to put under (room, seq) in the commit of the entry, before anything is shown.
    #[serde(skip)]
    pub record: Option<Record>,
}

/// Decides about one entry.
pub fn decide(context: &Context<'_>, candidate: &Candidate<'_>) -> Decision {
    let (reason, known) = match weigh(context, candidate) {
        Weighed::Known(reason) => (reason, true),
        Weighed::New(reason) => (reason, false),
    };
    let notify = reason.notifies();
    let text = match &candidate.entry.content {
        Content::Text(text) => text.text.as_str(),
        _ => "",
    };
    Decision {
        room: candidate.room,
        seq: candidate.entry.seq,
        notify,
        reason,
        notice: notify.then(|| {
            let sender = (context.kind == RoomKind::Group).then_some(candidate.sender);
            Notice::of_message(context.privacy, context.chat, sender, text)
        }),
        record: (!known).then_some(Record { at: context.now, reason, withdrawn: false }),
    }
}

enum Weighed {
    /// Comes out the same whenever it is asked, or stands in a record.
    Known(Reason),
    /// Depends on this moment: has to be recorded.
    New(Reason),
}

/// The first rule that fits counts. What speaks for silence for good comes first, so that it is not put off.
fn weigh(context: &Context<'_>, candidate: &Candidate<'_>) -> Weighed {
    let entry = candidate.entry;
    let text = match &entry.content {
        Content::Text(text) => text,
        Content::Edit(_) => return Weighed::Known(Reason::Edited),
        Content::Redaction(_) | Content::Redacted => return Weighed::Known(Reason::Redacted),
        Content::Control(_) | Content::Unknown | Content::Invalid => {
            return Weighed::Known(Reason::NotAMessage);
        }
    };
    if entry.account == context.me {
        return Weighed::Known(Reason::OwnMessage);
    }
    if candidate.redacted {
        return Weighed::Known(Reason::Redacted);
    }
    if let Some(earlier) = context.earlier.or(context.floor.filter(|floor| floor.covers(entry.seq))) {
        let notified = earlier.reason.notifies();
        return Weighed::Known(if notified { Reason::AlreadyNotified } else { earlier.reason });
    }
    if entry.seq <= context.read_up_to {
        return Weighed::Known(Reason::AlreadyRead);
    }
    if context.arrival == Arrival::FirstSync {
        return Weighed::Known(Reason::FirstSync { through: entry.seq });
    }
    if context.focused {
        return Weighed::New(Reason::FocusedChat);
    }
    if context.do_not_disturb.system {
        return Weighed::New(Reason::DoNotDisturb { until: None });
    }
    if context.do_not_disturb.until > context.now {
        return Weighed::New(Reason::DoNotDisturb { until: Some(context.do_not_disturb.until) });
    }
    let mention = text.means(&context.me);
    let muted = context.muted_until > context.now;
    if muted && !(mention && context.mentions_anyway) {
        return Weighed::New(Reason::Muted { until: context.muted_until });
    }
    if context.arrival == Arrival::CatchUp {
        return Weighed::Known(Reason::Backlog);
    }
    Weighed::New(match (muted, context.kind, mention) {
        (true, ..) => Reason::MutedButMention,
        (false, RoomKind::Direct, _) => Reason::DirectMessage,
        (false, _, true) => Reason::Mention,
        (false, _, false) => Reason::NewMessage,
    })
}
