//! What is unread, as the tray shows it.

use super::{Shell, now};
use crate::desk::{Desk, Tray, TrayChat, TrayState, TrayWords};
use crate::ipc::{self, Privacy, RoomItem, RoomKind, TrayStatus, Update};
use crate::words::Words;
use std::time::Duration;
use tokio::time::timeout;

impl Shell {
    /// What is unread has changed.
    pub(crate) fn tray_changed(&self) {
        let Ok(desk) = self.desk() else { return };
        desk.tray(self.tray());
    }

    pub(crate) fn tray(&self) -> Tray {
        let words = self.words();
        let mut chats = Vec::new();
        for profile in self.all() {
            chats.extend(profile.rooms().into_iter().filter(|room| counted(room) > 0));
        }
        chats.sort_by_key(|room| (std::cmp::Reverse(is_for_me(room)), std::cmp::Reverse(room.active_at)));
        let count = chats.iter().map(counted).sum();
        let unread = u32::try_from(chats.len()).unwrap_or(u32::MAX);
        let state = match chats.first() {
            None => TrayState::Idle,
            Some(room) if is_for_me(room) => TrayState::Mention,
            Some(_) => TrayState::Unread,
        };
        let hide_names = self.settings().privacy == Privacy::Nothing;
        let chats = chats.iter().take(TRAY_CHATS_MAX).map(|room| TrayChat {
            title: if hide_names { words.text("notification_new_message") } else { title(room, &words) },
            unread: counted(room),
            target: crate::desk::target(&room.profile, room.id.0, None),
        });
        Tray {
            state,
            count,
            chats: chats.collect(),
            do_not_disturb: self.do_not_disturb(),
            words: TrayWords::of(&words, unread),
        }
    }

    /// Asks the system anew whether something shows tray icons.
    pub(crate) fn look_for_tray_host(&self) -> TrayStatus {
        let host = self.desk().is_ok_and(Desk::has_tray_host);
        self.tray_host_is(host);
        self.tray_status()
    }

    /// Something shows tray icons, or nothing does any more.
    pub(crate) fn tray_host_is(&self, host: bool) {
        if self.inner.tray_host.send_replace(host) != host {
            self.inner.feed.push(Update::Tray { tray: self.tray_status() });
        }
    }

    /// Waits for something that shows tray icons, but not longer than `within`; whether it came.
    pub(crate) async fn tray_comes(&self, within: Duration) -> bool {
        let mut host = self.inner.tray_host.subscribe();
        timeout(within, host.wait_for(|host| *host)).await.is_ok_and(|came| came.is_ok())
    }

    pub(crate) fn tray_status(&self) -> TrayStatus {
        let host = *self.inner.tray_host.borrow();
        TrayStatus { host, close_hides: host && self.state().settings.close_to_tray }
    }
}

/// Messages of a room that the tray counts: all, or of a silent one those that break the silence.
pub(super) fn counted(room: &RoomItem) -> u32 {
    let silent = match room.mute {
        ipc::Mute::Off => false,
        ipc::Mute::Until { at } => at.0 > now(),
        ipc::Mute::Forever => true,
    };
    match (silent, room.mentions_anyway) {
        (false, _) => room.unread,
        (true, true) => room.mentions,
        (true, false) => 0,
    }
}

fn is_for_me(room: &RoomItem) -> bool {
    room.kind == RoomKind::Direct || room.mentions > 0
}

pub(super) fn title(room: &RoomItem, words: &Words) -> String {
    if room.kind == RoomKind::Own { words.text("tray_own_room") } else { room.title.clone() }
}

const TRAY_CHATS_MAX: usize = 7;
