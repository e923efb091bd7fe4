//! Where people want to be told of what came while they were away, and what they were not told of yet.

use super::StoreError;
use crate::push::Place;
use kith_protocol::ids::{AccountId, RoomId};
use serde::{Deserialize, Serialize};

/// Names a [`PushTarget`].
pub type TargetId = [u8; 16];

/// Names a [`PushOut`].
pub type PushId = [u8; 16];

/// What a person wants of pushes, and what waits for them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PushPerson {
    /// Who.
    pub account: AccountId,
    /// What they want.
    pub wishes: PushWishes,
    /// What they were not told of yet.
    pub waiting: Option<News>,
}

/// What a person wants of pushes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PushWishes {
    /// So long no device has been connected, in seconds.
    pub after_s: u32,
    /// Whether a push says who wrote.
    pub show_sender: bool,
    /// Rooms that are silent, and until when, milliseconds since 1970.
    pub muted: Vec<(RoomId, u64)>,
}

/// Messages that somebody was not told of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct News {
    /// How many.
    pub count: u32,
    /// Who wrote the newest.
    pub sender: AccountId,
}

/// Where a person wants to be told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PushTarget {
    /// Its name.
    pub id: TargetId,
    /// Whose it is.
    pub account: AccountId,
    /// Which kind, and where. A secret: it holds keys.
    pub place: Place,
    /// Milliseconds since 1970.
    pub created_at: u64,
    /// Why the last push did not arrive; none if it did.
    pub failure: Option<String>,
    /// What is on its way there.
    pub out: Option<PushOut>,
}

/// A push on its way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct PushOut {
    /// The same for every try: a receiver can tell that it saw it before.
    pub id: PushId,
    /// What it tells of.
    pub news: News,
    /// How often it was tried.
    pub tries: u32,
    /// A try has begun, and has not ended as far as is known here.
    pub begun: bool,
    /// It may have arrived, with a try that has ended in whatever way.
    pub unsure: bool,
}

/// A change.
#[derive(Debug, Clone)]
pub enum PushRow {
    /// Adds or changes a person.
    Person(PushPerson),
    /// Changes what waits for a person, and not what they wish.
    Waiting(AccountId, Option<News>),
    /// Adds or changes a target.
    Target(PushTarget),
    /// Forgets a target.
    TargetGone(TargetId),
    /// The key by which push services know the relay, in PKCS #8.
    VapidKey(Vec<u8>),
}

/// Reading it.
pub trait Pushes {
    /// All who ever had a target, by account.
    fn push_people(&self) -> Result<Vec<PushPerson>, StoreError>;
    /// One of them.
    fn push_person(&self, account: &AccountId) -> Result<Option<PushPerson>, StoreError>;
    /// The targets of a person, the oldest first.
    fn push_targets(&self, account: &AccountId) -> Result<Vec<PushTarget>, StoreError>;
    /// The key by which push services know the relay, in PKCS #8; none before it is first needed.
    fn vapid_key(&self) -> Result<Option<Vec<u8>>, StoreError>;

    /// Whether a person is still to be told of something.
    fn is_anything_left_to_tell(&self, account: &AccountId) -> Result<bool, StoreError> {
        let Some(person) = self.push_person(account)? else { return Ok(false) };
        Ok(person.waiting.is_some() || self.push_targets(account)?.iter().any(|target| target.out.is_some()))
    }

    /// All of them, each with their targets.
    fn pushes(&self) -> Result<Vec<(PushPerson, Vec<PushTarget>)>, StoreError> {
        let with_targets = |person: PushPerson| {
            let targets = self.push_targets(&person.account)?;
            Ok((person, targets))
        };
        self.push_people()?.into_iter().map(with_targets).collect()
    }
}

impl Default for PushWishes {
    fn default() -> Self {
        Self { after_s: 30, show_sender: false, muted: Vec::new() }
    }
}

impl PushWishes {
    /// Whether they want to hear nothing of a room.
    pub fn is_muted(&self, room: &RoomId, now: u64) -> bool {
        self.muted.iter().any(|(muted, until)| muted == room && *until > now)
    }
}

impl PushOut {
    /// Nobody knows whether it arrived.
    pub fn may_have_arrived(&self) -> bool {
        self.begun || self.unsure
    }
}

impl News {
    /// Both together; `newer` came later.
    #[must_use]
    pub fn and(self, newer: Self) -> Self {
        Self { count: self.count.saturating_add(newer.count), sender: newer.sender }
    }
}
