//! What can be asked, and what comes back. The rows are also what `--json` prints: fields are added, never renamed.

use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "do", rename_all = "kebab-case")]
pub enum AdminRequest {
    Invite(NewInvite),
    Users,
    /// `user` is a handle (with or without @) or an account id.
    UserEnable {
        user: String,
    },
    UserDisable {
        user: String,
    },
    /// Of one user, or of all.
    Devices {
        user: Option<String>,
    },
    DeviceRevoke {
        device: String,
    },
    Rooms,
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
    Invite { link: String, uses: u32, expires_ms: u64 },
    Users { users: Vec<UserRow> },
    Devices { devices: Vec<DeviceRow> },
    Rooms { rooms: Vec<RoomRow> },
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
pub struct UserRow {
    pub handle: String,
    pub account: String,
    pub role: Role,
    pub enabled: bool,
    pub devices: u64,
    pub rooms: u64,
    pub joined_ms: u64,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeviceRow {
    pub device: String,
    pub name: String,
    pub handle: String,
    pub account: String,
    /// `app`, `recovery`, and whatever comes later.
    pub kind: String,
    pub connected: bool,
    pub revoked: bool,
    pub last_seen_ms: Option<u64>,
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
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stats {
    pub version: String,
    /// Where it listens: `ws://127.0.0.1:7443`.
    pub address: String,
    pub uptime_s: u64,
    pub connections: u64,
    pub identified: u64,
    pub accounts: u64,
    pub devices: u64,
    pub rooms: u64,
    pub entries: u64,
    pub registers: u64,
    pub database_bytes: u64,
    pub free_bytes: u64,
    /// The identity of the logs, as the protocol shows it.
    pub incarnation: String,
}
