//! The rows of answers: also what `--json` prints. Fields are added, never renamed.

use super::{AuditEvent, Keep, RelayRole};
use serde::{Deserialize, Serialize};
use std::net::IpAddr;

/// An invite that can still be used.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct InviteRow {
    /// Names it without giving it away.
    pub id: String,
    /// `kith://join?...`: everything that a newcomer needs. A secret until it is used.
    pub link: String,
    /// The same for a browser, where the relay's certificate is one that browsers trust.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub page: Option<String>,
    /// What newcomers become.
    pub role: RelayRole,
    /// How many accounts may still come with it.
    pub uses: u32,
    /// When it ends, milliseconds since 1970.
    pub expires_ms: u64,
    /// Where they are led to, by id.
    pub room: Option<String>,
    /// The handle of who made it; none: the operator.
    pub by: Option<String>,
}

/// An account.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct UserRow {
    /// Without `@`.
    pub handle: String,
    /// Its id.
    pub account: String,
    /// The display name.
    pub name: String,
    /// What it may do on the relay.
    pub role: RelayRole,
    /// Whether it may connect.
    pub enabled: bool,
    /// Live ones.
    pub devices: u64,
    /// Those that it is in, its own included.
    pub rooms: u64,
    /// When it came, milliseconds since 1970.
    pub joined_ms: u64,
    /// Bytes that what they wrote takes.
    #[serde(default)]
    pub held: u64,
    /// Bytes that it may take; none: as many as there is room for.
    #[serde(default)]
    pub quota: Option<u64>,
    /// Whether that was set for them, and is not what holds for all.
    #[serde(default)]
    pub own_quota: bool,
    /// Whether it is an integration.
    #[serde(default)]
    pub integration: bool,
}

/// A device of some account.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeviceRow {
    /// Its id.
    pub device: String,
    /// What it is called.
    pub name: String,
    /// Whose it is.
    pub handle: String,
    /// Whose it is.
    pub account: String,
    /// `personal` or `recovery`.
    pub kind: String,
    /// When it was added, milliseconds since 1970.
    pub added_ms: u64,
    /// By its owner: for ever.
    pub revoked: bool,
    /// By the operator of this relay.
    pub blocked: bool,
}

/// A room.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RoomRow {
    /// Its id.
    pub room: String,
    /// `group`, `direct` or `own`.
    pub kind: String,
    /// How many there are.
    pub members: u64,
    /// The newest entry's place: also how many there are.
    pub seq: u64,
    /// The place of its newest register.
    pub rev: u64,
    /// What the operator wants kept of it; none: what holds for all rooms.
    pub keep: Option<Keep>,
    /// Up to which place its messages were forgotten.
    pub forgotten: u64,
}

/// A connection.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SessionRow {
    /// Whose it is.
    pub handle: String,
    /// Whose it is.
    pub account: String,
    /// The device's name.
    pub name: String,
    /// The device's id.
    pub device: String,
    /// The client's, not the proxy's.
    pub address: Option<IpAddr>,
    /// Since when, milliseconds since 1970.
    pub since_ms: Option<u64>,
    /// The version of the protocol that is spoken.
    pub version: u16,
    /// Away from the keyboard.
    pub away: bool,
}

/// Something that was refused, once or several times.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RefusalRow {
    /// The label that the metrics count it under.
    pub code: String,
    /// Whom it met; a device that has proved itself is told by its account, others by their address.
    pub handle: Option<String>,
    /// Its id.
    pub device: Option<String>,
    /// Where it came from.
    pub address: Option<IpAddr>,
    /// The last time.
    pub at_ms: u64,
    /// How often, since the relay was started.
    pub times: u64,
}

/// An integration, just made. The address is shown this once.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NewHookRow {
    /// Its handle, without `@`.
    pub handle: String,
    /// Its account.
    pub account: String,
    /// Where it writes.
    pub room: String,
    /// Where a program posts to: who knows it can write into the room.
    pub url: String,
    /// For `curl --insecure --pinnedpubkey`, if the relay has a key of its own.
    pub pin: Option<String>,
    /// Whether it can write already, or has to be added to the room by one of its admins.
    pub is_member: bool,
}

impl NewHookRow {
    /// A command to try it with.
    pub fn curl(&self) -> String {
        let pin = self.pin.as_ref().map(|pin| format!("--insecure --pinnedpubkey '{pin}' "));
        format!("curl {}-d 'Hello' {}", pin.unwrap_or_default(), self.url)
    }
}

/// An integration.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HookRow {
    /// Without `@`.
    pub handle: String,
    /// What it is called.
    pub name: String,
    /// Its account.
    pub account: String,
    /// Where it writes.
    pub room: String,
    /// `good`, `not in the room` or `revoked`.
    pub state: String,
    /// The handle of whoever made it; none: the operator.
    pub by: Option<String>,
    /// When it was made, milliseconds since 1970.
    pub created_ms: u64,
    /// 0: never.
    pub used_ms: u64,
}

/// A record of the audit log.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuditRow {
    /// Milliseconds since 1970.
    pub at_ms: u64,
    /// The handle, today, of who did it; none: the operator.
    pub by: Option<String>,
    /// The handle, today, of whom it happened to, if it happened to somebody.
    pub subject: Option<String>,
    /// What was done.
    #[serde(flatten)]
    pub event: AuditEvent,
}

/// What is said to everybody.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AnnouncementRow {
    /// What it says.
    pub text: String,
    /// When it was made, milliseconds since 1970.
    pub at_ms: u64,
    /// When it ends; none: when it is withdrawn.
    pub until_ms: Option<u64>,
    /// The handle of who made it; none: the operator.
    pub by: Option<String>,
}

/// The certificate in use.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct CertificateStats {
    /// None if there is none yet.
    pub ends_ms: Option<u64>,
    /// Why the last order at an authority failed, with what to do, and when it is tried again.
    pub failure: Option<String>,
    /// When it is tried again, milliseconds since 1970.
    pub again_ms: Option<u64>,
}

/// How the relay is.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stats {
    /// The relay's own.
    pub version: String,
    /// Where it listens.
    pub listen: String,
    /// What stands in links: `ws://127.0.0.1:7443`.
    pub url: String,
    /// Where the metrics are, if anywhere.
    pub metrics: Option<String>,
    /// Since its start.
    pub uptime_s: u64,
    /// Those that have not proved a device yet included.
    pub connections: u64,
    /// Those that have.
    pub identified: u64,
    /// Accounts with a connection.
    pub online_accounts: u64,
    /// All of them.
    pub accounts: u64,
    /// All of them, the accounts' own included.
    pub rooms: u64,
    /// In all timelines.
    pub entries: u64,
    /// On disk.
    pub database_bytes: u64,
    /// Left on the disk.
    pub free_bytes: u64,
    /// Accounts that have used up more than nine tenths of their quota.
    #[serde(default)]
    pub nearly_full_accounts: u64,
    /// Whether writes can be stored.
    pub well: bool,
    /// None where connections are plain, or a key of the relay's own counts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub certificate: Option<CertificateStats>,
    /// The identity of the logs; a restored copy has a new one.
    pub incarnation: String,
}
