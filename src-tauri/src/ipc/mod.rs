//! What crosses between the shell and the web view: plain values, made for drawing.
//!
//! Ids cross as strings, places and milliseconds as numbers. `ui/src/lib/backend/bindings.ts` is generated from here; a test
//! fails when the two differ.

mod account;
mod admin;
mod app;
mod error;
mod find;
mod ids;
mod line;
mod markdown;
mod notice;
mod person;
mod profile;
mod pushes;
mod release;
mod room;
mod settings;
mod storage;
mod update;

pub use account::{Device, DeviceKind, Invite, LinkLook, LinkStep, Offer, OfferStep, Qr, Recovered};
pub use admin::{
    Announcement, AuditEvent, AuditRecord, Hook, HookState, NewHook, RelayDevice, RelayInvite, RelayKeep,
    RelayRefusal, RelayRole, RelayRoom, RelayRoomKind, RelaySession, RelayShare, RelayUser,
};
pub use app::{Boot, OpenTarget, Platform, TrayStatus};
pub use error::{AppError, ErrorCode};
pub use find::{Found, Hit, Reach};
pub use ids::{AccountId, DeviceId, LineId, Millis, ProfileId, RoomId, Seq};
pub use line::{Change, Line, LineKind, LineState, Page, Pending, Reaction, ReplyTo};
pub use markdown::{Block, Inline, ListItem};
pub use notice::{NotificationAccess, SelfTestStage, SelfTestStep, Why, WhyReason};
pub use person::{Person, Presence};
pub use profile::{
    Arrived, Connection, ConnectionInfo, KeyChoice, Me, Profile, ProfileState, Trouble, TroubleKind,
};
pub use pushes::{NewPush, NewPushPlace, PushKind, PushPlace, Pushes};
pub use release::Release;
pub use room::{LastLine, Member, Mute, Role, RoomItem, RoomKind, RoomProof};
pub use settings::{Density, DoNotDisturb, LocalSettings, Privacy, Quiet, Theme};
pub use storage::{Exported, Storage};
pub use update::Update;
