use super::Millis;
use serde::{Deserialize, Serialize};
use specta::Type;

/// How the app is on this computer.
#[expect(clippy::struct_excessive_bools, reason = "switches of a page of settings")]
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct LocalSettings {
    /// Light or dark.
    pub theme: Theme,
    /// How close lines stand.
    pub density: Density,
    /// Size of text, in percent: 80 to 200.
    pub text_size: u16,
    /// The language as a BCP 47 tag; `null`: the system's.
    pub language: Option<String>,
    /// Whether there are notifications.
    pub notifications: bool,
    /// How much they show.
    pub privacy: Privacy,
    /// Whether they sound.
    pub sound: bool,
    /// Whether closing the window hides it, where a tray can show it again.
    pub close_to_tray: bool,
    /// Whether Kith starts, hidden, when the person logs in.
    pub autostart: bool,
    /// Whether Enter sends; else Ctrl+Enter does.
    pub enter_sends: bool,
    /// Whether others see that one is typing.
    pub send_typing: bool,
    /// Hints that were dismissed.
    pub dismissed: Vec<String>,
}

/// Light or dark.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub enum Theme {
    /// As the system.
    #[default]
    System,
    /// Light.
    Light,
    /// Dark.
    Dark,
    /// High contrast, light or dark as the system.
    Contrast,
}

/// How close lines stand.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub enum Density {
    /// With air.
    #[default]
    Comfortable,
    /// Close.
    Compact,
}

/// How much a notification shows.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub enum Privacy {
    /// The chat, the sender and the text.
    #[default]
    NameAndText,
    /// The chat alone.
    NameOnly,
    /// That there is something.
    Nothing,
}

/// Whether notifications rest.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(tag = "kind", rename_all = "camelCase")]
pub enum DoNotDisturb {
    /// They do not.
    #[default]
    Off,
    /// For a time.
    Until {
        /// Its end.
        at: Millis,
    },
    /// Until the person ends it.
    On,
}

/// How long notifications shall rest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub enum Quiet {
    /// Not at all.
    Off,
    /// For an hour.
    Hour,
    /// Until eight in the morning.
    Tomorrow,
    /// Until the person ends it.
    On,
}

impl Default for LocalSettings {
    fn default() -> Self {
        Self {
            theme: Theme::System,
            density: Density::Comfortable,
            text_size: 100,
            language: None,
            notifications: true,
            privacy: Privacy::NameAndText,
            sound: true,
            close_to_tray: true,
            autostart: false,
            enter_sends: true,
            send_typing: true,
            dismissed: Vec::new(),
        }
    }
}
