//! What rooms keep, when their messages came, and up to where they were forgotten; and how much an account may hold.
//!
//! Forgetting takes the bodies of messages and nothing else, as a redaction does: the timeline stays dense, and its
//! hash rolls as before. Days are counted from 1970, by the relay's clock. An account holds the bytes of the entries and
//! registers that it has written, as they stand in the store: without a body, once that was taken away.

pub use kith_protocol::admin::{Keep, Share};

use super::StoreError;
use kith_protocol::ids::{AccountId, RoomId, Seq};

/// A change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RetentionWrite {
    /// On this day came this entry, and none before it. A day that is known stays as it is.
    Day { room: RoomId, day: u32, first: Seq },
    /// What the operator wants of this room; `None`: what holds for all.
    Keep { room: RoomId, keep: Option<Keep> },
    /// The messages up to here are forgotten, as far as they were not yet.
    Forget { room: RoomId, up_to: Seq },
    /// What the operator lets this account hold; `None`: what holds for all.
    Share { account: AccountId, share: Option<Share> },
}

/// Reading it.
pub trait Retention {
    /// What the operator wants of this room, if something of its own.
    fn keep(&self, room: &RoomId) -> Result<Option<Keep>, StoreError>;
    /// Up to where the messages of a room were forgotten.
    fn forgotten(&self, room: &RoomId) -> Result<Seq, StoreError>;
    /// The newest entry of those that came before a day.
    fn before_day(&self, room: &RoomId, day: u32) -> Result<Seq, StoreError>;
    /// The newest entry that must go for the rest to be at most so many bytes.
    fn beyond(&self, room: &RoomId, bytes: u64) -> Result<Seq, StoreError>;
    /// How many bytes an account holds.
    fn held(&self, account: &AccountId) -> Result<u64, StoreError>;
    /// What the operator lets an account hold, if something of its own.
    fn share(&self, account: &AccountId) -> Result<Option<Share>, StoreError>;
    /// How many accounts have nearly used up their share; `for_all` is that of those without one of their own.
    fn nearly_used_up(&self, for_all: Share) -> Result<u64, StoreError>;
}
