//! Commands to a running relay, through a local endpoint that only the owner of the data folder can open.
//!
//! One JSON object a line in each direction: an [`AdminRequest`], then its [`AdminResponse`]. Admins ask the same over
//! their own connections, see `operator/admins.rs`.

mod client;
mod server;
#[cfg(unix)]
#[path = "unix.rs"]
mod transport;
#[cfg(windows)]
#[path = "windows.rs"]
mod transport;

pub use kith_protocol::admin::{
    AdminError, AdminRequest, AdminResponse, AnnouncementRow, AuditRow, CertificateStats, DeviceRow, HookRow,
    InviteRow, NewHook, NewHookRow, NewInvite, RefusalRow, RelayRole, RoomRow, SessionRow, Stats, UserRow,
};

pub use self::{
    client::{AskError, ask},
    server::{AdminDoor, AdminHandler, BindError},
};
