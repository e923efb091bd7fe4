//! What programs leave here and what is to be told to programs: integrations that write into rooms, and pushes to people
//! who are not connected.

use super::StoreError;
use kith_protocol::ids::{AccountId, RoomId, Seq};
use serde::{Deserialize, Serialize};

/// An integration: an account whose one key is held by the relay, so that a program without a key can write into a room.
#[derive(Clone, PartialEq, Eq)]
pub struct HookRow {
    /// Its account.
    pub account: AccountId,
    /// Where its messages go.
    pub room: RoomId,
    /// Both seeds of its device, which is in use as long as the token is.
    pub seeds: [u8; 64],
    /// SHA-256 of what the program has to know; none once it was revoked.
    pub token: Option<[u8; 32]>,
    /// Who made it; `None`: the operator.
    pub by: Option<AccountId>,
    /// Milliseconds since 1970.
    pub created_at: u64,
    /// When it wrote last; 0 for never.
    pub used_at: u64,
}

/// A message that an integration wrote under a key of its own choice.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HookKey {
    /// The integration.
    pub hook: AccountId,
    /// SHA-256 of the key.
    pub key: [u8; 32],
    /// Where the message stands.
    pub seq: Seq,
    /// When it came, milliseconds since 1970.
    pub at: u64,
}

/// Names a [`PushTarget`].
pub type TargetId = [u8; 16];

/// Where a person wants to be told that something came.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PushTarget {
    /// Its name.
    pub id: TargetId,
    /// Whose it is.
    pub account: AccountId,
    /// Which kind, and where: as the adapters read it. A secret, for it holds keys.
    pub place: serde_json::Value,
    /// Milliseconds since 1970.
    pub created_at: u64,
    /// Why the last push did not arrive; none if it did.
    pub failure: Option<String>,
}

/// What a person wants of pushes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PushWishes {
    /// Whose they are.
    pub account: AccountId,
    /// So long no device has been connected, in seconds.
    pub after_s: u32,
    /// Whether a push says who wrote.
    pub show_sender: bool,
    /// Rooms that are silent, and until when, milliseconds since 1970.
    pub muted: Vec<(RoomId, u64)>,
}

/// Messages that nobody was told of yet.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PushWaiting {
    /// Who is to be told.
    pub account: AccountId,
    /// The room of the newest message.
    pub room: RoomId,
    /// Who wrote it.
    pub sender: AccountId,
    /// How many there are.
    pub count: u32,
    /// When the oldest came, milliseconds since 1970.
    pub oldest_at: u64,
    /// When the newest came, milliseconds since 1970.
    pub newest_at: u64,
}

/// A push on its way to one target.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PushOut {
    /// Where it goes.
    pub target: TargetId,
    /// The same for every try: a receiver can tell that it saw it before.
    pub id: [u8; 16],
    /// What it tells of.
    pub news: PushWaiting,
    /// How often it was tried.
    pub tries: u32,
    /// When to try, milliseconds since 1970.
    pub due_at: u64,
    /// A try began whose outcome is not known: it may have arrived.
    pub begun: bool,
}

/// A change of what stands here.
#[derive(Debug, Clone)]
pub enum ProgramWrite {
    /// Adds or changes an integration.
    Hook(HookRow),
    /// Notes a key of an integration's, and forgets its keys from before `forget_before`.
    HookKey {
        /// What to note.
        key: HookKey,
        /// Milliseconds since 1970.
        forget_before: u64,
    },
    /// Adds or changes a target.
    Target(PushTarget),
    /// Forgets a target and what is on its way there.
    TargetGone(TargetId),
    /// Takes the place of a person's wishes.
    Wishes(PushWishes),
    /// Takes the place of what waits for a person.
    Waiting(PushWaiting),
    /// Nothing waits for a person any more.
    WaitingGone(AccountId),
    /// Takes the place of what is on its way to a target.
    Out(PushOut),
    /// Nothing is on its way to a target any more.
    OutGone(TargetId),
    /// The key by which push services know the relay, in PKCS #8.
    VapidKey(Vec<u8>),
}

/// Reading it.
pub trait Programs {
    /// An integration by its account.
    fn hook(&self, account: &AccountId) -> Result<Option<HookRow>, StoreError>;
    /// An integration by the SHA-256 of its token.
    fn hook_by_token(&self, token: &[u8; 32]) -> Result<Option<HookRow>, StoreError>;
    /// All integrations, revoked ones included, the oldest first.
    fn hooks(&self) -> Result<Vec<HookRow>, StoreError>;
    /// What an integration wrote under a key.
    fn hook_key(&self, hook: &AccountId, key: &[u8; 32]) -> Result<Option<HookKey>, StoreError>;
    /// All targets, by their ids.
    fn push_targets(&self) -> Result<Vec<PushTarget>, StoreError>;
    /// A person's wishes, if there are any.
    fn push_wishes(&self, account: &AccountId) -> Result<Option<PushWishes>, StoreError>;
    /// What waits for a person.
    fn push_waiting(&self, account: &AccountId) -> Result<Option<PushWaiting>, StoreError>;
    /// All that waits, by account.
    fn pushes_waiting(&self) -> Result<Vec<PushWaiting>, StoreError>;
    /// All that is on its way, by target.
    fn pushes_out(&self) -> Result<Vec<PushOut>, StoreError>;
    /// The key by which push services know the relay, in PKCS #8; none before it is first needed.
    fn vapid_key(&self) -> Result<Option<Vec<u8>>, StoreError>;
}

impl std::fmt::Debug for HookRow {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("HookRow")
            .field("account", &self.account)
            .field("room", &self.room)
            .finish_non_exhaustive()
    }
}
