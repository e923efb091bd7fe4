//! Calls for attention: what a person has to know even if no window is open.

use super::Shell;
use crate::desk::{Key, Labels, Notice, Urgency};
use crate::ipc::{Connection, ErrorCode, Privacy, TroubleKind};
use crate::profile::Profile;

impl Shell {
    /// The connection of a profile has changed: over for good, it calls; live again, it is quiet.
    pub(crate) fn alert_of_connection(&self, profile: &Profile, connection: &Connection) {
        match connection {
            Connection::Stopped { error } => self.alert(profile, words_of_end(error.code)),
            Connection::Online => {
                if let Ok(desk) = self.desk() {
                    desk.withdraw(&Key::Alert(profile.id().clone()));
                }
            }
            Connection::Connecting | Connection::Offline { .. } => {}
        }
    }

    /// Something is wrong with what this device holds.
    pub(crate) fn alert_of_trouble(&self, profile: &Profile, kind: TroubleKind) {
        let words = match kind {
            TroubleKind::Integrity => "trouble_integrity",
            TroubleKind::Storage => "trouble_storage",
            TroubleKind::VaultDamaged => "trouble_vault_damaged",
            _ => return,
        };
        self.alert(profile, words);
    }

    fn alert(&self, profile: &Profile, key: &str) {
        let (words, settings, focused) = {
            let state = self.state();
            (state.words.clone(), state.settings.clone(), state.focused)
        };
        // The window in front says it itself.
        if focused || !settings.notifications {
            return;
        }
        let name = profile.name().filter(|_| settings.privacy != Privacy::Nothing);
        let notice = Notice {
            key: Key::Alert(profile.id().clone()),
            target: None,
            title: name.unwrap_or_else(|| "Kith".to_owned()),
            body: words.text(key),
            answers: false,
            sound: settings.sound,
            urgency: Urgency::Critical,
            labels: Labels::of(&words),
        };
        if let Ok(desk) = self.desk() {
            desk.notify(notice);
        }
    }
}

fn words_of_end(code: ErrorCode) -> &'static str {
    match code {
        ErrorCode::Revoked => "error_revoked",
        ErrorCode::Disabled => "error_disabled",
        ErrorCode::Version => "error_version",
        ErrorCode::UnknownKey => "error_unknown_key",
        _ => "error_refused",
    }
}
