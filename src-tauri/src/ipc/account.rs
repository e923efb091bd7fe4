use super::{AccountId, AppError, DeviceId, Millis, ProfileId, RoomId, Seq};
use serde::Serialize;
use specta::Type;

/// A device of an account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct Device {
    /// Its id.
    pub id: DeviceId,
    /// What it is called.
    pub name: String,
    /// A computer, or the recovery key.
    pub kind: DeviceKind,
    /// When it came.
    pub added_at: Millis,
    /// When it was here last, to the hour; `null`: it has not said.
    pub last_seen: Option<Millis>,
    /// Whether it was revoked.
    pub revoked: bool,
    /// Whether it is this one.
    pub this: bool,
}

/// What a device is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Type)]
#[serde(rename_all = "camelCase")]
pub enum DeviceKind {
    /// A computer.
    Computer,
    /// The recovery key.
    Recovery,
}

/// A QR code as one path: `<svg viewBox="0 0 size size"><path d=path></svg>`, a quiet zone of four included.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Type)]
pub struct Qr {
    /// Modules from edge to edge.
    pub size: u32,
    /// The dark ones.
    pub path: String,
}

/// An open invite.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct Invite {
    /// Its name among the invites of this account.
    pub id: String,
    /// The link to give away.
    pub link: String,
    /// The same to be scanned.
    pub qr: Qr,
    /// How many more accounts may come with it.
    pub uses: u32,
    /// When it ends.
    pub expires_at: Millis,
    /// The room that newcomers will be led to.
    pub room: Option<RoomId>,
}

/// What a text that was pasted, scanned or opened means.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Type)]
#[serde(tag = "kind", rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum LinkLook {
    /// An invite: `join`.
    Join {
        /// The text, tidied: hand it to `join`.
        link: String,
        /// The relay's address.
        relay: String,
        /// Whether the link names the key of the relay.
        pinned: bool,
        /// Who invites.
        from: Option<AccountId>,
        /// Whether it leads to a room.
        to_room: bool,
    },
    /// A place for this computer in an account: `linkDevice`.
    Device {
        /// The text, tidied: hand it to `linkDevice`.
        link: String,
        /// The relay's address.
        relay: String,
    },
    /// A room, or a message in it.
    Room {
        /// The profile that has the room.
        profile: Option<ProfileId>,
        /// The room.
        room: RoomId,
        /// The message.
        seq: Option<Seq>,
    },
}

/// How far linking this computer has come.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Type)]
#[serde(tag = "kind", rename_all = "camelCase")]
pub enum LinkStep {
    /// The person compares these six digits with the other device, and confirms there.
    Digits {
        /// They.
        digits: String,
        /// The handle of the account.
        handle: String,
    },
}

/// A place that is offered to another device.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct Offer {
    /// The link, to be pasted on the other device.
    pub link: String,
    /// The code, to be typed there.
    pub code: String,
    /// The link, to be scanned.
    pub qr: Qr,
    /// When it ends.
    pub expires_at: Millis,
}

/// How far an offer has come.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Type)]
#[serde(tag = "kind", rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum OfferStep {
    /// A device has answered: the person compares the digits, then `offerConfirm`.
    Answered {
        /// Six digits.
        digits: String,
        /// What the device calls itself.
        device_name: String,
    },
    /// It came to nothing.
    Failed {
        /// Why.
        error: AppError,
    },
}

/// An account that was recovered.
#[derive(Clone, PartialEq, Eq, Serialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct Recovered {
    /// The profile.
    pub profile: ProfileId,
    /// The new recovery key: show it once. The old one is not in force any more.
    pub recovery_key: String,
}
