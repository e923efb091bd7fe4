//! The audit log: what changed who may come in, and what they may do. It is written in one group with the change itself,
//! so that neither is there without the other, and nothing switches it off.

use super::RelayRole;
use super::retention::{Keep, Share};
use kith_protocol::ids::AccountId;
use serde::{Deserialize, Serialize};

/// One change. Accounts, devices and rooms are named by their ids, invites by [`super::InviteRow::id`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditRecord {
    /// Milliseconds since 1970, by the relay's clock.
    pub at: u64,
    /// Who did it; `None`: the operator.
    pub by: Option<AccountId>,
    pub event: AuditEvent,
}

/// What was done. Stored as JSON: fields are added, never renamed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "kebab-case")]
pub enum AuditEvent {
    InviteMade {
        invite: String,
        uses: u32,
        role: RelayRole,
        expires_ms: u64,
    },
    InviteRevoked {
        invite: String,
    },
    Joined {
        account: String,
        handle: String,
        invite: String,
        role: RelayRole,
    },
    HandleChanged {
        account: String,
        from: String,
        to: String,
    },
    RoleChanged {
        account: String,
        role: RelayRole,
    },
    AccountDisabled {
        account: String,
    },
    AccountEnabled {
        account: String,
    },
    DeviceAdded {
        account: String,
        device: String,
    },
    /// By its account, for ever.
    DeviceRevoked {
        account: String,
        device: String,
    },
    /// By the operator.
    DeviceBlocked {
        account: String,
        device: String,
    },
    /// An integration, which writes into this room for a program.
    HookMade {
        account: String,
        room: String,
    },
    HookRevoked {
        account: String,
    },
    /// What a room keeps; none: what holds for all.
    KeepChanged {
        room: String,
        keep: Option<Keep>,
    },
    /// What an account may hold; none: what holds for all.
    ShareChanged {
        account: String,
        share: Option<Share>,
    },
    /// The keys that were taken up.
    ConfigurationChanged {
        keys: Vec<String>,
    },
}

impl AuditEvent {
    /// The account that it happened to.
    pub fn account(&self) -> Option<&str> {
        match self {
            Self::Joined { account, .. }
            | Self::HandleChanged { account, .. }
            | Self::RoleChanged { account, .. }
            | Self::AccountDisabled { account }
            | Self::AccountEnabled { account }
            | Self::DeviceAdded { account, .. }
            | Self::DeviceRevoked { account, .. }
            | Self::DeviceBlocked { account, .. }
            | Self::HookMade { account, .. }
            | Self::HookRevoked { account }
            | Self::ShareChanged { account, .. } => Some(account),
            Self::InviteMade { .. }
            | Self::InviteRevoked { .. }
            | Self::KeepChanged { .. }
            | Self::ConfigurationChanged { .. } => None,
        }
    }
}
