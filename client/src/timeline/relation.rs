use super::register_value::{EMOJI_BYTES_MAX, is_emoji};
use super::{Content, RegisterValue, Verified};
use kith_protocol::event::{Reaction, Setting, Target};
use kith_protocol::ids::{AccountId, DeviceId, Rev, RoomId, Seq, TxnId};

/// A small row of the store that leads from a message to what changes it, so that a page can be shown without all that
/// stands behind it. The module's page says how.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Relation {
    /// The entry at `seq` edits a text.
    Edit {
        /// The text.
        target: Target,
        /// Where the edit stands.
        seq: Seq,
    },
    /// The entry at `seq` takes away what stands at `target`.
    Redaction {
        /// What it takes away.
        target: Seq,
        /// Where the redaction stands.
        seq: Seq,
        /// Whether its author had the right to take away what others wrote.
        moderates: bool,
    },
    /// Somebody chose an emoji.
    Reaction {
        /// The message.
        target: Target,
        /// Who.
        account: AccountId,
        /// Which one.
        emoji: String,
        /// The register's place.
        rev: Rev,
        /// Whether it stands; if not, the row is to be removed.
        on: bool,
    },
}

/// A row of relations that is none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the row is no relation")]
pub struct BadRelation;

impl Relation {
    /// The row that belongs to an entry, if it needs one.
    pub fn of_entry(entry: &Verified) -> Option<Self> {
        match &entry.content {
            Content::Edit(edit) => Some(Self::Edit { target: edit.target, seq: entry.seq }),
            Content::Redaction(redaction) => Some(Self::Redaction {
                target: redaction.target,
                seq: entry.seq,
                moderates: redaction.moderates,
            }),
            _ => None,
        }
    }

    /// The row that belongs to a register, if it needs one.
    pub fn of_register(value: &RegisterValue) -> Option<Self> {
        match &value.setting {
            Setting::Reaction(reaction) => Some(Self::Reaction {
                target: reaction.target,
                account: value.account,
                emoji: reaction.emoji.clone(),
                rev: value.rev,
                on: reaction.on,
            }),
            _ => None,
        }
    }

    /// The register that a [`Relation::Reaction`] stands for.
    pub fn register(&self) -> Option<RegisterValue> {
        match self {
            Self::Reaction { target, account, emoji, rev, on } => Some(RegisterValue {
                account: *account,
                rev: *rev,
                setting: Setting::Reaction(Reaction { target: *target, emoji: emoji.clone(), on: *on }),
            }),
            Self::Edit { .. } | Self::Redaction { .. } => None,
        }
    }

    /// Whether the row is to be put; else the one with this key is to be removed.
    pub fn stands(&self) -> bool {
        !matches!(self, Self::Reaction { on: false, .. })
    }

    /// The key, the room first.
    pub fn key(&self, room: &RoomId) -> Vec<u8> {
        match self {
            Self::Edit { target, seq } => [&Self::edits_of(room, target)[..], &seq.0.to_be_bytes()].concat(),
            Self::Redaction { target, seq, .. } => {
                [&Self::redactions_of(room, *target)[..], &seq.0.to_be_bytes()].concat()
            }
            Self::Reaction { target, account, emoji, .. } => {
                [&Self::reactions_to(room, target)[..], &account.0, emoji.as_bytes()].concat()
            }
        }
    }

    /// The value beside the key.
    pub fn value(&self) -> Vec<u8> {
        match self {
            Self::Edit { .. } => Vec::new(),
            Self::Redaction { moderates, .. } => vec![u8::from(*moderates)],
            Self::Reaction { rev, .. } => rev.0.to_be_bytes().to_vec(),
        }
    }

    /// Reads a row. The room is not checked.
    pub fn decode(key: &[u8], value: &[u8]) -> Result<Self, BadRelation> {
        Self::parse(key, value).ok_or(BadRelation)
    }

    /// The prefix of the edits of a message.
    pub fn edits_of(room: &RoomId, target: &Target) -> Vec<u8> {
        [&room.0[..], &[EDIT], &target.device.0, &target.txn.0].concat()
    }

    /// The prefix of the redactions of what stands at `target`.
    pub fn redactions_of(room: &RoomId, target: Seq) -> Vec<u8> {
        [&room.0[..], &[REDACTION], &target.0.to_be_bytes()].concat()
    }

    /// The prefix of the reactions to a message.
    pub fn reactions_to(room: &RoomId, target: &Target) -> Vec<u8> {
        [&room.0[..], &[REACTION], &target.device.0, &target.txn.0].concat()
    }

    fn parse(key: &[u8], value: &[u8]) -> Option<Self> {
        let (_room, key) = key.split_first_chunk::<{ RoomId::LEN }>()?;
        let (kind, key) = key.split_first()?;
        match *kind {
            EDIT => {
                let (target, key) = parse_target(key)?;
                let seq = parse_place(key).map(Seq)?;
                value.is_empty().then_some(Self::Edit { target, seq })
            }
            REDACTION => {
                let (target, key) = key.split_first_chunk()?;
                let target = Seq(u64::from_be_bytes(*target));
                let seq = parse_place(key).map(Seq)?;
                let moderates = match value {
                    [0] => false,
                    [1] => true,
                    _ => return None,
                };
                Some(Self::Redaction { target, seq, moderates })
            }
            REACTION => {
                let (target, key) = parse_target(key)?;
                let (account, emoji) = key.split_first_chunk()?;
                if emoji.len() > EMOJI_BYTES_MAX {
                    return None;
                }
                let emoji = std::str::from_utf8(emoji).ok().filter(|emoji| is_emoji(emoji))?.to_owned();
                let rev = parse_place(value).map(Rev)?;
                Some(Self::Reaction { target, account: AccountId(*account), emoji, rev, on: true })
            }
            _ => None,
        }
    }
}

fn parse_target(key: &[u8]) -> Option<(Target, &[u8])> {
    let (device, key) = key.split_first_chunk()?;
    let (txn, key) = key.split_first_chunk()?;
    Some((Target { device: DeviceId(*device), txn: TxnId(*txn) }, key))
}

fn parse_place(bytes: &[u8]) -> Option<u64> {
    Some(u64::from_be_bytes(bytes.try_into().ok()?))
}

const EDIT: u8 = b'e';
const REDACTION: u8 = b'd';
const REACTION: u8 = b'r';
