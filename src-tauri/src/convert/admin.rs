//! What a relay tells its admins.

use crate::ipc::{
    Announcement, AuditEvent, AuditRecord, Hook, HookState, Millis, NewHook, RelayDevice, RelayInvite,
    RelayKeep, RelayRefusal, RelayRole, RelayRoom, RelayRoomKind, RelaySession, RelayUser,
};
use crate::names::plain;
use kith_protocol::admin::{self, AuditRow, DeviceRow, HookRow, InviteRow, NewHookRow, RefusalRow, RoomRow};
use kith_protocol::admin::{AnnouncementRow, SessionRow, UserRow};
use kith_protocol::frame;
use kith_protocol::limits::ANNOUNCEMENT_BYTES_MAX;

/// As long as names may be.
const NAME_CHARS: usize = 64;

pub(crate) fn role(role: admin::RelayRole) -> RelayRole {
    match role {
        admin::RelayRole::Member => RelayRole::Member,
        admin::RelayRole::Admin => RelayRole::Admin,
        admin::RelayRole::Owner => RelayRole::Owner,
    }
}

pub(crate) fn role_of(role: RelayRole) -> admin::RelayRole {
    match role {
        RelayRole::Member => admin::RelayRole::Member,
        RelayRole::Admin => admin::RelayRole::Admin,
        RelayRole::Owner => admin::RelayRole::Owner,
    }
}

/// `None` for a row that names no account.
pub(crate) fn user(row: UserRow) -> Option<RelayUser> {
    Some(RelayUser {
        account: id(&row.account)?,
        handle: row.handle,
        name: plain(&row.name, NAME_CHARS),
        role: role(row.role),
        enabled: row.enabled,
        devices: small(row.devices),
        rooms: small(row.rooms),
        joined_at: Millis(row.joined_ms),
        held: row.held,
        quota: row.quota,
        own_quota: row.own_quota,
    })
}

pub(crate) fn device(row: DeviceRow) -> Option<RelayDevice> {
    Some(RelayDevice {
        id: row.device.parse::<kith_protocol::ids::DeviceId>().ok()?.into(),
        name: plain(&row.name, NAME_CHARS),
        recovery: row.kind == "recovery",
        added_at: Millis(row.added_ms),
        gone: row.revoked || row.blocked,
    })
}

pub(crate) fn invite(row: InviteRow) -> RelayInvite {
    RelayInvite {
        id: row.id,
        link: row.page.unwrap_or(row.link),
        role: role(row.role),
        uses: row.uses,
        expires_at: Millis(row.expires_ms),
        by: row.by,
    }
}

pub(crate) fn room(row: RoomRow) -> Option<RelayRoom> {
    Some(RelayRoom {
        room: room_id(&row.room)?,
        kind: match row.kind.as_str() {
            "group" => RelayRoomKind::Group,
            "direct" => RelayRoomKind::Direct,
            _ => RelayRoomKind::Own,
        },
        members: small(row.members),
        entries: small(row.seq),
        keep: row.keep.map(|admin::Keep { days, bytes }| RelayKeep { days, bytes }),
    })
}

pub(crate) fn hook(row: HookRow) -> Option<Hook> {
    Some(Hook {
        account: id(&row.account)?,
        handle: row.handle,
        name: plain(&row.name, NAME_CHARS),
        room: room_id(&row.room)?,
        state: match row.state.as_str() {
            "good" => HookState::Good,
            "revoked" => HookState::Revoked,
            _ => HookState::Outside,
        },
        by: row.by,
        created_at: Millis(row.created_ms),
        used_at: (row.used_ms > 0).then_some(Millis(row.used_ms)),
    })
}

pub(crate) fn new_hook(row: NewHookRow) -> Option<NewHook> {
    Some(NewHook {
        account: id(&row.account)?,
        curl: row.curl(),
        handle: row.handle,
        url: row.url,
        is_member: row.is_member,
    })
}

pub(crate) fn session(row: SessionRow) -> Option<RelaySession> {
    Some(RelaySession {
        account: id(&row.account)?,
        handle: row.handle,
        device: row.device.parse::<kith_protocol::ids::DeviceId>().ok()?.into(),
        device_name: plain(&row.name, NAME_CHARS),
        address: row.address.map(|address| address.to_string()),
        since: row.since_ms.map(Millis),
        away: row.away,
    })
}

pub(crate) fn refusal(row: RefusalRow) -> RelayRefusal {
    RelayRefusal {
        code: row.code,
        handle: row.handle,
        address: row.address.map(|address| address.to_string()),
        at: Millis(row.at_ms),
        times: small(row.times),
    }
}

pub(crate) fn record(row: AuditRow) -> AuditRecord {
    AuditRecord { at: Millis(row.at_ms), by: row.by, subject: row.subject, event: event(row.event) }
}

fn event(event: admin::AuditEvent) -> AuditEvent {
    use admin::AuditEvent as Told;
    match event {
        Told::InviteMade { uses, role: becomes, .. } => AuditEvent::InviteMade { uses, role: role(becomes) },
        Told::InviteRevoked { .. } => AuditEvent::InviteRevoked,
        Told::Joined { .. } => AuditEvent::Joined,
        Told::HandleChanged { from, to, .. } => AuditEvent::HandleChanged { from, to },
        Told::RoleChanged { role: new, .. } => AuditEvent::RoleChanged { role: role(new) },
        Told::AccountDisabled { .. } => AuditEvent::AccountDisabled,
        Told::AccountEnabled { .. } => AuditEvent::AccountEnabled,
        Told::DeviceAdded { .. } => AuditEvent::DeviceAdded,
        Told::DeviceRevoked { .. } => AuditEvent::DeviceRevoked,
        Told::DeviceBlocked { .. } => AuditEvent::DeviceBlocked,
        Told::HookMade { .. } => AuditEvent::HookMade,
        Told::HookRevoked { .. } => AuditEvent::HookRevoked,
        Told::KeepChanged { .. } => AuditEvent::KeepChanged,
        Told::ShareChanged { .. } => AuditEvent::ShareChanged,
        Told::ConfigurationChanged { keys } => {
            AuditEvent::ConfigurationChanged { keys: plain(&keys.join(", "), NAME_CHARS) }
        }
        Told::Announced { .. } => AuditEvent::Announced,
        Told::AnnouncementWithdrawn => AuditEvent::AnnouncementWithdrawn,
        Told::Other => AuditEvent::Other,
    }
}

/// As the relay pushes it.
pub(crate) fn announcement(said: &frame::Announcement) -> Announcement {
    Announcement {
        at: Millis(said.at),
        text: lines(&said.text),
        until: (said.until > 0).then_some(Millis(said.until)),
    }
}

/// As an admin asks for it.
pub(crate) fn announcement_row(row: &AnnouncementRow) -> Announcement {
    Announcement { at: Millis(row.at_ms), text: lines(&row.text), until: row.until_ms.map(Millis) }
}

/// Several lines, each of them plain.
fn lines(text: &str) -> String {
    text.lines().map(|line| plain(line, ANNOUNCEMENT_BYTES_MAX)).collect::<Vec<_>>().join("\n")
}

fn id(text: &str) -> Option<crate::ipc::AccountId> {
    text.parse::<kith_protocol::ids::AccountId>().ok().map(Into::into)
}

fn room_id(text: &str) -> Option<crate::ipc::RoomId> {
    text.parse::<kith_protocol::ids::RoomId>().ok().map(Into::into)
}

fn small(number: u64) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}
