use super::{
    AppError, Connection, DoNotDisturb, Line, LineId, LocalSettings, OpenTarget, Person, Presence, Profile,
    ProfileId, Release, RoomId, RoomItem, Seq, TrayStatus, Trouble,
};
use serde::Serialize;
use specta::Type;

/// Something changed. They come in batches, at most one a frame, in the order in which they happened.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Type)]
#[serde(tag = "kind", rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum Update {
    /// Too much came at once: ask for all that is shown once more (`refresh`, `roomOpen`).
    Lagged,
    /// A profile is new, or has changed.
    Profile {
        /// How it is now.
        profile: Profile,
    },
    /// A profile is gone from this computer.
    ProfileRemoved {
        /// Which one.
        profile: ProfileId,
    },
    /// The connection of a profile.
    Connection {
        /// The profile.
        profile: ProfileId,
        /// The connection.
        connection: Connection,
    },
    /// What is announced to everybody has changed, or was put away: ask for it.
    Announcement {
        /// The profile.
        profile: ProfileId,
    },
    /// A room is new, or has changed.
    Room {
        /// How it is now.
        room: RoomItem,
    },
    /// A room is gone.
    RoomRemoved {
        /// The profile.
        profile: ProfileId,
        /// The room.
        room: RoomId,
    },
    /// All rooms of a profile anew.
    Rooms {
        /// The profile.
        profile: ProfileId,
        /// All of them.
        rooms: Vec<RoomItem>,
    },
    /// Lines of an open room. Put each where its `seq` says, in the place of one with the same id. Those above `newest` of a
    /// part that is not shown are not told.
    Timeline {
        /// The profile.
        profile: ProfileId,
        /// The room.
        room: RoomId,
        /// Take all lines away first: these are the newest.
        reset: bool,
        /// New lines, and lines that look different now.
        lines: Vec<Line>,
        /// Lines that are gone.
        removed: Vec<LineId>,
        /// Everybody whom they name.
        people: Vec<Person>,
    },
    /// More lines came than are told one by one: ask for them with `historyAfter`.
    Behind {
        /// The profile.
        profile: ProfileId,
        /// The room.
        room: RoomId,
    },
    /// People have another name than before, or one at all.
    People {
        /// The profile.
        profile: ProfileId,
        /// They.
        people: Vec<Person>,
    },
    /// A message is on the relay's disk.
    Acked {
        /// The profile.
        profile: ProfileId,
        /// The room.
        room: RoomId,
        /// The message.
        line: LineId,
        /// Its place.
        seq: Seq,
    },
    /// The relay refused a message for good.
    SendFailed {
        /// The profile.
        profile: ProfileId,
        /// The room.
        room: RoomId,
        /// The message.
        line: LineId,
        /// Why.
        error: AppError,
    },
    /// Somebody is writing. Holds for six seconds.
    Typing {
        /// The profile.
        profile: ProfileId,
        /// The room.
        room: RoomId,
        /// Who.
        person: Person,
    },
    /// Somebody came, went, or stepped away.
    Presence {
        /// Who, and how.
        presence: Presence,
    },
    /// How far the relay's log was read.
    Progress {
        /// The profile.
        profile: ProfileId,
        /// Entries on this device.
        #[specta(type = u32)]
        held: u64,
        /// Entries on the relay.
        #[specta(type = u32)]
        known: u64,
        /// Messages that wait to be sent.
        outbox: u32,
        /// Whether everything was read, and all that could be sent was sent.
        done: bool,
    },
    /// The devices of this account changed.
    Devices {
        /// The profile.
        profile: ProfileId,
    },
    /// A setting that is the same on all devices.
    Setting {
        /// The profile.
        profile: ProfileId,
        /// Which one.
        name: String,
        /// Its value.
        value: String,
    },
    /// Something that the person should know.
    Trouble {
        /// The profile.
        profile: ProfileId,
        /// What.
        trouble: Trouble,
    },
    /// How the app is on this computer.
    Settings {
        /// The settings.
        settings: LocalSettings,
    },
    /// Whether notifications rest.
    DoNotDisturb {
        /// How it is now.
        do_not_disturb: DoNotDisturb,
    },
    /// The tray.
    Tray {
        /// How it is now.
        tray: TrayStatus,
    },
    /// What is known of newer versions of Kith.
    Release {
        /// How it is now.
        release: Release,
    },
    /// A notification, the tray or a link leads there.
    Open {
        /// Where.
        target: OpenTarget,
    },
    /// The window goes in a moment: hand over drafts and `setPlace` now, if they are not the newest.
    Closing,
    /// An invite or a link code was opened: hand it to `linkLook`.
    Link {
        /// The text.
        text: String,
    },
}
