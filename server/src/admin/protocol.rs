//! What can be asked, and what comes back. The rows are also what `--json` prints: fields are added, never renamed.

use std::net::IpAddr;

use serde::{Deserialize, Serialize};

use crate::store::{
    AuditEvent,
    retention::{Keep, Share},
};

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "do", rename_all = "kebab-case")]
pub enum AdminRequest {
    Invite(NewInvite),
    /// Those that can still be used.
    Invites,
    /// `invite` is the beginning of an id.
    InviteRevoke {
        invite: String,
    },
    Users,
    /// `user` is a handle (with or without @) or an account id.
    UserEnable {
        user: String,
    },
    UserDisable {
        user: String,
    },
    UserRole {
        user: String,
        role: Role,
    },
    /// What a user may hold; none: what holds for all.
    UserQuota {
        user: String,
        share: Option<Share>,
    },
    /// Of one user, or of all.
    Devices {
        user: Option<String>,
    },
    DeviceRevoke {
        device: String,
    },
    Rooms,
    /// What a room keeps; none: what holds for all.
    RoomKeep {
        room: String,
        keep: Option<Keep>,
    },
    /// Who is connected now.
    Sessions,
    /// What was refused lately, the newest first.
    Refusals,
    HookCreate(NewHook),
    Hooks,
    /// `hook` is the integration's handle (with or without @) or its account id.
    HookRevoke {
        hook: String,
    },
    /// The newest records of the audit log, the oldest of them first.
    Audit {
        limit: u32,
    },
    Stats,
    /// Read the configuration again, as SIGHUP does.
    Reload,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NewInvite {
    pub uses: u32,
    pub expires_s: u64,
    pub role: Role,
    /// A room to enter at once, by id.
    pub room: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NewHook {
    /// What the integration is called.
    pub name: String,
    /// One of these two: a room by id, or a person by handle.
    pub room: Option<String>,
    pub user: Option<String>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    #[default]
    Member,
    Admin,
    Owner,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "is", rename_all = "kebab-case")]
pub enum AdminResponse {
    Invite(InviteRow),
    Invites { invites: Vec<InviteRow> },
    Users { users: Vec<UserRow> },
    Devices { devices: Vec<DeviceRow> },
    Rooms { rooms: Vec<RoomRow> },
    Sessions { sessions: Vec<SessionRow> },
    Refusals { refusals: Vec<RefusalRow> },
    Hook(NewHookRow),
    Hooks { hooks: Vec<HookRow> },
    Audit { records: Vec<AuditRow> },
    Stats { stats: Stats },
    Done { message: String },
    Error(AdminError),
}

/// Why a command was not done. The code is for scripts, the message for people.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[error("{message}")]
pub struct AdminError {
    pub code: String,
    pub message: String,
}

impl AdminResponse {
    pub fn error(code: &str, message: impl Into<String>) -> Self {
        Self::Error(AdminError { code: code.to_owned(), message: message.into() })
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct InviteRow {
    /// Names it without giving it away.
    pub id: String,
    /// `kith://join?...`: everything that a newcomer needs. A secret until it is used.
    pub link: String,
    /// The same for a browser, where the relay's certificate is one that browsers trust.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub page: Option<String>,
    pub role: Role,
    pub uses: u32,
    pub expires_ms: u64,
    /// Where they are led to, by id.
    pub room: Option<String>,
    /// The handle of who made it; none: the operator.
    pub by: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct UserRow {
    pub handle: String,
    pub account: String,
    pub name: String,
    pub role: Role,
    pub enabled: bool,
    /// Live ones.
    pub devices: u64,
    pub rooms: u64,
    pub joined_ms: u64,
    /// Bytes that what they wrote takes.
    pub held: u64,
    /// Bytes that it may take; none: as many as there is room for.
    pub quota: Option<u64>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeviceRow {
    pub device: String,
    pub name: String,
    pub handle: String,
    pub account: String,
    /// `personal` or `recovery`.
    pub kind: String,
    pub added_ms: u64,
    /// By its owner: for ever.
    pub revoked: bool,
    /// By the operator of this relay.
    pub blocked: bool,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RoomRow {
    pub room: String,
    /// `group`, `direct` or `own`.
    pub kind: String,
    pub members: u64,
    /// The newest entry's place: also how many there are.
    pub seq: u64,
    pub rev: u64,
    /// What the operator wants kept of it; none: what holds for all rooms.
    pub keep: Option<Keep>,
    /// Up to which place its messages were forgotten.
    pub forgotten: u64,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SessionRow {
    pub handle: String,
    pub account: String,
    /// The device's name.
    pub name: String,
    pub device: String,
    /// The client's, not the proxy's.
    pub address: Option<IpAddr>,
    pub since_ms: Option<u64>,
    /// The version of the protocol that is spoken.
    pub version: u16,
    /// Away from the keyboard.
    pub away: bool,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RefusalRow {
    /// The label that the metrics count it under.
    pub code: String,
    /// Whom it met; a device that has proved itself is told by its account, others by their address.
    pub handle: Option<String>,
    pub device: Option<String>,
    pub address: Option<IpAddr>,
    /// The last time.
    pub at_ms: u64,
    /// How often, since the relay was started.
    pub times: u64,
}

/// An integration, just made. The address is shown this once.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NewHookRow {
    pub handle: String,
    pub account: String,
    pub room: String,
    /// Where a program posts to: who knows it can write into the room.
    pub url: String,
    /// For `curl --insecure --pinnedpubkey`, if the relay has a key of its own.
    pub pin: Option<String>,
    /// Whether it can write already, or has to be added to the room by one of its admins.
    pub is_member: bool,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HookRow {
    pub handle: String,
    pub name: String,
    pub account: String,
    pub room: String,
    /// `good`, `not in the room` or `revoked`.
    pub state: String,
    /// The handle of whoever made it; none: the operator.
    pub by: Option<String>,
    pub created_ms: u64,
    /// 0: never.
    pub used_ms: u64,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuditRow {
    pub at_ms: u64,
    /// The handle, today, of who did it; none: the operator.
    pub by: Option<String>,
    /// The handle, today, of whom it happened to, if it happened to somebody.
    pub subject: Option<String>,
    #[serde(flatten)]
    pub event: AuditEvent,
}

/// The certificate in use.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct CertificateStats {
    /// None if there is none yet.
    pub ends_ms: Option<u64>,
    /// Why the last order at an authority failed, with what to do, and when it is tried again.
    pub failure: Option<String>,
    pub again_ms: Option<u64>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stats {
    pub version: String,
    /// Where it listens.
    pub listen: String,
    /// What stands in links: `ws://127.0.0.1:7443`.
    pub url: String,
    pub metrics: Option<String>,
    pub uptime_s: u64,
    /// Those that have not proved a device yet included.
    pub connections: u64,
    pub identified: u64,
    pub online_accounts: u64,
    pub accounts: u64,
    pub rooms: u64,
    pub entries: u64,
    pub database_bytes: u64,
    pub free_bytes: u64,
    /// Accounts that have used up more than nine tenths of their quota.
    #[serde(default)]
    pub nearly_full_accounts: u64,
    pub well: bool,
    /// None where connections are plain, or a key of the relay's own counts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub certificate: Option<CertificateStats>,
    /// The identity of the logs; a restored copy has a new one.
    pub incarnation: String,
}
