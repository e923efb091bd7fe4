//! Answers as people read them.

use std::{
    fmt::Write as _,
    time::{Duration, UNIX_EPOCH},
};

use crate::{
    admin::{
        AdminResponse, AuditRow, CertificateStats, DeviceRow, HookRow, InviteRow, NewHookRow, RefusalRow,
        RelayRole, RoomRow, SessionRow, Stats, UserRow,
    },
    store::{
        AuditEvent,
        retention::{Keep, Share},
    },
};

pub(super) fn as_text(response: &AdminResponse) -> String {
    match response {
        AdminResponse::Invite(invite) => {
            let page = invite.page.as_ref().map(|page| format!("{page}\n")).unwrap_or_default();
            format!("{}\n{page}", invite.link)
        }
        AdminResponse::Invites { invites } => {
            table(["INVITE", "ROLE", "USES", "EXPIRES", "BY", "ROOM"], invites.iter().map(invite))
        }
        AdminResponse::Users { users } => table(
            ["HANDLE", "NAME", "ROLE", "STATE", "DEVICES", "ROOMS", "HOLDS", "OF", "JOINED", "ACCOUNT"],
            users.iter().map(user),
        ),
        AdminResponse::Devices { devices } => {
            table(["USER", "DEVICE", "KIND", "STATE", "ADDED", "ID"], devices.iter().map(device))
        }
        AdminResponse::Rooms { rooms } => {
            table(["KIND", "MEMBERS", "ENTRIES", "REV", "KEEPS", "FORGOTTEN", "ID"], rooms.iter().map(room))
        }
        AdminResponse::Sessions { sessions } => table(
            ["USER", "DEVICE", "ADDRESS", "SINCE", "PROTOCOL", "STATE", "ID"],
            sessions.iter().map(session),
        ),
        AdminResponse::Refusals { refusals } => {
            table(["LAST", "TIMES", "REASON", "WHOM", "DEVICE"], refusals.iter().map(refusal))
        }
        AdminResponse::Hook(hook) => hook_text(hook),
        AdminResponse::Hooks { hooks } => {
            table(["HANDLE", "NAME", "STATE", "MADE BY", "MADE", "USED", "ROOM"], hooks.iter().map(hook))
        }
        AdminResponse::Audit { records } => table(["WHEN", "BY", "WHAT"], records.iter().map(record)),
        AdminResponse::Stats { stats } => stats_text(stats),
        AdminResponse::Announcement { announcement: None } => "nothing is announced\n".to_owned(),
        AdminResponse::Announcement { announcement: Some(said) } => {
            let until = said
                .until_ms
                .map_or_else(|| "until it is withdrawn".to_owned(), |at| format!("until {}", time(at)));
            let by = said.by.as_ref().map_or_else(|| "the operator".to_owned(), |by| format!("@{by}"));
            format!("{}\n(by {by}, {until})\n", said.text)
        }
        AdminResponse::Done { message } => format!("{message}\n"),
        AdminResponse::Error(error) => format!("{error}\n"),
    }
}

fn invite(invite: &InviteRow) -> [String; 6] {
    [
        invite.id.clone(),
        role(invite.role),
        invite.uses.to_string(),
        time(invite.expires_ms),
        invite.by.as_ref().map_or_else(|| "the operator".to_owned(), |by| format!("@{by}")),
        or_dash(invite.room.as_ref()),
    ]
}

fn user(user: &UserRow) -> [String; 10] {
    [
        format!("@{}", user.handle),
        shown(&user.name),
        role(user.role),
        if user.enabled { "enabled" } else { "disabled" }.to_owned(),
        user.devices.to_string(),
        user.rooms.to_string(),
        held(user),
        user.quota.map_or_else(|| "-".to_owned(), mebibytes),
        time(user.joined_ms),
        user.account.clone(),
    ]
}

/// With what to look out for.
fn held(user: &UserRow) -> String {
    let share = Share { bytes: user.quota };
    let mark = if share.is_nearly_used_up(user.held) { " (!)" } else { "" };
    format!("{}{mark}", mebibytes(user.held))
}

fn device(device: &DeviceRow) -> [String; 6] {
    let state = match (device.revoked, device.blocked) {
        (true, _) => "revoked",
        (false, true) => "shut out",
        (false, false) => "good",
    };
    [
        format!("@{}", device.handle),
        shown(&device.name),
        device.kind.clone(),
        state.to_owned(),
        time(device.added_ms),
        device.device.clone(),
    ]
}

fn room(room: &RoomRow) -> [String; 7] {
    let counts = [room.members, room.seq, room.rev, room.forgotten].map(|count| count.to_string());
    let [members, seq, rev, forgotten] = counts;
    let kind = room.kind.clone();
    [kind, members, seq, rev, kept(room.keep.as_ref()), forgotten, room.room.clone()]
}

fn session(session: &SessionRow) -> [String; 7] {
    [
        format!("@{}", session.handle),
        shown(&session.name),
        or_dash(session.address.as_ref()),
        or_dash(session.since_ms.map(time).as_ref()),
        session.version.to_string(),
        if session.away { "away" } else { "here" }.to_owned(),
        session.device.clone(),
    ]
}

fn refusal(refusal: &RefusalRow) -> [String; 5] {
    let whom = refusal.handle.as_ref().map(|handle| format!("@{handle}"));
    [
        time(refusal.at_ms),
        refusal.times.to_string(),
        refusal.code.clone(),
        whom.unwrap_or_else(|| or_dash(refusal.address.as_ref())),
        or_dash(refusal.device.as_ref()),
    ]
}

fn hook(hook: &HookRow) -> [String; 7] {
    [
        format!("@{}", hook.handle),
        shown(&hook.name),
        hook.state.clone(),
        hook.by.as_ref().map_or_else(|| "operator".to_owned(), |by| format!("@{by}")),
        time(hook.created_ms),
        if hook.used_ms == 0 { "never".to_owned() } else { time(hook.used_ms) },
        hook.room.clone(),
    ]
}

fn record(record: &AuditRow) -> [String; 3] {
    let by = record.by.as_ref().map_or_else(|| "the operator".to_owned(), |by| format!("@{by}"));
    [time(record.at_ms), by, sentence(record)]
}

fn hook_text(hook: &NewHookRow) -> String {
    let mut text = format!(
        "{}\nWho knows this address can write as @{}. It is not shown again.\n",
        hook.url, hook.handle
    );
    if let Some(pin) = &hook.pin {
        text +=
            &format!("The relay has a key of its own; curl knows it by: --insecure --pinnedpubkey {pin}\n");
    }
    if !hook.is_member {
        let (room, handle) = (&hook.room, &hook.handle);
        text += &format!(
            "It can write once an admin of the room has added it: kith-cli room add {room} @{handle}\n"
        );
    }
    text
}

/// What was done, behind the name of who did it.
fn sentence(record: &AuditRow) -> String {
    let whom = record.subject.as_ref().map(|handle| format!("@{handle}"));
    let whom = whom.as_deref().or(record.event.account()).unwrap_or_default();
    match &record.event {
        AuditEvent::InviteMade { invite, uses, role: to, expires_ms } => {
            let to = role(*to);
            format!("made the invite {invite} for {uses} ({to}), good until {}", time(*expires_ms))
        }
        AuditEvent::InviteRevoked { invite } => format!("took back the invite {invite}"),
        AuditEvent::Joined { handle, invite, role: to, .. } => {
            format!("joined as @{handle} ({}) with the invite {invite}", role(*to))
        }
        AuditEvent::HandleChanged { from, to, .. } => format!("is @{to} now, and was @{from}"),
        AuditEvent::RoleChanged { role: to, .. } => format!("gave {whom} the role {}", role(*to)),
        AuditEvent::AccountDisabled { .. } => format!("shut out {whom}"),
        AuditEvent::AccountEnabled { .. } => format!("let {whom} in again"),
        AuditEvent::DeviceAdded { device, .. } => format!("added the device {device}"),
        AuditEvent::DeviceRevoked { device, .. } => format!("revoked the device {device}"),
        AuditEvent::DeviceBlocked { device, .. } => format!("shut out the device {device} of {whom}"),
        AuditEvent::HookMade { room, .. } => format!("made the integration {whom} for the room {room}"),
        AuditEvent::HookRevoked { .. } => format!("revoked the integration {whom}"),
        AuditEvent::KeepChanged { room, keep } => {
            format!("set what the room {room} keeps: {}", kept(keep.as_ref()))
        }
        AuditEvent::ShareChanged { share, .. } => match share {
            None => format!("set what {whom} may hold: as all"),
            Some(Share { bytes: None }) => format!("set what {whom} may hold: as much as there is room for"),
            Some(Share { bytes: Some(bytes) }) => format!("set what {whom} may hold: {}", mebibytes(*bytes)),
        },
        AuditEvent::ConfigurationChanged { keys } => format!("changed {}", keys.join(", ")),
        AuditEvent::Announced { until_ms: Some(until) } => {
            format!("announced something until {}", time(*until))
        }
        AuditEvent::Announced { until_ms: None } => "announced something".to_owned(),
        AuditEvent::AnnouncementWithdrawn => "withdrew the announcement".to_owned(),
        AuditEvent::Other => "did something that a newer relay knows of".to_owned(),
    }
}

fn stats_text(stats: &Stats) -> String {
    let rows = [
        ("version", stats.version.clone()),
        ("listens on", stats.listen.clone()),
        ("in links", stats.url.clone()),
        ("metrics", stats.metrics.clone().unwrap_or_else(|| "off".to_owned())),
        ("up for", humantime::format_duration(Duration::from_secs(stats.uptime_s)).to_string()),
        (
            "connections",
            format!(
                "{} ({} identified, {} accounts)",
                stats.connections, stats.identified, stats.online_accounts
            ),
        ),
        ("accounts", stats.accounts.to_string()),
        ("rooms", stats.rooms.to_string()),
        ("entries", stats.entries.to_string()),
        ("database", mebibytes(stats.database_bytes)),
        ("free on disk", mebibytes(stats.free_bytes)),
        ("near quota", format!("{} accounts", stats.nearly_full_accounts)),
        ("storage", if stats.well { "good" } else { "refuses writes; see the log" }.to_owned()),
        ("certificate", stats.certificate.as_ref().map_or_else(|| "no dates".to_owned(), certificate)),
        ("logs' identity", stats.incarnation.clone()),
    ];
    rows.iter().fold(String::new(), |mut text, (name, value)| {
        let _ = writeln!(text, "{name:<15} {value}");
        text
    })
}

fn certificate(certificate: &CertificateStats) -> String {
    let ends = certificate.ends_ms.map_or_else(|| "none yet".to_owned(), |at| format!("until {}", time(at)));
    match &certificate.failure {
        Some(failure) => format!("{ends}; no new one: {failure}"),
        None => ends,
    }
}

pub(crate) fn mebibytes(bytes: u64) -> String {
    format!("{:.1} MiB", bytes as f64 / (1024.0 * 1024.0))
}

pub(crate) fn time(unix_ms: u64) -> String {
    humantime::format_rfc3339_seconds(UNIX_EPOCH + Duration::from_millis(unix_ms)).to_string()
}

fn role(role: RelayRole) -> String {
    format!("{role:?}").to_lowercase()
}

/// What a room keeps; none: what holds for all.
fn kept(keep: Option<&Keep>) -> String {
    match keep {
        None => "as all".to_owned(),
        Some(Keep { days: None, bytes: None }) => "for ever".to_owned(),
        Some(Keep { days, bytes }) => {
            let days = days.map(|days| format!("{days} days"));
            [days, bytes.map(mebibytes)].into_iter().flatten().collect::<Vec<_>>().join(", ")
        }
    }
}

fn or_dash(value: Option<&impl ToString>) -> String {
    value.map_or_else(|| "-".to_owned(), ToString::to_string)
}

/// What a person chose as a name must not steer the operator's terminal.
fn shown(name: &str) -> String {
    name.chars().map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect()
}

fn table<const N: usize>(head: [&str; N], rows: impl Iterator<Item = [String; N]>) -> String {
    let rows: Vec<[String; N]> = std::iter::once(head.map(str::to_owned)).chain(rows).collect();
    let widths: [usize; N] =
        std::array::from_fn(|column| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or(0));
    let mut text = String::new();
    for row in &rows {
        let cells = row.iter().zip(widths).map(|(cell, width)| format!("{cell:<width$}"));
        let line = cells.collect::<Vec<_>>().join("  ");
        let _ = writeln!(text, "{}", line.trim_end());
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_cannot_steer_a_terminal() {
        assert_eq!(shown("a\u{1b}[2Jb"), "a\u{fffd}[2Jb");
    }
}
