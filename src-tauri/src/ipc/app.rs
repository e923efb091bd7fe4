use super::{
    DoNotDisturb, LocalSettings, Person, Presence, Profile, ProfileId, Release, RoomId, RoomItem, Seq,
};
use serde::Serialize;
use specta::Type;

/// All that a window needs for its first picture.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct Boot {
    /// The version of Kith.
    pub version: String,
    /// The system.
    pub platform: Platform,
    /// The language to speak, as a BCP 47 tag of a file that there is.
    pub language: String,
    /// The profiles on this computer.
    pub profiles: Vec<Profile>,
    /// The rooms of all of them.
    pub rooms: Vec<RoomItem>,
    /// Everybody whom those name, with the profile that knows them.
    pub people: Vec<(ProfileId, Person)>,
    /// Who is there.
    pub presence: Vec<Presence>,
    /// How the app is on this computer.
    pub settings: LocalSettings,
    /// Whether notifications rest.
    pub do_not_disturb: DoNotDisturb,
    /// The tray.
    pub tray: TrayStatus,
    /// What is known of newer versions.
    pub release: Release,
    /// What the last window handed to `setPlace`.
    pub place: Option<String>,
    /// What this computer will be called among the devices of an account, unless the person says otherwise.
    pub device_name: String,
    /// Where a notification, the tray or a link led.
    pub open: Option<OpenTarget>,
    /// An invite or a link code that was opened from elsewhere: hand it to `linkLook`.
    pub link: Option<String>,
}

/// Where to go.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct OpenTarget {
    /// The profile.
    pub profile: ProfileId,
    /// The room.
    pub room: RoomId,
    /// The message.
    pub seq: Option<Seq>,
}

/// The system.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Type)]
#[serde(rename_all = "camelCase")]
pub enum Platform {
    /// Linux.
    Linux,
    /// Windows.
    Windows,
    /// macOS.
    Macos,
}

/// The tray.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct TrayStatus {
    /// Whether something shows tray icons: only then may a closed window be hidden.
    pub host: bool,
    /// Whether closing the window hides it now.
    pub close_hides: bool,
}
