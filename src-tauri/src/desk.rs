//! What the shell asks of the system: notifications, tray, window. The real one is made of Tauri; tests have one that notes
//! down.

use crate::ipc::{DoNotDisturb, NotificationAccess, OpenTarget, ProfileId, Quiet, RoomId, Seq};
use crate::releases::{Offer, ReleaseError};
use crate::words::Words;
use serde_json::Value;
use std::path::PathBuf;
use std::pin::Pin;

/// What comes of something that takes a while.
pub(crate) type Later<T> = Pin<Box<dyn Future<Output = T> + Send>>;

/// The system around the app.
pub(crate) trait Desk: Send + Sync + 'static {
    /// Shows a notification, in the place of the one with the same key.
    fn notify(&self, notice: Notice);
    /// Takes a notification away; nothing if there is none.
    fn withdraw(&self, key: &Key);
    /// Shows a notification, and waits until the system has taken it.
    fn notify_and_wait(&self, notice: Notice) -> Later<Result<(), String>>;
    /// Takes a notification away, and waits until it is gone.
    fn withdraw_and_wait(&self, key: &Key) -> Later<Result<(), String>>;
    /// Whether the system lets Kith show notifications; asks the person first if that is wished and the system can.
    fn notification_access(&self, ask: bool) -> Later<NotificationAccess>;
    /// Whether the system itself wants quiet.
    fn is_quiet(&self) -> bool;
    /// Unread chats, counts, words have changed.
    fn tray(&self, tray: Tray);
    /// Whether something shows tray icons. Blocks for a second at most.
    fn has_tray_host(&self) -> bool;
    /// Brings the window to the front; makes it, if there is none. `token`: what a click was worth on Wayland.
    fn present(&self, token: Option<&str>);
    /// Shows the window, or hides it if it has the focus.
    fn toggle(&self, token: Option<&str>);
    /// Hides the window, or quits.
    fn close(&self);
    /// Light or dark was chosen.
    fn repaint(&self);
    /// Opens an address that was looked at in the program that the system has for it.
    fn open_url(&self, url: &str) -> Result<(), String>;
    /// Asks the person where a file shall be; `None`: they gave up.
    fn ask_where(&self, name: &str) -> Later<Option<PathBuf>>;
    /// Starts with the system, or not.
    fn autostart(&self, on: bool) -> Result<(), String>;
    /// Whether it does.
    fn is_autostarted(&self) -> Option<bool>;
    /// What a list of a release offers to this system that is newer than this version.
    fn newer(&self, list: &Value) -> Result<Option<Offer>, ReleaseError>;
    /// Checks a file of a release, and puts it in the place of this version.
    fn install(&self, list: Value, file: Vec<u8>) -> Later<Result<(), ReleaseError>>;
    /// Ends the app, and starts what stands in its place.
    fn start_anew(&self);
    /// Ends the app.
    fn quit(&self);
}

/// A notification.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Notice {
    pub(crate) key: Key,
    /// What a click opens.
    pub(crate) target: Option<OpenTarget>,
    /// The first line, plain.
    pub(crate) title: String,
    /// What stands below, plain; may be empty.
    pub(crate) body: String,
    /// Whether it can be answered and marked as read.
    pub(crate) answers: bool,
    /// Whether it sounds.
    pub(crate) sound: bool,
    pub(crate) urgency: Urgency,
    pub(crate) labels: Labels,
}

/// How much it presses. Nothing is less than normal: GNOME shows no banner for what is low.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Urgency {
    /// Messages, mentions and direct ones too: the freedesktop specification keeps what is critical for what must not be
    /// missed, and servers show that until it is clicked away, whatever "do not disturb" says.
    Normal,
    /// A call for attention: signed out, damaged, deceived.
    Critical,
}

/// The words on a notification's buttons.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Labels {
    pub(crate) open: String,
    pub(crate) reply: String,
    pub(crate) mark_read: String,
}

impl Labels {
    pub(crate) fn of(words: &Words) -> Self {
        Self {
            open: words.text("notification_open"),
            reply: words.text("notification_reply"),
            mark_read: words.text("notification_mark_read"),
        }
    }
}

/// Which notification: there is one for each chat.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Key {
    /// The newest message of a chat.
    Chat(ProfileId, RoomId),
    /// All that came while this device was away.
    Summary(ProfileId),
    /// A call for attention.
    Alert(ProfileId),
    /// The self-test.
    Test,
}

/// What a person did with a notification, or in the tray.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Deed {
    /// Clicked it. With what the click is worth on Wayland.
    Open(Option<OpenTarget>, Option<String>),
    /// Marked it as read.
    MarkRead(OpenTarget),
    /// Answered.
    Reply(OpenTarget, String),
    /// Clicked the tray icon: shows the window, or hides it.
    Toggle(Option<String>),
    /// Wants quiet, or no more.
    Quiet(Quiet),
    /// Has had enough.
    Quit,
}

/// What the tray shows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Tray {
    pub(crate) state: TrayState,
    /// Messages that were not read, of chats that are not silent.
    pub(crate) count: u32,
    /// Chats with unread messages, at most seven.
    pub(crate) chats: Vec<TrayChat>,
    pub(crate) do_not_disturb: DoNotDisturb,
    pub(crate) words: TrayWords,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum TrayState {
    /// Nothing new.
    Idle,
    /// Something unread.
    Unread,
    /// For this person, or naming them.
    Mention,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct TrayChat {
    pub(crate) title: String,
    pub(crate) unread: u32,
    pub(crate) target: OpenTarget,
}

/// All that the tray says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct TrayWords {
    pub(crate) tooltip: String,
    pub(crate) open: String,
    pub(crate) quit: String,
    pub(crate) dnd: String,
    pub(crate) dnd_hour: String,
    pub(crate) dnd_tomorrow: String,
    pub(crate) dnd_on: String,
    pub(crate) dnd_off: String,
}

impl TrayWords {
    /// `chats`: how many of them have something unread.
    pub(crate) fn of(words: &Words, chats: u32) -> Self {
        Self {
            tooltip: match chats {
                0 => words.text("tray_tooltip_idle"),
                chats => words.with("tray_tooltip_unread", &[("count", &chats)]),
            },
            open: words.text("tray_open"),
            quit: words.text("tray_quit"),
            dnd: words.text("tray_dnd"),
            dnd_hour: words.text("tray_dnd_hour"),
            dnd_tomorrow: words.text("tray_dnd_tomorrow"),
            dnd_on: words.text("tray_dnd_on"),
            dnd_off: words.text("tray_dnd_off"),
        }
    }
}

/// A place in a room, from the engine's words.
pub(crate) fn target(profile: &ProfileId, room: kith_protocol::ids::RoomId, seq: Option<Seq>) -> OpenTarget {
    OpenTarget { profile: profile.clone(), room: RoomId(room), seq }
}
