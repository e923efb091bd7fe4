//! What is said to everybody. There is one at most.

use kith_protocol::{frame, ids::AccountId};
use serde::{Deserialize, Serialize};

/// Stored as JSON: fields are added, never renamed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Announcement {
    pub text: String,
    /// Milliseconds since 1970; tells it from others.
    pub at: u64,
    /// `None`: until it is withdrawn.
    pub until: Option<u64>,
    /// Who says it; `None`: the operator.
    pub by: Option<AccountId>,
}

impl Announcement {
    /// Whether it is still said.
    pub fn holds(&self, now: u64) -> bool {
        self.until.is_none_or(|until| now < until)
    }

    /// On the wire.
    pub fn frame(&self) -> frame::Announcement {
        frame::Announcement { at: self.at, text: self.text.clone(), until: self.until.unwrap_or(0) }
    }
}
