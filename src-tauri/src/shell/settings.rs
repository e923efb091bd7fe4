//! How the app is on this computer, and whether notifications rest.

use super::{KeptQuiet, QUIET, SETTINGS, Shell, now};
use crate::desk::Desk;
use crate::failure::Outcome;
use crate::ipc::{DoNotDisturb, LocalSettings, Millis, Quiet, Update};
use crate::kept;
use crate::words::Words;
use std::sync::PoisonError;
use std::time::Duration;

impl Shell {
    pub(crate) fn settings(&self) -> LocalSettings {
        self.state().settings.clone()
    }

    pub(crate) fn words(&self) -> Words {
        self.state().words.clone()
    }

    /// Changes how the app is on this computer; what cannot be is put right.
    pub(crate) async fn set_settings(&self, mut settings: LocalSettings) -> Outcome<LocalSettings> {
        settings.text_size = settings.text_size.clamp(TEXT_SIZE_MIN, TEXT_SIZE_MAX);
        settings.dismissed.truncate(DISMISSED_MAX);
        let before = self.settings();
        if before.autostart != settings.autostart
            && let Ok(desk) = self.desk()
            && let Err(why) = desk.autostart(settings.autostart)
        {
            tracing::warn!(why, "start at login cannot be changed");
            settings.autostart = before.autostart;
        }
        kept::write(&self.inner.dirs.config.join(SETTINGS), &settings)?;
        {
            let mut state = self.state();
            state.settings = settings.clone();
            state.words = Words::of(settings.language.as_deref());
        }
        if before.theme != settings.theme
            && let Ok(desk) = self.desk()
        {
            desk.repaint();
        }
        self.inner.feed.push(Update::Settings { settings: settings.clone() });
        self.inner.feed.push(Update::Tray { tray: self.tray_status() });
        self.apply_attention().await;
        self.tray_changed();
        Ok(settings)
    }

    /// What the system says of starting at login counts, whatever stands in our file.
    pub(crate) fn note_autostart(&self) {
        if let Some(on) = self.desk().ok().and_then(Desk::is_autostarted) {
            self.state().settings.autostart = on;
        }
    }

    pub(crate) fn do_not_disturb(&self) -> DoNotDisturb {
        let mut state = self.state();
        if matches!(state.do_not_disturb, DoNotDisturb::Until { at } if at.0 <= now()) {
            state.do_not_disturb = DoNotDisturb::Off;
        }
        state.do_not_disturb
    }

    /// Notifications rest, or not.
    pub(crate) async fn set_do_not_disturb(&self, quiet: Quiet) -> Outcome<DoNotDisturb> {
        let quiet = match quiet {
            Quiet::Off => DoNotDisturb::Off,
            Quiet::Hour => DoNotDisturb::Until { at: Millis(now() + HOUR_MS) },
            Quiet::Tomorrow => DoNotDisturb::Until { at: Millis(tomorrow()) },
            Quiet::On => DoNotDisturb::On,
        };
        kept::write(&self.inner.dirs.config.join(QUIET), &KeptQuiet { quiet })?;
        self.state().do_not_disturb = quiet;
        self.quiet_changed().await;
        self.set_alarm(quiet);
        Ok(quiet)
    }

    async fn quiet_changed(&self) {
        self.inner.feed.push(Update::DoNotDisturb { do_not_disturb: self.do_not_disturb() });
        self.apply_attention().await;
        self.tray_changed();
    }

    /// When the quiet ends, everybody is told.
    pub(crate) fn set_alarm(&self, quiet: DoNotDisturb) {
        let number = {
            let mut alarm = self.inner.alarm.lock().unwrap_or_else(PoisonError::into_inner);
            *alarm += 1;
            *alarm
        };
        let DoNotDisturb::Until { at } = quiet else { return };
        let shell = self.clone();
        tokio::spawn(async move {
            // In pieces: a computer that slept wakes late from a long sleep.
            while now() < at.0 {
                tokio::time::sleep(Duration::from_millis((at.0 - now()).min(ALARM_STEP_MS))).await;
                if *shell.inner.alarm.lock().unwrap_or_else(PoisonError::into_inner) != number {
                    return;
                }
            }
            shell.quiet_changed().await;
        });
    }
}

/// Eight in the morning, the next time that is more than an hour away.
fn tomorrow() -> u64 {
    let zoned = jiff::Zoned::now();
    let tomorrow = zoned
        .tomorrow()
        .ok()
        .and_then(|day| day.date().at(8, 0, 0, 0).to_zoned(zoned.time_zone().clone()).ok());
    let at = tomorrow.map_or(0, |at| at.timestamp().as_millisecond());
    u64::try_from(at).unwrap_or(0).max(now() + HOUR_MS)
}

const HOUR_MS: u64 = 60 * 60 * 1000;
const ALARM_STEP_MS: u64 = 60 * 1000;
const TEXT_SIZE_MIN: u16 = 80;
const TEXT_SIZE_MAX: u16 = 200;
const DISMISSED_MAX: usize = 64;
