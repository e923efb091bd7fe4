use super::{AccountId, DeviceId, Millis, RoomId};
use serde::{Deserialize, Serialize};
use specta::Type;

/// What an account may do on its relay, apart from its rooms.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub enum RelayRole {
    /// Uses it.
    Member,
    /// Administers it.
    Admin,
    /// Set it up.
    Owner,
}

/// An account of the relay, as its admins see it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct RelayUser {
    /// The account.
    pub account: AccountId,
    /// The handle without `@`.
    pub handle: String,
    /// The display name, without characters that hide or turn around.
    pub name: String,
    /// What it may do.
    pub role: RelayRole,
    /// Whether it may connect.
    pub enabled: bool,
    /// Live ones.
    pub devices: u32,
    /// Those that it is in.
    pub rooms: u32,
    /// When it came.
    pub joined_at: Millis,
    /// Bytes that it holds on the relay.
    #[specta(type = u32)]
    pub held: u64,
    /// Bytes that it may hold; none: as many as there is room for.
    #[specta(type = Option<u32>)]
    pub quota: Option<u64>,
    /// Whether that was set for them, and is not what holds for all.
    pub own_quota: bool,
}

/// How much somebody may hold, apart from what holds for all.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Type)]
pub struct RelayShare {
    /// None: as much as there is room for.
    #[specta(type = Option<u32>)]
    pub bytes: Option<u64>,
}

/// What is kept of a room, apart from what holds for all; with neither of them, all of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Type)]
pub struct RelayKeep {
    /// Messages of the last so many days.
    pub days: Option<u32>,
    /// The newest of them that are so many bytes together.
    #[specta(type = Option<u32>)]
    pub bytes: Option<u64>,
}

/// A device of somebody's.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct RelayDevice {
    /// Its id.
    pub id: DeviceId,
    /// What it is called.
    pub name: String,
    /// Whether it is the recovery key.
    pub recovery: bool,
    /// When it came.
    pub added_at: Millis,
    /// By its owner, or shut out by an admin.
    pub gone: bool,
}

/// An invite that can still be used, whoever made it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct RelayInvite {
    /// Names it without giving it away.
    pub id: String,
    /// The link to give away.
    pub link: String,
    /// What newcomers become.
    pub role: RelayRole,
    /// How many more accounts may come with it.
    pub uses: u32,
    /// When it ends.
    pub expires_at: Millis,
    /// Who made it; none: the operator.
    pub by: Option<String>,
}

/// A room of the relay. What it is called is not the relay's to know.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct RelayRoom {
    /// The room.
    pub room: RoomId,
    /// A group, a direct chat, or somebody's own.
    pub kind: RelayRoomKind,
    /// How many.
    pub members: u32,
    /// How many it has.
    pub entries: u32,
    /// What is kept of it; none: what holds for all.
    pub keep: Option<RelayKeep>,
}

/// What a room of the relay is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Type)]
#[serde(rename_all = "camelCase")]
pub enum RelayRoomKind {
    /// A group.
    Group,
    /// Two people.
    Direct,
    /// Somebody's own.
    Own,
}

/// An integration.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct Hook {
    /// Its account.
    pub account: AccountId,
    /// Its handle without `@`.
    pub handle: String,
    /// What it is called, without characters that hide or turn around.
    pub name: String,
    /// Where it writes.
    pub room: RoomId,
    /// Whether it can.
    pub state: HookState,
    /// Who made it; none: the operator.
    pub by: Option<String>,
    /// When it was made.
    pub created_at: Millis,
    /// When a program wrote last.
    pub used_at: Option<Millis>,
}

/// Whether an integration can write.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Type)]
#[serde(rename_all = "camelCase")]
pub enum HookState {
    /// It can.
    Good,
    /// Nobody has added it to its room, or somebody removed it.
    Outside,
    /// Its address is good for nothing.
    Revoked,
}

/// An integration that was just made.
#[derive(Clone, PartialEq, Eq, Serialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct NewHook {
    /// Its account.
    pub account: AccountId,
    /// Its handle without `@`.
    pub handle: String,
    /// Where a program posts to: show it once, it is a secret.
    pub url: String,
    /// A line for a shell that writes "Hello" there.
    pub curl: String,
    /// Whether it can write already, or has to be added to the room by one of its admins.
    pub is_member: bool,
}

/// What is announced to everybody on a relay.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Type)]
pub struct Announcement {
    /// When it was made; tells it from others.
    pub at: Millis,
    /// What it says: some lines, without characters that hide or turn around.
    pub text: String,
    /// When it ends; none: when it is withdrawn.
    pub until: Option<Millis>,
}

/// A connection to the relay.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct RelaySession {
    /// Whose.
    pub account: AccountId,
    /// Their handle without `@`.
    pub handle: String,
    /// The device.
    pub device: DeviceId,
    /// What it is called.
    pub device_name: String,
    /// From where.
    pub address: Option<String>,
    /// Since when.
    pub since: Option<Millis>,
    /// From the keyboard.
    pub away: bool,
}

/// Something that the relay refused lately.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct RelayRefusal {
    /// Why, as the metrics count it.
    pub code: String,
    /// Whom it met: a handle, if they had proved who they are.
    pub handle: Option<String>,
    /// Else where they came from.
    pub address: Option<String>,
    /// The last time.
    pub at: Millis,
    /// How often since the relay was started.
    pub times: u32,
}

/// A record of the audit log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct AuditRecord {
    /// When.
    pub at: Millis,
    /// Who did it, by handle; none: the operator.
    pub by: Option<String>,
    /// Whom it happened to, by handle.
    pub subject: Option<String>,
    /// What was done.
    pub event: AuditEvent,
}

/// What was done.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Type)]
#[serde(tag = "kind", rename_all = "camelCase")]
pub enum AuditEvent {
    /// An invite was made.
    InviteMade {
        /// For how many.
        uses: u32,
        /// What they become.
        role: RelayRole,
    },
    /// An invite was taken back.
    InviteRevoked,
    /// The subject came.
    Joined,
    /// The subject has another handle.
    HandleChanged {
        /// Before.
        from: String,
        /// Since.
        to: String,
    },
    /// The subject may do other things.
    RoleChanged {
        /// From then on.
        role: RelayRole,
    },
    /// The subject was shut out.
    AccountDisabled,
    /// The subject was let in again.
    AccountEnabled,
    /// The subject has one more device.
    DeviceAdded,
    /// The subject signed a device out.
    DeviceRevoked,
    /// A device of the subject was shut out.
    DeviceBlocked,
    /// The subject is a new integration.
    HookMade,
    /// The subject is an integration no longer.
    HookRevoked,
    /// A room keeps something else.
    KeepChanged,
    /// The subject may hold another share of the disk.
    ShareChanged,
    /// The operator changed the configuration.
    ConfigurationChanged {
        /// What of it.
        keys: String,
    },
    /// Something was announced to everybody.
    Announced,
    /// That was withdrawn.
    AnnouncementWithdrawn,
    /// Something that only a newer Kith knows.
    Other,
}
