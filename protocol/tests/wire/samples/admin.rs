//! One of everything that admins ask and are answered.

use super::ROOM;
use crate::people::{NOON, Person};
use kith_protocol::admin::*;

/// One of everything that an admin may ask.
pub(crate) fn requests() -> Vec<AdminRequest> {
    use AdminRequest as R;
    let user = || "@bob".to_owned();
    let role = RelayRole::Admin;
    let room = || Some(ROOM.to_string());
    vec![
        R::Invite(NewInvite { uses: 1, expires_s: 604_800, role, room: room() }),
        R::Invites,
        R::InviteRevoke { invite: "AwMDAwMD".into() },
        R::Users,
        R::UserEnable { user: user() },
        R::UserDisable { user: user() },
        R::UserRole { user: user(), role },
        R::UserQuota { user: user(), share: Some(Share { bytes: Some(1 << 31) }) },
        R::Devices { user: Some(user()) },
        R::DeviceRevoke { device: "0badcafe".into() },
        R::Rooms,
        R::RoomKeep { room: ROOM.to_string(), keep: Some(keep()) },
        R::Sessions,
        R::Refusals,
        R::HookCreate(NewHook { name: "Backup".into(), room: room(), user: None }),
        R::Hooks,
        R::HookRevoke { hook: "@backup".into() },
        R::Audit { limit: 100 },
        R::Stats,
        R::Announce { text: "Back at six".into(), for_s: Some(7200) },
        R::AnnouncementWithdraw,
        R::Announcement,
    ]
}

fn keep() -> Keep {
    Keep { days: Some(30), bytes: Some(1 << 20) }
}

/// One of everything that an admin may be answered.
#[allow(clippy::too_many_lines, reason = "one of everything")]
pub(crate) fn responses() -> Vec<AdminResponse> {
    use AdminResponse as R;
    let (account, device) = (Person::bob().id().to_string(), Person::bob().keys.id().to_string());
    let (handle, name, room) = ("bob".to_owned(), "Bob".to_owned(), ROOM.to_string());
    let address = || Some(std::net::IpAddr::from([192, 0, 2, 7]));
    let invite = InviteRow {
        id: "AwMDAwMD".into(),
        link: "kith://join?x".into(),
        page: Some("https://chat.example/i/x".into()),
        role: RelayRole::Member,
        uses: 1,
        expires_ms: NOON,
        room: Some(room.clone()),
        by: Some("alice".into()),
    };
    let user = UserRow {
        handle: handle.clone(),
        account: account.clone(),
        name: name.clone(),
        role: RelayRole::Owner,
        enabled: true,
        devices: 2,
        rooms: 3,
        joined_ms: NOON,
        integration: false,
        held: 1 << 20,
        quota: Some(1 << 31),
        own_quota: true,
    };
    let device_row = DeviceRow {
        device: device.clone(),
        name: "phone".into(),
        handle: handle.clone(),
        account: account.clone(),
        kind: "personal".into(),
        added_ms: NOON,
        revoked: false,
        blocked: true,
    };
    let room_row = RoomRow {
        room: room.clone(),
        kind: "group".into(),
        members: 2,
        seq: 70_000,
        rev: 300,
        keep: Some(keep()),
        forgotten: 5,
    };
    let session = SessionRow {
        handle: handle.clone(),
        account: account.clone(),
        name: "phone".into(),
        device: device.clone(),
        address: address(),
        since_ms: Some(NOON),
        version: 1,
        away: false,
    };
    let refusal = RefusalRow {
        code: "denied".into(),
        handle: Some(handle.clone()),
        device: Some(device),
        address: address(),
        at_ms: NOON,
        times: 3,
    };
    let hook = HookRow {
        handle: "backup".into(),
        name: "Backup".into(),
        account: account.clone(),
        room: room.clone(),
        state: "good".into(),
        by: None,
        created_ms: NOON,
        used_ms: 0,
    };
    let new_hook = NewHookRow {
        handle: "backup".into(),
        account: account.clone(),
        room,
        url: "https://chat.example/v1/hooks/x".into(),
        pin: Some("sha256//x".into()),
        is_member: false,
    };
    let record = AuditRow {
        at_ms: NOON,
        by: Some("alice".into()),
        subject: Some(handle),
        event: AuditEvent::RoleChanged { account, role: RelayRole::Admin },
    };
    let announcement =
        AnnouncementRow { text: "Back at six".into(), at_ms: NOON, until_ms: Some(NOON), by: None };
    let certificate =
        Some(CertificateStats { ends_ms: Some(NOON), failure: Some("no".into()), again_ms: Some(NOON) });
    vec![
        R::Invite(invite.clone()),
        R::Invites { invites: vec![invite] },
        R::Users { users: vec![user] },
        R::Devices { devices: vec![device_row] },
        R::Rooms { rooms: vec![room_row] },
        R::Sessions { sessions: vec![session] },
        R::Refusals { refusals: vec![refusal] },
        R::Hook(new_hook),
        R::Hooks { hooks: vec![hook] },
        R::Audit { records: vec![record] },
        R::Stats { stats: Stats { certificate, ..Stats::default() } },
        R::Announcement { announcement: Some(announcement) },
        R::Done { message: "done".into() },
        AdminResponse::error("denied", "only an owner makes admins"),
    ]
}
