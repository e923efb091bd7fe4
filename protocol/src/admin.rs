//! What those who administer a relay ask of it, and what it answers: its operator, on the relay's machine, in JSON lines
//! over a local socket; its admins, from anywhere, inside [`Administer`](crate::frame::Administer).

mod audit;
mod rows;

pub use audit::AuditEvent;
pub use rows::*;

use bytes::Bytes;
use serde::{Deserialize, Serialize};
use std::str::FromStr;

/// Something to be done, or to be told.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "do", rename_all = "kebab-case")]
pub enum AdminRequest {
    /// Make an invite.
    Invite(NewInvite),
    /// Those that can still be used.
    Invites,
    /// Take an invite back.
    InviteRevoke {
        /// The beginning of an id.
        invite: String,
    },
    /// All accounts.
    Users,
    /// Let somebody in again.
    UserEnable {
        /// A handle (with or without @) or an account id.
        user: String,
    },
    /// Shut somebody out, with all devices.
    UserDisable {
        /// As above.
        user: String,
    },
    /// Change what somebody may do on the relay.
    UserRole {
        /// As above.
        user: String,
        /// What from now on.
        role: RelayRole,
    },
    /// Change what somebody may hold.
    UserQuota {
        /// As above.
        user: String,
        /// None: what holds for all.
        share: Option<Share>,
    },
    /// Of one user, or of all.
    Devices {
        /// As above.
        user: Option<String>,
    },
    /// Shut a device out.
    DeviceRevoke {
        /// Its id, or the beginning of it.
        device: String,
    },
    /// All rooms.
    Rooms,
    /// Change what a room keeps.
    RoomKeep {
        /// Its id.
        room: String,
        /// None: what holds for all.
        keep: Option<Keep>,
    },
    /// Who is connected now.
    Sessions,
    /// What was refused lately, the newest first.
    Refusals,
    /// Make an integration.
    HookCreate(NewHook),
    /// All integrations.
    Hooks,
    /// An integration's address is to be good for nothing.
    HookRevoke {
        /// The integration's handle (with or without @) or its account id.
        hook: String,
    },
    /// The newest records of the audit log, the oldest of them first.
    Audit {
        /// At most so many.
        limit: u32,
    },
    /// How the relay is.
    Stats,
    /// Say something to everybody, in the place of what was said before.
    Announce {
        /// At most [`crate::limits::ANNOUNCEMENT_BYTES_MAX`].
        text: String,
        /// For how long, in seconds; none: until it is withdrawn.
        for_s: Option<u64>,
    },
    /// Say it no longer.
    AnnouncementWithdraw,
    /// What is said to everybody.
    Announcement,
    /// Read the configuration again, as SIGHUP does. For the operator alone.
    Reload,
}

/// An invite to be made.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NewInvite {
    /// How many accounts may come with it.
    pub uses: u32,
    /// For how long, in seconds.
    pub expires_s: u64,
    /// What they become.
    pub role: RelayRole,
    /// A room to enter at once, by id.
    pub room: Option<String>,
}

/// An integration to be made.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NewHook {
    /// What the integration is called.
    pub name: String,
    /// One of these two: a room by id, or a person by handle.
    pub room: Option<String>,
    /// The other one.
    pub user: Option<String>,
}

/// What an account may do on the relay, apart from its rooms.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum RelayRole {
    /// Uses it.
    #[default]
    Member,
    /// Also invites others, and administers it.
    Admin,
    /// Set it up.
    Owner,
}

impl RelayRole {
    /// All of them, the least first, as they are written.
    pub const NAMES: [&str; 3] = ["member", "admin", "owner"];
}

/// Why a text is no role.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a role is one of {}", RelayRole::NAMES.join(", "))]
pub struct NoRole;

impl FromStr for RelayRole {
    type Err = NoRole;

    fn from_str(text: &str) -> Result<Self, NoRole> {
        match text {
            "member" => Ok(Self::Member),
            "admin" => Ok(Self::Admin),
            "owner" => Ok(Self::Owner),
            _ => Err(NoRole),
        }
    }
}

/// How much of a room's messages is kept; what is `None` sets no bound.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Keep {
    /// Those that came in the last so many days.
    pub days: Option<u32>,
    /// The newest of them that are so many bytes together.
    pub bytes: Option<u64>,
}

/// How many bytes an account may hold; `None` sets no bound.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Share {
    /// Together.
    pub bytes: Option<u64>,
}

impl Share {
    /// Whether who holds so many bytes should know that there is little left.
    pub fn is_nearly_used_up(self, held: u64) -> bool {
        self.bytes.is_some_and(|bytes| held > bytes / 10 * 9)
    }
}

/// What comes of a request.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "is", rename_all = "kebab-case")]
pub enum AdminResponse {
    /// The new one.
    Invite(InviteRow),
    /// Those that can still be used.
    Invites {
        /// Soonest to end first.
        invites: Vec<InviteRow>,
    },
    /// Accounts.
    Users {
        /// By handle.
        users: Vec<UserRow>,
    },
    /// Devices.
    Devices {
        /// By the handle of their account.
        devices: Vec<DeviceRow>,
    },
    /// Rooms.
    Rooms {
        /// By id.
        rooms: Vec<RoomRow>,
    },
    /// Connections.
    Sessions {
        /// Those that came first, first.
        sessions: Vec<SessionRow>,
    },
    /// What was refused.
    Refusals {
        /// The newest first.
        refusals: Vec<RefusalRow>,
    },
    /// The new one.
    Hook(NewHookRow),
    /// Integrations.
    Hooks {
        /// Revoked ones too.
        hooks: Vec<HookRow>,
    },
    /// The audit log.
    Audit {
        /// The oldest first.
        records: Vec<AuditRow>,
    },
    /// How the relay is.
    Stats {
        /// In numbers.
        stats: Stats,
    },
    /// What is said to everybody.
    Announcement {
        /// If something is.
        announcement: Option<AnnouncementRow>,
    },
    /// It is done.
    Done {
        /// What is, in a sentence.
        message: String,
    },
    /// It is not.
    Error(AdminError),
}

/// Why a request was not done. The code is for programs, the message for people.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[error("{message}")]
pub struct AdminError {
    /// `denied`, `not-found`, `bad-request`, ...: more may come.
    pub code: String,
    /// What happened, and what to do.
    pub message: String,
}

impl AdminRequest {
    /// As it stands in a frame.
    pub fn encode(&self) -> Bytes {
        written(self)
    }

    /// Reads it; one of a newer version is an error.
    pub fn decode(bytes: &[u8]) -> Result<Self, Unreadable> {
        read(bytes)
    }
}

impl AdminResponse {
    /// Why it is not done.
    pub fn error(code: &str, message: impl Into<String>) -> Self {
        Self::Error(AdminError { code: code.to_owned(), message: message.into() })
    }

    /// As it stands in frames, cut into parts.
    pub fn encode(&self) -> Bytes {
        written(self)
    }

    /// Reads what all parts hold together.
    pub fn decode(bytes: &[u8]) -> Result<Self, Unreadable> {
        read(bytes)
    }
}

/// Bytes that are no request, or no answer, of this version.
#[derive(Debug, thiserror::Error)]
#[error("this is of another version")]
pub struct Unreadable;

/// MessagePack with named fields, like frames; addresses as text, which is what a tagged union can read.
fn written(value: &impl Serialize) -> Bytes {
    let mut out = Vec::with_capacity(128);
    let mut serializer = rmp_serde::Serializer::new(&mut out).with_struct_map().with_human_readable();
    value.serialize(&mut serializer).expect("there is nothing in it that MessagePack cannot hold");
    out.into()
}

fn read<'a, T: Deserialize<'a>>(bytes: &'a [u8]) -> Result<T, Unreadable> {
    let mut deserializer = rmp_serde::Deserializer::from_read_ref(bytes).with_human_readable();
    T::deserialize(&mut deserializer).map_err(|_| Unreadable)
}
