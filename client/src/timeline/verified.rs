use super::Change;
use kith_protocol::entry::{Entry, KEY_SOURCE_PLAIN, Kind};
use kith_protocol::event::{Edit, Event, Target, Text};
use kith_protocol::ids::{AccountId, DeviceId, Hash, Seq, TxnId};

/// An entry of a timeline after its checks: signature, author, membership.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verified {
    /// Its place.
    pub seq: Seq,
    /// Who wrote it.
    pub account: AccountId,
    /// On which device.
    pub device: DeviceId,
    /// Its name there.
    pub txn: TxnId,
    /// The author's clock, milliseconds since 1970.
    pub at: u64,
    /// What the author signed.
    pub digest: Hash,
    /// What it says.
    pub content: Content,
}

/// What an entry says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Content {
    /// Something that a person wrote.
    Text(Text),
    /// Takes the place of an earlier text.
    Edit(Edit),
    /// Takes the body of an earlier message away.
    Redaction(Redaction),
    /// Changes members or rights.
    Control(Vec<Change>),
    /// Its body is gone: a later entry took it away.
    Redacted,
    /// From a newer version, or not readable at all.
    Unknown,
    /// A check failed: counted and hashed, never shown.
    Invalid,
}

/// Takes the body of an earlier message away.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Redaction {
    /// The message.
    pub target: Seq,
    /// Its digest: a redaction that names another one does nothing.
    pub digest: Hash,
    /// Whether its author had the right to take away what others wrote.
    pub moderates: bool,
    /// If it takes an edit away: of which text. See [`Redaction::body`].
    pub edit_of: Option<Target>,
}

impl Verified {
    /// Reads an entry that passed its checks. What cannot be read becomes [`Content::Unknown`].
    ///
    /// `moderates` counts for redactions alone: whether the author's role at this place allows it to redact what others
    /// wrote, `room.may_redact(author, anybody_else)`.
    pub fn read(seq: Seq, entry: &Entry, moderates: bool) -> Self {
        let header = entry.header();
        let plain = header.key_source == KEY_SOURCE_PLAIN;
        let event = || {
            let body = entry.body().filter(|_| plain)?;
            Event::decode(&body).ok()
        };
        let content = match &header.kind {
            Kind::Message if entry.body().is_none() => Content::Redacted,
            Kind::Message => match event() {
                Some(Event::Text(text)) => Content::Text(text),
                Some(Event::Edit(edit)) => Content::Edit(edit),
                Some(Event::Unknown(_)) | None => Content::Unknown,
            },
            Kind::Control { ops, .. } => Content::Control(Change::all(&header.account, ops)),
            Kind::Redaction { target, digest } => Content::Redaction(Redaction {
                target: *target,
                digest: *digest,
                moderates,
                edit_of: match event() {
                    Some(Event::Edit(edit)) => Some(edit.target),
                    _ => None,
                },
            }),
            Kind::Unknown(_) => Content::Unknown,
        };
        Self::with(seq, entry, content)
    }

    /// Takes note of an entry that failed its checks.
    pub fn invalid(seq: Seq, entry: &Entry) -> Self {
        Self::with(seq, entry, Content::Invalid)
    }

    /// The name of the entry, the same before and after the relay stored it.
    pub fn id(&self) -> Target {
        Target { device: self.device, txn: self.txn }
    }

    fn with(seq: Seq, entry: &Entry, content: Content) -> Self {
        let header = entry.header();
        Self {
            seq,
            account: header.account,
            device: header.device,
            txn: header.txn,
            at: header.at,
            digest: entry.digest(),
            content,
        }
    }

    /// Whether this copy says more about the same place than the one that is held: that the body is gone is final, and
    /// what was checked counts more than what could not be.
    pub(super) fn supersedes(&self, held: &Self) -> bool {
        match (&held.content, &self.content) {
            (Content::Redacted, _) | (_, Content::Invalid) => false,
            (Content::Invalid, _) => true,
            (_, Content::Redacted) => held.digest == self.digest,
            _ => false,
        }
    }

    /// Whether `redaction` by `author` counts for this entry.
    pub(super) fn yields_to(&self, redaction: &Redaction, author: &AccountId) -> bool {
        let message = matches!(
            self.content,
            Content::Text(_) | Content::Edit(_) | Content::Redacted | Content::Unknown
        );
        message && redaction.digest == self.digest && (redaction.moderates || *author == self.account)
    }
}

impl Redaction {
    /// The body of a redaction entry, to be signed with it.
    ///
    /// Once a body is gone, nobody who comes later can see whether it was a line of its own or an edit. So whoever takes
    /// an edit away says of which text (`edit_of`): an edit with no text. Else the body is empty.
    pub fn body(edit_of: Option<Target>) -> bytes::Bytes {
        edit_of.map_or_else(bytes::Bytes::new, |target| {
            Event::Edit(Edit { target, text: String::new(), mentions: Vec::new() }).encode()
        })
    }
}
