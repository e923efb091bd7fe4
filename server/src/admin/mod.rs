//! Commands to a running relay, through a local endpoint that only the owner of the data folder can open.
//!
//! One JSON object a line in each direction: an [`AdminRequest`], then its [`AdminResponse`].

mod client;
mod protocol;
mod server;
#[cfg(unix)]
#[path = "unix.rs"]
mod transport;
#[cfg(windows)]
#[path = "windows.rs"]
mod transport;

pub use self::{
    client::{AskError, ask},
    protocol::{
        AdminError, AdminRequest, AdminResponse, AuditRow, CertificateStats, DeviceRow, HookRow, InviteRow,
        NewHook, NewHookRow, NewInvite, RefusalRow, Role, RoomRow, SessionRow, Stats, UserRow,
    },
    server::{AdminDoor, AdminHandler, BindError},
};
