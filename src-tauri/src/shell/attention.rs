//! Where the person's attention is: what notifications depend on.

use super::Shell;
use crate::desk::Desk;
use crate::ipc::{DoNotDisturb, Privacy, ProfileId};
use kith_client::{Attention, notify};
use kith_protocol::ids::RoomId;

impl Shell {
    /// What the window shows.
    pub(crate) async fn look_at(&self, room: Option<(ProfileId, RoomId)>, away: bool) {
        let away_changed = {
            let mut state = self.state();
            state.looked_at = room;
            std::mem::replace(&mut state.away, away) != away
        };
        self.apply_attention().await;
        if away_changed {
            for client in self.all().iter().filter_map(|profile| profile.client().ok()) {
                client.presence(away).await;
            }
        }
    }

    /// The window has the focus, or lost it.
    pub(crate) async fn focus(&self, focused: bool) {
        if std::mem::replace(&mut self.state().focused, focused) != focused {
            self.apply_attention().await;
        }
    }

    /// There is no window any more: nothing is looked at, nothing is told. [`Self::apply_attention`] lets the engines know.
    pub(crate) fn forget_window(&self) {
        self.inner.feed.detach();
        {
            let mut state = self.state();
            state.focused = false;
            state.looked_at = None;
        }
        self.all().iter().for_each(|profile| profile.close_rooms());
    }

    pub(crate) async fn apply_attention(&self) {
        for profile in self.all() {
            if let Ok(client) = profile.client() {
                client.set_attention(self.attention(profile.id())).await;
            }
        }
    }

    pub(super) fn attention(&self, id: &ProfileId) -> Attention {
        let do_not_disturb = self.do_not_disturb();
        let system = self.desk().is_ok_and(Desk::is_quiet);
        let state = self.state();
        let looked_at =
            state.looked_at.as_ref().filter(|(profile, _)| state.focused && !state.away && profile == id);
        let until = match do_not_disturb {
            _ if !state.settings.notifications => u64::MAX,
            DoNotDisturb::Off => 0,
            DoNotDisturb::Until { at } => at.0,
            DoNotDisturb::On => u64::MAX,
        };
        Attention {
            focused: looked_at.map(|(_, room)| *room),
            do_not_disturb: notify::DoNotDisturb { until, system },
            privacy: match state.settings.privacy {
                Privacy::NameAndText => notify::Privacy::NameAndText,
                Privacy::NameOnly => notify::Privacy::NameOnly,
                Privacy::Nothing => notify::Privacy::Nothing,
            },
        }
    }
}
