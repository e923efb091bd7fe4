//! What the engine keeps in the store and in the vault: shapes and keys.

use crate::store::{Changes, ReadError, Store, Tree, keys};
use kith_protocol::ids::{AccountId, Hash, Rev, RoomId, Seq};
use kith_protocol::room::{Role, RoomKind};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

/// Where a room stands. Entries `1..=solid` are all held; so are those of `tip`, behind which there is a gap.
#[expect(clippy::struct_excessive_bools, reason = "a row of the store")]
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct RoomRow {
    pub(crate) solid: Seq,
    /// The rolling hash at `solid`.
    pub(crate) hash: Hash,
    pub(crate) tip: Option<(Seq, Seq)>,
    /// Registers up to here are held.
    pub(crate) rev: Rev,
    /// What the relay said last.
    pub(crate) head: HeadRow,
    pub(crate) kind: u8,
    pub(crate) partner: Option<AccountId>,
    pub(crate) members: u64,
    /// This account's role, 0 for none, and since when.
    pub(crate) role: u8,
    pub(crate) joined: Seq,
    pub(crate) writable: bool,
    pub(crate) needs_update: bool,
    pub(crate) name: String,
    pub(crate) topic: String,
    pub(crate) unread: u64,
    pub(crate) mentions: u64,
    pub(crate) read: Seq,
    /// The newest entry that is a text, and its author's clock.
    pub(crate) last: Seq,
    pub(crate) active_at: u64,
    pub(crate) muted_until: u64,
    pub(crate) mentions_anyway: bool,
    pub(crate) pinned: bool,
    pub(crate) draft: String,
    /// Entries that do not count.
    pub(crate) invalid: u64,
    /// The relay's log was found to differ; told once.
    pub(crate) differs: bool,
}

/// [`kith_protocol::frame::Head`], without the room.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct HeadRow {
    pub(crate) seq: Seq,
    pub(crate) hash: Hash,
    pub(crate) rev: Rev,
    pub(crate) control_len: u32,
}

impl HeadRow {
    /// The relay is known to hold an entry at this place.
    pub(crate) fn raise(&mut self, seq: Seq) {
        if seq > self.seq {
            self.seq = seq;
            // What was said of the older place says nothing about this one.
            self.hash = Hash::ZERO;
        }
    }
}

impl Default for RoomRow {
    fn default() -> Self {
        Self {
            solid: Seq::ZERO,
            hash: Hash::ZERO,
            tip: None,
            rev: Rev::ZERO,
            head: HeadRow::default(),
            kind: 1,
            partner: None,
            members: 0,
            role: 0,
            joined: Seq::ZERO,
            writable: false,
            needs_update: false,
            name: String::new(),
            topic: String::new(),
            unread: 0,
            mentions: 0,
            read: Seq::ZERO,
            last: Seq::ZERO,
            active_at: 0,
            muted_until: 0,
            mentions_anyway: false,
            pinned: false,
            draft: String::new(),
            invalid: 0,
            differs: false,
        }
    }
}

impl RoomRow {
    /// The newest entry held.
    pub(crate) fn newest(&self) -> Seq {
        self.tip.map_or(self.solid, |(_, to)| to)
    }

    /// Whether an entry is held.
    pub(crate) fn holds(&self, seq: Seq) -> bool {
        seq != Seq::ZERO && (seq <= self.solid || self.tip.is_some_and(|(from, to)| from <= seq && seq <= to))
    }

    /// How many entries are held.
    pub(crate) fn held(&self) -> u64 {
        self.solid.0 + self.tip.map_or(0, |(from, to)| to.0 + 1 - from.0)
    }

    pub(crate) fn room_kind(&self) -> RoomKind {
        match self.kind {
            2 => RoomKind::Direct,
            3 => RoomKind::Own,
            _ => RoomKind::Group,
        }
    }

    pub(crate) fn own_role(&self) -> Option<Role> {
        match self.role {
            1 => Some(Role::Member),
            2 => Some(Role::Admin),
            3 => Some(Role::Owner),
            _ => None,
        }
    }
}

pub(crate) fn kind_byte(kind: RoomKind) -> u8 {
    match kind {
        RoomKind::Group => 1,
        RoomKind::Direct => 2,
        RoomKind::Own => 3,
    }
}

pub(crate) fn role_byte(role: Option<Role>) -> u8 {
    match role {
        None => 0,
        Some(Role::Member) => 1,
        Some(Role::Admin) => 2,
        Some(Role::Owner) => 3,
    }
}

/// What the relay told of an account.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct PersonRow {
    pub(crate) handle: String,
    pub(crate) name: String,
    pub(crate) chain_len: u32,
    #[serde(default)]
    pub(crate) integration: bool,
}

/// This account's profile, as the relay said last.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct ProfileRow {
    pub(crate) handle: String,
    pub(crate) name: String,
    pub(crate) admin: bool,
}

/// The mark in front of an entry's bytes in [`Tree::Entries`].
const SOUND: u8 = 0;
const INVALID: u8 = 1;

/// An entry as it stands in the store: whether it counts, then its bytes.
pub(crate) fn entry_value(raw: &[u8], counts: bool) -> Vec<u8> {
    let mut value = Vec::with_capacity(1 + raw.len());
    value.push(if counts { SOUND } else { INVALID });
    value.extend_from_slice(raw);
    value
}

/// The counterpart of [`entry_value`].
pub(crate) fn read_entry_value(value: Vec<u8>) -> Option<(bool, bytes::Bytes)> {
    let counts = *value.first()? == SOUND;
    Some((counts, bytes::Bytes::from(value).slice(1..)))
}

/// A register as it stands in the store: its rev, then its bytes.
pub(crate) fn register_value(rev: Rev, raw: &[u8]) -> Vec<u8> {
    [&rev.0.to_be_bytes(), raw].concat()
}

/// The counterpart of [`register_value`].
pub(crate) fn read_register_value(value: Vec<u8>) -> Option<(Rev, bytes::Bytes)> {
    let rev = Rev(u64::from_be_bytes(*value.first_chunk()?));
    Some((rev, bytes::Bytes::from(value).slice(8..)))
}

/// A register that waits to be sent: in the vault if losing it would lose what a person wrote, else in the store.
pub(crate) fn pending_name(room: &RoomId, key: &[u8; 32]) -> Vec<u8> {
    [&b"register\0"[..], &room.0, key].concat()
}

pub(crate) fn encode<T: Serialize>(row: &T) -> Vec<u8> {
    rmp_serde::to_vec_named(row).expect("rows hold nothing that MessagePack cannot")
}

pub(crate) fn decode<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, ReadError> {
    rmp_serde::from_slice(bytes).map_err(|error| ReadError::Damaged(format!("a row cannot be read: {error}")))
}

/// Reads a row with the changes that are not committed yet.
pub(crate) fn read(
    store: &dyn Store,
    changes: &Changes,
    tree: Tree,
    key: &[u8],
) -> Result<Option<Vec<u8>>, ReadError> {
    match changes.get(tree, key) {
        Some(change) => Ok(change.map(<[u8]>::to_vec)),
        None => store.get(tree, key),
    }
}

/// A row that leads from a message to what changes it, see [`crate::timeline::Relation`].
pub(crate) fn relation_key(relation: &[u8]) -> Vec<u8> {
    [&keys::local("relation", None)[..], relation].concat()
}
