//! The commands that ask a running relay, and how their answers are shown.

mod text;

pub(crate) use self::text::{mebibytes, time};

use std::{
    fmt::Display,
    io::{self, Write},
    path::Path,
};

use serde::Serialize;

use self::text::as_text;
use crate::{
    admin::{AdminError, AdminRequest, AdminResponse, AskError, NewHook, NewInvite, Stats, ask},
    args::{Announce, Devices, Hooks, Invite, Invites, Json, Rooms, Users},
    store::retention::Keep,
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
            Self::Quota { user, size, json } => (AdminRequest::UserQuota { user, share: size.share() }, json),
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
            Self::Keep { room, days, mib, default, json, .. } => {
                let keep = Keep { days, bytes: mib.map(|mib| u64::from(mib) << 20) };
                (AdminRequest::RoomKeep { room, keep: Some(keep).filter(|_| !default) }, json)
            }
        }
    }
}

impl Announce {
    pub fn request(self) -> (AdminRequest, Json) {
        let request = match self.text {
            Some(text) => AdminRequest::Announce { text, for_s: self.until.map(|until| until.as_secs()) },
            None if self.withdraw => AdminRequest::AnnouncementWithdraw,
            None => AdminRequest::Announcement,
        };
        (request, self.json)
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
        AdminResponse::Audit { records } => line(records),
        AdminResponse::Stats { stats } => line(stats),
        AdminResponse::Announcement { announcement } => line(announcement),
        AdminResponse::Done { message } => line(&serde_json::json!({ "done": message })),
        AdminResponse::Error(error) => line(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::admin::{InviteRow, RelayRole, RoomRow};

    #[test]
    fn tables_line_up() {
        let room = |kind: &str, seq| RoomRow {
            room: "ab".into(),
            kind: kind.into(),
            members: 2,
            seq,
            rev: 1,
            keep: None,
            forgotten: 0,
        };
        let response = AdminResponse::Rooms { rooms: vec![room("direct", 1000), room("own", 1)] };
        assert_eq!(
            as_text(&response),
            "KIND    MEMBERS  ENTRIES  REV  KEEPS   FORGOTTEN  ID\ndirect  2        1000     1    as all  0          ab\nown     2        1        1    as all  0          ab\n"
        );
        assert!(as_json(&response).unwrap().starts_with("[{\"room\":\"ab\",\"kind\":\"direct\""));
    }

    #[test]
    fn an_invite_is_its_link() {
        let invite = InviteRow {
            id: "abcdefgh".into(),
            link: "kith://join?x".into(),
            page: None,
            role: RelayRole::Member,
            uses: 1,
            expires_ms: 0,
            room: None,
            by: None,
        };
        assert_eq!(as_text(&AdminResponse::Invite(invite.clone())), "kith://join?x\n");
        assert!(as_json(&AdminResponse::Invite(invite)).unwrap().contains("\"link\":\"kith://join?x\""));
    }
}
