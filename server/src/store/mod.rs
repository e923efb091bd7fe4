//! What the relay keeps.
//!
//! [`Log`] is what was written: timelines, registers, chains. [`Directory`] is what the folds and the operator have yielded:
//! who has which handle, whose a device is, who is in which room, which invites are open. An [`Engine`] keeps both and
//! writes them in durable groups. Nothing a client sees is a number that only one engine knows: rooms, accounts and
//! entries are named by their ids, Seq is dense within its room, so several relays can one day share one database.
//!
//! `conformance.rs` says what each implementation must do; [`memory`] is the reference, [`sqlite`] the default.

mod announcement;
mod audit_log;
#[cfg(test)]
mod conformance;
pub mod hooks;
pub mod inspection;
pub mod memory;
pub mod pushes;
pub mod retention;
pub(crate) mod schema;
mod shrink;
pub mod sqlite;
mod wal;

pub use self::announcement::Announcement;
pub use self::audit_log::{AuditEvent, AuditRecord};
pub use kith_protocol::admin::RelayRole;

use self::hooks::{HookWrite, Hooks};
use self::pushes::{PushRow, Pushes};
use self::retention::{Retention, RetentionWrite};
use bytes::Bytes;
use kith_protocol::chain::ChainEntry;
use kith_protocol::entry::Entry;
use kith_protocol::ids::{AccountId, DeviceId, Hash, Incarnation, RegisterKey, Rev, RoomId, Seq, TxnId};
use kith_protocol::register::Register;

/// Of the sixteen of a token.
const INVITE_ID_BYTES: usize = 6;

/// Why the store could not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// There is no room on the disk. Reads go on.
    #[error("the disk is full")]
    Full,
    /// Anything else; the text is for the operator.
    #[error("the store failed: {0}")]
    Failed(String),
}

/// An identity for logs that nobody has read from yet.
pub(crate) fn fresh_incarnation() -> Result<Incarnation, StoreError> {
    let mut fresh = [0; 16];
    getrandom::fill(&mut fresh).map_err(|error| StoreError::Failed(error.to_string()))?;
    Ok(Incarnation(fresh))
}

/// Where a room's log stands.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct RoomHead {
    /// The newest entry; 0 for a room that does not exist yet.
    pub seq: Seq,
    /// The rolling hash there.
    pub hash: Hash,
    /// The newest register.
    pub rev: Rev,
    /// How many control entries.
    pub control_len: u32,
    /// The newest redaction.
    pub redacted: Seq,
}

/// Which part of a timeline is wanted: `after < seq < before`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Range {
    /// Exclusive.
    pub after: Seq,
    /// Exclusive.
    pub before: Seq,
    /// The newest of them, or the oldest.
    pub newest: bool,
    /// At most so many entries.
    pub limit: u32,
    /// No further entry once so many bytes are reached.
    pub bytes: usize,
}

/// A stretch of a timeline, in rising order without gaps.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stretch {
    /// The Seq of the first entry; where it would stand, right behind `after`, if there is none.
    pub first: Seq,
    /// The entries.
    pub entries: Vec<Bytes>,
    /// Whether the range holds more.
    pub more: bool,
}

/// What became of an append.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Append {
    /// It is in the log once the group is committed; this is where the room stands then.
    New(RoomHead),
    /// The device had stored something under this transaction before: there it stands.
    Known(RoomId, Seq),
}

/// An account, as the directory knows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccountRow {
    /// The account.
    pub id: AccountId,
    /// Without `@`.
    pub handle: String,
    /// The display name.
    pub name: String,
    /// What it may do on this relay.
    pub role: RelayRole,
    /// Shut out by the operator.
    pub disabled: bool,
    /// Milliseconds since 1970.
    pub created_at: u64,
    /// How many entries its chain has.
    pub chain_len: u32,
    /// Whether it is an integration, see [`hooks::HookRow`].
    pub integration: bool,
}

/// A device, as the directory knows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DeviceRow {
    /// Whose it is.
    pub account: AccountId,
    /// Shut out by the operator, who cannot write into the account's chain.
    pub blocked: bool,
}

/// An open invite.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InviteRow {
    /// Its secret.
    pub token: [u8; 16],
    /// How many accounts may still come with it.
    pub uses: u32,
    /// Milliseconds since 1970.
    pub expires_at: u64,
    /// What they become.
    pub role: RelayRole,
    /// Where they are led to.
    pub room: Option<RoomId>,
    /// Who made it; `None`: the operator.
    pub by: Option<AccountId>,
}

impl InviteRow {
    /// Enough of the token to tell it from others, and far from enough to use it.
    pub fn id(&self) -> String {
        data_encoding::BASE64URL_NOPAD.encode(&self.token[..INVITE_ID_BYTES])
    }
}

/// A room that an account is, or was, in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Membership {
    /// The room.
    pub room: RoomId,
    /// Where the room stood when the account left, if it did: it may read up to there.
    pub left: Option<Left>,
}

/// Where a room stood when an account left it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Left {
    /// The control entry that says so.
    pub seq: Seq,
    /// The rolling hash there.
    pub hash: Hash,
    /// The number of control entries, that one included.
    pub control_len: u32,
}

/// How much there is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Totals {
    /// Accounts.
    pub accounts: u64,
    /// Rooms, the accounts' own included.
    pub rooms: u64,
    /// Timeline entries.
    pub entries: u64,
    /// Bytes on disk.
    pub bytes: u64,
}

/// What was written.
pub trait Log {
    /// Where a room stands; all zero if there is none.
    fn head(&self, room: &RoomId) -> Result<RoomHead, StoreError>;
    /// A part of a timeline.
    fn page(&self, room: &RoomId, range: Range) -> Result<Stretch, StoreError>;
    /// Control entries with their places, from an index on.
    fn control(&self, room: &RoomId, from: u32, limit: u32) -> Result<Vec<(Seq, Bytes)>, StoreError>;
    /// A chain from an index on.
    fn chain(&self, account: &AccountId, from: u32) -> Result<Vec<Bytes>, StoreError>;
    /// Registers with a higher Rev, in rising order.
    fn registers(&self, room: &RoomId, after: Rev, limit: u32) -> Result<Vec<(Rev, Bytes)>, StoreError>;
    /// One register.
    fn register(
        &self,
        room: &RoomId,
        owner: &AccountId,
        key: &RegisterKey,
    ) -> Result<Option<(Rev, Bytes)>, StoreError>;
    /// How many registers an account has in a room; [`AccountId::ZERO`] owns those of the room itself.
    fn register_count(&self, room: &RoomId, owner: &AccountId) -> Result<u64, StoreError>;
    /// Where a device's transaction went.
    fn transaction(&self, device: &DeviceId, txn: &TxnId) -> Result<Option<(RoomId, Seq)>, StoreError>;
}

/// What the folds and the operator have yielded.
pub trait Directory {
    /// An account by its id.
    fn account(&self, id: &AccountId) -> Result<Option<AccountRow>, StoreError>;
    /// An account by its handle.
    fn account_by_handle(&self, handle: &str) -> Result<Option<AccountRow>, StoreError>;
    /// A device that stands, or stood, in some chain.
    fn device(&self, device: &DeviceId) -> Result<Option<DeviceRow>, StoreError>;
    /// Accounts whose handle or name begins with this, by handle; an empty prefix lists all.
    fn search(&self, prefix: &str, limit: u32) -> Result<Vec<AccountRow>, StoreError>;
    /// The rooms that an account is or was in.
    fn rooms_of(&self, account: &AccountId) -> Result<Vec<Membership>, StoreError>;
    /// Whether, and since when no longer, an account is in a room.
    fn membership(&self, account: &AccountId, room: &RoomId) -> Result<Option<Membership>, StoreError>;
    /// All rooms, for the operator.
    fn rooms(&self) -> Result<Vec<(RoomId, RoomHead)>, StoreError>;
    /// An invite, used up and expired ones included.
    fn invite(&self, token: &[u8; 16]) -> Result<Option<InviteRow>, StoreError>;
    /// The invites that can still be used, soonest to end first.
    fn invites(&self, now: u64) -> Result<Vec<InviteRow>, StoreError>;
    /// The newest records of the audit log, the oldest of them first.
    fn audit_log(&self, limit: u32) -> Result<Vec<AuditRecord>, StoreError>;
    /// What is said to everybody.
    fn announcement(&self) -> Result<Option<Announcement>, StoreError>;
    /// How much there is.
    fn totals(&self) -> Result<Totals, StoreError>;
}

/// Both, for reading beside the writer.
pub trait Reader: Log + Directory + Hooks + Pushes + Retention + Send {}

impl<T: Log + Directory + Hooks + Pushes + Retention + Send> Reader for T {}

/// The writer. What it does between [`Engine::begin`] and [`Engine::commit`] is one group: on disk as a whole, or not at all.
pub trait Engine: Send {
    /// The identity of these logs.
    fn incarnation(&self) -> Incarnation;
    /// Reads, the uncommitted writes of this engine included.
    fn read(&self) -> &dyn Reader;
    /// Where a room stands with what this group has written; all zero if there is none.
    fn head(&mut self, room: &RoomId) -> Result<RoomHead, StoreError>;
    /// How many bytes an account holds with what this group has written.
    fn held(&mut self, account: &AccountId) -> Result<u64, StoreError>;
    /// Begins a group.
    fn begin(&mut self) -> Result<(), StoreError>;
    /// Makes the group durable. When this returns, it survives a power cut.
    fn commit(&mut self) -> Result<(), StoreError>;
    /// Forgets the group.
    fn rollback(&mut self);
    /// Between groups, once all have their answers: a moment for work that is put off. `idle` if nobody waits just now.
    /// Returns whether there is more of it for another idle moment.
    fn rest(&mut self, idle: bool) -> bool {
        let _ = idle;
        false
    }

    /// Appends to the timeline of the entry's room, which begins with its first entry. A redaction takes its target's body
    /// away. `(device, txn)` is stored once and for ever.
    fn append(&mut self, entry: &Entry) -> Result<Append, StoreError>;
    /// Takes the place of what the register holds, at the room's next Rev.
    fn set_register(&mut self, register: &Register) -> Result<Rev, StoreError>;
    /// Appends to an account's chain; fails unless the entry's index is the chain's length.
    fn append_chain(&mut self, account: &AccountId, entry: &ChainEntry) -> Result<(), StoreError>;
    /// Adds or changes an account, but never when it was made; the length of the chain is the log's to say, and whether it is
    /// an integration is [`Hooks`]'. Fails if another account has the handle.
    fn put_account(&mut self, account: &AccountRow) -> Result<(), StoreError>;
    /// Adds or changes a device; whose it is never changes.
    fn put_device(&mut self, device: &DeviceId, row: DeviceRow) -> Result<(), StoreError>;
    /// Adds an account to a room, or marks that it left.
    fn put_membership(&mut self, account: &AccountId, membership: Membership) -> Result<(), StoreError>;
    /// Adds or changes an invite.
    fn put_invite(&mut self, invite: &InviteRow) -> Result<(), StoreError>;
    /// Changes what belongs to integrations.
    fn put_hook(&mut self, write: &HookWrite) -> Result<(), StoreError>;
    /// Changes what belongs to pushes.
    fn put_push(&mut self, write: &PushRow) -> Result<(), StoreError>;

    /// Changes what rooms keep or accounts may hold, or takes what is not kept.
    fn put_retention(&mut self, write: &RetentionWrite) -> Result<(), StoreError>;
    /// Says something to everybody, or nothing any more.
    fn put_announcement(&mut self, announcement: Option<&Announcement>) -> Result<(), StoreError>;
    /// Appends to the audit log.
    fn audit(&mut self, record: &AuditRecord) -> Result<(), StoreError>;

    /// Writes as much as a large message takes, and takes it back: fails as a message would.
    fn probe(&mut self) -> Result<(), StoreError> {
        Ok(())
    }

    /// A reader for another thread; it sees what is committed.
    fn reader(&self) -> Result<Box<dyn Reader>, StoreError>;
}
