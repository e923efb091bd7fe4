//! The commands that ask a running relay, and how their answers are shown.

use std::{
    fmt::{Display, Write as _},
    io::{self, Write},
    path::Path,
    time::{Duration, UNIX_EPOCH},
};

use serde::Serialize;

use crate::{
    admin::{
        AdminError, AdminRequest, AdminResponse, AskError, NewHook, NewHookRow, NewInvite, Role, Stats, ask,
    },
    args::{Devices, Hooks, Invite, Invites, Json, Rooms, Users},
};

#[derive(Debug, thiserror::Error)]
pub enum CommandError {
    #[error(transparent)]
    Ask(#[from] AskError),
    #[error(transparent)]
    Refused(#[from] AdminError),
    #[error("the relay runs, but refuses writes: make room on its disk, and see its log for the reason")]
    Unwell,
    #[error("the output cannot be written: {0}")]
    Output(#[from] io::Error),
}

/// Asks, and prints what comes back.
pub fn run(data: &Path, request: &AdminRequest, json: Json) -> Result<(), CommandError> {
    let response = answer(data, request)?;
    Ok(print(&if json.json { as_json(&response)? } else { as_text(&response) })?)
}

/// Asks whether all is well; it is an error if not.
pub fn health(data: &Path, json: Json) -> Result<(), CommandError> {
    let AdminResponse::Stats { stats: Stats { well, .. } } = answer(data, &AdminRequest::Stats)? else {
        return Err(CommandError::Unwell);
    };
    if json.json {
        print(&format!("{}\n", serde_json::json!({ "well": well })))?;
    }
    if well { Ok(()) } else { Err(CommandError::Unwell) }
}

fn answer(data: &Path, request: &AdminRequest) -> Result<AdminResponse, CommandError> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    match runtime.block_on(ask(data, request))? {
        AdminResponse::Error(error) => Err(error.into()),
        response => Ok(response),
    }
}

/// Prints what a command that needs no relay has done.
pub fn show<T: Display + Serialize>(what: &T, json: Json) -> io::Result<()> {
    print(&if json.json { serde_json::to_string(what)? + "\n" } else { what.to_string() })
}

/// Writes to standard output; a reader that has gone (`| head`) is no error.
pub fn print(text: &str) -> io::Result<()> {
    match io::stdout().lock().write_all(text.as_bytes()) {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        result => result,
    }
}

impl Invite {
    pub fn request(&self) -> AdminRequest {
        AdminRequest::Invite(NewInvite {
            uses: self.uses,
            expires_s: self.expires.as_secs(),
            role: self.role,
            room: self.room.clone(),
        })
    }
}

impl Invites {
    pub fn request(self) -> (AdminRequest, Json) {
        match self {
            Self::List(json) => (AdminRequest::Invites, json),
            Self::Revoke { invite, json } => (AdminRequest::InviteRevoke { invite }, json),
        }
    }
}

impl Users {
    pub fn request(self) -> (AdminRequest, Json) {
        match self {
            Self::List(json) => (AdminRequest::Users, json),
            Self::Role { user, role, json } => (AdminRequest::UserRole { user, role }, json),
            Self::Disable { user, json } => (AdminRequest::UserDisable { user }, json),
            Self::Enable { user, json } => (AdminRequest::UserEnable { user }, json),
        }
    }
}

impl Devices {
    pub fn request(self) -> (AdminRequest, Json) {
        match self {
            Self::List { user, json } => (AdminRequest::Devices { user }, json),
            Self::Revoke { device, json } => (AdminRequest::DeviceRevoke { device }, json),
        }
    }
}

impl Rooms {
    pub fn request(self) -> (AdminRequest, Json) {
        match self {
            Self::List(json) => (AdminRequest::Rooms, json),
        }
    }
}

impl Hooks {
    pub fn request(self) -> (AdminRequest, Json) {
        match self {
            Self::Create { name, room, user, json } => {
                (AdminRequest::HookCreate(NewHook { name, room, user }), json)
            }
            Self::List(json) => (AdminRequest::Hooks, json),
            Self::Revoke { hook, json } => (AdminRequest::HookRevoke { hook }, json),
        }
    }
}

/// Lists as arrays, the rest as one object, without the envelope.
fn as_json(response: &AdminResponse) -> io::Result<String> {
    fn line(value: &impl Serialize) -> io::Result<String> {
        Ok(serde_json::to_string(value)? + "\n")
    }
    match response {
        AdminResponse::Invite(invite) => line(invite),
        AdminResponse::Invites { invites } => line(invites),
        AdminResponse::Users { users } => line(users),
        AdminResponse::Devices { devices } => line(devices),
        AdminResponse::Rooms { rooms } => line(rooms),
        AdminResponse::Sessions { sessions } => line(sessions),
        AdminResponse::Refusals { refusals } => line(refusals),
        AdminResponse::Hook(hook) => line(hook),
        AdminResponse::Hooks { hooks } => line(hooks),
        AdminResponse::Stats { stats } => line(stats),
        AdminResponse::Done { message } => line(&serde_json::json!({ "done": message })),
        AdminResponse::Error(error) => line(error),
    }
}

fn as_text(response: &AdminResponse) -> String {
    match response {
        AdminResponse::Invite(invite) => {
            let page = invite.page.as_ref().map(|page| format!("{page}\n")).unwrap_or_default();
            format!("{}\n{page}", invite.link)
        }
        AdminResponse::Invites { invites } => table(
            ["INVITE", "ROLE", "USES", "EXPIRES", "BY", "ROOM"],
            invites.iter().map(|invite| {
                [
                    invite.id.clone(),
                    role(invite.role),
                    invite.uses.to_string(),
                    time(invite.expires_ms),
                    invite.by.as_ref().map_or_else(|| "the operator".to_owned(), |by| format!("@{by}")),
                    or_dash(invite.room.as_ref()),
                ]
            }),
        ),
        AdminResponse::Users { users } => table(
            ["HANDLE", "NAME", "ROLE", "STATE", "DEVICES", "ROOMS", "JOINED", "ACCOUNT"],
            users.iter().map(|user| {
                [
                    format!("@{}", user.handle),
                    shown(&user.name),
                    role(user.role),
                    if user.enabled { "enabled" } else { "disabled" }.to_owned(),
                    user.devices.to_string(),
                    user.rooms.to_string(),
                    time(user.joined_ms),
                    user.account.clone(),
                ]
            }),
        ),
        AdminResponse::Devices { devices } => table(
            ["USER", "DEVICE", "KIND", "STATE", "ADDED", "ID"],
            devices.iter().map(|device| {
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
            }),
        ),
        AdminResponse::Rooms { rooms } => table(
            ["KIND", "MEMBERS", "ENTRIES", "REV", "ID"],
            rooms.iter().map(|room| {
                let counts = [room.members, room.seq, room.rev].map(|count| count.to_string());
                let [members, seq, rev] = counts;
                [room.kind.clone(), members, seq, rev, room.room.clone()]
            }),
        ),
        AdminResponse::Sessions { sessions } => table(
            ["USER", "DEVICE", "ADDRESS", "SINCE", "PROTOCOL", "STATE", "ID"],
            sessions.iter().map(|session| {
                [
                    format!("@{}", session.handle),
                    shown(&session.name),
                    or_dash(session.address.as_ref()),
                    or_dash(session.since_ms.map(time).as_ref()),
                    session.version.to_string(),
                    if session.away { "away" } else { "here" }.to_owned(),
                    session.device.clone(),
                ]
            }),
        ),
        AdminResponse::Refusals { refusals } => table(
            ["LAST", "TIMES", "REASON", "WHOM", "DEVICE"],
            refusals.iter().map(|refusal| {
                let whom = refusal.handle.as_ref().map(|handle| format!("@{handle}"));
                [
                    time(refusal.at_ms),
                    refusal.times.to_string(),
                    refusal.code.clone(),
                    whom.unwrap_or_else(|| or_dash(refusal.address.as_ref())),
                    or_dash(refusal.device.as_ref()),
                ]
            }),
        ),
        AdminResponse::Hook(hook) => hook_text(hook),
        AdminResponse::Hooks { hooks } => table(
            ["HANDLE", "NAME", "STATE", "MADE BY", "MADE", "USED", "ROOM"],
            hooks.iter().map(|hook| {
                [
                    format!("@{}", hook.handle),
                    shown(&hook.name),
                    hook.state.clone(),
                    hook.by.as_ref().map_or_else(|| "operator".to_owned(), |by| format!("@{by}")),
                    time(hook.created_ms),
                    if hook.used_ms == 0 { "never".to_owned() } else { time(hook.used_ms) },
                    hook.room.clone(),
                ]
            }),
        ),
        AdminResponse::Stats { stats } => stats_text(stats),
        AdminResponse::Done { message } => format!("{message}\n"),
        AdminResponse::Error(error) => format!("{error}\n"),
    }
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
        ("storage", if stats.well { "good" } else { "refuses writes; see the log" }.to_owned()),
        ("logs' identity", stats.incarnation.clone()),
    ];
    rows.iter().fold(String::new(), |mut text, (name, value)| {
        let _ = writeln!(text, "{name:<15} {value}");
        text
    })
}

pub(crate) fn mebibytes(bytes: u64) -> String {
    format!("{:.1} MiB", bytes as f64 / (1024.0 * 1024.0))
}

pub(crate) fn time(unix_ms: u64) -> String {
    humantime::format_rfc3339_seconds(UNIX_EPOCH + Duration::from_millis(unix_ms)).to_string()
}

fn role(role: Role) -> String {
    format!("{role:?}").to_lowercase()
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
    use crate::admin::{InviteRow, RoomRow};

    #[test]
    fn tables_line_up() {
        let room =
            |kind: &str, seq| RoomRow { room: "ab".into(), kind: kind.into(), members: 2, seq, rev: 1 };
        let response = AdminResponse::Rooms { rooms: vec![room("direct", 1000), room("own", 1)] };
        assert_eq!(
            as_text(&response),
            "KIND    MEMBERS  ENTRIES  REV  ID\ndirect  2        1000     1    ab\nown     2        1        1    ab\n"
        );
        assert!(as_json(&response).unwrap().starts_with("[{\"room\":\"ab\",\"kind\":\"direct\""));
    }

    #[test]
    fn an_invite_is_its_link() {
        let invite = InviteRow {
            id: "abcdefgh".into(),
            link: "kith://join?x".into(),
            page: None,
            role: Role::Member,
            uses: 1,
            expires_ms: 0,
            room: None,
            by: None,
        };
        assert_eq!(as_text(&AdminResponse::Invite(invite.clone())), "kith://join?x\n");
        assert!(as_json(&AdminResponse::Invite(invite)).unwrap().contains("\"link\":\"kith://join?x\""));
    }

    #[test]
    fn names_cannot_steer_a_terminal() {
        assert_eq!(shown("a\u{1b}[2Jb"), "a\u{fffd}[2Jb");
    }
}
