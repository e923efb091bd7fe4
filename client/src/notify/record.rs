use super::Reason;
use kith_protocol::ids::Seq;

/// Where a room's record stands that has decided about all entries up to a place, unless they have one of their own.
pub const FLOOR: Seq = Seq::ZERO;

/// What was decided about an entry, kept under its room and seq; or about all up to a place, kept at [`FLOOR`].
///
/// ```text
/// format 1 | reason 1 | withdrawn 1 | at 8 | of the reason: until 8, or through 8, or through 8, messages 8, chats 8
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Record {
    /// When it was decided, milliseconds since 1970.
    pub at: u64,
    /// What was decided.
    pub reason: Reason,
    /// Whether the notification was taken back since.
    pub withdrawn: bool,
}

/// Bytes that are no record. Take the entry for decided: better silent than twice.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the bytes are no record of a notification")]
pub struct BadRecord;

impl Record {
    /// To be put at the [`FLOOR`] of each room when a device that was just linked has all: `through` is its newest entry.
    pub fn first_sync(now: u64, through: Seq) -> Self {
        Self { at: now, reason: Reason::FirstSync { through }, withdrawn: false }
    }

    /// Whether this record, which stands at the [`FLOOR`], has decided about the entry at `seq`.
    pub fn covers(&self, seq: Seq) -> bool {
        match self.reason {
            Reason::Summarized { through, .. } | Reason::FirstSync { through } => seq <= through,
            _ => false,
        }
    }

    /// Whether a notification may still stand on the screen because of it.
    pub fn stands(&self) -> bool {
        self.reason.notifies() && !self.withdrawn
    }

    /// The bytes to keep.
    pub fn encode(&self) -> Vec<u8> {
        let (code, numbers) = code_of(self.reason);
        let mut bytes = vec![FORMAT, code, u8::from(self.withdrawn)];
        bytes.extend(self.at.to_be_bytes());
        bytes.extend(numbers.iter().flat_map(|number| number.to_be_bytes()));
        bytes
    }

    /// Reads what was kept.
    pub fn decode(bytes: &[u8]) -> Result<Self, BadRecord> {
        let ([FORMAT, code, withdrawn @ (0 | 1)], rest) = bytes.split_first_chunk().ok_or(BadRecord)? else {
            return Err(BadRecord);
        };
        let (numbers, []) = rest.as_chunks() else { return Err(BadRecord) };
        let mut numbers = numbers.iter().map(|number| u64::from_be_bytes(*number));
        let at = numbers.next().ok_or(BadRecord)?;
        let reason = reason_of(*code, &numbers.collect::<Vec<_>>()).ok_or(BadRecord)?;
        Ok(Self { at, reason, withdrawn: *withdrawn == 1 })
    }
}

fn code_of(reason: Reason) -> (u8, Vec<u64>) {
    match reason {
        Reason::Unknown => (0, vec![]),
        Reason::DirectMessage => (1, vec![]),
        Reason::Mention => (2, vec![]),
        Reason::MutedButMention => (3, vec![]),
        Reason::NewMessage => (4, vec![]),
        Reason::Summarized { through, messages, chats } => (5, vec![through.0, messages, chats]),
        Reason::OwnMessage => (6, vec![]),
        Reason::NotAMessage => (7, vec![]),
        Reason::Edited => (8, vec![]),
        Reason::Redacted => (9, vec![]),
        Reason::AlreadyRead => (10, vec![]),
        Reason::AlreadyNotified => (11, vec![]),
        Reason::FocusedChat => (12, vec![]),
        Reason::DoNotDisturb { until } => (13, until.into_iter().collect()),
        Reason::Muted { until } => (14, vec![until]),
        Reason::Backlog => (15, vec![]),
        Reason::FirstSync { through } => (16, vec![through.0]),
    }
}

fn reason_of(code: u8, numbers: &[u64]) -> Option<Reason> {
    Some(match (code, numbers) {
        (1, []) => Reason::DirectMessage,
        (2, []) => Reason::Mention,
        (3, []) => Reason::MutedButMention,
        (4, []) => Reason::NewMessage,
        (5, [through, messages, chats]) => {
            Reason::Summarized { through: Seq(*through), messages: *messages, chats: *chats }
        }
        (6, []) => Reason::OwnMessage,
        (7, []) => Reason::NotAMessage,
        (8, []) => Reason::Edited,
        (9, []) => Reason::Redacted,
        (10, []) => Reason::AlreadyRead,
        (11, []) => Reason::AlreadyNotified,
        (12, []) => Reason::FocusedChat,
        (13, []) => Reason::DoNotDisturb { until: None },
        (13, [until]) => Reason::DoNotDisturb { until: Some(*until) },
        (14, [until]) => Reason::Muted { until: *until },
        (15, []) => Reason::Backlog,
        (16, [through]) => Reason::FirstSync { through: Seq(*through) },
        (1..=16, _) => return None,
        _ => Reason::Unknown,
    })
}

const FORMAT: u8 = 1;
