//! The audit log: what changed who may come in, and what they may do. It is written in one group with the change itself,
//! so that neither is there without the other, and nothing switches it off.

pub use kith_protocol::admin::AuditEvent;

use kith_protocol::ids::AccountId;

/// One change. Accounts, devices and rooms are named by their ids, invites by [`super::InviteRow::id`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditRecord {
    /// Milliseconds since 1970, by the relay's clock.
    pub at: u64,
    /// Who did it; `None`: the operator.
    pub by: Option<AccountId>,
    pub event: AuditEvent,
}
