//! The tray icon: three states, light and dark, with the unread chats in its menu.

#[cfg(target_os = "linux")]
mod host;
#[cfg(target_os = "linux")]
mod linux;
#[cfg(not(target_os = "linux"))]
mod native;

#[cfg(target_os = "linux")]
pub(crate) use host::{has_host, watch_host};
#[cfg(target_os = "linux")]
pub(crate) use linux::Icon;
#[cfg(not(target_os = "linux"))]
pub(crate) use native::Icon;

use crate::desk::{Deed, Tray, TrayState};
use crate::ipc::{DoNotDisturb, Quiet};
use std::sync::Arc;
use tauri::image::Image;

/// Where deeds go.
pub(crate) type Doing = Arc<dyn Fn(Deed) + Send + Sync>;

/// One line of the menu.
pub(crate) enum Entry {
    Line {
        label: String,
        deed: Deed,
    },
    Separator,
    /// Lines below one another, of which one counts.
    Choice {
        label: String,
        of: Vec<(String, Quiet)>,
        chosen: usize,
    },
}

/// The menu, from top to bottom.
pub(crate) fn menu(tray: &Tray) -> Vec<Entry> {
    let words = &tray.words;
    let mut entries: Vec<Entry> = tray
        .chats
        .iter()
        .map(|chat| Entry::Line {
            label: format!("{} ({})", chat.title, chat.unread),
            deed: Deed::Open(Some(chat.target.clone()), None),
        })
        .collect();
    if !entries.is_empty() {
        entries.push(Entry::Separator);
    }
    entries.push(Entry::Line { label: words.open.clone(), deed: Deed::Open(None, None) });
    entries.push(Entry::Choice {
        label: words.dnd.clone(),
        of: vec![
            (words.dnd_off.clone(), Quiet::Off),
            (words.dnd_hour.clone(), Quiet::Hour),
            (words.dnd_tomorrow.clone(), Quiet::Tomorrow),
            (words.dnd_on.clone(), Quiet::On),
        ],
        chosen: match tray.do_not_disturb {
            DoNotDisturb::Off => 0,
            DoNotDisturb::Until { at } if at.0 <= crate::shell::now() + A_LITTLE_OVER_AN_HOUR_MS => 1,
            DoNotDisturb::Until { .. } => 2,
            DoNotDisturb::On => 3,
        },
    });
    entries.push(Entry::Separator);
    entries.push(Entry::Line { label: words.quit.clone(), deed: Deed::Quit });
    entries
}

/// The picture for a state, to stand on a dark or light panel.
pub(crate) fn picture(state: TrayState, dark: bool) -> Image<'static> {
    match (state, dark) {
        (TrayState::Idle, true) => tauri::include_image!("src-tauri/icons/tray/idle-dark.png"),
        (TrayState::Idle, false) => tauri::include_image!("src-tauri/icons/tray/idle-light.png"),
        (TrayState::Unread, true) => tauri::include_image!("src-tauri/icons/tray/unread-dark.png"),
        (TrayState::Unread, false) => tauri::include_image!("src-tauri/icons/tray/unread-light.png"),
        (TrayState::Mention, true) => tauri::include_image!("src-tauri/icons/tray/mention-dark.png"),
        (TrayState::Mention, false) => tauri::include_image!("src-tauri/icons/tray/mention-light.png"),
    }
}

const A_LITTLE_OVER_AN_HOUR_MS: u64 = 61 * 60 * 1000;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::desk::{TrayChat, TrayWords};
    use crate::ipc::{OpenTarget, ProfileId, RoomId};
    use crate::words::Words;

    #[test]
    fn unread_chats_come_first_and_quit_last() {
        let target = OpenTarget {
            profile: ProfileId("p".into()),
            room: RoomId(kith_protocol::ids::RoomId([1; 16])),
            seq: None,
        };
        let tray = Tray {
            state: TrayState::Unread,
            count: 3,
            chats: vec![TrayChat { title: "Garden".into(), unread: 3, target: target.clone() }],
            do_not_disturb: DoNotDisturb::On,
            words: TrayWords::of(&Words::of(Some("en")), 3),
        };
        let entries = menu(&tray);
        assert!(
            matches!(&entries[0], Entry::Line { label, deed: Deed::Open(Some(to), None) } if label == "Garden (3)" && *to == target)
        );
        assert!(matches!(entries.last(), Some(Entry::Line { deed: Deed::Quit, .. })));
        assert!(entries.iter().any(|entry| matches!(entry, Entry::Choice { chosen: 3, .. })));
    }
}
