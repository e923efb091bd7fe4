//! What the audit log tells of.

use super::{Keep, RelayRole, Share};
use serde::{Deserialize, Serialize};

/// What was done. Stored as JSON: fields are added, never renamed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "kebab-case")]
pub enum AuditEvent {
    /// An invite was made.
    InviteMade {
        /// Its id.
        invite: String,
        /// For how many accounts.
        uses: u32,
        /// Which role.
        role: RelayRole,
        /// When it ends, milliseconds since 1970.
        expires_ms: u64,
    },
    /// An invite was taken back.
    InviteRevoked {
        /// Its id.
        invite: String,
    },
    /// Somebody came.
    Joined {
        /// The account.
        account: String,
        /// The handle.
        handle: String,
        /// Its id.
        invite: String,
        /// Which role.
        role: RelayRole,
    },
    /// Somebody has another handle.
    HandleChanged {
        /// The account.
        account: String,
        /// Before.
        from: String,
        /// Since.
        to: String,
    },
    /// Somebody may do other things on the relay.
    RoleChanged {
        /// The account.
        account: String,
        /// Which role.
        role: RelayRole,
    },
    /// Somebody was shut out.
    AccountDisabled {
        /// The account.
        account: String,
    },
    /// Somebody was let in again.
    AccountEnabled {
        /// The account.
        account: String,
    },
    /// A device came to an account.
    DeviceAdded {
        /// The account.
        account: String,
        /// The device.
        device: String,
    },
    /// By its account, for ever.
    DeviceRevoked {
        /// The account.
        account: String,
        /// The device.
        device: String,
    },
    /// By the operator.
    DeviceBlocked {
        /// The account.
        account: String,
        /// The device.
        device: String,
    },
    /// An integration, which writes into this room for a program.
    HookMade {
        /// The account.
        account: String,
        /// The room.
        room: String,
    },
    /// An integration was revoked.
    HookRevoked {
        /// The account.
        account: String,
    },
    /// What a room keeps; none: what holds for all.
    KeepChanged {
        /// The room.
        room: String,
        /// From now on.
        keep: Option<Keep>,
    },
    /// What an account may hold; none: what holds for all.
    ShareChanged {
        /// The account.
        account: String,
        /// From now on.
        share: Option<Share>,
    },
    /// The keys that were taken up.
    ConfigurationChanged {
        /// By name.
        keys: Vec<String>,
    },
    /// Something is said to everybody.
    Announced {
        /// Until then, milliseconds since 1970; none: until it is withdrawn.
        until_ms: Option<u64>,
    },
    /// It is said no longer.
    AnnouncementWithdrawn,
    /// Something that only a newer version knows.
    #[serde(other)]
    Other,
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
            | Self::ConfigurationChanged { .. }
            | Self::Announced { .. }
            | Self::AnnouncementWithdrawn
            | Self::Other => None,
        }
    }
}
