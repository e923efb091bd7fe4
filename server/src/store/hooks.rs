//! Integrations, through which programs write into rooms.

use super::StoreError;
use kith_protocol::ids::{AccountId, RoomId, Seq};

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

/// A change of what stands here.
#[derive(Debug, Clone)]
pub enum HookWrite {
    /// Adds or changes an integration.
    Hook(HookRow),
    /// Notes a key of an integration's, and forgets its keys from before `forget_before`.
    Key {
        /// What to note.
        key: HookKey,
        /// Milliseconds since 1970.
        forget_before: u64,
    },
}

/// Reading it.
pub trait Hooks {
    /// An integration by its account.
    fn hook(&self, account: &AccountId) -> Result<Option<HookRow>, StoreError>;
    /// An integration by the SHA-256 of its token.
    fn hook_by_token(&self, token: &[u8; 32]) -> Result<Option<HookRow>, StoreError>;
    /// All integrations, revoked ones included, the oldest first.
    fn hooks(&self) -> Result<Vec<HookRow>, StoreError>;
    /// What an integration wrote under a key.
    fn hook_key(&self, hook: &AccountId, key: &[u8; 32]) -> Result<Option<HookKey>, StoreError>;
}

impl std::fmt::Debug for HookRow {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("HookRow")
            .field("account", &self.account)
            .field("room", &self.room)
            .finish_non_exhaustive()
    }
}
